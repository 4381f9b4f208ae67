package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime"
	"sync"

	"revenant/decoder/boltpage"
	"revenant/decoder/container"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// Errors that say why a file cannot be opened as a snapshot. They come wrapped
// in an *OpenError.
var (
	ErrDirectory   = container.ErrDirectory
	ErrEmpty       = boltpage.ErrEmpty
	ErrNoMeta      = boltpage.ErrNoMeta
	ErrNoKeyBucket = errors.New("no key bucket: a bbolt database, but not etcd's")
)

// OpenError says that a file could not be opened, and what it looks like when
// that is known.
type OpenError struct {
	Path  string
	Looks string // such as "a gzip file", "" when unknown
	Err   error
}

func (e *OpenError) Error() string {
	if e.Looks != "" {
		return fmt.Sprintf("open %s: looks like %s, not an etcd snapshot: %v", e.Path, e.Looks, e.Err)
	}
	return fmt.Sprintf("open %s: %v", e.Path, e.Err)
}

func (e *OpenError) Unwrap() error { return e.Err }

// Options says how to open a snapshot. The zero value verifies everything.
type Options struct {
	// SkipHashCheck leaves the SHA-256 trailer unverified and computes no hash.
	SkipHashCheck bool
	// Limits bound what a compressed file may expand to.
	Limits container.Limits
	// WALDir is where a member's log is when it is not beside its db.
	WALDir string
	// AssumeCommitted applies the entries of the log that other members may not
	// have agreed to.
	AssumeCommitted bool
	// Decrypt, when set, turns the stored value of a key into the one that the API
	// server had. One that it cannot decrypt is left as it is stored.
	Decrypt func(key string, value []byte) ([]byte, error)
	// Stdin is read for the path "-".
	Stdin io.Reader
	// MkdirTemp makes the directory for what is expanded; nil is one in os.TempDir.
	MkdirTemp func() (string, error)
	// Workers is how many goroutines index the file; 0 is one a processor, but for the one
	// that computes the SHA-256.
	Workers int
	// Status says that Status will be asked for: what it needs of the revisions is then
	// computed while they are indexed.
	Status bool
	// Cache, when set, keeps what indexing a file finds out, for the next time it is opened.
	Cache *outfile.Cache
	// Progress, when set, is called with how far the work is, about twenty times a
	// second, from one goroutine at a time. Hashing may still report after
	// Open has returned.
	Progress func(Progress)
}

// Snapshot is an open snapshot file. Its methods are safe for concurrent use
// until Close.
type Snapshot struct {
	path            string
	size            int64               // of the db
	evidence        *container.Evidence // nil when opened from memory
	watched         []watched           // files of evidence that must not change
	segments        []string            // of its log; nil without one
	tornPossible    string              // how it shows that a running etcd uses them, "" when it does not
	pages           *boltpage.File
	hash            *hashing
	hollow          string // why the file was not hashed, although that was asked for
	meta            Meta
	index           *index           // of the state read: the db's, with the log applied where there is one
	dbIndex         *index           // of the db alone
	keySum          *itemSum         // of the bucket key; nil when it was not computed
	memory          *memory          // nil without a cache
	workers         int              // goroutines that go over pages side by side
	overlay         *overlay         // records that the log adds; their offsets follow those of the file; nil without any
	leases          map[int64][]byte // after the log; nil without one
	wal             *WAL             // nil when no log was read
	alarms          []Alarm          // after the log
	gone            bool             // the member was removed from its cluster
	without         string           // why the other members can agree to something without this one, "" when they cannot
	received        string           // the name of a newer db that the leader had sent, "" for none
	authNoted       bool             // that etcd's own authentication was switched on
	problems        problemList
	decrypt         func(key string, value []byte) ([]byte, error) // nil for none
	tell            func(Progress)                                 // nil for nobody
	assumeCommitted bool
	deltas          *Deltas  // nil when there are no delta files
	spill           *os.File // values of delta files; nil without any

	unsettled      bool  // a finished compaction left what it should not have
	unusedRevision int64 // newest revision on a page in no bucket, when it is newer than all others

	close    sync.Once
	closeErr error
}

