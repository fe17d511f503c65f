#!/usr/bin/python3
"""Makes a log of one year of model releases, as release tooling would leave it.

Run in this folder: /usr/bin/python3 generate.py. Standard library only; the same
bytes every time. README.md says what is in the files.
"""

import csv
import json
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

rng = random.Random(20250101)
BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2025, 1, 2, 8, tzinfo=timezone.utc)
AS_OF = datetime(2025, 12, 31, 16, tzinfo=timezone.utc)

# days that set the pace of releases, how slow reviews are, regions
MODELS = {
    "fraud-scorer": (15, 1.0, []),
    "search-ranker": (12, 0.7, ["eu", "us"]),
    "churn-risk": (24, 1.2, []),
    "price-advisor": (30, 1.6, []),
}

events = []  # long form
rows = []  # wide form


def hours(h):
    return timedelta(seconds=round(3600 * h))


def office(t):
    """The first moment from t on at which people are at work."""
    t = t.astimezone(BERLIN)
    while t.weekday() > 4 or t.hour >= 17 or (t.month, t.day) in ((1, 1), (12, 24), (12, 25), (12, 26)):
        t = (t + timedelta(days=1)).replace(hour=9, minute=rng.randrange(40), second=rng.randrange(60))
    if t.hour < 9:
        t = t.replace(hour=9, minute=rng.randrange(40), second=rng.randrange(60))
    return t.astimezone(timezone.utc)


def zoned(t, source):
    """People's tools write local time with its offset, machines UTC."""
    if t is None:
        return ""
    if source in ("desk", "sheet"):
        return t.astimezone(BERLIN).isoformat(timespec="seconds")
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def emit(source, kind, t, model, version=None, earliest=None, **more):
    if t > AS_OF:
        return
    e = {"id": None, "source": source, "kind": kind, "model": model}
    if version:
        e["version"] = version
    e.update(more)
    e["at"] = zoned(t, source)
    if earliest:
        e["earliest"] = zoned(earliest, source)
    events.append((t, len(events), e))


def skewed(median, spread):
    return rng.lognormvariate(0, spread) * median


