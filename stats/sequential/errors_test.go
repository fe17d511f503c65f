package sequential_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want one that wraps %q", what, err, want)
	}
}

func failing[T any](_ T, err error) error { return err }

func TestErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	ok := []sequential.EventStage{{Share: 0.5, Baseline: 3, Candidate: 4}}
	cells := []uint64{1, 2}
	srm := func(w []float64, n []uint64, o sequential.SRMOptions) error {
		return failing(sequential.SRM([]sequential.ShareStage{{Weights: w, Counts: n}}, o))
	}
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"SRM without stages", failing(sequential.SRM(nil, sequential.SRMOptions{})), stats.ErrEmpty},
		{"SRM without arms", srm(nil, nil, sequential.SRMOptions{}), stats.ErrEmpty},
		{"SRM lengths", srm([]float64{1, 1}, []uint64{1}, sequential.SRMOptions{}), stats.ErrMismatch},
		{"SRM negative weight", srm([]float64{1, -1}, cells, sequential.SRMOptions{}), stats.ErrDomain},
		{"SRM NaN weight", srm([]float64{1, nan}, cells, sequential.SRMOptions{}), stats.ErrDomain},
		{"SRM zero weights", srm([]float64{0, 0}, cells, sequential.SRMOptions{}), stats.ErrDomain},
		{"SRM level", srm([]float64{1, 1}, cells, sequential.SRMOptions{Level: 1}), stats.ErrDomain},
		{"SRM concentration", srm([]float64{1, 1}, cells, sequential.SRMOptions{Concentrations: []float64{0}}), stats.ErrDomain},
		{"SRM floor", srm([]float64{1, 1}, cells, sequential.SRMOptions{Floor: nan}), stats.ErrDomain},
		{"DirichletLogE lengths", failing(sequential.DirichletLogE(cells, []float64{1}, []float64{1, 1})), stats.ErrMismatch},
		{"DirichletLogE empty", failing(sequential.DirichletLogE(nil, nil, nil)), stats.ErrEmpty},
		{"DirichletLogE probability 0", failing(sequential.DirichletLogE(cells, []float64{0, 1}, []float64{1, 1})), stats.ErrDomain},
		{"DirichletLogE sum", failing(sequential.DirichletLogE(cells, []float64{0.4, 0.5}, []float64{1, 1})), stats.ErrDomain},
		{"Normal without units", failing(sequential.Normal(0, 1, 0, 0, sequential.NormalOptions{})), stats.ErrEmpty},
		{"Normal NaN", failing(sequential.Normal(nan, 1, 1, 1, sequential.NormalOptions{})), stats.ErrDomain},
		{"Normal negative error", failing(sequential.Normal(0, -1, 1, 1, sequential.NormalOptions{})), stats.ErrDomain},
		{"Normal scale", failing(sequential.Normal(0, 1, 1, 1, sequential.NormalOptions{Scale: -1})), stats.ErrDomain},
		{"Normal alternative", failing(sequential.Normal(0, 1, 1, 1, sequential.NormalOptions{Alternative: 2})), stats.ErrDomain},
		{"NormalStages without plan", failing(sequential.NormalStages([]sequential.DiffStage{{Variance: 1, NCandidate: 1}}, sequential.NormalOptions{})), stats.ErrDomain},
		{"NormalStages empty", failing(sequential.NormalStages(nil, sequential.NormalOptions{Planned: 1})), stats.ErrEmpty},
		{"NormalStages variance", failing(sequential.NormalStages([]sequential.DiffStage{{Variance: -1}}, sequential.NormalOptions{Planned: 1})), stats.ErrDomain},
		{"NormalScale one-sided alpha", failing(sequential.NormalScale(1, 0.6, stats.Greater)), stats.ErrDomain},
		{"NormalBound", failing(sequential.NormalBound(-1, 1, 0.05, stats.Greater)), stats.ErrDomain},
		{"MSPRT", failing(sequential.MSPRT(0, 1, 0, 1)), stats.ErrDomain},
		{"BinomMix empty", failing(sequential.BinomMix(nil, sequential.BinomMixOptions{})), stats.ErrEmpty},
		{"BinomMix share", failing(sequential.BinomMix([]sequential.EventStage{{Share: 1}}, sequential.BinomMixOptions{})), stats.ErrDomain},
		{"BinomMix grid", failing(sequential.BinomMix(ok, sequential.BinomMixOptions{Grid: []float64{1}})), stats.ErrDomain},
		{"BinomMix weights", failing(sequential.BinomMix(ok, sequential.BinomMixOptions{Weights: []float64{1}})), stats.ErrMismatch},
		{"BinomMix null", failing(sequential.BinomMix(ok, sequential.BinomMixOptions{NullRR: -1})), stats.ErrDomain},
		{"PlanBinomMix", failing(sequential.PlanBinomMix(nil, 0.5, 0, 0.05, sequential.BinomMixOptions{})), stats.ErrDomain},
		{"Block empty", failing(sequential.Block(nil, sequential.BlockOptions{})), stats.ErrEmpty},
		{"Block look", failing(sequential.Block([]sequential.BlockLook{{YBaseline: 1}}, sequential.BlockOptions{})), stats.ErrDomain},
		{"Block prior", failing(sequential.Block([]sequential.BlockLook{{}}, sequential.BlockOptions{Prior: -1})), stats.ErrDomain},
		{"Bernstein empty", failing(sequential.Bernstein(nil, sequential.BoundedOptions{})), stats.ErrEmpty},
		{"Bernstein range", failing(sequential.Bernstein([]sequential.SumLook{{N: 1, Sum: 2, SumSq: 4}}, sequential.BoundedOptions{})), stats.ErrDomain},
		{"Bernstein negative", failing(sequential.Bernstein([]sequential.SumLook{{N: 2, Sum: -0.5, SumSq: 0.3}}, sequential.BoundedOptions{})), stats.ErrDomain},
		{"Bernstein limits", failing(sequential.Bernstein([]sequential.SumLook{{N: 1}}, sequential.BoundedOptions{Min: 2, Max: 1})), stats.ErrDomain},
		{"BernsteinDiff one arm", failing(sequential.BernsteinDiff([]sequential.PairLook{{Baseline: sequential.SumLook{N: 1}}}, sequential.BoundedOptions{})), stats.ErrEmpty},
		{"BernsteinDiff range", failing(sequential.BernsteinDiff([]sequential.PairLook{{Candidate: sequential.SumLook{N: 1, Sum: 3, SumSq: 9}}}, sequential.BoundedOptions{})), stats.ErrDomain},
		{"Hedged empty", failing(sequential.Hedged(nil, sequential.BoundedOptions{})), stats.ErrEmpty},
		{"Hedged value", failing(sequential.Hedged([]float64{nan}, sequential.BoundedOptions{})), stats.ErrDomain},
		{"Hedged null", failing(sequential.Hedged([]float64{0.5}, sequential.BoundedOptions{Null: 2})), stats.ErrDomain},
		{"BernoulliLogE", failing(sequential.BernoulliLogE(2, 1, sequential.BernoulliOptions{})), stats.ErrDomain},
		{"Bernoulli", failing(sequential.Bernoulli(2, 1, sequential.BernoulliOptions{})), stats.ErrDomain},
		{"Bernoulli null", failing(sequential.Bernoulli(1, 2, sequential.BernoulliOptions{Null: 1})), stats.ErrDomain},
		{"Bernoulli level", failing(sequential.Bernoulli(1, 2, sequential.BernoulliOptions{Level: -1})), stats.ErrDomain},
		{"DKWRadius", failing(sequential.DKWRadius(10, sequential.DKWOptions{Slope: 0.7})), stats.ErrDomain},
		{"KS cells", failing(sequential.KS(cells, cells[:1], sequential.DKWOptions{})), stats.ErrMismatch},
		{"KS units", failing(sequential.KS(cells, []uint64{0, 0}, sequential.DKWOptions{})), stats.ErrEmpty},
		{"Quantile q", failing(sequential.Quantile(cells, cells, 1, sequential.QuantileOptions{})), stats.ErrDomain},
		{"Quantile units", failing(sequential.Quantile(nil, nil, 0.5, sequential.QuantileOptions{})), stats.ErrEmpty},
		{"TwoSample empty", failing(sequential.TwoSample(nil, sequential.TwoSampleOptions{})), stats.ErrEmpty},
		{"TwoSample cells", failing(sequential.TwoSample([]sequential.CellStage{{0.5, cells, cells}, {0.5, cells[:1], cells}}, sequential.TwoSampleOptions{})), stats.ErrMismatch},
		{"TwoSample share", failing(sequential.TwoSample([]sequential.CellStage{{0, cells, cells}}, sequential.TwoSampleOptions{})), stats.ErrDomain},
		{"TwoSample grid", failing(sequential.TwoSample([]sequential.CellStage{{0.5, cells, cells}}, sequential.TwoSampleOptions{Grid: []float64{inf}})), stats.ErrDomain},
		{"GroupSequential empty", failing(sequential.GroupSequential(nil, sequential.GroupOptions{Spending: sequential.Pocock})), stats.ErrEmpty},
		{"GroupSequential spending", failing(sequential.GroupSequential([]float64{1}, sequential.GroupOptions{})), stats.ErrDomain},
		{"GroupSequential order", failing(sequential.GroupSequential([]float64{1, 1}, sequential.GroupOptions{Spending: sequential.Pocock})), stats.ErrDomain},
		{"GroupSequential shape", failing(sequential.GroupSequential([]float64{1}, sequential.GroupOptions{Spending: sequential.Power, Shape: -1})), stats.ErrDomain},
		{"Detector NaN", failing((&sequential.Detector{Alpha: 0.1}).Observe(nan)), stats.ErrDomain},
		{"Detector alpha", failing((&sequential.Detector{}).Observe(1)), stats.ErrDomain},
		{"Running NaN", new(sequential.Running).Observe(nan), stats.ErrDomain},
		{"NewBudget empty", failing(sequential.NewBudget(nil, nil, sequential.BudgetOptions{})), stats.ErrEmpty},
		{"NewBudget twice", failing(sequential.NewBudget([]string{"a"}, []string{"a"}, sequential.BudgetOptions{})), stats.ErrMismatch},
		{"NewBudget parts", failing(sequential.NewBudget([]string{"a"}, nil, sequential.BudgetOptions{Overall: 0.8})), stats.ErrDomain},
		{"NewBudgets empty", failing(sequential.NewBudgets(sequential.BudgetPlan{})), stats.ErrEmpty},
		{"NewBudgets alpha", failing(sequential.NewBudgets(sequential.BudgetPlan{SRM: []string{"srm"}, SRMAlpha: 2})), stats.ErrDomain},
		{"Spending text", json.Unmarshal([]byte(`"often"`), new(sequential.Spending)), stats.ErrDomain},
		{"Rule text", json.Unmarshal([]byte(`"ewma"`), new(sequential.Rule)), stats.ErrDomain},
		{"Spending zero", failing(sequential.Spending(0).MarshalText()), stats.ErrDomain},
		{"Rule unknown", failing(sequential.Rule(7).MarshalText()), stats.ErrDomain},
	} {
		wantErr(t, tc.name, tc.err, tc.want)
		if tc.err != nil && !strings.Contains(tc.err.Error(), "sequential: ") {
			t.Errorf("%s: error %q does not name the package", tc.name, tc.err)
		}
	}
}

