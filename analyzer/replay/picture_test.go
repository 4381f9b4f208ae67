package replay_test

import (
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/golden"
	"revenant/internal/words"
)

// TestPictures draws plays of the small cluster for the handbook: a lane for each part of
// the cluster, with the revision that it is at after each step.
func TestPictures(t *testing.T) {
	for _, tt := range []struct {
		name, title string
		plan        func(bumps []int64) restore.Plan
	}{
		{"plain", "A plain restore: the kubelets resume in the future, and are deaf", func([]int64) restore.Plan { return restore.Plan{} }},
		{"bump", "A bump above all that kubelets have seen: they are refused, and list", func(bumps []int64) restore.Plan {
			return restore.Plan{BumpRevision: bumps[2], MarkCompacted: true}
		}},
		{"too-small", "A bump of as many revisions as are undone: kubelets have seen more", func(bumps []int64) restore.Plan {
			return restore.Plan{BumpRevision: bumps[1], MarkCompacted: true}
		}},
		{"kept", "An API server left running: it serves what etcd has lost", func([]int64) restore.Plan { return restore.Plan{KeepAPIServers: true} }},
	} {
		c, start := replay.Small(1)
		c.Closes = false
		start.Controllers = replay.Controllers{} // a picture has no room for them
		p := replay.NewPlay(c, start)
		for _, part := range c.Script(p.State(), tt.plan(c.Bumps)) {
			for _, a := range part {
				if err := p.Do(a); err != nil {
					t.Fatal(err)
				}
			}
			if p.Served() {
				p.Settle()
			}
		}
		got, err := picture(p, tt.title)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("../../docs/handbook/pictures", tt.name+".svg")
		golden.Equal(t, path, got)
	}
}

// Measures of a picture, in pixels.
const (
	left, column, lane, top = 150, 74, 34, 62
	line, bottom            = 20, 16
)

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.step { fill: #59636e; font-size: 12px }
path { stroke: #59636e; stroke-width: 2; fill: none }
.down { stroke-dasharray: 2 5 }
.bad { fill: #b3261e; stroke: none }
path.bad { stroke: #b3261e; fill: none }
rect { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .step { fill: #9198a1 } path { stroke: #9198a1 } rect { fill: #0d1117 }
.bad { fill: #ff7b72 } path.bad { stroke: #ff7b72 }
}
</style>
`

// spot is a part of the cluster at a moment.
type spot struct {
	revision int64
	up, bad  bool
}

// picture draws a play as SVG.
func picture(p *replay.Play, title string) (string, error) {
	names := []string{"etcd"}
	var columns [][]spot
	moments := p.Moments()
	for i := range moments {
		m := &moments[i]
		servers, kubelets, _ := p.Actors(m)
		spots := []spot{{m.Etcd.Revision, m.Etcd.Up, false}}
		for _, s := range servers {
			if i == 0 {
				names = append(names, "API server "+s.Name)
			}
			spots = append(spots, spot{s.Seen, s.Up, s.Up && s.Erased && m.Etcd.Restores > 0})
		}
		for _, k := range kubelets {
			if i == 0 {
				names = append(names, "kubelet of "+k.Node)
			}
			spots = append(spots, spot{k.Seen, k.Up, k.Deaf})
		}
		columns = append(columns, spots)
	}
	view, err := p.View(p.State())
	if err != nil {
		return "", err
	}
	told := []string{}
	for i, step := range p.Steps() {
		told = append(told, words.Wrap(fmt.Sprintf("%d. %s", i+1, step.Text), 100)...)
	}
	var unseen, ghosts []string
	for _, pod := range view.Pods {
		switch {
		case pod.Phantom:
			unseen = append(unseen, pod.Name)
		case pod.Ghost:
			ghosts = append(ghosts, pod.Name)
		}
	}
	end := "In the end every pod runs where the API has it."
	if len(unseen)+len(ghosts) > 0 {
		end = "In the end: " + words.List(append(say(unseen, "runs unseen"), say(ghosts, "is Running in etcd, and nothing of it runs")...)) + "."
	}
	width := max(left+column*len(columns)+20, 700)
	height := top + lane*len(names) + line*(len(told)+2) + bottom
	var b strings.Builder
	text := func(x, y int, class, of string) {
		fmt.Fprintf(&b, `<text x="%d" y="%d" class="%s">`, x, y, class)
		_ = xml.EscapeText(&b, []byte(of)) // a strings.Builder takes everything
		b.WriteString("</text>\n")
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" role="img" aria-label="%s">`+"\n%s", width, height, width, title, style)
	fmt.Fprintf(&b, `<rect width="%d" height="%d"/>`+"\n", width, height)
	text(12, 24, "title", title)
	for i := range columns {
		label := "step " + fmt.Sprint(i)
		if i == 0 {
			label = "before"
		}
		text(left+column*i, 48, "step", label)
	}
	for n, name := range names {
		y := top + lane*n + lane/2
		text(12, y+4, "", name)
		for i, spots := range columns {
			x, s := left+column*i, spots[n]
			class := ""
			switch {
			case !s.up:
				class = "down"
			case s.bad:
				class = "bad"
			}
			same := i > 0 && (columns[i-1][n] == s || !s.up && !columns[i-1][n].up)
			from := x
			if !same {
				label := fmt.Sprint(s.revision)
				if !s.up {
					label = "down"
				}
				text(x, y+4, class, label)
				from = x + 9*len(label) + 2
			}
			fmt.Fprintf(&b, `<path class="%s" d="M%d %dH%d"/>`+"\n", class, from, y, x+column-4)
		}
	}
	y := top + lane*len(names) + line
	for _, s := range told {
		text(12, y, "step", s)
		y += line
	}
	class := ""
	if len(unseen)+len(ghosts) > 0 {
		class = "bad"
	}
	text(12, y, class, end)
	b.WriteString("</svg>\n")
	return b.String(), nil
}

// say says something of each.
func say(names []string, what string) []string {
	list := make([]string, 0, len(names))
	for _, name := range names {
		list = append(list, name+" "+what)
	}
	return list
}
