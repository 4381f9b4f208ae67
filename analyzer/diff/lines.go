package diff

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Op says what became of a line.
type Op byte

// What becomes of lines. A replaced one has a text on either side.
const (
	Kept     Op = ' '
	Out      Op = '-'
	In       Op = '+'
	Replaced Op = '~'
	Folded   Op = '.' // stands for lines that were kept and are not shown
)

// Line is a line of what a field was and is, as people read it. A unified view shows
// one side after the other, or both of a line below one another; a view side by side
// shows the two in columns.
type Line struct {
	Op            Op
	Before, After string // of evidence, as it is; no line breaks
	Count         int    // how many lines a folded one stands for
}

// maxTable bounds the work of matching lines: what is larger counts as replaced.
const maxTable = 1 << 20

// Lines tells the change line by line: objects and lists are outlined as in YAML, and
// texts of several lines, such as files in a ConfigMap, are taken apart. context is how
// many lines around those that differ are kept; more are folded.
func (c *Change) Lines(context int) []Line {
	return fold(match(outlined(c.Before), outlined(c.After)), context)
}

// outlined is a value of JSON in lines, none for one that is not there.
func outlined(value string) []string {
	v, err := parse([]byte(value))
	if err != nil {
		return []string{value} // it was no JSON, as what stands for bytes is not
	}
	switch v := v.(type) {
	case missing:
		return nil
	case string:
		if strings.Contains(strings.TrimSuffix(v, "\n"), "\n") {
			return strings.Split(v, "\n")
		}
		return []string{value}
	}
	return outline(v, 0)
}

// outline writes a value as YAML would. It is for reading alone: texts are quoted as
// in JSON, so that no two values look alike.
func outline(v any, depth int) []string {
	var lines []string
	put := func(lead string, v any) {
		rest := outline(v, depth+1)
		switch {
		case block(v) && lead == "- ":
			for i, line := range rest {
				if i == 0 {
					lines = append(lines, lead+line)
					continue
				}
				lines = append(lines, "  "+line)
			}
		case block(v):
			lines = append(lines, strings.TrimRight(lead, " "))
			for _, line := range rest {
				lines = append(lines, "  "+line)
			}
		default:
			lines = append(lines, lead+rest[0])
		}
	}
	if depth < maxDepth {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				put(plain(name)+": ", v[name])
			}
		case []any:
			for _, item := range v {
				put("- ", item)
			}
		}
	}
	if len(lines) == 0 {
		return []string{text(v)}
	}
	return lines
}

// block says whether a value takes lines of its own.
func block(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

// plain is a name as it is, or quoted where it would be misread.
func plain(name string) string {
	if name == "" || strings.ContainsAny(name, ":#\"'{}[]\n\t ") {
		b, _ := json.Marshal(name)
		return string(b)
	}
	return name
}

// match finds the lines that two texts have in common, in order, and pairs up what
// is left between them.
func match(before, after []string) []Line {
	var head, tail []Line
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		head = append(head, Line{Op: Kept, Before: before[0], After: after[0]})
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		last := before[len(before)-1]
		tail = append(tail, Line{Op: Kept, Before: last, After: last})
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	slices.Reverse(tail)
	return slices.Concat(head, between(before, after), tail)
}

// between matches by the longest common subsequence, as far as that is worth it.
func between(before, after []string) []Line {
	n, m := len(before), len(after)
	if n*m == 0 || n*m > maxTable {
		return pairUp(nil, before, after)
	}
	longest := make([][]int32, n+1) // of what follows i and j
	for i := range longest {
		longest[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if before[i] == after[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var lines []Line
	i, j, fromI, fromJ := 0, 0, 0, 0
	for i < n && j < m {
		switch {
		case before[i] == after[j]:
			lines = append(pairUp(lines, before[fromI:i], after[fromJ:j]), Line{Op: Kept, Before: before[i], After: after[j]})
			i, j = i+1, j+1
			fromI, fromJ = i, j
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairUp(lines, before[fromI:], after[fromJ:])
}

// pairUp puts lines that have nothing in common next to each other.
func pairUp(lines []Line, before, after []string) []Line {
	for i := range max(len(before), len(after)) {
		switch {
		case i >= len(after):
			lines = append(lines, Line{Op: Out, Before: before[i]})
		case i >= len(before):
			lines = append(lines, Line{Op: In, After: after[i]})
		default:
			lines = append(lines, Line{Op: Replaced, Before: before[i], After: after[i]})
		}
	}
	return lines
}

// fold replaces kept lines that are far from any that differ.
func fold(lines []Line, context int) []Line {
	near := make([]bool, len(lines))
	for i := range lines {
		if lines[i].Op != Kept {
			for k := max(i-context, 0); k <= min(i+context, len(lines)-1); k++ {
				near[k] = true
			}
		}
	}
	var kept []Line
	for i := 0; i < len(lines); {
		if near[i] {
			kept = append(kept, lines[i])
			i++
			continue
		}
		from := i
		for i < len(lines) && !near[i] {
			i++
		}
		kept = append(kept, Line{Op: Folded, Count: i - from})
	}
	return kept
}

func (o Op) String() string { return fmt.Sprintf("%c", byte(o)) }
