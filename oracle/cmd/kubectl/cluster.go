package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// cluster is an etcd and an API server, and how they are reached.
type cluster struct {
	etcd    *embed.Etcd
	config  *rest.Config
	objects dynamic.Interface
	names   *discovery.DiscoveryClient
	kubectl string
	home    string // with kubectl's configuration and cache
	stop    func()
}

const token = "everything"

func start(ctx context.Context, dir, bin string) (*cluster, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	etcd, err := startEtcd(filepath.Join(dir, "etcd"))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	server := fmt.Sprintf("https://127.0.0.1:%d", port)
	keys, tokens, kubeconfig := filepath.Join(dir, "accounts.key"), filepath.Join(dir, "tokens"), filepath.Join(dir, "config")
	for path, text := range map[string]string{
		keys:   string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
		tokens: token + ",admin,admin,system:masters\n",
		kubeconfig: fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: lab,
clusters: [{name: lab, cluster: {server: %q, insecure-skip-tls-verify: true}}],
users: [{name: admin, user: {token: %s}}], contexts: [{name: lab, context: {cluster: lab, user: admin}}]}`, server, token),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	logs, err := os.Create(filepath.Join(dir, "kube-apiserver.log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "kube-apiserver"),
		"--etcd-servers=http://"+etcd.Clients[0].Addr().String(), fmt.Sprintf("--secure-port=%d", port), "--bind-address=127.0.0.1",
		"--advertise-address=192.0.2.1", "--cert-dir="+filepath.Join(dir, "certs"), "--token-auth-file="+tokens, "--authorization-mode=RBAC",
		"--service-account-key-file="+keys, "--service-account-signing-key-file="+keys, "--service-account-issuer=https://lab.example.com",
		"--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112", "--runtime-config=api/all=true", "--feature-gates=AllAlpha=true,AllBeta=true",
		"--allow-privileged=true")
	cmd.Stdout, cmd.Stderr = logs, logs
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &cluster{etcd: etcd, kubectl: filepath.Join(bin, "kubectl"), home: dir, config: &rest.Config{
		Host: server, BearerToken: token, QPS: -1, TLSClientConfig: rest.TLSClientConfig{Insecure: true},
	}}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	c.stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		<-ended
		etcd.Close()
	})
	if c.objects, err = dynamic.NewForConfig(c.config); err != nil {
		return nil, err
	}
	if c.names, err = discovery.NewDiscoveryClientForConfig(c.config); err != nil {
		return nil, err
	}
	for range 600 {
		if _, err = c.names.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err == nil {
			return c, nil
		}
		select {
		case <-ended:
		case <-time.After(500 * time.Millisecond):
			continue
		}
		break
	}
	c.stop()
	text, _ := os.ReadFile(logs.Name())
	return nil, fmt.Errorf("the API server is not ready: %w\n%s", err, text[max(0, len(text)-4000):])
}

func startEtcd(dir string) (*embed.Etcd, error) {
	cfg := embed.NewConfig()
	cfg.Dir = dir
	free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.ListenPeerUrls, cfg.ListenClientUrls, cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = free, free, free, free
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.UnsafeNoFsync = true
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, err
	case <-time.After(time.Minute):
		return nil, errors.New("etcd did not start within a minute")
	}
}

// save writes a snapshot of the etcd, as etcdctl snapshot save does.
func (c *cluster) save(ctx context.Context, path string) error {
	client := v3client.New(c.etcd.Server)
	defer client.Close()
	r, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// run runs kubectl.
func (c *cluster) run(args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(c.kubectl, append([]string{"--kubeconfig", filepath.Join(c.home, "config")}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+c.home)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}
