package browser

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"revenant/internal/adversary"
	"revenant/internal/clustertest"
	"revenant/oracle/cli"
)

//go:embed package.json
var packageJSON []byte

//go:embed package-lock.json
var packageLock []byte

// What TestMain makes.
var (
	program  string // revenant
	axe      string // source of axe-core
	chromium context.Context
)

func TestMain(m *testing.M) {
	cli.Main(func(dir string) (int, error) { return prepared(dir, m) })
}

// prepared builds the program, gets axe-core, starts Chromium and runs the tests.
func prepared(dir string, m *testing.M) (code int, err error) {
	if program, err = cli.Build(dir); err != nil {
		return 1, err
	}
	for name, data := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return 1, err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	source, err := os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		return 1, err
	}
	axe = string(source)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WindowSize(1366, 900), chromedp.WSURLReadTimeout(time.Minute))
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			options = append(options, chromedp.ExecPath(path))
			break
		}
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	defer end()
	var stop context.CancelFunc
	chromium, stop = chromedp.NewContext(allocator)
	defer stop()
	if err := chromedp.Do(chromium); err != nil {
		return 1, fmt.Errorf("start Chromium: %w", err)
	}
	return m.Run(), nil
}

// step is something to do in a tab.
type step = chromedp.Action[chromedp.Void]

// call is a command of the browser's protocol.
func call[P, R any](command cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// script evaluates an expression, whatever its value.
func script(expression string) step {
	return chromedp.Evaluate[chromedp.Void](expression, func(p *runtime.EvaluateParams) { p.UserGesture = new(true) })
}

// screen has the page drawn for so many columns of pixels.
func screen(width int64) step {
	if width == 0 {
		return call(emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	}
	return call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 844, DeviceScaleFactor: 1, Mobile: width < 500})
}

// media has the page drawn for a medium and a scheme of colours.
func media(medium, scheme string) step {
	p := emulation.SetEmulatedMediaParams{Media: medium}
	if scheme != "" {
		p.Features = []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	}
	return call(emulation.SetEmulatedMedia, p)
}

// tab is a page that is open.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	errors   []string // of the console, and exceptions
	requests []string
}

// open opens an address in a tab of its own, once before has been done.
func open(t *testing.T, address string, before ...step) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(chromium)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			p.errors = append(p.errors, fmt.Sprint(e.Type, e.Args))
		case *runtime.EventExceptionThrown:
			p.errors = append(p.errors, e.ExceptionDetails.Text)
		case *cdplog.EventEntryAdded:
			p.errors = append(p.errors, e.Entry.Text)
		case *page.EventJavascriptDialogOpening:
			p.errors = append(p.errors, "a dialog: "+e.Message)
		case *network.EventRequestWillBeSent:
			p.requests = append(p.requests, e.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.do(call(cdplog.Enable, cdp.Empty{}), call(network.Enable, network.EnableParams{}))
	p.do(before...)
	p.do(chromedp.Navigate(address))
	return p
}

func (p *tab) do(steps ...step) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// quiet wants nothing to have been reported, and nothing asked for but the page.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.errors {
		p.t.Errorf("the console says %q", e)
	}
	if len(p.requests) != 1 {
		p.t.Errorf("requests: %q", p.requests)
	}
}

