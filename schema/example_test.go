package schema_test

import (
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/schema"
)

func ExamplePolicy() {
	var s struct {
		ID    string `json:"$id"`
		Title string `json:"title"`
	}
	err := json.Unmarshal(schema.Policy(), &s)
	fmt.Println(s.ID, err)
	fmt.Println(s.Title)
	// Output:
	// https://github.com/rampguard/rampguard/schema/policy.schema.json <nil>
	// rampguard policy
}
