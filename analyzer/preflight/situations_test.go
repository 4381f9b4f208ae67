package preflight_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/lineage"
	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/decoder/encryption"
	"revenant/decoder/keyspace"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
	"revenant/internal/golden"
	"revenant/report"
)

const clusters = "../../testdata/clusters"

// at is the time of the checks: an hour after the backup.
var at = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

type verdicts map[preflight.ID]preflight.Verdict

// with are verdicts and further ones.
func (v verdicts) with(more verdicts) verdicts {
	v = maps.Clone(v)
	maps.Copy(v, more)
	return v
}

// unseen are the checks that take a current state, or what one tells.
var unseen = verdicts{
	"current": u, "etcd-version": u, "storage-versions": u, "same-cluster": u, "order": u, "gap": u, "bump": u,
	"rules": u, "phantoms": u, "ghosts": u, "doubles": u, "credentials": u, "undone": u,
}

// uncompared are those of a pair that is none.
var uncompared = verdicts{
	"etcd-version": u, "storage-versions": u, "gap": u, "bump": u,
	"rules": u, "phantoms": u, "ghosts": u, "doubles": u, "credentials": u, "undone": u,
}

const (
	u = preflight.Unknown
	w = preflight.Warn
	f = preflight.Fail
)

// doubted are the verdicts of damaged evidence: what would pass is unknown.
func doubted(sound ...preflight.ID) verdicts {
	v := verdicts{}
	for i := range preflight.Infos {
		if info := &preflight.Infos[i]; !info.Sound && !slices.Contains(sound, info.ID) {
			v[info.ID] = u
		}
	}
	return v
}

// onCurrent are the checks that rest on a current state where there is one.
func onCurrent() verdicts {
	v := verdicts{"gap": u}
	for i := range preflight.Infos {
		switch info := &preflight.Infos[i]; {
		case info.Sound:
		case info.Group == preflight.OfBump || info.Group == preflight.OfControlPlane || info.Group == preflight.OfPrediction:
			v[info.ID] = u
		}
	}
	return v
}

// situation is a backup and a current state, both made of one real cluster's.
type situation struct {
	name            string
	backup, current []edit // the current state is the edited backup, edited further
	alone           bool   // without a current state
	files           func(t testing.TB, backup, current []byte) ([]byte, []byte)
	pair            string // another real pair instead
	skip            bool   // the hashes are not computed
	config          string // encryption configuration
	in              func(*preflight.Input)
	want            verdicts // of all checks that do not pass
	says            map[preflight.ID]string
	headline        string // a part of it
}

// lived is what the current state has that the backup does not, where nothing is wrong.
var lived = []edit{object(&corev1.ConfigMap{ObjectMeta: named("default", "later")})}

func (s *situation) evidence(t testing.TB) (backup, current []byte) {
	t.Helper()
	if s.pair != "" {
		return corpus.Unpack(t, filepath.Join(clusters, s.pair, "backup.db.gz")), corpus.Unpack(t, filepath.Join(clusters, s.pair, "current.db.gz"))
	}
	backup = edited(t, corpus.Unpack(t, filepath.Join(clusters, "scenario-1/plain/backup.db.gz")), s.backup)
	current = edited(t, backup, append(slices.Clone(lived), s.current...))
	if s.files != nil {
		backup, current = s.files(t, backup, current)
	}
	return backup, current
}

// run opens the evidence as the program does, and checks.
func (s *situation) run(t testing.TB) *preflight.Report {
	t.Helper()
	ctx := t.Context()
	in := preflight.Input{At: at, Platform: runbook.Generic}
	opts := snapshot.Options{SkipHashCheck: s.skip}
	if s.config != "" {
		keys, err := encryption.Parse([]byte(s.config))
		if err != nil {
			t.Fatal(err)
		}
		in.Keys, opts.Decrypt = keys, keys.Decrypt
	}
	backup, current := s.evidence(t)
	side := func(name string, data []byte) (preflight.Side, keyspace.Choice) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := snapshot.Open(ctx, path, opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		found, err := keyspace.Find(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		choice := keyspace.Choose(found)
		if choice.Prefix == "" {
			choice.Prefix = prefix
		}
		state, err := restore.Load(ctx, db, choice.Prefix)
		if err != nil {
			t.Fatal(err)
		}
		e, err := report.NewEvidence(ctx, strings.TrimSuffix(name, ".db"), db)
		if err != nil {
			t.Fatal(err)
		}
		state.Missing = e.Missing
		in.Evidence = append(in.Evidence, e)
		return preflight.Side{Snapshot: db, State: state, Others: choice.Others}, choice
	}
	var choice keyspace.Choice
	in.Backup, choice = side("backup.db", backup)
	in.Prefix = choice.Prefix
	if !s.alone {
		now, _ := side("current.db", current)
		in.Current = &now
		var err error
		if in.Lineage, err = lineage.Compare(ctx, in.Backup.Snapshot, now.Snapshot, in.Prefix); err != nil {
			t.Fatal(err)
		}
	}
	if s.in != nil {
		s.in(&in)
	}
	found, err := preflight.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func stated(change func(*preflight.Input)) func(*preflight.Input) { return change }

func policy(t string) func(*preflight.Input) {
	p, err := preflight.ParsePolicy([]byte(t))
	if err != nil {
		panic(err)
	}
	return func(in *preflight.Input) { in.Policy = p }
}

// certificate is one in PEM, valid between two times.
func certificate(from, to time.Time) []byte {
	seed := sha256.Sum256([]byte("a key of tests"))
	key := ed25519.NewKeyFromSeed(seed[:])
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(bytes.NewReader(nil), template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

var (
	expired = certificate(at.AddDate(-1, 0, 0), at.Add(-time.Minute))
	valid   = certificate(at.AddDate(-1, 0, 0), at.AddDate(1, 0, 0))
	early   = certificate(at.Add(time.Minute), at.AddDate(1, 0, 0))
)

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "00000000-0000-0000-0000-000000000001", CreationTimestamp: metav1.NewTime(at.Add(-2 * time.Hour))}
}

func webhookTo(client admissionv1.WebhookClientConfig, policy admissionv1.FailurePolicyType) edit {
	return object(&admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: named("", "guard"),
		Webhooks:   []admissionv1.ValidatingWebhook{{Name: "guard.example.com", ClientConfig: client, FailurePolicy: &policy}},
	})
}

func service(name string) admissionv1.WebhookClientConfig {
	return admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "guard", Name: name}}
}

