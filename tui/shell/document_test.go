package shell

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"revenant/internal/golden"
	"revenant/tui/keys"
)

// TestDocument keeps the tables of docs/ui.md equal to those in the code.
func TestDocument(t *testing.T) {
	const path = "../../docs/ui.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	prose, _, _ := strings.Cut(string(text), "\n## Screens\n")
	want := prose + "\n## Screens\n" + tables()
	golden.Equal(t, path, want)
}

func tables() string {
	var b strings.Builder
	b.WriteString("\n| key | command | shows | of one snapshot |\n| --- | --- | --- | --- |\n")
	for _, e := range registry {
		one := "the same"
		switch a := e.alone; {
		case a != nil && a.does != "":
			one = a.does
		case a != nil:
			one = "what a second file would bring"
		}
		fmt.Fprintf(&b, "| %s | `:%s` | %s | %s |\n", e.key, e.name, e.does, one)
	}
	b.WriteString("\n## Commands\n\n| command | does |\n| --- | --- |\n")
	for _, v := range verbs() {
		fmt.Fprintf(&b, "| `:%s` | %s |\n", strings.ReplaceAll(strings.TrimSpace(v.name+" "+v.args), "|", `\|`), v.does)
	}
	b.WriteString("\n## Keys\n\nThe name in front is the one for `keys.yaml`.\n")
	for _, k := range keys.Default {
		if k.Action == "" {
			fmt.Fprintf(&b, "\n### %s\n\n| action | keys | does |\n| --- | --- | --- |\n", k.Label)
			continue
		}
		list := "`" + strings.Join(k.Keys, "` `") + "`"
		if keys.Fixed(k.Action) {
			list = k.Label
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", k.Action, list, k.Does)
	}
	return b.String()
}
