package tui

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
)

// planned is where a store starts that was bumped.
func planned(backup, current, bump int64, verdict string) *storeStart {
	return &storeStart{
		revision: backup + bump, least: current + 1, seen: current + max((current-backup)/2, 100),
		enough: verdict == "enough", unsure: verdict == "unsure",
	}
}

func TestRuler(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ruler ruler
	}{
		{"never compacted", ruler{window{head: 454}, window{head: 1472}, planned(454, 1472, 0, "none")}},
		{"compacted", ruler{window{head: 8000, compact: 6500}, window{head: 11000, compact: 7800}, planned(8000, 11000, 0, "none")}},
		{"hours apart", ruler{window{head: 9_100_000, compact: 9_094_000}, window{head: 9_220_000, compact: 9_213_000}, planned(9_100_000, 9_220_000, 0, "none")}},
		{"gap of few in many", ruler{window{head: 9_999_990}, window{head: 10_000_000}, planned(9_999_990, 10_000_000, 0, "none")}},
		{"no gap", ruler{window{head: 500}, window{head: 500}, planned(500, 500, 0, "none")}},
		{"bump too small", ruler{window{head: 1000}, window{head: 3000}, planned(1000, 3000, 700, "small")}},
		{"bump unsure", ruler{window{head: 1000}, window{head: 3000}, planned(1000, 3000, 2200, "unsure")}},
		{"bump enough", ruler{window{head: 1000}, window{head: 3000}, planned(1000, 3000, 1_003_000, "enough")}},
		{"restored before", ruler{window{head: 1_002_600, bumped: []int64{1_002_000}}, window{head: 1_003_500, bumped: []int64{1_002_000}}, planned(1_002_600, 1_003_500, 0, "none")}},
		{"no prediction yet", ruler{window{head: 454}, window{head: 1472}, nil}},
		{"empty stores", ruler{window{}, window{}, planned(0, 0, 0, "none")}},
		{"hostile", ruler{window{head: math.MaxInt64, compact: math.MaxInt64}, window{head: math.MaxInt64, bumped: []int64{0, math.MaxInt64}},
			&storeStart{revision: math.MaxInt64, seen: math.MaxInt64, least: math.MinInt64}}},
	} {
		for _, look := range []struct {
			name   string
			glyphs glyphs
			width  int
		}{{"78", unicodeGlyphs, 78}, {"198", unicodeGlyphs, 198}, {"ASCII", asciiGlyphs, 78}} {
			t.Run(tt.name+"/"+look.name, func(t *testing.T) {
				lines := tt.ruler.lines(newTheme(true, colorprofile.TrueColor, look.glyphs, DefaultLook), look.width)
				for i, line := range lines {
					if w := ansi.StringWidth(line); w > look.width {
						t.Errorf("line %d has %d columns of %d", i, w, look.width)
					}
				}
				golden.RequireEqual(t, plain(strings.Join(lines, "\n")+"\n"))
			})
		}
	}
}

// TestRulerScale checks that columns are where the revisions are, whatever the
// width.
func TestRulerScale(t *testing.T) {
	r := ruler{backup: window{head: 250}, current: window{head: 1000}}
	for _, width := range []int{1, 2, 11, 68, 188, 1000} {
		a := r.axis(width)
		for _, tt := range []struct {
			rev  int64
			want float64
		}{{0, 0}, {250, 0.25}, {500, 0.5}, {1000, 1}, {2000, 1}, {-5, 0}} {
			if got := float64(a.col(tt.rev)); math.Abs(got-tt.want*float64(width-1)) > 0.5 {
				t.Errorf("width %d: revision %d is at column %v", width, tt.rev, got)
			}
		}
	}
}

func BenchmarkRuler(b *testing.B) {
	t := newTheme(true, colorprofile.TrueColor, unicodeGlyphs, DefaultLook)
	r := ruler{window{head: 8000, compact: 6500}, window{head: 11000, compact: 7800}, planned(8000, 11000, 0, "none")}
	for _, width := range []int{80, 200} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			for b.Loop() {
				r.lines(t, width)
			}
		})
	}
}
