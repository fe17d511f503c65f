package stats_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/stats/statstest"
)

// heldBy says which reference cases speak about a statistic that has none under
// its own name, and why.
var heldBy = map[string]struct{ cases, why string }{
	"stats/SurvivalCurve.At":             {"KaplanMeier", "the step of the curve that the cases list"},
	"stats/SurvivalCurve.Quantile":       {"KaplanMeier", "the cases hold quantiles of the curve with their ends"},
	"stats/SurvivalCurve.RestrictedMean": {"KaplanMeier", "the cases hold the restricted mean and its error"},
	"stats/sequential/Result.P":          {"Normal", "the cases hold p with log E"},
	"stats/sequential/Hypothesis.P":      {"NewBudget", "the cases hold p of every hypothesis"},
	"stats/sequential/BernoulliLogE":     {"Bernoulli", "held to the bit of the log E of Bernoulli"},
	"stats/sequential/Budget.Add":        {"NewBudget", "the cases add hypotheses"},
	"stats/sequential/Budget.Alpha":      {"NewBudget", "the cases hold alpha"},
	"stats/sequential/Budget.Observe":    {"NewBudget", "the cases observe every hypothesis"},
	"stats/sequential/Budget.Hypotheses": {"NewBudget", "the cases list the hypotheses"},
	"stats/calibration/FromRows":         {"Sums", "the sums of the rows"},
	"stats/calibration/Data.Sums":        {"Sums", "the sums of the data"},
	"stats/calibration/Data.N":           {"Sums", "the cases hold n"},
}

// noReference lists what returns a value but estimates nothing.
var noReference = map[string]string{
	"stats/Interval.Width":            "Hi - Lo",
	"stats/sequential/Budget.Crossed": "a filter of Hypotheses",
	"stats/sequential/Budget.Lookup":  "an element of Hypotheses",
	"stats/sequential/Ledger.Len":     "a length",
	"stats/sequential/Ledger.Looks":   "what was appended",
}

// noBadInput lists what has no error: every input has a documented answer.
var noBadInput = map[string]string{
	"stats/LogNormalTail":                "NaN gives NaN, in TestDiscreteSpecialCases",
	"stats/PoissonWeight":                "any seed, unit and replicate, in TestPoissonWeightLaw",
	"stats/SurvivalCurve.At":             "before and beyond the steps, in TestSpecialCasesSurvival",
	"stats/sequential/NormalReady":       "any counts, in TestSpecialCases",
	"stats/sequential/PValue":            "NaN gives 1, in TestSpecialCases",
	"stats/sequential/Threshold":         "alpha <= 0 gives +Inf, in TestSpecialCases",
	"stats/sequential/Result.P":          "as PValue",
	"stats/sequential/Running.P":         "as PValue",
	"stats/sequential/Hypothesis.P":      "as PValue",
	"stats/sequential/Budget.Alpha":      "takes nothing",
	"stats/sequential/Budget.Hypotheses": "takes nothing",
	"stats/calibration/Data.N":           "takes nothing",
	"stats/calibration/Data.Sums":        "takes nothing",
	"stats/calibration/Data.Between":     "NaN and empty ranges, in TestBetweenEnds",
}

// elsewhere lists files that begin like those of a package and are another's.
var elsewhere = map[string]string{"calibration_check": "read by analysis/checks"}

// statistics are the folders, under stats, that are held.
var statistics = []string{"stats", "stats/sequential", "stats/calibration"}

// exported is an exported function or method.
type exported struct {
	name   string // "stats/sequential/Budget.Add"
	short  string // "Add"
	number bool   // returns more than errors, names and yes or no
	fails  bool   // returns an error
}

