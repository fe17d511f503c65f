package cdevents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is an event as it was delivered.
type Message struct {
	ID, Source, Type string
	Time             time.Time       // zero when it is not stated
	Line             int             // of a file; 0 is nowhere
	Data             json.RawMessage // the CDEvent, with context and subject; of other events, their data
}

// Decode reads the events of an HTTP request: one, or those of a batch. What the
// events are about does not matter here.
//
// Errors: [ErrUnsupported] for other event formats than JSON, [ErrMalformed].
func Decode(h http.Header, body []byte) ([]Message, error) {
	m, err := decode(h, body)
	if err != nil {
		return nil, fmt.Errorf("cdevents: Decode: %w", err)
	}
	return m, nil
}

func decode(h http.Header, body []byte) ([]Message, error) {
	if coding := h.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, fmt.Errorf("content encoding %q: %w", clip(coding), ErrUnsupported)
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("content type %q: %w: %w", clip(h.Get("Content-Type")), err, ErrUnsupported)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return nil, fmt.Errorf("charset %q: %w", clip(charset), ErrUnsupported)
	}
	switch {
	case !utf8.Valid(body):
		return nil, fmt.Errorf("the body is not UTF-8: %w", ErrMalformed)
	case media == "application/cloudevents+json":
		m, err := decodeObject(body)
		return []Message{m}, err
	case media == "application/cloudevents-batch+json":
		return decodeBatch(body)
	case strings.HasPrefix(media, "application/cloudevents"):
		return nil, fmt.Errorf("event format %q: %w", clip(media), ErrUnsupported)
	}
	m, err := decodeBinary(h, media, body)
	return []Message{m}, err
}

// decodeBinary reads an event whose attributes are in headers.
func decodeBinary(h http.Header, media string, body []byte) (m Message, err error) {
	var version, at string
	for _, a := range []struct {
		name string
		to   *string
	}{{"specversion", &version}, {"id", &m.ID}, {"source", &m.Source}, {"type", &m.Type}, {"time", &at}} {
		if *a.to, err = attribute(h.Get("ce-" + a.name)); err != nil {
			return m, fmt.Errorf("header ce-%s: %w: %w", a.name, err, ErrMalformed)
		}
	}
	switch {
	case version == "":
		return m, fmt.Errorf("not a CloudEvent: content type %q and no header ce-specversion: %w", clip(media), ErrUnsupported)
	case !isJSON(media):
		return m, fmt.Errorf("data of type %q: %w", clip(media), ErrUnsupported)
	case !json.Valid(body):
		return m, fmt.Errorf("the body is not JSON: %w", ErrMalformed)
	}
	m.Data = compact(body)
	return m, m.complete(version, at)
}

func isJSON(media string) bool {
	return strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json")
}

// attribute decodes the value of a header: quotes first, percent signs then.
func attribute(s string) (string, error) {
	if n := len(s); n > 1 && s[0] == '"' && s[n-1] == '"' {
		var b strings.Builder
		for i := 1; i < n-1; i++ {
			if s[i] == '\\' && i+1 < n-1 {
				i++
			}
			b.WriteByte(s[i])
		}
		s = b.String()
	}
	s, err := url.PathUnescape(s)
	if err == nil && !utf8.ValidString(s) {
		err = fmt.Errorf("%q is not UTF-8", clip(s))
	}
	return s, err
}

// envelope has the attributes of a CloudEvent, or the context of a bare CDEvent.
type envelope struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Time        string          `json:"time"`
	ContentType string          `json:"datacontenttype"`
	Data        json.RawMessage `json:"data"`
	DataBase64  []byte          `json:"data_base64"`
}

func decodeBatch(b []byte) ([]Message, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return nil, fmt.Errorf("batch: %w: %w", err, ErrMalformed)
	}
	out := make([]Message, len(parts))
	for i, part := range parts {
		var err error
		if out[i], err = decodeObject(part); err != nil {
			return nil, fmt.Errorf("event %d of %d: %w", i+1, len(parts), err)
		}
	}
	return out, nil
}

// decodeObject reads a CloudEvent in its JSON format.
func decodeObject(b []byte) (Message, error) {
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return Message{}, fmt.Errorf("%w: %w", err, ErrMalformed)
	}
	m := Message{ID: e.ID, Source: e.Source, Type: e.Type, Data: e.Data}
	if media, _, _ := mime.ParseMediaType(e.ContentType); e.ContentType != "" && !isJSON(media) {
		m.Data = nil // a CDEvent is JSON; this is something else
	} else if e.DataBase64 != nil {
		if !json.Valid(e.DataBase64) {
			return m, fmt.Errorf("data_base64 is not JSON: %w", ErrMalformed)
		}
		m.Data = e.DataBase64
	}
	if m.Data != nil {
		m.Data = compact(m.Data)
	}
	return m, m.complete(e.SpecVersion, e.Time)
}

// decodeLine reads a line of a file: a CloudEvent, a batch of them, or a CDEvent.
func decodeLine(b []byte) ([]Message, error) {
	switch {
	case !utf8.Valid(b):
		return nil, fmt.Errorf("not UTF-8: %w", ErrMalformed)
	case b[0] == '[':
		return decodeBatch(b)
	}
	var bare struct {
		SpecVersion json.RawMessage `json:"specversion"`
		Context     *struct {
			ID        string `json:"id"`
			Source    string `json:"source"`
			Type      string `json:"type"`
			Timestamp string `json:"timestamp"`
		} `json:"context"`
	}
	if err := json.Unmarshal(b, &bare); err != nil && !json.Valid(b) {
		return nil, fmt.Errorf("%w: %w", err, ErrMalformed)
	}
	if c := bare.Context; c != nil && bare.SpecVersion == nil {
		m := Message{ID: c.ID, Source: c.Source, Type: c.Type, Data: compact(b)}
		return []Message{m}, m.complete("1.0", "")
	}
	m, err := decodeObject(b)
	return []Message{m}, err
}

// complete checks what every event has, and reads its time.
func (m *Message) complete(version, at string) error {
	for _, a := range [][2]string{{"id", m.ID}, {"source", m.Source}, {"type", m.Type}} {
		if a[1] == "" {
			return fmt.Errorf("an event without %s: %w", a[0], ErrMalformed)
		}
	}
	if version != "1.0" {
		return fmt.Errorf("event %q of version %q of CloudEvents: %w", clip(m.ID), clip(version), ErrUnsupported)
	}
	if at == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return fmt.Errorf("event %q: time %q: %w", clip(m.ID), clip(at), ErrMalformed)
	}
	m.Time = t.UTC()
	return nil
}

// compact puts valid JSON on one line of its own memory.
func compact(b []byte) json.RawMessage {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return nil
	}
	return out.Bytes()
}
