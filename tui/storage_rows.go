package tui

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/storage"
)

// spaceColumn is a column with its cells.
type spaceColumn struct {
	column
	cell    func(row int) string
	compare func(a, b int) int
}

func texts(c column, of func(row int) string) spaceColumn {
	return spaceColumn{c, of, func(a, b int) int { return strings.Compare(of(a), of(b)) }}
}

// numbers are sorted with the largest first.
func numbers(c column, write func(int64) string, of func(row int) int64) spaceColumn {
	c.right = !c.drawn
	return spaceColumn{c, func(row int) string { return write(of(row)) }, func(a, b int) int { return cmp.Compare(of(b), of(a)) }}
}

// shares says which part of all a row has, and draws it.
func shares(t *theme, all int64, of func(row int) int64) []spaceColumn {
	percents := numbers(column{title: "SHARE", min: 7}, func(n int64) string { return portion(n, all) }, of)
	if t.plain {
		return []spaceColumn{percents}
	}
	const most = 10
	bars := numbers(column{title: "OF ALL", min: most, drop: 1, drawn: true}, func(n int64) string {
		if all <= 0 {
			return ""
		}
		return strings.Repeat(t.full, int(math.Round(most*max(min(float64(n)/float64(all), 1), 0))))
	}, of)
	return []spaceColumn{percents, bars}
}

// mostDropped is beyond what columns have that are left out earlier than others.
const mostDropped = 10

