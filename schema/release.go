package schema

import _ "embed"

//go:embed release.schema.json
var release string

// Release returns the schema of the release manifest, in draft 2020-12. A file that
// it refuses is refused by the loader of package release, too; the converse does not
// hold, since the loader also compares values with each other.
func Release() []byte { return []byte(release) }
