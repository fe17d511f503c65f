package main

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/rampguard/rampguard/adapters/parquetrows"
)

// progress shows how far reading an arm has come, if anybody is watching.
type progress struct {
	mu   sync.Mutex
	name string
	bar  *progressbar.ProgressBar
	out  io.Writer
}

// newProgress returns a progress bar on stderr, or a silent one when stderr is
// not a terminal.
func newProgress(name string, stderr io.Writer, quiet bool) *progress {
	p := &progress{name: name}
	if f, ok := stderr.(*os.File); ok && !quiet && term.IsTerminal(int(f.Fd())) {
		p.out = f
	}
	return p
}

// rows and bytes are called from several goroutines.
func (p *progress) rows(u parquetrows.Progress) { p.advance(u.Rows, u.TotalRows, "rows") }

// bytes is for logs that do not say how many rows they hold.
func (p *progress) bytes(done, total int64) { p.advance(done, total, "bytes") }

func (p *progress) advance(done, total int64, unit string) {
	if p.out == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.out),
			progressbar.OptionSetDescription(p.name),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(unit),
			progressbar.OptionClearOnFinish(),
		)
	}
	_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
}

func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
