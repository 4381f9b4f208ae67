package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
)

// ask asks kubectl for a list. Without a namespace revenant lists all of them, and so
// does -A.
func (c *cluster) ask(args []string) query {
	full := append([]string{"get"}, args...)
	if !slices.Contains(args, "-n") {
		full = append(full, "-A")
	}
	q := query{Args: args}
	var err error
	var exit *exec.ExitError
	q.Stdout, q.Stderr, err = c.run(full...)
	if q.Failed = err != nil; q.Failed && !errors.As(err, &exit) {
		q.Stderr = err.Error()
	}
	return q
}

// tables are the tables and names of every resource.
func tables(all []resource) (list [][]string) {
	for _, r := range all {
		name := r.full()
		list = append(list, []string{name}, []string{name, "-o", "wide"}, []string{name, "-o", "name"})
	}
	return append(list, []string{"all"}, []string{"all", "-o", "wide", "-n", "shop"}, []string{"deploy,svc,widgets", "-n", "shop"}, []string{"po", "--show-labels"},
		[]string{"no", "--show-labels", "--no-headers"}, []string{"wd,pc", "-o", "wide", "--show-labels"},
		[]string{"cm", "-o", "json"}, []string{"widgets", "-o", "yaml"}, []string{"pods", "running", "-n", "shop", "-o", "yaml"}, []string{"crd", "-o", "yaml"},
		[]string{"deployments", "-o", "json", "--show-managed-fields"}, []string{"nodes", "-o", "yaml"}, []string{"pv", "-o", "json"}, []string{"svc", "none", "-o", "json", "-n", "shop"})
}

// What queries are made of.
var (
	asked = []string{
		"pods", "pods", "pods", "po", "nodes", "no", "services", "svc", "deployments", "deploy.apps", "replicasets", "statefulsets", "jobs", "cronjobs",
		"persistentvolumes", "pvc", "configmaps", "events", "ingresses", "widgets", "wd", "plains", "services.serving.example.com", "hpa", "endpointslices",
		"resourcequotas", "priorityclasses", "leases.coordination.k8s.io", "resourceslices", "ns", "secrets", "csr", "crd", "sa", "replicationcontrollers",
	}
	paths = []string{
		".metadata.name", ".metadata.name", ".metadata.namespace", ".kind", ".apiVersion", ".metadata.labels", ".metadata.labels.app", ".metadata.labels['app']",
		`.metadata.labels.kubernetes\.io/hostname`, ".metadata.annotations", ".metadata.finalizers", ".metadata.finalizers[0]", ".metadata.ownerReferences[*].name",
		".status.phase", ".spec.nodeName", ".spec.containers[*].name", ".spec.containers[0].image", ".spec.containers[1].image", ".spec.containers[-1:].image",
		".status.containerStatuses[*].restartCount", ".status.containerStatuses[0].state", ".spec.initContainers[*].name", ".spec.replicas", ".status.readyReplicas",
		".spec.ports[*].port", ".spec.ports[0]", ".spec.type", ".spec.selector", ".spec.unschedulable", ".spec.taints", ".spec.taints[*].key", ".status.addresses[*].address",
		".spec.capacity.storage", ".spec.hard", ".status.used.memory", ".value", ".spec.size", ".spec.ratio", ".spec.open", ".spec.tags", ".spec.tags[*]", ".spec.nested.deep[*].x",
		".nothing", ".spec.schedule", ".status.startTime", ".status.active", ".data", ".type", ".spec.template.spec.containers[*].image", ".status.conditions[?(@.type==\"Ready\")].status",
		".spec.hostNetwork", ".spec.parallelism", ".immutable", ".globalDefault", ".status.podIPs[*].ip", ".metadata.deletionGracePeriodSeconds", ".spec.template.a",
	}
	orders = []string{
		".metadata.name", "{.metadata.name}", "metadata.name", ".metadata.namespace", ".status.phase", ".spec.nodeName", ".spec.replicas", ".spec.capacity.storage", ".value", ".spec.size", ".spec.ratio",
		".status.startTime", ".nothing", ".status.containerStatuses[0].restartCount", ".spec.type", ".metadata.labels.app", ".spec.tags[0]", ".spec.containers[0].image", ".kind", ".type",
		".status.used.memory", ".spec.ports[0].port", "{.items", ".spec.open", ".status.podIP", ".spec.clusterIP", ".count", ".lastTimestamp", ".spec.resources.requests.storage",
	}
	selectors = []string{
		"app=web", "app", "!app", "app!=web", "app in (web,db)", "app notin (web)", "app=web,tier=front", "tier", "x=y", "app==db", "env=prod", "app in (", "app=web,", "zone>1", "kubernetes.io/hostname",
	}
	fieldSelectors = []string{
		"metadata.name=running", "metadata.name!=running", "metadata.namespace=data", "metadata.namespace!=kube-system", "status.phase=Running", "status.phase!=Running", "spec.nodeName=node-1",
		"spec.nodeName=", "spec.nodeName!=", "status.phase=Running,spec.nodeName=node-1", "spec.restartPolicy=Never", "status.podIP=10.1.1.5", "spec.unschedulable=true", "spec.unschedulable=false", "spec.type=LoadBalancer",
		"spec.clusterIP=None", "type=Opaque", "type=Warning", "reason=Pulled", "involvedObject.kind=Pod", "involvedObject.name=web", "status.successful=3", "status.successful=0", "status.replicas=0", "status.replicas!=0",
		"spec.color=red", "spec.color!=red", "spec.color=", "spec.size=7", "nothing=1", "spec.signerName=example.com/signer", "status.nominatedNodeName=node-3", "source=kubelet", "source=node-controller",
		"reportingComponent=node-controller", "reportingComponent=example.com/ctl", "spec.driver=net.example.com", "spec.hostNetwork=true", "spec.schedulerName=other", "spec.serviceAccountName=robot", "a", "a=b=c",
	}
	malformed = []string{
		"{.items", "{.items[}", "{range .items[*]}{.kind}", "{end}", "", ".items[*].metadata.name", "plain text", "{.items[*].metadata.name", "{.items[100].kind}", "{.items[abc]}", "{.a.b.c}", "{'quoted'}", `{"x\ty"}`, "{.items[0]['kind','apiVersion']}",
		"{.items[0].metadata}", "{.items[0:4:2].metadata.name}", "{.items[-2:].metadata.name}", "{.kind}{'\\n'}{.apiVersion}", "{@.items[*].kind}", "{$.items[0].kind}", "{.items[?(@.spec.replicas>2)].metadata.name}",
		"{.items[?(@.spec.size>=7)].metadata.name}", "{.items[?(@.metadata.name!=\"web\")].metadata.name}", "{.items[?(@.spec.nodeName)].metadata.name}", "{.items[?(@.kind=='Pod')].metadata.name}", "{range .items[*]}[{.metadata.name},{.spec.replicas}] {end}",
		"{range .items[*]}{range .spec.containers[*]}{.name} {end}{\"\\n\"}{end}", "{.items[0]}{.items[1]}", "{.metadata.resourceVersion}", "{.items[*].metadata.labels.app}",
	}
	names = map[string][]string{
		"pods": {"running", "restarted", "nothing"}, "nodes": {"node-1", "cp-1", "nothing"}, "services": {"web", "balanced"}, "deployments": {"web"}, "widgets": {"full", "empty"},
		"persistentvolumes": {"pv-bound"}, "jobs": {"complete"}, "hpa": {"cpu"}, "plains": {"p1"}, "cm": {"settings"}, "priorityclasses": {"high", "low"},
	}
)

