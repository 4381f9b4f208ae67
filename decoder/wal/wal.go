package wal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"revenant/decoder/input"
	"revenant/internal/words"
)

// ErrNoSegments says that a directory holds no segment of a log.
var ErrNoSegments = errors.New("no segment of a write-ahead log")

// Log is what was read of a write-ahead log.
type Log struct {
	// Segments are the names of the segments that entries were taken from, in
	// order. Older ones hold nothing that was asked for.
	Segments []string
	Older    int // how many those are
	// Beyond are the names of the segments after a gap: they were read for what
	// they hold, and no entry was taken from them.
	Beyond []string

	// NodeID and ClusterID identify the member; 0 when no record says.
	NodeID, ClusterID uint64

	// Entries follow one another without a gap. Of an index that was written
	// twice the later one counts, and what followed the earlier one is gone.
	Entries []Entry
	Term    uint64 // of the last state recorded before a gap
	Commit  uint64 // the last index that it says is agreed on; it lags behind
	// Seen is the last index that the log shows to have been written and not overruled,
	// in an entry or as one that was agreed on; beyond a gap, too.
	Seen uint64
	// MayGoOn says that the last segment does not end as etcd leaves one: entries may
	// have followed that are not there.
	MayGoOn bool
	// Missing are the entries that the log shows to have been there and that are not
	// among Entries, in order.
	Missing []Gap

	// Bytes is how much was read of the segments that entries were taken from, what
	// follows the last record left out.
	Bytes int64

	Faults []Fault
}

// Entry is one entry of raft's log.
type Entry struct {
	Index, Term uint64
	Type        EntryType
	Data        []byte
	Segment     int   // its number in Segments
	Offset      int64 // of its record, bytes from the start of the segment
}

// Gap is a run of entries that are not applied. From and To are its first and its
// last index; To is 0 where nothing shows how many they are.
type Gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	Why  Why    `json:"why"`
}

// Why says why entries are missing.
type Why string

// The reasons.
const (
	// Lost: no segment that can be read has them.
	Lost Why = "lost"
	// AfterGap: they are there, and cannot be applied without those before them.
	AfterGap Why = "after-gap"
	// Unread: one is there, and is not what etcd writes, or asks for something that
	// this program does not know.
	Unread Why = "unread"
	// OverLimit: what they make is more than a log of that size may make.
	OverLimit Why = "over-limit"
)

// Fault is one thing found wrong with the log.
type Fault struct {
	Segment string
	Offset  int64 // bytes from the start of the segment
	Damage  bool  // false for what a killed process leaves behind
	What    string
}

func (f Fault) String() string {
	if f.Segment == "" {
		return f.What
	}
	return fmt.Sprintf("%s, byte %d: %s", f.Segment, f.Offset, f.What)
}

// Last is the index of the last entry, or after when there is none.
func (l *Log) Last(after uint64) uint64 {
	if n := len(l.Entries); n > 0 {
		return l.Entries[n-1].Index
	}
	return after
}

// segment is a file of the log; the name says its place in the order and the
// index of its first entry (wal.go walName).
type segment struct {
	name       string
	seq, index uint64
	link       bool // it is a symbolic link
}

// prepared is the size in bytes that etcd gives a segment before it writes to it
// (wal.go SegmentSizeBytes).
const prepared = 64 * 1000 * 1000

var segmentName = regexp.MustCompile(`^([0-9a-f]{16})-([0-9a-f]{16})\.wal$`)

// list returns the segments of a directory in order, whatever kind of file they
// are, and what is to be said of the other files.
func list(dir string) (segments []segment, faults []Fault, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		m := segmentName.FindStringSubmatch(f.Name())
		switch {
		case m != nil:
			seq, _ := strconv.ParseUint(m[1], 16, 64)
			index, _ := strconv.ParseUint(m[2], 16, 64)
			segments = append(segments, segment{f.Name(), seq, index, f.Type()&fs.ModeSymlink != 0})
		case filepath.Ext(f.Name()) == ".tmp":
			faults = append(faults, Fault{What: shown(f.Name()) + " was prepared ahead and never used"})
		case filepath.Ext(f.Name()) == ".wal":
			faults = append(faults, Fault{What: shown(f.Name()) + " is not named as etcd names a segment: it was not read"})
		}
	}
	slices.SortFunc(segments, func(a, b segment) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.index, b.index))
	})
	return segments, faults, nil
}

