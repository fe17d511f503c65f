package promexport

import _ "embed" // the files are part of the program

//go:embed files/rampguard.rules.yaml
var rules string

//go:embed files/rampguard.rules.test.yaml
var rulesTest string

//go:embed files/rampguard.dashboard.json
var dashboard string

// Rules returns rampguard.rules.yaml: recording and alerting rules over the metrics of
// the exporter, for rule_files of a Prometheus server.
func Rules() []byte { return []byte(rules) }

// RulesTest returns rampguard.rules.test.yaml: the unit tests of [Rules], for promtool
// test rules. Write both files to the same folder.
func RulesTest() []byte { return []byte(rulesTest) }

// Dashboard returns rampguard.dashboard.json, to be imported into Grafana 10 or later.
func Dashboard() []byte { return []byte(dashboard) }
