package restore

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"revenant/internal/words"
)

// FutureWatchers says what a fault of older etcds does to API servers that are left
// running while the store goes back, and whether the cluster's etcd has it; "" where
// it is known not to. Watches that wait for a revision of the future are lowered when
// their member receives a snapshot from its leader (etcd server/v3 v3.5.13
// mvcc/watchable_store.go syncWatchers; fixed by etcd pull request 20281).
func FutureWatchers(states ...*State) string {
	known, has := etcdVersions(states)
	if !has {
		return ""
	}
	return "etcd before 3.4.38, 3.5.22 and 3.6.2 has a fault that shows here (etcd pull request 20281): a member that receives a snapshot from its leader, because it was added after the restore or fell far behind, lowers watches that wait for a revision of the future. " +
		"API servers that were left running and watch such a member are then sent what is written from there on, at revisions below those they hold, and their lists mix the erased past with the restored state. " + known
}

// etcdVersions says which etcd the newest of the states shows; has is false where all
// of it is known to be without the fault.
func etcdVersions(states []*State) (known string, has bool) {
	for _, s := range states {
		faulty, fixed := s.etcdPods()
		switch {
		case len(faulty) > 0:
			return "These members have it: " + words.First(faulty, mostNamed) + ".", true
		case s.EtcdMembers > 0 && fixed >= s.EtcdMembers:
			return "", false
		}
		if major, minor, ok := twoNumbers(s.EtcdVersion); ok {
			if major > 3 || major == 3 && minor >= 7 {
				return "", false
			}
			return fmt.Sprintf("The cluster is at etcd %d.%d; whether all its members have the fix is not known.", major, minor), true
		}
	}
	return "Which etcd the members run is not known.", true
}

var etcdImage = regexp.MustCompile(`etcd[^/:@]*:v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:[-+_.@][^/]*)?$`)

// etcdPods reads the versions of members from the images of their static pods: those
// that have the fault, named, and the number of those that have not.
func (s *State) etcdPods() (faulty []string, fixed int) {
	for _, p := range s.Pods {
		if p.Mirror == "" || p.Namespace != "kube-system" {
			continue
		}
		for _, c := range p.Containers {
			m := etcdImage.FindStringSubmatch(c.Image)
			if c.Name != "etcd" || m == nil {
				continue
			}
			major, minor, patch := number3(m[1]), number3(m[2]), number3(m[3])
			least, fixedThere := map[int]int{4: 38, 5: 22, 6: 2}[minor]
			if major > 3 || major == 3 && (minor > 6 || fixedThere && patch >= least) {
				fixed++
			} else {
				faulty = append(faulty, fmt.Sprintf("%s (%d.%d.%d)", p.Name, major, minor, patch))
			}
		}
	}
	slices.Sort(faulty)
	return faulty, fixed
}

// number3 is a number of a few digits.
func number3(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// twoNumbers are the first two of a version.
func twoNumbers(version string) (major, minor int, ok bool) {
	n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return major, minor, n == 2
}
