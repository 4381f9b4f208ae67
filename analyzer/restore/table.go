package restore

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// column is what a pod's kubelet does after the restore.
type column int

const (
	deaf    column = iota // keeps its watch and hears nothing (modes P, BS)
	relist                // lists its pods anew (BC, NR-BC)
	restart               // is restarted, and lists its pods anew (KR)
	stale                 // is served the erased past by API servers left running (NR-P)
	// unplaced is relist or restart while API servers were left running and dropped
	// their cache (NR-BC). It differs in rows of pods that the scheduler must place
	// again: it was left running, too, and exits when it sees them move.
	unplaced
	onto // is none: the backup is restored onto machines that its nodes are not
	columns
)

// place says where a pod's containers run.
type place int

const (
	nowhere   place = iota
	here            // on the row's node
	stopping        // there, until the grace period of its deletion ends at the latest
	ending          // the same, and that is about now
	perhaps         // on the row's node, if it can start
	elsewhere       // on one of the nodes the scheduler may choose
)

// view says what the API shows.
type view struct {
	of    source
	phase string // "" is the source's own, phaseNow the current snapshot's
}

type source int

const (
	absent source = iota
	asBackup
	asCurrent
	asUnbound // the backup's, which nothing binds
)

const phaseNow = "now"

// effect is one cell of the decision table.
type effect struct {
	outcome  Outcome
	severity Severity // "" is the outcome's usual one
	heals    Heals
	runs     place
	api      view
	flags    flagSet
	doubt    string // "" unless the outcome is only possible, whatever its kubelet does
	reason   string // with the placeholders of phrases
	action   string // "" is the outcome's remedy
}

// row is one row of the decision table. Rows of the same rule differ in what the
// pod's restart policy, phase and finalizers make of it.
type row struct {
	rule  Rule
	cells [columns]effect
}

// waiting is a row of a pod that is bound in neither snapshot, where kubelets are deaf.
func waiting(r row) row {
	r.cells[deaf].reason += " Bound to a node whose kubelet is deaf, it is not started until that kubelet lists its pods anew."
	return r
}

// same is the row of pods to which it does not matter what their kubelet does.
func same(rule Rule, e effect) row {
	return listed(rule, e, e, e)
}

// listed is the row of pods to which it does not matter why their kubelet lists
// its pods anew.
func listed(rule Rule, whenDeaf, whenListed, whenStale effect) row {
	return row{rule, [columns]effect{deaf: whenDeaf, relist: whenListed, restart: whenListed, stale: whenStale}}
}

// unsure is e with a reason why it is only possible.
func unsure(e effect, doubt string) effect {
	e.doubt = doubt
	return e
}

// doubtful is r with a reason why its outcomes in these columns are only possible.
func doubtful(r row, doubt string, in ...column) row {
	for _, c := range in {
		r.cells[c].doubt = doubt
	}
	return r
}

// withUnplaced is r with what becomes of its pods while no scheduler runs.
func withUnplaced(r row, e effect) row {
	r.cells[unplaced] = e
	return r
}

// nearGone is r for a pod that the scheduler may bind to a node whose machine is
// gone.
func nearGone(r row) row {
	for _, c := range []column{relist, restart, unplaced} {
		e := &r.cells[c]
		e.severity, e.heals, e.action = Critical, HealsNever, actDeleteNode
		e.doubt = "The scheduler may bind it to a node whose machine is gone: for about 50 s it takes that for ready, and for the emptiest."
	}
	return r
}

const (
	actDeleteAgain = "Delete it again once the API is back."
	actDeleteNode  = "Delete the Node object of the machine that no longer exists: its pods go with it, within about 75 seconds."
	actCheckNode   = "See what its node really runs (crictl, the kubelet's /runningpods), and delete it again once the API is back."
	actForce       = "Restart its kubelet, or delete it with --grace-period=0 --force after checking that nothing of it runs: a graceful deletion hangs."
	actScheduler   = "See that the scheduler runs again; where nothing supervises it, start it."
	actRestartAPI  = "Restart all API servers, or bump and mark compacted, before anything relies on what they list."
)

