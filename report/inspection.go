package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"revenant/analyzer/atrest"
	"revenant/analyzer/clock"
	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// NewEvidence waits for the snapshot's hash. The error is ctx's.
func NewEvidence(ctx context.Context, role string, s *snapshot.Snapshot) (restore.Evidence, error) {
	in, err := s.Integrity(ctx)
	if err != nil {
		return restore.Evidence{}, err
	}
	custody, err := s.Custody(ctx)
	if err != nil {
		return restore.Evidence{}, err
	}
	missing, err := s.Missing(ctx)
	if err != nil {
		return restore.Evidence{}, err
	}
	var seen int64
	if s.CompactUnknown() {
		if seen, err = s.CompactSeen(ctx); err != nil {
			return restore.Evidence{}, err
		}
	}
	e := restore.Evidence{
		CompactUnknown: s.CompactUnknown(), CompactSeen: seen,
		Role: role, Path: s.Path(), SizeBytes: custody.Files[0].SizeBytes,
		Revision: s.Revision(), CompactRevision: s.CompactRevision(), Integrity: in.Checks,
		WAL: s.WAL(), Deltas: s.Deltas(), Missing: append(missing, in.Missing()...), Custody: restore.Custody{Custody: custody},
	}
	if sum := custody.Files[0].SHA256; sum != "" {
		e.SHA256 = &sum
	}
	return e, nil
}

// Damaged says whether an integrity check failed.
func Damaged(e restore.Evidence) bool {
	for _, c := range e.Integrity {
		if c.Verdict == snapshot.Bad {
			return true
		}
	}
	return false
}

// Inspection is what `revenant inspect` finds.
type Inspection struct {
	SchemaVersion int                 `json:"schemaVersion"`
	Kind          string              `json:"kind"` // Inspection
	Tool          restore.Tool        `json:"tool"`
	Evidence      []InspectedEvidence `json:"evidence"`
	// Agreement holds every further file against the first.
	Agreement []lineage.Agreement `json:"agreement,omitempty"`
}

// InspectedEvidence is one file of an Inspection.
type InspectedEvidence struct {
	restore.Evidence
	Grade       Grade                 `json:"grade"`
	Status      *snapshot.Status      `json:"status"`           // nil where etcdutl would not print one
	HashKV      *snapshot.HashKV      `json:"hashKV,omitempty"` // when it was asked for
	Hash        *uint32               `json:"hash,omitempty"`   // of the backend, when it was asked for
	PageSize    int                   `json:"pageSizeBytes"`
	Records     int                   `json:"records"`  // revisions kept: puts and tombstones
	LiveKeys    int                   `json:"liveKeys"` // of the state read, its log applied
	Etcd        snapshot.Meta         `json:"etcd"`
	Alarms      []snapshot.Alarm      `json:"alarms"`
	BumpMarkers []int64               `json:"bumpMarkers"`
	Clock       clock.Summary         `json:"clock"`
	At          []Moment              `json:"at,omitempty"` // what was asked for
	KeyGroups   []keyspace.Group      `json:"keyGroups"`    // all keys, by what they belong to
	OtherPrefix []string              `json:"otherPrefixes,omitempty"`
	Kubernetes  Kubernetes            `json:"kubernetes"`
	Encryption  []atrest.Values       `json:"encryption"`
	Buckets     []snapshot.BucketInfo `json:"buckets"`
	Problems    []snapshot.Problem    `json:"problems"`
}

// Grade sums up what is known of a file.
type Grade string

// The grades.
const (
	Whole      Grade = "whole"      // every byte is vouched for by the trailer, and nothing is wrong
	Unverified Grade = "unverified" // nothing is wrong, and nothing vouches for the bytes
	Broken     Grade = "damaged"    // something is lost or cannot be trusted; the rest is read
	Wreck      Grade = "wreck"      // no revision can be reached; salvage looks on every page
)

// Damaged says whether anything of the evidence is lost or cannot be trusted.
func (e *InspectedEvidence) Damaged() bool {
	return Damaged(e.Evidence) || slices.ContainsFunc(e.Problems, func(p snapshot.Problem) bool { return p.Severity == snapshot.Damage })
}

func (e *InspectedEvidence) grade() Grade {
	switch {
	case e.Damaged() && e.Records == 0:
		return Wreck
	case e.Damaged():
		return Broken
	case e.vouchedFor():
		return Whole
	}
	return Unverified
}

// vouchedFor says whether every byte is as it was when the file was saved.
func (e *InspectedEvidence) vouchedFor() bool {
	return slices.ContainsFunc(e.Integrity, func(c snapshot.Check) bool { return c.Name == "trailer" && c.Verdict == snapshot.OK })
}

