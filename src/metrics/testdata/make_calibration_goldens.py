"""Makes calibration.json: rows with their probabilities and labels, scikit-learn's reliability curve of them
by quantiles, the expected calibration error that follows from it, and SciPy's Wilson intervals.

`ties` has four distinct probabilities, so that some bins stay empty. No number of rows less one is divisible
by 10: there scikit-learn's edges are off by their rounding, and a row that is an edge itself falls to one
side by chance.
Run with scikit-learn 1.9.1 and SciPy 1.17.1 from this folder: python make_calibration_goldens.py
"""
import json

import numpy as np
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

BINS = 10


def reliability(p, y):
    rate, mean = calibration_curve(y, p, n_bins=BINS, strategy="quantile")
    edges = np.percentile(p, np.linspace(0, 100, BINS + 1))[1:-1]
    rows = np.bincount(np.searchsorted(edges, p), minlength=BINS)
    rows = rows[rows > 0]
    return {"p": p.tolist(), "y": y.tolist(),
            "rows": rows.tolist(), "mean": mean.tolist(), "rate": rate.tolist(),
            "ece": float(np.sum(rows * np.abs(mean - rate)) / len(p))}


rng = np.random.default_rng(1)
golden = {}
for name, p in (("smooth", rng.beta(0.6, 5, 493)), ("digits", rng.beta(0.6, 5, 388).round(2)),
                ("ties", rng.choice([0.0, 0.02, 0.3, 1.0], 235, p=[0.5, 0.3, 0.15, 0.05]))):
    golden[name] = reliability(p, (rng.random(len(p)) < 0.8 * p + 0.05).astype(int))
golden["wilson"] = [[k, n, *binomtest(k, n).proportion_ci(method="wilson")]
                    for k, n in ((0, 1), (1, 1), (0, 40), (3, 40), (40, 40), (17, 1234), (500, 1000))]
json.dump(golden, open("calibration.json", "w"))
