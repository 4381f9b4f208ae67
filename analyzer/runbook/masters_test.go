package runbook

import (
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/rollback"
)

func TestFormerMasters(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	if r := build(t, in); slices.Contains(ids(r), "former-api-servers") {
		t.Errorf("steps %v, and nothing to delete", ids(r))
	}
	in.FormerMasters = []rollback.FormerMaster{
		{Key: "/kubernetes.io/masterleases/10.0.0.1", Address: "10.0.0.1", TTL: 15 * time.Second},
		{Key: "/kubernetes.io/masterleases/10.0.0.2", Address: "10.0.0.2", Doubt: "the current snapshot is damaged"},
	}
	for _, platform := range Platforms() {
		in.Platform = platform
		r := build(t, in)
		order := ids(r)
		if at := slices.Index(order, "former-api-servers"); at < 1 || order[at-1] != "start-etcd" {
			t.Errorf("%s: steps %v", platform, order)
		}
		s := step(t, r, "former-api-servers")
		if list := commands(s); len(list) != 2 || !strings.HasSuffix(list[0], " del /kubernetes.io/masterleases/10.0.0.1") || !strings.HasSuffix(list[1], " del /kubernetes.io/masterleases/10.0.0.2") {
			t.Errorf("%s: %q", platform, list)
		}
		first, lost := s.Commands[0].Comment, "This restore loses leases: nothing else deletes it."
		if platform == Kops != (first == lost) || platform != Kops && !strings.Contains(first, "15s after its start") {
			t.Errorf("%s: %q", platform, first)
		}
		if second := s.Commands[1].Comment; second != "Nothing else deletes it. Only if that API server is gone: the current snapshot is damaged." {
			t.Errorf("%s: %q", platform, second)
		}
	}

	// A backup alone does not show which machines are gone.
	in.FormerMasters, in.Current, in.Comparison = nil, nil, nil
	in.Backup.Facts.MasterLeases = []string{"/registry/masterleases/10.0.0.1"}
	if s := step(t, build(t, in), "former-api-servers"); len(s.Commands) > 0 || !strings.Contains(s.Checks[0], "/registry/masterleases/10.0.0.1") {
		t.Errorf("%+v", s)
	}
}
