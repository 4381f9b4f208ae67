package clustertest

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// outage plays an outage for the kubelet of every node and says how long after the API
// is back each has relisted its pods. A kubelet whose watch is refused waits for the
// next time of its backoff and tries again; the first try that is answered is answered
// with 410, and the kubelet waits once more before it lists (client-go v0.37
// tools/cache/reflector.go watchWithResync, watch). The backoff is client-go's own but
// for its jitter, which is drawn here so that a cluster can be made again.
func outage(seed uint64, length time.Duration, nodes []string) map[string]time.Duration {
	rng := rand.New(rand.NewPCG(seed, 3))
	lists := map[string]time.Duration{}
	for _, node := range nodes {
		backoff := wait.Backoff{Duration: 800 * time.Millisecond, Cap: 30 * time.Second, Steps: 38, Factor: 2}
		step := func() time.Duration { return time.Duration((1 + rng.Float64()) * float64(backoff.Step())) }
		at := time.Duration(rng.Float64() * float64(time.Second)) // when its watch breaks
		for at < length {
			at += step()
		}
		lists[node] = at + step() - length
	}
	return lists
}

// nodes are those with a kubelet that the restore leaves running.
func (b *builder) nodes() []string { return slices.Sorted(maps.Keys(b.LastSeen)) }
