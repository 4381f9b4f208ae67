package storage

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/storage"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/widget"
)

// rowsOf makes the rows.
func (p *Screen) rowsOf(shown spaceShown) widget.Rows {
	switch shown.view {
	case byResource:
		return p.spaceGroups(shown, widget.Column{Title: "RESOURCE", Key: "S", Min: 16, Max: 60}, shared.OtherKeys, shown.sums.Resources)
	case byNamespace:
		return p.spaceGroups(shown, widget.Column{Title: "NAMESPACE", Key: "P", Min: 16, Max: 60}, noNamespace, shown.sums.Namespaces)
	case byWeight:
		return p.spaceKeys(shown, shown.sums.Heaviest)
	case bySize:
		return p.spaceKeys(shown, shown.sums.Largest)
	case byChurn:
		return p.spaceKeys(shown, shown.sums.Rewritten)
	case byLease:
		return p.spaceLeases(shown)
	case byPart:
		return p.spaceParts(shown)
	}
	return p.spaceBuckets(shown)
}

// spaceRows are rows with these columns.
func (p *Screen) spaceRows(shown spaceShown, n int, list ...spaceColumn) widget.Rows {
	r := widget.Rows{
		Count:   n,
		About:   spaceViewNames[shown.view],
		Cell:    func(row, column int) string { return list[column].cell(row) },
		Compare: func(a, b, column int) int { return list[column].compare(a, b) },
		Item:    func(int) any { return spaceItem{shown: shown} },
	}
	for _, c := range list {
		r.Columns = append(r.Columns, c.Column)
	}
	return r
}

func (p *Screen) spaceGroups(shown spaceShown, title widget.Column, nameless string, list []storage.Group) widget.Rows {
	name := func(row int) string { return cmp.Or(list[row].Name, nameless) }
	bytes := func(row int) int64 { return list[row].Bytes() }
	columns := []spaceColumn{texts(title, name)}
	columns = append(columns, shares(p.Theme, shown.sums.Total.Bytes(), bytes)...)
	columns = append(columns,
		numbers(widget.Column{Title: "BYTES", Key: "B", Min: 11}, words.Size, bytes),
		numbers(widget.Column{Title: "LIVE", Key: "L", Min: 11, Drop: 2}, words.Size, func(row int) int64 { return list[row].Live }),
		numbers(widget.Column{Title: "HISTORY", Key: "I", Min: 11, Drop: 3}, words.Size, func(row int) int64 { return list[row].History }),
		numbers(widget.Column{Title: "KEYS", Key: "K", Min: 6, Drop: 5}, words.Number, func(row int) int64 { return int64(list[row].Keys) }),
		numbers(widget.Column{Title: "REVISIONS", Key: "R", Min: 11, Drop: 4}, words.Number, func(row int) int64 { return int64(list[row].Revisions) }),
	)
	r := p.spaceRows(shown, len(list), columns...)
	r.Groups = true
	r.ID = func(row int) string { return list[row].Name }
	r.Copied = name
	r.Item = func(row int) any { return spaceItem{shown: shown, group: &list[row]} }
	r.Detail = func(row, width int) []string { return p.spaceGroup(shown, name(row), &list[row], width) }
	return r
}

