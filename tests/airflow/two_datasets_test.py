"""Seven days of two datasets in one store through a real scheduler: one from Parquet parts, one from PostgreSQL, labels two days
late, the scheduler killed in the middle with all that it runs. What each dataset has then is what the built-in runner makes of it.

MAEIL_AIRFLOW_DAYS (7) of them.
"""
import os
import pathlib
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests/e2e"), str(pathlib.Path(__file__).resolve().parent)]
from books import DAYS, TWO, check_two, write_two  # noqa: E402
from datasets_test import QUICK, comparable, documents  # noqa: E402
from harness import BINARY, DATA, DEPLOYMENT, EVALUATION, SCORING, Workspace  # noqa: E402
from postgresql import Postgresql  # noqa: E402

PYTHON = SOURCE / "build/peers/airflow/bin/python"
if not PYTHON.exists():
    if os.environ.get("MAEIL_REQUIRE_DATA"):
        raise AssertionError("needs Apache Airflow (make build/peers/airflow-ready)")
    print("skipped: Apache Airflow is not installed (make build/peers/airflow-ready)")
    sys.exit(0)
from airflow_server import Airflow, end_on_sigterm  # noqa: E402

DAYS = DAYS[:int(os.environ.get("MAEIL_AIRFLOW_DAYS", 7))]
DAGS = [f"{name}__{dag}" for name in TWO for dag in (DATA, EVALUATION, DEPLOYMENT, SCORING)]
# How the tasks of a day went is the runner's business: Airflow settles itself what a branch did not choose.
OF_THE_RUNNER = {"task_instances", "task_history", "task_logs", "dag_runs", "day_requests", "audit_log"}


class TwoDatasets(unittest.TestCase):
    def test_days_side_by_side_with_late_labels_and_a_kill(self):
        with Postgresql() as server, Workspace(**QUICK, DATABASE_URL=server.url(), JUDGE_DAYS=30, RETRAIN_DAYS=30) as work, \
                tempfile.TemporaryDirectory(prefix="maeil-airflow-") as folder:
            write_two(server, work, DAYS)
            with work.copy() as twin:
                airflow = Airflow(folder, SOURCE / "integrations/airflow/dags", {
                    **work.settings, "MAEIL_BIN": BINARY, "MAEIL_WORKSPACE": str(work.folder), "MAEIL_RETRY_DELAY": "1",
                    "SENSOR_POKE_INTERVAL": "2", "SENSOR_TIMEOUT": "900", "PYTHONPATH": str(SOURCE / "integrations/airflow/src")}, str(PYTHON),
                    parallelism=24)  # today's sensors, of both, wait all the time
                self.addCleanup(airflow.stop)
                self.backfill(airflow, work)
                check_two(self, work, DAYS)
                for name in TWO:
                    twin.run("backfill", "--from", DAYS[0], "--to", DAYS[-1], expect=0, DATASET=name)
                    mine, other = documents(work, name), documents(twin, name)
                    for collection in sorted({*mine, *other} - OF_THE_RUNNER):
                        self.assertEqual(self.what(mine, collection), self.what(other, collection), f"{collection} of {name}")
                    for day in DAYS:
                        path = f"data/{name}/scores/scores_{day}.csv"
                        self.assertEqual((work.folder / path).read_bytes(), (twin.folder / path).read_bytes(), path)

    @staticmethod
    def what(documents, collection):
        """Without which task it was: where a backfill takes in labels before the day that they are of is scored, the scoring judges it,
        and not the import."""
        return comparable([{k: v for k, v in document.items() if k not in ("_id", "task_key", "import_id")} for document in documents.get(collection, [])])

    def backfill(self, airflow, work):
        airflow.migrate()
        self.assertIn("No data found", airflow.cli("dags", "list-import-errors").stdout)
        for dag in DAGS:  # SQLite locks when a backfill is made while the scheduler runs
            airflow.cli("backfill", "create", "--dag-id", dag, "--from-date", DAYS[0], "--to-date", DAYS[-1], "--max-active-runs", "1")
        airflow.start()
        for dag in DAGS:
            airflow.unpause(dag)
        # In the middle: some day of one of them is scored, and work of both goes on.
        while not work.find("predictions"):
            time.sleep(0.2)
        airflow.kill("scheduler")
        airflow.start()
        deadline = time.monotonic() + 2400
        while True:
            runs = [run for dag in DAGS for run in airflow.call("GET", f"dags/{dag}/dagRuns?limit=100")["dag_runs"] if run["run_type"] == "backfill"]
            if len(runs) == len(DAGS) * len(DAYS) and all(run["state"] in ("success", "failed") for run in runs):
                break
            self.assertLess(time.monotonic(), deadline, runs)
            time.sleep(1)
        failed = [airflow.failures(run["dag_id"], run["dag_run_id"]) for run in runs if run["state"] == "failed"]
        self.assertEqual(failed, [], "\n".join(failed) + airflow.tail())


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main(verbosity=2)
