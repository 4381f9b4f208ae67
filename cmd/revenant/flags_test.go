package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// Flags that several verbs have, and the options they set.
var (
	openFlags = map[string]string{
		"skip-hash-check": "open.skipHashCheck", "etcd-prefix": "open.prefixes", "max-expanded": "open.maxExpanded", "max-ratio": "open.maxRatio",
		"max-entries": "open.maxEntries", "wal-dir": "open.walDir", "assume-committed": "open.assumeCommitted", "encryption-config": "open.encryption",
		"case": "open.caseID", "examiner": "open.examiner", "verify-after": "open.verifyAfter", "cache": "open.cacheDir",
	}
	outputFlags = map[string]string{"output": "output.outputs"}
	sarifFlags  = map[string]string{"output": "output.outputs", "baseline": "output.baseline"}
	queryFlags  = map[string]string{
		"namespace": "query.query.Namespace", "all-namespaces": "query.all", "selector": "query.selector", "field-selector": "query.fields",
		"at": "query.at", "deleted": "query.deleted", "carved": "query.carved",
	}
	choiceFlags  = map[string]string{"namespace": "query.query.Namespace", "all-namespaces": "query.all", "selector": "query.selector"}
	filesFlags   = map[string]string{"filename": "files.given"}
	ontoFlags    = map[string]string{"onto": "plan.onto"}
	planOptFlags = map[string]string{
		"bump-revision": "plan.bump", "mark-compacted": "plan.markCompacted", "restart-kubelets": "plan.restartKubelets",
		"restart-apiservers": "plan.restartServers", "keep-apiservers": "plan.keepAPIServers", "kubelet-apiserver": "plan.kubelets",
		"outage": "plan.outage", "outage-at": "plan.outageAt", "last-revision": "plan.lastRevision",
		"kubernetes-version": "plan.kubernetes", "metrics": "plan.metrics",
	}
)

