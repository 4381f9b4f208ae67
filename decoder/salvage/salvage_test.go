package salvage_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/salvage"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/damage"
)

const pageSize = 4096

// member is a member's db that commits as etcd does.
type member struct {
	t     *testing.T
	path  string
	db    *bbolt.DB
	index uint64
}

func newMember(t *testing.T) *member {
	t.Helper()
	m := &member{t: t, path: filepath.Join(t.TempDir(), "db")}
	db, err := bbolt.Open(m.path, 0o600, &bbolt.Options{PageSize: pageSize, NoFreelistSync: true, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	m.db = db
	return m
}

// commit writes a key each revision, and what compaction has finished; 0 for none.
func (m *member) commit(compacted int64, revisions ...int64) {
	m.t.Helper()
	m.index++
	err := m.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta"} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		for _, rev := range revisions {
			kv := &mvccpb.KeyValue{Key: fmt.Appendf(nil, "/registry/configmaps/default/c-%d", rev), Value: make([]byte, 200), CreateRevision: rev, ModRevision: rev, Version: 1}
			value, err := proto.Marshal(kv)
			if err != nil {
				return err
			}
			if err := tx.Bucket([]byte("key")).Put(revision(rev), value); err != nil {
				return err
			}
		}
		meta := tx.Bucket([]byte("meta"))
		if compacted > 0 {
			for _, name := range []string{"scheduledCompactRev", "finishedCompactRev"} {
				if err := meta.Put([]byte(name), revision(compacted)); err != nil {
					return err
				}
			}
		}
		return meta.Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, m.index))
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

func revision(main int64) []byte {
	return append(append(binary.BigEndian.AppendUint64(nil, uint64(main)), '_'), make([]byte, 8)...)
}

