package train

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// The files of a scenario that was made of a pair of snapshots, in a directory.
const (
	PairScenario = "scenario.yaml"
	PairBackup   = backupFile
	PairCurrent  = currentFile
)

const (
	mostAsk  = 12 // pods that a question asks for
	fewPods  = 20 // up to which a scenario is of the second level
	pairSeen = replay.SeenExpected
)

// PairID is the id of a scenario that is made of the snapshots of these hashes.
func PairID(hashes ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(hashes, " ")))
	return fmt.Sprintf("pair-%x", sum[:4])
}

var pairIDs = regexp.MustCompile(`^pair-[0-9a-f]{8}$`)

// IsPair says whether an id is that of a scenario that was made of a pair of snapshots.
func IsPair(id string) bool { return pairIDs.MatchString(id) }

// ReadPair reads the file of a scenario that was made of a pair of snapshots. It can be
// played once it is Bound to them.
func ReadPair(text []byte) (Scenario, error) {
	var s Scenario
	if err := yaml.UnmarshalStrict(text, &s); err != nil {
		return s, err
	}
	if !IsPair(s.ID) {
		return s, fmt.Errorf("its id is %.40q: want pair- and 8 hexadecimal digits", s.ID)
	}
	s.Servers, s.Cluster = 1, "" // until it is bound
	return s, s.check(s.ID)
}

// Bound is the scenario, to be played on the cluster of the comparison of its snapshots. The
// error says why they cannot be played.
func (s Scenario) Bound(c *restore.Comparison) (Scenario, error) {
	if err := s.play(c); err != nil {
		return s, err
	}
	return s, s.check(s.ID)
}

// play lets the scenario be played on the cluster of a comparison.
func (s *Scenario) play(c *restore.Comparison) error {
	cluster, _, err := replay.New(c, restore.Plan{}, pairSeen)
	if err != nil {
		return err
	}
	s.Servers, s.Cluster, s.pair = min(len(cluster.Servers), mostServers), "", c
	return nil
}

// OfPair says whether the scenario was made of a pair of snapshots: only who has them can
// play it.
func (s *Scenario) OfPair() bool { return IsPair(s.ID) }

// OnFiles says whether there are files that the scenario is about.
func (s *Scenario) OnFiles() bool { return !s.Played() || s.OfPair() }

// MakeOf makes a scenario of two snapshots. Where a plain restore of the backup leaves pods
// that run unseen, or that only seem to run, they are to be found out and the restore to be
// repaired, as far as that is possible; otherwise the backup is to be restored. What it asks
// is what can be reached in this cluster and what is worth asking there; the answers are
// computed when it is played. Its id is a PairID. The error says that the cluster is too large
// to be played, or is ctx's.
func MakeOf(ctx context.Context, id string, c *restore.Comparison) (Scenario, error) {
	s := Scenario{
		ID: id, Level: 2,
		Texts: Texts{Title: "A restore of a real cluster", Hints: pairHints, Explanation: pairExplanation},
		Sources: []string{
			"client-go v0.37 tools/cache/reflector.go Reflector.watch",
			"apiserver v0.37 pkg/storage/cacher/watch_cache_history.go GetIntervalLocked",
			"etcdutl v3.6 snapshot/v3_snapshot.go modifyLatestRevision",
		},
	}
	if err := s.play(c); err != nil {
		return s, err
	}
	x, err := New(ctx, s)
	if err != nil {
		return s, err
	}
	backup, current := x.Play.Revisions()
	lost := fmt.Sprintf("A cluster with %s and %s was lost at revision %s or later", words.CountOf(len(x.Play.Nodes), "node", "nodes"), words.CountOf(len(x.Play.Servers), "API server", "API servers"), words.Number(current))
	const yours = "All names are made up. You may stop and start what you like."
	if err := x.restore(0); err != nil {
		return s, err
	}
	left, err := x.View()
	if err != nil {
		return s, err
	}
	if len(left.Pods) > fewPods {
		s.Level = 3
	}
	repair := s
	repair.Begin = x.Play.ID()
	repair.Story = fmt.Sprintf("%s, and a backup that ends at %s was restored: without a bump, all API servers started again, and the kubelets left running. %s", lost, words.Number(backup), yours)
	repair.ask(left)
	if left.Phantoms > 0 || left.Ghosts > 0 {
		done, err := repair.solve(ctx, "Repair it: in the end etcd and all API servers are up")
		if done || err != nil {
			return repair, err
		}
	}
	s.Story = fmt.Sprintf("%s, and a backup is at hand: it ends at %s. The kubelets go on running all the while. %s", lost, words.Number(backup), yours)
	s.askBump(left)
	_, err = s.solve(ctx, "Restore the backup: in the end etcd and all API servers are up")
	return s, err
}

