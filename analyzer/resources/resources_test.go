package resources

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	then = clock.Interval{From: noon, To: noon}
)

// TestCells holds what is printed of objects against what `kubectl get -o wide` of a
// cluster of version 1.37 prints.
func TestCells(t *testing.T) {
	const hour = `"creationTimestamp":"2026-11-22T11:00:00Z"`
	tests := []struct {
		resource string
		name     string
		object   string // what is in it but apiVersion, kind and metadata.name
		api      string // apiVersion and kind, where it is not the resource's own
		want     string // cells, separated by |
	}{
		{"pods", "runs", `"metadata":{"name":"p",` + hour + `},"spec":{"nodeName":"n","containers":[{},{}]},
			"status":{"phase":"Running","podIPs":[{"ip":"10.0.0.1"}],"containerStatuses":[
			{"ready":true,"restartCount":2,"state":{"running":{}},"lastState":{"terminated":{"finishedAt":"2026-11-22T11:55:00Z"}}},
			{"ready":false,"restartCount":1,"state":{"running":{}}}]}`, "",
			"p|1/2|Running|3 (5m ago)|60m|10.0.0.1|n|<none>|<none>"},
		{"pods", "crashes", `"metadata":{"name":"p",` + hour + `},"spec":{"containers":[{}]},
			"status":{"phase":"Running","containerStatuses":[{"restartCount":9,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}`, "",
			"p|0/1|CrashLoopBackOff|9|60m|<none>|<none>|<none>|<none>"},
		{"pods", "initializes", `"metadata":{"name":"p",` + hour + `},"spec":{"initContainers":[{"name":"a"},{"name":"b"}],"containers":[{}]},
			"status":{"phase":"Pending","initContainerStatuses":[{"name":"a","state":{"terminated":{"exitCode":0}}},{"name":"b","state":{"running":{}}}],
			"containerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}}]}`, "",
			"p|0/1|Init:1/2|0|60m|<none>|<none>|<none>|<none>"},
		{"pods", "fails to initialize", `"metadata":{"name":"p",` + hour + `},"spec":{"initContainers":[{"name":"a"}],"containers":[{}]},
			"status":{"phase":"Pending","initContainerStatuses":[{"name":"a","restartCount":3,"state":{"terminated":{"exitCode":2}}}]}`, "",
			"p|0/1|Init:ExitCode:2|3|60m|<none>|<none>|<none>|<none>"},
		{"pods", "has a sidecar", `"metadata":{"name":"p",` + hour + `},"spec":{"initContainers":[{"name":"a","restartPolicy":"Always"}],"containers":[{}]},
			"status":{"phase":"Running","initContainerStatuses":[{"name":"a","restartCount":1,"ready":true,"started":true,"state":{"running":{}}}],
			"containerStatuses":[{"ready":true,"restartCount":1,"state":{"running":{}}}]}`, "",
			"p|2/2|Running|2|60m|<none>|<none>|<none>|<none>"},
		{"pods", "is done but for one", `"metadata":{"name":"p",` + hour + `},"spec":{"containers":[{},{}]},
			"status":{"phase":"Running","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]}`, "",
			"p|1/2|NotReady|0|60m|<none>|<none>|<none>|<none>"},
		{"pods", "was killed", `"metadata":{"name":"p",` + hour + `},"spec":{"containers":[{}]},
			"status":{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":137,"signal":9}}}]}`, "",
			"p|0/1|Signal:9|0|60m|<none>|<none>|<none>|<none>"},
		{"pods", "is evicted", `"metadata":{"name":"p"},"spec":{"containers":[{}]},"status":{"phase":"Failed","reason":"Evicted"}`, "",
			"p|0/1|Evicted|0|<unknown>|<none>|<none>|<none>|<none>"},
		{"pods", "terminates", `"metadata":{"name":"p","deletionTimestamp":"2026-11-22T11:59:00Z"},"spec":{"containers":[{}]},"status":{"phase":"Running"}`, "",
			"p|0/1|Terminating|0|<unknown>|<none>|<none>|<none>|<none>"},
		{"pods", "is deleted after its end", `"metadata":{"name":"p","deletionTimestamp":"2026-11-22T11:59:00Z"},"spec":{"containers":[{}]},"status":{"phase":"Succeeded"}`, "",
			"p|0/1|Succeeded|0|<unknown>|<none>|<none>|<none>|<none>"},
		{"pods", "is lost", `"metadata":{"name":"p","deletionTimestamp":"2026-11-22T11:59:00Z"},"spec":{"containers":[{}]},"status":{"phase":"Running","reason":"NodeLost"}`, "",
			"p|0/1|Unknown|0|<unknown>|<none>|<none>|<none>|<none>"},
		{"pods", "waits", `"metadata":{"name":"p"},"spec":{"containers":[{}],"schedulingGates":[{"name":"g"}],"readinessGates":[{"conditionType":"A"},{"conditionType":"B"}]},
			"status":{"phase":"Pending","nominatedNodeName":"m","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"},{"type":"A","status":"True"}]}`, "",
			"p|0/1|SchedulingGated|0|<unknown>|<none>|<none>|m|1/2"},
		{"podsecuritypolicies", "of a type that is gone", `"metadata":{"name":"p"},"spec":{"privileged":true,"allowedCapabilities":["A","B"],"seLinux":{"rule":"RunAsAny"},
			"runAsUser":{"rule":"MustRunAs"},"fsGroup":{"rule":"RunAsAny"},"supplementalGroups":{"rule":"MustRunAs"},"volumes":["secret","nfs"]}`, "policy/v1beta1 PodSecurityPolicy",
			"p|true|A,B|RunAsAny|MustRunAs|RunAsAny|MustRunAs|false|secret,nfs"},
		{"horizontalpodautoscalers", "of v2beta1", `"metadata":{"name":"h"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"d"},"maxReplicas":5,"metrics":[
			{"type":"Resource","resource":{"name":"cpu","targetAverageUtilization":80}},{"type":"Object","object":{"target":{"kind":"Service","name":"s"},"metricName":"m","targetValue":"10"}}]},
			"status":{"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":55}}]}`, "autoscaling/v2beta1 HorizontalPodAutoscaler",
			"h|Deployment/d|cpu: 55%/80%, <unknown>/10|<unset>|5|0|<unknown>"},
		{"cronjobs", "of v2alpha1", `"metadata":{"name":"c"},"spec":{"schedule":"@daily"}`, "batch/v2alpha1 CronJob",
			"c|@daily|<none>|<unset>|0|<none>|<unknown>|||<none>"},
		{"leases", "of v1beta1", `"metadata":{"name":"l"},"spec":{"holderIdentity":"me"}`, "coordination.k8s.io/v1beta1 Lease", "l|me|<unknown>"},
		{"services", "of a cluster", `"metadata":{"name":"s",` + hour + `},"spec":{"type":"ClusterIP","clusterIP":"10.0.0.1","ports":[{"port":80,"protocol":"TCP"},{"port":53,"nodePort":30053,"protocol":"UDP"}],"selector":{"a":"b"}}`, "",
			"s|ClusterIP|10.0.0.1|<none>|80/TCP,53:30053/UDP|60m|a=b"},
		{"services", "balanced", `"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","clusterIPs":["10.0.0.1","fd00::1"],"externalIPs":["9.9.9.9"]},"status":{"loadBalancer":{"ingress":[{"hostname":"b"},{"ip":"1.1.1.1"}]}}`, "",
			"s|LoadBalancer|10.0.0.1|1.1.1.1,b,9.9.9.9|<none>|<unknown>|<none>"},
		{"services", "to be balanced", `"metadata":{"name":"s"},"spec":{"type":"LoadBalancer"}`, "", "s|LoadBalancer|<none>|<pending>|<none>|<unknown>|<none>"},
		{"services", "elsewhere", `"metadata":{"name":"s"},"spec":{"type":"ExternalName","externalName":"x.y"}`, "", "s|ExternalName|<none>|x.y|<none>|<unknown>|<none>"},
		{"endpoints", "more than three", `"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"fd00::1"}],"ports":[{"port":1},{"port":2}]}]`, "",
			"e|1.1.1.1:1,[fd00::1]:1,1.1.1.1:2 + 1 more...|<unknown>"},
		{"endpointslices", "none", `"metadata":{"name":"e"},"addressType":"IPv4","ports":null,"endpoints":[]`, "", "e|IPv4|<unset>|<unset>|<unknown>"},
		{"endpointslices", "of a beta version", `"metadata":{"name":"e"},"addressType":"IPv6","ports":[{"name":"x"},{"port":5}],"endpoints":[{"addresses":["a","b"]},{"addresses":["c","d"]}]`,
			"discovery.k8s.io/v1beta1 EndpointSlice", "e|IPv6|x,5|a,b,c + 1 more...|<unknown>"},
		{"nodes", "cordoned", `"metadata":{"name":"n",` + hour + `,"labels":{"node-role.kubernetes.io/worker":"","node-role.kubernetes.io/control-plane":"","kubernetes.io/role":"worker"}},"spec":{"unschedulable":true},
			"status":{"conditions":[{"type":"Ready","status":"Unknown"}],"addresses":[{"type":"InternalIP","address":"10.0.0.1"}],"nodeInfo":{"kubeletVersion":"v1.37.2","osImage":"os"}}`, "",
			"n|NotReady,SchedulingDisabled|control-plane,worker|60m|v1.37.2|10.0.0.1|<none>|os|<unknown>|<unknown>"},
		{"secrets", "with data", `"metadata":{"name":"s"},"type":"Opaque","data":{"a":"c2VjcmV0","b":"c2VjcmV0"}`, "", "s|Opaque|2|<unknown>"},
		{"configmaps", "with data", `"metadata":{"name":"c"},"data":{"a":"b"},"binaryData":{"c":"ZA=="}`, "", "c|2|<unknown>"},
		{"persistentvolumes", "bound", `"metadata":{"name":"v"},"spec":{"capacity":{"storage":"10Gi"},"accessModes":["ReadWriteMany","ReadWriteOnce"],"persistentVolumeReclaimPolicy":"Retain","claimRef":{"namespace":"a","name":"b"},"storageClassName":"fast","volumeMode":"Block"},"status":{"phase":"Bound"}`, "",
			"v|10Gi|RWO,RWX|Retain|Bound|a/b|fast|<unset>||<unknown>|Block"},
		{"persistentvolumeclaims", "pending", `"metadata":{"name":"c","annotations":{"volume.beta.kubernetes.io/storage-class":"old"}},"status":{"phase":"Pending"}`, "", "c|Pending||||old|<unset>|<unknown>|<unset>"},
		{"persistentvolumeclaims", "being deleted", `"metadata":{"name":"c","deletionTimestamp":"2026-11-22T11:59:00Z"},"spec":{"volumeName":"v"},"status":{"phase":"Bound","capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOncePod"]}`, "",
			"c|Terminating|v|1Gi|RWOP||<unset>|<unknown>|<unset>"},
		{"events", "old", `"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p","fieldPath":"spec"},"type":"Warning","reason":"BackOff","message":" m\n","source":{"component":"kubelet","host":"n"},"count":7,"firstTimestamp":"2026-11-22T11:00:00Z","lastTimestamp":"2026-11-22T11:58:00Z"`, "",
			"2m|Warning|BackOff|pod/p|spec|kubelet, n|m|60m|7|e"},
		{"events", "in a series", `"metadata":{"name":"e"},"involvedObject":{"kind":"Node"},"reportingComponent":"c","eventTime":"2026-11-22T11:00:00.000000Z","series":{"count":3,"lastObservedTime":"2026-11-22T11:59:00.000000Z"}`, "",
			"60s|||node||c||60m|3|e"},
		{"resourcequotas", "used", `"metadata":{"name":"q"},"status":{"hard":{"pods":"10","limits.cpu":"4"},"used":{"pods":"3"}}`, "", "q|pods: 3/10|limits.cpu: 0/4|<unknown>"},
		{"replicationcontrollers", "without a template", `"metadata":{"name":"r"},"spec":{"replicas":2}`, "", "r|2|0|0|<unknown>|||<none>"},

		{"deployments", "rolls", `"metadata":{"name":"d",` + hour + `},"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[{"name":"x","image":"i"},{"name":"y","image":"j"}]}}},"status":{"readyReplicas":2,"updatedReplicas":1,"availableReplicas":2}`, "",
			"d|2/3|1|2|60m|x,y|i,j|a=b"},
		{"deployments", "of an old version", `"metadata":{"name":"d"},"spec":{"replicas":1}`, "extensions/v1beta1 Deployment", "d|0/1|0|0|<unknown>|||"},
		{"statefulsets", "ready", `"metadata":{"name":"s"},"spec":{"replicas":2},"status":{"readyReplicas":2}`, "", "s|2/2|<unknown>||"},
		{"daemonsets", "on nodes", `"metadata":{"name":"d"},"spec":{"template":{"spec":{"nodeSelector":{"k":"v"}}}},"status":{"desiredNumberScheduled":4,"currentNumberScheduled":3,"numberReady":2,"updatedNumberScheduled":1}`, "",
			"d|4|3|2|1|0|k=v|<unknown>|||<none>"},
		{"jobs", "runs", `"metadata":{"name":"j"},"spec":{"completions":3},"status":{"succeeded":1,"startTime":"2026-11-22T11:58:30Z"}`, "", "j|Running|1/3|90s|<unknown>|||<none>"},
		{"jobs", "is done", `"metadata":{"name":"j"},"spec":{"parallelism":2},"status":{"succeeded":1,"startTime":"2026-11-22T11:00:00Z","completionTime":"2026-11-22T11:01:00Z","conditions":[{"type":"Complete","status":"True"}]}`, "", "j|Complete|1/1 of 2|60s|<unknown>|||<none>"},
		{"cronjobs", "of a beta version", `"metadata":{"name":"c"},"spec":{"schedule":"* * * * *","suspend":true},"status":{"lastScheduleTime":"2026-11-22T11:59:30Z","active":[{}]}`, "batch/v1beta1 CronJob", "c|* * * * *|<none>|True|1|30s|<unknown>|||<none>"},
		{"cronjobs", "never ran", `"metadata":{"name":"c"},"spec":{"schedule":"@daily","timeZone":"UTC"}`, "", "c|@daily|UTC|<unset>|0|<none>|<unknown>|||<none>"},
		{"horizontalpodautoscalers", "by three metrics", `"metadata":{"name":"h"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"d"},"minReplicas":1,"maxReplicas":5,"metrics":[
			{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}},
			{"type":"Pods","pods":{"metric":{"name":"q"},"target":{"type":"AverageValue","averageValue":"10"}}},{"type":"Object"}]},
			"status":{"currentReplicas":2,"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":50}}}]}`, "",
			"h|Deployment/d|cpu: 50%/80%, <unknown>/10 + 1 more...|1|5|2|<unknown>"},
		{"horizontalpodautoscalers", "of version 1", `"metadata":{"name":"h","annotations":{"autoscaling.alpha.kubernetes.io/metrics":"[{}]"}},"spec":{"scaleTargetRef":{"kind":"ReplicaSet","name":"r"},"maxReplicas":5,"targetCPUUtilizationPercentage":80},"status":{}`,
			"autoscaling/v1 HorizontalPodAutoscaler", "h|ReplicaSet/r|cpu: <unknown>/80%, <unknown type>|<unset>|5|0|<unknown>"},
		{"poddisruptionbudgets", "least", `"metadata":{"name":"b"},"spec":{"minAvailable":"50%"},"status":{"disruptionsAllowed":1}`, "", "b|50%|N/A|1|<unknown>"},
		{"ingresses", "many hosts", `"metadata":{"name":"i"},"spec":{"ingressClassName":"nginx","tls":[{}],"rules":[{"host":"a"},{},{"host":"b"},{"host":"c"},{"host":"d"}]},"status":{"loadBalancer":{"ingress":[{"ip":"1.1.1.1"}]}}`, "",
			"i|nginx|a,b,c + 2 more...|1.1.1.1|80, 443|<unknown>"},
		{"ingresses", "of a beta version", `"metadata":{"name":"i"},"spec":{"backend":{"serviceName":"s","servicePort":80}}`, "networking.k8s.io/v1beta1 Ingress", "i|<none>|*||80|<unknown>"},
		{"networkpolicies", "all", `"metadata":{"name":"n"}`, "", "n|<none>|<unknown>"},
		{"ipaddresses", "of a service", `"metadata":{"name":"10.0.0.1"},"spec":{"parentRef":{"resource":"services","namespace":"a","name":"b"}}`, "", "10.0.0.1|services/a/b"},
		{"storageclasses", "default", `"metadata":{"name":"c","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"p"`, "", "c (default)|p|Delete|Immediate|false|<unknown>"},
		{"csidrivers", "plain", `"metadata":{"name":"c"},"spec":{"tokenRequests":[{"audience":"a"},{"audience":"b"}],"volumeLifecycleModes":["Persistent"]}`, "", "c|true|false|false|a,b|false|Persistent|<unknown>"},
		{"volumeattachments", "attached", `"metadata":{"name":"v"},"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"p"}},"status":{"attached":true}`, "", "v|a|p|n|true|<unknown>"},
		{"roles", "by time", `"metadata":{"name":"r",` + hour + `}`, "", "r|2026-11-22T11:00:00Z"},
		{"rolebindings", "of all kinds", `"metadata":{"name":"r"},"roleRef":{"kind":"Role","name":"x"},"subjects":[{"kind":"User","name":"u"},{"kind":"Group","name":"g"},{"kind":"ServiceAccount","namespace":"a","name":"b"},{"kind":"ServiceAccount","namespace":"a","name":"c"}]`, "",
			"r|Role/x|<unknown>|u|g|a/b, a/c"},
		{"certificatesigningrequests", "issued", `"metadata":{"name":"c"},"spec":{"signerName":"s","username":"u","expirationSeconds":3600},"status":{"certificate":"YQ==","conditions":[{"type":"Approved","status":"True"}]}`, "", "c|<unknown>|s|u|60m|Approved,Issued"},
		{"controllerrevisions", "owned", `"metadata":{"name":"c","ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"s","controller":true}]},"revision":4,"data":{}`, "", "c|statefulset.apps/s|4|<unknown>"},
		{"apiservices", "down", `"metadata":{"name":"a"},"spec":{"service":{"namespace":"x","name":"y"}},"status":{"conditions":[{"type":"Available","status":"False","reason":"MissingEndpoints"}]}`, "", "a|x/y|False (MissingEndpoints)|<unknown>"},
		{"flowschemas", "plain", `"metadata":{"name":"f"},"spec":{"priorityLevelConfiguration":{"name":"p"},"matchingPrecedence":9}`, "", "f|p|9|<none>|<unknown>|?"},
		{"prioritylevelconfigurations", "exempt", `"metadata":{"name":"p"},"spec":{"type":"Exempt"}`, "", "p|Exempt|<none>|<none>|<none>|<none>|<unknown>"},
		{"leases", "held", `"metadata":{"name":"l"},"spec":{"holderIdentity":"h"}`, "", "l|h|<unknown>"},
		{"priorityclasses", "plain", `"metadata":{"name":"p"},"value":1000,"globalDefault":true`, "", "p|1000|true|<unknown>|"},

		{"pods", "of another kind", `"metadata":{"name":"p"}`, "v1 Secret", "p|<wrong kind of object: \"Secret\" of \"v1\">|||||||"},
	}
	for _, tt := range tests {
		t.Run(tt.resource+" "+tt.name, func(t *testing.T) {
			r := builtIn(t, tt.resource)
			api, kind, ok := strings.Cut(tt.api, " ")
			if !ok {
				kind = r.Kind
				api = strings.TrimPrefix(r.Group+"/"+storedVersion(r), "/")
			}
			o := kube.Decode(kube.Key{}, []byte(fmt.Sprintf(`{"apiVersion":%q,"kind":%q,%s}`, api, kind, tt.object)))
			if o.Typed == nil && tt.api == "" || o.Problem != nil {
				t.Fatalf("no type: %v", o.Problem)
			}
			cells := r.Cells(o, then)
			var texts []string
			for _, c := range cells {
				texts = append(texts, c.Text)
			}
			if diff := cmp.Diff(strings.Split(tt.want, "|"), texts); diff != "" {
				t.Errorf("cells of %v (-want):\n%s", r.Columns, diff)
			}
		})
	}
}

