"""Challengers against the model in force, segments in which nothing may get worse, and a person's approval."""
import csv
import datetime
import random
import unittest

from harness import Workspace
from machines import MACHINES_EVALUATION as EVALUATION, ROLES, SMALL, SPEC

POOR = dict(SMALL, EPOCHS=1, PRETRAIN_EPOCHS=1, LEARNING_RATE=1e-6, FINETUNE_EPOCHS=1, FINETUNE_LEARNING_RATE=1e-6, MIN_POSITIVES=5, MAX_RETRAIN_ATTEMPTS=1)
FIRST, NEXT, LATER = "2026-07-01", "2026-07-02", "2026-07-31"
SEGMENTED = SPEC.replace('"maker", type = "text"', '"maker", type = "text", segment = true') + ROLES
CLASSIFIER = {"model_name": "default_prediction_classifier"}


def oid(document):
    return document["_id"]["$oid"]


def breaks(heat, maker):
    """What trees find and a network that learns nearly nothing does not; of maker C only many rows tell it."""
    if maker == "C":
        return int((heat + 3) / 0.05) % 2 == 0
    return (heat > 0) != (maker == "B")


def write_rows(path, rows, day=None, seed=1, of_c=0.0, makers="AB"):
    draw = random.Random(seed)
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["machine", "plant", "seen", "heat", "maker", "broken"])
        for row in range(rows):
            heat, maker = round(draw.uniform(-3, 3), 4), "C" if draw.random() < of_c else draw.choice(makers)
            broken = breaks(heat, maker) != (draw.random() < 0.03)
            table.writerow([f"M{seed}_{row}", f"P{seed}_{row}", day or f"2026-0{draw.randrange(1, 7)}-15", heat, maker, broken])


