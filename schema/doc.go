// Package schema publishes the JSON Schemas of rampguard's files, for editors
// and for programs that write policies. The loaders of package analysis do not
// use them: they check more, and say where a fault is and how to mend it.
package schema
