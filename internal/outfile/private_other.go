//go:build !unix

package outfile

import "io/fs"

// private leaves to the system's own rules who may write where: modes do not say it here.
func private(fs.FileInfo) bool { return true }
