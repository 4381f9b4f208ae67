package replay

import "fmt"

// Controllers are the controllers and the scheduler, as one watcher: they list and watch as
// kubelets do.
type Controllers struct {
	Up       bool   // they are in the play
	Watch    int8   // as a kubelet's, and so are the others
	Seen     int64  // 0 before they have listed
	MustList bool   // they are started again
	Timeline uint16 // of the API server they listed from last
}

// ControllersView is the controllers and what they are doing.
type ControllersView struct {
	Controllers
	Deaf, Erased bool   // they hear nothing; they see what etcd has lost
	Doing, Why   string // as a kubelet's
}

func (c *Cluster) controllers(s *State) *ControllersView {
	v := &ControllersView{Controllers: s.Controllers, Deaf: s.deaf(s.Controllers.Watch, s.Controllers.Seen)}
	switch {
	case v.Watch < 0 && v.MustList:
		v.Doing, v.Why = "are about to list", "They have been started again, and list from the first API server that accepts them."
		return v
	case v.Watch < 0:
		v.Doing, v.Why = "are not connected", fmt.Sprintf("They resume their watch at %d, the last revision they have seen.", v.Seen)
		return v
	}
	api, name := &s.Servers[v.Watch], c.Servers[v.Watch]
	v.Erased = s.Erased(int(v.Watch))
	switch {
	case v.Erased:
		v.Doing, v.Why = "see the erased past", fmt.Sprintf("They list and watch through %s, which was left running: nothing that the restore has changed reaches them.", name)
	case v.Deaf:
		v.Doing, v.Why = "deaf", fmt.Sprintf("They have seen revision %d, and %s is at %d: nothing that is written up to %d reaches them.", v.Seen, name, api.Seen, v.Seen)
	case v.Timeline < s.Etcd.Restores:
		v.Doing, v.Why = "watch, and have not listed", "They hear what is written from now on, and still know what was before the restore."
	case v.Seen < api.Seen:
		v.Doing, v.Why = "are about to hear", fmt.Sprintf("They have seen revision %d, and %s is at %d.", v.Seen, name, api.Seen)
	default:
		v.Doing, v.Why = "see what etcd holds", fmt.Sprintf("They have seen all that %s has, up to revision %d.", name, v.Seen)
	}
	return v
}

// loseLeases is an outage for the controllers.
func (s *State) loseLeases(by byer) {
	if s.Controllers.Up {
		s.restartControllers()
		by(ruleLease)
	}
}

func (s *State) restartControllers() {
	k := &s.Controllers
	k.Watch, k.Seen, k.MustList = -1, 0, true
}

// connectControllers is the controllers reaching an API server.
func (c *Cluster) connectControllers(s *State, server int, say sayer, by byer) {
	k, v, api := &s.Controllers, &s.Servers[server], c.Servers[server]
	k.Watch = int8(server)
	switch {
	case k.MustList:
		by(ruleLease)
		say("The controllers list from the API server %s%s.", api, c.erasedToo(s, server))
	case k.Seen < v.Listed:
		by(ruleExpired)
		say("The controllers resume at %d, and the first list of the API server %s was at %d: they list%s.", k.Seen, api, v.Listed, c.erasedToo(s, server))
	case k.Seen > v.Seen:
		by(ruleResume, ruleDeaf)
		say("The controllers resume at %d, and the API server %s is at %d: their watch is accepted and delivers nothing.", k.Seen, api, v.Seen)
		return
	default:
		by(ruleResume)
		say("The controllers resume their watch at %d with the API server %s.", k.Seen, api)
		return
	}
	k.Seen, k.Timeline, k.MustList = v.Seen, v.Timeline, false
}
