"""What maeil does to files: those of the user's own stay, commands that read make nothing, one database has one lock."""
import hashlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from harness import BINARY, Workspace, kill, read_until
from small_model import small_model

DATE = "2026-11-20"
SMALL = dict(DATA_QUANTITY=300, EPOCHS=1, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MIN_POSITIVES=1, MIN_NEGATIVES=1, F1_THRESHOLD=0)
RAW = "data/raw/synthetic_data.csv"
READING = [("model", "list"), ("model", "history"), ("db", "alerts"), ("db", "processed_data", "--limit", "1"), ("runs",), ("logs", DATE), ("doctor",),
           ("dag", "list"), ("dag", "show", "model_evaluation_pipeline"), ("dag", "export"), ("prune", "--dry-run"), ("redo", DATE, "--dry-run"),
           ("store", "copy", "--from", "maeil.db", "--to", "copy.db", "--dry-run"), ("backfill", "--from", DATE, "--to", DATE, "--dry-run")]


def contents(folder):
    """Of every file and folder: type, permission bits, bytes."""
    def one(path):
        mode = path.lstat().st_mode
        held = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        return oct(mode), hashlib.sha256(held if isinstance(held, bytes) else held.encode()).hexdigest()
    return {str(path.relative_to(folder)): one(path) for path in sorted(folder.rglob("*"))}


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Reading(unittest.TestCase):
    def check(self, workspace):
        for words in READING:
            with self.subTest(command=words):
                before = contents(workspace.folder)
                for more in ((), ("--json",)):
                    done = workspace.run(*words, *more)
                    self.assertIn(done.returncode, (0, 1, 3), done.stderr)
                    self.assertEqual(contents(workspace.folder), before)

    def test_makes_nothing_in_an_empty_folder(self):
        with Workspace() as workspace:
            self.check(workspace)

    def test_makes_nothing_beside_a_store(self):
        with Workspace(**SMALL) as workspace:
            workspace.run("train", "--pretrain", "--train", "--rows", "300", expect=0)
            for lock in workspace.folder.glob("*.lock"):
                lock.unlink()
            self.check(workspace)


