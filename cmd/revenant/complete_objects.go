package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/analyzer/resources"
	"revenant/decoder/container"
	"revenant/decoder/keyspace"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// completeIn is how long a file may take to be opened for what the shell offers.
const completeIn = 2 * time.Second

// mostOffered is how many names the shell is given.
const mostOffered = 5000

// completeResources offers a file, and then what is in the files: resources, and the
// names of their objects. Where the files cannot be read it offers Kubernetes' own
// resources.
func completeResources(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	files, words := completedFiles(cmd, args)
	if len(files) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	if strings.HasPrefix(typed, "/") {
		return nil, cobra.ShellCompDirectiveNoFileComp // a key
	}
	var list []cobra.Completion
	state, done := stateToComplete(cmd, files)
	defer done()
	resource, _, paired := strings.Cut(typed, "/")
	switch {
	case state == nil && len(words) == 0 && !paired:
		list = resourceNames()
	case state == nil:
	case paired:
		for _, name := range state.objects(resource) {
			list = append(list, resource+"/"+name)
		}
	case len(words) == 0:
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		for _, r := range state.catalog.Resources() {
			list = append(list, before+sanitize.Line(r.FullName()))
		}
	case !strings.Contains(words[0], "/"):
		list = slices.DeleteFunc(state.objects(words[0]), func(name string) bool { return slices.Contains(words[1:], name) })
	}
	return slices.DeleteFunc(list, func(word string) bool { return !strings.HasPrefix(word, typed) }), cobra.ShellCompDirectiveNoFileComp
}

// completeNamespaces offers the namespaces of the files.
func completeNamespaces(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	files, _ := completedFiles(cmd, args)
	state, done := stateToComplete(cmd, files)
	defer done()
	if state == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []cobra.Completion
	for _, name := range state.catalog.Namespaces() {
		if name = sanitize.Line(name); strings.HasPrefix(name, typed) {
			list = append(list, name)
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completedFiles are the files on the line, and the words after them.
func completedFiles(cmd *cobra.Command, args []string) (files, words []string) {
	o := filesOptions{}
	o.given, _ = cmd.Flags().GetStringArray("filename") // there is none where a command has no such flag
	files, words, err := o.split(args)
	if err != nil {
		return nil, nil
	}
	return files, words
}

// shownState is the newest state of a file, for what the shell offers.
type shownState struct {
	view      *snapshot.View
	catalog   *resources.Catalog
	prefix    string
	namespace string
}

// stateToComplete opens the last of some files, without a word where it cannot. Call done
// in the end.
func stateToComplete(cmd *cobra.Command, files []string) (state *shownState, done func()) {
	done = func() {}
	if len(files) == 0 || files[len(files)-1] == "-" {
		return nil, done
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeIn)
	defer cancel()
	list, err := container.List(ctx, files[len(files)-1], 0)
	if err != nil {
		return nil, done
	}
	s, err := snapshot.Open(ctx, list[len(list)-1], snapshot.Options{SkipHashCheck: true})
	if err != nil {
		return nil, done
	}
	done = func() { s.Close() }
	o := openOptions{}
	o.prefixes, _ = cmd.Flags().GetStringSlice("etcd-prefix")
	var choice keyspace.Choice
	if choice, err = o.choosePrefix(ctx, s); err != nil {
		return nil, done
	}
	state = &shownState{prefix: choice.Prefix}
	state.namespace, _ = cmd.Flags().GetString("namespace")
	if state.view, err = s.At(0); err != nil {
		return nil, done
	}
	if state.catalog, err = resources.NewCatalog(ctx, s, state.view, state.prefix, nil); err != nil {
		return nil, done
	}
	return state, done
}

// objects are the names of a resource's objects, each once.
func (s *shownState) objects(word string) (names []string) {
	r := s.catalog.Lookup(word)
	if r == nil {
		return nil
	}
	seen := map[string]bool{}
	for record := range s.view.Keys(r.Path(s.prefix, s.namespace)) {
		if len(names) == mostOffered {
			break
		}
		key, ok := s.catalog.Key(record.Key)
		if name := sanitize.Line(key.Name); ok && key.Resource == r.Name && key.Group == r.Group && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
