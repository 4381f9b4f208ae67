package restore

import (
	"cmp"
	"fmt"
	"slices"

	"revenant/decoder/container"
	"revenant/decoder/metrics"
	"revenant/internal/words"
)

// Metrics is what was scraped before the outage. Each sample is a revision that was
// reached when it was scraped, and bounds nothing from above: another member may have
// been ahead, and more was written after it.
type Metrics struct {
	Files   []container.File `json:"files"`
	Samples []metrics.Sample `json:"samples"` // the highest first
}

// NewMetrics puts what files have together; nil for none.
func NewMetrics(files []*metrics.File) *Metrics {
	if len(files) == 0 {
		return nil
	}
	m := &Metrics{}
	for _, f := range files {
		m.Files = append(m.Files, f.File)
		m.Samples = append(m.Samples, f.Samples...)
	}
	slices.SortStableFunc(m.Samples, func(a, b metrics.Sample) int {
		return cmp.Or(cmp.Compare(b.Revision, a.Revision), b.At().Compare(a.At()))
	})
	return m
}

// Revision is the newest revision that they show, 0 for none.
func (m *Metrics) Revision() int64 {
	if m == nil || len(m.Samples) == 0 {
		return 0
	}
	return m.Samples[0].Revision
}

// Text says which metric shows the newest revision, and when it was scraped.
func (m *Metrics) Text() string {
	if m.Revision() == 0 {
		return ""
	}
	s := &m.Samples[0]
	switch s.TimeFrom {
	case metrics.FromLine:
		return fmt.Sprintf("%s in %s, scraped %s", s.Metric, s.File, words.Time(s.At()))
	case metrics.FromFile:
		return fmt.Sprintf("%s in %s, saved %s", s.Metric, s.File, words.Time(s.At()))
	}
	return fmt.Sprintf("%s in %s", s.Metric, s.File)
}

// Served is the newest revision that was, or may have been, served, as far as the
// current snapshot and metrics show.
func (c *Comparison) Served() int64 { return max(c.current.Served(), c.Metrics.Revision()) }

// beyond says whether metrics show more than the current snapshot.
func (c *Comparison) beyond() bool { return c.Metrics.Revision() > c.current.Served() }

// ServedText says that a revision was served, or what is known of that.
func (c *Comparison) ServedText(revision int64) string {
	if c.beyond() && revision == c.Metrics.Revision() {
		return fmt.Sprintf("revision %d was reached (%s)", revision, c.Metrics.Text())
	}
	return c.current.ServedText(revision)
}

// warnMetrics says what metrics show that the current snapshot does not, or that they
// show nothing.
func (f *forecast) warnMetrics(warn func(bool, string)) {
	newest := f.Metrics.Revision()
	if newest == 0 {
		return
	}
	served := f.current.Served()
	warn(f.beyond(), fmt.Sprintf("Metrics show that revision %d was reached (%s), %d after the current snapshot: what was written in them is not in this prediction.", newest, f.Metrics.Text(), newest-served))
	warn(!f.beyond(), fmt.Sprintf("The newest revision in the metrics is %d (%s), and the current snapshot is at %d: they show nothing of what came after it.", newest, f.Metrics.Text(), served))
	s := &f.Metrics.Samples[0]
	warn(!f.plan.OutageAt.IsZero() && s.TimeFrom == metrics.FromLine && s.At().After(f.plan.OutageAt), fmt.Sprintf("Metrics were scraped after the stated time of the outage (%s): make sure that both are right, and that nothing was scraped from the restored etcd.", f.Metrics.Text()))
}
