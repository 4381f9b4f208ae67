// Package restore predicts what restoring a backup does to every pod: which
// become phantoms, that is pods a kubelet goes on running although they no
// longer exist in the API.
//
// In go a State of the backup and one of the newest state known before the
// restore (Load reads it off a snapshot), and a Plan of how the restore is to be
// done. Out comes a Prediction: an Outcome for every pod that either snapshot
// holds, one a uid, with the rule that gave it, the evidence, how certain it is
// and why; the nodes, with what their kubelets can have seen; and the revisions,
// with the bump that would be safe.
//
// Refused are plans that etcd's own tools refuse, or that name nodes which
// neither snapshot knows, and a backup that is newer than the current state.
// Pods whose values cannot be read are neither left out nor taken for safe: they
// come out as Unknown, with the reason.
//
// How it works. A kubelet watches the pods bound to its node. When the API goes
// away it retries, and resumes its watch at L, the last revision it saw. A
// restored etcd starts at R0, far behind L, and the API server takes the watch
// without a word but has nothing to say until its revision passes L: the
// kubelet is deaf. What it runs, and what the API shows, stay apart. When R0 is
// above L the watch is refused instead, the kubelet lists all pods anew, and
// almost every difference ends. So each kubelet is deaf, lists anew, or is restarted
// by the plan (which also makes it list), or all of them are served the erased
// past by API servers that were left running. Each pod belongs to one row of a
// decision table, which says what becomes of it in each of these cases.
//
// RestoreOnto is the restore of a backup onto other machines: there no kubelet has ever
// watched, every node of the backup is gone, and every pod starts anew.
//
// The mechanism was read in the sources of client-go and apiserver v0.37.2,
// kubernetes v1.37.2 and etcd v3.6.16 and observed on whole clusters; the rows'
// sources stand with them in Rules.
package restore
