"""The judges of the comparison: SDMetrics' quality score, by `maeil report quality`, and scikit-learn's boosted trees trained on synthetic rows.

    synthesis_judge.py FOLDER SAMPLE.csv ...          prints [[F1, ROC AUC] of each sample], tested on FOLDER/holdout.csv
    synthesis_judge.py --sdmetrics FOLDER SAMPLE.csv prints {"quality"}: SDMetrics' own, to check maeil's
"""
import json
import os
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def features(frame, like):
    """Numbers as they are, texts as categories of `like`: what the training rows have, in a fixed order."""
    out = {}
    for name in like.columns:
        if pd.api.types.is_numeric_dtype(like[name]):
            out[name] = pd.to_numeric(frame[name], errors="coerce")
        else:
            # The 200 most frequent; the learner takes at most 255.
            known = like[name].value_counts().index[:200]
            out[name] = pd.Categorical(frame[name], categories=known)
    return pd.DataFrame(out, index=frame.index)


def learn(train, holdout, target):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import f1_score, roc_auc_score

    labels, truth = train[target].astype(str), holdout[target].astype(str)
    if labels.nunique() < 2:
        return 0.0, 0.5
    x = train.drop(columns=target)
    model = HistGradientBoostingClassifier(random_state=0, min_samples_leaf=5, categorical_features="from_dtype").fit(features(x, x), labels)
    test = features(holdout.drop(columns=target), x)
    classes = sorted(truth.unique())
    p = pd.DataFrame(model.predict_proba(test), columns=model.classes_).reindex(columns=classes, fill_value=0.0)
    chosen = p.idxmax(axis=1)
    if len(classes) == 2:
        rare = truth.value_counts().index[-1]
        return f1_score(truth == rare, chosen.values == rare), roc_auc_score(truth == rare, p[rare])
    auc = np.mean([roc_auc_score(truth == c, p[c]) for c in classes])
    return f1_score(truth, chosen, average="macro"), auc


def main():
    if sys.argv[1] == "--sdmetrics":
        from sdmetrics.reports.single_table import QualityReport

        report = QualityReport()
        report.generate(pd.read_csv(f"{sys.argv[2]}/train.csv"), pd.read_csv(sys.argv[3]), json.load(open(f"{sys.argv[2]}/metadata.json")), verbose=False)
        print(json.dumps({"quality": report.get_score()}))
        return
    folder = sys.argv[1]
    target = open(f"{folder}/target").read()
    leaks = open(f"{folder}/leaks").read().split() if os.path.exists(f"{folder}/leaks") else []
    read = lambda path: pd.read_csv(path, low_memory=False).drop(columns=leaks, errors="ignore")
    holdout = read(f"{folder}/holdout.csv")
    print(json.dumps([learn(read(path), holdout, target) for path in sys.argv[2:]]))


if __name__ == "__main__":
    main()
