"""kill -9 at every task boundary and at random points inside: the next run finishes the day, doubles nothing, repeats
nothing that was finished, and leaves exactly what an undisturbed run leaves."""
import hashlib
import random
import re
import time
import unittest

from harness import kill, snapshot as documents
from small_model import small_model

DATE = "2026-11-20"
SCORES = f"data/scores/scores_{DATE}.csv"
STARTED = re.compile(r"(\w+)\.([\w.]+)\s+started")
FINISHED = re.compile(r"(\w+)\.([\w.]+)\s+(success|skipped|failed|upstream_failed)")


def snapshot(workspace, date):
    """The documents, and the bytes of the scores: here and, by their sha256, in the store."""
    scores = (workspace.folder / SCORES).read_bytes()
    return {**documents(workspace, date), SCORES: scores,
            "sha256 of the scores": [d["sha256"] == hashlib.sha256(scores).hexdigest() for d in workspace.find("predictions", {"logical_date": date})]}


class DayKill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.imported = small_model().workspace(DATA_QUANTITY=300)
        with cls.imported.copy() as calm:
            done = calm.run("run", "--date", DATE, expect=4)
            cls.lines = len(done.stderr.splitlines())
            cls.tasks = [f"{d}.{t}" for d, t in STARTED.findall(done.stderr)]
            cls.wanted = snapshot(calm, DATE)
            assert cls.wanted["sha256 of the scores"] == [True] and cls.wanted[SCORES].count(b"\n") == 301, cls.wanted["predictions"]

    @classmethod
    def tearDownClass(cls):
        cls.imported.__exit__()

    def test_snapshot_sees_a_difference(self):
        with self.imported.copy() as other:
            other.run("run", "--date", DATE, SEED=45, expect=4)
            self.assertNotEqual(snapshot(other, DATE), self.wanted)

    def finish_and_compare(self, workspace, done_before):
        again = workspace.run("run", "--date", DATE)
        self.assertEqual(again.returncode, 4, again.stderr)
        repeated = done_before & {f"{d}.{t}" for d, t in STARTED.findall(again.stderr)}
        self.assertFalse(repeated, f"done twice: {repeated}\n{again.stderr}")
        found = snapshot(workspace, DATE)
        for name, wanted in self.wanted.items():
            self.assertEqual(found[name], wanted, f"{name} differs after a kill")
        self.assertFalse(list(workspace.folder.rglob("*.tmp-*")) and self.leftovers(workspace))

    def leftovers(self, workspace):
        # A temporary file of the killed process may stay; none may carry a final name's content half-written.
        return [p for p in workspace.folder.rglob("*.csv") if p.stat().st_size == 0]

    def run_until(self, workspace, stop):
        """Runs the day until stop(line) says so, then kills it. Returns what had finished."""
        finished = set()
        process = workspace.start("run", "--date", DATE)
        for line in process.stderr:
            ended = FINISHED.search(line)
            if ended:
                finished.add(f"{ended[1]}.{ended[2]}")
            if stop(line):
                break
        kill(process)
        return finished

    def test_at_every_task_boundary(self):
        self.assertGreaterEqual(len(self.tasks), 12, self.tasks)
        for task in self.tasks:
            with self.subTest(task=task), self.imported.copy() as workspace:
                done = self.run_until(workspace, lambda line: (m := STARTED.search(line)) and f"{m[1]}.{m[2]}" == task)
                self.finish_and_compare(workspace, done)

    def kill_at_random(self, workspace, chooser, lines):
        """Some time after one of the first lines that the day says, so that a loaded machine is hit at the same places."""
        process = workspace.start("run", "--date", DATE)
        for _ in range(chooser.randrange(lines)):
            process.stderr.readline()
        time.sleep(chooser.uniform(0, 0.05))  # nothing is waited for: a point inside a task
        kill(process)

    def test_at_random_points(self):
        chooser = random.Random(20261123)
        for trial in range(12):
            with self.subTest(trial=trial), self.imported.copy() as workspace:
                self.kill_at_random(workspace, chooser, self.lines)
                self.finish_and_compare(workspace, set())

    def test_again_and_again_in_one_day(self):
        chooser = random.Random(7)
        with self.imported.copy() as workspace:
            for _ in range(6):
                self.kill_at_random(workspace, chooser, self.lines // 3)
            self.finish_and_compare(workspace, set())

    def test_two_at_once_and_after_a_kill(self):
        with self.imported.copy() as workspace:
            first = workspace.start("run", "--date", DATE)
            for line in first.stderr:
                if STARTED.search(line):
                    break
            second = workspace.run("run", "--date", DATE)
            self.assertEqual(second.returncode, 1, second.stderr)
            self.assertIn(str(first.pid), second.stderr)
            kill(first)
            self.finish_and_compare(workspace, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
