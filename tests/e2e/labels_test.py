"""Labels that come late: taken in, joined with the stored rows, and what follows from them for the scores, the gate, the
retraining and the retention."""
import csv
import datetime
import json
import random
import threading
import unittest

import machines
from harness import Workspace, kill, read_until

SMALL = dict(machines.SMALL, MIN_POSITIVES=1, F1_THRESHOLD=0.2, FINETUNE_EPOCHS=1)
SPEC = machines.SPEC + "negative = false\ndelay_days = 5\n" + machines.ROLES
FIRST = datetime.date(2024, 7, 20)
DAY = [str(FIRST + datetime.timedelta(days=n)) for n in range(20)]


def rows_of(day, rows, seed=5):
    """(machine, plant, day, heat, maker, broken)"""
    draw = random.Random(f"{seed} {day}")
    out = []
    for row in range(rows):
        heat = draw.gauss(0, 1)
        out.append((f"M{row}", f"P{row // 4}", day, round(heat, 3), draw.choice("AB"), heat + draw.gauss(0, 0.3) > 1))
    return out


def write(path, header, rows):
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def auc(scores, labels):
    """The share of pairs of a positive and a negative row that the scores order, ties half."""
    pairs = [(p > q) + (p == q) / 2 for p, a in zip(scores, labels) if a for q, b in zip(scores, labels) if not b]
    return sum(pairs) / len(pairs)


class Book:
    """Days of machines that break, in a workspace with a model of them."""

    @classmethod
    def setUpClass(cls):
        cls.trained = Workspace(**SMALL)
        cls.addClassCleanup(cls.trained.__exit__, None, None, None)
        (cls.trained.folder / "dataset.toml").write_text(SPEC)
        history = [row for n in range(60) for row in rows_of(str(FIRST - datetime.timedelta(days=100 - n)), 60, 3)]
        write(cls.trained.folder / "history.csv", ["machine", "plant", "seen", "heat", "maker", "broken"], history)
        cls.trained.run("train", "--in", "history.csv", "--epochs", 4, expect=0)

    def workspace(self, **settings):
        workspace = self.trained.copy()
        workspace.settings.update({name: str(value) for name, value in settings.items()})
        self.addCleanup(workspace.__exit__, None, None, None)
        return workspace

    def extract(self, workspace, day, rows=300, labelled=False):
        """The day's file, without labels unless they are asked for."""
        data = [(*row[:5], row[5] if labelled else "") for row in rows_of(day, rows)]
        write(workspace.folder / f"rows_{day}.csv", ["machine", "plant", "seen", "heat", "maker", "broken"], data)
        return f"rows_{day}.csv"

    def run_day(self, workspace, day, expect=0, **options):
        return workspace.run("run", "--in", self.extract(workspace, day, **options), expect=expect)

    def labels(self, workspace, name, day, rows=300, flip=(), extra=()):
        data = [(row[0], row[2], row[5] != (n in flip)) for n, row in enumerate(rows_of(day, rows))]
        write(workspace.folder / name, ["machine", "seen", "broken"], [*data, *extra])
        return name

    def take(self, workspace, name, *options, expect=0):
        done = workspace.run("labels", "import", "--in", name, "--json", *options, expect=expect)
        return json.loads(done.stdout) if expect == 0 else done.stderr

    def scores(self, workspace, day):
        with open(workspace.folder / f"data/machines/scores/scores_{day}.csv") as file:
            return {row["machine"]: float(row["probability"]) for row in csv.DictReader(file)}

    def matured(self, workspace, day):
        found = workspace.find("performance_metrics", {"dataset_name": "matured", "logical_date": day})
        present, = [one for one in found if "superseded_by" not in one]
        return present, [one for one in found if "superseded_by" in one]


