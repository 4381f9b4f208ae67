package rollback

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// encryptions are what values are encrypted with, and how many by each.
type encryptions map[kube.EncryptedError]*encrypted

type encrypted struct {
	count int
	first snapshot.Record
}

// encodings looks at how values are stored: by which keys they are encrypted, and
// in which versions.
//
// The API server writes all objects of a resource in one version, so the object
// written last shows in which.
func (c *comparison) encodings() {
	kinds := c.sortedKinds()
	now := encryptions{}
	for _, k := range kinds {
		maps.Copy(now, c.encryptions(c.current, k))
	}
	for _, k := range kinds {
		c.encryption(k, now)
		c.storageVersion(k)
	}
}

func (c *comparison) encryption(k *kindCount, now encryptions) {
	then := c.encryptions(c.backup, k)
	byName := func(a, b kube.EncryptedError) int { return cmp.Compare(a.Error(), b.Error()) }
	for _, by := range slices.SortedFunc(maps.Keys(then), byName) {
		if now[by] != nil {
			continue
		}
		c.add(EncryptionKey, k.key, Finding{
			Reason:   fmt.Sprintf("%s in the backup %s, which encrypts nothing in the current state", words.Count(then[by].count, "object"), by.Error()),
			Evidence: []finding.Ref{c.backup.ref(then[by].first)},
		})
	}
}

func (c *comparison) encryptions(s side, k *kindCount) encryptions {
	found := encryptions{}
	for r := range s.Keys(k.key.Path(c.prefix)) {
		if c.ctx.Err() != nil {
			break
		}
		if !r.MayBeEncrypted() {
			continue
		}
		e := c.envelope(s, r)
		if e.Encoding != kube.Encrypted {
			continue
		}
		if found[e.Encryption] == nil {
			found[e.Encryption] = &encrypted{first: r}
		}
		found[e.Encryption].count++
	}
	return found
}

// envelope reads the envelope of a value; one that is malformed says as much as
// could be read.
func (c *comparison) envelope(s side, r snapshot.Record) kube.Envelope {
	value := c.value(s, r)
	if value == nil {
		return kube.Envelope{}
	}
	e, err := kube.ParseEnvelope(value)
	if err != nil {
		c.noteUnread(s, r, err)
	}
	return e
}

// storageVersion compares in which version built-in objects are written. Custom
// resources are reported with their definitions.
func (c *comparison) storageVersion(k *kindCount) {
	if k.custom {
		return
	}
	then, err := kube.ScanMeta(c.value(c.backup, k.before.newest))
	now, err2 := kube.ScanMeta(c.value(c.current, k.current.newest))
	if err != nil || err2 != nil || then.APIVersion == now.APIVersion {
		return
	}
	c.add(StorageVersion, k.key, Finding{
		Reason:   fmt.Sprintf("%s in the backup, %s in the current state", then.APIVersion, now.APIVersion),
		Evidence: c.evidence(k.before.newest, k.current.newest),
	})
}

// unreadable names the resources of which something could not be read.
func (c *comparison) unreadable() {
	for _, name := range slices.Sorted(maps.Keys(c.unread)) {
		u := c.unread[name]
		c.add(Unreadable, u.key, Finding{
			Reason:   fmt.Sprintf("%s could not be read, the first because: %v", words.Count(len(u.values), "value"), u.err),
			Evidence: []finding.Ref{u.first},
		})
	}
}
