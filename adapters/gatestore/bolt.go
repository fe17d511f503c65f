package gatestore

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/stats"
)

// Bolt is a store in one file:
//
//	format            "rampguard.gate/v1"
//	blobs/NAME        evidence and policies
//	owners/ROLLOUT    whose a rollout is
//	rollouts/ROLLOUT/
//	  policy          name of the policy
//	  records/NUMBER  the verdicts; the number in 8 bytes, big end first
//	  requests/NUMBER id of the look and digest of the request
//	  looks/ID        NUMBER
type Bolt struct{ db *bolt.DB }

const boltFormat = "rampguard.gate/v1"

var (
	bucketMeta     = []byte("format")
	bucketBlobs    = []byte("blobs")
	bucketOwners   = []byte("owners")
	bucketRollouts = []byte("rollouts")
	bucketRecords  = []byte("records")
	bucketRequests = []byte("requests")
	bucketLooks    = []byte("looks")
	keyPolicy      = []byte("policy")
)

// request is what is stored of a look beside its record.
type request struct {
	Look    string `json:"look"`
	Request string `json:"request,omitempty"`
}

// OpenBolt opens a store, and makes the file if there is none. It waits at most for
// the given time until another process has left the file; 0 is five seconds.
//
// Errors: [stats.ErrMismatch] for a file of another format; those of the file system.
func OpenBolt(path string, wait time.Duration) (*Bolt, error) {
	if wait <= 0 {
		wait = 5 * time.Second
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: wait})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("gatestore: %s is in use by another process: %w", path, err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("gatestore: %s: make the folder first: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("gatestore: %s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketBlobs, bucketOwners, bucketRollouts} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		meta, err := tx.CreateBucketIfNotExists(bucketMeta)
		if err != nil {
			return err
		}
		switch have := meta.Get(bucketMeta); {
		case have == nil:
			return meta.Put(bucketMeta, []byte(boltFormat))
		case string(have) != boltFormat:
			return fmt.Errorf("its format is %q, this program knows %q: %w", have, boltFormat, stats.ErrMismatch)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("gatestore: %s: %w", path, errors.Join(err, db.Close()))
	}
	return &Bolt{db}, nil
}

// Close lets go of the file once all calls have ended.
func (b *Bolt) Close() error { return b.db.Close() }

// during says in which call an error was found.
func during(call string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("gatestore: %s: %w", call, err)
}

func numberKey(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// rolloutOf returns the buckets of a rollout, nil when there is none.
func rolloutOf(tx *bolt.Tx, rollout string) *bolt.Bucket {
	return tx.Bucket(bucketRollouts).Bucket([]byte(rollout))
}

// count is the number of looks.
func count(r *bolt.Bucket) int {
	if r == nil {
		return 0
	}
	k, _ := r.Bucket(bucketRecords).Cursor().Last()
	if len(k) != 8 {
		return 0
	}
	return int(binary.BigEndian.Uint64(k))
}

// stored reads one look.
func stored(r *bolt.Bucket, n int) (webhookgate.Stored, error) {
	s := webhookgate.Stored{Number: n}
	var q request
	if err := json.Unmarshal(r.Bucket(bucketRequests).Get(numberKey(n)), &q); err != nil {
		return s, fmt.Errorf("look %d: %w", n, err)
	}
	s.Look, s.Request = q.Look, q.Request
	s.Record = bytes.Clone(r.Bucket(bucketRecords).Get(numberKey(n)))
	return s, nil
}

// Load implements [webhookgate.Store].
func (b *Bolt) Load(ctx context.Context, rollout, look string) (webhookgate.Past, error) {
	var p webhookgate.Past
	if err := ctx.Err(); err != nil {
		return p, during("Load", err)
	}
	err := b.db.View(func(tx *bolt.Tx) error {
		p.Owner = string(tx.Bucket(bucketOwners).Get([]byte(rollout)))
		r := rolloutOf(tx, rollout)
		if r == nil {
			return nil
		}
		p.Records, p.Policy = count(r), string(r.Get(keyPolicy))
		p.Last = bytes.Clone(r.Bucket(bucketRecords).Get(numberKey(p.Records)))
		if look == "" {
			return nil
		}
		if k := r.Bucket(bucketLooks).Get([]byte(look)); len(k) == 8 {
			s, err := stored(r, int(binary.BigEndian.Uint64(k)))
			p.Look = &s
			return err
		}
		return nil
	})
	return p, during("Load", err)
}

// Append implements [webhookgate.Store]. Looks that come at the same time share a
// transaction.
func (b *Bolt) Append(ctx context.Context, rollout string, e webhookgate.Entry) error {
	if err := check(rollout, &e); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return during("Append", err)
	}
	err := b.db.Batch(func(tx *bolt.Tx) error { return appendTo(tx, rollout, &e) })
	if errors.Is(err, webhookgate.ErrConflict) {
		return err
	}
	return during("Append", err)
}

