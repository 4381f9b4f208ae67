// Package restore predicts what restoring a backup does to every pod, above all which
// pods become phantoms: pods that a kubelet keeps running although they no longer
// exist in the API.
//
// It takes a State of the backup and one of the newest state known before the restore
// (Load reads it from a snapshot), and a Plan of the restore. It returns a
// Prediction: an Outcome for every pod that either snapshot holds, one per uid, with
// the rule that gave it, the evidence, and how certain it is and why; the nodes, with
// the revisions that their kubelets can have seen; and the revisions, with the bump
// that would be large enough.
//
// It refuses plans that etcd's own tools refuse or that name nodes in neither
// snapshot, and a backup that is newer than the current state. Pods whose values
// cannot be read are neither left out nor assumed to be safe: their outcome is
// Unknown, with the reason.
//
// How it works. A kubelet watches the pods bound to its node. When the API is down it
// retries, and resumes its watch at L, the last revision it saw. A restored etcd
// starts at R0, far below L. The API server accepts the watch without an error but
// has no events for it until its revision passes L: the kubelet is deaf. What it runs
// and what the API shows stay different. If R0 is above L, the watch is refused, the
// kubelet relists all pods, and almost every difference ends. So each kubelet is
// deaf, relists, or is restarted by the plan (which also makes it list), or API
// servers that were left running serve all kubelets the erased past. Each pod belongs
// to one row of a decision table, which gives its outcome in each of these cases.
//
// RestoreOnto predicts the restore of a backup onto other machines: no kubelet there
// has ever watched, every node of the backup is gone, and every pod has to start
// again.
//
// The mechanism was read in the sources of client-go and apiserver v0.37.2,
// kubernetes v1.37.2 and etcd v3.6.16 and observed on whole clusters; Rules has the
// sources of each row.
package restore
