package summary_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats/summary"
)

func ExampleDistinct_ClusteringOf() {
	var d summary.Distinct
	d.AddString("crawler", 50)
	for i := range 950 {
		d.AddString(fmt.Sprint("visitor ", i), 1)
	}
	fmt.Printf("all rows: %.2f\n", d.ClusteringOf(1000))
	fmt.Printf("100 rows: %.2f\n", d.ClusteringOf(100))
	fmt.Printf(" 20 rows: %.2f\n", d.ClusteringOf(20))
	// Output:
	// all rows: 3.45
	// 100 rows: 25.50
	//  20 rows: 50.00
}
