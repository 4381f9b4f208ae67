package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Summary is the runbook in a few sentences.
type Summary struct {
	Does  string   `json:"does"`  // what is done, in how many steps, where
	Costs []string `json:"costs"` // the outage, what is lost, what is stopped and started
	Risks []string `json:"risks"` // what can go wrong, the worst first
	// PointOfNoReturn is the step from which on the former state cannot be had back; nil
	// where the steps have none.
	PointOfNoReturn *PointOfNoReturn `json:"pointOfNoReturn"`
}

// PointOfNoReturn is a step after which there is no way back.
type PointOfNoReturn struct {
	Step   string `json:"step"`
	Number int    `json:"number"` // of the step, from 1
	Text   string `json:"text"`   // why, and what to do before it to go back
}

// summary sums the steps up.
func (b *builder) summary(steps []Step) Summary {
	s := Summary{Does: b.does(steps), Costs: b.costs(steps), Risks: b.risks()}
	id, text := b.noReturn(steps)
	if i := stepAt(steps, id); i >= 0 {
		s.PointOfNoReturn = &PointOfNoReturn{id, i + 1, text}
	}
	return s
}

// stepAt is the place of a step, -1 for none.
func stepAt(steps []Step, id string) int {
	return slices.IndexFunc(steps, func(s Step) bool { return s.ID == id })
}

func (b *builder) does(steps []Step) string {
	var where []string
	nodes, members := 0, 0
	seen := map[Host]bool{}
	for i := range steps {
		for _, c := range steps[i].Commands {
			if seen[c.Host] {
				continue
			}
			seen[c.Host] = true
			switch {
			case strings.HasPrefix(string(c.Host), ofNode):
				nodes++
			case strings.HasPrefix(string(c.Host), ofMember):
				members++
			default:
				where = append(where, c.Host.String())
			}
		}
	}
	if members > 0 {
		where = append(where, words.Count(members, "etcd member"))
	}
	if nodes > 0 {
		where = append(where, words.Count(nodes, "node"))
	}
	at := ""
	switch {
	case b.bump.Restored > 0 && b.bumps != BumpsItself:
		at = fmt.Sprintf(", and etcd starts at revision %d", b.bump.Restored)
	case b.bumps == BumpsItself:
		at = " with the platform's own bump"
	}
	return fmt.Sprintf("%s restore the backup%s. They run on %s.", words.Capital(words.Count(len(steps), "step")), at, strings.Join(where, ", "))
}

func (b *builder) costs(steps []Step) []string {
	list := []string{}
	from, to := stepAt(steps, "stop"), stepAt(steps, "start-api")
	if to < 0 {
		to = stepAt(steps, "start-etcd")
	}
	if from < 0 {
		from = stepAt(steps, "restore")
	}
	switch {
	case from < 0 || to < from:
	case b.plan.KeepAPIServers:
		list = append(list, fmt.Sprintf("etcd is down from step %d to step %d. The API servers answer from their caches meanwhile, and no write succeeds.", from+1, to+1))
	default:
		list = append(list, fmt.Sprintf("The API is down from step %d to step %d. Pods go on running.", from+1, to+1))
	}
	if b.prediction == nil {
		return append(list, "Everything written after the backup is lost. CURRENT would show how much that is, and which pods stop and start.")
	}
	lost := max(b.Comparison.Served()-b.bump.Base, 0)
	text := "As far as is known, nothing was written after the backup."
	if lost > 0 {
		text = fmt.Sprintf("Everything written after the backup is lost: %s, and what came after the current snapshot.", words.Count(lost, "revision"))
	}
	return append(list, text, b.prediction.Price())
}

func (b *builder) risks() []string {
	list := []string{}
	warn := func(when bool, format string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	warn(slices.ContainsFunc(b.Evidence, func(e restore.Evidence) bool { return damaged(&e) }), "A file is damaged. The steps rest on what could be read.")
	warn(b.bump.Verdict == restore.BumpSmall, "The bump is too small: kubelets that have seen more stay deaf.")
	warn(b.bump.Verdict == restore.BumpUnsure, "Whether the bump is large enough is not known.")
	warn(b.bump.Verdict == restore.NoBump, "Without a bump, everything that watches stays deaf until it is restarted, and not only kubelets.")
	if p := b.prediction; p != nil {
		warn(p.Summary[restore.Unknown] > 0, "What becomes of %s is not known.", words.Count(p.Summary[restore.Unknown], "pod"))
		twice := 0
		for i := range p.Pods {
			if p.Pods[i].DoubleRun != nil {
				twice++
			}
		}
		warn(twice > 0 && b.held(), "%s may run twice if you change the order of the steps.", words.Capital(words.Count(twice, "pod")))
		warn(twice > 0 && !b.held(), "%s may run twice, because nothing holds nodes back here.", words.Capital(words.Count(twice, "pod")))
	}
	list = append(list, b.dangers()...)
	members, _, _ := b.members()
	warn(b.bumps == BumpsDataDirectory && len(members) > 1, "A member that is restored from another file, or with another bump, corrupts the cluster.")
	warn(!b.plan.KeepAPIServers && len(b.stopAPI) > 0, "An API server that you forget to stop goes on listing what etcd has lost.")
	warn(b.bumps != BumpsDataDirectory, "The commands of %s were read in its sources. They were not run on a real cluster.", b.title)
	return list
}

// noReturn is the step from which on there is no way back, and why.
func (b *builder) noReturn(steps []Step) (id, text string) {
	const kubelets = "From there on kubelets stop, kill and start pods, and clients write to the API."
	back := fmt.Sprintf("To go back before that, stop etcd, move %s away, move %s back to its place, and start what you have stopped.", b.dataDir+"/member", b.dataDir+"/member."+b.before())
	switch {
	case b.id == Talos:
		return "stop", "It wipes the data of the control plane nodes. Only what you have saved before is left of it."
	case b.bumps == BumpsDataDirectory && b.plan.KeepAPIServers:
		return "start-etcd", "The API servers have gone on, and write to the restored etcd. " + back
	case b.bumps == BumpsDataDirectory && b.fenced():
		return "let-in", kubelets + " " + back
	case b.bumps == BumpsDataDirectory && stepAt(steps, "start-api") >= 0:
		return "start-api", kubelets + " " + back
	case b.bumps == BumpsDataDirectory: // etcd and API server are one service
		return "start-etcd", kubelets + " " + back
	}
	return "restore", "The platform replaces the data, and starts what acts on it. Only a copy of the former data leads back."
}
