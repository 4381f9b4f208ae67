package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/manifest"
	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	encode "revenant/decoder/document"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// extractOptions are the flags of `revenant extract`.
type extractOptions struct {
	streams   streams
	open      openOptions
	files     filesOptions
	output    outputOptions
	query     queryOptions
	directory string
	kustomize string
	manifest  manifest.Options
}

func newExtract(s streams, f runFunc) *cobra.Command {
	o := &extractOptions{streams: s, output: outputOptions{formats: []string{"yaml", "json"}}}
	cmd := &cobra.Command{
		Use:   "extract FILE... [RESOURCE [NAME]... | RESOURCE/NAME... | KEY...]",
		Short: "Write objects as manifests that can be applied again",
		Long: `extract writes objects of FILE as manifests for kubectl apply, in the order in
which they are applied: namespaces, definitions and what others need first,
webhooks last. What the API server, controllers and kubelets write themselves is
left out, and so is what binds an object to others that are gone. A comment above
each says where it came from, what was left out and why, and what to see to.

Left out, and named, are what a controller makes again because its own object is
written as well, what is made in every cluster, and Secrets unless --show-secrets
is given. Events are written only when they are asked for.

  --at REVISION|TIME   the objects as they were then
  --deleted            those that no longer exist, each in its last retained state
  --deleted --carved   and those that only pages that are free still have
  --raw                everything as it is stored: status, uid, managed fields

Exit codes: 0 done; 2 an object that was named is not there, or one could not be
read; 3 FILE is damaged, and what is readable was written.`,
		Example: `  revenant extract backup.db deploy/web -n shop | kubectl apply -f -
  revenant extract backup.db configmaps,services -n shop
  revenant extract current.db pods --deleted --at 5s
  revenant extract backup.db -n shop --kustomize shop/`,
		Args:              o.files.needs,
		ValidArgsFunction: completeResources,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	o.query.addFlags(cmd)
	flags.BoolVar(&o.manifest.Raw, "raw", false, "leave nothing out")
	flags.BoolVar(&o.manifest.KeepOwners, "keep-owners", false, "keep all owner references, and write what has an owner that is written, too")
	flags.BoolVar(&o.manifest.ShowSecrets, "show-secrets", false, "write Secrets, too, with what they hold")
	flags.StringVar(&o.directory, "dir", "", "write a file for each object into `DIR`, which must be new or empty")
	flags.StringVar(&o.kustomize, "kustomize", "", "as --dir, with a kustomization.yaml, for kubectl apply -k `DIR`")
	cmd.MarkFlagsMutuallyExclusive("dir", "kustomize", "output")
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *extractOptions) run(ctx context.Context, args []string) error {
	b, err := o.open.begin(o.streams, &o.files, &o.output, args, nil)
	if err != nil {
		return err
	}
	if err := o.query.parse(b.words); err != nil {
		return err
	}
	dir := cmp.Or(o.directory, o.kustomize)
	if err := refuseEvidence(b.guard, dir); err != nil {
		return err
	}
	return o.open.withState(ctx, o.streams, b.files, &o.query.at, func(s *snapshot.Snapshot, bar *progressLine) error {
		x, err := o.find(ctx, s)
		if err != nil {
			return err
		}
		bar.clear()
		if dir != "" {
			err = x.directory(ctx, b.guard, dir, o.kustomize != "")
		} else {
			err = x.write(ctx, b.targets, o.streams)
		}
		if err != nil {
			return err
		}
		return x.verdict()
	})
}

// extraction is what was found, and what became of it.
type extraction struct {
	where   objects.State
	catalog *resources.Catalog // of the newest state
	options manifest.Options
	list    []wanted
	seed    maphash.Seed
	byUID   map[uint64]int // controllers of others: where they are in list, -1 for nowhere
	// recovered are those of the list that were carved, by key.
	recovered map[string]snapshot.Record
	missing   []string // words
	unread    int      // objects that could not be decoded

	undecided int // those that selectors may mean, and that cannot be read
	secrets   int // that were left out
}

// wanted is an object to be written. There may be very many: what it is, and its value, are
// read again when it is written.
type wanted struct {
	key      string
	revision snapshot.Revision
	resource *resources.Resource // nil where the state has none
	uid      uint64              // a hash of it
	owner    uint64              // of its controller's uid; 0 for none
}

func (w *wanted) kind() string {
	if w.resource == nil {
		return ""
	}
	return w.resource.Kind
}

// object is the object that is wanted.
func (x *extraction) object(w *wanted) objects.Object {
	o := objects.Object{Resource: w.resource}
	o.Key, _ = x.where.Catalog.Key(w.key)
	recovered, ok := x.recovered[w.key]
	if o.Record = recovered; ok {
		return o
	}
	for _, r := range x.where.Snapshot.History(w.key) {
		if r.Revision == w.revision {
			o.Record = r
		}
	}
	return o
}

func (o *extractOptions) find(ctx context.Context, s *snapshot.Snapshot) (*extraction, error) {
	x := &extraction{options: o.manifest, seed: maphash.MakeSeed(), recovered: map[string]snapshot.Record{}}
	var err error
	if x.where, _, err = o.query.state(ctx, &o.open, s); err != nil {
		return nil, err
	}
	newest, err := s.At(0)
	if err != nil {
		return nil, err
	}
	if x.catalog, err = resources.NewCatalog(ctx, s, newest, x.where.Prefix, x.where.Catalog); err != nil {
		return nil, err
	}
	queries := []queryOptions{o.query}
	if q := &o.query.query; q.Namespace != "" && len(q.Words) == 0 && q.Labels == nil && q.Fields == nil {
		queries = append(queries, queryOptions{query: objects.Query{Words: []string{"namespaces/" + q.Namespace}}})
	}
	for _, q := range queries {
		missing, err := q.found(ctx, x.where, func(found objects.Object) error {
			if found.Key.GroupResource() != "events" || len(q.query.Words) > 0 || o.manifest.Raw { // events are past
				x.add(found)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		x.missing, x.undecided = append(x.missing, missing...), x.undecided+q.unread
	}
	slices.SortStableFunc(x.list, func(a, b wanted) int {
		aKey, _ := x.where.Catalog.Key(a.key)
		bKey, _ := x.where.Catalog.Key(b.key)
		return manifest.Compare(a.kind(), aKey, b.kind(), bKey)
	})
	x.byUID = map[uint64]int{}
	for i := range x.list {
		if owner := x.list[i].owner; owner != 0 {
			x.byUID[owner] = -1
		}
	}
	for i := range x.list {
		if _, owns := x.byUID[x.list[i].uid]; owns {
			x.byUID[x.list[i].uid] = i
		}
	}
	return x, nil
}

// add notes an object that was found.
func (x *extraction) add(found objects.Object) {
	w := wanted{key: found.Record.Key, revision: found.Record.Revision, resource: found.Resource}
	if value, err := x.where.Snapshot.Value(found.Record); err == nil {
		if links, err := kube.ScanLinks(value); err == nil {
			w.uid = maphash.String(x.seed, links.UID)
			if i := slices.IndexFunc(links.Owners, func(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }); i >= 0 {
				w.owner = maphash.String(x.seed, string(links.Owners[i].UID))
			}
		}
	}
	if x.where.Recovered(found.Record) {
		x.recovered[w.key] = found.Record
	}
	x.list = append(x.list, w)
}

// maker is the controller of an object where it is written, too, and so makes the object
// again; "" for none.
func (x *extraction) maker(w *wanted) string {
	i, ok := x.byUID[w.owner]
	if !ok || i < 0 || x.options.KeepOwners || x.options.Raw {
		return ""
	}
	key, _ := x.where.Catalog.Key(x.list[i].key)
	return title(key, x.list[i].key)
}

// title names an object as a person types it.
func title(key kube.Key, raw string) string {
	if key.Name == "" {
		return raw
	}
	name := key.GroupResource() + "/" + key.Name
	if key.Namespace != "" {
		name += " in " + key.Namespace
	}
	return name
}

// manifest makes the manifest of an object; why says why there is none.
func (x *extraction) manifest(w *wanted, o *objects.Object) (m *manifest.Manifest, why string) {
	if maker := x.maker(w); maker != "" {
		return nil, maker + " makes it again"
	}
	value, err := x.where.Snapshot.Value(o.Record)
	if err != nil {
		x.unread++
		return nil, err.Error()
	}
	options := x.options
	options.Exists = manifest.InNewest(x.where.Snapshot, x.catalog, x.where.Prefix, o.Key.Namespace)
	m, err = manifest.Of(kube.Decode(keyspace.DecodeKey(x.where.Prefix, w.key), value), options)
	switch {
	case errors.Is(err, manifest.ErrSecret):
		x.secrets++
		return nil, "it is a Secret (--show-secrets writes it)"
	case errors.Is(err, manifest.ErrRemade):
		return nil, err.Error()
	case err != nil:
		x.unread++
		return nil, err.Error()
	}
	return m, ""
}

// write writes one stream to each target.
func (x *extraction) write(ctx context.Context, targets []target, s streams) error {
	for _, t := range targets {
		x.unread, x.secrets = 0, 0
		stream := x.yaml
		if t.format == "json" {
			stream = x.json
		}
		if t.place != nil {
			if err := t.place.Write(ctx, 0o600, func(w io.Writer) error { return stream(ctx, w) }); err != nil {
				return err
			}
			continue
		}
		if err := stream(ctx, outfile.Until(ctx, s.out)); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
	}
	return nil
}

func (x *extraction) yaml(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	for i := range x.list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if i > 0 {
			fmt.Fprintln(w, "---")
		}
		o := x.object(&x.list[i])
		m, why := x.manifest(&x.list[i], &o)
		x.comment(w, &o, m, why)
		if m == nil {
			continue
		}
		text, err := kube.DocumentYAML(m.Document)
		if err != nil {
			x.unread++
			comment(w, "It cannot be printed: "+err.Error())
			continue
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return w.Flush()
}

// comment says where an object came from, and what its manifest lacks.
func (x *extraction) comment(w io.Writer, object *objects.Object, m *manifest.Manifest, why string) {
	from := fmt.Sprintf("%s at revision %d of %s", title(object.Key, object.Record.Key), object.Record.Main, filepath.Base(x.where.Snapshot.Path()))
	if x.where.Recovered(object.Record) {
		from += ", recovered from a page that is free"
	}
	if m == nil {
		comment(w, from+" is left out: "+why)
		return
	}
	comment(w, from)
	for _, text := range m.Comments() {
		comment(w, text)
	}
}

// comment writes one line of YAML that is none of the document.
func comment(w io.Writer, text string) { fmt.Fprintln(w, manifest.Comment(text)) }

// json writes a List, as kubectl does. What is left out is not in it.
func (x *extraction) json(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprint(w, "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"items\": [")
	separator := "\n"
	for i := range x.list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o := x.object(&x.list[i])
		m, _ := x.manifest(&x.list[i], &o)
		if m == nil {
			continue
		}
		text, err := encode.JSON(m.Document, "    ")
		if err != nil {
			x.unread++
			continue
		}
		fmt.Fprint(w, separator)
		if err := writeIndented(w, "        ", "        ", text); err != nil {
			return err
		}
		separator = ",\n"
	}
	fmt.Fprint(w, "\n    ]\n}\n")
	return w.Flush()
}

// writeIndented writes the lines of a text that ends in no empty one, the first after one lead
// and the others after another, without the end of the last.
func writeIndented(w io.Writer, first, others string, text []byte) error {
	lead := first
	for line := range bytes.Lines(bytes.TrimSuffix(text, []byte("\n"))) {
		if _, err := io.WriteString(w, lead); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
		lead = others
	}
	return nil
}

// verdict is the error of what was asked for and not written.
func (x *extraction) verdict() error {
	switch {
	case len(x.missing) > 0:
		return notThere(x.where.Snapshot, x.missing)
	case x.undecided > 0:
		return mayBeMeant(x.undecided)
	case x.unread > 0:
		return fmt.Errorf("%d of %d objects could not be read", x.unread, len(x.list))
	case len(x.list) == 0:
		return hinted(errors.New("no object is selected"), "revenant inspect FILE lists the resources that have objects")
	case x.where.Snapshot.Damaged():
		return errDamaged
	}
	return nil
}

// windowHint says which states a snapshot has, beside the error of asking for another.
func windowHint(s *snapshot.Snapshot, err error) error {
	return hinted(err, fmt.Sprintf("it has the states from revision %s to %s", words.Number(max(s.CompactRevision(), 1)), words.Number(s.Revision())))
}
