package snapshot_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/container"
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

// snapFileWithout is raft's snapshot file of no members and no configuration.
func snapFileWithout(t *testing.T) []byte {
	t.Helper()
	body, err := proto.Marshal(&raftpb.Snapshot{Data: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(sum))
	return protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), body)
}

// unpackedWith unpacks an archive, with other content in a file of it; nil removes that.
func unpackedWith(t *testing.T, archive, name string, content []byte) (dir, path string) {
	t.Helper()
	dir = unpacked(t, archive)
	path = filepath.Join(dir, filepath.FromSlash(name))
	err := os.Remove(path)
	if content != nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, path
}

// TestSnapFile: raft's snapshot file is evidence. Where it does not say who the members
// were, the db still does.
func TestSnapFile(t *testing.T) {
	const archive, name = "../../testdata/etcd/members/3.4/m0.tar.gz", "member/snap/0000000000000002-0000000000000029.snap"
	without := snapFileWithout(t)
	want := openDir(t, unpacked(t, archive)).Meta().Members
	for _, tt := range []struct {
		name     string
		file     []byte // nil for none
		evidence bool
	}{
		{"whole", corpus.Files(t, archive)[name], true},
		{"without a configuration", without, true},
		{"damaged", append(without, 0), false},
		{"none", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, path := unpackedWith(t, archive, name, tt.file)
			s := openDir(t, dir)
			if diff := cmp.Diff(want, s.Meta().Members); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			c, err := s.Custody(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.ContainsFunc(c.Files, func(f container.File) bool { return f.Path == path && f.SHA256 != "" }); got != tt.evidence {
				t.Errorf("evidence %+v", c.Files)
			}
		})
	}
}

// TestStale: names and URLs that etcd 3.5.13 did not store are known where raft's snapshot
// file has them, and may be older where it does not.
func TestStale(t *testing.T) {
	const archive, name = "../../testdata/etcd/members/3.5.13/m0.tar.gz", "member/snap/0000000000000002-0000000000000029.snap"
	for _, tt := range []struct {
		name string
		file []byte // nil for none
		want bool
	}{
		{"whole", corpus.Files(t, archive)[name], false},
		{"without members", snapFileWithout(t), true},
		{"none", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := unpackedWith(t, archive, name, tt.file)
			if got := openDir(t, dir).Meta().Stale; got != tt.want {
				t.Errorf("stale: %t", got)
			}
		})
	}
}
