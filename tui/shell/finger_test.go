package shell

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// where is the name of the screen that is shown.
func (x *terminal) where() string { return registry[x.at].name }

// lacks checks that a text is not on the screen.
func (x *terminal) lacks(text string) {
	x.Helper()
	if strings.Contains(x.plain(), text) {
		x.Errorf("there is %q:\n%s", text, x.plain())
	}
}

// TestResourceInNamespace: after a resource a word that names a namespace is one, and one after
// a slash filters, as in k9s; a name stays a name.
func TestResourceInNamespace(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows(":pod shop<enter>", "[namespace shop]", "[pods]")
	x.shows(":po /web.*node-1<enter>", "[pods]", `filter "web.*node-1"`)
	x.lacks("[namespace")
	x.shows(":po shop /api<enter>", "[namespace shop]", `filter "api"`)
	x.shows(":deploy web -n shop<enter>", "[namespace shop]", "web")
	if why, ok := x.shown().Keys()[keys.Leave]; !ok || why != "" {
		t.Errorf("web is not opened:\n%s", x.plain())
	}
	x.shows("<esc>:po /web(<enter>", "missing closing )")
	if x.prompt == nil {
		t.Error("a filter that is none was taken")
	}
	x.typed("<esc>")
	if got := x.completions("po sh"); !slices.Contains(got, "po shop") {
		t.Errorf("completed to %q", got)
	}
}

// TestNamespaceEntered: enter on a namespace lists its pods.
func TestNamespaceEntered(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows(":ns<enter>/shop<enter><enter>", "[namespace shop]", "[pods]", "api-")
	x.lacks("kind: Namespace")
}

// TestNamespaces: n narrows every list that has namespaces to one of them; the namespace is a
// chip that esc takes away, and stays while the rows are grouped, sorted and left.
func TestNamespaces(t *testing.T) {
	for _, keys := range []string{"3u", "5u", ":undone<enter>u", "9", "8uz"} {
		x := openOn(t, demoInput(t), 200, 50).typed(keys)
		all := len(strings.Split(x.excerpt(true).Text, "\n"))
		x.shows("nshop<enter>", "[namespace shop]")
		rows := strings.Split(strings.TrimSpace(x.excerpt(true).Text), "\n")
		at := slices.Index(strings.Split(rows[0], ","), "NAMESPACE")
		if len(rows) < 2 || len(rows) >= all {
			t.Errorf("%s: %d rows of %d", keys, len(rows), all)
		}
		for _, row := range rows[1:] {
			if strings.Split(row, ",")[at] != "shop" {
				t.Errorf("%s: %s", keys, row)
			}
		}
		x.shows("1-", "[namespace shop]")
		x.typed("<esc>")
		x.lacks("[namespace shop]")
	}
	x := openOn(t, demoInput(t), 200, 50)
	x.shows("3unshop<enter>zzz", "[namespace shop]", "shop ReplicaSet/web")
	x.lacks("data StatefulSet")
	x.shows("<esc>", "data StatefulSet")
	x.shows("4n", "n: these rows have no namespace")
}

// TestRegular: a filter that looks like a regular expression is one, in any case, and is said to
// be; one that is wrong stays in the prompt with what is wrong.
func TestRegular(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows("3u/", "words, or a regular expression")
	x.shows("^DB-[01]$", "regular expression", "4 of 43 pods", "db-0", "db-1")
	x.lacks("cache-0")
	x.shows("<enter>/!cache|db-|mirror<enter>", "28 of 43 pods")
	x.lacks("cache-")
	x.shows("/db-0 node-1<enter>", `filter "db-0 node-1"`, "1 of 43 pods")
	x.shows("/web(<enter>", "missing closing ): web(", "enter keep")
	if x.prompt == nil || x.prompt.Text != "web(" {
		t.Errorf("the prompt is gone:\n%s", x.plain())
	}
	x.shows(")<enter>", `filter "web()"`)
	x.shows("<esc><enter>/spec|labels<enter>", "▌  labels:", "▌spec:")
}

