package main

import (
	"fmt"
	"io"
	"strings"
)

// exampleNames lists what --example knows.
func exampleNames() []string { return []string{"policy", "flagger", "argo"} }

func writeExample(w io.Writer, name string) error {
	text, ok := map[string]string{"policy": policyExample, "flagger": flaggerExample, "argo": argoExample}[name]
	if !ok {
		return fmt.Errorf("--example %q: there are %s", name, strings.Join(exampleNames(), ", "))
	}
	_, err := io.WriteString(w, text)
	return err
}

const policyExample = `# Continue when the share of errors is shown to be less than one percentage point
# above the baseline's; roll back when it is shown to be more.
version: 1
model: {name: fraud, baseline: stable, candidate: canary}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, margin: 1pp}
`

const flaggerExample = `# Flagger asks rampguard. Three files; start the gate with
#
#   rampguard serve --listen :8080 --policy fraud.yaml --prometheus prometheus.yaml \
#     --store gate.db --token-file tokens
#
# fraud.yaml: the policy, called fraud after its file
` + policyExample + `---
# prometheus.yaml: where the metrics are; Flagger calls the pods of the baseline
# NAME-primary
server: http://prometheus.monitoring:9090
arms: {label: app, baseline: fraud-primary, candidate: fraud}
metrics:
  - name: errors
    kind: ratio
    events: sum by (app) (increase(http_requests_total{ {{.Match}}, code=~"5.." }[{{.Window}}]))
    units: sum by (app) (increase(http_requests_total{ {{.Match}} }[{{.Window}}]))
---
# canary.yaml: replace TOKEN by the one in the file tokens. Leave out none of the
# five hooks: a pause holds the traffic at the two confirm hooks, the rollback hook is
# what rolls back at once, and pre-rollout tells the gate that there is no traffic yet.
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: fraud, namespace: prod}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: fraud}
  service: {port: 8080}
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 10
    webhooks:
      - name: verdict
        type: rollout
        url: http://flagger:TOKEN@rampguard.rampguard:8080/flagger/fraud/rollout
        retries: 2 # a gate that is away is a failed check
      - name: not known to be bad
        type: pre-rollout
        url: http://flagger:TOKEN@rampguard.rampguard:8080/flagger/fraud/pre-rollout
        retries: 2
      - name: enough evidence for more traffic
        type: confirm-traffic-increase
        url: http://flagger:TOKEN@rampguard.rampguard:8080/flagger/fraud/confirm-traffic-increase
        metadata: {first-step: allow} # without traffic there is no evidence
      - name: enough evidence to promote
        type: confirm-promotion
        url: http://flagger:TOKEN@rampguard.rampguard:8080/flagger/fraud/confirm-promotion
      - name: proven harm
        type: rollback
        url: http://flagger:TOKEN@rampguard.rampguard:8080/flagger/fraud/rollback
`

const argoExample = `# Argo Rollouts asks rampguard with its web provider; no plugin is needed. Start the
# gate with
#
#   rampguard serve --listen :8080 --policy fraud.yaml --store gate.db --token-file tokens
#
# and post evidence to /v1/decide under the rollout fraud-HASH, or let the gate ask
# Prometheus (--prometheus; see --example flagger). The secret:
#
#   kubectl -n prod create secret generic rampguard --from-literal=authorization="Bearer TOKEN"
#
# fraud.yaml: the policy, called fraud after its file
` + policyExample + `---
# template.yaml: continue is Successful, rollback is Failed, a pause is Inconclusive.
# consecutiveSuccessLimit ends the step at the first continue; it needs Argo Rollouts
# v1.8. Before that, leave it out and set count to the number of looks of the step.
# Keep both conditions. After inconclusiveLimit pauses the rollout waits for a person.
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rampguard, namespace: prod}
spec:
  args:
    - name: hash
    - name: authorization
      valueFrom: {secretKeyRef: {name: rampguard, key: authorization}}
  metrics:
    - name: verdict
      interval: 1m
      count: 60
      consecutiveSuccessLimit: 1
      inconclusiveLimit: 60
      consecutiveErrorLimit: 30
      successCondition: result.verdict == "continue"
      failureCondition: result.verdict == "rollback"
      provider:
        web:
          url: http://rampguard.rampguard:8080/argo/fraud/fraud-{{args.hash}}
          timeoutSeconds: 10
          headers:
            - {key: Authorization, value: "{{args.authorization}}"}
---
# rollout.yaml: the part of the Rollout that runs it
spec:
  strategy:
    canary:
      steps:
        - setWeight: 10
        - analysis:
            templates: [{templateName: rampguard}]
            args:
              - name: hash
                valueFrom: {podTemplateHashValue: Latest}
        - setWeight: 50
        - analysis:
            templates: [{templateName: rampguard}]
            args:
              - name: hash
                valueFrom: {podTemplateHashValue: Latest}
`
