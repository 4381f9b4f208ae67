package adversary

import (
	"crypto/sha256"

	"revenant/internal/clustertest"
	"revenant/internal/damage"
	"revenant/internal/hostile"
)

// pagesCase damages the pages of the current state, under a trailer that knows.
func (m *maker) pagesCase() error {
	m.cluster(m.IntN(3))
	b, c := m.files()
	if err := m.save(b, c); err != nil {
		return err
	}
	if m.odds(3) {
		m.note("%s: pages that bbolt would not write", c.Path)
		m.Files[c.Path] = hostile.Generate(m.Uint64())
		c.Sound, m.Phantoms, m.Ghosts = false, nil, nil
		return nil
	}
	return m.damage(c.Evidence)
}

// madeClusterCase is a pair in which every kind of pod occurs, one of the two damaged
// at times.
func (m *maker) madeClusterCase() error {
	pair, err := clustertest.New(clustertest.Options{Seed: m.Uint64(), Pods: 60, Compact: m.odds(2)})
	if err != nil {
		return err
	}
	m.note("a made cluster")
	m.Files[m.Backup.Path], m.Files[m.Current.Path] = pair.Backup, pair.Current
	m.Backup.Records, m.Current.Records = -1, -1
	if m.odds(4) {
		return nil
	}
	return m.damage(one(m, &m.Current, &m.Backup))
}

// damage damages a file that is written.
func (m *maker) damage(e *Evidence) error {
	data := m.Files[e.Path]
	parsed, err := damage.Parse(data)
	if err != nil {
		m.note("too small to be damaged: %v", err)
		return nil
	}
	copy := parsed.Copy(m.Uint64())
	m.note("%s: %s: %s", e.Path, copy.Kind, copy.Note)
	m.Files[e.Path] = copy.Data
	e.Sound = false
	m.Phantoms, m.Ghosts = nil, nil
	if n := len(copy.Data); n%512 == sha256.Size && n > sha256.Size {
		if sum := sha256.Sum256(copy.Data[:n-sha256.Size]); [sha256.Size]byte(copy.Data[n-sha256.Size:]) != sum {
			e.Damaged = "the trailer is not the sum of the content"
		}
	}
	return nil
}
