package hostile

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
)

// Record is one that etcd would store.
func Record(main, sub, create, version int64, key string, value []byte) Item {
	kv := &mvccpb.KeyValue{Key: []byte(key), CreateRevision: create, ModRevision: main, Version: version, Value: value}
	return stored(main, sub, kv)
}

// Tombstone is a deletion as etcd would store it.
func Tombstone(main, sub int64, key string) Item {
	it := stored(main, sub, &mvccpb.KeyValue{Key: []byte(key)})
	it.Key = append(it.Key, 't')
	return it
}

func stored(main, sub int64, kv *mvccpb.KeyValue) Item {
	value, err := proto.Marshal(kv)
	if err != nil {
		panic(err) // no such message is made here
	}
	key := binary.BigEndian.AppendUint64(nil, uint64(main))
	return Item{Key: binary.BigEndian.AppendUint64(append(key, '_'), uint64(sub)), Value: value}
}

// Pack puts items into groups that fill a page each.
func Pack(items []Item) (groups [][]Item) {
	room := 0
	for _, it := range items {
		size := elementSize + len(it.Key) + len(it.Value)
		if size > room {
			groups, room = append(groups, nil), PageSize-pageHeader
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], it)
		room -= size
	}
	return groups
}

// Store is a whole file of which the key bucket has these groups of items, a leaf
// page each.
func Store(groups ...[]Item) []byte {
	var f File
	root, _ := f.Tree(groups...)
	return f.Finish(f.Leaf(Bucket("key", root), Inline("meta")), NoFreelist, 0)
}

// Generate makes a file of some dozens of kilobytes from a seed: revisions, sizes,
// pages and keys of it are absurd, each in its own way.
func Generate(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var f File
	groups := Pack(records(r, 1+r.IntN(300)))
	if r.IntN(4) == 0 {
		r.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	}
	root, leaves := f.Tree(groups...)
	for _, items := range Pack(records(r, r.IntN(150))) { // on pages in no bucket
		leaves = append(leaves, f.Leaf(items...))
	}
	switch r.IntN(4) {
	case 0: // all pages span all that follow
		for _, id := range leaves {
			f.Overflow(id, uint32(f.Pages()-id))
		}
	case 1: // and some any number
		for range 10 {
			f.Overflow(leaves[r.IntN(len(leaves))], r.Uint32())
		}
	}
	buckets := []Item{Bucket("key", root), Inline("meta", metaItems(r)...)}
	if r.IntN(8) == 0 {
		for i := range 1200 {
			buckets = append(buckets, Inline(fmt.Sprintf("n%04d", i)))
		}
	}
	list, pages := uint64(NoFreelist), uint64(0)
	if r.IntN(3) == 0 {
		list = f.Freelist(r.Uint64()>>r.IntN(64), r.Uint64()%f.Pages())
		f.Overflow(list, r.Uint32()>>r.IntN(32))
	}
	top := f.Leaf(buckets...)
	if r.IntN(4) == 0 {
		pages = f.Pages() + r.Uint64N(1<<(1+r.IntN(40)))
	}
	return f.Finish(top, list, pages)
}

// metaItems are what a meta bucket holds.
func metaItems(r *rand.Rand) []Item {
	rev := binary.BigEndian.AppendUint64(nil, r.Uint64()>>(1+r.IntN(63)))
	rev = append(rev, "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
	return []Item{
		{Key: []byte("consistent_index"), Value: rev[:8]},
		{Key: []byte("finishedCompactRev"), Value: rev},
		{Key: []byte("scheduledCompactRev"), Value: rev},
	}
}

// records are n of them, most of them in order.
func records(r *rand.Rand, n int) []Item {
	step := []int64{1, 2, 1 << 33, math.MaxInt64 / int64(n+2)}[r.IntN(4)]
	keys := 1 + r.IntN(2*n+1)
	size := []int{0, 10, 300}[r.IntN(3)]
	var items []Item
	main := r.Int64N(1 + step)
	for range n {
		main += 1 + r.Int64N(step)
		rev, sub, create := main, int64(0), main
		switch r.IntN(20) {
		case 0:
			sub = r.Int64N(1 << 32)
		case 1:
			create = r.Int64()
		case 2:
			create = 1
		case 3:
			rev = r.Int64()
		case 4:
			rev = math.MaxInt64 - r.Int64N(2)
		}
		key := fmt.Sprintf("/registry/pods/shop/web-%d", r.IntN(keys))
		it := Record(rev, sub, create, r.Int64N(5), key, make([]byte, r.IntN(size+1)))
		switch r.IntN(40) {
		case 0:
			it.Size = r.IntN(1 << 20)
		case 1:
			it = Tombstone(rev, sub, key)
		case 2:
			it.Value = append(it.Value, 0x38, 1) // a field that etcd does not write
		}
		items = append(items, it)
	}
	if r.IntN(2) == 0 {
		slices.SortFunc(items, func(a, b Item) int { return slices.Compare(a.Key, b.Key) })
	}
	return items
}
