package lines_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/internal/lines"
)

func TestNext(t *testing.T) {
	long := strings.Repeat("y", 1<<17)
	for text, want := range map[string][]string{
		"":                               nil,
		"\n":                             {""},
		"a":                              {"a"},
		"a\r\n\r\nb":                     {"a", "", "b"},
		"1234\n12345\r\n123456\n1234567": {"1234", "12345", "12345!", "12345!"},
		"12345\r\n12345\rx\n":            {"12345", "12345!"},
		long + "\nb\n" + long:            {"yyyyy!", "b", "yyyyy!"},
	} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text))} {
			var got []string
			l := lines.New(r, 5)
			for {
				line, tooLong, err := l.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				mark := ""
				if tooLong {
					mark = "!"
				}
				got = append(got, string(line)+mark)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%.20q: %s", text, diff)
			}
		}
	}
	if _, _, err := lines.New(iotest.ErrReader(io.ErrClosedPipe), 5).Next(); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}
