//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/internal/corpus"
)

// handed is evidence as it is handed over, and where no output may go for it.
type handed struct {
	name  string
	args  []string // in the place of a FILE; none is other.db
	flags []string
	stdin string   // file that is standard input
	only  string   // command that has the flags; "" for all
	files []string // that no output may replace
	dirs  []string // in which none may appear
}

var handedOver = []handed{
	{name: "a snapshot", args: []string{"backup.db"}, files: []string{"backup.db"}},
	{name: "a compressed one", args: []string{"backup.db.gz"}, files: []string{"backup.db.gz"}},
	{name: "a link", args: []string{"link.db"}, files: []string{"backup.db", "link.db"}},
	{name: "standard input", args: []string{"-"}, stdin: "backup.db", files: []string{"backup.db"}},
	{name: "a data directory", args: []string{"data"},
		files: []string{"data/member/snap/db", "data/member/wal/0.wal", "data/other"},
		dirs:  []string{"data", "data/member", "data/member/snap", "data/member/wal"}},
	{name: "a member's directory", args: []string{"data/member/."},
		files: []string{"data/member/snap/db", "data/member/wal/0.wal"}, dirs: []string{"data/member", "data/member/wal"}},
	{name: "a directory of a db", args: []string{"data/member/snap"},
		files: []string{"data/member/snap/db", "data/member/wal/0.wal"}, dirs: []string{"data/member", "data/member/snap", "data/member/wal"}},
	{name: "a data directory of links", args: []string{"linked"},
		files: []string{"away/snap/db", "disk/log/0.wal", "single/segment"},
		dirs:  []string{"linked", "linked/member", "away/snap", "disk/log"}},
	{name: "a db with a log beside it", args: []string{"data/member/snap/db"},
		files: []string{"data/member/snap/db", "data/member/wal/0.wal"}, dirs: []string{"data/member", "data/member/snap", "data/member/wal"}},
	{name: "such a db by a link", args: []string{"member.db"},
		files: []string{"data/member/snap/db", "data/member/wal/0.wal"}, dirs: []string{"data/member/wal"}},
	{name: "such a db as standard input", args: []string{"-"}, stdin: "data/member/snap/db",
		files: []string{"data/member/snap/db"}, dirs: []string{"data/member/wal"}},
	{name: "a store of deltas", args: []string{"store"}, files: []string{"store/Full-0-454-1", "store/Incr-455-460-2"}, dirs: []string{"store"}},
	{name: "a delta", args: []string{"store/Incr-455-460-2"}, files: []string{"store/Full-0-454-1", "store/Incr-455-460-2"}},
	{name: "a full snapshot", args: []string{"store/Full-0-454-1"}, files: []string{"store/Full-0-454-1", "store/Incr-455-460-2"}},
	{name: "a directory of backups", args: []string{"openshift"},
		files: []string{"openshift/snapshot_1.db", "openshift/static_kuberesources_1.tar.gz"}, dirs: []string{"openshift"}},
	{name: "a log elsewhere", flags: []string{"--wal-dir", "logs"}, files: []string{"logs/0.wal"}, dirs: []string{"logs"}},
	{name: "keys", flags: []string{"--encryption-config", "keys.yaml"}, files: []string{"keys.yaml"}},
	{name: "keys that are not there", flags: []string{"--encryption-config", "absent.yaml"}, files: []string{"absent.yaml"}},
	{name: "the person's files", files: []string{"config/revenant/theme.yaml", "config/revenant/keys.yaml"}},
	{name: "metrics", flags: []string{"--metrics", "metrics.prom"}, only: "predict", files: []string{"metrics.prom"}},
	{name: "metrics", flags: []string{"--metrics", "metrics.prom"}, only: "plan", files: []string{"metrics.prom"}},
	{name: "metrics", flags: []string{"--metrics", "metrics.prom"}, only: "preflight", files: []string{"metrics.prom"}},
	{name: "a policy", flags: []string{"--policy", "policy.yaml"}, only: "preflight", files: []string{"policy.yaml"}},
	{name: "a policy that is not there", flags: []string{"--policy", "nowhere.yaml"}, only: "preflight", files: []string{"nowhere.yaml"}},
	{name: "dumps", flags: []string{"--dumps", "dumps"}, only: "verify", files: []string{"dumps/node-1.pods.json"}, dirs: []string{"dumps"}},
	{name: "a dump", flags: []string{"--kubelet", "node-1=dump.json"}, only: "verify", files: []string{"dump.json"}},
	{name: "a dump from standard input", flags: []string{"--kubelet", "node-1=-"}, stdin: "dump.json", only: "verify", files: []string{"dump.json"}},
	{name: "the API's list", flags: []string{"--kubectl", "pods.json"}, only: "verify", files: []string{"pods.json"}},
	{name: "an audit log", flags: []string{"--audit-log", "audit/audit.log"}, only: "who", files: []string{"audit/audit.log"}},
	{name: "audit logs", flags: []string{"--audit-log", "audit"}, only: "who", files: []string{"audit/audit.log"}, dirs: []string{"audit"}},
	{name: "a prediction", flags: []string{"--prediction", "prediction.json"}, only: "verify", files: []string{"prediction.json"}},
}

