package container

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// List are the snapshots in a directory that holds several, by path; of any other path,
// and of a directory that is one piece of evidence, the path itself. Zero entries is the
// default limit. The error is ctx's, ErrEntries, or that of reading the directory.
func List(ctx context.Context, path string, entries int) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, nil // opening it says what is wrong
	}
	for _, db := range []string{"member/snap/db", "snap/db", "db"} {
		if info, err := os.Stat(filepath.Join(path, filepath.FromSlash(db))); !errors.Is(err, fs.ErrNotExist) && (err != nil || !info.IsDir()) {
			return []string{path}, nil
		}
	}
	entries = cmp.Or(entries, DefaultEntries)
	if all, err := store(ctx, path, entries); err != nil || len(all) > 0 {
		return []string{path}, err
	}
	all, err := survey(ctx, path, &Options{Limits: Limits{Entries: entries}})
	if err == nil && len(all.found) == 0 {
		err = all.below(ctx, path)
	}
	if err != nil {
		return nil, err
	}
	if len(all.found) < 2 {
		return []string{path}, nil
	}
	var list []string
	for _, c := range all.found {
		list = append(list, filepath.Join(path, filepath.FromSlash(c.name)))
	}
	slices.Sort(list)
	return list, nil
}
