package sqlquery

import (
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Dialect is the SQL that a database understands.
type Dialect int8

// The dialects. The first four are tested against servers, the others by the text
// of their statements only.
const (
	PostgreSQL Dialect = iota + 1
	DuckDB
	ClickHouse
	SQLite
	Trino
	BigQuery
	Snowflake
	Spark
)

// grammar is what dialects differ in. A %s is the operand.
type grammar struct {
	name      string
	quote     string // around identifiers
	doubled   bool   // a quote within an identifier is doubled, else it gets a backslash
	backslash bool   // a backslash in a string begins an escape
	float     string // to float64
	integer   string // to int64, of a float64 without fraction or of an integer
	text      string
	truth     string // a boolean as a condition
	nan       string // "" where there is no NaN
	inf, ninf string // whether a float64 is an infinity; "" for a comparison with the greatest number
	odd       string // whether a value that is not null is no number, where a column of numbers can hold such
	floor     string // of a float64 >= 0
	modulo    string // the rest of an int64 divided by 2^32, with the sign of the int64
	xor       string // of two int64 >= 0
	number    func(x float64) string
	micros    string // of a timestamp, as microseconds since the epoch
	fence     string // keeps an inner query from being copied into the outer one
	settings  string // at the end of a statement
	tx        *sql.TxOptions
}

var grammars = map[Dialect]*grammar{
	PostgreSQL: {
		name: "postgresql", modulo: "%s %% 4294967296", xor: "(%s # %s)", quote: `"`, doubled: true,
		float: "CAST(%s AS DOUBLE PRECISION)", integer: "CAST(%s AS BIGINT)", text: `CAST(%s AS TEXT) COLLATE "C"`, truth: "%s",
		nan: "%s = CAST('NaN' AS DOUBLE PRECISION)", floor: "FLOOR(%s)",
		number: func(x float64) string { return exponential(x) + "::float8" }, // else it is a numeric
		micros: "CAST(FLOOR(EXTRACT(EPOCH FROM %s) * 1000000) AS BIGINT)", fence: " OFFSET 0",
		tx: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	},
	DuckDB: {
		name: "duckdb", modulo: "%s %% 4294967296", xor: "xor(%s, %s)", quote: `"`, doubled: true,
		float: "CAST(%s AS DOUBLE)", integer: "CAST(%s AS BIGINT)", text: "CAST(%s AS VARCHAR)", truth: "%s",
		nan: "isnan(%s)", floor: "FLOOR(%s)", number: exponential, micros: "epoch_us(%s)", tx: &sql.TxOptions{},
	},
	ClickHouse: {
		name: "clickhouse", modulo: "%s %% toInt64(4294967296)", xor: "bitXor(%s, %s)", quote: `"`, backslash: true,
		float: "toFloat64(%s)", integer: "toInt64(%s)", text: "toString(%s)", truth: "%s <> 0",
		nan: "isNaN(%s)", floor: "floor(%s)", number: exponential, micros: "toInt64(toUInt32(%s)) * 1000000",
		settings: "\nSETTINGS skip_unavailable_shards = 0, group_by_overflow_mode = 'throw', read_overflow_mode = 'throw', result_overflow_mode = 'throw', timeout_overflow_mode = 'throw'",
	},
	SQLite: {
		name: "sqlite", modulo: "%s %% 4294967296", xor: "((%[1]s | %[2]s) - (%[1]s & %[2]s))", quote: `"`, doubled: true,
		float: "CASE WHEN typeof(%[1]s) = 'integer' THEN CAST(%[1]s AS REAL) ELSE %[1]s END", integer: "CAST(%s AS INTEGER)",
		text: "CAST(%s AS TEXT) COLLATE BINARY", truth: "%s <> 0", inf: "%s = 9e999", ninf: "%s = -9e999", odd: "typeof(%s) <> 'real'",
		floor: "CAST(%s AS INTEGER)", number: arithmetic,
		micros: "CASE WHEN typeof(%[1]s) = 'integer' THEN %[1]s ELSE CAST(strftime('%%s', %[1]s) AS INTEGER) * 1000000 + CAST(substr(strftime('%%f', %[1]s), 4) AS INTEGER) * 1000 END",
		fence:  " LIMIT -1 OFFSET 0", tx: &sql.TxOptions{ReadOnly: true},
	},
	Trino: {
		name: "trino", modulo: "%s %% 4294967296", xor: "bitwise_xor(%s, %s)", quote: `"`, doubled: true,
		float: "CAST(%s AS DOUBLE)", integer: "CAST(%s AS BIGINT)", text: "CAST(%s AS VARCHAR)", truth: "%s",
		nan: "is_nan(%s)", floor: "FLOOR(%s)", number: exponential, micros: "CAST(ROUND(to_unixtime(%s) * 1000000) AS BIGINT)",
	},
	BigQuery: {
		name: "bigquery", modulo: "MOD(%s, 4294967296)", xor: "(%s ^ %s)", quote: "`", backslash: true,
		float: "CAST(%s AS FLOAT64)", integer: "CAST(%s AS INT64)", text: "CAST(%s AS STRING)", truth: "%s",
		nan: "IS_NAN(%s)", floor: "FLOOR(%s)", number: exponential, micros: "UNIX_MICROS(CAST(%s AS TIMESTAMP))",
	},
	Snowflake: {
		name: "snowflake", modulo: "%s %% 4294967296", xor: "BITXOR(%s, %s)", quote: `"`, doubled: true, backslash: true,
		float: "CAST(%s AS DOUBLE)", integer: "CAST(%s AS BIGINT)", text: "CAST(%s AS VARCHAR)", truth: "%s",
		nan: "%s = CAST('NaN' AS DOUBLE)", floor: "FLOOR(%s)", micros: "DATE_PART(EPOCH_MICROSECOND, %s)",
		number: func(x float64) string { return "CAST('" + exponential(x) + "' AS DOUBLE)" },
	},
	Spark: {
		name: "spark", modulo: "%s %% 4294967296", xor: "(%s ^ %s)", quote: "`", doubled: true, backslash: true,
		float: "CAST(%s AS DOUBLE)", integer: "CAST(%s AS BIGINT)", text: "CAST(%s AS STRING)", truth: "%s",
		nan: "isnan(%s)", floor: "FLOOR(%s)", micros: "unix_micros(CAST(%s AS TIMESTAMP))",
		number: func(x float64) string { return exponential(x) + "D" },
	},
}

// String returns the name of the database in lower case.
func (d Dialect) String() string {
	if g := grammars[d]; g != nil {
		return g.name
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

// exponential writes a number as a literal of floating-point type: with an
// exponent, as some databases take others for decimals and round them twice.
func exponential(x float64) string { return strconv.FormatFloat(x, 'e', -1, 64) }

// arithmetic writes a number as integers and powers of two, every step of which is
// exact, for databases that read long decimals with an error.
func arithmetic(x float64) string {
	sign := ""
	if x < 0 {
		sign = "-"
	}
	frac, exp := math.Frexp(math.Abs(x))
	m := uint64(math.Ldexp(frac, 53))
	for exp -= 53; m != 0 && m%2 == 0 && exp < 0; exp++ {
		m /= 2
	}
	if m == 0 {
		return "0.0"
	}
	var b strings.Builder
	b.WriteString(sign + strconv.FormatUint(m, 10) + ".0")
	op := " * "
	if exp < 0 {
		op, exp = " / ", -exp
	}
	for ; exp > 0; exp -= 30 {
		b.WriteString(op + strconv.FormatUint(1<<min(exp, 30), 10) + ".0")
	}
	if strings.Contains(b.String(), " ") {
		return "(" + b.String() + ")"
	}
	return b.String()
}

func (g *grammar) isInf(x string) string {
	if g.inf != "" {
		return fmt.Sprintf(g.inf, x)
	}
	return x + " > " + g.number(math.MaxFloat64)
}

func (g *grammar) isNegInf(x string) string {
	if g.ninf != "" {
		return fmt.Sprintf(g.ninf, x)
	}
	return x + " < " + g.number(-math.MaxFloat64)
}

// tree is the number of edges at or below x, as nested comparisons that halve the
// edges; leaf writes the result for a number.
func (g *grammar) tree(x string, edges []float64, leaf func(i int) string) string {
	var grow func(from, to int) string
	grow = func(from, to int) string { // edges before from are at or below x, those from to on are not
		if from == to {
			return leaf(from)
		}
		mid := (from + to) / 2
		return "CASE WHEN " + x + " < " + g.number(edges[mid]) + " THEN " + grow(from, mid) + " ELSE " + grow(mid+1, to) + " END"
	}
	return grow(0, len(edges))
}