func (p *Screen) spaceKeys(shown spaceShown, list []storage.Key) widget.Rows {
	name := func(row int) string { return keyTitle(&list[row]) }
	total := &shown.sums.Total
	share := shares(p.Theme, total.Bytes(), func(row int) int64 { return list[row].Bytes() })
	switch shown.view {
	case bySize:
		share = shares(p.Theme, total.Live, func(row int) int64 { return list[row].Live })
	case byChurn:
		share = shares(p.Theme, int64(total.Revisions), func(row int) int64 { return int64(list[row].Revisions) })
	}
	for i := range share {
		share[i].Drop *= mostDropped // one key is a small part of many
	}
	columns := append([]spaceColumn{texts(widget.Column{Title: "KEY", Key: "Y", Min: 38, Max: 90, Drop: 1}, name)}, share...)
	figures := []spaceColumn{
		numbers(widget.Column{Title: "BYTES", Key: "B", Min: 11, Drop: 2}, words.Size, func(row int) int64 { return list[row].Bytes() }),
		numbers(widget.Column{Title: "REVISIONS", Key: "R", Min: 11, Drop: 3}, words.Number, func(row int) int64 { return int64(list[row].Revisions) }),
		numbers(widget.Column{Title: "LIVE", Key: "L", Min: 11, Drop: 4}, words.Size, func(row int) int64 { return list[row].Live }),
		numbers(widget.Column{Title: "HISTORY", Key: "I", Min: 11, Drop: 5}, words.Size, func(row int) int64 { return list[row].History }),
		numbers(widget.Column{Title: "CHANGED", Key: "C", Min: 9, Drop: 6}, words.Number, func(row int) int64 { return list[row].Changed }),
	}
	first := slices.IndexFunc(figures, func(c spaceColumn) bool { return c.Title == spaceSorted[shown.view] })
	figures[first].Drop = 2
	columns = append(append(columns, figures[first]), slices.Delete(figures, first, first+1)...)
	r := p.spaceRows(shown, len(list), columns...)
	if len(list) == mostKeys {
		r.About = "the first " + words.Number(mostKeys) + " of " + r.About
	}
	r.ID = func(row int) string { return list[row].Key }
	r.Item = func(row int) any { return spaceItem{shown: shown, key: &list[row]} }
	r.Links = func(row int) func(keys.Action) tea.Cmd { return p.LinksTo(shown.side, list[row].Key) }
	r.Detail = func(row, width int) []string { return p.spaceKey(shown, &list[row], width) }
	return r
}

// keyTitle is how people write what a key names.
func keyTitle(k *storage.Key) string {
	if k.Object.Name == "" {
		return k.Key
	}
	title := k.Object.Plural() + " "
	if k.Object.Namespace != "" {
		title += k.Object.Namespace + "/"
	}
	return title + k.Object.Name
}

func (p *Screen) spaceLeases(shown spaceShown) widget.Rows {
	l := shown.leases
	attached := int64(0)
	for i := range l.ByTTL {
		attached += int64(l.ByTTL[i].Keys)
	}
	keys := func(row int) int64 { return int64(l.ByTTL[row].Keys) }
	ttl := func(n int64) string { return time.Duration(n).String() }
	granted := numbers(widget.Column{Title: "GRANTED FOR", Key: "N", Min: 12}, ttl, func(row int) int64 { return int64(l.ByTTL[row].TTL) })
	granted.compare = func(a, b int) int { return cmp.Compare(l.ByTTL[a].TTL, l.ByTTL[b].TTL) }
	columns := append([]spaceColumn{granted,
		numbers(widget.Column{Title: "LEASES", Key: "L", Min: 8}, words.Number, func(row int) int64 { return int64(l.ByTTL[row].Leases) }),
		numbers(widget.Column{Title: "KEYS", Key: "K", Min: 8}, words.Number, keys),
	}, shares(p.Theme, attached, keys)...)
	r := p.spaceRows(shown, len(l.ByTTL), columns...)
	r.ID = func(row int) string { return ttl(int64(l.ByTTL[row].TTL)) }
	r.Detail = func(row, width int) []string { return p.spaceLease(l, width) }
	return r
}

func (p *Screen) spaceParts(shown spaceShown) widget.Rows {
	f := &shown.sums.File
	bytes := func(row int) int64 { return f.Parts[row].Bytes }
	part := texts(widget.Column{Title: "PART", Key: "A", Min: 20}, func(row int) string { return string(f.Parts[row].Use) })
	part.compare = func(a, b int) int { return cmp.Compare(a, b) } // the live ones first
	columns := append([]spaceColumn{part}, shares(p.Theme, f.Size, bytes)...)
	columns = append(columns,
		numbers(widget.Column{Title: "BYTES", Key: "B", Min: 11}, words.Size, bytes),
		numbers(widget.Column{Title: "PAGES", Key: "P", Min: 7}, zeroAsNone, func(row int) int64 { return int64(min(f.Parts[row].Pages, math.MaxInt64)) }),
		numbers(widget.Column{Title: "EXACTLY", Key: "E", Min: 9, Drop: 2}, words.Number, bytes),
	)
	r := p.spaceRows(shown, len(f.Parts), columns...)
	r.About += fmt.Sprintf(", %s in all", words.Count(sumOf(f), "byte"))
	r.ID = func(row int) string { return string(f.Parts[row].Use) }
	r.Detail = func(row, width int) []string { return p.spacePart(f, &f.Parts[row], width) }
	return r
}

