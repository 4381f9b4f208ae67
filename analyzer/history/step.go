package history

import "revenant/analyzer/diff"

// Step compares two values of a key that follow one another, of an API server that keeps
// its keys below prefix: the managers that wrote the later one, and what differs. Either
// is nil where there is none: then only the managers are told.
func Step(prefix, key string, before, after []byte) (managers []string, d diff.Difference) {
	if after == nil {
		return nil, d
	}
	r := Reader{Prefix: prefix}
	_, fields, problem := r.managers(key, after)
	if before == nil {
		d.Problem = problem
		return writers(nil, fields), d
	}
	_, was, _ := r.managers(key, before)
	return writers(was, fields), diff.Stored(prefix, key, before, after)
}
