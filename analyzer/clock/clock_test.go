package clock

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var start = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// steady are renewals at ten revisions a second.
func steady(n int) (marks []Mark) {
	for i := range n {
		marks = append(marks, Mark{int64(100 + 10*i), at(float64(i)), Renewal, fmt.Sprint("node-", i%5)})
	}
	return marks
}

func TestTimeOf(t *testing.T) {
	c := New([]Mark{
		{100, at(0), Renewal, ""},
		{200, at(10), Creation, ""},
		{300, at(20.5), Renewal, ""},
		{310, at(15), Change, ""},
	}, 400, nil)
	for _, tt := range []struct {
		revision int64
		want     Interval
	}{
		{50, Interval{To: at(1)}},
		{100, Interval{at(0), at(1)}},
		{150, Interval{at(0), at(12)}},  // whole seconds, and a second to commit
		{200, Interval{at(10), at(12)}}, //
		{250, Interval{at(10), at(21.5)}},
		{300, Interval{at(20.5), at(21.5)}},
		{310, Interval{at(20.5), at(40.5)}}, // its own mark says only that it came later
		{400, Interval{at(20.5), at(40.5)}}, // up to when it was taken
		{401, Interval{}},
	} {
		if diff := cmp.Diff(tt.want, c.TimeOf(tt.revision)); diff != "" {
			t.Errorf("revision %d: %s", tt.revision, diff)
		}
	}
	// A mark that is a little before the first one was still written after it.
	c = New([]Mark{{100, at(1.5), Renewal, ""}, {200, at(1), Renewal, ""}, {300, at(9), Renewal, ""}}, 300, nil)
	if diff := cmp.Diff(Interval{at(1.5), at(2)}, c.TimeOf(200)); diff != "" {
		t.Error(diff)
	}
}

// TestLongestRise: of two series that contradict each other the longer one counts, and of
// one second's marks all.
func TestLongestRise(t *testing.T) {
	var marks, want []Mark
	for i, second := range []float64{5, 1, 2, 9, 2.9, 2.1, 3} {
		m := Mark{int64(10 + i), at(second), Renewal, ""}
		if marks = append(marks, m); second < 5 {
			want = append(want, m)
		}
	}
	if diff := cmp.Diff(want, longestRise(marks)); diff != "" {
		t.Error(diff)
	}
}

// TestClocksOff: of a clock of which most marks do not agree with the others none counts;
// of one of which half of them do, that half.
func TestClocksOff(t *testing.T) {
	for _, tt := range []struct {
		by               string
		agree, off, want int
	}{{"x", 3, 3, 3}, {"x", 3, 4, 0}, {"x", 4, 3, 4}, {"", 1, 5, 1}} {
		marks := steady(200)
		for i := range tt.agree {
			marks = append(marks, Mark{int64(105 + 10*i), at(float64(i) + 0.5), Leader, tt.by})
		}
		for i := range tt.off {
			marks = append(marks, Mark{int64(205 + 10*i), at(float64(i) + 1000), Leader, tt.by})
		}
		if s := New(marks, 2100, nil).Summary(); s.Marks[Leader] != tt.want || s.Marks[Renewal] != 200 || s.Rejected != tt.agree+tt.off-tt.want {
			t.Errorf("clock %q, %d marks agree and %d do not: %+v", tt.by, tt.agree, tt.off, s)
		}
	}
}

