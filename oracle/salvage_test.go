package oracle

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	etcdsnapshot "go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/salvage"
	"revenant/decoder/snapshot"
	"revenant/internal/damage"
	"revenant/oracle/fixture"
)

var (
	salvaged    = flag.Int("salvaged", 400, "how many damaged copies are salvaged")
	salvageSeed = flag.Uint64("salvageseed", 0, "the seed of the first copy of each base")
)

// TestSalvage salvages damaged copies and holds what comes out against the healthy
// file and against etcdutl.
func TestSalvage(t *testing.T) {
	t.Parallel()
	var bases [][]byte
	for _, name := range []string{"clusters/scenario-7/plain.k8s-1.33.13/backup", "etcd/compacted", "clusters/random-101/plain/current", "etcd/churned-2"} {
		path := filepath.Join(t.TempDir(), "base.db")
		inflate(t, testdata+name+".db.gz", path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bases = append(bases, data)
	}
	all := tally{kinds: map[string]share{}}
	for i, base := range bases {
		file, err := damage.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		records := file.Revisions()
		for seed := range *salvaged / len(bases) {
			all.copies++
			all.try(t, i, file, records, file.Copy(*salvageSeed+uint64(seed)), all.copies%20 < 2)
			if all.copies%1000 == 0 {
				t.Logf("%d copies: %+v", all.copies, all.share)
			}
		}
	}
	for kind, share := range all.kinds {
		t.Logf("%-25s %+v", kind, share)
	}
	all.kinds = nil
	t.Logf("%+v", all)
	if share := float64(all.recovered) / float64(all.intact); share < 0.99 {
		t.Errorf("of %d revisions on intact pages %d came back: %.2f %%", all.intact, all.recovered, 100*share)
	}
	if all.opened < all.copies/2 || all.damaged == 0 || all.fromPages == 0 {
		t.Error("too little was tested")
	}
}

type tally struct {
	share
	kinds                             map[string]share
	copies, opened, damaged, restored int
	fromPages                         int // revisions that only the scan of pages could bring back
}

// wantAll wants all that etcd had, where only what the metas say is lost, and the
// status that etcdutl prints of such a file, where it does.
func wantAll(t *testing.T, s *snapshot.Snapshot, path string, copied damage.Copy, records []damage.Revision) {
	t.Helper()
	if s.Len() != len(records) {
		t.Errorf("%s (%s): %d revisions are read of %d", copied.Kind, copied.Note, s.Len(), len(records))
	}
	missing, err := s.Missing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) == 0 && copied.Kind != "high-water mark wrong" {
		t.Errorf("%s (%s): nothing is said to be missing", copied.Kind, copied.Note)
	}
	if s.BrokenTree() {
		return
	}
	got, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := etcdsnapshot.NewV3(zap.NewNop()).Status(path)
	if err != nil || got.Hash != want.Hash || got.Revision != want.Revision || got.TotalKey != want.TotalKey || got.TotalSize != want.TotalSize {
		t.Errorf("%s (%s): status %+v, etcdutl has %+v: %v", copied.Kind, copied.Note, got, want, err)
	}
}

// share counts revisions whose pages are intact: those that came back, those that were
// withheld by name, and those that a state that was chosen does not have.
type share struct{ intact, recovered, withheld, otherState int }

