package rollback

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// volumes looks at PersistentVolumes and their claims.
func (c *comparison) volumes() {
	for ch := range c.changes("", "persistentvolumes") {
		before, was := get[*corev1.PersistentVolume](c, c.backup, ch.before)
		after, is := get[*corev1.PersistentVolume](c, c.current, ch.after)
		switch {
		case ch.lost() && is:
			c.add(VolumeLeaked, ch.Key, Finding{
				Reason: fmt.Sprintf("only in the current state: %s, %s, reclaim policy %s",
					disk(&after.Spec), boundTo(after.Spec.ClaimRef), after.Spec.PersistentVolumeReclaimPolicy),
				Evidence: c.evidence(ch.before, ch.after),
			})
		case ch.resurrected() && was:
			c.volumeResurrected(&ch, before)
		case was && is:
			c.volumeChanged(&ch, before, after)
		}
	}
	for ch := range c.changes("", "persistentvolumeclaims") {
		c.claim(&ch)
	}
}

func (c *comparison) volumeResurrected(ch *change, v *corev1.PersistentVolume) {
	f := Finding{
		Reason: fmt.Sprintf("only in the backup: %s, %s, phase %s, reclaim policy %s",
			disk(&v.Spec), boundTo(v.Spec.ClaimRef), v.Status.Phase, v.Spec.PersistentVolumeReclaimPolicy),
		Evidence: c.evidence(ch.before, ch.after),
	}
	if v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		f.Severity = finding.Warning
		f.Inferred = "The disk is likely to be there still, and can have been given to another use since."
	}
	c.add(VolumeResurrected, ch.Key, f)
}

func (c *comparison) volumeChanged(ch *change, before, after *corev1.PersistentVolume) {
	c.reclaimPolicy(ch, before, after)
	if claim := after.Spec.ClaimRef; before.Spec.ClaimRef == nil && claim != nil && c.claimIsLost(claim) {
		return // reported for the claim
	}
	was, is := boundTo(before.Spec.ClaimRef), boundTo(after.Spec.ClaimRef)
	if d, e := disk(&before.Spec), disk(&after.Spec); d != e {
		was, is = d, e
	} else if sameClaim(before.Spec.ClaimRef, after.Spec.ClaimRef) {
		return
	} else if was == is {
		is = "bound to a newer claim of that name"
	}
	c.add(VolumeRebound, ch.Key, Finding{
		Reason:   fmt.Sprintf("%s in the backup, %s in the current state", was, is),
		Evidence: c.evidence(ch.before, ch.after),
	})
}

// reclaimPolicy reports a volume that was kept from being deleted after the
// backup.
func (c *comparison) reclaimPolicy(ch *change, before, after *corev1.PersistentVolume) {
	was, is := before.Spec.PersistentVolumeReclaimPolicy, after.Spec.PersistentVolumeReclaimPolicy
	if was != corev1.PersistentVolumeReclaimDelete || is == was {
		return
	}
	f := Finding{Evidence: c.evidence(ch.before, ch.after), Severity: finding.Warning}
	then := "in the backup"
	if before.Status.Phase == corev1.VolumeReleased || before.Status.Phase == corev1.VolumeFailed {
		f.Severity = finding.Critical
		then += fmt.Sprintf(", where it is %s", before.Status.Phase)
	}
	f.Reason = fmt.Sprintf("reclaim policy %s %s, and %s in the current state", was, then, is)
	c.add(VolumeDeletedAgain, ch.Key, f)
}

func (c *comparison) claimIsLost(claim *corev1.ObjectReference) bool {
	k := kube.Key{Resource: "persistentvolumeclaims", Namespace: claim.Namespace, Name: claim.Name}
	return !has(c.find(c.backup, k)) && has(c.find(c.current, k))
}

// sameClaim compares what volumes are bound to. A claim that is bound gets its
// uid into the volume; before that, only its name may be there.
func sameClaim(a, b *corev1.ObjectReference) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Namespace == b.Namespace && a.Name == b.Name && a.UID == b.UID
}

