package container

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestFollowZip follows a zip archive exactly to its end, however its entries are written, and
// not to the end of one that is cut off.
func TestFollowZip(t *testing.T) {
	le := func(n, bytes int) string {
		b := binary.LittleEndian.AppendUint64(nil, uint64(n))
		return string(b[:bytes])
	}
	const name, text = "a.db", "PK, and more of it"
	local := func(flags, method, size int, extra, content string) string {
		return "PK\x03\x04" + le(45, 2) + le(flags, 2) + le(method, 2) + le(0, 4) + le(7, 4) + le(size, 4) + le(len(text), 4) + le(len(name), 2) + le(len(extra), 2) + name + extra + content
	}
	central := "PK\x01\x02" + strings.Repeat("\x00", 24) + le(len(name), 2) + le(3, 2) + le(5, 2) + strings.Repeat("\x00", 12) + name + "ext" + "notes"
	end64 := "PK\x06\x06" + le(44, 8) + strings.Repeat("\x00", 44) + "PK\x06\x07" + strings.Repeat("\x00", 16)
	end := "PK\x05\x06" + strings.Repeat("\x00", 16) + le(7, 2) + "comment"
	deflated := func() string {
		whole := packZip(entry{name, []byte(text)})
		start := 30 + int(binary.LittleEndian.Uint16(whole[26:])) + int(binary.LittleEndian.Uint16(whole[28:]))
		return string(whole[start:bytes.Index(whole, []byte("PK\x07\x08"))])
	}()
	const streamed, stored, deflate = 8, 0, 8
	large := le(1, 2) + le(16, 2) + le(len(text), 8) + le(len(text), 8)
	for _, tt := range []struct{ name, data string }{
		{"stored", local(0, stored, len(text), "", text) + central + end},
		{"two of them", local(0, stored, len(text), "", text) + local(0, stored, 0, "", "") + central + central + end},
		{"with more that is not read", local(0, stored, len(text), "extra", text) + central + end},
		{"deflated", local(0, deflate, len(deflated), "", deflated) + central + end},
		{"large", local(0, stored, 1<<32-1, large, text) + central + end64 + end},
		{"a stream", local(streamed, deflate, 0, "", deflated+"PK\x07\x08"+le(7, 4)+le(1, 4)+le(2, 4)) + central + end},
		{"a stream without a signature", local(streamed, deflate, 0, "", deflated+le(7, 4)+le(1, 4)+le(2, 4)) + central + end},
		{"a large stream", local(streamed, deflate, 0, "", deflated+"PK\x07\x08"+le(7, 4)+le(1, 8)+le(2, 8)) + central + end},
		{"a large stream without a signature", local(streamed, deflate, 0, "", deflated+le(7, 4)+le(1, 8)+le(2, 8)) + central + end},
		{"nothing", end},
		{"other flags", local(0xF7, deflate, len(deflated), "", deflated) + central + end},
	} {
		t.Run(tt.name, func(t *testing.T) {
			follow := func(data string) (rest string, err error) {
				x := &expander{Evidence: &Evidence{}, ctx: t.Context(), opts: Options{Limits: Limits{Bytes: 1 << 20, Ratio: 1, Entries: 1}}}
				r := bufio.NewReader(strings.NewReader(data))
				err = x.followZip(r)
				left, _ := io.ReadAll(r)
				return string(left), err
			}
			const more = "PK\x03\x04 is what follows"
			if rest, err := follow(tt.data + more); err != nil || rest != more {
				t.Errorf("%q is left, %v", rest, err)
			}
			for n := range tt.data {
				if _, err := follow(tt.data[:n]); err == nil {
					t.Errorf("cut to %d bytes of %d, it ends", n, len(tt.data))
				}
			}
		})
	}
	for _, tt := range []struct {
		name, data string
		want       error
	}{
		{"a stored stream", local(streamed, stored, 0, "", text) + central + end, errAstray},
		{"a large entry that does not say how large", local(0, stored, 1<<32-1, "", "") + central + end, errAstray},
		{"something else", local(0, stored, len(text), "", text) + "text", errAstray},
		{"as many records as may be", strings.Repeat("PK\x06\x07"+strings.Repeat("\x00", 16), 2*3+directorySlack) + end, nil},
		{"one more", strings.Repeat("PK\x06\x07"+strings.Repeat("\x00", 16), 2*3+directorySlack+1) + end, ErrEntries},
		{"more than may come out of it", local(streamed, deflate, 0, "", deflated) + end, ErrTooLarge},
	} {
		x := &expander{Evidence: &Evidence{}, ctx: t.Context(), opts: Options{Limits: Limits{Bytes: int64(len(text)) - 1, Ratio: 1, Entries: 3}}}
		if err := x.followZip(bufio.NewReader(strings.NewReader(tt.data))); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestDirectoryRead counts the entries of a zip's directory however it is read, and refuses more
// than the limit, and more bytes than as many entries have.
func TestDirectoryRead(t *testing.T) {
	one := directoryEntry + strings.Repeat("\x00", 42)
	data := []byte(strings.Repeat(one, 50))
	for _, size := range []int{1, 2, 3, 4, 5, 45, 46, 47, len(data)} {
		d := directoryReader{x: &expander{opts: Options{Limits: Limits{Entries: 1000}}}}
		for at := 0; at < len(data); at += size {
			if err := d.check(data[at:min(at+size, len(data))], int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		if d.entries != 50 || d.bytes != int64(len(data)) {
			t.Errorf("read %d bytes at a time, there are %d entries and %d bytes", size, d.entries, d.bytes)
		}
	}
	apart := directoryReader{x: &expander{opts: Options{Limits: Limits{Entries: 1000}}}}
	if err := errors.Join(apart.check([]byte(directoryEntry[:2]), 0), apart.check([]byte(directoryEntry[2:]), 100)); err != nil || apart.entries != 0 {
		t.Errorf("halves at two places are %d entries, %v", apart.entries, err)
	}
	const most = 7
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"as many entries as may be", bytes.Repeat([]byte(directoryEntry), most+directorySlack/4), nil},
		{"one more", bytes.Repeat([]byte(directoryEntry), most+directorySlack/4+1), ErrEntries},
		{"as many bytes as may be", make([]byte, directoryBytes*most+directorySlack), nil},
		{"one byte more", make([]byte, directoryBytes*most+directorySlack+1), ErrEntries},
	} {
		d := directoryReader{x: &expander{opts: Options{Limits: Limits{Entries: most}}}}
		if err := d.check(tt.data, 0); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestLooksText: a file is text where it has no other control characters than those of lines.
func TestLooksText(t *testing.T) {
	for head, want := range map[string]string{
		"a": "text", "a\tb\r\nc\n": "text", "\r": "text", "\n": "text", "\t": "text", " ": "text", "a\x1f": "", "a\x00": "", "\xff\xfe": "", "a\v": "", "\x00": "zeros", "": "",
	} {
		if got := Looks([]byte(head)); got != want {
			t.Errorf("%q: %q", head, got)
		}
	}
}
