package summary

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// Kind names a family of histogram layouts.
type Kind uint8

// The layouts. Unset is the layout of an empty zero Histogram, which takes over
// the layout of whatever it is merged with.
const (
	Unset       Kind = iota
	LogLinear        // any finite float64; relative cell width 1/128
	Probability      // [0,1]; log-linear towards 0 and towards 1, 1/2048 wide in the middle
	FrozenEdges      // cells between given edges, open at both ends
	Tally            // the cells of LogLinear, counts only: about half the work of LogLinear
)

// String returns the word used in a layout id.
func (k Kind) String() string {
	switch k {
	case Unset:
		return "unset"
	case LogLinear:
		return "loglinear"
	case Tally:
		return "tally"
	case Probability:
		return "probability"
	case FrozenEdges:
		return "edges"
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Layout says where the cells of a [Histogram] lie. Histograms merge and compare
// only when their layouts have the same [Layout.ID]. The zero Layout is Unset.
type Layout struct {
	kind  Kind
	edges []float64 // FrozenEdges only: strictly increasing, finite
	table *edgeTable
}

// NewLayout returns the layout of the given kind that needs no edges:
// LogLinear, Tally or Probability. Any other kind is an error wrapping
// [stats.ErrDomain].
func NewLayout(k Kind) (Layout, error) {
	switch k {
	case LogLinear, Tally, Probability:
		return Layout{kind: k}, nil
	case Unset, FrozenEdges:
	}
	return Layout{}, fmt.Errorf("summary: NewLayout: %v needs more than its kind: %w", k, stats.ErrDomain)
}

// NewEdges returns the layout with len(edges)+1 cells: below the first edge,
// [edges[i], edges[i+1]), and from the last edge up. Edges must be finite and
// strictly increasing, at least 1 and at most 65536 of them; otherwise the error
// wraps [stats.ErrDomain]. The slice is copied; -0 is taken as 0.
func NewEdges(edges ...float64) (Layout, error) {
	if len(edges) == 0 || len(edges) > 1<<16 {
		return Layout{}, fmt.Errorf("summary: NewEdges: %d edges, want 1 to 65536: %w", len(edges), stats.ErrDomain)
	}
	es := slices.Clone(edges)
	for i := range es {
		es[i] += 0 // -0 becomes 0
		if math.IsNaN(es[i]) || math.IsInf(es[i], 0) {
			return Layout{}, fmt.Errorf("summary: NewEdges: edge %d is %v: %w", i, es[i], stats.ErrDomain)
		}
		if i > 0 && !(es[i-1] < es[i]) {
			return Layout{}, fmt.Errorf("summary: NewEdges: edge %d (%v) is not above edge %d (%v): %w", i, es[i], i-1, es[i-1], stats.ErrDomain)
		}
	}
	return Layout{kind: FrozenEdges, edges: es, table: newEdgeTable(es)}, nil
}

// Kind returns the family of the layout.
func (l Layout) Kind() Kind { return l.kind }

// Edges returns a copy of the frozen edges, or nil for the other kinds.
func (l Layout) Edges() []float64 { return slices.Clone(l.edges) }

// ID names the layout: "loglinear/7", "probability/9", or "edges/" with the
// number of edges and the first 12 hex digits of the SHA-256 of their bits.
// Equal ids mean equal cells.
func (l Layout) ID() string {
	switch l.kind {
	case LogLinear, Tally:
		return l.kind.String() + "/" + strconv.Itoa(logLinearBits)
	case Probability:
		return "probability/" + strconv.Itoa(probabilityBits)
	case FrozenEdges:
		var sb strings.Builder
		for _, e := range l.edges {
			fmt.Fprintf(&sb, "%016x", math.Float64bits(e))
		}
		sum := sha256.Sum256([]byte(sb.String()))
		return "edges/" + strconv.Itoa(len(l.edges)) + "/" + hex.EncodeToString(sum[:6])
	case Unset:
	}
	return "unset"
}

func (l Layout) equal(o Layout) bool {
	return l.kind == o.kind && slices.Equal(l.edges, o.edges)
}
