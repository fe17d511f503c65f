package fileevents_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/leadtime"
)

func TestBadRowsNameFieldAndReason(t *testing.T) {
	const fine = `"kind":"signoff","model":"m","version":"1","at":"2025-03-01T02:00:00Z"`
	for _, c := range []struct{ row, field, reason, text string }{
		{`not JSON`, "", fileevents.ReasonMalformed, "not JSON"},
		{`{"kind":"signoff"`, "", fileevents.ReasonMalformed, `{"kind":"signoff"`},
		{`{` + fine + `} {}`, "", fileevents.ReasonMalformed, ""},
		{`["signoff"]`, "", fileevents.ReasonMalformed, `["signoff"]`},
		{"{\"kind\":\"\xff\"}", "", fileevents.ReasonNotUTF8, "{\"kind\":\"\uFFFD\"}"},
		{`{}`, "kind", fileevents.ReasonMissing, ""},
		{`{"kind":"","model":"m"}`, "kind", fileevents.ReasonMissing, ""},
		{`{"kind":"sign off","model":"m"}`, "kind", fileevents.ReasonUnknownKind, "sign off"},
		{`{"kind":"unknown","model":"m"}`, "kind", fileevents.ReasonUnknownKind, "unknown"},
		{`{"kind":3,"model":"m"}`, "kind", fileevents.ReasonUnknownKind, "3"},
		{`{"kind":"signoff","version":"1","at":"2025-03-01T02:00:00Z"}`, "model", fileevents.ReasonMissing, ""},
		{`{"kind":"signoff","model":"m","at":"2025-03-01T02:00:00Z"}`, "version", fileevents.ReasonMissing, ""},
		{`{"kind":"signoff","model":"m","version":"1"}`, "at", fileevents.ReasonMissing, ""},
		{`{"kind":"stage_end","model":"m","version":"1","at":"2025-03-01T02:00:00Z"}`, "stage", fileevents.ReasonMissing, ""},
		{`{"kind":"traffic_change","model":"m","version":"1","at":"2025-03-01T02:00:00Z"}`, "traffic_pct", fileevents.ReasonMissing, ""},
		{`{"kind":"serving","traffic_pct":0,"model":"m","version":"1","at":"2025-03-01T02:00:00Z"}`, "traffic_pct", fileevents.ReasonBadTraffic, "0"},
		{`{` + fine + `,"traffic_pct":100.5}`, "traffic_pct", fileevents.ReasonBadTraffic, "100.5"},
		{`{` + fine + `,"traffic_pct":"NaN"}`, "traffic_pct", fileevents.ReasonBadTraffic, "NaN"},
		{`{` + fine + `,"traffic_pct":"20%"}`, "traffic_pct", fileevents.ReasonBadNumber, "20%"},
		{`{` + fine + `,"traffic_pct":true}`, "traffic_pct", fileevents.ReasonWrongType, "true"},
		{`{` + fine + `,"attempt":0}`, "attempt", fileevents.ReasonBadAttempt, "0"},
		{`{` + fine + `,"attempt":1.5}`, "attempt", fileevents.ReasonBadAttempt, "1.5"},
		{`{` + fine + `,"attempt":-1e300}`, "attempt", fileevents.ReasonBadAttempt, "-1e300"},
		{`{` + fine + `,"attempt":1e999}`, "attempt", fileevents.ReasonBadNumber, "1e999"},
		{`{` + fine + `,"attempt":{}}`, "attempt", fileevents.ReasonWrongType, "{}"},
		{`{` + fine + `,"outcome":"ok"}`, "outcome", fileevents.ReasonBadOutcome, "ok"},
		{`{` + fine + `,"ref":{"a":["}",{}]}}`, "ref", fileevents.ReasonWrongType, `{"a":["}",{}]}`},
		{`{` + fine + `,"model":"n"}`, "model", fileevents.ReasonRepeated, "n"},
		{`{` + fine + `,"earliest":"2025-03-01T02:00:01Z"}`, "earliest", fileevents.ReasonBadInterval, "2025-03-01T02:00:01Z"},
	} {
		got := read(t, `{`+fine+`}`+"\n\n"+c.row+"\n", fileevents.Options{Name: "log.jsonl"})
		if got.Rows != 2 || got.BadTotal != 1 || len(got.Events) != 1 {
			t.Errorf("%s: %+v", c.row, got)
			continue
		}
		bad := got.Bad[0]
		if c.text == "" {
			c.text = bad.Text
		}
		if diff := cmp.Diff(fileevents.BadRow{File: "log.jsonl", Line: 3, Field: c.field, Reason: c.reason, Text: c.text}, bad); diff != "" {
			t.Errorf("%s: %s", c.row, diff)
		}
	}
}

