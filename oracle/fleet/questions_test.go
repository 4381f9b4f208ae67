package fleet

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// asked is how many clusters the program is asked about, one by one.
const asked = 20

// TestQuestions has DuckDB answer the questions of docs/fleet.md, and compares how many
// rows the answers have, by cluster, with what the program says when it is asked.
func TestQuestions(t *testing.T) {
	dir, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	db := startDuckDB(t)
	db.tables(t, dir)
	own := ownAnswers(t, min(*clusters, asked))
	for number, sql := range questions(t) {
		answer := db.ask(t, sql)
		got := map[string]int{}
		for _, r := range answer {
			for _, key := range own.keys(number, r) {
				got[key]++
			}
		}
		want := own.rows[number]
		if len(want) == 0 {
			t.Errorf("question %s: the program answers nothing", number)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("question %s (-program +tables):\n%s", number, diff)
		}
		t.Logf("question %s: %d rows", number, len(answer))
	}
}

// answers are what rows each question has: how many of each key.
type answers struct {
	clusters map[string]bool // uids of those that were asked about
	files    map[string]bool
	rows     map[string]map[string]int
}

func (a *answers) add(question, key string) {
	if a.rows[question] == nil {
		a.rows[question] = map[string]int{}
	}
	a.rows[question][key]++
}

// keys are what a row of a question's answer counts for; none where it is of a cluster
// that the program was not asked about.
func (a *answers) keys(question string, r row) []string {
	text := func(name string) string { return fmt.Sprint(r[name]) }
	if question == "1" {
		if !a.files[text("path")] {
			return nil
		}
		return []string{text("path") + " " + text("check_id")}
	}
	if number, ok := map[string]string{"4": "containers", "9": "nodes"}[question]; ok { // of the fleet
		name := cmp.Or(map[string]string{"4": "image"}[question], "kubelet_version")
		return []string{text(name) + " " + text(number) + " " + text("clusters")}
	}
	if !a.clusters[text("cluster_uid")] {
		return nil
	}
	switch question {
	case "2":
		return []string{text("path")}
	case "3":
		return []string{text("cluster_uid") + " " + text("namespace") + " " + text("certainty") + " " + text("phantoms")}
	case "5":
		return []string{text("cluster_uid") + " " + text("resource") + " " + text("objects")}
	case "6":
		return []string{text("cluster_uid") + " " + text("resource") + " " + text("objects")}
	case "7":
		return []string{text("cluster_uid")}
	case "8":
		return []string{text("cluster_uid") + " " + text("name")}
	case "10":
		resource, _, _ := strings.Cut(text("resource"), ".") // diff names those of built-in kinds without their group
		return []string{text("cluster_uid") + " " + resource + " " + text("name") + " " + text("what")}
	}
	return nil
}

// ask is what the program prints as JSON.
func ask[T any](t *testing.T, args ...string) (answer T) {
	t.Helper()
	cmd := exec.Command(program, append(args, "-o", "json")...)
	cmd.Dir = made
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || len(out) == 0) {
		t.Fatalf("%q: %v", args, err)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return answer
}

// inspected is what inspect says of a file.
type inspected struct {
	Path            string
	Grade           string
	Revision        int64
	CompactRevision int64
	Clock           struct{ Taken struct{ From time.Time } }
	Kubernetes      struct {
		Objects []struct {
			Resource string
			Count    int
		}
	}
}

func (i *inspected) good() bool { return i.Grade == "whole" || i.Grade == "unverified" }

type preflight struct {
	Grade  string
	Checks []struct{ ID, Verdict string }
}

type list struct {
	Items []struct {
		APIVersion string
		Metadata   struct {
			Name              string
			CreationTimestamp time.Time
		}
		Spec struct {
			NodeName                   string
			Containers, InitContainers []struct{ Image string }
		}
		Status struct {
			Phase    string
			NodeInfo struct{ KubeletVersion string }
		}
	}
}

// ownAnswers asks the program about the first clusters.
func ownAnswers(t *testing.T, n int) *answers {
	t.Helper()
	a := &answers{clusters: map[string]bool{}, files: map[string]bool{}, rows: map[string]map[string]int{}}
	var paths []string
	for c := range n {
		a.clusters[uid(c)] = true
		for day := range days {
			paths = append(paths, file(c, day))
			a.files[file(c, day)] = true
		}
	}
	all := map[string]*inspected{}
	doc := ask[struct{ Evidence []*inspected }](t, append([]string{"inspect"}, paths...)...)
	for _, e := range doc.Evidence {
		all[e.Path] = e
	}
	for c := range n {
		a.cluster(t, c, all)
	}
	a.fleet(t)
	return a
}

