package runbook

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"revenant/decoder/snapshot"
)

const (
	// carried is the directory whose files go to other machines. It has the same name
	// there, in the home directory of who logs in: nobody else can write into that.
	carried = "revenant-restore"
	sums    = carried + "/SHA256SUMS"
	// plainBackup is the backup as restores take it.
	plainBackup = carried + "/backup.db"
)

// tool is the path of a program that the steps bring along.
func tool(program string) string { return carried + "/" + program }

// restored is the path of the file that is restored, on each machine.
func (b *builder) restored() string {
	switch {
	case b.Onto != "" && b.byFile():
		return cleaned
	case b.twoNodes():
		return carried + "/snapshot_revenant.db"
	case b.bumpsFile():
		return carried + "/bumped.db"
	case b.zipped():
		return carried + "/backup.zip"
	}
	return plainBackup
}

// needsEtcd says whether the steps call programs of etcd that are not there by
// themselves.
func (b *builder) needsEtcd() bool { return b.bumps == BumpsDataDirectory || b.bumps == BumpsSnapshot }

// byHand says whether etcdutl makes what is restored.
func (b *builder) byHand() bool { return b.bumps == BumpsDataDirectory || b.bumpsFile() }

// bumpsFile says whether the bump is put into the file that the platform restores.
func (b *builder) bumpsFile() bool { return b.bumps == BumpsSnapshot && b.plan.BumpRevision > 0 }

// zipped says whether the platform takes the backup as it is, as k3s and RKE2 save them.
func (b *builder) zipped() bool {
	packed := b.Backup.Facts.Packed
	return b.Onto == "" && b.bumps == BumpsSnapshot && b.plan.BumpRevision == 0 && b.id != Talos && b.id != OpenShift && (packed == "zip" || strings.HasPrefix(packed, "zip,"))
}

// bring makes the directory that the steps carry to other machines.
func (b *builder) bring() Step {
	s := Step{
		ID: "bring-files", Title: "Bring programs and the backup to where they are needed",
		Why: "The commands need these programs and files on each machine, and checksums show that they are whole. Run commands on your workstation in the directory in which you ran revenant, and on other machines in your home directory there.",
	}
	if b.bumps == BumpsItself && b.id != OpenShift || b.bumps == BumpsNothing {
		return Step{} // the platform restores what is in its own store
	}
	s.Commands = append(s.Commands, call(Workstation, "mkdir", "-p", "-m", "700", carried).writes(carried))
	if b.needsEtcd() {
		b.fetchEtcd(&s)
	}
	b.copyBackup(&s)
	if !b.bumpsFile() && b.id != Talos {
		b.carry(&s, b.restoreHosts())
	}
	if b.bumpsFile() {
		b.makeBumped(&s)
	}
	return s
}

// fetchEtcd fetches etcd's programs of the version that restores.
func (b *builder) fetchEtcd(s *Step) {
	version := "v" + b.etcd.version + ".PATCH"
	if b.etcd.version == "" {
		version = "vETCD_VERSION"
	}
	release := "https://github.com/etcd-io/etcd/releases/download/" + version + "/"
	name := "etcd-" + version + "-linux-ARCH"
	unpack := []string{"tar", "--extract", "--gzip", "--file=" + name + ".tar.gz", "--directory=" + carried, "--strip-components=1"}
	var files []string
	for _, program := range b.etcd.files {
		unpack = append(unpack, name+"/"+program)
		files = append(files, tool(program))
	}
	s.Commands = append(s.Commands,
		call(Workstation, "curl", "--fail", "--location", "--remote-name-all", release+name+".tar.gz", release+"SHA256SUMS").writes(name+".tar.gz", "SHA256SUMS").
			says("The programs of the etcd version that will run. ARCH is amd64 or arm64, as this machine and the others need it."),
		script(Workstation, "grep ' "+name+".tar.gz$' SHA256SUMS | sha256sum --check").reads(name+".tar.gz", "SHA256SUMS"),
		call(Workstation, unpack...).reads(name+".tar.gz").writes(files...),
	)
	if b.byHand() && b.plan.BumpRevision > 0 {
		s.Commands = append(s.Commands, script(Workstation, strings.Join(b.etcdutl("snapshot", "restore", "--help"), " ")+" 2>&1 | grep -e --bump-revision", tool(b.etcd.program)).reads(tool(b.etcd.program)).
			says("If it prints nothing, the program is too old. %s", b.etcd.needs))
	}
}

// copyBackup puts the backup, as restores take it, into the directory that is carried.
func (b *builder) copyBackup(s *Step) {
	to := plainBackup
	if b.twoNodes() && !b.bumpsFile() {
		to = b.restored()
	}
	switch {
	case b.id == OpenShift && !b.twoNodes():
		s.Commands = append(s.Commands,
			script(Workstation, fmt.Sprintf("install -m 600 %s/snapshot_*.db %s/static_kuberesources_*.tar.gz %s/", quote(b.backupDir()), quote(b.backupDir()), carried)).
				says("From the directory that cluster-backup.sh made. cluster-restore.sh wants exactly one file of each name."))
		if b.Backup.Facts.Packed == "" {
			s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf("cmp %s %s/snapshot_*.db", quote(b.backup()), carried)).
				reads(b.backup()).says("Prints nothing if this is the backup that the runbook is for."))
		}
	case b.zipped():
		s.Commands = append(s.Commands, call(Workstation, "install", "-m", "600", b.backup(), b.restored()).reads(b.backup()).writes(b.restored()))
	case b.Backup.Facts.Packed != "":
		s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf("[ -e %s ] || %s", to, b.line("salvage", slices.Concat([]string{b.backup(), "-o", to}, b.alone())...)), "revenant").
			reads(b.backup()).writes(to).
			says("The backup is packed (%s), and a restore takes plain snapshots only. This makes one.", b.Backup.Facts.Packed))
	default:
		s.Commands = append(s.Commands, call(Workstation, "install", "-m", "600", b.backup(), to).reads(b.backup()).writes(to))
	}
}

