#!/usr/bin/env python3
"""Draws two independent SDV samples and packs them, with the model as JSON, for the tests of src/copula.

    python sdv_samples.py distribution_model.pkl tests/data/sdv_copula.zip [rows]      # sdv 1.32; rows: 20000

SDV's null masks come from each transformer's own generator, which loading resets: without fresh ones the two samples would
share their missing values. So every transformer gets its own state per sample.

The zip holds:
  manifest.json  magic "maeil-sdv-samples", version, source's sha256, sdv's version, seeds, rows, and per column its name, kind
                 ("category": values index "labels"; "number": values are value * 10^digits) and digits
  model.json     the model as tools/oracle/sdv_model_to_json.py writes it
  <s>/<cc>       sample s (0, 1), column cc: int64 little endian, missing = -2^63, stored as 8 byte planes (all lowest
                 bytes first), which deflate packs three times better than the numbers as they are
"""
import hashlib, io, json, pathlib, sys, warnings, zipfile
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd, sdv
from sdv.single_table import GaussianCopulaSynthesizer
from sdv_model_to_json import model_json

SEEDS = [20241, 20242]
MISSING = -2**63


def sample(path, seed, rows):
    synthesizer = GaussianCopulaSynthesizer.load(str(path))
    synthesizer._set_random_state(np.random.RandomState(seed))
    transformers = synthesizer._data_processor._hyper_transformer.field_transformers
    for k, name in enumerate(sorted(transformers)):
        transformers[name].set_random_state(np.random.RandomState(seed * 1000 + k), "reverse_transform")
    text = io.StringIO()
    synthesizer.sample(rows).to_csv(text, index=False)
    text.seek(0)
    return pd.read_csv(text, dtype=str, keep_default_na=False)   # every value as its characters in the CSV


def planes(values):
    return np.asarray(values, "<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


path, out = map(pathlib.Path, sys.argv[1:3])
rows = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
model = model_json(GaussianCopulaSynthesizer.load(str(path)), path.name)
samples = [sample(path, seed, rows) for seed in SEEDS]
columns = []
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    def add(name, data):
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    for c, column in enumerate(model["columns"]):
        name = column["name"]
        if "category" in column:
            labels = sorted(set().union(*(frame[name] for frame in samples)) - {""})
            code = {"": MISSING, **{label: k for k, label in enumerate(labels)}}
            columns.append({"name": name, "kind": "category", "labels": labels})
            coded = [[code[v] for v in frame[name]] for frame in samples]
        else:
            digits = column["number"]["digits"]
            columns.append({"name": name, "kind": "number", "digits": digits})
            coded = [[MISSING if v == "" else round(float(v) * 10**digits) for v in frame[name]] for frame in samples]
        for s, values in enumerate(coded):
            add(f"{s}/{c:02d}", planes(values))
    add("model.json", json.dumps(model, ensure_ascii=False, separators=(",", ":")) + "\n")
    add("manifest.json", json.dumps({"magic": "maeil-sdv-samples", "version": 1, "source": path.name, "source_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                                     "sdv": sdv.__version__, "seeds": SEEDS, "rows": rows, "columns": columns}, ensure_ascii=False, separators=(",", ":")) + "\n")