// TestRevision: which revision a moment stands for.
func TestRevision(t *testing.T) {
	c := New(steady(200), 2100, nil) // the last mark is revision 2090 at 199 s
	moment := func(seconds float64) Moment { return Moment{Time: Interval{at(seconds), at(seconds)}} }
	for name, tt := range map[string]struct {
		clock *Clock
		of    Moment
		want  int64
		fails bool
	}{
		"newest":                             {c, Moment{}, 2100, false},
		"newest, without a clock":            {nil, Moment{}, 2100, false},
		"a revision":                         {c, Moment{Revision: 1}, 1, false},
		"a revision, without a clock":        {nil, Moment{Revision: 7}, 7, false},
		"a revision that is not":             {c, Moment{Revision: 9000}, 9000, false},
		"a time":                             {c, moment(100.5), 1109, false},
		"a time after the newest":            {c, moment(1000), 2100, false},
		"a time, without a clock":            {nil, moment(100), 0, true},
		"a time, where nothing shows a rate": {New(steady(1), 2100, nil), moment(1e6), 2100, false},
	} {
		if got, err := tt.clock.Revision(tt.of, 2100); got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %d, %v, want %d", name, got, err, tt.want)
		}
	}
}

// TestJoin: the clock of two snapshots has the marks of both, and reaches as far as the
// newer one.
func TestJoin(t *testing.T) {
	all := steady(200)
	b, c := New(all[:100], 1095, []int64{500}), New(all[50:], 2100, []int64{700})
	if Join(nil, c) != c || Join(b, nil) != b {
		t.Error("with nothing it is another")
	}
	for _, joined := range []*Clock{Join(b, c), Join(c, b)} {
		if joined.Head() != 2100 || joined.Summary().Marks[Renewal] != 250 || !joined.jumped(499, 500) || !joined.jumped(699, 700) {
			t.Errorf("head %d, %+v", joined.Head(), joined.Summary())
		}
	}
	if (*Clock)(nil).Head() != 0 {
		t.Error("the head of nothing is known")
	}
}

// TestSkewedClocks: machines whose clocks are off move nothing and are counted.
func TestSkewedClocks(t *testing.T) {
	want := New(steady(200), 2100, nil)
	for _, skew := range []time.Duration{-48 * time.Hour, -time.Minute, -10 * time.Second, 10 * time.Second, time.Hour, 30 * 365 * 24 * time.Hour} {
		marks := steady(200)
		for i := range 60 { // of 260
			marks = append(marks, Mark{int64(103 + 30*i), at(float64(3*i) + 0.3).Add(skew), Renewal, "skewed"})
		}
		c := New(marks, 2100, nil)
		if s := c.Summary(); s.Rejected != 60 {
			t.Errorf("skew %v: %d rejected of 60", skew, s.Rejected)
		}
		for revision := int64(100); revision < 2100; revision += 7 {
			if diff := cmp.Diff(want.TimeOf(revision), c.TimeOf(revision)); diff != "" {
				t.Fatalf("skew %v, revision %d: %s", skew, revision, diff)
			}
		}
	}
}

func TestRate(t *testing.T) {
	fast := func(marks []Mark) []Mark { // then a hundred revisions a second for 20 s
		for i := range 20 {
			marks = append(marks, Mark{int64(2100 + 100*i), at(200 + float64(i)), Renewal, ""})
		}
		return marks
	}
	old := []Mark{{1, start.Add(-300 * 24 * time.Hour), Creation, ""}}
	bumped := append(steady(200), Mark{1_000_000_000, at(201), Renewal, ""}, Mark{1_000_000_100, at(211), Renewal, ""})
	tests := []struct {
		name  string
		marks []Mark
		jumps []int64
		want  Rate
		ok    bool
	}{
		{"none", nil, nil, Rate{}, false},
		{"one mark", steady(1), nil, Rate{}, false},
		{"steady", steady(200), nil, Rate{10, 10, 10, 199 * time.Second}, true},
		{"a burst", fast(steady(200)), nil, Rate{10, 3900.0 / 219, 100, 219 * time.Second}, true},
		{"years before", append(old, steady(200)...), nil, Rate{10, 10, 10, 199 * time.Second}, true},
		{"a bump between", bumped, []int64{999_999_999}, Rate{10, 10, 10, 200 * time.Second}, true},
		{"a small bump between", append(steady(200), Mark{100_000, at(201), Renewal, ""}, Mark{100_100, at(211), Renewal, ""}), []int64{50_000}, Rate{10, 10, 10, 200 * time.Second}, true},
		{"a jump that no marker explains", bumped, nil, Rate{10, 10, 10, 200 * time.Second}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := New(tt.marks, 2_000_000_000, tt.jumps).Rate()
			near := func(a, b float64) bool { return math.Abs(a-b) <= 0.12*b }
			if ok != tt.ok || !near(r.Low, tt.want.Low) || !near(r.Mean, tt.want.Mean) || !near(r.High, tt.want.High) || r.Window != tt.want.Window {
				t.Errorf("got %+v %v, want %+v %v", r, ok, tt.want, tt.ok)
			}
		})
	}
}