// gradeText is the grade, what it means, and what to do about it.
func (e *InspectedEvidence) gradeText() string {
	switch {
	case e.Grade == Whole:
		return "whole: the trailer vouches for every byte"
	case e.Grade == Unverified:
		return "unverified: nothing is wrong, and nothing vouches for the bytes"
	case e.vouchedFor() && e.lacksOnly():
		return "damaged: the history is not whole, and was not when it was saved, as in what revenant salvage writes; another snapshot of that time may have more"
	case e.Grade == Wreck:
		return "wreck: no revision can be reached; revenant salvage looks on every page"
	}
	return "damaged: the rest is read; revenant salvage writes a clean snapshot of it"
}

// lacksOnly says whether all damage is in the history: none in pages or buckets.
func (e *InspectedEvidence) lacksOnly() bool {
	return !slices.ContainsFunc(e.Problems, func(p snapshot.Problem) bool {
		return p.Severity == snapshot.Damage && !strings.HasPrefix(p.Where, "revision")
	})
}

// Moment relates a revision and a time: whichever was asked for to the other.
type Moment struct {
	Asked    string         `json:"asked"`
	Revision clock.Span     `json:"revision"` // the store's at the time; From and To are equal when it was asked for
	Time     clock.Interval `json:"time"`     // when the revision was written
}

// Kubernetes says what a snapshot holds of a cluster.
type Kubernetes struct {
	ClusterUID string                 `json:"clusterUID"` // uid of the namespace kube-system, "" when it is not known
	Kubelets   []restore.VersionCount `json:"kubelets"`   // versions of the kubelets, as the nodes tell them, the most first
	Objects    []ResourceCount        `json:"objects"`    // live ones, the most first
	OtherKeys  int                    `json:"otherKeys"`  // live keys that hold no API object
}

// kubelets counts the versions that the Node objects tell.
func kubelets(s *snapshot.Snapshot, prefix string) []restore.VersionCount {
	var versions []string
	for r := range s.Keys(kube.Key{Resource: "nodes"}.Path(prefix)) {
		value, err := s.Value(r)
		if err != nil {
			continue
		}
		if node, err := kube.ScanNode(value); err == nil && node.KubeletVersion != "" {
			versions = append(versions, node.KubeletVersion)
		}
	}
	return restore.CountVersions(versions)
}

// ResourceCount counts the objects of a resource.
type ResourceCount struct {
	Resource string `json:"resource"` // with its group where the key has it
	Count    int    `json:"count"`
}

// Prefix is below what the objects were read.
func (e *InspectedEvidence) Prefix() string { return kube.JoinPrefixes(e.EtcdPrefixes...) }

// survey counts the live keys, and the live objects below the API servers' prefix. The
// error is ctx's.
func survey(ctx context.Context, s *snapshot.Snapshot, prefix string) (k Kubernetes, live int, err error) {
	counts := map[string]int{}
	for r := range s.Keys("") {
		if live++; live%lookEvery == 0 && ctx.Err() != nil {
			return k, 0, ctx.Err()
		}
		key, ok := kube.ParseKey(prefix, r.Key)
		if !ok {
			k.OtherKeys++
			continue
		}
		counts[key.GroupResource()]++
	}
	for resource, count := range counts {
		k.Objects = append(k.Objects, ResourceCount{resource, count})
	}
	slices.SortFunc(k.Objects, func(a, b ResourceCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Resource, b.Resource))
	})
	k.Objects = list(k.Objects)
	k.Kubelets = kubelets(s, prefix)
	namespace := kube.Key{Resource: "namespaces", Name: "kube-system"}
	if r, err := s.Get(namespace.Path(prefix), 0); err == nil {
		if value, err := s.Value(r); err == nil {
			k.ClusterUID = kube.Decode(namespace, value).UID
		}
	}
	return k, live, nil
}

// lookEvery is after how many keys a pass looks whether it is to stop.
const lookEvery = 1 << 12

