"""A large CSV file into typed columns: maeil, pandas' C engine, DuckDB and polars in one run, in turns.

  python csv_reading.py [--rows 10000000] [--repeats 3] [--write-docs]

The file is made up: loans with an id, three texts (one of them quoted where it holds a comma), six numbers of which some are missing, two dates
and a label. Every reader is a process of its own and holds all typed columns (maeil: chunk after chunk, which is how it reads; nothing is kept).
What each read is compared: rows, missing values and the sum of each column (of a text's length). One thread beside pandas, two beside the others.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- csv reading measured by make bench-csv -->", "<!-- end of the csv reading -->"
SPEC = """name = "loans"
columns = [
  { name = "loan_id", type = "text" }, { name = "branch", type = "text" }, { name = "grade", type = "text" }, { name = "purpose", type = "text" },
  { name = "amount", type = "number" }, { name = "rate", type = "number" }, { name = "balance", type = "number", nullable = true },
  { name = "income", type = "number", nullable = true }, { name = "term", type = "number" }, { name = "age", type = "number" },
  { name = "opened", type = "date", format = "%Y-%m-%d" }, { name = "as_of", type = "date", format = "%Y-%m-%d" }, { name = "bad", type = "text" },
]
day_counts = [ { name = "days", from = "opened", to = "as_of" } ]
[target]
column = "bad"
positive = "Y"
negative = "N"
"""
TEXTS, NUMBERS = ("loan_id", "branch", "grade", "purpose", "bad"), ("amount", "rate", "balance", "income", "term", "age")


def make_file(path, rows):
    import numpy
    random = numpy.random.default_rng(1)
    purposes = numpy.array(["car", "house, second", "debt", "education", "a new roof", "business, small"])
    with open(path, "w") as out:
        out.write("loan_id,branch,grade,purpose,amount,rate,balance,income,term,age,opened,as_of,bad\n")
        for first in range(0, rows, 500_000):
            n = min(500_000, rows - first)
            opened = numpy.datetime64("2015-01-01") + random.integers(0, 3000, n)
            columns = [
                [f"L{i:09d}" for i in range(first, first + n)], [f"branch {i}" for i in random.integers(0, 60, n)],
                numpy.array(list("ABCDEFG"))[random.integers(0, 7, n)],
                [f'"{p}"' if "," in p else p for p in purposes[random.integers(0, len(purposes), n)]],
                [f"{x:.2f}" for x in random.lognormal(9, 1, n)], [f"{x:.4f}" for x in random.uniform(0.5, 25, n)],
                [f"{x:.2f}" if keep else "" for x, keep in zip(random.lognormal(8, 2, n), random.random(n) > 0.1)],
                [str(x) if keep else "" for x, keep in zip(random.integers(900, 250_000, n), random.random(n) > 0.05)],
                random.integers(6, 361, n).astype(str), random.integers(18, 90, n).astype(str), opened.astype(str),
                (opened + random.integers(0, 900, n)).astype(str), numpy.array(["N", "Y"])[(random.random(n) < 0.06).astype(int)],
            ]
            out.write("\n".join(map(",".join, zip(*columns))) + "\n")


def with_pandas(path):
    import pandas
    frame = pandas.read_csv(path, engine="c", dtype={**{t: "category" for t in TEXTS[1:]}, "loan_id": "str", **{n: "float64" for n in NUMBERS}},
                            parse_dates=["opened", "as_of"], date_format="%Y-%m-%d")
    return frame, lambda: {
        **{t: {"missing": int(frame[t].isna().sum()), "sum": float(frame[t].astype("str").str.len().sum())} for t in TEXTS},
        **{n: {"missing": int(frame[n].isna().sum()), "sum": float(frame[n].sum())} for n in NUMBERS},
        "days": {"missing": 0, "sum": float((frame["as_of"] - frame["opened"]).dt.days.sum())}}


def with_polars(path):
    import polars
    types = {**{t: polars.Categorical for t in TEXTS[1:]}, "loan_id": polars.String, **{n: polars.Float64 for n in NUMBERS},
             "opened": polars.Date, "as_of": polars.Date}
    frame = polars.read_csv(path, schema_overrides=types)
    return frame, lambda: {
        **{t: {"missing": frame[t].null_count(), "sum": float(frame[t].cast(polars.String).str.len_bytes().sum())} for t in TEXTS},
        **{n: {"missing": frame[n].null_count(), "sum": float(frame[n].sum())} for n in NUMBERS},
        "days": {"missing": 0, "sum": float((frame["as_of"] - frame["opened"]).dt.total_days().sum())}}


def with_duckdb(path):
    import duckdb
    base = duckdb.connect(config={"threads": int(os.environ["READ_THREADS"])})
    order = "loan_id,branch,grade,purpose,amount,rate,balance,income,term,age,opened,as_of,bad".split(",")
    types = {c: "VARCHAR" if c in TEXTS else "DOUBLE" if c in NUMBERS else "DATE" for c in order}
    base.execute(f"create table rows as select * from read_csv(?, header=true, delim=',', quote='\"', auto_detect=false, columns={types})", [str(path)])
    rows = base.execute("select count(*) from rows").fetchone()[0]

    def sums():
        one = lambda what: dict(zip(("missing", "sum"), map(float, base.execute(f"select count(*) - count({what[0]}), sum({what[1]}) from rows").fetchone())))
        return {**{t: one((t, f"strlen({t})")) for t in TEXTS}, **{n: one((n, n)) for n in NUMBERS}, "days": one(("opened", "as_of - opened"))}
    return range(rows), sums


PEERS = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb}


def peer(name, path):
    import time
    begin = time.perf_counter()
    held, sums = PEERS[name](path)
    print(json.dumps({"seconds": time.perf_counter() - begin, "rows": len(held), "columns": sums()}))


def run(reader, threads, path, spec, build):
    words = ([str(build / "csv_reading"), "--in", str(path), "--spec", str(spec), "--threads", str(threads)] if reader == "maeil" else
             [sys.executable, __file__, "--peer", reader, str(path)])
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "POLARS_MAX_THREADS": str(threads), "READ_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)})
    out = json.loads(child.stdout.read())
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{reader} ended with {status}")
    return {**out, "peak_mb": used.ru_maxrss // 1024}


def check_same(answers):
    """Each reader against the first; a sum of floats in another order differs in its last digits."""
    first, expected = next(iter(answers.items()))
    for reader, answer in answers.items():
        assert answer["rows"] == expected["rows"], (first, reader, expected["rows"], answer["rows"])
        for name, column in answer["columns"].items():
            if name not in expected["columns"]:
                continue
            for what in ("missing", "sum"):
                a, b = expected["columns"][name][what], column[what]
                assert math.isclose(a, b, rel_tol=1e-9), f"{name}: {first} has {what} {a}, {reader} {b}"


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rows", type=int, default=10_000_000)
    args.add_argument("--repeats", type=int, default=3)
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    args.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    args.add_argument("--make", help=argparse.SUPPRESS)
    args = args.parse_args()
    if args.peer:
        return peer(*args.peer)
    if args.make:
        return make_file(args.make, args.rows)
    readers = [("maeil", 1), ("pandas", 1), ("maeil", 2), ("duckdb", 2), ("polars", 2)]
    with tempfile.TemporaryDirectory(dir=args.build) as scratch:
        path, spec = pathlib.Path(scratch) / "loans.csv", pathlib.Path(scratch) / "loans.toml"
        spec.write_text(SPEC)
        # Elsewhere: the memory of a process that starts others counts as theirs.
        subprocess.run([sys.executable, __file__, "--make", str(path), "--rows", str(args.rows)], check=True)
        size = path.stat().st_size
        with open(path, "rb") as warm:
            while warm.read(1 << 24):
                pass
        seconds, peaks, answers = {}, {}, {}
        for _ in range(args.repeats):
            for one in readers:
                out = run(*one, path, spec, args.build)
                seconds.setdefault(one, []).append(out["seconds"])
                peaks[one] = max(peaks.get(one, 0), out["peak_mb"])
                answers[f"{one[0]}, {one[1]} threads"] = out
                print(f"{one[0]:8} {one[1]} threads {out['seconds']:6.2f} s, peak {out['peak_mb']} MB", flush=True)
    check_same(answers)
    lines = ["| reader | threads | seconds (least to most) | MB a second | peak memory |", "|---|---|---|---|---|"]
    for one in readers:
        s = statistics.median(seconds[one])
        lines.append(f"| {one[0]} | {one[1]} | {s:.2f} ({min(seconds[one]):.2f} to {max(seconds[one]):.2f}) | {size / 1e6 / s:.0f} | {peaks[one]} MB |")
    print("\n".join(lines))
    about = machine.describe()
    (ROOT / "benchmarks/results" / f"csv-reading-{machine.file_name(about)}").write_text(json.dumps(
        {"machine": about, "rows": args.rows, "bytes": size, "seconds": {f"{r} {t}": s for (r, t), s in seconds.items()},
         "peak_mb": {f"{r} {t}": p for (r, t), p in peaks.items()}}, indent=1) + "\n")
    if args.write_docs:
        import report
        report.splice("docs/performance.md", BEGIN, END, "\n".join(lines))


if __name__ == "__main__":
    main()
