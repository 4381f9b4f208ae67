package document

import (
	"encoding/json"
	"time"
)

// Time is a time in a document. One that JSON and YAML cannot hold is null, and
// whoever writes the document says so with its Text.
type Time struct{ time.Time }

// NewTime is t in UTC, and nil for none.
func NewTime(t *time.Time) *Time {
	if t == nil {
		return nil
	}
	return &Time{t.UTC()}
}

// holds says whether RFC 3339 has a form for the time, as encoding/json asks for.
func (t Time) holds() bool {
	_, err := t.UTC().MarshalText()
	return err == nil
}

// MarshalJSON writes RFC 3339, UTC, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if !t.holds() {
		return []byte("null"), nil
	}
	return json.Marshal(t.UTC())
}

// Text is the time as ISO 8601 extends it to such years, +10000-01-01T00:00:00Z; "" for
// one that the formats hold.
func (t Time) Text() string {
	if t.holds() {
		return ""
	}
	text := t.UTC().Format(time.RFC3339)
	if t.UTC().Year() > 9999 {
		text = "+" + text
	}
	return text
}
