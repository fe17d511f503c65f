package sqlquery

import (
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Source says which rows are to be summarised.
type Source struct {
	// Table is the name of a table or view, with its schema and catalogue in front,
	// separated by dots. Each part is quoted, so case matters where it does for the
	// database; a part that has a dot itself needs Query.
	Table string
	// Query is a SELECT in place of Table, such as a join of predictions with
	// outcomes. It goes into the statements as it is.
	Query string
	// Where is a condition on the rows, such as a range of days; it goes into the
	// statements as it is. Query and Where are code of the caller: never put into
	// them what comes from elsewhere.
	Where string
	// Arm picks the rows of one arm from a table that holds several.
	Arm Arm
	// Names are the names of columns in the table, by their names in the spec, where
	// the two differ.
	Names map[string]string
	// Types say what columns hold, by their names in the spec. [Collect] asks the
	// database for those that are not given; [Statements] has to be told all, and
	// takes a column without a type as absent. A number can be given as Bool (zero
	// is false) and, if it is an integer, as Time (microseconds since the Unix
	// epoch); anything can be given as String.
	Types map[string]analysis.Type
}

// Arm is a condition on one column. The zero value is none.
type Arm struct {
	Column string // as it is named in the table
	Value  any    // string, bool, int, int64 or float64
}

// from is the FROM clause of the rows.
func (s *Source) from(g *grammar) (string, error) {
	if (s.Table == "") == (s.Query == "") {
		return "", fmt.Errorf("sqlquery: Source needs one of Table and Query: %w", stats.ErrMismatch)
	}
	for name, text := range map[string]string{"Query": s.Query, "Where": s.Where} {
		if strings.Contains(text, ";") {
			return "", fmt.Errorf("sqlquery: Source.%s has a semicolon: %w", name, stats.ErrDomain)
		}
	}
	out := ""
	if s.Query != "" {
		out = "(\n" + s.Query + "\n) AS rg_source" // on lines of its own, as it may end in a comment
	} else {
		table, err := g.table(s.Table)
		if err != nil {
			return "", err
		}
		out = table
	}
	var conditions []string
	if s.Arm.Column != "" || s.Arm.Value != nil {
		column, err := g.identifier(s.Arm.Column)
		if err != nil {
			return "", fmt.Errorf("sqlquery: Source.Arm: %w", err)
		}
		value, err := g.literal(s.Arm.Value)
		if err != nil {
			return "", fmt.Errorf("sqlquery: Source.Arm: %w", err)
		}
		conditions = append(conditions, column+" = "+value)
	}
	if s.Where != "" {
		conditions = append(conditions, "(\n"+s.Where+"\n)")
	}
	if len(conditions) > 0 {
		out += " WHERE " + strings.Join(conditions, " AND ")
	}
	return out, nil
}

// column is the quoted name of a column of the spec.
func (s *Source) column(g *grammar, name string) (string, error) {
	if other := s.Names[name]; other != "" {
		name = other
	}
	return g.identifier(name)
}

// check reports names that belong to no column of the spec.
func (s *Source) check(spec *analysis.Spec) error {
	for name := range s.Names {
		if spec.Index(name) < 0 {
			return fmt.Errorf("sqlquery: Source.Names: the spec has no column %q: %w", name, stats.ErrMismatch)
		}
	}
	for name, t := range s.Types {
		if spec.Index(name) < 0 || t < analysis.Absent || t > analysis.Time {
			return fmt.Errorf("sqlquery: Source.Types: %v of %q, want a type of a column of the spec: %w", t, name, stats.ErrMismatch)
		}
	}
	return nil
}
