package report

import (
	"fmt"
	"strconv"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Carving is what `revenant carve` recovers.
type Carving struct {
	SchemaVersion int                    `json:"schemaVersion"`
	Kind          string                 `json:"kind"` // Carving
	Tool          restore.Tool           `json:"tool"`
	Evidence      []restore.Evidence     `json:"evidence"`
	Problems      []snapshot.Problem     `json:"problems"` // of the evidence
	Summary       map[snapshot.Label]int `json:"summary"`
	Windows       []snapshot.Window      `json:"windows"`
	Oldest        int64                  `json:"oldest"`    // main revisions, 0 for none
	Newest        int64                  `json:"newest"`    //
	Conflicts     int                    `json:"conflicts"` // revisions withheld because pages have differing copies
	Foreign       int                    `json:"foreign"`   // records of another history, as a restore leaves them; withheld
	Records       []CarvedRecord         `json:"records"`
}

// CarvedRecord is one revision recovered.
type CarvedRecord struct {
	Revision  string            `json:"revision"`
	Label     snapshot.Label    `json:"label"`
	Sure      snapshot.Sureness `json:"sure"`
	Reason    string            `json:"reason"`
	Key       string            `json:"key"`
	Resource  string            `json:"resource"`
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Tombstone bool              `json:"tombstone"`
	Created   int64             `json:"createRevision"`
	Version   int64             `json:"version"`
	Size      int               `json:"sizeBytes"` // of the stored record
	Page      uint64            `json:"page"`
	Offset    int64             `json:"offset"` // of the stored record, in bytes from the start of the db
	Object    any               `json:"object,omitempty"`
}

// Text writes the carving for people.
func (c *Carving) Text(p *Printer) {
	for i := range c.Evidence {
		evidenceLine(p, &c.Evidence[i])
	}
	if len(c.Problems) > 0 {
		problemText(p, c.Problems)
	}
	c.windowText(p)
	p.Line("")
	if len(c.Records) == 0 {
		p.Line("Nothing was recovered: no page that is not in use holds a revision that the buckets do not have.")
		return
	}
	var rows [][]string
	for _, r := range c.Records {
		name := r.Name
		if r.Resource == "" {
			name = r.Key
		}
		revision := r.Revision
		if r.Tombstone {
			revision += " deletion"
		}
		rows = append(rows, []string{revision, string(r.Label), string(r.Sure), r.Resource, r.Namespace, name, strconv.Itoa(r.Size), strconv.FormatUint(r.Page, 10)})
	}
	p.Table([]string{"REVISION", "LABEL", "SURE", "RESOURCE", "NAMESPACE", "NAME", "SIZE", "PAGE"}, rows, nil)
	p.Line("")
	var counts []string
	for _, label := range []snapshot.Label{snapshot.Live, snapshot.Superseded, snapshot.Deleted, snapshot.Compacted} {
		if n := c.Summary[label]; n > 0 {
			counts = append(counts, fmt.Sprintf("%s %s", words.Number(n), label))
		}
	}
	p.Line("%s: %s.", words.Count(len(c.Records), "revision"), strings.Join(counts, ", "))
}

// windowText says for which revisions the carving can speak.
func (c *Carving) windowText(p *Printer) {
	switch {
	case len(c.Windows) > 0:
	case c.Evidence[0].CompactUnknown:
		p.wrappedField("speaks for", "not known: what would show whether the store was compacted is lost")
	default:
		p.wrappedField("speaks for", "nothing was compacted: what is on pages that are not in use is older copies of what the buckets have")
	}
	for i, w := range c.Windows {
		name := ""
		if i == 0 {
			name = "speaks for"
		}
		share := "none is gone"
		if w.Gone > 0 {
			share = fmt.Sprintf("%s of %s that are gone, %.0f %%", words.Number(w.Recovered), words.Number(w.Gone), 100*float64(w.Recovered)/float64(w.Gone))
		}
		p.Field(name, fmt.Sprintf("revisions %s to %s: %s", words.Number(w.From), words.Number(w.To), share))
	}
	if c.Conflicts > 0 {
		p.Field("withheld", words.Count(c.Conflicts, "revision")+" of which pages have differing copies")
	}
	if c.Foreign > 0 {
		p.Field("withheld", words.Count(c.Foreign, "record")+" of another history, as a restore leaves them")
	}
}