func (p *Screen) spaceBuckets(shown spaceShown) widget.Rows {
	f := &shown.sums.File
	all := int64(0)
	for i := range f.Buckets {
		all += f.Buckets[i].Bytes
	}
	bytes := func(row int) int64 { return f.Buckets[row].Bytes }
	columns := append([]spaceColumn{texts(widget.Column{Title: "BUCKET", Key: "U", Min: 16, Max: 60}, func(row int) string { return f.Buckets[row].Name })}, shares(p.Theme, all, bytes)...)
	columns = append(columns,
		numbers(widget.Column{Title: "BYTES", Key: "B", Min: 11}, words.Size, bytes),
		numbers(widget.Column{Title: "ITEMS", Key: "I", Min: 8}, words.Number, func(row int) int64 { return int64(f.Buckets[row].Items) }),
	)
	r := p.spaceRows(shown, len(f.Buckets), columns...)
	r.ID = func(row int) string { return f.Buckets[row].Name }
	r.Detail = func(row, width int) []string { return p.spaceBucket(f, &f.Buckets[row], width) }
	return r
}

// tallied says what some keys take, and what that means.
func (p *Screen) tallied(k *storage.Tally, of *storage.Tally, width int) []string {
	t := p.Theme
	lines := t.Facts(width,
		"bytes", fmt.Sprintf("%s, %s of %s", words.Size(k.Bytes()), strings.TrimSpace(portion(k.Bytes(), of.Bytes())), words.Size(of.Bytes())),
		"live", words.Size(k.Live)+" in "+words.Count(k.Keys, "key")+": "+storage.Uses[storage.LiveRecords],
		"history", words.Size(k.History)+": "+storage.Uses[storage.HistoryRecords],
		"revisions", words.Number(k.Revisions)+" retained, "+deletions(k.Tombstones))
	if k.Keys > 1 {
		lines = append(lines, t.Facts(width, "on average", words.Size(k.Live/int64(k.Keys))+" live a key")...)
	}
	return lines
}

func deletions(n int) string {
	if n == 0 {
		return "no deletion among them"
	}
	return words.Count(n, "deletion") + " among them"
}

// spaceGroup tells all of a group.
func (p *Screen) spaceGroup(shown spaceShown, name string, g *storage.Group, width int) []string {
	t := p.Theme
	lines := []string{t.Heading(draw.Safe(name), width)}
	lines = append(lines, p.tallied(&g.Tally, &shown.sums.Total, width)...)
	goes := "lists its keys"
	if shown.view == byNamespace && !shown.within.ofResource {
		goes = "lists its resources"
	}
	lines = append(lines, "", t.Bold.Paint("Its heaviest keys")+t.Dim.Paint(" ("+p.Keymap.Key(keys.Open)+" "+goes+")"))
	for i := range g.Heaviest {
		k := &g.Heaviest[i]
		lines = append(lines, draw.Indent(t.Fit(words.Size(k.Bytes()), 12), keyTitle(k), width)...)
	}
	if len(g.Heaviest) == 0 {
		lines = append(lines, t.Dim.Paint("It has none: what it has are marks that etcd left."))
	}
	return lines
}

