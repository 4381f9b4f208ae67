package draw

import (
	"strings"
	"testing"
)

func TestParseLook(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"one colour", "dark: {critical: '#123456'}", ""},
		{"no colour", "dark: {critical: red}", `"red" is no colour`},
		{"too long", "dark: {critical: '#1234567'}", "is no colour"},
		{"unknown part", "dark: {background: '#000000'}", "background"},
		{"no YAML", "{", "yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			look, err := ParseLook([]byte(tt.file))
			if tt.want == "" {
				if err != nil || look.Dark.Critical != RGB(0x123456) || look.Dark.Dim != DefaultLook.Dark.Dim || look.Light != DefaultLook.Light {
					t.Errorf("got %+v, error %v", look, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v", err)
			}
		})
	}
}
