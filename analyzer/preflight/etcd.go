package preflight

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/internal/words"
)

// The minor versions of etcd 3 of which it was seen whether they start on restored stores:
// snapshots of oldestEtcd to newestEtcd, each with 3.5, 3.6 and 3.7, on one member.
const oldestEtcd, oldestRun, newestEtcd = 4, 5, 7

// etcdVersion holds the version that stored the backup against the one that will run it.
func (r *run) etcdVersion() result {
	meta := r.Backup.Snapshot.Meta()
	stored := cmp.Or(meta.StorageVersion, meta.ClusterVersion)
	from, to := minor(stored, 3), minor(r.targets.Etcd, 3)
	switch {
	case r.targets.Etcd == "":
		return unknown("which etcd will run it was not stated, and no current state shows it").doing("State it: --etcd-version 3.6.")
	case from < 0:
		return unknown("the backup does not show which etcd stored it; etcd %s will run it (%s)", r.targets.Etcd, r.targets.EtcdFrom)
	case from < oldestEtcd || from > newestEtcd || to > newestEtcd || to < oldestRun && to != from:
		return unknown("etcd %s stored it and %s will run it (%s), and no such pair was tried", stored, r.targets.Etcd, r.targets.EtcdFrom)
	case to < from && to >= 6:
		return fail("etcd %s stored it, and %s does not start on it (%s): version %q is not supported", stored, r.targets.Etcd, r.targets.EtcdFrom, stored)
	case to < from:
		return warn("etcd %s stored it, and the older %s will run it (%s): it was seen to start, but etcd supports no such step without a downgrade", stored, r.targets.Etcd, r.targets.EtcdFrom)
	case to > from+1:
		return warn("etcd %s stored it, and %s will run it (%s): it was seen to start, but etcd supports one minor version at a time", stored, r.targets.Etcd, r.targets.EtcdFrom)
	}
	return pass("etcd %s stored it, and %s will run it (%s)", stored, r.targets.Etcd, r.targets.EtcdFrom)
}

func (r *run) etcdMembers() result {
	meta := r.Backup.Snapshot.Meta()
	if len(meta.Members) == 0 {
		return unknown("the backup names no member of etcd")
	}
	var learners, voters []string
	for _, m := range meta.Members {
		name := strings.TrimSpace(m.Name + " " + m.ID)
		if m.Learner {
			learners = append(learners, name)
		} else {
			voters = append(voters, name)
		}
	}
	switch {
	case len(voters) == 0:
		return fail("it names no member that votes, only learners: %s", words.First(learners, mostPoints))
	case len(learners) > 0:
		return warn("%s: %s; a restore makes no learner", words.CountOf(len(learners), "member is a learner", "members are learners"), words.First(learners, mostPoints))
	case meta.Stale:
		return warn("names and URLs of its members may be of when each was added: etcd 3.5.1 to 3.5.19 do not store what changes")
	}
	return pass("%s: %s", words.CountOf(len(voters), "member votes", "members vote"), words.First(voters, mostPoints))
}

func (r *run) alarm() result {
	var p points
	for _, a := range r.Backup.Snapshot.Alarms() {
		switch a.Kind {
		case "NOSPACE":
			p.add(Fail, nil, "NOSPACE is raised by member %s: the restored etcd refuses every write", a.Member)
		case "CORRUPT":
			p.add(Fail, nil, "CORRUPT is raised by member %s: the restored etcd serves nothing", a.Member)
		default:
			p.add(Warn, nil, "an alarm %s is raised by member %s", a.Kind, a.Member)
		}
	}
	return p.result(pass("none is raised"))
}

func (r *run) quota() result {
	size := r.Backup.Snapshot.BackendSize()
	share := float64(size) / float64(r.Quota)
	text := fmt.Sprintf("%d bytes, %.1f %% of the quota of %d", size, 100*share, r.Quota)
	limit := r.Policy.Limits.Size
	switch {
	case size >= r.Quota:
		return fail("%s: the first write raises NOSPACE", text)
	case limit > 0 && share > limit:
		return fail("%s; the policy allows %.1f %%", text, 100*limit)
	case limit == 0 && share > usualSize:
		return warn("%s", text)
	}
	return pass("%s", text)
}

func (r *run) room() result {
	newest := r.Backup.State.NewestRecord
	if restore.LargestBump(newest) == 0 {
		return fail("its newest record is revision %d, and etcd counts to 9223372036854775807: no bump fits", newest)
	}
	return pass("its newest record is revision %d, and a bump of up to %d fits", newest, restore.LargestBump(newest))
}

func (r *run) bump() result {
	if r.noPlan != nil {
		return fail("%v", r.noPlan)
	}
	b := &r.runbook.Bump
	text := strings.TrimSpace(fmt.Sprintf("%s %s", bumpText(b), b.Reason))
	switch {
	case r.prediction != nil && r.prediction.Revisions.NoBumpFits != "", b.Verdict == restore.BumpSmall, b.Verdict == restore.NoBump && b.Minimum > 0 && !r.runbook.Plan.RestartKubelets.All:
		return fail("%s", text).doing("Follow the runbook, which has the bump or the restarts: revenant plan BACKUP CURRENT.")
	case r.needs != "" && b.Minimum == 0:
		return unknown("%s: nothing shows what was served since. %s", r.needs, text)
	case b.Verdict == restore.BumpUnsure && r.needs == "":
		return warn("%s", text)
	case b.Verdict == restore.BumpUnsure:
		return unknown("%s: it is enough for what is stated. %s", r.needs, text)
	}
	return pass("%s", text)
}

func bumpText(b *runbook.Bump) string {
	if b.Revision == 0 {
		return fmt.Sprintf("At least %d would be needed.", b.Minimum)
	}
	return fmt.Sprintf("At least %d is needed; the plan makes it %d.", b.Minimum, b.Revision)
}

// bumpCarried says whether the platform's restore and its tools can make a bump.
func (r *run) bumpCarried() result {
	v, err := version.ParseGeneric(r.EtcdVersion)
	exact := err == nil && len(v.Components()) > 2 && v.Major() == 3
	switch {
	case exact && v.Minor() == 5 && v.Patch() < 10:
		return fail("etcdutl %s has no --bump-revision: it came with 3.5.10", r.EtcdVersion)
	case exact && v.Minor() == 4 && v.Patch() < 27:
		return fail("etcdctl %s has no --bump-revision: it came with about 3.4.27", r.EtcdVersion)
	case r.targets.Platform == "":
		return unknown("what set the control plane up was not stated, and nothing in the backup points to it").doing("State it: --platform NAME.")
	case r.noPlan != nil:
		return unknown("there is no plan: %v", r.noPlan)
	}
	p := &r.runbook.Platform
	from := fmt.Sprintf("(%s)", r.targets.PlatformFrom)
	switch p.Bumps {
	case runbook.BumpsNothing:
		return warn("the restore of %s cannot be given a bump %s: the runbook restarts all kubelets instead", p.Title, from)
	case runbook.BumpsItself:
		if len(r.facts.BumpMarkers) > 0 {
			return warn("%s makes the bump itself %s, from an index that starts again with each restore, and the backup is of a store that was restored before: it may be far too small", p.Title, from)
		}
		return pass("%s makes the bump itself %s", p.Title, from)
	case runbook.BumpsSnapshot:
		return pass("etcdutl makes a snapshot with the bump in it, which the restore of %s takes %s", p.Title, from)
	}
	return pass("etcdutl makes the data directories of %s, with the bump %s", p.Title, from)
}
