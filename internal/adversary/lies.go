package adversary

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// lies are about one record of the file, which is a filler above the compact revision.
// Each says whether etcd could have written what comes of it.
var lies = []struct {
	name string
	tell func(*maker, *file, int)
}{
	{"a record is missing", func(m *maker, f *file, i int) {
		f.records = slices.Delete(f.records, i, i+1)
		f.damaged("record %d is missing", i)
		f.Missing = true
	}},
	{"records are missing", func(m *maker, f *file, i int) {
		n := min(1+m.IntN(30), len(f.records)-1-i)
		if slices.ContainsFunc(f.records[i:i+n], func(r record) bool { return !r.filler }) {
			n = 1
		}
		f.records = slices.Delete(f.records, i, i+n)
		f.damaged("%d records are missing", n)
		f.Missing = true
	}},
	{"the newest revision is 2^63-1", func(m *maker, f *file, i int) {
		f.add(m, math.MaxInt64, 0)
		f.damaged("revisions up to 2^63-1 are missing")
		f.Missing = true
	}},
	{"the newest revision is 2^63-2 and a half", func(m *maker, f *file, i int) {
		f.add(m, math.MaxInt64-1, 1)
		f.damaged("revisions up to 2^63-2 are missing")
		f.Missing = true
	}},
	{"revisions lie apart", func(m *maker, f *file, i int) {
		step := one[int64](m, 2, 1000, 1<<20, 1<<31, 1<<32, 1<<33, 1<<47, 1<<52)
		moved := map[int64]int64{}
		for j := range f.records[i:] {
			r := &f.records[i+j]
			to := r.main + step*int64(j+1)
			moved[r.main] = to
			if at, ok := moved[r.create]; ok {
				r.create = at
			}
			if r.mod != 0 {
				r.mod = to
			}
			r.main = to
		}
		f.damaged(revisionsApart)
		f.Missing = true
	}},
	{"a negative revision", func(m *maker, f *file, i int) {
		f.add(m, one[int64](m, -1, math.MinInt64, math.MinInt64+1, -1<<32), 0)
		f.damaged("a revision is negative")
	}},
	{"revision zero or one", func(m *maker, f *file, i int) {
		f.add(m, int64(m.IntN(2)), one[int64](m, 0, 1, 7))
		f.Sound = false
	}},
	{"a sub that is absurd", func(m *maker, f *file, i int) {
		f.add(m, f.records[i].main, one[int64](m, 2, 1<<31, 1<<32, 1<<32+1, 1<<48, math.MaxInt64, -1, math.MinInt64))
		f.damaged(absurdSub)
	}},
	{"one key twice in a transaction", func(m *maker, f *file, i int) {
		again := f.records[i]
		again.sub, again.version = 1, again.version+1
		f.records = slices.Insert(f.records, i+1, again)
		for j := i + 2; j < len(f.records) && f.records[j].key == again.key && !f.records[j].tombstone; j++ {
			f.records[j].version++
		}
		f.Sound = false
	}},
	{"a create revision is a lie", func(m *maker, f *file, i int) {
		r := &f.records[i]
		r.create = one(m, r.create+1, r.create-1, r.main+1, 0, -1, math.MaxInt64, math.MinInt64, r.create+1<<32, r.create+1<<48)
		f.damaged("the create revision of %d is a lie", r.main)
	}},
	{"a version is a lie", func(m *maker, f *file, i int) {
		r := &f.records[i]
		r.version = one(m, r.version+1, 0, -1, math.MaxInt64, math.MinInt64, r.version+1<<32, r.version-1<<32, r.version+1<<31, math.MaxUint32)
		f.damaged("the version of %d is a lie", r.main)
	}},
	{"a mod revision is a lie", func(m *maker, f *file, i int) {
		r := &f.records[i]
		r.mod = one(m, r.mod+1, r.mod-1, 0, -1, math.MaxInt64, r.mod+1<<32, r.mod+1<<48)
		f.damaged("the mod revision of %d is a lie", r.main)
	}},
	{"another key", func(m *maker, f *file, i int) {
		r := &f.records[i]
		more := one(m, "x", "\x00", "/", m.word())
		r.key += more
		if more != "" && r.version > 1 { // what is its first version may be of any key
			f.damaged("the key of %d is another", r.main)
		}
		f.Sound = false
	}},
	{"a deletion of nothing", func(m *maker, f *file, i int) {
		r := &f.records[i]
		r.tombstone, r.key, r.create, r.mod, r.version, r.value = true, "/registry/configmaps/default/never-was", 0, 0, 0, nil
		f.damaged(ofNothing)
	}},
	{"a deletion with a value", func(m *maker, f *file, i int) {
		f.records[i].tombstone = true
		f.damaged("%d is a deletion with a value", f.records[i].main)
	}},
	{"an empty record", func(m *maker, f *file, i int) {
		f.records[i].raw = []byte{}
		f.damaged("%d is empty", f.records[i].main)
	}},
	{"a record that does not parse", func(m *maker, f *file, i int) {
		f.records[i].raw = one(m, []byte{0xff}, []byte("\x0a\xff\xff\xff\xff\x0f"), bytes.Repeat([]byte{0x0b}, 10_000), []byte("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7fx"), []byte(strings.Repeat("\x5b", 9)), []byte{0})
		f.damaged("%d does not parse", f.records[i].main)
	}},
	{"fields that etcd does not have", func(m *maker, f *file, i int) {
		r := &f.records[i]
		r.extra = protowire.AppendBytes(protowire.AppendTag(nil, 536870911, protowire.BytesType), make([]byte, 100))
		f.Sound = false
	}},
	{"fields twice", func(m *maker, f *file, i int) {
		r := &f.records[i]
		r.extra = one(m,
			protowire.AppendVarint([]byte{2 << 3}, uint64(r.create+1)), protowire.AppendVarint([]byte{3 << 3}, math.MaxUint64),
			protowire.AppendVarint([]byte{4 << 3}, uint64(r.version)+7))
		f.damaged("a field of %d is there twice and the last one is a lie", r.main)
	}},
	{"a key of no revision", func(m *maker, f *file, i int) {
		f.records = append(f.records, record{name: one(m, []byte("x"), make([]byte, 16), append(revisionBytes(5), 'x'), append(revisionBytes(5), "tt"...), bytes.Repeat([]byte{1}, 1+m.IntN(30_000)), []byte("\x1b[2J"+Mark)), raw: f.records[i].stored()})
		f.Sound = false
	}},
	{"a bucket in the bucket", func(m *maker, f *file, i int) {
		f.put("key", []byte(one(m, "pwned\x1b", string(revisionBytes(f.records[i].main+1<<40)))), nil)
		f.Sound = false
	}},
	{"an absurd lease", func(m *maker, f *file, i int) {
		f.records[i].lease = one[int64](m, -1, math.MinInt64, math.MaxInt64, 0x694d5)
	}},
	{"a bump marker", func(m *maker, f *file, i int) {
		head := f.records[len(f.records)-1].main
		to := head + one[int64](m, 1, 1000, 1_000_000_000, 1<<52)
		f.records = append(f.records, record{main: to, raw: []byte{}})
		f.put("meta", []byte("scheduledCompactRev"), revisionBytes(to))
		f.compact = to
		if slices.ContainsFunc([]string{"records are missing", "revisions up to", "the key of", "is empty"}, func(claim string) bool { return strings.Contains(f.Damaged, claim) }) {
			f.Damaged, f.Missing = "", false // the compaction may have removed it, and an empty record below it is an older marker
		}
		f.Sound = false
	}},
	{"a bump marker without its compaction", func(m *maker, f *file, i int) {
		f.records = append(f.records, record{main: f.records[len(f.records)-1].main + 1000, raw: []byte{}})
		f.damaged(uncompacted)
	}},
}

