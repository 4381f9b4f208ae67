package oracle

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// TestState holds the state at every retained revision against what etcd's own
// store, opened on a copy of the file, answers to a range of all keys at it. Of
// the larger files some fifty revisions are taken.
func TestState(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		t.Run(f.name, func(t *testing.T) {
			s := open(t, f.path)
			store := fixture.OpenStore(clone(t, f.path))
			defer store.Close()

			first, head := max(store.FirstRev(), 0), store.Rev()
			if got := s.CompactRevision(); got != first {
				t.Errorf("compact revision is %d, etcd says %d", got, first)
			}
			if got := s.Revision(); got != head && (got != 0 || head != 1) { // an empty etcd is at 1
				t.Errorf("revision is %d, etcd says %d", got, head)
			}
			step := int64(1)
			if f.model == nil {
				step = max(1, (head-first)/50)
			}
			for rev := first; rev <= s.Revision(); rev += step {
				compareState(t, s, store, max(rev, 1))
			}
			compareState(t, s, store, first+1)
			compareState(t, s, store, head)
			compareRefusal(t, s, store, first-1)
			compareRefusal(t, s, store, head+1)
		})
	}
}

// state is what a range returns of a key.
type state struct {
	Key, Value                  string
	Create, Mod, Version, Lease int64
}

func compareState(t *testing.T, s *snapshot.Snapshot, store *fixture.Store, rev int64) {
	t.Helper()
	if rev > s.Revision() {
		return
	}
	r, err := store.Range(t.Context(), []byte{0}, []byte{}, mvcc.RangeOptions{Rev: rev})
	if err != nil {
		t.Fatalf("etcd at revision %d: %v", rev, err)
	}
	compareRange(t, s, rev, r.KVs)
}

// compareRange compares the state at a revision with the key-values that an etcd
// returned for it.
func compareRange(t *testing.T, s *snapshot.Snapshot, rev int64, kvs []*mvccpb.KeyValue) {
	t.Helper()
	var want, got []state
	for _, kv := range kvs {
		want = append(want, state{string(kv.Key), string(kv.Value), kv.CreateRevision, kv.ModRevision, kv.Version, kv.Lease})
	}
	view, err := s.At(rev)
	if err != nil {
		t.Fatal(err)
	}
	for r := range view.Keys("") {
		value, lease := read(t, s, r)
		got = append(got, state{r.Key, value, r.CreateRevision, r.Main, r.Version, lease})
		if one, err := view.Get(r.Key); err != nil || one != r {
			t.Fatalf("Get(%q) at %d: %+v, %v; Keys has %+v", r.Key, rev, one, err, r)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("state at revision %d differs (-etcd +revenant):\n%s", rev, diff)
	}
}

func read(t *testing.T, s *snapshot.Snapshot, r snapshot.Record) (value string, lease int64) {
	t.Helper()
	b, err := s.Value(r)
	if err != nil {
		t.Fatal(err)
	}
	lease, err = s.Lease(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), lease
}

// compareRefusal asks for a revision that is not there. One below 1 means the
// newest to etcd, and is left out.
func compareRefusal(t *testing.T, s *snapshot.Snapshot, store *fixture.Store, rev int64) {
	t.Helper()
	if rev < 1 {
		return
	}
	_, theirs := store.Range(t.Context(), []byte{0}, []byte{}, mvcc.RangeOptions{Rev: rev})
	_, ours := s.At(rev)
	switch {
	case errors.Is(theirs, mvcc.ErrCompacted) && errors.Is(ours, snapshot.ErrCompacted):
	case errors.Is(theirs, mvcc.ErrFutureRev) && errors.Is(ours, snapshot.ErrFuture):
	default:
		t.Errorf("revision %d: etcd says %v, revenant %v", rev, theirs, ours)
	}
}

// TestHistory holds the history of every key against what was put: of it, a file
// retains the revisions that stand in its key bucket.
func TestHistory(t *testing.T) {
	for _, f := range fixture.Files(t, 3) {
		t.Run(f.Name, func(t *testing.T) {
			s := open(t, f.Path)
			retained := revisions(t, f.Path)
			want := make(map[string][]fixture.Event)
			for _, e := range f.Model.Events {
				if retained[mvcc.Revision{Main: e.Main, Sub: e.Sub}] {
					want[e.Key] = append(want[e.Key], e)
				}
			}
			got := make(map[string][]fixture.Event)
			for key := range s.AllKeys("") {
				for _, r := range s.History(key) {
					value, lease := read(t, s, r)
					got[key] = append(got[key], fixture.Event{
						Main: r.Main, Sub: r.Sub, Key: r.Key, Tombstone: r.Tombstone,
						Value: value, CreateRevision: r.CreateRevision, Version: r.Version, Lease: lease,
					})
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("history differs (-put +revenant):\n%s", diff)
			}
		})
	}
}

// revisions reads those of a file's key bucket with bbolt.
func revisions(t *testing.T, path string) map[mvcc.Revision]bool {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	revs := make(map[mvcc.Revision]bool)
	err = db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(schema.Key.Name()).ForEach(func(k, _ []byte) error {
			revs[mvcc.BytesToRev(k)] = true
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return revs
}

// TestRestoredServer restores a snapshot with etcdutl and a bump, starts an etcd
// on it, writes to it, and holds the snapshot it then sends against what it
// answers itself.
func TestRestoredServer(t *testing.T) {
	const bump = 1_000_000_000
	ctx, dir := t.Context(), t.TempDir()
	var before *snapshot.Snapshot
	for _, f := range fixture.Files(t, 4) {
		if f.Name == "compacted" {
			before = open(t, f.Path)
		}
	}
	data := filepath.Join(dir, "data")
	if err := fixture.Restore(before.Path(), data, bump); err != nil {
		t.Fatal(err)
	}
	server := fixture.StartServer(t, data)
	for _, key := range []string{"new", "new", "newer"} {
		if _, err := server.Put(ctx, key, "value"); err != nil {
			t.Fatal(err)
		}
	}
	saved := filepath.Join(dir, "saved.db")
	if err := server.Save(ctx, saved); err != nil {
		t.Fatal(err)
	}

	s := open(t, saved)
	restored := before.Revision() + bump
	if diff := cmp.Diff([]int64{restored}, s.BumpMarkers()); diff != "" {
		t.Errorf("bump markers differ:\n%s", diff)
	}
	if got := s.CompactRevision(); got != restored {
		t.Errorf("compact revision is %d, want %d", got, restored)
	}
	for rev := restored; rev <= s.Revision(); rev++ {
		r, err := server.Get(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithRev(rev))
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Revision != s.Revision() {
			t.Errorf("revision is %d, etcd says %d", s.Revision(), r.Header.Revision)
		}
		compareRange(t, s, rev, r.Kvs)
	}
	if got := s.Meta(); len(got.Members) != 1 || got.ConsistentIndex == 0 || got.Term == 0 {
		t.Errorf("meta data is not that of a member: %+v", got)
	}
}
