package runbook

import (
	"strings"
	"testing"
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
