package promquery_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/promquery"
)

// secured serves to whoever brings the header, over TLS.
func secured(t *testing.T, header string) (s *httptest.Server, ca string) {
	t.Helper()
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != header {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, vector(num("1")))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, ca
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAuth(t *testing.T) {
	basic := "Basic dXNlcjpodW50ZXIy" // user:hunter2
	for _, tc := range []struct {
		name, header string
		auth         promquery.Auth
	}{
		{"token", "Bearer " + token, promquery.Auth{Token: token}},
		{"token file", "Bearer " + token, promquery.Auth{TokenFile: secretFile(t, token+"\n")}},
		{"password", basic, promquery.Auth{Username: "user", Password: "hunter2"}},
		{"password file", basic, promquery.Auth{Username: "user", PasswordFile: secretFile(t, "hunter2\n")}},
	} {
		s, ca := secured(t, tc.header)
		c := config(s.URL, ratioOf("errors"))
		c.CAFile, c.Auth = ca, tc.auth
		if e := collect(t, c); len(e.Faults) > 0 {
			t.Errorf("%s: %v", tc.name, e.Faults)
		}
		c.Auth = promquery.Auth{}
		if e := collect(t, c); len(e.Faults) != 2 || !errors.Is(e.Faults[0], promquery.ErrUnauthorized) {
			t.Errorf("%s: without: %v", tc.name, e.Faults)
		}
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	s, _ := secured(t, "")
	_, other := secured(t, "")
	b, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	c := config(s.URL, ratioOf("errors"))
	e := collect(t, c)
	if len(e.Faults) != 2 || !errors.Is(e.Faults[0], promquery.ErrUnavailable) || !strings.Contains(e.Faults[0].Error(), "certificate") {
		t.Errorf("faults %v", e.Faults)
	}
	for name, text := range map[string]string{"empty": "", "no PEM": "hello", "half": string(b[:len(b)/2])} {
		c.CAFile = secretFile(t, text)
		if _, err := promquery.New(c); err == nil || !strings.Contains(err.Error(), "PEM") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.CAFile = "/nonexistent/ca.pem"
	if _, err := promquery.New(c); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestCredentialFiles: what is wrong with a file of credentials is a failure of the
// source, and says no more than its name. A renewed file is taken at once.
func TestCredentialFiles(t *testing.T) {
	s, ca := secured(t, "Bearer "+token)
	path := secretFile(t, "")
	c := config(s.URL, ratioOf("errors"))
	c.CAFile, c.Auth.TokenFile = ca, path
	p, spec := provider(t, c), specOf(t, c)
	for _, tc := range []struct {
		text string
		ok   bool
	}{{"", false}, {"hunter2 hunter2", false}, {"hunter2", false}, {token, true}} {
		if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := p.Collect(t.Context(), spec, promquery.Window{Start: begin}, now)
		if err != nil || (len(e.Faults) == 0) != tc.ok {
			t.Errorf("%q: %v %v", tc.text, err, e.Faults)
		}
		for _, f := range e.Faults {
			if !errors.Is(f, promquery.ErrUnauthorized) || strings.Contains(f.Error(), "hunter2") {
				t.Errorf("%q: %v", tc.text, f)
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	e, err := p.Collect(t.Context(), spec, promquery.Window{Start: begin}, now)
	if err != nil || len(e.Faults) != 2 || !errors.Is(e.Faults[0], promquery.ErrUnauthorized) {
		t.Errorf("removed: %v %v", err, e.Faults)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := config("http://127.0.0.1:1", ratioOf("errors"))
	c.Auth = promquery.Auth{Username: "user", Password: "hunter2"}
	p := provider(t, c)
	for _, v := range []any{c, &c, c.Auth, c.Auth.Password} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(b), fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v)} {
			if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e746572") {
				t.Errorf("%T shows its password: %s", v, text)
			}
		}
	}
	if text := fmt.Sprintf("%+v %#v", p, p); strings.Contains(text, "hunter2") {
		t.Error("the provider shows its password")
	}
}
