"""A scorecard by the commands: trained, shown as a table, JSON and page, and scoring a day as `predict` does."""
import csv
import json
import math
import re
import unittest
import zipfile

from harness import Workspace
from machines import ROLES, SMALL, SPEC
from models_test import CLASSIFIER, write_rows


class Scorecard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trained = cls.enterClassContext(Workspace(**SMALL, F1_THRESHOLD=0, MIN_POSITIVES=5))
        (cls.trained.folder / "dataset.toml").write_text(SPEC.replace('"maker"', '"<maker>"') + ROLES)
        for name, rows, day, seed in (("history", 12000, None, 1), ("day", 4000, "2026-07-01", 3)):
            path = cls.trained.folder / f"{name}.csv"
            write_rows(path, rows, day, seed)
            path.write_text(path.read_text().replace("maker", "<maker>", 1).replace(",A,", ",<A>,"))
        cls.trained.run("train", "--in", "history.csv", "--family", "scorecard", expect=0)
        cls.version, = cls.trained.find("model_metadata", CLASSIFIER)

    def scorecard(self, *more):
        return self.trained.run("model", "scorecard", self.version["model_version"], *more, expect=0).stdout

    def scores(self, path):
        with open(path, newline="") as file:
            return [float(row["probability"]) for row in csv.DictReader(file)]

    def test_it_is_a_version_like_others(self):
        self.assertEqual((self.version["model_family"], self.version["model_format"], self.version["status"]), ("scorecard", "maeil", "registered"))
        self.assertEqual(self.version["hyperparameters"]["base_points"], 600)
        self.assertIn(self.version["decision"]["calibration"]["method"], ("none", "platt", "beta", "isotonic"))

    def test_its_json_adds_up(self):
        card = json.loads(self.scorecard("--json"))
        features = {feature["feature"]: feature for feature in card["features"]}
        heat, maker = features["heat"], features["<maker>"]
        self.assertEqual((heat["kind"], maker["kind"]), ("number", "category"))
        self.assertEqual(sorted(sum((bin["values"] for bin in maker["bins"]), [])), ["<A>", "B"])
        self.assertTrue(heat["bins"][-1]["missing"])
        factor = 20 / math.log(2)
        used = [f for f in card["features"] if f["left_out"] is None]
        self.assertGreaterEqual(len(used), 2)
        for feature in card["features"]:
            bins = feature["bins"]
            rows, events = sum(b["rows"] for b in bins), sum(b["events"] for b in bins)
            self.assertEqual((rows, events), (card["rows"], card["events"]))
            self.assertAlmostEqual(sum(b["information_value"] for b in bins), feature["information_value"], 12)
            for b in bins:
                if 0 < b["events"] < b["rows"]:
                    goods = (b["rows"] - b["events"]) / (rows - events)
                    self.assertAlmostEqual(b["weight_of_evidence"], math.log(goods / (b["events"] / events)), 12)
                if feature in used:
                    share = (600 - factor * math.log(50)) / len(used)
                    points = share - factor * (feature["estimate"]["coefficient"] * b["weight_of_evidence"] + card["intercept"]["coefficient"] / len(used))
                    self.assertAlmostEqual(b["exact_points"], points, 9)
                    self.assertEqual(b["points"], round(points))
                else:
                    self.assertIsNone(b["points"])
        for feature in used:
            self.assertLess(feature["estimate"]["coefficient"], 0)
            self.assertAlmostEqual(feature["estimate"]["p_value"], math.erfc(abs(feature["estimate"]["z"]) / math.sqrt(2)), 12)

    def test_its_table_says_the_same(self):
        card, said = json.loads(self.scorecard("--json")), self.scorecard()
        self.assertIn(f"learnt from {card['rows']} rows, {card['events']} of them events", said)
        for feature in card["features"]:
            for b in feature["bins"]:
                self.assertRegex(said, rf"(?m)  {b['rows']} +{100 * b['share']:.2f} % +{b['events']} .* {'-' if b['points'] is None else b['points']} *$")
            if feature["left_out"]:
                self.assertIn(f"{feature['feature']} has no part in the score: {feature['left_out']}", said)

    def test_its_page_needs_nothing_else_and_escapes_everything(self):
        self.scorecard("--html", "card.html")
        page = (self.trained.folder / "card.html").read_text()
        self.assertNotRegex(page, r"<script|<link|src=|https?://")
        self.assertNotIn("<maker>", page)
        self.assertIn("<h2>&lt;maker&gt;</h2>", page)
        self.assertIn("&lt;A&gt;", page)
        self.assertEqual(page.count("<h2>"), 1 + len(json.loads(self.scorecard("--json"))["features"]))

    def test_a_day_scores_as_predict_does(self):
        work = self.enterContext(self.trained.copy())
        work.run("run", "--in", "day.csv", expect=0)
        deployed, = work.folder.glob("models/**/deployed/current_model.maeil")
        self.assertEqual(set(zipfile.ZipFile(deployed).namelist()), {"facts.json", "scorecard.json"})
        work.run("predict", "--model", deployed, "--in", "day.csv", "--out", "p.csv", expect=0)
        work.run("predict", "--model", self.version["model_version"], "--in", "day.csv", "--out", "q.csv", expect=0)
        predicted = self.scores(work.folder / "p.csv")
        self.assertEqual(predicted, self.scores(work.folder / "q.csv"))
        self.assertEqual(predicted, self.scores(next(work.folder.glob("data/**/scores_2026-07-01.csv"))))
        self.assertGreater(len(set(predicted)), 8)
        # Its file says what it is, as the version does.
        by_file = json.loads(work.run("model", "scorecard", deployed, "--json", expect=0).stdout)
        self.assertEqual(by_file, json.loads(self.scorecard("--json")))

    def test_a_failed_gate_is_answered_by_coefficients_fitted_anew(self):
        work = self.enterContext(self.trained.copy())
        work.run("run", "--in", "day.csv", expect=4, F1_THRESHOLD=0.99, MAX_RETRAIN_ATTEMPTS=1)
        attempt, = work.find("model_metadata", {"finetuned_from": {"$ne": None}})
        self.assertEqual(attempt["model_family"], "scorecard")
        one, two = (json.loads(work.run("model", "scorecard", version["model_version"], "--json", expect=0).stdout) for version in (self.version, attempt))
        edges = [{f["feature"]: [(b.get("from"), b.get("values")) for b in f["bins"]] for f in card["features"]} for card in (one, two)]
        self.assertEqual(*edges)
        self.assertNotEqual(one["intercept"], two["intercept"])

    def test_it_needs_no_xgboost(self):
        work = self.enterContext(self.trained.copy())
        work.run("train", "--in", "history.csv", "--family", "scorecard", "--rows", 2000, expect=0, **work.without_xgboost())
        self.assertEqual([v["model_family"] for v in work.find("model_metadata", CLASSIFIER)], ["scorecard"] * 2)

    def test_a_challenger_may_be_one(self):
        work = self.enterContext(self.trained.copy())
        work.run("run", "--in", "day.csv", expect=4, F1_THRESHOLD=0.99, MAX_RETRAIN_ATTEMPTS=1, CHALLENGERS="scorecard")
        event, = work.find("challenger_events")
        self.assertEqual(event["family"], "scorecard")

    def test_what_is_none_is_refused(self):
        work = self.enterContext(self.trained.copy())
        work.run("train", "--in", "history.csv", "--family", "tab_transformer", "--epochs", 1, "--rows", 1000, expect=0)
        network, = work.find("model_metadata", dict(CLASSIFIER, model_family="tab_transformer"))
        self.assertIn("is of the family tab_transformer, not scorecard: `maeil train --family scorecard` makes one",
                      work.run("model", "scorecard", network["model_version"], expect=3).stderr)
        path, = work.folder.glob(f"models/**/classifier_{self.version['model_version']}.maeil")
        path.write_bytes(re.sub(rb'"weight_of_evidence": -?\d', b'"weight_of_evidence": 7', path.read_bytes(), count=1))
        self.assertRegex(work.run("model", "scorecard", path, expect=3).stderr, "scorecard.json")


if __name__ == "__main__":
    unittest.main()
