package preflight

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePolicy(t *testing.T) {
	got, err := ParsePolicy([]byte(`
limits: {maxAge: 2d, maxGap: 2000000, maxRate: 12.5, maxSize: 0.5}
default: {unknown: warn}
checks:
  age: {unknown: fail, warn: unknown}
  etcd-alarm: {fail: ignore}
`))
	want := Policy{
		Limits:  Limits{Age: Age(48 * time.Hour), Gap: 2_000_000, Rate: 12.5, Size: 0.5},
		Default: Rule{Unknown: Warn},
		Checks:  map[ID]Rule{"age": {Unknown: Fail, Warn: Unknown}, "etcd-alarm": {Fail: Ignored}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, c := range []struct {
		id            ID
		verdict, want Verdict
	}{
		{"age", Unknown, Fail}, {"gap", Unknown, Warn}, {"age", Fail, Fail}, {"age", Warn, Unknown}, {"etcd-alarm", Fail, Ignored}, {"etcd-alarm", Pass, Pass}, {"gap", Warn, Warn},
	} {
		if as := got.counts(c.id, c.verdict); as != c.want {
			t.Errorf("%s %s counts as %s, want %s", c.id, c.verdict, as, c.want)
		}
	}
	for name, text := range map[string]string{
		"a key that there is not":       "limit: {}",
		"a limit that there is not":     "limits: {maxage2: 1h}",
		"a check that there is not":     "checks: {ages: {fail: warn}}",
		"a verdict that there is not":   "checks: {age: {pass: fail}}",
		"an action that there is not":   "checks: {age: {warn: panic}}",
		"a default that there is not":   "default: {warn: yes}",
		"a key that stands there twice": "default: {}\ndefault: {}",
		"an age without a unit":         "limits: {maxAge: 25}",
		"an age below zero":             "limits: {maxAge: -1h}",
		"an age that is none":           "limits: {maxAge: soon}",
		"a gap below zero":              "limits: {maxGap: -1}",
		"a rate below zero":             "limits: {maxRate: -0.5}",
		"a size below zero":             "limits: {maxSize: -0.5}",
		"a rate without end":            "limits: {maxRate: .inf}",
		"a size without end":            "limits: {maxSize: .inf}",
		"an age of nothing":             "limits: {maxAge: 0d}",
		"no YAML":                       "limits: {",
		"something else":                "[]",
	} {
		if p, err := ParsePolicy([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "not a policy") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if p, err := ParsePolicy(nil); err != nil {
		t.Errorf("an empty one: %+v, %v", p, err)
	}
}

// FuzzPolicy wants what is taken for a policy to be one: written out, it reads back the
// same, and every verdict counts as one.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte("limits: {maxAge: 36h, maxGap: 10, maxRate: 0.5, maxSize: 0.9}\ndefault: {unknown: fail}\nchecks: {age: {warn: ignore}}"))
	f.Add([]byte(`{"checks":{"trailer":{"fail":"warn"}}}`))
	f.Add([]byte("limits: {maxAge: 99999d, maxGap: 9223372036854775807, maxRate: 1e308}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			return
		}
		out, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePolicy(out)
		if diff := cmp.Diff(p, again); p.Limits.Age > 0 && (err != nil || diff != "") {
			t.Fatalf("%v\n%s", err, diff)
		}
		for _, id := range IDs() {
			for _, v := range Verdicts {
				if as := p.counts(id, v); as != Ignored && as.Rank() == 0 && as != Pass || v == Pass && as != Pass {
					t.Fatalf("%s %s counts as %q", id, v, as)
				}
			}
		}
	})
}

// TestCertificatesIn reads no more certificates of a bundle than the bound.
func TestCertificatesIn(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	one := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for n, want := range map[int]int{0: 0, 2: 2, mostCertificates: mostCertificates, mostCertificates + 1: mostCertificates} {
		if got := len(certificatesIn(bytes.Repeat(one, n))); got != want {
			t.Errorf("%d of %d are read, want %d", got, n, want)
		}
	}
	for kind, want := range map[string]int{"CERTIFICATE": 1, "TRUSTED CERTIFICATE": 1, "PRIVATE KEY": 0} {
		if got := len(certificatesIn(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))); got != want {
			t.Errorf("%d are read of a %s, want %d", got, kind, want)
		}
	}
}

// FuzzCertificates has any bytes read as certificates.
func FuzzCertificates(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, chain []byte) {
		if n := len(certificatesIn(chain)); n > mostCertificates {
			t.Fatal(n)
		}
	})
}
