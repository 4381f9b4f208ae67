// Package outfile opens every file that the program writes, and none that would reach
// evidence.
//
// A Guard learns of all evidence, what is read and what belongs to it, before an
// output is opened. It identifies files by identity and not by name, so no link,
// mount or descriptor leads around it. It refuses an output that is a file of
// evidence or would be inside a directory of it; no output ever goes into the
// directory of an etcd member.
//
// It takes a path as a person types it and returns a Place: resolved as the kernel
// does, checked, and held by its directory, so later changes of what a name leads to
// make no difference. A file appears there whole or not at all.
package outfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"revenant/internal/scratch"
)

// Errors that say why a place is refused. They come wrapped.
var (
	ErrEvidence = errors.New("is evidence")
	ErrExists   = errors.New("file exists") // of a New place
)

// How says what becomes of what stands at a place already.
type How int

// The ways. New follows no link, and neither does Name.
const (
	Follow How = iota // a link is followed, a file replaced; a pipe or a device is written to
	Name              // whatever has the name is replaced, a link too
	New               // nothing is written over
)

// Place is where an output goes.
type Place struct {
	guard *Guard
	name  string // as the person gave it
	how   How

	descriptor *os.File    // an open file that the path names, such as /dev/fd/3
	special    fs.FileInfo // the pipe or device at the path
	root       *os.Root    // the directory otherwise
	dir, base  string      // its path without any link, and the name in it

	part string // what the file is called until it is whole; "" for a name of its own
}

// Resume has the file written under a hidden name that id makes, and not under one of its
// own: what a run that was killed has left under it is removed.
func (p *Place) Resume(id string) { p.part = partPrefix + id }

// Name is the path as the person gave it.
func (p *Place) Name() string { return p.name }

// Place resolves the path of an output and refuses one that is evidence. Nothing
// is made. The error is ErrEvidence, ErrExists, or that of the path.
func (g *Guard) Place(path string, how How) (*Place, error) {
	p := &Place{guard: g, name: path, how: how}
	if err := p.resolve(); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, pathless(err))
	}
	if err := p.check(); err != nil {
		p.Close()
		return nil, err
	}
	if how == New && (p.root == nil || exists(path)) {
		p.Close()
		return nil, fmt.Errorf("write %s: %w", path, ErrExists)
	}
	return p, nil
}

// Close gives up what the place holds open.
func (p *Place) Close() {
	if p.root != nil {
		p.root.Close()
	}
	if p.descriptor != nil {
		p.descriptor.Close()
	}
}

func (p *Place) resolve() error {
	t, err := resolve(p.name, p.how != Name)
	if err != nil {
		return err
	}
	if t.isDescriptor {
		p.descriptor, err = open(t.descriptor, p.name)
		return err
	}
	info, err := os.Stat(p.name)
	switch {
	case p.how == Name || errors.Is(err, fs.ErrNotExist):
		// What the directory says counts.
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("is a directory")
	case !info.Mode().IsRegular():
		p.special = info
		return nil
	default:
		// A link of the system's own can lead elsewhere than it reads.
		if there, err := os.Lstat(filepath.Join(t.dir, t.base)); err != nil || !os.SameFile(info, there) {
			return errors.New("where it leads is not known")
		}
	}
	p.dir, p.base = t.dir, t.base
	if p.root, err = os.OpenRoot(p.dir); err != nil {
		return err
	}
	if !p.sameDir() {
		p.root.Close()
		return errors.New("its directory was replaced meanwhile")
	}
	return nil
}

// sameDir says whether the path of the directory leads to the one that is held.
func (p *Place) sameDir() bool {
	held, err := p.root.Stat(".")
	if err != nil {
		return false
	}
	now, err := os.Stat(p.dir)
	return err == nil && os.SameFile(held, now)
}

