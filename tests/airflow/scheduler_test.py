"""The DAGs in a real scheduler, and beside them the built-in runner on a copy of the same workspace.

A small program between Airflow and the binary gives each logical date its settings (so that one day passes, one recovers and one
ends in an alert) and, where a test asks for it, fails once or tells its process id.
"""
import csv
import datetime
import json
import os
import pathlib
import signal
import stat
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests/e2e"), str(pathlib.Path(__file__).resolve().parent), str(SOURCE / "integrations/airflow/src")]
from harness import BINARY, Workspace, snapshot, stable  # noqa: E402
from history import KeepsHistory, recorded  # noqa: E402

try:
    import airflow  # noqa: F401
except ImportError:
    if os.environ.get("MAEIL_REQUIRE_DATA"):
        raise
    print("skipped: Apache Airflow is not installed (make build/peers/airflow-ready)")
    sys.exit(0)
from airflow_server import Airflow, end_on_sigterm  # noqa: E402

DATA, EVALUATION, DEPLOYMENT, SCORING = DAGS = "data_pipeline_dag", "model_evaluation_pipeline", "model_deployment_pipeline", "scoring_pipeline"
BACKFILLED = ["2026-10-01", "2026-10-02", "2026-10-03"]
PASS, ALERT, RECOVER, KILLED, BROKEN, FLAKY, NOT_JUDGED = [f"2026-10-{day}" for day in (11, 12, 13, 15, 16, 17, 18)]
UNDEPLOYED = "2026-10-14"
FROM_FILE, NOT_DUE = "2026-10-19", "2026-10-20"  # a Monday, a Tuesday
UNLABELLED, LABELS_CAME = "2026-10-21", "2026-10-23"
SMALL = {"DATA_QUANTITY": "600", "EPOCHS": "1", "PRETRAIN_EPOCHS": "1", "SENSOR_POKE_INTERVAL": "2", "SENSOR_TIMEOUT": "900", "THREADS": "1",
         "FINETUNE_LEARNING_RATE": "0.003", "NUM_LAYERS": "2", "MIN_POSITIVES": "1"}

WRAPPER = """#!{python} -S
import json, os, sys
folder, words = {folder!r}, sys.argv[1:]
if words[0] == "task":
    date = words[words.index("--logical-date") + 1]
    settings = json.load(open(folder + "/settings.json"))
    os.environ.update(settings.get(date, {{}}))
    key = folder + "/" + date + "." + words[2]
    if os.path.exists(key + ".fail_once"):
        os.remove(key + ".fail_once")
        print("a disk that was full a moment ago")
        sys.exit(1)
    open(key + ".pid", "w").write(str(os.getpid()))
os.execv({binary!r}, [{binary!r}, *words])
"""


def recovery(workspace, date):
    """A threshold between the F1 of the model in force and that of a first better attempt, found by a day that fails every attempt."""
    trial = workspace.copy()
    with trial:
        trial.run("run", "--date", date, F1_THRESHOLD=1, expect=4)
        scores = [d["metrics"]["f1_score"] for d in trial.find("performance_metrics", {"logical_date": date}, "timestamp:1")]
    for later in scores[1:]:
        if later > scores[0] + 0.01:
            return (scores[0] + later) / 2
    raise AssertionError(f"no attempt of {date} is better than the model in force: {scores}")


