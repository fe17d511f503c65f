// Package lines reads lines of text without trusting their length.
package lines
