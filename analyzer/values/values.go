// Package values looks at every live value of a snapshot.
//
// It takes a snapshot. It returns what is wrong with its values: those that hold no
// object of a known encoding, each by its key, and those that are encrypted and cannot
// be decrypted, counted by resource and key.
package values

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// most is how many values that cannot be decoded are named.
const most = 1000

// encrypted is the values of a resource under one key of a provider.
type encrypted struct{ resource, by string }

// Problems looks at the metadata of every live value below prefix. The error is ctx's.
func Problems(ctx context.Context, s *snapshot.Snapshot, prefix string) ([]snapshot.Problem, error) {
	var list []snapshot.Problem
	sealed := map[encrypted]int{}
	n, more := 0, 0
	for r := range s.Keys("") {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		key, ok := kube.ParseKey(prefix, r.Key)
		if !ok {
			continue
		}
		value, err := s.Value(r)
		if err == nil {
			_, err = kube.ScanMeta(value)
		}
		var e *kube.EncryptedError
		switch {
		case err == nil:
		case errors.As(err, &e):
			sealed[encrypted{key.Resource, fmt.Sprintf("%s %s, %s", e.Provider, e.Version, e.Name)}]++
		case len(list) < most:
			list = append(list, snapshot.Problem{Severity: snapshot.Damage, Where: r.Key, What: err.Error(), Cost: "the object cannot be decoded"})
		default:
			more++
		}
	}
	if more > 0 {
		list = append(list, snapshot.Problem{Severity: snapshot.Damage, Where: "values", What: words.Count(more, "more value") + " cannot be decoded"})
	}
	for _, k := range slices.SortedFunc(maps.Keys(sealed), func(a, b encrypted) int {
		return cmp.Or(strings.Compare(a.resource, b.resource), strings.Compare(a.by, b.by))
	}) {
		list = append(list, snapshot.Problem{Severity: snapshot.Note, Where: k.resource,
			What: fmt.Sprintf("%s encrypted (%s)", words.Count(sealed[k], "value"), k.by), Cost: "what is in them, without --encryption-config and a key that fits"})
	}
	return list, nil
}
