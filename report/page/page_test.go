package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

// written is a page with every kind of element, in which every string is the same.
func written(t *testing.T, s string) string {
	t.Helper()
	var out bytes.Buffer
	p := New(&out)
	rows := make([]Row, 70)
	for i := range rows {
		rows[i] = Row{Mark: Bad, Cells: []string{s, s}}
	}
	p.Write(Head{Kind: s, About: []string{s}, Mark: Warn, Verdict: s, Verdicts: []string{s}}, s, []Section{
		{ID: "a", Title: s, Write: func() {
			p.El("p", "", s)
			p.Bullets([]string{s})
			p.Checks([]string{s})
			p.Command(s)
			p.Example(s)
			p.Lines("+" + s + "\n-" + s + "\n")
			p.List([]Item{{s, s}})
			p.Table("pods", s, []Column{{Title: s}, {Title: s, Wide: true}}, rows)
		}},
		{ID: "b", Title: s, Write: func() {
			p.Ruler([]Span{{Name: s, From: 1, To: 5, Mark: Bad, Text: s}}, s)
			p.Map([]Cell{{Name: s, Text: s, Counts: [4]int{1, 2, 3, 4}}}, s)
			p.Map(make([]Cell, 50), s)
			p.Bars([]Bar{{Value: 1, Known: true, Says: s}, {Says: s}}, s, s, s, s)
		}},
	})
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestEscapes wants the markup of a page to be the same whatever the strings in it are:
// between tags and quotes none of them ends anything.
func TestEscapes(t *testing.T) {
	tags := regexp.MustCompile(`<[^>]*>`)
	values := regexp.MustCompile(`="[^"]*"`)
	skeleton := func(s string) string {
		page := written(t, s)
		for _, part := range []markup{style, script} {
			page = strings.Replace(page, string(part), "", 1)
		}
		return strings.Join(tags.FindAllString(values.ReplaceAllString(page, `=""`), -1), "\n")
	}
	want := skeleton("name")
	if strings.Count(want, "\n") < 200 {
		t.Fatalf("the page is short:\n%s", want)
	}
	for _, s := range []string{
		`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, `</title></style><!--`, `]]>`, "&lt;b&gt;", "`${alert(1)}`",
		"a\x00b", "a\u202eb", "a\xffb", "a\u2028b", "\x1b[2J", "e" + strings.Repeat("\u0301", 500),
	} {
		if got := skeleton(s); got != want {
			t.Errorf("%q changes the markup", s)
		}
		for _, raw := range []string{"\x00", "\u202e", "\xff", "\u2028", "\x1b"} {
			if page := written(t, s); strings.Contains(s, raw) && strings.Contains(page, raw) {
				t.Errorf("%q is written raw", raw)
			}
		}
	}
}

// TestPolicy wants the policy to name the style and the script that the page has, and no
// element to need what the policy refuses.
func TestPolicy(t *testing.T) {
	page := written(t, "name")
	for tag, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		found := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
		if len(found) != 1 {
			t.Fatalf("%d elements %s", len(found), tag)
		}
		sum := sha256.Sum256([]byte(found[0][1]))
		if want := directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(Policy, want) {
			t.Errorf("the policy does not have %s", want)
		}
	}
	if !strings.Contains(page, strings.ReplaceAll(Policy, "'", "&#39;")) || !strings.HasPrefix(Policy, "default-src 'none';") {
		t.Errorf("the page does not have the policy %s", Policy)
	}
	if found := regexp.MustCompile(` style="| on[a-z]+="|(href|src)="[^#]|url\(|@import`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	if written(t, "name") != page {
		t.Error("the same is written differently")
	}
}
