package draw

import "testing"

func TestField(t *testing.T) {
	theme := &Theme{Name: "<"}
	painted := theme.Name.Paint("x")
	if painted == "x" {
		t.Fatal("the style paints nothing")
	}
	for line, want := range map[string]string{
		"x: 1": painted + ": 1", "  - x: y": "  - " + painted + ": y", "x:": painted + ":", "- - x: 1": "- - " + painted + ": 1",
		`    "x": {`: `    ` + theme.Name.Paint(`"x"`) + `: {`, `"a\"b: c": 1`: theme.Name.Paint(`"a\"b: c"`) + ": 1",
		"http://x": "http://x", "just text: no field": "just text: no field", "# x: 1": "# x: 1", "- x": "- x", "": "", "'x: y'": "'x: y'", "x:y": "x:y",
	} {
		if got := theme.field(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if got := (&Theme{}).field("x: 1"); got != "x: 1" {
		t.Errorf("without a colour: %q", got)
	}
}
