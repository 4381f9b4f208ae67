package train

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"revenant/analyzer/history"
	"revenant/analyzer/manifest"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// manifestQuestion asks for the manifest of an object that was deleted: as it was last, in
// the form in which an API server takes it as a new object.
func manifestQuestion(carved bool) *foundQuestion {
	return &foundQuestion{
		wrong: func(ctx context.Context, f *facts, of, answer string) (string, error) {
			r, h, last, _, err := f.deletion(ctx, of, carved)
			if err != nil {
				return "", err
			}
			right, err := manifestAt(r, h, last)
			if err != nil {
				return "", err
			}
			given, why := readManifest(answer, right)
			if why != "" {
				return why, nil
			}
			differs := compare("", right.Document, given)
			if len(differs) == 0 {
				return "", nil
			}
			for i := range h.Entries { // as it was at another time?
				if i == last || h.Entries[i].Tombstone {
					continue
				}
				if m, err := manifestAt(r, h, i); err == nil && len(compare("", m.Document, given)) == 0 {
					return fmt.Sprintf("That is how it was at revision %d. It was written again at revision %d, before it was deleted.", h.Entries[i].Main, h.Entries[last].Main), nil
				}
			}
			return explain(differs, right), nil
		},
		right: func(ctx context.Context, f *facts, of string) (string, error) {
			r, h, last, _, err := f.deletion(ctx, of, carved)
			if err != nil {
				return "", err
			}
			m, err := manifestAt(r, h, last)
			if err != nil {
				return "", err
			}
			text, err := kube.DocumentYAML(m.Document)
			return string(text), err
		},
	}
}

// manifestAt is the manifest of the object as it was at a revision of its history.
func manifestAt(r *history.Reader, h *history.History, i int) (*manifest.Manifest, error) {
	value, err := r.Value(&h.Entries[i])
	if err != nil {
		return nil, err
	}
	return manifest.Of(kube.Decode(keyspace.DecodeKey(r.Prefix, h.Key), value), manifest.Options{ShowSecrets: true})
}

// most bounds how many documents of a file are looked at.
const most = 100

// readManifest reads the document of the right object out of a file in YAML or JSON, which
// may hold others, or lists. It says what the file lacks.
func readManifest(text string, right *manifest.Manifest) (map[string]any, string) {
	if strings.TrimSpace(text) == "" {
		return nil, "The file is empty."
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	var seen []string
	for range most {
		part, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Sprintf("It is no YAML: %.200v.", err)
		}
		data, err := yaml.YAMLToJSON(part)
		if err != nil {
			return nil, fmt.Sprintf("It is no YAML: %.200v.", err)
		}
		var document map[string]any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if d.Decode(&document) != nil || document == nil {
			continue
		}
		list := []any{document}
		if items, ok := document["items"].([]any); ok {
			list = items
		}
		for _, item := range list {
			o, ok := item.(map[string]any)
			if !ok {
				continue
			}
			if title(o) == title(right.Document) {
				return o, ""
			}
			seen = append(seen, title(o))
		}
	}
	if len(seen) == 0 {
		return nil, "No manifest is in it."
	}
	return nil, fmt.Sprintf("Want %s, and there is %s.", title(right.Document), words.List(seen[:min(len(seen), 3)]))
}

// title names the object of a manifest.
func title(o map[string]any) string {
	meta, _ := o["metadata"].(map[string]any)
	name := fmt.Sprintf("%.40v %.60v", o["kind"], meta["name"])
	if namespace, ok := meta["namespace"]; ok {
		name += fmt.Sprintf(" in %.60v", namespace)
	}
	return name
}

// difference is a field in which a manifest differs from the right one.
type difference struct {
	path string
	how  string // missing, too much, unquoted or other
}

// compare compares what is given with what is right, field by field.
func compare(path string, right, given any) []difference {
	r, isMap := right.(map[string]any)
	g, ok := given.(map[string]any)
	if !isMap || !ok {
		if list, isList := right.([]any); isList {
			if other, ok := given.([]any); ok && len(other) == len(list) {
				var found []difference
				for i := range list {
					found = append(found, compare(fmt.Sprintf("%s[%d]", path, i), list[i], other[i])...)
				}
				return found
			}
		}
		switch {
		case reflect.DeepEqual(right, given):
			return nil
		case reflect.TypeOf(right) == reflect.TypeFor[string]() && given != nil && fmt.Sprint(right) == fmt.Sprint(given):
			return []difference{{path, "unquoted"}}
		}
		return []difference{{path, "other"}}
	}
	var found []difference
	all := map[string]bool{}
	for name := range r {
		all[name] = true
	}
	for name := range g {
		all[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		a, inRight := r[name]
		b, inGiven := g[name]
		switch {
		case !inGiven:
			found = append(found, difference{at, "missing"})
		case !inRight && empty(b):
		case !inRight:
			found = append(found, difference{at, "too much"})
		default:
			found = append(found, compare(at, a, b)...)
		}
	}
	return found
}

// empty says whether a value says nothing, as creationTimestamp: null does.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// explain says what a manifest overlooks: what is too much first, and why it is.
func explain(list []difference, right *manifest.Manifest) string {
	for _, d := range list {
		if d.how != "too much" {
			continue
		}
		for _, dropped := range right.Dropped {
			if dropped.Path == d.path || strings.HasPrefix(dropped.Path, d.path+".") {
				return fmt.Sprintf("The field %s does not belong into it: %s.", d.path, dropped.Why)
			}
		}
		return fmt.Sprintf("The field %.100s is not one of the object.", d.path)
	}
	var paths []string
	for _, d := range list[:min(len(list), 3)] {
		paths = append(paths, d.path)
	}
	switch list[0].how {
	case "unquoted":
		return fmt.Sprintf("The field %s is text in the object: an API server refuses it without quotes.", paths[0])
	case "missing":
		return fmt.Sprintf("It lacks %s, which the object had.", words.List(paths))
	}
	return fmt.Sprintf("It is not as the object was in %s.", words.List(paths))
}
