package export

import (
	"reflect"
	"time"

	"revenant/export/parquet"
)

// SchemaVersion is that of all tables. Within one, tables and columns are only added.
const SchemaVersion = 1

// Table is one of the tables.
type Table struct {
	Name    string
	Doc     string
	Columns []parquet.Column
}

// List is every table, in the order in which the files of a snapshot are begun: they
// appear in the opposite one, the row of the snapshot last.
var List = []Table{
	{"snapshots", "A row for each snapshot, damaged ones and files that are no snapshot included.", columns[Snapshot]()},
	{"objects", "The API objects in the newest state.", columns[Object]()},
	{"revisions", "The retained revisions: every put and every deletion of a key.", columns[Revision]()},
	{"nodes", "The Node objects in the newest state.", columns[Node]()},
	{"pods", "The pods in the newest state.", columns[Pod]()},
	{"containers", "Their containers.", columns[Container]()},
	{"images", "The images that pods use that are bound to a node and have not ended.", columns[Image]()},
	{"predictions", "What becomes of each pod if the snapshot is restored, plainly, when CURRENT is the state of the cluster.", columns[Prediction]()},
	{"checks", "The checks of `revenant preflight`, made for the moment at which the snapshot was taken.", columns[Check]()},
}

func columns[Row any]() []parquet.Column { return parquet.Columns(reflect.TypeFor[Row]()) }

// Snapshot is a row of the table snapshots.
type Snapshot struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:"uid of the namespace kube-system"`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:"SHA-256 of the file; of a directory or of one file in an archive, that of the list of their hashes and names"`
	Path           string `json:"path" doc:"as it was given"`
	Container      string `json:"container" doc:"what the db was found in: file, gzip, zstd, tar, zip, directory"`
	SizeBytes      int64  `json:"size_bytes" doc:"of the file that was handed over"`
	DBSizeBytes    *int64 `json:"db_size_bytes,omitzero" doc:"of the db as etcd counts it against its quota, free pages included"`
	Integrity      string `json:"integrity" doc:"whole, unverified, damaged, wreck, or unread for a file that cannot be opened as a snapshot"`
	Checks         string `json:"checks_grade,omitzero" doc:"the worst verdict of the checks: pass, warn, unknown or fail; null where nothing could be checked"`

	Revision        *int64    `json:"revision,omitzero" doc:"the newest"`
	CompactRevision *int64    `json:"compact_revision,omitzero" doc:"0 if the store was never compacted; null where what would show it is lost"`
	Records         *int64    `json:"records,omitzero" doc:"puts and deletions that are retained"`
	LiveKeys        *int64    `json:"live_keys,omitzero" doc:"keys in the newest state"`
	OtherKeys       *int64    `json:"other_keys,omitzero" doc:"those of them that hold no API object"`
	Rate            *float64  `json:"revisions_per_second,omitzero" doc:"mean rate of writes"`
	TakenFrom       time.Time `json:"taken_from,omitzero" doc:"when the snapshot was taken, at the earliest"`
	TakenTo         time.Time `json:"taken_to,omitzero" doc:"and at the latest"`

	EtcdVersion       string   `json:"etcd_version,omitzero" doc:"the cluster's, or that of the storage"`
	KubernetesVersion string   `json:"kubernetes_version,omitzero" doc:"of the API servers, as far as the snapshot shows"`
	Members           []string `json:"members" doc:"names of etcd's members"`
	Alarms            []string `json:"alarms" doc:"alarms that are stored: NOSPACE, CORRUPT"`
	BumpMarkers       []int64  `json:"bump_markers" doc:"revisions at which an earlier restore with a bump left its mark"`
	Prefixes          []string `json:"etcd_prefixes" doc:"below which objects were read"`
	OtherPrefixes     []string `json:"other_prefixes" doc:"of API servers whose objects were not read"`

	Encryption    []Encryption `json:"encryption" doc:"what encrypted the live values"`
	UnreadObjects *int64       `json:"unread_objects,omitzero" doc:"rows of objects with a problem"`
	Missing       []Missing    `json:"missing" doc:"what is known to be missing from the evidence"`
	Problems      []Problem    `json:"problems" doc:"everything found wrong"`

	CurrentSHA256     string `json:"current_sha256,omitzero" doc:"the snapshot that the predictions took for the current state; null without one"`
	PredictionRefused string `json:"prediction_refused,omitzero" doc:"why there is no prediction although a current state was given"`

	SchemaVersion int64  `json:"schema_version" doc:"of all tables"`
	ToolVersion   string `json:"tool_version" doc:"of revenant"`
}

// Encryption is a provider and key.
type Encryption struct {
	Resource  string `json:"resource" doc:"plural, with its group where it has one of its own"`
	Provider  string `json:"provider" doc:"aescbc, aesgcm, secretbox, kms or identity"`
	Key       string `json:"key_name" doc:"name of the key, or of the KMS plugin"`
	Values    int64  `json:"value_count" doc:"that it encrypted"`
	Decrypted int64  `json:"decrypted_count" doc:"of them"`
}

