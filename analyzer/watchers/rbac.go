package watchers

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"revenant/decoder/kube"
)

// maxResources is how many resources of one ServiceAccount are listed.
const maxResources = 24

// rights are what RBAC lets ServiceAccounts watch, and whether they may write Leases.
// Rules are read as the authorizer reads them (kubernetes v1.37
// plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go).
type rights struct {
	roles    map[roleKey]grant
	bound    map[subject][]roleKey
	bindings int
	memo     map[subject]grant
}

// roleKey is a Role, or a ClusterRole where the namespace is "".
type roleKey struct{ namespace, name string }

// subject is a ServiceAccount, or a group where the namespace is "".
type subject struct{ namespace, name string }

// grant is what a role or a subject may do.
type grant struct {
	watches []string // resources, "*" for all, sorted
	more    bool     // there are more than maxResources
	leases  bool     // it may update Leases
}

func (g *grant) add(other grant) {
	for _, r := range other.watches {
		g.watch(r)
	}
	g.more = g.more || other.more
	g.leases = g.leases || other.leases
}

func (g *grant) watch(resource string) {
	at, found := slices.BinarySearch(g.watches, resource)
	switch {
	case found:
	case len(g.watches) >= maxResources:
		g.more = true
	default:
		g.watches = slices.Insert(slices.Clip(g.watches), at, resource)
	}
}

func granted(rules []rbacv1.PolicyRule) (g grant) {
	for i := range rules {
		r := &rules[i]
		all := slices.Contains(r.Verbs, rbacv1.VerbAll)
		if all || slices.Contains(r.Verbs, "watch") {
			for _, resource := range r.Resources {
				if !strings.Contains(resource, "/") { // a subresource is not watched
					g.watch(resource)
				}
			}
		}
		if (all || slices.Contains(r.Verbs, "update")) && has(r.Resources, "leases") && has(r.APIGroups, "coordination.k8s.io") {
			g.leases = true
		}
	}
	return g
}

func has(list []string, name string) bool {
	return slices.Contains(list, name) || slices.Contains(list, "*")
}

// rights reads all roles and bindings.
func (f *finder) rights() *rights {
	r := &rights{roles: map[roleKey]grant{}, bound: map[subject][]roleKey{}, memo: map[subject]grant{}}
	const group = "rbac.authorization.k8s.io"
	each(f, group, "clusterroles", func(k kube.Key, o *rbacv1.ClusterRole) {
		if g := granted(o.Rules); len(g.watches) > 0 || g.leases {
			r.roles[roleKey{"", k.Name}] = g
		}
	})
	each(f, group, "roles", func(k kube.Key, o *rbacv1.Role) {
		if g := granted(o.Rules); len(g.watches) > 0 || g.leases {
			r.roles[roleKey{k.Namespace, k.Name}] = g
		}
	})
	each(f, group, "clusterrolebindings", func(_ kube.Key, o *rbacv1.ClusterRoleBinding) {
		r.bindings++
		r.bind("", o.RoleRef, o.Subjects)
	})
	each(f, group, "rolebindings", func(k kube.Key, o *rbacv1.RoleBinding) {
		r.bind(k.Namespace, o.RoleRef, o.Subjects)
	})
	return r
}

func (r *rights) bind(namespace string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
	role := roleKey{"", ref.Name}
	if ref.Kind == "Role" {
		role.namespace = namespace
	}
	if _, ok := r.roles[role]; !ok {
		return
	}
	for _, s := range subjects {
		var key subject
		in := cmp.Or(s.Namespace, namespace) // a ServiceAccount without one is in the binding's
		switch {
		case s.Kind == rbacv1.ServiceAccountKind && in != "": // else it would be a group
			key = subject{in, s.Name}
		case s.Kind == rbacv1.GroupKind:
			key = subject{"", s.Name}
		case s.Kind == rbacv1.UserKind: // a ServiceAccount by the name of its user
			account, ok := strings.CutPrefix(s.Name, "system:serviceaccount:")
			ns, name, _ := strings.Cut(account, ":")
			if !ok || ns == "" {
				continue
			}
			key = subject{ns, name}
		default:
			continue
		}
		r.bound[key] = append(r.bound[key], role)
	}
}

// of is what a ServiceAccount may do: by itself, and with the groups that it is in
// (apiserver v0.37 pkg/authentication/serviceaccount/util.go MakeGroupNames).
func (r *rights) of(namespace, account string) grant {
	var g grant
	for _, s := range []subject{
		{namespace, account}, {"", "system:serviceaccounts:" + namespace}, {"", "system:serviceaccounts"}, {"", "system:authenticated"},
	} {
		g.add(r.own(s))
	}
	return g
}

func (r *rights) own(s subject) grant {
	g, ok := r.memo[s]
	if !ok {
		for _, role := range r.bound[s] {
			g.add(r.roles[role])
		}
		r.memo[s] = g
	}
	return g
}

// mounts says whether a pod has a token of its ServiceAccount: unless the pod, or else
// the account, says that it is not mounted, or by a volume (kubernetes v1.37
// plugin/pkg/admission/serviceaccount/admission.go shouldAutomount).
func (f *finder) mounts(namespace string, spec *corev1.PodSpec) bool {
	for i := range spec.Volumes {
		if p := spec.Volumes[i].Projected; p != nil && slices.ContainsFunc(p.Sources, func(s corev1.VolumeProjection) bool { return s.ServiceAccountToken != nil }) {
			return true
		}
	}
	if auto := spec.AutomountServiceAccountToken; auto != nil {
		return *auto
	}
	return !f.unmounted[subject{namespace, accountOf(spec.ServiceAccountName)}]
}

func accountOf(name string) string {
	if name == "" {
		return "default"
	}
	return name
}
