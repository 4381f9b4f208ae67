package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	"revenant/report"
)

// planOptions are the flags that make a restore.Plan.
type planOptions struct {
	bump            int64
	markCompacted   bool
	restartKubelets string
	restartServers  string
	keepAPIServers  bool
	kubelets        []string
	outage          string
	outageAt        string
	lastRevision    int64
	kubernetes      string
	metrics         []string
	onto            string
}

func (o *planOptions) addFlags(flags *pflag.FlagSet) {
	flags.Int64Var(&o.bump, "bump-revision", 0, "add `N` revisions to the backup's newest, like etcdutl's flag; needs --mark-compacted")
	flags.BoolVar(&o.markCompacted, "mark-compacted", false, "mark the restored revision as compacted, like etcdutl's flag; needs --bump-revision")
	flags.StringVar(&o.restartKubelets, "restart-kubelets", "none", "kubelets restarted once the API is back: none, all, or `NODE,...`")
	flags.StringVar(&o.restartServers, "restart-apiservers", "all", "API servers restarted with etcd, the others left running: all, none, or `NAME,...` (host, address or identity)")
	flags.BoolVar(&o.keepAPIServers, "keep-apiservers", false, "leave the API servers running while etcd is restored: same as --restart-apiservers none")
	flags.StringSliceVar(&o.kubelets, "kubelet-apiserver", nil, "`NODE=NAME,...`: the kubelet of NODE reaches only the API server NAME (default any may be connected to any)")
	flags.StringVar(&o.outage, "outage", "", "how long the API servers refuse kubelets, in `SECONDS` or FROM..TO (0 behind a load balancer that accepts and closes connections): bounds when they relist their pods (default unknown)")
	flags.StringVar(&o.outageAt, "outage-at", "", "`TIME` at which the last API server stopped, such as 2026-11-22T03:00Z: bounds what kubelets have seen")
	flags.Int64Var(&o.lastRevision, "last-revision", 0, "newest `REVISION` that was served before the outage, from metrics or logs: bounds what kubelets have seen")
	flags.StringVar(&o.kubernetes, "kubernetes-version", "", "`VERSION` of the API servers that serve the restored store, if it differs from that of the current state: decides how certain the rules are")
	flags.StringArrayVar(&o.metrics, "metrics", nil, "`FILE` with metrics of etcd or API servers from before the outage, as scraped or dumped; may be repeated")
}

// plan refuses what no restore can do, before any file is read.
func (o *planOptions) plan() (restore.Plan, error) {
	p := restore.Plan{
		BumpRevision:    o.bump,
		MarkCompacted:   o.markCompacted,
		RestartKubelets: restore.ParseRestart(o.restartKubelets),
		LastRevision:    o.lastRevision,

		KubernetesVersion: o.kubernetes,
		Onto:              restore.Onto(o.onto),
	}
	p.SetAPIServers(o.restartServers)
	if o.keepAPIServers {
		if len(p.RestartAPIServers) > 0 {
			return p, hinted(errors.New("--keep-apiservers and --restart-apiservers contradict each other"), "--restart-apiservers NAME,... leaves the others running")
		}
		p.KeepAPIServers = true
	}
	if len(o.kubelets) > 0 {
		var err error
		if p.KubeletAPIServers, err = restore.ParseKubelets(strings.Join(o.kubelets, ",")); err != nil {
			return p, fmt.Errorf("--kubelet-apiserver: %w", err)
		}
	}
	if o.outage != "" {
		var err error
		if p.Outage, err = restore.ParseSeconds(o.outage); err != nil {
			return p, fmt.Errorf("--outage: %w", err)
		}
	}
	if o.outageAt != "" {
		when, err := parseTime("--outage-at", o.outageAt)
		if err != nil {
			return p, err
		}
		p.OutageAt = when.To // later, more may have been written
	}
	return p, p.Validate()
}

// predictOptions are the flags of `revenant predict`.
type predictOptions struct {
	streams streams
	open    openOptions
	output  outputOptions
	plan    planOptions
	failOn  []string
	force   bool
	all     bool
	compare bool
}

