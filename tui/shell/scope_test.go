package shell

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/restore"
)

// listed are the pods that are listed, by namespace and name.
func (x *terminal) listed() (list []string) {
	rows, err := csv.NewReader(strings.NewReader(x.excerpt(true).Text)).ReadAll()
	if err != nil {
		x.Fatal(err)
	}
	namespace, name := slices.Index(rows[0], "NAMESPACE"), slices.Index(rows[0], "NAME")
	for _, row := range rows[1:] {
		list = append(list, row[namespace]+"/"+row[name])
	}
	return list
}

// TestScopes: from each workload one comes to its own pods and no others, whatever they
// are called; the scope is shown, stays while they are grouped, sorted and looked at from
// another screen, and goes by a key.
func TestScopes(t *testing.T) {
	in := demoInput(t)
	for _, p := range in.Sources[in.Current].State.Pods { // names that hold the names of other workloads
		if p.Owner.Name != "" && strings.HasPrefix(p.Name, "web-") {
			p.Name += "-api-db-cache-batch"
		}
	}
	first := openOn(t, in, 200, 50)
	for i := range first.Prediction.Workloads {
		x := openOn(t, in, 200, 50).typed("5u" + strings.Repeat("j", i))
		called := x.excerpt(false).Text
		of := slices.IndexFunc(x.Prediction.Workloads, func(w restore.WorkloadOutcome) bool { return w.Kind+" "+w.Namespace+"/"+w.Name == called })
		if of < 0 {
			t.Fatalf("no workload is selected: %q", called)
		}
		x.typed("<enter><enter>")
		var want []string
		for _, pod := range x.Prediction.Pods {
			if pod.Workload == x.Prediction.Workloads[of].UID {
				want = append(want, pod.Namespace+"/"+pod.Name)
			}
		}
		for _, keys := range []string{"", "S", "1<esc>", "zz<enter>"} {
			x.typed(keys)
			list := x.listed()
			if keys != "zz<enter>" && len(list) != len(want) || slices.ContainsFunc(list, func(pod string) bool { return !slices.Contains(want, pod) }) {
				t.Errorf("%s, after %q: %d pods of %d:\n%s", called, keys, len(list), len(want), x.plain())
			}
			if len(want) > 0 && !strings.Contains(x.plain(), "["+called+"]") {
				t.Errorf("%s, after %q: the scope is not shown:\n%s", called, keys, x.plain())
			}
		}
		if x.typed("<esc><esc><esc><esc>"); len(want) > 0 && strings.Contains(x.plain(), "["+called+"]") {
			t.Errorf("the scope stays:\n%s", x.plain())
		}
	}
}
