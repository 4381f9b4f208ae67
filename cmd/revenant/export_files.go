package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"revenant/decoder/input"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/export"
	"revenant/internal/outfile"
)

// maxList bounds a list of files, in bytes.
const maxList = 64 << 20

// listed are the files of the list.
func (o *exportOptions) listed() (list []job, err error) {
	text, err := input.ReadBounded(o.list, maxList)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		path, current, given := strings.Cut(line, "\t")
		if !given {
			current = o.current
		}
		list = append(list, job{path, current})
	}
	return list, nil
}

// identity is what the tables call a snapshot: the SHA-256 of its file, or else of the
// list of its files' hashes.
func identity(ctx context.Context, s *snapshot.Snapshot) (string, error) {
	custody, err := s.Custody(ctx)
	if err != nil {
		return "", err
	}
	if len(custody.Files) == 1 && custody.Entry == "" {
		return custody.Files[0].SHA256, nil
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", custody.Entry)
	for _, f := range custody.Files {
		fmt.Fprintf(h, "%s  %s\n", f.SHA256, filepath.Base(f.Path))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashUnread is the SHA-256 and the size of a file that did not open as a snapshot; the
// error is that of opening where the file cannot be read either.
func hashUnread(ctx context.Context, path string, opened error) (hash string, size int64, err error) {
	if errno := syscall.Errno(0); errors.As(opened, &errno) {
		return "", 0, opened // a full disk, say: it is not for what the file holds
	}
	f, err := input.Open(path)
	if err != nil {
		return "", 0, opened
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, input.Reader(ctx, f)); err != nil {
		return "", 0, opened
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// placed is where the tables of a snapshot are written.
type placed struct {
	o      *exportOptions
	marker export.Marker
	path   string // a hash of the file's path: snapshots has a row for each, whatever it holds
}

func (o *exportOptions) placed(path string, m export.Marker) *placed {
	sum := sha256.Sum256([]byte(path))
	m.SchemaVersion, m.Kind, m.Tool, m.Format, m.Flags = export.SchemaVersion, "Export", version(), export.Format(o.format), o.flags()
	return &placed{o, m, hex.EncodeToString(sum[:])[:export.Digits]}
}

func (p *placed) dir(table string) string {
	return filepath.Join(p.o.out, "table="+table, "cluster="+p.marker.Cluster, "snapshot="+p.marker.SHA256[:export.Digits])
}

// file is the name of a table's file.
func (p *placed) file(table string) string {
	part := "0"
	if table == export.List[0].Name {
		part = p.path
	}
	return "part-" + part + "." + string(p.marker.Format)
}

// success is where the marker is.
func (p *placed) success() string {
	return filepath.Join(p.o.out, "_SUCCESS", p.marker.SHA256[:export.Digits]+"-"+p.path)
}

// maxMarker bounds a marker, in bytes.
const maxMarker = 1 << 20

// kept is the marker of an earlier run that wrote the same; nil where there is none, or
// a file that it names is not there as it was.
func (p *placed) kept() *export.Marker {
	text, err := input.ReadBounded(p.success(), maxMarker)
	if err != nil {
		return nil
	}
	var m export.Marker
	if json.Unmarshal(text, &m) != nil || !m.Same(&p.marker) || m.Cluster != export.Cluster(m.Cluster) || len(m.Files) != len(export.List) {
		return nil
	}
	for i, table := range export.List {
		p.marker.Cluster = m.Cluster
		info, err := os.Stat(filepath.Join(p.dir(table.Name), p.file(table.Name)))
		if err != nil || info.Size() != m.Files[i].SizeBytes {
			return nil
		}
	}
	m.Kept = true
	return &m
}

// write writes the tables, and then the marker.
func (p *placed) write(ctx context.Context, fill func(*export.Sinks) error) (*export.Marker, error) {
	var cause error // of all errors: tables are begun one inside the other
	open := func(table string, write func(io.Writer) (int64, error)) (err error) {
		defer func() {
			if cause == nil {
				cause = err
			}
		}()
		dir := p.dir(table)
		if err := p.o.guard.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		place, err := p.o.guard.Place(filepath.Join(dir, p.file(table)), outfile.Name)
		if err != nil {
			return err
		}
		place.Resume(p.path)
		written := export.File{Path: filepath.ToSlash(strings.TrimPrefix(place.Name(), filepath.Clean(p.o.out)+string(filepath.Separator)))}
		h := sha256.New()
		err = place.Write(ctx, 0o666, func(w io.Writer) (err error) {
			counted := &byteCounter{w: io.MultiWriter(w, h)}
			written.Rows, err = write(counted)
			if written.SizeBytes = counted.n; cause == nil {
				cause = err
			}
			return err
		})
		if err == nil {
			written.SHA256 = hex.EncodeToString(h.Sum(nil))
			p.marker.Files = append(p.marker.Files, written)
		}
		return err
	}
	if err := export.Create(p.marker.Format, "revenant "+version(), open, fill); err != nil {
		return nil, cause
	}
	slices.Reverse(p.marker.Files)
	if err := p.o.guard.MkdirAll(filepath.Dir(p.success()), 0o777); err != nil {
		return nil, err
	}
	place, err := p.o.guard.Place(p.success(), outfile.Name)
	if err != nil {
		return nil, err
	}
	place.Resume(p.path)
	return &p.marker, place.Write(ctx, 0o666, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", indent)
		return encoder.Encode(&p.marker)
	})
}

// byteCounter counts the bytes that are written.
type byteCounter struct {
	w io.Writer
	n int64
}

func (c *byteCounter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// printable is a path as a line may have it.
func printable(path string) string { return sanitize.Short(path, mostInError) }