class Judged(Book, unittest.TestCase):
    """What rows the gate and the attempts read of days whose labels came late."""

    def day(self, workspace, day, hot, expect):
        """`hot` of its rows are hotter than the contract allows."""
        data = [(*row[:3], 99 if n < hot else row[3], row[4], "") for n, row in enumerate(rows_of(day, 300))]
        write(workspace.folder / "rows.csv", ["machine", "plant", "seen", "heat", "maker", "broken"], data)
        return workspace.run("run", "--in", "rows.csv", expect=expect)

    def judged(self, workspace, day):
        test, = workspace.find("performance_metrics", {"dataset_name": "test", "logical_date": day})
        return test["metrics"]

    def test_rows_that_the_contract_set_aside_and_days_that_broke_it_are_not(self):
        workspace = self.workspace(JUDGE_DAYS=5, RETRAIN_DAYS=5)
        spec = workspace.folder / "dataset.toml"
        spec.write_text(SPEC + "[contract.columns]\nheat = { max = 50 }\n")
        self.day(workspace, DAY[0], hot=6, expect=0)
        left_out = self.judged(workspace, DAY[0])["unlabelled"]  # the rows of its test part, less those set aside
        self.day(workspace, DAY[1], hot=100, expect=3)
        for day, aside in zip(DAY[:2], (6, 0)):  # of a day that broke its contract no row is set aside
            told = self.take(workspace, self.labels(workspace, "labels.csv", day), "--observed-at", DAY[3])
            self.assertEqual([told[key] for key in ("matched", "set_aside", "added", "unknown")], [300 - aside, aside, 300 - aside, 0])
        shown = workspace.run("labels", "show", DAY[0], expect=0).stdout
        self.assertIn(f"{DAY[0]}: 294 of 294 rows have a label; 6 more are set aside by the contract", shown)
        self.assertEqual(self.take(workspace, self.labels(workspace, "labels.csv", DAY[0]), "--observed-at", DAY[3])["written"], False)
        self.run_day(workspace, DAY[4])
        metrics = self.judged(workspace, DAY[4])
        self.assertEqual((metrics["judged_on"], metrics["rows"]), ([DAY[0]], left_out))
        # The version prepares by the spec that it was trained with.
        spec.write_text(spec.read_text().replace(', { name = "maker", type = "text" }', ""))
        done = self.run_day(workspace, DAY[5])
        self.assertIn("maker", done.stderr)
        self.assertEqual(self.judged(workspace, DAY[5])["rows"], left_out)

    def test_a_label_of_neither_value_costs_its_day_nothing(self):
        workspace = self.workspace(JUDGE_DAYS=5, RETRAIN_DAYS=5)
        data = [(*row[:5], "unclear" if n < 60 else "") for n, row in enumerate(rows_of(DAY[0], 300))]
        write(workspace.folder / "rows.csv", ["machine", "plant", "seen", "heat", "maker", "broken"], data)
        workspace.run("run", "--in", "rows.csv", "--date", DAY[0], expect=3)  # and not one that is right
        workspace.run("redo", DAY[0], "--in", self.extract(workspace, DAY[0]), "--yes", expect=0)
        data = [(*row[:5], "unclear" if n < 60 else row[5] if n < 70 else "") for n, row in enumerate(rows_of(DAY[1], 300))]
        write(workspace.folder / "rows.csv", ["machine", "plant", "seen", "heat", "maker", "broken"], data)
        workspace.run("run", "--in", "rows.csv", expect=0)
        found, = workspace.find("data_validations", {"logical_date": DAY[1]})
        self.assertEqual([(one["rule"], one["count"]) for one in found["findings"]], [("target", 60)])
        self.take(workspace, self.labels(workspace, "labels.csv", DAY[1]), "--observed-at", DAY[3])
        self.run_day(workspace, DAY[4])
        self.assertEqual(self.judged(workspace, DAY[4])["judged_on"], [DAY[1]])


