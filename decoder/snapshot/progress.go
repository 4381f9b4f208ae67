package snapshot

import (
	"sync"
	"sync/atomic"
	"time"
)

// Phase names a part of the work that Open starts.
type Phase string

// The phases. They overlap.
const (
	PhaseIndex Phase = "index" // counted in pages
	PhaseHash  Phase = "hash"  // counted in bytes
)

// Progress says how far a phase is.
type Progress struct {
	Phase Phase
	Done  int64
	Total int64
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

func (p *progress) add(n int64) {
	done := p.done.Add(n)
	if p.tell == nil || !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(progressInterval)
	p.tell(Progress{Phase: p.phase, Done: min(done, p.total), Total: p.total})
}
