package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/decoder/kube"
)

// flagCompletions say what the shell offers for the value of a flag, by its name.
// Those that mean something else in another command are registered there.
var flagCompletions = map[string]cobra.CompletionFunc{
	"at":                 cobra.NoFileCompletions,
	"at-time":            cobra.NoFileCompletions,
	"audit-log":          completeFiles,
	"bump-revision":      cobra.NoFileCompletions,
	"cache":              completeDirs,
	"case":               cobra.NoFileCompletions,
	"dir":                completeDirs,
	"dumps":              completeDirs,
	"baseline":           completeFiles,
	"encryption-config":  completeFiles,
	"etcd-prefix":        completeSeveral("/registry", "/kubernetes.io", "/openshift.io"),
	"etcd-version":       completeOne(runbook.EtcdVersions()...),
	"examiner":           cobra.NoFileCompletions,
	"filename":           completeFiles,
	"from":               cobra.NoFileCompletions,
	"field-selector":     cobra.NoFileCompletions,
	"kubectl":            completeFiles,
	"kubelet":            completeKeyed(),
	"kubelet-apiserver":  cobra.NoFileCompletions,
	"kustomize":          completeDirs,
	"last-revision":      cobra.NoFileCompletions,
	"kubernetes-version": cobra.NoFileCompletions,
	"max-entries":        cobra.NoFileCompletions,
	"max-expanded":       cobra.NoFileCompletions,
	"max-ratio":          cobra.NoFileCompletions,
	"metrics":            completeFiles,
	"namespace":          completeNamespaces,
	"onto":               completeOne(string(restore.NewMachines)),
	"outage":             cobra.NoFileCompletions,
	"outage-at":          cobra.NoFileCompletions,
	"platform":           completeOne(platformNames()...),
	"policy":             completeFiles,
	"prediction":         completeFiles,
	"quota":              cobra.NoFileCompletions,
	"restart-kubelets":   completeOne("none", "all"),
	"restart-apiservers": completeOne("none", "all"),
	"rev":                cobra.NoFileCompletions,
	"selector":           cobra.NoFileCompletions,
	"sort-by":            cobra.NoFileCompletions,
	"to":                 cobra.NoFileCompletions,
	"top":                cobra.NoFileCompletions,
	"wal-dir":            completeDirs,
}

// completeFlags registers the completions of a command's flags.
func completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, done := cmd.GetFlagCompletionFunc(f.Name); done {
			return
		}
		if complete := flagCompletions[f.Name]; complete != nil {
			register(cmd, f.Name, complete)
		}
	})
}

// register panics when the command does not have the flag.
func register(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

func completeFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func completeDirs(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeOne offers one of the words.
func completeOne(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// completeSeveral offers the words for a list with commas between them, each once.
func completeSeveral(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		given := typed[:strings.LastIndexByte(typed, ',')+1]
		var list []cobra.Completion
		for _, word := range words {
			if !strings.Contains(","+given, ","+word+",") {
				list = append(list, given+word)
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeKeyed offers the words, and after an equals sign files.
func completeKeyed(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		key, path, keyed := strings.Cut(typed, "=")
		if !keyed {
			return words, cobra.ShellCompDirectiveNoFileComp
		}
		dir, base := filepath.Split(path)
		entries, err := os.ReadDir(filepath.Clean(dir))
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		var list []cobra.Completion
		for _, e := range entries {
			name := e.Name()
			if !strings.HasPrefix(name, base) || base == "" && name[0] == '.' {
				continue
			}
			if e.IsDir() {
				name += string(filepath.Separator)
				directive |= cobra.ShellCompDirectiveNoSpace // to go on with what is in it
			}
			list = append(list, key+"="+dir+name)
		}
		return list, directive
	}
}

// completeArgs offers files for the first so many arguments.
func completeArgs(files int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= files {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
}

// resourceNames are those of Kubernetes' own resources.
func resourceNames() []string {
	var names []string
	for _, r := range kube.Resources() {
		names = append(names, r.Name)
	}
	return names
}