// Pods that are in the current snapshot only.
var (
	rowCreated = row{"1", [columns]effect{
		deaf: {
			outcome: Phantom, heals: HealsRelist, runs: here,
			reason: "Created after the backup: the restored API does not know it. Its kubelet keeps its old watch, hears nothing, and goes on running it.",
		},
		relist: {
			outcome: Terminated, heals: HealsSelf,
			reason: "Created after the backup: the restored API does not know it. Its kubelet lists its pods anew, misses it, and stops it with its own grace period$grace; preStop hooks run.",
		},
		restart: {
			outcome: Terminated, heals: HealsSelf,
			reason: "Created after the backup: the restored API does not know it. The restarted kubelet finds containers without a pod and kills them with a grace period of 1 s (2 s in effect); preStop hooks do not run.",
		},
		stale: {
			outcome: Hidden, heals: HealsNever, runs: here, api: view{of: asCurrent},
			reason: "Created after the backup: etcd has lost it, but the API servers go on listing it from their cache and its kubelet runs it. It becomes a phantom when they restart.",
		},
	}}

	// Being deleted, with time left.
	rowDying = row{"1", [columns]effect{
		deaf: {
			outcome: Phantom, severity: Warning, heals: HealsSelf, runs: stopping,
			reason: "Created after the backup and already being deleted: the restored API does not know it, and its kubelet is stopping it. It runs unseen until $ends at the latest, when its own grace period ends.",
			action: "Wait for the end of its grace period, or stop it with crictl.",
		},
		relist: {
			outcome: Terminated, heals: HealsSelf, runs: stopping,
			reason: "Created after the backup and already being deleted. Its kubelet drops it from its list at once, but its containers go on until $ends at the latest, when its own grace period ends; only the container runtime shows them.",
		},
		restart: rowCreated.cells[restart],
		stale: {
			outcome: Hidden, severity: Warning, heals: HealsSelf, runs: stopping, api: view{of: asCurrent},
			reason: "Created after the backup and already being deleted: etcd has lost it, but the API servers list it as Terminating from their cache. It runs until $ends at the latest.",
		},
	}}

	// With an activeDeadlineSeconds, which its kubelet keeps, deaf or not.
	rowExpiring = row{"1", [columns]effect{
		deaf: {
			outcome: Phantom, severity: Warning, heals: HealsSelf, runs: stopping,
			reason: "Created after the backup: the restored API does not know it. Its kubelet hears nothing and goes on running it, until $ends at the latest: it ends it for its activeDeadlineSeconds then.",
			action: "Wait for its deadline, or stop it with crictl.",
		},
		relist:  rowCreated.cells[relist],
		restart: rowCreated.cells[restart],
		stale: {
			outcome: Hidden, heals: HealsNever, runs: stopping, api: view{of: asCurrent},
			reason: "Created after the backup: etcd has lost it, but the API servers go on listing it from their cache. Its kubelet runs it until $ends at the latest, for its activeDeadlineSeconds.",
		},
	}}

	// Being deleted, with no time left.
	stoppedSoon = effect{
		outcome: Terminated, heals: HealsSelf, runs: ending,
		reason: "Created after the backup and already being deleted: its own grace period ends at $ends, and its kubelet has stopped it by then.",
	}
	rowDead = row{"1", [columns]effect{deaf: stoppedSoon, relist: stoppedSoon, restart: rowCreated.cells[restart], stale: {
		outcome: Terminated, heals: HealsSelf, runs: ending, api: view{of: asCurrent},
		reason: "Created after the backup and already being deleted: its own grace period ends at $ends, and its kubelet has stopped it by then. The API servers go on listing it from their cache.",
	}}}

	rowEnded = listed("7", effect{
		outcome: Finished, heals: HealsSelf,
		reason: "Created after the backup and ended ($now) in the current state: nothing of it runs, the restored API does not know it.",
	}, effect{
		outcome: Finished, heals: HealsSelf,
		reason: "Created after the backup and ended ($now) in the current state: nothing of it runs, and its kubelet removes what is left, its logs too.",
	}, effect{
		outcome: Finished, heals: HealsSelf, api: view{of: asCurrent},
		reason: "Created after the backup and ended ($now) in the current state: nothing of it runs. The API servers go on listing it from their cache.",
	})

	rowNeverBound = listed("unbound", effect{
		outcome: Lost, heals: HealsNever,
		reason: "Created after the backup and not bound to a node in the current state: it is gone, and nothing of it ran.",
	}, effect{
		outcome: Lost, heals: HealsNever,
		reason: "Created after the backup and not bound to a node in the current state: it is gone, and nothing of it ran.",
	}, effect{
		outcome: Lost, heals: HealsNever, api: view{of: asCurrent},
		reason: "Created after the backup and not bound to a node in the current state: nothing of it ran. etcd has lost it; the API servers go on listing it from their cache.",
	})

	// Bound to a node that has no Node object in the current state.
	rowCreatedOnGoneNode = doubtful(rowCreated, "Its node has no Node object in the current state: a kubelet that still lives there runs it, a machine that is gone does not.", deaf, relist, restart, stale)
)