class Release:
    """One version on its way to production."""

    def __init__(self, model, number, start, before):
        self.model, self.version, self.before = model, f"2025.{number}", before
        self.slow = MODELS[model][1] * (1 - 0.3 * (start - BEGIN) / (AS_OF - BEGIN))
        self.regions = MODELS[model][2]
        self.fast = rng.random() < 0.12
        self.track = {"track": "fast_track"} if self.fast else {}
        self.row = {"model": model, "version": self.version, "track": self.track.get("track", "")}
        self.end = None  # when the next release may begin

    def emit(self, source, kind, t, **more):
        emit(source, kind, t, self.model, self.version, **more)

    def stage(self, stage, t, h, source, outcome="passed", attempt=None):
        end = t + hours(h)
        more = {"stage": stage, **({"attempt": attempt} if attempt else {})}
        self.emit(source, "stage_start", t, **more)
        self.emit(source, "stage_end", end, outcome=outcome, **more)
        self.row.setdefault(stage + "_start", t)
        self.row[stage + "_end"], self.row[stage + "_outcome"] = end, outcome
        return end

    def train(self, t):
        trained = t + hours(skewed(5, 0.4))
        self.emit("trainer", "run_started", t)
        self.emit("trainer", "run_ended", trained)
        emit("trainer", "retrained", trained, self.model, ref=f"run-{self.model}-{self.version}")
        seen = trained + hours(0.1 + 0.2 * rng.random())
        self.emit("registry", "registered", seen, earliest=seen - timedelta(minutes=15))
        self.row.update(run_started=t, run_ended=trained, registered=seen)
        return trained

    def sign(self, t):
        self.row["sign_off"] = t
        self.emit("desk", "signoff", t, **self.track)

    def close(self, t):
        rows.append(self.row)
        self.end = t

    def fly(self, start):
        t = self.train(start)
        t = office(t + hours(skewed(1 if self.fast else 5, 0.6)))
        self.sign(t)
        if not self.fast and rng.random() < 0.05:  # somebody finds a leak in the features
            t = office(t + hours(2 + 4 * rng.random()))
            self.emit("desk", "signoff_revoked", t)
            rows.append({**self.row, "sign_off_revoked": t})
            t = office(t + hours(skewed(26, 0.3)))
            self.row = {k: self.row[k] for k in ("model", "version", "track")}
            self.sign(t)
        t = self.stage("packaging", t + hours(0.05 + 0.4 * rng.random()), skewed(0.6 if self.fast else 1.5, 0.4), "ci")
        t = self.validate(t)
        if t is None:
            return
        if not self.fast:
            t = self.stage("staging", t + hours(skewed(1, 0.5)), skewed(7, 0.4), "rollout")
            self.emit("rollout", "serving", self.row["staging_start"], env="staging")
            self.row["staging_serving"] = self.row["staging_start"]
            t = self.approve(t)
            if t is None:
                return
        self.roll_out(t)

    def validate(self, t):
        for attempt in (1, 2, 3):
            t += hours(0.1 + skewed(0.5, 0.5))
            h = skewed(1.5 if self.fast else 9, 0.35)
            if rng.random() > (0.05 if self.fast else 0.22):
                return self.stage("validation", t, h, "ci", attempt=attempt)
            t = self.stage("validation", t, h * 0.7, "ci", outcome="failed", attempt=attempt)
            if rng.random() < 0.12:
                break
            t = office(t + hours(skewed(4, 0.5)))
        kind = "rejected" if rng.random() < 0.7 else "withdrawn"
        t = office(t + hours(2))
        self.emit("desk", kind, t)
        self.row[kind] = t
        self.close(t)
        return None

    def approve(self, t):
        t = office(t + hours(skewed(14 * self.slow, 0.7)))  # waits for the board
        end = office(t + hours(skewed(2, 0.6)))
        refused = rng.random() < 0.04
        self.stage("approval", t, (end - t) / timedelta(hours=1), "desk", outcome="failed" if refused else "passed")
        if refused:
            self.emit("desk", "rejected", end + timedelta(minutes=1))
            self.row["rejected"] = end + timedelta(minutes=1)
            self.close(end)
            return None
        return end

    def roll_out(self, t):
        t += hours(0.1 + rng.random())
        total = skewed(2 if self.fast else 12, 0.4)
        served = t
        places = self.regions or [None]
        for i, region in enumerate(places):
            where = {"env": "production", **({"region": region} if region else {})}
            begin = t + hours(i * total / 3)
            if not self.fast:
                self.emit("rollout", "stage_start", begin, stage="canary", **where)
                for k, share in enumerate((5, 25, 50)):
                    self.emit("rollout", "traffic_change", begin + hours(0.05 + k * total / 3), traffic_pct=share, **where)
                self.emit("rollout", "stage_end", begin + hours(total), stage="canary", outcome="passed", **where)
            begin += hours(total)
            self.emit("rollout", "serving", begin + timedelta(minutes=4), **where)
            served = max(served, begin + timedelta(minutes=4))
        if not self.fast:
            self.row["canary_start"], self.row["canary_end"] = t, served - timedelta(minutes=4)
        self.row["serving"] = served
        self.aftermath(served)

    def aftermath(self, served):
        if self.before is None or rng.random() > 0.09:
            self.close(served)
            return
        noticed = served + hours(skewed(9, 0.9))
        ref = f"inc-{self.model}-{self.version}"
        if rng.random() < 0.5:
            emit("monitor", "drift_alert", noticed - hours(1), self.model, self.version, ref="psi-" + ref)
        emit("pager", "incident_detected", noticed, self.model, self.version, ref=ref)
        decided = noticed + hours(skewed(0.6, 0.5))
        back = decided + hours(skewed(0.35, 0.4))
        self.emit("desk", "rollback_decided", decided, env="production")  # everywhere
        emit("rollout", "restored", back, self.model, self.before, env="production")
        emit("pager", "incident_resolved", back + hours(0.2), self.model, self.version, ref=ref)
        self.row.update(rollback_decided=decided, restored=back, restored_version=self.before)
        end = back
        if rng.random() < 0.4:  # it was the traffic, not the model: the same version once more
            end = office(back + hours(24))
            for region in self.regions or [None]:
                self.emit("rollout", "serving", end, env="production", **({"region": region} if region else {}))
            self.redeployed = True
        self.rolled_back = end == back
        self.close(end)

    redeployed = rolled_back = False


