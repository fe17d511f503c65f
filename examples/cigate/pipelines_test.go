package cigate_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// script is what a pipeline runs on one machine, without the installation.
type script struct {
	name  string
	steps []string
	env   map[string]string
}

// github reads the steps of the workflow.
func github(t *testing.T) script {
	t.Helper()
	var w struct {
		Env  map[string]string
		Jobs struct {
			Gate struct {
				Steps []struct{ Name, Uses, Run string }
			}
		}
	}
	readYAML(t, ".github/workflows/model-gate.yml", &w)
	s := script{name: "github", env: w.Env}
	for _, step := range w.Jobs.Gate.Steps {
		switch {
		case step.Uses != "":
			if !regexp.MustCompile(`^[a-z-]+/[a-z-]+@v\d+\.\d+\.\d+$`).MatchString(step.Uses) {
				t.Errorf("%s is not pinned to a version", step.Uses)
			}
		case step.Name != "install":
			s.steps = append(s.steps, step.Run)
		}
	}
	return s
}

// gitlab reads the job of the pipeline.
func gitlab(t *testing.T) script {
	t.Helper()
	var w struct {
		Variables map[string]string
		Gate      struct {
			Image     string
			Script    []string
			Artifacts struct {
				When    string
				Reports struct{ JUnit string }
			}
		} `yaml:"model-gate"`
		Promote struct{ Needs []string }
	}
	readYAML(t, ".gitlab-ci.yml", &w)
	if a := w.Gate.Artifacts; a.Reports.JUnit != "verdict.xml" || a.When != "always" {
		t.Errorf("the report of a failed gate is not kept: %+v", a)
	}
	if strings.Join(w.Promote.Needs, " ") != "model-gate" || !regexp.MustCompile(`:\d+\.\d+\.\d+$`).MatchString(w.Gate.Image) {
		t.Errorf("promotion needs %v; the image is %s", w.Promote.Needs, w.Gate.Image)
	}
	return script{name: "gitlab", steps: []string{strings.Join(w.Gate.Script, "\n")}, env: w.Variables}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// place makes a folder as the repository of a model has it after a checkout.
func place(t *testing.T, candidate, policy, overrides string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if overrides == "" {
		b, err := os.ReadFile("overrides.yaml")
		if err != nil {
			t.Fatal(err)
		}
		overrides = string(b)
	}
	for path, content := range map[string][]byte{
		"policy.yaml":    []byte(policy),
		"overrides.yaml": []byte(overrides),
		// gh stands for the client of GitHub, and keeps what it was told.
		"bin/gh": []byte("#!/bin/sh\necho \"gh $*\" >> gh.log\n"),
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, from := range map[string]string{"baseline.parquet": "baseline.parquet", "candidate.parquet": candidate} {
		abs, err := filepath.Abs(flights + from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(abs, filepath.Join(dir, "logs", name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// play runs the steps one after another, as the machine of the pipeline would: with
// the command of this repository, and what a step writes for the next ones.
func (s script) play(t *testing.T, dir, tool string) (status int, log string) {
	t.Helper()
	env := append(os.Environ(), "PATH="+filepath.Dir(tool)+":"+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"),
		"GITHUB_OUTPUT="+filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"),
		"GITHUB_REPOSITORY=acme/models", "SHA=0123abc", "PR=7")
	for k, v := range s.env {
		env = append(env, k+"="+v)
	}
	var out bytes.Buffer
	for i, step := range s.steps {
		b, _ := os.ReadFile(filepath.Join(dir, "output")) // none before the first step
		given := strings.TrimSpace(strings.TrimPrefix(string(b), "status="))
		if s.name == "github" && i == 1 && given == "2" {
			continue // the comment has a condition
		}
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", step)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(env, "STATUS="+given), &out, &out
		if err := cmd.Run(); err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatal(err)
			}
			return exit.ExitCode(), out.String()
		}
	}
	return 0, out.String()
}

func TestPipelinesRun(t *testing.T) {
	for _, needed := range []string{"bash", "go"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("the pipelines cannot be played: %v", err)
		}
	}
	tool := filepath.Join(t.TempDir(), "rampguard")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", tool, "../../cmd/rampguard").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policy := string(b)
	more := strings.Replace(policy, "min_units: 10000", "min_units: 1000000", 1)
	strict := strings.Replace(policy, "warn: 0.1, fail: 0.25, severity: pause", "warn: 0.01, fail: 0.05, severity: rollback", 1)
	accept := fmt.Sprintf(`- {action: accept, check: drift, metric: psi, who: ann, why: "another calibration, agreed", expires: %s}`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	for _, tt := range []struct {
		why, candidate, policy, overrides string
		github, gitlab                    int
		state                             string // of the commit, on GitHub
	}{
		{"sound", "candidate.parquet", policy, "", 0, 0, "success"},
		{"too few rows", "candidate.parquet", more, "", 0, 75, "pending"},
		{"broken", "candidate_broken.parquet", policy, "", 3, 3, "failure"},
		{"harmful", "candidate.parquet", strict, "", 1, 1, "failure"},
		{"harmful, and a person accepts it", "candidate.parquet", strict, accept, 0, 0, "success"},
		{"a policy with a fault", "candidate.parquet", policy + "bugdet: {}\n", "", 2, 2, "error"},
	} {
		for _, s := range []script{github(t), gitlab(t)} {
			t.Run(fmt.Sprintf("%s, %s", tt.why, s.name), func(t *testing.T) {
				dir := place(t, tt.candidate, tt.policy, tt.overrides)
				want := tt.gitlab
				if s.name == "github" {
					want = tt.github
				}
				status, log := s.play(t, dir, tool)
				if status != want || strings.Contains(log, "unknown flag") {
					t.Errorf("exit status %d, want %d\n%s", status, want, log)
				}
				if s.name == "github" {
					told, err := os.ReadFile(filepath.Join(dir, "gh.log"))
					if err != nil || !strings.Contains(string(told), "-f state="+tt.state+" -f context=model-gate") {
						t.Errorf("%v; GitHub was told %q, want the state %s", err, told, tt.state)
					}
				}
				if want == 2 {
					return
				}
				// Both reports are of one and the same verdict.
				junit, err1 := os.ReadFile(filepath.Join(dir, "verdict.xml"))
				page, err2 := os.ReadFile(filepath.Join(dir, "verdict.md"))
				if err := errors.Join(err1, err2); err != nil {
					t.Fatal(err)
				}
				red := strings.Contains(string(junit), "<failure")
				if good := strings.HasPrefix(string(page), "## CONTINUE"); red == good || good != (tt.state == "success") {
					t.Errorf("JUnit has failures: %v; the page begins %.40q", red, page)
				}
			})
		}
	}
}
