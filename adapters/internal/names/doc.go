// Package names turns the texts of a column into codes of an [analysis.Dict], for
// sources that have a text in each row.
package names