type writer struct {
	name string
	args func(file, out string) []string
}

// writers are the commands that write files: what they are given to write to out.
var writers = []writer{
	{"inspect", func(file, out string) []string { return []string{"inspect", file, "-o", "json=" + out} }},
	{"inspect", func(file, out string) []string { return []string{"inspect", "other.db", file, "-o", "table=" + out} }},
	{"predict", func(file, out string) []string { return []string{"predict", file, "other.db", "-o", "yaml=" + out} }},
	{"predict", func(file, out string) []string { return []string{"predict", "other.db", file, "-o", "json=" + out} }},
	{"plan", func(file, out string) []string { return []string{"plan", file, "-o", "markdown=" + out} }},
	{"plan", func(file, out string) []string { return []string{"plan", "other.db", file, "-o", "json=" + out} }},
	{"preflight", func(file, out string) []string { return []string{"preflight", file, "-o", "prometheus=" + out} }},
	{"preflight", func(file, out string) []string { return []string{"preflight", "other.db", file, "-o", "json=" + out} }},
	{"report", func(file, out string) []string { return []string{"report", file, "other.db", "-o", "html=" + out} }},
	{"report", func(file, out string) []string { return []string{"report", "other.db", file, "-o", "json=" + out} }},
	{"verify", func(file, out string) []string { return []string{"verify", file, "-o", "json=" + out} }},
	{"carve", func(file, out string) []string { return []string{"carve", file, "-o", "json=" + out} }},
	{"get", func(file, out string) []string { return []string{"get", file, "-o", "wide=" + out} }},
	{"extract", func(file, out string) []string { return []string{"extract", file, "-o", "yaml=" + out} }},
	{"extract", func(file, out string) []string { return []string{"extract", file, "--dir", out} }},
	{"history", func(file, out string) []string {
		return []string{"history", "-f", file, "/registry/namespaces/kube-system", "-o", "json=" + out}
	}},
	{"search", func(file, out string) []string {
		return []string{"search", "-f", file, "kube-system", "-o", "jsonl=" + out}
	}},
	{"diff", func(file, out string) []string { return []string{"diff", file, "--from", "400", "-o", "table=" + out} }},
	{"diff", func(file, out string) []string { return []string{"diff", "other.db", file, "-o", "json=" + out} }},
	{"timeline", func(file, out string) []string { return []string{"timeline", file, "-o", "csv=" + out} }},
	{"timeline", func(file, out string) []string {
		return []string{"timeline", "other.db", file, "-o", "timesketch=" + out}
	}},
	{"storage", func(file, out string) []string { return []string{"storage", file, "-o", "yaml=" + out} }},
	{"who", func(file, out string) []string {
		return []string{"who", "-f", file, "/registry/namespaces/kube-system", "-o", "json=" + out}
	}},
	{"salvage", func(file, out string) []string { return []string{"salvage", file, "-o", out} }},
	{"train", func(file, out string) []string { return []string{"train", "--check", file, "-o", "json=" + out} }},
	{"salvage", func(file, out string) []string {
		return []string{"salvage", file, "-o", "clean.db", "--report", "json=" + out}
	}},
	{"train", func(file, out string) []string { return []string{"train", "--make", file, "other.db", "--out", out} }},
	{"export", func(file, out string) []string { return []string{"export", file, "--out", out} }},
	{"export", func(file, out string) []string {
		return []string{"export", "other.db", "--current", file, "--out", out}
	}},
	{"train", func(file, out string) []string { return []string{"train", "--make", "other.db", file, "--out", out} }},
}