func appendTo(tx *bolt.Tx, rollout string, e *webhookgate.Entry) error {
	r := rolloutOf(tx, rollout)
	known := r != nil && r.Bucket(bucketLooks).Get([]byte(e.Look)) != nil
	policy := ""
	if r != nil {
		policy = string(r.Get(keyPolicy))
	}
	if err := conflict(rollout, e, count(r), policy, known); err != nil {
		return err
	}
	if r == nil {
		var err error
		if r, err = newRollout(tx, rollout, e.Policy); err != nil {
			return err
		}
	}
	blobs := tx.Bucket(bucketBlobs)
	for _, x := range e.Blobs {
		if blobs.Get([]byte(x.Name)) != nil {
			continue
		}
		if err := blobs.Put([]byte(x.Name), x.Data); err != nil {
			return err
		}
	}
	q, err := json.Marshal(request{e.Look, e.Request})
	if err != nil {
		return err
	}
	n := numberKey(e.Number)
	return errors.Join(
		r.Bucket(bucketRecords).Put(n, e.Record),
		r.Bucket(bucketRequests).Put(n, q),
		r.Bucket(bucketLooks).Put([]byte(e.Look), n),
	)
}

func newRollout(tx *bolt.Tx, rollout, policy string) (*bolt.Bucket, error) {
	r, err := tx.Bucket(bucketRollouts).CreateBucket([]byte(rollout))
	if err != nil {
		return nil, err
	}
	for _, name := range [][]byte{bucketRecords, bucketRequests, bucketLooks} {
		if _, err := r.CreateBucket(name); err != nil {
			return nil, err
		}
	}
	return r, r.Put(keyPolicy, []byte(policy))
}

// Records implements [webhookgate.Store].
func (b *Bolt) Records(ctx context.Context, rollout string, from, limit int) ([]webhookgate.Stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, during("Records", err)
	}
	var out []webhookgate.Stored
	err := b.db.View(func(tx *bolt.Tx) error {
		r := rolloutOf(tx, rollout)
		last := count(r)
		for n := max(from, 1); n <= last && len(out) < limit; n++ {
			s, err := stored(r, n)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, during("Records", err)
}

// Blob implements [webhookgate.Store].
func (b *Bolt) Blob(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, during("Blob", err)
	}
	var out []byte
	err := b.db.View(func(tx *bolt.Tx) error {
		data := tx.Bucket(bucketBlobs).Get([]byte(name))
		out = bytes.Clone(data)
		return nil
	})
	if err == nil && out == nil {
		return nil, missing(name)
	}
	return out, during("Blob", err)
}

// Bind implements [webhookgate.Store].
func (b *Bolt) Bind(ctx context.Context, rollout, owner string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", during("Bind", err)
	}
	have := ""
	err := b.db.View(func(tx *bolt.Tx) error {
		have = string(tx.Bucket(bucketOwners).Get([]byte(rollout)))
		return nil
	})
	if err != nil || have != "" {
		return have, during("Bind", err)
	}
	err = b.db.Batch(func(tx *bolt.Tx) error {
		owners := tx.Bucket(bucketOwners)
		if have = string(owners.Get([]byte(rollout))); have != "" {
			return nil
		}
		have = owner
		return owners.Put([]byte(rollout), []byte(owner))
	})
	return have, during("Bind", err)
}

// Ping implements [webhookgate.Store].
func (b *Bolt) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return during("Ping", err)
	}
	return during("Ping", b.db.View(func(*bolt.Tx) error { return nil }))
}
