package apiserver

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/endpoints/request"
	auditlog "k8s.io/apiserver/plugin/pkg/audit/log"
	"k8s.io/client-go/kubernetes/scheme"

	decoder "revenant/decoder/audit"
)

// audited is a request, and what an API server's handlers have of it.
type audited struct {
	method, uri string
	body        runtime.Object // nil for none
	patch       string
	as          *user.DefaultInfo
	code        int
	answer      runtime.Object
	panics      bool
	want        decoder.Event // of what is not compared with the event itself
}

func configMap(name, generate, revision string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, GenerateName: generate, ResourceVersion: revision}}
}

// TestAudit has the API server's own filter and backend log requests, at every level, and
// wants the decoder to read from the log what the API server put into the events.
func TestAudit(t *testing.T) {
	const object, all = "/api/v1/namespaces/shop/configmaps/web", "/api/v1/namespaces/shop/configmaps"
	stored := configMap("web", "", "8")
	stored.UID = "u"
	removed := &metav1.Status{Status: metav1.StatusSuccess, Details: &metav1.StatusDetails{Name: "web", Kind: "configmaps", UID: "u"}}
	answer := decoder.Answer{Name: "web", UID: "u", ResourceVersion: "8"}
	requests := []audited{
		{method: "POST", uri: all + "?fieldManager=helm", body: configMap("web", "", ""), code: 201, answer: stored, want: decoder.Event{Manager: "helm", Answer: answer}},
		{method: "POST", uri: all, body: configMap("", "we", ""), code: 201, answer: stored, want: decoder.Event{Answer: answer}},
		{method: "PUT", uri: object, body: configMap("web", "", "7"), code: 200, answer: stored, want: decoder.Event{ResourceVersion: "7", Answer: answer}},
		{method: "PUT", uri: object, body: configMap("web", "", "7"), code: 409, answer: &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict, Details: &metav1.StatusDetails{Name: "web"}, Code: 409}},
		{method: "PATCH", uri: object + "?dryRun=All", patch: `{"data":{"a":"b"}}`, code: 200, answer: stored, want: decoder.Event{DryRun: true, Answer: answer}},
		{method: "DELETE", uri: object, code: 200, answer: removed, want: decoder.Event{Answer: decoder.Answer{Status: true, Name: "web", UID: "u"}}},
		{method: "DELETE", uri: object, body: &metav1.DeleteOptions{TypeMeta: metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"}, DryRun: []string{"All"}}, code: 200, answer: removed,
			want: decoder.Event{DryRun: true, Answer: decoder.Answer{Status: true, Name: "web", UID: "u"}}},
		{method: "DELETE", uri: all, code: 200, answer: &corev1.ConfigMapList{ListMeta: metav1.ListMeta{ResourceVersion: "8"}}},
		{method: "POST", uri: object + "/eviction", body: &policyv1.Eviction{DeleteOptions: &metav1.DeleteOptions{DryRun: []string{"All"}}}, code: 201, answer: &metav1.Status{Status: metav1.StatusSuccess},
			want: decoder.Event{DryRun: true}},
		{method: "PATCH", uri: object, patch: `{}`, as: &user.DefaultInfo{Name: "bob", Groups: []string{"sre"}}, code: 200, answer: stored, want: decoder.Event{Answer: answer}},
		{method: "PATCH", uri: object, patch: `{}`, panics: true},
	}
	for _, level := range []auditinternal.Level{auditinternal.LevelMetadata, auditinternal.LevelRequest, auditinternal.LevelRequestResponse} {
		t.Run(string(level), func(t *testing.T) {
			var events []*auditinternal.Event
			for i := range requests {
				events = append(events, requests[i].serve(level)...)
			}
			lines, list := new(bytes.Buffer), &auditinternal.EventList{}
			auditlog.NewBackend(lines, auditlog.FormatJson, auditv1.SchemeGroupVersion).ProcessEvents(events...)
			for _, e := range events {
				list.Items = append(list.Items, *e)
			}
			webhook, err := runtime.Encode(audit.Codecs.LegacyCodec(auditv1.SchemeGroupVersion), list)
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string][]byte{"lines": lines.Bytes(), "a list": webhook} {
				checkAudit(t, level, name, text, requests, events)
			}
		})
	}
}

// robot is who makes the requests of TestAudit.
const robot = "system:serviceaccount:shop:<robot> & co"

