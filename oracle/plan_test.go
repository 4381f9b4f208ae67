package oracle

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"revenant/internal/corpus"
	"revenant/oracle/fixture"
)

// book is what of a runbook is carried out here.
type book struct {
	Bump  struct{ Restored int64 }
	Steps []struct {
		ID       string
		Commands []struct{ Run string }
	}
}

// programs are directories for PATH: each has the real etcdutl of a version, and
// revenant.
type programs struct {
	dir map[string]string // by version
}

func buildPrograms(t *testing.T) programs {
	t.Helper()
	watch(t)
	p := programs{dir: map[string]string{}}
	for version, flags := range map[string][]string{"3.5": {"-modfile=etcd35/go.mod"}, "3.7": nil} {
		dir := t.TempDir()
		goBuild(t, append(flags, "-o", filepath.Join(dir, "etcdutl"), "go.etcd.io/etcd/etcdutl/v3"))
		goBuild(t, []string{"-C", "..", "-o", filepath.Join(dir, "revenant"), "./cmd/revenant"})
		p.dir[version] = dir
	}
	return p
}

// watch opens every directory of the program: a passed test is not run again until
// something that it opened itself changes, and what go build reads does not count.
func watch(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"analyzer", "cmd", "decoder", "internal", "report"} {
		if err := filepath.WalkDir(filepath.Join("..", dir), func(_ string, _ os.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
}

// goBuild runs `go build`; -C, when it is there, comes first as it must.
func goBuild(t *testing.T, args []string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "go", append([]string{"build"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("go build %v: %v\n%s", args, err, out)
	}
}

// shell runs a command line in a directory, as an operator's shell would.
func (p programs) shell(t *testing.T, version, dir, line string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+p.dir[version]+string(os.PathListSeparator)+os.Getenv("PATH"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", line, err, out, &errs)
	}
	return out
}

// plan writes a runbook with the real command.
func (p programs) plan(t *testing.T, version, dir, args string) *book {
	t.Helper()
	var r book
	if err := json.Unmarshal(p.shell(t, version, dir, "revenant plan -o json "+args), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// restoring are the commands of the step restore that etcdutl and openssl carry
// out: those that need no node of a cluster.
func restoring(t *testing.T, r *book) []string {
	t.Helper()
	var lines []string
	for _, s := range r.Steps {
		for _, c := range s.Commands {
			first, _, _ := strings.Cut(c.Run, " ")
			switch {
			case strings.HasPrefix(c.Run, "revenant salvage "):
				lines = append(lines, c.Run)
			case s.ID != "restore":
			case first == "etcdutl", first == "cp", first == "openssl":
				lines = append(lines, c.Run)
			}
		}
	}
	if len(lines) < 3 {
		t.Fatalf("only these commands restore: %q", lines)
	}
	return lines
}

// highest is the newest revision that the truth of a run tells of: those that
// kubelets came back with, and etcd's own right before the stop.
func highest(t *testing.T, path string) (last int64) {
	t.Helper()
	var truth struct {
		KubeletResourceVersion map[string]json.Number
		Revisions              struct{ Current, BeforeStop int64 }
	}
	if err := json.Unmarshal(corpus.Unpack(t, path), &truth); err != nil {
		t.Fatal(err)
	}
	for node, l := range truth.KubeletResourceVersion {
		n, err := l.Int64()
		if err != nil {
			t.Fatalf("%s: %v", node, err)
		}
		last = max(last, n)
	}
	return max(last, truth.Revisions.Current, truth.Revisions.BeforeStop)
}

// TestPlanRestores carries out, with the real etcdutl, the restore that `revenant
// plan` writes for every shared pair, and wants the store to start above every
// revision that a kubelet had seen.
func TestPlanRestores(t *testing.T) {
	programs := buildPrograms(t)
	truths, err := filepath.Glob(testdata + "clusters/*/*/truth.json.gz")
	if err != nil || len(truths) < 15 {
		t.Fatalf("found %d truth files: %v", len(truths), err)
	}
	for i, path := range truths {
		run := filepath.Dir(path)
		t.Run(strings.TrimPrefix(run, testdata+"clusters/"), func(t *testing.T) {
			last := highest(t, path)
			args := []string{"backup.db current.db", "backup.db current.db --platform=kubeadm", "backup.db current.db --platform=k3s", "backup.db"}
			versions := []string{"3.7"}
			if i == 0 {
				versions = append(versions, "3.5")
			}
			for _, version := range versions {
				for _, args := range args {
					t.Run(version+" "+args, func(t *testing.T) {
						dir := t.TempDir()
						inflate(t, filepath.Join(run, "backup.db.gz"), filepath.Join(dir, "backup.db"))
						inflate(t, filepath.Join(run, "current.db.gz"), filepath.Join(dir, "current.db"))
						r := programs.plan(t, version, dir, args+" --etcd-version="+version)
						if base := programs.restore(t, version, dir, r); base <= last || base != r.Bump.Restored {
							t.Errorf("the store starts at %d, planned was %d; revision %d had been seen", base, r.Bump.Restored, last)
						}
					})
				}
			}
		})
	}
}

// TestPlanRestoresPacked does it for a backup that is compressed and the directory
// of a killed member.
func TestPlanRestoresPacked(t *testing.T) {
	programs := buildPrograms(t)
	run := testdata + "clusters/scenario-5/datadir-lagging/"
	for _, platform := range []string{"generic", "k3s"} {
		t.Run(platform, func(t *testing.T) {
			dir := t.TempDir()
			copyFile(t, run+"backup.db.gz", filepath.Join(dir, "backup.db.gz"))
			unpackMember(t, run+"member.tar.gz", filepath.Join(dir, "data"))
			r := programs.plan(t, "3.7", dir, "backup.db.gz data --etcd-version=3.7 --platform="+platform)
			if base := programs.restore(t, "3.7", dir, r); base <= 1528 || base != r.Bump.Restored {
				t.Errorf("the store starts at %d, planned was %d; revision 1528 had been seen", base, r.Bump.Restored)
			}
		})
	}
}

// restore carries the commands out and returns the revision at which etcd's own
// store starts on the result. A snapshot that was bumped first is restored once
// more, as a platform's tool does it: without a bump, its hash checked.
func (p programs) restore(t *testing.T, version, dir string, r *book) int64 {
	t.Helper()
	var status []byte
	for _, line := range restoring(t, r) {
		for _, placeholder := range []string{"DATA_DIR", "/var/lib/etcd"} {
			line = strings.ReplaceAll(line, placeholder, "restored")
		}
		out := p.shell(t, version, dir, line)
		if strings.Contains(line, " snapshot status ") {
			status = out
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "bumped.db")); err == nil {
		p.shell(t, version, dir, "etcdutl snapshot restore bumped.db --data-dir=restored")
	}
	db := filepath.Join(dir, "restored", "member", "snap", "db")
	if status != nil {
		var s struct{ Revision int64 }
		if err := json.Unmarshal(status, &s); err != nil || s.Revision != r.Bump.Restored {
			t.Errorf("etcdutl says revision %d (%v), planned was %d", s.Revision, err, r.Bump.Restored)
		}
	}
	s := open(t, db)
	if got := s.CompactRevision(); got != r.Bump.Restored {
		t.Errorf("compacted to %d, planned was %d", got, r.Bump.Restored)
	}
	store := fixture.OpenStore(clone(t, db))
	defer store.Close()
	if _, err := store.Range(t.Context(), []byte("/"), nil, mvcc.RangeOptions{Rev: r.Bump.Restored - 1}); err == nil {
		t.Error("a watcher from before the restore could read on")
	}
	return store.Rev()
}

// TestPlanMembers carries out the restore of a cluster of three, out of a db file
// without trailer, and wants three members of one cluster at one revision.
func TestPlanMembers(t *testing.T) {
	programs := buildPrograms(t)
	dir := t.TempDir()
	inflate(t, testdata+"clusters/scenario-1/plain/backup.db.gz", filepath.Join(dir, "one.db"))
	programs.shell(t, "3.7", dir, "etcdutl snapshot restore one.db --data-dir=before --name=a --initial-advertise-peer-urls=https://10.0.0.1:2380 --initial-cluster=a=https://10.0.0.1:2380,b=https://10.0.0.2:2380,c=https://10.0.0.3:2380")
	programs.shell(t, "3.7", dir, "cp before/member/snap/db backup.db")
	r := programs.plan(t, "3.7", dir, "backup.db --platform=kubeadm")
	names := map[string]bool{}
	for _, line := range restoring(t, r) {
		_, rest, _ := strings.Cut(line, "--name=")
		name, _, ok := strings.Cut(rest, " ")
		if !ok {
			continue
		}
		names[name] = true
		programs.shell(t, "3.7", dir, strings.ReplaceAll(line, "/var/lib/etcd", "restored-"+name))
		s := open(t, filepath.Join(dir, "restored-"+name, "member", "snap", "db"))
		var members []string
		for _, m := range s.Meta().Members {
			members = append(members, m.Name)
		}
		slices.Sort(members)
		if s.Revision() != r.Bump.Restored || strings.Join(members, "") != "abc" {
			t.Errorf("%s is at revision %d, planned was %d; members %q", name, s.Revision(), r.Bump.Restored, members)
		}
	}
	if len(names) != 3 {
		t.Errorf("members %v are restored, want a, b and c", names)
	}
}
