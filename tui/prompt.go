package tui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
)

// prompt is where something is typed, in place of the bottom line.
type prompt struct {
	lead  string // stands before the text
	hints string // such as "enter keep"
	text  string

	typed    func(text string) tea.Cmd    // with every change; nil for none
	entered  func(text string) tea.Cmd    // with enter
	left     func() tea.Cmd               // with esc; nil for none
	moved    func(step int) (text string) // with the arrows: what stands there then; nil for none
	complete func(text string) []string   // what the text may become; nil for none
	check    func(text string) error      // what is wrong with it: enter leaves it to be mended then; nil for nothing

	problem string   // that check has found
	offered []string // completions, while they are gone through
	at      int
}

// maxTyped bounds what is typed or pasted, in bytes.
const maxTyped = 200

// update takes a key or pasted text. Enter and esc are the end.
func (p *prompt) update(msg tea.Msg) (cmd tea.Cmd, done bool) {
	before := p.text
	switch msg := msg.(type) {
	case tea.PasteMsg:
		p.add(msg.Content)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "enter":
			if p.check != nil {
				if err := p.check(p.text); err != nil {
					p.problem = err.Error()
					return nil, false
				}
			}
			return p.entered(p.text), true
		case "esc":
			if p.left == nil {
				return nil, true
			}
			return p.left(), true
		case "up", "ctrl+p":
			p.arrow(-1)
		case "down", "ctrl+n":
			p.arrow(1)
		case "tab":
			p.next(1)
			return p.changed(before), false
		case "shift+tab":
			p.next(-1)
			return p.changed(before), false
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
	p.offered = nil
	if p.text != before {
		p.problem = ""
	}
	return p.changed(before), false
}

func (p *prompt) changed(before string) tea.Cmd {
	if p.text == before || p.typed == nil {
		return nil
	}
	return p.typed(p.text)
}

func (p *prompt) arrow(step int) {
	if p.moved != nil {
		p.text = p.moved(step)
	}
}

// next puts the next completion in place of the text.
func (p *prompt) next(step int) {
	if p.complete == nil {
		return
	}
	if p.offered == nil {
		if p.offered = p.complete(p.text); len(p.offered) == 0 {
			p.offered = nil
			return
		}
		p.at = -1
		if step < 0 {
			p.at = 0
		}
	}
	p.at = (p.at + step + len(p.offered)) % len(p.offered)
	p.text = p.offered[p.at]
}

func (p *prompt) add(text string) {
	text = sanitize.Line(text)
	if len(p.text)+len(text) <= maxTyped {
		p.text += text
	}
}

// line draws the prompt; its cursor stands behind the text, and behind that, dim,
// what tab would make of it.
func (p *prompt) line(t *theme, width int) string {
	left := " " + t.bold.paint(p.lead) + p.tail(width)
	list := p.offered
	if list == nil && p.complete != nil && p.text != "" {
		list = p.complete(p.text)
	}
	rest, more := "", ""
	if len(list) > 0 && p.offered == nil {
		rest, _ = strings.CutPrefix(list[0], p.text)
		left += t.dim.paint(safe(rest))
	}
	if room := width - ansi.StringWidth(left) - 20; len(list) > 1 && room > 10 {
		var words []string
		for _, c := range list[:min(len(list), room)] {
			words = append(words, safe(c[strings.LastIndexByte(c, ' ')+1:]))
		}
		more = "  " + t.cut(strings.Join(words, " "), room)
	}
	if p.problem != "" {
		return t.cut(left+"  "+t.critical.paint(safe(p.problem)), width)
	}
	var hints strings.Builder
	for hint := range strings.SplitSeq(p.hints, ", ") {
		hints.WriteString("  " + t.hint(hint))
	}
	return t.spread(left+t.dim.paint(more), hints.String()+" ", width)
}

// tail is as much of the end of the text as there is room for.
func (p *prompt) tail(width int) string {
	return ansi.TruncateLeft(p.text, max(ansi.StringWidth(p.text)-width/2, 0), "")
}

func (p *prompt) cursor(width, y int) *tea.Cursor {
	return tea.NewCursor(1+ansi.StringWidth(p.lead)+ansi.StringWidth(p.tail(width)), y)
}
