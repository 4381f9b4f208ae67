package preflight

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/atrest"
	"revenant/analyzer/finding"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/runbook"
	"revenant/decoder/encryption"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/golden"
)

// refs are as many references.
func refs(n int) (list []finding.Ref) {
	for i := range n {
		list = append(list, finding.Ref{Snapshot: finding.InBackup, Key: fmt.Sprint("/k", i), Revision: int64(i)})
	}
	return list
}

// TestChecks has single checks judge what was read, and compares all that they say with
// testdata/checks.txt.
func TestChecks(t *testing.T) {
	storedAs := func(group, resource, kind, version string, change ...func(*atrest.Stored)) atrest.Stored {
		v := atrest.Stored{Group: group, Resource: resource, Kind: kind, APIVersion: version, Count: 2}
		for _, f := range change {
			f(&v)
		}
		return v
	}
	job, beta := storedAs("batch", "cronjobs", "CronJob", "batch/v1"), storedAs("batch", "cronjobs", "CronJob", "batch/v1beta1")
	strange := storedAs("batch", "cronjobs", "CronJob", "batch/v9")
	definitions := storedAs("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", "apiextensions.k8s.io/v1beta1")
	broken := storedAs("batch", "cronjobs", "CronJob", "batch/v9", func(v *atrest.Stored) { v.Problem = "no object" })
	gadget := storedAs("lab.example.org", "gadgets", "Gadget", "lab.example.org/v2")
	versions := func(minor string, atLeast bool, stored ...atrest.Stored) func() result {
		return (&run{stored: stored, targets: Targets{Kubernetes: minor, KubernetesFrom: "as stated", atLeast: atLeast}}).storageVersions
	}
	defined := func(versions []kube.DefinedVersion, storedVersions ...string) map[kube.Key]kube.Definition {
		return map[kube.Key]kube.Definition{{Group: "lab.example.org", Resource: "gadgets"}: {Group: "lab.example.org", Plural: "gadgets", Kind: "Gadget", Versions: versions, StoredVersions: storedVersions}}
	}
	served, unserved := []kube.DefinedVersion{{Name: "v2", Served: true}}, []kube.DefinedVersion{{Name: "v2"}}
	values := func(fit atrest.Fit) atrest.Values {
		v := atrest.Values{Provider: "aescbc", Version: "v1", Name: "key1", Resource: "secrets", Count: 2, Fit: fit}
		if fit == atrest.NoPlain {
			v.Provider = atrest.Identity
		}
		return v
	}
	encrypted := func(keys *encryption.Keyring, list ...atrest.Values) func() result {
		return (&run{Input: Input{Keys: keys}, encrypted: list}).encryption
	}
	call := func(caller rollback.Caller, answer rollback.Answer, blocks bool) rollback.Call {
		return rollback.Call{Caller: caller, Object: "x guard", Blocks: blocks, Answer: answer, Reason: "Service guard/none", Evidence: refs(1)}
	}
	calls := func(uncalled []string, list ...rollback.Call) *run { return &run{calls: list, uncalled: uncalled} }
	already, byName := call(rollback.Conversion, rollback.Unanswered, true), call(rollback.Admission, rollback.Unanswered, true)
	already.Already, byName.Name = true, "a.example.com"
	masters := func(needs string, leases int, list ...rollback.FormerMaster) func() result {
		return (&run{needs: needs, masters: list, facts: runbook.Facts{MasterLeases: make([]string, leases)}}).masterLeases
	}
	former := func(ttl time.Duration, doubt string) rollback.FormerMaster {
		return rollback.FormerMaster{Key: "/registry/masterleases/10.0.0.7", Address: "10.0.0.7", TTL: ttl, Doubt: doubt}
	}
	pod := func(o restore.Outcome, c restore.Certainty) restore.PodOutcome {
		return restore.PodOutcome{Finding: &restore.Finding{Outcome: o}, Certainty: c}
	}
	twice := func(seconds int64) restore.PodOutcome {
		p := pod(restore.Restarted, restore.Certain)
		p.DoubleRun = &restore.DoubleRun{AtMostSeconds: seconds}
		return p
	}
	phantom, rare := pod(restore.Phantom, restore.Certain), pod(restore.Phantom, restore.Unlikely)
	ghost, unknownPod := pod(restore.Ghost, restore.Possible), pod(restore.Unknown, restore.Possible)
	predicted := func(plan restore.Plan, pods ...restore.PodOutcome) *run {
		return &run{
			prediction: &restore.Prediction{Plan: plan, Pods: pods, Nodes: []restore.NodeOutcome{{}, {}}},
			plain:      &restore.Prediction{Pods: []restore.PodOutcome{phantom, phantom, ghost}},
		}
	}
	none, bumped, restarted := restore.Plan{}, restore.Plan{BumpRevision: 1000, MarkCompacted: true}, restore.Plan{RestartKubelets: restore.Restart{All: true}}
	given := predicted(bumped)
	given.Plan = &bumped
	served2 := predicted(none)
	served2.prediction.Nodes[0].Service, served2.prediction.Nodes[1].Service = "k3s", "k3s"
	unplanned := &run{noPlan: errors.New("the evidence has no pods")}
	rules := func(untried bool) func() result {
		p := &restore.Prediction{}
		p.Kubernetes.Reason = "The rules."
		if untried {
			p.Kubernetes.Rules = restore.RulesUntried
		}
		return (&run{prediction: p}).rules
	}
	back := func(findings ...rollback.Finding) *run {
		r := &rollback.Rollback{Findings: findings, Summary: map[rollback.ID]int{}}
		for _, f := range findings {
			r.Summary[f.ID]++
		}
		return &run{rollback: r}
	}
	critical := rollback.Finding{ID: rollback.VolumeRebound, Severity: finding.Critical, Kind: "persistentvolumes", Name: "disk", Reason: "x", Evidence: refs(1)}
	mild := critical
	mild.Severity = finding.Warning
	token := rollback.Finding{ID: rollback.TokenRevived, Severity: finding.Critical, Kind: "secrets", Namespace: "ns", Name: "t", Reason: "only in the backup"}
	access := rollback.Finding{ID: rollback.AccessRegranted, Severity: finding.Critical, Kind: "clusterrolebindings", Name: "b", Reason: "only in the backup"}
	bump := func(b runbook.Bump, plan restore.Plan, needs string) func() result {
		return (&run{runbook: &runbook.Runbook{Bump: b, Plan: plan}, needs: needs}).bump
	}
	small := runbook.Bump{Revision: 10, Minimum: 20, Verdict: restore.BumpSmall}
	noBump := runbook.Bump{Minimum: 20, Verdict: restore.NoBump}
	unsure := runbook.Bump{Revision: 100, Minimum: 20, Verdict: restore.BumpUnsure}
	enough := runbook.Bump{Revision: 100, Minimum: 20, Verdict: restore.BumpEnough}
	unserved0 := runbook.Bump{Revision: 100, Verdict: restore.BumpUnsure}
	carried := func(etcd string) func() result {
		return (&run{Input: Input{EtcdVersion: etcd}, targets: Targets{Platform: runbook.Generic, PlatformFrom: "as stated"}, runbook: &runbook.Runbook{Platform: runbook.PlatformChoice{Title: "it"}}}).bumpCarried
	}
	itself := func(markers ...int64) func() result {
		return (&run{targets: Targets{Platform: runbook.Generic, PlatformFrom: "as stated"}, facts: runbook.Facts{BumpMarkers: markers}, runbook: &runbook.Runbook{Platform: runbook.PlatformChoice{Title: "it", Bumps: runbook.BumpsItself}}}).bumpCarried
	}
	missing := func(kinds ...snapshot.MissingKind) func() result {
		return func() result {
			var e restore.Evidence
			for _, k := range kinds {
				e.Missing = append(e.Missing, snapshot.Missing{Kind: k, What: "something (" + string(k) + ")"})
			}
			return lacking(e, "it")
		}
	}
	list := func(add func(p *points)) func() result {
		return func() result {
			var p points
			add(&p)
			return p.result(pass("nothing"))
		}
	}
	var b strings.Builder
	for _, tt := range []struct {
		name string
		do   func() result
	}{
		{"versions: all known", versions("1.37", false, job)},
		{"versions: at least", versions("1.37", true, job)},
		{"versions: of no API server that is known", versions("", false, job)},
		{"versions: nothing stored", versions("1.37", false)},
		{"versions: a custom resource alone", versions("1.37", false, gadget)},
		{"versions: what is broken alone", versions("1.37", false, broken)},
		{"versions: of no type", versions("1.37", false, strange)},
		{"versions: of no type, and older API servers", versions("1.36", false, strange)},
		{"versions: older than it", versions("1.20", false, job)},
		{"versions: older than it, or later", versions("1.20", true, job)},
		{"versions: the first that have it", versions("1.21", false, job)},
		{"versions: the last that serve it", versions("1.24", false, beta)},
		{"versions: the first that do not serve it", versions("1.25", false, beta)},
		{"versions: one that API servers keep", versions("1.37", false, definitions)},

		{"definitions: none", (&run{}).crdVersions},
		{"definitions: one that cannot be read", (&run{undefined: []string{"/a"}}).crdVersions},
		{"definitions: all known", (&run{defined: defined(served, "v2"), stored: []atrest.Stored{gadget}}).crdVersions},
		{"definitions: an object of another version", (&run{defined: defined([]kube.DefinedVersion{{Name: "v3", Served: true}}, "v3"), stored: []atrest.Stored{gadget}}).crdVersions},
		{"definitions: nothing served", (&run{defined: defined(unserved, "v2"), stored: []atrest.Stored{gadget}}).crdVersions},
		{"definitions: nothing served, and no object", (&run{defined: defined(unserved, "v2")}).crdVersions},
		{"definitions: a stored version that is none", (&run{defined: defined(served, "v1", "v2")}).crdVersions},

		{"encryption: nothing encrypted", encrypted(nil, values(atrest.NoPlain))},
		{"encryption: no configuration", encrypted(nil, values(atrest.NotGiven))},
		{"encryption: nothing encrypted, and a configuration", encrypted(&encryption.Keyring{})},
		{"encryption: fits", encrypted(&encryption.Keyring{}, values(atrest.Fits))},
		{"encryption: a plugin", encrypted(&encryption.Keyring{}, values(atrest.Plugin))},
		{"encryption: unread", encrypted(&encryption.Keyring{}, values(atrest.Unread))},
		{"encryption: not given", encrypted(&encryption.Keyring{}, values(atrest.NotGiven))},
		{"encryption: damaged", encrypted(&encryption.Keyring{}, values(atrest.Damaged))},
		{"encryption: the wrong key", encrypted(&encryption.Keyring{}, values(atrest.WrongKey))},
		{"encryption: no identity", encrypted(&encryption.Keyring{}, values(atrest.NoPlain))},
		{"encryption: another resource's key", encrypted(&encryption.Keyring{}, values(atrest.OtherKey))},
		{"encryption: no key", encrypted(&encryption.Keyring{}, values(atrest.NoKey))},

		{"webhooks: none", calls(nil).webhooks},
		{"webhooks: none that blocks", calls(nil, call(rollback.Admission, rollback.Unanswered, false)).webhooks},
		{"webhooks: of others", calls(nil, call(rollback.Conversion, rollback.Unanswered, true)).webhooks},
		{"webhooks: answered", calls(nil, call(rollback.Admission, rollback.Answered, true)).webhooks},
		{"webhooks: outside", calls(nil, call(rollback.Admission, rollback.Outside, true), call(rollback.Admission, rollback.Answered, true)).webhooks},
		{"webhooks: not known", calls(nil, call(rollback.Admission, rollback.NotKnown, true)).webhooks},
		{"webhooks: unanswered, by name", calls(nil, byName).webhooks},
		{"webhooks: unread", calls([]string{"validatingwebhookconfigurations a"}).webhooks},
		{"webhooks: unread Services", calls([]string{"3 services of ns"}).webhooks},
		{"webhooks: unread others", calls([]string{"apiservices a"}).webhooks},
		{"conversions: unanswered, and not needed", calls(nil, call(rollback.Conversion, rollback.Unanswered, false)).conversions},
		{"conversions: unanswered already", calls(nil, already).conversions},
		{"conversions: unread", calls([]string{"customresourcedefinitions a"}).conversions},
		{"aggregated: unanswered", calls(nil, call(rollback.Aggregated, rollback.Unanswered, true)).apiServices},
		{"aggregated: unread", calls([]string{"apiservices a"}).apiServices},

		{"masters: none", masters("", 0)},
		{"masters: alone", masters("no current state was given", 2)},
		{"masters: all there", masters("", 2)},
		{"masters: a doubt", masters("", 1, former(0, "x"))},
		{"masters: a lease", masters("", 1, former(15*time.Second, ""))},
		{"masters: no lease", masters("", 1, former(0, ""))},

		{"phantoms: no plan", unplanned.phantoms},
		{"phantoms: none", predicted(none).phantoms},
		{"phantoms: one, without a bump", predicted(none, phantom).phantoms},
		{"phantoms: one, with a bump", predicted(bumped, phantom).phantoms},
		{"phantoms: one, with all kubelets restarted", predicted(restarted, phantom).phantoms},
		{"phantoms: unlikely", predicted(none, rare).phantoms},
		{"phantoms: unknown", predicted(none, unknownPod, rare).phantoms},
		{"phantoms: the plan that was given", given.phantoms},
		{"phantoms: servers", served2.phantoms},
		{"ghosts: none", predicted(bumped, phantom).ghosts},
		{"ghosts: one", predicted(none, ghost).ghosts},
		{"doubles: no plan", unplanned.doubles},
		{"doubles: none", predicted(none, ghost).doubles},
		{"doubles: one", predicted(none, twice(30)).doubles},
		{"doubles: two, one without end", predicted(none, twice(30), twice(0)).doubles},
		{"rules: no plan", unplanned.rules},
		{"rules: tried", rules(false)},
		{"rules: untried", rules(true)},

		{"credentials: none", back(critical).credentials},
		{"credentials: both kinds", back(token, access).credentials},
		{"undone: none", back(token, access, mild).undone},
		{"undone: two of a kind", back(critical, critical).undone},

		{"bump: no plan", unplanned.bump},
		{"bump: too small", bump(small, bumped, "")},
		{"bump: none", bump(noBump, none, "")},
		{"bump: none, and nothing served", bump(runbook.Bump{Verdict: restore.NoBump}, none, "")},
		{"bump: none, and all restarted", bump(noBump, restarted, "")},
		{"bump: unsure", bump(unsure, bumped, "")},
		{"bump: unsure, alone", bump(unsure, bumped, "no current state")},
		{"bump: nothing served, alone", bump(unserved0, bumped, "no current state")},
		{"bump: nothing served", bump(unserved0, bumped, "")},
		{"bump: enough", bump(enough, bumped, "")},
		{"bump: enough, alone", bump(enough, bumped, "no current state")},
		{"carried: 3.5.9", carried("3.5.9")}, {"carried: 3.5.10", carried("3.5.10")}, {"carried: 3.5", carried("3.5")}, {"carried: 2.5.9", carried("2.5.9")},
		{"carried: 3.4.26", carried("3.4.26")}, {"carried: 3.4.27", carried("3.4.27")}, {"carried: 3.6.1", carried("3.6.1")}, {"carried: latest", carried("latest")},
		{"carried: by itself", itself()}, {"carried: by itself, again", itself(7)},
		{"carried: no platform", (&run{}).bumpCarried},
		{"carried: no plan", (&run{targets: Targets{Platform: runbook.Generic}, noPlan: errors.New("the evidence has no pods")}).bumpCarried},

		{"missing: nothing", missing()},
		{"missing: what damage took", missing(snapshot.MissingContent, snapshot.MissingBytes)},
		{"missing: a log", missing(snapshot.MissingLog)},
		{"missing: entries", missing(snapshot.MissingEntries)},
		{"missing: entries and the rest", missing(snapshot.MissingRest, snapshot.MissingEntries, snapshot.MissingContent)},

		{"points: none", list(func(p *points) {})},
		{"points: a pass has no evidence", list(func(p *points) { p.add(Pass, refs(1), "well") })},
		{"points: the worst first", list(func(p *points) {
			p.add(Warn, refs(1), "a warning")
			p.add(Unknown, nil, "a doubt")
			p.add(Fail, refs(1), "a failure")
		})},
		{"points: six, of which five are named", list(func(p *points) {
			for range 6 {
				p.add(Warn, refs(2), "a warning")
			}
		})},
	} {
		r := tt.do()
		fmt.Fprintf(&b, "%s\n  %s: %s\n", tt.name, r.Verdict, r.reason)
		if r.do != "" {
			fmt.Fprintf(&b, "  to do: %s\n", r.do)
		}
		if len(r.evidence) > 0 {
			fmt.Fprintf(&b, "  evidence: %v\n", r.evidence)
		}
	}
	golden.Equal(t, "testdata/checks.txt", b.String())
}

