"""maeil beside the Python stack, alternately, on the same input and threads; answers are compared before anything is timed into a ratio.

    run.py [--only NAME ...] [--short] [--write-docs]

Writes benchmarks/results/<machine>.json and prints a table. Ends with 1 when an answer was wrong, never because of a ratio.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import sys
import tempfile

import cases
import machine
import report
from programs import ROOT, Failed


@dataclasses.dataclass
class Context:
    build: pathlib.Path
    seed: pathlib.Path
    golden: pathlib.Path
    work: pathlib.Path
    short: bool
    rows: int
    days: int
    trained_rows: int = 0
    parts: dict = dataclasses.field(default_factory=dict)

    @property
    def maeil(self):
        return self.build / "maeil"


def spread(samples):
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples), "samples": samples}


def measure(case, context):
    name, what, unit, bar, function, _ = case
    ours, theirs, notes = function(context)
    a, b = spread(ours), spread(theirs)
    ratio = a["median"] / b["median"] if unit == "rows/s" else b["median"] / a["median"]
    return {"name": name, "what": what, "unit": unit, "maeil": a, "peer": b, "ratio": ratio, "bar": bar, **{f"peer_{k}": v for k, v in notes.items()}}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--only", nargs="*", default=[], help="cases by name: " + ", ".join(c[0] for c in cases.CASES) + ", start")
    args.add_argument("--short", action="store_true", help="small inputs, one sample each: only the answers count")
    args.add_argument("--write-docs", action="store_true", help="put the table into README.md and docs/performance.md")
    args.add_argument("--docs-only", action="store_true", help="measure nothing: put this machine's saved figures into the documents")
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args.add_argument("--days", type=int, default=2, help="how many whole days to compare")
    args = args.parse_args()
    if args.docs_only:
        return report.write_docs(ROOT / "benchmarks/results" / machine.file_name(machine.describe()))
    shared = ROOT.parent / "shared"
    seed = pathlib.Path(os.environ.get("MAEIL_SEED_DIR", shared / "seed"))
    golden = pathlib.Path(os.environ.get("MAEIL_GOLDEN_DIR", shared / "golden/data"))
    if not (seed / "distribution_model.pkl").exists():
        if args.short and not os.environ.get("MAEIL_REQUIRE_DATA"):
            print(f"skipped: the real files are not in {seed}")
            return 0
        sys.exit(f"the benchmarks need the Python stack's files, and {seed} has none: name their folder in MAEIL_SEED_DIR")
    wanted = lambda name, short: (not args.only or name in args.only) and (short or not args.short)
    results, wrong, starts = [], [], {}
    about = machine.describe()
    if machine.load_warning():
        print("warning: " + machine.load_warning(), file=sys.stderr)
    for case in cases.CASES:
        if not wanted(case[0], case[5]):
            continue
        print(f"{case[0]} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as work:
            context = Context(args.build, seed, golden, pathlib.Path(work), args.short, 2000 if args.short else 100_000, args.days)
            try:
                results.append(measure(case, context))
            except cases.Skipped as reason:
                print(f"skipped: {case[0]}: {reason}")
            except (cases.Wrong, Failed) as difference:
                wrong.append(case[0])
                print(f"WRONG: {case[0]}: {difference}")
    if wanted("start", True):
        with tempfile.TemporaryDirectory() as work:
            measured = cases.start(Context(args.build, seed, golden, pathlib.Path(work), args.short, 1, 1))
        starts = {name: {**spread(samples), "bar": bar} for name, (samples, bar) in measured.items()}
    print(report.machine_line(about), report.table(results), report.starts(starts), sep="\n\n")
    if not args.short:
        path = ROOT / "benchmarks/results" / machine.file_name(about)
        report.save(path, about, results, starts)
        print(f"\nwritten: {path.relative_to(ROOT)}")
        if args.write_docs:
            report.write_docs(path)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