// Pods that are in the backup only.
var (
	ghost = effect{
		outcome: Ghost, heals: HealsRelist, api: view{of: asBackup},
		reason: "Deleted after the backup: the restored API shows it as $was, but nothing of it runs. Its kubelet hears nothing, so nothing starts it, and its controller counts it as there.",
	}
	deletedStale = effect{
		outcome: LostDeletion, heals: HealsNever,
		reason: "Deleted after the backup, and back in etcd. The API servers do not list it, for they serve their old cache: it becomes a ghost when they restart.",
		action: actRestartAPI,
	}

	rowDeletedAlways = listed("3", ghost, effect{
		outcome: Restarted, heals: HealsSelf, runs: here, api: view{asBackup, "Running"},
		reason: "Deleted after the backup. Its kubelet lists its pods anew, finds it, and starts it again (its restart count goes up by one).",
	}, deletedStale)

	rowDeletedOnFailure = listed("3", ghost, effect{
		outcome: Restarted, heals: HealsSelf, runs: here, api: view{asBackup, "Running"}, flags: runsAgain,
		reason: "Deleted after the backup. Its kubelet lists its pods anew, finds it, and starts it again (restart policy OnFailure): its work is done a second time.",
	}, deletedStale)

	rowDeletedNever = listed("3", ghost, effect{
		outcome: Finished, severity: Warning, heals: HealsSelf, api: view{asBackup, "Failed"},
		reason: "Deleted after the backup. Its kubelet lists its pods anew, finds it without containers, and marks it Failed (137, ContainerStatusUnknown) without running it (restart policy Never). A Job counts that as a failure and makes a new pod.",
		action: "Delete it before its kubelet lists anew, if a failure of it would set off something.",
	}, deletedStale)

	rowDeletedExpired = listed("3", ghost, effect{
		outcome: Finished, severity: Warning, heals: HealsSelf, api: view{asBackup, "Failed"},
		reason: "Deleted after the backup, and its activeDeadlineSeconds has passed, counted from its start in the backup. Its kubelet lists its pods anew, finds it, and marks it Failed (DeadlineExceeded) without running it. A Job counts that as a failure.",
		action: "Delete it before its kubelet lists anew, if a failure of it would set off something.",
	}, deletedStale)

	rowDeletedPending = listed("3", ghost, effect{
		outcome: Restarted, heals: HealsSelf, runs: perhaps, api: view{asBackup, "Pending"},
		reason: "Deleted after the backup, where it was bound and had not started. Its kubelet lists its pods anew and takes it up like a new one: it starts, unless what it waited for is still missing.",
	}, deletedStale)

	rowDeletedPendingOnce = listed("3", ghost, effect{
		outcome: Restarted, heals: HealsSelf, runs: perhaps, api: view{asBackup, "Pending"}, flags: runsAgain,
		reason: "Deleted after the backup, where it was bound and had not started. Its kubelet lists its pods anew and takes it up like a new one: if it ran in between, its work is done a second time.",
	}, deletedStale)

	rowDeletedUnbound = listed("unbound", effect{
		outcome: LostDeletion, heals: HealsNever, runs: elsewhere, api: view{of: asBackup},
		reason: "Deleted after the backup, where it was not bound to a node: it is back, and the scheduler goes on with it. On a node whose kubelet is deaf it never starts.",
	}, effect{
		outcome: LostDeletion, heals: HealsNever, runs: elsewhere, api: view{of: asBackup},
		reason: "Deleted after the backup, where it was not bound to a node: it is back, and the scheduler goes on with it.",
	}, deletedStale)

	deletionDone = effect{
		outcome: Finished, heals: HealsSelf,
		reason: "Its deletion had begun in the backup and is done since. Its kubelet lists its pods anew and finishes it again.",
	}
	heldByFinalizer = effect{
		outcome: StuckTerminating, heals: HealsNever, api: view{asBackup, "Failed"},
		reason: "Its deletion had begun in the backup and is done since. Its kubelet lists its pods anew and marks it Failed; the object stays until the owner of its finalizer acts.",
	}
	ghostTerminating = effect{
		outcome: Ghost, heals: HealsRelist, api: view{of: asBackup}, flags: stuckTerminating,
		reason: "Its deletion had begun in the backup and is done since: nothing of it runs. The restored API shows it Terminating, and no kubelet hears of it to finish the deletion.",
		action: "Make its kubelet list anew, which finishes the deletion; force it only after checking the node.",
	}
	deletingStale = effect{
		outcome: LostDeletion, heals: HealsNever,
		reason: "Its deletion had begun in the backup, was done since, and is back at its beginning in etcd. The API servers do not list it, for they serve their old cache.",
		action: actRestartAPI,
	}

	rowDeleting     = listed("4e", ghostTerminating, deletionDone, deletingStale)
	rowDeletingHeld = listed("4e", ghostTerminating, heldByFinalizer, deletingStale)

	// Ended in the backup already.
	rowDeletingEnded = listed("4e", effect{
		outcome: StuckTerminating, heals: HealsRelist, api: view{of: asBackup},
		reason: "It had ended in the backup, its deletion had begun, and is done since. The restored API shows it Terminating, and no kubelet hears of it to finish the deletion.",
	}, deletionDone, deletingStale)
	deletionHeld = effect{
		outcome: StuckTerminating, heals: HealsNever, api: view{of: asBackup},
		reason: "Nothing of it ran in the backup any more, where a finalizer held its deletion up; that is done since. The object is back, and stays until the owner of the finalizer acts again.",
	}
	rowDeletingEndedHeld = listed("4e", deletionHeld, deletionHeld, deletingStale)

	rowDeletedEnded = listed("7'", effect{
		outcome: Finished, heals: HealsSelf, api: view{of: asBackup},
		reason: "It had ended ($was) in the backup and was deleted since: the API shows its end again, nothing of it runs.",
	}, effect{
		outcome: Finished, heals: HealsSelf, api: view{of: asBackup},
		reason: "It had ended ($was) in the backup and was deleted since: the API shows its end again, and its kubelet does not run it.",
	}, effect{
		outcome: Finished, heals: HealsSelf,
		reason: "It had ended ($was) in the backup and was deleted since: nothing of it runs, and the API servers do not list it.",
	})

	goneNode = effect{
		outcome: Ghost, heals: HealsNever, api: view{of: asBackup},
		reason: "The current state has no Node object for its node: the machine is gone, and nothing of it runs. The API shows it as $was there. About 50 s after the restore the backup's Node object turns NotReady.$evicted",
		action: actDeleteNode,
	}
	rowGoneNode = listed("5b", goneNode, remaining(goneNode), deletedStale)

	// The Node object is not in the backup either.
	orphan = effect{
		outcome: Finished, heals: HealsSelf, api: view{of: asBackup},
		reason: "Neither snapshot has a Node object for its node: the machine is gone, and nothing of it runs. The API shows it as $was there until the pod garbage collector deletes it, in about a minute.",
		action: "Nothing.",
	}
	rowOrphaned = listed("5b", orphan, orphan, deletedStale)
)

// remaining is e once all kubelets have listed their pods anew: what they cannot
// end.
func remaining(e effect) effect {
	e.outcome = StuckTerminating
	return e
}

