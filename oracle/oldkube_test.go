package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
)

// oldObject is an object as kube110/dump writes it.
type oldObject struct {
	APIVersion, Kind string
	Protobuf         []byte
	JSON             json.RawMessage
}

// oldRelease runs a program of a nested module, which has the types of an old release of
// Kubernetes, and reads the values of JSON that it prints.
func oldRelease[T any](t *testing.T, module string, args ...string) (list []T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "."}, args...)...)
	cmd.Dir = module
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var v T
		switch err := dec.Decode(&v); err {
		case nil:
			list = append(list, v)
		case io.EOF:
			return list
		default:
			t.Fatal(err)
		}
	}
}

// What old releases encoded is decoded without a loss, and printed as they printed it:
// fields that were removed since, and objects of types that were.
func TestOldReleases(t *testing.T) {
	for module, args := range map[string][]string{"kube110": {"types"}, "kube119": nil} {
		list := oldRelease[oldObject](t, module, args...)
		if len(list) < 100 {
			t.Errorf("%s has only %d objects", module, len(list))
		}
		for _, o := range list {
			t.Run(module+" "+o.APIVersion+" "+o.Kind, func(t *testing.T) {
				for encoding, value := range map[string][]byte{"protobuf": o.Protobuf, "JSON": o.JSON} {
					got := kube.Decode(kube.Key{}, value)
					if got.Problem != nil {
						t.Errorf("%s: %v", encoding, got.Problem)
					}
					var want, printed map[string]any
					if err := json.Unmarshal(o.JSON, &want); err != nil {
						t.Fatal(err)
					}
					if err := json.Unmarshal(got.JSON(kube.PrintOptions{ShowSecrets: true}), &printed); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(prune(want), prune(printed)); diff != "" {
						t.Errorf("%s is printed otherwise (-old +now):\n%s", encoding, diff)
					}
				}
			})
		}
	}
}

// prune leaves out what says nothing: null, empty objects and lists, and texts and
// numbers that are zero, which one release omits and another one prints.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			if v[name] = prune(item); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}