class Labels(Book, unittest.TestCase):
    def test_a_row_whose_label_was_neither_value_gets_one_later(self):
        workspace = self.workspace()
        data = [(*row[:5], "unclear" if n < 10 else row[5] if n < 20 else "") for n, row in enumerate(rows_of(DAY[0], 300))]
        write(workspace.folder / "rows.csv", ["machine", "plant", "seen", "heat", "maker", "broken"], data)
        workspace.run("run", "--in", "rows.csv", expect=0)
        told = self.take(workspace, self.labels(workspace, "labels.csv", DAY[0]), "--observed-at", DAY[4])
        self.assertEqual((told["matched"], told["added"], told["unknown"]), (300, 290, 0))

    def test_labels_are_joined_counted_and_judge_the_scores(self):
        workspace = self.workspace()
        self.run_day(workspace, DAY[0])
        self.run_day(workspace, DAY[1])
        truth = {row[0]: row[5] for row in rows_of(DAY[0], 300)}
        scores = self.scores(workspace, DAY[0])
        self.labels(workspace, "labels.csv", DAY[0], extra=[("M9999", DAY[0], True), ("M1", "2020-01-01", True)])
        before = workspace.find("labels")
        dry = self.take(workspace, "labels.csv", "--dry-run")
        self.assertEqual((dry["matched"], dry["written"]), (300, False))
        self.assertEqual((workspace.find("labels"), workspace.find("label_rows")), (before, []))
        told = self.take(workspace, "labels.csv", "--observed-at", DAY[4])
        self.assertEqual([told[key] for key in ("rows", "matched", "added", "changed", "unknown")], [302, 300, 300, 0, 2])
        stored, = workspace.find("labels")
        self.assertEqual([stored[key] for key in ("dataset_name", "rows", "matched", "unknown", "changed", "observed_from", "observed_to")],
                         ["machines", 302, 300, 2, 0, DAY[4], DAY[4]])
        judged, old = self.matured(workspace, DAY[0])
        self.assertEqual(old, [])
        prediction, = workspace.find("predictions", {"logical_date": DAY[0]})
        self.assertEqual(judged["model_id"], prediction["model_id"])
        self.assertEqual(judged["metrics"]["rows"], 300)
        self.assertAlmostEqual(judged["metrics"]["roc_auc"], auc([scores[m] for m in truth], list(truth.values())), places=12)
        # The same file again brings nothing.
        again = self.take(workspace, "labels.csv", "--observed-at", DAY[6])
        self.assertEqual((again["matched"], again["added"], again["changed"], again["written"]), (300, 0, 0, False))
        self.assertEqual(len(workspace.find("labels")), 1)
        # Ten are other ones.
        flip = range(5, 300, 30)
        self.labels(workspace, "corrected.csv", DAY[0], flip=flip)
        told = self.take(workspace, "corrected.csv", "--observed-at", DAY[8])
        self.assertEqual((told["matched"], told["added"], told["changed"]), (300, 0, 10))
        changed = {machine: label != (n in flip) for n, (machine, label) in enumerate(truth.items())}
        now, old = self.matured(workspace, DAY[0])
        self.assertAlmostEqual(now["metrics"]["roc_auc"], auc([scores[m] for m in changed], list(changed.values())), places=12)
        self.assertNotEqual(now["metrics"]["roc_auc"], judged["metrics"]["roc_auc"])
        self.assertEqual(([one["_id"] for one in old], now["supersedes"]), ([judged["_id"]], judged["_id"]))
        self.assertEqual({k: v for k, v in old[0].items() if k != "superseded_by"}, judged)
        # Both values stay, each with the day since when it was known.
        both = workspace.find("label_rows", {"id": "M5"})
        self.assertEqual([(one["label"], one["previous"], one["observed_at"]) for one in both],
                         [(int(truth["M5"]), None, DAY[4]), (int(not truth["M5"]), int(truth["M5"]), DAY[8])])
        self.assertEqual(len(workspace.find("label_rows")), 310)
        shown = json.loads(workspace.run("labels", "show", DAY[0], "--json", expect=0).stdout)
        self.assertEqual((shown["rows"], shown["labelled"], shown["overdue"], len(shown["imports"]), len(shown["matured"])), (300, 300, False, 2, 2))
        shown = json.loads(workspace.run("labels", "show", DAY[1], "--json", expect=0).stdout)
        self.assertEqual((shown["labelled"], shown["due"], shown["overdue"]), (0, DAY[6], True))

    def test_the_same_label_known_earlier_is_no_new_one(self):
        workspace = self.workspace()
        self.run_day(workspace, DAY[0])
        self.labels(workspace, "labels.csv", DAY[0])
        self.take(workspace, "labels.csv", "--observed-at", DAY[9])
        judged, _ = self.matured(workspace, DAY[0])
        told = self.take(workspace, "labels.csv", "--observed-at", DAY[5])
        self.assertEqual([told[key] for key in ("matched", "added", "changed", "earlier", "written")], [300, 0, 0, 300, True])
        self.assertEqual(self.matured(workspace, DAY[0]), (judged, []))  # it says nothing new of the scores
        known = lambda: sorted(row["observed_at"] for row in workspace.find("label_rows", {"id": "M5"}))
        self.assertEqual(known(), [DAY[5], DAY[9]])
        told = self.take(workspace, "labels.csv", "--observed-at", DAY[7])
        self.assertEqual([told[key] for key in ("added", "changed", "earlier", "written")], [0, 0, 0, False])
        # Another one, known in between: what is known by now is as it was.
        self.labels(workspace, "other.csv", DAY[0], flip=[5])
        told = self.take(workspace, "other.csv", "--observed-at", DAY[6])
        self.assertEqual([told[key] for key in ("added", "changed", "earlier", "written")], [0, 1, 0, True])
        self.assertEqual(len(workspace.find("labels")), 3)

    def test_a_file_without_a_label_of_a_stored_row_says_what_was_compared(self):
        workspace = self.workspace()
        for day in DAY[:2]:
            self.run_day(workspace, day)
        write(workspace.folder / "labels.csv", ["machine", "seen", "broken"], [(f"MX-{n:04}", DAY[0], True) for n in range(30)])
        for options in ((), ("--dry-run",)):
            said = self.take(workspace, "labels.csv", *options, expect=3)
            self.assertIn("labels.csv: none of its 30 labels is of a row that is stored. Compared were machine and the day", said)
            self.assertIn(f"that of {DAY[0]}; stored are the rows of 2 days, {DAY[0]} to {DAY[1]}, 2 scored", said)
            self.assertIn("An id of the file looks like AA-9999, a stored one like A9 ", said)
            self.assertNotIn("MX-", said)
        write(workspace.folder / "labels.csv", ["machine", "seen", "broken"], [("M1", DAY[7], True)])
        self.assertIn(f"that of {DAY[7]}; stored are", self.take(workspace, "labels.csv", expect=3))
        write(workspace.folder / "labels.csv", ["machine", "broken"], [("X1", True)])
        self.assertIn("the only day with such an id", self.take(workspace, "labels.csv", expect=3))
        write(workspace.folder / "labels.csv", ["machine", "broken"], [("M1", "")])
        self.assertIn("none of its 1 rows has an id and a label", self.take(workspace, "labels.csv", expect=3))
        self.assertEqual(workspace.find("labels"), [])

    def test_words_that_are_no_label_are_refused_with_those_that_are(self):
        workspace = self.workspace()
        self.run_day(workspace, DAY[0])
        write(workspace.folder / "labels.csv", ["machine", "seen", "broken"], [(f"M{n}", DAY[0], "no" if n % 2 else "yes") for n in range(300)])
        said = self.take(workspace, "labels.csv", expect=3)
        self.assertIn("labels.csv: 300 of 300 rows (100.0 %) cannot be read", said)
        self.assertIn("line 2: column 'broken': 'yes' is neither 'true', which is positive, nor 'false'", said)
        # The negative value is not named: two words are one too many, and one may be anything.
        spec = workspace.folder / "dataset.toml"
        spec.write_text(spec.read_text().replace("negative = false\n", ""))
        said = self.take(workspace, "labels.csv", expect=3)
        self.assertIn("labels.csv:3: column 'broken': 'no' is a third value of the target, beside 'true', which is positive, and 'yes'", said)
        write(workspace.folder / "labels.csv", ["machine", "seen", "broken"], [(f"M{n}", DAY[0], "yes") for n in range(300)])
        done = workspace.run("labels", "import", "--in", "labels.csv", "--dry-run", expect=0)
        self.assertIn("no label is 'true', which is positive, and all that are 'yes' count as negative", done.stderr)

    def test_rows_that_carry_their_labels_are_corrected_too(self):
        workspace = self.workspace()
        self.run_day(workspace, DAY[0], labelled=True)
        self.labels(workspace, "labels.csv", DAY[0], flip=range(10))
        told = self.take(workspace, "labels.csv")
        self.assertEqual((told["matched"], told["added"], told["changed"]), (300, 0, 10))

    def test_what_is_not_clear_is_refused_and_nothing_is_written(self):
        workspace = self.workspace()
        for day in DAY[:2]:
            self.run_day(workspace, day)
        today = datetime.date.today()
        cases = (
            (["machine", "broken"], [("M1", True)], (), 3, "say which by a column logical_date or seen, or by --date"),
            (["machine", "seen", "broken"], [("M1", DAY[0], True)], ("--date", DAY[1]), 2, f"row 1 is of {DAY[0]}"),
            (["machine", "seen", "broken"], [("M1", DAY[0], True), ("M1", DAY[0], False)], (), 3, "row 1 has another label"),
            (["machine", "seen", "broken"], [("M1", DAY[1], True)], ("--observed-at", DAY[0]), 3, f"before its day, {DAY[1]}"),
            (["machine", "seen", "broken"], [("M1", DAY[1], True)], ("--observed-at", today + datetime.timedelta(2)), 2, "after today"),
            (["machine", "seen"], [("M1", DAY[1])], (), 3, "lacks the column 'broken'"),
            (["seen", "broken"], [(DAY[1], True)], (), 3, "lacks the column 'machine'"),
        )
        for header, rows, options, code, said in cases:
            with self.subTest(said):
                write(workspace.folder / "labels.csv", header, rows)
                self.assertIn(said, self.take(workspace, "labels.csv", *options, expect=code))
        self.assertEqual((workspace.find("labels"), workspace.find("label_rows")), ([], []))
        for header, row in ((["machine", "logical_date", "broken"], ("M1", DAY[0], True)),
                            (["machine", "broken", "seen", "observed_at"], ("M2", True, DAY[0], DAY[3]))):
            write(workspace.folder / "labels.csv", header, [row])
            self.assertEqual(self.take(workspace, "labels.csv")["added"], 1)
        self.assertEqual({row["observed_at"] for row in workspace.find("label_rows")}, {str(today), DAY[3]})
        # An id that one day has alone needs no date; semicolons and another day's words are read as every file is.
        self.run_day(workspace, DAY[2], rows=320)
        (workspace.folder / "labels.csv").write_text("machine;broken\nM310;TRUE\nM311;False\nM312;\n")
        told = self.take(workspace, "labels.csv")
        self.assertEqual((told["matched"], told["left_out"], told["days"][0]["logical_date"]), (2, 1, DAY[2]))


