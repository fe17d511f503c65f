package schema_test

import (
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/schema"
)

func ExampleRelease() {
	var s struct {
		ID    string `json:"$id"`
		Title string `json:"title"`
	}
	err := json.Unmarshal(schema.Release(), &s)
	fmt.Println(s.ID, err)
	fmt.Println(s.Title)
	// Output:
	// https://github.com/rampguard/rampguard/schema/release.schema.json <nil>
	// rampguard release manifest
}
