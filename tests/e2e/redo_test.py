"""Doing finished tasks again: every task of every DAG, by `maeil redo` and as Airflow's clear does it, before and after the
deployment. What was recorded stays byte for byte, apart from `superseded_by` and a version's status; what is new says what
it supersedes; the registry and the link agree."""
import json
import unittest

from harness import DATA, DEPLOYMENT, EVALUATION, SCORING, Workspace
from history import KeepsHistory, recorded

DATE = "2026-01-05"
# A day whose model fails the gate and whose first attempt passes: tasks in order.
RETRAINED_DAY = [
    (DATA, "wait_for_source"),
    (DATA, "generate_data"),
    (DATA, "validate_data"),
    (DATA, "preprocess_data"),
    (EVALUATION, "wait_for_data"), (EVALUATION, "load_latest_model"), (EVALUATION, "evaluate_model"),
    (EVALUATION, "check_model_performance"), (EVALUATION, "retrain_1.prepare_retraining_data"), (EVALUATION, "retrain_1.finetune_model"),
    (EVALUATION, "retrain_1.evaluate_finetuned_model"), (EVALUATION, "send_evaluation_results"), (DEPLOYMENT, "wait_for_evaluation"),
    (DEPLOYMENT, "wait_for_model_ready"), (DEPLOYMENT, "deploy_model"), (DEPLOYMENT, "notify_deployment_complete"),
    (SCORING, "wait_for_deployment"), (SCORING, "score_data")]
SMALL = dict(NUM_LAYERS=1, D_MODEL=8, NHEAD=1, DIM_FEEDFORWARD=16, DATA_QUANTITY=600, MIN_POSITIVES=1, MIN_NEGATIVES=1, FINETUNE_EPOCHS=1, TIMEZONE="UTC",
             LOG_LEVEL="warning")


