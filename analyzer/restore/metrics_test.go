package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/container"
	"revenant/decoder/document"
	"revenant/decoder/metrics"
)

func scrape(revision int64, from metrics.TimeFrom, at time.Time) *metrics.File {
	s := metrics.Sample{Metric: metrics.Etcd, Series: metrics.Etcd, Revision: revision, TimeFrom: from, File: "m.prom"}
	if from != metrics.Unknown {
		s.Time = document.NewTime(&at)
	}
	return &metrics.File{File: container.File{Path: "m.prom"}, Samples: []metrics.Sample{s}}
}

// TestMetrics: what was scraped raises what is known to have been reached, and with it
// the bounds and the bumps; it lowers none of them, and says nothing of any kubelet.
func TestMetrics(t *testing.T) {
	const newest = 10_000
	backup, current := states(nil, []*Pod{made()})
	var marks []clock.Mark // one revision a second
	for i := range int64(600) {
		marks = append(marks, clock.Mark{Revision: currentAt - i, Time: takenAt.Add(-time.Duration(i) * time.Second), Source: clock.Renewal, By: "n1"})
	}
	slices.Reverse(marks)
	current.Clock = clock.New(marks, currentAt, nil)
	outage := Plan{OutageAt: takenAt.Add(10 * time.Minute)}
	predict := func(plan Plan, files ...*metrics.File) (*Prediction, error) {
		c := Compare(backup, current)
		c.Metrics = NewMetrics(files)
		return c.Predict(plan)
	}
	for _, test := range []struct {
		name    string
		plan    Plan
		file    *metrics.File
		atMost  int64
		minimum int64
		says    string
	}{
		{"none", Plan{}, nil, currentAt + 180_000, currentAt - backupAt + 1, ""},
		{"below the current snapshot", Plan{}, scrape(currentAt-1, metrics.FromLine, takenAt), currentAt + 180_000, currentAt - backupAt + 1, "they show nothing of what came after it"},
		{"above it", Plan{}, scrape(newest, metrics.Unknown, time.Time{}), newest + 180_000, newest - backupAt + 1, "revision 10000 was reached"},
		{"no metrics, outage", outage, nil, currentAt + 600*200, currentAt - backupAt + 1, ""},
		{"a time of its own, outage", outage, scrape(newest, metrics.FromLine, takenAt.Add(9*time.Minute)), currentAt + 600*200, newest - backupAt + 1, "revision 10000 was reached"},
		{"more than was thought possible, outage", outage, scrape(500_000, metrics.FromLine, takenAt.Add(9*time.Minute)), 500_000 + 60*200, 500_000 - backupAt + 1, "revision 500000 was reached"},
		{"the time of the file, outage", outage, scrape(500_000, metrics.FromFile, takenAt.Add(9*time.Minute)), 500_000 + 600*200, 500_000 - backupAt + 1, "saved"},
		{"after the outage", outage, scrape(500_000, metrics.FromLine, takenAt.Add(time.Hour)), 500_100, 500_000 - backupAt + 1, "scraped after the stated time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var files []*metrics.File
			if test.file != nil {
				files = append(files, scrape(7, metrics.Unknown, time.Time{}), test.file)
			}
			p, err := predict(test.plan, files...)
			if err != nil {
				t.Fatal(err)
			}
			if r := p.Revisions; r.LastSeenAtMost != test.atMost || r.MinimumSafeBump != test.minimum || backupAt+r.RecommendedBump <= test.atMost {
				t.Errorf("at most %d, least bump %d, recommended %d; want %d, %d", r.LastSeenAtMost, r.MinimumSafeBump, r.RecommendedBump, test.atMost, test.minimum)
			}
			if text := strings.Join(p.Warnings, "\n"); !strings.Contains(text, test.says) {
				t.Errorf("warnings %s", text)
			}
			plain, err := predict(test.plan)
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range p.Nodes {
				if n.LastSeen.AtLeast != plain.Nodes[i].LastSeen.AtLeast {
					t.Errorf("%s has seen at least %d, without metrics %d", n.Name, n.LastSeen.AtLeast, plain.Nodes[i].LastSeen.AtLeast)
				}
			}
			small := test.plan
			small.BumpRevision, small.MarkCompacted = test.minimum-1, true
			if test.minimum > 1 {
				if p, err = predict(small, files...); err != nil || p.Revisions.BumpVerdict != BumpSmall {
					t.Errorf("a bump of %d: %v, %v", small.BumpRevision, p.Revisions.BumpVerdict, err)
				}
			}
		})
	}
	if _, err := predict(Plan{LastRevision: newest - 1}, scrape(newest, metrics.Unknown, time.Time{})); err == nil || !strings.Contains(err.Error(), "revision 10000 was reached") {
		t.Error(err)
	}
	if _, err := predict(Plan{LastRevision: newest}, scrape(newest, metrics.Unknown, time.Time{})); err != nil {
		t.Error(err)
	}
}

