package report

import (
	"fmt"
	"strings"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Moment writes a moment of a play: etcd, API servers and kubelets one below another, and
// every pod with where it runs, what etcd has of it and what each API server lists.
func (p *Printer) Moment(v *replay.View) {
	etcd := "down"
	if v.Etcd.Up {
		etcd = "up"
	}
	compacted := ""
	if v.Etcd.Compacted > 0 {
		compacted = fmt.Sprintf(", compacted at %d", v.Etcd.Compacted)
	}
	rows := [][]string{{"etcd", etcd, fmt.Sprint(v.Etcd.Revision), "holds " + holds(v) + compacted}}
	marks := []restore.Severity{restore.OK}
	for _, s := range v.Servers {
		mark := restore.OK
		if s.Erased {
			mark = restore.Critical
		}
		rows, marks = append(rows, []string{s.Name, upOrDown(s.Up), fmt.Sprint(s.Seen), s.Doing}), append(marks, mark)
	}
	if k := v.Controllers; k != nil {
		mark := restore.OK
		if k.Deaf {
			mark = restore.Warning
		}
		if k.Erased {
			mark = restore.Critical
		}
		rows, marks = append(rows, []string{"controllers", "", seen(k.Seen), k.Doing}), append(marks, mark)
	}
	for _, k := range v.Kubelets {
		mark := restore.OK
		if k.Deaf {
			mark = restore.Warning
		}
		if k.Phantoms > 0 {
			mark = restore.Critical
		}
		doing := k.Doing
		if k.Phantoms > 0 {
			doing += "; " + words.Count(k.Phantoms, "pod") + " unseen"
		}
		rows, marks = append(rows, []string{"kubelet of " + k.Node, upOrDown(k.Up), seen(k.Seen), doing}), append(marks, mark)
	}
	p.Table([]string{"", "", "REVISION", "WHAT IT DOES"}, rows, marks)
	p.Line("")
	header := []string{"POD", "RUNS ON", "ETCD HAS"}
	for _, s := range v.Servers {
		header = append(header, "VIA "+s.Name)
	}
	rows, marks = nil, nil
	for i := range v.Pods {
		pod := &v.Pods[i]
		runs := words.OrDash(strings.Join(pod.RunsOn, ","))
		if len(pod.MayRunOn) > 0 {
			runs = "perhaps " + strings.Join(pod.MayRunOn, ",")
		}
		if runs == "-" && pod.Stopped != "" {
			runs = pod.Stopped
		}
		row := []string{pod.Name, runs, listed(pod.Stored)}
		for j := range v.Servers {
			switch {
			case !v.Servers[j].Up:
				row = append(row, "(down)")
			default:
				row = append(row, status(pod.Listed[j]))
			}
		}
		mark, note := restore.OK, ""
		switch {
		case pod.Phantom:
			mark, note = restore.Critical, "runs unseen"
		case pod.Ghost:
			mark, note = restore.Critical, "does not run"
		}
		rows, marks = append(rows, append(row, note)), append(marks, mark)
	}
	p.Table(append(header, ""), rows, marks)
}

// seen is the newest revision that a watcher has seen.
func seen(revision int64) string {
	if revision == 0 {
		return "-"
	}
	return fmt.Sprint(revision)
}

func holds(v *replay.View) string {
	switch {
	case v.Etcd.Base == replay.Before:
		return "the current state"
	case v.Etcd.Restores > 1:
		return "the backup again"
	}
	return "the backup"
}

func upOrDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

func listed(v *restore.APIView) string {
	if v == nil {
		return "-"
	}
	return v.String()
}

// status is what kubectl get pods shows of a pod in its column STATUS.
func status(v *restore.APIView) string {
	switch {
	case v == nil:
		return "-"
	case v.Terminating:
		return "Terminating"
	}
	return v.Phase
}
