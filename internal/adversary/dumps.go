package adversary

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// dumps writes what every node says that it runs, and the API's list. In all cases
// but one of a few a pod runs that the API does not have, and an answer that has
// it is written in a way that no kubelet writes.
func (m *maker) dumps() {
	m.Dumps = "dumps"
	if !m.odds(8) {
		m.Stray = Pod{Namespace: "team", Name: "stray", UID: "uid-stray", Node: "n0"}
		if m.odds(3) {
			m.Stray.Name = m.name()
		}
	}
	twisted := m.Stray.UID != "" && !m.odds(6)
	for _, n := range nodes {
		pods := m.on(n)
		if m.Stray.Node == n {
			pods = append(pods, m.Stray)
		}
		format := answers[m.IntN(len(answers))]
		text := format.write(m, pods)
		if twisted && m.Stray.Node == n {
			t := twists[m.IntN(len(twists))]
			m.note("dumps: %s: %s", format.suffix, t.name)
			text = t.twist(m, text)
		}
		m.Files["dumps/"+n+format.suffix] = []byte(text)
	}
	if m.odds(2) {
		m.Kubectl = "kubectl.json"
		var pods []Pod
		for _, n := range nodes {
			pods = append(pods, m.on(n)...)
		}
		text := m.listed(pods, false)
		if twisted && m.odds(3) {
			t := twists[m.IntN(len(twists))]
			m.note("kubectl: %s", t.name)
			text = t.twist(m, text)
		}
		m.Files[m.Kubectl] = []byte(text)
	}
}

// on are the pods that are known to run on a node.
func (m *maker) on(node string) (list []Pod) {
	for _, p := range m.Phantoms {
		if p.Node == node {
			list = append(list, p)
		}
	}
	for i, n := range nodes {
		if n == node {
			list = append(list, Pod{"team", n, fmt.Sprintf("uid-last-%d", i), n})
		}
	}
	return list
}

// answers are what shows the pods on a node.
var answers = []struct {
	suffix string
	write  func(*maker, []Pod) string
}{
	{".runningpods.json", (*maker).running},
	{".pods.json", func(m *maker, pods []Pod) string { return m.listed(pods, true) }},
	{".crictl.json", (*maker).sandboxes},
	{".crictl.json", (*maker).containers},
}

// list joins what is written of each pod.
func (m *maker) list(pods []Pod, format func(i int, p Pod) string) string {
	parts := make([]string, len(pods))
	for i, p := range pods {
		parts[i] = format(i, p)
	}
	return strings.Join(parts, ",")
}

func (m *maker) names(p Pod) string {
	return fmt.Sprintf(`"name":%s,"namespace":%s,"uid":%s`, m.quoted(p.Name), m.quoted(p.Namespace), m.quoted(p.UID))
}