// serve has a request audited that is answered as it says, and returns its events.
func (r *audited) serve(level auditinternal.Level) []*auditinternal.Event {
	return serve(level, r.method, r.uri, robot, func(w http.ResponseWriter, req *http.Request) {
		ctx := req.Context()
		info, _ := request.RequestInfoFrom(ctx)
		if r.as != nil {
			audit.LogImpersonatedUser(ctx, r.as, "")
		}
		if r.body != nil {
			gv := corev1.SchemeGroupVersion
			if kinds, _, err := scheme.Scheme.ObjectKinds(r.body); err == nil && kinds[0].Kind == "Eviction" {
				gv = policyv1.SchemeGroupVersion
			}
			audit.LogRequestObject(ctx, r.body, gv, gv.WithResource(info.Resource), info.Subresource, scheme.Codecs)
		}
		if r.patch != "" {
			audit.LogRequestPatch(ctx, []byte(r.patch))
		}
		if r.panics {
			panic(meant)
		}
		audit.LogResponseObject(ctx, r.answer, corev1.SchemeGroupVersion, scheme.Codecs)
		w.WriteHeader(r.code)
	})
}

// serve has a request of a user handled and audited, and returns its events.
func serve(level auditinternal.Level, method, uri, name string, handler http.HandlerFunc) (events []*auditinternal.Event) {
	keep := sinkFunc(func(list ...*auditinternal.Event) bool {
		for _, e := range list {
			events = append(events, e.DeepCopy())
		}
		return true
	})
	chain := filters.WithAudit(handler, keep, policy.NewFakePolicyRuleEvaluator(level, nil), nil)
	chain = filters.WithRequestInfo(chain, &request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")})
	chain = filters.WithAuditInit(filters.WithRequestReceivedTimestamp(chain))
	req := httptest.NewRequest(method, uri, nil)
	req.Header.Set("User-Agent", "kubectl/v1.37.2 (linux/amd64)")
	who := &user.DefaultInfo{Name: name, Groups: []string{"system:authenticated"}}
	func() {
		defer func() {
			if p := recover(); p != nil && p != meant {
				panic(p)
			}
		}()
		chain.ServeHTTP(httptest.NewRecorder(), req.WithContext(request.WithUser(context.Background(), who)))
	}()
	return events
}

const meant = "for the test"

type sinkFunc func(...*auditinternal.Event) bool

// ProcessEvents is audit.Sink.
func (f sinkFunc) ProcessEvents(list ...*auditinternal.Event) bool { return f(list...) }

func checkAudit(t *testing.T, level auditinternal.Level, name string, text []byte, requests []audited, events []*auditinternal.Event) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, text, 0o400); err != nil {
		t.Fatal(err)
	}
	var got []*decoder.Event
	log, err := decoder.Read(t.Context(), []string{path}, decoder.Query{Groups: []string{""}, Resource: "configmaps", Namespace: "shop", Name: "web"}, decoder.Options{}, func(e *decoder.Event) { got = append(got, e) })
	if err != nil || log.Malformed > 0 {
		t.Fatal(log, err)
	}
	var ended []*auditinternal.Event
	for _, e := range events {
		if e.Stage == auditinternal.StageResponseComplete || e.Stage == auditinternal.StagePanic {
			ended = append(ended, e)
		}
	}
	if len(got) != len(requests) || len(ended) != len(requests) {
		t.Fatalf("%s: %d events of %d requests are read, and %d were logged", name, len(got), len(requests), len(ended))
	}
	for i, e := range ended {
		want, r := requests[i].want, e.ObjectRef
		want.Where, want.ID, want.Level, want.Stage, want.Verb, want.User = got[i].Where, string(e.AuditID), string(e.Level), string(e.Stage), e.Verb, decoder.User{Name: e.User.Username, Groups: e.User.Groups}
		want.SourceIPs, want.UserAgent, want.Code = e.SourceIPs, e.UserAgent, e.ResponseStatus.Code
		want.Group, want.Resource, want.Subresource, want.Namespace, want.Name, want.UID, want.ResourceVersion = r.APIGroup, r.Resource, r.Subresource, r.Namespace, r.Name, string(r.UID), r.ResourceVersion
		want.Received, want.Ended = e.RequestReceivedTimestamp.UTC().Truncate(1000), e.StageTimestamp.UTC().Truncate(1000)
		if e.ImpersonatedUser != nil {
			want.As = &decoder.User{Name: e.ImpersonatedUser.Username, Groups: e.ImpersonatedUser.Groups}
		}
		if want.Manager == "" {
			want.Manager = "kubectl"
		}
		if level != auditinternal.LevelRequestResponse && !want.Answer.Status {
			want.Answer = decoder.Answer{}
		}
		if level == auditinternal.LevelMetadata && requests[i].body != nil {
			want.DryRun = false // it is in the body
		}
		if diff := cmp.Diff(&want, got[i]); diff != "" {
			t.Errorf("%s, %s %s (-event +read):\n%s", name, requests[i].method, requests[i].uri, diff)
		}
		if sent := requests[i].want.ResourceVersion; sent != "" && got[i].ResourceVersion != sent {
			t.Errorf("%s: sent for %q, want %q", name, got[i].ResourceVersion, sent)
		}
	}
}
