// Package watchers finds what watches the API servers beside kubelets: kube-proxy,
// network plug-ins, CoreDNS, CSI drivers, ingress controllers and operators. After a
// restore they obey the rule that kubelets obey (package restore): one whose watch is
// resumed at a revision from the future hears nothing, and acts on what was erased.
//
// In goes a snapshot, out comes a List: the DaemonSets, Deployments and StatefulSets,
// the static pods and the pods without a controller that watch. What is known by its
// image or labels is told from what is inferred: that a workload's ServiceAccount may
// watch, by RBAC. NotSeen says what may watch and is no pod. Join lays the Lists of a
// backup and of a newer state together.
//
// Nothing is refused. Values that cannot be read are counted. What a workload has seen
// is not known: the bound is that of every watcher, the newest revision that was served.
package watchers
