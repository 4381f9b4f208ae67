package memlimit

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// arena is what the runtime maps at a time for its heap (runtime/malloc.go
// heapArenaBytes on 64 bits).
const arena = 64 << 20

// spare is the address space left for stacks of threads.
const spare = 16 << 20

func systemLimits() []limit {
	var all []limit
	if max := resourceLimit(unix.RLIMIT_AS); max > 0 {
		unused := heapOffset()
		takeArenas(max - memoryMap(allPages) - spare)
		all = append(all, func(u usage) bound { return addressSpace(u, unused, max-memoryMap(allPages)) })
	}
	if max := resourceLimit(unix.RLIMIT_DATA); max > 0 {
		all = append(all, func(u usage) bound {
			return within(u.heap+u.overhead+max-memoryMap(dataPages), "ulimit -d")
		})
	}
	if max := cgroupLimit(os.DirFS("/")); max > 0 {
		all = append(all, func(usage) bound { return within(max, "its cgroup") })
	}
	return all
}

// addressSpace is what a limit of the address space leaves that has so many bytes
// left. The heap takes them an arena at a time, of which the last may be used in part,
// and the first from an offset on.
func addressSpace(u usage, offset, left int64) bound {
	arenas := (offset+u.heap+arena-1)/arena + max(left-spare, 0)/arena
	return within(arenas*arena-offset+u.overhead, "ulimit -v")
}

// takeArenas has the heap take half of the address space that is left for good, and one
// arena at least, before files that are mapped do: what it may have does not shrink just
// as it grows then.
func takeArenas(left int64) {
	if left < arena {
		return
	}
	runtime.KeepAlive(make([]byte, max(left/2/arena, 1)*arena))
	debug.FreeOSMemory()
}

// heapOffset is where in its first arena the heap begins, at random since Go 1.26; 0
// when that cannot be seen. What is before it is lost.
func heapOffset() int64 {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0
	}
	inHeap := uint64(reflect.ValueOf(&text[0]).Pointer())
	from, to := uint64(0), uint64(0) // what is mapped without a break, to be written to
	for line := range strings.Lines(string(text)) {
		var first, last uint64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &first, &last, &mode); n != 3 || mode != "rw-p" {
			continue
		}
		if first != to {
			from = first
		}
		if to = last; from <= inHeap && inHeap < to {
			return int64(from % arena)
		}
	}
	return 0
}

// resourceLimit is 0 for no limit.
func resourceLimit(resource int) int64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(resource, &l); err != nil || l.Cur > math.MaxInt64 {
		return 0
	}
	return int64(l.Cur)
}

// Columns of /proc/self/statm.
const (
	allPages  = 0 // of the address space, files that are mapped included
	dataPages = 5 // that can be written to
)

// memoryMap is a column of the memory map's sizes in bytes; 0 when it cannot be read.
func memoryMap(column int) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	columns := strings.Fields(string(text))
	if column >= len(columns) {
		return 0
	}
	pages, _ := strconv.ParseInt(columns[column], 10, 64)
	return pages * int64(os.Getpagesize())
}

// cgroupLimit is the least memory limit of the cgroups that the process is in, 0 for
// none: memory.max of version 2, memory.limit_in_bytes of version 1. In a container
// their directories may be named from outside of it, and the limit stands at the top.
func cgroupLimit(root fs.FS) int64 {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		top, file := "sys/fs/cgroup", "memory.max"
		if fields[0] != "0" {
			top, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
			if !slices.Contains(strings.Split(fields[1], ","), "memory") {
				continue
			}
		}
		for dir := path.Join("/", fields[2]); ; dir = path.Dir(dir) {
			if n := readLimit(root, path.Join(top, dir, file)); n > 0 && (least == 0 || n < least) {
				least = n
			}
			if dir == "/" {
				break
			}
		}
	}
	return least
}

// unlimited is more than any machine has: version 1 states the largest number of pages
// for no limit.
const unlimited = 1 << 60

func readLimit(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is none
	if err != nil || n >= unlimited {
		return 0
	}
	return n
}

// Prepare makes the most of a small address space, where there is a limit to it. Call it
// before anything else: it may begin the program once more.
//
// A program linked with cgo loses address space to each thread: 8 MiB for a stack, and
// 64 MiB for an arena of glibc's malloc, of which Go uses next to nothing. How large they
// are is settled by what a program starts with.
func Prepare() {
	limit := resourceLimit(unix.RLIMIT_AS)
	if limit == 0 || limit > small {
		return
	}
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), threads))
	const arenas = "MALLOC_ARENA_MAX"
	if _, set := os.LookupEnv(arenas); set || !usesCgo() {
		return
	}
	var stacks unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &stacks); err == nil && stacks.Cur > stack {
		stacks.Cur = stack
		_ = unix.Setrlimit(unix.RLIMIT_STACK, &stacks)
	}
	if err := os.Setenv(arenas, "1"); err == nil {
		_ = unix.Exec("/proc/self/exe", os.Args, os.Environ()) // else with less room
	}
}

const (
	small   = 16 << 30 // bytes of address space of which threads may take a good part
	threads = 4
	stack   = 1 << 20 // bytes
)

func usesCgo() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"})
}
