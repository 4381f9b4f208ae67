package play

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"revenant/decoder/snapshot"
)

const (
	kopsData   = "/mnt/main/data"
	kopsBackup = "2026-11-29T00:00:00Z-000001" // what the store calls the backup
)

func init() {
	platforms["kops"] = func() *Platform {
		dir := "/srv/kubernetes/kube-apiserver/"
		return &Platform{
			Workstation: []string{"revenant", "kubectl", "etcd-manager-ctl", "ssh", "scp"},
			Units:       []string{"kubelet"}, NodeUnits: []string{"kubelet"}, ServerKubelet: "kubelet", NodeKubelet: "kubelet",
			Static: []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"}, Port: "443",
			DataDir: kopsData, Certs: [3]string{dir + "etcd-ca.crt", dir + "etcd-client.crt", dir + "etcd-client.key"},
			Together: true, Recounts: true,
			Fill: map[string]func(*World, *Host) string{
				"STATE_STORE": says("s3://store/cluster"), "BACKUP_NAME_OF_MAIN": says(kopsBackup), "BACKUP_NAME_OF_EVENTS": says(kopsBackup),
				"ETCD_MANAGER_MAIN_POD": says("etcd-manager-main-0"),
			},
			Stubs:   map[string]Program{"etcd-manager-ctl": etcdManagerCtl, "pkill": kopsKill},
			Kubectl: kopsExec,
			SetUp: func(w *World, h *Host) {
				w.must(os.MkdirAll(h.Root+"/root", 0o700))
				w.must(os.MkdirAll(h.Root+manifestDir, 0o700))
				for _, name := range w.Platform.Static {
					w.must(os.WriteFile(filepath.Join(h.Root+manifestDir, name+".yaml"), []byte("static pod "+name+"\n"), 0o600))
				}
				w.start(h, "etcd")
				w.start(h, "etcd-manager")
				w.tickStatic(h)
			},
			Former: []string{"/mnt/main/data-trashcan/*/member"},
		}
	}
}

// etcdManagerCtl lists what is in the store, and leaves the order to restore there
// (kopeio/etcd-manager cmd/etcd-manager-ctl/main.go).
func etcdManagerCtl(c *Call) *answer {
	f, err := parse(c.Args, map[string]bool{"backup-store": true})
	if err != nil || len(f.words) == 0 {
		return fail("%v %q", err, c.Args)
	}
	store := f.get("backup-store")
	if !slices.Contains([]string{"s3://store/cluster/backups/etcd/main", "s3://store/cluster/backups/etcd/events"}, store) {
		return fail("error initializing backup store: no such store %q", store)
	}
	switch {
	case f.words[0] == "list-backups" && len(f.words) == 1:
		return &answer{Out: kopsBackup + "\n"}
	case f.words[0] == "restore-backup" && len(f.words) == 2 && f.words[1] == kopsBackup:
		if strings.HasSuffix(store, "/main") {
			c.w.order = c.w.backup
		}
		return &answer{Out: "added restore-backup command\n"}
	}
	return fail("unknown command %q", f.words)
}

// kopsExec calls etcdctl in the pod of etcd-manager, which has the host's root below
// /rootfs.
func kopsExec(c *Call, f *flags) *answer {
	if len(f.words) < 3 || f.words[0] != "exec" {
		return nil
	}
	if api, refused := c.w.apiServer(c.h, ""); api == nil {
		return &answer{Code: 1, Err: refused}
	}
	h := c.w.controlPlane()[0]
	if f.get("namespace") != "kube-system" || f.words[1] != "etcd-manager-main-0" || !strings.HasPrefix(f.words[2], "/opt/etcd-v") || !strings.HasSuffix(f.words[2], "/etcdctl") {
		return fail("Error from server (NotFound): %q", f.words)
	}
	args := []string{c.w.programs.Etcdctl}
	for _, arg := range f.words[3:] {
		arg = strings.ReplaceAll(arg, "/rootfs/", h.Root+"/")
		args = append(args, strings.ReplaceAll(arg, "https://127.0.0.1:4001", h.Etcd.Client))
	}
	return &answer{Exec: args, Env: []string{"ETCDCTL_COMMAND_TIMEOUT=2s"}}
}

// kopsKill is pkill: a manager of etcd that is killed is started again at once, and the
// last one to come carries the order out.
func kopsKill(c *Call) *answer {
	name, err := exactly(c.Args)
	if err != nil || name != "etcd-manager" {
		return stubs["pkill"](c)
	}
	if !c.Root {
		return fail("pkill: killing pid 4711 failed: Operation not permitted")
	}
	w := c.w
	c.h.restarts["etcd-manager"]++
	for _, h := range w.controlPlane() {
		if h.restarts["etcd-manager"] < 2 {
			return &answer{}
		}
	}
	if w.order != "" {
		w.must(w.carryOut(w.order))
		w.order = ""
	}
	return &answer{}
}

// carryOut starts a new cluster of etcd beside the former data, and copies the keys of a
// backup into it, one by one (pkg/etcd/restore.go): leases and revisions are lost.
func (w *World) carryOut(backup string) error {
	hosts := w.controlPlane()
	if w.playing {
		w.served = max(w.served, w.revision())
	}
	for _, h := range hosts {
		if p := h.procs["etcd"]; p != nil {
			p.cmd.Process.Kill()
			<-p.done
			h.keepSum(w)
			delete(h.procs, "etcd")
		}
		data := h.Root + kopsData
		trash := h.Root + "/mnt/main/data-trashcan"
		if err := os.MkdirAll(trash, 0o700); err != nil {
			return err
		}
		if err := os.Rename(data, filepath.Join(trash, time.Unix(w.now, 0).UTC().Format("20060102150405"))); err != nil && !os.IsNotExist(err) {
			return err
		}
		if a := h.procs["kube-apiserver"]; a != nil { // its connections break, and its cache stays
			a.serving = false
		}
	}
	for _, h := range hosts {
		h.Etcd.joins = false
		w.start(h, "etcd")
	}
	for i := 0; w.revision() == 0 && i < 200; i++ {
		time.Sleep(50 * time.Millisecond)
	}
	data, err := os.ReadFile(backup)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := snapshot.OpenBytes(ctx, "backup", data, snapshot.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	for r := range s.Keys("") {
		value, err := s.Value(r)
		if err != nil {
			return err
		}
		if _, err := w.etcd().KV.Do(ctx, clientv3.OpPut(r.Key, string(value))); err != nil {
			return err
		}
	}
	w.podsAt = 0
	w.event(hosts[0], "etcd-manager has restored at revision %d", w.revision())
	return nil
}
