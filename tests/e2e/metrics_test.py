"""`maeil metrics` and METRICS_FILE, on days that really ran: what is told, that it is told after each task, that no task fails
for it, and that Prometheus' own checker likes it."""
import json
import os
import re
import shutil
import stat
import subprocess
import unittest

from harness import DATA, SCORING, SOURCE, Workspace
from servers import SECANTUS, Server
from small_model import small_model

DATE, NEXT = "2026-01-05", "2026-01-06"
FILE = "textfile/maeil.prom"


def families(workspace):
    return {family["name"]: family for family in json.loads(workspace.run("metrics", "--json", expect=0).stdout)}


def samples(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = small_model()
        cls.base = cls.model.workspace(DATA_QUANTITY=3000, MAX_RETRAIN_ATTEMPTS=2, METRICS_FILE=FILE)
        cls.addClassCleanup(cls.base.__exit__)
        cls.alerted = cls.base.copy()
        cls.addClassCleanup(cls.alerted.__exit__)
        cls.alerted.run("run", "--date", DATE, F1_THRESHOLD=1, expect=4)

    def value(self, workspace, name, **labels):
        found = [s["value"] for s in families(workspace)[name]["samples"] if labels.items() <= s["labels"].items()]
        self.assertEqual(len(found), 1, f"{name} {labels}")
        return found[0]

    def test_a_day_that_failed_its_gate(self):
        day = self.alerted
        self.assertEqual(self.value(day, "maeil_gate_verdict", verdict="failed_max_retries"), 1)
        self.assertEqual(self.value(day, "maeil_gate_retraining_attempts", outcome="failed"), 2)
        self.assertEqual(self.value(day, "maeil_gate_f1_threshold_ratio"), 1)
        self.assertEqual(self.value(day, "maeil_alerts_open", severity="CRITICAL"), 1)
        self.assertEqual(self.value(day, "maeil_day_rows", stage="scored"), 3000)
        [judged] = day.find("performance_metrics", {"dataset_name": "test"})
        self.assertEqual(self.value(day, "maeil_model_f1_ratio", split="test"), judged["metrics"]["f1_score"])
        self.assertEqual(self.value(day, "maeil_model_pr_auc_ratio", split="test"), judged["metrics"]["pr_auc"])
        [scored] = [r for r in day.find("dag_runs", {"dag_id": SCORING}) if r["state"] == "success"]
        told = self.value(day, "maeil_dag_last_success_timestamp_seconds", dag=SCORING)
        self.assertEqual(told, float(subprocess.check_output(["date", "-d", scored["end_date"]["$date"], "+%s.%3N"])))
        self.assertEqual(self.value(day, "maeil_store_size_bytes"), (day.folder / "maeil.db").stat().st_size)

    def test_the_file_says_at_the_end_what_the_command_says(self):
        without_size = lambda text: [line for line in samples(text) if "store_size" not in line]
        kept = (self.alerted.folder / FILE).read_text()
        self.assertEqual(without_size(kept), without_size(self.alerted.run("metrics", expect=0).stdout))
        self.assertEqual(stat.S_IMODE((self.alerted.folder / FILE).stat().st_mode), 0o644)
        self.assertEqual(os.listdir((self.alerted.folder / FILE).parent), ["maeil.prom"])

    def test_it_is_written_after_each_task(self):
        with self.base.copy() as work:
            for task in ("wait_for_source", "generate_data"):
                (work.folder / FILE).unlink(missing_ok=True)
                work.run("task", DATA, task, "--logical-date", DATE, "--run-id", "r", expect=0)
                self.assertRegex((work.folder / FILE).read_text(), f'maeil_task_state{{.*task="{task}",state="success"}} 1')
            (work.folder / FILE).unlink()
            process = work.start("run", "--date", NEXT)
            seen = set()
            for line in process.stderr:  # it says that a task has ended before it goes on, and writes the file at once
                if re.search(r"\.validate_data  started", line):
                    seen |= set(re.findall(r'task="(\w+)",state="success"', (work.folder / FILE).read_text()))
            self.assertIn(process.wait(), (0, 4))
            process.stderr.close()
            self.assertIn("generate_data", seen)

    def test_no_day_fails_for_it(self):
        with self.base.copy() as work:
            (work.folder / "folder.prom").mkdir()
            for name, why in (("folder.prom", "folder.prom"), ("metrics.txt", "end in .prom")):
                done = work.run("run", "--date", DATE, METRICS_FILE=name, F1_THRESHOLD=0, expect=0)
                self.assertEqual(len(re.findall("METRICS_FILE was not written", done.stderr)), 1, done.stderr)
                self.assertIn(why, done.stderr)

    def test_a_server_says_the_same(self):
        with Server(SECANTUS) as server, self.alerted.copy() as work:
            uri = server.uri("monitored")
            work.run("store", "copy", "--from", "maeil.db", "--to", uri, expect=0)
            here, there = (samples(work.run("metrics", expect=0, **setting).stdout) for setting in ({}, {"MONGODB_URI": uri}))
            self.assertEqual(sorted(there), sorted(line for line in here if not line.startswith("maeil_store_size_bytes")))

    def test_it_names_no_ids_paths_or_people(self):
        text = self.alerted.run("metrics", expect=0).stdout
        self.assertNotRegex(text, "[0-9a-f]{24}")
        for word in (str(self.alerted.folder), ".pth", "maeil.db", "manual__"):
            self.assertNotIn(word, text)
        self.assertLessEqual(len(samples(text)), 2000)

    def test_where_nothing_is_nothing_is_made(self):
        with Workspace() as work:
            self.assertEqual(samples(work.run("metrics", expect=0).stdout),
                             ['maeil_build_info{version="0.1.0"} 1', "maeil_metrics_left_out 0", "maeil_metrics_unreadable_values 0"])
            self.assertEqual(os.listdir(work.folder), [])

    def test_prometheus_own_checker_likes_it(self):
        if not shutil.which("promtool"):
            self.skipTest("skipped: needs promtool (Debian's prometheus)")
        text = self.alerted.run("metrics", expect=0).stdout
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_the_documentation_lists_exactly_these(self):
        rows = re.findall(r"^\| `(maeil_\w+)` \| (\w+) \| ([^|]*) \| [^|]+ \|$", (SOURCE / "docs/metrics.md").read_text(), re.M)
        told = [(f["name"], f["type"], ", ".join(f["labels"])) for f in families(self.alerted).values()]
        self.assertEqual([(name, kind, labels.replace("`", "").strip()) for name, kind, labels in rows], told)


if __name__ == "__main__":
    unittest.main()
