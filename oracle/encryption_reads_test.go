package oracle

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	"k8s.io/apiserver/pkg/storage/value"

	"revenant/decoder/encryption"
	"revenant/decoder/kube"
)

// TestEncryptionReads holds what is said of a configuration against an API server that is
// given it: which values, plain or encrypted by which key, it reads of which resource.
func TestEncryptionReads(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte(encryptionSecret))
	config := []byte(fmt.Sprintf(`kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: one, secret: %[1]s}, {name: two, secret: %[1]s}]}
- resources: [configmaps, deployments.apps]
  providers:
  - secretbox: {keys: [{name: one, secret: %[1]s}]}
  - identity: {}
- resources: ["*.apps"]
  providers:
  - identity: {}
  - aesgcm: {keys: [{name: one, secret: %[1]s}]}
- resources: ["*.*"]
  providers:
  - aesgcm: {keys: [{name: three, secret: %[1]s}]}
  - identity: {}
`, secret))
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := encryptionconfig.LoadEncryptionConfig(t.Context(), path, false, "test")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := encryption.Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	const key = "/registry/x/y/z"
	reads, refuses := 0, 0
	for _, gr := range []schema.GroupResource{{Resource: "secrets"}, {Resource: "configmaps"}, {Resource: "pods"}, {Group: "apps", Resource: "deployments"}, {Group: "apps", Resource: "daemonsets"}, {Group: "example.com", Resource: "widgets"}} {
		real := encryptionconfig.StaticTransformers(server.Transformers).TransformerForResource(gr)
		for _, by := range []kube.EncryptedError{
			{}, {Provider: "aescbc", Version: "v1", Name: "one"}, {Provider: "aescbc", Version: "v1", Name: "two"}, {Provider: "aescbc", Version: "v1", Name: "three"},
			{Provider: "secretbox", Version: "v1", Name: "one"}, {Provider: "aesgcm", Version: "v1", Name: "one"}, {Provider: "aesgcm", Version: "v1", Name: "three"},
		} {
			stored := []byte(`{"kind":"X"}`)
			if by.Provider != "" {
				sealed, err := transformers(t)[by.Provider].TransformToStorage(context.Background(), stored, value.DefaultContext(key))
				if err != nil {
					t.Fatal(err)
				}
				stored = append([]byte("k8s:enc:"+by.Provider+":v1:"+by.Name+":"), sealed...)
			}
			_, _, err := real.TransformFromStorage(t.Context(), stored, value.DefaultContext(key))
			if got := ring.Reads(gr.Group, gr.Resource, by); got != (err == nil) {
				t.Errorf("%s by %v: said to be read %v, the API server: %v", gr, by, got, err)
			}
			if err == nil {
				reads++
			} else {
				refuses++
			}
		}
	}
	if reads == 0 || refuses == 0 {
		t.Errorf("%d are read, %d refused", reads, refuses)
	}
}
