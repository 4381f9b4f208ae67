package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// paged are the commands whose output is read in a pager, on a terminal.
var paged = []string{"get", "describe", "history", "who", "diff", "timeline", "search", "storage", "carve", "handbook"}

// pager is standard output that is read in another program. It is started with the first
// that is written, and less leaves at once what fits on the screen.
type pager struct {
	command []string
	out     io.Writer // where the program writes
	err     io.Writer

	mu  sync.Mutex // guards what follows
	cmd *exec.Cmd
	in  io.WriteCloser
}

// withPager puts a pager before standard output, where that is a terminal and the command
// writes what is long. End waits until the pager is left: it has the terminal until then,
// whatever becomes of the command.
func withPager(args []string, s *streams) (end func()) {
	command := pagerCommand()
	if !s.outTTY || len(args) == 0 || !slices.Contains(paged, args[0]) || len(command) == 0 || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	p := &pager{command: command, out: s.out, err: s.err}
	s.out = p
	s.color = s.color && filepath.Base(command[0]) == "less" // others may show the colours as signs
	return p.end
}

// pagerCommand is what REVENANT_PAGER or PAGER say, or else less where it is installed;
// none for cat, and where the variable is empty.
func pagerCommand() []string {
	command, given := os.LookupEnv("REVENANT_PAGER")
	if !given {
		if command, given = os.LookupEnv("PAGER"); !given {
			command = "less"
		}
	}
	words := strings.Fields(command)
	if len(words) == 0 || words[0] == "cat" {
		return nil
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return nil
	}
	return words
}

func (p *pager) Write(b []byte) (int, error) {
	in, err := p.start()
	if err != nil {
		return 0, err
	}
	n, err := in.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return n, errPagerLeft
	}
	return n, err
}

// start starts the pager, once.
func (p *pager) start() (io.Writer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return p.in, nil
	}
	cmd := exec.CommandContext(context.Background(), p.command[0], p.command[1:]...) // it ends when its reader does
	cmd.Stdout, cmd.Stderr = p.out, p.err
	// As git does: leave what fits on the screen, pass colours, and do not clear.
	cmd.Env = append(os.Environ(), "LESS="+cmp.Or(os.Getenv("LESS"), "FRX"), "LESSCHARSET="+cmp.Or(os.Getenv("LESSCHARSET"), "utf-8"))
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		p.cmd, p.in = cmd, in
	}
	return in, err
}

// errPagerLeft says that its reader has seen enough.
var errPagerLeft = errors.New("the pager has ended")

// end waits until the pager is left.
func (p *pager) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	p.in.Close()
	_ = p.cmd.Wait() // how its reader left says nothing of the command
}
