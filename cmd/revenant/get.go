package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/analyzer/clock"
	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// queryOptions are the flags that choose objects, as kubectl has them.
type queryOptions struct {
	query    objects.Query
	selector string
	fields   string
	all      bool
	at       string
	deleted  bool
	carved   bool

	unread int // objects that may be meant, and cannot be read
}

func (o *queryOptions) addFlags(cmd *cobra.Command) {
	o.addChoice(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.fields, "field-selector", "", "only objects with these `FIELDS`: spec.nodeName=node-1")
	flags.StringVar(&o.at, "at", "", "the state at this `REVISION|TIME` (default: the newest)")
	flags.BoolVar(&o.deleted, "deleted", false, "what no longer exists, each object in its last retained state")
	flags.BoolVar(&o.carved, "carved", false, "with --deleted, also what can only be recovered from pages that are free")
}

// parse reads the selectors. It is called before anything is opened.
func (o *queryOptions) parse(words []string) error {
	if o.carved && !o.deleted {
		return hinted(errors.New("--carved adds to what --deleted lists"), "revenant carve lists all that can be recovered")
	}
	o.query.Words = words
	err := o.query.Parse(o.selector, o.fields)
	if bad := (*objects.SelectorError)(nil); errors.As(err, &bad) {
		return hinted(err, "such as "+bad.Example)
	}
	return err
}

// state is what the flags ask of a snapshot.
func (o *queryOptions) state(ctx context.Context, open *openOptions, s *snapshot.Snapshot) (w objects.State, now clock.Interval, err error) {
	choice, err := open.needPrefix(ctx, s)
	if err != nil {
		return w, now, err
	}
	c, err := clock.Build(ctx, s, choice.Prefix)
	if err != nil {
		return w, now, err
	}
	revision := int64(0)
	if o.at != "" {
		m, err := clock.ParseMoment(o.at, c.Taken().From)
		if err != nil {
			return w, now, fmt.Errorf("--at: %w", err)
		}
		if revision, err = c.Revision(m, s.Revision()); err != nil {
			return w, now, hinted(fmt.Errorf("--at: %w", err), "give a revision")
		}
	}
	w = objects.State{Snapshot: s, Prefix: choice.Prefix, Deleted: o.deleted}
	if o.carved {
		if w.Carved, err = s.Carve(ctx); err != nil {
			return w, now, err
		}
	}
	if w.View, err = s.At(revision); err != nil {
		return w, now, windowHint(s, err)
	}
	w.Catalog, err = resources.NewCatalog(ctx, s, w.View, choice.Prefix, nil)
	return w, c.TimeOf(w.View.Revision()), err
}

// found goes over the objects that were asked for, and notes those that were named and
// are not there.
func (o *queryOptions) found(ctx context.Context, w objects.State, each func(objects.Object) error) (missing []string, err error) {
	o.unread = 0
	for object, err := range o.query.Find(ctx, w) {
		var absent *objects.MissingError
		var unread *objects.UnreadError
		switch {
		case errors.As(err, &unread):
			o.unread++
			continue
		case errors.As(err, &absent):
			missing = append(missing, absent.Word)
			continue
		case err != nil:
			return missing, queryHint(err)
		}
		if err := each(object); err != nil {
			return missing, err
		}
	}
	return missing, nil
}

// queryHint says what there is instead of what was asked for.
func queryHint(err error) error {
	var unknown *objects.UnknownError
	var field *objects.FieldError
	switch {
	case errors.As(err, &unknown) && len(unknown.Near) > 0:
		return hinted(err, "there are "+strings.Join(unknown.Near, ", "))
	case errors.As(err, &field):
		return hinted(err, "they are by "+strings.Join(field.Known, ", "))
	}
	return err
}

// mayBeMeant is the error of objects that selectors may mean, and that cannot be read.
func mayBeMeant(n int) error {
	return hinted(fmt.Errorf("%s cannot be read, and may be meant by the selector", words.Count(n, "object")), "without -l and --field-selector they are listed; --encryption-config decrypts")
}

// notThere is the error of objects that were named.
func notThere(s *snapshot.Snapshot, missing []string) error {
	return windowHint(s, fmt.Errorf("not there: %s", strings.Join(missing, ", ")))
}

// getOptions are the flags of `revenant get`.
type getOptions struct {
	streams     streams
	open        openOptions
	files       filesOptions
	query       queryOptions
	outputs     []string
	showSecrets bool
	showLabels  bool
	noHeaders   bool
	sortBy      string
	managed     bool

	formats []*getFormat
	order   *sortOrder
}

