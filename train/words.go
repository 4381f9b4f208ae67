package train

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/replay"
)

// Word is an action in the few words that ParseAction reads: "stop cp-1", "restore 7".
func (x *Session) Word(a replay.Action) string {
	node := func() string {
		if a.Target == replay.TheControllers {
			return "controllers"
		}
		return x.Play.Nodes[a.Target].Name
	}
	server := func(i int) string { return x.Play.Servers[i] }
	switch a.Kind {
	case replay.StopServer:
		return "stop " + server(int(a.Target))
	case replay.StartServer:
		return "start " + server(int(a.Target))
	case replay.StopEtcd:
		return "stop etcd"
	case replay.StartEtcd:
		return "start etcd"
	case replay.Restore:
		return fmt.Sprintf("restore %d", a.N)
	case replay.RestartKubelet:
		return "restart " + node()
	case replay.RestartControllers:
		return "restart controllers"
	case replay.CreatePod:
		return "create " + node()
	case replay.DeletePod:
		return "delete " + strings.TrimPrefix(x.Play.Say(a), "delete the pod ")
	case replay.Wait:
		return "wait"
	case replay.HTTPError:
		return "error " + node()
	case replay.Close:
		return "close " + node()
	case replay.Sync:
		return "sync " + server(int(a.Target))
	case replay.Connect:
		return "connect " + node() + " " + server(int(a.N))
	case replay.Deliver:
		return "deliver " + node()
	}
	return "?"
}

// Settling is the word for all that happens by itself, and one for the next of it.
const (
	Settling = "settle"
	Stepping = "next"
)

// Perform takes what a word names: one of Actions, or what happens by itself. The error
// says that there is no such action now, and which there are.
func (x *Session) Perform(word string) error {
	if x.Play == nil {
		return fmt.Errorf("nothing is played: this scenario is on evidence")
	}
	word = strings.Join(strings.Fields(word), " ")
	switch word {
	case Settling:
		x.Settle()
		return nil
	case Stepping:
		if !x.Next() {
			return fmt.Errorf("nothing is left to happen by itself")
		}
		return nil
	case "restore":
		word = "restore 0"
	}
	var list []string
	for _, a := range x.Actions() {
		w := x.Word(a)
		if w == word {
			return x.Do(a)
		}
		list = append(list, w)
	}
	if n := slices.Compact(list); len(n) > 0 {
		return fmt.Errorf("%.60q cannot be done now: there are %s", word, strings.Join(n, ", "))
	}
	return fmt.Errorf("%.60q cannot be done now", word)
}

// Taken are the steps of the scenario as words that Perform takes.
func (x *Session) Taken() (list []string) {
	steps := x.Steps()
	for i := 0; i < len(steps); {
		if !steps[i].Action.Operator() {
			_, all := x.Play.Cluster.Settle(x.Play.Moments()[x.begun+i])
			if n := len(all); n > 0 && i+n <= len(steps) && slices.EqualFunc(all, steps[i:i+n], func(a, b replay.Step) bool { return a.Action == b.Action }) {
				list = append(list, Settling)
				i += n
				continue
			}
		}
		list = append(list, x.Word(steps[i].Action))
		i++
	}
	return list
}
