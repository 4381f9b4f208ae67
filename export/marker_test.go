package export

import (
	"fmt"
	"testing"
)

// TestCluster makes no directory's name of a uid that leads elsewhere.
func TestCluster(t *testing.T) {
	for uid, want := range map[string]string{
		"c7b55e09-658f-44cd-b5d7-02a5f52e29fc": "c7b55e09-658f-44cd-b5d7-02a5f52e29fc",
		"":                                     "unknown", "..": "unknown", "a/b": "unknown", "a\n": "unknown", "é": "unknown", "a=b": "unknown", fmt.Sprintf("%065d", 0): "unknown",
	} {
		if got := Cluster(uid); got != want {
			t.Errorf("%q: %s", uid, got)
		}
	}
}

// TestParseShard refuses what is no shard.
func TestParseShard(t *testing.T) {
	for _, s := range []string{"", "1", "1/", "/2", "-1/2", "2/2", "0/0", "1/-2", "1/2/3", "a/b", "0x0/2"} {
		if i, n, err := ParseShard(s); err == nil {
			t.Errorf("%q is taken for %d of %d", s, i, n)
		}
	}
	if i, n, err := ParseShard("15/16"); err != nil || i != 15 || n != 16 {
		t.Error(i, n, err)
	}
}

// TestShardOf holds where files fall to, which shards that run again rely on, and that
// they spread.
func TestShardOf(t *testing.T) {
	count := make([]int, 16)
	for i := range 16_000 {
		count[ShardOf(fmt.Sprintf("backups/%d.db", i), 16)]++
	}
	for shard, n := range count {
		if n < 800 || n > 1200 {
			t.Errorf("%d files of 16,000 fall to shard %d of 16", n, shard)
		}
	}
	for path, want := range map[string]int{"backup.db": 3, "current.db": 7, "-": 9} {
		if got := ShardOf(path, 16); got != want {
			t.Errorf("%s falls to %d", path, got)
		}
	}
}