// Inspect reads the whole of a snapshot, whose API servers keep their keys as chosen,
// and asks its clock. The error is ctx's.
func Inspect(ctx context.Context, s *snapshot.Snapshot, chosen keyspace.Choice, ask ...func(*clock.Clock) Moment) (InspectedEvidence, error) {
	prefix := chosen.Prefix
	var (
		status     snapshot.Status
		times      *clock.Clock
		encryption []atrest.Values
		buckets    []snapshot.BucketInfo
		kubernetes Kubernetes
		groups     []keyspace.Group
		live       int
	)
	// All of it goes over keys, and hides behind what takes longest.
	var work errgroup.Group
	work.Go(func() (err error) {
		status, err = s.Status(ctx)
		return err
	})
	work.Go(func() (err error) {
		times, err = clock.Build(ctx, s, prefix)
		return err
	})
	work.Go(func() (err error) {
		encryption, err = atrest.Encrypted(ctx, s, prefix)
		return err
	})
	work.Go(func() (err error) {
		buckets, err = s.Buckets(ctx)
		return err
	})
	work.Go(func() (err error) {
		kubernetes, live, err = survey(ctx, s, prefix)
		return err
	})
	work.Go(func() (err error) {
		groups, err = keyspace.Survey(ctx, s, prefix, chosen.Found)
		return err
	})
	if err := work.Wait(); err != nil {
		return InspectedEvidence{}, err
	}
	var moments []Moment
	for _, question := range ask {
		moments = append(moments, question(times))
	}
	// Reading all that may have found more.
	e, err := NewEvidence(ctx, "", s)
	if err != nil {
		return InspectedEvidence{}, err
	}
	problems := list(s.Problems())
	if brokenValues(encryption) {
		problems = append(problems, snapshot.Problem{Severity: snapshot.Damage, Where: "encrypted values", What: "a key decrypts some values and others not", Cost: "those values"})
	}
	if len(e.Integrity) > 0 && e.Integrity[0].Verdict == snapshot.Bad {
		problems = append(problems, snapshot.Problem{Severity: snapshot.Damage, Where: "trailer", What: "it does not fit the content", Cost: "any byte may be another one"})
	}
	var printed *snapshot.Status
	if !s.BrokenTree() {
		printed = &status
	}
	e.EtcdPrefixes = kube.SplitPrefixes(prefix)
	found := InspectedEvidence{
		KeyGroups: groups, OtherPrefix: chosen.Others,
		LiveKeys: live, Encryption: encryption,
		Clock: times.Summary(), At: moments, Evidence: e, Status: printed, PageSize: s.PageSize(), Records: s.Len(), Etcd: s.Meta(),
		BumpMarkers: list(s.BumpMarkers()), Alarms: list(s.Alarms()), Kubernetes: kubernetes, Buckets: list(buckets), Problems: problems,
	}
	found.Grade = found.grade()
	return found, nil
}

// list makes an empty list of none, so that it is [] in JSON.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// Text writes the inspection for people.
func (in *Inspection) Text(p *Printer) {
	for i := range in.Evidence {
		if i > 0 {
			p.Line("")
		}
		in.Evidence[i].text(p)
	}
	in.agreementText(p)
}

func (e *InspectedEvidence) text(p *Printer) {
	p.Line("%s", e.Path)
	e.fields(p)
	problemText(p, e.Problems)
}

// fields are what the file is, without its problems.
func (e *InspectedEvidence) fields(p *Printer) {
	p.Field("size", fmt.Sprintf("%s, pages of %s bytes", words.Bytes(e.Custody.SizeBytes), words.Number(e.PageSize)))
	p.Field("grade", e.gradeText())
	hash := "not computed"
	if e.SHA256 != nil {
		hash = *e.SHA256
	}
	p.Field("sha256", hash)
	for _, c := range e.Integrity {
		p.Field(c.Name, checkText(c))
	}
	custodyText(p, &e.Custody)
	p.Field("revision", words.Number(e.Revision))
	logText(p, e.WAL)
	deltasText(p, &e.Evidence)
	missingText(p, e.Missing)
	p.Field("compact revision", compactText(&e.Evidence))
	p.Field("records", fmt.Sprintf("%s, %s live keys", words.Number(e.Records), words.Number(e.LiveKeys)))
	if st := e.Status; st != nil {
		p.Field("etcdutl status", fmt.Sprintf("hash %08x, revision %d, totalKey %d (3.5: %d), totalSize %d, version %q",
			st.Hash, st.Revision, st.TotalKey, st.TotalKey35, st.TotalSize, st.Version))
	} else {
		p.Field("etcdutl status", "nothing: etcdutl crashes on pages that are damaged as these are, or prints what is not so")
	}
	if e.Hash != nil {
		p.Field("hash", fmt.Sprintf("%d, as a member answers", *e.Hash))
	}
	if h := e.HashKV; h != nil {
		p.Field("etcdutl hashkv", fmt.Sprintf("hash %d, hash revision %d, compact revision %d", h.Hash, h.HashRevision, h.CompactRevision))
	}
	p.Field("etcd", fmt.Sprintf("storage version %s, cluster version %s", known(e.Etcd.StorageVersion), known(e.Etcd.ClusterVersion)))
	p.Field("raft", fmt.Sprintf("applied index %d, term %d", e.Etcd.ConsistentIndex, e.Etcd.Term))
	for _, m := range e.Etcd.Members {
		text := fmt.Sprintf("%s %s %s", m.ID, m.Name, strings.Join(m.PeerURLs, " "))
		if m.Learner {
			text += " (a learner: it does not vote)"
		}
		p.Field("member", text)
	}
	for _, rev := range e.BumpMarkers {
		p.Field("bump marker", fmt.Sprintf("revision %d: restored with --bump-revision before", rev))
	}
	e.clockText(p)
	k := &e.Kubernetes
	var objects []string
	for _, o := range k.Objects {
		objects = append(objects, words.Number(o.Count)+" "+o.Resource)
	}
	p.Field("cluster uid", known(k.ClusterUID))
	if len(k.Kubelets) > 0 {
		p.wrappedField("kubelets", kubeletText(k.Kubelets))
	}
	e.keysText(p)
	p.wrappedField("objects", cmp.Or(strings.Join(objects, ", "), "none"))
	encryptionText(p, e.Encryption)
	var buckets []string
	for _, b := range e.Buckets {
		buckets = append(buckets, fmt.Sprintf("%s %s", b.Name, words.Number(b.Keys)))
	}
	p.Field("buckets", strings.Join(buckets, ", "))
}

