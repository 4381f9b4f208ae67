//go:build !unix

package outfile

import (
	"errors"
	"os"
)

// open is never asked where no path names a descriptor.
func open(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }
