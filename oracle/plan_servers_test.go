package oracle

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
