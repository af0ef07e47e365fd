"""What people see of runs: `runs`, `logs -f`, `db`, and what RETENTION_DAYS_HISTORY leaves of old dates."""

import json
import signal
import subprocess
import time
import unittest

from harness import BINARY, DATA, Workspace, kill
from history import KeepsHistory, recorded

DATE, NEXT = "2026-01-05", "2026-01-06"
SMALL = dict(
    NUM_LAYERS=1,
    D_MODEL=8,
    NHEAD=1,
    DIM_FEEDFORWARD=16,
    DATA_QUANTITY=600,
    MIN_POSITIVES=1,
    MIN_NEGATIVES=1,
    FINETUNE_EPOCHS=1,
    TIMEZONE="UTC",
    F1_THRESHOLD=0,
)
SLOW = dict(F1_THRESHOLD=1, MAX_RETRAIN_ATTEMPTS=1, DATA_QUANTITY=4000, FINETUNE_EPOCHS=10000)  # hours: the tests end it


class Listing(KeepsHistory, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = Workspace(**SMALL)
        cls.base.run("train", "--train", "--rows", "600", "--epochs", "1", expect=0)
        cls.base.run("run", "--date", DATE, expect=0)

    @classmethod
    def tearDownClass(cls):
        cls.base.__exit__()

    def runs(self, work, *options):
        return [
            (r["logical_date"], r["dag_id"], r["state"], r["run_type"])
            for r in json.loads(work.run("runs", "--json", *options, expect=0).stdout)
        ]

    def begin_slow_day(self, work):
        day = work.start("run", "--date", NEXT, **SLOW)
        for line in day.stderr:
            if "finetune_model  started" in line:
                return day
        self.fail("the day ended before its fine-tuning")

    def test_runs_are_chosen_by_state_date_and_limit(self):
        with self.base.copy() as work:
            work.run("run", "--date", NEXT, expect=0)
            every = self.runs(work)
            self.assertEqual([r[0] for r in every], [NEXT] * 4 + [DATE] * 4)
            self.assertEqual(self.runs(work, "--state", "success", "--from", DATE, "--to", DATE), every[4:])
            self.assertEqual(self.runs(work, "--state", "failed"), [])
            cut = work.run("runs", "--limit", "2", expect=0)
            self.assertIn("2 of more are shown: --limit", cut.stderr)
            self.assertEqual(len(cut.stdout.splitlines()), 4)
            self.assertEqual(work.run("runs", "--limit", "8", expect=0).stderr, "")
            work.run("runs", "--state", "sleeping", expect=2)
            work.run("runs", "--from", "yesterday", expect=2)

    def test_a_run_made_of_tasks_is_listed_while_it_goes_on(self):
        with self.base.copy() as work:
            for task, state in (
                ("generate_data", "running"),
                ("validate_data", "running"),
                ("preprocess_data", "success"),
            ):
                work.run("task", DATA, task, "--logical-date", NEXT, "--run-id", "airflow", expect=0)
                self.assertEqual(self.runs(work, "--from", NEXT), [(NEXT, DATA, state, "task")])
                self.assertEqual([r["state"] for r in work.find("dag_runs", {"run_id": "airflow"})], [state])
            self.assertIn(
                ("airflow", DATA),
                [
                    (r["run_id"], r["dag_id"])
                    for r in json.loads(work.run("runs", "--state", "success", "--json").stdout)
                ],
            )

    def test_a_killed_run_does_not_read_running(self):
        with self.base.copy() as work:
            day = self.begin_slow_day(work)
            self.assertEqual([r[2] for r in self.runs(work, "--state", "running")], ["running"])
            kill(day)
            self.assertEqual(self.runs(work, "--state", "running"), [])
            failed = json.loads(work.run("runs", "--state", "failed", "--json", expect=0).stdout)
            self.assertEqual([r["message"] for r in failed], ["its process died"])
            self.assertEqual(
                [
                    r["state"]
                    for r in work.find("dag_runs", {"logical_date": NEXT, "dag_id": failed[0]["dag_id"]})
                ],
                ["running"],
            )  # a reader wrote nothing

    def assert_said(self, work, said):
        logs = json.loads(work.run("logs", NEXT, "--json", expect=0).stdout)["logs"]
        wanted = [line for log in logs for line in log["lines"]]
        self.assertGreater(len(wanted), 3)
        for line in wanted:
            self.assertIn("    " + line, said.splitlines())

    def test_logs_are_followed_until_the_run_has_ended(self):
        with self.base.copy() as work:
            day = self.begin_slow_day(work)
            follow = subprocess.Popen(
                [BINARY, "logs", NEXT, "--follow"],
                cwd=work.folder,
                env=work.environment({}),
                stdout=subprocess.PIPE,
                text=True,
            )
            stopped = subprocess.Popen(
                [BINARY, "logs", NEXT, "-f"],
                cwd=work.folder,
                env=work.environment({}),
                stdout=subprocess.PIPE,
                text=True,
            )
            self.assertTrue(stopped.stdout.readline())
            stopped.send_signal(signal.SIGINT)
            self.assertEqual(stopped.wait(timeout=300), -signal.SIGINT)
            stopped.stdout.close()
            parts = []
            while len(parts) < 2:  # what a task says is kept while it runs
                self.assertIsNone(day.poll())
                parts = work.find("task_logs", {"logical_date": NEXT, "task_id": "retrain_1.finetune_model"}, "part:1")
                time.sleep(0.1)
            self.assertIsNone(follow.poll())
            kill(day)
            said, _ = follow.communicate(timeout=600)
            self.assertEqual(follow.returncode, 0)
            self.assert_said(work, said)
            parts = work.find("task_logs", {"logical_date": NEXT, "task_id": "retrain_1.finetune_model"}, "part:1")
            self.assertEqual([p["part"] for p in parts], list(range(len(parts))))
            # The day is taken up and comes to its end; whoever follows it then sees all of it.
            work.run("run", "--date", NEXT, expect=0)
            self.assert_said(work, work.run("logs", NEXT, "-f", expect=0).stdout)
            work.run("logs", "1999-01-01", "-f", expect=3)

    def test_db_counts_skips_projects_and_says_when_it_cut(self):
        shown = self.base.run("db", "processed_data", "--json", expect=0)
        self.assertEqual(len(json.loads(shown.stdout)), 20)
        self.assertIn("20 of more are shown", shown.stderr)
        total = int(self.base.run("db", "processed_data", "--count", expect=0).stdout)
        self.assertEqual(total, len(self.base.find("processed_data")))
        self.assertEqual(self.base.run("db", "processed_data", "--limit", "20", expect=0).stderr, "")
        self.assertEqual(
            self.base.run(
                "db", "task_instances", "--filter", '{"dag_id": "none"}', "--count", expect=0
            ).stdout,
            "0\n",
        )
        whole = self.base.find("task_instances", sort="start_date:1")
        some = self.base.run(
            "db",
            "task_instances",
            "--sort",
            "start_date:1",
            "--skip",
            "2",
            "--limit",
            "3",
            "--projection",
            "task_id,state",
            "--json",
            expect=0,
        )
        self.assertEqual(
            json.loads(some.stdout), [{k: r[k] for k in ("_id", "task_id", "state")} for r in whole[2:5]]
        )
        self.base.run("db", "task_instances", "--projection", "a,,b", expect=2)

    def test_a_date_without_its_history_is_done_and_is_done_again_beside_what_it_recorded(self):
        with self.base.copy() as work:
            self.assertIn("kept for ever", work.run("prune", expect=0, RETENTION_DAYS_HISTORY=0).stdout)
            self.assertTrue(work.find("dag_runs"))
            keep = {"RETENTION_DAYS_HISTORY": 1}
            plan = json.loads(work.run("prune", "--dry-run", "--json", expect=0, **keep).stdout)["history"]
            self.assertEqual(plan["dates"], [DATE])
            self.assertEqual(len(work.find("dag_runs")), plan["runs"])
            self.assertEqual(
                json.loads(work.run("prune", "--json", expect=0, **keep).stdout)["history"], plan
            )
            self.assertEqual(work.find("dag_runs") + work.find("task_logs") + work.find("task_history"), [])
            self.assertIn("had been run before", work.run("run", "--date", DATE, expect=0).stdout)
            self.assertIn(
                "stays as it is",
                work.run("backfill", "--from", DATE, "--to", DATE, "--dry-run", expect=0).stdout,
            )
            before = recorded(work)
            work.run("redo", DATE, "--yes", expect=0)
            added = self.check_nothing_rewritten(before, recorded(work))
            self.assertTrue(
                any(name == "evaluation_events" and "supersedes" in d for (name, _), d in added.items())
            )


if __name__ == "__main__":
    unittest.main(verbosity=2)
