package oracle

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.uber.org/zap"

	"revenant/internal/corpus"
	"revenant/oracle/fixture"
)

// book is what of a runbook is carried out here.
type book struct {
	Bump  struct{ Restored int64 }
	Steps []struct {
		ID       string
		Commands []command
	}
}

type command struct {
	Run      string
	Host     string
	WaitsFor string
}

// programs are directories for PATH: each has the real etcdutl of a version, and
// revenant.
type programs struct {
	dir   map[string]string // by version
	hosts string            // a directory that has one for every machine, by its address
}

// stubs stand for what needs a cluster or another machine. Each changes the directory of
// its machine as the real one would; ROOT is that directory.
var stubs = map[string]string{
	"sudo":  `exec "$@"`,
	"sleep": ":",
	"scp": `for last; do :; done
there() { case "$1" in *:*) echo "$HOSTS/$(echo "${1%:*}" | tr -d '[]')/${1##*:}" ;; *) echo "$1" ;; esac; }
options=
while [ $# -gt 1 ]; do
    case "$1" in -*) options="$options $1" ;; *) cp $options "$(there "$1")" "$(there "$last")" || exit ;; esac
    shift
done`,
	"pgrep": `for last; do :; done; ls "$ROOT/etc/kubernetes/manifests/" | grep -q "^$last" && echo 1`,
	"k3s":   clusterReset, "rke2": clusterReset,
	"systemctl": `echo "systemctl $*" >> "$ROOT/log"`, "pkill": "exit 1",
	"ssh": ":", "iptables": ":", "ip6tables": ":", "curl": "echo etcd_debugging_mvcc_current_revision 1",
	"kubectl": "echo ok",
}

