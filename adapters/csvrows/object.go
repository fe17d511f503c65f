package csvrows

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds objects inside objects.
const maxDepth = 200

var errJSON = errors.New("it is no JSON object")

// object reads JSON objects into one token per key that is asked for.
type object struct {
	keys   map[string]int // places in tokens
	tokens []token
	every  func(key []byte) // called with each key, if it is set

	b    []byte
	at   int
	room []byte // strings with escapes
}

// parse reads the object on a line. The tokens hold until the next call.
func (o *object) parse(b []byte) error {
	clear(o.tokens)
	o.b, o.at = b, 0
	if cap(o.room) < len(b) {
		o.room = make([]byte, 0, 2*len(b))
	}
	o.room = o.room[:0]
	if o.skipSpace(); !o.take('{') {
		return o.wrong()
	}
	if err := o.members(0); err != nil {
		return err
	}
	if o.skipSpace(); o.at < len(b) {
		return fmt.Errorf("something follows the JSON object at byte %d", o.at+1)
	}
	return nil
}

func (o *object) wrong() error {
	if o.at >= len(o.b) {
		return fmt.Errorf("%w: it ends too soon", errJSON)
	}
	return fmt.Errorf("%w: %q at byte %d", errJSON, o.b[o.at], o.at+1)
}

func (o *object) skipSpace() {
	for o.at < len(o.b) {
		switch o.b[o.at] {
		case ' ', '\t', '\r', '\n':
			o.at++
		default:
			return
		}
	}
}

func (o *object) take(c byte) bool {
	if o.at < len(o.b) && o.b[o.at] == c {
		o.at++
		return true
	}
	return false
}

// members reads an object after its brace. Only those of the outermost object
// are of interest.
func (o *object) members(depth int) error {
	if o.skipSpace(); o.take('}') {
		return nil
	}
	for {
		o.skipSpace()
		key, err := o.str()
		if err != nil {
			return err
		}
		if o.skipSpace(); !o.take(':') {
			return o.wrong()
		}
		t, err := o.value(depth + 1)
		if err != nil {
			return err
		}
		if depth == 0 {
			if o.every != nil {
				o.every(key)
			}
			if i, ok := o.keys[string(key)]; ok {
				if o.tokens[i].kind != none {
					return fmt.Errorf("the key %q comes twice", key)
				}
				o.tokens[i] = t
			}
		}
		if o.skipSpace(); o.take('}') {
			return nil
		}
		if !o.take(',') {
			return o.wrong()
		}
	}
}

// value reads any value.
func (o *object) value(depth int) (token, error) {
	if depth > maxDepth {
		return token{}, fmt.Errorf("objects more than %d deep", maxDepth)
	}
	o.skipSpace()
	if o.at >= len(o.b) {
		return token{}, o.wrong()
	}
	begin := o.at
	switch c := o.b[o.at]; {
	case c == '"':
		s, err := o.str()
		return token{text, s}, err
	case c == '{':
		o.at++
		err := o.members(depth)
		return token{nested, o.b[begin:o.at]}, err
	case c == '[':
		o.at++
		err := o.list(depth)
		return token{nested, o.b[begin:o.at]}, err
	case o.word("null"):
		return token{null, nil}, nil
	case o.word("true"), o.word("false"):
		return token{flag, o.b[begin:o.at]}, nil
	case o.word("NaN"), o.word("Infinity"), o.word("-Infinity"): // as Python writes them
		return token{number, o.b[begin:o.at]}, nil
	}
	if err := o.number(); err != nil {
		return token{}, err
	}
	return token{number, o.b[begin:o.at]}, nil
}

func (o *object) word(w string) bool {
	if o.at+len(w) <= len(o.b) && string(o.b[o.at:o.at+len(w)]) == w {
		o.at += len(w)
		return true
	}
	return false
}

// list reads a list after its bracket.
func (o *object) list(depth int) error {
	if o.skipSpace(); o.take(']') {
		return nil
	}
	for {
		if _, err := o.value(depth + 1); err != nil {
			return err
		}
		if o.skipSpace(); o.take(']') {
			return nil
		}
		if !o.take(',') {
			return o.wrong()
		}
	}
}

func (o *object) number() error {
	o.take('-')
	if !o.take('0') && o.digits() == 0 {
		return o.wrong()
	}
	if o.take('.') && o.digits() == 0 {
		return o.wrong()
	}
	if o.take('e') || o.take('E') {
		if !o.take('+') {
			o.take('-')
		}
		if o.digits() == 0 {
			return o.wrong()
		}
	}
	return nil
}

func (o *object) digits() int {
	begin := o.at
	for o.at < len(o.b) && o.b[o.at]-'0' < 10 {
		o.at++
	}
	return o.at - begin
}

// str reads a string.
func (o *object) str() ([]byte, error) {
	if !o.take('"') {
		return nil, o.wrong()
	}
	begin := o.at
	for o.at < len(o.b) {
		switch c := o.b[o.at]; {
		case c == '"':
			o.at++
			return o.b[begin : o.at-1], nil
		case c == '\\':
			return o.escaped(begin)
		case c < ' ':
			return nil, o.wrong()
		}
		o.at++
	}
	return nil, o.wrong()
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads a string that has an escape at the present place.
func (o *object) escaped(begin int) ([]byte, error) {
	start := len(o.room)
	o.room = append(o.room, o.b[begin:o.at]...)
	for o.at < len(o.b) {
		c := o.b[o.at]
		o.at++
		switch {
		case c == '"':
			return o.room[start:], nil
		case c < ' ':
			o.at--
			return nil, o.wrong()
		case c != '\\':
			o.room = append(o.room, c)
			continue
		}
		if o.take('u') {
			r, err := o.unicode()
			if err != nil {
				return nil, err
			}
			o.room = utf8.AppendRune(o.room, r)
			continue
		}
		if o.at >= len(o.b) {
			break
		}
		plain, ok := escapes[o.b[o.at]]
		if !ok {
			return nil, o.wrong()
		}
		o.room = append(o.room, plain)
		o.at++
	}
	return nil, o.wrong()
}

// unicode reads the digits of an escape, and a second escape when it takes two to
// make a character. What makes none becomes U+FFFD.
func (o *object) unicode() (rune, error) {
	r, err := o.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if bytes.HasPrefix(o.b[o.at:], []byte(`\u`)) {
		back := o.at
		o.at += 2
		low, err := o.hex()
		if err != nil {
			return 0, err
		}
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			return both, nil
		}
		o.at = back
	}
	return utf8.RuneError, nil
}

func (o *object) hex() (rune, error) {
	r := rune(0)
	for range 4 {
		if o.at >= len(o.b) {
			return 0, o.wrong()
		}
		c := o.b[o.at]
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, o.wrong()
		}
		r = r<<4 | rune(c)
		o.at++
	}
	return r, nil
}
