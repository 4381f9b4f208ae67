package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"sigs.k8s.io/yaml"

	"revenant/analyzer/preflight"
	"revenant/export"
	"revenant/internal/adversary"
)

var (
	hostileCases = flag.Int("copies", 20, "how many cases TestHostileEvidence makes")
	hostileFrom  = flag.Uint64("from", 0, "seed of the first of them")
	hostileEvery = flag.Bool("every", false, "give each of them to every command, and not to a third of them in turn")
	hostileAlone = flag.String("alone", "", "give the first of them to these commands only, `NAME,...`, and measure")
	hostileKeep  = flag.String("keep", "", "write the evidence to this directory, too")
)

// What a command may take for evidence of less than 10 MB.
const (
	hostileTime   = 5 * time.Second
	hostileHang   = time.Minute // it is not waited for any longer
	hostileMemory = 64 << 20    // bytes beside those of the evidence, four times
)

// TestHostileEvidence gives evidence that is made to mislead to every command, in
// every format. None may crash, hang, take memory without bound, change the evidence,
// lose its output or let a control character through, and none may say what the
// generator knows to be false. With -copies N -from SEED it makes others: a seed that
// fails is run alone by -copies 1 -from SEED. When a goroutine of the program's own
// dies, the directory hostile-SEED-… is left behind.
func TestHostileEvidence(t *testing.T) {
	tmp := t.TempDir()
	for _, name := range []string{"TMPDIR", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		t.Setenv(name, tmp)
	}
	defer func(f *os.File) { os.Stderr = f }(os.Stderr)
	stray, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stray.Close()
	os.Stderr = stray // what is written there is no command's output
	h := &harness{t: t, kinds: map[string][]hostileFault{}, suspects: map[uint64][]string{}}
	defer h.watch()()
	if *hostileAlone != "" {
		h.measured.Store(true)
		h.suspects[*hostileFrom] = strings.Split(*hostileAlone, ",")
		debug.SetGCPercent(20)
		h.evidence(t, tmp, *hostileFrom)
		h.report(t)
		return
	}
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				h.evidence(t, tmp, seed)
				if n := h.cases.Add(1); n%1000 == 0 {
					t.Logf("%d cases", n) // for who watches a long run
				}
			}
		})
	}
	for i := range *hostileCases {
		seeds <- *hostileFrom + uint64(i)
	}
	close(seeds)
	workers.Wait()
	h.again(t)
	h.report(t)
	if written, err := os.ReadFile(stray.Name()); err != nil || len(written) > 0 {
		t.Errorf("something writes to standard error beside the commands: %.1000q, %v", written, err)
	}
	if left, _ := os.ReadDir(tmp); !t.Failed() && slices.ContainsFunc(left, func(e fs.DirEntry) bool { return e.Name() != "revenant" }) {
		t.Errorf("%s was left behind", left[0].Name())
	}
}

// harness runs cases and gathers what is wrong.
type harness struct {
	t        *testing.T
	mu       sync.Mutex
	kinds    map[string][]hostileFault
	suspects map[uint64][]string // commands that were slow or large beside others, by seed
	cases    atomic.Int64
	commands int
	exits    [4]int
	peak     atomic.Uint64 // bytes of heap since it was reset
	slowest  time.Duration
	measured atomic.Bool // nothing else runs
}

type hostileFault struct {
	seed   uint64
	detail string
}

func (h *harness) fault(seed uint64, kind, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := hostileFault{seed, fmt.Sprintf(format, args...)}
	if h.kinds[kind] == nil {
		h.t.Logf("first of its kind: %s: seed %d: %.600s", kind, f.seed, f.detail) // for who watches a long run
	}
	h.kinds[kind] = append(h.kinds[kind], f)
}

// report fails the test for every kind of fault, with its first seeds.
func (h *harness) report(t *testing.T) {
	kinds := make([]string, 0, len(h.kinds))
	for kind := range h.kinds {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		faults := h.kinds[kind]
		slices.SortFunc(faults, func(a, b hostileFault) int { return int(int64(a.seed) - int64(b.seed)) })
		var b strings.Builder
		for _, f := range faults[:min(3, len(faults))] {
			fmt.Fprintf(&b, "\n\tseed %d: %.600s", f.seed, f.detail)
		}
		t.Errorf("%s: %d times%s", kind, len(faults), &b)
	}
	t.Logf("%d cases from seed %d, %d commands: %d ended with 0, %d with 1, %d with 2, %d with 3; the slowest took %v",
		*hostileCases, *hostileFrom, h.commands, h.exits[0], h.exits[1], h.exits[2], h.exits[3], h.slowest)
}

