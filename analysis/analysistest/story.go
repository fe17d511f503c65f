package analysistest

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// Failer is the part of [testing.TB] that this package needs, so that it can run
// inside a property-testing library, too.
type Failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// StoryOptions say how stories are run.
type StoryOptions struct {
	// Registry has the checks that policies in YAML may use, such as
	// checks.Builtin(). Stories with policies in short form do not need it.
	Registry analysis.Registry
}

// RunStories runs the stories in the files of fsys whose names match the pattern,
// as for [fs.Glob]. With a [*testing.T] every story is a subtest. No file and no
// story at all are failures. The language is described at the top of this page.
func RunStories(t Failer, fsys fs.FS, pattern string, o StoryOptions) {
	t.Helper()
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		t.Fatalf("stories %s: %v", pattern, err)
		return
	}
	if len(names) == 0 {
		t.Fatalf("no file matches %s", pattern)
		return
	}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
			return
		}
		stories, err := parseStories(name, string(text))
		if err != nil {
			t.Fatalf("%v", err)
			return
		}
		for _, s := range stories {
			run := func(t Failer) {
				t.Helper()
				if err := s.play(fsys, o); err != nil {
					t.Errorf("%v", err)
				}
			}
			if tt, ok := t.(*testing.T); ok {
				tt.Run(s.name, func(t *testing.T) { run(t) })
			} else {
				run(t)
			}
		}
	}
}

// story is one story of a file.
type story struct {
	file string
	line int
	name string
	why  []string
	body []command // those before the first story of the file included
}

// command is a line of a story with the lines that are indented under it.
type command struct {
	line  int
	words []string
	text  string // the line as written, without indentation
	block []command
	raw   string // the block as written
}

// lineError is a fault in the text of a story.
type lineError struct {
	line int
	msg  string
}

func (e *lineError) Error() string { return e.msg }

func (c *command) errorf(format string, args ...any) error {
	return &lineError{c.line, fmt.Sprintf(format, args...)}
}

// parseStories splits a file into stories. The error names the file and the line.
func parseStories(file, text string) ([]story, error) {
	fail := func(line int, format string, args ...any) ([]story, error) {
		return nil, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...))
	}
	var stories []story
	var shared []command
	into := &shared
	line := 0
	for raw := range strings.Lines(text) {
		line++
		raw = strings.TrimRight(raw, "\r\n")
		trimmed := strings.TrimSpace(raw)
		indented := trimmed != "" && trimmed != raw && (raw[0] == ' ' || raw[0] == '\t')
		if indented {
			if len(*into) == 0 {
				return fail(line, "an indented line belongs to a line above it, and there is none")
			}
			c := &(*into)[len(*into)-1]
			c.raw += strings.Repeat("\n", max(0, line-c.line-1-strings.Count(c.raw, "\n"))) + raw + "\n"
			if strings.HasPrefix(trimmed, "#") {
				continue
			}
			words, err := splitWords(trimmed)
			if err != nil && !c.isRaw() {
				return fail(line, "%v", err)
			}
			if len(words) > 0 {
				c.block = append(c.block, command{line: line, words: words, text: trimmed})
			}
			continue
		}
		if why, ok := strings.CutPrefix(trimmed, "#"); ok {
			if len(stories) > 0 {
				s := &stories[len(stories)-1]
				s.why = append(s.why, strings.TrimSpace(why))
			}
			continue
		}
		if name, ok := strings.CutPrefix(trimmed, "story"); ok && (name == "" || name[0] == ' ') {
			name = strings.TrimSpace(name)
			if name == "" {
				return fail(line, "a story has a name: what it shows, in one sentence")
			}
			for _, s := range stories {
				if s.name == name {
					return fail(line, "the story of line %d has this name, too", s.line)
				}
			}
			stories = append(stories, story{file: file, line: line, name: name})
			s := &stories[len(stories)-1]
			s.body = append(s.body, shared...)
			into = &s.body
			continue
		}
		words, err := splitWords(trimmed)
		if err != nil {
			return fail(line, "%v", err)
		}
		if len(words) == 0 {
			continue
		}
		words[0] = strings.TrimSuffix(words[0], ":")
		*into = append(*into, command{line: line, words: words, text: trimmed})
	}
	if len(stories) == 0 {
		return fail(1, "no story; one begins with a line such as: story no data is not a pass")
	}
	for _, s := range stories {
		if len(s.why) == 0 {
			return fail(s.line, "story %q does not say why it is right; add a comment below its name", s.name)
		}
	}
	return stories, nil
}

// isRaw reports whether the block of the command is the text of a file.
func (c *command) isRaw() bool { return len(c.words) > 1 && c.words[1] == "yaml" }

// splitWords cuts a line at spaces outside of double quotes, which it removes.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	quoted, any := false, false
	end := func() {
		if any {
			words = append(words, word.String())
		}
		word.Reset()
		any = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			word.WriteByte(s[i])
		case c == '"':
			quoted, any = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			end()
		case !quoted && c == '#' && !any:
			return words, nil
		default:
			word.WriteByte(c)
			any = true
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	end()
	return words, nil
}
