package scrub

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// planted is the db of a cluster with canaries wherever somebody can put a text: in keys and
// values of every encoding, in what was deleted, in what etcd keeps of its members and users,
// and on pages that nothing refers to.
func planted(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	pod := func(name string) []byte {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "canary-ns", Name: name, UID: "canary-uid", Labels: map[string]string{"canary.io/app": "canary"},
			Annotations:   map[string]string{"kubectl.kubernetes.io/last-applied-configuration": `{"metadata":{"name":"canary"}}`},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "canary", FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:canary.io/app":{}}}}`)}},
		}}
		p.Spec.NodeName = "canary-node-1"
		p.Spec.Containers = []corev1.Container{{Name: "canary", Image: "registry.canary.example/canary:canary", Env: []corev1.EnvVar{{Name: "CANARY", Value: "canary"}}}}
		return stored(t, &p, schema.GroupVersionKind{Version: "v1", Kind: "Pod"})
	}
	secret := func() []byte {
		return stored(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "canary"}, Data: map[string][]byte{"canary": []byte("canary")}}, schema.GroupVersionKind{Version: "v1", Kind: "Secret"})
	}
	unknown := append([]byte("k8s\x00"), protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), append(
		protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "\x0a\x06canary"),
		protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), "canary")...))...)
	changes := []struct {
		key   string
		value []byte // nil for a deletion
	}{
		{"/registry/namespaces/kube-system", stored(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system"}}, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})},
		{"/registry/pods/canary-ns/canary-1", pod("canary-1")},
		{"/registry/pods/canary-ns/canary-1", pod("canary-1")}, // its history
		{"/registry/pods/canary-ns/canary-gone", pod("canary-gone")},
		{"/registry/pods/canary-ns/canary-gone", nil},
		{"/registry/secrets/canary-ns/canary", secret()},
		{"/registry/secrets/canary-ns/encrypted", []byte("k8s:enc:aescbc:v1:canarykey:" + strings.Repeat("canary", 9))},
		{"/registry/canary.example.com/canaries/canary-ns/canary", []byte(`{"apiVersion":"canary.example.com/v1","kind":"Canary","metadata":{"name":"canary","annotations":{"a":"{\"b\":\"canary\"}"}},"spec":{"canaryField":["canary",{"deep canary":1}],"pin":73105519,"replicas":3}}`)},
		{"/registry/things.canary.com/canaries/canary", append([]byte("\xd9\xd9\xf7"), "\xa1\x46canary\x46canary"...)}, // CBOR
		{"/registry/unknowns/canary/canary", unknown},
		{"/registry/canaries/canary", []byte("canary in a text\x00\xff")},
		{"/registry/configmaps/canary/words", stored(t, &corev1.ConfigMap{Data: map[string]string{"canary": strings.Join(ownWords, " ") + " false true null registry alarm lease"}}, schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"})},
		{"/registry/events/canary-ns/canary.17a3b4c5d6e7f8", stored(t, &corev1.Event{Message: "canary died on canary-node-1", Reason: "CanaryDied", Source: corev1.EventSource{Component: "canary", Host: "canary"}}, schema.GroupVersionKind{Version: "v1", Kind: "Event"})},
		{"/registry/masterleases/10.20.30.40", stored(t, &discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.20.30.40", "canary"}}}}, schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"})},
		{"canary/of/somebody else", []byte("canary")},
		{"compact_rev_key", []byte("5")},
	}
	bucket := func(tx *bolt.Tx, name string, items ...string) {
		b, err := tx.CreateBucketIfNotExists([]byte(name))
		for i := 0; i < len(items) && err == nil; i += 2 {
			err = b.Put([]byte(items[i]), []byte(items[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	created, versions := map[string]uint64{}, map[string]uint64{}
	record := func(main uint64, key string, value []byte) (rev, kv string) {
		r := binary.BigEndian.AppendUint64(nil, main)
		r = binary.BigEndian.AppendUint64(append(r, '_'), 0)
		b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), key)
		if value == nil {
			return string(append(r, 't')), string(b)
		}
		if _, known := created[key]; !known {
			created[key] = main
		}
		versions[key]++
		for field, n := range []uint64{created[key], main, versions[key]} {
			b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(field+2), protowire.VarintType), n)
		}
		return string(r), string(protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), value))
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.Update(func(tx *bolt.Tx) error {
		for i, c := range changes {
			bucket(tx, "key")
			rev, kv := record(uint64(i+2), c.key, c.value)
			bucket(tx, "key", rev, kv)
		}
		bucket(tx, "members", "8e9e05c52164694d", `{"id":10276657743932975437,"peerURLs":["https://canary.example:2380"],"name":"canary","clientURLs":["https://10.20.30.40:2379"]}`)
		bucket(tx, "members_removed", "8e9e05c52164694e", "removed")
		bucket(tx, "cluster", "clusterVersion", "3.6.0-canary", "downgrade", `{"target-version":"canary","enabled":false}`, "canary", "canary")
		bucket(tx, "meta", "consistent_index", "\x00\x00\x00\x00\x00\x00\x00\x20", "term", "\x00\x00\x00\x00\x00\x00\x00\x02", "storageVersion", "3.6.0",
			"confState", `{"voters":[10276657743932975437],"auto_leave":false}`, "canary", "canary")
		bucket(tx, "alarm", "\x08\xcd\xd2\x91\x8b\xd2\xb8\x81\xcf\x8e\x01\x10\x01", "")
		bucket(tx, "auth", "authEnabled", "\x00", "authRevision", "\x00\x00\x00\x00\x00\x00\x00\x01", "canary", "canary")
		bucket(tx, "authUsers", "canary", "canary")
		bucket(tx, "authRoles", "canary", "canary")
		bucket(tx, "lease", "\x00\x00\x00\x00\x00\x00\x00\x07", "\x08\x07\x10\x3c", "\x00\x00\x00\x00\x00\x00\x00\x08", "\x0a\x06canary")
		bucket(tx, "canary", "canary", "canary")
		return nil
	}))
	// What stands on free pages: a later revision, which was written while the file was saved,
	// and much that was compacted.
	rev, kv := record(uint64(len(changes)+2), "/registry/pods/canary-ns/canary-later", pod("canary-later"))
	must(db.Update(func(tx *bolt.Tx) error {
		bucket(tx, "key", rev, kv)
		for i := range 200 {
			rev, kv := record(uint64(1000+i), fmt.Sprintf("/registry/pods/canary-ns/canary-%d", i), pod("canary-compacted"))
			bucket(tx, "garbage", rev, kv)
		}
		return nil
	}))
	must(db.Update(func(tx *bolt.Tx) error {
		must(tx.DeleteBucket([]byte("garbage")))
		return tx.Bucket([]byte("key")).Delete([]byte(rev))
	}))
	must(db.Close())
	data, err := os.ReadFile(path)
	must(err)
	return data
}

// scrubbed writes what a Scrubber makes of a db.
func scrubbed(t *testing.T, s *Scrubber, from *snapshot.Snapshot) ([]byte, *Result) {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	r, err := s.Write(t.Context(), from, dir, "clean.db", nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := dir.ReadFile("clean.db")
	if err != nil {
		t.Fatal(err)
	}
	return data, r
}

// audit looks at what was written as a maker of scenarios does.
func audit(t *testing.T, s *Scrubber, data []byte) error {
	t.Helper()
	return s.Ledger().Audit(t.Context(), bytes.NewReader(data[:len(data)-32]))
}

func TestCanaries(t *testing.T) {
	data := planted(t)
	if n := bytes.Count(data, []byte(canary)); n < 1000 {
		t.Fatalf("%d canaries", n)
	}
	from := snapshottest.OpenBytes(t, "db", data)
	s := New(KeyOf("a passphrase"), kube.DefaultPrefix)
	out, r := scrubbed(t, s, from)
	if err := audit(t, s, out); err != nil {
		t.Error(err)
	}
	if at := strings.Index(strings.ToLower(string(out)), canary); at >= 0 {
		t.Errorf("a canary stays: %q", out[max(0, at-40):at+40])
	}
	for shift := range 3 { // of a text in base64
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + canary + "  "))
		if middle := encoded[4:8]; bytes.Contains(out, []byte(encoded[2:8])) {
			t.Errorf("a canary stays in base64: %s", middle)
		}
	}
	for _, secret := range []string{"10.20.30", "73105519", "8e9e05c5216469", "10276657743932975437", "\xcd\xd2\x91\x8b\xd2\xb8\x81"} {
		if !bytes.Contains(data, []byte(secret)) {
			t.Fatalf("%q was not planted", secret)
		}
		if bytes.Contains(out, []byte(secret)) {
			t.Errorf("%q stays", secret)
		}
	}
	if diff := cmp.Diff(&Result{Written: r.Written, Records: 16, Encrypted: 1, Blanked: 3, First: errOther.Error(), Dropped: 6}, r); diff != "" {
		t.Error(diff)
	}
	again := snapshottest.OpenBytes(t, "clean.db", out)
	if again.Damaged() || again.Revision() != from.Revision() || again.SeenRevision() != from.SeenRevision() || from.SeenRevision() == from.Revision() {
		t.Errorf("revision %d, seen %d, were %d and %d: %v", again.Revision(), again.SeenRevision(), from.Revision(), from.SeenRevision(), again.Problems())
	}
	m := again.Meta()
	if len(m.Members) != 1 || len(again.Alarms()) != 1 || !strings.Contains(m.ConfState, fmt.Sprint(parseHex(t, m.Members[0].ID))) || again.Alarms()[0].Member != m.Members[0].ID {
		t.Errorf("members %v, configuration %s, alarms %v", m.Members, m.ConfState, again.Alarms())
	}
	names := map[string]int{}
	for rec := range again.Records() {
		names[rec.Key]++
	}
	if n := names[s.Key("/registry/pods/canary-ns/canary-1")]; n != 2 {
		t.Errorf("the pod has %d records: %v", n, names)
	}
}