// heap is how much of the heap is in use, garbage included, and what of it was not
// garbage when the collector looked last.
const (
	heapInUse = "/memory/classes/heap/objects:bytes"
	heapLive  = "/gc/heap/live:bytes"
)

func heapNow(metric string) uint64 {
	sample := []metrics.Sample{{Name: metric}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watch notes the peak of the heap until what it returns is called.
func (h *harness) watch() (stop func()) {
	done := make(chan struct{})
	var over sync.WaitGroup
	over.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if now := heapNow(h.heap()); now > h.peak.Load() {
					h.peak.Store(now)
				}
			}
		}
	})
	return func() { close(done); over.Wait() }
}

// heap is the metric that counts: alone, the collector keeps up with what a command takes.
func (h *harness) heap() string {
	if h.measured.Load() {
		return heapLive
	}
	return heapInUse
}

// again runs alone, each in a process of its own, what was slow or large beside others.
// Only that counts, and only what is so every time: something else may have been at work.
func (h *harness) again(t *testing.T) {
	for seed, names := range h.suspects {
		alone := strings.Join(names, ",")
		t.Logf("seed %d again, alone: %s", seed, alone)
		var out []byte
		err := errors.New("not run")
		for n := 0; n < 3 && err != nil; n++ {
			out, err = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostileEvidence$",
				"-from", fmt.Sprint(seed), "-alone", alone).CombinedOutput()
		}
		if err != nil {
			h.fault(seed, "slow or large when alone, too", "%v: %s", err, out)
		}
	}
}

// evidence makes a case and gives it to every command.
func (h *harness) evidence(t *testing.T, tmp string, seed uint64) {
	c, err := adversary.New(seed)
	if err != nil {
		h.fault(seed, "the generator failed", "%v", err)
		return
	}
	dir, err := os.MkdirTemp(tmp, fmt.Sprintf("hostile-%d-", seed))
	if err != nil {
		h.fault(seed, "the test failed", "%v", err)
		return
	}
	defer os.RemoveAll(dir)
	r := &hostileRun{harness: h, Case: c, dir: dir}
	if err := r.write(); err != nil {
		h.fault(seed, "the test failed", "%v", err)
		return
	}
	before := fingerprints(r.in(""))
	r.all(t)
	if after := fingerprints(r.in("")); after != before {
		r.fault("evidence changed", "before:\n%s\nafter:\n%s", before, after)
	}
}

// hostileRun is one case, on disk.
type hostileRun struct {
	*harness
	*adversary.Case
	dir  string
	size int64 // bytes of evidence
}

func (r *hostileRun) in(path string) string {
	return filepath.Join(r.dir, "evidence", filepath.FromSlash(path))
}
func (r *hostileRun) out(name string) string { return filepath.Join(r.dir, "out", name) }

func (r *hostileRun) fault(kind, format string, args ...any) {
	r.harness.fault(r.Seed, kind, "%s (%.300q)", fmt.Sprintf(format, args...), strings.Join(r.Notes, "; "))
}

func (r *hostileRun) write() error {
	if err := os.MkdirAll(r.out(""), 0o755); err != nil {
		return err
	}
	for name, data := range r.Files {
		path := r.in(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o444); err != nil {
			return err
		}
		r.size += int64(len(data))
	}
	if *hostileKeep != "" {
		return os.CopyFS(filepath.Join(*hostileKeep, fmt.Sprint(r.Seed)), os.DirFS(r.in("")))
	}
	return nil
}

// fingerprints tells every file below a directory, its times and its content.
func fingerprints(dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%q %v %d %v", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %x", sha256.Sum256(data))
		}
		b.WriteByte('\n')
		return nil
	})
	return fmt.Sprint(b.String(), err)
}

// answer is what a command wrote.
type answer struct {
	name  string
	code  int
	texts map[string]string // by format, and "errors"
	json  map[string]any
}

// ask runs a command. Its formats go to files, one of them to standard output.
func (r *hostileRun) ask(t *testing.T, name, flag string, formats []string, args ...string) *answer {
	stdout := ""
	if len(formats) > 0 {
		stdout = formats[int(r.Seed/10)%len(formats)]
	}
	file := func(format string) string { return r.out(strings.ReplaceAll(name, " ", "-") + "." + format) }
	for _, format := range formats {
		if format == stdout {
			args = append(args, flag, format)
		} else {
			args = append(args, flag, format+"="+file(format))
		}
	}
	var out, errs bytes.Buffer
	code, ok := r.run(t, name, args, &out, &errs, "")
	a := &answer{name: name, code: code, texts: map[string]string{"errors": errs.String()}}
	if !ok {
		return nil
	}
	a.texts[stdout] = out.String()
	for _, format := range formats {
		if format == stdout {
			continue
		}
		data, err := os.ReadFile(file(format))
		if err == nil {
			a.texts[format] = string(data)
		} else if code != exitFailed {
			r.fault(name+": an output is lost", "exit %d, and no %s: %v", code, format, err)
		}
	}
	r.check(a, formats)
	return a
}

