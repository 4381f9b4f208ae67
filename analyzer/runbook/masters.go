package runbook

import (
	"fmt"
	"strings"

	"revenant/analyzer/rollback"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// formerMasters deletes the addresses of API servers that no longer exist, before those
// that are list them behind the Service kubernetes.
func (b *builder) formerMasters() Step {
	s := Step{
		ID: "former-api-servers", Title: "Delete the addresses of former API servers",
		Why: "API servers list every address that has a master lease in etcd as an endpoint of the Service kubernetes. The backup has master leases of machines that are gone.",
	}
	shown := b.FormerMasters[:min(len(b.FormerMasters), listed)]
	lost := 0
	for i := range shown {
		m := &shown[i]
		if _, ok := sanitize.ShellWord(m.Key); !ok {
			lost++
			continue
		}
		args := []string{"del", m.Key}
		if strings.HasPrefix(m.Key, "-") {
			args = []string{"del", "--", m.Key}
		}
		s.Commands = append(s.Commands, b.etcdctl(b.endpoints(), args...).says("%s", b.whyFormer(m)))
	}
	if lost > 0 {
		s.Warnings = append(s.Warnings, unwritten(lost, "master lease"))
	}
	if n := len(b.FormerMasters) - len(shown); n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more: %s lists them.", n, b.predictCommand()))
	}
	if b.Current == nil && len(b.Backup.Facts.MasterLeases) > 0 {
		s.Why = "API servers list every address that has a master lease in etcd as an endpoint of the Service kubernetes. Which of the backup's machines are gone is not known from it alone."
		s.Checks = []string{"Each of these addresses is a machine that still has an API server. If one is not, delete its key: " + words.First(b.Backup.Facts.MasterLeases, listed) + "."}
	}
	if len(s.Commands)+len(s.Warnings)+len(s.Checks) == 0 {
		return Step{}
	}
	s.Checks = append(s.Checks, "Once API servers have run for 10 seconds, kubectl get endpointslices kubernetes --namespace=default lists only addresses of theirs.")
	return s
}

// whyFormer says what becomes of a master lease that is not deleted.
func (b *builder) whyFormer(m *rollback.FormerMaster) string {
	why := "Nothing else deletes it."
	switch {
	case m.TTL > 0 && b.recounts:
		why = "This restore loses leases: nothing else deletes it."
	case m.TTL > 0:
		why = fmt.Sprintf("etcd deletes it by itself %s after its start, unless the restore has lost its lease.", m.TTL)
	}
	if m.Doubt != "" {
		why += " Only if that API server is gone: " + m.Doubt + "."
	}
	return why
}
