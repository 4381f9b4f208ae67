package preflight

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

const admissionGroup = "admissionregistration.k8s.io"

// policy is what an admission policy of either kind says.
type policy struct {
	closed bool // it refuses what it cannot judge
	param  *admissionv1.ParamKind
	ref    finding.Ref
}

// policies looks for admission policies that refuse what they match because what they go
// by is not in the backup: the kind of their parameters, or the parameters.
func (r *run) policies() result {
	var p points
	n := 0
	for _, kind := range []string{"validating", "mutating"} {
		all := map[string]policy{}
		r.each(&p, kind+"admissionpolicies", func(o *kube.Object, ref finding.Ref) error {
			var spec struct {
				Spec struct {
					FailurePolicy *admissionv1.FailurePolicyType `json:"failurePolicy"`
					ParamKind     *admissionv1.ParamKind         `json:"paramKind"`
				} `json:"spec"`
			}
			err := readAs(o, &spec)
			all[o.Name] = policy{
				closed: spec.Spec.FailurePolicy == nil || *spec.Spec.FailurePolicy == admissionv1.Fail,
				param:  spec.Spec.ParamKind, ref: ref,
			}
			return err
		})
		r.each(&p, kind+"admissionpolicybindings", func(o *kube.Object, ref finding.Ref) error {
			var binding struct {
				Spec struct {
					PolicyName string                `json:"policyName"`
					ParamRef   *admissionv1.ParamRef `json:"paramRef"`
				} `json:"spec"`
			}
			if err := readAs(o, &binding); err != nil {
				return err
			}
			to, ok := all[binding.Spec.PolicyName]
			if !ok || !to.closed {
				return nil
			}
			n++
			if to.param == nil {
				return nil
			}
			if why := r.lacksParams(to.param, binding.Spec.ParamRef); why != "" {
				p.add(Fail, []finding.Ref{to.ref, ref}, "%s policy %s, bound by %s, refuses all that it matches: %s", kind, binding.Spec.PolicyName, o.Name, why)
			}
			return nil
		})
	}
	if n == 0 {
		return p.result(pass("no policy is bound that refuses what it cannot judge"))
	}
	return p.result(pass("the parameters of each of %s that fail closed are in the backup", words.CountOf(n, "binding of policies", "bindings of policies")))
}

// each decodes the objects of a resource of admission in the backup.
func (r *run) each(p *points, resource string, use func(*kube.Object, finding.Ref) error) {
	for record := range r.Backup.Snapshot.Keys(kube.Key{Group: admissionGroup, Resource: resource}.Path(r.Prefix)) {
		if r.ctx.Err() != nil {
			return
		}
		key, _ := kube.ParseKey(r.Prefix, record.Key)
		value, err := r.Backup.Snapshot.Value(record)
		if err == nil {
			o := kube.Decode(key, value)
			if err = o.Problem; err == nil || o.Typed != nil {
				err = use(o, finding.Ref{Snapshot: finding.InBackup, Key: record.Key, Revision: record.Main})
			}
		}
		if err != nil {
			p.add(Unknown, nil, "%s cannot be read: %v", record.Key, err)
		}
	}
}

// readAs reads what two versions of a kind have in common.
func readAs(o *kube.Object, to any) error {
	var from any = o.Unstructured
	if o.Typed != nil {
		from = o.Typed
	}
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// lacksParams says why a policy has no parameters, "" when it may have
// (apiserver v0.37 pkg/admission/plugin/policy/generic/policy_dispatcher.go
// CollectParams).
func (r *run) lacksParams(kind *admissionv1.ParamKind, ref *admissionv1.ParamRef) string {
	group, in, ok := strings.Cut(kind.APIVersion, "/")
	if !ok {
		group, in = "", kind.APIVersion
	}
	var resource kube.Key
	var namespaced bool
	for _, built := range kube.Resources() {
		if built.Kind == kind.Kind && slices.Contains(built.Groups, group) {
			resource, namespaced = kube.Key{Group: built.Group(), Resource: built.Name}, built.Namespaced
		}
	}
	for k, d := range r.defined {
		if d.Group == group && d.Kind == kind.Kind {
			if !slices.ContainsFunc(d.Versions, func(v kube.DefinedVersion) bool { return v.Name == in && v.Served }) {
				return fmt.Sprintf("its parameters are of %s %s, a version that is not served", kind.APIVersion, kind.Kind)
			}
			resource, namespaced = k, d.Namespaced
		}
	}
	if resource == (kube.Key{}) {
		if len(r.undefined) > 0 {
			return ""
		}
		return fmt.Sprintf("its parameters are of %s %s, which the backup does not define", kind.APIVersion, kind.Kind)
	}
	if ref == nil || ref.ParameterNotFoundAction == nil || *ref.ParameterNotFoundAction != admissionv1.DenyAction {
		return ""
	}
	return r.missingParam(resource, namespaced, ref)
}

// missingParam looks for the parameters that a binding names.
func (r *run) missingParam(resource kube.Key, namespaced bool, ref *admissionv1.ParamRef) string {
	s := r.Backup.Snapshot
	if ref.Name != "" && (!namespaced || ref.Namespace != "") {
		k := resource
		if k.Name = ref.Name; namespaced {
			k.Namespace = ref.Namespace
		}
		if _, err := s.Get(k.Path(r.Prefix), 0); errors.Is(err, snapshot.ErrNotFound) {
			return fmt.Sprintf("its parameters %s are not in the backup", cmp.Or(strings.Trim(k.Namespace+"/"+k.Name, "/"), k.Name))
		}
		return ""
	}
	all := resource
	if namespaced {
		all.Namespace = ref.Namespace
	}
	for record := range s.Keys(all.Path(r.Prefix)) {
		if ref.Name == "" || strings.HasSuffix(record.Key, "/"+ref.Name) {
			return ""
		}
	}
	return "none of its parameters is in the backup"
}
