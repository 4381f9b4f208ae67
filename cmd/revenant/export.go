package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/lineage"
	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/decoder/input"
	"revenant/decoder/snapshot"
	"revenant/export"
	"revenant/internal/outfile"
	"revenant/internal/words"
	"revenant/report"
)

// exportOptions are the flags of `revenant export`.
type exportOptions struct {
	streams  streams
	open     openOptions
	out      string
	format   string
	list     string
	current  string
	shard    string
	tolerate bool

	guard *outfile.Guard
}

func newExport(s streams, f runFunc) *cobra.Command {
	o := &exportOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "export [FILE]... --out DIR",
		Short: "Write tables of many snapshots, for DuckDB, Trino and Spark",
		Long: `export writes what snapshots hold as tables, which engines query together over a
whole fleet of clusters:
` + strings.Join(words.Wrap(words.List(tableNames()), 80), "\n") + `.
docs/fleet.md lists their columns, and questions with their SQL.

The files are DIR/table=TABLE/cluster=UID/snapshot=HASH/part-N.parquet, by the uid
of the namespace kube-system and the first 12 digits of the snapshot's SHA-256. Each
file appears whole or not at all, the row of the snapshot last, and then a marker
_SUCCESS. A snapshot that has its marker is not written again. The same snapshot
gives the same bytes, whatever it is exported with and where.

With --current, or a CURRENT in the list, the predictions say what becomes of each
pod if FILE is restored, without a bump or a restart of kubelets, when CURRENT is the
state of the cluster. What Secrets hold is in no table.

--files-from reads a list, one FILE a line, with its CURRENT after a tab if it has one.
--shard I/N exports every file whose path falls to shard I of N, counted from 0: the
others are for other machines. A shard that was killed is run again alone.

A damaged file is a row with its problems, and so is one that is no snapshot; the
others are exported.

Exit codes: 0 done; 2 a file could not be read or written, the others were; 3 a file
is damaged, and what was readable was exported (0 with --tolerate-damage).`,
		Example: `  revenant export backups/*.db --out tables
  revenant export --files-from snapshots.txt --shard 3/16 --out tables
  curl -s https://backups.example/etcd.db | revenant export - --out tables
  revenant export backup.db --current current.db --out tables`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "write the tables into `DIR`")
	flags.StringVar(&o.format, "format", string(export.Parquet), "`FORMAT` of the files: parquet or ndjson")
	flags.StringVar(&o.list, "files-from", "", "read the names of files from the `LIST`, one a line, with CURRENT after a tab")
	flags.StringVar(&o.current, "current", "", "`FILE` with the newest state, to predict what restoring each other does")
	flags.StringVar(&o.shard, "shard", "", "export what falls to shard `I/N`, I from 0 on")
	flags.BoolVar(&o.tolerate, "tolerate-damage", false, "exit with 0 although a file is damaged: the tables say so")
	register(cmd, "out", completeDirs)
	register(cmd, "format", completeOne(string(export.Parquet), string(export.NDJSON)))
	register(cmd, "files-from", completeFiles)
	register(cmd, "current", completeFiles)
	register(cmd, "shard", cobra.NoFileCompletions)
	return cmd
}

func tableNames() (list []string) {
	for _, t := range export.List {
		list = append(list, t.Name)
	}
	return list
}

func (o *exportOptions) run(ctx context.Context, args []string) (err error) {
	if !slices.Contains(export.Formats, export.Format(o.format)) {
		return hinted(fmt.Errorf("unknown format %q", o.format), "the formats are parquet and ndjson")
	}
	if o.out == "" {
		return hinted(errors.New("--out is missing"), "--out DIR says where the tables are written")
	}
	if o.open.skipHashCheck {
		return hinted(errors.New("the tables name a snapshot by its SHA-256"), "leave out --skip-hash-check")
	}
	jobs, err := o.jobs(args)
	if err != nil {
		return err
	}
	evidence := []string{o.list}
	for _, j := range jobs {
		evidence = append(evidence, j.path, j.current)
	}
	if o.guard, err = o.open.guardOutputs(o.streams, evidence...); err != nil {
		return err
	}
	if err := refuseEvidence(o.guard, o.out); err != nil {
		return err
	}
	if err := o.open.parse(); err != nil {
		return err
	}
	if err := o.guard.MkdirAll(o.out, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	var unread, damaged bool
	for _, j := range jobs {
		done, err := o.export(ctx, j)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			exitCode(o.streams.err, fmt.Errorf("export %s: %w", j.path, err))
			unread = true
			continue
		}
		damaged = damaged || done.Damaged
		o.say(j, done)
	}
	switch {
	case unread:
		return errUnread
	case damaged && !o.tolerate:
		return errDamaged
	}
	return nil
}

