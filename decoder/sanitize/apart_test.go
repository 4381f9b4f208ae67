package sanitize

import (
	"testing"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// TestApart asks the segmentation about every character that is taken to stand apart.
func TestApart(t *testing.T) {
	for r := rune(' '); r <= utf8.MaxRune; r++ {
		if !apart(r) || Hidden(r) {
			continue
		}
		n := 0
		for g := graphemes.FromString("a" + string(r) + string(r) + "a"); g.Next(); {
			n++
		}
		if n != 4 {
			t.Errorf("%U joins", r)
		}
	}
}