func boundTo(claim *corev1.ObjectReference) string {
	if claim == nil {
		return "bound to no claim"
	}
	return "bound to claim " + claim.Namespace + "/" + claim.Name
}

// disk names what is behind a volume, where it has a name.
func disk(v *corev1.PersistentVolumeSpec) string {
	s := &v.PersistentVolumeSource
	switch {
	case s.CSI != nil:
		return fmt.Sprintf("%s volume %q", s.CSI.Driver, s.CSI.VolumeHandle)
	case s.NFS != nil:
		return fmt.Sprintf("NFS export %s:%s", s.NFS.Server, s.NFS.Path)
	case s.Local != nil:
		return "local path " + s.Local.Path
	case s.HostPath != nil:
		return "host path " + s.HostPath.Path
	case s.AWSElasticBlockStore != nil:
		return "EBS volume " + s.AWSElasticBlockStore.VolumeID
	case s.GCEPersistentDisk != nil:
		return "GCE disk " + s.GCEPersistentDisk.PDName
	case s.AzureDisk != nil:
		return "Azure disk " + s.AzureDisk.DiskName
	case s.Cinder != nil:
		return "Cinder volume " + s.Cinder.VolumeID
	case s.VsphereVolume != nil:
		return "vSphere volume " + s.VsphereVolume.VolumePath
	}
	return "a disk of another type"
}

func (c *comparison) claim(ch *change) {
	before, was := get[*corev1.PersistentVolumeClaim](c, c.backup, ch.before)
	after, is := get[*corev1.PersistentVolumeClaim](c, c.current, ch.after)
	f := Finding{Evidence: c.evidence(ch.before, ch.after)}
	switch {
	case ch.lost() && is && after.Spec.VolumeName != "":
		then, free := c.volumeInBackup(after.Spec.VolumeName)
		f.Reason = fmt.Sprintf("only in the current state, bound to volume %s, %s", after.Spec.VolumeName, then)
		if free {
			f.Severity, f.Certainty = finding.Critical, finding.Possible
			f.Inferred = "Another claim can be bound to the volume, and finds the data on it."
		}
		c.add(ClaimLost, ch.Key, c.usedBy(f, ch))
	case ch.resurrected() && was && before.Spec.VolumeName != "":
		f.Reason = fmt.Sprintf("only in the backup, bound to volume %s, %s", before.Spec.VolumeName, c.volumeNow(before.Spec.VolumeName))
		c.add(ClaimResurrected, ch.Key, f)
	case was && is && before.Spec.VolumeName != after.Spec.VolumeName:
		f.Reason = fmt.Sprintf("%s in the backup, %s in the current state", boundVolume(before), boundVolume(after))
		c.add(VolumeRebound, ch.Key, c.usedBy(f, ch))
	}
}

func boundVolume(p *corev1.PersistentVolumeClaim) string {
	if p.Spec.VolumeName == "" {
		return "not bound"
	}
	return "bound to volume " + p.Spec.VolumeName
}

// usedBy adds the pods that use the claim now.
func (c *comparison) usedBy(f Finding, ch *change) Finding {
	if pods := c.users(ch.Namespace, mounts(ch.Name)); pods.count > 0 {
		f.Reason += "; used by " + pods.String()
	}
	return f
}

// volumeInBackup says how the backup has a volume, and whether a claim is free to
// take it.
func (c *comparison) volumeInBackup(name string) (then string, free bool) {
	r := c.find(c.backup, kube.Key{Resource: "persistentvolumes", Name: name})
	if !has(r) {
		return "which the backup does not have", false
	}
	v, ok := get[*corev1.PersistentVolume](c, c.backup, r)
	switch {
	case !ok:
		return "which cannot be read in the backup", false
	case v.Spec.ClaimRef == nil:
		return "which is free in the backup", true
	}
	return "which the backup has " + boundTo(v.Spec.ClaimRef), false
}

