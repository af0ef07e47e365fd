"""Fitting and scoring boosted trees beside XGBoost's own Python call, alternately, on the same rows, threads and settings.

  python tree_speed.py [--rows 1000000] [--features 142] [--rounds 100] [--pairs 3] [--threads 2] --build build/release

A third of the features are categories, 5 % of the numbers are missing. XGBoost is the newest of PyPI (xgboost-cpu) and gets the rows as it likes them
best, a QuantileDMatrix of a pandas frame with categories, which is made in the time that counts, as maeil makes its own; it scores by inplace_predict.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import machine

PEER = """
import json, resource, sys, time
import numpy, pandas, xgboost
folder, rounds, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
cardinalities = numpy.fromfile(f"{folder}/cardinalities.i32", dtype="<i4")
labels = numpy.fromfile(f"{folder}/labels.i32", dtype="<i4")
def frame(prefix, count):
    codes = numpy.fromfile(f"{folder}/{prefix}codes.i32", dtype="<i4").reshape(count, -1)
    numbers = numpy.fromfile(f"{folder}/{prefix}numbers.f32", dtype="<f4").reshape(count, -1)
    columns = {f"c{i}": pandas.Categorical.from_codes(codes[:, i], categories=range(cardinalities[i])) for i in range(codes.shape[1])}
    columns |= {f"n{i}": numbers[:, i] for i in range(numbers.shape[1])}
    return pandas.DataFrame(columns)
x = frame("", len(labels))
test = frame("test_", len(numpy.fromfile(f"{folder}/test_codes.i32", dtype="<i4")) // len(cardinalities))
settings = dict(tree_method="hist", objective="binary:logistic", eta=0.1, max_depth=6, min_child_weight=1, reg_lambda=1, max_bin=256, nthread=threads,
                base_score=float(labels.mean()))
begin = time.perf_counter()
data = xgboost.QuantileDMatrix(x, labels, enable_categorical=True, nthread=threads)
booster = xgboost.train(settings, data, rounds)
fit = time.perf_counter() - begin
p = booster.predict(data)
loss = float(-numpy.mean(numpy.where(labels == 1, numpy.log(p), numpy.log1p(-p))))
begin = time.perf_counter()
scored = booster.inplace_predict(test)
score = time.perf_counter() - begin
print(json.dumps(dict(fit_seconds=fit, score_seconds=score, log_loss=loss, first=[float(v) for v in scored[:5]],
                      peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, version=xgboost.__version__)))
"""


def write_rows(folder, rows, features):
    import numpy
    random = numpy.random.default_rng(7)
    categorical = features // 3
    cardinalities = random.integers(2, 60, categorical, dtype="<i4")
    cardinalities.tofile(folder / "cardinalities.i32")
    for prefix, count in (("", rows), ("test_", rows)):
        codes = (random.random((count, categorical)) * cardinalities).astype("<i4")
        numbers = random.standard_normal((count, features - categorical), dtype="<f4")
        odds = -2.5 + numbers[:, 0] * (codes[:, 0] % 2) + 0.7 * numbers[:, 1] - 0.5 * numbers[:, 2] ** 2 + (codes[:, 1] % 5 == 0)
        labels = (random.random(count) < 1 / (1 + numpy.exp(-odds))).astype("<i4")
        numbers[random.random(numbers.shape, dtype="f4") < 0.05] = numpy.nan
        codes.tofile(folder / f"{prefix}codes.i32")
        numbers.tofile(folder / f"{prefix}numbers.f32")
        labels.tofile(folder / f"{prefix}labels.i32")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rows", type=int, default=1_000_000)
    args.add_argument("--features", type=int, default=142)
    args.add_argument("--rounds", type=int, default=100)
    args.add_argument("--pairs", type=int, default=3)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--build", default="build/release")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_rows(pathlib.Path(folder), args.rows, args.features)
        ours = [str(pathlib.Path(args.build).resolve() / "tree_speed"), folder, str(args.rounds), str(args.threads)]
        theirs = [sys.executable, "-c", PEER, *ours[1:]]
        results = {"maeil": [], "xgboost": []}
        for _ in range(args.pairs):
            for name, command in (("maeil", ours), ("xgboost", theirs)):
                results[name].append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
                print(name, results[name][-1], flush=True)
    for measure in ("fit_seconds", "score_seconds", "peak_mib"):
        mine, peer = (statistics.median(r[measure] for r in results[name]) for name in ("maeil", "xgboost"))
        print(f"{measure}: maeil {mine:.4g}, xgboost {results['xgboost'][0]['version']} {peer:.4g}, ratio {mine / peer:.2f}")
    print(json.dumps(machine.describe()))


if __name__ == "__main__":
    main()