func parseHex(t *testing.T, s string) (n uint64) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "%x", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRecordsKeepTheirSizes holds what stays of every record of real clusters, and that a
// key gives the same file each time and another key another.
func TestRecordsKeepTheirSizes(t *testing.T) {
	data := corpus.Unpack(t, "../../testdata/clusters/rows/plain/current.db.gz")
	from := snapshottest.OpenBytes(t, "current.db", data)
	first, _ := scrubbed(t, New(KeyOf("one"), kube.DefaultPrefix), from)
	second, _ := scrubbed(t, New(KeyOf("one"), kube.DefaultPrefix), from)
	other, _ := scrubbed(t, New(KeyOf("two"), kube.DefaultPrefix), from)
	random, _ := scrubbed(t, New(NewKey(), kube.DefaultPrefix), from)
	if !bytes.Equal(first, second) || bytes.Equal(first, other) || bytes.Equal(first, random) || bytes.Equal(other, random) {
		t.Error("the same key gives other bytes, or another key the same")
	}
	clean := snapshottest.OpenBytes(t, "clean.db", first)
	type kept struct {
		Revision       snapshot.Revision
		Tombstone      bool
		Create, Number int64
		Size           int
	}
	list := func(s *snapshot.Snapshot) (list []kept) {
		for r := range s.Records() {
			list = append(list, kept{r.Revision, r.Tombstone, r.CreateRevision, r.Version, r.Size})
		}
		return list
	}
	if diff := cmp.Diff(list(from), list(clean)); diff != "" {
		t.Error(diff)
	}
}

