package shell

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
	"revenant/tui/widget"
)

// TestPlanKeys changes the plan by its keys.
func TestPlanKeys(t *testing.T) {
	const recommended, minimum, minimumKept = 1_001_527, 1019, 1020
	in := demoInput(t)
	for _, tt := range []struct {
		name, keys string
		want       restore.Plan
	}{
		{"nothing", "", restore.Plan{}},
		{"recommended bump", "b", restore.Plan{BumpRevision: recommended}},
		{"minimum bump", "bb", restore.Plan{BumpRevision: minimum}},
		{"no bump again", "bbb", restore.Plan{}},
		{"marked compacted", "bm", restore.Plan{BumpRevision: recommended, MarkCompacted: true}},
		{"minimum follows the API servers", "bba", restore.Plan{BumpRevision: minimumKept, KeepAPIServers: true}},
		{"and back", "bbaa", restore.Plan{BumpRevision: minimum}},
		{"all kubelets", "r", restore.Plan{RestartKubelets: restore.Restart{All: true}}},
		{"no kubelet again", "rr", restore.Plan{}},
		{"one node", "3t", restore.Plan{RestartKubelets: restore.Restart{Nodes: []string{"node-4"}}}},
		{"two nodes", "3Ngtjt", restore.Plan{RestartKubelets: restore.Restart{Nodes: []string{"node-1", "node-2"}}}},
		{"one of two taken back", "3Ngtjtt", restore.Plan{RestartKubelets: restore.Restart{Nodes: []string{"node-2"}}}},
		{"some to none", "3tr", restore.Plan{}},
		{"all to one", "r3t", restore.Plan{RestartKubelets: restore.Restart{Nodes: []string{"node-4"}}}},
		{"below the help", "?m?", restore.Plan{MarkCompacted: true}},
		{"not while typing", "3/bmra", restore.Plan{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := openOn(t, in, 120, 40).typed(tt.keys)
			if diff := cmp.Diff(tt.want, x.Plan.Plan); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			want, err := restore.Predict(in.Sources[in.Backup].State, in.Sources[in.Current].State, tt.want)
			if err != nil {
				if x.Refused == nil || x.Refused.Error() != err.Error() {
					t.Errorf("refused with %v, want %v", x.Refused, err)
				}
				return
			}
			if diff := cmp.Diff(want, x.Prediction); diff != "" {
				t.Errorf("the prediction is another: -want +got:\n%s", diff)
			}
		})
	}
}

