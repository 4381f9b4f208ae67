package replay

// Rule is a rule of etcd or Kubernetes that a transition follows.
type Rule struct {
	ID     string
	Text   string
	Source string // component, version, file and function; or where it was seen
	Seen   bool   // real programs were seen to follow it; otherwise it was read in source
}

// The rules.
var (
	ruleStop      = Rule{"stop", "A process that is stopped closes its connections. A kubelet whose watch ends opens it again at the last revision it has seen, with the next API server that accepts it.", "client-go v0.37 tools/cache/reflector.go Reflector.watch", true}
	ruleRefused   = Rule{"refused", "A kubelet that is refused connections keeps the last revision it has seen and tries again: it does not list.", "client-go v0.37 tools/cache/reflector.go isWatchErrorRetriable", true}
	ruleError     = Rule{"http-error", "An HTTP error other than 429 (401, 403, 500, 503) makes a kubelet list when it next reaches an API server.", "client-go v0.37 tools/cache/reflector.go Reflector.ListAndWatch", true}
	ruleRestore   = Rule{"restore", "A restored store holds the backup's records and starts at its newest revision.", "etcdutl v3.6 snapshot/v3_snapshot.go Restore", true}
	ruleBump      = Rule{"bump", "A bump is added to the backup's newest revision, and everything below is marked compacted.", "etcdutl v3.6 snapshot/v3_snapshot.go modifyLatestRevision", true}
	ruleFirstList = Rule{"first-list", "An API server that starts lists what etcd holds. Its watch cache serves watches from the revision of that list on.", "apiserver v0.37 pkg/storage/cacher/watch_cache_history.go GetIntervalLocked", true}
	ruleExpired   = Rule{"410", "A watch that resumes below the revision of an API server's first list is answered with 410 Gone: the kubelet lists.", "apiserver v0.37 pkg/storage/cacher/watch_cache_history.go GetIntervalLocked; client-go v0.37 tools/cache/reflector.go Reflector.watch", true}
	ruleResume    = Rule{"resume", "A watch that resumes at or above the revision of the first list is accepted, however far in the future that revision is.", "apiserver v0.37 pkg/storage/cacher/watch_cache_history.go GetIntervalLocked", true}
	ruleDeaf      = Rule{"deaf", "A watch delivers events above the revision it resumed at, and no others.", "apiserver v0.37 pkg/storage/cacher/cache_watcher.go process", true}
	ruleBookmark  = Rule{"bookmark", "Bookmarks tell a kubelet the newest revision that its API server has seen, also when none of its pods changed.", "apiserver v0.37 pkg/storage/cacher/cacher.go defaultBookmarkFrequency", true}
	ruleList      = Rule{"list", "A list replaces what a kubelet knows: it stops what is not listed and starts what is.", "kubernetes v1.37 pkg/kubelet/config/config.go merge; pkg/kubelet/kubelet.go HandlePodRemoves", true}
	ruleRestart   = Rule{"restart", "A kubelet that is restarted has seen nothing and lists. What runs goes on until then, and containers of pods it does not find are killed within 2 s.", "kubernetes v1.37 pkg/kubelet/kubelet_pods.go HandlePodCleanups", true}
	ruleLease     = Rule{"lease", "Controllers and a scheduler that cannot renew their leases exit, and are started again: they have seen nothing, and list.", "kubernetes v1.37 cmd/kube-controller-manager/app/controllermanager.go Run; cmd/kube-scheduler/app/server.go Run", true}
	ruleKept      = Rule{"kept", "An API server left running resumes its watch of etcd above the last revision it has seen. etcd accepts a revision from the future and delivers nothing until the store has passed it.", "etcd server v3.6 storage/mvcc/watchable_store.go watch", true}
	ruleCompacted = Rule{"compacted", "etcd refuses to resume a watch whose next revision is compacted: the API server drops its cache and lists.", "etcd server v3.6 storage/mvcc/watcher_group.go chooseAll", true}
	ruleErased    = Rule{"erased-again", "A kubelet that resumes below what an API server with the erased past has seen is sent the erased events again.", "apiserver v0.37 pkg/storage/cacher/watch_cache_history.go GetIntervalLocked", false}
	ruleWrite     = Rule{"write", "A write goes to etcd, whatever the API server's cache says, and takes the next revision.", "etcd server v3.6 storage/mvcc/kvstore_txn.go", true}
	ruleClose     = Rule{"close", "A watch ends by itself or when a load balancer moves it, and is opened again at the last revision seen.", "client-go v0.37 tools/cache/reflector.go Reflector.watch", true}
)

// Rules are the rules of the machine, in the order of documentation.
var Rules = []Rule{
	ruleStop, ruleRefused, ruleError, ruleRestore, ruleBump, ruleFirstList, ruleKept, ruleCompacted,
	ruleExpired, ruleResume, ruleDeaf, ruleBookmark, ruleClose, ruleErased, ruleList, ruleRestart, ruleLease, ruleWrite,
}
