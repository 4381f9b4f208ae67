package preflight_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"revenant/analyzer/preflight"
)

// numberless is a text without its numbers: an edit of the evidence changes many.
func numberless(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c == '.' || c == ',' {
			return -1
		}
		return c
	}, text)
}

// told is what a report says otherwise than that of a healthy pair, but for numbers; nil
// has it told in full. Checks that say the same stand together.
func told(r, healthy *preflight.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.Headline)
	known := func(r *preflight.Report) string {
		data, err := json.Marshal([]any{r.Targets, r.Measures})
		if err != nil {
			panic(err)
		}
		return string(data) + "\n"
	}
	if healthy == nil || numberless(known(r)) != numberless(known(healthy)) {
		b.WriteString(known(r))
	}
	var said []string
	ids := map[string][]string{}
	for i, c := range r.Checks {
		reason := c.Reason
		if healthy != nil {
			if numberless(healthy.Checks[i].Reason) == numberless(reason) && healthy.Checks[i].Verdict == c.Verdict {
				continue
			}
			reason = strings.Replace(reason, "nothing shows against it ("+healthy.Checks[i].Reason+")", "as the healthy one", 1)
		}
		what := string(c.Verdict)
		if c.Counts != c.Verdict {
			what += ", counts as " + string(c.Counts)
		}
		action := strings.Fields(c.Action)
		text := fmt.Sprintf("%s: %s", what, reason)
		if len(action) > 0 {
			text += fmt.Sprintf(" [%s …]", strings.Join(action[:min(4, len(action))], " "))
		}
		for _, e := range c.Evidence {
			text += fmt.Sprintf("\n    %s %s at %d", e.Snapshot, e.Key, e.Revision)
		}
		if reason == "as the healthy one, but the backup is damaged" || strings.HasPrefix(reason, "no current state was given") {
			text = what + ": " + reason // whatever is done about it
		}
		if ids[text] == nil {
			said = append(said, text)
		}
		ids[text] = append(ids[text], string(c.ID))
	}
	for _, text := range said {
		fmt.Fprintf(&b, "  %s %s\n", strings.Join(ids[text], ", "), text)
	}
	return b.String()
}
