package resources

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1beta1 "k8s.io/api/coordination/v1beta1"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	migrationv1 "k8s.io/api/storagemigration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/duration"
	registrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"revenant/analyzer/clock"
)

var workloads = map[string]printer{
	"deployments": printerOf("Name  Ready  Up-to-date  Available  Age  +Containers  +Images  +Selector", func(o *appsv1.Deployment) []any {
		names, images := containers(o.Spec.Template.Spec.Containers)
		selector := invalid
		if s, err := metav1.LabelSelectorAsSelector(o.Spec.Selector); err == nil {
			selector = s.String()
		}
		return []any{
			o.Name, ratio{int64(o.Status.ReadyReplicas), int64(given(o.Spec.Replicas, 0))}, o.Status.UpdatedReplicas,
			o.Status.AvailableReplicas, o.CreationTimestamp, names, images, selector,
		}
	}),
	"replicasets": printerOf("Name  Desired  Current  Ready  Age  +Containers  +Images  +Selector", func(o *appsv1.ReplicaSet) []any {
		names, images := containers(o.Spec.Template.Spec.Containers)
		return []any{
			o.Name, given(o.Spec.Replicas, 0), o.Status.Replicas, o.Status.ReadyReplicas, o.CreationTimestamp,
			names, images, metav1.FormatLabelSelector(o.Spec.Selector),
		}
	}),
	"statefulsets": printerOf("Name  Ready  Age  +Containers  +Images", func(o *appsv1.StatefulSet) []any {
		names, images := containers(o.Spec.Template.Spec.Containers)
		ready := ratio{int64(o.Status.ReadyReplicas), int64(given(o.Spec.Replicas, 0))}
		return []any{o.Name, ready, o.CreationTimestamp, names, images}
	}),
	"daemonsets": printerOf("Name  Desired  Current  Ready  Up-to-date  Available  Node Selector  Age  +Containers  +Images  +Selector", func(o *appsv1.DaemonSet) []any {
		names, images := containers(o.Spec.Template.Spec.Containers)
		s := &o.Status
		return []any{
			o.Name, s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.NumberReady, s.UpdatedNumberScheduled, s.NumberAvailable,
			labels.FormatLabels(o.Spec.Template.Spec.NodeSelector), o.CreationTimestamp,
			names, images, metav1.FormatLabelSelector(o.Spec.Selector),
		}
	}),
	"controllerrevisions": printerOf("Name  Controller  Revision  Age", func(o *appsv1.ControllerRevision) []any {
		controller := none
		if ref := metav1.GetControllerOf(o); ref != nil {
			kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
			controller = strings.ToLower(kind.String()) + "/" + ref.Name
		}
		return []any{o.Name, controller, o.Revision, o.CreationTimestamp}
	}),
	"jobs": timed("Name  Status  Completions  Duration  Age  +Containers  +Images  +Selector", jobValues),
	"cronjobs": printerOf("Name  Schedule  Timezone  Suspend  Active  Last Schedule  Age  +Containers  +Images  +Selector", func(o *batchv1.CronJob) []any {
		suspend := unset
		if s := o.Spec.Suspend; s != nil {
			suspend = strings.ToTitle(strconv.FormatBool(*s)[:1]) + strconv.FormatBool(*s)[1:]
		}
		names, images := containers(o.Spec.JobTemplate.Spec.Template.Spec.Containers)
		return []any{
			o.Name, o.Spec.Schedule, given(o.Spec.TimeZone, none), suspend, len(o.Status.Active), o.Status.LastScheduleTime, o.CreationTimestamp,
			names, images, metav1.FormatLabelSelector(o.Spec.JobTemplate.Spec.Selector),
		}
	}),
	"horizontalpodautoscalers": {parseColumns("Name  Reference  Targets  MinPods  MaxPods  Replicas  Age"), autoscalerValues},
	"poddisruptionbudgets": printerOf("Name  Min Available  Max Unavailable  Allowed Disruptions  Age", func(o *policyv1.PodDisruptionBudget) []any {
		least, most := "N/A", "N/A"
		if n := o.Spec.MinAvailable; n != nil {
			least = n.String()
		}
		if n := o.Spec.MaxUnavailable; n != nil {
			most = n.String()
		}
		return []any{o.Name, least, most, o.Status.DisruptionsAllowed, o.CreationTimestamp}
	}),
	"priorityclasses": printerOf("Name  Value  Global-Default  Age  PreemptionPolicy", func(o *schedulingv1.PriorityClass) []any {
		return []any{o.Name, o.Value, o.GlobalDefault, o.CreationTimestamp, given(o.PreemptionPolicy, "")}
	}),
	"runtimeclasses": printerOf("Name  Handler  Age", func(o *nodev1.RuntimeClass) []any {
		return []any{o.Name, o.Handler, o.CreationTimestamp}
	}),
	"resourceclaims": printerOf("Name  State  Age", func(o *resourcev1.ResourceClaim) []any {
		var states []string
		if o.DeletionTimestamp != nil {
			states = append(states, "deleted")
		}
		if o.Status.Allocation != nil {
			states = append(states, "allocated")
			if len(o.Status.ReservedFor) > 0 {
				states = append(states, "reserved")
			}
		} else if o.DeletionTimestamp == nil {
			states = append(states, "pending")
		}
		return []any{o.Name, strings.Join(states, ","), o.CreationTimestamp}
	}),
	"resourceclaimtemplates": plain(true),
	"deviceclasses":          plain(true),
	"resourceslices": printerOf("Name  Node  Driver  Pool  Age", func(o *resourcev1.ResourceSlice) []any {
		return []any{o.Name, given(o.Spec.NodeName, ""), o.Spec.Driver, o.Spec.Pool.Name, o.CreationTimestamp}
	}),
}

