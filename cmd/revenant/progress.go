package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// phaseWrite is what a command adds to the phases of reading, counted in records.
const phaseWrite snapshot.Phase = "write"

// phaseAudit is what the audit logs add to them, counted in bytes.
const phaseAudit snapshot.Phase = "audit"

// phases are in the order in which they are shown when several run at a time.
var phases = []struct {
	snapshot.Phase
	doing string
	bytes bool // counted in bytes
}{
	{phaseLook, "looking", false},
	{snapshot.PhaseExpand, "unpacking", true},
	{snapshot.PhaseIndex, "indexing", false},
	{snapshot.PhaseReplay, "applying the log", true},
	{phaseAudit, "reading", true},
	{phaseWrite, "writing", false},
	{snapshot.PhaseHash, "hashing", true},
	{snapshot.PhaseVerify, "hashing again", true},
}

// progressLine is one line on a terminal that says what goes on and how far it is.
type progressLine struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int
	now   func() time.Time
	off   bool
	drawn bool
	parts map[string]progressPart // by name
}

// progressPart is how far each phase of one file is.
type progressPart map[snapshot.Phase]phaseProgress

type phaseProgress struct {
	first, last snapshot.Progress
	began       time.Time // when the first was reported
}

// newProgressLine draws on standard error, when that is a terminal.
func newProgressLine(s streams) *progressLine {
	return &progressLine{w: s.err, width: s.errWidth, now: time.Now, off: !s.errTTY, parts: map[string]progressPart{}}
}

// of returns the function that reports how far the work on one file is.
func (l *progressLine) of(name string) func(snapshot.Progress) {
	return func(p snapshot.Progress) { l.show(name, p) }
}

func (l *progressLine) show(name string, p snapshot.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off || p.Total == 0 {
		return
	}
	part := l.parts[name]
	if part == nil {
		part = progressPart{}
		l.parts[name] = part
	}
	phase, known := part[p.Phase]
	if !known {
		phase = phaseProgress{first: p, began: l.now()}
	}
	phase.last = p
	part[p.Phase] = phase
	l.draw()
}

func (l *progressLine) draw() {
	var unfinished []string
	for _, name := range slices.Sorted(maps.Keys(l.parts)) {
		if doing := l.parts[name].text(l.now()); doing != "" {
			unfinished = append(unfinished, sanitize.Line(name)+": "+doing)
		}
	}
	text := strings.Join(unfinished, "; ")
	if text == "" {
		text = "analyzing"
	}
	l.drawn = true
	fmt.Fprintf(l.w, "\r\x1b[K%s", ansi.Truncate(text, l.width()-1, "…"))
}

// text says how far the first unfinished phase is, "" when there is none.
func (part progressPart) text(now time.Time) string {
	for _, phase := range phases {
		p, ok := part[phase.Phase]
		if !ok || p.last.Total > 0 && p.last.Done >= p.last.Total {
			continue
		}
		var far []string
		if p.last.Total > 0 {
			far = append(far, fmt.Sprintf("%d %%", p.last.Done*100/p.last.Total))
		} else {
			far = append(far, fmt.Sprintf("%d MB", p.last.Done/1e6))
		}
		// The first second shows little.
		if spent, done := now.Sub(p.began), p.last.Done-p.first.Done; spent >= time.Second && done > 0 {
			if phase.bytes {
				far = append(far, fmt.Sprintf("%.0f MB/s", float64(done)/1e6/spent.Seconds()))
			}
			if p.last.Total > 0 {
				seconds := spent.Seconds() * float64(p.last.Total-p.last.Done) / float64(done)
				if minutes := math.Ceil(seconds / 60); minutes > 2 {
					far = append(far, fmt.Sprintf("%.0f min left", minutes))
				} else {
					far = append(far, fmt.Sprintf("%.0f s left", math.Ceil(seconds)))
				}
			}
		}
		return phase.doing + " " + strings.Join(far, ", ")
	}
	return ""
}

// reset removes the line, and forgets what it showed.
func (l *progressLine) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
	l.drawn = false
	clear(l.parts)
}

// clear removes the line for good.
func (l *progressLine) clear() {
	l.reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off = true
}