// TestGivenPlan begins with a plan from the command line.
func TestGivenPlan(t *testing.T) {
	in := demoInput(t)
	in.Plan = restore.Plan{BumpRevision: 5000, MarkCompacted: true}
	x := openOn(t, in, 80, 24)
	bumps := []int64{x.Plan.Plan.BumpRevision}
	for range 4 {
		bumps = append(bumps, x.typed("b").Plan.Plan.BumpRevision)
	}
	if diff := cmp.Diff([]int64{5000, 0, 1_001_527, 1019, 5000}, bumps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestGivenPlanRefused begins with a plan that the evidence refuses.
func TestGivenPlanRefused(t *testing.T) {
	in := demoInput(t)
	in.Plan = restore.Plan{RestartKubelets: restore.Restart{Nodes: []string{"no-such-node"}}}
	x := openOn(t, in, 80, 24)
	for _, keys := range []string{"", "3", "3<enter>"} {
		if screen := x.typed(keys).plain(); !strings.Contains(screen, "refused: no such node") {
			t.Errorf("after %q nothing says that the plan is refused:\n%s", keys, screen)
		}
	}
	if screen := x.typed("r").plain(); strings.Contains(screen, "refused") {
		t.Errorf("the plan is still refused:\n%s", screen)
	}
}

// TestPredictingMeanwhile changes the plan while a prediction is made: the old
// result stays, and only the last plan's counts.
func TestPredictingMeanwhile(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	before := x.Prediction
	var cmds []tea.Cmd
	for _, key := range keysOf("bmr") {
		_, cmd := x.Update(key)
		if cmd != nil {
			cmds = append(cmds, cmd)
		}
		if !x.Pending || x.Prediction != before || !strings.Contains(x.plain(), "● 18 phantom") {
			t.Fatalf("the old result is gone:\n%s", x.plain())
		}
	}
	if len(cmds) != 1 {
		t.Errorf("%d predictions are under way", len(cmds))
	}
	x.run(cmds[0])
	want := restore.Plan{BumpRevision: 1_001_527, MarkCompacted: true, RestartKubelets: restore.Restart{All: true}}
	if diff := cmp.Diff(want, x.Prediction.Plan); diff != "" || x.Pending {
		t.Errorf("pending %v, -want +got:\n%s", x.Pending, diff)
	}
}

// TestAnyOrder types random keys and lets the commands that come of them end in
// random order, with a frame after each step.
func TestAnyOrder(t *testing.T) {
	in := demoInput(t)
	var all []tea.KeyPressMsg
	for _, b := range keys.Default {
		for _, key := range b.Keys {
			if len(key) == 1 && b.Action != keys.Quit {
				all = append(all, keysOf(key)...)
			}
		}
	}
	all = append(all, keysOf("<enter><esc><down><pgdown><tab><left><ctrl+d>x-")...)
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		size := sizes[seed%3]
		x := openOn(t, in, size.width, size.height)
		var running []tea.Cmd
		for range 400 {
			var msg tea.Msg = all[r.IntN(len(all))]
			if n := len(running); n > 0 && r.IntN(2) == 0 {
				i := r.IntN(n)
				msg = running[i]()
				running = slices.Delete(running, i, i+1)
			}
			if batch, ok := msg.(tea.BatchMsg); ok {
				running = append(running, batch...)
			} else if _, cmd := x.Update(msg); cmd != nil {
				running = append(running, cmd)
			}
			x.fits()
		}
		for _, cmd := range running {
			x.run(cmd)
		}
		if x.Pending || x.Plan.Plan.Validate() == nil && (x.Refused != nil || cmp.Diff(x.Plan.Plan, x.Prediction.Plan, cmpopts.EquateEmpty()) != "") {
			t.Errorf("seed %d: in the end the prediction is not the plan's", seed)
		}
	}
}

// TestKeys is the table of keys held against itself and the screens.
func TestKeys(t *testing.T) {
	seen := map[string][]keys.Action{}
	var actions []keys.Action
	for _, b := range keys.Default {
		if b.Action == "" {
			if b.Label == "" || b.Keys != nil {
				t.Errorf("%+v is neither a key nor a heading", b)
			}
			continue
		}
		if b.Label == "" || b.Does == "" || len(b.Keys) == 0 || slices.Contains(actions, b.Action) {
			t.Errorf("%+v lacks something or is there twice", b)
		}
		actions = append(actions, b.Action)
		for _, key := range b.Keys {
			for _, other := range seen[key] {
				if !keys.Apart(b.Action, other) {
					t.Errorf("%q is bound to %q and %q", key, b.Action, other)
				}
			}
			seen[key] = append(seen[key], b.Action)
		}
	}
	x := openOn(t, demoInput(t), 80, 24)
	for _, b := range keys.Default {
		known := b.Action == "" || b.Absent != ""
		if _, ok := x.taken()[b.Action]; !ok && !known {
			t.Errorf("%q is taken by nobody and does not say why", b.Label)
		}
	}
	for _, keys := range []string{"1", "3", "3<enter>", "?"} {
		for a := range x.typed(keys).taken() {
			if !slices.Contains(actions, a) {
				t.Errorf("no key asks for %q", a)
			}
		}
	}
	for i, r := range registry {
		if b, ok := keys.Default.Of(r.key, nil); r.key != "" && (!ok || b.Action != keys.Number) {
			t.Errorf("screen %d has the key %q", i, r.key)
		}
	}
}

// TestHelp names every key.
func TestHelp(t *testing.T) {
	for _, width := range []int{80, 130, 250} {
		x := openOn(t, demoInput(t), width, 100).typed("?")
		shown := strings.Join(strings.Fields(plain(strings.Join(x.over.(*helpScreen).keyLines(78), " "))), " ")
		for _, b := range keys.Default {
			if !strings.Contains(shown, b.Does) {
				t.Errorf("width %d: the help lacks %q", width, b.Does)
			}
		}
		x.fits()
	}
}

// TestBlockedKeys presses keys that do nothing: the bottom line says why.
func TestBlockedKeys(t *testing.T) {
	in := demoInput(t)
	for _, tt := range []struct{ keys, want string }{
		{"t", "t: needs a selected pod or node"},
		{"z", "z: needs the pods, all objects, the differences, the timeline or the storage"},
		{"n", "n: nothing was searched for"},
		{"<esc>", "esc: this is where you came in"},
		{"3o", "o: the objects are still being read"},
		{"3<enter>o", "o: the pod is in the current snapshot only"},
		{"3/nothing<enter>j", "j ↓: the list is empty"},
		{"3h", "h ←: needs an open detail"},
	} {
		x := openOn(t, in, 80, 24).typed(tt.keys)
		lines := strings.Split(x.plain(), "\n")
		if got := strings.TrimSpace(lines[len(lines)-2]); got != tt.want {
			t.Errorf("after %q: %q, want %q", tt.keys, got, tt.want)
		}
		if x.typed("?").message != "" {
			t.Errorf("after %q the message stays", tt.keys)
		}
	}
}

// TestPrompt edits a filter.
func TestPrompt(t *testing.T) {
	for _, tt := range []struct{ keys, want string }{
		{"web", "web"},
		{"web<backspace>", "we"},
		{"<backspace>", ""},
		{"web node-4<ctrl+w>", "web "},
		{"web node-4 <ctrl+w>", "web "},
		{"web<ctrl+w>", ""},
		{"web node<ctrl+u>x", "x"},
		{"日本<backspace>", "日"},
		{strings.Repeat("x", 2*widget.MaxTyped), strings.Repeat("x", widget.MaxTyped)},
		{"web<down><pgdown>", "web"},
	} {
		p := widget.Prompt{Left: func() tea.Cmd { return nil }}
		for _, key := range keysOf(tt.keys) {
			p.Update(key)
		}
		if p.Text != tt.want {
			t.Errorf("%q gives %q, want %q", tt.keys, p.Text, tt.want)
		}
	}
	openOn(t, demoInput(t), 80, 24).typed("6nnothing<tab><tab>") // is completed to nothing
	x := openOn(t, demoInput(t), 80, 24).typed("3/日b")
	if c := x.View().Cursor; c == nil || c.X != 5 || c.Y != 23 {
		t.Errorf("the cursor is at %+v", c)
	}
}

// TestDetailFollows looks at the pod beside the list and changes the plan.
func TestDetailFollows(t *testing.T) {
	x := openOn(t, demoInput(t), 200, 50).typed("3jj")
	see := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(x.plain(), text) {
				t.Errorf("%q is not there:\n%s", text, x.plain())
			}
		}
	}
	see("Pod data/db-1 ", "● phantom: Runs; the API does not know it", "revision 607", "kind: Pod")
	x.typed("<enter><ctrl+d>")
	top := regexp.MustCompile(`[\d,]+ lines? (below|above)`)
	at := top.FindString(x.plain())
	x.typed("bm")
	if got := top.FindString(x.plain()); got == "" || strings.Contains(x.plain(), "phantom: Runs; the API does not know it") {
		t.Errorf("the detail had %q and has %q", at, got)
	}
	x.typed("g")
	see("Pod data/db-1 ", "○ terminated: Stopped by its kubelet")
	x.typed("<esc>j")
	see("Pod data/db-3 ")
}