// spaceKey tells all of a key.
func (p *Screen) spaceKey(shown spaceShown, k *storage.Key, width int) []string {
	t := p.Theme
	lines := []string{t.Heading(draw.Safe(keyTitle(k)), width)}
	changed := "at revision " + words.Number(k.Changed)
	if c := p.Source(shown.side).State.Clock; c != nil {
		changed += ", " + c.TimeOf(k.Changed).String()
	}
	version := words.Number(k.Version) + ": so often was it written since it was created last"
	if k.Keys == 0 {
		changed, version = "deleted "+changed, ""
	}
	lines = append(lines, t.Facts(width, "key", k.Key)...)
	lines = append(lines, p.tallied(&k.Tally, &shown.sums.Total, width)...)
	lines = append(lines, t.Facts(width, "version", version, "last change", changed)...)
	return append(lines, "", t.Dim.Paint(t.Cut(p.Keymap.Key(keys.HistoryOf)+" shows every revision of it", width)))
}

// spaceLease tells what hangs on leases.
func (p *Screen) spaceLease(l *storage.Leases, width int) []string {
	t := p.Theme
	lines := []string{t.Heading("Leases of etcd", width)}
	lines = append(lines, draw.Wrap("etcd deletes the keys on a lease when that runs out. The API server gives events one, for an hour if not told otherwise.", width)...)
	lines = append(lines, "")
	lines = append(lines, t.Facts(width, "granted", words.Number(l.Granted), "idle", words.Number(l.Idle)+", on which no key hangs")...)
	if l.Missing > 0 {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(words.Count(l.Missing, "key")+" with a lease that is not there: an etcd that starts drops it from them.", width))...)
	}
	if l.Unread > 0 {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(words.CountOf(l.Unread, "lease or key", "leases and keys")+" could not be read.", width))...)
	}
	lines = append(lines, "", t.Bold.Paint("Keys with a lease"))
	if len(l.Attached) == 0 {
		lines = append(lines, t.Dim.Paint("There is none."))
	}
	for i := range l.Attached[:min(len(l.Attached), shared.MaxListed)] {
		g := &l.Attached[i]
		lines = append(lines, draw.Indent(t.Fit(words.Number(g.Keys), 10)+t.Fit(words.Size(g.Bytes()), 12), cmp.Or(g.Name, shared.OtherKeys), width)...)
	}
	return shared.AndMore(t, lines, len(l.Attached))
}

// spacePart describes a part of the file, and what can be had back.
func (p *Screen) spacePart(f *storage.File, part *storage.Part, width int) []string {
	t := p.Theme
	pages := ""
	if part.Pages > 0 {
		pages = fmt.Sprintf("%d of %s each", part.Pages, words.Size(int64(f.PageSize)))
	}
	lines := []string{t.Heading(draw.Safe(string(part.Use)), width)}
	lines = append(lines, draw.Wrap(words.Sentence(storage.Uses[part.Use]), width)...)
	lines = append(lines, t.Facts(width, "bytes", words.Count(part.Bytes, "byte")+", "+strings.TrimSpace(portion(part.Bytes, f.Size))+" of the file", "pages", pages)...)
	lines = append(lines, "", t.Heading("What can be had back", width))
	lines = append(lines, t.Facts(width,
		"compaction", words.Size(f.Compaction)+" of history: one at the newest revision frees them for etcd to use again; the file stays as large",
		"defragment", "about "+words.Size(f.Defrag)+" of the file: free pages, and those beyond the last; how full the pages are then is not known before")...)
	if f.InLog > 0 {
		lines = append(lines, t.Facts(width, "in the log", words.Size(f.InLog)+" of records are in the log only, and in no part of this file")...)
	}
	return lines
}

func (p *Screen) spaceBucket(f *storage.File, b *storage.Bucket, width int) []string {
	t := p.Theme
	lines := []string{t.Heading("Bucket "+draw.Safe(b.Name), width)}
	lines = append(lines, t.Facts(width, "items", words.Number(b.Items), "bytes", words.Size(b.Bytes)+" of keys and values", "share", strings.TrimSpace(portion(b.Bytes, f.Size))+" of the file")...)
	if b.Name == "key" {
		lines = append(lines, "")
		lines = append(lines, draw.Wrap("It holds the revisions: what the other views tell apart.", width)...)
	}
	return lines
}