// run runs a command line in time. ok is false when there is nothing to judge.
func (r *hostileRun) run(t *testing.T, name string, args []string, out, errs *bytes.Buffer, input string) (code int, ok bool) {
	type end struct {
		code  int
		panic string
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bound := uint64(hostileMemory + 4*r.size)
	if strings.HasPrefix(name, "get") || strings.HasPrefix(name, "extract") || name == "diff" || name == "timeline" || name == "describe" {
		bound += hostileMemory // an object that is decoded whole may ask for as much (decoder/kube maxTyped)
	}
	if r.measured.Load() {
		// What is allocated while the collector is at work counts as live. It is to be
		// over before that is much.
		debug.FreeOSMemory()
		inUse := heapNow("/memory/classes/total:bytes") - heapNow("/memory/classes/heap/released:bytes")
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(int64(inUse + bound/2)))
	}
	base := heapNow(r.heap())
	r.peak.Store(base)
	began, busy := time.Now(), processorTime()
	ended := make(chan end, 1)
	go func() {
		var e end
		defer func() {
			if p := recover(); p != nil {
				e.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			ended <- e
		}()
		e.code = run(ctx, args, streams{in: strings.NewReader(input), out: out, err: errs})
	}()
	var e end
	select {
	case e = <-ended:
	case <-time.After(hostileHang):
		r.fault(name+": hangs", "no end after %v: %q", hostileHang, args)
		return 0, false
	}
	took, peak := time.Since(began), max(r.peak.Load(), heapNow(r.heap()))
	r.mu.Lock()
	r.commands++
	r.slowest = max(r.slowest, took)
	if e.code >= 0 && e.code < len(r.exits) {
		r.exits[e.code]++
	}
	if !r.measured.Load() { // half of the heap may be garbage, or another case's
		bound *= 2
	}
	if r.measured.Load() { // others may have the processors
		took = min(took, processorTime()-busy)
	}
	large := peak > base && peak-base > bound
	if !r.measured.Load() && (took > hostileTime || large) {
		r.suspects[r.Seed] = append(r.suspects[r.Seed], name)
	}
	r.mu.Unlock()
	switch {
	case e.panic != "":
		r.fault(name+": panics", "%s", e.panic)
		return 0, false
	case e.code < 0 || e.code > 3:
		r.fault(name+": an exit code that is not documented", "%d", e.code)
	case !r.measured.Load():
	case took > hostileTime:
		r.fault(name+": too slow", "%v for %d bytes", took, r.size)
	case large:
		r.fault(name+": too much memory", "%d MiB for %d bytes", (peak-base)>>20, r.size)
	}
	return e.code, true
}

// check holds an answer against what holds for every command.
func (r *hostileRun) check(a *answer, formats []string) {
	for format, text := range a.texts {
		if at, c := unclean(text); c != 0 {
			r.fault(a.name+": a raw character in "+format, "%U in %q", c, text[max(0, at-60):min(len(text), at+60)])
		}
	}
	for format, text := range a.texts {
		if slices.Contains([]string{"json", "yaml", "jsonl", "timesketch", "sarif", "attestation"}, format) {
			continue // they are whole
		}
		if c := crowded(text); c != "" {
			r.fault(a.name+": a character of more than can be shown in "+format, "%d bytes: %.100q", len(c), c)
		}
	}
	if a.code == exitFailed {
		if !strings.HasPrefix(a.texts["errors"], "revenant: ") && !strings.Contains(a.texts["errors"], "\nrevenant: ") {
			r.fault(a.name+": fails without a word", "%q", a.texts["errors"])
		}
		for _, words := range []string{"json: unsupported", "error marshaling", "write output", "runtime error"} {
			if strings.Contains(a.texts["errors"], words) {
				r.fault(a.name+": a document is not written", "%q", a.texts["errors"])
			}
		}
		if len(a.texts[""]) > 0 && len(formats) > 0 {
			r.fault(a.name+": fails with half an output", "%q", a.texts[""])
		}
	}
	for format, text := range a.texts {
		if text == "" || a.code == exitFailed && format != "json" {
			timeless := format == "timesketch" && strings.Contains(a.texts["errors"], "Timesketch takes none without a time")
			if a.code != exitFailed && format != "errors" && format != "" && !timeless {
				r.fault(a.name+": an output is empty", "%s, exit %d", format, a.code)
			}
			continue
		}
		switch format {
		case "json":
			var tooLarge *json.UnmarshalTypeError // for Go's numbers, as 1e400 is
			if err := json.Unmarshal([]byte(text), &a.json); err != nil && !errors.As(err, &tooLarge) {
				r.fault(a.name+": the JSON does not parse", "%v", err)
			}
		case "yaml":
			var doc map[string]any
			if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
				r.fault(a.name+": the YAML does not parse", "%v", err)
			} else if other := a.texts["json"]; other != "" {
				var want map[string]any
				if json.Unmarshal([]byte(other), &want) == nil && !reflect.DeepEqual(want, doc) {
					r.fault(a.name+": YAML and JSON differ", "%s", difference(want, doc, ""))
				}
			}
		case "html":
			if strings.Count(text, "<script") != 1 || strings.Count(text, "</script") != 1 || !strings.HasSuffix(text, "</html>\n") {
				r.fault(a.name+": a page is not whole", "%d scripts, ends in %q", strings.Count(text, "<script"), text[max(0, len(text)-60):])
			}
		case "markdown":
			if strings.Count(text, "\n```")%2 != 0 {
				r.fault(a.name+": a fence in Markdown is not closed", "%d fences", strings.Count(text, "\n```"))
			}
		}
	}
}

