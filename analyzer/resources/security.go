package resources

import (
	"encoding/json"
	"fmt"
	"strings"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
)

// securityPolicyColumns are those of a PodSecurityPolicy, which Kubernetes had up to
// 1.24 (kubernetes v1.24 pkg/printers/internalversion/printers.go).
const securityPolicyColumns = "Name  Priv  Caps  SELinux  RunAsUser  FsGroup  SupGroup  ReadOnlyRootFs  Volumes"

// securityPolicyValues mirrors printPodSecurityPolicy.
func securityPolicyValues(o *kube.Object, _ clock.Interval) ([]any, error) {
	if o.Unstructured == nil {
		if o.Problem != nil {
			return nil, o.Problem
		}
		return nil, fmt.Errorf("%w: %q of %q", kube.ErrWrongKind, o.Kind, o.APIVersion)
	}
	text, err := json.Marshal(o.Unstructured)
	if err != nil {
		return nil, err
	}
	type strategy struct{ Rule string }
	var policy struct {
		Spec struct {
			Privileged, ReadOnlyRootFilesystem              bool
			AllowedCapabilities, Volumes                    []string
			SELinux, RunAsUser, FSGroup, SupplementalGroups strategy
		}
	}
	if err := json.Unmarshal(text, &policy); err != nil {
		return nil, fmt.Errorf("read %s %s: %w", o.APIVersion, o.Kind, err)
	}
	s := &policy.Spec
	return []any{
		o.Name, s.Privileged, strings.Join(s.AllowedCapabilities, ","), s.SELinux.Rule, s.RunAsUser.Rule,
		s.FSGroup.Rule, s.SupplementalGroups.Rule, s.ReadOnlyRootFilesystem, strings.Join(s.Volumes, ","),
	}, nil
}