// surface lists the exported functions and methods of a folder, and the calls
// made and the strings written in its tests.
func surface(t *testing.T, dir string) (funcs []exported, refused, words map[string]bool) {
	t.Helper()
	refused, words = map[string]bool{}, map[string]bool{}
	for _, path := range append(glob(t, dir, "*.go"), glob(t, "stats/internal/special", "*_test.go")...) {
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		test := strings.HasSuffix(path, "_test.go")
		if test && filepath.Base(path) != "reference_coverage_test.go" {
			note(tree, refused, words)
		}
		for _, d := range tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && !test && f.Name.IsExported() {
				if e, ok := describe(dir, f); ok {
					funcs = append(funcs, e)
				}
			}
		}
	}
	return funcs, refused, words
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(statstest.Root(t), filepath.FromSlash(dir), pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	return paths
}

// note records the strings of a test file, and what its tests of errors call.
func note(tree *ast.File, refused, words map[string]bool) {
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
			words[strings.Trim(s.Value, "\"`")] = true
		}
		return true
	})
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") || !strings.Contains(f.Name.Name, "Errors") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				refused[s.Sel.Name] = true
			}
			return true
		})
	}
}

// describe reports false for methods of unexported types and for the encodings.
func describe(dir string, f *ast.FuncDecl) (exported, bool) {
	e := exported{name: dir + "/" + f.Name.Name, short: f.Name.Name}
	if f.Recv != nil {
		typ := f.Recv.List[0].Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		if index, ok := typ.(*ast.IndexExpr); ok {
			typ = index.X
		}
		id, ok := typ.(*ast.Ident)
		if !ok || !id.IsExported() || strings.Contains(e.short, "arshal") {
			return e, false
		}
		e.name = dir + "/" + id.Name + "." + e.short
	}
	if f.Type.Results == nil {
		return e, true
	}
	for _, r := range f.Type.Results.List {
		switch id, _ := r.Type.(*ast.Ident); {
		case id != nil && id.Name == "error":
			e.fails = true
		case id == nil || id.Name != "string" && id.Name != "bool" || e.short == "NormalReady":
			e.number = true
		}
	}
	return e, true
}

// TestReferenceCoverage asks for five reference cases of every statistic under its
// own name, each of them read by a test of the package.
func TestReferenceCoverage(t *testing.T) {
	known := map[string]bool{}
	for _, dir := range statistics {
		prefix := filepath.Base(dir)
		funcs, _, words := surface(t, dir)
		count := map[string]int{}
		for _, path := range glob(t, "testdata/reference", prefix+"*.json") {
			file := strings.TrimSuffix(filepath.Base(path), ".json")
			if elsewhere[file] != "" {
				continue
			}
			if !words[file] {
				t.Errorf("no test of %s reads %s", dir, file)
			}
			for _, c := range statstest.Load(t, file).Cases {
				if count[c.Func]++; !words[c.Func] {
					t.Errorf("no test of %s reads the cases of %s in %s", dir, c.Func, file)
					words[c.Func] = true
				}
			}
		}
		for _, f := range funcs {
			known[f.name] = true
			name := strings.TrimPrefix(f.name, dir+"/")
			if h, ok := heldBy[f.name]; ok {
				name = h.cases
			}
			switch short, excused := f.number && count[name] < 5, noReference[f.name] != ""; {
			case short && !excused:
				t.Errorf("%s has %d reference cases under %s, want 5 or more", f.name, count[name], name)
			case excused && !short:
				t.Errorf("%s needs no excuse", f.name)
			}
		}
	}
	for _, list := range [][]string{keys(heldBy), keys(noReference), keys(noBadInput)} {
		for _, name := range list {
			if !known[name] {
				t.Errorf("%s is excused, and does not exist", name)
			}
		}
	}
}

// TestBadInputCoverage asks that some test of errors calls every function that
// takes numbers, or that its special cases are tested instead.
func TestBadInputCoverage(t *testing.T) {
	for _, dir := range statistics {
		funcs, refused, _ := surface(t, dir)
		for _, f := range funcs {
			switch {
			case !f.fails && !f.number, f.fails && refused[f.short], noBadInput[f.name] != "":
			case !f.fails && noReference[f.name] != "": // nothing to refuse in a length
			default:
				t.Errorf("no test of errors calls %s", f.name)
			}
		}
	}
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
