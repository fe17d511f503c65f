package stats

// LogStudentTail is for the test against R and mpmath.
var LogStudentTail = logStudentTail
