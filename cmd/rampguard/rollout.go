package main

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// rollout is a folder that remembers a rollout between runs:
//
//	records/000001.json          the verdicts, in order, each holding the digest of the one before
//	snapshots/DIGEST.snapshot    the evidence that they rest on
//	policies/DIGEST.json         the policies, in canonical form
//
// Evidence and policies are stored under their digests, so nothing is ever
// replaced by something else.
type rollout struct{ dir string }

// evidence is what is stored under its digest: snapshots of arms and of pairs.
type evidence interface {
	encoding.BinaryMarshaler
	Digest() (string, error)
}

func (r rollout) recordPath(n int) string {
	return filepath.Join(r.dir, "records", fmt.Sprintf("%06d.json", n))
}

func (r rollout) snapshotPath(digest string) string {
	return filepath.Join(r.dir, "snapshots", digest+".snapshot")
}

func (r rollout) policyPath(digest string) string {
	return filepath.Join(r.dir, "policies", digest+".json")
}

// some is the number of records, of which there has to be one.
func (r rollout) some() (int, error) {
	n, err := r.count()
	if err == nil && n == 0 {
		err = fmt.Errorf("%s holds no records; make some with: rampguard check --rollout %s", r.dir, r.dir)
	}
	return n, err
}

// count is the number of records. A gap in their numbers is an error.
func (r rollout) count() (int, error) {
	entries, err := os.ReadDir(filepath.Join(r.dir, "records"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		n++
		if want := filepath.Base(r.recordPath(n)); e.Name() != want {
			return 0, fmt.Errorf("%s: there is %s but no %s: a record is missing", r.dir, e.Name(), want)
		}
	}
	return n, nil
}

// last returns the number of records and the last of them, nil when there is none.
func (r rollout) last() (int, *analysis.Verdict, error) {
	n, err := r.count()
	if err != nil || n == 0 {
		return n, nil, err
	}
	v, err := readRecord(r.recordPath(n))
	return n, v, err
}

func readRecord(path string) (*analysis.Verdict, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	v, err := analysis.VerdictFromJSON(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// snapshot reads evidence by its digest.
func (r rollout) snapshot(digest string) (*analysis.Snapshot, error) {
	b, err := os.ReadFile(r.snapshotPath(digest))
	if err != nil {
		return nil, err
	}
	s := new(analysis.Snapshot)
	if err := s.UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("%s: %w", r.snapshotPath(digest), err)
	}
	return s, nil
}

// pairs reads pairs by their digest.
func (r rollout) pairs(digest string) (*analysis.PairSnapshot, error) {
	return readPairSnapshot(r.snapshotPath(digest))
}

// policy reads a policy by its digest.
func (r rollout) policy(digest string) (*analysis.Policy, error) {
	path := r.policyPath(digest)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return analysis.LoadPolicy(path, b, checks.Builtin())
}

// earlier returns the evidence of the stages before the present one, as the last
// record knows them. A new attempt starts without.
func (r rollout) earlier(last *analysis.Verdict, p *analysis.Policy, stage string) ([]analysis.StageEvidence, error) {
	if last == nil || last.State.Candidate != p.Model.Candidate || last.State.Policy != p.Digest {
		return nil, nil
	}
	var out []analysis.StageEvidence
	for _, in := range last.Record.Inputs {
		if in.Stage == stage || in.Stage == "" || !slices.Contains([]string{"baseline", "candidate", "pairs"}, in.Arm) {
			continue
		}
		i := slices.IndexFunc(out, func(e analysis.StageEvidence) bool { return e.Stage == in.Stage })
		if i < 0 {
			out = append(out, analysis.StageEvidence{Stage: in.Stage})
			i = len(out) - 1
		}
		if in.Digest == "" {
			continue
		}
		var err error
		switch in.Arm {
		case "baseline":
			out[i].Baseline, err = r.snapshot(in.Digest)
		case "candidate":
			out[i].Candidate, err = r.snapshot(in.Digest)
		case "pairs":
			out[i].Pairs, err = r.pairs(in.Digest)
		}
		if err != nil {
			return nil, fmt.Errorf("the evidence of stage %s: %w", in.Stage, err)
		}
	}
	return out, nil
}

// store adds a verdict as record n+1, with what it rests on. Another process that
// was faster makes it fail: the verdict then does not follow on the last one.
func (r rollout) store(n int, v *analysis.Verdict, policies map[string][]byte, snapshots []evidence) error {
	for _, d := range []string{"records", "snapshots", "policies"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			return err
		}
	}
	for digest, canonical := range policies {
		if err := writeFile(r.policyPath(digest), canonical); err != nil {
			return err
		}
	}
	for _, s := range snapshots {
		digest, err := s.Digest()
		if err != nil {
			return err
		}
		if _, err := os.Stat(r.snapshotPath(digest)); err == nil {
			continue
		}
		b, err := s.MarshalBinary()
		if err != nil {
			return err
		}
		if err := writeFile(r.snapshotPath(digest), b); err != nil {
			return err
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	path := r.recordPath(n + 1)
	tmp := filepath.Join(r.dir, "records", fmt.Sprintf(".%06d.%d", n+1, os.Getpid()))
	if err := writeFile(tmp, append(b, '\n')); err != nil {
		return err
	}
	err = os.Link(tmp, path) // fails when the name is taken, unlike a rename
	err = errors.Join(err, os.Remove(tmp))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was written meanwhile by another run; run this one again: %w", path, err)
	}
	return err
}
