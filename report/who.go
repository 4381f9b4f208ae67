package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	join "revenant/analyzer/audit"
	"revenant/analyzer/clock"
	"revenant/analyzer/history"
	"revenant/analyzer/relations"
	"revenant/analyzer/restore"
	"revenant/decoder/audit"
	"revenant/decoder/container"
	"revenant/internal/words"
)

// Who is who wrote one object.
type Who struct {
	SchemaVersion int          `json:"schemaVersion"`
	Kind          string       `json:"kind"` // Who
	Tool          restore.Tool `json:"tool"`
	Series
	Key       string       `json:"key"`
	Resource  string       `json:"resource"`
	Namespace string       `json:"namespace"`
	Name      string       `json:"name"`
	Verdict   []string     `json:"verdict"` // sentences
	State     WhoState     `json:"state"`
	Managers  []WhoManager `json:"managers"`
	Shared    []WhoShared  `json:"shared"`
	Owners    []WhoOwner   `json:"owners"` // the topmost first
	// Problem says why not all managers are known, OwnersProblem why not the owners.
	Problem       string       `json:"problem,omitempty"`
	OwnersProblem string       `json:"ownersProblem,omitempty"`
	Histories     []WhoHistory `json:"histories"` // one for each branch, that of the newest file first
	AuditLog      *WhoLog      `json:"auditLog,omitempty"`
}

// WhoState is the moment for which managers and owners are given.
type WhoState struct {
	Revision int64          `json:"revision"`
	Time     clock.Interval `json:"time"`
	Written  string         `json:"written"` // revision of the last write that is held, "" for none
	Gone     bool           `json:"gone"`
	Deleted  string         `json:"deleted"` // revision of its deletion, "" where no file holds that

	asked         bool
	last, removed *history.Entry
}

// WhoManager is an entry in managedFields.
type WhoManager struct {
	Manager     string    `json:"manager"`
	Operation   string    `json:"operation"`
	Subresource string    `json:"subresource"`
	Time        time.Time `json:"time,omitzero"`
	Fields      int       `json:"fields"`
	Top         []string  `json:"top"` // the first two names of their paths
	Problem     string    `json:"problem,omitempty"`
}

// WhoShared is fields that two managers own.
type WhoShared struct {
	Managers []string `json:"managers"`
	Fields   int      `json:"fields"`
	Top      []string `json:"top"`
}

// WhoOwner is an owner of the object, or of one of its owners.
type WhoOwner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	UID        string `json:"uid"`
	Presence   string `json:"presence"`   // present, absent, replaced, unreadable, unknown
	Controller bool   `json:"controller"` // of what is below it
	Level      int    `json:"level"`      // 1 owns the object, 2 an owner of it

	text string
}

// WhoHistory is the writes of the history that leads to a branch's newest file.
type WhoHistory struct {
	Branch int          `json:"branch"`
	Writes []WhoWrite   `json:"writes"`
	Gone   *HistoryGone `json:"gone"` // a deletion after the last that no file holds, null for none

	entries []history.Entry
	skipped int // entries before the first write
}

// WhoWrite is a revision of the object.
type WhoWrite struct {
	Revision string         `json:"revision"`
	Verb     history.Verb   `json:"verb"`
	Life     int            `json:"life"`
	UID      string         `json:"uid"`
	Time     clock.Interval `json:"time"`
	Managers []WhoWriter    `json:"managers"` // whose entry in managedFields is new
	Files    []string       `json:"files"`
	Unseen   int64          `json:"unseen"`
	Gone     *HistoryGone   `json:"gone"`
	Deletion string         `json:"deletion,omitempty"`
	Problem  string         `json:"problem,omitempty"`
	Audit    *WhoMatch      `json:"audit,omitempty"` // with audit logs
}

// WhoWriter is a manager that wrote fields.
type WhoWriter struct {
	Manager     string `json:"manager"`
	Operation   string `json:"operation"`
	Subresource string `json:"subresource"`
}

// WhoMatch is the requests that may have written a revision.
type WhoMatch struct {
	Certainty join.Certainty `json:"certainty"` // certain, probable, possible, none
	Reason    string         `json:"reason"`
	Requests  []WhoRequest   `json:"requests"`
	More      int            `json:"more"` // that fit as well
}

// WhoRequest is one of them.
type WhoRequest struct {
	User             audit.User  `json:"user"`
	ImpersonatedUser *audit.User `json:"impersonatedUser,omitempty"`
	SourceIPs        []string    `json:"sourceIPs"`
	UserAgent        string      `json:"userAgent"`
	Verb             string      `json:"verb"`
	Subresource      string      `json:"subresource"`
	Code             int32       `json:"code"` // 0 where it is not known
	AuditID          string      `json:"auditID"`
	Level            string      `json:"level"`
	Received         time.Time   `json:"received"`
	Ended            time.Time   `json:"ended"`
	At               string      `json:"at"` // log and line
}

