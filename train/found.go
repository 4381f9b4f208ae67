package train

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/analyzer/ties"
	"revenant/internal/words"
)

// among is a question for names: those that are right, and why others are not. A name can
// be given without what is before its last slash.
func among(of func(ctx context.Context, f *facts) (right []string, others map[string]string, err error), what, more string) *foundQuestion {
	return &foundQuestion{
		wrong: func(ctx context.Context, f *facts, _, answer string) (string, error) {
			right, others, err := of(ctx, f)
			if err != nil {
				return "", err
			}
			given := names(answer)
			for _, name := range given {
				is := func(other string) bool {
					return other == name || short(other) == name || strings.TrimSuffix(other, ".db") == name
				}
				if slices.ContainsFunc(right, is) {
					continue
				}
				for _, other := range slices.Sorted(maps.Keys(others)) {
					if is(other) {
						return fmt.Sprintf("Not %s: %s.", other, others[other]), nil
					}
				}
				return fmt.Sprintf("There is no %s called %.60q here.", what, name), nil
			}
			missing := 0
			for _, r := range right {
				if !slices.ContainsFunc(given, func(name string) bool { return name == r || name == short(r) || name == strings.TrimSuffix(r, ".db") }) {
					missing++
				}
			}
			if missing > 0 {
				return fmt.Sprintf("%s missing. %s", words.CountOf(missing, "is", "are"), more), nil
			}
			return "", nil
		},
		right: func(ctx context.Context, f *facts, _ string) (string, error) {
			right, _, err := of(ctx, f)
			return strings.Join(right, " "), err
		},
	}
}

var foundQuestions = []question{
	{id: "new-node", text: "the nodes that only the current state has", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		fresh, old, err := f.newNodes(ctx)
		others := map[string]string{}
		for _, n := range old {
			others[n] = "the backup has it, too"
		}
		return fresh, others, err
	}, "node", "Compare the nodes of both snapshots.")},
	{id: "phantoms-there", text: "the pods that run unseen on nodes that only the current state has, after a restore without a bump", found: among(phantomsThere, "pod", "Look at every node that the backup does not have.")},
	{id: "dead-ends", text: "the pods that a Service sends traffic to, and of which nothing runs, after a restore without a bump", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		dead, err := f.deadEnds(ctx)
		if err != nil {
			return nil, nil, err
		}
		others, err := f.outcomes(ctx)
		return slices.Sorted(maps.Keys(dead)), others, err
	}, "pod", "Look at the endpoints that the backup has, and at the pods that are ghosts.")},
	{id: "dead-addresses", text: "the addresses of those", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		dead, err := f.deadEnds(ctx)
		return slices.Sorted(maps.Values(dead)), map[string]string{}, err
	}, "endpoint that leads nowhere", "It is the address of the pod that does not run.")},
	{id: "endless-jobs", text: "the Jobs that never end after a restore without a bump", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		endless, rest, err := f.endlessJobs(ctx)
		others := map[string]string{}
		for _, j := range rest {
			others[j] = "its pod runs on, and its kubelet reports the end of it although it is deaf"
		}
		return endless, others, err
	}, "Job", "Look for Jobs whose pods the API shows as running, and of which nothing runs.")},
	{id: "damaged-file", text: "the snapshots that are damaged", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		bad, err := f.damaged(ctx)
		return bad, f.beside(bad, "its pages are whole and its hash fits: it is not damaged"), err
	}, "file", "Look at every file.")},
	{id: "newest-whole", text: "the newest snapshot that is whole", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		newest, err := f.newestWhole(ctx)
		if err != nil {
			return nil, nil, err
		}
		others := map[string]string{}
		for _, name := range f.names() {
			why, err := f.whole(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			if others[name] = "there is a newer one that is whole"; why != "" {
				others[name] = "it is damaged"
			}
		}
		return []string{newest}, others, nil
	}, "file", "One of them is the newest that is whole.")},
	{id: "unreadable", text: "the live objects whose values damage has made unreadable", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		list, err := f.unreadable(ctx)
		return list, map[string]string{}, err
	}, "object that cannot be read", "List the objects of the damaged file: one has a value that nothing can be made of.")},
	{id: "deleted-between", text: "the revision at which the object was deleted, or the two that it lies between", about: true, found: &foundQuestion{wrongDeletion, func(ctx context.Context, f *facts, of string) (string, error) {
		_, h, _, deleted, err := f.deletion(ctx, of, false)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(h.Entries[deleted].Main), nil
	}}},
	{id: "deleted-by", text: "who asked for the deletion of the object", about: true, found: &foundQuestion{wrongDeleter, func(ctx context.Context, f *facts, of string) (string, error) { return f.deleter(ctx, of) }}},
	{id: "manifest", text: "the manifest of the object as it was before its deletion", about: true, found: manifestQuestion(false)},
	{id: "carved-manifest", text: "the same, of an object that only free pages still have", about: true, found: manifestQuestion(true)},
	{id: "volume-on-machine", text: "the volumes whose data is on a disk of an old machine", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		t, err := f.ties(ctx)
		if err != nil {
			return nil, nil, err
		}
		all, err := f.volumes()
		if err != nil {
			return nil, nil, err
		}
		others, right := map[string]string{}, tied(t, ties.VolumeLocal)
		for _, v := range all {
			if !slices.Contains(right, v) {
				others[v] = "its data is on storage that both clusters reach. That is another trouble"
			}
		}
		return right, others, nil
	}, "volume", "Look at where the data of every PersistentVolume is.")},
	{id: "old-address", text: "the addresses at which the backup's objects tell that the API is", found: among(func(ctx context.Context, f *facts) ([]string, map[string]string, error) {
		t, err := f.ties(ctx)
		if err != nil {
			return nil, nil, err
		}
		var list []string
		for _, found := range t.Of(ties.Address) {
			list = append(list, strings.Split(found.Detail, ", ")...)
		}
		slices.Sort(list)
		return slices.Compact(list), map[string]string{}, nil
	}, "address of an API server", "It is in a ConfigMap that kubeadm writes.")},
}