// shown is the name of a file, quoted where it has to be.
func shown(name string) string {
	if quoted := strconv.QuoteToASCII(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// Read reads the entries after an index from the segments in dir. What is
// damaged is among the faults, and everything before it is returned; what follows
// it is only counted. The error is ErrNoSegments, ctx's, or that of the directory.
func Read(ctx context.Context, dir string, after uint64) (*Log, error) {
	segments, faults, err := list(dir)
	if err != nil {
		return nil, err
	}
	if len(segments) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoSegments)
	}
	// The last segment that begins at or before the first entry needed.
	from := 0
	for i, s := range segments {
		if s.index <= after+1 {
			from = i
		}
	}
	r := &reader{ctx: ctx, dir: dir, log: &Log{Older: from, Faults: faults}, after: after}
	for i, s := range segments[from:] {
		r.last = from+i == len(segments)-1
		switch before := segments[max(from+i-1, 0)]; {
		case i == 0 && s.index > after+1:
			r.stop(s.name, 0, fmt.Sprintf("the log begins with entry %d, the one needed first is %d: a segment is missing", s.index, after+1))
		case i > 0 && s.seq == before.seq:
			r.stop(s.name, 0, "another segment has the same number")
		case i > 0 && s.seq != before.seq+1:
			r.stop(s.name, 0, "missing before it: "+words.Span(before.seq+1, s.seq-1, "segment", "segments"))
		}
		if err := r.segment(s); err != nil {
			return nil, err
		}
	}
	r.finish()
	return r.log, nil
}

// reader goes over the segments in order.
type reader struct {
	ctx      context.Context
	dir      string
	last     bool // it is at the last segment
	log      *Log
	after    uint64
	crc      uint32
	seeded   bool // the running checksum was set by a record
	metadata []byte
	agreed   uint64 // the last index that was agreed on before a gap

	stopped bool   // at a gap: what follows is not taken
	beyond  []span // entries seen after it
	open    bool   // the last segment has what cannot be read: nothing shows which entries
}

// span is a run of indexes.
type span struct{ from, to uint64 }

func (r *reader) fault(segment string, offset int64, damage bool, what string) {
	r.log.Faults = append(r.log.Faults, Fault{segment, offset, damage, what})
}

// stop reports why no more entries are taken, once.
func (r *reader) stop(segment string, offset int64, what string) {
	if !r.stopped {
		r.stopped = true
		r.fault(segment, offset, true, what)
	}
}

// segment reads one segment. The error is ctx's.
func (r *reader) segment(s segment) error {
	f, err := input.Open(filepath.Join(r.dir, s.name))
	if err != nil {
		r.stop(s.name, 0, "cannot be opened: "+plain(err))
		r.open = r.last
		return r.ctx.Err()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		r.stop(s.name, 0, "cannot be opened: "+plain(err))
		r.open = r.last
		return r.ctx.Err()
	}
	if s.link {
		r.fault(s.name, 0, false, "is a symbolic link, which was followed")
	}
	frames := newFrames(f, info.Size())
	if r.stopped {
		r.log.Beyond = append(r.log.Beyond, s.name)
		return r.look(s, frames)
	}
	r.log.Segments = append(r.log.Segments, s.name)
	for n := 0; ; n++ {
		if n%1024 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		rec, err := frames.next()
		if err == io.EOF {
			r.log.Bytes += frames.offset
			return r.ended(s, frames)
		}
		if err == nil {
			err = r.record(rec, frames.start)
		}
		if err != nil {
			r.log.Bytes += frames.start
			return r.broken(s, frames, err)
		}
		if n == 1 {
			r.sawName(s)
		}
	}
}

// sawName takes note of the entries before a segment of which a record was read.
func (r *reader) sawName(s segment) {
	if s.index > 0 {
		r.saw(s.index - 1)
	}
}

// saw takes note of an index that was written.
func (r *reader) saw(index uint64) { r.log.Seen = max(r.log.Seen, index) }

// ended looks at how the segment ends. The error is ctx's.
func (r *reader) ended(s segment, f *frames) error {
	if !r.last {
		return nil
	}
	// A record after the zeros would be one that a zeroed stretch cut off.
	at, found, err := f.nonZero(r.ctx)
	if err != nil {
		return err
	}
	switch {
	case found:
		r.stop(s.name, at, "bytes that are not zero follow the end of the log")
	case f.start == 0:
		r.log.MayGoOn = true
		r.fault(s.name, 0, false, "the segment has no record, where etcd writes some before it names one: what was in it is lost")
	case f.offset == f.size && f.size < prepared:
		r.log.MayGoOn = true
		r.fault(s.name, f.offset, false, "the segment ends with its last record, where etcd prepares it ahead with zeros: etcd has repaired it, or what followed was cut off")
	case f.offset == f.size:
		r.log.MayGoOn = true
		r.fault(s.name, f.offset, false, "the last segment is full: etcd was about to begin the next one, or the segments after it are missing")
	}
	return nil
}

