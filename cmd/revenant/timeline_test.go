package main

import "testing"

// TestSheetCell wants no cell that a spreadsheet computes, and none that is more than a line.
func TestSheetCell(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"web":               "web",
		"a=b":               "a=b",
		"=HYPERLINK(\"x\")": "'=HYPERLINK(\"x\")",
		"+1":                "'+1",
		"-1":                "'-1",
		"@SUM(A1)":          "'@SUM(A1)",
		"a\x1b[31m\nb":      "a\uFFFD[31m\uFFFDb",
		"\t=1":              "\uFFFD=1",
	} {
		if got := sheetCell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
