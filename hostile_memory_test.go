package rampguard_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// hostileLimit bounds the memory of a process that collects and decides, in MiB.
const hostileLimit = 300

// hostileSoft is the soft limit under which the process runs: what it needs lies
// below, and the garbage collector sees to the rest.
const hostileSoft = "250MiB"

// hostileNamesMany is the number of names of the column c00, and of the labels of a
// multiclass task.
const hostileNamesMany = 1_000_000

// A million names in a column that is a feature, a slice, a part of crosses, and
// searched for slices, beside 63 more columns, take a bounded amount of memory,
// however many rows there are: RAMPGUARD_HOSTILE_ROWS asks for more in each arm than
// the usual ones.
func TestHostileMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a process of its own for each task")
	}
	for _, task := range hostileTasks {
		t.Run(task, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestHostileChild$")
			cmd.Env = append(os.Environ(), "RAMPGUARD_HOSTILE_TASK="+task, "GOMEMLIMIT="+hostileSoft)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			first, _, _ := strings.Cut(string(out), "\n")
			var mib int64
			if _, err := fmt.Sscanf(first, "%d MiB", &mib); err != nil {
				t.Skipf("the process does not tell its memory: %s", out)
			}
			t.Logf("%v of processor time: %s", cmd.ProcessState.UserTime(), first)
			if mib >= hostileLimit {
				t.Errorf("%d MiB, want less than %d", mib, hostileLimit)
			}
		})
	}
}

// TestHostileChild is the process that TestHostileMemory starts.
func TestHostileChild(t *testing.T) {
	task := os.Getenv("RAMPGUARD_HOSTILE_TASK")
	if task == "" {
		t.Skip("started by TestHostileMemory only")
	}
	rows := 100_000
	if s := os.Getenv("RAMPGUARD_HOSTILE_ROWS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rows = n
	}
	p := hostilePolicy(t, task)
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	names := spec.Names()
	many := manyNames(hostileNamesMany)
	const block = 1 << 13
	arm := func(first int64) *analysis.Snapshot {
		c := hostileCollector(t, p)
		l := soundLog(task, block, uint64(first)+1, first)
		r := rand.New(rand.NewPCG(uint64(first), 2))
		for done := 0; done < rows; done += block {
			id, c00, label := l.cols["id"], l.cols["c00"], l.cols["label"]
			if c00.Dict != many {
				c00.Dict = many
			}
			for i := range block {
				id.Ints[i] = first + int64(done+i)
				c00.Codes[i] = int32((done + i) * 5 % hostileNamesMany)
				if task == "multiclass" {
					label.Codes[i] = int32(r.IntN(hostileNamesMany))
				}
			}
			l.cols["c00"] = c00
			if task == "multiclass" {
				label.Dict = many
				l.cols["label"] = label
			}
			if err := c.Add(l.batch(names, 0, min(block, rows-done), false)); err != nil {
				t.Fatal(err)
			}
		}
		s, err := c.Take()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	v, err := p.Evaluate(hostileLook(p, arm(0), arm(1<<40), nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%d MiB at most: %d rows in each arm, %v, a verdict of %d bytes\n", highWater(t)>>20, rows, v.Decision, len(text))
}

// highWater is the most memory that this process has had at once, in bytes. What the
// system tells of an ended process counts the one that started it, too.
func highWater(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("this system does not tell the memory of a process: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM in /proc/self/status")
	return 0
}
