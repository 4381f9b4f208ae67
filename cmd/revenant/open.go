package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"

	"revenant/analyzer/restore"
	"revenant/decoder/container"
	"revenant/decoder/encryption"
	"revenant/decoder/kube"
	"revenant/decoder/metrics"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/report"
)

const defaultExpanded = "64Gi"

// openOptions are the flags that say how evidence is read.
type openOptions struct {
	skipHashCheck   bool
	prefixes        []string
	maxExpanded     string
	maxRatio        int64
	maxEntries      int
	walDir          string
	assumeCommitted bool
	encryption      string
	caseID          string
	examiner        string
	verifyAfter     bool
	cacheDir        string

	anyKeys bool // an etcd without objects of Kubernetes will do
	status  bool // the status of every file is asked for
	wrecks  bool // and so will damaged evidence of which no revision can be reached

	metricsFiles []string // from --metrics, of commands that have a plan

	limits  container.Limits // from the flags
	metrics []*metrics.File
	keys    *encryption.Keyring
	guard   *outfile.Guard
	cache   *outfile.Cache // nil without --cache, or where its directory is of no use
	began   time.Time
}

func (o *openOptions) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.skipHashCheck, "skip-hash-check", false, "do not verify the SHA-256 trailer, and say so")
	flags.StringSliceVar(&o.prefixes, "etcd-prefix", nil, "`PREFIX,...` of the API servers' keys in etcd, the kube-apiserver's first; can be given several times (default: what the keys show)")
	flags.StringVar(&o.maxExpanded, "max-expanded", defaultExpanded, "`SIZE` that a compressed file may expand to at most")
	flags.Int64Var(&o.maxRatio, "max-ratio", container.DefaultRatio, "a compressed file may expand to `N` times its size at most, from 512 MiB on")
	flags.IntVar(&o.maxEntries, "max-entries", container.DefaultEntries, "an archive may have `N` entries at most")
	flags.StringVar(&o.walDir, "wal-dir", "", "`DIR` of the write-ahead log when it is not next to the db (etcd's --wal-dir); with two snapshots, that of the newest state")
	flags.BoolVar(&o.assumeCommitted, "assume-committed", false, "apply entries of a log that other members may not have agreed to")
	flags.StringVar(&o.encryption, "encryption-config", "", "`FILE` with the API server's EncryptionConfiguration, to decrypt what it encrypted")
	flags.StringVar(&o.caseID, "case", "", "case `ID` the examination belongs to, for the custody block; implies --verify-after")
	flags.StringVar(&o.examiner, "examiner", "", "`NAME` of the examiner, for the custody block")
	flags.BoolVar(&o.verifyAfter, "verify-after", false, "compute the SHA-256 of the evidence again when the work is done")
	flags.StringVar(&o.cacheDir, "cache", "", "private `DIR`, apart from the evidence, that keeps what indexing a plain snapshot file finds out, so that it opens faster the next time; can be deleted at any time")
}

// flags are those with which the evidence was read, whose keys were found below prefix,
// as words: for every file of it, and for the newest one. They leave out what changes no
// reading.
func (o *openOptions) flags(prefix string) (every, newest []string) {
	add := func(list *[]string, when bool, flag, value string) {
		if _, ok := sanitize.ShellWord(value); !ok {
			value = strings.ToUpper(strings.Trim(flag, "-="))
		}
		if when {
			*list = append(*list, flag+value)
		}
	}
	add(&every, prefix != kube.DefaultPrefix, "--etcd-prefix=", prefix)
	add(&every, o.encryption != "", "--encryption-config=", o.encryption)
	add(&every, o.assumeCommitted, "--assume-committed", "")
	add(&every, o.skipHashCheck, "--skip-hash-check", "")
	add(&every, o.maxExpanded != "" && o.maxExpanded != defaultExpanded, "--max-expanded=", o.maxExpanded)
	add(&every, o.maxRatio > 0 && o.maxRatio != container.DefaultRatio, "--max-ratio=", strconv.FormatInt(o.maxRatio, 10))
	add(&every, o.maxEntries > 0 && o.maxEntries != container.DefaultEntries, "--max-entries=", strconv.Itoa(o.maxEntries))
	add(&newest, o.walDir != "", "--wal-dir=", o.walDir)
	return every, newest
}

// parse reads the values of flags that are more than words. It is called before
// anything is opened.
func (o *openOptions) parse() error {
	size, err := resource.ParseQuantity(o.maxExpanded)
	if err != nil || size.Value() <= 0 {
		return hinted(fmt.Errorf("--max-expanded %q is not a size", o.maxExpanded), "such as 8Gi")
	}
	if o.maxRatio <= 0 {
		return fmt.Errorf("--max-ratio %d is not a ratio", o.maxRatio)
	}
	if o.maxEntries <= 0 {
		return fmt.Errorf("--max-entries %d is not a number of entries", o.maxEntries)
	}
	o.limits = container.Limits{Bytes: size.Value(), Ratio: o.maxRatio, Entries: o.maxEntries}
	if o.walDir != "" {
		info, err := os.Stat(o.walDir)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s: it is no directory", o.walDir)
		}
		if err != nil {
			return hinted(fmt.Errorf("--wal-dir: %w", err), "it is the directory of the log's segments, *.wal")
		}
	}
	o.began = time.Now()
	if o.encryption != "" {
		if o.keys, err = encryption.Load(o.encryption); err != nil {
			return hinted(fmt.Errorf("--encryption-config: %w", err), "it is the file that kube-apiserver is given with --encryption-provider-config")
		}
	}
	return nil
}

