"""What is not judged is neither passed nor failed, and rows that come from nowhere approve nothing: days, tasks and `evaluate`."""
import csv
import json
import unittest

from harness import DEPLOYMENT, EVALUATION, Workspace

TINY = {"NUM_LAYERS": 1, "D_MODEL": 8, "NHEAD": 2, "DIM_FEEDFORWARD": 16, "EPOCHS": 1, "PRETRAIN_EPOCHS": 1, "FINETUNE_EPOCHS": 2, "DATA_QUANTITY": 2500,
        "F1_THRESHOLD": 0}
NOBODY = '[[category]]\ncolumn = "DLNQ_1M_FLG"\nvalue = "N"\nshare = 1.0\n'
NO_LABELS = '[[nulls]]\ncolumn = "DLNQ_1M_FLG"\nshare = 1.0\n'
SOME_LABELS = '[[nulls]]\ncolumn = "DLNQ_1M_FLG"\nshare = 0.3\n'
UNDEFINED = ("f1_score", "roc_auc", "precision", "recall", "ks", "gini", "pr_auc", "f1_interval")


class Judging(unittest.TestCase):
    """One workspace in which a day has passed, so that something is deployed."""

    @classmethod
    def setUpClass(cls):
        cls.work = Workspace(**TINY)
        cls.work.run("train", "--train", "--rows", 1500, expect=0)
        cls.work.run("run", "--date", "2026-01-01", expect=0)
        for name, text in (("nobody", NOBODY), ("no_labels", NO_LABELS), ("some_labels", SOME_LABELS)):
            (cls.work.folder / f"{name}.toml").write_text(f'name = "{name}"\n{text}')

    @classmethod
    def tearDownClass(cls):
        cls.work.__exit__()

    def deployed(self, workspace):
        return (workspace.folder / "models/deployed/current_version.txt").read_text()

    def not_judged(self, workspace, date, reason, *arguments, **settings):
        """A day that ends in the third verdict and changes nothing that was there."""
        versions, deployed = workspace.find("model_metadata"), self.deployed(workspace)
        done = workspace.run("run", "--date", date, *arguments, expect=0, **settings)
        self.assertRegex(done.stdout, f"verdict +not judged: .*{reason}")
        self.assertEqual(workspace.find("model_metadata"), versions)
        self.assertEqual(self.deployed(workspace), deployed)
        states = {d["task_id"]: d["state"] for d in workspace.find("task_instances", {"logical_date": date})}
        self.assertEqual(states["skip_evaluation"], "success")
        for task in ("retrain_1.finetune_model", "retrain_3.evaluate_finetuned_model", "send_evaluation_results", "send_alert", "wait_for_evaluation", "deploy_model"):
            self.assertEqual(states[task], "skipped", task)
        [event] = workspace.find("evaluation_events", {"logical_date": date})
        self.assertEqual((event["event_type"], event["status"]), ("evaluation_skipped", "not_judged"))
        [alert] = workspace.find("alerts", {"logical_date": date})
        self.assertEqual((alert["alert_type"], alert["severity"]), ("MODEL_NOT_JUDGED", "WARNING"))
        for document in (event, alert):
            self.assertRegex(document["reason"], reason)
            self.assertEqual(document["rows"], document["positives"] + document["negatives"])
        [metrics] = [d["metrics"] for d in workspace.find("performance_metrics", {"logical_date": date})]
        self.assertEqual(workspace.find("deployment_events", {"logical_date": date}), [])
        return event, metrics

    def test_a_day_without_a_default(self):
        with self.work.copy() as work:
            event, metrics = self.not_judged(work, "2026-01-05", "0 of the 3.. labelled rows are positive", "--scenario", "nobody.toml")
            self.assertEqual(event["positives"], 0)
            for name in UNDEFINED:
                if name != "precision" or metrics["confusion_matrix"][0][1] == 0:
                    self.assertIsNone(metrics[name], name)
            self.assertEqual(metrics["measured_on"], "test")
            logs = work.run("logs", "2026-01-05", "evaluate_model", expect=0).stdout
            self.assertIn("F1 undefined, AUC undefined, 0 positives", logs)
            again = json.loads(work.run("run", "--date", "2026-01-05", "--scenario", "nobody.toml", "--json", expect=0).stdout)
            self.assertEqual((again["verdict"], again["already_finished"]), ("not_judged", True))
            self.assertEqual(len(work.find("alerts")), 1)
            self.assertIn("skip_evaluation", work.run("dag", "show", EVALUATION, expect=0).stdout)

    def test_too_few_defaults_by_the_setting(self):
        with self.work.copy() as work:
            event, metrics = self.not_judged(work, "2026-01-05", "MIN_POSITIVES asks for 100", MIN_POSITIVES=100)
            self.assertGreater(event["positives"], 0)
            self.assertIsNotNone(metrics["f1_score"])
            self.not_judged(work, "2026-01-06", "MIN_NEGATIVES asks for 1000", MIN_NEGATIVES=1000)
            self.assertRegex(work.run("backfill", "--from", "2026-01-07", "--to", "2026-01-07", expect=0, MIN_POSITIVES=100).stdout, "2026-01-07 +not judged: ")

    def test_rows_without_a_label_are_no_rows_without_a_default(self):
        with self.work.copy() as work:
            self.not_judged(work, "2026-01-05", "none of the 3.. rows has a label", "--scenario", "no_labels.toml")
            work.run("run", "--date", "2026-01-06", "--scenario", "some_labels.toml", expect=4, F1_THRESHOLD=1)
            metrics = work.find("performance_metrics", {"logical_date": "2026-01-06", "dataset_name": "test"})[0]["metrics"]
            self.assertGreater(metrics["unlabelled"], 60)
            self.assertAlmostEqual(metrics["default_rate"], 0.066, delta=0.04)
            self.assertIn("rows of the fine split have no label", work.run("logs", "2026-01-06", "retrain_1.finetune_model", expect=0).stdout)

    def test_as_airflow_runs_it(self):
        with self.work.copy() as work:
            def task(dag, name, expect=0):
                work.run("task", dag, name, "--logical-date", "2026-01-05", "--run-id", "r", "--result", "r.json", expect=expect, MIN_POSITIVES=100)
                return json.loads((work.folder / "r.json").read_text())
            for name in ("generate_data", "validate_data", "preprocess_data"):
                task("data_pipeline_dag", name)
            for name in ("wait_for_data", "load_latest_model", "evaluate_model"):
                task(EVALUATION, name)
            self.assertEqual(task(EVALUATION, "check_model_performance")["next"], ["skip_evaluation"])
            task(DEPLOYMENT, "wait_for_evaluation", expect=75)
            self.assertIn("MIN_POSITIVES", task(EVALUATION, "skip_evaluation")["message"])
            waited = task(DEPLOYMENT, "wait_for_evaluation", expect=99)
            self.assertEqual(waited["state"], "skipped")
            self.assertIn("could not judge", waited["message"])

    def test_evaluate_ends_with_4_for_a_failed_gate_only(self):
        with self.work.copy() as work:
            version = work.find("model_metadata", {"status": "deployed"})[0]["model_version"]
            work.run("generate", "--num-rows", 600, "--out", "rows.csv", "--date", "2026-01-05", expect=0)
            work.run("generate", "--num-rows", 600, "--out", "nobody.csv", "--date", "2026-01-05", "--scenario", "nobody.toml", expect=0)
            work.run("evaluate", "--model", version, "--in", "rows.csv", expect=4, F1_THRESHOLD=1)
            work.run("evaluate", "--model", version, "--in", "rows.csv", expect=0, F1_THRESHOLD=0)
            done = work.run("evaluate", "--model", version, "--in", "nobody.csv", expect=0, F1_THRESHOLD=1)
            self.assertIn("not judged: 0 of the 600 labelled rows are positive", done.stdout)
            self.assertIn("F1 undefined", done.stdout)
            self.assertRegex(done.stdout, r"roc_auc +undefined")
            found = json.loads(work.run("evaluate", "--model", version, "--in", "nobody.csv", "--json", expect=0, F1_THRESHOLD=1).stdout)
            self.assertIsNone(found["passed"])
            self.assertEqual(found["not_judged"]["positives"], 0)
            self.assertIsNone(found["metrics"]["f1_score"])

    def test_attempts_are_compared_on_rows_that_none_has_learnt(self):
        with self.work.copy() as work:
            work.run("run", "--date", "2026-01-05", expect=4, F1_THRESHOLD=1)
            for data in work.find("training_data", {"logical_date": "2026-01-05"}):
                self.assertAlmostEqual(data["num_validation_samples"] / data["num_finetune_samples"], 0.2, delta=0.08)
            for event in work.find("training_events", {"logical_date": "2026-01-05"}):
                self.assertEqual({(e["measured_on"], e["loss_measured_on"]) for e in event["epochs"]}, {("validation", "training batches, as they went by")})
            tuned = {d["attempt"]: d["result"] for d in work.find("task_instances", {"logical_date": "2026-01-05"}) if d["task_id"].endswith(".finetune_model")}
            parents = {d["attempt"]: d["parent_id"] for d in work.find("training_data", {"logical_date": "2026-01-05"})}
            score = {k: (r["validation_f1_score"], -r["validation_log_loss"]) for k, r in tuned.items()}
            for k in (2, 3):
                best = max(range(1, k), key=lambda earlier: (score[earlier], earlier))
                self.assertEqual(parents[k], tuned[best]["model_id"])
            trained = work.find("model_metadata", {"status": "deployed"})[0]
            first = work.find("training_events", {"model_id": trained["_id"]["$oid"]})
            self.assertEqual({e["measured_on"] for e in first[0]["epochs"]}, {"held_out"})


