package widget

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/internal/golden"
	"revenant/tui/draw"
)

// planned is where a store starts that was bumped.
func planned(backup, current, bump int64, verdict string) *StoreStart {
	return &StoreStart{
		Revision: backup + bump, Least: current + 1, Seen: current + max((current-backup)/2, 100),
		Enough: verdict == "enough", Unsure: verdict == "unsure",
	}
}

func TestRuler(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ruler Ruler
	}{
		{"never compacted", Ruler{Window{Head: 454}, Window{Head: 1472}, planned(454, 1472, 0, "none")}},
		{"compacted", Ruler{Window{Head: 8000, Compact: 6500}, Window{Head: 11000, Compact: 7800}, planned(8000, 11000, 0, "none")}},
		{"hours apart", Ruler{Window{Head: 9_100_000, Compact: 9_094_000}, Window{Head: 9_220_000, Compact: 9_213_000}, planned(9_100_000, 9_220_000, 0, "none")}},
		{"gap of few in many", Ruler{Window{Head: 9_999_990}, Window{Head: 10_000_000}, planned(9_999_990, 10_000_000, 0, "none")}},
		{"no gap", Ruler{Window{Head: 500}, Window{Head: 500}, planned(500, 500, 0, "none")}},
		{"bump too small", Ruler{Window{Head: 1000}, Window{Head: 3000}, planned(1000, 3000, 700, "small")}},
		{"bump unsure", Ruler{Window{Head: 1000}, Window{Head: 3000}, planned(1000, 3000, 2200, "unsure")}},
		{"bump enough", Ruler{Window{Head: 1000}, Window{Head: 3000}, planned(1000, 3000, 1_003_000, "enough")}},
		{"restored before", Ruler{Window{Head: 1_002_600, Bumped: []int64{1_002_000}}, Window{Head: 1_003_500, Bumped: []int64{1_002_000}}, planned(1_002_600, 1_003_500, 0, "none")}},
		{"no prediction yet", Ruler{Window{Head: 454}, Window{Head: 1472}, nil}},
		{"empty stores", Ruler{Window{}, Window{}, planned(0, 0, 0, "none")}},
		{"hostile", Ruler{Window{Head: math.MaxInt64, Compact: math.MaxInt64}, Window{Head: math.MaxInt64, Bumped: []int64{0, math.MaxInt64}},
			&StoreStart{Revision: math.MaxInt64, Seen: math.MaxInt64, Least: math.MinInt64}}},
	} {
		for _, look := range []struct {
			name   string
			glyphs draw.Glyphs
			width  int
		}{{"78", draw.UnicodeGlyphs, 78}, {"198", draw.UnicodeGlyphs, 198}, {"ASCII", draw.ASCIIGlyphs, 78}} {
			t.Run(tt.name+"/"+look.name, func(t *testing.T) {
				lines := tt.ruler.Lines(draw.NewTheme(true, colorprofile.TrueColor, look.glyphs, draw.DefaultLook), look.width)
				for i, line := range lines {
					if w := ansi.StringWidth(line); w > look.width {
						t.Errorf("line %d has %d columns of %d", i, w, look.width)
					}
				}
				golden.Named(t, unpainted(lines))
			})
		}
	}
}

// TestRulerScale checks that columns are where the revisions are, whatever the
// width.
func TestRulerScale(t *testing.T) {
	r := Ruler{Backup: Window{Head: 250}, Current: Window{Head: 1000}}
	for _, width := range []int{1, 2, 11, 68, 188, 1000} {
		a := r.axis(width)
		for _, tt := range []struct {
			rev  int64
			want float64
		}{{0, 0}, {250, 0.25}, {500, 0.5}, {1000, 1}, {2000, 1}, {-5, 0}} {
			if got := float64(a.Col(tt.rev)); math.Abs(got-tt.want*float64(width-1)) > 0.5 {
				t.Errorf("width %d: revision %d is at column %v", width, tt.rev, got)
			}
		}
	}
}

func BenchmarkRuler(b *testing.B) {
	t := draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)
	r := Ruler{Window{Head: 8000, Compact: 6500}, Window{Head: 11000, Compact: 7800}, planned(8000, 11000, 0, "none")}
	for _, width := range []int{80, 200} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			for b.Loop() {
				r.Lines(t, width)
			}
		})
	}
}

// unpainted is lines without their colours, and without the blanks at their ends.
func unpainted(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(ansi.Strip(line), " ") + "\n")
	}
	return b.String()
}
