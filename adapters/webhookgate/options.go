package webhookgate

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Options set up a [Gate].
type Options struct {
	Store    Store            // required
	Policies PolicySource     // required
	Now      func() time.Time // the clock; required

	// Tokens are those that let a client in, as Authorization: Bearer, or as the
	// password of Authorization: Basic, which is what a URL such as
	// http://flagger:TOKEN@host/ becomes.
	Tokens []Token
	// Certificates lets a client in that has shown a certificate which the server
	// has verified; its name is the common name.
	Certificates bool
	// Open lets everybody in. Without it Tokens or Certificates are required.
	Open bool
	// Overriders are the names of the clients whose looks may carry overrides.
	Overriders []string
	// Posters are the names of the clients that may post evidence for a policy with a
	// [Source]. For one without, every client may that may use the policy.
	Posters []string

	MaxBody   int64         // bytes of a request; default 8 MiB
	MaxBodies int           // requests of more than 64 KiB that are worked on at once; default 32
	Timeout   time.Duration // of a request, below the 10 s of the hosts; default 8 s
	Rate      float64       // requests a second of one client; default 50
	Burst     int           // requests of one client at once; default 200

	// MaxAge is how old a Continue may be that a host gets: an older one is a pause.
	// Default 1 h.
	MaxAge time.Duration
	// MinInterval is how old a verdict may be that a host gets without another look,
	// of a policy with a [Source]. Default 5 s.
	MinInterval time.Duration

	Metrics http.Handler   // of GET /metrics; none without
	Decided func(Decision) // told of each new verdict once it is stored; must not block
	Served  func(Access)   // told of each request; must not block
}

// Token is what a client shows.
type Token struct {
	Name     string // of the client, for the log
	Secret   Secret
	Policies []string // names of those that the client may use; nil is all
}

// Secret is a token. However it is printed or encoded it shows as [redacted].
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// PolicySource knows policies by their names.
type PolicySource interface {
	// Policy returns the named policy, or false.
	Policy(name string) (Policy, bool)
	// Names lists the names in order.
	Names() []string
}

// Policy is what the rollouts of one name are judged by.
type Policy struct {
	Rules   *analysis.Policy
	Shadows []*analysis.Policy
	// Canonical are the canonical forms by digest, stored so that verdicts can be
	// replayed later.
	Canonical map[string][]byte
	// Source brings evidence when a host asks; nil when all evidence is posted.
	Source Source
}

// Policies is a [PolicySource] that does not change.
type Policies map[string]Policy

// Policy implements [PolicySource].
func (p Policies) Policy(name string) (Policy, bool) {
	found, ok := p[name]
	return found, ok
}

// Names implements [PolicySource].
func (p Policies) Names() []string { return slices.Sorted(maps.Keys(p)) }

// Source brings the evidence of both arms.
type Source interface {
	Collect(ctx context.Context, q Query) (Collected, error)
}

// Query is what a source is asked for.
type Query struct {
	Rollout string
	Stage   string
	Spec    *analysis.Spec
	Since   time.Time // first look at the stage, or Now
	Now     time.Time
}

// Collected is what a source has brought. A source that failed is a problem, not an
// error.
type Collected struct {
	Baseline, Candidate *analysis.Snapshot
	Problems            []analysis.SourceProblem
}

// Decision is a verdict that was stored.
type Decision struct {
	Rollout string
	Policy  string
	Look    string // id
	Number  int    // of the record
	Client  string
	At      time.Time
	Verdict *analysis.Verdict
	Record  []byte // the verdict as it was stored
}

// Access is a request that was answered.
type Access struct {
	Method, Route, Client string
	Rollout               string // when the request names one
	Status                int
	Answer                string // the decision, or the code of the error
	Replayed              bool   // the look was known
	Took                  time.Duration
	Err                   error // the cause of an answer that does not tell it
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Store == nil || o.Policies == nil || o.Now == nil:
		return o, fmt.Errorf("webhookgate: New: no store, no policies or no clock: %w", stats.ErrDomain)
	case len(o.Tokens) == 0 && !o.Certificates && !o.Open:
		return o, fmt.Errorf("webhookgate: New: nobody is let in; give tokens or ask for certificates: %w", stats.ErrDomain)
	case o.MaxBody < 0 || o.MaxBodies < 0 || o.Timeout < 0 || !(o.Rate >= 0) || o.Burst < 0 || o.MaxAge < 0 || o.MinInterval < 0:
		return o, fmt.Errorf("webhookgate: New: a bound is negative: %w", stats.ErrDomain)
	}
	seen := map[Secret]bool{}
	for _, t := range o.Tokens {
		if t.Name == "" || len(t.Secret) < 16 || seen[t.Secret] {
			return o, fmt.Errorf("webhookgate: New: token %q has no name, fewer than 16 characters, or is there twice: %w", t.Name, stats.ErrDomain)
		}
		seen[t.Secret] = true
	}
	for _, name := range o.Policies.Names() {
		if p, _ := o.Policies.Policy(name); !validName(name) || p.Rules == nil {
			return o, fmt.Errorf("webhookgate: New: policy %q has no rules, or a name with other characters than letters, digits and . _ - : %w", name, stats.ErrDomain)
		}
	}
	def := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	def(&o.Timeout, 8*time.Second)
	def(&o.MaxAge, time.Hour)
	def(&o.MinInterval, 5*time.Second)
	if o.MaxBody == 0 {
		o.MaxBody = 8 << 20
	}
	if o.MaxBodies == 0 {
		o.MaxBodies = 32
	}
	if o.Rate == 0 {
		o.Rate = 50
	}
	if o.Burst == 0 {
		o.Burst = 200
	}
	return o, nil
}
