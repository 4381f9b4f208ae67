package restore

// This file has the words of the decision table. $was and $now are the phases of a pod in
// the backup and in the current state, $ends is when its deletion or its deadline is over,
// $grace its grace period, $evicted what becomes of it when its node is tainted, and $why
// what is wrong with its evidence (see particulars).

// Conditions under which a cell holds: where there is one, the outcome is only possible,
// whatever the pod's kubelet does.
const (
	sure                = ""
	ifKubeletLives      = "Its node has no Node object in the current state: a kubelet that still lives there runs it, a machine that is gone does not."
	ifNotDeleted        = "If its deletion was done before the outage, which is not in the snapshots, its kubelet starts it again."
	ifDeleted           = "Whether its deletion was done before the outage is not in the snapshots."
	ifContainersKept    = "If its containers were removed since, the restarted kubelet does not know that it ended, and runs it again."
	ifRoomToResize      = "If its node has no room for what the backup requests, its kubelet defers that and restarts nothing."
	ifBoundElsewhere    = "Where the scheduler binds it is not in the snapshots: it may be its present node again."
	ifBoundToGoneNode   = "The scheduler may bind it to a node whose machine is gone: for about 50 s it takes that for ready, and for the emptiest."
	ifRoomHere          = "If the scheduler finds no room for it there, it goes on as a phantom."
	ifBoundBeforeListed = "If its kubelet lists its pods before the scheduler has bound it again, it is stopped and started again."
	ifSchedulerExits    = "The scheduler was left running, too, and exits when it sees the pod move; nothing places it until a supervisor has started the scheduler again."
	ontoDoubt           = "Read in the source of Kubernetes, not seen on clusters."
	nothingTold         = "Nothing is known of it."
)

// What to do.
const (
	actRemedy                = ""
	actNothing               = "Nothing."
	actWaitDeadline          = "Wait for its deadline, or stop it with crictl."
	actWaitGrace             = "Wait for the end of its grace period, or stop it with crictl."
	actDeleteAgain           = "Delete it again once the API is back."
	actDeleteBeforeList      = "Delete it before its kubelet relists, if its failure would trigger something."
	actDeleteBeforeRestart   = "Delete it before its kubelet is restarted, if it must not run again."
	actDeleteBeforeScheduler = "Delete it before the scheduler starts, if it must not run again."
	actDeleteNode            = "Delete the Node object of the machine that no longer exists: its pods go with it, within about 75 seconds."
	actCheckNode             = "See what its node really runs (crictl, the kubelet's /runningpods), and delete it again once the API is back."
	actForce                 = "Restart its kubelet, or delete it with --grace-period=0 --force after checking that nothing of it runs: a graceful deletion hangs."
	actFinishDeletion        = "Make its kubelet relist, which finishes the deletion; force it only after checking the node."
	actStopHere              = "Treat it as a phantom on its present node: stop it there before the other node's kubelet starts it."
	actRepeatChange          = "Repeat the change in the API if it is still wanted."
	actRepeatResize          = "Repeat the resize in the API if it is still wanted."
	actResizeBeforeList      = "Repeat the resize in the API, if it is still wanted, before its kubelet relists: its containers are not restarted then."
	actResizeFirst           = "Repeat the resize in the API if it is still wanted, if possible before its kubelet relists: its containers are not restarted then."
	actUnblock               = "Repeat the change that let it be scheduled (label, gate, uncordon)."
	actUnblockBeforeList     = "Repeat the change that let it be scheduled (label, gate, uncordon) before its kubelet relists."
	actScheduler             = "Make sure that the scheduler runs again. If nothing supervises it, start it."
	actRestartAPI            = "Restart all API servers, or bump and mark compacted, before anything relies on what they list."
	actRestartKubelet        = "Restart its kubelet: the node registers, and the mirror is created again."
	actOntoNode              = "Delete it with the old Node objects before controllers start: its controller makes another one, and the scheduler places that on a new machine."
	actOntoDaemon            = "Delete it with the old Node objects; its DaemonSet makes others for the new nodes."
	actOntoJob               = "Decide before controllers start whether its Job may run again: suspend or delete the Job if not. Delete the pod with the old Node objects."
	actOntoBare              = "Create it again on the new cluster if you need it: a binding cannot be changed."
	actOntoDying             = "Delete it with the old Node objects before controllers start."
	actOntoEnded             = "Nothing. Its Job, if it has one, has counted it or counts it again."
	actOntoUnbound           = "Delete the old Node objects before the scheduler starts. Make sure that a new node has the labels and the resources that it asks for."
	actOntoMirror            = "Delete it with the old Node objects. Kubelets of the new machines make mirrors of their own static pods."
)

