package storage_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/analyzer/storage"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
	"revenant/internal/damage"
)

const prefix = "/registry"

func open(t testing.TB, data []byte) (*snapshot.Snapshot, error) {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "it", data, snapshot.Options{SkipHashCheck: true})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// named is what a key names; keys that hold no API object have the name of their owner.
func named(namer *keyspace.Namer, key string) kube.Key {
	k, ok := kube.ParseKey(prefix, key)
	if !ok && key != "" {
		return kube.Key{Resource: namer.Name(key)}
	}
	return k
}

// bbolt is a snapshot as bbolt reads it.
type bbolt struct {
	*bolt.DB
	keys map[string][]record
}

type record struct {
	rev       []byte
	size      int
	tombstone bool
	lease     int64
}

func readWith(t *testing.T, data []byte) *bbolt {
	t.Helper()
	path := filepath.Join(t.TempDir(), "it.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := &bbolt{db, map[string][]record{}}
	if err := db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("key")).ForEach(func(k, v []byte) error {
			var kv mvccpb.KeyValue
			if err := proto.Unmarshal(v, &kv); err != nil {
				return err
			}
			key := string(kv.GetKey())
			b.keys[key] = append(b.keys[key], record{bytes.Clone(k), len(v), len(k) == 18, kv.GetLease()})
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// of tells what a key takes.
func (b *bbolt) of(key string) storage.Tally {
	records := b.keys[key]
	t := storage.Tally{Revisions: len(records)}
	for i, r := range records {
		if r.tombstone {
			t.Tombstones++
		}
		if i == len(records)-1 && !r.tombstone && key != "" {
			t.Keys, t.Live = 1, int64(r.size)
		} else {
			t.History += int64(r.size)
		}
	}
	return t
}

func sum(a, b storage.Tally) storage.Tally {
	return storage.Tally{Keys: a.Keys + b.Keys, Live: a.Live + b.Live, Revisions: a.Revisions + b.Revisions, Tombstones: a.Tombstones + b.Tombstones, History: a.History + b.History}
}

// TestOf holds the figures of every snapshot against what bbolt reads.
func TestOf(t *testing.T) {
	for _, path := range corpus.Snapshots(t, "../../testdata") {
		t.Run(path[len("../../testdata/"):], func(t *testing.T) {
			data := corpus.Unpack(t, path)
			s, err := open(t, data)
			if err != nil {
				t.Fatal(err)
			}
			const few = 7
			got, err := storage.Of(t.Context(), s, storage.Options{Prefix: prefix, Top: few})
			if err != nil {
				t.Fatal(err)
			}
			b := readWith(t, data)
			namer := keyspace.NewNamer(prefix)
			total, resources, namespaces := storage.Tally{}, map[string]storage.Tally{}, map[string]storage.Tally{}
			var keys []storage.Key
			for name, records := range b.keys {
				tally := b.of(name)
				total = sum(total, tally)
				object := named(namer, name)
				resources[object.Plural()] = sum(resources[object.Plural()], tally)
				namespaces[object.Namespace] = sum(namespaces[object.Namespace], tally)
				last := records[len(records)-1]
				r, err := s.Get(name, 0)
				if err != nil && !last.tombstone && name != "" {
					t.Fatal(err)
				}
				if name != "" {
					keys = append(keys, storage.Key{Key: name, Object: object, Version: r.Version, Changed: int64(binary.BigEndian.Uint64(last.rev)), Tally: tally})
				}
			}
			if diff := gocmp.Diff(total, got.Total); diff != "" {
				t.Errorf("in all: -want +got:\n%s", diff)
			}
			for what, groups := range map[string]struct {
				want map[string]storage.Tally
				got  []storage.Group
			}{"resources": {resources, got.Resources}, "namespaces": {namespaces, got.Namespaces}} {
				list := map[string]storage.Tally{}
				for i, g := range groups.got {
					list[g.Name] = g.Tally
					if i > 0 && g.Bytes() > groups.got[i-1].Bytes() {
						t.Errorf("%s are not sorted", what)
					}
				}
				if diff := gocmp.Diff(groups.want, list); diff != "" {
					t.Errorf("%s: -want +got:\n%s", what, diff)
				}
			}
			for what, list := range map[string]struct {
				got     []storage.Key
				measure func(storage.Key) int64
			}{
				"heaviest":  {got.Heaviest, func(k storage.Key) int64 { return k.Live + k.History }},
				"largest":   {got.Largest, func(k storage.Key) int64 { return k.Live }},
				"rewritten": {got.Rewritten, func(k storage.Key) int64 { return int64(k.Revisions) }},
			} {
				slices.SortFunc(keys, func(a, b storage.Key) int {
					return cmp.Or(cmp.Compare(list.measure(b), list.measure(a)), cmp.Compare(a.Key, b.Key))
				})
				want := slices.DeleteFunc(slices.Clone(keys), func(k storage.Key) bool { return list.measure(k) == 0 })
				if diff := gocmp.Diff(want[:min(len(want), few)], list.got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", what, diff)
				}
			}
			checkFile(t, s, &got.File)
			now, then := got.File.Size-got.File.Defrag, b.defragmented(t)
			// How full the pages are afterwards is not known before; and of the pages that
			// a bbolt file begins with two are free after the first write.
			if off := max(now-then, then-now); off > got.File.Size/10+2*int64(s.PageSize()) {
				t.Errorf("%d bytes, about %d after a defragmentation, truly %d", got.File.Size, now, then)
			}
		})
	}
}

// TestWithin adds up the keys of every group alone: they take what the group is said to
// take, and the heaviest are those that it names.
func TestWithin(t *testing.T) {
	const few = 3
	for _, path := range []string{"../../testdata/clusters/rows/bump-ok/current.db.gz", "../../testdata/etcd/bumped-and-written.db.gz"} {
		s := snapshottest.Open(t, path)
		all, err := storage.Of(t.Context(), s, storage.Options{Prefix: prefix, TopOf: few})
		if err != nil {
			t.Fatal(err)
		}
		for what, of := range map[string]struct {
			groups []storage.Group
			name   func(kube.Key) string
		}{"resource": {all.Resources, kube.Key.Plural}, "namespace": {all.Namespaces, func(k kube.Key) string { return k.Namespace }}} {
			for _, g := range of.groups {
				within := func(k kube.Key) bool { return of.name(k) == g.Name }
				got, err := storage.Of(t.Context(), s, storage.Options{Prefix: prefix, Top: few, Within: within})
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(g, storage.Group{Name: g.Name, Tally: got.Total, Heaviest: got.Heaviest}); diff != "" {
					t.Errorf("%s: %s %q: -group +alone:\n%s", path, what, g.Name, diff)
				}
				if got.File.Parts != nil {
					t.Errorf("%s: %s %q has a file", path, what, g.Name)
				}
			}
		}
	}
}

// defragmented is the size of the file that etcd's defragmentation makes (etcd
// server/v3 v3.7 storage/backend/backend.go defragdb).
func (b *bbolt) defragmented(t *testing.T) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "defragmented.db")
	to, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := b.View(func(from *bolt.Tx) error {
		return to.Update(func(tx *bolt.Tx) error {
			return from.ForEach(func(name []byte, items *bolt.Bucket) error {
				copied, err := tx.CreateBucket(name)
				if err != nil {
					return err
				}
				copied.FillPercent = 0.9
				return items.ForEach(copied.Put)
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	var size int64
	if err := to.View(func(tx *bolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	return size
}

// checkFile checks that every byte of the file is accounted for, once.
func checkFile(t *testing.T, s *snapshot.Snapshot, f *storage.File) {
	t.Helper()
	sum := int64(0)
	for _, p := range f.Parts {
		if sum += p.Bytes; p.Bytes <= 0 {
			t.Errorf("%s has %d bytes", p.Use, p.Bytes)
		}
		if storage.Uses[p.Use] == "" {
			t.Errorf("nothing says what %s is", p.Use)
		}
	}
	if sum != f.Size || f.Size != s.Size() {
		t.Errorf("the parts have %d bytes, the file %d, as is said %d: %+v", sum, s.Size(), f.Size, f.Parts)
	}
}

// TestDamaged accounts for every byte of damaged files, too.
func TestDamaged(t *testing.T) {
	file, err := damage.Parse(corpus.Unpack(t, "../../testdata/etcd/compacted.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	for seed := range uint64(300) {
		s, err := open(t, file.Copy(seed).Data)
		if err != nil {
			continue
		}
		opened++
		got, err := storage.Of(t.Context(), s, storage.Options{Prefix: prefix, Top: 3})
		if err != nil {
			t.Fatal(err)
		}
		checkFile(t, s, &got.File)
		if _, err := storage.LeasesOf(t.Context(), s, prefix); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if opened < 200 {
		t.Errorf("%d of 300 opened", opened)
	}
}

// TestLog tells records of the log from those of the file.
func TestLog(t *testing.T) {
	s, err := snapshot.Open(t.Context(), "../../testdata/clusters/scenario-5/datadir-lagging/member.tar.gz", snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	got, err := storage.Of(t.Context(), s, storage.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, s, &got.File)
	if f := &got.File; f.InLog == 0 || got.Total.Bytes() != f.Parts[0].Bytes+f.Parts[1].Bytes+f.InLog {
		t.Errorf("%d bytes of records, %d in the log, %+v", got.Total.Bytes(), f.InLog, f.Parts)
	}
}

// TestLeases holds what hangs on leases against what bbolt reads.
func TestLeases(t *testing.T) {
	events := 0
	for _, path := range corpus.Snapshots(t, "../../testdata") {
		t.Run(path[len("../../testdata/"):], func(t *testing.T) {
			data := corpus.Unpack(t, path)
			s, err := open(t, data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := storage.LeasesOf(t.Context(), s, prefix)
			if err != nil {
				t.Fatal(err)
			}
			b := readWith(t, data)
			granted := map[int64]int{} // keys by lease
			if err := b.View(func(tx *bolt.Tx) error {
				leases := tx.Bucket([]byte("lease"))
				if leases == nil {
					return nil
				}
				return leases.ForEach(func(k, _ []byte) error { granted[int64(binary.BigEndian.Uint64(k))] = 0; return nil })
			}); err != nil {
				t.Fatal(err)
			}
			want := storage.Leases{Granted: len(granted), Idle: len(granted)}
			attached := map[string]storage.Tally{}
			namer := keyspace.NewNamer(prefix)
			keys := 0
			for key, records := range b.keys {
				last := records[len(records)-1]
				if last.tombstone || last.lease == 0 {
					continue
				}
				object := named(namer, key)
				attached[object.Plural()] = sum(attached[object.Plural()], b.of(key))
				n, ok := granted[last.lease]
				if !ok {
					want.Missing++
					continue
				}
				if granted[last.lease]++; n == 0 {
					want.Idle--
				}
				keys++
			}
			list := map[string]storage.Tally{}
			for _, g := range got.Attached {
				list[g.Name] = g.Tally
				if g.Name == "events" {
					events += g.Keys
				}
			}
			if diff := gocmp.Diff(attached, list); diff != "" {
				t.Errorf("attached: -want +got:\n%s", diff)
			}
			leases, hanging := 0, 0
			for i, of := range got.ByTTL {
				leases, hanging = leases+of.Leases, hanging+of.Keys
				if of.TTL < time.Second || i > 0 && of.TTL <= got.ByTTL[i-1].TTL {
					t.Errorf("leases of %v", got.ByTTL)
				}
			}
			if leases != len(granted) || hanging != keys {
				t.Errorf("%d leases and %d keys by time, want %d and %d", leases, hanging, len(granted), keys)
			}
			got.ByTTL, got.Attached = nil, nil
			if diff := gocmp.Diff(&want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if events == 0 {
		t.Error("no event hangs on a lease")
	}
}

// TestTTL reads the time that the API server grants to events: an hour (kubernetes
// v1.37 pkg/controlplane/apiserver/options/options.go EventTTL), and some more, since
// keys share leases (apiserver v0.37 storage/etcd3/lease_manager.go).
func TestTTL(t *testing.T) {
	s := snapshottest.Open(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	got, err := storage.LeasesOf(t.Context(), s, prefix)
	if err != nil {
		t.Fatal(err)
	}
	long := got.ByTTL[len(got.ByTTL)-1]
	if long.TTL < time.Hour || long.TTL > 66*time.Minute || long.Keys == 0 {
		t.Errorf("%+v", got.ByTTL)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := snapshottest.Open(t, "../../testdata/mvcc/history.db.gz")
	if _, err := storage.Of(ctx, s, storage.Options{}); err != context.Canceled {
		t.Error(err)
	}
	if _, err := storage.LeasesOf(ctx, s, prefix); err != context.Canceled {
		t.Error(err)
	}
}
