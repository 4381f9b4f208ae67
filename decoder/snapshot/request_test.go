package snapshot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// nested is an entry with that many transactions in one another.
func nested(depth int) []byte {
	var heads [][]byte // of the messages, the innermost one first
	size := 0
	add := func(num protowire.Number) {
		head := protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.BytesType), uint64(size))
		heads, size = append(heads, head), size+len(head)
	}
	for range depth {
		add(opTxn)
		add(3)
	}
	add(txnField)
	slices.Reverse(heads)
	return slices.Concat(heads...)
}

// legacyRequest is a request of the v2 API as etcd 3.5 writes it: every field but the
// optional ones is there.
func legacyRequest(method, path, value string) (b []byte) {
	text := map[protowire.Number]string{2: method, 3: path, 4: value, 6: ""}
	for num := range protowire.Number(16) {
		switch s, ok := text[num]; {
		case num == 0 || num == 8: // optional
		case ok:
			b = protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
		default:
			b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(num))
		}
	}
	return b
}

func TestParseRequest(t *testing.T) {
	put := marshal(t, &etcdserverpb.PutRequest{Key: []byte("k"), Value: []byte("v")})
	field := func(num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
	}
	id := []byte("\x08\x07")
	for _, test := range []struct {
		name    string
		data    []byte
		field   int32
		unknown bool
		err     error
	}{
		{"put", append(field(putField, put), id...), putField, false, nil},
		{"v2 publish", legacyRequest("PUT", "/0/members/8e9e05c52164694d/attributes", `{"name":"default","clientURLs":["http://localhost:2379"]}`), 0, false, nil},
		{"v2 sync", legacyRequest("SYNC", "", ""), 0, false, nil},
		{"v2 of no method", legacyRequest("", "/0", ""), 0, false, errRequest},
		{"v2 with a number of a wrong type", append(legacyRequest("PUT", "/0", ""), "\x29\x00\x00\x00\x00\x00\x00\x00\x00"...), 0, false, errRequest},
		{"v2 with its last field", append(legacyRequest("PUT", "/0", ""), "\x88\x01\x01"...), 0, false, nil},
		{"v2 with a field more", append(legacyRequest("PUT", "/0", ""), "\x90\x01\x01"...), 0, false, errRequest},
		{"v2 that is cut off", append(legacyRequest("PUT", "/0", ""), "\x08"...), 0, false, errRequest},
		{"v2 with text for a number", append(legacyRequest("PUT", "/0", ""), "\x2a\x01x"...), 0, false, errRequest},
		{"v2 with a number for text", append(legacyRequest("PUT", "/0", ""), "\x18\x01"...), 0, false, errRequest},
		{"v2 within", append(field(v2Field, legacyRequest("PUT", "/0", "")), id...), 0, false, nil},
		{"not v2 within", append(field(v2Field, []byte("\xff")), id...), 0, false, errRequest},
		{"no bytes of a message", []byte{0xff}, 0, false, errRequest},
		{"text", []byte("GET / HTTP/1.1"), 0, false, errRequest},
		{"cut off", field(putField, put)[:5], 0, false, errRequest},
		{"put of a wrong type", []byte("\x20\x01"), 0, false, errRequest},
		{"key of a wrong type", field(putField, []byte("\x08\x01")), 0, false, errRequest},
		{"lease of a wrong type", field(putField, append(put, "\x1a\x01\x07"...)), 0, false, errRequest},
		{"two requests", append(field(putField, put), field(deleteField, nil)...), 0, false, errRequest},
		{"the same request twice", append(field(putField, put), field(putField, put)...), 0, false, errRequest},
		{"two operations in one", field(txnField, field(2, append(field(opPut, put), field(opDelete, nil)...))), 0, false, errRequest},
		{"only an id", id, 0, false, errNothing},
		{"a request of the future", append(field(1400, put), id...), 0, true, errNothing},
		{"a field of the future", field(putField, append(put, "\x38\x01"...)), putField, true, nil},
		{"a field of the future in a compare", field(txnField, field(1, []byte("\x98\x06\x01"))), txnField, true, nil},
		{"member attributes", append(field(1301, []byte("\x08\x01")), id...), 1301, false, nil},
		{"authentication", append(field(1100, []byte("\x0a\x01u")), id...), 1100, false, nil},
		{"as deep as protobuf reads", nested(4999), txnField, false, nil},
		{"deeper", nested(5000), 0, false, errDeep},
		{"far deeper", nested(60_000), 0, false, errDeep},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseRequest(test.data)
			if !errors.Is(err, test.err) || err == nil && (got.field != test.field || got.unknown != test.unknown) {
				t.Errorf("field %d, unknown %v, error %v; want field %d, unknown %v, error %v", got.field, got.unknown, err, test.field, test.unknown, test.err)
			}
			var r etcdserverpb.InternalRaftRequest
			if perr := proto.Unmarshal(test.data, &r); (perr == nil) != (err == nil) && (errors.Is(err, errDeep) || test.field == txnField) {
				t.Errorf("error %v, protobuf %v", err, perr)
			}
		})
	}
}

