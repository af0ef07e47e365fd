"""A team's own rows: from a table to a model that was judged on rows it never saw (`maeil train --in`)."""
import csv
import datetime
import gzip
import hashlib
import random
import shutil
import unittest

from harness import Workspace
from machines import ROLES, SMALL, SPEC


def write_rows(path, rows=6000, label=lambda heat: str(heat > 1).title(), day=None):
    draw = random.Random(5)
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["machine", "plant", "seen", "heat", "maker", "broken"])
        for row in range(rows):
            heat = draw.gauss(0, 1)
            seen = datetime.date(2024, 1, 1) + datetime.timedelta(days=draw.randrange(200))
            table.writerow([f"M{row}", f"P{row // 4}", day or seen, round(heat, 3), draw.choice("AB"),
                            label(heat + draw.gauss(0, 0.3))])


class OwnRows(unittest.TestCase):
    def workspace(self, spec=SPEC + ROLES, **settings):
        workspace = Workspace(**{**SMALL, **settings})
        self.addCleanup(workspace.__exit__, None, None, None)
        (workspace.folder / "dataset.toml").write_text(spec)
        write_rows(workspace.folder / "history.csv")
        return workspace

    def test_a_model_is_trained_and_judged_on_rows_that_it_never_saw(self):
        workspace = self.workspace()
        done = workspace.run("train", "--in", "history.csv", "--family", "tab_transformer", "--epochs", 4, expect=0, F1_THRESHOLD=0.5)
        self.assertIn("for the out-of-time test (2024-06-19 to 2024-07-18)", done.stderr)
        self.assertNotIn("default", done.stdout)
        verdicts = {v["dataset_name"]: v for v in workspace.find("performance_metrics")}
        self.assertEqual(set(verdicts), {"test", "out_of_time_test"})
        version, = workspace.find("model_metadata", {"model_name": "default_prediction_classifier"})
        for verdict in verdicts.values():
            self.assertEqual(verdict["model_id"], version["_id"]["$oid"])
            self.assertEqual(verdict["gate"], "passed", verdict)
            low, high = verdict["metrics"]["f1_interval"]
            self.assertLess(low, verdict["metrics"]["f1_score"])
            self.assertLess(verdict["metrics"]["f1_score"], high)
        # The same file is learnt from in the same way.
        again = self.workspace()
        again.run("train", "--in", "history.csv", "--family", "tab_transformer", "--epochs", 4, expect=0, F1_THRESHOLD=0.5)
        other = {v["dataset_name"]: v["metrics"] for v in again.find("performance_metrics")}
        self.assertEqual(other, {name: v["metrics"] for name, v in verdicts.items()})
        # The model scores rows without labels.
        write_rows(workspace.folder / "today.csv", rows=50, label=lambda heat: "")
        workspace.run("predict", "--model", version["model_version"], "--in", "today.csv", "--out",
                      "scores.csv", expect=0)
        self.assertEqual(len((workspace.folder / "scores.csv").read_text().splitlines()), 51)

    def test_the_same_history_in_every_dialect_gives_the_same_model(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "history.csv", rows=800)
        plain = (workspace.folder / "history.csv").read_text().replace(",A,", ",갑,").replace(",B,", ",을,")
        (workspace.folder / "history.csv").write_text(plain)
        written = {
            "plain": plain.encode(),
            "semicolons": plain.replace(",", ";").encode(),
            "tabs": plain.replace(",", "\t").encode(),
            "CP949": plain.encode("cp949"),
            "UTF-16": plain.encode("utf-16"),
            "gzip": gzip.compress(plain.encode()),
        }
        def scores(name, content):
            (workspace.folder / name).write_bytes(content)
            workspace.run("train", "--in", name, "--epochs", 1, expect=0)
            version, = workspace.find("model_metadata", {"model_name": "default_prediction_classifier"}, "timestamp:-1")[:1]
            workspace.run("predict", "--model", version["model_version"], "--in", "history.csv", "--out", "scores.csv", expect=0)
            return (workspace.folder / "scores.csv").read_text().replace(version["model_version"], "VERSION")

        learnt = {name: scores(name, content) for name, content in written.items()}
        self.assertEqual(len(learnt["plain"].splitlines()), 801)
        for name, given in learnt.items():
            self.assertEqual(given, learnt["plain"], name)
        self.assertNotEqual(scores("plain", plain.replace(",갑,", ",을,", 100).encode()), learnt["plain"])

    def test_what_cannot_be_learnt_from_is_refused_and_leaves_no_version(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "one.csv", label=lambda heat: "False")
        done = workspace.run("train", "--in", "one.csv", "--epochs", 1, "--train", expect=3)
        self.assertIn("all of one class", done.stderr)
        write_rows(workspace.folder / "none.csv", label=lambda heat: "")
        done = workspace.run("train", "--in", "none.csv", "--epochs", 1, expect=3)
        self.assertIn("'broken'", done.stderr)
        done = workspace.run("train", "--in", "absent.csv", expect=3)
        self.assertIn("absent.csv", done.stderr)
        self.assertEqual(workspace.find("model_metadata"), [])

    def test_the_cap_is_said(self):
        workspace = self.workspace(SPEC)
        done = workspace.run("train", "--in", "history.csv", "--epochs", 1, "--rows", 200, expect=0)
        self.assertRegex(done.stderr, r"learns from about 200 of \d+ rows \(ROW_CAP\)")

    def with_model(self, **settings):
        workspace = self.workspace(MIN_POSITIVES=1, F1_THRESHOLD=0.3, **settings)
        workspace.run("train", "--in", "history.csv", "--epochs", 4, expect=0)
        return workspace

    def day(self, workspace, name, rows=400, seen="2024-07-20", label=lambda heat: str(heat > 1).title()):
        write_rows(workspace.folder / name, rows, label, seen)
        return workspace.folder / name

    def scores(self, workspace, date="2024-07-20"):
        return (workspace.folder / f"data/machines/scores/scores_{date}.csv").read_text()

    def test_a_day_is_taken_in_judged_and_scored(self):
        workspace = self.with_model()
        taken = self.day(workspace, "rows.csv").read_bytes()
        done = workspace.run("run", "--in", "rows.csv", expect=0)  # the date is what the rows say
        self.assertIn("2024-07-20 is done", done.stdout)
        raw, = workspace.find("raw_data")
        self.assertEqual(raw["source_sha256"], hashlib.sha256(taken).hexdigest())
        self.assertEqual(raw["sha256"], raw["source_sha256"])  # plain CSV: the bytes as they came
        self.assertEqual((raw["rows"], raw["source"], raw["logical_date"]), (400, "rows.csv", "2024-07-20"))
        lines = self.scores(workspace).splitlines()
        self.assertEqual(lines[0], "machine,probability,decision,model_version")
        self.assertEqual([line.split(",")[0] for line in lines[1:]], [f"M{row}" for row in range(400)])
        # The same again is the same; other bytes are said and change nothing until they are asked for.
        again = workspace.run("run", "--in", "rows.csv", expect=0)
        self.assertIn("nothing was done again", again.stdout)
        self.assertNotIn("another file", again.stderr)
        self.day(workspace, "rows.csv", rows=300)
        other = workspace.run("run", "--in", "rows.csv", expect=0)
        self.assertIn("rows.csv is another file than was taken in for 2024-07-20: 0 rows added, 100 removed, "
                      "0 altered, 300 the same (by machine)", other.stderr)
        self.assertEqual(len(self.scores(workspace).splitlines()), 401)
        workspace.run("redo", "2024-07-20", "--yes", expect=0)
        self.assertEqual(len(self.scores(workspace).splitlines()), 301)
        self.assertEqual(sorted(raw["rows"] for raw in workspace.find("raw_data")), [300, 400])

    def test_every_dialect_and_any_number_of_shards_gives_the_same_scores(self):
        workspace = self.with_model()
        plain = self.day(workspace, "rows.csv").read_text()
        workspace.run("run", "--in", "rows.csv", expect=0)
        scores, raw = self.scores(workspace), workspace.find("raw_data")[0]["sha256"]
        written = {
            "semicolons.csv": plain.replace(",", ";").encode(),
            "tabs.tsv": plain.replace(",", "\t").encode(),
            "utf16.csv": plain.encode("utf-16"),
            "packed.csv.gz": gzip.compress(plain.encode()),
        }
        for name, content in written.items():
            with self.subTest(name), workspace.copy() as other:
                (other.folder / name).write_bytes(content)
                other.run("redo", "2024-07-20", "--in", name, "--yes", expect=0)
                taken = {raw["source"]: raw for raw in other.find("raw_data")}[name]
                self.assertEqual(taken["source_sha256"], hashlib.sha256(content).hexdigest())
                self.assertEqual(taken["sha256"], hashlib.sha256(plain.replace("\r\n", "\n").encode()).hexdigest())
                self.assertEqual(self.scores(other), scores)
        with workspace.copy() as other:
            other.run("redo", "2024-07-20", "--yes", expect=0, SHARDS=3)
            self.assertEqual(self.scores(other), scores)
            self.assertEqual({raw["sha256"] for raw in other.find("raw_data")}, {raw})

    def test_rows_without_labels_are_scored_and_not_judged(self):
        workspace = self.with_model()
        self.day(workspace, "rows.csv", label=lambda heat: "")
        done = workspace.run("run", "--in", "rows.csv", expect=0)
        self.assertRegex(done.stdout, r"not judged: none of the \d+ rows has a label")
        self.assertEqual(len(self.scores(workspace).splitlines()), 401)
        # A file that has no column for the label at all.
        text = (workspace.folder / "rows.csv").read_text().replace("2024-07-20", "2024-07-21")
        (workspace.folder / "next.csv").write_text(
            "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n")
        workspace.run("run", "--in", "next.csv", expect=0)
        self.assertEqual(len(self.scores(workspace, "2024-07-21").splitlines()), 401)

    def test_the_days_of_a_schedule_find_their_files(self):
        workspace = self.with_model(DAY_DATA="extracts/rows_{date}.csv")
        (workspace.folder / "extracts").mkdir()
        self.day(workspace, "extracts/rows_2024-07-20.csv")
        workspace.run("backfill", "--from", "2024-07-20", "--to", "2024-07-20", expect=0)
        raw, = workspace.find("raw_data")
        self.assertEqual(raw["source_path"], "extracts/rows_2024-07-20.csv")
        late = workspace.run("run", "--date", "2024-07-21", expect=1, SENSOR_TIMEOUT=1)
        self.assertIn("extracts/rows_2024-07-21.csv is not there yet", late.stderr)
        self.day(workspace, "extracts/rows_2024-07-21.csv", seen="2024-07-21")
        workspace.run("run", "--date", "2024-07-21", expect=0)

    def test_what_does_not_fit_is_refused_before_anything_is_done(self):
        workspace = self.workspace()
        self.day(workspace, "rows.csv")
        self.assertIn("maeil train --in", workspace.run("run", "--in", "rows.csv", expect=3).stderr)
        self.assertIn("which the built-in portfolio's rows have not", workspace.run("run", expect=2).stderr)
        workspace.run("train", "--in", "history.csv", "--epochs", 1, expect=0)
        for arguments, code, said in (
            (("--in", "rows.csv", "--date", "2024-07-19"), 2, "the run is of 2024-07-19, its rows say 2024-07-20"),
            (("--in", "rows.csv", "--rows", 5), 2, "--rows is for rows that are drawn"),
            (("--in", "rows.csv", "--scenario", "recession"), 2, "scenarios shape drawn ones"),
            (("--in", "absent.csv"), 3, "absent.csv"),
            (("--in", "history.csv"), 3, "the rows are of more than one day"),
        ):
            with self.subTest(arguments):
                self.assertIn(said, workspace.run("run", *arguments, expect=code).stderr)
        shutil.copy(workspace.folder / "rows.csv", workspace.folder / "rows_20240722.csv")
        self.assertIn("its name says 2024-07-22",
                      workspace.run("run", "--in", "rows_20240722.csv", expect=2).stderr)
        (workspace.folder / "no_rows_2024-07-20.csv").write_text("machine,plant,seen,heat,maker,broken\n")
        self.assertIn("there are no rows", workspace.run("run", "--in", "no_rows_2024-07-20.csv", expect=3).stderr)
        self.assertEqual(workspace.find("raw_data"), [])
        # A date of which nothing was taken in yet may have another file.
        self.assertIn(workspace.run("run", "--in", "rows.csv").returncode, (0, 4))
        self.assertEqual([raw["source"] for raw in workspace.find("raw_data")], ["rows.csv"])


if __name__ == "__main__":
    unittest.main()
