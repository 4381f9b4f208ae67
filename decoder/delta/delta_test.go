package delta_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/delta"
	"revenant/decoder/delta/deltatest"
	"revenant/decoder/snapshot/snapshottest"
)

func read(t testing.TB, data []byte) (list []delta.Event, err error) {
	t.Helper()
	err = delta.Read(context.Background(), bytes.NewReader(data), int64(len(data)), func(e *delta.Event) error {
		list = append(list, *e)
		return nil
	})
	return list, err
}

func TestRead(t *testing.T) {
	s := snapshottest.Store(t, snapshottest.Put("/a", "1"), snapshottest.Put("/b", "<&>\x00\xff"), snapshottest.Delete("/a"))
	list, err := read(t, deltatest.File(deltatest.Events(t, s, 0, 9)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if list[i].Time.IsZero() {
			t.Errorf("event %d has no time", i)
		}
		list[i].Time = list[i].Time.Truncate(0)
	}
	at := list[0].Time
	want := []delta.Event{
		{Key: []byte("/a"), CreateRevision: 2, ModRevision: 2, Version: 1, Value: []byte("1"), Time: at},
		{Key: []byte("/b"), CreateRevision: 3, ModRevision: 3, Version: 1, Value: []byte("<&>\x00\xff"), Time: at},
		{Delete: true, Key: []byte("/a"), ModRevision: 4, Time: at},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefuses(t *testing.T) {
	put := `{"etcdEvent":{"kv":{"key":"L2E=","create_revision":2,"mod_revision":2,"version":1}},"time":"2026-11-23T04:00:00Z"}`
	for _, test := range []struct{ name, content, want string }{
		{"an event without a key", `[{"etcdEvent":{"kv":{"create_revision":2,"mod_revision":2,"version":1}}}]`, "not one that etcd makes"},
		{"no event", `[{}]`, "has no key"},
		{"a revision below zero", strings.ReplaceAll("["+put+"]", `"mod_revision":2`, `"mod_revision":-2`), "not one that etcd makes"},
		{"a deletion without a revision", `[{"etcdEvent":{"type":1,"kv":{"key":"L2E="}}}]`, "not one that etcd makes"},
		{"a key that was never created", strings.ReplaceAll("["+put+"]", `"create_revision":2`, `"create_revision":0`), "not one that etcd makes"},
		{"a key that was created later", strings.ReplaceAll("["+put+"]", `"create_revision":2`, `"create_revision":3`), "not one that etcd makes"},
		{"a key without a version", strings.ReplaceAll("["+put+"]", `"version":1`, `"version":0`), "not one that etcd makes"},
		{"a type that there is not", strings.ReplaceAll("["+put+"]", `{"kv"`, `{"type":7,"kv"`), "of a type"},
		{"no end", "[" + put, "the list breaks off after event 1"},
		{"no end of an event", "[" + put + "," + put[:len(put)/2], "event 2 breaks off"},
		{"nothing", "", "no list"},
		{"an object", put, "no list"},
		{"an event that is null", "[null]", "event 1 has no key"},
		{"an event without a record", `[{"etcdEvent":{"type":1}}]`, "event 1 has no key"},
		{"the second has no key", "[" + put + ",{}]", "event 2 has no key"},
		{"revision zero", strings.ReplaceAll("["+put+"]", `"mod_revision":2`, `"mod_revision":0`), "not one that etcd makes"},
		{"no JSON", "[" + put + ",?]", "event 2: "},
		{"nested without end", strings.Repeat("[", 1<<20), "depth"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := read(t, deltatest.Seal([]byte(test.content))); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := read(t, []byte("short")); !errors.Is(err, delta.ErrShort) {
		t.Error(err)
	}
	if _, err := read(t, append(deltatest.Seal([]byte("["+put+"]")), 0)); !errors.Is(err, delta.ErrHash) {
		t.Error(err)
	}
}

// TestReadTypes takes what the type of an event is written as, at the first revision there can
// be, and the first version.
func TestReadTypes(t *testing.T) {
	kv := `"kv":{"key":"L2E=","create_revision":1,"mod_revision":1,"version":1,"lease":7}`
	for kind, deleted := range map[string]bool{"": false, `"type":0,`: false, `"type":"PUT",`: false, `"type":null,`: false, `"type":1,`: true, `"type":"DELETE",`: true} {
		list, err := read(t, deltatest.Seal([]byte(`[{"etcdEvent":{`+kind+kv+`},"time":7}]`)))
		want := []delta.Event{{Delete: deleted, Key: []byte("/a"), CreateRevision: 1, ModRevision: 1, Version: 1, Lease: 7}}
		if diff := cmp.Diff(want, list); diff != "" || err != nil {
			t.Errorf("%s %v (-want +got):\n%s", kind, err, diff)
		}
	}
}

// faulty is a file that cannot be read from some offset on, and says at once that it ends.
type faulty struct {
	*bytes.Reader
	from int64
	err  error
}

func (f faulty) ReadAt(b []byte, at int64) (int, error) {
	if at >= f.from {
		return 0, f.err
	}
	n, err := f.Reader.ReadAt(b, at)
	if err == nil && at+int64(n) == f.Size() {
		err = io.EOF
	}
	return n, err
}

// TestReadFaulty: a file whose hash cannot be read is not read, and one that says that it ends
// with its hash is.
func TestReadFaulty(t *testing.T) {
	data := deltatest.Seal([]byte("[]"))
	size := int64(len(data))
	use := func(*delta.Event) error { return nil }
	if err := delta.Read(t.Context(), faulty{bytes.NewReader(data), size, nil}, size, use); err != nil {
		t.Errorf("of a file that says where it ends: %v", err)
	}
	broken := errors.New("input/output error")
	for _, from := range []int64{0, 2} {
		if err := delta.Read(t.Context(), faulty{bytes.NewReader(data), from, broken}, size, use); !errors.Is(err, broken) {
			t.Errorf("of a file that cannot be read from byte %d on: %v", from, err)
		}
	}
	event := deltatest.Seal([]byte(`[{"etcdEvent":{"type":1,"kv":{"key":"L2E=","mod_revision":2}}}]`))
	if err := delta.Read(t.Context(), bytes.NewReader(event), int64(len(event)), func(*delta.Event) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("of who uses the events: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := delta.Read(ctx, bytes.NewReader(data), size, use); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestReadLarge refuses an event that would not fit into memory, before it is in it.
func TestReadLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 64 MiB")
	}
	content := append([]byte(`[{"etcdEvent":{"kv":{"key":"`), bytes.Repeat([]byte("A"), delta.MaxEvent)...)
	if _, err := read(t, deltatest.Seal(content)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	s := snapshottest.Store(f, snapshottest.Put("/a", "1"), snapshottest.Put("/b", "2"), snapshottest.Delete("/a"))
	file := deltatest.File(deltatest.Events(f, s, 0, 9))
	f.Add(file, true)
	f.Add(file[:len(file)-32], false)
	f.Add([]byte(`[{"etcdEvent":{"type":"DELETE","kv":{"key":"YQ==","mod_revision":9}},"time":7}]`), false)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		if !whole {
			data = deltatest.Seal(data)
		}
		list, err := read(t, data)
		total := 0
		for _, e := range list {
			if total += len(e.Key) + len(e.Value); len(e.Key) == 0 || e.ModRevision <= 0 {
				t.Errorf("%+v", e)
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes out of %d", total, len(data))
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && len(data) < 32 {
			t.Error(err)
		}
	})
}
