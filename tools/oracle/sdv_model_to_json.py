#!/usr/bin/env python3
"""Writes an SDV GaussianCopulaSynthesizer as maeil's copula JSON (docs/formats/copula.md), through SDV itself.

    python sdv_model_to_json.py distribution_model.pkl model.json

The answer that maeil's own pickle reader is held against; needs sdv 1.32.
"""
import json, pathlib, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd

FAMILIES = {"BetaUnivariate": "beta", "GaussianUnivariate": "gaussian", "UniformUnivariate": "uniform",
            "TruncatedGaussian": "truncated_gaussian", "GammaUnivariate": "gamma", "StudentTUnivariate": "student_t"}
ORDER = ["a", "b", "df", "loc", "scale"]


def label_text(key, dtype):
    """The category as pandas' to_csv writes it after the transformer cast it to the column's dtype."""
    if pd.isna(key):
        return None
    return str(key) if dtype == object else str(np.dtype(dtype).type(key))


def marginal(univariate):
    params = univariate._params
    return {"family": FAMILIES[type(univariate).__name__], **{k: float(params[k]) for k in ORDER if k in params}}


def optional(value):
    return None if value is None else float(value)


def column(name, univariate, transformer):
    out = {"name": name, "marginal": marginal(univariate)}
    kind = type(transformer).__name__
    if kind == "UniformEncoder":
        out["category"] = {"labels": [label_text(k, transformer.dtype) for k in transformer.intervals],
                           "upper": [float(v[1]) for v in transformer.intervals.values()]}
    elif kind == "FloatFormatter":
        nulls = transformer.null_transformer
        integer = np.issubdtype(transformer._dtype, np.integer)
        digits = transformer._rounding_digits if transformer.learn_rounding_scheme else None
        bounds = transformer.enforce_min_max_values
        out["number"] = {"format": "integer" if integer else "float", "missing": float(nulls._null_percentage) if nulls.nulls else 0.0,
                         "digits": 0 if digits is None and integer else digits,
                         "min": optional(transformer._min_value) if bounds else None, "max": optional(transformer._max_value) if bounds else None}
    else:
        raise SystemExit(f"column {name}: transformer {kind} is not supported")
    return out


def model_json(synthesizer, source):
    copula = synthesizer._model
    transformers = synthesizer._data_processor._hyper_transformer.field_transformers
    univariates = dict(zip(copula.columns, copula.univariates))
    names = [name for name in synthesizer.metadata.tables[synthesizer._table_name].columns]
    return {"format": "maeil-copula", "version": 1, "source": source,
            "columns": [column(name, univariates[name], transformers[name]) for name in names],
            "correlation": copula.correlation.loc[names, names].to_numpy().tolist()}


if __name__ == "__main__":
    from sdv.single_table import GaussianCopulaSynthesizer
    pickle, out = map(pathlib.Path, sys.argv[1:3])
    out.write_text(json.dumps(model_json(GaussianCopulaSynthesizer.load(str(pickle)), pickle.name), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
