package rollback

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	resourcev1 "k8s.io/api/resource/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

const resourceGroup = "resource.k8s.io"

// device is what a driver hands out: a device of a pool, or a share of one.
type device struct{ driver, pool, name, share string }

func (d device) String() string {
	text := d.driver + "/" + d.pool + "/" + d.name
	if d.share != "" {
		text = "share " + d.share + " of " + text
	}
	return text
}

func compareDevices(a, b device) int { return cmp.Compare(a.String(), b.String()) }

// deviceClaim is a ResourceClaim of one snapshot.
type deviceClaim struct {
	key      kube.Key
	record   snapshot.Record
	devices  []device // that it has, without those that it only watches over
	pods     []kube.Key
	template string // the pod that it was made for out of a template
}

func (d *deviceClaim) allocated() bool { return d != nil && len(d.devices) > 0 }

// devices looks at which claims have which devices. A claim that is the same in both
// snapshots has the same ones, so only those that differ can be part of a conflict.
func (c *comparison) devices() {
	type both struct {
		ch            change
		before, after *deviceClaim
	}
	var claims []both
	held := map[device][]*deviceClaim{} // in the backup
	for ch := range c.changes(resourceGroup, "resourceclaims") {
		b := both{ch: ch, before: c.deviceClaim(c.backup, ch.Key, ch.before), after: c.deviceClaim(c.current, ch.Key, ch.after)}
		claims = append(claims, b)
		if b.before != nil {
			for _, d := range b.before.devices {
				held[d] = append(held[d], b.before)
			}
		}
	}
	for i := range claims {
		b := &claims[i]
		if b.after.allocated() {
			c.handedOut(&b.ch, b.before, b.after, held)
		}
		if b.before.allocated() && (b.after != nil || b.ch.resurrected()) {
			c.claimedAgain(&b.ch, b.before, b.after)
		}
	}
}

// deviceClaim reads a claim; nil when there is none, and when it cannot be read, which
// is noted.
func (c *comparison) deviceClaim(s side, k kube.Key, r snapshot.Record) *deviceClaim {
	claim, ok := inVersion[resourcev1.ResourceClaim](c, s, r, "ResourceClaim")
	if !ok {
		return nil
	}
	d := &deviceClaim{key: k, record: r}
	if a := claim.Status.Allocation; a != nil {
		for _, result := range a.Devices.Results {
			if result.AdminAccess != nil && *result.AdminAccess {
				continue // it is still in use by others
			}
			one := device{driver: result.Driver, pool: result.Pool, name: result.Device}
			if result.ShareID != nil {
				one.share = string(*result.ShareID)
			}
			d.devices = append(d.devices, one)
		}
	}
	for _, user := range claim.Status.ReservedFor {
		if user.Resource == "pods" && user.APIGroup == "" {
			d.pods = append(d.pods, kube.Key{Resource: "pods", Namespace: k.Namespace, Name: user.Name})
		}
	}
	if claim.Annotations["resource.kubernetes.io/pod-claim-name"] != "" {
		for _, owner := range claim.OwnerReferences {
			if owner.Kind == "Pod" {
				d.template = owner.Name
			}
		}
	}
	return d
}

// inVersion reads an object in whatever version of its group it is stored, as T: the
// fields that are looked at have the same names in all of them. ok is false when there
// is no record, and when it is no such object, which is noted.
func inVersion[T any](c *comparison, s side, r snapshot.Record, kind string) (obj T, ok bool) {
	value := c.value(s, r)
	if value == nil {
		return obj, false
	}
	o := kube.Decode(kube.Key{}, value)
	err := o.Problem
	if o.Typed == nil || o.Kind != kind {
		c.noteUnread(s, r, cmp.Or(err, kube.ErrWrongKind))
		return obj, false
	}
	text, err := json.Marshal(o.Typed)
	if err == nil {
		err = json.Unmarshal(text, &obj)
	}
	if err != nil {
		c.noteUnread(s, r, err)
	}
	return obj, err == nil
}

// handedOut reports devices that a claim has now and that the backup has free, or in
// another claim.
func (c *comparison) handedOut(ch *change, before, after *deviceClaim, held map[device][]*deviceClaim) {
	var free, taken names
	by := refs{c.current.ref(ch.after)}
	for _, d := range sorted(after.devices) {
		if before != nil && sameObject(ch.before, ch.after) && slices.Contains(before.devices, d) {
			continue
		}
		owners := held[d]
		if len(owners) == 0 {
			free.add(d.String())
			continue
		}
		taken.add(fmt.Sprintf("%s, there of %s%s", d, objectName(owners[0].key), owners[0].users()))
		by.add(c.backup.ref(owners[0].record))
	}
	use, used := c.usage(after)
	if taken.count > 0 {
		f := Finding{Reason: fmt.Sprintf("has in the current state what another claim has in the backup: %s%s", &taken, use), Evidence: by}
		if !used {
			f.Severity = finding.Warning
		}
		c.add(DeviceConflict, ch.Key, f)
	}
	if free.count > 0 {
		f := Finding{Reason: fmt.Sprintf("has in the current state what is free in the backup: %s%s%s", &free, use, c.partly(c.backup, ch.Key, "claims")), Evidence: c.evidence(ch.before, ch.after)}
		if !used {
			f.Severity = finding.Warning
		}
		c.add(DeviceFreed, ch.Key, f)
	}
}

func sorted(list []device) []device {
	list = slices.Clone(list)
	slices.SortFunc(list, compareDevices)
	return slices.Compact(list)
}

// users names the pods that a claim is reserved for.
func (d *deviceClaim) users() string {
	var pods names
	for _, k := range d.pods {
		pods.add(k.Name)
	}
	if pods.count == 0 {
		return ""
	}
	return ", reserved for " + pods.String()
}

// usage says which pods use a claim of the current state, and whether any may.
func (c *comparison) usage(d *deviceClaim) (text string, used bool) {
	var run names
	for _, k := range d.pods {
		p, ok := c.scanPod(k, c.find(c.current, k))
		switch {
		case !ok:
			run.add(k.Name + ", which cannot be read")
		case !p.alive():
		case c.stays(&p):
			run.add(k.Name + " on " + p.NodeName)
		default:
			run.add(k.Name + " on " + p.NodeName + ", which the backup does not have")
		}
	}
	if run.count == 0 {
		return "; no pod that runs uses it", false
	}
	return "; used by " + words.Clauses(run.first, maxExamples, run.count), true
}

// claimedAgain reports a claim that has devices in the backup that it no longer has.
func (c *comparison) claimedAgain(ch *change, before, after *deviceClaim) {
	var back names
	for _, d := range sorted(before.devices) {
		if after == nil || !sameObject(ch.before, ch.after) || !slices.Contains(after.devices, d) {
			back.add(d.String())
		}
	}
	if back.count == 0 {
		return
	}
	now := "has other devices in the current state"
	switch {
	case ch.resurrected():
		now = "is gone in the current state"
	case ch.replaced():
		now = "was recreated since"
	case !after.allocated():
		now = "has none in the current state"
	}
	made := ""
	if before.template != "" {
		made = ", made for pod " + before.template
	}
	c.add(DeviceClaimed, ch.Key, Finding{
		Reason:   fmt.Sprintf("has %s in the backup%s%s, and %s", &back, before.users(), made, now),
		Evidence: c.evidence(ch.before, ch.after),
	})
}
