package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestShapes holds the fields that requests are known to have against etcd's own types.
func TestShapes(t *testing.T) {
	checked := map[protoreflect.FullName]bool{} // transactions hold transactions
	var check func(of shape, d protoreflect.MessageDescriptor, most int32)
	check = func(of shape, d protoreflect.MessageDescriptor, most int32) {
		if checked[d.FullName()] {
			return
		}
		checked[d.FullName()] = true
		for num := int32(1); num < most; num++ {
			got, fd := of.field(num), d.Fields().ByNumber(protoreflect.FieldNumber(num))
			kind := "unknown"
			switch {
			case fd == nil:
			case fd.Message() != nil:
				kind = "message"
			case fd.Kind() == protoreflect.BytesKind || fd.Kind() == protoreflect.StringKind:
				kind = "octets"
			default:
				kind = "number"
			}
			said := map[shape]string{unknown: "unknown", number: "number", octets: "octets"}[got]
			if said == "" {
				said = "message"
			}
			if of == internalRequest && num == v2Field {
				kind = "message" // etcd up to 3.6 has it
			}
			if said != kind {
				t.Errorf("field %d of %s is %s, want %s", num, d.Name(), said, kind)
				continue
			}
			if kind == "message" && got != opaque && got != v2Request {
				check(got, fd.Message(), 70)
			}
		}
	}
	check(internalRequest, (&etcdserverpb.InternalRaftRequest{}).ProtoReflect().Descriptor(), 10_000)
	check(alarmMember, (&etcdserverpb.AlarmMember{}).ProtoReflect().Descriptor(), 70)
}

// model is a store whose keys are in a map.
type model struct {
	t    *testing.T
	r    *replay
	keys map[string]*mvccpb.KeyValue
}

func (m *model) do(request *etcdserverpb.InternalRaftRequest) {
	m.t.Helper()
	req, err := parseRequest(marshal(m.t, request))
	if err != nil {
		m.t.Fatal(err)
	}
	if m.r.request(&req); m.r.stopped != nil {
		m.t.Fatal(m.r.stopped)
	}
}

func (m *model) put(key string, value []byte, lease int64) {
	m.do(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: value, Lease: lease}})
	kv := m.keys[key]
	if kv == nil {
		kv = &mvccpb.KeyValue{Key: []byte(key), CreateRevision: m.r.head}
		m.keys[key] = kv
	}
	kv.Value, kv.Lease, kv.ModRevision = value, lease, m.r.head
	kv.Version++
}

func (m *model) delete(key string) {
	m.do(&etcdserverpb.InternalRaftRequest{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte(key)}})
	delete(m.keys, key)
}

// within are the keys of a range, in order.
func (m *model) within(key, end string) (list []*mvccpb.KeyValue) {
	for _, name := range slices.Sorted(maps.Keys(m.keys)) {
		in := name == key
		if end != "" {
			in = name >= key && (name < end || end == "\x00")
		}
		if in {
			list = append(list, m.keys[name])
		}
	}
	return list
}

// holds says what etcd's applyCompare says (server/v3 v3.7 etcdserver/txn/txn.go).
func (m *model) holds(c *etcdserverpb.Compare) bool {
	list := m.within(string(c.Key), string(c.RangeEnd))
	if len(list) == 0 {
		if c.Target == etcdserverpb.Compare_VALUE {
			return false
		}
		list = append(list, &mvccpb.KeyValue{})
	}
	for _, kv := range list {
		var outcome int
		switch c.Target {
		case etcdserverpb.Compare_VALUE:
			outcome = bytes.Compare(kv.Value, c.GetValue())
		case etcdserverpb.Compare_CREATE:
			outcome = cmp.Compare(kv.CreateRevision, c.GetCreateRevision())
		case etcdserverpb.Compare_MOD:
			outcome = cmp.Compare(kv.ModRevision, c.GetModRevision())
		case etcdserverpb.Compare_VERSION:
			outcome = cmp.Compare(kv.Version, c.GetVersion())
		case etcdserverpb.Compare_LEASE:
			outcome = cmp.Compare(kv.Lease, c.GetLease())
		}
		if wanted := map[etcdserverpb.Compare_CompareResult]bool{
			etcdserverpb.Compare_EQUAL: outcome == 0, etcdserverpb.Compare_NOT_EQUAL: outcome != 0,
			etcdserverpb.Compare_GREATER: outcome > 0, etcdserverpb.Compare_LESS: outcome < 0,
		}; !wanted[c.Result] {
			return false
		}
	}
	return true
}

