package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/sanitize"
)

// Command is one thing to type into a POSIX shell. Words in capitals stand for what
// the snapshots do not show. On every machine it begins in the home directory of who
// logs in, and on the workstation in the directory in which revenant was run.
type Command struct {
	Run     string `json:"run"`
	Where   string `json:"where"`   // the machine, or what kind of it
	Comment string `json:"comment"` // what it does, "" where the line says so

	// Host is the machine by a stable name.
	Host Host `json:"host"`
	// Argv are the words of Run where it calls one program; none for a script.
	Argv []string `json:"argv,omitempty"`
	// As is who it needs to be run as.
	As Privilege `json:"as"`
	// Programs are what it calls beyond POSIX and coreutils.
	Programs []string `json:"programs,omitempty"`
	// Reads and Writes are files of the runbook on that machine.
	Reads  []string `json:"reads,omitempty"`
	Writes []string `json:"writes,omitempty"`
	// WaitsFor says what it waits for, and LimitSeconds how long at most. It ends with
	// an error when the limit is reached or when the program that it asks fails.
	WaitsFor     string `json:"waitsFor,omitempty"`
	LimitSeconds int64  `json:"limitSeconds,omitempty"`
	// AllFirst says that every machine of Host finishes this before any machine begins
	// what follows.
	AllFirst bool `json:"allFirst,omitempty"`

	broken bool // one flag a line
}

// Privilege is who runs a command. The values are stable names.
type Privilege string

// Who runs a command.
const (
	User Privilege = "user"
	Root Privilege = "root" // by sudo, which Run calls
)

// Host is a machine, or every machine of a kind. The values are stable names; those
// of one node or member end with its name.
type Host string

// The hosts.
const (
	Workstation       Host = "workstation" // has revenant, the evidence, kubectl, ssh and scp
	ControlPlane      Host = "control-plane"
	FirstControlPlane Host = "control-plane/first"
	OtherControlPlane Host = "control-plane/others"
	EtcdNodes         Host = "etcd"
	FirstEtcd         Host = "etcd/first"
	Servers           Host = "servers"
	FirstServer       Host = "servers/first"
	OtherServers      Host = "servers/others"
	EveryNode         Host = "nodes"
	UnlistedNodes     Host = "nodes/unlisted"
)

const (
	ofNode   = "node/"
	ofMember = "etcd/member/"
)

func nodeHost(name string) Host   { return Host(ofNode + name) }
func memberHost(name string) Host { return Host(ofMember + name) }

var hostTitles = map[Host]string{
	Workstation:       "your workstation",
	ControlPlane:      "every control plane node",
	FirstControlPlane: "the recovery host, a control plane node",
	OtherControlPlane: "the control plane nodes other than the recovery host",
	EtcdNodes:         "every etcd node",
	FirstEtcd:         "the first etcd node",
	Servers:           "every server node",
	FirstServer:       "the first server node",
	OtherServers:      "the other server nodes, one by one",
	EveryNode:         "every node, one by one",
	UnlistedNodes:     "each node that kubectl get nodes does not list",
}

// String says which machines these are.
func (h Host) String() string {
	if title := hostTitles[h]; title != "" {
		return title
	}
	if name, ok := strings.CutPrefix(string(h), ofMember); ok {
		return "etcd member " + name
	}
	return strings.TrimPrefix(string(h), ofNode)
}

// several says whether these can be several machines that do the same side by side.
func (h Host) several() bool {
	switch h {
	case ControlPlane, OtherControlPlane, EtcdNodes, Servers:
		return true
	}
	return false
}

// call is a command that calls one program. The words are as they are, not quoted.
func call(h Host, argv ...string) Command {
	return Command{Host: h, Argv: argv, As: User, Programs: argv[:1]}
}

// script is a command of several calls. What is not of this package in it is quoted.
func script(h Host, text string, programs ...string) Command {
	c := Command{Host: h, Run: text, As: User, Programs: programs}
	if h != Workstation && strings.Contains(text, "sudo ") {
		c.As = Root
	}
	return c
}

// root is c by sudo.
func (c Command) root() Command {
	c.As, c.Argv = Root, slices.Concat([]string{"sudo"}, c.Argv)
	return c
}

func (c Command) says(format string, args ...any) Command {
	c.Comment = fmt.Sprintf(format, args...)
	return c
}

func (c Command) reads(paths ...string) Command {
	c.Reads = append(slices.Clip(c.Reads), paths...)
	return c
}

func (c Command) writes(paths ...string) Command {
	c.Writes = append(slices.Clip(c.Writes), paths...)
	return c
}

// all is c, which every machine finishes before any goes on.
func (c Command) all() Command {
	c.AllFirst = true
	return c
}

