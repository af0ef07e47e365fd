"""The factory without a scheduler: ids, order, rules, groups, shards, assets, and what an exit code becomes.

The JSON is the binary's own, so a change of the export that the factory does not follow fails here.
"""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import types
import unittest
from datetime import datetime, timedelta, timezone
from unittest import mock

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="maeil-airflow-"))
SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "integrations/airflow/src"))
BINARY = os.path.abspath(os.environ.get("MAEIL_BIN", SOURCE / "build/release/maeil"))

try:
    import airflow  # noqa: F401
except ImportError:
    if os.environ.get("MAEIL_REQUIRE_DATA"):
        raise
    print("skipped: Apache Airflow is not installed (make build/peers/airflow-ready)")
    sys.exit(0)

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException  # noqa: E402

from maeil_airflow import build_dags, load_dags  # noqa: E402
from maeil_airflow.export import check, read_export  # noqa: E402
from maeil_airflow.operators import MaeilBranchOperator, MaeilOperator, MaeilSensor, logical_date_of  # noqa: E402


def exported(**settings):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([BINARY, "dag", "export"], cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Structure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.export = exported()
        cls.dags = build_dags(cls.export)

    def test_ids_and_order_are_the_contract(self):
        self.assertEqual({i: list(d.task_dict) for i, d in self.dags.items()}, {
            "data_pipeline_dag": [
                "wait_for_source",
                "generate_data",
                "validate_data",
                "preprocess_data",
            ],
            "model_evaluation_pipeline": ["wait_for_data", "load_latest_model", "evaluate_model", "check_model_performance"] +
            [f"retrain_{k}.{t}" for k in (1, 2, 3) for t in ("prepare_retraining_data", "finetune_model", "evaluate_finetuned_model")] +
            ["send_evaluation_results", "send_alert", "skip_evaluation"],
            "model_deployment_pipeline": ["wait_for_evaluation", "wait_for_model_ready", "deploy_model", "notify_deployment_complete"],
            "scoring_pipeline": ["wait_for_deployment", "score_data"]})
        for described in self.export["dags"]:
            for task in described["tasks"]:
                self.assertEqual(self.dags[described["dag_id"]].get_task(task["task_id"]).upstream_task_ids, set(task["upstream"]))

    def test_rules_and_kinds(self):
        evaluation = self.dags["model_evaluation_pipeline"]
        self.assertEqual(evaluation.get_task("send_evaluation_results").trigger_rule, "none_failed_min_one_success")
        self.assertEqual(evaluation.get_task("send_alert").trigger_rule, "all_success")
        # The third verdict stands where the first does: after the gate and after every attempt.
        self.assertEqual(evaluation.get_task("skip_evaluation").trigger_rule, "none_failed_min_one_success")
        self.assertEqual(evaluation.get_task("skip_evaluation").upstream_task_ids, evaluation.get_task("send_evaluation_results").upstream_task_ids)
        for branch in ["check_model_performance", *(f"retrain_{k}.evaluate_finetuned_model" for k in (1, 2, 3))]:
            self.assertIn("skip_evaluation", evaluation.get_task(branch).downstream_task_ids)
        self.assertEqual(evaluation.get_task("skip_evaluation").downstream_task_ids, set())
        self.assertIsInstance(evaluation.get_task("check_model_performance"), MaeilBranchOperator)
        self.assertIsInstance(evaluation.get_task("retrain_2.evaluate_finetuned_model"), MaeilBranchOperator)
        self.assertIsInstance(evaluation.get_task("wait_for_data"), MaeilSensor)
        self.assertIsInstance(self.dags["data_pipeline_dag"].get_task("wait_for_source"), MaeilSensor)
        self.assertIs(type(evaluation.get_task("evaluate_model")), MaeilOperator)
        self.assertEqual(set(evaluation.task_group.get_task_group_dict()) - {None}, {"retrain_1", "retrain_2", "retrain_3"})
        self.assertEqual(evaluation.get_task("retrain_2.finetune_model").attempt, 2)

    def test_schedule_and_tries(self):
        for dag in self.dags.values():
            self.assertEqual(dag.timetable.summary, "0 0 * * *")
            self.assertFalse(dag.catchup)
            self.assertEqual(dag.max_active_runs, 1)
        task = self.dags["data_pipeline_dag"].get_task("generate_data")
        self.assertEqual((task.retries, task.retry_delay, bool(task.retry_exponential_backoff)), (2, timedelta(seconds=30), True))

    def test_sensors_have_the_settings(self):
        task = self.dags["model_evaluation_pipeline"].get_task("wait_for_data")
        self.assertEqual((task.poke_interval, task.timeout, task.mode), (300, 3600, "reschedule"))
        quick = build_dags(exported(SENSOR_POKE_INTERVAL="5", SENSOR_TIMEOUT="60"))["model_evaluation_pipeline"].get_task("wait_for_data")
        self.assertEqual((quick.poke_interval, quick.timeout, quick.mode), (5, 60, "poke"))

    def test_number_of_attempts_follows_the_setting(self):
        evaluation = build_dags(exported(MAX_RETRAIN_ATTEMPTS="1"))["model_evaluation_pipeline"]
        self.assertEqual(evaluation.get_task("send_alert").upstream_task_ids, {"retrain_1.evaluate_finetuned_model"})
        self.assertNotIn("retrain_2.finetune_model", evaluation.task_dict)

    def test_a_challenger_follows_every_verdict_where_one_is_wanted(self):
        self.assertNotIn("train_challenger", self.dags["model_evaluation_pipeline"].task_dict)
        evaluation = build_dags(exported(CHALLENGERS="boosted_trees"))["model_evaluation_pipeline"]
        self.assertEqual(evaluation.get_task("train_challenger").upstream_task_ids, {"send_evaluation_results", "send_alert", "skip_evaluation"})
        self.assertEqual(evaluation.get_task("train_challenger").trigger_rule, "none_failed_min_one_success")
        self.assertEqual(evaluation.get_task("evaluate_challenger").upstream_task_ids, {"train_challenger"})

    def test_assets(self):
        produced = {a.uri for dag in self.dags.values() for t in dag.tasks for a in t.outlets}
        self.assertLessEqual({"maeil://store/raw_data", "maeil://store/data_validations", "maeil://store/processed_data", "maeil://store/evaluation_events", "maeil://store/alerts", "maeil://store/deployment_events", "maeil://store/predictions"}, produced)

    def test_shards_are_mapped_and_merged_under_the_same_ids(self):
        dags = build_dags(exported(SHARDS="3"))
        data = dags["data_pipeline_dag"]
        self.assertEqual(list(data.task_dict), [
            "wait_for_source",
            "generate_data_shards",
            "generate_data",
            "validate_data",
            "preprocess_data_shards",
            "preprocess_data",
        ])
        mapped = data.get_task("generate_data_shards")
        self.assertTrue(mapped.is_mapped)
        self.assertEqual(mapped.expand_input.value["shard"], ["1/3", "2/3", "3/3"])
        self.assertEqual(data.get_task("generate_data").shard, "merge/3")
        self.assertEqual(data.get_task("generate_data").upstream_task_ids, {"generate_data_shards"})
        self.assertEqual(data.get_task("validate_data").upstream_task_ids, {"generate_data"})
        self.assertEqual(data.get_task("preprocess_data_shards").upstream_task_ids, {"validate_data"})
        evaluation = dags["model_evaluation_pipeline"]
        self.assertEqual(evaluation.get_task("retrain_1.evaluate_finetuned_model").upstream_task_ids, {"retrain_1.evaluate_finetuned_model_shards"})
        self.assertIsInstance(evaluation.get_task("retrain_1.evaluate_finetuned_model"), MaeilBranchOperator)
        scoring = dags["scoring_pipeline"]
        self.assertEqual(scoring.get_task("score_data_shards").upstream_task_ids, {"wait_for_deployment"})
        self.assertEqual(scoring.get_task("score_data").upstream_task_ids, {"score_data_shards"})

    def test_a_foreign_export_is_refused(self):
        for change, words in [({"format": "other"}, "no export"), ({"version": 1}, "version 1")]:
            with self.assertRaisesRegex(ValueError, words):
                check({**self.export, **change}, "x.json")
        damaged = json.loads(json.dumps(self.export))
        damaged["dags"][0]["tasks"][0]["upstream"] = ["preprocess_data"]
        with self.assertRaisesRegex(ValueError, "does not come before"):
            check(damaged, "x.json")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{")
            file.flush()
            with self.assertRaisesRegex(ValueError, "no JSON"):
                read_export(file.name)

    def test_a_damaged_export_is_refused_by_the_name_of_the_field(self):
        with self.assertRaisesRegex(ValueError, "x.json: the field dags is missing"):
            check({"format": "maeil-dags", "version": 2}, "x.json")
        places = [([], ["dags"]), (["dags", 0], ["dag_id", "dataset", "description", "schedule", "time_zone", "poke_interval", "sensor_timeout", "tasks"]),
                  (["dags", 0, "tasks", 1], ["task_id", "kind", "upstream", "trigger_rule", "attempt", "retries", "group", "description"])]
        for steps, fields in places:
            for field in fields:
                for change, words in ((lambda d, f: d.pop(f), "is missing"), (lambda d, f: d.update({f: {}}), "is {}")):
                    damaged = json.loads(json.dumps(self.export))
                    described = damaged
                    for step in steps:
                        described = described[step]
                    change(described, field)
                    with self.subTest(field=field, words=words), self.assertRaisesRegex(ValueError, f"the field {field} {words}"):
                        check(damaged, "x.json")
        with self.assertRaisesRegex(ValueError, "the field shards is"):
            check({**self.export, "dags": [{**self.export["dags"][0], "shards": "3"}]}, "x.json")
        for damaged in ({**self.export, "dags": [1]}, {**self.export, "dags": [{**self.export["dags"][0], "tasks": ["t"]}]}):
            with self.assertRaisesRegex(ValueError, "no object"):
                check(damaged, "x.json")

    def test_what_cannot_be_asked_names_the_setting(self):
        with tempfile.TemporaryDirectory() as folder:
            absent = os.path.join(folder, "absent")
            for settings, words in (({"MAEIL_BIN": BINARY, "MAEIL_WORKSPACE": absent}, "MAEIL_WORKSPACE"), ({"MAEIL_BIN": absent, "MAEIL_WORKSPACE": folder}, "MAEIL_BIN"),
                                    ({"MAEIL_DAGS": absent}, "MAEIL_DAGS"), ({"MAEIL_DAGS": folder}, "MAEIL_DAGS")):
                with mock.patch.dict(os.environ, settings), self.assertRaisesRegex(ValueError, f"absent.*{words}|{folder}.*{words}"):
                    read_export()

    def test_the_dag_file_imports_without_an_error(self):
        from airflow.dag_processing.dagbag import DagBag
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self.export, file)
            file.flush()
            (pathlib.Path(folder) / "maeil_dags.py").write_text((SOURCE / "integrations/airflow/dags/maeil_dags.py").read_text())
            os.environ["MAEIL_DAGS"] = file.name
            try:
                bag = DagBag(folder)
                self.assertEqual(set(load_dags()), set(self.dags))
            finally:
                del os.environ["MAEIL_DAGS"]
        self.assertEqual(bag.import_errors, {})
        self.assertEqual(set(bag.dags), set(self.dags))


class ExitCodes(unittest.TestCase):
    """A stand-in for the binary that ends as it is told."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.fake = pathlib.Path(self.folder.name) / "maeil"
        self.saved = {name: os.environ.get(name) for name in ("MAEIL_BIN", "MAEIL_WORKSPACE")}
        os.environ.update(MAEIL_BIN=str(self.fake), MAEIL_WORKSPACE=self.folder.name)

    def tearDown(self):
        for name, value in self.saved.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        self.folder.cleanup()

    def run_task(self, code, result, operator=MaeilOperator, method="execute", tries=(1, 2)):
        self.fake.write_text(f"""#!{sys.executable}
import json, os, signal, sys
open("words", "w").write(json.dumps(sys.argv[1:]))
print("a line", file=sys.stderr)
result = {result!r}
if result is not None:
    open(sys.argv[sys.argv.index("--result") + 1], "w").write(json.dumps(result))
os.kill(os.getpid(), signal.SIGKILL) if {code} < 0 else sys.exit({code})
""")
        self.fake.chmod(self.fake.stat().st_mode | stat.S_IXUSR)
        run = types.SimpleNamespace(logical_date=datetime(2026, 11, 22, 16, tzinfo=timezone.utc), run_after=None)
        ti = types.SimpleNamespace(try_number=tries[0], max_tries=tries[1])
        task = operator(task_id="t", maeil_dag="d", maeil_task="g.t", attempt=2, time_zone="Asia/Seoul", shard="1/3")
        return getattr(task, method)({"dag_run": run, "run_id": "r", "ti": ti})

    def result(self, state="success", **more):
        return {"state": state, "next": [], "message": "why", **more}

    def test_success_and_the_command_line(self):
        with mock.patch.object(MaeilOperator, "log") as log:
            self.assertEqual(self.run_task(0, self.result()), "why")
        log.info.assert_any_call("%s", "a line")
        words = json.loads((pathlib.Path(self.folder.name) / "words").read_text())
        self.assertEqual(words[:9], ["task", "d", "g.t", "--logical-date", "2026-11-23", "--run-id", "r", "--retries-left", "2"])
        self.assertEqual(words[9:11], ["--parent", str(os.getpid())])
        self.assertEqual(words[13:], ["--attempt", "2", "--shard", "1/3"])

    def test_the_last_try_says_so(self):
        self.run_task(0, self.result(), tries=(3, 2))
        words = json.loads((pathlib.Path(self.folder.name) / "words").read_text())
        self.assertEqual(words[words.index("--retries-left") + 1], "0")

    def test_what_may_be_tried_again(self):
        for code in (1, 75, -9):
            with self.assertRaises(AirflowException) as raised:
                self.run_task(code, None if code < 0 else self.result("failed"))
            self.assertNotIsInstance(raised.exception, (AirflowFailException, AirflowSkipException), code)

    def test_what_may_not(self):
        for code in (2, 3):
            with self.assertRaisesRegex(AirflowFailException, "why"):
                self.run_task(code, self.result("failed"))
        os.environ["MAEIL_BIN"] = str(self.fake) + "-absent"
        task = MaeilOperator(task_id="t", maeil_dag="d", maeil_task="t")
        with self.assertRaisesRegex(AirflowFailException, "MAEIL_BIN"):
            task.execute({"dag_run": types.SimpleNamespace(logical_date=datetime.now(timezone.utc)), "run_id": "r", "ti": types.SimpleNamespace(try_number=1, max_tries=0)})

    def test_skipped_with_the_reason(self):
        with self.assertRaisesRegex(AirflowSkipException, "why"):
            self.run_task(99, self.result("skipped"))

    def test_success_without_a_result_is_none(self):
        with self.assertRaisesRegex(AirflowException, "without a result"):
            self.run_task(0, None)

    def test_a_branch_reads_the_result(self):
        self.assertEqual(self.run_task(0, self.result(next=["a.b"]), MaeilBranchOperator, "choose_branch"), ["a.b"])

    def test_a_sensor(self):
        self.assertFalse(self.run_task(75, self.result("waiting"), MaeilSensor, "poke"))
        self.assertTrue(self.run_task(0, self.result(), MaeilSensor, "poke"))
        with self.assertRaises(AirflowFailException):
            self.run_task(3, self.result("failed"), MaeilSensor, "poke")

    def test_dates_without_a_logical_date(self):
        run = types.SimpleNamespace(logical_date=None, run_after=datetime(2026, 1, 1, 12, tzinfo=timezone.utc))
        self.assertEqual(logical_date_of({"dag_run": run}, "UTC"), "2026-01-01")


if __name__ == "__main__":
    unittest.main()