// kubeletText lists the versions of kubelets, the most frequent ones when there are many.
func kubeletText(list []restore.VersionCount) string {
	const most = 6
	var parts []string
	for _, v := range list[:min(len(list), most)] {
		parts = append(parts, fmt.Sprintf("%s on %s", cmp.Or(v.Version, "an unknown version"), words.Count(v.Nodes, "node")))
	}
	switch {
	case len(list) > most:
		parts = append(parts, fmt.Sprintf("and %d more versions", len(list)-most))
	case len(list) == 0:
		return "of no known version"
	}
	return strings.Join(parts, ", ")
}

// clockText says when the snapshot was taken and what that rests on.
func (e *InspectedEvidence) clockText(p *Printer) {
	c := &e.Clock
	p.Field("taken", c.Taken.String())
	if c.Rate != nil {
		p.Field("writes", fmt.Sprintf("%.1f revisions a second, %.1f to %.1f", c.Rate.Mean, c.Rate.Low, c.Rate.High))
	}
	var marks []string
	for _, source := range clock.Sources() {
		if n := c.Marks[source]; n > 0 {
			marks = append(marks, fmt.Sprintf("%s of %s", words.Number(n), source))
		}
	}
	if len(marks) > 0 {
		p.Field("clock", fmt.Sprintf("marks: %s; %s rejected", strings.Join(marks, ", "), words.Number(c.Rejected)))
	}
	for _, m := range e.At {
		p.Field("at "+m.Asked, m.String())
	}
}

func (m *Moment) String() string {
	if m.Revision.From == m.Revision.To {
		return fmt.Sprintf("revision %s, written %s", words.Number(m.Revision.To), m.Time)
	}
	text := fmt.Sprintf("between revisions %s and %s", words.Number(m.Revision.From), words.Number(m.Revision.To))
	switch {
	case m.Revision.To == math.MaxInt64:
		text = fmt.Sprintf("revision %s or later", words.Number(m.Revision.From))
	case m.Revision.Extrapolated:
		text += ", at the highest measured rate: after the snapshot was taken"
	}
	return text
}

const shownProblems = 20

func problemText(p *Printer, problems []snapshot.Problem) {
	if len(problems) == 0 {
		p.Field("problems", "none")
		return
	}
	p.Field("problems", words.Number(len(problems)))
	for i, problem := range problems {
		if i == shownProblems {
			p.Line("    … and %s more: -o json lists them all", words.Number(len(problems)-i))
			break
		}
		p.Line("    %s: %s", string(problem.Severity), problem.String())
	}
}

func checkText(c snapshot.Check) string {
	if c.Detail == "" {
		return string(c.Verdict)
	}
	return string(c.Verdict) + ": " + c.Detail
}

// compactText is the compact revision of evidence, and how that is known.
func compactText(e *restore.Evidence) string {
	switch {
	case e.CompactUnknown && e.CompactSeen > 0:
		return fmt.Sprintf("unknown; %s or later, according to a page that nothing refers to", words.Number(e.CompactSeen))
	case e.CompactUnknown:
		return "unknown: what would show it is lost"
	case e.CompactRevision == 0:
		return "never compacted"
	}
	return words.Number(e.CompactRevision)
}

// compactedText says the same in a list.
func compactedText(e *restore.Evidence) string {
	if e.CompactUnknown || e.CompactRevision > 0 {
		return "compacted to " + compactText(e)
	}
	return compactText(e)
}

func known(version string) string {
	if version == "" {
		return "unknown"
	}
	return version
}