// TestObject turns from the object in one snapshot to that in the other.
func TestObject(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24).typed("3u/coredns-static<enter>")
	x.typed("<esc>/cache-1<enter>y")
	for _, tt := range []struct{ keys, want string }{
		{"", "Object in the current snapshot, revision 389 (o: in the backup)"},
		{"o", "Object in the backup, revision 389 (o: in the current snapshot)"},
		{"o", "Object in the current snapshot, revision 389 (o: in the backup)"},
	} {
		if screen := x.typed(tt.keys).plain(); !strings.Contains(screen, tt.want) || !strings.Contains(screen, "apiVersion: v1") {
			t.Errorf("after %q there is no %q:\n%s", tt.keys, tt.want, screen)
		}
	}
	if screen := x.typed("y").plain(); !strings.Contains(screen, "unaffected: It goes on as it is") {
		t.Errorf("not back at the top:\n%s", screen)
	}
}

// TestFiles shows what is known of the files, before and after they are hashed.
func TestFiles(t *testing.T) {
	in := demoInput(t)
	in.Warnings = []string{"Something the caller knows."}
	x := openOn(t, in, 200, 60)
	see := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(x.plain(), text) {
				t.Errorf("%q is not there:\n%s", text, x.plain())
			}
		}
	}
	see("54557eb8e194238d828b10797bf6", "trailer   ok", "content   ok", "24 pods, 4 nodes, 222 keys", "Something the caller knows.")
	x.Files[x.Input.Backup] = session.File{}
	x.send(progressMsg{snapshot.Progress{Phase: snapshot.PhaseHash, Done: 42, Total: 100}, "backup", 0})
	see("hashing… 42 %", "trailer   verifying…")
	x.send(session.IntegrityMsg{Source: x.Input.Backup, Integrity: snapshot.Integrity{Checks: []snapshot.Check{
		{Name: "trailer", Verdict: snapshot.Skipped, Detail: "not asked for"},
		{Name: "content", Verdict: snapshot.Bad, Detail: "5 problems"},
	}}, Problems: []snapshot.Problem{{Severity: snapshot.Damage, Where: "page 7", What: "is gone", Cost: "3 items"}, {}, {}, {}, {}}})
	see("sha256    not computed", "trailer   skipped: not asked for", "content   bad: 5 problems",
		"backup: damage: page 7: is gone (3 items).", "backup: 2 problems more; :problems lists them.")
	same := snapshot.Integrity{SHA256: strings.Repeat("ab", 32)}
	x.send(session.IntegrityMsg{Source: x.Input.Backup, Integrity: same})
	x.send(session.IntegrityMsg{Source: x.Input.Current, Integrity: same})
	see("Both files have the same SHA-256")
}

