package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	bolt "go.etcd.io/bbolt"

	"revenant/decoder/delta/deltatest"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"revenant": main,
	})
}

// TestScripts runs every script in testdata/script. Evidence is made by the
// script's own commands, and after the script every file of it must be what it
// was: same bytes, size, mode and time of modification.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Values[evidenceKey{}] = &evidence{files: map[string]string{}}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"unpack":  cmdUnpack,
			"member":  cmdMember,
			"archive": cmdArchive,
			"store":   func(ts *testscript.TestScript, _ bool, args []string) { cmdStore(t, ts, args) },
			"copy":    cmdCopy,
			"alter":   cmdAlter,
			"intact":  cmdIntact,
			"exits":   cmdExits,
		},
	})
}

// evidence remembers what each file of evidence was when it was made.
type evidence struct {
	files map[string]string
}

type evidenceKey struct{}

// made is the time of modification of all evidence: long ago, so that any
// write shows.
var made = time.Date(2026, 1, 2, 3, 4, 5, 600_700_800, time.UTC)

func fingerprint(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%s %d %v %s", hex.EncodeToString(sum[:]), info.Size(), info.Mode(), info.ModTime().UTC().Format(time.RFC3339Nano)), nil
}

func add(ts *testscript.TestScript, name string, data []byte) {
	path := ts.MkAbs(name)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) { // evidence that is replaced cannot be written over
		ts.Check(err)
	}
	ts.Check(os.WriteFile(path, data, 0o444))
	ts.Check(os.Chtimes(path, made, made))
	was, err := fingerprint(path)
	ts.Check(err)
	e := ts.Value(evidenceKey{}).(*evidence)
	if len(e.files) == 0 {
		ts.Defer(func() { e.check(ts) })
	}
	e.files[path] = was
}

func (e *evidence) check(ts *testscript.TestScript) {
	for path, was := range e.files {
		now, err := fingerprint(path)
		ts.Check(err)
		if now != was {
			ts.Fatalf("evidence %s changed\nwas %s\nis  %s", path, was, now)
		}
		dir, err := os.ReadDir(filepath.Dir(path))
		ts.Check(err)
		for _, f := range dir {
			if name := f.Name(); name[0] == '.' && f.Type() == fs.FileMode(0) {
				ts.Fatalf("%s was left beside the evidence", name)
			}
		}
	}
}

// cmdStore: store RUN/MODE DIR REVISION... makes a store of Gardener's from two of the
// shared snapshots: the backup, and the changes from there to each of the revisions.
func cmdStore(t *testing.T, ts *testscript.TestScript, args []string) {
	full := corpus.Unpack(t, cluster(args[0]+"/backup"))
	current := snapshottest.OpenBytes(t, "current", corpus.Unpack(t, cluster(args[0]+"/current")))
	at := snapshottest.OpenBytes(t, "backup", full).Revision()
	add(ts, filepath.Join(args[1], deltatest.Name("Full", 0, at, ".gz")), deltatest.Pack(t, full, ".gz"))
	for _, arg := range args[2:] {
		to, err := strconv.ParseInt(arg, 10, 64)
		ts.Check(err)
		file := deltatest.File(deltatest.Events(t, current, at+1, to))
		add(ts, filepath.Join(args[1], deltatest.Name("Incr", at+1, to, ".gz")), deltatest.Pack(t, file, ".gz"))
		at = to
	}
}

// cmdUnpack: unpack RUN/MODE/NAME FILE makes a file of evidence from one of the
// shared snapshots.
func cmdUnpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unpack RUN/MODE/NAME FILE")
	}
	add(ts, args[1], corpus.Unpack(ts, cluster(args[0])))
}

// cmdMember: member RUN/MODE DIRECTORY makes the data directory of a member.
func cmdMember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: member RUN/MODE DIRECTORY")
	}
	for name, data := range corpus.Files(ts, memberArchive(args[0])) {
		add(ts, filepath.Join(args[1], filepath.FromSlash(name)), data)
	}
}

// cmdArchive: archive RUN/MODE FILE makes the archive of a member's directory.
func cmdArchive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: archive RUN/MODE FILE")
	}
	data, err := os.ReadFile(memberArchive(args[0]))
	ts.Check(err)
	add(ts, args[1], data)
}

func memberArchive(run string) string {
	return filepath.Join(repository, "testdata/clusters", run, "member.tar.gz")
}

// cluster is one of the shared snapshots, named RUN/MODE/NAME.
func cluster(name string) string {
	return filepath.Join(repository, "testdata/clusters", name+".db.gz")
}

// repository is the root of the repository, found before any script changes
// the directory.
var repository = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// cmdCopy: copy FROM TO WHAT [N] makes evidence from other evidence: its first
// N bytes (head), all but the last N (cut), with byte N changed (flip), with N
// zero bytes after it (pad), packed (gzip), or as it is (same).
func cmdCopy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: copy FROM TO head|cut|flip|pad|gzip|same [N]")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	n := 0
	if len(args) > 3 {
		n, err = strconv.Atoi(args[3])
		ts.Check(err)
	}
	switch args[2] {
	case "same":
	case "head":
		data = data[:n]
	case "cut":
		data = data[:len(data)-n]
	case "flip":
		data[n] ^= 0xFF
	case "pad":
		data = append(data, make([]byte, n)...)
	case "gzip":
		packed, err := os.CreateTemp(ts.MkAbs("."), "packed")
		ts.Check(err)
		z := gzip.NewWriter(packed)
		_, err = z.Write(data)
		ts.Check(err)
		ts.Check(z.Close())
		ts.Check(packed.Close())
		data, err = os.ReadFile(packed.Name())
		ts.Check(err)
		ts.Check(os.Remove(packed.Name()))
	default:
		ts.Fatalf("copy: unknown change %s", args[2])
	}
	add(ts, args[1], data)
}

// cmdAlter: alter FROM TO REVISION makes evidence from other evidence as etcd would
// have written it, had the last byte of the record at a revision been another. The
// trailer is left out.
func cmdAlter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: alter FROM TO REVISION")
	}
	rev, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	path := ts.MkAbs("altered")
	ts.Check(os.WriteFile(path, data[:len(data)/512*512], 0o600))
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	ts.Check(err)
	ts.Check(db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("key"))
		key := append(binary.BigEndian.AppendUint64(nil, uint64(rev)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
		value := slices.Clone(b.Get(key))
		if len(value) == 0 {
			return fmt.Errorf("no record at revision %d", rev)
		}
		value[len(value)-1] ^= 1
		return b.Put(key, value)
	}))
	ts.Check(db.Close())
	data, err = os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.Remove(path))
	add(ts, args[1], data)
}

// cmdIntact checks all evidence so far.
func cmdIntact(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: intact")
	}
	ts.Value(evidenceKey{}).(*evidence).check(ts)
}

// cmdExits: exits CODE PROGRAM ARG... runs a program that must end with that
// exit code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
