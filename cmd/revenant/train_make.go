package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/input"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/scrub"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/internal/words"
	"revenant/report"
	"revenant/train"
)

// making is a scenario that is being made of a pair.
type making struct {
	*trainOptions
	scrub   *scrub.Scrubber
	draft   *outfile.Draft
	results [2]*scrub.Result
	made    train.Scenario
}

// The parts of a draft: the scenario as it is published, and where snapshots are written.
const (
	draftWhole = "scenario"
	draftWork  = "work"
)

var madeFiles = [2]string{train.PairBackup, train.PairCurrent}

func (o *trainOptions) runMake(ctx context.Context, paths []string) error {
	switch {
	case len(paths) != 2:
		return hinted(fmt.Errorf("--make wants 2 snapshots, not %d", len(paths)), "revenant train --make BACKUP CURRENT --out DIR")
	case o.out == "":
		return hinted(errors.New("no output is named"), "revenant train --make BACKUP CURRENT --out DIR")
	case o.at != "":
		return errors.New("--at and --make contradict each other")
	}
	m := &making{trainOptions: o}
	guard, err := m.open.guardOutputs(o.streams, append(paths, o.key)...)
	if err != nil {
		return err
	}
	dir := strings.TrimRight(o.out, string(filepath.Separator))
	if err := refuseEvidence(guard, dir); err != nil {
		return err
	}
	place, err := guard.Place(dir, outfile.New)
	if err != nil {
		return hinted(err, "the scenario goes into a directory of its own: name one that does not exist")
	}
	b, c, err := m.open.files(paths[0], paths[1])
	if err != nil {
		place.Close()
		return err
	}
	if m.draft, err = place.Draft(); err != nil {
		return err
	}
	err = m.pair(ctx, b, c)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = m.draft.PublishDir(draftWhole)
	}
	if err := errors.Join(err, m.draft.Discard()); err != nil {
		return err
	}
	return m.report(dir)
}

// pair opens the pair, and makes the scenario in the draft.
func (m *making) pair(ctx context.Context, backup, current opener) error {
	key, err := m.pseudonyms()
	if err != nil {
		return err
	}
	return m.open.withPair(ctx, m.streams, backup, current, false, func(p *pair) error {
		sides := [2]*side{&p.backup, &p.current}
		for _, s := range sides {
			if err := scrubbable(s); err != nil {
				return err
			}
		}
		if _, err := train.MakeOf(ctx, train.PairID(), p.compare()); err != nil { // before all is written
			return fmt.Errorf("make a scenario of the pair: %w", err)
		}
		m.scrub = scrub.New(key, p.prefix)
		for _, name := range []string{draftWhole, draftWork} {
			if err := m.draft.Dir.Mkdir(name, 0o700); err != nil {
				return err
			}
		}
		bar := newProgressLine(m.streams)
		defer bar.clear()
		for i, s := range sides {
			if err := m.write(ctx, i, s.snapshot, bar); err != nil {
				return err
			}
		}
		return m.check(ctx, p)
	})
}

// pseudonyms is what decides them.
func (m *making) pseudonyms() (scrub.Key, error) {
	if m.key == "" {
		return scrub.NewKey(), nil
	}
	f, err := input.Open(m.key)
	if err != nil {
		return scrub.Key{}, fmt.Errorf("--key: %w", err)
	}
	defer f.Close()
	const least, most = 16, 1 << 16
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && (len(text) < least || len(text) > most) {
		err = fmt.Errorf("%s has %s: want %d bytes to 64 KiB that nobody can guess", m.key, words.Count(len(text), "byte"), least)
	}
	if err != nil {
		return scrub.Key{}, fmt.Errorf("--key: %w", err)
	}
	return scrub.KeyOf(string(text)), nil
}

// scrubbable refuses evidence of which a scrubbed snapshot could not show the same.
func scrubbable(s *side) error {
	snap := s.snapshot
	salvage := "revenant salvage writes a clean snapshot of what is readable: make the scenario of that"
	switch {
	case snap.Damaged():
		return hinted(fmt.Errorf("%s is damaged", snap.Path()), salvage)
	case snap.WAL() != nil || snap.Deltas() != nil:
		return hinted(fmt.Errorf("%s is more than a snapshot: records come from beside it", snap.Path()), salvage)
	case len(s.state.Missing) > 0:
		return hinted(fmt.Errorf("from %s may be missing: %s", snap.Path(), s.state.Missing[0].What), salvage)
	}
	return nil
}

// write writes a scrubbed snapshot, and reads all of it again.
func (m *making) write(ctx context.Context, i int, from *snapshot.Snapshot, bar *progressLine) (err error) {
	name := madeFiles[i]
	work := filepath.Join(draftWork, fmt.Sprint(i))
	if err := m.draft.Dir.Mkdir(work, 0o700); err != nil {
		return err
	}
	dir, err := m.draft.Dir.OpenRoot(work)
	if err != nil {
		return err
	}
	m.results[i], err = m.scrub.Write(ctx, from, dir, name, func(done, total int) {
		bar.show(name, snapshot.Progress{Phase: phaseWrite, Done: int64(done), Total: int64(total)})
	})
	if err := errors.Join(err, dir.Close()); err != nil {
		return fmt.Errorf("scrub %s: %w", from.Path(), err)
	}
	whole := filepath.Join(draftWhole, name)
	if err := m.draft.Dir.Rename(filepath.Join(work, name), whole); err != nil {
		return err
	}
	f, err := m.draft.Dir.Open(whole)
	if err != nil {
		return err
	}
	defer f.Close()
	content := io.LimitReader(f, m.results[i].SizeBytes-sha256.Size) // what follows is the hash of it
	if err := m.scrub.Ledger().Audit(ctx, content); err != nil {
		return fmt.Errorf("check what was scrubbed of %s: %w", from.Path(), err)
	}
	return nil
}

