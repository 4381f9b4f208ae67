package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/delta/deltatest"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
	"revenant/internal/corpus"
)

// lack is a way in which evidence can lack something.
type lack struct {
	name string
	make func(t *testing.T, path string, db []byte) // of a db with its trailer
	// bounded says that how much is missing is known, so that a bump may be enough.
	bounded bool
}

// voting is a db of a cluster with these members.
func voting(t *testing.T, db []byte, members ...uint64) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "db")
	writeFile(t, name, db)
	b, err := bbolt.Open(name, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := json.Marshal(map[string]any{"voters": members, "auto_leave": false})
	err = firstError(err, b.Update(func(tx *bbolt.Tx) error {
		if err := firstError(tx.DeleteBucket([]byte("members")), tx.Bucket([]byte("meta")).Put([]byte("confState"), conf)); err != nil {
			return err
		}
		bucket, err := tx.CreateBucket([]byte("members"))
		for _, id := range members {
			err = firstError(err, bucket.Put(fmt.Appendf(nil, "%x", id), fmt.Appendf(nil, `{"id":%d,"peerURLs":["http://m%d:2380"],"name":"m%d"}`, id, id, id)))
		}
		return err
	}), b.Close())
	if err != nil {
		t.Fatal(err)
	}
	if db, err = os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	return db
}

// alone is a db of a cluster whose only member has the logs that tests write.
func alone(t *testing.T, db []byte) []byte {
	t.Helper()
	return voting(t, raw(db), waltest.Member)
}

// directory makes the data directory of a member with a log that begins some entries
// after what the db has applied.
func directory(t *testing.T, path string, db []byte, skip uint64, write func(l *waltest.Log)) {
	t.Helper()
	index := snapshottest.OpenBytes(t, path, db).Meta().ConsistentIndex
	file := filepath.Join(path, "member", "snap", "db")
	if err := firstError(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, db, 0o600)); err != nil {
		t.Fatal(err)
	}
	l := waltest.New(t, filepath.Join(path, "member", "wal"), index+skip)
	write(l)
	l.Close()
}

// puts appends entries that each make a revision.
func puts(l *waltest.Log, n int) {
	for i := range n {
		l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: fmt.Appendf(nil, "/registry/configmaps/x/%d", i), Value: []byte("x")}})
	}
	l.Commit()
}

// three is a log of three segments.
func three(l *waltest.Log) {
	for i := range 3 {
		if i > 0 {
			l.Cut()
		}
		puts(l, 20)
	}
}

// segment is one of the segments of the log in a directory.
func segment(t *testing.T, path string, n int) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(path, "member", "wal", "*.wal"))
	if err != nil || n >= len(list) {
		t.Fatalf("segments %q, %v", list, err)
	}
	return list[n]
}

// raw is the db without the trailer that a snapshot has.
func raw(db []byte) []byte { return db[:len(db)-32] }

