package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// session is what all screens show.
type session struct {
	in         *Input
	comparison *restore.Comparison
	plan       restore.Plan
	prediction *restore.Prediction // the last one that came out
	refused    error               // why the plan as it stands has none
	asked      int                 // predictions asked for; the answer to an older one is dropped
	answered   int
	integrity  map[restore.In]*snapshot.Integrity // nil while the file is being hashed
}

// predicted is the answer to a plan.
type predicted struct {
	number     int
	prediction *restore.Prediction
	err        error
}

// predict asks for the prediction of the plan as it stands.
func (s *session) predict() tea.Cmd {
	if s.comparison == nil {
		return nil
	}
	s.asked++
	number, comparison, plan := s.asked, s.comparison, s.plan
	return func() tea.Msg {
		p, err := comparison.Predict(plan)
		return predicted{number, p, err}
	}
}

func (s *session) answer(msg predicted) {
	if msg.number != s.asked {
		return
	}
	s.answered, s.refused = msg.number, msg.err
	if msg.err == nil {
		s.prediction = msg.prediction
	}
}

// verified is the integrity of one file.
type verified struct {
	side      restore.In
	integrity *snapshot.Integrity
}

// verify waits for a file's hash.
func verify(ctx context.Context, side restore.In, s *snapshot.Snapshot) tea.Cmd {
	return func() tea.Msg {
		in, err := s.Integrity(ctx)
		if err != nil {
			return nil
		}
		return verified{side, &in}
	}
}

// object is a stored object as YAML, ready to be drawn.
type object struct {
	ref  restore.Ref
	text string
}

// read reads and decodes the object at ref.
func (s *session) read(ref restore.Ref) tea.Cmd {
	side := s.in.Backup.Snapshot
	if ref.Snapshot == restore.InCurrent {
		side = s.in.Current.Snapshot
	}
	return func() tea.Msg {
		r, err := side.Get(ref.Key, ref.Revision)
		var value []byte
		if err == nil {
			value, err = side.Value(r)
		}
		if err != nil {
			return object{ref, sanitize.Text(err.Error())}
		}
		key, _ := kube.ParseKey(prefixOf(ref.Key), ref.Key)
		o := kube.Decode(key, value)
		return object{ref, sanitize.Text(string(o.YAML(kube.PrintOptions{DropManagedFields: true})))}
	}
}
