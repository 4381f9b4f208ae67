package shell

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/snapshot"
	"revenant/internal/demo"
	"revenant/tui/draw"
	"revenant/tui/screens/storage"
	"revenant/tui/session"
)

// TestStorageWays goes down to a key and back up to where it was left.
func TestStorageWays(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("0", "32 of 32 rows · by resource", "▌   pods ", "758.8 KiB", "44.8 %")
	x.shows("j<enter>", "Storage › configmaps", "enter lists its keys")
	x.shows("<enter>", "[configmaps] · the heaviest keys", "configmaps default/traffic-0")
	x.shows("z", "[configmaps] · the largest objects")
	x.shows("z", "[configmaps] · the most rewritten keys")
	x.shows("z", "[configmaps] · by namespace") // there is but one resource
	x.shows("<esc>", "32 of 32 rows · by resource", "▌   configmaps ")
	x.shows("z/data<enter><enter><enter>", "[data] · by resource", "Storage › data")
	x.shows("/statefulsets<enter><enter><enter>", "[statefulsets] · [data] · the heaviest keys", "2 of 2 rows")
	x.shows("H", "History", "/registry/statefulsets/data/db")
	x.shows("<esc>", "[statefulsets] · [data] · the heaviest keys")
	x.shows("o", "backup, newest revision 454", "[statefulsets] · [data] · the heaviest keys")
	x.shows("<esc>", "[data] · by resource", "▌   statefulsets ")
	x.shows("<esc>", "by namespace", "backup, newest revision 454")
}

// TestStorageStaleRows presses keys on rows that other ones will replace.
func TestStorageStaleRows(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("0<enter>")
	_, late := x.Update(keysOf("<enter>")[0])
	for _, key := range keysOf("<enter>H<enter>HjH") { // nothing on the screen is of this place
		x.Update(key)
		x.fits()
	}
	if registry[x.at].name != "storage" {
		t.Errorf("a row that is not there was opened:\n%s", x.plain())
	}
	x.run(late)
	x.shows("", "[pods] · the heaviest keys")
}

// TestStorageConcurrently goes in and out of groups while their keys are added up.
func TestStorageConcurrently(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.atOnce("0", "o", "z", "jj<enter><enter>", "o<esc>", "<enter><enter><enter><enter>", "zz", "o", "H", "<esc>", "/web<enter>", "<esc><esc><esc>", "zzzzzz", "o", "I", "zz", "j<enter><enter><esc>", "jj<enter><enter>", "z")
	if screen := x.plain(); strings.Contains(screen, "adding up") {
		t.Errorf("what was asked for last is not shown:\n%s", screen)
	}
}

// TestStorageFilterFindsNothing says why no key of a namespace is listed.
func TestStorageFilterFindsNothing(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	x.shows("0zj/doomed<enter><enter><enter>", "[doomed]")
	x.shows("/nosuchthing", `None matches "nosuchthing". esc clears the filter.`)
}

// TestStorageSums holds what is on the screen against the file.
func TestStorageSums(t *testing.T) {
	in := demoInput(t)
	for side, keys := range map[int]string{in.Current: "0zzzzzz", in.Backup: "0zzzzzzo"} {
		x := openOn(t, in, 160, 48).typed(keys)
		rows, err := csv.NewReader(strings.NewReader(x.excerpt(true).Text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		sum, column := int64(0), slices.Index(rows[0], "EXACTLY")
		for _, row := range rows[1:] {
			n := int64(0)
			if _, err := fmt.Sscan(strings.ReplaceAll(row[column], ",", ""), &n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if file := in.Sources[side].Snapshot.Size(); sum != file {
			t.Errorf("the %s: the parts have %d bytes, the file %d", in.Role(side), sum, file)
		}
	}
}

// TestStorageSaved saves figures, and no picture of them.
func TestStorageSaved(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("0")
	text := x.excerpt(true).Text
	if head, _, _ := strings.Cut(text, "\n"); head != "RESOURCE,SHARE,BYTES,LIVE,HISTORY,KEYS,REVISIONS" || strings.Contains(text, "█") {
		t.Errorf("saved:\n%s", text)
	}
}

// TestStorageRemembered comes back to the view, its order and its filter.
func TestStorageRemembered(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("0zzYY/pods<enter>")
	m := x.shown().(session.Rememberer).Remember()
	y := openOn(t, demoInput(t), 160, 48)
	y.run(y.screens[screenNamed("storage")].(session.Rememberer).Recall(m))
	y.shows("0", "the heaviest keys", `filter "pods"`, "KEY ↓")
	y.run(y.shown().(session.Rememberer).Recall(map[string]string{"view": "by resource", "sort": "RESOURCE"})) // after it was looked at
	y.shows("", "32 of 32 rows · by resource", "RESOURCE ↑")
}

// TestStoragePlain draws nothing for a screen reader.
func TestStoragePlain(t *testing.T) {
	x := openOn(t, demoInput(t), 100, 48)
	x.Theme = &draw.Theme{Glyphs: draw.PlainGlyphs, Plain: true}
	x.screens[screenNamed("storage")] = storage.New(x.Session)
	x.send(tea.WindowSizeMsg{Width: 100, Height: 48})
	x.shows("0", "live 312.4 KiB", "free 16.0 KiB", "44.8 %")
	for range 8 { // views
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
		in.Sources[side].Snapshot = s
	}
	seen := false
	for _, size := range sizes {
		x := openOn(t, in, size.width, size.height).typed("0")
		for range 8 { // views
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