var network = map[string]printer{
	"ingresses": printerOf("Name  Class  Hosts  Address  Ports  Age", func(o *networkingv1.Ingress) []any {
		var addresses []string
		for _, i := range o.Status.LoadBalancer.Ingress {
			addresses = append(addresses, balancer(i.IP, i.Hostname)...)
		}
		ports := "80"
		if len(o.Spec.TLS) > 0 {
			ports = "80, 443"
		}
		return []any{o.Name, given(o.Spec.IngressClassName, none), hosts(o.Spec.Rules), strings.Join(unique(addresses), ","), ports, o.CreationTimestamp}
	}),
	"ingressclasses": printerOf("Name  Controller  Parameters  Age", func(o *networkingv1.IngressClass) []any {
		name, parameters := o.Name, none
		if o.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" {
			name += " (default)"
		}
		if p := o.Spec.Parameters; p != nil {
			parameters = p.Kind
			if p.APIGroup != nil {
				parameters += "." + *p.APIGroup
			}
			parameters += "/" + p.Name
		}
		return []any{name, o.Spec.Controller, parameters, o.CreationTimestamp}
	}),
	"networkpolicies": printerOf("Name  Pod-Selector  Age", func(o *networkingv1.NetworkPolicy) []any {
		return []any{o.Name, metav1.FormatLabelSelector(&o.Spec.PodSelector), o.CreationTimestamp}
	}),
	"servicecidrs": printerOf("Name  CIDRs  Age", func(o *networkingv1.ServiceCIDR) []any {
		return []any{o.Name, strings.Join(o.Spec.CIDRs, ","), o.CreationTimestamp}
	}),
	"ipaddresses": printerOf("Name  ParentRef", func(o *networkingv1.IPAddress) []any {
		parent := none
		if p := o.Spec.ParentRef; p != nil {
			parent = strings.ToLower(schema.GroupResource{Group: p.Group, Resource: p.Resource}.String())
			if p.Namespace != "" {
				parent += "/" + p.Namespace
			}
			parent += "/" + p.Name
		}
		return []any{o.Name, parent}
	}),
}