// broken reports the record at which reading ends, and looks at what follows. A
// member that is killed while it writes leaves its last record unfinished: no
// damage. The error is ctx's.
func (r *reader) broken(s segment, f *frames, err error) error {
	if r.last {
		torn, ctxErr := f.torn(r.ctx, err)
		if ctxErr != nil {
			return ctxErr
		}
		if torn {
			r.log.MayGoOn = errors.Is(err, errCutOff)
			r.fault(s.name, f.start, false, "the last record is unfinished, as a killed process leaves it, or a copy that was cut short")
			return nil
		}
	}
	r.stop(s.name, f.start, err.Error()+": what follows was not applied")
	if f.offset == f.start {
		r.open = r.last
		return nil // where the next record begins is not known
	}
	var gap *gapError
	if errors.As(err, &gap) {
		r.noteEntry(gap.index, gap.term)
	}
	r.crc, r.seeded = f.rec.crc, true
	return r.look(s, f)
}

// look goes over records after a gap. Each is believed whose checksum continues
// that of the one before. The error is ctx's.
func (r *reader) look(s segment, f *frames) error {
	unnamed := f.offset == 0
	for n := 0; ; n++ {
		if n%1024 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		at := f.offset
		rec, err := f.next()
		switch {
		case err != nil && f.offset == at || err == io.EOF:
			return r.lookedUntil(f, err)
		case err != nil:
			r.seeded = false
			continue
		}
		if r.believed(rec) {
			r.note(rec)
			if unnamed && rec.kind != crcRecord {
				unnamed = false
				r.sawName(s)
			}
		}
		r.crc, r.seeded = rec.crc, true
	}
}

// lookedUntil takes note of what stands in the last segment after the end of its records,
// and is no record. The error is ctx's.
func (r *reader) lookedUntil(f *frames, end error) (err error) {
	if !r.last {
		return nil
	}
	if end == io.EOF {
		_, r.open, err = f.nonZero(r.ctx)
		return err
	}
	torn, err := f.torn(r.ctx, end)
	r.open = !torn
	return err
}

// note takes what a record after a gap says of the indexes that were written.
func (r *reader) note(rec *record) {
	switch rec.kind {
	case metadataRecord:
		if r.metadata == nil {
			_ = r.identity(rec.data)
		}
	case entryRecord:
		var e Entry
		if e.parse(rec.data) == nil && e.Index > r.after {
			r.noteEntry(e.Index, e.Term)
		}
	case stateRecord:
		r.saw(number(rec.data, stateCommit))
	case snapshotRecord:
		r.saw(number(rec.data, snapshotIndex))
	}
}

// maxSpans bounds the runs of entries after a gap that are told apart.
const maxSpans = 100

// noteEntry notes an entry after a gap. It overrules what has its index or a
// later one, be that before the gap.
func (r *reader) noteEntry(index, term uint64) {
	r.saw(index)
	if at := index - r.after - 1; at < uint64(len(r.log.Entries)) {
		if r.log.Entries[at].Term == term {
			return // the same entry
		}
		r.log.Entries = r.log.Entries[:at]
	}
	for n := len(r.beyond); n > 0; n = len(r.beyond) {
		last := &r.beyond[n-1]
		if index > last.from {
			if index-1 <= last.to || n == maxSpans {
				last.to = index
				return
			}
			break
		}
		r.beyond = r.beyond[:n-1]
	}
	r.beyond = append(r.beyond, span{index, index})
}

// finish lists what is missing.
func (r *reader) finish() {
	last := r.log.Last(r.after)
	if !r.stopped {
		switch {
		case r.log.Seen > last:
			r.stop("", 0, fmt.Sprintf("the log ends with entry %d, and says that there is an entry %d: its end is missing", last, r.log.Seen))
		case r.log.Seen < r.after:
			r.stop("", 0, fmt.Sprintf("the log ends with entry %d, and the db has applied entry %d: its end is missing", r.log.Seen, r.after))
		default:
			return
		}
	}
	next := last + 1
	lost := func(to uint64) {
		if next != 0 && next <= to {
			r.log.Missing = append(r.log.Missing, Gap{next, to, Lost})
		}
	}
	for _, s := range r.beyond {
		lost(s.from - 1)
		r.log.Missing = append(r.log.Missing, Gap{s.from, s.to, AfterGap})
		next = s.to + 1
	}
	lost(r.log.Seen)
	if len(r.log.Missing) == 0 || r.open { // nothing shows how many
		r.log.Missing = append(r.log.Missing, Gap{From: max(next, r.log.Seen+1), Why: Lost})
	}
}

// plain leaves out the path that the system's error repeats.
func plain(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
