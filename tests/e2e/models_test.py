"""Families of models, calibration and thresholds, by the commands: which one is in force, what its scores mean, where it decides."""
import csv
import hashlib
import json
import math
import random
import unittest
import zipfile

from harness import Workspace
from machines import ROLES, SMALL, SPEC

QUICK = dict(SMALL, EPOCHS=2, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MIN_POSITIVES=5)
CLASSIFIER = {"model_name": "default_prediction_classifier"}


def probability(heat, maker):
    """Hot machines of maker B break, and those whose heat nobody measured."""
    return 1 / (1 + math.exp(-(-3.2 + (1.5 if heat is None else (1.6 if maker == "B" else 0.3) * heat))))


def write_rows(path, rows, day=None, seed=1, shuffled=False):
    """Returns the true probability of each machine."""
    draw, truth = random.Random(seed), {}
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["machine", "plant", "seen", "heat", "maker", "broken"])
        for row in range(rows):
            heat, maker = (None if draw.random() < 0.1 else round(draw.gauss(0, 1), 3)), draw.choice("AB")
            machine = f"M{seed}_{row}"
            truth[machine] = probability(heat, maker)
            broken = draw.random() < (0.1 if shuffled else truth[machine])
            table.writerow([machine, f"P{seed}_{row // 4}", day or f"2026-0{draw.randrange(1, 7)}-15", "" if heat is None else heat, maker, broken])
    return truth


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trained = cls.enterClassContext(Workspace(**QUICK, F1_THRESHOLD=0))
        (cls.trained.folder / "dataset.toml").write_text(SPEC + ROLES)
        write_rows(cls.trained.folder / "history.csv", 20000)
        cls.said = cls.trained.run("train", "--in", "history.csv", expect=0)

    def workspace(self):
        return self.enterContext(self.trained.copy())

    @staticmethod
    def scores(path):
        with open(path, newline="") as file:
            return list(csv.DictReader(file))

    def test_the_better_family_is_in_force_and_the_other_kept(self):
        versions = {v["model_family"]: v for v in self.trained.find("model_metadata", CLASSIFIER)}
        self.assertEqual(set(versions), {"tab_transformer", "boosted_trees"})
        losses = {family: v["metrics"]["cross_validated_log_loss"] for family, v in versions.items()}
        best = min(losses, key=losses.get)
        self.assertEqual({family: v["status"] for family, v in versions.items()},
                         {family: "registered" if family == best else "candidate" for family in versions})
        self.assertIn(f"{best}: in force, the better one", self.said.stdout)
        self.assertEqual({f: v["model_format"] for f, v in versions.items()}, {"tab_transformer": "pth", "boosted_trees": "maeil"})
        self.assertTrue((self.trained.folder / f"models/classifier_{versions['boosted_trees']['model_version']}.maeil").exists()
                        or list(self.trained.folder.glob("models/**/classifier_*.maeil")))
        # A candidate comes into force by a person's word, and so does what is made of it.
        work = self.workspace()
        other, = set(versions) - {best}
        write_rows(work.folder / "validation.csv", 2000, seed=4)
        work.run("model", "calibrate", versions[other]["model_version"], "--in", "validation.csv", expect=0)
        self.assertEqual(work.find("model_metadata", {"calibrated_from": {"$exists": True}})[0]["status"], "candidate")
        self.assertRegex(work.run("model", "list", expect=0).stdout, rf"{versions[best]['model_version']} \*")
        work.run("model", "approve", versions[other]["model_version"], expect=0)
        self.assertRegex(work.run("model", "list", expect=0).stdout, rf"{versions[other]['model_version']} \*")
        said = work.run("train", "--in", "history.csv", "--rows", 1000, expect=0).stdout
        self.assertIn(f"the better one; version {versions[other]['model_version']} (approved) stays in force", said)

    def test_what_is_monotone_is_in_force_and_the_network_is_not(self):
        work = self.enterContext(Workspace(**QUICK))
        (work.folder / "dataset.toml").write_text(SPEC.replace('"heat", type = "number"', '"heat", type = "number", monotone = "up"') + ROLES)
        write_rows(work.folder / "history.csv", 3000)
        said = work.run("train", "--in", "history.csv", expect=0)
        self.assertIn("a tab_transformer does not keep what ./dataset.toml says is monotone", said.stderr)
        self.assertEqual({v["model_family"]: v["status"] for v in work.find("model_metadata", CLASSIFIER)},
                         {"tab_transformer": "candidate", "boosted_trees": "registered"})
        with open(work.folder / "heats.csv", "w") as file:
            file.write("machine,plant,seen,heat,maker,broken\n" + "".join(f"M{i},P{i},2026-07-01,{i / 10 - 3},B,\n" for i in range(61)))
        version, = work.find("model_metadata", {"model_family": "boosted_trees"})
        work.run("predict", "--model", version["model_version"], "--in", "heats.csv", "--out", "p.csv", expect=0)
        said = [float(row["probability"]) for row in self.scores(work.folder / "p.csv")]
        self.assertEqual(said, sorted(said))
        self.assertLess(said[0], said[-1])

    def test_the_gate_by_a_lower_bound_says_so(self):
        work = self.workspace()
        write_rows(work.folder / "rows.csv", 4000, "2026-07-01", seed=3)
        with work.copy() as other:
            other.run("run", "--in", "rows.csv", expect=0)
            f1 = other.find("performance_metrics", {"logical_date": "2026-07-01", "dataset_name": "test"})[0]["metrics"]["f1_score"]
        done = work.run("run", "--in", "rows.csv", expect=4, F1_THRESHOLD=f1, GATE_RULE="lower_bound", MAX_RETRAIN_ATTEMPTS=1)
        self.assertRegex(done.stderr, rf"F1 {f1:.4f}, at least 0\.\d+, < the gate of")
        alert, = work.find("alerts")
        self.assertEqual(alert["gate_rule"], "lower_bound")
        self.assertRegex(alert["message"], r"F1 0\.\d+, at least 0\.\d+, < 0\.")

    def test_probabilities_mean_what_they_say_whatever_the_family(self):
        work = self.workspace()
        truth = write_rows(work.folder / "new.csv", 20000, seed=2)
        for version in work.find("model_metadata", CLASSIFIER):
            with self.subTest(version["model_family"]):
                work.run("predict", "--model", version["model_version"], "--in", "new.csv", "--out", "scores.csv", expect=0)
                with open(work.folder / "scores.csv") as file:
                    said = [(float(row["probability"]), int(row["prediction"])) for row in csv.DictReader(file)]
                self.assertLess(abs(sum(p for p, _ in said) - sum(truth.values())) / len(said), 0.01)
                # By tenths of what was said.
                order = sorted(zip((p for p, _ in said), truth.values()))
                for tenth in range(10):
                    part = order[len(order) * tenth // 10:len(order) * (tenth + 1) // 10]
                    self.assertLess(abs(sum(p - t for p, t in part)) / len(part), 0.05, tenth)
                threshold = version["decision"]["threshold"]
                self.assertEqual(threshold["rule"], "f1")
                self.assertGreater(threshold["rows"], 1000)
                self.assertEqual([d for _, d in said], [int(p >= threshold["value"]) for p, _ in said])
                self.assertEqual(version["metrics"]["threshold"], threshold["value"])
        weights = {v["model_family"]: v["decision"]["calibration"]["prior_weight"] for v in work.find("model_metadata", CLASSIFIER)}
        self.assertEqual(weights["boosted_trees"], 1)
        self.assertGreater(weights["tab_transformer"], 2)  # balanced class weights

    def test_a_day_with_trees(self):
        work = self.workspace()
        work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        write_rows(work.folder / "rows.csv", 2000, "2026-07-01", seed=3)
        work.run("run", "--in", "rows.csv", expect=0)
        version, = work.find("model_metadata", {"status": "deployed"})
        self.assertEqual(version["model_family"], "boosted_trees")
        deployed = {p.name for p in work.folder.glob("models/**/deployed/current_*")}
        self.assertEqual(deployed, {"current_model.maeil", "current_version.txt"})
        current, = work.folder.glob("models/**/deployed/current_model.maeil")
        self.assertEqual(hashlib.sha256(current.read_bytes()).hexdigest(), version["sha256"])
        self.assertIn("is version", work.run("doctor").stdout)
        # Each row's score is what `predict` says with the file that is deployed; a missing number stays missing.
        rows = self.scores(next(work.folder.glob("data/**/scores_2026-07-01.csv")))
        work.run("predict", "--model", current, "--in", "rows.csv", "--out", "again.csv", expect=0)
        again = self.scores(work.folder / "again.csv")
        self.assertEqual([(r["probability"], r["decision"]) for r in rows], [(r["probability"], r["prediction"]) for r in again])
        prepared = work.find("processed_data", {"logical_date": "2026-07-01"})
        missing = [row for row in prepared if row["heat"] is None]
        self.assertGreater(len(missing), 100)
        with open(next(work.folder.glob("data/**/processed_data.csv")), encoding="utf-8-sig", newline="") as file:
            self.assertEqual(sum(row["heat"] == "" for row in csv.DictReader(file)), len(missing))
        predictions, = work.find("predictions")
        self.assertEqual(predictions["threshold"], version["decision"]["threshold"]["value"])
        self.assertEqual(predictions["decisions"]["1"], sum(r["decision"] == "1" for r in rows))
        evaluated, = work.find("performance_metrics", {"logical_date": "2026-07-01", "dataset_name": "test"})
        self.assertEqual(evaluated["metrics"]["threshold"], predictions["threshold"])
        self.assertEqual(sum(bin["rows"] for bin in evaluated["metrics"]["reliability"]), evaluated["metrics"]["rows"])

    def test_reasons_of_predict_and_of_a_day_are_the_same_and_add_up(self):
        work = self.workspace()
        spec = work.folder / "dataset.toml"
        spec.write_text(spec.read_text() + '[reasons]\nheat = { en = "temperature", ko = "온도" }\n')
        write_rows(work.folder / "day.csv", 600, "2026-07-01", seed=5)
        for family in ("boosted_trees", "tab_transformer"):
            with self.subTest(family=family):
                version, = work.find("model_metadata", dict(CLASSIFIER, model_family=family))
                work.run("predict", "--model", version["model_version"], "--in", "day.csv", "--out", "scores.csv", "--reasons", 3, expect=0)
                rows = self.scores(work.folder / "scores.csv")
                self.assertEqual(list(rows[0]), ["row", "probability", "prediction"] + [f"reason_{k}{of}" for k in (1, 2, 3) for of in ("", "_log_odds")])
                # Hot machines of maker B break: who is hot and of B hears of the heat, upwards.
                machines = self.scores(work.folder / "day.csv")
                hottest = max((m for m in range(600) if machines[m]["heat"] and machines[m]["maker"] == "B"), key=lambda m: float(machines[m]["heat"]))
                self.assertEqual(rows[hottest]["reason_1"], "temperature")
                self.assertGreater(float(rows[hottest]["reason_1_log_odds"]), 0.5)
                # All reasons of two rows differ by as much as their log odds do, where nothing is calibrated afterwards; else their order is the same.
                added = [sum(float(row[f"reason_{k}_log_odds"] or 0) for k in (1, 2, 3)) for row in rows]
                order = sorted(range(600), key=lambda m: float(rows[m]["probability"]))
                self.assertGreater(sum(added[order[-60:][k]] - added[order[k]] > 0 for k in range(60)), 58)
        work.run("run", "--in", "day.csv", expect=0, SCORE_REASONS=3, REASON_LANGUAGE="ko")
        scored = self.scores(work.folder / "data/machines/scores/scores_2026-07-01.csv")
        deployed, = work.find("model_metadata", {"status": "deployed"})
        work.run("predict", "--model", deployed["model_version"], "--in", "day.csv", "--out", "again.csv", "--reasons", 3, expect=0, REASON_LANGUAGE="ko")
        again = self.scores(work.folder / "again.csv")
        for name in ["probability", *[f"reason_{k}{of}" for k in (1, 2, 3) for of in ("", "_log_odds")]]:
            self.assertEqual([row[name] for row in scored], [row[name] for row in again], name)
        self.assertIn("온도", {row["reason_1"] for row in scored})
        # In shards the same bytes.
        whole = (work.folder / "data/machines/scores/scores_2026-07-01.csv").read_bytes()
        for shard in ("1/3", "2/3", "3/3", "merge/3"):
            work.run("task", "machines__scoring_pipeline", "score_data", "--logical-date", "2026-07-01", "--run-id", "shards", "--shard", shard, expect=0,
                     SCORE_REASONS=3, REASON_LANGUAGE="ko")
        self.assertEqual((work.folder / "data/machines/scores/scores_2026-07-01.csv").read_bytes(), whole)
        self.assertIn("REASON_LANGUAGE must be", work.run("run", "--in", "day.csv", expect=2, REASON_LANGUAGE="fr").stderr)

    def test_attempts_go_on_from_trees(self):
        work = self.workspace()
        work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        write_rows(work.folder / "rows.csv", 4000, "2026-07-01", seed=3)
        work.run("run", "--in", "rows.csv", expect=4, F1_THRESHOLD=1)
        attempts = work.find("model_metadata", {"status": "rejected"}, "model_version:1")
        self.assertEqual(len(attempts), 3)
        parent, = work.find("model_metadata", {"_id": {"$oid": attempts[0]["finetuned_from"]}})
        for attempt in attempts:
            self.assertEqual(attempt["model_family"], "boosted_trees")
            self.assertGreater(attempt["hyperparameters"]["trees"], parent["hyperparameters"]["trees"])
            self.assertEqual(attempt["decision"]["threshold"]["rule"], "f1")
            self.assertTrue(next(work.folder.glob(f"models/**/classifier_finetuned_{attempt['model_version']}.maeil")))

    def test_the_same_rows_give_the_same_trees_at_any_number_of_threads(self):
        trees = []
        for threads in (1, 2, 3):
            with self.trained.copy() as work:
                work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0, THREADS=threads)
                version = work.find("model_metadata", CLASSIFIER, "timestamp:-1")[0]
                with zipfile.ZipFile(next(work.folder.glob(f"models/**/classifier_{version['model_version']}.maeil"))) as file:
                    trees.append(file.read("xgboost.json"))
                    self.assertEqual(json.loads(file.read("facts.json"))["sha256"], hashlib.sha256(trees[-1]).hexdigest())
        self.assertEqual(trees[1:], trees[:-1])

    def test_thresholds_by_every_rule(self):
        def decided(**settings):
            with self.trained.copy() as work:
                work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0, **settings)
                return work.find("model_metadata", CLASSIFIER, "timestamp:-1")[0].get("decision")

        self.assertEqual(decided(DECISION_THRESHOLD="0.2")["threshold"], {"value": 0.2, "rule": "fixed", "rows": 0, "positives": 0})
        cost = decided(DECISION_THRESHOLD="cost", COST_FALSE_NEGATIVE=9, COST_FALSE_POSITIVE=1)["threshold"]
        self.assertEqual((cost["rule"], cost["value"]), ("cost", 0.1))
        self.assertIsNone(decided(DECISION_THRESHOLD="argmax"))

    def test_a_version_is_calibrated_anew(self):
        work = self.workspace()
        work.run("train", "--in", "history.csv", "--family", "tab_transformer", expect=0, DECISION_THRESHOLD="argmax")
        raw = work.find("model_metadata", CLASSIFIER, "timestamp:-1")[0]
        self.assertNotIn("decision", raw)
        write_rows(work.folder / "validation.csv", 20000, seed=4)
        said = work.run("model", "calibrate", raw["model_version"], "--in", "validation.csv", expect=0).stdout
        self.assertRegex(said, r"calibrated on 20000 rows of validation.csv\ncalibration (platt|beta|isotonic), decided from 0\.\d+ on \(f1\)")
        made, = work.find("model_metadata", {"calibrated_from": {"$oid": raw["_id"]["$oid"]}})
        write_rows(work.folder / "fresh.csv", 20000, seed=5)

        def evaluated(version, name):
            return json.loads(work.run("evaluate", "--model", version["model_version"], "--in", name, "--json").stdout)["metrics"]

        before, after = (evaluated(version, "fresh.csv") for version in (raw, made))
        self.assertLess(after["log_loss"], before["log_loss"] - 0.05)
        self.assertLess(after["expected_calibration_error"], 0.02)
        self.assertGreater(before["expected_calibration_error"], 0.1)
        self.assertEqual(work.find("audit_log", {"act": "calibrate"})[0]["what"], made["model_version"])
        # Where argmax is asked for, rows are decided as before, but for those that isotonic makes equal.
        work.run("model", "calibrate", raw["model_version"], "--in", "validation.csv", expect=0, DECISION_THRESHOLD="argmax")
        same = work.find("model_metadata", {"calibrated_from": {"$oid": raw["_id"]["$oid"]}}, "timestamp:-1")[0]
        was, now = (sum(of["confusion_matrix"], []) for of in (evaluated(raw, "validation.csv"), same["metrics"]))
        self.assertLess(sum(abs(a - b) for a, b in zip(was, now)), 200)
        self.assertIn("needs rows of both classes", self.refused(work, "model", "calibrate", raw["model_version"], "--in", "healthy.csv"))

    def refused(self, work, *words, code=3, **settings):
        lines = (work.folder / "validation.csv").read_text().splitlines(True)
        (work.folder / "healthy.csv").write_text("".join(lines[:1] + [line for line in lines if line.endswith("False\n")]))
        return work.run(*words, expect=code, **settings).stderr

    def test_labels_that_say_nothing_give_chance_and_fail_the_gate(self):
        work = self.enterContext(Workspace(**QUICK))
        (work.folder / "dataset.toml").write_text(SPEC + ROLES)
        write_rows(work.folder / "history.csv", 20000, shuffled=True)
        work.run("train", "--in", "history.csv", expect=0)
        verdicts = work.find("performance_metrics", {"dataset_name": "test"})
        self.assertEqual(len(verdicts), 2)
        for verdict in verdicts:
            self.assertAlmostEqual(verdict["metrics"]["roc_auc"], 0.5, delta=0.06)
            self.assertEqual(verdict["gate"], "failed")

    def test_what_cannot_be_is_said(self):
        work = self.workspace()
        self.assertIn("there is no model family forest: tab_transformer, boosted_trees and scorecard are",
                      work.run("train", "--in", "history.csv", "--family", "forest", expect=2).stderr)
        self.assertIn("boosted_trees, not tab_transformer", work.run(
            "model", "logits", next(work.folder.glob("models/**/*.maeil")), "--cat", "history.csv", "--num", "history.csv", expect=3).stderr)
        # Without XGBoost trees are scored all the same, and not learnt.
        without = work.without_xgboost()
        done = work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=3, **without)
        self.assertIn("libxgboost.so.0 (Debian: libxgboost0), or train with --family tab_transformer", done.stderr)
        work.run("predict", "--model", next(work.folder.glob("models/**/*.maeil")), "--in", "history.csv", "--out", "s.csv", expect=0, **without)
        done = work.run("train", "--in", "history.csv", "--rows", 500, expect=0, **without)
        self.assertIn("no trees are trained beside the network", done.stderr)
        damaged = next(work.folder.glob("models/**/*.maeil"))
        damaged.chmod(0o644)
        damaged.write_bytes(damaged.read_bytes()[:-500])
        self.assertIn("truncated or damaged", work.run("predict", "--model", damaged, "--in", "history.csv", "--out", "s.csv", expect=3).stderr)


if __name__ == "__main__":
    unittest.main()