func buildPrograms(t *testing.T) programs {
	t.Helper()
	watch(t)
	p := programs{dir: map[string]string{}}
	for version, flags := range map[string][]string{"3.5": {"-modfile=etcd35/go.mod"}, "3.7": nil} {
		dir := t.TempDir()
		goBuild(t, append(flags, "-o", filepath.Join(dir, "etcdutl"), "go.etcd.io/etcd/etcdutl/v3"))
		for name, script := range stubs {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
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
	cmd.Env = append(os.Environ(), "PATH="+p.dir[version]+string(os.PathListSeparator)+os.Getenv("PATH"), "HOSTS="+p.hosts, "ROOT="+dir)
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

// play runs the commands of steps as they are printed, each on its machine, twice where
// again says so: the second run must do no harm, whatever it ends with. What is fetched
// from elsewhere is put into its place instead. It returns what status commands print.
func (p programs) play(t *testing.T, version, dir string, r *book, machines []string, again bool, steps ...string) (status [][]byte) {
	t.Helper()
	p.hosts = filepath.Join(dir, "hosts")
	for _, name := range machines {
		for _, sub := range []string{"var/lib/etcd", "etc/kubernetes/manifests", "var/lib/k0s/etcd"} {
			if err := os.MkdirAll(filepath.Join(p.hosts, name, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range r.Steps {
		if !slices.Contains(steps, s.ID) {
			continue
		}
		for _, c := range s.Commands {
			if strings.Contains(c.Run, "https://github.com/") || strings.Contains(c.Run, "SHA256SUMS | sha256sum") {
				continue
			}
			if strings.HasPrefix(c.Run, "tar ") {
				p.shell(t, version, dir, "cp $(command -v etcdutl) revenant-restore/etcdutl; printf '#!/bin/sh\necho fake\n' > revenant-restore/etcdctl; chmod +x revenant-restore/etcdctl")
				continue
			}
			places := []string{dir}
			if c.Host != "workstation" {
				places = nil
				for _, name := range machines {
					if last := filepath.Base(c.Host); !strings.HasPrefix(c.Host, "etcd/member/") || last == name {
						places = append(places, filepath.Join(p.hosts, name))
					}
				}
				switch c.Host {
				case "servers/first", "etcd/first":
					places = places[:1]
				case "servers/others":
					places = places[1:]
				}
			}
			for _, place := range places {
				line := c.Run
				for _, root := range []string{"/var/lib", "/etc/kubernetes", "/etc/rancher"} {
					line = strings.ReplaceAll(line, root, place+root)
				}
				line = strings.ReplaceAll(line, "DATA_DIR", place+"/var/lib/etcd")
				for _, placeholder := range []string{"ETCD_NODE", "FIRST_SERVER"} {
					line = strings.ReplaceAll(line, placeholder, machines[0])
				}
				out := p.shell(t, version, place, line)
				if strings.Contains(line, " snapshot status ") {
					status = append(status, out)
				}
				if again {
					p.tries(t, version, place, line)
				}
			}
		}
	}
	return status
}

// tries runs a line whatever it ends with.
func (p programs) tries(t *testing.T, version, dir, line string) {
	t.Helper()
	p.shell(t, version, dir, "( "+line+" ) > /dev/null 2>&1 || :")
}

// highest is the newest revision in the truth of a run: those that
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
			ways := []string{"backup.db current.db", "backup.db current.db --platform=kubeadm", "backup.db current.db --platform=k3s", "backup.db"}
			args := []string{ways[i%len(ways)]}
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

// restore carries the commands out on one machine and returns the revision at which
// etcd's own store starts on the result.
func (p programs) restore(t *testing.T, version, dir string, r *book) int64 {
	t.Helper()
	machine := "lab"
	for _, s := range r.Steps {
		for _, c := range s.Commands {
			if strings.HasPrefix(c.Host, "etcd/member/") { // of several, one is enough
				machine = filepath.Base(c.Host)
			}
		}
	}
	statuses := p.play(t, version, dir, r, []string{machine}, false, "bring-files", "restore")
	host := filepath.Join(dir, "hosts", machine)
	db := filepath.Join(host, "var/lib/etcd/member/snap/db")
	if _, err := os.Stat(filepath.Join(dir, "revenant-restore/bumped.db")); err == nil {
		db = filepath.Join(host, "var/lib/rancher/k3s/server/db/etcd/member/snap/db") // a platform's tool restored it, its hash checked
	}
	if len(statuses) == 0 {
		t.Error("no command shows the revision")
	}
	for _, status := range statuses {
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

const initialCluster = "a=http://127.0.0.1:24390,b=http://127.0.0.1:24391,c=http://127.0.0.1:24392"

// peerURL is that of a member.
func peerURL(name string) string {
	_, rest, _ := strings.Cut(initialCluster, name+"=")
	first, _, _ := strings.Cut(rest, ",")
	return first
}

// startMembers starts etcd on what was restored on every machine, and wants a cluster
// that goes on from the revision that was planned.
func startMembers(t *testing.T, hosts string, machines []string, restored int64, data string) {
	t.Helper()
	members := make([]*embed.Etcd, len(machines))
	for i, name := range machines {
		cfg := embed.NewConfig()
		cfg.Name, cfg.Dir, cfg.InitialCluster = name, filepath.Join(hosts, name, data), initialCluster
		peer, err := url.Parse(peerURL(name))
		if err != nil {
			t.Fatal(err)
		}
		free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
		cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
		cfg.ListenClientUrls, cfg.AdvertiseClientUrls = free, free
		cfg.UnsafeNoFsync = true
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		if members[i], err = embed.StartEtcd(cfg); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Cleanup(members[i].Close)
	}
	for i, m := range members {
		select {
		case <-m.Server.ReadyNotify():
		case err := <-m.Err():
			t.Fatalf("%s: %v", machines[i], err)
		case <-time.After(time.Minute):
			t.Fatalf("%s did not join within a minute", machines[i])
		}
	}
	for i, m := range members {
		put, err := v3client.New(m.Server).Put(t.Context(), "/after", machines[i])
		if err != nil {
			t.Fatalf("%s: %v", machines[i], err)
		}
		if want := restored + 1 + int64(i); put.Header.Revision != want {
			t.Errorf("%s writes revision %d, want %d", machines[i], put.Header.Revision, want)
		}
	}
}
