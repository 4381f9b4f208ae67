package wal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"go.etcd.io/raft/v3/raftpb"
)

// ErrNoSegments says that a directory holds no segment of a log.
var ErrNoSegments = errors.New("no segment of a write-ahead log")

// Log is what was read of a write-ahead log.
type Log struct {
	// Segments are the names of the segments read, in order. Older ones hold
	// nothing that was asked for.
	Segments []string
	Older    int // how many those are

	// NodeID and ClusterID identify the member; 0 when no record says.
	NodeID, ClusterID uint64

	// Entries follow one another without a gap. Of an index that was written
	// twice the later one counts, and what followed the earlier one is gone.
	Entries []Entry
	Term    uint64 // of the last state recorded
	Commit  uint64 // the last index known to be agreed on; it lags behind

	// Bytes is how much was read of the segments, what follows the last record
	// left out.
	Bytes int64

	Faults []Fault
}

// Entry is one entry of raft's log.
type Entry struct {
	Index, Term uint64
	Type        raftpb.EntryType
	Data        []byte
}

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
}

// prepared is the size in bytes that etcd gives a segment before it writes to it
// (wal.go SegmentSizeBytes).
const prepared = 64 * 1000 * 1000

var segmentName = regexp.MustCompile(`^([0-9a-f]{16})-([0-9a-f]{16})\.wal$`)

// list returns the segments of a directory in order, and the names of files
// that etcd prepares ahead.
func list(dir string) (segments []segment, prepared []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		m := segmentName.FindStringSubmatch(f.Name())
		switch {
		case m != nil && f.Type().IsRegular():
			seq, _ := strconv.ParseUint(m[1], 16, 64)
			index, _ := strconv.ParseUint(m[2], 16, 64)
			segments = append(segments, segment{f.Name(), seq, index})
		case filepath.Ext(f.Name()) == ".tmp":
			prepared = append(prepared, f.Name())
		}
	}
	slices.SortFunc(segments, func(a, b segment) int { return cmp.Compare(a.seq, b.seq) })
	return segments, prepared, nil
}

// Read reads the entries after an index from the segments in dir. What is
// damaged is among the faults, and everything before it is returned. The error
// is ErrNoSegments, ctx's, or that of the directory.
func Read(ctx context.Context, dir string, after uint64) (*Log, error) {
	segments, prepared, err := list(dir)
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
	r := &reader{log: &Log{Older: from}, after: after}
	for _, name := range prepared {
		r.fault("", 0, false, name+" was prepared ahead and never used")
	}
	if first := segments[0]; first.index > after+1 {
		r.fault(first.name, 0, true, fmt.Sprintf("the log begins with entry %d, the one needed first is %d: a segment is missing", first.index, after+1))
		return r.log, nil
	}
	for i, s := range segments[from:] {
		if i > 0 && s.seq != segments[from+i-1].seq+1 {
			r.fault(s.name, 0, true, fmt.Sprintf("segments %d to %d before it are missing", segments[from+i-1].seq+1, s.seq-1))
			break
		}
		whole, err := r.segment(ctx, dir, s, from+i == len(segments)-1)
		if err != nil {
			return nil, err
		}
		r.log.Segments = append(r.log.Segments, s.name)
		if !whole {
			break
		}
	}
	return r.log, nil
}

// reader goes over the segments in order.
type reader struct {
	log      *Log
	after    uint64
	crc      uint32
	seeded   bool // the running checksum was set by a record
	metadata []byte
}

func (r *reader) fault(segment string, offset int64, damage bool, what string) {
	r.log.Faults = append(r.log.Faults, Fault{segment, offset, damage, what})
}

// segment reads one segment. whole says whether it could be read to its end.
// The error is ctx's.
func (r *reader) segment(ctx context.Context, dir string, s segment, last bool) (whole bool, err error) {
	f, err := os.Open(filepath.Join(dir, s.name))
	if err != nil {
		r.fault(s.name, 0, true, "cannot be opened: "+plain(err))
		return false, nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		r.fault(s.name, 0, true, plain(err))
		return false, nil
	}
	frames := newFrames(f, info.Size())
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		rec, err := frames.next()
		if err == io.EOF {
			r.log.Bytes += frames.offset
			if last {
				r.checkRest(s, frames)
			}
			if last && frames.offset == info.Size() && info.Size() < prepared {
				r.fault(s.name, frames.offset, false, "the segment ends with its last record, where etcd prepares it ahead with zeros: etcd has repaired it, or what followed was cut off")
			}
			return true, nil
		}
		if err == nil {
			err = r.record(rec)
		}
		if err != nil {
			r.log.Bytes += frames.start
			r.broken(s, frames, last, err)
			return false, nil
		}
	}
}

// broken reports the record at which reading ends. A member that is killed
// while it writes leaves its last record unfinished: no damage.
func (r *reader) broken(s segment, f *frames, last bool, err error) {
	if last && f.torn(err) {
		r.fault(s.name, f.start, false, "the last record is unfinished, as a killed process leaves it, or a copy that was cut short")
		return
	}
	r.fault(s.name, f.start, true, err.Error()+": what follows was not read")
}

// checkRest looks behind the last record, where etcd has nothing but zeros. A
// record that was written behind them would be one that a zeroed stretch cut
// off.
func (r *reader) checkRest(s segment, f *frames) {
	if at, found := f.nonZero(); found {
		r.fault(s.name, at, true, "bytes that are not zero follow the end of the log")
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