// Pods that are in the current snapshot only.
const (
	whyCreatedDeaf          = "Created after the backup: the restored API does not know it. Its kubelet keeps its old watch, hears nothing, and goes on running it."
	whyCreatedListed        = "Created after the backup: the restored API does not know it. Its kubelet relists its pods, misses it, and stops it with its own grace period$grace; preStop hooks run."
	whyCreatedRestarted     = "Created after the backup: the restored API does not know it. The restarted kubelet finds containers without a pod and kills them with a grace period of 1 s (2 s in effect); preStop hooks do not run."
	whyCreatedStale         = "Created after the backup: etcd has lost it, but the API servers go on listing it from their cache and its kubelet runs it. It becomes a phantom when they restart."
	whyCreatedExpiringDeaf  = "Created after the backup: the restored API does not know it. Its kubelet hears nothing and goes on running it, until $ends at the latest: it ends it for its activeDeadlineSeconds then."
	whyCreatedExpiringStale = "Created after the backup: etcd has lost it, but the API servers go on listing it from their cache. Its kubelet runs it until $ends at the latest, for its activeDeadlineSeconds."
	whyCreatedDyingDeaf     = "Created after the backup and already being deleted: the restored API does not know it, and its kubelet is stopping it. It runs unseen until $ends at the latest, when its own grace period ends."
	whyCreatedDyingListed   = "Created after the backup and already being deleted. Its kubelet drops it from its list at once, but its containers go on until $ends at the latest, when its own grace period ends; only the container runtime shows them."
	whyCreatedDyingStale    = "Created after the backup and already being deleted: etcd has lost it, but the API servers list it as Terminating from their cache. It runs until $ends at the latest."
	whyCreatedDead          = "Created after the backup and already being deleted: its own grace period ends at $ends, and its kubelet has stopped it by then."
	whyCreatedDeadStale     = "Created after the backup and already being deleted: its own grace period ends at $ends, and its kubelet has stopped it by then. The API servers go on listing it from their cache."
	whyCreatedEndedDeaf     = "Created after the backup and ended ($now) in the current state: nothing of it runs, the restored API does not know it."
	whyCreatedEndedListed   = "Created after the backup and ended ($now) in the current state: nothing of it runs, and its kubelet removes what is left, its logs too."
	whyCreatedEndedStale    = "Created after the backup and ended ($now) in the current state: nothing of it runs. The API servers go on listing it from their cache."
	whyCreatedUnbound       = "Created after the backup and not bound to a node in the current state: it is gone, and nothing of it ran."
	whyCreatedUnboundStale  = "Created after the backup and not bound to a node in the current state: nothing of it ran. etcd has lost it; the API servers go on listing it from their cache."
)