func (c *tally) try(t *testing.T, base int, file *damage.File, records []damage.Revision, copied damage.Copy, restore bool) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) // the copies are large together
	path := filepath.Join(dir, "damaged.db")
	if err := os.WriteFile(path, copied.Data, 0o400); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		return // nothing leads into it
	}
	defer s.Close()
	c.opened++
	switch copied.Kind {
	case "metas lost", "freelist elsewhere", "high-water mark wrong", "metas' root elsewhere":
		wantAll(t, s, path, copied, records)
	}
	if s.Damaged() {
		c.damaged++
	}
	clean := filepath.Join(dir, "clean.db")
	r, err := salvageTo(t, s, clean, salvage.Options{IncludeUncertain: c.copies%2 == 0})
	if err != nil {
		t.Fatalf("base %d, %s (%s): %v", base, copied.Kind, copied.Note, err)
	}
	c.fromPages += len(r.Recovered) + len(r.Uncertain)
	status, err := etcdsnapshot.NewV3(zap.NewNop()).Status(clean)
	if err != nil {
		t.Errorf("base %d, %s (%s): etcdutl: %v", base, copied.Kind, copied.Note, err)
		return
	}
	if status.Revision != r.Revision {
		t.Errorf("base %d, %s (%s): etcdutl says revision %d, the report %d", base, copied.Kind, copied.Note, status.Revision, r.Revision)
	}
	if restore {
		c.restored++
		if err := fixture.Restore(clean, filepath.Join(dir, "restored"), 0); err != nil {
			t.Errorf("base %d, %s (%s): etcdutl: %v", base, copied.Kind, copied.Note, err)
		}
	}
	named := namedRevisions(r)
	for key, value := range readBucket(t, clean) {
		named[key] = value
	}
	for _, rec := range records {
		if !file.Intact(&copied, rec) {
			continue
		}
		c.intact++
		k := c.kinds[copied.Kind]
		k.intact++
		got, ok := named[string(rec.Key)]
		led := file.Led(&copied, rec)
		switch {
		case ok && got == string(rec.Value):
			c.recovered++
			k.recovered++
		case ok && got == withheld:
			if led && copied.Hit&(damage.Meta|damage.Root) == 0 {
				t.Errorf("base %d, %s (%s): revision %x, to which the tree leads, was withheld", base, copied.Kind, copied.Note, rec.Key)
			}
			c.withheld++
			k.withheld++
		case ok && copied.Hit&(damage.Key|damage.Value) == 0:
			t.Errorf("base %d, %s (%s): a revision on an intact page came back with another value", base, copied.Kind, copied.Note)
		case !ok && r.State != salvage.TreeState && r.State != salvage.ScanState: // the report names the states left out
			c.otherState++
			k.otherState++
		case !ok:
			t.Errorf("base %d, %s (%s): revision %x was neither written nor named", base, copied.Kind, copied.Note, rec.Key)
		}
		c.kinds[copied.Kind] = k
	}
}

// withheld stands for the value of a revision that was not written, and that the
// result names.
const withheld = "withheld"

// namedRevisions are the keys of all revisions that are said not to be written.
func namedRevisions(r *salvage.Result) map[string]string {
	named := map[string]string{}
	for _, list := range [][]salvage.Found{r.Uncertain, r.Suspect, r.Conflicts} {
		for _, f := range list {
			var main, sub uint64
			if n, _ := fmt.Sscanf(f.Revision, "%d.%d", &main, &sub); n == 0 {
				continue
			}
			key := string(binary.BigEndian.AppendUint64(append(binary.BigEndian.AppendUint64(nil, main), '_'), sub))
			if f.Tombstone {
				key += "t"
			}
			named[key] = withheld
		}
	}
	return named
}

