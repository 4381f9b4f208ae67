package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"revenant/decoder/snapshot/snapshottest"
)

var manyObjects = flag.Int("objects", 80_000, "how many objects the pair has that verbs are held to their memory with")

// The image and the node of the last object.
const lastImage, lastNode = "lab/last:old", "node-last-old"

// What a verb may hold beside the index: 64 MiB of 200,000 objects.
const (
	forTheProgram = 30 << 20
	forAnObject   = (64<<20 - forTheProgram) / 200_000 // bytes
)

// manyVerbs are the verbs on a pair, on whatever asks most of them.
var manyVerbs = []string{
	"get backup.db current.db",
	"get backup.db current.db -o json",
	"get backup.db current.db pods --deleted",
	"describe backup.db current.db pods",
	"history backup.db current.db pod/web-000100 -n shop",
	"diff backup.db current.db",
	"timeline backup.db current.db",
	"extract backup.db current.db pods",
	"storage current.db",
	"search backup.db current.db few",
	"who backup.db current.db pod/web-000100 -n shop",
	"export current.db --out tables",
	"export current.db --out lines --format ndjson",
}

// forTables is what export may hold beside the index, whatever the size of the file.
const forTables = 256 << 20

// TestMemoryOfVerbs bounds the anonymous memory of every verb on a pair of many objects,
// by what limits it and by what is seen of it. -objects 200000 has as many as it is meant for.
func TestMemoryOfVerbs(t *testing.T) {
	dir := t.TempDir()
	index := manyObjectsPair(t, dir, *manyObjects)
	bound := forTheProgram + int64(*manyObjects)*forAnObject + index
	program := built(t)
	for _, line := range manyVerbs {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			bound := bound
			if strings.HasPrefix(line, "export ") {
				bound = forTables + index
			}
			cmd := exec.CommandContext(t.Context(), program, strings.Fields(line)...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", bound), "XDG_CONFIG_HOME=", "HOME="+t.TempDir())
			var errs strings.Builder
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			most := make(chan int64)
			go func() { most <- mostAnonymous(cmd.Process.Pid) }()
			cmd.Wait()
			peak := <-most
			if code := cmd.ProcessState.ExitCode(); code != exitOK && !(code == exitFindings && strings.HasPrefix(line, "diff ")) {
				t.Errorf("exit code %d: %s", code, &errs)
			}
			if peak > bound {
				t.Errorf("%d MiB, of %d", peak>>20, bound>>20)
			}
			t.Logf("%.1f MiB, of %.1f", float64(peak)/(1<<20), float64(bound)/(1<<20))
		})
	}
}

// mostAnonymous is the most anonymous memory that a process is seen to have until it ends,
// in bytes.
func mostAnonymous(pid int) (most int64) {
	for range time.Tick(time.Millisecond) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, ok := strings.Cut(string(status), "RssAnon:")
		if err != nil || !ok {
			break // it has ended
		}
		kibibytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			break
		}
		most = max(most, kibibytes<<10)
	}
	return most
}

