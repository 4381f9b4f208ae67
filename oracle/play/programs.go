package play

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"revenant/oracle/play/call"
)

type answer = call.Answer

// Call is a program that a host calls.
type Call struct {
	w *World
	h *Host
	*call.Question
}

// Program does what a program does, or says what it becomes.
type Program func(*Call) *answer

func fail(format string, args ...any) *answer {
	return &answer{Code: 1, Err: fmt.Sprintf(format, args...) + "\n"}
}

// coreutils are what every host has, as it is here.
var coreutils = []string{
	"sh", "grep", "sed", "cut", "head", "tail", "find", "sha256sum", "gzip", "tar", "cat", "ls", "cmp", "id", "env", "tr", "sort", "wc", "openssl", "ln", "basename", "dirname", "readlink", "stat",
}

// everywhere are stubs that every host has.
var everywhere = []string{
	"sudo", "date", "sleep", "mv", "rm", "mkdir", "chown", "cp", "install", "test", "pgrep", "pkill", "systemctl", "iptables", "ip6tables", "curl", "etcd", "rmdir", "touch",
}

var stubs map[string]Program

func init() {
	stubs = map[string]Program{
		"sudo": func(c *Call) *answer {
			args := c.Args
			for len(args) > 0 && (args[0] == "-E" || args[0] == "-n") {
				args = args[1:]
			}
			if len(args) == 0 {
				return fail("usage: sudo command")
			}
			return c.becomes(args...).env(call.Root + "=1").Answer()
		},
		"date": func(c *Call) *answer {
			if len(c.Args) != 1 || c.Args[0] != "+%s" {
				return fail("date: unknown arguments %q", c.Args)
			}
			return &answer{Out: fmt.Sprintln(c.w.now)}
		},
		"sleep": func(c *Call) *answer {
			var seconds int64
			if _, err := fmt.Sscan(strings.Join(c.Args, " "), &seconds); err != nil {
				return fail("sleep: %v", err)
			}
			c.w.settle()
			c.w.Tick(seconds)
			return &answer{}
		},
		"pgrep": func(c *Call) *answer {
			name, err := exactly(c.Args)
			if err != nil {
				return fail("pgrep: %v", err)
			}
			for _, n := range strings.Split(name, "|") {
				if p := c.h.proc(n); p != nil {
					return &answer{Out: "4711\n"}
				}
			}
			return &answer{Code: 1}
		},
		"pkill": func(c *Call) *answer {
			name, err := exactly(c.Args)
			if err != nil {
				return fail("pkill: %v", err)
			}
			killed := 1
			for _, n := range strings.Split(name, "|") {
				p := c.h.proc(n)
				if p == nil {
					continue
				}
				if !c.Root {
					return fail("pkill: killing pid 4711 failed: Operation not permitted")
				}
				c.w.stop(c.h, p.name, 2)
				killed = 0
			}
			return &answer{Code: killed}
		},
		"systemctl": systemctl,
		"iptables":  iptables, "ip6tables": iptables,
		"curl":    curl,
		"ssh":     ssh,
		"scp":     scp,
		"kubectl": kubectl,
		"crictl":  crictl,
		"revenant": func(c *Call) *answer {
			return c.real(c.w.programs.Revenant)
		},
		"etcdutl": func(c *Call) *answer { return c.etcdTool(c.w.programs.Etcdutl) },
		"etcdctl": func(c *Call) *answer { return c.etcdTool(c.w.programs.Etcdctl) },
	}
	for _, name := range []string{"mv", "rm", "mkdir", "chown", "cp", "install", "test", "rmdir", "touch"} {
		stubs[name] = func(c *Call) *answer {
			if path := c.forbidden(); path != "" {
				return fail("%s: %s: Permission denied", c.Program, path)
			}
			path, err := exec.LookPath(c.Program)
			if err != nil {
				return fail("%v", err)
			}
			return c.real(path)
		}
	}
}

// forbidden is an argument that only root may touch, "" for none.
func (c *Call) forbidden() string {
	if c.Root || c.h.Name == Workstation {
		return ""
	}
	for _, arg := range c.Args {
		if at := strings.Index(arg, "/"); at == 0 || at > 0 && strings.HasSuffix(arg[:at], "=") {
			return arg
		}
	}
	return ""
}

