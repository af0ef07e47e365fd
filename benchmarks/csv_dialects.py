"""Files of rows in every dialect: the public benchmark Pollock (Vitagliano et al., PVLDB 16, 2023) with maeil, DuckDB and pandas in one run.

  make bench-csv DIR=Pollock      # a clone of HPI-Information-Systems/Pollock, whose own measures give the scores

Each file is loaded by each reader and written as plain CSV; the score of a file is the sum of ten measures (loaded at all; precision, recall
and F1 of header, records and cells), a reader's the mean over files, "weighted" by how often a pollution occurs in real files. "untold": the
reader is told nothing; "told": the file's parameters.
"""
import argparse
import json
import multiprocessing
import pathlib
import shutil
import subprocess
import sys
import tempfile

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- csv dialects measured by make bench-csv -->", "<!-- end of the csv dialects -->"


def parameters(folder, name):
    told = json.loads((folder / "parameters" / f"{name}_parameters.json").read_text())
    return {**told, **{k: int(told[k] or 0) for k in ("header_lines", "preamble_lines", "footnote_lines")}}


def with_maeil(source, target, told):
    words = [str(BINARY), "data", "convert", "--in", str(source), "--out", str(target), "--best-guess"]
    if told:
        words += ["--header", str(told["header_lines"]), "--preamble", str(told["preamble_lines"]), "--footnote", str(told["footnote_lines"])]
        words += ["--delimiter", {"\t": "tab", "": "comma"}.get(told["delimiter"], told["delimiter"][:1])]
        words += ["--quote", told["quotechar"] or '"', "--escape", told["escapechar"] or "none"]
        words += ["--encoding", {"ascii": "UTF-8", "utf-8-sig": "UTF-8"}.get(told["encoding"].lower(), told["encoding"])]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr)


def with_duckdb(source, target, told):
    import duckdb
    options = {"strict_mode": False, "ignore_errors": True, "null_padding": True}
    if told:
        names = [n.strip() for n in told["column_names"]] or [f"col_{i}" for i in range(max(1, told.get("n_columns") or 1))]
        options |= {"sep": told["delimiter"] or ",", "quotechar": told["quotechar"] or '"', "escapechar": told["escapechar"] or '"',
                    "skiprows": told["preamble_lines"] + told["header_lines"], "header": False, "auto_detect": False,
                    "columns": {name: "VARCHAR" for name in names}}
    duckdb.connect().read_csv(str(source), **options).df().to_csv(target, index=False)


def with_pandas(source, target, told):
    import pandas
    options = {"dtype": str, "keep_default_na": False, "on_bad_lines": "skip", "engine": "python"}
    if told:
        options |= {"sep": told["delimiter"] or ",", "quotechar": told["quotechar"] or '"', "encoding": told["encoding"],
                    "skiprows": told["preamble_lines"], "header": list(range(told["header_lines"])) if told["header_lines"] > 1 else
                    0 if told["header_lines"] else None}
        options |= {"engine": "c"} if len(options["sep"]) == 1 else {}
        if told["escapechar"] not in ("", options["quotechar"]):
            options["escapechar"] = told["escapechar"]
    else:
        options["sep"] = None  # the csv module's sniffer
    pandas.read_csv(source, **options).to_csv(target, index=False)


READERS = {"maeil": with_maeil, "duckdb": with_duckdb, "pandas": with_pandas}


def measure(job):
    reader, told, folder, name = job
    sys.path.insert(0, str(folder.parent))
    import pollock.metrics
    with tempfile.TemporaryDirectory() as scratch:
        target = pathlib.Path(scratch) / "out.csv"
        try:
            READERS[reader](folder / "csv" / name, target, parameters(folder, name) if told else None)
        except Exception as error:  # a reader that gives up on a file has no points for it, whatever it raises
            empty = not (folder / "csv" / name).read_bytes().strip()
            if not empty:
                return job, [0.0] * 10, str(error).strip()[:200]
            target.write_bytes(b"")
        return job, [1.0, *map(float, pollock.metrics.header_record_cell_measures_csv(str(folder / "clean" / name), str(target)))], ""


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", type=pathlib.Path, help="a clone of the benchmark's repository")
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args.add_argument("--readers", default="maeil,duckdb,pandas")
    args.add_argument("--worst", type=int, default=0, help="also name so many files with the fewest points")
    args.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    args = args.parse_args()
    global BINARY
    BINARY = args.build / "maeil"
    if not shutil.which(str(BINARY)):
        raise SystemExit(f"{BINARY} is not there: run `make build`")
    weights = json.loads((args.folder / "pollock_weights.json").read_text())
    lines = ["| reader | files | told | simple | weighted |", "|---|---|---|---|---|"]
    results = []
    for data in ("polluted_files", "survey_sample"):
        folder = args.folder.resolve() / data
        names = sorted(p.name for p in (folder / "csv").iterdir() if p.suffix.lower() == ".csv" and (folder / "clean" / p.name).exists()
                       and (folder / "parameters" / f"{p.name}_parameters.json").exists())
        for told in (False, True):
            for reader in args.readers.split(","):
                with multiprocessing.Pool() as pool:
                    measured = pool.map(measure, [(reader, told, folder, name) for name in names], chunksize=16)
                points = {job[3]: sum(values) for job, values, _ in measured}
                simple = sum(points.values()) / len(points)
                total = sum(weights.get(name, 0) for name in names)
                weighted = sum(weights.get(name, 0) * p for name, p in points.items()) / total if total else None
                results.append({"data": data, "told": told, "reader": reader, "files": len(names), "simple": simple, "weighted": weighted})
                lines.append(f"| {reader} | {len(names)} {data.replace('_', ' ')} | {'parameters' if told else 'nothing'} | {simple:.3f} | "
                             f"{f'{weighted:.3f}' if weighted else '-'} |")
                print(lines[-1], flush=True)
                for name, p in sorted(points.items(), key=lambda one: one[1])[: args.worst]:
                    print(f"    {p:.2f} {name}")
    about = machine.describe()
    path = ROOT / "benchmarks/results" / f"csv-{machine.file_name(about)}"
    path.write_text(json.dumps({"machine": about, "results": results}, indent=1) + "\n")
    if args.write_docs:
        import report
        report.splice("docs/performance.md", BEGIN, END, "\n".join(lines))


if __name__ == "__main__":
    main()
