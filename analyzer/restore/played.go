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
	for i := range f.verdicts {
		did, ok := p.Kubelets[c.nodes[i].name]
		switch {
		case all:
			f.verdicts[i] = f.cache
		case !ok:
			f.verdicts[i] = played(KubeletDeaf)
		default:
			f.verdicts[i] = played(did)
		}
	}
	f.conclude()
	return f.prediction(), nil
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
