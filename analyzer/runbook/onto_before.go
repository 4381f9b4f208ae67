package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/atrest"
	"revenant/decoder/keyspace"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// scratchURL is where the etcd listens that cleans the backup.
const scratchURL = "http://127.0.0.1:12379"

// oldNodes are the names of all machines that the old cluster is known to have had.
func (b *builder) oldNodes() (names []string) {
	for _, side := range []*Side{&b.Backup, b.Current} {
		if side == nil {
			continue
		}
		for i := range side.State.Nodes {
			names = append(names, side.State.Nodes[i].Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// oldAddresses are those of the old API servers, as their master leases name them.
func (b *builder) oldAddresses() (list []string) {
	for _, side := range []*Side{&b.Backup, b.Current} {
		if side == nil {
			continue
		}
		for _, key := range side.Facts.MasterLeases {
			host := key[strings.LastIndex(key, "/")+1:]
			if !hostName.MatchString(host) || strings.Contains(host, "%") {
				continue
			}
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			list = append(list, host)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// proveDown makes sure that two clusters do not write to the same things.
func (b *builder) proveDown() Step {
	s := Step{
		ID: "prove-down", Title: "Prove that the old cluster is down, or cut the new one off from all that it shares",
		Why: "Both clusters have the same uids, keys and credentials. While both run, they write to the same disks, move each other's load balancers and DNS names, and delete each other's machines. Nothing undoes that.",
		Checks: []string{
			"It is decided which of the two this is: a replacement, after which the old cluster never comes back, or a copy, which reaches nothing that the old one uses.",
			"Replacement: each old machine is off and stays off, or is wiped, or its storage and its cloud account refuse it.",
			"Copy: the new machines have no role and no key of the cloud account, and a firewall keeps them from its API, from the storage network, from external databases, from DNS and Git, and from the old API servers. Credentials are in the backup's Secrets, so only the network holds them back.",
		},
	}
	addresses := b.oldAddresses()
	addresses = addresses[:min(len(addresses), listed)]
	at, port := strings.Join(addresses, " "), b.port
	if at == "" {
		at = "OLD_API_SERVERS"
	}
	s.Commands = []Command{script(Workstation, fmt.Sprintf(`( command -v curl > /dev/null || exit 2
  for at in %s; do
    ! curl --insecure --silent --max-time 5 --output /dev/null "https://$at:%s/readyz" || { echo "$at answers: the old cluster runs. Do not go on." >&2; exit 1; }
  done
  echo 'None answers from here, which alone is no proof.' )`, at, port), "curl").
		says("Asks the old API servers. If one answers, this ends with an error.")}
	if names := b.oldNodes(); len(names) > 0 {
		for start := 0; start < min(len(names), listed); start += 5 {
			s.Checks = append(s.Checks, "Off, wiped or cut off: "+strings.Join(names[start:min(start+5, len(names), listed)], ", ")+".")
		}
		if n := len(names) - listed; n > 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more old machines: %s lists them.", n, b.ontoCommand()))
		}
	} else {
		s.Warnings = append(s.Warnings, "The backup has no Node objects: which machines the old cluster had is not known.")
	}
	if b.Current != nil {
		s.Warnings = append(s.Warnings, b.Current.State.Old().Text())
	}
	return s
}

// ontoFiles are what a platform's control plane needs beyond the backup.
var ontoFiles = map[Platform][]string{
	Kubeadm: {
		along + "/pki has, from /etc/kubernetes/pki of an old control plane node: ca.crt, ca.key, sa.pub, sa.key, front-proxy-ca.crt, front-proxy-ca.key, etcd/ca.crt and etcd/ca.key. Nothing else of it: the other certificates name the old machines.",
		"The file of --encryption-provider-config is there, if an old kube-apiserver had that flag.",
	},
	K3s:   {"The token of the old servers (/var/lib/rancher/k3s/server/token). Certificates and keys are in the backup, encrypted with it.", "The flags and the config.yaml of the old servers: cluster and service ranges, secrets-encryption, disabled components."},
	RKE2:  {"The token of the old servers (/var/lib/rancher/rke2/server/token). Certificates and keys are in the backup, encrypted with it.", "The config.yaml of the old servers: cluster and service ranges, CNI, disabled components."},
	K0s:   {"/var/lib/k0s/pki of an old controller, with the CAs, the service account key and etcd's CA, and its k0s.yaml: cluster and service ranges, the network. Certificates that name old machines are left out."},
	Talos: {"secrets.yaml of the old cluster (talosctl gen secrets --from-controlplane-config makes it of an old machine configuration): it has the CAs, the service account key and the key of encryption at rest."},
	OpenShift: {
		"The directory that cluster-backup.sh made, with its static_kuberesources file. The key of encryption at rest is among those.",
		"The old names: OpenShift's etcd and its certificates use the host names of the control plane.",
	},
	Kops: {"The state store with its pki directory, or a copy of it: it has the CAs and the service account key."},
}

// bringAlong says what the backup does not have.
func (b *builder) bringAlong() Step {
	s := Step{
		ID: "bring-along", Title: "Bring along what is not in the backup",
		Why: "etcd has the objects, but not the keys of the API servers. With another service account key, API servers refuse every token in the backup. With another CA, nothing trusts the API. With another encryption key, nobody can read the Secrets.",
	}
	files := ontoFiles[b.id]
	if files == nil {
		files = []string{"The private and public key that signs service account tokens (--service-account-key-file, --service-account-signing-key-file), the cluster's CA, the CA of the front proxy, and the CA of etcd, each with its key.",
			"The file of --encryption-provider-config, if an old kube-apiserver had that flag."}
	}
	s.Checks = append(s.Checks, files...)
	s.Checks = append(s.Checks, "--service-account-issuer and --api-audiences are those of the old API servers: cloud accounts that trust the cluster's tokens identify it by the issuer.")
	if b.id == Kubeadm || b.id == Generic {
		ca, key := along+"/pki/ca.crt", along+"/pki/sa"
		if root := b.Ties.RootCA; root != "" {
			s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf(`[ "$(openssl x509 -in %s -outform DER | sha256sum | cut -c1-64)" = %s ] && echo same`, ca, root), "openssl").
				says("Prints same: this is the CA that the pods of the backup trust."))
		}
		s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf("openssl pkey -in %[1]s.key -pubout | cmp - %[1]s.pub && echo pair", key), "openssl").
			says("Prints pair: the two service account keys belong together."))
	}
	switch {
	case len(b.Ties.ServiceRanges) > 0:
		s.Checks = append(s.Checks, "--service-cluster-ip-range is "+words.First(b.Ties.ServiceRanges, listed)+": Services keep their addresses.")
	case len(b.Ties.ServiceIPs) > 0:
		s.Checks = append(s.Checks, "--service-cluster-ip-range holds "+words.First(b.Ties.ServiceIPs, listed)+", the address of the Service kubernetes: Services keep their addresses.")
	}
	s.Checks = append(s.Checks, "The ranges of pods and the cluster's domain are those of the old cluster.")
	keys := atrest.Keys(b.Backup.Facts.Encryption)
	for _, k := range keys[:min(len(keys), listed)] {
		s.Checks = append(s.Checks, fmt.Sprintf("The encryption configuration has %s: %s of the backup need it (%s).", k.By(), words.Count(k.Count, "value"), cmp.Or(words.First(k.Resources, listed), "of no known resource")))
	}
	if len(keys) > 0 {
		s.covers(coversKeys)
	}
	if n := len(keys) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more keys: revenant inspect lists them.", n))
	}
	b.undone(&s, beforehand)
	if tokens := b.Backup.Facts.Tokens; len(tokens) > 0 {
		s.Checks = append(s.Checks, "The token is the one of the backup: its certificates and keys are "+keyspace.TokenText(tokens...)+".")
	}
	return s
}

// cleanBackup takes out of the backup what is of the old machines alone, in an etcd that
// nothing else reaches.
func (b *builder) cleanBackup() Step {
	if !b.byFile() {
		s := b.bring()
		return s
	}
	s := Step{
		ID: "clean-backup", Title: "Take the old machines out of the backup",
		Why: "An etcd on the workstation, which nothing else reaches, loads the backup and deletes the Node objects, all pods, and what is theirs. So no scheduler ever takes an old machine for a living one, no controller detaches a disk from it, and no kubelet of an old name starts a pod. The backup itself is not changed.",
	}
	etcdctl := func(args ...string) Command {
		return call(Workstation, slices.Concat(b.etcd.env, []string{tool("etcdctl"), "--endpoints=" + scratchURL}, args)...)
	}
	of := func(c Command) Command { // the program is what is brought along
		c.Programs = []string{tool("etcdctl")}
		return c.reads(tool("etcdctl"))
	}
	s.Commands = append(s.Commands,
		script(Workstation, `[ ! -e scratch.pid ] || { kill -s KILL "$(cat scratch.pid)"; rm scratch.pid; }`).says("Removes what an earlier attempt has left."),
		call(Workstation, "rm", "-rf", "scratch.etcd"),
		call(Workstation, "mkdir", "-p", "-m", "700", carried).writes(carried))
	b.fetchEtcd(&s)
	b.copyBackup(&s)
	make := call(Workstation, append(b.etcdutl("snapshot", "restore", plainBackup, "--data-dir=scratch.etcd"), b.flags()...)...).flagALine().reads(plainBackup, tool(b.etcd.program)).writes("scratch.etcd")
	make.Programs = []string{tool(b.etcd.program)}
	ask := of(etcdctl("endpoint", "health")).whole()
	ready := wait(Workstation, "the etcd of the backup answers", 300, ask.Run, "Look at scratch.log.", tool("etcdctl")).reads(tool("etcdctl"))
	s.Commands = append(s.Commands,
		make,
		script(Workstation, fmt.Sprintf("( %s --data-dir=scratch.etcd --listen-client-urls=%[2]s --advertise-client-urls=%[2]s --listen-peer-urls=http://127.0.0.1:12380 > scratch.log 2>&1 & echo $! > scratch.pid )", tool("etcd"), scratchURL), tool("etcd")).
			reads("scratch.etcd", tool("etcd")).writes("scratch.log", "scratch.pid").says("Listens on this machine only."),
		ready,
	)
	lost := 0
	for _, k := range b.Ties.Machines {
		if _, ok := sanitize.ShellWord(k.Prefix); !ok {
			lost++
			continue
		}
		s.Commands = append(s.Commands, of(etcdctl("del", "--prefix", "--", k.Prefix)).says("%s: %d in the backup. Prints how many it has deleted.", k.What, k.Count))
	}
	if lost > 0 {
		s.Warnings = append(s.Warnings, unwritten(lost, "prefix"))
	}
	save := of(etcdctl("snapshot", "save", cleaned)).writes(cleaned)
	status := call(Workstation, b.etcdutl("snapshot", "status", cleaned, "--write-out=json")...).reads(cleaned, tool(b.etcd.program))
	status.Programs = []string{tool(b.etcd.program)}
	s.Commands = append(s.Commands, save,
		script(Workstation, `kill "$(cat scratch.pid)" && rm scratch.pid`).reads("scratch.pid"),
		status.says("Shows the revision. Note it."),
		call(Workstation, b.revenant("predict", append([]string{cleaned, "--onto=" + string(b.Onto)}, b.Flags...)...)...).reads(cleaned).says("Says that there are no pods and no Node objects."),
	)
	b.Backup.Facts.NoTrailer, b.Backup.Facts.Packed = false, ""
	b.plan.BumpRevision, b.plan.MarkCompacted = 0, false // it is in the file by now
	if b.id != Talos {
		b.carry(&s, b.restoreHosts())
	}
	s.Checks = append(s.Checks, "revenant inspect "+cleaned+" calls it whole. Start nothing before.")
	if bare := b.bareOnto(); len(bare) > 0 {
		s.Warnings = append(s.Warnings, "Pods that no controller creates again, and that are gone with this: "+words.First(bare, listed)+". Create those that are wanted on the new cluster; the backup has them whole.")
	}
	return s
}

// bareOnto are the names of pods that no controller creates again.
func (b *builder) bareOnto() (names []string) {
	for _, p := range b.Backup.State.Pods {
		if p.Owner.Kind == "" && p.Mirror == "" && p.Unreadable == "" && !p.Terminal() && !p.Terminating() {
			names = append(names, p.Namespace+"/"+p.Name)
		}
	}
	slices.Sort(names)
	return names
}