func builtIn(t testing.TB, name string) *Resource {
	t.Helper()
	for i := range builtIns {
		if builtIns[i].Name == name {
			return &builtIns[i]
		}
	}
	t.Fatalf("no resource %s", name)
	return nil
}

// storedVersion is a version of the resource's group that the decoder has a type of.
func storedVersion(r *Resource) string {
	if r.Name == "horizontalpodautoscalers" {
		return "v2"
	}
	return "v1"
}

// TestSnapshots prints every object of every real snapshot.
func TestSnapshots(t *testing.T) {
	files, err := filepath.Glob("../../testdata/clusters/*/*/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no snapshots: %v", err)
	}
	printed, resources := 0, map[string]bool{}
	for _, file := range files {
		s := snapshottest.Open(t, file)
		view, err := s.At(0)
		if err != nil {
			t.Fatal(err)
		}
		now, err := clock.Build(t.Context(), s, prefix)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewCatalog(t.Context(), s, view, prefix, nil)
		if err != nil {
			t.Fatal(err)
		}
		keys := 0
		for record := range view.Keys(prefix + "/") {
			key, ok := kube.ParseKey(prefix, record.Key)
			if !ok {
				continue
			}
			keys++
			value, err := s.Value(record)
			if err != nil {
				t.Fatal(err)
			}
			r := c.Of(key)
			if r == nil || !r.Known || c.OfKind(r.Group, r.Kind) != r {
				t.Fatalf("%s: %s: no resource", file, record.Key)
			}
			o := kube.Decode(key, value)
			if encrypted := new(kube.EncryptedError); errors.As(o.Problem, &encrypted) {
				if text := r.Cells(o, clock.Interval{})[1].Text; !strings.Contains(text, "encrypted by aescbc") {
					t.Errorf("%s: %s prints %q", file, record.Key, text)
				}
				continue
			}
			if r.Kind != o.Kind {
				t.Errorf("%s: %s is a %s", file, record.Key, o.Kind)
			}
			cells := r.Cells(o, now.TimeOf(s.Revision()))
			if name := cells[r.NameColumn()].Text; strings.TrimSuffix(name, " (default)") != key.Name {
				t.Errorf("%s: %s is called %q", file, record.Key, name)
			}
			for i, cell := range cells {
				if r.Columns[i].Name == "Age" && (cell.Text == unknown || strings.Contains(cell.Text, invalid)) {
					t.Errorf("%s: %s has age %q", file, record.Key, cell.Text)
				}
				if strings.HasPrefix(cell.Text, "<") && strings.Contains(cell.Text, " ") {
					t.Errorf("%s: %s prints %q", file, record.Key, cell.Text)
				}
			}
			printed++
			resources[r.FullName()] = true
		}
		counted := 0
		for _, r := range c.Resources() {
			if r.Foreign != strings.Contains(r.Name, " ") {
				t.Errorf("%s: %s is foreign: %v", file, r.Name, r.Foreign)
			}
			if !r.Foreign {
				counted += r.Count
			}
		}
		if counted != keys {
			t.Errorf("%s: %d objects counted of %d", file, counted, keys)
		}
	}
	if printed < 5000 || len(resources) < 25 {
		t.Errorf("only %d objects of %d resources", printed, len(resources))
	}
}

