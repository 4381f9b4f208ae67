package shell

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// TestObjectsThroughTime follows an object to where it does not exist, and back.
func TestObjectsThroughTime(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24).typed(":po -n shop<enter>/web-9f67dd57f-df7xj<enter>j<esc>")
	selected := func() string { return x.excerpt(false).Text }
	const key = "/registry/pods/shop/web-9f67dd57f-df7xj"
	for _, step := range []struct {
		keys   string
		there  bool
		opened bool
		see    string
	}{
		{"", true, false, "web-9f67dd57f-df7xj"},
		{"{", true, false, "revision 1,372"},
		{"{{{{{{{", false, false, "pods shop/web-9f67dd57f-df7xj does not exist at this revision"},
		{"<enter>", false, true, "kind: Pod"},
		{"<esc>", false, false, ""},
	} {
		x.typed(step.keys)
		if got := selected(); !step.opened && (got == key) != step.there {
			t.Errorf("after %q %q is selected", step.keys, got)
		}
		if screen := strings.Join(strings.Fields(x.plain()), " "); step.keys != "<enter>" && !strings.Contains(screen, step.see) {
			t.Errorf("after %q there is no %q:\n%s", step.keys, step.see, x.plain())
		}
		if _, opened := x.shown().Keys()[keys.Leave]; opened != step.opened {
			t.Errorf("after %q opened is %v", step.keys, opened)
		}
	}
	x = openOn(t, demoInput(t), 80, 24).typed(":po web-9f67dd57f-df7xj -n shop<enter>")
	for _, step := range []struct{ keys, see string }{
		{"", "uid "},
		{"{{{{{{{{", "It is there from revision 798 on"},
		{"}}}}}}}}", "uid "},
	} {
		if screen := strings.Join(strings.Fields(x.typed(step.keys).plain()), " "); !strings.Contains(screen, step.see) {
			t.Errorf("after %q there is no %q:\n%s", step.keys, step.see, x.plain())
		}
	}
}

// TestScrubbingFast presses on before anything was listed.
func TestScrubbingFast(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24).typed("6")
	var first tea.Cmd
	for i, key := range keysOf("<lt><lt><lt>") {
		_, cmd := x.Update(key)
		_, cmd = x.Update(cmd())
		if i == 0 {
			first = cmd
		}
	}
	if msg := first(); msg != nil {
		t.Errorf("a listing that nobody waits for gives %T", msg)
	}
	if x.Wanted.Revision != x.Current().Snapshot.Revision()-3 {
		t.Errorf("wanted is revision %d", x.Wanted.Revision)
	}
}

// TestObjectsConcurrently runs every command on a goroutine of its own, as the
// program does, while keys are pressed.
func TestObjectsConcurrently(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.atOnce(":po<enter>", "w", "A", "/web<enter>", "<lt><lt><lt>{{", "<enter>", "J", "<esc><esc>", "R", ":deploy<enter>", "SRA", "o", "<gt><gt>", "<enter>", "R", "<esc>", "z", "j<enter>", "/-l app=web<enter>", ":ev<enter>", "<pgdown>", "nshop<enter>", ":secret<enter>", "<enter>x")
	if got := (session.ListMsg{Moment: x.Objects.Moment, Query: x.Objects.Query}); !x.Objects.Answers(x.Wanted) {
		t.Errorf("%+v is listed, not %+v", got, x.Wanted)
	}
}

// TestSecretIsHiddenAgain decodes a Secret, and looks where else it might be seen.
func TestSecretIsHiddenAgain(t *testing.T) {
	const value = "rotated"
	x := openOn(t, demoInput(t), 200, 50)
	for _, step := range []struct {
		keys string
		seen bool
	}{
		{":secret -n shop<enter>", false},
		{"x", false}, // not in a list
		{"<enter>", false},
		{"x", true},
		{"x", false},
		{"x", true},
		{"<esc>", true}, // beside the list, of the same row
		{"j", false},
		{"k", false},
		{"<enter>", false},
		{"J", false},
	} {
		if got := strings.Contains(x.typed(step.keys).plain(), value); got != step.seen {
			t.Errorf("after %q it is seen: %v\n%s", step.keys, got, x.plain())
		}
	}
	x.typed("x")
	memory, err := json.Marshal(x.memory())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(memory), value) {
		t.Errorf("remembered: %s", memory)
	}
	if !strings.Contains(string(memory), `"resource":"secrets"`) {
		t.Errorf("not remembered what was listed: %s", memory)
	}
	y := openOn(t, demoInput(t), 80, 24)
	y.run(y.apply(x.memory()))
	if screen := y.plain(); !strings.Contains(screen, "secrets › shop") || strings.Contains(screen, value) {
		t.Errorf("not as it was left:\n%s", screen)
	}
}

// TestObjectsInAndOut goes into groups and back to where it was.
func TestObjectsInAndOut(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	for _, step := range []struct{ keys, see string }{
		{"6", "280 of 280 objects"},
		{"z", "by resource"},
		{"/deployments<enter><enter>", "Objects › deployments.apps"},
		{"<esc>", "by resource"},
		{"z", "by namespace"},
		{"/shop<enter><enter>", "Objects › shop"},
		{"nnone<enter>", `in the namespace "none"`},
		{"n<enter>", "280 of 280 objects"},
		{":po -n shop<enter>", "Objects › pods › shop"},
		{"n<enter>", "31 of 31 objects"},
		{"<esc>", "280 of 280 objects"},
		{":ns shop<enter>", "kind: Namespace"},
		{":deploy web -n shop<enter>R", "relatives of deployments shop/web"},
		{"/replicasets<enter><enter>", "replicasets shop/web-9f67dd57f"},
		{"<esc><esc>", "9 of 9 objects"},
		{"<esc>", "280 of 280 objects"},
	} {
		if screen := x.typed(step.keys).plain(); !strings.Contains(screen, step.see) {
			t.Errorf("after %q there is no %q:\n%s", step.keys, step.see, screen)
		}
	}
}