class Days(KeepsHistory, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(cls.work())
        cls.airflow.migrate()
        errors = cls.airflow.cli("dags", "list-import-errors").stdout
        assert "No data found" in errors, errors
        # SQLite locks when a backfill is made while the scheduler runs.
        for dag in DAGS:
            cls.airflow.cli("backfill", "create", "--dag-id", dag, "--from-date", BACKFILLED[0], "--to-date", BACKFILLED[-1], "--max-active-runs", "1")
        cls.addClassCleanup(cls.airflow.stop)
        cls.airflow.start()
        for dag in DAGS:
            cls.airflow.unpause(dag)

    @classmethod
    def work(cls):
        cls.workspace = Workspace(**SMALL)
        cls.workspace.run("train", "--pretrain", "--train", expect=0)
        cls.twin = cls.workspace.copy()
        cls.addClassCleanup(cls.twin.__exit__)
        folder = tempfile.TemporaryDirectory(prefix="maeil-airflow-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        wrapper = cls.folder / "maeil"
        wrapper.write_text(WRAPPER.format(python=sys.executable, folder=str(cls.folder), binary=os.path.abspath(BINARY)))
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        cls.days = {}
        # Each DAG begins with today's run when it is switched on. Today has no data and so no verdict: the dates of the tests
        # would be older than the newest that has one, and deploy nothing.
        today = datetime.datetime.now(datetime.timezone.utc).date()
        for date in (today, today + datetime.timedelta(days=1)):
            cls.set_day(date.isoformat(), DISTRIBUTION_MODEL="absent.json")
        cls.airflow = Airflow(cls.folder / "home", SOURCE / "integrations/airflow/dags", {
            **SMALL, "MAEIL_BIN": str(wrapper), "MAEIL_WORKSPACE": str(cls.workspace.folder), "MAEIL_RETRY_DELAY": "1", "F1_THRESHOLD": "0",
            "PYTHONPATH": str(SOURCE / "integrations/airflow/src")})
        return cls.workspace

    @classmethod
    def set_day(cls, date=None, **settings):
        if date:
            cls.days[date] = {name: str(value) for name, value in settings.items()}
        new = cls.folder / "settings.json.new"
        new.write_text(json.dumps(cls.days))
        new.replace(cls.folder / "settings.json")

    def day(self, date, dags=DAGS):
        """Triggers the DAGs of a date at once; the sensors bring them into order. State of each task by (dag, task)."""
        for dag in dags:
            self.airflow.trigger(dag, date)
        states = {dag: self.airflow.wait(dag, f"test__{date}") for dag in dags}
        return states, {dag: self.airflow.tasks(dag, f"test__{date}") for dag in dags}

    def same_as_built_in(self, date, expect, **settings):
        self.twin.run("run", "--date", date, expect=expect, **settings)
        mine, other = snapshot(self.workspace, date), snapshot(self.twin, date)
        for collection, documents in other.items():
            if collection == "task_instances":
                documents, got = self.that_ran(documents), self.that_ran(mine[collection])
            else:
                got = mine[collection]
            self.assertEqual(got, documents, f"{date} {collection}")
        # Where nothing was trained, both have models of the same names, so the same bytes.
        if not self.workspace.find("model_metadata", {"logical_date": date}) and other["predictions"]:
            scores = [(w.folder / f"data/scores/scores_{date}.csv").read_bytes() for w in (self.workspace, self.twin)]
            self.assertEqual(scores[0], scores[1], f"{date} scores")

    @staticmethod
    def that_ran(records):
        """Airflow itself settles what a branch did not choose; the built-in runner leaves a record of it."""
        kept = [json.loads(r) for r in records]
        kept = [r for r in kept if not r.get("skipped_by") and r["state"] not in ("upstream_failed", "none")]
        for r in kept:
            r.pop("skipped_by", None)
        return sorted(json.dumps(r, sort_keys=True) for r in kept)

    # unittest runs these in the order of their names; each uses dates of its own.

    def test_1_backfill_of_three_days(self):
        deadline = time.monotonic() + 1000
        while True:
            runs = {dag: [r for r in self.airflow.call("GET", f"dags/{dag}/dagRuns?limit=100")["dag_runs"] if r["run_type"] == "backfill"] for dag in DAGS}
            if all(len(r) == 3 and all(x["state"] in ("success", "failed") for x in r) for r in runs.values()):
                break
            self.assertLess(time.monotonic(), deadline, runs)
            time.sleep(1)
        failed = [self.airflow.failures(dag, r["dag_run_id"]) for dag in DAGS for r in runs[dag] if r["state"] == "failed"]
        self.assertEqual(failed, [], "\n".join(failed) + self.airflow.tail())
        for dag in DAGS:
            self.assertEqual({r["logical_date"][:10] for r in runs[dag]}, set(BACKFILLED))
        for date in BACKFILLED:
            self.twin.run("run", "--date", date, expect=0, F1_THRESHOLD=0)
            self.assertEqual(len(self.workspace.find("deployment_events", {"logical_date": date})), 1)
            self.assertEqual(snapshot(self.workspace, date)["evaluation_events"], snapshot(self.twin, date)["evaluation_events"])

    def test_2_pass(self):
        states, tasks = self.day(PASS)
        self.assertEqual(set(states.values()), {"success"})
        self.assertEqual(tasks[EVALUATION]["send_evaluation_results"], "success")
        self.assertEqual(tasks[EVALUATION]["retrain_1.finetune_model"], "skipped")
        self.assertEqual(tasks[EVALUATION]["send_alert"], "skipped")
        self.assertEqual(tasks[DEPLOYMENT]["deploy_model"], "success")
        self.same_as_built_in(PASS, 0, F1_THRESHOLD=0)
        self.assertTrue(self.airflow.call("GET", "assets?name_pattern=maeil/deployment_events")["assets"])
        events = self.airflow.call("GET", "assets/events?limit=100")["asset_events"]
        self.assertIn("send_evaluation_results", {e["source_task_id"] for e in events})

    def test_3_alert(self):
        self.set_day(ALERT, F1_THRESHOLD=1)
        states, tasks = self.day(ALERT)
        self.assertEqual(tasks[EVALUATION]["send_alert"], "success")
        self.assertEqual(tasks[EVALUATION]["send_evaluation_results"], "skipped")
        self.assertEqual({k: tasks[EVALUATION][f"retrain_{k}.evaluate_finetuned_model"] for k in (1, 2, 3)}, {1: "success", 2: "success", 3: "success"})
        self.assertEqual(set(tasks[DEPLOYMENT].values()), {"skipped"})
        self.assertEqual(set(tasks[SCORING].values()), {"success"})  # with what stays deployed
        self.assertIn("ended in an alert", self.airflow.log(DEPLOYMENT, f"test__{ALERT}", "wait_for_evaluation"))
        self.same_as_built_in(ALERT, 4, F1_THRESHOLD=1)

    def test_4_recover(self):
        threshold = recovery(self.twin, RECOVER)
        self.set_day(RECOVER, F1_THRESHOLD=threshold)
        states, tasks = self.day(RECOVER)
        self.assertEqual(set(states.values()), {"success"})
        self.assertEqual(tasks[EVALUATION]["retrain_1.finetune_model"], "success")
        self.assertEqual(tasks[EVALUATION]["send_alert"], "skipped")
        self.same_as_built_in(RECOVER, 0, F1_THRESHOLD=threshold)
        self.assertEqual(self.workspace.find("evaluation_events", {"logical_date": RECOVER})[0]["status"], "retrained")

    def clear_each(self, dag, date, tasks=None):
        """Clears these tasks of a run, or every one that ended in success, each with what follows it, and holds the store against
        what it was."""
        run = f"test__{date}"
        for task in tasks or [t for t, state in self.airflow.tasks(dag, run).items() if state == "success"]:
            with self.subTest(date=date, cleared=task):
                before = recorded(self.workspace)
                self.airflow.clear(dag, run, task)
                self.assertEqual(self.airflow.wait(dag, run), "success")
                added = self.check_nothing_rewritten(before, recorded(self.workspace))
                self.assertTrue(added, "nothing was done again")
                self.check_registry(self.workspace, date)

    def test_5_clear_and_rerun(self):
        # After the deployment: the attempt is made again as a version of its own, and the deployment, another DAG, deploys that.
        [old] = self.workspace.find("model_metadata", {"status": "deployed"})
        before = recorded(self.workspace)
        self.airflow.clear(EVALUATION, f"test__{RECOVER}", "evaluate_model")
        self.assertEqual(self.airflow.wait(EVALUATION, f"test__{RECOVER}"), "success")
        self.assertGreater(self.airflow.task(EVALUATION, f"test__{RECOVER}", "evaluate_model")["try_number"], 1)
        self.check_nothing_rewritten(before, recorded(self.workspace))
        self.assertEqual(self.workspace.find("model_metadata", {"status": "deployed"}), [{**old, "superseded_by": self.workspace.find(
            "model_metadata", {"supersedes": old["_id"]})[0]["_id"]}])
        self.airflow.clear(DEPLOYMENT, f"test__{RECOVER}", "wait_for_evaluation")
        self.assertEqual(self.airflow.wait(DEPLOYMENT, f"test__{RECOVER}"), "success")
        [new] = self.workspace.find("model_metadata", {"status": "deployed"})
        self.assertEqual(new["supersedes"], old["_id"])
        # Its parent is the model that was judged, or, of a second attempt, the first one that was made again.
        [parent] = self.workspace.find("model_metadata", {"_id": {"$oid": new["finetuned_from"]}})
        self.assertIn({"$oid": old["finetuned_from"]}, (parent["_id"], parent.get("supersedes")))
        self.check_registry(self.workspace, RECOVER)
        self.clear_each(SCORING, RECOVER)
        self.clear_each(DEPLOYMENT, RECOVER, ["deploy_model", "wait_for_model_ready"])
        self.clear_each(EVALUATION, RECOVER, ["retrain_1.evaluate_finetuned_model", "retrain_1.finetune_model"])

    def test_5_clear_before_the_deployment(self):
        self.day(UNDEPLOYED, (DATA, EVALUATION))
        for dag in (DATA, EVALUATION):
            self.clear_each(dag, UNDEPLOYED)
        # From here on both have the same past again.
        self.twin.__exit__()
        type(self).twin = self.workspace.copy()
        self.addClassCleanup(self.twin.__exit__)

    def test_6_a_worker_is_killed(self):
        settings = {"F1_THRESHOLD": 1, "MAX_RETRAIN_ATTEMPTS": 3, "FINETUNE_EPOCHS": 25, "DATA_QUANTITY": 2000}
        self.set_day(KILLED, **settings)
        pid_file = self.folder / f"{KILLED}.retrain_1.finetune_model.pid"
        for dag in (DATA, EVALUATION):
            self.airflow.trigger(dag, KILLED)
        deadline = time.monotonic() + 600
        while not self.workspace.find("task_instances", {"logical_date": KILLED, "task_id": "retrain_1.finetune_model", "state": "running"}):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        scheduler, pid, chain = self.airflow.processes["scheduler"].pid, int(pid_file.read_text()), []
        while pid not in (scheduler, 1):
            chain.append(pid)
            stat_line = pathlib.Path(f"/proc/{pid}/stat").read_text()
            pid = int(stat_line.rpartition(")")[2].split()[1])
        self.assertEqual(pid, scheduler)
        self.assertGreaterEqual(len(chain), 3)  # the binary, Airflow's task, the worker that watches it
        for victim in chain[1:]:  # not the binary: it ends with the process that started it
            os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 300
        while pathlib.Path(f"/proc/{chain[0]}").exists() and "(zombie)" not in pathlib.Path(f"/proc/{chain[0]}/status").read_text():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertEqual(self.airflow.wait(EVALUATION, f"test__{KILLED}"), "success")
        self.assertGreater(self.airflow.task(EVALUATION, f"test__{KILLED}", "retrain_1.finetune_model")["try_number"], 1)
        for dag in (DEPLOYMENT, SCORING):
            self.airflow.trigger(dag, KILLED)
            self.airflow.wait(dag, f"test__{KILLED}")
        self.same_as_built_in(KILLED, 4, **settings)

    def test_7_a_failed_task(self):
        broken = self.folder / "broken.pkl"
        broken.write_bytes(b"no pickle")
        self.set_day(BROKEN, DISTRIBUTION_MODEL=broken)
        states, tasks = self.day(BROKEN)
        self.assertEqual(set(states.values()), {"failed"})
        self.assertEqual(tasks[DATA], {
            "wait_for_source": "success",
            "generate_data": "failed",
            "validate_data": "upstream_failed",
            "preprocess_data": "upstream_failed",
        })
        self.assertEqual(tasks[EVALUATION]["wait_for_data"], "failed")
        self.assertEqual(tasks[DEPLOYMENT]["wait_for_evaluation"], "failed")
        self.assertEqual(tasks[SCORING], {"wait_for_deployment": "failed", "score_data": "upstream_failed"})
        run = f"test__{BROKEN}"
        self.assertEqual(self.airflow.task(DATA, run, "generate_data")["try_number"], 1)  # exit code 3: never again
        self.assertIn("broken.pkl", self.airflow.log(DATA, run, "generate_data"))
        self.assertIn("generate_data", self.airflow.log(EVALUATION, run, "wait_for_data"))
        self.set_day(BROKEN)
        # All at once, the last first, as people do: the sensors meet the old failure before anything is done about it.
        for dag, first in [(SCORING, "wait_for_deployment"), (DEPLOYMENT, "wait_for_evaluation"), (EVALUATION, "wait_for_data"), (DATA, "generate_data")]:
            self.airflow.clear(dag, run, first)
        for dag in DAGS:
            self.assertEqual(self.airflow.wait(dag, run), "success", dag)

    def test_8_exit_code_1_is_tried_again(self):
        (self.folder / f"{FLAKY}.generate_data.fail_once").touch()
        states, tasks = self.day(FLAKY, [DATA])
        self.assertEqual(states, {DATA: "success"})
        self.assertEqual(self.airflow.task(DATA, f"test__{FLAKY}", "generate_data")["try_number"], 2)
        self.assertIn("a disk that was full", self.airflow.log(DATA, f"test__{FLAKY}", "generate_data"))

    def test_9_what_cannot_be_judged_is_skipped(self):
        before = self.workspace.find("model_metadata")
        self.set_day(NOT_JUDGED, MIN_POSITIVES=1000)
        states, tasks = self.day(NOT_JUDGED)
        self.assertEqual(set(states.values()), {"success"})  # Airflow has no state "skipped" for a run
        self.assertEqual(tasks[EVALUATION]["skip_evaluation"], "success")
        for task in ("retrain_1.prepare_retraining_data", "retrain_3.evaluate_finetuned_model", "send_evaluation_results", "send_alert"):
            self.assertEqual(tasks[EVALUATION][task], "skipped", task)
        self.assertEqual(set(tasks[DEPLOYMENT].values()), {"skipped"})
        self.assertIn("could not judge", self.airflow.log(DEPLOYMENT, f"test__{NOT_JUDGED}", "wait_for_evaluation"))
        self.assertEqual(self.workspace.find("model_metadata"), before)
        self.same_as_built_in(NOT_JUDGED, 0, MIN_POSITIVES=1000, F1_THRESHOLD=0)

    def test_a_day_from_a_file_that_comes_late(self):
        settings = {"DAY_DATA": self.folder / "day_{date}.csv"}
        self.set_day(FROM_FILE, **settings)
        for dag in DAGS:
            self.airflow.trigger(dag, FROM_FILE)
        deadline = time.monotonic() + 300
        while not self.workspace.find("task_instances", {"logical_date": FROM_FILE, "task_id": "wait_for_source", "state": "waiting"}):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(1)
        self.twin.run("generate", "--num-rows", 600, "--date", FROM_FILE, "--out", self.folder / "rows.csv", expect=0)
        (self.folder / "rows.csv").rename(self.folder / f"day_{FROM_FILE}.csv")
        for dag in DAGS:
            self.assertEqual(self.airflow.wait(dag, f"test__{FROM_FILE}"), "success", dag)
        raw, = self.workspace.find("raw_data", {"logical_date": FROM_FILE})
        self.assertEqual((raw["rows"], raw["source"]), (600, f"day_{FROM_FILE}.csv"))
        self.same_as_built_in(FROM_FILE, 0, F1_THRESHOLD=0, **settings)

    def test_b_on_a_day_on_which_no_file_is_due_all_is_skipped(self):
        spec = self.folder / "mondays.toml"
        spec.write_text((SOURCE / "datasets/corporate_loan.toml").read_text() + '[calendar]\nweekdays = ["mon"]\n')
        settings = {"DAY_DATA": self.folder / "day_{date}.csv", "DATASET_SPEC": spec}
        self.set_day(NOT_DUE, **settings)
        states, tasks = self.day(NOT_DUE)
        self.assertEqual(set(states.values()), {"success"})  # Airflow has no state "skipped" for a run
        self.assertEqual({state for dag in DAGS for state in tasks[dag].values()}, {"skipped"})
        self.assertIn("no file is due on 2026-10-20, a Tuesday", self.airflow.log(DATA, f"test__{NOT_DUE}", "wait_for_source"))
        self.same_as_built_in(NOT_DUE, 0, F1_THRESHOLD=0, **settings)

    def test_c_labels_that_come_with_a_later_day(self):
        spec = self.folder / "late.toml"
        spec.write_text((SOURCE / "datasets/corporate_loan.toml").read_text().replace('positive = "Y"\n', 'positive = "Y"\ndelay_days = 2\n'))
        settings = {"DAY_DATA": self.folder / "late_{date}.csv", "LABELS": self.folder / "labels_{date}.csv", "DATASET_SPEC": spec}
        for date in (UNLABELLED, LABELS_CAME):
            self.set_day(date, **settings)
            self.twin.run("generate", "--num-rows", 600, "--date", date, "--out", self.folder / "rows.csv", expect=0)
            with open(self.folder / "rows.csv", encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
            if date == UNLABELLED:
                with open(self.folder / f"labels_{LABELS_CAME}.csv", "w", newline="") as file:
                    csv.writer(file).writerows([["row", "logical_date", "DLNQ_1M_FLG"], *([n, date, r["DLNQ_1M_FLG"]] for n, r in enumerate(rows))])
            with open(self.folder / f"late_{date}.csv", "w", newline="") as file:
                out = csv.DictWriter(file, rows[0])
                out.writeheader()
                out.writerows({**row, "DLNQ_1M_FLG": ""} for row in rows)
            states, tasks = self.day(date)
            self.assertEqual(set(states.values()), {"success"})
            self.same_as_built_in(date, 0, F1_THRESHOLD=0, **settings)
        judged, = self.workspace.find("performance_metrics", {"logical_date": LABELS_CAME, "dataset_name": "test"})
        self.assertEqual(judged["metrics"]["judged_on"], [UNLABELLED])
        # The older day's scores have their verdict too. An import has an id of its own each time.
        mine, other = ([{k: v for k, v in stable(document).items() if k not in ("_id", "import_id")}
                        for document in w.find("labels") + w.find("performance_metrics", {"logical_date": UNLABELLED}, "timestamp:1")]
                       for w in (self.workspace, self.twin))
        self.assertEqual(mine, other)
        matured, = self.workspace.find("performance_metrics", {"logical_date": UNLABELLED, "dataset_name": "matured"})
        self.assertEqual(matured["metrics"]["rows"], 600)


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main(verbosity=2)