var storage = map[string]printer{
	"storageclasses": printerOf("Name  Provisioner  ReclaimPolicy  VolumeBindingMode  AllowVolumeExpansion  Age", func(o *storagev1.StorageClass) []any {
		name := o.Name
		if o.Annotations[defaultClass] == "true" || o.Annotations[betaDefaultClass] == "true" {
			name += " (default)"
		}
		return []any{
			name, o.Provisioner, given(o.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete),
			given(o.VolumeBindingMode, storagev1.VolumeBindingImmediate), given(o.AllowVolumeExpansion, false), o.CreationTimestamp,
		}
	}),
	"volumeattributesclasses": printerOf("Name  DriverName  Age", func(o *storagev1.VolumeAttributesClass) []any {
		return []any{o.Name, o.DriverName, o.CreationTimestamp}
	}),
	"volumeattachments": printerOf("Name  Attacher  PV  Node  Attached  Age", func(o *storagev1.VolumeAttachment) []any {
		return []any{o.Name, o.Spec.Attacher, given(o.Spec.Source.PersistentVolumeName, ""), o.Spec.NodeName, o.Status.Attached, o.CreationTimestamp}
	}),
	"csinodes": printerOf("Name  Drivers  Age", func(o *storagev1.CSINode) []any {
		return []any{o.Name, len(o.Spec.Drivers), o.CreationTimestamp}
	}),
	"csidrivers": printerOf("Name  AttachRequired  PodInfoOnMount  StorageCapacity  TokenRequests  RequiresRepublish  Modes  Age", func(o *storagev1.CSIDriver) []any {
		s := &o.Spec
		tokens := unset
		if s.TokenRequests != nil {
			tokens = joined(s.TokenRequests, func(r *storagev1.TokenRequest) string { return r.Audience })
		}
		modes := joined(s.VolumeLifecycleModes, func(m *storagev1.VolumeLifecycleMode) string { return string(*m) })
		return []any{
			o.Name, given(s.AttachRequired, true), given(s.PodInfoOnMount, false), given(s.StorageCapacity, false),
			tokens, given(s.RequiresRepublish, false), some(modes), o.CreationTimestamp,
		}
	}),
	"csistoragecapacities": plain(false),
	"storageversionmigrations": printerOf("Name  Resource  Status", func(o *migrationv1.StorageVersionMigration) []any {
		status := "Unknown"
		for _, c := range o.Status.Conditions {
			switch kind := migrationv1.MigrationConditionType(c.Type); kind {
			case migrationv1.MigrationRunning, migrationv1.MigrationFailed, migrationv1.MigrationSucceeded:
				if c.Status == metav1.ConditionTrue {
					status = c.Type
				}
			}
		}
		return []any{o.Name, schema.GroupResource{Group: o.Spec.Resource.Group, Resource: o.Spec.Resource.Resource}.String(), status}
	}),
}

// Annotations that make a class the default one (kubernetes v1.37
// pkg/apis/storage/util/helpers.go).
const (
	defaultClass     = "storageclass.kubernetes.io/is-default-class"
	betaDefaultClass = "storageclass.beta.kubernetes.io/is-default-class"
)

var access = map[string]printer{
	"roles":               plain(false),
	"clusterroles":        plain(false),
	"rolebindings":        printerOf(bindingColumns, func(o *rbacv1.RoleBinding) []any { return binding(&o.ObjectMeta, o.RoleRef, o.Subjects) }),
	"clusterrolebindings": printerOf(bindingColumns, func(o *rbacv1.ClusterRoleBinding) []any { return binding(&o.ObjectMeta, o.RoleRef, o.Subjects) }),
	"certificatesigningrequests": printerOf("Name  Age  SignerName  Requestor  RequestedDuration  Condition", func(o *certificatesv1.CertificateSigningRequest) []any {
		requested := none
		if s := o.Spec.ExpirationSeconds; s != nil {
			requested = duration.HumanDuration(time.Duration(*s) * time.Second)
		}
		return []any{o.Name, o.CreationTimestamp, some(o.Spec.SignerName), o.Spec.Username, requested, certificateState(&o.Status)}
	}),
	"podsecuritypolicies": {parseColumns(securityPolicyColumns), securityPolicyValues},
	"clustertrustbundles": printerOf("Name  SignerName", func(o *certificatesv1.ClusterTrustBundle) []any {
		return []any{o.Name, some(o.Spec.SignerName)}
	}),
	"mutatingwebhookconfigurations": printerOf("Name  Webhooks  Age", func(o *admissionv1.MutatingWebhookConfiguration) []any {
		return []any{o.Name, len(o.Webhooks), o.CreationTimestamp}
	}),
	"validatingwebhookconfigurations": printerOf("Name  Webhooks  Age", func(o *admissionv1.ValidatingWebhookConfiguration) []any {
		return []any{o.Name, len(o.Webhooks), o.CreationTimestamp}
	}),
	"validatingadmissionpolicies": printerOf("Name  Validations  ParamKind  Age", func(o *admissionv1.ValidatingAdmissionPolicy) []any {
		return []any{o.Name, len(o.Spec.Validations), parameterKind(o.Spec.ParamKind), o.CreationTimestamp}
	}),
	"validatingadmissionpolicybindings": printerOf("Name  PolicyName  ParamRef  Age", func(o *admissionv1.ValidatingAdmissionPolicyBinding) []any {
		return []any{o.Name, o.Spec.PolicyName, parameters(o.Spec.ParamRef), o.CreationTimestamp}
	}),
	"mutatingadmissionpolicies": printerOf("Name  Mutations  ParamKind  Age", func(o *admissionv1.MutatingAdmissionPolicy) []any {
		return []any{o.Name, len(o.Spec.Mutations), parameterKind(o.Spec.ParamKind), o.CreationTimestamp}
	}),
	"mutatingadmissionpolicybindings": printerOf("Name  PolicyName  ParamRef  Age", func(o *admissionv1.MutatingAdmissionPolicyBinding) []any {
		return []any{o.Name, o.Spec.PolicyName, parameters(o.Spec.ParamRef), o.CreationTimestamp}
	}),
}

