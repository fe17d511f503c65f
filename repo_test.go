// Package rampguard_test holds the rules of the house as tests: which package
// may import which, one package comment per folder, an Example for every exported
// function, no file beyond 500 lines. The root folder has no other code.
package rampguard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

const module = "github.com/rampguard/rampguard"

// mayImport is the import table: first-party packages that a package may import
// beside its own subfolders under internal. Tests are free.
var mayImport = map[string][]string{
	"stats":                  {},
	"stats/summary":          {"stats"},
	"stats/sequential":       {"stats"},
	"stats/calibration":      {"stats", "stats/summary"},
	"stats/statstest":        {"stats", "stats/summary"},
	"stats/decision":         {"stats", "stats/summary"},
	"stats/labelfree":        {"stats", "stats/summary", "stats/calibration"},
	"stats/sliceline":        {"stats"},
	"release":                {"analysis", "stats"},
	"analysis/labeldelay":    {"stats", "stats/summary"},
	"adapters/pairjoin":      {"analysis", "stats", "stats/summary", "adapters/parquetrows"},
	"adapters/webhookgate":   {"analysis", "analysis/kayenta", "stats"},
	"adapters/gatestore":     {"analysis", "stats", "adapters/webhookgate"},
	"drift":                  {"stats", "stats/summary"},
	"drift/compat":           {"stats", "stats/summary", "drift"},
	"schema":                 {},
	"analysis":               {"stats", "stats/summary"},
	"analysis/planning":      {"analysis", "analysis/checks", "stats", "stats/summary", "stats/sequential"},
	"analysis/simulation":    {"analysis", "analysis/checks", "analysis/kayenta", "analysis/planning", "stats", "stats/summary"},
	"analysis/backtest":      {"analysis", "stats"},
	"adapters":               {"analysis", "stats", "stats/summary"},
	"adapters/adaptertest":   {"analysis", "stats", "stats/summary"},
	"adapters/arrowrows":     {"analysis", "stats", "stats/summary", "adapters/internal"},
	"adapters/csvrows":       {"analysis", "stats", "stats/summary", "adapters/internal"},
	"adapters/promquery":     {"analysis", "stats", "stats/summary"},
	"adapters/promexport":    {"analysis", "leadtime", "sla", "stats"},
	"adapters/sqlquery":      {"analysis", "stats", "stats/summary"},
	"analysis/kayenta":       {"analysis", "stats"},
	"analysis/foreign":       {"analysis/kayenta", "stats"},
	"analysis/analysistest":  {"analysis", "stats"},
	"leadtime":               {"stats"},
	"sla":                    {"stats"},
	"sla/openslo":            {"sla", "stats"},
	"analysis/checks":        {"analysis", "drift", "sla", "stats", "stats/summary", "stats/sequential", "stats/calibration", "stats/decision", "stats/labelfree", "stats/sliceline"},
	"adapters/parquetrows":   {"analysis", "stats", "stats/summary"},
	"cmd/rampguard":          {"analysis", "analysis/checks", "analysis/foreign", "analysis/planning", "analysis/simulation", "analysis/backtest", "analysis/labeldelay", "release", "leadtime", "sla", "sla/openslo", "stats", "stats/summary", "stats/decision", "adapters/parquetrows", "adapters/pairjoin", "adapters/webhookgate", "adapters/gatestore", "adapters/promexport", "adapters/arrowrows", "adapters/csvrows", "adapters/promquery", "adapters/fileevents", "adapters/cdevents"},
	"adapters/fileevents":    {"analysis", "leadtime", "sla", "stats", "adapters/parquetrows"},
	"adapters/cdevents":      {"leadtime", "stats"},
	"adapters/mlflowevents":  {"leadtime", "stats"},
	"adapters/rolloutevents": {"leadtime", "stats"},
}

// heavy are third-party modules that only the named folders may import.
var heavy = map[string][]string{
	"github.com/parquet-go/parquet-go":      {"adapters/parquetrows", "testdata"},
	"github.com/prometheus/client_golang":   {"adapters", "cmd"},
	"github.com/apache/arrow/go/v17":        {"adapters"},
	"github.com/spf13/cobra":                {"cmd"},
	"go.etcd.io/bbolt":                      {"adapters/gatestore"},
	"github.com/lib/pq":                     {"cmd"},
	"github.com/schollz/progressbar/v3":     {"cmd"},
	"github.com/santhosh-tekuri/jsonschema": {},
	"pgregory.net/rapid":                    {"stats/statstest"},
	"github.com/google/go-cmp":              {"stats/statstest"},
}

type file struct {
	path string // relative to the root, with slashes
	ast  *ast.File
	set  *token.FileSet
	loc  int
}