// guardOutputs tells the guard of all that is read: the paths of evidence, what the
// flags name beside them, and the person's own files. It comes before any output is
// opened. Where standard output or standard error is evidence, nothing is done.
func (o *openOptions) guardOutputs(s streams, paths ...string) (*outfile.Guard, error) {
	o.guard = &outfile.Guard{}
	for _, path := range paths {
		if in, ok := s.in.(*os.File); ok && path == "-" {
			o.guard.Descriptor(in)
			continue
		}
		archive, _ := container.Split(path)
		o.guard.Evidence(archive)
	}
	o.guard.Evidence(o.walDir)
	o.guard.Evidence(o.encryption)
	for _, path := range o.metricsFiles {
		o.guard.Evidence(path)
	}
	for _, path := range configPaths() {
		o.guard.Evidence(path)
	}
	if f, ok := s.err.(*os.File); ok && o.guard.Holds(f) {
		return nil, errMute
	}
	if s.errClear != nil {
		s.errClear.Store(true)
	}
	if f, ok := s.out.(*os.File); ok && o.guard.Holds(f) {
		return nil, fmt.Errorf("standard output %w", outfile.ErrEvidence)
	}
	if o.cacheDir != "" {
		var err error
		if o.cache, err = o.guard.Cache(o.cacheDir); err != nil {
			fmt.Fprintf(s.err, "warning: --cache is not used: %s\n", sanitize.Short(fmt.Sprintf("%s: %v", o.cacheDir, err), mostInError))
		}
	}
	return o.guard, nil
}

// decrypt is nil without keys.
func (o *openOptions) decrypt() func(string, []byte) ([]byte, error) {
	if o.keys == nil {
		return nil
	}
	return o.keys.Decrypt
}

// open opens a file of evidence; newest says that it is the newest state, or the
// only one.
func (o *openOptions) open(ctx context.Context, path string, newest bool, stdin io.Reader, tell func(snapshot.Progress)) (*snapshot.Snapshot, error) {
	opts := snapshot.Options{
		SkipHashCheck: o.skipHashCheck, Limits: o.limits, AssumeCommitted: o.assumeCommitted, Decrypt: o.decrypt(), Stdin: stdin, Status: o.status, Progress: tell, Cache: o.cache,
		MkdirTemp: func() (string, error) { return o.guard.MkdirTemp("revenant-") },
	}
	if newest {
		opts.WALDir = o.walDir
	}
	return snapshot.Open(ctx, path, opts)
}

// withOne opens a file beside which no other is read, lets use have it, and makes
// sure that the evidence is as it was.
func (o *openOptions) withOne(ctx context.Context, s streams, path string, use func(*snapshot.Snapshot, *progressLine) error) (err error) {
	if err := o.parse(); err != nil {
		return err
	}
	if err := o.readMetrics(ctx); err != nil {
		return err
	}
	bar := newProgressLine(s)
	defer bar.clear()
	opened, err := o.open(ctx, path, true, s.in, bar.of(filepath.Base(path)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	if err := use(opened, bar); err != nil {
		return err
	}
	return errors.Join(o.unchanged(ctx, opened), o.metricsUnchanged(ctx))
}

// withBackup is withOne for a backup whose current state is not given: its pods and nodes
// are read, and what is missing from it.
func (o *openOptions) withBackup(ctx context.Context, s streams, path string, use func(*side, restore.Evidence) error) error {
	return o.withOne(ctx, s, path, func(opened *snapshot.Snapshot, _ *progressLine) error {
		choice, err := o.needPrefix(ctx, opened)
		if err != nil {
			return err
		}
		state, err := restore.Load(ctx, opened, choice.Prefix)
		if err != nil {
			return err
		}
		e, err := report.NewEvidence(ctx, string(restore.InBackup), opened)
		if err != nil {
			return err
		}
		e.EtcdPrefixes = kube.SplitPrefixes(choice.Prefix)
		o.sign(&e, opened)
		state.Missing = e.Missing
		return use(&side{snapshot: opened, choice: choice, state: state}, e)
	})
}

// sign completes the custody of evidence.
func (o *openOptions) sign(e *restore.Evidence, s *snapshot.Snapshot) {
	c := &e.Custody
	c.Tool, c.Arguments = tool().Name+" "+tool().Version, os.Args[1:]
	c.Case, c.Examiner = o.caseID, o.examiner
	if c.Case != "" || c.Examiner != "" {
		c.Examined = o.began.UTC().Format(time.RFC3339)
	}
	switch {
	case o.verifies():
		c.Verified = "its SHA-256 is what it was"
	case s.TornPossible():
		c.Verified = "not compared: a running etcd uses it"
	default:
		c.Verified = "size, time of modification and identity are what they were"
	}
}

func (o *openOptions) verifies() bool { return o.verifyAfter || o.caseID != "" }

const copyHint = "copy the file, and read the copy"

// unchanged makes a change of the evidence while it was read an error: what
// was read may then be of neither state. Of a directory that a running etcd uses the
// document says so instead.
func (o *openOptions) unchanged(ctx context.Context, s *snapshot.Snapshot) error {
	var err error
	if !s.TornPossible() {
		err = s.Unchanged()
	}
	if err == nil && o.verifies() {
		err = s.Verify(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return hinted(err, copyHint)
	}
	return err
}
