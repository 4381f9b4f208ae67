package relations

import (
	"strings"
	"testing"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestDeletionOf asks of every deletion in a real snapshot what it came of.
func TestDeletionOf(t *testing.T) {
	s := snapshottest.Open(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	found := map[string]*Deletion{} // by key
	for key := range s.AllKeys(prefix + "/") {
		for _, r := range s.History(key) {
			if !r.Tombstone {
				continue
			}
			d, err := DeletionOf(t.Context(), s, prefix, r)
			if err != nil {
				if !strings.Contains(err.Error(), "no object of the API") {
					t.Errorf("%s: %v", key, err)
				}
				continue
			}
			for _, c := range d.Causes {
				if c.Revision <= 0 || c.Revision >= r.Main || c.Key == "" {
					t.Errorf("%s was deleted at %v: %+v", key, r.Revision, c)
				}
			}
			if d.Asked >= r.Main || (d.Asked == 0) != d.For.IsZero() {
				t.Errorf("%s: asked for at %d (%v), deleted at %v", key, d.Asked, d.For, r.Revision)
			}
			found[key] = d
		}
	}
	for _, tt := range []struct {
		key, cause string // how the first cause begins, "" for none
		asked      bool
		owned      string
	}{
		{"/registry/deployments/doomed/old-app", "Its namespace was being deleted", false, ""},
		{"/registry/configmaps/doomed/kube-root-ca.crt", "Its namespace was being deleted", false, ""},
		{"/registry/pods/default/bare-delete", "", true, ""},
	} {
		d := found[tt.key]
		if d == nil {
			t.Errorf("%s was not deleted", tt.key)
			continue
		}
		got := ""
		if len(d.Causes) > 0 {
			got = d.Causes[0].Text
		}
		if (tt.cause == "") != (got == "") || !strings.HasPrefix(got, tt.cause) || tt.asked != (d.Asked > 0) || d.Owned != tt.owned {
			t.Errorf("%s: %+v", tt.key, d)
		}
	}
	gone, scaled := 0, 0
	for key, d := range found {
		if strings.HasPrefix(key, prefix+"/pods/") && d.Owned != "" {
			scaled++
		}
		for _, c := range d.Causes {
			if strings.Contains(c.Text, "garbage collector") {
				gone++
			}
		}
	}
	if gone == 0 || scaled == 0 {
		t.Errorf("of %d deletions, %d are the garbage collector's and %d may be a controller's", len(found), gone, scaled)
	}
}

func TestDeletionOfNothing(t *testing.T) {
	s := snapshottest.Open(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	for _, key := range []string{"compact_rev_key", prefix + "/pods/none/none"} {
		if d, err := DeletionOf(t.Context(), s, prefix, snapshot.Record{Key: key, Revision: snapshot.Revision{Main: 1000}, Tombstone: true}); err == nil {
			t.Errorf("%s: %+v", key, d)
		}
	}
}
