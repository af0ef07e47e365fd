"""`maeil init`: a dataset spec drafted from a table, which the other commands take as it is.

Tables: scikit-learn's breast_cancer (569 rows, 30 numbers, a target of 0 and 1), where this Python or that of the peers
has scikit-learn; and a made-up loan book with an id, a group, a time, and columns that should be no features.
"""
import csv
import json
import os
import random
import subprocess
import sys
import unittest

from harness import SOURCE, Workspace

SMALL = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, PRETRAIN_EPOCHS=1, EPOCHS=2, LEARNING_RATE=0.005,
             MIN_POSITIVES=1, MIN_NEGATIVES=1)


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


TUMOURS = """
import csv, sys
from sklearn.datasets import load_breast_cancer
data = load_breast_cancer()
with open(sys.argv[1], "w", newline="") as file:
    rows = ([*map(float, row), int(label)] for row, label in zip(data.data, data.target))
    csv.writer(file).writerows([[*data.feature_names, "target"], *rows])
"""


def write_tumours(path):
    for python in (sys.executable, SOURCE / "build/peers/bin/python"):
        try:
            done = subprocess.run([python, "-c", TUMOURS, path], capture_output=True, text=True)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return
    if os.environ.get("MAEIL_REQUIRE_DATA"):
        raise AssertionError("needs scikit-learn")
    raise unittest.SkipTest("skipped: needs scikit-learn")


def book(path, rows=900):
    """A loan in each of three months; `recovered` is known only after a default, `closed` lies after `as_of`."""
    draw = random.Random(7)
    lines = []
    for i in range(rows):
        rate = draw.uniform(1, 20)
        bad = draw.random() < rate / 60
        lines.append([f"{i // 3:05}", 500 + i // 6, f"2026-{i % 3 + 1:02}-28",
                      f"20{draw.randint(10, 25)}-05-{draw.randint(1, 28):02}", f"2027-{draw.randint(1, 12):02}-01", "KRW", draw.choice("ABCD"), round(rate, 2),
                      "" if draw.random() < 0.1 else draw.randint(1, 9), round(draw.random(), 3) if bad else "",
                      f"remark {i * 7919 % 100003}", 1 if bad else 0])
    write_csv(path, ["loan_id", "borrower", "as_of", "opened", "closed", "currency", "grade", "rate", "dependents",
                     "recovered", "remark", "default"], lines)
    return sum(line[-1] for line in lines)


