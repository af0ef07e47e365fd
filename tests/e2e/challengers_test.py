"""Challengers against the model in force, segments in which nothing may get worse, and a person's approval."""
import csv
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


def write_rows(path, rows, day=None, seed=1, of_c=0.0, makers="AB", machines=1):
    draw = random.Random(seed)
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["machine", "plant", "seen", "heat", "maker", "broken"])
        for row in range(rows):
            heat, maker = round(draw.uniform(-3, 3), 4), "C" if draw.random() < of_c else draw.choice(makers)
            broken = breaks(heat, maker) != (draw.random() < 0.03)
            table.writerow([f"M{seed}_{row}", f"P{seed}_{row // machines}", day or f"2026-0{draw.randrange(1, 7)}-15", heat, maker, broken])


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
        work = self.workspace()
        work.run("run", "--in", "first.csv", expect=4)
        wanted, = work.find("challenger_events")
        for shard in ("2/3", "1/3", "3/3", "merge/3"):
            work.run("task", EVALUATION, "evaluate_challenger", "--logical-date", FIRST, "--run-id", "r", "--shard", shard, expect=0)
        found, = work.find("challenger_events", {"superseded_by": {"$exists": False}})
        self.assertNotEqual(oid(found), oid(wanted))
        self.assertEqual(found["comparison"], wanted["comparison"])
        self.assertEqual(found["metrics"], wanted["metrics"])
        self.assertEqual(found["status"], "deployed")  # it is, and stays that
        self.assertEqual([s["value"] for s in found["comparison"]["segments"]], ["A", "B"])
        self.assertEqual(found["comparison"]["units"], found["comparison"]["rows"])  # each machine has a plant of its own

    def test_rows_of_one_group_are_one_unit(self):
        work = self.workspace()
        write_rows(work.folder / "groups.csv", 4000, FIRST, seed=2, machines=8)
        work.run("run", "--in", "groups.csv", expect=4)
        comparison = work.find("challenger_events")[0]["comparison"]
        self.assertEqual(comparison["units"] * 8, comparison["rows"])
        metrics, = work.find("performance_metrics", {"dataset_name": "test", "logical_date": FIRST})
        self.assertEqual(comparison["champion_f1_score"], metrics["metrics"]["f1_score"])

    def test_one_that_cannot_be_trained_keeps_nothing_from_being_deployed(self):
        work = self.workspace()
        done = work.run("run", "--in", "first.csv", expect=0, F1_THRESHOLD=0, RETRAIN_EVERY=1, **work.without_xgboost())
        self.assertEqual(self.record(work, "train_challenger")["state"], "skipped")  # not due on the first date that judges
        write_rows(work.folder / "next.csv", 4000, NEXT, seed=3)
        done = work.run("run", "--in", "next.csv", expect=0, F1_THRESHOLD=0, RETRAIN_EVERY=1, **work.without_xgboost())
        skipped = self.record(work, "train_challenger", NEXT)
        self.assertEqual(skipped["state"], "skipped")
        self.assertRegex(skipped["message"], r"^no challenger could be trained: boosted trees: XGBoost.*, or take boosted_trees out of CHALLENGERS")
        self.assertRegex(done.stdout, r"challenger +no challenger could be trained")
        alert, = work.find("alerts")
        self.assertEqual((alert["alert_type"], alert["severity"]), ("CHALLENGER_NOT_TRAINED", "WARNING"))
        self.assertEqual(len(work.find("predictions", {"logical_date": NEXT})), 1)
        # On the day after it is tried again.
        write_rows(work.folder / "third.csv", 4000, "2026-07-03", seed=4)
        work.run("run", "--in", "third.csv", expect=0, F1_THRESHOLD=0, RETRAIN_EVERY=1)
        self.assertEqual([e["logical_date"] for e in work.find("challenger_events")], ["2026-07-03"])

    def test_the_setting_of_today_changes_no_date_that_is_over(self):
        work = self.workspace()
        work.run("run", "--in", "first.csv", expect=4, CHALLENGERS="")
        # Switched on: the date is over without one.
        self.assertIn("finished, stays as it is", work.run("backfill", "--from", FIRST, "--to", FIRST, "--dry-run", expect=0).stdout)
        work.run("run", "--in", "first.csv", "--date", FIRST, expect=4)
        self.assertEqual(work.find("challenger_events"), [])
        self.assertEqual(work.find("task_instances", {"task_id": "train_challenger"}), [])
        # Switched off: what a challenger was deployed for stays that date's answer.
        write_rows(work.folder / "next.csv", 4000, NEXT, seed=3)
        work.run("run", "--in", "next.csv", expect=4)
        better, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(better["model_family"], "boosted_trees")
        for task in ("deploy_model", "wait_for_evaluation"):
            work.run("redo", NEXT, "--from", task, "--yes", expect=4, CHALLENGERS="")
            self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(better))
            scored, = work.find("predictions", {"logical_date": NEXT, "superseded_by": {"$exists": False}})
            self.assertEqual(scored["model_id"], oid(better), task)

    def test_it_replaces_only_what_it_was_compared_with(self):
        work = self.workspace()
        work.run("run", "--in", "first.csv", expect=4, CHALLENGERS="")
        write_rows(work.folder / "more.csv", 4000, seed=7)
        work.run("train", "--in", "more.csv", "--family", "boosted_trees", expect=0)
        other, = work.find("model_metadata", {"model_family": "boosted_trees"})
        for act in ("approve", "deploy"):
            work.run("model", act, other["model_version"], expect=0)
        work.run("redo", FIRST, "--from", "check_model_performance", "--yes", expect=4)
        skipped, = work.find("task_instances", {"logical_date": FIRST, "task_id": "deploy_model"})
        self.assertIn(f"version {other['model_version']} was deployed since, and it was not compared with that", skipped["message"])
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(other))

    def test_an_approval_deploys_what_was_proposed_for_what_is_there(self):
        work = self.workspace()
        for day, seed in ((FIRST, 2), (NEXT, 3)):
            write_rows(work.folder / "rows.csv", 4000, day, seed=seed)
            work.run("run", "--in", "rows.csv", expect=4, APPROVAL="manual")
        older, newer = sorted(work.find("model_metadata", {"status": "candidate"}), key=lambda v: v["model_version"])
        work.run("model", "approve", newer["model_version"], expect=0)
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(newer))
        said = work.run("model", "approve", older["model_version"], expect=0).stdout
        self.assertIn(f"is approved (it was candidate) and not deployed: version {newer['model_version']} was deployed since it was proposed; "
                      f"`maeil model deploy {older['model_version']}` deploys it", said)
        self.assertEqual(oid(work.find("model_metadata", {"status": "deployed"})[0]), oid(newer))

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
        self.assertIn(f"version {version} waits for a person's approval: `maeil model approve {version} --comment", skipped["message"])
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
        write_rows(work.folder / "rows.csv", 2000, FIRST, seed=5, of_c=0.7)
        work.run("run", "--in", "rows.csv", expect=0)
        self.assertIn(f"the model in force was first judged on {FIRST}", self.record(work, "train_challenger")["message"])
        write_rows(work.folder / "rows.csv", 9000, LATER, seed=2, of_c=0.08, makers="ABDD")
        work.run("run", "--in", "rows.csv", expect=0)
        event, = work.find("challenger_events")
        self.assertEqual(event["trained_because"], f"the model in force was first judged on {FIRST} (RETRAIN_EVERY is 30 days)")
        self.assertGreater(event["comparison"]["f1_difference_interval"][0], 0)  # better over all
        self.assertEqual(event["status"], "rejected")
        self.assertRegex(event["reason"], r"^where maker is C its F1 falls by 0\.\d+, from 0\.\d+ to 0\.\d+ on \d+ positives \(MAX_SEGMENT_LOSS 0\.05\)$")
        self.assertEqual([s["value"] for s in event["comparison"]["segments"]], ["A", "B", "C", "D"])
        deployed, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(oid(deployed), oid(champion))
        # Where that is allowed it is deployed.
        work.run("redo", LATER, "--from", "evaluate_challenger", "--yes", expect=0, MAX_SEGMENT_LOSS=1)
        deployed, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(oid(deployed), event["model_id"])


if __name__ == "__main__":
    unittest.main()