// WhoLog is the audit logs.
type WhoLog struct {
	Files     []container.File `json:"files"`
	From      time.Time        `json:"from,omitzero"`
	To        time.Time        `json:"to,omitzero"`
	Lines     int64            `json:"lines"`
	Malformed int64            `json:"malformed"`
	TooLong   int64            `json:"tooLong"`
	Faults    []string         `json:"faults"`

	broken bool
}

// NewWhoHistory describes the writes after a revision of a history read from some sources.
func NewWhoHistory(branch int, h *history.History, after int64, sources []history.Source) WhoHistory {
	w := WhoHistory{Branch: branch, Gone: NewHistoryGone(h.Gone), entries: h.Entries}
	for i := range h.Entries {
		e := &h.Entries[i]
		if e.Main <= after {
			w.skipped++
			continue
		}
		r := NewHistoryRevision(e, sources)
		write := WhoWrite{
			Revision: r.Revision, Verb: r.Verb, Life: r.Life, UID: r.UID, Time: r.Time, Files: r.Files, Unseen: r.Unseen, Gone: r.Gone,
			Deletion: r.Deletion, Problem: r.Problem,
		}
		for _, by := range e.Writers() {
			write.Managers = append(write.Managers, WhoWriter{by.Manager, by.Operation, by.Subresource})
		}
		w.Writes = append(w.Writes, write)
	}
	return w
}

// At says at which moment managers and owners are given; asked, that it was asked for.
func (w *Who) At(s history.State, when clock.Interval, asked bool) {
	w.State = WhoState{Revision: s.Revision, Time: when, Gone: s.Gone, asked: asked, last: s.Written, removed: s.Deleted}
	if s.Written != nil {
		w.State.Written = s.Written.Revision.String()
	}
	if s.Deleted != nil {
		w.State.Deleted = s.Deleted.Revision.String()
	}
}

// Managed takes the managers.
func (w *Who) Managed(list []history.Manager, shared []history.Shared, problem string) {
	w.Problem = problem
	for i := range list {
		m := &list[i]
		w.Managers = append(w.Managers, WhoManager{m.Manager, m.Operation, m.Subresource, m.Time, m.Fields, m.Top, m.Problem})
	}
	for i := range shared {
		s := &shared[i]
		w.Shared = append(w.Shared, WhoShared{s.Managers[:], s.Fields, s.Top})
	}
}

var presences = map[relations.Presence]string{
	relations.Present: "present", relations.Absent: "absent", relations.Replaced: "replaced", relations.Unreadable: "unreadable", relations.Unknown: "unknown",
}

// Owned takes the owners, or why they are not known.
func (w *Who) Owned(t *relations.Tree, err error) {
	if err != nil {
		w.OwnersProblem = err.Error()
		return
	}
	for i := range t.Relatives[:t.Self] {
		r := &t.Relatives[i]
		w.Owners = append(w.Owners, WhoOwner{
			Kind: r.Kind, Name: r.Key.Name, Namespace: r.Key.Namespace, UID: r.UID, Presence: presences[r.Presence], Controller: r.Controller,
			Level: t.Relatives[t.Self].Depth - r.Depth, text: r.String(),
		})
	}
}

// Joined takes what the logs say: a join for each history.
func (w *Who) Joined(log *audit.Log, joins []*join.Join) {
	w.AuditLog = &WhoLog{log.Files, log.From, log.To, log.Lines, log.Malformed, log.Long, log.Faults, log.Broken}
	for n, j := range joins {
		h := &w.Histories[n]
		for i := range h.Writes {
			m := j.Match(h.skipped + i)
			match := &WhoMatch{Certainty: m.Sure, Reason: cmp.Or(m.Reason, w.AuditLog.silence(h.Writes[i].Time)), More: m.More}
			for _, e := range m.Events {
				match.Requests = append(match.Requests, WhoRequest{
					e.User, e.As, e.SourceIPs, e.UserAgent, e.Verb, e.Subresource, e.Code, e.ID, e.Level, e.Received, e.Ended, e.Where,
				})
			}
			h.Writes[i].Audit = match
		}
	}
}

// silence says what it means that no request fits a revision that was written then.
func (l *WhoLog) silence(when clock.Interval) string {
	switch {
	case l.From.IsZero():
		return "the logs hold no event"
	case !when.To.IsZero() && when.To.Before(l.From):
		return "it was written before the logs begin, at " + words.Time(l.From)
	case !when.From.IsZero() && when.From.After(l.To):
		return "it was written after the logs end, at " + words.Time(l.To)
	}
	return "no request in the logs fits it best; a policy leaves requests out, and each API server has a log of its own"
}

// Damaged says whether a file is, or a log.
func (w *Who) Damaged() bool {
	return w.Series.Damaged() || w.AuditLog != nil && w.AuditLog.broken
}

