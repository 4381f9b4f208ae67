package preflight

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Policy says what the verdicts of checks count as, and what is too old, too much or
// too large. The zero value takes every verdict for what it is.
type Policy struct {
	Limits Limits `json:"limits,omitzero"`
	// Default says what verdicts of all checks count as, and Checks of single ones,
	// which come first. What neither names counts as what it is.
	Default Rule        `json:"default,omitzero"`
	Checks  map[ID]Rule `json:"checks,omitempty"`
}

// Rule says what the verdicts count as: fail, warn, unknown or ignore, "" as what they
// are. Pass is always a pass.
type Rule struct {
	Fail    Verdict `json:"fail,omitempty"`
	Warn    Verdict `json:"warn,omitempty"`
	Unknown Verdict `json:"unknown,omitempty"`
}

// Limits are what a measure may be at most; zero is no limit of the policy's. What is
// above a limit of the policy fails, what is above a built-in one is a warning.
type Limits struct {
	Age  Age     `json:"maxAge,omitempty"`
	Gap  int64   `json:"maxGap,omitempty"`  // revisions that a restore undoes
	Rate float64 `json:"maxRate,omitempty"` // revisions a second, on average
	Size float64 `json:"maxSize,omitempty"` // share of etcd's quota: 0.8 is 80 %
}

// Built-in limits.
const (
	usualAge  = Age(24 * time.Hour)
	usualSize = 0.8
)

// Age is a duration as policies have it: 36h, 90m, 2d.
type Age time.Duration

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// UnmarshalJSON reads a duration of Go, or a number of days.
func (a *Age) UnmarshalJSON(text []byte) error {
	s, err := strconv.Unquote(string(text))
	if err != nil {
		return fmt.Errorf("%.40s is not a duration such as 36h or 2d", text)
	}
	if m := days.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		*a = Age(time.Duration(n) * 24 * time.Hour)
	} else {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%.40q is not a duration such as 36h or 2d", s)
		}
		*a = Age(d)
	}
	if *a <= 0 {
		return fmt.Errorf("%.40q is not longer than nothing", s)
	}
	return nil
}

// MarshalJSON writes the duration as Go does.
func (a Age) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Quote(time.Duration(a).String())), nil
}

// ParsePolicy reads a policy, YAML or JSON. A key or a check that is not known is an
// error, and so is an action that there is not.
func ParsePolicy(text []byte) (Policy, error) {
	var p Policy
	if err := yaml.UnmarshalStrict(text, &p); err != nil {
		return Policy{}, fmt.Errorf("not a policy: %s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "error unmarshaling JSON: "), "while decoding JSON: "))
	}
	if l := p.Limits; l.Gap < 0 || l.Rate < 0 || l.Size < 0 || math.IsInf(l.Rate, 0) || math.IsInf(l.Size, 0) {
		return Policy{}, errors.New("not a policy: a limit is below zero or no number")
	}
	if err := p.Default.check(); err != nil {
		return Policy{}, fmt.Errorf("not a policy: default: %w", err)
	}
	for id, rule := range p.Checks {
		if !slices.Contains(IDs(), id) {
			return Policy{}, fmt.Errorf("not a policy: there is no check %.60q", id)
		}
		if err := rule.check(); err != nil {
			return Policy{}, fmt.Errorf("not a policy: %s: %w", id, err)
		}
	}
	return p, nil
}

func (r Rule) check() error {
	for _, v := range []Verdict{r.Fail, r.Warn, r.Unknown} {
		if v != "" && v != Fail && v != Warn && v != Unknown && v != Ignored {
			return fmt.Errorf("%.40q is not one of fail, warn, unknown and ignore", v)
		}
	}
	return nil
}

func (r Rule) of(v Verdict) Verdict {
	switch v {
	case Fail:
		return r.Fail
	case Warn:
		return r.Warn
	case Unknown:
		return r.Unknown
	}
	return ""
}

// counts says what a verdict of a check counts as.
func (p *Policy) counts(id ID, v Verdict) Verdict {
	if as := p.Checks[id].of(v); as != "" {
		return as
	}
	if as := p.Default.of(v); as != "" {
		return as
	}
	return v
}

func (a Age) duration() time.Duration { return time.Duration(a) }
