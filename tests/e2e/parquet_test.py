"""Parquet and Arrow IPC files, written by pyarrow: the same rows give the same text, prepared rows, scores and days whatever
they lie in; what cannot be read is refused by name. Needs the interpreter of build/arrow (`make arrow`)."""
import datetime
import decimal
import json
import os
import pathlib
import random
import shutil
import subprocess
import unittest

try:
    import numpy
    import pandas
    import pyarrow
    import pyarrow.parquet
except ImportError as missing:
    raise unittest.SkipTest(f"skipped: needs pyarrow and pandas ({missing}): make arrow")

from harness import BINARY, Workspace
from small_model import small_model

if not (pathlib.Path(BINARY).resolve().parent / "libmaeil_arrow.so").exists():
    raise unittest.SkipTest("skipped: needs libmaeil_arrow.so beside maeil: make arrow")

pa, pq = pyarrow, pyarrow.parquet


def write_arrow(table, path, batch=700, stream=False, **options):
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        out.write_table(table, max_chunksize=batch)


CONTAINERS = {
    "snappy.parquet": lambda t, p: pq.write_table(t, p, row_group_size=700),
    "zstd_v2.parquet": lambda t, p: pq.write_table(t, p, compression="zstd", data_page_version="2.0", row_group_size=333),
    "no_dictionary.parquet": lambda t, p: pq.write_table(t, p, use_dictionary=False, compression="gzip"),
    "small_pages.parquet": lambda t, p: pq.write_table(t, p, data_page_size=512, dictionary_pagesize_limit=512),
    "file.arrow": lambda t, p: write_arrow(t, p),
    "lz4.arrow": lambda t, p: write_arrow(t, p, compression="lz4"),
    "stream.arrow": lambda t, p: write_arrow(t, p, stream=True, compression="zstd"),
}


def book(rows, seed):
    """A frame whose CSV by pandas is what its Parquet file is to be read as."""
    draw = numpy.random.default_rng(seed)
    frame = pandas.DataFrame({
        "loan_id": [f"L{seed}-{i:06d}" for i in range(rows)],
        "as_of": pandas.to_datetime("2026-11-28"),
        "opened": pandas.to_datetime(draw.integers(0, 20000, rows), unit="D").date,
        "grade": draw.choice(["A", "B", "c, d", 'the "e"', " f ", "한국", "NA", "two\nlines"], rows),
        "rate": draw.choice([0.1, 1e-7, 2.5e20, -0.0, 1 / 3, 12.0, float("nan")], rows),
        "amount": draw.normal(0, 1e6, rows),
        "terms": draw.integers(-5, 400, rows),
        "large": draw.integers(-2**62, 2**62, rows),
        "active": draw.integers(0, 2, rows).astype(bool),
        "default": draw.integers(0, 2, rows),
    })
    frame.loc[draw.random(rows) < 0.1, "grade"] = None
    return frame


SPEC = """name = "book"
columns = [
  { name = "loan_id", type = "text" }, { name = "as_of", type = "date" }, { name = "opened", type = "date" },
  { name = "grade", type = "text", nullable = true }, { name = "rate", type = "number", nullable = true },
  { name = "amount", type = "number" }, { name = "terms", type = "number" }, { name = "large", type = "number" },
  { name = "active", type = "text" }, { name = "default", type = "number" },
]
day_counts = [{ name = "age", from = "opened", to = "as_of" }]
[target]
column = "default"
positive = 1
negative = 0
[roles]
id = ["loan_id"]
time = "as_of"
[contract]
target_rate = [0, 1]
"""


class Columns(unittest.TestCase):
    def setUp(self):
        self.work = Workspace(DATASET_SPEC="dataset.toml").__enter__()
        self.addCleanup(self.work.__exit__, None, None, None)
        (self.work.folder / "dataset.toml").write_text(SPEC)

    def path(self, name):
        (self.work.folder / name).parent.mkdir(parents=True, exist_ok=True)
        return self.work.folder / name

    def text_of(self, name, **settings):
        self.work.run("data", "convert", "--in", name, "--out", "text.csv", expect=0, **settings)
        return (self.work.folder / "text.csv").read_text()

    def refused(self, *arguments, words, expect=3, **settings):
        done = self.work.run(*arguments, expect=expect, **settings)
        for word in words:
            self.assertIn(word, done.stderr)
        return done


