package analysis

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// DraftColumn is a column of a log for which [DraftPolicy] writes a policy.
type DraftColumn struct {
	Name string
	Type Type
}

// draftRole says which columns are taken for a role: one of these types with one
// of these names, the first name that exists.
type draftRole struct {
	role  Role
	types []Type
	names []string
}

var draftRoles = []draftRole{
	{Score, []Type{Float}, []string{"score", "model_score", "risk_score", "probability", "proba", "prob", "y_score", "prediction", "predicted", "pred", "y_pred", "y_hat"}},
	{Label, []Type{Bool, Int, Float, String}, []string{"label", "target", "outcome", "ground_truth", "y_true", "truth", "actual", "y"}},
	{Clock, []Type{Time}, []string{"ts", "time", "timestamp", "event_time", "served_at", "created_at", "datetime", "date"}},
	{Unit, []Type{Int, String}, []string{"unit", "unit_id", "request_id", "session_id", "user_id", "customer_id", "account_id", "visitor_id", "device_id", "uuid", "id"}},
	{Action, []Type{String}, []string{"action", "decision"}},
}

// Names of columns that are not features.
var (
	draftArms      = []string{"arm", "variant", "group", "cohort", "treatment", "experiment", "model", "model_name", "model_version", "version", "split"}
	draftErrors    = []string{"error", "is_error", "failed", "failure", "has_error"}
	draftLatencies = []string{"latency_ms", "latency", "duration_ms", "response_ms", "response_time_ms", "elapsed_ms"}
	draftSlices    = []string{"country", "region", "market", "device", "device_type", "platform", "os", "channel", "segment", "language", "currency"}
)

// draft is what was guessed from the columns of a log.
type draft struct {
	role     map[Role]string
	task     Task
	features []string
	slices   []string
	errors   string
	latency  string
	left     []string // columns of no use, with the reason
}

// DraftPolicy writes a policy for a log with these columns, as YAML with
// comments: a start for a person to go on from, not advice about margins. The
// roles of the columns are guessed from their names and types, and say so. The
// same columns give the same bytes, and the policy loads with the built-in
// checks.
func DraftPolicy(columns []DraftColumn) []byte {
	d := guess(columns)
	var sb strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&sb, format, args...)
		sb.WriteByte('\n')
	}
	line("# A draft from the names and types of the log's columns. Check every guess,")
	line("# then set the limits: they say how much worse the candidate may be.")
	line("version: 1")
	line("model: {name: my-model, baseline: v1, candidate: v2}")
	line("task: %v  # binary, multiclass or regression", d.task)
	line("looks: continuous  # or once, for one look at a finished log")
	d.writeColumns(line)
	if d.role[Label] != "" {
		line("# labels: {maturity: 14d}  # how long until a label can be relied on")
	}
	if len(d.slices) > 0 {
		line("# slices: [%s]", strings.Join(yamlTexts(d.slices), ", "))
	}
	line("split: {baseline: 0.5, candidate: 0.5}  # the shares of units that were planned; srm compares with them")
	line("budget: {rollback: 0.05, pause: 0.10, srm: 0.001}  # chances of a false alarm over the whole rollout")
	if d.role[Clock] != "" {
		line("exposure: {min_units: 1000, min_duration: 30m}  # the least a continue may rest on")
	} else {
		line("exposure: {min_units: 1000}  # the least a continue may rest on")
	}
	d.writeChecks(line)
	line("# stages:  # weight is the candidate's percentage of the traffic; split must fit it")
	line("#   - {name: canary, weight: 1, duration: 1h}")
	line("#   - {name: full, weight: 100}")
	return []byte(sb.String())
}

func (d *draft) writeColumns(line func(string, ...any)) {
	for _, c := range d.left {
		line("# not used: %s", c)
	}
	if len(d.role) == 0 && len(d.features) == 0 {
		return
	}
	line("columns:  # role: column of the log")
	for _, r := range draftRoles {
		if name := d.role[r.role]; name != "" {
			line("  %v: %s  # guessed", r.role, yamlText(name))
		}
	}
	if len(d.features) > 0 {
		line("  features:  # watched for drift and quality")
		for _, f := range d.features {
			line("    - %s", yamlText(f))
		}
	}
}