// TestFlags gives every verb each of its flags, alone, and wants it to set the option that
// is its own and no other. The work is not done.
func TestFlags(t *testing.T) {
	tests := map[string]struct {
		args   string
		shared []map[string]string
		own    map[string]string
	}{
		"": {"a b", []map[string]string{openFlags, planOptFlags}, map[string]string{
			"force": "force", "resume": "resume", "mouse": "mouse", "carved": "carved", "plain": "plain", "version": "version"}},
		"inspect": {"a b c", []map[string]string{openFlags, sarifFlags}, map[string]string{
			"at": "at", "hash": "hash", "hashkv": "hashKV", "rev": "rev"}},
		"preflight": {"a b", []map[string]string{openFlags, sarifFlags, planOptFlags}, map[string]string{
			"platform": "platform", "etcd-version": "etcdVersion", "quota": "quota", "at-time": "at", "policy": "policy", "force": "force"}},
		"report": {"a b", []map[string]string{openFlags, outputFlags, planOptFlags}, map[string]string{
			"platform": "platform", "at-time": "at", "force": "force"}},
		"predict": {"a b", []map[string]string{openFlags, sarifFlags, planOptFlags, ontoFlags}, map[string]string{
			"fail-on": "failOn", "force": "force", "compare": "compare", "all": "all"}},
		"plan": {"a b", []map[string]string{openFlags, outputFlags, planOptFlags, ontoFlags}, map[string]string{
			"platform": "platform", "etcd-version": "etcdVersion", "force": "force", "brief": "brief"}},
		"verify": {"a", []map[string]string{openFlags, sarifFlags}, map[string]string{
			"kubelet": "kubelets", "dumps": "dumps", "kubectl": "kubectl", "prediction": "prediction", "fail-on": "failOn", "partial": "partial"}},
		"salvage": {"a", []map[string]string{openFlags}, map[string]string{
			"output": "output", "report": "report.outputs", "include-uncertain": "includeUncertain", "state": "state"}},
		"carve": {"a b c", []map[string]string{openFlags, outputFlags}, map[string]string{
			"label": "labels", "namespace": "namespace", "objects": "objects", "show-secrets": "showSecrets"}},
		"get": {"a b c", []map[string]string{openFlags, filesFlags, queryFlags}, map[string]string{
			"output": "outputs", "sort-by": "sortBy", "show-labels": "showLabels", "no-headers": "noHeaders", "show-managed-fields": "managed", "show-secrets": "showSecrets"}},
		"extract": {"a b c", []map[string]string{openFlags, filesFlags, queryFlags, outputFlags}, map[string]string{
			"raw": "manifest.Raw", "keep-owners": "manifest.KeepOwners", "show-secrets": "manifest.ShowSecrets", "dir": "directory", "kustomize": "kustomize"}},
		"history": {"a b c", []map[string]string{openFlags, filesFlags, outputFlags}, map[string]string{
			"namespace": "query.Namespace", "carved": "carved", "patch": "patch", "objects": "objects", "show-secrets": "showSecrets"}},
		"search": {"a b", []map[string]string{openFlags, filesFlags, outputFlags}, map[string]string{
			"namespace": "namespace", "kind": "kinds", "regexp": "regexp", "ignore-case": "fold", "jq": "jq", "newest": "newest", "all": "all", "show-secrets": "showSecrets"}},
		"who": {"a b c", []map[string]string{openFlags, filesFlags, outputFlags}, map[string]string{
			"namespace": "query.Namespace", "at": "at", "audit-log": "auditLogs"}},
		"diff": {"a b c", []map[string]string{openFlags, filesFlags, choiceFlags, outputFlags}, map[string]string{
			"from": "from", "to": "to", "ignore": "ignored", "show-secrets": "showSecrets", "force": "force"}},
		"timeline": {"a b c", []map[string]string{openFlags, filesFlags, choiceFlags, outputFlags}, map[string]string{
			"from": "from", "to": "to", "verb": "verbs", "carved": "carved"}},
		"describe": {"a b c", []map[string]string{openFlags, filesFlags, queryFlags}, map[string]string{"show-events": "events"}},
		"storage":  {"a", []map[string]string{openFlags, filesFlags, outputFlags}, map[string]string{"by": "by", "top": "top"}},
		"export": {"a b c", []map[string]string{openFlags}, map[string]string{
			"out": "out", "format": "format", "files-from": "list", "current": "current", "shard": "shard", "tolerate-damage": "tolerate"}},
		"handbook": {"1", nil, map[string]string{"lang": "language"}},
		"train": {"phantom", []map[string]string{openFlags, outputFlags}, map[string]string{
			"make": "make", "out": "out", "key": "key",
			"at": "at", "dir": "dir", "lang": "language", "progress": "progress", "seed": "seed", "level": "level", "check": "answers", "plain": "plain",
		}},
		"config": {"theme", nil, nil},
		"man":    {"a", nil, nil},
	}
	root := newRoot(streams{}, work)
	for _, cmd := range append(root.Commands(), root) {
		name := cmd.Name()
		if cmd == root {
			name = ""
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			test, ok := tests[name]
			if !ok {
				t.Fatal("no row for it")
			}
			want, got := maps.Clone(test.own), map[string]string{}
			if want == nil {
				want = map[string]string{}
			}
			for _, flags := range test.shared {
				maps.Copy(want, flags)
			}
			if cmd.LocalFlags().Lookup("output") != nil && !slices.ContainsFunc(writers, func(w writer) bool { return w.name == name }) {
				t.Error("guard_test.go has no row for what it writes")
			}
			before := parsed(t, name, test.args, "")
			cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if f.Name == "help" {
					return
				}
				value := flagValue(f)
				after := parsed(t, name, test.args, "--"+f.Name+"="+value)
				for path, set := range after {
					switch {
					case path == "planned":
						if set != strconv.FormatBool(slices.Contains(planFlags, f.Name)) {
							t.Errorf("--%s: planned is %s", f.Name, set)
						}
					case set != before[path]:
						got[f.Name] += path
						if strings.Trim(set, "[]") != value {
							t.Errorf("--%s=%s sets %s", f.Name, value, set)
						}
					}
				}
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// flagValue is one for a flag that is not its default.
func flagValue(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return strconv.FormatBool(f.DefValue != "true")
	case "int", "int64":
		return "4815"
	}
	return "x-" + f.Name
}

// parsed are the options of a verb with a flag, by the names of their fields. The
// arguments have to be handed to the verb as they were given.
func parsed(t *testing.T, name, args, flag string) map[string]string {
	t.Helper()
	options := map[string]string{}
	line := strings.Fields(name + " " + args + " " + flag)
	root := newRoot(streams{}, func(_ context.Context, v verb, given []string) error {
		if diff := cmp.Diff(strings.Fields(args), given); diff != "" {
			t.Error(diff)
		}
		collect(options, "", reflect.ValueOf(v).Elem())
		return nil
	})
	root.SetArgs(line)
	if err := root.Execute(); err != nil || len(options) == 0 && name != "config" && name != "man" {
		t.Fatalf("%q: %d options, %v", line, len(options), err)
	}
	return options
}

// collect adds the fields of an options struct that flags can set.
func collect(options map[string]string, path string, v reflect.Value) {
	for i := range v.NumField() {
		name := path + v.Type().Field(i).Name
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			if f.Type() != reflect.TypeFor[streams]() {
				collect(options, name+".", f)
			}
		case reflect.Bool, reflect.Int, reflect.Int64, reflect.String, reflect.Slice:
			options[name] = fmt.Sprint(f)
		}
	}
}
