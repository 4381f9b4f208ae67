package strictjson

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// read reads {"name": string, "number": int, "list": [{"name": string}]}.
func read(in io.Reader) (name string, number int64, r *Reader) {
	r = NewReader(in, "test")
	r.Object([]string{"name", "number", "list"}, func(field string) {
		switch field {
		case "name":
			name = r.String()
		case "number":
			number = r.Int()
		case "list":
			r.Array(func(int) {
				r.Object([]string{"name"}, func(string) { name += r.String() })
			})
		}
	})
	r.End()
	return name, number, r
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, json string
		text       string
		number     int64
		err, fault string // "" for none
	}{
		{"all of it", ` {"name":"a","number":-7,"list":[{"name":"b"},{"other":[1.5e-3,true,false,null,{}]}]} `, "ab", -7, "", ""},
		{"null", `{"name":null,"number":null,"list":null}`, "", 0, "", ""},
		{"escapes", `{"n\u0061me":"\u00E9\ud83d\ude00\n\/"}`, "é😀\n/", 0, "", ""},
		{"twice", `{"name":"a","name":"b"}`, "a", 0, "", "has name twice"},
		{"twice, the second escaped", `{"name":"a","\u006eame":"b"}`, "a", 0, "", "has name twice"},
		{"twice, the first null", `{"name":null,"name":"b"}`, "", 0, "", "has name twice"},
		{"twice, in an element", `{"list":[{},{"name":"a","name":"b"}]}`, "a", 0, "", "has list[1].name twice"},
		{"other letters", `{"Name":"b"}`, "", 0, "", `has "Name" instead of "name"`},
		{"other letters, in an element", `{"list":[{"NAME":"b"}]}`, "", 0, "", `has "NAME" instead of "name" in list[0]`},
		{"letters that fold", `{"liſt":[]}`, "", 0, "", `"liſt" instead of "list"`},
		{"another name", `{"nane":"b"}`, "", 0, "", ""},
		{"another type", `{"name":7}`, "", 0, "", "is no test at byte 9: name is a number"},
		{"another type in an element", `{"list":["a"]}`, "", 0, "", "list[0] is a string"},
		{"no object", `[]`, "", 0, "", "is no test at byte 1: it is an array"},
		{"no integer", `{"number":1.5}`, "", 0, "", "has number, which is no integer"},
		{"too large an integer", `{"number":9223372036854775808}`, "", 0, "", "no integer"},
		{"a long string", `{"name":"` + strings.Repeat("a", longest+1) + `"}`, "", 0, "", "longer than 4096 bytes"},
		{"a string as long as it may be", `{"name":"` + strings.Repeat("a", longest) + `"}`, strings.Repeat("a", longest), 0, "", ""},
		{"a long name", `{"a` + strings.Repeat("é", longest) + `":1}`, "", 0, "", ""},
		{"no UTF-8", "{\"name\":\"\xff\"}", "", 0, "", "has name, which is no UTF-8"},
		{"a name that is no UTF-8", "{\"nam\xff\":1}", "", 0, "", "has a name that is no UTF-8"},
		{"half a pair", `{"name":"\ud83d\u0041"}`, "", 0, "", "no UTF-8"},
		{"empty", " \n\t", "", 0, "is empty", ""},
		{"cut short", `{"name":"a`, "", 0, "is cut short after 10 bytes", ""},
		{"text", `Error`, "", 0, `is no JSON at byte 1: unexpected 'E'`, ""},
		{"a byte order mark", "\ufeff{}", "", 0, "is no JSON at byte 1", ""},
		{"no number", `{"number":NaN}`, "", 0, "is no JSON at byte 11", ""},
		{"a raw control character", "{\"name\":\"a\nb\"}", "", 0, "is no JSON at byte 11", ""},
		{"a comma too much", `{"list":[],}`, "", 0, "is no JSON at byte 12", ""},
		{"something after the end", `{} {}`, "", 0, "goes on after its end, at byte 4", ""},
		{"deep", strings.Repeat("[", 1<<20), "", 0, "is nested deeper than 500 levels at byte 501", "it is an array"},
		{"many halves of pairs", `{"x":"` + strings.Repeat(`\ud800`, 1<<20), "", 0, "is cut short", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, number, r := read(iotest.OneByteReader(strings.NewReader(tt.json)))
			if tt.err == "" && (text != tt.text || number != tt.number) {
				t.Errorf("got %q, %d", text, number)
			}
			if got := r.Err(); (got != nil) != (tt.err != "") || got != nil && !strings.Contains(got.Error(), tt.err) {
				t.Errorf("error %v; want %q", got, tt.err)
			}
			faults := strings.Join(r.Faults(), "; ")
			if (faults != "") != (tt.fault != "") || !strings.Contains(faults, tt.fault) {
				t.Errorf("faults %q; want %q", faults, tt.fault)
			}
		})
	}
}

