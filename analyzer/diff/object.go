package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
)

// Difference is what differs between two states of one object.
type Difference struct {
	Changes   []Change // sorted by path, noise among them
	Recreated bool     // another object of the same name: its uid is another
	// Problem says what could not be read, so that more may differ, "" for nothing.
	Problem string
}

// Noise gathers the noise there is.
func (d *Difference) Noise() Noise {
	var n Noise
	for i := range d.Changes {
		n |= d.Changes[i].Noise
	}
	return n
}

// Quiet says that there is nothing but noise.
func (d *Difference) Quiet() bool {
	for i := range d.Changes {
		if d.Changes[i].Noise == 0 {
			return false
		}
	}
	return !d.Recreated && d.Problem == ""
}

// Significant lists the changes that are no noise.
func (d *Difference) Significant() []Change {
	var list []Change
	for _, c := range d.Changes {
		if c.Noise == 0 {
			list = append(list, c)
		}
	}
	return list
}

// Stored tells two values apart that are stored under a key, which the API server
// keeps below prefix. nil is none: then all of the other one but its
// managed fields is added or removed.
// The values must not be changed afterwards.
func Stored(prefix, key string, before, after []byte) Difference {
	return stored(prefix, key, before, after, true, false)
}

// stored is Stored, with what Secrets hold when it is asked for. Managed fields, half of an
// object, are listed one by one only on request; else only that they differ.
func stored(prefix, key string, before, after []byte, managed, secrets bool) Difference {
	if before != nil && after != nil && bytes.Equal(before, after) {
		return Difference{}
	}
	b, a := read(prefix, key, before), read(prefix, key, after)
	var d Difference
	d.Problem = problems(b, a)
	d.Recreated = b.uid != "" && a.uid != "" && b.uid != a.uid
	var rest []Change
	if managed = managed || b.garbled() || a.garbled(); !managed {
		if !reflect.DeepEqual(b.dropManaged(), a.dropManaged()) {
			rest = []Change{{Path: "metadata.managedFields", Noise: ManagedFields}}
		}
	}
	two := before != nil && after != nil
	x, y := shown(b, a, true, secrets)
	d.Changes = append(documents(x, y, a.kindOr(b)), rest...)
	switch {
	case len(d.Changes) > 0 || !two:
	case d.Problem != "" || b.secret():
		d.Changes = []Change{{Path: "", Before: "<stored bytes>", After: "<other stored bytes>"}}
	default:
		d.Changes = []Change{{Path: "", Before: `"` + b.Encoding.String() + `"`, After: `"` + a.Encoding.String() + `"`, Noise: Reencoded}}
	}
	return d
}

// shown are the documents of two states, with managed fields where both exist and they are
// asked for. What a Secret holds is hidden unless it is asked for.
func shown(b, a state, managed, secrets bool) (x, y any) {
	managed = managed && b.Object != nil && a.Object != nil
	x, y = b.document(true, managed), a.document(true, managed)
	if !secrets && (b.secret() || a.secret()) {
		hiddenX, hiddenY := b.document(false, managed), a.document(false, managed)
		return hiddenX, distinguish(x, y, hiddenX, hiddenY)
	}
	return x, y
}

// verdict says what became of an object that has both values, and which noise makes it
// quiet. It agrees with stored, and mostly takes a tenth of its time: kinds that have
// no noise of their own are not printed.
func verdict(prefix, key string, before, after []byte) (Fate, Noise, string) {
	if bytes.Equal(before, after) {
		return Quiet, Rewritten, ""
	}
	b, a := read(prefix, key, before), read(prefix, key, after)
	problem := problems(b, a)
	switch {
	case b.uid != "" && a.uid != "" && b.uid != a.uid:
		return Recreated, 0, problem
	case problem != "":
		return Changed, 0, problem
	}
	if x, y := b.typed(), a.typed(); x != nil && y != nil && b.kind == a.kind && !b.noisy() && !a.noisy() {
		garbled := b.garbled() || a.garbled()
		sameManaged := reflect.DeepEqual(b.dropManaged(), a.dropManaged())
		switch {
		case !equality.Semantic.DeepEqual(x, y):
			return Changed, 0, ""
		case reflect.DeepEqual(x, y) && !sameManaged && !garbled:
			return Quiet, ManagedFields, ""
		}
	}
	if d := stored(prefix, key, before, after, false, false); d.Quiet() {
		return Quiet, d.Noise(), ""
	}
	return Changed, 0, ""
}

