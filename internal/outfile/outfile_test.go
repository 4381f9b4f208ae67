package outfile

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOnlyWayToWrite refuses code of the program that makes or changes files on its
// own.
func TestOnlyWayToWrite(t *testing.T) {
	writes := []string{
		"Create", "CreateTemp", "WriteFile", "OpenFile", "Rename", "Link", "Symlink", "Truncate", "Mkdir", "MkdirAll", "MkdirTemp", "Chmod",
		"Chtimes", "OpenRoot", "OpenInRoot", "CopyFS", "StartProcess",
	}
	spared := []string{
		filepath.Join("..", "..", "decoder", "container", "expand.go"), // below a directory that it is given
		filepath.Join("..", "..", "decoder", "container", "stdin.go"),  // below the same
	}
	for _, layer := range []string{"analyzer", "cmd", "decoder", "report", "tui"} {
		files := 0
		err := filepath.WalkDir(filepath.Join("..", "..", layer), func(path string, e fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "snapshottest") || strings.Contains(path, "waltest") || slices.Contains(spared, path) {
				return err
			}
			files++
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			reads := map[*ast.SelectorExpr]bool{} // calls that open for reading alone
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && opensForReading(call) {
					reads[call.Fun.(*ast.SelectorExpr)] = true
				}
				call, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if from, ok := call.X.(*ast.Ident); ok && from.Name == "os" && slices.Contains(writes, call.Sel.Name) && !reads[call] {
					t.Errorf("%s: os.%s goes around the guard: see Guard.Place", set.Position(call.Pos()), call.Sel.Name)
				}
				return true
			})
			return nil
		})
		if err != nil || files == 0 {
			t.Errorf("%s: %d files, %v", layer, files, err)
		}
	}
}

// opensForReading says whether a call is of os.OpenFile with flags that name O_RDONLY
// and nothing else of package os.
func opensForReading(call *ast.CallExpr) bool {
	if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "OpenFile" || len(call.Args) != 3 {
		return false
	}
	readOnly := false
	others := false
	ast.Inspect(call.Args[1], func(n ast.Node) bool {
		if flag, ok := n.(*ast.SelectorExpr); ok {
			readOnly = readOnly || flag.Sel.Name == "O_RDONLY"
			others = others || flag.Sel.Name != "O_RDONLY"
		}
		return true
	})
	return readOnly && !others
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func has(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s has %q (%v), want %q", path, got, err, want)
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestWrite writes whole files, by every way to treat what is there.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	var none *Guard
	write := func(how How, s string, fail error) error {
		p, err := none.Place(path, how)
		if err != nil {
			return err
		}
		return p.Write(t.Context(), 0o600, func(w io.Writer) error { return errors.Join(text(s)(w), fail) })
	}
	if err := write(New, "new", nil); err != nil {
		t.Fatal(err)
	}
	has(t, path, "new")
	if err := write(New, "again", nil); !errors.Is(err, ErrExists) {
		t.Errorf("over a file: %v", err)
	}
	for _, how := range []How{Follow, Name} {
		if err := write(how, "replaced", nil); err != nil {
			t.Error(err)
		}
		has(t, path, "replaced")
		if err := write(how, "half", io.ErrUnexpectedEOF); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the error is %v", err)
		}
		has(t, path, "replaced")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("there are %q", got)
	}
}

// TestCameMeanwhile publishes nothing over a file that came after the check, nor
// where evidence came.
func TestCameMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	g := &Guard{}
	p, err := g.Place(path, New)
	if err != nil {
		t.Fatal(err)
	}
	err = p.Write(t.Context(), 0o600, func(w io.Writer) error { return os.WriteFile(path, []byte("theirs"), 0o600) })
	if !errors.Is(err, ErrExists) {
		t.Errorf("over a new file: %v", err)
	}
	has(t, path, "theirs")

	if p, err = g.Place(path, Follow); err != nil {
		t.Fatal(err)
	}
	err = p.Write(t.Context(), 0o600, func(w io.Writer) error { g.Evidence(path); return text("ours")(w) })
	if !errors.Is(err, ErrEvidence) {
		t.Errorf("over what became evidence: %v", err)
	}
	has(t, path, "theirs")
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("there are %q", got)
	}
}

