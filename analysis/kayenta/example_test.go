package kayenta_test

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/analysis/kayenta"
)

const exampleConfig = `{
  "name": "checkout",
  "configVersion": "1",
  "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}},
  "metrics": [
    {"name": "latency", "groups": ["speed"], "query": {"type": "prometheus", "metricName": "latency_ms"},
     "analysisConfigurations": {"canary": {"direction": "increase", "critical": true,
       "effectSize": {"allowedIncrease": 1.05, "criticalIncrease": 1.5}}}},
    {"name": "errors", "groups": ["health"],
     "analysisConfigurations": {"canary": {"direction": "increase", "nanStrategy": "replace"}}}
  ],
  "classifier": {"groupWeights": {"speed": 40, "health": 60}, "scoreThresholds": {"pass": 95, "marginal": 50}}
}`

// around returns n points around level.
func around(level float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = level + float64(i*7%10)
	}
	return x
}

// From a canary config and two series of each metric to a decision.
func Example() {
	config, err := kayenta.ParseConfig([]byte(exampleConfig))
	if err != nil {
		fmt.Println(err)
		return
	}
	nan := math.NaN()
	result, err := kayenta.Judge(config, []kayenta.Pair{
		{Name: "latency", Control: around(100, 60), Experiment: around(120, 60)},
		{Name: "errors", Control: []float64{nan, 1, nan, 0}, Experiment: []float64{nan, 0, 1, nan}},
	}, kayenta.Thresholds{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range result.Results {
		fmt.Println(m.Name, m.Classification)
		fmt.Println("  " + m.ClassificationReason)
	}
	fmt.Println(result.Score.Score, result.Score.Classification)
	answer := kayenta.Verdict(result)
	fmt.Println(answer.Decision, answer.Resume)
	// Output:
	// latency High
	//   High: shift 20 [19, 21] (98%) against ±5, meanRatio 1.191
	// errors Pass
	//   canary and baseline hold the same values
	// 60 Marginal
	// pause manual
}

func ExampleParseConfig() {
	config, err := kayenta.ParseConfig([]byte(`{"name": "c", "judge": {"name": "dredd-v1.0"},
		"metrics": [{"name": "cpu", "groups": ["system"], "analysisConfigurations": {"canary": {"direction": "up"}}}],
		"classifier": {"groupWeights": {"system": 90}}, "owner": "me"}`))
	for _, w := range config.Warnings {
		fmt.Println(w)
	}
	fmt.Println(err)
	_, err = kayenta.ParseConfig([]byte("{\"metrics\": [\n{\"name\": 7}]}"))
	fmt.Println(err)
	// Output:
	// owner is no field of a canary config and is ignored
	// the config names the judge "dredd-v1.0"; it is judged by the rules of NetflixACAJudge-v1.0
	// metric cpu: direction "up" is unknown and means either
	// the group weights add up to 90, not to 100
	// the config has no score thresholds: they have to come with the call
	// <nil>
	// kayenta: ParseConfig: line 2: metrics.name holds a number where a string belongs: argument outside its domain
}

// Seven of ten points a hundred times higher still pass, eight fail.
func ExampleClassify() {
	control := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	canary := []float64{100, 100, 100, 100, 100, 100, 100, 1, 1, 1}
	for range 2 {
		c, err := kayenta.Classify(control, canary, kayenta.Canary{Direction: "increase"}, kayenta.Options{})
		fmt.Println(c.Reason, err)
		canary[7] = 100
	}
	// Output:
	// Pass: shift 99 [6.825e-05, 99] (98%) against ±24.75: not clear of it <nil>
	// High: shift 99 [99, 99] (98%) against ±24.75, meanRatio 80.2 <nil>
}

func ExampleWeightedSum() {
	groups, score, reason := kayenta.WeightedSum([]kayenta.MetricResult{
		{Name: "latency", Classification: kayenta.Pass, Groups: []string{"speed"}},
		{Name: "cpu", Classification: kayenta.High, Groups: []string{"speed"}},
		{Name: "errors", Classification: kayenta.Error, Groups: []string{"health"}},
	}, map[string]float64{"speed": 30})
	fmt.Println(groups[0].Name, groups[0].Score)
	fmt.Println(groups[1].Name, groups[1].Score)
	fmt.Printf("%v %q\n", score, reason)
	// Output:
	// health 0
	// speed 50
	// 85 ""
}

func ExampleThresholds_Run() {
	t := kayenta.NewThresholds(90, 70)
	fmt.Printf("%+v\n", t.Run([]float64{80, 85, 92}))
	fmt.Printf("%+v\n", t.Run([]float64{95, 70, 100}))
	fmt.Println(t.Class(70))
	// Output:
	// {Passed:true Judged:3 Reason:score 92 of the last judgement reaches the pass threshold 90}
	// {Passed:false Judged:2 Reason:score 70 of judgement 2 is not above the marginal threshold 70}
	// Marginal
}

func ExamplePairSets() {
	minute := int64(60_000)
	pairs, err := kayenta.PairSets([]string{"errors"},
		[]kayenta.Series{{Name: "errors", Tags: map[string]string{"zone": "a"}, Values: []float64{1, 0, 2}, End: 3 * minute, Step: minute}},
		[]kayenta.Series{{Name: "errors", Tags: map[string]string{"zone": "b"}, Values: []float64{0, 1}, End: 3 * minute, Step: minute}})
	for _, p := range pairs {
		fmt.Println(p.ID, p.Control, p.Experiment)
	}
	fmt.Println(err)
	// Output:
	// errors{zone="a"} [1 0 2] [NaN NaN NaN]
	// errors{zone="b"} [NaN NaN NaN] [0 1 NaN]
	// <nil>
}

func ExamplePairOne() {
	_, err := kayenta.PairOne(kayenta.Series{Name: "cpu"}, kayenta.Series{Name: "memory"})
	fmt.Println(err)
	// Output:
	// kayenta: PairOne: Control metric set name "cpu" does not match experiment metric set name "memory": arguments do not match
}

func ExamplePair() {
	var p kayenta.Pair
	err := json.Unmarshal([]byte(`{"name": "cpu", "id": "1", "tags": {}, "values": {"control": [1, "NaN"], "experiment": [2.5]}}`), &p)
	fmt.Println(p.Control, p.Experiment, err)
	b, err := json.Marshal(p)
	fmt.Println(string(b), err)
	// Output:
	// [1 NaN] [2.5] <nil>
	// {"name":"cpu","id":"1","tags":{},"values":{"control":[1,"NaN"],"experiment":[2.5]}} <nil>
}

func ExampleDetector() {
	x := []float64{21, 23, 24, 25, 50, 29, 23, 21}
	for _, d := range []kayenta.Detector{{Factor: 1.5}, {Method: kayenta.IQR, Factor: 1.5}} {
		out, err := d.Detect(x)
		fmt.Println(out, err)
	}
	// Output:
	// [false false false false true false false false] <nil>
	// [false false false false true false false false] <nil>
}

func ExampleSchedule() {
	start := time.Date(2025, 1, 2, 10, 0, 0, 0, time.UTC)
	ws, err := kayenta.Schedule{Start: start, Lifetime: 50 * time.Minute, Interval: 20 * time.Minute, Warmup: 5 * time.Minute}.Windows()
	for _, w := range ws {
		fmt.Println(w.ExperimentStart.Format("15:04"), w.ExperimentEnd.Format("15:04"))
	}
	fmt.Println(err)
	// Output:
	// 10:05 10:25
	// 10:05 10:45
	// <nil>
}