// add adds a put of a key of its own.
func (f *file) add(m *maker, main, sub int64) {
	f.records = append(f.records, record{main: main, sub: sub, key: "/registry/configmaps/default/" + m.name(), create: main, mod: main, version: 1, value: []byte("{}")})
}

// lie tells a lie about a record.
func (m *maker) lie(f *file) {
	i := m.fillerAt(f)
	if i < 0 {
		return
	}
	l := lies[m.IntN(len(lies))]
	m.note("%s: %s", f.Path, l.name)
	l.tell(m, f, i)
}

// lieInBuckets changes another bucket than key, or the trailer.
func (m *maker) lieInBuckets(f *file) {
	head := m.history.revision
	odd := func(key string) {
		f.put("meta", []byte(key), make([]byte, one(m, 0, 1, 3, 7, 9, 16, 18, 19, 4096)))
		f.Sound = false
	}
	switch m.IntN(18) {
	case 0:
		m.note("%s: the trailer is wrong", f.Path)
		f.trailer = wrongTrailer
		f.damaged(wrongSum)
	case 1:
		m.note("%s: no trailer", f.Path)
		f.trailer = noTrailer
		f.undone(wrongSum)
	case 2:
		key := one(m, "consistent_index", "term", "confState", "scheduledCompactRev", "finishedCompactRev", "storageVersion")
		m.note("%s: %s of a wrong length", f.Path, key)
		odd(key)
	case 3:
		to := one[int64](m, head+1, head+1000, math.MaxInt64, math.MaxInt64-1, 1<<52)
		m.note("%s: compacted to %d, at %d", f.Path, to, head)
		f.put("meta", []byte("scheduledCompactRev"), revisionBytes(to))
		f.Sound = false
	case 4:
		to := one[int64](m, -1, math.MinInt64, -1<<40)
		m.note("%s: compacted to %d", f.Path, to)
		f.put("meta", []byte("scheduledCompactRev"), revisionBytes(to))
		f.Sound = false
	case 5:
		m.note("%s: a compaction that finished before it was scheduled", f.Path)
		f.put("meta", []byte("scheduledCompactRev"), revisionBytes(3))
		f.put("meta", []byte("finishedCompactRev"), revisionBytes(head-1))
		f.damaged(unscheduled)
	case 6:
		m.note("%s: absurd members", f.Path)
		f.buckets["members"] = nil
		for i := range one(m, 0, 1, 2, 100, 1000) {
			f.put("members", fmt.Appendf(nil, "%016x", i), m.member(i))
		}
		f.Sound = false
	case 7:
		m.note("%s: members by odd ids", f.Path)
		for _, id := range []string{"x", "706535FB64EF728F", "ffffffffffffffffff", m.word() + "x", "0"} {
			f.put("members", []byte(id), m.member(1))
		}
		f.Sound = false
	case 8, 9:
		m.note("%s: absurd leases", f.Path)
		for i := range one(m, 1, 5, 500) {
			id := one(m, int64(i), -int64(i)-1, math.MaxInt64-int64(i), math.MinInt64+int64(i))
			value := protowire.AppendVarint([]byte{1 << 3}, uint64(one(m, id, id+1)))
			value = protowire.AppendVarint(append(value, 2<<3), uint64(one[int64](m, -1, 0, math.MinInt64, math.MaxInt64, 60)))
			f.put("lease", binary.BigEndian.AppendUint64(nil, uint64(id)), one(m, value, value, []byte{0xff}, []byte(m.name())))
		}
		f.put("lease", []byte(one(m, "x", "pwned\x1b[2J", "123456789")), []byte("x"))
		f.Sound = false
	case 10:
		m.note("%s: absurd alarms", f.Path)
		for range 1 + m.IntN(5) {
			f.put("alarm", []byte(one(m, "x"+m.word(), "\x08\x01\x10\x01", "\x08\x01\x10\x02", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x7f")), []byte{})
		}
		f.Sound = false
	case 11:
		m.note("%s: versions that are none", f.Path)
		f.put("meta", []byte("storageVersion"), []byte("x"+m.word()))
		f.put("cluster", []byte("clusterVersion"), []byte(one(m, "3.6.0\x1b]52;c;x\a", "99.99.99", "-1.0", m.word()+"x")))
		f.put("cluster", []byte("downgrade"), []byte(m.name()))
		f.Sound = false
	case 12:
		m.note("%s: more buckets", f.Path)
		for range 1 + m.IntN(20) {
			f.put(m.name(), []byte(m.name())[:1], []byte(m.word()+"x"))
		}
		f.Sound = false
	case 13:
		m.note("%s: buckets are missing", f.Path)
		for _, name := range []string{"alarm", "auth", "cluster", "lease", "members", "meta", "authUsers"} {
			if m.odds(2) {
				delete(f.buckets, name)
			}
		}
		if f.buckets["meta"] == nil {
			f.undone(unscheduled)
		}
		f.Sound = false
	case 14:
		m.note("%s: the consistent index is absurd", f.Path)
		f.put("meta", []byte("consistent_index"), binary.BigEndian.AppendUint64(nil, one[uint64](m, 0, 1, math.MaxUint64, 1<<63)))
		f.Sound = false
	case 15:
		m.note("%s: users and roles", f.Path)
		f.put("auth", []byte("authEnabled"), []byte{1})
		f.put("authUsers", []byte(m.name())[:1], []byte(m.word()+"x"))
		f.put("authRoles", []byte(m.name())[:1], []byte("\xff\xff"))
		f.Sound = false
	case 16:
		m.note("%s: no record at all", f.Path)
		f.records = f.records[:0]
		f.Sound, f.Damaged = false, ""
		m.Phantoms, m.Ghosts = nil, nil
	case 17:
		m.note("%s: buckets in buckets", f.Path)
		for range 5 {
			f.put(one(m, "meta", "members", "lease", "alarm", "cluster"), []byte(m.name())[:2], nil)
		}
		f.Sound = false
	}
}

// member is an entry of the bucket members.
func (m *maker) member(i int) []byte {
	switch m.IntN(6) {
	case 0:
		return one(m, []byte("null"), []byte("{"), []byte("[]"), []byte(`"x"`), []byte(`{"id":-1}`), []byte(`{"id":1e400}`), []byte(strings.Repeat("[", 20_000)), []byte(`{"name":`+strings.Repeat(`{"a":`, 9000)+"1"+strings.Repeat("}", 9001)))
	case 1:
		return fmt.Appendf(nil, `{"id":%s,"peerURLs":%s,"name":%s,"isLearner":%s}`, m.number(), m.number(), m.number(), m.number())
	}
	return fmt.Appendf(nil, `{"id":%d,"peerURLs":[%s,"http://%d"],"name":%s,"clientURLs":[%s],"isLearner":%t}`, i, m.quoted(m.word()), i, m.quoted(m.name()), m.quoted(m.word()), m.odds(2))
}
