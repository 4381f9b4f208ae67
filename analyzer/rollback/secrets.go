package rollback

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// secrets looks at what differs among the Secrets. Findings name keys, never
// what is in them.
func (c *comparison) secrets() {
	for ch := range c.changes("", "secrets") {
		before, hiddenBefore := c.secret(c.backup, ch.before)
		after, hiddenAfter := c.secret(c.current, ch.after)
		switch {
		case ch.lost():
			c.secretLost(&ch, after, hiddenAfter)
		case ch.resurrected():
			if hiddenBefore != nil {
				c.add(TokenRevived, ch.Key, Finding{
					Severity: finding.Warning, Certainty: finding.Possible,
					Reason:   fmt.Sprintf("only in the backup, but encrypted: whether it is a token is not known (%v)", hiddenBefore),
					Evidence: c.evidence(ch.before, ch.after),
				})
			}
			c.revived(&ch, before)
		case hiddenBefore != nil || hiddenAfter != nil:
			c.secretRolledBack(&ch, fmt.Sprintf("changed, but encrypted: in which keys is not known (%v)", cmp.Or(hiddenBefore, hiddenAfter)), finding.Possible)
		case before != nil && after != nil:
			if keys := differingKeys(before.Data, after.Data); keys.count > 0 {
				c.secretRolledBack(&ch, "another value in the backup: "+keys.String(), "")
			}
			c.certificate(&ch, before, after)
		}
	}
}

// secret decodes a Secret. hidden is the reason why not, if it is encrypted.
func (c *comparison) secret(s side, r snapshot.Record) (secret *corev1.Secret, hidden error) {
	value := c.value(s, r)
	if value == nil {
		return nil, nil
	}
	o := kube.Decode(kube.Key{}, value)
	secret, ok := o.Typed.(*corev1.Secret)
	if encrypted := (*kube.EncryptedError)(nil); errors.As(o.Problem, &encrypted) {
		return nil, encrypted
	}
	if !ok {
		c.noteUnread(s, r, cmp.Or(o.Problem, kube.ErrWrongKind))
		return nil, nil
	}
	return secret, nil
}

func differingKeys(a, b map[string][]byte) *names {
	all := map[string]bool{}
	for _, m := range []map[string][]byte{a, b} {
		for key := range m {
			all[key] = true
		}
	}
	keys := &names{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		x, inA := a[key]
		y, inB := b[key]
		if inA != inB || !bytes.Equal(x, y) {
			keys.add(key)
		}
	}
	return keys
}

func (c *comparison) secretRolledBack(ch *change, reason string, certainty finding.Certainty) {
	f := Finding{Reason: reason, Certainty: certainty, Evidence: c.evidence(ch.before, ch.after)}
	if pods := c.users(ch.Namespace, refersTo(ch.Name)); pods.count > 0 {
		f.Severity = finding.Critical
		f.Reason += "; used by " + pods.String()
	}
	if accounts := c.accountsWith(ch.Key); accounts.count > 0 {
		f.Reason += "; named by ServiceAccount " + accounts.String()
	}
	c.add(SecretRolledBack, ch.Key, f)
}

// accountsWith are the ServiceAccounts of the backup that name a Secret: their
// pods pull images with it.
func (c *comparison) accountsWith(secret kube.Key) *names {
	found := &names{}
	prefix := kube.Key{Resource: "serviceaccounts", Namespace: secret.Namespace}.Path(c.prefix)
	for r := range c.backup.Keys(prefix) {
		a, ok := get[*corev1.ServiceAccount](c, c.backup, r)
		if !ok {
			continue
		}
		pulls := slices.Contains(a.ImagePullSecrets, corev1.LocalObjectReference{Name: secret.Name})
		owns := slices.ContainsFunc(a.Secrets, func(s corev1.ObjectReference) bool { return s.Name == secret.Name })
		if pulls || owns {
			found.add(a.Name)
		}
	}
	return found
}

func (c *comparison) secretLost(ch *change, s *corev1.Secret, hidden error) {
	if hidden != nil && !c.lostWithNamespace(ch) {
		c.add(TokenLost, ch.Key, Finding{
			Certainty: finding.Possible,
			Reason:    fmt.Sprintf("only in the current state, but encrypted: whether it is a token is not known (%v)", hidden),
			Evidence:  c.evidence(ch.before, ch.after),
		})
	}
	if s != nil && s.Type == corev1.SecretTypeServiceAccountToken && !c.lostWithNamespace(ch) {
		f := Finding{Evidence: c.evidence(ch.before, ch.after)}
		v := c.tokenValidity(c.current, s)
		f.Reason = "only in the current state" + accountOf(s) + v.note
		if v.unsure {
			f.Certainty = finding.Possible
		}
		if !v.refused {
			c.add(TokenLost, ch.Key, f)
		}
	}
	uses := refersTo(ch.Name)
	pods := c.users(ch.Namespace, func(p *pod) bool { return uses(p) && c.stays(p) })
	if pods.count > 0 {
		c.add(SecretLost, ch.Key, Finding{
			Reason:   "only in the current state; pods that both snapshots have use it: " + pods.String(),
			Evidence: c.evidence(ch.before, ch.after),
		})
	}
}

// certificate says whether the certificate that comes back has expired while the
// present one has not.
func (c *comparison) certificate(ch *change, before, after *corev1.Secret) {
	was, ok := notAfter(before.Data[corev1.TLSCertKey])
	if !ok || c.taken.From.IsZero() {
		return
	}
	v := c.until(was)
	is, ok := notAfter(after.Data[corev1.TLSCertKey])
	if !ok || c.until(is).refused || !v.refused && !v.unsure {
		return
	}
	f := Finding{
		Reason: fmt.Sprintf("the backup's %s was valid until %s, the current state's is until %s",
			corev1.TLSCertKey, words.Time(was), words.Time(is)),
		Evidence: c.evidence(ch.before, ch.after),
	}
	if v.unsure {
		f.Certainty = finding.Possible
		f.Reason += fmt.Sprintf("; that snapshot was taken %s", c.taken)
	}
	c.add(CertificateExpired, ch.Key, f)
}

// notAfter is when the first certificate of a chain in PEM expires. It takes any
// bytes.
func notAfter(chain []byte) (at time.Time, ok bool) {
	defer func() {
		if recover() != nil { // the parser has had faults before
			ok = false
		}
	}()
	block, _ := pem.Decode(chain)
	if block == nil || !strings.HasSuffix(block.Type, "CERTIFICATE") {
		return time.Time{}, false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, false
	}
	return cert.NotAfter, true
}
