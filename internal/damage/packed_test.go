package damage

import (
	"archive/tar"
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

const (
	logCopies    = 1000
	packedCopies = 1000
)

// changes damage any bytes, whatever they are. Each says what it did.
var changes = []func(rng *rand.Rand, data []byte) ([]byte, string){
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		at := rng.IntN(len(data))
		data[at] ^= 1 << rng.IntN(8)
		return data, fmt.Sprintf("bit of byte %d flipped", at)
	},
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		at := rng.IntN(len(data))
		part := data[at:min(len(data), at+1+rng.IntN(4096))]
		clear(part)
		return data, fmt.Sprintf("%d bytes at %d zeroed", len(part), at)
	},
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		at := rng.IntN(len(data))
		part := data[at:min(len(data), at+1+rng.IntN(512))]
		for i := range part {
			part[i] = byte(rng.Uint32())
		}
		return data, fmt.Sprintf("%d bytes at %d random", len(part), at)
	},
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		n := rng.IntN(len(data))
		return data[:n], fmt.Sprintf("cut to %d bytes", n)
	},
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		from, to := rng.IntN(len(data)), rng.IntN(len(data))
		n := copy(data[to:], bytes.Clone(data[from:min(len(data), from+1+rng.IntN(2048))]))
		return data, fmt.Sprintf("%d bytes from %d at %d", n, from, to)
	},
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		at := rng.IntN(len(data))
		n := min(len(data)-at, 1+rng.IntN(1024))
		return slices.Delete(data, at, at+n), fmt.Sprintf("%d bytes at %d gone", n, at)
	},
	func(rng *rand.Rand, data []byte) ([]byte, string) {
		extra := make([]byte, 1+rng.IntN(1024))
		for i := range extra {
			extra[i] = byte(rng.Uint32())
		}
		at := rng.IntN(len(data) + 1)
		return slices.Insert(data, at, extra...), fmt.Sprintf("%d bytes put in at %d", len(extra), at)
	},
}

// judge holds what was read of a damaged copy against what is read of the healthy
// one: a wrong answer must come with a problem.
func judge(t *testing.T, c *tally, note string, healthy, got answers, excused bool) {
	t.Helper()
	diff := firstDiff(healthy.lines, got.lines)
	switch {
	case got.err != nil:
		c.refused++
	case !slices.Equal(got.problems, healthy.problems):
		c.reported++
	case diff == "":
		c.same++
	case excused:
		c.excused++
	default:
		t.Errorf("%s: wrong without a problem: %s", note, diff)
	}
}

// TestDamagedLogs reads the directory of a killed member whose log is damaged.
func TestDamagedLogs(t *testing.T) {
	const name = "member/wal/0000000000000000-0000000000000000.wal"
	files := corpus.Files(t, clusters+"scenario-5/datadir-lagging/member.tar.gz")
	log := bytes.TrimRight(files[name], "\x00")
	log = log[:len(log):len(log)]
	dir := t.TempDir()
	put := func(name string, data []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const zeros = 1 << 14
	put("member/snap/db", files["member/snap/db"])
	put(name, append(bytes.Clone(log), make([]byte, zeros)...))
	healthy, allocated0 := askInTime(t, dir, snapshot.Options{SkipHashCheck: true})
	if healthy.err != nil {
		t.Fatal(healthy.err)
	}
	var c tally
	for seed := range uint64(logCopies) {
		rng := rand.New(rand.NewPCG(seed, 0x6c6f67))
		data, note := changes[seed%uint64(len(changes))](rng, bytes.Clone(log))
		// A log of which the end is zeros looks like one that ends there.
		ends := bytes.HasPrefix(log, bytes.TrimRight(data, "\x00"))
		put(name, append(data, make([]byte, zeros)...))
		got, allocated1 := askInTime(t, dir, snapshot.Options{SkipHashCheck: true})
		if allocated1 > 4*allocated0+allocated {
			t.Errorf("seed %d: %s: %d bytes allocated", seed, note, allocated1)
		}
		judge(t, &c, fmt.Sprintf("seed %d: %s", seed, note), healthy, got, ends)
	}
	t.Logf("of %d copies %s", logCopies, c)
}

// TestDamagedArchives reads damaged containers of every format.
func TestDamagedArchives(t *testing.T) {
	db := corpus.Unpack(t, "../../testdata/etcd/compacted.db.gz")
	member := corpus.Files(t, "../../testdata/etcd/versions/3.6/member.tar.gz")
	for name := range member {
		if filepath.Ext(name) == ".wal" {
			member[name] = append(bytes.TrimRight(member[name], "\x00"), make([]byte, 4096)...)
		}
	}
	delete(member, "member/wal/0.tmp")
	delete(member, "member/wal/1.tmp")
	packed := tarOf(member)
	var unpackedZip, zstds bytes.Buffer
	zw := zip.NewWriter(&unpackedZip)
	f, _ := zw.Create("etcd-snapshot.db")
	f.Write(db)
	zw.Close()
	ew, _ := zstd.NewWriter(&zstds)
	ew.Write(db)
	ew.Close()
	bases := map[string][]byte{
		"gzip": gzipOf(db), "zstd": zstds.Bytes(), "zip": unpackedZip.Bytes(), "tar": tarOf(map[string][]byte{"snapshot.db": db}),
		"tar.gz of a member": gzipOf(packed),
	}
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			path := filepath.Join(t.TempDir(), "evidence")
			write := func(data []byte) {
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(base)
			healthy, before := askInTime(t, path, snapshot.Options{})
			if healthy.err != nil {
				t.Fatal(healthy.err)
			}
			var c tally
			for seed := range uint64(packedCopies / len(bases)) {
				rng := rand.New(rand.NewPCG(seed, 0x706b64))
				data, note := changes[seed%uint64(len(changes))](rng, bytes.Clone(base))
				write(data)
				got, after := askInTime(t, path, snapshot.Options{})
				if after > 4*before+allocated {
					t.Errorf("seed %d: %s: %d bytes allocated", seed, note, after)
				}
				judge(t, &c, fmt.Sprintf("seed %d: %s", seed, note), healthy, got, false)
			}
			t.Logf("of %d copies %s", packedCopies/len(bases), c)
			if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
				t.Errorf("%s was left behind", left[0].Name())
			}
		})
	}
}

func tarOf(files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w.WriteHeader(&tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o600, Typeflag: tar.TypeReg})
		w.Write(files[name])
	}
	w.Close()
	return b.Bytes()
}

func gzipOf(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}