func TestBudgetErrors(t *testing.T) {
	b := must[*sequential.Budget](t)(sequential.NewBudget([]string{"a"}, nil, sequential.BudgetOptions{Overall: 0.6, Slices: 0.4}))
	wantErr(t, "no reserve", failing(b.Add("b")), stats.ErrEmpty)
	wantErr(t, "unknown name", failing(b.Observe("b", 1)), stats.ErrMismatch)
	wantErr(t, "NaN", failing(b.Observe("a", math.NaN())), stats.ErrDomain)
	wantErr(t, "zero budget", failing(new(sequential.Budget).Observe("a", 1)), stats.ErrMismatch)
	b = must[*sequential.Budget](t)(sequential.NewBudget([]string{"a"}, nil, sequential.BudgetOptions{}))
	wantErr(t, "name taken", failing(b.Add("a")), stats.ErrMismatch)
	if _, ok := b.Lookup("z"); ok {
		t.Error("Lookup finds a hypothesis that does not exist")
	}
	good, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"weight":     {`"weight":0.9`, `"weight":0.95`},
		"threshold":  {`"threshold":3`, `"threshold":2`},
		"crossing":   {`"weight"`, `"crossed_at":1,"weight"`},
		"maximum":    {`"max":0`, `"max":-1`},
		"alpha":      {`"alpha":0.05`, `"alpha":5`},
		"additions":  {`"additions":0`, `"additions":2`},
		"not a text": {`"name":"a"`, `"name":7`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) {
			t.Fatalf("%s: %q is not in %s", name, change[0], good)
		}
		if err := json.Unmarshal([]byte(bad), new(sequential.Budget)); err == nil {
			t.Errorf("%s: a changed state is accepted: %s", name, bad)
		}
	}
}

