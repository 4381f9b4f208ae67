package preflight

// ID is the stable name of a check.
type ID string

// Group is what a check is about.
type Group string

// The groups, in order.
const (
	OfEvidence     Group = "evidence"
	OfEtcd         Group = "etcd"
	OfAPIServer    Group = "api-server"
	OfCluster      Group = "cluster"
	OfAge          Group = "age"
	OfBump         Group = "bump"
	OfControlPlane Group = "control-plane"
	OfPrediction   Group = "prediction"
)

// Groups says what each group asks.
var Groups = []struct {
	ID    Group
	Title string
}{
	{OfEvidence, "Is the evidence whole?"},
	{OfEtcd, "Can the etcd that will run it take it?"},
	{OfAPIServer, "Can the API servers that will run read it?"},
	{OfCluster, "Is it of this cluster?"},
	{OfAge, "Is it new enough?"},
	{OfBump, "Which bump is needed, and can it be made?"},
	{OfControlPlane, "Will the control plane start and accept writes?"},
	{OfPrediction, "What will the restore do to what is running?"},
}

// Info says what a check is.
type Info struct {
	ID     ID
	Group  Group
	Title  string
	Looks  string // what is looked at
	Why    string // why it matters
	Do     string // what to do where it is no pass
	Source string
	// Pair says that it takes the current state: without one it is unknown.
	Pair bool
	// Sound says that what it sees is so even of evidence that is damaged or lacks
	// something. Every other check that would pass is unknown then.
	Sound bool

	check func(*run) result
}

// IDs are the ids of all checks, in their order.
func IDs() []ID {
	list := make([]ID, len(Infos))
	for i := range Infos {
		list[i] = Infos[i].ID
	}
	return list
}

