package boltpage

import (
	"context"
	"os"
)

// Sparse finds the data of a file between its holes, which read as zeros and can be
// far larger than the disk. It steps forward best. The zero value knows of no holes.
type Sparse struct {
	file     *os.File // nil when it has no holes
	from, to int64    // the stretch of data found last
}

// NewSparse returns a Sparse for f, of that size in bytes.
func NewSparse(f *os.File, size int64) Sparse {
	if info, err := f.Stat(); err == nil && stored(info) < size {
		return Sparse{file: f}
	}
	return Sparse{}
}

// Next is the first offset from off on at which there may be data; ok is false when
// nothing but a hole follows.
func (s *Sparse) Next(off int64) (data int64, ok bool) {
	if s.file == nil || off >= s.from && off < s.to {
		return off, true
	}
	from, to, ok := seekData(s.file, off)
	if !ok {
		return off, false
	}
	s.from, s.to = from, to
	return max(from, off), true
}

// End is where the data ends that off lies in, off itself for a hole.
func (s *Sparse) End(off, size int64) int64 {
	data, ok := s.Next(off)
	switch {
	case s.file == nil:
		return size
	case !ok || data > off:
		return off
	}
	return min(s.to, size)
}

// Holes adds up the bytes of the first size ones of f that lie in holes, and stops
// when they are more than most. The error is ctx's.
func Holes(ctx context.Context, f *os.File, size, most int64) (holes int64, err error) {
	s := NewSparse(f, size)
	for off := int64(0); s.file != nil && off < size && holes <= most; off = s.to {
		if err := ctx.Err(); err != nil {
			return holes, err
		}
		data, ok := s.Next(off)
		if !ok {
			return holes + size - off, nil
		}
		holes += data - off
	}
	return holes, nil
}