class Sources(unittest.TestCase):
    """A distribution model that is named and absent."""

    @classmethod
    def setUpClass(cls):
        cls.work = Workspace(**TINY)
        cls.work.run("train", "--train", "--rows", 1500, expect=0)

    @classmethod
    def tearDownClass(cls):
        cls.work.__exit__()

    def test_is_exit_code_3_everywhere(self):
        with self.work.copy() as work:
            for words in (("generate", "--num-rows", 10, "--out", "rows.csv"), ("run", "--date", "2026-01-05"), ("train", "--train", "--rows", 400),
                          ("task", "data_pipeline_dag", "generate_data", "--logical-date", "2026-01-06", "--run-id", "r")):
                done = work.run(*words, expect=3, DISTRIBUTION_MODEL="none.pkl")
                self.assertIn("none.pkl", done.stderr)
                self.assertIn("SOURCE_FALLBACK", done.stderr)
            self.assertRegex(work.run("doctor", expect=3, DISTRIBUTION_MODEL="none.pkl").stdout, "problem +distribution model +.*none.pkl")
            (work.folder / "broken.json").write_text("{")
            work.run("doctor", expect=3, DISTRIBUTION_MODEL="broken.json", SOURCE_FALLBACK="portfolio")
            work.run("generate", "--num-rows", 10, "--out", "rows.csv", expect=3, DISTRIBUTION_MODEL="broken.json", SOURCE_FALLBACK="portfolio")
            self.assertFalse((work.folder / "rows.csv").exists())
            self.assertEqual(work.find("raw_data"), [])

    def test_the_fallback_approves_and_deploys_nothing(self):
        with self.work.copy() as work:
            versions = work.find("model_metadata")
            fallback = dict(DISTRIBUTION_MODEL="none.pkl", SOURCE_FALLBACK="portfolio")
            done = work.run("run", "--date", "2026-01-05", expect=0, **fallback)
            self.assertIn("warning: the distribution model none.pkl does not exist", done.stderr)
            self.assertRegex(done.stdout, "verdict +not judged: .*SOURCE_FALLBACK")
            [raw] = work.find("raw_data")
            self.assertEqual((raw["source"], raw["fallback"]), ("portfolio (fallback)", True))
            self.assertEqual(work.find("model_metadata"), versions)
            self.assertEqual({v["status"] for v in versions}, {"registered"})
            self.assertEqual(work.find("deployment_events"), [])
            self.assertIn("SOURCE_FALLBACK", work.find("evaluation_events")[0]["reason"])
            self.assertFalse((work.folder / "models/deployed").exists())
            self.assertRegex(work.run("doctor", expect=0, **fallback).stdout, "warning +distribution model")
            work.run("generate", "--model", "none.pkl", "--num-rows", 10, "--out", "rows.csv", expect=3, **fallback)
            work.run("doctor", expect=2, SOURCE_FALLBACK="simulator")

    def test_no_model_is_trained_on_the_fallbacks_rows(self):
        with Workspace(**TINY, DISTRIBUTION_MODEL="none.pkl", SOURCE_FALLBACK="portfolio") as work:
            for words in (("run", "--date", "2026-01-05"), ("train", "--pretrain", "--rows", 400), ("train", "--train", "--rows", 400)):
                self.assertIn("no model is trained on the built-in portfolio's rows", work.run(*words, expect=3).stderr)
            self.assertEqual(work.find("model_metadata"), [])

    def test_options_that_are_not_the_sources_are_refused(self):
        with self.work.copy() as work:
            work.run("generate", "--num-rows", 400, "--out", "book.csv", expect=0)
            with open(work.folder / "book.csv", encoding="utf-8-sig", newline="") as file:
                rows = [[row[name] for name in ("INT_RATE", "debt", "DLNQ_1M_FLG")] for row in csv.DictReader(file)]
            (work.folder / "small.csv").write_text("\n".join(",".join(row) for row in [["INT_RATE", "debt", "DLNQ_1M_FLG"], *rows]) + "\n")
            work.run("fit", "--in", "small.csv", "--out", "book.json", "--no-report", expect=0)
            done = work.run("run", "--date", "2026-01-05", "--scenario", "recession", expect=2, DISTRIBUTION_MODEL="book.json")
            self.assertIn("recession", done.stderr)
            self.assertEqual(work.find("task_instances"), [])  # refused before anything is done
            for words in (("--scenario", "recession"), ("--date", "2026-01-05")):
                self.assertIn(words[0], work.run("generate", "--model", "book.json", "--num-rows", 10, "--out", "rows.csv", *words, expect=2).stderr)
            (work.folder / "worse.toml").write_text('name = "worse"\nbase = "recession"\n')
            self.assertIn("worse.toml", work.run("generate", "--model", "book.json", "--num-rows", 10, "--out", "rows.csv", "--scenario", "worse.toml", expect=3).stderr)
            self.assertFalse((work.folder / "rows.csv").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
