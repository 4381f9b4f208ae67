package preflight

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/finding"
	"revenant/analyzer/rollback"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// validity is when the certificates of a chain are valid.
type validity struct{ from, to time.Time }

// at says whether the certificate is valid at a time.
func (v validity) at(t time.Time) bool { return !v.from.After(t) && v.to.After(t) }

// mostCertificates bounds how many certificates of one chain are looked at; a bundle of
// public authorities has some hundred.
const mostCertificates = 1000

// certificatesIn reads the certificates in PEM. It takes any bytes, and passes over what
// it cannot parse.
func certificatesIn(chain []byte) (list []validity) {
	defer func() {
		if recover() != nil { // the parser has had faults before
			list = nil
		}
	}()
	for len(list) < mostCertificates {
		block, rest := pem.Decode(chain)
		if block == nil {
			break
		}
		chain = rest
		if !strings.HasSuffix(block.Type, "CERTIFICATE") {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			list = append(list, validity{c.NotBefore, c.NotAfter})
		}
	}
	return list
}

// bundles judges what the servers that API servers call are trusted by.
func (r *run) bundles() result {
	var p points
	n := 0
	for i := range r.calls {
		c := &r.calls[i]
		if len(c.CABundle) == 0 {
			continue
		}
		n++
		what := c.Object
		if c.Name != "" {
			what += " (" + c.Name + ")"
		}
		verdict := Warn
		if c.Blocks {
			verdict = Fail
		}
		list := certificatesIn(c.CABundle)
		var newest time.Time
		for _, v := range list {
			if v.to.After(newest) {
				newest = v.to
			}
		}
		switch {
		case len(list) == 0:
			p.add(verdict, c.Evidence, "%s: no certificate can be read in its caBundle", what)
		case slices.ContainsFunc(list, func(v validity) bool { return v.at(r.At) }):
		case !newest.After(r.At):
			p.add(verdict, c.Evidence, "%s: every certificate in its caBundle is past its end, the last since %s", what, words.Time(newest))
		default:
			p.add(verdict, c.Evidence, "%s: no certificate in its caBundle is valid yet", what)
		}
	}
	for _, caller := range []rollback.Caller{rollback.Admission, rollback.Conversion, rollback.Aggregated} {
		r.couldNot(&p, caller)
	}
	if n == 0 {
		return p.result(pass("no server that is called is trusted by a caBundle"))
	}
	return p.result(pass("%s, with a certificate that is valid in each", words.Count(n, "caBundle")))
}

// secret is a Secret of the backup.
type secret struct {
	*corev1.Secret
	record snapshot.Record
}

// secrets decodes the Secrets of a snapshot, and counts those that are encrypted and
// those that cannot be read otherwise.
func (r *run) secrets(s *snapshot.Snapshot, use func(secret)) (encrypted, unread int) {
	for record := range s.Keys(kube.Key{Resource: "secrets"}.Path(r.Prefix)) {
		if r.ctx.Err() != nil {
			return encrypted, unread
		}
		value, err := s.Value(record)
		if err != nil {
			unread++
			continue
		}
		o := kube.Decode(kube.Key{}, value)
		var hidden *kube.EncryptedError
		if decoded, ok := o.Typed.(*corev1.Secret); ok {
			use(secret{decoded, record})
		} else if errors.As(o.Problem, &hidden) {
			encrypted++
		} else {
			unread++
		}
	}
	return encrypted, unread
}

func (p *points) unread(encrypted, unread int) {
	if encrypted > 0 {
		p.add(Unknown, nil, "%s encrypted and not decrypted", words.CountOf(encrypted, "Secret is", "Secrets are"))
	}
	if unread > 0 {
		p.add(Unknown, nil, "%s be read", words.CountOf(unread, "Secret cannot", "Secrets cannot"))
	}
}

// certificates judges the certificates in Secrets: what comes back may be past its end,
// and the current state may have a valid one in its place.
func (r *run) certificates() result {
	var p points
	n := 0
	encrypted, unread := r.secrets(r.Backup.Snapshot, func(s secret) {
		if s.Type != corev1.SecretTypeTLS {
			return
		}
		ref := finding.Ref{Snapshot: finding.InBackup, Key: s.record.Key, Revision: s.record.Main}
		what := "Secret " + s.Namespace + "/" + s.Name
		list := certificatesIn(s.Data[corev1.TLSCertKey])
		if n++; len(list) == 0 {
			p.add(Warn, []finding.Ref{ref}, "%s: no certificate can be read in its %s", what, corev1.TLSCertKey)
			return
		}
		leaf := list[0]
		switch {
		case leaf.from.After(r.At):
			p.add(Warn, []finding.Ref{ref}, "%s: its certificate is valid from %s on", what, words.Time(leaf.from))
		case !leaf.to.After(r.At):
			text := fmt.Sprintf("%s: its certificate is past its end since %s", what, words.Time(leaf.to))
			if now := r.renewed(s); !now.IsZero() {
				p.add(Fail, []finding.Ref{ref}, "%s, and the current state has one in its place that is valid until %s", text, words.Time(now))
			} else {
				p.add(Warn, []finding.Ref{ref}, "%s", text)
			}
		}
	})
	p.unread(encrypted, unread)
	if n == 0 {
		return p.result(pass("there is no Secret of type %s", corev1.SecretTypeTLS))
	}
	return p.result(pass("%s of type %s, none past its end", words.Count(n, "Secret"), corev1.SecretTypeTLS))
}

// renewed is until when the certificate is valid that the current state has in place of
// the backup's, zero where it has none that is valid.
func (r *run) renewed(s secret) time.Time {
	if r.needs != "" {
		return time.Time{}
	}
	record, err := r.Current.Snapshot.Get(s.record.Key, 0)
	if err != nil {
		return time.Time{}
	}
	value, err := r.Current.Snapshot.Value(record)
	if err != nil {
		return time.Time{}
	}
	now, ok := kube.Decode(kube.Key{}, value).Typed.(*corev1.Secret)
	if !ok {
		return time.Time{}
	}
	if list := certificatesIn(now.Data[corev1.TLSCertKey]); len(list) > 0 && list[0].at(r.At) {
		return list[0].to
	}
	return time.Time{}
}

// tokens judges the tokens in Secrets: those of ServiceAccounts, and those by which
// nodes join.
func (r *run) tokens() result {
	var p points
	n := 0
	encrypted, unread := r.secrets(r.Backup.Snapshot, func(s secret) {
		var end time.Time
		switch s.Type {
		case corev1.SecretTypeServiceAccountToken:
			end, _ = rollback.TokenExpiry(s.Data[corev1.ServiceAccountTokenKey])
		case corev1.SecretTypeBootstrapToken:
			if s.Namespace != metav1.NamespaceSystem {
				return // no API server takes it
			}
			text := string(s.Data["expiration"])
			if at, err := time.Parse(time.RFC3339, text); err == nil {
				end = at
			} else if text != "" {
				end = time.Unix(0, 0) // as API servers judge it
			}
		default:
			return
		}
		if n++; !end.IsZero() && !end.After(r.At) {
			ref := finding.Ref{Snapshot: finding.InBackup, Key: s.record.Key, Revision: s.record.Main}
			p.add(Warn, []finding.Ref{ref}, "Secret %s/%s of type %s is past its end since %s", s.Namespace, s.Name, s.Type, words.Time(end))
		}
	})
	p.unread(encrypted, unread)
	if n == 0 {
		return p.result(pass("there is no token in a Secret"))
	}
	return p.result(pass("%s in Secrets, none past its end", words.Count(n, "token")))
}
