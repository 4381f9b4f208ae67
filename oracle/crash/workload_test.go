package crash

import (
	"context"
	"fmt"
	"math/rand/v2"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver"
)

// workload is what clients ask of an etcd, chosen by a seed: everything that
// changes the key space, and much that is refused.
type workload struct {
	*rand.Rand
	leases      []int64
	head        int64
	left        int
	compactions int // in a hundred steps; each makes etcd commit,
	revocations int // and so does each of these

	plain bool // without transactions, after some of which members before 3.7 were seen to differ; why is not known
}

func newWorkload(seed uint64) *workload {
	return &workload{Rand: rand.New(rand.NewPCG(seed, 0x63726173))}
}

const leaseSeconds = 100_000

func (w *workload) run(ctx context.Context, s *etcdserver.EtcdServer) error {
	w.compactions = []int{0, 0, 1, 4}[w.IntN(4)]
	w.revocations = []int{0, 1, 8}[w.IntN(3)]
	for w.left = 50 + w.IntN(700); w.left > 0; w.left-- {
		err := w.step(ctx, s)
		if ctx.Err() != nil {
			return err
		}
		w.head = s.KV().Rev()
	}
	return nil
}

// server is what answers: an etcd in this process, or a client of others.
type server interface {
	Put(context.Context, *pb.PutRequest) (*pb.PutResponse, error)
	DeleteRange(context.Context, *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error)
	Txn(context.Context, *pb.TxnRequest) (*pb.TxnResponse, error)
	Compact(context.Context, *pb.CompactionRequest) (*pb.CompactionResponse, error)
	LeaseGrant(context.Context, *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error)
	LeaseRevoke(context.Context, *pb.LeaseRevokeRequest) (*pb.LeaseRevokeResponse, error)
}

// step does one thing. That etcd refuses some is part of the work.
func (w *workload) step(ctx context.Context, s server) (err error) {
	switch n := w.IntN(100); {
	case n < 45:
		_, err = s.Put(ctx, w.put(true))
	case n < 55:
		_, err = s.DeleteRange(ctx, w.deletion())
	case n < 80 && !w.plain:
		_, err = s.Txn(ctx, w.txn(0))
	case n < 80+w.compactions:
		_, err = s.Compact(ctx, &pb.CompactionRequest{Revision: w.head - w.Int64N(30) + 2, Physical: w.IntN(2) == 0})
	case n < 92:
		var r *pb.LeaseGrantResponse
		r, err = s.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: leaseSeconds, ID: w.Int64N(1000) + 1})
		if err == nil {
			w.leases = append(w.leases, r.ID)
		}
	case n >= 100-w.revocations:
		_, err = s.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: w.lease()})
	}
	return err
}

func (w *workload) key() []byte { return fmt.Appendf(nil, "/k/%02d", w.IntN(40)) }

// lease is one that may have been revoked, or never was.
func (w *workload) lease() int64 {
	if len(w.leases) == 0 || w.IntN(10) == 0 {
		return w.Int64N(1000) + 1
	}
	return w.leases[w.IntN(len(w.leases))]
}

func (w *workload) value() []byte {
	b := make([]byte, w.IntN(200))
	for i := range b {
		b[i] = byte(w.Uint32())
	}
	return b
}

// put may keep the value or the lease there is, but not in the middle of a
// transaction: where that has deleted the key, etcd panics, and its API refuses
// such a transaction.
func (w *workload) put(keep bool) *pb.PutRequest {
	p := &pb.PutRequest{Key: w.key(), Value: w.value()}
	switch n := w.IntN(8); {
	case n == 0 && keep:
		p.Value, p.IgnoreValue = nil, true
	case n == 1 && keep:
		p.IgnoreLease = true
	case n == 2 || n == 3:
		p.Lease = w.lease()
	}
	return p
}

// end is the end of a range, or of none.
func (w *workload) end(key []byte) []byte {
	switch w.IntN(8) {
	case 0:
		return fmt.Appendf(nil, "/k/%02d", w.IntN(41))
	case 1:
		if w.IntN(8) == 0 {
			return []byte{0}
		}
		return append(key[:len(key):len(key)], 0xff)
	}
	return nil
}

func (w *workload) deletion() *pb.DeleteRangeRequest {
	key := w.key()
	return &pb.DeleteRangeRequest{Key: key, RangeEnd: w.end(key)}
}

func (w *workload) txn(depth int) *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for range w.IntN(3) {
		t.Compare = append(t.Compare, w.compare())
	}
	t.Success, t.Failure = w.ops(depth), w.ops(depth)
	return t
}

// ops are the operations of a branch. Some write a key twice, which the API
// refuses and the store does not.
func (w *workload) ops(depth int) (ops []*pb.RequestOp) {
	for range w.IntN(4) {
		switch n := w.IntN(10); {
		case n < 5:
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: w.put(depth == 0 && len(ops) == 0)}})
		case n < 7:
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: w.deletion()}})
		case n < 8:
			r := &pb.RangeRequest{Key: w.key(), Revision: max(w.head-w.Int64N(40)+1, 0)}
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}})
		case depth < 3:
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: w.txn(depth + 1)}})
		}
	}
	return ops
}

func (w *workload) compare() *pb.Compare {
	key := w.key()
	c := &pb.Compare{Key: key, RangeEnd: w.end(key), Result: pb.Compare_CompareResult(w.IntN(4))}
	switch w.IntN(5) {
	case 0:
		c.Target, c.TargetUnion = pb.Compare_VERSION, &pb.Compare_Version{Version: w.Int64N(4)}
	case 1:
		c.Target, c.TargetUnion = pb.Compare_CREATE, &pb.Compare_CreateRevision{CreateRevision: w.Int64N(w.head + 2)}
	case 2:
		c.Target, c.TargetUnion = pb.Compare_MOD, &pb.Compare_ModRevision{ModRevision: w.Int64N(w.head + 2)}
	case 3:
		c.Target, c.TargetUnion = pb.Compare_VALUE, &pb.Compare_Value{Value: w.value()}
	case 4:
		c.Target, c.TargetUnion = pb.Compare_LEASE, &pb.Compare_Lease{Lease: w.lease()}
	}
	return c
}
