package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleChiSquareTail() {
	p, err := stats.ChiSquareTail(678.6, 1)
	fmt.Printf("%.3g %v\n", p, err)
	// Output:
	// 1.35e-149 <nil>
}

func ExampleLogChiSquareTail() {
	// A statistic this large leaves no tail that a float64 could hold.
	p, _ := stats.ChiSquareTail(10000, 9)
	logP, _ := stats.LogChiSquareTail(10000, 9)
	fmt.Printf("%v, log %.4f\n", p, logP)
	// Output:
	// 0, log -4972.6429
}

func ExampleChiSquareQuantile() {
	critical, _ := stats.ChiSquareQuantile(0.001, 1)
	fmt.Printf("%.4f\n", critical)
	// Output:
	// 10.8276
}

func ExampleNonCentralChiSquareCDF() {
	p, _ := stats.NonCentralChiSquareCDF(12.24, 9, 16.6)
	fmt.Printf("%.4f\n", p)
	// Output:
	// 0.0500
}

func ExampleNonCentralChiSquareTail() {
	// The power of a 5% chi-square test with 9 degrees of freedom.
	critical, _ := stats.ChiSquareQuantile(0.05, 9)
	power, _ := stats.NonCentralChiSquareTail(critical, 9, 15.65)
	fmt.Printf("%.3f\n", power)
	// Output:
	// 0.800
}

func ExampleNonCentralityInterval() {
	// PSI = 0.12 over 10 cells, 400 rows on either side: PSI/s with s = 1/400+1/400
	// is non-central chi-square, so the interval of the true PSI is s times that of
	// the non-centrality.
	s := 1.0/400 + 1.0/400
	v, _ := stats.NonCentralityInterval(0.12/s, 9, 0.90)
	fmt.Printf("true PSI %.4f, between %.4f and %.4f\n", s*v.Point, s*v.Lo, s*v.Hi)
	// Output:
	// true PSI 0.0750, between 0.0206 and 0.1676
}

func ExampleLogNormalTail() {
	fmt.Printf("%.4f %.4f\n", stats.LogNormalTail(1.96), stats.LogNormalTail(40))
	// Output:
	// -3.6890 -804.6084
}