// tied are the names of the objects with a tie.
func tied(t *ties.Ties, id ties.ID) (list []string) {
	for _, f := range t.Of(id) {
		list = append(list, f.Name)
	}
	return list
}

// beside are the snapshots that are not among some, with what is said of them.
func (f *facts) beside(some []string, why string) map[string]string {
	list := map[string]string{}
	for _, name := range f.names() {
		if !slices.Contains(some, name) {
			list[name] = why
		}
	}
	return list
}

// outcomes say of each pod what becomes of it.
func (f *facts) outcomes(ctx context.Context) (map[string]string, error) {
	p, err := f.predict(ctx)
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	for i := range p.Pods {
		o := &p.Pods[i]
		why := "it runs, and the API shows it"
		switch o.Outcome {
		case restore.Phantom:
			why = fmt.Sprintf("it is a phantom: it runs on %s, and the API does not have it", o.Node)
			if len(o.Flags) > 0 {
				why += ", nor its node"
			}
		case restore.Ghost:
			why = fmt.Sprintf("it is a ghost: the API shows it on %s, and nothing of it runs; no Service leads to it", o.Node)
		}
		list[o.Namespace+"/"+o.Name] = why
	}
	return list, nil
}

func phantomsThere(ctx context.Context, f *facts) ([]string, map[string]string, error) {
	p, err := f.predict(ctx)
	if err != nil {
		return nil, nil, err
	}
	fresh, _, err := f.newNodes(ctx)
	if err != nil {
		return nil, nil, err
	}
	others, err := f.outcomes(ctx)
	var right []string
	for i := range p.Pods {
		name := p.Pods[i].Namespace + "/" + p.Pods[i].Name
		switch o := &p.Pods[i]; {
		case o.Outcome == restore.Phantom && slices.Contains(fresh, o.Node):
			right = append(right, name)
		case o.Outcome == restore.Phantom:
			others[name] = fmt.Sprintf("it is a phantom, too, but on %s, which the backup has", o.Node)
		}
	}
	return right, others, err
}

func wrongDeletion(ctx context.Context, f *facts, of, answer string) (string, error) {
	_, h, last, deleted, err := f.deletion(ctx, of, false)
	if err != nil {
		return "", err
	}
	at := h.Entries[deleted].Main
	given := strings.FieldsFunc(answer, func(r rune) bool { return strings.ContainsRune(" -–,", r) })
	var numbers []int64
	for _, text := range given {
		if text == "and" || text == "to" {
			continue
		}
		n, err := number(text)
		if err != nil {
			return fmt.Sprintf("Want a revision, or two with the deletion between them, not %.40q.", answer), nil
		}
		numbers = append(numbers, n)
	}
	switch {
	case len(numbers) == 1 && numbers[0] == at:
		return "", nil
	case len(numbers) == 2 && numbers[0] < at && numbers[1] >= at && numbers[0] >= h.Entries[last].Main:
		return "", nil
	case len(numbers) == 2:
		return fmt.Sprintf("It was last written at revision %d and deleted later: the deletion lies after the first and at or below the second of two revisions, as near as the snapshot shows.", h.Entries[last].Main), nil
	case len(numbers) != 1:
		return "Want a revision, or two with the deletion between them.", nil
	case numbers[0] == h.Entries[last].Main:
		return fmt.Sprintf("At revision %d it was written for the last time: it was still there. The deletion is a revision of its own.", numbers[0]), nil
	case numbers[0] == f.revision(backupFile):
		return fmt.Sprintf("%d is where the backup ends. It was there then, and went on being there.", numbers[0]), nil
	case numbers[0] == f.revision(currentFile):
		return fmt.Sprintf("%d is where the newest snapshot ends. The deletion came before.", numbers[0]), nil
	case numbers[0] < at:
		return fmt.Sprintf("At revision %d it was still there, or not yet.", numbers[0]), nil
	}
	return fmt.Sprintf("At revision %d it was gone already.", numbers[0]), nil
}

// revision is that of a snapshot, 0 where there is none.
func (f *facts) revision(name string) int64 {
	if s := f.snapshots[name]; s != nil {
		return s.Revision()
	}
	return 0
}

func wrongDeleter(ctx context.Context, f *facts, of, answer string) (string, error) {
	right, err := f.deleter(ctx, of)
	if err != nil {
		return "", err
	}
	if answer == right {
		return "", nil
	}
	users, err := f.requesters(ctx, of)
	if err != nil {
		return "", err
	}
	_, h, last, _, err := f.deletion(ctx, of, false)
	if err != nil {
		return "", err
	}
	switch what := users[answer]; {
	case what != "":
		return fmt.Sprintf("%s did ask for it: %s. That deleted nothing.", answer, what), nil
	case answer == h.Entries[last].By && answer != "":
		return fmt.Sprintf("%s wrote it. Who writes an object need not be who deletes it.", answer), nil
	}
	return fmt.Sprintf("No request of %.60q to that object is in the audit log.", answer), nil
}
