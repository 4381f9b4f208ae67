package runbook

import (
	"fmt"
	"slices"

	"revenant/decoder/snapshot"
)

// alarms wins space and disarms what the restored file has raised. The bucket of alarms
// comes along with a restore (etcdutl/v3 v3.6 snapshot/v3_snapshot.go touches keys, meta
// and members only), and etcd raises NOSPACE again with the first write above its quota
// (server/v3 v3.6 etcdserver/apply/quota.go), so disarming comes last.
func (b *builder) alarms() Step {
	raised := b.Backup.Facts.Alarms
	if len(raised) == 0 {
		return Step{}
	}
	s := Step{
		ID: "disarm", Title: "Disarm the alarms of the backup",
		Why:      "Alarms are stored in the backup and come back with it, under the ids of the former members. While one is raised, etcd refuses writes, and API servers do not come up.",
		Commands: []Command{b.etcdctl(b.endpoints(), "alarm", "list")},
	}
	s.covers(coversAlarm)
	of := func(kind string) bool {
		return slices.ContainsFunc(raised, func(a snapshot.Alarm) bool { return a.Kind == kind })
	}
	if of("NOSPACE") {
		s.Title = "Win space, then disarm the alarms of the backup"
		s.Why += " NOSPACE is raised again by the first write for as long as the db is larger than its quota, so space is won first: old revisions are compacted, and defragmenting gives their pages back."
		if b.plan.BumpRevision == 0 {
			revision := "REVISION"
			if b.bump.Restored > 0 {
				revision = fmt.Sprint(b.bump.Restored)
			}
			s.Commands = append(s.Commands, b.etcdctl(b.endpoint(), "compact", "--physical", revision).
				says("Compaction and defragmenting are not refused. A second time, it says that the revision has been compacted."))
		} else {
			s.Why += " The bump has already compacted: it marks everything before it as compacted."
		}
		s.Commands = append(s.Commands,
			b.etcdctl(b.endpoints(), "defrag", "--command-timeout=10m").says("Member by member. Each answers nothing meanwhile."),
			b.etcdctl(b.endpoints(), "endpoint", "status", "--write-out=table").says("Shows DB SIZE of each member (from etcd 3.6 on the quota, too)."))
		s.Checks = append(s.Checks, "DB SIZE of every member is well below its quota (--quota-backend-bytes, 2 GiB where it is not set). If it is not, do not disarm: restart etcd with a larger quota first (8 GiB at most is recommended), and find out what takes the space with revenant BACKUP, screen 0.")
	}
	if of("CORRUPT") {
		s.Commands = append(s.Commands, b.etcdctl(b.endpoints(), "endpoint", "hashkv", "--write-out=table"))
		s.Checks = append(s.Checks, "The hashes of all members are the same. CORRUPT says that members differed when the backup was taken: what was restored is what one of them had.")
	}
	s.Commands = append(s.Commands,
		b.etcdctl(b.endpoints(), "alarm", "disarm").says("Only when the checks below hold."),
		b.etcdctl(b.endpoints(), "alarm", "list").says("Prints nothing."))
	return s
}
