package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// tooManyPods writes a pair of snapshots that have their pods in common: 70 MB in
// files, and more in memory than a process has whose address space is 1 GiB.
func tooManyPods(t *testing.T, dir string) {
	t.Helper()
	changes := []snapshottest.Change{snapshottest.Put("/registry/namespaces/kube-system", "x")}
	for i := range 60_000 {
		name := fmt.Sprintf("p%06d", i)
		changes = append(changes, snapshottest.Put("/registry/pods/ns/"+name, storedPod(t, func(p *corev1.Pod) {
			p.Name, p.UID, p.Spec.Containers = name, types.UID(name), make([]corev1.Container, 30)
		})))
	}
	for _, file := range []string{"backup.db", "current.db"} {
		db := snapshottest.Bytes(t, changes...)
		var zipped bytes.Buffer
		z, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
		z.Write(db)
		z.Close()
		for name, data := range map[string][]byte{file: db, file + ".gz": zipped.Bytes()} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o400); err != nil {
				t.Fatal(err)
			}
		}
		changes = append(changes, snapshottest.Put("/registry/configmaps/ns/later", "x"))
	}
}

// built is the program, linked without cgo: with it, little is left of 1 GiB once it has
// begun.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "revenant")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// under runs the program under a limit that the shell sets, and returns what it said
// on standard error.
func under(t *testing.T, dir, limit, program string, args ...string) (code int, said string) {
	t.Helper()
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{"-c", limit + ` && exec "$0" "$@"`, program}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+temp, "HOME="+temp, "XDG_CONFIG_HOME=")
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

// TestNotEnoughMemory has commands run out of memory: they say so in a line and leave
// nothing behind, and what needs less goes on working under the same limit.
func TestNotEnoughMemory(t *testing.T) {
	dir := t.TempDir()
	tooManyPods(t, dir)
	for _, name := range []string{"backup", "current"} {
		if err := os.WriteFile(filepath.Join(dir, "small-"+name+".db"), corpus.Unpack(t, cluster("scenario-1/plain/"+name)), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	program := built(t)
	const addressSpace, soft = "ulimit -v 1048576", "export GOMEMLIMIT=80MiB"
	for _, test := range []struct{ limit, by, args string }{
		{addressSpace, "ulimit -v", "predict backup.db current.db -o json=out.json"},
		{addressSpace, "ulimit -v", "predict backup.db.gz current.db.gz"},
		{addressSpace, "ulimit -v", "backup.db current.db"},
		{"ulimit -d 250000", "ulimit -d", "predict backup.db current.db"},
		{soft, "GOMEMLIMIT", "predict backup.db current.db -o yaml"},
	} {
		t.Run(test.limit+" "+test.args, func(t *testing.T) {
			code, said := under(t, dir, test.limit, program, strings.Fields(test.args)...)
			first, hint, _ := strings.Cut(strings.TrimSuffix(said, "\n"), "\n")
			held := strings.HasPrefix(first, "revenant: not enough memory: "+test.by+" leaves ") && strings.Contains(first, ", and it holds ")
			if code != exitFailed || !held && !(test.limit == addressSpace && strings.HasPrefix(first, "revenant: not enough memory: open ")) {
				t.Errorf("exit code %d, %q", code, first)
			}
			if !strings.HasPrefix(hint, "hint: ") || strings.Contains(hint, "\n") {
				t.Errorf("after it: %q", hint)
			}
		})
	}
	for _, test := range []struct{ limit, args string }{
		{addressSpace, "inspect current.db --skip-hash-check"},
		{addressSpace, "predict --all -o json small-backup.db small-current.db"},
		{soft, "inspect current.db --skip-hash-check"},
		{soft, "predict --all -o json small-backup.db small-current.db"},
	} {
		t.Run(test.limit+" "+test.args, func(t *testing.T) {
			if code, said := under(t, dir, test.limit, program, strings.Fields(test.args)...); code != exitOK {
				t.Errorf("exit code %d, %q", code, said)
			}
		})
	}
	if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
		t.Errorf("in the directory are %v, %v", after, err)
	}
}

// TestNoRoomToMap has a file that does not fit the address space.
func TestNoRoomToMap(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "large.db"), snapshottest.Bytes(t, snapshottest.Put("/registry/a", "b")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "large.db"), 4<<30); err != nil {
		t.Fatal(err)
	}
	code, said := under(t, dir, "ulimit -v 1048576", built(t), "inspect", "large.db")
	if code != exitFailed || !strings.HasPrefix(said, "revenant: not enough memory: open large.db: map large.db: cannot allocate memory\nhint: ") || strings.Count(said, "\n") != 2 {
		t.Errorf("exit code %d, %q", code, said)
	}
}
