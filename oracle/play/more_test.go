package play

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKills kills plays after a command of a step, or in the middle of one, and begins that
// step again: all ends the same.
func TestKills(t *testing.T) {
	kills := *killed
	if *all && kills == 0 {
		kills = 40
	}
	for i, platform := range []string{"kubeadm", "generic", "talos", "openshift", "k3s"} {
		rng := rand.New(rand.NewPCG(*seed, uint64(i)))
		backup := "backup.db"
		if platform == "openshift" {
			backup = "backups/snapshot_1.db"
		}
		for n := range max(kills, 1) {
			if kills == 0 && (i%2 != int(*seed)%2 || platform == "k3s") {
				continue
			}
			s := situation{platform: platform, members: 1 + 2*(n%2), evidence: Evidence{Backup: backup, Current: "current.db"}}
			t.Run(fmt.Sprint(s.String(), n), func(t *testing.T) {
				p := s.start(t)
				var steps []Step
				for _, step := range p.Book.Steps {
					if len(step.Commands) > 0 {
						steps = append(steps, step)
					}
				}
				step := steps[rng.IntN(len(steps))]
				p.Kill = &Kill{Step: step.ID, After: rng.IntN(len(step.Commands) * s.members), AtCall: 1 + rng.IntN(4)}
				t.Logf("killed in %s after %d commands, at call %d of the next", p.Kill.Step, p.Kill.After, p.Kill.AtCall)
				p.ends(t)
			})
		}
	}
}

// TestAgain restores the same backup a second time: its bump has to pass what was served
// after the first.
func TestAgain(t *testing.T) {
	s := situation{platform: "kubeadm", members: 1, evidence: Evidence{Backup: "backup.db", Current: "current.db"}}
	p := s.start(t)
	p.ends(t)
	if t.Failed() {
		return
	}
	first := p.Book.Bump.Restored
	w := p.W
	ws := w.host(Workstation)
	second := filepath.Join(ws.Root, "second")
	w.must(os.MkdirAll(second, 0o700))
	after := fmt.Sprintf("after-%d.db", first) // saved at the end of the first
	for _, name := range []string{"backup.db", after} {
		w.must(os.Rename(filepath.Join(ws.Home, name), filepath.Join(second, name)))
	}
	ws.Home = second
	w.forget()
	q := &Play{W: w, Words: []string{"backup.db", after, "--platform=kubeadm"}, Restarted: joined, Trace: *trace}
	if err := q.Start(); err != nil {
		t.Fatal(err)
	}
	q.ends(t)
	if got := q.Book.Bump.Restored; got <= first+int64(len(w.nodes())) {
		t.Errorf("the second restore starts at %d, the first at %d", got, first)
	}
}

// forget has a world be as before a play.
func (w *World) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Wrong, w.served = nil, w.revision()
	clear(w.bad)
	clear(w.twice)
	for _, h := range w.hosts {
		h.formerSum = ""
		if h.Node != nil {
			h.Node.Heard, h.Node.Restarts = false, 0
		}
	}
}

var calls = regexp.MustCompile(`(?:revenant-restore|static-pod-resources/bin|/opt/etcd-v[A-Z]+)/(etcdctl|etcdutl) ((?:[^|&;<>]|\\\n)*)`)

// TestFlags holds every call of etcdctl and etcdutl in every plan against the help of the
// real program of that version: the subcommand is there, and so is each flag.
func TestFlags(t *testing.T) {
	built(t)
	tools := map[string]map[string]string{}
	for version, modfile := range map[string]string{"3.5": "../etcd35/go.mod", "3.6": "../etcd36/go.mod", "3.7": ""} {
		tools[version] = map[string]string{
			"etcdctl": tool(t, modfile, "go.etcd.io/etcd/etcdctl/v3"), "etcdutl": tool(t, modfile, "go.etcd.io/etcd/etcdutl/v3"),
		}
	}
	tools["3.4"] = map[string]string{"etcdctl": tool(t, "../etcd34/go.mod", "go.etcd.io/etcd/etcdctl")}
	s := situation{platform: "kubeadm", members: 1, evidence: Evidence{Backup: "backup.db", Current: "data", Directory: true, WALDir: "/var/lib/etcd-log"}}
	s.words = []string{"--wal-dir=data.wal"}
	w := s.start(t).W
	seen, counted := map[string]bool{}, map[string]int{}
	for version, programs := range tools {
		for platform := range platforms {
			words := []string{"plan", "-o", "json", "--platform=" + platform, "--etcd-version=" + version, "backup.db", "data", "--wal-dir=data.wal"}
			cmd := exec.CommandContext(t.Context(), w.programs.Revenant, words...)
			cmd.Dir = w.host(Workstation).Home
			out, _ := cmd.Output()
			var b Book
			if err := json.Unmarshal(out, &b); err != nil {
				t.Fatalf("%q: %v", words, err)
			}
			for _, step := range b.Steps {
				for _, c := range step.Commands {
					for _, m := range calls.FindAllStringSubmatch(c.Run, -1) {
						program, args := programs[m[1]], strings.Fields(strings.ReplaceAll(m[2], "\\\n", " "))
						if version == "3.4" { // the newest 3.4 that is a module is older than these, and a command before looks for them
							args = slices.DeleteFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--bump-revision") || arg == "--mark-compacted" })
						}
						key := program + strings.Join(args, " ")
						if seen[key] || len(args) == 0 {
							continue
						}
						seen[key] = true
						// Flags are read in order: one that is not known is told before the help is.
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
						text, err := exec.CommandContext(ctx, program, append(args, "--help")...).CombinedOutput()
						cancel()
						if err != nil || bytes.Contains(text, []byte("nknown flag")) || bytes.Contains(text, []byte("nknown command")) || !bytes.Contains(text, []byte("elp")) {
							t.Errorf("%s %s, step %s: %s %q: %v\n%.600s", platform, version, step.ID, m[1], args, err, text)
						}
						counted[version+m[1]]++
					}
				}
			}
		}
	}
	if len(counted) != 2*len(tools)-1 { // 3.4 has no etcdutl
		t.Errorf("only these were looked at: %v", counted)
	}
}
