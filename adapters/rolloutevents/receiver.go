package rolloutevents

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Secret is a token. However it is printed or encoded it shows as [redacted].
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ReceiverOptions set up a [Receiver].
type ReceiverOptions struct {
	Options
	Now      func() time.Time                   // the clock; required
	Sink     func(context.Context, Batch) error // required; called by several goroutines
	Token    Secret                             // wanted as Authorization: Bearer; default none
	MaxBody  int64                              // default 4 MiB
	Remember int                                // bodies; default 10 000
}

// Receiver is the handler of what a controller posts. See the package comment.
type Receiver struct {
	o      ReceiverOptions
	decode func([]byte) (Batch, error)
	mu     sync.Mutex
	seen   map[[sha256.Size]byte]bool // true once taken, false while the sink has it
	ring   [][sha256.Size]byte        // the keys of seen in the order they came
	next   int
}

// NewArgoReceiver makes a receiver of notifications of Argo Rollouts.
//
// Errors: [stats.ErrDomain] without a clock or a sink, or for options out of
// range.
func NewArgoReceiver(o ReceiverOptions) (*Receiver, error) {
	return newReceiver(o, "NewArgoReceiver", func(b []byte) (Batch, error) { return DecodeArgo(b, o.Now(), o.Options) })
}

// NewFlaggerReceiver makes a receiver of event webhooks of Flagger.
//
// Errors: [stats.ErrDomain] without a clock or a sink, or for options out of
// range.
func NewFlaggerReceiver(o ReceiverOptions) (*Receiver, error) {
	return newReceiver(o, "NewFlaggerReceiver", func(b []byte) (Batch, error) { return DecodeFlagger(b, o.Options) })
}

func newReceiver(o ReceiverOptions, name string, decode func([]byte) (Batch, error)) (*Receiver, error) {
	switch {
	case o.Now == nil || o.Sink == nil:
		return nil, fmt.Errorf("rolloutevents: %s: no clock or no sink: %w", name, stats.ErrDomain)
	case o.MaxBody < 0 || o.Remember < 0:
		return nil, fmt.Errorf("rolloutevents: %s: a bound is negative: %w", name, stats.ErrDomain)
	}
	if _, err := o.orDefault(""); err != nil {
		return nil, err
	}
	o.MaxBody = cmp.Or(o.MaxBody, 4<<20)
	return &Receiver{o: o, decode: decode, seen: map[[sha256.Size]byte]bool{},
		ring: make([][sha256.Size]byte, cmp.Or(o.Remember, 10_000))}, nil
}

// ServeHTTP takes one body.
func (v *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	if status, err := v.take(r); err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (v *Receiver) take(r *http.Request) (status int, err error) {
	if v.o.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+string(v.o.Token))) != 1 {
		return http.StatusUnauthorized, errors.New("not authorised")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, v.o.MaxBody+1))
	switch {
	case err != nil:
		return http.StatusBadRequest, errors.New("body cut short")
	case int64(len(body)) > v.o.MaxBody:
		return http.StatusRequestEntityTooLarge, fmt.Errorf("above %d bytes: %w", v.o.MaxBody, ErrTooLarge)
	}
	key := sha256.Sum256(body)
	switch taken, known := v.reserve(key); {
	case taken:
		return 0, nil
	case known:
		return http.StatusServiceUnavailable, errors.New("the same body is being taken")
	}
	ok := false
	defer func() { v.settle(key, ok) }()
	batch, err := v.decode(body)
	switch {
	case errors.Is(err, ErrNoName):
		return http.StatusUnprocessableEntity, err
	case err != nil:
		return http.StatusBadRequest, err
	}
	if err := v.o.Sink(r.Context(), batch); err != nil {
		return http.StatusServiceUnavailable, errors.New("not taken")
	}
	ok = true
	return 0, nil
}

func (v *Receiver) reserve(key [sha256.Size]byte) (taken, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if taken, known = v.seen[key]; !known {
		delete(v.seen, v.ring[v.next])
		v.ring[v.next] = key
		v.next = (v.next + 1) % len(v.ring)
		v.seen[key] = false
	}
	return taken, known
}

func (v *Receiver) settle(key [sha256.Size]byte, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := v.seen[key]; !known {
		return // many others came meanwhile
	}
	if v.seen[key] = true; !ok {
		delete(v.seen, key)
	}
}
