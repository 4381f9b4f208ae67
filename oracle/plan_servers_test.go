package oracle

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
)

// clusterReset stands for k3s and rke2. It refuses what they refuse (k3s
// pkg/cli/server/server.go; pkg/cluster/managed.go), keeps the old data beside the new
// and restores with the real etcdutl, which checks the snapshot's hash.
const clusterReset = `program=${0##*/}; [ "$1" = server ] || exit 2; shift
reset= s3=yes path=
for arg; do
    case "$arg" in
        --cluster-reset) reset=yes ;;
        --etcd-s3=false) s3= ;;
        --cluster-reset-restore-path=*) path=${arg#*=} ;;
        *) echo "flag provided but not defined: $arg" >&2; exit 1 ;;
    esac
done
fatal() { echo "$1" >&2; exit 1; }
db="$ROOT/var/lib/rancher/$program/server/db" config="$ROOT/etc/rancher/$program/config.yaml"
[ "$reset" = yes ] || fatal "that runs a server"
grep -q '^server:' "$config" 2> /dev/null && fatal "cannot perform cluster-reset while server URL is set"
[ ! -e "$db/reset-flag" ] || fatal "Managed etcd cluster membership was previously reset"
[ -z "$s3" ] || ! grep -q '^etcd-s3: true' "$config" || fatal "S3 has no snapshot of that name"
[ -f "$path" ] && [ "${path#/}" != "$path" ] || fatal "etcd: snapshot path does not exist: $path"
mkdir -p "$db"
[ ! -e "$db/etcd" ] || mv "$db/etcd" "$db/etcd-old-$(date +%s%N)" || exit
etcdutl snapshot restore "$path" --data-dir="$db/etcd" --name=first --initial-advertise-peer-urls=` + firstPeer + ` --initial-cluster=first=` + firstPeer + ` || exit
: > "$db/reset-flag"`

const firstPeer = "http://127.0.0.1:24393"

