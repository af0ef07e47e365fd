"""maeil's synthesizer beside SDV's, with every setting of SDV's, on public data sets and the built-in portfolio.

    synthesis.py [--only NAME ...] [--settings S ...] [--skip-times] [--only-times] [--docs-only]

For each data set: fit on train.csv, draw SAMPLES times as many rows, judge (synthesis_judge.py). SDV's cell is its best setting's, for each
measure its own. Times are of maeil, of SDV's setting with the best quality score and of SDV's fastest, alternately. A setting that takes
longer than LIMIT seconds is given up, and the table says so. Writes benchmarks/results/synthesis-<machine>.json and, between the marks,
docs/quality_report.md. Interpreters: this one with SDV 1.32 (MAEIL_BENCH_PYTHON), MAEIL_SDV_NEWEST with the newest.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import machine
import report
from programs import PEERS, ROOT, Failed, environment, run

NAMES = ["breast_cancer", "wine", "digits", "german_credit", "fair", "portfolio"]
COPULAS = ["norm", "beta", "truncnorm", "uniform", "gamma", "gaussian_kde"]
NETWORKS = ["CTGAN", "TVAE", "CopulaGAN"]  # a package of their own, ctgan, the same beside both versions of SDV: run once
SAMPLES, LIMIT, TIMED_ROWS, TIMES, ONCE = 3, 300, 5_000, 3, 20
BEGIN, END = "<!-- synthesis measured by make bench -->", "<!-- end of the synthesis -->"


def interpreters():
    newest = os.environ.get("MAEIL_SDV_NEWEST", str(ROOT / "build/bench-sdv-newest/bin/python"))
    return {"1.32": sys.executable, **({"newest": newest} if os.path.exists(newest) else {})}


def python(interpreter, *command, threads=1):
    """The values that the lines of its output are."""
    done = subprocess.run([interpreter, "-B", *map(str, command)], capture_output=True, text=True, env=environment(threads))
    if done.returncode != 0:
        raise Failed((done.stderr.strip().splitlines() or ["no message"])[-1])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "["))]


class Bench:
    def __init__(self, build, work):
        self.maeil, self.work = build / "maeil", work

    def prepare(self, name):
        subprocess.run([sys.executable, "-B", ROOT / "benchmarks/synthesis_data.py", self.work, name], check=True, env={**os.environ, "MAEIL": str(self.maeil)})
        self.folder = self.work / name
        self.target = (self.folder / "target").read_text()

    def quality(self, sample):
        out = run([self.maeil, "report", "quality", "--real", self.folder / "train.csv", "--synthetic", sample, "--metadata", self.folder / "metadata.json", "--json"], self.work, 2)
        return json.loads(out["stdout"])["score"]

    def judge(self, groups):
        """{name: samples} -> {name: means of the scores}."""
        paths = [path for samples in groups.values() for path in samples]
        learned = dict(zip(paths, python(sys.executable, ROOT / "benchmarks/synthesis_judge.py", self.folder, *paths)[0]))
        mean = statistics.mean
        return {name: {"quality": mean(map(self.quality, samples)), "f1": mean(learned[s][0] for s in samples), "auc": mean(learned[s][1] for s in samples)}
                for name, samples in groups.items()}

    def check_quality(self, sample):
        theirs = python(sys.executable, ROOT / "benchmarks/synthesis_judge.py", "--sdmetrics", self.folder, sample)[0]["quality"]
        if abs(theirs - self.quality(sample)) > 1e-9:
            raise Failed(f"SDMetrics scores {sample} {theirs}, maeil {self.quality(sample)}")

    def fit(self):
        return run([self.maeil, "fit", "--in", self.folder / "train.csv", "--out", self.folder / "model.json", "--target", self.target, "--no-report", "--json"], self.work, 2)

    def draw(self, rows, seed, out):
        return run([self.maeil, "generate", "--model", self.folder / "model.json", "--num-rows", rows, "--seed", seed, "--out", out, "--json"], self.work, 2)

    def ours(self):
        """The samples of maeil's."""
        self.fit()
        rows = sum(1 for _ in open(self.folder / "train.csv")) - 1
        samples = [self.folder / f"maeil_{k}.csv" for k in range(1, SAMPLES + 1)]
        for k, sample in enumerate(samples):
            self.draw(rows, k + 1, sample)
        self.check_quality(samples[0])
        return samples

    def theirs(self, version, settings):
        out = self.folder / f"sdv_{version}"
        answers = {a.pop("setting"): a for a in python(interpreters()[version], PEERS / "synthesis.py", self.folder, out, LIMIT, SAMPLES, 0, *settings)}
        samples = {s: [f"{out}_{s}_{k}.csv" for k in range(1, SAMPLES + 1)] for s in settings if "failed" not in answers[s]}
        scores = self.judge(samples)
        return {f"{version} {s}": {**answers[s], **scores.get(s, {})} for s in settings}

    def times(self, settings):
        """Fit and sample times and peak memory, alternately; medians. A setting of SDV's that takes longer than ONCE seconds is run once."""
        samples = {"maeil": []}
        settings = list(settings)
        for _ in range(TIMES):
            fitted, drawn = self.fit(), self.draw(TIMED_ROWS, 1, self.folder / "timed.csv")
            inside = lambda done: json.loads(done["stdout"])["seconds"]
            samples["maeil"].append({"fit_seconds": inside(fitted), "process_seconds": fitted["seconds"], "sample_seconds": inside(drawn), "peak_mb": fitted["peak_mb"]})
            for version in sorted({version for version, _ in settings}):
                mine = [setting for v, setting in settings if v == version]
                for answer in python(interpreters()[version], PEERS / "synthesis.py", self.folder, self.folder / "sdv", LIMIT, 0, TIMED_ROWS, *mine, threads=2):
                    if "failed" not in answer:
                        samples.setdefault(f"{version} {answer['setting']}", []).append(answer)
                    if "failed" in answer or answer["fit_seconds"] + answer["sample_seconds"] > ONCE:
                        settings.remove((version, answer["setting"]))
        median = lambda rows, key: statistics.median(r[key] for r in rows)
        return {who: {key: median(rows, key) for key in ("fit_seconds", "process_seconds", "sample_seconds", "peak_mb")} for who, rows in samples.items() if rows}


