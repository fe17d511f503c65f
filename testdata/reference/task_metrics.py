"""Metrics of binary, multiclass and regression tasks, by scikit-learn.

Run: /usr/bin/python3 testdata/reference/task_metrics.py   (from the root; needs go)
"""
import json
import os
import platform
import subprocess
import tempfile

import numpy as np
import pandas as pd
import sklearn
from sklearn import metrics

HERE = os.path.dirname(os.path.abspath(__file__))


def case(name, func, inputs, want, rtol=1e-12):
    return {"name": name, "func": func, "in": inputs, "want": want, "rtol": rtol}


def binary(rng, n, threshold, name):
    p = np.round(rng.beta(1.5, 3, n), 3)
    y = (rng.random(n) < p).astype(int)
    hat = (p >= threshold).astype(int)
    tn = ((hat == 0) & (y == 0)).sum()
    fp = ((hat == 1) & (y == 0)).sum()
    return case(name, "binary", {"score": p.tolist(), "label": y.tolist(), "threshold": threshold}, {
        "accuracy": metrics.accuracy_score(y, hat),
        "precision": metrics.precision_score(y, hat),
        "recall": metrics.recall_score(y, hat),
        "false_positive_rate": fp / (fp + tn),
    })


def regression(rng, n, scale, name, ties=False):
    x = rng.normal(0, 1, n)
    y = scale * (x + rng.normal(0, 0.5, n))
    p = scale * 0.9 * x
    if ties:
        y, p = np.round(y), np.round(p)
    lower, upper = p - 0.6 * scale, p + 0.7 * scale
    if ties:
        lower, upper = np.round(lower), np.round(upper)
    q = 0.9
    return case(name, "regression", {"score": p.tolist(), "label": y.tolist(), "lower": lower.tolist(), "upper": upper.tolist(), "q": q}, {
        "mae": metrics.mean_absolute_error(y, p),
        "mse": metrics.mean_squared_error(y, p),
        "rmse": metrics.mean_squared_error(y, p, squared=False),
        # The spread of labels is that of a sample, divided by n-1.
        "r2": 1 - (1 - metrics.r2_score(y, p)) * (n - 1) / n,
        "bias": float(np.mean(p - y)),
        "quantile_loss": metrics.mean_pinball_loss(y, p, alpha=q),
        "coverage": float(np.mean((y >= lower) & (y <= upper))),
    }, rtol=1e-9)


def multiclass(rng, n, k, name):
    names = [f"class{i}" for i in range(k)]
    p = rng.dirichlet(np.ones(k), n)
    y = np.array([rng.choice(k, p=row) for row in p])
    hat = p.argmax(axis=1)
    onehot = np.eye(k)[y]
    return case(name, "multiclass", {"p": p.tolist(), "label": [names[i] for i in y], "classes": names}, {
        "accuracy": metrics.accuracy_score(y, hat),
        "log_loss": metrics.log_loss(y, p, labels=list(range(k))),
        "brier": float(np.mean(((p - onehot) ** 2).sum(axis=1))),
        "recall": metrics.recall_score(y, hat, average=None, labels=list(range(k)), zero_division=0).tolist(),
        "precision": metrics.precision_score(y, hat, average=None, labels=list(range(k)), zero_division=0).tolist(),
        "macro_f1": metrics.f1_score(y, hat, average="macro", labels=list(range(k)), zero_division=0),
        "confusion": metrics.confusion_matrix(y, hat, labels=list(range(k))).ravel().tolist(),
    }, rtol=1e-9)


def flights(log, arm):
    """The real logs: as they are, and as if the label were a number."""
    rows = log[log.label.notna()]
    y, p = rows.label.astype(float).astype(int).to_numpy(), rows.score.to_numpy()
    hat = (p >= 0.25).astype(int)
    tn, fp, _, _ = metrics.confusion_matrix(y, hat).ravel()
    yield case("flights: " + arm, "flights", {"arm": arm, "threshold": 0.25}, {
        "accuracy": metrics.accuracy_score(y, hat),
        "precision": metrics.precision_score(y, hat),
        "recall": metrics.recall_score(y, hat),
        "false_positive_rate": fp / (fp + tn),
    })
    yield case("flights, the label as a number: " + arm, "flights number", {"arm": arm}, {
        "mae": metrics.mean_absolute_error(y, p),
        "mse": metrics.mean_squared_error(y, p),
        "rmse": metrics.mean_squared_error(y, p, squared=False),
        "bias": float(np.mean(p - y)),
        "quantile_loss": metrics.mean_pinball_loss(y, p, alpha=0.9),
    }, rtol=1e-9)


def main():
    rng = np.random.default_rng(20260101)
    cases = [
        binary(rng, 60, 0.5, "binary: 60 rows at 0.5"),
        binary(rng, 200, 0.25, "binary: ties at 0.25"),
        binary(rng, 500, 0.9, "binary: few above 0.9"),
        regression(rng, 60, 1.0, "regression: 60 rows"),
        regression(rng, 200, 10.0, "regression: whole numbers", ties=True),
        regression(rng, 200, 1e-9, "regression: tiny"),
        regression(rng, 200, 1e9, "regression: huge"),
        regression(rng, 500, 3.0, "regression: 500 rows"),
        multiclass(rng, 80, 2, "multiclass: 2 classes"),
        multiclass(rng, 150, 3, "multiclass: 3 classes"),
        multiclass(rng, 450, 7, "multiclass: 7 classes"),
        multiclass(rng, 260, 5, "multiclass: 5 classes"),
        multiclass(rng, 300, 4, "multiclass: 4 classes"),
    ]
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["go", "run", "./testdata/reference/flights_csv", tmp], check=True)
        for arm in ["baseline", "candidate", "candidate_broken"]:
            cases += flights(pd.read_csv(os.path.join(tmp, arm + ".csv")), arm)
    out = {
        "generator": "testdata/reference/task_metrics.py",
        "command": "/usr/bin/python3 testdata/reference/task_metrics.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "sklearn": sklearn.__version__, "pandas": pd.__version__},
        "tolerance": "relative, in each case",
        "cases": cases,
    }
    with open(os.path.join(HERE, "task_metrics.json"), "w") as f:
        json.dump(out, f, indent=0)
        f.write("\n")


if __name__ == "__main__":
    main()
