package objects

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/history"
	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// setDetail keeps what is read in its place when lines come in before it.
func (o *Screen) setDetail(lines []string) {
	title := o.Theme.Heading(o.format(), o.DetailWidth())
	before, after := slices.Index(o.Lines, title), slices.Index(lines, title)
	top := o.Pager.Top
	same := len(o.Lines) > 0 && len(lines) > 0 && o.Lines[0] == lines[0]
	o.SetLines(lines)
	if o.toText {
		o.toText = false
		o.toggleObject()
		return
	}
	if !same {
		return
	}
	if before >= 0 && after >= 0 && top >= before {
		top += after - before
	}
	o.Pager.Top = max(min(top, len(lines)-o.Pager.Span()), 0)
}

// format is how the object is written.
func (o *Screen) format() string {
	if o.json {
		return "JSON"
	}
	return "YAML"
}

// toggleObject goes to the object's YAML, and back to the top.
func (o *Screen) toggleObject() {
	at := slices.Index(o.Lines, o.Theme.Heading(o.format(), o.DetailWidth()))
	if at = min(at, len(o.Lines)-o.Pager.Span()); at <= 0 || o.Pager.Top == at {
		at = 0
	}
	o.Pager.Top = at
}

// describe reads all of an object.
func (o *Screen) describe(l *session.ObjectList, row, width int) func() []string {
	d := &description{
		theme: o.Theme, keymap: o.Keymap, ObjectList: l, side: o.Source(l.Source), prefix: o.Input.Prefix,
		width: width, json: o.json, opened: o.Opened, look: o.look,
	}
	if why := o.absentIn(l); why != "" && o.Opened {
		key := o.kept
		return func() []string { return d.absence(key, why) }
	}
	object := l.Objects[row]
	d.decoded = o.decoded != "" && o.decoded == object.Record.Key
	if r := o.related; r != nil && r.list == l && r.key == object.Record.Key {
		d.related = r
	}
	d.two, d.alone = o.versionsOf(l, object.Record)
	in, alike := o.Input, &o.alike
	switch {
	case o.kept != object.Record.Key || o.showing == session.WholeObject:
		return func() []string { return d.lines(object) }
	case o.showing == session.Description || d.alone != "":
		return func() []string { return d.description(object) }
	}
	return func() []string {
		if in.Histories().Same(d.two[0], d.two[1]) {
			d.alone = "the " + in.Title(in.Other(l.Source)) + " has the same"
			alike.Store(&listedAt{l, object.Record.Key})
			return d.description(object)
		}
		return d.difference(in, object)
	}
}

// versionsOf finds another version of a listed object, and puts the two in order: its
// newest one in the same snapshot, where an earlier moment is shown, or else that in
// the other snapshot; the one before it where there is no other. Why says that there is
// none.
func (o *Screen) versionsOf(l *session.ObjectList, r snapshot.Record) (two [2]*history.Entry, why string) {
	shown := o.Input.Histories().Entry(l.Source, r)
	if newest, err := o.Source(l.Source).Snapshot.Get(r.Key, 0); err == nil && newest.Revision != r.Revision {
		return [2]*history.Entry{shown, o.Input.Histories().Entry(l.Source, newest)}, ""
	}
	if o.Input.Alone() != "" {
		return o.versionBefore(l.Source, shown)
	}
	other := o.Input.Other(l.Source)
	there, err := o.Source(other).Snapshot.Get(r.Key, 0)
	switch {
	case err != nil:
		return two, "the " + o.Input.Title(other) + " does not have it"
	case there.Revision == r.Revision && r.Main <= o.Input.CommonUpTo(l.Source, other):
		return two, "the " + o.Input.Title(other) + " has the same"
	}
	if was := o.alike.Load(); was != nil && *was == (listedAt{l, r.Key}) {
		return two, "the " + o.Input.Title(other) + " has the same"
	}
	two = [2]*history.Entry{shown, o.Input.Histories().Entry(other, there)}
	if other == o.Input.Backup {
		slices.Reverse(two[:])
	}
	two[0].Apart, two[1].Apart = true, true
	return two, ""
}

// versionBefore finds the version before one in its own snapshot.
func (o *Screen) versionBefore(source int, shown *history.Entry) (two [2]*history.Entry, why string) {
	list := o.Source(source).Snapshot.History(shown.Key)
	i := slices.IndexFunc(list, func(r snapshot.Record) bool { return r.Revision == shown.Revision })
	if i < 1 || list[i-1].Tombstone {
		return two, "the snapshot retains none before it"
	}
	return [2]*history.Entry{o.Input.Histories().Entry(source, list[i-1]), shown}, ""
}

// versions is versionsOf of the selected object.
func (o *Screen) versions() (two [2]*history.Entry, why string) {
	object, ok := o.Table.Item().(*objects.Object)
	if !ok {
		return two, "no object is selected"
	}
	return o.versionsOf(o.shown.list, object.Record)
}

