package preflight_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"revenant/decoder/kube"
)

const prefix = "/registry"

// edit changes a store as etcd would, or as it never would.
type edit func(t testing.TB, tx *bolt.Tx)

// edited is a snapshot of a store that was changed, as etcdctl snapshot save writes one:
// with one root, and the SHA-256 after it.
func edited(t testing.TB, db []byte, edits []edit) []byte {
	t.Helper()
	if len(edits) == 0 {
		return db
	}
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, db[:len(db)-sha256.Size], 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Update(func(tx *bolt.Tx) error {
		for _, e := range edits {
			e(t, tx)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := store.View(func(tx *bolt.Tx) error { _, err := tx.WriteTo(&out); return err }); err != nil {
		t.Fatal(err)
	}
	return sealed(out.Bytes())
}

// sealed is a db with its trailer.
func sealed(db []byte) []byte {
	sum := sha256.Sum256(db)
	return append(bytes.Clone(db), sum[:]...)
}

// put puts a value under a key, in a revision of its own; nil deletes the key.
func put(key string, value []byte) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		t.Helper()
		bucket := tx.Bucket([]byte("key"))
		last, _ := bucket.Cursor().Last()
		rev := int64(binary.BigEndian.Uint64(last)) + 1
		kv := &mvccpb.KeyValue{Key: []byte(key), Value: value, CreateRevision: rev, ModRevision: rev, Version: 1}
		_ = bucket.ForEach(func(k, v []byte) error {
			var old mvccpb.KeyValue
			if proto.Unmarshal(v, &old) == nil && string(old.Key) == key {
				kv.CreateRevision, kv.Version = old.CreateRevision, old.Version+1
				if len(k) > 17 {
					kv.CreateRevision, kv.Version = rev, 1
				}
			}
			return nil
		})
		name := append(binary.BigEndian.AppendUint64(nil, uint64(rev)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
		if value == nil {
			name, kv = append(name, 't'), &mvccpb.KeyValue{Key: []byte(key)}
		}
		record, err := proto.Marshal(kv)
		if err == nil {
			err = bucket.Put(name, record)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// object stores an object as an API server does: built-in types as protobuf, others as
// JSON.
func object(o runtime.Object) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		t.Helper()
		m, err := meta.Accessor(o)
		if err != nil {
			t.Fatal(err)
		}
		kinds, _, err := scheme.Scheme.ObjectKinds(o)
		if err != nil {
			t.Fatal(err)
		}
		o.GetObjectKind().SetGroupVersionKind(kinds[0])
		k := kube.Key{Namespace: m.GetNamespace(), Name: m.GetName()}
		for _, r := range kube.Resources() {
			if r.Kind == kinds[0].Kind {
				k.Group, k.Resource = r.Group(), r.Name
			}
		}
		var b bytes.Buffer
		if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(o, &b); err != nil {
			t.Fatal(err)
		}
		put(k.Path(prefix), b.Bytes())(t, tx)
	}
}

// stored stores a message under a key, as an object of any version and kind; nil is one
// with a name alone.
func stored(key, apiVersion, kind string, message marshaler) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		t.Helper()
		put(key, encoded(t, apiVersion, kind, message))(t, tx)
	}
}

type marshaler interface{ Marshal() ([]byte, error) }

// encoded is a message as an API server stores it.
func encoded(t testing.TB, apiVersion, kind string, message marshaler) []byte {
	t.Helper()
	raw := []byte("\n\x03\n\x01c")
	if message != nil {
		var err error
		if raw, err = message.Marshal(); err != nil {
			t.Fatal(err)
		}
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: apiVersion, Kind: kind}, Raw: raw}
	value, err := unknown.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), value...)
}

// text stores a value as it stands.
func text(key, value string) edit { return put(key, []byte(value)) }

// gone deletes a key.
func gone(key string) edit { return put(key, nil) }

// inBucket puts an item into a bucket of etcd's own; nil takes it away.
func inBucket(bucket, key string, value []byte) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		t.Helper()
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err == nil && value == nil {
			err = b.Delete([]byte(key))
		} else if err == nil {
			err = b.Put([]byte(key), value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// empty takes everything out of a bucket.
func empty(bucket string) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		t.Helper()
		if err := tx.DeleteBucket([]byte(bucket)); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.CreateBucket([]byte(bucket)); err != nil {
			t.Fatal(err)
		}
	}
}

// lose takes a revision out, as nothing does.
func lose(revision int64) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		t.Helper()
		c := tx.Bucket([]byte("key")).Cursor()
		if k, _ := c.Seek(binary.BigEndian.AppendUint64(nil, uint64(revision))); k == nil || c.Delete() != nil {
			t.Fatal("no such revision")
		}
	}
}

// restoredAt is what etcdutl's bump leaves: a marker, and the compaction to it.
func restoredAt(revision int64) edit {
	return func(t testing.TB, tx *bolt.Tx) {
		name := append(binary.BigEndian.AppendUint64(nil, uint64(revision)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
		if err := tx.Bucket([]byte("key")).Put(name, nil); err != nil {
			t.Fatal(err)
		}
		inBucket("meta", "scheduledCompactRev", name)(t, tx)
	}
}

// learner makes the member a learner, in the bucket and in raft's configuration, beside
// one that votes.
func learner(t testing.TB, tx *bolt.Tx) {
	t.Helper()
	type member struct {
		ID         uint64   `json:"id"`
		PeerURLs   []string `json:"peerURLs"`
		IsLearner  bool     `json:"isLearner,omitempty"`
		Name       string   `json:"name,omitempty"`
		ClientURLs []string `json:"clientURLs,omitempty"`
	}
	record, err := json.Marshal(member{ID: 0xabc, PeerURLs: []string{"http://10.0.0.9:2380"}, IsLearner: true, Name: "late", ClientURLs: []string{"http://10.0.0.9:2379"}})
	if err != nil {
		t.Fatal(err)
	}
	inBucket("members", "abc", record)(t, tx)
	conf := string(tx.Bucket([]byte("meta")).Get([]byte("confState")))
	inBucket("meta", "confState", []byte(strings.Replace(conf, `"auto_leave"`, `"learners":[2748],"auto_leave"`, 1)))(t, tx)
}

// page flips a byte in the middle of the tree of keys, and seals the file again.
func page(t testing.TB, db []byte) []byte {
	t.Helper()
	db = bytes.Clone(db[:len(db)-sha256.Size])
	at := bytes.Index(db, []byte("/registry/configmaps/kube-system/"))
	if at < 0 {
		t.Fatal("no such key")
	}
	from := at / 4096 * 4096
	copy(db[from+10:], "\xff\xff\xff\xff") // the number of items, and how many pages follow
	return sealed(db)
}
