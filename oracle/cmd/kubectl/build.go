package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build builds kube-apiserver and kubectl into bin. The module of Kubernetes takes its
// libraries from directories that it is published without, so a module of its own says
// where they are.
func build(dir, bin string) error {
	module := filepath.Join(dir, "module")
	if err := os.MkdirAll(module, 0o755); err != nil {
		return err
	}
	download := exec.Command("go", "mod", "download", "-json", "k8s.io/kubernetes@v"+version)
	download.Dir = dir
	output, err := download.Output()
	if err != nil {
		return fmt.Errorf("download Kubernetes: %w", err)
	}
	var kubernetes struct{ GoMod string }
	if err := json.Unmarshal(output, &kubernetes); err != nil {
		return err
	}
	theirs, err := os.ReadFile(kubernetes.GoMod)
	if err != nil {
		return err
	}
	var ours bytes.Buffer
	fmt.Fprintf(&ours, "module programs\n\ngo 1.26.8\n\ntool (\n\tk8s.io/kubernetes/cmd/kube-apiserver\n\tk8s.io/kubernetes/cmd/kubectl\n)\n\nrequire k8s.io/kubernetes v%s\n", version)
	library := "v0" + strings.TrimPrefix(version, "1")
	for line := range strings.Lines(string(theirs)) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " => ./staging/"); ok {
			fmt.Fprintf(&ours, "replace %s => %s %s\n", name, name, library)
		}
	}
	if err := os.WriteFile(filepath.Join(module, "go.mod"), ours.Bytes(), 0o644); err != nil {
		return err
	}
	if err := command(module, "go", "mod", "tidy"); err != nil {
		return err
	}
	return command(module, "go", "build", "-o", bin+string(filepath.Separator), "k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kubectl")
}
