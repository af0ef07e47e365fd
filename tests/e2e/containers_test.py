"""One book in every container: CSV, Parquet parts, Arrow, PostgreSQL. The same prepared rows, model and scores.

And two datasets side by side, one from Parquet parts and one from PostgreSQL, with labels that come late and a kill in the middle:
nothing of one in the other.
"""
import pathlib
import re
import shutil
import tempfile
import unittest

from books import DAYS, SCHEMA, SPEC, TWO, TYPES, book, check_two, write_csv, write_parts, write_two
import pyarrow
import pyarrow.feather

from datasets_test import QUICK
from harness import Workspace, kill, read_until
from postgresql import Postgresql


class OneBook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postgresql())
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="maeil-containers-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.made = {}
        for name, rows in (("history", book("H", 1500)), ("day", book("D", 400, DAYS[0]))):
            write_csv(rows, cls.folder / f"{name}.csv")
            write_parts(rows, cls.folder / f"{name}_parts")
            pyarrow.feather.write_feather(pyarrow.Table.from_pylist(rows, SCHEMA), str(cls.folder / f"{name}.arrow"), chunksize=101)
            cls.server.load(name, TYPES, cls.folder / f"{name}.csv")
            # The rows of a file have an order, those of a table have not.
            (cls.folder / f"{name}.sql").write_text(f"SELECT * FROM {name} ORDER BY loan_id\n")
        cls.ways = {"CSV": ("history.csv", "day.csv"), "Parquet": ("history_parts", "day_parts"), "Arrow": ("history.arrow", "day.arrow"),
                    "PostgreSQL": ("sql:history.sql", "sql:day.sql")}

    def results(self, history, day):
        with Workspace(**QUICK, DATABASE_URL=self.server.url()) as work:
            for path in self.folder.iterdir():
                (work.folder / path.name).symlink_to(path)
            (work.folder / "dataset.toml").write_text(SPEC.replace("NAME", "book").replace("DELAY", ""))
            work.run("train", "--in", history, expect=0)
            out = {"metrics": [{k: d[k] for k in ("dataset_name", "metrics", "gate")} for d in work.find("performance_metrics", None, "metrics.roc_auc:1")]}
            names = []
            for version in work.find("model_metadata", {"model_name": "default_prediction_classifier"}, "model_version:1"):
                family = version["model_family"]
                names.append(version["model_version"])
                work.run("preprocess", "--in", day, "--out", "prepared.csv", "--model", names[-1], expect=0)
                out[f"prepared for {family}"] = (work.folder / "prepared.csv").read_bytes()
                work.run("predict", "--in", day, "--out", "scores.csv", "--model", names[-1], expect=0)
                out[f"predicted by {family}"] = (work.folder / "scores.csv").read_bytes()
            assert len(out) == 5, out.keys()
            work.run("run", "--in", day, "--date", DAYS[0], expect=0)
            scores, = (work.folder / "data/book/scores").glob("*.csv")
            out["scores"] = re.sub("|".join(names), "VERSION", scores.read_text())
            out["processed"] = (work.folder / "data/book/processed/processed_data.csv").read_bytes()
            return out

    def test_the_same_prepared_rows_model_and_scores_whatever_they_lie_in(self):
        found = {name: self.results(*way) for name, way in self.ways.items()}
        self.assertGreater(len(found["CSV"]["scores"].splitlines()), 400)
        for name, other in found.items():
            for what, expected in found["CSV"].items():
                self.assertEqual(other[what], expected, f"{name}: {what}")


class SideBySide(unittest.TestCase):
    def test_seven_days_from_parts_and_from_a_database_with_late_labels_and_a_kill(self):
        with Postgresql() as server, Workspace(**QUICK, DATABASE_URL=server.url(), JUDGE_DAYS=30, RETRAIN_DAYS=30) as work:
            write_two(server, work, DAYS)
            words = ("backfill", "--from", DAYS[0], "--to", DAYS[-1])
            running = {name: work.start(*words, DATASET=name) for name in TWO}
            for process in running.values():
                read_until(process, r"score_data  success")
            kill(running["mortgages"])
            work.run(*words, expect=0, DATASET="mortgages")
            self.assertEqual(running["leases"].wait(600), 0)
            running["leases"].stderr.close()
            check_two(self, work, DAYS)


if __name__ == "__main__":
    unittest.main()
