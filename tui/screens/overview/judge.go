package overview

import (
	"fmt"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
)

// judgement is whether the plan in force is safe, in words for somebody who knows none of the
// terms, and what to do about it.
type judgement struct {
	style           draw.Style
	verdict, advice string
	headline        bool // there is more to say than that
}

// harms say what becomes of pods.
var harms = map[restore.Outcome][2]string{
	restore.Phantom: {"keeps running unseen", "keep running unseen"},
	restore.Ghost:   {"is shown by the API although nothing of it runs", "are shown by the API although nothing of them runs"},
	restore.Hidden:  {"is still shown until API servers restart, and then runs unseen", "are still shown until API servers restart, and then run unseen"},
	restore.Unknown: {"may be in any state", "may be in any state"},
}

// judge says whether the plan in force is unsafe, or not proven safe. No plan is called safe:
// the evidence ends before the outage.
func (o *Screen) judge() judgement {
	t := o.Theme
	if o.Refused != nil {
		return judgement{style: t.Critical, verdict: "This plan is refused: " + o.Refused.Error() + ".", advice: o.coherent()}
	}
	var certain, possible []string
	tell := func(sure, pods int, does [2]string) {
		switch {
		case pods == 0:
		case sure == 0:
			possible = append(possible, "up to "+words.CountOf(pods, "pod "+does[0], "pods "+does[1]))
		case sure < pods:
			certain = append(certain, words.Number(sure)+" to "+words.CountOf(pods, "pod "+does[0], "pods "+does[1]))
		default:
			certain = append(certain, words.CountOf(pods, "pod "+does[0], "pods "+does[1]))
		}
	}
	sure, pods := 0, 0 // of the harms whose names say nothing to somebody new: the counts below have them
	for _, of := range o.Digest.Tallies {
		if of.Severity != restore.Critical {
			continue
		}
		if does, known := harms[of.ID]; known {
			tell(of.Certain, of.Pods, does)
		} else {
			sure, pods = sure+of.Certain, pods+of.Pods
		}
	}
	tell(sure, pods, [2]string{"comes to other harm", "come to other harm"})
	switch {
	case len(certain) > 0:
		return judgement{t.Critical, "UNSAFE as planned: " + words.List(append(certain, possible...)) + ".", o.advice(), o.more()}
	case len(possible) > 0:
		return judgement{t.Critical, "NOT PROVEN SAFE as planned: " + words.List(possible) + ".", o.advice(), o.more()}
	case o.Digest.Severity == restore.Critical:
		return judgement{t.Critical, "UNSAFE as planned: " + o.Digest.Headline, o.advice(), false}
	case !o.Prediction.Heard():
		return judgement{t.Critical, "NOT PROVEN SAFE as planned: " + o.Digest.Headline, o.advice(), false}
	case o.more():
		return judgement{t.Warning, "NOT KNOWN TO BE SAFE as planned: " + o.Digest.Headline, o.advice(), false}
	}
	verdict := o.Digest.Headline
	if o.Yours != nil {
		verdict += " Price: " + o.Yours.Price
	}
	style := t.Good
	if o.Digest.Severity == restore.Warning {
		style = t.Warning
	}
	return judgement{style, verdict, "Press 2: the runbook of this plan.", false}
}

// more says whether the headline says what the outcomes of the pods do not.
func (o *Screen) more() bool {
	return o.Prediction.Qualified() || o.Lacking()
}

// coherent is the key that makes a refused plan one that is not.
func (o *Screen) coherent() string {
	switch plan := &o.Plan.Plan; {
	case plan.BumpRevision > 0 && !plan.MarkCompacted:
		return "Press " + o.Keymap.Key(keys.Compact) + ": it adds --mark-compacted."
	case plan.BumpRevision == 0 && plan.MarkCompacted:
		return "Press " + o.Keymap.Key(keys.Bump) + ": it adds a bump."
	}
	return ""
}

// advice says what to press for a plan that does less harm.
func (o *Screen) advice() string {
	r := &o.Prediction.Revisions
	if r.BumpVerdict != restore.BumpEnough && r.NoBumpFits == "" && r.RecommendedBump > 0 {
		var press []string
		for range max(o.Plan.BumpPresses(r.RecommendedBump), 0) {
			press = append(press, o.Keymap.Key(keys.Bump))
		}
		if !o.Plan.Plan.MarkCompacted {
			press = append(press, o.Keymap.Key(keys.Compact))
		}
		if len(press) > 0 {
			return fmt.Sprintf("Press %s: restore with --bump-revision %d --mark-compacted.", strings.Join(press, " "), r.RecommendedBump)
		}
	}
	if m := o.Modes; m != nil && o.Yours != nil && m.Modes[m.LeastHarm].Critical < o.Yours.Critical {
		return fmt.Sprintf("Press 2 and take over %s (%s): it does less harm.", m.Modes[m.LeastHarm].ID, m.Modes[m.LeastHarm].Title)
	}
	return "No way to restore does less harm: what to do about the pods is below."
}

// command is what to type: the plan in force where that is safe, or else the recommended bump.
func (o *Screen) command(width int) []string {
	t, p, r := o.Theme, o.Prediction, &o.Prediction.Revisions
	safe := o.Refused == nil && (r.BumpVerdict == restore.BumpEnough || o.Yours != nil && o.Yours.Critical == 0 && p.Heard())
	bump, compacted := r.RecommendedBump, true
	why := fmt.Sprintf("%s The bump must be at least %s (%s). Recommended is %s.",
		r.BumpReason, words.Number(r.MinimumSafeBump), boundText(r.MinimumSafeBumpIs), words.Number(r.RecommendedBump))
	lead := "The plan in force is not enough. This is:"
	switch {
	case safe:
		lead, bump, compacted = "The plan in force:", p.Plan.BumpRevision, p.Plan.MarkCompacted
		if why = "The bump is enough. " + r.BumpReason; bump == 0 {
			why = ""
		}
	case r.NoBumpFits != "":
		return draw.Wrap(r.NoBumpFits, width)
	}
	command := "etcdutl snapshot restore " + o.backupWord() + " --data-dir NEW-DIR"
	if !o.Backup().Snapshot.HasTrailer() {
		command += " --skip-hash-check" // which etcdutl wants of it
	}
	lines := append([]string{}, draw.Wrap(lead, width)...)
	if bump == 0 {
		lines = append(lines, "  "+t.Bold.Paint(command))
	} else {
		flags := fmt.Sprintf("  --bump-revision %d", bump)
		if compacted {
			flags += " --mark-compacted"
		}
		lines = append(lines, "  "+t.Bold.Paint(command+` \`), "  "+t.Bold.Paint(flags))
	}
	if restart := p.Plan.RestartKubelets; safe && (restart.All || len(restart.Nodes) > 0) {
		lines = append(lines, draw.Wrap("Then restart the kubelets: "+restart.String()+".", width)...)
	}
	if safe {
		if keep := p.Plan.APIServers(); keep != "all" {
			lines = append(lines, draw.Wrap("API servers that are restarted: "+keep+".", width)...)
		}
	}
	return append(lines, draw.Wrap(why, width)...)
}

// backupWord is the backup's path as it is typed, or BACKUP where etcdutl cannot take the file
// as it is.
func (o *Screen) backupWord() string {
	s := o.Backup().Snapshot
	if len(s.Files()) == 0 || s.Container() != "" || s.WAL() != nil || s.Deltas() != nil {
		return "BACKUP"
	}
	if word := shared.FileWord(o.Backup()); word != "FILE" {
		return word
	}
	return "BACKUP"
}