class SameRows(Columns):
    def test_the_text_is_what_pandas_writes_as_csv(self):
        for seed in range(3):
            frame = book(2500, seed)
            want = frame.to_csv(index=False)
            table = pa.Table.from_pandas(frame, preserve_index=False)
            grade = table.column("grade")
            tables = {"plain": table,
                      "dictionary": table.set_column(3, "grade", grade.dictionary_encode()),
                      "large": table.set_column(3, "grade", grade.cast(pa.large_string()))}
            for kind, rows in tables.items():
                for name, write in CONTAINERS.items():
                    with self.subTest(seed=seed, kind=kind, container=name):
                        write(rows, self.path(name))
                        self.assertEqual(self.text_of(name), want)
            with self.subTest(seed=seed, kind="views"):
                write_arrow(table.set_column(3, "grade", grade.cast(pa.string_view())), self.path("views.arrow"))
                self.assertEqual(self.text_of("views.arrow"), want)

    def test_a_dictionary_that_grows_from_batch_to_batch(self):
        parts = [pa.record_batch([pa.array(values).dictionary_encode()], ["t"]) for values in (["a", "b"], ["b", "c", None], ["a"])]
        with pa.ipc.new_stream(self.path("d.arrow"), parts[0].schema) as out:
            for part in parts:
                out.write_batch(part)
        self.assertEqual(self.text_of("d.arrow"), 't\na\nb\nb\nc\n""\na\n')

    def test_the_typed_columns_are_those_of_the_text(self):
        """init, validate, train and the days read typed columns; the CSV of the same rows is their oracle."""
        frame = book(3000, 9)
        frame.to_csv(self.path("book.csv"), index=False)
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), self.path("book.parquet"), row_group_size=700)
        write_arrow(pa.Table.from_pandas(frame, preserve_index=False), self.path("book.arrow"))
        models = {}
        for name in ("book.csv", "book.parquet", "book.arrow"):
            self.work.run("init", "--in", name, "--target", "default", "--id", "loan_id", "--time", "as_of", "--out", "draft.toml",
                          "--force", DATASET_SPEC="draft.toml", expect=0)
            draft = (self.work.folder / "draft.toml").read_text().split("\n", 1)[1]
            checked = json.loads(self.work.run("validate", "--in", name, "--json", expect=0).stdout)
            with Workspace(DATASET_SPEC=self.work.folder / "dataset.toml", D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8,
                           PRETRAIN_EPOCHS=1) as own:
                own.run("train", "--in", self.work.folder / name, "--epochs", 1, expect=0)
                version, = own.find("model_metadata", {"model_name": "default_prediction_classifier", "status": {"$ne": "candidate"}})
                own.run("model", "export", version["model_version"], "--out", "model.pth", expect=0)
                out = []
                for command in ("preprocess", "predict"):
                    own.run(command, "--model", "model.pth", "--in", self.work.folder / name, "--out", "out.csv", expect=0)
                    out.append((own.folder / "out.csv").read_bytes())
                models[name] = (draft, checked.get("columns"), checked.get("findings"), version["metrics"], *out)
        self.assertEqual(models["book.parquet"], models["book.csv"])
        self.assertEqual(models["book.arrow"], models["book.csv"])

    def test_types_that_csv_has_not(self):
        stamp = datetime.datetime(2026, 3, 29, 0, 30, 0, 250000)
        columns = {
            "zone": (pa.array([stamp, datetime.datetime(2026, 3, 29, 1, 30), None], pa.timestamp("us", "UTC"))
                     .cast(pa.timestamp("us", "Europe/Berlin")), ["2026-03-29 01:30:00.250000", "2026-03-29 03:30:00", ""]),
            "offset": (pa.array([0, 1, None], pa.timestamp("s", "+09:00")), ["1970-01-01 09:00:00", "1970-01-01 09:00:01", ""]),
            "naive": (pa.array([0, 86399999999999, -1], pa.timestamp("ns")),
                      ["1970-01-01", "1970-01-01 23:59:59.999999999", "1969-12-31 23:59:59.999999999"]),
            "milli": (pa.array([1500, -86400000, None], pa.timestamp("ms")), ["1970-01-01 00:00:01.500000", "1969-12-31", ""]),
            "day": (pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None]), ["0001-01-01", "9999-12-31", ""]),
            "day64": (pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31)], pa.date64()), ["2024-02-29", "", "1969-12-31"]),
            "time": (pa.array([datetime.time(1, 2, 3), datetime.time(23, 59, 59, 5), None], pa.time64("us")), ["01:02:03", "23:59:59.000005", ""]),
            "d9": (pa.array([decimal.Decimal("-0.05"), decimal.Decimal("1234567.89"), None], pa.decimal128(9, 2)), ["-0.05", "1234567.89", ""]),
            "d38": (pa.array([decimal.Decimal(-10**37), decimal.Decimal(0), None], pa.decimal128(38, 0)), [str(-10**37), "0", ""]),
            "d76": (pa.array([decimal.Decimal("-" + "9" * 70 + "." + "123456"), None, decimal.Decimal("0.000001")], pa.decimal256(76, 6)),
                    ["-" + "9" * 70 + ".123456", "", "0.000001"]),
            "half": (pa.array(numpy.array([0.1, -65504, numpy.nan], numpy.float16)), ["0.0999755859375", "-65504.0", ""]),
            "single": (pa.array(numpy.array([0.1, numpy.inf, -numpy.inf], numpy.float32)), ["0.10000000149011612", "inf", "-inf"]),
            "u64": (pa.array([2**64 - 1, 0, None], pa.uint64()), [str(2**64 - 1), "0", ""]),
            "i8": (pa.array([-128, 127, None], pa.int8()), ["-128", "127", ""]),
            "nothing": (pa.nulls(3), ["", "", ""]),
            "truth": (pa.array([True, False, None]), ["True", "False", ""]),
        }
        table = pa.table({name: values for name, (values, _) in columns.items()})
        want = [",".join(columns)] + [",".join(text[row] for _, text in columns.values()) for row in range(3)]
        write_arrow(table, self.path("types.arrow"), batch=2)
        self.assertEqual(self.text_of("types.arrow").splitlines(), want)
        in_parquet = table.drop_columns(["half"])
        pq.write_table(in_parquet, self.path("types.parquet"), row_group_size=2)
        self.assertEqual(self.text_of("types.parquet").splitlines(),
                         [",".join(cell for name, cell in zip(columns, line.split(",")) if name != "half") for line in want])
        self.assertIn("'zone' by the clock of Europe/Berlin", self.work.run("data", "inspect", "types.arrow", expect=0).stdout)

    def test_rows_that_are_none_are_set_aside_as_in_csv(self):
        table = pa.Table.from_pandas(book(400, 5), preserve_index=False)
        rate = table.column("rate").to_pylist()
        rate[7] = float("inf")
        grade = [None if g is None else g.encode() for g in table.column("grade").to_pylist()]
        grade[11], grade[12] = b"a\0b", b"\xff\xfe"
        broken = pa.Array.from_buffers(pa.string(), 400, pa.array(grade, pa.binary()).buffers())
        table = table.set_column(4, "rate", pa.array(rate)).set_column(3, "grade", broken)
        for name in ("a.parquet", "a.arrow"):
            (pq.write_table if name.endswith("t") else write_arrow)(table, self.path(name))
            done = self.work.run("validate", "--in", name, "--json")
            found = json.loads(done.stdout)
            self.assertEqual(found["quarantined"], 3, found)

    def test_a_date_of_a_column_with_a_format_is_written_so(self):
        (self.work.folder / "dataset.toml").write_text(SPEC.replace('"opened", type = "date"', '"opened", type = "date", format = "%d/%m/%Y"'))
        pq.write_table(pa.Table.from_pandas(book(300, 2), preserve_index=False), self.path("a.parquet"))
        done = self.work.run("validate", "--in", "a.parquet", expect=0)
        self.assertNotIn("opened", done.stderr)


