"""A team's own rows against the contract of their dataset: by hand, in the day, at training and scoring."""
import csv
import datetime
import json
import random
import unittest

from harness import Workspace
from machines import MACHINES_DATA as DATA, MACHINES_EVALUATION as EVALUATION

SMALL = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, PRETRAIN_EPOCHS=1, LEARNING_RATE=0.01,
             MIN_POSITIVES=1, MIN_NEGATIVES=1, F1_THRESHOLD=0.3)
HEADER = ["machine", "seen", "heat", "maker", "broken"]
SPEC = """name = "machines"
columns = [
  { name = "machine", type = "text" }, { name = "seen", type = "date" }, { name = "heat", type = "number" },
  { name = "maker", type = "text" }, { name = "broken", type = "text" },
]
[target]
column = "broken"
positive = true
[roles]
id = "machine"
time = "seen"
"""
CONTRACT = """
[contract]
min_rows = 100
unique_id = true
[contract.columns]
heat = { min = -10, max = 10, max_missing = 0.05 }
maker = { allowed = ["A", "B"] }
"""
DAY = "2026-03-05"


def make_rows(count=400, day=DAY, seed=5):
    draw = random.Random(seed)
    rows = []
    for i in range(count):
        heat = draw.gauss(0, 1)
        rows.append([f"M{i}", day or datetime.date(2025, 1, 1) + datetime.timedelta(days=i % 200), round(heat, 3),
                     draw.choice("AB"), heat + draw.gauss(0, 0.3) > 1])
    return rows


