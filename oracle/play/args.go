package play

import (
	"fmt"
	"strings"
)

// flags are the parsed arguments of a program.
type flags struct {
	values map[string]string
	words  []string
}

func (f *flags) get(name string) string { return f.values[name] }

func (f *flags) has(name string) bool { _, ok := f.values[name]; return ok }

// parse reads long flags as pflag does. known says which take a value.
func parse(args []string, known map[string]bool) (*flags, error) {
	f := &flags{values: map[string]string{}}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			f.words = append(f.words, args[i+1:]...)
			return f, nil
		}
		name, isFlag := strings.CutPrefix(arg, "--")
		if !isFlag {
			if strings.HasPrefix(arg, "-") {
				return nil, fmt.Errorf("unknown shorthand flag in %s", arg)
			}
			f.words = append(f.words, arg)
			continue
		}
		name, value, given := strings.Cut(name, "=")
		takes, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("unknown flag: --%s", name)
		}
		if takes && !given {
			if i++; i >= len(args) {
				return nil, fmt.Errorf("flag needs an argument: --%s", name)
			}
			value = args[i]
		}
		f.values[name] = value
	}
	return f, nil
}
