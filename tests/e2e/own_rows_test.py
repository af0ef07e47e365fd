"""A team's own rows: from a table to a model that was judged on rows it never saw (`maeil train --in`)."""
import csv
import datetime
import math
import random
import unittest

from harness import Workspace

SMALL = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, LEARNING_RATE=0.01, BATCH_SIZE=16)
SPEC = """name = "machines"
columns = [
  { name = "machine", type = "text" }, { name = "plant", type = "text" }, { name = "seen", type = "date" },
  { name = "heat", type = "number" }, { name = "maker", type = "text" }, { name = "broken", type = "text" },
]
[target]
column = "broken"
positive = true
"""
ROLES = '[roles]\nid = "machine"\ngroup = "plant"\ntime = "seen"\n'


def write_rows(path, rows=6000, label=lambda heat: str(heat > 1).title()):
    draw = random.Random(5)
    with open(path, "w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["machine", "plant", "seen", "heat", "maker", "broken"])
        for row in range(rows):
            heat = draw.gauss(0, 1)
            seen = datetime.date(2026, 1, 1) + datetime.timedelta(days=draw.randrange(200))
            table.writerow([f"M{row}", f"P{row // 4}", seen, round(heat, 3), draw.choice("AB"),
                            label(heat + draw.gauss(0, 0.3))])


class OwnRows(unittest.TestCase):
    def workspace(self, spec=SPEC + ROLES, **settings):
        workspace = Workspace(**{**SMALL, **settings})
        self.addCleanup(workspace.__exit__, None, None, None)
        (workspace.folder / "dataset.toml").write_text(spec)
        write_rows(workspace.folder / "history.csv")
        return workspace

    def test_a_model_is_trained_and_judged_on_rows_that_it_never_saw(self):
        workspace = self.workspace()
        done = workspace.run("train", "--in", "history.csv", "--epochs", 4, expect=0)
        self.assertIn("for the out-of-time test (2026-06-20 to 2026-07-19)", done.stderr)
        self.assertNotIn("default", done.stdout)
        verdicts = {v["dataset_name"]: v for v in workspace.find("performance_metrics")}
        self.assertEqual(set(verdicts), {"test", "out_of_time_test"})
        version, = workspace.find("model_metadata", {"model_name": "default_prediction_classifier"})
        for verdict in verdicts.values():
            self.assertEqual(verdict["model_id"], version["_id"]["$oid"])
            self.assertEqual(verdict["gate"], "passed", verdict)
            low, high = verdict["metrics"]["f1_interval"]
            self.assertLess(low, verdict["metrics"]["f1_score"])
            self.assertLess(verdict["metrics"]["f1_score"], high)
        # The same file is learnt from in the same way.
        again = self.workspace()
        again.run("train", "--in", "history.csv", "--epochs", 4, expect=0)
        other = {v["dataset_name"]: v["metrics"] for v in again.find("performance_metrics")}
        self.assertEqual(other, {name: v["metrics"] for name, v in verdicts.items()})
        # The model scores rows without labels.
        write_rows(workspace.folder / "today.csv", rows=50, label=lambda heat: "")
        workspace.run("predict", "--model", version["model_version"], "--in", "today.csv", "--out",
                      "scores.csv", expect=0)
        self.assertEqual(len((workspace.folder / "scores.csv").read_text().splitlines()), 51)

    def test_what_cannot_be_learnt_from_is_refused_and_leaves_no_version(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "one.csv", label=lambda heat: "False")
        done = workspace.run("train", "--in", "one.csv", "--epochs", 1, "--train", expect=3)
        self.assertIn("all of one class", done.stderr)
        write_rows(workspace.folder / "none.csv", label=lambda heat: "")
        done = workspace.run("train", "--in", "none.csv", "--epochs", 1, expect=3)
        self.assertIn("'broken'", done.stderr)
        done = workspace.run("train", "--in", "absent.csv", expect=3)
        self.assertIn("absent.csv", done.stderr)
        self.assertEqual(workspace.find("model_metadata"), [])

    def test_the_cap_is_said(self):
        workspace = self.workspace(SPEC)
        done = workspace.run("train", "--in", "history.csv", "--epochs", 1, "--rows", 200, expect=0)
        self.assertRegex(done.stderr, r"learns from about 200 of \d+ rows \(ROW_CAP\)")


if __name__ == "__main__":
    unittest.main()
