"""Makes calibration.json: rows with their probabilities and labels, and what scikit-learn, SciPy and betacal
make of them.

Three books of rows: `bent` (beta keeps both coefficients; ties), `steep` (beta's a turns negative and is
dropped) and `reversed` (worse than chance: nothing monotone is better than the base rate). Beta is fitted by
scikit-learn's logistic regression to Platt's targets, each row there twice, once as a positive with the
target as its weight; `betacal` fits it to the labels.
Run with scikit-learn 1.9.1 and betacal 1.1.0 from this folder: python make_calibration_goldens.py
"""
import json

import numpy as np
from betacal import BetaCalibration
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, _SigmoidCalibration
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression


class Score(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose decision function is its one feature."""

    classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]

    def predict(self, X):
        return (self.decision_function(X) > 0).astype(int)

    def __sklearn_is_fitted__(self):
        return True


def book(seed, rows, truth):
    """Probabilities of 3 digits, so that some are equal and some 0, and labels by `truth` of them."""
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(-1.5, 2, rows)).round(3)
    return p, (rng.random(rows) < truth(np.clip(p, 1e-15, 1 - 1e-15))).astype(int)


def platt_targets(y):
    positives, negatives = y.sum(), len(y) - y.sum()
    return np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def beta_on_targets(p, y):
    """a, b, c by Newton's method to machine precision, with Kull's rule of dropping."""
    columns = np.c_[np.log(p), -np.log1p(-p)]
    target = platt_targets(y)

    def fit(used):
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-13, max_iter=1000)
        features = columns[:, used]
        model.fit(np.r_[features, features], np.r_[np.ones(len(y)), np.zeros(len(y))],
                  np.r_[target, 1 - target])
        return [*model.coef_[0], model.intercept_[0]]

    a, b, c = fit([0, 1])
    if a < 0:
        b, c = fit([1])
        a = 0
    elif b < 0:
        a, c = fit([0])
        b = 0
    return [0, 0, logit(target.mean())] if min(a, b) < 0 else [a, b, c]


golden = {}
at = np.array([1e-6, 0.001, 0.02, 0.05, 0.1173, 0.25, 0.4, 0.5, 0.66, 0.8, 0.93, 0.999])
for name, seed, truth in (
        ("bent", 1, lambda p: expit(0.9 * np.log(p) - 0.35 * np.log1p(-p) - 0.3)),
        ("steep", 2, lambda p: expit(-0.25 * np.log(p) - 1.2 * np.log1p(-p) - 2.2)),
        ("reversed", 3, lambda p: expit(-0.4 * logit(p) - 1))):
    raw, y = book(seed, 700, truth)
    p = np.clip(raw, 1e-15, 1 - 1e-15)
    sigmoid = _SigmoidCalibration().fit(logit(p), y)
    public = CalibratedClassifierCV(FrozenEstimator(Score()), method="sigmoid").fit(logit(p)[:, None], y)
    targets = platt_targets(y)
    isotonic = IsotonicRegression(y_min=targets.min(), y_max=targets.max(), out_of_bounds="clip").fit(raw, y)
    unbounded = CalibratedClassifierCV(FrozenEstimator(Score()), method="isotonic").fit(raw[:, None], y)
    golden[name] = {
        "p": raw.tolist(), "y": y.tolist(), "at": at.tolist(),
        "platt": {"slope": -sigmoid.a_, "intercept": -sigmoid.b_, "at": sigmoid.predict(logit(at)).tolist(),
                  "calibrated_classifier_at": public.predict_proba(logit(at)[:, None])[:, 1].tolist()},
        "beta": dict(zip("abc", beta_on_targets(p, y))),
        "betacal_at": BetaCalibration().fit(p, y).predict(at).tolist(),
        "isotonic": {"x": isotonic.X_thresholds_.tolist(), "y": isotonic.y_thresholds_.tolist(),
                     "at": isotonic.predict(at).tolist(),
                     "calibrated_classifier_at": unbounded.predict_proba(at[:, None])[:, 1].tolist()},
    }
    a, b, c = (golden[name]["beta"][k] for k in "abc")
    golden[name]["beta"]["at"] = expit(a * np.log(at) - b * np.log1p(-at) + c).tolist()
json.dump(golden, open("calibration.json", "w"))
