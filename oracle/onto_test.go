package oracle

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
)

// machineKeys are the prefixes of what is of the old machines alone.
var machineKeys = []string{"/registry/minions/", "/registry/pods/", "/registry/leases/kube-", "/registry/masterleases/", "/registry/peerserverleases/", "/registry/volumeattachments/", "/registry/csinodes/"}

// leased are keys that etcd deletes by itself while it runs.
func leased(s *snapshot.Snapshot, r snapshot.Record) bool {
	id, err := s.Lease(r)
	return err != nil || id != 0
}

// live are the keys of a file with their values, but for those of old machines and those
// that etcd deletes by itself.
func live(t *testing.T, path string) (keys map[string]string, machines int, revision int64) {
	t.Helper()
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Damaged() {
		t.Fatalf("%s: %v", path, s.Problems())
	}
	keys = map[string]string{}
next:
	for r := range s.Keys("") {
		for _, prefix := range machineKeys {
			if strings.HasPrefix(r.Key, prefix) {
				machines++
				continue next
			}
		}
		if leased(s, r) {
			continue
		}
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		keys[r.Key] = string(value)
	}
	return keys, machines, s.Revision()
}

// TestOntoCleans plays, with the real etcd, etcdctl and etcdutl, what the runbook for
// other machines does to the backup before anything starts, twice, and after a try that
// was killed; then the restore of what comes of it.
func TestOntoCleans(t *testing.T) {
	if taken, err := net.Dial("tcp", "127.0.0.1:12379"); err == nil {
		taken.Close()
		t.Skip("something listens on port 12379")
	}
	p := buildPrograms(t)
	bin := t.TempDir()
	for program, path := range map[string]string{"etcdutl": "go.etcd.io/etcd/etcdutl/v3", "etcdctl": "go.etcd.io/etcd/etcdctl/v3", "etcd": "go.etcd.io/etcd/server/v3"} {
		goBuild(t, []string{"-o", filepath.Join(bin, program), path})
	}
	for _, run := range []struct{ path, flags string }{
		{"clusters/rows/plain", "--platform=kubeadm"},
		{"clusters/ha/plain", "--platform=kubeadm --bump-revision=1000000 --mark-compacted"},
	} {
		matches, err := filepath.Glob(testdata + run.path + "*/backup.db.gz")
		if err != nil || len(matches) == 0 {
			t.Fatalf("%s: %v", run.path, err)
		}
		t.Run(run.path, func(t *testing.T) {
			dir := t.TempDir()
			backup := filepath.Join(dir, "backup.db")
			inflate(t, matches[0], backup)
			before, err := os.ReadFile(backup)
			if err != nil {
				t.Fatal(err)
			}
			r := p.plan(t, "3.7", dir, "backup.db --onto=new-machines --etcd-version=3.7 "+run.flags)
			t.Cleanup(func() { _ = exec.Command("sh", "-c", `kill "$(cat "$0"/scratch.pid)"`, dir).Run() })
			clean := func(until string) {
				t.Helper()
				for _, s := range r.Steps {
					if s.ID != "clean-backup" {
						continue
					}
					for _, c := range s.Commands {
						switch {
						case strings.Contains(c.Run, "https://github.com/") || strings.Contains(c.Run, "SHA256SUMS") || strings.HasPrefix(c.Run, "scp ") || c.Host != "workstation":
							continue
						case strings.HasPrefix(c.Run, "tar "):
							p.shell(t, "3.7", dir, "cp "+bin+"/* revenant-restore/")
							continue
						}
						p.shell(t, "3.7", dir, c.Run)
						if until != "" && strings.Contains(c.Run, until) {
							return
						}
					}
				}
			}
			clean("/registry/pods/") // and is killed
			clean("")
			clean("")
			if after, err := os.ReadFile(backup); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the backup was changed: %v", err)
			}
			want, machines, was := live(t, backup)
			got, left, revision := live(t, filepath.Join(dir, "revenant-restore", "cleaned.db"))
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 50 {
				t.Errorf("%d keys that are no machine's (-backup +cleaned):\n%.2000s", len(want), diff)
			}
			if machines < 10 || left > 0 {
				t.Errorf("the backup has %d keys of machines, and the cleaned one %d", machines, left)
			}
			if bumped := strings.Contains(run.flags, "bump"); revision <= was || bumped != (revision > was+1_000_000) {
				t.Errorf("revision %d, cleaned %d", was, revision)
			}
			text := string(p.shell(t, "3.7", dir, "revenant predict revenant-restore/cleaned.db --onto=new-machines"))
			if !strings.Contains(text, "The backup has no pods") || strings.Contains(text, "Node objects:") {
				t.Errorf("what is said of the cleaned backup:\n%s", text)
			}
			p.play(t, "3.7", dir, &book{Steps: ontoRestore(r, bin, dir)}, []string{"new-1"}, false, "restore")
			restored, left, at := live(t, filepath.Join(dir, "hosts", "new-1", "var/lib/etcd/member/snap/db"))
			if diff := cmp.Diff(want, restored); diff != "" || left > 0 || at != revision {
				t.Errorf("restored at %d, with %d keys of machines:\n%.2000s", at, left, diff)
			}
		})
	}
}

// ontoRestore is the runbook with the names of one new member in it, and its files there.
func ontoRestore(r *book, bin, dir string) (steps []struct {
	ID       string
	Commands []command
}) {
	for _, s := range r.Steps {
		if s.ID != "restore" {
			continue
		}
		s.Commands = append([]command{{Host: "etcd", Run: "cp -r " + dir + "/revenant-restore . && cp " + bin + "/etcdutl revenant-restore/"}}, s.Commands...)
		for i := range s.Commands {
			s.Commands[i].Run = strings.NewReplacer("MEMBER_NAME", "new-1", "INITIAL_CLUSTER", "new-1=http://127.0.0.1:1", "PEER_URL", "http://127.0.0.1:1").Replace(s.Commands[i].Run)
		}
		steps = append(steps, s)
	}
	return steps
}
