package planning

import (
	"maps"
	"slices"
)

func sortedNames[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
