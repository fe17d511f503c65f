// Package rowfiles is what the adapters that read rows from files have in common:
// finding the files, sharing them out to workers, progress, and errors that say
// which file is to blame.
package rowfiles
