package gatestore

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// Memory is a store that ends with the process.
type Memory struct {
	mu       sync.Mutex
	rollouts map[string]*remembered
	blobs    map[string][]byte
	owners   map[string]string
}

type remembered struct {
	policy  string
	records []webhookgate.Stored
	looks   map[string]int // number by id
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{rollouts: map[string]*remembered{}, blobs: map[string][]byte{}, owners: map[string]string{}}
}

// Load implements [webhookgate.Store].
func (m *Memory) Load(ctx context.Context, rollout, look string) (webhookgate.Past, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := webhookgate.Past{Owner: m.owners[rollout]}
	r := m.rollouts[rollout]
	if r == nil {
		return p, ctx.Err()
	}
	p.Policy, p.Records = r.policy, len(r.records)
	p.Last = bytes.Clone(r.records[len(r.records)-1].Record)
	if n := r.looks[look]; n > 0 && look != "" {
		s := r.records[n-1]
		s.Record = bytes.Clone(s.Record)
		p.Look = &s
	}
	return p, ctx.Err()
}

// Append implements [webhookgate.Store].
func (m *Memory) Append(ctx context.Context, rollout string, e webhookgate.Entry) error {
	if err := check(rollout, &e); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rollouts[rollout]
	if r == nil {
		r = &remembered{policy: e.Policy, looks: map[string]int{}}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := conflict(rollout, &e, len(r.records), r.policy, r.looks[e.Look] > 0); err != nil {
		return err
	}
	for _, b := range e.Blobs {
		if _, known := m.blobs[b.Name]; !known {
			m.blobs[b.Name] = bytes.Clone(b.Data)
		}
	}
	e.Record = bytes.Clone(e.Record)
	r.records = append(r.records, e.Stored)
	r.looks[e.Look] = e.Number
	m.rollouts[rollout] = r
	return nil
}

// Records implements [webhookgate.Store].
func (m *Memory) Records(ctx context.Context, rollout string, from, limit int) ([]webhookgate.Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rollouts[rollout]
	if r == nil || from > len(r.records) {
		return nil, ctx.Err()
	}
	var out []webhookgate.Stored
	for _, s := range r.records[max(from, 1)-1:] {
		if len(out) == limit {
			break
		}
		s.Record = bytes.Clone(s.Record)
		out = append(out, s)
	}
	return out, ctx.Err()
}

// Blob implements [webhookgate.Store].
func (m *Memory) Blob(ctx context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.blobs[name]
	if !ok {
		return nil, missing(name)
	}
	return bytes.Clone(b), ctx.Err()
}

// Bind implements [webhookgate.Store].
func (m *Memory) Bind(ctx context.Context, rollout, owner string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.owners[rollout] == "" {
		m.owners[rollout] = owner
	}
	return m.owners[rollout], ctx.Err()
}

// Ping implements [webhookgate.Store].
func (m *Memory) Ping(ctx context.Context) error { return ctx.Err() }

func missing(name string) error {
	return fmt.Errorf("gatestore: %s: %w", name, webhookgate.ErrNotFound)
}
