// Command versions makes the files in testdata/etcd/versions: what etcds of
// several versions leave behind after the same writes, and what they answered
// themselves.
//
//	versions -out DIR 3.4=PATH 3.5=PATH ...
//
// PATH is the program of an etcd server. scripts/etcd-versions.sh gets them all.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"revenant/decoder/snapshot"
)

func main() {
	out := flag.String("out", "", "directory to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *out == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	for _, arg := range flag.Args() {
		name, program, ok := strings.Cut(arg, "=")
		err := fmt.Errorf("%q is not VERSION=PATH", arg)
		if ok {
			err = run(ctx, program, filepath.Join(*out, name))
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "versions: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// answers is keys.json: what the server said of itself and its keys.
type answers struct {
	// Snapshot is what it said when the snapshot was saved, before anything else
	// was written, and Member what it said after it was killed and started again on
	// a copy of its directory.
	Snapshot answer `json:"snapshot"`
	Member   answer `json:"member"`
	// CompactedTombstone is the key whose deletion is the compact revision of the
	// snapshot.
	CompactedTombstone string `json:"compactedTombstone"`
}

// run makes the files of one version.
func run(ctx context.Context, program, out string) error {
	dir, err := os.MkdirTemp("", "etcd-versions-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	s, err := start(ctx, program, data)
	if err != nil {
		return err
	}
	defer s.kill()

	var a answers
	var w workload
	if a.CompactedTombstone, err = w.beforeSnapshot(ctx, s.Client); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if a.Snapshot, err = s.ask(ctx); err != nil {
		return err
	}
	if err := s.save(ctx, filepath.Join(out, "snapshot.db.gz")); err != nil {
		return err
	}
	s.kill()
	slow, err := start(ctx, program, data, slowCompaction(ctx, program)...)
	if err != nil {
		return err
	}
	defer slow.kill()
	if err := w.beforeKill(ctx, slow.Client); err != nil {
		return err
	}
	slow.kill()

	if err := pack(data, filepath.Join(out, "member.tar.gz")); err != nil {
		return err
	}
	behind, err := headOf(ctx, filepath.Join(data, "member", "snap", "db"))
	if err != nil {
		return err
	}
	again, err := start(ctx, program, data)
	if err != nil {
		return err
	}
	defer again.kill()
	if a.Member, err = again.ask(ctx); err != nil {
		return err
	}
	if behind >= a.Member.Revision {
		return fmt.Errorf("the killed server's db is at revision %d, as is its log: it is meant to be behind", behind)
	}
	b, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "keys.json"), append(b, '\n'), 0o644)
}

// headOf is the newest revision in a db file.
func headOf(ctx context.Context, path string) (int64, error) {
	s, err := snapshot.Open(ctx, path, snapshot.Options{})
	if err != nil {
		return 0, err
	}
	return s.Revision(), s.Close()
}

// answer is what a server said.
type answer struct {
	Etcd            string `json:"etcd"` // its version
	ClusterID       string `json:"clusterID"`
	MemberID        string `json:"memberID"`
	RaftTerm        uint64 `json:"raftTerm"`
	RaftApplied     uint64 `json:"raftApplied"`
	Revision        int64  `json:"revision"`
	CompactRevision int64  `json:"compactRevision"`
	// HashKV is of the newest revision and of one between it and the compact one.
	HashKV []hashKV `json:"hashKV"`
	// HashAtCompact is of the compact revision itself, which a server may answer
	// from what it remembers of the compaction; null where it refuses to.
	HashAtCompact *hashKV `json:"hashAtCompact"`
	States        []state `json:"states"` // at the same revisions as HashKV
}

type hashKV struct {
	Asked           int64  `json:"asked"` // the revision
	Hash            uint32 `json:"hash"`
	HashRevision    int64  `json:"hashRevision,omitempty"` // from 3.6
	CompactRevision int64  `json:"compactRevision"`
}

type state struct {
	Revision int64 `json:"revision"`
	Keys     []key `json:"keys"`
}

type key struct {
	Key            string `json:"key"`
	CreateRevision int64  `json:"createRevision"`
	ModRevision    int64  `json:"modRevision"`
	Version        int64  `json:"version"`
	Lease          int64  `json:"lease,omitempty"`
	ValueSHA256    string `json:"valueSHA256"`
}

// ask asks a server about itself and its keys.
func (s *server) ask(ctx context.Context) (a answer, err error) {
	status, err := s.Status(ctx, s.endpoint)
	if err != nil {
		return a, err
	}
	a = answer{
		Etcd: status.Version, ClusterID: fmt.Sprintf("%x", status.Header.ClusterId), MemberID: fmt.Sprintf("%x", status.Header.MemberId),
		RaftTerm: status.RaftTerm, RaftApplied: status.RaftAppliedIndex, Revision: status.Header.Revision,
	}
	head, err := s.hash(ctx, a.Revision)
	if err != nil {
		return a, err
	}
	a.CompactRevision = head.CompactRevision
	mid := (a.CompactRevision + a.Revision) / 2
	between, errMid := s.hash(ctx, mid)
	a.HashKV = []hashKV{head, between}
	atCompact, errCompact := s.hash(ctx, a.CompactRevision)
	switch {
	case errCompact == nil:
		a.HashAtCompact = &atCompact
	case errors.Is(errCompact, rpctypes.ErrCompacted):
		errCompact = nil
	}
	for _, rev := range []int64{a.Revision, mid} {
		r, err := s.Get(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithRev(rev))
		if err != nil {
			return a, err
		}
		a.States = append(a.States, stateOf(rev, r))
	}
	return a, errors.Join(errMid, errCompact)
}

func (s *server) hash(ctx context.Context, rev int64) (hashKV, error) {
	r, err := s.HashKV(ctx, s.endpoint, rev)
	if err != nil {
		return hashKV{}, fmt.Errorf("hash of revision %d: %w", rev, err)
	}
	return hashKV{Asked: rev, Hash: r.Hash, HashRevision: r.HashRevision, CompactRevision: r.CompactRevision}, nil
}
