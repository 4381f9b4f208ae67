// Package adversary makes evidence that is meant to mislead or to break its reader.
//
// It takes a seed and returns a Case: a backup, a current state, what nodes report,
// and an encryption configuration, all of them well-formed (bbolt's own pages,
// correct checksums, messages that parse) and absurd in content. The Case also holds
// what the generator knows and a reader must not deny: that a record is missing, that
// a version is wrong, that a pod is a phantom. The same seed always gives the same
// case. It is made for tests, and shares no code with the readers.
package adversary

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Case is the evidence for one run of every command.
type Case struct {
	Seed  uint64
	Notes []string          // what is hostile in it
	Files map[string][]byte // by slash-separated path below the case's own directory

	Backup, Current Evidence
	Dumps, Kubectl  string // paths of the directory of dumps and of the API's list
	Config          string // path of an encryption configuration, "" for none

	// Phantoms run when the current state is saved, and the backup does not have
	// them: after a plain restore nobody but their kubelets knows of them.
	Phantoms []Pod
	// Ghosts are in the backup, and gone from the current state.
	Ghosts []Pod
	// Stray runs on a node by the dumps, and the API has no such uid. UID is "" when
	// the dumps hold no such pod.
	Stray Pod
}

// Evidence is one of the two states, and what is known of it.
type Evidence struct {
	Path string
	// Damaged says what is wrong with it, so that nobody may call it whole; "" when
	// the generator knows of nothing.
	Damaged string
	// Missing says that records are missing that etcd never removes: nobody may say
	// that all is there.
	Missing bool
	// Sound says that a running etcd could have written it: nobody may call it
	// damaged, and every command that reads it alone must succeed.
	Sound bool
	// Records is how many records of the bucket key it holds, when it is sound.
	Records int
}

// Pod is a pod that the generator knows the fate of.
type Pod struct{ Namespace, Name, UID, Node string }

// Mark is in every hostile name. A command line has it in quotes only.
const Mark = "pwned"

// maker makes one case.
type maker struct {
	*rand.Rand
	*Case
	history *history
	sober   bool // pods whose fate is known have nothing hostile
	long    long // what hostile names are, when it is chosen
	err     error
}

func (m *maker) note(format string, args ...any) {
	m.Notes = append(m.Notes, fmt.Sprintf(format, args...))
}

// one chooses one of several.
func one[T any](m *maker, list ...T) T { return list[m.IntN(len(list))] }

// odds says yes once in n times.
func (m *maker) odds(n int) bool { return m.IntN(n) == 0 }

// kinds of cases, by what is hostile in them. Every case has hostile dumps.
var kinds = []func(*maker) error{
	(*maker).objectsCase, (*maker).recordsCase, (*maker).bucketsCase, (*maker).objectsCase, (*maker).recordsCase,
	(*maker).pagesCase, (*maker).logCase, (*maker).archiveCase, (*maker).dumpsCase, (*maker).madeClusterCase,
}

// New makes the case of a seed. Consecutive seeds go through the kinds in turn.
func New(seed uint64) (*Case, error) {
	return newMaker(seed).made(kinds[seed%uint64(len(kinds))])
}

// Named makes a case of objects, by the book, that are all called by the name, as far as
// maxNamed bytes go.
func Named(seed uint64, name string) (*Case, error) {
	m := newMaker(seed)
	m.long.name = name
	return m.made(func(m *maker) error {
		m.note("names of %d bytes: %.40q", len(name), name)
		m.cluster(30)
		return m.save(nil, nil)
	})
}

func newMaker(seed uint64) *maker {
	return &maker{
		Rand: rand.New(rand.NewPCG(seed, 0x686f73)),
		Case: &Case{Seed: seed, Files: map[string][]byte{}, Backup: Evidence{Path: "backup.db", Sound: true}, Current: Evidence{Path: "current.db", Sound: true}},
	}
}

// made is the case, its evidence of one kind.
func (m *maker) made(kind func(*maker) error) (*Case, error) {
	err := kind(m)
	if err == nil {
		err = m.err
	}
	if err != nil {
		return nil, fmt.Errorf("make case %d (%s): %w", m.Seed, strings.Join(m.Notes, ", "), err)
	}
	m.dumps()
	if m.odds(3) {
		m.config()
	}
	return m.Case, nil
}

// dumpsCase is a pair by the book: what is hostile is in the dumps alone.
func (m *maker) dumpsCase() error {
	m.sober = true
	m.cluster(0)
	return m.save(nil, nil)
}

// objectsCase is a pair that etcd wrote, with objects that no API server would.
func (m *maker) objectsCase() error {
	m.cluster(1 + m.IntN(6))
	return m.save(nil, nil)
}

// recordsCase lies in the bucket key.
func (m *maker) recordsCase() error {
	m.cluster(m.IntN(3))
	b, c := m.files()
	for range 1 + m.IntN(2) {
		m.lie(c)
	}
	if m.odds(4) {
		m.lie(b)
	}
	return m.save(b, c)
}

// bucketsCase lies in all other buckets and in the trailer.
func (m *maker) bucketsCase() error {
	m.cluster(m.IntN(2))
	b, c := m.files()
	for range 1 + m.IntN(3) {
		m.lieInBuckets(c)
	}
	if m.odds(3) {
		m.lieInBuckets(b)
	}
	return m.save(b, c)
}
