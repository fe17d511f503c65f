package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start begins a rollout of a candidate.
func start(t *testing.T, failing, ms float64, state string) *world {
	t.Helper()
	w, err := newWorld(&model{version: "v8", failing: failing, ms: ms}, state)
	t.Cleanup(w.Close)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// until lets minutes pass until the rollout is over or a line holds the text, and
// returns all lines.
func (w *world) until(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for len(lines) < 30 {
		line, err := w.minute(500)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
		if strings.Contains(line, text) {
			return lines
		}
		if w.over() {
			break
		}
	}
	t.Fatalf("no %q in\n%s\n%s", text, strings.Join(lines, "\n"), w.page(t))
	return nil
}

// page is what people see.
func (w *world) page(t *testing.T) string {
	t.Helper()
	resp, err := w.client.Get(w.back + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

func (w *world) shows(t *testing.T, texts ...string) {
	t.Helper()
	page := w.page(t)
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the status page does not say %q:\n%s", text, page)
		}
	}
}

func TestPromotion(t *testing.T) {
	w := start(t, 0.01, 20, "")
	w.shows(t, "stage canary. The candidate gets 20% of the users. Nothing has been looked at yet.")
	w.until(t, "canary continue (no_material_harm), the candidate gets 50%")
	w.shows(t, "stage half. The candidate gets 50%", "CONTINUE: ranker, v7 -> v8", "Stage canary is over; stage half may begin.")
	lines := w.until(t, "half continue (no_material_harm), the candidate gets 100%")
	if len(lines) < 5 {
		t.Errorf("the stage of five minutes was over after %d", len(lines))
	}
	w.shows(t, "The rollout is over. The candidate gets 100% of the users.")
	// Users are served on, by the new model alone, and it is no evidence any more.
	before := w.models[0].served[w.time()]
	if _, err := w.minute(50); err != nil {
		t.Fatal(err)
	}
	if after := w.models[0].served[w.time().Add(-time.Minute)]; after[1] > before[1] {
		t.Errorf("the old model served %v more", after[1]-before[1])
	}
}

func TestOutagePausesAndResumes(t *testing.T) {
	w := start(t, 0.01, 20, "")
	w.until(t, "inconclusive")
	w.outage.Store(true)
	for range 6 {
		if lines := w.until(t, ""); lines[0] != "canary pause (provider_error), the candidate gets 20%" {
			t.Errorf("during the outage: %s", lines[0])
		}
	}
	w.shows(t, "PAUSE for more evidence", "the system that knows the complaints does not answer")
	w.outage.Store(false)
	w.until(t, "canary continue")
	// What happened during the outage was asked for afterwards: nobody is missing.
	var want float64
	for _, m := range w.models {
		_, users := m.outcomes(time.Time{}, w.time())
		want += users
	}
	var got float64
	for i := range arms {
		got += w.stages[0].arms[i].sum.Metric("complaints").Count.Float64()
	}
	if got != want || want != float64(w.users) {
		t.Errorf("the outcomes of %v users are known, of %v, of %d who came", got, want, w.users)
	}
}

func TestPersonAcceptsAPause(t *testing.T) {
	w := start(t, 0.01, 26, "")
	w.until(t, "canary pause (harm, manual), the candidate gets 20%")
	w.shows(t, "PAUSE until a person has looked", "latency_ms")
	for range 5 { // longer than the stage: time alone ends no such pause
		if lines := w.until(t, ""); !strings.Contains(lines[0], "canary pause") || !strings.Contains(lines[0], "manual") {
			t.Errorf("without a person: %s", lines[0])
		}
	}
	if err := w.accept("guardrail", "mean", ""); err != nil { // no reason: it does not count
		t.Fatal(err)
	}
	w.until(t, "manual")
	w.shows(t, "it gives no reason")
	if err := w.accept("guardrail", "mean", "a larger model, agreed"); err != nil {
		t.Fatal(err)
	}
	w.until(t, "canary continue (override), the candidate gets 50%")
	w.shows(t, "ann: a larger model, agreed")
}

func TestHarmIsRolledBack(t *testing.T) {
	w := start(t, 0.20, 20, "")
	w.until(t, "canary rollback (harm), the candidate gets 0%")
	w.shows(t, "The rollout is over. The candidate gets 0% of the users.", "ROLL BACK", "failed")
	_, before := w.models[1].outcomes(time.Time{}, w.time())
	if _, err := w.minute(50); err != nil {
		t.Fatal(err)
	}
	if _, after := w.models[1].outcomes(time.Time{}, w.time()); after != before {
		t.Errorf("the candidate served %v after it was taken out", after-before)
	}
}

// A candidate that does not answer at all is harm as well, and costs its users an
// error each until the look.
func TestCandidateIsDown(t *testing.T) {
	w := start(t, 0, 20, "")
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	w.controller.models[1].Host = strings.TrimPrefix(down.URL, "http://")
	w.until(t, "canary rollback (harm), the candidate gets 0%")
}

// The controller is killed in a pause: the next one goes on where it was, with the
// evidence, the state and what people decided.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollout.json")
	w := start(t, 0.01, 26, path)
	w.until(t, "canary pause (harm, manual)")
	rows := w.stages[0].arms[1].sum.RowCount
	next := start(t, 0.01, 26, path)
	next.clock.Store(w.clock.Load())
	next.users = w.users
	next.shows(t, "stage canary. The candidate gets 20%", "PAUSE until a person has looked")
	if got := next.stages[0].arms[1].sum.RowCount; got != rows || rows == 0 {
		t.Errorf("%d rows of the candidate came back, of %d", got, rows)
	}
	if lines := next.until(t, "manual"); len(lines) != 1 {
		t.Errorf("the pause was forgotten: %v", lines)
	}
	if v := next.verdict; v.Record.PreviousLink != w.verdict.Record.Digest || v.Verify(w.verdict) != nil {
		t.Errorf("the record does not follow on the one before: %v", v.Verify(w.verdict))
	}
	if err := next.accept("guardrail", "mean", "agreed"); err != nil {
		t.Fatal(err)
	}
	next.until(t, "canary continue (override), the candidate gets 50%")
	last := start(t, 0.01, 26, path)
	last.shows(t, "stage half. The candidate gets 50% of the users.")
}

