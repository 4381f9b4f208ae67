package preflight

import (
	"errors"
	"fmt"
	"strings"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/container"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

func (r *run) trailer() result {
	for _, c := range r.Evidence[0].Integrity {
		if c.Name != "trailer" {
			continue
		}
		switch c.Verdict {
		case snapshot.OK:
			return pass("its SHA-256 vouches for every byte")
		case snapshot.Absent:
			return warn("%s", c.Detail)
		case snapshot.Bad:
			return fail("%s", c.Detail)
		default:
			return unknown("%s", c.Detail)
		}
	}
	return unknown("nothing was checked")
}

// damage lists the damage of a snapshot that is, or is not, in its history.
func damage(s *snapshot.Snapshot, history bool) (list []string) {
	for _, p := range s.Problems() {
		if p.Severity != snapshot.Damage || p.Where == "log" || p.Where == "deltas" || p.Where == "directory" {
			continue
		}
		if strings.HasPrefix(p.Where, "revision") == history {
			list = append(list, p.String())
		}
	}
	return list
}

func (r *run) content() result {
	if list := damage(r.Backup.Snapshot, false); len(list) > 0 {
		return fail("%s: %s", words.Count(len(list), "problem"), words.Clauses(list, mostPoints, len(list)))
	}
	return pass("every page and bucket is as etcd writes it, %s", words.PlainOf(r.Backup.Snapshot.Len(), "record", "records"))
}

func (r *run) history() result {
	s, e := r.Backup.Snapshot, r.Evidence[0]
	if list := damage(s, true); len(list) > 0 {
		return fail("%s: %s", words.Count(len(list), "problem"), words.Clauses(list, mostPoints, len(list)))
	}
	switch {
	case s.Len() == 0:
		return unknown("no revision can be reached")
	case e.CompactUnknown:
		return unknown("the record of the compact revision is lost, so a revision below it may be missing")
	case e.CompactRevision == 0:
		return pass("no revision up to %d is missing", e.Revision)
	}
	return pass("no revision from %d to %d is missing", e.CompactRevision, e.Revision)
}

// lacking judges what is missing from evidence, but for what damage explains.
func lacking(e restore.Evidence, what string) result {
	var p points
	for _, m := range e.Missing {
		switch {
		case m.Kind == snapshot.MissingContent || m.Kind == snapshot.MissingBytes:
		case m.Sure():
			p.add(Fail, nil, "%s lacks %s; %s", what, m.What, m.Bound())
		default:
			p.add(Warn, nil, "%s may lack %s; %s", what, m.What, m.Bound())
		}
	}
	otherwise := pass("nothing is known to be missing")
	if len(e.Missing) > 0 {
		otherwise = unknown("what damage took away is missing, and more may be")
	}
	return p.result(otherwise)
}

func (r *run) complete() result { return lacking(r.Evidence[0], "it") }

func (r *run) container() result {
	s, e := r.Backup.Snapshot, r.Evidence[0]
	const salvage = "Write a snapshot out of it: revenant salvage %s -o FILE, and check that file."
	switch format := e.Custody.Format; {
	case s.TornPossible():
		return fail("a running etcd uses it, and parts of several states may be mixed").doing("Save a snapshot of the member instead: etcdctl snapshot save FILE.")
	case e.Deltas != nil:
		return warn("it is a full snapshot and delta files: etcdutl takes the full one alone, without what came after it").doing("Restore with etcdbrctl, or write one snapshot of all: revenant salvage BACKUP -o FILE.")
	case e.WAL != nil || format == container.Directory:
		return warn("it is a member's data directory (%s), which etcdutl does not take for a snapshot", format).doing(salvage, "BACKUP")
	case format != container.Plain:
		return warn("it is packed (%s), and etcdutl takes no packed file", format).doing("Unpack it where it is restored, and check the unpacked file.")
	}
	return pass("it is a file that is packed in nothing")
}

// current judges the evidence of the current state.
func (r *run) current() result {
	if r.Current == nil {
		return unknown("no current state was given")
	}
	s, e := r.Current.Snapshot, r.Evidence[1]
	var p points
	for _, c := range e.Integrity {
		switch {
		case c.Name == "content": // below
		case c.Verdict == snapshot.Bad:
			p.add(Fail, nil, "%s: %s", c.Name, c.Detail)
		case c.Verdict == snapshot.Skipped:
			p.add(Unknown, nil, "%s: %s", c.Name, c.Detail)
		}
	}
	if list := append(damage(s, false), damage(s, true)...); len(list) > 0 {
		p.add(Fail, nil, "%s: %s", words.Count(len(list), "problem"), words.Clauses(list, mostPoints, len(list)))
	}
	if e.CompactUnknown {
		p.add(Unknown, nil, "the record of its compact revision is lost")
	}
	if l := lacking(e, "it"); l.Verdict != Pass {
		p.add(l.Verdict, nil, "%s", l.reason)
	}
	return p.result(pass("it is whole as far as is known, revision %d", e.Revision))
}

// unlikePair says why the two snapshots cannot be compared, "" when they can.
func (r *run) unlikePair() string {
	if v := r.sameCluster(); v.Verdict == Fail {
		return "the two are of different clusters"
	}
	if v := r.order(); v.Verdict == Fail {
		return "the two are not in order: " + v.reason
	}
	return ""
}

func (r *run) sameCluster() result {
	if r.Current == nil {
		return unknown("no current state was given")
	}
	why := ""
	if err := restore.Check(r.Backup.State, r.Current.State); errors.Is(err, restore.ErrOtherCluster) {
		why = err.Error()
	} else if r.Lineage.Relation == lineage.Unrelated {
		why = r.Lineage.Reason
	}
	switch {
	case why != "" && r.Force:
		return warn("%s; they are treated as one cluster, as stated", why)
	case why != "":
		return fail("%s", why)
	case r.Lineage.Relation == lineage.Diverged:
		return warn("it is, but an earlier restore lies between the two: %s", r.Lineage.Reason)
	case r.Lineage.Relation == lineage.Unknown:
		return unknown("%s", r.Lineage.Reason)
	}
	return pass("%s", r.Lineage.Reason)
}

func (r *run) order() result {
	if r.Current == nil {
		return unknown("no current state was given")
	}
	if err := restore.CheckOrder(r.Backup.State, r.Current.State); err != nil {
		return fail("%v", err)
	}
	return pass("the backup is at revision %d, the current state at %d", r.Backup.State.Revision, r.Current.State.Revision)
}

func (r *run) age() result {
	taken := r.Backup.State.Clock.Taken()
	if taken.From.IsZero() {
		return unknown("nothing in the backup shows when it was taken")
	}
	age := r.At.Sub(taken.From)
	if age < 0 {
		return unknown("it was taken %s, which is after the time of the check: one of the two clocks is wrong", taken)
	}
	text := fmt.Sprintf("it is %s old at most, taken %s", words.Duration(age), taken)
	switch limit := r.Policy.Limits.Age; {
	case limit > 0 && age > limit.duration():
		return fail("%s; the policy allows %s", text, words.Duration(limit.duration()))
	case limit == 0 && age > usualAge.duration():
		return warn("%s, which is more than a day", text)
	}
	return pass("%s", text)
}

func (r *run) gap() result {
	gap := r.Current.State.Revision - r.Backup.State.Revision
	text := fmt.Sprintf("%s undone", words.CountOf(gap, "revision is", "revisions are"))
	switch limit := r.Policy.Limits.Gap; {
	case limit > 0 && gap > limit:
		return fail("%s; the policy allows %d", text, limit)
	case limit > 0:
		return pass("%s, of %d that the policy allows", text, limit)
	}
	return pass("%s; the policy sets no limit", text)
}

func (r *run) rate() result {
	rate, ok := r.Backup.State.Clock.Rate()
	if !ok {
		return unknown("nothing in the backup shows how fast it was written to")
	}
	text := fmt.Sprintf("%.1f revisions a second, %.1f to %.1f", rate.Mean, rate.Low, rate.High)
	switch limit := r.Policy.Limits.Rate; {
	case limit > 0 && rate.Mean > limit:
		return fail("%s; the policy allows %g", text, limit)
	case limit > 0:
		return pass("%s, of %g that the policy allows", text, limit)
	}
	return pass("%s; the policy sets no limit", text)
}
