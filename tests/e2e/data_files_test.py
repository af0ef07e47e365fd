"""`maeil data inspect | convert`: one book as people's programs write it gives the same plain CSV, and what is not clear is refused."""
import csv
import gzip
import io
import json
import unittest

from harness import Workspace


def written(rows, **dialect):
    text = io.StringIO()
    csv.writer(text, lineterminator=dialect.pop("lineterminator", "\n"), **dialect).writerows(rows)
    return text.getvalue()


class DataFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = Workspace().__enter__()
        cls.workspace.run("generate", "--num-rows", "2000", "--out", "book.csv", "--date", "2026-01-31", expect=0)
        text = (cls.workspace.folder / "book.csv").read_text(encoding="utf-8-sig")
        cls.rows = list(csv.reader(io.StringIO(text)))
        cls.plain = written(cls.rows).encode()

    @classmethod
    def tearDownClass(cls):
        cls.workspace.__exit__(None, None, None)

    def convert(self, name, content, *options, expect=0):
        (self.workspace.folder / name).write_bytes(content)
        done = self.workspace.run("data", "convert", "--in", name, "--out", "out.csv", *options, expect=expect)
        return done, (self.workspace.folder / "out.csv").read_bytes() if expect == 0 else None

    def test_the_same_book_gives_the_same_bytes(self):
        letters = written(self.rows)
        ways = {
            "commas": self.plain,
            "byte order mark": b"\xef\xbb\xbf" + self.plain,
            "semicolons": written(self.rows, delimiter=";").encode(),
            "tabs": written(self.rows, delimiter="\t").encode(),
            "bars": written(self.rows, delimiter="|").encode(),
            "all quoted": written(self.rows, quoting=csv.QUOTE_ALL).encode(),
            "apostrophes": written(self.rows, quotechar="'", quoting=csv.QUOTE_ALL).encode(),
            "CR LF": written(self.rows, lineterminator="\r\n").encode(),
            "CR": written(self.rows, lineterminator="\r").encode(),
            "CP949": letters.encode("cp949"),
            "UTF-16": letters.encode("utf-16"),
            "UTF-16BE": b"\xfe\xff" + letters.encode("utf-16-be"),
            "gzip": gzip.compress(self.plain),
            "CP949 with semicolons, gzip": gzip.compress(written(self.rows, delimiter=";").encode("cp949")),
            "a title before it": b"Loans as of 2026-01-31\n\n" + self.plain,
        }
        for name, content in ways.items():
            with self.subTest(name):
                _, out = self.convert("in.txt", content)
                self.assertEqual(out, self.plain)

    def test_what_it_saw_is_said(self):
        (self.workspace.folder / "in.txt").write_bytes(gzip.compress(written(self.rows, delimiter=";").encode("cp949")))
        seen = json.loads(self.workspace.run("data", "inspect", "in.txt", "--json", expect=0).stdout)
        self.assertEqual(seen["dialect"]["encoding"], "CP949")
        self.assertEqual(seen["dialect"]["compression"], "gzip")
        self.assertEqual(seen["dialect"]["delimiter"], ";")
        self.assertEqual(seen["columns"], self.rows[0])
        self.assertEqual(seen["records"]["rows"], 2000)
        self.assertEqual(seen["unclear"], [])

    def test_what_is_not_clear_is_refused_with_both_readings(self):
        unclear = b"first last\nminsu kim\njiwon lee\n"
        done, _ = self.convert("in.txt", unclear, expect=3)
        self.assertIn("minsu | kim", done.stderr)
        self.assertIn("minsu kim", done.stderr)
        _, out = self.convert("in.txt", unclear, "--best-guess")
        self.assertEqual(out, b"first,last\nminsu,kim\njiwon,lee\n")
        _, out = self.convert("in.txt", unclear, "--delimiter", "comma", "--header", "1")
        self.assertEqual(out, b"first last\nminsu kim\njiwon lee\n")

    def test_records_that_do_not_fit_are_named_by_line(self):
        done, out = self.convert("in.txt", b"a;b;c\n1;2;3\n4;5\n6;7;8\n")
        self.assertEqual(out, b"a,b,c\n1,2,3\n6,7,8\n")
        self.assertIn("line 3: 2 fields instead of 3", done.stdout)

    def test_wrong_input_ends_in_a_sentence_and_leaves_no_file(self):
        for content, words in ((b"", "holds nothing"), (b"\x1f\x8b\x08\x00broken", "damaged"), (b"PK\x03\x04\0\0\0\0", "NUL")):
            with self.subTest(words):
                (self.workspace.folder / "out.csv").unlink(missing_ok=True)
                done, _ = self.convert("in.txt", content, expect=3)
                self.assertIn(words, done.stderr)
                self.assertFalse((self.workspace.folder / "out.csv").exists())
        done, _ = self.convert("in.txt", self.plain, "--encoding", "KOI-9", expect=2)
        self.assertIn("KOI-9", done.stderr)


if __name__ == "__main__":
    unittest.main()