// get evaluates an expression in a page.
func get[T any](p *tab, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, func(e *runtime.EvaluateParams) {
		e.AwaitPromise, e.UserGesture = new(true), new(true)
	}))
	if err != nil {
		p.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// want evaluates an expression.
func want[T comparable](p *tab, expression string, expected T) {
	p.t.Helper()
	if got := get[T](p, expression); got != expected {
		p.t.Errorf("%.200s is %v, not %v", expression, got, expected)
	}
}

// Expressions about the table of pods: its rows that are shown, and the first cell of
// each.
const (
	podTable  = `document.querySelector('table.pods')`
	shownRows = `[...` + podTable + `.querySelectorAll('tbody tr')].filter((r) => r.checkVisibility())`
	names     = shownRows + `.map((r) => r.cells[3].textContent).join(' ')`
)

// filter types into the box above the table of pods, and waits until it has been applied.
func (p *tab) filter(text string) {
	p.t.Helper()
	const tools = podTable + `.parentElement.previousElementSibling`
	p.do(script(`window.filterBox = `+tools+`.querySelector('input'); filterBox.value = ''; filterBox.focus(); 0`), chromedp.KeyEvent(text))
	words := strings.Fields(text)
	p.do(chromedp.Poll[chromedp.Void](fmt.Sprintf(`filterBox.value === %q && `+tools+`.querySelector('output').textContent.includes(' of ') === %t && %q.split(' ').every((w) => `+shownRows+`.every((r) => r.textContent.includes(w)))`, text, len(words) > 0, strings.Join(words, " "))))
}

// TestReport sorts, filters and copies in a page that is a file.
func TestReport(t *testing.T) {
	backup, current := cli.Pair(t, t.TempDir())
	path := cli.Write(t, program, "html", "report", backup, current, "--platform", "kubeadm", "--restart-kubelets", "none")
	p := open(t, "file://"+path)
	t.Run("filter", func(t *testing.T) {
		all := get[int](p, shownRows+".length")
		want(p, podTable+`.querySelectorAll('tbody tr').length`, all)
		p.filter("phantom node-4")
		few := get[int](p, shownRows+".length")
		if few == 0 || few >= all {
			t.Errorf("%d rows of %d", few, all)
		}
		want(p, shownRows+`.every((r) => r.textContent.includes('phantom') && r.textContent.includes('node-4'))`, true)
		want(p, podTable+`.parentElement.previousElementSibling.querySelector('output').textContent`, fmt.Sprintf("%d of %d rows", few, all))
		// Print has everything, whatever is filtered.
		p.do(media("print", ""))
		want(p, shownRows+".length", all)
		want(p, `[...document.querySelectorAll('.tools, nav, .command button')].some((e) => e.checkVisibility())`, false)
		// Chromium leaves buttons out of the header that it repeats on every sheet.
		want(p, `[...document.querySelectorAll('th button')].every((b) => getComputedStyle(b).display === 'contents')`, true)
		p.do(media("", ""))
		p.filter(" ")
		want(p, shownRows+".length", all)
	})
	t.Run("sort", func(t *testing.T) {
		before := get[string](p, names)
		press := podTable + `.querySelectorAll('thead th')[3].querySelector('button').click()`
		p.do(script(press))
		up := get[string](p, names)
		want(p, podTable+`.querySelectorAll('thead th')[3].getAttribute('aria-sort')`, "ascending")
		want(p, shownRows+`.every((r, i, all) => i === 0 || all[i-1].cells[3].textContent <= r.cells[3].textContent)`, true)
		p.do(script(press))
		want(p, shownRows+`.every((r, i, all) => i === 0 || all[i-1].cells[3].textContent >= r.cells[3].textContent)`, true)
		p.do(script(press))
		if after := get[string](p, names); after != before || up == before {
			t.Error("the third press does not bring the first order back, or the first changes nothing")
		}
	})
	t.Run("numbers", func(t *testing.T) {
		// A count that is partly only possible stands by its sum.
		p.do(script(`document.querySelector('table.objects tbody tr').cells[5].textContent = '1,000 1?'`))
		press := `document.querySelectorAll('table.objects thead th')[5].querySelector('button').click()`
		p.do(script(press))
		want(p, `[...document.querySelectorAll('table.objects tbody tr')].map((r) => r.cells[5].textContent === '1,000 1?' ? 1001 : Number(r.cells[5].textContent.replace(/,/g, ''))).filter((n) => !Number.isNaN(n)).every((n, i, all) => i === 0 || all[i-1] <= n)`, true)
	})
	t.Run("copy", func(t *testing.T) {
		for _, clipboard := range []bool{true, false} { // with the browser's clipboard, and without
			if clipboard {
				for _, name := range []string{"clipboard-read", "clipboard-write"} {
					if _, err := chromedp.CallBrowser(p.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted}); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				p.do(script(`navigator.clipboard.writeText = () => Promise.reject(new Error()); 0`))
			}
			line := 1
			if !clipboard {
				line = 2
			}
			command := get[string](p, fmt.Sprintf(`document.querySelectorAll('pre.run')[%d].textContent`, line))
			p.do(script(fmt.Sprintf(`document.querySelectorAll('.command button')[%d].click()`, line)),
				chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.querySelectorAll('.command button')[%d].textContent === 'Copied'`, line)))
			if got := get[string](p, `navigator.clipboard.readText()`); got != command || command == "" {
				t.Errorf("the clipboard has %q, not %q", got, command)
			}
		}
	})
	t.Run("axe", func(t *testing.T) { p.accessible() })
	p.quiet()
}

// accessible wants axe-core to find no serious fault, on a wide light screen and on
// a narrow dark one.
func (p *tab) accessible() {
	p.t.Helper()
	p.do(script(axe + "; 0"))
	for _, look := range []struct {
		scheme string
		width  int64
	}{{"light", 1366}, {"dark", 390}} {
		p.do(media("", look.scheme), screen(look.width))
		found := get[string](p, `axe.run({resultTypes: ['violations']}).then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary).join('; ')).join('\n'))`)
		if found != "" {
			p.t.Errorf("%s, %d wide:\n%s", look.scheme, look.width, found)
		}
	}
	p.do(media("", ""), screen(0))
}

// TestEveryPage opens what each verb writes.
func TestEveryPage(t *testing.T) {
	backup, current := cli.Pair(t, t.TempDir())
	data, err := os.ReadFile(current)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, data[:len(data)-4128], 0o400); err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "node-1.pods.json")
	if err := os.WriteFile(dump, []byte(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}`), 0o400); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"predict":                 {"predict", backup, current},
		"predict, nothing wrong":  {"predict", backup, current, "--bump-revision", "1000000000", "--mark-compacted"},
		"predict, damaged":        {"predict", backup, damaged},
		"predict, other machines": {"predict", backup, "--onto", "new-machines"},
		"compare":                 {"predict", backup, current, "--compare"},
		"plan":                    {"plan", backup, current, "--platform", "kubeadm"},
		"preflight":               {"preflight", backup, current},
		"preflight, damaged":      {"preflight", damaged},
		"inspect":                 {"inspect", backup, damaged},
		"verify":                  {"verify", backup, "--kubelet", "node-1=" + dump},
		"diff":                    {"diff", backup, current, "-n", "shop"},
		"timeline":                {"timeline", current, "-n", "shop"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, "file://"+cli.Write(t, program, "html", args...))
			want(p, `document.querySelectorAll('h1').length`, 1)
			want(p, `document.documentElement.scrollWidth <= window.innerWidth`, true)
			p.do(screen(390))
			want(p, `document.documentElement.scrollWidth`, 390)
			p.do(screen(0))
			p.accessible()
			p.quiet()
		})
	}
}

