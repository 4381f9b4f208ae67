package report

import (
	"fmt"
	"slices"

	"revenant/analyzer/atrest"
	"revenant/internal/words"
)

func encryptionText(p *Printer, list []atrest.Values) {
	for i := range list {
		v := &list[i]
		if v.Fit == atrest.NoPlain {
			p.wrappedField("not encrypted", fmt.Sprintf("%s %s; the given configuration has no provider identity for them: an API server with it cannot read them", words.Number(v.Count), known(v.Resource)))
			continue
		}
		p.wrappedField("encrypted", fmt.Sprintf("%s %s by %s; %s", words.Number(v.Count), known(v.Resource), v.By(), fitText(v)))
	}
}

// fitText says whether the values could be decrypted, and why not.
func fitText(v *atrest.Values) string {
	switch v.Fit {
	case atrest.Fits:
		return "decrypted with the given configuration"
	case atrest.Damaged:
		return fmt.Sprintf("%s decrypted, %s damaged: %s", words.Number(v.Decrypted), words.Number(v.Count-v.Decrypted), v.Error)
	case atrest.NotGiven:
		if v.Provider != "kms" {
			return "not decrypted: --encryption-config names the keys"
		}
	case atrest.NoPlugin:
		return "only that plugin can decrypt them, and the given configuration does not name it: an API server that has no other one cannot read them"
	case atrest.OtherKey:
		return "the given configuration has that for other resources only: an API server with it cannot read them"
	case atrest.Plugin:
	default:
		return v.Error
	}
	return "only that plugin can decrypt them: read them through an API server that has it"
}

// brokenValues says whether a key decrypts some values and others not: those are
// damaged. Where it decrypts none, it may be the wrong one.
func brokenValues(list []atrest.Values) bool {
	return slices.ContainsFunc(list, func(v atrest.Values) bool { return v.Fit == atrest.Damaged })
}
