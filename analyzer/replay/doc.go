// Package replay is a restore as a state machine: etcd with its revision and what is
// compacted, each API server with its watch cache, the controllers and the scheduler as one
// watcher, and each kubelet with the last revision it has seen, its watch and the pods it
// runs. Operators act, and the environment answers: a load balancer picks an API server, a
// watch is refused, an event arrives. Every transition names the rule of etcd or Kubernetes
// that it follows.
//
// It takes a Comparison of a backup and a current state. The machine decides which API
// server serves what, and what each kubelet does; the decision table says what that makes
// of a pod (restore.Comparison.Played). So a play ends where a prediction of the same plan
// does, and tests check that it does.
//
// The machine has no time: a step is one event, and what waits may wait as long as it
// likes. Pods of the two snapshots are those of the table; pods that are created or deleted
// in the course of a play are changes (Change).
package replay