// TestWithoutScript reads a page with JavaScript off, and behind the header that Jenkins
// sends with what a build archives.
func TestWithoutScript(t *testing.T) {
	backup, current := cli.Pair(t, t.TempDir())
	path := cli.Write(t, program, "html", "report", backup, current, "--platform", "kubeadm")
	whole := open(t, "file://"+path)
	text := func(p *tab) string {
		return get[string](p, `(() => { const all = document.body.cloneNode(true); for (const e of all.querySelectorAll('script, .tools, .command button')) e.remove(); return all.textContent.replace(/\s+/g, ' ').trim(); })()`)
	}
	expected := text(whole)
	rows := get[int](whole, `document.querySelectorAll('tr').length`)
	check := func(t *testing.T, p *tab) {
		if got := text(p); got != expected {
			t.Errorf("the text is another one, of %d bytes and not %d", len(got), len(expected))
		}
		want(p, `document.querySelectorAll('button, input').length`, 0)
		want(p, `[...document.querySelectorAll('tr')].filter((r) => r.checkVisibility()).length`, rows)
		want(p, `[...document.querySelectorAll('svg')].every((s) => s.getBoundingClientRect().height > 20)`, true)
	}
	t.Run("off", func(t *testing.T) {
		p := open(t, "file://"+path, call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
		check(t, p)
		p.quiet()
	})
	t.Run("Jenkins", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; img-src 'self'; style-src 'self'")
			http.ServeFile(w, r, path)
		}))
		defer server.Close()
		p := open(t, server.URL+"/page.html")
		check(t, p)
		want(p, `getComputedStyle(document.querySelector('h1')).marginTop !== '0px'`, true) // the style is not applied
		want(p, `[...document.querySelectorAll('h1, h2, table, svg, pre')].every((e) => e.checkVisibility())`, true)
		for _, r := range p.requests {
			if !strings.HasPrefix(r, server.URL+"/page.html") && !strings.HasSuffix(r, "/favicon.ico") {
				t.Errorf("asks for %s", r)
			}
		}
	})
}

