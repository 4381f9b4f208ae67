package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/atrest"
	"revenant/internal/words"
)

// encryptionFiles are where platforms keep the EncryptionConfiguration of their API
// servers, on each of these.
var encryptionFiles = map[Platform]string{
	K3s:  "/var/lib/rancher/k3s/server/cred/encryption-config.json",
	RKE2: "/var/lib/rancher/rke2/server/cred/encryption-config.json",
}

// keysFile is the EncryptionConfiguration of the API servers, once it was fetched.
const keysFile = "encryption.yaml"

// configured is the flag with the configuration that was given, "" for none.
func (b *builder) configured() string {
	for _, flag := range b.Flags {
		if strings.HasPrefix(flag, "--encryption-config=") {
			return flag
		}
	}
	return ""
}

// inspectKeys holds the configuration against the backup.
func (b *builder) inspectKeys() Command {
	if b.configured() != "" {
		return call(Workstation, b.revenant("inspect", append([]string{b.backup()}, b.alone()...)...)...).reads(b.backup())
	}
	args := append([]string{b.backup(), "--encryption-config=" + keysFile}, b.alone()...)
	return call(Workstation, b.revenant("inspect", args...)...).reads(b.backup(), keysFile)
}

// keys checks that the API servers will be able to read the backup.
func (b *builder) keys(s *Step) {
	needed := atrest.Keys(b.Backup.Facts.Encryption)
	if len(needed) == 0 {
		return
	}
	s.covers(coversKeys)
	const says = "Does the API servers' EncryptionConfiguration decrypt the backup's values? The lines that begin with encrypted say it, by key."
	if b.configured() != "" {
		s.Commands[0].Comment += " " + says // which reads with it
	} else {
		s.Commands = append(append(s.Commands, b.fetchKeys()...), b.inspectKeys().says("%s", says))
	}
	for _, k := range needed[:min(len(needed), listed)] {
		of := words.First(k.Resources, listed)
		if of == "" {
			of = "no known resource"
		}
		by := fmt.Sprintf("%s (%s, of %s)", k.By(), words.Count(k.Count, "value"), of)
		switch k.Fit {
		case atrest.Fits:
		case atrest.Plugin:
			s.Checks = append(s.Checks, "The KMS plug-in answers on every control plane node, and still has its key of the time of the backup: "+by+".")
		case atrest.NotGiven:
			s.Checks = append(s.Checks, "The configuration of every API server has "+by+".")
		case atrest.NoPlain:
			s.Warnings = append(s.Warnings, fmt.Sprintf("The backup has values that are not encrypted (%s, of %s), and the given configuration has no provider identity for them: API servers with it cannot list these resources. Stop nothing before it has, as the last provider.", words.Count(k.Count, "value"), of))
		case atrest.Damaged, atrest.Unread, atrest.NoPrefix:
			s.Warnings = append(s.Warnings, fmt.Sprintf("Values of the backup are damaged: %s; %d of them decrypt. An API server fails to list their resource until they are deleted.", by, k.Decrypted))
		default:
			s.Warnings = append(s.Warnings, fmt.Sprintf("The given configuration does not decrypt what the backup has by %s. API servers with it cannot list these resources. Stop nothing before every API server has that key, as a provider to read with.", by))
		}
	}
	if n := len(needed) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more keys: revenant inspect lists them.", n))
	}
	if b.configured() == "" {
		s.Warnings = append(s.Warnings, "Values of the backup are encrypted, and no --encryption-config was given: whether the API servers can read them is not known. Stop nothing before it is.")
	}
}

// fetchKeys brings the configuration from an API server.
func (b *builder) fetchKeys() []Command {
	path := encryptionFiles[b.id]
	switch {
	case slices.Contains([]Platform{Talos, Gardener, VCluster, OpenShift}, b.id):
		return []Command{script(Workstation, "[ -e "+keysFile+" ]").writes(keysFile).
			says("Keep the EncryptionConfiguration of the API servers here as %s. It holds keys: delete it when you are done.", keysFile)}
	case path == "":
		path = "ENCRYPTION_CONFIG"
		return []Command{
			script(ControlPlane, `( pid=$(pgrep -x -o kube-apiserver) && sudo cat "/proc/$pid/cmdline" | tr '\0' '\n' | grep '^--encryption-provider-config' )`, "pgrep").
				says("The file with the configuration of each API server, inside of its container: ENCRYPTION_CONFIG is that file on the node."),
			b.fetchFile(path),
		}
	}
	return []Command{b.fetchFile(path)}
}

func (b *builder) fetchFile(path string) Command {
	return script(Workstation, fmt.Sprintf("[ -e %[1]s ] || ( umask 077; ssh CONTROL_PLANE_NODE sudo cat %[2]s > %[1]s.part && mv %[1]s.part %[1]s )", keysFile, path), "ssh").
		writes(keysFile).says("It holds keys, so delete it when you are done. Compare it with that of the other API servers.")
}
