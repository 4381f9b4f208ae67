package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// mounted runs a script in a name space of mounts of its own.
func mounted(t *testing.T, script string) (code int, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Skipf("no name space of mounts: %v", err)
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

// TestMountsNeverReachEvidence names evidence where it is mounted once more.
func TestMountsNeverReachEvidence(t *testing.T) {
	guarded(t)
	if err := firstError(os.Mkdir("mnt", 0o755), os.WriteFile("file", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if code, why := mounted(t, "mount --bind data mnt"); code != 0 {
		t.Skipf("nothing can be mounted: %s", why)
	}
	before := listing(t, true)
	for _, tt := range []struct{ mount, command string }{
		{"backup.db file", "inspect backup.db -o json=file"},
		{"backup.db file", "inspect file -o json=backup.db"},
		{"backup.db file", "salvage backup.db -o clean.db --report json=file"},
		{"data mnt", "inspect data -o json=mnt/new.json"},
		{"data/member mnt", "inspect data -o json=mnt/new.json"},
		{"data/member/wal mnt", "predict other.db data -o json=mnt/new.json"},
		{"data/member/wal mnt", "carve data/member/snap/db -o json=mnt/0.wal"},
		{"data/member/below mnt", "plan data -o json=mnt/new.json"},
		{"data mnt", "salvage mnt -o data/member/clean.db"},
		{"logs mnt", "inspect backup.db --wal-dir logs -o json=mnt/new.json"},
		{"dumps mnt", "verify backup.db --dumps mnt -o json=dumps/new.json"},
		{"data/member mnt", "man mnt"},
	} {
		code, stderr := mounted(t, "mount --bind "+tt.mount+" && exec revenant "+tt.command)
		if code != exitFailed || !strings.Contains(stderr, "is evidence") {
			t.Errorf("%s, %s: exit code %d, stderr %q", tt.mount, tt.command, code, stderr)
		}
		if diff := cmp.Diff(before, listing(t, true)); diff != "" {
			t.Fatalf("%s, %s changed\n%s", tt.mount, tt.command, diff)
		}
	}
}

// TestCarveSaysInUse carves a directory that a running etcd has locked.
func TestCarveSaysInUse(t *testing.T) {
	guarded(t)
	f := opened(t, "data/member/snap/db")
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"table", "json"} {
		var stdout bytes.Buffer
		s, stderr := captured(t, "")
		s.out = &stdout
		run(t.Context(), []string{"carve", "data", "-o", format}, s)
		for _, want := range []string{"torn possible", "unchanged", "a process holds a lock on db"} {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%s lacks %q: %s%.2000s", format, want, stderr, &stdout)
			}
		}
	}
}
