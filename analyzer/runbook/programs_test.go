package runbook

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// known is what a program takes: its flags, and where that was read. The names of
// commands are words after the program.
type known struct {
	source   string
	flags    []string
	commands map[string]known
}

// takes are the programs of platforms that runbooks call. Each was read in the source
// that is named; none of it is run here.
var takes = map[string]known{
	"k3s": {
		source: "k3s-io/k3s 005499a9 pkg/cli/cmds",
		commands: map[string]known{
			"server": {source: "server.go ServerFlags; --etcd-s3=false: k3s-io/docs docs/cli/etcd-snapshot.md", flags: []string{"cluster-reset", "cluster-reset-restore-path", "etcd-s3", "token"}},
			"crictl": {source: "crictl.go", commands: criCommands},
		},
	},
	"rke2": {
		source: "rancher/rke2 6ce1a801 pkg/cli/cmds",
		commands: map[string]known{
			"server": {source: "server.go k3sServerBase", flags: []string{"cluster-reset", "cluster-reset-restore-path", "etcd-s3", "token"}},
		},
	},
	"k0s": {
		source: "k0sproject/k0s dff90cee cmd",
		commands: map[string]known{
			"token create": {source: "token/create.go", flags: []string{"role", "expiry"}},
			"backup":       {source: "backup/backup_unix.go", flags: []string{"save-path"}},
			"restore":      {source: "restore/restore_unix.go", flags: []string{"config-out"}},
		},
	},
	"crictl": {source: "kubernetes-sigs/cri-tools ba03eabc cmd/crictl", flags: []string{"runtime-endpoint"}, commands: criCommands},
	"etcd-manager-ctl": {
		source: "kopeio/etcd-manager 17729ad9 cmd/etcd-manager-ctl/main.go", flags: []string{"backup-store"},
		commands: map[string]known{"list-backups": {}, "restore-backup": {}},
	},
	"talosctl": {
		source: "siderolabs/talos ad882317 cmd/talosctl/cmd/talos root.go", flags: []string{"nodes"},
		commands: map[string]known{
			"bootstrap":     {source: "bootstrap.go", flags: []string{"recover-from", "recover-skip-hash-check"}},
			"reset":         {source: "reset.go", flags: []string{"graceful", "reboot", "system-labels-to-wipe"}},
			"etcd snapshot": {source: "etcd.go"},
			"service":       {source: "service.go"},
			"copy":          {source: "copy.go"},
			"dmesg":         {source: "dmesg.go"},
		},
	},
	"vcluster": {
		source: "loft-sh/vcluster 48766754 pkg/cli/flags/flags.go", flags: []string{"namespace"},
		commands: map[string]known{"restore": {source: "cmd/vclusterctl/cmd/restore.go; two arguments: pkg/cli/snapshot_helm.go"}},
	},
	"systemctl": {
		source: "systemd 005a7167 man/systemctl.xml (--kill-who, --signal, --no-block, --quiet; start, stop, restart, try-restart and kill take patterns)",
		commands: map[string]known{
			"start": {flags: []string{"no-block"}}, "stop": {}, "restart": {}, "try-restart": {},
			"is-active": {flags: []string{"quiet"}},
			"kill":      {source: "from 252 on src/systemctl/systemctl.c has kill-whom, of which getopt_long takes kill-who as the beginning", flags: []string{"kill-who", "signal"}},
		},
	},
}

var criCommands = map[string]known{
	"ps":   {source: "container.go listContainersCommand", flags: []string{"quiet", "label"}},
	"stop": {source: "container.go stopContainerCommand", flags: []string{"timeout"}},
}

