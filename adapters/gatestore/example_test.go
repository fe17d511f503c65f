package gatestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
)

func ExampleNewMemory() {
	store := gatestore.NewMemory()
	past, err := store.Load(context.Background(), "fraud-v8", "")
	fmt.Println(past.Records, err)
	// Output: 0 <nil>
}

func ExampleOpenBolt() {
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := gatestore.OpenBolt(filepath.Join(dir, "gate.db"), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	ctx := context.Background()
	e := webhookgate.Entry{Stored: webhookgate.Stored{Number: 1, Look: "noon", Record: []byte("{}")}, Policy: "fraud"}
	fmt.Println(store.Append(ctx, "fraud-v8", e))
	fmt.Println(store.Append(ctx, "fraud-v8", e))
	// Output:
	// <nil>
	// gatestore: rollout fraud-v8 has a look "noon": webhookgate: another look was stored meanwhile
}

func ExampleOpenPostgres() {
	db, err := sql.Open("postgres", "postgres://nobody@127.0.0.1:1/gate?sslmode=disable") // nobody listens there
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	_, err = gatestore.OpenPostgres(context.Background(), db)
	fmt.Println(err != nil)
	// Output: true
}