// Open finds the db in what path names, maps it, reads its meta data and indexes
// its revisions. It returns as soon as the snapshot can be asked; the SHA-256 is
// computed meanwhile and waited for by Integrity.
//
// The path is that of a snapshot or of a db, as it is, compressed (gzip, zstd) or
// in an archive (zip, tar; ARCHIVE//NAME where it has several), or of a member's data directory, whose log is applied
// to its db; "-" is standard input.
//
// A damaged file opens as long as anything of its key bucket can be found:
// see Problems. The error is an *OpenError, or ctx's.
func Open(ctx context.Context, path string, opts Options) (*Snapshot, error) {
	s, err := openOnce(ctx, path, opts)
	if err != nil || s.evidence.Format != container.Directory {
		return s, err
	}
	how := s.inUse()
	if how == "" {
		return s, nil
	}
	// Somebody writes to it. A second reading may be luckier.
	if err := s.Close(); err != nil {
		return nil, err
	}
	if s, err = openOnce(ctx, path, opts); err != nil {
		return nil, err
	}
	s.torn(how)
	return s, nil
}

func openOnce(ctx context.Context, path string, opts Options) (*Snapshot, error) {
	progress := newProgress(opts.Progress, PhaseExpand, -1)
	s := &Snapshot{path: path}
	if path == "-" {
		s.watchInput(opts.Stdin)
	}
	evidence, err := container.Open(ctx, path, container.Options{
		Limits: opts.Limits, WALDir: opts.WALDir, SkipHash: opts.SkipHashCheck, Stdin: opts.Stdin, MkdirTemp: opts.MkdirTemp, Progress: progress.set,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, openError(path, err)
	}
	s.evidence, s.path = evidence, evidence.Path
	info, err := evidence.DB.Stat()
	if err != nil {
		return nil, errors.Join(openError(path, err), s.Close())
	}
	s.size = info.Size()
	s.watch()
	if evidence.Beside != "" {
		s.problems.add(Note, "log", "the write-ahead log beside the db was not applied: name the data directory, and it is", "what was written since the db's last commit")
	}
	s.noteUnread()
	for _, fault := range evidence.Faults {
		s.problems.add(Damage, "container", fault, "what follows in it")
	}
	if opts.SkipHashCheck, err = s.tooHollow(ctx, opts.SkipHashCheck); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.memory = s.remember(ctx, opts.Cache)
	open := func() (*boltpage.File, error) { return s.memory.openPages(ctx, evidence.DB) }
	if err := s.open(ctx, evidence.DB, open, opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	evidence.Forget()
	s.hash.hashOthers(s.others())
	return s, nil
}

// OpenBytes is Open for a snapshot that is already in memory and that messages
// call name. The caller must not change data until Close.
func OpenBytes(ctx context.Context, name string, data []byte, opts Options) (*Snapshot, error) {
	s := &Snapshot{path: name, size: int64(len(data))}
	open := func() (*boltpage.File, error) { return boltpage.OpenBytes(ctx, data) }
	if err := s.open(ctx, bytes.NewReader(data), open, opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.hash.hashOthers(nil)
	return s, nil
}

// openError says why nothing could be opened at path.
func openError(path string, err error) error {
	return &OpenError{Path: path, Err: pathless(err)}
}

// pathless leaves out the path that the system's error repeats.
func pathless(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// open reads the evidence: raw for the hash and for what a file that is no
// snapshot looks like, pages for all else.
func (s *Snapshot) open(ctx context.Context, raw io.ReaderAt, pages func() (*boltpage.File, error), opts Options) error {
	var err error
	s.decrypt, s.tell = opts.Decrypt, opts.Progress
	s.hash = startHashing(ctx, raw, s.size, opts.SkipHashCheck, newProgress(opts.Progress, PhaseHash, s.size))
	if s.pages, err = pages(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.unreadable(raw, err)
	}
	s.assumeCommitted = opts.AssumeCommitted
	if s.workers = opts.Workers; s.workers <= 0 {
		s.workers = runtime.GOMAXPROCS(0)
		if !opts.SkipHashCheck {
			s.workers = max(s.workers-1, 1)
		}
	}
	return s.load(ctx, opts.Status)
}

// load reads what the root leads to.
func (s *Snapshot) load(ctx context.Context, status bool) error {
	bucket := s.pages.Bucket("key")
	switch {
	case bucket != nil:
	case s.pages.AnomalyCount() == 0:
		return &OpenError{Path: s.path, Err: s.noKeys()}
	default:
		s.problems.add(Damage, "bucket key", "cannot be found: what leads to it is damaged", "all revisions")
		bucket = &boltpage.Bucket{Name: "key"}
	}
	s.checkSize()
	s.meta = readMeta(s.pages, &s.problems)
	progress := newProgress(s.tell, PhaseIndex, int64(bucket.Pages()))
	k := s.memory.recall()
	recalled := k != nil
	if recalled {
		progress.add(int64(bucket.Pages()))
	} else {
		var err error
		if k, err = s.readRecords(ctx, bucket, status || s.memory != nil, progress); err != nil {
			return err
		}
	}
	s.index, s.dbIndex, s.keySum = k.index, k.index, k.sum
	s.checkCompactions()
	if s.evidence != nil && s.evidence.WALDir != "" {
		if err := s.applyLog(ctx, s.evidence.WALDir, s.assumeCommitted); err != nil {
			return err
		}
	} else {
		if s.evidence != nil && len(s.evidence.Deltas) > 0 {
			if err := s.applyDeltas(ctx, s.evidence.Deltas); err != nil {
				return err
			}
		}
		raised := map[alarm]struct{}{}
		s.storedAlarms(func(member uint64, kind alarmKind) { raised[alarm{member, kind}] = struct{}{} })
		s.noteAlarms(raised)
	}
	if s.withoutLog() {
		s.without = goOn(newRoster(s.meta.Members, nil, s.meta.others).voters, 0)
	}
	if s.withoutLog() && (s.evidence == nil || s.evidence.Beside == "") {
		s.problems.add(Note, "log", "the db is a member's own, not what etcdctl snapshot save writes, and its write-ahead log is not here", "what was written since the db's last commit")
	}
	if !recalled {
		var err error
		if k.unused, err = s.findUnused(ctx); err != nil {
			return err
		}
	}
	s.noteUnused(k.unused)
	if recalled {
		return nil
	}
	if err := s.pages.CheckKeyRoot(ctx); err != nil {
		return err
	}
	return s.keep(ctx, k)
}

// readRecords indexes the bucket key.
func (s *Snapshot) readRecords(ctx context.Context, bucket *boltpage.Bucket, sums bool, progress *progress) (*known, error) {
	x, sum, problems, err := buildIndex(ctx, bucket, s.workers, sums, progress)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &OpenError{Path: s.path, Err: err}
	}
	s.index = x
	s.problems.merge(&problems)
	return &known{index: x, sum: sum}, interruptible(ctx, x.sortKeys, x.orderByKey, s.checkHistory)
}

// Close stops the hashing and gives the map back. It is an error to use the
// snapshot afterwards.
func (s *Snapshot) Close() error {
	s.close.Do(func() {
		if s.hash != nil {
			s.hash.stop()
		}
		if s.pages != nil {
			s.closeErr = s.pages.Close()
		}
		if s.spill != nil {
			s.closeErr = errors.Join(s.closeErr, s.spill.Close())
		}
		if s.evidence != nil {
			s.closeErr = errors.Join(s.closeErr, s.evidence.Close())
		}
	})
	return s.closeErr
}

// Path is the path the snapshot was opened by, or that of the only snapshot in the
// directory that was named.
func (s *Snapshot) Path() string { return s.path }

// Size is the size of the db in bytes, the trailer included.
func (s *Snapshot) Size() int64 { return s.size }

// Meta returns what etcd keeps beside the keys.
func (s *Snapshot) Meta() Meta { return s.meta }

// Revision is the revision an etcd started on this file would be at: the
// newest record's main revision, or the compact revision when that is newer
// (etcd server/v3 v3.7 storage/mvcc/kvstore.go restore). 0 is an empty store.
func (s *Snapshot) Revision() int64 {
	return max(s.NewestRecord(), s.meta.compactRevision())
}

// NewestRecord is the newest record's main revision, 0 when there is none. It
// is what `etcdutl snapshot status` shows and what `--bump-revision` adds to.
func (s *Snapshot) NewestRecord() int64 {
	return s.index.newestMain()
}

// SeenRevision is the newest revision that the file shows etcd to have reached:
// Revision, one on a page that was written while the file was saved, or one that
// entries of the log may have made that were not applied or are missing.
func (s *Snapshot) SeenRevision() int64 {
	seen := max(s.Revision(), s.unusedRevision)
	if s.wal != nil {
		for _, entries := range []int64{int64(s.wal.Uncommitted), clamp(s.wal.MissingEntries())} {
			seen += min(entries, math.MaxInt64-seen) // each may have made one
		}
	}
	if s.deltas != nil {
		seen = max(seen, s.deltas.LastSeen)
	}
	if s.evidence != nil {
		seen = max(seen, s.evidence.Newer)
	}
	return seen
}

// CompactRevision is the oldest revision whose state can be asked for, 0 when
// the store was never compacted. A compaction that was scheduled and had not
// finished counts: etcd finishes it before it serves.
func (s *Snapshot) CompactRevision() int64 { return s.meta.compactRevision() }

// Len is the number of records indexed: puts, tombstones and bump markers.
func (s *Snapshot) Len() int { return s.index.len }

// BumpMarkers lists the revisions at which an earlier restore with
// --bump-revision left its empty record, oldest first.
func (s *Snapshot) BumpMarkers() []int64 {
	var list []int64
	if k, ok := s.index.find(""); ok {
		for _, p := range s.index.records(k) {
			list = append(list, s.index.record(p).Main)
		}
	}
	return list
}

// Problems lists everything found wrong so far, that in the pages first.
// Reading more of the file, Status for one, can find more.
func (s *Snapshot) Problems() []Problem {
	var list []Problem
	for _, a := range s.pages.Anomalies() {
		list = append(list, fromAnomaly(a))
	}
	dropped := s.pages.AnomalyCount() - len(list) + s.problems.dropped
	list = append(list, s.problems.list...)
	if dropped > 0 {
		list = append(list, Problem{Severity: Damage, Where: "file", What: words.PlainOf(dropped, "more problem is", "more problems are") + " not listed"})
	}
	return list
}

// Damaged says whether a problem of that severity was found, the trailer's
// verdict left aside.
func (s *Snapshot) Damaged() bool {
	for _, p := range s.Problems() {
		if p.Severity == Damage {
			return true
		}
	}
	return false
}

// BucketInfo describes one bucket of the file.
type BucketInfo struct {
	Name string `json:"name"`
	Keys int    `json:"keys"`
}

// Buckets lists the file's buckets in its order. The error is ctx's.
func (s *Snapshot) Buckets(ctx context.Context) ([]BucketInfo, error) {
	var list []BucketInfo
	for _, name := range s.pages.Buckets() {
		keys, err := s.pages.Bucket(name).Len(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, BucketInfo{Name: name, Keys: keys})
	}
	return list, nil
}

// Usage counts the file's pages by use. The error is ctx's.
func (s *Snapshot) Usage(ctx context.Context) (boltpage.Usage, error) { return s.pages.Usage(ctx) }

// PageSize is the size of a page in bytes.
func (s *Snapshot) PageSize() int { return s.pages.PageSize() }

// unreadable says that a file is no snapshot, and what it looks like.
func (s *Snapshot) unreadable(raw io.ReaderAt, err error) error {
	head := make([]byte, 512)
	n, _ := raw.ReadAt(head, 0)
	return &OpenError{Path: s.path, Looks: container.Looks(head[:n]), Err: err}
}
