package oracle

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	etcdutl "go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"

	"revenant/decoder/snapshot"
)

// TestStatus holds the status of every file against that of etcdutl 3.7's library.
func TestStatus(t *testing.T) {
	for _, f := range files(t) {
		t.Run(f.name, func(t *testing.T) {
			theirs, err := etcdutl.NewV3(zap.NewNop()).Status(f.path)
			if err != nil {
				t.Fatal(err)
			}
			want := snapshot.Status{
				Hash:      theirs.Hash,
				Revision:  theirs.Revision,
				TotalKey:  theirs.TotalKey,
				TotalSize: theirs.TotalSize,
				Version:   theirs.Version,
			}
			got, err := open(t, f.path).Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(snapshot.Status{}, "TotalKey35")); diff != "" {
				t.Errorf("status differs (-etcdutl +revenant):\n%s", diff)
			}
		})
	}
}

// TestStatus35 holds it against etcdutl 3.5, which counts every entry of every
// bucket as a key. Its library does not build with etcd 3.7's modules, so the
// program is built with its own.
func TestStatus35(t *testing.T) {
	t.Parallel()
	etcdutl := tool(t, "-modfile=etcd35/go.mod", "etcdutl")
	for _, f := range files(t) {
		t.Run(f.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), etcdutl, "snapshot", "status", f.path, "-w", "json")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("etcdutl: %v %s", err, out)
			}
			var want snapshot.Status
			if err := json.Unmarshal(out, &want); err != nil {
				t.Fatal(err)
			}
			want.TotalKey, want.TotalKey35 = 0, want.TotalKey
			got, err := open(t, f.path).Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(snapshot.Status{}, "TotalKey", "Version")); diff != "" {
				t.Errorf("status differs (-etcdutl +revenant):\n%s", diff)
			}
		})
	}
}

// tool is the path of a program that a module pins, built once: the go command itself
// takes longer than the program.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-n"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go tool %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}