// Pods that are in both snapshots, bound to the same node.
var (
	rowUnchanged = same("4a", effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
		reason: "The same in both snapshots: it runs on.",
	})
	rowTouched = same("4a", effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
		reason: "The same containers and phase in both snapshots: it runs on. What else changed in it after the backup (labels, annotations, conditions) is back to the backup's in the API.",
	})
	rowBothEnded = same("4a", effect{
		outcome: Unaffected, heals: HealsSelf, api: view{of: asBackup},
		reason: "Ended ($now) in both snapshots: nothing of it runs.",
	})
	rowBothUnbound = waiting(same("unbound", effect{
		outcome: Unaffected, heals: HealsSelf, api: view{of: asBackup},
		reason: "Not bound to a node in either snapshot: the scheduler goes on with it.",
	}))
	bothDying = effect{
		outcome: Unaffected, heals: HealsSelf, runs: stopping, api: view{of: asBackup},
		reason: "Being deleted in both snapshots: its kubelet goes on stopping it, until $ends at the latest, and finishes the deletion.",
	}
	rowBothDying = row{"4a", [columns]effect{deaf: bothDying, relist: bothDying, restart: {
		outcome: Unaffected, heals: HealsSelf, runs: perhaps, api: view{of: asBackup},
		reason: "Being deleted in both snapshots: its restarted kubelet begins to stop it anew, with the whole of its grace period, and finishes the deletion.",
	}, stale: {
		outcome: Unaffected, heals: HealsSelf, runs: stopping, api: view{of: asCurrent},
		reason: "Being deleted in both snapshots: its kubelet goes on stopping it, until $ends at the latest, and finishes the deletion. The API servers go on listing it from their cache.",
	}}}
	rowBothDyingEnded = row{"4d'", [columns]effect{
		deaf: {
			outcome: StuckTerminating, heals: HealsNever, api: view{of: asBackup}, flags: needsForceDelete,
			reason: "Being deleted in both snapshots, and ended since the backup: its kubelet has finished with it and will not report its end again. The API shows it $was and Terminating.",
			action: actForce,
		},
		relist: {
			outcome: StuckTerminating, heals: HealsNever, api: view{of: asBackup}, flags: needsForceDelete,
			reason: "Being deleted in both snapshots, and ended since the backup: its kubelet has finished with it and will not report its end again, not even after listing its pods anew. The API shows it $was and Terminating.",
			action: actForce,
		},
		restart: heldByFinalizer,
		stale: {
			outcome: StuckTerminating, heals: HealsNever, api: view{of: asCurrent},
			reason: "Being deleted in both snapshots, and ended since the backup: nothing of it runs. etcd has it as $was again; the API servers list it from their cache.",
			action: actRestartAPI,
		},
	}}

	goneBefore = effect{
		outcome: Unaffected, heals: HealsSelf, api: view{of: asCurrent},
		reason: "Its node was gone before the restore already, and nothing of it runs; the API servers list it as they did.",
	}
	rowKeptOnGoneNode = listed("5b", goneNode, remaining(goneNode), goneBefore)
	rowKeptOrphaned   = listed("5b", orphan, orphan, goneBefore)

	rowBothDyingDone = listed("4e", effect{
		outcome: StuckTerminating, heals: HealsRelist, api: view{of: asBackup},
		reason: "Being deleted in both snapshots, ended since the backup, and about to be gone. The restored API shows it $was and Terminating, and no kubelet hears of it to finish the deletion.",
	}, deletionDone, rowBothDyingEnded.cells[stale])

	rowStatus = listed("4a-status", effect{
		outcome: StaleStatus, severity: Warning, heals: HealsStatusChange, runs: here, api: view{of: asBackup},
		reason: "It runs on, but its phase went from $was to $now after the backup: the API shows $was until its status changes again, for its kubelet believes that it has reported it.",
	}, effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{asBackup, phaseNow},
		reason: "It runs on. Its phase went from $was to $now after the backup; its kubelet lists its pods anew and reports that again.",
	}, effect{
		outcome: StaleStatus, severity: Warning, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "It runs on. Its phase went from $was to $now after the backup: etcd has $was again, the API servers list $now from their cache.",
		action: actRestartAPI,
	})

	rowReadiness = listed("4a-status", effect{
		outcome: StaleStatus, severity: Warning, heals: HealsStatusChange, runs: here, api: view{of: asBackup},
		reason: "It runs on, but became ready, or stopped being ready, after the backup: the API shows the backup's readiness until its status changes again, and Services go by that.",
	}, effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
		reason: "It runs on. Its readiness changed after the backup; its kubelet lists its pods anew and reports that again.",
	}, effect{
		outcome: StaleStatus, severity: Warning, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "It runs on. Its readiness changed after the backup: etcd has the backup's again, the API servers list the present one from their cache.",
		action: actRestartAPI,
	})

	rowRestarts = listed("4a-status", effect{
		outcome: StaleStatus, severity: OK, heals: HealsStatusChange, runs: here, api: view{of: asBackup},
		reason: "It runs on, and its containers were restarted after the backup: the API shows the backup's restart counts until its status changes again.",
		action: "Nothing.",
	}, effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
		reason: "It runs on. Its containers were restarted after the backup; its kubelet lists its pods anew and reports that again.",
	}, effect{
		outcome: StaleStatus, severity: OK, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "It runs on, and its containers were restarted after the backup: etcd has the backup's restart counts again, the API servers list the present ones from their cache.",
		action: "Nothing.",
	})

	rowSpec = listed("4f", effect{
		outcome: StaleSpec, heals: HealsRelist, runs: here, api: view{of: asBackup},
		reason: "Its containers were changed in place after the backup: its kubelet runs the new ones, the API shows the old ones.",
	}, effect{
		outcome: Restarted, heals: HealsSelf, runs: here, api: view{asBackup, phaseNow}, flags: specRolledBack,
		reason: "Its containers were changed in place after the backup. Its kubelet lists its pods anew, finds the backup's spec, and restarts them with it.",
		action: "Repeat the change in the API if it is still wanted.",
	}, effect{
		outcome: StaleSpec, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "Its containers were changed in place after the backup: etcd has the old ones again, its kubelet runs the new ones, and the API servers list those from their cache.",
		action: actRestartAPI,
	})

	rowResized = listed("4f'", effect{
		outcome: StaleSpec, severity: Warning, heals: HealsRelist, runs: here, api: view{of: asBackup},
		reason: "Resized in place after the backup, with a resizePolicy of RestartContainer: its kubelet runs it with the new resources, the API shows the old ones.",
		action: "Repeat the resize in the API, if it is still wanted, before its kubelet lists anew: its containers are not restarted then.",
	}, effect{
		outcome: Restarted, heals: HealsSelf, runs: here, api: view{asBackup, phaseNow}, flags: specRolledBack,
		reason: "Resized in place after the backup, with a resizePolicy of RestartContainer. Its kubelet lists its pods anew, finds the backup's resources, and restarts the resized containers with them (their restart counts go up by one).",
		action: "Repeat the resize in the API if it is still wanted, before its kubelet lists anew where that can be: its containers are not restarted then.",
	}, effect{
		outcome: StaleSpec, severity: Warning, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "Resized in place after the backup, with a resizePolicy of RestartContainer: etcd has the old resources again, its kubelet runs it with the new ones, and the API servers list those from their cache.",
		action: actRestartAPI,
	})
	// More than it holds now, which its node may not have.
	rowResizedDown = doubtful(rowResized, "If its node has no room for what the backup requests, its kubelet defers that and restarts nothing.", relist, restart)

	resizeUndone = effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
		reason: "It runs on. Its resize in place after the backup is undone in the API; its kubelet lists its pods anew and gives it the backup's resources again, without a restart, as far as its node has them.",
		action: "Repeat the resize in the API if it is still wanted.",
	}
	rowResizeUndone = row{"4a", [columns]effect{
		deaf: {
			outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
			reason: "It runs on, with the resources that it was given by a resize in place after the backup. That is undone in the API, and the scheduler goes by the backup's requests; its kubelet keeps the new ones until it lists its pods anew.",
			action: "Repeat the resize in the API if it is still wanted.",
		},
		relist:  resizeUndone,
		restart: resizeUndone,
		stale: {
			outcome: Unaffected, heals: HealsSelf, runs: here, api: view{of: asBackup},
			reason: "It runs on, with the resources that it was given by a resize in place after the backup. That is undone in etcd.",
			action: "Repeat the resize in the API if it is still wanted.",
		},
	}}

	endedDeaf = effect{
		outcome: StaleStatus, heals: HealsRelist, api: view{of: asBackup},
		reason: "It ended ($now) after the backup: nothing of it runs, but the API shows $was, for its kubelet believes that it has reported the end. A Job waits for it forever.",
	}
	endedListed = effect{
		outcome: Finished, heals: HealsSelf, api: view{asBackup, phaseNow},
		reason: "It ended ($now) after the backup. Its kubelet lists its pods anew and reports that again.",
	}
	endedStale = effect{
		outcome: StaleStatus, severity: Warning, heals: HealsNever, api: view{of: asCurrent},
		reason: "It ended ($now) after the backup: nothing of it runs. etcd has it as $was again; the API servers list $now from their cache.",
		action: actRestartAPI,
	}

	rowEndedNever = row{"4b", [columns]effect{
		deaf:   endedDeaf,
		relist: endedListed,
		restart: {
			outcome: Finished, heals: HealsSelf, api: view{asBackup, phaseNow},
			reason: "It ended ($now) after the backup. Its restarted kubelet reads that off its containers and reports it; if they were removed since, it reports Failed.",
		},
		stale: endedStale,
	}}
	rowEndedOnFailure = row{"4b", [columns]effect{
		deaf:   endedDeaf,
		relist: endedListed,
		restart: {
			outcome: Finished, heals: HealsSelf, api: view{asBackup, phaseNow},
			doubt:  "If its containers were removed since, the restarted kubelet does not know that it ended, and runs it again.",
			reason: "It ended ($now) after the backup. Its restarted kubelet reads that off its containers and reports it.",
		},
		stale: endedStale,
	}}
	// Ended for a reason that its containers do not tell.
	rowEvicted = row{"4b'", [columns]effect{
		deaf:   endedDeaf,
		relist: endedListed,
		restart: {
			outcome: Restarted, heals: HealsSelf, runs: here, api: view{asBackup, "Running"}, flags: runsAgain,
			reason: "It ended ($now) after the backup by eviction, deadline or the like, which only its kubelet's memory knew: the restarted kubelet starts it again.",
			action: "Delete it before its kubelet is restarted, if it must not run again.",
		},
		stale: endedStale,
	}}

	// For the deadline that the backup has, too.
	rowExpired = row{"4b'", [columns]effect{
		deaf:   endedDeaf,
		relist: endedListed,
		restart: {
			outcome: Finished, heals: HealsSelf, api: view{asBackup, "Failed"},
			reason: "It ended ($now) after the backup. Its activeDeadlineSeconds has passed, counted from its start in the backup: its restarted kubelet marks it Failed again and does not run it.",
		},
		stale: endedStale,
	}}

	rowEndedInBackup = listed("4b-back", effect{
		outcome: StaleStatus, heals: HealsRelist, runs: here, api: view{of: asBackup},
		reason: "The backup has it as $was, but its kubelet runs it: the API shows it ended, and its controller makes a replacement beside it.",
	}, effect{
		outcome: Terminated, heals: HealsSelf, api: view{of: asBackup},
		reason: "The backup has it as $was, but its kubelet runs it. It lists its pods anew, finds it ended, and stops it.",
	}, effect{
		outcome: StaleStatus, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "The backup has it as $was, but its kubelet runs it; the API servers list it as $now from their cache.",
		action: actRestartAPI,
	})

	// Being deleted since the backup, with time left.
	rowDoomed = row{"4d", [columns]effect{
		deaf: {
			outcome: LostDeletion, heals: HealsNever, runs: stopping, api: view{of: asBackup},
			reason: "Its deletion began after the backup. Its kubelet goes on stopping it, until $ends at the latest, and then marks it ended; the object stays, without its deletion. A ReplicaSet or StatefulSet replaces it then, a bare pod stays ended.",
			action: actDeleteAgain,
		},
		relist: {
			outcome: LostDeletion, heals: HealsNever, runs: stopping, api: view{of: asBackup},
			reason: "Its deletion began after the backup. Its kubelet goes on stopping it although the deletion is gone from the API, until $ends at the latest, and then marks it ended; the object stays.",
			action: actDeleteAgain,
		},
		restart: {
			outcome: LostDeletion, heals: HealsNever, runs: here, api: view{of: asBackup},
			reason: "Its deletion began after the backup. The restarted kubelet knows nothing of it, and the pod lives on; its containers may have had their signal to stop.",
			action: actDeleteAgain,
		},
		stale: {
			outcome: LostDeletion, heals: HealsNever, runs: stopping, api: view{of: asCurrent},
			reason: "Its deletion began after the backup and is gone from etcd. Its kubelet goes on stopping it, until $ends at the latest; the API servers list it as Terminating from their cache.",
			action: actDeleteAgain,
		},
	}}

	// Being deleted since the backup, with no time left.
	stoppedSince = effect{
		outcome: LostDeletion, heals: HealsNever, runs: ending, api: view{of: asBackup},
		reason: "Its deletion began after the backup, and its grace period ends at $ends: its kubelet has stopped it by then. The object is back without its deletion; its kubelet marks it ended if it had not reported that, else the API shows $was until the deletion is repeated.",
		action: actDeleteAgain,
	}
	rowStopped = row{"4d", [columns]effect{
		deaf:   stoppedSince,
		relist: unsure(stoppedSince, "If its deletion was done before the outage, which is not in the snapshots, its kubelet starts it again."),
		restart: {
			outcome: LostDeletion, heals: HealsNever, runs: perhaps, api: view{of: asBackup},
			reason: "Its deletion began after the backup, and its grace period ends at $ends. The object is back without its deletion, and the restarted kubelet may let it live on, or start it again.",
			action: actDeleteAgain,
		},
		stale: {
			outcome: LostDeletion, heals: HealsNever, runs: ending, api: view{of: asCurrent},
			reason: "Its deletion began after the backup and is gone from etcd; its grace period ends at $ends, and its kubelet has stopped it by then. The API servers list it as Terminating from their cache.",
			action: actDeleteAgain,
		},
	}}

	// Being deleted since the backup, and not stopped in time.
	rowOverdue = listed("4d", effect{
		outcome: LostDeletion, severity: Critical, heals: HealsNever, runs: perhaps, api: view{of: asBackup},
		reason: "Its deletion began after the backup, and its grace period ended at $ends, but the current state has it alive: it may run. The object is back without its deletion.",
		action: actCheckNode,
	}, effect{
		outcome: LostDeletion, severity: Critical, heals: HealsNever, runs: perhaps, api: view{of: asBackup},
		reason: "Its deletion began after the backup, and its grace period ended at $ends, but the current state has it alive: it may run. The object is back without its deletion, and a kubelet that lists its pods anew may let it live on, or start it again.",
		action: actCheckNode,
	}, effect{
		outcome: LostDeletion, severity: Critical, heals: HealsNever, runs: perhaps, api: view{of: asCurrent},
		reason: "Its deletion began after the backup and is gone from etcd; its grace period ended at $ends, but the current state has it alive: it may run. The API servers list it as Terminating from their cache.",
		action: actCheckNode,
	})

	// Ended, and the deletion held up by a finalizer.
	heldDeaf = effect{
		outcome: LostDeletion, severity: Critical, heals: HealsNever, api: view{of: asBackup}, flags: needsForceDelete,
		reason: "It ended ($now) in a deletion that began after the backup and that a finalizer held up. Nothing of it runs, but the API shows it as $was without its deletion, and its kubelet has finished with it and reports nothing more.",
		action: actForce,
	}
	heldRelist = effect{
		outcome: LostDeletion, severity: Critical, heals: HealsNever, api: view{of: asBackup}, flags: needsForceDelete,
		reason: "It ended ($now) in a deletion that began after the backup and that a finalizer held up. Nothing of it runs, but the API shows it as $was, and that does not heal by listing anew: its kubelet has finished with it. A graceful deletion hangs.",
		action: actForce,
	}
	heldStale = effect{
		outcome: LostDeletion, heals: HealsNever, api: view{of: asCurrent},
		reason: "It ended ($now) in a deletion that began after the backup. Nothing of it runs; etcd has it as $was without its deletion, the API servers list it as Terminating from their cache.",
		action: actRestartAPI,
	}
	revived = effect{
		outcome: Restarted, heals: HealsSelf, runs: here, api: view{asBackup, "Running"}, flags: runsAgain,
		reason: "It ended ($now) in a deletion that began after the backup. Its kubelet starts it again, for the restored API wants it and its end is forgotten.",
		action: actDeleteAgain,
	}
	notRevived = effect{
		outcome: Finished, severity: Warning, heals: HealsSelf, api: view{asBackup, "Failed"},
		reason: "It ended ($now) in a deletion that began after the backup. Its kubelet finds it without containers and marks it Failed without running it (restart policy Never); the object stays.",
		action: actDeleteAgain,
	}
	rowHeld      = row{"4d'", [columns]effect{deaf: heldDeaf, relist: heldRelist, restart: revived, stale: heldStale}}
	rowHeldNever = row{"4d'", [columns]effect{deaf: heldDeaf, relist: heldRelist, restart: notRevived, stale: heldStale}}

	// Ended, and nothing holds the deletion up: it was about to be done.
	goingDoubt = "Whether its deletion was done before the outage is not in the snapshots."
	goingDeaf  = effect{
		outcome: LostDeletion, severity: Critical, heals: HealsNever, api: view{of: asBackup}, flags: needsForceDelete,
		reason: "It ended ($now) in a deletion that began after the backup and was about to be done. Nothing of it runs, but the API shows it as $was without its deletion, and no kubelet hears of a new one.",
		action: actForce,
	}
	rowGoing      = listed("4d'", goingDeaf, unsure(revived, goingDoubt), heldStale)
	rowGoingNever = listed("4d'", goingDeaf, unsure(notRevived, goingDoubt), heldStale)
)

