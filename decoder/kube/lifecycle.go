package kube

// Lifecycle says in which minor releases of Kubernetes 1 API servers serve a version of
// a kind.
type Lifecycle struct {
	Introduced int // 0 where its types do not say
	Removed    int // the first that no longer serves it, 0 for none
}

// LifecycleOf reads the lifecycle of a built-in kind off its Go type, whose
// APILifecycleIntroduced and APILifecycleRemoved API servers go by as well
// (k8s.io/api v0.37 zz_generated.prerelease-lifecycle.go, apiserver v0.37
// pkg/server/deleted_kinds.go). ok is false for a version or kind that Kubernetes 1.37
// has no type of.
func LifecycleOf(apiVersion, kind string) (l Lifecycle, ok bool) {
	o, err := newTyped(apiVersion, kind)
	if err != nil {
		return l, false
	}
	if o, ok := o.(interface{ APILifecycleIntroduced() (major, minor int) }); ok {
		if major, minor := o.APILifecycleIntroduced(); major == 1 {
			l.Introduced = minor
		}
	}
	if o, ok := o.(interface{ APILifecycleRemoved() (major, minor int) }); ok {
		if major, minor := o.APILifecycleRemoved(); major == 1 {
			l.Removed = minor
		}
	}
	return l, true
}