func TestNames(t *testing.T) {
	s := New(KeyOf("names"), kube.DefaultPrefix)
	// What is between backquotes is to stay; every other letter and digit may change.
	for _, name := range []string{
		"web-7d4b9c6f5-x2x7p", "db-`0`", "data-db-`12`", "`kube-apiserver`-cp-`1`", "`kube-system`", "`default`", "`etcd`-node-`3`",
		"ip-10-0-0-12", "node-`1`.example.com", "`kubernetes.io/os`", "`app.kubernetes.io/name`", "`node-role.kubernetes.io/control-plane`",
		"https://host.example:`2379`", "`system:serviceaccount`:shop:web", "`system:node`:node-`1`", "`v1beta1`.metrics.example", "`registry.k8s.io`/shop:`v1`",
		"`2026-11-29T10:00:00Z`", "`::1`", "`127.0.0.1:2380`", "`0.0.0.0/0`", "job-28912345-abcde", "Upper-lower-`9`", "`v1.apps`",
	} {
		plain := strings.ReplaceAll(name, "`", "")
		got := s.Name(plain)
		if len(got) != len(plain) || got != s.Name(plain) {
			t.Errorf("%s: %s", plain, got)
		}
		at, keep := 0, false
		for _, c := range []byte(name) {
			if c == '`' {
				keep = !keep
				continue
			}
			if g := got[at]; keep && g != c || isDigit(c) != isDigit(g) || isLower(c) != isLower(g) || isUpper(c) != isUpper(g) {
				t.Errorf("%s becomes %s: byte %d", plain, got, at)
				break
			}
			at++
		}
	}
	if strings.HasPrefix(s.Name("web-7d4b9c6f5-x2x7p"), s.Name("web-7d4b9c6f5")+"-") != true || s.Name("web-7d4b9c6f5")[:4] != s.Name("web")+"-" {
		t.Error("the name of a pod does not begin with that of its ReplicaSet")
	}
	uid := s.Name("3f889467-a4d6-2268-712e-3aeebe433d8b")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(uid) || s.Name("pvc-3f889467-a4d6-2268-712e-3aeebe433d8b") != s.Name("pvc")+"-"+uid {
		t.Errorf("uid %s", uid)
	}
	if hash := s.Name(strings.Repeat("0f", 32)); !all([]byte(hash), isHex) {
		t.Errorf("hash %s", hash)
	}
}

