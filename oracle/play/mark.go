package play

import (
	"crypto/sha256"
	"os"
	"strings"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
)

// markNodes has the nodes of a snapshot be as the platform's kubelets and servers register
// them, at every revision: a change of today would make another history of it.
func (w *World) markNodes(path string) {
	w.tb.Helper()
	if w.Platform.Version == "" {
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
		err := b.ForEach(func(k, v []byte) error {
			var kv mvccpb.KeyValue
			if err := proto.Unmarshal(v, &kv); err != nil {
				return err
			}
			if !strings.HasPrefix(string(kv.Key), w.prefix()+"/minions/") || len(kv.Value) == 0 {
				return nil
			}
			obj, _, err := serializer.Decode(kv.Value, nil, nil)
			if err != nil {
				return err
			}
			w.mark(obj.(*corev1.Node))
			var value strings.Builder
			if err := serializer.Encode(obj, &value); err != nil {
				return err
			}
			kv.Value = []byte(value.String())
			marked[string(k)], err = proto.Marshal(&kv)
			return err
		})
		if err != nil {
			return err
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

func (w *World) mark(n *corev1.Node) {
	n.Status.NodeInfo.KubeletVersion += w.Platform.Version
	if h := w.host(n.Name); h != nil && h.ControlPlane {
		name, value, _ := strings.Cut(w.Platform.ServerLabel, "=")
		if n.Labels == nil {
			n.Labels = map[string]string{}
		}
		n.Labels[name] = value
	}
}
