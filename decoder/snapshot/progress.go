package snapshot

import (
	"sync"
	"sync/atomic"
	"time"
)

// Phase names a part of the work that Open starts, or Verify.
type Phase string

// The phases. They overlap.
const (
	PhaseExpand Phase = "expand" // counted in bytes of the compressed file
	PhaseIndex  Phase = "index"  // counted in pages
	PhaseReplay Phase = "replay" // counted in bytes of the log's entries
	PhaseHash   Phase = "hash"   // counted in bytes
	PhaseVerify Phase = "verify" // counted in bytes: hashing again
)

// Progress says how far a phase is. Its end is always reported.
type Progress struct {
	Phase Phase
	Done  int64
	Total int64 // less than 0 when it is unknown
}

// progress passes counts on, at most one every interval.
type progress struct {
	tell  func(Progress)
	phase Phase
	total int64
	done  atomic.Int64

	mu   sync.Mutex
	next time.Time
}

const progressInterval = 50 * time.Millisecond

func newProgress(tell func(Progress), phase Phase, total int64) *progress {
	return &progress{tell: tell, phase: phase, total: total}
}

func (p *progress) add(n int64) { p.report(p.done.Add(n), p.total) }

// set is for a phase whose total shows only then; less than 0 is unknown.
func (p *progress) set(done, total int64) { p.report(done, total) }

func (p *progress) report(done, total int64) {
	if p.tell == nil {
		return
	}
	end := total >= 0 && done >= total
	if end {
		p.mu.Lock()
	} else if !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	now := time.Now()
	if !end && now.Before(p.next) {
		return
	}
	p.next = now.Add(progressInterval)
	if total >= 0 {
		done = min(done, total)
	}
	p.tell(Progress{Phase: p.phase, Done: done, Total: total})
}
