package restore

// table is the decision table: which rule decides, for which pods, and what becomes of them
// in each case of what their kubelet does. docs/table.md is printed from it. classify finds
// a pod's row. In rules 1 to 3 a namesake in the other snapshot makes it 2a or 2b, and a
// node that the backup does not have makes rule 1 5a.
//
// The fields of a cell are, in this order,
//
//	outcome, severity, where it runs, what the API shows, what heals it, flags,
//	the condition under which that is the outcome, the reason in words, what to do
//
// A case that a row leaves out is none of its own: unplaced is then as relist or restart,
// and only rows of rule onto, and of pods of which nothing can be said, are ever asked for
// onto.
var table = [rows]row{
	// Pods that are in the current snapshot only.
	rowCreated: {"1", "created after the backup, running or about to", cells{
		deaf:    {Phantom, Critical, here, nothing, HealsRelist, noFlags, sure, whyCreatedDeaf, actRemedy},
		relist:  {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedListed, actRemedy},
		restart: {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedRestarted, actRemedy},
		stale:   {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyCreatedStale, actRemedy},
	}},
	rowCreatedExpiring: {"1", "created after the backup, with an activeDeadlineSeconds", cells{
		deaf:    {Phantom, Warning, stopping, nothing, HealsSelf, noFlags, sure, whyCreatedExpiringDeaf, actWaitDeadline},
		relist:  {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedListed, actRemedy},
		restart: {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedRestarted, actRemedy},
		stale:   {Hidden, Critical, stopping, currentAsIs, HealsNever, noFlags, sure, whyCreatedExpiringStale, actRemedy},
	}},
	rowCreatedDying: {"1", "created after the backup, being deleted, with time left", cells{
		deaf:    {Phantom, Warning, stopping, nothing, HealsSelf, noFlags, sure, whyCreatedDyingDeaf, actWaitGrace},
		relist:  {Terminated, Warning, stopping, nothing, HealsSelf, noFlags, sure, whyCreatedDyingListed, actRemedy},
		restart: {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedRestarted, actRemedy},
		stale:   {Hidden, Warning, stopping, currentAsIs, HealsSelf, noFlags, sure, whyCreatedDyingStale, actRemedy},
	}},
	rowCreatedDead: {"1", "created after the backup, being deleted, with no time left", cells{
		deaf:    {Terminated, Warning, ending, nothing, HealsSelf, noFlags, sure, whyCreatedDead, actRemedy},
		relist:  {Terminated, Warning, ending, nothing, HealsSelf, noFlags, sure, whyCreatedDead, actRemedy},
		restart: {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedRestarted, actRemedy},
		stale:   {Terminated, Warning, ending, currentAsIs, HealsSelf, noFlags, sure, whyCreatedDeadStale, actRemedy},
	}},
	rowCreatedOnGoneNode: {"1", "created after the backup, on a node without a Node object in the current state", cells{
		deaf:    {Phantom, Critical, here, nothing, HealsRelist, noFlags, ifKubeletLives, whyCreatedDeaf, actRemedy},
		relist:  {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, ifKubeletLives, whyCreatedListed, actRemedy},
		restart: {Terminated, Warning, nowhere, nothing, HealsSelf, noFlags, ifKubeletLives, whyCreatedRestarted, actRemedy},
		stale:   {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, ifKubeletLives, whyCreatedStale, actRemedy},
	}},
	rowCreatedEnded: {"7", "created after the backup and ended", cells{
		deaf:    {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedEndedListed, actRemedy},
		restart: {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyCreatedEndedListed, actRemedy},
		stale:   {Finished, OK, nowhere, currentAsIs, HealsSelf, noFlags, sure, whyCreatedEndedStale, actRemedy},
	}},
	rowCreatedUnbound: {"unbound", "created after the backup, never bound", cells{
		deaf:    {Lost, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyCreatedUnbound, actRemedy},
		relist:  {Lost, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyCreatedUnbound, actRemedy},
		restart: {Lost, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyCreatedUnbound, actRemedy},
		stale:   {Lost, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyCreatedUnboundStale, actRemedy},
	}},

	// Pods that are in the backup only.
	rowDeletedAlways: {"3", "deleted after the backup, restart policy Always", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyGhost, actRemedy},
		relist:  {Restarted, Warning, here, backupRunning, HealsSelf, noFlags, sure, whyDeletedAlwaysListed, actRemedy},
		restart: {Restarted, Warning, here, backupRunning, HealsSelf, noFlags, sure, whyDeletedAlwaysListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedOnFailure: {"3", "deleted after the backup, restart policy OnFailure", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyGhost, actRemedy},
		relist:  {Restarted, Warning, here, backupRunning, HealsSelf, runsAgain, sure, whyDeletedOnFailureListed, actRemedy},
		restart: {Restarted, Warning, here, backupRunning, HealsSelf, runsAgain, sure, whyDeletedOnFailureListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedNever: {"3", "deleted after the backup, restart policy Never", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyGhost, actRemedy},
		relist:  {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, sure, whyDeletedNeverListed, actDeleteBeforeList},
		restart: {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, sure, whyDeletedNeverListed, actDeleteBeforeList},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedExpired: {"3", "deleted after the backup, its activeDeadlineSeconds passed", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyGhost, actRemedy},
		relist:  {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, sure, whyDeletedExpiredListed, actDeleteBeforeList},
		restart: {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, sure, whyDeletedExpiredListed, actDeleteBeforeList},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedPending: {"3", "deleted after the backup, where it was bound and Pending, restart policy Always", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyGhost, actRemedy},
		relist:  {Restarted, Warning, perhaps, backupPending, HealsSelf, noFlags, sure, whyDeletedPendingListed, actRemedy},
		restart: {Restarted, Warning, perhaps, backupPending, HealsSelf, noFlags, sure, whyDeletedPendingListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedPendingOnce: {"3", "deleted after the backup, where it was bound and Pending, restart policy OnFailure or Never", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyGhost, actRemedy},
		relist:  {Restarted, Warning, perhaps, backupPending, HealsSelf, runsAgain, sure, whyDeletedPendingOnceListed, actRemedy},
		restart: {Restarted, Warning, perhaps, backupPending, HealsSelf, runsAgain, sure, whyDeletedPendingOnceListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedUnbound: {"unbound", "deleted after the backup, where it was not bound", cells{
		deaf:    {LostDeletion, Warning, elsewhere, backupAsWas, HealsNever, noFlags, sure, whyDeletedUnboundDeaf, actRemedy},
		relist:  {LostDeletion, Warning, elsewhere, backupAsWas, HealsNever, noFlags, sure, whyDeletedUnboundListed, actRemedy},
		restart: {LostDeletion, Warning, elsewhere, backupAsWas, HealsNever, noFlags, sure, whyDeletedUnboundListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedEnded: {"7'", "deleted after the backup, where it had ended", cells{
		deaf:    {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyDeletedEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyDeletedEndedListed, actRemedy},
		restart: {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyDeletedEndedListed, actRemedy},
		stale:   {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletedEndedStale, actRemedy},
	}},
	rowDeletedOnGoneNode: {"5b", "deleted after the backup, on a node whose machine is gone", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, sure, whyGoneNode, actDeleteNode},
		relist:  {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyGoneNode, actDeleteNode},
		restart: {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyGoneNode, actDeleteNode},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeletedOrphaned: {"5b", "deleted after the backup, on a node without a Node object in either snapshot", cells{
		deaf:    {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyOrphaned, actNothing},
		relist:  {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyOrphaned, actNothing},
		restart: {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyOrphaned, actNothing},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletedStale, actRestartAPI},
	}},
	rowDeleting: {"4e", "being deleted in the backup, gone since", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, stuckTerminating, sure, whyDeletingDeaf, actFinishDeletion},
		relist:  {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletingListed, actRemedy},
		restart: {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletingListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletingStale, actRestartAPI},
	}},
	rowDeletingHeld: {"4e", "being deleted in the backup with a finalizer, gone since", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsRelist, stuckTerminating, sure, whyDeletingDeaf, actFinishDeletion},
		relist:  {StuckTerminating, Warning, nowhere, backupFailed, HealsNever, noFlags, sure, whyDeletingHeldListed, actRemedy},
		restart: {StuckTerminating, Warning, nowhere, backupFailed, HealsNever, noFlags, sure, whyDeletingHeldListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletingStale, actRestartAPI},
	}},
	rowDeletingEnded: {"4e", "being deleted and ended in the backup, gone since", cells{
		deaf:    {StuckTerminating, Warning, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyDeletingEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletingListed, actRemedy},
		restart: {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletingListed, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletingStale, actRestartAPI},
	}},
	rowDeletingEndedHeld: {"4e", "being deleted, ended or never bound in the backup, with a finalizer, gone since", cells{
		deaf:    {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyDeletingEndedHeld, actRemedy},
		relist:  {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyDeletingEndedHeld, actRemedy},
		restart: {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyDeletingEndedHeld, actRemedy},
		stale:   {LostDeletion, Warning, nowhere, nothing, HealsNever, noFlags, sure, whyDeletingStale, actRestartAPI},
	}},

	// Pods that are in both snapshots, bound to the same node or to none.
	rowUnchanged: {"4a", "in both, unchanged", cells{
		deaf:    {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyUnchanged, actRemedy},
		relist:  {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyUnchanged, actRemedy},
		restart: {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyUnchanged, actRemedy},
		stale:   {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyUnchanged, actRemedy},
	}},
	rowTouched: {"4a", "in both, with other labels, annotations or conditions", cells{
		deaf:    {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyTouched, actRemedy},
		relist:  {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyTouched, actRemedy},
		restart: {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyTouched, actRemedy},
		stale:   {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyTouchedStale, actRemedy},
	}},
	rowStatus: {"4a-status", "in both, phase changed", cells{
		deaf:    {StaleStatus, Warning, here, backupAsWas, HealsStatusChange, noFlags, sure, whyStatusDeaf, actRemedy},
		relist:  {Unaffected, OK, here, backupPhaseNow, HealsSelf, noFlags, sure, whyStatusListed, actRemedy},
		restart: {Unaffected, OK, here, backupPhaseNow, HealsSelf, noFlags, sure, whyStatusListed, actRemedy},
		stale:   {StaleStatus, Warning, here, currentAsIs, HealsNever, noFlags, sure, whyStatusStale, actRestartAPI},
	}},
	rowReadiness: {"4a-status", "in both, readiness changed", cells{
		deaf:    {StaleStatus, Warning, here, backupAsWas, HealsStatusChange, noFlags, sure, whyReadinessDeaf, actRemedy},
		relist:  {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyReadinessListed, actRemedy},
		restart: {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyReadinessListed, actRemedy},
		stale:   {StaleStatus, Warning, here, currentAsIs, HealsNever, noFlags, sure, whyReadinessStale, actRestartAPI},
	}},
	rowRestarts: {"4a-status", "in both, restart counts changed", cells{
		deaf:    {StaleStatus, OK, here, backupAsWas, HealsStatusChange, noFlags, sure, whyRestartsDeaf, actNothing},
		relist:  {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyRestartsListed, actRemedy},
		restart: {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyRestartsListed, actRemedy},
		stale:   {StaleStatus, OK, here, currentAsIs, HealsNever, noFlags, sure, whyRestartsStale, actNothing},
	}},
	rowSpec: {"4f", "in both, containers changed in place", cells{
		deaf:    {StaleSpec, Critical, here, backupAsWas, HealsRelist, noFlags, sure, whySpecDeaf, actRemedy},
		relist:  {Restarted, Warning, here, backupPhaseNow, HealsSelf, specRolledBack, sure, whySpecListed, actRepeatChange},
		restart: {Restarted, Warning, here, backupPhaseNow, HealsSelf, specRolledBack, sure, whySpecListed, actRepeatChange},
		stale:   {StaleSpec, Critical, here, currentAsIs, HealsNever, noFlags, sure, whySpecStale, actRestartAPI},
	}},
	rowResized: {"4f'", "in both, resized in place to more, with a container to be restarted for it", cells{
		deaf:    {StaleSpec, Warning, here, backupAsWas, HealsRelist, noFlags, sure, whyResizedDeaf, actResizeBeforeList},
		relist:  {Restarted, Warning, here, backupPhaseNow, HealsSelf, specRolledBack, sure, whyResizedListed, actResizeFirst},
		restart: {Restarted, Warning, here, backupPhaseNow, HealsSelf, specRolledBack, sure, whyResizedListed, actResizeFirst},
		stale:   {StaleSpec, Warning, here, currentAsIs, HealsNever, noFlags, sure, whyResizedStale, actRestartAPI},
	}},
	rowResizedDown: {"4f'", "in both, resized in place to less, with a container to be restarted for it", cells{
		deaf:    {StaleSpec, Warning, here, backupAsWas, HealsRelist, noFlags, sure, whyResizedDeaf, actResizeBeforeList},
		relist:  {Restarted, Warning, here, backupPhaseNow, HealsSelf, specRolledBack, ifRoomToResize, whyResizedListed, actResizeFirst},
		restart: {Restarted, Warning, here, backupPhaseNow, HealsSelf, specRolledBack, ifRoomToResize, whyResizedListed, actResizeFirst},
		stale:   {StaleSpec, Warning, here, currentAsIs, HealsNever, noFlags, sure, whyResizedStale, actRestartAPI},
	}},
	rowResizeUndone: {"4a", "in both, resized in place", cells{
		deaf:    {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyResizeUndoneDeaf, actRepeatResize},
		relist:  {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyResizeUndoneListed, actRepeatResize},
		restart: {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyResizeUndoneListed, actRepeatResize},
		stale:   {Unaffected, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyResizeUndoneStale, actRepeatResize},
	}},
	rowBothEnded: {"4a", "in both, ended in both", cells{
		deaf:    {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothEnded, actRemedy},
		relist:  {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothEnded, actRemedy},
		restart: {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothEnded, actRemedy},
		stale:   {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothEnded, actRemedy},
	}},
	rowEndedBefore: {"7'", "in both, ended in the backup, its deletion begun or its machine gone since", cells{
		deaf:    {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyEndedBefore, actRemedy},
		relist:  {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyEndedBefore, actRemedy},
		restart: {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyEndedBefore, actRemedy},
		stale:   {Finished, OK, nowhere, currentAsIs, HealsSelf, noFlags, sure, whyEndedBeforeStale, actRemedy},
	}},
	rowBothUnbound: {"unbound", "in both, bound in neither", cells{
		deaf:    {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothUnboundDeaf, actRemedy},
		relist:  {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothUnbound, actRemedy},
		restart: {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothUnbound, actRemedy},
		stale:   {Unaffected, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyBothUnbound, actRemedy},
	}},
	rowKeptOnGoneNode: {"5b", "in both, on a node whose machine is gone", cells{
		deaf:    {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, sure, whyGoneNode, actDeleteNode},
		relist:  {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyGoneNode, actDeleteNode},
		restart: {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, sure, whyGoneNode, actDeleteNode},
		stale:   {Unaffected, OK, nowhere, currentAsIs, HealsSelf, noFlags, sure, whyGoneBefore, actRemedy},
	}},
	rowKeptOrphaned: {"5b", "in both, on a node without a Node object in either", cells{
		deaf:    {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyOrphaned, actNothing},
		relist:  {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyOrphaned, actNothing},
		restart: {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyOrphaned, actNothing},
		stale:   {Unaffected, OK, nowhere, currentAsIs, HealsSelf, noFlags, sure, whyGoneBefore, actRemedy},
	}},

	// The same, ended in one of them.
	rowEndedNever: {"4b", "in both, ended since, restart policy Never", cells{
		deaf:    {StaleStatus, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, backupPhaseNow, HealsSelf, noFlags, sure, whyEndedListed, actRemedy},
		restart: {Finished, OK, nowhere, backupPhaseNow, HealsSelf, noFlags, sure, whyEndedNeverRestarted, actRemedy},
		stale:   {StaleStatus, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyEndedStale, actRestartAPI},
	}},
	rowEndedOnFailure: {"4b", "in both, succeeded since, restart policy OnFailure", cells{
		deaf:    {StaleStatus, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, backupPhaseNow, HealsSelf, noFlags, sure, whyEndedListed, actRemedy},
		restart: {Finished, OK, nowhere, backupPhaseNow, HealsSelf, noFlags, ifContainersKept, whyEndedOnFailureRestarted, actRemedy},
		stale:   {StaleStatus, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyEndedStale, actRestartAPI},
	}},
	rowEvicted: {"4b'", "in both, ended since by eviction, deadline or the like", cells{
		deaf:    {StaleStatus, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, backupPhaseNow, HealsSelf, noFlags, sure, whyEndedListed, actRemedy},
		restart: {Restarted, Warning, here, backupRunning, HealsSelf, runsAgain, sure, whyEvictedRestarted, actDeleteBeforeRestart},
		stale:   {StaleStatus, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyEndedStale, actRestartAPI},
	}},
	rowExpired: {"4b'", "in both, ended since by the deadline that the backup has", cells{
		deaf:    {StaleStatus, Critical, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyEndedDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, backupPhaseNow, HealsSelf, noFlags, sure, whyEndedListed, actRemedy},
		restart: {Finished, OK, nowhere, backupFailed, HealsSelf, noFlags, sure, whyExpiredRestarted, actRemedy},
		stale:   {StaleStatus, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyEndedStale, actRestartAPI},
	}},
	rowEndedInBackup: {"4b-back", "in both, ended in the backup and alive since", cells{
		deaf:    {StaleStatus, Critical, here, backupAsWas, HealsRelist, noFlags, sure, whyEndedInBackupDeaf, actRemedy},
		relist:  {Terminated, Warning, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyEndedInBackupListed, actRemedy},
		restart: {Terminated, Warning, nowhere, backupAsWas, HealsSelf, noFlags, sure, whyEndedInBackupListed, actRemedy},
		stale:   {StaleStatus, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyEndedInBackupStale, actRestartAPI},
	}},

	// The same, and being deleted in the current one.
	rowDoomed: {"4d", "in both, deletion begun since, with time left", cells{
		deaf:    {LostDeletion, Warning, stopping, backupAsWas, HealsNever, noFlags, sure, whyDoomedDeaf, actDeleteAgain},
		relist:  {LostDeletion, Warning, stopping, backupAsWas, HealsNever, noFlags, sure, whyDoomedListed, actDeleteAgain},
		restart: {LostDeletion, Warning, here, backupAsWas, HealsNever, noFlags, sure, whyDoomedRestarted, actDeleteAgain},
		stale:   {LostDeletion, Warning, stopping, currentAsIs, HealsNever, noFlags, sure, whyDoomedStale, actDeleteAgain},
	}},
	rowStopped: {"4d", "in both, deletion begun since, with no time left", cells{
		deaf:    {LostDeletion, Warning, ending, backupAsWas, HealsNever, noFlags, sure, whyStopped, actDeleteAgain},
		relist:  {LostDeletion, Warning, ending, backupAsWas, HealsNever, noFlags, ifNotDeleted, whyStopped, actDeleteAgain},
		restart: {LostDeletion, Warning, perhaps, backupAsWas, HealsNever, noFlags, sure, whyStoppedRestarted, actDeleteAgain},
		stale:   {LostDeletion, Warning, ending, currentAsIs, HealsNever, noFlags, sure, whyStoppedStale, actDeleteAgain},
	}},
	rowOverdue: {"4d", "in both, deletion begun since, with no time left long ago", cells{
		deaf:    {LostDeletion, Critical, perhaps, backupAsWas, HealsNever, noFlags, sure, whyOverdueDeaf, actCheckNode},
		relist:  {LostDeletion, Critical, perhaps, backupAsWas, HealsNever, noFlags, sure, whyOverdueListed, actCheckNode},
		restart: {LostDeletion, Critical, perhaps, backupAsWas, HealsNever, noFlags, sure, whyOverdueListed, actCheckNode},
		stale:   {LostDeletion, Critical, perhaps, currentAsIs, HealsNever, noFlags, sure, whyOverdueStale, actCheckNode},
	}},
	rowHeld: {"4d'", "in both, deletion begun since, ended, held by a finalizer", cells{
		deaf:    {LostDeletion, Critical, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyHeldDeaf, actForce},
		relist:  {LostDeletion, Critical, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyHeldListed, actForce},
		restart: {Restarted, Warning, here, backupRunning, HealsSelf, runsAgain, sure, whyRevived, actDeleteAgain},
		stale:   {LostDeletion, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyHeldStale, actRestartAPI},
	}},
	rowHeldNever: {"4d'", "in both, deletion begun since, ended, held by a finalizer, restart policy Never", cells{
		deaf:    {LostDeletion, Critical, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyHeldDeaf, actForce},
		relist:  {LostDeletion, Critical, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyHeldListed, actForce},
		restart: {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, sure, whyNotRevived, actDeleteAgain},
		stale:   {LostDeletion, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyHeldStale, actRestartAPI},
	}},
	rowGoing: {"4d'", "in both, deletion begun since, ended, about to be gone", cells{
		deaf:    {LostDeletion, Critical, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyGoingDeaf, actForce},
		relist:  {Restarted, Warning, here, backupRunning, HealsSelf, runsAgain, ifDeleted, whyRevived, actDeleteAgain},
		restart: {Restarted, Warning, here, backupRunning, HealsSelf, runsAgain, ifDeleted, whyRevived, actDeleteAgain},
		stale:   {LostDeletion, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyHeldStale, actRestartAPI},
	}},
	rowGoingNever: {"4d'", "in both, deletion begun since, ended, about to be gone, restart policy Never", cells{
		deaf:    {LostDeletion, Critical, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyGoingDeaf, actForce},
		relist:  {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, ifDeleted, whyNotRevived, actDeleteAgain},
		restart: {Finished, Warning, nowhere, backupFailed, HealsSelf, noFlags, ifDeleted, whyNotRevived, actDeleteAgain},
		stale:   {LostDeletion, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyHeldStale, actRestartAPI},
	}},
	rowUnboundDeleting: {"4d", "in both, deletion begun since, never bound", cells{
		deaf:    {LostDeletion, Warning, elsewhere, backupAsWas, HealsNever, noFlags, sure, whyUnboundDeleting, actDeleteAgain},
		relist:  {LostDeletion, Warning, elsewhere, backupAsWas, HealsNever, noFlags, sure, whyUnboundDeleting, actDeleteAgain},
		restart: {LostDeletion, Warning, elsewhere, backupAsWas, HealsNever, noFlags, sure, whyUnboundDeleting, actDeleteAgain},
		stale:   {LostDeletion, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyUnboundDeletingStale, actDeleteAgain},
	}},
	rowBothDying: {"4a", "in both, deletion begun in both", cells{
		deaf:    {Unaffected, OK, stopping, backupAsWas, HealsSelf, noFlags, sure, whyBothDying, actRemedy},
		relist:  {Unaffected, OK, stopping, backupAsWas, HealsSelf, noFlags, sure, whyBothDying, actRemedy},
		restart: {Unaffected, OK, perhaps, backupAsWas, HealsSelf, noFlags, sure, whyBothDyingRestarted, actRemedy},
		stale:   {Unaffected, OK, stopping, currentAsIs, HealsSelf, noFlags, sure, whyBothDyingStale, actRemedy},
	}},
	rowBothDyingEnded: {"4d'", "in both, deletion begun in both, ended since, held by a finalizer", cells{
		deaf:    {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyBothDyingEndedDeaf, actForce},
		relist:  {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, needsForceDelete, sure, whyBothDyingEndedListed, actForce},
		restart: {StuckTerminating, Warning, nowhere, backupFailed, HealsNever, noFlags, sure, whyDeletingHeldListed, actRemedy},
		stale:   {StuckTerminating, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyBothDyingEndedStale, actRestartAPI},
	}},
	rowBothDyingDone: {"4e", "in both, deletion begun in both, ended since, about to be gone", cells{
		deaf:    {StuckTerminating, Warning, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyBothDyingDoneDeaf, actRemedy},
		relist:  {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletingListed, actRemedy},
		restart: {Finished, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyDeletingListed, actRemedy},
		stale:   {StuckTerminating, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyBothDyingEndedStale, actRestartAPI},
	}},

	// Pods that are in both snapshots, and were bound after the backup.
	rowBound: {"4c", "in both, bound since, other nodes can take it", cells{
		deaf:     {Phantom, Critical, here, backupPending, HealsRelist, doubleBind, sure, whyBoundDeaf, actStopHere},
		relist:   {Terminated, Warning, elsewhere, backupRunning, HealsSelf, doubleBind, sure, whyBoundListed, actRemedy},
		restart:  {Terminated, Warning, elsewhere, backupRunning, HealsSelf, doubleBind, sure, whyBoundRestarted, actRemedy},
		stale:    {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyBoundStale, actRemedy},
		unplaced: {Terminated, Warning, elsewhere, backupUnbound, HealsSelf, doubleBind, ifSchedulerExits, whyBoundUnplaced, actScheduler},
	}},
	rowBoundPerhapsHere: {"4c", "in both, bound since, other nodes and its own can take it", cells{
		deaf:     {Phantom, Critical, here, backupPending, HealsRelist, doubleBind, ifBoundElsewhere, whyBoundDeaf, actStopHere},
		relist:   {Terminated, Warning, elsewhere, backupRunning, HealsSelf, doubleBind, ifBoundElsewhere, whyBoundListed, actRemedy},
		restart:  {Terminated, Warning, elsewhere, backupRunning, HealsSelf, doubleBind, ifBoundElsewhere, whyBoundRestarted, actRemedy},
		stale:    {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyBoundStale, actRemedy},
		unplaced: {Terminated, Warning, elsewhere, backupUnbound, HealsSelf, doubleBind, ifSchedulerExits, whyBoundUnplaced, actScheduler},
	}},
	rowBoundGone: {"4c", "in both, bound since, a node whose machine is gone can take it", cells{
		deaf:     {Phantom, Critical, here, backupPending, HealsRelist, doubleBind, sure, whyBoundDeaf, actStopHere},
		relist:   {Terminated, Critical, elsewhere, backupRunning, HealsNever, doubleBind, ifBoundToGoneNode, whyBoundListed, actDeleteNode},
		restart:  {Terminated, Critical, elsewhere, backupRunning, HealsNever, doubleBind, ifBoundToGoneNode, whyBoundRestarted, actDeleteNode},
		stale:    {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyBoundStale, actRemedy},
		unplaced: {Terminated, Critical, elsewhere, backupUnbound, HealsNever, doubleBind, ifBoundToGoneNode, whyBoundUnplaced, actDeleteNode},
	}},
	rowBoundPerhapsGone: {"4c", "in both, bound since, its own node and one whose machine is gone can take it", cells{
		deaf:     {Phantom, Critical, here, backupPending, HealsRelist, doubleBind, ifBoundElsewhere, whyBoundDeaf, actStopHere},
		relist:   {Terminated, Critical, elsewhere, backupRunning, HealsNever, doubleBind, ifBoundToGoneNode, whyBoundListed, actDeleteNode},
		restart:  {Terminated, Critical, elsewhere, backupRunning, HealsNever, doubleBind, ifBoundToGoneNode, whyBoundRestarted, actDeleteNode},
		stale:    {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyBoundStale, actRemedy},
		unplaced: {Terminated, Critical, elsewhere, backupUnbound, HealsNever, doubleBind, ifBoundToGoneNode, whyBoundUnplaced, actDeleteNode},
	}},
	rowBlocked: {"4c'", "in both, bound since, no node of the backup can take it", cells{
		deaf:    {Phantom, Critical, here, backupPending, HealsRelist, noFlags, sure, whyBlockedDeaf, actUnblockBeforeList},
		relist:  {Terminated, Critical, nowhere, backupPending, HealsNever, notRescheduled, sure, whyBlockedListed, actUnblock},
		restart: {Terminated, Critical, nowhere, backupPending, HealsNever, notRescheduled, sure, whyBlockedRestarted, actUnblock},
		stale:   {Hidden, Critical, here, currentAsIs, HealsNever, noFlags, sure, whyBoundStale, actRemedy},
	}},
	rowBoundHere: {"4c''", "in both, bound since, only its own node can take it", cells{
		deaf:     {StaleStatus, Warning, here, backupPending, HealsStatusChange, noFlags, ifRoomHere, whyBoundHereDeaf, actRemedy},
		relist:   {Unaffected, OK, here, backupPhaseNow, HealsSelf, noFlags, ifBoundBeforeListed, whyBoundHereListed, actRemedy},
		restart:  {Unaffected, OK, here, backupPhaseNow, HealsSelf, noFlags, ifBoundBeforeListed, whyBoundHereListed, actRemedy},
		stale:    {StaleStatus, Warning, here, currentAsIs, HealsNever, noFlags, sure, whyBoundHereStale, actRestartAPI},
		unplaced: {Terminated, Warning, elsewhere, backupUnbound, HealsSelf, noFlags, ifSchedulerExits, whyBoundHereUnplaced, actScheduler},
	}},
	rowBoundEnded: {"4c", "in both, bound and ended since", cells{
		deaf:     {StaleStatus, Critical, nowhere, backupPending, HealsRelist, noFlags, sure, whyBoundEndedDeaf, actDeleteBeforeScheduler},
		relist:   {Restarted, Warning, elsewhere, backupRunning, HealsSelf, runsAgain, ifBoundElsewhere, whyBoundEndedListed, actDeleteBeforeScheduler},
		restart:  {Restarted, Warning, elsewhere, backupRunning, HealsSelf, runsAgain, ifBoundElsewhere, whyBoundEndedListed, actDeleteBeforeScheduler},
		stale:    {StaleStatus, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyEndedStale, actRestartAPI},
		unplaced: {Restarted, Warning, elsewhere, backupUnbound, HealsSelf, runsAgain, ifSchedulerExits, whyBoundEndedUnplaced, actDeleteBeforeScheduler},
	}},
	rowBoundStopped: {"4c", "in both, bound since, then deleted, with no time left", cells{
		deaf:    {LostDeletion, Warning, elsewhere, backupPending, HealsNever, noFlags, sure, whyBoundStoppedDeaf, actDeleteAgain},
		relist:  {LostDeletion, Warning, elsewhere, backupPending, HealsNever, runsAgain, sure, whyBoundStoppedListed, actDeleteAgain},
		restart: {LostDeletion, Warning, elsewhere, backupPending, HealsNever, runsAgain, sure, whyBoundStoppedListed, actDeleteAgain},
		stale:   {LostDeletion, Warning, nowhere, currentAsIs, HealsNever, noFlags, sure, whyBoundStoppedStale, actDeleteAgain},
	}},

	// Mirror pods.
	rowMirror: {"6", "that mirror a static one, in both", cells{
		deaf:    {Mirror, OK, here, backupAsWas, HealsRelist, noFlags, sure, whyMirror, actRemedy},
		relist:  {Mirror, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyMirror, actRemedy},
		restart: {Mirror, OK, here, backupAsWas, HealsSelf, noFlags, sure, whyMirror, actRemedy},
		stale:   {Mirror, OK, here, currentAsIs, HealsSelf, noFlags, sure, whyMirror, actRemedy},
	}},
	rowMirrorCreated: {"6", "that mirror a static one, made after the backup", cells{
		deaf:    {Mirror, OK, here, nothing, HealsRelist, noFlags, sure, whyMirrorCreatedDeaf, actRemedy},
		relist:  {Mirror, OK, here, nothing, HealsSelf, noFlags, sure, whyMirrorCreatedListed, actRemedy},
		restart: {Mirror, OK, here, nothing, HealsSelf, noFlags, sure, whyMirrorCreatedListed, actRemedy},
		stale:   {Mirror, OK, here, currentAsIs, HealsSelf, noFlags, sure, whyMirrorCreatedStale, actRemedy},
	}},
	rowMirrorNoNode: {"6", "that mirror a static one, made after the backup on a node that is not in it", cells{
		deaf:    {Mirror, OK, here, nothing, HealsRelist, noFlags, sure, whyMirrorCreatedDeaf, actRemedy},
		relist:  {Mirror, OK, here, nothing, HealsNever, noFlags, sure, whyMirrorNoNodeListed, actRestartKubelet},
		restart: {Mirror, OK, here, nothing, HealsSelf, noFlags, sure, whyMirrorCreatedListed, actRemedy},
		stale:   {Mirror, OK, here, currentAsIs, HealsSelf, noFlags, sure, whyMirrorCreatedStale, actRemedy},
	}},
	rowMirrorDeleted: {"6", "that mirror a static one, gone or changed since", cells{
		deaf:    {Mirror, OK, nowhere, backupAsWas, HealsRelist, noFlags, sure, whyMirrorDeletedDeaf, actRemedy},
		relist:  {Mirror, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyMirrorDeletedListed, actRemedy},
		restart: {Mirror, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyMirrorDeletedListed, actRemedy},
		stale:   {Mirror, OK, nowhere, nothing, HealsSelf, noFlags, sure, whyMirrorDeletedStale, actRemedy},
	}},

	// Pods of a backup that is restored onto other machines.
	rowOntoAlive: {"onto", "of the backup, restored onto other machines, alive, of a ReplicaSet or the like", cells{
		onto: {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoAlive, actOntoNode},
	}},
	rowOntoCustom: {"onto", "of the backup, restored onto other machines, alive, of a custom resource", cells{
		onto: {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoCustom, actOntoNode},
	}},
	rowOntoStateful: {"onto", "of the backup, restored onto other machines, alive, of a StatefulSet", cells{
		onto: {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoStateful, actOntoNode},
	}},
	rowOntoDaemon: {"onto", "of the backup, restored onto other machines, alive, of a DaemonSet", cells{
		onto: {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoDaemon, actOntoDaemon},
	}},
	rowOntoJob: {"onto", "of the backup, restored onto other machines, alive, of a Job", cells{
		onto: {Ghost, Critical, nowhere, backupAsWas, HealsNever, runsAgain, ontoDoubt, whyOntoJob, actOntoJob},
	}},
	rowOntoBare: {"onto", "of the backup, restored onto other machines, alive, of no controller", cells{
		onto: {Ghost, Critical, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoBare, actOntoBare},
	}},
	rowOntoDying: {"onto", "of the backup, restored onto other machines, being deleted", cells{
		onto: {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoDying, actOntoDying},
	}},
	rowOntoEnded: {"onto", "of the backup, restored onto other machines, ended", cells{
		onto: {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, ontoDoubt, whyOntoEnded, actOntoEnded},
	}},
	rowOntoOrphan: {"onto", "of the backup, restored onto other machines, on a node without a Node object", cells{
		onto: {Finished, OK, nowhere, backupAsWas, HealsSelf, noFlags, ontoDoubt, whyOntoOrphan, actNothing},
	}},
	rowOntoUnbound: {"onto", "of the backup, restored onto other machines, not bound", cells{
		onto: {Unaffected, Warning, elsewhere, backupAsWas, HealsSelf, noFlags, ontoDoubt, whyOntoUnbound, actOntoUnbound},
	}},
	rowOntoUnboundHeld: {"onto", "of the backup, restored onto other machines, not bound and being deleted with a finalizer", cells{
		onto: {StuckTerminating, Warning, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoUnboundHeld, actRemedy},
	}},
	rowOntoMirror: {"onto", "of the backup, restored onto other machines, mirror of a static one", cells{
		onto: {Mirror, OK, nowhere, backupAsWas, HealsNever, noFlags, ontoDoubt, whyOntoMirror, actOntoMirror},
	}},

	// Pods of which nothing can be said.
	rowUnreadable: {"unreadable", "with a value that cannot be read", cells{
		deaf:    {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		relist:  {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		restart: {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		stale:   {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		onto:    {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
	}},
	rowContradiction: {"contradiction", "of which the snapshots contradict each other", cells{
		deaf:    {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		relist:  {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		restart: {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		stale:   {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
		onto:    {Unknown, Critical, nowhere, nothing, HealsNever, noFlags, nothingTold, whyUnreadable, actRemedy},
	}},
}