// readBucket reads what was written with bbolt itself.
func readBucket(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := bolt.Open(path, 0o400, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]string{}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("key")).ForEach(func(k, v []byte) error {
			all[string(k)] = string(v)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var layouts = flag.Int("layouts", 0, "how many dbs are recreated to be damaged and salvaged, beside those kept")

// churned are dbs of stores that wrote and compacted for a while: those kept, whose
// pages are the same every time, and as many new ones as are asked for.
func churned(t *testing.T) (paths []string) {
	t.Helper()
	kept, err := filepath.Glob(testdata + "etcd/churned-*.db.gz")
	if err != nil || len(kept) == 0 {
		t.Fatalf("no churned dbs: %v", err)
	}
	for _, from := range kept {
		path := filepath.Join(t.TempDir(), "churned.db")
		inflate(t, from, path)
		paths = append(paths, path)
	}
	for seed := range *layouts {
		paths = append(paths, fixture.Churned(t, uint64(seed)))
	}
	return paths
}

// salvageTo salvages to a file.
func salvageTo(t *testing.T, s *snapshot.Snapshot, path string, opts salvage.Options) (*salvage.Result, error) {
	t.Helper()
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	r, err := salvage.Write(t.Context(), s, dir, filepath.Base(path), opts)
	if err := errors.Join(err, dir.Remove("db"), dir.Close()); err != nil {
		return nil, err
	}
	return r, nil
}

// salvageBytes is what is salvaged of a db when nothing uncertain is asked for; nil
// when nothing leads into it.
func salvageBytes(t *testing.T, data []byte) (*salvage.Result, map[string]string) {
	t.Helper()
	r, written, _ := salvageFrom(t, data)
	return r, written
}

// salvageFrom is salvageBytes, with the page of the root that was written.
func salvageFrom(t *testing.T, data []byte) (_ *salvage.Result, _ map[string]string, root uint64) {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "damaged", data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		return nil, nil, 0
	}
	defer s.Close()
	out := filepath.Join(t.TempDir(), "clean.db")
	r, err := salvageTo(t, s, out, salvage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	written := readBucket(t, out)
	if err := os.Remove(out); err != nil { // there are many, and they are large together
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(r.State, "root-%d", &root); err != nil {
		root = s.Root()
	}
	return r, written, root
}

// TestSalvageBringsNothingBack salvages damaged copies of a member's db, whose free
// pages hold what compactions removed: without being asked for it, nothing is
// written that the healthy db does not have once its compaction is done. A root that is
// a commit older can have been left before that.
func TestSalvageBringsNothingBack(t *testing.T) {
	t.Parallel()
	recovered, withheld, others := 0, 0, 0
	paths := churned(t)
	for layout, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := damage.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		healthy := readBucket(t, path)
		s, err := snapshot.OpenBytes(t.Context(), path, data, snapshot.Options{SkipHashCheck: true})
		if err != nil {
			t.Fatal(err)
		}
		compact := s.CompactRevision()
		for i := range *salvaged / len(paths) {
			copied := file.Copy(uint64(layout**salvaged + i))
			r, written, root := salvageFrom(t, copied.Data)
			if r == nil {
				continue
			}
			recovered, withheld = recovered+len(r.Recovered), withheld+len(r.Uncertain)
			scanned := map[string]bool{}
			for _, f := range r.Recovered {
				scanned[f.Revision] = true
			}
			if root != s.Root() {
				others++
				written = compacted(t, written, compact)
			}
			for key, value := range written {
				if has(healthy, key, value) || copied.Hit&(damage.Key|damage.Value) != 0 {
					continue
				}
				// A root that leads to a whole older tree looks like any other.
				if copied.Hit&(damage.Root|damage.Meta) == 0 || scanned[fmt.Sprint(binary.BigEndian.Uint64([]byte(key)))] {
					t.Fatalf("%s, copy %d, %s (%s): wrote %q, which the healthy db does not have so", path, i, copied.Kind, copied.Note, key)
				}
			}
		}
	}
	t.Logf("%d revisions were recovered from pages in no bucket, %d withheld; %d times another root's state was written", recovered, withheld, others)
	if recovered == 0 || withheld == 0 || others == 0 {
		t.Error("the scan had nothing to decide")
	}
}

// TestSalvageOtherRoot leads to every page of the file instead of the root of all,
// and instead of the root of the revisions. A whole older tree looks like any other;
// but what the scan adds to it, the healthy db has.
func TestSalvageOtherRoot(t *testing.T) {
	t.Parallel()
	const metaRoot, metaTxID, metaSum = 16 + 16, 16 + 48, 16 + 56 // bytes of a meta page
	trees, recovered := 0, 0
	for _, path := range churned(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := damage.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		healthy := readBucket(t, path)
		pageSize, le := os.Getpagesize(), binary.LittleEndian
		newest := data[:pageSize]
		if other := data[pageSize:]; le.Uint64(other[metaTxID:]) > le.Uint64(newest[metaTxID:]) {
			newest = other
		}
		try := func(name string, field []byte, id int) {
			root := le.Uint64(field)
			set := func(id uint64) {
				le.PutUint64(field, id)
				sum := fnv.New64a()
				sum.Write(newest[16:metaSum])
				le.PutUint64(newest[metaSum:], sum.Sum64())
			}
			set(uint64(id))
			defer set(root)
			r, written := salvageBytes(t, data)
			if r == nil || root == uint64(id) {
				return
			}
			trees, recovered = trees+1, recovered+len(r.Recovered)
			for _, f := range r.Recovered {
				var main, sub uint64
				if _, err := fmt.Sscanf(f.Revision+".0", "%d.%d", &main, &sub); err != nil {
					t.Fatal(err)
				}
				key := string(binary.BigEndian.AppendUint64(append(binary.BigEndian.AppendUint64(nil, main), '_'), sub))
				if f.Tombstone {
					key += "t"
				}
				if !has(healthy, key, written[key]) {
					t.Errorf("%s, page %d as %s: wrote revision %s of %s (page %d), which the healthy db does not have so", path, id, name, f.Revision, f.Key, f.Page)
				}
			}
		}
		roots := file.Roots()
		for id := 2; id < len(data)/pageSize; id++ {
			try("root", newest[metaRoot:], id)
			for _, at := range roots {
				try("root of a bucket", data[at:], id)
			}
		}
	}
	t.Logf("%d trees, %d revisions were recovered from pages in no bucket", trees, recovered)
	if recovered == 0 {
		t.Error("the scan had nothing to decide")
	}
}

// TestSalvageWrongLength flips every bit of the tables of elements that makes of a
// record another one that proves itself, as one without its value does: what such a
// record was is not known, and it is not written.
func TestSalvageWrongLength(t *testing.T) {
	t.Parallel()
	flips := 0
	for _, path := range churned(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := damage.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		healthy := readBucket(t, path)
		done := map[int]bool{}
		for _, r := range file.Revisions() {
			if done[r.Page] {
				continue
			}
			done[r.Page] = true
			page := data[r.Page:r.End]
			for at := 16; at < 16+16*int(binary.LittleEndian.Uint16(page[10:])); at += 16 {
				for bit := 32; bit < 128; bit++ { // the flags before it are no length
					page[at+bit/8] ^= 1 << (bit % 8)
					if key, value, ok := record(page, at); ok && !has(healthy, key, value) {
						flips++
						if _, written := salvageBytes(t, data); has(written, key, value) {
							t.Errorf("%s: wrote revision %d with %d bytes, it has %d (page at %d, bit %d of element at %d)",
								path, binary.BigEndian.Uint64([]byte(key)), len(value), len(healthy[key]), r.Page, bit, at)
						}
					}
					page[at+bit/8] ^= 1 << (bit % 8)
				}
			}
		}
	}
	t.Logf("%d flips", flips)
	if flips == 0 {
		t.Error("no flip made a record of another")
	}
}

// compacted is what a compaction leaves of records.
func compacted(t *testing.T, records map[string]string, rev int64) map[string]string {
	t.Helper()
	left, newest := map[string]string{}, map[string]string{}
	for _, rev17 := range slices.Sorted(maps.Keys(records)) {
		if int64(binary.BigEndian.Uint64([]byte(rev17))) > rev {
			left[rev17] = records[rev17]
			continue
		}
		var kv mvccpb.KeyValue
		if err := proto.Unmarshal([]byte(records[rev17]), &kv); err != nil {
			t.Fatal(err)
		}
		newest[string(kv.Key)] = rev17
	}
	for _, rev17 := range newest {
		if len(rev17) == 17 || int64(binary.BigEndian.Uint64([]byte(rev17))) == rev {
			left[rev17] = records[rev17]
		}
	}
	return left
}

func has(records map[string]string, key, value string) bool {
	v, ok := records[key]
	return ok && v == value
}

// record reads the element at a byte of a leaf page as etcd would.
func record(page []byte, at int) (key, value string, ok bool) {
	le := binary.LittleEndian
	pos, keySize, size := int(le.Uint32(page[at+4:])), int(le.Uint32(page[at+8:])), int(le.Uint32(page[at+12:]))
	from := at + pos
	if keySize != 17 && keySize != 18 || from+keySize+size > len(page) {
		return "", "", false
	}
	raw := page[from+keySize : from+keySize+size]
	err := proto.Unmarshal(raw, &mvccpb.KeyValue{})
	return string(page[from : from+keySize]), string(raw), err == nil
}