// Missing is something that is known to be missing.
type Missing struct {
	Kind string `json:"kind" doc:"log-entries, log-end, content, bytes and others, as in JSON"`
	What string `json:"what" doc:"in words"`
}

// Problem is something found wrong.
type Problem struct {
	Severity string `json:"severity" doc:"damage or note"`
	Location string `json:"location" doc:"such as page 12 or trailer"`
	What     string `json:"what" doc:"in words"`
	Cost     string `json:"cost,omitzero" doc:"what is lost by it"`
}

// Object is a row of the table objects.
type Object struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:"as in snapshots, as in every table"`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:"as in snapshots, as in every table"`

	Key        string `json:"object_key" doc:"etcd's key"`
	Resource   string `json:"resource" doc:"plural, with its group where the key has it"`
	APIVersion string `json:"api_version,omitzero" doc:"in which it is stored"`
	Kind       string `json:"kind,omitzero" doc:"null where the value cannot be read"`
	Namespace  string `json:"namespace,omitzero" doc:"null of what has none"`
	Name       string `json:"name" doc:"metadata.name"`
	UID        string `json:"uid,omitzero" doc:"metadata.uid"`

	CreateRevision int64     `json:"create_revision" doc:"of its key"`
	ModRevision    int64     `json:"mod_revision" doc:"of its last write: its resourceVersion"`
	Version        int64     `json:"version" doc:"how often it was written"`
	SizeBytes      int64     `json:"size_bytes" doc:"of the stored record, with its key"`
	WrittenFrom    time.Time `json:"written_from,omitzero" doc:"when mod_revision was written, at the earliest"`
	WrittenTo      time.Time `json:"written_to,omitzero" doc:"and at the latest"`

	CreatedAt time.Time         `json:"created_at,omitzero" doc:"metadata.creationTimestamp"`
	DeletedAt time.Time         `json:"deletion_timestamp,omitzero" doc:"metadata.deletionTimestamp, while it is being deleted"`
	OwnerKind string            `json:"owner_kind,omitzero" doc:"of its controller"`
	OwnerName string            `json:"owner_name,omitzero" doc:"of its controller"`
	OwnerUID  string            `json:"owner_uid,omitzero" doc:"of its controller"`
	Labels    map[string]string `json:"labels" doc:"metadata.labels"`

	Encoding string `json:"encoding" doc:"of the value as it is read: protobuf, JSON, CBOR, encrypted, unknown"`
	Problem  string `json:"problem,omitzero" doc:"why the value cannot be read: what stands in it is not known"`
}

// Revision is a row of the table revisions.
type Revision struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:""`

	Revision       int64     `json:"revision" doc:"main revision: the transaction"`
	Sub            int64     `json:"sub_revision" doc:"the change within it"`
	Operation      string    `json:"operation" doc:"put, or delete"`
	Key            string    `json:"object_key" doc:"etcd's key; empty of the mark that a bump leaves"`
	Resource       string    `json:"resource,omitzero" doc:"null of a key that holds no API object"`
	Namespace      string    `json:"namespace,omitzero" doc:"of the object"`
	Name           string    `json:"name,omitzero" doc:"of the object"`
	CreateRevision int64     `json:"create_revision" doc:"of the key's present life; 0 of a deletion"`
	Version        int64     `json:"version" doc:"counts the puts of that life; 0 of a deletion"`
	SizeBytes      int64     `json:"size_bytes" doc:"of the stored record, with its key"`
	WrittenFrom    time.Time `json:"written_from,omitzero" doc:"when it was written, at the earliest"`
	WrittenTo      time.Time `json:"written_to,omitzero" doc:"and at the latest"`
}

// Node is a row of the table nodes.
type Node struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:""`

	Name              string    `json:"name" doc:"of the node"`
	UID               string    `json:"uid,omitzero" doc:"metadata.uid"`
	CreatedAt         time.Time `json:"created_at,omitzero" doc:"metadata.creationTimestamp"`
	KubeletVersion    string    `json:"kubelet_version,omitzero" doc:"status.nodeInfo.kubeletVersion"`
	RuntimeVersion    string    `json:"container_runtime_version,omitzero" doc:"status.nodeInfo.containerRuntimeVersion"`
	OSImage           string    `json:"os_image,omitzero" doc:"status.nodeInfo.osImage"`
	KernelVersion     string    `json:"kernel_version,omitzero" doc:"status.nodeInfo.kernelVersion"`
	Architecture      string    `json:"architecture,omitzero" doc:"status.nodeInfo.architecture"`
	ProviderID        string    `json:"provider_id,omitzero" doc:"spec.providerID"`
	Unschedulable     *bool     `json:"unschedulable,omitzero" doc:"spec.unschedulable: it is cordoned"`
	Ready             string    `json:"ready,omitzero" doc:"status of the condition Ready: True, False or Unknown"`
	AllocatableCPU    *int64    `json:"allocatable_cpu_millis,omitzero" doc:"status.allocatable, thousandths of a core"`
	AllocatableMemory *int64    `json:"allocatable_memory_bytes,omitzero" doc:"status.allocatable"`
	AllocatablePods   *int64    `json:"allocatable_pods,omitzero" doc:"status.allocatable"`
	Problem           string    `json:"problem,omitzero" doc:"why the value cannot be read"`
}

