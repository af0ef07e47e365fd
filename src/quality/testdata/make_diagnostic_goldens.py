"""Makes the goldens of the diagnostic and of the distances: CSV files, SDV's metadata, and what SDMetrics
says of them.

Values out of bounds, unknown categories, keys that repeat, formats that are broken, columns of other
dtypes and columns that only one
table has. Run with SDMetrics 0.32.0 from this folder: python make_diagnostic_goldens.py
"""
import json

import numpy as np
import pandas as pd
from sdmetrics.reports.single_table import DiagnosticReport
from sdmetrics.single_table.privacy import DCROverfittingProtection
from sdmetrics.single_table.privacy.dcr_utils import calculate_dcr


def make(seed, rows, shift):
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, rows)
    odd = shift > 0
    frame = pd.DataFrame({
        "number": np.arange(rows) // (1 + odd),
        "code": [f"A{k:03d}" if not odd or k % 7 else f"a{k}" for k in range(rows)],
        "mail": [f"user{k % (rows - 5 * odd)}@example.com" for k in range(rows)],
        "x": x.round(3),
        "bounded": rng.uniform(0, 100 + 20 * shift, rows).round(2),
        "free": rng.integers(0, 9, rows).astype(float),
        "grade": rng.choice(list("ABC") + (["Z"] if odd else []), rows),
        "listed": rng.choice(["p", "q", "r"], rows),
        "flag": rng.random(rows) < 0.3,
        "since": pd.Series(pd.Timestamp("2020-01-31")
                           + pd.to_timedelta(rng.integers(0, 900, rows) + int(200 * shift), unit="D"))
                 .dt.strftime("%d%b%Y").str.upper(),
        "broken": [f"2024-{1 + k % 12:02d}-05" if not odd or k % 4 else f"05/{1 + k % 12:02d}/2024"
                   for k in range(rows)],
        "same": 7,
    })
    frame.loc[rng.random(rows) < 0.1, "free"] = np.nan
    frame.loc[rng.random(rows) < 0.1, "listed"] = np.nan
    if odd:
        frame.loc[rng.random(rows) < 0.1, "grade"] = np.nan
        frame.loc[rng.random(rows) < 0.1, "x"] = np.nan
        frame.loc[3, "mail"] = None
        frame.loc[4:5, "code"] = None
        frame["same"] = 7.0
        frame["extra"] = 1
    else:
        frame["only_real"] = "yes"
    return frame


columns = {
    "number": {"sdtype": "id"},
    "code": {"sdtype": "id", "regex_format": "A[0-9]{3}"},
    "mail": {"sdtype": "email"},
    "x": {"sdtype": "numerical"},
    "bounded": {"sdtype": "numerical", "range_min": 5, "range_is_nullable": False},
    "free": {"sdtype": "numerical"},
    "grade": {"sdtype": "categorical"},
    "listed": {"sdtype": "categorical", "range_values": ["p", "q"], "range_is_nullable": False},
    "flag": {"sdtype": "boolean"},
    "since": {"sdtype": "datetime", "datetime_format": "%d%b%Y"},
    "broken": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
    "same": {"sdtype": "numerical"},
}
metadata = {"primary_key": "number", "alternate_keys": ["mail"], "columns": columns}
for seed, name, rows, shift in ((11, "real", 160, 0), (12, "synthetic", 120, 0.4), (13, "holdout", 160, 0)):
    make(seed, rows, shift).to_csv(f"diagnostic_{name}.csv", index=False)
real, synthetic, holdout = (pd.read_csv(f"diagnostic_{n}.csv") for n in ("real", "synthetic", "holdout"))
golden = {}
for name, keys in (("single", {"primary_key": "number", "alternate_keys": ["mail"]}),
                   ("composite", {"primary_key": ["grade", "free", "flag"],
                                  "alternate_keys": [["mail", "code"]],
                                  "sequence_index": "since"})):
    meta = {**keys, "columns": columns}
    json.dump(meta, open(f"diagnostic_{name}.json", "w"), indent=1)
    report = DiagnosticReport()
    report.generate(real, synthetic, meta, verbose=False)
    details = report.get_details("Data Validity")
    golden[name] = {
        "overall": report.get_score(),
        "validity": report.get_properties()["Score"][0],
        "structure": report.get_properties()["Score"][1],
        "columns": [[", ".join(c) if isinstance(c, list) else c, m, None if pd.isna(s) else s]
                    for c, m, s in details[["Column", "Metric", "Score"]].itertuples(index=False)],
    }
kept = {"columns": {k: v for k, v in columns.items()
                    if v["sdtype"] in ("numerical", "categorical", "boolean", "datetime") and k != "broken"}}
json.dump(kept, open("distance.json", "w"), indent=1)
pick = lambda frame: frame[list(kept["columns"])]
golden["distance"] = {
    "to_real": list(calculate_dcr(pick(synthetic), pick(real), kept)),
    "to_holdout": list(calculate_dcr(pick(synthetic), pick(holdout), kept)),
    "overfitting": DCROverfittingProtection.compute_breakdown(pick(real), pick(synthetic), pick(holdout),
                                                             {"tables": {"t": kept}}, "t"),
}
json.dump(golden, open("diagnostic_golden.json", "w"), indent=1)