class Parts(Columns):
    def parts(self, folder="book", days=("2026-11-27", "2026-11-28")):
        frames = []
        for d, day in enumerate(days):
            for p in range(2):
                frame = book(500, 10 * d + p).drop(columns="as_of")
                path = self.path(f"{folder}/as_of={day}/part-{p}.parquet")
                pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
                frames.append(frame.assign(as_of=day))
        self.path(f"{folder}/_SUCCESS").write_text("")
        return frames

    def test_a_folder_and_a_pattern_are_their_parts_in_order(self):
        frames = self.parts()
        want = pandas.concat(frames).to_csv(index=False)
        for name in ("book", "book/", "book/*/part-*.parquet", "book/as_of=*"):
            self.assertEqual(self.text_of(name), want, name)
        inspected = self.work.run("data", "inspect", "book", expect=0).stdout
        self.assertIn("Parquet, 4 parts, 'as_of' from the folders' names", inspected)
        self.assertIn("rows         2000", inspected)

    def test_parts_that_are_no_one_table_are_refused_by_name(self):
        self.parts()
        table = pq.read_table(self.path("book/as_of=2026-11-28/part-1.parquet"), partitioning=None)
        for columns, words in (
                (table.set_column(5, "terms", table.column("terms").cast(pa.float64())), ["'terms'", "int64 in", "float64 in", "part-1"]),
                (table.drop_columns(["grade"]), ["'grade'", "has it, and", "has not"]),
                (table.append_column("more", table.column("terms")), ["'more'", "has it, and", "has not"])):
            pq.write_table(columns, self.path("book/as_of=2026-11-28/part-1.parquet"))
            self.refused("data", "inspect", "book", words=words)
        pq.write_table(table, self.path("book/as_of=2026-11-28/part-1.parquet"))
        self.path("book/notes.txt").write_text("x")
        self.refused("data", "inspect", "book", words=["notes.txt is neither *.parquet nor *.arrow"])

    def test_a_day_of_parts(self):
        self.parts()
        first = book(1500, 3)
        first["as_of"] = pandas.to_datetime("2026-11-01")
        first.to_csv(self.path("history.csv"), index=False)
        small = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MIN_POSITIVES=1,
                     EPOCHS=1, F1_THRESHOLD=0)
        self.work.run("train", "--in", "history.csv", expect=0, **small)
        done = self.work.run("run", "--date", "2026-11-28", DAY_DATA="book/as_of={date}", **small)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        raw, = self.work.find("raw_data")
        self.assertEqual([part["name"] for part in raw["source_parts"]], ["part-0.parquet", "part-1.parquet"])
        self.assertEqual(raw["rows"], 1000)
        self.work.run("data", "export", "2026-11-28", "--out", "back", expect=0)
        for part in ("part-0.parquet", "part-1.parquet"):
            self.assertEqual((self.work.folder / "back" / part).read_bytes(),
                             (self.work.folder / "book/as_of=2026-11-28" / part).read_bytes())
        again = self.work.run("run", "--date", "2026-11-28", DAY_DATA="book/as_of={date}", expect=0, **small)
        self.assertNotIn("another file", again.stdout + again.stderr)
        table = pq.read_table(self.path("book/as_of=2026-11-28/part-1.parquet"), partitioning=None)
        pq.write_table(table.slice(0, 499), self.path("book/as_of=2026-11-28/part-1.parquet"))
        other = self.work.run("run", "--date", "2026-11-28", DAY_DATA="book/as_of={date}", **small)
        self.assertIn("0 rows added, 1 removed, 0 altered, 999 the same", other.stdout + other.stderr)
        # The same rows as CSV: the same scores, of another file.
        scores = (self.work.folder / "data/scores/scores_2026-11-28.csv")
        found = list(self.work.folder.rglob("scores_2026-11-28.csv"))
        self.assertTrue(found, scores)
        wanted = found[0].read_bytes()
        frames = [pq.read_table(self.work.folder / "back" / f"part-{p}.parquet").to_pandas().assign(as_of="2026-11-28") for p in range(2)]
        pandas.concat(frames).to_csv(self.path("day.csv"), index=False)
        self.work.run("redo", "2026-11-28", "--in", "day.csv", **small)
        self.assertEqual(list(self.work.folder.rglob("scores_2026-11-28.csv"))[0].read_bytes(), wanted)


