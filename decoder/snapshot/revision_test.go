package snapshot

import (
	"math"
	"testing"
)

// TestParseRevision takes what etcd writes, and refuses what it would not have written.
func TestParseRevision(t *testing.T) {
	const main, sub = "\x00\x00\x00\x00\x00\x00\x01\x02", "\x00\x00\x00\x00\x00\x00\x00\x03"
	const negative = "\x80\x00\x00\x00\x00\x00\x00\x00"
	for _, tt := range []struct {
		name, key     string
		tombstone, ok bool
	}{
		{"put", main + "_" + sub, false, true},
		{"deletion", main + "_" + sub + "t", true, true},
		{"one byte less", main + "_" + sub[1:], false, false},
		{"two bytes more", main + "_" + sub + "tt", false, false},
		{"another mark", main + "_" + sub + "x", false, false},
		{"another separator", main + "-" + sub, false, false},
		{"another separator in a deletion", main + "-" + sub + "t", false, false},
		{"negative main", negative + "_" + sub, false, false},
		{"negative sub", main + "_" + negative, false, false},
		{"nothing", "", false, false},
	} {
		rev, tombstone, ok := parseRevision([]byte(tt.key))
		if ok != tt.ok || tombstone != tt.tombstone || ok && (rev != Revision{Main: 258, Sub: 3}) {
			t.Errorf("%s: %s, deletion %t, %t", tt.name, rev, tombstone, ok)
		}
	}
}

// TestRevisionOrder holds what follows a revision, and what is before it.
func TestRevisionOrder(t *testing.T) {
	rev := func(main, sub int64) Revision { return Revision{Main: main, Sub: sub} }
	for _, tt := range []struct {
		a, b          Revision
		less, follows bool // of b, seen from a
	}{
		{rev(4, 0), rev(4, 1), true, true},
		{rev(4, 0), rev(4, 2), true, false},
		{rev(4, 7), rev(5, 0), true, true},
		{rev(4, 7), rev(5, 1), true, false},
		{rev(4, 0), rev(6, 0), true, false},
		{rev(4, 1), rev(4, 0), false, false},
		{rev(4, 0), rev(4, 0), false, false},
		{rev(5, 0), rev(4, 9), false, false},
		{rev(-1, 0), rev(0, 0), true, true},
	} {
		if less, follows := tt.a.less(tt.b), tt.b.follows(tt.a); less != tt.less || follows != tt.follows || (tt.a.compare(tt.b) < 0) != tt.less {
			t.Errorf("%s and %s: less %t, follows %t", tt.a, tt.b, less, follows)
		}
	}
	if after(4) != 5 || after(math.MaxInt64) != math.MaxInt64 {
		t.Error("the main revision after another one")
	}
}
