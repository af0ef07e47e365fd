"""One reader for every command: the same book in every dialect gives the same bytes through `maeil data convert`, the
same prepared rows and the same scores, and each thing that is not clear is refused with the key that settles it."""
import csv
import gzip
import io
import json
import unittest

from harness import Workspace
from small_model import small_model


def written(rows, **dialect):
    text = io.StringIO()
    csv.writer(text, lineterminator=dialect.pop("lineterminator", "\n"), **dialect).writerows(rows)
    return text.getvalue()


def decimal_commas(rows, numbers):
    return [rows[0]] + [[cell.replace(".", ",") if c in numbers else cell for c, cell in enumerate(row)] for row in rows[1:]]


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = small_model()
        cls.work = Workspace().__enter__()
        rows = list(csv.reader(io.StringIO(cls.files.rows.read_text(encoding="utf-8-sig"))))
        cls.rows = rows[:301]
        cls.plain = written(cls.rows).encode()
        (cls.work.folder / "plain.csv").write_bytes(cls.plain)
        cls.prepared, cls.scores = cls.outputs("plain.csv")

    @classmethod
    def tearDownClass(cls):
        cls.work.__exit__(None, None, None)

    @classmethod
    def outputs(cls, name, **settings):
        out = []
        for command in ("preprocess", "predict"):
            cls.work.run(command, "--model", cls.files.classifier, "--in", name, "--out", "out.csv", expect=0, **settings)
            out.append((cls.work.folder / "out.csv").read_bytes())
        return out

    def write(self, content, name="in.txt"):
        (self.work.folder / name).write_bytes(content)
        return name

    def ways(self):
        letters = written(self.rows)
        zst = None
        try:
            import zstandard
            zst = zstandard.ZstdCompressor().compress(self.plain)
        except ImportError:
            pass  # text_file_test reads zstd
        ways = {
            "semicolons": written(self.rows, delimiter=";").encode(),
            "tabs": written(self.rows, delimiter="\t").encode(),
            "CP949": letters.encode("cp949"),
            "UTF-16": letters.encode("utf-16"),
            "gzip": gzip.compress(self.plain),
            "CR": written(self.rows, lineterminator="\r").encode(),
            "a title before it": b"Loans as of 2026-01-31\n\n" + self.plain,
            "CP949 with semicolons, gzip": gzip.compress(written(self.rows, delimiter=";").encode("cp949")),
        }
        return {**ways, "zstd": zst} if zst else ways

    def test_the_same_book_gives_the_same_bytes_rows_and_scores(self):
        for way, content in self.ways().items():
            with self.subTest(way):
                name = self.write(content)
                self.work.run("data", "convert", "--in", name, "--out", "converted.csv", expect=0)
                self.assertEqual((self.work.folder / "converted.csv").read_bytes(), self.plain)
                prepared, scores = self.outputs(name)
                self.assertEqual(prepared, self.prepared)
                self.assertEqual(scores, self.scores)
                done = self.work.run("evaluate", "--model", self.files.classifier, "--in", name, "--json", F1_THRESHOLD=0)
                self.assertIn("as", json.loads(done.stdout)["reading"])
                self.assertIn(f"{name}: read as ", done.stderr)
        self.assertNotIn("read as", self.work.run("predict", "--model", self.files.classifier, "--in", "plain.csv",
                                                  "--out", "out.csv", expect=0).stderr)

    def test_fit_and_the_quality_report_read_them_too(self):
        for way in ("semicolons", "CP949 with semicolons, gzip"):
            with self.subTest(way):
                name = self.write(self.ways()[way])
                for book in ("plain.csv", name):
                    self.work.run("fit", "--in", book, "--out", f"{book}.json", "--target", "DLNQ_1M_FLG", "--no-report", expect=0)
                ours, plain = (json.loads((self.work.folder / f"{book}.json").read_text()) for book in (name, "plain.csv"))
                self.assertEqual({**ours, "source": ""}, {**plain, "source": ""})
                same = self.work.run("report", "quality", "--real", "plain.csv", "--synthetic", name, "--json", expect=0)
                self.assertEqual(json.loads(same.stdout)["score"], 1.0)
                self.assertIn("read as", same.stderr)

    def test_decimal_commas_are_found_with_semicolons_and_said_with_commas(self):
        # A spec of its own, so that [read] can say what the built-in one does not.
        numbers = [c for c, name in enumerate(self.rows[0])
                   if any("." in row[c] for row in self.rows[1:]) and all(self.is_number(row[c]) for row in self.rows[1:])]
        self.assertTrue(numbers)
        commas = decimal_commas(self.rows, numbers)
        name = self.write(written(commas, delimiter=";").encode())
        self.assertEqual(self.outputs(name), [self.prepared, self.scores])

    @staticmethod
    def is_number(text):
        try:
            return not text or float(text) == float(text)
        except ValueError:
            return False

    def refuses(self, content, *says):
        done = self.work.run("fit", "--in", self.write(content), "--out", "none.json", "--no-report", expect=3)
        last = done.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("maeil: in.txt: "), done.stderr)
        for words in says:
            self.assertIn(words, last)

    def test_what_is_not_clear_is_refused_with_both_readings_and_the_key(self):
        self.refuses(b"first last\nminsu kim\njiwon lee\n", "[minsu | kim]", "[minsu kim]", "delimiter", "[read]")
        self.refuses(b"name;town\nminsu;seoul\njiwon;busan\n", "header = 1 or header = 0", "[name | town]")
        self.refuses("id,town\n1,Zürich\n2,Köln\n".encode("latin-1"), "WINDOWS-1252", "encoding")
        self.refuses(b"id;amount\na;1,234\nb;5\n", "'1,234' is 1234 or 1.234", "decimal = \",\" or thousands = \",\"")

    def test_what_the_spec_says_settles_it(self):
        (self.work.folder / "spec.toml").write_text(
            'name = "t"\ncolumns = [ { name = "id", type = "text" }, { name = "amount", type = "number" } ]\n'
            '[read]\ndelimiter = ";"\ndecimal = ","\nmissing = ["-", "k.A."]\n')
        rows = "".join(f"a{i};{i},{i % 10}\n" if i % 5 else f"a{i};-\n" for i in range(100))
        done = self.work.run("fit", "--in", self.write(("id;amount\n" + rows).encode()), "--out", "m.json", "--spec", "spec.toml",
                             "--no-report", "--json", expect=0)
        self.assertEqual(json.loads(done.stdout)["rows"], 100)
        self.assertIn("numbers with decimal ','", json.loads(done.stdout)["reading"]["as"])


if __name__ == "__main__":
    unittest.main()
