package play

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"revenant/oracle/play/call"
)

// Book is what of a runbook is played.
type Book struct {
	Bump struct{ Restored, Base, Minimum int64 }
	Plan struct {
		BumpRevision int64
	}
	Steps []Step
}

// Step is one step of it.
type Step struct {
	ID       string
	Commands []Command
	Checks   []string
	Warnings []string
}

// Command is one command of it.
type Command struct {
	Run, Where, Host, Comment string
	Programs, Reads, Writes   []string
	WaitsFor                  string
	AllFirst                  bool
}

// Kill says where a play is killed and begun again at the step it was in.
type Kill struct {
	Step    string
	After   int // commands of the step that were run, each on each of its hosts
	AtCall  int // of the next command, the call of a program at which it is killed; 0 lets it end
	Repeats bool
}

// Play is a runbook that is being played.
type Play struct {
	W     *World
	Book  *Book
	Words []string // of revenant plan, on the workstation
	// Every has each step begun again after each of its commands.
	Every bool
	Kill  *Kill
	// Dead says that no etcd answers at first.
	Dead bool
	// Restarted are the nodes whose kubelets have to be restarted, and no other.
	Restarted []string

	Trace bool // logs every command

	evidence map[string]string // hashes, by path
	manifest map[string]string
	Ran      int  // commands, each on each of its hosts
	again    bool // the step was begun before
	planned  bool
}

// Start has the runbook written, and notes how everything is.
func (p *Play) Start() error {
	ws := p.W.host(Workstation)
	p.evidence, p.manifest = tree(ws.Home), map[string]string{}
	for _, h := range p.W.controlPlane() {
		for path, sum := range tree(h.Root + manifestDir) {
			p.manifest[h.Name+path] = sum
		}
	}
	book, err := p.plan(p.Words)
	p.Book = book
	return err
}

func (p *Play) plan(words []string) (*Book, error) {
	var b Book
	cmd := exec.CommandContext(p.W.tb.Context(), p.W.programs.Revenant, append([]string{"plan", "-o", "json"}, words...)...)
	cmd.Dir = p.W.host(Workstation).Home
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 && cmd.ProcessState.ExitCode() != 3 {
		return nil, fmt.Errorf("revenant plan %q: %w\n%s", words, err, &errs)
	}
	if err := json.Unmarshal(out, &b); err != nil {
		return nil, err
	}
	return &b, nil
}

// tree are the sums of all files below a directory, and the names of the directories.
func tree(dir string) map[string]string {
	sums := map[string]string{}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		name := strings.TrimPrefix(path, dir)
		if d.IsDir() {
			sums[name] = "directory"
		} else if data, err := os.ReadFile(path); err == nil {
			sums[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		}
		return nil
	})
	return sums
}

// Run plays the book from its first step to its last.
func (p *Play) Run() error {
	for i := 0; i < len(p.Book.Steps); i++ {
		s := &p.Book.Steps[i]
		next, err := p.step(s)
		if err != nil {
			return fmt.Errorf("step %s: %w", s.ID, err)
		}
		if next != nil {
			p.Book, i = next, -1
		}
	}
	return nil
}

// act is a command on one host.
type act struct {
	c *Command
	h *Host
}

// acts are the commands of a step in the order in which they are typed: those that stand
// below one heading on one host after the other.
func (p *Play) acts(s *Step) (list []act, err error) {
	for i := 0; i < len(s.Commands); {
		end := i + 1
		for end < len(s.Commands) && s.Commands[end].Where == s.Commands[i].Where && !s.Commands[end-1].AllFirst {
			end++
		}
		hosts := p.hosts(s.Commands[i].Host)
		if len(hosts) == 0 && !strings.HasSuffix(s.Commands[i].Host, "/others") && s.Commands[i].Host != "nodes/unlisted" {
			return nil, fmt.Errorf("no host %q", s.Commands[i].Host)
		}
		for _, h := range hosts {
			for j := i; j < end; j++ {
				list = append(list, act{&s.Commands[j], h})
			}
		}
		i = end
	}
	return list, nil
}

// hosts are those of a stable name.
func (p *Play) hosts(name string) []*Host {
	w := p.W
	if own := w.Platform.Hosts[name]; own != nil {
		return own(w)
	}
	cp := w.controlPlane()
	switch name {
	case Workstation:
		return []*Host{w.host(Workstation)}
	case "control-plane", "etcd", "servers":
		return cp
	case "control-plane/first", "etcd/first", "servers/first":
		return cp[:1]
	case "control-plane/others", "servers/others":
		return cp[1:]
	case "nodes":
		return w.nodes()
	case "nodes/unlisted":
		listed := w.nodeNames()
		return slices.DeleteFunc(w.nodes(), func(h *Host) bool { return slices.Contains(listed, h.Name) })
	}
	for _, kind := range []string{"etcd/member/", "node/"} {
		if host, ok := strings.CutPrefix(name, kind); ok {
			if h := w.host(host); h != nil {
				return []*Host{h}
			}
		}
	}
	return nil
}