// TestSortByWhatIsRead sorts by columns of kubectl's.
func TestSortByWhatIsRead(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 40).typed(":po<enter>w")
	ages := func() (list []string) {
		rows, err := csv.NewReader(strings.NewReader(x.excerpt(true).Later())).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		column := slices.Index(rows[0], "AGE")
		for _, row := range rows[1:] {
			list = append(list, row[column])
		}
		return list
	}
	x.typed("A")
	young := ages()
	x.typed("A")
	old := ages()
	if young[0] != "30s" || old[0] != "68s" || len(young) != 31 {
		t.Errorf("youngest first: %v\noldest first: %v", young, old)
	}
	x.typed("/node-4 running<enter>")
	if got := len(ages()); got == 0 || got >= 31 {
		t.Errorf("%d pods are on node-4", got)
	}
}

// TestSaveObjects saves all rows with what kubectl prints of them.
func TestSaveObjects(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24).typed(":deploy -n shop<enter>")
	path := filepath.Join(t.TempDir(), "deployments.csv")
	x.typed(":save " + path + "<enter>")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "NAME,READY,UP-TO-DATE,AVAILABLE,AGE\napi,3/3,3,3,68s\nweb,7/7,7,7,68s\n"
	if string(got) != want {
		t.Errorf("saved %q", got)
	}
}

// hostileStore is a snapshot in which everything tries to steer the terminal.
func hostileStore(t testing.TB, evil string) *snapshot.Snapshot {
	t.Helper()
	text := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	e := text(evil)
	name := strings.NewReplacer("/", "", "%", "").Replace(evil)
	object := fmt.Sprintf(`{"apiVersion":%[1]s,"kind":%[1]s,"metadata":{"name":%[1]s,"uid":"u","labels":{%[1]s:%[1]s},"ownerReferences":[{"apiVersion":%[1]s,"kind":%[1]s,"name":%[1]s,"uid":%[1]s}]},"spec":{"a":%[1]s}}`, e)
	values := map[string]string{
		"/registry/" + name + "/x/y": object,
		"/registry/apiextensions.k8s.io/customresourcedefinitions/a.b": fmt.Sprintf(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":%[1]s},
			"spec":{"group":"x.y","scope":"Namespaced","names":{"plural":"evils","kind":%[1]s,"singular":%[1]s,"shortNames":[%[1]s]},
			"versions":[{"name":"v1","served":true,"additionalPrinterColumns":[{"name":%[1]s,"type":"string","jsonPath":".spec.a"}]}]}}`, e),
		"/registry/x.y/evils/" + name + "/" + name:       object,
		"/registry/secrets/" + name + "/" + name:         fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%[1]s},"type":%[1]s,"data":{%[1]s:"G10wO3gHG1syag=="}}`, e),
		"/registry/secrets/" + name + "/text":            fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"text"},"data":{%[1]s:"4oCuYQpi"}}`, e),
		"/registry/events/" + name + "/" + name:          fmt.Sprintf(`{"apiVersion":"v1","kind":"Event","metadata":{"name":%[1]s},"involvedObject":{"kind":%[1]s,"namespace":%[2]s,"name":%[2]s},"reason":%[1]s,"message":%[1]s,"type":%[1]s,"source":{"component":%[1]s}}`, e, text(name)),
		"/registry/pods/" + name + "/" + name:            "k8s\x00" + evil,
		"/registry/minions/" + name:                      evil,
		"/registry/" + name:                              evil,
		"/registry/deployments/" + name + "/" + evil[1:]: "k8s:enc:aescbc:v1:" + evil + ":x",
	}
	var puts []snapshottest.Change
	for key, value := range values {
		puts = append(puts, snapshottest.Put(key, value))
	}
	return snapshottest.Store(t, puts...)
}

func TestHostileObjects(t *testing.T) {
	const evil = "a\x1b]52;c;ZXZpbA==\x07b\x1b[2Jc\r\nd\u202ee\u200bf\u009b31mg\x7f\t文"
	in := demoInput(t)
	in.Sources[in.Current] = session.Source{Snapshot: hostileStore(t, evil), State: &restore.State{}}
	for _, size := range sizes {
		for _, keys := range []string{"6", "6<enter>", "6z", "6zj<enter>", "6zz<enter>", ":evils<enter>", ":evils<enter><enter>", ":evils<enter>A", ":secrets<enter><enter>x", ":secrets<enter>j<enter>xJ",
			":events<enter>w", ":po<enter><enter>", ":no<enter>", ":crd<enter><enter>", ":deploy<enter><enter>", ":evils -n " + strings.Repeat("<tab>", 2), ":evils -n x<enter>", ":e", "6H", "6c", "6 j c"} {
			x := openOn(t, in, size.width, size.height).typed(keys)
			x.TB = t
			for range 12 {
				if t.Failed() {
					t.Fatalf("at %s after %q", size.name, keys)
				}
				x.fits()
				x.harmless()
				x.typed("<pgdown>")
			}
		}
	}
}
