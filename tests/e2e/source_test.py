"""How a day's file comes in: waited for, on the days on which one is due, and taken in as it is."""
import csv
import gzip
import hashlib
import json
import os
import threading
import time
import unittest

from harness import Workspace
from machines import MACHINES_DATA as DATA, MACHINES_DEPLOYMENT as DEPLOYMENT, MACHINES_EVALUATION as EVALUATION, MACHINES_SCORING as SCORING
from own_rows_test import ROLES, SMALL, SPEC, write_rows

DATE = "2026-11-27"  # a Friday
CALENDAR = '[calendar]\nweekdays = ["mon", "tue", "wed", "thu", "fri"]\nholidays = [2026-11-26]\n'


class Source(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trained = Workspace(**SMALL, MIN_POSITIVES=1, F1_THRESHOLD=0.3, DAY_DATA="in/rows_{date}.csv",
                                SENSOR_TIMEOUT=1, SENSOR_POKE_INTERVAL=1)
        (cls.trained.folder / "dataset.toml").write_text(SPEC + ROLES)
        (cls.trained.folder / "in").mkdir()
        write_rows(cls.trained.folder / "history.csv")
        cls.trained.run("train", "--in", "history.csv", "--epochs", 4, expect=0)

    @classmethod
    def tearDownClass(cls):
        cls.trained.__exit__()

    def workspace(self, spec=SPEC + ROLES):
        workspace = self.trained.copy()
        self.addCleanup(workspace.__exit__, None, None, None)
        (workspace.folder / "dataset.toml").write_text(spec)
        return workspace

    def task(self, workspace, dag, task, expect, **settings):
        return workspace.run("task", dag, task, "--logical-date", DATE, "--run-id", "r", "--json", expect=expect, **settings)

    def test_the_sensor_asks_until_the_file_is_there(self):
        workspace = self.workspace()
        late = json.loads(self.task(workspace, DATA, "wait_for_source", 75).stdout)
        self.assertEqual(late["state"], "waiting")
        self.assertIn(f"in/rows_{DATE}.csv is not there yet", late["message"])
        # The built-in runner waits SENSOR_TIMEOUT and no longer, and says for what.
        began = time.monotonic()
        done = workspace.run("run", "--date", DATE, expect=1, LOG_LEVEL="info")
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("in vain", done.stderr)
        self.assertEqual(done.stderr.count("wait_for_source  started"), 1)
        (workspace.folder / f"in/rows_{DATE}.csv").write_text("")
        self.assertIn("is empty yet", self.task(workspace, DATA, "wait_for_source", 75).stdout)
        write_rows(workspace.folder / f"in/rows_{DATE}.csv", 400, day=DATE)
        there = json.loads(self.task(workspace, DATA, "wait_for_source", 0).stdout)
        self.assertEqual(there["message"], f"in/rows_{DATE}.csv is there, "
                         f"{(workspace.folder / f'in/rows_{DATE}.csv').stat().st_size} bytes")
        workspace.run("run", "--date", DATE, expect=0)

    def test_a_file_that_grows_is_waited_for_and_taken_in_whole(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "whole.csv", 400, day=DATE)
        whole = (workspace.folder / "whole.csv").read_bytes()
        path = workspace.folder / f"in/rows_{DATE}.csv"

        def grow():
            with open(path, "wb", buffering=0) as out:
                for at in range(0, len(whole), len(whole) // 14):
                    out.write(whole[at:at + len(whole) // 14])
                    time.sleep(0.3)

        writer = threading.Thread(target=grow)
        writer.start()
        while not path.exists():
            time.sleep(0.01)
        workspace.run("run", "--date", DATE, expect=0, SENSOR_TIMEOUT=60)
        writer.join()
        raw, = workspace.find("raw_data")
        self.assertEqual((raw["rows"], raw["source"]), (400, f"rows_{DATE}.csv"))

    def test_a_pattern_means_exactly_one_file(self):
        workspace = self.workspace()
        settings = dict(DAY_DATA="in/*_{date}_*.csv", SENSOR_TIMEOUT=1)
        write_rows(workspace.folder / f"in/rows_{DATE}_0815.csv", 400, day=DATE)
        write_rows(workspace.folder / f"in/rows_{DATE}_0930.csv", 300, day=DATE)
        self.assertIn("fits 2 files", workspace.run("run", "--date", DATE, expect=3, **settings).stderr)
        os.remove(workspace.folder / f"in/rows_{DATE}_0930.csv")
        workspace.run("run", "--date", DATE, expect=0, **settings)
        self.assertEqual(workspace.find("raw_data")[0]["source"], f"rows_{DATE}_0815.csv")

    def test_on_a_day_without_a_file_nothing_is_done(self):
        workspace = self.workspace(SPEC + ROLES + CALENDAR)
        done = workspace.run("run", "--date", "2026-11-28", expect=0)
        self.assertIn("no file is due on 2026-11-28, a Saturday ([calendar] of ./dataset.toml)", done.stdout)
        states = {r["task_id"]: r["state"] for r in workspace.find("task_instances", {"logical_date": "2026-11-28"})}
        self.assertEqual(set(states.values()), {"skipped"}, states)
        self.assertIn("score_data", states)
        again = workspace.run("run", "--date", "2026-11-28", "--json", expect=0)
        self.assertEqual(json.loads(again.stdout)["verdict"], "nothing_due")
        self.assertEqual(workspace.find("raw_data"), [])
        # A backfill passes over such days, and leaves no record of them.
        for day in ("2026-11-25", "2026-11-27"):
            write_rows(workspace.folder / f"in/rows_{day}.csv", 400, day=day)
        plan = json.loads(workspace.run("backfill", "--from", "2026-11-25", "--to", "2026-11-29", "--dry-run", "--json", expect=0).stdout)
        self.assertEqual([day["action"] for day in plan], ["run", "skip", "run", "keep", "skip"])
        workspace.run("backfill", "--from", "2026-11-25", "--to", "2026-11-29", expect=0)
        self.assertEqual(sorted(raw["logical_date"] for raw in workspace.find("raw_data")), ["2026-11-25", "2026-11-27"])
        self.assertEqual(workspace.find("task_instances", {"logical_date": "2026-11-29"}), [])
        # What is given by hand is taken in on any day.
        write_rows(workspace.folder / "late.csv", 400, day="2026-11-29")
        workspace.run("run", "--in", "late.csv", expect=0)
        write_rows(workspace.folder / "late.csv", 400, day="2026-11-28")
        self.assertIn("maeil redo 2026-11-28 --in late.csv", workspace.run("run", "--in", "late.csv", expect=2).stderr)
        workspace.run("redo", "2026-11-28", "--in", "late.csv", "--yes", expect=0)
        self.assertEqual(len(workspace.find("raw_data", {"logical_date": "2026-11-28"})), 1)
        self.assertTrue((workspace.folder / "data/machines/scores/scores_2026-11-28.csv").exists())

    def test_rows_of_another_day_are_refused_however_they_come(self):
        workspace = self.workspace()
        for name, day in (("24", "24"), ("25", "25"), ("26", "25")):
            write_rows(workspace.folder / f"in/rows_2026-11-{name}.csv", 400, day=f"2026-11-{day}")
        workspace.run("run", "--date", "2026-11-24", expect=0)

        def stored():
            return [workspace.find(c, {"logical_date": "2026-11-24"}) for c in ("raw_data", "predictions", "task_instances")]

        before = stored()
        why = "in/rows_2026-11-26.csv: the run is of 2026-11-26, its rows say 2026-11-25"
        self.assertIn(why, workspace.run("run", "--date", "2026-11-26", expect=2).stderr)
        self.assertIn(why, workspace.run("backfill", "--from", "2026-11-26", "--to", "2026-11-26", expect=2).stderr)
        date = ["--logical-date", "2026-11-26", "--run-id", "r", "--json"]
        workspace.run("task", DATA, "wait_for_source", *date, expect=0)
        self.assertIn(why, workspace.run("task", DATA, "generate_data", *date, expect=2).stdout)
        for options in (["--yes"], ["--dry-run"]):
            for name, code, said in (("in/rows_2026-11-25.csv", 2, "the run is of 2026-11-24, its rows say 2026-11-25"),
                                     ("nosuch.csv", 3, "nosuch.csv")):
                self.assertIn(said, workspace.run("redo", "2026-11-24", "--in", name, *options, expect=code).stderr)
        self.assertEqual(stored(), before)

    def test_task_by_task_a_day_without_a_file_ends_skipped(self):
        workspace = self.workspace(SPEC + ROLES + '[calendar]\nweekdays = ["sat"]\n')
        self.assertIn("a Friday", self.task(workspace, DATA, "wait_for_source", 99).stdout)
        # Airflow leaves no record of the tasks that it skips.
        for dag, sensor in ((EVALUATION, "wait_for_data"), (DEPLOYMENT, "wait_for_evaluation"), (SCORING, "wait_for_deployment")):
            self.task(workspace, dag, sensor, 99)

    def test_what_is_no_file_is_refused(self):
        workspace = self.workspace()
        (workspace.folder / "folder").mkdir()
        os.mkfifo(workspace.folder / "pipe")
        for name, said in (("folder", "folder is a folder without *.parquet and *.arrow"), ("pipe", "pipe is a pipe")):
            self.assertIn(said, workspace.run("run", "--in", name, "--date", DATE, expect=3).stderr)
            self.assertIn(said, workspace.run("train", "--in", name, expect=3).stderr)
        (workspace.folder / f"in/rows_{DATE}.csv").mkdir()
        (workspace.folder / f"in/rows_{DATE}.csv/rows.txt").touch()
        self.assertIn("rows.txt is neither *.parquet nor *.arrow", workspace.run("run", "--date", DATE, expect=3).stderr)

    # What was wrong before.

    def test_a_label_of_neither_value_is_scored_and_counts_as_none(self):
        workspace = self.workspace(SPEC.replace("positive = true", "positive = true\nnegative = false") + ROLES)
        write_rows(workspace.folder / "rows.csv", 400, day=DATE)
        text = (workspace.folder / "rows.csv").read_text().splitlines()
        odd = [row.rpartition(",")[0] + ",unclear" if 100 <= n < 107 else row for n, row in enumerate(text)]
        (workspace.folder / "rows.csv").write_text("\n".join(odd) + "\n")
        for shards in (1, 3):
            with self.subTest(shards), workspace.copy() as other:
                done = other.run("run", "--in", "rows.csv", expect=0, SHARDS=shards, LOG_LEVEL="info")
                self.assertIn("7 rows count as rows without a label: line 101, column 'broken': 'unclear' is neither "
                              "'true', which is positive, nor 'false'; line 102", done.stderr)
                metadata, = other.find("processing_metadata")
                self.assertEqual((metadata["num_records"], metadata["quarantined"]["count"]), (400, 0))
                self.assertEqual((metadata["other_labels"]["count"], len(metadata["other_labels"]["rows"])), (7, 5))
                scores = (other.folder / f"data/machines/scores/scores_{DATE}.csv").read_text().splitlines()
                self.assertEqual(len(scores), 401)
        version, = workspace.find("model_metadata", {"model_name": "default_prediction_classifier", "status": {"$ne": "candidate"}})
        done = workspace.run("predict", "--model", version["model_version"], "--in", "rows.csv", "--out", "p.csv", expect=0)
        self.assertIn("7 rows count as rows without a label", done.stderr)
        self.assertEqual(len((workspace.folder / "p.csv").read_text().splitlines()), 401)

    def test_a_probability_has_the_name_of_what_it_is(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "rows.csv", 20, day=DATE)
        version, = workspace.find("model_metadata", {"model_name": "default_prediction_classifier", "status": {"$ne": "candidate"}})
        workspace.run("predict", "--model", version["model_version"], "--in", "rows.csv", "--out", "p.csv", expect=0)
        self.assertEqual((workspace.folder / "p.csv").read_text().splitlines()[0], "row,probability,prediction")

    def test_ids_that_are_empty_or_not_alone_are_said(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "rows.csv", 400, day=DATE)
        text = (workspace.folder / "rows.csv").read_text().replace("\nM7,", "\n,").replace("\nM9,", "\nM8,")
        (workspace.folder / "rows.csv").write_text(text)
        for shards in (1, 3):
            with self.subTest(shards), workspace.copy() as other:
                done = other.run("run", "--in", "rows.csv", expect=0, SHARDS=shards, LOG_LEVEL="info")
                self.assertIn("1 rows lack an id and 1 have one that a row before them has (machine)", done.stderr)
                scored, = other.find("predictions")
                self.assertEqual((scored["rows_without_id"], scored["repeated_ids"]), (1, 1))

    def test_a_dataset_toml_that_cannot_be_read_can_be_looked_at_and_replaced(self):
        workspace = self.workspace()
        for broken, said, code in (("name = \n", "dataset.toml:1", 3), ("name = \"x\"\n[settings]\nF1_TRESHOLD = 1\n", "F1_TRESHOLD", 2)):
            with self.subTest(broken):
                (workspace.folder / "dataset.toml").write_text(broken)
                for command in (("model", "list"), ("runs",), ("train", "--in", "history.csv")):
                    self.assertIn(said, workspace.run(*command, expect=code).stderr)
                self.assertIn(said, workspace.run("doctor", expect=code).stdout)
                init = ("init", "--in", "history.csv", "--target", "broken", "--id", "machine")
                self.assertIn("--force", workspace.run(*init, expect=2).stderr)
                self.assertIn(said, workspace.run(*init, "--force", expect=0).stderr)
                workspace.run("model", "list", expect=0)

    def test_a_time_may_be_a_month(self):
        with Workspace() as workspace:
            for sort, form in (("2025-{:02}", "%Y-%m"), ("2025/{:02}", "%Y/%m"), ("2025{:02}", "%Y%m")):
                with self.subTest(sort):
                    with open(workspace.folder / "book.csv", "w", newline="") as out:
                        table = csv.writer(out, lineterminator="\n")
                        table.writerow(["loan", "month", "opened", "rate", "bad"])
                        for n in range(360):
                            table.writerow([f"L{n}", sort.format(1 + n % 12), f"2025-{1 + n % 12:02}-{1 + n % 28:02}", n * 37 % 100, int(n % 7 == 0)])
                    done = workspace.run("init", "--in", "book.csv", "--target", "bad", "--id", "loan", "--time", "month", "--force", expect=0)
                    self.assertIn("time month", done.stdout)
                    self.assertNotIn("opened: lies after", done.stdout)
                    self.assertIn(f'{{ name = "month", type = "date", format = "{form}" }}', (workspace.folder / "dataset.toml").read_text())
            # Six digits that could be days as well are not guessed.
            (workspace.folder / "short.csv").write_text("loan,month,bad\n" + "".join(f"L{n},2012{1 + n % 12:02},{n % 2}\n" for n in range(100)))
            self.assertIn("holds no dates", workspace.run("init", "--in", "short.csv", "--target", "bad", "--time", "month", "--force", expect=3).stderr)

    def test_another_extract_says_what_changed_and_changes_nothing(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "rows.csv", 400, day=DATE)
        workspace.run("run", "--in", "rows.csv", expect=0)
        lines = (workspace.folder / "rows.csv").read_text().splitlines()
        altered = [line.replace(",A,", ",C,").replace(",B,", ",C,") if 11 <= n < 21 else line for n, line in enumerate(lines)]
        changed = altered[:-3] + [lines[-1].replace("M399", f"N{n}") for n in range(5)]  # 3 gone, 10 altered, 5 new
        changed = [changed[0], *reversed(changed[1:])]
        (workspace.folder / "rows.csv").write_text("\n".join(changed).replace(",", ";") + "\n")
        before = [workspace.find(c) for c in ("raw_data", "predictions", "task_instances")]
        done = workspace.run("run", "--in", "rows.csv", "--json", expect=0)
        self.assertIn("5 rows added, 3 removed, 10 altered, 387 the same (by machine)", done.stderr)
        other = json.loads(done.stdout)["other_file"]
        self.assertEqual([other[key] for key in ("added", "removed", "altered", "same")], [5, 3, 10, 387])
        self.assertEqual([workspace.find(c) for c in ("raw_data", "predictions", "task_instances")], before)
        # So does one of another name.
        (workspace.folder / "other.csv").write_bytes((workspace.folder / "rows.csv").read_bytes())
        done = workspace.run("run", "--in", "other.csv", expect=0)
        self.assertIn("5 rows added, 3 removed, 10 altered, 387 the same (by machine)", done.stderr)
        self.assertIn(f"`maeil redo {DATE} --in other.csv` does", done.stderr)
        self.assertEqual([workspace.find(c) for c in ("raw_data", "predictions", "task_instances")], before)
        # The same rows in another order and dialect are the same rows.
        (workspace.folder / "rows.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]).replace(",", "\t") + "\n")
        self.assertIn("the same 400 rows, written otherwise", workspace.run("run", "--in", "rows.csv", expect=0).stderr)
        (workspace.folder / "rows.csv").write_text("\n".join(changed) + "\n")
        workspace.run("redo", DATE, "--yes", expect=0)
        self.assertEqual(sorted(raw["rows"] for raw in workspace.find("raw_data")), [400, 402])

    def test_a_file_that_is_no_plain_csv_is_kept_as_it_came(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "rows.csv", 400, day=DATE)
        plain = (workspace.folder / "rows.csv").read_bytes()
        came = gzip.compress(plain.replace(b",", b";"))
        (workspace.folder / "rows.csv.gz").write_bytes(came)
        workspace.run("run", "--in", "rows.csv.gz", expect=0)
        raw, = workspace.find("raw_data")
        self.assertIn("source_file_id", raw)
        workspace.run("data", "export", DATE, "--out", "back.csv.gz", expect=0)
        self.assertEqual((workspace.folder / "back.csv.gz").read_bytes(), came)
        # Of plain CSV the rows are the file's bytes already.
        workspace.run("redo", DATE, "--in", "rows.csv", "--yes", expect=0)
        raw, = [raw for raw in workspace.find("raw_data") if "superseded_by" not in raw]
        self.assertNotIn("source_file_id", raw)
        done = workspace.run("data", "export", DATE, "--out", "back.csv", "--json", expect=0)
        self.assertEqual((workspace.folder / "back.csv").read_bytes(), plain)
        self.assertEqual(json.loads(done.stdout)["sha256"], hashlib.sha256(plain).hexdigest())
        workspace.run("data", "export", "2026-11-20", "--out", "none.csv", expect=3)

    def test_a_version_prepares_as_it_was_trained_and_the_run_says_what_was_edited_since(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "rows.csv", 400, day=DATE)
        workspace.run("run", "--in", "rows.csv", expect=0)
        scores = (workspace.folder / f"data/machines/scores/scores_{DATE}.csv").read_text()
        edited = SPEC.replace('{ name = "heat", type = "number" }', '{ name = "heat", type = "text" }').replace(
            '{ name = "maker", type = "text" }', '{ name = "maker", type = "text", drop = true }') + ROLES
        (workspace.folder / "dataset.toml").write_text(edited.replace('{ name = "broken"', '{ name = "colour", type = "text", optional = true }, { name = "broken"'))
        done = workspace.run("redo", DATE, "--yes", expect=0, LOG_LEVEL="info")
        for said in ("column 'heat' is a text, was a number", "column 'maker' is dropped", "column 'colour' is new"):
            self.assertIn(f"was trained before ./dataset.toml was edited, and prepares as it was then: {said}", done.stderr)
        self.assertEqual((workspace.folder / f"data/machines/scores/scores_{DATE}.csv").read_text(), scores)
        # What is edited without consequences for a model is not said.
        (workspace.folder / "dataset.toml").write_text(SPEC + "# a remark\n" + ROLES + CALENDAR)
        done = workspace.run("redo", DATE, "--yes", expect=0, LOG_LEVEL="info")
        self.assertNotIn("was edited", done.stderr)

    def test_a_group_is_in_one_part_of_what_is_fine_tuned_on(self):
        workspace = self.workspace()
        write_rows(workspace.folder / "rows.csv", 2000, day=DATE)
        workspace.run("run", "--in", "rows.csv", expect=0)
        rows = workspace.find("processed_data", {"logical_date": DATE, "split": "fine"})
        parts = {}
        for row in rows:
            parts.setdefault(row["row"] // 4, set()).add(row["in_validation"])  # the plants of write_rows
        self.assertEqual({len(part) for part in parts.values()}, {1})
        kept = sum(part == {1} for part in parts.values()) / len(parts)
        self.assertTrue(0.05 < kept < 0.4, kept)

    def test_init_draws_a_page_of_the_columns(self):
        workspace = self.workspace()
        hostile = (workspace.folder / "history.csv").read_text().replace("maker", "<b>maker").replace(",A,", ",<i>A,")
        (workspace.folder / "book.csv").write_text(hostile)
        init = ("init", "--in", "book.csv", "--target", "broken", "--id", "machine", "--group", "plant", "--time", "seen", "--force")
        done = workspace.run(*init, "--html", "book.html", expect=0)
        self.assertIn("the page: book.html", done.stdout)
        page = (workspace.folder / "book.html").read_text()
        for part in ("&lt;b&gt;maker", "&lt;i&gt;A", "an id or the group: values are not shown", "the target: "):
            self.assertIn(part, page)
        for outside in ("<script", "http", "<link", "url(", "<b>maker", "<i>A", "M17<", "P12<"):
            self.assertNotIn(outside, page)
        self.assertEqual(page.count("<figure>"), 6)
        workspace.run(*init, "--html", "book.csv", expect=2)  # the input


if __name__ == "__main__":
    unittest.main()