// difference tells two versions apart.
func (d *description) difference(in *session.Input, l objects.Object) []string {
	lines := []string{d.theme.Heading(draw.Safe(objects.Title(l.Key)), d.width)}
	return append(lines, shared.DifferenceOf(in.Histories(), d.theme, d.two[0], d.two[1], d.look, d.width)...)
}

// description is the object as a person would describe it, and its events.
func (d *description) description(l objects.Object) []string {
	t := d.theme
	lines := []string{t.Heading(draw.Safe(objects.Title(l.Key))+", described", d.width)}
	value, err := d.side.Snapshot.Value(l.Record)
	if err != nil {
		return append(lines, draw.Wrap(err.Error(), d.width)...)
	}
	if d.alone != "" {
		lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap("There is no other version to compare it with: "+d.alone+".", d.width))...)
	}
	lines = append(lines, t.Dim.Paint(t.Cut(fmt.Sprintf("as of revision %s; %s shows its YAML", words.Number(l.Record.Main), d.keymap.Key(keys.ToObject)), d.width)), "")
	for i, s := range resources.Describe(d.Catalog.Of(l.Key), kube.Decode(keyspace.DecodeKey(d.prefix, l.Record.Key), value), d.Now) {
		if i > 0 {
			lines = append(lines, "", t.Heading(draw.Safe(s.Title), d.width))
		}
		lines = append(lines, factLines(t, s.Facts, d.width)...)
	}
	if !l.Foreign() && (d.opened || d.related != nil) {
		lines = append(append(lines, ""), d.events()...)
	}
	return lines
}

// factLines writes facts with their names in a column, but for those that are long.
func factLines(t *draw.Theme, facts []resources.Fact, width int) []string {
	label := 0
	for i := range facts {
		if w := ansi.StringWidth(draw.Safe(facts[i].Name)); w <= width/2 {
			label = max(label, w)
		}
	}
	var lines []string
	for i := range facts {
		name := t.Cut(draw.Safe(facts[i].Name), width*2/3)
		lead := name + draw.Spaces(label-ansi.StringWidth(name)) + "  "
		for n, line := range draw.Wrap(facts[i].Value, width-max(label+2, ansi.StringWidth(lead))) {
			if n > 0 {
				lead = draw.Spaces(label + 2)
			}
			lines = append(lines, t.Dim.Paint(lead)+line)
		}
	}
	return lines
}

// description writes all of an object, in a command.
type description struct {
	*session.ObjectList
	theme   *draw.Theme
	keymap  keys.Map
	side    *session.Source
	prefix  string
	width   int
	json    bool
	opened  bool
	decoded bool
	related *relatedToKey
	look    shared.ChangesLook
	two     [2]*history.Entry // versions of it
	alone   string            // why there are none
}

func (d *description) lines(l objects.Object) []string {
	t := d.theme
	lines := []string{t.Heading(draw.Safe(objects.Title(l.Key)), d.width)}
	add := func(more ...string) { lines = append(lines, more...) }
	value, err := d.side.Snapshot.Value(l.Record)
	if err != nil {
		return append(lines, draw.Wrap(err.Error(), d.width)...)
	}
	o := kube.Decode(keyspace.DecodeKey(d.prefix, l.Record.Key), value)
	problem := ""
	if o.Problem != nil {
		problem = o.Problem.Error()
	}
	add(t.Facts(d.width, "key", l.Record.Key, "uid", o.UID, "created", d.when(l.Record.CreateRevision), "changed", d.when(l.Record.Main), "afterwards", d.next(l.Record),
		"version", words.Number(l.Record.Version), "size", words.Size(int64(l.Record.Size))+", "+o.Encoding.String(), "problem", problem)...)
	if secret, ok := o.Typed.(*corev1.Secret); ok {
		add("")
		add(d.secret(secret)...)
	}
	if d.opened && !l.Foreign() {
		add("")
		add(d.relatives()...)
		add("")
		add(d.events()...)
	}
	printed := kube.PrintOptions{DropManagedFields: true, Most: kube.MostOnScreen}
	title, text := "YAML", []byte(nil)
	if d.json {
		title, text = "JSON", o.JSON(printed)
	} else {
		text = o.YAML(printed)
	}
	add("", t.Heading(title, d.width))
	add(t.Document(string(text), d.width)...)
	return lines
}

