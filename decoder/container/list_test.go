package container

import (
	"errors"
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
		{"a member", map[string][]byte{"snap/db": db, "a.db": db, "b.db": db}, "", []string{"."}},
		{"a snap directory", map[string][]byte{"db": db, "a.db": db, "b.db": db}, "", []string{"."}},
		{"one file, and more below", map[string][]byte{"a.db": db, "d/b.db": db, "d/c.db": db}, "", []string{"."}},
		{"a db that is a directory", map[string][]byte{"db/a.db": db, "db/b.db": db}, "", []string{"db/a.db", "db/b.db"}},
		{"a store", map[string][]byte{"v2/Full-00000000-00000012-1764417600": db, "a.db": db, "b.db": db}, "", []string{"."}},
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
	small := db[:8192]
	for _, test := range []struct {
		name  string
		files map[string][]byte
		most  int
		want  error
	}{
		{"as many entries as the limit", map[string][]byte{"a": small, "b": small}, 2, nil},
		{"more", map[string][]byte{"a": small, "b": small, "c": small}, 2, ErrEntries},
		{"as many below it", map[string][]byte{"d/a": small, "d/b": small}, 3, nil},
		{"more below it", map[string][]byte{"d/a": small, "d/b": small}, 2, ErrEntries},
	} {
		if list, err := List(t.Context(), tree(t, test.files), test.most); !errors.Is(err, test.want) || err == nil && len(list) != 2 {
			t.Errorf("%s: %q, %v", test.name, list, err)
		}
	}
}
