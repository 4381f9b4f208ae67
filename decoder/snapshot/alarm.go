package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Alarm is an alarm that etcd has raised and not disarmed. It is stored, and an etcd
// that is restored from it has it, too (etcd server/v3 v3.7 etcdserver/api/v3alarm).
type Alarm struct {
	Member string `json:"member"` // id, hexadecimal
	Kind   string `json:"kind"`   // NOSPACE or CORRUPT
}

// alarmKind is an etcdserverpb.AlarmType.
type alarmKind int32

const (
	noAlarm alarmKind = iota
	noSpace
	corrupt
)

func (k alarmKind) String() string {
	switch k {
	case noAlarm:
		return "NONE"
	case noSpace:
		return "NOSPACE"
	case corrupt:
		return "CORRUPT"
	}
	return strconv.Itoa(int(k))
}

// What an etcdserverpb.AlarmRequest does.
const (
	activateAlarm   = 1
	deactivateAlarm = 2
)

// Alarms are the alarms of the state read, its log applied.
func (s *Snapshot) Alarms() []Alarm { return s.alarms }

// storedAlarms calls fn for each alarm that the db has: keys that are an
// etcdserverpb.AlarmMember.
func (s *Snapshot) storedAlarms(fn func(member uint64, kind alarmKind)) {
	eachItem(s.pages, "alarm", &s.problems, func(key string, _ []byte) {
		m := []byte(key)
		if new(requestChecker).check(m, alarmMember, 1) == nil {
			n := numbers(m)
			fn(n[1], alarmKind(n[2]))
		}
	})
}

// noteAlarms takes the alarms that are raised, and says what they mean.
func (s *Snapshot) noteAlarms(raised map[alarm]struct{}) {
	for a := range raised {
		s.alarms = append(s.alarms, Alarm{hexID(a.member), a.kind.String()})
	}
	slices.SortFunc(s.alarms, func(a, b Alarm) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Member, b.Member)) })
	for i, a := range s.alarms {
		if i > 0 && a.Kind == s.alarms[i-1].Kind {
			continue
		}
		switch a.Kind {
		case noSpace.String():
			s.problems.add(Note, "alarm", "NOSPACE is raised: an etcd that is restored from it refuses writes (\"database space exceeded\") until `etcdctl alarm disarm`", "every write after the restore")
		case corrupt.String():
			s.problems.add(Note, "alarm", "CORRUPT is raised: a member found that its data differs from the others'; an etcd that is restored from it serves nothing until `etcdctl alarm disarm`", "every request after the restore")
		default:
			s.problems.add(Note, "alarm", fmt.Sprintf("one of a kind that is not known is raised (%.32q)", a.Kind), "")
		}
	}
}
