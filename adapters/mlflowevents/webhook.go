package mlflowevents

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// Delivery is what one webhook told.
type Delivery struct {
	ID       string // of the delivery
	Entity   string // such as model_version_tag
	Action   string // such as set
	Model    string
	Version  string
	At       time.Time // the sender's clock
	Events   []leadtime.Event
	Problems []Problem
	Ignored  string // why there are no events, when nothing is wrong

	track leadtime.Track
}

// DecodeWebhook reads the body of a delivery. Entities and actions that tell
// nothing of a release give no events and say so in Ignored.
//
// Errors: [ErrPayload] for a body of another shape; [stats.ErrDomain] for options
// out of range.
func DecodeWebhook(deliveryID string, body []byte, o Options) (Delivery, error) {
	o, err := o.orDefault()
	if err != nil {
		return Delivery{}, err
	}
	return o.decode(deliveryID, body, nil)
}

type payload struct {
	Entity    string    `json:"entity"`
	Action    string    `json:"action"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Name    string            `json:"name"`
		Version string            `json:"version"`
		RunID   string            `json:"run_id"`
		Key     string            `json:"key"`
		Value   string            `json:"value"`
		Alias   string            `json:"alias"`
		Tags    map[string]string `json:"tags"`
	} `json:"data"`
}

// decode makes events of a body; track gives what earlier deliveries said.
func (o Options) decode(deliveryID string, body []byte, track func(model, version string) leadtime.Track) (Delivery, error) {
	bad := func(text string) (Delivery, error) {
		return Delivery{}, fmt.Errorf("mlflowevents: DecodeWebhook: %s: %w", text, ErrPayload)
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return bad(shorten(err.Error(), maxMessage))
	}
	switch {
	case p.Entity == "" || p.Action == "":
		return bad("no entity or no action")
	case p.Timestamp.IsZero():
		return bad("no timestamp")
	}
	w := p.Data
	d := Delivery{ID: deliveryID, Entity: p.Entity, Action: p.Action, Model: w.Name, Version: w.Version, At: p.Timestamp.Round(0).UTC()}
	what := p.Entity + "." + p.Action
	switch what {
	case "model_version.created", "model_version_tag.set", "model_version_tag.deleted", "model_version_alias.created":
		if w.Name == "" || w.Version == "" {
			return bad(what + " without a name or a version")
		}
	case "model_version_alias.deleted":
		d.Ignored = "a deleted alias does not name its version"
		return d, nil
	default:
		d.Ignored = shorten(what, maxValue) + " tells nothing of a release"
		return d, nil
	}
	known := leadtime.Track("")
	if track != nil {
		known = track(w.Name, w.Version)
	}
	switch what {
	case "model_version.created":
		d.Events = append(d.Events, leadtime.Event{ID: id(w.Name, w.Version, "registered"), Source: o.Source,
			Kind: leadtime.Registered, Model: w.Name, Version: w.Version, At: d.At, Ref: w.RunID})
		events, problems := o.tags(w.Name, w.Version, w.Tags, nil)
		d.Events, d.Problems = append(d.Events, events...), problems
		d.track = leadtime.Track(w.Tags[tagTrack])
	case "model_version_tag.set":
		o.tagSet(&d, w.Key, w.Value, known)
	case "model_version_tag.deleted":
		if w.Key == tagSign {
			d.Events = append(d.Events, o.revoked(w.Name, w.Version, time.Time{}, d.At))
		}
	case "model_version_alias.created":
		o.mark(&d, "alias:"+w.Alias)
	}
	if len(d.Events)+len(d.Problems) == 0 {
		d.Ignored = cmp.Or(d.Ignored, "no event follows from it")
	}
	return d, nil
}

func (o Options) tagSet(d *Delivery, key, value string, known leadtime.Track) {
	if key == tagTrack && value != "" {
		d.track = leadtime.Track(value)
		d.Events = append(d.Events, o.trackSet(d.Model, d.Version, value, time.Time{}, d.At))
		return
	}
	if len(key) < len(tagPrefix) || key[:len(tagPrefix)] != tagPrefix {
		o.mark(d, "tag:"+key+"="+value)
		return
	}
	e, reason := o.tag(d.Model, d.Version, key, value, known)
	switch {
	case reason != "":
		d.Problems = append(d.Problems, Problem{d.Model, d.Version, shorten(key, maxValue), shorten(value, maxValue), reason})
	case e.Kind != 0:
		d.Events = append(d.Events, e)
	}
}

func (o Options) mark(d *Delivery, label string) {
	if m, ok := o.Meanings[label]; ok {
		d.Events = append(d.Events, o.label(d.Model, d.Version, label, m, time.Time{}, d.At))
	} else {
		d.Ignored = shorten(label, maxValue) + " has no meaning in the options"
	}
}

// WebhookOptions set up a [Webhook].
type WebhookOptions struct {
	Options
	Secret    Secret                                // of the webhook in MLflow; required unless Unsigned
	Unsigned  bool                                  // take deliveries of a webhook without a secret
	Now       func() time.Time                      // the clock; required
	Sink      func(context.Context, Delivery) error // required; called by several goroutines
	Tolerance time.Duration                         // of time stamps; default 5 min
	MaxBody   int64                                 // default 1 MiB
	Remember  int                                   // delivery ids, and versions with a track; default 10 000
}

// Webhook is the handler of deliveries. See the package comment.
type Webhook struct {
	o      WebhookOptions
	mu     sync.Mutex
	ids    *recent[bool] // true once taken, false while the sink has it
	tracks *recent[leadtime.Track]
}

// NewWebhook makes a handler.
//
// Errors: [stats.ErrDomain] without a secret, a clock or a sink, or for options
// out of range.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	const name = "mlflowevents: NewWebhook"
	switch {
	case o.Now == nil || o.Sink == nil:
		return nil, fmt.Errorf("%s: no clock or no sink: %w", name, stats.ErrDomain)
	case (o.Secret == "") != o.Unsigned:
		return nil, fmt.Errorf("%s: either a secret or Unsigned: %w", name, stats.ErrDomain)
	case o.Tolerance < 0 || o.MaxBody < 0 || o.Remember < 0:
		return nil, fmt.Errorf("%s: a bound is negative: %w", name, stats.ErrDomain)
	}
	var err error
	if o.Options, err = o.Options.orDefault(); err != nil {
		return nil, err
	}
	o.Tolerance = cmp.Or(o.Tolerance, 5*time.Minute)
	o.MaxBody = cmp.Or(o.MaxBody, 1<<20)
	o.Remember = cmp.Or(o.Remember, 10_000)
	return &Webhook{o: o, ids: newRecent[bool](o.Remember), tracks: newRecent[leadtime.Track](o.Remember)}, nil
}

// ServeHTTP takes one delivery.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	status, err := h.take(r)
	if err != nil {
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *Webhook) take(r *http.Request) (status int, err error) {
	body, err := readBody(r.Body, h.o.MaxBody)
	switch {
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge, err
	case err != nil:
		return http.StatusBadRequest, errors.New("body cut short")
	}
	deliveryID := r.Header.Get(HeaderDelivery)
	if !h.o.Unsigned {
		err = Verify(h.o.Secret, deliveryID, r.Header.Get(HeaderTimestamp), r.Header.Get(HeaderSignature), body, h.o.Now(), h.o.Tolerance)
	} else if deliveryID == "" || len(deliveryID) > maxDeliveryID {
		err = fmt.Errorf("no usable %s: %w", HeaderDelivery, ErrPayload)
	}
	switch {
	case errors.Is(err, ErrUnauthorized):
		return http.StatusUnauthorized, err
	case err != nil:
		return http.StatusBadRequest, err
	}
	switch taken, known := h.reserve(deliveryID); {
	case known && taken:
		return 0, nil
	case known:
		return http.StatusServiceUnavailable, errors.New("the same delivery is being taken")
	}
	ok := false
	defer func() { h.settle(deliveryID, ok) }()
	d, err := h.o.decode(deliveryID, body, h.track)
	if err != nil {
		return http.StatusBadRequest, err
	}
	if err := h.o.Sink(r.Context(), d); err != nil {
		return http.StatusServiceUnavailable, errors.New("not taken")
	}
	ok = true
	if d.track != "" {
		h.mu.Lock()
		h.tracks.put(id(d.Model, d.Version), d.track)
		h.mu.Unlock()
	}
	return 0, nil
}

func (h *Webhook) reserve(deliveryID string) (taken, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if taken, known = h.ids.get(deliveryID); !known {
		h.ids.put(deliveryID, false)
	}
	return taken, known
}

func (h *Webhook) settle(deliveryID string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ok {
		h.ids.put(deliveryID, true)
	} else {
		h.ids.drop(deliveryID)
	}
}

func (h *Webhook) track(model, version string) leadtime.Track {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, _ := h.tracks.get(id(model, version))
	return t
}