// step plays one step, and again where that is asked for. next is the book that it has
// written.
func (p *Play) step(s *Step) (next *Book, err error) {
	acts, err := p.acts(s)
	if err != nil {
		return nil, err
	}
	p.again = false
	switch {
	case p.Every:
		for n := 1; n < len(acts); n++ {
			if _, err := p.run(s, acts[:n]); err != nil {
				return nil, fmt.Errorf("begun again after %d commands: %w", n-1, err)
			}
			p.again = true
		}
	case p.Kill != nil && p.Kill.Step == s.ID:
		n := min(p.Kill.After, len(acts))
		if _, err := p.run(s, acts[:n]); err != nil {
			return nil, err
		}
		if p.Kill.AtCall > 0 && n < len(acts) {
			p.shell(acts[n], p.Kill.AtCall)
		}
		p.again = true
		p.Kill = nil
	}
	return p.run(s, acts)
}

func (p *Play) run(s *Step, acts []act) (next *Book, err error) {
	for _, a := range acts {
		p.Ran++
		if p.Trace {
			p.W.tb.Logf("%s %s$ %s", time.Now().Format("05.000"), a.h.Name, a.c.Run)
		}
		out, code := p.shell(a, 0)
		if code != 0 && !p.mayFail(s, a, code) {
			return nil, fmt.Errorf("on %s: exit code %d\n%s\n%s", a.h.Name, code, a.c.Run, out)
		}
		if !p.planned && strings.HasPrefix(a.c.Run, "revenant plan ") {
			line := p.fill(a.h, a.c.Run)
			if next, err = p.replan(line); err != nil {
				return nil, err
			}
		}
	}
	if next != nil {
		p.planned = true
		if p.Every || p.Kill != nil {
			p.again = false
		}
	}
	return next, nil
}

// replan has a printed plan command answer in JSON.
func (p *Play) replan(line string) (*Book, error) {
	cmd := exec.CommandContext(p.W.tb.Context(), "sh", "-c", line+" -o json")
	cmd.Dir = p.W.host(Workstation).Home
	bin := filepath.Join(p.W.Dir, "plain")
	os.MkdirAll(bin, 0o700)
	os.Symlink(p.W.programs.Revenant, filepath.Join(bin, "revenant"))
	cmd.Env = []string{"PATH=" + bin}
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 1 && code != 3 {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	var b Book
	return &b, json.Unmarshal(out, &b)
}

// mayFail says whether a command may end with an error here: the book says so.
func (p *Play) mayFail(s *Step, a act, code int) bool {
	switch {
	case p.again && strings.Contains(a.c.Comment, "second time"), strings.Contains(a.c.Comment, "this ends with 1"):
		return true
	case strings.HasPrefix(a.c.Run, "revenant ") && (code == 1 || code == 3):
		return true // what was asked for was found
	case p.Dead && s.ID == "take-stock":
		return strings.Contains(a.c.Run, "newest.db") && !strings.HasPrefix(a.c.Run, "revenant ") || strings.HasPrefix(strings.TrimPrefix(a.c.Run, "sudo "), "curl ")
	}
	return false
}

var capitals = regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)*\b`)

// fill puts the platform's words into the place of those in capitals.
func (p *Play) fill(h *Host, line string) string {
	if local := p.W.Platform.Local; local != "" && h.Etcd != nil {
		line = strings.ReplaceAll(line, "="+local, "="+h.Etcd.Client)
	}
	return capitals.ReplaceAllStringFunc(line, func(word string) string {
		if f := p.W.Platform.Fill[word]; f != nil {
			return f(p.W, h)
		}
		switch word {
		case "PATCH":
			return "16"
		case "ARCH":
			return "amd64"
		case "CONTROL_PLANE_NODE", "ETCD_NODE":
			return p.W.controlPlane()[0].Name
		case "REVISION":
			return strconv.FormatInt(max(p.W.served, p.W.revision()), 10)
		case "ETCD_VERSION":
			return "3.6.16"
		case "CRICTL_VERSION":
			return "1.37.0"
		}
		return word
	})
}

var absolute = regexp.MustCompile(`(^|[\s='"(])/(var|etc|usr|root|opt|run|rootfs)/`)

// line has the absolute paths of a command line below the root of the host.
func (h *Host) line(s string) string {
	if h.Name == Workstation {
		return s
	}
	return absolute.ReplaceAllStringFunc(s, func(m string) string {
		at := strings.Index(m, "/")
		return m[:at] + h.Root + m[at:]
	})
}

func (h *Host) paths(words []string) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = h.line(word)
	}
	return list
}

// shell types a command on its host. It is killed at a call of a program, unless that is 0.
func (p *Play) shell(a act, killAt int) (string, int) {
	w := p.W
	w.mu.Lock()
	w.Tick(3)
	a.h.Log = append(a.h.Log, "$ "+a.c.Run)
	w.mu.Unlock()
	cmd := exec.CommandContext(w.tb.Context(), "sh", "-c", a.h.line(p.fill(a.h, a.c.Run)))
	cmd.Dir = a.h.Home
	cmd.Env = []string{"PATH=" + a.h.bin, call.Socket + "=" + w.socket(), call.Host + "=" + a.h.Name, "HOME=" + a.h.Home, "TMPDIR=" + w.Dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err.Error(), -1
	}
	if killAt > 0 {
		w.mu.Lock()
		w.atKill, w.kill = w.calls+killAt, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		w.mu.Unlock()
	}
	cmd.Wait()
	w.mu.Lock()
	w.kill = nil
	w.mu.Unlock()
	return out.String(), cmd.ProcessState.ExitCode()
}
