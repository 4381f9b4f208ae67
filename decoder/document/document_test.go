package document_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"revenant/decoder/document"
	"revenant/decoder/sanitize"
)

// acting are characters that act instead of being seen, of every kind.
const acting = "\x00\x1b\x7f\u0080\u009b\u00ad\u034f\u061c\u180e\u200b\u200d\u200e\u2028\u2029\u202e\u2060\u2066\ufe0f\ufeff\ufff9\ue000\U000e0041\U000e0100\U0010ffff\u0378"

// texts are strings for names and values.
var texts = []string{
	"", "plain", "é 日本", "a\nb\n", "  ", "yes", "1", "~", "#", "'", `"`, `\x1b`, `\u200b`, "- a", "a: b", "\t", "\r\n",
	acting, "a" + acting, "x\u202ey\\\"z", "line\nand\u2028line", strings.Repeat("k", 2000), strings.Repeat("\u200bk", 2000), "zz\u200b",
	strings.Repeat("word ", 50) + "\u202e " + strings.Repeat("word ", 50), "\ufffd",
}

// TestReadsBack writes each text as a name and as a value.
func TestReadsBack(t *testing.T) {
	doc := map[string]any{}
	for _, s := range texts {
		doc[s] = []any{s, map[string]any{s: s}}
	}
	checkDocument(t, doc)
	for _, s := range texts {
		checkDocument(t, map[string]any{s: s})
	}
}

func FuzzDocument(f *testing.F) {
	for _, s := range texts {
		f.Add(s, acting)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if utf8.ValidString(name) && utf8.ValidString(value) {
			checkDocument(t, map[string]any{name: []any{value, map[string]any{value: name}}, "number": json.Number("1.5"), "n": 7.0})
		}
	})
}

// checkDocument wants doc to come back from both formats, and no acting character in
// either.
func checkDocument(t *testing.T, doc map[string]any) {
	t.Helper()
	text, err := document.JSON(doc, "  ")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := document.Tree(text)
	if err != nil {
		t.Fatal(err)
	}
	inYAML, err := document.YAML(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{}
	plain, _ := json.Marshal(doc)
	if err := json.Unmarshal(plain, &want); err != nil {
		t.Fatal(err)
	}
	for format, out := range map[string][]byte{"JSON": text, "YAML": inYAML} {
		if i := strings.IndexFunc(string(out), func(r rune) bool { return r != '\n' && sanitize.Hidden(r) }); i >= 0 {
			t.Errorf("%s has a raw %q: %q", format, out[i:min(i+8, len(out))], out)
		}
		var got map[string]any
		if format == "JSON" {
			err = json.Unmarshal(out, &got)
		} else {
			err = yaml.Unmarshal(out, &got)
		}
		if err != nil {
			t.Errorf("%s: %v in %q", format, err, out)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s does not read back: %s", format, diff)
		}
	}
}

// TestOrdinary holds that what needs no escape is written as kubectl writes it.
func TestOrdinary(t *testing.T) {
	doc := map[string]any{"a": 1.5, "b": []any{1e21, 20, -3, uint64(1) << 63, true, nil}, "c": "text: \n x", "é": "日本\u0301", "d": 0.00001, "e": map[string]any{}}
	text, err := document.JSON(doc, "  ")
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := document.Tree(text)
	got, _ := document.YAML(tree)
	want, _ := yaml.Marshal(doc)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestTime(t *testing.T) {
	in := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for at, want := range map[time.Time][2]string{
		in:                                 {`"2026-01-02T03:04:05Z"`, ""},
		time.Unix(253402300800, 0):         {"null", "+10000-01-01T00:00:00Z"},
		time.Unix(-62167219201, 0):         {"null", "-0001-12-31T23:59:59Z"},
		time.Unix(99999999999999, 0).UTC(): {"null", "+3170843-11-07T09:46:39Z"},
		in.In(time.FixedZone("", 30*3600)): {`"2026-01-02T03:04:05Z"`, ""},
	} {
		text, err := json.Marshal(document.Time{Time: at})
		if got := [2]string{string(text), (document.Time{Time: at}).Text()}; err != nil || got != want {
			t.Errorf("%v: %q (%v), want %q", at, got, err, want)
		}
	}
}
