package webhookgate

import (
	"context"
	"errors"
	"fmt"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Errors of stores; test with errors.Is.
var (
	// ErrConflict says that another look was stored meanwhile: the one to be stored
	// does not follow on the last one, or its id is taken.
	ErrConflict = errors.New("webhookgate: another look was stored meanwhile")
	// ErrNotFound says that the store does not have it.
	ErrNotFound = errors.New("webhookgate: not stored")
)

// Store keeps rollouts. What Append has returned from without an error is there
// after a crash; what it returned from with one may be there. It is called by
// several goroutines, and a store may serve several gates at once.
type Store interface {
	// Load returns what is known of a rollout, nothing of one that was never looked
	// at, and the look with the given id if there is one. The empty id is none.
	Load(ctx context.Context, rollout, look string) (Past, error)
	// Append stores a look with all that it rests on, all or nothing. The error wraps
	// [ErrConflict] unless it is the next one of its rollout and its id is new.
	Append(ctx context.Context, rollout string, e Entry) error
	// Records returns at most limit looks from the given number on, counted from 1.
	Records(ctx context.Context, rollout string, from, limit int) ([]Stored, error)
	// Blob returns what was stored under a name. The error wraps [ErrNotFound] when
	// there is nothing.
	Blob(ctx context.Context, name string) ([]byte, error)
	// Bind notes, for good, whose a rollout is unless that is known, and returns whose
	// it is.
	Bind(ctx context.Context, rollout, owner string) (string, error)
	// Ping reports whether the store can be used.
	Ping(ctx context.Context) error
}

// Past is what a store knows of a rollout.
type Past struct {
	Records int     // looks so far
	Policy  string  // name of its policy; empty before the first look
	Owner   string  // see [Store.Bind]
	Last    []byte  // the last record; nil before the first look
	Look    *Stored // the look that was asked for; nil when it is not known
}

// Stored is a look as it was stored.
type Stored struct {
	Number  int    // in its rollout, counted from 1
	Look    string // its id
	Request string // SHA-256 of the request, in hexadecimal
	Record  []byte // the verdict as JSON
}

// Entry is a look to be stored.
type Entry struct {
	Stored
	Policy string
	Blobs  []Blob // evidence and policies; what is stored already stays
}

// Blob is content under a name made of its digest, such as snapshots/DIGEST.
type Blob struct {
	Name string
	Data []byte
}

func snapshotName(digest string) string { return "snapshots/" + digest }
func pairsName(digest string) string    { return "pairs/" + digest }
func policyName(digest string) string   { return "policies/" + digest }

// LoadSnapshot reads evidence from a store by its digest, for [analysis.Replay].
//
// Errors: [ErrNotFound]; [stats.ErrMismatch] for one that is damaged or another one;
// those of the store.
func LoadSnapshot(ctx context.Context, s Store, digest string) (*analysis.Snapshot, error) {
	b, err := s.Blob(ctx, snapshotName(digest))
	if err != nil {
		return nil, err
	}
	out := new(analysis.Snapshot)
	if err := out.UnmarshalBinary(b); err != nil {
		return nil, err
	}
	if err := named(snapshotName(digest), digest, out); err != nil {
		return nil, err
	}
	return out, nil
}

// LoadPairs reads the evidence of pairs from a store by its digest. The errors are
// those of [LoadSnapshot].
func LoadPairs(ctx context.Context, s Store, digest string) (*analysis.PairSnapshot, error) {
	b, err := s.Blob(ctx, pairsName(digest))
	if err != nil {
		return nil, err
	}
	out := new(analysis.PairSnapshot)
	if err := out.UnmarshalBinary(b); err != nil {
		return nil, err
	}
	if err := named(pairsName(digest), digest, out); err != nil {
		return nil, err
	}
	return out, nil
}

// named checks that a snapshot is the one that its name says.
func named(name, digest string, s snapshot) error {
	have, err := s.Digest()
	if err != nil {
		return err
	}
	if have != digest {
		return fmt.Errorf("webhookgate: %s holds the snapshot %s; restore it from a backup: %w", name, have, stats.ErrMismatch)
	}
	return nil
}

// LoadPolicy reads the canonical form of a policy from a store by its digest.
func LoadPolicy(ctx context.Context, s Store, digest string) ([]byte, error) {
	return s.Blob(ctx, policyName(digest))
}
