package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openRegular opens a segment for reading. What is no regular file is not
// opened: a FIFO would be waited for, and a device may do anything.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, errors.New("cannot be opened: " + plain(err))
	}
	if !info.Mode().IsRegular() {
		return nil, nil, notRead(info)
	}
	// It may have been replaced since.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, errors.New("cannot be opened: " + plain(err))
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = notRead(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, errors.New(plain(err))
	}
	return f, info, nil
}

func notRead(info fs.FileInfo) error {
	return fmt.Errorf("is %s and not a file: not read", kindOf(info.Mode()))
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
