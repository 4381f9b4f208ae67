// Package scratch keeps account of temporary files, so that a process that must
// end at once leaves none behind.
package scratch

import (
	"errors"
	"os"
	"sync"
)

var (
	mu     sync.Mutex
	held   = map[int]func() error{} // what removes each
	dirs   = map[string]func(){}    // what lets go of each directory that Dir made
	last   int
	ending bool
)

var errEnding = errors.New("the process is ending")

// Hold takes over to call remove if the process must end before release is
// called. Call it before what is temporary is made.
func Hold(remove func() error) (release func(), err error) {
	mu.Lock()
	defer mu.Unlock()
	return hold(remove)
}

func hold(remove func() error) (release func(), err error) {
	if ending {
		return nil, errEnding
	}
	last++
	n := last
	held[n] = remove
	return func() {
		mu.Lock()
		defer mu.Unlock()
		delete(held, n)
	}, nil
}

// Dir makes a private directory, as os.MkdirTemp does, and holds it until Remove.
func Dir(parent, pattern string) (string, error) {
	mu.Lock()
	defer mu.Unlock()
	if ending {
		return "", errEnding
	}
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return "", err
	}
	dirs[dir], err = hold(func() error { return os.RemoveAll(dir) })
	return dir, err
}

// Remove removes a directory with all that is in it.
func Remove(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	mu.Lock()
	release := dirs[dir]
	delete(dirs, dir)
	mu.Unlock()
	if release != nil {
		release()
	}
	return nil
}

// RemoveAll removes all that is held, and lets nothing more be made: the process
// ends.
func RemoveAll() {
	mu.Lock()
	defer mu.Unlock()
	ending = true
	for _, remove := range held {
		for range 10 { // a directory that is still written to can gain a file meanwhile
			if remove() == nil {
				break
			}
		}
	}
}
