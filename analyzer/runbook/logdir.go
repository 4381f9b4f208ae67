package runbook

import (
	"fmt"
	"slices"
	"strings"
)

// apart is what a restore does more where members keep their log in a directory of its
// own (etcd's --wal-dir). Nothing of it is where they do not.
type apart struct {
	made  []string // directories that the restore makes
	flags []string // etcdutl's
	aside func(Host) []Command
	into  func(Host) []Command
	check string
}

// walDir is the directory of the log on members, "" where nothing tells of one: the path
// at which the log was given is that of a copy.
func (b *builder) walDir() string {
	if slices.ContainsFunc(b.NewestFlags, func(f string) bool { return strings.HasPrefix(f, "--wal-dir") }) {
		return "WAL_DIR"
	}
	return ""
}

// logApart is that for members whose data is at a path. The directory of the log itself stays: it may be a mount. While the former data is in
// its place, the files there are the former log; the new log comes before the new data.
func (b *builder) logApart(member string) apart {
	none := func(Host) []Command { return nil }
	dir := b.walDir()
	if dir == "" {
		return apart{aside: none, into: none, check: "The manifest or unit of etcd has no --wal-dir. If it has that flag, write this runbook again, with a data directory as CURRENT and its log as --wal-dir."}
	}
	made, former := fmt.Sprintf("%s/restored-%d", dir, b.bump.Restored), dir+"/"+b.before()
	return apart{
		made:  []string{made},
		flags: []string{"--wal-dir=" + made},
		aside: func(h Host) []Command {
			return []Command{script(h, fmt.Sprintf("sudo test -e %[1]s.%[2]s ||\n    { sudo mkdir -p %[3]s && sudo find %[4]s -maxdepth 1 -name '*.wal' -exec mv --no-clobber --target-directory=%[3]s {} +; }", member, b.before(), former, dir)).
				says("WAL_DIR is --wal-dir of etcd there. The former log is evidence: it is kept.")}
		},
		into: func(h Host) []Command {
			return []Command{
				script(h, fmt.Sprintf("sudo chown -R --reference=%s %s", dir, made)).reads(made),
				script(h, fmt.Sprintf("sudo test -e %s || sudo find %s -name '*.wal' -exec mv --force --target-directory=%s {} +", member, made, dir)).reads(made),
			}
		},
		check: "etcd is started with --wal-dir on every member. One that is not finds no log beside its data and begins with none.",
	}
}
