package shared

import (
	tea "charm.land/bubbletea/v2"

	"revenant/decoder/sanitize"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// NeedsPair makes, in place of a screen that needs a backup and the newest state, one that
// says what a second file would bring, and how to give it.
func NeedsPair(title, brings string) func(*session.Session) session.Screen {
	return func(s *session.Session) session.Screen { return &needsPair{Session: s, title: title, brings: brings} }
}

type needsPair struct {
	*session.Session
	widget.Pager
	title, brings string
	width         int
}

func (n *needsPair) SetSize(width, height int) { n.width, n.Height = width, height-1 }
func (n *needsPair) Keys() keys.Set            { return n.Actions(keys.Set{}, len(n.lines())) }
func (n *needsPair) View() []string            { return n.Page(n.Theme, n.lines(), n.width) }

func (n *needsPair) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case keys.Press:
		n.Move(msg.Action, n.lines())
	case widget.SearchMsg:
		n.Search(string(msg), n.lines())
	}
	return nil
}

func (n *needsPair) lines() []string {
	const readable = 100
	t, width := n.Theme, min(n.width-2, readable)
	lines := append([]string{t.Heading(n.title+" needs a second file", width)}, draw.Wrap(n.brings, width)...)
	return append(append(lines, ""), PairCommand(n.Session, width)...)
}

// PairCommand says how to give the file that is shown alone together with another one.
func PairCommand(s *session.Session, width int) []string {
	file := FileWord(s.Current())
	return append(draw.Wrap("Give the newest state from before the restore after it, or the backup in front of it:", width),
		Command(s.Theme, "revenant "+file+" CURRENT", width), Command(s.Theme, "revenant BACKUP "+file, width))
}

// FileWord is the path of a file as it is typed in a command.
func FileWord(s *session.Source) string {
	if word, ok := sanitize.ShellWord(s.Snapshot.Path()); ok {
		return word
	}
	return "FILE"
}

// Command is a line that is to be typed.
func Command(t *draw.Theme, text string, width int) string {
	return "  " + t.Bold.Paint(t.Cut(text, width-2))
}
