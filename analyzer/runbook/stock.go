package runbook

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// takeStock keeps the evidence and looks for a better upper bound.
func (b *builder) takeStock() Step {
	s := Step{
		ID: "take-stock", Title: "Take stock",
		Why:      "The bump must pass the newest revision that etcd ever served. Save now whatever can still show it.",
		Commands: []Command{call(Workstation, b.revenant("inspect", append([]string{b.backup()}, b.alone()...)...)...).reads(b.backup()).says("Is the backup whole?")},
		Checks: []string{
			"revenant inspect finds no damage, and this is the backup that you mean to restore.",
			"The data directory of every dead member is saved, with db and log. It is the newest state there is.",
		},
	}
	b.keys(&s)
	if b.saves() {
		s.Commands = append(s.Commands, b.ofNow())
	}
	if b.takesNewest() {
		s.Commands = append(s.Commands, b.save(b.newest(), "If etcd still answers, this is the best CURRENT there is.", true)...)
		s.Commands = append(s.Commands, b.currentAsNewest()...)
		s.Commands = append(s.Commands, call(Workstation, b.revenant("inspect", append([]string{b.newest()}, b.Flags...)...)...).reads(b.newest()).says("Is it whole, and how new is it?"))
	}
	if b.metrics != "" {
		curl := "curl --silent --fail "
		if strings.HasPrefix(b.metrics, "-") {
			curl = "sudo " + curl // to read the key
		}
		s.Commands = append(s.Commands, script(b.first().host, curl+b.metrics+" | grep '^etcd_debugging_mvcc_current_revision'", "curl").
			says("Prints the newest revision. If etcd is dead, take the last value of your monitoring, and allow for what was written after it."))
	}
	s.Commands = append(s.Commands, call(Workstation, b.planCommand()...).reads(b.backup()).
		says("Writes this runbook again. REVISION is the newest revision that you found. Then follow the new runbook, from its first step."))
	if b.plan.BumpRevision > 0 {
		s.Checks = append(s.Checks, fmt.Sprintf("No resourceVersion in the logs of kubelets, API servers and controllers is %d or more.", b.bump.Restored))
	}
	if b.prediction != nil {
		s.Commands = append(s.Commands, call(Workstation, append(b.predictArgs(), "-o", "json=prediction.json")...).reads(b.backup(), b.latest()).writes("prediction.json").says("Kept to compare with at the end."))
	}
	for i := range b.Evidence {
		if e := &b.Evidence[i]; damaged(e) {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s (%s) is damaged. Look for another file before you go on: etcdutl restores nothing whose hash is wrong.", e.Path, e.Role))
		}
	}
	return s
}

// newest is the name under which the newest state is saved, which is not the backup's.
func (b *builder) newest() string {
	if filepath.Base(b.Backup.Path) == "newest.db" {
		return "newest-state.db"
	}
	return "newest.db"
}

// freshMinutes is how old a newest state may be that is taken for one of this restore.
const freshMinutes = 240

// ofNow refuses a newest state that an earlier restore has left. The time of a link is its
// own.
func (b *builder) ofNow() Command {
	older := fmt.Sprintf("%[1]s is more than %[2]d hours old. If an earlier restore has left it: mv -n %[1]s earlier-%[1]s. If it is of this one: touch -h %[1]s. Then go on.", b.newest(), freshMinutes/60)
	return script(Workstation, fmt.Sprintf("[ ! -e %[1]s ] || find %[1]s -mmin -%[2]d | grep . || { echo %[3]s >&2; false; }", b.newest(), freshMinutes, quote(older)), "find").
		says("Refuses a %s that an earlier restore has left.", b.newest())
}

// keepNewest takes the newest state out of the way of the next restore.
func (b *builder) keepNewest() Command {
	from := b.newest()
	return script(Workstation, fmt.Sprintf("[ ! -e %[1]s ] || mv -n %[1]s %[2]s", from, strings.TrimSuffix(from, ".db")+"."+b.before()+".db")).
		says("Last of all, so that the next restore does not take it for its own. It is evidence: keep it.")
}

// takesNewest says whether newest.db is made. Where the current state is newest.db it
// was made already.
func (b *builder) takesNewest() bool {
	return b.saves() && (b.Current == nil || filepath.Base(b.Current.Path) != b.newest())
}

// currentAsNewest makes newest.db of the current state when etcd has not answered: the
// commands that follow read newest.db whatever it is.
func (b *builder) currentAsNewest() []Command {
	if b.Current == nil {
		return nil
	}
	line := "ln -s " + quote(b.current()) + " " + b.newest()
	var programs []string
	if b.Current.Facts.Logged {
		line = b.line("salvage", slices.Concat([]string{b.current(), "-o", b.newest()}, b.Flags, b.NewestFlags)...)
		programs = []string{"revenant"}
	}
	return []Command{script(Workstation, "[ -e "+b.newest()+" ] || "+line, programs...).reads(b.current()).writes(b.newest()).
		says("If etcd did not answer, the CURRENT that you gave is the newest state.")}
}

// latest is the newest state as the commands name it that come after take-stock.
func (b *builder) latest() string {
	if b.takesNewest() {
		return b.newest()
	}
	return b.current()
}
