package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"revenant/analyzer/clock"
	"revenant/analyzer/objects"
	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// describeOptions are the flags of `revenant describe`.
type describeOptions struct {
	streams streams
	open    openOptions
	files   filesOptions
	query   queryOptions
	events  bool
}

func newDescribe(s streams, f runFunc) *cobra.Command {
	o := &describeOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "describe FILE... RESOURCE [NAME]... | RESOURCE/NAME... | KEY...",
		Short: "Describe objects of a snapshot, as kubectl describe does",
		Long: `describe says what there is to say of objects of FILE, as kubectl describe does of
those of a cluster: what each is, its containers and conditions, the other fields of
its spec and status, what owns it and what it owns, and its Events. Of what a Secret
holds it tells the sizes. Where no object has the NAME, those are described whose
names begin with it.

  --at REVISION|TIME   as it was then; ages are those at that time
  --deleted            what no longer exists, each object in its last retained state

Exit codes: 0 done; 2 an object that was named is not there, or nothing could be
read; 3 FILE is damaged, and what was readable is described.`,
		Example: `  revenant describe backup.db pod db-0 -n data
  revenant describe current.db deploy/web --at 04:02:58Z
  revenant describe current.db pods --deleted --field-selector spec.nodeName=node-2`,
		Args:              o.files.needs,
		ValidArgsFunction: completeResources,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.query.addFlags(cmd)
	cmd.Flags().BoolVar(&o.events, "show-events", true, "list the Events about each object")
	return cmd
}

func (o *describeOptions) run(ctx context.Context, args []string) error {
	b, err := o.open.begin(o.streams, &o.files, nil, args, nil)
	if err != nil {
		return err
	}
	if len(b.words) == 0 {
		return hinted(errors.New("no resource is given"), "name one, such as pods, pod/web-0 or a key")
	}
	if err := o.query.parse(b.words); err != nil {
		return err
	}
	return o.open.withState(ctx, o.streams, b.files, &o.query.at, func(s *snapshot.Snapshot, bar *progressLine) error {
		where, now, err := o.query.state(ctx, &o.open, s)
		if err != nil {
			return err
		}
		var c *clock.Clock
		if c, err = clock.Build(ctx, s, where.Prefix); err != nil {
			return err
		}
		bar.clear()
		out, count := outfile.Until(ctx, o.streams.out), 0
		index := relations.NewIndex(relations.State{Snapshot: s, View: where.View, Prefix: where.Prefix, Catalog: where.Catalog}, where.Deleted)
		each := func(object objects.Object) error {
			d := describer{describeOptions: o, where: where, now: now, clock: c, index: index}
			if count++; count > 1 {
				d.text.WriteString("\n\n")
			}
			if err := d.describe(ctx, &object); err != nil {
				return err
			}
			_, err := out.Write(d.text.Bytes())
			return err
		}
		missing, err := o.query.found(ctx, where, each)
		if err == nil && len(missing) > 0 && len(b.words) == 2 && o.query.query.Named() {
			o.query.query.Prefixes = true // kubectl v0.37 pkg/cmd/describe/describe.go DescribeMatchingResources
			missing, err = o.query.found(ctx, where, each)
		}
		switch {
		case err != nil:
			return err
		case len(missing) > 0:
			return notThere(s, missing)
		case o.query.unread > 0:
			return mayBeMeant(o.query.unread)
		case s.Damaged():
			return errDamaged
		case count == 0:
			fmt.Fprintln(o.streams.err, "No resources found.")
		}
		return nil
	})
}

// describer describes one object.
type describer struct {
	*describeOptions
	where objects.State
	now   clock.Interval
	clock *clock.Clock
	index *relations.Index
	text  bytes.Buffer
}

// hiddenSize is what stands for a value of a Secret.
var hiddenSize = regexp.MustCompile(`^<redacted, ([0-9]+ bytes?)>$`)

func (d *describer) describe(ctx context.Context, o *objects.Object) error {
	value, err := d.where.Snapshot.Value(o.Record)
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	decoded := kube.Decode(keyspace.DecodeKey(d.where.Prefix, o.Record.Key), value)
	sections := resources.Describe(o.Resource, decoded, d.now)
	if len(sections) == 0 || sections[0].Title != "" {
		sections = slices.Insert(sections, 0, resources.Section{})
	}
	deleted, until := d.deletion(o)
	sections[0].Facts = append(sections[0].Facts, resources.Fact{Name: "Key", Value: o.Record.Key},
		resources.Fact{Name: "Revision", Value: d.when(o.Record.Main)}, resources.Fact{Name: "Deleted", Value: deleted}, resources.Fact{Name: "Not read", Value: problem})
	for _, s := range sections {
		d.section(&s, decoded.Secret())
	}
	if o.Key.Name == "" {
		return nil
	}
	if err := d.relatives(ctx, o, until); err != nil || !d.describeOptions.events {
		return err
	}
	return d.events(ctx, o, decoded.UID)
}

// deletion says when an object was deleted that no longer exists, and until which
// revision it was there; "" and 0 of one that does.
func (d *describer) deletion(o *objects.Object) (text string, until int64) {
	if !d.where.Deleted {
		return "", 0
	}
	for _, r := range d.where.Snapshot.History(o.Record.Key) {
		if r.Main > o.Record.Main {
			return d.when(r.Main) + "; who did is not stored", r.Main - 1
		}
	}
	return "", 0
}

