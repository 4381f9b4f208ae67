// Package kube turns what Kubernetes stores in etcd back into Kubernetes
// objects.
//
// It takes the keys and values of a snapshot: keys as the API server lays them out
// (ParseKey, Key.Path), values as it encodes them: the protobuf envelope, JSON,
// CBOR, or encrypted. For any value it returns an Object (Decode), which prints as
// kubectl would print it. For passes over all pods and nodes it returns the small
// Pod and Node that a prediction needs (ScanPod, ScanNode), and where a pod could be
// scheduled (NodeChoices).
//
// Values are evidence, so they may be damaged or hostile. Decode refuses
// nothing: what it cannot read it shows by field number, or as bytes, and says
// why in Object.Problem. ScanPod and ScanNode refuse values that are encrypted,
// malformed or of another kind. Neither panics, recurses without bound, or
// allocates more than a bounded multiple of the value's size; third-party
// decoders get a value only after it was checked for what is known to hang or
// crash them (see check.go). Encrypted values are named, not decrypted.
//
// Secrets stay hidden unless asked for (PrintOptions.ShowSecrets).
package kube
