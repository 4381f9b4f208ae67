package session

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/rollback"
	"revenant/analyzer/values"
	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/widget"
)

type (
	IntegrityMsg struct {
		Source    int
		Integrity snapshot.Integrity
		Problems  []snapshot.Problem
	}
)

type (
	countedMsg struct{ source, keys int }
)

type (
	rollbackMsg struct{ rollback *rollback.Rollback }
)

// Open takes over what is shown, and starts all that is read of it. Of a pair the verdict
// comes first: what else is read would keep the processors from it.
func (s *Session) Open(in *Input) tea.Cmd {
	in = in.withMembers()
	s.Input, s.Files = in, make([]File, len(in.Chosen()))
	s.Plan.Plan, s.Plan.Given = in.Plan, in.Plan.BumpRevision
	if len(in.Platforms) > 0 {
		s.Platform = in.Platforms[0]
	}
	cmds := []tea.Cmd{s.listObjects(Moment{Source: in.Current}, AllObjects), s.ReadTimeline(in.Carved)}
	for i := range s.Files {
		cmds = append(cmds, s.verify(i), s.count(i), s.decode(i))
	}
	if in.Alone() != "" {
		return tea.Batch(cmds...)
	}
	s.rest = tea.Batch(append(cmds, s.undo())...)
	return s.predict()
}

// Hashed notes how far the hash of a file is.
func (s *Session) Hashed(role string, p snapshot.Progress) {
	for i := range s.Files {
		if s.Input.Role(i) == role && p.Phase == snapshot.PhaseHash {
			s.Files[i].Hashed = p
		}
	}
}

// Update takes what the session's own commands bring, and what screens ask it for. News
// is what the screens are to hear of it, nil for nothing.
func (s *Session) Update(msg tea.Msg) (news tea.Msg, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case IntegrityMsg:
		return ChangedMsg{}, s.verified(msg)
	case decodedMsg:
		f := &s.Files[msg.source]
		f.decoded, f.Undecoded = true, msg.problems
		s.Problems = s.foundProblems()
	case countedMsg:
		f := &s.Files[msg.source]
		f.Counted, f.Keys = true, msg.keys
		return nil, nil
	case PredictedMsg:
		return s.predicted(msg)
	case modesMsg:
		s.Modes = msg.modes
	case timelineMsg:
		s.Timeline = msg.timeline
	case wholeMsg:
		if msg.err != nil {
			return nil, widget.Notify(draw.Safe(msg.err.Error()))
		}
		s.Whole = msg.whole
	case rollbackMsg:
		s.Rollback = msg.rollback
	case runbookMsg:
		if msg.asked != s.runbookAsked {
			return nil, nil
		}
		s.Runbook = msg.runbook
	case objectsAtMsg:
		return s.listed(msg)
	case historyReadMsg:
		s.History = msg.history
	default:
		return s.asked(msg)
	}
	return ChangedMsg{}, nil
}

// asked does what a screen asks the session for. What is not the session's is news.
func (s *Session) asked(msg tea.Msg) (news tea.Msg, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case MomentMsg:
		return nil, s.listObjects(msg.Moment, s.Wanted.Query)
	case ListMsg:
		return nil, s.listObjects(msg.Moment, msg.Query)
	case LookAtMsg:
		return msg, s.listObjects(msg.Moment, AllObjects)
	case HistoryMsg:
		msg.Carved = msg.Carved || s.Input.Carved
		return nil, s.readHistory(msg)
	case CarvedMsg:
		return nil, s.readHistory(HistoryMsg{Key: s.History.Key, Carved: !s.History.Carved})
	case PlatformMsg:
		s.Platform = s.Input.nextPlatform(s.Platform)
		return nil, tea.Batch(s.WriteRunbook(), widget.Notify("the runbook is for "+s.Platform))
	case AdoptMsg:
		return nil, s.Replan(func() { s.Plan.Plan = msg.Plan })
	case RestartNodeMsg:
		return nil, s.Replan(func() { s.Plan.toggleNode(msg.Node) })
	}
	return msg, nil
}

// verified takes what the checks of a file found. What they show to be missing counts
// in the prediction.
func (s *Session) verified(msg IntegrityMsg) tea.Cmd {
	f := &s.Files[msg.Source]
	f.Verified, f.Integrity, f.Problems = true, msg.Integrity, msg.Problems
	s.Problems = s.foundProblems()
	if missing := msg.Integrity.Missing(); len(missing) > 0 {
		in := *s.Input // a prediction may be at work on the other one
		in.Sources = slices.Clone(in.Sources)
		of := &in.Sources[msg.Source]
		state := *of.State
		state.Missing = append(slices.Clip(state.Missing), missing...)
		of.State = &state
		s.Input, s.Plan.comparison = &in, nil
		s.Plan.Asked++
		return s.predict()
	}
	return nil
}

// undo compares what is not a pod, of a pair.
func (s *Session) undo() tea.Cmd {
	if s.Input.Alone() != "" {
		return nil
	}
	ctx, prefix, was, now := s.Ctx, s.Input.Prefix, s.Backup(), s.Current()
	return s.Tasks.Cmd(func() tea.Msg {
		r, err := rollback.Compare(ctx, was.Snapshot, now.Snapshot, rollback.Options{Prefix: prefix, Taken: now.State.Clock.Taken()})
		if err != nil {
			return nil // the program ends
		}
		return rollbackMsg{r}
	})
}

// verify waits for the file's hash.
func (s *Session) verify(source int) tea.Cmd {
	ctx, of := s.Ctx, s.Source(source).Snapshot
	return s.Tasks.Cmd(func() tea.Msg {
		in, err := of.Integrity(ctx)
		if err != nil {
			return nil // the program ends
		}
		return IntegrityMsg{source, in, of.Problems()}
	})
}

// count counts the live keys.
func (s *Session) count(source int) tea.Cmd {
	ctx, of := s.Ctx, s.Source(source).Snapshot
	return s.Tasks.Cmd(func() tea.Msg {
		n := 0
		for range of.Keys("") {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return nil
			}
		}
		return countedMsg{source, n}
	})
}

// decode looks at every live value.
func (s *Session) decode(source int) tea.Cmd {
	ctx, of, prefix := s.Ctx, s.Source(source).Snapshot, s.Input.Prefix
	return s.Tasks.Cmd(func() tea.Msg {
		problems, err := values.Problems(ctx, of, prefix)
		if err != nil {
			return nil // the program ends
		}
		return decodedMsg{source, problems}
	})
}

// decodedMsg says what of the live values of a snapshot cannot be decoded.
type decodedMsg struct {
	source   int
	problems []snapshot.Problem
}

// foundProblems are those of the files and of what is in them; nil until all files
// are verified and every live value was looked at.
func (s *Session) foundProblems() *[]Problem {
	list := []Problem{}
	for i := range s.Files {
		f := &s.Files[i]
		if !f.Verified || !f.decoded {
			return nil
		}
		for _, c := range f.Integrity.Checks {
			if c.Name == "trailer" && c.Verdict != snapshot.OK {
				severity := snapshot.Note
				if c.Verdict == snapshot.Bad {
					severity = snapshot.Damage
				}
				list = append(list, Problem{i, snapshot.Problem{Severity: severity, Where: "trailer", What: string(c.Verdict) + ": " + c.Detail}})
			}
		}
		for _, p := range slices.Concat(f.Problems, f.Undecoded) {
			list = append(list, Problem{i, p})
		}
	}
	return &list
}

// Problem is one thing found wrong with a snapshot.
type Problem struct {
	Source int
	snapshot.Problem
}
