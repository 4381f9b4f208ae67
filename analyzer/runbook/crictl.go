package runbook

import (
	"cmp"
	"slices"

	"revenant/decoder/sanitize"
)

// crictlWords call crictl, quoted.
func (b *builder) crictlWords() []string {
	if len(b.crictl) == 0 {
		return []string{"./crictl", "--runtime-endpoint=" + cmp.Or(b.socket, "unix:///run/containerd/containerd.sock")}
	}
	return slices.Clone(b.crictl)
}

// crictlProgram is the program among them.
func (b *builder) crictlProgram() string {
	words := b.crictlWords()
	if words[0] == "env" {
		return words[len(words)-1]
	}
	return words[0]
}

// bringCrictl brings crictl to a node that has none by itself.
func (b *builder) bringCrictl(s *Step, node string, brought map[string]bool) {
	if len(b.crictl) > 0 || brought[node] {
		return
	}
	const release, name = "https://github.com/kubernetes-sigs/cri-tools/releases/download/vCRICTL_VERSION/", "crictl-vCRICTL_VERSION-linux-ARCH.tar.gz"
	if len(brought) == 0 {
		s.Commands = append(s.Commands,
			call(Workstation, "curl", "--fail", "--location", "--remote-name-all", release+name, release+name+".sha256").writes(name, name+".sha256").says("Nodes may have no crictl. Take the minor version of the kubelets."),
			script(Workstation, "echo \"$(cut -c1-64 "+name+".sha256)  "+name+"\" | sha256sum --check && tar --extract --gzip --file="+name+" crictl && sha256sum crictl > crictl.sha256", "tar").reads(name).writes("crictl", "crictl.sha256"))
	}
	brought[node] = true
	address := node
	if !hostName.MatchString(node) {
		address = "NODE"
	}
	s.Commands = append(s.Commands,
		call(Workstation, "scp", "-p", "crictl", "crictl.sha256", remote(address, "")).reads("crictl", "crictl.sha256"),
		script(nodeHost(node), "sha256sum --check crictl.sha256").reads("crictl", "crictl.sha256"))
}

// uidLabel selects the containers of a pod, as a word.
func uidLabel(uid string) (label string, ok bool) {
	label, ok = sanitize.ShellWord("io.kubernetes.pod.uid=" + uid)
	return label, ok && uid != ""
}
