#!/usr/bin/env python3
"""Fits small synthesizers with the SDV that runs this script and saves them, untouched, with SDV's own account of each.

    python tools/oracle/sdv_pickles.py FOLDER

tests/data/sdv_pickles.zip holds what it wrote with these, a folder's files packed by tools/oracle/sdv_pack.py:

    sdv 1.10.0  rdt 1.9.2   copulas 0.10.1  pandas 2.1.4  numpy 1.26.4
    sdv 1.20.0  rdt 1.16.0  copulas 0.12.2  pandas 2.2.3  numpy 1.26.4 and 2.2.6
    sdv 1.32.0  rdt 2.0.0   copulas 0.14.1  pandas 2.3.3  numpy 1.26.4 and 2.4.6
    sdv 2.0.0   rdt 2.0.0   copulas 0.14.1  pandas 2.3.3  numpy 2.4.6
    sdv 2.0.0   rdt 2.0.0   copulas 0.14.1  pandas 3.1.1  numpy 2.5.5 (SDV asks for pandas 2; people force it)

<version>-n<numpy's major>[-p3]-<case>.pkl is what save() wrote. The .json beside it is SDV's own account, taken from the file as
load() reads it: quantiles of each marginal at a few u, and of 1,500 rows that sample() drew and to_csv wrote, by column: the share of
missing values, the texts and their shares where there are few, else the smallest, largest and mean number, and a few texts.
SDV 1.10 and 1.20 import ctgan, which needs PyTorch: where it is absent, empty modules stand for it, since no copula uses it.
"""
import datetime, decimal, importlib.metadata, importlib.util, io, json, pathlib, sys, types, warnings

ABSENT = [name for name in ("ctgan", "deepecho") if importlib.util.find_spec(name) is None]
for name, members in {"ctgan": ["CTGAN", "TVAE"], "ctgan.data_transformer": ["DataTransformer"], "ctgan.data_sampler": ["DataSampler"],
                      "deepecho": ["PARModel"], "deepecho.sequences": ["assemble_sequences"]}.items():
    if name.split(".")[0] in ABSENT:
        module = sys.modules[name] = types.ModuleType(name)
        for member in members:
            setattr(module, member, type(member, (), {}))

import numpy as np
import pandas as pd
from sdv import metadata as sdv_metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer

warnings.filterwarnings("ignore")
SINGLE = hasattr(sdv_metadata, "SingleTableMetadata")  # until 1.38; a table of several since
U = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]
ROWS, SAMPLE, FEW = 60, 1500, 12


def metadata_of(columns, **about):
    if SINGLE:
        return sdv_metadata.SingleTableMetadata.load_from_dict({"columns": columns, **about, "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"})
    return sdv_metadata.Metadata.load_from_dict({"tables": {"rows": {"columns": columns, **about}}, "relationships": [], "METADATA_SPEC_VERSION": "V1"})


def fit(synthesizer, rows):
    synthesizer.fit(rows if SINGLE else {"rows": rows})


def account(path):
    if hasattr(GaussianCopulaSynthesizer, "load"):
        synthesizer = GaussianCopulaSynthesizer.load(str(path))
    else:
        from sdv.utils import load_synthesizer
        synthesizer = load_synthesizer(str(path))
    text = io.StringIO()
    sample = synthesizer.sample(SAMPLE)
    (sample["rows"] if isinstance(sample, dict) else sample).to_csv(text, index=False)
    text.seek(0)
    rows = pd.read_csv(text, dtype=str, keep_default_na=False)
    out = {}
    for column in rows:
        values = rows[column][rows[column] != ""]
        one = out[column] = {"missing": float((rows[column] == "").mean())}
        shares = values.value_counts(normalize=True)
        if len(shares) <= FEW:
            one["shares"] = shares.to_dict()
            continue
        one["texts"] = values[:20].tolist()
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.notna().all():
            one.update(min=float(numbers.min()), max=float(numbers.max()), mean=float(numbers.mean()), std=float(numbers.std()))
        else:
            one.update(first=values.min(), last=values.max(), distinct=int(values.nunique()))
    model = synthesizer._model  # None where no column is drawn
    for column, univariate in zip(model.columns, model.univariates) if model else []:
        instance = getattr(univariate, "_instance", None) or univariate
        x = np.asarray(instance.percent_point(np.array(U)), dtype=float)
        out[str(column)]["quantiles"] = {"family": type(instance).__name__, "u": U, "x": x.tolist()}
    return {"columns": out, "order": list(rows.columns), "rows": SAMPLE}


