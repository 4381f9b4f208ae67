package resources

import (
	"encoding/json"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
)

// autoscalerValues mirrors printHorizontalPodAutoscaler.
func autoscalerValues(o *kube.Object, _ clock.Interval) ([]any, error) {
	a, err := kube.As[*autoscalingv2.HorizontalPodAutoscaler](o)
	if err != nil {
		return nil, err
	}
	if old, ok := o.Typed.(*autoscalingv1.HorizontalPodAutoscaler); ok {
		upgrade(a, old)
	}
	if o.APIVersion == "autoscaling/v2beta1" || o.APIVersion == "autoscaling/v2alpha1" {
		if err := upgradeBeta(a, o.JSON(kube.PrintOptions{})); err != nil {
			return nil, err
		}
	}
	return []any{
		a.Name, a.Spec.ScaleTargetRef.Kind + "/" + a.Spec.ScaleTargetRef.Name, targets(a.Spec.Metrics, a.Status.CurrentMetrics),
		set(a.Spec.MinReplicas), a.Spec.MaxReplicas, a.Status.CurrentReplicas, a.CreationTimestamp,
	}, nil
}

// upgrade takes over what autoscaling/v1 has fields for: how busy the CPUs are. Its
// other metrics are in an annotation, and are counted only.
func upgrade(a *autoscalingv2.HorizontalPodAutoscaler, old *autoscalingv1.HorizontalPodAutoscaler) {
	if want := old.Spec.TargetCPUUtilizationPercentage; want != nil {
		a.Spec.Metrics = []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
			Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{AverageUtilization: want},
		}}}
		a.Status.CurrentMetrics = []autoscalingv2.MetricStatus{{Resource: &autoscalingv2.ResourceMetricStatus{
			Current: autoscalingv2.MetricValueStatus{AverageUtilization: old.Status.CurrentCPUUtilizationPercentage},
		}}}
	}
	var others []json.RawMessage
	if json.Unmarshal([]byte(old.Annotations["autoscaling.alpha.kubernetes.io/metrics"]), &others) == nil {
		a.Spec.Metrics = append(a.Spec.Metrics, make([]autoscalingv2.MetricSpec, len(others))...)
	}
}

// betaMetric is a metric of autoscaling/v2beta1 and v2alpha1, or what it is now.
type betaMetric struct {
	Resource, ContainerResource, Pods, Object, External *struct {
		TargetAverageUtilization, CurrentAverageUtilization   *int32
		TargetAverageValue, CurrentAverageValue, AverageValue *resource.Quantity
		TargetValue, CurrentValue                             *resource.Quantity
	}
}

// upgradeBeta takes over what those versions call something else: what metrics should
// be and are.
func upgradeBeta(a *autoscalingv2.HorizontalPodAutoscaler, text []byte) error {
	var old struct {
		Spec   struct{ Metrics []betaMetric }
		Status struct{ CurrentMetrics []betaMetric }
	}
	if err := json.Unmarshal(text, &old); err != nil {
		return err
	}
	for i := range min(len(a.Spec.Metrics), len(old.Spec.Metrics)) {
		m, from := &a.Spec.Metrics[i], &old.Spec.Metrics[i]
		if s := from.Resource; s != nil && m.Resource != nil {
			m.Resource.Target = autoscalingv2.MetricTarget{AverageUtilization: s.TargetAverageUtilization, AverageValue: s.TargetAverageValue}
		}
		if s := from.ContainerResource; s != nil && m.ContainerResource != nil {
			m.ContainerResource.Target = autoscalingv2.MetricTarget{AverageUtilization: s.TargetAverageUtilization, AverageValue: s.TargetAverageValue}
		}
		if s := from.Pods; s != nil && m.Pods != nil {
			m.Pods.Target.AverageValue = s.TargetAverageValue
		}
		if s := from.Object; s != nil && m.Object != nil {
			m.Object.Target = autoscalingv2.MetricTarget{Value: s.TargetValue, AverageValue: s.AverageValue}
		}
		if s := from.External; s != nil && m.External != nil {
			m.External.Target = autoscalingv2.MetricTarget{Value: s.TargetValue, AverageValue: s.TargetAverageValue}
		}
	}
	for i := range min(len(a.Status.CurrentMetrics), len(old.Status.CurrentMetrics)) {
		m, from := &a.Status.CurrentMetrics[i], &old.Status.CurrentMetrics[i]
		if s := from.Resource; s != nil && m.Resource != nil {
			m.Resource.Current = autoscalingv2.MetricValueStatus{AverageUtilization: s.CurrentAverageUtilization, AverageValue: s.CurrentAverageValue}
		}
		if s := from.ContainerResource; s != nil && m.ContainerResource != nil {
			m.ContainerResource.Current = autoscalingv2.MetricValueStatus{AverageUtilization: s.CurrentAverageUtilization, AverageValue: s.CurrentAverageValue}
		}
		if s := from.Pods; s != nil && m.Pods != nil {
			m.Pods.Current.AverageValue = s.CurrentAverageValue
		}
		if s := from.Object; s != nil && m.Object != nil {
			m.Object.Current = autoscalingv2.MetricValueStatus{Value: s.CurrentValue, AverageValue: s.AverageValue}
		}
		if s := from.External; s != nil && m.External != nil {
			m.External.Current = autoscalingv2.MetricValueStatus{Value: s.CurrentValue, AverageValue: s.CurrentAverageValue}
		}
	}
	return nil
}

