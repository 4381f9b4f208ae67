package restore

import (
	"testing"

	"revenant/decoder/kube"
)

func TestAmounts(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 1023: "1023", 1024: "1Ki", 1025: "1025", 10*1024 + 1: "10Ki", 10*1024 - 1: "10239", 1 << 20: "1Mi", 10 << 20: "10Mi", 1<<20 + 1: "1024Ki", 3 << 30: "3Gi", 11<<30 + 5: "11Gi",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d bytes are %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 1: "1m", 999: "999m", 1000: "1", 1001: "1001m", 2000: "2"} {
		if got := Cores(n); got != want {
			t.Errorf("%d of CPU are %s, want %s", n, got, want)
		}
	}
}

// TestOverlapping: two pods that claim a port of the same address, or one of all addresses.
func TestOverlapping(t *testing.T) {
	ports := func(list ...kube.HostPort) func(*Pod) { return func(p *Pod) { p.HostPorts = list } }
	on := func(ip string, port int32) kube.HostPort { return kube.HostPort{IP: ip, Port: port, Protocol: "TCP"} }
	udp := kube.HostPort{IP: "10.0.0.1", Port: 80, Protocol: "UDP"}
	tests := []struct {
		name string
		pods []func(*Pod)
		want bool
	}{
		{"the same address", []func(*Pod){ports(on("10.0.0.1", 80)), ports(on("10.0.0.1", 80))}, true},
		{"other addresses", []func(*Pod){ports(on("10.0.0.1", 80)), ports(on("10.0.0.2", 80))}, false},
		{"all addresses", []func(*Pod){ports(on("", 80)), ports(on("10.0.0.2", 80))}, true},
		{"all of IPv4", []func(*Pod){ports(on("0.0.0.0", 80)), ports(on("10.0.0.2", 80))}, true},
		{"all of IPv6", []func(*Pod){ports(on("::", 80)), ports(on("10.0.0.2", 80))}, true},
		{"another port", []func(*Pod){ports(on("10.0.0.1", 80)), ports(on("10.0.0.1", 81))}, false},
		{"another protocol", []func(*Pod){ports(on("10.0.0.1", 80)), ports(udp)}, false},
		{"one pod, twice the same", []func(*Pod){ports(on("10.0.0.1", 80), on("10.0.0.1", 80))}, false},
		{"one pod, all addresses", []func(*Pod){ports(on("", 80))}, false},
	}
	for _, tt := range tests {
		f := &forecast{Comparison: &Comparison{}}
		var all []int32
		for i, change := range tt.pods {
			f.cases = append(f.cases, &podCase{current: pod("uid", 1, 1, change)})
			all = append(all, int32(i))
		}
		if got := f.overlapping(all, "TCP", 80); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestPrice: what a way to restore costs, in words.
func TestPrice(t *testing.T) {
	tests := []struct {
		name string
		o    ModeOutcome
		want string
	}{
		{"nothing", ModeOutcome{}, "Nothing is stopped or started."},
		{"one of each", ModeOutcome{Graceful: 1, Killed: 1, DoubleRuns: 1, Summary: map[Outcome]int{Restarted: 1, Hidden: 1}},
			"1 pod is stopped with its own grace period, 1 pod is killed within 2 s, without its preStop hook, 1 pod runs twice, until their kubelets have relisted or are restarted, 1 pod is started again and what the API lists is false."},
		{"two, for up to a time", ModeOutcome{DoubleRuns: 2, DoubleRunSeconds: 30}, "2 pods run twice or together with another pod of their name for up to 30 s."},
		{"deaf for long", ModeOutcome{Deaf: &Deaf{}}, "Kubelets are deaf until the revision catches up."},
		{"deaf for a time", ModeOutcome{Deaf: &Deaf{Estimate: "5 minutes"}}, "Kubelets are deaf for about 5 minutes."},
	}
	for _, tt := range tests {
		if got := tt.o.price(); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
