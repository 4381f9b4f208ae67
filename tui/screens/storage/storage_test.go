package storage

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/storage"
	"revenant/decoder/kube"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// TestStorageOnlyWhenShown adds nothing up before somebody looks, and the same but once.
func TestStorageOnlyWhenShown(t *testing.T) {
	p := New(sessiontest.Bare(t, sessiontest.DemoInput(t))).(*Screen)
	p.Update(session.ChangedMsg{})
	if len(p.asked) != 0 {
		t.Errorf("%d readings that nobody has asked for", len(p.asked))
	}
	run := func(cmd tea.Cmd) { // and what comes of it
		for list := []tea.Cmd{cmd}; len(list) > 0; list = list[1:] {
			if list[0] == nil {
				continue
			}
			switch msg := list[0]().(type) {
			case nil:
			case tea.BatchMsg:
				list = append(list, msg...)
			default:
				list = append(list, p.Update(msg))
			}
		}
	}
	run(p.Wake())
	whole := p.sums[spaceRead{side: p.Input.Current}]
	if whole == nil || p.leases[p.Input.Current] != nil {
		t.Fatal("the keys were not added up, or the leases read")
	}
	run(p.to(spaceAt{side: p.Input.Current, view: byLease}, ""))
	run(p.Wake())
	if p.leases[p.Input.Current] == nil || p.sums[spaceRead{side: p.Input.Current}] != whole {
		t.Error("the leases were not read, or the keys added up again")
	}
	for i := range 5 { // what is within one group is kept for the last one only
		run(p.to(spaceAt{side: p.Input.Current}, ""))
		run(p.into(&whole.Resources[i]))
		run(p.Wake())
	}
	if len(p.sums) > 3 || len(p.asked) > 4 {
		t.Errorf("%d sums are kept, %d asked for", len(p.sums), len(p.asked))
	}
}

// TestStorageEmpty says why there is nothing.
func TestStorageEmpty(t *testing.T) {
	for _, tt := range []struct {
		leases storage.Leases
		want   string
	}{
		{storage.Leases{}, "No lease is granted in this snapshot: nothing in it"},
		{storage.Leases{Missing: 2}, "although 2 keys hang on one"},
	} {
		p := New(sessiontest.Bare(t, sessiontest.DemoInput(t))).(*Screen)
		p.leases[p.Input.Current], p.at.view = &tt.leases, byLease
		if got := p.nothing(); !strings.Contains(got, tt.want) {
			t.Errorf("%q does not say %q", got, tt.want)
		}
	}
}

// BenchmarkStorageFrame draws groups of keys while the selection moves.
func BenchmarkStorageFrame(b *testing.B) {
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := sessiontest.Bare(b, sessiontest.DemoInput(b))
			p := New(s).(*Screen)
			st := &storage.Storage{Namespaces: make([]storage.Group, n)}
			for i := range st.Namespaces {
				st.Namespaces[i] = storage.Group{Name: fmt.Sprintf("team-%07d", i), Tally: storage.Tally{Keys: 1, Live: int64(i), Revisions: i}}
				st.Namespaces[i].Heaviest = []storage.Key{{Key: "/registry/pods/a/b", Object: kube.Key{Resource: "pods", Namespace: "a", Name: "b"}}}
				st.Total.Live += int64(i)
			}
			p.at.view = byNamespace
			p.sums[spaceRead{side: p.Input.Current}] = st
			p.SetSize(140, 24)
			shown, _ := p.now()
			sessiontest.Fill(b, p.Table, p.rowsOf(shown))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.Update(keys.Press{Action: []keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5]})
				p.View()
			}
		})
	}
}
