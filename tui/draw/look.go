package draw

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Color is written as #rrggbb.
type Color struct{ R, G, B uint8 }

var _ color.Color = Color{}

// RGBA is that of color.Color.
func (c Color) RGBA() (r, g, b, a uint32) {
	return color.RGBA{c.R, c.G, c.B, 0xff}.RGBA()
}

// MarshalText writes the colour.
func (c Color) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "#%02x%02x%02x", c.R, c.G, c.B), nil
}

// UnmarshalText reads one.
func (c *Color) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(text), "#"), 16, 24)
	if err != nil || len(text) != len("#rrggbb") || text[0] != '#' {
		return fmt.Errorf("%q is no colour: #rrggbb is one", text)
	}
	*c = RGB(uint32(n))
	return nil
}

// RGB is the colour of a number, such as 0xff5f5f.
func RGB(hex uint32) Color { return Color{uint8(hex >> 16), uint8(hex >> 8), uint8(hex)} }

// Colors are those of one background.
type Colors struct {
	Dim      Color `json:"dim"`      // what is beside the point
	Selected Color `json:"selected"` // background of the selected row
	Critical Color `json:"critical"` // severities
	Warning  Color `json:"warning"`
	Good     Color `json:"good"`
	Added    Color `json:"added"` // in a difference
	Removed  Color `json:"removed"`
	Name     Color `json:"name"` // of a field, in YAML and JSON
}

// Look is a theme file: the colours of terminals that have more than 16.
type Look struct {
	Dark  Colors `json:"dark"`
	Light Colors `json:"light"`
}

// DefaultLook is the look without a theme file. Its colours are in the palette of
// 256, so that they are the same there.
var DefaultLook = Look{
	Dark:  Colors{Dim: RGB(0x8a8a8a), Selected: RGB(0x303030), Critical: RGB(0xff5f5f), Warning: RGB(0xd7af5f), Good: RGB(0x87af87), Added: RGB(0x87d787), Removed: RGB(0xd78787), Name: RGB(0x87afd7)},
	Light: Colors{Dim: RGB(0x626262), Selected: RGB(0xdadada), Critical: RGB(0xaf0000), Warning: RGB(0x875f00), Good: RGB(0x005f00), Added: RGB(0x005f00), Removed: RGB(0x870000), Name: RGB(0x005f87)},
}

// ParseLook reads a theme file, YAML. What it leaves out is as in DefaultLook.
func ParseLook(file []byte) (Look, error) {
	l := DefaultLook
	err := yaml.UnmarshalStrict(file, &l)
	return l, err
}

// DefaultTheme is a theme file with the default look.
func DefaultTheme() []byte {
	text, err := yaml.Marshal(DefaultLook)
	if err != nil {
		panic(err) // of our own constants
	}
	return append([]byte("# Colours of the terminal UI, for terminals with 256 colours and more, by the\n# terminal's background. Colour only carries severity.\n"), text...)
}
