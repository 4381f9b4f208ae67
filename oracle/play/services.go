package play

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func systemctl(c *Call) *answer {
	if len(c.Args) < 2 {
		return fail("systemctl: unknown arguments %q", c.Args)
	}
	if !c.Root {
		return fail("Failed to %s %s: Interactive authentication required.", c.Args[0], c.Args[1])
	}
	verb, block := c.Args[0], true
	for _, unit := range c.Args[1:] {
		if unit == "--no-block" {
			block = false
			continue
		}
		if pattern, ok := strings.CutSuffix(unit, "*"); ok && verb == "try-restart" {
			for name, active := range c.h.units {
				if strings.HasPrefix(name, pattern) && active {
					c.unit("restart", name, block)
				}
			}
			continue
		}
		if _, ok := c.h.units[unit]; !ok {
			return &answer{Code: 5, Err: fmt.Sprintf("Failed to %s %s.service: Unit %s.service not found.\n", verb, unit, unit)}
		}
		if a := c.unit(verb, unit, block); a != nil {
			return a
		}
	}
	return &answer{}
}

// unit starts or stops a unit, and what runs in it.
func (c *Call) unit(verb, unit string, block bool) *answer {
	w, h := c.w, c.h
	switch verb {
	case "stop":
		h.units[unit] = false
		w.unitStops(h, unit)
	case "start":
		if h.units[unit] {
			return nil
		}
		fallthrough
	case "restart":
		if verb == "restart" {
			w.unitStops(h, unit)
		}
		h.units[unit] = true
		h.restarts["unit "+unit]++
		for _, name := range w.Platform.UnitProcs[unit] {
			w.start(h, name)
			if name == "etcd" && block {
				end := time.Now().Add(4 * time.Second)
				if h.Etcd.joins { // the others are there
					end = end.Add(20 * time.Second)
				}
				for w.revision() == 0 && time.Now().Before(end) {
					time.Sleep(50 * time.Millisecond)
				}
				if w.revision() == 0 {
					return fail("Job for %s.service failed because a timeout was exceeded.", unit)
				}
			}
		}
		if unit == w.Platform.kubelet(h) {
			w.restartKubelet(h)
		}
	default:
		return fail("Unknown command verb %s.", verb)
	}
	return nil
}

func (w *World) unitStops(h *Host, unit string) {
	if w.Platform.Outlive {
		return
	}
	for _, name := range w.Platform.UnitProcs[unit] {
		p := h.procs[name]
		w.stop(h, name, 0)
		if p != nil && p.done != nil {
			<-p.done
		}
		if p != nil {
			w.tickProc(h, name, p)
		}
	}
}

// iptables keeps the rules that are inserted.
func iptables(c *Call) *answer {
	if !c.Root {
		return &answer{Code: 4, Err: c.Program + ": Permission denied (you must be root)\n"}
	}
	if len(c.Args) < 3 {
		return fail("iptables: unknown arguments %q", c.Args)
	}
	rule := c.Program + " " + strings.Join(c.Args[1:], " ")
	at := slices.Index(c.h.rules, rule)
	switch c.Args[0] {
	case "-C":
		if at < 0 {
			return fail("iptables: Bad rule (does a matching rule exist in that chain?).")
		}
	case "-I":
		if at >= 0 {
			c.w.wrong("%s: a second rule %q", c.h.Name, rule)
		}
		c.h.rules = append(c.h.rules, rule)
		c.w.event(c.h, "%s -I", c.Program)
	case "-D":
		if at < 0 {
			return fail("iptables: Bad rule (does a matching rule exist in that chain?).")
		}
		c.h.rules = slices.Delete(c.h.rules, at, at+1)
		c.w.event(c.h, "%s -D", c.Program)
	default:
		return fail("iptables: unknown option %q", c.Args[0])
	}
	return &answer{}
}