// TestDirectorySwapped writes nothing where a directory was put in the place of
// another one.
func TestDirectorySwapped(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"out", "evidence"} {
		if err := os.Mkdir(at(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	g := &Guard{}
	g.Evidence(at("evidence"))
	p, err := g.Place(filepath.Join(at("out"), "file"), Follow)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(at("out"), at("old")), os.Symlink("evidence", at("out"))); err != nil {
		t.Skip(err)
	}
	if err := p.Write(t.Context(), 0o600, text("x")); err == nil {
		t.Error("it is written")
	}
	for _, name := range []string{"evidence", "old"} {
		if got := names(t, at(name)); len(got) > 0 {
			t.Errorf("%s has %q", name, got)
		}
	}
}

// TestDraft leaves nothing of a draft but what is published.
func TestDraft(t *testing.T) {
	for _, publish := range []bool{false, true} {
		dir := t.TempDir()
		p, err := new(Guard).Place(filepath.Join(dir, "file"), New)
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Dir.WriteFile("whole", []byte("x"), 0o600), d.Dir.WriteFile("work", nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		var want []string
		if publish {
			want = []string{"file"}
			if err := d.Publish("whole"); err != nil {
				t.Error(err)
			}
		}
		if err := d.Discard(); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("published %v, there are %q", publish, got)
		}
	}
}

// TestDraftDir publishes a directory where there is nothing, also nothing that came
// meanwhile.
func TestDraftDir(t *testing.T) {
	for _, meanwhile := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "made")
		p, err := new(Guard).Place(path, New)
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Dir.Mkdir("whole", 0o700), d.Dir.WriteFile("whole/file", []byte("ours"), 0o600)); err != nil {
			t.Fatal(err)
		}
		want := []string{"file"}
		if meanwhile {
			want = nil
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.PublishDir("whole"); meanwhile != errors.Is(err, ErrExists) || !meanwhile && err != nil {
			t.Error(err)
		}
		if err := d.Discard(); err != nil {
			t.Error(err)
		}
		if got := names(t, path); !slices.Equal(got, want) {
			t.Errorf("meanwhile %v, there are %q", meanwhile, got)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"made"}) {
			t.Errorf("beside it there are %q", got)
		}
	}
}

// TestUnreadPipe gives up a pipe that nobody reads when it is told to.
func TestUnreadPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := makePipe(path); err != nil {
		t.Skip(err)
	}
	p, err := new(Guard).Place(path, Follow)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Write(ctx, 0o600, text("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// TestEndlessEvidence ends with directories that lead into each other.
func TestEndlessEvidence(t *testing.T) {
	dir := t.TempDir()
	deep := dir
	for range 64 {
		deep = filepath.Join(deep, "member")
	}
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"member", "."} {
		for _, name := range []string{"wal", "snap"} {
			if err := os.Symlink(to, filepath.Join(dir, to, name)); err != nil && !errors.Is(err, fs.ErrExist) {
				t.Skip(err)
			}
		}
	}
	g := &Guard{}
	g.Evidence(dir)
	if _, err := g.Place(filepath.Join(deep, "file"), Follow); !errors.Is(err, ErrEvidence) {
		t.Errorf("the error is %v", err)
	}
	if len(g.dirs) > 64 {
		t.Errorf("%d directories were walked", len(g.dirs))
	}
}

// TestResume writes a file over what a run that was killed has left of it.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".revenant-1a")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	place, err := (&Guard{}).Place(filepath.Join(dir, "file"), Name)
	if err != nil {
		t.Fatal(err)
	}
	place.Resume("1a")
	err = place.Write(t.Context(), 0o600, func(w io.Writer) error {
		if data, err := os.ReadFile(left); err != nil || len(data) > 0 {
			t.Errorf("under its name are %q, %v", data, err)
		}
		_, err := io.WriteString(w, "whole")
		return err
	})
	entries, _ := os.ReadDir(dir)
	if data, readErr := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(data) != "whole" || len(entries) != 1 {
		t.Errorf("%q, %v, %v; %v", data, readErr, err, entries)
	}
}