// Pods that are in the backup only.
const (
	whyGhost                    = "Deleted after the backup: the restored API shows it as $was, but nothing of it runs. Its kubelet hears nothing, so nothing starts it, and its controller counts it as there."
	whyDeletedAlwaysListed      = "Deleted after the backup. Its kubelet relists its pods, finds it, and starts it again (its restart count goes up by one)."
	whyDeletedStale             = "Deleted after the backup, and back in etcd. The API servers do not list it, because they serve their old cache: it becomes a ghost when they restart."
	whyDeletedOnFailureListed   = "Deleted after the backup. Its kubelet relists its pods, finds it, and starts it again (restart policy OnFailure): its work is done a second time."
	whyDeletedNeverListed       = "Deleted after the backup. Its kubelet relists its pods, finds it without containers, and marks it Failed (137, ContainerStatusUnknown) without running it (restart policy Never). A Job counts that as a failure and makes a new pod."
	whyDeletedExpiredListed     = "Deleted after the backup, and its activeDeadlineSeconds has passed, counted from its start in the backup. Its kubelet relists its pods, finds it, and marks it Failed (DeadlineExceeded) without running it. A Job counts that as a failure."
	whyDeletedPendingListed     = "Deleted after the backup, where it was bound and had not started. Its kubelet relists its pods and takes it up like a new one: it starts, unless what it waited for is still missing."
	whyDeletedPendingOnceListed = "Deleted after the backup, where it was bound and had not started. Its kubelet relists its pods and takes it up like a new one: if it ran in between, its work is done a second time."
	whyDeletedUnboundDeaf       = "Deleted after the backup, where it was not bound to a node: it is back, and the scheduler goes on with it. On a node whose kubelet is deaf it never starts."
	whyDeletedUnboundListed     = "Deleted after the backup, where it was not bound to a node: it is back, and the scheduler goes on with it."
	whyDeletedEndedDeaf         = "It had ended ($was) in the backup and was deleted since: the API shows its end again, nothing of it runs."
	whyDeletedEndedListed       = "It had ended ($was) in the backup and was deleted since: the API shows its end again, and its kubelet does not run it."
	whyDeletedEndedStale        = "It had ended ($was) in the backup and was deleted since: nothing of it runs, and the API servers do not list it."
	whyGoneNode                 = "The current state has no Node object for its node: the machine is gone, and nothing of it runs. The API shows it as $was there. About 50 s after the restore the backup's Node object turns NotReady.$evicted"
	whyOrphaned                 = "Neither snapshot has a Node object for its node: the machine is gone, and nothing of it runs. The API shows it as $was there until the pod garbage collector deletes it, in about a minute."
	whyDeletingDeaf             = "Its deletion had begun in the backup and is done since: nothing of it runs. The restored API shows it Terminating, and no kubelet hears of it to finish the deletion."
	whyDeletingListed           = "Its deletion had begun in the backup and is done since. Its kubelet relists its pods and finishes it again."
	whyDeletingStale            = "Its deletion had begun in the backup, was done since, and is back at its beginning in etcd. The API servers do not list it, because they serve their old cache."
	whyDeletingHeldListed       = "Its deletion had begun in the backup and is done since. Its kubelet relists its pods and marks it Failed; the object stays until the owner of its finalizer acts."
	whyDeletingEndedDeaf        = "It had ended in the backup, its deletion had begun, and is done since. The restored API shows it Terminating, and no kubelet hears of it to finish the deletion."
	whyDeletingEndedHeld        = "Nothing of it ran in the backup, where a finalizer held its deletion up; that is done since. The object is back, and stays until the owner of the finalizer acts again."
)