// guarded makes all the evidence in the working directory.
func guarded(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	packed, err := os.ReadFile(cluster("scenario-1/plain/backup"))
	if err != nil {
		t.Fatal(err)
	}
	backup, current := corpus.Unpack(t, cluster("scenario-1/plain/backup")), corpus.Unpack(t, cluster("scenario-1/plain/current"))
	for name, data := range map[string][]byte{
		"backup.db": backup, "backup.db.gz": packed, "other.db": current,
		"data/member/snap/db": current, "data/member/wal/0.wal": nil, "data/other": nil,
		"away/snap/db": current, "disk/log/0.wal": nil, "single/segment": nil,
		"store/Full-0-454-1": backup, "store/Incr-455-460-2": nil, "openshift/snapshot_1.db": backup, "openshift/static_kuberesources_1.tar.gz": nil,
		"logs/0.wal": nil, "keys.yaml": nil, "metrics.prom": nil, "policy.yaml": nil, "config/revenant/theme.yaml": nil, "config/revenant/keys.yaml": nil,
		"dumps/node-1.pods.json": nil, "dump.json": nil, "pods.json": nil, "prediction.json": nil, "audit/audit.log": nil,
	} {
		if data == nil {
			data = []byte("# " + name + "\n")
		}
		if err := firstError(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644), os.Chtimes(name, made, made)); err != nil {
			t.Fatal(err)
		}
	}
	if err := firstError(os.MkdirAll("linked/member/snap", 0o755), os.Mkdir("disk/log/below", 0o755), os.Mkdir("data/member/below", 0o755)); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{
		"link.db": abs("backup.db"), "member.db": "data/member/snap/db",
		"linked/member/snap/db": "../../../away/snap/db", "linked/member/wal": "../../disk/log", "disk/log/1.wal": "../../single/segment",
	} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
}

// firstError is the first of them.
func firstError(list ...error) error {
	i := slices.IndexFunc(list, func(err error) bool { return err != nil })
	if i < 0 {
		return nil
	}
	return list[i]
}

