package webhookgate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// decideRequest is the body of POST /v1/decide.
type decideRequest struct {
	Rollout      string                   `json:"rollout"`
	Policy       string                   `json:"policy"`
	Look         string                   `json:"look"`
	Stage        string                   `json:"stage"`
	Now          time.Time                `json:"now"`
	Evidence     []stageEvidence          `json:"evidence"`
	Reference    evidence                 `json:"reference"`
	Previous     evidence                 `json:"previous"`
	Measurements []measurement            `json:"measurements"`
	Given        []finding                `json:"given"`
	Problems     []analysis.SourceProblem `json:"problems"`
	Overrides    []analysis.Override      `json:"overrides"`
}

type stageEvidence struct {
	Stage     *string  `json:"stage"` // that of the look when absent
	Baseline  evidence `json:"baseline"`
	Candidate evidence `json:"candidate"`
	Pairs     pairs    `json:"pairs"`
}

// pairs is a snapshot of requests that both models scored, in base 64.
type pairs struct{ *analysis.PairSnapshot }

// UnmarshalJSON implements [json.Unmarshaler].
func (p *pairs) UnmarshalJSON(b []byte) error {
	if string(bytes.TrimSpace(b)) == "null" {
		p.PairSnapshot = nil
		return nil
	}
	var raw []byte
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("a snapshot of pairs is a string in base 64")
	}
	p.PairSnapshot = new(analysis.PairSnapshot)
	return p.UnmarshalBinary(raw)
}

// evidence is a snapshot: its JSON form, or its binary form in base 64.
type evidence struct{ *analysis.Snapshot }

// UnmarshalJSON implements [json.Unmarshaler].
func (e *evidence) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if string(b) == "null" {
		e.Snapshot = nil
		return nil
	}
	s := new(analysis.Snapshot)
	if b[0] == '{' {
		e.Snapshot = s
		return s.UnmarshalJSON(b)
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("a snapshot is an object, or a string in base 64")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("a snapshot as a string has to be in base 64: %w", err)
	}
	e.Snapshot = s
	return s.UnmarshalBinary(raw)
}

// finding is one that was made elsewhere. A number that is not given is none, not
// zero.
type finding struct{ analysis.Finding }

// UnmarshalJSON implements [json.Unmarshaler].
func (f *finding) UnmarshalJSON(b []byte) error {
	f.Finding = analysis.NewFinding("", "", "")
	return strict(b, &f.Finding)
}