// Pods that are in both snapshots, bound to the same node or to none.
const (
	whyUnchanged          = "The same in both snapshots: it runs on."
	whyTouched            = "The same containers and phase in both snapshots: it runs on. What else changed in it after the backup (labels, annotations, conditions) is back to the backup's in the API."
	whyTouchedStale       = "The same containers and phase in both snapshots: it runs on. What else changed in it after the backup (labels, annotations, conditions) is back to the backup's in etcd; the API servers list it from their cache."
	whyStatusDeaf         = "It runs on, but its phase went from $was to $now after the backup: the API shows $was until its status changes again, because its kubelet believes that it has reported it."
	whyStatusListed       = "It runs on. Its phase went from $was to $now after the backup; its kubelet relists its pods and reports that again."
	whyStatusStale        = "It runs on. Its phase went from $was to $now after the backup: etcd has $was again, the API servers list $now from their cache."
	whyReadinessDeaf      = "It runs on, but became ready, or stopped being ready, after the backup: the API shows the backup's readiness until its status changes again, and Services follow that."
	whyReadinessListed    = "It runs on. Its readiness changed after the backup; its kubelet relists its pods and reports that again."
	whyReadinessStale     = "It runs on. Its readiness changed after the backup: etcd has the backup's again, the API servers list the present one from their cache."
	whyRestartsDeaf       = "It runs on, and its containers were restarted after the backup: the API shows the backup's restart counts until its status changes again."
	whyRestartsListed     = "It runs on. Its containers were restarted after the backup; its kubelet relists its pods and reports that again."
	whyRestartsStale      = "It runs on, and its containers were restarted after the backup: etcd has the backup's restart counts again, the API servers list the present ones from their cache."
	whySpecDeaf           = "Its containers were changed in place after the backup: its kubelet runs the new ones, the API shows the old ones."
	whySpecListed         = "Its containers were changed in place after the backup. Its kubelet relists its pods, finds the backup's spec, and restarts them with it."
	whySpecStale          = "Its containers were changed in place after the backup: etcd has the old ones again, its kubelet runs the new ones, and the API servers list those from their cache."
	whyResizedDeaf        = "Resized in place after the backup, with a resizePolicy of RestartContainer: its kubelet runs it with the new resources, the API shows the old ones."
	whyResizedListed      = "Resized in place after the backup, with a resizePolicy of RestartContainer. Its kubelet relists its pods, finds the backup's resources, and restarts the resized containers with them (their restart counts go up by one)."
	whyResizedStale       = "Resized in place after the backup, with a resizePolicy of RestartContainer: etcd has the old resources again, its kubelet runs it with the new ones, and the API servers list those from their cache."
	whyResizeUndoneDeaf   = "It runs on, with the resources that it was given by a resize in place after the backup. That is undone in the API, and the scheduler uses the backup's requests; its kubelet keeps the new ones until it relists its pods."
	whyResizeUndoneListed = "It runs on. Its resize in place after the backup is undone in the API; its kubelet relists its pods and gives it the backup's resources again, without a restart, as far as its node has them."
	whyResizeUndoneStale  = "It runs on, with the resources that it was given by a resize in place after the backup. That is undone in etcd."
	whyBothEnded          = "Ended ($now) in both snapshots: nothing of it runs."
	whyEndedBefore        = "It had ended ($was) in the backup: the API shows its end again, nothing of it runs. A deletion that has begun since is lost."
	whyEndedBeforeStale   = "It had ended ($was) in the backup: nothing of it runs. The API servers go on listing it from their cache."
	whyBothUnboundDeaf    = "Not bound to a node in either snapshot: the scheduler goes on with it. Bound to a node whose kubelet is deaf, it is not started until that kubelet relists its pods."
	whyBothUnbound        = "Not bound to a node in either snapshot: the scheduler goes on with it."
	whyGoneBefore         = "Its node was gone before the restore already, and nothing of it runs; the API servers list it as they did."
)

// The same, ended in one of them.
const (
	whyEndedDeaf               = "It ended ($now) after the backup: nothing of it runs, but the API shows $was, because its kubelet believes that it has reported the end. A Job waits for it forever."
	whyEndedListed             = "It ended ($now) after the backup. Its kubelet relists its pods and reports that again."
	whyEndedNeverRestarted     = "It ended ($now) after the backup. Its restarted kubelet reads that from its containers and reports it; if they were removed since, it reports Failed."
	whyEndedStale              = "It ended ($now) after the backup: nothing of it runs. etcd has it as $was again; the API servers list $now from their cache."
	whyEndedOnFailureRestarted = "It ended ($now) after the backup. Its restarted kubelet reads that from its containers and reports it."
	whyEvictedRestarted        = "It ended ($now) after the backup by eviction, deadline or the like, which only its kubelet's memory knew: the restarted kubelet starts it again."
	whyExpiredRestarted        = "It ended ($now) after the backup. Its activeDeadlineSeconds has passed, counted from its start in the backup: its restarted kubelet marks it Failed again and does not run it."
	whyEndedInBackupDeaf       = "The backup has it as $was, but its kubelet runs it: the API shows it ended, and its controller creates a replacement while it runs."
	whyEndedInBackupListed     = "The backup has it as $was, but its kubelet runs it. It relists its pods, finds it ended, and stops it."
	whyEndedInBackupStale      = "The backup has it as $was, but its kubelet runs it; the API servers list it as $now from their cache."
)

