package stats

// Warning is a caveat that travels with a number: the number is an answer, but
// read it with this in mind. Codes are stable snake_case identifiers that a
// policy may match; messages are for people and may change.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Warning codes shared by several packages.
const (
	WarnSmallExpected  = "expected_below_5"   // a chi-square approximation with a small expected count
	WarnSmallSample    = "small_sample"       // below the size for which the method is recommended
	WarnTies           = "ties"               // ties make the exact method inexact or conservative
	WarnBinned         = "binned"             // computed from cells; the stated bound applies
	WarnDegenerate     = "degenerate"         // constant data or a single class; the method says little
	WarnClipped        = "clipped"            // a value was clipped to the range of the method
	WarnOther          = "other_category"     // part of the mass is in the Other category
	WarnExcluded       = "excluded_values"    // NaN, infinite or out-of-range values were left out
	WarnAsymptotic     = "asymptotic"         // an approximation was used where the exact form is too costly
	WarnUnreliableTail = "unreliable_tail"    // the tail probability is below the method's accuracy
	WarnRepeatedUnits  = "repeated_units"     // units appear in several rows; rows are not independent
	WarnOneSided       = "one_side_has_cells" // a cell is populated on one side only
)
