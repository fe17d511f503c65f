package mlflowevents_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// object is a message of the API as JSON.
type object = map[string]any

// api is testdata/mlflow_api.json.
type api struct {
	Base      string `json:"base"`
	Endpoints []struct {
		RPC     string `json:"rpc"`
		Method  string `json:"method"`
		Path    string `json:"path"`
		Request struct {
			Message    string            `json:"message"`
			Fields     map[string]string `json:"fields"`
			Required   []string          `json:"required"`
			MaxResults struct {
				Default int `json:"default"`
				Most    int `json:"most"`
			} `json:"max_results"`
		} `json:"request"`
		Response map[string]string `json:"response"`
	} `json:"endpoints"`
	Messages map[string]map[string]string `json:"messages"`
	Errors   map[string]int               `json:"errors"`
	Webhook  struct {
		Headers  []string            `json:"headers"`
		Envelope []string            `json:"envelope"`
		Data     map[string][]string `json:"data"`
	} `json:"webhook"`
}

func readAPI(t testing.TB) api {
	t.Helper()
	b, err := os.ReadFile("testdata/mlflow_api.json")
	if err != nil {
		t.Fatal(err)
	}
	var a api
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// fake is a registry that answers as the API definition says and refuses what it
// does not have. It never changes by a request.
type fake struct {
	t   testing.TB
	api api

	mu       sync.Mutex
	models   []object
	versions []object
	runs     map[string]object

	auth     string                                            // the Authorization header it wants
	noTokens bool                                              // an old server: one page, no token
	strings  bool                                              // int64 as decimal strings
	fault    func(w http.ResponseWriter, r *http.Request) bool // true: answered
	calls    []string
}

func newFake(t testing.TB) (*fake, *httptest.Server) {
	t.Helper()
	f := &fake{t: t, api: readAPI(t), runs: map[string]object{}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, s
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.RequestURI())
	fault := f.fault
	f.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.auth != "" && r.Header.Get("Authorization") != f.auth {
		f.refuse(w, "UNAUTHENTICATED", "you sent "+r.Header.Get("Authorization"))
		return
	}
	for _, e := range f.api.Endpoints {
		if r.URL.Path != f.api.Base+e.Path {
			continue
		}
		if r.Method != e.Method {
			http.Error(w, "method", http.StatusMethodNotAllowed)
			return
		}
		query := r.URL.Query()
		for name, values := range query {
			kind, ok := e.Request.Fields[name]
			switch {
			case !ok:
				f.refuse(w, "INVALID_PARAMETER_VALUE", e.Request.Message+" has no field "+name)
				return
			case len(values) > 1 && !strings.HasPrefix(kind, "repeated "):
				f.refuse(w, "INVALID_PARAMETER_VALUE", e.Request.Message+"."+name+" is not repeated")
				return
			}
			if kind == "int64" {
				if _, err := strconv.ParseInt(values[0], 10, 64); err != nil {
					f.refuse(w, "INVALID_PARAMETER_VALUE", name+" is no int64")
					return
				}
			}
		}
		for _, name := range e.Request.Required {
			if query.Get(name) == "" {
				f.refuse(w, "INVALID_PARAMETER_VALUE", "Missing value for required parameter '"+name+"'.")
				return
			}
		}
		if e.RPC == "getRun" {
			run, ok := f.runs[query.Get("run_id")]
			if !ok {
				f.refuse(w, "RESOURCE_DOES_NOT_EXIST", "Run with id="+query.Get("run_id")+" not found")
				return
			}
			f.answer(w, e.Response, object{"run": run})
			return
		}
		n, list := e.Request.MaxResults.Default, "registered_models"
		if s := query.Get("max_results"); s != "" {
			n, _ = strconv.Atoi(s)
		}
		if n < 1 || n > e.Request.MaxResults.Most {
			f.refuse(w, "INVALID_PARAMETER_VALUE", fmt.Sprintf("Invalid value for request parameter max_results. It must be at most %d, but got value %d", e.Request.MaxResults.Most, n))
			return
		}
		all := f.models
		if e.RPC == "searchModelVersions" {
			all, list = f.versions, "model_versions"
		}
		f.page(w, e.Response, list, all, query.Get("filter"), query.Get("page_token"), n)
		return
	}
	f.refuse(w, "ENDPOINT_NOT_FOUND", "no such endpoint")
}

// seen are the requests so far.
func (f *fake) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

// page answers one page. Tokens are base64 of an offset, and belong to a search.
func (f *fake) page(w http.ResponseWriter, shape map[string]string, list string, all []object, filter, token string, n int) {
	if filter != "" {
		name, ok := strings.CutPrefix(filter, "name=")
		if !ok || len(name) < 2 || name[0] != name[len(name)-1] || !strings.Contains(`'"`, name[:1]) {
			f.refuse(w, "INVALID_PARAMETER_VALUE", "Invalid filter: "+filter)
			return
		}
		name = name[1 : len(name)-1]
		all = slices.DeleteFunc(slices.Clone(all), func(o object) bool { return o["name"] != name })
	}
	offset := 0
	if token != "" {
		raw, err := base64.StdEncoding.DecodeString(token)
		var at struct {
			Offset int    `json:"offset"`
			Search string `json:"search"`
		}
		if err != nil || json.Unmarshal(raw, &at) != nil || at.Search != list+filter {
			f.refuse(w, "INVALID_PARAMETER_VALUE", "Invalid page token, decoded value=...")
			return
		}
		offset = at.Offset
	}
	end := min(len(all), offset+n)
	out := object{}
	if end > offset { // empty repeated fields are left out
		out[list] = all[offset:end]
	}
	if end < len(all) && !f.noTokens {
		out["next_page_token"] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"offset":%d,"search":%q}`, end, list+filter))
	}
	f.answer(w, shape, out)
}

func (f *fake) refuse(w http.ResponseWriter, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.api.Errors[code])
	_ = json.NewEncoder(w).Encode(object{"error_code": code, "message": message})
}

func (f *fake) answer(w http.ResponseWriter, shape map[string]string, o object) {
	out, err := f.check(shape, o)
	if err != nil {
		f.t.Errorf("the test gave the fake server what no server sends: %v", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// check holds a message against its definition, and writes int64 the way that was
// asked for.
func (f *fake) check(shape map[string]string, o object) (object, error) {
	out := object{}
	for name, v := range o {
		kind, ok := shape[name]
		if !ok {
			return nil, fmt.Errorf("no field %s in %v", name, shape)
		}
		each, repeated := strings.CutPrefix(kind, "repeated ")
		var list []any
		switch v := v.(type) {
		case []object:
			for _, item := range v {
				list = append(list, item)
			}
		case []string:
			for _, item := range v {
				list = append(list, item)
			}
		default:
			list = []any{v}
			if repeated {
				return nil, fmt.Errorf("%s is %T, want %s", name, v, kind)
			}
		}
		for i, item := range list {
			var err error
			if list[i], err = f.value(each, item); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if out[name] = any(list); !repeated {
			out[name] = list[0]
		}
	}
	return out, nil
}

func (f *fake) value(kind string, v any) (any, error) {
	switch v := v.(type) {
	case string:
		if kind == "string" {
			return v, nil
		}
	case int64:
		if kind == "int64" && f.strings {
			return strconv.FormatInt(v, 10), nil
		}
		if kind == "int64" {
			return v, nil
		}
	case object:
		if shape, ok := f.api.Messages[kind]; ok {
			return f.check(shape, v)
		}
	}
	return nil, fmt.Errorf("%T is no %s", v, kind)
}

// What follows puts things into the registry.

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func ms(s string) int64 { return at(s).UnixMilli() }

func (f *fake) model(name string, aliases ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.models = slices.DeleteFunc(f.models, func(o object) bool { return o["name"] == name })
	o := object{"name": name, "creation_timestamp": ms("2025-06-01T00:00:00Z")}
	var list []object
	for _, a := range aliases {
		alias, version, _ := strings.Cut(a, "=")
		list = append(list, object{"alias": alias, "version": version})
	}
	if list != nil {
		o["aliases"] = list
	}
	f.models = append(f.models, o)
}

func (f *fake) version(name, version, created, run string, tags ...string) object {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.versions = slices.DeleteFunc(f.versions, func(o object) bool { return o["name"] == name && o["version"] == version })
	o := object{"name": name, "version": version, "creation_timestamp": ms(created), "last_updated_timestamp": ms(created),
		"current_stage": "None", "status": "READY"}
	if run != "" {
		o["run_id"] = run
	}
	var list []object
	for _, tag := range tags {
		key, value, _ := strings.Cut(tag, "=")
		list = append(list, object{"key": key, "value": value})
	}
	if list != nil {
		o["tags"] = list
	}
	f.versions = append(f.versions, o)
	return o
}

func (f *fake) run(id, status, start, end string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info := object{"run_id": id, "run_uuid": id, "experiment_id": "0", "status": status, "start_time": ms(start), "lifecycle_stage": "active"}
	if end != "" {
		info["end_time"] = ms(end)
	}
	f.runs[id] = object{"info": info, "data": object{"tags": []object{{"key": "mlflow.user", "value": "kim"}}}}
}
