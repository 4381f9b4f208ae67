package clock

import "errors"

// Revision is the revision that a moment stands for, of a store whose newest one is
// newest: of those that the store may have been at at a time the newest. The error says
// that nothing shows when revisions were written.
func (c *Clock) Revision(m Moment, newest int64) (int64, error) {
	switch {
	case m.Time.From.IsZero() && m.Revision == 0:
		return newest, nil
	case m.Time.From.IsZero():
		return m.Revision, nil
	case c == nil:
		return 0, errors.New("nothing in the snapshot shows when revisions were written")
	}
	return min(c.HeadAt(m.Time.From).To, newest), nil
}
