package terminal

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
	"testing"

	"revenant/internal/golden"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// TestPictures checks that the pictures of the UI in docs show what it draws now.
// With -update it makes them.
func TestPictures(t *testing.T) {
	const verdict = "18 pods keep running unseen"
	term := open(t, 112, 31, "LANG=C.UTF-8 TERM=xterm-256color COLORTERM=truecolor")
	term.await(verdict)
	for _, colors := range []palette{
		{theme: "dark", background: "#16181d", text: "#d8dbe2"},
		{theme: "light", background: "#ffffff", text: "#24292f"},
	} {
		term.play("", []step{{":theme " + colors.theme + "<Enter>", verdict, ""}})
		term.still()
		got := string(colors.draw(term.tmux("capture-pane", "-p", "-e")))
		path := "../../docs/ui-" + colors.theme + ".svg"
		golden.Equal(t, path, got)
	}
}

// palette has the colours of a terminal under a theme of the UI.
type palette struct{ theme, background, text string }

// draw makes an SVG of a screen that was captured with its escape sequences. Each
// word in one style stands at its column and is stretched to its columns, so that
// any monospaced font fits.
func (p palette) draw(screen string) []byte {
	const cell, row, margin = 8.4, 18.0, 12.0
	lines := uv.NewStyledString(strings.TrimRight(screen, "\n")).Lines(ansi.WcWidth)
	width := 0
	for _, line := range lines {
		width = max(width, len(line))
	}
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %.1f" role="img" `+
		`font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<title>revenant: the verdict on a restore</title>
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
`, cell*float64(width)+2*margin, row*float64(len(lines))+2*margin, p.background)
	for y, line := range lines {
		top := margin + row*float64(y)
		for from := 0; from < len(line); {
			style, blank := line[from].Style, line[from].Content == " "
			to, text := from, ""
			for to < len(line) && line[to].Style.Equal(&style) && (line[to].Content == " ") == blank {
				text += line[to].Content
				to++
			}
			x, length := margin+cell*float64(from), cell*float64(to-from)
			from = to
			if style.Bg != nil {
				fmt.Fprintf(&svg, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, top, length, row, hex(style.Bg))
			}
			if blank {
				continue
			}
			fill, weight := p.text, "normal"
			if style.Fg != nil {
				fill = hex(style.Fg)
			}
			if style.Attrs&uv.AttrBold != 0 {
				weight = "bold"
			}
			fmt.Fprintf(&svg, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s" font-weight="%s">`, x, top+13.5, length, fill, weight)
			_ = xml.EscapeText(&svg, []byte(text)) // a strings.Builder takes everything
			svg.WriteString("</text>\n")
		}
	}
	svg.WriteString("</svg>\n")
	return []byte(svg.String())
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
