package drift

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"revenant/analyzer/restore"
	"revenant/internal/strictjson"
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

// Prediction is what of a prediction can be held against what was found.
type Prediction struct {
	Nodes []string // those whose machines exist
	pods  []foretold
}

// foretold is what was predicted of a pod.
type foretold struct {
	namespace, name, uid, node string
	outcome                    restore.Outcome
	certainty                  restore.Certainty
	runs                       bool // somewhere, for certain
	api                        *restore.APIView
}

// What is read of a prediction, object by object.
var (
	predictionNames = []string{"kind", "schemaVersion", "pods", "nodes"}
	podNames        = []string{"namespace", "name", "uid", "node", "outcome", "certainty", "runsOn", "api"}
	apiNames        = []string{"node", "phase"}
	nodeNames       = []string{"name", "kubelet"}
)

// ParsePrediction reads a prediction that is in memory, as ReadPrediction does.
func ParsePrediction(data []byte) (*Prediction, error) { return ReadPrediction(bytes.NewReader(data)) }

// ReadPrediction reads what `revenant predict -o json` wrote. Refused are other
// documents, and one that can be read in more than one way.
func ReadPrediction(in io.Reader) (*Prediction, error) {
	r, p := strictjson.NewReader(in, "prediction"), &Prediction{}
	kind, version, parts := "", int64(0), 0
	r.Object(predictionNames, func(name string) {
		switch name {
		case "kind":
			kind = r.String()
		case "schemaVersion":
			version = r.Int()
		case "pods":
			parts++
			r.Array(func(int) { p.pod(r) })
		case "nodes":
			parts++
			r.Array(func(int) { p.node(r) })
		}
	})
	r.End()
	switch faults := r.Faults(); {
	case r.Err() != nil:
		return nil, fmt.Errorf("is no prediction: it %w", r.Err())
	case kind != "Prediction" && (kind != "" || len(faults) == 0):
		return nil, fmt.Errorf("is no prediction but a document of kind %q", kind)
	case len(faults) > 0:
		return nil, errors.New(faults[0])
	case version != 1:
		return nil, fmt.Errorf("is a prediction of schema version %d, which this program does not know", version)
	case parts < 2:
		return nil, errors.New("is a prediction without pods or nodes")
	}
	return p, nil
}

func (p *Prediction) pod(r *strictjson.Reader) {
	var f foretold
	r.Object(podNames, func(name string) {
		switch name {
		case "namespace":
			f.namespace = r.String()
		case "name":
			f.name = r.String()
		case "uid":
			f.uid = r.String()
		case "node":
			f.node = r.String()
		case "outcome":
			f.outcome = restore.Outcome(r.String())
		case "certainty":
			f.certainty = restore.Certainty(r.String())
		case "runsOn":
			r.Array(func(int) {
				f.runs = true
				r.Skip()
			})
		case "api":
			var v restore.APIView
			if r.Object(apiNames, func(name string) {
				if s := r.String(); name == "node" {
					v.Node = s
				} else {
					v.Phase = s
				}
			}) {
				f.api = &v
			}
		}
	})
	known := slices.ContainsFunc(restore.Outcomes, func(o restore.OutcomeInfo) bool { return o.ID == f.outcome })
	switch {
	case f.name == "" || f.outcome == "":
		r.Fault("is a prediction with a pod that has no name or no outcome: ", "")
	case !known:
		r.Fault("is a prediction with an outcome that this program does not know: ", "")
	default:
		p.pods = append(p.pods, f)
	}
}

func (p *Prediction) node(r *strictjson.Reader) {
	name, does := "", restore.Kubelet("")
	r.Object(nodeNames, func(field string) {
		if s := r.String(); field == "name" {
			name = s
		} else {
			does = restore.Kubelet(s)
		}
	})
	if name == "" {
		r.Fault("is a prediction with a node that has no name: ", "")
	} else if does != restore.KubeletGone {
		p.Nodes = append(p.Nodes, name)
	}
}

// Against holds the report against a prediction, by uid and node.
func (r *Report) Against(p *Prediction) *Outcome {
	o := &Outcome{DidNotHappen: []Difference{}, NotPredicted: []Difference{}}
	looked := map[string]bool{}
	for _, n := range r.Nodes {
		looked[n.Name] = len(n.Seen) > 0 && len(n.Unread) == 0
	}
	type place struct{ uid, node string }
	found := map[place]Finding{}
	for _, f := range r.Findings {
		if f.Kind == Phantom || f.Kind == Ghost {
			found[place{f.UID, f.Node}] = f
		}
	}
	predicted := map[string]*foretold{}
	for i := range p.pods {
		pod := &p.pods[i]
		predicted[pod.uid] = pod
		kind := map[restore.Outcome]Kind{restore.Phantom: Phantom, restore.Ghost: Ghost}[pod.outcome]
		if kind == "" {
			continue
		}
		at := place{pod.uid, pod.node}
		switch f, ok := found[at]; {
		case f.Kind == kind:
			o.CameTrue++
			delete(found, at)
		case !looked[pod.node]:
			o.NotLookedAt++
		case kind == Phantom && !pod.runs && !ok:
			// It may not have started, and has not.
		default:
			is := "nothing of it runs there"
			if kind == Ghost {
				is = "it runs, or the API no longer has it"
			}
			if ok {
				is = "it is a " + string(f.Kind)
			}
			o.DidNotHappen = append(o.DidNotHappen, Difference{pod.namespace, pod.name, pod.uid, pod.node, string(pod.outcome), pod.certainty, is})
			delete(found, at)
		}
	}
	for _, f := range r.Findings {
		if _, ok := found[place{f.UID, f.Node}]; !ok || f.Kind != Phantom && f.Kind != Ghost {
			continue
		}
		d := Difference{Namespace: f.Namespace, Name: f.Name, UID: f.UID, Node: f.Node, Predicted: "nothing", Found: "a " + string(f.Kind)}
		if pod := predicted[f.UID]; pod != nil {
			if f.Kind == Ghost && claimsGhost(pod, f.Node) {
				o.CameTrue++
				continue
			}
			d.Predicted, d.Certainty = string(pod.outcome), pod.certainty
		}
		o.NotPredicted = append(o.NotPredicted, d)
	}
	return o
}

// claimsGhost says whether an outcome by another name claims the same: the API has
// the pod alive on the node, and nothing of it runs.
func claimsGhost(pod *foretold, node string) bool {
	api := pod.api
	return api != nil && api.Node == node && api.Phase != "Succeeded" && api.Phase != "Failed" && !pod.runs
}
