package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/clock"
	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
	"revenant/analyzer/search"
	"revenant/analyzer/series"
	encode "revenant/decoder/document"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
)

// searchOptions are the flags of `revenant search`.
type searchOptions struct {
	streams     streams
	open        openOptions
	files       filesOptions
	output      outputOptions
	namespace   string
	kinds       []string
	regexp      bool
	fold        bool
	jq          bool
	newest      bool
	all         bool
	showSecrets bool
}

func newSearch(s streams, f runFunc) *cobra.Command {
	o := &searchOptions{streams: s, output: outputOptions{formats: []string{"text", "jsonl"}}}
	cmd := &cobra.Command{
		Use:   "search FILE... TEXT",
		Short: "Find text in the objects of all revisions",
		Long: `search looks for TEXT in the keys, names, labels, annotations and values of all
objects, in all revisions that FILE... hold, and writes each place as it is found,
in the order of revisions. What an object goes on having is written once, when it
first appears, or again after it was gone: --all writes it for every revision.

  --regexp   TEXT is a regular expression (RE2)
  --jq       TEXT is a jq expression that is run over each object; what it gives
             but null and false is written

Values are compared as kubectl prints them; names of fields are not searched. What
Secrets hold is searched only with --show-secrets. Several files, or a directory of
them, are read as one history.

Exit codes: 0 done, whether or not something was found; 2 nothing could be read;
3 a file is damaged, and what was readable was searched.`,
		Example: `  revenant search current.db lab/app:v2
  revenant search backups/ --regexp '10\.96\.0\.[0-9]+' --kind services,endpointslices
  revenant search current.db -i oomkilled -n shop
  revenant search -f current.db --newest --jq '.spec.containers[]?.image'`,
		Args:              o.files.needs,
		ValidArgsFunction: completeArgs(1),
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.files.addFlags(cmd)
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVarP(&o.namespace, "namespace", "n", "", "only objects of this `NAMESPACE`")
	flags.StringSliceVar(&o.kinds, "kind", nil, "only objects of these `RESOURCE,...`")
	flags.BoolVarP(&o.regexp, "regexp", "E", false, "TEXT is a regular expression")
	flags.BoolVarP(&o.fold, "ignore-case", "i", false, "capital and small letters are the same")
	flags.BoolVar(&o.jq, "jq", false, "TEXT is a jq expression")
	flags.BoolVar(&o.newest, "newest", false, "only the newest state")
	flags.BoolVar(&o.all, "all", false, "every revision that has it, and not only the first")
	flags.BoolVar(&o.showSecrets, "show-secrets", false, "search what Secrets hold, and show it")
	cmd.MarkFlagsMutuallyExclusive("jq", "regexp")
	cmd.MarkFlagsMutuallyExclusive("jq", "ignore-case")
	register(cmd, "output", o.output.complete())
	register(cmd, "kind", completeSeveral(resourceNames()...))
	return cmd
}

func (o *searchOptions) run(ctx context.Context, args []string) error {
	b, err := o.open.begin(o.streams, &o.files, &o.output, args, nil)
	if err != nil {
		return err
	}
	if len(b.words) != 1 {
		return hinted(fmt.Errorf("%s to look for", words.CountOf(len(b.words), "text", "texts")), "revenant search FILE... TEXT; where TEXT names a file, give the files with -f")
	}
	q, err := search.Text(b.words[0], o.regexp, o.fold)
	if o.jq {
		q, err = search.Expression(b.words[0])
	}
	if err != nil {
		return err
	}
	q.ShowSecrets = o.showSecrets
	return o.open.withSeries(ctx, o.streams, b.files, func(s *series.Series, bar *progressLine) error {
		bar.clear()
		found, sealed, undecoded, damaged := 0, 0, 0, false
		for _, t := range b.targets {
			x := searching{searchOptions: o, query: q, series: s, format: t.format}
			write := func(w io.Writer) error {
				x.out = bufio.NewWriter(w)
				return errors.Join(x.everything(ctx), x.out.Flush())
			}
			if t.place != nil {
				err = t.place.Write(ctx, 0o600, write)
			} else {
				err = write(outfile.Until(ctx, o.streams.out))
			}
			if err != nil {
				return err
			}
			found, sealed, undecoded, damaged = found+x.found, x.sealed, x.undecoded, damaged || x.damaged
		}
		if sealed > 0 {
			fmt.Fprintf(o.streams.err, "%s encrypted, and what they hold was not searched: --encryption-config decrypts them.\n", words.CountOf(sealed, "value is", "values are"))
		}
		if undecoded > 0 {
			fmt.Fprintf(o.streams.err, "%s: the expression was not run there.\n", words.CountOf(undecoded, "object cannot be decoded", "objects cannot be decoded"))
		}
		if found == 0 {
			fmt.Fprintln(o.streams.err, "Nothing found.")
		}
		return verdict(s, damaged)
	})
}

// searching is a search that goes on.
type searching struct {
	*searchOptions
	query   *search.Query
	series  *series.Series
	format  string
	out     *bufio.Writer
	found   int
	damaged bool

	sealed    int // values that are encrypted
	undecoded int // objects over which no expression could be run

	seed maphash.Seed
	had  map[string][]uint64 // by key: what it had in the revision before, in order
}

// everything searches the newest history, and then what the others have of their own.
func (x *searching) everything(ctx context.Context) error {
	x.seed = maphash.MakeSeed()
	s := x.series
	newest := s.Members[s.Newest()].Branch
	if x.newest {
		path := s.Path(newest)
		return x.member(ctx, path[len(path)-1], func(snapshot.Record) bool { return true })
	}
	for _, branch := range append([]int{newest}, s.Beside(newest)...) {
		x.had = map[string][]uint64{}
		common := int64(0)
		if branch != newest {
			common, _ = s.Apart(branch, newest)
		}
		var before *series.Part
		for _, p := range s.Path(branch) {
			if p.To <= common {
				continue
			}
			err := x.member(ctx, p, func(r snapshot.Record) bool {
				return r.Main > common && r.Main <= p.To && !s.Repeats(p, before, r.Main)
			})
			if err != nil {
				return err
			}
			before = &p
		}
	}
	return nil
}

// member searches those records of a member that are wanted.
func (x *searching) member(ctx context.Context, p series.Part, wanted func(snapshot.Record) bool) error {
	opened, err := x.series.Open(ctx, p.Member)
	if err != nil {
		return err
	}
	c, err := x.series.Clock(ctx, p.Member)
	if err != nil {
		return err
	}
	view, err := opened.At(0)
	if err != nil {
		return err
	}
	catalog, err := resources.NewCatalog(ctx, opened, view, x.series.Prefix, nil)
	if err != nil {
		return err
	}
	kinds := map[[2]string]bool{}
	for _, kind := range x.kinds {
		r := catalog.Lookup(kind)
		if r == nil {
			return queryHint(&objects.UnknownError{Word: kind, Near: catalog.Complete(kind[:min(len(kind), 2)])})
		}
		kinds[[2]string{r.Group, r.Name}] = true
	}
	records := opened.Records()
	if x.newest {
		records = view.Keys("")
	}
	passed := 0
	for r := range records {
		if passed++; passed%lookEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		key, ok := catalog.Key(r.Key)
		if !wanted(r) || x.namespace != "" && key.Namespace != x.namespace || len(kinds) > 0 && (!ok || !kinds[[2]string{key.Group, key.Resource}]) {
			continue
		}
		if err := x.record(ctx, opened, c, p, key, r); err != nil {
			return err
		}
	}
	x.damaged = x.damaged || opened.Damaged()
	return nil
}

func (x *searching) record(ctx context.Context, s *snapshot.Snapshot, c *clock.Clock, p series.Part, key kube.Key, r snapshot.Record) error {
	if r.Tombstone || r.Key == "" {
		delete(x.had, r.Key)
		return nil
	}
	value, err := s.Value(r)
	if err != nil {
		return nil // among the file's problems
	}
	sealed := bytes.HasPrefix(value, []byte("k8s:enc:"))
	if sealed {
		x.sealed++
	}
	hits, err := x.query.Find(ctx, key, r.Key, value)
	switch {
	case errors.Is(err, search.ErrUndecodable):
		if !sealed && key.Resource != "" && key.Name != r.Key { // a key of no object has its own name
			x.undecoded++
		}
	case err != nil:
		return fmt.Errorf("%s at revision %s: %w", r.Key, r.Revision, err)
	}
	before := x.had[r.Key]
	var now []uint64
	for _, h := range hits {
		sum := maphash.Comparable(x.seed, h)
		now = append(now, sum)
		if _, again := slices.BinarySearch(before, sum); x.all || !again {
			x.found++
			if err := x.hit(c, p, key, r, h); err != nil {
				return err
			}
		}
	}
	if x.had != nil && len(now)+len(before) > 0 {
		slices.Sort(now)
		x.had[r.Key] = slices.Clip(slices.Compact(now))
	}
	return nil
}

// searchHit is a line of JSON.
type searchHit struct {
	Revision  string         `json:"revision"`
	Time      clock.Interval `json:"time"` // in which it was written
	Key       string         `json:"key"`
	Resource  string         `json:"resource"`
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Path      string         `json:"path"` // "" for the key, and for what an expression gives
	Text      string         `json:"text"`
	File      string         `json:"file"`
}

// mostFound is how many bytes of a value are shown.
const mostFound = 400

func (x *searching) hit(c *clock.Clock, p series.Part, key kube.Key, r snapshot.Record, h search.Hit) error {
	file := x.series.Members[p.Member].Name
	if x.format == "jsonl" {
		line, err := encode.JSON(&searchHit{r.Revision.String(), c.TimeOf(r.Main), r.Key, key.Plural(), key.Namespace, key.Name, h.Path, h.Text, file}, "")
		if err != nil {
			return err
		}
		_, err = x.out.Write(line)
		return err
	}
	name := r.Key
	if key.Resource != "" {
		name = key.Plural() + "/" + key.Name
		if key.Namespace != "" {
			name += " -n " + key.Namespace
		}
	}
	if len(x.series.Members) > 1 {
		fmt.Fprintf(x.out, "%s ", sanitize.Line(filepath.Base(file)))
	}
	what := sanitize.Short(x.query.Excerpt(strings.TrimSpace(h.Text), mostFound/2), mostFound)
	if h.Path != "" {
		what = sanitize.Short(h.Path, mostFound) + ": " + what
	}
	_, err := fmt.Fprintf(x.out, "%s %s: %s\n", r.Revision, sanitize.Short(name, mostFound), what)
	return err
}
