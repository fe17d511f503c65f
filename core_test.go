package rampguard_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A controller that imports the core links no platform: no Prometheus client, no
// Arrow, no Parquet, no Kubernetes, no database, no cgo of ours, and of third
// parties only those named here.
func TestCoreLinksNoPlatform(t *testing.T) {
	core := []string{"./analysis", "./analysis/checks", "./drift", "./stats", "./stats/summary", "./stats/sequential", "./stats/calibration", "./sla", "./leadtime"}
	allowed := []string{module, "gonum.org/v1/gonum", "go.yaml.in/yaml/v3"}
	args := append([]string{"list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{len .CgoFiles}}{{end}}"}, core...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		path, cgo, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		seen++
		known := false
		for _, a := range allowed {
			known = known || path == a || strings.HasPrefix(path, a+"/")
		}
		if !known {
			t.Errorf("the core links %s", path)
		}
		if cgo != "0" {
			t.Errorf("%s needs cgo", path)
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages listed", seen)
	}
}