// Conclude makes the verdict of what was found.
func (w *Who) Conclude() {
	say := func(format string, args ...any) { w.Verdict = append(w.Verdict, fmt.Sprintf(format, args...)) }
	name := w.object()
	switch s := &w.State; {
	case s.last == nil && s.removed != nil:
		say("%s was deleted at revision %s, %s.", name, s.Deleted, s.removed.When)
	case s.last == nil:
		say("No file holds a write of %s up to revision %s.", name, words.Number(s.Revision))
		return
	case s.removed != nil:
		say("%s was deleted at revision %s, %s.", name, s.Deleted, s.removed.When)
	case s.Gone:
		say("%s is not known to be there at revision %s. It was last written at revision %s, %s.", name, words.Number(s.Revision), s.Written, s.last.When)
	default:
		say("%s was last written at revision %s, %s.", name, s.Written, s.last.When)
	}
	last := w.write(cmp.Or(w.State.Deleted, w.State.Written))
	w.sayWriter(say, last)
	if r := w.beside(last); r != nil {
		by := "by " + r.by()
		if m := r.Audit; m != nil && m.Certainty == join.Certain {
			by = "certainly by " + m.Requests[0].who()
		} else if m != nil && m.Certainty == join.Probable {
			by = "probably by " + m.Requests[0].who()
		}
		say("The last write beside its status was revision %s, %s.", r.Revision, by)
	}
	if w.AuditLog == nil {
		say("Only an audit log tells the users (--audit-log).")
	}
	for _, o := range w.Owners {
		switch {
		case o.Level != 1:
		case o.Presence == "absent":
			say("Its owner %s does not exist.", o.text)
		case o.Presence == "replaced":
			say("Its owner %s does not exist: another object has the name.", o.text)
		case o.Controller:
			say("Its controller is %s.", o.text)
		}
	}
}

// object names it.
func (w *Who) object() string {
	switch {
	case w.Resource == "":
		return w.Key
	case w.Namespace == "":
		return w.Resource + "/" + w.Name
	}
	return w.Resource + "/" + w.Name + " in " + w.Namespace
}

// write is that of a revision in the newest history.
func (w *Who) write(revision string) *WhoWrite {
	list := w.Histories[0].Writes
	return &list[slices.IndexFunc(list, func(r WhoWrite) bool { return r.Revision == revision })]
}

// sayWriter says who wrote a revision, and how sure that is.
func (w *Who) sayWriter(say func(string, ...any), r *WhoWrite) {
	if m := r.Audit; m != nil && m.Certainty != join.None {
		var users []string
		for i := range m.Requests {
			if user := m.Requests[i].who(); !slices.Contains(users, user) {
				users = append(users, user)
			}
		}
		switch m.Certainty {
		case join.Possible:
			say("A request of %s may have written it: %s.", words.First(users, join.Most), m.Reason)
		case join.Probable:
			say("%s probably wrote it: %s.", users[0], m.Reason)
		default:
			say("%s wrote it, that is certain: %s.", users[0], m.Reason)
		}
		return
	}
	switch by := r.by(); {
	case r.Verb == history.Deleted && r.Deletion != "":
		say("Who did that is not stored. %s", words.Sentence(strings.TrimSuffix(r.Deletion, ".")))
	case r.Verb == history.Deleted:
		say("Who did that is not stored.")
	case by == "":
		say("Its managedFields do not show by whom.")
	default:
		say("Its managedFields name %s, which is what the client called itself.", by)
	}
	if r.Audit != nil {
		say("%s", words.Sentence(r.Audit.Reason))
	}
}

// beside is the last write before one to the status that is not to the status alone; nil where
// that one is none, or no other is held.
func (w *Who) beside(last *WhoWrite) *WhoWrite {
	ofStatus := func(r *WhoWrite) bool {
		return !slices.ContainsFunc(r.Managers, func(m WhoWriter) bool { return m.Subresource != "status" })
	}
	if len(last.Managers) == 0 || !ofStatus(last) {
		return nil
	}
	list := w.Histories[0].Writes
	for i := slices.IndexFunc(list, func(r WhoWrite) bool { return r.Revision == last.Revision }) - 1; i >= 0 && list[i].Life == last.Life; i-- {
		if r := &list[i]; !ofStatus(r) {
			return r
		}
	}
	return nil
}

// who is the user, or whom it impersonated.
func (r *WhoRequest) who() string {
	name := cmp.Or(r.User.Name, "a user without a name")
	if r.ImpersonatedUser != nil {
		return r.ImpersonatedUser.Name + " (impersonated by " + name + ")"
	}
	return name
}

// by are the managers that wrote fields, with what they wrote beside the object itself.
func (r *WhoWrite) by() string {
	var list []string
	for _, m := range r.Managers {
		name := m.Manager
		if m.Subresource != "" {
			name += " (" + m.Subresource + ")"
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return words.First(list, 4)
}
