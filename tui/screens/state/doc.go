// Package state has the screens of the pods, the nodes and the workloads of one snapshot: what its API had, without any
// prediction.
//
// In goes the newest state of the snapshot that is shown alone, out of the session. Whether a pod really ran, no snapshot
// tells: what is shown is what the API had of it.
package state
