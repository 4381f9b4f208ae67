package snapshot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSortedOrder holds the order against that of slices.Sort, for keys that
// share beginnings, end within a word, and hold zeros.
func TestSortedOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{"": true}
	keys := []string{""}
	for len(keys) < 20_000 {
		key := fmt.Sprintf("/registry/%s/ns-%d/name-%d", []string{"pods", "leases", "events"}[r.IntN(3)], r.IntN(5), r.IntN(9000))
		switch r.IntN(4) {
		case 0:
			key = key[:r.IntN(len(key))]
		case 1:
			key += strings.Repeat("\x00", r.IntN(10))
		}
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	var got []string
	for _, n := range sortedOrder(keys) {
		got = append(got, keys[n])
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(keys)), got); diff != "" {
		t.Errorf("order differs (-slices.Sort +sortedOrder):\n%s", diff)
	}
}

// TestInternerConcurrent wants every goroutine to get the same number for a
// key, and the key by its number.
func TestInternerConcurrent(t *testing.T) {
	const workers, distinct = 8, 30_000
	n := newInterner()
	numbers := make([]map[string]uint32, workers)
	var wg sync.WaitGroup
	for w := range workers {
		numbers[w] = map[string]uint32{}
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range 3 * distinct {
				key := fmt.Appendf(nil, "/registry/pods/%d", r.IntN(distinct))
				numbers[w][string(key)] = n.number(key, n.hash(key))
			}
		})
	}
	wg.Wait()
	keys := n.keys()
	for w := range workers {
		for key, number := range numbers[w] {
			if keys[number] != key {
				t.Fatalf("worker %d has number %d for %q, which is that of %q", w, number, key, keys[number])
			}
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(keys)))) != len(keys) {
		t.Error("a key has two numbers")
	}
}

// TestInternerFull fills a chunk to its last byte, and has keys that are as long as one or
// longer.
func TestInternerFull(t *testing.T) {
	n, longer := newInterner(), make([]byte, 2*chunkSize)
	var want []string
	add := func(key string) {
		t.Helper()
		k := []byte(key)
		hash := n.hash(k)
		if number := n.number(k, hash); int(number) != len(want) {
			t.Fatalf("number %d, not %d", number, len(want))
		}
		want = append(want, key)
		slot := n.table.Load().touchSlot(hash)
		n.touchEntry(slot, k)
		n.touchEntry(slot, longer) // one that has the same slot
		for i, key := range want[max(0, len(want)-3):] {
			k := []byte(key)
			if number, ok := n.find(k, n.hash(k)); !ok || int(number) != max(0, len(want)-3)+i {
				t.Fatalf("key %d is %d, %t", i, number, ok)
			}
		}
		if len(want)%1000 > 1 && len(want) < chunkSize/32 {
			return
		}
		if got := n.keys(); !slices.Equal(got, want) {
			t.Fatalf("%d keys of %d", len(got), len(want))
		}
	}
	for i := range chunkSize/32 + 1 { // entries of 32 bytes, and one in the next chunk
		add(fmt.Sprintf("/registry/pods/%09d", i))
	}
	add(strings.Repeat("x", chunkSize-entryHead))
	add(strings.Repeat("y", chunkSize))
	add("")
	add("z")
}