var lacks = []lack{
	{"a member's own db without its log", func(t *testing.T, path string, db []byte) {
		writeFile(t, path, raw(db))
	}, true},
	{"a log that begins later", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 500, func(l *waltest.Log) { puts(l, 20) })
	}, true},
	{"a segment that is missing in the middle", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, three)
		if err := os.Remove(segment(t, path, 1)); err != nil {
			t.Fatal(err)
		}
	}, true},
	{"a segment that is damaged in the middle", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, three)
		change(t, segment(t, path, 1), "/registry/configmaps/x/7")
	}, true},
	{"a log that is damaged near its end", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, three)
		change(t, segment(t, path, 2), "/registry/configmaps/x/7")
	}, true},
	{"a copy of the log that was cut short", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, three)
		last := segment(t, path, 2)
		data, err := os.ReadFile(last)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, last, data[:bytes.Index(data, []byte("/registry/configmaps/x/7"))])
	}, false},
	{"a segment that is a directory", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, three)
		last := segment(t, path, 2)
		if err := firstError(os.Remove(last), os.Mkdir(last, 0o755)); err != nil {
			t.Fatal(err)
		}
	}, false},
	{"no segment", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, func(*waltest.Log) {})
		if err := os.Remove(segment(t, path, 0)); err != nil {
			t.Fatal(err)
		}
	}, false},
	{"an entry that cannot be read", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, func(l *waltest.Log) {
			puts(l, 5)
			l.Entry([]byte("\xff\xff\xff"))
			puts(l, 5)
		})
	}, true},
	{"entries that may not be agreed on", func(t *testing.T, path string, db []byte) {
		directory(t, path, voting(t, raw(db), waltest.Member, 2), 0, func(l *waltest.Log) {
			for range 30 {
				l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("/x"), Value: []byte("x")}})
			}
		})
	}, true},
	{"what two members of three agreed to", func(t *testing.T, path string, db []byte) {
		directory(t, path, voting(t, raw(db), waltest.Member, 2, 3), 0, func(l *waltest.Log) { puts(l, 20) })
	}, false},
	{"a db of one member of three", func(t *testing.T, path string, db []byte) {
		writeFile(t, path, voting(t, raw(db), waltest.Member, 2, 3))
	}, false},
	{"a directory of a member that does not vote", func(t *testing.T, path string, db []byte) {
		directory(t, path, voting(t, raw(db), 2), 0, func(l *waltest.Log) { puts(l, 20) })
	}, false},
	{"a directory of a member that was removed", func(t *testing.T, path string, db []byte) {
		directory(t, path, voting(t, raw(db), waltest.Member, 2), 0, func(l *waltest.Log) {
			kind, entry := raftpb.ConfChangeRemoveNode, raftpb.EntryConfChange
			data, err := proto.Marshal(&raftpb.ConfChange{Type: &kind, NodeId: new(uint64(waltest.Member))})
			if err != nil {
				t.Fatal(err)
			}
			l.Append(&raftpb.Entry{Type: &entry, Data: data})
			l.Commit()
		})
	}, false},
	{"a db that the leader had sent", func(t *testing.T, path string, db []byte) {
		directory(t, path, alone(t, db), 0, func(l *waltest.Log) { puts(l, 20) })
		writeFile(t, filepath.Join(path, "member", "snap", fmt.Sprintf("%016x.snap.db", 1<<40)), raw(db))
	}, false},
	{"bytes that were changed", func(t *testing.T, path string, db []byte) {
		db = bytes.Clone(db)
		db[len(db)-1]++
		writeFile(t, path, db)
	}, false},
	{"a delta file that is not there", func(t *testing.T, path string, db []byte) {
		deltas(t, path, db, 5, deltatest.File(nil))
	}, true},
	{"a delta file that was changed", func(t *testing.T, path string, db []byte) {
		file := deltatest.File(nil)
		file[0]++
		deltas(t, path, db, 1, file)
	}, true},
	{"pages that are lost", func(t *testing.T, path string, db []byte) {
		db = bytes.Clone(raw(db))
		clear(db[len(db)/2/4096*4096:][:20*4096])
		writeFile(t, path, db)
	}, true},
	{"both meta pages", func(t *testing.T, path string, db []byte) {
		db = bytes.Clone(raw(db))
		clear(db[:2*4096])
		writeFile(t, path, db)
	}, true},
	{"the meta page of the newest state", func(t *testing.T, path string, db []byte) {
		db = bytes.Clone(raw(db))
		clear(db[:100])
		writeFile(t, path, db)
	}, true},
}

// deltas makes a store of a full snapshot and a delta file that begins some revisions
// after it.
func deltas(t *testing.T, path string, db []byte, after int64, delta []byte) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	rev := snapshottest.OpenBytes(t, path, db).Revision()
	writeFile(t, filepath.Join(path, deltatest.Name("Full", 0, rev, "")), db)
	writeFile(t, filepath.Join(path, deltatest.Name("Incr", rev+after, rev+after+20, "")), delta)
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// change changes a byte where a text stands in a file.
func change(t *testing.T, path, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	at := bytes.Index(data, []byte(text))
	if err != nil || at < 0 {
		t.Fatalf("%q at %d of %s: %v", text, at, path, err)
	}
	data[at]++
	writeFile(t, path, data)
}

