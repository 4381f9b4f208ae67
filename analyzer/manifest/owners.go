package manifest

import (
	"strings"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// InNewest is for Options.Exists: it says whether an owner of an object in a namespace is
// there in the newest state of s, with that uid. c is that state's catalog, and prefix that
// of the API servers' keys.
func InNewest(s *snapshot.Snapshot, c *resources.Catalog, prefix, namespace string) func(Owner) bool {
	return func(owner Owner) bool {
		group, _, found := strings.Cut(owner.APIVersion, "/")
		if !found {
			group = ""
		}
		r := c.OfKind(group, owner.Kind)
		if r == nil {
			return false
		}
		key := kube.Key{Group: r.Group, Resource: r.Name, Name: owner.Name}
		if r.Namespaced {
			key.Namespace = namespace
		}
		record, err := s.Get(key.Path(prefix), 0)
		if err != nil {
			return false
		}
		value, err := s.Value(record)
		if err != nil {
			return true // it is there; whether it is the same cannot be read
		}
		meta, err := kube.ScanMeta(value)
		return err != nil || meta.UID == owner.UID
	}
}
