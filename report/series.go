package report

import (
	"fmt"
	"path/filepath"
	"slices"

	"revenant/analyzer/clock"
	"revenant/analyzer/series"
	"revenant/decoder/container"
	"revenant/internal/words"
)

// Series is files that were read as one history.
type Series struct {
	Files    []SeriesFile   `json:"files"` // by branch, then by revision
	Left     []LeftFile     `json:"left"`  // that could not be taken in
	Branches []SeriesBranch `json:"branches"`
}

// SeriesFile is one of them.
type SeriesFile struct {
	Path            string           `json:"path"`
	Revision        int64            `json:"revision"`
	CompactRevision int64            `json:"compactRevision"`
	Taken           clock.Interval   `json:"taken"`
	Branch          int              `json:"branch"`
	Damaged         bool             `json:"damaged"`
	Evidence        []container.File `json:"evidence"` // as it was handed over
}

// LeftFile is a file that is not among them, and why.
type LeftFile struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// SeriesBranch is a run of files that follow one another in one history.
type SeriesBranch struct {
	Parent         int          `json:"parent"`         // -1 for none
	CommonRevision int64        `json:"commonRevision"` // the newest that it is known to share with its parent
	PartedBy       series.How   `json:"partedBy,omitempty"`
	Newest         bool         `json:"newest"` // it has the file that was taken last
	Holes          []SeriesHole `json:"holes"`  // of the history that leads to its newest file

	shared int64 // with the newest one
	by     series.How
}

// SeriesHole is a stretch of revisions that no file holds.
type SeriesHole struct {
	After  int64          `json:"after"`
	Before int64          `json:"before"`
	Time   clock.Interval `json:"time"`
	Older  string         `json:"older"` // path of the file that ends before it
	Newer  string         `json:"newer"`
}

// NewSeries describes a series.
func NewSeries(s *series.Series) Series {
	var doc Series
	for i := range s.Members {
		m := &s.Members[i]
		doc.Files = append(doc.Files, SeriesFile{m.Name, m.Revision, m.CompactRevision, m.Taken, m.Branch, m.Damaged, m.Files})
	}
	for _, l := range s.Left {
		doc.Left = append(doc.Left, LeftFile{l.Name, l.Err.Error()})
	}
	newest := s.Members[s.Newest()].Branch
	for i := range s.Branches {
		b := &s.Branches[i]
		branch := SeriesBranch{Parent: b.Parent, CommonRevision: b.Common, PartedBy: b.How, Newest: i == newest}
		branch.shared, branch.by = s.Apart(i, newest)
		for _, h := range s.Holes(i) {
			branch.Holes = append(branch.Holes, SeriesHole{h.After, h.Before, clock.Interval{From: s.Members[h.Older].Taken.From, To: s.Members[h.Newer].Taken.To}, s.Members[h.Older].Name, s.Members[h.Newer].Name})
		}
		doc.Branches = append(doc.Branches, branch)
	}
	return doc
}

// Damaged says whether a file is.
func (s *Series) Damaged() bool {
	return slices.ContainsFunc(s.Files, func(f SeriesFile) bool { return f.Damaged })
}

// fileNames are the files' names without their directories where that tells them apart.
func (s *Series) fileNames() map[string]string {
	count := map[string]int{}
	for i := range s.Files {
		count[filepath.Base(s.Files[i].Path)]++
	}
	names := map[string]string{}
	for i := range s.Files {
		path := s.Files[i].Path
		if names[path] = path; count[filepath.Base(path)] == 1 {
			names[path] = filepath.Base(path)
		}
	}
	return names
}

// branchTitle says of a branch beside the newest one what it is.
func (s *Series) branchTitle(i int) string {
	names, b := s.fileNames(), &s.Branches[i]
	var files []string
	for _, f := range s.Files {
		if f.Branch == i && f.Revision > b.shared {
			files = append(files, names[f.Path])
		}
	}
	what := "Of another history"
	switch b.by {
	case series.Restore:
		what = "Given up by a restore"
	case series.Fork:
		what = "Of another cluster, which went on from the same data"
	}
	return fmt.Sprintf("%s: what was written after revision %s (%s)", what, words.Number(b.shared), words.First(files, 3))
}
