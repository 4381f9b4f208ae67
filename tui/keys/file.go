package keys

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// File is a key map file: for actions, the keys that ask for them.
type File map[string][]string

// Parse reads a key map file, YAML. The error says which action does not
// exist, or which key would stand for two things in one place.
func Parse(file []byte) (File, error) {
	var k File
	if err := yaml.UnmarshalStrict(file, &k); err != nil {
		return nil, err
	}
	if slices.Contains(slices.Concat(values(k)...), "") {
		return nil, errors.New("a key is empty")
	}
	_, err := Default.With(k)
	return k, err
}

func values(k File) [][]string {
	var list [][]string
	for _, keys := range k {
		list = append(list, keys)
	}
	return list
}

// DefaultFile is a key map file with the default keys.
func DefaultFile() []byte {
	var b strings.Builder
	b.WriteString("# Keys of the terminal UI: for every action, the keys that ask for it.\n")
	for _, x := range Default {
		switch {
		case x.Action == "":
			fmt.Fprintf(&b, "\n# %s\n", x.Label)
		case !Fixed(x.Action):
			fmt.Fprintf(&b, "%s: [%s] # %s\n", x.Action, strings.Join(quotedKeys(x.Keys), ", "), x.Does)
		}
	}
	return []byte(b.String())
}

func quotedKeys(keys []string) []string {
	list := make([]string, len(keys))
	for i, key := range keys {
		list[i] = strconv.Quote(key)
	}
	return list
}
