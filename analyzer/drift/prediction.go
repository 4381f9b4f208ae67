package drift

import (
	"encoding/json"
	"errors"
	"fmt"

	"revenant/analyzer/restore"
)

// Outcome says how a prediction came out.
type Outcome struct {
	CameTrue int `json:"cameTrue"` // phantoms and ghosts that were predicted and found
	// DidNotHappen are phantoms and ghosts that were predicted, on nodes that were
	// looked at, and not found; NotPredicted those that were found only.
	DidNotHappen []Difference `json:"didNotHappen"`
	NotPredicted []Difference `json:"notPredicted"`
	NotLookedAt  int          `json:"notLookedAt"` // predicted on nodes that nobody looked at
}

// Difference is a pod that came out otherwise than predicted.
type Difference struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	UID       string            `json:"uid"`
	Node      string            `json:"node"`
	Predicted string            `json:"predicted"` // the outcome, or nothing
	Certainty restore.Certainty `json:"certainty,omitempty"`
	Found     string            `json:"found"`
}

// ParsePrediction reads what `revenant predict -o json` wrote. Other documents are
// refused.
func ParsePrediction(data []byte) (*restore.Prediction, error) {
	var p restore.Prediction
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("is no prediction: %w", err)
	}
	switch {
	case p.Kind != "Prediction":
		return nil, fmt.Errorf("is no prediction but a document of kind %q", p.Kind)
	case p.SchemaVersion != 1:
		return nil, fmt.Errorf("is a prediction of schema version %d, which this program does not know", p.SchemaVersion)
	}
	for i := range p.Pods {
		if p.Pods[i].PodIdentity == nil || p.Pods[i].Finding == nil {
			return nil, errors.New("is a prediction with a pod that has no name or no outcome")
		}
	}
	return &p, nil
}

// Against holds the report against a prediction, by uid and node.
func (r *Report) Against(p *restore.Prediction) *Outcome {
	o := &Outcome{DidNotHappen: []Difference{}, NotPredicted: []Difference{}}
	looked := map[string]bool{}
	for _, n := range r.Nodes {
		looked[n.Name] = len(n.Seen) > 0
	}
	type place struct{ uid, node string }
	found := map[place]Finding{}
	for _, f := range r.Findings {
		if f.Kind == Phantom || f.Kind == Ghost {
			found[place{f.UID, f.Node}] = f
		}
	}
	foretold := map[string]*restore.PodOutcome{}
	for i := range p.Pods {
		pod := &p.Pods[i]
		foretold[pod.UID] = pod
		kind := map[restore.Outcome]Kind{restore.Phantom: Phantom, restore.Ghost: Ghost}[pod.Outcome]
		if kind == "" {
			continue
		}
		at := place{pod.UID, pod.Node}
		switch f, ok := found[at]; {
		case ok && f.Kind == kind:
			o.CameTrue++
			delete(found, at)
		case !looked[pod.Node]:
			o.NotLookedAt++
		case kind == Phantom && len(pod.RunsOn) == 0 && !ok:
			// It may not have started, and has not.
		default:
			is := "nothing of it runs there"
			if kind == Ghost {
				is = "it runs, or the API does not have it any more"
			}
			if ok {
				is = "it is a " + string(f.Kind)
			}
			o.DidNotHappen = append(o.DidNotHappen, Difference{pod.Namespace, pod.Name, pod.UID, pod.Node, string(pod.Outcome), pod.Certainty, is})
			delete(found, at)
		}
	}
	for _, f := range r.Findings {
		if _, ok := found[place{f.UID, f.Node}]; !ok || f.Kind != Phantom && f.Kind != Ghost {
			continue
		}
		d := Difference{Namespace: f.Namespace, Name: f.Name, UID: f.UID, Node: f.Node, Predicted: "nothing", Found: "a " + string(f.Kind)}
		if pod := foretold[f.UID]; pod != nil {
			if f.Kind == Ghost && claimsGhost(pod, f.Node) {
				o.CameTrue++
				continue
			}
			d.Predicted, d.Certainty = string(pod.Outcome), pod.Certainty
		}
		o.NotPredicted = append(o.NotPredicted, d)
	}
	return o
}

// claimsGhost says whether an outcome by another name claims the same: the API has
// the pod alive on the node, and nothing of it runs.
func claimsGhost(pod *restore.PodOutcome, node string) bool {
	api := pod.API
	return api != nil && api.Node == node && api.Phase != "Succeeded" && api.Phase != "Failed" && len(pod.RunsOn) == 0
}