func (f file) dir() string  { return filepath.ToSlash(filepath.Dir(f.path)) }
func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func goFiles(t *testing.T) []file {
	t.Helper()
	var out []file
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(name, ".") || name == "bin") {
				return filepath.SkipDir
			}
			if path != "." {
				if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
					return filepath.SkipDir // a module of its own
				}
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, path, src, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, file{filepath.ToSlash(path), tree, set, strings.Count(string(src), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImportsGoDownward(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.isTest() {
			continue
		}
		for _, spec := range f.ast.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if first, ok := strings.CutPrefix(path, module+"/"); ok {
				checkFirstParty(t, f, first)
			}
			for lib, dirs := range heavy {
				if (path == lib || strings.HasPrefix(path, lib+"/")) && !slices.ContainsFunc(dirs, func(d string) bool { return within(f.dir(), d) }) {
					t.Errorf("%s imports %s, which belongs to %v and to tests only", f.path, path, dirs)
				}
			}
		}
	}
}

func checkFirstParty(t *testing.T, f file, imported string) {
	t.Helper()
	home, _, internal := strings.Cut(f.dir(), "/internal")
	if strings.HasPrefix(imported, home+"/internal/") || within(f.dir(), "testdata") || within(f.dir(), "examples") {
		return
	}
	if internal && imported == home {
		return
	}
	if owner, _, ok := strings.Cut(imported, "/internal/"); ok && within(home, owner) {
		return
	}
	allowed, known := mayImport[home]
	if !known {
		t.Errorf("%s: folder %s is not in the import table of repo_test.go; add it there and in README.md", f.path, home)
		return
	}
	if !slices.Contains(allowed, imported) {
		t.Errorf("%s imports %s; %s may import %v: imports go downward only (see ARCHITECTURE in README.md)", f.path, imported, home, allowed)
	}
}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

func TestOnePackageCommentPerFolder(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range goFiles(t) {
		if f.isTest() {
			continue
		}
		if _, ok := comments[f.dir()]; !ok {
			comments[f.dir()] = nil
		}
		if f.ast.Doc != nil {
			comments[f.dir()] = append(comments[f.dir()], f.path)
		}
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("folder %s has package comments in %v, want exactly one (in doc.go, or main.go of a command)", dir, files)
		}
	}
}

func TestFilesStaySmall(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.loc > 500 {
			t.Errorf("%s has %d lines; one topic a file, under 500 lines", f.path, f.loc)
		}
	}
}

func TestNothingIsLeftOpen(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				for _, mark := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"} {
					if strings.Contains(c.Text, mark) {
						t.Errorf("%s: %s: open ends belong in the issue tracker", f.set.Position(c.Pos()), mark)
					}
				}
			}
		}
	}
}

// TestExamples asks for a runnable Example of every exported function, the
// constructors of types among them; a function counts as shown when an Example is
// named after it or calls it.
func TestExamples(t *testing.T) {
	exported, shown := map[string][]string{}, map[string]map[string]bool{}
	for _, f := range goFiles(t) {
		dir := f.dir()
		if dir == "." || strings.Contains(dir, "internal") || within(dir, "testdata") || within(dir, "examples") || within(dir, "cmd") || dir == "stats/statstest" {
			continue
		}
		if shown[dir] == nil {
			shown[dir] = map[string]bool{}
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			if f.isTest() {
				if rest, ok := strings.CutPrefix(name, "Example"); ok {
					noteExample(shown[dir], rest, fn)
				}
				continue
			}
			if fn.Recv == nil && ast.IsExported(name) {
				exported[dir] = append(exported[dir], name)
			}
		}
	}
	for dir, names := range exported {
		for _, name := range names {
			if !shown[dir][name] {
				t.Errorf("%s.%s has no runnable Example (Example%s with an Output comment, or its use in another Example)", dir, name, name)
			}
		}
	}
}

// noteExample records what an Example shows: what it is named after and every
// function of the package that it calls.
func noteExample(shown map[string]bool, rest string, fn *ast.FuncDecl) {
	for part := range strings.SplitSeq(rest, "_") {
		if part != "" && unicode.IsUpper(rune(part[0])) {
			shown[part] = true
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			shown[sel.Sel.Name] = true
		}
		return true
	})
}

// TestReadmeCodeIsCompiled holds the Go code of the README against the example it
// is taken from, line by line.
func TestReadmeCodeIsCompiled(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("examples/quickstart/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(readme), "@@") {
		t.Error("README.md has a place that was not filled in")
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) == 0 {
		t.Error("README.md shows no Go code")
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		for line := range strings.Lines(code) {
			if !strings.Contains(string(source), line) && strings.TrimSpace(line) != "// ..." {
				t.Errorf("README.md shows %q, which is not in examples/quickstart/main.go", line)
			}
		}
	}
}

func TestModuleStaysImportable(t *testing.T) {
	b, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod := string(b)
	if !strings.Contains(mod, "\ngo 1.25\n") {
		t.Error("go.mod must say go 1.25: a higher version would be forced on every controller that embeds the library")
	}
	for _, word := range []string{"\nreplace ", "\ntoolchain ", "k8s.io/", "argo-rollouts", "flagger"} {
		if strings.Contains(mod, word) {
			t.Errorf("go.mod holds %q, which importers would feel", strings.TrimSpace(word))
		}
	}
}
