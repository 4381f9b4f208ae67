package oracle

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// touches are the system calls that could change evidence or take a lock on it.
var touches = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|^\d+ +(?:flock|unlink|unlinkat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|mkdir|mkdirat|rmdir|truncate|ftruncate|fallocate|chmod|fchmod|fchmodat|chown|fchown|lchown|fchownat|utime|utimes|utimensat|futimesat|setxattr|fsetxattr|lsetxattr|mknod|mknodat|creat|pwrite64|pwritev|write|writev)\(`)

// locks are fcntl's.
var locks = regexp.MustCompile(`F_SETLK|F_OFD_SETLK|PROT_WRITE[^)]*MAP_SHARED|MAP_SHARED[^)]*PROT_WRITE`)

// TestTraced runs every command on evidence under strace: nothing of the evidence
// is opened for writing, locked, changed or created, and nothing is created beside
// it.
func TestTraced(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace")
	}
	watch(t)
	revenant := filepath.Join(t.TempDir(), "revenant")
	goBuild(t, []string{"-C", "..", "-o", revenant, "./cmd/revenant"})
	evidence, out := filepath.Join(t.TempDir(), "evidence"), t.TempDir()
	if err := os.Mkdir(evidence, 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(evidence, name) }
	inflate(t, testdata+"clusters/scenario-5/datadir-lagging/backup.db.gz", at("backup.db"))
	unpackMember(t, testdata+"clusters/scenario-5/datadir-lagging/member.tar.gz", at("data"))
	for _, name := range []string{"member.tar.gz", "current.db.gz"} {
		copyFile(t, testdata+"clusters/scenario-5/datadir-lagging/"+name, at(name))
	}
	broken, err := os.ReadFile(at("backup.db"))
	if err != nil {
		t.Fatal(err)
	}
	clear(broken[200*4096 : 203*4096])
	if err := os.WriteFile(at("broken.db"), broken, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("nothing.json"), []byte(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	before := listing(t, evidence)
	runs := [][]string{
		{"inspect", at("backup.db"), at("data"), at("member.tar.gz"), at("current.db.gz"), at("broken.db"), "--hashkv", "--verify-after"},
		{"predict", at("backup.db"), at("data"), "-o", "json=" + filepath.Join(out, "p.json")},
		{"predict", at("backup.db"), at("current.db.gz"), "--compare"},
		{"plan", at("backup.db"), at("data")},
		{"verify", at("backup.db"), "--kubelet", "node-1=" + at("nothing.json")},
		{"verify", at("data"), "--kubelet", "node-1=" + at("nothing.json"), "--kubectl", at("nothing.json")},
		{"salvage", at("broken.db"), "-o", filepath.Join(out, "clean.db")},
		{"salvage", at("data"), "-o", filepath.Join(out, "newest.db"), "--case", "1"},
		{"salvage", at("data"), "-o", at("data/clean.db")},
		{"carve", at("broken.db")},
		{"carve", at("data"), "--objects", "-o", "json"},
		{at("backup.db"), at("data")},
		{"inspect", evidence},
	}
	for _, args := range runs {
		trace := filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command(strace, append([]string{"-f", "-y", "-s", "0", "-o", trace, revenant}, args...)...)
		output, err := cmd.CombinedOutput()
		if bytes.Contains(output, []byte("PTRACE")) || bytes.Contains(output, []byte("ptrace")) {
			t.Skipf("strace may not trace here: %s", output)
		}
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 3 {
			t.Fatalf("%v: %v\n%s", args, err, output)
		}
		calls := judgeTrace(t, trace, evidence)
		if calls == 0 {
			t.Errorf("%v: the trace has nothing of the evidence", args)
		}
	}
	if after := listing(t, evidence); after != before {
		t.Errorf("the evidence was\n%s\nand is\n%s", before, after)
	}
}

// TestTouches runs what does touch a file under strace: every way of it must be seen.
func TestTouches(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace")
	}
	dir := t.TempDir()
	for _, script := range []string{": >> X", "mkdir Y", "touch X", "mv X Z", "ln Z X", "chmod 600 X", "flock X true", "rm X"} {
		trace := filepath.Join(t.TempDir(), "trace")
		script := strings.NewReplacer("X", dir+"/x", "Y", dir+"/y", "Z", dir+"/z").Replace(script)
		if output, err := exec.Command(strace, "-f", "-y", "-s", "0", "-o", trace, "sh", "-c", script).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", script, err, output)
		}
		lines, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		for line := range strings.Lines(string(lines)) {
			seen = seen || strings.Contains(line, dir) && !strings.Contains(line, "execve(") && (touches.MatchString(line) || locks.MatchString(line))
		}
		if !seen {
			t.Errorf("%s is not seen in\n%s", script, lines)
		}
	}
}

// judgeTrace looks at every call that names the evidence.
func judgeTrace(t *testing.T, path, evidence string) (calls int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if !strings.Contains(line, evidence) || strings.Contains(line, "execve(") {
			continue
		}
		calls++
		if touches.MatchString(line) || locks.MatchString(line) {
			t.Errorf("evidence is touched: %s", line)
		}
	}
	return calls
}

// listing is name, size and time of modification of everything below a directory.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	writeFile(t, to, f)
}

// unpackMember unpacks the archive of a member's directory.
func unpackMember(t *testing.T, archive, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}