// TestConditions holds what is said of conditions on ranges against a model, while the
// store changes: the same condition is asked for so often that blocks of keys are sorted.
func TestConditions(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 7))
		m := &model{t: t, keys: map[string]*mvccpb.KeyValue{}}
		size := []int{3, 40, 400}[seed%3]
		name := func() string { return fmt.Sprintf("/k/%03d", random.IntN(size)) }
		common := strings.Repeat("in common ", []int{0, 1, 40}[seed%3]) // the last one is longer than what is remembered of it
		value := func() []byte {
			text := []byte(common + []string{"", "a", "ab", "abcdefgh", "abcdefghi", "abcdefghj", "b", strings.Repeat("long ", 60) + "1", strings.Repeat("long ", 60) + "2"}[random.IntN(9)])
			switch random.IntN(12) {
			case 0:
				return text[:len(text)/2]
			case 1:
				return append(text, 0)
			}
			return text
		}
		var db []written
		for i := range size {
			if random.IntN(3) > 0 {
				key, main := fmt.Sprintf("/k/%03d", i), int64(len(db)+2)
				kv := &mvccpb.KeyValue{Key: []byte(key), Value: value(), CreateRevision: main, ModRevision: main, Version: 1}
				m.keys[key] = kv
				db = append(db, written{Revision{Main: main}, key, string(kv.Value), main, 1})
			}
		}
		s, err := OpenBytes(t.Context(), "base", storeOf(t, 0, db...), Options{SkipHashCheck: true})
		if err != nil {
			t.Fatal(err)
		}
		m.r = newReplay(t.Context(), s)
		for id := range int64(3) {
			m.do(&etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id + 1, TTL: 60}})
		}
		for range 80 {
			key, end := name(), ""
			switch random.IntN(6) {
			case 0:
				end = name()
			case 1, 2:
				key, end = "/k/", "/l"
			case 3:
				end = "\x00"
			case 4:
				key, end = "\x00", "\x00"
			}
			if random.IntN(20) == 0 {
				key = "/nowhere"
			}
			c := &etcdserverpb.Compare{Key: []byte(key), RangeEnd: []byte(end), Result: etcdserverpb.Compare_CompareResult(random.IntN(4)), Target: etcdserverpb.Compare_CompareTarget(random.IntN(5))}
			kv := &mvccpb.KeyValue{Value: value()}
			if list := m.within(key, end); len(list) > 0 {
				kv = list[random.IntN(len(list))]
				if random.IntN(2) == 0 { // the least one, or the largest
					kv = slices.MaxFunc(list, func(a, b *mvccpb.KeyValue) int { return bytes.Compare(a.Value, b.Value) })
				}
			}
			by := int64(random.IntN(3) - 1)
			switch c.Target {
			case etcdserverpb.Compare_VALUE:
				of := kv.Value
				switch random.IntN(4) {
				case 0:
					of = append(slices.Clip(of), 0)
				case 1:
					of = of[:max(len(of)-1, 0)]
				case 2:
					of = value()
				}
				c.TargetUnion = &etcdserverpb.Compare_Value{Value: of}
			case etcdserverpb.Compare_CREATE:
				c.TargetUnion = &etcdserverpb.Compare_CreateRevision{CreateRevision: kv.CreateRevision + by}
			case etcdserverpb.Compare_MOD:
				c.TargetUnion = &etcdserverpb.Compare_ModRevision{ModRevision: kv.ModRevision + by}
			case etcdserverpb.Compare_VERSION:
				c.TargetUnion = &etcdserverpb.Compare_Version{Version: kv.Version + by}
			case etcdserverpb.Compare_LEASE:
				c.TargetUnion = &etcdserverpb.Compare_Lease{Lease: kv.Lease + by}
			}
			want, parsed := m.holds(c), parseCompare(marshal(t, c))
			for n := range enoughScans + 2 {
				if got := m.r.compare(&parsed); got != want {
					t.Fatalf("seed %d: %v holds: %t, when it is asked for the %d. time", seed, c, got, n+1)
				}
			}
			for range random.IntN(4) {
				if random.IntN(3) == 0 {
					m.delete(name())
				} else {
					m.put(name(), value(), int64(random.IntN(4)))
				}
			}
		}
		for lease := range int64(3) {
			m.do(&etcdserverpb.InternalRaftRequest{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: lease + 1}})
			maps.DeleteFunc(m.keys, func(_ string, kv *mvccpb.KeyValue) bool { return kv.Lease == lease+1 })
		}
		var left []string
		for _, b := range m.r.live.blocks {
			for _, k := range b.keys {
				left = append(left, m.r.name(k.number))
			}
		}
		if want := slices.Sorted(maps.Keys(m.keys)); !slices.Equal(left, want) {
			t.Errorf("seed %d: of the keys without a lease %d are left, want %d", seed, len(left), len(want))
		}
		s.Close()
	}
}