// targets mirrors formatHPAMetrics.
func targets(specs []autoscalingv2.MetricSpec, statuses []autoscalingv2.MetricStatus) string {
	var list []string
	for i := range specs {
		var status autoscalingv2.MetricStatus
		if i < len(statuses) {
			status = statuses[i]
		}
		list = append(list, target(&specs[i], &status))
	}
	return firstOf(2, list, ", ", none)
}

// target is what a metric is and what it should be.
func target(spec *autoscalingv2.MetricSpec, status *autoscalingv2.MetricStatus) string {
	var current autoscalingv2.MetricValueStatus
	switch {
	case spec.Type == autoscalingv2.ExternalMetricSourceType && spec.External != nil:
		if status.External != nil {
			current = status.External.Current
		}
		return amount(&spec.External.Target, &current)
	case spec.Type == autoscalingv2.ObjectMetricSourceType && spec.Object != nil:
		if status.Object != nil {
			current = status.Object.Current
		}
		return amount(&spec.Object.Target, &current)
	case spec.Type == autoscalingv2.PodsMetricSourceType && spec.Pods != nil:
		if status.Pods != nil {
			current = status.Pods.Current
		}
		return quantity(current.AverageValue) + "/" + quantity(spec.Pods.Target.AverageValue)
	case spec.Type == autoscalingv2.ResourceMetricSourceType && spec.Resource != nil:
		if status.Resource != nil {
			current = status.Resource.Current
		}
		return string(spec.Resource.Name) + ": " + share(&spec.Resource.Target, &current)
	case spec.Type == autoscalingv2.ContainerResourceMetricSourceType && spec.ContainerResource != nil:
		if status.ContainerResource != nil {
			current = status.ContainerResource.Current
		}
		return string(spec.ContainerResource.Name) + ": " + share(&spec.ContainerResource.Target, &current)
	}
	return "<unknown type>"
}

// amount is a value of its own, or one a pod.
func amount(want *autoscalingv2.MetricTarget, is *autoscalingv2.MetricValueStatus) string {
	if want.AverageValue != nil {
		return quantity(is.AverageValue) + "/" + quantity(want.AverageValue) + " (avg)"
	}
	return quantity(is.Value) + "/" + quantity(want.Value)
}

// share is a value a pod, or percents of what is requested.
func share(want *autoscalingv2.MetricTarget, is *autoscalingv2.MetricValueStatus) string {
	if want.AverageValue != nil {
		return quantity(is.AverageValue) + "/" + quantity(want.AverageValue)
	}
	return percent(is.AverageUtilization, unknown) + "/" + percent(want.AverageUtilization, "<auto>")
}

func quantity(q *resource.Quantity) string {
	if q == nil {
		return unknown
	}
	return q.String()
}

func percent(n *int32, otherwise string) string {
	if n == nil {
		return otherwise
	}
	return fmt.Sprintf("%d%%", *n)
}
