package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Event is what is read of an event: a request to an API server that has ended. Strings
// are cut at 1 KiB, and lists at 32. Nothing of the objects is in it but who they are.
type Event struct {
	Where       string // the log and the line: audit.log:7
	ID          string
	Level       string
	Stage       string // ResponseComplete or Panic
	Verb        string
	User        User
	As          *User // whom the user impersonated, nil for none
	SourceIPs   []string
	UserAgent   string
	Manager     string // whose entry in managedFields the request writes
	Group       string
	Resource    string
	Subresource string
	Namespace   string
	Name        string // "" for a collection, and where the API server made the name
	UID         string // as the request has it
	// ResourceVersion is that of the object in the request: an update writes only where
	// the object is at that revision.
	ResourceVersion string
	Code            int32 // of the answer, 0 where it is not there
	DryRun          bool  // it was not to write; of a delete only seen at level Request
	Answer          Answer
	Received, Ended time.Time // UTC
}

// User is who asked.
type User struct {
	Name   string   `json:"username"`
	Groups []string `json:"groups"`
}

// Answer is what an answer says of the object: all of it at level RequestResponse, what
// a Status has at each level.
type Answer struct {
	Status                     bool // it is a Status, and not the object
	Name, UID, ResourceVersion string
}

// event is Kubernetes' Event, or EventList (apiserver v0.37 pkg/apis/audit/v1/types.go).
type event struct {
	Kind             string          `json:"kind"`
	APIVersion       string          `json:"apiVersion"`
	Level            string          `json:"level"`
	AuditID          string          `json:"auditID"`
	Stage            string          `json:"stage"`
	RequestURI       string          `json:"requestURI"`
	Verb             string          `json:"verb"`
	User             user            `json:"user"`
	ImpersonatedUser *user           `json:"impersonatedUser"`
	SourceIPs        few             `json:"sourceIPs"`
	UserAgent        string          `json:"userAgent"`
	ObjectRef        *object         `json:"objectRef"`
	ResponseStatus   *status         `json:"responseStatus"`
	RequestObject    json.RawMessage `json:"requestObject"`
	ResponseObject   json.RawMessage `json:"responseObject"`
	Received         string          `json:"requestReceivedTimestamp"`
	Ended            string          `json:"stageTimestamp"`
	Items            *unread         `json:"items"`
}

type user struct {
	Username string `json:"username"`
	Groups   few    `json:"groups"`
}

