package sqlquery

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// field is what is known of a column of the spec.
type field struct {
	typ    analysis.Type
	native storage
	name   string // quoted
}

// storage is what a database keeps in a column, where it makes a difference.
type storage int8

const (
	usual   storage = iota // what the dialect has for the type, or not known
	whole                  // integers
	numbers                // other numbers
	days                   // dates
	micro                  // timestamps of ClickHouse with fractions of seconds
)

// native tells what the name of a type means, in any dialect.
func native(name string) (t analysis.Type, s storage, known bool) {
	name = strings.ToUpper(strings.TrimSpace(name))
	name = strings.TrimPrefix(name, "LOWCARDINALITY(") // of ClickHouse
	name = strings.TrimPrefix(name, "NULLABLE(")
	name, _, _ = strings.Cut(name, "(")
	name = strings.TrimSpace(strings.TrimRight(name, ")"))
	name = strings.TrimSuffix(strings.TrimSuffix(name, " UNSIGNED"), " IDENTITY")
	switch name {
	case "FLOAT", "FLOAT4", "FLOAT8", "FLOAT32", "FLOAT64", "DOUBLE", "DOUBLE PRECISION", "REAL",
		"DECIMAL", "NUMERIC", "BIGNUMERIC", "DECIMAL32", "DECIMAL64", "DECIMAL128", "FIXED", "NUMBER":
		return analysis.Float, numbers, true
	case "INT", "INTEGER", "INT2", "INT4", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
		"TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "BYTE", "SHORT", "LONG":
		return analysis.Int, whole, true
	case "BOOL", "BOOLEAN":
		return analysis.Bool, usual, true
	case "TEXT", "VARCHAR", "CHAR", "BPCHAR", "CHARACTER", "CHARACTER VARYING", "NVARCHAR", "STRING", "FIXEDSTRING", "NAME", "CLOB",
		"UUID", "ENUM", "ENUM8", "ENUM16", "JSON", "JSONB":
		return analysis.String, usual, true
	case "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS",
		"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "DATETIME":
		return analysis.Time, usual, true
	case "DATETIME64":
		return analysis.Time, micro, true
	case "DATE", "DATE32":
		return analysis.Time, days, true
	}
	return analysis.Absent, usual, false
}

// resolve settles the types of the columns of the spec. have are the columns of the
// rows, by name; nil before the database was asked.
func (p *plan) resolve(have map[string]*sql.ColumnType) error {
	p.fields = make([]field, len(p.spec.Columns))
	for i, c := range p.spec.Columns {
		f := &p.fields[i]
		var err error
		if f.name, err = p.src.column(p.g, c.Name); err != nil {
			return err
		}
		given, told := p.src.Types[c.Name]
		f.typ = given
		if have != nil {
			name := c.Name
			if other := p.src.Names[name]; other != "" {
				name = other
			}
			ct := have[name]
			if ct == nil {
				f.typ = analysis.Absent
				continue
			}
			t, s, known := native(ct.DatabaseTypeName())
			if _, scale, ok := ct.DecimalSize(); ok && scale == 0 && s == numbers && decimal(ct.DatabaseTypeName()) {
				t, s = analysis.Int, whole
			}
			f.native = s
			switch {
			case told:
			case known:
				f.typ = t
			default:
				return fmt.Errorf("sqlquery: column %q has type %q; say in Source.Types what it is: %w", c.Name, ct.DatabaseTypeName(), ErrUnsupported)
			}
		}
		if c.Role == analysis.Unit && (f.typ == analysis.Float || f.typ == analysis.Bool) {
			return fmt.Errorf("sqlquery: column %q is the unit but has type %v; a unit is an integer or a string: %w", c.Name, f.typ, ErrUnsupported)
		}
	}
	return nil
}

// decimal reports whether a type is one of Snowflake, which has no other integers.
func decimal(name string) bool { return name == "FIXED" || name == "NUMBER" }

// float is the column as a float64.
func (p *plan) float(f *field) string { return fmt.Sprintf(p.g.float, f.name) }

// integer is the column as an int64: a number, or a timestamp.
func (p *plan) integer(f *field) string {
	if f.typ == analysis.Time {
		return p.micros(f, f.name)
	}
	return fmt.Sprintf(p.g.integer, f.name)
}

// micros is a timestamp of the column, or an aggregate of it, in microseconds.
func (p *plan) micros(f *field, x string) string {
	switch {
	case f.native == whole:
		return fmt.Sprintf(p.g.integer, x)
	case p.d == ClickHouse && f.native == days:
		return "toInt64(toUInt16(" + x + ")) * 86400000000"
	case p.d == ClickHouse && f.native == micro:
		return "toUnixTimestamp64Micro(" + x + ")"
	case p.d == DuckDB && f.native == days, p.d == Spark && f.native == days, p.d == Trino && f.native == days:
		x = "CAST(" + x + " AS TIMESTAMP)"
	}
	return fmt.Sprintf(p.g.micros, x)
}

// truth is a boolean column as 0 for missing, 1 for false and 2 for true.
func (p *plan) truth(f *field) string {
	condition := fmt.Sprintf(p.g.truth, f.name)
	if f.native == whole || f.native == numbers {
		condition = f.name + " <> 0"
	}
	return "CASE WHEN " + f.name + " IS NULL THEN 0 WHEN " + condition + " THEN 2 ELSE 1 END"
}

// labelOf is the column as a label: 0 for missing, 1 for negative, 2 for positive, 3
// for a value that is none.
func (p *plan) labelOf(f *field) string {
	switch f.typ {
	case analysis.Bool:
		return p.truth(f)
	case analysis.Int, analysis.Float:
		x := p.float(f)
		return "CASE WHEN " + f.name + " IS NULL THEN 0 WHEN " + x + " = " + p.g.number(0) + " THEN 1 WHEN " + x + " = " + p.g.number(1) + " THEN 2 ELSE 3 END"
	default:
		return "0"
	}
}
