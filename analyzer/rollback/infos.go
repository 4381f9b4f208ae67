package rollback

import "revenant/analyzer/finding"

// ID names a sort of finding. The values are stable names.
type ID string

// The findings. Infos describes them.
const (
	NamespaceLost        ID = "namespace-lost"
	NamespaceTerminating ID = "namespace-terminating"
	VolumeAttached       ID = "volume-attached-elsewhere"
	VolumeRebound        ID = "volume-bound-differently"
	VolumeResurrected    ID = "volume-resurrected"
	VolumeDeletedAgain   ID = "volume-deleted-again"
	ServiceConflict      ID = "service-address-conflict"
	EndpointReused       ID = "endpoint-reused"
	EndpointDead         ID = "endpoint-dead"
	SecretRolledBack     ID = "secret-rolled-back"
	WebhookUnbacked      ID = "webhook-unbacked"
	ConversionUnbacked   ID = "conversion-unbacked"
	EncryptionKey        ID = "encryption-key-unused"
	IPAM                 ID = "ipam-rolled-back"
	PodCIDR              ID = "pod-cidr-conflict"
	AccessRegranted      ID = "access-regranted"
	TokenRevived         ID = "token-revived"
	MasterFormer         ID = "former-api-server"
	DeviceConflict       ID = "device-allocated-elsewhere"
	DeviceFreed          ID = "device-free-again"

	ClaimLost           ID = "claim-lost"
	ClaimResurrected    ID = "claim-resurrected"
	VolumeLeaked        ID = "volume-leaked"
	VolumeDetached      ID = "volume-detached-since"
	NamespaceBack       ID = "namespace-resurrected"
	DeletionResumed     ID = "deletion-resumed"
	ServiceFreed        ID = "service-address-freed"
	ServiceRange        ID = "service-range-changed"
	LoadBalancerLeaked  ID = "load-balancer-leaked"
	EndpointMissing     ID = "endpoint-missing"
	SecretLost          ID = "secret-lost"
	CertificateExpired  ID = "certificate-expired"
	TokenLost           ID = "token-lost"
	TokenOfPhantoms     ID = "token-of-phantoms"
	AccountLost         ID = "service-account-lost"
	AccountReplaced     ID = "service-account-replaced"
	AccessLost          ID = "access-lost"
	WebhookLost         ID = "webhook-lost"
	WebhookCA           ID = "webhook-ca-rolled-back"
	APIServiceUnbacked  ID = "apiservice-unbacked"
	DefinitionLost      ID = "crd-lost"
	DefinitionBack      ID = "crd-resurrected"
	DefinitionVersion   ID = "crd-version-dropped"
	CustomResourcesBack ID = "custom-resources-rolled-back"
	KeysBack            ID = "other-keys-rolled-back"
	BootstrapToken      ID = "bootstrap-token-changed"
	StorageVersion      ID = "storage-version-changed"
	PodCIDRFreed        ID = "pod-cidr-freed"
	ResizeUndone        ID = "resize-undone"
	DeviceClaimed       ID = "device-claimed-again"
	PodCertificate      ID = "pod-certificate-of-phantoms"
	PodCertificateLost  ID = "pod-certificate-request-lost"
	PodCertificateAgain ID = "pod-certificate-requested-again"
	WatcherStale        ID = "watcher-stale"
	Unreadable          ID = "unreadable"
)

// Info describes an ID to people.
type Info struct {
	ID        ID                `json:"id"`
	Title     string            `json:"title"`
	Severity  finding.Severity  `json:"severity"`  // the usual one; a finding's own may be lower or higher
	Certainty finding.Certainty `json:"certainty"` // the usual one
	Explains  string            `json:"explains"`  // what the snapshots show
	Inferred  string            `json:"inferred"`  // what follows, and they cannot show; "" when nothing does
	Remedy    string            `json:"remedy"`
	Source    string            `json:"source"` // of Inferred
}

