package play

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Programs are paths of the real programs and of the stub.
type Programs struct {
	Etcd, Etcdutl, Etcdctl, Revenant string
	stub, dir                        string
}

// Build builds them in a directory. The module file is that of a version of etcd, "" for
// the newest.
func Build(tb testing.TB, dir, modfile string) *Programs {
	tb.Helper()
	watch(tb)
	p := &Programs{dir: dir}
	build := func(to *string, name string, args ...string) {
		*to = filepath.Join(dir, name)
		args = append([]string{"build", "-o", *to}, args...)
		if i := len(args) - 2; args[i] == "-C" { // which comes first
			args = append([]string{"build", "-C", args[i+1]}, append(args[1:i], "./cmd/revenant")...)
		}
		if out, err := exec.CommandContext(tb.Context(), "go", args...).CombinedOutput(); err != nil {
			tb.Fatalf("go %q: %v\n%s", args, err, out)
		}
	}
	for to, path := range map[*string]string{&p.Etcd: "go.etcd.io/etcd/server/v3", &p.Etcdutl: "go.etcd.io/etcd/etcdutl/v3", &p.Etcdctl: "go.etcd.io/etcd/etcdctl/v3"} {
		*to = tool(tb, modfile, path)
	}
	build(&p.stub, "stub", "./stub")
	build(&p.Revenant, "revenant", "-C", "../..")
	return p
}

// tool is the path of a program that a module file pins, as the build cache has it.
func tool(tb testing.TB, modfile, path string) string {
	tb.Helper()
	args := []string{"tool"}
	if modfile != "" {
		args = append(args, "-modfile="+modfile)
	}
	out, err := exec.CommandContext(tb.Context(), "go", append(args, "-n", path)...).Output()
	if err != nil {
		tb.Fatalf("go %q %s: %v", args, path, err)
	}
	return strings.TrimSpace(string(out))
}

// watch opens every directory of the program: a passed test is not run again until
// something that it opened itself changes, and what go build reads does not count.
func watch(tb testing.TB) {
	tb.Helper()
	for _, dir := range []string{"analyzer", "cmd", "decoder", "internal", "report"} {
		if err := filepath.WalkDir(filepath.Join("../..", dir), func(_ string, _ os.DirEntry, err error) error { return err }); err != nil {
			tb.Fatal(err)
		}
	}
}

// release writes what a release page has: an archive whose programs call the stubs of
// their names, which become the real ones, and its sums.
func (p *Programs) release(url, dir string) error {
	name := path.Base(url)
	switch {
	case name == "SHA256SUMS":
		archives, err := filepath.Glob(filepath.Join(dir, "etcd-*.tar.gz"))
		if err != nil || len(archives) == 0 {
			return fmt.Errorf("404: %s", url)
		}
		var sums strings.Builder
		for _, a := range archives {
			data, err := os.ReadFile(a)
			if err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), filepath.Base(a))
		}
		return os.WriteFile(filepath.Join(dir, name), []byte(sums.String()), 0o600)
	case strings.HasSuffix(name, ".sha256"):
		data, err := os.ReadFile(filepath.Join(dir, strings.TrimSuffix(name, ".sha256")))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, "%x\n", sha256.Sum256(data)), 0o600)
	case strings.HasPrefix(name, "etcd-v"):
		inside := strings.TrimSuffix(name, ".tar.gz") + "/"
		return p.archive(filepath.Join(dir, name), inside, "etcdutl", "etcdctl")
	case strings.HasPrefix(name, "crictl-v"):
		return p.archive(filepath.Join(dir, name), "", "crictl")
	}
	return fmt.Errorf("404: %s", url)
}

func (p *Programs) archive(to, inside string, names ...string) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, name := range names {
		link := filepath.Join(p.dir, "links", name)
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			return err
		}
		if err := os.Symlink(p.stub, link); err != nil && !os.IsExist(err) {
			return err
		}
		script := "#!/bin/sh\nexec '" + link + "' \"$@\"\n"
		if err := t.WriteHeader(&tar.Header{Name: inside + name, Mode: 0o755, Size: int64(len(script))}); err != nil {
			return err
		}
		if _, err := t.Write([]byte(script)); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o600)
}

// metrics asks an etcd for its metrics.
func metrics(url string) (string, error) {
	client := http.Client{Timeout: 3 * time.Second}
	r, err := client.Get(url + "/metrics")
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
	return string(data), err
}
