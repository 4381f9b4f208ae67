package memlimit

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestWatch has more in use than a limit allows.
func TestWatch(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 20))
	held := make([]byte, 8<<20)
	short, out := make(chan *Error, 1), func() { t.Error("there is nothing but a soft limit") }
	Watch(t.Context(), func(err *Error) { short <- err }, out)
	runtime.GC() // what is live is known by a collection
	err := <-short
	if err.By != "GOMEMLIMIT" || err.Limit != 1<<20 || err.Held < int64(len(held)) {
		t.Errorf("got %+v", err)
	}
	held[0] = 1 // in use until here
}