// Pod is a row of the table pods.
type Pod struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:""`

	Namespace  string    `json:"namespace" doc:"of the pod"`
	Name       string    `json:"name" doc:"of the pod"`
	UID        string    `json:"uid,omitzero" doc:"metadata.uid"`
	NodeName   string    `json:"node_name,omitzero" doc:"spec.nodeName; null while it is not bound"`
	Phase      string    `json:"phase,omitzero" doc:"status.phase"`
	Reason     string    `json:"reason,omitzero" doc:"status.reason, such as Evicted"`
	Ready      *bool     `json:"ready,omitzero" doc:"status of the condition Ready is True"`
	Restarts   *int64    `json:"restarts,omitzero" doc:"of all its containers"`
	CreatedAt  time.Time `json:"created_at,omitzero" doc:"metadata.creationTimestamp"`
	StartedAt  time.Time `json:"started_at,omitzero" doc:"status.startTime"`
	DeletedAt  time.Time `json:"deletion_timestamp,omitzero" doc:"metadata.deletionTimestamp, while it is terminating"`
	OwnerKind  string    `json:"owner_kind,omitzero" doc:"of its controller"`
	OwnerName  string    `json:"owner_name,omitzero" doc:"of its controller"`
	OwnerUID   string    `json:"owner_uid,omitzero" doc:"of its controller"`
	Account    string    `json:"service_account,omitzero" doc:"spec.serviceAccountName"`
	Mirror     *bool     `json:"mirror,omitzero" doc:"it is the mirror of a static pod"`
	HostNet    *bool     `json:"host_network,omitzero" doc:"spec.hostNetwork"`
	RequestCPU *int64    `json:"requests_cpu_millis,omitzero" doc:"what the scheduler reserves, thousandths of a core"`
	RequestMem *int64    `json:"requests_memory_bytes,omitzero" doc:"what the scheduler reserves"`
	Problem    string    `json:"problem,omitzero" doc:"why the value cannot be read"`
}

// Container is a row of the table containers.
type Container struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:""`

	Namespace string `json:"namespace" doc:"of the pod"`
	PodName   string `json:"pod_name" doc:"of the pod"`
	PodUID    string `json:"pod_uid,omitzero" doc:"of the pod"`
	NodeName  string `json:"node_name,omitzero" doc:"of the pod"`
	Name      string `json:"name" doc:"of the container"`
	Type      string `json:"type" doc:"container, init or ephemeral"`
	Image     string `json:"image,omitzero" doc:"as the pod names it"`
	ImageID   string `json:"image_id,omitzero" doc:"what its runtime took for that, often with a digest; null before it has started"`
	State     string `json:"state,omitzero" doc:"waiting, running or terminated, with its reason, such as waiting:CrashLoopBackOff"`
	Ready     *bool  `json:"ready,omitzero" doc:"as its kubelet reported it"`
	Restarts  *int64 `json:"restarts,omitzero" doc:"as its kubelet reported them"`
}

// Image is a row of the table images.
type Image struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:""`

	Image      string `json:"image" doc:"as pods name it"`
	ImageID    string `json:"image_id,omitzero" doc:"as in containers"`
	Namespace  string `json:"namespace" doc:"of the pods"`
	Containers int64  `json:"containers" doc:"that use it. Very many images can have several rows of one, whose numbers add up"`
}

// Prediction is a row of the table predictions.
type Prediction struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:"of the backup"`
	CurrentSHA256  string `json:"current_sha256" doc:"of the snapshot that was taken for the current state"`

	Namespace string   `json:"namespace" doc:"of the pod"`
	Name      string   `json:"name" doc:"of the pod"`
	UID       string   `json:"uid,omitzero" doc:"of the pod"`
	NodeName  string   `json:"node_name,omitzero" doc:"where it is bound in the current state, or in the backup where it is only in that"`
	Outcome   string   `json:"outcome" doc:"one of [outcomes.md](outcomes.md), such as phantom"`
	Severity  string   `json:"severity" doc:"critical, warning or ok"`
	Certainty string   `json:"certainty" doc:"certain, possible or unlikely"`
	Rule      string   `json:"rule" doc:"that gave the outcome"`
	Heals     string   `json:"heals" doc:"what ends it: never, relist, statusChange or self"`
	Flags     []string `json:"flags" doc:"such as double-run"`
	Reason    string   `json:"reason" doc:"in words"`
}

// Check is a row of the table checks.
type Check struct {
	ClusterUID     string `json:"cluster_uid,omitzero" doc:""`
	SnapshotSHA256 string `json:"snapshot_sha256" doc:""`

	Check   string `json:"check_id" doc:"id, as in [preflight.md](preflight.md); age is not among them: taken_from tells it"`
	Group   string `json:"check_group" doc:"what its group asks"`
	Verdict string `json:"verdict" doc:"pass, warn, unknown or fail"`
	Reason  string `json:"reason" doc:"what was found, or why that is not known"`
	Action  string `json:"action,omitzero" doc:"what to do"`
}
