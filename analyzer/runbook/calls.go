package runbook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/analyzer/restore"
)

// kubectl calls kubectl on the workstation, past the fence while there is one.
func (b *builder) kubectl(args ...string) Command {
	return call(Workstation, slices.Concat([]string{"kubectl"}, b.pastFence(), args)...)
}

// kubectlLine is the same as part of a script.
func (b *builder) kubectlLine(line string) string {
	return strings.Join(append(append([]string{"kubectl"}, b.pastFence()...), line), " ")
}

func (b *builder) backup() string { return file(b.Backup.Path, "BACKUP") }

func (b *builder) current() string {
	if b.Current == nil {
		return "CURRENT"
	}
	return file(b.Current.Path, "CURRENT")
}

// predictCommand lists everything under the plan of this runbook, as text.
func (b *builder) predictCommand() string { return call(Workstation, b.predictArgs()...).whole().Run }

// predictArgs are its words.
func (b *builder) predictArgs() []string {
	args := append(b.pair(), b.planFlags()...)
	if b.plan.Outage != (restore.Seconds{}) {
		args = append(args, "--outage="+b.plan.Outage.String())
	}
	if b.plan.LastRevision > 0 {
		args = append(args, fmt.Sprintf("--last-revision=%d", b.plan.LastRevision))
	}
	if v := b.plan.KubernetesVersion; v != "" {
		args = append(args, "--kubernetes-version="+wordOr(v, "VERSION"))
	}
	args = append(args, b.metricsFlags()...)
	if at := b.plan.OutageAt; !at.IsZero() {
		args = append(args, "--outage-at="+at.UTC().Format(time.RFC3339Nano))
	}
	return b.revenant("predict", args...)
}

// metricsFlags are those that name the files of metrics.
func (b *builder) metricsFlags() (flags []string) {
	if b.Metrics == nil {
		return nil
	}
	for _, f := range b.Metrics.Files {
		flags = append(flags, "--metrics="+wordOr(f.Path, "METRICS"))
	}
	return flags
}

// planFlags are those of the plan that is followed.
func (b *builder) planFlags() (args []string) {
	if b.plan.BumpRevision > 0 {
		args = append(args, fmt.Sprintf("--bump-revision=%d", b.plan.BumpRevision), "--mark-compacted")
	}
	if r := b.plan.RestartKubelets.String(); r != "none" {
		args = append(args, "--restart-kubelets="+wordOr(r, "NODES"))
	}
	if b.plan.KeepAPIServers {
		args = append(args, "--restart-apiservers=none")
	}
	return args
}

// planCommand writes this runbook again.
func (b *builder) planCommand() []string {
	pair := b.pair()
	if b.Current != nil && b.walDir() != "" { // a snapshot does not show it
		pair = slices.Concat([]string{b.backup(), b.current()}, b.Flags, b.NewestFlags, b.PairFlags)
	}
	args := append(pair, "--platform="+string(b.id), "--last-revision=REVISION")
	if b.Plan != nil { // it is to be followed, and none is recommended
		args = append(args, b.planFlags()...)
	}
	return b.revenant("plan", append(args, b.metricsFlags()...)...)
}

// pair are the two snapshots, as the commands after take-stock read them.
func (b *builder) pair() []string {
	backup := b.backup()
	if b.Current == nil && len(b.NewestFlags) > 0 {
		backup = plainBackup // the flags would be taken for those of the other one
	}
	args := append([]string{backup, b.latest()}, b.Flags...)
	if b.Current != nil && b.latest() == b.current() {
		args = append(args, b.NewestFlags...)
	}
	return append(args, b.PairFlags...)
}

// alone are the flags for reading the backup by itself.
func (b *builder) alone() []string {
	if b.Current == nil {
		return slices.Concat(b.Flags, b.NewestFlags)
	}
	return b.Flags
}

// revenant are the words of a command of this program.
func (b *builder) revenant(verb string, args ...string) []string {
	return append([]string{"revenant", verb}, args...)
}

// line is the same as part of a script.
func (b *builder) line(verb string, args ...string) string {
	return call(Workstation, b.revenant(verb, args...)...).whole().Run
}
