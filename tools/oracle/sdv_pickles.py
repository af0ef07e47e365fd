#!/usr/bin/env python3
"""Fits small synthesizers with the SDV that runs this script and saves them as <folder>/sdv-<version>-<case>.pkl.

    python tools/oracle/sdv_pickles.py FOLDER

tests/data/sdv_pickles.zip holds the files of SDV 1.10.0, 1.20.0, 1.32.0 and 2.0.0 (run once with each, then `zip -X`). Beside each
stands <name>.json, SDV's own account: columns, and quantiles of each numeric column's marginal at a few u. One case with every
marginal that SDV offers, and cases that a reader must refuse by name.
"""
import importlib.metadata
import json
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
from sdv import metadata as sdv_metadata
from sdv.single_table import GaussianCopulaSynthesizer

warnings.filterwarnings("ignore")
U = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]


def rows(n=120):
    random = np.random.default_rng(7)
    strain = random.normal(size=n)
    table = pd.DataFrame({
        "amount": np.round(np.exp(1 + 0.5 * strain + 0.3 * random.normal(size=n)), 2),
        "count": random.poisson(3 + np.exp(0.3 * strain)).astype("int64"),
        "rate": np.round(5 + strain + 0.5 * random.normal(size=n), 3),
        "segment": np.where(strain > 0.5, "sme", np.where(strain > -0.5, "corp", "household")),
        "default": np.where(strain + random.normal(size=n) > 1.5, "Y", "N"),
    })
    table.loc[random.random(n) < 0.2, "rate"] = np.nan
    table.loc[random.random(n) < 0.1, "segment"] = None
    return table


def save(folder, case, data, sdtypes=None, **settings):
    columns = {name: (sdtypes or {}).get(name, {"sdtype": "numerical" if data[name].dtype.kind in "if" else "categorical"}) for name in data.columns}
    if hasattr(sdv_metadata, "SingleTableMetadata"):
        metadata = sdv_metadata.SingleTableMetadata.load_from_dict({"columns": columns, "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"})
    else:
        metadata = sdv_metadata.Metadata.load_from_dict({"tables": {"rows": {"columns": columns}}, "relationships": [], "METADATA_SPEC_VERSION": "V1"})
    synthesizer = GaussianCopulaSynthesizer(metadata, **settings)
    synthesizer.fit(data if hasattr(sdv_metadata, "SingleTableMetadata") else {"rows": data})
    # One random state for all encoders: three for each would be most of the file, and no reader looks at them.
    state = np.random.RandomState(0)
    for transformer in synthesizer._data_processor._hyper_transformer.field_transformers.values():
        if hasattr(transformer, "random_states"):
            transformer.random_states = dict.fromkeys(transformer.random_states, state)
    name = f"sdv-{importlib.metadata.version('sdv')}-{case}"
    synthesizer.save(str(folder / f"{name}.pkl"))
    account = {"columns": {}}
    model = synthesizer._model
    for column, univariate in zip(model.columns, model.univariates):
        instance = getattr(univariate, "_instance", None) or univariate
        x = np.asarray(instance.percent_point(np.array(U)), dtype=float)
        account["columns"][str(column)] = {"family": type(instance).__name__, "u": U, "x": x.tolist()}
    (folder / f"{name}.json").write_text(json.dumps(account))
    print(name, {c: a["family"] for c, a in account["columns"].items()})


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    families = ["beta", "norm", "truncnorm", "gamma", "uniform", "gaussian_kde"]
    table = rows()[["segment", "rate"]]
    for family in families:
        table[family] = np.round(rows()["amount"] + np.random.default_rng(len(family)).normal(size=len(table)) ** 2, 4)
    save(folder, "marginals", table, numerical_distributions={family: family for family in families})
    save(folder, "datetime", rows()[["amount"]].assign(day=pd.date_range("2024-01-01", periods=120).astype(str)),
         sdtypes={"day": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}})
    save(folder, "id", rows()[["amount"]].assign(key=[f"k{i:03}" for i in range(120)]), sdtypes={"key": {"sdtype": "id"}})


main()
