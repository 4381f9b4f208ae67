package tui

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/analyzer/storage"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/demo"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

func (x *terminal) space() *space { return x.screens[screenNamed("storage")].(*space) }

// TestStorageWays goes down to a key and back up to where it was left.
func TestStorageWays(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("0", "32 of 32 rows · by resource", "▌   pods ", "758.8 KiB", "44.8 %")
	x.shows("j<enter>", "Storage › configmaps", "enter lists its keys")
	x.shows("<enter>", "the heaviest keys of configmaps", "configmaps default/traffic-0")
	x.shows("z", "the largest objects of configmaps")
	x.shows("z", "the most rewritten keys of configmaps")
	x.shows("z", "by namespace of configmaps") // there is but one resource
	x.shows("<esc>", "32 of 32 rows · by resource", "▌   configmaps ")
	x.shows("z/data<enter><enter><enter>", "by resource in data", "Storage › data")
	x.shows("/statefulsets<enter><enter><enter>", "the heaviest keys of statefulsets in data", "2 of 2 rows")
	x.shows("H", "History", "/registry/statefulsets/data/db")
	x.shows("<esc>", "the heaviest keys of statefulsets in data")
	x.shows("o", "backup, newest revision 454", "the heaviest keys of statefulsets in data")
	x.shows("<esc>", "by resource in data", "▌   statefulsets ")
	x.shows("<esc>", "by namespace", "backup, newest revision 454")
}

// TestStorageOnlyWhenShown adds nothing up before somebody looks, and the same but once.
func TestStorageOnlyWhenShown(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24).typed("123")
	p := x.space()
	if len(p.asked) != 0 {
		t.Errorf("%d readings that nobody has asked for", len(p.asked))
	}
	x.typed("0")
	whole := p.sums[spaceRead{side: current}]
	if whole == nil || p.leases[current] != nil {
		t.Fatal("the keys were not added up, or the leases read")
	}
	if x.typed("120zzzzz"); p.leases[current] == nil || p.sums[spaceRead{side: current}] != whole {
		t.Error("the leases were not read, or the keys added up again")
	}
	for range 5 { // what is within one group is kept for the last one only
		x.typed("zzz<enter><enter><esc>")
	}
	if len(p.sums) > 3 || len(p.asked) > 4 {
		t.Errorf("%d sums are kept, %d asked for", len(p.sums), len(p.asked))
	}
}

// TestStorageStaleRows presses keys on rows that other ones will replace.
func TestStorageStaleRows(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("0<enter>")
	_, late := x.Update(keysOf("<enter>")[0])
	for _, key := range keysOf("<enter>H<enter>HjH") { // nothing on the screen is of this place
		x.Update(key)
		x.fits()
	}
	if got := x.space(); len(got.trail) != 1 || registry[x.at].name != "storage" {
		t.Errorf("a row that is not there was opened: %+v", got.trail)
	}
	x.run(late)
	x.shows("", "the heaviest keys of pods")
}

// TestStorageConcurrently goes in and out of groups while their keys are added up.
func TestStorageConcurrently(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.atOnce("0", "o", "z", "jj<enter><enter>", "o<esc>", "<enter><enter><enter><enter>", "zz", "o", "H", "<esc>", "/web<enter>", "<esc><esc><esc>", "zzzzzz", "o", "I", "zz", "j<enter><enter><esc>", "jj<enter><enter>", "z")
	p := x.space()
	if shown, ok := p.now(); !ok || p.Of != any(shown) || !p.Table.Ready() {
		t.Errorf("%+v was asked for, and %+v is shown", p.at, p.Of)
	}
}

// TestStorageEmpty says why there is nothing.
func TestStorageEmpty(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	x.shows("0zj/doomed<enter><enter><enter>", "in doomed")
	x.shows("/nosuchthing", `None matches "nosuchthing". esc clears the filter.`)
	p := x.typed("<esc>").space()
	for _, tt := range []struct {
		leases storage.Leases
		want   string
	}{
		{storage.Leases{}, "No lease is granted in this snapshot: nothing in it"},
		{storage.Leases{Missing: 2}, "although 2 keys hang on one"},
	} {
		p.leases[current], p.asked[spaceRead{side: current, leases: true}] = &tt.leases, true
		x.run(p.to(spaceAt{side: current, view: byLease}, ""))
		x.shows("", tt.want)
	}
}

