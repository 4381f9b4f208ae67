package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// TestComplete asks as the shells' scripts do. The last word is the one typed at.
func TestComplete(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"backup.db", "sub/deep.json", ".hidden"} {
		writeEvidence(t, name, nil)
	}
	const files, nothing = ":0", ":4" // the directives of cobra: files are offered, and none are
	outcomes := "phantom ghost hidden unknown stale-status stale-spec stuck-terminating lost-deletion terminated restarted lost finished mirror unaffected"
	after := func(prefix, words string) string {
		return prefix + strings.ReplaceAll(words, " ", " "+prefix)
	}
	for words, want := range map[string]string{
		"pre":                            "predict preflight " + files, // verbs, or a file of that name
		"b":                              files,
		"backup.db ":                     files,
		"a b ":                           files,
		"predict ":                       files,
		"predict a b ":                   nothing,
		"plan a ":                        files,
		"verify a ":                      nothing,
		"salvage ":                       files,
		"inspect a b c ":                 files,
		"carve ":                         files,
		"config ":                        "theme keys " + nothing,
		"config k":                       "keys " + nothing,
		"predict -o ":                    "table markdown json yaml html sarif prometheus attestation " + nothing,
		"preflight -o ":                  "text markdown json yaml html sarif prometheus attestation " + nothing,
		"preflight --policy ":            files,
		"preflight --quota ":             nothing,
		"preflight a --at-time ":         nothing,
		"plan -o ":                       "text markdown json yaml html attestation " + nothing,
		"salvage --report ":              "table json yaml " + nothing,
		"salvage -o ":                    files,
		"predict -o json=":               "json=backup.db json=sub/ :6",
		"predict -o json=sub/":           "json=sub/deep.json " + nothing,
		"predict -o json=.":              "json=.hidden " + nothing,
		"predict -o json=none/":          nothing,
		"predict -o table -o ":           "table markdown json yaml html sarif prometheus attestation " + nothing,
		"predict --fail-on ":             outcomes + " " + nothing,
		"predict --fail-on mirror,phan":  after("mirror,", strings.Replace(outcomes, " mirror", "", 1)) + " " + nothing,
		"verify --fail-on ":              "api-disagreement double phantom ghost stray-container unread-node silent-kubelet unseen-node " + nothing,
		"verify --kubelet node-1=sub/":   "node-1=sub/deep.json " + nothing,
		"verify --kubelet node":          nothing,
		"verify --dumps ":                ":16",
		"plan --platform ":               "kubeadm openshift k3s rke2 k0s kops talos gardener vcluster generic " + nothing,
		"predict --restart-kubelets ":    "none all " + nothing,
		"carve backup.db --label dele":   "live superseded deleted compacted " + nothing,
		"carve backup.db --label live,":  "live,superseded live,deleted live,compacted " + nothing,
		"inspect --encryption-config ":   files,
		"inspect --case ":                nothing,
		"inspect --etcd-prefix ":         "/registry /kubernetes.io /openshift.io " + nothing,
		"predict a b --outage-at ":       nothing,
		"predict a b --bump-revision 10": nothing,
	} {
		var out, errs bytes.Buffer
		args := append([]string{"__complete"}, strings.Split(words, " ")...)
		if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
			t.Fatalf("%q: exit code %d: %s", words, code, &errs)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t") // a description follows
			got = append(got, word)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q (-want):\n%s", words, diff)
		}
	}
	var out bytes.Buffer
	run(t.Context(), []string{"__complete", "carve", "backup.db", "po"}, streams{out: &out, err: &bytes.Buffer{}})
	if !strings.Contains(out.String(), "pods\n") || !strings.HasSuffix(out.String(), nothing+"\n") {
		t.Errorf("resources: %s", &out)
	}
}

// TestEveryFlagCompletes wants it said of every flag with a value what completes it,
// files included.
func TestEveryFlagCompletes(t *testing.T) {
	root := newRoot(streams{}, work)
	used := map[string]bool{}
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			used[f.Name] = true
			if _, ok := cmd.GetFlagCompletionFunc(f.Name); !ok && f.NoOptDefVal == "" {
				t.Errorf("%s --%s is not completed", cmd.CommandPath(), f.Name)
			}
		})
		if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
			t.Errorf("%s does not say what its arguments are", cmd.CommandPath())
		}
	}
	for name := range flagCompletions {
		if !used[name] {
			t.Errorf("no command has --%s", name)
		}
	}
}

// TestCompletionScripts has the shells that are here read their scripts.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"completion", shell}, streams{out: &out, err: &errs}); code != exitOK {
			t.Fatalf("%s: exit code %d: %s", shell, code, &errs)
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not here", shell)
			continue
		}
		script := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(script, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s: %v\n%s", shell, err, said)
		}
	}
}

// TestCompleteObjects: after a file come the resources in it, their objects and its
// namespaces.
func TestCompleteObjects(t *testing.T) {
	evidenceFiles(t)
	for words, want := range map[string]string{
		"get backup.db stat":                  "statefulsets.apps :4",
		"get backup.db widg":                  "widgets.lab.example.com :4",
		"get backup.db svc,stat":              "svc,statefulsets.apps :4",
		"get backup.db deploy ":               "api old-app web :4",
		"get backup.db -n shop deploy web ":   "api :4",
		"extract -f backup.db deploy/w":       "deploy/web :4",
		"history backup.db current.db sts/d":  "sts/db :4",
		"get backup.db -n sh":                 "shop :4",
		"get none.db widg":                    ":4",
		"get --etcd-prefix=/none backup.db w": "workloads.scheduling.k8s.io :4",
	} {
		var out, errs bytes.Buffer
		args := append([]string{"__complete"}, strings.Split(words, " ")...)
		if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
			t.Fatalf("%q: exit code %d: %s", words, code, &errs)
		}
		got := strings.Fields(out.String())
		slices.Sort(got[:len(got)-1])
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q (-want):\n%s", words, diff)
		}
	}
}
