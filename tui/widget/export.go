package widget

import (
	"encoding/csv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/tui/draw"
)

// Export is what copy and save take.
type Export struct {
	What string // in a few words
	File string // what to call it
	Text string // plain

	Later func() string // makes the text, in a command, where it takes work; nil for text
	Raw   func() string // the same as it is stored, where the text is what can be applied again; nil for nothing else
}

// None says that there is nothing to take.
func (e *Export) None() bool { return e.Text == "" && e.Later == nil }

// Stored is what is taken as it is stored.
func (e Export) Stored() Export {
	e.What, e.Later, e.Raw = e.What+", as it is stored", e.Raw, nil
	return e
}

// FileName makes one out of what may be anything: no separators, nothing hidden.
func FileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		}
		return '-'
	}, name)
	name = strings.TrimLeft(name, ".-")
	if name == "" {
		name = "text"
	}
	return name[:min(len(name), 100)]
}

// Export is what a table gives: to copy, the names of the marked or selected rows; to
// save, all rows that are shown, as CSV with the columns that are shown.
func (t *Table) Export(save bool, title, noun string) Export {
	if !save {
		var names []string
		for _, row := range t.Chosen() {
			name := t.Rows.Name
			if t.Rows.Copied != nil {
				name = t.Rows.Copied
			}
			names = append(names, sanitize.WholeLine(name(row)))
		}
		if len(names) == 1 {
			return Export{What: draw.Safe(names[0]), Text: names[0]}
		}
		return Export{What: words.Count(len(names), noun), Text: strings.Join(names, "\n")}
	}
	columns, rows, shown, wide := t.Columns, t.Rows, t.Shown, t.wide
	e := Export{What: words.Count(len(shown), noun), File: FileName(strings.ToLower(title)) + ".csv"}
	if rows.Whole != nil {
		e.Later = func() string { return csvOf(columns, &rows, shown, wide) }
	} else {
		e.Text = csvOf(columns, &rows, shown, wide)
	}
	return e
}

// csvOf writes rows with the columns that are shown.
func csvOf(columns []Column, rows *Rows, shown []int32, wide bool) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	write := func(cell func(column int) string) {
		var record []string
		for i, c := range columns {
			if (!c.Wide || wide) && !c.Drawn {
				record = append(record, sanitize.Cell(cell(i)))
			}
		}
		_ = w.Write(record) // a strings.Builder takes all
	}
	write(func(i int) string { return columns[i].Title })
	for _, row := range shown {
		cell := func(i int) string { return rows.Cell(int(row), i) }
		if rows.Whole != nil {
			cells := rows.Whole(int(row))
			cell = func(i int) string { return cells[i] }
		}
		write(cell)
	}
	w.Flush()
	return b.String()
}

// What a table remembers.
const (
	KeepFilter = "filter"
	KeepSort   = "sort"
	KeepAll    = "all"
	keepIn     = "in"
	keepWide   = "wide"
)

// Remember keeps the filter, the order and what is shown.
func (t *Table) Remember() map[string]string {
	m := map[string]string{}
	if t.Order.Words != "" {
		m[KeepFilter] = t.Order.Words
	}
	if t.Order.Namespace != "" {
		m[keepIn] = t.Order.Namespace
	}
	if by := t.Columns[min(t.Order.By, len(t.Columns)-1)]; t.Order.By != t.First || t.Order.Reverse {
		m[KeepSort] = by.Title
		if t.Order.Reverse {
			m[KeepSort] = "-" + by.Title
		}
	}
	if t.Order.All {
		m[KeepAll] = "yes"
	}
	if t.wide {
		m[keepWide] = "yes"
	}
	return m
}

// Recall goes back to what Remember has kept.
func (t *Table) Recall(m map[string]string) tea.Cmd {
	o := Order{By: t.First, Words: m[KeepFilter], Namespace: m[keepIn], All: m[KeepAll] != ""}
	title, reverse := strings.CutPrefix(m[KeepSort], "-")
	for i, c := range t.Columns {
		if c.Title == title {
			o.By, o.Reverse = i, reverse
		}
	}
	t.wide = m[keepWide] != ""
	return t.SetOrder(o)
}
