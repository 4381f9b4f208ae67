package tui

import (
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/restore"
)

// listed are the pods that the screen lists.
func (p *pods) listed() (list []*restore.PodOutcome) {
	for _, row := range p.table.Shown {
		if pod, ok := p.table.Rows.Item(int(row)).(*restore.PodOutcome); ok {
			list = append(list, pod)
		}
	}
	return list
}

// TestScopes: from each workload one comes to its own pods and no others, whatever they
// are called; the scope is shown, stays while they are grouped, sorted and looked at from
// another screen, and goes by a key.
func TestScopes(t *testing.T) {
	in := demoInput(t)
	for _, p := range in.Current.State.Pods { // names that hold the names of other workloads
		if p.Owner.Name != "" && strings.HasPrefix(p.Name, "web-") {
			p.Name += "-api-db-cache-batch"
		}
	}
	first := openOn(t, in, 200, 50)
	for i := range first.prediction.Workloads {
		x := openOn(t, in, 200, 50).typed("5u" + strings.Repeat("j", i) + "<enter>")
		of, ok := x.screens[x.at].(*workloads).Table.Item().(*restore.WorkloadOutcome)
		if !ok {
			t.Fatal("no workload is selected")
		}
		x.typed("<enter>")
		screen := x.screens[x.at].(*pods)
		want := 0
		for _, pod := range x.prediction.Pods {
			if pod.Workload == of.UID {
				want++
			}
		}
		for _, keys := range []string{"", "S", "1<esc>", "zz<enter>"} {
			x.typed(keys)
			list := screen.listed()
			if keys != "zz<enter>" && len(list) != want || slices.ContainsFunc(list, func(p *restore.PodOutcome) bool { return p.Workload != of.UID }) {
				t.Errorf("%s %s/%s, after %q: %d pods of %d:\n%s", of.Kind, of.Namespace, of.Name, keys, len(list), want, x.plain())
			}
			if want > 0 && !strings.Contains(x.plain(), "["+of.Kind+" "+of.Namespace+"/"+of.Name+"]") {
				t.Errorf("%s %s/%s, after %q: the scope is not shown:\n%s", of.Kind, of.Namespace, of.Name, keys, x.plain())
			}
		}
		if x.typed("<esc><esc><esc><esc>"); want > 0 && screen.within != nil {
			t.Errorf("the scope stays: %v", screen.within.chips())
		}
	}
}
