package runbook

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// setAside moves a path to one beside it that is named after this restore, once: what is
// there is evidence, and neither written over nor put inside of itself.
func (b *builder) setAside(h Host, what string) Command {
	to := what + "." + b.before()
	c := script(h, fmt.Sprintf("sudo test ! -e %[1]s || sudo test -e %[2]s || sudo mv --no-target-directory %[1]s %[2]s", what, to))
	return c.says("Keeps the former data, which is evidence.")
}

// before is the end of the name of what this restore moves aside.
// Of a restore without a bump the newest revision before it tells it from the next one of
// the same backup.
func (b *builder) before() string {
	if b.plan.BumpRevision == 0 && b.Current != nil {
		return fmt.Sprintf("before-%d-at-%d", b.bump.Restored, b.Current.State.Revision)
	}
	return fmt.Sprintf("before-%d", b.bump.Restored)
}

// restoreK3s restores the first server, which the others join again.
func (b *builder) restoreK3s(s *Step) {
	program, db := string(b.id), path.Dir(b.dataDir)
	s.Commands = append(s.Commands,
		call(FirstServer, "rm", "-f", db+"/reset-flag").root().says("An earlier reset may have left it, and it would refuse this one."),
		script(FirstServer, fmt.Sprintf("sudo %s server --cluster-reset --etcd-s3=false --cluster-reset-restore-path=\"$PWD\"/%s", program, b.restored()), program).reads(b.restored()).
			says("With the token of the backup (--token, where it is not in %s/token) and the flags that this server is run with. It ends by itself and keeps the old data beside the new: that of the last five resets.", path.Dir(db)),
		b.joins(),
		b.setAside(OtherServers, db).says("They join the first server again. Keeps what they had, which is evidence."),
	)
	s.Warnings = append(s.Warnings, fmt.Sprintf("The first server is the one that joins no other: the reset is refused where server is set in the configuration. If that one is lost, take server out of /etc/rancher/%s/config.yaml on the one that is restored.", program))
}

// joins shows that a server joins another one when it starts without data. One that
// joins none would begin a cluster of its own (k3s pkg/etcd ETCD.Start).
func (b *builder) joins() Command {
	unit, port := "k3s", "6443"
	if b.id == RKE2 {
		unit, port = "rke2-server", "9345"
	}
	line := fmt.Sprintf("sudo sh -c 'cat /etc/rancher/%[1]s/config.yaml /etc/rancher/%[1]s/config.yaml.d/*.yaml /etc/systemd/system/%[2]s.service* /usr/local/lib/systemd/system/%[2]s.* /etc/default/%[2]s /etc/sysconfig/%[2]s 2>/dev/null | grep -e ^server: -e ^.server.: -e --server -e %[3]s_URL='", b.id, unit, strings.ToUpper(string(b.id)))
	return script(OtherServers, line).
		says("Prints which server it joins, the first one. Where it prints nothing, this server would begin a cluster of its own: write server: https://FIRST_SERVER:%s into /etc/rancher/%s/config.yaml before you go on.", port, b.id)
}

// emptyTalos saves what the members have, and empties their nodes.
func (b *builder) emptyTalos() []Command {
	saved := "etcd-$node." + b.before()
	return []Command{
		script(Workstation, `( for node in CONTROL_PLANE_IPS; do
    [ -e "`+saved+`" ] || { rm -rf part && mkdir part && talosctl --nodes="$node" copy /var/lib/etcd part && mv part "`+saved+`"; } || exit
  done )`, "talosctl").
			says("Saves the data directory of every member, log and all. It is evidence, and wiped next. CONTROL_PLANE_IPS are the addresses, with blanks between them."),
		script(Workstation, `( for node in CONTROL_PLANE_IPS; do ls "`+saved+`/member/snap/db" "`+saved+`/member/wal" || exit; done
  for node in CONTROL_PLANE_IPS; do
    talosctl --nodes="$node" reset --graceful=false --reboot --system-labels-to-wipe=EPHEMERAL || exit
  done )`, "talosctl").
			says("The point of no return: wipes etcd's data on these nodes, once that of all is saved. If it ends with an error, run it again before you go on."),
	}
}