// TestViews goes back and forward through what was shown, and to the last view.
func TestViews(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows("[", "[: there is no view before this one")
	x.shows("-", "-: no other view was shown")
	x.typed("3").typed(":po -n shop<enter>").typed(":deploy<enter>").typed("4")
	for _, step := range []struct{ keys, where, see string }{
		{"[", "objects", "view 4 of 5"}, {"[", "objects", "[namespace shop]"}, {"[", "outcomes", "OUTCOME"}, {"[", "overview", "Verdict"},
		{"]]", "objects", "[namespace shop]"}, {"]", "objects", "[deployments.apps]"}, {"]", "kubelets", "KUBELET"},
		{"-", "objects", "[deployments.apps]"}, {"-", "kubelets", "KUBELET"}, {"-", "objects", "[deployments.apps]"},
	} {
		x.typed(step.keys)
		if x.where() != step.where || !strings.Contains(x.plain(), step.see) {
			t.Errorf("after %q: want %s with %s:\n%s", step.keys, step.where, step.see, x.plain())
		}
	}
	x.shows("]", "]: there is no view after this one")
}

// TestAliases lists what the prompt of commands takes, and does it.
func TestAliases(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows("<ctrl+a>deploy", "What : takes", ":deployments", "deploy, deployment, deployments.apps")
	x.shows("<enter>", "[deployments.apps]")
	x.shows("<ctrl+a>kubelets<enter>", "KUBELET")
}

// TestChooseFile: ctx chooses the file, as k9s does the context.
func TestChooseFile(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows(":ctx<enter>", "2 of 2 files")
	x.shows(":ctx backup<enter>", "IN THE BACKUP")
	x.shows(":ctx current<enter>", "newest revision")
	x.lacks("IN THE")
	x.shows(":ctx nothing<enter>", "The files are backup, current.")
	x.typed("<esc>")
	if got := x.completions("ctx b"); !slices.Equal(got, []string{"ctx backup"}) {
		t.Errorf("completed to %q", got)
	}
}

// TestAsksToQuit: where the plan was changed and its runbook taken nowhere, q asks once.
func TestAsksToQuit(t *testing.T) {
	in := demoInput(t)
	for _, tt := range []struct {
		keys  string
		quits bool
	}{
		{"q", true}, {"bmq", false}, {"bmqq", true}, {"bmqjq", false}, {"bm2cq", true}, {"bm2c" + "bq", false}, {"bm:q<enter>", false}, {"bm:q!<enter>", true},
		{"bm<ctrl+c>", true}, {"bmbbmq", true}, {"rrq", true}, {"bm3q", false},
	} {
		x := openOn(t, in, 80, 24)
		list := keysOf(tt.keys)
		for _, key := range list[:len(list)-1] {
			x.send(key)
		}
		_, cmd := x.Update(list[len(list)-1])
		quits := false
		if cmd != nil {
			_, quits = cmd().(tea.QuitMsg)
		}
		if quits != tt.quits || !quits && !strings.Contains(x.plain(), "its runbook not copied") {
			t.Errorf("%q quits: %v\n%s", tt.keys, quits, x.plain())
		}
	}
}

