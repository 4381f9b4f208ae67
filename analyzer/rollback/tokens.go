package rollback

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// validity says whether a credential is accepted by an API server that has the state
// of one snapshot.
type validity struct {
	refused bool
	unsure  bool
	note    string // what it rests on, to be added to a reason; "" for nothing
}

// revived reports a token Secret that only the backup has, unless its token is not
// accepted there either.
func (c *comparison) revived(ch *change, s *corev1.Secret) {
	if s == nil || !isToken(s) {
		return
	}
	v := c.tokenValidity(c.backup, s)
	if v.refused {
		return
	}
	f := Finding{
		Reason:   fmt.Sprintf("only in the backup: a Secret of type %s%s%s", s.Type, accountOf(s), v.note),
		Evidence: c.evidence(ch.before, ch.after),
	}
	if v.unsure {
		f.Certainty = finding.Possible
	}
	c.add(TokenRevived, ch.Key, f)
}

func isToken(s *corev1.Secret) bool {
	return s.Type == corev1.SecretTypeServiceAccountToken || s.Type == corev1.SecretTypeBootstrapToken
}

func accountOf(s *corev1.Secret) string {
	if name := s.Annotations[corev1.ServiceAccountNameKey]; name != "" {
		return ", for ServiceAccount " + name
	}
	return ""
}

func (c *comparison) tokenValidity(s side, t *corev1.Secret) validity {
	switch {
	case t.DeletionTimestamp != nil:
		return validity{refused: true}
	case t.Type == corev1.SecretTypeBootstrapToken:
		return c.bootstrapToken(t)
	}
	return c.accountToken(s, t)
}

// bootstrapToken judges as the authenticator does (kubernetes v1.37
// plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go AuthenticateToken,
// cluster-bootstrap v0.37 util/secrets/secrets.go HasExpired): an expiration that is
// no time counts as past.
func (c *comparison) bootstrapToken(t *corev1.Secret) validity {
	id := string(t.Data["token-id"])
	if t.Namespace != metav1.NamespaceSystem || id == "" || t.Name != "bootstrap-token-"+id ||
		len(t.Data["token-secret"]) == 0 || string(t.Data["usage-bootstrap-authentication"]) != "true" {
		return validity{refused: true}
	}
	text := string(t.Data["expiration"])
	if text == "" {
		return validity{note: ", which never expires"}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return validity{refused: true}
	}
	return c.until(at)
}

// accountToken judges as the validator of such tokens does (kubernetes v1.37
// pkg/serviceaccount/legacy.go Validate). One of the tokens controller's has no end.
func (c *comparison) accountToken(s side, t *corev1.Secret) validity {
	token := t.Data[corev1.ServiceAccountTokenKey]
	if len(token) == 0 || t.Labels["kubernetes.io/legacy-token-invalid-since"] != "" {
		return validity{refused: true}
	}
	v := validity{}
	if at, ok := TokenExpiry(token); ok {
		if v = c.until(at); v.refused {
			return v
		}
	}
	r := c.find(s, kube.Key{Resource: "serviceaccounts", Namespace: t.Namespace, Name: t.Annotations[corev1.ServiceAccountNameKey]})
	if !has(r) {
		return validity{refused: true}
	}
	account, ok := get[*corev1.ServiceAccount](c, s, r)
	uid := t.Annotations[corev1.ServiceAccountUIDKey]
	switch {
	case !ok:
		v.unsure = true
		v.note += "; whether the token is still for the same ServiceAccount is not known, because that cannot be read"
	case account.DeletionTimestamp != nil, uid != "" && uid != string(account.UID):
		return validity{refused: true}
	}
	return v
}

// until is the validity of what expires at a time: the clock of the evidence says
// when the current snapshot was taken, and no restore comes before that.
func (c *comparison) until(at time.Time) validity {
	end := words.Time(at)
	switch from, to := c.taken.From, c.taken.To; {
	case from.IsZero():
		return validity{unsure: true, note: fmt.Sprintf(", which expires at %s; whether it has expired is not known, because nothing shows when the current snapshot was taken", end)}
	case !at.After(from):
		return validity{refused: true}
	case to.IsZero() || !at.After(to):
		return validity{unsure: true, note: fmt.Sprintf(", which expires at %s; the current snapshot was taken %s, so that may be past", end, c.taken)}
	}
	return validity{note: fmt.Sprintf(", which expires at %s, after the current snapshot was taken (%s)", end, c.taken)}
}

// TokenExpiry is when a JSON Web Token expires by its own claim. It takes any bytes.
func TokenExpiry(token []byte) (at time.Time, ok bool) {
	parts := bytes.Split(bytes.TrimSpace(token), []byte("."))
	if len(parts) != 3 {
		return time.Time{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(string(parts[1]), "="))
	if err != nil {
		return time.Time{}, false
	}
	var claims struct {
		Exp *float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Exp == nil || *claims.Exp < 0 || *claims.Exp > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(*claims.Exp), 0).UTC(), true
}
