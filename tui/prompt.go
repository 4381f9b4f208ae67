package tui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
)

// prompt is where a filter is typed, in place of the bottom line.
type prompt struct {
	text string
}

// maxTyped bounds what is pasted, in bytes.
const maxTyped = 200

// update takes a key or pasted text. Enter keeps the text, esc clears it, and
// both are the end.
func (p *prompt) update(msg tea.Msg) (done bool) {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		p.add(msg.Content)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "enter":
			return true
		case "esc":
			p.text = ""
			return true
		case "backspace":
			_, n := utf8.DecodeLastRuneInString(p.text)
			p.text = p.text[:len(p.text)-n]
		case "ctrl+w":
			p.text = p.text[:strings.LastIndexByte(strings.TrimRight(p.text, " "), ' ')+1]
		case "ctrl+u":
			p.text = ""
		default:
			p.add(msg.Text)
		}
	}
	return false
}

func (p *prompt) add(text string) {
	text = sanitize.Line(text)
	if len(p.text)+len(text) <= maxTyped {
		p.text += text
	}
}

// line draws the prompt; its cursor stands behind the text.
func (p *prompt) line(t *theme, width int) string {
	hints := t.hint("enter keep") + "  " + t.hint("esc clear") + " "
	return t.spread(" "+t.bold.paint("/")+p.tail(width), hints, width)
}

// tail is as much of the end of the text as there is room for.
func (p *prompt) tail(width int) string {
	return ansi.TruncateLeft(p.text, max(ansi.StringWidth(p.text)-width/2, 0), "")
}

func (p *prompt) cursor(width, y int) *tea.Cursor {
	return tea.NewCursor(2+ansi.StringWidth(p.tail(width)), y)
}
