package analysis

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// ClassColumn is a class of a multiclass task with the column of its probability.
type ClassColumn struct {
	Class, Column string
}

// readClasses reads columns.classes: {cat: p_cat, dog: p_dog}. Their order is that of
// their names, which decides between equal probabilities.
func readClasses(columns *Params, task Task) []ClassColumn {
	p, ok := columns.Map("classes")
	if !ok {
		return nil
	}
	var out []ClassColumn
	seen := map[string]string{}
	for i := range p.fields {
		class := p.fields[i].name
		column := p.Str(class, "")
		if first, twice := seen[column]; twice && column != "" {
			p.Errorf(class, "column %s already holds the probability of %s", shorten(column), shorten(first))
			continue
		}
		seen[column] = class
		out = append(out, ClassColumn{class, column})
	}
	slices.SortFunc(out, func(a, b ClassColumn) int { return cmp.Compare(a.Class, b.Class) })
	switch {
	case task != Multiclass:
		columns.Errorf("classes", "only a multiclass task has classes; set task: multiclass or remove it")
	case len(out) < 2 || len(out) > maxClasses:
		columns.Errorf("classes", "%d classes; give 2 to %d, each with the column of its probability: {cat: p_cat, dog: p_dog}", len(out), maxClasses)
	default:
		return out
	}
	return nil
}

// Names of the columns that are derived for a multiclass task, beside those that
// the policy names.
const (
	derivedClass      = "predicted class"
	derivedConfidence = "largest probability"
)

// PredictedClass says which column holds the class that the model has chosen: the
// one that the policy names, or one derived as the class of the largest probability,
// whose derivation it returns. The name is empty when the policy has neither.
func (c *Columns) PredictedClass() (name string, derived []DerivedSpec) {
	if c.Prediction != "" || len(c.Classes) == 0 {
		return c.Prediction, nil
	}
	classes, columns := c.classColumns()
	return derivedClass, []DerivedSpec{{Name: derivedClass, Op: Largest, Of: columns, Classes: classes}}
}

// Correct derives whether the predicted class is that of the label. The last of the
// columns is the one asked for, the others are what it is made from. An error
// wrapping [stats.ErrMismatch] says what the policy lacks.
func (c *Columns) Correct() ([]DerivedSpec, error) {
	name, derived := c.PredictedClass()
	if name == "" || c.Label == "" {
		return nil, fmt.Errorf("analysis: Correct: the policy has to name columns.label, and columns.prediction or columns.classes: %w", stats.ErrMismatch)
	}
	return append(derived, DerivedSpec{Name: fmt.Sprintf("%s is %s", name, c.Label), Op: Equal, Of: []string{name, c.Label}}), nil
}

// Confusion derives the label together with the predicted class, the counts of which
// are the confusion matrix, as [Columns.Correct] does.
func (c *Columns) Confusion() ([]DerivedSpec, error) {
	name, derived := c.PredictedClass()
	if name == "" || c.Label == "" {
		return nil, fmt.Errorf("analysis: Confusion: the policy has to name columns.label, and columns.prediction or columns.classes: %w", stats.ErrMismatch)
	}
	return append(derived, DerivedSpec{Name: fmt.Sprintf("%s with %s", c.Label, name), Op: Paired, Of: []string{c.Label, name}}), nil
}

// ClassScore derives the loss of the probabilities of the classes, ClassLoss or
// ClassBrier, as [Columns.Correct] does.
func (c *Columns) ClassScore(op DerivedOp) ([]DerivedSpec, error) {
	if len(c.Classes) == 0 || c.Label == "" {
		return nil, fmt.Errorf("analysis: ClassScore: the policy has to name columns.label and, as columns.classes, the columns of probabilities: %w", stats.ErrMismatch)
	}
	classes, columns := c.classColumns()
	return []DerivedSpec{{Name: fmt.Sprintf("%v of %s", op, c.Label), Op: op, Of: append([]string{c.Label}, columns...), Classes: classes}}, nil
}

// TopLabel derives the probability of the predicted class with whether it was
// right as its outcome, as [Columns.Correct] does: what top-label calibration looks
// at (Gupta and Ramdas 2022, Top-label calibration and multiclass-to-binary
// reductions).
func (c *Columns) TopLabel() ([]DerivedSpec, error) {
	if len(c.Classes) == 0 || c.Prediction != "" {
		return nil, fmt.Errorf("analysis: TopLabel: the policy has to name, as columns.classes, the columns of probabilities, and leave the predicted class to them: %w", stats.ErrMismatch)
	}
	correct, err := c.Correct()
	if err != nil {
		return nil, err
	}
	_, columns := c.classColumns()
	return append(correct, DerivedSpec{Name: derivedConfidence, Op: Max, Of: columns},
		DerivedSpec{Name: "top label", Op: Calibrated, Of: []string{derivedConfidence, correct[len(correct)-1].Name}}), nil
}

func (c *Columns) classColumns() (classes, columns []string) {
	for _, k := range c.Classes {
		classes, columns = append(classes, k.Class), append(columns, k.Column)
	}
	return classes, columns
}