def one_model(model):
    gap, _, _ = MODELS[model]
    t, number, live = BEGIN + hours(24 * rng.random() * gap), 1, None
    while t < AS_OF:
        r = Release(model, number, t, live)
        r.fly(t)
        if "serving" in r.row and not r.rolled_back:
            live = r.version
        number += 1
        t = r.end + hours(24 * gap * (0.2 + rng.random()) * 0.6)
    for _ in range(rng.randrange(2, 5)):
        emit("monitor", "drift_alert", BEGIN + (AS_OF - BEGIN) * rng.random(), model, ref=f"psi-{model}-{rng.randrange(10000)}")
    return number


def stuck(model, number):
    """A release that waits for the board since before the holidays."""
    r = Release(model, number, AS_OF, None)
    r.fast, r.track, r.row["track"] = False, {}, ""
    t = datetime(2025, 12, 18, 10, 12, 7, tzinfo=timezone.utc)
    r.emit("trainer", "run_started", t - hours(30))
    r.row["run_started"] = t - hours(30)
    r.sign(t)
    t = r.stage("packaging", t + hours(0.2), 1.4, "ci")
    t = r.stage("validation", t + hours(0.5), 8.7, "ci", attempt=1)
    r.emit("desk", "stage_start", office(t + hours(20)), stage="approval")
    r.row["approval_start"] = office(t + hours(20))
    rows.append(r.row)


def write_long():
    out, number = [], 0
    for _, _, e in sorted(events, key=lambda x: x[:2]):
        number += 1
        e["id"] = f"{e['source']}-{number:05d}"
        out.append(json.dumps(e))
        if rng.random() < 0.004:  # delivered at least once, sometimes twice
            out.append(out[-1])
    with open("releases.jsonl", "w", newline="\n") as f:
        f.write("\n".join(out) + "\n")


WIDE = ["model", "version", "track", "run_started", "run_ended", "registered", "sign_off", "sign_off_revoked",
        "packaging_start", "packaging_end", "packaging_outcome", "validation_start", "validation_end", "validation_outcome",
        "staging_start", "staging_serving", "staging_end", "staging_outcome", "approval_start", "approval_end", "approval_outcome",
        "canary_start", "canary_end", "serving", "rejected", "withdrawn", "rollback_decided", "restored", "restored_version"]


def write_wide():
    rows.sort(key=lambda r: (r["sign_off"], r["model"]))
    with open("releases_wide.csv", "w", newline="") as f:
        w = csv.DictWriter(f, WIDE, lineterminator="\n")
        w.writeheader()
        for r in rows:
            if r["sign_off"] > AS_OF:
                continue
            line = {}
            for name, value in r.items():
                if isinstance(value, datetime):
                    value = zoned(value, "sheet") if value <= AS_OF else ""
                line[name] = value
            for stage in ("packaging", "validation", "staging", "approval"):
                if not line.get(stage + "_end"):
                    line[stage + "_outcome"] = ""
            if not line.get("restored"):
                line["restored_version"] = ""
            w.writerow(line)


