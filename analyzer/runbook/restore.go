package runbook

import (
	"fmt"
	"slices"

	"revenant/analyzer/restore"
)

// restore makes the restored store.
func (b *builder) restore() Step {
	s := Step{ID: "restore", Title: "Restore with a bump", Why: b.whyBump()}
	switch {
	case b.plan.BumpRevision == 0:
		s.Title = "Restore"
	case b.bumps == BumpsItself:
		s.Title = "Restore with the platform's own bump"
	}
	if b.bumps == BumpsDataDirectory {
		b.restoreByHand(&s)
	} else {
		b.restoreOwn(b, &s)
	}
	switch b.bump.Verdict {
	case restore.BumpSmall:
		if b.noBump {
			break // which is among the warnings of the plan
		}
		s.Warnings = append(s.Warnings, fmt.Sprintf("This bump is too small. It takes %d or more to pass what is known to have been served. Kubelets that have seen more stay deaf.", b.bump.Minimum))
	case restore.BumpUnsure:
		s.Warnings = append(s.Warnings, b.whyUnsure())
	}
	if b.byHand() && b.Backup.Facts.NoTrailer {
		s.Warnings = append(s.Warnings, "The backup is a copy of a db file, without a SHA-256. The restore needs --skip-hash-check, and nothing proves that the file is whole.")
	}
	return s
}

func (b *builder) whyBump() string {
	switch {
	case b.plan.BumpRevision == 0:
		return b.bump.Reason
	case b.bump.Verdict == restore.BumpSmall:
		return fmt.Sprintf("The backup is at revision %d. The bump of %d starts etcd at %d.", b.bump.Base, b.bump.Revision, b.bump.Restored)
	case b.bumps == BumpsItself:
		return "The bump must start etcd above everything that watchers have seen. Then API servers refuse their watches, and they list again."
	}
	where := "above everything that watchers can have seen. API servers refuse their watches, and they list again"
	if b.bump.Verdict != restore.BumpEnough {
		where = "and API servers refuse the watch of everyone who has seen less. Those list again"
	}
	return fmt.Sprintf("The backup is at revision %d. The bump of %d starts etcd at %d, %s.", b.bump.Base, b.bump.Revision, b.bump.Restored, where)
}

func (b *builder) whyUnsure() string {
	if b.Comparison == nil {
		return fmt.Sprintf("The backup alone does not show whether anything above revision %d was served. If so, use a larger bump.", b.bump.Restored)
	}
	return "The bump is enough only if little was written after the current snapshot."
}

// flags are etcdutl's flags for the bump and the trailer.
func (b *builder) flags() []string {
	var list []string
	if b.plan.BumpRevision > 0 {
		list = append(list, fmt.Sprintf("--bump-revision=%d", b.plan.BumpRevision), "--mark-compacted")
	}
	if b.Backup.Facts.NoTrailer {
		list = append(list, "--skip-hash-check")
	}
	return list
}

// restoreByHand makes the new data of every member beside the old, looks at it, and
// puts it into its place. The data directory itself stays: it may be a mount.
func (b *builder) restoreByHand(s *Step) {
	members, cluster, known := b.members()
	made := fmt.Sprintf("%s/restored-%d", b.dataDir, b.bump.Restored)
	member := b.dataDir + "/member"
	log := b.logApart(member)
	root := func(h Host, argv ...string) Command {
		c := call(h, argv...).root()
		if argv[0] == "env" {
			c.Programs = argv[2:3]
		}
		return c
	}
	for _, m := range members {
		argv := b.etcdutl("snapshot", "restore", b.restored(),
			"--data-dir="+made,
			"--name="+m.name,
			"--initial-cluster="+cluster,
			fmt.Sprintf("--initial-cluster-token=restored-%d", b.bump.Restored),
			"--initial-advertise-peer-urls="+m.peers,
		)
		look := root(m.host, b.etcdutl("snapshot", "status", made+"/member/snap/db", "--write-out=json")...).reads(made, tool(b.etcd.program)).says("Shows the revision.").all()
		s.Commands = append(s.Commands,
			call(m.host, append([]string{"rm", "-rf", made}, log.made...)...).root().says("Removes what an earlier attempt at this step has left."),
			root(m.host, slices.Concat(argv, log.flags, b.flags())...).flagALine().reads(b.restored(), tool(b.etcd.program)).writes(append(log.made, made)...),
			look,
		)
	}
	for _, m := range members {
		s.Commands = append(s.Commands, log.aside(m.host)...)
		s.Commands = append(s.Commands, b.setAside(m.host, member),
			script(m.host, fmt.Sprintf("sudo test ! -e %[1]s.%[3]s || sudo chown -R --reference=%[1]s.%[3]s %[2]s", member, made, b.before())).reads(made).says("Gives the new data the owner of the former data."))
		s.Commands = append(s.Commands, log.into(m.host)...)
		s.Commands = append(s.Commands,
			call(m.host, "mv", "--no-target-directory", made+"/member", member).root().reads(made).says("Run a second time, it says that the directory is not empty, and changes nothing."),
		)
	}
	s.Checks = append(s.Checks, fmt.Sprintf("The revision is %d on every member, before you move anything.", b.bump.Restored), log.check)
	if len(members) > 1 || !known {
		s.Warnings = append(s.Warnings, "Restore every member from the same file, with the same bump. One that differs corrupts the cluster.")
	}
	if !known {
		s.Warnings = append(s.Warnings, "The backup does not name its members: fill in name, peer URLs and cluster as etcd is started with them.")
	}
}