// portion is a part of all in percent.
func portion(n, all int64) string {
	if all <= 0 {
		return "-"
	}
	p := 100 * float64(n) / float64(all)
	if n > 0 && p < 0.05 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// rowsOf makes the rows.
func (p *space) rowsOf(shown spaceShown) rows {
	switch shown.view {
	case byResource:
		return p.spaceGroups(shown, column{title: "RESOURCE", key: "N", min: 16, max: 60}, otherKeys, shown.sums.Resources)
	case byNamespace:
		return p.spaceGroups(shown, column{title: "NAMESPACE", key: "N", min: 16, max: 60}, noNamespace, shown.sums.Namespaces)
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
func (p *space) spaceRows(shown spaceShown, n int, list ...spaceColumn) rows {
	r := rows{
		count:   n,
		about:   p.spaceAbout(shown),
		cell:    func(row, column int) string { return list[column].cell(row) },
		compare: func(a, b, column int) int { return list[column].compare(a, b) },
		item:    func(int) any { return spaceItem{shown: shown} },
	}
	for _, c := range list {
		r.columns = append(r.columns, c.column)
	}
	return r
}

// spaceAbout says what is listed.
func (p *space) spaceAbout(shown spaceShown) string {
	text := spaceViewNames[shown.view]
	if w := shown.within; w.ofResource {
		text += " of " + cmp.Or(w.resource, otherKeys)
	}
	if w := shown.within; w.inNamespace {
		text += " in " + cmp.Or(w.namespace, noNamespace)
	}
	return text
}

func (p *space) spaceGroups(shown spaceShown, title column, nameless string, list []storage.Group) rows {
	name := func(row int) string { return cmp.Or(list[row].Name, nameless) }
	bytes := func(row int) int64 { return list[row].Bytes() }
	columns := []spaceColumn{texts(title, name)}
	columns = append(columns, shares(p.theme, shown.sums.Total.Bytes(), bytes)...)
	columns = append(columns,
		numbers(column{title: "BYTES", key: "B", min: 11}, size, bytes),
		numbers(column{title: "LIVE", key: "L", min: 11, drop: 2}, size, func(row int) int64 { return list[row].Live }),
		numbers(column{title: "HISTORY", key: "I", min: 11, drop: 3}, size, func(row int) int64 { return list[row].History }),
		numbers(column{title: "KEYS", key: "K", min: 6, drop: 5}, count, func(row int) int64 { return int64(list[row].Keys) }),
		numbers(column{title: "REVISIONS", key: "R", min: 11, drop: 4}, count, func(row int) int64 { return int64(list[row].Revisions) }),
	)
	r := p.spaceRows(shown, len(list), columns...)
	r.id = func(row int) string { return list[row].Name }
	r.copied = name
	r.item = func(row int) any { return spaceItem{shown: shown, group: &list[row]} }
	r.detail = func(row, width int) []string { return p.spaceGroup(shown, name(row), &list[row], width) }
	return r
}

func (p *space) spaceKeys(shown spaceShown, list []storage.Key) rows {
	name := func(row int) string { return keyTitle(&list[row]) }
	total := &shown.sums.Total
	share := shares(p.theme, total.Bytes(), func(row int) int64 { return list[row].Bytes() })
	switch shown.view {
	case bySize:
		share = shares(p.theme, total.Live, func(row int) int64 { return list[row].Live })
	case byChurn:
		share = shares(p.theme, int64(total.Revisions), func(row int) int64 { return int64(list[row].Revisions) })
	}
	for i := range share {
		share[i].drop *= mostDropped // one key is a small part of many
	}
	columns := append([]spaceColumn{texts(column{title: "KEY", key: "N", min: 38, max: 90, drop: 1}, name)}, share...)
	figures := []spaceColumn{
		numbers(column{title: "BYTES", key: "B", min: 11, drop: 2}, size, func(row int) int64 { return list[row].Bytes() }),
		numbers(column{title: "REVISIONS", key: "R", min: 11, drop: 3}, count, func(row int) int64 { return int64(list[row].Revisions) }),
		numbers(column{title: "LIVE", key: "L", min: 11, drop: 4}, size, func(row int) int64 { return list[row].Live }),
		numbers(column{title: "HISTORY", key: "I", min: 11, drop: 5}, size, func(row int) int64 { return list[row].History }),
		numbers(column{title: "CHANGED", key: "C", min: 9, drop: 6}, count, func(row int) int64 { return list[row].Changed }),
	}
	first := slices.IndexFunc(figures, func(c spaceColumn) bool { return c.title == spaceSorted[shown.view] })
	figures[first].drop = 2
	columns = append(append(columns, figures[first]), slices.Delete(figures, first, first+1)...)
	r := p.spaceRows(shown, len(list), columns...)
	if len(list) == mostKeys {
		r.about = "the first " + count(mostKeys) + " of " + r.about
	}
	r.id = func(row int) string { return list[row].Key }
	r.item = func(row int) any { return spaceItem{shown: shown, key: &list[row]} }
	r.links = func(row int) func(action) tea.Cmd { return p.linksTo(shown.side, list[row].Key) }
	r.detail = func(row, width int) []string { return p.spaceKey(shown, &list[row], width) }
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

func (p *space) spaceLeases(shown spaceShown) rows {
	l := shown.leases
	attached := int64(0)
	for i := range l.ByTTL {
		attached += int64(l.ByTTL[i].Keys)
	}
	keys := func(row int) int64 { return int64(l.ByTTL[row].Keys) }
	ttl := func(n int64) string { return time.Duration(n).String() }
	granted := numbers(column{title: "GRANTED FOR", key: "N", min: 12}, ttl, func(row int) int64 { return int64(l.ByTTL[row].TTL) })
	granted.compare = func(a, b int) int { return cmp.Compare(l.ByTTL[a].TTL, l.ByTTL[b].TTL) }
	columns := append([]spaceColumn{granted,
		numbers(column{title: "LEASES", key: "L", min: 8}, count, func(row int) int64 { return int64(l.ByTTL[row].Leases) }),
		numbers(column{title: "KEYS", key: "K", min: 8}, count, keys),
	}, shares(p.theme, attached, keys)...)
	r := p.spaceRows(shown, len(l.ByTTL), columns...)
	r.id = func(row int) string { return ttl(int64(l.ByTTL[row].TTL)) }
	r.detail = func(row, width int) []string { return p.spaceLease(l, width) }
	return r
}

func (p *space) spaceParts(shown spaceShown) rows {
	f := &shown.sums.File
	bytes := func(row int) int64 { return f.Parts[row].Bytes }
	part := texts(column{title: "PART", key: "N", min: 20}, func(row int) string { return string(f.Parts[row].Use) })
	part.compare = func(a, b int) int { return cmp.Compare(a, b) } // the live ones first
	columns := append([]spaceColumn{part}, shares(p.theme, f.Size, bytes)...)
	columns = append(columns,
		numbers(column{title: "BYTES", key: "B", min: 11}, size, bytes),
		numbers(column{title: "PAGES", key: "P", min: 7}, zeroAsNone, func(row int) int64 { return int64(min(f.Parts[row].Pages, math.MaxInt64)) }),
		numbers(column{title: "EXACTLY", key: "E", min: 9, drop: 2}, count, bytes),
	)
	r := p.spaceRows(shown, len(f.Parts), columns...)
	r.about += fmt.Sprintf(", %s in all", plural(sumOf(f), "byte"))
	r.id = func(row int) string { return string(f.Parts[row].Use) }
	r.detail = func(row, width int) []string { return p.spacePart(f, &f.Parts[row], width) }
	return r
}

// zeroAsNone is the count of what may not be counted.
func zeroAsNone(n int64) string { return zeroAsDash(int(n)) }

func sumOf(f *storage.File) int64 {
	sum := int64(0)
	for i := range f.Parts {
		sum += f.Parts[i].Bytes
	}
	return sum
}

// bytesFor are those of a part of the file.
func bytesFor(f *storage.File, use storage.Use) int64 {
	for i := range f.Parts {
		if f.Parts[i].Use == use {
			return f.Parts[i].Bytes
		}
	}
	return 0
}

func (p *space) spaceBuckets(shown spaceShown) rows {
	f := &shown.sums.File
	all := int64(0)
	for i := range f.Buckets {
		all += f.Buckets[i].Bytes
	}
	bytes := func(row int) int64 { return f.Buckets[row].Bytes }
	columns := append([]spaceColumn{texts(column{title: "BUCKET", key: "N", min: 16, max: 60}, func(row int) string { return f.Buckets[row].Name })}, shares(p.theme, all, bytes)...)
	columns = append(columns,
		numbers(column{title: "BYTES", key: "B", min: 11}, size, bytes),
		numbers(column{title: "ITEMS", key: "I", min: 8}, count, func(row int) int64 { return int64(f.Buckets[row].Items) }),
	)
	r := p.spaceRows(shown, len(f.Buckets), columns...)
	r.id = func(row int) string { return f.Buckets[row].Name }
	r.detail = func(row, width int) []string { return p.spaceBucket(f, &f.Buckets[row], width) }
	return r
}

// tallied says what some keys take, and what that means.
func (p *space) tallied(k *storage.Tally, of *storage.Tally, width int) []string {
	t := p.theme
	lines := t.facts(width,
		"bytes", fmt.Sprintf("%s, %s of %s", size(k.Bytes()), strings.TrimSpace(portion(k.Bytes(), of.Bytes())), size(of.Bytes())),
		"live", size(k.Live)+" in "+plural(k.Keys, "key")+": "+storage.Uses[storage.LiveRecords],
		"history", size(k.History)+": "+storage.Uses[storage.HistoryRecords],
		"revisions", count(k.Revisions)+" retained, "+deletions(k.Tombstones))
	if k.Keys > 1 {
		lines = append(lines, t.facts(width, "on average", size(k.Live/int64(k.Keys))+" live a key")...)
	}
	return lines
}

func deletions(n int) string {
	if n == 0 {
		return "no deletion among them"
	}
	return plural(n, "deletion") + " among them"
}

// spaceGroup tells all of a group.
func (p *space) spaceGroup(shown spaceShown, name string, g *storage.Group, width int) []string {
	t := p.theme
	lines := []string{t.heading(safe(name), width)}
	lines = append(lines, p.tallied(&g.Tally, &shown.sums.Total, width)...)
	goes := "lists its keys"
	if shown.view == byNamespace && !shown.within.ofResource {
		goes = "lists its resources"
	}
	lines = append(lines, "", t.bold.paint("Its heaviest keys")+t.dim.paint(" ("+p.keymap.key(open)+" "+goes+")"))
	for i := range g.Heaviest {
		k := &g.Heaviest[i]
		lines = append(lines, hang(t.fit(size(k.Bytes()), 12), keyTitle(k), width)...)
	}
	if len(g.Heaviest) == 0 {
		lines = append(lines, t.dim.paint("It has none: what it has are marks that etcd left."))
	}
	return lines
}

// spaceKey tells all of a key.
func (p *space) spaceKey(shown spaceShown, k *storage.Key, width int) []string {
	t := p.theme
	lines := []string{t.heading(safe(keyTitle(k)), width)}
	changed := "at revision " + count(k.Changed)
	if c := p.side(shown.side).State.Clock; c != nil {
		changed += ", " + c.TimeOf(k.Changed).String()
	}
	version := count(k.Version) + ": so often was it written since it was created last"
	if k.Keys == 0 {
		changed, version = "deleted "+changed, ""
	}
	lines = append(lines, t.facts(width, "key", k.Key)...)
	lines = append(lines, p.tallied(&k.Tally, &shown.sums.Total, width)...)
	lines = append(lines, t.facts(width, "version", version, "last change", changed)...)
	return append(lines, "", t.dim.paint(t.cut(p.keymap.key(historyOf)+" shows every revision of it", width)))
}

// spaceLease tells what hangs on leases.
func (p *space) spaceLease(l *storage.Leases, width int) []string {
	t := p.theme
	lines := []string{t.heading("Leases of etcd", width)}
	lines = append(lines, wrap("etcd deletes the keys on a lease when that runs out. The API server gives events one, for an hour if not told otherwise.", width)...)
	lines = append(lines, "")
	lines = append(lines, t.facts(width, "granted", count(l.Granted), "idle", count(l.Idle)+", on which no key hangs")...)
	if l.Missing > 0 {
		lines = append(lines, paintAll(t.warning, wrap(plural(l.Missing, "key")+" with a lease that is not there: an etcd that starts drops it from them.", width))...)
	}
	if l.Unread > 0 {
		lines = append(lines, paintAll(t.warning, wrap(count(l.Unread)+" leases and keys could not be read.", width))...)
	}
	lines = append(lines, "", t.bold.paint("Keys with a lease"))
	if len(l.Attached) == 0 {
		lines = append(lines, t.dim.paint("There is none."))
	}
	for i := range l.Attached[:min(len(l.Attached), maxListed)] {
		g := &l.Attached[i]
		lines = append(lines, hang(t.fit(count(g.Keys), 10)+t.fit(size(g.Bytes()), 12), cmp.Or(g.Name, otherKeys), width)...)
	}
	return t.andMore(lines, len(l.Attached))
}

// spacePart tells of a part of the file, and what can be had back.
func (p *space) spacePart(f *storage.File, part *storage.Part, width int) []string {
	t := p.theme
	pages := ""
	if part.Pages > 0 {
		pages = fmt.Sprintf("%d of %s each", part.Pages, size(int64(f.PageSize)))
	}
	lines := []string{t.heading(safe(string(part.Use)), width)}
	lines = append(lines, wrap(sentence(storage.Uses[part.Use]), width)...)
	lines = append(lines, t.facts(width, "bytes", plural(part.Bytes, "byte")+", "+strings.TrimSpace(portion(part.Bytes, f.Size))+" of the file", "pages", pages)...)
	lines = append(lines, "", t.heading("What can be had back", width))
	lines = append(lines, t.facts(width,
		"compaction", size(f.Compaction)+" of history: one at the newest revision frees them for etcd to use again; the file stays as large",
		"defragment", "about "+size(f.Defrag)+" of the file: free pages, and those beyond the last; how full the pages are then is not known before")...)
	if f.InLog > 0 {
		lines = append(lines, t.facts(width, "in the log", size(f.InLog)+" of records are in the log only, and in no part of this file")...)
	}
	return lines
}

func (p *space) spaceBucket(f *storage.File, b *storage.Bucket, width int) []string {
	t := p.theme
	lines := []string{t.heading("Bucket "+safe(b.Name), width)}
	lines = append(lines, t.facts(width, "items", count(b.Items), "bytes", size(b.Bytes)+" of keys and values", "share", strings.TrimSpace(portion(b.Bytes, f.Size))+" of the file")...)
	if b.Name == "key" {
		lines = append(lines, "")
		lines = append(lines, wrap("It holds the revisions: what the other views tell apart.", width)...)
	}
	return lines
}