class Challengers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A network that learnt next to nothing is in force, and the first day's rows are there."""
        cls.poor = cls.enterClassContext(Workspace(**POOR, F1_THRESHOLD=0.85, CHALLENGERS="boosted_trees"))
        (cls.poor.folder / "dataset.toml").write_text(SEGMENTED)
        write_rows(cls.poor.folder / "history.csv", 400)
        cls.poor.run("train", "--in", "history.csv", "--family", "tab_transformer", expect=0)
        write_rows(cls.poor.folder / "first.csv", 4000, FIRST, seed=2)

    def workspace(self):
        return self.enterContext(self.poor.copy())

    def record(self, work, task, day=FIRST):
        found, = work.find("task_instances", {"logical_date": day, "task_id": task, "dag_id": EVALUATION})
        return found

    def test_the_better_one_is_deployed_though_the_day_ends_in_an_alert(self):
        work = self.workspace()
        done = work.run("run", "--in", "first.csv", expect=4)
        champion, = work.find("model_metadata", dict(CLASSIFIER, status="registered"))
        better, = work.find("model_metadata", {"model_family": "boosted_trees"})
        self.assertEqual(better["status"], "deployed")
        self.assertEqual([entry["status"] for entry in better["status_history"]], ["candidate", "approved", "deployed"])
        self.assertEqual(len(work.find("alerts")), 1)
        event, = work.find("challenger_events")
        self.assertEqual((event["model_id"], event["status"], event["family"]), (oid(better), "approved", "boosted_trees"))
        self.assertEqual(event["trained_because"], "the model in force failed the gate")
        comparison = event["comparison"]
        self.assertEqual(comparison["champion_id"], oid(champion))
        low, high = comparison["f1_difference_interval"]
        self.assertGreater(low, 0)
        self.assertLess(low, comparison["f1_difference"])
        self.assertGreater(high, comparison["f1_difference"])
        # Both on the same rows, each as its own evaluation says.
        metrics = {d["dataset_name"]: d for d in work.find("performance_metrics", {"logical_date": FIRST})}
        self.assertEqual(comparison["champion_f1_score"], metrics["test"]["metrics"]["f1_score"])
        self.assertEqual(comparison["rows"], metrics["test"]["metrics"]["rows"])
        self.assertAlmostEqual(comparison["f1_difference"], event["metrics"]["f1_score"] - comparison["champion_f1_score"], 12)
        self.assertEqual(metrics["challenger_test"]["comparison"], comparison)
        # What it learnt from has none of the rows that it is judged on.
        training, = work.find("training_events", {"model_id": oid(better)})
        self.assertEqual(training["logical_date"], FIRST)
        sizes, = work.find("training_data")
        self.assertIn(f"trained on {sizes['num_train_samples']} rows", better["status_history"][0]["note"])
        self.assertIn(better["model_version"], done.stdout + done.stderr)
        scored, = work.find("predictions", {"logical_date": FIRST})
        self.assertEqual(scored["model_id"], oid(better))
        self.assertEqual([e["what"] for e in work.find("audit_log", {"act": "approve"})], [better["model_version"]])

        # The next day it passes, and no challenger is due until RETRAIN_EVERY days have passed; then one is no better.
        write_rows(work.folder / "next.csv", 4000, NEXT, seed=3)
        work.run("run", "--in", "next.csv", expect=0)
        skipped = self.record(work, "train_challenger", NEXT)
        self.assertEqual(skipped["state"], "skipped")
        self.assertIn(f"the last challenger was judged on {FIRST} (RETRAIN_EVERY is 30 days)", skipped["message"])
        write_rows(work.folder / "later.csv", 4000, LATER, seed=4)
        work.run("run", "--in", "later.csv", expect=0)
        newest, = work.find("challenger_events", {"logical_date": LATER})
        self.assertEqual(newest["status"], "rejected")
        self.assertIn(f"it is not shown to be better than version {better['model_version']}", newest["reason"])
        rejected, = work.find("model_metadata", {"_id": {"$oid": newest["model_id"]}})
        self.assertEqual(rejected["status"], "rejected")
        self.assertIn(newest["reason"], rejected["notes"])
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(better))

    def test_cut_into_shards_it_is_judged_alike(self):
        whole, work = self.workspace(), self.workspace()
        whole.run("run", "--in", "first.csv", expect=4)
        work.run("run", "--in", "first.csv", expect=4, CHALLENGERS="")
        at = ("--logical-date", FIRST, "--run-id", "r")
        work.run("task", EVALUATION, "train_challenger", *at, expect=0)
        for shard in ("2/3", "1/3", "3/3", "merge/3"):
            work.run("task", EVALUATION, "evaluate_challenger", *at, "--shard", shard, expect=0)
        wanted, = whole.find("challenger_events")
        found, = work.find("challenger_events")
        names = ("champion_id", "champion_version")  # of two workspaces
        self.assertEqual({k: v for k, v in found["comparison"].items() if k not in names}, {k: v for k, v in wanted["comparison"].items() if k not in names})
        self.assertEqual(found["metrics"], wanted["metrics"])
        self.assertEqual([s["value"] for s in found["comparison"]["segments"]], ["A", "B"])

    def test_a_person_approves_what_would_be_deployed(self):
        work = self.workspace()
        work.run("run", "--in", "first.csv", expect=4, APPROVAL="manual")
        better, = work.find("model_metadata", {"model_family": "boosted_trees"})
        version = better["model_version"]
        self.assertEqual(better["status"], "candidate")
        self.assertEqual(work.find("challenger_events")[0]["status"], "pending_approval")
        pending, = work.find("deployment_events")
        self.assertEqual((pending["event_type"], pending["model_id"], pending["status"]), ("pending_approval", oid(better), "pending"))
        skipped, = work.find("task_instances", {"logical_date": FIRST, "task_id": "deploy_model"})
        self.assertEqual(skipped["state"], "skipped")
        self.assertIn(f"version {version} waits for a person's approval (APPROVAL = manual): `maeil model approve {version} --comment", skipped["message"])
        self.assertEqual(work.find("model_metadata", {"status": "deployed"}), [])
        scored, = work.find("predictions", {"logical_date": FIRST})
        self.assertNotEqual(scored["model_id"], oid(better))  # by the model in force
        self.assertEqual(work.find("audit_log", {"act": "approve"}), [])

        said = work.run("model", "approve", version, "--comment", "여신위원회 승인", expect=0).stdout
        self.assertIn(f"version {version} is deployed", said)
        deployed, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(oid(deployed), oid(better))
        self.assertEqual(deployed["status_history"][-2]["note"], "approved by hand: 여신위원회 승인")
        approval, = work.find("audit_log", {"act": "approve"})
        self.assertEqual((approval["what"], approval["from"], approval["comment"]), (version, "candidate", "여신위원회 승인"))
        self.assertIn("여신위원회 승인", work.run("model", "history", expect=0).stdout)

    def test_an_attempt_waits_for_a_person_as_well(self):
        work = self.workspace()
        work.run("run", "--in", "first.csv", expect=0, APPROVAL="manual", F1_THRESHOLD=0, CHALLENGERS="")
        registered, = work.find("model_metadata", CLASSIFIER)  # it passed, and nobody has approved it
        self.assertEqual(registered["status"], "registered")
        self.assertEqual(work.find("evaluation_events")[0]["status"], "pending_approval")
        f1 = work.find("performance_metrics", {"dataset_name": "test"})[0]["metrics"]["f1_score"]
        work.run("model", "approve", registered["model_version"], "--comment", "first", expect=0)
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(registered))
        # Ten epochs of the same rows are better than one.
        write_rows(work.folder / "next.csv", 4000, NEXT, seed=3)
        work.run("run", "--in", "next.csv", expect=0, APPROVAL="manual", F1_THRESHOLD=f1 + 0.02, CHALLENGERS="", FINETUNE_EPOCHS=20, FINETUNE_LEARNING_RATE=0.01)
        attempt, = work.find("model_metadata", {"finetuned_from": oid(registered)})
        self.assertEqual(attempt["status"], "candidate")
        event, = work.find("evaluation_events", {"logical_date": NEXT})
        self.assertEqual((event["status"], event["retraining_info"]["was_retrained"]), ("pending_approval", True))
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(registered))
        # The date is judged again: what waits goes on waiting, and a person's word stays.
        work.run("redo", NEXT, "--from", "check_model_performance", "--yes", expect=0, APPROVAL="manual", F1_THRESHOLD=f1 + 0.02, CHALLENGERS="",
                 FINETUNE_EPOCHS=20, FINETUNE_LEARNING_RATE=0.01)
        waiting, = work.find("model_metadata", {"finetuned_from": oid(registered), "superseded_by": {"$exists": False}})
        work.run("model", "approve", waiting["model_version"], expect=0)
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(waiting))

    def test_no_segment_may_get_worse(self):
        """A new maker has come since the champion learnt. The challenger knows it, and has seen too few rows of maker C."""
        work = self.enterContext(Workspace(**POOR, F1_THRESHOLD=0.5, CHALLENGERS="boosted_trees"))
        (work.folder / "dataset.toml").write_text(SEGMENTED)
        write_rows(work.folder / "history.csv", 30000, of_c=0.7)
        work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        champion, = work.find("model_metadata", CLASSIFIER)
        due = str(datetime.date.fromisoformat(champion["logical_date"]) + datetime.timedelta(days=30))
        write_rows(work.folder / "rows.csv", 9000, due, seed=2, of_c=0.08, makers="ABDD")
        work.run("run", "--in", "rows.csv", expect=0)
        event, = work.find("challenger_events")
        self.assertEqual(event["trained_because"], f"the model in force was made on {champion['logical_date']} (RETRAIN_EVERY is 30 days)")
        self.assertGreater(event["comparison"]["f1_difference_interval"][0], 0)  # better over all
        self.assertEqual(event["status"], "rejected")
        self.assertRegex(event["reason"], r"^where maker is C its F1 falls by 0\.\d+, from 0\.\d+ to 0\.\d+ on \d+ positives \(MAX_SEGMENT_LOSS 0\.05\)$")
        self.assertEqual([s["value"] for s in event["comparison"]["segments"]], ["A", "B", "C", "D"])
        deployed, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(oid(deployed), oid(champion))
        # Where that is allowed it is deployed.
        work.run("redo", due, "--from", "evaluate_challenger", "--yes", expect=0, MAX_SEGMENT_LOSS=1)
        deployed, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(oid(deployed), event["model_id"])


if __name__ == "__main__":
    unittest.main()
