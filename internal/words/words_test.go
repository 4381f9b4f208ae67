package words

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		want string
	}{
		{0, "0"}, {999, "999"}, {1000, "1,000"}, {-1, "-1"}, {-999, "-999"}, {-1000, "-1,000"}, {1234567, "1,234,567"},
		{math.MaxInt64, "9,223,372,036,854,775,807"}, {math.MinInt64, "-9,223,372,036,854,775,808"},
	} {
		if got := Number(tt.n); got != tt.want {
			t.Errorf("Number(%d) = %q, want %q", tt.n, got, tt.want)
		}
	}
	if got, want := Number(uint64(math.MaxUint64)), "18,446,744,073,709,551,615"; got != want {
		t.Errorf("the largest number is %q, want %q", got, want)
	}
}

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		n         int
		pods, of  string
		one, many string
	}{
		{0, "0 pods", "0 entries", "entry", "entries"},
		{1, "1 pod", "1 pod is", "pod is", "pods are"},
		{2, "2 pods", "2 pods are", "pod is", "pods are"},
		{-1, "-1 pods", "-1 entries", "entry", "entries"},
		{12345, "12,345 pods", "12,345 entries", "entry", "entries"},
	} {
		if got := Count(tt.n, "pod"); got != tt.pods {
			t.Errorf("Count(%d) = %q, want %q", tt.n, got, tt.pods)
		}
		if got := CountOf(tt.n, tt.one, tt.many); got != tt.of {
			t.Errorf("CountOf(%d) = %q, want %q", tt.n, got, tt.of)
		}
	}
}

func TestDashes(t *testing.T) {
	for n, want := range map[int]string{0: "-", 1: "1", -1000: "-1,000"} {
		if got := NumberOrDash(n); got != want {
			t.Errorf("NumberOrDash(%d) = %q, want %q", n, got, want)
		}
	}
	for s, want := range map[string]string{"": "-", "a": "a"} {
		if got := OrDash(s); got != want {
			t.Errorf("OrDash(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	for _, tt := range []struct {
		name        string
		items       []string
		list, first string
	}{
		{"none", nil, "", ""},
		{"one", []string{"a"}, "a", "a"},
		{"two", []string{"a", "b"}, "a and b", "a, b"},
		{"three", []string{"a", "b", "c"}, "a, b and c", "a, b and 1 more"},
		{"many", strings.Split(strings.Repeat("a ", 1002), " ")[:1002], strings.Repeat("a, ", 1000) + "a and a", "a, a and 1,000 more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := List(tt.items); got != tt.list {
				t.Errorf("List = %q, want %q", got, tt.list)
			}
			if got := First(tt.items, 2); got != tt.first {
				t.Errorf("First = %q, want %q", got, tt.first)
			}
		})
	}
	if got, want := FirstOf([]string{"a", "b"}, 5, 7), "a, b and 5 more"; got != want {
		t.Errorf("FirstOf = %q, want %q", got, want)
	}
	if got, want := Clauses([]string{"a, b", "c"}, 1, 3), "a, b; and 2 more"; got != want {
		t.Errorf("Clauses = %q, want %q", got, want)
	}
	if got, want := Clauses([]string{"a, b", "c"}, 2, 2), "a, b; c"; got != want {
		t.Errorf("Clauses = %q, want %q", got, want)
	}
}

func TestBytes(t *testing.T) {
	for _, tt := range []struct {
		n           int64
		size, bytes string
	}{
		{0, "0 bytes", "0 bytes"},
		{1, "1 byte", "1 byte"},
		{1023, "1,023 bytes", "1,023 bytes"},
		{1024, "1.0 KiB", "1,024 bytes (1.0 KiB)"},
		{1536 << 10, "1.5 MiB", "1,572,864 bytes (1.5 MiB)"},
		{3 << 30, "3.0 GiB", "3,221,225,472 bytes (3.0 GiB)"},
		{5 << 50, "5120.0 TiB", "5,629,499,534,213,120 bytes (5120.0 TiB)"},
	} {
		if got := Size(tt.n); got != tt.size {
			t.Errorf("Size(%d) = %q, want %q", tt.n, got, tt.size)
		}
		if got := Bytes(tt.n); got != tt.bytes {
			t.Errorf("Bytes(%d) = %q, want %q", tt.n, got, tt.bytes)
		}
	}
}

func TestTimes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                  "0s",
		1499 * time.Millisecond:            "1s",
		time.Hour + 2*time.Minute:          "1h2m0s",
		48*time.Hour - time.Second:         "47h59m59s",
		48 * time.Hour:                     "2.0 days",
		60 * time.Hour:                     "2.5 days",
		-90 * time.Second:                  "-1m30s",
		math.MaxInt64:                      "106752.0 days",
		time.Minute + 500*time.Millisecond: "1m1s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	at := time.Date(2026, 11, 10, 6, 30, 0, 999, time.FixedZone("", 3600))
	if got, want := Time(at), "2026-11-10 05:30:00Z"; got != want {
		t.Errorf("Time = %q, want %q", got, want)
	}
	for n, want := range map[float64]string{0: "0.0", 1.25: "1.2", 9.94: "9.9", 10: "10", 1234.5: "1234"} {
		if got := Rate(n); got != want {
			t.Errorf("Rate(%v) = %q, want %q", n, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for s, want := range map[string]string{"": "", "no page": "No page.", "Ok": "Ok.", "über": "Über.", "\xff": "\xff.", "1 pod": "1 pod."} {
		if got := Sentence(s); got != want {
			t.Errorf("Sentence(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name       string
		text       string
		width      int
		whole, cut []string
	}{
		{"nothing", "", 10, []string{""}, []string{""}},
		{"blanks", "  a   b ", 10, []string{"a b"}, []string{"a b"}},
		{"just fits", "aa bb", 5, []string{"aa bb"}, []string{"aa bb"}},
		{"between words", "aa bb cc", 5, []string{"aa bb", "cc"}, []string{"aa bb", "cc"}},
		{"a long word", "a bbbbbbb c", 3, []string{"a", "bbbbbbb", "c"}, []string{"a", "bbb", "bbb", "b c"}},
		{"wide characters", "世界 世界", 5, []string{"世界", "世界"}, []string{"世界", "世界"}},
		{"Chinese", "存储从 10 开始，然后（再）启动 etcd。", 10, []string{"存储从 10", "开始，然后", "（再）启动", "etcd。"}, []string{"存储从 10", "开始，然后", "（再）启动", "etcd。"}},
		{"no width", "ab", 0, []string{"ab"}, []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.whole, Wrap(tt.text, tt.width)); diff != "" {
				t.Errorf("Wrap: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.cut, WrapCut(tt.text, tt.width)); diff != "" {
				t.Errorf("WrapCut: -want +got\n%s", diff)
			}
			for _, line := range WrapCut(tt.text, tt.width) {
				if w := ansi.StringWidth(line); w > max(tt.width, 1) {
					t.Errorf("%q is %d columns wide, at most %d are there", line, w, tt.width)
				}
			}
		})
	}
}

func TestSpan(t *testing.T) {
	for want, s := range map[string][2]int{"entry 7": {7, 7}, "entries 7 to 8": {7, 8}, "entries 1000 to 2000": {1000, 2000}} {
		if got := Span(s[0], s[1], "entry", "entries"); got != want {
			t.Errorf("Span(%d, %d) = %q, want %q", s[0], s[1], got, want)
		}
	}
}