// calls are the words of each call of a program in a command: from the program on, to
// the end of the simple command.
func calls(c *Command, program string) (list [][]string) {
	if len(c.Argv) > 0 {
		at := slices.IndexFunc(c.Argv, func(w string) bool { return w != "sudo" })
		if at >= 0 && c.Argv[at][strings.LastIndex(c.Argv[at], "/")+1:] == program {
			list = append(list, c.Argv[at:])
		}
		return list
	}
	text := strings.NewReplacer("\\\n", " ", "\n", " ; ", "$(", " ; ", "(", " ; ", ")", " ; ", "|", " ; ", "&&", " ; ", "{", " ; ", "}", " ; ").Replace(c.Run)
	for simple := range strings.SplitSeq(text, ";") {
		words := strings.Fields(simple)
		for i, w := range words {
			if strings.TrimPrefix(w[strings.LastIndex(w, "/")+1:], "!") == program && !strings.HasPrefix(w, "-") && !strings.Contains(simple, "echo ") {
				if i == 0 || slices.Contains([]string{"sudo", "!", "if", "||", "exec"}, words[i-1]) || !strings.HasPrefix(words[i-1], "-") && strings.Contains(words[i-1], "=") {
					list = append(list, words[i:])
				}
				break
			}
		}
	}
	return list
}

// check wants every word of a call that is a flag or a command to be known.
func (k known) check(words []string) (wrong string) {
	flags := slices.Clone(k.flags)
	at := 1
	if k.commands != nil {
		for at < len(words) && strings.HasPrefix(words[at], "-") {
			at++
		}
		name := ""
		for n := 2; n > 0 && name == ""; n-- {
			if at+n <= len(words) {
				if _, ok := k.commands[strings.Join(words[at:at+n], " ")]; ok {
					name = strings.Join(words[at:at+n], " ")
				}
			}
		}
		if name == "" {
			return "no command " + strings.Join(words[min(at, len(words)):], " ")
		}
		sub := k.commands[name]
		if sub.commands != nil {
			return sub.check(words[at:])
		}
		flags = append(flags, sub.flags...)
	}
	for _, w := range words[1:] {
		if w == "--" {
			break
		}
		flag, isFlag := strings.CutPrefix(w, "--")
		flag, _, _ = strings.Cut(flag, "=")
		if isFlag && !slices.Contains(flags, flag) {
			return "no flag --" + flag
		}
	}
	return ""
}

// TestProgramsTake holds that platforms' programs are called with commands and flags that
// they have.
func TestProgramsTake(t *testing.T) {
	seen := map[string]bool{}
	said := map[string]bool{}
	situations(t, func(t *testing.T, name string, in *Input, r *Runbook) {
		each(r, func(s *Step, c *Command) {
			for program, k := range takes {
				for _, words := range calls(c, program) {
					seen[program] = true
					if wrong := k.check(words); wrong != "" && !said[program+wrong] {
						said[program+wrong] = true
						t.Errorf("%s, step %s: %s has %s: %s", name, s.ID, program, wrong, c.Run)
					}
				}
			}
			for _, p := range c.Programs {
				base := p[strings.LastIndex(p, "/")+1:]
				if _, ok := takes[base]; ok && len(calls(c, base)) == 0 && !said["no call "+base+c.Run] {
					said["no call "+base+c.Run] = true
					t.Errorf("%s, step %s: no call of %s is seen in %s", name, s.ID, base, c.Run)
				}
			}
		})
	})
	for _, program := range slices.Sorted(maps.Keys(takes)) {
		if takes[program].source == "" {
			t.Errorf("%s: from where?", program)
		}
		if !seen[program] && program != "k0s" { // which only its notes name
			t.Errorf("%s is called nowhere", program)
		}
	}
	for _, words := range []string{"k3s server --cluster-rest", "k3s serve", "k0s token create --roles=controller", "talosctl etcd backup", "crictl ps --labels x"} {
		list := strings.Fields(words)
		if takes[list[0]].check(list) == "" {
			t.Errorf("%s is taken", words)
		}
	}
}

// TestNotesTake wants what the notes say of k0s' commands to be so, too.
func TestNotesTake(t *testing.T) {
	for _, want := range []string{"k0s token create --role=controller"} {
		if !slices.ContainsFunc(k0s.notes, func(n Note) bool { return strings.Contains(n.Text, want) }) {
			t.Errorf("no note has %q", want)
		}
		list := strings.Fields(want)
		if wrong := takes["k0s"].check(list); wrong != "" {
			t.Errorf("%s: %s", want, wrong)
		}
	}
}
