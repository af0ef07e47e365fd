"""One book in every container: CSV, Parquet parts, Arrow, PostgreSQL. The same prepared rows, model and scores.

And two datasets side by side, one from Parquet parts and one from PostgreSQL, with labels that come late and a kill in the middle:
nothing of one in the other.
"""
import datetime
import decimal
import json
import pathlib
import random
import re
import shutil
import tempfile
import unittest

import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet

from datasets_test import QUICK, documents
from harness import Workspace, kill, read_until
from postgresql import Postgresql

DAYS = [f"2026-11-2{day}" for day in range(1, 8)]
SCHEMA = pyarrow.schema([
    ("loan_id", pyarrow.string()), ("borrower", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())), ("as_of", pyarrow.date32()),
    ("opened", pyarrow.timestamp("us")), ("amount", pyarrow.decimal128(14, 2)), ("rate", pyarrow.float64()), ("score", pyarrow.int64()),
    ("secured", pyarrow.bool_()), ("grade", pyarrow.string()), ("defaulted", pyarrow.int8())])
TYPES = ("loan_id text, borrower text, as_of date, opened date, amount numeric(14,2), rate double precision, score bigint, secured boolean, grade text, "
         "defaulted smallint")
SPEC = """name = "NAME"
columns = [
  { name = "loan_id", type = "text" }, { name = "borrower", type = "text" }, { name = "as_of", type = "date" },
  { name = "opened", type = "date", nullable = true }, { name = "amount", type = "number" }, { name = "rate", type = "number", nullable = true },
  { name = "score", type = "number" }, { name = "secured", type = "text" }, { name = "grade", type = "text" }, { name = "defaulted", type = "number" },
]
day_counts = [ { name = "open_days", from = "opened", to = "as_of" } ]
[target]
column = "defaulted"
positive = 1
negative = 0
DELAY
[roles]
id = "loan_id"
group = "borrower"
time = "as_of"
"""


def book(seed, rows, day=None, labelled=True):
    """Rows as Python values, in the types that a team's table has."""
    draw = random.Random(f"{seed} {day}")
    out = []
    for row in range(rows):
        as_of = datetime.date.fromisoformat(day) if day else datetime.date(2026, 1, 1) + datetime.timedelta(days=draw.randrange(200))
        rate = None if draw.random() < 0.1 else draw.choice([draw.uniform(0, 30), 1e-7 * draw.random(), float(draw.randrange(20))])
        bad = (rate or 8) + draw.gauss(0, 3) > 18
        out.append({
            "loan_id": f"{seed}{(day or '').replace('-', '')}{row:06}", "borrower": f"차주 {row // 3}, \"{draw.choice('가나다')}\"", "as_of": as_of,
            "opened": None if draw.random() < 0.05 else datetime.datetime.combine(as_of, datetime.time()) - datetime.timedelta(days=draw.randrange(3000)),
            "amount": decimal.Decimal(draw.randrange(10**11)).scaleb(-2), "rate": rate, "score": draw.randrange(-2**40, 2**40),
            "secured": draw.random() < 0.5, "grade": draw.choice(["A", "B+", "등급 C"]), "defaulted": int(bad) if labelled else None})
    return out


def frame(rows):
    # Whole numbers stay whole where some are missing, and a day has no time of day, as people export them.
    out = pandas.DataFrame(rows, columns=SCHEMA.names)
    out["defaulted"] = out["defaulted"].astype("Int64")
    out["opened"] = [None if value is None else value.date() for value in (row["opened"] for row in rows)]
    return out


def write_csv(rows, path):
    frame(rows).to_csv(path, index=False)


def write_parts(rows, folder, parts=3):
    table = pyarrow.Table.from_pylist(rows, SCHEMA)
    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(rows) // parts)
    for part in range(parts):
        pyarrow.parquet.write_table(table.slice(part * size, size), folder / f"part-{part}.parquet", row_group_size=137)


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
            version, = work.find("model_metadata", {"model_name": "default_prediction_classifier"})
            name = version["model_version"]
            out = {"metrics": [{k: d[k] for k in ("dataset_name", "metrics", "gate")} for d in work.find("performance_metrics", None, "dataset_name:1")]}
            work.run("preprocess", "--in", day, "--out", "prepared.csv", "--model", name, expect=0)
            out["prepared"] = (work.folder / "prepared.csv").read_bytes()
            work.run("predict", "--in", day, "--out", "scores.csv", "--model", name, expect=0)
            out["predicted"] = (work.folder / "scores.csv").read_bytes()
            work.run("run", "--in", day, "--date", DAYS[0], expect=0)
            scores, = (work.folder / "data/book/scores").glob("*.csv")
            out["scores"] = scores.read_text().replace(name, "VERSION")
            out["processed"] = (work.folder / "data/book/processed/processed_data.csv").read_bytes()
            return out

    def test_the_same_prepared_rows_model_and_scores_whatever_they_lie_in(self):
        found = {name: self.results(*way) for name, way in self.ways.items()}
        self.assertGreater(len(found["CSV"]["scores"].splitlines()), 400)
        for name, other in found.items():
            for what, expected in found["CSV"].items():
                self.assertEqual(other[what], expected, f"{name}: {what}")


