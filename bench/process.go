//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Words that stand before a command which is a screen: how long it takes to show what.
const (
	uiOverview = "until the files are shown:"
	uiVerdict  = "until the verdict is shown:"
)

// timed runs a command and returns how long it took, in seconds.
func timed(command []string) (float64, error) {
	switch command[0] {
	case uiOverview:
		return shown(command[1:], "undone by the restore")
	case uiVerdict:
		return shown(command[1:], "certain")
	}
	cmd := exec.Command(command[0], command[1:]...)
	start := time.Now()
	err := cmd.Run()
	return time.Since(start).Seconds(), finished(err)
}

// finished is nil for a command that ran to its end, whatever it found.
func finished(err error) error {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() && exit.ExitCode() == 1 {
		return nil // predict found harm
	}
	return err
}

// peak runs a command and returns the most anonymous memory that it was seen to hold, in
// bytes: without the pages of the files.
func peak(command []string) (int64, error) {
	used, _, err := watched(exec.Command(command[0], command[1:]...))
	return used, err
}

// watched runs a command as peak does, and returns how long it took as well, in seconds.
func watched(cmd *exec.Cmd) (most int64, seconds float64, err error) {
	var errs bytes.Buffer
	cmd.Stderr = &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			most = max(most, anonymous(cmd.Process.Pid))
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	err = cmd.Wait()
	seconds = time.Since(start).Seconds()
	close(done)
	watch.Wait()
	if err = finished(err); err != nil {
		err = fmt.Errorf("%w: %s", err, &errs)
	}
	return most, seconds, err
}

// anonymous is what a process holds beside the pages of files.
func anonymous(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kB, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseInt(kB, 10, 64)
	return n << 10
}

// shown starts a screen on a terminal of its own and returns how long it takes until it
// shows a word.
func shown(command []string, word string) (float64, error) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return 0, err
	}
	defer terminal.Close()
	fd := int(terminal.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 140}))
	if err != nil {
		return 0, err
	}
	side, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return 0, err
	}
	defer side.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer late.Stop()
	var all []byte
	buf := make([]byte, 1<<16)
	for !bytes.Contains(all, []byte(word)) {
		n, err := terminal.Read(buf)
		all = append(all, buf[:n]...)
		if err != nil {
			cmd.Wait()
			return 0, fmt.Errorf("it never showed %q: %w", word, err)
		}
	}
	took := time.Since(start).Seconds()
	cmd.Process.Kill()
	cmd.Wait()
	return took, nil
}

// evict takes files out of the page cache.
func evict(paths []string) error {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// limits prints what the machine can do with a file: read it, and hash it, and copy as
// much memory.
func limits(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	read := func(w io.Writer) (float64, error) {
		best := math.Inf(1)
		for range 3 {
			start := time.Now()
			if _, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(f, 0, info.Size()), make([]byte, 256<<10)); err != nil {
				return 0, err
			}
			best = min(best, time.Since(start).Seconds())
		}
		return best, nil
	}
	reading, err := read(io.Discard)
	if err != nil {
		return err
	}
	hashing, err := read(sha256.New())
	if err != nil {
		return err
	}
	from, to := bytes.Repeat([]byte{1}, 256<<20), make([]byte, 256<<20)
	copying := math.Inf(1)
	for range 4 {
		start := time.Now()
		copy(to, from)
		copying = min(copying, time.Since(start).Seconds())
	}
	rate := func(bytes int64, seconds float64) float64 { return float64(bytes) / seconds / 1e9 }
	fmt.Printf("%d processors, each: read the page cache %.1f GB/s, SHA-256 of it %.1f GB/s, copy memory %.1f GB/s\n",
		runtime.NumCPU(), rate(info.Size(), reading), rate(info.Size(), hashing), rate(256<<20, copying))
	return nil
}