class DaysWithLateLabels(Book, unittest.TestCase):
    """What the days make of labels that came late."""

    def verdict(self, workspace, day):
        present, = [one for one in workspace.find("evaluation_events", {"logical_date": day}) if "superseded_by" not in one]
        return present

    def metrics_of(self, workspace, day):
        present, = [one for one in workspace.find("performance_metrics", {"logical_date": day, "dataset_name": "test"}) if "superseded_by" not in one]
        return present["metrics"]

    def test_a_day_is_judged_on_the_labels_that_were_known_then(self):
        workspace = self.workspace(JUDGE_DAYS=2)
        for day in DAY[:4]:
            done = self.run_day(workspace, day)
            self.assertIn(f"not judged: no labels are known yet: those of {DAY[0]} are due on {DAY[5]}", done.stdout)
        self.assertEqual(workspace.find("alerts"), [])  # nothing is wrong: they are not due
        # Of the first day some, of the next two all; the fourth day's are those of a few early ones.
        for n, known in ((0, DAY[5]), (1, DAY[5]), (2, DAY[7])):
            self.take(workspace, self.labels(workspace, f"{n}.csv", DAY[n]), "--observed-at", known)
        self.take(workspace, self.labels(workspace, "early.csv", DAY[3], rows=20), "--observed-at", DAY[4])
        self.run_day(workspace, DAY[6])
        metrics = self.metrics_of(workspace, DAY[6])
        self.assertEqual(metrics["judged_on"], DAY[:2])
        self.assertEqual(self.verdict(workspace, DAY[6])["event_type"], "evaluation_complete")
        done = self.run_day(workspace, DAY[8])
        self.assertEqual(self.metrics_of(workspace, DAY[8])["judged_on"], DAY[1:3])
        self.assertIn(f"of 2 days, {DAY[1]} to {DAY[2]}", done.stdout)
        # Shards judge the same.
        with workspace.copy() as other:
            other.run("redo", DAY[8], "--from", "evaluate_model", "--yes", expect=0, SHARDS=3)
            self.assertEqual(self.metrics_of(other, DAY[8]), self.metrics_of(workspace, DAY[8]))
        # A date that is done again sees what it saw.
        workspace.run("redo", DAY[6], "--from", "evaluate_model", "--yes", expect=0)
        self.assertEqual(self.metrics_of(workspace, DAY[6]), metrics)
        workspace.run("redo", DAY[3], "--from", "evaluate_model", "--yes", expect=0)
        self.assertEqual(self.verdict(workspace, DAY[3])["status"], "not_judged")
        # Its own labels come first, and alone, however few are positive.
        self.run_day(workspace, DAY[9], labelled=True)
        metrics = self.metrics_of(workspace, DAY[9])
        self.assertNotIn("judged_on", metrics)
        positives = sum(metrics["confusion_matrix"][1])
        done = workspace.run("redo", DAY[9], "--from", "evaluate_model", "--yes", expect=0, MIN_POSITIVES=positives + 1)
        self.assertIn(f"not judged: {positives} of the {metrics['rows']} labelled rows are positive: MIN_POSITIVES asks for {positives + 1}", done.stdout)
        self.assertNotIn("judged_on", self.metrics_of(workspace, DAY[9]))

    def test_labels_that_are_overdue_are_an_alert(self):
        workspace = self.workspace()
        self.run_day(workspace, DAY[0])
        done = self.run_day(workspace, DAY[5])  # the last day on which they may come
        self.assertEqual(workspace.find("alerts"), [])
        done = self.run_day(workspace, DAY[6], expect=4)
        self.assertIn(f"those of {DAY[0]} were due on {DAY[5]} and are overdue", done.stdout)
        alert, = workspace.find("alerts")
        self.assertEqual((alert["alert_type"], alert["labels_due"], alert["logical_date"]), ("MODEL_NOT_JUDGED", DAY[5], DAY[6]))
        self.assertEqual(len(self.scores(workspace, DAY[6])), 300)

    def test_a_feed_that_stopped_is_overdue_while_older_days_have_labels(self):
        workspace = self.workspace()
        for day in DAY[:2]:
            self.run_day(workspace, day)
        self.take(workspace, self.labels(workspace, "labels.csv", DAY[0]), "--observed-at", DAY[3])
        self.take(workspace, self.labels(workspace, "few.csv", DAY[1], rows=20), "--observed-at", DAY[3])
        overdue = lambda: [one for one in workspace.find("alerts") if one["alert_type"] == "LABELS_OVERDUE"]
        self.run_day(workspace, DAY[6])  # the last day on which those of the second day may come
        self.assertEqual(overdue(), [])
        done = self.run_day(workspace, DAY[7])
        self.assertIn(f"the labels of {DAY[1]} are overdue", done.stdout)
        alert, = overdue()
        self.assertEqual((alert["days"], alert["labels_due"], alert["logical_date"], alert["severity"]), ([DAY[1]], DAY[6], DAY[7], "WARNING"))
        self.assertNotIn("superseded_by", alert)
        self.assertEqual(self.metrics_of(workspace, DAY[7])["judged_on"], [DAY[0]])
        self.run_day(workspace, DAY[8])  # said once
        self.assertEqual(len(overdue()), 1)
        self.run_day(workspace, DAY[12])
        self.assertEqual([one["days"] for one in overdue()], [[DAY[1]], [DAY[6]]])
        self.take(workspace, self.labels(workspace, "labels.csv", DAY[1]), "--observed-at", DAY[12])
        self.take(workspace, self.labels(workspace, "labels.csv", DAY[6]), "--observed-at", DAY[12])
        self.take(workspace, self.labels(workspace, "labels.csv", DAY[7]), "--observed-at", DAY[12])
        self.assertNotIn("overdue", self.run_day(workspace, DAY[13]).stdout)

    def test_attempts_learn_from_the_newest_labelled_days(self):
        workspace = self.workspace(F1_THRESHOLD=1, MAX_RETRAIN_ATTEMPTS=1, RETRAIN_DAYS=2)
        for n in range(3):
            self.run_day(workspace, DAY[n], expect=4 if n else 0, rows=900)
            self.take(workspace, self.labels(workspace, "labels.csv", DAY[n], rows=900), "--observed-at", DAY[n])
        self.run_day(workspace, DAY[4], expect=4)
        prepared, = workspace.find("training_data", {"logical_date": DAY[4]})
        self.assertEqual(prepared["days"], DAY[1:3])
        total = sum(prepared[f"num_{part}_samples"] for part in ("train", "finetune", "test"))
        self.assertEqual(total, 1800)
        self.assertGreater(prepared["num_validation_samples"], 0)
        self.assertEqual(self.metrics_of(workspace, DAY[4])["judged_on"], [DAY[2]])
        after, = workspace.find("performance_metrics", {"logical_date": DAY[4], "dataset_name": "post_finetune_test"})
        self.assertEqual(after["metrics"]["judged_on"], [DAY[2]])
        drawn = workspace.copy()
        self.addCleanup(drawn.__exit__, None, None, None)
        done = drawn.run("redo", DAY[4], "--from", "retrain_1", "--yes", expect=4, ROW_CAP=100, RETRAIN_DAYS=3)
        self.assertRegex(done.stderr, r"about 100 of \d+ labelled rows of the fine split are drawn \(ROW_CAP\)")

    def test_a_killed_day_with_labels_doubles_and_loses_nothing(self):
        whole = self.workspace(LABELS="labels_{date}.csv")
        self.run_day(whole, DAY[0])
        write(whole.folder / f"labels_{DAY[1]}.csv", ["machine", "seen", "broken"],
              [(row[0], row[2], row[5]) for day in DAY[:2] for row in rows_of(day, 300)])
        killed = whole.copy()
        self.addCleanup(killed.__exit__, None, None, None)
        self.run_day(whole, DAY[1])
        name = self.extract(killed, DAY[1])
        for pattern in ("preprocess_data", "evaluate_model", "score_data"):
            process = killed.start("run", "--in", name)
            read_until(process, pattern)
            kill(process)
            self.assertEqual(process.returncode, -9)
        killed.run("run", "--in", name, expect=0)
        for workspace in (whole, killed):
            imported, = workspace.find("labels")
            self.assertEqual((imported["logical_date"], imported["observed_to"], imported["added"]), (DAY[1], DAY[1], 600))
            self.assertEqual(len(workspace.find("label_rows")), 600)
            self.assertEqual(self.metrics_of(workspace, DAY[1])["judged_on"], [DAY[1]])
            for day in DAY[:2]:  # the first one's scores when its labels came, the other's when it was scored
                self.assertEqual(self.matured(workspace, day)[1], [])
        for day in DAY[:2]:
            self.assertEqual(self.matured(whole, day)[0]["metrics"], self.matured(killed, day)[0]["metrics"])
        # Nothing is new the next time.
        whole.run("redo", DAY[1], "--yes", expect=0)
        self.assertEqual((len(whole.find("labels")), len(whole.find("label_rows"))), (1, 600))

    def not_taken_in(self, workspace):
        return [one for one in workspace.find("alerts") if one["alert_type"] == "LABELS_NOT_TAKEN_IN"]

    def test_a_day_is_scored_whatever_its_file_of_labels_is(self):
        workspace = self.workspace(LABELS="labels_{date}.csv")
        path = workspace.folder / f"labels_{DAY[0]}.csv"

        def folder():
            path.mkdir()
            (path / "labels.txt").touch()

        def bad_values():
            (path / "labels.txt").unlink()
            path.rmdir()
            path.write_text("machine,seen,broken\n" + "".join(f"M{n},{DAY[0]},maybe\n" for n in range(300)))

        def bad_date():
            path.write_text(f"machine,seen,broken\nM1,{DAY[0]},True\nM2,soon,True\n")

        name = self.extract(workspace, DAY[0])
        for what, said in ((folder, "labels.txt is neither *.parquet nor *.arrow"), (bad_values, "line 2: column 'broken': 'maybe'"), (bad_date, "row 2: 'soon' of column seen")):
            with self.subTest(said):
                what()
                again = ("run", "--in", name) if what == folder else ("redo", DAY[0], "--yes")
                done = workspace.run(*again, expect=0)
                self.assertIn(said, done.stderr)
                self.assertIn(f"labels_{DAY[0]}.csv", done.stderr)
                self.assertIn("is not taken in", done.stdout)
                self.assertEqual(len(self.scores(workspace, DAY[0])), 300)
                alert, = [one for one in self.not_taken_in(workspace) if "superseded_by" not in one]
                self.assertEqual((alert["labels_of"], alert["severity"]), (DAY[0], "WARNING"))
                self.assertIn(said, alert["message"])
        # As it is, it is said once.
        workspace.run("redo", DAY[0], "--yes", expect=0)
        self.assertEqual(len(self.not_taken_in(workspace)), 3)
        # The rerun takes the right one in, and the alerts count no more.
        self.labels(workspace, path.name, DAY[0])
        workspace.run("redo", DAY[0], "--yes", expect=0)
        imported, = workspace.find("labels")
        self.assertEqual((imported["added"], imported["observed_to"]), (300, DAY[0]))
        self.assertEqual([one for one in self.not_taken_in(workspace) if "superseded_by" not in one], [])
        self.assertEqual(self.matured(workspace, DAY[0])[0]["metrics"]["rows"], 300)

    def test_labels_of_days_without_rows_are_taken_in_by_the_next_day(self):
        workspace = self.workspace(LABELS="labels_{date}.csv", DAY_DATA="rows_{date}.csv")
        spec = workspace.folder / "dataset.toml"
        spec.write_text(SPEC + f"[contract.columns]\nheat = {{ max = 50 }}\n[calendar]\nholidays = [{DAY[1]}]\n")
        self.extract(workspace, DAY[0])
        workspace.run("run", "--date", DAY[0], expect=0)
        # On the second day nothing is due, the third breaks its contract, the fourth's labels are wrong.
        for n in range(3):
            self.labels(workspace, f"labels_{DAY[n + 1]}.csv", DAY[0], rows=100 * (n + 1))
        whole = (workspace.folder / f"labels_{DAY[3]}.csv").read_text()
        (workspace.folder / f"labels_{DAY[3]}.csv").write_text(whole + "M0,soon,True\n")
        workspace.run("run", "--date", DAY[1], expect=0)
        write(workspace.folder / f"rows_{DAY[2]}.csv", ["machine", "plant", "seen", "heat", "maker", "broken"],
              [(*row[:3], 99, row[4], "") for row in rows_of(DAY[2], 300)])
        workspace.run("run", "--date", DAY[2], expect=3)
        self.assertEqual(workspace.find("labels"), [])
        for n in (3, 4):
            self.extract(workspace, DAY[n])
        done = workspace.run("run", "--date", DAY[3], expect=0)
        self.assertIn(f"labels_{DAY[1]}.csv: 100 labels: 100 matched (100 new, 0 changed), 0 unknown", done.stdout)
        self.assertIn(f"labels_{DAY[2]}.csv: 200 labels: 200 matched (100 new, 0 changed), 0 unknown", done.stdout)
        self.assertIn(f"labels_{DAY[3]}.csv is not taken in", done.stdout)
        # Known since the day that took them in: a date that is done again sees what it saw.
        self.assertEqual({(one["logical_date"], one["observed_to"]) for one in workspace.find("labels")}, {(DAY[3], DAY[3])})
        self.assertEqual(self.matured(workspace, DAY[0])[0]["metrics"]["rows"], 200)
        (workspace.folder / f"labels_{DAY[3]}.csv").write_text(whole)
        done = workspace.run("run", "--date", DAY[4], expect=0)
        self.assertIn(f"labels_{DAY[3]}.csv: 300 labels: 300 matched (100 new, 0 changed), 0 unknown", done.stdout)
        self.assertNotIn(f"labels_{DAY[1]}.csv", done.stdout + done.stderr)  # once is enough
        self.assertEqual([one for one in self.not_taken_in(workspace) if "superseded_by" not in one], [])
        workspace.run("redo", DAY[3], "--yes", expect=0)
        self.assertEqual(len(workspace.find("labels")), 3)

    def test_a_file_of_labels_that_grows_is_left_for_the_next_day(self):
        workspace = self.workspace(LABELS="labels_{date}.csv")
        self.run_day(workspace, DAY[0])
        self.labels(workspace, "whole.csv", DAY[0])
        whole = (workspace.folder / "whole.csv").read_bytes()
        growing = threading.Event()

        def grow():
            with open(workspace.folder / f"labels_{DAY[1]}.csv", "wb", buffering=0) as out:
                out.write(whole[:200])
                while not growing.wait(0.2):
                    out.write(b"x")

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            done = self.run_day(workspace, DAY[1])
        finally:
            growing.set()
            writer.join()
        self.assertIn(f"labels_{DAY[1]}.csv is still being written to", done.stderr)
        self.assertEqual((workspace.find("labels"), len(self.scores(workspace, DAY[1]))), ([], 300))
        self.assertEqual(len(self.not_taken_in(workspace)), 1)

    def test_rows_are_kept_as_long_as_they_are_judged(self):
        workspace = self.workspace()
        self.run_day(workspace, DAY[0])
        self.take(workspace, self.labels(workspace, "labels.csv", DAY[0]), "--observed-at", DAY[0])
        days = (datetime.date.today() - FIRST).days
        kept = json.loads(workspace.run("prune", "--json", "--dry-run", expect=0, RETENTION_DAYS_RAW=1, JUDGE_DAYS=days).stdout)
        self.assertEqual((kept["raw_data"], kept["labels"]), ([], []))
        gone = json.loads(workspace.run("prune", "--json", expect=0, RETENTION_DAYS_RAW=1).stdout)
        self.assertEqual((gone["raw_data"], gone["labels"]), ([DAY[0]], [DAY[0]]))
        self.assertEqual(workspace.find("label_rows"), [])
        self.assertEqual(len(workspace.find("labels")), 1)
        self.assertIn("300 are of days past their retention (RETENTION_DAYS_RAW)", self.take(workspace, "labels.csv", expect=3))


if __name__ == "__main__":
    unittest.main()