class SideBySide(unittest.TestCase):
    """`leases`: days from Parquet parts by date, labels in files; `mortgages`: both from PostgreSQL."""

    def test_seven_days_from_parts_and_from_a_database_with_late_labels_and_a_kill(self):
        with Postgresql() as server, Workspace(**QUICK, DATABASE_URL=server.url(), JUDGE_DAYS=30, RETRAIN_DAYS=30) as work:
            (work.folder / "datasets").mkdir()
            server.psql(f"CREATE TABLE loans ({TYPES}); CREATE TABLE labels (loan_id text, as_of date, defaulted smallint, known date)")
            own = {"leases": 'DAY_DATA = "in/date={date}"\nLABELS = "labels_{date}.csv"\n', "mortgages": 'DAY_DATA = "sql:day.sql"\nLABELS = "sql:labels.sql"\n'}
            (work.folder / "day.sql").write_text("SELECT * FROM loans WHERE as_of = :date ORDER BY loan_id\n")
            (work.folder / "labels.sql").write_text("SELECT loan_id, as_of, defaulted FROM labels WHERE known = :date ORDER BY loan_id\n")
            for name, settings in own.items():
                (work.folder / f"datasets/{name}.toml").write_text(SPEC.replace("NAME", name).replace("DELAY", "delay_days = 2") + f"[settings]\n{settings}")
                write_csv(book(name, 1500), work.folder / f"history_{name}.csv")
                work.run("train", "--in", f"history_{name}.csv", expect=0, DATASET=name)
            for place, day in enumerate(DAYS):
                write_parts(book("leases", 300, day, labelled=False), work.folder / f"in/date={day}", 2)
                write_csv(book("mortgages", 300, day, labelled=False), work.folder / "rows.csv")
                with open(work.folder / "rows.csv") as rows:
                    server.psql("COPY loans FROM STDIN (FORMAT csv, HEADER)", files=rows)
                if place + 2 < len(DAYS):
                    for name in own:
                        known = frame(book(name, 300, day))[["loan_id", "as_of", "defaulted"]]
                        known.assign(known=DAYS[place + 2]).to_csv(work.folder / "known.csv", index=False) if name == "mortgages" else \
                            known.to_csv(work.folder / f"labels_{DAYS[place + 2]}.csv", index=False)
                    with open(work.folder / "known.csv") as rows:
                        server.psql("COPY labels FROM STDIN (FORMAT csv, HEADER)", files=rows)
            words = ("backfill", "--from", DAYS[0], "--to", DAYS[-1])
            running = {name: work.start(*words, DATASET=name) for name in own}
            for process in running.values():
                read_until(process, rf"score_data  success")
            kill(running["mortgages"])
            work.run(*words, expect=0, DATASET="mortgages")
            self.assertEqual(running["leases"].wait(600), 0)
            running["leases"].stderr.close()
            for name in own:
                other, = set(own) - {name}
                found = documents(work, name)
                for collection, some in found.items():
                    self.assertNotIn(f'"{other}"', json.dumps(some), f"{collection} of {name}")
                    self.assertNotIn(f"{other}__", json.dumps(some), f"{collection} of {name}")
                self.assertEqual(sorted(d["logical_date"] for d in found["predictions"] if "superseded_by" not in d), DAYS)
                self.assertEqual(sorted(d["logical_date"] for d in found["performance_metrics"] if d["dataset_name"] == "matured" and "superseded_by" not in d),
                                 DAYS[:-2], name)
                self.assertEqual(sum(d["matched"] for d in found["labels"]), 300 * (len(DAYS) - 2))
                self.assertEqual({re.sub(r"\d", "", d["source"]) for d in found["raw_data"]} , {"date=--"} if name == "leases" else {"sql:day.sql"})


if __name__ == "__main__":
    unittest.main()
