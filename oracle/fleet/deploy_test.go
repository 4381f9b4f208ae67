package fleet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// manifest reads a file of deploy, strictly.
func manifest(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestDeploy reads the manifests as Kubernetes' types, and runs every index of the Job as
// its controller and a kubelet would: with its arguments and with the index in them.
func TestDeploy(t *testing.T) {
	var job batchv1.Job
	var cron batchv1.CronJob
	manifest(t, "export-job.yaml", &job)
	manifest(t, "export-cronjob.yaml", &cron)
	if diff := cmp.Diff(job.Spec, cron.Spec.JobTemplate.Spec); diff != "" {
		t.Errorf("the Jobs of the two differ:\n%s", diff)
	}
	spec := &job.Spec
	if *spec.CompletionMode != batchv1.IndexedCompletion || spec.BackoffLimitPerIndex == nil || *spec.MaxFailedIndexes > *spec.Completions {
		t.Error("no shard is done again alone")
	}
	pod := &spec.Template.Spec
	container := &pod.Containers[0]
	security := container.SecurityContext
	if *pod.AutomountServiceAccountToken || !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser == 0 || pod.RestartPolicy != corev1.RestartPolicyNever ||
		!*security.ReadOnlyRootFilesystem || *security.AllowPrivilegeEscalation || !slices.Contains(security.Capabilities.Drop, "ALL") || container.Resources.Limits.Memory().IsZero() {
		t.Error("the pod may do more than it needs")
	}
	for _, m := range container.VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
			t.Errorf("no volume %s", m.Name)
		}
	}

	whole, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(made, "list.txt"), filepath.Join(dir, "snapshots.txt")); err != nil {
		t.Fatal(err)
	}
	tables := filepath.Join(dir, "tables")
	for index := range *spec.Completions {
		var args []string
		for _, arg := range container.Args {
			arg = strings.ReplaceAll(arg, "$(JOB_COMPLETION_INDEX)", fmt.Sprint(index))
			arg = strings.ReplaceAll(arg, "=/tables", "="+tables)
			args = append(args, strings.ReplaceAll(arg, "=snapshots.txt", "="+filepath.Join(dir, "snapshots.txt")))
		}
		cmd := exec.Command(program, args...)
		cmd.Dir = made
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("index %d: %v: %s", index, err, out)
		}
	}
	if diff := cmp.Diff(tree(t, whole), tree(t, tables)); diff != "" {
		t.Errorf("the Job writes other files (-one +Job):\n%s", diff)
	}
}
