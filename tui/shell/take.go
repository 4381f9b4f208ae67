package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/internal/outfile"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// maxCopied is how many bytes are copied at most: terminals take about 100 kB of
// an OSC 52 sequence, which is base64.
const maxCopied = 74_000

// copiedMsg is an excerpt to copy that took work to make.
type copiedMsg struct{ widget.Export }

// copyOut gives the terminal a text for the clipboard.
func (m *model) copyOut(e widget.Export) tea.Cmd {
	switch {
	case e.Later != nil:
		return m.Tasks.Cmd(func() tea.Msg { return copiedMsg{widget.Export{What: e.What, Text: e.Later()}} })
	case e.Text == "":
		return widget.Notify("there is nothing to copy")
	case len(e.Text) > maxCopied:
		return widget.Notify(fmt.Sprintf("%s is too long for the clipboard: %s, at most %s; %s saves it to a file",
			e.What, words.Size(int64(len(e.Text))), words.Size(maxCopied), m.Keymap.Key(keys.SaveOut)))
	}
	return tea.Batch(tea.SetClipboard(e.Text), widget.Notify(fmt.Sprintf("copied %s (%s)", e.What, words.Size(int64(len(e.Text))))))
}

// saveMode is that of files that are saved: what is in them is as secret as the
// evidence.
const saveMode = 0o600

// save writes a text to a new file. Nothing is written over, and nothing is put
// among the evidence.
func (m *model) save(path string, e widget.Export) tea.Cmd {
	return m.Tasks.Cmd(func() tea.Msg {
		place, err := m.outputs.Place(atHome(path), outfile.New)
		if err == nil {
			if e.Later != nil {
				e.Text = e.Later()
			}
			err = place.Write(context.WithoutCancel(m.Ctx), saveMode, func(w io.Writer) error {
				_, err := io.WriteString(w, e.Text)
				return err
			})
		}
		switch {
		case errors.Is(err, outfile.ErrExists):
			return widget.NoticeMsg(draw.Safe(path) + " exists: nothing is written over")
		case err != nil:
			return widget.NoticeMsg(draw.Safe(err.Error()))
		}
		return widget.NoticeMsg(fmt.Sprintf("saved to %s (%s): %s", draw.Safe(path), words.Size(int64(len(e.Text))), e.What))
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