// Pods that are in both snapshots and were bound after the backup.
var (
	boundDeaf = effect{
		outcome: Phantom, heals: HealsRelist, runs: here, api: view{asBackup, "Pending"}, flags: doubleBind,
		reason: "Bound to its node after the backup: the restored API has it unbound. Its kubelet goes on running it, and the scheduler binds it again to another node that can take it: one pod, two nodes. Its kubelet's reports are refused.",
		action: "Treat it as a phantom on its present node: stop it there before the other node's kubelet starts it.",
	}
	boundListed = effect{
		outcome: Terminated, heals: HealsSelf, runs: elsewhere, api: view{asBackup, "Running"}, flags: doubleBind,
		reason: "Bound to its node after the backup: the restored API has it unbound. Its kubelet lists its pods anew, misses it, and stops it with its own grace period$grace; the scheduler binds it again and it starts anew elsewhere, perhaps before the old one has stopped.",
	}
	boundRestart = effect{
		outcome: Terminated, heals: HealsSelf, runs: elsewhere, api: view{asBackup, "Running"}, flags: doubleBind,
		reason: "Bound to its node after the backup: the restored API has it unbound. Its restarted kubelet kills its containers with a grace period of 1 s, without preStop hooks; the scheduler binds it again and it starts anew elsewhere, perhaps before the old one has stopped.",
	}
	boundStale = effect{
		outcome: Hidden, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "Bound to its node after the backup: etcd has it unbound again, but the API servers go on listing it as bound and its kubelet runs it. It becomes a phantom when they restart.",
	}
	exits = "The scheduler was left running, too, and exits when it sees the pod move; nothing places it until a supervisor has started the scheduler again."

	boundUnplaced = effect{
		outcome: Terminated, heals: HealsSelf, runs: elsewhere, api: view{of: asUnbound, phase: "Pending"}, flags: doubleBind, doubt: exits,
		reason: "Bound to its node after the backup: the restored API has it unbound. Its kubelet lists its pods anew, misses it, and stops it. It is Pending until a scheduler places it and it starts anew, perhaps before the old one has stopped.",
		action: actScheduler,
	}
	chosenByScheduler = "Where the scheduler binds it is not in the snapshots: it may be its present node again."

	rowBound = row{"4c", [columns]effect{deaf: boundDeaf, relist: boundListed, restart: boundRestart, stale: boundStale, unplaced: boundUnplaced}}

	rowBoundPerhapsHere = doubtful(rowBound, chosenByScheduler, deaf, relist, restart)

	// A node whose machine is gone is among those that the scheduler may choose.
	rowBoundGone        = nearGone(rowBound)
	rowBoundPerhapsGone = nearGone(rowBoundPerhapsHere)

	rowBlocked = row{"4c'", [columns]effect{
		deaf: {
			outcome: Phantom, heals: HealsRelist, runs: here, api: view{asBackup, "Pending"},
			reason: "Bound to its node after the backup: the restored API has it unbound, and no node of the backup can take it (label, taint, cordon or scheduling gate of then). Its kubelet goes on running it; the API shows it Pending.",
			action: "Repeat the change that let it be scheduled (label, gate, uncordon) before its kubelet lists anew.",
		},
		relist: {
			outcome: Terminated, severity: Critical, heals: HealsNever, api: view{asBackup, "Pending"}, flags: notRescheduled,
			reason: "Bound to its node after the backup: the restored API has it unbound, and no node of the backup can take it (label, taint, cordon or scheduling gate of then). Its kubelet lists its pods anew and stops it with its own grace period$grace; it stays Pending.",
			action: "Repeat the change that let it be scheduled (label, gate, uncordon).",
		},
		restart: {
			outcome: Terminated, severity: Critical, heals: HealsNever, api: view{asBackup, "Pending"}, flags: notRescheduled,
			reason: "Bound to its node after the backup: the restored API has it unbound, and no node of the backup can take it (label, taint, cordon or scheduling gate of then). Its restarted kubelet kills its containers with a grace period of 1 s, without preStop hooks; it stays Pending.",
			action: "Repeat the change that let it be scheduled (label, gate, uncordon).",
		},
		stale: boundStale,
	}}

	rowBoundHere = withUnplaced(listed("4c''", effect{
		outcome: StaleStatus, severity: Warning, heals: HealsStatusChange, runs: here, api: view{asBackup, "Pending"},
		doubt:  "If the scheduler finds no room for it there, it goes on as a phantom.",
		reason: "Bound to its node after the backup: the restored API has it unbound, and of the backup's nodes only this one can take it. The scheduler binds it there again and it runs on; the API shows Pending until its status changes.",
	}, effect{
		outcome: Unaffected, heals: HealsSelf, runs: here, api: view{asBackup, phaseNow},
		doubt:  "If its kubelet lists its pods before the scheduler has bound it again, it is stopped and started anew.",
		reason: "Bound to its node after the backup: the restored API has it unbound, and of the backup's nodes only this one can take it. The scheduler binds it there again and it runs on.",
	}, effect{
		outcome: StaleStatus, severity: Warning, heals: HealsNever, runs: here, api: view{of: asCurrent},
		reason: "Bound to its node after the backup: etcd has it unbound again, the API servers list it as bound from their cache.",
		action: actRestartAPI,
	}), effect{
		outcome: Terminated, heals: HealsSelf, runs: elsewhere, api: view{of: asUnbound, phase: "Pending"}, doubt: exits,
		reason: "Bound to its node after the backup: the restored API has it unbound, and of the backup's nodes only this one can take it. Its kubelet lists its pods anew before a scheduler has bound it there again, and stops it; it is Pending until then.",
		action: actScheduler,
	})

	// Ended since.
	rowBoundEnded = withUnplaced(listed("4c", effect{
		outcome: StaleStatus, heals: HealsRelist, api: view{asBackup, "Pending"},
		reason: "Bound and ended ($now) after the backup: nothing of it runs. The restored API has it unbound and Pending, and the scheduler binds it again; on a node whose kubelet is deaf it never starts, on another its work is done a second time.",
		action: "Delete it before the scheduler starts, if it must not run again.",
	}, effect{
		outcome: Restarted, heals: HealsSelf, runs: elsewhere, api: view{asBackup, "Running"}, flags: runsAgain,
		doubt:  chosenByScheduler,
		reason: "Bound and ended ($now) after the backup. The restored API has it unbound; the scheduler binds it again, and on another node its work is done a second time.",
		action: "Delete it before the scheduler starts, if it must not run again.",
	}, endedStale), effect{
		outcome: Restarted, heals: HealsSelf, runs: elsewhere, api: view{of: asUnbound, phase: "Pending"}, flags: runsAgain, doubt: exits,
		reason: "Bound and ended ($now) after the backup. The restored API has it unbound, and Pending until a scheduler places it; on another node its work is done a second time.",
		action: "Delete it before the scheduler starts, if it must not run again.",
	})

	// Being deleted since the backup, with no time left.
	rowBoundStopped = listed("4c", effect{
		outcome: LostDeletion, heals: HealsNever, runs: elsewhere, api: view{asBackup, "Pending"},
		reason: "Bound, and its deletion begun, after the backup: it is stopped by $ends. The restored API has it unbound and not deleted, and the scheduler binds it again; on a node whose kubelet is deaf it never starts.",
		action: actDeleteAgain,
	}, effect{
		outcome: LostDeletion, heals: HealsNever, runs: elsewhere, api: view{asBackup, "Pending"}, flags: runsAgain,
		reason: "Bound, and its deletion begun, after the backup: it is stopped by $ends. The restored API has it unbound and not deleted; the scheduler binds it again, and it starts anew.",
		action: actDeleteAgain,
	}, effect{
		outcome: LostDeletion, heals: HealsNever, api: view{of: asCurrent},
		reason: "Bound, and its deletion begun, after the backup: it is stopped by $ends. etcd has it unbound and not deleted; the API servers list it as Terminating from their cache.",
		action: actDeleteAgain,
	})

	// Deleted while unbound, which only a finalizer can hold up.
	unboundDeleting = effect{
		outcome: LostDeletion, heals: HealsNever, runs: elsewhere, api: view{of: asBackup},
		reason: "Not bound to a node, and its deletion began after the backup: it is back without it, and the scheduler goes on with it. On a node whose kubelet is deaf it never starts.",
		action: actDeleteAgain,
	}
	rowUnboundDeleting = listed("4d", unboundDeleting, unboundDeleting, effect{
		outcome: LostDeletion, heals: HealsNever, api: view{of: asCurrent},
		reason: "Not bound to a node, and its deletion began after the backup: that is gone from etcd. The API servers list it as Terminating from their cache.",
		action: actDeleteAgain,
	})
)

