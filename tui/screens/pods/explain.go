package pods

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

func runsOn(pod *restore.PodOutcome) string {
	switch {
	case len(pod.RunsOn) > 0 && len(pod.MayRunOn) > 0:
		return strings.Join(pod.RunsOn, ", ") + ", and " + maybe(pod.MayRunOn)
	case len(pod.RunsOn) > 0:
		return strings.Join(pod.RunsOn, ", ")
	case len(pod.MayRunOn) > 0:
		return maybe(pod.MayRunOn)
	}
	return "no node"
}

func maybe(nodes []string) string {
	if len(nodes) == 1 {
		return "maybe " + nodes[0]
	}
	return "maybe one of " + strings.Join(nodes, ", ")
}

func apiShows(pod *restore.PodOutcome) string {
	v := pod.API
	if v == nil {
		return "nothing: no such pod"
	}
	if len(pod.MayBeBoundTo) == 0 {
		if v.Node == "" {
			return v.String() + ", on no known node"
		}
		return v.String()
	}
	idle := slices.DeleteFunc(slices.Clone(pod.MayBeBoundTo), func(name string) bool { return slices.Contains(pod.MayRunOn, name) })
	switch chosen := "the one of these that the scheduler chooses: "; {
	case len(pod.MayRunOn) == 0:
		return "Pending on " + chosen + strings.Join(idle, ", ")
	case len(idle) == 0:
		return v.Phase + " on " + chosen + strings.Join(pod.MayRunOn, ", ")
	default:
		return v.Phase + " on " + chosen + strings.Join(pod.MayRunOn, ", ") + "; or Pending on one where nothing starts it: " + strings.Join(idle, ", ")
	}
}

// twice says beside what a pod runs, and for how long.
func twice(d *restore.DoubleRun, uid string) string {
	text := "beside " + d.With
	if d.With == uid {
		text = "on two nodes"
	}
	if d.AtMostSeconds > 0 {
		text += fmt.Sprintf(", for up to %s s", words.Number(d.AtMostSeconds))
	}
	return text + ", until " + d.Until
}

// heals says what ends an outcome.
func heals(h restore.Heals) string {
	switch h {
	case restore.HealsNever:
		return "never by itself: only by what an operator does"
	case restore.HealsRelist:
		return "when its kubelet relists its pods"
	case restore.HealsStatusChange:
		return "with the next change of its status on its node"
	case restore.HealsSelf:
		return "by itself: nothing is needed"
	}
	return string(h)
}

func ruleTitle(id restore.Rule) string {
	i := slices.IndexFunc(restore.Rules, func(r restore.RuleInfo) bool { return r.ID == id })
	if i < 0 {
		return ""
	}
	return restore.Rules[i].Title + " (" + restore.Rules[i].Source + ")"
}

func flagExplanation(id restore.Flag) string {
	i := slices.IndexFunc(restore.Flags, func(f restore.FlagInfo) bool { return f.ID == id })
	if i < 0 {
		return ""
	}
	return restore.Flags[i].Explanation
}
