package adversary

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// maxNamed is how many bytes of long names a case has.
const maxNamed = 2 << 20

// long is a name that is chosen, and how often it was given.
type long struct {
	name  string
	given int
}

// next is the name, each time another one, and short ones once there are enough.
func (l *long) next() string {
	l.given++
	if l.given*len(l.name) > maxNamed {
		return fmt.Sprintf("%s-%d", Mark, l.given)
	}
	return fmt.Sprintf("%s%s-%d", Mark, l.name, l.given)
}

// name is a hostile name. It has no slash, so that it can be part of a key.
func (m *maker) name() string {
	if m.long.name != "" {
		return m.long.next()
	}
	if m.odds(150) {
		return Mark + strings.Repeat("a", 1+m.IntN(100_000))
	}
	if m.odds(150) {
		return Mark + "e" + strings.Repeat("\u0301", 1+m.IntN(20_000))
	}
	return one(m,
		"\x1b]52;c;cHduZWQ=\a"+Mark, "\x1b[2J\x1b[H"+Mark, "\x1bP+q"+Mark+"\x1b\\", Mark+"\x7f", Mark+"\u0085\u009b31m", "\u009d0;"+Mark+"\u009c",
		Mark+"\u202etxt.exe", "\u2066"+Mark, Mark+"\u200b\u200d\u2060", "\ufeff"+Mark, Mark+"\u2028\u2029", Mark+"\U000e0041\U000e0001", Mark+"\ufe0f\U000e0100",
		Mark+"\nrm -rf x", Mark+"\r\x08\x08\x08ok", Mark+"\tx", Mark+"\x00x", "\xff\xfe"+Mark, Mark+"\xc3", "\xed\xa0\x80"+Mark,
		"$(touch "+Mark+")", "`touch "+Mark+"`", "';touch "+Mark+";'", `";touch `+Mark+`;"`, Mark+";reboot", Mark+"|x", Mark+"&", Mark+">x", Mark+`\`, Mark+" #x",
		"$"+Mark, "${"+Mark+"}", "!"+Mark, "~"+Mark, "="+Mark, "*"+Mark+"?", "{"+Mark+",x}", "["+Mark+"]", "<("+Mark+")", " "+Mark+" ",
		"-"+Mark, "--"+Mark+"=1", "```"+Mark, "```\n"+Mark, "<script>"+Mark, "["+Mark+"](x)", "| "+Mark+" |", "%s%d%n"+Mark, "../"[:2]+Mark, Mark+"-99999999999999999999", Mark+"-0",
	)
}

// word is a hostile string for any other place.
func (m *maker) word() string {
	if m.long.name == "" && m.odds(6) {
		return one(m, "", " ", ".", "..", "/", "../../"+Mark, "/etc/passwd\x00"+Mark, "null", "~", "0x7fffffffffffffff", "1e999", "\n", strings.Repeat("ab/", 100), "- a: b\n"+Mark, "{{."+Mark+"}}", "@"+Mark)
	}
	return m.name()
}

// when is an absurd time.
func (m *maker) when() time.Time {
	return one(m,
		time.Unix(math.MinInt64/4, 0), time.Unix(math.MaxInt64/4, 0), time.Unix(-62135596801, 0), time.Unix(253402300800, 0), time.Unix(0, 0),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(292277, 1, 1, 0, 0, 0, 1, time.UTC), end.Add(time.Hour*24*365*100), end.Add(-time.Nanosecond), end.Add(time.Hour),
	)
}

// whenText is an absurd time as JSON has it.
func (m *maker) whenText() string {
	return one(m,
		"0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0044-03-15T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-23T05:00:00-99:99",
		"2026-11-23T05:00:60Z", "2026-11-23T25:00:00Z", "2026-13-45T00:00:00Z", "2026-11-23T05:00:00.000000000000000000001Z", "2026-11-23t05:00:00z", "2026-11-23 05:00:00", "", "now", m.word(),
	)
}

// placeholder is a quantity that absurd ones of the same length are put in the place
// of: the types do not take them.
const placeholder = "123456789"

// quantity is an absurd quantity of the placeholder's length.
func (m *maker) quantity() string {
	q := one(m, "1e4000000", "1e-400000", "-99999999", "9999999Ei", "999999999", "0x1p99999", "NaN", "Infinity", "--------5", "5EiEiEi", "1e999999n", "9e18", "-9e18Ki", "\x1b[2J"+Mark[:4], "0.0000001")
	return fmt.Sprintf("%-*s", len(placeholder), q)[:len(placeholder)]
}

// number is an absurd number as JSON has it.
func (m *maker) number() string {
	return one(m, "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "1e400", "1e18", "-0", "1.5", `"7"`, "null", "2147483647", "-2147483648", "4294967296", "[]", "{}", "true")
}

// big is an absurd count that a loop must not run to.
func (m *maker) big() int32 {
	return one[int32](m, -1, -5, math.MinInt32, math.MaxInt32, math.MaxInt32-1, 1_000_000_000, 0, 100_000)
}
