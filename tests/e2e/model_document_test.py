"""A model version as a document: its chapters, that every cell is in one of the documents that its chapter names, and what it says
where nothing is recorded."""
import json
import unittest

from harness import Workspace
from machines import ROLES, SMALL, SPEC
from models_test import write_rows
from pages import Page, strangers

QUICK = dict(SMALL, EPOCHS=1, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MIN_POSITIVES=5, MAX_RETRAIN_ATTEMPTS=1, F1_THRESHOLD=0)
CHAPTERS = ["Purpose", "Data", "Method", "Tests", "Calibration and threshold", "Performance by date and segment", "Stability", "Limits",
            "Challengers and what was made of it", "Monitoring plan", "Approvals"]
SAID = {"undefined", "not recorded", "none", "nothing", "not set", "it was tried", "yes", "no", "label 0", "label 1", "F1", "F1, 95 % interval", "ROC AUC",
        "precision", "recall", "PR AUC", "KS", "Gini", "accuracy", "Brier score", "log loss", "expected calibration error", "rate of the target",
        "decides 1 from a probability of"}
COLLECTIONS = ("model_metadata", "training_events", "training_data", "raw_data", "performance_metrics", "evaluation_events", "challenger_events", "predictions",
               "deployment_events", "alerts", "audit_log")


class ModelDocument(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = cls.enterClassContext(Workspace(**QUICK))
        (cls.made.folder / "dataset.toml").write_text(SPEC.replace('"maker", type = "text"', '"maker", type = "text", segment = true') + ROLES)
        write_rows(cls.made.folder / "history.csv", 4000)
        cls.made.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        for day, (expect, settings) in enumerate([(0, {}), (4, dict(F1_THRESHOLD=0.99)), (0, dict(MIN_POSITIVES=100000))], 1):
            path = cls.made.folder / f"rows_2026-07-0{day}.csv"
            write_rows(path, 6000, f"2026-07-0{day}", seed=day + 20)
            cls.made.run("run", "--in", path.name, expect=expect, **settings)
        versions = cls.made.find("model_metadata", {"model_name": "default_prediction_classifier"})
        cls.first, = (v for v in versions if "finetuned_from" not in v)
        cls.attempt, = (v for v in versions if "finetuned_from" in v)
        cls.documents = {d["_id"]["$oid"]: d for name in COLLECTIONS for d in cls.made.find(name)}

    def page(self, version, work=None):
        work = work or self.made
        work.run("model", "document", version["model_version"], "--html", "model.html", expect=0)
        page = Page((work.folder / "model.html").read_text(encoding="utf-8"))
        self.assertEqual(page.wrong, [])
        self.assertEqual([text for _, text in page.headings], [f"Model {version['model_version']}, machines", *CHAPTERS])
        return page

    def test_every_cell_is_in_the_documents_of_its_chapter(self):
        for version in (self.first, self.attempt):
            for heading, section in self.page(version).sections.items():
                self.assertEqual(strangers(section, self.documents, SAID), [], f"{version['model_version']}, {heading}")

    def test_what_a_deployed_version_says(self):
        page = self.page(self.first)
        chapter = lambda name: page.sections[name]["cells"] + page.sections[name]["texts"]
        self.assertIn("It says of each row of machines how probable it is that broken is true (by ./dataset.toml as it is now).", chapter("Purpose"))
        self.assertTrue(any(text.startswith("When it was made: trained on ") for text in chapter("Data")))
        self.assertIn("The hash of the rows that it learnt from was not recorded.", chapter("Data"))
        self.assertIn("It was not fine-tuned from another version.", chapter("Method"))
        dates = {"2026-07-01", "2026-07-02", "2026-07-03"}
        self.assertLess(dates, set(chapter("Performance by date and segment")))
        self.assertLess(dates, set(chapter("Stability")))
        self.assertLess({"2026-07-03", "MODEL_NOT_JUDGED", "MODEL_PERFORMANCE_FAILURE"}, set(chapter("Limits")))
        self.assertIn(self.attempt["model_version"], chapter("Challengers and what was made of it"))
        self.assertLess({"registered", "approved", "deployed", "approve", "deploy"}, set(chapter("Approvals")))
        self.assertIn("100000", chapter("Monitoring plan"))  # MIN_POSITIVES of the newest run

    def test_what_an_attempt_says(self):
        page = self.page(self.attempt)
        chapter = lambda name: page.sections[name]["cells"] + page.sections[name]["texts"]
        raw, = self.made.find("raw_data", {"logical_date": "2026-07-02"})
        prepared, = self.made.find("training_data", {"logical_date": "2026-07-02"})
        self.assertLess({raw["sha256"], str(prepared["num_finetune_samples"]), str(prepared["num_test_samples"])}, set(chapter("Data")))
        self.assertIn(self.first["model_version"], chapter("Method"))
        self.assertLess({"maker", "B"}, set(chapter("Performance by date and segment")))
        self.assertIn("No deployment of it counts: it was never deployed, or the dates were done again.", chapter("Approvals"))
        self.assertIn("No scores of it count: it has scored no date, or the dates were done again.", chapter("Stability"))

    def test_text_and_json_say_the_same(self):
        page = self.page(self.first)
        text = self.made.run("model", "document", self.first["model_version"], expect=0).stdout
        for heading, section in page.sections.items():
            self.assertIn(f"\n{heading}\n", text)
            for said in section["cells"] + section["texts"]:
                self.assertIn(said, text)
        value = json.loads(self.made.run("model", "document", self.first["model_version"], "--json", expect=0).stdout)
        self.assertEqual((value["model_metadata"], value["target"]), (self.first, "broken"))

    def test_a_persons_approval_is_named(self):
        work = self.enterContext(self.made.copy())
        work.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        version = max(work.find("model_metadata", {"finetuned_from": {"$exists": False}}), key=lambda v: v["model_version"])
        work.run("model", "approve", version["model_version"], "--comment", "<b>seen</b> by the committee", expect=0)
        approvals = self.page(version, work).sections["Approvals"]
        act, = work.find("audit_log", {"what": version["model_version"], "act": "approve"})
        self.assertLess({"<b>seen</b> by the committee", act["actor"]["os_user"], act["actor"]["host"], "approve"}, set(approvals["cells"]))
        self.assertIn("No deployment of it counts: it was never deployed, or the dates were done again.", approvals["texts"])

    def test_a_version_that_is_not_there(self):
        self.made.run("model", "document", "20200101_000000", "--html", "none.html", expect=3)
        self.assertFalse((self.made.folder / "none.html").exists())


if __name__ == "__main__":
    unittest.main()