// difference is where two values begin to differ.
func difference(a, b any, at string) string {
	am, ok1 := a.(map[string]any)
	bm, ok2 := b.(map[string]any)
	if ok1 && ok2 {
		for k := range am {
			if !reflect.DeepEqual(am[k], bm[k]) {
				return difference(am[k], bm[k], at+"."+k)
			}
		}
	}
	al, ok1 := a.([]any)
	bl, ok2 := b.([]any)
	if ok1 && ok2 && len(al) == len(bl) {
		for i := range al {
			if !reflect.DeepEqual(al[i], bl[i]) {
				return difference(al[i], bl[i], fmt.Sprintf("%s[%d]", at, i))
			}
		}
	}
	return fmt.Sprintf("%s: %.100q and %.100q", at, fmt.Sprint(a), fmt.Sprint(b))
}

// crowded finds the first character that is made of more code points than are drawn.
func crowded(s string) string {
	for g := graphemes.FromString(s); g.Next(); {
		if utf8.RuneCountInString(g.Value()) > 13 { // what stands before may join, too
			return g.Value()
		}
	}
	return ""
}

// unclean finds the first character that a terminal acts on, or that nobody sees.
func unclean(s string) (int, rune) {
	for i, c := range s {
		switch {
		case c == '\n' || c == '\t':
		case c == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			return i, -1
		case !unicode.IsGraphic(c) || c == '\u2028' || c == '\u2029' || unicode.Is(unicode.Variation_Selector, c):
			return i, c
		}
	}
	return 0, 0
}

// make makes a scenario of the pair, which may be refused: then nothing of it is there.
func (r *hostileRun) make(t *testing.T, backup, current string) {
	dir := r.out("scenario")
	defer os.RemoveAll(dir)
	a := r.ask(t, "train", "", nil, "train", "--make", backup, current, "--out", dir)
	if a == nil {
		return
	}
	if _, err := os.Stat(dir); (err == nil) != (a.code == exitOK) {
		r.fault("train: fails and leaves a directory, or makes none", "exit %d: %s", a.code, a.texts["errors"])
	}
	if a.code == exitOK {
		r.ask(t, "train made", "", nil, "train", dir)
	}
}

// export writes tables, each line of which is to be JSON that steers no terminal.
func (r *hostileRun) export(t *testing.T, backup, current string) {
	dir := r.out("tables")
	defer os.RemoveAll(dir)
	r.ask(t, "export", "", nil, "export", backup, "--out", dir)
	a := r.ask(t, "export lines", "", nil, "export", "--format", "ndjson", "--current", current, backup, "--out", dir)
	if a == nil {
		return
	}
	files := 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if filepath.Ext(path) != ".ndjson" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if at, c := unclean(string(text)); c != 0 {
			r.fault("export: a raw character", "%U in %q", c, text[max(0, at-60):min(len(text), at+60)])
		}
		for line := range bytes.Lines(text) {
			if !json.Valid(line) {
				r.fault("export: a line that is no JSON", "%.200q in %s", line, path)
			}
		}
		return err
	})
	if a.code != exitFailed && files != len(export.List) {
		r.fault("export: tables are missing", "%d files, exit %d", files, a.code)
	}
}