// backupDir is the directory of OpenShift that the backup is in.
func (b *builder) backupDir() string {
	if b.Backup.Facts.Packed == "" && strings.HasPrefix(filepath.Base(b.Backup.Path), "snapshot_") {
		return file(filepath.Dir(b.Backup.Path), "BACKUP_DIR")
	}
	return "BACKUP_DIR"
}

// makeBumped makes a snapshot that has the bump in it: the db of a restored
// member with its SHA-256 after it, which is what restores check (etcdutl/v3 v3.7
// snapshot/v3_snapshot.go copyAndVerifyDB).
func (b *builder) makeBumped(s *Step) {
	from, to := plainBackup, b.restored()
	argv := append(b.etcdutl("snapshot", "restore", from, "--data-dir=bumped.etcd"), b.flags()...)
	s.Commands = append(s.Commands,
		call(Workstation, "rm", "-rf", "bumped.etcd").says("Removes what an earlier attempt has left."),
		call(Workstation, argv...).flagALine().reads(from, tool(b.etcd.program)).writes("bumped.etcd").says("Makes a data directory of one member. Only its db is needed."),
		script(Workstation, "cp bumped.etcd/member/snap/db "+to+" && openssl dgst -sha256 -binary bumped.etcd/member/snap/db >> "+to, "openssl").reads("bumped.etcd").writes(to).
			says("Makes a snapshot of it, with the SHA-256 that a restore checks."),
		call(Workstation, b.etcdutl("snapshot", "status", to, "--write-out=json")...).reads(to, tool(b.etcd.program)),
	)
	s.Checks = append(s.Checks, fmt.Sprintf("The revision is %d. Stop and wipe nothing before it is.", b.bump.Restored))
	if b.id != Talos {
		b.carry(s, b.restoreHosts())
	}
}

// machine is one that files are carried to: how scp names it, and the host.
type machine struct {
	address string
	host    Host
}

// restoreHosts are the machines on which the restore runs.
func (b *builder) restoreHosts() []machine {
	switch b.id {
	case OpenShift:
		return []machine{{"core@RECOVERY_HOST", FirstControlPlane}}
	case K3s, RKE2:
		return []machine{{"FIRST_SERVER", FirstServer}}
	}
	members, _, known := b.members()
	if !known {
		return []machine{{"ETCD_NODE", EtcdNodes}}
	}
	var list []machine
	for _, m := range members {
		list = append(list, machine{m.address, m.host})
	}
	return list
}

// carry copies the directory to machines, and compares the sums there.
func (b *builder) carry(s *Step, to []machine) {
	s.Commands = append(s.Commands, script(Workstation, "(cd "+carried+" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS)").writes(sums))
	for _, m := range to {
		copied := call(Workstation, "scp", "-r", "-p", carried, remote(m.address, "")).reads(carried, sums)
		if m.host == EtcdNodes {
			copied = copied.says("Once for each etcd node.")
		}
		s.Commands = append(s.Commands, copied)
	}
	for _, m := range to {
		s.Commands = append(s.Commands, script(m.host, "(cd "+carried+" && sha256sum --check --quiet SHA256SUMS && echo whole)").reads(sums).says("Prints: whole"))
	}
}

// remote is a file on a machine, as scp names it.
func remote(address, path string) string {
	user, host, ok := strings.Cut(address, "@")
	if !ok {
		user, host = "", address
	} else {
		user += "@"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return user + host + ":" + path
}

// hostName is what ssh can be given as a machine.
var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:%-]{0,252}$`)

// addressOf is the machine of a member as far as its URLs and its name show: others
// reach it at the host of its peer URL.
func addressOf(m snapshot.Member) string {
	for _, u := range m.PeerURLs {
		_, host, _ := strings.Cut(u, "://")
		host, _, _ = strings.Cut(host, "/")
		if at := strings.LastIndex(host, ":"); at >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:at] // without the port
		}
		host = strings.Trim(host, "[]")
		if strings.HasPrefix(host, "127.") || slices.Contains([]string{"localhost", "::1", "0.0.0.0", "::"}, host) {
			continue
		}
		if hostName.MatchString(host) {
			return host
		}
	}
	if hostName.MatchString(m.Name) && !strings.Contains(m.Name, ":") {
		return m.Name
	}
	return "ETCD_NODE"
}

// first is the machine on which etcdctl is called.
func (b *builder) first() machine {
	m := b.restoreHosts()[0]
	if m.host == EtcdNodes {
		m.host = FirstEtcd
	}
	return m
}
