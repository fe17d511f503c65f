package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	full := flag.Bool("full", false, "ten times the replications")
	seed := flag.Uint64("seed", 1, "seed of the generators")
	flag.Parse()
	size := sizes{looks: 1000, srm: 1000, rollouts: 400, harm: 60}
	if *full {
		size = sizes{looks: 10000, srm: 10000, rollouts: 4000, harm: 600}
	}
	if err := report(os.Stdout, *seed, size); err != nil {
		fmt.Fprintln(os.Stderr, "opchar:", err)
		os.Exit(1)
	}
}

// sizes are the replications of each part.
type sizes struct{ looks, srm, rollouts, harm int }

func report(w io.Writer, seed uint64, n sizes) error {
	p := &printer{w: w}
	p.line("False alarms in %d runs of 200 looks at 2000 new units, no effect, alpha 0.05", n.looks)
	p.line("%-26s %8s %8s %8s %8s", "", "0.0005", "0.005", "0.05", "0.5")
	for _, s := range splits {
		for _, t := range tests {
			cells := make([]any, 0, len(rates))
			for _, rate := range rates {
				f, err := falseAlarms(seed, n.looks, rate, s, t)
				if err != nil {
					return err
				}
				cells = append(cells, percent(f, n.looks))
			}
			p.line("%-10s %-15s %8s %8s %8s %8s", append([]any{s.name, t.name}, cells...)...)
		}
	}

	p.line("")
	p.line("False mismatches in %d runs at 50/50, 1000 new units per look, alpha 0.001", n.srm)
	p.line("%-26s %8s %8s %8s", "looks", "14", "100", "336")
	srm, err := falseMismatches(seed, n.srm)
	if err != nil {
		return err
	}
	for _, r := range srm {
		p.line("%-26s %8s %8s %8s", r.name, percent(r.at[0], n.srm), percent(r.at[1], n.srm), percent(r.at[2], n.srm))
	}

	p.line("")
	p.line("Ever rolled back in %d rollouts without harm, 120 looks, 56 hypotheses", n.rollouts)
	p.line("%-42s %8s %8s", "", "steady", "daily 30%")
	var columns [2][judges]int
	for i, swing := range []float64{0, 0.3} {
		c, err := rollbacks(seed, n.rollouts, scenario{swing: swing})
		if err != nil {
			return err
		}
		columns[i] = c.count
	}
	for j := range judges {
		p.line("%-42s %8s %8s", judgeNames[j], percent(columns[0][j], n.rollouts), percent(columns[1][j], n.rollouts))
	}

	p.line("")
	p.line("Rolled back with harm, %d rollouts each, daily 30%%: share, median hour of detection", n.harm)
	p.line("%-30s %16s %16s", "", "this package", "z, Bonferroni")
	for _, h := range harms {
		c, err := rollbacks(seed, n.harm, h)
		if err != nil {
			return err
		}
		p.line("%-30s %8s %7s %8s %7s", h.name,
			percent(c.count[budgeted], n.harm), c.median(budgeted), percent(c.count[bonferroni], n.harm), c.median(bonferroni))
	}
	return p.err
}

// printer keeps the first error of a sequence of writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func percent(k, n int) string { return fmt.Sprintf("%.1f%%", 100*float64(k)/float64(n)) }
