"""A day's scores: every row that can be read, by the model in force, as `maeil predict` would score the same file; what the
day ends with does not matter, what the deployment ends with does; done again they are added, and named."""
import csv
import hashlib
import json
import unittest

from harness import DATA, DEPLOYMENT, EVALUATION, SCORING, Workspace
from small_model import small_model

DATE, OLDER = "2026-01-05", "2026-01-04"


def path_of(date):
    return f"data/scores/scores_{date}.csv"


def rows_of(file):
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


class Scores(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = small_model()
        cls.base = cls.model.workspace(DATA_QUANTITY=3000, MAX_RETRAIN_ATTEMPTS=1)
        cls.addClassCleanup(cls.base.__exit__)
        cls.version = cls.base.find("model_metadata")[0]["model_version"]
        cls.alerted = cls.base.copy()
        cls.addClassCleanup(cls.alerted.__exit__)
        cls.said = cls.alerted.run("run", "--date", DATE, F1_THRESHOLD=1, expect=4)

    def scored(self, workspace, date=DATE):
        """The document that counts, held against the file and its rows."""
        [document] = [d for d in workspace.find("predictions", {"logical_date": date}) if "superseded_by" not in d]
        file = workspace.folder / path_of(date)
        self.assertEqual(document["sha256"], hashlib.sha256(file.read_bytes()).hexdigest())
        rows = rows_of(file)
        self.assertEqual(list(rows[0]), ["row", "probability", "decision", "model_version"])
        self.assertEqual(len(rows), document["rows"])
        self.assertEqual({r["model_version"] for r in rows}, {document["model_version"]})
        for r in rows:
            self.assertEqual(r["decision"], str(int(float(r["probability"]) >= document["threshold"])))
        ones = sum(r["decision"] == "1" for r in rows)
        self.assertEqual(document["decisions"], {"0": len(rows) - ones, "1": ones})
        self.assertAlmostEqual(document["mean_probability"], sum(float(r["probability"]) for r in rows) / len(rows), delta=1e-12)
        [raw] = workspace.find("raw_data", {"_id": document["raw_data_id"]})
        self.assertEqual(document["raw_sha256"], raw["sha256"])
        self.assertEqual(document["rows"] + document["quarantined"], raw["rows"])
        return document, rows

    def test_a_day_that_fails_the_gate_is_scored_with_what_was_in_force_as_predict_would(self):
        document, rows = self.scored(self.alerted)
        self.assertEqual((document["model_version"], document["model_status"]), (self.version, "registered"))
        self.assertEqual(document["rows"], 3000)
        self.assertIn("  scored       3000 rows scored with version " + self.version, self.said.stdout)
        self.assertIn("  scores       ./" + path_of(DATE), self.said.stdout)
        self.alerted.run("predict", "--model", self.version, "--in", "data/raw/synthetic_data.csv", "--out", "predicted.csv", expect=0)
        predicted = rows_of(self.alerted.folder / "predicted.csv")
        self.assertEqual([(p["row"], p["probability_of_default"], p["prediction"]) for p in predicted],
                         [(r["row"], r["probability"], r["decision"]) for r in rows])

    def test_a_day_that_deploys_is_scored_with_what_it_deployed(self):
        with self.alerted.copy() as work:
            work.run("redo", DATE, "--from", "retrain_1", "--yes", F1_THRESHOLD=0, expect=0)
            document, _ = self.scored(work)
            [deployed] = work.find("model_metadata", {"status": "deployed"})
            self.assertEqual((document["model_version"], document["model_status"]), (deployed["model_version"], "deployed"))
            self.assertNotEqual(document["model_version"], self.version)
            [before] = work.find("predictions", {"_id": document["supersedes"]})
            self.assertEqual((before["superseded_by"], before["model_version"]), (document["_id"], self.version))
            said = work.run("logs", DATE, "score_data", expect=0).stdout + json.dumps(work.find("task_instances", {"task_id": "score_data"}))
            self.assertIn("other scores than before", said)
            # A date before it is scored with what is deployed now, and a person's deployment counts from the next date on.
            work.run("run", "--date", OLDER, F1_THRESHOLD=1, expect=4)
            self.assertEqual(self.scored(work, OLDER)[0]["model_version"], deployed["model_version"])
            work.run("model", "approve", self.version, expect=0)
            work.run("model", "deploy", self.version, expect=0)
            again = work.run("redo", DATE, "--from", "score_data", "--yes", F1_THRESHOLD=0, expect=0)
            self.assertIn("as before, byte for byte", again.stdout)
            self.assertEqual(self.scored(work)[0]["sha256"], document["sha256"])
            work.run("run", "--date", "2026-01-06", F1_THRESHOLD=1, expect=4)
            self.assertEqual(self.scored(work, "2026-01-06")[0]["model_version"], self.version)

    def test_a_failed_deployment_scores_nothing_until_it_is_mended(self):
        with self.base.copy() as work:
            (work.folder / "models" / "deployed").mkdir()  # as the Python project leaves it: no link can take its place
            failed = work.run("run", "--date", DATE, F1_THRESHOLD=0)
            self.assertIn(failed.returncode, (1, 2, 3), failed.stderr)
            self.assertEqual(work.find("predictions"), [])
            task = ["task", SCORING, "wait_for_deployment", "--logical-date", DATE, "--run-id", "r"]
            work.run(*task, expect=75)  # what it finds may be about to be done again
            self.assertIn("nothing is scored: deploy_model", work.run(*task, expect=3).stderr)
            (work.folder / "models" / "deployed").rmdir()
            work.run("run", "--date", DATE, F1_THRESHOLD=0, expect=0)
            self.assertEqual(self.scored(work)[0]["model_status"], "deployed")

    def test_rows_that_cannot_be_read_are_counted_and_keep_their_numbers(self):
        with self.base.copy() as work:
            work.run("task", DATA, "generate_data", "--logical-date", DATE, "--run-id", "r", expect=0)
            raw = work.folder / "data/raw/synthetic_data.csv"
            lines = raw.read_bytes().decode("utf-8-sig").splitlines(keepends=True)
            lines[8] = "too,few,fields\n"
            broken = "\ufeff" + "".join(lines)
            (work.folder / "broken.csv").write_text(broken, newline="")
            work.run("predict", "--model", self.version, "--in", "broken.csv", "--out", "predicted.csv", expect=0)
            predicted = rows_of(work.folder / "predicted.csv")
            self.assertEqual((len(predicted), predicted[7]["row"]), (2999, "8"))
            # A row that is set aside takes no number from the others, and no probability.
            work.run("task", SCORING, "score_data", "--logical-date", DATE, "--run-id", "r", expect=0)
            whole = {r["row"]: r["probability"] for r in self.scored(work)[1]}
            self.assertEqual({p["row"]: p["probability_of_default"] for p in predicted}, {k: v for k, v in whole.items() if k != "7"})

    def test_without_a_model_it_is_skipped(self):
        with Workspace(DISTRIBUTION_MODEL=self.model.distribution, DATA_QUANTITY=300) as work:
            work.run("task", DATA, "generate_data", "--logical-date", DATE, "--run-id", "r", expect=0)
            done = work.run("task", SCORING, "score_data", "--logical-date", DATE, "--run-id", "r", "--json", expect=99)
            self.assertIn("there is no model", json.loads(done.stdout)["message"])
            self.assertFalse((work.folder / "data/scores").exists())

    def test_a_file_of_the_users_stays(self):
        with self.base.copy() as work:
            theirs = work.folder / path_of(DATE)
            theirs.parent.mkdir(parents=True)
            theirs.write_text("theirs")
            refused = work.run("run", "--date", DATE, F1_THRESHOLD=0, expect=2)
            self.assertIn("is a file that maeil did not write", refused.stderr)
            self.assertEqual((theirs.read_text(), work.find("predictions")), ("theirs", []))
            theirs.unlink()
            work.run("run", "--date", DATE, F1_THRESHOLD=0, expect=0)
            self.scored(work)

    def test_the_days_dags_know_it(self):
        exported = json.loads(self.base.run("dag", "export", expect=0).stdout)
        self.assertEqual([d["dag_id"] for d in exported["dags"]], [DATA, EVALUATION, DEPLOYMENT, SCORING])
        self.assertIn("score_data", self.base.run("dag", "show", SCORING, expect=0).stdout)
        self.assertIn(SCORING, self.base.run("dag", "list", expect=0).stdout)
        self.assertIn(SCORING, self.alerted.run("runs", expect=0).stdout)
        again = self.alerted.run("run", "--date", DATE, F1_THRESHOLD=1, expect=4)
        self.assertIn("nothing was done again", again.stdout)
        self.assertEqual(len(self.alerted.find("predictions")), 1)
        with self.alerted.copy() as work:
            plan = json.loads(work.run("prune", "--dry-run", "--json", RETENTION_DAYS_RAW=1, expect=0).stdout)
            self.assertEqual(plan["scores"], [DATE])
            work.run("prune", RETENTION_DAYS_RAW=1, expect=0)
            self.assertFalse((work.folder / path_of(DATE)).exists())
            [document] = work.find("predictions")
            self.assertIn("pruned", document)
            gone = work.run("redo", DATE, "--from", "score_data", "--yes", F1_THRESHOLD=1, expect=4)
            self.assertIn("RETENTION_DAYS_RAW", gone.stdout)
            self.assertEqual(len(work.find("predictions")), 1)


if __name__ == "__main__":
    unittest.main()