// manifest is an object as it can be applied again, as YAML or JSON, to be copied or saved,
// and as it is stored. What a Secret holds is in it only where it is shown.
func (o *Screen) manifest(l *session.ObjectList, object *objects.Object) widget.Export {
	if o.showing != session.WholeObject {
		return widget.Export{} // but what is on the screen
	}
	side := o.Source(l.Source)
	name := fmt.Sprintf("%s at revision %s", objects.Title(object.Key), words.Number(object.Record.Main))
	taken := &shared.Taken{
		Prefix: o.Input.Prefix, Key: object.Record.Key, From: name + " of the " + o.Input.Title(l.Source), JSON: o.json,
		Secrets: o.decoded != "" && o.decoded == object.Record.Key, Newest: side, Catalog: l.Catalog,
	}
	e := widget.Export{What: name, File: widget.FileName(fmt.Sprintf("%s-%d", objects.Title(object.Key), object.Record.Main))}
	e.File += map[bool]string{false: ".yaml", true: ".json"}[o.json]
	if shared.IsSecret(object.Key) && !taken.Secrets {
		e.What += fmt.Sprintf(", without what it holds: %s decodes it first", o.Keymap.Key(keys.Decode))
	}
	written := func(write func([]byte) string) func() string {
		return func() string {
			value, err := side.Snapshot.Value(object.Record)
			if err != nil {
				return err.Error()
			}
			return write(value)
		}
	}
	e.Later, e.Raw = written(taken.Manifest), written(taken.Stored)
	return e
}

// when is a revision and its time.
func (d *description) when(revision int64) string {
	text := "at revision " + words.Number(revision)
	if c := d.side.State.Clock; c != nil {
		text += ", " + c.TimeOf(revision).String()
	}
	return text
}

// next says what became of the object after this revision of it.
func (d *description) next(r snapshot.Record) string {
	for _, after := range d.side.Snapshot.History(r.Key) {
		if after.Main < r.Main || after.Main == r.Main && after.Sub <= r.Sub {
			continue
		}
		if after.Tombstone {
			return "deleted at revision " + words.Number(after.Main)
		}
		return "changed again at revision " + words.Number(after.Main)
	}
	return "nothing: it is the newest in this snapshot"
}

// absence says why an object is not there, and when it is.
func (d *description) absence(key, why string) []string {
	t := d.theme
	lines := append([]string{t.Heading("Not there", d.width)}, draw.PaintAll(t.Warning, draw.Wrap(why+".", d.width))...)
	lines = append(lines, "")
	for _, life := range livesOf(d.side.Snapshot, key) {
		lines = append(lines, draw.Wrap(words.Sentence(life), d.width)...)
	}
	return lines
}

func (o *Screen) lives(l *session.ObjectList, key string) []string {
	return livesOf(o.Source(l.Source).Snapshot, key)
}

// livesOf says when an object is there, with a clause for each of its lives.
func livesOf(s *snapshot.Snapshot, key string) []string {
	history := s.History(key)
	if len(history) == 0 {
		return []string{"this snapshot has no revision of it"}
	}
	const most = 50
	var list []string
	for i := 0; i < len(history); i++ {
		if history[i].Tombstone {
			continue
		}
		first := history[i]
		for i+1 < len(history) && !history[i+1].Tombstone {
			i++
		}
		if len(list) == most {
			return append(list, "it was created again later")
		}
		life := "it is there from revision " + words.Number(first.Main) + " on"
		if i+1 < len(history) {
			life = "it was there from revision " + words.Number(first.Main) + " until it was deleted at revision " + words.Number(history[i+1].Main)
		}
		list = append(list, life)
	}
	if list == nil {
		return []string{"its deletion at revision " + words.Number(history[0].Main) + " is all that is kept of it"}
	}
	return list
}

// secret is what a Secret holds, or that it is hidden.
func (d *description) secret(s *corev1.Secret) []string {
	t := d.theme
	lines := []string{t.Heading("Data", d.width)}
	if len(s.Data) == 0 {
		return append(lines, t.Dim.Paint("It holds nothing."))
	}
	names := make([]string, 0, len(s.Data))
	for name := range s.Data {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text := words.Count(len(s.Data[name]), "byte") + ", hidden"
		if d.opened {
			text += ": " + d.keymap.Key(keys.Decode) + " decodes"
		}
		if d.decoded {
			text = secretText(s.Data[name])
		}
		for i, line := range strings.Split(text, "\n") {
			lead := "  "
			if i == 0 {
				lead = draw.Safe(name) + ": "
			}
			for j, piece := range words.Chop(lead+line, d.width) {
				if j == 0 && i == 0 && strings.HasPrefix(piece, lead) {
					piece = t.Dim.Paint(lead) + piece[len(lead):]
				}
				lines = append(lines, piece)
			}
		}
	}
	return lines
}

// secretText is data as text, where it is text.
func secretText(data []byte) string {
	if !utf8.Valid(data) {
		return words.Count(len(data), "byte") + " that are no text"
	}
	text := string(data)
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r' }) {
		return words.Count(len(data), "byte") + " with control characters"
	}
	return strings.TrimRight(sanitize.Text(strings.NewReplacer("\t", "    ", "\r\n", "\n").Replace(text)), "\n")
}
