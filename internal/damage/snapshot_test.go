package damage

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/decoder/encryption"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

var copies = flag.Int("copies", 4000, "damaged copies, over all bases and ways to open them; 2,000 more are in packed_test.go")

const (
	deadline  = 5 * time.Second // for all questions to one copy
	allocated = 64 << 20        // bytes that a copy may cost beyond four times what the healthy file does
)

// TestDamagedCopies asks everything of damaged copies of several snapshots. None
// may crash the reader, hold it up or make it allocate without bound, and an
// answer that differs from the healthy file's must come with a problem, but
// where only bytes inside keys or values were hit and nothing vouches for them.
func TestDamagedCopies(t *testing.T) {
	bases := damageBases(t)
	ways := []struct {
		name    string
		trailer bool
		skip    bool
	}{
		{"without trailer", false, false},
		{"without trailer", false, false}, // with other seeds: as many as with one
		{"with trailer", true, false},
		{"with trailer, hash check skipped", true, true},
	}
	each := *copies / len(bases) / len(ways)
	seed := uint64(0)
	for _, base := range bases {
		for _, way := range ways {
			t.Run(base.name+" "+way.name, func(t *testing.T) {
				data := base.data
				if !way.trailer {
					data = data[:len(data)-32]
				}
				d := newDamageTest(t, data, snapshot.Options{SkipHashCheck: way.skip, Decrypt: base.decrypt})
				for range each {
					d.try(t, seed)
					seed++
				}
				t.Logf("of %d copies %s", each, d.tally)
			})
		}
	}
}

// TestReadAlike: what is read of a copy, and what is wrong with it, is the same in however
// many parts it is read.
func TestReadAlike(t *testing.T) {
	bases := damageBases(t)
	for i, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			d := newDamageTest(t, base.data, snapshot.Options{SkipHashCheck: true, Decrypt: base.decrypt})
			for n := range *copies / len(bases) / 20 {
				seed := uint64(n*len(bases) + i)
				c := d.base.Copy(seed)
				d.opts.Workers = 1
				want, _ := d.ask(t, c.Data)
				want.beside(t, c.Data, d.opts)
				for _, d.opts.Workers = range []int{2, 3, 8} {
					got, _ := d.ask(t, c.Data)
					got.beside(t, c.Data, d.opts)
					diff := cmp.Or(firstDiff(want.lines, got.lines), firstDiff(want.problems, got.problems))
					if fmt.Sprint(got.err) != fmt.Sprint(want.err) || diff != "" {
						t.Errorf("seed %d: %s (%s), in %d parts: %v, was %v: %s", seed, c.Kind, c.Note, d.opts.Workers, got.err, want.err, diff)
					}
				}
			}
		})
	}
}

// beside adds what a snapshot says of what its tree does not lead to.
func (a *answers) beside(t *testing.T, data []byte, opts snapshot.Options) {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "copy.db", data, opts)
	if err != nil {
		return // as it was refused before
	}
	defer s.Close()
	usage, err := s.Usage(t.Context())
	a.add("usage %+v, %v", usage, err)
	missing, err := s.Missing(t.Context())
	text, marshal := json.Marshal(missing)
	a.add("missing %s, %v, %v", text, err, marshal)
	c, err := s.Carve(t.Context())
	if err != nil {
		a.add("%v", err)
		return
	}
	a.add("carved %d from %d to %d, %d conflicts, %d foreign, windows %v", c.Count, c.Oldest, c.Newest, c.Conflicts, c.Foreign, c.Windows)
	for r := range c.Records {
		a.add("carved %+v", r)
	}
}

// damageBase is a healthy snapshot with trailer.
type damageBase struct {
	name    string
	data    []byte
	decrypt func(string, []byte) ([]byte, error)
}

// damageBases are a snapshot of a real cluster, and fixtures with what real
// clusters do not have.
func damageBases(t *testing.T) []damageBase {
	t.Helper()
	keys, err := encryption.Load(encryptedCluster + "encryption.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bases := []damageBase{
		{name: "cluster", data: corpus.Unpack(t, cluster)},
		{name: "encrypted", data: corpus.Unpack(t, encryptedCluster+"backup.db.gz"), decrypt: keys.Decrypt},
	}
	for _, name := range []string{"compacted", "compaction-scheduled", "bumped-and-written"} {
		bases = append(bases, damageBase{name: name, data: corpus.Unpack(t, "../../testdata/etcd/"+name+".db.gz")})
	}
	return bases
}

// damageTest is one base and one way to open it.
type damageTest struct {
	base    *File
	path    string // of the copy under test; left behind when the process dies
	opts    snapshot.Options
	checked bool // whether a trailer vouches for every byte
	healthy answers
	bytes   uint64 // allocated for the healthy file
	tally   tally
}

// tally counts what became of the copies.
type tally struct{ refused, reported, same, excused int }

func (c tally) String() string {
	return fmt.Sprintf("%d were refused, %d read with problems, %d read right, %d differ inside a key or value", c.refused, c.reported, c.same, c.excused)
}