func TestBadCSVRows(t *testing.T) {
	const head, fine = "kind,model,version,at,\n", "signoff,m,1,2025-03-01T02:00:00Z,\n"
	for row, reason := range map[string]string{
		"signoff,m,1":        fileevents.ReasonWrongCount,
		"signoff,m,1,,,,":    fileevents.ReasonWrongCount,
		`signoff,"m,1,2,3`:   fileevents.ReasonMalformed,
		`signoff,"m"x,1,2,3`: fileevents.ReasonMalformed,
		`signoff,m"m",1,2,3`: fileevents.ReasonMalformed,
		"signoff,\xc3,1,2,3": fileevents.ReasonNotUTF8,
		",,,,":               fileevents.ReasonMissing,
	} {
		got := read(t, head+fine+row+"\n"+fine, fileevents.Options{})
		if len(got.Events) != 2 || got.BadTotal != 1 || got.Bad[0].Reason != reason || got.Bad[0].Line != 3 {
			t.Errorf("%q: %+v", row, got)
		}
	}
	got := read(t, head+`signoff," a ""b"" , c",1,2025-03-01T02:00:00Z,note`, fileevents.Options{})
	if len(got.Events) != 1 || got.Events[0].Model != `a "b" , c` {
		t.Errorf("quotes: %+v", got)
	}
	if diff := cmp.Diff([]string{""}, got.Ignored); diff != "" {
		t.Error(diff)
	}
}

func TestTimes(t *testing.T) {
	berlin, lordHowe := zone(t, "Europe/Berlin"), zone(t, "Australia/Lord_Howe")
	for _, c := range []struct {
		text   string
		zone   *time.Location
		unit   time.Duration
		want   string
		reason string
	}{
		{text: "2025-03-01T02:00:00+01:00", want: "2025-03-01T01:00:00Z"},
		{text: "2025-03-01 02:00:00.123456789-00:30", want: "2025-03-01T02:30:00.123456789Z"},
		{text: "2024-02-29T23:59:59Z", want: "2024-02-29T23:59:59Z"},
		{text: "2025-02-29T00:00:00Z", reason: fileevents.ReasonBadTime},
		{text: "2025-03-01", reason: fileevents.ReasonBadTime},
		{text: "2025-03-01T24:00:00Z", reason: fileevents.ReasonBadTime},
		{text: "01/03/2025 02:00", reason: fileevents.ReasonBadTime},
		{text: "yesterday", reason: fileevents.ReasonBadTime},
		{text: "1600-03-01T02:00:00Z", reason: fileevents.ReasonOutOfRange},
		{text: "2025-03-01T02:00:00", reason: fileevents.ReasonNoOffset},
		{text: "2025-03-01 02:00:00.5", reason: fileevents.ReasonNoOffset},
		{text: "2025-03-01T02:00:00.5", zone: berlin, want: "2025-03-01T01:00:00.5Z"},
		{text: "2025-03-30T01:59:59", zone: berlin, want: "2025-03-30T00:59:59Z"},
		{text: "2025-03-30T02:00:00", zone: berlin, reason: fileevents.ReasonNoSuchTime},
		{text: "2025-03-30T03:00:00", zone: berlin, want: "2025-03-30T01:00:00Z"},
		{text: "2025-10-26T01:59:59", zone: berlin, want: "2025-10-25T23:59:59Z"},
		{text: "2025-10-26T02:30:00", zone: berlin, reason: fileevents.ReasonTwice},
		{text: "2025-10-26T03:00:00", zone: berlin, want: "2025-10-26T02:00:00Z"},
		{text: "2025-10-05T02:15:00", zone: lordHowe, reason: fileevents.ReasonNoSuchTime},
		{text: "2025-04-06T01:45:00", zone: lordHowe, reason: fileevents.ReasonTwice},
		{text: "2025-04-06T02:00:00", zone: lordHowe, want: "2025-04-05T15:30:00Z"},
		{text: "1582671933246", unit: time.Millisecond, want: "2020-02-25T23:05:33.246Z"},
		{text: "1582671933", unit: time.Second, want: "2020-02-25T23:05:33Z"},
		{text: "1582671933.2460000001", unit: time.Second, want: "2020-02-25T23:05:33.246Z"},
		{text: "1582671933246.5", unit: time.Millisecond, want: "2020-02-25T23:05:33.2465Z"},
		{text: "1582671933246789", unit: time.Microsecond, want: "2020-02-25T23:05:33.246789Z"},
		{text: "1582671933246789001", unit: time.Nanosecond, want: "2020-02-25T23:05:33.246789001Z"},
		{text: "1582671933246", reason: fileevents.ReasonNoUnit},
		{text: "0", unit: time.Second, reason: fileevents.ReasonOutOfRange},
		{text: "-5", unit: time.Second, reason: fileevents.ReasonOutOfRange},
		{text: "1582671933", unit: time.Millisecond, reason: fileevents.ReasonOutOfRange},
		{text: "1582671933246", unit: time.Second, reason: fileevents.ReasonOutOfRange},
		{text: "9223372036854775807", unit: time.Second, reason: fileevents.ReasonOutOfRange},
		{text: "9223372036854775808", unit: time.Second, reason: fileevents.ReasonBadTime},
		{text: "1.5.2", unit: time.Second, reason: fileevents.ReasonBadTime},
		{text: "-x", unit: time.Second, reason: fileevents.ReasonBadTime},
	} {
		o := fileevents.Options{AssumeZone: c.zone, EpochUnit: c.unit}
		got := read(t, "kind,model,at\ndrift_alert,m,"+c.text+"\n", o)
		switch {
		case c.reason != "":
			if len(got.Bad) != 1 || got.Bad[0].Reason != c.reason || got.Bad[0].Field != "at" || got.Bad[0].Text != c.text {
				t.Errorf("%s: %+v, want %s", c.text, got, c.reason)
			}
		case len(got.Events) != 1 || got.Events[0].At.Format(time.RFC3339Nano) != c.want:
			t.Errorf("%s: %+v, want %s", c.text, got, c.want)
		}
		if strings.Trim(c.text, "0123456789") == "" && c.reason == "" { // a JSON number is the same
			same := read(t, `{"kind":"drift_alert","model":"m","at":`+c.text+`}`, o)
			if len(same.Events) != 1 || !same.Events[0].At.Equal(got.Events[0].At) {
				t.Errorf("%s as a JSON number: %+v", c.text, same)
			}
		}
	}
}

