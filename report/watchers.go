package report

import (
	"strings"

	"revenant/analyzer/watchers"
	"revenant/internal/words"
)

// watchersText lists what watches beside kubelets. Without all it leaves out what only may
// watch, by RBAC.
func watchersText(w *Printer, list *watchers.List, all bool) {
	if list == nil || len(list.Watchers) == 0 {
		return
	}
	w.Line("")
	w.Line("What watches beside kubelets")
	w.Wrapped("  ", textWidth, "Where the restored store starts below what one of them has seen, it is as deaf as a kubelet, and acts on what was erased until it is restarted. Under a bump that is enough all of them list again by themselves. What only the backup has starts again, and what only the current state has is stopped.")
	var rows [][]string
	left := 0
	for i := range list.Watchers {
		x := &list.Watchers[i]
		if !all && x.Known == nil {
			left++
			continue
		}
		in := make([]string, len(x.In))
		for i, role := range x.In {
			in[i] = string(role)
		}
		rows = append(rows, []string{string(x.Kind), x.Namespace, x.Name, x.What(), words.Number(x.Pods), string(x.Election), strings.Join(in, ", ")})
	}
	if len(rows) > 0 {
		w.Table([]string{"KIND", "NAMESPACE", "NAME", "WHAT", "PODS", "LEADER", "IN"}, rows, nil)
	}
	if left > 0 {
		w.Line("%s more may watch, by RBAC: --all lists them.", words.Number(left))
	}
	for _, text := range list.NotSeen {
		w.Wrapped("  ", textWidth, "- Not seen: "+text)
	}
}
