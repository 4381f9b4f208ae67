package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// EtcdVersions are the versions of etcd whose restore is known.
func EtcdVersions() []string { return []string{"3.4", "3.5", "3.6", "3.7"} }

// etcdTool is the program that restores a snapshot with a bump.
type etcdTool struct {
	version string // "" when it is not known
	program string
	files   []string // that the steps bring along
	env     []string // that the program is called with
	needs   string   // the version that has the flags
}

// toolOf is the program for a version of etcd. The flags came to etcdctl and
// etcdutl with 3.5.10 (etcd CHANGELOG-3.5) and to etcdctl 3.4 with pull request
// 16193; etcdctl 3.6 has no restore.
func toolOf(version string) etcdTool {
	t := etcdTool{version: version, program: "etcdutl", files: []string{"etcdutl", "etcdctl"}}
	switch version {
	case "3.4":
		t.program, t.files, t.env = "etcdctl", []string{"etcdctl"}, []string{"env", "ETCDCTL_API=3"}
		t.needs = "etcdctl 3.4 has the flags from about 3.4.27 on (pull request 16193; the number is not verified)."
	case "3.5":
		t.needs = "etcdutl 3.5 has the flags from 3.5.10 on, and so has etcdctl 3.5, with the same syntax."
	case "3.6", "3.7":
		t.needs = "Every etcdutl " + version + " has the flags. etcdctl " + version + " cannot restore."
	default:
		t.version = ""
		t.needs = "The backup does not show its version of etcd. etcdutl has the flags from 3.5.10 on, etcdctl 3.4 from about 3.4.27 on; use the version that will run."
	}
	return t
}

// etcdutl are the words that call the program that restores.
func (b *builder) etcdutl(args ...string) []string {
	return slices.Concat(b.etcd.env, []string{tool(b.etcd.program)}, args)
}

// member is one member of the restored cluster.
type member struct {
	name, peers string
	address     string // of its machine, for ssh
	host        Host
}

// members are those that the backup names, learners left out, and the value of
// --initial-cluster; placeholders when the backup names none, or one that cannot
// be written there.
func (b *builder) members() (list []member, cluster string, known bool) {
	var all []string
	known = true
	word := func(s string) string {
		_, ok := sanitize.ShellWord(s)
		known = known && ok
		return s
	}
	for _, m := range b.Backup.Facts.Members {
		if m.Learner {
			continue
		}
		known = known && writable(m)
		for _, u := range m.PeerURLs {
			all = append(all, m.Name+"="+u)
		}
		list = append(list, member{word(m.Name), word(strings.Join(m.PeerURLs, ",")), addressOf(m), memberHost(m.Name)})
	}
	slices.Sort(all)
	if cluster = word(strings.Join(all, ",")); len(list) == 0 || !known {
		return []member{{"MEMBER_NAME", "PEER_URL", "ETCD_NODE", EtcdNodes}}, "INITIAL_CLUSTER", false
	}
	return list, cluster, true
}

// writable says whether --initial-cluster can hold the member: it parts members at
// commas and names from URLs at equals signs (etcd client/pkg/v3 v3.7
// types/urlsmap.go NewURLsMap).
func writable(m snapshot.Member) bool {
	if _, ok := sanitize.ShellWord(m.Name); !ok || m.Name == "" || strings.ContainsAny(m.Name, ",=") || len(m.PeerURLs) == 0 {
		return false
	}
	return !slices.ContainsFunc(m.PeerURLs, func(u string) bool {
		_, ok := sanitize.ShellWord(u)
		return !ok || u == "" || strings.ContainsAny(u, ",=")
	})
}

// endpoints are the client URLs of the backup's members, or the placeholder.
func (b *builder) endpoints() string {
	switch b.id {
	case Kops:
		return "https://127.0.0.1:4001"
	case K3s, RKE2, K0s: // where each listens there, and members of the backup may be gone
		return "https://127.0.0.1:2379"
	}
	var urls []string
	for _, m := range b.Backup.Facts.Members {
		for _, u := range m.ClientURLs {
			if !slices.Contains(urls, u) {
				urls = append(urls, u)
			}
		}
	}
	return wordOr(strings.Join(urls, ","), "ENDPOINTS")
}

// endpoint is one of them: a snapshot is saved from one member (etcdctl/v3 v3.6
// ctlv3/command/snapshot_command.go refuses several).
func (b *builder) endpoint() string {
	first, _, _ := strings.Cut(b.endpoints(), ",")
	return strings.Replace(first, "ENDPOINTS", "ENDPOINT", 1)
}

// etcdctl calls a running etcd.
func (b *builder) etcdctl(endpoints string, args ...string) Command {
	argv := slices.Concat([]string{"--endpoints=" + endpoints}, b.tls(), args)
	if len(b.profile.etcdctl) == 0 {
		path := tool("etcdctl")
		c := call(b.first().host, slices.Concat(b.etcd.env, []string{path}, argv)...).root().reads(path)
		c.Programs = []string{path}
		return c
	}
	c := call(b.etcdctlHost, slices.Concat(b.profile.etcdctl, argv)...)
	if c.Argv[0] == "sudo" {
		c.As, c.Programs = Root, c.Argv[1:2]
	}
	return c
}

