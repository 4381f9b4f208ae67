package report

import (
	"fmt"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/salvage"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Salvage is what `revenant salvage` did.
type Salvage struct {
	SchemaVersion int                `json:"schemaVersion"`
	Kind          string             `json:"kind"` // Salvage
	Tool          restore.Tool       `json:"tool"`
	Evidence      []restore.Evidence `json:"evidence"`
	Problems      []snapshot.Problem `json:"problems"` // of the evidence
	Result        *salvage.Result    `json:"result"`
	Lossless      bool               `json:"lossless"` // all that etcd had is in it, as far as is known
}

// mostRuns is how many runs of revisions one line names.
const mostRuns = 8

const shownFound = 20

// Text writes the report for people.
func (s *Salvage) Text(p *Printer) {
	for i := range s.Evidence {
		evidenceLine(p, &s.Evidence[i])
	}
	r := s.Result
	p.Field("written", fmt.Sprintf("%s, %s", r.Path, words.Bytes(r.SizeBytes)))
	p.Field("sha256", r.SHA256)
	p.Field("revision", fmt.Sprintf("%s, %s", words.Number(r.Revision), compactedText(&restore.Evidence{CompactRevision: r.CompactRevision, CompactUnknown: r.CompactUnknown, CompactSeen: r.CompactSeen})))
	p.Field("records", words.Number(r.Records))
	statesText(p, r)
	var small []string
	for _, b := range r.Buckets {
		switch b.Source {
		case salvage.Leftover:
			small = append(small, fmt.Sprintf("%s from an older copy (%s items)", b.Name, words.Number(b.Items)))
		case salvage.Missing:
			small = append(small, b.Name+" missing")
		}
	}
	if len(small) > 0 {
		p.wrappedField("buckets", strings.Join(small, ", "))
	}
	if r.CompactUnknown {
		p.wrappedField("", "The compact revision could not be read: records from pages in no bucket are all uncertain.")
	}
	if r.CompactSeen > r.CompactRevision {
		p.wrappedField("", fmt.Sprintf("A page has a compaction at %s: the tree leads to an older state.", words.Number(r.CompactSeen)))
	}
	if len(r.Stretches) > 0 {
		p.wrappedField("lost pages", "revisions "+words.First(r.Stretches, mostRuns))
	}
	foundText(p, "recovered", "from pages in no bucket, and written", r.Recovered)
	what := "withheld: at or below a compact revision they may have been deleted since, and what is newer than the tree may lack others; --include-uncertain writes them"
	if r.Included {
		what = "written, although at or below a compact revision they may have been deleted since, and what is newer than the tree may lack others"
	}
	foundText(p, "uncertain", what, r.Uncertain)
	what = "withheld: they contradict themselves or their page, and may have had another value; --include-uncertain writes them"
	if r.Included {
		what = "written, although they contradict themselves or their page, and may have had another value"
	}
	foundText(p, "suspect", what, r.Suspect)
	foundText(p, "conflicts", "withheld: pages have differing copies of them", r.Conflicts)
	if len(r.Unread) > 0 {
		p.wrappedField("unread", "the values of revisions "+words.First(r.Unread, mostRuns))
	}
	if len(r.Missing) > 0 {
		p.wrappedField("still missing", "revisions "+words.First(r.Missing, mostRuns))
	}
	p.Line("")
	missing := s.Evidence[0].Missing
	switch {
	case !s.Lossless:
		p.Line("It is not all that etcd had: what is missing stands above.")
	case len(missing) > 0:
		p.Line("All that could be read above the compact revision is in it, and etcd may have had more: what is missing stands above.")
	case len(r.Uncertain) > 0 && !r.Included:
		p.Line("All that its tree leads to above the compact revision is in it; what is newer was withheld.")
	default:
		p.Line("All that the evidence held above its compact revision is in it.")
	}
	path, ok := sanitize.ShellWord(r.Path)
	if !ok {
		path = "FILE"
	}
	p.Line("Look at it with: etcdutl snapshot status %s", path)
}

// statesText lists the states where there is a choice, the one that was written first.
func statesText(p *Printer, r *salvage.Result) {
	if len(r.States) < 2 {
		return
	}
	p.Field("state", fmt.Sprintf("%s, of %s that the evidence supports; --state writes another", r.State, words.Count(len(r.States), "state")))
	for _, s := range r.States {
		line := fmt.Sprintf("%s: %s; %s, %s, up to revision %s", s.Name, s.What, words.Count(s.Revisions, "revision"), words.Count(s.Keys, "key"), words.Number(s.NewestRevision))
		if s.LeftOut != "" {
			line += ". Left out: " + s.LeftOut
		}
		p.wrappedField("", line)
	}
}

func foundText(p *Printer, name, what string, list []salvage.Found) {
	if len(list) == 0 {
		return
	}
	p.Field(name, words.Count(len(list), "revision")+" "+what)
	for i, f := range list {
		if i == shownFound {
			p.Line("    … and %s more: --report json lists them all", words.Number(len(list)-i))
			return
		}
		verb := "put"
		if f.Tombstone {
			verb = "delete"
		}
		p.Line("    %s %s %s (page %d)", f.Revision, verb, f.Key, f.Page)
	}
}