class Init(unittest.TestCase):
    def test_breast_cancer_from_nothing_to_prepared_rows(self):
        with Workspace(**SMALL) as work:
            write_tumours(work.folder / "tumours.csv")
            proposed = work.run("init", "--in", "tumours.csv", expect=2)
            self.assertIn("maeil init --in tumours.csv --target target", proposed.stdout)
            self.assertFalse((work.folder / "dataset.toml").exists())
            drafted = work.run("init", "--in", "tumours.csv", "--target", "target", expect=0).stdout
            self.assertLessEqual(drafted.count("\n"), 24, "one screen")
            self.assertIn("'0' is positive, 212 rows (37.3 %)", drafted)
            self.assertIn("'0' is the rarer value; --positive 1 for the other one", drafted)
            self.assertIn("learns  30 features", drafted)
            self.assertNotIn("drops", drafted)
            # never over a file that is there
            before = (work.folder / "dataset.toml").read_bytes()
            refused = work.run("init", "--in", "tumours.csv", "--target", "target", "--positive", "1", expect=2)
            self.assertIn("--force", refused.stderr)
            self.assertEqual((work.folder / "dataset.toml").read_bytes(), before)
            again = json.loads(work.run("init", "--in", "tumours.csv", "--target", "target", "--force", "--json",
                                        expect=0).stdout)
            self.assertEqual((again["rows"], again["features"], again["target"]["positives"]), (569, 30, 212))
            self.assertEqual((work.folder / "dataset.toml").read_bytes(), before)
            # the dataset is found unasked, and each command says so once
            self.assertIn("tumours (./dataset.toml): 31 columns, target 'target'", work.run("doctor").stdout)
            fitted = work.run("fit", "--in", "tumours.csv", "--out", "copula.json", "--no-report", expect=0)
            self.assertEqual(fitted.stderr.count("dataset tumours (./dataset.toml)"), 1)
            self.check_prepares(work, "tumours.csv", 569, 212)

    def check_prepares(self, work, rows, count, positives):
        """Trains on drawn rows, prepares and evaluates the real ones."""
        work.settings["DISTRIBUTION_MODEL"] = "copula.json"
        work.run("train", "--pretrain", "--train", "--rows", 800, expect=0)
        version = work.find("model_metadata", {"model_name": "default_prediction_classifier"})[0]["model_version"]
        work.run("preprocess", "--in", rows, "--model", version, "--out", "prepared.csv", expect=0)
        with open(work.folder / "prepared.csv", newline="", encoding="utf-8-sig") as file:
            prepared = list(csv.DictReader(file))
        self.assertEqual(len(prepared), count)
        label = "target" if "target" in prepared[0] else "default"
        self.assertEqual(sum(row[label] == "1" for row in prepared), positives)
        self.assertEqual({row[label] for row in prepared}, {"0", "1"})
        evaluated = work.run("evaluate", "--model", version, "--in", rows, "--json")
        self.assertIn(evaluated.returncode, (0, 4))
        return prepared[0]

    def test_a_book_with_roles_and_columns_that_are_no_features(self):
        with Workspace(**SMALL) as work:
            positives = book(work.folder / "book.csv")
            out = json.loads(work.run("init", "--in", "book.csv", "--target", "default", "--id", "loan_id", "--id", "as_of",
                                      "--group", "borrower", "--time", "as_of", "--json", expect=0).stdout)
            self.assertEqual(out["roles"], {"id": ["loan_id", "as_of"], "group": "borrower", "time": "as_of"})
            dropped = {column["name"]: column["dropped"] for column in out["columns"] if "dropped" in column}
            self.assertEqual(set(dropped), {"closed", "currency", "recovered", "remark"})
            self.assertIn("lies after as_of in 900 of 900 rows", dropped["closed"])
            self.assertIn("constant: 'KRW'", dropped["currency"])
            self.assertIn("it alone tells '1' from '0'", dropped["recovered"])
            self.assertIn("900 different values in 900 rows", dropped["remark"])
            self.assertEqual(out["warnings"], [])
            text = (work.folder / "dataset.toml").read_text()
            self.assertIn('{ name = "currency", type = "text", drop = true },  # constant', text)
            work.run("fit", "--in", "book.csv", "--out", "copula.json", "--no-report", expect=0)
            prepared = self.check_prepares(work, "book.csv", 900, positives)
            self.assertEqual(set(prepared), {"grade", "rate", "dependents", "dependents_isnull", "opened_days", "default",
                                             "split"})
            # ids and groups are not learned: the model makes new ones
            generated = {column["column"] for column in json.loads((work.folder / "copula.json").read_text())["generated"]}
            self.assertEqual(generated & {"loan_id", "borrower", "as_of"}, {"loan_id", "borrower"})

    def test_a_value_that_is_written_in_two_ways_is_one_class(self):
        with Workspace() as work:
            draw = random.Random(3)
            write_csv(work.folder / "rows.csv", ["x", "y"], [[round(draw.gauss(0, 1), 3), draw.choice(["1", "1.0", "0", "0.00"])]
                                                             for _ in range(400)])
            work.run("init", "--in", "rows.csv", "--target", "y", "--positive", "1.0", expect=0)
            self.assertIn("positive = 1\nnegative = 0\n", (work.folder / "dataset.toml").read_text())
            work.run("fit", "--in", "rows.csv", "--out", "copula.json", "--no-report", expect=0)
            work.run("generate", "--model", "copula.json", "--num-rows", 200, "--out", "drawn.csv", expect=0)
            with open(work.folder / "drawn.csv", newline="", encoding="utf-8-sig") as file:
                self.assertEqual({row["y"] for row in csv.DictReader(file)}, {"0", "1"})

    def test_what_is_no_table_to_learn_from_has_a_sentence(self):
        with Workspace() as work:
            def refused(text, *options):
                (work.folder / "rows.csv").write_text(text)
                done = work.run("init", "--in", "rows.csv", "--target", "y", *options, expect=3)
                self.assertEqual(done.stderr.strip().count("\n"), 0, done.stderr)
                self.assertFalse((work.folder / "dataset.toml").exists())
                return done.stderr
            self.assertIn("'a' (1 row), 'b' (1 row), 'c' (1 row)", refused("x,y\n1,a\n2,b\n3,c\n"))
            self.assertIn("is 'bad' in no row", refused("x,y\n1,a\n2,b\n", "--positive", "bad"))
            self.assertIn("has a header and no rows", refused("x,y\n"))
            self.assertIn("'x' is there twice", refused("x,y,x\n1,a,2\n"))
            wide = ",".join(f"c{i}" for i in range(5000))
            self.assertIn("more than 4096 columns", refused(f"y,{wide}\n" + "1," * 5000 + "1\n"))
            few = work.folder / "rows.csv"
            few.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
            self.assertIn("20 rows are few", work.run("init", "--in", "rows.csv", "--target", "y", expect=0).stdout)


if __name__ == "__main__":
    unittest.main()