type measurement struct {
	Arm     string    `json:"arm"`
	Metric  string    `json:"metric"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Total   *float64  `json:"total"`
	Count   *float64  `json:"count"`
	Squares *float64  `json:"squares"`
	Edges   []float64 `json:"edges"`
	Buckets []uint64  `json:"buckets"`
}

// strict decodes one JSON value without unknown members.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}

// maxSkew is how far ahead of the gate the clock of a caller may be.
const maxSkew = time.Minute

// parse reads and checks a look.
func (g *Gate) parse(body []byte, client string) (*decideRequest, error) {
	d := new(decideRequest)
	if err := strict(body, d); err != nil {
		return nil, badRequest("the body is no look: %v", err)
	}
	for _, n := range []struct{ key, value, hint string }{
		{"rollout", d.Rollout, "name what is rolled out, such as fraud-v8"},
		{"policy", d.Policy, "name the policy"},
		{"look", d.Look, "give each look an id of its own and send it again with the same id"},
	} {
		if !validName(n.value) {
			return nil, badRequest("%s: %s; at most 200 letters, digits and . _ : ~ @ + = -", n.key, n.hint)
		}
	}
	if strings.HasPrefix(d.Look, "gate:") {
		return nil, badRequest("look: ids that begin with gate: are those of the gate itself")
	}
	if d.Now.After(g.o.Now().Add(maxSkew)) {
		return nil, badRequest("now: %s is in the future", d.Now.Format(time.RFC3339))
	}
	if len(d.Overrides) > 0 && !g.mayOverride(client) {
		return nil, &fault{http.StatusForbidden, codeOverride, "this client may not send overrides", nil}
	}
	return d, checkMeasurements(d.Measurements)
}

// maxMeasurements is the most measurements of one look.
const maxMeasurements = 10_000

// checkMeasurements checks that each is one of an arm, and that no window is there
// twice.
func checkMeasurements(all []measurement) error {
	if len(all) > maxMeasurements {
		return badRequest("measurements: %d in one look, at most %d; add up windows, or send a snapshot", len(all), maxMeasurements)
	}
	type window struct {
		arm, metric string
		second      int64 // of its start
		nanosecond  int
	}
	seen := make(map[window]int, len(all))
	for i, m := range all {
		if m.Arm != "baseline" && m.Arm != "candidate" {
			return badRequest("measurements[%d]: arm %q is neither baseline nor candidate", i, m.Arm)
		}
		if m.End.Before(m.Start) {
			return badRequest("measurements[%d]: the window of %s ends at %s, before it begins at %s", i, m.Metric, m.End.Format(time.RFC3339), m.Start.Format(time.RFC3339))
		}
		w := window{m.Arm, m.Metric, m.Start.Unix(), m.Start.Nanosecond()}
		if j, twice := seen[w]; twice {
			return badRequest("measurements[%d]: the window of %s of the %s that begins at %s is in measurements[%d], too, and would count twice", i, m.Metric, m.Arm, m.Start.Format(time.RFC3339), j)
		}
		seen[w] = i
	}
	return nil
}

// bringsEvidence reports whether a request is more than overrides.
func (d *decideRequest) bringsEvidence() bool {
	return len(d.Overrides) == 0 || len(d.Evidence) > 0 || len(d.Measurements) > 0 || len(d.Given) > 0 || len(d.Problems) > 0 || d.Reference.Snapshot != nil || d.Previous.Snapshot != nil
}

// look puts the request into a look. The snapshots of the request stay as they are:
// a look may be made more than once.
func (d *decideRequest) look(_ context.Context, l *analysis.Look, p Policy) error {
	l.Evidence = nil
	present := -1
	for _, e := range d.Evidence {
		s := analysis.StageEvidence{Stage: d.Stage, Baseline: e.Baseline.Snapshot, Candidate: e.Candidate.Snapshot, Pairs: e.Pairs.PairSnapshot}
		if e.Stage != nil {
			s.Stage = *e.Stage
		}
		if s.Stage == d.Stage {
			present = len(l.Evidence)
		}
		l.Evidence = append(l.Evidence, s)
	}
	l.Reference, l.Previous = d.Reference.Snapshot, d.Previous.Snapshot
	l.Given = nil
	for _, f := range d.Given {
		l.Given = append(l.Given, f.Finding)
	}
	l.Problems, l.Overrides = d.Problems, d.Overrides
	if len(d.Measurements) == 0 {
		return nil
	}
	if present < 0 {
		present, l.Evidence = len(l.Evidence), append(l.Evidence, analysis.StageEvidence{Stage: d.Stage})
	}
	spec, err := analysis.UnionSpec(append([]*analysis.Policy{p.Rules}, p.Shadows...)...)
	if err != nil {
		return err
	}
	e := &l.Evidence[present]
	for _, arm := range [2]struct {
		name string
		of   **analysis.Snapshot
	}{{"baseline", &e.Baseline}, {"candidate", &e.Candidate}} {
		s := analysis.NewSnapshot(spec)
		if *arm.of != nil {
			if s, err = analysis.MergeSnapshots(*arm.of); err != nil {
				return evidenceFault(err)
			}
		}
		for i, m := range d.Measurements {
			if m.Arm != arm.name {
				continue
			}
			if err := s.AddMeasurement(analysis.Measurement{Metric: m.Metric, Start: m.Start, End: m.End,
				Total: m.Total, Count: m.Count, Squares: m.Squares, Edges: m.Edges, Buckets: m.Buckets}); err != nil {
				return evidenceFault(fmt.Errorf("measurements[%d]: %w", i, err))
			}
		}
		*arm.of = s
	}
	return nil
}

func (g *Gate) postDecide(r *request, w http.ResponseWriter) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	d, err := g.parse(body, r.access.Client)
	if err != nil {
		return err
	}
	r.access.Rollout = d.Rollout
	if err := r.may(d.Policy); err != nil {
		return err
	}
	if p, ok := g.o.Policies.Policy(d.Policy); ok && p.Source != nil && d.bringsEvidence() && !g.mayPost(r.access.Client) {
		return &fault{http.StatusForbidden, codePost, fmt.Sprintf("the gate itself collects the evidence of policy %q, and this client may not post any", d.Policy), nil}
	}
	sum := sha256.Sum256(body)
	a, err := g.decide(r.Context(), task{policy: d.Policy, rollout: d.Rollout, stage: d.Stage, id: d.Look, request: hex.EncodeToString(sum[:]),
		client: r.access.Client, now: d.Now, look: d.look})
	if err != nil {
		return err
	}
	r.access.Answer, r.access.Replayed = a.verdict.Decision.String(), a.replayed
	w.Header().Set("Rampguard-Replayed", strconv.FormatBool(a.replayed))
	return writeBytes(w, http.StatusOK, "application/json", a.record)
}

// past loads the rollout of the path, if it is one of a policy of the client's.
func (g *Gate) past(r *request) (Past, error) {
	rollout := r.PathValue("rollout")
	r.access.Rollout = rollout
	if !validName(rollout) {
		return Past{}, badRequest("%.60q cannot name a rollout: at most 200 letters, digits and . _ : ~ @ + = -", rollout)
	}
	past, err := g.o.Store.Load(r.Context(), rollout, "")
	if err != nil {
		return Past{}, storeFault(err)
	}
	if past.Policy == "" { // nobody has looked at it yet
		return past, nil
	}
	return past, r.may(past.Policy)
}

// getRollout answers with the last verdict.
func (g *Gate) getRollout(r *request, w http.ResponseWriter) error {
	past, err := g.past(r)
	switch {
	case err != nil:
		return err
	case past.Last == nil:
		return &fault{http.StatusNotFound, codeNotFound, "nobody has looked at this rollout yet", nil}
	}
	if _, err := readVerdict(past.Last); err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, "application/json", past.Last)
}

// maxPage is the most records of one answer.
const maxPage = 100

type recordsPage struct {
	Rollout string       `json:"rollout"`
	Records []recordLine `json:"records"`
	Next    int          `json:"next,omitempty"` // first number of the next page
}

type recordLine struct {
	Number  int             `json:"number"`
	Look    string          `json:"look"`
	Request string          `json:"request,omitempty"`
	Verdict json.RawMessage `json:"verdict"`
}

// getRecords answers with a page of the chain of verdicts.
func (g *Gate) getRecords(r *request, w http.ResponseWriter) error {
	page := recordsPage{Rollout: r.PathValue("rollout"), Records: []recordLine{}}
	if _, err := g.past(r); err != nil {
		return err
	}
	from, limit := 1, maxPage
	for key, dst := range map[string]*int{"from": &from, "limit": &limit} {
		if text := r.URL.Query().Get(key); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return badRequest("%s=%.20q is no number above 0", key, text)
			}
			*dst = n
		}
	}
	limit = min(limit, maxPage)
	all, err := g.o.Store.Records(r.Context(), page.Rollout, from, limit)
	if err != nil {
		return storeFault(err)
	}
	for _, s := range all {
		page.Records = append(page.Records, recordLine{s.Number, s.Look, s.Request, s.Record})
	}
	if len(all) == limit {
		page.Next = from + limit
	}
	return writeJSON(w, http.StatusOK, page)
}
