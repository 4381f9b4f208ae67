package runbook

import (
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/restore"
)

// TestFlagsTravel holds that every printed command that reads the evidence has the flags
// that it needs for that, on every platform, with and without CURRENT.
func TestFlagsTravel(t *testing.T) {
	const flag = "--etcd-prefix=/kubernetes.io,/openshift.io"
	for _, platform := range Platforms() {
		for _, alone := range []bool{false, true} {
			in := hostileInput()
			in.Platform, in.Flags, in.Warnings = platform, []string{flag}, []string{"read below two prefixes"}
			in.Backup.Facts.Packed, in.Backup.Facts.Tokens = "gzip", []string{"4489e5a9bd37"}
			if alone {
				in.Current, in.Comparison = nil, nil
			}
			r, err := New(in)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, step := range r.Steps {
				for _, c := range step.Commands {
					if !strings.HasPrefix(c.Run, "revenant ") {
						continue
					}
					if n++; !strings.Contains(c.Run, " "+flag) {
						t.Errorf("%s: %s", platform, c.Run)
					}
				}
			}
			if n < 3 {
				t.Errorf("%s: %d commands", platform, n)
			}
			warnings := strings.Join(r.Warnings, "\n")
			if !strings.Contains(warnings, "read below two prefixes") || !strings.Contains(warnings, "4489e5a9bd37") {
				t.Errorf("%s: the warnings are %q", platform, r.Warnings)
			}
		}
	}
}

// TestPlanTravels: a plan that was given is the one that the runbook is written again for.
func TestPlanTravels(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	for want, plan := range map[string]*restore.Plan{
		" --restart-kubelets=all":                {RestartKubelets: restore.Restart{All: true}},
		" --bump-revision=5000 --mark-compacted": {BumpRevision: 5000, MarkCompacted: true},
		" --restart-apiservers=none":             {KeepAPIServers: true},
		" --last-revision=REVISION":              nil,
	} {
		in.Plan = plan
		if !slices.ContainsFunc(commands(step(t, build(t, in), "take-stock")), func(c string) bool {
			return strings.HasPrefix(c, "revenant plan ") && strings.HasSuffix(c, want)
		}) {
			t.Errorf("no command ends with %q", want)
		}
	}
}
