"""A team's books of loans, row by row, in each container that a test wants; and two of them as datasets of one workspace.

pandas and pyarrow, which write them, are those of build/arrow (`make arrow`).
"""
import datetime
import decimal
import json
import random
import re
import unittest

try:
    import pandas
    import pyarrow
    import pyarrow.parquet
except ImportError as missing:
    raise unittest.SkipTest(f"skipped: needs pyarrow and pandas ({missing}): make arrow")

from datasets_test import documents

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


TWO = {"leases": 'DAY_DATA = "in/date={date}"\nLABELS = "labels_{date}.csv"\n', "mortgages": 'DAY_DATA = "sql:day.sql"\nLABELS = "sql:labels.sql"\n'}
LATE = 2  # days until labels are known


def write_two(server, work, days):
    """`leases`: days from Parquet parts by date, labels in files; `mortgages`: both from PostgreSQL. Each has a first model."""
    (work.folder / "datasets").mkdir()
    server.psql(f"CREATE TABLE loans ({TYPES}); CREATE TABLE labels (loan_id text, as_of date, defaulted smallint, known date)")
    (work.folder / "day.sql").write_text("SELECT * FROM loans WHERE as_of = :date ORDER BY loan_id\n")
    (work.folder / "labels.sql").write_text("SELECT loan_id, as_of, defaulted FROM labels WHERE known = :date ORDER BY loan_id\n")
    for name, settings in TWO.items():
        (work.folder / f"datasets/{name}.toml").write_text(SPEC.replace("NAME", name).replace("DELAY", f"delay_days = {LATE}") + f"[settings]\n{settings}")
        write_csv(book(name, 1500), work.folder / f"history_{name}.csv")
        work.run("train", "--in", f"history_{name}.csv", expect=0, DATASET=name)
    for place, day in enumerate(days):
        write_parts(book("leases", 300, day, labelled=False), work.folder / f"in/date={day}", 2)
        write_csv(book("mortgages", 300, day, labelled=False), work.folder / "rows.csv")
        copy_rows(server, "loans", work.folder / "rows.csv")
        if place + LATE < len(days):
            known = days[place + LATE]
            labels = {name: frame(book(name, 300, day))[["loan_id", "as_of", "defaulted"]] for name in TWO}
            labels["leases"].to_csv(work.folder / f"labels_{known}.csv", index=False)
            labels["mortgages"].assign(known=known).to_csv(work.folder / "known.csv", index=False)
            copy_rows(server, "labels", work.folder / "known.csv")


def copy_rows(server, table, path):
    with open(path) as rows:
        server.psql(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)", files=rows)


def check_two(test, work, days):
    """Each has every day's scores, and every verdict that its labels allow, and nothing of the other."""
    for name in TWO:
        other, = set(TWO) - {name}
        found = documents(work, name)
        for collection, some in found.items():
            test.assertNotIn(f'"{other}"', json.dumps(some), f"{collection} of {name}")
            test.assertNotIn(f"{other}__", json.dumps(some), f"{collection} of {name}")
        test.assertEqual(sorted(d["logical_date"] for d in found["predictions"] if "superseded_by" not in d), days)
        test.assertEqual(sorted(d["logical_date"] for d in found["performance_metrics"] if d["dataset_name"] == "matured" and "superseded_by" not in d),
                         days[:-LATE], name)
        test.assertEqual(sum(d["matched"] for d in found["labels"]), 300 * (len(days) - LATE))
        test.assertEqual({re.sub(r"\d", "", d["source"]) for d in found["raw_data"]}, {"date=--"} if name == "leases" else {"sql:day.sql"})