var machinery = map[string]printer{
	"customresourcedefinitions": {parseColumns("Name  Scope  Versions  Created At  +Group  +Kind  +ShortNames  +Established"), definitionValues},
	"limitranges":               plain(false),
	"apiservices": printerOf("Name  Service  Available  Age", func(o *registrationv1.APIService) []any {
		service, available := "Local", ""
		if s := o.Spec.Service; s != nil {
			service = s.Namespace + "/" + s.Name
		}
		for _, c := range o.Status.Conditions {
			if c.Type == registrationv1.Available {
				available = string(c.Status)
				if c.Status != registrationv1.ConditionTrue {
					available += " (" + c.Reason + ")"
				}
			}
		}
		return []any{o.Name, service, available, o.CreationTimestamp}
	}),
	"leases": printerOf("Name  Holder  Age", func(o *coordinationv1.Lease) []any {
		return []any{o.Name, given(o.Spec.HolderIdentity, ""), o.CreationTimestamp}
	}),
	"leasecandidates": printerOf("Name  LeaseName  BinaryVersion  EmulationVersion  Age", func(o *coordinationv1beta1.LeaseCandidate) []any {
		return []any{o.Name, o.Spec.LeaseName, o.Spec.BinaryVersion, o.Spec.EmulationVersion, o.CreationTimestamp}
	}),
	"flowschemas": printerOf("Name  PriorityLevel  MatchingPrecedence  DistinguisherMethod  Age  MissingPL", func(o *flowcontrolv1.FlowSchema) []any {
		method, missing := none, "?"
		if m := o.Spec.DistinguisherMethod; m != nil {
			method = string(m.Type)
		}
		for _, c := range o.Status.Conditions {
			if c.Type == flowcontrolv1.FlowSchemaConditionDangling {
				missing = string(c.Status)
				break
			}
		}
		return []any{o.Name, o.Spec.PriorityLevelConfiguration.Name, o.Spec.MatchingPrecedence, method, o.CreationTimestamp, missing}
	}),
	"prioritylevelconfigurations": printerOf("Name  Type  NominalConcurrencyShares  Queues  HandSize  QueueLengthLimit  Age", func(o *flowcontrolv1.PriorityLevelConfiguration) []any {
		var shares, queues, hand, length any = none, none, none, none
		if l := o.Spec.Limited; l != nil {
			shares = given(l.NominalConcurrencyShares, 0)
			if q := l.LimitResponse.Queuing; q != nil {
				queues, hand, length = q.Queues, q.HandSize, q.QueueLengthLimit
			}
		}
		return []any{o.Name, o.Spec.Type, shares, queues, hand, length, o.CreationTimestamp}
	}),
	"storageversions": printerOf("Name  CommonEncodingVersion  StorageVersions  Age", func(o *internalv1alpha1.StorageVersion) []any {
		var versions []string
		for _, v := range o.Status.StorageVersions {
			versions = append(versions, v.APIServerID+"="+v.EncodingVersion)
		}
		return []any{o.Name, set(o.Status.CommonEncodingVersion), firstOf(3, versions, ",", unset), o.CreationTimestamp}
	}),
}

