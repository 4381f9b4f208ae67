// Command kube110 makes objects with the types of Kubernetes 1.10. Their encoders are
// those that 1.10 stored with; no later version of Kubernetes has them.
//
//	go run . types       an object of every type, all of its fields set
//	go run . cluster     what a cluster of 1.10 writes, as keys and values in order
package main

import (
	"errors"
	"fmt"
	"os"

	admissionregistrationv1alpha1 "k8s.io/api/admissionregistration/v1alpha1"
	admissionregistrationv1beta1 "k8s.io/api/admissionregistration/v1beta1"
	appsv1 "k8s.io/api/apps/v1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2beta1 "k8s.io/api/autoscaling/v2beta1"
	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	batchv2alpha1 "k8s.io/api/batch/v2alpha1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	corev1 "k8s.io/api/core/v1"
	eventsv1beta1 "k8s.io/api/events/v1beta1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	rbacv1 "k8s.io/api/rbac/v1"
	rbacv1alpha1 "k8s.io/api/rbac/v1alpha1"
	rbacv1beta1 "k8s.io/api/rbac/v1beta1"
	schedulingv1alpha1 "k8s.io/api/scheduling/v1alpha1"
	settingsv1alpha1 "k8s.io/api/settings/v1alpha1"
	storagev1 "k8s.io/api/storage/v1"
	storagev1alpha1 "k8s.io/api/storage/v1alpha1"
	storagev1beta1 "k8s.io/api/storage/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/oracle/kube110/dump"
)

var groups = []func(*runtime.Scheme) error{
	admissionregistrationv1alpha1.AddToScheme, admissionregistrationv1beta1.AddToScheme,
	appsv1.AddToScheme, appsv1beta1.AddToScheme, appsv1beta2.AddToScheme,
	autoscalingv1.AddToScheme, autoscalingv2beta1.AddToScheme,
	batchv1.AddToScheme, batchv1beta1.AddToScheme, batchv2alpha1.AddToScheme,
	certificatesv1beta1.AddToScheme, corev1.AddToScheme, eventsv1beta1.AddToScheme, extensionsv1beta1.AddToScheme,
	networkingv1.AddToScheme, policyv1beta1.AddToScheme,
	rbacv1.AddToScheme, rbacv1alpha1.AddToScheme, rbacv1beta1.AddToScheme,
	schedulingv1alpha1.AddToScheme, settingsv1alpha1.AddToScheme,
	storagev1.AddToScheme, storagev1alpha1.AddToScheme, storagev1beta1.AddToScheme,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "types":
		s := runtime.NewScheme()
		for _, add := range groups {
			if err := add(s); err != nil {
				return err
			}
		}
		return dump.Types(os.Stdout, s)
	case len(os.Args) == 2 && os.Args[1] == "cluster":
		return cluster(os.Stdout)
	}
	return errors.New("types or cluster?")
}