// say tells what became of a file.
func (o *exportOptions) say(j job, m *export.Marker) {
	what := "written"
	if m.Kept {
		what = "there already"
	}
	if m.Damaged {
		what += ", damaged"
	}
	fmt.Fprintf(o.streams.out, "%s  cluster=%s  %s  %s\n", m.SHA256[:export.Digits], m.Cluster, printable(j.path), what)
}

// job is a file to be exported.
type job struct{ path, current string }

// export exports one file. What the marker says has been written, or was there already.
func (o *exportOptions) export(ctx context.Context, j job) (m *export.Marker, err error) {
	bar := newProgressLine(o.streams)
	defer bar.clear()
	s, err := o.open.open(ctx, j.path, true, o.streams.in, bar.of(filepath.Base(j.path)))
	if open := (*snapshot.OpenError)(nil); errors.As(err, &open) {
		return o.exportUnread(ctx, j, err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	id, err := identity(ctx, s)
	if err != nil {
		return nil, err
	}
	source := &export.Source{ID: id, Snapshot: s, Tool: version()}
	current, err := o.openCurrent(ctx, j, source, bar)
	if err != nil {
		return nil, err
	}
	if current != nil {
		defer func() { err = errors.Join(err, current.snapshot.Close()) }()
	}
	place := o.placed(j.path, export.Marker{SHA256: id, Current: source.Current})
	if kept := place.kept(); kept != nil {
		return kept, o.open.unchanged(ctx, s)
	}
	backup, err := o.read(ctx, source)
	if err != nil {
		return nil, err
	}
	place.marker.Cluster = export.Cluster(source.Inspection.Kubernetes.ClusterUID)
	place.marker.Damaged = source.Inspection.Damaged()
	if err := o.judge(ctx, source, backup, current); err != nil {
		return nil, err
	}
	return place.write(ctx, func(to *export.Sinks) error {
		if err := source.Write(ctx, to); err != nil {
			return err
		}
		err := o.open.unchanged(ctx, s)
		if current != nil {
			err = errors.Join(err, o.open.unchanged(ctx, current.snapshot))
		}
		return err
	})
}

// flags are those that change what is read, with what the keys are.
func (o *exportOptions) flags() []string {
	every, newest := o.open.flags(o.open.givenPrefix())
	list := slices.DeleteFunc(slices.Concat(every, newest), func(f string) bool { return f == "--etcd-prefix=" })
	if o.open.encryption != "" {
		if text, err := input.ReadConfig(o.open.encryption); err == nil {
			sum := sha256.Sum256(text)
			list = append(list, "keys="+hex.EncodeToString(sum[:])[:export.Digits])
		}
	}
	return list
}

// openCurrent opens the current state of a file; nil where none is named, where it is the
// file itself, and where it is no snapshot, which the source then says.
func (o *exportOptions) openCurrent(ctx context.Context, j job, source *export.Source, bar *progressLine) (*side, error) {
	if j.current == "" || j.current == j.path {
		return nil, nil
	}
	s, err := o.open.open(ctx, j.current, true, o.streams.in, bar.of("current"))
	if open := (*snapshot.OpenError)(nil); errors.As(err, &open) {
		var unread error
		if source.Current, _, unread = hashUnread(ctx, j.current, err); unread == nil {
			source.Refused = err
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("current state: %w", err)
	}
	id, err := identity(ctx, s)
	if err == nil && id != source.ID {
		source.Current = id
		return &side{snapshot: s}, nil
	}
	return nil, errors.Join(err, s.Close())
}

// read inspects the snapshot, and reads its state. Where that has no objects of
// Kubernetes, the side is nil and a problem says so.
func (o *exportOptions) read(ctx context.Context, source *export.Source) (*side, error) {
	s := source.Snapshot
	choice, refused := o.open.needPrefix(ctx, s)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	inspected, err := report.Inspect(ctx, s, choice)
	if err != nil {
		return nil, err
	}
	o.open.sign(&inspected.Evidence, s)
	source.Prefix, source.Inspection = choice.Prefix, &inspected
	if refused != nil {
		source.Problems = append(source.Problems, snapshot.Problem{Severity: snapshot.Damage, Where: "keys", What: refused.Error(), Cost: "nothing could be checked"})
		return nil, nil
	}
	state, err := restore.Load(ctx, s, choice.Prefix)
	if err != nil {
		return nil, err
	}
	source.Clock, state.Missing = state.Clock, inspected.Missing
	return &side{snapshot: s, choice: choice, state: state}, nil
}

// judge checks the snapshot, and predicts what restoring it does where there is a
// current state.
func (o *exportOptions) judge(ctx context.Context, source *export.Source, backup, current *side) error {
	if backup == nil {
		if source.Current != "" {
			source.Refused = errors.New("the snapshot has no objects of Kubernetes")
		}
		return nil
	}
	in := preflight.Input{
		Tool: tool(), Evidence: []restore.Evidence{source.Inspection.Evidence}, Prefix: source.Prefix, Keys: o.open.keys, Policy: export.Unaged(),
		Backup: preflight.Side{Snapshot: backup.snapshot, State: backup.state, Others: backup.choice.Others}, At: source.Clock.Taken().From,
	}
	var err error
	if current != nil {
		source.Prediction, err = o.predict(ctx, &in, backup, current)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		source.Refused = err
	}
	source.Checks, err = preflight.Run(ctx, in)
	return err
}

// predict predicts a plain restore, and adds the current state to what is checked.
func (o *exportOptions) predict(ctx context.Context, in *preflight.Input, backup, current *side) (*restore.Prediction, error) {
	var err error
	if current.choice, err = o.open.needPrefix(ctx, current.snapshot); err != nil {
		return nil, err
	}
	if current.state, err = restore.Load(ctx, current.snapshot, current.choice.Prefix); err != nil {
		return nil, err
	}
	p := &pair{open: &o.open, backup: *backup, current: *current}
	if p.prefix, err = onePrefix(&p.backup, &p.current); err != nil {
		return nil, err
	}
	if p.lineage, err = lineage.Compare(ctx, backup.snapshot, current.snapshot, p.prefix); err != nil {
		return nil, err
	}
	evidence, err := p.evidence(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.check(false); err != nil {
		return nil, err
	}
	in.Evidence, in.Prefix, in.Lineage = evidence, p.prefix, p.lineage
	in.Current = &preflight.Side{Snapshot: current.snapshot, State: current.state, Others: current.choice.Others}
	return p.compare().Predict(restore.Plan{})
}

// exportUnread exports the row of a file that is no snapshot. One that cannot be read
// at all is an error: nothing names it.
func (o *exportOptions) exportUnread(ctx context.Context, j job, opened error) (*export.Marker, error) {
	id, size, err := hashUnread(ctx, j.path, opened)
	if err != nil {
		return nil, err
	}
	row := &export.Unread{ID: id, Path: j.path, SizeBytes: size, Err: opened, Tool: version()}
	place := o.placed(j.path, export.Marker{SHA256: id, Cluster: export.Cluster(""), Damaged: true})
	if kept := place.kept(); kept != nil {
		return kept, nil
	}
	return place.write(ctx, row.Write)
}

// jobs are the files that fall to the shard.
func (o *exportOptions) jobs(args []string) (list []job, err error) {
	for _, path := range args {
		list = append(list, job{path, o.current})
	}
	if o.list != "" {
		listed, err := o.listed()
		if err != nil {
			return nil, fmt.Errorf("--files-from: %w", err)
		}
		list = append(list, listed...)
	}
	if len(list) == 0 {
		return nil, hinted(errors.New("no file is named"), "name files, - for standard input, or --files-from LIST")
	}
	if n := 0; slices.ContainsFunc(list, func(j job) bool {
		n += strings.Count("\x00"+j.path+"\x00"+j.current+"\x00", "\x00-\x00")
		return n > 1
	}) {
		return nil, errors.New("standard input is named several times")
	}
	if o.shard == "" {
		return list, nil
	}
	i, n, err := export.ParseShard(o.shard)
	if err != nil {
		return nil, hinted(fmt.Errorf("--shard: %w", err), "such as 0/16, up to 15/16")
	}
	return slices.DeleteFunc(list, func(j job) bool { return export.ShardOf(j.path, n) != i }), nil
}
