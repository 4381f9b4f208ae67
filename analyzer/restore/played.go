package restore

// Played is what API servers and kubelets have done since a restore, one by one: what a
// prediction concludes from revisions, and a replay brings about step by step.
type Played struct {
	// Plan says which API servers are left running. Its bump and the kubelets it restarts
	// decide nothing.
	Plan Plan
	// Erased says that the API servers left running serve the erased past.
	Erased bool
	// Kubelets is what the kubelet of each node has done: KubeletDeaf where it has heard
	// nothing yet, whatever the reason.
	Kubelets map[string]Kubelet
}

// Played is the prediction as it would be if API servers and kubelets did as p says. It
// says what has become of everything by then: no kubelet is still to list its pods.
// A *PlanError refuses plans as Predict does.
func (c *Comparison) Played(p Played) (*Prediction, error) {
	plan := c.normal(p.Plan)
	if err := c.validate(plan); err != nil {
		return nil, err
	}
	f, err := c.forecast(plan)
	if err != nil {
		return nil, err
	}
	f.cache = verdict{}
	if plan.KeepAPIServers {
		f.cache = played(KubeletRelists)
		if p.Erased {
			f.cache = played(KubeletStale)
		}
	}
	all := plan.KeepAPIServers && p.Erased && !f.disagree()
	least := KubeletRelists // of machines that are gone, as of the last kubelet that lives
	for i := range f.verdicts {
		did := p.Kubelets[c.nodes[i].name]
		if !c.nodes[i].gone && did != KubeletRelists && did != KubeletRestarted {
			least = KubeletDeaf
		}
		if f.verdicts[i] = played(did); all {
			f.verdicts[i] = f.cache
		}
	}
	for i := range f.verdicts {
		if c.nodes[i].gone && !all {
			f.verdicts[i] = played(least)
		}
	}
	f.conclude()
	return f.prediction(), nil
}

// Settle is Predict for when kubelets have relisted their pods: no pod's outcome waits for
// that.
func (c *Comparison) Settle(plan Plan) (*Prediction, error) {
	p, _, err := c.settle(plan)
	return p, err
}

// played is the verdict on a kubelet that was seen to do so.
func played(did Kubelet) verdict {
	v := verdict{column: deaf, certainty: Certain, kubelet: did}
	switch did {
	case KubeletRelists:
		v.column, v.reason = relist, "Its kubelet has relisted its pods."
	case KubeletRestarted:
		v.column, v.reason = restart, "Its kubelet was restarted and has listed its pods."
	case KubeletStale:
		v.column, v.reason = stale, "The API servers were left running and serve the erased past."
	default:
		v.kubelet, v.reason = KubeletDeaf, "Its kubelet has not heard of the restore."
	}
	return v
}

// Paired is a pod of the backup, of the current state, or of both: one uid.
type Paired struct {
	*PodIdentity
	Backup, Current *Pod // nil where it is not there
}

// Paired are the pods of both states, in the order of a prediction's.
func (c *Comparison) Paired() []Paired {
	list := make([]Paired, len(c.cases))
	for i, p := range c.cases {
		list[i] = Paired{p.PodIdentity, p.backup, p.current}
	}
	return list
}

// States are the two states that are compared.
func (c *Comparison) States() (backup, current *State) { return c.backup, c.current }