// TestLiveKeys holds the keys in blocks against a sorted list of them, while they come and
// go.
func TestLiveKeys(t *testing.T) {
	const size = 700
	name := func(n uint32) string { return fmt.Sprintf("%03d", n) }
	for seed, filled := range []int{0, 1, liveBlockSize, liveBlockSize + 1, size} {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		l := &liveKeys{name: name}
		want := map[string]liveKey{}
		var keys []liveKey
		for i := range uint32(filled) {
			keys = append(keys, liveKey{number: i})
			want[name(i)] = liveKey{number: i}
		}
		l.fill(keys)
		bounds := func() (key, end string) {
			key, end = name(uint32(random.IntN(size))), ""
			switch random.IntN(5) {
			case 0, 1:
				end = name(uint32(random.IntN(size)))
			case 2:
				end = "\x00"
			}
			return key, end
		}
		in := func(name, key, end string) bool {
			return name == key && end == "" || end != "" && name >= key && (name < end || end == "\x00")
		}
		for step := range 3000 {
			n := uint32(random.IntN(size))
			switch k, key, end := (liveKey{n, uint32(step + 1)}), "", ""; random.IntN(30) {
			case 0:
				if key, end = bounds(); end == "\x00" && random.IntN(8) > 0 {
					break
				}
				l.cut(l.bounds([]byte(key), []byte(end)))
				maps.DeleteFunc(want, func(name string, _ liveKey) bool { return in(name, key, end) })
			case 1, 2, 3:
				l.remove(name(n))
				delete(want, name(n))
			default:
				l.set(name(n), k)
				want[name(n)] = k
			}
			if got, ok := l.get(name(n)); got != want[name(n)] || ok != (want[name(n)] != liveKey{}) {
				t.Fatalf("seed %d, step %d: %s is %v, %t", seed, step, name(n), got, ok)
			}
			if step%10 > 0 {
				continue
			}
			key, end := bounds()
			if step%100 == 0 {
				key, end = "", "\x00"
			}
			var got, expected []liveKey
			for b, keys := range l.parts(l.bounds([]byte(key), []byte(end))) {
				if len(keys) == 0 || len(b.keys) >= 2*liveBlockSize {
					t.Fatalf("seed %d, step %d: %d keys of a block of %d", seed, step, len(keys), len(b.keys))
				}
				got = append(got, keys...)
			}
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if in(name, key, end) {
					expected = append(expected, want[name])
				}
			}
			if !slices.Equal(got, expected) {
				t.Fatalf("seed %d, step %d: from %q to %q are %v, want %v", seed, step, key, end, got, expected)
			}
		}
	}
}

// TestOverlayRecords reads every part of records that a log adds, wherever their values
// are, and holds it against what etcd would store.
func TestOverlayRecords(t *testing.T) {
	const stored = "a value of the db that is as long as it takes"
	data := storeOf(t, 0, written{Revision{Main: 2}, "/a", stored, 2, 1})
	s, err := OpenBytes(t.Context(), "base", data, Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	spill, err := os.Create(filepath.Join(t.TempDir(), "spill"))
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	if _, err := spill.WriteString("first" + "of the spill"); err != nil {
		t.Fatal(err)
	}
	names := []string{"/a", "", strings.Repeat("/long", 40)}
	o := &overlay{pages: s.pages, spill: spill, name: func(n uint32) string { return names[n] }}
	inDB := valueRef{offset: int64(bytes.Index(data, []byte(stored))), size: len(stored)}
	for _, tt := range []struct {
		c     change
		value string
	}{
		{change{create: 2, version: 1, value: valueRef{bytes: []byte("of the log")}}, "of the log"},
		{change{create: 2, version: 300, lease: 7, value: inDB}, stored},
		{change{create: 2, version: 3, value: valueRef{offset: -1, size: 5}}, "first"},
		{change{key: 2, create: 2, version: 4, lease: 1 << 40, value: valueRef{offset: -6, size: 12}}, "of the spill"},
		{change{create: 2, version: 5}, ""},
		{change{create: 2, version: 6, lease: -1}, ""},
		{change{key: 1, create: 2, version: 1, value: valueRef{bytes: []byte("without a key")}}, "without a key"},
		{change{key: 2, tombstone: true}, ""},
	} {
		kv := &mvccpb.KeyValue{Key: []byte(names[tt.c.key])}
		tt.c.rev = Revision{Main: int64(len(o.changes)) + 3}
		if !tt.c.tombstone {
			kv.CreateRevision, kv.ModRevision, kv.Version, kv.Lease, kv.Value = tt.c.create, tt.c.rev.Main, tt.c.version, tt.c.lease, []byte(tt.value)
		}
		want := marshal(t, kv)
		if n := len(o.changes); n > 0 {
			tt.c.offset = o.changes[n-1].offset + int64(o.changes[n-1].size)
		}
		tt.c.size = uint32(len(want))
		o.changes = append(o.changes, tt.c)
		for from := range want {
			for to := from + 1; to <= len(want); to++ {
				got := make([]byte, to-from)
				if err := o.readAt(got, tt.c.offset+int64(from)); err != nil || !bytes.Equal(got, want[from:to]) {
					t.Fatalf("%v from %d to %d: %q, %v; want %q", kv, from, to, got, err, want[from:to])
				}
			}
		}
	}
}