// typed is the object that managed fields can be taken off, nil for none, and for one
// that has more than its type takes.
func (s state) typed() metav1.Object {
	if s.Object == nil || s.Unstructured != nil || s.Removed {
		return nil
	}
	meta, _ := s.Typed.(metav1.Object)
	return meta
}

// garbled says whether managed fields are no JSON: then all of the object is shown by
// field number.
func (s state) garbled() bool {
	meta := s.typed()
	return meta != nil && slices.ContainsFunc(meta.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		raw := f.FieldsV1.GetRawBytes()
		return len(raw) > 0 && !json.Valid(raw)
	})
}

// noisy says whether the object can have noise beside managed fields.
func (s state) noisy() bool {
	switch s.kind {
	case kindNode, kindLease, kindEvent, kindEvents, kindServer:
		return true
	}
	_, leads := s.typed().GetAnnotations()[leaderKey]
	return leads
}

// state is one state of an object; the zero value is none.
type state struct {
	*kube.Object
	kind, uid string
}

func read(prefix, key string, value []byte) state {
	if value == nil {
		return state{}
	}
	o := kube.Decode(keyspace.DecodeKey(prefix, key), value)
	s := state{o, kindOf(o.APIVersion, o.Kind), o.UID}
	below, _ := kube.CutPrefix(prefix, key)
	if dir, _, _ := strings.Cut(below, "/"); o.Kind == "Endpoints" && (dir == "masterleases" || dir == "peerserverleases") {
		s.kind = kindServer
	}
	return s
}

func (s state) kindOr(t state) string {
	if s.Object == nil {
		return t.kind
	}
	return s.kind
}

func (s state) secret() bool { return s.Object != nil && s.Secret() }

// document is the object, with what a Secret holds, and with managed fields, only
// when they are asked for.
func (s state) document(secrets, managed bool) any {
	if s.Object == nil {
		return missing{}
	}
	return s.Document(kube.PrintOptions{ShowSecrets: secrets, DropManagedFields: !managed})
}

// distinguish marks what is hidden in b where it looks the same as in a and is not.
// It returns b.
func distinguish(shownA, shownB, a, b any) any {
	x, okX := a.(map[string]any)
	y, okY := b.(map[string]any)
	if !okX || !okY {
		if text(a) == text(b) && text(shownA) != text(shownB) {
			return fmt.Sprint(b) + ", not the same"
		}
		return b
	}
	inA, _ := shownA.(map[string]any)
	inB, _ := shownB.(map[string]any)
	for name, v := range y {
		if _, ok := x[name]; ok {
			if marked := distinguish(at(inA, name), at(inB, name), x[name], v); text(marked) != text(v) {
				y[name] = marked
			}
		}
	}
	return y
}

// dropManaged takes the managed fields off a typed object and returns them. Those of
// others stay.
func (s state) dropManaged() []metav1.ManagedFieldsEntry {
	meta := s.typed()
	if meta == nil {
		return nil
	}
	fields := meta.GetManagedFields()
	meta.SetManagedFields(nil)
	return fields
}

func problems(states ...state) string {
	var list []string
	for _, s := range states {
		if s.Object != nil && s.Problem != nil {
			if text := s.Problem.Error(); len(list) == 0 || list[0] != text {
				list = append(list, text)
			}
		}
	}
	return strings.Join(list, "; ")
}