BAD = """\
{"id":"a-1","source":"desk","kind":"signoff","model":"fraud-scorer","version":"2026.1","at":"2026-01-02T09:00:00+01:00"}
{"id":"a-2","source":"desk","kind":"signoff","model":"fraud-scorer","version":"2026.2","at":"2026-01-05T09:00:00"}
{"id":"a-3","source":"desk","kind":"sign-off","model":"fraud-scorer","version":"2026.3","at":"2026-01-05T09:00:00+01:00"}
{"id":"a-4","source":"ci","kind":"stage_start","version":"2026.1","stage":"validation","at":"2026-01-02T10:00:00Z"}
{"id":"a-5","source":"ci","kind":"stage_start","model":"fraud-scorer","version":"2026.1","stage":"validation","attempt":0,"at":"2026-01-02T10:00:00Z"}
{"id":"a-6","source":"ci","kind":"stage_end","model":"fraud-scorer","version":"2026.1","stage":"validation","outcome":"green","at":"2026-01-02T12:00:00Z"}
{"id":"a-7","source":"rollout","kind":"traffic_change","model":"fraud-scorer","version":"2026.1","traffic_pct":"a quarter","at":"2026-01-02T13:00:00Z"}
{"id":"a-8","source":"rollout","kind":"traffic_change","model":"fraud-scorer","version":"2026.1","traffic_pct":250,"at":"2026-01-02T13:00:00Z"}
{"id":"a-9","source":"rollout","kind":"serving","model":"fraud-scorer","version":"2026.1","at":1767362400}
{"id":"a-10","source":"rollout","kind":"serving","model":"fraud-scorer","version":"2026.1","at":"2026-01-02T14:00:00Z"}
{"id":"a-10","source":"rollout","kind":"serving","model":"fraud-scorer","version":"2026.1","at":"2026-01-02T14:00:00Z"}
{"id":"a-11","source":"rollout","kind":"serving","model":"churn-risk","version":"2026.1","at":"2026-01-02T08:00:00Z"}
{"id":"a-12","source":"desk","kind":"signoff","model":"churn-risk","version":"2026.1","at":"2026-01-02T12:00:00Z"}
{"id":"a-13","source":"rollout","kind":"serving","model":"fraud-sc
"""


def write_bad():
    with open("releases_bad.jsonl", "w", newline="\n") as f:
        f.write(BAD)


def write_samples():
    """Answers of fraud-scorer within 100 ms, every five minutes for 28 days."""
    step, n = timedelta(minutes=5), 28 * 24 * 12
    with open("samples.csv", "w", newline="\n") as f:
        f.write("time,good,total\n")
        for i in range(1, n + 1):
            t = AS_OF - (n - i) * step
            local = t.astimezone(BERLIN)
            busy = 1 if 8 <= local.hour < 22 else 0.35
            total = round(1600 * busy * (0.8 if local.weekday() > 4 else 1) * (0.9 + 0.2 * rng.random()))
            rate = 0.0003
            if datetime(2025, 12, 15, 9, 40, tzinfo=timezone.utc) < t <= datetime(2025, 12, 15, 10, 30, tzinfo=timezone.utc):
                rate = 0.06  # the feature store was away
            elif datetime(2025, 12, 22, 6, tzinfo=timezone.utc) < t <= datetime(2025, 12, 23, 0, tzinfo=timezone.utc):
                rate = 0.003  # a slow node
            elif t > AS_OF - timedelta(hours=3):
                rate = 0.02  # it burns now
            bad = sum(rng.random() < rate for _ in range(total))
            f.write(f"{zoned(t, 'rollout')},{total - bad},{total}\n")


OBJECTIVE = """\
# What the callers of fraud-scorer were promised.
apiVersion: openslo/v1
kind: SLO
metadata:
  name: answered-in-time
  displayName: Answered within 100 ms
spec:
  description: 999 of 1000 payments get a score within 100 ms.
  service: fraud-scorer
  indicator:
    metadata:
      name: answered-in-time
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: csv
            spec:
              column: good
        total:
          metricSource:
            type: csv
            spec:
              column: total
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
  x-rampguard:
    model: fraud-scorer
    minBad: 3
    alerts: google
    gate:
      haltOn: [page]
      minRemaining: 0.1
"""


def write_objective():
    with open("objective.yaml", "w", newline="\n") as f:
        f.write(OBJECTIVE)


if __name__ == "__main__":
    last = {model: one_model(model) for model in MODELS}
    stuck("price-advisor", last["price-advisor"])
    write_long()
    write_wide()
    write_bad()
    write_samples()
    write_objective()
