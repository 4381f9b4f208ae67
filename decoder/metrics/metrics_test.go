package metrics

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/decoder/container"
	"revenant/decoder/document"
)

var saved = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func write(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "metrics")
	if err := errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, saved, saved)); err != nil {
		t.Fatal(err)
	}
	return path
}

func at(t time.Time) *document.Time { return document.NewTime(&t) }

func TestRead(t *testing.T) {
	etcd := `# HELP etcd_debugging_mvcc_current_revision The current revision of store.
# TYPE etcd_debugging_mvcc_current_revision gauge
etcd_debugging_mvcc_current_revision 1.472123e+06
etcd_debugging_mvcc_compact_revision 9.999999e+06
`
	api := `apiserver_watch_cache_resource_version{resource="configmaps"} 9.9e+07
apiserver_watch_cache_resource_version{resource="pods"} 1471
apiserver_watch_cache_resource_version{group="metrics.k8s.io",resource="pods"} 9.9e+07
apiserver_watch_cache_resource_version{group="",resource="pods"} 1472 1763870460000
`
	for _, test := range []struct {
		name, text string
		want       []Sample
	}{
		{"etcd", etcd, []Sample{{Etcd, Etcd, 1472123, at(saved), FromFile, ""}}},
		{"an API server", api, []Sample{{WatchCache, `apiserver_watch_cache_resource_version{group="",resource="pods"}`, 1472, at(time.UnixMilli(1763870460000)), FromLine, ""}}},
		{"both, the highest first", api + etcd, []Sample{
			{Etcd, Etcd, 1472123, at(saved), FromFile, ""},
			{WatchCache, `apiserver_watch_cache_resource_version{group="",resource="pods"}`, 1472, at(time.UnixMilli(1763870460000)), FromLine, ""}}},
		{"an informer", `informer_store_resource_version{name="kubelet",group="",version="v1",resource="pods"} 7`, []Sample{
			{Informer, `informer_store_resource_version{name="kubelet",group="",version="v1",resource="pods"}`, 7, at(saved), FromFile, ""}}},
		{"OpenMetrics", "etcd_debugging_mvcc_current_revision 12 1763870460.5 # {trace=\"x\"} 1\n# EOF\n", []Sample{
			{Etcd, Etcd, 12, at(time.UnixMilli(1763870460500)), FromLine, ""}}},
		{"a dump", `{__name__="etcd_debugging_mvcc_current_revision", instance="10.0.0.1:2381", job="a \"b\" \\ }"} 41 1763870460000
{__name__="etcd_debugging_mvcc_current_revision", instance="10.0.0.1:2381"} 42 1763870490000
{__name__="etcd_debugging_mvcc_current_revision", instance="10.0.0.2:2381"} 42 1763870480000
`, []Sample{{Etcd, `{__name__="etcd_debugging_mvcc_current_revision", instance="10.0.0.1:2381"}`, 42, at(time.UnixMilli(1763870490000)), FromLine, ""}}},
		{"a name in quotes", `{"etcd_debugging_mvcc_current_revision", a="b"} 5`, []Sample{{Etcd, `{"etcd_debugging_mvcc_current_revision", a="b"}`, 5, at(saved), FromFile, ""}}},
		{"what is no number of a revision", etcd + "etcd_debugging_mvcc_current_revision NaN\netcd_debugging_mvcc_current_revision +Inf\netcd_debugging_mvcc_current_revision -5\netcd_debugging_mvcc_current_revision 1e300\n" +
			"etcd_debugging_mvcc_current_revision{ 9e9\netcd_debugging_mvcc_current_revision 9e9 noon\netcd_debugging_mvcc_current_revision_x 9e9\n" +
			"x{a=\"etcd_debugging_mvcc_current_revision 9e9\"} 1\n" + strings.Repeat("x", 3*maxLine) + "_revision 7\r\n",
			[]Sample{{Etcd, Etcd, 1472123, at(saved), FromFile, ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			if _, err := z.Write([]byte(test.text)); errors.Join(err, z.Close()) != nil {
				t.Fatal(err)
			}
			for _, data := range [][]byte{[]byte(test.text), packed.Bytes()} {
				f, err := Read(t.Context(), write(t, data), container.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, f.Samples, cmpopts.IgnoreFields(Sample{}, "File"), cmpopts.EquateApproxTime(0)); diff != "" {
					t.Error(diff)
				}
				if f.SizeBytes != int64(len(data)) || len(f.SHA256) != 64 {
					t.Errorf("%+v", f.File)
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{"", "go_goroutines 7\n", strings.Repeat("a", 10*maxLine), "etcd_debugging_mvcc_current_revision 0\n"} {
		if _, err := Read(t.Context(), write(t, []byte(text)), container.Limits{}); !errors.Is(err, ErrNone) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 100 {
		z.Write(bytes.Repeat([]byte("\n"), 1<<20))
	}
	z.Close()
	if _, err := Read(t.Context(), write(t, packed.Bytes()), container.Limits{Bytes: 1 << 20}); !errors.Is(err, container.ErrTooLarge) {
		t.Error(err)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, line := range []string{
		"etcd_debugging_mvcc_current_revision 1.472123e+06", `apiserver_watch_cache_resource_version{group="",resource="pods"} 1472 1763870460000`,
		`{__name__="etcd_debugging_mvcc_current_revision", job="a \"b\" \\ }"} 41 1763870460000`, `{"etcd_debugging_mvcc_current_revision"} 5 1.5 # {} 1`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s, ok := parseLine(line, saved)
		if ok && (s.Revision < 1 || len(s.Series) > maxSeries || s.At().IsZero() || s.Time.Text() != "") {
			t.Errorf("%+v", s)
		}
	})
}