// TestNewMetrics: the highest sample counts, of as high ones the newest, and it is said when
// it was scraped.
func TestNewMetrics(t *testing.T) {
	at := func(seconds int) time.Time { return takenAt.Add(time.Duration(seconds) * time.Second) }
	for _, tt := range []struct {
		name  string
		files []*metrics.File
		want  string
	}{
		{"none", nil, "0 "},
		{"a file without a sample", []*metrics.File{{}}, "0 "},
		{"the highest", []*metrics.File{scrape(5, metrics.FromLine, at(9)), scrape(7, metrics.FromLine, at(0)), scrape(6, metrics.Unknown, at(0))}, "7 etcd_debugging_mvcc_current_revision in m.prom, scraped 2026-11-23 05:00:00Z"},
		{"the newest of two", []*metrics.File{scrape(7, metrics.FromLine, at(0)), scrape(7, metrics.FromFile, at(5)), scrape(7, metrics.FromLine, at(1))}, "7 etcd_debugging_mvcc_current_revision in m.prom, saved 2026-11-23 05:00:05Z"},
		{"at no known time", []*metrics.File{scrape(7, metrics.Unknown, at(0))}, "7 etcd_debugging_mvcc_current_revision in m.prom"},
		{"the first revision", []*metrics.File{scrape(1, metrics.Unknown, at(0))}, "1 etcd_debugging_mvcc_current_revision in m.prom"},
	} {
		m := NewMetrics(tt.files)
		if got := fmt.Sprint(m.Revision(), " ", m.Text()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if (m == nil) != (tt.files == nil) || m != nil && len(m.Files) != len(tt.files) {
			t.Errorf("%s: %+v", tt.name, m)
		}
	}
}

// TestMetricsSay: what is said of a revision, and what is warned of, by how far the metrics
// reach and when they were scraped.
func TestMetricsSay(t *testing.T) {
	after := takenAt.Add(time.Minute)
	const late = "Metrics were scraped after the stated time of the outage"
	for _, tt := range []struct {
		name   string
		file   *metrics.File
		outage time.Time
		served string // what is said of the newest revision
		warns  []string
	}{
		{"below the current snapshot", scrape(currentAt-1, metrics.Unknown, after), time.Time{}, "revision 2000 was served", []string{"The newest revision in the metrics is 1999"}},
		{"at it", scrape(currentAt, metrics.Unknown, after), time.Time{}, "revision 2000 was served", []string{"The newest revision in the metrics is 2000"}},
		{"above it", scrape(currentAt+1, metrics.Unknown, after), time.Time{}, "revision 2001 was reached (", []string{"Metrics show that revision 2001 was reached"}},
		{"at the first revision", scrape(1, metrics.Unknown, after), time.Time{}, "revision 2000 was served", []string{"The newest revision in the metrics is 1 ("}},
		{"no sample", &metrics.File{}, time.Time{}, "revision 2000 was served", nil},
		{"after the outage", scrape(currentAt+1, metrics.FromLine, after), after.Add(-time.Second), "revision 2001 was reached (", []string{"Metrics show", late}},
		{"at the outage", scrape(currentAt+1, metrics.FromLine, after), after, "revision 2001 was reached (", []string{"Metrics show"}},
		{"saved after the outage", scrape(currentAt+1, metrics.FromFile, after), after.Add(-time.Second), "revision 2001 was reached (", []string{"Metrics show"}},
		{"scraped, and the outage is not known", scrape(currentAt+1, metrics.FromLine, after), time.Time{}, "revision 2001 was reached (", []string{"Metrics show"}},
	} {
		backup, current := states(nil, nil)
		current.Clock = everySecond(currentAt)
		c := Compare(backup, current)
		c.Metrics = NewMetrics([]*metrics.File{tt.file})
		if got := c.ServedText(c.Served()); !strings.HasPrefix(got, tt.served) {
			t.Errorf("%s: %s", tt.name, got)
		}
		if got := c.ServedText(1500); got != "revision 1500 was served" {
			t.Errorf("%s: %s", tt.name, got)
		}
		p, err := c.Predict(Plan{OutageAt: tt.outage})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range p.Warnings {
			if strings.Contains(strings.ToLower(w), "metrics") {
				got = append(got, w)
			}
		}
		if !slices.EqualFunc(got, tt.warns, strings.HasPrefix) {
			t.Errorf("%s: warned %q, want %q", tt.name, got, tt.warns)
		}
	}
}
