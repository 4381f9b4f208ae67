// Package resources lists the resources of a snapshot at a revision, the names that
// kubectl accepts for them, and what `kubectl get` shows of their objects.
//
// It takes a snapshot at a revision and returns a Catalog: the built-in resources of
// Kubernetes, those that the CustomResourceDefinitions of that revision define, and
// all others that have objects, each with its number of objects and its columns. For
// a decoded object it returns the cells as they would have been printed at a given
// time, or a description in sections of facts. That time is known as an interval, so
// an age may be one.
//
// The columns are those of kubectl 1.37: for built-in resources those of kubernetes
// v1.37 pkg/printers/internalversion/printers.go, for custom ones the
// additionalPrinterColumns that apiextensions-apiserver v0.37
// pkg/registry/customresource/tableconvertor prints. No cell shows the content of a
// Secret.
//
// Definitions and objects are evidence, and may be hostile: what cannot be read
// becomes a cell that says so, and a path that would take more than one pass over the
// object is not followed.
package resources
