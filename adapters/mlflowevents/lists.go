package mlflowevents

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// List is all items of a search, page after page.
type List[T any] struct {
	Items []T

	// Cut says that the server gave one full page and no token: an old server,
	// or a list that ends there.
	Cut bool
}

// RegisteredModels lists the models of the registry with their aliases, or the
// one with the name.
//
// Errors: an [Error]; [stats.ErrDomain] for a name that no filter can hold.
func (c *Client) RegisteredModels(ctx context.Context, name string) (List[RegisteredModel], error) {
	filter, err := nameFilter(name)
	if err != nil {
		return List[RegisteredModel]{}, err
	}
	return pages(ctx, c, "registered-models/search", filter, func(p *answer) []RegisteredModel { return p.Models })
}

// ModelVersions lists the versions of a model, or of all models for the name "".
//
// Errors: an [Error]; [stats.ErrDomain] for a name that no filter can hold.
func (c *Client) ModelVersions(ctx context.Context, name string) (List[ModelVersion], error) {
	filter, err := nameFilter(name)
	if err != nil {
		return List[ModelVersion]{}, err
	}
	return pages(ctx, c, "model-versions/search", filter, func(p *answer) []ModelVersion { return p.Versions })
}

// GetRun reads the metadata of a run.
//
// Errors: an [Error].
func (c *Client) GetRun(ctx context.Context, runID string) (Run, error) {
	const path = "runs/get"
	var got struct {
		Run struct {
			Info Run `json:"info"`
		} `json:"run"`
	}
	if err := c.get(ctx, path, url.Values{"run_id": {runID}}, &got); err != nil {
		return Run{}, err
	}
	if got.Run.Info.ID != runID {
		return Run{}, &Error{Method: "GET", Path: apiPath + path, Status: 200,
			Err: fmt.Errorf("another run than was asked for: %w", ErrAnswer)}
	}
	return got.Run.Info, nil
}

func nameFilter(name string) (string, error) {
	switch {
	case name == "":
		return "", nil
	case !strings.Contains(name, "'"):
		return "name='" + name + "'", nil
	case !strings.Contains(name, `"`):
		return `name="` + name + `"`, nil
	}
	return "", fmt.Errorf("mlflowevents: model name %q holds both quotes: %w", shorten(name, maxValue), stats.ErrDomain)
}

type answer struct {
	Models   []RegisteredModel `json:"registered_models"`
	Versions []ModelVersion    `json:"model_versions"`
	Next     string            `json:"next_page_token"`
}

// maxPages ends lists whose pages are empty and whose tokens are ever new.
const maxPages = 100_000

func pages[T any](ctx context.Context, c *Client, path, filter string, pick func(*answer) []T) (List[T], error) {
	var out List[T]
	fail := func(err error) (List[T], error) {
		return List[T]{}, &Error{Method: "GET", Path: apiPath + path, Status: 200, Err: err}
	}
	query := url.Values{"max_results": {strconv.Itoa(c.page)}}
	if filter != "" {
		query.Set("filter", filter)
	}
	seen := map[string]bool{}
	for n := 1; n <= maxPages; n++ {
		var a answer
		if err := c.get(ctx, path, query, &a); err != nil {
			return List[T]{}, err
		}
		items := pick(&a)
		out.Items = append(out.Items, items...)
		switch {
		case len(out.Items) > c.items:
			return fail(fmt.Errorf("above %d items: %w", c.items, ErrTooLarge))
		case a.Next == "":
			out.Cut = n == 1 && len(items) >= c.page
			return out, nil
		case seen[a.Next]:
			return fail(fmt.Errorf("page %d: %w", n, ErrPaging))
		}
		seen[a.Next] = true
		query.Set("page_token", a.Next)
	}
	return fail(fmt.Errorf("after %d pages: %w", maxPages, ErrPaging))
}
