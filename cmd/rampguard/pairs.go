package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
)

// pairOptions are the flags of check that bring pairs.
type pairOptions struct {
	logs   []string
	join   bool
	joinBy string
	memory int64 // MiB
}

// wanted reports whether any of the flags asks for pairs.
func (o *pairOptions) wanted() bool { return len(o.logs) > 0 || o.join || o.joinBy != "" }

// pairSpec is what has to be collected of pairs for all the policies: what the first
// wants, with the thresholds and slices of those that pair the same columns.
func pairSpec(policies []*analysis.Policy) (*analysis.PairSpec, error) {
	var union *analysis.PairSpec
	for i, p := range policies {
		s, err := p.PairSpec()
		switch {
		case err != nil:
			return nil, err
		case s == nil && i == 0:
			return nil, nil
		case i == 0:
			union = s
		case s != nil && s.Task == union.Task && s.Baseline == union.Baseline && s.Candidate == union.Candidate:
			union.BaselineCuts = append(slices.Clone(union.BaselineCuts), s.BaselineCuts...)
			union.CandidateCuts = append(slices.Clone(union.CandidateCuts), s.CandidateCuts...)
			union.Slices = append(slices.Clone(union.Slices), s.Slices...)
		}
	}
	if union == nil {
		return nil, nil
	}
	return analysis.NewPairSpec(*union)
}

// collectPairs brings the pairs of the look, with labels of requests served before
// a time, or says how to give them when the policy looks at some.
func (o *checkOptions) collectPairs(ctx context.Context, l *look, policies []*analysis.Policy, matureBefore time.Time, stderr io.Writer) error {
	spec, err := pairSpec(policies)
	if err != nil {
		return err
	}
	p := &o.pairs
	switch {
	case !p.wanted() && spec == nil:
		return nil
	case !p.wanted():
		_, err := fmt.Fprintln(stderr, "rampguard: note: the policy looks at pairs and none are given: name a log that has both scores in each row with --pairs FILE, or let --join make pairs of the two logs")
		return err
	case spec == nil:
		return fmt.Errorf("%s has no section pairs, which says where the two scores are; add pairs: {baseline: COLUMN, candidate: COLUMN} or leave out --pairs and --join", o.policy)
	case len(p.logs) > 0 && (p.join || p.joinBy != ""):
		return errors.New("--pairs and --join exclude each other: the same requests would count twice")
	case p.memory < 1:
		return fmt.Errorf("--join-memory %d: give 1 MiB at least", p.memory)
	}
	options := pairjoin.Options{ID: p.joinBy, MemoryLimit: p.memory << 20, MatureBefore: matureBefore}
	if len(p.logs) > 0 {
		if l.pairs, err = o.readPairs(ctx, spec, options, stderr); err != nil {
			return fmt.Errorf("--pairs: %w", err)
		}
		l.pairNote = excluded(l.pairs)
		return o.noteArms(policies, stderr)
	}
	if err := o.joinLogs(ctx, l, spec, options, stderr); err != nil {
		return fmt.Errorf("--join: %w", err)
	}
	return nil
}

