package fleet

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/oracle/cli"
)

var clusters = flag.Int("clusters", 20, "how many clusters the fleet has")

//go:embed package.json
var packageJSON []byte

//go:embed package-lock.json
var packageLock []byte

//go:embed query.mjs
var query []byte

// What TestMain makes.
var (
	program    string // revenant
	made       string // the directory of the fleet
	scripts    string // where query.mjs runs
	repository string
)

func TestMain(m *testing.M) {
	flag.Parse()
	cli.Main(func(dir string) (int, error) { return prepared(dir, m) })
}

// prepared builds the program, gets DuckDB, makes the fleet and runs the tests.
func prepared(dir string, m *testing.M) (code int, err error) {
	if repository, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	if program, err = cli.Build(dir); err != nil {
		return 1, err
	}
	made, scripts = filepath.Join(dir, "fleet"), filepath.Join(dir, "scripts")
	if err := errors.Join(os.Mkdir(made, 0o700), os.Mkdir(scripts, 0o700)); err != nil {
		return 1, err
	}
	for name, data := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock, "query.mjs": query} {
		if err := os.WriteFile(filepath.Join(scripts, name), data, 0o600); err != nil {
			return 1, err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = scripts
	if out, err := npm.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := makeFleet(made, *clusters); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// revenant runs the program in the fleet's directory, and returns what it prints. Exit
// codes but 2 are findings.
func revenant(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = made
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() != 2 {
		return out
	}
	if err != nil {
		t.Fatalf("%q: %v: %s", args, err, err.(*exec.ExitError).Stderr)
	}
	return out
}

// exported is the fleet's tables, written once.
var exported = sync.OnceValues(func() (dir string, err error) {
	dir = filepath.Join(filepath.Dir(made), "tables")
	cmd := exporting(dir)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func exporting(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, append([]string{"export", "--files-from", "list.txt", "--out", dir}, args...)...)
	cmd.Dir = made
	return cmd
}

// tree has the hash of every file below a directory.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	list := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		list[strings.TrimPrefix(path, dir)] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestShards exports the fleet with 1, 4 and 16 shards. One of the 16 is killed while it
// writes, and done again.
func TestShards(t *testing.T) {
	whole, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	want := tree(t, whole)
	// Copies of one file, which are no snapshots here, share all but their rows.
	if files := *clusters*days*10 - 8*max(0, *clusters/10-1); len(want) != files {
		t.Errorf("%d files, of %d", len(want), files)
	}
	for _, shards := range []int{4, 16} {
		dir := t.TempDir()
		for i := range shards {
			shard := fmt.Sprintf("%d/%d", i, shards)
			if i == 5 {
				kill(t, dir, shard)
			}
			cmd := exporting(dir, "--shard", shard)
			if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 {
				t.Fatalf("shard %s: %v: %s", shard, err, out)
			}
		}
		if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
			t.Errorf("%d shards write other files (-one +them):\n%s", shards, diff)
		}
		again := exporting(dir)
		out, err := again.Output()
		if err != nil && again.ProcessState.ExitCode() != 3 {
			t.Fatal(err)
		}
		if n := strings.Count(string(out), "there already"); n != *clusters*days {
			t.Errorf("done again, it keeps %d of %d", n, *clusters*days)
		}
	}
}

// kill begins a shard, and kills it as soon as it has begun a file.
func kill(t *testing.T, dir, shard string) {
	t.Helper()
	cmd := exporting(dir, "--shard", shard)
	before := len(tree(t, dir))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for parts := 0; parts == 0; runtime.Gosched() {
		select {
		case err := <-ended:
			t.Fatalf("it ended before it was killed: %v", err)
		default:
		}
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // files come and go
			if strings.HasPrefix(filepath.Base(path), ".revenant-") {
				parts++
			}
			return nil
		})
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	left := tree(t, dir)
	t.Logf("killed, with %d files more", len(left)-before)
	for path := range left {
		if !regexp.MustCompile(`/(part-[0-9a-f]+\.parquet|_SUCCESS/[0-9a-f]+-[0-9a-f]+|\.revenant-[0-9a-f]+)$`).MatchString(path) {
			t.Errorf("%s is left", path)
		}
	}
}

// duckdb answers SQL texts.
type duckdb struct {
	in  *json.Encoder
	out *bufio.Reader
}

func startDuckDB(t *testing.T) *duckdb {
	t.Helper()
	cmd := exec.Command("node", "query.mjs")
	cmd.Dir = scripts
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("%v: %s", err, complaints.String())
		}
	})
	return &duckdb{json.NewEncoder(in), bufio.NewReader(out)}
}

type row = map[string]any

// ask has a text answered.
func (d *duckdb) ask(t *testing.T, sql string) []row {
	t.Helper()
	if err := d.in.Encode(sql); err != nil {
		t.Fatal(err)
	}
	line, err := d.out.ReadBytes('\n')
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	var answer struct {
		Rows  []row
		Error string
	}
	if err := json.Unmarshal(line, &answer); err != nil || answer.Error != "" {
		t.Fatalf("%v %s\n%s", err, answer.Error, sql)
	}
	return answer.Rows
}

// tables makes the tables known as docs/fleet.md says.
func (d *duckdb) tables(t *testing.T, dir string) {
	t.Helper()
	for _, language := range []string{"sql duckdb", "sql"} {
		for _, text := range fenced(t, language, "CREATE VIEW") {
			for statement := range strings.SplitSeq(strings.TrimSpace(text), ";\n") {
				d.ask(t, strings.ReplaceAll(statement, "'tables/", "'"+dir+"/"))
			}
		}
	}
}

// page is docs/fleet.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs/fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced are the code blocks of the page in a language that have a word in them.
func fenced(t *testing.T, language, word string) (list []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)```"+regexp.QuoteMeta(language)+"\n(.*?)```").FindAllStringSubmatch(page(t), -1) {
		if strings.Contains(m[1], word) {
			list = append(list, m[1])
		}
	}
	return list
}

// questions are the SQL texts of the page by their numbers.
func questions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)\n### ([0-9]+)\\. [^\n]*\n.*?```sql\n(.*?)```").FindAllStringSubmatch(page(t), -1) {
		all[m[1]] = m[2]
	}
	if len(all) != 10 {
		t.Fatalf("%d questions", len(all))
	}
	return all
}

// TestSecrets looks in every table for what the Secrets of the fleet hold.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(program, "export", file(0, 0), "--current", file(0, 3), "--format", "ndjson", "--out", dir)
	cmd.Dir = made
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if shown := revenant(t, "get", file(0, 0), "secrets", "-A", "-o", "json", "--show-secrets"); !bytes.Contains(shown, []byte(base64.StdEncoding.EncodeToString([]byte(secret)))) {
		t.Fatal("the Secrets do not hold what is looked for")
	}
	rows := 0
	for path := range tree(t, dir) {
		text, err := os.ReadFile(dir + path)
		if err != nil {
			t.Fatal(err)
		}
		rows += bytes.Count(text, []byte(`"resource":"secrets"`))
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("%x", secret)} {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("%s has what a Secret holds", path)
			}
		}
	}
	if rows != 6 {
		t.Errorf("%d rows of Secrets in objects and revisions", rows)
	}
}
