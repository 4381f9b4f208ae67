//go:build !linux

package memlimit

// systemLimits are none: only GOMEMLIMIT is known.
func systemLimits() []limit { return nil }

// Prepare does nothing.
func Prepare() {}
