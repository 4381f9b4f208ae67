package wal

import (
	"bytes"
	"context"
	"path/filepath"

	"revenant/decoder/input"
	"revenant/decoder/wire"
)

// Config is what a log reports about the members up to an entry: raft's configuration in the
// newest snapshot before it, and the entries since that may have changed something.
type Config struct {
	// Snapshot is the index of the last entry that the snapshot has, 0 where the log
	// begins with the first one. Term is that entry's.
	Snapshot, Term uint64
	ConfState      *ConfState // nil before etcd 3.5
	Entries        []Entry    // those that were picked
}

// maxPicked bounds the entries that are kept.
const maxPicked = 10_000

// ReadConfig reads all segments up to an entry, and keeps the entries that pick wants.
// It is nil where entries between the snapshot and that one are missing, or damaged.
// The error is ctx's, or that of the directory.
func ReadConfig(ctx context.Context, dir string, upTo uint64, pick func(*Entry) bool) (*Config, error) {
	segments, _, err := list(dir)
	if err != nil {
		return nil, err
	}
	c := configReader{reader: reader{ctx: ctx, log: &Log{}}, upTo: upTo, pick: pick}
	for _, s := range segments {
		if err := c.segment(filepath.Join(dir, s.name)); err != nil {
			return nil, err
		}
	}
	if !c.any || c.from > c.best.Snapshot+1 || c.to < upTo && c.best.Snapshot < upTo || c.dropped {
		return nil, nil
	}
	for _, e := range c.picked {
		if e.Index > c.best.Snapshot {
			c.best.Entries = append(c.best.Entries, e)
		}
	}
	return &c.best, nil
}

type configReader struct {
	reader
	upTo     uint64
	pick     func(*Entry) bool
	best     Config
	any      bool   // a snapshot was seen
	from, to uint64 // the last run of entries without a gap
	picked   []Entry
	dropped  bool // more were to be picked than may be
}

// segment reads one segment as far as it can be read. The error is ctx's.
func (c *configReader) segment(path string) error {
	f, err := input.Open(path)
	if err != nil {
		return c.ctx.Err()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return c.ctx.Err()
	}
	c.seeded = false
	frames := newFrames(f, info.Size())
	for n := 0; ; n++ {
		if n%1024 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		rec, err := frames.next()
		if err != nil || !c.believed(rec) {
			return nil // the end; or what follows begins a new run, or is what a killed process leaves
		}
		c.crc, c.seeded = rec.crc, true
		switch rec.kind {
		case snapshotRecord:
			c.snapshot(rec.data)
		case entryRecord:
			var e Entry
			if e.parse(rec.data) == nil {
				c.take(&e)
			}
		}
	}
}

func (c *configReader) snapshot(data []byte) {
	at := Config{Snapshot: number(data, snapshotIndex), Term: number(data, snapshotTerm)}
	if at.Snapshot > c.upTo || c.any && at.Snapshot < c.best.Snapshot {
		return
	}
	for f, err := range wire.Fields(data) {
		if err != nil {
			return
		}
		if f.Num() == snapshotConf && f.Type() == wire.Bytes {
			at.ConfState = &ConfState{}
			if at.ConfState.Parse(f.Payload(data)) != nil {
				return
			}
		}
	}
	c.best, c.any = at, true
}

// take takes an entry, which overrules those that had its index or a later one.
func (c *configReader) take(e *Entry) {
	switch {
	case e.Index > c.upTo:
		return
	case e.Index > c.to+1 || e.Index < c.from:
		c.from, c.picked = e.Index, nil
	default:
		for n := len(c.picked); n > 0 && c.picked[n-1].Index >= e.Index; n-- {
			c.picked = c.picked[:n-1]
		}
	}
	c.to = e.Index
	if !c.pick(e) {
		return
	}
	if len(c.picked) == maxPicked {
		c.dropped = true
		return
	}
	kept := *e
	kept.Data = bytes.Clone(e.Data)
	c.picked = append(c.picked, kept)
}
