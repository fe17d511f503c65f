package rowfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// find returns the files that the patterns match, sorted, each once, also when
// it goes by several names.
func find(adapter string, patterns []string) ([]string, error) {
	if len(patterns) == 0 {
		return nil, fmt.Errorf("%s: no pattern given: %w", adapter, ErrNoFiles)
	}
	var paths []string
	for _, p := range patterns {
		more, err := match(p)
		if err != nil {
			return nil, in(adapter, p, err)
		}
		paths = append(paths, more...)
	}
	slices.Sort(paths)
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(p string) bool {
		id := p
		if abs, err := filepath.Abs(p); err == nil {
			id = abs
		}
		if target, err := filepath.EvalSymlinks(id); err == nil {
			id = target
		}
		twice := seen[id]
		seen[id] = true
		return twice
	}), nil
}

func match(pattern string) ([]string, error) {
	if _, err := os.Stat(pattern); err == nil {
		return []string{filepath.Clean(pattern)}, nil
	} else if !strings.ContainsAny(pattern, `*?[`) {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", err, ErrNoFiles)
		}
		return nil, err
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	paths = slices.DeleteFunc(paths, func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.IsDir()
	})
	if len(paths) == 0 {
		return nil, fmt.Errorf("the pattern matches nothing: %w", ErrNoFiles)
	}
	return paths, nil
}
