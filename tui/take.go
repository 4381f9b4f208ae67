package tui

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/sanitize"
	"revenant/internal/outfile"
)

// maxCopied is how many bytes are copied at most: terminals take about 100 kB of
// an OSC 52 sequence, which is base64.
const maxCopied = 74_000

// copiedMsg is an excerpt to copy that took work to make.
type copiedMsg struct{ excerpt }

// copyOut gives the terminal a text for the clipboard.
func (m *model) copyOut(e excerpt) tea.Cmd {
	switch {
	case e.later != nil:
		return m.tasks.cmd(func() tea.Msg { return copiedMsg{excerpt{what: e.what, text: e.later()}} })
	case e.text == "":
		return say("there is nothing to copy")
	case len(e.text) > maxCopied:
		return say(fmt.Sprintf("%s is too long for the clipboard: %s, at most %s; %s saves it to a file",
			e.what, size(int64(len(e.text))), size(maxCopied), m.keymap.key(saveOut)))
	}
	return tea.Batch(tea.SetClipboard(e.text), say(fmt.Sprintf("copied %s (%s)", e.what, size(int64(len(e.text))))))
}

// saveMode is that of files that are saved: what is in them is as secret as the
// evidence.
const saveMode = 0o600

// save writes a text to a new file. Nothing is written over, and nothing is put
// among the evidence.
func (m *model) save(path string, e excerpt) tea.Cmd {
	return m.tasks.cmd(func() tea.Msg {
		place, err := m.outputs.Place(path, outfile.New)
		if err == nil {
			if e.later != nil {
				e.text = e.later()
			}
			err = place.Write(context.WithoutCancel(m.ctx), saveMode, func(w io.Writer) error {
				_, err := io.WriteString(w, e.text)
				return err
			})
		}
		switch {
		case errors.Is(err, outfile.ErrExists):
			return sayMsg(safe(path) + " exists: nothing is written over")
		case err != nil:
			return sayMsg(safe(err.Error()))
		}
		return sayMsg(fmt.Sprintf("saved to %s (%s): %s", safe(path), size(int64(len(e.text))), e.what))
	})
}

// atHome puts the person's home in place of a ~ at the beginning of a path, as a shell
// does.
func atHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/') {
		if home, err := os.UserHomeDir(); err == nil {
			return home + rest
		}
	}
	return path
}

// fileName makes one out of what may be anything: no separators, nothing hidden.
func fileName(name string) string {
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

// take is what a table gives: to copy, the names of the marked or selected rows; to
// save, all rows that are shown, as CSV with the columns that are shown.
func (t *table) take(save bool, title, noun string) excerpt {
	if !save {
		var names []string
		for _, row := range t.taken() {
			name := t.rows.name
			if t.rows.copied != nil {
				name = t.rows.copied
			}
			names = append(names, sanitize.WholeLine(name(row)))
		}
		if len(names) == 1 {
			return excerpt{what: safe(names[0]), text: names[0]}
		}
		return excerpt{what: plural(len(names), noun), text: strings.Join(names, "\n")}
	}
	columns, rows, shown, wide := t.columns, t.rows, t.shown, t.wide
	e := excerpt{what: plural(len(shown), noun), file: fileName(strings.ToLower(title)) + ".csv"}
	if rows.whole != nil {
		e.later = func() string { return csvOf(columns, &rows, shown, wide) }
	} else {
		e.text = csvOf(columns, &rows, shown, wide)
	}
	return e
}

// csvOf writes rows with the columns that are shown.
func csvOf(columns []column, rows *rows, shown []int32, wide bool) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	write := func(cell func(column int) string) {
		var record []string
		for i, c := range columns {
			if (!c.wide || wide) && !c.drawn {
				record = append(record, sanitize.WholeLine(cell(i)))
			}
		}
		_ = w.Write(record) // a strings.Builder takes all
	}
	write(func(i int) string { return columns[i].title })
	for _, row := range shown {
		cell := func(i int) string { return rows.cell(int(row), i) }
		if rows.whole != nil {
			cells := rows.whole(int(row))
			cell = func(i int) string { return cells[i] }
		}
		write(cell)
	}
	w.Flush()
	return b.String()
}

// What a table remembers.
const (
	keepFilter = "filter"
	keepSort   = "sort"
	keepAll    = "all"
	keepWide   = "wide"
)

func (t *table) remember() map[string]string {
	m := map[string]string{}
	if t.order.words != "" {
		m[keepFilter] = t.order.words
	}
	if by := t.columns[min(t.order.by, len(t.columns)-1)]; t.order.by > 0 || t.order.reverse {
		m[keepSort] = by.title
		if t.order.reverse {
			m[keepSort] = "-" + by.title
		}
	}
	if t.order.all {
		m[keepAll] = "yes"
	}
	if t.wide {
		m[keepWide] = "yes"
	}
	return m
}

func (t *table) recall(m map[string]string) tea.Cmd {
	o := order{words: m[keepFilter], all: m[keepAll] != ""}
	title, reverse := strings.CutPrefix(m[keepSort], "-")
	for i, c := range t.columns {
		if c.title == title {
			o.by, o.reverse = i, reverse
		}
	}
	t.wide = m[keepWide] != ""
	return t.setOrder(o)
}
