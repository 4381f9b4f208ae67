package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

//go:embed objects
var manifests embed.FS

// Words of the manifests: how long ago, the uid of another object, a certificate.
var (
	ago  = regexp.MustCompile(`@((?:[0-9]+[dhm])+)\b`)
	uids = regexp.MustCompile(`@uid (\w+) (\w+) (\w+)`)
)

// fill makes the objects of the directory objects.
func (c *cluster) fill(ctx context.Context) error {
	csr, certificate, err := certificates()
	if err != nil {
		return err
	}
	mapper, err := c.mapper()
	if err != nil {
		return err
	}
	now := time.Now()
	uid := map[string]string{}
	var all error
	files, err := fs.Glob(manifests, "objects/*.yaml")
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := manifests.ReadFile(name)
		if err != nil {
			return err
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			document = ago.ReplaceAllStringFunc(document, func(word string) string {
				return strconv.Quote(now.Add(-long(word[1:])).UTC().Format(time.RFC3339))
			})
			document = uids.ReplaceAllStringFunc(document, func(word string) string { return uid[strings.TrimPrefix(word, "@uid ")] })
			document = strings.NewReplacer("@csr", base64.StdEncoding.EncodeToString(csr), "@pem", strings.ReplaceAll(string(certificate), "\n", `\n`)).Replace(document)
			o := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
				return fmt.Errorf("%s: %w\n%s", name, err, document)
			}
			made, err := c.make(ctx, mapper, o)
			for range 60 { // what was just defined is served a little later
				if !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
					break
				}
				time.Sleep(time.Second)
				if mapper, err = c.mapper(); err != nil {
					return err
				}
				made, err = c.make(ctx, mapper, o)
			}
			if err != nil {
				all = errors.Join(all, fmt.Errorf("%s: %s %s: %w", name, o.GetKind(), o.GetName(), err))
				continue
			}
			uid[o.GetKind()+" "+o.GetNamespace()+" "+o.GetName()] = string(made.GetUID())
		}
	}
	return all
}

// long is a duration with days.
func long(text string) (d time.Duration) {
	for _, part := range regexp.MustCompile(`([0-9]+)([dhm])`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(part[1])
		d += time.Duration(n) * map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute}[part[2]]
	}
	return d
}

func (c *cluster) mapper() (meta.RESTMapper, error) {
	groups, err := restmapper.GetAPIGroupResources(c.names)
	if err != nil {
		return nil, err
	}
	return restmapper.NewDiscoveryRESTMapper(groups), nil
}

// make makes an object, gives it its status, and deletes it where it says so.
func (c *cluster) make(ctx context.Context, mapper meta.RESTMapper, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	deleted := o.Object["deleted"] == true
	later := map[string]any{}
	for _, name := range []string{"status", "approval"} {
		if v, ok := o.Object[name]; ok {
			later[name] = v
		}
		delete(o.Object, name)
	}
	delete(o.Object, "deleted")
	kind := o.GroupVersionKind()
	m, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	var client dynamic.ResourceInterface = c.objects.Resource(m.Resource)
	if m.Scope.Name() == meta.RESTScopeNameNamespace {
		client = c.objects.Resource(m.Resource).Namespace(o.GetNamespace())
	}
	made, err := client.Create(ctx, o, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		made, err = client.Get(ctx, o.GetName(), metav1.GetOptions{})
	}
	if err != nil {
		return nil, err
	}
	for name, v := range later {
		made.Object["status"] = v
		if made, err = client.Update(ctx, made, metav1.UpdateOptions{}, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if deleted {
		err = client.Delete(ctx, o.GetName(), metav1.DeleteOptions{})
	}
	return made, err
}

func certificates() (csr, certificate []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	subject := pkix.Name{CommonName: "lab"}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotAfter: time.Now().AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true}
	self, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: self}), nil
}

// resources are the resources of which the API server lists objects that it stores, each in
// the version that kubectl asks for.
func (c *cluster) resources() ([]resource, error) {
	lists, err := c.names.ServerPreferredResources()
	if err != nil {
		log.Print(err) // of the service that is not there
	}
	var all []resource
	for _, list := range lists {
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "create") && !strings.Contains(r.Name, "/") {
				group, _, found := strings.Cut(list.GroupVersion, "/")
				if !found {
					group = ""
				}
				all = append(all, resource{Name: r.Name, Singular: r.SingularName, Kind: r.Kind, Group: group, ShortNames: r.ShortNames, Namespaced: r.Namespaced})
			}
		}
	}
	slices.SortFunc(all, func(a, b resource) int { return strings.Compare(a.full(), b.full()) })
	return all, nil
}

func (r *resource) full() string {
	if r.Group == "" {
		return r.Name
	}
	return r.Name + "." + r.Group
}

// candidates are the fields that are tried with every resource: those that any version of
// Kubernetes selects anything by, and some that none does.
var candidates = []string{
	"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "spec", "status", "name", "kind",
	"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "spec.priority", "spec.host", "spec.os.name",
	"status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName", "status.hostIP", "status.reason",
	"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
	"involvedObject.fieldPath", "reason", "reportingComponent", "reportingController", "source", "source.component", "type",
	"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion", "regarding.resourceVersion", "regarding.fieldPath",
	"spec.unschedulable", "spec.clusterIP", "spec.type", "status.successful", "status.replicas", "status.succeeded", "spec.signerName", "spec.podName",
	"spec.driver", "spec.pool.name", "spec.color", "spec.size", "spec.provisioner", "provisioner", "driver", "driverName", "spec.replicas", "spec.group",
	"spec.scope", "spec.volumeName", "spec.storageClassName", "spec.target.pod.name", "spec.target.pod.uid", "spec.holderIdentity", "spec.ingressClassName",
	"spec.workloadRef.workloadName", "spec.leaseName", "spec.attacher", "spec.host", "status.allocation", "data", "involvedObject", "spec.allNodes", "spec.perDeviceNodeSelection",
}

// fields tries every candidate with every resource.
func (c *cluster) fields(ctx context.Context, all []resource) (map[string][]string, error) {
	taken := map[string][]string{}
	mapper, err := c.mapper()
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		gvr, err := mapper.ResourceFor(schema.GroupVersionResource{Group: r.Group, Resource: r.Name})
		if err != nil {
			return nil, err
		}
		for _, field := range candidates {
			_, err := c.objects.Resource(gvr).List(ctx, metav1.ListOptions{FieldSelector: field + "=x"})
			switch {
			case err == nil:
				taken[r.full()] = append(taken[r.full()], field)
			case !apierrors.IsBadRequest(err):
				return nil, fmt.Errorf("%s by %s: %w", r.full(), field, err)
			}
		}
	}
	return taken, nil
}
