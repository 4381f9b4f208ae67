package train

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Levels is how many levels scenarios have.
const Levels = 3

// madeCluster says which cluster a seed makes.
type madeCluster struct {
	seed  uint64
	level int
}

// madeID reads the id of a made scenario.
func madeID(id string) (seed uint64, level int, ok bool) {
	var rest string
	n, _ := fmt.Sscanf(id, "seed-%d-%d%s", &seed, &level, &rest)
	return seed, level, n == 2 && level >= 1 && level <= Levels && idOfMade(seed, level) == id
}

func idOfMade(seed uint64, level int) string { return fmt.Sprintf("seed-%d-%d", seed, level) }

// random is the source of all that is made of the seed.
func (m *madeCluster) random() *rand.Rand { return rand.New(rand.NewPCG(m.seed, uint64(m.level))) }

// servers is how many API servers the cluster has.
func (m *madeCluster) servers() int {
	if m.level == 3 {
		return 2
	}
	return 1
}

// cluster makes the cluster: of two to four nodes and five to nine pods. What became of
// them after the backup is dealt out, and at least one was created and one deleted.
func (m *madeCluster) cluster() (*replay.Cluster, replay.State, error) {
	r := m.random()
	p := pair{servers: m.servers()}
	for i := range 2 + r.IntN(3) {
		p.nodes = append(p.nodes, fmt.Sprintf("node-%d", i+1))
	}
	names := []string{"shop/web", "shop/api", "shop/cart", "shop/mail", "team/db", "team/cache", "team/queue", "team/auth", "team/proxy"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:5+r.IntN(5)]
	p.backup = 20 + r.Int64N(80)
	p.current = p.backup + int64(2*len(names)) + r.Int64N(20)
	node := func() string { return p.nodes[r.IntN(len(p.nodes))] }
	old := func() int64 { return 2 + r.Int64N(p.backup-2) }
	at := p.backup
	next := func(on string) int64 {
		at++
		p.saw(on, at)
		return at
	}
	for i, name := range names {
		kind := r.IntN(5)
		if i < 2 {
			kind = i
		}
		on := node()
		switch kind {
		case 0:
			p.created(name+"-1", on, next(on))
		case 1:
			p.deleted(name+"-1", on, old())
			next(on)
		case 2: // made again under its name, as a StatefulSet does it
			p.deleted(name+"-0", on, old())
			next(on)
			on = node()
			p.created(name+"-0", on, next(on))
		case 3:
			p.ended(name+"-job", on, old(), next(on))
		default:
			p.both(name+"-1", on, old())
		}
	}
	seen := p.current + 1 + r.Int64N(9) // more than a snapshot shows
	c, s, err := p.cluster(restore.Plan{LastRevision: seen}, replay.SeenMost)
	if err != nil {
		return nil, s, err
	}
	enough := seen + 1 - p.backup
	c.Bumps = []int64{0, p.current - p.backup, enough - 1, enough, 100 * enough}
	slices.Sort(c.Bumps)
	c.Bumps = slices.Compact(c.Bumps)
	c.WaitWrites, c.MostChanges = 10, 2
	return c, s, nil
}

