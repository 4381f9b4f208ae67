package snapshot

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"revenant/decoder/boltpage"
	"revenant/internal/words"
)

// Meta is what etcd keeps in the file beside the keys (etcd server/v3 v3.7
// storage/schema/bucket.go). What a version of etcd does not write is zero.
type Meta struct {
	ConsistentIndex  uint64   `json:"consistentIndex"`          // of the last raft entry applied
	Term             uint64   `json:"term"`                     // of that entry; from 3.5
	ConfState        string   `json:"confState,omitempty"`      // raft's configuration as JSON; from 3.5
	ScheduledCompact int64    `json:"scheduledCompact"`         // revision of the compaction last begun
	FinishedCompact  int64    `json:"finishedCompact"`          // and of the one last finished
	StorageVersion   string   `json:"storageVersion,omitempty"` // from 3.6
	ClusterVersion   string   `json:"clusterVersion,omitempty"` // from 3.5
	Members          []Member `json:"members"`                  // of the bucket, and whether they vote in raft's configuration
	Removed          []string `json:"removed,omitempty"`        // ids of those that were removed
	// Stale says that the bucket shows an etcd which does not store what changes of a
	// member: names and URLs may be those that it had when it was added.
	Stale       bool     `json:"membersStale,omitempty"`
	others      []uint64 // that vote in raft's configuration, and are not among Members
	strange     bool     // the bucket has another one's content
	hasFinished bool     // FinishedCompact is there, and may be 0
}

// Member is a member of the etcd cluster.
type Member struct {
	ID         string   `json:"id"` // hexadecimal
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
	Learner    bool     `json:"learner,omitempty"`
}

func (m *Meta) compactRevision() int64 { return max(m.ScheduledCompact, m.FinishedCompact) }

// readMeta reads the small buckets. Whatever is malformed becomes a problem.
func readMeta(f *boltpage.File, problems *problemList) Meta {
	var m Meta
	each := func(bucket string, fn func(key string, value []byte)) { eachItem(f, bucket, problems, fn) }
	known, unknown := 0, 0
	each("meta", func(key string, value []byte) {
		if m.setMeta(key, value, problems) {
			known++
		} else {
			unknown++
		}
	})
	if unknown > known {
		// A newer etcd may have a key that is not known here, but it has the others, too.
		problems.add(Damage, "bucket meta", words.PlainOf(unknown, "key", "keys")+" that etcd does not have there: it seems to be another one's content", "the compact revision")
	}
	m.strange = unknown > known
	each("cluster", func(key string, value []byte) {
		if key == "clusterVersion" {
			m.ClusterVersion = string(value)
		}
	})
	each("members", func(key string, value []byte) {
		member, err := parseMember(key, value)
		if err != nil {
			problems.add(Damage, "bucket members", err.Error(), "1 member")
			return
		}
		m.Members = append(m.Members, member)
	})
	each("members_removed", func(key string, _ []byte) {
		if _, err := strconv.ParseUint(key, 16, 64); err == nil {
			m.Removed = append(m.Removed, key)
		}
	})
	m.settleMembers(problems)
	return m
}

// eachItem calls fn for every item of a bucket that may be missing. A page that
// vanishes is reported by the page reader.
func eachItem(f *boltpage.File, bucket string, problems *problemList, fn func(key string, value []byte)) {
	b := f.Bucket(bucket)
	if b == nil {
		return
	}
	_ = b.Each(func(items []boltpage.Item) error {
		for _, it := range items {
			if it.Bucket {
				problems.add(Damage, "bucket "+bucket, fmt.Sprintf("a bucket stands among its items, on page %d", it.Page), "1 item")
				continue
			}
			fn(string(it.Key), it.Value)
		}
		return nil
	})
}

// setMeta says whether etcd has the key.
func (m *Meta) setMeta(key string, value []byte, problems *problemList) bool {
	fixed := func(size int) bool {
		if len(value) == size {
			return true
		}
		problems.add(Damage, "bucket meta", fmt.Sprintf("%s has %d bytes, not %d", key, len(value), size), key)
		return false
	}
	switch key {
	case "consistent_index":
		if fixed(8) {
			m.ConsistentIndex = binary.BigEndian.Uint64(value)
		}
	case "term":
		if fixed(8) {
			m.Term = binary.BigEndian.Uint64(value)
		}
	case "confState":
		m.ConfState = string(value)
	case "storageVersion":
		m.StorageVersion = string(value)
	case "scheduledCompactRev", "finishedCompactRev":
		rev, tombstone, ok := parseRevision(value)
		if !ok || tombstone {
			problems.add(Damage, "bucket meta", key+" is not a revision", "the compact revision")
			return true
		}
		if key == "scheduledCompactRev" {
			m.ScheduledCompact = rev.Main
		} else {
			m.FinishedCompact, m.hasFinished = rev.Main, true
		}
	default:
		return false
	}
	return true
}

// parseMember reads a member record (etcd server/v3 v3.7
// etcdserver/api/membership/member.go).
func parseMember(key string, value []byte) (Member, error) {
	if _, err := strconv.ParseUint(key, 16, 64); err != nil {
		return Member{}, fmt.Errorf("a key is not a member id")
	}
	var raw struct {
		Name       string   `json:"name"`
		PeerURLs   []string `json:"peerURLs"`
		ClientURLs []string `json:"clientURLs"`
		IsLearner  bool     `json:"isLearner"`
	}
	if err := json.Unmarshal(value, &raw); err != nil {
		return Member{}, fmt.Errorf("member %s: not the JSON etcd writes", key)
	}
	return Member{ID: key, Name: raw.Name, PeerURLs: raw.PeerURLs, ClientURLs: raw.ClientURLs, Learner: raw.IsLearner}, nil
}