// ask adds what is worth asking of what a plain restore left.
func (s *Scenario) ask(left *replay.View) {
	if askable(left, func(p *replay.PodView) bool { return p.Phantom }) {
		s.Goals = append(s.Goals, Goal{Ask: "Which pods run now that etcd does not have? Name them all.", Answer: "unseen-pods"})
	}
	if askable(left, func(p *replay.PodView) bool { return p.Ghost }) {
		s.Goals = append(s.Goals, Goal{Ask: "Which pods does the API show as running, of which nothing runs? Name them all.", Answer: "ghosts"})
	}
	s.askBump(left)
}

func (s *Scenario) askBump(left *replay.View) {
	if slices.ContainsFunc(left.Kubelets, func(k replay.KubeletView) bool { return k.Deaf }) {
		s.Goals = append(s.Goals, Goal{Ask: "What is the smallest bump that is sure to leave no kubelet deaf, when all API servers are stopped before the restore?", Answer: "smallest-bump"})
	}
}

// askable says whether the pods of which is holds can be named: they are not too many, and
// no other pod has the name of one.
func askable(v *replay.View, is func(*replay.PodView) bool) bool {
	wanted, n := map[string]bool{}, 0
	for i := range v.Pods {
		if is(&v.Pods[i]) {
			wanted[v.Pods[i].Name] = true
			n++
		}
	}
	for i := range v.Pods {
		if wanted[v.Pods[i].Name] && !is(&v.Pods[i]) {
			return false
		}
	}
	return n > 0 && n <= mostAsk
}

// solve adds the goal to restore with a bump that is large enough, with all that it reaches,
// and the way there. done is false when all of that is so from the beginning.
func (s *Scenario) solve(ctx context.Context, ask string) (done bool, err error) {
	x, err := New(ctx, *s)
	if err != nil {
		return false, err
	}
	if err := x.restore(slices.Max(x.Play.Bumps)); err != nil {
		return false, err
	}
	s.Solution = x.Play.ID()
	m, err := x.moment()
	if err != nil {
		return false, err
	}
	goal := Goal{Ask: ask}
	for _, wanted := range []struct{ condition, text string }{
		{"restored", ""}, {"up", ""}, {"no-phantoms", "no pod runs unseen"}, {"no-ghosts", "none is shown as running that does not run"},
		{"not-killed", "none was killed without its own grace period"},
	} {
		if conditionOf(wanted.condition).lacks(m) != "" {
			continue
		}
		goal.Reach = append(goal.Reach, wanted.condition)
		if wanted.text != "" {
			goal.Ask += ", " + wanted.text
		}
	}
	goal.Ask += "."
	s.Goals = append(slices.Clone(s.Goals), goal)
	if err := s.check(s.ID); err != nil {
		return false, err
	}
	if x, err = New(ctx, *s); err != nil {
		return false, err
	}
	begun, err := x.Check()
	return err == nil && !begun[len(begun)-1].Reached, err
}

// restore stops all API servers and etcd, restores the backup, starts them again, and lets
// happen what happens.
func (x *Session) restore(bump int64) error {
	var actions []replay.Action
	for i := range x.Play.Servers {
		actions = append(actions, replay.Action{Kind: replay.StopServer, Target: int32(i)})
	}
	actions = append(actions, replay.Action{Kind: replay.StopEtcd}, replay.Action{Kind: replay.Restore, N: bump}, replay.Action{Kind: replay.StartEtcd})
	for i := range x.Play.Servers {
		actions = append(actions, replay.Action{Kind: replay.StartServer, Target: int32(i)})
	}
	x.Play.Settle()
	for _, a := range actions {
		if err := x.Play.Do(a); err != nil {
			return err
		}
		x.Play.Settle()
	}
	return nil
}

var pairHints = []string{
	"Look at what each kubelet has seen, and at the revision at which the restored store started.",
	"A kubelet lists when its watch is refused. That happens when an API server first lists above the revision that the kubelet has seen.",
	"Stop the API servers and etcd, restore once more with a bump that starts the store above all that kubelets have seen, and start them.",
}

const pairExplanation = "After a plain restore a kubelet that has seen a later revision resumes its watch there, is accepted, and hears nothing: it runs on what the API does not have, and starts nothing of what came back. With a bump the first list of each API server is above all that was seen, the watches are answered with 410 Gone, and the kubelets list. What was created since the first restore is lost by the second one, so in a real cluster it is not always the better way."