// all gives the case to every command, or to a third of them in turn.
func (r *hostileRun) all(t *testing.T) {
	backup, current := r.in(r.Backup.Path), r.in(r.Current.Path)
	data, runbook := []string{"table", "json", "yaml"}, []string{"text", "markdown", "json", "yaml", "html"}
	platform := platformNames()[int(r.Seed/3)%len(platformNames())]
	clean := r.out("clean.db")
	for i, command := range []struct {
		name string
		run  func()
	}{
		{"inspect", func() {
			r.judgeInspection(r.ask(t, "inspect", "-o", data, "inspect", "--hash", "--at", "5", "--at", "2026-11-23T04:58Z", current), r.Current)
		}},
		{"predict", func() {
			r.judgePrediction(r.ask(t, "predict", "-o", append(slices.Clone(data), "markdown", "html", "sarif", "attestation"), "predict", "--all", backup, current))
		}},
		{"report", func() {
			r.ask(t, "report", "-o", []string{"text", "markdown", "json", "yaml", "html"}, "report", "--platform", platform, backup, current)
		}},
		{"verify", func() {
			r.judgeDrift(r.ask(t, "verify", "-o", append(slices.Clone(data), "markdown", "html", "sarif", "attestation"), r.verify(current)...))
		}},
		{"inspect several", func() {
			r.judgeInspection(r.ask(t, "inspect several", "-o", append(slices.Clone(data), "markdown", "html", "sarif", "attestation"), "inspect", backup, current), r.Backup, r.Current)
		}},
		{"plan", func() {
			r.judgeRunbook(r.ask(t, "plan", "-o", runbook, "plan", "--platform", platform, backup, current), r.Backup, r.Current)
		}},
		{"salvage", func() {
			r.judgeSalvage(t, r.ask(t, "salvage", "--report", data, "salvage", current, "-o", clean), clean)
		}},
		{"train", func() { r.make(t, backup, current) }},
		{"export", func() { r.export(t, backup, current) }},
		{"predict and compare", func() {
			r.judgeComparison(r.ask(t, "predict and compare", "-o", append(slices.Clone(data), "markdown", "html", "attestation"), "predict", "--compare", backup, current))
		}},
		{"carve", func() { r.judgeAlone(r.ask(t, "carve", "-o", data, "carve", "--objects", current), r.Current) }},
		{"get", func() { r.ask(t, "get", "-o", []string{"json", "yaml", "wide", "name"}, "get", current) }},
		{"diff", func() {
			r.ask(t, "diff", "-o", []string{"text", "table", "markdown", "json", "html"}, "diff", "--force", backup, current)
		}},
		{"timeline", func() {
			r.ask(t, "timeline", "-o", []string{"table", "jsonl", "timesketch", "csv", "markdown", "html"}, "timeline", current)
		}},
		{"describe", func() { r.ask(t, "describe", "", nil, "describe", current, "pods") }},
		{"storage", func() { r.judgeAlone(r.ask(t, "storage", "-o", data, "storage", "--top", "0", current), r.Current) }},
		{"extract", func() { r.ask(t, "extract", "-o", []string{"json"}, "extract", "--show-secrets", current) }},
		{"extract a stream", func() { r.ask(t, "extract a stream", "-o", []string{"yaml"}, "extract", "--raw", "--deleted", current) }},
		{"history", func() {
			r.ask(t, "history", "-o", data, "history", "--carved", "-f", backup, "-f", current, "/registry/namespaces/kube-system")
		}},
		{"search", func() { r.ask(t, "search", "-o", []string{"text"}, "search", "--regexp", "-f", current, "[a-z]") }},
		{"who", func() {
			r.ask(t, "who", "-o", data, "who", "-f", backup, "-f", current, "/registry/namespaces/kube-system", "--audit-log", current)
		}},
		{"overview", func() { r.judgeOverview(r.ask(t, "overview", "", nil, backup, current)) }},
		{"inspect with hashkv", func() { r.ask(t, "inspect with hashkv", "-o", data[:1], "inspect", "--hashkv", current) }},
		{"preflight", func() {
			r.judgePreflight(r.ask(t, "preflight", "-o", []string{"text", "markdown", "json", "yaml", "prometheus", "html"}, "preflight", backup, current), r.Backup, r.Current)
		}},
		{"plan of a backup", func() {
			r.judgeRunbook(r.ask(t, "plan of a backup", "-o", runbook, "plan", "--platform", platform, current), r.Current)
		}},
		{"plain UI", func() { r.plainUI(t, backup, current) }},
		{"inspect with a configuration", func() {
			if r.Config != "" {
				r.ask(t, "inspect with a configuration", "-o", data, "inspect", "--encryption-config", r.in(r.Config), current)
			}
		}},
	} {
		turn := *hostileEvery || (uint64(i)+r.Seed)%3 == 0 || r.sober() && command.name == "verify"
		if *hostileAlone != "" {
			turn = slices.Contains(r.suspects[r.Seed], command.name)
		}
		if turn {
			command.run()
		}
	}
}