// TestHostileNames opens pages of evidence in which everything has a name that is markup,
// a script, or text that steers what shows it.
func TestHostileNames(t *testing.T) {
	for i, name := range []string{
		`</td></table></script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1"><svg onload=window.pwned=1>`,
		"\"><iframe src=javascript:alert(1)>'--><style>*{display:none}</style>\x1b[2J\u202egnp.exe\u2066\u200b",
		"</title></pre><!-- {{.}} ${window.pwned=1} javascript:alert(1)//\x00\xff\u2028",
	} {
		c, err := adversary.Named(uint64(i), name)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		in := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
		for file, data := range c.Files {
			if err := os.MkdirAll(filepath.Dir(in(file)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in(file), data, 0o444); err != nil {
				t.Fatal(err)
			}
		}
		backup, current := in(c.Backup.Path), in(c.Current.Path)
		for verb, args := range map[string][]string{
			"report":    {"report", "--force", "--platform", "kubeadm", backup, current},
			"inspect":   {"inspect", backup, current},
			"preflight": {"preflight", "--force", backup, current},
			"verify":    {"verify", current, "--dumps", in(c.Dumps), "--partial"},
			"diff":      {"diff", "--force", backup, current},
		} {
			t.Run(fmt.Sprint(i, " ", verb), func(t *testing.T) {
				p := open(t, "file://"+cli.Write(t, program, "html", args...))
				if shown := []rune(name); !strings.Contains(get[string](p, `document.body.textContent`), string(shown[:6])) && (verb == "report" || verb == "diff") {
					t.Errorf("the page does not have the name")
				}
				want(p, `typeof window.pwned`, "undefined")
				want(p, `document.querySelectorAll('script').length`, 1)
				want(p, `document.querySelectorAll('style').length`, 1)
				want(p, `document.querySelectorAll('img, iframe, object, embed, link, base, form, foreignObject, image, use, animate').length`, 0)
				want(p, `[...document.querySelectorAll('*')].every((e) => [...e.attributes].every((a) => !/^on|^style$|^src/i.test(a.name) && (a.name !== 'href' || a.value[0] === '#')))`, true)
				want(p, `[...document.querySelectorAll('section')].length > 0 && document.querySelector('footer') !== null`, true)
				want(p, `/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(document.documentElement.textContent)`, false)
				p.quiet()
			})
		}
	}
}

// TestLarge opens the page of 30,000 pods, all of which are in it. What the page keeps the
// main thread busy with is counted, in processor time: other work beside it takes none of that.
func TestLarge(t *testing.T) {
	c, err := clustertest.New(clustertest.Options{Seed: 7, Pods: 30_000, Nodes: 300})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	backup, current := filepath.Join(dir, "backup.db"), filepath.Join(dir, "current.db")
	for path, data := range map[string][]byte{backup: c.Backup, current: c.Current} {
		if err := os.WriteFile(path, data, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	path := cli.Write(t, program, "html", "predict", backup, current)
	began := time.Now()
	p := open(t, "file://"+path, call(performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}))
	get[int](p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))`)
	took := time.Since(began)
	if rows := get[int](p, podTable+`.querySelectorAll('tbody tr').length`); rows < 30_000 {
		t.Errorf("%d rows", rows)
	}
	metrics, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (performance.GetMetricsResult, error) {
		return cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
	})
	if err != nil {
		t.Fatal(err)
	}
	busy := 0.0
	for _, m := range metrics.Metrics {
		if m.Name == "TaskDuration" {
			busy = m.Value
		}
	}
	t.Logf("opened in %v; the main thread was busy for %.2f s", took, busy)
	if busy <= 0 || busy > 2 {
		t.Errorf("the main thread was busy for %.2f s", busy)
	}
	p.filter("ghost n17")
	want(p, shownRows+`.every((r) => r.textContent.includes('ghost') && r.textContent.includes('n17'))`, true)
	p.quiet()
}