// noteArms names the checks that pairs alone keep waiting.
func (o *checkOptions) noteArms(policies []*analysis.Policy, stderr io.Writer) error {
	if len(o.baseline)+len(o.candidate) > 0 || len(policies) == 0 {
		return nil
	}
	var names []string
	for _, e := range policies[0].Checks {
		if _, ok := e.Check.(analysis.PairUser); !ok && e.Required && !e.Muted {
			names = append(names, e.Check.Name())
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(stderr, "rampguard: note: %s: these checks look at the logs of two arms, which are not given, and the rollout waits for them: give --baseline and --candidate, or set required: false on them\n", strings.Join(names, ", "))
	return err
}

// readPairs adds up logs with both scores in each row, and stored pairs.
func (o *checkOptions) readPairs(ctx context.Context, spec *analysis.PairSpec, options pairjoin.Options, stderr io.Writer) (*analysis.PairSnapshot, error) {
	paths, err := expand(o.pairs.logs)
	if err != nil {
		return nil, err
	}
	var parts []*analysis.PairSnapshot
	var logs []string
	seen := map[string]string{}
	for _, path := range paths {
		if first, twice := seen[filepath.Clean(path)]; twice {
			return nil, fmt.Errorf("%s and %s are one file, which would count twice; leave one out", first, path)
		}
		seen[filepath.Clean(path)] = path
		if filepath.Ext(path) != ".snapshot" {
			logs = append(logs, path)
			continue
		}
		s, err := readPairSnapshot(path)
		if err != nil {
			return nil, err
		}
		digest, err := s.Digest()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if first, twice := seen[digest]; twice && s.RowCount > 0 {
			return nil, fmt.Errorf("%s and %s hold the same pairs, which would count twice; leave one out", first, path)
		}
		seen[digest] = path
		parts = append(parts, s)
	}
	if len(logs) > 0 {
		rows, err := o.rowsOf("log of pairs", spec.Spec(), logs, stderr)
		if err != nil {
			return nil, err
		}
		s, err := pairjoin.Collect(ctx, spec, rows, options)
		if err = errors.Join(err, rows.Close()); err != nil {
			return nil, err
		}
		if s.RowCount == 0 {
			return nil, fmt.Errorf("%s has no rows", strings.Join(logs, ", "))
		}
		parts = append(parts, s)
	}
	return analysis.MergePairSnapshots(parts...)
}

func readPairSnapshot(path string) (*analysis.PairSnapshot, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := new(analysis.PairSnapshot)
	if err := s.UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// joinLogs makes pairs of the logs of the two arms.
func (o *checkOptions) joinLogs(ctx context.Context, l *look, spec *analysis.PairSpec, options pairjoin.Options, stderr io.Writer) (err error) {
	score := l.policy.Columns.Score
	switch {
	case len(o.baseline) == 0 || len(o.candidate) == 0:
		return errors.New("there are no two logs to join; give --baseline and --candidate, as logs and not as snapshots")
	case score == "":
		return fmt.Errorf("%s does not say in which column of the two logs the score is; add it under columns", o.policy)
	}
	s, err := pairjoin.LogSpec(spec, score, options.ID)
	if err != nil {
		return err
	}
	var logs [2]pairjoin.Log
	for i, arm := range []struct {
		name     string
		patterns []string
	}{{"baseline", o.baseline}, {"candidate", o.candidate}} {
		paths, failed := expand(arm.patterns)
		if failed != nil {
			return failed
		}
		rows, failed := o.rowsOf("log of the "+arm.name, s, paths, stderr)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, rows.Close()) }() // the named result
		logs[i] = pairjoin.Log{Spec: s, Rows: rows}
	}
	r, err := pairjoin.Join(ctx, logs[0], logs[1], spec, options)
	if err != nil {
		return err
	}
	l.pairs, l.pairNote = r.Pairs, leftOut(r)
	return nil
}

// rowsOf opens the files of one log.
func (o *checkOptions) rowsOf(name string, spec *analysis.Spec, paths []string, stderr io.Writer) (*pairjoin.Files, error) {
	for _, path := range paths {
		if formatOf(path) == formatArrow {
			return nil, fmt.Errorf("%s is %s, and pairs are read from Parquet, CSV and JSON Lines; write the %s in one of those", path, formatArrow, name)
		}
	}
	parquet := pairjoin.Parquet(spec)
	return pairjoin.NewFiles(func(path string) (pairjoin.File, error) {
		if formatOf(path) == formatParquet {
			return parquet(path)
		}
		r, err := csvrows.Open(path, spec, csvrows.Options{MaxBad: o.maxBad, KeepBad: 10})
		if err != nil {
			return nil, err
		}
		return &textLog{Reader: r, name: name, stderr: stderr}, nil
	}, paths...), nil
}

// textLog is a log that may have bad rows, which it reports when it is closed.
type textLog struct {
	*csvrows.Reader
	name   string
	stderr io.Writer
}

func (t *textLog) Close() error {
	n, rows := t.Bad()
	var err error
	if n > 0 {
		_, err = fmt.Fprintf(t.stderr, "rampguard: warning: %d rows of the %s could not be read and are in no pair:\n", n, t.name)
	}
	for _, b := range rows {
		_, e := fmt.Fprintf(t.stderr, "  %v\n", b)
		err = errors.Join(err, e)
	}
	return errors.Join(err, t.Reader.Close())
}

// leftOut says what a join has left out, or nothing when that is nothing.
func leftOut(r *pairjoin.Result) string {
	b, c := r.Baseline, r.Candidate
	var parts []string
	for _, p := range []struct {
		b, c uint64
		what string
	}{
		{b.Only, c.Only, "with an id that the other log does not have"},
		{b.Duplicate, c.Duplicate, "with an id that is there more than once"},
		{b.NoID, c.NoID, "without an id"},
	} {
		if p.b+p.c > 0 {
			parts = append(parts, fmt.Sprintf("%s of the baseline and %s of the candidate %s", plural(p.b, "row"), group(p.c), p.what))
		}
	}
	var text string
	if len(parts) > 0 {
		text = fmt.Sprintf("%s came of %s of the baseline and %s of the candidate. Left out: %s.", plural(r.Pairs.RowCount, "pair"), plural(b.Rows, "row"), group(c.Rows), strings.Join(parts, "; "))
	}
	if r.LabelConflicts > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s In %s the two logs have different labels, which do not count.", text, plural(r.LabelConflicts, "pair")))
	}
	return text
}

// excluded says what was left out of stored pairs, or nothing.
func excluded(s *analysis.PairSnapshot) string {
	if s.OnlyBaseline+s.OnlyCandidate+s.DuplicateBaseline+s.DuplicateCandidate == 0 {
		return ""
	}
	return fmt.Sprintf("Beside %s there are %s of the baseline and %s of the candidate without a partner, and %s and %s with an id that is there more than once.",
		plural(s.RowCount, "pair"), plural(s.OnlyBaseline, "row"), group(s.OnlyCandidate), group(s.DuplicateBaseline), group(s.DuplicateCandidate))
}

// withNote adds a note on the pairs to a report that people read; beside JSON and XML it goes
// to standard error.
func withNote(write reporter, format, note string, stderr io.Writer) reporter {
	if note == "" {
		return write
	}
	return func(w io.Writer, v *analysis.Verdict) error {
		if err := write(w, v); err != nil {
			return err
		}
		if format == "json" || format == "junit" {
			_, err := fmt.Fprintf(stderr, "rampguard: note: pairs: %s\n", note)
			return err
		}
		_, err := fmt.Fprintf(w, "\nPairs: %s\n", note)
		return err
	}
}