// check refuses a place that is evidence.
func (p *Place) check() error {
	switch {
	case p.descriptor != nil:
		info, err := p.descriptor.Stat()
		if err != nil {
			return fmt.Errorf("write %s: %w", p.name, pathless(err))
		}
		if known := p.guard.file(info); known != "" {
			return p.evidence(known)
		}
		return nil
	case p.special != nil:
		return nil // evidence is files and directories
	}
	if !p.sameDir() {
		return fmt.Errorf("write %s: its directory was replaced meanwhile", p.name)
	}
	if info, err := os.Stat(filepath.Join(p.dir, p.base)); err == nil {
		if known := p.guard.file(info); known != "" {
			return p.evidence(known)
		}
	}
	if p.guard.missing(p.dir, p.base) {
		return p.evidence(p.name)
	}
	inside, err := p.guard.inside(p.dir)
	if err != nil {
		return fmt.Errorf("write %s: %w", p.name, err)
	}
	if inside != "" {
		return fmt.Errorf("output %s %w: it would be inside %s", p.name, ErrEvidence, inside)
	}
	return nil
}

func (p *Place) evidence(known string) error {
	if known == p.name {
		return fmt.Errorf("output %s %w", p.name, ErrEvidence)
	}
	return fmt.Errorf("output %s %w: it is the file %s", p.name, ErrEvidence, known)
}

// Write writes a file whole or not at all, unless ctx ends before, and closes the
// place. mode is that of a new file, before the umask; one that is replaced keeps
// its own. To a pipe, a device or an open file all is written as it comes.
func (p *Place) Write(ctx context.Context, mode fs.FileMode, write func(io.Writer) error) (err error) {
	defer p.Close()
	switch {
	case p.descriptor != nil:
		err = write(Until(ctx, p.descriptor))
	case p.special != nil:
		err = p.stream(ctx, write)
	default:
		err = p.file(ctx, mode, write)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", p.name, err)
	}
	return nil
}

func (p *Place) file(ctx context.Context, mode fs.FileMode, write func(io.Writer) error) error {
	was, err := p.root.Lstat(p.base)
	keep := p.how == Follow && err == nil && was.Mode().IsRegular()
	part := p.part
	if part == "" {
		part = partName()
	} else if left := p.root.Remove(part); left != nil && !errors.Is(left, fs.ErrNotExist) {
		return pathless(left)
	}
	release, err := scratch.Hold(func() error { return p.root.Remove(part) })
	if err != nil {
		return err
	}
	defer release()
	f, err := p.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return pathless(err)
	}
	if keep {
		err = f.Chmod(was.Mode().Perm())
	}
	if err == nil {
		err = write(Until(ctx, f))
	}
	err = errors.Join(err, f.Close(), ctx.Err())
	if err == nil {
		err = p.publish(part)
	}
	if removed := p.root.Remove(part); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// publish gives a file below the directory the name of the output. Under that of a
