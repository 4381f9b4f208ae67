package rollback_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/clock"
	"revenant/analyzer/rollback"
)

// bootstrap is a token that nodes join with. data changes single entries of it.
func bootstrap(id, expiration string, data ...string) *corev1.Secret {
	s := secret("kube-system/bootstrap-token-"+id, corev1.SecretTypeBootstrapToken,
		append([]string{"token-id", id, "token-secret", "0123456789abcdef", "usage-bootstrap-authentication", "true", "expiration", expiration}, data...)...)
	return s
}

// issued is a token Secret with its token.
func issued(s *corev1.Secret, token string) *corev1.Secret {
	s.Data[corev1.ServiceAccountTokenKey] = []byte(token)
	return s
}

func expiring(at time.Time) string {
	return "header." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, at.Unix())) + ".signature"
}

func annotated(s *corev1.Secret, key, value string) *corev1.Secret {
	s.Annotations[key] = value
	return s
}

func deletedAt(s *corev1.Secret) *corev1.Secret {
	at := metav1.NewTime(takenAt.Add(-24 * time.Hour))
	s.DeletionTimestamp = &at
	return s
}

// TestTokens says which tokens can be used again after the Secret came back.
func TestTokens(t *testing.T) {
	const (
		revived = "token-revived critical certain"
		maybe   = "token-revived critical possible"
	)
	at := func(d time.Duration) string { return takenAt.Add(d).Format(time.RFC3339) }
	robot := account("ns/robot", "uid")
	legacy := func() *corev1.Secret { return token("ns/t", "robot") }
	tests := []struct {
		name   string
		secret *corev1.Secret
		others []runtime.Object
		taken  clock.Interval
		want   string // id, severity, certainty; "" for no finding
		says   string
	}{
		{"bootstrap token without an end", bootstrap("abcdef", ""), nil, taken, revived, "never expires"},
		{"bootstrap token that is valid", bootstrap("abcdef", at(time.Hour)), nil, taken, revived, "which expires at 2026-11-22 04:00:00Z, after the current snapshot was taken (between 2026-11-22 03:00:00Z and 03:00:20Z)"},
		{"bootstrap token that had expired", bootstrap("abcdef", at(-time.Hour)), nil, taken, "", ""},
		{"bootstrap token that expired at that very moment", bootstrap("abcdef", at(0)), nil, taken, "", ""},
		{"bootstrap token that expired while it was taken", bootstrap("abcdef", at(10*time.Second)), nil, taken, maybe, "the current snapshot was taken between 2026-11-22 03:00:00Z and 03:00:20Z, so that may be past"},
		{"bootstrap token, and only a lower bound of the clock", bootstrap("abcdef", at(time.Hour)), nil, clock.Interval{From: takenAt}, maybe, "after 2026-11-22 03:00:00Z, so that may be past"},
		{"expired bootstrap token, and only a lower bound", bootstrap("abcdef", at(-time.Hour)), nil, clock.Interval{From: takenAt}, "", ""},
		{"bootstrap token, and no clock", bootstrap("abcdef", at(-time.Hour)), nil, clock.Interval{}, maybe, "nothing shows when the current snapshot was taken"},
		{"bootstrap token whose end is no time", bootstrap("abcdef", "tomorrow"), nil, taken, "", ""},
		{"bootstrap token with another zone", bootstrap("abcdef", "2026-11-22T04:30:00+02:00"), nil, taken, "", ""},
		{"bootstrap token that only signs", bootstrap("abcdef", "", "usage-bootstrap-authentication", "false"), nil, taken, "", ""},
		{"bootstrap token of another id", bootstrap("abcdef", "", "token-id", "fedcba"), nil, taken, "", ""},
		{"bootstrap token without an id", bootstrap("", ""), nil, taken, "", ""},
		{"bootstrap token without a secret", bootstrap("abcdef", "", "token-secret", ""), nil, taken, "", ""},
		{"bootstrap token elsewhere", secret("ns/bootstrap-token-abcdef", corev1.SecretTypeBootstrapToken, "token-id", "abcdef", "token-secret", "x", "usage-bootstrap-authentication", "true"), nil, taken, "", ""},
		{"bootstrap token being deleted", deletedAt(bootstrap("abcdef", "")), nil, taken, "", ""},

		{"account token", legacy(), []runtime.Object{robot}, taken, revived, "for ServiceAccount robot"},
		{"account token, and no clock", legacy(), []runtime.Object{robot}, clock.Interval{}, revived, ""},
		{"account token that the controller has not filled in", issued(legacy(), ""), []runtime.Object{robot}, taken, "", ""},
		{"account token that was marked invalid", func() *corev1.Secret {
			s := legacy()
			s.Labels = map[string]string{"kubernetes.io/legacy-token-invalid-since": "2026-11-01"}
			return s
		}(), []runtime.Object{robot}, taken, "", ""},
		{"account token of no account", legacy(), nil, taken, "", ""},
		{"account token of an account recreated", legacy(), []runtime.Object{account("ns/robot", "uid-2")}, taken, "", ""},
		{"account token without the account's uid", annotated(legacy(), corev1.ServiceAccountUIDKey, ""), []runtime.Object{robot}, taken, revived, ""},
		{"account token, and an account that cannot be read", legacy(), []runtime.Object{raw{key: "/registry/serviceaccounts/ns/robot", value: "k8s:enc:aescbc:v1:key1:abc"}}, taken, maybe, "cannot be read"},
		{"account token being deleted", deletedAt(legacy()), []runtime.Object{robot}, taken, "", ""},
		{"account token that says when it ends", issued(legacy(), expiring(takenAt.Add(time.Hour))), []runtime.Object{robot}, taken, revived, "expires at 2026-11-22 04:00:00Z"},
		{"account token that has ended", issued(legacy(), expiring(takenAt.Add(-time.Hour))), []runtime.Object{robot}, taken, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := append([]runtime.Object{namespace("ns"), namespace("kube-system"), tt.secret}, tt.others...)
			backup, current := pair(t, changes(t, before), changes(t, []runtime.Object{deleted{tt.secret}}))
			r, err := rollback.Compare(t.Context(), backup, current, rollback.Options{Prefix: prefix, Taken: tt.taken})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range r.Findings {
				if f.ID != rollback.TokenRevived {
					continue
				}
				got += strings.TrimSpace(fmt.Sprintf("%s %s %s", f.ID, f.Severity, f.Certainty))
				if !strings.Contains(f.Reason, tt.says) {
					t.Errorf("reason %q does not say %q", f.Reason, tt.says)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("finding (-want):\n%s", diff)
			}
		})
	}
}

