package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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
	"revenant/internal/words"
	"revenant/report"
)

// verifyOptions are the flags of `revenant verify`.
type verifyOptions struct {
	streams    streams
	open       openOptions
	output     outputOptions
	kubelets   []string
	dumps      string
	kubectl    []string
	prediction string
	failOn     []string
	partial    bool
}

func newVerify(s streams, f runFunc) *cobra.Command {
	o := &verifyOptions{streams: s, output: outputOptions{formats: []string{"table", "markdown", "json", "yaml", "html", "sarif", "attestation"}}}
	cmd := &cobra.Command{
		Use:   "verify SNAPSHOT --kubelet NODE=FILE... | --dumps DIR",
		Short: "Compare what kubelets really run with what the API has, after a restore",
		Long: `verify compares what runs on the nodes with what the API has. It reports real
phantoms, ghosts, and pods that run twice, each with the command that cleans it up.

SNAPSHOT is the one that was restored, or better, one saved after the restore and
after the lists. Also give what the API itself lists now: by the snapshot alone,
a pod that is newer than the snapshot may meanwhile be in the API.

Ask every API server at its own address, not through the load balancer, all at about
the same time (--tls-server-name=kubernetes if its certificate lacks the address):

  kubectl --server https://10.0.0.1:6443 get pods -A -o json > kubectl-pods.api-1.json
  kubectl --server https://10.0.0.2:6443 get pods -A -o json > kubectl-pods.api-2.json

API servers that list pods differently are a finding: one of them serves a past that
etcd has lost, or lags. If there is one API server only:

  kubectl get pods -A -o json > kubectl-pods.json

Any of these shows what a node runs; several of them are better:

  kubectl get --raw /api/v1/nodes/NODE/proxy/runningpods/ > NODE.runningpods.json
  kubectl get --raw /api/v1/nodes/NODE/proxy/pods         > NODE.pods.json
  crictl ps -o json         (on the node)                 > NODE.crictl-ps.json
  crictl pods -o json       (on the node)                 > NODE.crictl.json

The kubelet's /pods also has pods whose containers have ended: what only /pods
shows is "possible". If a kubelet is down, crictl on the machine shows what runs;
the node is then a silent-kubelet, even if everything agrees with the API. --dumps
reads a directory of files with all these names; --kubelet and --kubectl name single
files, - for standard input.

An answer that is not read in full counts as none. If it is empty or cut short, if a
pod has no uid or an unknown state, if a field occurs twice or in different case, or
if the list continues elsewhere, a running pod may be hidden. The node is then an
unread-node, which neither --fail-on nor --partial excludes.

After a restore with a sufficient bump, kubelets relist their pods up to two
minutes after the API servers are back: findings before that may disappear.

Exit codes: 0 no finding that --fail-on names; 1 there is one, or an answer was not
read in full; 2 the command could not do its work; 3 the snapshot is damaged.`,
		Example: `  revenant verify after.db --dumps dumps
  revenant verify restored.db --dumps dumps --kubectl api-1=pods-1.json --kubectl api-2=pods-2.json
  revenant verify restored.db --kubelet node-1=n1.json --kubelet node-2=n2.json
  revenant verify restored.db --dumps dumps --prediction prediction.json -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeArgs(1),
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	o.output.addBaseline(cmd.Flags())
	flags := cmd.Flags()
	flags.StringArrayVar(&o.kubelets, "kubelet", nil, "`NODE=FILE`: what a node says; can be given several times, also for one node")
	flags.StringVar(&o.dumps, "dumps", "", "`DIR` of NODE.runningpods.json, NODE.pods.json, NODE.crictl-ps.json, NODE.crictl.json and kubectl-pods.SERVER.json")
	flags.StringArrayVar(&o.kubectl, "kubectl", nil, "`[SERVER=]FILE`: the API's current pods, as kubectl get pods -A -o json writes them; can be given once for every API server")
	flags.StringVar(&o.prediction, "prediction", "", "`FILE` written by revenant predict -o json=FILE, to report what turned out differently")
	flags.StringSliceVar(&o.failOn, "fail-on", kindNames(), "exit with 1 when one of these is found: `KIND,...`")
	flags.BoolVar(&o.partial, "partial", false, "exclude nodes without an answer on purpose")
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

func (o *verifyOptions) run(ctx context.Context, args []string) error {
	path := args[0]
	guard, err := o.open.guardOutputs(o.streams, append(o.files(), path, o.output.baseline)...)
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
	files, err := o.dumped()
	if err != nil {
		return err
	}
	lists, err := o.lists(files)
	if err != nil {
		return err
	}
	if in.Nodes, err = o.nodes(files); err != nil {
		return err
	}
	var foretold *drift.Prediction
	if o.prediction != "" {
		if foretold, err = stream(o, o.prediction, drift.ReadPrediction); err != nil {
			return hinted(fmt.Errorf("%s %w", o.prediction, err), "save one with revenant predict BACKUP CURRENT -o json=FILE")
		}
	}
	v := report.Verification{SchemaVersion: report.SchemaVersion, Kind: "Verification", Tool: tool()}
	err = o.open.withOne(ctx, o.streams, path, func(s *snapshot.Snapshot, _ *progressLine) error { return o.api(ctx, s, lists, &in, &v) })
	if err != nil {
		return err
	}
	if foretold != nil {
		in.Known = append(in.Known, foretold.Nodes...)
	}
	v.Report = drift.Compare(in)
	if n := len(files.others); n > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%s not read, because the names give neither a node nor an API server: %s.", words.CountOf(n, "file of --dumps was", "files of --dumps were"), strings.Join(files.others[:min(n, 5)], ", ")))
	}
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
	for _, s := range o.kubectl {
		list = append(list, server(s).path)
	}
	return append(list, o.dumps, o.prediction)
}

// suffixes are the names of files in a directory of dumps that say what a node runs,
// and apiLists is how those of what an API server lists begin.
var suffixes = []string{".runningpods.json", ".pods.json", ".crictl-ps.json", ".crictl.json"}

const apiLists = "kubectl-pods"

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

// list is where an API server's list is.
type list struct{ server, path string }

// server reads what --kubectl names: [SERVER=]FILE.
func server(flag string) list {
	if name, path, ok := strings.Cut(flag, "="); ok && name != "" && !strings.Contains(name, "/") {
		return list{name, path}
	}
	name := strings.TrimSuffix(filepath.Base(flag), ".json")
	return list{strings.TrimPrefix(name, apiLists+"."), flag}
}

// dumped are the files in a directory of dumps.
type dumped struct {
	nodes   map[string][]string // by node
	kubectl []string
	others  []string // that are JSON by their names, and are not read
}

func (o *verifyOptions) dumped() (dumped, error) {
	d := dumped{nodes: map[string][]string{}}
	if o.dumps == "" {
		return d, nil
	}
	entries, err := os.ReadDir(o.dumps)
	if err != nil {
		return d, fmt.Errorf("--dumps: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(o.dumps, e.Name())
		middle, list := strings.CutPrefix(e.Name(), apiLists)
		middle, json := strings.CutSuffix(middle, ".json")
		if list && json && (middle == "" || len(middle) > 1 && middle[0] == '.') {
			d.kubectl = append(d.kubectl, path)
			continue
		}
		node, suffix := "", ""
		for _, s := range suffixes {
			if name, ok := strings.CutSuffix(e.Name(), s); ok && name != "" {
				node, suffix = name, s
			} else if tail := e.Name()[max(0, len(e.Name())-len(s)):]; !ok && strings.EqualFold(tail, s) {
				return d, hinted(fmt.Errorf("--dumps: %s would not be read", path), "its name has to end in "+s)
			}
		}
		switch {
		case suffix != "" && !list:
			d.nodes[node] = append(d.nodes[node], path)
		case list || len(e.Name()) >= len(apiLists) && strings.EqualFold(e.Name()[:len(apiLists)], apiLists):
			return d, hinted(fmt.Errorf("--dumps: %s would not be read", path), "what an API server lists is named "+apiLists+".SERVER.json")
		case json:
			d.others = append(d.others, path)
		}
	}
	return d, nil
}

// mostServers is more API servers than a cluster has.
const mostServers = 100

// lists are where the lists of API servers are. One that is in the directory of dumps
// and named by --kubectl as well counts once.
func (o *verifyOptions) lists(d dumped) ([]list, error) {
	var all []list
	for i, flag := range slices.Concat(o.kubectl, d.kubectl) {
		l := server(flag)
		given := slices.IndexFunc(all, func(o list) bool { return same(o.path, l.path) })
		switch {
		case given >= 0 && i >= len(o.kubectl):
			continue
		case given >= 0:
			return nil, hinted(fmt.Errorf("--kubectl: %s is given for %s and for %s", l.path, all[given].server, l.server), "ask every API server at its own address: kubectl --server https://ADDRESS:6443 get pods -A -o json")
		case slices.ContainsFunc(all, func(o list) bool { return o.server == l.server }):
			return nil, hinted(fmt.Errorf("--kubectl: there are two lists of the API server %s", l.server), "name the servers: --kubectl api-1=FILE --kubectl api-2=FILE")
		case len(all) == mostServers:
			return nil, fmt.Errorf("--kubectl: more than %d lists of API servers", mostServers)
		}
		all = append(all, l)
	}
	return all, nil
}

// nodes reads what every node says.
func (o *verifyOptions) nodes(d dumped) ([]drift.Node, error) {
	for _, s := range o.kubelets {
		node, file, ok := strings.Cut(s, "=")
		if !ok || node == "" || file == "" {
			return nil, hinted(fmt.Errorf("--kubelet %s: want NODE=FILE", s), "such as --kubelet node-1=node-1.runningpods.json")
		}
		d.nodes[node] = append(d.nodes[node], file)
	}
	if len(d.nodes) == 0 {
		return nil, hinted(errors.New("no node says what it runs"), "give --kubelet NODE=FILE for every node, or --dumps DIR with files named NODE"+strings.Join(suffixes, ", NODE"))
	}
	var nodes []drift.Node
	var refused error // of the first answer that is none
	read := false
	for _, name := range slices.Sorted(maps.Keys(d.nodes)) {
		n := drift.Node{Name: name}
		for _, path := range d.nodes[name] {
			dump, err := o.dump(path, kubelet.OnNode)
			switch none := new(kubelet.RefusedError); {
			case errors.As(err, &none):
				dump.Unread = none.Error()
				refused = cmp.Or(refused, err)
			case err != nil && dump.Unread == "":
				return nil, err
			default:
				read = true
			}
			if dump.Unread != "" {
				dump.Unread = path + " " + dump.Unread
			}
			if dump.Kind == kubelet.Empty {
				dump.Kind = named(path)
			}
			n.Dumps = append(n.Dumps, dump)
		}
		nodes = append(nodes, n)
	}
	if !read {
		return nil, refused
	}
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
// still: two pods of one name, one that runs and is bound to no node, or one
// without a container.
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
		if len(p.Containers) == 0 {
			return fmt.Errorf("has the pod %s/%s without a container, as no API server lists it", p.Namespace, p.Name)
		}
		has[name{p.Namespace, p.Name}] = true
	}
	return nil
}

// api reads what the API has: the snapshot, and what API servers list in its place.
func (o *verifyOptions) api(ctx context.Context, s *snapshot.Snapshot, lists []list, in *drift.Input, v *report.Verification) error {
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
	for range s.Keys(kube.Key{Resource: "masterleases"}.Path(choice.Prefix)) {
		in.Named++
	}
	v.API = "the snapshot " + s.Path()
	for i, l := range lists {
		pods, err := o.listed(l.path, len(in.API))
		if err != nil {
			return err
		}
		in.Servers = append(in.Servers, drift.Server{Name: l.server, Pods: pods, Only: only(pods, in.API)})
		switch {
		case len(lists) == 1:
			v.API = "the API's list " + l.path
		case i == 0:
			v.API = "the lists of the API servers " + l.server + " (" + l.path + ")"
		default:
			v.API += ", " + l.server + " (" + l.path + ")"
		}
	}
	if err := in.FindDeletions(ctx, s, choice.Prefix, state.Clock); err != nil {
		return err
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

// listed reads what an API server lists, of a snapshot with so many pods.
func (o *verifyOptions) listed(path string, has int) ([]kubelet.Pod, error) {
	d, err := o.dump(path, math.MaxInt)
	switch none := new(kubelet.RefusedError); {
	case errors.As(err, &none):
		return nil, hinted(fmt.Errorf("%s %w", path, none), "ask that API server again (kubectl --server https://ADDRESS:6443 get pods -A -o json); leave its file out if it is down")
	case err != nil:
		return nil, err
	case d.Kind != kubelet.Listed && len(d.Pods) > 0:
		return nil, hinted(fmt.Errorf("%s is what a node runs, not what the API has", path), "kubectl get pods -A -o json writes the API's list")
	case d.Kubelets:
		return nil, hinted(fmt.Errorf("%s is a kubelet's list, not the API's", path), "kubectl get pods -A -o json writes the API's list")
	case len(d.Pods) == 0 && has > 0:
		return nil, hinted(fmt.Errorf("%s has no pod, and the snapshot has %d: is it the list of one namespace?", path, has), "kubectl get pods -A -o json writes that of all")
	}
	if err := consistent(d.Pods); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return d.Pods, nil
}