// New place nothing is replaced.
func (p *Place) publish(part string) error {
	if err := p.check(); err != nil {
		return err
	}
	if p.how != New {
		return pathless(p.root.Rename(part, p.base))
	}
	err := p.root.Link(part, p.base) // refuses a file that came meanwhile
	if err == nil {
		return nil
	}
	// Not every file system has links.
	reserved, created := p.root.OpenFile(p.base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(created, fs.ErrExist) {
		return ErrExists
	}
	if created != nil {
		return pathless(err)
	}
	if err := errors.Join(reserved.Close(), p.root.Rename(part, p.base)); err != nil {
		return errors.Join(pathless(err), p.root.Remove(p.base))
	}
	return nil
}

// stream writes to a pipe or a device.
func (p *Place) stream(ctx context.Context, write func(io.Writer) error) error {
	type opened struct {
		f   *os.File
		err error
	}
	came := make(chan opened, 1)
	go func() { // a pipe opens when somebody reads it
		f, err := os.OpenFile(p.name, os.O_WRONLY, 0)
		came <- opened{f, err}
	}()
	var o opened
	select {
	case o = <-came:
	case <-ctx.Done():
		return ctx.Err()
	}
	if o.err != nil {
		return pathless(o.err)
	}
	if info, err := o.f.Stat(); err != nil || !os.SameFile(info, p.special) {
		return errors.Join(errors.New("it was replaced meanwhile"), err, o.f.Close())
	}
	// A pipe that nobody reads takes no write.
	stop := context.AfterFunc(ctx, func() { _ = o.f.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	err := errors.Join(write(Until(ctx, o.f)), o.f.Close())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Draft is a directory of one's own beside a place, to make the file for it in.
type Draft struct {
	Dir   *os.Root
	place *Place
	name  string

	release func() // by scratch
}

// Draft makes the directory. Discard it in the end.
func (p *Place) Draft() (*Draft, error) {
	if p.root == nil {
		return nil, fmt.Errorf("write %s: it is no file", p.name)
	}
	name := partName()
	release, err := scratch.Hold(func() error { return p.root.RemoveAll(name) })
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", p.name, err)
	}
	if err := p.root.Mkdir(name, 0o700); err != nil {
		return nil, fmt.Errorf("write %s: %w", p.name, pathless(err))
	}
	dir, err := p.root.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", p.name, errors.Join(pathless(err), p.root.Remove(name)))
	}
	return &Draft{Dir: dir, place: p, name: name, release: release}, nil
}

// Publish puts a file of the directory in its place.
func (d *Draft) Publish(name string) error {
	if err := d.place.publish(d.name + "/" + name); err != nil {
		return fmt.Errorf("write %s: %w", d.place.name, err)
	}
	return nil
}

// PublishDir puts a directory in the directory in its place, which must be a New one: a whole
// directory appears there or none.
func (d *Draft) PublishDir(name string) error {
	p := d.place
	err := p.check()
	if err == nil && exists(p.name) {
		err = ErrExists
	}
	if err == nil {
		err = pathless(p.root.Rename(d.name+"/"+name, p.base))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", p.name, err)
	}
	return nil
}

// Discard removes the directory with all that is in it, and closes the place.
func (d *Draft) Discard() error {
	defer d.place.Close()
	defer d.release()
	return errors.Join(d.Dir.Close(), d.place.root.RemoveAll(d.name))
}

const partPrefix = ".revenant-"

func partName() string { return fmt.Sprintf("%s%016x", partPrefix, rand.Uint64()) }

// Until returns a writer to w that fails once ctx has ended.
func Until(ctx context.Context, w io.Writer) io.Writer { return until{ctx, w} }

type until struct {
	ctx context.Context
	w   io.Writer
}

func (u until) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// MkdirAll makes a directory with its parents, none of them inside evidence.
func (g *Guard) MkdirAll(path string, mode fs.FileMode) error {
	at, rest := absolute(path), ""
	for {
		_, err := os.Stat(at)
		if err == nil {
			break
		}
		parent, base := split(at)
		if !errors.Is(err, fs.ErrNotExist) || parent == at {
			return pathless(err)
		}
		at, rest = parent, filepath.Join(base, rest)
	}
	dir, err := filepath.EvalSymlinks(at)
	if err != nil {
		return pathless(err)
	}
	if err := g.outside(path, dir); err != nil || rest == "" {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return errors.Join(root.MkdirAll(rest, mode), root.Close())
}

// MkdirTemp makes a directory for temporary files; scratch.Remove removes it.
func (g *Guard) MkdirTemp(pattern string) (string, error) {
	dir, err := filepath.EvalSymlinks(absolute(os.TempDir()))
	if err != nil {
		return "", err
	}
	if err := g.outside("for temporary files", dir); err != nil {
		return "", err
	}
	return scratch.Dir(dir, pattern)
}

// outside refuses a directory in which nothing may be made.
func (g *Guard) outside(what, dir string) error {
	inside, err := g.inside(dir)
	if err == nil && inside != "" {
		err = fmt.Errorf("directory %s %w: it is, or would be, inside %s", what, ErrEvidence, inside)
	}
	return err
}

// pathless leaves out the path that the system's error repeats.
func pathless(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
