package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// together writes a file with all of its mutants in it, each behind a switch of its number,
// so that one build serves them all. Lines keep their numbers, for the compiler's errors.
func together(path string, source []byte, list []mutant) []byte {
	byRange := map[[2]int][]mutant{}
	for _, m := range list {
		byRange[m.whole] = append(byRange[m.whole], m)
	}
	var ranges [][2]int
	for r := range byRange {
		ranges = append(ranges, r)
	}
	slices.SortFunc(ranges, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], b[1]-a[1]) })
	w := &writer{path: path, source: source, ranges: ranges, mutants: byRange, breaks: []int{0}}
	for i, c := range source {
		if c == '\n' {
			w.breaks = append(w.breaks, i+1)
		}
	}
	return []byte("//line " + path + ":1\n" + w.between(0, len(source)))
}

type writer struct {
	path    string
	source  []byte
	ranges  [][2]int // of mutants, outer ones first; those before next are written
	next    int
	mutants map[[2]int][]mutant
	breaks  []int // where each line begins
}

// between writes source[from:to] with the mutants that lie in it.
func (w *writer) between(from, to int) string {
	var b strings.Builder
	for w.next < len(w.ranges) && w.ranges[w.next][1] <= to {
		r := w.ranges[w.next]
		w.next++
		b.Write(w.source[from:r[0]])
		b.WriteString(w.choice(w.mutants[r], r))
		from = r[1]
	}
	b.Write(w.source[from:to])
	return b.String()
}

// choice writes an expression that is one of the mutants', or else what stands there.
func (w *writer) choice(list []mutant, r [2]int) string {
	unchanged := w.at(r[0]) + w.between(r[0], r[1])
	var b strings.Builder
	for _, m := range list {
		switch m.form {
		case less:
			return fmt.Sprintf("mutantLess(%d, %s)%s", m.number, unchanged, w.at(r[1]))
		case more:
			return fmt.Sprintf("mutantMore(%d, %s)%s", m.number, unchanged, w.at(r[1]))
		case bound:
			return strings.Replace(unchanged, m.from+"(", fmt.Sprintf("mutant_%s(%d, ", m.from, m.number), 1) + w.at(r[1])
		}
		fmt.Fprintf(&b, "mutantIs(%d) && (%s) || ", m.number, m.instead)
	}
	for _, m := range list {
		fmt.Fprintf(&b, "mutantIsNot(%d) && ", m.number)
	}
	return "(" + b.String() + "(" + unchanged + "))" + w.at(r[1])
}

// at is a comment that tells the compiler which place of the file follows.
func (w *writer) at(offset int) string {
	line, found := slices.BinarySearch(w.breaks, offset)
	if !found {
		line--
	}
	return fmt.Sprintf("/*line %s:%d:%d*/", w.path, line+1, offset-w.breaks[line]+1)
}

// switches is the file that goes with those of a package: which mutant is on, and where
// to note which were reached. Both come as directories of PATH, which a process passes on to
// those it starts, even where it clears its environment but for that.
const switches = `package %s

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

var mutantOn, mutantReached = mutantSet()

type mutantNotes struct {
	file *os.File
	seen [%d]atomic.Bool
}

func mutantSet() (on int, notes *mutantNotes) {
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		if number, ok := strings.CutPrefix(dir, "/mutant/on/"); ok {
			on, _ = strconv.Atoi(number)
		}
		if path, ok := strings.CutPrefix(dir, "/mutant/reached/"); ok {
			if f, err := os.OpenFile("/"+path, os.O_APPEND|os.O_WRONLY, 0); err == nil {
				notes = &mutantNotes{file: f}
			}
		}
	}
	return on, notes
}

func mutantIs(number int) bool {
	if mutantReached != nil && !mutantReached.seen[number].Swap(true) {
		mutantReached.file.WriteString(strconv.Itoa(number) + "\n")
	}
	return mutantOn == number
}

func mutantIsNot(number int) bool { return mutantOn != number }

type mutantNumber interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

func mutantLess[T mutantNumber](number int, v T) T {
	if mutantIs(number) {
		return v - 1
	}
	return v
}

func mutantMore[T mutantNumber](number int, v T) T {
	if mutantIs(number) {
		return v + 1
	}
	return v
}

func mutant_min[T cmp.Ordered](number int, v T, more ...T) T {
	most := mutantIs(number)
	for _, m := range more {
		if most {
			v = max(v, m)
		} else {
			v = min(v, m)
		}
	}
	return v
}

func mutant_max[T cmp.Ordered](number int, v T, more ...T) T {
	least := mutantIs(number)
	for _, m := range more {
		if least {
			v = min(v, m)
		} else {
			v = max(v, m)
		}
	}
	return v
}
`