def finished(result):
    return {k: v for k, v in result["sdv"].items() if "failed" not in v}


def timed_settings(result):
    """The setting with the best quality score and the fastest to fit, of each version."""
    out = []
    for version in interpreters():
        mine = {k: v for k, v in finished(result).items() if k.startswith(version + " ")}
        for key in {max(mine, key=lambda k: mine[k]["quality"]), min(mine, key=lambda k: mine[k]["fit_seconds"])} if mine else ():
            out.append(tuple(key.split(" ")))
    return sorted(out)


def table(results):
    lines = ["| data set | measure | maeil | SDV 1.32.0, its best | newest SDV, its best |", "|---|---|---|---|---|"]
    for name in [n for n in NAMES if n in results]:
        r = results[name]
        for key, what in (("quality", "quality score"), ("f1", "TSTR F1"), ("auc", "TSTR ROC AUC")):
            cells = []
            for version in ("1.32", "newest"):
                mine = {k: v[key] for k, v in finished(r).items() if k.startswith(version + " ")}
                best = max(mine, key=mine.get, default=None)
                cells.append("-" if best is None else f"{'**' if mine[best] > r['maeil'][key] else ''}{mine[best]:.4f}{'**' if mine[best] > r['maeil'][key] else ''} ({best.split(' ')[1]})")
            real = f"; real rows {r['real'][key]:.4f}" if key in r["real"] else ""
            lines.append(f"| {name} | {what}{real} | {r['maeil'][key]:.4f} | {cells[0]} | {cells[1]} |")
        for key, what, form in (("fit_seconds", "fit, s", "{:.3g}"), ("process_seconds", "fit, the whole process, s", "{:.3g}"), ("sample_seconds", f"{TIMED_ROWS:,} rows drawn and written, s", "{:.3g}"), ("peak_mb", "memory of the fit, MB", "{:.0f}")):
            times = r.get("times", {})
            if "maeil" not in times:
                continue
            cells = []
            for version in ("1.32", "newest"):
                mine = {k: v[key] for k, v in times.items() if k.startswith(version + " ")}
                cells.append("; ".join(f"{form.format(v)} ({k.split(' ')[1]}, {v / times['maeil'][key]:.0f}x)" for k, v in sorted(mine.items(), key=lambda kv: kv[1])) or "-")
            lines.append(f"| {name} | {what} | {form.format(times['maeil'][key])} | {cells[0]} | {cells[1]} |")
    failed = [f"{name}: SDV {k}: {v['failed']}" for name in results for k, v in results[name]["sdv"].items() if "failed" in v]
    return "\n".join(lines + ([""] + [f"Given up: {'; '.join(failed)}."] if failed else []))


def write_docs(path):
    content = json.loads(path.read_text())
    about = f"{report.machine_line(content['machine'])}; {content['versions']}; load before the times {content.get('load', 'unknown')}."
    report.splice("docs/quality_report.md", BEGIN, END, f"{about}\n\n{table(content['sets'])}")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--only", nargs="*", default=NAMES, choices=NAMES)
    args.add_argument("--settings", nargs="*", default=COPULAS + NETWORKS)
    args.add_argument("--versions", nargs="*", default=["1.32", "newest"])
    args.add_argument("--skip-times", action="store_true")
    args.add_argument("--only-times", action="store_true")
    args.add_argument("--docs-only", action="store_true")
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args = args.parse_args()
    path = ROOT / "benchmarks/results" / ("synthesis-" + machine.file_name(machine.describe()))
    if args.docs_only:
        return write_docs(path)
    def save(name, result, **about):
        """Into the file as it is now: another run may have added other data sets."""
        content = json.loads(path.read_text()) if path.exists() else {"sets": {}}
        content["sets"][name] = result
        content["versions"] = ", ".join(sorted({v["version"] for r in content["sets"].values() for v in finished(r).values()}))
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({**content, "machine": machine.describe(), **about}, indent=1) + "\n")

    for name in args.only:
        with tempfile.TemporaryDirectory() as work:
            bench = Bench(args.build, pathlib.Path(work))
            bench.prepare(name)
            known = json.loads(path.read_text())["sets"] if path.exists() else {}
            result = known.get(name, {"sdv": {}})
            if not args.only_times:
                result.update(bench.judge({"maeil": bench.ours(), "real": [bench.folder / "train.csv"]}))
                print(name, "real", result["real"], "maeil", result["maeil"], file=sys.stderr, flush=True)
                for version in [v for v in interpreters() if v in args.versions]:
                    settings = [s for s in args.settings if s not in NETWORKS or version == "1.32"]
                    result["sdv"].update(bench.theirs(version, settings))
                    for setting in settings:
                        print(name, version, setting, result["sdv"][f"{version} {setting}"], file=sys.stderr, flush=True)
                    save(name, result)
            if not args.skip_times:
                load = round(os.getloadavg()[0], 1)
                result["times"] = bench.times(timed_settings(result))
                save(name, result, load=load)
    write_docs(path)


if __name__ == "__main__":
    main()