// jobValues mirrors printJob.
func jobValues(o *batchv1.Job, now clock.Interval) []any {
	condition := func(kind batchv1.JobConditionType) bool {
		for _, c := range o.Status.Conditions {
			if c.Type == kind {
				return c.Status == corev1.ConditionTrue
			}
		}
		return false
	}
	status := "Running"
	switch {
	case condition(batchv1.JobComplete):
		status = "Complete"
	case condition(batchv1.JobFailed):
		status = "Failed"
	case o.DeletionTimestamp != nil:
		status = "Terminating"
	case condition(batchv1.JobSuspended):
		status = "Suspended"
	case condition(batchv1.JobFailureTarget):
		status = "FailureTarget"
	}
	var completions any
	if all := o.Spec.Completions; all != nil {
		completions = ratio{int64(o.Status.Succeeded), int64(*all)}
	} else if p := given(o.Spec.Parallelism, 0); p > 1 {
		completions = fmt.Sprintf("%d/1 of %d", o.Status.Succeeded, p)
	} else {
		completions = ratio{int64(o.Status.Succeeded), 1}
	}
	var took Cell
	if start := o.Status.StartTime; start != nil {
		until := now
		if end := o.Status.CompletionTime; end != nil {
			until = clock.Interval{From: end.Time, To: end.Time}
		}
		took = Age(start.Time, until)
	}
	names, images := containers(o.Spec.Template.Spec.Containers)
	return []any{o.Name, status, completions, took, o.CreationTimestamp, names, images, metav1.FormatLabelSelector(o.Spec.Selector)}
}

// hosts mirrors formatHosts, which counts the rules that name no host among those
// that are out of sight.
func hosts(rules []networkingv1.IngressRule) string {
	const most = 3
	var list []string
	more := false
	for _, r := range rules {
		more = more || len(list) == most
		if !more && r.Host != "" {
			list = append(list, r.Host)
		}
	}
	switch {
	case len(list) == 0:
		return "*"
	case more:
		return fmt.Sprintf("%s + %d more...", strings.Join(list, ","), len(rules)-most)
	}
	return strings.Join(list, ",")
}

const bindingColumns = "Name  Role  Age  +Users  +Groups  +ServiceAccounts"

func binding(m *metav1.ObjectMeta, role rbacv1.RoleRef, subjects []rbacv1.Subject) []any {
	var users, groups, accounts []string
	for _, s := range subjects {
		switch s.Kind {
		case rbacv1.UserKind:
			users = append(users, s.Name)
		case rbacv1.GroupKind:
			groups = append(groups, s.Name)
		case rbacv1.ServiceAccountKind:
			accounts = append(accounts, s.Namespace+"/"+s.Name)
		}
	}
	return []any{
		m.Name, role.Kind + "/" + role.Name, m.CreationTimestamp,
		strings.Join(users, ", "), strings.Join(groups, ", "), strings.Join(accounts, ", "),
	}
}

// certificateState mirrors extractCSRStatus.
func certificateState(s *certificatesv1.CertificateSigningRequestStatus) string {
	has := map[certificatesv1.RequestConditionType]bool{}
	for _, c := range s.Conditions {
		has[c.Type] = true
	}
	state := "Pending"
	if has[certificatesv1.CertificateDenied] {
		state = "Denied"
	} else if has[certificatesv1.CertificateApproved] {
		state = "Approved"
	}
	if has[certificatesv1.CertificateFailed] {
		state += ",Failed"
	}
	if len(s.Certificate) > 0 {
		state += ",Issued"
	}
	return state
}

func parameterKind(k *admissionv1.ParamKind) string {
	if k == nil {
		return unset
	}
	return k.APIVersion + "/" + k.Kind
}

// parameters names what a binding takes its parameters from.
func parameters(r *admissionv1.ParamRef) string {
	switch {
	case r == nil:
		return unset
	case r.Name != "" && r.Namespace != "":
		return r.Namespace + "/" + r.Name
	case r.Name != "":
		return "*/" + r.Name
	case r.Selector != nil:
		return r.Selector.String() // as Go prints it
	}
	return unset
}
