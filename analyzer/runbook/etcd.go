package runbook

import (
	"slices"
	"strings"

	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// EtcdVersions are the versions of etcd whose restore is known.
func EtcdVersions() []string { return []string{"3.4", "3.5", "3.6", "3.7"} }

// etcdTool is the program that restores a snapshot with a bump.
type etcdTool struct {
	program string
	needs   string // the version that has the flags
}

// toolOf is the program for a version of etcd. The flags came to etcdctl and
// etcdutl with 3.5.10 (etcd CHANGELOG-3.5) and to etcdctl 3.4 with pull request
// 16193; etcdctl 3.6 has no restore.
func toolOf(version string) etcdTool {
	switch version {
	case "3.4":
		return etcdTool{"ETCDCTL_API=3 etcdctl", "etcdctl 3.4 has the flags from about 3.4.27 on (pull request 16193; the number is not verified)."}
	case "3.5":
		return etcdTool{"etcdutl", "etcdutl 3.5 has the flags from 3.5.10 on, and so has etcdctl 3.5, with the same syntax."}
	case "3.6", "3.7":
		return etcdTool{"etcdutl", "Every etcdutl " + version + " has the flags. etcdctl " + version + " cannot restore."}
	}
	return etcdTool{"etcdutl", "The backup does not tell its version of etcd. etcdutl has the flags from 3.5.10 on, etcdctl 3.4 from about 3.4.27 on; take the version that will run."}
}

// member is one member of the restored cluster: words for the command line.
type member struct {
	name, peers string
	where       string
}

// members are those that the backup names, learners left out, and the value of
// --initial-cluster; placeholders when the backup names none, or one that cannot
// be written there.
func (b *builder) members() (list []member, cluster string, known bool) {
	var all []string
	known = true
	word := func(s string) string {
		w, ok := sanitize.ShellWord(s)
		known = known && ok
		return w
	}
	for _, m := range b.Backup.Facts.Members {
		if m.Learner {
			continue
		}
		known = known && writable(m)
		for _, u := range m.PeerURLs {
			all = append(all, m.Name+"="+u)
		}
		list = append(list, member{word(m.Name), word(strings.Join(m.PeerURLs, ",")), "etcd member " + m.Name})
	}
	slices.Sort(all)
	if cluster = word(strings.Join(all, ",")); len(list) == 0 || !known {
		return []member{{"MEMBER_NAME", "PEER_URL", "every etcd node"}}, "INITIAL_CLUSTER", false
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
	var urls []string
	for _, m := range b.Backup.Facts.Members {
		urls = append(urls, m.ClientURLs...)
	}
	return wordOr(strings.Join(urls, ","), "ENDPOINTS")
}

// etcdctl is a command line for a running etcd.
func (b *builder) etcdctl(args string) string {
	flags := "--endpoints=" + b.endpoints()
	if tls := b.tls(); tls != "" {
		flags += " " + tls
	}
	return strings.Replace(b.etcd.program, "etcdutl", "etcdctl", 1) + " " + flags + " " + args
}

// status asks etcd for its revision.
func (b *builder) status() Command {
	if b.id == Talos {
		return b.save("restored.db", "Prints the revision.")
	}
	return Command{b.etcdctl("endpoint status --write-out=json"), "an etcd node", "Shows header.revision."}
}

// save saves a snapshot of a running etcd.
func (b *builder) save(name, comment string) Command {
	if b.id == Talos {
		return Command{"talosctl --nodes=NODE_IP etcd snapshot " + name, workstation, comment}
	}
	return Command{b.etcdctl("snapshot save " + name), "an etcd node", comment}
}

// tls are etcdctl's flags for certificates, none where no endpoint needs them.
func (b *builder) tls() string {
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
	return ""
}
