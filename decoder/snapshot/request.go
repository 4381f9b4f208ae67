package snapshot

import (
	"errors"
	"iter"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"revenant/decoder/wire"
)

// Requests are read where they lie in their entries: unmarshalled, an entry of a
// megabyte of empty operations would take hundreds of megabytes. An entry is
// checked once as a whole, and walked over then without errors.

// shape is what a field of a request holds (etcd api/v3 v3.7
// etcdserverpb/raft_internal.proto, rpc.proto).
type shape uint8

const (
	unknown shape = iota // a field that this program does not know
	number
	octets
	v2Request // of the v2 API; see isV2
	opaque    // a message that changes no key, whatever is in it
	header
	internalRequest
	rangeRequest
	putRequest
	deleteRequest
	txnRequest
	compareRequest
	requestOp
	compactionRequest
	grantRequest
	revokeRequest
	alarmRequest
	alarmMember
)

// Fields of an InternalRaftRequest.
const (
	v2Field             = 2
	rangeField          = 3
	putField            = 4
	deleteField         = 5
	txnField            = 6
	compactionField     = 7
	grantField          = 8
	revokeField         = 9
	alarmField          = 10
	checkpointField     = 11
	headerField         = 100
	authEnableField     = 1000
	downgradeInfoField  = 1302
	downgradeTestField  = 9900
	clusterVersionField = 1300
	memberAttrField     = 1301
)

// field is the shape of one of the message's fields, of which the first is 1.
func (s shape) field(num int32) shape {
	upTo := func(last int32, of shape) shape {
		if num > last {
			return unknown
		}
		return of
	}
	switch s {
	case internalRequest:
		return requestField(num)
	case header:
		if num == 2 {
			return octets
		}
		return upTo(3, number)
	case rangeRequest:
		if num <= 2 {
			return octets
		}
		return upTo(13, number)
	case putRequest:
		if num <= 2 {
			return octets
		}
		return upTo(6, number)
	case deleteRequest:
		if num <= 2 {
			return octets
		}
		return upTo(3, number)
	case txnRequest:
		if num == 1 {
			return compareRequest
		}
		return upTo(3, requestOp)
	case compareRequest:
		if num == 3 || num == 7 || num == 64 {
			return octets
		}
		return upTo(8, number)
	case requestOp:
		return upTo(4, rangeRequest+shape(num)-1)
	case compactionRequest, grantRequest, alarmMember:
		return upTo(2, number)
	case revokeRequest:
		return upTo(1, number)
	case alarmRequest:
		return upTo(3, number)
	}
	return unknown
}

func requestField(num int32) shape {
	switch num {
	case 1:
		return number
	case headerField:
		return header
	case rangeField, putField, deleteField, txnField:
		return rangeRequest + shape(num-rangeField)
	case compactionField, grantField, revokeField, alarmField:
		return compactionRequest + shape(num-compactionField)
	case v2Field:
		return v2Request
	case checkpointField, downgradeTestField:
		return opaque
	}
	for _, of := range [][2]int32{
		{authEnableField, authEnableField}, {1011, 1013}, {1100, 1107}, {1200, 1204}, {clusterVersionField, downgradeInfoField},
	} {
		if num >= of[0] && num <= of[1] {
			return opaque
		}
	}
	return unknown
}

// Errors that say why an entry cannot be applied.
var (
	errRequest = errors.New("is not a request that etcd writes")
	errDeep    = errors.New("holds transactions nested deeper than etcd reads")
	errNothing = errors.New("asks for nothing that this program knows")
)

// maxNesting bounds messages within messages, as protobuf does that etcd reads
// them with. A transaction within another is the second message in it.
const maxNesting = protowire.DefaultRecursionLimit

// request is what an entry asks for.
type request struct {
	field   int32  // of the InternalRaftRequest; 0 for one of the v2 API
	body    []byte // of the message in it, or of the v2 API's
	unknown bool   // there are fields in it that this program does not know
}

// parseRequest reads the data of an entry, which the request aliases.
func parseRequest(data []byte) (request, error) {
	c := requestChecker{}
	if err := c.check(data, internalRequest, 1); err != nil {
		if errors.Is(err, errRequest) && isV2(data) {
			return request{body: data}, nil
		}
		return request{}, err
	}
	r := request{unknown: c.unknown}
	for num, f := range fields(data) {
		if of := requestField(num); of > octets && of != header {
			r.field, r.body = num, f.bytes
		}
	}
	if r.field == v2Field {
		if !isV2(r.body) {
			return request{}, errRequest
		}
		r.field = 0
	} else if r.field == 0 {
		return request{}, errNothing
	}
	return r, nil
}

type requestChecker struct{ unknown bool }

