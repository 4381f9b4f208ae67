package shared

import (
	"cmp"

	"revenant/analyzer/diff"
	"revenant/analyzer/history"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/tui/draw"
	"revenant/tui/session"
)

// ObjectThen is the object as a revision has it.
func ObjectThen(v *session.Readings, t *draw.Theme, e *history.Entry, width int) []string {
	lines := []string{t.Heading("At revision "+v.Name(e), width)}
	if e.Tombstone {
		return append(lines, "It was deleted at this revision.")
	}
	return append(lines, t.Document(Yaml(v, e), width)...)
}

// Yaml reads the object as a revision has it, as YAML. What a Secret holds is redacted.
func Yaml(v *session.Readings, e *history.Entry) string {
	value, err := v.Value(e)
	if err != nil {
		return err.Error()
	}
	return string(kube.Decode(keyspace.DecodeKey(v.Prefix, e.Key), value).YAML(kube.PrintOptions{DropManagedFields: true}))
}

// DifferenceOf is what differs between any two revisions.
func DifferenceOf(v *session.Readings, t *draw.Theme, b, a *history.Entry, look ChangesLook, width int) []string {
	lines := []string{t.Heading("From revision "+v.Name(b)+" to "+v.Name(a), width)}
	x, errX := v.Value(b)
	y, errY := v.Value(a)
	if err := cmp.Or(errX, errY); err != nil {
		return append(lines, draw.PaintAll(t.Warning, draw.Wrap(err.Error(), width))...)
	}
	lines = append(lines, t.Facts(width, "before", b.When.String(), "after", a.When.String())...)
	look.Whole = (x == nil) != (y == nil)
	switch {
	case x == nil && y == nil:
		return append(lines, "It was deleted at both.")
	case x == nil:
		lines = append(lines, "It was deleted at the first: what follows is all that the other has.")
	case y == nil:
		lines = append(lines, "It was deleted at the second: what follows is all that was there.")
	}
	d := diff.Stored(v.Prefix, a.Key, x, y)
	if d.Recreated {
		lines = append(lines, draw.Wrap("Deleted and created again between the two: another object of the same name.", width)...)
	}
	if d.Problem != "" {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("Not read in full, so that more may differ: "+d.Problem, width))...)
	}
	return append(append(lines, ""), Changes(t, d.Changes, look, width)...)
}
