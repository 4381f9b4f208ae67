package oracle

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.uber.org/zap"

	"revenant/decoder/snapshot"
)

// timedEvent is what Gardener's snapshotter marshals (etcd-backup-restore
// pkg/snapshot/snapshotter/snapshotter.go event).
type timedEvent struct {
	EtcdEvent *clientv3.Event `json:"etcdEvent"`
	Time      time.Time       `json:"time"`
}

// TestDeltas lets etcd's own watch tell what is written after a snapshot, packs its
// events as Gardener does, and holds what revenant makes of them against etcd's file.
func TestDeltas(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			db := filepath.Join(t.TempDir(), "db")
			be := backend.NewDefaultBackend(zap.NewNop(), db)
			kv := mvcc.New(zap.NewNop(), be, &lease.FakeLessor{}, mvcc.StoreConfig{})
			change := func(n int) {
				for range n {
					txn := kv.Write(traceutil.TODO())
					for range 1 + rng.IntN(3) {
						key := fmt.Appendf(nil, "/registry/%d", rng.IntN(30))
						switch rng.IntN(5) {
						case 0:
							txn.DeleteRange(key, nil)
						case 1:
							txn.DeleteRange(key, fmt.Appendf(nil, "/registry/%d", rng.IntN(30)))
						default:
							txn.Put(key, []byte(fmt.Sprint("<&>\x00\xff", rng.Uint64())), lease.LeaseID(rng.IntN(3)))
						}
					}
					txn.End()
				}
			}
			change(50)
			dir := t.TempDir()
			first := kv.Rev()
			save(t, be, filepath.Join(dir, fmt.Sprintf("Full-00000000-%08d-1", first)))
			stream := kv.NewWatchStream()
			if _, err := stream.Watch(t.Context(), clientv3.AutoWatchID, []byte{0}, []byte{}, first+1); err != nil {
				t.Fatal(err)
			}
			for file := range 3 {
				change(20)
				from, to := first+1, kv.Rev()
				events := []byte("[")
				for at := first; at < to; {
					response := <-stream.Chan()
					for i := range response.Events {
						b, err := json.Marshal(&timedEvent{response.Events[i], time.Now()})
						if err != nil {
							t.Fatal(err)
						}
						if len(events) > 1 {
							events = append(events, ',')
						}
						events = append(events, b...)
						at = response.Events[i].Kv.ModRevision
					}
				}
				events = append(events, ']')
				sum := sha256.Sum256(events)
				name := filepath.Join(dir, fmt.Sprintf("Incr-%08d-%08d-%d", from, to, file+2))
				if err := os.WriteFile(name, append(events, sum[:]...), 0o600); err != nil {
					t.Fatal(err)
				}
				first = to
			}
			stream.Close()
			whole := filepath.Join(t.TempDir(), "whole.db")
			save(t, be, whole)
			kv.Close()
			if err := be.Close(); err != nil {
				t.Fatal(err)
			}
			want := open(t, whole)
			got, err := snapshot.Open(t.Context(), dir, snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			if got.Revision() != first || want.Len() != got.Len() || len(got.Problems()) > 0 {
				t.Fatalf("revision %d of %d, %d records of %d, problems %v", got.Revision(), first, got.Len(), want.Len(), got.Problems())
			}
			for r := range want.Records() {
				a, err := want.Raw(r, nil)
				history := got.History(r.Key)
				for _, other := range history {
					if other.Revision != r.Revision {
						continue
					}
					b, err2 := got.Raw(other, nil)
					if string(a) != string(b) || errors.Join(err, err2) != nil {
						t.Errorf("%s of %s: %q, %q, %v", r.Revision, r.Key, a, b, errors.Join(err, err2))
					}
				}
			}
		})
	}
}

// save writes a backend to a file.
func save(t *testing.T, be backend.Backend, path string) {
	t.Helper()
	be.ForceCommit()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := be.Snapshot()
	_, err = s.WriteTo(f)
	if err := errors.Join(err, s.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
