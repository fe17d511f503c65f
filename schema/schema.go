package schema

import _ "embed"

//go:embed policy.schema.json
var policy string

// Policy returns the schema of the policy file, in draft 2020-12. A file that
// it refuses is refused by analysis.LoadPolicy with the built-in checks, too;
// the converse does not hold, since the loader also compares values with each
// other.
func Policy() []byte { return []byte(policy) }
