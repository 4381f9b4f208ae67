// Package sessiontest makes sessions for tests: of the built-in pair, of other files, or
// bare, for a screen alone.
package sessiontest