type object struct {
	Resource        string `json:"resource"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	UID             string `json:"uid"`
	APIGroup        string `json:"apiGroup"`
	ResourceVersion string `json:"resourceVersion"`
	Subresource     string `json:"subresource"`
}

type status struct {
	Code    int32 `json:"code"`
	Details *struct {
		Name string `json:"name"`
		UID  string `json:"uid"`
	} `json:"details"`
}

const (
	longest = 1 << 10 // bytes of a string that are kept; those of a user agent are no more (apiserver v0.37 pkg/audit/request.go maybeTruncateUserAgent)
	most    = 32      // strings of a list
)

// few is a list of strings of which only the first are kept, however many there are.
type few []string

// UnmarshalJSON reads the list one by one.
func (f *few) UnmarshalJSON(text []byte) error {
	*f = nil
	return eachOf(text, func(d *json.Decoder) error {
		var s string
		err := d.Decode(&s)
		if len(*f) < most {
			*f = append(*f, short(s))
		}
		return err
	})
}

// unread is a list of events that is read later, one by one.
type unread struct{ text []byte }

// UnmarshalJSON keeps the text, which is not changed while it is used.
func (u *unread) UnmarshalJSON(text []byte) error {
	u.text = text
	return nil
}

// eachOf calls read for each element of an array, which it has to read. Null has none.
func eachOf(text []byte, read func(*json.Decoder) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	begin, err := d.Token()
	if err != nil || begin == nil {
		return err
	}
	if begin != json.Delim('[') {
		return errors.New("it is no list")
	}
	for d.More() {
		if err := read(d); err != nil {
			return err
		}
	}
	return nil
}

func short(s string) string {
	if len(s) <= longest {
		return strings.Clone(s)
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

// errNone says that a line is something else.
var errNone = errors.New("it is no event of audit.k8s.io")

// parse reads a line, an Event or an EventList, and calls each for the requests in it
// that have ended. What each keeps does not refer to the line.
func parse(line []byte, each func(*Event)) error {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("%w: it is no JSON", errNone)
	}
	if !strings.HasPrefix(e.APIVersion, "audit.k8s.io/") {
		return errNone
	}
	if e.Kind != "EventList" {
		return e.tell(each)
	}
	if e.Items == nil {
		return nil
	}
	return eachOf(e.Items.text, func(d *json.Decoder) error {
		var item event
		if err := d.Decode(&item); err != nil {
			return fmt.Errorf("%w: it is no JSON", errNone)
		}
		return item.tell(each)
	})
}

// tell calls each for a request that has ended and is one to a resource. Of a request, the
// stages before the last one say nothing of what it did (apiserver v0.37
// pkg/endpoints/filters/audit.go WithAudit).
func (e *event) tell(each func(*Event)) error {
	if e.Kind != "Event" && e.Kind != "" || e.Stage == "" {
		return errNone
	}
	if e.Stage != "ResponseComplete" && e.Stage != "Panic" || e.ObjectRef == nil {
		return nil
	}
	received, err := time.Parse(time.RFC3339Nano, e.Received)
	ended, err2 := time.Parse(time.RFC3339Nano, e.Ended)
	if errors.Join(err, err2) != nil {
		return errors.New("it has no time")
	}
	o := e.ObjectRef
	out := &Event{
		ID: short(e.AuditID), Level: short(e.Level), Stage: short(e.Stage), Verb: short(e.Verb),
		User: e.User.cut(), SourceIPs: e.SourceIPs, UserAgent: short(e.UserAgent),
		Group: short(o.APIGroup), Resource: short(o.Resource), Subresource: short(o.Subresource), Namespace: short(o.Namespace), Name: short(o.Name),
		UID: short(o.UID), ResourceVersion: short(o.ResourceVersion), Received: received.UTC(), Ended: ended.UTC(),
	}
	if e.ImpersonatedUser != nil {
		as := e.ImpersonatedUser.cut()
		out.As = &as
	}
	out.options(e)
	out.answer(e)
	each(out)
	return nil
}

func (u *user) cut() User { return User{short(u.Username), u.Groups} }

// options reads what the request asks for beside the object: in its URI, and of a delete
// in its body. The manager is the URI's, or else the beginning of the user agent
// (apiserver v0.37 pkg/endpoints/handlers/create.go managerOrUserAgent).
func (out *Event) options(e *event) {
	var asked url.Values
	if u, err := url.ParseRequestURI(e.RequestURI); err == nil && len(u.RawQuery) < longest {
		asked = u.Query()
	}
	out.DryRun = slices.Contains(asked["dryRun"], "All")
	out.Manager = short(asked.Get("fieldManager"))
	if out.Manager == "" {
		out.Manager, _, _ = strings.Cut(out.UserAgent, "/")
	}
	var body struct {
		Kind          string `json:"kind"`
		DryRun        few    `json:"dryRun"`
		DeleteOptions *struct {
			DryRun few `json:"dryRun"`
		} `json:"deleteOptions"`
	}
	if e.RequestObject == nil || json.Unmarshal(e.RequestObject, &body) != nil {
		return
	}
	switch {
	case body.Kind == "DeleteOptions" && slices.Contains(body.DryRun, "All"),
		body.Kind == "Eviction" && body.DeleteOptions != nil && slices.Contains(body.DeleteOptions.DryRun, "All"):
		out.DryRun = true
	}
}

// answer reads who the object is that was answered with. Of a Status the API server logs
// the details at each level (apiserver v0.37 pkg/audit/request.go LogResponseObject).
func (out *Event) answer(e *event) {
	if s := e.ResponseStatus; s != nil {
		if out.Code = s.Code; s.Details != nil && s.Details.UID != "" {
			out.Answer = Answer{Status: true, Name: short(s.Details.Name), UID: short(s.Details.UID)}
		}
	}
	var body struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Name            string `json:"name"`
			UID             string `json:"uid"`
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if e.ResponseObject == nil || json.Unmarshal(e.ResponseObject, &body) != nil {
		return
	}
	if body.Kind != "Status" && body.Kind != "Table" && !strings.HasSuffix(body.Kind, "List") {
		m := body.Metadata
		out.Answer = Answer{Name: short(m.Name), UID: short(m.UID), ResourceVersion: short(m.ResourceVersion)}
	}
}
