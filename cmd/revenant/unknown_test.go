package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"revenant/internal/corpus"
)

// answered is what a command says, whatever it ends with but failure.
func answered(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code == exitFailed {
		t.Fatalf("%q: %s", args, &errs)
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// TestAlarm stores the alarms that etcd raises. An etcd that is restored from the db
// refuses writes, so they are problems, and the runbook disarms them.
func TestAlarm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alarm.db")
	writeFile(t, path, raw(corpus.Unpack(t, cluster("scenario-1/plain/backup"))))
	if before := answered(t, "plan", path); strings.Contains(before, "alarm disarm") {
		t.Error("an alarm is disarmed where none is raised")
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		key, err := proto.Marshal(&etcdserverpb.AlarmMember{MemberID: 0x1234, Alarm: etcdserverpb.AlarmType_NOSPACE})
		if err != nil {
			return err
		}
		return tx.Bucket([]byte("alarm")).Put(key, nil)
	})
	if err := firstError(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ command, want string }{
		{"inspect", `note: alarm: NOSPACE is raised`},
		{"inspect", `(every write after the restore)`},
		{"plan", `! The backup has the alarm NOSPACE of member 1234 raised`},
		{"plan", `alarm disarm`},
	} {
		if got := answered(t, tt.command, path); !strings.Contains(got, tt.want) {
			t.Errorf("%s lacks %q:\n%s", tt.command, tt.want, got)
		}
	}
}

// TestCompactUnknown loses what shows the compact revision. That the store was never
// compacted is not concluded from that, nor is a status made up.
func TestCompactUnknown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cut.db")
	whole := corpus.Unpack(t, cluster("scenario-1/plain/current"))
	writeFile(t, path, whole[:len(whole)*6/10/4096*4096])
	for _, command := range []string{"inspect", "carve"} {
		got := answered(t, command, path)
		if strings.Contains(got, "never compacted") || strings.Contains(got, "nothing was compacted") || !strings.Contains(got, "unknown") {
			t.Errorf("%s says:\n%s", command, got)
		}
	}
	if got := answered(t, "inspect", path); !strings.Contains(got, "etcdutl status nothing: ") || !strings.Contains(answered(t, "inspect", "-o", "json", path), `"status": null`) {
		t.Errorf("a status of a broken tree:\n%s", got)
	}
	writeFile(t, path, whole)
	if got := answered(t, "inspect", path); !strings.Contains(got, "compact revision never compacted") || !strings.Contains(got, "etcdutl status hash ") {
		t.Errorf("of a whole one:\n%s", got)
	}
}