// cluster asks about one cluster.
func (a *answers) cluster(t *testing.T, c int, all map[string]*inspected) {
	t.Helper()
	last := file(c, days-1)
	var good []string // the oldest first
	grades := map[string]string{}
	for day := range days {
		path := file(c, day)
		e := all[path]
		if e == nil || len(e.Kubernetes.Objects) == 0 {
			a.add("1", path+" <nil>")
			continue
		}
		args := []string{"preflight", path}
		if path != last {
			args = append(args, last)
		}
		p := ask[preflight](t, append(args, "--at-time", e.Clock.Taken.From.Format(time.RFC3339Nano))...)
		failed := 0
		for _, check := range p.Checks {
			if check.Verdict == "fail" && check.ID != "age" {
				a.add("1", path+" "+check.ID)
				failed++
			}
		}
		if grades[path] = p.Grade; failed == 0 && !e.good() {
			a.add("1", path+" <nil>")
		}
		if e.good() {
			good = append(good, path)
		}
	}
	if i := slices.IndexFunc(good, func(path string) bool { return all[path].Grade == "whole" && grades[path] != "fail" }); i >= 0 {
		a.add("2", good[i])
	}
	newest := good[len(good)-1]
	if backups := slices.DeleteFunc(slices.Clone(good), func(path string) bool { return path == last }); len(backups) > 0 {
		a.phantoms(t, c, backups[len(backups)-1], last)
	}
	for _, resource := range []string{"poddisruptionbudgets", "cronjobs"} {
		old := 0
		for _, item := range ask[list](t, "get", last, resource, "-A").Items {
			if strings.HasSuffix(item.APIVersion, "v1beta1") {
				old++
			}
		}
		if old > 0 {
			a.add("5", fmt.Sprint(uid(c), " ", resource, " ", old))
		}
	}
	a.growth(c, all[good[0]], all[newest])
	if first, second := all[good[0]], all[newest]; second.Revision > first.Revision && first.CompactRevision == second.CompactRevision {
		a.add("7", uid(c))
	}
	for _, item := range ask[list](t, "get", last, "secrets", "-A").Items {
		if item.Metadata.CreationTimestamp.Before(all[last].Clock.Taken.From.AddDate(0, 0, -90)) {
			a.unwritten(t, c, last, item.Metadata.Name)
		}
	}
	if good[0] == file(c, 0) && newest == last {
		a.drift(t, c, good[0], last)
	}
}

func (a *answers) phantoms(t *testing.T, c int, backup, current string) {
	t.Helper()
	count := map[string]int{}
	for _, p := range ask[struct {
		Pods []struct{ Namespace, Outcome, Certainty string }
	}](t, "predict", backup, current).Pods {
		if p.Outcome == "phantom" {
			count[p.Namespace+" "+p.Certainty]++
		}
	}
	for key, n := range count {
		a.add("3", fmt.Sprint(uid(c), " ", key, " ", n))
	}
}

// unwritten takes a Secret that was created long ago, and written once.
func (a *answers) unwritten(t *testing.T, c int, path, name string) {
	t.Helper()
	found := ask[struct {
		Histories []struct{ Revisions []struct{ Version int64 } }
	}](t, "history", path, "secrets/"+name, "-n", "team-0")
	for _, h := range found.Histories {
		if len(h.Revisions) == 1 && h.Revisions[0].Version == 1 {
			a.add("8", uid(c)+" "+name)
		}
	}
}

func (a *answers) growth(c int, first, last *inspected) {
	count := map[string]int{}
	for _, o := range last.Kubernetes.Objects {
		count[o.Resource] += o.Count
	}
	for _, o := range first.Kubernetes.Objects {
		count[o.Resource] -= o.Count
	}
	for resource, n := range count {
		a.add("6", fmt.Sprint(uid(c), " ", resource, " ", n))
	}
}

func (a *answers) drift(t *testing.T, c int, before, after string) {
	t.Helper()
	words := map[string]string{"added": "created", "removed": "deleted", "recreated": "replaced", "changed": "changed", "noise only": "changed"}
	for _, o := range ask[struct {
		Objects []struct{ Resource, Name, What string }
	}](t, "diff", "--ignore", "none", before, after).Objects {
		a.add("10", fmt.Sprint(uid(c), " ", o.Resource, " ", o.Name, " ", words[o.What]))
	}
}

// fleet asks what is asked of all clusters together, where there are few.
func (a *answers) fleet(t *testing.T) {
	t.Helper()
	images, users := map[string]int{}, map[string]map[int]bool{}
	versions, having := map[string]int{}, map[string]map[int]bool{}
	note := func(count map[string]int, of map[string]map[int]bool, key string, c int) {
		if count[key]++; of[key] == nil {
			of[key] = map[int]bool{}
		}
		of[key][c] = true
	}
	for c := range *clusters {
		for _, item := range ask[list](t, "get", file(c, days-1), "nodes").Items {
			note(versions, having, item.Status.NodeInfo.KubeletVersion, c)
		}
		day := 2 // the newest at the time of the question
		if c%10 == 7 {
			day = 1 // for that one is damaged
		}
		for _, item := range ask[list](t, "get", file(c, day), "pods", "-A").Items {
			if item.Spec.NodeName == "" || item.Status.Phase != "Running" {
				continue
			}
			for _, container := range slices.Concat(item.Spec.Containers, item.Spec.InitContainers) {
				note(images, users, container.Image, c)
			}
		}
	}
	for _, image := range slices.Collect(maps.Keys(images)) {
		a.add("4", fmt.Sprint(image, " ", images[image], " ", len(users[image])))
	}
	for version, n := range versions {
		a.add("9", fmt.Sprint(version, " ", n, " ", len(having[version])))
	}
}
