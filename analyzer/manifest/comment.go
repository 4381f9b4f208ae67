package manifest

import (
	"fmt"
	"strings"

	"revenant/decoder/sanitize"
)

// Comments say what the manifest lacks, by reason, and then what to see to.
func (m *Manifest) Comments() (list []string) {
	var reasons []string
	paths := map[string][]string{}
	for _, d := range m.Dropped {
		if paths[d.Why] == nil {
			reasons = append(reasons, d.Why)
		}
		paths[d.Why] = append(paths[d.Why], d.Path)
	}
	for _, why := range reasons {
		list = append(list, fmt.Sprintf("Left out, %s: %s", why, strings.Join(paths[why], ", ")))
	}
	for _, note := range m.Notes {
		list = append(list, "To see to: "+note)
	}
	return list
}

// maxComment is how many bytes a comment takes at most: names and paths are evidence.
const maxComment = 500

// Comment is one line of YAML that is none of the document, without the end of the line.
func Comment(text string) string { return "# " + sanitize.Short(text, maxComment) }
