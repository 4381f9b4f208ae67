// Command members makes the files in testdata/etcd/members: what the members of a
// cluster leave behind that has promoted, moved and removed some of them, and whom they
// named as members after a restart.
//
//	members -out DIR 3.4=PATH 3.5=PATH ...
//
// PATH is the program of an etcd server. scripts/etcd-members.sh gets them all.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

func main() {
	out := flag.String("out", "", "directory to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *out == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	for _, arg := range flag.Args() {
		name, program, ok := strings.Cut(arg, "=")
		err := fmt.Errorf("%q is not VERSION=PATH", arg)
		if ok {
			err = run(ctx, program, filepath.Join(*out, name))
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "members: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// member is what etcd says of a member.
type member struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
	Learner    bool     `json:"learner"`
}

// answers is members.json: the version, the members after the restart, and the id of the
// member that was removed, m2.
type answers struct {
	Etcd    string   `json:"etcd"`
	Members []member `json:"members"`
	Removed string   `json:"removed"`
}

type cluster struct {
	*clientv3.Client
	program, dir string
	running      []*exec.Cmd
}

func url(n, port int) string { return fmt.Sprintf("http://127.0.77.%d:%d", 10+n, port) }

func (c *cluster) data(n int) string { return filepath.Join(c.dir, fmt.Sprintf("m%d", n)) }

// start starts a member, which joins those in initial.
func (c *cluster) start(n int, state string, initial ...string) error {
	cmd := exec.Command(c.program, fmt.Sprintf("--name=m%d", n), "--data-dir="+c.data(n), "--log-level=error",
		"--listen-client-urls="+url(n, 2379), "--advertise-client-urls="+url(n, 2379),
		"--listen-peer-urls="+url(n, 2380)+","+url(n, 2381), "--initial-advertise-peer-urls="+url(n, 2380),
		"--initial-cluster="+strings.Join(initial, ","), "--initial-cluster-state="+state, "--snapshot-count=40")
	c.running = append(c.running, cmd)
	return cmd.Start()
}

func (c *cluster) kill() {
	for _, cmd := range c.running {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	c.running = nil
}

// eventually asks again until there is no error.
func eventually(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, 3*time.Second)
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

// write writes some keys, so that raft saves a snapshot now and then.
func (c *cluster) write(ctx context.Context, n int) error {
	for i := range n {
		if err := eventually(ctx, func(ctx context.Context) error {
			_, err := c.Put(ctx, fmt.Sprintf("/k/%d", i%5), fmt.Sprint(i))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// join adds a member as a learner, starts and promotes it.
func (c *cluster) join(ctx context.Context, n int) (id uint64, err error) {
	err = eventually(ctx, func(ctx context.Context) error {
		added, err := c.MemberAddAsLearner(ctx, []string{url(n, 2380)})
		if err == nil {
			id = added.Member.ID
		}
		return err
	})
	var initial []string
	for i := range n + 1 {
		initial = append(initial, fmt.Sprintf("m%d=%s", i, url(i, 2380)))
	}
	err = errors.Join(err, c.start(n, "existing", initial...))
	if err != nil {
		return 0, err
	}
	return id, eventually(ctx, func(ctx context.Context) error {
		_, err := c.MemberPromote(ctx, id)
		return err
	})
}

// run makes the files of one version.
func run(ctx context.Context, program, out string) error {
	dir, err := os.MkdirTemp("", "etcd-members-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	c := &cluster{program: program, dir: dir}
	defer c.kill()
	if c.Client, err = clientv3.New(clientv3.Config{Endpoints: []string{url(0, 2379)}, Logger: zap.NewNop()}); err != nil {
		return err
	}
	defer c.Close()
	if err := errors.Join(c.start(0, "new", "m0="+url(0, 2380)), c.write(ctx, 10)); err != nil {
		return err
	}
	moved, err1 := c.join(ctx, 1)
	err2 := c.write(ctx, 50)
	removed, err3 := c.join(ctx, 2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	err = eventually(ctx, func(ctx context.Context) error {
		_, err := c.MemberUpdate(ctx, moved, []string{url(1, 2381)})
		return err
	})
	err = errors.Join(err, eventually(ctx, func(ctx context.Context) error {
		_, err := c.MemberRemove(ctx, removed)
		return err
	}), eventually(ctx, func(ctx context.Context) error {
		_, err := c.MemberAddAsLearner(ctx, []string{url(3, 2380)})
		return err
	}), c.write(ctx, 5))
	if err != nil {
		return err
	}
	c.kill()
	for n := range 3 {
		if err := pack(c.data(n), filepath.Join(out, fmt.Sprintf("m%d.tar.gz", n))); err != nil {
			return err
		}
	}
	if err := errors.Join(c.start(0, "existing"), c.start(1, "existing")); err != nil {
		return err
	}
	a := answers{Removed: fmt.Sprintf("%x", removed)}
	err = eventually(ctx, func(ctx context.Context) error {
		if _, err := c.Get(ctx, "ready"); err != nil {
			return err
		}
		status, err := c.Status(ctx, url(0, 2379))
		if err != nil {
			return err
		}
		list, err := c.MemberList(ctx)
		if err != nil {
			return err
		}
		a.Etcd, a.Members = status.Version, nil
		for _, m := range list.Members {
			a.Members = append(a.Members, member{fmt.Sprintf("%x", m.ID), m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner})
		}
		return nil
	})
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "members.json"), append(b, '\n'), 0o644)
}

// pack packs a data directory. Of the zeros that the log is prepared with some are kept.
func pack(data, path string) error {
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	tw := tar.NewWriter(zw)
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) == ".tmp" {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".wal" {
			used := len(bytes.TrimRight(content, "\x00"))
			content = content[:min(len(content), (used/4096+2)*4096)]
		}
		if err := tw.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = tw.Write(content)
		return err
	})
	if err := errors.Join(err, tw.Close(), zw.Close()); err != nil {
		return err
	}
	return os.WriteFile(path, packed.Bytes(), 0o644)
}
