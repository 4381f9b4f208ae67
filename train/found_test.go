package train_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"revenant/train"
)

// rates and flags are the manifests of the two ConfigMaps that are to be brought back, as the
// story has them.
const rates = `apiVersion: v1
kind: ConfigMap
metadata:
  name: rates
  namespace: billing
  labels: {app: rates}
data:
  currency: EUR
  vat: "21"
`

const flags = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flags", "namespace": "shop", "labels": {"app": "flags"}, "creationTimestamp": null},
"data": {"checkout": "new", "search": "beta"}}`

// TestFound: what is right about the evidence is what happened in the story that it is of,
// and answers of the kinds that people give are refused with what they overlook.
func TestFound(t *testing.T) {
	_, m := tell(t)
	deleted := func(n int64) string { return fmt.Sprint(m.RatesDeleted + n) }
	// Of each scenario, answers to its questions in turn: refused until one is right.
	type tried struct{ answer, want string }
	for _, tt := range []struct {
		scenario string
		tries    []tried
	}{
		{"node", []tried{
			{"node-1", `^Not node-1: the backup has it, too\.$`},
			{"node-9", `^There is no node called "node-9" here\.$`},
			{"node-3", ""},
			{"web-6d4b9c-5rjmc", `^1 is missing\.`},
			{"web-6d4b9c-5rjmc, web-6d4b9c-lq8tw, web-6d4b9c-zz4vb", `^Not shop/web-6d4b9c-zz4vb: it is a phantom, too, but on node-1`},
			{"report-q7vsn", `^Not shop/report-q7vsn: it is a ghost: the API shows it on node-1`},
			{"db-0", `^Not shop/db-0: it runs, and the API shows it\.$`},
			{"shop/web-6d4b9c-lq8tw web-6d4b9c-5rjmc", ""},
		}},
		{"service", []tried{
			{"report-q7vsn", `^Not shop/report-q7vsn: it is a ghost: .* no Service leads to it\.$`},
			{"web-6d4b9c-5rjmc", `it is a phantom: it runs on node-3`},
			{"web", `There is no pod called "web" here`},
			{"web-6d4b9c-wd5zn", ""},
			{"10.244.1.4", `no endpoint that leads nowhere called "10.244.1.4"`},
			{"10.244.2.7", ""},
		}},
		{"job", []tried{
			{"import", `^Not shop/import: its pod runs on`},
			{"report import", `^Not shop/import`},
			{"report-q7vsn", `There is no Job called`},
			{"", `^1 is missing\.`},
			{"report", ""},
		}},
		{"damaged", []tried{
			{"monday.db", `^Not monday\.db: its pages are whole and its hash fits`},
			{"none", `There is no file called "none"`},
			{"tuesday.db", ""},
			{"coredns", `no object that cannot be read called "coredns"`},
			{"configmaps/shop/catalog", ""},
			{"tuesday.db", `^Not tuesday\.db: it is damaged\.$`},
			{"sunday.db", `^Not sunday\.db: there is a newer one that is whole\.$`},
			{"monday.db", ""},
		}},
		{"namespace", []tried{
			{"yesterday", `^Want a revision`},
			{fmt.Sprint(m.RatesLast), `was written for the last time: it was still there`},
			{fmt.Sprint(m.FlagsDeleted), `it was gone already`},
			{"36", `it was still there, or not yet`},
			{"35", `where the backup ends`},
			{fmt.Sprint(m.FlagsDeleted + 5), `it was gone already|newest snapshot ends`},
			{deleted(1) + "-" + deleted(3), `the deletion lies after the first`},
			{"2-" + deleted(0), `the deletion lies after the first`},
			{fmt.Sprintf("%d %s 9", m.RatesLast, deleted(0)), `^Want a revision, or two`},
			{deleted(0), ""},
			{"mallory", `^mallory did ask for it: delete, answered with 403\. That deleted nothing\.$`},
			{"alice", `^alice did ask for it: get, answered with 200`},
			{"system:serviceaccount:kube-system:namespace-controller", `No request of .* to that object`},
			{"carol", ""},
			{"", `^The file is empty\.$`},
			{"kind: [", `^It is no YAML`},
			{"hello", `^No manifest is in it\.$`},
			{strings.Replace(rates, "name: rates", "name: rate", 1), `^Want ConfigMap rates in billing, and there is ConfigMap rate in billing\.$`},
			{strings.Replace(rates, `"21"`, `"19"`, 1), fmt.Sprintf(`^That is how it was at revision \d+\. It was written again at revision %d, before it was deleted\.$`, m.RatesLast)},
			{strings.Replace(rates, `"21"`, "21", 1), `^The field data\.vat is text in the object: an API server refuses it without quotes\.$`},
			{strings.Replace(rates, `"21"`, `"7"`, 1), `^It is not as the object was in data\.vat\.$`},
			{strings.Replace(rates, "  currency: EUR\n", "", 1), `^It lacks data\.currency, which the object had\.$`},
			{strings.Replace(rates, "  name: rates\n", "  name: rates\n  uid: abc\n", 1), `^The field metadata\.uid does not belong into it: .*API server`},
			{rates + "status: {}\nimmutable: true\n", `^The field immutable is not one of the object\.$`},
			{"kind: Namespace\nmetadata: {name: billing}\n---\n" + rates, ""},
		}},
		{"carve", []tried{
			{strings.Replace(flags, `"new", "search": "beta"`, `"old"`, 1), fmt.Sprintf(`at revision %d\. It was written again at revision %d`, m.FlagsFirst, m.FlagsLast)},
			{rates, `^Want ConfigMap flags in shop, and there is ConfigMap rates in billing\.$`},
			{`{"kind": "List", "items": [` + flags + `]}`, ""},
		}},
		{"new-machines", []tried{
			{"pv-media", `^Not pv-media: its data is on storage that both clusters reach`},
			{"data-db-0", `There is no volume called`},
			{"pv-db", ""},
			{"10.0.0.50", `no address of an API server called "10.0.0.50"`},
			{"10.0.0.11:6443", ""},
		}},
	} {
		s := train.Find(scenarios(t), tt.scenario)
		x, err := train.New(t.Context(), *s)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		for _, try := range tt.tries {
			r, err := x.Answer(t.Context(), try.answer)
			if err != nil {
				t.Fatalf("%s: %q: %v", tt.scenario, try.answer, err)
			}
			if try.want == "" != r.Reached {
				t.Fatalf("%s: %q: reached %v, %v", tt.scenario, try.answer, r.Reached, r.Overlook)
			}
			if try.want != "" && !regexp.MustCompile(try.want).MatchString(r.Overlook[0]) {
				t.Errorf("%s: %q: %s", tt.scenario, try.answer, r.Overlook[0])
			}
		}
		if solved, err := x.Solved(); err != nil || !solved {
			t.Errorf("%s is not solved by its right answers, %v", tt.scenario, err)
		}
	}
}

// TestRange: two revisions that the deletion lies between are an answer as well.
func TestRange(t *testing.T) {
	_, m := tell(t)
	for _, text := range []string{fmt.Sprintf("%d-%d", m.RatesLast, m.RatesDeleted), fmt.Sprintf("%d and %d", m.RatesDeleted-1, m.RatesDeleted), fmt.Sprintf("%d to %d", m.RatesLast+1, m.RatesDeleted+20)} {
		x, err := train.New(t.Context(), *train.Find(scenarios(t), "namespace"))
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if r, err := x.Answer(t.Context(), text); err != nil || !r.Reached {
			t.Errorf("%q: %v, %v", text, r.Overlook, err)
		}
	}
}
