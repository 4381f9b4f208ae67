package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"revenant/decoder/container"
)

// line is an event of the deployment web; more is put in before the last brace.
func line(verb, name, second, more string) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-%s","stage":"ResponseComplete","requestURI":"/apis/apps/v1/namespaces/shop/deployments/%s","verb":%q,"user":{"username":"alice","groups":["a","b"]},"sourceIPs":["10.0.0.7"],"userAgent":"kubectl/v1.37.0 (linux/amd64)","objectRef":{"resource":"deployments","namespace":"shop","name":%q,"apiGroup":"apps","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-11-23T04:00:%s.000000Z","stageTimestamp":"2026-11-23T04:00:%s.500000Z"%s}`,
		second, name, verb, name, second, second, more)
}

var web = Query{Groups: []string{"apps"}, Resource: "deployments", Namespace: "shop", Name: "web"}

// read reads a log with this text.
func read(t *testing.T, name, text string, o Options) (*Log, []*Event) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
		t.Fatal(err)
	}
	var events []*Event
	log, err := Read(t.Context(), []string{path}, web, o, func(e *Event) { events = append(events, e) })
	if err != nil {
		t.Fatal(err)
	}
	return log, events
}

func TestRead(t *testing.T) {
	item := line("patch", "web", "20", "")
	other := line("patch", "api", "40", "")
	for _, tt := range []struct {
		name, text string
		wheres     []string
		malformed  int64
	}{
		{"lines", item + "\n" + other + "\n\n" + item, []string{"x:1", "x:4"}, 0},
		{"an EventList", `{"kind":"EventList","apiVersion":"audit.k8s.io/v1beta1","metadata":{},"items":[` + item + "," + other + "," + item + `]}`, []string{"x:1", "x:1"}, 0},
		{"a list that ends early", `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + item + ",", nil, 1},
		{"another stage", strings.Replace(item, "ResponseComplete", "RequestReceived", 1), nil, 0},
		{"a panic", strings.Replace(item, "ResponseComplete", "Panic", 1), []string{"x:1"}, 0},
		{"another group", strings.Replace(item, `"apiGroup":"apps"`, `"apiGroup":"apps.lab"`, 1), nil, 0},
		{"another namespace", strings.Replace(item, `"namespace":"shop"`, `"namespace":"shopping"`, 1), nil, 0},
		{"a collection", line("deletecollection", "", "20", ""), []string{"x:1"}, 0},
		{"a name that is made later", line("create", "", "20", ""), []string{"x:1"}, 0},
		{"a name that was made, another", line("create", "", "20", `,"responseObject":{"kind":"Deployment","metadata":{"name":"api"}}`), nil, 0},
		{"no JSON", item[:len(item)-9] + "}\nAUDIT: id=\"x\"\n{}", nil, 3},
		{"another API", strings.Replace(item, "audit.k8s.io/v1", "audit/v1", 1), nil, 1},
		{"no time", strings.Replace(item, "2026-11-23T04:00:20.000000Z", "", 1), nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, events := read(t, "x", tt.text, Options{})
			var wheres []string
			for _, e := range events {
				wheres = append(wheres, e.Where)
			}
			if diff := cmp.Diff(tt.wheres, wheres); diff != "" || log.Malformed != tt.malformed || int64(len(log.Faults)) != tt.malformed {
				t.Errorf("malformed %d, %q, events (-want +got):\n%s", log.Malformed, log.Faults, diff)
			}
		})
	}
}

func TestEvent(t *testing.T) {
	more := `,"impersonatedUser":{"username":"bob"},"requestURI":"/x?dryRun=All&fieldManager=helm","objectRef":{"resource":"deployments","namespace":"shop","name":"web","apiGroup":"apps","uid":"u","resourceVersion":"7","subresource":"status"},` +
		`"requestObject":{"secret":"data"},"responseObject":{"kind":"Deployment","details":"a string","metadata":{"name":"web","uid":"u","resourceVersion":"8"}}`
	_, events := read(t, "audit.log", line("update", "web", "20", more), Options{})
	want := []*Event{{
		Where: "audit.log:1", ID: "id-20", Level: "Metadata", Stage: "ResponseComplete", Verb: "update", User: User{"alice", []string{"a", "b"}}, As: &User{Name: "bob"},
		SourceIPs: []string{"10.0.0.7"}, UserAgent: "kubectl/v1.37.0 (linux/amd64)", Manager: "helm", Group: "apps", Resource: "deployments", Subresource: "status",
		Namespace: "shop", Name: "web", UID: "u", ResourceVersion: "7", Code: 200, DryRun: true, Answer: Answer{Name: "web", UID: "u", ResourceVersion: "8"},
		Received: time.Date(2026, 11, 23, 4, 0, 20, 0, time.UTC), Ended: time.Date(2026, 11, 23, 4, 0, 20, 5e8, time.UTC),
	}}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
	for name, more := range map[string]string{
		"DeleteOptions": `,"requestObject":{"kind":"DeleteOptions","dryRun":["All"]}`,
		"Eviction":      `,"requestObject":{"kind":"Eviction","deleteOptions":{"dryRun":["All"]}}`,
	} {
		if _, events := read(t, "x", line("delete", "web", "20", more), Options{}); len(events) != 1 || !events[0].DryRun {
			t.Errorf("%s: %+v", name, events)
		}
	}
	_, events = read(t, "x", line("delete", "web", "20", `,"responseStatus":{"status":"Success","details":{"name":"web","uid":"u"},"code":200}`), Options{})
	if got := events[0].Answer; got != (Answer{Status: true, Name: "web", UID: "u"}) || events[0].DryRun || events[0].Manager != "kubectl" {
		t.Errorf("%+v", events[0])
	}
}

// TestBounds: what is kept of an event does not grow with it, and a line has an end.
func TestBounds(t *testing.T) {
	many := `,"user":{"username":"` + strings.Repeat("é", 5000) + `","groups":[` + strings.Repeat(`"g",`, 5000) + `"g"]}`
	long := strings.Repeat("x", longestLine+1)
	log, events := read(t, "x", line("patch", "web", "20", many)+"\n"+long+"\n"+line("patch", "web", "30", ""), Options{})
	if len(events) != 2 || log.Long != 1 || log.Lines != 3 || events[1].Where != "x:3" {
		t.Fatalf("%+v, %d events", log, len(events))
	}
	if u := events[0].User; len(u.Groups) != most || len(u.Name) > longest+len("…") || !strings.HasSuffix(u.Name, "é…") {
		t.Errorf("%d groups, a name of %d bytes", len(u.Groups), len(u.Name))
	}
}

func TestCovers(t *testing.T) {
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + line("get", "a", "05", "") + "," + line("get", "b", "50", "") + `]}`
	log, _ := read(t, "x", line("get", "c", "30", "")+"\n"+list+"\n"+line("get", "d", "10", ""), Options{})
	if from, to := log.From.Second(), log.To.Second(); from != 5 || to != 50 || log.Malformed != 0 {
		t.Errorf("from %s to %s", log.From, log.To)
	}
}

func TestCompressed(t *testing.T) {
	text := line("patch", "web", "20", "") + "\n"
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write([]byte(strings.Repeat(text, 1000)))
	g.Close()
	z, _ := zstd.NewWriter(&zst)
	z.Write([]byte(text))
	z.Close()
	if _, events := read(t, "x", zst.String(), Options{}); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
	if log, events := read(t, "x", gz.String(), Options{}); len(events) != 1000 || log.Broken {
		t.Errorf("%d events", len(events))
	}
	if log, events := read(t, "x", gz.String()[:gz.Len()-20], Options{}); len(events) == 0 || !log.Broken || !strings.HasPrefix(log.Faults[0], "x could not be read to its end: ") {
		t.Errorf("%d events, %q", len(events), log.Faults)
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, gz.Bytes(), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), []string{path}, web, Options{Limits: container.Limits{Bytes: 1000}}, func(*Event) {}); !errors.Is(err, container.ErrTooLarge) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, []string{path}, web, Options{}, func(*Event) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if log, err := Read(t.Context(), []string{"-"}, web, Options{Stdin: strings.NewReader(text)}, func(*Event) {}); err != nil || log.Lines != 1 {
		t.Error(log, err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"audit.log", "audit-2026-11-30T01-02-03.000.log", "audit.log.gz", "events.json", ".hidden.log", "cert.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	in := func(names ...string) (list []string) {
		for _, name := range names {
			list = append(list, filepath.Join(dir, name))
		}
		return list
	}
	for path, want := range map[string][]string{
		dir:                              in("audit-2026-11-30T01-02-03.000.log", "audit.log", "audit.log.gz", "events.json"),
		filepath.Join(dir, "audit.log*"): in("audit.log", "audit.log.gz"),
		filepath.Join(dir, "cert.pem"):   in("cert.pem"),
		"nowhere":                        {"nowhere"},
	} {
		if got, err := List(path); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, err := List(t.TempDir()); err == nil {
		t.Error("an empty directory is no error")
	}
}

// FuzzParse: whatever a line is, what is kept of it is bounded, and a line that is passed
// over without being decoded tells nothing of the object.
func FuzzParse(f *testing.F) {
	item := line("patch", "web", "20", "")
	for _, seed := range []string{item, line("deletecollection", "", "20", ""), `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + item + `,{}]}`, `{"items":null,"user":[],"sourceIPs":{}}`} {
		f.Add([]byte(seed))
	}
	r := reader{Log: new(Log), query: web}
	r.prepare()
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = r.covers(append([]byte("{"), append(text, '}')...))
		_ = parse(text, func(e *Event) {
			if len(e.User.Name) > longest+len("…") || len(e.User.Groups) > most || len(e.SourceIPs) > most {
				t.Errorf("%+v", e)
			}
			escaped := bytes.ContainsRune(text, '\\')
			if !escaped && web.matches(e) && !r.may(text) {
				t.Errorf("it is passed over: %s", text)
			}
		})
	})
}
