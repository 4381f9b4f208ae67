package restore

import (
	"testing"

	"revenant/decoder/kube"
)

var decisions = []struct {
	name                       string
	was, now                   *Pod
	plain, bump, restart, keep []string
}{
	{
		name: "created after the backup", now: made(),
		plain:   []string{"1 phantom relist on n1"},
		bump:    []string{"1 terminated self"},
		restart: []string{"1 terminated self"},
		keep:    []string{"1 hidden never on n1 api Running@n1"},
	},
	{
		name: "created, bound and not started", now: made(pending),
		plain:   []string{"1 phantom relist perhaps on n1"},
		bump:    []string{"1 terminated self"},
		restart: []string{"1 terminated self"},
		keep:    []string{"1 hidden never perhaps on n1 api Pending@n1"},
	},
	{
		name: "created on a node that only the current state has", now: made(on("n5")),
		plain:   []string{"5a phantom relist on n5 +node-missing"},
		bump:    []string{"5a terminated self +node-missing"},
		restart: []string{"5a terminated self"},
		keep:    []string{"5a hidden never on n5 api Running@n5 +node-missing"},
	},
	{
		name: "created on a node that is gone", now: made(on("n4")),
		plain:   []string{"1 phantom relist on n4 +node-gone ?"},
		bump:    []string{"1 terminated self +node-gone ?"},
		restart: []string{"1 terminated self +node-gone ?"},
		keep:    []string{"1 hidden never on n4 api Running@n4 +node-gone ?"},
	},
	{
		name: "created, with a deadline", now: made(expiring),
		plain:   []string{"1 phantom self on n1"},
		bump:    []string{"1 terminated self"},
		restart: []string{"1 terminated self"},
		keep:    []string{"1 hidden never on n1 api Running@n1"},
	},
	{
		name: "created, with a deadline, on a new node", now: made(expiring, on("n5")),
		plain:   []string{"5a phantom self on n5 +node-missing"},
		bump:    []string{"5a terminated self +node-missing"},
		restart: []string{"5a terminated self"},
		keep:    []string{"5a hidden never on n5 api Running@n5 +node-missing"},
	},
	{
		name: "created, being deleted with time left", now: made(dying),
		plain:   []string{"1 phantom self on n1"},
		bump:    []string{"1 terminated self on n1"},
		restart: []string{"1 terminated self"},
		keep:    []string{"1 hidden self on n1 api Running@n1/terminating"},
	},
	{
		name: "created, being deleted on a new node", now: made(dying, on("n5")),
		plain:   []string{"5a phantom self on n5 +node-missing"},
		bump:    []string{"5a terminated self on n5 +node-missing"},
		restart: []string{"5a terminated self"},
		keep:    []string{"5a hidden self on n5 api Running@n5/terminating +node-missing"},
	},
	{
		name: "created, being deleted with no time left", now: made(dead),
		plain:   []string{"1 terminated self perhaps on n1"},
		bump:    []string{"1 terminated self perhaps on n1"},
		restart: []string{"1 terminated self"},
		keep:    []string{"1 terminated self perhaps on n1 api Running@n1/terminating"},
	},
	{
		name: "created, not stopped in time", now: made(overdue),
		plain:   []string{"1 phantom relist on n1 ?"},
		bump:    []string{"1 terminated self ?"},
		restart: []string{"1 terminated self ?"},
		keep:    []string{"1 hidden never on n1 api Running@n1/terminating ?"},
	},
	{
		name: "created and ended", now: made(succeeded),
		plain:   []string{"7 finished self"},
		bump:    []string{"7 finished self"},
		restart: []string{"7 finished self"},
		keep:    []string{"7 finished self api Succeeded@n1"},
	},
	{
		name: "created, ended and being deleted", now: made(failed, dying, held),
		plain:   []string{"7 finished self"},
		bump:    []string{"7 finished self"},
		restart: []string{"7 finished self"},
		keep:    []string{"7 finished self api Failed@n1/terminating"},
	},
	{
		name: "created and never bound", now: made(unbound("n1")),
		plain:   []string{"unbound lost never"},
		bump:    []string{"unbound lost never"},
		restart: []string{"unbound lost never"},
		keep:    []string{"unbound lost never api Pending"},
	},

	{
		name: "same name, same node", was: was(), now: made(),
		plain:   []string{"2a ghost relist api Running@n1 +same-name-same-node", "2a phantom relist on n1 +same-name-same-node"},
		bump:    []string{"2a restarted self on n1 api Running@n1 +same-name-same-node +double-run", "2a terminated self +same-name-same-node +double-run"},
		restart: []string{"2a restarted self on n1 api Running@n1 +same-name-same-node +double-run", "2a terminated self +same-name-same-node +double-run"},
		keep:    []string{"2a lost-deletion never +same-name-same-node", "2a hidden never on n1 api Running@n1 +same-name-same-node"},
	},
	{
		name: "same name, same node, Never", was: was(never), now: made(never),
		plain:   []string{"2a ghost relist api Running@n1 +same-name-same-node", "2a phantom relist on n1 +same-name-same-node"},
		bump:    []string{"2a finished self api Failed@n1 +same-name-same-node", "2a terminated self +same-name-same-node"},
		restart: []string{"2a finished self api Failed@n1 +same-name-same-node", "2a terminated self +same-name-same-node"},
		keep:    []string{"2a lost-deletion never +same-name-same-node", "2a hidden never on n1 api Running@n1 +same-name-same-node"},
	},
	{
		name: "same name, another node", was: was(on("n2")), now: made(),
		plain:   []string{"2b ghost relist api Running@n2 +same-name-other-node", "2b phantom relist on n1 +same-name-other-node"},
		bump:    []string{"2b restarted self on n2 api Running@n2 +same-name-other-node +double-run", "2b terminated self +same-name-other-node +double-run"},
		restart: []string{"2b restarted self on n2 api Running@n2 +same-name-other-node +double-run", "2b terminated self +same-name-other-node +double-run"},
		keep:    []string{"2b lost-deletion never +same-name-other-node", "2b hidden never on n1 api Running@n1 +same-name-other-node"},
	},
	{
		name: "same name, the backup's node is gone", was: was(on("n4")), now: made(),
		plain:   []string{"5b ghost never api Running@n4 +same-name-other-node +node-gone", "2b phantom relist on n1 +same-name-other-node"},
		bump:    []string{"5b stuck-terminating never api Running@n4 +same-name-other-node +node-gone", "2b terminated self +same-name-other-node"},
		restart: []string{"5b stuck-terminating never api Running@n4 +same-name-other-node +node-gone", "2b terminated self +same-name-other-node"},
		keep:    []string{"5b lost-deletion never +same-name-other-node +node-gone", "2b hidden never on n1 api Running@n1 +same-name-other-node"},
	},
	{
		name: "same name, the current one's node is new", was: was(on("n2")), now: made(on("n5")),
		plain:   []string{"2b ghost relist api Running@n2 +same-name-other-node", "2b phantom relist on n5 +same-name-other-node +node-missing"},
		bump:    []string{"2b restarted self on n2 api Running@n2 +same-name-other-node +double-run", "2b terminated self +same-name-other-node +double-run +node-missing"},
		restart: []string{"2b restarted self on n2 api Running@n2 +same-name-other-node +double-run", "2b terminated self +same-name-other-node +double-run"},
		keep:    []string{"2b lost-deletion never +same-name-other-node", "2b hidden never on n5 api Running@n5 +same-name-other-node +node-missing"},
	},
	{
		name: "same name, the current one has ended", was: was(never), now: made(never, succeeded),
		plain:   []string{"2a ghost relist api Running@n1 +same-name-same-node", "7 finished self +same-name-same-node"},
		bump:    []string{"2a finished self api Failed@n1 +same-name-same-node", "7 finished self +same-name-same-node"},
		restart: []string{"2a finished self api Failed@n1 +same-name-same-node", "7 finished self +same-name-same-node"},
		keep:    []string{"2a lost-deletion never +same-name-same-node", "7 finished self api Succeeded@n1 +same-name-same-node"},
	},
	{
		name: "same name, the backup's one has ended", was: was(never, succeeded), now: made(never),
		plain:   []string{"7' finished self api Succeeded@n1 +same-name-same-node", "2a phantom relist on n1 +same-name-same-node"},
		bump:    []string{"7' finished self api Succeeded@n1 +same-name-same-node", "2a terminated self +same-name-same-node"},
		restart: []string{"7' finished self api Succeeded@n1 +same-name-same-node", "2a terminated self +same-name-same-node"},
		keep:    []string{"7' finished self +same-name-same-node", "2a hidden never on n1 api Running@n1 +same-name-same-node"},
	},
	{
		name: "same name, the current one is not bound", was: was(), now: made(unbound("n1", "n2")),
		plain:   []string{"2b ghost relist api Running@n1 +same-name-other-node", "unbound lost never"},
		bump:    []string{"2b restarted self on n1 api Running@n1 +same-name-other-node", "unbound lost never"},
		restart: []string{"2b restarted self on n1 api Running@n1 +same-name-other-node", "unbound lost never"},
		keep:    []string{"2b lost-deletion never +same-name-other-node", "unbound lost never api Pending"},
	},
	{
		name: "same name, the backup's one is not bound", was: was(unbound("n1", "n2")), now: made(),
		plain:   []string{"unbound lost-deletion never api Pending", "2b phantom relist on n1 +same-name-other-node"},
		bump:    []string{"unbound lost-deletion never perhaps on n1,n2 api Running +double-run", "2b terminated self +same-name-other-node +double-run"},
		restart: []string{"unbound lost-deletion never perhaps on n1,n2 api Running +double-run", "2b terminated self +same-name-other-node +double-run"},
		keep:    []string{"unbound lost-deletion never", "2b hidden never on n1 api Running@n1 +same-name-other-node"},
	},

	{
		name: "deleted, Always", was: was(),
		plain:   []string{"3 ghost relist api Running@n1"},
		bump:    []string{"3 restarted self on n1 api Running@n1"},
		restart: []string{"3 restarted self on n1 api Running@n1"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, OnFailure", was: was(onFailure),
		plain:   []string{"3 ghost relist api Running@n1"},
		bump:    []string{"3 restarted self on n1 api Running@n1 +runs-again"},
		restart: []string{"3 restarted self on n1 api Running@n1 +runs-again"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, Never", was: was(never),
		plain:   []string{"3 ghost relist api Running@n1"},
		bump:    []string{"3 finished self api Failed@n1"},
		restart: []string{"3 finished self api Failed@n1"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, its deadline passed", was: was(expired),
		plain:   []string{"3 ghost relist api Running@n1"},
		bump:    []string{"3 finished self api Failed@n1"},
		restart: []string{"3 finished self api Failed@n1"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, its deadline to come", was: was(expiring),
		plain:   []string{"3 ghost relist api Running@n1"},
		bump:    []string{"3 restarted self on n1 api Running@n1"},
		restart: []string{"3 restarted self on n1 api Running@n1"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, had not started", was: was(pending),
		plain:   []string{"3 ghost relist api Pending@n1"},
		bump:    []string{"3 restarted self perhaps on n1 api Pending@n1"},
		restart: []string{"3 restarted self perhaps on n1 api Pending@n1"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, had not started, Never", was: was(pending, never),
		plain:   []string{"3 ghost relist api Pending@n1"},
		bump:    []string{"3 restarted self perhaps on n1 api Pending@n1 +runs-again"},
		restart: []string{"3 restarted self perhaps on n1 api Pending@n1 +runs-again"},
		keep:    []string{"3 lost-deletion never"},
	},
	{
		name: "deleted, ended in the backup", was: was(succeeded),
		plain:   []string{"7' finished self api Succeeded@n1"},
		bump:    []string{"7' finished self api Succeeded@n1"},
		restart: []string{"7' finished self api Succeeded@n1"},
		keep:    []string{"7' finished self"},
	},
	{
		name: "deleted, was not bound", was: was(unbound("n1", "n2", "n4")),
		plain:   []string{"unbound lost-deletion never api Pending"},
		bump:    []string{"unbound lost-deletion never perhaps on n1,n2 api Running"},
		restart: []string{"unbound lost-deletion never perhaps on n1,n2 api Running"},
		keep:    []string{"unbound lost-deletion never"},
	},
	{
		name: "deleted, its node is gone", was: was(on("n4")),
		plain:   []string{"5b ghost never api Running@n4 +node-gone"},
		bump:    []string{"5b stuck-terminating never api Running@n4 +node-gone"},
		restart: []string{"5b stuck-terminating never api Running@n4 +node-gone"},
		keep:    []string{"5b lost-deletion never +node-gone"},
	},
	{
		name: "deleted, its node is in neither", was: was(on("n6")),
		plain:   []string{"5b finished self api Running@n6 +node-gone"},
		bump:    []string{"5b finished self api Running@n6 +node-gone"},
		restart: []string{"5b finished self api Running@n6 +node-gone"},
		keep:    []string{"5b lost-deletion never +node-gone"},
	},
	{
		name: "deletion done", was: was(dying),
		plain:   []string{"4e ghost relist api Running@n1/terminating +stuck-terminating"},
		bump:    []string{"4e finished self"},
		restart: []string{"4e finished self"},
		keep:    []string{"4e lost-deletion never"},
	},
	{
		name: "deletion done, finalizer", was: was(dying, held),
		plain:   []string{"4e ghost relist api Running@n1/terminating +stuck-terminating"},
		bump:    []string{"4e stuck-terminating never api Failed@n1/terminating"},
		restart: []string{"4e stuck-terminating never api Failed@n1/terminating"},
		keep:    []string{"4e lost-deletion never"},
	},
	{
		name: "deletion done, ended in the backup", was: was(dying, succeeded),
		plain:   []string{"4e stuck-terminating relist api Succeeded@n1/terminating"},
		bump:    []string{"4e finished self"},
		restart: []string{"4e finished self"},
		keep:    []string{"4e lost-deletion never"},
	},
	{
		name: "deletion done, ended in the backup, finalizer", was: was(dying, succeeded, held),
		plain:   []string{"4e stuck-terminating never api Succeeded@n1/terminating"},
		bump:    []string{"4e stuck-terminating never api Succeeded@n1/terminating"},
		restart: []string{"4e stuck-terminating never api Succeeded@n1/terminating"},
		keep:    []string{"4e lost-deletion never"},
	},
	{
		name: "deletion done, was not bound, finalizer", was: was(unbound(), dying, held),
		plain:   []string{"4e stuck-terminating never api Pending/terminating"},
		bump:    []string{"4e stuck-terminating never api Pending/terminating"},
		restart: []string{"4e stuck-terminating never api Pending/terminating"},
		keep:    []string{"4e lost-deletion never"},
	},
	{
		name: "deletion done, its node is gone", was: was(dying, on("n4")),
		plain:   []string{"5b ghost never api Running@n4/terminating +node-gone"},
		bump:    []string{"5b stuck-terminating never api Running@n4/terminating +node-gone"},
		restart: []string{"5b stuck-terminating never api Running@n4/terminating +node-gone"},
		keep:    []string{"5b lost-deletion never +node-gone"},
	},

	{
		name: "unchanged", was: was(), now: pod("uid", 500, 600),
		plain:   []string{"4a unaffected self on n1 api Running@n1"},
		bump:    []string{"4a unaffected self on n1 api Running@n1"},
		restart: []string{"4a unaffected self on n1 api Running@n1"},
		keep:    []string{"4a unaffected self on n1 api Running@n1"},
	},
	{
		name: "touched", was: was(), now: now(),
		plain:   []string{"4a unaffected self on n1 api Running@n1"},
		bump:    []string{"4a unaffected self on n1 api Running@n1"},
		restart: []string{"4a unaffected self on n1 api Running@n1"},
		keep:    []string{"4a unaffected self on n1 api Running@n1"},
	},
	{
		name: "resized", was: was(asks(10)), now: now(asks(80)),
		plain:   []string{"4a unaffected self on n1 api Running@n1"},
		bump:    []string{"4a unaffected self on n1 api Running@n1"},
		restart: []string{"4a unaffected self on n1 api Running@n1"},
		keep:    []string{"4a unaffected self on n1 api Running@n1"},
	},
	{
		name: "resized to more, RestartContainer", was: was(asksToRestart(10)), now: now(asksToRestart(80)),
		plain:   []string{"4f' stale-spec relist on n1 api Running@n1"},
		bump:    []string{"4f' restarted self on n1 api Running@n1 +spec-rolled-back"},
		restart: []string{"4f' restarted self on n1 api Running@n1 +spec-rolled-back"},
		keep:    []string{"4f' stale-spec never on n1 api Running@n1"},
	},
	{
		name: "resized to less, RestartContainer", was: was(asksToRestart(80)), now: now(asksToRestart(10)),
		plain:   []string{"4f' stale-spec relist on n1 api Running@n1"},
		bump:    []string{"4f' restarted self on n1 api Running@n1 +spec-rolled-back ?"},
		restart: []string{"4f' restarted self on n1 api Running@n1 +spec-rolled-back ?"},
		keep:    []string{"4f' stale-spec never on n1 api Running@n1"},
	},
	{
		name: "to be resized, RestartContainer", was: was(asksToRestart(10)), now: now(asksToRestart(80), func(p *Pod) {
			p.Allocated = &kube.Allocation{Requests: kube.Requests{MilliCPU: 10}, RestartOnResize: "c: cpu 10"}
		}),
		plain:   []string{"4a unaffected self on n1 api Running@n1"},
		bump:    []string{"4a unaffected self on n1 api Running@n1"},
		restart: []string{"4a unaffected self on n1 api Running@n1"},
		keep:    []string{"4a unaffected self on n1 api Running@n1"},
	},
	{
		name: "ended by its deadline", was: was(expired), now: now(failed, expired),
		plain:   []string{"4b' stale-status relist api Running@n1"},
		bump:    []string{"4b' finished self api Failed@n1"},
		restart: []string{"4b' finished self api Failed@n1"},
		keep:    []string{"4b' stale-status never api Failed@n1"},
	},
	{
		name: "ephemeral container added", was: was(ephemeral("old")), now: now(ephemeral("old", "debug")),
		plain:   []string{"4a unaffected self on n1 api Running@n1 +stray-containers"},
		bump:    []string{"4a unaffected self on n1 api Running@n1 +stray-containers"},
		restart: []string{"4a unaffected self on n1 api Running@n1 +stray-containers"},
		keep:    []string{"4a unaffected self on n1 api Running@n1"},
	},
	{
		name: "ephemeral container added, deletion begun", was: was(), now: now(dying, ephemeral("debug")),
		plain:   []string{"4d lost-deletion never on n1 api Running@n1"},
		bump:    []string{"4d lost-deletion never on n1 api Running@n1"},
		restart: []string{"4d lost-deletion never on n1 api Running@n1 +stray-containers"},
		keep:    []string{"4d lost-deletion never on n1 api Running@n1/terminating"},
	},
	{
		name: "became ready", was: was(), now: now(func(p *Pod) { p.Ready = true }),
		plain:   []string{"4a-status stale-status statusChange on n1 api Running@n1"},
		bump:    []string{"4a-status unaffected self on n1 api Running@n1"},
		restart: []string{"4a-status unaffected self on n1 api Running@n1"},
		keep:    []string{"4a-status stale-status never on n1 api Running@n1"},
	},
	{
		name: "containers restarted", was: was(), now: now(func(p *Pod) { p.Restarts = 1 }),
		plain:   []string{"4a-status stale-status statusChange on n1 api Running@n1"},
		bump:    []string{"4a-status unaffected self on n1 api Running@n1"},
		restart: []string{"4a-status unaffected self on n1 api Running@n1"},
		keep:    []string{"4a-status stale-status never on n1 api Running@n1"},
	},
	{
		name: "unchanged and ended", was: was(succeeded), now: pod("uid", 500, 600, succeeded),
		plain:   []string{"4a unaffected self api Succeeded@n1"},
		bump:    []string{"4a unaffected self api Succeeded@n1"},
		restart: []string{"4a unaffected self api Succeeded@n1"},
		keep:    []string{"4a unaffected self api Succeeded@n1"},
	},
	{
		name: "not bound in either", was: was(unbound("n1")), now: now(unbound("n1")),
		plain:   []string{"unbound unaffected self api Pending"},
		bump:    []string{"unbound unaffected self api Pending"},
		restart: []string{"unbound unaffected self api Pending"},
		keep:    []string{"unbound unaffected self api Pending"},
	},
	{
		name: "started", was: was(pending), now: now(),
		plain:   []string{"4a-status stale-status statusChange on n1 api Pending@n1"},
		bump:    []string{"4a-status unaffected self on n1 api Running@n1"},
		restart: []string{"4a-status unaffected self on n1 api Running@n1"},
		keep:    []string{"4a-status stale-status never on n1 api Running@n1"},
	},
	{
		name: "image changed", was: was(), now: now(image("v2")),
		plain:   []string{"4f stale-spec relist on n1 api Running@n1"},
		bump:    []string{"4f restarted self on n1 api Running@n1 +spec-rolled-back"},
		restart: []string{"4f restarted self on n1 api Running@n1 +spec-rolled-back"},
		keep:    []string{"4f stale-spec never on n1 api Running@n1"},
	},
	{
		name: "its node is in neither", was: was(on("n6")), now: now(on("n6")),
		plain:   []string{"5b finished self api Running@n6 +node-gone"},
		bump:    []string{"5b finished self api Running@n6 +node-gone"},
		restart: []string{"5b finished self api Running@n6 +node-gone"},
		keep:    []string{"5b unaffected self api Running@n6 +node-gone"},
	},
	{
		name: "its node is in the current state only", was: was(on("n5")), now: pod("uid", 500, 600, on("n5")),
		plain:   []string{"4a unaffected self on n5 api Running@n5 +node-missing"},
		bump:    []string{"4a unaffected self on n5 api Running@n5 +node-missing"},
		restart: []string{"4a unaffected self on n5 api Running@n5"},
		keep:    []string{"4a unaffected self on n5 api Running@n5 +node-missing"},
	},
	{
		name: "its node is gone", was: was(on("n4")), now: now(on("n4")),
		plain:   []string{"5b ghost never api Running@n4 +node-gone"},
		bump:    []string{"5b stuck-terminating never api Running@n4 +node-gone"},
		restart: []string{"5b stuck-terminating never api Running@n4 +node-gone"},
		keep:    []string{"5b unaffected self api Running@n4 +node-gone"},
	},
	{
		name: "ended in the backup, its node is gone", was: was(on("n4"), failed), now: now(on("n4")),
		plain:   []string{"7' finished self api Failed@n4 +node-gone"},
		bump:    []string{"7' finished self api Failed@n4 +node-gone"},
		restart: []string{"7' finished self api Failed@n4 +node-gone"},
		keep:    []string{"7' finished self api Running@n4 +node-gone"},
	},
	{
		name: "ended and being deleted in the backup, its node is gone", was: was(on("n4"), failed, dying), now: now(on("n4"), dying),
		plain:   []string{"5b ghost never api Failed@n4/terminating +node-gone"},
		bump:    []string{"5b stuck-terminating never api Failed@n4/terminating +node-gone"},
		restart: []string{"5b stuck-terminating never api Failed@n4/terminating +node-gone"},
		keep:    []string{"5b unaffected self api Running@n4/terminating +node-gone"},
	},
	{
		name: "ended, Never", was: was(never), now: now(never, failed),
		plain:   []string{"4b stale-status relist api Running@n1"},
		bump:    []string{"4b finished self api Failed@n1"},
		restart: []string{"4b finished self api Failed@n1"},
		keep:    []string{"4b stale-status never api Failed@n1"},
	},
	{
		name: "ended, OnFailure", was: was(onFailure), now: now(onFailure, succeeded),
		plain:   []string{"4b stale-status relist api Running@n1"},
		bump:    []string{"4b finished self api Succeeded@n1"},
		restart: []string{"4b finished self api Succeeded@n1 ?"},
		keep:    []string{"4b stale-status never api Succeeded@n1"},
	},
	{
		name: "failed, OnFailure", was: was(onFailure), now: now(onFailure, failed),
		plain:   []string{"4b' stale-status relist api Running@n1"},
		bump:    []string{"4b' finished self api Failed@n1"},
		restart: []string{"4b' restarted self on n1 api Running@n1 +runs-again"},
		keep:    []string{"4b' stale-status never api Failed@n1"},
	},
	{
		name: "evicted, Always", was: was(), now: now(failed),
		plain:   []string{"4b' stale-status relist api Running@n1"},
		bump:    []string{"4b' finished self api Failed@n1"},
		restart: []string{"4b' restarted self on n1 api Running@n1 +runs-again"},
		keep:    []string{"4b' stale-status never api Failed@n1"},
	},
	{
		name: "ended in the backup, alive since", was: was(failed), now: now(),
		plain:   []string{"4b-back stale-status relist on n1 api Failed@n1"},
		bump:    []string{"4b-back terminated self api Failed@n1"},
		restart: []string{"4b-back terminated self api Failed@n1"},
		keep:    []string{"4b-back stale-status never on n1 api Running@n1"},
	},

	{
		name: "bound since, by free choice", was: was(unbound("n1", "n2")), now: now(),
		plain:   []string{"4c phantom relist on n1 api Pending +double-bind ?"},
		bump:    []string{"4c terminated self perhaps on n1,n2 api Running +double-bind +double-run ?"},
		restart: []string{"4c terminated self perhaps on n1,n2 api Running +double-bind +double-run ?"},
		keep:    []string{"4c hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, choices unknown", was: was(unboundUnasked), now: now(),
		plain:   []string{"4c phantom relist on n1 api Pending +double-bind ?"},
		bump:    []string{"4c terminated self api Running +double-bind +double-run ?"},
		restart: []string{"4c terminated self api Running +double-bind +double-run ?"},
		keep:    []string{"4c hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, cannot come back", was: was(unbound("n2", "n3")), now: now(),
		plain:   []string{"4c phantom relist on n1 api Pending +double-bind"},
		bump:    []string{"4c terminated self perhaps on n2,n3 api Running +double-bind +double-run"},
		restart: []string{"4c terminated self perhaps on n2,n3 api Running +double-bind +double-run"},
		keep:    []string{"4c hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, can only go to n2", was: was(unbound("n2")), now: now(),
		plain:   []string{"4c phantom relist on n1 api Pending@n2 +double-bind"},
		bump:    []string{"4c terminated self perhaps on n2 api Running@n2 +double-bind +double-run"},
		restart: []string{"4c terminated self perhaps on n2 api Running@n2 +double-bind +double-run"},
		keep:    []string{"4c hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, perhaps to a node that is gone", was: was(unbound("n1", "n4")), now: now(),
		plain:   []string{"4c phantom relist on n1 api Pending +double-bind ?"},
		bump:    []string{"4c terminated never perhaps on n1 api Running +double-bind +double-run ?"},
		restart: []string{"4c terminated never perhaps on n1 api Running +double-bind +double-run ?"},
		keep:    []string{"4c hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, elsewhere or to a node that is gone", was: was(unbound("n2", "n4")), now: now(),
		plain:   []string{"4c phantom relist on n1 api Pending +double-bind"},
		bump:    []string{"4c terminated never perhaps on n2 api Running +double-bind +double-run ?"},
		restart: []string{"4c terminated never perhaps on n2 api Running +double-bind +double-run ?"},
		keep:    []string{"4c hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, to a new node", was: was(unbound("n1", "n2")), now: now(on("n5")),
		plain:   []string{"4c phantom relist on n5 api Pending +double-bind +node-missing"},
		bump:    []string{"4c terminated self perhaps on n1,n2 api Running +double-bind +double-run +node-missing"},
		restart: []string{"4c terminated self perhaps on n1,n2 api Running +double-bind +double-run"},
		keep:    []string{"4c hidden never on n5 api Running@n5 +node-missing"},
	},
	{
		name: "bound since, no choice at all", was: was(unbound()), now: now(),
		plain:   []string{"4c' phantom relist on n1 api Pending"},
		bump:    []string{"4c' terminated never api Pending +not-rescheduled"},
		restart: []string{"4c' terminated never api Pending +not-rescheduled"},
		keep:    []string{"4c' hidden never on n1 api Running@n1"},
	},
	{
		name: "bound since, no other choice", was: was(unbound("n1")), now: now(),
		plain:   []string{"4c'' stale-status statusChange on n1 api Pending@n1 ?"},
		bump:    []string{"4c'' unaffected self on n1 api Running@n1 ?"},
		restart: []string{"4c'' unaffected self on n1 api Running@n1 ?"},
		keep:    []string{"4c'' stale-status never on n1 api Running@n1"},
	},
	{
		name: "bound and ended since", was: was(unbound("n1", "n2")), now: now(succeeded),
		plain:   []string{"4c stale-status relist api Pending"},
		bump:    []string{"4c restarted self perhaps on n1,n2 api Running +runs-again ?"},
		restart: []string{"4c restarted self perhaps on n1,n2 api Running +runs-again ?"},
		keep:    []string{"4c stale-status never api Succeeded@n1"},
	},
	{
		name: "bound and stopped since", was: was(unbound("n1", "n2")), now: now(dead),
		plain:   []string{"4c lost-deletion never api Pending"},
		bump:    []string{"4c lost-deletion never perhaps on n1,n2 api Running +runs-again"},
		restart: []string{"4c lost-deletion never perhaps on n1,n2 api Running +runs-again"},
		keep:    []string{"4c lost-deletion never api Running@n1/terminating"},
	},

	{
		name: "being deleted since, time left", was: was(), now: now(dying),
		plain:   []string{"4d lost-deletion never on n1 api Running@n1"},
		bump:    []string{"4d lost-deletion never on n1 api Running@n1"},
		restart: []string{"4d lost-deletion never on n1 api Running@n1"},
		keep:    []string{"4d lost-deletion never on n1 api Running@n1/terminating"},
	},
	{
		name: "being deleted since, no time left", was: was(), now: now(dead),
		plain:   []string{"4d lost-deletion never perhaps on n1 api Running@n1"},
		bump:    []string{"4d lost-deletion never perhaps on n1 api Running@n1 ?"},
		restart: []string{"4d lost-deletion never perhaps on n1 api Running@n1"},
		keep:    []string{"4d lost-deletion never perhaps on n1 api Running@n1/terminating"},
	},
	{
		name: "being deleted since, not stopped in time", was: was(), now: now(overdue),
		plain:   []string{"4d lost-deletion never perhaps on n1 api Running@n1 ?"},
		bump:    []string{"4d lost-deletion never perhaps on n1 api Running@n1 ?"},
		restart: []string{"4d lost-deletion never perhaps on n1 api Running@n1 ?"},
		keep:    []string{"4d lost-deletion never perhaps on n1 api Running@n1/terminating ?"},
	},
	{
		name: "being deleted since and ended, finalizer", was: was(), now: now(dead, succeeded, held),
		plain:   []string{"4d' lost-deletion never api Running@n1 +needs-force-delete"},
		bump:    []string{"4d' lost-deletion never api Running@n1 +needs-force-delete"},
		restart: []string{"4d' restarted self on n1 api Running@n1 +runs-again"},
		keep:    []string{"4d' lost-deletion never api Succeeded@n1/terminating"},
	},
	{
		name: "being deleted since and ended, finalizer, Never", was: was(never), now: now(never, dead, succeeded, held),
		plain:   []string{"4d' lost-deletion never api Running@n1 +needs-force-delete"},
		bump:    []string{"4d' lost-deletion never api Running@n1 +needs-force-delete"},
		restart: []string{"4d' finished self api Failed@n1"},
		keep:    []string{"4d' lost-deletion never api Succeeded@n1/terminating"},
	},
	{
		name: "being deleted since and ended", was: was(), now: now(dead, succeeded),
		plain:   []string{"4d' lost-deletion never api Running@n1 +needs-force-delete"},
		bump:    []string{"4d' restarted self on n1 api Running@n1 +runs-again ?"},
		restart: []string{"4d' restarted self on n1 api Running@n1 +runs-again ?"},
		keep:    []string{"4d' lost-deletion never api Succeeded@n1/terminating"},
	},
	{
		name: "being deleted since and ended, Never", was: was(never), now: now(never, dead, succeeded),
		plain:   []string{"4d' lost-deletion never api Running@n1 +needs-force-delete"},
		bump:    []string{"4d' finished self api Failed@n1 ?"},
		restart: []string{"4d' finished self api Failed@n1 ?"},
		keep:    []string{"4d' lost-deletion never api Succeeded@n1/terminating"},
	},
	{
		name: "ended in both, being deleted since", was: was(succeeded), now: now(dead, succeeded),
		plain:   []string{"7' finished self api Succeeded@n1"},
		bump:    []string{"7' finished self api Succeeded@n1"},
		restart: []string{"7' finished self api Succeeded@n1"},
		keep:    []string{"7' finished self api Succeeded@n1/terminating"},
	},
	{
		name: "ended in both, being deleted since, finalizer", was: was(never, failed), now: now(never, dead, failed, held),
		plain:   []string{"7' finished self api Failed@n1"},
		bump:    []string{"7' finished self api Failed@n1"},
		restart: []string{"7' finished self api Failed@n1"},
		keep:    []string{"7' finished self api Failed@n1/terminating"},
	},
	{
		name: "being deleted since, not bound", was: was(unbound("n1")), now: now(unbound("n1"), dying, held),
		plain:   []string{"4d lost-deletion never api Pending"},
		bump:    []string{"4d lost-deletion never perhaps on n1 api Running"},
		restart: []string{"4d lost-deletion never perhaps on n1 api Running"},
		keep:    []string{"4d lost-deletion never api Pending/terminating"},
	},
	{
		name: "being deleted in both", was: was(dying), now: now(dying),
		plain:   []string{"4a unaffected self on n1 api Running@n1/terminating"},
		bump:    []string{"4a unaffected self on n1 api Running@n1/terminating"},
		restart: []string{"4a unaffected self perhaps on n1 api Running@n1/terminating"},
		keep:    []string{"4a unaffected self on n1 api Running@n1/terminating"},
	},
	{
		name: "being deleted in both, ended since, finalizer", was: was(dying, held), now: now(dying, succeeded, held),
		plain:   []string{"4d' stuck-terminating never api Running@n1/terminating +needs-force-delete"},
		bump:    []string{"4d' stuck-terminating never api Running@n1/terminating +needs-force-delete"},
		restart: []string{"4d' stuck-terminating never api Failed@n1/terminating"},
		keep:    []string{"4d' stuck-terminating never api Succeeded@n1/terminating"},
	},
	{
		name: "being deleted in both, ended since", was: was(dying), now: now(dying, succeeded),
		plain:   []string{"4e stuck-terminating relist api Running@n1/terminating"},
		bump:    []string{"4e finished self"},
		restart: []string{"4e finished self"},
		keep:    []string{"4e stuck-terminating never api Succeeded@n1/terminating"},
	},
	{
		name: "being deleted in both, ended", was: was(dying, succeeded, held), now: now(dying, succeeded, held),
		plain:   []string{"4a unaffected self api Succeeded@n1/terminating"},
		bump:    []string{"4a unaffected self api Succeeded@n1/terminating"},
		restart: []string{"4a unaffected self api Succeeded@n1/terminating"},
		keep:    []string{"4a unaffected self api Succeeded@n1/terminating"},
	},

	{
		name: "mirror, unchanged", was: was(mirror), now: pod("uid", 500, 600, mirror),
		plain:   []string{"6 mirror relist on n1 api Running@n1"},
		bump:    []string{"6 mirror self on n1 api Running@n1"},
		restart: []string{"6 mirror self on n1 api Running@n1"},
		keep:    []string{"6 mirror self on n1 api Running@n1"},
	},
	{
		name: "mirror, changed", was: was(mirror), now: made(mirror),
		plain:   []string{"6 mirror relist api Running@n1", "6 mirror relist on n1"},
		bump:    []string{"6 mirror self", "6 mirror self on n1"},
		restart: []string{"6 mirror self", "6 mirror self on n1"},
		keep:    []string{"6 mirror self", "6 mirror self on n1 api Running@n1"},
	},
	{
		name: "mirror on a new node", now: made(mirror, on("n5")),
		plain:   []string{"6 mirror relist on n5 +node-missing"},
		bump:    []string{"6 mirror never on n5 +node-missing"},
		restart: []string{"6 mirror self on n5"},
		keep:    []string{"6 mirror self on n5 api Running@n5 +node-missing"},
	},
	{
		name: "mirror of a static pod that is gone", was: was(mirror),
		plain:   []string{"6 mirror relist api Running@n1"},
		bump:    []string{"6 mirror self"},
		restart: []string{"6 mirror self"},
		keep:    []string{"6 mirror self"},
	},

	{
		name: "unreadable in both", was: was(unreadablePod), now: now(unreadablePod),
		plain:   []string{"unreadable unknown never ?"},
		bump:    []string{"unreadable unknown never ?"},
		restart: []string{"unreadable unknown never ?"},
		keep:    []string{"unreadable unknown never ?"},
	},
	{
		name: "unreadable now", was: was(), now: now(unreadablePod),
		plain:   []string{"unreadable unknown never ?"},
		bump:    []string{"unreadable unknown never ?"},
		restart: []string{"unreadable unknown never ?"},
		keep:    []string{"unreadable unknown never ?"},
	},
	{
		name: "unreadable, recreated", was: was(unreadablePod), now: made(),
		plain:   []string{"unreadable unknown never ?", "1 phantom relist on n1"},
		bump:    []string{"unreadable unknown never ?", "1 terminated self"},
		restart: []string{"unreadable unknown never ?", "1 terminated self"},
		keep:    []string{"unreadable unknown never ?", "1 hidden never on n1 api Running@n1"},
	},
	{
		name: "without a uid", now: pod("", 1500, seenAt),
		plain:   []string{"unreadable unknown never ?"},
		bump:    []string{"unreadable unknown never ?"},
		restart: []string{"unreadable unknown never ?"},
		keep:    []string{"unreadable unknown never ?"},
	},
	{
		name: "moved to another node", was: was(), now: now(on("n2")),
		plain:   []string{"contradiction unknown never ?"},
		bump:    []string{"contradiction unknown never ?"},
		restart: []string{"contradiction unknown never ?"},
		keep:    []string{"contradiction unknown never ?"},
	},
	{
		name: "binding taken back", was: was(), now: now(unbound("n1")),
		plain:   []string{"contradiction unknown never ?"},
		bump:    []string{"contradiction unknown never ?"},
		restart: []string{"contradiction unknown never ?"},
		keep:    []string{"contradiction unknown never ?"},
	},
	{
		name: "deletion taken back", was: was(dying), now: now(),
		plain:   []string{"contradiction unknown never ?"},
		bump:    []string{"contradiction unknown never ?"},
		restart: []string{"contradiction unknown never ?"},
		keep:    []string{"contradiction unknown never ?"},
	},
}

// TestEveryRow: every row has its rule, its pods and its cells, and some pod comes to it.
func TestEveryRow(t *testing.T) {
	met := map[rowID]bool{}
	for _, tt := range decisions {
		backup, current := states([]*Pod{tt.was}, []*Pod{tt.now})
		for _, p := range Compare(backup, current).cases {
			met[p.row] = true
		}
	}
	for _, tt := range ontoDecisions {
		for _, p := range RestoreOnto(ontoState(tt.was)).cases {
			met[p.row] = true
		}
	}
	known := map[Rule]bool{}
	for _, r := range Rules {
		known[r.ID] = true
	}
	named := map[string]bool{}
	for id, r := range table {
		switch {
		case r.pods == "" || named[r.pods]:
			t.Errorf("row %d (rule %q) is for pods %q: these are of another row, or none", id, r.rule, r.pods)
		case !known[r.rule]:
			t.Errorf("pods %s: rule %q is not in Rules", r.pods, r.rule)
		case !met[rowID(id)]:
			t.Errorf("no case of the tests comes to the row of pods %s", r.pods)
		}
		named[r.pods] = true
		for c, e := range r.cells {
			there := c < int(unplaced) // every kubelet does one of these
			if r.rule == "onto" {
				there = c == int(onto)
			}
			switch {
			case e.outcome != "" && (e.severity == "" || e.heals == "" || e.reason == ""):
				t.Errorf("pods %s, %s: %q without a severity, what heals it, or a reason", r.pods, DecisionCases[c], e.outcome)
			case e.outcome == "" && there:
				t.Errorf("pods %s, %s: nothing is said", r.pods, DecisionCases[c])
			}
		}
	}
}