const wideCSV = `id,model,version,track,env,region,run_started,registered,sign_off,packaging_start,packaging_end,validation_start,validation_end,validation_outcome,staging_serving,serving,rollback_decided,restored,restored_version
7,fraud,12,fast_track,production,eu,2025-03-01T00:00:00Z,2025-03-01T01:00:00Z,2025-03-01T02:00:00Z,2025-03-01T03:00:00Z,2025-03-01T04:00:00Z,2025-03-01T05:00:00Z,2025-03-01T06:00:00Z,passed,2025-03-01T07:00:00Z,2025-03-01T08:00:00Z,2025-03-01T09:00:00Z,2025-03-01T09:30:00Z,11
8,fraud,13,,,,,,2025-03-02T02:00:00Z,,,,,,,,,,
`

func TestWideForm(t *testing.T) {
	got := read(t, wideCSV, fileevents.Options{Source: "sheet"})
	e := func(id string, kind leadtime.Kind, hour int, set func(*leadtime.Event)) leadtime.Event {
		e := leadtime.Event{ID: "7/" + id, Source: "sheet", Line: 2, Kind: kind, Model: "fraud", Version: "12", Track: leadtime.FastTrack,
			At: time.Date(2025, 3, 1, hour, 0, 0, 0, time.UTC)}
		if set != nil {
			set(&e)
		}
		return e
	}
	live := func(e *leadtime.Event) { e.Env, e.Region = leadtime.Production, "eu" }
	in := func(stage string) func(*leadtime.Event) { return func(e *leadtime.Event) { e.Stage = stage } }
	want := []leadtime.Event{
		e("run_started", leadtime.RunStarted, 0, nil),
		e("registered", leadtime.Registered, 1, nil),
		e("sign_off", leadtime.SignOff, 2, nil),
		e("packaging_start", leadtime.StageStart, 3, in("packaging")),
		e("packaging_end", leadtime.StageEnd, 4, in("packaging")),
		e("validation_start", leadtime.StageStart, 5, in("validation")),
		e("validation_end", leadtime.StageEnd, 6, func(e *leadtime.Event) { e.Stage, e.Outcome = "validation", leadtime.Passed }),
		e("staging_serving", leadtime.Serving, 7, func(e *leadtime.Event) { e.Env = leadtime.Staging }),
		e("serving", leadtime.Serving, 8, live),
		e("rollback_decided", leadtime.RollbackDecided, 9, live),
		e("restored", leadtime.Restored, 9, func(e *leadtime.Event) { live(e); e.Version, e.At = "11", e.At.Add(30*time.Minute) }),
		{ID: "8/sign_off", Source: "sheet", Line: 3, Kind: leadtime.SignOff, Model: "fraud", Version: "13", At: at("2025-03-02T02:00:00Z")},
	}
	if diff := cmp.Diff(want, got.Events); diff != "" {
		t.Error(diff)
	}
	if got.Rows != 2 || got.BadTotal != 0 || got.Ignored != nil {
		t.Errorf("%+v", got.Intake)
	}
	a, err := leadtime.Assemble(got.Events, leadtime.AssembleOptions{})
	if err != nil || len(a.Flights) != 2 || len(a.Excluded) != 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	f := a.Flights[0]
	if f.Lead(nil) != 6*time.Hour || len(f.Segments) != 2 || len(f.Rollbacks) != 1 || f.Rollbacks[0].To != "11" || a.Flights[1].State != leadtime.InFlight {
		t.Errorf("%+v", a.Flights)
	}
}