// sober says whether all that is hostile is in the dumps.
func (r *hostileRun) sober() bool {
	return !slices.ContainsFunc(r.Notes, func(n string) bool {
		return !strings.HasPrefix(n, "dumps: ") && !strings.HasPrefix(n, "kubectl: ")
	})
}

// plainUI goes through the screens.
func (r *hostileRun) plainUI(t *testing.T, backup, current string) {
	var out, errs bytes.Buffer
	keys := "pods\nenter\nesc\nnodes\nenter\nesc\nworkloads\nobjects\nj\nenter\ntimeline\nstorage\nundone\nproblems\nplans\n[\n]\nb\nm\nr\na\nhelp\nquit\n"
	if code, ok := r.run(t, "plain UI", []string{"--plain", "--carved", backup, current}, &out, &errs, keys); ok {
		r.check(&answer{name: "plain UI", code: code, texts: map[string]string{"text": out.String(), "errors": errs.String()}}, nil)
	}
}

// verify is the command line of verify.
func (r *hostileRun) verify(snapshot string) []string {
	args := []string{"verify", snapshot, "--dumps", r.in(r.Dumps), "--partial"}
	if r.Kubectl != "" {
		args = append(args, "--kubectl", r.in(r.Kubectl))
	}
	return args
}

// judgeAlone judges the exit code of a command that reads evidence and says what it
// found.
func (r *hostileRun) judgeAlone(a *answer, evidence ...adversary.Evidence) {
	if a == nil {
		return
	}
	sound := true
	for _, e := range evidence {
		sound = sound && e.Sound
		if e.Damaged != "" && a.code != exitDamaged && a.code != exitFailed {
			r.fault(a.name+": damage is not told by the exit code", "exit %d although %s", a.code, e.Damaged)
		}
	}
	if sound && a.code != exitOK {
		r.fault(a.name+": sound evidence is refused", "exit %d: %s", a.code, a.texts["errors"])
	}
}

func (r *hostileRun) judgeInspection(a *answer, evidence ...adversary.Evidence) {
	r.judgeAlone(a, evidence...)
	if a == nil || a.json == nil {
		return
	}
	list, _ := a.json["evidence"].([]any)
	if len(list) != len(evidence) {
		return // one could not be read, and the exit code says so
	}
	for i, e := range evidence {
		found := list[i].(map[string]any)
		grade, _ := found["grade"].(string)
		called := grade == "whole" || grade == "unverified"
		switch {
		case e.Damaged != "" && called:
			r.fault(a.name+": damaged evidence is called "+grade, "%s", e.Damaged)
		case e.Sound && !called:
			r.fault(a.name+": sound evidence is called "+grade, "%.500v", found["problems"])
		}
		if records, _ := found["records"].(float64); e.Sound && e.Records >= 0 && e.Path != "data" && int(records) != e.Records {
			r.fault(a.name+": records are lost", "%v of %d", records, e.Records)
		}
	}
	if text := a.texts["table"]; evidence[0].Damaged != "" && len(evidence) == 1 && (strings.Contains(text, "whole: ") || strings.Contains(text, "  problems           none") && strings.Contains(text, "  trailer            ok")) {
		r.fault(a.name+": damaged evidence has no problem", "%s", evidence[0].Damaged)
	}
}

// phantomsKnown says whether the pair can only be predicted one way.
func (r *hostileRun) phantomsKnown(a *answer) bool {
	return a != nil && a.code != exitFailed && len(r.Phantoms) > 0
}

func (r *hostileRun) judgePrediction(a *answer) {
	if a == nil {
		return
	}
	r.judgeDamage(a)
	if !r.phantomsKnown(a) || a.json == nil {
		return
	}
	outcomes := map[string]string{}
	pods, _ := a.json["pods"].([]any)
	for _, p := range pods {
		pod := p.(map[string]any)
		outcomes[fmt.Sprint(pod["uid"])] = fmt.Sprint(pod["outcome"])
		if pod["uid"] == "" { // its value cannot be read, and so nothing but its key is known
			for _, e := range pod["evidence"].([]any) {
				outcomes[fmt.Sprint(e.(map[string]any)["key"])] = fmt.Sprint(pod["outcome"])
			}
		}
	}
	outcome := func(p adversary.Pod) string {
		if o, ok := outcomes[p.UID]; ok {
			return o
		}
		return outcomes["/registry/pods/"+p.Namespace+"/"+string([]rune(p.Name))] // every byte that is not UTF-8 is one U+FFFD
	}
	for _, p := range r.Phantoms {
		if got := outcome(p); got != "phantom" && got != "unknown" {
			r.fault(a.name+": a phantom is called "+fmt.Sprintf("%q", got), "%+q", p)
		}
	}
	for _, p := range r.Ghosts {
		if got := outcome(p); got != "ghost" && got != "unknown" {
			r.fault(a.name+": a ghost is called "+fmt.Sprintf("%q", got), "%+q", p)
		}
	}
}

