//go:build !unix

package snapshot

import "os"

// identity has nothing to add: size and time of modification must do.
func identity(*os.File) (id [4]int64) { return id }