func (b *builder) restoreTalos(s *Step) {
	restore := []string{"talosctl", "--nodes=FIRST_CONTROL_PLANE_IP", "bootstrap", "--recover-from=" + b.restored()}
	if !b.bumpsFile() && b.Backup.Facts.NoTrailer {
		restore = append(restore, "--recover-skip-hash-check")
	}
	s.Commands = append(s.Commands,
		wait(Workstation, "etcd waits to be bootstrapped", 900,
			`state=$(talosctl --nodes=FIRST_CONTROL_PLANE_IP service etcd) && printf '%s\n' "$state" | grep -q 'STATE *Preparing'`,
			"bootstrap is refused before that. Look at talosctl --nodes=FIRST_CONTROL_PLANE_IP dmesg.", "talosctl"),
		call(Workstation, restore...).reads(b.restored()).says("On one node only. The others join it."),
	)
}

func (b *builder) restoreOpenShift(s *Step) {
	s.Commands = append(s.Commands,
		formerAside(),
		script(FirstControlPlane, `sudo -E /usr/local/bin/cluster-restore.sh "$PWD"/`+carried, "/usr/local/bin/cluster-restore.sh").reads(sums),
		call(Workstation, "oc", "patch", "etcd/cluster", "--type=merge", `--patch={"spec":{"unsupportedConfigOverrides":{"useUnsupportedUnsafeNonHANonProductionUnstableEtcd":true}}}`).
			says("Turns the quorum guard off, so that etcd is rolled out to the others. oc needs a kubeconfig with a certificate, because the restored state may not know your token."),
		call(Workstation, "oc", "adm", "wait-for-stable-cluster").says("Up to 15 minutes. If it is stuck: oc patch etcd/cluster --type=merge --patch='{\"spec\":{\"forceRedeploymentReason\":\"recovery-1\"}}', with a reason that was not used before."),
		call(Workstation, "oc", "patch", "etcd/cluster", "--type=merge", `--patch={"spec":{"unsupportedConfigOverrides":null}}`).says("Turns the quorum guard on again."),
	)
	s.Warnings = append(s.Warnings, "Before you run cluster-restore.sh again, move /var/lib/etcd-backup away again, as above: it holds the former data, and the script removes it.")
}

// formerAside moves away what cluster-restore.sh would remove.
func formerAside() Command {
	return script(FirstControlPlane, `sudo test ! -e /var/lib/etcd-backup || sudo mv --no-target-directory /var/lib/etcd-backup "/var/lib/etcd-backup.$(date +%s)"`).
		says("Keeps the data from before an earlier restore, which cluster-restore.sh would remove.")
}

func (b *builder) restoreKops(s *Step) {
	for _, cluster := range []string{"main", "events"} {
		store := "--backup-store=STATE_STORE/backups/etcd/" + cluster
		s.Commands = append(s.Commands,
			call(Workstation, "etcd-manager-ctl", store, "list-backups").says("STATE_STORE is, for example, s3://BUCKET/CLUSTER."),
			call(Workstation, "etcd-manager-ctl", store, "restore-backup", "BACKUP_NAME_OF_"+map[string]string{"main": "MAIN", "events": "EVENTS"}[cluster]).says("Only leaves the order. etcd-manager restores when it restarts."),
		)
	}
	s.Commands = append(s.Commands, kills(ControlPlane, "etcd-manager").all().says("Restarts both etcd-managers, which then restore."))
	s.Checks = append(s.Checks, "/var/log/etcd.log of the leading control plane node says that the restore has ended. Until then the former etcd may answer.")
	s.Warnings = append(s.Warnings, "etcd-manager restores a backup of its own store. Make sure that BACKUP_NAME_OF_MAIN is the backup that this runbook is for.")
}

// restoreGardener takes the data away, which makes etcd-backup-restore restore its
// newest. A cluster of several members is brought back from one.
func (b *builder) restoreGardener(s *Step) {
	seed := func(args ...string) Command {
		return call(Workstation, slices.Concat([]string{"kubectl", "--kubeconfig=SEED_KUBECONFIG", "--namespace=SHOOT_NAMESPACE"}, args)...)
	}
	if len(b.Backup.Facts.Members) <= 1 {
		member := b.dataDir + "/member"
		s.Commands = append(s.Commands, seed("exec", "etcd-main-0", "--container=etcd", "--", "mv", "-n", "-T", member, member+"."+b.before()).
			says("Renames the former data, which is evidence. etcd ends, and the sidecar restores the newest of its store. If the image has no mv, use an ephemeral container (kubectl debug with --target=etcd), below /proc/1/root."),
			seed("wait", "pod/etcd-main-0", "--for=condition=Ready=false", "--timeout=5m").says("Waits until the former etcd has ended."),
			seed("wait", "pod/etcd-main-0", "--for=condition=Ready", "--timeout=15m"))
	} else {
		claims := "$(kubectl --kubeconfig=SEED_KUBECONFIG --namespace=SHOOT_NAMESPACE get persistentvolumeclaims --selector=instance=etcd-main --output=jsonpath='{.items[*].spec.volumeName}')"
		s.Commands = append(s.Commands,
			seed("annotate", "etcd/etcd-main", "druid.gardener.cloud/suspend-etcd-spec-reconcile=", "druid.gardener.cloud/disable-etcd-component-protection=", "--overwrite"),
			seed("scale", "statefulset/etcd-main", "--replicas=0"),
			wait(Workstation, "no member runs", 300, `pods=$(kubectl --kubeconfig=SEED_KUBECONFIG --namespace=SHOOT_NAMESPACE get pods --selector=instance=etcd-main --output=name) && [ -z "$pods" ]`, "Do not delete claims before.", "kubectl"),
			script(Workstation, "volumes="+claims+` && kubectl --kubeconfig=SEED_KUBECONFIG patch persistentvolumes $volumes --patch='{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}' &&
    kubectl --kubeconfig=SEED_KUBECONFIG --namespace=SHOOT_NAMESPACE delete persistentvolumeclaims --selector=instance=etcd-main`, "kubectl").
				says("The volumes of the members are evidence: only when they are kept are their claims deleted."),
			seed("delete", "leases", "--selector=app.kubernetes.io/component=etcd-member-lease,app.kubernetes.io/part-of=etcd-main"),
			seed("edit", "configmap", "ETCD_CONFIGMAP").says("One member only in initial-cluster, initial-advertise-peer-urls and advertise-client-urls: etcd-main-0."),
			seed("scale", "statefulset/etcd-main", "--replicas=1"),
			seed("rollout", "status", "statefulset/etcd-main", "--timeout=15m"),
			seed("annotate", "etcd/etcd-main", "druid.gardener.cloud/suspend-etcd-spec-reconcile-", "druid.gardener.cloud/disable-etcd-component-protection-"),
			seed("annotate", "etcd/etcd-main", "gardener.cloud/operation=reconcile").says("The other members join again."),
		)
	}
}

func (b *builder) restoreVCluster(s *Step) {
	host := "kubectl --context=HOST_CONTEXT"
	s.Commands = append(s.Commands,
		script(Workstation, "[ -e pvcs.yaml ] || { "+host+" --namespace=HOST_NAMESPACE get persistentvolumeclaims --output=yaml > part.yaml && mv part.yaml pvcs.yaml; }", "kubectl").writes("pvcs.yaml").
			says("Saves the claims. vcluster restore deletes all workload pods, and every claim but that of the first replica."),
		script(Workstation, `( volumes=$(`+host+` --namespace=HOST_NAMESPACE get persistentvolumeclaims --no-headers --output=custom-columns=V:.spec.volumeName) || exit
  for volume in $volumes; do
    [ "$volume" = '<none>' ] || `+host+` patch persistentvolume "$volume" --patch '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}' || exit
  done
  vcluster restore VCLUSTER_NAME SNAPSHOT_URL --namespace=HOST_NAMESPACE )`, "kubectl", "vcluster").
			says("Restores only if every volume is kept. Check the arguments of vcluster restore against your version's documentation."),
	)
}