// TestMissingEvidence gives a pair of which a file lacks something to every command
// that says what a restore does or what a file holds. None says that nothing is undone,
// that no pod is affected, or that a bump is enough without that being known.
func TestMissingEvidence(t *testing.T) {
	whole := corpus.Unpack(t, cluster("scenario-1/plain/backup"))
	newest := corpus.Unpack(t, cluster("scenario-1/plain/current"))
	untrue := regexp.MustCompile(`No phantoms and no ghosts|hold the same|All that the evidence held|has applied all of it|  gap +[\d,]+ revisions|grade +whole|Nothing runs that|problems +none|pods need no attention;|Nothing differs|bump is enough\.|It is enough`)
	for _, l := range lacks {
		t.Run(l.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("XDG_STATE_HOME", dir)
			in := func(name string) string { return filepath.Join(dir, name) }
			writeFile(t, in("whole.db"), whole)
			writeFile(t, in("newest.db"), newest)
			writeFile(t, in("pods.json"), []byte(`{"kind":"PodList","apiVersion":"v1","items":[]}`))
			l.make(t, in("lacking"), whole)
			ask := func(args ...string) string {
				t.Helper()
				var out, errs bytes.Buffer
				code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs})
				if code == exitFailed {
					t.Fatalf("%q: %s", args, &errs)
				}
				return out.String()
			}
			// No revision lies between the two: only what is missing can have changed.
			for _, args := range [][]string{
				{"predict", in("whole.db"), in("lacking")},
				{"predict", in("lacking"), in("newest.db")},
				{"predict", in("whole.db"), in("lacking"), "--compare"},
				{"plan", in("whole.db"), in("lacking")},
				{"plan", in("lacking"), in("newest.db")},
				{"plan", in("lacking")},
				{"preflight", in("whole.db"), in("lacking")},
				{"preflight", in("lacking"), in("newest.db")},
				{"preflight", in("lacking")},
				{in("whole.db"), in("lacking")},
			} {
				text := strings.Join(strings.Fields(ask(args...)), " ")
				if !strings.Contains(text, "Evidence is missing: from the ") {
					t.Errorf("%q does not say that evidence is missing:\n%s", args[:1], text)
				}
				if said := untrue.FindString(text); said != "" {
					t.Errorf("%q says %q:\n%s", args[:1], said, text)
				}
			}
			for _, args := range [][]string{
				{"inspect", in("lacking")},
				{"salvage", in("lacking"), "-o", in("clean.db")},
				{"verify", in("lacking"), "--kubelet", "nowhere=" + in("pods.json"), "--partial"},
			} {
				text := ask(args...)
				if !strings.Contains(text, "  missing  ") {
					t.Errorf("%q does not say what is missing:\n%s", args[0], text)
				}
				if said := untrue.FindString(text); said != "" {
					t.Errorf("%q says %q:\n%s", args[0], said, text)
				}
			}
			var inspected struct {
				Evidence []struct {
					Missing  []snapshot.Missing `json:"missing"`
					Problems []snapshot.Problem `json:"problems"`
				} `json:"evidence"`
			}
			if err := json.Unmarshal([]byte(ask("inspect", in("lacking"), "-o", "json")), &inspected); err != nil {
				t.Fatal(err)
			}
			if e := inspected.Evidence[0]; len(e.Missing) == 0 {
				t.Errorf("missing %v, problems %v", e.Missing, e.Problems)
			}
			var predicted struct {
				Revisions struct{ BumpVerdict string }
			}
			if err := json.Unmarshal([]byte(ask("predict", in("whole.db"), in("lacking"), "-o", "json", "--bump-revision", "100000000", "--mark-compacted")), &predicted); err != nil {
				t.Fatal(err)
			}
			if enough := predicted.Revisions.BumpVerdict == "enough"; enough != l.bounded {
				t.Errorf("a bump of a hundred million is %q", predicted.Revisions.BumpVerdict)
			}
		})
	}
}