// FuzzRequest holds the walk over a request against etcd's own message types.
func FuzzRequest(f *testing.F) {
	put := &etcdserverpb.PutRequest{Key: []byte("k"), Value: []byte("v"), Lease: -1, PrevKv: true, IgnoreValue: true, IgnoreLease: true}
	txn := &etcdserverpb.TxnRequest{
		Compare: []*etcdserverpb.Compare{
			{Key: []byte("k"), RangeEnd: []byte("l"), Result: 3, Target: 3, TargetUnion: &etcdserverpb.Compare_Value{Value: []byte("v")}},
			{Target: 4, TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: 9}},
		},
		Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}}, {}},
		Failure: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestRange{RequestRange: &etcdserverpb.RangeRequest{Key: []byte("k"), Revision: 7}}}},
	}
	txn.Failure = append(txn.Failure, &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestTxn{RequestTxn: &etcdserverpb.TxnRequest{Success: txn.Success}}})
	for _, r := range []*etcdserverpb.InternalRaftRequest{
		{Header: &etcdserverpb.RequestHeader{ID: 7, Username: "u"}, Put: put},
		{ID: 7, Txn: txn},
		{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte("k"), RangeEnd: []byte{0}}},
		{Compaction: &etcdserverpb.CompactionRequest{Revision: 5, Physical: true}},
		{LeaseGrant: &etcdserverpb.LeaseGrantRequest{TTL: 60, ID: 7}},
		{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: 7}},
		{Alarm: &etcdserverpb.AlarmRequest{Action: 1, MemberID: 8, Alarm: 1}},
	} {
		f.Add(marshal(f, r))
	}
	f.Add([]byte("\x4a\x02\x10\x07"))                         // LeaseRevoke, with a field of the future where other requests have one
	f.Add([]byte("\x52\x08\x08\x01\x10\x02\x18\x01\x20\x07")) // Alarm, and a fourth field
	f.Add(nested(50))
	f.Add(legacyRequest("SYNC", "", ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseRequest(data)
		if err != nil || got.field == 0 {
			return // stricter than protobuf where etcd writes no such thing
		}
		var want etcdserverpb.InternalRaftRequest
		if err := proto.Unmarshal(data, &want); err != nil {
			if strings.Contains(err.Error(), "UTF-8") || requestField(got.field) == opaque {
				return // names that no key depends on
			}
			t.Fatalf("takes what protobuf refuses: %v", err)
		}
		if got.unknown != hasUnknown(want.ProtoReflect()) && requestField(got.field) != opaque {
			t.Fatalf("unknown fields: %v", got.unknown)
		}
		if got, want := walked(&got), said(&want); got != want {
			t.Fatalf("got\n%s\nprotobuf\n%s", got, want)
		}
	})
}

func hasUnknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				found = found || hasUnknown(v.List().Get(i).Message())
			}
		default:
			found = found || hasUnknown(v.Message())
		}
		return true
	})
	return found
}

