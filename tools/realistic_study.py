#!/usr/bin/env python3
"""How well can models rank the realistic book, beside the best that anybody can? Needs numpy, pandas, scikit-learn.

  tools/realistic_study.py TRAIN.csv TEST.csv...

The files come from `maeil generate --book realistic --with-truth --date D --seed N --num-rows M --out F.csv`, each of another
date. Everything is prepared as maeil prepares it, with the values fitted on TRAIN; true_pd is never a feature. Judges: logistic
regression (one-hot categories, null flags, robust-scaled numbers) and gradient boosting, each as the library has it and shrunk for
500 defaults: what shrinks was chosen once by the AUC on TRAIN's own folds (--choose prints the table), not on a test.
Prints ROC AUC, the truth's first (which no model can pass but by luck) with its standard error (Hanley and McNeil, 1982); and how
far the shrunk boosting is above the shrunk logistic regression, with the standard deviation of 200 bootstrap samples of the rows.
"""
import argparse
import sys

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from portfolio_rows import TRUTH, Preparation, read


class Wide(TransformerMixin, BaseEstimator):
    """Codes one-hot, numbers clipped to 10 interquartile ranges: what a linear model reads."""

    def __init__(self, categories=0):
        self.categories = categories

    def fit(self, x, y=None):
        self.one_hot = OneHotEncoder(handle_unknown="ignore").fit(x[:, : self.categories])
        return self

    def transform(self, x):
        return np.hstack([self.one_hot.transform(x[:, : self.categories]).toarray(), np.clip(x[:, self.categories :], -10, 10)])


def logistic(categories, strength):
    return make_pipeline(Wide(categories), LogisticRegression(C=strength, max_iter=3000))


def boosting(**shrunk):
    return HistGradientBoostingClassifier(random_state=0, **shrunk)


SHRUNK = dict(learning_rate=0.03, max_iter=100, max_leaf_nodes=16, min_samples_leaf=60, l2_regularization=5.0, max_features=0.3)


def models(categories):
    return {
        "logistic regression, C 1": logistic(categories, 1.0),
        "logistic regression, C 0.01": logistic(categories, 0.01),
        "boosting, as it comes": boosting(),
        "boosting, shrunk": boosting(**SHRUNK),
    }


def choices(categories):
    out = {f"logistic regression, C {c}": logistic(categories, c) for c in (0.001, 0.01, 0.1, 1.0)}
    for leaves in (4, 8, 16, 32):
        for rounds in (50, 100, 200):
            out[f"boosting, {leaves} leaves, {rounds} rounds"] = boosting(**{**SHRUNK, "max_leaf_nodes": leaves, "max_iter": rounds})
    return out


def standard_error(auc, label):
    bad, good = label.sum(), len(label) - label.sum()
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return np.sqrt((auc * (1 - auc) + (bad - 1) * (q1 - auc**2) + (good - 1) * (q2 - auc**2)) / (bad * good))


def bootstrap_error(label, first, second, samples=200):
    """Standard deviation of AUC(first) - AUC(second) over samples of the rows with replacement."""
    random = np.random.default_rng(0)
    draws = (random.integers(0, len(label), len(label)) for _ in range(samples))
    return np.std([roc_auc_score(label[rows], first[rows]) - roc_auc_score(label[rows], second[rows]) for rows in draws], ddof=1)


def truth(path):
    return pd.read_csv(path, usecols=[TRUTH], encoding="utf-8-sig")[TRUTH].to_numpy()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("train")
    arguments.add_argument("test", nargs="*")
    arguments.add_argument("--choose", action="store_true", help="five folds of TRAIN: the AUC of each strength of shrinking")
    arguments = arguments.parse_args()

    text, numbers, label = read(arguments.train)
    prepare = Preparation(text, numbers)
    matrix = lambda text, numbers: np.hstack(prepare(text, numbers))
    x, categories = matrix(text, numbers), len(prepare.columns)
    print(f"{arguments.train}: {len(label)} rows, {label.mean():.4f} default, {categories} categories, {x.shape[1] - categories} numbers")
    if arguments.choose:
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        for name, model in choices(categories).items():
            scores = cross_val_score(model, x, label, cv=folds, scoring="roc_auc")
            print(f"  {name:34s} AUC {scores.mean():.4f} (folds {scores.min():.4f} to {scores.max():.4f})")
        return 0
    fitted = {name: model.fit(x, label) for name, model in models(categories).items()}
    for path in arguments.test:
        text, numbers, label = read(path)
        p, x = truth(path), matrix(text, numbers)
        best = roc_auc_score(label, p)
        print(f"{path}: {len(label)} rows, {label.mean():.4f} default, mean true_pd {p.mean():.4f}")
        print(f"  {'the truth':34s} AUC {best:.4f} (error {standard_error(best, label):.4f})")
        scores = {name: model.predict_proba(x)[:, 1] for name, model in fitted.items()}
        for name, score in scores.items():
            auc = roc_auc_score(label, score)
            print(f"  {name:34s} AUC {auc:.4f} ({auc - best:+.4f})")
        boosted, linear = scores["boosting, shrunk"], scores["logistic regression, C 0.01"]
        ahead = roc_auc_score(label, boosted) - roc_auc_score(label, linear)
        print(f"  {'boosting ahead, both shrunk':34s} {ahead:+.4f} (error {bootstrap_error(label, boosted, linear):.4f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