// The same, and being deleted in the current one.
const (
	whyDoomedDeaf           = "Its deletion began after the backup. Its kubelet goes on stopping it, until $ends at the latest, and then marks it ended; the object stays, without its deletion. A ReplicaSet or StatefulSet replaces it then, a bare pod stays ended."
	whyDoomedListed         = "Its deletion began after the backup. Its kubelet goes on stopping it although the deletion is gone from the API, until $ends at the latest, and then marks it ended; the object stays."
	whyDoomedRestarted      = "Its deletion began after the backup. The restarted kubelet knows nothing of it, and the pod lives on; its containers may already have received their signal to stop."
	whyDoomedStale          = "Its deletion began after the backup and is gone from etcd. Its kubelet goes on stopping it, until $ends at the latest; the API servers list it as Terminating from their cache."
	whyStopped              = "Its deletion began after the backup, and its grace period ends at $ends: its kubelet has stopped it by then. The object is back without its deletion; its kubelet marks it ended if it had not reported that, else the API shows $was until the deletion is repeated."
	whyStoppedRestarted     = "Its deletion began after the backup, and its grace period ends at $ends. The object is back without its deletion, and the restarted kubelet may let it live on, or start it again."
	whyStoppedStale         = "Its deletion began after the backup and is gone from etcd; its grace period ends at $ends, and its kubelet has stopped it by then. The API servers list it as Terminating from their cache."
	whyOverdueDeaf          = "Its deletion began after the backup, and its grace period ended at $ends, but the current state has it alive: it may run. The object is back without its deletion."
	whyOverdueListed        = "Its deletion began after the backup, and its grace period ended at $ends, but the current state has it alive: it may run. The object is back without its deletion, and a kubelet that relists its pods may let it live on, or start it again."
	whyOverdueStale         = "Its deletion began after the backup and is gone from etcd; its grace period ended at $ends, but the current state has it alive: it may run. The API servers list it as Terminating from their cache."
	whyHeldDeaf             = "It ended ($now) in a deletion that began after the backup and that a finalizer held up. Nothing of it runs, but the API shows it as $was without its deletion, and its kubelet has finished with it and reports nothing more."
	whyHeldListed           = "It ended ($now) in a deletion that began after the backup and that a finalizer held up. Nothing of it runs, but the API shows it as $was, and that does not heal by relisting: its kubelet has finished with it. A graceful deletion hangs."
	whyRevived              = "It ended ($now) in a deletion that began after the backup. Its kubelet starts it again, because the restored API wants it and has forgotten its end."
	whyHeldStale            = "It ended ($now) in a deletion that began after the backup. Nothing of it runs; etcd has it as $was without its deletion, the API servers list it as Terminating from their cache."
	whyNotRevived           = "It ended ($now) in a deletion that began after the backup. Its kubelet finds it without containers and marks it Failed without running it (restart policy Never); the object stays."
	whyGoingDeaf            = "It ended ($now) in a deletion that began after the backup and was about to be done. Nothing of it runs, but the API shows it as $was without its deletion, and no kubelet hears of a new one."
	whyUnboundDeleting      = "Not bound to a node, and its deletion began after the backup: it is back without it, and the scheduler goes on with it. On a node whose kubelet is deaf it never starts."
	whyUnboundDeletingStale = "Not bound to a node, and its deletion began after the backup: that is gone from etcd. The API servers list it as Terminating from their cache."
	whyBothDying            = "Being deleted in both snapshots: its kubelet goes on stopping it, until $ends at the latest, and finishes the deletion."
	whyBothDyingRestarted   = "Being deleted in both snapshots: its restarted kubelet begins to stop it again, with the whole of its grace period, and finishes the deletion."
	whyBothDyingStale       = "Being deleted in both snapshots: its kubelet goes on stopping it, until $ends at the latest, and finishes the deletion. The API servers go on listing it from their cache."
	whyBothDyingEndedDeaf   = "Being deleted in both snapshots, and ended since the backup: its kubelet has finished with it and will not report its end again. The API shows it $was and Terminating."
	whyBothDyingEndedListed = "Being deleted in both snapshots, and ended since the backup: its kubelet has finished with it and will not report its end again, not even after relisting its pods. The API shows it $was and Terminating."
	whyBothDyingEndedStale  = "Being deleted in both snapshots, and ended since the backup: nothing of it runs. etcd has it as $was again; the API servers list it from their cache."
	whyBothDyingDoneDeaf    = "Being deleted in both snapshots, ended since the backup, and about to be gone. The restored API shows it $was and Terminating, and no kubelet hears of it to finish the deletion."
)

