package runbook

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestForce types the deletion by force. Only a pod of which nothing runs is deleted.
func TestForce(t *testing.T) {
	b := &builder{profile: profileOf(Kubeadm)}
	b.force = []pod{{namespace: "rows", name: "it's", uid: "u-1", node: "node-1"}, {namespace: "rows", name: "-b", uid: "u-2", node: "node-2"}, {namespace: "rows", name: "c", uid: "u-3", node: "no/de"}}
	var s Step
	b.deleteEnded(&s)
	if len(s.Commands) != 1 || len(s.Warnings) != 1 {
		t.Fatalf("%+v", s)
	}
	tests := []struct {
		name, uid, runs string // what kubectl answers, as lines of a shell
		deleted         []string
		fails           bool
		says            string
	}{
		{name: "nothing runs", uid: `case "$*" in *-b) echo u-2 ;; *) echo u-1 ;; esac`, runs: `echo '{"items":[{"metadata":{"uid":"u-4"}}]}'`, deleted: []string{"it's", "-b"}},
		{name: "one runs", uid: `case "$*" in *-b) echo u-2 ;; *) echo u-1 ;; esac`, runs: `echo '{"items":[{"metadata":{"uid":"u-1"}}]}'`, deleted: []string{"-b"}, fails: true, says: "rows/it's stays, because it runs on node-1"},
		{name: "they are others by now", uid: "echo u-9", runs: `echo '{"items":[]}'`},
		{name: "they are gone", uid: ":", runs: `echo '{"items":[]}'`},
		{name: "no node answers", uid: "echo u-1", runs: "exit 1", fails: true, says: "does not answer"},
		{name: "the API does not answer", uid: "exit 1", runs: `echo '{"items":[]}'`, fails: true, says: "does not answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin := t.TempDir()
			stub := "#!/bin/sh\ncase \"$1 $2\" in\n'get --raw') " + tt.runs + " ;;\n'get pod') " + tt.uid + " ;;\n'delete pod') for last; do :; done; echo \"$last\" >> " + bin + "/deleted ;;\n*) exit 7 ;;\nesac\n"
			if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte(stub), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", s.Commands[0].Run)
			cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
			out, err := cmd.CombinedOutput()
			if (err != nil) != tt.fails || !strings.Contains(string(out), tt.says) {
				t.Errorf("%v\n%s", err, out)
			}
			did, _ := os.ReadFile(filepath.Join(bin, "deleted"))
			if got := strings.Fields(string(did)); !slices.Equal(got, tt.deleted) {
				t.Errorf("deleted %q, want %q", got, tt.deleted)
			}
		})
	}
}
