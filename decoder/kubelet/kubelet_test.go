package kubelet

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	uid  = "9c92cb83-39aa-4225-ad2e-7ca4f4cdd7d0"
	file = "0fa4ef8e032bc791792992bf2aea4553"
)

func TestParse(t *testing.T) {
	created := time.Date(2026, 11, 23, 4, 3, 19, 0, time.UTC)
	tests := []struct {
		name, json string
		want       Dump
	}{
		{
			"the kubelet's /pods",
			`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[
			 {"metadata":{"name":"db-0","namespace":"data","uid":"` + uid + `","creationTimestamp":"2026-11-23T04:03:19Z","annotations":{"kubernetes.io/config.source":"api"}},
			  "spec":{"nodeName":"node-1","terminationGracePeriodSeconds":30,"containers":[{"name":"c"}]},
			  "status":{"phase":"Running","containerStatuses":[{"name":"c","state":{"running":{"startedAt":"2026-11-23T04:03:20Z"}}}]}},
			 {"metadata":{"name":"ended","namespace":"data","uid":"1-2","creationTimestamp":"2026-11-23T04:03:19Z","deletionTimestamp":"2026-11-23T04:04:00Z"},
			  "spec":{"nodeName":"node-1"},"status":{"phase":"Running","containerStatuses":[{"state":{"terminated":{"exitCode":0}}}]}},
			 {"metadata":{"name":"etcd-node-1","namespace":"kube-system","uid":"` + file + `","annotations":{"kubernetes.io/config.source":"file"}},"spec":{"nodeName":"node-1"},"status":{"phase":"Running"}}]}`,
			Dump{Kind: Listed, Kubelets: true, Pods: []Pod{
				{Namespace: "data", Name: "db-0", UID: uid, Node: "node-1", Phase: "Running", Created: created, Runs: true, Grace: 30, Containers: []string{"c"}, Running: []string{"c"}},
				{Namespace: "data", Name: "ended", UID: "1-2", Node: "node-1", Phase: "Running", Created: created, Terminating: true},
				{Namespace: "kube-system", Name: "etcd-node-1", UID: file, Node: "node-1", Phase: "Running", Static: true, Runs: true},
			}},
		},
		{
			"the kubelet's /runningpods",
			`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[
			 {"metadata":{"name":"db-0","namespace":"data","uid":"` + uid + `","creationTimestamp":null},"spec":{"containers":[{"name":"c","image":"sha256:1","resources":{}}]},"status":{}},
			 {"metadata":{"name":"waits","namespace":"data","uid":"1-2","creationTimestamp":null},"spec":{"containers":null},"status":{}}]}`,
			Dump{Kind: Running, Pods: []Pod{{Namespace: "data", Name: "db-0", UID: uid, Runs: true, Running: []string{"c"}}, {Namespace: "data", Name: "waits", UID: "1-2"}}},
		},
		{
			"the kubelet's /runningpods, shortened",
			`{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"db-0","namespace":"data","uid":"` + uid + `"}}]}`,
			Dump{Kind: Running, Pods: []Pod{{Namespace: "data", Name: "db-0", UID: uid, Runs: true}}},
		},
		{"no pod, of the kubelet", `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}`, Dump{Kind: Empty, Pods: []Pod{}}},
		{"no pod, of the API", `{"kind":"List","apiVersion":"v1","items":[]}`, Dump{Kind: Empty, Pods: []Pod{}}},
		{"no pod, of crictl", `{"items":[]}`, Dump{Kind: Sandboxes, Pods: []Pod{}}},
		{"no container, of crictl", `{"containers":[]}`, Dump{Kind: Containers, Pods: []Pod{}}},
		{
			"crictl pods",
			`{"items":[
			 {"id":"5f1c","metadata":{"name":"db-0","uid":"` + uid + `","namespace":"data","attempt":0},"state":"SANDBOX_READY","createdAt":"1764000000000000000","labels":{"io.kubernetes.pod.uid":"` + uid + `"},"annotations":{"kubernetes.io/config.source":"api"},"runtimeHandler":""},
			 {"id":"77aa","metadata":{"name":"old","uid":"1-2","namespace":"data","attempt":1},"state":"SANDBOX_NOTREADY"}]}`,
			Dump{Kind: Sandboxes, Pods: []Pod{{Namespace: "data", Name: "db-0", UID: uid, Runs: true}, {Namespace: "data", Name: "old", UID: "1-2"}}},
		},
		{
			"crictl ps",
			`{"containers":[
			 {"id":"c1","podSandboxId":"5f1c","metadata":{"name":"a","attempt":0},"state":"CONTAINER_EXITED","labels":{"io.kubernetes.pod.uid":"` + uid + `","io.kubernetes.pod.name":"db-0","io.kubernetes.pod.namespace":"data"}},
			 {"id":"c2","podSandboxId":"5f1c","metadata":{"name":"b","attempt":0},"state":"CONTAINER_RUNNING","labels":{"io.kubernetes.pod.uid":"` + uid + `","io.kubernetes.pod.name":"db-0","io.kubernetes.pod.namespace":"data"}}]}`,
			Dump{Kind: Containers, Pods: []Pod{{Namespace: "data", Name: "db-0", UID: uid, Runs: true, Running: []string{"b"}}}},
		},
		{
			"kubectl get pods, with containers of all kinds",
			`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"data","uid":"` + uid + `"},
			 "spec":{"nodeName":"node-1","initContainers":[{"name":"side"}],"containers":[{"name":"c"}],"ephemeralContainers":[{"name":"debug","targetContainerName":"c"}]},
			 "status":{"phase":"Running","ephemeralContainerStatuses":[{"name":"debug","state":{"terminated":{"exitCode":0}}}],"containerStatuses":[{"name":"c","state":{"running":{}}}],"initContainerStatuses":[{"name":"side","state":{"running":{}}}]}}]}`,
			Dump{Kind: Listed, Pods: []Pod{{Namespace: "data", Name: "a", UID: uid, Node: "node-1", Phase: "Running", Runs: true, Containers: []string{"side", "c", "debug"}, Running: []string{"c", "side"}}}},
		},
		{
			"kubectl get pods",
			`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"etcd-node-1","namespace":"kube-system","uid":"` + uid + `","annotations":{"kubernetes.io/config.mirror":"` + file + `","kubernetes.io/config.source":"file"}},"spec":{"nodeName":"node-1"},"status":{"phase":"Running"}}]}`,
			Dump{Kind: Listed, Pods: []Pod{{Namespace: "kube-system", Name: "etcd-node-1", UID: uid, Node: "node-1", Phase: "Running", Mirror: true, StaticUID: file, Runs: true}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.json))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, json, want string }{
		{"empty", " \n", "is empty"},
		{"text", "Error from server (Forbidden)", "is no JSON at byte 1"},
		{"cut short", `{"kind":"PodList","items":[{"metadata":{"name":"a"`, "is cut short after"},
		{"an error of the API", `{"kind":"Status","status":"Failure"}`, "is JSON but no list of pods but a Status"},
		{"other objects", `{"kind":"NodeList","items":[{}]}`, "is no list of pods but a NodeList"},
		{"a list of others", `{"kind":"List","items":[{"kind":"Node","metadata":{"uid":"1"}}]}`, "other objects"},
		{"another type", `{"kind":"PodList","items":[{"metadata":{"name":7}}]}`, "is no list of pods at byte"},
		{"a pod without a uid", `{"kind":"PodList","items":[{"metadata":{"name":"a"}}]}`, "has a pod without a uid"},
		{"states of another program", `{"items":[{"id":"a","metadata":{"uid":"1"},"state":"READY"}]}`, "none of crictl's"},
		{"a number", `7`, "is no list of pods at byte"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d, err := Parse([]byte(tt.json)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want %q", d, err, tt.want)
			}
		})
	}
}

// FuzzParse: whatever the bytes are, no panic, and every pod has a uid.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"kind":"PodList","items":[{"metadata":{"uid":"1"},"spec":{"containers":[{}]},"status":{}}]}`))
	f.Add([]byte(`{"items":[{"id":"a","metadata":{"uid":"1"},"state":"SANDBOX_READY"}]}`))
	f.Add([]byte(`{"containers":[{"labels":{"io.kubernetes.pod.uid":"1"},"state":"CONTAINER_RUNNING"}]}`))
	f.Add([]byte(`{"kind":"List","items":[{"metadata":{"uid":"1"},"spec":{"nodeName":"n","initContainers":[{"name":"a"}],"containers":[{"name":"b"}],"ephemeralContainers":[{"name":"c"}]},"status":{"phase":"Running","ephemeralContainerStatuses":[{"name":"c","state":{"running":{}}}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			return
		}
		for _, p := range d.Pods {
			if slices.Contains(p.Containers, "") || slices.Contains(p.Running, "") || len(p.Running) > 0 && !p.Runs {
				t.Errorf("%+v", p)
			}
			if p.UID == "" || len(p.UID)+len(p.Name)+len(p.Namespace) > len(data)*3 {
				t.Errorf("%+v", p)
			}
		}
	})
}
