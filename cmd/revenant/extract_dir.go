package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"revenant/decoder/kube"
	"revenant/internal/outfile"
)

// maxNamePart is how many bytes of a name a file's name takes.
const maxNamePart = 120

// refuseEvidence is the error of a directory to be written that is evidence, or in it.
func refuseEvidence(guard *outfile.Guard, dir string) error {
	if dir == "" {
		return nil
	}
	place, err := guard.Place(dir, outfile.Follow)
	if err == nil {
		place.Close()
	}
	if errors.Is(err, outfile.ErrEvidence) {
		return err
	}
	return nil // what else is wrong with it shows when it is made
}

// directory writes a file for each object, numbered in the order of applying. Each is
// there whole or not at all, and none is written over.
func (x *extraction) directory(ctx context.Context, guard *outfile.Guard, dir string, kustomize bool) error {
	if err := guard.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err != nil {
		return err
	} else if len(entries) > 0 {
		return hinted(fmt.Errorf("%s is not empty", dir), "nothing is written over: name a new directory")
	}
	write := func(name string, text []byte) error {
		place, err := guard.Place(filepath.Join(dir, name), outfile.New)
		if err != nil {
			return err
		}
		return place.Write(ctx, 0o600, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	var list, left bytes.Buffer
	for i := range x.list {
		o := x.object(&x.list[i])
		m, why := x.manifest(&x.list[i], &o)
		if m == nil {
			x.comment(&left, &o, nil, why)
			continue
		}
		text, err := kube.DocumentYAML(m.Document)
		if err != nil {
			x.unread++
			x.comment(&left, &o, nil, err.Error())
			continue
		}
		var file bytes.Buffer
		x.comment(&file, &o, m, "")
		file.Write(text)
		name := fmt.Sprintf("%05d-%s.yaml", i+1, fileName(o.Key, o.Record.Key))
		if err := write(name, file.Bytes()); err != nil {
			return err
		}
		fmt.Fprintf(&list, "  - %s\n", name)
	}
	if kustomize {
		text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n" + list.String() + left.String()
		return write("kustomization.yaml", []byte(text))
	}
	if left.Len() > 0 {
		return write("left-out.txt", left.Bytes())
	}
	return nil
}

// fileName makes of an object's key what is one file's name everywhere: letters, digits,
// dots and dashes, and everything else as %XX.
func fileName(key kube.Key, raw string) string {
	parts := []string{key.GroupResource(), key.Namespace, key.Name}
	if key.Name == "" {
		parts = []string{raw}
	}
	var b strings.Builder
	for i, part := range parts {
		if part == "" {
			continue
		}
		if i > 0 {
			b.WriteByte('-')
		}
		for _, c := range []byte(part[:min(len(part), maxNamePart)]) {
			switch {
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.' && b.Len() > 0:
				b.WriteByte(c)
			default:
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
	}
	return b.String()
}
