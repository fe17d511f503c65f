package sqlquery_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

// The database of this example gives prepared answers; with a driver it is the result
// of sql.Open.
func ExampleCollect() {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "action", Role: analysis.Action},
		analysis.ColumnSpec{Name: "amount"})
	if err != nil {
		log.Fatal(err)
	}
	db := (&fake{replies: []reply{
		table("action", "text", "amount", "float8", "model", "text"),
		rows(row(int64(1_000_000))),
		rows(row("allow", int64(990_000)), row("block", int64(10_000))),
		rows(row(int64(9), int64(900_000), 10.0, 10.01), row(int64(9), int64(90_000), 250.0, 250.5), row(int64(0), int64(10_000), nil, nil)),
	}}).open()
	defer db.Close()

	src := sqlquery.Source{Table: "ml.predictions", Arm: sqlquery.Arm{Column: "model", Value: "v2.1"}}
	groups := 0
	o := sqlquery.Options{Ran: func(_ sqlquery.Statement, n int) { groups += n }}
	s, err := sqlquery.Collect(context.Background(), db, sqlquery.PostgreSQL, spec, src, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d rows in %d groups\n", s.RowCount, groups)
	for _, c := range s.Column("action").Category.Counts() {
		fmt.Println(c.Name, c.N)
	}
	amount := s.Column("amount").Numeric
	fmt.Println(amount.N(), amount.Excluded().Null, amount.Min(), amount.Max())
	// Output:
	// 1000000 rows in 6 groups
	// allow 990000
	// block 10000
	// 990000 10000 10 250.5
}

func ExampleStatements() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "country"}, analysis.ColumnSpec{Name: "approved"})
	if err != nil {
		log.Fatal(err)
	}
	src := sqlquery.Source{
		Table: "ml.predictions", Arm: sqlquery.Arm{Column: "model", Value: "v2.1"}, Where: "day = DATE '2025-11-20'",
		Names: map[string]string{"country": "ship_to"},
		Types: map[string]analysis.Type{"country": analysis.String, "approved": analysis.Bool},
	}
	statements, err := sqlquery.Statements(sqlquery.BigQuery, spec, src, sqlquery.Options{MaxGroups: 1000})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range statements {
		fmt.Printf("-- %s\n%s\n", s.Purpose, strings.ReplaceAll(s.SQL, "\n  ", "\n"))
	}
	// Output:
	// -- rows
	// SELECT COUNT(*) AS rg_n FROM `ml`.`predictions` WHERE `model` = 'v2.1' AND (
	// day = DATE '2025-11-20'
	// )
	// -- column "approved"
	// SELECT rg_k, COUNT(*) AS rg_n
	// FROM (SELECT CASE WHEN `approved` IS NULL THEN 0 WHEN `approved` THEN 2 ELSE 1 END AS rg_k
	// FROM `ml`.`predictions` WHERE `model` = 'v2.1' AND (
	// day = DATE '2025-11-20'
	// )) AS rg_q
	// GROUP BY rg_k
	// LIMIT 1001
	// -- column "country"
	// SELECT rg_k, COUNT(*) AS rg_n
	// FROM (SELECT CAST(`ship_to` AS STRING) AS rg_k
	// FROM `ml`.`predictions` WHERE `model` = 'v2.1' AND (
	// day = DATE '2025-11-20'
	// )) AS rg_q
	// GROUP BY rg_k
	// LIMIT 1001
}
