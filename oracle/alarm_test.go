package oracle

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"revenant/oracle/fixture"
)

// TestNoSpace fills an etcd up to its quota, restores its snapshot, and does what the
// runbook says. The alarm comes along with the restore; disarmed before space is won it is
// raised again by the next write; compacted (which a bump does by itself) and
// defragmented, it is disarmed for good.
func TestNoSpace(t *testing.T) {
	const quota = 4 << 20 // bytes
	value := strings.Repeat("v", 256<<10)
	full := fixture.StartServerWithQuota(t, t.TempDir(), quota)
	var err error
	for i := 0; i < 2000 && err == nil; i++ { // the db grows when etcd commits, every 100 ms
		_, err = full.Put(t.Context(), "/registry/events/one", fmt.Sprint(i, value))
	}
	if !errors.Is(err, rpctypes.ErrNoSpace) && !strings.Contains(fmt.Sprint(err), "space exceeded") {
		t.Fatalf("the quota was not reached: %v", err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := full.Save(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	full.Stop()

	for _, tt := range []struct {
		name string
		bump uint64
	}{{"no bump", 0}, {"bump, marked compacted", 1000}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "restored")
			if err := fixture.Restore(backup, dir, tt.bump); err != nil {
				t.Fatal(err)
			}
			s := fixture.StartServerWithQuota(t, dir, quota)
			put := func() error {
				_, err := s.Put(t.Context(), "/after", value)
				return err
			}
			raised := func() int {
				t.Helper()
				list, err := s.AlarmList(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return len(list.Alarms)
			}
			disarm := func() {
				t.Helper()
				list, err := s.AlarmList(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range list.Alarms { // as etcdctl alarm disarm does
					if _, err := s.AlarmDisarm(t.Context(), (*clientv3.AlarmMember)(a)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if raised() == 0 || put() == nil {
				t.Fatal("the alarm did not come along with the restore")
			}
			if tt.bump == 0 {
				disarm()
				for i := 0; i < 20 && raised() == 0; i++ {
					_ = put()
				}
				if raised() == 0 {
					t.Error("it was disarmed for good although no space was won")
				}
				got, err := s.Get(t.Context(), "x")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Compact(t.Context(), got.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
					t.Fatal(err)
				}
			}
			db := s.Etcd.Server.Backend()
			for end := time.Now().Add(30 * time.Second); ; { // the compaction at the start goes on beside it
				if err := db.Defrag(); err != nil {
					t.Fatal(err)
				}
				if db.Size() <= quota/2 || time.Now().After(end) {
					break
				}
			}
			if size := db.Size(); size > quota/2 {
				t.Fatalf("%d bytes after defragmenting", size)
			}
			disarm()
			if err := put(); err != nil {
				t.Errorf("a write after disarming: %v", err)
			}
			if n := raised(); n > 0 {
				t.Errorf("%d alarms after a write", n)
			}
		})
	}
}
