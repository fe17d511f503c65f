package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// The numbers of errors among 10,000 requests of the candidate that lead to each
// verdict.
const (
	goOn     = 100
	wait     = 500
	rollBack = 2000
)

// look is the body of a look at the last hour. More is more of its members.
func look(rollout, id string, candidate int, more string) string {
	end := time.Now().UTC().Truncate(time.Minute)
	window := fmt.Sprintf(`"start": %q, "end": %q`, end.Add(-time.Hour).Format(time.RFC3339), end.Format(time.RFC3339))
	return fmt.Sprintf(`{"rollout": %q, "policy": "fraud", "look": %q, "measurements": [
		{"arm": "baseline", "metric": "errors", %s, "total": 100, "count": 10000},
		{"arm": "candidate", "metric": "errors", %s, "total": %d, "count": 10000}]%s}`, rollout, id, window, window, candidate, more)
}

// post posts a look to a gate.
func post(t *testing.T, url, rollout, id string, candidate int, more string) {
	t.Helper()
	r, err := http.NewRequest("POST", url+"/v1/decide", strings.NewReader(look(rollout, id, candidate, more)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("look %s at %s: %d %s %v", id, rollout, resp.StatusCode, b, err)
	}
}

// brokenStore is a store whose disk has failed.
type brokenStore struct{ webhookgate.Store }

var errDisk = errors.New("input/output error")

func (brokenStore) Load(context.Context, string, string) (webhookgate.Past, error) {
	return webhookgate.Past{}, errDisk
}

func (brokenStore) Bind(context.Context, string, string) (string, error) { return "", errDisk }
