package widget

import (
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/tui/draw"
)

// TestRebin keeps the sum of what is drawn.
func TestRebin(t *testing.T) {
	for _, tt := range []struct {
		name    string
		bins    []float64
		columns int
		want    []float64
	}{
		{"none", nil, 3, []float64{0, 0, 0}},
		{"no column", []float64{1, 2}, 0, []float64{}},
		{"as many", []float64{1, 2, 3}, 3, []float64{1, 2, 3}},
		{"fewer", []float64{1, 2, 3, 4}, 2, []float64{3, 7}},
		{"more", []float64{2, 4}, 4, []float64{1, 1, 2, 2}},
		{"neither", []float64{3, 3, 3}, 2, []float64{4.5, 4.5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Rebin(tt.bins, tt.columns), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestBars draws what there is little of, too, and nothing where there is nothing.
func TestBars(t *testing.T) {
	for _, tt := range []struct {
		name   string
		glyphs draw.Glyphs
		values []float64
		height int
		want   []string
	}{
		{"nothing", draw.UnicodeGlyphs, []float64{0, 0}, 2, []string{"", ""}},
		{"rising", draw.UnicodeGlyphs, []float64{0, 1, 8, 12, 16}, 2, []string{"   ▄█", " ▁███"}},
		{"little beside much", draw.UnicodeGlyphs, []float64{1, 1e9}, 1, []string{"▁█"}},
		{"next to nothing", draw.UnicodeGlyphs, []float64{0.01, 8}, 1, []string{" █"}},
		{"ASCII", draw.ASCIIGlyphs, []float64{1, 4, 8}, 1, []string{".=#"}},
		{"where nothing is drawn", draw.PlainGlyphs, []float64{1, 4, 8}, 1, []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := draw.NewTheme(true, colorprofile.ASCII, tt.glyphs, draw.DefaultLook)
			got := Bars(th, tt.values, Max(tt.values), tt.height, nil)
			for i := range got {
				got[i] = strings.TrimRight(got[i], " ")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
