package objects

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/objects"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// past says that another moment is shown than the newest of the current snapshot; "" where
// that is shown.
func (o *Screen) past() string {
	list := o.Session.Objects
	if list == nil {
		return ""
	}
	at, what := list.Moment, "IN THE PAST"
	head := o.Source(at.Source).Snapshot.Revision()
	newest := at.Revision == 0 || at.Revision == head
	switch {
	case at.Source == o.Input.Backup && at.Source != o.Input.Current && newest:
		what = "IN THE BACKUP"
	case at.Source != o.Input.Current:
	case newest:
		return ""
	}
	back := o.Keymap.Key(keys.Newest) + " goes back to the newest state"
	return what + ": " + o.MomentText(at) + "; " + back
}

// absent says why the object that the person chose is not shown, "" when it is.
func (o *Screen) absent() string {
	if o.shown.list == nil || o.shown.grouped >= 0 {
		return ""
	}
	return o.absentIn(o.shown.list)
}

func (o *Screen) absentIn(l *session.ObjectList) string {
	if o.kept == "" {
		return ""
	}
	if row, ok := o.Table.Row(); ok && o.Table.Rows.Name(row) == o.kept {
		return ""
	}
	if _, err := l.View.Get(o.kept); err == nil {
		return "" // it is there, and filtered away
	}
	return o.nameOf(o.kept) + " does not exist at this revision"
}

// nameOf is how people write the object of a key.
func (o *Screen) nameOf(key string) string {
	k, ok := kube.ParseKey(o.Input.Prefix, key)
	if !ok {
		return key
	}
	return objects.Title(k)
}

// Location is where one is: in the resource and namespace that are listed, and in the
// opened object, which may not be there.
func (o *Screen) Location() string {
	var q objects.Query
	crumbs := []string{"", ""}
	if list := o.Session.Objects; list != nil {
		q = list.Query
		crumbs = []string{o.what(list), q.Namespace}
	}
	if o.Opened {
		name := cmp.Or(o.kept, o.Table.Selected)
		if k, ok := kube.ParseKey(o.Input.Prefix, name); ok {
			if name = k.Name; o.Session.Objects == nil || o.Session.Objects.Resource == nil {
				name = k.Resource + "/" + name
			}
			if q.Namespace == "" {
				crumbs[1] = k.Namespace
			}
		}
		crumbs = append(crumbs, name)
	}
	crumbs = slices.DeleteFunc(crumbs, func(s string) bool { return s == "" })
	return strings.Join(crumbs, " "+o.Theme.Crumb+" ")
}

// what says which objects a query wants, "" for all.
func (o *Screen) what(l *session.ObjectList) string {
	switch words := l.Query.Words; {
	case l.Query.RelatedTo != "":
		return "relatives of " + o.nameOf(l.Query.RelatedTo)
	case l.Resource != nil && len(words) == 1 && !l.Query.Named():
		return l.Resource.FullName()
	default:
		return strings.Join(words, " ")
	}
}

// scope is what all objects that are listed have in common.
func (o *Screen) scope() (list []string) {
	if o.shown.list == nil {
		return nil
	}
	q := o.shown.list.Query
	if q.Namespace != "" {
		list = append(list, "namespace "+q.Namespace)
	}
	if what := o.what(o.shown.list); what != "" {
		list = append(list, what)
	}
	byLabels, byFields := q.Selectors()
	if byLabels != "" {
		list = append(list, "-l "+byLabels)
	}
	if byFields != "" {
		list = append(list, "--field-selector "+byFields)
	}
	return list
}

// emptiness says why no object is listed and, where one was asked for, why that is
// not there.
func (o *Screen) emptiness(l *session.ObjectList) string {
	why := o.absentIn(l)
	if why == "" {
		return o.emptyBecause(l)
	}
	lives := o.lives(l, o.kept)
	return why + ". " + words.Sentence(strings.Join(lives, "; ")) + " " + o.emptyBecause(l)
}

// emptyBecause says why a list has no object.
func (o *Screen) emptyBecause(l *session.ObjectList) string {
	what := "There is no key"
	switch q := &l.Query; {
	case q.RelatedTo != "":
		return o.nameOf(q.RelatedTo) + " does not exist at this revision, or cannot be read."
	case l.Unknown != nil:
		return words.Sentence(draw.Safe(l.Unknown.Error()))
	case q.Labels != nil || q.Fields != nil || l.Resource != nil && q.Named():
		return "No object of this revision is meant by that."
	case l.Resource != nil:
		what = "There are no " + l.Resource.FullName()
	case len(q.Words) > 0:
		what = "There are none of these"
	}
	if l.Query.Namespace != "" {
		what += " in the namespace " + draw.Quoted(l.Query.Namespace)
	}
	if l.Resource != nil && l.Query.Namespace != "" && l.Resource.Count > 0 {
		return fmt.Sprintf("%s at this revision; other namespaces have %s.", what, words.Number(l.Resource.Count))
	}
	return what + " at this revision."
}

// notes says beside the counts what is not to be seen, and how far reading is.
func (o *Screen) notes() []string {
	t := o.Theme
	var parts []string
	if why := o.absent(); why != "" {
		parts = append(parts, t.Warning.Paint(draw.Safe(why)))
	}
	if l := o.shown.list; l != nil && l.Unread > 0 {
		parts = append(parts, t.Warning.Paint(words.Count(l.Unread, "object")+" cannot be read, and may be meant"))
	}
	if done, all := o.reading(); all > 0 {
		parts = append(parts, t.Dim.Paint(fmt.Sprintf("reading, %d %%", 100*done/all)))
	}
	return parts
}