class Refused(Columns):
    def test_types_that_are_no_cell(self):
        table = pa.Table.from_pandas(book(50, 1), preserve_index=False)
        types = {"list": pa.array([[1]] * 50), "struct": pa.array([{"a": 1}] * 50), "binary": pa.array([b"a"] * 50),
                 "map": pa.array([[("a", 1)]] * 50, pa.map_(pa.string(), pa.int64())), "duration": pa.array([1] * 50, pa.duration("s"))}
        for name, values in types.items():
            write_arrow(table.set_column(3, "grade", values), self.path("a.arrow"))
            self.refused("validate", "--in", "a.arrow", words=["column 'grade' is of type " + name])
            self.assertIn(f"column 'tags' is left out: its type is {name}",
                          self.write_and_inspect(table.append_column("tags", values)))

    def write_and_inspect(self, table):
        write_arrow(table, self.path("b.arrow"))
        self.work.run("validate", "--in", "b.arrow")
        return self.work.run("data", "inspect", "b.arrow", expect=0).stdout

    def test_without_the_library_one_sentence_says_how_to_get_it(self):
        pq.write_table(pa.table({"a": [1]}), self.path("a.parquet"))
        self.refused("data", "inspect", "a.parquet", words=["need libmaeil_arrow.so: /nowhere.so is not there (MAEIL_ARROW_LIBRARY)"],
                     MAEIL_ARROW_LIBRARY="/nowhere.so")
        alone = self.work.folder / "alone"
        alone.mkdir()
        shutil.copy(BINARY, alone / "maeil")
        done = subprocess.run([alone / "maeil", "data", "inspect", "a.parquet"], cwd=self.work.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("`make arrow` builds it", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.path("other.c").write_text("const void *maeil_arrow_plugin(unsigned version) { return 0; }\n")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "other.so", "other.c"], cwd=self.work.folder, check=True)
        self.refused("data", "inspect", "a.parquet", words=["is of another version of maeil"],
                     MAEIL_ARROW_LIBRARY=self.work.folder / "other.so")
        # Everything else goes on without it.
        self.path("a.csv").write_text("a,b\n1,2\n3,4\n")
        self.work.run("data", "inspect", "a.csv", expect=0, MAEIL_ARROW_LIBRARY="/nowhere.so")
        self.refused("data", "convert", "--in", "a.csv", "--out", "b.parquet", words=["b.parquet", "need libmaeil_arrow.so"],
                     MAEIL_ARROW_LIBRARY="/nowhere.so")
        self.assertFalse((self.work.folder / "b.parquet").exists())

    def test_truncated_files(self):
        table = pa.Table.from_pandas(book(2000, 1), preserve_index=False)
        for name, write in CONTAINERS.items():
            write(table, self.path(name))
            whole = self.path(name).read_bytes()
            for size in (8, 100, len(whole) // 2, len(whole) - 1):
                self.path(name).write_bytes(whole[:size])
                done = self.work.run("data", "convert", "--in", name, "--out", "t.csv")
                self.assertEqual(done.returncode, 3, (name, size, done.stderr))

    def test_a_stream_that_ends_early_or_goes_on_behind_its_end(self):
        table = pa.Table.from_pandas(book(100, 1), preserve_index=False)
        write_arrow(table, self.path("s.arrow"), batch=50, stream=True)
        whole = self.path("s.arrow").read_bytes()
        self.path("cut.arrow").write_bytes(whole[:-8])
        self.refused("data", "convert", "--in", "cut.arrow", "--out", "t.csv", words=["cut.arrow", "mark of its end"])
        self.path("two.arrow").write_bytes(whole + whole)
        self.refused("data", "convert", "--in", "two.arrow", "--out", "t.csv", words=["two.arrow", "behind its end"])


class Hostile(Columns):
    SEEDS = int(os.environ.get("MAEIL_MUTATIONS", 80))  # for each container

    def test_mutated_files_end_in_a_sentence_or_in_rows(self):
        table = pa.Table.from_pandas(book(300, 1), preserve_index=False)
        table = table.set_column(3, "grade", table.column("grade").dictionary_encode())
        ends = {}
        for name, write in CONTAINERS.items():
            write(table, self.path(name))
            whole = self.path(name).read_bytes()
            for seed in range(self.SEEDS):
                draw = random.Random(f"{name} {seed}")
                bytes_ = bytearray(whole)
                for _ in range(draw.choice([1, 1, 2, 8, 64])):
                    at = draw.randrange(len(bytes_)) if draw.random() < 0.5 else max(0, len(bytes_) - 1 - draw.randrange(3000))
                    kind = draw.random()
                    if kind < 0.6:
                        bytes_[at] = draw.choice([0, 1, 0x7f, 0x80, 0xff, bytes_[at] ^ 1 << draw.randrange(8)])
                    elif kind < 0.8:
                        bytes_[at:at + 4] = draw.choice([b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff\xff\xff\xff"])
                    else:
                        size = draw.randrange(1, 64)
                        other = draw.randrange(len(bytes_))
                        bytes_[at:at + size] = bytes_[other:other + size]
                self.path("mutated").write_bytes(bytes_)
                command = draw.choice([("data", "convert", "--in", "mutated", "--out", "t.csv"), ("validate", "--in", "mutated")])
                done = self.work.run(*command, timeout=60)
                if done.returncode not in (0, 1, 2, 3) or "unexpected" in done.stderr:
                    kept = pathlib.Path(os.environ.get("MAEIL_KEEP", "/tmp")) / f"mutated_{name}_{seed}"
                    kept.write_bytes(bytes_)
                    self.fail(f"{name} {seed} {command[0]}: exit {done.returncode}: {done.stderr[-500:]} ({kept})")
                ends[done.returncode] = ends.get(done.returncode, 0) + 1
        self.assertGreater(ends.get(3, 0), 0, ends)
        self.assertGreater(ends.get(0, 0), 0, ends)

    def test_many_row_groups_in_little_memory(self):
        groups = 100_000
        schema = pa.schema([("loan_id", pa.string()), ("rate", pa.float64()), ("default", pa.int64())])
        batch = pa.record_batch([["a", "b", "c"], [1.0, None, 3.0], [0, 1, 0]], schema=schema)
        with pq.ParquetWriter(self.path("groups.parquet"), schema, write_statistics=False) as out:
            for _ in range(groups):
                out.write_batch(batch, row_group_size=3)
        measured = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
                    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10); sys.exit(code)")
        (self.work.folder / "dataset.toml").write_text(
            'name = "g"\ncolumns = [{ name = "loan_id", type = "text" }, { name = "rate", type = "number", nullable = true }, '
            '{ name = "default", type = "number" }]\n[target]\ncolumn = "default"\npositive = 1\nnegative = 0\n[contract]\ntarget_rate = [0, 1]\n')
        done = subprocess.run(["python3", "-c", measured, BINARY, "validate", "--in", "groups.parquet"], cwd=self.work.folder,
                              env=self.work.environment({}), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        megabytes = int(done.stdout.split()[-1])
        size = self.path("groups.parquet").stat().st_size >> 20
        print(f"100,000 row groups, a file of {size} MiB: {megabytes} MiB", flush=True)
        self.assertLess(megabytes, 1024)


class Out(Columns):
    def test_generated_rows_are_those_of_the_csv(self):
        self.work.settings.pop("DATASET_SPEC")
        self.path("dataset.toml").unlink()
        for name in ("rows.csv", "rows.parquet", "rows.arrow", "again.parquet"):
            self.work.run("generate", "--num-rows", 3000, "--seed", 5, "--date", "2026-11-28", "--out", name, expect=0)
        want = (self.work.folder / "rows.csv").read_bytes()[3:]
        for name in ("rows.parquet", "rows.arrow"):
            self.assertEqual(self.text_of(name).encode(), want)
        self.assertEqual(self.path("again.parquet").read_bytes(), self.path("rows.parquet").read_bytes())
        table = pq.read_table(self.path("rows.parquet"))
        self.assertEqual(table.num_rows, 3000)
        self.assertIn("int64", {str(field.type) for field in table.schema})
        self.assertEqual(pq.ParquetFile(self.path("rows.parquet")).metadata.row_group(0).column(0).compression, "ZSTD")

    def test_predictions_and_conversions(self):
        files = small_model()
        self.work.settings.pop("DATASET_SPEC")
        self.path("dataset.toml").unlink()
        # All texts; and with pandas' types, which take "1231" beside a missing value for 1231.0, in CSV as well.
        as_text = pandas.read_csv(files.rows, keep_default_na=False, dtype=str)
        typed = pandas.read_csv(files.rows)
        for name, frame in (("text", as_text), ("typed", typed)):
            frame.to_csv(self.path(f"{name}.csv"), index=False)
            frame.to_parquet(self.path(f"{name}.parquet"))
            outputs = {}
            for end in ("csv", "parquet"):
                for command in ("preprocess", "predict"):
                    self.work.run(command, "--model", files.classifier, "--in", f"{name}.{end}", "--out", "out.csv", expect=0)
                    outputs[end, command] = (self.work.folder / "out.csv").read_bytes()
            self.assertEqual(outputs["parquet", "preprocess"], outputs["csv", "preprocess"])
            self.assertEqual(outputs["parquet", "predict"], outputs["csv", "predict"])
            self.work.run("predict", "--model", files.classifier, "--in", f"{name}.parquet", "--out", "out.parquet", expect=0)
            self.assertEqual(self.text_of("out.parquet").encode(), outputs["csv", "predict"])
        self.assertEqual([str(f.type) for f in pq.read_schema(self.path("out.parquet"))], ["int64", "double", "int64"])
        self.path("a.csv").write_text("day,code,n,x,t\n2026-01-31,007,1,0.5,\n2026-02-28,008,2,,b\n")
        self.work.run("data", "convert", "--in", "a.csv", "--out", "a.parquet", expect=0)
        self.assertEqual([str(f.type) for f in pq.read_schema(self.path("a.parquet"))], ["date32[day]", "string", "int64", "double", "string"])
        self.assertEqual(self.text_of("a.parquet"), self.path("a.csv").read_text())


if __name__ == "__main__":
    unittest.main()
