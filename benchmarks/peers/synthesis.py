"""SDV fitting and sampling: the peer of `maeil fit` and `maeil generate --model`.

    synthesis.py FOLDER SETTING OUT SAMPLES [TIMED_ROWS]

FOLDER has train.csv and metadata.json; SETTING is a distribution of the Gaussian copula (norm, beta ...) or CTGAN, TVAE, CopulaGAN with
their defaults. Writes OUT_1.csv ... OUT_SAMPLES.csv with as many rows as train.csv; with TIMED_ROWS draws and writes so many once more.
Prints {"version", "fit_seconds", "sample_seconds" of TIMED_ROWS, "peak_mb" after the fit}: only fit, sample and to_csv are timed,
with the interpreter warm and the data read.
"""
import json
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import pandas as pd
import sdv
import torch
from sdv import single_table
from sdv.metadata import Metadata

folder, setting, out, samples = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
timed_rows = int(sys.argv[5]) if len(sys.argv) > 5 else 0
torch.manual_seed(0)
raw = json.load(open(f"{folder}/metadata.json"))
metadata = Metadata.load_from_dict({"tables": {"table": raw}, "relationships": []})
train = pd.read_csv(f"{folder}/train.csv", low_memory=False)
if hasattr(single_table, setting + "Synthesizer"):
    synthesizer = getattr(single_table, setting + "Synthesizer")(metadata)
else:
    synthesizer = single_table.GaussianCopulaSynthesizer(metadata, default_distribution=setting)
tables = int(sdv.__version__.split(".")[0]) >= 2  # data is a dictionary of tables since 2.0
draw = lambda rows: synthesizer.sample(rows)["table"] if tables else synthesizer.sample(rows)
begin = time.perf_counter()
synthesizer.fit({"table": train} if tables else train)
answer = {"version": f"SDV {sdv.__version__}", "fit_seconds": time.perf_counter() - begin, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
for k in range(samples):
    draw(len(train)).to_csv(f"{out}_{k + 1}.csv", index=False)
if timed_rows:
    begin = time.perf_counter()
    draw(timed_rows).to_csv(f"{out}_timed.csv", index=False)
    answer["sample_seconds"] = time.perf_counter() - begin
print(json.dumps(answer))
