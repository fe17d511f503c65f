package stats_test

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

func ExampleInterval() {
	v := stats.Interval{Point: 0.12, Lo: 0.1, Hi: math.Inf(1), Level: 0.95}
	b, err := json.Marshal(v)
	fmt.Println(v)
	fmt.Println(string(b), err)
	fmt.Println(v.Contains(0.3), stats.Interval{}.IsZero())
	// Output:
	// 0.12 [0.1, +Inf] (95%)
	// {"point":0.12,"lo":0.1,"hi":"+Inf","level":0.95} <nil>
	// true true
}

func ExampleFloat() {
	b, err := json.Marshal([]stats.Float{0.1, stats.Float(math.NaN()), stats.Float(math.Inf(-1))})
	fmt.Println(string(b), err)
	// Output:
	// [0.1,"NaN","-Inf"] <nil>
}

func ExampleCheckLevel() {
	fmt.Println(stats.CheckLevel(0.95))
	fmt.Println(stats.CheckLevel(95))
	// Output:
	// <nil>
	// confidence level 95 is not between 0 and 1: argument outside its domain
}
