package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestCompareAgain asks a condition of a range, whose keys are sorted by what it looks at
// once that was asked for often: the answer is the one that each key by itself gives.
func TestCompareAgain(t *testing.T) {
	type key struct {
		version, create, mod int64
		value                string
	}
	long := strings.Repeat("long ", maxCommon)
	for _, values := range [][]string{
		{"one"},
		{"value 11", "value 10", "value 1", "value 12 and more"},
		{long + "b", long + "a", long, long + "c"},
		{"value", "other", "", "\xff", "other " + long, "value 1"},
	} {
		var records []written
		var keys []key
		rev := int64(firstRevision)
		for i, value := range values {
			create := rev
			for version := int64(1); version <= int64(i%3+1); version++ {
				records = append(records, written{Revision{Main: rev}, fmt.Sprint("/k/", i), value, create, version})
				rev++
			}
			keys = append(keys, key{int64(i%3 + 1), create, rev - 1, value})
		}
		s, err := OpenBytes(t.Context(), "snapshot.db", storeOf(t, 0, records...), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r := newReplay(t.Context(), s)
		for target := int32(targetVersion); target <= targetLease; target++ {
			var wanted []compare
			if target == targetValue {
				for _, v := range append(slices.Clip(values), "value 1 ", "value 13", "w", "\xff\xff", long+"aa", long[:maxCommon]) {
					wanted = append(wanted, compare{value: []byte(v)})
				}
			} else {
				for number := range rev + 1 {
					wanted = append(wanted, compare{number: number})
				}
			}
			for _, c := range wanted {
				for _, c.result = range []int32{equal, greater, less, notEqual} {
					c.key, c.end, c.target = []byte("/k/"), []byte("/l"), target
					want := true
					for _, k := range keys {
						outcome := bytes.Compare([]byte(k.value), c.value)
						if target != targetValue {
							outcome = cmp.Compare([...]int64{targetVersion: k.version, targetCreate: k.create, targetMod: k.mod, targetLease: 0}[target], c.number)
						}
						want = want && holds(c.result, outcome)
					}
					for again := range enoughScans + 2 {
						if r.compare(&c) != want {
							t.Errorf("%.20q: asked for the %d. time, target %d, result %d, number %d, value %.20q: not %v", values, again+1, target, c.result, c.number, c.value, want)
						}
					}
				}
			}
		}
	}
}