// TestInterruptedFiles interrupts verbs while they write a file: none is left.
func TestInterruptedFiles(t *testing.T) {
	dir := t.TempDir()
	manyObjectsPair(t, dir, 10_000)
	program := built(t)
	for _, line := range []string{
		"get backup.db current.db -o json=left",
		"get backup.db current.db -o wide=left",
		"diff backup.db current.db -o json=left",
		"timeline backup.db current.db -o jsonl=left",
		"extract backup.db current.db pods -o yaml=left",
		"search backup.db current.db few -o jsonl=left",
	} {
		t.Run(line, func(t *testing.T) {
			for range 100 {
				code, said := interruptedAtFile(t, dir, program, strings.Fields(line))
				if code == exitOK || code == exitFindings { // it was done before
					if err := os.Remove(filepath.Join(dir, "left")); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if code != exitFailed || !strings.HasSuffix(said, "revenant: interrupted\n") {
					t.Errorf("exit code %d: %s", code, said)
				}
				entries, err := os.ReadDir(dir)
				if err != nil || len(entries) != 2 {
					t.Errorf("in the directory are %v, %v", entries, err)
				}
				return
			}
			t.Error("it was always done before it could be interrupted")
		})
	}
}

// interruptedAtFile runs the program, and interrupts it once it has begun a file in dir.
func interruptedAtFile(t *testing.T, dir, program string, args []string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_CONFIG_HOME=", "HOME="+t.TempDir())
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	for tick := time.Tick(time.Millisecond); ; {
		if parts, _ := filepath.Glob(filepath.Join(dir, ".revenant-*")); len(parts) > 0 {
			cmd.Process.Signal(syscall.SIGINT) // unless it has ended
			<-ended
		}
		select {
		case <-ended:
			return cmd.ProcessState.ExitCode(), errs.String()
		case <-tick:
		}
	}
}

// late is a writer that, at what is written first, changes what the last object says.
type late struct {
	bytes.Buffer
	change func()
}

func (l *late) Write(p []byte) (int, error) {
	if l.change != nil {
		l.change()
		l.change = nil
	}
	return l.Buffer.Write(p)
}

// TestStreams changes the last object in the file when a verb has written its first output:
// it is shown as it is then, since it is read later. history and who are about one object, and
// storage only sums.
func TestStreams(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	manyObjectsPair(t, dir, 4000)
	for _, line := range []string{
		"get current.db pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image",
		"get current.db pods -o wide",
		"get current.db pods -o json",
		"describe current.db pods",
		"diff backup.db current.db",
		"diff backup.db current.db -o json",
		"timeline current.db -o jsonl",
		"timeline current.db",
		"extract current.db pods",
		"search current.db lab/",
	} {
		t.Run(line, func(t *testing.T) {
			data, err := os.ReadFile("current.db")
			if err != nil {
				t.Fatal(err)
			}
			rewrite := func(to string) {
				if err := os.Chmod("current.db", 0o600); err != nil {
					t.Fatal(err)
				}
				f, err := os.OpenFile("current.db", os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, text := range []string{lastImage, lastNode} {
					at := bytes.Index(data, []byte(text))
					_, bad := f.WriteAt([]byte(strings.TrimSuffix(text, "old")+to), int64(at))
					err = errors.Join(err, bad)
				}
				if err := errors.Join(err, f.Close()); err != nil {
					t.Fatal(err)
				}
			}
			defer rewrite("old")
			out := &late{change: func() { rewrite("new") }}
			var errs bytes.Buffer
			run(t.Context(), strings.Fields(line), streams{in: strings.NewReader(""), out: out, err: &errs})
			told := strings.Contains(out.String(), "last:new") || strings.Contains(out.String(), "last-new")
			if !told || strings.Contains(out.String(), "last:old") || strings.Contains(out.String(), "last-old") {
				t.Errorf("%d bytes do not tell it: %s", out.Len(), &errs)
			}
		})
	}
}

// manyObjectsPair writes a pair that has so many objects in both files together: pods, of
// which one in a hundred is changed between the two, and one in a hundred deleted. The last
// one is another. It returns what an index of both takes, in bytes.
func manyObjectsPair(t *testing.T, dir string, objects int) (index int64) {
	t.Helper()
	changes := []snapshottest.Change{snapshottest.Put("/registry/namespaces/kube-system", `{"metadata":{"uid":"cluster"}}`)}
	pod := func(i int, image string) snapshottest.Change {
		name, set := fmt.Sprintf("web-%06d", i), fmt.Sprintf("web-%06d", i/10)
		return snapshottest.Put("/registry/pods/shop/"+name, storedPod(t, func(p *corev1.Pod) {
			p.Name, p.Namespace, p.UID = name, "shop", types.UID(name)
			p.Labels = map[string]string{"app": "web", "set": set}
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set, UID: types.UID("r" + set)}}
			p.Spec.NodeName = fmt.Sprintf("node-%d", i%100)
			if image == lastImage {
				p.Spec.NodeName = lastNode
			}
			p.Spec.Containers = []corev1.Container{{Name: "web", Image: image, Env: []corev1.EnvVar{{Name: "A", Value: "text of a few words"}, {Name: "B", Value: "and of some others"}}}}
			p.Status.Phase, p.Status.PodIP = corev1.PodRunning, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		}))
	}
	each := objects / 2
	for i := range each {
		changes = append(changes, pod(i, "lab/web:v1"))
	}
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), snapshottest.Bytes(t, changes...), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	write("backup.db")
	for i := 0; i < each; i += 100 {
		changes = append(changes, pod(i, "lab/web:v2"), snapshottest.Delete(changes[i+2].Key))
	}
	changes = append(changes, pod(each, "lab/web:v1"), pod(each, lastImage))
	write("current.db")
	for _, c := range changes {
		index += 2 * int64(48+len(c.Key))
	}
	return index
}
