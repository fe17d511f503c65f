package webhookgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// The codes of errors. They are stable; the messages beside them may change.
const (
	codeRequest   = "bad_request"
	codeToken     = "unauthorized"
	codeOverride  = "override_not_allowed"
	codeScope     = "policy_not_allowed"
	codePost      = "evidence_not_allowed"
	codeNotFound  = "not_found"
	codeMethod    = "method_not_allowed"
	codeReused    = "look_id_reused"
	codePolicy    = "another_policy"
	codeOrder     = "before_last_look"
	codeTooLarge  = "body_too_large"
	codeEvidence  = "evidence_unusable"
	codeRate      = "too_many_requests"
	codeInternal  = "internal"
	codeStore     = "store_unavailable"
	codeSource    = "source_failed"
	codeContested = "rollout_busy"
	codeBusy      = "gate_busy"
	codeTimeout   = "timeout"
)

// fault is an error with the answer that a client gets. The cause is for the log.
type fault struct {
	status        int
	code, message string
	cause         error
}

func (f *fault) Error() string { return f.message }

func (f *fault) Unwrap() error { return f.cause }

func badRequest(format string, args ...any) *fault {
	return &fault{http.StatusBadRequest, codeRequest, fmt.Sprintf(format, args...), nil}
}

// storeFault hides what a store says, which may name hosts and users.
func storeFault(err error) *fault {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &fault{http.StatusServiceUnavailable, codeTimeout, "it took too long; send the same request again", err}
	}
	return &fault{http.StatusServiceUnavailable, codeStore, "the store cannot be used now; send the same request again", err}
}

// evidenceFault is evidence that the policy cannot be applied to.
func evidenceFault(err error) *fault {
	return &fault{http.StatusUnprocessableEntity, codeEvidence, err.Error(), nil}
}

// connectionLost is the end of a client that went away while it got its answer.
type connectionLost struct{ error }

func lost(err error) error {
	if err != nil {
		return connectionLost{err}
	}
	return nil
}

// told is what a client is told of an error.
func told(err error) string {
	f := new(fault)
	if !errors.As(err, &f) {
		return "an error of the gate; its log says more"
	}
	return f.message
}

// fail answers with an error.
func (g *Gate) fail(r *request, w http.ResponseWriter, err error) {
	var gone connectionLost
	if errors.As(err, &gone) {
		r.access.Err = err
		return
	}
	f := new(fault)
	if !errors.As(err, &f) {
		f = &fault{http.StatusInternalServerError, codeInternal, "an error of the gate; its log says more", err}
	}
	r.access.Answer, r.access.Err = f.code, f.cause
	if s, ok := w.(*statusWriter); ok && s.status != 0 {
		return // the answer has begun
	}
	h := w.Header()
	switch f.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="rampguard"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	if strings.HasPrefix(r.URL.Path, "/flagger/") { // Flagger shows the body to people
		_ = writeText(w, f.status, f.message)
		return
	}
	_ = writeJSON(w, f.status, map[string]any{"error": map[string]string{"code": f.code, "message": f.message}})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeBytes(w, status, "application/json", append(b, '\n'))
}

func writeText(w http.ResponseWriter, status int, text string) error {
	return writeBytes(w, status, "text/plain; charset=utf-8", []byte(text+"\n"))
}

func writeBytes(w http.ResponseWriter, status int, kind string, b []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, err := w.Write(b)
	return lost(err)
}

// noRoute is the answer to a path or a method that there is not.
func noRoute(h http.Handler, r *http.Request) error {
	w := &statusWriter{ResponseWriter: discard{http.Header{}}}
	h.ServeHTTP(w, r)
	if w.status == http.StatusMethodNotAllowed {
		return &fault{http.StatusMethodNotAllowed, codeMethod, "this path takes " + w.Header().Get("Allow"), nil}
	}
	return &fault{http.StatusNotFound, codeNotFound, "there is no such path", nil}
}

// discard is a writer that drops the answer.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// smallBody is the most bytes of a body that waits for no other. Those of the hosts
// have less.
const smallBody = 64 << 10

// readBody reads a bounded body. A large one waits until there is room, and keeps it
// until the request is answered.
func readBody(r *request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > smallBody {
		select {
		case r.bodies <- struct{}{}:
			r.large++
		case <-r.Context().Done():
			return nil, &fault{http.StatusServiceUnavailable, codeBusy, "the gate works on as many large bodies as it may; send the same request again", nil}
		}
	}
	b, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &fault{http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("the body has more than %d bytes", large.Limit), nil}
	case err != nil:
		return nil, &fault{http.StatusBadRequest, codeRequest, "the body came too slowly or was cut short", err}
	}
	return b, nil
}

// validName reports whether a text can be the name of a policy, a rollout or a look:
// 1 to 200 letters, digits and . _ : ~ @ + = -, the first a letter or a digit.
func validName(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("._:~@+=-", c) < 0) {
			return false
		}
	}
	return true
}

// readVerdict reads a stored record; one that was changed is an error.
func readVerdict(b []byte) (*analysis.Verdict, error) {
	v, err := analysis.VerdictFromJSON(b)
	if err != nil {
		return nil, &fault{http.StatusInternalServerError, codeInternal, "the last record of the rollout is damaged", err}
	}
	return v, nil
}

// unusable reports whether an error is about the evidence of the caller.
func unusable(err error) bool {
	return errors.Is(err, stats.ErrMismatch) || errors.Is(err, stats.ErrDomain) || errors.Is(err, stats.ErrEmpty)
}