func TestOthers(t *testing.T) {
	others := 0
	r := NewReader(strings.NewReader(`{"a":[1],"name":"x","":2,"name":"y","b":{}}`), "test")
	r.Object([]string{"name", ""}, func(name string) {
		if name == "" {
			others++
		}
		r.Skip()
	})
	r.End()
	if faults := r.Faults(); r.Err() != nil || others != 3 || len(faults) != 1 || faults[0] != "has name twice" {
		t.Errorf("%d others, faults %q, error %v", others, faults, r.Err())
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken pipe")
	_, _, r := read(io.MultiReader(strings.NewReader(`{"name":`), iotest.ErrReader(broken)))
	if !errors.Is(r.Err(), broken) {
		t.Errorf("got %v", r.Err())
	}
}

// TestMemory: what is passed over, and how many faults there are, costs nothing.
func TestMemory(t *testing.T) {
	for name, element := range map[string]string{
		"values":  `{"a":["` + strings.Repeat("x", 1000) + `",1]},`,
		"faults":  `7,`,
		"numbers": strings.Repeat("1", 1000) + `,`,
	} {
		small, large := allocations(element, 10), allocations(element, 10000)
		if large > small+10 {
			t.Errorf("%s: %v allocations for 10, %v for 10,000", name, small, large)
		}
	}
}

func allocations(element string, n int) float64 {
	doc := `{"list":[` + strings.Repeat(element, n) + `{}]}`
	return testing.AllocsPerRun(1, func() { read(strings.NewReader(doc)) })
}

// FuzzSkip: JSON is what encoding/json says is JSON.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+7,true,null,"\u00e9\ud83d\ude00"]}`, `01`, `1.`, `-`, `"\x"`, `[1,]`, `{"a"}`, `tru`, "\"\x01\"", `1 2`, `0e`, `[[]`, `7`, `"\u00A`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(iotest.HalfReader(strings.NewReader(string(data))), "test")
		r.Skip()
		r.End()
		if r.Err() != nil && strings.Contains(r.Err().Error(), "nested deeper") {
			return
		}
		if want := json.Valid(data); want != (r.Err() == nil) {
			t.Errorf("%q: encoding/json says %v, error %v", data, want, r.Err())
		}
	})
}

// FuzzObject: what is read without a fault is what encoding/json reads.
func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"name":"a","number":7}`))
	f.Add([]byte(`{"n\u0061me":"\u00e9\ud83d\ude00","number":-1,"list":[{"name":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		name, number, r := read(strings.NewReader(string(data)))
		if r.Err() != nil || len(r.Faults()) > 0 {
			return
		}
		var want struct {
			Name   string `json:"name"`
			Number int64  `json:"number"`
			List   []struct {
				Name string `json:"name"`
			} `json:"list"`
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q: encoding/json says %v", data, err)
		}
		all := len(want.Name)
		for _, e := range want.List {
			all += len(e.Name)
		}
		// The list may stand before the name, which is then read over it.
		if number != want.Number || len(name) != all && len(name) != len(want.Name) {
			t.Errorf("%q: got %q, %d; want %+v", data, name, number, want)
		}
	})
}