func TestWideJSON(t *testing.T) {
	got := read(t, `{"model":"m","version":3,"signoff":1740794400,"canary_start":1740798000,"owner":"ann"}
{"model":"m","version":4,"signoff":null,"kind":"x"}
{"model":"m","version":5,"signoff":1740794400,"serving":"soon"}
`, fileevents.Options{EpochUnit: time.Second})
	if len(got.Events) != 2 || got.Events[1].Stage != "canary" || got.Events[1].Version != "3" || got.Rows != 3 {
		t.Errorf("%+v", got.Events)
	}
	var reasons []string
	for _, b := range got.Bad {
		reasons = append(reasons, b.String())
	}
	if diff := cmp.Diff([]string{"input:2: nothing_happened", `input:3: serving: bad_time: "soon"`}, reasons); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"kind", "owner"}, got.Ignored); diff != "" {
		t.Error(diff)
	}
}

func TestBadWideRows(t *testing.T) {
	const z = `"2025-03-01T02:00:00Z"`
	for row, want := range map[string]string{
		`{"version":"1","signoff":` + z + `}`:                                             "model: missing",
		`{"model":"m","signoff":` + z + `}`:                                               "version: missing",
		`{"model":"m","version":"1","restored":` + z + `}`:                                "restored_version: missing",
		`{"model":"m","version":"1","a_outcome":"passed","signoff":` + z + `}`:            "a_outcome: outcome_no_end",
		`{"model":"m","version":"1","a_outcome":"green","a_end":` + z + `}`:               "a_outcome: unknown_outcome",
		`{"model":"m","version":"1","signoff":` + z + `,"a_end":"2025-03-01T02:00"}`:      "a_end: bad_time",
		`{"model":"m","version":"1","signoff":` + z + `,"restored_version":[1]}`:          "restored_version: wrong_type",
		`{"model":"m","version":"1","signoff":true}`:                                      "signoff: wrong_type",
		`{"model":"m","version":"1","signoff":"2025-03-01T02:00:00","serving":` + z + `}`: "signoff: no_offset",
	} {
		got := read(t, row, fileevents.Options{Form: fileevents.Wide})
		if len(got.Bad) != 1 || !strings.Contains(got.Bad[0].String(), want) || len(got.Events) > 0 {
			t.Errorf("%s: %+v", row, got)
		}
	}
}

func TestIgnoredColumnsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		b.WriteString(`{"` + strings.Repeat("é", 60) + strings.Repeat("x", i) + `":1}` + "\n")
		b.WriteString(`{"c` + strings.Repeat("x", i%40) + `":1}` + "\n")
	}
	got := read(t, b.String(), fileevents.Options{})
	if len(got.Ignored) != 41 || got.BadTotal != 600 {
		t.Errorf("%d names ignored, %d bad", len(got.Ignored), got.BadTotal)
	}
}
