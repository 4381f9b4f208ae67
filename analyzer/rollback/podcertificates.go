package rollback

import (
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// podCertificates looks at the certificates that pods get for themselves. A request
// lives for minutes: what stands for most certificates are the pods that have them.
func (c *comparison) podCertificates() {
	resource := kube.Key{Group: "certificates.k8s.io", Resource: "podcertificaterequests"}
	if c.certificates.count > 0 {
		c.add(PodCertificate, resource, Finding{
			Reason:   fmt.Sprintf("%s only in the current state: %s", words.CountOf(c.certificates.count, "pod with certificates", "pods with certificates"), &c.certificates.names),
			Evidence: c.certificates.refs,
		})
	}
	for ch := range c.changes(resource.Group, resource.Resource) {
		f := Finding{Evidence: c.evidence(ch.before, ch.after)}
		before, was := inVersion[certificatesv1.PodCertificateRequest](c, c.backup, ch.before, "PodCertificateRequest")
		after, is := inVersion[certificatesv1.PodCertificateRequest](c, c.current, ch.after, "PodCertificateRequest")
		switch {
		case was && !answered(&before) && (ch.resurrected() || is && answered(&after)):
			then := "answered since"
			if ch.resurrected() {
				then = "gone in the current state"
			}
			f.Reason = fmt.Sprintf("not answered in the backup, %s: of signer %s for pod %s", then, before.Spec.SignerName, before.Spec.PodName)
			// The cleaner deletes what is older than that at the latest (kubernetes
			// v1.37 pkg/controller/certificates/cleaner/pcrcleaner.go).
			if old := before.CreationTimestamp.Add(30 * time.Minute); c.until(old).refused {
				f.Severity = finding.OK
				f.Reason += "; older than 30 minutes, so it is soon deleted"
			}
			c.add(PodCertificateAgain, ch.Key, f)
		case ch.lost() && is && !answered(&after) && !c.lostWithNamespace(&ch):
			k := kube.Key{Resource: "pods", Namespace: ch.Namespace, Name: after.Spec.PodName}
			now := c.find(c.current, k)
			if !sameObject(c.find(c.backup, k), now) {
				continue // reported for the pod
			}
			f.Reason = fmt.Sprintf("only in the current state, not answered yet: of signer %s for pod %s, which both snapshots have", after.Spec.SignerName, after.Spec.PodName)
			c.add(PodCertificateLost, ch.Key, f)
		}
	}
}

// answered says whether a signer is done with a request (kubernetes v1.37
// pkg/kubelet/podcertificate/podcertificatemanager.go handleProjection).
func answered(r *certificatesv1.PodCertificateRequest) bool {
	for _, condition := range r.Status.Conditions {
		switch condition.Type {
		case certificatesv1.PodCertificateRequestConditionTypeIssued, certificatesv1.PodCertificateRequestConditionTypeDenied, certificatesv1.PodCertificateRequestConditionTypeFailed:
			return true
		}
	}
	return false
}