// status asks etcd for its revision, as soon as all members answer.
func (b *builder) status() []Command {
	const then = "Look at the log of each etcd: a member that differs from the others does not join them."
	if b.id == Talos || b.id == VCluster {
		return []Command{wait(Workstation, "the API answers with its revision", 900, "kubectl get --raw '/api/v1/namespaces?limit=1' | grep -o '\"resourceVersion\":\"[0-9]*\"' | head -n 1 | grep .", "Look at the logs of etcd and of the API server.", "kubectl").
			says("Shows resourceVersion: etcd's revision.")}
	}
	c := b.etcdctl(b.endpoints(), "endpoint", "status", "--write-out=json").whole()
	hosts := []machine{{host: c.Host}}
	if b.id == K0s { // each member is reached from its own machine only
		hosts = b.restoreHosts()
	}
	var list []Command
	for _, m := range hosts {
		w := wait(m.host, "every etcd member answers", 300, c.Run, then, c.Programs...)
		w.Reads, w.As = c.Reads, c.As
		list = append(list, w.says("Shows header.revision of each member."))
	}
	return list
}

// saves says whether a running etcd can be asked for a snapshot.
func (b *builder) saves() bool { return b.id != Gardener && b.id != VCluster }

// save saves a snapshot of a running etcd on the workstation. One that is to be kept is
// not written over.
func (b *builder) save(name, comment string, keep bool) []Command {
	unless := func(line string) string {
		if keep {
			return "[ -e " + name + " ] || " + line
		}
		return line
	}
	switch b.id {
	case Talos:
		return []Command{script(Workstation, unless("talosctl --nodes=NODE_IP etcd snapshot "+name), "talosctl").writes(name).says("%s", comment)}
	case Kops:
		on := "/root/" + name
		return []Command{
			b.saveWhole("/rootfs"+on).says("%s", strings.TrimSpace(comment+" ETCD_MANAGER_MAIN_POD is one of kubectl get pods --namespace=kube-system; its /opt has a directory a version.")),
			script(Workstation, unless(fmt.Sprintf("{ ssh ETCD_NODE sudo cat %[1]s > %[2]s.part && ssh ETCD_NODE sudo sha256sum %[1]s | sed 's|/.*|%[2]s.part|' | sha256sum --check && mv %[2]s.part %[2]s; }", on, name)), "ssh").writes(name),
		}
	}
	on := b.first()
	var line string
	var programs []string
	if b.id == OpenShift {
		line = fmt.Sprintf("{ sudo /usr/local/bin/cluster-backup.sh \"$PWD/%[1]s.backup\" && sudo sh -c 'cp \"$(ls -t %[1]s.backup/snapshot_*.db | head -n 1)\" %[1]s'; }", name)
		programs = []string{"/usr/local/bin/cluster-backup.sh"}
	} else {
		c := b.saveWhole(name)
		line, programs = c.Run, c.Programs
	}
	sum := name + ".sha256"
	return []Command{ // without its sum, what an earlier restore has left there is not copied
		script(on.host, fmt.Sprintf("rm -f %[2]s; %[3]s && sudo chown \"$(id -u)\" %[1]s && sha256sum %[1]s > %[2]s", name, sum, line), programs...).writes(name, sum).says("%s", comment),
		script(Workstation, unless(fmt.Sprintf("scp -p %s %s .", quote(remote(on.address, name)), quote(remote(on.address, sum)))), "scp").writes(name, sum),
		script(Workstation, "[ ! -e "+sum+" ] || sha256sum --check "+sum).reads(name),
	}
}

// saveWhole has one member save a snapshot. Asked to do it without a limit, etcdctl waits
// forever for a member that is dead (etcdctl/v3 v3.6 ctlv3/command/snapshot_command.go), so
// the member is asked first whether it answers.
func (b *builder) saveWhole(to string) Command {
	look, save := b.etcdctl(b.endpoint(), "endpoint", "status").whole(), b.etcdctl(b.endpoint(), "snapshot", "save", to).whole()
	c := script(save.Host, look.Run+" && "+save.Run, save.Programs...)
	c.As, c.Reads = save.As, save.Reads
	return c
}

// tls are etcdctl's flags for certificates, none where no endpoint needs them.
func (b *builder) tls() []string {
	switch b.id {
	case Kops, K3s, RKE2, K0s:
		return b.certs
	}
	for _, m := range b.Backup.Facts.Members {
		for _, u := range m.ClientURLs {
			if strings.HasPrefix(u, "https://") {
				return b.certs
			}
		}
	}
	if b.endpoints() == "ENDPOINTS" {
		return b.certs
	}
	return nil
}
