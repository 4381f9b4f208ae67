package snapshot_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

const versions = "../../testdata/etcd/versions"

// answers is what the etcds said that made the files in testdata/etcd/versions
// (oracle/cmd/versions).
type answers struct {
	Snapshot           answer `json:"snapshot"`
	Member             answer `json:"member"`
	CompactedTombstone string `json:"compactedTombstone"`
}

type answer struct {
	Etcd            string         `json:"etcd"`
	MemberID        string         `json:"memberID"`
	RaftTerm        uint64         `json:"raftTerm"`
	RaftApplied     uint64         `json:"raftApplied"`
	Revision        int64          `json:"revision"`
	CompactRevision int64          `json:"compactRevision"`
	HashKV          []hashKV       `json:"hashKV"`
	HashAtCompact   *hashKV        `json:"hashAtCompact"`
	States          []versionState `json:"states"`
}

type hashKV struct {
	Asked           int64  `json:"asked"`
	Hash            uint32 `json:"hash"`
	HashRevision    int64  `json:"hashRevision"`
	CompactRevision int64  `json:"compactRevision"`
}

type versionState struct {
	Revision int64        `json:"revision"`
	Keys     []versionKey `json:"keys"`
}

type versionKey struct {
	Key            string `json:"key"`
	CreateRevision int64  `json:"createRevision"`
	ModRevision    int64  `json:"modRevision"`
	Version        int64  `json:"version"`
	Lease          int64  `json:"lease"`
	ValueSHA256    string `json:"valueSHA256"`
}

// etcdVersion is what the files of one version have that others may not.
type etcdVersion struct {
	name           string
	storageVersion string // from 3.6
	clusterVersion string
	term           bool // and raft's configuration; from 3.5
	tombstone      bool // a compaction keeps the one at its very revision; from 3.4.34 and 3.5.16
	remembers      bool // a member answers for its last compaction's revision from memory; from 3.5.5
}

var etcdVersions = []etcdVersion{
	{name: "3.4", clusterVersion: "3.4.0"},
	{name: "3.5", clusterVersion: "3.5.0", term: true, tombstone: true, remembers: true},
	{name: "3.6", clusterVersion: "3.6.0", storageVersion: "3.6.0", term: true, tombstone: true, remembers: true},
	{name: "3.7", clusterVersion: "3.7.0", storageVersion: "3.7.0", term: true, tombstone: true, remembers: true},
}