// check says whether b is a message of that shape. It is stricter than protobuf
// where etcd writes no such thing: fields have their wire type, and no message is
// there twice.
func (c *requestChecker) check(b []byte, of shape, depth int) error {
	if depth > maxNesting {
		return errDeep
	}
	messages := 0
	for f, err := range wire.Fields(b) {
		if err != nil {
			return errRequest
		}
		switch field := of.field(f.Num()); {
		case of == opaque:
		case field == unknown:
			c.unknown = true
		case field == number:
			if f.Type() != wire.Varint {
				return errRequest
			}
		case f.Type() != wire.Bytes:
			return errRequest
		case field == v2Request:
			messages++
		case field > octets:
			if field != header && of != txnRequest {
				messages++
			}
			if err := c.check(f.Payload(b), field, depth+1); err != nil {
				return err
			}
		}
		if messages > 1 {
			return errRequest // two requests in one
		}
	}
	return nil
}

// v2Methods are those of etcd's v2 API, by which members of 3.4 and 3.5 publish
// themselves. Its store is not that of the keys.
var v2Methods = []string{"POST", "PUT", "DELETE", "QGET", "SYNC"}

// isV2 says whether b is a request of the v2 API (etcd api/v3 v3.5
// etcdserverpb/etcdserver.proto).
func isV2(b []byte) bool {
	method := ""
	for f, err := range wire.Fields(b) {
		text := f.Num() >= 2 && f.Num() <= 4 || f.Num() == 6
		if err != nil || f.Num() > 17 || text != (f.Type() == wire.Bytes) || !text && f.Type() != wire.Varint {
			return false
		}
		if f.Num() == 2 {
			method = string(f.Payload(b))
		}
	}
	return slices.Contains(v2Methods, method)
}

// fieldValue is the value of a field, as a number or as bytes.
type fieldValue struct {
	number uint64
	bytes  []byte
}

// fields yields the fields of a message that was checked, known and unknown.
func fields(b []byte) iter.Seq2[int32, fieldValue] {
	return func(yield func(int32, fieldValue) bool) {
		for f := range wire.Fields(b) {
			v := fieldValue{number: f.Val}
			if f.Type() == wire.Bytes {
				v = fieldValue{bytes: f.Payload(b)}
			}
			if !yield(f.Num(), v) {
				return
			}
		}
	}
}

// put is an etcdserverpb.PutRequest.
type put struct {
	key, value               []byte
	lease                    int64
	ignoreValue, ignoreLease bool
}

func parsePut(b []byte) (p put) {
	for num, f := range fields(b) {
		switch num {
		case 1:
			p.key = f.bytes
		case 2:
			p.value = f.bytes
		case 3:
			p.lease = int64(f.number)
		case 5:
			p.ignoreValue = f.number != 0
		case 6:
			p.ignoreLease = f.number != 0
		}
	}
	return p
}

// keyRange is the key and the end of a DeleteRangeRequest.
func keyRange(b []byte) (key, end []byte) {
	for num, f := range fields(b) {
		switch num {
		case 1:
			key = f.bytes
		case 2:
			end = f.bytes
		}
	}
	return key, end
}

// numbers are the values of a message's first three fields, of which the second
// and the third may be missing: all there is in small requests.
func numbers(b []byte) (n [4]uint64) {
	for num, f := range fields(b) {
		if num < 4 {
			n[num] = f.number
		}
	}
	return n
}

// compare is an etcdserverpb.Compare.
type compare struct {
	key, end       []byte
	result, target int32
	field          int32 // of what is compared with
	number         int64
	value          []byte
}

// Results and targets of a compare.
const (
	equal    = 0
	greater  = 1
	less     = 2
	notEqual = 3

	targetVersion = 0
	targetCreate  = 1
	targetMod     = 2
	targetValue   = 3
	targetLease   = 4
)

func parseCompare(b []byte) (c compare) {
	for num, f := range fields(b) {
		switch num {
		case 1:
			c.result = int32(f.number)
		case 2:
			c.target = int32(f.number)
		case 3:
			c.key = f.bytes
		case 64:
			c.end = f.bytes
		case 4, 5, 6, 7, 8:
			c.field, c.number, c.value = num, int64(f.number), f.bytes
		}
	}
	// What stands for another target counts for nothing (txn.go compareKV).
	if c.field != int32(c.target)+4 {
		c.number, c.value = 0, nil
	}
	return c
}

// ops yields the operations of one branch of a transaction: the field of the
// RequestOp that is set, known or not, and the message in it. An empty one is left out.
func ops(txn []byte, success bool) iter.Seq2[int32, []byte] {
	branch := int32(3)
	if success {
		branch = 2
	}
	return func(yield func(int32, []byte) bool) {
		for num, f := range fields(txn) {
			if num != branch {
				continue
			}
			for num, op := range fields(f.bytes) {
				if !yield(num, op.bytes) {
					return
				}
			}
		}
	}
}

// Fields of a RequestOp.
const (
	opRange  = 1
	opPut    = 2
	opDelete = 3
	opTxn    = 4
)
