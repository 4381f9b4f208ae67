package scrub

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
)

// Ledger has every word that scrubbing keeps or makes, and so all that a scrubbed file may
// hold. A word is a run of letters and digits.
type Ledger struct {
	seed  maphash.Seed
	known map[uint64]struct{} // hashes of words
	gone  map[uint64]struct{} // and of those that were replaced, from leastGone letters on up to leastFound
}

const (
	shortest = 3 // letters and digits of a word that is noted
	// leastFound is how many letters and digits in a row are looked at in a file. Lengths and
	// numbers of fields stand between words, and make shorter ones by chance.
	leastFound = 8
	leastGone  = 5   // letters and digits of a replaced word that is looked for by itself
	longest    = 160 // of a row that is taken apart; a longer one must be a word, but for its ends
)

func newLedger() *Ledger {
	l := &Ledger{seed: maphash.MakeSeed(), known: map[uint64]struct{}{}, gone: map[uint64]struct{}{}}
	v := words()
	for _, list := range []map[string]bool{v.named, v.worded, v.fields} {
		for w := range list {
			l.words([]byte(w))
		}
	}
	for _, w := range ownWords {
		l.words([]byte(w))
	}
	return l
}

// ownWords are those of etcd's file itself: the names of buckets and of items in them.
var ownWords = strings.Fields("alarm lease members_removed authUsers authRoles authEnabled authRevision cluster clusterVersion downgrade consistent_index term confState scheduledCompactRev finishedCompactRev storageVersion removed")

// words notes the words in b.
func (l *Ledger) words(b []byte) {
	for i := 0; i < len(b); {
		n := run(b, i, isAlnum)
		if n >= shortest {
			l.known[maphash.Bytes(l.seed, b[i:i+n])] = struct{}{}
		}
		i += max(n, 1)
	}
}

// replaced notes the words in b, of which none may be found again.
func (l *Ledger) replaced(b []byte) {
	for i := 0; i < len(b); {
		n := run(b, i, isAlnum)
		if n >= leastGone && n < leastFound {
			l.gone[maphash.Bytes(l.seed, b[i:i+n])] = struct{}{}
		}
		i += max(n, 1)
	}
}

func (l *Ledger) has(b []byte) bool {
	if len(b) < shortest {
		return false
	}
	_, ok := l.known[maphash.Bytes(l.seed, b)]
	return ok
}

// UnaccountedError says that a scrubbed file holds what was neither kept by intent nor made
// up. It does not say what: that may be what was to be scrubbed.
type UnaccountedError struct{ Offset int64 }

func (e *UnaccountedError) Error() string {
	return fmt.Sprintf("at byte %d it holds a text that is none of those that were kept or made up", e.Offset)
}

// Audit reads the content of a scrubbed file and refuses one in which eight letters and
// digits in a row, or more, are not accounted for, or five to seven are a word that was
// replaced. It does not know what is
// stored where: pages, keys, values and what lies between them are all bytes to it.
//
// The error is an *UnaccountedError, ctx's or r's.
func (l *Ledger) Audit(ctx context.Context, r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<20)
	var row []byte
	for offset := int64(0); ; offset++ {
		c, err := in.ReadByte()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if offset%(1<<20) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && isAlnum(c) && len(row) < maxRow {
			row = append(row, c)
			continue
		}
		if !l.accounts(row) {
			return &UnaccountedError{Offset: offset - int64(len(row))}
		}
		row = row[:0]
		if err != nil {
			return nil
		}
	}
}

// maxRow bounds what is held of a row.
const maxRow = 1 << 16

// accounts says whether a row is made of words, with fewer than leastFound bytes before,
// between and after them.
func (l *Ledger) accounts(row []byte) bool {
	if len(row) < leastFound {
		_, gone := l.gone[maphash.Bytes(l.seed, row)]
		return !gone || l.has(row)
	}
	if l.has(row) {
		return true
	}
	if len(row) > longest {
		for before := range leastFound {
			for after := range leastFound {
				if l.has(row[before : len(row)-after]) {
					return true
				}
			}
		}
		return false
	}
	// gap[i] is the least number of bytes before i that no word accounts for, -1 for too many.
	gap := make([]int, len(row)+1)
	for i := 1; i <= len(row); i++ {
		gap[i] = -1
		if before := gap[i-1]; before >= 0 && before+1 < leastFound {
			gap[i] = before + 1
		}
		for from := 0; from <= i-shortest && gap[i] != 0; from++ {
			if gap[from] >= 0 && l.has(row[from:i]) {
				gap[i] = 0
			}
		}
	}
	return gap[len(row)] >= 0
}