func newGet(s streams, f runFunc) *cobra.Command {
	o := &getOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "get FILE... [RESOURCE [NAME]... | RESOURCE/NAME... | KEY...]",
		Short: "List the objects of a snapshot, as kubectl get does",
		Long: `get lists objects of FILE as kubectl get lists those of a cluster: the same names
of resources, selectors, columns and formats. Without -n it lists all namespaces.
Ages are those at the revision that is shown. What a Secret holds is redacted
unless --show-secrets is given.

Several files, or a directory of them, are read as one history: what is listed is
the newest state, and --at finds the file that holds another one.

  --at REVISION|TIME   the state as it was then
  --deleted            what no longer exists, each object in its last retained state
  --deleted --carved   and what only pages that are free still have of it

Exit codes: 0 done; 2 an object that was named is not there, or nothing could be
read; 3 FILE is damaged, and what was readable is listed.`,
		Example: `  revenant get backup.db pods -n shop -o wide
  revenant get current.db deploy,sts --at 04:02:58Z
  revenant get backups/ nodes --at 2026-11-23T04:02:58Z
  revenant get current.db pods --deleted --field-selector spec.nodeName=node-2
  revenant get backup.db nodes -o jsonpath='{.items[*].metadata.name}'
  revenant get backup.db pods --sort-by=.status.startTime`,
		Args:              o.files.needs,
		ValidArgsFunction: completeResources,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.query.addFlags(cmd)
	o.addFlags(cmd.Flags())
	register(cmd, "output", completeKeyed("table", "wide", "name", "json", "yaml"))
	return cmd
}

func (o *getOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, "write `FORMAT[=FILE]`: table, wide, name, json or yaml; or jsonpath=EXPRESSION, jsonpath-as-json=EXPRESSION or custom-columns=HEADER:PATH,...; can be given several times (default table)")
	flags.StringVar(&o.sortBy, "sort-by", "", "sort by the field at this JSON `PATH`: .metadata.name")
	flags.BoolVar(&o.showLabels, "show-labels", false, "show the labels in a last column")
	flags.BoolVar(&o.noHeaders, "no-headers", false, "leave the headers of a table out")
	flags.BoolVar(&o.managed, "show-managed-fields", false, "keep metadata.managedFields in json and yaml")
	flags.BoolVar(&o.showSecrets, "show-secrets", false, "show what Secrets hold")
}

func (o *getOptions) run(ctx context.Context, args []string) error {
	files, err := o.parse(args)
	if err != nil {
		return err
	}
	return o.open.withState(ctx, o.streams, files, &o.query.at, func(s *snapshot.Snapshot, bar *progressLine) error {
		where, now, err := o.query.state(ctx, &o.open, s)
		if err != nil {
			return err
		}
		bar.clear()
		return o.write(ctx, where, now)
	})
}

// parse reads what the flags and words say. It is called before anything is opened.
func (o *getOptions) parse(args []string) (files []string, err error) {
	b, err := o.open.begin(o.streams, &o.files, nil, args, nil)
	if err != nil {
		return nil, err
	}
	if err := o.query.parse(b.words); err != nil {
		return nil, err
	}
	if o.formats, err = parseGetFormats(b.guard, o.outputs); err != nil {
		return nil, err
	}
	o.order, err = parseSortBy(o.sortBy)
	return b.files, err
}

// write lists the objects of a state in every format.
func (o *getOptions) write(ctx context.Context, where objects.State, now clock.Interval) error {
	l := &objectList{getOptions: o, where: where, now: now, named: o.query.query.Named(), several: o.query.query.Several(where)}
	var missing []string
	for _, l.format = range o.formats {
		list := func(w io.Writer) (err error) {
			l.out, l.count, l.table = bufio.NewWriter(w), 0, nil
			if l.format.name == "custom-columns" {
				l.table = l.customTable()
			}
			missing, err = l.list(ctx, o.order)
			return errors.Join(err, l.out.Flush())
		}
		var err error
		if l.format.place != nil {
			err = l.format.place.Write(ctx, 0o600, list)
		} else {
			err = list(outfile.Until(ctx, o.streams.out))
		}
		if err != nil {
			return err
		}
	}
	switch {
	case len(missing) > 0:
		return notThere(where.Snapshot, missing)
	case o.query.unread > 0:
		return mayBeMeant(o.query.unread)
	case where.Snapshot.Damaged():
		return errDamaged
	case l.count == 0:
		fmt.Fprintln(o.streams.err, "No resources found.")
	}
	return nil
}

// objectList writes the objects that were found.
type objectList struct {
	*getOptions
	where  objects.State
	now    clock.Interval
	out    *bufio.Writer
	format *getFormat
	count  int
	table  *objectTable

	named   bool // one object was asked for by its name
	several bool // there may be objects of more than one resource
}