class Redo(KeepsHistory, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The model learns next to nothing, so its F1 lies under any gate that its first attempt, with a gate of 0, passes.
        cls.base = Workspace(**SMALL)
        cls.base.run("train", "--train", "--rows", "600", "--epochs", "1", expect=0)
        cls.passed = cls.base.copy()
        cls.passed.run("run", "--date", DATE, F1_THRESHOLD=0, expect=0)
        # One attempt, then an alert.
        cls.alerted = cls.base.copy()
        cls.alerted.run("run", "--date", DATE, F1_THRESHOLD=1, MAX_RETRAIN_ATTEMPTS=1, expect=4)

    @classmethod
    def tearDownClass(cls):
        for workspace in (cls.base, cls.passed, cls.alerted):
            workspace.__exit__()

    def again_by_redo(self, origin, dag, task, **settings):
        with origin.copy() as workspace:
            before = recorded(workspace)
            code = 4 if settings.get("F1_THRESHOLD") == 1 else 0
            workspace.run("redo", DATE, "--from", f"{dag}.{task}", "--yes", expect=code, **settings)
            added = self.check_nothing_rewritten(before, recorded(workspace))
            self.check_registry(workspace, DATE)
            return added

    def test_every_task_of_a_passed_day(self):
        done = {(r["dag_id"], r["task_id"]) for r in self.passed.find("task_instances", {"state": "success"})}
        for dag, task in [t for t in RETRAINED_DAY if t in done]:
            with self.subTest(task=task):
                self.again_by_redo(self.passed, dag, task, F1_THRESHOLD=0)

    def test_every_task_of_an_alerted_day(self):
        done = {(r["dag_id"], r["task_id"]) for r in self.alerted.find("task_instances", {"state": "success"})}
        self.assertIn((EVALUATION, "retrain_1.finetune_model"), done)
        for dag, task in [t for t in RETRAINED_DAY if t in done] + [(EVALUATION, "send_alert")]:
            with self.subTest(task=task):
                added = self.again_by_redo(self.alerted, dag, task, F1_THRESHOLD=1, MAX_RETRAIN_ATTEMPTS=1)
                for collection in ("predictions",) if dag == SCORING else ("alerts", "predictions"):
                    self.assertTrue(any(name == collection and "supersedes" in d for (name, _), d in added.items()), collection)

    def test_an_alert_gives_way_to_a_pass_that_is_deployed_and_judged_again(self):
        with self.alerted.copy() as workspace:
            before = recorded(workspace)
            # The attempt is made again, passes now, and is deployed.
            workspace.run("redo", DATE, "--from", "retrain_1", "--yes", F1_THRESHOLD=0, MAX_RETRAIN_ATTEMPTS=1, expect=0)
            after = recorded(workspace)
            added = self.check_nothing_rewritten(before, after)
            self.check_registry(workspace, DATE)
            [version] = [d for (name, _), d in added.items() if name == "model_metadata"]
            self.assertEqual(version["status"], "deployed")
            old = next(d for (name, _), d in before.items() if name == "model_metadata" and d["_id"] == version["supersedes"])
            self.assertEqual((old["status"], old["finetuned_from"]), ("rejected", version["finetuned_from"]))
            self.assertEqual(after["alerts", json.dumps(next(d["_id"] for (n, _), d in before.items() if n == "alerts"))]["superseded_by"],
                             next(d["_id"] for (n, _), d in added.items() if n == "evaluation_events"))
            # After its deployment every task again, as a worker of Airflow would (clear with downstream) and by redo.
            once_more = dict(F1_THRESHOLD=0, MAX_RETRAIN_ATTEMPTS=1)
            for i, (dag, task) in enumerate(RETRAINED_DAY):
                with self.subTest(cleared=task), workspace.copy() as cleared:
                    before = recorded(cleared)
                    for d, t in RETRAINED_DAY[i:] if dag != DATA else RETRAINED_DAY[i:2]:
                        if d != dag:
                            break
                        # The original passes now: what its attempts did stays, and they are not asked.
                        if dag == EVALUATION and t.startswith("retrain_") and i <= 5:
                            continue
                        cleared.run("task", d, t, "--logical-date", DATE, "--run-id", "cleared", expect=0, **once_more)
                    self.check_nothing_rewritten(before, recorded(cleared))
                    self.check_registry(cleared, DATE)
                with self.subTest(redone=task):
                    self.again_by_redo(workspace, dag, task, **once_more)

    def test_the_same_is_made_again(self):
        """The same rows from the same seed, and the same model after the same training."""
        with self.alerted.copy() as workspace:
            workspace.run("redo", DATE, "--yes", F1_THRESHOLD=1, MAX_RETRAIN_ATTEMPTS=1, expect=4)
            for collection, field in [("raw_data", "sha256"), ("performance_metrics", "metrics"), ("predictions", "sha256")]:
                new = [d for d in workspace.find(collection) if "supersedes" in d]
                old = {json.dumps(d["_id"]): d for d in workspace.find(collection)}
                self.assertTrue(new)
                for document in new:
                    self.assertEqual(document[field], old[json.dumps(document["supersedes"])][field])
            rows = workspace.find("processed_data", {"logical_date": DATE})
            self.assertEqual(len({r["row"] for r in rows}), len(rows), "rows of before were not replaced")

    def test_an_older_date_deploys_nothing_unless_told_to(self):
        with self.alerted.copy() as workspace:
            workspace.run("run", "--date", "2026-01-06", F1_THRESHOLD=0, expect=0)  # deploys the model that failed the day before
            deployed = workspace.find("model_metadata", {"status": "deployed"})
            once_more = dict(F1_THRESHOLD=0, MAX_RETRAIN_ATTEMPTS=1)
            workspace.run("redo", DATE, "--from", "retrain_1", "--yes", expect=0, **once_more)  # a new version passes
            self.assertEqual(workspace.find("model_metadata", {"status": "deployed"}), deployed)
            state = workspace.find("task_instances", {"logical_date": DATE, "task_id": "deploy_model"})[0]
            self.assertEqual(state["state"], "skipped")
            self.assertIn("2026-01-06 is newer", state["message"])
            self.check_registry(workspace, DATE)
            told = workspace.run("redo", DATE, "--from", "deploy_model", "--yes", "--deploy", expect=0, **once_more)
            self.assertIn("is deployed", told.stdout)
            [now] = workspace.find("model_metadata", {"status": "deployed"})
            self.assertNotEqual(now["model_version"], deployed[0]["model_version"])
            self.check_registry(workspace, DATE)

    def test_a_person_s_deployment_is_not_undone_by_a_pass(self):
        with self.passed.copy() as workspace:
            workspace.run("train", "--train", "--rows", "600", "--epochs", "1", SEED=7, expect=0)
            newest = workspace.find("model_metadata", sort="model_version:-1")[0]["model_version"]
            workspace.run("model", "approve", newest, expect=0)
            workspace.run("model", "deploy", newest, expect=0)
            done = workspace.run("redo", DATE, "--from", "evaluate_model", "--yes", F1_THRESHOLD=0, expect=0)
            self.assertIn("another version took its place since", done.stdout)
            self.assertEqual([v["model_version"] for v in workspace.find("model_metadata", {"status": "deployed"})], [newest])
            self.check_registry(workspace, DATE)

    def test_a_redo_that_fails_keeps_older_dates_from_deploying(self):
        with self.alerted.copy() as workspace:
            workspace.run("run", "--date", "2026-01-06", F1_THRESHOLD=0, expect=0)
            deployed = workspace.find("model_metadata", {"status": "deployed"})
            workspace.run("redo", "2026-01-06", "--yes", DISTRIBUTION_MODEL="absent.json", expect=3)
            workspace.run("redo", DATE, "--from", "retrain_1", "--yes", F1_THRESHOLD=0, MAX_RETRAIN_ATTEMPTS=1, expect=0)
            self.assertEqual(workspace.find("model_metadata", {"status": "deployed"}), deployed)

    def test_a_retry_of_what_was_done_does_nothing(self):
        """A worker that was killed between the commit and its answer: its next try finds the work done."""
        with self.alerted.copy() as workspace:
            task = ["task", EVALUATION, "retrain_1.finetune_model", "--logical-date", DATE, "--run-id", "airflow"]
            workspace.run(*task, "--retries-left", "2", expect=0)
            before = recorded(workspace)
            again = json.loads(workspace.run(*task, "--retries-left", "1", "--json", expect=0).stdout)
            self.assertEqual(again["state"], "success")
            self.assertEqual(recorded(workspace), before)
            workspace.run(*task, "--retries-left", "2", expect=0)  # cleared
            self.assertEqual(len(workspace.find("model_metadata")), len([k for k in before if k[0] == "model_metadata"]) + 1)

    def test_looks_without_touching(self):
        with Workspace(**SMALL) as empty:
            empty.run("redo", DATE, "--dry-run", expect=3)
            empty.run("redo", DATE, "--yes", expect=3)
            self.assertEqual(list(empty.folder.iterdir()), [])

    def test_asks_before_it_does_anything(self):
        with self.passed.copy() as workspace:
            before = recorded(workspace)
            plan = workspace.run("redo", DATE, "--from", "evaluate_model", "--dry-run", expect=0)
            self.assertIn("evaluate_model, check_model_performance", plan.stdout)
            self.assertIn(f"{DATE} would be done again from", plan.stdout)
            self.assertNotIn("preprocess_data", plan.stdout)
            self.assertNotIn("the rows will be drawn", workspace.run("redo", DATE, "--dry-run", expect=0).stdout)
            self.assertIn("the rows will be drawn with SEED 43, they were drawn with 42", workspace.run("redo", DATE, "--dry-run", SEED=43, expect=0).stdout)
            self.assertNotIn("the rows will be drawn", workspace.run("redo", DATE, "--from", "evaluate_model", "--dry-run", SEED=43, expect=0).stdout)
            refused = workspace.run("redo", DATE, expect=2)
            self.assertIn("--yes", refused.stderr)
            for wrong in (["--from", "nonsense"], ["--from", "retrain_3"], ["--from", "evaluate_model", "--rows", "10"]):
                self.assertIn("--from", workspace.run("redo", DATE, *wrong, "--yes", expect=2).stderr)
            self.assertIn("never run", workspace.run("redo", "2026-01-04", "--yes", expect=3).stderr)
            self.assertEqual(recorded(workspace), before)

    def test_a_second_run_with_other_options_says_so(self):
        with self.passed.copy() as workspace:
            before = recorded(workspace)
            for option in (["--scenario", "recession"], ["--rows", "700"]):
                refused = workspace.run("run", "--date", DATE, *option, F1_THRESHOLD=0, expect=2)
                self.assertIn(f"maeil redo {DATE} {' '.join(option)}", refused.stderr)
            workspace.run("run", "--date", DATE, "--scenario", "calm", "--rows", "600", F1_THRESHOLD=0, expect=0)
            self.assertEqual(recorded(workspace), before)
            done = workspace.run("redo", DATE, "--scenario", "recession", "--rows", "700", "--yes", F1_THRESHOLD=0, expect=0)
            self.assertIn(f"{DATE} is done again from", done.stdout)
            newest = [d for d in workspace.find("raw_data") if "superseded_by" not in d]
            self.assertEqual([(d["rows"], d["scenario"]) for d in newest], [(700, "recession")])

    def test_a_killed_redo_goes_on_as_it_was_asked(self):
        with self.passed.copy() as workspace:
            process = workspace.start("redo", DATE, "--scenario", "recession", "--yes", F1_THRESHOLD=0, LOG_LEVEL="info")
            for line in process.stderr:
                if "generate_data  started" in line:
                    break
            process.kill()
            process.wait()
            process.stderr.close()
            workspace.run("run", "--date", DATE, F1_THRESHOLD=0, expect=0)
            newest = [d for d in workspace.find("raw_data") if "superseded_by" not in d]
            self.assertEqual([d["scenario"] for d in newest], ["recession"])
            self.check_registry(workspace, DATE)


if __name__ == "__main__":
    unittest.main()
