package play

import (
	"fmt"
	"testing"
)

// TestServers plays the runbooks of platforms of which one service is the control plane of
// a server with its etcd: k3s, RKE2 and k0s.
func TestServers(t *testing.T) {
	plain, alone := Evidence{Backup: "backup.db", Current: "current.db"}, Evidence{Backup: "backup.db"}
	hostile := Evidence{Backup: "it's a/my \"backup\" $(reboot).db", Current: "it's a/-the current.db"}
	type server struct {
		situation
		how       string
		kill      *Kill
		restarted []string // nil for those that have joined
	}
	var list []server
	for _, platform := range []string{"k3s", "rke2", "k0s"} {
		on := func(members int, e Evidence) situation {
			return situation{platform: platform, members: members, evidence: e, more: true}
		}
		one, three, again := on(1, plain), on(3, hostile), on(3, plain)
		again.every = true
		unbumped := on(1, plain)
		unbumped.words = []string{"--restart-kubelets=all"}
		nodes := on(3, plain)
		nodes.names = []string{"node-1", "node-2", "node-3"}
		nodes.more = platform != "k3s"
		three.more = true
		list = append(list,
			server{situation: one}, server{situation: three}, server{situation: on(1, alone)}, server{situation: on(3, alone)}, server{situation: again},
			server{situation: unbumped, how: ", no bump", restarted: living},
			server{situation: nodes, how: ", servers are nodes", restarted: living},
		)
		for at := 1; at <= 6; at++ {
			list = append(list, server{situation: on(1+2*(at%2), plain), how: fmt.Sprint(", killed at call ", at), kill: &Kill{Step: "restore", After: 1, AtCall: at}})
		}
	}
	dead := situation{platform: "k0s", members: 1, evidence: Evidence{Backup: "backup.db", Current: "data", Directory: true, Dead: true}, more: true}
	list = append(list, server{situation: dead})
	for _, s := range list {
		if s.more && !*all {
			continue
		}
		t.Run(s.String()+s.how, func(t *testing.T) {
			p := s.start(t)
			if s.restarted != nil {
				p.Restarted = s.restarted
			}
			p.Kill = s.kill
			p.ends(t)
		})
	}
}
