"""A day on one page: what it says of good and bad days, that it is one whole page, and that every number of its tables is in
one of the documents that its section names."""
import csv
import json
import unittest

from harness import Workspace
from machines import ROLES, SMALL, SPEC
from models_test import write_rows
from pages import Page, facts, strangers

QUICK = dict(SMALL, EPOCHS=1, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MIN_POSITIVES=5, MAX_RETRAIN_ATTEMPTS=2, DATA_QUANTITY=600, F1_THRESHOLD=0)
CONTRACT = """
[contract]
min_rows = 100
[contract.columns]
heat = { min = -3, max = 3 }
maker = { allowed = ["A", "B"] }
"""
GOOD, ALERTED, NOT_JUDGED, BROKEN = (f"2026-07-0{day}" for day in (1, 2, 3, 4))
# What the tables say in words of their own.
SAID = {"undefined", "not recorded", "none", "nothing", "not set", "that task", "the first settings", "did not begin", "of all", "not counted yet",
        "none was told", "passed", "failed", "not judged", "yes", "no, what was deployed stays", "not looked at", "not looked for", "not asked", "label 0", "label 1",
        "F1", "F1, 95 % interval", "ROC AUC", "precision", "recall", "PR AUC", "KS", "Gini", "accuracy", "Brier score", "log loss",
        "expected calibration error", "rate of the target", "decides 1 from a probability of", *(f"{k / 20:.2f}" for k in range(21))}