// flagALine is c with one flag on a line.
func (c Command) flagALine() Command {
	c.broken = true
	return c
}

// whole is c with its line written, the one that every format shows.
func (c Command) whole() Command {
	if len(c.Argv) > 0 {
		var b strings.Builder
		for i, arg := range c.Argv {
			switch {
			case c.broken && strings.HasPrefix(arg, "--"):
				b.WriteString(" \\\n    ")
			case i > 0:
				b.WriteByte(' ')
			}
			b.WriteString(quote(arg))
		}
		c.Run = b.String()
	}
	if c.Where == "" {
		c.Where = c.Host.String()
	}
	c.AllFirst = c.AllFirst && c.Host.several()
	return c
}

// quote is s as a word of a shell. What cannot be written was replaced before.
func quote(s string) string {
	if w, ok := sanitize.ShellWord(s); ok {
		return w
	}
	return "UNWRITABLE"
}

// wordOr is s, or the placeholder for what no line can hold.
func wordOr(s, placeholder string) string {
	if _, ok := sanitize.ShellWord(s); ok && s != "" {
		return s
	}
	return placeholder
}

// file is the path of a file as an argument: never taken for a flag.
func file(path, placeholder string) string {
	if path == "-" {
		return placeholder
	}
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return wordOr(path, placeholder)
}

// operands are names as the last arguments of a command, and how many cannot be
// written.
func operands(names []string) (args []string, left int) {
	dashed := false
	for _, name := range names {
		if _, ok := sanitize.ShellWord(name); !ok || name == "" {
			left++
			continue
		}
		dashed = dashed || strings.HasPrefix(name, "-")
		args = append(args, name)
	}
	if dashed {
		args = slices.Insert(args, 0, "--")
	}
	return args, left
}

// wait is a command that waits until a probe succeeds, which is asked every two seconds. A
// probe that fails for whatever reason has not succeeded: at the limit the command says what
// was waited for, what to do then, and ends with an error.
func wait(h Host, what string, seconds int64, probe, then string, programs ...string) Command {
	c := script(h, fmt.Sprintf(`( t=$(( $(date +%%s) + %d )); until %s; do [ "$(date +%%s)" -lt "$t" ] || { echo %s >&2; exit 1; }; sleep 2; done )`,
		seconds, probe, quote(sanitize.Line(fmt.Sprintf("Gave up after %d s. Waited until %s. %s", seconds, what, then)))), programs...)
	c.WaitsFor, c.LimitSeconds = what, seconds
	return c
}

// pattern is for pgrep and pkill -x, which match the whole of a name. The kernel keeps 15
// characters of it (Linux include/linux/sched.h TASK_COMM_LEN).
func pattern(programs []string) string {
	names := make([]string, len(programs))
	for i, p := range programs {
		names[i] = p[:min(len(p), 15)]
	}
	if len(names) == 1 {
		return names[0]
	}
	return `"` + strings.Join(names, "|") + `"`
}

// kills ends every process of these names; where none runs, there is nothing to end. That
// sudo fails is not taken for that.
func kills(h Host, programs ...string) Command {
	return script(h, fmt.Sprintf("sudo sh -c 'pkill -x %s || [ $? -eq 1 ]'", pattern(programs)), "pkill")
}

// stopped waits until no process of these names runs: until pgrep ends with 1, which it does
// for nothing else. It is looked at within sudo, whose own failure ends with 1, too.
func stopped(h Host, programs ...string) Command {
	what := strings.Join(programs, " and ") + " has stopped"
	if len(programs) > 1 {
		what = strings.Join(programs[:len(programs)-1], ", ") + " and " + programs[len(programs)-1] + " have stopped"
	}
	return wait(h, what, 120, fmt.Sprintf("sudo sh -c 'pgrep -x %s > /dev/null; [ $? -eq 1 ]'", pattern(programs)),
		"Find out what keeps it running (ps -ef, journalctl). Do not go on before it has stopped.", "sudo", "pgrep").all()
}

// Group are commands of a step that stand below one heading.
type Group struct {
	Where    string
	AllFirst bool // every machine finishes them before any begins what follows
	Commands []Command
}

// Groups are the commands of the step by machine.
func (s *Step) Groups() []Group {
	var list []Group
	for _, c := range s.Commands {
		if n := len(list); n == 0 || list[n-1].Where != c.Where || list[n-1].AllFirst {
			list = append(list, Group{Where: c.Where})
		}
		g := &list[len(list)-1]
		g.Commands = append(g.Commands, c)
		g.AllFirst = c.AllFirst
	}
	return list
}

// Heading says where the commands of the group run.
func (g *Group) Heading() string {
	if g.AllFirst {
		return g.Where + " (all of them, before you go on)"
	}
	return g.Where
}
