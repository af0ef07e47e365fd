"""Makes scorecard.json: rows of two numbers, a category and a label, and what optbinning, scorecardpy and
statsmodels make of them.

`given`: the weights of evidence and information values of bins that are given, by optbinning (ln of goods
over bads) and scorecardpy (of bads over goods: the sign is turned here). `best`: the splits that optbinning's
solver chooses of twenty quantiles, and their information value. `regression`: statsmodels' Logit of the label
on the weights of evidence.
Run with optbinning 1.0.0 (OR-Tools 9.15.6755), scorecardpy 0.1.9.7 and statsmodels 0.15.0 from this folder:
python make_scorecard_goldens.py
"""
import json

import numpy as np
import pandas as pd
import scorecardpy
import statsmodels.api as sm
from optbinning import OptimalBinning

ROWS = 1200
SPLITS = {"rate": [-0.6, 0.1, 0.9], "leverage": [-0.5, 0.5]}
GROUPS = [[0, 3], [1, 4], [2, 5]]


def book():
    rng = np.random.default_rng(5)
    rate = rng.normal(0, 1, ROWS).round(3)
    leverage = rng.normal(0, 1, ROWS).round(3)
    grade = rng.integers(0, 6, ROWS)
    z = -1.6 + 0.9 * rate - 0.6 * np.abs(leverage) + 0.7 * (grade % 3 == 2)
    label = (rng.random(ROWS) < 1 / (1 + np.exp(-z))).astype(int)
    rate[rng.random(ROWS) < 0.12] = np.nan
    return pd.DataFrame({"rate": rate, "leverage": leverage, "grade": grade, "label": label})


def by_optbinning(name, values, label, splits, kind):
    binning = OptimalBinning(name=name, dtype=kind, user_splits=splits,
                             user_splits_fixed=[True] * len(splits), max_n_bins=8, min_prebin_size=0.001)
    binning.fit(values, label)
    table = binning.binning_table.build(add_totals=False)
    keep = table["Count"] > 0
    return {"rows": table["Count"][keep].tolist(), "events": table["Event"][keep].tolist(),
            "weights": [float(w) for w in table["WoE"][keep]],
            "values": [float(v) for v in table["IV"][keep]]}


def by_scorecardpy(data, name, breaks):
    table = scorecardpy.woebin(data[[name, "label"]], y="label", breaks_list={name: breaks},
                               print_info=False)[name]
    return {"rows": table["count"].tolist(), "events": table["bad"].tolist(),
            "weights": (-table["woe"]).tolist(), "values": table["bin_iv"].tolist()}


def best_of_quantiles(values, label, trend):
    ordered = np.sort(values.astype(np.float32))
    splits = sorted({float(ordered[k * len(ordered) // 20]) for k in range(1, 20)} - {float(ordered[0])})
    binning = OptimalBinning(dtype="numerical", user_splits=np.array(splits), user_splits_fixed=None,
                             monotonic_trend=trend, max_n_bins=8, min_bin_size=0.05, min_prebin_size=0.001,
                             time_limit=600)
    binning.fit(values.astype(np.float32).astype(float), label)
    binning.binning_table.build()
    return {"status": binning.status, "splits": [float(s) for s in binning.splits],
            "information_value": float(binning.binning_table.iv)}


def weights(codes, label):
    out = np.zeros(len(label))
    for code in np.unique(codes):
        here = codes == code
        bads, goods = label[here].sum() / label.sum(), (1 - label[here]).sum() / (1 - label).sum()
        out[here] = np.log(goods / bads)
    return out


data = book()
label = data["label"].to_numpy()
made = {"rows": {name: [None if pd.isna(x) else x for x in data[name].tolist()] for name in data},
        "splits": SPLITS, "groups": GROUPS, "given": {}, "best": {}}
for name, splits in SPLITS.items():
    made["given"][name] = {
        "optbinning": by_optbinning(name, data[name].to_numpy(), label, splits, "numerical"),
        "scorecardpy": by_scorecardpy(data, name, splits)}
as_text = data.assign(grade=[f"g{g}" for g in data["grade"]])
groups = [[f"g{g}" for g in group] for group in GROUPS]
arrays = np.array([np.array(group) for group in groups], dtype=object)
made["given"]["grade"] = {
    "optbinning": by_optbinning("grade", as_text["grade"].to_numpy(dtype=object), label, arrays,
                                "categorical"),
    "scorecardpy": by_scorecardpy(as_text, "grade", ["%,%".join(g) for g in groups])}
for trend in ("ascending", "descending"):
    for name, values in (("leverage", data["leverage"]), ("rate", data["rate"].dropna())):
        of_values = data.loc[values.index, "label"].to_numpy()
        made["best"][f"{name} {trend}"] = best_of_quantiles(values.to_numpy(), of_values, trend)

bins = {name: np.where(data[name].isna(), -1, np.digitize(data[name], splits))
        for name, splits in SPLITS.items()}
group_of = {g: k for k, group in enumerate(GROUPS) for g in group}
bins["grade"] = np.array([group_of[g] for g in data["grade"]])
columns = np.c_[weights(bins["grade"], label), weights(bins["rate"], label), weights(bins["leverage"], label)]
fit = sm.Logit(label, sm.add_constant(columns)).fit(method="newton", tol=1e-14, maxiter=100, disp=False)
made["regression"] = {"coefficients": fit.params.tolist(), "standard_errors": fit.bse.tolist(),
                      "p_values": fit.pvalues.tolist(), "loss": -fit.llf / ROWS,
                      "correlations": np.corrcoef(columns, rowvar=False).tolist()}
with open("scorecard.json", "w") as out:
    json.dump(made, out)
    out.write("\n")
