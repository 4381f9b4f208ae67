package play

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"revenant/internal/corpus"
)

// Member is how etcd is run on a host.
type Member struct {
	Name                  string
	DataDir, WALDir       string // on the host; "" for none of its own
	Client, Peer, Metrics string // URLs
	cluster               string
	joins                 bool // a cluster that is there
}

// members gives every control plane node its etcd, at addresses of this process. Clients
// are held to certificates.
func (w *World) members() {
	hosts := w.controlPlane()
	var cluster []string
	var ips []net.IP
	for i, h := range hosts {
		ip := net.IPv4(127, byte(1+os.Getpid()%250), byte(os.Getpid()/250%250), byte(10*len(hosts)+i))
		h.Etcd = &Member{
			Name: h.Name, DataDir: w.Platform.DataDir, WALDir: w.Platform.WALDir,
			Client: "https://" + ip.String() + ":2379", Peer: "http://" + ip.String() + ":2380", Metrics: "http://" + ip.String() + ":2381",
		}
		cluster, ips = append(cluster, h.Name+"="+h.Etcd.Peer), append(ips, ip)
	}
	for _, h := range hosts {
		h.Etcd.cluster = strings.Join(cluster, ",")
	}
	w.certificates(hosts, ips)
}

// certificates puts one authority's on every host, at the platform's paths.
func (w *World) certificates(hosts []*Host, ips []net.IP) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "etcd"}, IPAddresses: ips,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour * 24), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	w.must(err)
	private, err := x509.MarshalECPrivateKey(key)
	w.must(err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pair := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})
	for _, h := range hosts {
		for i, data := range [][]byte{cert, cert, pair} {
			path := h.Root + w.Platform.Certs[i]
			w.must(os.MkdirAll(filepath.Dir(path), 0o700))
			w.must(os.WriteFile(path, data, 0o600))
		}
	}
}

// startEtcd runs the real etcd with the flags of its manifest or unit.
func (w *World) startEtcd(h *Host, p *Proc) {
	m := h.Etcd
	args := []string{
		"--name=" + m.Name, "--data-dir=" + h.Root + m.DataDir,
		"--listen-client-urls=" + m.Client, "--advertise-client-urls=" + m.Client,
		"--listen-peer-urls=" + m.Peer, "--initial-advertise-peer-urls=" + m.Peer, "--initial-cluster=" + m.cluster,
		"--listen-metrics-urls=" + m.Metrics,
		"--trusted-ca-file=" + h.Root + w.Platform.Certs[0], "--cert-file=" + h.Root + w.Platform.Certs[1], "--key-file=" + h.Root + w.Platform.Certs[2], "--client-cert-auth",
		"--unsafe-no-fsync", "--heartbeat-interval=50", "--election-timeout=500", "--initial-election-tick-advance=true",
	}
	if m.joins {
		args = append(args, "--initial-cluster-state=existing")
	}
	if m.WALDir != "" {
		args = append(args, "--wal-dir="+h.Root+m.WALDir)
	}
	log, err := os.OpenFile(filepath.Join(w.Dir, h.Name+".etcd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	w.must(err)
	p.cmd = exec.Command(w.programs.Etcd, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	w.must(p.cmd.Start())
	done := make(chan struct{})
	p.done = done
	go func() {
		p.cmd.Wait()
		log.Close()
		close(done)
	}()
}

// etcd is a client of all members.
func (w *World) etcd() *clientv3.Client {
	if w.client == nil {
		var endpoints []string
		h := w.controlPlane()[0]
		for _, h := range w.controlPlane() {
			endpoints = append(endpoints, h.Etcd.Client)
		}
		ca, err := os.ReadFile(h.Root + w.Platform.Certs[0])
		w.must(err)
		pair, err := tls.LoadX509KeyPair(h.Root+w.Platform.Certs[1], h.Root+w.Platform.Certs[2])
		w.must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		w.client, err = clientv3.New(clientv3.Config{
			Endpoints: endpoints, TLS: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
			DialTimeout: time.Second, Logger: zap.NewNop(),
			DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1, MaxDelay: 50 * time.Millisecond}})},
		})
		w.must(err)
	}
	return w.client
}