// TestTokensLost: a token that is refused now is not lost, either.
func TestTokensLost(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		want  int
	}{
		"valid": {expiring(takenAt.Add(time.Hour)), 1}, "without an end": {"a.b.c", 1},
		"ended": {expiring(takenAt.Add(-time.Hour)), 0}, "none yet": {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			backup, current := pair(t,
				changes(t, []runtime.Object{namespace("ns"), account("ns/robot", "uid")}),
				changes(t, []runtime.Object{issued(token("ns/t", "robot"), tt.token)}))
			if r := compare(t, backup, current); r.Summary[rollback.TokenLost] != tt.want {
				t.Errorf("%d found, want %d: %+v", r.Summary[rollback.TokenLost], tt.want, r.Findings)
			}
		})
	}
}

// TestCertificateAtTheEnd: a certificate that may have expired while the snapshot was taken is reported as
// such.
func TestCertificateAtTheEnd(t *testing.T) {
	tls := func(end time.Time) *corev1.Secret {
		return secret("ns/tls", "kubernetes.io/tls", "tls.crt", certificate(t, end))
	}
	for name, tt := range map[string]struct {
		was  time.Duration
		want string
	}{
		"expired": {-time.Minute, "certain"}, "in between": {10 * time.Second, "possible"}, "valid": {time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			backup, current := pair(t,
				changes(t, []runtime.Object{namespace("ns"), tls(takenAt.Add(tt.was))}),
				changes(t, []runtime.Object{tls(takenAt.Add(24 * time.Hour))}))
			got := ""
			for _, f := range compare(t, backup, current).Findings {
				if f.ID == rollback.CertificateExpired {
					got = string(f.Certainty)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