// TestRateOfFew: which parts of what marks cover tell how fast revisions are written.
func TestRateOfFew(t *testing.T) {
	type mark struct {
		revision int64
		seconds  float64
	}
	recent := func(more ...mark) []mark { return append([]mark{{1000, -7200}, {8200, 0}}, more...) }
	tests := []struct {
		name  string
		marks []mark
		want  Rate
		ok    bool
	}{
		{"a second", []mark{{100, 0}, {105, 1}}, Rate{5, 5, 5, time.Second}, true},
		{"one revision", []mark{{100, 0}, {101, 10}}, Rate{0.1, 0.1, 0.1, 10 * time.Second}, true},
		{"less than a second", []mark{{100, 0}, {105, 0.9}}, Rate{}, false},
		{"nothing written", []mark{{100, 0}, {100, 5}}, Rate{}, false},
		{"a short part at the end counts for the mean alone", []mark{{100, 0}, {200, 10}, {1200, 15}}, Rate{10, 1100.0 / 15, 1100.0 / 15, 15 * time.Second}, true},
		{"parts of ten seconds", []mark{{100, 0}, {150, 9}, {200, 10}, {500, 20}}, Rate{10, 20, 30, 20 * time.Second}, true},
		{"faster than any etcd", []mark{{100, 0}, {1_000_100, 10}}, Rate{}, false},
		{"nearly so", []mark{{100, 0}, {1_000_090, 10}}, Rate{99_999, 99_999, 99_999, 10 * time.Second}, true},
		{"hours before, and a minute", recent(mark{8800, 60}), Rate{10, 10, 10, time.Minute}, true},
		{"hours before, and less than a minute", recent(mark{8500, 30}), Rate{1, 7500.0 / 7230, 10, 7230 * time.Second}, true},
		{"an hour before", []mark{{1000, 0}, {1900, 1800}, {19900, 3600}}, Rate{0.5, 5.25, 10, time.Hour}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var marks []Mark
			for _, m := range tt.marks {
				marks = append(marks, Mark{m.revision, at(m.seconds), Renewal, ""})
			}
			r, ok := New(marks, 2_000_000, nil).Rate()
			if ok != tt.ok {
				t.Fatalf("known %t, want %t: %+v", ok, tt.ok, r)
			}
			if diff := cmp.Diff(tt.want, r, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestJumped: a part is no measure when a bump lies in it.
func TestJumped(t *testing.T) {
	c := New(nil, 1000, []int64{500, 200})
	for _, tt := range []struct {
		from, to int64
		want     bool
	}{{100, 199, false}, {100, 200, true}, {199, 201, true}, {200, 300, false}, {200, 499, false}, {300, 500, true}, {500, 900, false}} {
		if got := c.jumped(tt.from, tt.to); got != tt.want {
			t.Errorf("from %d to %d: %t, want %t", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestDuration(t *testing.T) {
	c := New(steady(200), 2100, nil)
	tests := []struct {
		name      string
		clock     *Clock
		revisions int64
		low, high time.Duration
		ok        bool
	}{
		{"no clock", nil, 10, 0, 0, false},
		{"no rate", New(steady(1), 2100, nil), 10, 0, 0, false},
		{"no rate, and nothing to write", New(steady(1), 2100, nil), 0, 0, 0, false},
		{"slowly", New([]Mark{{100, at(0), Renewal, ""}, {105, at(10), Renewal, ""}}, 105, nil), 10, 20 * time.Second, 20 * time.Second, true},
		{"at times nothing was written", New([]Mark{{100, at(0), Renewal, ""}, {200, at(10), Renewal, ""}, {200, at(20), Renewal, ""}}, 200, nil), 0, 0, 0, false},
		{"a hundred seconds", c, 1000, 100 * time.Second, 100 * time.Second, true},
		{"nothing to write", c, 0, 0, 0, true},
		{"less than nothing", c, -5, 0, 0, true},
		{"centuries", c, math.MaxInt64, 0, 0, false},
		{"two centuries", c, 200 * 365 * 24 * 3600 * 10, 200 * 365 * 24 * time.Hour, 200 * 365 * 24 * time.Hour, true},
	}
	for _, tt := range tests {
		if low, high, ok := tt.clock.Duration(tt.revisions); low != tt.low || high != tt.high || ok != tt.ok {
			t.Errorf("%s: %v to %v, %t; want %v to %v, %t", tt.name, low, high, ok, tt.low, tt.high, tt.ok)
		}
	}
}

func TestIntervalText(t *testing.T) {
	for _, tt := range []struct {
		in   Interval
		want string
	}{
		{Interval{}, "at an unknown time"},
		{Interval{To: at(0)}, "before 2026-11-23 03:00:00Z"},
		{Interval{From: at(0)}, "after 2026-11-23 03:00:00Z"},
		{Interval{at(0), at(0.5)}, "at 2026-11-23 03:00:00Z"},
		{Interval{at(0), at(1)}, "between 2026-11-23 03:00:00Z and 03:00:01Z"},
		{Interval{at(0), at(86400)}, "between 2026-11-23 03:00:00Z and 2026-11-24 03:00:00Z"},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestHeadAt(t *testing.T) {
	c := New(steady(200), 2100, nil) // the last mark is revision 2090 at 199 s
	for _, tt := range []struct {
		at   time.Time
		want Span
	}{
		{at(-10), Span{0, 99, false}},
		{at(1.5), Span{100, 119, false}},
		{at(100.5), Span{1090, 1109, false}},
		{at(200), Span{2090, 2100, false}},
		{at(215), Span{2090, 2100, false}},                // it may have been taken then
		{at(219), Span{2090, 2100, false}},                // then at the latest
		{at(219.5), Span{2100, 2305, true}},               // 20.5 s after the last mark
		{at(299), Span{2100, 3100, true}},                 // 100 s after the last mark
		{at(1e9), Span{2100, 2100 + 9_999_998_010, true}}, //
	} {
		got := c.HeadAt(tt.at)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("at %v: %s", tt.at, diff)
		}
	}
}

// TestHeadUnrated: where nothing shows how fast revisions are written, the store may be at
// any revision by now.
func TestHeadUnrated(t *testing.T) {
	if diff := cmp.Diff(Span{2100, math.MaxInt64, true}, New(steady(1), 2100, nil).HeadAt(at(1000))); diff != "" {
		t.Error(diff)
	}
	const end = math.MaxInt64 - 10 // from where it does not take long to the last revision there is
	if diff := cmp.Diff(Span{end, math.MaxInt64, true}, New(steady(200), end, nil).HeadAt(at(1000))); diff != "" {
		t.Error(diff)
	}
}

// TestProperties: whatever the marks are, times do not go back with revisions, an
// interval's ends are in order, and head and time agree.
func TestProperties(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		head := 1 + r.Int64N(10_000)
		var marks []Mark
		for range r.IntN(200) {
			m := Mark{r.Int64N(head + 10), at(r.Float64() * 500), Sources()[r.IntN(6)], fmt.Sprint(r.IntN(8))}
			if r.IntN(3) > 0 {
				m.Time = at(float64(m.Revision) / 20) // a history
			}
			if r.IntN(40) == 0 {
				m.Time = []time.Time{{}, time.Unix(1<<60, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Unix(-1<<40, 0)}[r.IntN(4)]
			}
			marks = append(marks, m)
		}
		c := New(marks, head, []int64{r.Int64N(head)})
		var last Interval
		for revision := int64(1); revision <= head; revision += 1 + r.Int64N(50) {
			in := c.TimeOf(revision)
			switch {
			case in.From.Before(last.From) && !in.From.IsZero() && last.From.Sub(in.From) > 2*tolerance:
				t.Fatalf("seed %d: revision %d from %v, an earlier one from %v", seed, revision, in.From, last.From)
			case !in.To.IsZero() && in.To.Before(in.From):
				t.Fatalf("seed %d: revision %d is %v", seed, revision, in)
			case !in.From.IsZero() && c.HeadAt(in.From.Add(-2*tolerance)).From > revision:
				t.Fatalf("seed %d: revision %d is %v, but then the head was %+v", seed, revision, in, c.HeadAt(in.From))
			}
			last = in
		}
		if low, high, ok := c.Duration(1000); ok && (low < 0 || high < low) {
			t.Fatalf("seed %d: %v to %v", seed, low, high)
		}
		_ = c.Summary()
	}
}

// TestYears: no mark is true that is older than Kubernetes, or that no time can be
// reckoned from.
func TestYears(t *testing.T) {
	for year, want := range map[int]int{2013: 0, 2014: 1, 2200: 1, 2201: 0} {
		c := New([]Mark{{5, time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), Renewal, ""}}, 10, nil)
		if got := c.Summary().Marks[Renewal]; got != want {
			t.Errorf("%d: %d marks, want %d", year, got, want)
		}
	}
	last := time.Date(2200, 12, 31, 0, 0, 0, 0, time.UTC)
	c := New([]Mark{{5, last, Renewal, ""}, {6, last, Change, ""}}, 10, nil)
	if diff := cmp.Diff(Interval{last, last.Add(time.Second)}, c.TimeOf(5)); diff != "" {
		t.Errorf("at the end of the last year: %s", diff)
	}
}

// TestTaken: a snapshot of a store in which something is renewed all the time is not much
// newer than its newest mark; of another nothing says how much.
func TestTaken(t *testing.T) {
	bounded := Interval{start, start.Add(20 * time.Second)}
	for source, want := range map[Source]Interval{
		Renewal: bounded, Leader: bounded, Heartbeat: bounded, Creation: {From: start}, Change: {From: start}, Report: {From: start},
	} {
		if got := New([]Mark{{5, start, source, ""}}, 10, nil).Taken(); got != want {
			t.Errorf("by a %s it was taken %v, want %v", source, got, want)
		}
	}
}

// TestRevisionsThatAreNot: no mark is true of a revision that the store has not reached, or
// that none ever has.
func TestRevisionsThatAreNot(t *testing.T) {
	for revision, want := range map[int64]int{-5: 0, 0: 0, 1: 1, 10: 1, 11: 0} {
		c := New([]Mark{{revision, start, Renewal, ""}}, 10, nil)
		if got := c.Summary().Marks[Renewal]; got != want {
			t.Errorf("revision %d: %d marks, want %d", revision, got, want)
		}
	}
}

func TestNothingKnown(t *testing.T) {
	for _, c := range []*Clock{nil, New(nil, 10, nil), Join(nil, nil)} {
		if in := c.TimeOf(5); in != (Interval{}) || c.Taken() != (Interval{}) {
			t.Errorf("%v, taken %v", in, c.Taken())
		}
		if _, ok := c.Rate(); ok || c.HeadAt(start) != (Span{0, math.MaxInt64, true}) {
			t.Errorf("rate %v, head %+v", ok, c.HeadAt(start))
		}
		if diff := cmp.Diff(Summary{Marks: map[Source]int{}}, c.Summary()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for _, s := range []string{"2026-11-22T03:00Z", "2026-11-22T03:00:00Z", "2026-11-22T04:00+01:00", "2026-11-22 03:00", "2026-11-22T03:00:00", "2026-11-22 03:00Z"} {
		if got, err := ParseTime(s, start); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if got, err := ParseTime("-5m", start); err != nil || !got.Equal(at(-300)) {
		t.Errorf("-5m: %v, %v", got, err)
	}
	if got, err := ParseTime("+5m", start); err != nil || !got.Equal(at(300)) {
		t.Errorf("+5m: %v, %v", got, err)
	}
	if got, err := ParseTime("2026-11-22", start); err != nil || !got.Equal(want.Add(-3*time.Hour)) {
		t.Errorf("a date: %v, %v", got, err)
	}
	for s, last := range map[string]time.Duration{
		"2026-11-22T03:00Z": time.Minute, "2026-11-22 03:00": time.Minute, "2026-11-22T03:00:00Z": time.Second, "2026-11-22 03:00:00": time.Second,
		"2026-11-22T04:00+01:00": time.Minute, "2026-11-22T03:00:00.500Z": 501 * time.Millisecond, "2026-11-22": 21 * time.Hour,
	} {
		if got, err := ParseInterval(s, start); err != nil || !got.To.Equal(want.Add(last-time.Millisecond)) || got.To.Location() != time.UTC {
			t.Errorf("%s: ends %v, %v", s, got.To, err)
		}
	}
	for _, s := range []string{"", "now", "5m", "22.11.2026", "2026-13-01", "2026-11-22T25:00Z"} {
		if got, err := ParseTime(s, start); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// TestParseMoment reads every form, and nothing that only begins like one.
func TestParseMoment(t *testing.T) {
	taken := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	clocked := func(h, m, s int) time.Time { return time.Date(2026, 11, 22, h, m, s, 0, time.UTC) }
	for text, want := range map[string]Moment{
		"newest": {}, " 7 ": {Revision: 7}, "1,234,567": {Revision: 1234567}, "9223372036854775807": {Revision: math.MaxInt64},
		"5m":                   {Time: Interval{clocked(4, 55, 0), clocked(4, 55, 0)}},
		"-5m":                  {Time: Interval{clocked(4, 55, 0), clocked(4, 55, 0)}},
		"0s":                   {Time: Interval{taken, taken}},
		"1h30m":                {Time: Interval{clocked(3, 30, 0), clocked(3, 30, 0)}},
		"04:03:20Z":            {Time: Interval{clocked(4, 3, 20), clocked(4, 3, 20).Add(999 * time.Millisecond)}},
		"04:03:20":             {Time: Interval{clocked(4, 3, 20), clocked(4, 3, 20).Add(999 * time.Millisecond)}},
		"04:03":                {Time: Interval{clocked(4, 3, 0), clocked(4, 3, 59).Add(999 * time.Millisecond)}},
		"2026-11-22T04:03:20Z": {Time: Interval{clocked(4, 3, 20), clocked(4, 3, 20).Add(999 * time.Millisecond)}},
		"2026-11-22 04:03:20":  {Time: Interval{clocked(4, 3, 20), clocked(4, 3, 20).Add(999 * time.Millisecond)}},
	} {
		if got, err := ParseMoment(text, taken); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "7xyz", "12abc", "-7", "+5m", "1,23", "12,3456", "99999999999999999999", "25:00", "now", "--5m", "04:03:20+", "2026-11-22T", "1.5"} {
		if got, err := ParseMoment(text, taken); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, text := range []string{"5m", "04:03"} {
		if got, err := ParseMoment(text, time.Time{}); err == nil {
			t.Errorf("%q, where nothing shows the time: %v", text, got)
		}
	}
}