func TestAddresses(t *testing.T) {
	s := New(KeyOf("addresses"), kube.DefaultPrefix)
	for _, address := range []string{"10.244.1.17", "192.168.0.1", "8.8.8.8", "255.254.253.252", "fd00:10:244::5", "2001:db8::ff00:42:8329", "::ffff:aaaa"} {
		got := s.Name(address)
		if _, err := netip.ParseAddr(got); err != nil || got == address || len(got) != len(address) {
			t.Errorf("%s becomes %s: %v", address, got, err)
		}
	}
	for _, prefix := range []string{"10.96.0.0/12", "fd00:10::/112"} {
		if got := s.Name(prefix); got[strings.Index(got, "/"):] != prefix[strings.Index(prefix, "/"):] {
			t.Errorf("%s becomes %s", prefix, got)
		}
	}
	if a, b := s.Name("10.244.1.17"), s.Name("10.244.1.18"); a == b || a[:strings.LastIndex(a, ".")] != b[:strings.LastIndex(b, ".")] {
		t.Errorf("two of one network become %s and %s", a, b)
	}
	if got := s.Name("https://10.244.1.17:2379"); !strings.Contains(got, s.Name("10.244.1.17")+":2379") {
		t.Errorf("in a URL it is %s", got)
	}
}

// TestPseudonymsDiffer makes sure that no two names get one pseudonym: whatever is equal
// afterwards was before.
func TestPseudonymsDiffer(t *testing.T) {
	s := New(KeyOf("differ"), kube.DefaultPrefix)
	for _, form := range []string{"%c", "%02d", "a%c", "pod-%05d-x", "10.0.%d.7", "fd00::%x", "3f889467-a4d6-2268-712e-3aeebe43%04x", "%c%c"} {
		made := map[string]string{}
		for i := range 256 {
			name := fmt.Sprintf(form, 'a'+i%26)
			switch strings.Count(form, "%") {
			case 1:
				if !strings.Contains(form, "%c") {
					name = fmt.Sprintf(form, i)
				}
			case 2:
				name = fmt.Sprintf(form, 'a'+i%26, '0'+i/26)
			}
			got := s.Name(name)
			if before, ok := made[got]; ok && before != name {
				t.Errorf("%s and %s become %s", before, name, got)
			}
			made[got] = name
		}
	}
}

