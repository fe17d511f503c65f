package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// manifests is the folder of what the README of package webhookgate applies.
const manifests = "../../adapters/webhookgate/examples/"

// object is what the tests read of an object of Kubernetes.
type object struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Data     map[string]string
	Spec     struct {
		Replicas int
		Selector yaml.Node
		Strategy struct{ Type string }
		Ports    []struct {
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
		Analysis struct{ Webhooks []webhook }
	}
}

type podSpec struct {
	SecurityContext struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
		RunAsUser    int  `yaml:"runAsUser"`
		FSGroup      int  `yaml:"fsGroup"`
	} `yaml:"securityContext"`
	Containers []struct {
		Args  []string
		Ports []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		StartupProbe    probe `yaml:"startupProbe"`
		ReadinessProbe  probe `yaml:"readinessProbe"`
		LivenessProbe   probe `yaml:"livenessProbe"`
		SecurityContext struct {
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	Volumes []volume
}

type volume struct {
	Name      string
	ConfigMap struct{ Name string } `yaml:"configMap"`
	Secret    struct {
		SecretName string `yaml:"secretName"`
	}
	PersistentVolumeClaim struct {
		ClaimName string `yaml:"claimName"`
	} `yaml:"persistentVolumeClaim"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

type webhook struct {
	Name, Type, URL string
	Retries         int
	Metadata        map[string]string
}

// objects reads the objects of a file by kind.
func objects(t *testing.T, file string) map[string]object {
	t.Helper()
	f, err := os.Open(manifests + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]object{}
	for dec := yaml.NewDecoder(f); ; {
		var o object
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if _, twice := out[o.Kind]; twice || o.Kind == "" || o.Metadata.Name == "" {
			t.Fatalf("%s: kind %q, name %q", file, o.Kind, o.Metadata.Name)
		}
		out[o.Kind] = o
	}
}

// The Deployment starts a gate: with its own arguments, on folders that hold what its
// volumes hold, the command runs, and what probes, Service and Canary name is there.
func TestManifests(t *testing.T) {
	t.Parallel()
	all := objects(t, "rampguard.yaml")
	deployment, service := all["Deployment"], all["Service"]
	pod := deployment.Spec.Template.Spec
	gate := pod.Containers[0]
	if s := pod.SecurityContext; !s.RunAsNonRoot || s.RunAsUser == 0 || s.FSGroup == 0 || !gate.SecurityContext.ReadOnlyRootFilesystem ||
		gate.SecurityContext.AllowPrivilegeEscalation == nil || *gate.SecurityContext.AllowPrivilegeEscalation {
		t.Errorf("the gate has more rights than it needs: %+v %+v", s, gate.SecurityContext)
	}
	if deployment.Spec.Replicas != 1 || deployment.Spec.Strategy.Type != "Recreate" {
		t.Errorf("%d replicas, strategy %s: two processes cannot open one file", deployment.Spec.Replicas, deployment.Spec.Strategy.Type)
	}
	for _, o := range []string{"ConfigMap", "PersistentVolumeClaim", "Deployment", "Service"} {
		if all[o].Metadata.Namespace != all["Namespace"].Metadata.Name {
			t.Errorf("%s is in namespace %q", o, all[o].Metadata.Namespace)
		}
	}
	var selector map[string]string
	if err := service.Spec.Selector.Decode(&selector); err != nil || len(selector) == 0 || selector["app"] != deployment.Spec.Template.Metadata.Labels["app"] {
		t.Errorf("the Service selects %v: %v", selector, err)
	}
	port := gate.Ports[0]
	if service.Spec.Ports[0].TargetPort != port.Name || port.ContainerPort != 8080 || !slices.Contains(gate.Args, "--listen=:8080") {
		t.Errorf("the Service goes to %s, the container has %+v", service.Spec.Ports[0].TargetPort, port)
	}

	dir := t.TempDir()
	args := slices.Clone(gate.Args)
	for _, m := range gate.VolumeMounts {
		at := filepath.Join(dir, m.Name)
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range args {
			args[i] = strings.Replace(args[i], m.MountPath, at, 1)
		}
		v := pod.Volumes[slices.IndexFunc(pod.Volumes, func(v volume) bool { return v.Name == m.Name })]
		files := map[string]string{}
		switch {
		case v.ConfigMap.Name == all["ConfigMap"].Metadata.Name:
			files = all["ConfigMap"].Data
		case v.Secret.SecretName == "rampguard-tokens": // as the README makes it
			files["tokens"] = "flagger " + serveToken + " fraud\n    job 0123456789abcdef-job fraud"
		case v.PersistentVolumeClaim.ClaimName != all["PersistentVolumeClaim"].Metadata.Name || m.ReadOnly:
			t.Errorf("volume %s holds nothing that is there: %+v", m.Name, v)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if args[0] != "serve" || slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "=/") && !strings.Contains(a, dir) }) {
		t.Fatalf("arguments %q name a path outside the volumes, or another command", args)
	}
	s := startServe(t, slices.Concat(args[1:], []string{"--listen=127.0.0.1:0"})...)
	for _, p := range []probe{gate.StartupProbe, gate.ReadinessProbe, gate.LivenessProbe} {
		resp, err := http.Get(s.url + p.HTTPGet.Path) // probes have no token
		if err != nil || resp.StatusCode != http.StatusOK || p.HTTPGet.Port != port.Name {
			t.Fatalf("probe %+v: %v %v", p, resp, err)
		}
		_ = resp.Body.Close()
	}
	checkHooks(t, s, objects(t, "canary.yaml")["Canary"], service)
	if d := objects(t, "workload.yaml")["Deployment"]; d.Metadata.Name != "fraud" || d.Metadata.Namespace != "prod" {
		t.Errorf("the Canary has no Deployment: %+v", d.Metadata)
	}
}

// checkHooks checks that the webhooks of a Canary name the Service, the token and a
// hook of its type, and that a gate that has seen no evidence lets the canary begin
// and take one step.
func checkHooks(t *testing.T, s *gateProcess, canary, service object) {
	t.Helper()
	body := func(m map[string]string) string {
		text := `{"name": "fraud", "namespace": "prod", "phase": "Progressing", "checksum": "1"`
		if first := m["first-step"]; first != "" {
			text += `, "metadata": {"first-step": "` + first + `"}`
		}
		return text + "}"
	}
	want := map[string]int{"confirm-rollout": 200, "pre-rollout": 200, "rollout": 200, "confirm-traffic-increase": 200, "confirm-promotion": 403, "rollback": 403, "post-rollout": 200}
	seen := map[string]bool{}
	for _, h := range canary.Spec.Analysis.Webhooks {
		u, err := url.Parse(h.URL)
		if err != nil {
			t.Fatal(err)
		}
		if password, _ := u.User.Password(); password != "TOKEN" || u.User.Username() != "flagger" || u.Scheme != "http" ||
			u.Host != service.Metadata.Name+"."+service.Metadata.Namespace+":8080" || !strings.HasSuffix(u.Path, "/"+h.Type) || seen[h.Type] {
			t.Errorf("hook %s: %s", h.Type, h.URL)
		}
		if counts := h.Type == "rollout" || h.Type == "pre-rollout"; counts != (h.Retries > 0) {
			t.Errorf("hook %s: %d retries; a gate that restarts is a failed check there, and only there", h.Type, h.Retries)
		}
		seen[h.Type] = true
		if status, text := s.ask(http.DefaultClient, "POST", u.Path, body(h.Metadata)); status != want[h.Type] {
			t.Errorf("hook %s: %d %s, want %d", h.Type, status, text, want[h.Type])
		}
	}
	for _, needed := range []string{"pre-rollout", "rollout", "confirm-traffic-increase", "confirm-promotion", "rollback"} {
		if !seen[needed] {
			t.Errorf("no hook %s", needed)
		}
	}
}

// The Canary that --example prints is held to the same.
func TestExampleCanary(t *testing.T) {
	t.Parallel()
	dir, args := serveFolder(t)
	s := startServe(t, append(args, "--store", filepath.Join(dir, "gate.db"))...)
	parts := strings.Split(flaggerExample, "\n---\n")
	var c object
	if err := yaml.Unmarshal([]byte(parts[len(parts)-1]), &c); err != nil {
		t.Fatal(err)
	}
	checkHooks(t, s, c, objects(t, "rampguard.yaml")["Service"])
}

// The README names files and flags that exist.
func TestManifestsReadme(t *testing.T) {
	b, err := os.ReadFile(manifests + "../README.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile(`adapters/webhookgate/examples/[\w.]+`).FindAllString(string(b), -1)
	for _, path := range paths {
		if _, err := os.Stat("../../" + path); err != nil {
			t.Error(err)
		}
	}
	flags := regexp.MustCompile("[`\"](?:rampguard serve )?--([a-z-]+)").FindAllStringSubmatch(string(b), -1)
	serve := newServe(io.Discard, io.Discard)
	for _, f := range flags {
		if serve.Flags().Lookup(f[1]) == nil {
			t.Errorf("rampguard serve has no flag --%s", f[1])
		}
	}
	if len(paths) < 4 || len(flags) < 6 {
		t.Errorf("%d files, %d flags", len(paths), len(flags))
	}
}
