package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// server is an etcd in a process of its own, and a client of it.
type server struct {
	*clientv3.Client
	endpoint string
	kill     func() // SIGKILL, and its end waited for
}

// start starts an etcd of one member. It commits to its db only when it must, so
// that a killed one always leaves writes that stand in its log only.
func start(ctx context.Context, program, data string, flags ...string) (*server, error) {
	const peer = "http://127.0.0.1:2380" // the ids follow from it; nobody listens there
	client, listen, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, append(flags, "--name=default", "--data-dir="+data, "--log-level=warn",
		"--listen-client-urls=http://"+client, "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://"+listen, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer,
		"--backend-batch-interval=1h", "--snapshot-count=200")...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + client}, Logger: zap.NewNop()})
	kill := sync.OnceFunc(func() {
		if c != nil {
			c.Close()
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
	})
	if err == nil {
		err = ready(ctx, c)
	}
	if err != nil {
		kill()
		return nil, fmt.Errorf("start %s: %w\n%s", program, err, said.String())
	}
	return &server{Client: c, endpoint: "http://" + client, kill: kill}, nil
}

// ready waits until the server answers.
func ready(ctx context.Context, c *clientv3.Client) error {
	return eventually(ctx, func(ctx context.Context) error {
		_, err := c.Get(ctx, "ready")
		return err
	})
}

// settle waits until the server has written the version of its storage, which
// etcd does from 3.6 on, some time after it has first committed.
func (s *server) settle(ctx context.Context) error {
	return eventually(ctx, func(ctx context.Context) error {
		r, err := s.Status(ctx, s.endpoint)
		if err == nil && r.Version >= "3.6" && !strings.HasPrefix(r.StorageVersion, r.Version[:3]) {
			err = fmt.Errorf("storage version is %q", r.StorageVersion)
		}
		return err
	})
}

// eventually asks again until there is no error.
func eventually(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := ask(once)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// slowCompaction are the flags with which a server stops within a compaction for
// longer than it lives. Before 3.5 none are needed: it commits a compaction that is
// scheduled, and what comes of it only with the next writes.
func slowCompaction(ctx context.Context, program string) []string {
	help, _ := exec.CommandContext(ctx, program, "--help").CombinedOutput()
	for _, prefix := range []string{"--", "--experimental-"} {
		sleep := prefix + "compaction-sleep-interval"
		if bytes.Contains(help, []byte(" "+sleep)) {
			return []string{sleep + "=1h", prefix + "compaction-batch-limit=50"}
		}
	}
	return nil
}

// freeAddresses are two that nobody listens on.
func freeAddresses() (a, b string, err error) {
	la, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer la.Close()
	lb, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer lb.Close()
	return la.Addr().String(), lb.Addr().String(), nil
}

// save writes the snapshot that the server sends.
func (s *server) save(ctx context.Context, path string) error {
	r, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	return zipped(path, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// pack writes the files of a data directory as they are.
func pack(data, path string) error {
	return zipped(path, func(w io.Writer) error {
		tw := tar.NewWriter(w)
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			name, err := filepath.Rel(data, path)
			if err != nil {
				return err
			}
			return packFile(tw, path, filepath.ToSlash(name))
		})
		if err != nil {
			return err
		}
		return tw.Close()
	})
}

func packFile(tw *tar.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}

func zipped(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	zw, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := write(zw); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	return f.Close()
}

func stateOf(rev int64, r *clientv3.GetResponse) state {
	s := state{Revision: rev}
	for _, kv := range r.Kvs {
		sum := sha256.Sum256(kv.Value)
		s.Keys = append(s.Keys, key{
			Key: string(kv.Key), CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision,
			Version: kv.Version, Lease: kv.Lease, ValueSHA256: hex.EncodeToString(sum[:]),
		})
	}
	return s
}
