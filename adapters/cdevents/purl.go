package cdevents

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// PURL is a package URL, which names a version of an artifact.
type PURL struct {
	Type       string // lower case: mlflow, oci
	Namespace  string
	Name       string
	Version    string            // empty when it is not stated
	Qualifiers map[string]string // by lower-case key; of mlflow: run_id, model_uuid, repository_url
	Subpath    string
}

// ParsePURL reads a package URL, pkg:type/namespace/name@version?qualifiers#subpath.
// It does not apply what single types ask for, such as lower case in names. Errors
// wrap [ErrMalformed].
//
// Reference: package URL specification, how to parse.
func ParsePURL(s string) (PURL, error) {
	p, err := parsePURL(s)
	if err != nil {
		return PURL{}, fmt.Errorf("cdevents: ParsePURL: %q: %w: %w", clip(s), err, ErrMalformed)
	}
	return p, nil
}

func parsePURL(s string) (p PURL, err error) {
	rest, subpath, _ := cutLast(s, "#")
	rest, qualifiers, _ := cutLast(rest, "?")
	scheme, rest, _ := strings.Cut(rest, ":")
	if !strings.EqualFold(scheme, "pkg") {
		return p, fmt.Errorf("it does not start with pkg")
	}
	kind, rest, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	p.Type = strings.ToLower(kind)
	if p.Type == "" || strings.Trim(p.Type, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || p.Type[0] < 'a' {
		return p, fmt.Errorf("%q is not a type", clip(kind))
	}
	rest, version, _ := cutLast(rest, "@")
	if p.Version, err = plain(version); err != nil {
		return p, err
	}
	rest = strings.Trim(rest, "/")
	namespace, name, there := cutLast(rest, "/")
	if !there {
		namespace, name = "", rest
	}
	if p.Name, err = plain(name); err != nil {
		return p, err
	}
	if p.Name == "" {
		return p, fmt.Errorf("no name")
	}
	if p.Namespace, err = segments(namespace, false); err != nil {
		return p, err
	}
	if p.Subpath, err = segments(subpath, true); err != nil {
		return p, err
	}
	p.Qualifiers, err = qualifiersOf(qualifiers)
	return p, err
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// plain undoes percent-encoding.
func plain(s string) (string, error) {
	s, err := url.PathUnescape(s)
	if err != nil {
		return "", err
	}
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%q is not UTF-8", clip(s))
	}
	return s, nil
}

// segments decodes the parts of a path and joins those that are not empty.
func segments(path string, dots bool) (string, error) {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		s, err := plain(part)
		if err != nil {
			return "", err
		}
		if s != "" && !(dots && (s == "." || s == "..")) {
			out = append(out, s)
		}
	}
	return strings.Join(out, "/"), nil
}

func qualifiersOf(s string) (map[string]string, error) {
	if s == "" {
		return nil, nil
	}
	out := map[string]string{}
	for pair := range strings.SplitSeq(s, "&") {
		key, value, ok := strings.Cut(pair, "=")
		key = strings.ToLower(key)
		if !ok || key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
			return nil, fmt.Errorf("%q is not a qualifier", clip(pair))
		}
		if _, there := out[key]; there {
			return nil, fmt.Errorf("qualifier %q is there twice", clip(key))
		}
		value, err := plain(value)
		if err != nil {
			return nil, err
		}
		if value != "" {
			out[key] = value
		}
	}
	return out, nil
}
