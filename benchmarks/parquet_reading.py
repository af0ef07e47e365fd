"""A large Parquet file, and the same rows as Arrow IPC, into typed columns: maeil and pyarrow in one run, in turns.

  build/arrow/bin/python benchmarks/parquet_reading.py [--rows 5000000] [--repeats 5] [--write-docs]

The file is made up: the loans of csv_reading.py, with dates as dates. Each reader is a process of its own. pyarrow holds all columns: as
pyarrow.parquet.read_table gives them (texts one after another, whole numbers as such), and made into what maeil's are (each text and date once and
codes, numbers as doubles). maeil hands them on chunk after chunk. What each read is compared: rows, missing values and the sum of each column.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import csv_reading
import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- parquet reading measured by benchmarks/parquet_reading.py -->", "<!-- end of the parquet reading -->"
TEXTS, NUMBERS, DATES = csv_reading.TEXTS, csv_reading.NUMBERS, ("opened", "as_of")


def make_files(folder, rows):
    import numpy
    import pyarrow
    import pyarrow.parquet
    random = numpy.random.default_rng(1)
    purposes = numpy.array(["car", "house, second", "debt", "education", "a new roof", "business, small"])
    branches = numpy.array([f"branch {i}" for i in range(60)])
    parquet = arrow = None
    for first in range(0, rows, 500_000):
        n = min(500_000, rows - first)
        opened = numpy.datetime64("2015-01-01") + random.integers(0, 3000, n)
        columns = {
            "loan_id": [f"L{i:09d}" for i in range(first, first + n)], "branch": branches[random.integers(0, 60, n)],
            "grade": numpy.array(list("ABCDEFG"))[random.integers(0, 7, n)], "purpose": purposes[random.integers(0, len(purposes), n)],
            "amount": numpy.round(random.lognormal(9, 1, n), 2), "rate": numpy.round(random.uniform(0.5, 25, n), 4),
            "balance": pyarrow.array(numpy.round(random.lognormal(8, 2, n), 2), mask=random.random(n) < 0.1),
            "income": pyarrow.array(random.integers(900, 250_000, n), mask=random.random(n) < 0.05),
            "term": random.integers(6, 361, n), "age": random.integers(18, 90, n), "opened": opened,
            "as_of": opened + random.integers(0, 900, n), "bad": numpy.array(["N", "Y"])[(random.random(n) < 0.06).astype(int)],
        }
        table = pyarrow.table(columns)
        if parquet is None:
            parquet = pyarrow.parquet.ParquetWriter(folder / "loans.parquet", table.schema)
            arrow = pyarrow.ipc.new_file(str(folder / "loans.arrow"), table.schema)
        parquet.write_table(table)
        arrow.write_table(table, max_chunksize=65536)
    parquet.close()
    arrow.close()


def peer(kind, path):
    import time

    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.parquet
    pyarrow.set_cpu_count(int(os.environ["READ_THREADS"]))
    pyarrow.array(["a"]).dictionary_encode().cast(pyarrow.string())  # what is loaded when it is first used
    begin, begin_cpu = time.perf_counter(), time.process_time()
    if path.endswith(".arrow"):
        with pyarrow.memory_map(path) as file:
            table = pyarrow.ipc.open_file(file).read_all()
    else:
        table = pyarrow.parquet.read_table(path, use_threads=True)
    if kind == "columns":
        for i, name in enumerate(table.column_names):
            column = table.column(name)
            same = column.dictionary_encode() if name in TEXTS or name in DATES else column.cast(pyarrow.float64(), safe=False) if name in NUMBERS else column
            table = table.set_column(i, name, same)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu

    def sum_of(name):
        column = table.column(name)
        if name in TEXTS:
            column = compute.binary_length(column.cast(pyarrow.string()))
        return {"missing": column.null_count, "sum": float(compute.sum(column.cast(pyarrow.float64())).as_py())}
    print(json.dumps({"seconds": seconds, "cpu": cpu, "rows": table.num_rows, "columns": {name: sum_of(name) for name in (*TEXTS, *NUMBERS)}}))


def run(reader, threads, path, spec, build):
    words = ([str(build / "csv_reading"), "--in", str(path), "--spec", str(spec), "--threads", str(threads)] if reader == "maeil" else
             [sys.executable, __file__, "--peer", reader, str(path)])
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "READ_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)})
    out = json.loads(child.stdout.read())
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{reader} ended with {status}")
    return {"cpu": used.ru_utime + used.ru_stime, **out, "peak_mb": used.ru_maxrss // 1024}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rows", type=int, default=5_000_000)
    args.add_argument("--repeats", type=int, default=5)
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    args.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    args.add_argument("--make", type=pathlib.Path, help=argparse.SUPPRESS)
    args = args.parse_args()
    if args.peer:
        return peer(*args.peer)
    if args.make:
        return make_files(args.make, args.rows)
    names = {"maeil": "maeil", "table": "pyarrow, read_table", "columns": "pyarrow, into the same columns"}
    threads = len(os.sched_getaffinity(0))
    results, lines = {}, ["| file | reader | threads | seconds (least to most) | maeil's in pairs | of processor | maeil's | peak memory |", "|---|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(dir=args.build) as scratch:
        folder = pathlib.Path(scratch)
        spec = folder / "loans.toml"
        spec.write_text(csv_reading.SPEC)
        # Elsewhere: the memory of a process that starts others counts as theirs.
        subprocess.run([sys.executable, __file__, "--make", str(folder), "--rows", str(args.rows)], check=True)
        for path in (folder / "loans.parquet", folder / "loans.arrow"):
            path.read_bytes()  # warm
            for count in sorted({1, threads}):
                seconds, cpu, peaks, answers = {}, {}, {}, {}
                for _ in range(args.repeats):
                    for reader in names:
                        out = run(reader, count, path, spec, args.build)
                        seconds.setdefault(reader, []).append(out["seconds"])
                        cpu.setdefault(reader, []).append(out["cpu"])
                        peaks[reader] = max(peaks.get(reader, 0), out["peak_mb"])
                        answers[reader] = out
                        print(f"{path.suffix} {reader:8} {count} threads {out['seconds']:6.2f} s, {out['cpu']:.2f} s of processor, peak {out['peak_mb']} MB", flush=True)
                csv_reading.check_same({"columns": answers["columns"], "maeil": answers["maeil"]})
                for reader, name in names.items():
                    s = seconds[reader]
                    ratio, cpu_ratio = (statistics.median(m / other for m, other in zip(all_["maeil"], all_[reader])) for all_ in (seconds, cpu))
                    told = ("", "") if reader == "maeil" else (f"{ratio:.2f}", f"{cpu_ratio:.2f}")
                    lines.append(f"| {path.suffix}, {path.stat().st_size >> 20} MiB | {name} | {count} | {statistics.median(s):.2f} ({min(s):.2f} to {max(s):.2f}) | "
                                 f"{told[0]} | {statistics.median(cpu[reader]):.2f} | {told[1]} | {peaks[reader]} MB |")
                results[f"{path.suffix} {count}"] = {"seconds": seconds, "cpu": cpu, "peak_mb": peaks}
    print("\n".join(lines))
    about = machine.describe()
    (ROOT / "benchmarks/results" / f"parquet-reading-{machine.file_name(about)}").write_text(
        json.dumps({"machine": about, "rows": args.rows, "files": results}, indent=1) + "\n")
    if args.write_docs:
        import report
        report.splice("docs/performance.md", BEGIN, END, "\n".join(lines))


if __name__ == "__main__":
    main()
