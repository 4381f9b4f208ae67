package history

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/diff"
)

// Step compares two values of a key that follow one another, of an API server that keeps
// its keys below prefix: the managers that wrote the later one, and what differs. Either
// is nil where there is none: then only the managers are returned.
func Step(prefix, key string, before, after []byte) (managers []string, d diff.Difference) {
	if after == nil {
		return nil, d
	}
	r := Reader{Prefix: prefix}
	now, problem := r.fields(key, after)
	if before == nil {
		d.Problem = problem
		return names(writers(nil, now)), d
	}
	was, _ := r.fields(key, before)
	return names(writers(was, now)), diff.Stored(prefix, key, before, after)
}

// fields are the managed fields of an object, none where it cannot be read.
func (r *Reader) fields(key string, value []byte) ([]metav1.ManagedFieldsEntry, string) {
	meta, problem := r.metadata(key, value)
	if meta == nil {
		return nil, problem
	}
	return meta.GetManagedFields(), problem
}