// check makes sure that the scrubbed pair predicts what the pair does, and makes the
// scenario of it.
func (m *making) check(ctx context.Context, p *pair) error {
	var sides [2]*side
	var err error
	prefix := m.scrub.Prefix(p.prefix)
	plain := openOptions{prefixes: kube.SplitPrefixes(prefix), limits: m.open.limits}
	for i, name := range madeFiles {
		if sides[i], err = plain.read(ctx, plain.opener(filepath.Join(m.draft.Dir.Name(), draftWhole, name), i == 1), restore.LoadBeside, nil, nil); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sides[i].snapshot.Close()) }()
	}
	scrubbed := restore.Compare(sides[0].state, sides[1].state)
	if scrubbed.Lineage, err = lineage.Compare(ctx, sides[0].snapshot, sides[1].snapshot, prefix); err != nil {
		return err
	}
	if err := train.SamePredictions(p.compare(), scrubbed, m.scrub); err != nil {
		return hinted(fmt.Errorf("the scrubbed snapshots are not a faithful copy: %w", err), "without --key, another try has other pseudonyms")
	}
	if m.made, err = train.MakeOf(ctx, train.PairID(m.results[0].SHA256, m.results[1].SHA256), scrubbed); err != nil {
		return fmt.Errorf("make a scenario of the pair: %w", err)
	}
	text, err := yaml.Marshal(m.made)
	if err != nil {
		return err
	}
	return m.draft.Dir.WriteFile(filepath.Join(draftWhole, train.PairScenario), text, 0o600)
}

// report says what was written, and what was done to it.
func (m *making) report(dir string) error {
	p := report.NewPrinter(m.streams.out)
	encrypted, blanked, dropped, first := 0, 0, 0, ""
	for i, r := range m.results {
		p.Field("written", fmt.Sprintf("%s, %s, %s", filepath.Join(dir, madeFiles[i]), words.Bytes(r.SizeBytes), words.Count(r.Records, "record")))
		p.Field("sha256", r.SHA256)
		encrypted, blanked, dropped = encrypted+r.Encrypted, blanked+r.Blanked, dropped+r.Dropped
		if first == "" {
			first = r.First
		}
	}
	p.Field("written", filepath.Join(dir, train.PairScenario))
	say := func(n int, format string, args ...any) {
		if n > 0 {
			p.Wrapped("", p.Width, fmt.Sprintf(format, args...))
		}
	}
	p.Line("")
	say(encrypted, "Overwritten, because they are encrypted: %s.", words.Count(encrypted, "value"))
	say(blanked, "Overwritten, because they could not be read: %s (the first: %s).", words.Count(blanked, "value"), first)
	say(dropped, "Left out, because only etcd knows them: %s.", words.CountOf(dropped, "item of a small bucket", "items of small buckets"))
	p.Wrapped("", p.Width, "Names, labels, addresses, images and uids are pseudonyms, and content is overwritten. Sizes, revisions, times, numbers and structure are those of the cluster: docs/security.md says what is not hidden. Under every plan the pair predicts what the original does.")
	p.Line("")
	if word, ok := sanitize.ShellWord(dir); ok {
		p.Line("revenant train %s plays it.", word)
	}
	return p.Flush()
}

// isDir says whether the name of a scenario is a directory: that of one that was made.
func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// madeOpeners open the snapshots of a scenario that was made.
func (o *trainOptions) madeOpeners(dir string) (backup, current opener, err error) {
	return o.open.files(filepath.Join(dir, train.PairBackup), filepath.Join(dir, train.PairCurrent))
}

// readMade reads a scenario that was made, and not its snapshots.
func readMade(dir string) (*train.Scenario, error) {
	path := filepath.Join(dir, train.PairScenario)
	text, err := input.ReadConfig(path)
	if err != nil {
		return nil, hinted(fmt.Errorf("read scenario: %w", err), "revenant train --make BACKUP CURRENT --out DIR makes one")
	}
	s, err := train.ReadPair(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	s.Dir = "DIR"
	if word, ok := sanitize.ShellWord(dir); ok {
		s.Dir = word
	}
	return &s, nil
}

// bind opens the snapshots of a scenario that was made, to play it on them.
func (o *trainOptions) bind(ctx context.Context, s *train.Scenario, dir string) error {
	if _, err := o.open.guardOutputs(o.streams, dir); err != nil {
		return err
	}
	b, c, err := o.madeOpeners(dir)
	if err != nil {
		return err
	}
	return o.open.withPair(ctx, o.streams, b, c, false, func(p *pair) (err error) {
		if *s, err = s.Bound(p.compare()); err != nil {
			err = fmt.Errorf("read %s: %w", filepath.Join(dir, train.PairScenario), err)
		}
		return err
	})
}