// Mirror pods, and pods that nothing can be said of.
var (
	rowMirror = listed("6", effect{
		outcome: Mirror, heals: HealsRelist, runs: here, api: view{of: asBackup},
		reason: "The mirror of a static pod: the process goes on, whatever the API has.",
	}, effect{
		outcome: Mirror, heals: HealsSelf, runs: here, api: view{of: asBackup},
		reason: "The mirror of a static pod: the process goes on, whatever the API has.",
	}, effect{
		outcome: Mirror, heals: HealsSelf, runs: here, api: view{of: asCurrent},
		reason: "The mirror of a static pod: the process goes on, whatever the API has.",
	})
	rowMirrorCreated = row{"6", [columns]effect{
		deaf: {
			outcome: Mirror, heals: HealsRelist, runs: here,
			reason: "The mirror of a static pod, made after the backup: the process goes on, the API shows no such mirror or the one of then.",
		},
		relist: {
			outcome: Mirror, heals: HealsSelf, runs: here,
			reason: "The mirror of a static pod, made after the backup: the process goes on, and its kubelet makes a new mirror under another uid.",
		},
		restart: {
			outcome: Mirror, heals: HealsSelf, runs: here,
			reason: "The mirror of a static pod, made after the backup: the process goes on, and its kubelet makes a new mirror under another uid.",
		},
		stale: {
			outcome: Mirror, heals: HealsSelf, runs: here, api: view{of: asCurrent},
			reason: "The mirror of a static pod, made after the backup: the process goes on, and the API servers list the mirror from their cache.",
		},
	}}
	// On a node that is not in the backup: mirrors need a Node object.
	rowMirrorNoNode = func() row {
		r := rowMirrorCreated
		r.cells[relist] = effect{
			outcome: Mirror, heals: HealsNever, runs: here,
			reason: "The mirror of a static pod, made after the backup: the process goes on. Its kubelet makes no new mirror while its node has no Node object, which only a restart of the kubelet brings back.",
			action: "Restart its kubelet: the node registers, and the mirror is made again.",
		}
		return r
	}()
	rowMirrorDeleted = listed("6", effect{
		outcome: Mirror, heals: HealsRelist, api: view{of: asBackup},
		reason: "The mirror of a static pod that is gone or was changed since the backup: the API shows it again, and it stands for nothing that runs.",
	}, effect{
		outcome: Mirror, heals: HealsSelf,
		reason: "The mirror of a static pod that is gone or was changed since the backup: its kubelet lists its pods anew and removes it.",
	}, effect{
		outcome: Mirror, heals: HealsSelf,
		reason: "The mirror of a static pod that is gone or was changed since the backup; the API servers do not list it.",
	})

	unknown = effect{
		outcome: Unknown, heals: HealsNever,
		doubt: "Nothing can be told of it.", reason: "$why",
	}
	rowUnreadable    = withOnto(same("unreadable", unknown), unknown)
	rowContradiction = withOnto(same("contradiction", unknown), unknown)
)