func (c *comparison) volumeNow(name string) string {
	if has(c.find(c.current, kube.Key{Resource: "persistentvolumes", Name: name})) {
		return "which still exists"
	}
	return "which was deleted as well"
}

// attached are the VolumeAttachments of one volume that differ.
type attached struct {
	key           kube.Key // of the volume
	before, after []attachment
}

type attachment struct {
	node   string
	record snapshot.Record
}

// attachments compares where volumes are attached. A VolumeAttachment is made
// for one volume on one node and never changes its node.
func (c *comparison) attachments() {
	volumes := map[string]*attached{}
	order := []string{}
	note := func(a *storagev1.VolumeAttachment) *attached {
		name := a.Spec.Source.PersistentVolumeName
		if name == nil {
			return nil // an inline volume, which has no object
		}
		if volumes[*name] == nil {
			volumes[*name] = &attached{key: kube.Key{Resource: "persistentvolumes", Name: *name}}
			order = append(order, *name)
		}
		return volumes[*name]
	}
	for ch := range c.changes("storage.k8s.io", "volumeattachments") {
		if a, ok := get[*storagev1.VolumeAttachment](c, c.backup, ch.before); ok && ch.resurrected() {
			if v := note(a); v != nil {
				v.before = append(v.before, attachment{a.Spec.NodeName, ch.before})
			}
		}
		if a, ok := get[*storagev1.VolumeAttachment](c, c.current, ch.after); ok && ch.lost() {
			if v := note(a); v != nil {
				v.after = append(v.after, attachment{a.Spec.NodeName, ch.after})
			}
		}
	}
	slices.Sort(order)
	for _, name := range order {
		c.attachment(volumes[name])
	}
}

func (c *comparison) attachment(v *attached) {
	of := kube.Key{Group: "storage.k8s.io", Resource: "volumeattachments"}
	where := "nowhere else in the backup" + c.partly(c.backup, of, "VolumeAttachments")
	if len(v.before) > 0 {
		where = "on " + v.before[0].node + " in the backup"
	}
	for _, a := range v.after {
		f := Finding{
			Reason:   fmt.Sprintf("attached on %s in the current state, and %s", a.node, where),
			Evidence: []finding.Ref{c.current.ref(a.record)},
		}
		for _, b := range v.before {
			f.Evidence = append(f.Evidence, c.backup.ref(b.record))
		}
		volume, ok := get[*corev1.PersistentVolume](c, c.current, c.find(c.current, v.key))
		if ok && volume.Spec.ClaimRef != nil {
			f.Reason += c.usersOn(a.node, volume.Spec.ClaimRef)
		}
		if ok && !exclusive(volume) {
			f.Severity = finding.Warning
			f.Inferred = "Its access mode allows several nodes, so nothing waits; the attachment is never undone."
		}
		c.add(VolumeAttached, v.key, f)
	}
	if len(v.after) > 0 {
		return
	}
	for _, b := range v.before {
		c.add(VolumeDetached, v.key, Finding{
			Reason:   fmt.Sprintf("attached on %s in the backup, and not in the current state%s", b.node, c.partly(c.current, of, "VolumeAttachments")),
			Evidence: []finding.Ref{c.backup.ref(b.record)},
		})
	}
}

func exclusive(v *corev1.PersistentVolume) bool {
	return !slices.Contains(v.Spec.AccessModes, corev1.ReadWriteMany) && !slices.Contains(v.Spec.AccessModes, corev1.ReadOnlyMany)
}

func (c *comparison) usersOn(node string, claim *corev1.ObjectReference) string {
	uses := mounts(claim.Name)
	pods := c.users(claim.Namespace, func(p *pod) bool { return p.NodeName == node && uses(p) })
	if pods.count == 0 {
		return ""
	}
	return fmt.Sprintf("; used there by %s in %s", pods, claim.Namespace)
}