def write(path, rows, header=HEADER):
    with open(path, "w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([header, *rows])


class Validate(unittest.TestCase):
    def workspace(self, contract=CONTRACT, **settings):
        workspace = Workspace(**{**SMALL, **settings})
        self.addCleanup(workspace.__exit__, None, None, None)
        (workspace.folder / "dataset.toml").write_text(SPEC + contract)
        return workspace

    def with_model(self, **settings):
        workspace = self.workspace(**settings)
        write(workspace.folder / "history.csv", make_rows(3000, day=None))
        workspace.run("train", "--in", "history.csv", "--epochs", 3, expect=0)
        return workspace

    def broken_rows(self):
        """Nine rows of 400 break a rule, the last one by an earlier id."""
        rows = make_rows()
        for i in range(5):
            rows[10 * i][2] = 99
        for i in range(4):
            rows[7 + i][3] = "Z"
        rows[399][0] = rows[398][0]
        return rows

    def test_a_file_is_validated_by_hand(self):
        work = self.workspace()
        write(work.folder / "good.csv", make_rows())
        self.assertIn("the contract is kept\n", work.run("validate", "--in", "good.csv", expect=0).stdout)
        write(work.folder / "few.csv", self.broken_rows())
        done = json.loads(work.run("validate", "--in", "few.csv", "--json", expect=0).stdout)
        self.assertEqual((done["status"], done["rows"], done["quarantined"]), ("passed_with_warnings", 400, 9))
        found = {(one["rule"], one["column"]): one for one in done["findings"]}
        self.assertEqual(found["max", "heat"]["examples"], ["99"])
        self.assertEqual(found["max", "heat"]["count"], 5)
        self.assertEqual(found["allowed", "maker"]["count"], 4)
        self.assertEqual(found["unique_id", None]["examples"], [])
        self.assertNotIn("M398", json.dumps(done))
        # All at once: a missing column, too many values out of range, missing ones, too few rows.
        rows = [[*row[:2], 99 if i % 2 else "", row[4]] for i, row in enumerate(make_rows(60))]
        write(work.folder / "bad.csv", rows, ["machine", "seen", "heat", "broken"])
        done = work.run("validate", "--in", "bad.csv", expect=3).stdout
        for said in ("lacks the column 'maker'", "above max = 10: 30 of 30 values", "30 of 60 values (50 %) are missing",
                     "60 rows, fewer than min_rows = 100", "the contract is broken"):
            self.assertIn(said, done)
        self.assertIn("absent.csv", work.run("validate", "--in", "absent.csv", expect=3).stderr)

    def test_a_contract_that_checks_nothing_is_refused(self):
        work = self.workspace(contract="")
        write(work.folder / "good.csv", make_rows())
        self.assertIn("there is no [contract]", work.run("validate", "--in", "good.csv", expect=3).stderr)
        (work.folder / "dataset.toml").write_text(SPEC + "[contract]\n")
        self.assertIn("dataset.toml:12: [contract] checks nothing",
                      work.run("validate", "--in", "good.csv", expect=3).stderr)
        (work.folder / "dataset.toml").write_text(SPEC + "[contract]\nschema_only = true\n")
        work.run("validate", "--in", "good.csv", expect=0)

    def test_broken_rows_are_left_out_and_the_rest_goes_on(self):
        work = self.with_model()
        write(work.folder / "rows.csv", self.broken_rows())
        done = work.run("run", "--in", "rows.csv")
        self.assertIn(done.returncode, (0, 4), done.stderr)
        self.assertRegex(done.stdout, r"validated +400 rows, 9 set aside, 3 findings")
        validation, = work.find("data_validations")
        self.assertEqual((validation["status"], validation["quarantined"]), ("passed_with_warnings", 9))
        prepared, = work.find("processing_metadata")
        self.assertEqual((prepared["num_records"], prepared["quarantined"]["count"]), (391, 9))
        self.assertEqual(prepared["quarantined"]["rows"][0],
                         {"line": 2, "reason": "column 'heat': above max = 10"})
        scored, = work.find("predictions")
        self.assertEqual((scored["rows"], scored["quarantined"]), (391, 9))
        scores = (work.folder / f"data/machines/scores/scores_{DAY}.csv").read_text()
        self.assertEqual(len(scores.splitlines()), 392)
        self.assertEqual(work.find("alerts", {"alert_type": "DATA_CONTRACT_BROKEN"}), [])
        # In shards the same.
        with work.copy() as other:
            again = other.run("redo", DAY, "--yes", SHARDS=3)
            self.assertIn(again.returncode, (0, 4), again.stderr)
            self.assertEqual((other.folder / f"data/machines/scores/scores_{DAY}.csv").read_text(), scores)
            self.assertEqual(len(other.find("data_validations")), 2)
            newest, = other.find("data_validations", {"superseded_by": {"$exists": False}})
            self.assertEqual(newest["supersedes"], validation["_id"])

    def test_a_broken_contract_ends_the_day_once(self):
        work = self.with_model()
        rows = make_rows()
        for row in rows[:40]:
            row[2] = 99
        write(work.folder / "rows.csv", rows)
        for arguments in (("--in", "rows.csv"), ("--date", DAY)):
            done = work.run("run", *arguments, expect=3)
            self.assertIn("above max = 10: 40 of 400 values (10 %)", done.stderr)
        alert, = work.find("alerts")
        validation, = work.find("data_validations")
        self.assertEqual(alert["alert_type"], "DATA_CONTRACT_BROKEN")
        self.assertEqual(validation["status"], "failed")
        self.assertEqual(alert["validation_id"], validation["_id"])
        self.assertEqual(work.find("processed_data") + work.find("predictions"), [])
        work.run("task", EVALUATION, "wait_for_data", "--logical-date", DAY, "--run-id", "r", expect=75)
        waits = work.run("task", EVALUATION, "wait_for_data", "--logical-date", DAY, "--run-id", "r", expect=3)
        self.assertIn("validate_data", waits.stderr)
        refused = work.run("task", DATA, "preprocess_data", "--logical-date", DAY, "--run-id", "r", expect=3)
        self.assertIn("break their contract", refused.stderr)
        # The contract is put right: the same rows go on, and what was said of them stays.
        (work.folder / "dataset.toml").write_text(SPEC + CONTRACT.replace("max = 10", "max = 100"))
        done = work.run("run", "--date", DAY)
        self.assertIn(done.returncode, (0, 4), done.stderr)
        self.assertEqual([one["status"] for one in work.find("data_validations", sort="timestamp:1")],
                         ["failed", "passed"])
        self.assertEqual(work.find("alerts", {"alert_type": "DATA_CONTRACT_BROKEN",
                                              "superseded_by": {"$exists": False}}), [])

    def test_a_file_without_a_column_breaks_the_contract(self):
        work = self.with_model()
        write(work.folder / "rows.csv", [[*row[:3], row[4]] for row in make_rows()], ["machine", "seen", "heat", "broken"])
        self.assertIn("the header lacks the column 'maker'", work.run("run", "--in", "rows.csv", expect=3).stderr)
        self.assertEqual([one["alert_type"] for one in work.find("alerts")], ["DATA_CONTRACT_BROKEN"])
        # The right file is another one, and both are kept.
        write(work.folder / "rows.csv", make_rows())
        done = work.run("redo", DAY, "--yes")
        self.assertIn(done.returncode, (0, 4), done.stderr)
        self.assertEqual(len(work.find("raw_data")), 2)
        self.assertEqual(sorted(one["status"] for one in work.find("data_validations")), ["failed", "passed"])

    def test_a_file_without_its_ids_has_one_finding(self):
        work = self.workspace()
        write(work.folder / "rows.csv", [row[1:] for row in make_rows()], HEADER[1:])
        found = json.loads(work.run("validate", "--in", "rows.csv", "--json", expect=3).stdout)["findings"]
        self.assertEqual([(one["rule"], one["column"]) for one in found], [("column", "machine")])

    def test_training_and_scoring_keep_the_same_rules(self):
        work = self.workspace()
        rows = make_rows(3000, day=None)
        for row in rows[:100]:
            row[2] = 99
        write(work.folder / "history.csv", rows)
        done = work.run("train", "--in", "history.csv", "--epochs", 1, expect=0)
        self.assertIn("column 'heat': above max = 10: 100 of 3000 values (3.33 %), such as '99'", done.stderr)
        for row in rows[:200]:
            row[3] = "Z"
        write(work.folder / "history.csv", rows)
        refused = work.run("train", "--in", "history.csv", "--epochs", 1, expect=3)
        self.assertIn("'maker': not in allowed (A, B): 200 of 3000 values", refused.stderr)
        version, = work.find("model_metadata", {"model_name": "default_prediction_classifier", "status": {"$ne": "candidate"}})
        name = version["model_version"]
        # A few rows to score are no day's file: too few of them are said nothing of, missing values are said.
        some = make_rows(40)
        for row in some[:20]:
            row[2] = ""
        write(work.folder / "some.csv", some)
        done = work.run("predict", "--model", name, "--in", "some.csv", "--out", "scores.csv", expect=0)
        self.assertIn("20 of 40 values (50 %) are missing, more than max_missing = 0.05", done.stderr)
        self.assertEqual(len((work.folder / "scores.csv").read_text().splitlines()), 41)
        some[30][2] = 99
        write(work.folder / "some.csv", some)
        done = work.run("predict", "--model", name, "--in", "some.csv", "--out", "scores.csv", expect=0)
        self.assertIn("39 rows scored, 1 set aside", done.stdout)
        for row in some[20:]:
            row[2] = 99
        write(work.folder / "some.csv", some)
        self.assertIn("breaks the contract",
                      work.run("predict", "--model", name, "--in", "some.csv", "--out", "other.csv", expect=3).stderr)
        self.assertFalse((work.folder / "other.csv").exists())

    def test_a_drafted_contract_is_kept_by_tomorrow(self):
        work = Workspace(**SMALL)
        self.addCleanup(work.__exit__, None, None, None)
        write(work.folder / "history.csv", make_rows(3000, day=None))
        work.run("init", "--in", "history.csv", "--target", "broken", "--id", "machine", "--time", "seen", expect=0)
        self.assertIn("[contract.columns]", (work.folder / "dataset.toml").read_text())
        work.run("validate", "--in", "history.csv", expect=3)  # 200 days are more than max_rows
        for seed in range(5):
            write(work.folder / "day.csv", make_rows(15, seed=seed))
            self.assertIn("the contract is kept", work.run("validate", "--in", "day.csv", expect=0).stdout)
        # Another unit is seen.
        rows = [[*row[:2], 100 * float(row[2]), *row[3:]] for row in make_rows(15)]
        write(work.folder / "day.csv", rows)
        self.assertIn("'heat'", work.run("validate", "--in", "day.csv", expect=3).stdout)


if __name__ == "__main__":
    unittest.main()
