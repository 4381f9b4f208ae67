// Package resources says which resources a snapshot has at a revision, by which
// names kubectl takes them, and what `kubectl get` shows of their objects.
//
// In goes a snapshot at a revision. Out comes a Catalog: the resources that
// Kubernetes has built in, those that the CustomResourceDefinitions of that very
// revision define, and whatever else has objects, each with how many there are and
// with its columns; and of a decoded object its cells, as they would have been
// printed at a given time, or a description in sections of facts. What that time was is known as an interval, so an age
// may be one.
//
// The columns are those of kubectl 1.37: of built-in resources those of kubernetes
// v1.37 pkg/printers/internalversion/printers.go, of custom ones the
// additionalPrinterColumns that apiextensions-apiserver v0.37
// pkg/registry/customresource/tableconvertor prints. No cell holds what a Secret
// does.
//
// Definitions and objects are evidence, and may be hostile: what cannot be read
// becomes a cell that says so, and a path that would take more than a pass over the
// object is not followed.
package resources
