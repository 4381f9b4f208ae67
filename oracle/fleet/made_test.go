package fleet

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"revenant/internal/clustertest"
)

// days is how many snapshots a cluster has, one a day.
const days = 4

// began is about when the first snapshot was taken.
var began = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// secret is what every Secret of the fleet holds.
const secret = "correct-horse-battery"

// cluster is one that is made: by its number, always the same.
type cluster struct {
	*clustertest.History
	number int
	random *rand.Rand
	now    time.Time
	nodes  int
	made   int // pods
	alive  []int
	err    error
}

func uid(number int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", number) }

// file is where a snapshot of a cluster is, below the fleet's directory.
func file(number, day int) string { return fmt.Sprintf("cluster-%03d/day-%d.db", number, day) }

// makeFleet writes the snapshots of that many clusters into a directory, and the list of
// them: every one with the last of its cluster as the current state.
func makeFleet(dir string, clusters int) error {
	var list []byte
	for n := range clusters {
		c := &cluster{History: clustertest.NewHistory(), number: n, random: rand.New(rand.NewPCG(1, uint64(n))), now: began.Add(time.Duration(n) * time.Minute), nodes: 2 + n%3}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file(n, 0))), 0o700); err != nil {
			return err
		}
		before := int64(0) // revision of the day before
		for day := range days {
			c.day(day)
			if c.err != nil {
				return c.err
			}
			compacted := before
			if n%4 == 0 { // nothing compacts it
				compacted = 0
			}
			data, err := c.Save(dir, compacted, true)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, file(n, day)), hurt(n, day, data), 0o400)
			}
			if err != nil {
				return err
			}
			list = fmt.Appendf(list, "%s\t%s\n", file(n, day), file(n, days-1))
			before, c.now = c.Revision(), c.now.Add(24*time.Hour)
		}
	}
	return os.WriteFile(filepath.Join(dir, "list.txt"), list, 0o400)
}

// hurt is what is left of some snapshots.
func hurt(number, day int, data []byte) []byte {
	switch {
	case number%10 == 3 && day == 1:
		data[len(data)/2] ^= 0xff
	case number%10 == 7 && day == 2:
		return data[:len(data)/2]
	case number%10 == 9 && day == 0:
		return []byte("<html>403 Forbidden</html>\n")
	}
	return data
}

func (c *cluster) object(path string, o runtime.Object) {
	if c.err == nil {
		c.err = c.Object(path, o)
	}
}

func (c *cluster) meta(namespace, name, id string, age time.Duration) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(fmt.Sprintf("%d-%s", c.number, id)), CreationTimestamp: metav1.NewTime(c.now.Add(-age)),
		Labels: map[string]string{"cluster": fmt.Sprint(c.number)},
	}
}

// day writes what happens until a snapshot is taken.
func (c *cluster) day(day int) {
	if day == 0 {
		c.first()
	}
	for range 3 + c.random.IntN(4) {
		c.pod()
	}
	for range min(2*day, len(c.alive)/2) {
		i := c.random.IntN(len(c.alive))
		c.Delete(fmt.Sprintf("/registry/pods/team-%d/web-%d", c.alive[i]%2, c.alive[i]))
		c.alive = append(c.alive[:i], c.alive[i+1:]...)
	}
	config := &corev1.ConfigMap{ObjectMeta: c.meta("team-0", "settings", "settings", 0), Data: map[string]string{"day": fmt.Sprint(day)}}
	config.CreationTimestamp = metav1.NewTime(began)
	c.object("configmaps/team-0/settings", config)
	if day == 2 {
		c.object("configmaps/team-1/new", &corev1.ConfigMap{ObjectMeta: c.meta("team-1", "new", "new", time.Hour)})
	}
	if day == 3 {
		c.Delete("/registry/secrets/team-0/secret-0")
	}
	for n := range c.nodes {
		renewed := metav1.NewMicroTime(c.now.Add(time.Duration(n) * time.Second))
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: fmt.Sprintf("node-%d", n), UID: types.UID(fmt.Sprint("lease", n))}}
		lease.Spec.RenewTime = &renewed
		c.object("leases/kube-node-lease/"+lease.Name, lease)
	}
}

// first writes the objects of a new cluster.
func (c *cluster) first() {
	system := &corev1.Namespace{ObjectMeta: c.meta("", "kube-system", "", 500*24*time.Hour)}
	system.UID = types.UID(uid(c.number))
	c.object("namespaces/kube-system", system)
	for n := range 2 {
		name := fmt.Sprintf("team-%d", n)
		c.object("namespaces/"+name, &corev1.Namespace{ObjectMeta: c.meta("", name, name, 300*24*time.Hour)})
		c.object(fmt.Sprintf("replicasets/%s/web", name), &appsv1.ReplicaSet{ObjectMeta: c.meta(name, "web", name+"-web", 200*24*time.Hour), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32)}})
	}
	for n := range c.nodes {
		node := &corev1.Node{ObjectMeta: c.meta("", fmt.Sprintf("node-%d", n), fmt.Sprint("node", n), 300*24*time.Hour)}
		node.Status.NodeInfo.KubeletVersion = []string{"v1.35.4", "v1.36.1", "v1.37.2"}[(c.number+n/2)%3]
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		c.object("minions/"+node.Name, node)
	}
	for n, age := range []int{400, 100 + c.number%50, 10} {
		name := fmt.Sprintf("secret-%d", n)
		c.object("secrets/team-0/"+name, &corev1.Secret{ObjectMeta: c.meta("team-0", name, name, time.Duration(age)*24*time.Hour), Data: map[string][]byte{"password": []byte(secret)}})
	}
	switch c.number % 5 {
	case 0:
		c.object("poddisruptionbudgets/team-0/web", &policyv1beta1.PodDisruptionBudget{ObjectMeta: c.meta("team-0", "web", "budget", 300*24*time.Hour)})
	case 1:
		c.object("cronjobs/team-1/report", &batchv1beta1.CronJob{ObjectMeta: c.meta("team-1", "report", "cron", 300*24*time.Hour)})
	}
}

// pod writes a pod that runs.
func (c *cluster) pod() {
	c.made++
	team := fmt.Sprintf("team-%d", c.made%2)
	controller := true
	p := &corev1.Pod{ObjectMeta: c.meta(team, fmt.Sprintf("web-%d", c.made), fmt.Sprint("pod", c.made), time.Hour)}
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: types.UID(fmt.Sprintf("%d-%s-web", c.number, team)), Controller: &controller}}
	p.Spec = corev1.PodSpec{
		NodeName: fmt.Sprintf("node-%d", c.random.IntN(c.nodes)), RestartPolicy: corev1.RestartPolicyAlways,
		InitContainers: []corev1.Container{{Name: "init", Image: "registry.example/init:1"}},
		Containers:     []corev1.Container{{Name: "web", Image: fmt.Sprintf("registry.example/web:%d", c.random.IntN(5))}},
	}
	p.Status.Phase = corev1.PodRunning
	if c.made%7 == 0 {
		p.Status.Phase = corev1.PodSucceeded
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", Ready: true, Image: p.Spec.Containers[0].Image, ImageID: "sha256:" + p.Spec.Containers[0].Image, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	c.object(fmt.Sprintf("pods/%s/%s", team, p.Name), p)
	c.alive = append(c.alive, c.made)
}
