// Package state has the screens of the pods, the nodes and the workloads of one snapshot: what its API had, without any
// prediction.
//
// It takes the newest state of the snapshot that is shown alone from the session. No snapshot shows whether a pod really
// ran: what is shown is what the API had of it.
package state