// judgeDamage wants the damage of either state to be told, and no failure without any.
func (r *hostileRun) judgeDamage(a *answer) { r.judgeAlone(a, r.Backup, r.Current) }

func (r *hostileRun) judgeComparison(a *answer) {
	if a == nil {
		return
	}
	r.judgeDamage(a)
	if !r.phantomsKnown(a) || a.json == nil {
		return
	}
	modes, _ := a.json["modes"].([]any)
	for _, m := range modes {
		mode := m.(map[string]any)
		summary, _ := mode["summary"].(map[string]any)
		n, _ := summary["phantom"].(float64)
		unknown, _ := summary["unknown"].(float64)
		if mode["id"] == "plain" && int(n+unknown) < len(r.Phantoms) {
			r.fault(a.name+": phantoms are missing", "%v and %v unknown, of %d", n, unknown, len(r.Phantoms))
		}
	}
}

func (r *hostileRun) judgeOverview(a *answer) {
	if a == nil {
		return
	}
	r.judgeDamage(a)
	text := strings.Join(strings.Fields(a.texts[""]), " ")
	none := strings.Contains(text, "No phantoms and no ghosts")
	if none && (r.phantomsKnown(a) || r.Current.Damaged != "" && !strings.Contains(text, "Evidence is missing: ")) {
		r.fault(a.name+": says that there are no phantoms", "%.2000q", text)
	}
}

// sample is a line of the text format of Prometheus.
var sample = regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+\{backup="(\\.|[^"\\])*"(,[a-z]+="[a-z-]*")*\} -?[0-9.e+-]+)$`)

// judgePreflight wants damage to fail, and no check to pass that rests on what is damaged.
func (r *hostileRun) judgePreflight(a *answer, evidence ...adversary.Evidence) {
	if a == nil {
		return
	}
	sound, damaged := true, ""
	for _, e := range evidence {
		sound = sound && e.Sound
		if damaged = cmp.Or(damaged, e.Damaged); e.Damaged != "" && a.code != exitDamaged && a.code != exitFailed {
			r.fault(a.name+": damage is not told by the exit code", "exit %d although %s", a.code, e.Damaged)
		}
	}
	if sound && a.code != exitOK && a.code != exitFindings {
		r.fault(a.name+": sound evidence is refused", "exit %d: %s", a.code, a.texts["errors"])
	}
	for line := range strings.Lines(a.texts["prometheus"]) {
		if !sample.MatchString(strings.TrimSuffix(line, "\n")) {
			r.fault(a.name+": no line of Prometheus", "%.300q", line)
		}
	}
	checks, _ := a.json["checks"].([]any)
	for i, c := range checks {
		check := c.(map[string]any)
		if verdict := check["verdict"]; verdict == "pass" && evidence[0].Damaged != "" && !preflight.Infos[i].Sound {
			r.fault(a.name+": a check passes on damaged evidence", "%v: %v", check["id"], check["reason"])
		}
	}
	if grade := a.json["grade"]; a.json != nil && damaged != "" && grade != "fail" {
		r.fault(a.name+": damaged evidence is graded better than that", "%v: %s", grade, damaged)
	}
}

func (r *hostileRun) judgeRunbook(a *answer, evidence ...adversary.Evidence) {
	r.judgeAlone(a, evidence...)
	if a == nil || a.json == nil {
		return
	}
	var commands []string
	steps, _ := a.json["steps"].([]any)
	for _, s := range steps {
		list, _ := s.(map[string]any)["commands"].([]any)
		for _, c := range list {
			commands = append(commands, fmt.Sprint(c.(map[string]any)["run"]))
		}
	}
	r.judgeCommands(a.name, commands)
}