// What cannot be stored is said, and the verdict counts all the same.
func TestStoreFails(t *testing.T) {
	w := start(t, 0.20, 20, filepath.Join(t.TempDir(), "no such folder", "rollout.json"))
	for !w.over() {
		if _, err := w.minute(500); err == nil || !strings.Contains(err.Error(), "was not stored") {
			t.Fatalf("%v", err)
		}
	}
	w.shows(t, "ROLL BACK", "The candidate gets 0% of the users.")
}

// The hash gives the candidate its share, keeps every user in his arm, and only adds
// to the candidate's users when the share grows.
func TestRoute(t *testing.T) {
	w := start(t, 0.01, 20, "")
	const users = 20000
	in := func(weight float64) map[int]bool {
		w.weight = weight
		out := map[int]bool{}
		for n := range users {
			if w.route(fmt.Sprint("u", n)).arm == 1 {
				out[n] = true
			}
		}
		return out
	}
	small, large := in(20), in(50)
	for _, tt := range []struct {
		got  int
		want float64
	}{{len(small), 0.2}, {len(large), 0.5}, {len(in(0)), 0}, {len(in(100)), 1}} {
		// Five standard errors of a fair draw.
		if d := math.Abs(float64(tt.got)/users - tt.want); d > 5*math.Sqrt(tt.want*(1-tt.want)/users) {
			t.Errorf("%d of %d users go to the candidate, want %v of them", tt.got, users, tt.want)
		}
	}
	for n := range small {
		if !large[n] {
			t.Fatalf("user %d left the candidate when its share grew", n)
		}
	}
	if trip := w.route(""); trip.arm != 0 || trip.stage != nil {
		t.Error("a request without a user is evidence")
	}
}

// Outcomes over HTTP: what is missing is not zero.
func TestAskOutcomes(t *testing.T) {
	for body, want := range map[string]string{`{"complaints": 3, "users": 200}`: "", `{"users": 200}`: "not zero", `nothing`: "invalid"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, body) }))
		complaints, users, err := askOutcomes(s.URL)(t.Context(), "baseline", time.Unix(0, 0), time.Unix(60, 0))
		if want == "" && (err != nil || complaints != 3 || users != 200) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, %v, %v", body, complaints, users, err)
		}
		s.Close()
	}
}

func TestBadPolicies(t *testing.T) {
	for policy, want := range map[string]string{
		strings.Replace(string(examplePolicy), "column: failed", "column: colour", 1): `no column "colour"`,
		string(examplePolicy)[:strings.Index(string(examplePolicy), "stages:")]:       "needs stages",
		strings.Replace(string(examplePolicy), "checks:", "bugdet: {}\nchecks:", 1):   "bugdet",
	} {
		if _, err := newController("p.yaml", []byte(policy), [2]*url.URL{}, nil, "", time.Now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The act that ends soonest, as the demo tells it.
func TestDemo(t *testing.T) {
	all := acts()
	a := all[len(all)-1]
	w := start(t, a.failing, a.ms, "")
	var sb strings.Builder
	if err := a.play(&sb, w); err != nil {
		t.Fatal(err)
	}
	if want := "canary rollback (harm), the candidate gets 0%\n"; !strings.HasSuffix(sb.String(), want) {
		t.Errorf("it ends otherwise than with %q:\n%s", want, sb.String())
	}
}