// TestAudit makes sure that the audit finds what was copied through.
func TestAudit(t *testing.T) {
	s := New(KeyOf("audit"), kube.DefaultPrefix)
	out, _ := scrubbed(t, s, snapshottest.OpenBytes(t, "db", planted(t)))
	if err := audit(t, s, out); err != nil {
		t.Fatal(err)
	}
	short := New(KeyOf("audit"), kube.DefaultPrefix)
	made := short.Name("shopkq")
	if err := short.Ledger().Audit(t.Context(), strings.NewReader("\x00"+made+"\x00")); err != nil {
		t.Error(err)
	}
	if err := short.Ledger().Audit(t.Context(), strings.NewReader("\x00shopkq\x00")); err == nil {
		t.Error("a short word that was replaced is not found")
	}
	for _, secret := range []string{"qzjvkwpxq", "5qzjvkwpxqR4", "ReplicaSetqzjvkwpxq", "qzjvkwpxq.default", strings.Repeat("qzjvkwpxq", 9000)} {
		for _, at := range []int{len(out) / 3, len(out)/2 + 7} {
			leaky := append(append(bytes.Clone(out[:at]), secret...), out[at:]...)
			var unaccounted *UnaccountedError
			if err := audit(t, s, leaky); !errors.As(err, &unaccounted) || unaccounted.Offset < int64(at-maxRow) || unaccounted.Offset > int64(at+len(secret)) {
				t.Errorf("%.20s at %d: %v", secret, at, err)
			}
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, pattern := range shapes {
		f.Add([]byte(strings.ReplaceAll(pattern, "%06d", "1")))
	}
	for rec := range snapshottest.Open(f, "../../testdata/clusters/rows/plain/backup.db.gz").Records() {
		if rec.Main%40 == 0 {
			raw, err := snapshottest.Open(f, "../../testdata/clusters/rows/plain/backup.db.gz").Value(rec)
			if err == nil {
				f.Add(raw)
			}
		}
	}
	f.Add([]byte(`{"metadata":{"managedFields":[{"fieldsV1":{"k:{\"a\":1}":{},"v:\\":{},"f:":{},"k:":{}}}]},"spec":{"n":-0.5e10}}`))
	f.Add([]byte("k8s:enc:kms:v2:name:cipher"))
	f.Fuzz(func(t *testing.T, value []byte) {
		once, twice := bytes.Clone(value), bytes.Clone(value)
		a := New(KeyOf("fuzz"), kube.DefaultPrefix)
		errA := a.value(once)
		errB := New(KeyOf("fuzz"), kube.DefaultPrefix).value(twice)
		if len(once) != len(value) || !bytes.Equal(once, twice) || fmt.Sprint(errA) != fmt.Sprint(errB) {
			t.Errorf("%q becomes %q and %q (%v, %v)", value, once, twice, errA, errB)
		}
		if e, err := kube.ParseEnvelope(value); errA == nil && err == nil && len(value) > 0 {
			if after, err := kube.ParseEnvelope(once); err != nil || after.Encoding != e.Encoding {
				t.Errorf("%q, in %s, becomes %q, in %s: %v", value, e.Encoding, once, after.Encoding, err)
			}
			if err := kube.Walk(bytes.Clone(once), func(*kube.Part) {}); err != nil {
				t.Errorf("%q becomes %q, which cannot be walked: %v", value, once, err)
			}
		}
		if err := a.Ledger().Audit(t.Context(), bytes.NewReader(once)); err != nil && errA != nil {
			t.Errorf("%q becomes %q: %v", value, once, err)
		}
	})
}

func TestPrefixes(t *testing.T) {
	for _, prefix := range []string{"/registry", "/kubernetes.io,/openshift.io", "registry/"} {
		if got := New(KeyOf("p"), prefix).Prefix(prefix); got != prefix {
			t.Errorf("%s becomes %s", prefix, got)
		}
	}
	s := New(KeyOf("p"), "/canary/registry")
	prefix := s.Prefix("/canary/registry")
	if found([]byte(prefix)) || !strings.HasSuffix(prefix, "/registry") {
		t.Errorf("it becomes %s", prefix)
	}
	for _, key := range []string{"pods/canary-ns/canary", "minions/canary", "services/specs/default/kubernetes", "canary.example/canaries/canary-ns/canary", "elsewhere/canary"} {
		got := s.Key("/canary/registry/" + key)
		if found([]byte(got)) || !strings.HasPrefix(got, prefix+"/") {
			t.Errorf("%s becomes %s", key, got)
		}
		was, okWas := kube.ParseKey("/canary/registry", "/canary/registry/"+key)
		now, okNow := kube.ParseKey(prefix, got)
		want := kube.Key{Group: was.Group, Resource: was.Resource, Namespace: s.Name(was.Namespace), Name: s.Name(was.Name)}
		if _, builtIn := was.Type(); !builtIn {
			want.Group, want.Resource = s.Name(was.Group), s.Name(was.Resource)
		}
		if okWas != okNow || okWas && now != want {
			t.Errorf("%s becomes %s: %v, want %v", key, got, now, want)
		}
	}
}
