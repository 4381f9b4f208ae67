package restore

import (
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