// TestClicks: a click selects a row, opens the selected one, sorts by a title, and goes to a
// screen by its name, at every size.
func TestClicks(t *testing.T) {
	for _, size := range append(sizes, struct {
		name          string
		width, height int
	}{"250x60", 250, 60}) {
		x := openOn(t, demoInput(t), size.width, size.height)
		click := func(text string, from int) {
			t.Helper()
			for y, line := range strings.Split(x.plain(), "\n") {
				if at := strings.Index(line, text); y >= from && at >= 0 {
					x.send(tea.MouseClickMsg{X: len([]rune(line[:at])), Y: y, Button: tea.MouseLeft})
					return
				}
			}
			t.Fatalf("%s: no %q:\n%s", size.name, text, x.plain())
		}
		click("3", 0)
		if x.where() != "outcomes" {
			t.Fatalf("%s: the click shows %s", size.name, x.where())
		}
		click("db-1", 1)
		if got := x.excerpt(false).Text; got != "data/db-1" {
			t.Errorf("%s: the click selects %q", size.name, got)
		}
		click("NAMESPACE", 1)
		x.shows("", "NAMESPACE ↑")
		if got := x.excerpt(false).Text; got != "data/db-1" {
			t.Errorf("%s: sorting selects %q", size.name, got)
		}
		click("▌", 1)
		x.shows("", "data/db-1")
		for _, keys := range []string{"4", "5u", "6o", ":po<enter>", "8", "9", "0", ":undone<enter>"} {
			x.typed(keys)
			board, ok := x.shown().(session.Sorter)
			if !ok {
				t.Fatalf("%s has no columns", keys)
			}
			lines := strings.Split(x.plain(), "\n")
			head := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "    "+board.Columns()[0].Title) })
			if head < 0 || head+3 >= len(lines) {
				t.Fatalf("%s: no list:\n%s", keys, x.plain())
			}
			x.send(tea.MouseClickMsg{X: 6, Y: head + 2, Button: tea.MouseLeft})
			if after := strings.Split(x.plain(), "\n"); !strings.HasPrefix(after[head+2], "▌") {
				t.Errorf("%s after %s: line %d is not selected:\n%s", size.name, keys, head+2, x.plain())
			}
			at := 1
			for board.Columns()[at].Key == "" || !strings.Contains(lines[head], board.Columns()[at].Title[:4]) {
				at++
			}
			if second := board.Columns()[at]; second.Key != "" {
				x.send(tea.MouseClickMsg{X: len([]rune(lines[head][:strings.Index(lines[head], second.Title[:4])])), Y: head, Button: tea.MouseLeft})
				if after := strings.Split(x.plain(), "\n")[head]; !regexp.MustCompile(second.Title[:4] + "[^ ]* ?[↑↓]").MatchString(after) {
					t.Errorf("%s after %s: not sorted by %s: %s", size.name, keys, second.Title, after)
				}
			}
			x.fits()
		}
	}
}

// TestSaysNothing: a key that stands for nothing says so.
func TestSaysNothing(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	x.send(tea.KeyPressMsg{Code: tea.KeyF5})
	x.shows("", "f5 stands for nothing: ? lists the keys")
}

// TestForgets: what is remembered of screens that are called otherwise now is named.
func TestForgets(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 24)
	x.run(x.apply(&Memory{Screen: "nodes", Screens: map[string]map[string]string{"pods": {"filter": "x"}, "outcomes": {"filter": "db-0"}}}))
	x.shows("", "as you left it, but what was kept of screens that are called otherwise now: pods, nodes")
	x.shows("3", `filter "db-0"`)
}

// TestHelpLegend: the help explains how counts are written, and gives an outcome the marks that
// its pods may have in the list, no other.
func TestHelpLegend(t *testing.T) {
	for _, width := range []int{80, 200} {
		x := openOn(t, demoInput(t), width, 400)
		x.shows("3?", "3 1? is 3 certain ones", x.Theme.MarkCritical+" harm that nothing repairs")
		for _, d := range restore.Decisions() {
			for _, c := range d.Cases {
				if c.Outcome == "" {
					continue
				}
				_, mark := shared.Severity(x.Theme, c.Severity)
				if !regexp.MustCompile(`[●○·]*` + mark + `[●○·]* +` + string(c.Outcome) + " ").MatchString(x.plain()) {
					t.Errorf("a pod may be %s %s, and the help has no such mark", mark, c.Outcome)
				}
			}
		}
	}
}

// TestNodeScope: what one went into from a node stays while its pods are grouped.
func TestNodeScope(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows("4<enter><enter>", "[node node-4]")
	for _, key := range []string{"z", "z", "z", "S", "u", "/o<enter>"} {
		x.shows(key, "[node node-4]")
		for _, pod := range x.shown().(interface{ Columns() []widget.Column }).Columns() {
			if pod.Title == "NODE" && strings.Contains(x.excerpt(true).Text, "node-1") {
				t.Errorf("after %q there are pods of node-1:\n%s", key, x.plain())
			}
		}
	}
	x.typed("<esc><esc><esc><esc>")
	x.lacks("[node node-4]")
}

// priced are the pods that a price names as stopped, killed or ending.
var priced = regexp.MustCompile(`(?i)([\d,]+) pods? (?:is|are|that w(?:as|ere)) (?:stopped|killed|being stopped)`)

