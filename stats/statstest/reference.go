package statstest

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rampguard/rampguard/stats"
)

// Reference is a file of numbers computed by other people's software. The
// scripts in testdata/reference write such files; no Go code does.
type Reference struct {
	Generator string            `json:"generator"` // path of the script in the repository
	Command   string            `json:"command"`   // how to run it again
	Versions  map[string]string `json:"versions"`  // of the interpreter and of each library
	Tolerance string            `json:"tolerance"` // in words, what the tolerances below mean
	Cases     []Case            `json:"cases"`
}

// Case is one call: the function, its input, and what the reference answers.
type Case struct {
	Name string                     `json:"name"`
	Func string                     `json:"func"` // which of our functions it speaks about
	In   map[string]json.RawMessage `json:"in"`
	Want map[string]json.RawMessage `json:"want"`
	RTol float64                    `json:"rtol"` // relative tolerance of every wanted number
	ATol float64                    `json:"atol"` // absolute tolerance, added to the relative one
}

// Root returns the module's root folder, found from this source file.
func Root(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("statstest: cannot find the source folder")
	}
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Load reads testdata/reference/<name>.json. It fails the test when the file is
// missing, does not name its generator and versions, or holds no case.
func Load(t testing.TB, name string) Reference {
	t.Helper()
	path := filepath.Join(Root(t), "testdata", "reference", name+".json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("statstest: %v", err)
	}
	var r Reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("statstest: %s: %v", path, err)
	}
	if r.Generator == "" || r.Command == "" || len(r.Versions) == 0 || len(r.Cases) == 0 {
		t.Fatalf("statstest: %s: generator, command, versions and cases must be set", path)
	}
	return r
}

// ByFunc returns the cases that speak about the named function, and fails the
// test when there is none: a reference that tests nothing is a mistake.
func (r Reference) ByFunc(t testing.TB, name string) []Case {
	t.Helper()
	var cs []Case
	for _, c := range r.Cases {
		if c.Func == name {
			cs = append(cs, c)
		}
	}
	if len(cs) == 0 {
		t.Fatalf("statstest: no reference case for %s in %s", name, r.Generator)
	}
	return cs
}

// Float returns the number under key in m. The strings "NaN", "+Inf" and "-Inf"
// stand for the non-finite values.
func Float(t testing.TB, m map[string]json.RawMessage, key string) float64 {
	t.Helper()
	var f stats.Float
	decode(t, m, key, &f)
	return float64(f)
}

// Floats returns the list of numbers under key in m.
func Floats(t testing.TB, m map[string]json.RawMessage, key string) []float64 {
	t.Helper()
	var fs []stats.Float
	decode(t, m, key, &fs)
	out := make([]float64, len(fs))
	for i, f := range fs {
		out[i] = float64(f)
	}
	return out
}

// Uints returns the list of counts under key in m.
func Uints(t testing.TB, m map[string]json.RawMessage, key string) []uint64 {
	t.Helper()
	var out []uint64
	decode(t, m, key, &out)
	return out
}

// Decode unmarshals the value under key in m into v.
func Decode(t testing.TB, m map[string]json.RawMessage, key string, v any) {
	t.Helper()
	decode(t, m, key, v)
}

func decode(t testing.TB, m map[string]json.RawMessage, key string, v any) {
	t.Helper()
	raw, ok := m[key]
	if !ok {
		t.Fatalf("statstest: no %q in the case", key)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("statstest: %q: %v", key, err)
	}
}

// IsNear reports whether |got-want| <= atol + rtol*|want|. NaN is near NaN, and
// an infinity is near itself only.
func IsNear(got, want, rtol, atol float64) bool {
	switch {
	case math.IsNaN(want):
		return math.IsNaN(got)
	case math.IsInf(want, 0) || math.IsInf(got, 0):
		return got == want
	}
	return math.Abs(got-want) <= atol+rtol*math.Abs(want)
}

// Near fails the test unless got is near want; see [IsNear].
func Near(t testing.TB, what string, got, want, rtol, atol float64) {
	t.Helper()
	if !IsNear(got, want, rtol, atol) {
		t.Errorf("%s = %.17g, want %.17g (difference %.3g, rtol %g, atol %g)", what, got, want, got-want, rtol, atol)
	}
}
