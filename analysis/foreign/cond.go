package foreign

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// exprKind is a kind of node of a condition.
type exprKind int8

const (
	opaqueExpr  exprKind = iota // understood by its text only
	orExpr                      // args
	andExpr                     // args
	notExpr                     // one arg
	compareExpr                 // op, two args
	numberExpr                  // num
	boolExpr                    // num is 1 for true
	textExpr                    // text
	pathExpr                    // text, such as result[0].value; # in a predicate
	callExpr                    // text is the function; args
)

// expr is a condition of Argo Rollouts, or a part of one.
type expr struct {
	kind exprKind
	op   string
	text string
	num  float64
	args []*expr
}

var errUnreadable = errors.New("could not be read")

// Limits of a condition that is read.
const (
	maxCondition = 4096
	maxNesting   = 50
)

// parseCondition reads the part of the expression language that conditions use:
// comparisons of results with constants, calls, predicates, and, or, not. What is
// beyond that is opaque or errUnreadable.
func parseCondition(s string) (*expr, error) {
	if len(s) > maxCondition {
		return nil, errUnreadable
	}
	p := &condParser{}
	if !p.scan(s) {
		return nil, errUnreadable
	}
	e := p.or()
	if p.failed || p.pos != len(p.toks) {
		return nil, errUnreadable
	}
	return e, nil
}

// token is a word, number, quoted text or sign.
type token struct {
	kind byte // 'w', 'n', 't' or 's'
	text string
}

type condParser struct {
	toks   []token
	pos    int
	depth  int
	failed bool
}

var condSigns = []string{"&&", "||", "==", "!=", "<=", ">=", "??", "?.", "**", "..", "<", ">", "!", "(", ")", "[", "]", "{", "}", ",", ".", "#", "+", "-", "*", "/", "%", "?", ":", "|"}

