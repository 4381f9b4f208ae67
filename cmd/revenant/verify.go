package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/drift"
	"revenant/analyzer/restore"
	"revenant/decoder/input"
	"revenant/decoder/kube"
	"revenant/decoder/kubelet"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// verifyOptions are the flags of `revenant verify`.
type verifyOptions struct {
	streams    streams
	open       openOptions
	output     outputOptions
	kubelets   []string
	dumps      string
	kubectl    string
	prediction string
	failOn     []string
	partial    bool
}

func newVerify(s streams) *cobra.Command {
	o := &verifyOptions{streams: s, output: outputOptions{formats: []string{"table", "json", "yaml"}}}
	cmd := &cobra.Command{
		Use:   "verify SNAPSHOT --kubelet NODE=FILE... | --dumps DIR",
		Short: "After a restore: what kubelets really run, against what the API has",
		Long: `verify holds what runs on the nodes against what the API has: real phantoms,
ghosts, and pods that run twice, each with the command that cleans it up.

SNAPSHOT is the one that was restored, or better one saved after the restore.
Better still is the API's own list of now, in a file that --kubectl names: with
the snapshot alone, a pod that is newer than it may be known to the API by now.

What a node runs is told by any of these, and better by several of them:

  kubectl get --raw /api/v1/nodes/NODE/proxy/runningpods/ > NODE.runningpods.json
  kubectl get --raw /api/v1/nodes/NODE/proxy/pods         > NODE.pods.json
  crictl pods -o json       (on the node)                 > NODE.crictl.json

The kubelet's /pods alone keeps pods whose containers have ended: what it alone
tells is "possible". --dumps reads a directory of files with these names;
--kubelet names one file, of any of the kinds, - for standard input.

An answer is read in full or counts as none: where a pod has no uid or a state that
is not known, where a name stands twice or in other letters, or where the list goes
on elsewhere, a pod that runs may be hidden. The node is then an unread-node, which
no --fail-on and no --partial leaves out.

Exit codes: 0 nothing was found that --fail-on names; 1 something was, or an answer
was not read in full; 2 the command could not do its work; 3 the snapshot is damaged.`,
		Example: `  revenant verify restored.db --dumps dumps --kubectl pods.json
  revenant verify restored.db --kubelet node-1=n1.json --kubelet node-2=n2.json
  revenant verify restored.db --dumps dumps --prediction prediction.json -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringArrayVar(&o.kubelets, "kubelet", nil, "`NODE=FILE`: what a node says; can be given several times, also for one node")
	flags.StringVar(&o.dumps, "dumps", "", "`DIR` of NODE.runningpods.json, NODE.pods.json and NODE.crictl.json")
	flags.StringVar(&o.kubectl, "kubectl", "", "`FILE` with the API's pods of now: output of kubectl get pods -A -o json")
	flags.StringVar(&o.prediction, "prediction", "", "`FILE` that revenant predict -o json=FILE wrote, to say what came out otherwise")
	flags.StringSliceVar(&o.failOn, "fail-on", kindNames(), "exit with 1 when one of these is found: `KIND,...`")
	flags.BoolVar(&o.partial, "partial", false, "nodes without an answer are left out on purpose")
	register(cmd, "fail-on", completeSeveral(kindNames()...))
	register(cmd, "output", o.output.complete())
	return cmd
}

func kindNames() []string {
	var names []string
	for _, k := range drift.Kinds {
		names = append(names, string(k.ID))
	}
	return names
}

func (o *verifyOptions) run(ctx context.Context, path string) error {
	guard, err := o.open.guardOutputs(o.streams, append(o.files(), path)...)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	for _, name := range o.failOn {
		if !slices.Contains(kindNames(), name) {
			return hinted(fmt.Errorf("--fail-on: unknown kind %q", name), "the kinds are "+strings.Join(kindNames(), ", "))
		}
	}
	in := drift.Input{Partial: o.partial}
	if in.Nodes, err = o.nodes(); err != nil {
		return err
	}
	var foretold *drift.Prediction
	if o.prediction != "" {
		if foretold, err = stream(o, o.prediction, drift.ReadPrediction); err != nil {
			return hinted(fmt.Errorf("%s %w", o.prediction, err), "save one with revenant predict BACKUP CURRENT -o json=FILE")
		}
	}
	v := report.Verification{SchemaVersion: report.SchemaVersion, Kind: "Verification", Tool: tool()}
	err = o.open.withOne(ctx, o.streams, path, func(s *snapshot.Snapshot, _ *progressLine) error { return o.api(ctx, s, &in, &v) })
	if err != nil {
		return err
	}
	if foretold != nil {
		in.Known = append(in.Known, foretold.Nodes...)
	}
	v.Report = drift.Compare(in)
	if foretold != nil {
		v.Prediction = v.Against(foretold)
	}
	if err := write(ctx, targets, o.streams, &v); err != nil {
		return err
	}
	switch {
	case slices.ContainsFunc(v.Evidence, report.Damaged):
		return errDamaged
	case v.Summary[drift.Unread] > 0: // what was asked for may be in what was not read
		return errFindings
	case slices.ContainsFunc(o.failOn, func(name string) bool { return v.Summary[drift.Kind(name)] > 0 }):
		return errFindings
	}
	return nil
}

// files are the files that the flags name, which no output may be written over.
func (o *verifyOptions) files() (list []string) {
	for _, s := range o.kubelets {
		if _, file, ok := strings.Cut(s, "="); ok {
			list = append(list, file)
		}
	}
	return append(list, o.dumps, o.kubectl, o.prediction)
}

// suffixes are the names of files in a directory of dumps.
var suffixes = []string{".runningpods.json", ".pods.json", ".crictl.json"}

// named is what the name of a file says that an empty list is.
func named(path string) kubelet.Kind {
	switch {
	case strings.HasSuffix(path, ".runningpods.json"):
		return kubelet.Running
	case strings.HasSuffix(path, ".pods.json"):
		return kubelet.Listed
	}
	return kubelet.Empty
}

// nodes reads what every node says.
func (o *verifyOptions) nodes() ([]drift.Node, error) {
	files := map[string][]string{} // by node
	for _, s := range o.kubelets {
		node, file, ok := strings.Cut(s, "=")
		if !ok || node == "" || file == "" {
			return nil, hinted(fmt.Errorf("--kubelet %s: want NODE=FILE", s), "such as --kubelet node-1=node-1.runningpods.json")
		}
		files[node] = append(files[node], file)
	}
	if o.dumps != "" {
		entries, err := os.ReadDir(o.dumps)
		if err != nil {
			return nil, fmt.Errorf("--dumps: %w", err)
		}
		for _, e := range entries {
			for _, suffix := range suffixes {
				node, ok := strings.CutSuffix(e.Name(), suffix)
				switch tail := e.Name()[max(0, len(e.Name())-len(suffix)):]; {
				case ok && node != "":
					files[node] = append(files[node], filepath.Join(o.dumps, e.Name()))
				case !ok && strings.EqualFold(tail, suffix):
					return nil, hinted(fmt.Errorf("--dumps: %s would not be read", filepath.Join(o.dumps, e.Name())), "its name has to end in "+suffix)
				}
			}
		}
	}
	if len(files) == 0 {
		return nil, hinted(errors.New("no node says what it runs"), "give --kubelet NODE=FILE for every node, or --dumps DIR with files named NODE"+strings.Join(suffixes, ", NODE"))
	}
	var nodes []drift.Node
	for name, paths := range files {
		n := drift.Node{Name: name}
		for _, path := range paths {
			d, err := o.dump(path, kubelet.OnNode)
			if d.Unread != "" {
				d.Unread = path + " " + d.Unread
			} else if err != nil {
				return nil, err
			}
			if d.Kind == kubelet.Empty {
				d.Kind = named(path)
			}
			n.Dumps = append(n.Dumps, d)
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b drift.Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes, nil
}

// dump reads an answer of at most so many pods.
func (o *verifyOptions) dump(path string, most int) (kubelet.Dump, error) {
	d, err := stream(o, path, func(in io.Reader) (kubelet.Dump, error) { return kubelet.Read(in, most) })
	if err != nil {
		return d, hinted(fmt.Errorf("%s %w", path, err), "revenant verify --help says how to get what a node runs")
	}
	return d, nil
}

// largest is how large a dump may be: a thousand pods of a node take some 10 MB.
const largest = 512 << 20

// stream has a file read that is no snapshot; - is standard input.
func stream[T any](o *verifyOptions, path string, read func(io.Reader) (T, error)) (T, error) {
	in := o.streams.in
	if path != "-" {
		f, err := input.OpenStream(path)
		if err != nil {
			var none T
			return none, fmt.Errorf("cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	return read(&limited{in, largest})
}

// limited reads no more than left bytes, and takes more for an error.
type limited struct {
	in   io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("it is larger than %d MiB, more than any node says of its pods", largest>>20)
	}
	return n, err
}

// only is the namespace of all the pods listed, if the snapshot has pods in others.
func only(listed, snapshot []kubelet.Pod) string {
	other := func(p kubelet.Pod) bool { return p.Namespace != listed[0].Namespace }
	if len(listed) == 0 || slices.ContainsFunc(listed, other) || !slices.ContainsFunc(snapshot, other) {
		return ""
	}
	return listed[0].Namespace
}

// consistent says what an API server would not list, so that the list is not its own
// any more: two pods of one name, or one that runs and is bound to no node.
func consistent(pods []kubelet.Pod) error {
	type name struct{ namespace, name string }
	has := make(map[name]bool, len(pods))
	for i := range pods {
		p := &pods[i]
		if has[name{p.Namespace, p.Name}] {
			return fmt.Errorf("has two pods of the name %s/%s, as no API server lists them", p.Namespace, p.Name)
		}
		if p.Phase == "Running" && p.Node == "" {
			return fmt.Errorf("has the running pod %s/%s on no node, as no API server lists it", p.Namespace, p.Name)
		}
		has[name{p.Namespace, p.Name}] = true
	}
	return nil
}

// api reads what the API has: the snapshot, or kubectl's list in its place.
func (o *verifyOptions) api(ctx context.Context, s *snapshot.Snapshot, in *drift.Input, v *report.Verification) error {
	choice, err := o.open.needPrefix(ctx, s)
	if err != nil {
		return err
	}
	state, err := restore.Load(ctx, s, choice.Prefix)
	if err != nil {
		return err
	}
	in.API, in.Unreadable = drift.APIPods(state)
	in.Taken = state.Time
	for _, n := range state.Nodes {
		in.Known = append(in.Known, n.Name)
	}
	v.API = "the snapshot " + s.Path()
	if o.kubectl != "" {
		d, err := o.dump(o.kubectl, math.MaxInt)
		if err != nil {
			return err
		}
		if d.Kind != kubelet.Listed && len(d.Pods) > 0 {
			return hinted(fmt.Errorf("%s is what a node runs, not what the API has", o.kubectl), "kubectl get pods -A -o json writes the API's list")
		}
		if d.Kubelets {
			return hinted(fmt.Errorf("%s is a kubelet's list, not the API's", o.kubectl), "kubectl get pods -A -o json writes the API's list")
		}
		if len(d.Pods) == 0 && len(in.API) > 0 {
			return hinted(fmt.Errorf("%s has no pod, and the snapshot has %d: is it the list of one namespace?", o.kubectl, len(in.API)), "kubectl get pods -A -o json writes that of all")
		}
		if err := consistent(d.Pods); err != nil {
			return fmt.Errorf("%s %w", o.kubectl, err)
		}
		in.Only = only(d.Pods, in.API)
		in.API, in.Unreadable, in.Live = d.Pods, nil, true
		v.API = "the API's list " + o.kubectl
	}
	e, err := report.NewEvidence(ctx, "restored", s)
	if err != nil {
		return err
	}
	e.EtcdPrefixes = kube.SplitPrefixes(choice.Prefix)
	o.open.sign(&e, s)
	v.Evidence = []restore.Evidence{e}
	return nil
}
