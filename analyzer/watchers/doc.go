// Package watchers finds what watches the API servers besides kubelets: kube-proxy,
// network plug-ins, CoreDNS, CSI drivers, ingress controllers and operators. After a
// restore the same rule applies to them as to kubelets (package restore): a watcher
// whose watch resumes at a revision from the future gets no events, and acts on
// erased state.
//
// It takes a snapshot and returns a List: the DaemonSets, Deployments and
// StatefulSets, the static pods and the pods without a controller that watch.
// Watchers known by image or labels are distinguished from inferred ones: workloads
// whose ServiceAccount may watch, by RBAC. NotSeen names what may watch and is not a
// pod. Join merges the Lists of a backup and of a newer state.
//
// It refuses nothing. Values that cannot be read are counted. The revision that a
// workload has seen is not known: its bound is that of every watcher, the newest
// revision that was served.
package watchers
