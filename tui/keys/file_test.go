package keys

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/tui/draw"
)

// TestDefaults reads the files that are printed: they change nothing.
func TestDefaults(t *testing.T) {
	look, err := draw.ParseLook(draw.DefaultTheme())
	if err != nil || look != draw.DefaultLook {
		t.Errorf("got %+v, error %v", look, err)
	}
	keys, err := Parse(DefaultFile())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Default.With(keys)
	if diff := cmp.Diff(Default, m, cmp.AllowUnexported(binding{})); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestParseKeys(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"another key", "quit: [f8]", ""},
		{"several", "quit: [f8, ctrl+q]", ""},
		{"in use", "quit: [j]", `j stands for both "down" and "quit"`},
		{"unknown action", "frobnicate: [x]", `no action is called "frobnicate"`},
		{"no key", "quit: []", "quit has no key"},
		{"an empty key", "quit: ['']", "a key is empty"},
		{"letters of columns", "sort: [x]", `the keys of "sort" cannot be changed`},
		{"no list", "quit: x", "cannot unmarshal string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.file))
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.want)) {
				t.Errorf("got error %v", err)
			}
		})
	}
}
