package storage

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"revenant/decoder/keyspace"
	"revenant/decoder/snapshot"
	"revenant/decoder/wire"
)

// Leases says what hangs on leases: keys that etcd deletes when theirs runs out, as
// it does with events.
type Leases struct {
	Granted  int        // in the bucket
	Idle     int        // of them, those that no key hangs on
	ByTTL    []LeaseTTL // the shortest first
	Attached []Group    // existing keys with a lease, by resource, the largest first
	Missing  int        // existing keys whose lease is not there: an etcd that starts drops it from them
	Unread   int        // leases and keys that could not be read
}

// LeaseTTL counts the leases that were granted for one time.
type LeaseTTL struct {
	TTL    time.Duration
	Leases int
	Keys   int // that exist and hang on them
}

// maxTTL is the longest time that etcd grants (server/v3 v3.7 lease/lessor.go MaxLeaseTTL).
const maxTTL = 9_000_000_000 // seconds

// lease is what is known of one.
type lease struct {
	seconds int64
	keys    int
}

// LeasesOf reads the leases, and of every existing key which one it hangs on. It
// reads a few bytes around each value, so that it takes a few times as long as Of.
// The error is ctx's.
func LeasesOf(ctx context.Context, s *snapshot.Snapshot, prefix string) (*Leases, error) {
	l := &Leases{}
	granted := l.granted(s)
	attached, namer := groups{}, keyspace.NewNamer(prefix)
	passed := 0
	for records := range s.Histories() {
		if passed++; passed%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		newest := records[len(records)-1]
		if newest.Tombstone || newest.Key == "" {
			continue
		}
		id, err := s.Lease(newest)
		if err != nil {
			l.Unread++
			continue
		}
		if id == 0 {
			continue
		}
		if of, ok := granted[id]; ok {
			of.keys++
		} else {
			l.Missing++
		}
		k := tell(records)
		attached.of(parse(namer, k.Key).Plural()).Tally.add(&k.Tally)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.Attached = attached.list(namer)
	ttls := map[int64]*LeaseTTL{}
	for _, of := range granted {
		t, ok := ttls[of.seconds]
		if !ok {
			t = &LeaseTTL{TTL: time.Duration(min(of.seconds, maxTTL)) * time.Second}
			ttls[of.seconds] = t
		}
		t.Leases++
		if t.Keys += of.keys; of.keys == 0 {
			l.Idle++
		}
	}
	for _, t := range ttls {
		l.ByTTL = append(l.ByTTL, *t)
	}
	slices.SortFunc(l.ByTTL, func(a, b LeaseTTL) int { return cmp.Compare(a.TTL, b.TTL) })
	return l, nil
}

// TTLs are for how long the leases of s were granted, by id. One that is not among
// them an etcd that starts drops from its keys, which stay.
func TTLs(s *snapshot.Snapshot) map[int64]time.Duration {
	list := map[int64]time.Duration{}
	for id, of := range (&Leases{}).granted(s) {
		list[id] = time.Duration(min(of.seconds, maxTTL)) * time.Second
	}
	return list
}

// granted reads the leases by their ids.
func (l *Leases) granted(s *snapshot.Snapshot) map[int64]*lease {
	list := map[int64]*lease{}
	add := func(id int64, value []byte) {
		seconds, ok := ttlOf(value)
		if !ok {
			l.Unread++
			return
		}
		list[id] = &lease{seconds: seconds}
	}
	if leases := s.Leases(); leases != nil {
		for id, value := range leases {
			add(id, value)
		}
	} else {
		// A page that vanishes is among the snapshot's problems.
		_, _ = s.EachBucket("lease", func(key, value []byte) error {
			if len(key) != 8 {
				l.Unread++
				return nil
			}
			add(int64(binary.BigEndian.Uint64(key)), value)
			return nil
		})
	}
	l.Granted = len(list)
	return list
}

// ttlOf reads for how many seconds a lease was granted (etcd server/v3 v3.7
// lease/leasepb/lease.proto).
func ttlOf(b []byte) (seconds int64, ok bool) {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return 0, false
		}
		if f.Num() == 2 && f.Type() == wire.Varint {
			seconds = int64(f.Val)
		}
	}
	return seconds, seconds > 0
}
