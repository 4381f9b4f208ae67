package rollback

import (
	"slices"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// pod is a pod of the current state.
type pod struct {
	kube.PodRefs
	key    kube.Key
	record snapshot.Record
}

// alive says whether the pod's containers have not ended for good.
func (p *pod) alive() bool {
	return p.NodeName != "" && p.Phase != "Succeeded" && p.Phase != "Failed"
}

// scanPod reads a pod of the current state. ok is false when it cannot be read. What is
// not there or cannot be read is not alive.
func (c *comparison) scanPod(k kube.Key, r snapshot.Record) (p pod, ok bool) {
	if !has(r) {
		return pod{}, true
	}
	var refs kube.PodRefs
	err := c.current.Scan(r, func(value []byte) (err error) {
		refs, err = kube.ScanPodRefs(value)
		return err
	})
	if err != nil {
		c.noteUnread(c.current, r, err)
		return pod{}, false
	}
	return pod{refs, k, r}, true
}

// holders are pods that hold tokens of one account.
type holders struct {
	names
	refs refs
}

// changedPods notes the addresses of the pods that may have got theirs since the
// backup, and who holds a token that the restored API does not know.
func (c *comparison) changedPods() {
	for ch := range c.changes("", "pods") {
		p, _ := c.scanPod(ch.Key, ch.after)
		if !p.alive() {
			continue
		}
		if sameObject(ch.before, ch.after) {
			c.resized(&ch)
		}
		if !p.HostNetwork {
			for _, ip := range p.IPs {
				c.addresses[ip] = ch.after.Key
			}
		}
		if p.Certificate && (ch.lost() || ch.replaced()) {
			c.certificates.add(objectName(ch.Key))
			c.certificates.refs.add(c.current.ref(p.record))
		}
		if p.Token && (ch.lost() || ch.replaced()) {
			account := p.key.Namespace + "/" + p.ServiceAccount
			if c.tokens[account] == nil {
				c.tokens[account] = &holders{}
			}
			c.tokens[account].add(p.key.Name)
			c.tokens[account].refs.add(c.current.ref(p.record))
		}
	}
}

// podsIn returns the pods of the current state in a namespace that run or are to
// run, by name. A namespace is read once.
func (c *comparison) podsIn(namespace string) []pod {
	if list, ok := c.pods[namespace]; ok {
		return list
	}
	list := []pod{}
	for r := range c.current.Keys(kube.Key{Resource: "pods", Namespace: namespace}.Path(c.prefix)) {
		if c.ctx.Err() != nil {
			break
		}
		k, ok := kube.ParseKey(c.prefix, r.Key)
		if !ok {
			continue
		}
		if p, _ := c.scanPod(k, r); p.alive() {
			list = append(list, p)
		}
	}
	c.pods[namespace] = list
	return list
}

// users are the pods of a namespace that use takes.
func (c *comparison) users(namespace string, use func(*pod) bool) *names {
	found := &names{}
	for _, p := range c.podsIn(namespace) {
		if use(&p) {
			found.add(p.key.Name)
		}
	}
	return found
}

// stays says whether the backup has the pod, too.
func (c *comparison) stays(p *pod) bool { return sameObject(c.find(c.backup, p.key), p.record) }

func mounts(claim string) func(*pod) bool {
	return func(p *pod) bool { return slices.Contains(p.Claims, claim) }
}

func refersTo(secret string) func(*pod) bool {
	return func(p *pod) bool { return slices.Contains(p.Secrets, secret) }
}