func (p *condParser) scan(s string) bool {
	for s != "" {
		c := s[0]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			s = s[1:]
		case c == '"' || c == '\'' || c == '`':
			end := 1
			for end < len(s) && s[end] != c {
				if s[end] == '\\' && c != '`' {
					end++
				}
				end++
			}
			if end >= len(s) {
				return false
			}
			p.toks = append(p.toks, token{'t', s[1:end]})
			s = s[end+1:]
		case c >= '0' && c <= '9' || c == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
			end := 1
			for end < len(s) && (strings.IndexByte("0123456789.eE_xXabcdefABCDF", s[end]) >= 0 || strings.IndexByte("+-", s[end]) >= 0 && strings.IndexByte("eE", s[end-1]) >= 0) {
				end++
			}
			p.toks = append(p.toks, token{'n', s[:end]})
			s = s[end:]
		default:
			end := strings.IndexFunc(s, func(r rune) bool { return r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if end < 0 {
				end = len(s)
			}
			if end > 0 {
				p.toks = append(p.toks, token{'w', s[:end]})
				s = s[end:]
				continue
			}
			i := slices.IndexFunc(condSigns, func(sign string) bool { return strings.HasPrefix(s, sign) })
			if i < 0 {
				return false
			}
			p.toks = append(p.toks, token{'s', condSigns[i]})
			s = s[len(condSigns[i]):]
		}
	}
	return true
}

// next reports whether the next token is one of the signs or words, and takes it.
func (p *condParser) next(texts ...string) bool {
	if p.pos < len(p.toks) && p.toks[p.pos].kind != 't' && slices.Contains(texts, p.toks[p.pos].text) {
		p.pos++
		return true
	}
	return false
}

func (p *condParser) need(sign string) {
	if !p.next(sign) {
		p.failed = true
	}
}

func (p *condParser) or() *expr {
	if p.depth++; p.depth > maxNesting {
		p.failed = true
	}
	defer func() { p.depth-- }()
	if p.failed {
		return &expr{}
	}
	e := p.list(orExpr, p.and, "||", "or")
	if p.next("?") { // a choice
		a := p.or()
		p.need(":")
		return &expr{args: []*expr{e, a, p.or()}}
	}
	return e
}

func (p *condParser) and() *expr { return p.list(andExpr, p.not, "&&", "and") }

func (p *condParser) list(kind exprKind, item func() *expr, words ...string) *expr {
	e := item()
	for p.next(words...) {
		if e.kind != kind {
			e = &expr{kind: kind, args: []*expr{e}}
		}
		e = &expr{kind: kind, args: append(e.args, item())}
	}
	return e
}

func (p *condParser) not() *expr {
	if p.next("!", "not") {
		if p.depth++; p.depth > maxNesting {
			p.failed = true
			return &expr{}
		}
		defer func() { p.depth-- }()
		return &expr{kind: notExpr, args: []*expr{p.not()}}
	}
	return p.compare()
}

var compareOps = []string{"==", "!=", "<=", ">=", "<", ">"}

func (p *condParser) compare() *expr {
	left := p.sum()
	if p.pos < len(p.toks) {
		op := p.toks[p.pos].text
		switch {
		case p.next(compareOps...):
			return &expr{kind: compareExpr, op: op, args: []*expr{left, p.sum()}}
		case p.next("in", "matches", "contains", "startsWith", "endsWith"):
			return &expr{args: []*expr{left, p.sum()}}
		}
	}
	return left
}

// sum reads arithmetic, of which only the parts are kept.
func (p *condParser) sum() *expr {
	e := p.value()
	for p.next("+", "-", "*", "/", "%", "**", "??", "..", "|") {
		e = &expr{args: []*expr{e, p.value()}}
	}
	return e
}

func (p *condParser) value() *expr {
	if p.failed || p.pos >= len(p.toks) {
		p.failed = true
		return &expr{}
	}
	t := p.toks[p.pos]
	p.pos++
	switch {
	case t.kind == 't':
		return &expr{kind: textExpr, text: t.text}
	case t.kind == 'n':
		return p.numeral(t.text)
	case t.kind == 'w':
		return p.word(t.text)
	}
	switch t.text {
	case "-", "+":
		if p.pos < len(p.toks) && p.toks[p.pos].kind == 'n' {
			p.pos++
			e := p.numeral(p.toks[p.pos-1].text)
			if t.text == "-" {
				e.num = -e.num
			}
			return e
		}
		p.failed = true
	case "(":
		e := p.or()
		p.need(")")
		return p.path(e, e.kind == pathExpr)
	case "{": // a predicate
		e := p.or()
		p.need("}")
		return e
	case "#":
		return p.path(&expr{kind: pathExpr, text: "#"}, true)
	case ".":
		p.pos--
		return p.path(&expr{kind: pathExpr, text: "#"}, true)
	default:
		p.failed = true
	}
	return &expr{}
}

func (p *condParser) numeral(text string) *expr {
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil || strings.ContainsAny(text, "xX") {
		p.failed = true
	}
	return &expr{kind: numberExpr, num: v}
}

func (p *condParser) word(w string) *expr {
	switch w {
	case "true":
		return &expr{kind: boolExpr, num: 1}
	case "false":
		return &expr{kind: boolExpr}
	case "nil", "null":
		return &expr{kind: opaqueExpr, text: "nil"}
	case "and", "or", "not", "in", "let":
		p.failed = true
		return &expr{}
	}
	if p.next("(") {
		return p.path(p.call(w), false)
	}
	return p.path(&expr{kind: pathExpr, text: w}, true)
}

// call reads the arguments of a function.
func (p *condParser) call(name string) *expr {
	e := &expr{kind: callExpr, text: name}
	for !p.next(")") {
		if len(e.args) > 0 {
			p.need(",")
		}
		if e.args = append(e.args, p.or()); p.failed {
			break
		}
	}
	return e
}

// path reads what is taken out of a value. Out of another than a path it is
// opaque.
func (p *condParser) path(e *expr, path bool) *expr {
	text := e.text
	for !p.failed {
		switch {
		case p.next(".", "?."):
			if p.pos >= len(p.toks) || p.toks[p.pos].kind == 't' || p.toks[p.pos].kind == 's' {
				p.failed = true
				return e
			}
			text += "." + p.toks[p.pos].text
			p.pos++
			if p.next("(") {
				return p.path(&expr{args: append([]*expr{e}, p.call("").args...)}, false)
			}
		case p.next("["):
			i := p.or()
			switch {
			case i.kind == numberExpr:
				text += "[" + formatFloat(i.num) + "]"
			case i.kind == textExpr:
				text += "." + i.text
			default: // an index that is computed, or a piece
				path = false
			}
			if p.next(":") {
				path = false
				if !p.next("]") {
					p.or()
					p.need("]")
				}
				continue
			}
			p.need("]")
		default:
			if text == e.text && path == (e.kind == pathExpr) {
				return e
			}
			if !path {
				return &expr{args: []*expr{e}}
			}
			return &expr{kind: pathExpr, text: text}
		}
	}
	return e
}

// walk calls f for every node.
func (e *expr) walk(f func(*expr)) {
	if e == nil {
		return
	}
	f(e)
	for _, a := range e.args {
		a.walk(f)
	}
}

// root is the name that a path starts with.
func (e *expr) root() string {
	if i := strings.IndexAny(e.text, ".["); i >= 0 {
		return e.text[:i]
	}
	return e.text
}
