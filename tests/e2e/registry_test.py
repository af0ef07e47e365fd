"""The registry through the real binary: names under concurrency, encoders, hostile documents, an empty folder, who did what.

Everything is made here with a tiny model; a MongoDB-compatible server is used where there is one.
"""
import ctypes
import json
import os
import pathlib
import sqlite3
import subprocess
import unittest

from harness import DATA, DEPLOYMENT, EVALUATION, Workspace
from servers import PYMONGO, SECANTUS, Server

DATE, NEXT = "2026-11-20", "2026-11-21"
TINY = dict(DATA_QUANTITY=300, F1_THRESHOLD=0, D_MODEL=8, NHEAD=1, NUM_LAYERS=1, DIM_FEEDFORWARD=8, EPOCHS=1, PRETRAIN_EPOCHS=1, THREADS=1,
            MIN_POSITIVES=1, MIN_NEGATIVES=1)
# As the embedded store files a document: the hash is XXH3 of its text.
xxh3 = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
xxh3.restype, xxh3.argtypes = ctypes.c_int64, [ctypes.c_char_p, ctypes.c_size_t]


class Embedded:
    """Documents behind the back of maeil, in its own file."""

    def __init__(self, workspace):
        self.database = workspace.folder / "maeil.db"

    def read(self, collection):
        with sqlite3.connect(self.database) as db:
            return [json.loads(body) for (body,) in db.execute("SELECT body FROM documents WHERE collection = ? ORDER BY seq", (collection,))]

    def write(self, collection, document):
        body = json.dumps(document).encode()
        with sqlite3.connect(self.database) as db:
            # As a store of schema 1, which anybody can write to: the next command that writes makes the indexes anew.
            if db.execute("PRAGMA user_version").fetchone()[0] == 2:
                for trigger in "documents_inserted", "documents_updated", "documents_deleted":
                    db.execute(f"DROP TRIGGER {trigger}")
                db.execute("DROP TABLE document_keys")
                db.execute("ALTER TABLE generations DROP COLUMN constants")
                db.execute("PRAGMA user_version = 1")
            key = document.get("task_key") if isinstance(document.get("task_key"), str) else None
            db.execute("INSERT OR REPLACE INTO documents(collection, id, task_key, body, hash) VALUES(?, ?, ?, ?, ?)",
                       (collection, document["_id"]["$oid"], key, body.decode(), xxh3(body, len(body))))


class OnServer:
    """The same through pymongo, in an interpreter that has it."""

    def __init__(self, uri, database):
        self.uri, self.database = uri, database

    def python(self, code, text=""):
        head = ("import sys, json, pymongo; from bson import json_util; "
                f"db = pymongo.MongoClient({self.uri!r})[{self.database!r}]; ")
        return subprocess.run([PYMONGO, "-c", head + code], input=text, capture_output=True, text=True, check=True).stdout

    def read(self, collection):
        return json.loads(self.python(f"print(json_util.dumps(list(db[{collection!r}].find()), json_options=json_util.RELAXED_JSON_OPTIONS))"))

    def write(self, collection, document):
        self.python(f"d = json_util.loads(sys.stdin.read()); db[{collection!r}].replace_one({{'_id': d['_id']}}, d, upsert=True)", json.dumps(document))