func newDamageTest(t *testing.T, base []byte, opts snapshot.Options) *damageTest {
	t.Helper()
	file, err := Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	d := &damageTest{
		base:    file,
		path:    filepath.Join(t.TempDir(), "copy.db"),
		opts:    opts,
		checked: len(base)%512 == 32 && !opts.SkipHashCheck,
	}
	d.healthy, d.bytes = d.ask(t, base)
	if d.healthy.err != nil {
		t.Fatal(d.healthy.err)
	}
	return d
}

// try makes the copy of a seed and judges the answers to it.
func (d *damageTest) try(t *testing.T, seed uint64) {
	t.Helper()
	c := d.base.Copy(seed)
	got, bytes := d.ask(t, c.Data)
	if bytes > 4*d.bytes+allocated {
		t.Errorf("seed %d: %s (%s): %d bytes allocated", seed, c.Kind, c.Note, bytes)
	}
	diff := firstDiff(d.healthy.lines, got.lines)
	switch {
	case got.err != nil:
		d.tally.refused++
	case !slices.Equal(got.problems, d.healthy.problems):
		d.tally.reported++
	case diff == "":
		d.tally.same++
	case c.Hit&(Key|Value) != 0 && !d.checked:
		d.tally.excused++
	default:
		t.Errorf("seed %d: %s (%s): wrong without a problem: %s", seed, c.Kind, c.Note, diff)
	}
}

// ask is askInTime for a copy.
func (d *damageTest) ask(t *testing.T, data []byte) (answers, uint64) {
	t.Helper()
	if err := os.WriteFile(d.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return askInTime(t, d.path, d.opts)
}

// askInTime asks everything of what is at path, on a goroutine that must come back
// in time. It returns the bytes that were allocated meanwhile, too.
func askInTime(t *testing.T, path string, opts snapshot.Options) (answers, uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan answers, 1)
	go func() { done <- ask(t.Context(), path, opts) }()
	select {
	case a := <-done:
		runtime.ReadMemStats(&after)
		return a, after.TotalAlloc - before.TotalAlloc
	case <-time.After(deadline):
		t.Fatalf("no answer after %v", deadline)
		panic("unreachable")
	}
}

// answers are all that a snapshot says, a line an answer.
type answers struct {
	err      error    // it was refused
	problems []string // what it says is wrong
	lines    []string
}

func (a *answers) add(format string, args ...any) {
	a.lines = append(a.lines, fmt.Sprintf(format, args...))
}

func (a *answers) problem(what any) { a.problems = append(a.problems, fmt.Sprint(what)) }

// firstDiff shows the first answer that differs, "" when none does.
func firstDiff(want, got []string) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("no %.300s", want[i])
		case i >= len(want):
			return fmt.Sprintf("%.300s was not there", got[i])
		case want[i] != got[i]:
			return fmt.Sprintf("%.300s was %.300s", got[i], want[i])
		}
	}
	return ""
}

var seed = maphash.MakeSeed()

func ask(ctx context.Context, path string, opts snapshot.Options) (a answers) {
	s, err := snapshot.Open(ctx, path, opts)
	if err != nil {
		return answers{err: err}
	}
	defer s.Close()
	a.add("revision %d, compact revision %d, newest record %d of %d", s.Revision(), s.CompactRevision(), s.NewestRecord(), s.Len())
	a.add("bump markers %v", s.BumpMarkers())
	a.add("meta %+v", s.Meta())
	for _, rev := range []int64{s.CompactRevision(), (s.CompactRevision() + s.Revision()) / 2, s.Revision()} {
		a.state(s, rev)
	}
	for key := range s.AllKeys("") {
		a.history(s, key)
	}
	if c, err := s.Carve(ctx); err != nil {
		a.problem(err)
	} else if c.Count > s.Len()+1_000_000 {
		a.problem("more was carved than can be there")
	}
	if status, err := s.Status(ctx); err != nil {
		a.problem(err)
	} else {
		a.add("status %+v", status)
	}
	if in, err := s.Integrity(ctx); err != nil {
		a.problem(err)
	} else if in.Bad() {
		a.problem(in.Checks)
	}
	for _, p := range s.Problems() {
		a.problem(p)
	}
	return a
}

func (a *answers) state(s *snapshot.Snapshot, rev int64) {
	view, err := s.At(rev)
	if err != nil {
		a.problem(err)
		return
	}
	var b strings.Builder
	for r := range view.Keys("") {
		fmt.Fprintf(&b, " %q@%s", r.Key, r.Revision)
	}
	a.add("at %d:%s", rev, b.String())
}

func (a *answers) history(s *snapshot.Snapshot, key string) {
	var b strings.Builder
	for _, r := range s.History(key) {
		value, err := s.Value(r)
		if err != nil {
			a.problem(err)
		}
		lease, err := s.Lease(r)
		if err != nil {
			a.problem(err)
		}
		fmt.Fprintf(&b, " {%s %t create %d version %d generation %d lease %d value %x}", r.Revision, r.Tombstone,
			r.CreateRevision, r.Version, r.Generation, lease, maphash.Bytes(seed, value))
	}
	a.add("history of %q:%s", key, b.String())
}