def save(folder, case, columns, metadata={}, **settings):
    """`columns`: name -> (values, sdtype and what else the metadata says)."""
    table = pd.DataFrame({name: values for name, (values, _) in columns.items()})
    synthesizer = GaussianCopulaSynthesizer(metadata_of({name: about for name, (_, about) in columns.items()}, **metadata), **settings)
    fit(synthesizer, table)
    numpy, pandas = (importlib.metadata.version(name).split(".")[0] for name in ("numpy", "pandas"))
    path = folder / f"{importlib.metadata.version('sdv')}-n{numpy}{'-p3' if pandas == '3' else ''}-{case}.pkl"
    synthesizer.save(str(path))
    try:
        path.with_suffix(".json").write_text(json.dumps(account(path), ensure_ascii=False))
    except Exception as error:  # a file that SDV itself cannot sample from is no answer to hold anything against
        path.unlink()
        print(path.name, "left out:", type(error).__name__, str(error)[:100])


def table(generator):
    """Columns by case; every kind of value that a column may hold."""
    whole = generator.integers(-5, 20, ROWS)
    gone = np.arange(ROWS) % 6 == 2
    real = np.round(generator.normal(size=ROWS), 3)
    days = pd.Series(pd.date_range("2023-01-01", periods=ROWS))
    seconds = days + pd.to_timedelta(generator.integers(0, 86400, ROWS), "s")
    number, category, boolean = {"sdtype": "numerical"}, {"sdtype": "categorical"}, {"sdtype": "boolean"}
    date = lambda text: {"sdtype": "datetime", "datetime_format": text}
    typed = lambda values, dtype: pd.Series(values, dtype=dtype)

    def holes(values, dtype):
        out = pd.Series(values, dtype=dtype)
        out[gone] = None
        return out

    objects = lambda values: pd.Series([None if hole else value for value, hole in zip(values, gone)], dtype=object)
    three = np.array(["a", "b", "한글"])[whole % 3]
    yield "numbers", {
        "int8": (typed(whole, "int8"), number), "uint16": (typed(abs(whole), "uint16"), number), "float": (holes(real, "float64"), number),
        "float32": (typed(real + 1e-7, "float32"), number), "constant": (typed([7] * ROWS, "int64"), number),
        "constant_real": (holes([2.5] * ROWS, "float64"), number), "nothing": (typed([np.nan] * ROWS, "float64"), number),
        "large": (typed(whole * 10**12, "int64"), number),
        "tens": (typed(whole * 100.0, "float64"), number), "한글, \"quoted\"": (typed(real, "float64"), number)}
    yield "nothing_object", {"x": (real, number), "nothing": (typed([None] * ROWS, object), number)}
    yield "pandas_nothing", {"x": (real, number), "Int64": (typed([pd.NA] * ROWS, "Int64"), number)}
    yield "pandas_numbers", {
        "Int64": (holes(whole, "Int64"), number), "Int64_full": (typed(whole, "Int64"), number), "UInt8": (holes(abs(whole), "UInt8"), number),
        "Float64": (holes(real, "Float64"), number), "Float32": (typed(real + 1e-7, "Float32"), number),
        "Int64_constant": (holes([7] * ROWS, "Int64"), number)}
    yield "categories", {
        "text": (objects(three), category), "bool": (typed(whole > 3, bool), boolean), "int": (typed(whole % 3, "int64"), category),
        "float": (holes((whole % 3) / 2, "float64"), category), "minus_zero": (typed(np.where(whole % 2, -0.0, 1.0), "float64"), category),
        "float32": (typed((whole % 3) / 10, "float32"), category), "one": (typed(["a"] * ROWS, object), category),
        "nothing": (typed([None] * ROWS, object), category), "nan": (typed([np.nan] * ROWS, "float64"), category)}
    yield "object_categories", {
        "bool": (objects([bool(v > 3) for v in whole]), boolean), "int": (objects([int(v % 3) for v in whole]), category),
        "int_full": (typed([int(v % 3) for v in whole], object), category), "mixed": (objects([1 if v % 2 else 2.5 for v in whole]), category),
        "mixed_full": (typed([1 if v % 2 else 2.5 for v in whole], object), category), "bool_text": (objects([True if v % 2 else "x" for v in whole]), category),
        "bool_int": (typed([True if v % 2 else 5 for v in whole], object), category),
        "decimal": (typed([decimal.Decimal("1.10") if v % 2 else decimal.Decimal(2) for v in whole], object), category),
        "date": (typed([datetime.date(2024, 1, 1 + int(v) % 3) for v in abs(whole)], object), category),
        "numpy_int": (typed([np.int64(v % 3) for v in whole], object), category)}
    yield "pandas_categories", {
        "boolean": (holes(whole > 3, "boolean"), boolean), "string": (holes(three, "string"), category), "Int64": (holes(whole % 3, "Int64"), category),
        "category": (typed(three, object).astype("category"), category), "category_int": (typed(whole % 3, "int64").astype("category"), category),
        "category_float": (typed((whole % 3) / 2, "float64").astype("category"), category),
        "category_bool": (typed(whole > 3, bool).astype("category"), category)}
    yield "times", {"object": (typed([pd.Timestamp(2024, 1, 1 + int(v) % 3, 5) for v in abs(whole)], object), category),
                    "datetime64": (pd.Series(days[:3].tolist() * (ROWS // 3)), category)}
    yield "category_missing", {"x": (real, number), "category": (objects(three).astype("category"), category)}
    yield "dates", {
        "datetime64": (days.where(~gone), date("%Y-%m-%d")), "seconds": (seconds, date("%Y-%m-%d %H:%M:%S")), "minutes": (seconds.dt.floor("min"), date("%Y-%m-%d %H:%M")),
        "micro": (seconds + pd.to_timedelta(generator.integers(1, 10**6, ROWS), "us"), date("%Y-%m-%d %H:%M:%S.%f")), "month": (days, date("%Y-%m")),
        "text": (days.dt.strftime("%d%b%Y").where(~gone), date("%d%b%Y")), "american": (days.dt.strftime("%-m/%-d/%Y"), date("%-m/%-d/%Y")),
        "whole": (days.dt.strftime("%Y%m%d").astype("int64"), date("%Y%m%d")), "real": (days.dt.strftime("%Y%m%d").astype(float).where(~gone), date("%Y%m%d")),
        "string": (days.dt.strftime("%Y-%m-%d").where(~gone).astype("string"), date("%Y-%m-%d")),
        "constant": (pd.Series([pd.Timestamp("2024-05-05")] * ROWS), date("%Y-%m-%d")), "nothing": (pd.Series([pd.NaT] * ROWS), date("%Y-%m-%d"))}
    yield "dates_utc", {"x": (real, number), "utc": (seconds.dt.tz_localize("UTC"), date("%Y-%m-%d %H:%M:%S%z"))}
    yield "dates_seoul", {"x": (real, number), "seoul": (seconds.dt.tz_localize("Asia/Seoul"), date("%Y-%m-%d %H:%M:%S%z"))}
    yield "keys", {
        "key": ([f"k{i:03}" for i in range(ROWS)], {"sdtype": "id"}), "regex": ([f"ID-{i:04}" for i in range(ROWS)], {"sdtype": "id", "regex_format": "ID-[0-9]{4}"}),
        "number": (np.arange(ROWS), {"sdtype": "id", "regex_format": r"\d{5}"}), "amount": (real, number),
        "email": ([f"u{i}@example.org" for i in range(ROWS)], {"sdtype": "email", "pii": True}), "unknown": ([f"x{i}" for i in range(ROWS)], {"sdtype": "unknown", "pii": True})}
    yield "only_keys", {"key": (np.arange(ROWS) + 1000, {"sdtype": "id"}), "email": ([f"u{i}@example.org" for i in range(ROWS)], {"sdtype": "email", "pii": True})}
    yield "number_key", {"key": (np.arange(ROWS) + 1000, {"sdtype": "id"}), "amount": (real, number)}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for case, columns in table(np.random.default_rng(7)):
        metadata = {"primary_key": "key"} if "key" in columns else {}
        try:
            save(folder, case, columns, metadata)
        except Exception as error:
            print(case, "is not fitted by this SDV:", type(error).__name__, str(error)[:100])
    families = ["beta", "norm", "truncnorm", "gamma", "uniform", "gaussian_kde"]
    generator = np.random.default_rng(11)
    columns = {name: (np.round(np.exp(1 + 0.5 * generator.normal(size=ROWS)), 4), {"sdtype": "numerical"}) for name in families}
    save(folder, "marginals", columns, numerical_distributions={family: family for family in families})
    constant = {name: (np.full(ROWS, 3.25), {"sdtype": "numerical"}) for name in families}
    save(folder, "constants", {"x": (columns["norm"][0], {"sdtype": "numerical"}), **constant}, numerical_distributions={family: family for family in families})
    refused(folder, columns)


def refused(folder, columns):
    """Files that are no fitted GaussianCopulaSynthesizer, or one with a constraint."""
    about = {"norm": {"sdtype": "numerical"}, "beta": {"sdtype": "numerical"}}
    version = importlib.metadata.version("sdv")
    metadata = metadata_of(about)
    rows = pd.DataFrame({"norm": columns["norm"][0], "beta": columns["norm"][0] + 1})
    for name, make in {"unfitted": GaussianCopulaSynthesizer, "ctgan": CTGANSynthesizer}.items():
        try:
            make(metadata).save(str(folder / f"{version}-{name}.pkl"))
        except Exception as error:
            print(name, "is not saved by this SDV:", type(error).__name__, str(error)[:100])
    try:
        synthesizer = GaussianCopulaSynthesizer(metadata)
        if hasattr(synthesizer, "_chained_constraints"):
            from sdv.cag import Inequality
            synthesizer.add_constraints([Inequality(low_column_name="norm", high_column_name="beta")])
        else:
            synthesizer.add_constraints([{"constraint_class": "Inequality", "constraint_parameters": {"low_column_name": "norm", "high_column_name": "beta"}}])
        fit(synthesizer, rows)
        synthesizer.save(str(folder / f"{version}-constraint.pkl"))
    except Exception as error:
        print("constraint", type(error).__name__, str(error)[:100])
    try:
        from sdv.multi_table import HMASynthesizer
        tables = {"tables": {"rows": {"columns": about}}, "relationships": []}
        several = (sdv_metadata.MultiTableMetadata.load_from_dict({**tables, "METADATA_SPEC_VERSION": "MULTI_TABLE_V1"}) if SINGLE
                   else sdv_metadata.Metadata.load_from_dict({**tables, "METADATA_SPEC_VERSION": "V1"}))
        synthesizer = HMASynthesizer(several, verbose=False)
        synthesizer.fit({"rows": rows})
        synthesizer.save(str(folder / f"{version}-several_tables.pkl"))
    except Exception as error:
        print("several_tables", type(error).__name__, str(error)[:100])


main()
