// Package runbook writes the steps by which an operator restores an etcd
// snapshot of a Kubernetes cluster without leaving phantom pods behind.
//
// It takes what is known of the backup and, if there is one, of the newest state
// before the restore: their State, their Facts (members, versions, namespaces,
// marks of a platform), and the Comparison of the two. It returns a Runbook:
// numbered steps with the reason, exact commands, what to check and what to beware
// of; the bump with its margin; and what the snapshots cannot show. Every pod and
// node that a step names comes from the prediction under the plan that the runbook
// follows: the recommended one, or the one that is given.
//
// With Onto the steps bring the backup up on machines that were not its nodes: the proof that
// the old cluster is down comes first, what belongs to the old machines is removed from the
// backup before anything starts, and nodes join last.
//
// It refuses plans that package restore refuses, and backups so close to the
// largest revision that no bump fits. A name that cannot safely be written in a shell
// command is left out of the commands and counted.
//
// What a platform's own restore does was read in its sources or documentation; its
// commands were not executed, and the runbook says so. What follows from that
// without being written there is marked as inferred. etcdutl's commands are executed by
// tests, and whole runbooks are played with stubs of the platforms' programs (oracle/play);
// the order of the steps rests on what was observed on whole clusters with real kubelets.
package runbook
