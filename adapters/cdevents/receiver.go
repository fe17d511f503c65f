package cdevents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/rampguard/rampguard/stats"
)

// ReceiverOptions say what a [Receiver] does with what it receives.
type ReceiverOptions struct {
	// Sink stores messages, all of a request that are new. A request is answered
	// when it returns: with an error, the sender should try again. It is called by
	// one goroutine at a time.
	Sink func(ctx context.Context, messages []Message) error
	// Authenticate refuses a request by returning an error. It is given the body,
	// so that it can check a signature. Without it everybody may send.
	Authenticate func(r *http.Request, body []byte) error

	MaxBody int64 // bytes of a request; 0 means 1 MiB
	Recent  int   // messages that are remembered to tell repeated ones; 0 means 100,000
}

// ReceiverCounts is what a [Receiver] has seen so far.
type ReceiverCounts struct {
	Accepted  uint64 // messages the sink took
	Repeated  uint64 // messages that had been taken before
	Refused   uint64 // requests that were not authenticated, too large or not CloudEvents
	SinkFails uint64 // requests the sink did not take
}

// Receiver is an [http.Handler] that takes CloudEvents. It answers
//
//	204  taken, or taken before
//	400  malformed; a batch is taken as a whole or not at all
//	401  Authenticate said no
//	405  neither POST nor PUT
//	413  larger than MaxBody
//	415  another format than JSON
//	500  Sink failed
//
// A message is told by source and id, as CDEvents do. What was taken is remembered
// in memory only; later repetitions, and those after a restart, reach the sink and
// are dropped by [leadtime.Assemble].
type Receiver struct {
	o ReceiverOptions

	mu     sync.Mutex
	counts ReceiverCounts
	seen   map[identity]bool
	ring   []identity // what is in seen, the oldest at next when it is full
	next   int
}

type identity struct{ source, id string }

// NewReceiver returns a receiver. Errors: [stats.ErrDomain] for impossible options.
func NewReceiver(o ReceiverOptions) (*Receiver, error) {
	o.MaxBody, o.Recent = cmp.Or(o.MaxBody, 1<<20), cmp.Or(o.Recent, 100_000)
	if o.Sink == nil || o.MaxBody < 0 || o.Recent < 0 {
		return nil, fmt.Errorf("cdevents: NewReceiver: Sink %v, MaxBody %d, Recent %d: %w", o.Sink != nil, o.MaxBody, o.Recent, stats.ErrDomain)
	}
	return &Receiver{o: o, seen: map[identity]bool{}}, nil
}

// Counts returns what was seen so far.
func (r *Receiver) Counts() ReceiverCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// ServeHTTP implements [http.Handler].
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost && req.Method != http.MethodPut {
		w.Header().Set("Allow", "POST, PUT")
		r.refuse(w, http.StatusMethodNotAllowed, "send events with POST")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, r.o.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		r.refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("at most %d bytes", r.o.MaxBody))
		return
	} else if err != nil {
		r.refuse(w, http.StatusBadRequest, "the body could not be read")
		return
	}
	if r.o.Authenticate != nil && r.o.Authenticate(req, body) != nil {
		r.refuse(w, http.StatusUnauthorized, "not authenticated")
		return
	}
	messages, err := decode(req.Header, body)
	switch {
	case errors.Is(err, ErrUnsupported):
		r.refuse(w, http.StatusUnsupportedMediaType, err.Error())
	case err != nil:
		r.refuse(w, http.StatusBadRequest, err.Error())
	case r.take(req.Context(), messages) != nil:
		http.Error(w, "the events could not be stored; try again", http.StatusInternalServerError)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (r *Receiver) refuse(w http.ResponseWriter, status int, why string) {
	r.mu.Lock()
	r.counts.Refused++
	r.mu.Unlock()
	http.Error(w, why, status)
}

// take hands what is new to the sink, and remembers it.
func (r *Receiver) take(ctx context.Context, messages []Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var fresh []Message
	batch := map[identity]bool{}
	for _, m := range messages {
		k := identity{m.Source, m.ID}
		if !r.seen[k] && !batch[k] {
			batch[k] = true
			fresh = append(fresh, m)
		}
	}
	if len(fresh) > 0 {
		if err := r.o.Sink(ctx, fresh); err != nil {
			r.counts.SinkFails++
			return err
		}
	}
	r.counts.Accepted += uint64(len(fresh))
	r.counts.Repeated += uint64(len(messages) - len(fresh))
	for _, m := range fresh {
		r.remember(identity{m.Source, m.ID})
	}
	return nil
}

func (r *Receiver) remember(k identity) {
	r.seen[k] = true
	if len(r.ring) < r.o.Recent {
		r.ring = append(r.ring, k)
		return
	}
	delete(r.seen, r.ring[r.next])
	r.ring[r.next] = k
	r.next = (r.next + 1) % len(r.ring)
}
