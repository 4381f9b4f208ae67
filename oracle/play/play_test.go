package play

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const clusters = "../../testdata/clusters/"

var (
	all    = flag.Bool("all", false, "play every situation on every platform, and kill plays after every command")
	killed = flag.Int("kills", 0, "how often plays of a platform are killed; 0 is a few by default and 40 with -all")
	seed   = flag.Uint64("seed", 1, "what differs from play to play")
	trace  = flag.Bool("trace", false, "log every command and what happened")
)

var programs *Programs

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if programs != nil {
		os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// built are the programs, built once.
func built(t *testing.T) *Programs {
	t.Helper()
	if programs == nil {
		dir, err := os.MkdirTemp("", "play")
		if err != nil {
			t.Fatal(err)
		}
		programs = Build(t, dir, "")
	}
	return programs
}

// situation is one play.
type situation struct {
	platform string
	members  int
	names    []string // of the first members, where they are nodes, too
	run      string
	evidence Evidence
	words    []string
	every    bool
	more     bool // only when all are asked for
	kubelets bool // all of them are restarted
}

func (s *situation) String() string {
	how := filepath.Base(cmp.Or(s.evidence.Current, "alone"))
	if s.evidence.Dead {
		how += ", etcd dead"
	}
	if s.evidence.Keys != "" {
		how += ", prefix and encryption"
	}
	if s.every {
		how += ", every command again"
	}
	return fmt.Sprintf("%s, %d members, %s", s.platform, s.members, how)
}

// of the run that has every class of pods
var (
	living = []string{"node-1", "node-2", "node-3", "node-5"}
	joined = []string{"node-5"} // which are not in the backup
)

// start makes a world and the play in it.
func (s *situation) start(t *testing.T) *Play {
	t.Helper()
	var members []string
	for i := range s.members {
		members = append(members, fmt.Sprintf("cp-%d", i+1))
		if i < len(s.names) {
			members[i] = s.names[i]
		}
	}
	w := NewWorld(t, built(t), PlatformOf(s.platform), *seed, members, living)
	s.evidence.Run = clusters + cmp.Or(s.run, "rows/plain")
	w.Evidence(s.evidence)
	words := []string{s.evidence.Backup}
	if s.evidence.Current != "" {
		words = append(words, s.evidence.Current)
	}
	for i, word := range words {
		if strings.HasPrefix(word, "-") {
			words[i] = "./" + word
		}
	}
	restarted := joined
	if s.kubelets {
		restarted = living
	}
	p := &Play{W: w, Words: slices.Concat(words, []string{"--platform=" + cmp.Or(w.Platform.As, s.platform)}, s.words), Every: s.every, Dead: s.evidence.Dead, Restarted: restarted, Trace: *trace}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// ends plays to the end, and looks.
func (p *Play) ends(t *testing.T) {
	t.Helper()
	if err := p.Run(); err != nil {
		t.Error(err)
	}
	for _, f := range p.Check() {
		t.Error(f)
	}
	if *trace || t.Failed() {
		t.Logf("%d commands\n%s", p.Ran, strings.Join(p.W.Events, "\n"))
	}
}

// TestPlays plays runbooks from the first command to the last.
func TestPlays(t *testing.T) {
	hostile := Evidence{Backup: "it's a/my \"backup\" $(reboot).db", Current: "it's a/-the current.db"}
	plain := Evidence{Backup: "backup.db", Current: "current.db"}
	for _, s := range []situation{
		{platform: "kubeadm", members: 3, evidence: hostile},
		{platform: "kubeadm", members: 1, evidence: plain, every: true},
		{platform: "kubeadm", members: 1, evidence: Evidence{Backup: "-backup.db", Current: "data", Directory: true, Dead: true}, more: true},
		{platform: "kubeadm", members: 1, evidence: Evidence{Backup: "backup.db"}, more: true},
		{platform: "generic", members: 3, evidence: Evidence{Backup: "backup.db", Current: "data", Directory: true, WALDir: "/var/lib/etcd-log"}, words: []string{"--wal-dir=data.wal"}},
		{platform: "generic", members: 1, evidence: plain, every: true, more: true},
		{platform: "talos", members: 3, evidence: plain},
		{platform: "talos", members: 1, evidence: Evidence{Backup: "backup.db"}, every: true, more: true},
		{platform: "openshift", members: 3, evidence: Evidence{Backup: "the backups/snapshot_2026.db", Current: "current.db"}},
		{platform: "openshift", members: 1, evidence: Evidence{Backup: "backups/snapshot_2026.db"}, every: true, more: true},
		{platform: "kubeadm", members: 1, evidence: Evidence{Backup: "backup.db", Current: "current.db", Prefix: "/another/registry", Keys: "the keys.yaml"}, words: []string{"--etcd-prefix=/another/registry", "--encryption-config=the keys.yaml"}, more: true},
		{platform: "openshift-fenced", members: 2, evidence: plain, more: true},
		{platform: "gardener", members: 1, evidence: plain, kubelets: true, more: true},
		{platform: "gardener", members: 3, names: gardenerMembers, evidence: plain, kubelets: true, more: true},
		{platform: "vcluster", members: 1, evidence: plain, more: true},
		{platform: "kops", members: 3, evidence: plain, kubelets: true, more: true},
		{platform: "kops", members: 1, evidence: hostile, kubelets: true, every: true},
	} {
		if s.more && !*all {
			continue
		}
		t.Run(s.String(), func(t *testing.T) { s.start(t).ends(t) })
	}
}
