package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// workload makes the same writes each time.
type workload struct {
	c   *clientv3.Client
	rng *rand.Rand
	n   int // writes made
}

const (
	workloadKeys = 40
	leases       = 3 // with ids from firstLease on
	firstLease   = 0x7000_0000
	doomed       = "/registry/pods/default/doomed"
)

// beforeSnapshot writes, compacts twice and writes on. The second compaction is
// to the deletion of the key it returns.
func (w *workload) beforeSnapshot(ctx context.Context, c *clientv3.Client) (tombstone string, err error) {
	w.c, w.rng = c, rand.New(rand.NewPCG(34, 37))
	lease := etcdserverpb.NewLeaseClient(w.c.ActiveConnection()) // clientv3 cannot choose the id
	for i := range int64(leases) {
		if _, err := lease.LeaseGrant(ctx, &etcdserverpb.LeaseGrantRequest{ID: firstLease + i, TTL: 1 << 20}); err != nil {
			return "", err
		}
	}
	if err := w.write(ctx, 120); err != nil {
		return "", err
	}
	if err := w.compact(ctx, 25, clientv3.WithCompactPhysical()); err != nil {
		return "", err
	}
	if err := w.write(ctx, 90); err != nil {
		return "", err
	}
	if _, err := w.c.Put(ctx, doomed, "1"); err != nil {
		return "", err
	}
	if _, err := w.c.Delete(ctx, doomed); err != nil {
		return "", err
	}
	if err := w.compact(ctx, 0, clientv3.WithCompactPhysical()); err != nil {
		return "", err
	}
	return doomed, w.write(ctx, 80)
}

// beforeKill leaves a compaction that is scheduled and not finished in the db, and
// writes that are in the log only.
func (w *workload) beforeKill(ctx context.Context, c *clientv3.Client) error {
	w.c = c
	if err := w.write(ctx, 50); err != nil {
		return err
	}
	if err := w.compact(ctx, 30); err != nil { // commits that it is scheduled
		return err
	}
	select {
	case <-time.After(time.Second): // and then, from 3.5 on, its first step
	case <-ctx.Done():
		return ctx.Err()
	}
	return w.write(ctx, 25)
}

// compact compacts to so many revisions before the newest. With
// WithCompactPhysical it waits until the server has, which commits it.
func (w *workload) compact(ctx context.Context, before int64, opts ...clientv3.CompactOption) error {
	r, err := w.c.Get(ctx, doomed)
	if err != nil {
		return err
	}
	_, err = w.c.Compact(ctx, r.Header.Revision-before, opts...)
	return err
}

// write makes n writes: most of them puts of one key, some with a lease, some
// deletions, some transactions of several keys.
func (w *workload) write(ctx context.Context, n int) error {
	for range n {
		var err error
		switch key := w.key(); w.rng.IntN(8) {
		case 0:
			_, err = w.c.Delete(ctx, key)
		case 1:
			other := key + "-status"
			_, err = w.c.Txn(ctx).
				If(clientv3.Compare(clientv3.CreateRevision(key), ">", 0)).
				Then(w.put(key), w.put(other), clientv3.OpDelete(key+"-gone")).
				Else(w.put(key), w.put(key+"-gone"), clientv3.OpDelete(other)).Commit()
		case 2:
			_, err = w.c.Do(ctx, w.put(key, clientv3.WithLease(clientv3.LeaseID(firstLease+w.rng.IntN(leases)))))
		default:
			_, err = w.c.Do(ctx, w.put(key))
		}
		if err != nil {
			return fmt.Errorf("write %d: %w", w.n, err)
		}
	}
	return nil
}

func (w *workload) key() string {
	i := w.rng.IntN(workloadKeys)
	resource := []string{"pods", "configmaps", "leases", "events"}[i%4]
	return fmt.Sprintf("/registry/%s/team-%d/object-%02d", resource, i%3, i)
}

func (w *workload) put(key string, opts ...clientv3.OpOption) clientv3.Op {
	w.n++
	text := fmt.Sprintf("write %d of %s\n", w.n, key)
	size := 1
	if w.rng.IntN(40) == 0 {
		size = 200 // larger than a page
	}
	return clientv3.OpPut(key, strings.Repeat(text, size+w.rng.IntN(4)), opts...)
}
