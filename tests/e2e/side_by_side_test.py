"""Days side by side in one workspace, as a backfill beside the schedule makes them: each is what it would be alone."""
import concurrent.futures
import json
import unittest

from harness import PASSING_DAY, Workspace, snapshot

SMALL = {"DATA_QUANTITY": 3000, "EPOCHS": 1, "PRETRAIN_EPOCHS": 1, "NUM_LAYERS": 2, "F1_THRESHOLD": 0, "THREADS": 1}
DATES = [f"2026-10-{day:02}" for day in range(1, 9)]


class SideBySide(unittest.TestCase):
    def test_each_day_is_what_it_is_alone(self):
        with Workspace(**SMALL) as work:
            work.run("train", "--pretrain", "--train", "--rows", "2000", expect=0)
            work.run("run", "--date", "2026-09-30", expect=0)  # the model is deployed: no date is the first
            with work.copy() as alone:
                def day(date):
                    for dag, task, _ in PASSING_DAY:
                        work.run("task", dag, task, "--logical-date", date, "--run-id", "r", expect=0)

                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    list(pool.map(day, DATES))
                for date in DATES:
                    alone.run("run", "--date", date, expect=0)
                    got, wanted = snapshot(work, date), snapshot(alone, date)
                    ran = [r for r in wanted["task_instances"] if not json.loads(r)["skipped_by"]]  # Airflow, too, settles the others itself
                    self.assertEqual(len(got.pop("task_instances")), len(ran), date)
                    for collection in got:
                        self.assertEqual(got[collection], wanted[collection], f"{date} {collection}")

    def test_of_two_deployments_one_is_the_last(self):
        with Workspace(**SMALL) as work:
            versions = []
            for epochs in (1, 2):
                work.run("train", "--pretrain", "--train", "--rows", "600", EPOCHS=epochs, expect=0)
                versions = [m["model_version"] for m in work.find("model_metadata", {"model_name": "default_prediction_classifier"}, "model_version:1")]
                work.run("model", "approve", versions[-1], expect=0)
            self.assertEqual(len(versions), 2)
            for _ in range(10):
                started = [work.start("model", "deploy", v) for v in versions]
                ends = [p.wait() for p in started]
                for p in started:
                    p.stderr.close()
                self.assertIn(0, ends)
                self.assertLessEqual(set(ends), {0, 1})  # 1: somebody else deploys now
                deployed = [m["model_version"] for m in work.find("model_metadata", {"status": "deployed"})]
                self.assertEqual(len(deployed), 1, deployed)
                self.assertEqual((work.folder / "models/deployed").resolve().name, deployed[0])


if __name__ == "__main__":
    unittest.main()
