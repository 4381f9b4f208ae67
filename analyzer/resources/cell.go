package resources

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"revenant/analyzer/clock"
)

// Column is a column of the table that kubectl prints of a resource.
type Column struct {
	Name string // such as Up-to-date; kubectl prints it in capitals
	Wide bool   // printed with -o wide only
}

// Cell is what stands in a column, as it is in the evidence.
type Cell struct {
	Text string
	// Rank is the number, the age in seconds or the amount that Text stands for, so
	// that a column can be sorted by it; 0 for other text.
	Rank float64
}

// Compare orders the cells of one column.
func (c Cell) Compare(other Cell) int {
	return cmp.Or(cmp.Compare(c.Rank, other.Rank), strings.Compare(c.Text, other.Text))
}

const (
	none    = "<none>"
	unset   = "<unset>"
	unknown = "<unknown>"
	invalid = "<invalid>"
)

// ratio is so many of so many.
type ratio struct{ of, all int64 }

// plainTime is shown as it is.
type plainTime struct{ metav1.Time }

// cell makes a cell of a value.
func cell(value any, now clock.Interval) Cell {
	switch v := value.(type) {
	case nil:
		return Cell{}
	case Cell:
		return v
	case string:
		return Cell{Text: v}
	case bool:
		return Cell{Text: strconv.FormatBool(v)}
	case int:
		return number(int64(v))
	case int32:
		return number(int64(v))
	case int64:
		return number(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < math.MaxInt64 { // which JSON does not tell from an integer
			return Cell{strconv.FormatInt(int64(v), 10), v}
		}
		return Cell{fmt.Sprint(v), v}
	case ratio:
		c := Cell{Text: fmt.Sprintf("%d/%d", v.of, v.all)}
		if v.all != 0 {
			c.Rank = float64(v.of) / float64(v.all)
		}
		return c
	case resource.Quantity:
		return Cell{v.String(), v.AsApproximateFloat64()}
	case metav1.Time:
		return Age(v.Time, now)
	case *metav1.Time:
		if v == nil {
			return Cell{Text: none}
		}
		return Age(v.Time, now)
	case plainTime:
		if v.IsZero() {
			return Cell{Text: unknown}
		}
		return Cell{v.UTC().Format(time.RFC3339), float64(v.Unix())}
	}
	return Cell{Text: fmt.Sprint(value)}
}

func number(n int64) Cell { return Cell{strconv.FormatInt(n, 10), float64(n)} }

// Age is how long ago t was at a time that is known as an interval. Where its ends
// make a difference, both are given: 5m3s-5m9s, or >5m3s and <5m9s when the other
// is not known. One of a second makes none: objects keep no finer times.
func Age(t time.Time, now clock.Interval) Cell {
	if t.IsZero() || now.From.IsZero() && now.To.IsZero() {
		return Cell{Text: unknown}
	}
	if now.To.IsZero() {
		low := max(now.From.Sub(t), 0)
		return Cell{">" + duration.HumanDuration(low), low.Seconds()}
	}
	high := now.To.Sub(t)
	text := duration.HumanDuration(high) // <invalid> when it was later
	if high < 0 {
		return Cell{text, high.Seconds()}
	}
	if now.From.IsZero() {
		return Cell{"<" + text, high.Seconds()}
	}
	if low := duration.HumanDuration(max(now.From.Sub(t), 0)); low != text && now.To.Sub(now.From) > time.Second {
		text = low + "-" + text
	}
	return Cell{text, high.Seconds()}
}
