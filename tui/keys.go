package tui

// action is what a key asks for.
type action string

// binding is one line of the table that keys are dispatched by and that the help
// and the footer are made from.
type binding struct {
	keys   []string // as Bubble Tea names them
	shown  string   // as people know them
	help   string
	action action
	footer bool // shown in the last line
	// why says why the key does nothing here, "" when it does something; nil is
	// always.
	why func(*model) string
}

// The actions.
const (
	actQuit       action = "quit"
	actInterrupt  action = "interrupt"
	actHelp       action = "help"
	actBack       action = "back"
	actOverview   action = "overview"
	actPods       action = "pods"
	actNextScreen action = "next-screen"
	actUp         action = "up"
	actDown       action = "down"
	actPageUp     action = "page-up"
	actPageDown   action = "page-down"
	actTop        action = "top"
	actBottom     action = "bottom"
	actOpen       action = "open"
	actFilter     action = "filter"
	actAll        action = "all"
	actSide       action = "side"
	actBump       action = "bump"
	actCompacted  action = "mark-compacted"
	actKubelets   action = "kubelets"
	actServers    action = "apiservers"
)

func always(*model) string { return "" }

func onPods(m *model) string {
	if m.screen != screenPods {
		return "only on the pods"
	}
	return ""
}

func withDetail(m *model) string {
	if m.screen != screenPods || !m.pods.detail {
		return "only beside a pod's details"
	}
	return ""
}

func withPrediction(m *model) string {
	if m.session.comparison == nil {
		return "the snapshots are not open yet"
	}
	return ""
}

// bindings is the one table of keys, in the order of the help.
var bindings = []binding{
	{[]string{"1"}, "1", "overview", actOverview, true, always},
	{[]string{"2"}, "2", "pods", actPods, true, always},
	{[]string{"tab"}, "tab", "next screen", actNextScreen, false, always},
	{[]string{"b"}, "b", "plan: bump none, recommended, minimum", actBump, true, withPrediction},
	{[]string{"m"}, "m", "plan: mark compacted or not", actCompacted, true, withPrediction},
	{[]string{"r"}, "r", "plan: restart no kubelet, all, the one of the selected pod", actKubelets, true, withPrediction},
	{[]string{"a"}, "a", "plan: restart the API servers or leave them running", actServers, true, withPrediction},
	{[]string{"k", "up"}, "k ↑", "up", actUp, false, always},
	{[]string{"j", "down"}, "j ↓", "down", actDown, false, always},
	{[]string{"ctrl+u", "pgup", "ctrl+b"}, "ctrl-u pgup", "page up", actPageUp, false, always},
	{[]string{"ctrl+d", "pgdown", "ctrl+f", "space"}, "ctrl-d pgdn", "page down", actPageDown, false, always},
	{[]string{"g", "home"}, "g home", "first line", actTop, false, always},
	{[]string{"G", "end"}, "G end", "last line", actBottom, false, always},
	{[]string{"enter", "l", "right"}, "enter", "details of the pod", actOpen, true, onPods},
	{[]string{"/"}, "/", "filter the pods", actFilter, true, onPods},
	{[]string{"u"}, "u", "pods that need no attention, too", actAll, false, onPods},
	{[]string{"o"}, "o", "details: object of the backup or of the current state", actSide, false, withDetail},
	{[]string{"esc", "h", "left"}, "esc", "back", actBack, false, always},
	{[]string{"?"}, "?", "help", actHelp, true, always},
	{[]string{"q"}, "q", "quit", actQuit, true, always},
	{[]string{"ctrl+c"}, "ctrl-c", "quit at once", actInterrupt, false, always},
}

// actionOf finds what a key asks for, "" for nothing.
func actionOf(m *model, key string) action {
	for _, b := range bindings {
		for _, k := range b.keys {
			if k == key && b.why(m) == "" {
				return b.action
			}
		}
	}
	return ""
}