// Pods that are in both snapshots, and were bound after the backup.
const (
	whyBoundDeaf          = "Bound to its node after the backup: the restored API has it unbound. Its kubelet goes on running it, and the scheduler binds it again to another node that can take it: one pod, two nodes. Its kubelet's reports are refused."
	whyBoundListed        = "Bound to its node after the backup: the restored API has it unbound. Its kubelet relists its pods, misses it, and stops it with its own grace period$grace; the scheduler binds it again and it starts again elsewhere, perhaps before the old one has stopped."
	whyBoundRestarted     = "Bound to its node after the backup: the restored API has it unbound. Its restarted kubelet kills its containers with a grace period of 1 s, without preStop hooks; the scheduler binds it again and it starts again elsewhere, perhaps before the old one has stopped."
	whyBoundStale         = "Bound to its node after the backup: etcd has it unbound again, but the API servers go on listing it as bound and its kubelet runs it. It becomes a phantom when they restart."
	whyBoundUnplaced      = "Bound to its node after the backup: the restored API has it unbound. Its kubelet relists its pods, misses it, and stops it. It is Pending until a scheduler places it and it starts again, perhaps before the old one has stopped."
	whyBlockedDeaf        = "Bound to its node after the backup: the restored API has it unbound, and no node of the backup can take it (a former label, taint, cordon or scheduling gate). Its kubelet goes on running it; the API shows it Pending."
	whyBlockedListed      = "Bound to its node after the backup: the restored API has it unbound, and no node of the backup can take it (a former label, taint, cordon or scheduling gate). Its kubelet relists its pods and stops it with its own grace period$grace; it stays Pending."
	whyBlockedRestarted   = "Bound to its node after the backup: the restored API has it unbound, and no node of the backup can take it (a former label, taint, cordon or scheduling gate). Its restarted kubelet kills its containers with a grace period of 1 s, without preStop hooks; it stays Pending."
	whyBoundHereDeaf      = "Bound to its node after the backup: the restored API has it unbound, and of the backup's nodes only this one can take it. The scheduler binds it there again and it runs on; the API shows Pending until its status changes."
	whyBoundHereListed    = "Bound to its node after the backup: the restored API has it unbound, and of the backup's nodes only this one can take it. The scheduler binds it there again and it runs on."
	whyBoundHereStale     = "Bound to its node after the backup: etcd has it unbound again, the API servers list it as bound from their cache."
	whyBoundHereUnplaced  = "Bound to its node after the backup: the restored API has it unbound, and of the backup's nodes only this one can take it. Its kubelet relists its pods before a scheduler has bound it there again, and stops it; it is Pending until then."
	whyBoundEndedDeaf     = "Bound and ended ($now) after the backup: nothing of it runs. The restored API has it unbound and Pending, and the scheduler binds it again; on a node whose kubelet is deaf it never starts, on another its work is done a second time."
	whyBoundEndedListed   = "Bound and ended ($now) after the backup. The restored API has it unbound; the scheduler binds it again, and on another node its work is done a second time."
	whyBoundEndedUnplaced = "Bound and ended ($now) after the backup. The restored API has it unbound, and Pending until a scheduler places it; on another node its work is done a second time."
	whyBoundStoppedDeaf   = "Bound, and its deletion begun, after the backup: it is stopped by $ends. The restored API has it unbound and not deleted, and the scheduler binds it again; on a node whose kubelet is deaf it never starts."
	whyBoundStoppedListed = "Bound, and its deletion begun, after the backup: it is stopped by $ends. The restored API has it unbound and not deleted; the scheduler binds it again, and it starts again."
	whyBoundStoppedStale  = "Bound, and its deletion begun, after the backup: it is stopped by $ends. etcd has it unbound and not deleted; the API servers list it as Terminating from their cache."
)

