"""Time and memory of generate, preprocess and evaluate from 10^4 to 10^7 rows, and whether they grow as they should.

    growth.py [--rows 10000 100000 ...] [--write-docs]

Rows come from the built-in portfolio. preprocess and evaluate use a small model (one layer of width 8, one head), so that 10^7 rows
take minutes; the standard model is evaluated up to 10^5. Growth is linear when the seconds a row of 10^5 rows and of the largest
number differ by less than 15 %; memory is flat when it stays under 1 GB and grows by less than 16 bytes a row (evaluate keeps each row's
probability, 9 bytes, for the exact ROC). Adds to benchmarks/results/<machine>.json; with --write-docs draws docs/growth.svg.
"""
import argparse
import json
import pathlib
import shutil
import sys
import tempfile

import machine
import report
from programs import ROOT, run

BYTES_A_ROW = 1300  # a raw and a prepared row together
SMALL = {"D_MODEL": 8, "NHEAD": 1, "NUM_LAYERS": 1, "DIM_FEEDFORWARD": 16}


def train(maeil, folder, epochs, **settings):
    out = run([maeil, "train", "--pretrain", "--train", "--epochs", epochs, "--json"], folder, 2, DATA_QUANTITY=2000, **settings)
    return json.loads(out["stdout"])[-1]["result"]["model_version"]  # the encoder first, then the classifier


def measure(maeil, work, sizes, standard_up_to=100_000):
    small, standard = train(maeil, work, 2, **SMALL), None
    points = []
    for rows in sizes:
        if shutil.disk_usage(work).free < 2 * rows * BYTES_A_ROW:
            sys.exit(f"{rows:,} rows need about {2 * rows * BYTES_A_ROW / 1e9:.0f} GB of free disk in {work}")
        steps = {"generate": [maeil, "generate", "--num-rows", rows, "--out", "rows.csv", "--date", "2026-11-23"],
                 "preprocess": [maeil, "preprocess", "--in", "rows.csv", "--out", "prepared.csv", "--model", small],
                 "evaluate, small model": [maeil, "evaluate", "--model", small, "--in", "rows.csv"]}
        if rows <= standard_up_to:
            standard = standard or train(maeil, work, 1)
            steps["evaluate, standard model"] = [maeil, "evaluate", "--model", standard, "--in", "rows.csv"]
        for step, command in steps.items():
            settings = SMALL if "small" in step or step == "preprocess" else {}
            times = []
            for _ in range(3 if rows <= 100_000 else 1):
                done = run(command, work, 2, F1_THRESHOLD=0, **settings)
                times.append(done["seconds"])
            points.append({"step": step, "rows": rows, "seconds": sorted(times)[len(times) // 2], "peak_mb": done["peak_mb"]})
            print(f"{rows:>10,} rows  {step:<26} {points[-1]['seconds']:8.2f} s  {done['peak_mb']:6.0f} MB", flush=True)
        for name in ("rows.csv", "prepared.csv"):
            (work / name).unlink(missing_ok=True)
    return points


def verdicts(points):
    out = []
    for step in dict.fromkeys(p["step"] for p in points):
        mine = {p["rows"]: p for p in points if p["step"] == step}
        first, last = mine.get(100_000), mine[max(mine)]
        if first is None or last["rows"] <= first["rows"]:
            continue
        growth = (last["seconds"] / last["rows"]) / (first["seconds"] / first["rows"])
        bytes_a_row = (last["peak_mb"] - first["peak_mb"]) * 2**20 / (last["rows"] - first["rows"])
        linear, flat = abs(growth - 1) <= 0.15, bytes_a_row < 16 and last["peak_mb"] < 1024
        out.append(f"{step}: a row of {last['rows']:,} costs {growth:.2f} of a row of {first['rows']:,} ({'linear' if linear else 'NOT linear within 15 %'}); "
                   f"memory {first['peak_mb']:.0f} -> {last['peak_mb']:.0f} MB, {bytes_a_row:.1f} bytes a row ({'flat' if flat else 'NOT flat'})")
    return out


def draw(points, path):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    ink = "#777777"  # readable on white and on black
    plt.rcParams.update({"text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink, "xtick.color": ink, "ytick.color": ink, "svg.fonttype": "none"})
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for step in dict.fromkeys(p["step"] for p in points):
        mine = [p for p in points if p["step"] == step]
        left.plot([p["rows"] for p in mine], [p["seconds"] for p in mine], "o-", label=step)
        right.plot([p["rows"] for p in mine], [p["peak_mb"] for p in mine], "o-", label=step)
    left.set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds", title="time")
    right.set(xscale="log", xlabel="rows", ylabel="MB at most", title="memory", ylim=(0, None))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, transparent=True, metadata={"Date": None})


def write_docs(points, verdicts):
    draw(points, ROOT / "docs/growth.svg")
    report.splice("docs/performance.md", "<!-- growth -->", "<!-- end of growth -->", "\n".join(f"- {sentence}" for sentence in verdicts))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args.add_argument("--work", type=pathlib.Path, help="a folder with room (default: the system's for temporary files)")
    args.add_argument("--write-docs", action="store_true", help="draw docs/growth.svg and put the findings into docs/performance.md")
    args.add_argument("--docs-only", action="store_true", help="the same from this machine's saved figures, measuring nothing")
    args = args.parse_args()
    about = machine.describe()
    path = ROOT / "benchmarks/results" / machine.file_name(about)
    if args.docs_only:
        return write_docs(**json.loads(path.read_text())["growth"])
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        points = measure(args.build / "maeil", pathlib.Path(work), args.rows)
    said = verdicts(points)
    print("\n".join(said))
    path.parent.mkdir(exist_ok=True)
    content = json.loads(path.read_text()) if path.exists() else {"cases": [], "starts": {}}
    path.write_text(json.dumps({**content, "machine": about, "growth": {"points": points, "verdicts": said}}, indent=1) + "\n")
    if args.write_docs:
        write_docs(points, said)


if __name__ == "__main__":
    main()