func byURL(ca []byte) admissionv1.WebhookClientConfig {
	url := "https://guard.example.com"
	return admissionv1.WebhookClientConfig{URL: &url, CABundle: ca}
}

func tls(cert []byte) edit {
	return object(&corev1.Secret{ObjectMeta: named("default", "site"), Type: corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: cert}})
}

func joining(expiration time.Time) edit {
	return object(&corev1.Secret{ObjectMeta: named("kube-system", "bootstrap-token-abcdef"), Type: corev1.SecretTypeBootstrapToken, Data: map[string][]byte{
		"token-id": []byte("abcdef"), "token-secret": []byte("0123456789abcdef"), "usage-bootstrap-authentication": []byte("true"),
		"expiration": []byte(expiration.UTC().Format(time.RFC3339)),
	}})
}

// token is by which nodes join, with any text for its end.
func token(namespace, expiration string) edit {
	return object(&corev1.Secret{ObjectMeta: named(namespace, "bootstrap-token-abcdef"), Type: corev1.SecretTypeBootstrapToken, Data: map[string][]byte{"expiration": []byte(expiration)}})
}

var configMaps = &admissionv1.ParamKind{APIVersion: "v1", Kind: "ConfigMap"}

const widgets = "/registry/apiextensions.k8s.io/customresourcedefinitions/gadgets.lab.example.org"

// definition is a CustomResourceDefinition with version v1, its objects' conversion and
// its stored versions.
func definition(conversion, stored string) edit {
	return text(widgets, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"gadgets.lab.example.org","uid":"1"},
"spec":{"group":"lab.example.org","scope":"Namespaced","names":{"plural":"gadgets","kind":"Gadget"},"conversion":`+conversion+`,
"versions":[{"name":"v1","served":true,"storage":true},{"name":"v2","served":true,"storage":false},{"name":"v3","served":false,"storage":false}]},"status":{"storedVersions":[`+stored+`]}}`)
}

func gadget(version string) edit {
	return text("/registry/lab.example.org/gadgets/default/one", `{"apiVersion":"lab.example.org/`+version+`","kind":"Gadget","metadata":{"namespace":"default","name":"one","uid":"2"}}`)
}

// gadgets is the kind of parameters that definition defines.
func gadgets(version string) *admissionv1.ParamKind {
	return &admissionv1.ParamKind{APIVersion: "lab.example.org/" + version, Kind: "Gadget"}
}

const byWebhook = `{"strategy":"Webhook","webhook":{"clientConfig":{"service":{"namespace":"guard","name":"convert"}},"conversionReviewVersions":["v1"]}}`

func apiService(name string) edit {
	return text("/registry/apiregistration.k8s.io/apiservices/v1.metrics.example.com", `{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.metrics.example.com","uid":"3"},
"spec":{"group":"metrics.example.com","version":"v1","service":{"namespace":"guard","name":"`+name+`"}}}`)
}

func admissionPolicy(param *admissionv1.ParamKind, ref *admissionv1.ParamRef) []edit {
	return []edit{
		object(&admissionv1.ValidatingAdmissionPolicy{ObjectMeta: named("", "rule"), Spec: admissionv1.ValidatingAdmissionPolicySpec{ParamKind: param}}),
		object(&admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: named("", "bound"), Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: "rule", ParamRef: ref, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		}}),
	}
}

func deny() *admissionv1.ParameterNotFoundActionType {
	action := admissionv1.DenyAction
	return &action
}

func allow() *admissionv1.ParameterNotFoundActionType {
	action := admissionv1.AllowAction
	return &action
}

func ignored() *admissionv1.FailurePolicyType {
	policy := admissionv1.Ignore
	return &policy
}

const configured = `kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [%s]
  providers:
  - %s
