package container

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	db := database(t)
	for _, test := range []struct {
		name  string
		files map[string][]byte
		path  string
		want  []string
	}{
		{"two files", map[string][]byte{"b.db": db, "a.db.gz": packGzip(db), "notes.txt": []byte("text")}, "", []string{"a.db.gz", "b.db"}},
		{"below", map[string][]byte{"e-1/snapshot.db": db, "e-2/snap/db/README": []byte("text"), "e-3/member/snap/db": db}, "", []string{"e-1/snapshot.db", "e-3"}},
		{"one", map[string][]byte{"a.db": db, "notes.txt": []byte("text")}, "", []string{"."}},
		{"a data directory", map[string][]byte{"member/snap/db": db, "a.db": db, "b.db": db}, "", []string{"."}},
		{"a file", map[string][]byte{"a.db": db, "b.db": db}, "a.db", []string{"a.db"}},
		{"nothing", nil, "none", []string{"none"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, test.files)
			list, err := List(t.Context(), filepath.Join(root, test.path), 0)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, path := range list {
				relative, err := filepath.Rel(root, path)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, filepath.ToSlash(relative))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := List(t.Context(), tree(t, map[string][]byte{"a": db, "b": db, "c": db}), 2); err == nil {
		t.Error("more entries than the limit are no error")
	}
}