// listing is all that is below the working directory, as far as it shows without
// reading: whatever is written changes a size, a time or an inode.
func listing(t *testing.T, bytes bool) map[string]string {
	t.Helper()
	list := map[string]string{}
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if list[path] = info.Mode().String() + " " + inode(info); !e.IsDir() {
			list[path] += fmt.Sprint(" ", info.Size(), info.ModTime().UnixNano())
		}
		if bytes && info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			list[path] += fmt.Sprintf(" %x", sha256.Sum256(data))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// way is a way to name the file at a path, whether it is there or not. What it needs
// is made in a directory of its own, ways, and removed.
type way struct {
	name  string
	named func(t *testing.T, path string) string
}

func link(t *testing.T, to, name string) string {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func abs(path string) string {
	wd, _ := os.Getwd()
	return filepath.Join(wd, path)
}

// waysToAny name a file that is there or not.
var waysToAny = []way{
	{"plainly", func(_ *testing.T, path string) string { return path }},
	{"from here", func(_ *testing.T, path string) string { return "./" + path }},
	{"absolutely", func(_ *testing.T, path string) string { return abs(path) }},
	{"with ..", func(_ *testing.T, path string) string { return "dumps/../config/revenant/../../" + path }},
	{"by a link", func(t *testing.T, path string) string { return link(t, abs(path), "ways/link") }},
	{"by a relative link", func(t *testing.T, path string) string { return link(t, "../"+path, "ways/link") }},
	{"by a link to a link", func(t *testing.T, path string) string {
		return link(t, abs(link(t, "../"+path, "ways/link")), "ways/second")
	}},
	{"by a linked parent", func(t *testing.T, path string) string {
		return link(t, "../"+filepath.Dir(path), "ways/parent") + "/" + filepath.Base(path)
	}},
	{"by a link out of a linked parent", func(t *testing.T, path string) string {
		link(t, "../"+path, "ways/link")
		return link(t, abs("ways"), "ways/parent") + "/link"
	}},
	// The kernel goes up from where the link leads.
	{"by .. from a link", func(t *testing.T, path string) string {
		below := filepath.Dir(path) + "/ways-below"
		if err := os.MkdirAll(below, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(below) })
		return link(t, abs(below), "ways/below") + "/../" + filepath.Base(path)
	}},
	{"by the process's directory", func(t *testing.T, path string) string {
		if _, err := os.Stat("/proc/self/cwd"); err != nil {
			t.Skip("there is no /proc")
		}
		return "/proc/self/cwd/" + path
	}},
}

// waysToFile name a file that is there.
var waysToFile = []way{
	{"by a hard link", func(t *testing.T, path string) string {
		if err := os.Link(path, "ways/hard"); err != nil {
			t.Skip(err)
		}
		return "ways/hard"
	}},
	{"by a descriptor", func(t *testing.T, path string) string { return fmt.Sprintf("/dev/fd/%d", opened(t, path).Fd()) }},
	{"by a descriptor of the process", func(t *testing.T, path string) string {
		if _, err := os.Stat("/proc/self/fd"); err != nil {
			t.Skip("there is no /proc")
		}
		return fmt.Sprintf("/proc/self/fd/%d", opened(t, path).Fd())
	}},
	{"by a link to a descriptor", func(t *testing.T, path string) string {
		return link(t, fmt.Sprintf("/dev/fd/%d", opened(t, path).Fd()), "ways/link")
	}},
}

// opened is open to write without a change of its time.
func opened(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestOutputNeverReachesEvidence asks every command that writes to write over each
// kind of evidence, and beside it into its directories, by every way to name it.
func TestOutputNeverReachesEvidence(t *testing.T) {
	guarded(t)
	begin := listing(t, true)
	paths := 0
	for _, h := range handedOver {
		t.Run(h.name, func(t *testing.T) {
			for _, file := range h.files {
				paths++
				ways := waysToAny
				if _, err := os.Stat(file); err == nil {
					ways = slices.Concat(waysToAny, waysToFile)
				}
				refuse(t, h, file, ways, paths)
			}
			for _, dir := range h.dirs {
				paths++
				refuse(t, h, dir+"/new.json", waysToAny, paths)
			}
		})
	}
	if diff := cmp.Diff(begin, listing(t, true)); diff != "" {
		t.Errorf("the evidence or what is beside it changed:\n%s", diff)
	}
}

// TestCacheNeverReachesEvidence names every directory in which there is evidence as that of
// a cache, and one below where none may be made.
func TestCacheNeverReachesEvidence(t *testing.T) {
	guarded(t)
	if err := os.Mkdir("ways", 0o755); err != nil {
		t.Fatal(err)
	}
	begin := listing(t, true)
	for _, h := range handedOver {
		t.Run(h.name, func(t *testing.T) {
			dirs := map[string]bool{}
			for _, dir := range h.dirs {
				dirs[dir], dirs[dir+"/cache"] = true, true
			}
			for _, file := range h.files {
				dirs[filepath.Dir(file)] = true
			}
			c := writers[slices.IndexFunc(writers, func(w writer) bool { return w.name == h.only || h.only == "" && w.name == "inspect" })]
			file := "other.db"
			if len(h.args) > 0 {
				file = h.args[0]
			}
			for dir := range dirs {
				s, stderr := captured(t, h.stdin)
				run(t.Context(), append(append(c.args(file, "ways/out"), h.flags...), "--cache", dir), s)
				if !strings.Contains(stderr.String(), "warning: --cache is not used: "+dir) {
					t.Errorf("%s: %s", dir, stderr)
				}
				if err := os.RemoveAll("ways"); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir("ways", 0o755); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	now := listing(t, true)
	delete(begin, "ways")
	delete(now, "ways")
	if diff := cmp.Diff(begin, now); diff != "" {
		t.Errorf("the evidence or what is beside it changed:\n%s", diff)
	}
}

// inTurn is of how many commands one is tried: with the next path, or the next way, comes
// the next of them, so that every command meets every path and every way.
const inTurn = 3

func refuse(t *testing.T, h handed, path string, ways []way, turn int) {
	for n, w := range ways {
		t.Run(path+" "+w.name, func(t *testing.T) {
			if err := os.Mkdir("ways", 0o755); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll("ways") })
			out := w.named(t, path)
			before := listing(t, false)
			for i, c := range writers {
				if h.only != "" && h.only != c.name || h.only == "" && (i+n+turn)%inTurn != 0 {
					continue
				}
				file := "other.db"
				if len(h.args) > 0 {
					file = h.args[0]
				}
				args := c.args(file, out)
				if len(h.flags) > 0 && slices.Contains(args, "--check") { // it reads none of what the flags are for
					continue
				}
				args = append(args, h.flags...)
				s, stderr := captured(t, h.stdin)
				if code := run(t.Context(), args, s); code != exitFailed || !strings.Contains(stderr.String(), "is evidence") || !strings.Contains(stderr.String(), "\nhint: evidence is never changed") {
					t.Errorf("%q: exit code %d, stderr %q", args, code, stderr)
				}
			}
			if diff := cmp.Diff(before, listing(t, false)); diff != "" {
				t.Fatalf("changed\n%s", diff)
			}
		})
	}
}

// captured are streams with a file, "" for none, as standard input.
func captured(t *testing.T, stdin string) (streams, *bytes.Buffer) {
	t.Helper()
	var stderr bytes.Buffer
	s := streams{in: strings.NewReader(""), out: io.Discard, err: &stderr}
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		s.in = f
	}
	return s, &stderr
}

// TestSaveNeverReachesEvidence saves in the terminal UI over evidence and beside it.
func TestSaveNeverReachesEvidence(t *testing.T) {
	guarded(t)
	if err := os.Mkdir("ways", 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "../data/member", "ways/parent")
	link(t, "../data/member/new.csv", "ways/dangling")
	if err := os.Link("backup.db", "ways/hard"); err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"backup.db", abs("backup.db"), "link.db", "ways/hard", fmt.Sprintf("/dev/fd/%d", opened(t, "backup.db").Fd()),
		"data/new.csv", "data/member/snap/../new.csv", "ways/parent/new.csv", "ways/dangling", "ways/parent/snap/db", "config/revenant/keys.yaml",
	}
	// Where it was left cannot be kept inside evidence either.
	t.Setenv("XDG_STATE_HOME", abs("data/member"))
	if err := os.WriteFile("config/revenant/theme.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("config/revenant/keys.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := listing(t, true)
	commands := "pods\n"
	for _, file := range wanted {
		commands += "save " + file + "\n"
	}
	s, stderr := captured(t, "")
	var stdout bytes.Buffer
	s.in, s.out = strings.NewReader(commands+"save saved.csv\nquit\n"), &stdout
	if code := run(t.Context(), []string{"--plain", "backup.db", "data"}, s); code == exitFailed {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if n := strings.Count(stdout.String(), "is evidence"); n != len(wanted) || !strings.Contains(stdout.String(), "saved to saved.csv") {
		t.Errorf("%d of %d were refused:\n%s", n, len(wanted), stdout.String())
	}
	after := listing(t, true)
	if after["saved.csv"] == "" {
		t.Error("nothing was saved beside the evidence")
	}
	delete(after, "saved.csv")
	delete(before, ".")
	delete(after, ".")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}

// TestManNeverReachesEvidence writes pages into directories of etcd's, and where
// links have the names of pages.
func TestManNeverReachesEvidence(t *testing.T) {
	guarded(t)
	link(t, "data/member/wal", "parent")
	for _, dir := range []string{"data", "data/member", "data/member/snap", "data/member/wal/new/man", "parent", "parent/../man", "linked/member"} {
		before := listing(t, true)
		s, stderr := captured(t, "")
		if code := run(t.Context(), []string{"man", dir}, s); code != exitFailed || !strings.Contains(stderr.String(), "is evidence") {
			t.Errorf("%s: exit code %d, stderr %q", dir, code, stderr)
		}
		if diff := cmp.Diff(before, listing(t, true)); diff != "" {
			t.Errorf("%s: changed:\n%s", dir, diff)
		}
	}
	if err := os.Mkdir("pages", 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "../backup.db", "pages/revenant.1")
	if err := os.Link("other.db", "pages/revenant-inspect.1"); err != nil {
		t.Fatal(err)
	}
	before := listing(t, true)
	s, stderr := captured(t, "")
	if code := run(t.Context(), []string{"man", "pages"}, s); code != exitOK {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	after := listing(t, true)
	if data, err := os.ReadFile("pages/revenant-inspect.1"); err != nil || !bytes.HasPrefix(data, []byte(".TH")) {
		t.Errorf("the page is %.20q, %v", data, err)
	}
	pages := func(path, _ string) bool { return path == "." || strings.HasPrefix(path, "pages") }
	maps.DeleteFunc(before, pages)
	maps.DeleteFunc(after, pages)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}

// program runs the program itself, with descriptors that a shell would give it.
func program(t *testing.T, script string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestStreamsNeverReachEvidence gives the program evidence as its standard streams.
func TestStreamsNeverReachEvidence(t *testing.T) {
	guarded(t)
	begin := listing(t, true)
	for _, script := range []string{
		"revenant inspect - -o json=backup.db < backup.db",
		"revenant inspect - -o json=/dev/stdin 0<> backup.db",
		"revenant inspect - -o json=/proc/self/fd/0 0<> backup.db",
		"revenant inspect /dev/stdin -o json=backup.db < backup.db",
		"revenant inspect /dev/fd/3 -o json=backup.db 3< backup.db",
		"revenant inspect /proc/self/fd/3 -o json=backup.db 3< backup.db",
		"revenant inspect /dev/fd/3 -o json=data/member/wal/a 3< data/member/snap/db",
		"revenant predict other.db - -o json=backup.db < backup.db",
		"revenant predict - other.db -o json=/dev/fd/4 < backup.db 4<> backup.db",
		"revenant carve backup.db -o json=/dev/fd/1 1<> backup.db",
		"revenant verify other.db --kubelet n=- -o json=dump.json < dump.json",
		"revenant salvage - -o backup.db < backup.db",
		"revenant salvage - -o clean.db --report json=/dev/fd/5 < backup.db 5<> backup.db",
		"revenant plan backup.db >> backup.db",
		"revenant inspect backup.db 1<> backup.db",
		"revenant backup.db other.db >> other.db",
		"revenant backup.db >> backup.db",
		"revenant inspect data >> data/member/wal/0.wal",
		"revenant inspect data/member/snap/db >> data/member/wal/0.wal",
		"revenant inspect backup.db missing.db > /dev/null 2>> backup.db",
		"TMPDIR=$PWD/data revenant inspect - --wal-dir data < backup.db",
		"TMPDIR=$PWD/data/member/snap revenant inspect backup.db.gz",
	} {
		if _, err := os.Stat("/proc/self/fd"); err != nil && strings.Contains(script, "/proc/") {
			continue
		}
		code, _, stderr := program(t, script)
		if mute := strings.Contains(script, "2>>"); code != exitFailed || !mute && (!strings.Contains(stderr, "is evidence") || !strings.Contains(stderr, "\nhint: evidence is never changed")) {
			t.Errorf("%s: exit code %d, stderr %q", script, code, stderr)
		}
		if diff := cmp.Diff(begin, listing(t, true)); diff != "" {
			t.Fatalf("%s changed\n%s", script, diff)
		}
	}
}

// TestOutputsWork writes where nothing is evidence, or is no file.
func TestOutputsWork(t *testing.T) {
	guarded(t)
	evidence := listing(t, true)
	if err := firstError(os.WriteFile("old.json", []byte("old\n"), 0o600), os.Chmod("old.json", 0o666), os.WriteFile("log", []byte("log\n"), 0o600), os.Mkdir("out", 0o755)); err != nil {
		t.Fatal(err)
	}
	link(t, "old.json", "follow.json")
	link(t, "out/made.json", "dangling.json")
	const isJSON = `| grep -q '"kind": "Inspection"'`
	for _, script := range []string{
		"revenant inspect data -o json=a.json; cat a.json " + isJSON,
		"revenant inspect data/member/snap/db -o json=data/../b.json; cat b.json " + isJSON,
		"revenant inspect backup.db -o json=follow.json; test -L follow.json && cat old.json " + isJSON,
		"test $(ls -l old.json | cut -c1-10) = -rw-rw-rw-",
		"revenant inspect backup.db -o json=dangling.json; test -L dangling.json && cat out/made.json " + isJSON,
		"revenant inspect backup.db -o json=/dev/stdout " + isJSON,
		"revenant inspect backup.db -o json=/dev/fd/3 3>&1 " + isJSON,
		"revenant inspect backup.db -o json=/dev/null",
		"revenant inspect backup.db -o json=/dev/stdout >> log; head -1 log | grep -q log && cat log " + isJSON,
		"revenant inspect - -o json=c.json < backup.db; cat c.json " + isJSON,
		"cat backup.db | revenant inspect - -o json=/dev/stdout " + isJSON,
		"revenant salvage backup.db -o out/clean.db --report json=out/clean.json && test -s out/clean.db && test -s out/clean.json",
		"revenant verify other.db --kubelet n=dump.json -o json=out/verify.json; test $? = 2", // dump.json is none
		"test $(ls -A out | wc -l) = 3",
		"revenant man out/man/pages && test -s out/man/pages/revenant.1",
	} {
		code, _, stderr := program(t, script)
		if code != 0 {
			t.Errorf("%s: exit code %d, stderr %q", script, code, stderr)
		}
	}
	now := listing(t, true)
	for path, was := range evidence {
		if path != "." && now[path] != was {
			t.Errorf("%s changed from %s to %s", path, was, now[path])
		}
		for left := range now {
			if strings.HasPrefix(filepath.Base(left), ".revenant-") {
				t.Errorf("%s was left", left)
			}
		}
	}
}

// TestChangedWhileRead changes the evidence all the while that a command reads it.
func TestChangedWhileRead(t *testing.T) {
	guarded(t)
	if err := firstError(os.WriteFile("dump.json", []byte(`{"kind":"PodList","apiVersion":"v1","items":[]}`), 0o600), os.Mkdir("alone", 0o755),
		os.Mkdir("alone/member", 0o755), os.Mkdir("alone/member/snap", 0o755), os.Link("other.db", "alone/member/snap/db")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		changes string
		args    []string
		stdin   string
	}{
		{"backup.db", []string{"inspect", "backup.db"}, ""},
		{"backup.db", []string{"inspect", "other.db", "backup.db"}, ""},
		{"backup.db", []string{"predict", "backup.db", "other.db"}, ""},
		{"other.db", []string{"predict", "backup.db", "other.db"}, ""},
		{"other.db", []string{"backup.db", "other.db"}, ""},
		{"backup.db", []string{"plan", "backup.db"}, ""},
		{"backup.db", []string{"preflight", "backup.db"}, ""},
		{"other.db", []string{"preflight", "backup.db", "other.db"}, ""},
		{"backup.db", []string{"verify", "backup.db", "--kubelet", "n=dump.json"}, ""},
		{"backup.db", []string{"carve", "backup.db"}, ""},
		{"backup.db", []string{"extract", "backup.db"}, ""},
		{"backup.db", []string{"get", "backup.db"}, ""},
		{"backup.db", []string{"diff", "other.db", "backup.db"}, ""},
		{"backup.db", []string{"diff", "backup.db", "--from", "400"}, ""},
		{"backup.db", []string{"timeline", "backup.db", "nodes"}, ""},
		{"backup.db", []string{"storage", "backup.db"}, ""},
		{"backup.db", []string{"describe", "backup.db", "nodes"}, ""},
		{"backup.db", []string{"export", "backup.db", "--out", "tables"}, ""},
		{"other.db", []string{"export", "backup.db", "--current", "other.db", "--out", "tables"}, ""},
		{"backup.db", []string{"salvage", "backup.db", "-o", "clean.db", "--report", "json=clean.json"}, ""},
		{"backup.db", []string{"carve", "-"}, "backup.db"},
		{"backup.db", []string{"salvage", "-", "-o", "clean.db", "--report", "json=clean.json"}, "backup.db"},
		{"backup.db.gz", []string{"carve", "backup.db.gz"}, ""},
		{"backup.db.gz", []string{"salvage", "backup.db.gz", "-o", "clean.db", "--report", "json=clean.json"}, ""},
		{"alone/member/snap/db", []string{"carve", "alone"}, ""},
		{"alone/member/snap/db", []string{"salvage", "alone", "-o", "clean.db", "--report", "json=clean.json"}, ""},
	} {
		t.Run(strings.Join(tt.args, " ")+" "+tt.stdin, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			changing := make(chan struct{})
			go func() {
				defer close(changing)
				for at := made; ctx.Err() == nil; at = at.Add(time.Second) {
					if err := os.Chtimes(tt.changes, at, at); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			code, said := readChanging(t, tt.args, tt.stdin)
			stop()
			<-changing
			if code != exitFailed && (code != exitDamaged || tt.args[1] != "alone") { // a running etcd changes a directory
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(said, "while it was read") {
				t.Errorf("it says nothing: %s", said)
			}
			for path := range listing(t, false) {
				if strings.Contains(path, "clean") || strings.Contains(path, ".revenant") {
					t.Errorf("%s was left", path)
				}
			}
		})
	}
}

// readChanging runs a command over evidence that something else changes all the while,
// and returns what it says. Whether a change falls within a reading of some
// milliseconds is up to the scheduler, so a reading that met none is repeated.
func readChanging(t *testing.T, args []string, stdin string) (code int, said string) {
	t.Helper()
	for range 100 {
		s, stderr := captured(t, stdin)
		var stdout bytes.Buffer
		s.out = &stdout
		code = run(t.Context(), args, s)
		if said = stderr.String() + stdout.String(); strings.Contains(said, "while it was read") {
			break
		}
		if err := firstError(os.RemoveAll("clean.db"), os.RemoveAll("clean.json")); err != nil {
			t.Fatal(err)
		}
	}
	return code, said
}

// inode says which file it is.
func inode(info fs.FileInfo) string { return fmt.Sprint(info.Sys().(*syscall.Stat_t).Ino) }

// cancelAt cancels once a text is written to it.
type cancelAt struct {
	text   string
	cancel context.CancelFunc
	hit    bool
}

func (c *cancelAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.hit = true
		c.cancel()
	}
	return len(p), nil
}

// TestInterruptedSalvage leaves nothing of a snapshot that was being written.
func TestInterruptedSalvage(t *testing.T) {
	guarded(t)
	before := listing(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	at := &cancelAt{text: "clean.db", cancel: cancel}
	s, _ := captured(t, "")
	s.err, s.errTTY, s.errWidth = at, true, func() int { return 80 }
	code := run(ctx, []string{"salvage", "backup.db", "-o", "clean.db", "--report", "json=clean.json"}, s)
	if code != exitFailed || !at.hit {
		t.Errorf("exit code %d, interrupted %v", code, at.hit)
	}
	if diff := cmp.Diff(before, listing(t, true)); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}
