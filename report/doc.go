// Package report turns findings into text, JSON and YAML.
//
// It takes snapshots and what the analyzers found in them, and returns documents: the
// same finding reads the same in each format. Text passes through sanitize before it
// is written. The JSON follows a schema whose version is in every document: within a
// version fields are only ever added.
package report

// SchemaVersion is that of every JSON and YAML document.
const SchemaVersion = 1
