package webhookgate

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"math"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// admit finds out who asks, and refuses who is unknown or asks too often.
func (g *Gate) admit(r *request) error {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if r.access.Route == "GET "+healthPath {
		return nil
	}
	t, known := g.client(r.Request)
	r.access.Client, r.known, r.scope = t.Name, known, t.Policies
	key := "client " + t.Name
	if !known || t.Name == "" {
		key = "host " + host
	}
	if !g.rate.take(key, g.o.Now()) {
		return &fault{http.StatusTooManyRequests, codeRate, "too many requests; wait a second", nil}
	}
	if !known {
		return &fault{http.StatusUnauthorized, codeToken, "send a token as Authorization: Bearer TOKEN, or as the password of the URL", nil}
	}
	return nil
}

// refuse answers who is not admitted. A no at the hooks rollout and pre-rollout would
// count as a failed check of the canary: a known client that only asks too often is
// held there, like one whose verdict is not known.
func (g *Gate) refuse(r *request, w http.ResponseWriter, err error) {
	f := new(fault)
	hook := path.Base(r.URL.Path)
	if r.known && r.access.Route == flaggerRoute && (hook == hookRollout || hook == hookPreRollout) && errors.As(err, &f) && f.code == codeRate {
		r.access.Answer = f.code
		_ = writeText(w, http.StatusOK, "The verdict is not known: "+f.message)
		return
	}
	g.fail(r, w, err)
}

// client finds who asks. The time it takes does not depend on how much of a token is
// right.
func (g *Gate) client(r *http.Request) (who Token, known bool) {
	if g.o.Certificates && r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return Token{Name: r.TLS.PeerCertificates[0].Subject.CommonName}, true
	}
	shown := sha256.Sum256([]byte(secretOf(r)))
	for _, t := range g.o.Tokens {
		want := sha256.Sum256([]byte(t.Secret))
		if subtle.ConstantTimeCompare(shown[:], want[:]) == 1 {
			who, known = t, true
		}
	}
	return who, known || g.o.Open
}

func secretOf(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	kind, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return secret
}

// mayOverride reports whether the looks of a client may carry overrides.
func (g *Gate) mayOverride(client string) bool {
	return client != "" && slices.Contains(g.o.Overriders, client)
}

// mayPost reports whether a client may post evidence for a policy that has a source.
func (g *Gate) mayPost(client string) bool {
	return client != "" && slices.Contains(g.o.Posters, client)
}

// buckets give each client a number of requests at once, and then a rate.
type buckets struct {
	rate, burst float64
	mu          sync.Mutex
	of          map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory of buckets; those that are full can be forgotten.
const maxBuckets = 10_000

func (b *buckets) take(key string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[string]bucket{}
	}
	if _, known := b.of[key]; !known && len(b.of) >= maxBuckets {
		for k, v := range b.of {
			if b.filled(v, now) >= b.burst {
				delete(b.of, k)
			}
		}
		if len(b.of) >= maxBuckets {
			return false
		}
	}
	v, known := b.of[key]
	if !known {
		v = bucket{b.burst, now}
	}
	v = bucket{b.filled(v, now), now}
	ok := v.left >= 1
	if ok {
		v.left--
	}
	b.of[key] = v
	return ok
}

func (b *buckets) filled(v bucket, now time.Time) float64 {
	return math.Min(b.burst, v.left+float64(max(now.Sub(v.at).Seconds(), 0)*b.rate))
}

// locks let one goroutine at a time work on a rollout.
type locks struct {
	mu sync.Mutex
	of map[string]*lock
}

type lock struct {
	held  chan struct{}
	users int
}

func (l *locks) acquire(ctx context.Context, key string) (release func(), err error) {
	l.mu.Lock()
	if l.of == nil {
		l.of = map[string]*lock{}
	}
	k := l.of[key]
	if k == nil {
		k = &lock{held: make(chan struct{}, 1)}
		l.of[key] = k
	}
	k.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.of, key)
		}
	}
	select {
	case k.held <- struct{}{}:
		return func() { <-k.held; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