// TestStorageSums holds what is on the screen against the file.
func TestStorageSums(t *testing.T) {
	in := demoInput(t)
	x := openOn(t, in, 160, 48)
	for _, keys := range []string{"0zzzzzz", "o"} {
		p := x.typed(keys).space()
		sum := int64(0)
		for row := range p.Table.Rows.Count {
			n := int64(0)
			if _, err := fmt.Sscan(strings.ReplaceAll(p.Table.Rows.Cell(row, 5), ",", ""), &n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if file := in.side(p.at.side).Snapshot.Size(); sum != file {
			t.Errorf("the %s: the parts have %d bytes, the file %d", roles[p.at.side], sum, file)
		}
	}
}

// TestStorageSaved saves figures, and no picture of them.
func TestStorageSaved(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("0")
	text := x.space().Export(true).Text
	if head, _, _ := strings.Cut(text, "\n"); head != "RESOURCE,SHARE,BYTES,LIVE,HISTORY,KEYS,REVISIONS" || strings.Contains(text, "█") {
		t.Errorf("saved:\n%s", text)
	}
}

// TestStorageRemembered comes back to the view, its order and its filter.
func TestStorageRemembered(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("0zzNN/pods<enter>")
	m := x.space().Remember()
	y := openOn(t, demoInput(t), 160, 48)
	y.run(y.space().Recall(m))
	y.shows("0", "the heaviest keys", `filter "pods"`, "KEY ↓")
	y.run(y.space().Recall(map[string]string{keepView: "by resource", widget.KeepSort: "RESOURCE"})) // after it was looked at
	y.shows("", "32 of 32 rows · by resource", "RESOURCE ↑")
}

// TestStoragePlain draws nothing for a screen reader.
func TestStoragePlain(t *testing.T) {
	x := openOn(t, demoInput(t), 100, 48)
	x.Theme = &draw.Theme{Glyphs: draw.PlainGlyphs, Plain: true}
	x.screens[screenNamed("storage")] = newStorage(x.session)
	x.send(tea.WindowSizeMsg{Width: 100, Height: 48})
	x.shows("0", "live 312.4 KiB", "free 16.0 KiB", "44.8 %")
	for range spaceViews {
		x.typed("<enter><esc>z")
		x.fits()
		if strings.ContainsAny(x.plain(), "█▒░·") {
			t.Errorf("something is drawn:\n%s", x.plain())
		}
	}
}

// TestStorageHostile looks at keys that try to steer the terminal.
func TestStorageHostile(t *testing.T) {
	in := demoInput(t)
	b, c, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	evil := strings.NewReplacer("creds2", "\x1b]52;c", "widgets/shop", "widgets/\x1b[2J", "old-app", "\r\n\x1b[2J\t", "deployments", "\x1b[31m\x07oymen")
	for side, data := range [][]byte{b, c} {
		s, err := snapshot.OpenBytes(t.Context(), "evil", []byte(evil.Replace(string(data))), snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		in.side(side).Snapshot = s
	}
	seen := false
	for _, size := range sizes {
		x := openOn(t, in, size.width, size.height).typed("0")
		for range spaceViews {
			for _, key := range []string{"", "<enter>", "<enter>", "<enter>", "<pgdown>", "H", "<esc>", "0", "<esc>", "/\ufffd<enter>", "<enter>", "<esc>", "<esc>", "<esc>", "<esc>", "0", "o"} {
				x.typed(key)
				x.fits()
				x.harmless()
				seen = seen || strings.Contains(x.plain(), "\ufffd[")
			}
			x.typed("z")
		}
	}
	if !seen {
		t.Error("nothing hostile came into sight")
	}
}

// BenchmarkStorageFrame draws groups of keys while the selection moves.
func BenchmarkStorageFrame(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := &session{ctx: b.Context(), UI: widget.UI{Keymap: keys.Default, Theme: draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)}, input: demoInput(b)}
			p := newStorage(s).(*space)
			st := &storage.Storage{Namespaces: make([]storage.Group, n)}
			for i := range st.Namespaces {
				st.Namespaces[i] = storage.Group{Name: fmt.Sprintf("team-%07d", i), Tally: storage.Tally{Keys: 1, Live: int64(i), Revisions: i}}
				st.Namespaces[i].Heaviest = []storage.Key{{Key: "/registry/pods/a/b", Object: kube.Key{Resource: "pods", Namespace: "a", Name: "b"}}}
				st.Total.Live += int64(i)
			}
			p.at.view = byNamespace
			p.sums[spaceRead{side: current}] = st
			p.SetSize(140, 24)
			shown, _ := p.now()
			fill(b, p.Table, p.rowsOf(shown))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.Update(keys.Press{Action: []keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5]})
				p.View()
			}
		})
	}
}
