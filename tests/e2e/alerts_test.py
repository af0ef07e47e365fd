"""The same trouble rings once, waits for people, and is over by itself."""
import unittest

from harness import Workspace
from machines import ROLES, SMALL, SPEC
from models_test import write_rows

QUICK = dict(SMALL, EPOCHS=1, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MIN_POSITIVES=5, MAX_RETRAIN_ATTEMPTS=1, DATA_QUANTITY=600)
FAILED = "MODEL_PERFORMANCE_FAILURE"


class BadAndGoodDays(unittest.TestCase):
    """A workspace with a first model and days of rows, which the gate makes bad or good."""
    DAYS = 9

    @classmethod
    def setUpClass(cls):
        cls.made = cls.enterClassContext(Workspace(**QUICK))
        (cls.made.folder / "dataset.toml").write_text(SPEC + ROLES)
        write_rows(cls.made.folder / "history.csv", 2000)
        cls.made.run("train", "--in", "history.csv", "--family", "boosted_trees", expect=0)
        for day in range(1, cls.DAYS + 1):
            write_rows(cls.made.folder / f"rows_2026-07-0{day}.csv", 1500, f"2026-07-0{day}", seed=day + 10)

    def setUp(self):
        self.work = self.enterContext(self.made.copy())

    def day(self, day, good=False, **settings):
        return self.work.run("run", "--in", f"rows_2026-07-0{day}.csv", expect=0 if good else 4, F1_THRESHOLD=0 if good else 0.99, **settings)


class Alerts(BadAndGoodDays):
    def state(self):
        found, = self.work.find("alert_states")
        return found

    def test_three_bad_days_ring_once_and_two_good_ones_resolve(self):
        self.assertIn("nothing is open", self.work.run("alert", "list", expect=0).stdout)
        said = [self.day(day).stderr for day in (1, 2, 3)]
        rung = f"alert {FAILED} (CRITICAL) is open, on 1 date since 2026-07-01: Model performance is below the threshold"
        self.assertIn(rung, said[0])
        for later in said[1:]:
            self.assertNotIn("is open", later)
        state = self.state()
        self.assertEqual((state["state"], state["count"], state["first_seen"], state["last_seen"], state["rung_on"]), ("open", 3, "2026-07-01", "2026-07-03", "2026-07-01"))
        self.assertEqual(len(self.work.find("alerts")), 3)  # each occurrence is a document
        listed = self.work.run("alert", "list", expect=0).stdout
        self.assertRegex(listed, rf"{FAILED} +CRITICAL +open +2026-07-01 +2026-07-03 +3")
        shown = self.work.run("alert", "show", FAILED, expect=0).stdout
        self.assertEqual([line[:10] for line in shown.splitlines() if line.startswith("2026-")], ["2026-07-03", "2026-07-02", "2026-07-01"])
        # A date that is done again is no other date.
        self.work.run("redo", "2026-07-03", "--from", "evaluate_model", "--yes", expect=4, F1_THRESHOLD=0.99)
        self.assertEqual(self.state()["count"], 3)
        self.assertNotIn("resolved", self.day(4, good=True).stderr)
        self.assertIn(f"alert {FAILED} (CRITICAL) is resolved: last seen on 2026-07-03", self.day(5, good=True).stderr)
        self.assertEqual((self.state()["state"], self.state()["resolved_on"]), ("resolved", "2026-07-05"))
        self.assertIn("nothing is open", self.work.run("alert", "list", expect=0).stdout)
        self.assertIn("resolved", self.work.run("alert", "list", "--all", expect=0).stdout)
        self.assertIn("is open, on 1 date since 2026-07-06", self.day(6).stderr)

    def test_what_people_say_of_it_is_kept(self):
        self.assertEqual(self.work.run("alert", "ack", FAILED, expect=3).stderr.count("none was ever raised"), 1)
        self.day(1)
        key = self.state()["_id"]["$oid"][:8]
        self.assertIn(f"{FAILED} ({key}) is acknowledged", self.work.run("alert", "ack", key, "--comment", "원천 확인 중", expect=0).stdout)
        self.assertNotIn("is open", self.day(2, ALERT_REPEAT_DAYS=1).stderr)
        self.assertIn("원천 확인 중", self.work.run("alert", "list", expect=0).stdout)
        self.assertIn("is over already", self.work.run("alert", "silence", FAILED, "--until", "2026-07-01", expect=2).stderr)
        self.work.run("alert", "silence", FAILED, "--until", "soon", expect=2)
        self.work.run("alert", "resolve", FAILED, "--comment", "feed mended", expect=0)
        self.assertIn("there is nothing to resolve", self.work.run("alert", "resolve", FAILED, expect=2).stderr)
        acts = self.work.find("audit_log", {"act": {"$in": ["acknowledge alert", "resolve alert"]}})
        self.assertEqual([(a["what"], a["from"], a["to"], a["comment"]) for a in acts],
                         [(FAILED, "open", "acknowledged", "원천 확인 중"), (FAILED, "acknowledged", "resolved", "feed mended")])

    def test_what_is_resolved_opens_again_whenever_that_was_said(self):
        self.day(1)
        self.work.run("alert", "resolve", FAILED, expect=0)
        self.assertIn("is open, on 1 date since 2026-07-02", self.day(2).stderr)
        # Resolved by two good dates, one of which turns bad when it is done again.
        self.day(3, good=True)
        self.assertIn("is resolved", self.day(4, good=True).stderr)
        self.assertIn("is open, on 1 date since 2026-07-04", self.work.run("redo", "2026-07-04", "--from", "check_model_performance", "--yes", expect=4,
                                                                          F1_THRESHOLD=0.99).stderr)
        # And what is taken back is over: the date is good again.
        self.assertIn("is resolved", self.work.run("redo", "2026-07-04", "--from", "check_model_performance", "--yes", expect=0, F1_THRESHOLD=0).stderr)

    def test_dates_that_judge_nothing_resolve_nothing(self):
        self.day(1)
        for day in (2, 3, 4):
            said = self.day(day, good=True, MIN_POSITIVES=100000).stderr
            self.assertNotIn(f"{FAILED} (CRITICAL) is resolved", said)
        self.assertEqual({s["rule"]: s["state"] for s in self.work.find("alert_states")}, {FAILED: "open", "MODEL_NOT_JUDGED": "open"})

    def test_it_rings_again_when_it_goes_on(self):
        self.day(1)
        self.assertNotIn("is open", self.day(2, ALERT_REPEAT_DAYS=2).stderr)
        self.assertIn("is open still, on 3 dates since 2026-07-01", self.day(3, ALERT_REPEAT_DAYS=2).stderr)


if __name__ == "__main__":
    unittest.main()
