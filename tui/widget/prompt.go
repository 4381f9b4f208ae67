package widget

import (
	"slices"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/tui/draw"
)

// StartingWith are the words that begin with a text.
func StartingWith(text string, words ...string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, text) })
}

// Typable are the texts that can be typed as they are.
func Typable(list []string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return len(s) > MaxTyped || s != sanitize.Line(s) })
}

// Prompt is where something is typed, in place of the bottom line.
type Prompt struct {
	Lead  string // stands before the text
	Hints string // such as "enter keep"
	Text  string

	Note     func(text string) string     // what is being typed; nil for nothing to say
	Typed    func(text string) tea.Cmd    // with every change; nil for none
	Entered  func(text string) tea.Cmd    // with enter
	Left     func() tea.Cmd               // with esc; nil for none
	Moved    func(step int) (text string) // with the arrows: what stands there then; nil for none
	Complete func(text string) []string   // what the text may become; nil for none
	Switch   func()                       // with ctrl-s: another way to do it; nil for none
	Check    func(text string) error      // what is wrong with it: enter leaves it to be corrected; nil for nothing

	problem string   // that check has found
	offered []string // completions, while they are gone through
	at      int
}

// MaxTyped bounds what is typed or pasted, in bytes.
const MaxTyped = 200

// Update takes a key or pasted text. Enter and esc are the end.
func (p *Prompt) Update(msg tea.Msg) (cmd tea.Cmd, done bool) {
	before := p.Text
	switch msg := msg.(type) {
	case tea.PasteMsg:
		p.add(msg.Content)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "enter":
			if p.Check != nil {
				if err := p.Check(p.Text); err != nil {
					p.problem = err.Error()
					return nil, false
				}
			}
			return p.Entered(p.Text), true
		case "esc":
			if p.Left == nil {
				return nil, true
			}
			return p.Left(), true
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
			_, n := utf8.DecodeLastRuneInString(p.Text)
			p.Text = p.Text[:len(p.Text)-n]
		case "ctrl+w":
			p.Text = p.Text[:strings.LastIndexByte(strings.TrimRight(p.Text, " "), ' ')+1]
		case "ctrl+s":
			if p.Switch != nil {
				p.Switch()
			}
		case "ctrl+u":
			p.Text = ""
		default:
			p.add(msg.Text)
		}
	}
	p.offered = nil
	if p.Text != before {
		p.problem = ""
	}
	return p.changed(before), false
}

func (p *Prompt) changed(before string) tea.Cmd {
	if p.Text == before || p.Typed == nil {
		return nil
	}
	return p.Typed(p.Text)
}

func (p *Prompt) arrow(step int) {
	if p.Moved != nil {
		p.Text = p.Moved(step)
	}
}

// next puts the next completion in place of the text.
func (p *Prompt) next(step int) {
	if p.Complete == nil {
		return
	}
	if p.offered == nil {
		if p.offered = p.Complete(p.Text); len(p.offered) == 0 {
			p.offered = nil
			return
		}
		p.at = -1
		if step < 0 {
			p.at = 0
		}
	}
	p.at = (p.at + step + len(p.offered)) % len(p.offered)
	p.Text = p.offered[p.at]
}

func (p *Prompt) add(text string) {
	text = sanitize.Line(text)
	if len(p.Text)+len(text) <= MaxTyped {
		p.Text += text
	}
}

// Line draws the prompt; its cursor stands after the text, and after that, dim,
// what tab would make of it.
func (p *Prompt) Line(t *draw.Theme, width int) string {
	left := " " + t.Bold.Paint(p.Lead) + p.tail(width)
	list := p.offered
	if list == nil && p.Complete != nil && p.Text != "" {
		list = p.Complete(p.Text)
	}
	rest, more := "", ""
	if len(list) > 0 && p.offered == nil {
		rest, _ = strings.CutPrefix(list[0], p.Text)
		left += t.Dim.Paint(draw.Safe(rest))
	}
	if room := width - ansi.StringWidth(left) - 20; len(list) > 1 && room > 10 {
		var offers []string
		for _, c := range list[:min(len(list), room)] {
			offers = append(offers, draw.Safe(c[strings.LastIndexByte(c, ' ')+1:]))
		}
		more = "  " + t.Cut(strings.Join(offers, " "), room)
	}
	var hints strings.Builder
	if p.Note != nil {
		hints.WriteString("  " + t.Dim.Paint(p.Note(p.Text)))
	}
	for hint := range strings.SplitSeq(p.Hints, ", ") {
		hints.WriteString("  " + t.Hint(hint))
	}
	return t.Spread(left+t.Dim.Paint(more), hints.String()+" ", width)
}

// Problem says in lines what is wrong with what was entered; none for nothing.
func (p *Prompt) Problem(t *draw.Theme, width int) []string {
	if p.problem == "" {
		return nil
	}
	return draw.PaintAll(t.Critical, draw.Wrap(words.Sentence(p.problem), width))
}

// tail is as much of the end of the text as there is room for.
func (p *Prompt) tail(width int) string {
	return ansi.TruncateLeft(p.Text, max(ansi.StringWidth(p.Text)-width/2, 0), "")
}

// Cursor is where the cursor stands on line y of the terminal.
func (p *Prompt) Cursor(width, y int) *tea.Cursor {
	return tea.NewCursor(1+ansi.StringWidth(p.Lead)+ansi.StringWidth(p.tail(width)), y)
}
