package salvage

import (
	"context"
	"io"
	"iter"
	"os"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshotfile"
)

type writer struct {
	ctx      context.Context
	s        *snapshot.Snapshot
	result   *Result
	progress func(done, total int)
	total    int // records that are written
}

// database writes a snapshot of the records that can be read, called name.
func (w *writer) database(dir *os.Root, name string, small map[string]map[string][]byte, records iter.Seq[snapshot.Record]) error {
	next, stop := iter.Pull(records)
	defer stop()
	written, err := snapshotfile.Write(w.ctx, dir, name, snapshotfile.Content{
		PageSize: w.s.PageSize(), Small: small,
		Next: func(room []byte) (snapshot.Record, []byte, error) { return w.next(next, room) },
		Progress: func() {
			if w.progress != nil {
				w.progress(w.result.Records+len(w.result.Unread), w.total)
			}
		},
	})
	w.result.SizeBytes, w.result.SHA256 = written.SizeBytes, written.SHA256
	return err
}

// next reads the next record that can be read, and notes those that cannot.
func (w *writer) next(next func() (snapshot.Record, bool), room []byte) (snapshot.Record, []byte, error) {
	for {
		r, ok := next()
		if !ok {
			return r, nil, io.EOF
		}
		if err := w.ctx.Err(); err != nil {
			return r, nil, err
		}
		value, err := w.s.Raw(r, room)
		if err != nil {
			w.result.Unread = append(w.result.Unread, r.Revision.String())
			continue
		}
		w.result.Records++
		w.result.Revision = max(w.result.Revision, r.Main)
		return r, value, nil
	}
}