// TestNoPods shows two states without a pod.
func TestNoPods(t *testing.T) {
	in := demoInput(t)
	for _, s := range []*session.Source{&in.Sources[in.Backup], &in.Sources[in.Current]} {
		s.State = &restore.State{Revision: s.State.Revision, NewestRecord: s.State.NewestRecord, SeenRevision: s.State.Revision}
	}
	for _, size := range sizes {
		x := openOn(t, in, size.width, size.height)
		x.fits()
		if screen := x.typed("3").plain(); !strings.Contains(screen, "Neither snapshot holds a pod.") {
			t.Errorf("nothing says that there is no pod:\n%s", screen)
		}
		x.typed("jkG<enter>yo<esc>ut?")
		x.fits()
	}
}

func TestLoading(t *testing.T) {
	x := &terminal{t, newModel(t.Context(), colorprofile.ASCII, draw.UnicodeGlyphs)}
	x.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	see := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(x.plain(), text) {
				t.Errorf("%q is not there:\n%s", text, x.plain())
			}
		}
	}
	see("Indexing the revisions…", "esc cancel")
	x.send(progressMsg{snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 1, Total: 2}, "current", 0})
	x.send(progressMsg{snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 5, Total: 5}, "backup", 0})
	x.send(progressMsg{snapshot.Progress{Phase: snapshot.PhaseHash, Done: 1, Total: 5}, "backup", 0})
	see("backup   ████████████████████████████████████████ 100 %", "current  ████████████████████░░░░░░░░░░░░░░░░░░░░  50 %")
	x.send(progressMsg{snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 9, Total: 0}, "current", 0})
	x.send(progressMsg{snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 2, Total: 2}, "current", 0})
	see("Reading the objects…")
	want := errors.New("no")
	_, cmd := x.Update(loadedMsg{err: want})
	if _, ok := cmd().(tea.QuitMsg); !ok || x.err != want {
		t.Errorf("a failure to load does not end it: %v", x.err)
	}
}

// TestCarvedFromTheStart has histories and the timeline with what is carved, when
// that is asked for.
func TestCarvedFromTheStart(t *testing.T) {
	in := demoInput(t)
	in.Carved = true
	x := openOn(t, in, 160, 48).typed(":diff<enter>z/deployments old-app<enter>H")
	if !x.History.Carved {
		t.Error("the history is without what is carved")
	}
	if x.typed("v"); x.History.Carved {
		t.Error("it cannot be left out")
	}
	if screen := x.typed("9").plain(); !strings.Contains(screen, "carved") {
		t.Errorf("the timeline is without what is carved:\n%s", screen)
	}
}

// BenchmarkFrame draws the whole terminal over a prediction of many pods.
func BenchmarkFrame(b *testing.B) {
	in := demoInput(b)
	many := sessiontest.ManyPods(1_000_000)
	for _, keys := range []string{"1", "3", "?"} {
		x := openOn(b, in, 200, 50)
		p := *x.Prediction
		p.Pods = many
		p.Summary = map[restore.Outcome]int{}
		for i := range many {
			p.Summary[many[i].Outcome]++
		}
		x.send(session.PredictedMsg{Asked: x.Plan.Asked, Prediction: &p, Digest: digest.New(&p, nil)})
		x.typed(keys)
		b.Run(registry[x.at].name, func(b *testing.B) {
			for b.Loop() {
				x.Update(keysOf("j")[0])
				x.View()
			}
		})
	}
}
