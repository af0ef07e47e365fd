"""What rings besides the gate: failed tasks and deployments, rollbacks, what waits for approval, no day at all; why, and what helps."""
import csv
import datetime
import json
import re
import shlex
import signal
import subprocess
import unittest

from alerts_test import FAILED, BadAndGoodDays
from channels_test import Receiver
from harness import BINARY, kill, read_until

TOLD = {"ALERT_COMMAND": "cat >> told.jsonl"}


class Rings(BadAndGoodDays):
    DAYS = 4

    def told(self):
        path = self.work.folder / "told.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def alerts(self, kind):
        return self.work.find("alerts", {"alert_type": kind})

    def in_the_way(self, path):
        """A file where maeil wants a folder; the folder comes back when what is returned is called."""
        folder = self.work.folder / path
        aside = folder.with_name(folder.name + ".aside")
        if folder.exists():
            folder.rename(aside)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("")

        def back():
            folder.unlink()
            if aside.exists():
                aside.rename(folder)
        return back

    def test_a_failed_task_rings_once_and_is_over_when_the_date_is_done(self):
        back = self.in_the_way("data/machines/processed")
        done = self.work.run("run", "--in", "rows_2026-07-01.csv", F1_THRESHOLD=0, **TOLD)
        self.assertIn(done.returncode, (1, 3))
        self.assertRegex(done.stderr, r"alert TASK_FAILED \(ERROR\) is open, on 1 date since 2026-07-01: data_pipeline_dag.preprocess_data failed: ")
        alert, = self.alerts("TASK_FAILED")  # what only waited for it rings nothing
        self.assertEqual((alert["segment"], alert["task_id"], alert["logical_date"]), ("data_pipeline_dag.preprocess_data", "preprocess_data", "2026-07-01"))
        record, = self.work.find("task_instances", {"task_id": "preprocess_data"})
        self.assertIn(record["message"], alert["message"])
        message, = self.told()
        self.assertTrue(any(c.startswith("maeil run --date 2026-07-01 ") for c in message["diagnosis"]["commands"]), message)
        # It fails again: the date has had its ring.
        self.work.run("run", "--date", "2026-07-01", F1_THRESHOLD=0, **TOLD)
        self.assertEqual((len(self.alerts("TASK_FAILED")), len(self.told())), (2, 1))
        # Another date fails too: both have to be done.
        self.assertIn(self.work.run("run", "--in", "rows_2026-07-02.csv", F1_THRESHOLD=0, **TOLD).returncode, (1, 3))
        back()
        self.assertNotIn("is resolved", self.work.run("run", "--date", "2026-07-02", expect=0, F1_THRESHOLD=0, **TOLD).stderr)
        said = self.work.run("run", "--date", "2026-07-01", expect=0, F1_THRESHOLD=0, **TOLD).stderr
        self.assertIn("alert TASK_FAILED (ERROR) is resolved", said)
        self.assertEqual([m["event"] for m in self.told()], ["opened", "resolved"])

    def test_a_failed_deployment_says_of_which_version(self):
        back = self.in_the_way("models/machines/deployed")
        done = self.work.run("run", "--in", "rows_2026-07-01.csv", F1_THRESHOLD=0)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("alert DEPLOYMENT_FAILED (CRITICAL) is open", done.stderr)
        self.assertEqual(self.alerts("TASK_FAILED"), [])
        alert, = self.alerts("DEPLOYMENT_FAILED")
        version, = self.work.find("model_metadata", {"status": "approved"})
        self.assertEqual((alert["model_version"], alert["model_id"]), (version["model_version"], version["_id"]["$oid"]))
        self.assertIn("maeil run --date 2026-07-01 ", self.work.run("alert", "show", "DEPLOYMENT_FAILED", expect=0).stdout)
        # Days that deploy nothing show nothing of it.
        for day in (2, 3):
            self.assertNotIn("DEPLOYMENT_FAILED (CRITICAL) is resolved", self.day(day).stderr)
        with self.work.copy() as by_hand:
            (by_hand.folder / "models/machines/deployed").unlink()
            self.assertIn("alert DEPLOYMENT_FAILED (CRITICAL) is resolved", by_hand.run("model", "deploy", version["model_version"], expect=0).stderr)
        back()
        said = self.work.run("run", "--date", "2026-07-01", expect=0, F1_THRESHOLD=0).stderr
        self.assertIn("alert DEPLOYMENT_FAILED (CRITICAL) is resolved", said)

    def test_a_rollback_rings_and_a_deployment_is_a_notice(self):
        settings = dict(TOLD, ALERT_ROUTES="INFO: command")
        self.day(1, good=True, **settings)
        first, = self.work.find("model_metadata", {"status": "deployed"})
        self.day(2, good=True, **settings)  # it stays deployed: no news
        self.work.run("train", "--in", "history.csv", "--family", "tab_transformer", expect=0)
        second = max(v["model_version"] for v in self.work.find("model_metadata", {"model_name": "default_prediction_classifier"}))
        self.work.run("model", "approve", second, "--comment", "by eye", expect=0, **settings)
        self.work.run("model", "deploy", second, expect=0, **settings)
        self.assertEqual([(m["event"], m["rule"], m["segment"], m["severity"]) for m in self.told()],
                         [("notice", "MODEL_DEPLOYED", first["model_version"], "INFO"), ("notice", "MODEL_APPROVED", second, "INFO"),
                          ("notice", "MODEL_DEPLOYED", second, "INFO")])
        self.assertIn("by eye", self.told()[1]["message"])
        self.assertIn("nothing is open", self.work.run("alert", "list", expect=0).stdout)

        said = self.work.run("model", "rollback", expect=0, **settings).stderr
        self.assertRegex(said, rf"alert MODEL_ROLLED_BACK \(WARNING\) is open, on 1 date since 2026-07-02: \w+ rolled version {second} back: version {first['model_version']}")
        self.assertEqual((self.told()[-1]["event"], self.told()[-1]["rule"]), ("opened", "MODEL_ROLLED_BACK"))
        self.assertNotIn("is resolved", self.day(3, good=True, **settings).stderr)
        self.assertIn("alert MODEL_ROLLED_BACK (WARNING) is resolved", self.day(4, good=True, **settings).stderr)
        # Without a route for INFO nobody hears of what is no trouble.
        count = len(self.told())
        self.work.run("model", "deploy", second, expect=0, **TOLD)
        self.assertEqual(len(self.told()), count)

    def test_what_waits_for_approval_rings_until_somebody_says_a_word(self):
        said = self.day(1, good=True, APPROVAL="manual", **TOLD).stderr
        self.assertIn("alert APPROVAL_PENDING (WARNING) is open", said)
        self.assertNotIn("APPROVAL_PENDING", self.day(2, good=True, APPROVAL="manual", **TOLD).stderr)
        state, = self.work.find("alert_states")
        self.assertEqual((state["rule"], state["count"], state["state"]), ("APPROVAL_PENDING", 2, "open"))
        version, = self.work.find("model_metadata", {"status": "registered"})
        self.assertIn(f'maeil model approve {version["model_version"]} --comment "..."    # deploys it', self.told()[0]["diagnosis"]["commands"])
        said = self.work.run("model", "approve", version["model_version"], expect=0, **TOLD).stderr
        self.assertIn("alert APPROVAL_PENDING (WARNING) is resolved", said)
        self.assertEqual([m["event"] for m in self.told()], ["opened", "resolved"])

    def test_the_heartbeat_is_called_after_a_date_that_came_to_its_end(self):
        receiver = self.enterContext(Receiver())
        url = {"HEARTBEAT_URL": f"{receiver.url}/ping/SECRETPART"}
        said = self.day(2, good=True, **url)
        self.assertEqual([path for path, _, _ in receiver.got], ["/ping/SECRETPART"])
        self.day(3, **url)  # what the gate says rings by itself
        self.assertEqual(len(receiver.got), 2)
        self.day(1, good=True, **url)  # a date that is made up for says nothing about last night
        self.work.run("run", "--date", "2026-07-03", **url)  # nothing is done again
        self.in_the_way("data/machines/processed")
        self.assertNotEqual(self.work.run("run", "--in", "rows_2026-07-04.csv", F1_THRESHOLD=0, **url).returncode, 0)
        self.assertEqual(len(receiver.got), 2)
        doctor = self.work.run("doctor", **url)
        for output in (said.stdout, said.stderr, doctor.stdout):
            self.assertNotIn("SECRETPART", output)

    def test_a_heartbeat_that_fails_is_said_and_fails_no_day(self):
        receiver = self.enterContext(Receiver())
        receiver.answers = [500, 500]
        said = self.day(1, good=True, HEARTBEAT_URL=receiver.url).stderr
        self.assertIn("warning: HEARTBEAT_URL was not reached: it answers HTTP 500", said)
        self.assertRegex(self.work.run("doctor", HEARTBEAT_URL="file:///etc/passwd").stdout, "problem +alerts +HEARTBEAT_URL must begin with https:// or http://")

    def test_the_last_task_that_another_runner_starts_calls_it(self):
        receiver = self.enterContext(Receiver())
        self.day(1, good=True)
        for dag, task in (("machines__model_deployment_pipeline", "notify_deployment_complete"), ("machines__scoring_pipeline", "score_data")):
            self.work.run("task", dag, task, "--logical-date", "2026-07-01", "--run-id", "again", expect=0, HEARTBEAT_URL=receiver.url)
        self.assertEqual(len(receiver.got), 2)

    def test_a_feed_that_lost_a_column_is_named_with_what_it_was_before(self):
        self.day(1, good=True)
        path = self.work.folder / "rows_2026-07-02.csv"
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        with open(path, "w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            table.writeheader()
            table.writerows({**row, "maker": ""} for row in rows)
        self.day(2, **TOLD)
        message, = self.told()
        told = message["diagnosis"]
        self.assertEqual(told["cause"], "The feed of maker is likely broken: it has lost values: maker: 100 % missing (0 % on 2026-07-01)")
        self.assertEqual(told["good_day"], "2026-07-01")
        self.assertRegex(told["changes"][0], r"^version \w+: F1 .*, ROC AUC .* \(version \w+ on 2026-07-01: F1 ")
        self.assertRegex(told["changes"][1], "^attempt 1: F1 ")
        self.assertIn("maeil redo 2026-07-02 --in FILE    # the date again with the right rows", told["commands"])
        alert, = self.alerts(FAILED)
        self.assertEqual(alert["diagnosis"], told)
        shown = self.work.run("alert", "show", FAILED, expect=0).stdout
        self.assertIn(f"Likely cause: {told['cause']}.", shown)

    def test_a_shard_that_fails_rings_and_commands_name_one_of_several_datasets(self):
        spec = self.work.folder / "dataset.toml"
        datasets = self.work.folder / "datasets"
        datasets.mkdir()
        (datasets / "other.toml").write_text(spec.read_text().replace('"machines"', '"other"'))
        (datasets / "machines.toml").write_text(spec.read_text())
        spec.unlink()
        self.day(1, good=True, DATASET="machines")
        (datasets / "machines.toml").write_text((datasets / "machines.toml").read_text().replace('id = "machine"', 'id = "heat"'))
        done = self.work.run("task", "machines__scoring_pipeline", "score_data", "--logical-date", "2026-07-01", "--run-id", "s", "--shard", "1/2", expect=3, **TOLD)
        self.assertIn("alert TASK_FAILED (ERROR) is open", done.stderr)
        message, = self.told()
        self.assertEqual((message["segment"], message["diagnosis"]["environment"]), ("scoring_pipeline.score_data", "DATASET=machines"))
        shown = self.work.run("alert", "show", "TASK_FAILED", expect=0, DATASET="machines").stdout
        command = re.search("DATASET=machines maeil (logs 2026-07-01 'score_data.*?')", shown)[1]
        self.assertIn("error: ", self.work.run(*shlex.split(command), expect=0, DATASET="machines").stdout)

    def test_the_scheduler_sends_between_days(self):
        self.assertIn("command: the command ended with 1, again in 1 min", self.day(1, ALERT_COMMAND="false").stderr)
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=12)
        process = self.work.start("schedule", CATCHUP=0, SCHEDULE_TIME=f"{later:%H:%M}", **TOLD)
        try:
            read_until(process, "command: delivered")  # a minute later, as was said
        finally:
            kill(process)
        self.assertEqual(len(self.told()), 1)

    def test_notify_goes_on_until_it_is_told_to_end(self):
        # A day whose settings are wrong leaves its alert to whoever counts next.
        self.assertIn("which is not set", self.day(1, ALERT_ROUTES="CRITICAL: email").stderr)
        with subprocess.Popen([BINARY, "notify"], cwd=self.work.folder, env=self.work.environment(TOLD), stdout=subprocess.PIPE, text=True) as process:
            said = [process.stdout.readline() for _ in range(2)]
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(), 0)
        self.assertIn(f"alert {FAILED} (CRITICAL) is open", said[0])
        self.assertEqual(said[1], "command: delivered\n")
        self.assertEqual(len(self.told()), 1)
        self.assertEqual(self.work.run("notify", "--once", expect=0, **TOLD).stdout, "nothing is due\n")


if __name__ == "__main__":
    unittest.main()