func (m *member) bytes() []byte {
	m.t.Helper()
	data, err := os.ReadFile(m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	return data
}

// write salvages and returns the records that were written, by key.
func write(t *testing.T, data []byte, opts salvage.Options) (*salvage.Result, []string, error) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	r, err := salvage.Write(t.Context(), snapshottest.OpenBytes(t, "damaged.db", data), root, "clean.db", opts)
	if err != nil {
		return nil, nil, err
	}
	clean, err := os.ReadFile(filepath.Join(dir, "clean.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := snapshottest.OpenBytes(t, "clean.db", clean)
	var list []string
	for rec := range s.Records() {
		list = append(list, rec.Revision.String())
	}
	return r, list, nil
}

func upTo(from, to int64) (list []int64) {
	for rev := from; rev <= to; rev++ {
		list = append(list, rev)
	}
	return list
}

// leaves are the pages of the bucket key, by the records on them.
func leaves(s *snapshot.Snapshot) map[uint64][]string {
	pages := map[uint64][]string{}
	for rec := range s.Records() {
		pages[s.Page(rec)] = append(pages[s.Page(rec)], rec.Revision.String())
	}
	return pages
}

// TestNewerFreePage has a db that is compacted at its newest revision, a free page with
// a newer one, as the commit after leaves it, and a loss in its tree: all that the tree
// still leads to is written.
func TestNewerFreePage(t *testing.T) {
	m := newMember(t)
	m.commit(0, upTo(2, 331)...)
	for range 3 {
		m.commit(331)
	}
	before := m.bytes()
	m.commit(0, 332, 333)
	data := m.bytes()
	copy(data, before[:2*pageSize]) // the metas of the commit before
	healthy := leaves(snapshottest.OpenBytes(t, "db", data))
	var lost uint64
	for page := range healthy {
		lost = max(lost, page) // not the last leaf, for page numbers wrap around
		if slices.Contains(healthy[page], "100") {
			lost = page
			break
		}
	}
	clear(data[lost*pageSize:][:pageSize])
	r, got, err := write(t, data, salvage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for rev := int64(2); rev <= 331; rev++ {
		if name := fmt.Sprint(rev); !slices.Contains(healthy[lost], name) {
			want = append(want, name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d revisions are written, the tree leads to %d; %d uncertain", len(got), len(want), len(r.Uncertain))
	}
	for _, f := range r.Uncertain {
		if f.Revision != "332" && f.Revision != "333" && !slices.Contains(healthy[lost], f.Revision) {
			t.Errorf("revision %s is withheld", f.Revision)
		}
	}
	if len(r.Stretches) == 0 || r.Lossless() {
		t.Errorf("lost %q, lossless %v", r.Stretches, r.Lossless())
	}
}

// TestStates loses the page that leads to the newest tree: the state of the commit
// before is whole, and is written unless another one is asked for.
func TestStates(t *testing.T) {
	m := newMember(t)
	m.commit(0, upTo(2, 331)...)
	m.commit(331)
	m.commit(0, 332, 333)
	m.commit(0, 334)
	data := m.bytes()
	healthy := snapshottest.OpenBytes(t, "db", data)
	roots, err := healthy.Roots(t.Context())
	if err != nil || len(roots) < 2 || roots[0].Page != healthy.Root() {
		t.Fatalf("roots %v, the db's is %d: %v", roots, healthy.Root(), err)
	}
	older := fmt.Sprint("root-", roots[1].Page)

	r, got, err := write(t, data, salvage.Options{})
	if err != nil || r.State != salvage.TreeState || len(r.States) != 1 || len(got) != 333 || r.States[0].Keys != 333 || !r.Lossless() {
		t.Errorf("of the healthy db %d revisions of the state %s are written: %v, %+v", len(got), r.State, err, r.States)
	}
	if r, got, err = write(t, data, salvage.Options{State: older}); err != nil || len(got) != 332 || r.State != older || r.Lossless() {
		t.Errorf("of an older state %d revisions are written: %+v, %v", len(got), r, err)
	}

	s := m.keyRoot()
	clear(data[s*pageSize:][:pageSize])
	r, got, err = write(t, data, salvage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.State != older || len(got) != 332 || got[len(got)-1] != "333" || r.Lossless() {
		t.Errorf("the state %s is written, with %d revisions; lossless %v", r.State, len(got), r.Lossless())
	}
	names := []string{}
	for _, state := range r.States {
		names = append(names, state.Name)
		if (state.LeftOut == "") != (state.Name == r.State) {
			t.Errorf("%s: left out for %q", state.Name, state.LeftOut)
		}
		if state.Name == older && (state.Revisions != 332 || state.Keys != 332 || state.NewestRevision != 333 || state.CompactRevision != 331 || state.Problems != 0) {
			t.Errorf("%+v", state)
		}
	}
	if !slices.Contains(names, salvage.TreeState) || !slices.Contains(names, salvage.ScanState) {
		t.Errorf("states %q", names)
	}
	if r, got, err = write(t, data, salvage.Options{State: salvage.TreeState}); err != nil || len(got) != 0 || len(r.Recovered) != 0 {
		t.Errorf("of the tree %d revisions are written: %v", len(got), err)
	}
	r, got, err = write(t, data, salvage.Options{State: salvage.ScanState, IncludeUncertain: true})
	if err != nil || len(got) != 333 || r.States[1].Keys != 333 {
		t.Errorf("of the scan %d revisions are written: %v, %+v", len(got), err, r)
	}
	var unknown *salvage.UnknownStateError
	if _, _, err = write(t, data, salvage.Options{State: "root-1"}); !errors.As(err, &unknown) || !slices.Equal(unknown.Names, names) || !strings.Contains(err.Error(), older) {
		t.Errorf("an unknown state: %v", err)
	}
}

// keyRoot is the page of the root of the bucket key.
func (m *member) keyRoot() (page uint64) {
	m.t.Helper()
	err := m.db.View(func(tx *bbolt.Tx) error {
		page = uint64(tx.Bucket([]byte("key")).Root())
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return page
}

// churnedMember is a member's db, compacted at 331, with revisions 2 to 334 and older
// states on its free pages; and the leaf pages of its bucket key, in order.
func churnedMember(t *testing.T) (data []byte, root uint64, leaves []uint64) {
	t.Helper()
	m := newMember(t)
	m.commit(0, upTo(2, 331)...)
	m.commit(331)
	m.commit(0, 332, 333)
	m.commit(0, 334)
	data, root = m.bytes(), m.keyRoot()
	page := data[root*pageSize:][:pageSize]
	for i := range int(binary.LittleEndian.Uint16(page[10:])) {
		leaves = append(leaves, binary.LittleEndian.Uint64(page[16+16*i+8:]))
	}
	return data, root, leaves
}

// setMetas sets a field of both metas, and makes their checksums right.
func setMetas(data []byte, at int, value uint64) {
	for page := range 2 {
		meta := data[page*pageSize+16:]
		binary.LittleEndian.PutUint64(meta[at:], value)
		sum := fnv.New64a()
		sum.Write(meta[:56])
		binary.LittleEndian.PutUint64(meta[56:], sum.Sum64())
	}
}

// TestKeyRootElsewhere leads from the entry of the bucket key to a part of its tree: the
// tree is found by the page that leads to that part and on to newer records.
func TestKeyRootElsewhere(t *testing.T) {
	healthy, root, leaves := churnedMember(t)
	file, err := damage.Parse(healthy)
	if err != nil {
		t.Fatal(err)
	}
	if len(leaves) < 10 {
		t.Fatalf("%d leaf pages", len(leaves))
	}
	for i, leaf := range leaves[:len(leaves)-1] {
		data := slices.Clone(healthy)
		for _, at := range file.Roots() {
			if binary.LittleEndian.Uint64(data[at:]) == root {
				binary.LittleEndian.PutUint64(data[at:], leaf)
			}
		}
		r, got, err := write(t, data, salvage.Options{})
		if err != nil || len(got) != 333 || r.State != fmt.Sprint("key-", root) || r.Lossless() {
			t.Errorf("leaf page %d: %d revisions of the state %s are written, lossless %v: %v", i, len(got), r.State, r.Lossless(), err)
		}
		s := snapshottest.OpenBytes(t, "damaged.db", data)
		missing, err := s.Missing(t.Context())
		if err != nil || !slices.ContainsFunc(missing, func(m snapshot.Missing) bool {
			return m.Kind == snapshot.MissingContent && m.Revisions != nil && *m.Revisions > 0
		}) {
			t.Errorf("leaf page %d: missing is %+v, %v", i, missing, err)
		}
	}
}

// TestOlderRoot has both metas lead to the state of a commit before, which is whole: what
// is newer is named.
func TestOlderRoot(t *testing.T) {
	data, _, _ := churnedMember(t)
	roots, err := snapshottest.OpenBytes(t, "db", data).Roots(t.Context())
	if err != nil || len(roots) < 2 {
		t.Fatalf("roots %v: %v", roots, err)
	}
	setMetas(data, 16, roots[1].Page)
	r, got, err := write(t, data, salvage.Options{})
	if err != nil || r.State != salvage.TreeState || len(got) != 332 || len(r.Recovered) != 0 || len(r.Uncertain) != 1 || r.Uncertain[0].Revision != "334" {
		t.Errorf("%d revisions of the state %s are written: %+v, %v", len(got), r.State, r, err)
	}
	if r, got, err = write(t, data, salvage.Options{IncludeUncertain: true}); err != nil || len(got) != 333 {
		t.Errorf("%d revisions of the state %s are written: %+v, %v", len(got), r.State, r, err)
	}
}

// TestOverflowOfAll has a root before all other pages span them all: its elements fill one.
func TestOverflowOfAll(t *testing.T) {
	data, _, leaves := churnedMember(t)
	root, to := snapshottest.OpenBytes(t, "db", data).Root(), uint64(3)
	if slices.Contains(leaves, to) {
		t.Fatalf("page %d is in use", to)
	}
	page := data[to*pageSize:][:pageSize]
	copy(page, data[root*pageSize:])
	binary.LittleEndian.PutUint64(page, to)
	binary.LittleEndian.PutUint32(page[12:], 1<<31-1)
	setMetas(data, 16, to)
	if r, got, err := write(t, data, salvage.Options{State: salvage.TreeState}); err != nil || len(got) != 333 {
		t.Errorf("%d revisions are written: %+v, %v", len(got), r, err)
	}
}

// TestOtherPageInItsPlace leads to a copy of a leaf page that begins with another record:
// what stands on the page that belongs there, and not on that one, is named.
func TestOtherPageInItsPlace(t *testing.T) {
	data, root, leaves := churnedMember(t)
	le := binary.LittleEndian
	other := slices.Clone(data[leaves[3]*pageSize:][:pageSize])
	first := le.Uint64(reversed(other[16+le.Uint32(other[20:]):][:8]))
	id, n := uint64(len(data)/pageSize), le.Uint16(other[10:])
	le.PutUint64(other, id)
	le.PutUint16(other[10:], n-1)
	copy(other[16:], other[32:16+16*n])
	for i := range int(n - 1) {
		at := other[16+16*i+4:]
		le.PutUint32(at, le.Uint32(at)+16)
	}
	data = append(data, other...)
	le.PutUint64(data[root*pageSize+16+16*3+8:], id)
	setMetas(data, 40, id+1)
	r, got, err := write(t, data, salvage.Options{State: salvage.ScanState})
	name := fmt.Sprint(first)
	if err != nil || slices.Contains(got, name) || !slices.ContainsFunc(r.Uncertain, func(f salvage.Found) bool { return f.Revision == name && f.Page == leaves[3] }) {
		t.Errorf("revision %s, on page %d: %d are written, uncertain are %+v: %v", name, leaves[3], len(got), r.Uncertain, err)
	}
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// TestCopyBeforeItsPage has the last record of a leaf page be a copy of the next page's
// first: it counts as that page has it.
func TestCopyBeforeItsPage(t *testing.T) {
	data, _, leaves := churnedMember(t)
	le := binary.LittleEndian
	record := func(page uint64, i int) []byte {
		at := page*pageSize + 16 + 16*uint64(i)
		from := at + uint64(le.Uint32(data[at+4:]))
		return data[from:][:le.Uint32(data[at+8:])+le.Uint32(data[at+12:])]
	}
	page, next := leaves[8], leaves[9]
	last := record(page, int(le.Uint16(data[page*pageSize+10:]))-1)
	copy(last, record(next, 0))
	r, got, err := write(t, data, salvage.Options{State: salvage.TreeState})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int(le.Uint16(data[next*pageSize+10:])) {
		if name := fmt.Sprint(binary.BigEndian.Uint64(record(next, i))); !slices.Contains(got, name) {
			t.Errorf("revision %s is not written: %+v", name, r.Uncertain)
		}
	}
}
