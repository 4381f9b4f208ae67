package scrub

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"revenant/decoder/kube"
)

// labelMaps are fields whose keys and values are those of labels, or choose by them.
var labelMaps = map[string]bool{"labels": true, "matchLabels": true, "nodeSelector": true, "selector": true}

// contents are fields whose values are content, and dataMaps those whose keys are chosen by
// people, too.
var (
	contents = map[string]bool{"data": true, "stringData": true, "binaryData": true, "message": true, "note": true, "description": true, "command": true, "args": true}
	dataMaps = map[string]bool{"data": true, "stringData": true, "binaryData": true, "annotations": true}
)

// numeric are keys of labels and annotations whose value is a number that Kubernetes counts.
var numeric = map[string]bool{
	"deployment.kubernetes.io/revision": true, "deployment.kubernetes.io/desired-replicas": true, "deployment.kubernetes.io/max-replicas": true,
	"batch.kubernetes.io/job-completion-index": true, "batch.kubernetes.io/job-index-failure-count": true, "apps.kubernetes.io/pod-index": true,
	"pod-template-generation": true, "deprecated.daemonset.template.generation": true, "node.alpha.kubernetes.io/ttl": true,
	"controller.kubernetes.io/pod-deletion-cost": true,
}

// plain are annotations whose value is a name, an address or a word.
var plain = map[string]bool{
	"kubernetes.io/config.hash": true, "kubernetes.io/config.mirror": true, "kubernetes.io/config.seen": true, "kubernetes.io/config.source": true,
	"kubernetes.io/peer-advertise-address": true, "volumes.kubernetes.io/controller-managed-attach-detach": true,
	"volume.kubernetes.io/selected-node": true, "volume.kubernetes.io/storage-provisioner": true, "pv.kubernetes.io/bind-completed": true,
	"pv.kubernetes.io/bound-by-controller": true, "pv.kubernetes.io/provisioned-by": true, "storageclass.kubernetes.io/is-default-class": true,
	"volume.beta.kubernetes.io/storage-class": true, "volume.beta.kubernetes.io/storage-provisioner": true,
	"rbac.authorization.kubernetes.io/autoupdate": true, "service.kubernetes.io/headless": true,
}

const (
	leaderAnnotation = "control-plane.alpha.kubernetes.io/leader" // JSON (client-go v0.37 tools/leaderelection/resourcelock)
	fieldsV1         = "fieldsV1"
)

// values changes stored values in place.
type values struct {
	*texts
	json bool // the one at hand
}

var (
	errOther     = errors.New("no object of Kubernetes in JSON or protobuf")
	errEncrypted = errors.New("encrypted")
)

// value scrubs a stored value. Of one that cannot be read nothing is left; the error says
// why.
func (v *values) value(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	e, err := kube.ParseEnvelope(b)
	v.json = e.Encoding == kube.JSON
	switch {
	case err == nil && (e.Encoding == kube.Protobuf || v.json):
		err = kube.Walk(b, v.part)
	case err == nil && e.Encoding == kube.Encrypted:
		return v.encrypted(b, &e)
	case err == nil:
		err = errOther
	}
	if err != nil {
		v.fill(b)
	}
	return err
}

// encrypted leaves which provider encrypted a value.
func (v *values) encrypted(b []byte, e *kube.Envelope) error {
	head := b[:len(b)-len(e.Raw)]
	v.fill(e.Raw)
	parts := bytes.Split(head, []byte(":")) // k8s:enc:PROVIDER:VERSION:NAME:
	for i, part := range parts {
		known := i < 2 || slices.Contains([]string{"aescbc", "aesgcm", "secretbox", "kms", "v1", "v2"}, string(part))
		if known {
			v.keep(part)
		} else {
			v.opaque(part)
		}
	}
	return errEncrypted
}

func (v *values) part(p *kube.Part) {
	switch p.What {
	case kube.PartKey:
		v.mapKey(p)
	case kube.PartText:
		v.field(p)
	case kube.PartQuantity:
		if quantityLike().Match(p.Bytes) {
			v.keep(p.Bytes)
		} else {
			v.fill(p.Bytes)
		}
	case kube.PartNumber:
		v.number(p)
	case kube.PartBytes:
		if p.Parent() == fieldsV1 && !v.json && v.managed(p.Bytes) == nil {
			return
		}
		v.fill(p.Bytes)
	case kube.PartUnknown:
		v.fill(p.Bytes)
	case kube.PartVarint: // the least number that takes as many bytes
		for i := range p.Bytes {
			p.Bytes[i] = 0x80
		}
		p.Bytes[len(p.Bytes)-1] = 1
	case kube.PartFixed:
		clear(p.Bytes)
	}
}

// counted are fields of JSON whose numbers stay. Custom resources have them, too.
var counted = map[string]bool{
	"replicas": true, "readyReplicas": true, "updatedReplicas": true, "availableReplicas": true, "currentReplicas": true, "minReplicas": true,
	"maxReplicas": true, "generation": true, "observedGeneration": true, "deletionGracePeriodSeconds": true, "port": true, "targetPort": true,
	"nodePort": true, "groupPriorityMinimum": true, "versionPriority": true, "leaseDurationSeconds": true, "leaderTransitions": true,
}