// serversOf makes the machines of a cluster of k3s or RKE2, each with data of its own:
// the first one joins no other.
func serversOf(t *testing.T, hosts, platform string, machines []string) {
	t.Helper()
	for i, name := range machines {
		for path, text := range map[string]string{
			"var/lib/rancher/" + platform + "/server/db/etcd/member/snap/db": name,
			"etc/rancher/" + platform + "/config.yaml":                       "etcd-s3: true\n" + map[bool]string{true: "server: https://a:6443\n"}[i > 0],
		} {
			path = filepath.Join(hosts, name, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPlanServers plays the runbooks of k3s and RKE2 on one server and on three, each
// command twice, and wants the servers to form a cluster above all that was seen, what
// each had beside it, and the evidence as it was. The other servers join with no data.
func TestPlanServers(t *testing.T) {
	programs := buildPrograms(t)
	run := testdata + "clusters/rows/plain/"
	last := highest(t, run+"truth.json.gz")
	for _, platform := range []string{"k3s", "rke2"} {
		for _, machines := range [][]string{{"a"}, {"a", "b", "c"}} {
			t.Run(fmt.Sprintf("%s, %d", platform, len(machines)), func(t *testing.T) {
				dir := t.TempDir()
				hosts := filepath.Join(dir, "hosts")
				const backup, current = "my backup's.db", "the $current.db"
				inflate(t, run+"backup.db.gz", filepath.Join(dir, backup))
				inflate(t, run+"current.db.gz", filepath.Join(dir, current))
				before := bytesOf(t, dir, backup, current)
				serversOf(t, hosts, platform, machines)
				r := programs.plan(t, "3.7", dir, `"`+backup+`" 'the $current.db' --etcd-version=3.7 --platform=`+platform)
				programs.play(t, "3.7", dir, r, machines, true, "bring-files", "stop", "restore")
				db := "var/lib/rancher/" + platform + "/server/db"
				for i, name := range machines {
					pattern := db + "/etcd-old-*"
					if i > 0 {
						pattern = db + ".before-*/etcd"
						if _, err := os.Stat(filepath.Join(hosts, name, db)); err == nil {
							t.Errorf("%s still has data", name)
						}
					}
					old, err := filepath.Glob(filepath.Join(hosts, name, pattern, "member/snap/db"))
					if err != nil || len(old) < 1 {
						t.Fatalf("what %s had is gone: %v", name, err)
					}
					if !slices.ContainsFunc(old, func(path string) bool { data, err := os.ReadFile(path); return err == nil && string(data) == name }) {
						t.Errorf("what %s had has changed", name)
					}
				}
				if r.Bump.Restored <= last {
					t.Errorf("planned to start at %d, and %d was seen", r.Bump.Restored, last)
				}
				joinAll(t, hosts, machines, db+"/etcd", r.Bump.Restored)
				if diff := bytesOf(t, dir, backup, current); !bytes.Equal(before, diff) {
					t.Error("the evidence has changed")
				}
			})
		}
	}
}

func bytesOf(t *testing.T, dir string, names ...string) (all []byte) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// joinAll starts the real etcd on what was restored on the first machine, and has the
// others join it one by one, as servers do that have no data.
func joinAll(t *testing.T, hosts string, machines []string, data string, restored int64) {
	t.Helper()
	var started []*embed.Etcd
	cluster := "first=" + firstPeer
	for i, name := range machines {
		cfg := embed.NewConfig()
		cfg.Name, cfg.Dir = name, filepath.Join(hosts, name, data)
		peer := fmt.Sprintf("http://127.0.0.1:%d", 24393+i)
		if i == 0 {
			cfg.Name = "first"
		} else {
			ctx := t.Context()
			client := v3client.New(started[0].Server)
			for range 100 { // until the members before it are in
				if _, err := client.MemberAdd(ctx, []string{peer}); err == nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			cluster += "," + name + "=" + peer
			cfg.ClusterState = embed.ClusterStateFlagExisting
		}
		cfg.InitialCluster = cluster
		at, err := url.Parse(peer)
		if err != nil {
			t.Fatal(err)
		}
		free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
		cfg.ListenPeerUrls, cfg.AdvertisePeerUrls, cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*at}, []url.URL{*at}, free, free
		cfg.UnsafeNoFsync = true
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		e, err := embed.StartEtcd(cfg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Cleanup(e.Close)
		started = append(started, e)
		select {
		case <-e.Server.ReadyNotify():
		case err := <-e.Err():
			t.Fatalf("%s: %v", name, err)
		case <-time.After(time.Minute):
			t.Fatalf("%s did not join within a minute", name)
		}
	}
	members, err := v3client.New(started[0].Server).MemberList(t.Context())
	if err != nil || len(members.Members) != len(machines) {
		t.Fatalf("members %v: %v", members, err)
	}
	for _, e := range started {
		client := v3client.New(e.Server)
		put, err := client.Put(t.Context(), "/after", "x")
		if err != nil || put.Header.Revision <= restored || put.Header.Revision > restored+10 {
			t.Errorf("writes revision %v after %d: %v", put, restored, err)
		}
		watch := <-client.Watch(t.Context(), "/registry", clientv3.WithPrefix(), clientv3.WithRev(restored-1))
		if watch.CompactRevision == 0 {
			t.Errorf("a watch from before goes on: %v", watch.Err())
		}
	}
}

// TestPlanServerThatJoinsNone: a server that joins no other is not emptied.
func TestPlanServerThatJoinsNone(t *testing.T) {
	programs := buildPrograms(t)
	dir := t.TempDir()
	inflate(t, testdata+"clusters/rows/plain/backup.db.gz", filepath.Join(dir, "backup.db"))
	r := programs.plan(t, "3.7", dir, "backup.db --platform=k3s")
	for _, s := range r.Steps {
		for _, c := range s.Commands {
			if s.ID != "restore" || c.Host != "servers/others" {
				continue
			}
			config := filepath.Join(dir, "etc/rancher/k3s/config.yaml")
			line := strings.ReplaceAll(c.Run, "/etc/rancher", filepath.Join(dir, "etc/rancher"))
			for text, want := range map[string]string{"server: https://a:6443": "joins", `"server": https://a:6443`: "joins", "node-name: server-1": "none"} {
				if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(config, []byte("token: x\n"+text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				out := strings.TrimSpace(string(programs.shell(t, "3.7", dir, "( "+line+" ) && echo joins || echo none")))
				if !strings.HasSuffix(out, want) || strings.Contains(out, "token") {
					t.Errorf("%s: %q, want %s", text, out, want)
				}
			}
			return // the first of them looks
		}
	}
	t.Error("nothing looks whether a server joins another")
}

// TestPlanK0s plays the runbook of k0s on three controllers, each command twice, out of
// the archive that k0s backup makes.
func TestPlanK0s(t *testing.T) {
	programs := buildPrograms(t)
	run := testdata + "clusters/rows/plain/"
	last := highest(t, run+"truth.json.gz")
	dir := t.TempDir()
	inflate(t, run+"backup.db.gz", filepath.Join(dir, "one.db"))
	inflate(t, run+"current.db.gz", filepath.Join(dir, "current.db"))
	programs.shell(t, "3.7", dir, "etcdutl snapshot restore one.db --data-dir=before --name=a --initial-advertise-peer-urls="+peerURL("a")+" --initial-cluster="+initialCluster+
		` && cp before/member/snap/db etcd-snapshot.db && openssl dgst -sha256 -binary etcd-snapshot.db > sum && cat sum >> etcd-snapshot.db &&
mkdir pki manifests && echo key > pki/ca.key && echo spec: > k0s.yaml && tar --create --gzip --file="k0s_backup of today.tar.gz" etcd-snapshot.db pki manifests k0s.yaml && rm -r pki etcd-snapshot.db k0s.yaml`)
	archive := bytesOf(t, dir, "k0s_backup of today.tar.gz", "current.db")
	machines := []string{"a", "b", "c"}
	for _, machine := range machines {
		member := filepath.Join(dir, "hosts", machine, "var/lib/k0s/etcd/member/snap")
		programs.shell(t, "3.7", dir, "mkdir -p "+member+" && echo "+machine+" > "+member+"/db")
	}
	r := programs.plan(t, "3.7", dir, "'k0s_backup of today.tar.gz' current.db --platform=k0s --etcd-version=3.7")
	programs.play(t, "3.7", dir, r, machines, true, "bring-files", "stop", "restore", "start-etcd")
	for _, machine := range machines {
		host := filepath.Join(dir, "hosts", machine)
		former, err := filepath.Glob(filepath.Join(host, "var/lib/k0s/etcd/member.before-*/snap/db"))
		if err != nil || len(former) != 1 {
			t.Fatalf("the former data is at %q: %v", former, err)
		}
		if data, err := os.ReadFile(former[0]); err != nil || string(data) != machine+"\n" {
			t.Errorf("the former data of %s is %q: %v", machine, data, err)
		}
		log, err := os.ReadFile(filepath.Join(host, "log"))
		if err != nil || !strings.Contains(string(log), "systemctl stop k0scontroller") || !strings.HasSuffix(string(log), "systemctl start --no-block k0scontroller\n") {
			t.Errorf("%s: %q: %v", machine, log, err)
		}
	}
	if r.Bump.Restored <= last {
		t.Errorf("planned to start at %d, and %d was seen", r.Bump.Restored, last)
	}
	startMembers(t, filepath.Join(dir, "hosts"), machines, r.Bump.Restored, "var/lib/k0s/etcd")
	if now := bytesOf(t, dir, "k0s_backup of today.tar.gz", "current.db"); !bytes.Equal(archive, now) {
		t.Error("the evidence has changed")
	}
}