class DayReport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = cls.enterClassContext(Workspace(**QUICK))
        (cls.made.folder / "dataset.toml").write_text(SPEC + ROLES + CONTRACT)
        write_rows(cls.made.folder / "history.csv", 4000)
        cls.made.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        for day, (date, expect, settings) in enumerate([(GOOD, 0, {}), (ALERTED, 4, dict(F1_THRESHOLD=0.99)), (NOT_JUDGED, 0, dict(MIN_POSITIVES=100000)),
                                                        (BROKEN, 3, {})]):
            path = cls.made.folder / f"rows_{date}.csv"
            write_rows(path, 1500, date, seed=day + 11)
            if date == BROKEN:
                path.write_text(path.read_text().replace(",A,", ",<Z&amp>,"))
            cls.made.run("run", "--in", path.name, expect=expect, **settings)

    def page(self, date, work=None):
        work = work or self.made
        said = work.run("report", date, "--html", "day.html", expect=0).stdout
        self.assertEqual(said, "the page: day.html\n")
        return Page((work.folder / "day.html").read_text(encoding="utf-8"))

    def assert_said(self, page, section, *sentences):
        for sentence in sentences:
            self.assertIn(sentence, page.sections[section]["texts"], section)

    def test_each_page_is_whole(self):
        for date in (GOOD, ALERTED, NOT_JUDGED, BROKEN):
            page = self.page(date)
            self.assertEqual(page.wrong, [])
            self.assertEqual(page.headings[0], (1, f"{date}, machines"))
            self.assertEqual({level for level, _ in page.headings[1:]}, {2})

    def test_every_cell_of_a_section_is_in_its_documents(self):
        names = ("raw_data", "data_validations", "processing_metadata", "performance_metrics", "model_metadata", "evaluation_events", "deployment_events",
                 "predictions", "alerts", "alert_states", "task_instances", "audit_log")
        documents = {d["_id"]["$oid"]: d for name in names for d in self.made.find(name)}
        looked_at = 0
        for date in (GOOD, ALERTED, NOT_JUDGED, BROKEN):
            for heading, section in self.page(date).sections.items():
                self.assertEqual(strangers(section, documents, SAID), [], f"{date}, {heading}")
                looked_at += len(section["cells"])
        self.assertGreater(looked_at, 600)

    def test_a_cell_that_no_document_has_is_found(self):
        documents = {"a": {"a": [1, 0.25], "b": {"c": 0.000012, "d": {"$oid": "ab"}}}, "b": {"e": 7}}
        cells = ["1", "0.2500", "1.2e-05", "ab", "1 to 0.2500", "none", "2", "0.2501", "1 to 7", "7"]
        self.assertEqual(strangers({"cells": cells, "sources": ["a"]}, documents, {"none"}), ["2", "0.2501", "1 to 7", "7"])

    def test_a_good_day(self):
        page = self.page(GOOD)
        self.assertEqual(page.lead, "The model in force passed.")
        self.assert_said(page, "What rang, and why", "No alert was raised for this date.")
        self.assert_said(page, "Retraining and challengers", "Nothing was retrained: the model in force passed.", "No challenger was judged.")
        event, = self.made.find("deployment_events", {"logical_date": GOOD})
        self.assertIn(event["model_version"], page.sections["What was decided, and deployed"]["cells"])
        raw, = self.made.find("raw_data", {"logical_date": GOOD})
        self.assertLess({f"rows_{GOOD}.csv", raw["sha256"], raw["source_sha256"], "1500"}, set(page.sections["What came in"]["cells"]))
        # Rows that break a rule are set aside, each with its reason.
        found = page.sections["What was found"]["cells"]
        self.assertTrue(any(cell.startswith("column 'heat': above max = 3") for cell in found), found)
        prepared, = self.made.find("processing_metadata", {"logical_date": GOOD})
        self.assertGreater(prepared["quarantined"]["count"], 0)
        self.assertIn(prepared["quarantined"]["rows"][0]["reason"], found)
        tasks = self.made.find("task_instances", {"logical_date": GOOD})
        self.assertLess({task["task_id"] for task in tasks}, set(page.sections["Tasks"]["cells"]))
        self.assertIn("deploy", page.sections["Who acted"]["cells"])
        self.assertIn("F1_THRESHOLD", page.sections["With which program and settings"]["names"])

    def test_an_alerted_day(self):
        page = self.page(ALERTED)
        self.assertIn("failed the gate, and so did what was retrained", page.lead)
        alert, = self.made.find("alerts", {"logical_date": ALERTED})
        rang = page.sections["What rang, and why"]["cells"]
        for said in (alert["message"], alert["diagnosis"]["cause"], GOOD, *alert["diagnosis"]["changes"], *alert["diagnosis"]["commands"], "open"):
            self.assertIn(said, rang)
        attempts = page.sections["Retraining and challengers"]["cells"]
        versions = [v["model_version"] for v in self.made.find("model_metadata", {"finetuned_from": {"$exists": True}, "logical_date": ALERTED})]
        self.assertEqual((len(versions), attempts.count("failed")), (2, 2))
        self.assertLess(set(versions), set(attempts))
        self.assert_said(page, "What was decided, and deployed",
                         "Nothing was deployed. wait_for_evaluation ended as skipped: the evaluation ended in an alert: nothing is deployed, "
                         "what was deployed stays.")

    def test_a_day_that_was_not_judged(self):
        page = self.page(NOT_JUDGED)
        self.assertIn("was not judged: ", page.lead)
        event, = self.made.find("evaluation_events", {"logical_date": NOT_JUDGED})
        self.assert_said(page, "How good the model was", f"Not judged: {event['reason']}.")
        self.assert_said(page, "Retraining and challengers", "Nothing was retrained: the model in force was not judged.")

    def test_a_day_with_a_broken_contract(self):
        page = self.page(BROKEN)
        self.assertIn("The date has no verdict. validate_data failed: rows_2026-07-04.csv breaks the contract", page.lead)
        self.assertIn("<Z&amp>", " ".join(page.sections["What was found"]["cells"]))  # escaped, and whole
        self.assert_said(page, "What was found", "The contract is broken: the day ended here.")
        self.assert_said(page, "How good the model was", "The model in force was not evaluated. evaluate_model never ran.")
        self.assert_said(page, "Scores", "Nothing was scored. score_data never ran.")
        self.assertIn("DATA_CONTRACT_BROKEN", page.sections["In short"]["cells"])

    def test_the_histogram_is_that_of_the_scores(self):
        scores, = self.made.find("predictions", {"logical_date": GOOD})
        with open(self.made.folder / f"data/machines/scores/scores_{GOOD}.csv", newline="") as file:
            counts = [0] * 20
            for row in csv.DictReader(file):
                counts[min(int(float(row["probability"]) * 20), 19)] += 1
        self.assertEqual(scores["histogram"], counts)
        cells = self.page(GOOD).sections["Scores"]["cells"]
        shown = [cell for step, count in enumerate(counts) if count for cell in (f"{step / 20:.2f}", f"{(step + 1) / 20:.2f}", str(count))]
        at = cells.index("0.00")
        self.assertEqual(cells[at:at + len(shown)], shown)

    def test_text_and_json_say_the_same(self):
        page = self.page(ALERTED)
        text = self.made.run("report", ALERTED, expect=0).stdout
        for heading, section in page.sections.items():
            self.assertIn(f"\n{heading}\n", text)
            for said in section["cells"] + section["names"] + section["texts"]:
                self.assertIn(said, text)
        value = json.loads(self.made.run("report", ALERTED, "--json", expect=0).stdout)
        self.assertEqual((value["logical_date"], value["evaluation_events"]["status"]), (ALERTED, "failed_max_retries"))
        self.assertEqual(value["predictions"], self.made.find("predictions", {"logical_date": ALERTED})[0])

    def test_a_version_that_waits_for_a_person(self):
        work = self.enterContext(self.made.copy())
        write_rows(work.folder / "rows_2026-07-05.csv", 1500, "2026-07-05", seed=15)
        work.run("run", "--in", "rows_2026-07-05.csv", APPROVAL="manual", MAX_RETRAIN_ATTEMPTS=1, CHALLENGERS="boosted_trees", RETRAIN_EVERY=30, expect=0)
        page = self.page("2026-07-05", work)
        self.assertEqual(page.lead, "The model in force passed.")
        challenger = [text for text in page.sections["Retraining and challengers"]["texts"] if text.startswith("No challenger was judged. ")]
        self.assertRegex(challenger[0], "train_challenger ended as skipped: no challenger is trained: the model in force was first judged on")
        # Without a model that was approved before, a pass is proposed.
        with Workspace(**QUICK, APPROVAL="manual") as new:
            for name in ("dataset.toml", "history.csv", f"rows_{GOOD}.csv"):
                (new.folder / name).write_bytes((work.folder / name).read_bytes())
            new.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
            new.run("run", "--in", f"rows_{GOOD}.csv", expect=0)
            page = self.page(GOOD, new)
            self.assertEqual(page.lead, "A model passed and waited for a person's approval.")
            decided = page.sections["What was decided, and deployed"]
            self.assertIn("no, what was deployed stays", decided["cells"])
            self.assertTrue(any("waited for a person's approval" in text for text in decided["texts"]))

    def test_a_date_that_is_done_again_shows_what_counts(self):
        work = self.enterContext(self.made.copy())
        work.run("redo", ALERTED, "--yes", expect=0)
        page = self.page(ALERTED, work)
        self.assertEqual(page.lead, "The model in force passed.")
        self.assert_said(page, "What rang, and why", "No alert was raised for this date.")
        self.assertIn("redo", page.sections["Who acted"]["cells"])

    def test_what_cannot_be_reported(self):
        said = self.made.run("report", "2026-08-01", "--html", "none.html", expect=3).stderr
        self.assertIn(f"2026-08-01 never ran; the newest dates that did are {BROKEN}, {NOT_JUDGED}, {ALERTED}, {GOOD}", said)
        self.assertFalse((self.made.folder / "none.html").exists())
        self.assertIn("write it as", self.made.run("report", "soon", expect=2).stderr)
        self.assertIn("name a date", self.made.run("report", expect=2).stderr)
        self.assertIn("is a database", self.made.run("report", GOOD, "--html", "maeil.db", expect=2).stderr)
        with Workspace() as empty:
            self.assertIn("nor did any other date", empty.run("report", GOOD, expect=3).stderr)


if __name__ == "__main__":
    unittest.main()
