// Package promquery brings the metrics of a policy from Prometheus, or from a
// server with its query API, such as VictoriaMetrics, Thanos or Mimir.
//
//	config, err := promquery.LoadConfig("metrics.yaml", data)
//	provider, err := promquery.New(config)
//	evidence, err := provider.Collect(ctx, spec, promquery.Window{Start: stageStart}, now)
//	verdict, err := policy.Evaluate(analysis.Look{
//		Evidence: []analysis.StageEvidence{{Baseline: evidence.Baseline, Candidate: evidence.Candidate}},
//		Problems: evidence.Problems(), State: state, Now: now,
//	})
//
// # Configuration
//
// A file in YAML or JSON, read by [LoadConfig]; all but server, arms and metrics
// may be left out:
//
//	server: https://prometheus.example.com     # http only without credentials, or to this machine
//	auth: {token_file: /run/secrets/prometheus} # or token; or username with password or password_file
//	ca_file: /etc/ssl/internal.pem
//	timeout: 10s       # of one try
//	deadline: 1m       # of one collection
//	retries: 2         # after the first try; -1 for none
//	backoff: 200ms     # before the first retry, then doubled
//	max_wait: 15s      # the longest wait, also for Retry-After
//	max_bytes: 16777216
//	lag: 30s           # nothing younger is asked for
//	max_age: 5m        # an arm whose newest sample is older has ended
//	step: 1m           # distance of the values of gauges
//	arms: {label: version, baseline: v7, candidate: v8}
//	metrics:
//	  - name: errors
//	    kind: ratio
//	    events: sum(increase(http_requests_total{code=~"5..",{{.Match}}}[{{.Window}}]))
//	    units: sum(increase(http_requests_total{ {{.Match}} }[{{.Window}}]))
//	  - name: crashes
//	    kind: count_rate
//	    events: sum by (version) (increase(crashes_total[{{.Window}}]))
//	  - name: mean_latency
//	    kind: average
//	    count: sum(increase(latency_seconds_count{ {{.Match}} }[{{.Window}}]))
//	    sum: sum(increase(latency_seconds_sum{ {{.Match}} }[{{.Window}}]))
//	    histogram: sum by (le) (increase(latency_seconds_bucket{ {{.Match}} }[{{.Window}}]))
//	    max: 60
//	  - name: latency
//	    kind: distribution
//	    histogram: sum(increase(latency_seconds{ {{.Match}} }[{{.Window}}]))
//	  - name: queue
//	    kind: gauge
//	    value: max(queue_length{ {{.Match}} })
//
// A query is PromQL with places: {{.Match}} is the matcher of the arm, such as
// version="v8"; {{.Label}} is the arm's value alone, for the inside of a string;
// {{.Regexp}} the same for =~; {{.Arm}} is baseline or candidate; {{.Window}} is the
// length of the window, such as 600s, and {{.Seconds}} its number. Values are
// escaped, so that none can end the string it stands in; write places of values in
// double or single quotes. A query that does not name the arm is sent once, and has
// to bring a series for each arm, told apart by the label of arms; both arms then
// come from one evaluation. All queries of a collection are evaluated at one time.
//
// # Kinds
//
//   - ratio: events and units. Both are sums of counters over the same window.
//   - count_rate: events, and exposure, such as the seconds of all replicas. Without
//     it exposure is the seconds of the window, as long as events has a series.
//   - average: count, sum, and squares, a counter of the sum of the squares. Few
//     programs have one; a histogram in its place bounds the squares by taking every
//     value for the end of its bucket that is farther from 0. The variance is then
//     never too small, and intervals are wider than they had to be: about a
//     tenth for a native histogram of the usual resolution, by half and more for
//     buckets that double. Values in the bucket without an end need max, the largest value
//     possible. A native histogram alone is enough: it has count and sum in it.
//   - distribution: histogram, either sum by (le) of a classic one or sum of a native
//     one. The edges of a classic one are its own, or those of edges that are among
//     them. A native one is counted in cells that stay the same from look to look:
//     per_octave of them between a number and its double, from 2^-30 to 2^30, which
//     are unions of its buckets; or between given edges, and a bucket that lies across
//     one is spread over its logarithms. A value at an edge counts below it, as le has
//     it. Negative values need edges.
//   - gauge: value, at each multiple of step in the window, the newest of which
//     counts. A look that comes before the next multiple brings nothing new.
//
// Counts come from increase(), which sees through resets and extrapolates to the
// ends of the window, so that they need not be whole; they are kept as they are,
// except in buckets, whose sums are rounded. It does not see the first value of a
// series: have counters start at 0, with all their labels, when the program starts.
// The increase() of VictoriaMetrics does not extrapolate, and takes a series that
// begins in the window for one that was 0 before.
//
// # Windows
//
// By default a look asks for one window, from the start of the stage to the
// watermark, now - lag, and forgets the look before. What came late is in the next
// look, and nothing counts twice. See [Ledger] for adding up windows instead.
// The watermark also keeps away from the edge of ingestion, where a numerator may
// have arrived and its denominator not yet.
//
// # Outcomes
//
// What cannot be had is a [Fault], of one of three families. [ErrNoData]: the server
// answered and had nothing; the check says no_data. Zero events need a series for
// events in one arm at least, which shows that the query is right, or
// zero_when_absent. [ErrInvalid]: numbers that cannot be; the check says invalid.
// [ErrProvider]: nothing is known; the verdict is a pause by provider_error, and
// never harm:
//
//	hang, slow answer, deadline of the context     ErrTimeout
//	no connection, reset, 5xx, certificate         ErrUnavailable
//	429                                            ErrRateLimited
//	401, 403                                       ErrUnauthorized
//	other 4xx, 3xx (never followed), status error  ErrRefused
//	HTML, cut short, other JSON                    ErrAnswer
//	above max_bytes                                ErrTooLarge
//	warnings, isPartial                            ErrPartial
//	a string, a matrix, a number for a histogram   ErrResult
//	two series where one belongs                   ErrSeveral
//	series that ended more than max_age ago        ErrStale
//	buckets that are not cumulative                ErrFalling
//	native buckets across edges                    ErrCoarse
//
// Tries that took too long, failed connections, 429 and 5xx are tried again;
// Retry-After is kept up to max_wait. Nothing rests on errorType or on the version of the server. With
// ErrStale the numbers up to then are in the evidence all the same, so that harm
// which they prove is not lost.
//
// # Safety
//
// Certificates are verified, redirects are not followed, and answers are bounded.
// Credentials are in no error, fault, query or record; an address that holds some is
// refused, as are credentials over plain http to another machine.
package promquery