// TestSecretsStayHidden looks for what the Secrets of the demo hold in all that is
// printed of them.
func TestSecretsStayHidden(t *testing.T) {
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, data := range [][]byte{backup, current} {
		s := snapshottest.OpenBytes(t, "snapshot.db", data)
		r := builtIn(t, "secrets")
		for record := range s.Keys(r.Path(prefix, "")) {
			value, err := s.Value(record)
			if err != nil {
				t.Fatal(err)
			}
			o := kube.Decode(kube.Key{}, value)
			text := fmt.Sprint(r.Cells(o, then))
			for _, secret := range o.Typed.(*corev1.Secret).Data {
				held++
				if strings.Contains(text, string(secret)) || strings.Contains(text, base64.StdEncoding.EncodeToString(secret)) {
					t.Errorf("%s: %s", record.Key, text)
				}
			}
		}
	}
	if held == 0 {
		t.Error("no secret holds anything")
	}
}

func TestAge(t *testing.T) {
	created := noon.Add(-5 * time.Minute)
	tests := []struct {
		name     string
		t        time.Time
		from, to time.Time
		want     Cell
	}{
		{"exact", created, noon, noon, Cell{"5m", 300}},
		{"between", created, noon, noon.Add(6 * time.Second), Cell{"5m-5m6s", 306}},
		{"within a second", created, noon, noon.Add(time.Second), Cell{"5m1s", 301}},
		{"ends that make no difference", noon.Add(-100 * time.Hour), noon, noon.Add(time.Minute), Cell{"4d4h", 100*3600 + 60}},
		{"created in between", created, created.Add(-time.Hour), noon, Cell{"0s-5m", 300}},
		{"created later", noon.Add(time.Minute), noon, noon, Cell{"<invalid>", -60}},
		{"at least", created, noon, time.Time{}, Cell{">5m", 300}},
		{"at most", created, time.Time{}, noon, Cell{"<5m", 300}},
		{"at no known time", created, time.Time{}, time.Time{}, Cell{"<unknown>", 0}},
		{"of no known time", time.Time{}, noon, noon, Cell{"<unknown>", 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Age(tt.t, clock.Interval{From: tt.from, To: tt.to})); diff != "" {
				t.Errorf("age (-want):\n%s", diff)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name string
		in   []any // in order
	}{
		{"numbers", []any{int32(2), 10, int64(100)}},
		{"ratios", []any{ratio{0, 3}, ratio{1, 10}, ratio{1, 2}, ratio{3, 3}}},
		{"texts", []any{"", "<none>", "a", "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.in[1:] {
				if a, b := cell(tt.in[i], then), cell(tt.in[i+1], then); a.Compare(b) >= 0 || b.Compare(a) <= 0 {
					t.Errorf("%v is not before %v", a, b)
				}
			}
		})
	}
	if a, b := Age(noon.Add(-90*time.Second), then), Age(noon.Add(-25*time.Hour), then); a.Compare(b) >= 0 {
		t.Errorf("%v is not before %v", a, b)
	}
}

const prefix = "/registry"

// crdKey is where a definition is stored.
func crdKey(name string) string {
	return prefix + "/apiextensions.k8s.io/customresourcedefinitions/" + name
}

const gadgets = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"gadgets.x.y"},"spec":{"group":"x.y","scope":"Namespaced",
	"names":{"plural":"gadgets","singular":"gadget","kind":"Gadget","shortNames":["gg"]},"versions":[
	{"name":"v1beta1","served":true,"storage":true,"additionalPrinterColumns":[{"name":"Old","type":"string","jsonPath":".spec.size"}]},
	{"name":"v1","served":true,"additionalPrinterColumns":[
		{"name":"Size","type":"integer","jsonPath":".spec.size"},
		{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
		{"name":"Since","type":"date","jsonPath":".metadata.creationTimestamp"},
		{"name":"Load","type":"number","jsonPath":".spec.load","priority":1},
		{"name":"On","type":"boolean","jsonPath":".spec.on","priority":1},
		{"name":"All","type":"string","jsonPath":".spec.list","priority":1}]},
	{"name":"v2alpha1","served":true},{"name":"v9","served":false}]}}`

func TestCustomColumns(t *testing.T) {
	webhook := strings.Replace(gadgets, `"scope":`, `"conversion":{"strategy":"Webhook"},"scope":`, 1)
	beta := `{"apiVersion":"apiextensions.k8s.io/v1beta1","kind":"CustomResourceDefinition","spec":{"group":"x.y","version":"v1","names":{"plural":"gadgets","kind":"Gadget"},
		"additionalPrinterColumns":[{"name":"Size","type":"string","JSONPath":".spec.size"}]}}`
	column := func(kind, path string) string {
		spec, err := json.Marshal([]crdColumn{{"C", kind, path, 0}})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(beta, `[{"name":"Size","type":"string","JSONPath":".spec.size"}]`, string(spec), 1)
	}
	const object = `{"apiVersion":"x.y/v1beta1","kind":"Gadget","metadata":{"name":"g","creationTimestamp":"2026-11-22T11:00:00Z"},
		"spec":{"size":5,"load":1.5,"on":true,"list":["a",{"b":1}],"text":"t","empty":null,"big":123456789012345678901234567890},
		"status":{"conditions":[{"type":"Synced","status":"False"},{"type":"Ready","status":"True"}]}}`
	tests := []struct {
		name       string
		definition string
		object     string
		columns    string // wide ones with a plus
		want       string
	}{
		{"of the newest served version", gadgets, object, "Name  Size  Ready  Since  +Load  +On  +All", `g|5|True|60m|1.5|true|["a",{"b":1}]`},
		{"nothing there", gadgets, `{"metadata":{"name":"g"}}`, "Name  Size  Ready  Since  +Load  +On  +All", "g||||||"},
		{"values of other types", gadgets, `{"metadata":{"name":"g","creationTimestamp":"soon"},"spec":{"size":"5","load":true,"on":1}}`, "Name  Size  Ready  Since  +Load  +On  +All", "g|||<invalid>|||"},
		{"converted by a webhook", webhook, object, "Name  Old", "g|5"},
		{"of a beta definition", beta, object, "Name  Size", "g|5"},
		{"none", `{"spec":{"group":"x.y","names":{"plural":"gadgets"}}}`, object, "Name  Age", "g|60m"},
		{"integer of a fraction", column("integer", ".spec.load"), object, "Name  C", "g|1"},
		{"null", column("string", ".spec.empty"), object, "Name  C", "g|"},
		{"text of a number", column("string", ".spec.load"), object, "Name  C", "g|1.5"},
		{"a number too large", column("integer", ".spec.big"), object, "Name  C", "g|"},
		{"no path", column("string", ""), object, "Name  C", "g|<invalid>"},
		{"malformed path", column("string", ".spec["), object, "Name  C", "g|<invalid>"},
		{"one descent", column("string", "..text"), object, "Name  C", "g|t"},
		{"two descents", column("string", "..spec..text"), object, "Name  C", "g|<invalid>"},
		{"a union", column("string", ".spec.list[0,0]"), object, "Name  C", "g|<invalid>"},
		{"a range", column("string", "range .spec.list[*]"), object, "Name  C", "g|<invalid>"},
		{"out of range", column("string", ".spec.list[9]"), object, "Name  C", "g|"},
		{"too many steps", column("string", strings.Repeat(".a", 100)), object, "Name  C", "g|<invalid>"},
		{"not of a custom resource", gadgets, "k8s\x00garbage", "Name  Size  Ready  Since  +Load  +On  +All", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := readDefinition([]byte(tt.definition))
			if r == nil {
				t.Fatal("no definition")
			}
			if diff := cmp.Diff(parseColumns(tt.columns), r.Columns); diff != "" {
				t.Errorf("columns (-want):\n%s", diff)
			}
			var texts []string
			for _, c := range r.Cells(kube.Decode(kube.Key{Name: "g"}, []byte(tt.object)), then) {
				texts = append(texts, c.Text)
			}
			if tt.want == "" {
				if !strings.HasPrefix(texts[1], "<") {
					t.Errorf("cells are %q", texts)
				}
				return
			}
			if diff := cmp.Diff(tt.want, strings.Join(texts, "|")); diff != "" {
				t.Errorf("cells (-want):\n%s", diff)
			}
		})
	}
}

// TestCatalogAtRevisions has a definition come, change and go.
func TestCatalogAtRevisions(t *testing.T) {
	changed := strings.Replace(gadgets, `"gg"`, `"gdt"`, 1)
	s := snapshottest.Store(t,
		snapshottest.Put(crdKey("gadgets.x.y"), gadgets),                                     // 2
		snapshottest.Put(prefix+"/x.y/gadgets/shop/g", `{"metadata":{"name":"g"}}`),          // 3
		snapshottest.Put(crdKey("gadgets.x.y"), changed),                                     // 4
		snapshottest.Delete(crdKey("gadgets.x.y")),                                           // 5
		snapshottest.Put(prefix+"/widgets/data/w", `{"kind":"Widget"}`),                      // 6: of an API server with resources of its own
		snapshottest.Put(prefix+"/pods/shop/p", `{"kind":"Pod"}`),                            // 7
		snapshottest.Put(crdKey("pods.a.b"), strings.ReplaceAll(gadgets, "gadgets", "pods")), // 8
		snapshottest.Put(crdKey("nonsense"), `{"spec":[]}`),                                  // 9
		snapshottest.Put(prefix+"/masterleases/10.0.0.1", `{"kind":"Endpoints"}`),            // 10
		snapshottest.Put(crdKey("broken.x.y"), `{"spec":{"group":"x.y","names":{"plural":`),  // 11
	)
	type found struct {
		name   string
		count  int
		known  bool
		custom bool
	}
	tests := []struct {
		revision int64
		words    map[string]found
		spaces   []string
	}{
		{2, map[string]found{"gg": {"gadgets.x.y", 0, true, true}, "gdt": {}}, nil},
		{3, map[string]found{"gadget": {"gadgets.x.y", 1, true, true}, "GADGETS.X.Y": {"gadgets.x.y", 1, true, true}, "gadgets.v1.x.y": {"gadgets.x.y", 1, true, true}, "gadgets.apps": {}}, []string{"shop"}},
		{4, map[string]found{"gdt": {"gadgets.x.y", 1, true, true}, "gg": {}}, []string{"shop"}},
		{5, map[string]found{"gdt": {}, "gadgets": {"gadgets.x.y", 1, false, false}}, []string{"shop"}},
		{11, map[string]found{
			"po": {"pods", 1, true, false}, "pods.x.y": {"pods.x.y", 0, true, true}, "Pod": {"pods", 1, true, false},
			"widgets": {"widgets", 1, false, false}, "deploy": {"deployments.apps", 0, true, false},
			"deployments.extensions": {"deployments.apps", 0, true, false}, "deployments.v1.apps": {"deployments.apps", 0, true, false},
			"": {}, ".": {}, "nothing": {},
		}, []string{"data", "shop"}},
	}
	var before *Catalog
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.revision), func(t *testing.T) {
			view, err := s.At(tt.revision)
			if err != nil {
				t.Fatal(err)
			}
			c, err := NewCatalog(t.Context(), s, view, prefix, before)
			if err != nil {
				t.Fatal(err)
			}
			before = c
			for word, want := range tt.words {
				var got found
				if r := c.Lookup(word); r != nil {
					got = found{r.FullName(), r.Count, r.Known, r.Custom}
				}
				if got != want {
					t.Errorf("%q is %+v, not %+v", word, got, want)
				}
			}
			if diff := cmp.Diff(tt.spaces, c.Namespaces()); diff != "" {
				t.Errorf("namespaces (-want):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff([]string{"pods"}, before.Complete("po")); diff != "" {
		t.Errorf("completed (-want):\n%s", diff)
	}
}

// FuzzColumns has a hostile definition print a hostile object.
func FuzzColumns(f *testing.F) {
	f.Add(".spec.size", "string", `{"spec":{"size":5}}`)
	f.Add("..text", "date", `{"a":[{"text":"2026-11-22T11:00:00Z"}]}`)
	f.Add(`.a[?(@.b=="c")].d`, "integer", `{"a":[{"b":"c","d":1.5}]}`)
	f.Add(".a[0:9:2][*]", "number", `{"a":[[1],[2]]}`)
	f.Add("}{.a", "boolean", `{"a":true}`)
	f.Fuzz(func(t *testing.T, path, kind, object string) {
		p := printerOfColumns([]crdColumn{{"C", kind, path, 0}})
		r := Resource{Columns: p.columns, values: p.values}
		o := kube.Decode(kube.Key{Name: "n"}, []byte(object))
		if cells := r.Cells(o, then); len(cells) != 2 {
			t.Errorf("cells are %v", cells)
		}
	})
}

// FuzzDefinition reads hostile definitions.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(gadgets))
	f.Add([]byte(`{"spec":{"group":"g","names":{"plural":"p"},"versions":[{"served":true,"additionalPrinterColumns":[{}]}]}}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		before := bytes.Clone(value)
		r := readDefinition(value)
		if r != nil && (r.Name == "" || r.Group == "" || len(r.Columns) < 2 || len(r.Columns) > maxColumns+1) {
			t.Errorf("%+v", r)
		}
		if !bytes.Equal(before, value) {
			t.Error("the value was changed")
		}
	})
}