func said(t *testing.T, version string) (a answers) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(versions, version, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestVersions holds the snapshots that etcd 3.4 to 3.7 saved against what these
// etcds said of themselves.
func TestVersions(t *testing.T) {
	for _, v := range etcdVersions {
		t.Run(v.name, func(t *testing.T) {
			s := openGzip(t, filepath.Join(versions, v.name, "snapshot.db.gz"))
			all := said(t, v.name)
			a := all.Snapshot
			checkHealthy(t, s)
			if s.Revision() != a.Revision || s.CompactRevision() != a.CompactRevision {
				t.Errorf("revision %d, compact %d, etcd says %d and %d", s.Revision(), s.CompactRevision(), a.Revision, a.CompactRevision)
			}
			for _, want := range a.States {
				if diff := cmp.Diff(want, stateOf(t, s, want.Revision)); diff != "" {
					t.Errorf("at revision %d (-etcd +revenant):\n%s", want.Revision, diff)
				}
			}
			checkHashes(t, s, &a)
			checkHashAtCompact(t, s, &a, v.remembers)
			checkMeta(t, s.Meta(), &a, v)

			r := s.History(all.CompactedTombstone)
			if kept := len(r) == 1 && r[0].Tombstone && r[0].Main == a.CompactRevision; kept != v.tombstone || !kept && len(r) > 0 {
				t.Errorf("the key whose deletion was compacted to has the records %+v", r)
			}
		})
	}
}

// TestVersionsMember opens the db of a member that was killed: a compaction is
// scheduled in it and not finished, and the newest revisions are in its log only.
func TestVersionsMember(t *testing.T) {
	for _, v := range etcdVersions {
		t.Run(v.name, func(t *testing.T) {
			s := open(t, writeFile(t, memberDB(t, v.name)))
			a := said(t, v.name).Member
			checkContent(t, s)
			if s.Revision() >= a.Revision {
				t.Errorf("revision is %d, and etcd's with its log %d", s.Revision(), a.Revision)
			}
			if m := s.Meta(); s.CompactRevision() != a.CompactRevision || m.FinishedCompact >= m.ScheduledCompact {
				t.Errorf("compact revision %d, etcd says %d; finished %d, scheduled %d", s.CompactRevision(), a.CompactRevision, m.FinishedCompact, m.ScheduledCompact)
			}
			if a.HashAtCompact == nil {
				return // 3.4 does not say
			}
			got, err := s.HashKV(t.Context(), a.CompactRevision)
			if err != nil {
				t.Fatal(err)
			}
			if got.Hash != a.HashAtCompact.Hash || got.CompactRevision != a.HashAtCompact.CompactRevision {
				t.Errorf("hash at the scheduled compaction is %+v, etcd says %+v once it has finished it", got, a.HashAtCompact)
			}
		})
	}
}

// TestVersionsMemberWithLog opens the whole directory of the killed member: the
// state is that which its etcd had after a restart.
func TestVersionsMemberWithLog(t *testing.T) {
	for _, v := range etcdVersions {
		t.Run(v.name, func(t *testing.T) {
			s := open(t, filepath.Join(versions, v.name, "member.tar.gz"))
			a := said(t, v.name).Member
			checkContent(t, s)
			if s.Revision() != a.Revision || s.CompactRevision() != a.CompactRevision {
				t.Errorf("revision %d, compact %d, etcd says %d and %d", s.Revision(), s.CompactRevision(), a.Revision, a.CompactRevision)
			}
			if w := s.WAL(); w == nil || w.MemberID != a.MemberID || w.Applied == 0 || w.Uncommitted != 0 || w.DBRevision >= a.Revision {
				t.Errorf("log %+v of member %s", w, a.MemberID)
			}
			for _, want := range a.States {
				if diff := cmp.Diff(want, stateOf(t, s, want.Revision)); diff != "" {
					t.Errorf("at revision %d (-etcd +revenant):\n%s", want.Revision, diff)
				}
			}
			checkHashes(t, s, &a)
		})
	}
}

func memberDB(t *testing.T, version string) []byte {
	t.Helper()
	path := filepath.Join(versions, version, "member.tar.gz")
	db := corpus.Files(t, path)["member/snap/db"]
	if len(db) == 0 {
		t.Fatalf("no db in %s", path)
	}
	return db
}

func checkHealthy(t *testing.T, s *snapshot.Snapshot) {
	t.Helper()
	in, err := s.Integrity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range in.Checks {
		if c.Verdict != snapshot.OK {
			t.Errorf("check %s: %s %s", c.Name, c.Verdict, c.Detail)
		}
	}
	checkContent(t, s)
}

func checkContent(t *testing.T, s *snapshot.Snapshot) {
	t.Helper()
	for _, p := range s.Problems() {
		if p.Severity == snapshot.Damage {
			t.Errorf("damage in a healthy file: %v", p)
		}
	}
}

func stateOf(t *testing.T, s *snapshot.Snapshot, rev int64) versionState {
	t.Helper()
	state := versionState{Revision: rev}
	view, err := s.At(rev)
	if err != nil {
		t.Fatal(err)
	}
	for r := range view.Keys("") {
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		lease, err := s.Lease(r)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(value)
		state.Keys = append(state.Keys, versionKey{
			Key: r.Key, CreateRevision: r.CreateRevision, ModRevision: r.Main, Version: r.Version,
			Lease: lease, ValueSHA256: hex.EncodeToString(sum[:]),
		})
	}
	return state
}

func checkHashes(t *testing.T, s *snapshot.Snapshot, a *answer) {
	t.Helper()
	for _, h := range a.HashKV {
		got, err := s.HashKV(t.Context(), h.Asked)
		if err != nil {
			t.Fatal(err)
		}
		want := snapshot.HashKV{Hash: h.Hash, HashRevision: h.Asked, CompactRevision: h.CompactRevision, Revision: a.Revision}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hash at revision %d (-etcd +revenant):\n%s", h.Asked, diff)
		}
	}
	newest, err := s.HashKV(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if newest.Hash != a.HashKV[0].Hash || newest.HashRevision != a.Revision {
		t.Errorf("newest hash is %+v, etcd says %+v", newest, a.HashKV[0])
	}
}

// checkHashAtCompact: 3.4 refuses the compact revision itself, and later ones
// answer with what they computed while they compacted.
func checkHashAtCompact(t *testing.T, s *snapshot.Snapshot, a *answer, remembers bool) {
	t.Helper()
	got, err := s.HashKV(t.Context(), a.CompactRevision)
	if err != nil {
		t.Fatal(err)
	}
	if got.CompactRevision != a.CompactRevision {
		t.Errorf("hash at the compact revision: %+v", got)
	}
	if h := a.HashAtCompact; remembers != (h != nil && h.CompactRevision < a.CompactRevision) || !remembers && h != nil {
		t.Errorf("etcd's hash at its compact revision %d is %+v", a.CompactRevision, h)
	}
}

func checkMeta(t *testing.T, m snapshot.Meta, a *answer, v etcdVersion) {
	t.Helper()
	if m.StorageVersion != v.storageVersion || m.ClusterVersion != v.clusterVersion {
		t.Errorf("storage version %q, cluster version %q", m.StorageVersion, m.ClusterVersion)
	}
	if m.ConsistentIndex != a.RaftApplied {
		t.Errorf("consistent index is %d, etcd says %d", m.ConsistentIndex, a.RaftApplied)
	}
	switch {
	case v.term && (m.Term != a.RaftTerm || m.ConfState == ""):
		t.Errorf("term is %d, etcd says %d; raft's configuration is %q", m.Term, a.RaftTerm, m.ConfState)
	case !v.term && (m.Term != 0 || m.ConfState != ""):
		t.Errorf("term %d and configuration %q in a version that had neither", m.Term, m.ConfState)
	}
	if len(m.Members) != 1 || m.Members[0].ID != a.MemberID {
		t.Errorf("members are %+v, etcd is %s", m.Members, a.MemberID)
	}
}

// TestHashKVRefuses asks for what is not there, and for nothing more.
func TestHashKVRefuses(t *testing.T) {
	s := openEtcd(t, "compacted")
	for rev, want := range map[int64]error{6: snapshot.ErrCompacted, -1: snapshot.ErrCompacted, 11: snapshot.ErrFuture} {
		if _, err := s.HashKV(t.Context(), rev); !errors.Is(err, want) {
			t.Errorf("revision %d: %v, want %v", rev, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.HashKV(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
