package rollback

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// otherCount counts keys that hold no API object.
type otherCount struct {
	Kind
	sort            keyspace.Sort
	before, current ages
	// given and freed are addresses of IPAM blocks: given out since the backup, and
	// given back.
	given, freed int
}

// countOther counts a key that holds no API object, by whose it is. Values are compared
// byte for byte.
func (c *comparison) countOther(before, after snapshot.Record) {
	key := keyOf(before, after)
	sort := c.namer.Sort(key)
	k := c.others[sort]
	if k == nil {
		k = &otherCount{Kind: newKind(sort.String()), sort: sort}
		k.Owner = sort.Owner
		c.others[sort] = k
	}
	if has(before) {
		k.before.add(before)
	}
	if has(after) {
		k.current.add(after)
	}
	switch {
	case sameRecord(before, after):
		k.Unchanged++
		return
	case !has(before):
		k.Lost++
		k.Examples.Lost = appendExample(k.Examples.Lost, key)
	case !has(after):
		k.Resurrected++
		k.Examples.Resurrected = appendExample(k.Examples.Resurrected, key)
	case before.CreateRevision != after.CreateRevision:
		k.Replaced++
		k.Examples.Replaced = appendExample(k.Examples.Replaced, key)
	case beats(sort) || c.sameValue(sort, before, after):
		k.Heartbeats++
		return
	default:
		k.RolledBack++
		k.Examples.RolledBack = appendExample(k.Examples.RolledBack, key)
	}
	if sort.What == keyspace.IPAMBlocks {
		k.block(c.allocated(sort, c.backup, before), c.allocated(sort, c.current, after))
	}
}

// beats says whether a key is written all the time, with nothing in it that lasts.
func beats(s keyspace.Sort) bool { return s.Owner == keyspace.Bookkeeping && s.What != keyspace.Ranges }

func (c *comparison) sameValue(sort keyspace.Sort, before, after snapshot.Record) bool {
	x, readX := c.otherValue(sort, c.backup, before)
	y, readY := c.otherValue(sort, c.current, after)
	return readX && readY && bytes.Equal(x, y)
}

// otherValue reads the value of a key that holds no API object; one that cannot be read
// is noted.
func (c *comparison) otherValue(sort keyspace.Sort, s side, r snapshot.Record) (value []byte, read bool) {
	if !has(r) {
		return nil, true
	}
	value, err := s.Value(r)
	if err != nil {
		c.noteUnreadOf(kube.Key{Resource: sort.String()}, s, r, err)
	}
	return value, err == nil
}

// largestBlock is the largest value that is read for an IPAM block, in bytes; the largest
// that Calico makes are some 100 KB.
const largestBlock = 1 << 20

// allocated are the places of a block of Calico's that are given out; nil for no such
// block (calico libcalico-go/lib/backend/model/block.go AllocationBlock).
func (c *comparison) allocated(sort keyspace.Sort, s side, r snapshot.Record) []bool {
	value, _ := c.otherValue(sort, s, r)
	var block struct {
		Allocations []json.RawMessage `json:"allocations"`
	}
	if len(value) > largestBlock || json.Unmarshal(value, &block) != nil {
		return nil
	}
	taken := make([]bool, len(block.Allocations))
	for i, a := range block.Allocations {
		taken[i] = string(a) != "null"
	}
	return taken
}

// block counts the addresses of a block that are free in one state and taken in the
// other.
func (k *otherCount) block(before, after []bool) {
	at := func(list []bool, i int) bool { return i < len(list) && list[i] }
	for i := range max(len(before), len(after)) {
		switch was, is := at(before, i), at(after, i); {
		case is && !was:
			k.given++
		case was && !is:
			k.freed++
		}
	}
}

// allocates says whether keys say which addresses are given out.
func allocates(s keyspace.Sort) bool {
	switch s.Owner {
	case keyspace.Calico:
		return s.What == keyspace.IPAMBlocks || s.What == keyspace.BlockAffinities || s.What == keyspace.IPAMHandles
	case keyspace.Flannel:
		return s.What == keyspace.Subnets
	}
	return false
}

// otherKeys reports the keys that hold no API object, an owner at a time.
func (c *comparison) otherKeys() {
	c.clusterToken()
	byOwner := map[string][]*otherCount{}
	for _, k := range slices.SortedFunc(maps.Values(c.others), func(a, b *otherCount) int { return cmp.Compare(a.Resource, b.Resource) }) {
		switch {
		case !k.Changed() || k.sort.Owner == keyspace.Bookkeeping:
		case allocates(k.sort):
			c.add(IPAM, kube.Key{Resource: k.Resource}, Finding{Reason: differing(&k.Kind) + k.addresses(), Evidence: c.evidence(k.before.newest, k.current.newest)})
		default:
			byOwner[k.sort.Of] = append(byOwner[k.sort.Of], k)
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(byOwner)) {
		var parts []string
		f := Finding{}
		for _, k := range byOwner[owner] {
			text := differing(&k.Kind)
			if k.sort.What != "" {
				text = k.sort.What + ": " + text
			}
			parts = append(parts, text)
			if len(f.Evidence) < maxExamples {
				f.Evidence = append(f.Evidence, c.evidence(k.before.newest, k.current.newest)...)
			}
		}
		f.Reason = strings.Join(parts, "; ")
		c.add(KeysBack, kube.Key{Resource: owner}, f)
	}
}

// addresses says what the blocks show about addresses.
func (k *otherCount) addresses() string {
	text := ""
	if k.given > 0 {
		text += fmt.Sprintf("; %s as free again", words.CountOf(k.given, "address was given out since the backup, and counts", "addresses were given out since the backup, and count"))
	}
	if k.freed > 0 {
		text += fmt.Sprintf("; %s as taken again", words.CountOf(k.freed, "address was given back since, and counts", "addresses were given back since, and count"))
	}
	return text
}

// clusterToken compares the tokens that the bootstrap data of k3s or RKE2 are
// encrypted with.
func (c *comparison) clusterToken() {
	var hashes [2][]string
	var records [2]snapshot.Record
	for i, s := range []side{c.backup, c.current} {
		for r := range s.Keys("/bootstrap/") {
			if hash, ok := keyspace.TokenHash(r.Key); ok && len(hashes[i]) < maxExamples {
				hashes[i], records[i] = append(hashes[i], hash), r
			}
		}
	}
	was, is := hashes[0], hashes[1]
	if len(was) == 0 || len(is) == 0 || slices.ContainsFunc(is, func(hash string) bool { return slices.Contains(was, hash) }) {
		return
	}
	c.add(BootstrapToken, kube.Key{Resource: "bootstrap data of k3s or RKE2"}, Finding{
		Reason:   "in the backup they are " + keyspace.TokenText(was...) + "; in the current state with that of " + strings.Join(is, " or "),
		Evidence: c.evidence(records[0], records[1]),
	})
}