class DataPath(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trained = Workspace(**SMALL)
        cls.trained.run("train", "--pretrain", "--train", "--rows", "300", expect=0)

    @classmethod
    def tearDownClass(cls):
        cls.trained.__exit__()

    def refused(self, done, path):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(str(path), done.stderr)
        self.assertIn("move it away", done.stderr)

    def test_a_file_of_the_users_own_stays(self):
        with self.trained.copy() as work:
            theirs = work.folder / "loans.csv"
            theirs.write_text("their,only,copy\n1,2,3\n")
            for words in (("run", "--date", DATE), ("generate", "--num-rows", "10"), ("generate", "--num-rows", "10", "--out", "loans.csv"),
                          ("task", "data_pipeline_dag", "generate_data", "--logical-date", DATE, "--run-id", "r")):
                with self.subTest(command=words):
                    self.refused(work.run(*words, DATA_PATH="loans.csv"), "loans.csv")
                    self.assertEqual(theirs.read_text(), "their,only,copy\n1,2,3\n")
            theirs.rename(work.folder / "away.csv")
            work.run("run", "--date", DATE, DATA_PATH="loans.csv", expect=0)
            self.assertEqual((work.folder / "away.csv").read_text(), "their,only,copy\n1,2,3\n")

    def test_what_maeil_wrote_is_replaced(self):
        with self.trained.copy() as work:
            work.run("generate", "--num-rows", "10", expect=0)
            work.run("generate", "--num-rows", "20", "--out", work.folder / RAW, expect=0)  # the same file by another name
            work.run("run", "--date", DATE, expect=0)
            first = sha256(work.folder / RAW)
            work.run("run", "--date", "2026-11-21", expect=0)
            self.assertNotEqual(sha256(work.folder / RAW), first)
            for lost in (work.folder / "data/raw").glob(".*.maeil"):  # as an earlier release leaves the folder
                lost.unlink()
            work.run("run", "--date", "2026-11-22", expect=0)
            (work.folder / "maeil.db").unlink()  # a store that is begun anew beside the old files
            work.run("train", "--pretrain", "--train", "--rows", "300", expect=0)
            work.run("run", "--date", "2026-11-23", expect=0)
            (work.folder / RAW).write_text("a,b\n1,2\n")
            # The next task of that day wants its rows back from the store.
            done = work.run("task", "data_pipeline_dag", "preprocess_data", "--logical-date", "2026-11-23", "--run-id", "r")
            self.refused(done, RAW)
            self.assertEqual((work.folder / RAW).read_text(), "a,b\n1,2\n")

    def test_a_day_that_was_killed_before_its_commit_goes_on(self):
        """The file has its name, the store does not know it yet."""
        for _ in range(20):
            with self.trained.copy() as work:
                process = work.start("run", "--date", DATE)
                while not (work.folder / RAW).exists() and process.poll() is None:
                    pass
                kill(process)
                with sqlite3.connect(work.folder / "maeil.db") as db:
                    recorded = db.execute("SELECT count(*) FROM documents WHERE collection = 'raw_data'").fetchone()[0]
                db.close()
                if not (work.folder / RAW).exists() or recorded:
                    continue  # too late: once more
                work.run("run", "--date", "2026-11-21", expect=0)
                work.run("run", "--date", DATE, expect=0)
                return
        self.fail("no kill fell between the file and its record")


class Outputs(unittest.TestCase):
    """What --out may name. Devices are named through links of the test's own, so that a mistake replaces a link
    and not the system's."""

    COMMANDS = [("generate", "--num-rows", "20", "--out"), ("fit", "--in", "rows.csv", "--out"),
                ("fit", "--in", "rows.csv", "--out", "m.json", "--metadata"),
                ("preprocess", "--in", "rows.csv", "--model", "model.pth", "--out"),
                ("predict", "--in", "rows.csv", "--model", "model.pth", "--out"),
                ("report", "quality", "--real", "rows.csv", "--synthetic", "rows.csv", "--html"),
                ("model", "export", "VERSION", "--out")]

    @classmethod
    def setUpClass(cls):
        model = small_model()
        cls.base = cls.enterClassContext(model.workspace())
        shutil.copy(model.rows, cls.base.folder / "rows.csv")
        shutil.copy(model.classifier, cls.base.folder / "model.pth")
        cls.version = cls.base.find("model_metadata")[0]["model_version"]

    def setUp(self):
        self.work = self.enterContext(self.base.copy())

    def commands(self):
        return [[self.version if word == "VERSION" else word for word in words] for words in self.COMMANDS]

    def test_folders_devices_pipes_and_open_files_are_refused_before_the_work(self):
        folder = self.work.folder
        (folder / "folder").mkdir()
        os.mkfifo(folder / "pipe")
        for name, target in (("null", "/dev/null"), ("full", "/dev/full"), ("stdout", "/proc/self/fd/1")):
            (folder / name).symlink_to(target)
        before = contents(folder)
        for words in self.commands():
            for name in ("folder", "pipe", "null", "full", "stdout"):
                with self.subTest(command=words, out=name), tempfile.TemporaryFile() as out:
                    done = subprocess.run([BINARY, *words, name], cwd=folder, env=self.work.environment({}),
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True, timeout=300)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)  # nothing was read yet
                    self.assertRegex(done.stderr, f"cannot write {name}: it is (no regular|a name for an open) file")
                    self.assertEqual(os.fstat(out.fileno()).st_size, 0)
        self.assertEqual(contents(folder), before)

    def test_what_a_command_reads_and_the_store_are_not_written_over(self):
        folder = self.work.folder
        (folder / "link.csv").symlink_to("rows.csv")
        os.link(folder / "rows.csv", folder / "hard.csv")
        before = contents(folder)
        for words in self.commands():
            read = ["rows.csv", "./rows.csv", "link.csv", "hard.csv"] if "rows.csv" in words else []
            for name in ["maeil.db", *read]:
                with self.subTest(command=words, out=name):
                    done = self.work.run(*words, name, expect=2)
                    self.assertIn("over what it is made from" if name in read else "is a database", done.stderr)
        shutil.copy(folder / "rows.csv", folder / "book.quality.html")
        self.work.run("fit", "--in", "book.quality.html", "--out", "book.json", "--no-report", expect=2)
        (folder / "book.quality.html").unlink()
        for metadata in ("book.json", "./book.json", "book.quality.html"):
            fit = ("fit", "--in", "rows.csv", "--out", "book.json", "--metadata", metadata)
            self.assertIn("--metadata", self.work.run(*fit, expect=2).stderr)
        self.assertEqual(contents(folder), before)

    def test_new_folders_are_made_and_a_link_is_replaced_not_followed(self):
        folder = self.work.folder
        (folder / "kept.csv").write_text("mine")
        (folder / "link.csv").symlink_to("kept.csv")
        for name in ("link.csv", "new/folder/rows.csv"):
            self.work.run("generate", "--num-rows", 5, "--out", name, expect=0)
            self.assertFalse((folder / name).is_symlink())
            self.assertEqual(len((folder / name).read_text(encoding="utf-8-sig").splitlines()), 6)
        self.assertEqual((folder / "kept.csv").read_text(), "mine")
        done = self.work.run("generate", "--num-rows", 5, "--out", "kept.csv/rows.csv", expect=1)
        self.assertIn("cannot create folder kept.csv", done.stderr)


class Lock(unittest.TestCase):
    def test_two_names_of_a_database_have_one_lock(self):
        with Workspace(**SMALL) as work:
            (work.folder / "other.db").symlink_to("maeil.db")
            work.run("train", "--pretrain", "--train", "--rows", "300", expect=0)
            process = work.start("run", "--date", DATE, DATA_QUANTITY=200000)
            read_until(process, "generate_data  started")
            done = work.run("prune", STORE_PATH="other.db")
            kill(process)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("runner lock", done.stderr)
            self.assertFalse((work.folder / "other.db.runner.lock").exists())

    def test_files_of_a_store_are_its_users_alone(self):
        with Workspace(**SMALL) as work:
            work.run("train", "--pretrain", "--train", "--rows", "300", expect=0, preexec_fn=lambda: os.umask(0o022))
            self.assertEqual(oct((work.folder / "maeil.db").stat().st_mode & 0o777), "0o600")
            model = next((work.folder / "models").glob("classifier_*.pth"))
            self.assertEqual(oct(model.stat().st_mode & 0o777), "0o644")


if __name__ == "__main__":
    unittest.main()
