// Package labelfree estimates how well a binary classifier does on rows whose
// labels have not arrived, from the scores alone and a reference window with
// labels:
//
//	[Reference.Expect]      the metrics that calibrated scores lead one to expect
//	[Reference.Threshold]   average thresholded confidence
//	[Reference.Confidence]  difference of confidence
//	[LabelShift]            the mix of the classes, from a confusion matrix
//	[Reweight]              accuracy by segment, in the present mix of the segments
//
// None of them measures anything. Each rests on an assumption that no unlabelled
// data can test, and says in [Result.Blind] what it cannot see: above all a change
// in what a label means, at the same score. An estimate that is good news is
// therefore no evidence of health; one that is bad news is a reason to look.
//
// Scores come as [summary.Scores]: cells of a layout that does not depend on the
// data. What the cells hide is stated in Result.Hidden and is part of the interval.
// Results are the same for the same summaries, in whatever order these were merged;
// there is no randomness.
package labelfree
