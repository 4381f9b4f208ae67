package runbook

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/restore"
)

// TestHeldKubelet wants a pod that must be gone before its namesake starts to be
// stopped while the kubelet is held, and the runtime to run meanwhile.
func TestHeldKubelet(t *testing.T) {
	for _, platform := range []Platform{K3s, RKE2, K0s} {
		was, now := twin("db-0", "node-1", "node-3")
		in := input([]*restore.Pod{was}, []*restore.Pod{now}, nodes("node-1"), nodes("node-1", "node-3"))
		in.Platform, in.Plan = platform, &restore.Plan{RestartKubelets: restore.Restart{All: true}}
		var got []string
		for _, c := range step(t, build(t, in), "restart-kubelets").Commands {
			switch {
			case c.Host != nodeHost("node-3"):
				got = append(got, "other")
			case strings.Contains(c.Run, "STOP"):
				got = append(got, "hold")
			case strings.Contains(c.Run, "crictl") && strings.Contains(c.Run, " stop --timeout=30 "):
				got = append(got, "stop pod")
			case strings.Contains(c.Run, "restart"):
				got = append(got, "restart")
			case strings.Contains(c.Run, "systemctl stop"):
				t.Errorf("%s: the runtime is stopped: %s", platform, c.Run)
			}
		}
		got = slices.DeleteFunc(slices.Compact(got), func(s string) bool { return s == "other" })
		if strings.Join(got, ", ") != "hold, stop pod, restart" {
			t.Errorf("%s: %q", platform, got)
		}
	}
}

// TestAgentUnits types the commands of an agent on an agent and on a server.
func TestAgentUnits(t *testing.T) {
	bin := t.TempDir()
	log := filepath.Join(bin, "log")
	for name, text := range map[string]string{
		"sudo":      `exec "$@"`,
		"systemctl": `case "$1" in is-active) exec cat "$ACTIVE" ;; esac; echo "systemctl $*" >> ` + log,
		"pkill":     `echo "pkill $*" >> ` + log,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name         string
		agent        agent
		server       bool
		hold, resume string
	}{
		{name: "k3s", agent: agent{unit: "k3s-agent"}, hold: "systemctl kill --kill-who=main --signal=SIGSTOP k3s-agent*", resume: "systemctl try-restart k3s-agent*"},
		{name: "agent", agent: worker, hold: "pkill -STOP -x kubelet", resume: "pkill -KILL -x kubelet\nsystemctl restart k0sworker*"},
		{name: "server", agent: worker, server: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			active := os.DevNull
			if tt.server {
				active = filepath.Join(bin, "none")
			}
			for i, c := range []Command{tt.agent.hold("node-1"), tt.agent.restartHeld("node-1")} {
				want := []string{tt.hold, tt.resume}[i]
				if err := os.WriteFile(log, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), "sh", "-c", c.whole().Run)
				cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=" + bin + ":/usr/bin:/bin", "ACTIVE=" + active}
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", c.whole().Run, err, out)
				}
				did, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.TrimSpace(string(did)); got != want {
					t.Errorf("%s: did %q, want %q", c.whole().Run, got, want)
				}
			}
		})
	}
}