// queries makes command lines from a seed.
func queries(seed uint64, n int) (list [][]string) {
	r := rand.New(rand.NewPCG(seed, 0))
	one := func(of []string) string { return of[r.IntN(len(of))] }
	namespace := func() string { return one([]string{"shop", "shop", "data", "kube-system", "none"}) }
	for _, expression := range malformed {
		for _, format := range []string{"jsonpath=", "jsonpath-as-json="} {
			list = append(list, []string{one([]string{"pods", "nodes", "deployments", "widgets"}), "-o", format + expression})
		}
	}
	for len(list) < n {
		args := []string{one(asked)}
		if r.IntN(5) == 0 { // objects by their names
			kind := one(slices.Sorted(keys(names)))
			args = []string{kind, one(names[kind])}
			switch r.IntN(4) {
			case 0:
				args = append(args, one(names[kind]))
			case 1:
				args = []string{kind + "/" + args[1]}
			}
			where := namespace()
			args = append(args, "-n", where)
		} else {
			if r.IntN(4) == 0 {
				args[0] += "," + one(asked)
			}
			if r.IntN(3) == 0 {
				args = append(args, "-n", namespace())
			}
			if r.IntN(3) == 0 {
				args = append(args, "-l", one(selectors))
			}
			if r.IntN(3) == 0 {
				args = append(args, "--field-selector", one(fieldSelectors))
			}
		}
		if r.IntN(3) == 0 {
			args = append(args, "--sort-by", one(orders))
		}
		list = append(list, append(args, output(r, one)...))
	}
	return list
}

func output(r *rand.Rand, one func([]string) string) []string {
	var text strings.Builder
	switch r.IntN(9) {
	case 0:
		return []string{"-o", "jsonpath={.items[*]" + one(paths) + "}"}
	case 1:
		return []string{"-o", "jsonpath={" + one(paths) + "}"}
	case 2:
		text.WriteString("jsonpath={range .items[*]}")
		for range 1 + r.IntN(3) {
			fmt.Fprintf(&text, "{%s}{\"\\t\"}", one(paths))
		}
		return []string{"-o", text.String() + "{\"\\n\"}{end}"}
	case 3:
		return []string{"-o", "jsonpath-as-json={.items[*]" + one(paths) + "}"}
	case 4, 5:
		text.WriteString("custom-columns=")
		for i := range 1 + r.IntN(4) {
			if i > 0 {
				text.WriteByte(',')
			}
			path := one(paths)
			if r.IntN(4) == 0 {
				path = strings.TrimPrefix(path, ".")
			}
			if r.IntN(8) == 0 {
				path = "{" + path + "}"
			}
			fmt.Fprintf(&text, "%s:%s", one([]string{"NAME", "x", "Two Words", "LONGER_HEADER"}), path)
		}
		args := []string{"-o", text.String()}
		if r.IntN(4) == 0 {
			args = append(args, "--no-headers")
		}
		return args
	case 6:
		return []string{"-o", "name"}
	case 7:
		return []string{"-o", "wide"}
	}
	return [][]string{nil, {"--show-labels"}, {"--no-headers"}, {"--show-labels", "--no-headers"}}[r.IntN(4)]
}