func (m *maker) running(pods []Pod) string {
	return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[` + m.list(pods, func(_ int, p Pod) string {
		return fmt.Sprintf(`{"metadata":{%s,"creationTimestamp":null},"spec":{"containers":[{"name":"c","image":"i","resources":{}}]},"status":{}}`, m.names(p))
	}) + "]}\n"
}

func (m *maker) listed(pods []Pod, kubelet bool) string {
	source := ""
	if kubelet {
		source = `,"annotations":{"kubernetes.io/config.source":"api"}`
	}
	return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[` + m.list(pods, func(_ int, p Pod) string {
		return fmt.Sprintf(`{"kind":"Pod","apiVersion":"v1","metadata":{%s,"creationTimestamp":"2026-11-23T04:00:00Z"%s},"spec":{"nodeName":%s,"containers":[{"name":"c"}]},"status":{"phase":"Running","containerStatuses":[{"name":"c","state":{"running":{"startedAt":"2026-11-23T04:00:01Z"}}}]}}`, m.names(p), source, m.quoted(p.Node))
	}) + "]}\n"
}

func (m *maker) sandboxes(pods []Pod) string {
	return `{"items":[` + m.list(pods, func(i int, p Pod) string {
		return fmt.Sprintf(`{"id":"%064x","metadata":{%s,"attempt":0},"state":"SANDBOX_READY","createdAt":"1795406400000000000","labels":{"io.kubernetes.pod.name":%s,"io.kubernetes.pod.namespace":%s,"io.kubernetes.pod.uid":%s},"annotations":{"kubernetes.io/config.source":"api"},"runtimeHandler":""}`,
			i+1, m.names(p), m.quoted(p.Name), m.quoted(p.Namespace), m.quoted(p.UID))
	}) + "]}\n"
}

func (m *maker) containers(pods []Pod) string {
	return `{"containers":[` + m.list(pods, func(i int, p Pod) string {
		return fmt.Sprintf(`{"id":"%064x","podSandboxId":"%064x","metadata":{"name":"c","attempt":0},"image":{"image":"i"},"imageRef":"i","state":"CONTAINER_RUNNING","createdAt":"1795406400000000000","labels":{"io.kubernetes.container.name":"c","io.kubernetes.pod.name":%s,"io.kubernetes.pod.namespace":%s,"io.kubernetes.pod.uid":%s},"annotations":{}}`,
			100+i, i+1, m.quoted(p.Name), m.quoted(p.Namespace), m.quoted(p.UID))
	}) + "]}\n"
}

// twists change an answer without making its last pod, the stray, end. Whatever they
// do, the answer must not be taken for one that has no stray.
var twists = []struct {
	name  string
	twist func(*maker, string) string
}{
	{"keys in another case", func(m *maker, s string) string {
		return m.replaceOne(s, [][2]string{{`"items"`, `"Items"`}, {`"items"`, `"ITEMS"`}, {`"items"`, `"itemſ"`}, {`"containers":[{"id"`, `"Containers":[{"id"`}, {`"metadata":{"name"`, `"Metadata":{"name"`}, {`"uid"`, `"UID"`}, {`"uid"`, `"Uid"`}, {`"state"`, `"State"`}, {`"spec"`, `"Spec"`}, {`"status"`, `"Status"`}, {`"phase"`, `"Phase"`}, {`"labels"`, `"Labels"`}, {`"nodeName"`, `"nodename"`}, {`"kind"`, `"Kind"`}})
	}},
	{"other keys", func(m *maker, s string) string {
		return m.replaceOne(s, [][2]string{{`"items"`, `"item"`}, {`"items"`, `"pods"`}, {`"uid"`, `"id"`}, {`"uid":"uid-stray"`, `"uuid":"uid-stray"`}, {`"metadata":{"name"`, `"meta":{"name"`}, {`"state"`, `"status"`}, {`"state"`, `"podState"`}, {`"containers":[{"id"`, `"container":[{"id"`}, {"io.kubernetes.pod.uid", "io.kubernetes.pod.UID"}, {"io.kubernetes.pod.uid", "pod.uid"}})
	}},
	{"no uid", func(m *maker, s string) string {
		return m.replaceOne(s, [][2]string{{`,"uid":"uid-stray"`, ""}, {`"uid":"uid-stray"`, `"uid":""`}, {`"uid":"uid-stray"`, `"uid":null`}, {`,"io.kubernetes.pod.uid":"uid-stray"`, ""}, {`"io.kubernetes.pod.uid":"uid-stray"`, `"io.kubernetes.pod.uid":""`}, {`"io.kubernetes.pod.uid":"uid-stray"`, `"io.kubernetes.pod.uid":null`}})
	}},
	{"no metadata, spec or status", func(m *maker, s string) string {
		at := strings.LastIndex(s, `"metadata":{`)
		return s[:max(at, 0)] + m.replaceOne(s[max(at, 0):], [][2]string{{`"metadata":{`, `"x":{`}, {`"spec":{`, `"x":{`}, {`"status":{`, `"x":{`}, {`"labels":{`, `"x":{`}, {`"metadata":{`, `"metadata":null,"x":{`}})
	}},
	{"states of other names", func(m *maker, s string) string {
		to := one(m, "SANDBOX_UNKNOWN", "sandbox_ready", "SANDBOX_READY ", "READY", "0", "CONTAINER_UNKNOWN", "container_running", "RUNNING", "running", "", "\\u0000", "SANDBOX_READY2", "Unknown")
		at := max(strings.LastIndex(s, "SANDBOX_READY"), strings.LastIndex(s, "CONTAINER_RUNNING"), strings.LastIndex(s, `"phase":"Running"`), 0)
		return s[:at] + strings.NewReplacer("SANDBOX_READY", to, "CONTAINER_RUNNING", to, `"phase":"Running"`, `"phase":"`+to+`"`).Replace(s[at:])
	}},
	{"states that are no strings", func(m *maker, s string) string {
		to := one(m, "null", "0", "1", "true", "[]", "{}")
		at := max(strings.LastIndex(s, `"SANDBOX_READY"`), strings.LastIndex(s, `"CONTAINER_RUNNING"`), 0)
		return s[:at] + strings.NewReplacer(`"SANDBOX_READY"`, to, `"CONTAINER_RUNNING"`, to).Replace(s[at:])
	}},
	{"a list twice", func(m *maker, s string) string {
		key := one(m, "items", "containers", "Items", "ITEMS", "itemſ")
		return one(m, `{"`+key+`":[],`+s[1:], strings.TrimSuffix(strings.TrimSpace(s), "}")+`,"`+key+`":[]}`, strings.TrimSuffix(strings.TrimSpace(s), "}")+`,"`+key+`":null}`)
	}},
	{"a field twice", func(m *maker, s string) string {
		at := max(strings.LastIndex(s, `"metadata":{`), strings.LastIndex(s, `"labels":{`), 0)
		return s[:at] + one(m, `"state":"SANDBOX_NOTREADY",`, `"uid":"uid-last-0",`, `"metadata":{"name":"a","namespace":"b","uid":"uid-last-0"},`, `"labels":{"io.kubernetes.pod.uid":"uid-last-0"},`, `"spec":{"containers":[]},`) + s[at:]
	}},
	{"a field twice, the last one a lie", func(m *maker, s string) string {
		end := strings.LastIndex(s, "}]")
		return s[:end] + one(m, `,"state":"SANDBOX_NOTREADY"`, `,"state":"CONTAINER_EXITED"`, `,"metadata":{"name":"a","namespace":"b","uid":"uid-last-0"}`, `,"Metadata":{"uid":"uid-last-0"}`, `,"labels":{"io.kubernetes.pod.uid":"uid-last-0"}`, `,"spec":{"containers":[]}`, `,"State":"SANDBOX_NOTREADY"`, `,"metadata":null`) + s[end:]
	}},
	{"more to come", func(m *maker, s string) string {
		more := one(m, `"metadata":{"continue":"pwned"}`, `"metadata":{"remainingItemCount":7}`, `"metadata":{"continue":"pwned","remainingItemCount":1}`, `"metadata":{"Continue":"pwned"}`)
		if strings.Contains(s, `"metadata":{},`) {
			return strings.Replace(m.without(s), `"metadata":{},`, more+",", 1)
		}
		return strings.Replace(m.without(s), `{"`, "{"+more+`,"`, 1)
	}},
	{"cut short", func(m *maker, s string) string {
		return s[:1+m.IntN(len(s)-3)]
	}},
	{"something after it", func(m *maker, s string) string {
		return m.without(s) + one(m, s, "x", "}", m.word()+"x", "\x00")
	}},
	{"something before it", func(m *maker, s string) string {
		return one(m, "\ufeff"+s, "W0523 12:00:00 a warning\n"+s, "[]\n"+s, `{"items":[]}`+s, "null\n"+s)
	}},
	{"another encoding", func(m *maker, s string) string {
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, u := range utf16.Encode([]rune(s)) {
			b.WriteString(string([]byte{byte(u), byte(u >> 8)}))
		}
		return b.String()
	}},
	{"keys with escapes", func(m *maker, s string) string {
		return strings.NewReplacer(`"uid"`, `"\u0075id"`, `"items"`, `"\u0069tems"`, `"state"`, `"s\u0074ate"`).Replace(s)
	}},
	{"a list that is none", func(m *maker, s string) string {
		return m.replaceOne(s, [][2]string{{`"items":[`, `"items":[[],`}, {`"items":[`, `"items":[null,`}, {`"items":[`, `"items":[7,`}, {`"items":[`, `"items":["",`}, {`"containers":[{"id"`, `"containers":[null,{"id"`}, {`"items":[`, `"items":[{},`}})
	}},
	{"another kind", func(m *maker, s string) string {
		return m.replaceOne(s, [][2]string{{`"PodList"`, `"podlist"`}, {`"PodList"`, `"List"`}, {`"PodList"`, `""`}, {`"PodList"`, `"NodeList"`}, {`"PodList"`, `"Status"`}, {`"Pod"`, `"Node"`}, {`{"items"`, `{"kind":"x","items"`}, {`"PodList"`, "null"}})
	}},
	{"deep and long values", func(m *maker, s string) string {
		return `{"x":` + one(m, strings.Repeat("[", 9000)+strings.Repeat("]", 9000), `"`+strings.Repeat("a", 100_000)+`"`, "1e99999", strings.Repeat("9", 10_000)) + "," + s[1:]
	}},
	{"hostile fields", func(m *maker, s string) string {
		return m.replaceOne(s, [][2]string{{`"2026-11-23T04:00:00Z"`, m.quoted(m.whenText())}, {`"creationTimestamp":null`, `"creationTimestamp":` + m.quoted(m.whenText())}, {`"attempt":0`, `"attempt":` + m.number()}, {`"nodeName":"n0"`, `"nodeName":` + m.quoted(m.word())}, {`"createdAt":"1795406400000000000"`, `"createdAt":` + m.number()}, {`"namespace":"team"`, `"namespace":` + m.quoted(m.word())}})
	}},
	{"the pod again, ended", func(m *maker, s string) string {
		at := strings.LastIndex(s, "]}")
		first := max(strings.LastIndex(s, `,{"metadata":{`), strings.LastIndex(s, `,{"kind":"Pod"`), strings.LastIndex(s, `,{"id"`))
		if first < 0 {
			return s
		}
		again := strings.NewReplacer("SANDBOX_READY", "SANDBOX_NOTREADY", "CONTAINER_RUNNING", "CONTAINER_EXITED", `"containers":[{"name":"c","image":"i","resources":{}}]`, `"containers":[]`, `"phase":"Running"`, `"phase":"Failed"`, `{"running":{`, `{"terminated":{`).Replace(s[first:at])
		return one(m, s[:at]+again+s[at:], s[:first]+again+s[first:])
	}},
	{"marked as a static pod", func(m *maker, s string) string {
		return strings.ReplaceAll(s, `"kubernetes.io/config.source":"api"`, `"kubernetes.io/config.source":"api","kubernetes.io/Config.source":"file"`)
	}},
}

// without leaves the stray out of an answer: only what follows has it.
func (m *maker) without(s string) string {
	at := max(strings.LastIndex(s, `,{"metadata":{`), strings.LastIndex(s, `,{"kind":"Pod"`), strings.LastIndex(s, `,{"id"`))
	if at < 0 || !strings.Contains(s[at:], "uid-stray") || m.odds(2) {
		return s
	}
	return s[:at] + "]}\n"
}

// replaceOne replaces the last occurrence of one of several strings by what belongs
// to it, of those that are there.
func (m *maker) replaceOne(s string, pairs [][2]string) string {
	for _, i := range m.Perm(len(pairs)) {
		if at := strings.LastIndex(s, pairs[i][0]); at >= 0 {
			return s[:at] + pairs[i][1] + s[at+len(pairs[i][0]):]
		}
	}
	return "\ufeff" + s
}

// config writes an encryption configuration.
func (m *maker) config() {
	m.Config = "encryption.yaml"
	key := `{"aescbc":{"keys":[{"name":"key1","secret":"c2VjcmV0IGlzIHNlY3VyZSwgb3IgaXMgaXQ="}]}}`
	text := one(m,
		`{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"resources":["secrets"],"providers":[`+key+`,{"identity":{}}]}]}`,
		"kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: [secrets]\n  providers:\n  - aesgcm: {keys: [{name: key1, secret: c2VjcmV0IGlzIHNlY3VyZSwgb3IgaXMgaXQ=}]}\n  - kms: {name: \"pwned\\e\", endpoint: x, apiVersion: v2}\n",
		"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
		strings.Repeat("[", 20_000), strings.Repeat("a:\n ", 3000), "kind: "+m.quoted(m.name()), "", "\x00", "kind: EncryptionConfiguration\nresources: "+m.number(), strings.Repeat("- ", 10_000),
		`{"kind":"EncryptionConfiguration","resources":[{"providers":[`+strings.Repeat(key+",", 200)+key+"]}]}",
		`{"kind":"EncryptionConfiguration","resources":[{"providers":[{"secretbox":{"keys":[{"name":`+m.quoted(m.word())+`,"secret":`+m.quoted(m.word())+`}]}}]}]}`,
	)
	m.Files[m.Config] = []byte(text)
}