// Infos are all checks, in the order of a report. The ids are stable once released.
var Infos = []Info{
	{
		ID: "trailer", Group: OfEvidence, Title: "Trailer", Sound: true, check: (*run).trailer,
		Looks: "the SHA-256 at the end of the backup, and its content", Why: "etcdutl refuses a snapshot whose hash does not match. Without a hash, nothing proves that its bytes are intact.",
		Do: "Take another copy or another backup. A db without a trailer restores with --skip-hash-check.", Source: "etcdutl/v3 v3.7 snapshot/v3_snapshot.go saveDB",
	},
	{
		ID: "content", Group: OfEvidence, Title: "Pages", Sound: true, check: (*run).content,
		Looks: "every page and bucket of the backup", Why: "An etcd that reads a damaged page crashes, or serves wrong data.",
		Do: "Take another backup, or write what is readable into a clean one: revenant salvage BACKUP -o FILE.", Source: "bbolt v1.5 page.go, tx_check.go",
	},
	{
		ID: "history", Group: OfEvidence, Title: "History", Sound: true, check: (*run).history,
		Looks: "every revision above the compact one", Why: "Nothing above the compact revision is ever removed: a gap is a lost write, which no page shows.",
		Do: "Take another backup. revenant inspect lists what is missing.", Source: "etcd server/v3 v3.7 storage/mvcc/kvstore.go",
	},
	{
		ID: "complete", Group: OfEvidence, Title: "Missing evidence", Sound: true, check: (*run).complete,
		Looks: "what the log, delta files and members of the backup show to have been written", Why: "The restore loses what is missing, although it was written before the backup was made.",
		Do: "Look for the missing part: revenant inspect names it.", Source: "etcd server/v3 v3.7 storage/wal; gardener/etcd-backup-restore pkg/snapshot/restorer",
	},
	{
		ID: "container", Group: OfEvidence, Title: "Kind of file", Sound: true, check: (*run).container,
		Looks: "what the backup's db was found in", Why: "etcdutl takes only the file that etcdctl snapshot save writes, not an archive or a compressed file.",
		Do: "Unpack it before the restore.", Source: "etcdutl/v3 v3.7 etcdutl/snapshot_command.go",
	},
	{
		ID: "current", Group: OfEvidence, Title: "Current state", Sound: true, check: (*run).current,
		Looks: "hash, pages, history and missing parts of the current state", Why: "Everything reported about pods, the bump and what is rolled back depends on it.",
		Do: "Save the newest state available: etcdctl snapshot save FILE, or a copy of a member's data directory once etcd is stopped.", Source: "etcdutl/v3 v3.7 snapshot/v3_snapshot.go",
	},

	{
		ID: "etcd-version", Group: OfEtcd, Title: "Storage version", check: (*run).etcdVersion,
		Looks: "the storage and cluster version in the backup, and the version that will run it", Why: "Since 3.6, etcd does not start on a store of a later version.",
		Do: "Restore with the version of etcd that the backup was saved with.", Source: "etcd server/v3 v3.7 storage/schema/schema.go Validate, and observed starts of 3.5.35, 3.6.16 and 3.7.3",
	},
	{
		ID: "etcd-members", Group: OfEtcd, Title: "Members", check: (*run).etcdMembers,
		Looks: "the members that the backup names, and which of them vote", Why: "Every member is restored by its name and URL, and a restore creates no learners.",
		Do: "Name the members with --initial-cluster, and add learners once the restored cluster runs: etcdctl member add --learner.", Source: "etcdutl/v3 v3.7 snapshot/v3_snapshot.go Restore",
	},
	{
		ID: "etcd-alarm", Group: OfEtcd, Title: "Alarms", check: (*run).alarm,
		Looks: "the alarms that are stored in the backup", Why: "An alarm is restored with the rest: with NOSPACE every write is refused, with CORRUPT every request.",
		Do: "After etcd has started: etcdctl defrag, then etcdctl alarm disarm. revenant plan has the steps.", Source: "etcd server/v3 v3.7 etcdserver/api/v3alarm, etcdserver/apply",
	},
	{
		ID: "etcd-quota", Group: OfEtcd, Title: "Quota", check: (*run).quota,
		Looks: "the size of the db, free pages counted, against the quota (2 GiB unless --quota says otherwise)", Why: "A store that reaches its quota raises NOSPACE with the first write, and refuses all later writes.",
		Do: "Raise --quota-backend-bytes of the etcd that will run it, and defragment it after it has started.", Source: "etcd server/v3 v3.7 storage/quota.go",
	},
	{
		ID: "etcd-room", Group: OfEtcd, Title: "Room for revisions", check: (*run).room,
		Looks: "the newest record of the backup", Why: "etcd counts revisions in 64 bits: a bump beyond that creates a store that accepts no writes.",
		Do: "Make sure that this is the right evidence: no cluster reaches that by normal writes.", Source: "etcd server/v3 v3.7 storage/mvcc/revision.go",
	},

	{
		ID: "prefixes", Group: OfAPIServer, Title: "Prefixes", check: (*run).prefixes,
		Looks: "below which prefixes API servers keep objects", Why: "These checks do not cover objects below a prefix that is not read.",
		Do: "Name the prefixes with --etcd-prefix.", Source: "apiserver v0.37 pkg/server/options/etcd.go --etcd-prefix",
	},
	{
		ID: "objects", Group: OfAPIServer, Title: "Objects", check: (*run).objects,
		Looks: "the type and the metadata of every stored object", Why: "One object that does not decode makes every list of its resource fail.",
		Do: "Look at the objects (revenant BACKUP), and delete them from the restored etcd before the API servers start, if they are lost.", Source: "apiserver v0.37 pkg/storage/etcd3/store.go GetList",
	},
	{
		ID: "encryption", Group: OfAPIServer, Title: "Encryption at rest", check: (*run).encryption,
		Looks: "the provider and key of every encrypted value, against the EncryptionConfiguration", Why: "The API server cannot read values without their key: it serves no such Secret, and components that list Secrets do not start.",
		Do: "Give the API servers the configuration of the time of the backup.", Source: "apiserver v0.37 pkg/server/options/encryptionconfig/config.go, pkg/storage/value/transformer.go",
	},
	{
		ID: "storage-versions", Group: OfAPIServer, Title: "Versions of built-in kinds", check: (*run).storageVersions,
		Looks: "the API version in which each built-in object is stored, against the minor version that will read it", Why: "An API server cannot read a version that is newer than itself, or that it no longer supports.",
		Do: "Start the API servers of the version that the backup was taken with, and upgrade after the restore.", Source: "k8s.io/api v0.37 zz_generated.prerelease-lifecycle.go; apiserver v0.37 pkg/server/deleted_kinds.go",
	},
	{
		ID: "crd-versions", Group: OfAPIServer, Title: "Versions of custom resources", check: (*run).crdVersions,
		Looks: "the version of each custom resource, against the definition in the backup", Why: "A custom resource in a version that its definition does not have cannot be read, and no list of it works.",
		Do: "Add the version to the definition again, unserved, until the objects are written in another.", Source: "apiextensions-apiserver v0.37 pkg/apiserver/conversion/converter.go",
	},

	{
		ID: "same-cluster", Group: OfCluster, Title: "Same cluster", check: (*run).sameCluster,
		Looks: "the records that both snapshots have, and the uid of the namespace kube-system", Why: "A backup of another cluster erases everything in this one.",
		Do: "Take a backup of this cluster. revenant predict says what the two have in common.", Source: "etcd server/v3 v3.7 storage/mvcc",
	},
	{
		ID: "order", Group: OfCluster, Title: "Order", check: (*run).order,
		Looks: "the newest revision of each", Why: "If the backup is newer than the current state, the two are swapped or the state is outdated.",
		Do: "Give the backup first, then the newest state.", Source: "etcd server/v3 v3.7 storage/mvcc",
	},

	{
		ID: "age", Group: OfAge, Title: "Age", check: (*run).age,
		Looks: "lease renewals and times in the backup, and the time of the check", Why: "Everything done since the backup is undone.",
		Do: "Take a newer backup, and find out why the last one is this old.", Source: "kubernetes v1.37 pkg/kubelet/nodelease",
	},
	{
		ID: "gap", Group: OfAge, Title: "Gap", Pair: true, check: (*run).gap,
		Looks: "the newest revisions of both", Why: "This many writes are undone, and this far kubelets are ahead of the restored store.",
		Do: "Take a newer backup.", Source: "etcd server/v3 v3.7 storage/mvcc",
	},
	{
		ID: "rate", Group: OfAge, Title: "Rate of writes", check: (*run).rate,
		Looks: "the times at which revisions of the backup were written", Why: "It determines how much a backup of a given age loses, and how long deaf kubelets stay deaf.",
		Do: "Take backups more often.", Source: "kubernetes v1.37 pkg/kubelet/nodelease",
	},

	{
		ID: "bump", Group: OfBump, Title: "Bump", check: (*run).bump,
		Looks: "what was served since the backup, according to the current state and the stated values", Why: "Kubelets stay deaf unless the bump exceeds every revision that they have seen: pods keep running unseen, and new pods never start.",
		Do: "Give the newest state as CURRENT, or --last-revision or --metrics.", Source: "etcdutl/v3 v3.7 snapshot/v3_snapshot.go; client-go v0.37 tools/cache/reflector.go",
	},
	{
		ID: "bump-carried", Group: OfBump, Title: "Platform's restore", Sound: true, check: (*run).bumpCarried,
		Looks: "what set the control plane up, and the version of etcd's tools", Why: "Several platforms restore with their own tool, which takes no bump.",
		Do: "Follow the runbook for the platform: revenant plan --platform NAME.", Source: "docs/runbook.md names the sources of each platform; etcd CHANGELOG-3.5",
	},

	{
		ID: "webhooks", Group: OfControlPlane, Title: "Admission webhooks", check: (*run).webhooks,
		Looks: "webhooks whose failurePolicy is Fail, their Services, endpoints and pods", Why: "While such a webhook does not answer, the API refuses the writes that it must admit, often all pods.",
		Do: "Delete the configuration after the API servers have started and before controllers do, and apply it again once its pods run.", Source: "apiserver v0.37 pkg/admission/plugin/webhook",
	},
	{
		ID: "conversion-webhooks", Group: OfControlPlane, Title: "Conversion webhooks", check: (*run).conversions,
		Looks: "definitions whose stored objects a webhook converts, and its Service, endpoints and pods", Why: "Without it, objects stored in another version than the requested one cannot be read.",
		Do: "Bring its server up before anything lists these objects.", Source: "apiextensions-apiserver v0.37 pkg/apiserver/conversion/webhook_converter.go",
	},
	{
		ID: "apiservices", Group: OfControlPlane, Title: "Aggregated APIs", check: (*run).apiServices,
		Looks: "APIServices that lead to a Service, its endpoints and pods", Why: "A group that cannot be discovered blocks the deletion of every namespace.",
		Do: "Bring its server up, or delete the APIService if it is not wanted.", Source: "kube-aggregator v0.37 pkg/apiserver/handler_proxy.go",
	},
	{
		ID: "admission-policies", Group: OfControlPlane, Title: "Admission policies", check: (*run).policies,
		Looks: "admission policies that fail closed, their bindings and their parameters", Why: "A policy whose parameters are missing refuses everything that it matches.",
		Do: "Delete the binding after the API servers have started, or create its parameters.", Source: "apiserver v0.37 pkg/admission/plugin/policy/generic/policy_dispatcher.go",
	},
	{
		ID: "ca-bundles", Group: OfControlPlane, Title: "Trust in webhooks", check: (*run).bundles,
		Looks: "the caBundle of webhooks, conversions and APIServices, at the time of the check", Why: "An API server does not call a server that it does not trust.",
		Do: "Write the present caBundle again before controllers start, or have cert-manager or the operator do so.", Source: "apiserver v0.37 pkg/util/webhook/client.go; RFC 5280 4.1.2.5",
	},
	{
		ID: "certificates", Group: OfControlPlane, Title: "Certificates in Secrets", check: (*run).certificates,
		Looks: "Secrets of type kubernetes.io/tls, at the time of the check, and what the current state has in their place", Why: "Clients refuse an expired certificate until it is reissued.",
		Do: "Write the present Secret again after the restore, or have its issuer renew it.", Source: "RFC 5280 4.1.2.5",
	},
	{
		ID: "tokens", Group: OfControlPlane, Title: "Tokens in Secrets", check: (*run).tokens,
		Looks: "token Secrets of ServiceAccounts and bootstrap tokens, at the time of the check", Why: "Clients with an expired token are refused, and no node joins with it.",
		Do: "Issue a new one after the restore: kubeadm token create, kubectl create token.", Source: "kubernetes v1.37 pkg/serviceaccount/legacy.go, plugin/pkg/auth/authenticator/token/bootstrap",
	},
	{
		ID: "master-leases", Group: OfControlPlane, Title: "Addresses of API servers", check: (*run).masterLeases,
		Looks: "the master leases of the backup, and the addresses in the current state", Why: "The address of a former control plane machine stays an endpoint of the Service kubernetes, and connections to it fail.",
		Do: "Delete the master lease after etcd has started: revenant plan has the command.", Source: "kubernetes v1.37 pkg/controlplane/reconcilers/lease.go",
	},
	{
		ID: "bootstrap-token", Group: OfControlPlane, Title: "Token of k3s or RKE2", check: (*run).bootstrapToken,
		Looks: "the key of the bootstrap data, which names the token's hash", Why: "A server with another token cannot decrypt its certificates, and does not start.",
		Do: "Have that token ready, and start the servers with it.", Source: "k3s pkg/cluster/storage.go",
	},
	{
		ID: "other-keys", Group: OfControlPlane, Title: "Keys of others", check: (*run).otherKeys,
		Looks: "the keys that hold no API object", Why: "Their owner is rolled back as well: a network plug-in may assign addresses twice.",
		Do: "Have the owner check or rebuild what it keeps before new pods start.", Source: "inferred: no owner was read",
	},

	{
		ID: "rules", Group: OfPrediction, Title: "Versions of the rules", Pair: true, check: (*run).rules,
		Looks: "the versions of API servers and kubelets", Why: "The behaviour of kubelets was observed or read for some versions of Kubernetes only.",
		Do: "Treat the prediction as an inference.", Source: "docs/design.md, Predicting",
	},
	{
		ID: "phantoms", Group: OfPrediction, Title: "Phantoms", Pair: true, check: (*run).phantoms,
		Looks: "every pod of both snapshots, under the plan", Why: "A phantom keeps running unseen by the API, and nothing stops it.",
		Do: "Follow the runbook: revenant plan BACKUP CURRENT.", Source: "docs/outcomes.md",
	},
	{
		ID: "ghosts", Group: OfPrediction, Title: "Ghosts", Pair: true, check: (*run).ghosts,
		Looks: "every pod of both snapshots, under the plan", Why: "The API shows a ghost as running, so nothing replaces it.",
		Do: "Follow the runbook: revenant plan BACKUP CURRENT.", Source: "docs/outcomes.md",
	},
	{
		ID: "doubles", Group: OfPrediction, Title: "Double runs", Pair: true, check: (*run).doubles,
		Looks: "pods of one name, and pods that are bound again", Why: "Two pods of the same name write to the same data.",
		Do: "Stop the pods that run now before their namesakes start: revenant plan has the step.", Source: "docs/outcomes.md",
	},
	{
		ID: "credentials", Group: OfPrediction, Title: "Revoked access", Pair: true, check: (*run).credentials,
		Looks: "token Secrets, roles and bindings that were deleted or changed since", Why: "Revoked access is granted again: a token that was revoked for a reason works again.",
		Do: "Delete them again before the API is open to clients: revenant predict lists them.", Source: "docs/rollback.md",
	},
	{
		ID: "undone", Group: OfPrediction, Title: "What else is undone", Pair: true, check: (*run).undone,
		Looks: "volumes, addresses, namespaces, Secrets, devices and custom resources of both", Why: "What a restore undoes conflicts with what happened outside of etcd.",
		Do: "revenant predict lists each of them and what to do.", Source: "docs/rollback.md",
	},
}
