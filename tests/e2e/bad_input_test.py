"""Bad input through the real binary: one clear sentence with the file (and the place), the documented exit code, and store
and deployed model as they were."""
import hashlib
import io
import os
import pickle
import random
import resource
import struct
import unittest
import zipfile

from harness import SOURCE, Workspace
from small_model import small_model


def tree(folder):
    """Every file's hash below a folder, the store's side files and lock aside."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.endswith((".lock", "-wal", "-shm", ".db"))}


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = small_model()
        cls.base = cls.files.workspace(DATA_QUANTITY=200)
        cls.base.run("run", "--date", "2026-11-19", expect=0, F1_THRESHOLD=0)  # something is deployed
        cls.csv = cls.files.rows.read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.base.__exit__()

    def refuses(self, *arguments, code=3, says=(), workspace=None, **settings):
        """Runs in the base workspace; the sentence is one line and nothing that was there has changed."""
        workspace = workspace or self.base
        before, versions = tree(workspace.folder), workspace.find("model_metadata")
        done = workspace.run(*arguments, **settings)
        self.assertEqual(done.returncode, code, done.stderr or done.stdout)
        last = done.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("maeil: "), done.stderr)
        self.assertLess(len(last), 600)
        for text in says:
            self.assertIn(text, last)
        self.assertEqual(tree(workspace.folder), before)
        self.assertEqual(workspace.find("model_metadata"), versions)
        return last

    def write(self, name, content):
        path = self.base.folder / name
        path.write_bytes(content)
        self.addCleanup(path.unlink, missing_ok=True)
        return name

    # -- CSV ------------------------------------------------------------------------------------------------------
    def preprocess(self, content, says, code=3):
        name = self.write("bad.csv", content)
        return self.refuses("preprocess", "--in", name, "--out", "out.csv", code=code, says=["bad.csv", *says])

    def test_csv_nul_bytes(self):
        lines = self.csv.split(b"\n")
        self.preprocess(b"\n".join(lines[:1] + [line.replace(b",", b"\0,", 1) for line in lines[1:]]), [])

    def test_csv_one_gigabyte_line(self):
        path = self.base.folder / "huge.csv"
        with open(path, "wb") as f:
            f.write(self.csv.split(b"\n")[0] + b"\n")
            f.truncate(1 << 30)  # a hole: one line of a gigabyte of NUL bytes
        self.addCleanup(path.unlink, missing_ok=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = self.base.run("preprocess", "--in", "huge.csv", "--out", "out.csv", expect=3)
        self.assertIn("huge.csv", done.stderr)
        self.assertFalse((self.base.folder / "out.csv").exists())
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, max(before, 1 << 20) + (1 << 19))

    def test_csv_mixed_encodings(self):
        self.preprocess(self.csv.replace("담보".encode(), "담보".encode("cp949")), [])

    def test_csv_too_many_broken_rows(self):
        lines = self.csv.split(b"\n")
        self.preprocess(b"\n".join(lines[:1] + [line + b",1,2" if i % 5 == 0 else line for i, line in enumerate(lines[1:])]), ["%"])

    def test_csv_few_broken_rows_are_quarantined(self):
        lines = self.csv.split(b"\n")
        lines[7] += b",extra"
        name = self.write("few.csv", b"\n".join(lines))
        done = self.base.run("preprocess", "--in", name, "--out", "few_out.csv", expect=0)
        self.addCleanup((self.base.folder / "few_out.csv").unlink)
        self.assertIn("8", done.stderr + done.stdout)  # the line number
        self.assertEqual(len((self.base.folder / "few_out.csv").read_bytes().strip().split(b"\n")), 2000)

    def test_csv_empty_absent_or_without_a_column(self):
        self.preprocess(b"", [])
        self.refuses("preprocess", "--in", "none.csv", "--out", "out.csv", says=["none.csv"])
        self.preprocess(self.csv.replace(b"INT_RATE", b"OTHER", 1), ["INT_RATE"])

    # -- pickle ---------------------------------------------------------------------------------------------------
    def generate(self, content, says=(), codes=(3,)):
        name = self.write("bad.pkl", content)
        done = self.base.run("generate", "--num-rows", "10", "--out", "rows.csv", "--model", name)
        (self.base.folder / "rows.csv").unlink(missing_ok=True)
        self.assertIn(done.returncode, codes, done.stderr)
        if done.returncode:
            self.assertIn("bad.pkl", done.stderr)
        for text in says:
            self.assertIn(text, done.stderr)

    def test_pickle_that_would_run_a_command(self):
        for protocol in range(6):
            self.generate(pickle.dumps(Evil(), protocol), ["system"])
        self.assertFalse((self.base.folder / "pwned").exists())

    def test_pickle_truncated_and_flipped(self):
        with zipfile.ZipFile(SOURCE / "tests/data/sdv_pickles.zip") as saved:
            whole = saved.read("1.32.0-n1-numbers.pkl")
        chooser = random.Random(1)
        for size in (0, 1, 2, 100, 10000, len(whole) // 2, len(whole) - 1):
            self.generate(whole[:size])
        for _ in range(15):
            flipped = bytearray(whole)
            for _ in range(3):
                flipped[chooser.randrange(len(flipped))] ^= 1 << chooser.randrange(8)
            self.generate(bytes(flipped), codes=(0, 3))  # a flipped digit is a valid file

    def test_pickle_bombs(self):
        deep = b"\x80\x02" + b"(" * 1_000_000 + b"l" * 1_000_000 + b"."
        self.generate(deep)
        self.generate(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"x.")

    def test_unreadable_distribution_model_ends_the_day(self):
        name = self.write("bad.pkl", b"not a pickle")
        with self.base.copy() as workspace:
            done = workspace.run("run", "--date", "2026-11-21", DISTRIBUTION_MODEL=name)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("bad.pkl", done.stderr)

    def test_absent_distribution_model_ends_the_day(self):
        with self.base.copy() as workspace:
            done = workspace.run("run", "--date", "2026-11-21", DISTRIBUTION_MODEL="none.pkl", F1_THRESHOLD=0)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("none.pkl", done.stderr)
            self.assertEqual(workspace.find("raw_data", {"logical_date": "2026-11-21"}), [])

    # -- checkpoints ----------------------------------------------------------------------------------------------
    def import_model(self, content, says=()):
        name = self.write("bad.pth", content)
        self.refuses("model", "import", name, says=["bad.pth", *says])

    def rezip(self, change):
        out = io.BytesIO()
        with zipfile.ZipFile(self.files.classifier) as source, zipfile.ZipFile(out, "w") as target:
            for item in source.infolist():
                change(target, item, source.read(item))
        return out.getvalue()

    def test_checkpoint_truncated_and_foreign(self):
        whole = (self.files.classifier).read_bytes()
        for size in (0, 4, 1000, len(whole) // 2, len(whole) - 10):
            self.import_model(whole[:size])
        self.import_model(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + b"x" * 100, ["torch.save"])  # the format before 1.6

    def test_checkpoint_with_a_command_inside(self):
        self.import_model(self.rezip(lambda z, i, b: z.writestr(i.filename, pickle.dumps(Evil(), 2) if i.filename.endswith("data.pkl") else b)),
                          ["system"])

    def test_checkpoint_zip_bomb(self):
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("archive/data.pkl", b"\0" * (1 << 30))
            z.writestr("archive/version", b"3\n")
        self.import_model(bomb.getvalue())

    def test_checkpoint_with_a_missing_storage(self):
        self.import_model(self.rezip(lambda z, i, b: None if i.filename.endswith("/data/7") else z.writestr(i.filename, b)), ["7"])

    def test_checkpoint_with_a_value_that_is_no_number(self):
        # In every tensor, at a place and with a value drawn by chance; the last holds the preparation's scales, as doubles.
        draw = random.Random(4)
        with zipfile.ZipFile(self.files.classifier) as source:
            storages = [i.filename for i in source.infolist() if "/data/" in i.filename]
        storages.sort(key=lambda name: int(name.rpartition("/")[2]))
        self.assertGreater(len(storages), 100)  # every categorical column has one
        before = self.base.find("model_metadata")
        for storage in storages:
            bad = draw.choice([float("nan"), float("inf"), float("-inf")])
            number, says = ("<d", "has values that are no scale") if storage == storages[-1] else ("<f", r"tensor \S+ holds (NaN|-?infinity) at \(\d+")

            def change(target, item, content):
                if item.filename == storage:
                    numbers = [n for n, in struct.iter_unpack(number, content)]
                    numbers[draw.choice([0, len(numbers) - 1, draw.randrange(len(numbers))])] = bad
                    content = b"".join(struct.pack(number, n) for n in numbers)
                target.writestr(item.filename, content)
            done = self.base.run("model", "import", self.write("bad.pth", self.rezip(change)))
            self.assertEqual(done.returncode, 3, f"{storage}: {done.stdout}{done.stderr}")
            self.assertRegex(done.stderr, rf"bad\.pth: .*{says}")
        self.assertEqual(self.base.find("model_metadata"), before)

    def test_weights_that_overflow_give_no_scores(self):
        def huge(target, item, content):  # every number of every matrix is what float32 just holds
            if "/data/" in item.filename and len(content) >= 4 * 8 * 8:
                content = struct.pack("<f", 3e38) * (len(content) // 4)
            target.writestr(item.filename, content)
        model = self.write("huge.pth", self.rezip(huge))
        rows = self.write("rows.csv", self.csv)
        for command in (["predict", "--out", "scores.csv"], ["evaluate"]):
            self.refuses(command[0], "--model", model, "--in", rows, *command[1:], says=["not finite", "rows.csv"])
        self.refuses("predict", "--model", self.files.encoder, "--in", rows, "--out", "scores.csv", says=["encoder without a head"])

    # -- settings, store, disk ------------------------------------------------------------------------------------
    def test_wrong_settings(self):
        self.refuses("model", "list", code=2, says=["F1_THRESHOLD"], F1_THRESHOLD="high")
        self.assertEqual(self.base.run("run", "--date", "23.11.2026").returncode, 2)
        self.assertEqual(self.base.run("generate", "--num-rows", "-5").returncode, 2)
        self.assertEqual(self.base.run("nonsense").returncode, 2)

    def test_corrupt_database(self):
        for damage in (b"not a database at all" * 100, None):
            with self.base.copy() as workspace:
                path = workspace.folder / "maeil.db"
                if damage is None:  # a real one with its pages overwritten
                    content = bytearray(path.read_bytes())
                    content[4096:len(content) - 4096] = os.urandom(len(content) - 8192)
                    damage = bytes(content)
                for side in ("maeil.db-wal", "maeil.db-shm"):
                    (workspace.folder / side).unlink(missing_ok=True)
                path.write_bytes(damage)
                done = workspace.run("run", "--date", "2026-11-21")
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("maeil.db", done.stderr)
                self.assertEqual(path.read_bytes(), damage)

    def test_full_disk(self):
        for limit in (60_000, 300_000, 900_000):
            with self.base.copy() as workspace:
                deployed = (workspace.folder / "models/deployed/current_model.pth").read_bytes()
                versions = workspace.find("model_metadata")

                def shrink():
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                done = workspace.run("run", "--date", "2026-11-22", preexec_fn=shrink, F1_THRESHOLD=0)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertTrue(done.stderr.strip())
                self.assertEqual((workspace.folder / "models/deployed/current_model.pth").read_bytes(), deployed)
                self.assertEqual(workspace.find("model_metadata"), versions)
                workspace.run("run", "--date", "2026-11-22", expect=0, F1_THRESHOLD=0)

    @unittest.skipIf(os.geteuid() != 0, "skipped: only root can become another user")
    def test_read_only_folder(self):
        with self.base.copy() as workspace:
            os.chmod(workspace.folder, 0o755)

            def nobody():
                os.setgid(65534)
                os.setuid(65534)
            done = workspace.run("run", "--date", "2026-11-21", preexec_fn=nobody)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("maeil.db", done.stderr)
            self.assertLess(len(done.stderr.strip().splitlines()), 4, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
