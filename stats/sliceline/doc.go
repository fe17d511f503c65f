// Package sliceline finds where a model errs most: the conjunctions of column
// values, such as origin=ATL and hour=23, whose rows have much higher errors than
// all rows and are not too few to matter.
//
// It works on cells, the sums of the rows that agree in every column, and so on
// what shards can add up; it never sees rows. [TopK] searches the lattice of
// slices exactly, with the bounds of SliceLine, and against a baseline model where
// there is one. [Prune] takes out of the list what says the same twice.
// [DivergenceT] and [EffectSize] are the scores of two other methods, for
// comparison and display.
//
// A list of the worst slices is a list of suspects: the best of thousands looks bad
// by chance. Test them on rows that the search has not seen.
//
// # References
//
// Sagadeeva and Boehm, SliceLine: fast, linear-algebra-based slice finding for ML
// model debugging, SIGMOD 2021. Pastor, de Alfaro and Baralis, Looking for trouble:
// analyzing classifier behavior via pattern divergence, SIGMOD 2021. Chung, Kraska,
// Polyzotis, Tae and Whang, Automated data slicing for model validation, IEEE
// Transactions on Knowledge and Data Engineering 32 (2020).
package sliceline
