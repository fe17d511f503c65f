package csvrows

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzCSV holds records that are good against what the standard library reads.
// That skips blank lines in a file of one column, too, turns a carriage return
// with a line feed inside quotes into the latter, and takes more for good: only what
// both can read is compared.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"x\"\"y\",\"\n\"\n", "a,\"b\n\nc,d\n", "\r\n,\r\n\"\",\"", "a\"b\n", "\"a\"b\n\"\"\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLines(bytes.NewReader(data), 1<<16)
		s := &splitter{comma: ','}
		var got [][]string
		sound := true
		last := int64(0)
		for {
			line, bad, err := s.next(l, 0)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || line <= last {
				t.Fatalf("line %d after %d, error %v", line, last, err)
			}
			if last = line; bad != nil {
				sound = false
				continue
			}
			var record []string
			for _, field := range s.fields {
				record = append(record, string(field.text))
			}
			got = append(got, record)
		}
		if !sound || bytes.Contains(data, []byte("\r")) {
			return
		}
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil {
			t.Fatalf("%q was read, though %v", data, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %q, want %q", data, got, want)
		}
		for i := range want {
			if strings.Join(got[i], "\x00") != strings.Join(want[i], "\x00") {
				t.Fatalf("%q: record %d is %q, want %q", data, i, got[i], want[i])
			}
		}
	})
}

// FuzzJSON holds objects against what the standard library reads.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"x": 1}`, `{"x": "a\u00e9\ud83d\ude00\n", "y": [{}, 1e5, -0.5]}`, `{"x": NaN}`, `{"x": true, "x": null}`, `{"y": {"x": [`, `{"x": "\ud800\u0041"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o := &object{keys: map[string]int{"x": 0}, tokens: make([]token, 1)}
		err := o.parse(data)
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(data, &want)
		switch {
		case bytes.ContainsAny(data, "NI"): // NaN and infinities
			return
		case err == nil && (wantErr != nil || want == nil):
			t.Fatalf("%q was read, though %v", data, wantErr)
		case err != nil && wantErr == nil && want != nil && !strings.Contains(err.Error(), "twice") && !strings.Contains(err.Error(), "deep"):
			t.Fatalf("%q: %v", data, err)
		case err != nil || o.tokens[0].kind != text:
			return
		}
		var s string
		if err := json.Unmarshal(want["x"], &s); err != nil {
			t.Fatalf("%q: x is %s", data, want["x"])
		}
		if got := strings.ToValidUTF8(string(o.tokens[0].text), "\ufffd"); strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(s, "\ufffd", "") {
			t.Fatalf("%q: x is %q, want %q", data, got, s)
		}
	})
}

// FuzzValues reads any text as any type: what one of them takes, it takes as the
// others do.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"1", "-0", "1e5", "2025-03-01T00:00:00.5+01:00", "nan", "1700000000.5", "-", ".", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := &values{epoch: 1e9}
		for _, k := range []kind{bare, quoted, text, number} {
			if s == "" && k == number {
				continue
			}
			tok := token{k, []byte(s)}
			v.look(tok)
			n, errInt := v.parseInt(tok)
			x, errFloat := parseFloat(tok)
			if errInt == nil && (errFloat != nil || x != float64(n)) {
				t.Fatalf("%q is %d, and %v (%v)", s, n, x, errFloat)
			}
			_, _ = v.parseTime(tok) // it must not panic
			_, _ = parseBool(tok)
		}
	})
}
