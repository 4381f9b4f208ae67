package objects

import (
	"fmt"
	"testing"

	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// podLists makes lists of n pods, which are those of the demo again and again.
func podLists(b *testing.B, in *session.Input) func(n int) *session.ObjectList {
	view, err := in.Sources[in.Current].Snapshot.At(0)
	if err != nil {
		b.Fatal(err)
	}
	catalog, err := resources.NewCatalog(b.Context(), in.Sources[in.Current].Snapshot, view, in.Prefix, nil)
	if err != nil {
		b.Fatal(err)
	}
	var real []objects.Object
	pods := catalog.Lookup("pods")
	for r := range view.Keys(pods.Path(in.Prefix, "")) {
		key, _ := kube.ParseKey(in.Prefix, r.Key)
		real = append(real, objects.Object{Key: key, Resource: pods, Record: r})
	}
	return func(n int) *session.ObjectList {
		l := &session.ObjectList{Moment: session.Moment{Source: in.Current}, List: &objects.List{Query: objects.Query{Words: []string{"pods"}}, View: view, Catalog: catalog, Resource: pods}}
		for i := range n {
			o := real[i%len(real)]
			o.Record.Key = fmt.Sprintf("%s-%07d", o.Record.Key, i)
			l.Objects = append(l.Objects, o)
		}
		return l
	}
}

// BenchmarkObjectsFrame draws objects of one resource while the selection moves, and
// reads those in sight as the commands would.
func BenchmarkObjectsFrame(b *testing.B) {
	in := sessiontest.DemoInput(b)
	list := podLists(b, in)
	for _, n := range sessiontest.BenchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := list(n)
			s := sessiontest.Bare(b, in)
			s.Objects = l
			o := New(s).(*Screen)
			o.SetSize(140, 24)
			sessiontest.Finish(b, o.Table, o.Refresh()())
			o.adopt()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				o.Update(keys.Press{Action: []keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5]})
				o.View()
				if cmd := o.fetch(); cmd != nil {
					b.StopTimer()
					o.Update(cmd())
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkObjectsSort sorts objects by columns of kubectl's, which are read of all: by
// the age, which is read fast, and by the status.
func BenchmarkObjectsSort(b *testing.B) {
	in := sessiontest.DemoInput(b)
	list := podLists(b, in)
	for _, n := range sessiontest.BenchSizes {
		for name, key := range map[string]string{"age": "A", "status": "S"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				l := list(n)
				s := sessiontest.Bare(b, in)
				s.Objects = l
				o := New(s).(*Screen)
				o.SetSize(140, 24)
				sessiontest.Finish(b, o.Table, o.Refresh()())
				o.adopt()
				b.ReportAllocs()
				for b.Loop() {
					o.Table.Order.By = 0 // a new order, not only the other way
					sessiontest.Finish(b, o.Table, o.Table.SortBy(key)())
					b.StopTimer()
					sessiontest.Finish(b, o.Table, o.Table.SortBy("N")())
					sessiontest.Finish(b, o.Table, o.Table.SetRows(o.rowsOf(objectsShown{l, -1}))())
					b.StartTimer()
				}
			})
		}
	}
}
