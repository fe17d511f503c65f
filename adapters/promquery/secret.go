package promquery

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// Secret is a token or a password. However it is printed or encoded it shows as
// [redacted].
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Auth are the credentials of a server: a bearer token or a user with a password,
// each given as it is or as the name of a file. Files are read anew for every
// request, so that credentials which are renewed on disk keep working; white space
// around their content is cut off.
type Auth struct {
	Token        Secret `yaml:"token"`
	TokenFile    string `yaml:"token_file"`
	Username     string `yaml:"username"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`

	// Plaintext allows credentials over http to another machine.
	Plaintext bool `yaml:"plaintext"`
}

func (a Auth) used() bool {
	return a.Token != "" || a.TokenFile != "" || a.Username != "" || a.Password != "" || a.PasswordFile != ""
}

// fault says why the credentials do not fit together, or nothing.
func (a Auth) fault() string {
	token, basic := a.Token != "" || a.TokenFile != "", a.Username != "" || a.Password != "" || a.PasswordFile != ""
	switch {
	case token && basic:
		return "a token and a user name exclude each other"
	case a.Token != "" && a.TokenFile != "":
		return "token and token_file exclude each other"
	case a.Password != "" && a.PasswordFile != "":
		return "password and password_file exclude each other"
	case basic && a.Username == "":
		return "a password needs a username"
	case strings.Contains(a.Username, ":"):
		return "a username cannot hold a colon"
	case unprintable(string(a.Token)):
		return "the token holds white space or control characters"
	}
	return ""
}

func unprintable(token string) bool {
	return strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// login is what one request is signed with, and what must not be repeated.
type login struct {
	header string
	hide   *strings.Replacer
}

// sign puts the credentials on a request.
func (l login) sign(r *http.Request) {
	if l.header != "" {
		r.Header.Set("Authorization", l.header)
	}
}

// redact takes the credentials out of a text of the server.
func (l login) redact(s string) string {
	if l.hide == nil {
		return s
	}
	return l.hide.Replace(s)
}

// login reads the credentials. The text of an error names the file at most.
func (a Auth) login() (login, error) {
	token, err := a.secret(a.Token, a.TokenFile)
	if err != nil {
		return login{}, err
	}
	if token != "" {
		if unprintable(token) {
			return login{}, fmt.Errorf("%s holds white space or control characters inside the token: %w", a.TokenFile, ErrUnauthorized)
		}
		return login{"Bearer " + token, strings.NewReplacer(token, redacted)}, nil
	}
	if a.Username == "" {
		return login{}, nil
	}
	password, err := a.secret(a.Password, a.PasswordFile)
	if err != nil {
		return login{}, err
	}
	pair := base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + password))
	hide := []string{pair, redacted}
	if password != "" {
		hide = append(hide, password, redacted)
	}
	return login{"Basic " + pair, strings.NewReplacer(hide...)}, nil
}

func (a Auth) secret(s Secret, file string) (string, error) {
	if file == "" {
		return string(s), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%w: %w", err, ErrUnauthorized)
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "", fmt.Errorf("%s is empty: %w", file, ErrUnauthorized)
	}
	return text, nil
}

// checkPlaintext refuses to send credentials where others can read them.
func (c *Config) checkPlaintext(scheme, host string) error {
	if !c.Auth.used() || c.Auth.Plaintext || scheme == "https" || loopback(host) {
		return nil
	}
	return fieldError{"auth", fmt.Errorf("credentials would travel over plain http; use https, or say plaintext: true: %w", stats.ErrDomain)}
}
