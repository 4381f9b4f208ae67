// Package finding has the words that all analyzers judge with: how bad a finding
// is, how sure, and where in the evidence it rests.
package finding

// Severity ranks findings by what they do to the cluster.
type Severity string

// The severities, worst first.
const (
	// Critical: wrong or double execution, or a false view, that nothing repairs.
	Critical Severity = "critical"
	// Warning: it is repaired, but late or with damage.
	Warning Severity = "warning"
	// OK: nothing to do.
	OK Severity = "ok"
)

// Rank orders severities: 0 is the worst.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 0
	case Warning:
		return 1
	}
	return 2
}

// Certainty says how sure a finding is.
type Certainty string

// The certainties, surest first.
const (
	Certain  Certainty = "certain"
	Possible Certainty = "possible"
	Unlikely Certainty = "unlikely"
)

// Rank orders certainties: 0 is the surest.
func (c Certainty) Rank() int {
	switch c {
	case Certain:
		return 0
	case Possible:
		return 1
	}
	return 2
}

// In names one of the two snapshots.
type In string

// The two snapshots.
const (
	InBackup  In = "backup"
	InCurrent In = "current"
)

// Ref points at a record of a snapshot.
type Ref struct {
	Snapshot In     `json:"snapshot"`
	Key      string `json:"key"`
	Revision int64  `json:"revision"`
}
