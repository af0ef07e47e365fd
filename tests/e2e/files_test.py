"""What maeil does to files: those of the user's own stay, commands that read make nothing, one database has one lock."""
import hashlib
import os
import pathlib
import sqlite3
import time
import unittest

from harness import Workspace, kill

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
                limit = time.monotonic() + 60
                while not (work.folder / RAW).exists() and time.monotonic() < limit and process.poll() is None:
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


class Lock(unittest.TestCase):
    def test_two_names_of_a_database_have_one_lock(self):
        with Workspace(**SMALL) as work:
            (work.folder / "other.db").symlink_to("maeil.db")
            work.run("train", "--pretrain", "--train", "--rows", "300", expect=0)
            process = work.start("run", "--date", DATE, DATA_QUANTITY=200000)
            limit = time.monotonic() + 60
            while not (work.folder / "maeil.db.runner.lock").exists() and time.monotonic() < limit:
                time.sleep(0.01)
            time.sleep(0.2)
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
