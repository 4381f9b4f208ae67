package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestPreflightCases: evidence that people were in trouble with is named for what is wrong
// with it (testdata/README.md).
func TestPreflightCases(t *testing.T) {
	type check struct{ ID, Verdict, Reason string }
	for _, tt := range []struct {
		files string
		code  int
		grade string
		want  []check // their reasons hold these
	}{
		{"1/bumped.db.gz", exitOK, "unknown", []check{{"trailer", "pass", "vouches for every byte"}, {"content", "pass", ""}, {"complete", "warn", "the log of a member's own db"}}},
		{"2/backup.db.gz 2/dd3.tar.gz", exitDamaged, "fail", []check{{"current", "fail", "1208 entries (485 to 1001, 1002 to 1692) of the log"}, {"bump", "unknown", ""}, {"phantoms", "unknown", ""}}},
		{"4/alarm.db.gz", exitFindings, "fail", []check{{"etcd-alarm", "fail", "NOSPACE is raised"}}},
		{"4/alarm35.db.gz", exitFindings, "fail", []check{{"etcd-alarm", "fail", "NOSPACE is raised"}}},
		{"5/truncated.gz", exitDamaged, "fail", []check{{"content", "fail", "file ends at page 69 of 115"}, {"history", "unknown", ""}}},
		{"6/backup.db.gz 6/current.db.gz", exitOK, "unknown", []check{{"prefixes", "pass", "/kubernetes.io, /openshift.io"}, {"same-cluster", "pass", ""}}},
		{"7/backup.db.gz 7/current.db.gz", exitOK, "unknown", []check{{"master-leases", "warn", "10.0.0.1"}}},
		{"8/backup.db.gz 8/current.db.gz", exitOK, "unknown", []check{{"other-keys", "warn", "Calico"}}},
		{"8/k3s.db.gz", exitOK, "unknown", []check{{"bootstrap-token", "warn", "4489e5a9bd37"}}},
		{"8/rke2.db.gz", exitOK, "unknown", []check{{"other-keys", "warn", "RKE2"}}},
	} {
		t.Run(tt.files, func(t *testing.T) {
			args := []string{"preflight", "-o", "json", "--at-time", "2026-11-30T00:00Z"}
			for name := range strings.FieldsSeq(tt.files) {
				args = append(args, "../../testdata/cases/"+name)
			}
			var out, errs bytes.Buffer
			if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != tt.code {
				t.Errorf("exit code %d, not %d: %s", code, tt.code, &errs)
			}
			var doc struct {
				Grade  string
				Checks []check
			}
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			if doc.Grade != tt.grade {
				t.Errorf("grade %s, not %s", doc.Grade, tt.grade)
			}
			got := map[string]check{}
			for _, c := range doc.Checks {
				got[c.ID] = c
				if named := func(w check) bool { return w.ID == c.ID }; c.Verdict == "fail" && !slices.ContainsFunc(tt.want, named) {
					t.Errorf("%s fails, too: %s", c.ID, c.Reason)
				}
			}
			for _, w := range tt.want {
				if c := got[w.ID]; c.Verdict != w.Verdict || !strings.Contains(c.Reason, w.Reason) {
					t.Errorf("%s: %s (%s), not %s with %q", w.ID, c.Verdict, c.Reason, w.Verdict, w.Reason)
				}
			}
		})
	}
}
