package kube

import (
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
)

// Served is the object in a version that API servers serve, where it is stored in one
// that they do not: API servers of 1.37 still store CustomResourceDefinitions as
// apiextensions.k8s.io/v1beta1 (testdata/kubectl), and none since 1.22 serves that. Any other object is returned as it is. The error
// says that a definition could not be converted.
func (o *Object) Served() (*Object, error) {
	stored, ok := o.Typed.(*apiextensionsv1beta1.CustomResourceDefinition)
	if !ok {
		return o, nil
	}
	stored = stored.DeepCopy()
	apiextensionsv1beta1.SetDefaults_CustomResourceDefinitionSpec(&stored.Spec)
	var internal apiextensions.CustomResourceDefinition
	served := &apiextensionsv1.CustomResourceDefinition{}
	err := apiextensionsv1beta1.Convert_v1beta1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(stored, &internal, nil)
	if err == nil {
		err = apiextensionsv1.Convert_apiextensions_CustomResourceDefinition_To_v1_CustomResourceDefinition(&internal, served, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("convert %s %s: %w", o.APIVersion, o.Kind, err)
	}
	served.APIVersion, served.Kind = apiextensionsv1.SchemeGroupVersion.String(), o.Kind
	converted := *o
	converted.APIVersion, converted.Typed, converted.Unstructured, converted.Removed = served.APIVersion, served, nil, false
	return &converted, nil
}
