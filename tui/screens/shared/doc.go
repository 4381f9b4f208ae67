// Package shared draws what several screens show: severities, the difference of two states
// of an object, versions of one, the ruler of the two snapshots.
package shared
