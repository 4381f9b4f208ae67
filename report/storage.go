package report

import (
	"fmt"
	"strconv"

	"revenant/analyzer/restore"
	"revenant/analyzer/storage"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Storage is what `revenant storage` adds up. Lists that were not asked for are nil.
type Storage struct {
	SchemaVersion int                `json:"schemaVersion"`
	Kind          string             `json:"kind"` // Storage
	Tool          restore.Tool       `json:"tool"`
	Evidence      []restore.Evidence `json:"evidence"`
	Problems      []snapshot.Problem `json:"problems"` // of the evidence
	Total         StorageTally       `json:"total"`
	File          *StorageFile       `json:"file,omitempty"`
	Resources     *[]StorageGroup    `json:"resources,omitempty"`
	Namespaces    *[]StorageGroup    `json:"namespaces,omitempty"`
	Largest       *[]StorageKey      `json:"largest,omitempty"`
	MostRevised   *[]StorageKey      `json:"mostRevised,omitempty"`

	Leases *StorageLeases `json:"leases,omitempty"`

	// How many groups there are in all, of which the largest are listed.
	AllResources  int `json:"allResources"`
	AllNamespaces int `json:"allNamespaces"`
}

// StorageTally sums up records.
type StorageTally struct {
	Keys         int   `json:"keys"` // that exist
	LiveBytes    int64 `json:"liveBytes"`
	Revisions    int   `json:"revisions"`
	Tombstones   int   `json:"tombstones"`
	HistoryBytes int64 `json:"historyBytes"`
}

// StorageGroup is what the keys of a resource or of a namespace take.
type StorageGroup struct {
	Name string `json:"name"`
	StorageTally
}

// StorageKey is what one key takes.
type StorageKey struct {
	Key       string `json:"key"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Version   int64  `json:"version"`
	Changed   int64  `json:"changed"`
	StorageTally
}

// StorageFile accounts for every byte of the file.
type StorageFile struct {
	SizeBytes       int64           `json:"sizeBytes"`
	PageSizeBytes   int             `json:"pageSizeBytes"`
	Parts           []StoragePart   `json:"parts"`
	Buckets         []StorageBucket `json:"buckets"`
	InLogBytes      int64           `json:"inLogBytes"`
	CompactionBytes int64           `json:"compactionBytes"` // what a compaction frees
	DefragBytes     int64           `json:"defragBytes"`     // about what a defragmentation gives back
}

// StorageLeases is what hangs on leases: keys that etcd deletes when theirs runs out. When
// that is, no file says: an etcd that starts counts each again from its whole time.
type StorageLeases struct {
	Granted  int               `json:"granted"`
	Idle     int               `json:"idle"`    // that no key hangs on
	Missing  int               `json:"missing"` // keys whose lease is not there
	Unread   int               `json:"unread"`  // leases and keys that could not be read
	ByTTL    []StorageTTL      `json:"byTTL"`
	Attached []StorageAttached `json:"attached"`
}

// StorageTTL is the leases that were granted for one time.
type StorageTTL struct {
	Seconds int64 `json:"seconds"`
	Leases  int   `json:"leases"`
	Keys    int   `json:"keys"`
}

// StorageAttached is the keys of a resource that hang on a lease.
type StorageAttached struct {
	Resource string `json:"resource"`
	Keys     int    `json:"keys"`
}

// StoragePart is a part of the file.
type StoragePart struct {
	Use   storage.Use `json:"use"`
	What  string      `json:"what"`
	Bytes int64       `json:"bytes"`
	Pages uint64      `json:"pages"` // 0 for what is not counted in whole pages
}

// StorageBucket is a bucket of the file.
type StorageBucket struct {
	Name  string `json:"name"`
	Items int    `json:"items"`
	Bytes int64  `json:"bytes"`
}

// StorageViews are what can be asked for, in the order in which they are written.
var StorageViews = []string{"file", "resource", "namespace", "largest", "revisions", "leases"}

// NewStorage makes the document of what takes the space, with these views of it, and of
// each list the first so many; 0 is all.
func NewStorage(s *storage.Storage, views map[string]bool, top int) *Storage {
	d := &Storage{SchemaVersion: SchemaVersion, Kind: "Storage", Total: tallyOf(&s.Total), AllResources: len(s.Resources), AllNamespaces: len(s.Namespaces)}
	groups := func(view string, list []storage.Group) *[]StorageGroup {
		if !views[view] {
			return nil
		}
		out := []StorageGroup{}
		for i := range list {
			if top == 0 || i < top {
				out = append(out, StorageGroup{list[i].Name, tallyOf(&list[i].Tally)})
			}
		}
		return &out
	}
	keys := func(view string, list []storage.Key) *[]StorageKey {
		if !views[view] {
			return nil
		}
		out := []StorageKey{}
		for i := range list {
			k := &list[i]
			out = append(out, StorageKey{k.Key, k.Object.Plural(), k.Object.Namespace, k.Object.Name, k.Version, k.Changed, tallyOf(&k.Tally)})
		}
		return &out
	}
	d.Resources, d.Namespaces = groups("resource", s.Resources), groups("namespace", s.Namespaces)
	d.Largest, d.MostRevised = keys("largest", s.Largest), keys("revisions", s.Rewritten)
	if views["file"] {
		f := &StorageFile{SizeBytes: s.File.Size, PageSizeBytes: s.File.PageSize, InLogBytes: s.File.InLog, CompactionBytes: s.File.Compaction, DefragBytes: s.File.Defrag}
		for _, p := range s.File.Parts {
			f.Parts = append(f.Parts, StoragePart{p.Use, storage.Uses[p.Use], p.Bytes, p.Pages})
		}
		for _, b := range s.File.Buckets {
			f.Buckets = append(f.Buckets, StorageBucket{b.Name, b.Items, b.Bytes})
		}
		d.File = f
	}
	return d
}

// AddLeases adds what hangs on leases.
func (d *Storage) AddLeases(l *storage.Leases) {
	d.Leases = &StorageLeases{Granted: l.Granted, Idle: l.Idle, Missing: l.Missing, Unread: l.Unread, ByTTL: []StorageTTL{}, Attached: []StorageAttached{}}
	for _, t := range l.ByTTL {
		d.Leases.ByTTL = append(d.Leases.ByTTL, StorageTTL{int64(t.TTL.Seconds()), t.Leases, t.Keys})
	}
	for i := range l.Attached {
		d.Leases.Attached = append(d.Leases.Attached, StorageAttached{l.Attached[i].Name, l.Attached[i].Keys})
	}
}

func tallyOf(t *storage.Tally) StorageTally {
	return StorageTally{t.Keys, t.Live, t.Revisions, t.Tombstones, t.History}
}

func (t *StorageTally) cells() []string {
	return []string{words.Size(t.LiveBytes + t.HistoryBytes), words.Size(t.LiveBytes), words.Size(t.HistoryBytes), words.Number(t.Keys), words.Number(t.Revisions)}
}

// Text writes the storage for people.
func (d *Storage) Text(p *Printer) {
	for i := range d.Evidence {
		evidenceLine(p, &d.Evidence[i])
	}
	if len(d.Problems) > 0 {
		problemText(p, d.Problems)
	}
	p.Line("")
	t := &d.Total
	p.Line("%s of records: %s live in %s, %s of history in %s.", words.Size(t.LiveBytes+t.HistoryBytes), words.Size(t.LiveBytes),
		words.Count(t.Keys, "key"), words.Size(t.HistoryBytes), words.Count(t.Revisions-t.Keys, "revision"))
	if f := d.File; f != nil {
		p.Line("A compaction frees %s of history, and a defragmentation gives back about %s of the file's %s.", words.Size(f.CompactionBytes), words.Size(f.DefragBytes), words.Size(f.SizeBytes))
		if f.InLogBytes > 0 {
			p.Line("%s of the records are in the log only.", words.Size(f.InLogBytes))
		}
		var rows [][]string
		for _, part := range f.Parts {
			pages := words.NumberOrDash(part.Pages)
			rows = append(rows, []string{string(part.Use), words.Size(part.Bytes), share(part.Bytes, f.SizeBytes), pages, part.What})
		}
		p.Line("")
		p.Table([]string{"PART OF THE FILE", "SIZE", "SHARE", "PAGES", "WHAT"}, rows, nil)
	}
	d.groups(p, "RESOURCE", d.Resources, d.AllResources)
	d.groups(p, "NAMESPACE", d.Namespaces, d.AllNamespaces)
	d.keys(p, "LARGEST OBJECT", d.Largest)
	d.keys(p, "MOST REVISED", d.MostRevised)
	d.leases(p)
}

func (d *Storage) leases(p *Printer) {
	l := d.Leases
	if l == nil {
		return
	}
	p.Line("")
	line := words.Count(l.Granted, "lease")
	if l.Granted > 0 {
		line += ", " + words.Number(l.Idle) + " without keys"
	}
	if l.Missing > 0 {
		line += "; " + words.CountOf(l.Missing, "key has a lease that is not there", "keys have a lease that is not there")
	}
	if l.Unread > 0 {
		line += "; " + words.Number(l.Unread) + " could not be read"
	}
	p.Line("%s. When one runs out is in no file.", line)
	if len(l.ByTTL) > 0 {
		var rows [][]string
		for _, t := range l.ByTTL {
			rows = append(rows, []string{words.Number(t.Seconds) + " s", words.Number(t.Leases), words.Number(t.Keys)})
		}
		p.Line("")
		p.Table([]string{"LEASES GRANTED FOR", "LEASES", "KEYS"}, rows, nil)
	}
	if len(l.Attached) > 0 {
		var rows [][]string
		for _, a := range l.Attached {
			name := a.Resource
			if name == "" {
				name = "(other keys)"
			}
			rows = append(rows, []string{name, words.Number(a.Keys)})
		}
		p.Line("")
		p.Table([]string{"ON A LEASE", "KEYS"}, rows, nil)
	}
}

func (d *Storage) groups(p *Printer, title string, list *[]StorageGroup, all int) {
	if list == nil {
		return
	}
	var rows [][]string
	for i := range *list {
		g := &(*list)[i]
		name := words.OrDash(g.Name)
		if g.Name == "" && title == "RESOURCE" {
			name = "(other keys)"
		}
		rows = append(rows, append([]string{name, share(g.LiveBytes+g.HistoryBytes, d.Total.LiveBytes+d.Total.HistoryBytes)}, g.cells()...))
	}
	p.Line("")
	p.Table([]string{title, "SHARE", "SIZE", "LIVE", "HISTORY", "KEYS", "REVISIONS"}, rows, nil)
	if more := all - len(*list); more > 0 {
		p.Line("and %s more; --top 0 lists all", words.Number(more))
	}
}

func (d *Storage) keys(p *Printer, title string, list *[]StorageKey) {
	if list == nil {
		return
	}
	var rows [][]string
	for i := range *list {
		k := &(*list)[i]
		name := k.Key
		if k.Name != "" {
			name = k.Resource + "/" + k.Name
		}
		cells := k.cells()
		rows = append(rows, append([]string{name, words.OrDash(k.Namespace)}, cells[0], cells[1], cells[2], cells[4], strconv.FormatInt(k.Changed, 10)))
	}
	p.Line("")
	p.Table([]string{title, "NAMESPACE", "SIZE", "LIVE", "HISTORY", "REVISIONS", "CHANGED"}, rows, nil)
}

// share is a part of the whole in percent.
func share(part, whole int64) string {
	if whole <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}