// number leaves what is counted.
func (v *values) number(p *kube.Part) {
	if counted[p.Name()] && len(p.Bytes) < 10 {
		v.keep(p.Bytes)
		return
	}
	for i := 0; i < len(p.Bytes); {
		n := run(p.Bytes, i, isDigit)
		if n > 0 {
			v.replace(domainOpaque, p.Bytes[i:i+n])
		}
		i += max(n, 1)
	}
}

// mapKey is the key of a map, or the name of a field in JSON.
func (v *values) mapKey(p *kube.Part) {
	of, b := p.Name(), p.Bytes
	switch {
	case v.json && slices.Contains(p.Path, fieldsV1):
		v.managedField(b)
	case words().named[string(b)]:
		v.keep(b)
	case labelMaps[of] || dataMaps[of]:
		v.text(b)
	case words().worded[string(b)] || v.json && words().fields[string(b)]:
		v.keep(b)
	default:
		v.text(b)
	}
}

// field is the text of a field.
func (v *values) field(p *kube.Part) {
	name, parent, b := p.Name(), p.Parent(), p.Bytes
	is := func(set map[string]bool) bool { return set[string(b)] }
	switch {
	case len(b) == 0:
	case parent == "annotations":
		v.annotation(name, b)
	case contents[parent] || contents[name]:
		v.opaque(b)
	case labelMaps[parent]:
		if numeric[name] && all(b, isDigit) && len(b) < 10 {
			v.keep(b)
		} else {
			v.text(b)
		}
	case name == "value" && (parent == "env" || parent == "httpHeaders"):
		v.opaque(b)
	case name == "image" || name == "imageID" || parent == "images" && name == "names":
		v.image(b)
	case name == "kubeletVersion" || name == "kubeProxyVersion" || name == "gitVersion":
		v.version(b)
	case name == "resourceVersion" && all(b, isDigit) && len(b) < 20:
		v.keep(b)
	case name == "schedule" && cronPattern().Match(b):
		v.keep(b)
	case words().wordy[name] && (is(words().worded) || is(words().named)):
		v.keep(b)
	default:
		v.text(b)
	}
}

// annotation is the value of one, of which most are content.
func (v *values) annotation(key string, b []byte) {
	switch {
	case numeric[key] && all(b, isDigit) && len(b) < 10:
		v.keep(b)
	case plain[key] || timePattern().Match(b):
		v.text(b)
	case key == leaderAnnotation && !v.json && json.Valid(b) && bytes.IndexByte(b, '\\') < 0:
		v.json = true
		if err := kube.WalkJSON(b, v.part); err != nil {
			v.fill(b)
		}
		v.json = false
	default:
		v.opaque(b)
	}
}

// managed is a managedFields entry's fieldsV1: names of fields, and keys of maps among them.
func (v *values) managed(b []byte) error {
	return kube.WalkJSON(b, func(p *kube.Part) {
		if p.What == kube.PartKey {
			v.managedField(p.Bytes)
		} else if p.What == kube.PartText || p.What == kube.PartNumber {
			v.opaque(p.Bytes)
		}
	})
}

// managedField is a name in fieldsV1 (sigs.k8s.io/structured-merge-diff/v6 v6.4
// fieldpath/serialize-pe.go): "f:" and a field or a key, "k:" and the fields that identify
// an item of a list, "v:" and an item itself, "i:" and its index.
func (v *values) managedField(b []byte) {
	if len(b) < 2 || b[1] != ':' {
		if string(b) != "." {
			v.text(b)
		}
		return
	}
	rest := b[2:]
	switch b[0] {
	case 'f':
		if words().fields[string(rest)] || isOwn(rest) {
			v.keep(rest)
		} else {
			v.text(rest)
		}
	case 'i':
		if all(rest, isDigit) && len(rest) <= 6 {
			v.keep(rest)
		} else {
			v.opaque(rest)
		}
	case 'k', 'v':
		v.quoted(rest)
	default:
		v.text(b)
	}
}

// isOwn says whether a key of a map is one that Kubernetes gives: of a condition, a protocol
// or a resource.
func isOwn(b []byte) bool {
	key := string(b)
	return len(b) > 0 && (words().named[key] || words().worded[key]) && (words().named[key] || isUpper(b[0]) || slices.Contains([]string{"cpu", "memory", "ephemeral-storage", "storage", "pods"}, key))
}

// quoted is JSON inside of a string of JSON: what stands between escaped quotes.
func (v *values) quoted(b []byte) {
	if bytes.Contains(b, []byte(`\\`)) || bytes.Contains(b, []byte(`\u`)) {
		v.fill(b)
		return
	}
	const quote = `\"`
	for i := 0; i < len(b); {
		if !bytes.HasPrefix(b[i:], []byte(quote)) {
			n := run(b, i, isAlnum)
			if word := b[i : i+n]; n > 0 {
				if small := n <= 5 && all(word, isDigit); small || slices.Contains([]string{"true", "false", "null"}, string(word)) {
					v.keep(word) // a port, mostly
				} else {
					v.opaque(word)
				}
			}
			i += max(n, 1)
			continue
		}
		from := i + len(quote)
		n := bytes.Index(b[from:], []byte(quote))
		if n < 0 {
			v.fill(b[i:])
			return
		}
		text := b[from : from+n]
		i = from + n + len(quote)
		if isField := i < len(b) && b[i] == ':'; isField && words().fields[string(text)] || isOwn(text) {
			v.keep(text)
		} else {
			v.text(text)
		}
	}
}