func newPredict(s streams, f runFunc) *cobra.Command {
	o := &predictOptions{streams: s, output: outputOptions{formats: []string{"table", "markdown", "json", "yaml", "html", "sarif", "prometheus", "attestation"}}}
	cmd := &cobra.Command{
		Use:   "predict BACKUP CURRENT | predict BACKUP [CURRENT] --onto new-machines",
		Short: "Predict the outcome of every pod when BACKUP is restored",
		Long: `predict shows what happens to every pod when the snapshot BACKUP is restored into
the cluster whose newest known state is CURRENT, under the plan given by the
flags. Without flags the plan is a plain restore: API servers restarted, kubelets
left running.

With --onto new-machines it is restored onto machines none of which was a node of its
cluster: every pod has to start again, and predict lists what binds the backup to the
old machines, network and accounts. CURRENT is then optional: the newest state of
the old cluster, which shows what may still run there and what is undone.

` + outcomeHelp() + `
Exit codes: 0 done; 1 an outcome named by --fail-on is predicted; 2 the command
could not do its work; 3 a file is damaged, and the prediction is based on what
was readable.`,
		Example: `  revenant predict backup.db current.db
  revenant predict backup.db current.db --bump-revision 1000000000 --mark-compacted
  revenant predict backup.db current.db --restart-kubelets node-1,node-2
  revenant predict backup.db current.db --restart-apiservers cp-1
  revenant predict backup.db current.db --outage-at 2026-11-22T03:00Z --outage 300..900
  revenant predict backup.db current.db --compare
  revenant predict backup.db current.db -o html=prediction.html
  revenant predict backup.db current.db --fail-on phantom,ghost -o json=prediction.json -o table
  revenant predict backup.db --onto new-machines`,
		Args:              o.plan.pairOrOnto,
		ValidArgsFunction: completeArgs(2),
		RunE:              f.of(o),
	}
	o.open.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	o.output.addBaseline(cmd.Flags())
	o.plan.addFlags(cmd.Flags())
	o.plan.addOnto(cmd.Flags())
	cmd.Flags().StringSliceVar(&o.failOn, "fail-on", nil, "exit with 1 when one of these outcomes is predicted: `OUTCOME,...`")
	cmd.Flags().BoolVar(&o.force, "force", false, "continue although the snapshots are of different clusters")
	cmd.Flags().BoolVar(&o.compare, "compare", false, "lay the ways to restore side by side instead, the given plan among them")
	cmd.Flags().BoolVar(&o.all, "all", false, "list pods that need no attention, too")
	register(cmd, "fail-on", completeSeveral(outcomeNames()...))
	register(cmd, "output", o.output.complete())
	return cmd
}

// outcomeHelp lists the outcomes for --help.
func outcomeHelp() string {
	var b strings.Builder
	b.WriteString("Outcomes, worst first:\n")
	for _, o := range restore.Outcomes {
		fmt.Fprintf(&b, "  %-18s %s\n", o.ID, o.Title)
	}
	return b.String()
}

func outcomeNames() []string {
	var names []string
	for _, o := range restore.Outcomes {
		names = append(names, string(o.ID))
	}
	return names
}

func (o *predictOptions) run(ctx context.Context, paths []string) error {
	o.open.metricsFiles = o.plan.metrics
	guard, err := o.open.guardOutputs(o.streams, append(slices.Clone(paths), o.output.baseline)...)
	if err != nil {
		return err
	}
	targets, err := o.output.targets(guard)
	if err != nil {
		return err
	}
	plan, err := o.plan.plan()
	if err != nil {
		return err
	}
	for _, name := range o.failOn {
		if !slices.Contains(outcomeNames(), name) {
			return hinted(fmt.Errorf("--fail-on: unknown outcome %q", name), "the outcomes are "+strings.Join(outcomeNames(), ", "))
		}
	}
	if plan.Onto != "" {
		return o.runOnto(ctx, targets, paths, plan)
	}
	for _, format := range []string{"sarif", "prometheus"} {
		if o.compare && has(targets, format) {
			return hinted(fmt.Errorf("--compare and -o %s contradict each other", format), "it is for what one plan comes to: leave out --compare")
		}
	}
	b, c, err := o.open.files(paths[0], paths[1])
	if err != nil {
		return err
	}
	if o.compare {
		return o.comparePlans(ctx, targets, b, c, plan)
	}
	doc := &report.Prediction{All: o.all}
	err = o.open.withPair(ctx, o.streams, b, c, o.force, func(p *pair) (err error) {
		if doc.Prediction, err = p.predict(ctx, plan); err == nil && has(targets, "sarif") {
			doc.Offsets = report.Locate(p.snapshots(), doc.Evidence, doc.Refs)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, doc); err != nil {
		return err
	}
	return o.verdict(doc.Evidence, doc.Summary)
}

// comparePlans compares the ways to restore. --fail-on speaks of the
// given plan, which is the first of them or equal to one.
func (o *predictOptions) comparePlans(ctx context.Context, targets []target, backup, current opener, plan restore.Plan) error {
	var all *restore.PlanComparison
	err := o.open.withPair(ctx, o.streams, backup, current, o.force, func(p *pair) (err error) {
		all, err = p.comparePlans(ctx, plan)
		return err
	})
	if err != nil {
		return err
	}
	if err := write(ctx, targets, o.streams, &report.PlanComparison{PlanComparison: all}); err != nil {
		return err
	}
	given := slices.IndexFunc(all.Modes, func(m restore.ModeOutcome) bool { return m.Plan.Equal(plan) })
	return o.verdict(all.Evidence, all.Modes[given].Summary)
}

// verdict is the error that sets the exit code.
func (o *predictOptions) verdict(evidence []restore.Evidence, summary map[restore.Outcome]int) error {
	switch {
	case slices.ContainsFunc(evidence, report.Damaged):
		return errDamaged
	case slices.ContainsFunc(o.failOn, func(name string) bool { return summary[restore.Outcome(name)] > 0 }):
		return errFindings
	}
	return nil
}
