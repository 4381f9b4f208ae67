package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// carveOptions are the flags of `revenant carve`.
type carveOptions struct {
	streams     streams
	open        openOptions
	output      outputOptions
	labels      []string
	namespace   string
	objects     bool
	showSecrets bool
}

func newCarve(s streams, f runFunc) *cobra.Command {
	o := &carveOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "carve FILE [RESOURCE[/NAME] | KEY]...",
		Short: "Recover revisions that were compacted, from pages that nothing leads to",
		Long: `carve looks on the pages of FILE that are not in use for revisions that the
buckets do not have any more: a compaction removed them, or what led to them is
damaged. Each is labelled:

  live         the current value of its key, as far as can be known
  superseded   there is a newer revision of its key
  deleted      its key was deleted since, and the deletion is known
  compacted    its key does not exist any more, and no trace of its deletion is left

Only what proves itself is shown: a whole page, a well-formed record that names
its own revision, no differing copy. etcd uses free pages again, so the output
says for which revisions it can speak: near the compact revision most of what is
gone can be recovered, far behind it little, after a defragmentation nothing.

Exit codes: 0 done; 2 FILE could not be read; 3 it is damaged.`,
		Example: `  revenant carve backup.db
  revenant carve backup.db pods/web-0 -n shop --objects -o yaml
  revenant carve backup.db --label deleted,compacted secrets`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeResources,
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	cmd.Flags().StringSliceVar(&o.labels, "label", nil, "show only revisions with these labels, `LABEL,...`: live, superseded, deleted, compacted")
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "", "show only objects of this `NAMESPACE`")
	cmd.Flags().BoolVar(&o.objects, "objects", false, "show the objects, too, in json and yaml")
	cmd.Flags().BoolVar(&o.showSecrets, "show-secrets", false, "show what Secrets hold")
	register(cmd, "label", completeSeveral("live", "superseded", "deleted", "compacted"))
	register(cmd, "output", o.output.complete())
	return cmd
}

func (o *carveOptions) run(ctx context.Context, args []string) error {
	path, wanted := args[0], args[1:]
	guard, err := o.open.guardOutputs(o.streams, path)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	for _, l := range o.labels {
		if !slices.Contains([]snapshot.Label{snapshot.Live, snapshot.Superseded, snapshot.Deleted, snapshot.Compacted}, snapshot.Label(l)) {
			return hinted(fmt.Errorf("unknown label %q", l), "the labels are live, superseded, deleted and compacted")
		}
	}
	var doc *report.Carving
	err = o.open.withOne(ctx, o.streams, path, func(s *snapshot.Snapshot, _ *progressLine) (err error) {
		doc, err = o.carve(ctx, s, wanted)
		return err
	})
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, doc); err != nil {
		return err
	}
	if report.Damaged(doc.Evidence[0]) {
		return errDamaged
	}
	return nil
}

// lookEvery is after how many records a pass looks whether it is to stop.
const lookEvery = 1 << 10

func (o *carveOptions) carve(ctx context.Context, s *snapshot.Snapshot, wanted []string) (*report.Carving, error) {
	found, err := s.Carve(ctx)
	if err != nil {
		return nil, err
	}
	e, err := report.NewEvidence(ctx, "evidence", s)
	if err != nil {
		return nil, err
	}
	o.open.sign(&e, s)
	doc := &report.Carving{
		SchemaVersion: report.SchemaVersion, Kind: "Carving", Tool: tool(), Evidence: []restore.Evidence{e},
		Summary: map[snapshot.Label]int{}, Windows: found.Windows, Oldest: found.Oldest, Newest: found.Newest,
		Conflicts: found.Conflicts, Foreign: found.Foreign, Records: []report.CarvedRecord{}, Problems: append([]snapshot.Problem{}, s.Problems()...),
	}
	choice, err := o.open.choosePrefix(ctx, s)
	if err != nil {
		return nil, err
	}
	passed := 0
	for r := range found.Records {
		if passed++; passed%lookEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		key, known := kube.ParseKey(choice.Prefix, r.Key)
		if !o.wants(&r, key, known, wanted) {
			continue
		}
		doc.Summary[r.Label]++
		record := report.CarvedRecord{
			Revision: r.Revision.String(), Label: r.Label, Sure: r.Sure, Reason: r.Reason, Key: r.Key, Tombstone: r.Tombstone,
			Created: r.CreateRevision, Version: r.Version, Size: r.Size, Page: r.Page, Offset: s.Offset(r.Record),
		}
		if known {
			record.Resource, record.Namespace, record.Name = key.Resource, key.Namespace, key.Name
		}
		if o.objects && !r.Tombstone {
			record.Object = o.object(s, r.Record, key)
		}
		doc.Records = append(doc.Records, record)
	}
	return doc, nil
}

// wants says whether a record was asked for.
func (o *carveOptions) wants(r *snapshot.Carved, key kube.Key, known bool, wanted []string) bool {
	if len(o.labels) > 0 && !slices.Contains(o.labels, string(r.Label)) || o.namespace != "" && key.Namespace != o.namespace {
		return false
	}
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool {
		if strings.HasPrefix(w, "/") {
			return strings.HasPrefix(r.Key, w)
		}
		resource, name, named := strings.Cut(w, "/")
		resource, _, _ = strings.Cut(resource, ".")
		return known && key.Resource == resource && (!named || key.Name == name)
	})
}

// object decodes a carved value as any other.
func (o *carveOptions) object(s *snapshot.Snapshot, r snapshot.Record, key kube.Key) any {
	value, err := s.Value(r)
	if err != nil {
		return map[string]string{"problem": err.Error()}
	}
	decoded := kube.Decode(key, value)
	return json.RawMessage(decoded.JSON(kube.PrintOptions{ShowSecrets: o.showSecrets, DropManagedFields: true}))
}