// etcdTool runs a real program of etcd.
func (c *Call) etcdTool(path string) *answer {
	if p := c.forbidden(); p != "" && !strings.HasPrefix(p, "--endpoints") {
		return fail("open %s: permission denied", p)
	}
	a := c.real(path)
	if c.Program == "etcdctl" { // what does not answer takes a time
		c.w.now += 2
		a.Env = []string{"ETCDCTL_COMMAND_TIMEOUT=2s"}
		if slices.Contains(c.Args, "save") {
			a.Env = []string{"ETCDCTL_COMMAND_TIMEOUT=20s"}
		}
	}
	return a
}

type becoming struct{ a answer }

// becomes is what runs in place of the stub: the words with the host's paths.
func (c *Call) becomes(words ...string) *becoming {
	return &becoming{answer{Exec: c.h.paths(words)}}
}

func (b *becoming) env(s ...string) *becoming { b.a.Env = append(b.a.Env, s...); return b }

func (b *becoming) Answer() *answer { return &b.a }

// real runs a program of this machine with the arguments of the call.
func (c *Call) real(path string) *answer {
	return &answer{Exec: append([]string{path}, c.h.paths(c.Args)...)}
}

// proc is a process by the name that pgrep looks for.
func (h *Host) proc(name string) *Proc {
	for n, p := range h.procs {
		if n[:min(len(n), 15)] == name {
			return p
		}
	}
	return nil
}

// exactly are the arguments of pgrep and pkill: -x and a name, or several with a bar between
// them, of which the kernel keeps 15 characters.
func exactly(args []string) (string, error) {
	if len(args) != 2 || args[0] != "-x" || slices.ContainsFunc(strings.Split(args[1], "|"), func(name string) bool { return len(name) > 15 }) {
		return "", fmt.Errorf("unknown arguments %q", args)
	}
	return args[1], nil
}

// settle waits, in the time of this machine, for what really starts or ends.
func (w *World) settle() {
	busy := false
	for _, h := range w.controlPlane() {
		if p := h.procs["etcd"]; p != nil && p.ends != 0 && p.done != nil {
			w.mu.Unlock()
			select {
			case <-p.done:
			case <-time.After(5 * time.Second):
			}
			w.mu.Lock()
		}
		if p := h.procs["kube-apiserver"]; p != nil && !p.serving && p.ends == 0 {
			busy = true
		}
		if p := h.procs["etcd"]; p != nil && w.now-p.started < 60 {
			busy = true
		}
	}
	if busy && w.revision() == 0 {
		w.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		w.mu.Lock()
	}
}

// curl fetches metrics of etcd, and releases.
func curl(c *Call) *answer {
	var urls []string
	silent := false
	for _, arg := range c.Args {
		switch {
		case strings.HasPrefix(arg, "--cacert="), strings.HasPrefix(arg, "--cert="), strings.HasPrefix(arg, "--key="), arg == "--show-error", arg == "--insecure":
		case arg == "--silent", arg == "--fail", arg == "--location", arg == "--remote-name-all", arg == "-k":
			silent = silent || arg == "--silent"
		case strings.HasPrefix(arg, "-"):
			return &answer{Code: 2, Err: "curl: option " + arg + ": is unknown\n"}
		default:
			urls = append(urls, arg)
		}
	}
	for _, u := range urls {
		switch {
		case strings.HasPrefix(u, "https://github.com/"):
			if err := c.w.programs.release(u, c.Dir); err != nil {
				return &answer{Code: 22, Err: "curl: " + err.Error() + "\n"}
			}
		case strings.HasSuffix(u, ":"+c.w.port()+"/readyz"):
			if p := c.h.procs["kube-apiserver"]; p == nil || !p.serving {
				return &answer{Code: 7, Err: "curl: (7) Failed to connect\n"}
			}
			return &answer{Out: "ok"}
		case strings.HasSuffix(u, "/metrics"):
			if c.h.Etcd == nil || c.h.procs["etcd"] == nil {
				return &answer{Code: 7, Err: "curl: (7) Failed to connect\n"}
			}
			text, err := metrics(c.h.Etcd.Metrics)
			if err != nil {
				return &answer{Code: 7, Err: "curl: " + err.Error() + "\n"}
			}
			return &answer{Out: text}
		default:
			return &answer{Code: 6, Err: "curl: (6) Could not resolve host: " + u + "\n"}
		}
	}
	return &answer{}
}

