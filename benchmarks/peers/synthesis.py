"""SDV fitting and sampling: the peer of `maeil fit` and `maeil generate --model`.

    synthesis.py FOLDER OUT LIMIT SAMPLES TIMED_ROWS SETTING ...

FOLDER has train.csv and metadata.json; SETTING is a distribution of the Gaussian copula (norm, beta ...) or CTGAN, TVAE, CopulaGAN with
their defaults. For each: OUT_SETTING_1.csv ... _SAMPLES.csv with as many rows as train.csv, and TIMED_ROWS rows once more where that is
not 0. Prints a line a setting, {"setting", "version", "fit_seconds", "process_seconds" of a process that starts, reads and fits, "sample_seconds" of TIMED_ROWS, "peak_mb" of the process so far} or
{"setting", "failed"} where it took more than LIMIT seconds or raised. Only fit, sample and to_csv are timed, with the interpreter warm and
the data read.
"""
import json
import os
import resource
import signal
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import pandas as pd
import sdv
import torch
from sdv import single_table
from sdv.metadata import Metadata

folder, out = sys.argv[1:3]
limit, samples, timed_rows = map(int, sys.argv[3:6])
TABLES = int(sdv.__version__.split(".")[0]) >= 2  # data is a dictionary of tables since 2.0


def age():
    """Seconds since this process began."""
    ticks = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
    return float(open("/proc/uptime").read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


class TooLong(BaseException):
    """Not an Exception: SDV goes on after those."""


def stop(*_):
    raise TooLong


def measure(setting, train):
    metadata = Metadata.load_from_dict({"tables": {"table": json.load(open(f"{folder}/metadata.json"))}, "relationships": []})
    torch.manual_seed(0)
    if hasattr(single_table, setting + "Synthesizer"):
        synthesizer = getattr(single_table, setting + "Synthesizer")(metadata)
    else:
        synthesizer = single_table.GaussianCopulaSynthesizer(metadata, default_distribution=setting)
    draw = lambda rows: synthesizer.sample(rows)["table"] if TABLES else synthesizer.sample(rows)
    begin = time.perf_counter()
    synthesizer.fit({"table": train} if TABLES else train)
    answer = {"fit_seconds": time.perf_counter() - begin, "process_seconds": ready + time.perf_counter() - begin, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    for k in range(samples):
        draw(len(train)).to_csv(f"{out}_{setting}_{k + 1}.csv", index=False)
    if timed_rows:
        begin = time.perf_counter()
        draw(timed_rows).to_csv(f"{out}_timed.csv", index=False)
        answer["sample_seconds"] = time.perf_counter() - begin
    return answer


signal.signal(signal.SIGALRM, stop)
data = pd.read_csv(f"{folder}/train.csv", low_memory=False)
ready = age()
for setting in sys.argv[6:]:
    signal.alarm(limit)
    try:
        answer = measure(setting, data)
    except TooLong:
        answer = {"failed": f"not done in {limit} s"}
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"[:200]}
    signal.alarm(0)
    print(json.dumps({"setting": setting, "version": f"SDV {sdv.__version__}", **answer}), flush=True)