// TestMinor reads the minor version of what may be any text.
func TestMinor(t *testing.T) {
	for _, tt := range []struct {
		text  string
		major uint
		want  int
	}{{"1.37", 1, 37}, {"v1.37.2+k3s1", 1, 37}, {"3.6.0", 3, 6}, {"3.6.0", 1, -1}, {"", 1, -1}, {"latest", 3, -1}} {
		if got := minor(tt.text, tt.major); got != tt.want {
			t.Errorf("%q of %d: %d, want %d", tt.text, tt.major, got, tt.want)
		}
	}
}

// TestGrade sums up what checks count as.
func TestGrade(t *testing.T) {
	for _, tt := range []struct {
		counts   string // of the checks, by their first letters
		grade    Verdict
		headline string
	}{
		{"pp", Pass, "Pass: none of 2 checks speaks against restoring this backup."},
		{"pi", Pass, "Pass: none of 1 check speaks against restoring this backup. The policy ignores 1."},
		{"pw", Warn, "Warn: nothing fails, but 1 check (check-1) warns."},
		{"ww", Warn, "Warn: nothing fails, but 2 checks (check-0, check-1) warn."},
		{"wu", Unknown, "Unknown: nothing fails, but 1 check (check-1) is unknown; 1 warns."},
		{"uu", Unknown, "Unknown: nothing fails, but 2 checks (check-0, check-1) are unknown."},
		{"fp", Fail, "Fail: 1 check (check-0) fails."},
		{"ffuww", Fail, "Fail: 2 checks (check-0, check-1) fail; 1 unknown; 2 warn."},
		{"uiw", Unknown, "Unknown: nothing fails, but 1 check (check-0) is unknown; 1 warns. The policy ignores 1."},
		{"wwwwwww", Warn, "Warn: nothing fails, but 7 checks (check-0, check-1, check-2, check-3, check-4 and 2 more) warn."},
	} {
		r := &Report{Summary: map[Verdict]int{}}
		for i, c := range tt.counts {
			v := map[rune]Verdict{'p': Pass, 'w': Warn, 'u': Unknown, 'f': Fail, 'i': Ignored}[c]
			r.Checks = append(r.Checks, Check{ID: ID(fmt.Sprint("check-", i)), Counts: v})
			r.Summary[v]++
		}
		if r.grade(); r.Grade != tt.grade || r.Headline != tt.headline {
			t.Errorf("%s: %s, %q; want %q", tt.counts, r.Grade, r.Headline, tt.headline)
		}
	}
}