// walked writes down what the walk over a request finds.
func walked(r *request) string {
	var b strings.Builder
	switch r.field {
	case putField:
		walkedOp(&b, opPut, r.body)
	case deleteField:
		walkedOp(&b, opDelete, r.body)
	case txnField:
		walkedOp(&b, opTxn, r.body)
	case compactionField:
		fmt.Fprint(&b, "compact ", numbers(r.body)[1])
	case grantField, revokeField, alarmField:
		n := numbers(r.body)
		clear(n[1+map[int32]int{grantField: 2, revokeField: 1, alarmField: 3}[r.field]:]) // fields that etcd does not know
		fmt.Fprint(&b, r.field, n)
	}
	return b.String()
}

func walkedOp(b *strings.Builder, kind int32, op []byte) {
	switch kind {
	case opRange:
		fmt.Fprintf(b, "range %d;", rangeRevision(op))
	case opPut:
		fmt.Fprintf(b, "put %v;", parsePut(op))
	case opDelete:
		key, end := keyRange(op)
		fmt.Fprintf(b, "delete %x %x;", key, end)
	case opTxn:
		b.WriteString("{")
		for num, f := range fields(op) {
			if num == 1 {
				c := parseCompare(f.bytes)
				c.field = 0
				fmt.Fprintf(b, "compare %v;", c)
			}
		}
		for _, branch := range []bool{true, false} {
			b.WriteString("|")
			for kind, op := range ops(op, branch) {
				walkedOp(b, kind, op)
			}
		}
		b.WriteString("}")
	}
}

// said writes down the same of etcd's message.
func said(r *etcdserverpb.InternalRaftRequest) string {
	var b strings.Builder
	switch {
	case r.Put != nil:
		saidOp(&b, &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: r.Put}})
	case r.DeleteRange != nil:
		saidOp(&b, &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestDeleteRange{RequestDeleteRange: r.DeleteRange}})
	case r.Txn != nil:
		saidOp(&b, &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestTxn{RequestTxn: r.Txn}})
	case r.Compaction != nil:
		fmt.Fprint(&b, "compact ", uint64(r.Compaction.Revision))
	case r.LeaseGrant != nil:
		fmt.Fprint(&b, grantField, [4]uint64{1: uint64(r.LeaseGrant.TTL), 2: uint64(r.LeaseGrant.ID)})
	case r.LeaseRevoke != nil:
		fmt.Fprint(&b, revokeField, [4]uint64{1: uint64(r.LeaseRevoke.ID)})
	case r.Alarm != nil:
		fmt.Fprint(&b, alarmField, [4]uint64{1: uint64(r.Alarm.Action), 2: r.Alarm.MemberID, 3: uint64(r.Alarm.Alarm)})
	}
	return b.String()
}

func saidOp(b *strings.Builder, op *etcdserverpb.RequestOp) {
	switch {
	case op.GetRequestRange() != nil:
		fmt.Fprintf(b, "range %d;", op.GetRequestRange().Revision)
	case op.GetRequestPut() != nil:
		p := op.GetRequestPut()
		fmt.Fprintf(b, "put %v;", put{p.Key, p.Value, p.Lease, p.IgnoreValue, p.IgnoreLease})
	case op.GetRequestDeleteRange() != nil:
		fmt.Fprintf(b, "delete %x %x;", op.GetRequestDeleteRange().Key, op.GetRequestDeleteRange().RangeEnd)
	case op.GetRequestTxn() != nil:
		b.WriteString("{")
		for _, c := range op.GetRequestTxn().Compare {
			want := compare{key: c.Key, end: c.RangeEnd, result: int32(c.Result), target: int32(c.Target)}
			switch c.Target {
			case etcdserverpb.Compare_VERSION:
				want.number = c.GetVersion()
			case etcdserverpb.Compare_CREATE:
				want.number = c.GetCreateRevision()
			case etcdserverpb.Compare_MOD:
				want.number = c.GetModRevision()
			case etcdserverpb.Compare_VALUE:
				want.value = c.GetValue()
			case etcdserverpb.Compare_LEASE:
				want.number = c.GetLease()
			}
			fmt.Fprintf(b, "compare %v;", want)
		}
		for _, branch := range [][]*etcdserverpb.RequestOp{op.GetRequestTxn().Success, op.GetRequestTxn().Failure} {
			b.WriteString("|")
			for _, op := range branch {
				saidOp(b, op)
			}
		}
		b.WriteString("}")
	}
}