// Special cases of the doc comments.
func TestSpecialCases(t *testing.T) {
	srm := must[sequential.SRMResult](t)(sequential.SRM([]sequential.ShareStage{
		{Weights: []float64{1, 1, 0}, Counts: []uint64{50000, 50000, 11}},
		{Weights: []float64{1, 0, 0}, Counts: []uint64{10, 5, 0}},
		{Weights: []float64{1, 1, 0}, Counts: []uint64{0, 0, 0}},
	}, sequential.SRMOptions{}))
	if len(srm.Leaks) != 1 || srm.Leaks[0].Arm != 2 || srm.Leaks[0].Units != 11 {
		t.Errorf("leaks = %+v, want arm 2 of stage 0", srm.Leaks)
	}
	if srm.N != 100010 || srm.Stages[1].LogE != 0 || srm.Stages[2].LogE != 0 || srm.Material() {
		t.Errorf("SRM = %+v, want two stages without evidence and nothing material", srm)
	}
	if v := srm.Stages[1].Shares[0]; v.Lo != 1 || v.Hi != 1 {
		t.Errorf("share of the only arm = %v, want 1", v)
	}
	if !(sequential.SRMResult{LogE: 14, Floor: 0.005}).Material() || (sequential.SRMResult{LogE: 13, Floor: 0.005}).Material() {
		t.Error("Material does not follow the evidence of 1e6")
	}

	for n, warns := range map[uint64]bool{12: true, 100: false} {
		r := must[sequential.SRMResult](t)(sequential.SRM([]sequential.ShareStage{{Weights: []float64{1, 1}, Counts: []uint64{n, 0}}}, sequential.SRMOptions{}))
		if got := len(r.Warnings) == 1 && r.Warnings[0].Code == stats.WarnSmallSample; got != warns {
			t.Errorf("SRM of %d units warns %v: %+v", n, got, r.Warnings)
		}
	}

	flat := must[sequential.Result](t)(sequential.Normal(0, 0, 10, 10, sequential.NormalOptions{}))
	if flat.LogE != 0 || !math.IsInf(flat.Estimate.Width(), 1) || len(flat.Warnings) != 2 {
		t.Errorf("Normal without spread = %+v", flat)
	}
	for alt, want := range map[stats.Alternative]float64{stats.Greater: math.Inf(-1), stats.Less: math.Inf(1), stats.Different: math.Inf(1)} {
		far := must[sequential.Result](t)(sequential.Normal(-1e300, 1e-300, 10, 10, sequential.NormalOptions{Alternative: alt}))
		if far.LogE != want {
			t.Errorf("Normal, %v, at z = -Inf: log E %v, want %v", alt, far.LogE, want)
		}
	}
	none := must[sequential.Result](t)(sequential.BinomMix([]sequential.EventStage{{Share: 0.5}}, sequential.BinomMixOptions{}))
	if none.LogE != 0 || none.Estimate.Lo != 0 || !math.IsInf(none.Estimate.Hi, 1) {
		t.Errorf("BinomMix without events = %+v", none)
	}
	only := must[sequential.Result](t)(sequential.BinomMix([]sequential.EventStage{{Share: 0.5, Candidate: 9}}, sequential.BinomMixOptions{}))
	if !math.IsInf(only.Estimate.Point, 1) || only.Estimate.Lo <= 0 {
		t.Errorf("BinomMix with events in the candidate only = %+v", only)
	}
	lone := must[sequential.Result](t)(sequential.Block([]sequential.BlockLook{{NBaseline: 5, YBaseline: 1}}, sequential.BlockOptions{}))
	if lone.LogE != 0 || lone.Estimate.Level != 0 {
		t.Errorf("Block with one arm = %+v", lone)
	}
	empty := must[sequential.Result](t)(sequential.Bernoulli(0, 0, sequential.BernoulliOptions{Null: 0.5}))
	if empty.LogE != 0 || empty.Estimate.Lo != 0 || empty.Estimate.Hi != 1 {
		t.Errorf("Bernoulli without trials = %+v", empty)
	}
	ends := must[sequential.Result](t)(sequential.Hedged([]float64{1, 1, 1, 1, 1, 1}, sequential.BoundedOptions{Alternative: stats.Less, Null: 1}))
	if ends.LogE != 0 {
		t.Errorf("Hedged of ones against 1 = %+v, want no evidence", ends)
	}
	if r := must[float64](t)(sequential.DKWRadius(5, sequential.DKWOptions{From: 10})); !math.IsInf(r, 1) {
		t.Errorf("DKWRadius below From = %v, want +Inf", r)
	}
	small := must[sequential.KSResult](t)(sequential.KS([]uint64{1, 0}, []uint64{0, 1}, sequential.DKWOptions{From: 10}))
	if small.P != 1 || small.Distance.Lo != 0 || small.Distance.Hi != 1 {
		t.Errorf("KS below From = %+v", small)
	}
	idle := must[sequential.TwoSampleResult](t)(sequential.TwoSample([]sequential.CellStage{{0.5, []uint64{0, 0}, []uint64{0, 0}}}, sequential.TwoSampleOptions{}))
	if idle.LogE != 0 {
		t.Errorf("TwoSample without units = %+v", idle)
	}
	if b := must[float64](t)(sequential.NormalBound(0, 1, 0.05, stats.Greater)); !math.IsInf(b, 1) {
		t.Errorf("NormalBound at variance 0 = %v, want +Inf", b)
	}
	if got := sequential.Threshold(0); !math.IsInf(got, 1) {
		t.Errorf("Threshold(0) = %v, want +Inf", got)
	}
	if p := sequential.PValue(math.NaN()); p != 1 {
		t.Errorf("PValue(NaN) = %v, want 1", p)
	}
	if sequential.NormalReady(50, 50, 5, 14) || !sequential.NormalReady(50, 50, 5, 15) || sequential.NormalReady(49, 50, 50, 50) || sequential.NormalReady(50, 50, 4, math.MaxUint64) {
		t.Error("NormalReady does not follow its rule")
	}
}