`

const aescbc = "aescbc: {keys: [{name: %s, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}]}"

// sealedSecret is a Secret that a provider encrypted, with nothing in it that decrypts.
func sealedSecret(provider string) edit {
	return text("/registry/secrets/default/sealed", "k8s:enc:"+provider+":0123456789abcdef0123456789abcdef")
}

// trulySealed is a Secret that the key of aescbc encrypted, as an API server does.
func trulySealed(t testing.TB, tx *bolt.Tx) {
	t.Helper()
	plain := encoded(t, "v1", "Secret", &corev1.Secret{ObjectMeta: named("default", "sealed"), Type: corev1.SecretTypeOpaque})
	block, err := aes.NewCipher([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	plain = append(plain, bytes.Repeat([]byte{byte(padding)}, padding)...)
	vector := make([]byte, aes.BlockSize)
	cipher.NewCBCEncrypter(block, vector).CryptBlocks(plain, plain)
	text("/registry/secrets/default/sealed", "k8s:enc:aescbc:v1:key1:"+string(vector)+string(plain))(t, tx)
}

// closing is what is not known of Secrets that are encrypted.
var closing = verdicts{"certificates": u, "tokens": u}

// masterLease is by which an API server says where it is.
func masterLease(address string) edit {
	//lint:ignore SA1019 API servers store Endpoints to this day
	e := &corev1.Endpoints{Subsets: []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: address}}}}}
	return stored("/registry/masterleases/"+address, "v1", "Endpoints", e)
}

// TestSituations makes one thing wrong at a time, of a real cluster's backup and a
// current state in which all is well, and compares the verdict of every check.
func TestSituations(t *testing.T) {
	g, healthy := golden.Open(t, "testdata/situations.txtar"), new(situation).run(t)
	for _, s := range []situation{
		{
			name: "healthy", want: verdicts{}, headline: fmt.Sprintf("Pass: none of %d checks speaks against restoring this backup.", len(preflight.Infos)),
			says: map[preflight.ID]string{"storage-versions": "API servers of 1.37 or later (by the newest kubelet"},
		},
		{name: "healthy, alone", alone: true, want: unseen},
		{
			name: "healthy, alone, with all that is known", alone: true,
			in: stated(func(in *preflight.Input) {
				in.EtcdVersion, in.Stated.KubernetesVersion, in.Stated.LastRevision = "3.6", "1.37", 500
			}),
			want: func() verdicts {
				v := maps.Clone(unseen)
				for _, id := range []preflight.ID{"etcd-version", "storage-versions", "bump"} {
					delete(v, id)
				}
				return v
			}(),
		},

		// Evidence.
		{
			name: "the trailer does not fit", files: func(_ testing.TB, b, c []byte) ([]byte, []byte) {
				b = bytes.Clone(b)
				b[len(b)-1] ^= 1
				return b, c
			},
			want: doubted().with(verdicts{"trailer": f, "complete": u}),
		},
		{
			name: "there is no trailer", files: func(_ testing.TB, b, c []byte) ([]byte, []byte) { return b[:len(b)-sha256.Size], c },
			want: verdicts{"trailer": w, "complete": w},
			says: map[preflight.ID]string{"complete": "the log of a member's own db"},
		},
		{name: "hashes were not computed", skip: true, want: verdicts{"trailer": u, "current": u}},
		{
			name: "a page is damaged", files: func(t testing.TB, b, c []byte) ([]byte, []byte) { return page(t, b), c },
			want: doubted().with(verdicts{"content": f, "history": f, "complete": u}),
		},
		{
			name: "a revision is missing", backup: []edit{lose(200)}, current: []edit{},
			want: doubted().with(verdicts{"history": f, "complete": u, "current": f}),
			says: map[preflight.ID]string{"history": "revision 200"},
		},
		{
			name: "it is packed", files: func(t testing.TB, b, c []byte) ([]byte, []byte) {
				var out bytes.Buffer
				z := gzip.NewWriter(&out)
				_, _ = z.Write(b)
				z.Close()
				return out.Bytes(), c
			},
			want: verdicts{"container": w},
		},
		{
			name: "the current state is damaged", files: func(t testing.TB, b, c []byte) ([]byte, []byte) {
				c = bytes.Clone(c)
				c[len(c)-1] ^= 1
				return b, c
			},
			want: onCurrent().with(verdicts{"current": f, "bump": w}), headline: "; 1 warns. Evidence is missing: from the current snapshot, the bytes that were saved",
		},
		{
			name: "the current state is a db without its log", files: func(_ testing.TB, b, c []byte) ([]byte, []byte) { return b, c[:len(c)-sha256.Size] },
			want: verdicts{"current": w},
		},

		// etcd.
		{
			name: "an older etcd that starts", in: stated(func(in *preflight.Input) { in.EtcdVersion = "3.5" }),
			want: verdicts{"etcd-version": w}, headline: "Warn: nothing fails, but 1 check (etcd-version) warns.",
		},
		{
			name: "an older etcd that does not start", backup: []edit{inBucket("meta", "storageVersion", []byte("3.7.0"))},
			in:   stated(func(in *preflight.Input) { in.EtcdVersion = "3.6" }),
			want: verdicts{"etcd-version": f},
		},
		{
			name: "two versions at once", backup: []edit{inBucket("meta", "storageVersion", nil), inBucket("cluster", "clusterVersion", []byte("3.5.0"))},
			in:   stated(func(in *preflight.Input) { in.EtcdVersion = "3.7.3" }),
			want: verdicts{"etcd-version": w},
		},
		{
			name: "etcd 3.4 again", backup: []edit{inBucket("meta", "storageVersion", nil), inBucket("cluster", "clusterVersion", []byte("3.4.0"))},
			in:   stated(func(in *preflight.Input) { in.EtcdVersion = "3.4.30" }),
			want: verdicts{}, says: map[preflight.ID]string{"etcd-version": "etcd 3.4.0 stored it, and 3.4.30 will run it"},
		},
		{
			name: "etcd 3.4 where 3.5 was", backup: []edit{inBucket("meta", "storageVersion", nil), inBucket("cluster", "clusterVersion", []byte("3.5.0"))},
			in:   stated(func(in *preflight.Input) { in.EtcdVersion = "3.4.30" }),
			want: verdicts{"etcd-version": u},
		},
		{
			name: "an etcd that nobody tried", in: stated(func(in *preflight.Input) { in.EtcdVersion = "3.9" }),
			want: verdicts{"etcd-version": u},
		},
		{
			name: "the backup does not show its etcd", backup: []edit{inBucket("meta", "storageVersion", nil), inBucket("cluster", "clusterVersion", nil)},
			in:   stated(func(in *preflight.Input) { in.EtcdVersion = "3.6" }),
			want: verdicts{"etcd-version": u},
		},
		{
			name:   "nothing shows the etcd",
			backup: []edit{inBucket("meta", "storageVersion", nil), inBucket("cluster", "clusterVersion", nil)},
			want:   verdicts{"etcd-version": u}, says: map[preflight.ID]string{"etcd-version": "no current state shows it"},
		},
		{name: "a learner", backup: []edit{learner}, want: verdicts{"etcd-members": w}, says: map[preflight.ID]string{"etcd-members": "late abc"}},
		{name: "no member", backup: []edit{empty("members")}, want: verdicts{"etcd-members": u}},
		{name: "NOSPACE is raised", backup: []edit{inBucket("alarm", "\x08\x07\x10\x01", []byte{})}, want: verdicts{"etcd-alarm": f}},
		{name: "CORRUPT is raised", backup: []edit{inBucket("alarm", "\x08\x07\x10\x02", []byte{})}, want: verdicts{"etcd-alarm": f}},
		{name: "near the quota", in: stated(func(in *preflight.Input) { in.Quota = 1 << 20 }), want: verdicts{"etcd-quota": w}},
		{name: "at the quota", in: stated(func(in *preflight.Input) { in.Quota = in.Backup.Snapshot.BackendSize() }), want: verdicts{"etcd-quota": f}},
		{name: "near the quota, as the policy allows", in: func(in *preflight.Input) {
			policy("limits: {maxSize: 0.95}")(in)
			in.Quota = 1 << 20
		}, want: verdicts{}},
		{name: "above the quota", in: stated(func(in *preflight.Input) { in.Quota = 1 << 19 }), want: verdicts{"etcd-quota": f}},
		{
			name: "no room for a bump", backup: []edit{restoredAt(1<<63 - 1<<20)},
			want: verdicts{"etcd-room": f, "bump": f}, headline: "Fail: 2 checks (etcd-room, bump) fail.",
		},

		// API servers.
		{
			name: "objects of another API server", backup: []edit{
				stored("/second/namespaces/kube-system", "v1", "Namespace", &corev1.Namespace{ObjectMeta: named("", "kube-system")}),
			},
			want: verdicts{"prefixes": w}, says: map[preflight.ID]string{"prefixes": "/second"},
		},
		{
			name: "an object that does not decode", backup: []edit{text("/registry/configmaps/default/broken", "k8s\x00\xff\xff")},
			want: verdicts{"objects": f},
		},
		{name: "encrypted, and no configuration", backup: []edit{sealedSecret("aescbc:v1:key1:")}, want: closing.with(verdicts{"encryption": u})},
		{
			name: "encrypted by another key", backup: []edit{sealedSecret("aescbc:v1:key1:")},
			config: fmt.Sprintf(configured, "secrets", fmt.Sprintf(aescbc, "key2")+"\n  - identity: {}"),
			want:   closing.with(verdicts{"encryption": f}), says: map[preflight.ID]string{"encryption": `aescbc v1 key "key1"`},
			headline: "Fail: 1 check (encryption) fails; 2 unknown.",
		},
		{
			name: "encrypted by a key of that name", backup: []edit{sealedSecret("aescbc:v1:key1:")},
			config: fmt.Sprintf(configured, "secrets", fmt.Sprintf(aescbc, "key1")+"\n  - identity: {}"),
			want:   closing.with(verdicts{"encryption": f}), says: map[preflight.ID]string{"encryption": "of which 0 decrypt"},
		},
		{
			name: "encrypted by a key for something else", backup: []edit{trulySealed},
			config: fmt.Sprintf(configured, "configmaps", fmt.Sprintf(aescbc, "key1")+"\n  - identity: {}"),
			want:   verdicts{"encryption": f}, says: map[preflight.ID]string{"encryption": "for other resources only"},
		},
		{
			name: "encrypted, and the configuration has the key", backup: []edit{trulySealed},
			config: fmt.Sprintf(configured, "secrets", fmt.Sprintf(aescbc, "key1")+"\n  - identity: {}"),
			want:   verdicts{}, says: map[preflight.ID]string{"encryption": `has aescbc v1 key "key1"`},
		},
		{
			name: "encrypted by a plugin", backup: []edit{sealedSecret("kms:v2:vault:")},
			config: fmt.Sprintf(configured, "secrets", "kms: {apiVersion: v2, name: vault, endpoint: unix:///x}\n  - identity: {}"),
			want:   closing.with(verdicts{"encryption": u}),
		},
		{
			name: "encrypted by a plugin that is not configured", backup: []edit{sealedSecret("kms:v2:vault:")},
			config: fmt.Sprintf(configured, "secrets", "kms: {apiVersion: v2, name: other, endpoint: unix:///x}\n  - identity: {}"),
			want:   closing.with(verdicts{"encryption": f}),
		},
		{
			name:   "plain text, and no identity",
			config: fmt.Sprintf(configured, "secrets", fmt.Sprintf(aescbc, "key1")),
			want:   verdicts{"encryption": f}, says: map[preflight.ID]string{"encryption": "no provider identity"},
		},
		{
			name: "an API server before its time", in: stated(func(in *preflight.Input) { in.Stated.KubernetesVersion = "1.32" }),
			want: verdicts{"storage-versions": f}, says: map[preflight.ID]string{"storage-versions": "which came with 1.33"},
		},
		{
			name: "a version that is no longer served", backup: []edit{object(&batchv1beta1.CronJob{ObjectMeta: named("default", "old")})},
			in:   stated(func(in *preflight.Input) { in.Stated.KubernetesVersion = "1.37" }),
			want: verdicts{"storage-versions": w}, says: map[preflight.ID]string{"storage-versions": "batch/v1beta1"},
		},
		{
			name: "a version without types", backup: []edit{stored("/registry/resourceclaims/default/c", "resource.k8s.io/v1alpha9", "ResourceClaim", nil)},
			in:   stated(func(in *preflight.Input) { in.Stated.KubernetesVersion = "1.37" }),
			want: verdicts{"storage-versions": f},
		},
		{name: "a custom resource in a version of the past", backup: []edit{definition(`{"strategy":"None"}`, `"v1"`), gadget("v9")}, want: verdicts{"crd-versions": f}},
		{name: "a stored version that is none", backup: []edit{definition(`{"strategy":"None"}`, `"v0","v1"`)}, want: verdicts{"crd-versions": w}},

		// The cluster, and age.
		{
			name: "another cluster", files: func(t testing.TB, b, _ []byte) ([]byte, []byte) {
				return b, corpus.Unpack(t, filepath.Join(clusters, "random-101/plain/current.db.gz"))
			},
			want: uncompared.with(verdicts{"same-cluster": f}),
		},
		{
			name: "the two are swapped", files: func(_ testing.TB, b, c []byte) ([]byte, []byte) { return c, b },
			want: uncompared.with(verdicts{"order": f}),
		},
		{name: "two days old", in: stated(func(in *preflight.Input) { in.At = at.AddDate(0, 0, 2) }), want: verdicts{"age": w}},
		{name: "too old for the policy", in: policy("limits: {maxAge: 30m}"), want: verdicts{"age": f}},
		{name: "from the future", in: stated(func(in *preflight.Input) { in.At = at.AddDate(0, 0, -1) }), want: verdicts{"age": u}},
		{name: "too far behind for the policy", current: []edit{object(&corev1.ConfigMap{ObjectMeta: named("default", "more")})}, in: policy("limits: {maxGap: 1}"), want: verdicts{"gap": f}},
		{name: "as far behind as the policy allows", in: policy("limits: {maxGap: 1}"), want: verdicts{}},
		{name: "as old as the policy allows", in: policy("limits: {maxAge: 3d}"), want: verdicts{}},
		{name: "days old, as the policy allows", in: func(in *preflight.Input) {
			policy("limits: {maxAge: 3d}")(in)
			in.At = at.AddDate(0, 0, 2)
		}, want: verdicts{}},
		{name: "written to too fast for the policy", in: policy("limits: {maxRate: 1}"), want: verdicts{"rate": f}},
		{
			name: "nothing shows when it was written",
			in: func(in *preflight.Input) {
				policy("limits: {maxRate: 1000000}")(in)
				state := *in.Backup.State
				state.Clock = nil
				in.Backup.State = &state
			},
			want: verdicts{"age": u, "rate": u},
		},
		{name: "written to as fast as the policy allows", in: policy("limits: {maxRate: 1000000}"), want: verdicts{}},
		{name: "too large for the policy", in: policy("limits: {maxSize: 0.0001}"), want: verdicts{"etcd-quota": f}},

		// The bump.
		{
			name: "a bump that is too small", in: stated(func(in *preflight.Input) {
				in.Plan = &restore.Plan{BumpRevision: 1, MarkCompacted: true, RestartKubelets: restore.Restart{All: true}}
				in.Stated.LastRevision = 5000
			}),
			want: verdicts{"bump": f},
		},
		{name: "a platform that cannot bump", in: stated(func(in *preflight.Input) { in.Platform = runbook.Kops }), want: verdicts{"bump-carried": w}},
		{
			name: "a platform that cannot bump, alone", alone: true, in: stated(func(in *preflight.Input) { in.Platform = runbook.Kops }),
			want:     unseen.with(verdicts{"bump-carried": w}),
			headline: "Unknown: nothing fails, but 13 checks (current, etcd-version, storage-versions, same-cluster, order and 8 more) are unknown; 1 warns.",
		},
		{name: "a platform that nothing shows", in: stated(func(in *preflight.Input) { in.Platform = "" }), want: verdicts{"bump-carried": u}},
		{
			name: "tools that cannot bump", in: stated(func(in *preflight.Input) { in.EtcdVersion = "3.5.9" }),
			want: verdicts{"bump-carried": f, "etcd-version": w}, headline: "Fail: 1 check (bump-carried) fails; 1 warns.",
		},

		// The control plane.
		{name: "a webhook without a server", backup: []edit{webhookTo(service("none"), admissionv1.Fail)}, want: verdicts{"webhooks": f}, headline: "Fail: 1 check (webhooks) fails."},
		{name: "a webhook that may be without a server", backup: []edit{webhookTo(service("none"), admissionv1.Ignore)}, want: verdicts{}},
		{name: "a webhook without a server, alone", alone: true, backup: []edit{webhookTo(service("none"), admissionv1.Fail)}, want: unseen.with(verdicts{"webhooks": f})},
		{name: "a conversion without a server", backup: []edit{definition(byWebhook, `"v1"`), gadget("v1")}, want: verdicts{"conversion-webhooks": f}},
		{name: "an aggregated API without a server", backup: []edit{apiService("none")}, want: verdicts{"apiservices": w}},
		{
			name: "a policy whose parameters have no kind", backup: admissionPolicy(&admissionv1.ParamKind{APIVersion: "rules.example.com/v1", Kind: "Limit"}, nil),
			want: verdicts{"admission-policies": f},
		},
		{
			name: "a policy without its parameters", backup: admissionPolicy(&admissionv1.ParamKind{APIVersion: "v1", Kind: "ConfigMap"},
				&admissionv1.ParamRef{Name: "limits", Namespace: "default", ParameterNotFoundAction: deny()}),
			want: verdicts{"admission-policies": f},
		},
		{
			name:   "a policy whose parameters have the name of a kind of Kubernetes",
			backup: admissionPolicy(&admissionv1.ParamKind{APIVersion: "rules.example.com/v1", Kind: "ConfigMap"}, nil),
			want:   verdicts{"admission-policies": f},
			says:   map[preflight.ID]string{"admission-policies": "of rules.example.com/v1 ConfigMap, which the backup does not define"},
		},
		{
			name: "a policy whose parameters have the name of a kind that is defined", want: verdicts{"admission-policies": f},
			backup: append(admissionPolicy(&admissionv1.ParamKind{APIVersion: "rules.example.com/v1", Kind: "Gadget"}, nil), definition(`{"strategy":"None"}`, `"v1"`)),
		},
		{
			name: "a policy whose parameters have the group of a kind that is defined", want: verdicts{"admission-policies": f},
			backup: append(admissionPolicy(&admissionv1.ParamKind{APIVersion: "lab.example.org/v1", Kind: "Limit"}, nil), definition(`{"strategy":"None"}`, `"v1"`)),
		},
		{
			name: "a policy whose parameters are of a version that is served", backup: append(admissionPolicy(gadgets("v1"), nil), definition(`{"strategy":"None"}`, `"v1"`)),
			want: verdicts{},
		},
		{
			name: "a policy whose parameters are of a version that is not served", backup: append(admissionPolicy(gadgets("v3"), nil), definition(`{"strategy":"None"}`, `"v1"`)),
			want: verdicts{"admission-policies": f}, says: map[preflight.ID]string{"admission-policies": "a version that is not served"},
		},
		{
			name: "a policy whose parameters are of a version that is not defined", backup: append(admissionPolicy(gadgets("v4"), nil), definition(`{"strategy":"None"}`, `"v1"`)),
			want: verdicts{"admission-policies": f}, says: map[preflight.ID]string{"admission-policies": "a version that is not served"},
		},
		{
			name: "a policy whose parameters are selected in a namespace that has none", want: verdicts{"admission-policies": f},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Selector: &metav1.LabelSelector{}, Namespace: "nobodys", ParameterNotFoundAction: deny()}),
			says:   map[preflight.ID]string{"admission-policies": "none of its parameters is in the backup"},
		},
		{
			name: "a policy whose parameters are selected in a namespace that has some", want: verdicts{},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Selector: &metav1.LabelSelector{}, Namespace: "default", ParameterNotFoundAction: deny()}),
		},
		{
			name: "a policy whose parameters are those of any namespace by a name", want: verdicts{},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Name: "kube-root-ca.crt", ParameterNotFoundAction: deny()}),
		},
		{
			name: "a policy whose parameters no namespace has by that name", want: verdicts{"admission-policies": f},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Name: "root-ca.crt", ParameterNotFoundAction: deny()}),
		},
		{
			name: "a policy that does without its parameters", want: verdicts{},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Name: "limits", Namespace: "default", ParameterNotFoundAction: allow()}),
		},
		{
			name: "a policy that does not say what it does without its parameters", want: verdicts{},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Name: "limits", Namespace: "default"}),
		},
		{
			name: "a policy whose parameters may be of a definition that cannot be read", want: verdicts{"objects": f, "crd-versions": u, "conversion-webhooks": u, "ca-bundles": u},
			backup: append(admissionPolicy(&admissionv1.ParamKind{APIVersion: "rules.example.com/v1", Kind: "Limit"}, nil), text(widgets, "k8s\x00\xff\xff")),
		},
		{
			name: "a policy that no longer judges what it cannot", want: verdicts{},
			backup: append(admissionPolicy(nil, nil), object(&admissionv1.ValidatingAdmissionPolicy{ObjectMeta: named("", "rule"), Spec: admissionv1.ValidatingAdmissionPolicySpec{
				FailurePolicy: ignored(), ParamKind: &admissionv1.ParamKind{APIVersion: "rules.example.com/v1", Kind: "Limit"},
			}})),
		},
		{
			name: "a binding of no policy", want: verdicts{},
			backup: append(admissionPolicy(&admissionv1.ParamKind{APIVersion: "rules.example.com/v1", Kind: "Limit"}, nil), gone("/registry/validatingadmissionpolicies/rule")),
		},
		{
			name: "a policy whose parameters are in the backup", want: verdicts{},
			backup: admissionPolicy(configMaps, &admissionv1.ParamRef{Name: "kube-root-ca.crt", Namespace: "default", ParameterNotFoundAction: deny()}),
		},
		{
			name: "a policy whose parameters have no namespace, and are not there", want: verdicts{"admission-policies": f},
			backup: admissionPolicy(&admissionv1.ParamKind{APIVersion: "v1", Kind: "Namespace"}, &admissionv1.ParamRef{Name: "nobodys", ParameterNotFoundAction: deny()}),
			says:   map[preflight.ID]string{"admission-policies": "its parameters nobodys are not in the backup"},
		},
		{name: "a webhook whose authority is no certificate", backup: []edit{webhookTo(byURL([]byte("none")), admissionv1.Ignore)}, want: verdicts{"ca-bundles": w}},
		{name: "a webhook whose authority is not valid yet", backup: []edit{webhookTo(byURL(early), admissionv1.Fail)}, want: verdicts{"ca-bundles": f}},
		{name: "a webhook with two authorities, one of which is valid", backup: []edit{webhookTo(byURL(slices.Concat(early, expired, valid)), admissionv1.Fail)}, want: verdicts{}},
		{name: "a webhook with two authorities, one past its end and one not valid yet", backup: []edit{webhookTo(byURL(slices.Concat(expired, early)), admissionv1.Fail)}, want: verdicts{"ca-bundles": f}},
		{name: "a certificate that expired, and its successor is not valid yet", backup: []edit{tls(expired)}, current: []edit{tls(early)}, want: verdicts{"certificates": w}},
		{name: "a certificate that is not valid yet", backup: []edit{tls(early)}, want: verdicts{"certificates": w}},
		{name: "a certificate that is none", backup: []edit{tls([]byte("none"))}, want: verdicts{"certificates": w}},
		{name: "a certificate that expired now as then", backup: []edit{tls(expired)}, current: []edit{tls(slices.Concat(expired, valid))}, want: verdicts{"certificates": w}},
		{name: "a token that expired, and the program cannot tell when", backup: []edit{token("kube-system", "soon")}, want: verdicts{"tokens": w}},
		{name: "a token without an end", backup: []edit{token("kube-system", "")}, want: verdicts{}},
		{name: "a token where no API server takes it", backup: []edit{token("default", "soon")}, want: verdicts{}},
		{name: "a webhook whose authority expired", backup: []edit{webhookTo(byURL(expired), admissionv1.Fail)}, want: verdicts{"ca-bundles": f}},
		{name: "a webhook whose authority is valid", backup: []edit{webhookTo(byURL(valid), admissionv1.Fail)}, want: verdicts{}},
		{name: "a certificate that expired", backup: []edit{tls(expired)}, want: verdicts{"certificates": w}},
		{name: "a certificate that was renewed", backup: []edit{tls(expired)}, current: []edit{tls(valid)}, want: verdicts{"certificates": f}},
		{name: "a token that expired", backup: []edit{joining(at.Add(-time.Minute))}, want: verdicts{"tokens": w}},
		{name: "a token that is good", backup: []edit{joining(at.Add(time.Minute))}, want: verdicts{}},
		{
			name:   "an API server that no longer exists",
			backup: []edit{masterLease("10.0.0.7")},
			current: []edit{
				gone("/registry/masterleases/10.0.0.7"),
				masterLease("10.0.0.8"),
			},
			want: verdicts{"master-leases": f},
		},
		{name: "a k3s server's certificates", backup: []edit{text("/bootstrap/0123456789ab", "x")}, want: verdicts{"bootstrap-token": w}},
		{name: "keys of a network plug-in", backup: []edit{text("/calico/ipam/v2/host/node-1/ipv4/block/10.0.0.0-26", "{}")}, want: verdicts{"other-keys": w}},

		// What will be.
		{
			name: "versions that nobody tried", in: stated(func(in *preflight.Input) { in.Stated.KubernetesVersion = "1.39" }),
			want: verdicts{"rules": w},
		},
		{
			name: "a plain restore", pair: "random-101/plain", in: stated(func(in *preflight.Input) { in.Plan = &restore.Plan{}; in.At = at.Add(time.Hour) }),
			want: verdicts{"bump": f, "phantoms": f, "ghosts": f},
			says: map[preflight.ID]string{"phantoms": "17 phantoms", "ghosts": "10 ghosts"},
		},
		{
			name: "a kubelet that restarts with its server", pair: "random-101/plain", in: stated(func(in *preflight.Input) {
				in.Plan, in.At = &restore.Plan{}, at.Add(time.Hour)
				in.Current.State.Nodes[0].Service = "k3s"
			}),
			want: verdicts{"bump": f, "phantoms": f, "ghosts": f},
			says: map[preflight.ID]string{"phantoms": "the kubelets of 1 server restart with their service"},
		},
		{
			name: "all kubelets restarted, and no bump", pair: "random-101/plain", in: stated(func(in *preflight.Input) {
				in.Plan, in.At = &restore.Plan{RestartKubelets: restore.Restart{All: true}}, at.Add(time.Hour)
			}),
			want: verdicts{"doubles": w}, says: map[preflight.ID]string{"phantoms": "; a plain restore makes 17", "ghosts": "; a plain restore makes 10"},
		},
		{
			name: "pods that run twice", pair: "random-101/plain", in: stated(func(in *preflight.Input) { in.At = at.Add(time.Hour) }),
			want: verdicts{"doubles": w}, says: map[preflight.ID]string{"phantoms": "; a plain restore makes 17", "ghosts": "; a plain restore makes 10"},
		},
		{name: "a token that was revoked", backup: []edit{joining(at.AddDate(1, 0, 0))}, current: []edit{gone("/registry/secrets/kube-system/bootstrap-token-abcdef")}, want: verdicts{"credentials": w}},
		{name: "something else is undone", pair: "scenario-10/plain", want: verdicts{"undone": w}},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			found := s.run(t)
			if s.name == "healthy" {
				g.Equal(t, s.name, told(found, nil))
			} else {
				g.Equal(t, s.name, told(found, healthy))
			}
			got := verdicts{}
			for _, c := range found.Checks {
				if c.Verdict != preflight.Pass {
					got[c.ID] = c.Verdict
				}
				if part := s.says[c.ID]; !strings.Contains(c.Reason, part) {
					t.Errorf("%s says %q, and not %q", c.ID, c.Reason, part)
				}
				if c.Reason == "" || c.Verdict != preflight.Pass && c.Action == "" {
					t.Errorf("%s gives no reason or action: %+v", c.ID, c)
				}
			}
			if diff := cmp.Diff(s.want, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
				for _, c := range found.Checks {
					if c.Verdict != s.want[c.ID] && (c.Verdict != preflight.Pass || s.want[c.ID] != "") {
						t.Logf("%s %s: %s", c.Verdict, c.ID, c.Reason)
					}
				}
			}
			if to := found.Targets; (to.Etcd == "") != (to.EtcdFrom == "") || (to.Kubernetes == "") != (to.KubernetesFrom == "") || (to.Platform == "") != (to.PlatformFrom == "") {
				t.Errorf("what is known of the targets is not what something shows: %+v", to)
			}
			if !strings.Contains(found.Headline, s.headline) {
				t.Errorf("the headline is %q", found.Headline)
			}
			if want := grade(s.want); found.Grade != want {
				t.Errorf("the grade is %s, want %s: %s", found.Grade, want, found.Headline)
			}
		})
	}
}

func grade(v verdicts) preflight.Verdict {
	worst := preflight.Pass
	for _, verdict := range v {
		if verdict.Rank() > worst.Rank() {
			worst = verdict
		}
	}
	return worst
}

func TestEnds(t *testing.T) {
	s := situation{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.in = func(in *preflight.Input) {
		if _, err := preflight.Run(ctx, *in); err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Errorf("%v", err)
		}
	}
	s.run(t)
}