// Infos is the vocabulary of findings, worst first. Help, legends and
// documentation are printed from it.
var Infos = []Info{
	{
		VolumeAttached, "Volume attached elsewhere", finding.Critical, finding.Possible,
		"The volume is attached to a node on which the backup does not have it.",
		"The controller does not know that attachment, so the volume stays attached there. A pod on another node waits in ContainerCreating or, if the storage does not fence, writes to it as well.",
		"Stop the pod that uses it on that node, and detach the volume in the storage system before anything else mounts it.",
		"kubernetes v1.37 pkg/controller/volume/attachdetach/reconciler/reconciler.go",
	},
	{
		VolumeRebound, "Volume bound differently", finding.Critical, finding.Certain,
		"A claim and its volume are bound one way in the backup and another way now.",
		"Pods that start after the restore mount the volume that the backup names, not the one that they wrote to. A claim that was not bound yet gets a new, empty volume.",
		"Keep the pods that use the claim from starting until the claim and the volume are bound as they are now.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go",
	},
	{
		VolumeResurrected, "Volume resurrected", finding.Critical, finding.Possible,
		"The PersistentVolume was deleted after the backup and comes back.",
		"With the reclaim policy Delete its disk is gone: pods that mount it hang, and a Released one is deleted again.",
		"Check whether the disk exists. If it does, set the reclaim policy to Retain first; if not, delete the claim and the volume.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go reclaimVolume",
	},
	{
		VolumeDeletedAgain, "Volume to be deleted after all", finding.Critical, finding.Possible,
		"The reclaim policy of the volume was Delete when the backup was taken, and no longer is.",
		"A volume that is Released in the backup is deleted with its disk as soon as the controller starts, any other when its claim is deleted.",
		"Set the reclaim policy again before the controller manager starts, or keep the storage driver from deleting disks until then.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go reclaimVolume",
	},
	{
		DeviceConflict, "Device allocated elsewhere", finding.Critical, finding.Possible,
		"A ResourceClaim has a device now that another claim has in the backup.",
		"A pod of the backup's claim that is started prepares the device while the present pod uses it.",
		"Stop the pod that uses it now, or keep the pods of the backup's claim from starting, before kubelets list.",
		"kubernetes v1.37 pkg/kubelet/cm/dra/manager.go PrepareResources",
	},
	{
		DeviceFreed, "Device free again", finding.Critical, finding.Possible,
		"A device that was allocated to a ResourceClaim after the backup is free in the backup.",
		"The scheduler allocates it to another claim: both pods use it until the present one stops.",
		"Stop the pod that uses it before the scheduler starts, or taint the device (DeviceTaintRule) until the pod is gone.",
		"kubernetes v1.37 pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go",
	},
	{
		NamespaceLost, "Namespace lost", finding.Critical, finding.Certain,
		"The namespace was created after the backup. It is lost with everything in it.",
		"Its pods keep running on nodes whose kubelets do not relist.",
		"Export the objects you need from the current snapshot, and create them again after the restore.",
		"kubernetes v1.37 pkg/controller/namespace",
	},
	{
		NamespaceTerminating, "Namespace terminating in the backup", finding.Critical, finding.Certain,
		"The backup was taken while the namespace was being deleted.",
		"The deletion continues after the restore, and removes everything created under that name since.",
		"Finish or clear the namespace's deletion before anything is created in it.",
		"kubernetes v1.37 pkg/controller/namespace/deletion/namespaced_resources_deleter.go",
	},
	{
		ServiceConflict, "Service address with two owners", finding.Critical, finding.Certain,
		"An address or node port that a Service has now belongs to another Service in the backup.",
		"kube-proxies that do not relist keep sending its traffic to the present owner, all others to the former one.",
		"Restart kube-proxy (or what replaces it) on every node after the restore.",
		"kubernetes v1.37 pkg/proxy, pkg/registry/core/service/ipallocator",
	},
	{
		EndpointReused, "Endpoint address of another pod", finding.Critical, finding.Possible,
		"The backup's endpoints of a Service list an address that another pod has now.",
		"Until that kubelet relists, the Service's traffic goes to the wrong pod.",
		"Restore so that kubelets relist (bump), or delete the pods that the backup lists there.",
		"kubernetes v1.37 pkg/controller/endpointslice",
	},
	{
		EndpointDead, "Endpoint of a pod that is gone", finding.Critical, finding.Certain,
		"The backup's endpoints of a Service list pods that no longer run.",
		"The API shows these pods as ready until their kubelets relist, so they stay endpoints: part of the Service's traffic is lost.",
		"Restore so that kubelets relist (bump), or delete the pods that the backup lists there.",
		"kubernetes v1.37 pkg/controller/endpointslice",
	},
	{
		WebhookUnbacked, "Webhook without a server", finding.Critical, finding.Possible,
		"The backup has an admission webhook with failurePolicy Fail, and no pod of its Service still runs.",
		"The API server refuses every write that the webhook must admit, possibly including those that would start its server.",
		"Delete the webhook configuration right after the restore, and create it again once its server runs.",
		"apiserver v0.37 pkg/admission/plugin/webhook/errors",
	},
	{
		ConversionUnbacked, "Conversion webhook without a server", finding.Critical, finding.Possible,
		"A webhook converts custom resources between their versions, and nothing answers for its Service after the restore.",
		"Objects cannot be read or written in any version but the one in which each is stored: controllers that list another see nothing, the garbage collector waits, and namespaces that hold some are not deleted.",
		"Bring its server up first; it must not depend on the resources that it converts.",
		"apiextensions-apiserver v0.37 pkg/apiserver/conversion/webhook_converter.go Convert",
	},
	{
		EncryptionKey, "Encryption key no longer in use", finding.Critical, finding.Possible,
		"Values of the backup are encrypted with a key or provider that encrypts nothing in the current state.",
		"If it was removed from the EncryptionConfiguration, the API server cannot read these values, and listing the resource fails.",
		"Add the key to the EncryptionConfiguration of every API server again before the restore, as a provider for reading.",
		"apiserver v0.37 pkg/server/options/encryptionconfig/config.go, pkg/storage/value/transformer.go",
	},
	{
		IPAM, "Address management rolled back", finding.Critical, finding.Possible,
		"The network plug-in keeps in custom resources, or in its own keys in this etcd, which pod addresses are taken. These are rolled back.",
		"Addresses assigned after the backup count as free and are assigned again: two pods get the same address.",
		"Let the plug-in check its allocations (calicoctl ipam check, the operator's own tools) before new pods start.",
		"inferred: no plug-in was read",
	},
	{
		BootstrapToken, "Bootstrap data of another token", finding.Critical, finding.Certain,
		"k3s or RKE2 keeps the certificates and keys of its servers here, encrypted with the servers' token. That token was a different one when the backup was taken.",
		"A server with the present token does not start on the restored etcd: its bootstrap data are encrypted with a different token.",
		"Start the servers with the token of the backup, and rotate it again once they run.",
		"k3s pkg/cluster/storage.go getBootstrapKeyFromStorage",
	},
	{
		PodCIDR, "Pod range of another node", finding.Critical, finding.Possible,
		"A node has a different pod range now than in the backup, or one that belongs to another node there.",
		"Two nodes can assign the same pod addresses, and routes lead to the wrong node.",
		"Delete the Node objects that are wrong and restart these kubelets, so that they register and get a new range.",
		"kubernetes v1.37 pkg/controller/nodeipam/ipam/range_allocator.go",
	},
	{
		AccessRegranted, "Permission granted again", finding.Critical, finding.Certain,
		"A role or binding that was removed or narrowed after the backup is in force again.",
		"",
		"Check whether it was revoked on purpose. If so, delete it again right after the restore.",
		"",
	},
	{
		TokenRevived, "Token valid again", finding.Critical, finding.Certain,
		"A token Secret that was deleted after the backup is back, and its token has not expired by the clock of the current snapshot.",
		"Whoever holds the token can use it again.",
		"Delete the Secret again right after the restore.",
		"kubernetes v1.37 pkg/serviceaccount/legacy.go Validate, plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go",
	},
	{
		MasterFormer, "Address of a former API server", finding.Critical, finding.Certain,
		"The backup lists an API server at an address that no control plane machine has now.",
		"Every 10 seconds, every API server adds the address to the endpoints of the Service default/kubernetes again. Connections to it fail.",
		"Delete the master lease after etcd has started: etcdctl del with the key of the evidence. API servers correct the endpoints within 10 seconds.",
		"kubernetes v1.37 pkg/controlplane/reconcilers/lease.go doReconcile; etcd server/v3 v3.7 lease/lessor.go Promote, storage/mvcc/kvstore.go restore",
	},
	{
		DefinitionVersion, "Custom resources in a dropped version", finding.Critical, finding.Possible,
		"The backup stores objects in a version that their CustomResourceDefinition no longer lists.",
		"The definition is rolled back as well, but controllers and conversion webhooks that know only later versions cannot read them.",
		"Restore with the controllers of that time, or apply the present definition only after the objects were migrated.",
		"apiextensions-apiserver v0.37 pkg/apiserver/conversion",
	},
	{
		SecretRolledBack, "Secret rolled back", finding.Warning, finding.Possible,
		"The Secret's data changed after the backup. The restore rolls it back.",
		"Systems outside of the cluster that check the credential, or have only the new one, refuse the old one.",
		"Write the present data again after the restore, before the pods that use it restart.",
		"kubernetes v1.37 pkg/kubelet/util/manager, pkg/volume/secret",
	},
	{
		ClaimLost, "Claim lost", finding.Warning, finding.Certain,
		"The PersistentVolumeClaim was created after the backup, and is bound to a volume.",
		"Its data is not deleted, but nothing refers to it. A new claim of the same name gets another, empty volume.",
		"Create the volume (reclaim policy Retain) and the claim again from the current snapshot, bound by volumeName.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go",
	},
	{
		ClaimResurrected, "Claim resurrected", finding.Warning, finding.Possible,
		"The PersistentVolumeClaim was deleted after the backup and comes back.",
		"Its data is gone unless the volume was retained: pods that mount it hang.",
		"Delete it again if it is not wanted.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go",
	},
	{
		VolumeLeaked, "Volume orphaned", finding.Warning, finding.Certain,
		"The PersistentVolume was created after the backup.",
		"Its disk still exists, costs money and holds data, but nothing in the cluster refers to it: it is never deleted.",
		"Create the volume again from the current snapshot, or delete the disk in the storage system.",
		"kubernetes v1.37 pkg/controller/volume/persistentvolume/pv_controller.go",
	},
	{
		VolumeDetached, "Volume detached since", finding.Warning, finding.Possible,
		"The backup has the volume attached to a node from which it was detached.",
		"The controller considers it attached there, so a pod on that node can fail to mount it.",
		"Delete the VolumeAttachment if the storage system does not show the volume on that node.",
		"kubernetes v1.37 pkg/controller/volume/attachdetach",
	},
	{
		NamespaceBack, "Namespace resurrected", finding.Warning, finding.Certain,
		"The namespace was deleted after the backup and comes back with its content.",
		"Its controllers start its workloads again.",
		"Delete it again if it is not wanted, before its workloads start.",
		"kubernetes v1.37 pkg/controller/namespace",
	},
	{
		DeletionResumed, "Deletion resumed", finding.Warning, finding.Certain,
		"The backup was taken while the object was being deleted.",
		"The owners of its finalizers do their work outside of the cluster again, or for the first time on something that was recreated since.",
		"Check what each finalizer's owner deletes before its controller starts.",
		"kubernetes v1.37 pkg/controller/garbagecollector",
	},
	{
		ServiceFreed, "Service address free again", finding.Warning, finding.Possible,
		"Addresses or node ports that a Service has now belong to none in the backup.",
		"They can be given to another Service, while kube-proxies that do not relist still send them to the pods of the present one.",
		"Create the Service again with the same addresses, or restart kube-proxy on every node.",
		"kubernetes v1.37 pkg/registry/core/service/ipallocator, portallocator",
	},
	{
		ServiceRange, "Service range changed", finding.Warning, finding.Possible,
		"The range of Service addresses or node ports is different in the backup.",
		"API servers whose flags name the present range refuse or repair what the backup's allocator holds.",
		"Start the API servers with the range that the backup has.",
		"kubernetes v1.37 pkg/registry/core/service/ipallocator/controller/repair.go",
	},
	{
		LoadBalancerLeaked, "Load balancer orphaned", finding.Warning, finding.Possible,
		"The Service of type LoadBalancer was created after the backup.",
		"Its load balancer exists outside of the cluster, and nothing deletes it.",
		"Create the Service again, or delete the load balancer at the provider.",
		"cloud-provider v0.37 controllers/service/controller.go",
	},
	{
		EndpointMissing, "Endpoint missing", finding.Warning, finding.Certain,
		"Pods that serve a Service now are not among its endpoints in the backup.",
		"They get no traffic: the API does not know them, or not this address of theirs.",
		"Nothing, once the phantoms are gone and their replacements run.",
		"kubernetes v1.37 pkg/controller/endpointslice",
	},
	{
		SecretLost, "Secret lost that pods need", finding.Warning, finding.Certain,
		"The Secret was created after the backup, and pods that stay refer to it.",
		"Their containers keep running. Once restarted or moved, they wait in CreateContainerConfigError or ContainerCreating.",
		"Create it again from the current snapshot.",
		"kubernetes v1.37 pkg/kubelet/kubelet_pods.go makeEnvironmentVariables",
	},
	{
		CertificateExpired, "Certificate expired", finding.Warning, finding.Certain,
		"The certificate that comes back had already expired when the current snapshot was taken.",
		"Clients refuse it until it is reissued.",
		"Write the present Secret again after the restore, or have its issuer renew it at once.",
		"RFC 5280 4.1.2.5",
	},
	{
		TokenLost, "Token Secret lost", finding.Warning, finding.Certain,
		"The token Secret of a ServiceAccount was created after the backup.",
		"The API server refuses its token: clients outside of the cluster that use it are locked out.",
		"Issue a new token after the restore, and give it to whoever used the old one.",
		"kubernetes v1.37 pkg/serviceaccount/legacy.go Validate",
	},
	{
		TokenOfPhantoms, "Pods lose access to the API", finding.Warning, finding.Certain,
		"Pods that the backup does not have hold tokens bound to themselves.",
		"The API server refuses these tokens at once (401): controllers among the pods fail, pods that only serve traffic keep working.",
		"Nothing for the tokens: stop the phantoms.",
		"kubernetes v1.37 pkg/serviceaccount/claims.go validatePrivateClaims",
	},
	{
		AccountLost, "ServiceAccount lost", finding.Warning, finding.Certain,
		"The ServiceAccount was created after the backup.",
		"Its tokens are refused, and pods that name it are not created.",
		"Create it again, with its roles.",
		"kubernetes v1.37 pkg/serviceaccount/claims.go, plugin/pkg/admission/serviceaccount",
	},
	{
		AccountReplaced, "ServiceAccount with another uid", finding.Warning, finding.Certain,
		"The ServiceAccount was deleted and recreated after the backup.",
		"Tokens issued since are refused (401) until their pods get new ones.",
		"Restart the pods that use it, and issue new tokens to users outside of the cluster.",
		"kubernetes v1.37 pkg/serviceaccount/claims.go validatePrivateClaims",
	},
	{
		AccessLost, "Permission lost", finding.Warning, finding.Certain,
		"A role or binding was created after the backup.",
		"Clients that rely on it are refused (403).",
		"Create it again from the current snapshot.",
		"kubernetes v1.37 plugin/pkg/auth/authorizer/rbac/rbac.go",
	},
	{
		WebhookLost, "Webhook lost", finding.Warning, finding.Certain,
		"The admission webhook was configured after the backup.",
		"Requests that it checks or changes pass without it until it is created again.",
		"Create it again before workloads start.",
		"apiserver v0.37 pkg/admission/plugin/webhook",
	},
	{
		WebhookCA, "Webhook trusts another certificate", finding.Warning, finding.Possible,
		"The webhook's caBundle changed after the backup. The restore rolls it back.",
		"A server that keeps using its present certificate is not trusted, and calls to it fail.",
		"Restart the webhook's server so that it loads the Secret of the backup, or write the present caBundle.",
		"apiserver v0.37 pkg/util/webhook/client.go",
	},
	{
		APIServiceUnbacked, "Aggregated API without a server", finding.Warning, finding.Possible,
		"An APIService refers to a Service for which nothing answers after the restore.",
		"Its group cannot be discovered until something answers: no namespace is deleted meanwhile (NamespaceDeletionDiscoveryFailure), and requests for its objects get 503.",
		"Bring its server up, or delete the APIService if it is not wanted.",
		"kube-aggregator v0.37 pkg/apiserver/handler_proxy.go; kubernetes v1.37 pkg/controller/namespace/deletion/namespaced_resources_deleter.go deleteAllContent",
	},
	{
		DefinitionLost, "CustomResourceDefinition lost", finding.Warning, finding.Certain,
		"The CustomResourceDefinition was created after the backup. It is lost, together with its objects.",
		"Controllers that are still running keep acting on the lost objects, or fail to list them.",
		"Create the definition again, then its objects, from the current snapshot.",
		"apiextensions-apiserver v0.37 pkg/apiserver/customresource_handler.go",
	},
	{
		DefinitionBack, "CustomResourceDefinition resurrected", finding.Warning, finding.Certain,
		"The CustomResourceDefinition was deleted after the backup and comes back with its objects.",
		"Without its controller nothing acts on them, and those with finalizers cannot be deleted.",
		"Delete it again if its controller is gone.",
		"apiextensions-apiserver v0.37 pkg/controller/finalizer/crd_finalizer.go",
	},
	{
		CustomResourcesBack, "Operator's resources rolled back", finding.Warning, finding.Possible,
		"Custom resources of this group are lost, resurrected or rolled back.",
		"What their operator created outside of the cluster is not rolled back, so the operator repeats or undoes work.",
		"Keep the operator from starting until you have compared the resources with what they stand for.",
		"inferred: no operator was read",
	},
	{
		KeysBack, "Keys of others rolled back", finding.Warning, finding.Certain,
		"Keys that hold no API object are lost, resurrected or rolled back. They do not belong to the API servers: something else stores them in the same etcd.",
		"What their owner has done since is not rolled back, so it repeats or undoes work, or acts on stale data.",
		"Compare the keys one by one (the screen Diff lists them by owner), and have the owner check or rebuild its data before new pods start.",
		"inferred: no owner was read",
	},
	{
		StorageVersion, "Stored in another version", finding.Warning, finding.Possible,
		"The newest objects in the backup are stored in a different version from the newest ones now.",
		"The cluster was upgraded in between. An API server that does not know the version cannot read them.",
		"Restore with API servers of the version that the backup was taken with.",
		"apiserver v0.37 pkg/server/storage/storage_factory.go",
	},
	{
		PodCIDRFreed, "Pod range free again", finding.Warning, finding.Possible,
		"The node was added after the backup, and its pod range belongs to none there.",
		"The range can be given to another node while pods of this one still use its addresses.",
		"Restart the kubelets of such nodes before others join, so that they register again.",
		"kubernetes v1.37 pkg/controller/nodeipam/ipam/range_allocator.go",
	},
	{
		ResizeUndone, "Resize in place undone", finding.Warning, finding.Certain,
		"The resources of a running pod were changed in place after the backup.",
		"The API shows the former resources, and the scheduler counts with them. A kubelet that does not relist keeps the present ones; one that relists applies the former ones, and restarts containers whose resize policy says so.",
		"Resize it again after the restore: kubectl patch pod --subresource=resize.",
		"kubernetes v1.37 pkg/kubelet/allocation, and seen with kubelets of that version",
	},
	{
		DeviceClaimed, "Device claimed again", finding.Warning, finding.Possible,
		"A ResourceClaim has a device in the backup that it no longer has.",
		"The device is not allocated again until the claim is deallocated, which waits for its pods: those that the backup shows as alive keep it, whether they run or not.",
		"Delete the pods and the claim if they are not wanted.",
		"kubernetes v1.37 pkg/controller/resourceclaim/controller.go syncClaim",
	},
	{
		PodCertificate, "Certificates of phantoms", finding.Warning, finding.Possible,
		"Pods that the backup does not have hold certificates that were issued to them.",
		"They stay valid until they expire and cannot be renewed: the API server refuses requests for a pod that it does not have. Whoever trusts the signer still trusts them.",
		"Nothing for the certificates: stop the phantoms.",
		"kubernetes v1.37 plugin/pkg/admission/noderestriction/admission.go, pkg/kubelet/podcertificate/podcertificatemanager.go",
	},
	{
		PodCertificateLost, "Certificate request lost", finding.Warning, finding.Possible,
		"A PodCertificateRequest that waits for its signer was created after the backup, for a pod that stays.",
		"Its kubelet waits 10 minutes for it before it makes another; a pod that has no certificate yet does not start meanwhile.",
		"Restart the kubelet of its node, or delete the pod, if that is too long.",
		"kubernetes v1.37 pkg/kubelet/podcertificate/podcertificatemanager.go handleProjection",
	},
	{
		PodCertificateAgain, "Certificate requested again", finding.Warning, finding.Possible,
		"A PodCertificateRequest that is unanswered in the backup was answered or deleted since.",
		"Its signer issues another certificate for it, which nobody uses.",
		"Delete it before the signer starts if every issuance counts.",
		"kubernetes v1.37 pkg/controller/certificates/cleaner/pcrcleaner.go",
	},
	{
		WatcherStale, "Watcher that the restore does not restart", finding.Warning, finding.Possible,
		"Software that watches the API servers runs now and after the restore. If the restored store starts below what it has seen, because there is no bump or the bump is too small, its watch resumes and delivers nothing, like that of a deaf kubelet.",
		"It acts on erased state until it is restarted or meets an HTTP error.",
		"Nothing if the bump is large enough: its watch is refused as compacted, and it relists. Otherwise restart it once the API and the kubelets are back.",
		"client-go v0.37 tools/cache/reflector.go; apiserver v0.37 pkg/storage/cacher/cache_watcher.go",
	},
	{
		Unreadable, "Not compared", finding.Warning, finding.Certain,
		"Values that differ, or that hold references between objects, could not be read.",
		"",
		"Compare them by hand: their content is not known.",
		"",
	},
}

// infos are Infos by id.
var infos = func() map[ID]Info {
	m := make(map[ID]Info, len(Infos))
	for _, info := range Infos {
		m[info.ID] = info
	}
	return m
}()
