package play

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"os"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
)

// mark has a snapshot be one of the platform: keys below its prefix, values encrypted, nodes
// as its kubelets and servers register them, and its own objects. All of that is so at every
// revision, for a change of today would make another history of it.
func (w *World) mark(path string) {
	w.tb.Helper()
	p := w.Platform
	if p.Version == "" && p.Prefix == "" && len(p.Extra)+len(p.Encrypted) == 0 {
		return
	}
	data, err := os.ReadFile(path)
	w.must(err)
	w.must(os.WriteFile(path, data[:len(data)-sha256.Size], 0o600))
	db, err := bbolt.Open(path, 0o600, nil)
	w.must(err)
	w.must(db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("key"))
		marked := map[string][]byte{}
		err := b.ForEach(func(k, v []byte) (err error) {
			var kv mvccpb.KeyValue
			if err := proto.Unmarshal(v, &kv); err != nil {
				return err
			}
			if err := w.markRecord(&kv); err != nil {
				return err
			}
			marked[string(k)], err = proto.Marshal(&kv)
			return err
		})
		if err != nil {
			return err
		}
		// Beside the first record, in its transaction: both snapshots have that one.
		first, _ := b.Cursor().First()
		sub := int64(1 << 20)
		for key, value := range p.Extra {
			revision := append(bytes.Clone(first[:9]), binary.BigEndian.AppendUint64(nil, uint64(sub))...)
			main := int64(binary.BigEndian.Uint64(first[:8]))
			kv := &mvccpb.KeyValue{Key: []byte(w.prefix() + key), CreateRevision: main, ModRevision: main, Version: 1, Value: []byte(value)}
			if marked[string(revision)], err = proto.Marshal(kv); err != nil {
				return err
			}
			sub++
		}
		for k, v := range marked {
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	}))
	w.must(db.Close())
	data, err = os.ReadFile(path)
	w.must(err)
	sum := sha256.Sum256(data)
	w.must(os.WriteFile(path, append(data, sum[:]...), 0o600))
}

func (w *World) markRecord(kv *mvccpb.KeyValue) error {
	under, ok := strings.CutPrefix(string(kv.Key), "/registry")
	if !ok {
		return nil
	}
	kv.Key = []byte(w.prefix() + under)
	resource, _, _ := strings.Cut(strings.TrimPrefix(under, "/"), "/")
	switch {
	case len(kv.Value) == 0:
	case resource == "minions" && w.Platform.Version != "":
		obj, _, err := serializer.Decode(kv.Value, nil, nil)
		if err != nil {
			return err
		}
		w.markNode(obj.(*corev1.Node))
		var value strings.Builder
		if err := serializer.Encode(obj, &value); err != nil {
			return err
		}
		kv.Value = []byte(value.String())
	case slices.Contains(w.Platform.Encrypted, resource):
		kv.Value = encrypted(kv.Key, kv.Value)
	}
	return nil
}

func (w *World) markNode(n *corev1.Node) {
	n.Status.NodeInfo.KubeletVersion += w.Platform.Version
	if h := w.host(n.Name); h != nil && h.ControlPlane {
		name, value, _ := strings.Cut(w.Platform.ServerLabel, "=")
		if n.Labels == nil {
			n.Labels = map[string]string{}
		}
		n.Labels[name] = value
	}
}

// restKey encrypts values at rest.
var restKey = []byte("0123456789abcdef0123456789abcdef")

// encryptionConfig is what the API servers of a play are given.
var encryptionConfig = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets, configmaps]
  providers:
  - aescbc:
      keys:
      - name: key1
        secret: ` + base64.StdEncoding.EncodeToString(restKey) + "\n"

// encrypted is a value as the API server's provider aescbc stores it.
func encrypted(key, value []byte) []byte {
	block, err := aes.NewCipher(restKey)
	if err != nil {
		panic(err)
	}
	start := sha256.Sum256(slices.Concat(key, value)) // the same in both snapshots
	pad := aes.BlockSize - len(value)%aes.BlockSize
	padded := append(bytes.Clone(value), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, start[:aes.BlockSize]).CryptBlocks(padded, padded)
	return slices.Concat([]byte("k8s:enc:aescbc:v1:key1:"), start[:aes.BlockSize], padded)
}