// Mirror pods.
const (
	whyMirror              = "The mirror of a static pod: the process goes on, whatever the API has."
	whyMirrorCreatedDeaf   = "The mirror of a static pod, made after the backup: the process goes on, the API shows no such mirror or the former one."
	whyMirrorCreatedListed = "The mirror of a static pod, made after the backup: the process goes on, and its kubelet makes a new mirror under another uid."
	whyMirrorCreatedStale  = "The mirror of a static pod, made after the backup: the process goes on, and the API servers list the mirror from their cache."
	whyMirrorNoNodeListed  = "The mirror of a static pod, made after the backup: the process goes on. Its kubelet makes no new mirror while its node has no Node object, which only a restart of the kubelet brings back."
	whyMirrorDeletedDeaf   = "The mirror of a static pod that is gone or was changed since the backup: the API shows it again, and nothing runs for it."
	whyMirrorDeletedListed = "The mirror of a static pod that is gone or was changed since the backup: its kubelet relists its pods and removes it."
	whyMirrorDeletedStale  = "The mirror of a static pod that is gone or was changed since the backup; the API servers do not list it."
)

// Pods of a backup that is restored onto other machines.
const (
	ontoAlive = "Its node is a machine of the old cluster, and nothing of the pod runs here. The API shows it as $was there, its controller counts it, and Services keep its address. About 50 s after controllers have started the old Node object turns NotReady.$evicted "

	whyOntoAlive       = ontoAlive + "Its controller makes another one as soon as it is Terminating, or gone."
	whyOntoStateful    = ontoAlive + "Its StatefulSet makes no other one before the object is gone: it waits until the Node object, or the pod by force, is deleted."
	whyOntoDaemon      = ontoAlive + "Its DaemonSet makes pods of its own for the new nodes as they join; this one stays until the Node object is deleted."
	whyOntoJob         = ontoAlive + "Its Job makes another one, and its work is done again from the beginning, also where the old cluster has finished it since the backup."
	whyOntoCustom      = ontoAlive + "It belongs to a custom resource: whether that makes another one, and when, is not known."
	whyOntoBare        = ontoAlive + "It has no controller: nothing makes another one."
	whyOntoDying       = "Its deletion had begun in the backup, on a machine of the old cluster: nothing of it runs here, and no kubelet finishes the deletion."
	whyOntoEnded       = "It had ended ($was) in the backup: nothing of it runs. Its logs are on the old machine, and it goes with the old Node object."
	whyOntoOrphan      = "The backup has no Node object for its node, and nothing of it runs here. The API shows it as $was until the pod garbage collector deletes it, in about a minute."
	whyOntoUnbound     = "Not bound in the backup: the scheduler places it as soon as it runs. For about 50 s it takes the old Node objects for ready, and on one of them the pod never starts."
	whyOntoUnboundHeld = "Not bound and being deleted in the backup, held by a finalizer: it stays until the finalizer's owner runs here and acts."
	whyOntoMirror      = "The file that it mirrors is on the old machine, and nothing of it runs here. The API shows it as $was until the old Node object is deleted."
)

// Pods of which nothing can be said.
const (
	whyUnreadable = "$why"
)