// quorum says whether enough members run.
func (w *World) quorum() bool {
	running, members := 0, 0
	for _, h := range w.controlPlane() {
		if p := h.procs["etcd"]; p != nil && p.ends == 0 {
			running++
			members = max(members, strings.Count(h.Etcd.cluster, "=http"))
		}
	}
	return running > members/2
}

// revision asks etcd for its revision; 0 when it does not answer.
func (w *World) revision() int64 {
	if !w.quorum() {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	r, err := w.etcd().Get(ctx, "health")
	if err != nil {
		return 0
	}
	return r.Header.Revision
}

// Evidence is what is on the workstation at first.
type Evidence struct {
	Run             string // below testdata/clusters
	Backup, Current string // paths on the workstation; Current may be "", or a directory
	Directory       bool   // Current is the data directory of the first member
	Dead            bool   // no etcd runs any more
	WALDir          string // of the log on members, "" for none of its own
	Prefix          string // of etcd's keys, "" for the usual one
	Keys            string // the file with the keys by which Secrets and ConfigMaps are encrypted, "" for none
}

// prepared are snapshots of the worlds' clusters, by run and members.
var prepared = map[string][2][]byte{}

// Evidence puts the snapshots of a run onto the workstation, as members of this world save
// them, and lets the cluster be as the newer one has it; more was written since.
func (w *World) Evidence(e Evidence) {
	w.tb.Helper()
	w.Platform.WALDir, w.Platform.Prefix = e.WALDir, e.Prefix
	if e.Keys != "" {
		w.Platform.Encrypted = []string{"secrets", "configmaps"}
		w.must(os.WriteFile(filepath.Join(w.host(Workstation).Home, e.Keys), []byte(encryptionConfig), 0o600))
	}
	w.members()
	key := e.Run + " " + w.controlPlane()[0].Etcd.cluster + w.Platform.ID + e.Prefix + e.Keys
	if _, ok := prepared[key]; !ok {
		prepared[key] = [2][]byte{
			w.prepare(corpus.Unpack(w.tb, e.Run+"/backup.db.gz")),
			w.prepare(corpus.Unpack(w.tb, e.Run+"/current.db.gz")),
		}
	}
	home := w.host(Workstation).Home
	current := filepath.Join(w.Dir, "current.db")
	w.must(os.WriteFile(current, prepared[key][1], 0o600))
	for _, h := range w.controlPlane() {
		dir := h.Root + h.Etcd.DataDir
		w.must(os.MkdirAll(filepath.Dir(dir), 0o700))
		wal := ""
		if h.Etcd.WALDir != "" {
			wal = h.Root + h.Etcd.WALDir
			w.must(os.MkdirAll(filepath.Dir(wal), 0o700))
		}
		w.restoreMember(h, current, dir, wal)
	}
	w.startControlPlane()
	w.load(w.etcd(), e.Dead)
	put := func(name string, data []byte) {
		path := filepath.Join(home, name)
		w.must(os.MkdirAll(filepath.Dir(path), 0o700))
		w.must(os.WriteFile(path, data, 0o600))
	}
	put(e.Backup, prepared[key][0])
	w.backup = filepath.Join(home, e.Backup)
	if name := filepath.Base(e.Backup); strings.HasPrefix(name, "snapshot_") { // as OpenShift saves it
		put(filepath.Join(filepath.Dir(e.Backup), strings.TrimSuffix("static_kuberesources_"+strings.TrimPrefix(name, "snapshot_"), ".db")+".tar.gz"), nil)
	}
	switch {
	case e.Directory:
		h := w.controlPlane()[0]
		w.must(os.MkdirAll(filepath.Join(home, e.Current), 0o700))
		w.must(exec.Command("cp", "-r", h.Root+h.Etcd.DataDir+"/member", filepath.Join(home, e.Current)+"/").Run())
		if h.Etcd.WALDir != "" {
			w.must(exec.Command("cp", "-r", h.Root+h.Etcd.WALDir, filepath.Join(home, e.Current+".wal")).Run())
		}
	case e.Current != "":
		put(e.Current, prepared[key][1])
	}
}

// prepare has a snapshot restored by the members of this world, and saved by one.
func (w *World) prepare(data []byte) []byte {
	w.tb.Helper()
	from := filepath.Join(w.Dir, "from.db")
	w.must(os.WriteFile(from, data, 0o600))
	w.mark(from)
	var procs []*Proc
	hosts := w.controlPlane()
	for _, h := range hosts {
		dir := h.Root + h.Etcd.DataDir
		w.must(os.MkdirAll(filepath.Dir(dir), 0o700))
		w.restoreMember(h, from, dir, "")
		own := *h.Etcd
		h.Etcd.WALDir = ""
		p := &Proc{}
		w.startEtcd(h, p)
		h.Etcd = &own
		procs = append(procs, p)
	}
	ctx, cancel := context.WithTimeout(w.tb.Context(), 30*time.Second)
	defer cancel()
	for {
		named := 0
		if list, err := w.etcd().MemberList(ctx); err == nil {
			for _, m := range list.Members {
				if len(m.ClientURLs) > 0 {
					named++
				}
			}
		} else if ctx.Err() != nil {
			w.tb.Fatalf("%v\n%s", err, w.etcdLogs())
		}
		if named == len(hosts) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	r, err := w.etcd().Snapshot(ctx)
	w.must(err)
	data, err = io.ReadAll(r)
	w.must(err)
	for i, p := range procs {
		p.cmd.Process.Kill()
		<-p.done
		w.must(os.RemoveAll(hosts[i].Root + hosts[i].Etcd.DataDir))
	}
	return data
}

func (w *World) restoreMember(h *Host, from, to, wal string) {
	w.tb.Helper()
	args := []string{"snapshot", "restore", from, "--data-dir=" + to, "--name=" + h.Etcd.Name, "--initial-cluster=" + h.Etcd.cluster, "--initial-advertise-peer-urls=" + h.Etcd.Peer}
	if wal != "" {
		args = append(args, "--wal-dir="+wal)
	}
	if out, err := exec.Command(w.programs.Etcdutl, args...).CombinedOutput(); err != nil {
		w.tb.Fatalf("etcdutl %q: %v\n%s", args, err, out)
	}
}

// startControlPlane starts everything on its hosts, and waits for it.
func (w *World) startControlPlane() {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.controlPlane() {
		w.Platform.setUp(w, h)
	}
	for i := 0; w.revision() == 0; i++ {
		if i > 200 {
			w.tb.Fatalf("the cluster does not start\n%s", w.etcdLogs())
		}
		time.Sleep(50 * time.Millisecond)
	}
	for range 5 {
		w.Tick(5)
	}
}

// etcdLogs are the last lines of each.
func (w *World) etcdLogs() string {
	var all strings.Builder
	for _, h := range w.controlPlane() {
		data, _ := os.ReadFile(filepath.Join(w.Dir, h.Name+".etcd.log"))
		lines := bytes.Split(data, []byte("\n"))
		fmt.Fprintf(&all, "%s:\n%s\n", h.Name, bytes.Join(lines[max(0, len(lines)-12):], []byte("\n")))
	}
	return all.String()
}

// backupRevision is the newest revision of the backup.
func (w *World) backupRevision() int64 {
	out, err := exec.Command(w.programs.Etcdutl, "snapshot", "status", w.backup, "--write-out=json").Output()
	w.must(err)
	var status struct{ Revision int64 }
	w.must(json.Unmarshal(out, &status))
	return status.Revision
}

// Revisions asks every member for its revision and the members that it knows.
func (w *World) Revisions() (revisions []int64, err error) {
	ids := map[uint64]bool{}
	for _, h := range w.controlPlane() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		s, err := w.etcd().Status(ctx, h.Etcd.Client)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		ids[s.Header.ClusterId] = true
		revisions = append(revisions, s.Header.Revision)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	list, err := w.etcd().MemberList(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 || len(list.Members) != len(w.controlPlane()) {
		text, _ := json.Marshal(list.Members)
		return nil, fmt.Errorf("%d clusters, members %s", len(ids), text)
	}
	return revisions, nil
}