// phrases are what distinguishes the reasons of two pods of the same row. Pods
// with the same phrases share one spoken row.
type phrases struct {
	row    *row
	grace  int64     // seconds, -1 unknown
	evicts string    // what deletes it when its machine is gone
	ends   time.Time // end of the grace period of a deletion
	was    string    // phase in the backup
	now    string    // phase in the current snapshot
	why    string
	stray  string // names of ephemeral containers that were added after the backup
}

// spoken is a cell of the table in full.
type spoken struct {
	Finding
	settled bool // all cells of the row come to the same outcome
}

// speak returns p's row with p's particulars in it.
func (p phrases) speak() *[columns]spoken {
	grace := ""
	if p.grace >= 0 {
		grace = " of " + strconv.FormatInt(p.grace, 10) + " s"
	}
	ends := "its end"
	if !p.ends.IsZero() {
		ends = p.ends.UTC().Format(time.RFC3339)
	}
	r := strings.NewReplacer("$grace", grace, "$ends", ends, "$was", p.was, "$now", p.now, "$why", p.why, "$evicted", p.evicts)
	settled := true
	for _, e := range p.row.cells[:unplaced] {
		settled = settled && e.outcome == p.row.cells[deaf].outcome
	}
	var said [columns]spoken
	for c, e := range p.row.cells {
		if e.outcome == "" {
			continue // no case of its own
		}
		info := e.outcome.Info()
		said[c] = spoken{
			Finding: Finding{
				Outcome:  e.outcome,
				Severity: cmp.Or(e.severity, info.Severity),
				Heals:    e.heals,
				Reason:   r.Replace(e.reason),
				Action:   cmp.Or(e.action, info.Remedy),
			},
			settled: settled,
		}
		if p.stray != "" && strays(column(c), &e) {
			said[c].tellStray(p.stray)
		}
	}
	return &said
}

// strays says whether ephemeral containers that the restored API lacks run on: nothing
// stops a container that a pod's spec does not have (kubernetes v1.37
// pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions).
func strays(c column, e *effect) bool { return c != stale && e.runs == here }

// tellStray adds what is to be said of such containers.
func (s *spoken) tellStray(names string) {
	s.Reason += " Ephemeral containers that were added after the backup run on in it (" + names + "), also after its kubelet has listed anew or is restarted: neither the API nor its kubelet's /pods shows them, only /runningpods and the container runtime."
	action := "See them on its node with crictl ps --pod, and stop with crictl stop those that should not run."
	if s.Severity == OK {
		s.Severity, s.Action = Warning, action
		return
	}
	s.Action += " " + action
}
