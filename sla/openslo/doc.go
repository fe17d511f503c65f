// Package openslo reads service level objectives from files, in the form of OpenSLO
// v1, as YAML or JSON, with an extension for what that form has no place for. Such
// files are what the command rampguard slo takes.
//
// # What is read
//
// Objects of kind SLO, AlertPolicy and AlertCondition, the latter two inline or as
// documents of their own in the same file. budgetingMethod, the one timeWindow and the
// objectives become an [sla.Objective] each, conditions become an [sla.Alert] each.
// OpenSLO's condition has one window, so Long and Short are the same.
//
// Indicators are checked for form only: the samples come from somewhere else. What the
// file says and the objectives cannot is a warning, with the line. What cannot be right
// is an error, with line and column, many of them at once: unknown and repeated keys,
// aliases, targets out of range, alerts that could never fire.
//
// # Where OpenSLO leaves it open
//
//	1M, 1Q, 1Y rolling     30, 90 and 365 days, with a warning
//	1m calendar            a minute by the letter; read as a month, with a warning
//	op lte, lt             would fire while little burns; read as gte and gt, with a warning
//	op gte                 read as gt: at the threshold itself an alert is quiet, with a warning
//	several objectives     one each; compositeWeight is kept, and not applied
//	severity               page, critical, high, sev1 and p1 page, with ticket, warning,
//	                       medium, low, info, sev2 to sev5 and p2 to p5 tickets; others page,
//	                       with a warning
//
// # The extension
//
// The key x-rampguard under spec of an SLO; all of its keys may be left out:
//
//	x-rampguard:
//	  model: fraud-detector       # for dedupe keys
//	  missing: ignore             # slices without samples: ignore, bad, good, no_data
//	  maxMissing: 0.1             # share of them that no_data tolerates
//	  minEvents: 100              # traffic guards of alerts
//	  minBad: 3
//	  tailAlpha: 0.01
//	  maturity: 14d               # labels come late
//	  expectedTotal: 1000000      # events of a calendar period
//	  atRisk: 0.25                # share of the budget left
//	  interval: wilson            # or clopper_pearson, jeffreys
//	  level: 0.95
//	  exclude:                    # maintenance
//	    - {from: 2025-03-01T02:00:00Z, to: 2025-03-01T04:00:00Z, reason: database move}
//	  alerts: google              # or pyrra, or a list, in addition to alertPolicies
//	    # - {name: fast, severity: page, budget: 0.02, long: 1h, short: 5m, hold: 0m}
//	  clampUnreachable: false     # lower the factor of alerts that could never fire
//	  gate:                       # promotions
//	    haltOn: [page]
//	    minRemaining: 0.1
//	    onNoData: hold            # or warn, allow
//	    cooldown: 1h
//	    resumeBurn: 1
//	    maxAge: 1h
//
// An alert of the list has either budget, the share of the budget it lets go, or factor,
// the burn rate; short is a twelfth of long unless given.
//
// Reference: OpenSLO specification v1, https://github.com/OpenSLO/OpenSLO.
package openslo
