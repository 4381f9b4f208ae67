package shell

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/tui/widget"
)

// TestCopy takes things to the clipboard by OSC 52, in a program that runs.
func TestCopy(t *testing.T) {
	out, err := runUntil(t, Options{Load: loads(demoInput(t))}, step{"18 phantom", "3"}, step{"cache-0", "c"}, step{"\x1b]52;c;", "q"})
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(out, "\x1b]52;c;")
	end := strings.IndexAny(rest, "\x07\x1b")
	if !ok || end < 0 {
		t.Fatalf("nothing is copied: %q", out[max(0, len(out)-300):])
	}
	text, err := base64.StdEncoding.DecodeString(rest[:end])
	if err != nil || string(text) != "data/cache-0" {
		t.Errorf("copied %q, error %v", text, err)
	}
}

func TestTake(t *testing.T) {
	in := demoInput(t)
	for _, tt := range []struct {
		name, keys string
		save       bool
		what, text string // text is how it begins
	}{
		{"the overview", "", false, "the overview", "─ Verdict"},
		{"a pod", "3jj", false, "data/db-1", "data/db-1"},
		{"marked pods", "3 j ", false, "2 rows", "data/cache-0\ndata/db-1"},
		{"all pods", "3", true, "30 rows", "OUTCOME,SEVERITY,CERTAINTY,NAMESPACE,NAME,NODE,OWNER,AGE,FLAGS\nphantom,critical,certain,data,cache-0,node-4,"},
		{"filtered pods", "3/db-0<enter>", true, "2 rows", "OUTCOME,"},
		{"an opened pod", "3<enter>", false, "pod data/cache-0", "● phantom: Runs; the API does not know it"},
		{"the runbook", "2", false, "the runbook", "  platform "},
		{"the runbook as a file", "2", true, "the runbook", "# Restore runbook\n"},
		{"an object as it was", "8z/deployments old-app<enter>Hjy", true, "deployments doomed/old-app at revision 759", "# deployments doomed/old-app at revision 759\n# Left out, "},
		{"an object", ":deploy web -n shop<enter><enter>", true, "deployments shop/web at revision", "# deployments shop/web at revision "},
		{"an object to paste", ":deploy web -n shop<enter><enter>", false, "deployments shop/web at revision", "# deployments shop/web at revision "},
		{"a difference", ":deploy web -n shop<enter>d", false, "/registry/deployments/shop/web", "─ deployments shop/web"},
		{"an object as JSON", ":deploy web -n shop<enter><enter>J", true, "deployments shop/web at revision", "{"},
		{"a node", "4", false, "node-4", "node-4"},
		{"an opened node", "4<enter>", false, "node-4", "─ node-4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := openOn(t, in, 80, 24).typed(tt.keys)
			e := x.excerpt(tt.save)
			if e.Later != nil {
				e.Text = e.Later()
			}
			if !strings.Contains(e.What, tt.what) || !strings.HasPrefix(e.Text, tt.text) {
				t.Errorf("got %q: %.80q", e.What, e.Text)
			}
			if strings.Contains(e.Text, "\x1b") || tt.save && (e.File == "" || strings.ContainsAny(e.File, `/\`)) {
				t.Errorf("file %q, text %q", e.File, e.Text)
			}
		})
	}
}

func TestTooLongToCopy(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	x.run(x.copyOut(widget.Export{What: "all of it", Text: strings.Repeat("x", maxCopied+1)}))
	if want := "all of it is too long for the clipboard: 72.3 KiB, at most 72.3 KiB; ctrl-s saves it to a file"; x.message != want {
		t.Errorf("got %q", x.message)
	}
}

// TestSave writes to a new file of the person's alone, and over none.
func TestSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pods.csv")
	x := openOn(t, demoInput(t), 120, 40).typed("3<ctrl+s><ctrl+u>" + path + "<enter>")
	if !strings.HasPrefix(x.message, "saved to "+path) || !strings.HasSuffix(x.message, ": 30 rows") {
		t.Errorf("it says %q", x.message)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(saveMode) {
		t.Fatalf("%v, %v", info, err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x.typed("4<ctrl+s><ctrl+u>" + path + "<enter>")
	if !strings.HasSuffix(x.message, "exists: nothing is written over") {
		t.Errorf("it says %q", x.message)
	}
	after, err := os.ReadFile(path)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Errorf("the file is another: %v\n%s", err, diff)
	}
}

// TestAtHome: ~ is the person's home where a shell would take it for that.
func TestAtHome(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	for path, want := range map[string]string{"~/a.yaml": "/home/someone/a.yaml", "~": "/home/someone", "~a": "~a", "a~/b": "a~/b", "": ""} {
		if got := atHome(path); got != want {
			t.Errorf("%q is %q, not %q", path, got, want)
		}
	}
}

// TestTakeDeleted saves a pod that is gone: what would keep it from being applied again is left
// out, and is there where it is asked for as it is stored.
func TestTakeDeleted(t *testing.T) {
	dir := t.TempDir()
	x := openOn(t, demoInput(t), 120, 40).typed("8z/pods old-app removed<enter>Hjjy")
	never := []string{"\n  uid:", "\nstatus:", "deletionTimestamp:", "\n  ownerReferences:", "nodeName:"}
	for _, tt := range []struct {
		name, keys string
		stored     bool
	}{
		{"applied.yaml", "<ctrl+s><ctrl+u>%<enter>", false},
		{"stored.yaml", "<ctrl+s><ctrl+s><ctrl+u>%<enter>", true},
		{"applied again.yaml", "<ctrl+s><ctrl+s><ctrl+s><ctrl+u>%<enter>", false},
		{"command.yaml", ":save %<enter>", false},
		{"raw.yaml", ":save --raw %<enter>", true},
	} {
		path := filepath.Join(dir, tt.name)
		x.typed(strings.ReplaceAll(tt.keys, "%", path))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, x.message, x.plain())
		}
		if !strings.Contains(string(text), "\nkind: Pod\n") || !strings.Contains(string(text), "# pods doomed/old-app-") {
			t.Errorf("%s:\n%s", tt.name, text)
		}
		for _, field := range never {
			if strings.Contains("\n"+string(text), field) && !tt.stored {
				t.Errorf("%s has %q:\n%s", tt.name, field, text)
			}
		}
		if tt.stored && (!strings.Contains(string(text), "\nstatus:") || !strings.Contains(string(text), "uid:") || !strings.Contains(x.message, "as it is stored")) {
			t.Errorf("%s is not as it is stored: %s\n%s", tt.name, x.message, text)
		}
	}
}

// TestSaveAtHome: ~ is the person's home wherever a file is named.
func TestSaveAtHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	openOn(t, demoInput(t), 120, 40).typed("3:save ~/a.csv<enter><ctrl+s><ctrl+u>~/b.csv<enter>")
	for _, name := range []string{"a.csv", "b.csv"} {
		if _, err := os.Stat(filepath.Join(home, name)); err != nil {
			t.Error(err)
		}
	}
}
