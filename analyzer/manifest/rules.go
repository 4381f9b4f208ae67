package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// rules are fields that the manifest of a built-in kind never has.
var rules = []struct{ kind, path, why string }{
	{"Pod", "spec.nodeName", "the scheduler chooses a node"},
	{"Pod", "spec.priority", byAdmission},
	{"Pod", "spec.preemptionPolicy", byAdmission},
	{"Pod", "spec.overhead", byAdmission},
	{"Pod", "spec.ephemeralContainers", "added to running pods only"},
	{"Namespace", "spec.finalizers", byServer},
	{"PersistentVolume", "spec.claimRef.uid", "a claim that is made again has another uid"},
	{"PersistentVolume", "spec.claimRef.resourceVersion", "a claim that is made again has another one"},
	{"CertificateSigningRequest", "spec.username", byServer},
	{"CertificateSigningRequest", "spec.uid", byServer},
	{"CertificateSigningRequest", "spec.groups", byServer},
	{"CertificateSigningRequest", "spec.extra", byServer},
}

// remade are annotations and labels of what is not made by applying it.
var remade = []struct{ kind, in, name, value, by string }{
	{"Pod", "annotations", "kubernetes.io/config.mirror", "", "its kubelet mirrors a static pod"},
	{"Endpoints", "annotations", "endpoints.kubernetes.io/last-change-trigger-time", "", "its Service has it made"},
	{"Endpoints", "labels", "endpoints.kubernetes.io/managed-by", "endpoint-controller", "its Service has it made"},
	{"EndpointSlice", "labels", "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io", "its Service has it made"},
	{"EndpointSlice", "labels", "endpointslice.kubernetes.io/managed-by", "endpointslicemirroring-controller.k8s.io", "its Endpoints have it made"},
}

// specials are what the manifest of a kind needs beyond rules.
var specials = map[string]func(*Manifest){
	"Pod": pod, "Service": service, "Job": job, "PersistentVolumeClaim": claim, "PersistentVolume": volume, "Secret": secret, "ServiceAccount": account,
	"Deployment": deployment,
}

const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// pod drops the volume with the token of its service account, which admission adds
// (kubernetes v1.37 plugin/pkg/admission/serviceaccount admission.go: the name of the
// volume is kube-api-access- and five characters; before 1.22 it was the Secret's,
// which holds -token-).
func pod(m *Manifest) {
	spec := m.at("spec")
	tokens := map[string]bool{}
	m.keep("spec.volumes", byAdmission, spec, "volumes", func(v any) (string, bool) {
		volume, _ := v.(map[string]any)
		name, _ := volume["name"].(string)
		_, projected := volume["projected"]
		_, fromSecret := volume["secret"]
		if projected && strings.HasPrefix(name, "kube-api-access-") || fromSecret && strings.Contains(name, "-token-") && m.mountsToken(name) {
			tokens[name] = true
		}
		return name, !tokens[name]
	})
	for _, list := range []string{"containers", "initContainers"} {
		containers, _ := spec[list].([]any)
		for i, c := range containers {
			container, _ := c.(map[string]any)
			m.keep(fmt.Sprintf("spec.%s[%d].volumeMounts", list, i), byAdmission, container, "volumeMounts", func(v any) (string, bool) {
				mount, _ := v.(map[string]any)
				name, _ := mount["name"].(string)
				return name, !tokens[name]
			})
		}
	}
}

// mountsToken says whether a container has the volume where tokens are expected.
func (m *Manifest) mountsToken(volume string) bool {
	containers, _ := m.at("spec")["containers"].([]any)
	return slices.ContainsFunc(containers, func(c any) bool {
		container, _ := c.(map[string]any)
		mounts, _ := container["volumeMounts"].([]any)
		return slices.ContainsFunc(mounts, func(v any) bool {
			mount, _ := v.(map[string]any)
			return mount["name"] == volume && mount["mountPath"] == tokenPath
		})
	})
}

// service drops the addresses that were allocated; None is a choice.
func service(m *Manifest) {
	if m.at("spec")["clusterIP"] == "None" {
		return
	}
	m.drop("allocated by the API server; another Service may have it by now", "spec", "clusterIP")
	m.drop("allocated by the API server; another Service may have it by now", "spec", "clusterIPs")
	m.drop("allocated by the API server", "spec", "healthCheckNodePort")
}

// job drops the selector and the labels that the API server makes from the Job's uid,
// and refuses with another one (kubernetes v1.37 pkg/registry/batch/job strategy.go
// generateSelector).
func job(m *Manifest) {
	if m.at("spec")["manualSelector"] == true {
		return
	}
	const why = "made by the API server from the uid"
	m.drop(why, "spec", "selector")
	for _, label := range []string{"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"} {
		m.drop(why, "spec", "template", "metadata", "labels", label)
		if strings.HasSuffix(label, "controller-uid") {
			m.drop(why, "metadata", "labels", label)
		}
	}
}

// claim drops what says that the claim is bound: with it a claim whose volume names
// another uid is lost (kubernetes v1.37 pkg/controller/volume/persistentvolume
// pv_controller.go syncBoundClaim).
func claim(m *Manifest) {
	for _, name := range []string{
		"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller", "volume.kubernetes.io/selected-node",
		"volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner",
	} {
		m.drop(byController, "metadata", "annotations", name)
	}
	if name, ok := m.at("spec")["volumeName"].(string); ok && name != "" {
		m.note("It asks for the volume %s. Where that still names the former claim, take spec.claimRef.uid and resourceVersion out of the volume first, or the claim stays pending. Without spec.volumeName it gets a new, empty volume.", name)
	}
}

func volume(m *Manifest) {
	for _, name := range []string{"pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/migrated-to"} {
		m.drop(byController, "metadata", "annotations", name)
	}
	if m.at("spec")["persistentVolumeReclaimPolicy"] == "Delete" {
		m.note("Its reclaim policy is Delete: what is on the storage goes when its claim does.")
	}
}

// secret drops what a token's Secret gets from the controller: with the uid of a service
// account that is gone, it deletes the Secret (kubernetes v1.37
// pkg/controller/serviceaccount tokens_controller.go).
func secret(m *Manifest) {
	if m.Document["type"] != "kubernetes.io/service-account-token" {
		return
	}
	m.drop(byController, "metadata", "annotations", "kubernetes.io/service-account.uid")
	m.drop(byController, "data")
}

// account drops the Secrets with tokens that were made for it before 1.24.
func account(m *Manifest) {
	name, _ := m.at("metadata")["name"].(string)
	m.keep("secrets", byController, m.Document, "secrets", func(s any) (string, bool) {
		ref, _ := s.(map[string]any)
		secret, _ := ref["name"].(string)
		return secret, !strings.HasPrefix(secret, name+"-token-")
	})
}

// deployment drops what a path with dots cannot name.
func deployment(m *Manifest) {
	m.drop(byController, "metadata", "annotations", "deployment.kubernetes.io/revision")
}
