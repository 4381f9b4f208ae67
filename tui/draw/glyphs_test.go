package draw

import (
	"testing"
)

func TestWithoutColor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		want    bool
	}{
		{"not set", []string{"TERM=xterm"}, false},
		{"empty", []string{"NO_COLOR="}, false},
		{"one", []string{"NO_COLOR=1"}, true},
		{"zero", []string{"NO_COLOR=0"}, true},
		{"false", []string{"NO_COLOR=false"}, true},
		{"any word", []string{"NO_COLOR=yes please"}, true},
		{"the last counts", []string{"NO_COLOR=1", "NO_COLOR="}, false},
		{"another name", []string{"MY_NO_COLOR=1"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := NoColor(tt.environ); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestGlyphsFor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		want    Glyphs
	}{
		{"nothing set", nil, UnicodeGlyphs},
		{"UTF-8", []string{"LANG=de_DE.UTF-8"}, UnicodeGlyphs},
		{"utf8", []string{"LANG=C.utf8"}, UnicodeGlyphs},
		{"C", []string{"LANG=C"}, ASCIIGlyphs},
		{"Latin-1", []string{"LANG=de_DE.ISO-8859-1"}, ASCIIGlyphs},
		{"LC_ALL wins", []string{"LANG=C.UTF-8", "LC_ALL=C"}, ASCIIGlyphs},
		{"LC_CTYPE wins over LANG", []string{"LANG=C", "LC_CTYPE=C.UTF-8"}, UnicodeGlyphs},
		{"dumb terminal", []string{"TERM=dumb"}, ASCIIGlyphs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := GlyphsFor(tt.environ); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
