package promexport_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/adapters/promexport"
)

type rule struct {
	Record, Alert, Expr string
	Annotations         map[string]string
}

func rules(t *testing.T) (out []rule) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal(promexport.Rules(), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) < 15 {
		t.Fatalf("only %d rules", len(out))
	}
	return out
}

// query is what a panel or a rule asks for.
type query struct{ where, expr string }

// panels are the queries of the dashboard, those of its variables and annotations too.
func panels(t *testing.T) (out []query) {
	t.Helper()
	var board struct {
		SchemaVersion int
		Panels        []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal(promexport.Dashboard(), &board); err != nil {
		t.Fatal(err)
	}
	if board.SchemaVersion < 38 || board.SchemaVersion > 39 {
		t.Errorf("schemaVersion %d is not that of Grafana 10", board.SchemaVersion)
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[cell]; other != "" || cell[0] >= 24 {
					t.Fatalf("panel %q is out of the grid or over %q", p.Title, other)
				}
				taken[cell] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			out = append(out, query{"panel " + p.Title, target.Expr})
		}
	}
	for _, a := range board.Annotations.List {
		out = append(out, query{"annotation", a.Expr})
	}
	for _, v := range board.Templating.List {
		if rest, ok := strings.CutPrefix(v.Definition, "label_values("); ok {
			i := strings.LastIndex(rest, ",")
			out = append(out, query{"variable " + v.Name, fmt.Sprintf("sum by (%s) (%s)", strings.Trim(rest[i+1:], " )"), rest[:i])})
		}
	}
	return out
}

var (
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	selector  = regexp.MustCompile(`\{[^}]*\}`)
	grouping  = regexp.MustCompile(`\b(by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	duration  = regexp.MustCompile(`\[[^\]]*\]`)
	operator  = regexp.MustCompile(`\b(and|or|unless|group_left|group_right|offset|bool)\b`)
	word      = regexp.MustCompile(`[A-Za-z_:][A-Za-z0-9_:]*`)
	called    = regexp.MustCompile(`\b[a-z_0-9]+\s*\(`)
	matched   = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	aggregate = regexp.MustCompile(`\b(sum|max|min|topk|count|avg)\s+by\b`)
)

// names are the metrics and the labels that an expression names.
func names(expr string) (metrics, labels []string) {
	expr = quoted.ReplaceAllString(expr, "")
	for _, s := range selector.FindAllString(expr, -1) {
		for _, m := range matched.FindAllStringSubmatch(s, -1) {
			labels = append(labels, m[1])
		}
	}
	expr = selector.ReplaceAllString(expr, "")
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, word.FindAllString(g[2], -1)...)
	}
	expr = aggregate.ReplaceAllString(expr, " by")
	for _, drop := range []*regexp.Regexp{grouping, duration, operator, called} {
		expr = drop.ReplaceAllString(expr, " ")
	}
	return word.FindAllString(expr, -1), labels
}

func TestNamesOfExpressions(t *testing.T) {
	metrics, labels := names(`sum by (a, le) (rate(x_total{b=~"y{z}",c!="(d)"}[5m])) / on (e) group_left max(y:z:p50) unless on (f) g == 1`)
	if got := fmt.Sprint(metrics, labels); got != "[x_total y:z:p50 g] [b c a le e f]" {
		t.Error(got)
	}
}

// TestFilesNameWhatIsExported holds rules and dashboard to the metrics and labels of
// the exporter.
func TestFilesNameWhatIsExported(t *testing.T) {
	known := families(t)
	recorded := map[string][]string{} // labels that its name says it has
	var queries []query
	for _, r := range rules(t) {
		if r.Record != "" {
			level, _, _ := strings.Cut(r.Record, ":")
			recorded[r.Record] = strings.Split(level, "_")
		}
		queries = append(queries, query{"rule " + r.Record + r.Alert, r.Expr})
	}
	queries = append(queries, panels(t)...)
	if len(queries) < 50 {
		t.Errorf("only %d queries", len(queries))
	}
	used := map[string]bool{}
	for _, q := range queries {
		metrics, labels := names(q.expr)
		if len(metrics) == 0 {
			t.Errorf("%s: %q names no metric", q.where, q.expr)
		}
		var has []string
		for _, m := range metrics {
			base := m
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if s, ok := strings.CutSuffix(m, suffix); ok && known[s].histogram {
					base, has = s, append(has, "le")
				}
			}
			f, ok := known[base]
			if l, ok := recorded[m]; ok {
				has = append(has, l...)
				continue
			}
			if !ok || f.histogram && base == m {
				t.Errorf("%s: %s is not exported (%s)", q.where, m, q.expr)
			}
			used[base] = true
			has = append(has, f.labels...)
		}
		for _, l := range labels {
			if !slices.Contains(has, l) {
				t.Errorf("%s: no metric of it has the label %s, but %v (%s)", q.where, l, has, q.expr)
			}
		}
	}
	for _, name := range []string{"rampguard_verdict", "rampguard_finding_estimate", "rampguard_finding_limit", "rampguard_drift_value",
		"rampguard_error_budget_spent_ratio", "model_deployment_lead_time_seconds", "slo_error_budget_remaining_ratio", "promotion_gate_state"} {
		if !used[name] {
			t.Errorf("neither rule nor panel uses %s", name)
		}
	}
}

func TestEveryAlertIsTestedBothWays(t *testing.T) {
	var file struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string
				ExpAlerts []any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal(promexport.RulesTest(), &file); err != nil {
		t.Fatal(err)
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, a := range test.AlertRuleTest {
			if len(a.ExpAlerts) > 0 {
				fires[a.Alertname] = true
			} else {
				quiet[a.Alertname] = true
			}
		}
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: seen to fire %v, to be quiet %v", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no summary or no description", r.Alert)
		}
	}
}

func TestManualNamesEveryMetric(t *testing.T) {
	manual, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for name := range families(t) {
		if !strings.Contains(string(manual), "//\t"+name+" ") {
			t.Errorf("the table of doc.go lacks %s", name)
		}
	}
}

func TestPromtoolRules(t *testing.T) {
	files := map[string][]byte{"rampguard.rules.yaml": promexport.Rules(), "rampguard.rules.test.yaml": promexport.RulesTest()}
	t.Run("check", func(t *testing.T) { promtool(t, "", files, "check", "rules", "rampguard.rules.yaml") })
	t.Run("test", func(t *testing.T) { promtool(t, "", files, "test", "rules", "rampguard.rules.test.yaml") })
}

func TestPromtoolMetrics(t *testing.T) {
	promtool(t, text(t, full(t)), nil, "check", "metrics")
}

// TestPromtoolPanels has promtool parse the queries of the dashboard, as rules.
func TestPromtoolPanels(t *testing.T) {
	type record struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	type group struct {
		Name  string   `yaml:"name"`
		Rules []record `yaml:"rules"`
	}
	g := group{Name: "panels"}
	variable := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h")
	for i, q := range panels(t) {
		g.Rules = append(g.Rules, record{fmt.Sprintf("panel:q%d", i), variable.Replace(q.expr)})
	}
	b, err := yaml.Marshal(map[string][]group{"groups": {g}})
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, "", map[string][]byte{"panels.yaml": b}, "check", "rules", "panels.yaml")
}
