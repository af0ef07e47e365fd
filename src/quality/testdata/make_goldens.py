"""Makes the goldens of the quality scores: two small CSV files, SDV's metadata, and what SDMetrics says of
them.

Numbers, integers, categories, booleans, dates, missing values in both, a constant and a category only
one file has.
Run with SDMetrics 0.32.0 from this folder: python make_goldens.py
"""
import json

import numpy as np
import pandas as pd
from sdmetrics.reports.single_table import QualityReport


def make(seed, rows, shift):
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, rows)
    frame = pd.DataFrame({
        "x": x.round(4),
        "y": (x * 0.9 + rng.normal(0, 0.4, rows)).round(4),
        "count": rng.poisson(3, rows),
        "grade": np.where(x > 0.5, "A", np.where(x > -0.5, "B", "C")),
        "segment": rng.choice(["sme", "corporate", "retail"] + (["new"] if shift else []), rows),
        "flag": x + rng.normal(0, 0.3, rows) > 0,
        "class": rng.integers(0, 2, rows),
        "since": (pd.Timestamp("2020-01-01")
                  + pd.to_timedelta(rng.integers(0, 900, rows) + (x * 100).astype(int), unit="D")
                  ).strftime("%Y-%m-%d"),
        "same": 7,
    })
    frame.loc[rng.random(rows) < 0.1, "y"] = np.nan
    frame.loc[rng.random(rows) < 0.15, "segment"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "since"] = None
    return frame


def clean(value):
    return None if pd.isna(value) else float(value)


types = {"x": "numerical", "y": "numerical", "count": "numerical", "grade": "categorical",
         "segment": "categorical",
         "flag": "boolean", "class": "categorical", "since": "datetime", "same": "numerical"}
metadata = {"columns": {k: {"sdtype": v, **({"datetime_format": "%Y-%m-%d"} if v == "datetime" else {})}
                        for k, v in types.items()}}
make(1, 200, 0).to_csv("real.csv", index=False)
make(2, 150, 0.3).to_csv("synthetic.csv", index=False)
json.dump(metadata, open("metadata.json", "w"), indent=1)
golden = {}
for name, thresholds in (("current", None), ("older", 0)):
    report = QualityReport()
    if thresholds is not None:
        report.real_correlation_threshold = report.real_association_threshold = thresholds
        report._properties["Column Pair Trends"].real_correlation_threshold = 0
        report._properties["Column Pair Trends"].real_association_threshold = 0
    report.generate(pd.read_csv("real.csv"), pd.read_csv("synthetic.csv"), metadata, verbose=False)
    pairs = report.get_details("Column Pair Trends")
    golden[name] = {
        "overall": clean(report.get_score()),
        "properties": {p: clean(s) for p, s in report.get_properties().itertuples(index=False)},
        "columns": {c: clean(s) for c, s in
                    report.get_details("Column Shapes")[["Column", "Score"]].itertuples(index=False)},
        "pairs": [[a, b, clean(s), bool(m) if not pd.isna(m) else False]
                  for a, b, s, m in
                  pairs[["Column 1", "Column 2", "Score", "Meets Threshold?"]].itertuples(index=False)],
    }
json.dump(golden, open("golden.json", "w"), indent=1)
