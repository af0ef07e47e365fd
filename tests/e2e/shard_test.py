"""Tasks cut into shards: whatever their number, the union is byte for byte the single run; parts may be lost, killed and old."""
import json
import unittest

from harness import SCORING, Workspace, kill, snapshot

DATE = "2026-11-20"
DATA, EVALUATION = "data_pipeline_dag", "model_evaluation_pipeline"
SMALL = {"DATA_QUANTITY": 9500, "EPOCHS": 1, "PRETRAIN_EPOCHS": 1, "NUM_LAYERS": 2, "F1_THRESHOLD": 0}


def task(workspace, dag, name, shard=None, expect=0, **settings):
    return workspace.run("task", dag, name, "--logical-date", DATE, "--run-id", "r", *(["--shard", shard] if shard else []), expect=expect, **settings)


def sharded(workspace, dag, name, n, order=None):
    for i in order or range(1, n + 1):
        task(workspace, dag, name, f"{i}/{n}")
    task(workspace, dag, name, f"merge/{n}")


def evaluate(workspace, n):
    for name in ("wait_for_data", "load_latest_model"):
        task(workspace, EVALUATION, name)
    for dag, name in ((EVALUATION, "evaluate_model"), (SCORING, "score_data")):
        sharded(workspace, dag, name, n) if n else task(workspace, dag, name)


RAW, PROCESSED = "data/raw/synthetic_data.csv", "data/processed/processed_data.csv"
SCORES = f"data/scores/scores_{DATE}.csv"


def everything(workspace):
    """Documents without what may differ and without the shards' own records, where raw rows begin, and the prepared bytes."""
    found = snapshot(workspace, DATE)
    found["task_instances"] = [r for r in found["task_instances"] if "[" not in json.loads(r)["task_id"]]
    raw = workspace.find("raw_data", {"logical_date": DATE})[0]
    return {**found, "sha256": raw["sha256"], "row_offsets": raw["row_offsets"], **{path: (workspace.folder / path).read_bytes() for path in (PROCESSED, SCORES)}}


class Shards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = cls.enterClassContext(Workspace(**SMALL))
        cls.base.run("train", "--pretrain", "--train", "--rows", "2000", expect=0)
        cls.single = cls.enterClassContext(cls.base.copy())
        task(cls.single, DATA, "generate_data")
        task(cls.single, DATA, "preprocess_data")
        evaluate(cls.single, 0)
        cls.wanted = everything(cls.single)

    def test_any_number_of_shards_makes_the_same_bytes(self):
        for n in (1, 2, 3, 7, 20):  # 9500 rows are 10 pieces, so some of 20 shards are empty
            with self.subTest(n=n), self.base.copy() as work:
                order = list(range(n, 0, -1))
                sharded(work, DATA, "generate_data", n, order)
                self.assertEqual((work.folder / RAW).read_bytes(), (self.single.folder / RAW).read_bytes())
                (work.folder / RAW).unlink()  # another machine would not have it
                sharded(work, DATA, "preprocess_data", n, order)
                evaluate(work, n)
                got = everything(work)
                for name, wanted in self.wanted.items():
                    self.assertTrue(got[name] == wanted, name)

    def test_a_merge_needs_every_part_and_may_be_repeated(self):
        with self.base.copy() as work:
            task(work, DATA, "generate_data", "1/3")
            task(work, DATA, "generate_data", "3/3")
            done = task(work, DATA, "generate_data", "merge/3", expect=3)
            self.assertIn("shard 2/3", done.stderr)
            task(work, DATA, "generate_data", "2/3", DATA_QUANTITY=5000)
            done = task(work, DATA, "generate_data", "merge/3", expect=1)
            self.assertIn("something else", done.stderr)
            task(work, DATA, "generate_data", "2/3")
            task(work, DATA, "generate_data", "merge/3")
            task(work, DATA, "generate_data", "merge/3")
            first, again = work.find("raw_data")  # done again after it was finished: added, and linked
            self.assertEqual((first["sha256"], again["sha256"]), (self.wanted["sha256"], self.wanted["sha256"]))
            self.assertEqual((first["superseded_by"], again["supersedes"]), (again["_id"], first["_id"]))

    def test_parts_of_different_models_of_one_name_are_never_put_together(self):
        with self.base.copy() as work:
            model = work.folder / "model.json"
            for rows, shard in ((2000, "1/2"), (1000, "2/2")):
                work.run("generate", "--num-rows", rows, "--out", "rows.csv", expect=0)
                work.run("fit", "--in", "rows.csv", "--out", model, expect=0)
                task(work, DATA, "generate_data", shard, DISTRIBUTION_MODEL="model.json")
            self.assertIn("something else", task(work, DATA, "generate_data", "merge/2", expect=1, DISTRIBUTION_MODEL="model.json").stderr)
            task(work, DATA, "generate_data", "1/2", DISTRIBUTION_MODEL="model.json")
            task(work, DATA, "generate_data", "merge/2", DISTRIBUTION_MODEL="model.json")

    def test_killed_shards_leave_nothing_that_counts(self):
        with self.base.copy() as work:
            for begun in (False, True, True):
                process = work.start("task", DATA, "generate_data", "--logical-date", DATE, "--run-id", "r", "--shard", "1/2", DATA_QUANTITY=500000)
                while begun and not work.find("task_instances", {"state": "running", "run_id": "r"}):
                    self.assertIsNone(process.poll(), "the shard is too short for this test")
                kill(process)
            self.assertEqual(work.find("raw_data"), [])
            sharded(work, DATA, "generate_data", 2)
            self.assertEqual(work.find("raw_data")[0]["sha256"], self.wanted["sha256"])

    def test_what_cannot_be_cut_is_refused(self):
        self.assertIn("cannot be cut", task(self.single, EVALUATION, "load_latest_model", "1/2", expect=2).stderr)
        for wrong in ("0/2", "3/2", "2", "a/b", "1/2/3", "merge/0", "-1/2", "1/99999999999"):
            self.assertIn("--shard", task(self.single, DATA, "generate_data", wrong, expect=2).stderr)

    def test_a_failed_shard_is_seen_by_the_sensor(self):
        with self.base.copy() as work:
            (work.folder / "broken.pkl").write_bytes(b"no pickle")
            task(work, DATA, "generate_data", "1/2", expect=3, DISTRIBUTION_MODEL="broken.pkl")
            task(work, EVALUATION, "wait_for_data", expect=75)  # what it finds may be about to be done again
            self.assertIn("generate_data[1/2]", task(work, EVALUATION, "wait_for_data", expect=3).stderr)


if __name__ == "__main__":
    unittest.main()
