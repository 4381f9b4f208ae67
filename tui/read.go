package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	lists "revenant/analyzer/objects"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	liveValues "revenant/analyzer/values"
	"revenant/decoder/snapshot"
)

// open takes over what is shown, and starts all that is read of it.
func (s *session) open(in *Input) tea.Cmd {
	s.input = in
	s.plan.plan, s.plan.given = in.Plan, in.Plan.BumpRevision
	if len(in.Platforms) > 0 {
		s.platform = in.Platforms[0]
	}
	cmds := []tea.Cmd{s.predict(), s.undo(), s.listObjects(moment{side: current}, lists.Query{}), s.readTimeline(in.Carved)}
	for side := range s.files {
		cmds = append(cmds, s.verify(side), s.count(side), s.decode(side))
	}
	return tea.Batch(cmds...)
}

// hashed notes how far the hash of a file is.
func (s *session) hashed(role string, p snapshot.Progress) {
	if i := slices.Index(roles[:], restore.In(role)); i >= 0 && p.Phase == snapshot.PhaseHash {
		s.files[i].hashed = p
	}
}

// update takes what the session's own commands bring, and what screens ask it for. News
// is what the screens are to hear of it, nil for nothing.
func (s *session) update(msg tea.Msg) (news tea.Msg, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case integrityMsg:
		return changedMsg{}, s.verified(msg)
	case decodedMsg:
		f := &s.files[msg.side]
		f.decoded, f.undecoded = true, msg.problems
		s.problems = s.foundProblems()
	case countedMsg:
		f := &s.files[msg.side]
		f.counted, f.keys = true, msg.keys
		return nil, nil
	case predictedMsg:
		return s.predicted(msg)
	case modesMsg:
		s.modes = msg.modes
	case timelineMsg:
		s.timeline = msg.timeline
	case rollbackMsg:
		s.rollback = msg.rollback
	case runbookMsg:
		if msg.asked != s.runbookAsked {
			return nil, nil
		}
		s.runbook = msg.runbook
	case objectsAtMsg:
		return s.listed(msg)
	case historyReadMsg:
		s.history = msg.history
	default:
		return s.asked(msg)
	}
	return changedMsg{}, nil
}

// asked does what a screen asks the session for. What is not the session's is news.
func (s *session) asked(msg tea.Msg) (news tea.Msg, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case momentMsg:
		return nil, s.listObjects(msg.moment, s.wanted.query)
	case listMsg:
		return nil, s.listObjects(msg.moment, msg.query)
	case lookAtMsg:
		return msg, s.listObjects(msg.moment, lists.Query{})
	case historyMsg:
		msg.carved = msg.carved || s.input.Carved
		return nil, s.readHistory(msg)
	case carvedMsg:
		return nil, s.readHistory(historyMsg{key: s.history.Key, carved: !s.history.Carved})
	case platformMsg:
		s.platform = s.input.nextPlatform(s.platform)
		return nil, s.writeRunbook()
	case adoptMsg:
		return nil, s.replan(func() { s.plan.plan = msg.plan })
	case restartNodeMsg:
		return nil, s.replan(func() { s.plan.toggleNode(msg.node) })
	}
	return msg, nil
}

// verified takes what the checks of a file found. What they show to be missing counts
// in the prediction.
func (s *session) verified(msg integrityMsg) tea.Cmd {
	f := &s.files[msg.side]
	f.verified, f.integrity, f.problems = true, msg.integrity, msg.problems
	s.problems = s.foundProblems()
	if missing := msg.integrity.Missing(); len(missing) > 0 {
		in := *s.input // a prediction may be at work on the other one
		state := *in.side(msg.side).State
		state.Missing = append(slices.Clip(state.Missing), missing...)
		in.side(msg.side).State = &state
		s.input, s.plan.comparison = &in, nil
		s.plan.asked++
		return s.predict()
	}
	return nil
}

// undo compares what is not a pod.
func (s *session) undo() tea.Cmd {
	ctx, in := s.ctx, s.input
	return s.Tasks.Cmd(func() tea.Msg {
		r, err := rollback.Compare(ctx, in.Backup.Snapshot, in.Current.Snapshot, rollback.Options{Prefix: in.Prefix, Taken: in.Current.State.Clock.Taken()})
		if err != nil {
			return nil // the program ends
		}
		return rollbackMsg{r}
	})
}

// verify waits for the file's hash.
func (s *session) verify(side int) tea.Cmd {
	ctx, of := s.ctx, s.side(side).Snapshot
	return s.Tasks.Cmd(func() tea.Msg {
		in, err := of.Integrity(ctx)
		if err != nil {
			return nil // the program ends
		}
		return integrityMsg{side, in, of.Problems()}
	})
}

// count counts the live keys.
func (s *session) count(side int) tea.Cmd {
	ctx, of := s.ctx, s.side(side).Snapshot
	return s.Tasks.Cmd(func() tea.Msg {
		n := 0
		for range of.Keys("") {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return nil
			}
		}
		return countedMsg{side, n}
	})
}

// decode looks at every live value.
func (s *session) decode(side int) tea.Cmd {
	ctx, of, prefix := s.ctx, s.side(side).Snapshot, s.input.Prefix
	return s.Tasks.Cmd(func() tea.Msg {
		problems, err := liveValues.Problems(ctx, of, prefix)
		if err != nil {
			return nil // the program ends
		}
		return decodedMsg{side, problems}
	})
}

// decodedMsg says what of the live values of a snapshot cannot be decoded.
type decodedMsg struct {
	side     int
	problems []snapshot.Problem
}

// foundProblems are those of the files and of what is in them; nil until both files
// are verified and every live value was looked at.
func (s *session) foundProblems() *[]problem {
	list := []problem{}
	for side := range s.files {
		f := &s.files[side]
		if !f.verified || !f.decoded {
			return nil
		}
		for _, c := range f.integrity.Checks {
			if c.Name == "trailer" && c.Verdict != snapshot.OK {
				severity := snapshot.Note
				if c.Verdict == snapshot.Bad {
					severity = snapshot.Damage
				}
				list = append(list, problem{side, snapshot.Problem{Severity: severity, Where: "trailer", What: string(c.Verdict) + ": " + c.Detail}})
			}
		}
		for _, p := range slices.Concat(f.problems, f.undecoded) {
			list = append(list, problem{side, p})
		}
	}
	return &list
}

// problem is one thing found wrong with one of the two snapshots.
type problem struct {
	side int
	snapshot.Problem
}