def changed(document, path, value):
    """The document with the field at a dotted path set."""
    out = json.loads(json.dumps(document))
    *parents, last = path.split(".")
    place = out
    for step in parents:
        place = place[step]
    place[last] = value
    return out


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class Tiny(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = Workspace(**TINY)
        cls.base.run("train", "--pretrain", "--train", "--rows", "600", expect=0)
        versions = {v["model_name"]: v for v in json.loads(cls.base.run("model", "list", "--json", expect=0).stdout)}
        cls.encoder = versions["default_prediction_encoder"]["model_version"]
        cls.classifier = versions["default_prediction_classifier"]["model_version"]
        cls.base.run("model", "export", cls.classifier, "--out", "model.pth", expect=0)
        cls.base.run("run", "--date", DATE, expect=0)

    @classmethod
    def tearDownClass(cls):
        cls.base.__exit__()


class Names(Tiny):
    def imports(self, workspace, count=6):
        started = [workspace.start("model", "import", self.base.folder / "model.pth") for _ in range(count)]
        for process in started:
            errors = process.communicate(timeout=300)[1]
            self.assertEqual(process.returncode, 0, errors)
        listed = [v["model_version"] for v in json.loads(workspace.run("model", "list", "--json", expect=0).stdout)]
        self.assertEqual(len(listed), count)
        self.assertEqual(len(set(listed)), count, listed)
        self.assertEqual(len(list((workspace.folder / "models").glob("*.pth"))), count)
        for version in listed:
            workspace.run("model", "export", version, "--out", f"{version}.pth", expect=0)
        self.assertEqual(len(workspace.find("audit_log", {"act": "import"})), count)

    def test_six_imports_at_once(self):
        for _ in range(3):
            with Workspace(**TINY) as fresh:
                self.imports(fresh)

    @unittest.skipUnless(SECANTUS.exists(), "skipped: needs a MongoDB-compatible server (make build/peers/mongo-ready)")
    def test_six_imports_at_once_on_a_server(self):
        with Server(SECANTUS) as server, Workspace(**TINY, MONGODB_URI=server.uri("names")) as fresh:
            self.imports(fresh)


class Encoders(Tiny):
    def test_an_encoder_is_neither_approved_nor_deployed(self):
        for command in ("approve", "deploy"):
            done = self.base.run("model", command, self.encoder)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("encoder", done.stderr)
        self.assertEqual(self.base.find("model_metadata", {"model_version": self.encoder})[0]["status"], "registered")

    def test_rollback_to_one_is_refused(self):
        with self.base.copy() as other:
            store = Embedded(other)
            present = [v for v in store.read("model_metadata") if v["status"] == "deployed"][0]
            encoder = [v for v in store.read("model_metadata") if v["model_version"] == self.encoder][0]
            present["status_history"][-1]["replaced"] = encoder["_id"]["$oid"]
            store.write("model_metadata", present)
            encoder["status"] = "retired"
            store.write("model_metadata", encoder)
            done = other.run("model", "rollback")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("encoder", done.stderr)


class EmptyFolder(unittest.TestCase):
    READING = [("model", "list"), ("model", "history"), ("db", "alerts"), ("runs",), ("doctor",), ("dag", "list"), ("dag", "show", DATA),
               ("dag", "export"), ("prune",), ("prune", "--dry-run"), ("backfill", "--from", DATE, "--to", DATE, "--dry-run")]
    NAMING = [("model", "show", "20261120_000000"), ("model", "export", "20261120_000000"), ("logs", DATE), ("model", "rollback"),
              ("model", "approve", "20261120_000000"), ("model", "deploy", "20261120_000000"), ("evaluate", "--model", "20261120_000000", "--in", "x.csv")]

    def test_reading_commands_make_nothing(self):
        for words in self.READING:
            for more in ((), ("--json",)):
                with self.subTest(words=words + more), Workspace() as fresh:
                    done = fresh.run(*words, *more)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertEqual(tree(fresh.folder), [])
                    if more:
                        json.loads(done.stdout)

    def test_a_name_that_nothing_has_makes_nothing(self):
        for words in self.NAMING:
            with self.subTest(words=words), Workspace() as fresh:
                done = fresh.run(*words)
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertEqual(tree(fresh.folder), [])

    @unittest.skipUnless(SECANTUS.exists(), "skipped: needs a MongoDB-compatible server (make build/peers/mongo-ready)")
    def test_nor_on_a_server(self):
        with Server(SECANTUS) as server:
            for words in self.READING + self.NAMING:
                with self.subTest(words=words), Workspace(MONGODB_URI=server.uri("nothing")) as fresh:
                    self.assertIn(fresh.run(*words).returncode, (0, 3))
                    self.assertEqual(tree(fresh.folder), [])
            names = OnServer(server.uri("nothing"), "nothing").python("print(db.list_collection_names())")
            self.assertEqual(names.strip(), "[]")


# collection, which of its documents, field, values that it may not have.
VERSION_NAMES = ["/tmp/maeil-was-here", "../../maeil-was-here", "..", "", 7, None, {"$date": "2026-11-20T00:00:00Z"}]
HOSTILE = [("model_metadata", "model_version", VERSION_NAMES), ("model_metadata", "model_name", [3, ["x"]]), ("model_metadata", "status", [{"a": 1}]),
           ("model_metadata", "model_path", [5]), ("model_metadata", "model_file_id", ["../x", 1]), ("model_metadata", "sha256", ["../x", 5]),
           ("model_metadata", "hyperparameters", [[1]]), ("model_metadata", "metrics", ["fine"]), ("model_metadata", "notes", [{"x": 1}]),
           ("model_metadata", "finetuned_from", [5]), ("model_metadata", "status_history", ["x", [1]])]
READING = [("model", "list"), ("model", "show", "{version}"), ("model", "history"), ("model", "export", "{version}", "--out", "out.pth"),
           ("model", "approve", "{version}"), ("model", "deploy", "{version}"), ("model", "rollback"), ("run", "--date", NEXT),
           ("task", EVALUATION, "load_latest_model", "--logical-date", DATE, "--run-id", "r")]
# What other commands read: they may show it as it is, or refuse it; never break, never write elsewhere.
ELSEWHERE = [("raw_data", "rows", ["many", -1, None]), ("raw_data", "sha256", ["../x", 1]), ("raw_data", "file_id", [1]), ("raw_data", "filename", ["../../x", 1]),
             ("raw_data", "row_offsets", [{"every": "x", "bytes": "y"}]), ("raw_data", "logical_date", [5]),
             ("task_instances", "result", ["x", None, {"model_id": 5}, {"model_id": "../x"}, {"metrics": "good"}, {"metrics": {"f1_score": "good"}}]),
             ("task_instances", "state", [5]), ("task_instances", "run_id", [{"x": 1}]), ("task_instances", "message", [[1]]),
             ("task_instances", "error", [{"code": 1, "message": 2}]), ("task_instances", "dag_id", [7]), ("task_logs", "lines", ["x", [{"y": 1}]]),
             ("dag_runs", "run_id", [5]), ("dag_runs", "state", [[]]), ("dag_runs", "start_date", ["yesterday"]), ("deployment_events", "model_id", [5]),
             ("deployment_events", "model_version", [{"a": 1}]), ("deployment_events", "unchanged", ["yes"]), ("audit_log", "actor", ["me"]),
             ("audit_log", "settings", ["none"]), ("performance_metrics", "metrics", ["good"]), ("version_names", "model_version", [5]),
             ("processing_metadata", "status", [5])]
OTHERS = [("model", "show", "{version}"), ("model", "history"), ("runs",), ("logs", DATE), ("doctor",), ("prune",), ("db", "raw_data"),
          ("task", DATA, "preprocess_data", "--logical-date", DATE, "--run-id", "r"), ("task", EVALUATION, "evaluate_model", "--logical-date", DATE, "--run-id", "r"),
          ("task", EVALUATION, "send_evaluation_results", "--logical-date", DATE, "--run-id", "r"),
          ("task", DEPLOYMENT, "deploy_model", "--logical-date", DATE, "--run-id", "r"), ("run", "--date", NEXT)]


class Hostile(Tiny):
    def spared(self, workspace, outside):
        self.assertFalse(pathlib.Path("/tmp/maeil-was-here").exists())
        self.assertEqual(tree(outside), self.neighbours)

    def run_one(self, workspace, words, version):
        done = workspace.run(*[word.format(version=version) for word in words], RETENTION_DAYS_RAW=1)
        said = f"{' '.join(words)}: {done.returncode} {done.stdout[-300:]}{done.stderr[-600:]}"
        self.assertIn(done.returncode, (0, 1, 2, 3), said)
        self.assertNotIn("unexpected", done.stderr, said)
        self.assertNotIn("json.exception", done.stderr, said)
        self.assertNotIn("exception", done.stderr, said)
        return done, said

    def versions(self, make):
        for collection, field, values in HOSTILE:
            for value in values:
                workspace, store = make()
                document = [v for v in store.read(collection) if v["model_version"] == self.classifier][0]
                store.write(collection, changed(document, field, value))
                before = sorted(p.name for p in workspace.folder.parent.iterdir() if "was-here" in p.name)
                for words in READING:
                    with self.subTest(field=field, value=value, command=words):
                        done, said = self.run_one(workspace, words, self.classifier)
                        self.assertEqual(done.returncode, 3, said)
                        for part in (collection, document["_id"]["$oid"], field):
                            self.assertIn(part, done.stderr, said)
                self.assertEqual(self.run_one(workspace, ("doctor",), "")[0].returncode, 1)
                self.assertEqual(self.run_one(workspace, ("db", collection), "")[0].returncode, 0)
                self.assertEqual(sorted(p.name for p in workspace.folder.parent.iterdir() if "was-here" in p.name), before)
                self.assertFalse(pathlib.Path("/tmp/maeil-was-here").exists())

    def copy(self):
        workspace = self.base.copy()
        self.addCleanup(workspace.__exit__)
        return workspace, Embedded(workspace)

    def test_versions(self):
        self.versions(self.copy)

    def test_everything_else(self):
        for collection, field, values in ELSEWHERE:
            for value in values:
                workspace, store = self.copy()
                for document in store.read(collection):
                    store.write(collection, changed(document, field, value))
                for words in OTHERS:
                    with self.subTest(collection=collection, field=field, value=value, command=words):
                        done, said = self.run_one(workspace, words, self.classifier)

    def test_a_version_s_path_is_never_opened(self):
        workspace, store = self.copy()
        document = [v for v in store.read("model_metadata") if v["model_version"] == self.classifier][0]
        for path in ("/tmp/..", "..", "/", "/tmp/maeil-was-here/"):
            store.write("model_metadata", changed(document, "model_path", path))
            workspace.run("model", "export", self.classifier, expect=0)
        self.assertTrue((workspace.folder / f"model_{self.classifier}.pth").exists())

    @unittest.skipUnless(SECANTUS.exists(), "skipped: needs a MongoDB-compatible server (make build/peers/mongo-ready)")
    def test_versions_on_a_server(self):
        with Server(SECANTUS) as server:
            uri = server.uri("hostile")
            self.base.run("store", "copy", "--from", "maeil.db", "--to", uri, expect=0)
            with Workspace(**TINY, MONGODB_URI=uri) as workspace:
                store = OnServer(uri, "hostile")
                good = [v for v in store.read("model_metadata") if v["model_version"] == self.classifier][0]
                for field, value in (("model_version", "/tmp/maeil-was-here"), ("model_version", 7), ("sha256", 5), ("metrics", "fine"), ("status_history", "x")):
                    store.write("model_metadata", changed(good, field, value))
                    for words in READING:
                        with self.subTest(field=field, value=value, command=words):
                            done, said = self.run_one(workspace, words, self.classifier)
                            self.assertEqual(done.returncode, 3, said)
                            for part in ("model_metadata", good["_id"]["$oid"], field):
                                self.assertIn(part, done.stderr, said)
                self.assertFalse(pathlib.Path("/tmp/maeil-was-here").exists())


class WhoDidWhat(Tiny):
    def test_acts_and_what_ran(self):
        with self.base.copy() as other:
            other.run("model", "import", "model.pth", expect=0)
            imported = json.loads(other.run("model", "list", "--json", expect=0).stdout)[0]["model_version"]
            other.run("model", "approve", imported, expect=0)
            other.run("model", "deploy", imported, expect=0)
            other.run("model", "rollback", expect=0)
            other.run("run", "--date", NEXT, expect=0, FINETUNE_EPOCHS=2, MONGODB_PASSWORD="")
            acts = other.find("audit_log", sort="timestamp:1")
            self.assertEqual([a["act"] for a in acts], ["settings", "approve", "deploy", "import", "approve", "deploy", "rollback", "settings"])
            for act in acts:
                self.assertTrue({"timestamp", "logical_date", "run_id", "actor", "act", "what", "from", "to", "version"} <= set(act), act)
                self.assertTrue(act["actor"]["os_user"] and act["actor"]["host"])
            self.assertEqual((acts[4]["from"], acts[4]["to"]), ("registered", "approved"))
            self.assertEqual((acts[5]["from"], acts[5]["to"]), (self.classifier, imported))
            self.assertEqual((acts[6]["from"], acts[6]["to"]), (imported, self.classifier))
            self.assertIsNone(acts[0]["from"])
            self.assertEqual((acts[1]["what"], acts[1]["from"], acts[1]["to"]), (self.classifier, "registered", "approved"))
            self.assertNotEqual(acts[1]["run_id"], "manual")
            self.assertEqual((acts[7]["from"], acts[7]["to"]), ({"FINETUNE_EPOCHS": "3"}, {"FINETUNE_EPOCHS": "2"}))

            program = other.find("dag_runs", {"logical_date": NEXT})[0]["program"]
            self.assertEqual(program["settings"]["FINETUNE_EPOCHS"], "2")
            self.assertRegex(program["dataset"]["sha256"], "^[0-9a-f]{64}$")
            self.assertTrue(program["instruction_set"] and program["maeil"])
            self.assertFalse([name for name in program["settings"] if "MONGODB" in name or "PASSWORD" in name])
            other.run("task", EVALUATION, "load_latest_model", "--logical-date", NEXT, "--run-id", "by-task", expect=0, FINETUNE_EPOCHS=2)
            record = other.find("task_instances", {"run_id": "by-task"})[0]
            self.assertEqual(record["program"]["settings"], program["settings"])

            history = json.loads(other.run("model", "history", "--json", expect=0).stdout)
            mine = [v for v in history["versions"] if v["model_version"] == imported][0]
            self.assertEqual([e["status"] for e in mine["status_history"]], ["registered", "approved", "deployed", "retired"])
            self.assertEqual(len(history["audit"]), 8)
            text = other.run("model", "history", expect=0).stdout
            for part in ("rollback", imported, "approved by hand"):
                self.assertIn(part, text)

            other.run("prune", expect=0, RETENTION_DAYS_RAW=1, RETENTION_DAYS_PROCESSED=1)
            self.assertEqual(other.find("audit_log", sort="timestamp:1"), acts)
            other.run("run", "--date", "2026-11-22", expect=0, FINETUNE_EPOCHS=2)  # as the last time: no act, and a pass deploys nothing new
            self.assertEqual(len(other.find("audit_log")), 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