// list writes all objects: as they come, or sorted once all are known.
func (l *objectList) list(ctx context.Context, order *sortOrder) ([]string, error) {
	if order == nil {
		missing, err := l.query.found(ctx, l.where, l.object)
		return missing, errors.Join(err, l.end())
	}
	var all []sorted
	missing, err := l.query.found(ctx, l.where, func(o objects.Object) error {
		s, err := order.of(o, l.document(&o, l.decode(&o)))
		all = append(all, s)
		return err
	})
	if err != nil {
		return missing, err
	}
	if err := l.sort(all, order); err != nil {
		return missing, err
	}
	for i := range all {
		if err := l.object(all[i].Object); err != nil {
			return missing, err
		}
	}
	return missing, l.end()
}

// sort sorts, as kubectl does, each table by itself, and whatever else is a list.
func (l *objectList) sort(all []sorted, order *sortOrder) error {
	tables := l.format.name == "table" || l.format.name == "wide"
	if l.named && !tables {
		return nil
	}
	for len(all) > 0 {
		n := len(all)
		if i := slices.IndexFunc(all, func(s sorted) bool { return s.Word != all[0].Word }); tables && i > 0 {
			n = i
		}
		if err := order.sort(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func (l *objectList) decode(o *objects.Object) *kube.Object {
	value, err := l.where.Snapshot.Value(o.Record)
	if err != nil {
		value = nil
	}
	decoded := kube.Decode(keyspace.DecodeKey(l.where.Prefix, o.Record.Key), value)
	if served, err := decoded.Served(); err == nil {
		decoded = served
	}
	return decoded
}

// document is an object as jsonpath and columns look into it.
func (l *objectList) document(o *objects.Object, decoded *kube.Object) map[string]any {
	return decoded.Document(kube.PrintOptions{ShowSecrets: l.showSecrets, Revision: o.Record.Main})
}

// object writes an object, or notes it where only all of them together can be written.
func (l *objectList) object(o objects.Object) error {
	l.count++
	if l.format.name == "name" && o.Resource != nil {
		_, err := fmt.Fprintln(l.out, kubectlName(&o, nil))
		return err
	}
	switch decoded := l.decode(&o); l.format.name {
	case "name":
		_, err := fmt.Fprintln(l.out, kubectlName(&o, decoded))
		return err
	case "json", "yaml":
		return l.item(&o, decoded)
	case "jsonpath":
		return l.format.path.add(l.document(&o, decoded))
	case "custom-columns":
		return l.custom(l.document(&o, decoded))
	default:
		return l.row(&o, decoded)
	}
}

// item writes an object of a List, or the object alone where one was named.
func (l *objectList) item(found *objects.Object, o *kube.Object) error {
	options := kube.PrintOptions{ShowSecrets: l.showSecrets, DropManagedFields: !l.managed, Revision: found.Record.Main}
	asJSON := l.format.name == "json"
	if l.named {
		if l.count > 1 && !asJSON {
			fmt.Fprintln(l.out, "---")
		}
		text := o.YAML(options)
		if asJSON {
			text = append(o.JSON(options), '\n')
		}
		_, err := l.out.Write(text)
		return err
	}
	switch {
	case asJSON && l.count == 1:
		fmt.Fprint(l.out, "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n")
	case asJSON:
		fmt.Fprint(l.out, ",\n")
	case l.count == 1:
		fmt.Fprint(l.out, "apiVersion: v1\nitems:\n")
	}
	if asJSON {
		return writeIndented(l.out, "        ", "        ", o.JSON(options))
	}
	err := writeIndented(l.out, "- ", "  ", o.YAML(options))
	fmt.Fprintln(l.out)
	return err
}

// listMetadata is the end of a List in JSON: kubectl gives it no version, as it makes
// the list itself.
const listMetadata = "    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n"

// end writes what comes after the last object.
func (l *objectList) end() error {
	switch l.format.name {
	case "json", "yaml":
		switch asJSON := l.format.name == "json"; {
		case l.named:
		case asJSON && l.count == 0:
			fmt.Fprint(l.out, "{\n    \"apiVersion\": \"v1\",\n    \"items\": [],\n    \"kind\": \"List\",\n"+listMetadata)
		case asJSON:
			fmt.Fprint(l.out, "\n    ],\n    \"kind\": \"List\",\n"+listMetadata)
		case l.count == 0:
			fmt.Fprint(l.out, "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: \"\"\n")
		default:
			fmt.Fprint(l.out, "kind: List\nmetadata:\n  resourceVersion: \"\"\n")
		}
	case "jsonpath":
		return l.format.path.write(l.out, l.named)
	default:
		return l.table.flush(l.out)
	}
	return nil
}
