package snapshot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

// unpacked is a directory with the files of an archive.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range corpus.Files(t, path) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMembersOfVersions holds the members that the directories of killed etcds tell
// against those that the etcds named after a restart (oracle/cmd/members): two were
// added as learners and promoted, one of them moved and the other removed, and a third
// is a learner. etcd 3.5.13 does not store what changes of a member.
func TestMembersOfVersions(t *testing.T) {
	for _, version := range []string{"3.4", "3.5.13", "3.5", "3.6", "3.7"} {
		dir := filepath.Join("../../testdata/etcd/members", version)
		var etcd struct {
			Members []snapshot.Member
			Removed string
		}
		b, err := os.ReadFile(filepath.Join(dir, "members.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &etcd); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"m0", "m1", "m2"} {
			t.Run(version+"/"+name, func(t *testing.T) {
				s := openDir(t, unpacked(t, filepath.Join(dir, name+".tar.gz")))
				checkContent(t, s)
				missing, err := s.Missing(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				gone := slices.ContainsFunc(missing, func(m snapshot.Missing) bool { return m.Kind == snapshot.MissingRemoved })
				if name == "m2" {
					still := slices.ContainsFunc(s.Meta().Members, func(m snapshot.Member) bool { return m.ID == etcd.Removed })
					if still || !gone || !slices.Contains(s.Meta().Removed, etcd.Removed) {
						t.Errorf("missing %v, removed %v, members %v", missing, s.Meta().Removed, s.Meta().Members)
					}
					return
				}
				if diff := cmp.Diff(etcd.Members, s.Meta().Members); diff != "" || gone {
					t.Errorf("members (-etcd +revenant):\n%s", diff)
				}
				if diff := cmp.Diff([]string{etcd.Removed}, s.Meta().Removed); diff != "" {
					t.Errorf("removed (-etcd +revenant):\n%s", diff)
				}
				var conf struct{ Voters, Learners []uint64 }
				if err := json.Unmarshal([]byte(s.Meta().ConfState), &conf); version != "3.4" && (err != nil || len(conf.Voters) != 2 || len(conf.Learners) != 1) {
					t.Errorf("raft's configuration is %s", s.Meta().ConfState)
				}
				said := strings.Contains(fmt.Sprint(s.Problems()), "do not store what changes of a member")
				if said != (version == "3.5.13") {
					t.Errorf("problems %v", s.Problems())
				}
			})
		}
	}
}
