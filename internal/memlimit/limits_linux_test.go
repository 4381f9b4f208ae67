package memlimit

import (
	"testing"
	"testing/fstest"
)

func TestCgroupLimit(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"none", nil, 0},
		{"version 2", map[string]string{
			"proc/self/cgroup": "0::/kubepods/pod1/c\n", "sys/fs/cgroup/kubepods/pod1/c/memory.max": "1000\n", "sys/fs/cgroup/kubepods/memory.max": "max\n",
		}, 1000},
		{"of a parent", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "500\n",
		}, 500},
		{"in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "700\n"}, 700},
		{"above the container", map[string]string{"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/memory.max": "700\n"}, 700},
		{"unlimited", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 0},
		{"version 1", map[string]string{
			"proc/self/cgroup":                             "7:blkio:/x\n4:cpu,memory:/docker/1\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "300\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1\n",
		}, 300},
		{"version 1, unlimited", map[string]string{
			"proc/self/cgroup": "4:memory:/docker/1\n", "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		{"malformed", map[string]string{"proc/self/cgroup": "0\n:\n\n0::/a\n", "sys/fs/cgroup/a/memory.max": "-5\n"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range test.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := cgroupLimit(root); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// TestAddressSpace: the heap grows an arena at a time.
func TestAddressSpace(t *testing.T) {
	one := usage{heap: 2 << 20, overhead: 5 << 20}
	for _, test := range []struct {
		offset, left, want int64
	}{
		{0, -1, arena}, {0, 0, arena}, {0, arena, arena}, {0, arena + spare, 2 * arena}, {0, 3*arena + spare, 4 * arena},
		{arena / 4, 0, arena * 3 / 4}, {arena - 1<<20, 0, arena + 1<<20},
	} {
		b := addressSpace(one, test.offset, test.left)
		if most := within(test.want+one.overhead, "ulimit -v"); b != most {
			t.Errorf("with %d left after %d: %v, want %v", test.left, test.offset, b, most)
		}
		if b.exceeded(usage{live: b.soft, held: b.hard}) != nil {
			t.Error("what fits is refused")
		}
		if b.exceeded(usage{live: b.soft + 1}) == nil || b.exceeded(usage{held: b.hard + 1}) == nil {
			t.Error("what does not fit is let be")
		}
	}
}

// TestHeapOffset: the heap begins at a page, and what begins it is not in what it holds.
func TestHeapOffset(t *testing.T) {
	offset := heapOffset()
	if offset < 0 || offset >= arena || offset%4096 != 0 {
		t.Errorf("the heap begins at %d", offset)
	}
	if again := heapOffset(); again != offset {
		t.Errorf("the heap begins at %d, then at %d", offset, again)
	}
}