// TestPriceAgrees: the price of each way to restore names as many pods as its counts call
// terminated, and the columns hold as many.
func TestPriceAgrees(t *testing.T) {
	some := 0
	for _, keys := range []string{"", "bm", "bbm", "r", "a", "3t", "bmr"} {
		x := openOn(t, demoInput(t), 120, 40).typed(keys)
		for _, m := range append(slices.Clone(x.Modes.Modes), *x.Yours) {
			named := 0
			for _, found := range priced.FindAllStringSubmatch(m.Price, -1) {
				n, err := strconv.Atoi(strings.ReplaceAll(found[1], ",", ""))
				if err != nil {
					t.Fatal(err)
				}
				named += n
			}
			counted := 0
			for i := range x.Prediction.Pods {
				if x.Prediction.Pods[i].Outcome == restore.Terminated {
					counted++
				}
			}
			if want := m.Summary[restore.Terminated]; named != want || m.ID == "yours" && counted != want {
				t.Errorf("after %q, %s: the price names %d pods, %d are terminated, %d are listed: %s", keys, m.ID, named, want, counted, m.Price)
			} else if want > 0 {
				some++
			}
		}
	}
	if some < 5 {
		t.Errorf("only %d prices name pods", some)
	}
}

// TestFolded: a column whose cells do not differ makes room for others, and is said above the
// rows; where there is room, and where the cells differ, it stays.
func TestFolded(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 30)
	x.shows("3", "all rows: severity critical, certainty certain", "StatefulSet/cache", "same-name-same-node")
	x.lacks("CERTAINTY")
	x.shows("u", "all rows: certainty certain")
	x.shows("C", "CERTAINTY↓")
	x.lacks("all rows: certainty")
	x.send(tea.WindowSizeMsg{Width: 149, Height: 29})
	x.shows("g", "CERTAINTY ↓", "SEVERITY")
	x.shows("bbmU", "CERTAINTY")
}

// TestSmallWindow: in a window that is too small for all, what can be shown is, and keys act on
// what is seen.
func TestSmallWindow(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	x.send(tea.WindowSizeMsg{Width: 60, Height: 12})
	x.shows("", "UNSAFE as planned", "too small: 80x20 shows all")
	x.fits()
	x.shows("3", "▌ ● phantom", "cache-0")
	for range 25 {
		x.typed("j")
		if !strings.Contains(x.plain(), "▌ ● ") {
			t.Fatalf("the selected row is out of sight:\n%s", x.plain())
		}
	}
	x.shows("/db-0", "/db-0")
	x.shows("<enter>", `filter "db-0"`)
	for _, keys := range []string{"2", "4", "5", "6", "7", "8", "9", "0", "?", ":undone<enter>", ":problems<enter>", ":files<enter>"} {
		x.typed(keys).fits()
	}
}

// TestGroupsOfFiltered: groups count the pods that pass the filter, begin with the worst, and the
// pods are sorted again as they were when they are listed.
func TestGroupsOfFiltered(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows("4<enter><enter>/phantom<enter>A", "9 of 14 pods", "AGE ↑")
	x.shows("zz", "OWNER ↓", "[node node-4]", `filter "phantom"`, "7 of 7 groups", "▌ ● -   ", "● data StatefulSet/db                       2          2        -             -             -")
	x.shows("/^api|cache-0<enter>", `filter "^api|cache-0"`, "data StatefulSet/cache")
	x.lacks("StatefulSet/db ")
	x.shows("/-l app=web<enter>", "1 of 1 group ", "ReplicaSet/web-9f67dd57f")
	x.shows("/-l app in (<enter>", "enter keep")
	x.typed("<esc>/phantom<enter>")
	x.shows("z", "9 of 14 pods", "AGE ↑", `filter "phantom"`)
}

// TestFlowsBack: a text that stood in two columns stands in one again where there is no room.
func TestFlowsBack(t *testing.T) {
	x := openOn(t, demoInput(t), 300, 40).typed("4<enter>")
	x.send(tea.WindowSizeMsg{Width: 100, Height: 25})
	if want := openOn(t, demoInput(t), 100, 25).typed("4<enter>").plain(); x.plain() != want {
		t.Errorf("it is\n%s\nand not\n%s", x.plain(), want)
	}
}
