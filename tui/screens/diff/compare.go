package diff

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/diff"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Messages of the commands that compare.
type (
	comparedMsg struct {
		to         *Screen
		request    int
		of         [2]session.Reached
		comparison *diff.Comparison
		err        error
	}
	siftingMsg struct {
		to          *Screen
		request     int
		done, total int
		next        tea.Cmd
	}
)

// between compares two moments that were named, or one with the newest of the current
// snapshot.
func (d *Screen) between(words []string) tea.Cmd {
	moments, err := d.named(words)
	if err != nil {
		return widget.Notify(draw.Safe(err.Error()))
	}
	return d.compare(moments[0], moments[1])
}

// named reads one or two moments, of the current snapshot unless they say another.
func (d *Screen) named(words []string) ([2]session.Moment, error) {
	moments := [2]session.Moment{{Source: d.Input.Current}, {Source: d.Input.Current}}
	if len(words) == 0 || len(words) > 2 {
		return moments, errors.New("one or two moments are needed: a revision or a time, of the current snapshot or of the one before an @: diff 500 900, diff backup@300")
	}
	for i, word := range words {
		var err error
		if moments[i], err = d.ParseMoment(word, d.Input.Current); err != nil {
			return moments, err
		}
	}
	return moments, nil
}

// CheckCommand says what is wrong with the moments of :diff.
func (d *Screen) CheckCommand(words []string) error {
	if words[0] != "diff" || len(words) == 1 {
		return nil
	}
	_, err := d.named(words[1:])
	return err
}

// goTo takes another moment in place of the earlier of the two, which the ruler's keys
// move too, or two others.
func (d *Screen) goTo(text string) tea.Cmd {
	moments, err := d.typedMoments(text)
	if err != nil {
		return widget.Notify(draw.Safe(err.Error()))
	}
	return d.compare(moments[0], moments[1])
}

func (d *Screen) typedMoments(text string) ([2]session.Moment, error) {
	moments := d.asked
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > 2 {
		words = []string{text}
	}
	if _, err := d.ParseMoment(text, d.asked[0].Source); err == nil {
		words = []string{text} // a time may have a blank in it
	}
	for i, word := range words {
		var err error
		if moments[i], err = d.ParseMoment(word, d.asked[i].Source); err != nil {
			return moments, err
		}
	}
	return moments, nil
}

// CheckMoment says what is wrong with moments as they were typed.
func (d *Screen) CheckMoment(text string) error {
	_, err := d.typedMoments(text)
	return err
}

// turn goes from the two snapshots to all that is kept of the one, then of the other.
func (d *Screen) turn() tea.Cmd {
	next := whole(d.Session)
	switch a := d.asked; {
	case a[0].Source != a[1].Source:
		next = within(d.Session, d.Input.Backup)
	case a[0].Source == d.Input.Backup:
		next = within(d.Session, d.Input.Current)
	}
	return d.compare(next[0], next[1])
}

// whole is the backup and the current snapshot, or all that is kept of the one snapshot
// that there is.
func whole(s *session.Session) [2]session.Moment {
	if s.Input.Alone() != "" {
		return within(s, s.Input.Current)
	}
	return [2]session.Moment{{Source: s.Input.Backup}, {Source: s.Input.Current}}
}

// within is the oldest state and the newest that are kept of a snapshot.
func within(s *session.Session, source int) [2]session.Moment {
	of := s.Source(source).Snapshot
	return [2]session.Moment{{Source: source, Revision: min(max(of.CompactRevision(), 1), of.Revision())}, {Source: source}}
}

// scrub moves the earlier of the two moments.
func (d *Screen) scrub(a keys.Action) tea.Cmd {
	from := d.asked[0]
	from = d.Step(from, map[keys.Action]int64{keys.Earlier: -1, keys.Later: 1, keys.MuchEarlier: -100, keys.MuchLater: 100}[a])
	return d.compare(from, d.asked[1])
}

// compare tells two moments apart, and then sifts the noise out of what differs. What
// is on screen stays until it is there.
func (d *Screen) compare(from, to session.Moment) tea.Cmd {
	if d.stop != nil {
		d.stop()
	}
	ctx, stop := context.WithCancel(d.Ctx)
	d.stop = stop
	d.request++
	d.asked, d.done, d.total = [2]session.Moment{from, to}, 0, 0
	request, of := d.request, d.asked
	in := d.Input
	return d.Tasks.Cmd(func() tea.Msg {
		var reached [2]session.Reached
		var states [2]diff.State
		for i, at := range of {
			r, err := in.Reach(ctx, at)
			if err != nil {
				return comparedMsg{to: d, request: request, err: err}
			}
			reached[i], states[i] = r, diff.State{Snapshot: r.Of.Snapshot, Revision: r.Revision}
		}
		opts := diff.Options{Prefix: in.Prefix, Common: in.CommonUpTo(reached[0].Source, reached[1].Source)}
		c, err := diff.Compare(ctx, states[0], states[1], opts)
		if ctx.Err() != nil {
			return nil // something else was asked for, or the program ends
		}
		return comparedMsg{d, request, reached, c, err}
	})
}

// compared takes a comparison over.
func (d *Screen) compared(msg comparedMsg) tea.Cmd {
	if msg.err != nil {
		if d.level != nil {
			d.asked = d.level.of
		}
		return widget.Notify(draw.Safe(msg.err.Error()))
	}
	d.Keep(msg.of[0])
	d.Keep(msg.of[1])
	d.asked = [2]session.Moment{msg.of[0].Moment, msg.of[1].Moment}
	next := level{of: d.asked, all: msg.comparison}
	if d.level != nil { // where one was
		next.depth, next.resource, next.namespace, next.flat = d.level.depth, d.level.resource, d.level.namespace, d.level.flat
	}
	d.level = &next
	d.SetSize(d.Width, d.height)
	cmd := d.Refresh()
	if msg.comparison.Sifted {
		return cmd
	}
	return tea.Batch(cmd, d.sift(msg))
}

// sift sets apart of which objects nothing but noise differs, some at a time.
func (d *Screen) sift(msg comparedMsg) tea.Cmd {
	d.stop() // what compared them is done
	ctx, stop := context.WithCancel(d.Ctx)
	d.stop = stop
	return d.siftOn(ctx, msg, msg.comparison.Sifting())
}

// siftedAtOnce is how many objects are read before progress is shown: some tenths of
// a second.
const siftedAtOnce = 2000

func (d *Screen) siftOn(ctx context.Context, msg comparedMsg, s *diff.Sifting) tea.Cmd {
	return d.Tasks.Cmd(func() tea.Msg {
		c, err := s.Next(ctx, siftedAtOnce)
		switch {
		case err != nil:
			return nil // something else was asked for, or the program ends
		case c == nil:
			return siftingMsg{d, msg.request, s.Done, s.Total, d.siftOn(ctx, msg, s)}
		}
		return comparedMsg{d, msg.request, msg.of, c, nil}
	})
}