// demoCatalog opens the current snapshot of the demo.
func demoCatalog(t *testing.T) (*snapshot.Snapshot, *Catalog) {
	t.Helper()
	_, data, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	s := snapshottest.OpenBytes(t, "current.db", data)
	view, err := s.At(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCatalog(t.Context(), s, view, prefix, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// TestResourceAge holds the age that is read off the metadata against that of the whole
// object, for every object of a real snapshot.
func TestResourceAge(t *testing.T) {
	s, c := demoCatalog(t)
	compared := map[string]bool{}
	for record := range s.Keys("") {
		key, ok := kube.ParseKey(prefix, record.Key)
		r := c.Of(key)
		if !ok || r == nil {
			continue
		}
		column := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == "Age" })
		value, err := s.Value(record)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.Age(value, then)
		if ok == r.Custom {
			t.Errorf("%s: read: %v", record.Key, ok)
		}
		if column < 0 || !ok {
			continue
		}
		compared[r.Name] = true
		if diff := cmp.Diff(r.Cells(kube.Decode(key, value), then)[column], got); diff != "" {
			t.Errorf("%s (-want):\n%s", record.Key, diff)
		}
	}
	if len(compared) < 20 {
		t.Errorf("only %d resources", len(compared))
	}
}

func BenchmarkCells(b *testing.B) {
	_, data, err := demo.Pair()
	if err != nil {
		b.Fatal(err)
	}
	s := snapshottest.OpenBytes(b, "snapshot.db", data)
	r := builtIn(b, "pods")
	var values [][]byte
	for record := range s.Keys(r.Path(prefix, "")) {
		value, err := s.Value(record)
		if err != nil {
			b.Fatal(err)
		}
		values = append(values, value)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Cells(kube.Decode(kube.Key{}, values[i%len(values)]), then)
	}
}