func (d *describer) when(revision int64) string {
	return words.Number(revision) + ", written " + d.clock.TimeOf(revision).String()
}

// section writes facts below one another, with their values in a column.
func (d *describer) section(s *resources.Section, secret bool) {
	indent := ""
	if s.Title != "" {
		fmt.Fprintf(&d.text, "%s:\n", sanitize.Short(s.Title, maxCell))
		indent = "  "
	}
	const widest = 40 // a longer name keeps its value beside it
	width := 0
	for _, f := range s.Facts {
		if w := runewidth.StringWidth(sanitize.Short(f.Name, maxCell)); f.Value != "" && w <= widest {
			width = max(width, w)
		}
	}
	for _, f := range s.Facts {
		if m := hiddenSize.FindStringSubmatch(f.Value); m != nil && secret {
			f.Value = m[1]
		}
		name := sanitize.Short(f.Name, maxCell) + ":"
		for i, line := range strings.Split(strings.TrimRight(f.Value, "\n"), "\n") {
			if i > 0 {
				name = ""
			} else if line == "" && f.Value == "" {
				break
			}
			pad := max(width+1-runewidth.StringWidth(name), 0) + 2
			fmt.Fprintln(&d.text, strings.TrimRight(indent+name+strings.Repeat(" ", pad)+sanitize.Short(line, maxDiffLine), " "))
		}
	}
}

// maxRelatives is how many relatives are listed.
const maxRelatives = 50

// presences say what is the matter with a relative.
var presences = map[relations.Presence]string{
	relations.Absent: "not there", relations.Replaced: "another object of that name is there", relations.Unreadable: "cannot be read", relations.Unknown: "not known where it is kept",
}

// relatives lists the owners and the dependents of an object: as of until, where it no
// longer exists then.
func (d *describer) relatives(ctx context.Context, o *objects.Object, until int64) error {
	var tree *relations.Tree
	var err error
	view := d.where.View
	if until > 0 {
		view, err = d.where.Snapshot.At(until)
	}
	if err == nil {
		tree, err = d.index.TreeOf(ctx, view, o.Key)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		fmt.Fprintf(&d.text, "Owners and dependents:  not known: %s\n", sanitize.Short(err.Error(), maxDiffLine))
		return nil
	case len(tree.Relatives) < 2 && tree.Unread == 0:
		return nil
	}
	fmt.Fprintln(&d.text, "Owners and dependents:")
	to := min(len(tree.Relatives), max(maxRelatives, tree.Self+1))
	for i, r := range tree.Relatives[:to] {
		note := presences[r.Presence]
		if i == tree.Self {
			note = "this object"
		}
		if note != "" {
			note = " (" + note + ")"
		}
		fmt.Fprintf(&d.text, "%s%s%s\n", strings.Repeat("  ", r.Depth+1), sanitize.Short(r.String(), maxCell), note)
	}
	if more := len(tree.Relatives) - to + tree.More; more > 0 {
		fmt.Fprintf(&d.text, "  and %s more\n", words.Number(more))
	}
	if tree.Unread > 0 {
		fmt.Fprintf(&d.text, "  %s cannot be read, and may belong to it\n", words.Count(tree.Unread, "object"))
	}
	return nil
}

// events lists the Events about an object, the one seen last at the end.
func (d *describer) events(ctx context.Context, o *objects.Object, uid string) error {
	found, err := d.index.EventsOf(ctx, o.Key, uid)
	switch {
	case err != nil:
		return err
	case found.None:
		fmt.Fprintln(&d.text, "Events:  not known: there is none of any object, they may be kept in another etcd")
		return nil
	case len(found.List) == 0 && found.Unread == 0:
		fmt.Fprintln(&d.text, "Events:  <none>")
		return nil
	}
	fmt.Fprintln(&d.text, "Events:")
	rows := [][]string{{"Type", "Reason", "Age", "From", "Message"}, {"----", "------", "----", "----", "-------"}}
	for _, e := range slices.Backward(found.List) {
		age := resources.Age(e.Last, d.now).Text
		if e.Count > 1 {
			age = fmt.Sprintf("%s (x%d over %s)", age, e.Count, resources.Age(e.First, d.now).Text)
		}
		message := e.Message
		if e.Former {
			message = "(of an earlier object of this name) " + message
		}
		rows = append(rows, []string{e.Type, e.Reason, age, e.Source, message})
	}
	t := objectTable{silent: true, header: rows[0]}
	for _, row := range rows {
		for i, most := range []int{maxCell, maxCell, maxCell, maxCell, maxLabels} {
			row[i] = cellText(row[i], most)
		}
		row[0] = "  " + row[0]
		t.rows = append(t.rows, row)
	}
	if err := t.flush(bufio.NewWriter(&d.text)); err != nil {
		return err
	}
	if found.Unread > 0 {
		fmt.Fprintf(&d.text, "  %s cannot be read, and may be about it\n", words.Count(found.Unread, "Event"))
	}
	return nil
}
