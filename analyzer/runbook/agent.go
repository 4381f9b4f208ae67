package runbook

import "fmt"

// agent is the unit of k3s, RKE2 or k0s that runs the kubelet of a node that is no
// server, and the container runtime, which stops with it. On a server no such unit is
// active, and nothing is done.
type agent struct {
	unit string // and units whose names begin so: k3s' installer numbers them
	// child says that the kubelet is a process of its own below the unit's, as in RKE2
	// (pkg/executor/staticpod) and k0s (pkg/component/worker); in k3s it is not.
	child bool
}

func (a agent) restart(node string) Command {
	return systemctl(nodeHost(node), "try-restart", a.unit+"*")
}

// hold stops the kubelet where it is, and leaves the container runtime running.
func (a agent) hold(node string) Command {
	if a.child {
		return script(nodeHost(node), fmt.Sprintf("( ! sudo systemctl is-active --quiet '%s*' || sudo pkill -STOP -x kubelet )", a.unit), "systemctl", "pkill")
	}
	return systemctl(nodeHost(node), "kill", "--kill-who=main", "--signal=SIGSTOP", a.unit+"*")
}

// restartHeld restarts a kubelet that is held: systemd continues the process that it
// terminates (systemd.kill(5)), and a kubelet below that one is killed before.
func (a agent) restartHeld(node string) Command {
	if a.child {
		return script(nodeHost(node), fmt.Sprintf("( ! sudo systemctl is-active --quiet '%[1]s*' || { sudo pkill -KILL -x kubelet; sudo systemctl restart '%[1]s*'; } )", a.unit), "systemctl", "pkill")
	}
	return a.restart(node)
}