// Make makes a scenario of a seed, of a level from 1 to Levels: what runs unseen after a
// plain restore, the smallest bump, or a restore with an API server left running that is to
// be healed. One seed and level make one scenario.
func Make(seed uint64, level int) (Scenario, error) {
	if level < 1 || level > Levels {
		return Scenario{}, fmt.Errorf("no level is called %d: there are 1 to %d", level, Levels)
	}
	m := &madeCluster{seed, level}
	s := Scenario{ID: idOfMade(seed, level), Level: level, Servers: m.servers(), made: m, Sources: []string{
		"client-go v0.37 tools/cache/reflector.go Reflector.watch",
		"apiserver v0.37 pkg/storage/cacher/watch_cache_history.go GetIntervalLocked",
	}}
	c, start, err := m.cluster()
	if err != nil {
		return s, err
	}
	play := replay.NewPlay(c, start)
	var failed error
	do := func(actions ...replay.Action) {
		for _, a := range actions {
			if failed == nil {
				failed = play.Do(a)
			}
			play.Settle()
		}
	}
	servers := func(kind replay.Kind, which ...int) (list []replay.Action) {
		for _, i := range which {
			list = append(list, replay.Action{Kind: kind, Target: int32(i)})
		}
		return list
	}
	all := []int{0, 1}[:s.Servers]
	store := func(bump int64) {
		do(replay.Action{Kind: replay.StopEtcd}, replay.Action{Kind: replay.Restore, N: bump}, replay.Action{Kind: replay.StartEtcd})
	}
	backup, current := c.Revisions()
	where := fmt.Sprintf("A cluster of %s and %s. The backup ends at revision %d, the newest snapshot at %d.", words.Count(len(c.Nodes), "node"), words.Count(s.Servers, "API server"), backup, current)
	switch level {
	case 1:
		do(servers(replay.StopServer, all...)...)
		store(0)
		do(servers(replay.StartServer, all...)...)
		s.Begin, s.Solution = play.ID(), play.ID()
		s.Title = "What runs, and what does not"
		s.Story = where + " It was restored without a bump, and all API servers were restarted."
		s.Goals = []Goal{{Ask: "Which pods run unseen?", Answer: "unseen-pods"}, {Ask: "Which pods does the API show as running that do not run?", Answer: "ghosts"}}
		s.Hints = []string{
			"kubectl shows what etcd holds. What runs is on the nodes.",
			"Compare the columns RUNS ON and ETCD HAS, pod by pod.",
			"What was created after the backup runs and is not in etcd; what was deleted, or has ended, since then is in etcd as Running and does not run. Two pods of one name are two pods.",
		}
		s.Explanation = "Every kubelet resumed its watch at a revision from the future. It was accepted, and nothing was delivered: what runs is what ran before."
	case 2:
		s.Title = "The smallest bump"
		s.Story = where + " Nothing has been done yet: etcd, the API servers and the kubelets are up."
		s.Goals = []Goal{
			{Ask: "What is the smallest bump that is sure to leave no kubelet deaf, when all API servers are stopped before the restore?", Answer: "smallest-bump"},
			{Ask: "Restore so that no pod runs unseen, and none is killed without its own grace period.", Reach: []string{"restored", "up", "no-phantoms", "no-ghosts", "not-killed"}},
		}
		s.Hints = []string{
			"A bump is added to the revision at which the backup ends.",
			"It is to pass the highest revision that a kubelet has seen, which is more than a snapshot shows: the column REVISION has it.",
			"The smallest is the highest revision that a kubelet has seen, plus one, less the revision at which the backup ends. Stop the API server and etcd, restore with at least that, start etcd, start the API server.",
		}
		s.Explanation = "The first list of the API server is above what every kubelet has seen, so their watches are refused, and they list."
		do(servers(replay.StopServer, all...)...)
		store(c.Bumps[len(c.Bumps)-2])
		do(servers(replay.StartServer, all...)...)
		s.Solution = play.ID()
	case 3:
		do(servers(replay.StopServer, 0)...)
		store(0)
		do(servers(replay.StartServer, 0)...)
		s.Begin = play.ID()
		s.Title = "Half a restart"
		s.Story = where + " It was restored without a bump. One API server was restarted, and one was left running."
		s.Goals = []Goal{
			{Ask: "Which API server lists what etcd does not hold?", Answer: "false-list"},
			{Ask: "Which pods run unseen by etcd?", Answer: "unseen-pods"},
			{Ask: "Heal it without a restart of a kubelet and without another restore: every API server serves what etcd holds, and no pod runs unseen.", Reach: []string{"up", "truthful", "no-phantoms", "no-ghosts", "kubelets-untouched", "no-second-restore"}},
		}
		s.Hints = []string{
			"An API server that was left running serves its cache of before. Compare its list with what etcd has.",
			"A restart of the API servers heals once their first list is above all that kubelets have seen.",
			"Wait until the revision of etcd is above that of every kubelet and every API server. Then stop both API servers, and only then start both.",
		}
		s.Explanation = "Each API server answers for itself. With both restarted at once, and above what was seen, every kubelet lists from the restored store."
		for range 10 {
			if e := play.State(); e.Etcd.Revision > highest(e) {
				break
			}
			do(replay.Action{Kind: replay.Wait, N: c.WaitWrites})
		}
		do(servers(replay.StopServer, all...)...)
		do(servers(replay.StartServer, all...)...)
		s.Solution = play.ID()
	}
	if failed != nil {
		return s, fmt.Errorf("make %s: %w", s.ID, failed)
	}
	return s, s.check(s.ID)
}

// highest is the newest revision that anything but etcd has seen.
func highest(s *replay.State) (seen int64) {
	for _, k := range s.Kubelets {
		seen = max(seen, k.Seen)
	}
	for _, v := range s.Servers {
		seen = max(seen, v.Seen)
	}
	return seen
}

// MadePrefix is what the ids of made scenarios begin with.
const MadePrefix = "seed-"

// IsMade says whether an id is that of a made scenario.
func IsMade(id string) bool { return strings.HasPrefix(id, MadePrefix) }
