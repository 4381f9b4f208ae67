package snapshot

import (
	"bytes"
	"cmp"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// maxNesting bounds transactions within transactions. The API refuses more than
// --max-txn-ops operations in all, 128 by default, so that no real one is deeper.
const maxNesting = 1000

// txn applies a transaction: all compares first, on the state before it, then
// the checks, then the operations of the branches taken (etcdserver/txn/txn.go).
func (r *replay) txn(t *etcdserverpb.TxnRequest) {
	taken := r.branches(t, 0)
	if !r.checkTxn(taken) {
		return
	}
	r.transaction(func() { r.execute(taken) })
}

// branch is the branch of a transaction that is taken, and those of the
// transactions in it.
type branch struct {
	ops    []*etcdserverpb.RequestOp
	nested map[*etcdserverpb.RequestOp]*branch
}

func (r *replay) branches(t *etcdserverpb.TxnRequest, depth int) *branch {
	b := &branch{ops: t.Failure}
	if r.compares(t.Compare) {
		b.ops = t.Success
	}
	for _, op := range b.ops {
		if inner := op.GetRequestTxn(); inner != nil && depth < maxNesting {
			if b.nested == nil {
				b.nested = map[*etcdserverpb.RequestOp]*branch{}
			}
			b.nested[op] = r.branches(inner, depth+1)
		}
	}
	return b
}

// checkTxn says whether etcd carries the operations out, all or none.
func (r *replay) checkTxn(b *branch) bool {
	for _, op := range b.ops {
		switch {
		case op.GetRequestRange() != nil:
			if rev := op.GetRequestRange().Revision; rev > r.head || rev > 0 && rev < r.compact {
				return false
			}
		case op.GetRequestPut() != nil:
			if !r.checkPut(op.GetRequestPut()) {
				return false
			}
		case b.nested[op] != nil:
			if !r.checkTxn(b.nested[op]) {
				return false
			}
		}
	}
	return true
}

func (r *replay) execute(b *branch) {
	for _, op := range b.ops {
		switch {
		case op.GetRequestPut() != nil:
			r.put(op.GetRequestPut())
		case op.GetRequestDeleteRange() != nil:
			r.deleteRange(op.GetRequestDeleteRange().Key, op.GetRequestDeleteRange().RangeEnd)
		case b.nested[op] != nil:
			r.execute(b.nested[op])
		}
	}
}

func (r *replay) compares(list []*etcdserverpb.Compare) bool {
	for _, c := range list {
		if !r.compare(c) {
			return false
		}
	}
	return true
}

// compare evaluates one condition, which must hold for every key of its range. A
// key that does not exist has zero for everything but its value, which no
// condition holds for (txn.go applyCompare).
func (r *replay) compare(c *etcdserverpb.Compare) bool {
	keys := r.keysIn(c.Key, c.RangeEnd)
	if len(keys) == 0 {
		return c.Target != etcdserverpb.Compare_VALUE && holds(c, &keyState{})
	}
	for _, key := range keys {
		k := r.state(key)
		if c.Target == etcdserverpb.Compare_VALUE || c.Target == etcdserverpb.Compare_LEASE {
			r.load(k)
		}
		if !holds(c, k) {
			return false
		}
	}
	return true
}

func holds(c *etcdserverpb.Compare, k *keyState) bool {
	var result int
	switch c.Target {
	case etcdserverpb.Compare_VALUE:
		result = bytes.Compare(k.value, c.GetValue())
	case etcdserverpb.Compare_CREATE:
		result = cmp.Compare(k.create, c.GetCreateRevision())
	case etcdserverpb.Compare_MOD:
		result = cmp.Compare(k.mod, c.GetModRevision())
	case etcdserverpb.Compare_VERSION:
		result = cmp.Compare(k.version, c.GetVersion())
	case etcdserverpb.Compare_LEASE:
		result = cmp.Compare(k.lease, c.GetLease())
	}
	switch c.Result {
	case etcdserverpb.Compare_EQUAL:
		return result == 0
	case etcdserverpb.Compare_NOT_EQUAL:
		return result != 0
	case etcdserverpb.Compare_GREATER:
		return result > 0
	case etcdserverpb.Compare_LESS:
		return result < 0
	}
	return true
}
