package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"revenant/internal/corpus"
)

// interrupted is a command that is running when it is interrupted.
type interrupted struct {
	t    *testing.T
	dir  string   // with its files
	temp string   // for its temporary files
	in   *os.File // its standard input
	more *os.File // its descriptor 3
	out  *os.File // what it writes to its descriptor 4
}

// drained waits until the command has read all that was written to it.
func (r *interrupted) drained(pipe *os.File) {
	for range time.Tick(time.Millisecond) {
		waiting, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		if err != nil {
			r.t.Fatal(err)
		}
		if waiting == 0 || r.t.Context().Err() != nil {
			return
		}
	}
}

// reads has the command read the beginning of a pipe, and wait for more.
func (r *interrupted) reads(pipe *os.File, data []byte) {
	if _, err := pipe.Write(data); err != nil {
		r.t.Fatal(err)
	}
	r.drained(pipe)
}

// unpacks waits until the command unpacks something.
func (r *interrupted) unpacks() {
	for range time.Tick(time.Millisecond) {
		if files, err := os.ReadDir(r.temp); err != nil || len(files) > 0 {
			return
		}
	}
}

// writes waits until the command writes to its descriptor 4.
func (r *interrupted) writes() {
	if _, err := io.ReadFull(r.out, make([]byte, 1)); err != nil {
		r.t.Fatal(err)
	}
}

// TestSignals interrupts the program in the middle of whatever it waits for or
// does: it ends at once, and leaves nothing behind.
func TestSignals(t *testing.T) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // or the program would ignore it where the tests run under nohup
	defer signal.Stop(hangups)
	db := corpus.Unpack(t, cluster("scenario-1/plain/backup"))
	current := corpus.Unpack(t, cluster("scenario-1/plain/current"))
	archive, err := os.ReadFile(memberArchive("scenario-5/datadir-lagging"))
	if err != nil {
		t.Fatal(err)
	}
	const beginning = 300_000
	for _, test := range []struct {
		name   string
		args   string
		signal syscall.Signal
		until  func(*interrupted)
	}{
		{"standard input does not begin", "inspect -", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:1]) }},
		{"a database does not end", "inspect -", syscall.SIGTERM, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"an archive does not end", "inspect -", syscall.SIGHUP, func(r *interrupted) { r.reads(r.in, archive[:beginning]) }},
		{"one of two does not end", "predict backup.db -", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"nothing to salvage comes", "salvage - -o clean.db", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"nothing to make a scenario of comes", "train --make backup.db - --out mine", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"nothing to carve comes", "carve -", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"nothing to export comes", "export - --out tables", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"nothing to plan with comes", "plan -", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, db[:beginning]) }},
		{"a dump does not come", "verify backup.db --kubelet n=-", syscall.SIGINT, func(r *interrupted) { r.reads(r.in, []byte("{")) }},
		{"a dump of a process does not come", "verify backup.db --kubelet n=/dev/fd/3", syscall.SIGTERM, func(r *interrupted) { r.reads(r.more, []byte("{")) }},
		{"a prediction does not come", "verify backup.db --kubelet n=empty --prediction /dev/fd/3", syscall.SIGINT, func(r *interrupted) { r.reads(r.more, []byte("{")) }},
		{"keys do not come", "inspect backup.db --encryption-config /dev/fd/3", syscall.SIGINT, func(r *interrupted) { r.reads(r.more, []byte("kind: ")) }},
		{"much is unpacked", "inspect zeros.zst --max-ratio 1000000000", syscall.SIGINT, (*interrupted).unpacks},
		{"much is predicted from", "predict zeros.zst current.db --max-ratio 1000000000", syscall.SIGTERM, (*interrupted).unpacks},
		{"nobody reads", "predict backup.db current.db --all -o json=/dev/fd/4", syscall.SIGINT, (*interrupted).writes},
		{"nobody reads after a file", "predict backup.db current.db --all -o json=a.json -o yaml=/dev/fd/4", syscall.SIGHUP, (*interrupted).writes},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := interrupted{t: t, dir: t.TempDir(), temp: t.TempDir()}
			r.put("backup.db", db)
			r.put("current.db", current)
			r.put("empty", []byte(`{"kind":"PodList","apiVersion":"v1","items":[]}`))
			if strings.Contains(test.args, "zeros") {
				r.put("zeros.zst", zeros(t, db))
			}
			code, said, took := r.run(strings.Fields(test.args), test.signal, test.until)
			if code != exitFailed || said != "revenant: interrupted\n" {
				t.Errorf("exit code %d, %q", code, said)
			}
			if took > 2*time.Second {
				t.Errorf("it took %v to end", took)
			}
			if left, err := os.ReadDir(r.temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if left, err := filepath.Glob(filepath.Join(r.dir, ".*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func (r *interrupted) put(name string, data []byte) {
	if err := os.WriteFile(filepath.Join(r.dir, name), data, 0o400); err != nil {
		r.t.Fatal(err)
	}
}

// zeros is a database with 8 GiB of zeros after it.
func zeros(t *testing.T, db []byte) []byte {
	var one, all bytes.Buffer
	z, err := zstd.NewWriter(&one)
	if err != nil {
		t.Fatal(err)
	}
	for range 64 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	z.Reset(&all)
	z.Write(db)
	z.Close()
	for range 128 {
		all.Write(one.Bytes())
	}
	return all.Bytes()
}

// run starts the command, sends it the signal, and returns its exit code, what it
// said, and how long it took to end.
func (r *interrupted) run(args []string, s syscall.Signal, until func(*interrupted)) (code int, said string, took time.Duration) {
	pipe := func() (from, to *os.File) {
		from, to, err := os.Pipe()
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { from.Close(); to.Close() })
		return from, to
	}
	program, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Args[0], cmd.Dir = "revenant", r.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+r.temp, "HOME="+r.dir, "XDG_CONFIG_HOME=")
	var in, more, out *os.File
	in, r.in = pipe()
	more, r.more = pipe()
	r.out, out = pipe()
	cmd.Stdin, cmd.ExtraFiles = in, []*os.File{more, out}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	until(r)
	began := time.Now()
	if err := cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
	err = cmd.Wait()
	took = time.Since(began)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stderr.String(), took
}