func (d *draft) writeChecks(line func(string, ...any)) {
	line("checks:")
	line("  - {check: schema}")
	if d.role[Unit] != "" {
		line("  - {check: srm}")
	}
	if s := d.role[Score]; s != "" {
		line("  - {check: collapse, column: %s, severity: rollback}", yamlText(s))
	}
	if d.role[Score] != "" || len(d.features) > 0 {
		line("  - {check: drift, metric: psi, warn: 0.1, fail: 0.25, severity: warn}  # of the score and every feature")
	}
	if d.role[Action] != "" {
		line("  - {check: actions, margin: 5pp, severity: pause}")
	}
	if d.role[Score] != "" && d.role[Label] != "" && d.task == Binary {
		line("  - {check: guardrail, metric: log_loss, direction: lower, margin: 2%%, severity: rollback}")
	}
	if d.errors != "" {
		line("  - {check: guardrail, metric: mean, column: %s, direction: lower, bounds: {pause: 1%%, rollback: 5%%}}", yamlText(d.errors))
	}
	if d.latency != "" {
		line("  - {check: guardrail, metric: quantile, column: %s, q: 0.99, direction: lower, relative: {rollback: 2x}}", yamlText(d.latency))
	}
}

// guess gives the columns their roles.
func guess(columns []DraftColumn) *draft {
	d := &draft{role: map[Role]string{}}
	taken := map[string]bool{}
	for _, r := range draftRoles {
		if c, ok := find(columns, r.types, r.names); ok && !taken[c.Name] {
			d.role[r.role] = c.Name
			taken[c.Name] = true
			if r.role == Label {
				d.task = taskOf(c.Type)
			}
		}
	}
	if d.role[Label] == "" && slices.Contains([]string{"prediction", "predicted", "pred", "y_pred", "y_hat"}, plainName(d.role[Score])) {
		d.task = Regression
	}
	if d.task == Multiclass && d.role[Score] != "" {
		taken[d.role[Score]] = false
		delete(d.role, Score)
	}
	if c, ok := find(columns, []Type{Bool, Int, Float}, draftErrors); ok && !taken[c.Name] {
		d.errors, taken[c.Name] = c.Name, true
	}
	if c, ok := find(columns, []Type{Int, Float}, draftLatencies); ok && !taken[c.Name] {
		d.latency, taken[c.Name] = c.Name, true
	}
	for _, c := range columns {
		if taken[c.Name] {
			continue
		}
		taken[c.Name] = true
		name, why := plainName(c.Name), ""
		switch {
		case c.Name == "" || !printable(c.Name):
			why = "its name cannot be printed"
		case c.Type == Absent || c.Type == Time:
			why = "a second time or an empty column"
		case slices.Contains(draftArms, name):
			why = "seems to tell the arms apart"
		case name == "id" || strings.HasSuffix(name, "_id") || name == "uuid":
			why = "seems to be an identifier"
		case c.Type == String && slices.Contains(draftSlices, name):
			d.slices = append(d.slices, c.Name)
			d.features = append(d.features, c.Name)
		default:
			d.features = append(d.features, c.Name)
		}
		if why != "" {
			d.left = append(d.left, strconv.QuoteToASCII(c.Name)+", "+why)
		}
	}
	return d
}

func taskOf(label Type) Task {
	switch label {
	case Float:
		return Regression
	case String:
		return Multiclass
	case Absent, Int, Bool, Time:
	}
	return Binary
}

// find returns the column with the first of the names and one of the types. A
// time needs no known name when it is the only one.
func find(columns []DraftColumn, types []Type, names []string) (DraftColumn, bool) {
	var fits []DraftColumn
	for _, c := range columns {
		if slices.Contains(types, c.Type) && c.Name != "" && printable(c.Name) {
			fits = append(fits, c)
		}
	}
	for _, name := range names {
		for _, c := range fits {
			if plainName(c.Name) == name {
				return c, true
			}
		}
	}
	if len(fits) == 1 && fits[0].Type == Time {
		return fits[0], true
	}
	return DraftColumn{}, false
}

// plainName makes names of different spelling comparable.
func plainName(s string) string {
	return strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(strings.ToLower(s))
}

var plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// yamlText quotes a text where YAML would not read it back as it is, or another
// reader of YAML might not.
func yamlText(s string) string {
	reserved := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	if plainYAML.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return strconv.QuoteToGraphic(s)
}

func yamlTexts(ss []string) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = yamlText(s)
	}
	return out
}