func (r *hostileRun) judgeDrift(a *answer) {
	if a == nil {
		return
	}
	if r.Stray.UID != "" && a.code == exitOK {
		r.fault(a.name+": clean, and a phantom runs", "%q", r.Notes)
	}
	unread := strings.Contains(a.texts["table"], " that cannot be read")                                                                // it may be any pod
	silent := strings.Contains(a.texts["table"], "silent-kubelet")                                                                      // a node of which crictl alone tells is never clean
	refused := strings.Contains(a.texts["errors"], "which is no UTF-8") || strings.Contains(a.texts["errors"], "which is longer than ") // no API lists such names, and a store may hold them
	if r.Stray.UID == "" && len(r.Notes) == 0 && a.code != exitOK && !unread && !silent && !refused {
		r.fault(a.name+": not clean, and nothing is wrong", "exit %d: %s%.2000s", a.code, a.texts["errors"], a.texts["table"])
	}
	if r.Current.Damaged != "" && a.code != exitDamaged && a.code != exitFailed {
		r.fault(a.name+": damage is not told by the exit code", "exit %d although %s", a.code, r.Current.Damaged)
	}
	var commands []string
	findings, _ := a.json["findings"].([]any)
	for _, f := range findings {
		commands = append(commands, fmt.Sprint(f.(map[string]any)["command"]))
	}
	r.judgeCommands(a.name, commands)
}

func (r *hostileRun) judgeSalvage(t *testing.T, a *answer, clean string) {
	r.judgeAlone(a, r.Current)
	if a == nil {
		return
	}
	if a.code == exitFailed {
		if _, err := os.Lstat(clean); err == nil {
			r.fault("salvage: fails and leaves a file", "%s", a.texts["errors"])
		}
		return
	}
	if lossless, _ := a.json["lossless"].(bool); lossless && r.Current.Missing {
		r.fault("salvage: says that nothing is missing", "%s", r.Current.Damaged)
	}
	again := r.ask(t, "inspect what was salvaged", "-o", []string{"json"}, "inspect", clean)
	switch {
	case again == nil:
	case again.code == exitFailed:
		r.fault("salvage: what it wrote cannot be read", "%s", again.texts["errors"])
	case r.Current.Sound && a.code == exitOK && again.code != exitOK:
		r.fault("salvage: what it wrote of sound evidence is damaged", "%.500v", again.texts["json"])
	}
}

// judgeCommands wants every command line to be one that a shell takes apart as it is
// meant: what is hostile in it stands in quotes, and is no option.
func (r *hostileRun) judgeCommands(name string, commands []string) {
	for _, c := range commands {
		if why := escapes(c); why != "" {
			r.fault(name+": a command line that a hostile name gets out of", "%s: %q", why, c)
		}
	}
	if hostile := strings.Join(commands, "\n"); strings.Contains(hostile, "pwned") && bash != "" {
		cmd := exec.Command(bash, "-n")
		cmd.Stdin = strings.NewReader(hostile)
		if out, err := cmd.CombinedOutput(); err != nil {
			r.fault(name+": a command line that bash does not parse", "%v: %s in %q", err, out, hostile)
		}
	}
}

var bash, _ = exec.LookPath("bash")

var (
	harmless = regexp.MustCompile(`^[\p{L}\p{N}_@%+=:,./-]*;?$`) // with the end of a command
	asOption = regexp.MustCompile(`^-+` + adversary.Mark)
)

// escapes says how a hostile name gets out of its place in a command line, "" when it
// does not.
func escapes(line string) string {
	words, err := shellWords(line)
	if err != "" {
		return err
	}
	operands := false
	for _, w := range words {
		switch {
		case !strings.Contains(w.text, adversary.Mark):
		case strings.Contains(w.bare, adversary.Mark) && !harmless.MatchString(w.bare):
			return "a word without quotes: " + w.text
		case asOption.MatchString(w.text) && !operands:
			return "an option: " + w.text
		}
		operands = operands || w.text == "--"
	}
	if len(words) > 0 && words[0].text == "ssh" {
		return escapes(words[len(words)-1].text)
	}
	return ""
}

// shellWord is a word of a command line, and what of it stands outside of quotes.
type shellWord struct{ text, bare string }

// shellWords takes a command line apart as a POSIX shell does, as far as runbooks go.
func shellWords(line string) (words []shellWord, problem string) {
	var w shellWord
	open, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\' && c != '$' && c != '`':
			w.text += string(c)
		case quote == c && c != 0:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, open = c, true
		case c == '\\':
			if i++; i == len(line) {
				return nil, "a backslash at the end"
			}
			if line[i] != '\n' {
				w.text, open = w.text+string(line[i]), true
			}
		case quote == 0 && (c == ' ' || c == '\n' || c == '\t'):
			if open {
				words = append(words, w)
			}
			w, open = shellWord{}, false
		default: // what stands in double quotes and is expanded counts as bare, too
			w.text, w.bare, open = w.text+string(c), w.bare+string(c), true
		}
	}
	if quote != 0 {
		return nil, "a quote that does not end"
	}
	if open {
		words = append(words, w)
	}
	return words, ""
}