// ssh opens and closes tunnels, and runs commands on other hosts.
func ssh(c *Call) *answer {
	args := c.Args
	var control, order, forward string
	master := false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		take := func() string { v := args[1]; args = args[1:]; return v }
		switch args[0] {
		case "-M":
			master = true
		case "-f", "-N":
		case "-S":
			control = take()
		case "-O":
			order = take()
		case "-L":
			forward = take()
		case "-o":
			take()
		default:
			return &answer{Code: 255, Err: "unknown option -- " + args[0] + "\n"}
		}
		args = args[1:]
	}
	if len(args) == 0 || c.w.host(args[0]) == nil {
		return &answer{Code: 255, Err: fmt.Sprintf("ssh: Could not resolve hostname %q\n", args)}
	}
	to := c.w.host(args[0])
	socket := filepath.Join(c.Dir, control)
	_, err := os.Stat(socket)
	open := control != "" && err == nil
	switch {
	case order != "":
		if !open {
			return &answer{Code: 255, Err: "Control socket connect(" + control + "): No such file or directory\n"}
		}
		if order == "exit" {
			os.Remove(socket)
			clear(c.w.tunnels)
		}
		return &answer{}
	case master:
		port, _, _ := strings.Cut(forward, ":")
		if c.w.tunnels[port] != nil {
			return &answer{Code: 255, Err: "bind [127.0.0.1]:" + port + ": Address already in use\n"}
		}
		if err := os.WriteFile(socket, nil, 0o600); err != nil {
			return fail("%v", err)
		}
		c.w.tunnels[port] = to
		return &answer{}
	case len(args) == 1:
		return fail("ssh: a terminal")
	}
	return &answer{
		Exec: []string{"sh", "-c", to.line(strings.Join(args[1:], " "))}, Dir: to.Home,
		Env: []string{call.Host + "=" + to.Name, "PATH=" + to.bin},
	}
}

// scp copies between hosts.
func scp(c *Call) *answer {
	words := []string{"cp"}
	for _, arg := range c.Args {
		host, path, remote := strings.Cut(arg, ":")
		switch {
		case strings.HasPrefix(arg, "-"):
			words = append(words, arg)
		case remote:
			h := c.w.host(strings.Trim(host, "[]"))
			if h == nil {
				return &answer{Code: 255, Err: "ssh: Could not resolve hostname " + host + "\n"}
			}
			to := filepath.Join(h.Home, path) + "/"
			if path != "" {
				to = strings.TrimSuffix(to, "/")
			}
			if strings.HasPrefix(path, "/") {
				to = h.Root + path
			}
			words = append(words, to)
		default:
			words = append(words, arg)
		}
	}
	real, err := exec.LookPath("cp")
	if err != nil {
		return fail("%v", err)
	}
	words[0] = real
	return &answer{Exec: words}
}

// crictl answers for the containers of a node.
func crictl(c *Call) *answer {
	if !c.Root {
		return fail("crictl: permission denied while trying to connect to the runtime")
	}
	f, err := parse(c.Args, map[string]bool{"quiet": false, "label": true, "timeout": true, "runtime-endpoint": true, "output": true, "name": true})
	if err != nil || len(f.words) == 0 {
		return fail("crictl: %v %q", err, c.Args)
	}
	if c.w.Platform.RuntimeStops && !c.h.units[c.w.Platform.kubelet(c.h)] {
		return fail("crictl: validate service connection: connection refused")
	}
	k := c.h.Node
	if k == nil {
		k = &Kubelet{}
	}
	switch f.words[0] {
	case "ps":
		uid, ok := strings.CutPrefix(f.get("label"), "io.kubernetes.pod.uid=")
		if !ok {
			return fail("crictl: unknown label %q", f.get("label"))
		}
		if k.running[uid] != nil {
			return &answer{Out: "c-" + uid + "\n"}
		}
		return &answer{}
	case "stop":
		for _, id := range f.words[1:] {
			uid, _ := strings.CutPrefix(id, "c-")
			if k.running[uid] == nil {
				return fail("crictl: no such container %s", id)
			}
			k.running[uid].stops = c.w.now + 1
		}
		return &answer{}
	}
	return fail("crictl: unknown command %q", f.words)
}
