"""The day on MongoDB-compatible servers: what people's queries find, what faults leave, and copies between the two stores."""
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import unittest

from harness import GOLDEN, Workspace, busy, kill, needs, read_until, snapshot
from servers import FERRET, MONGOSH, PYMONGO, SECANTUS, Server, SmallDisk, needs_program
from small_model import small_model

DATE = "2026-11-20"
STARTED = re.compile(r"(\w+)\.([\w.]+)\s+started")
LONG = 10_000  # epochs of a fine-tuning that nobody waits for
# The contract's queries, and which day's outcome each must show: the day below ends in an alert.
QUERIES = {
    "db.alerts.find().sort({timestamp:-1})": 1,
    "db.evaluation_events.find().sort({timestamp:-1}).limit(10)": 1,
    'db.deployment_events.find({status:"deployed"}).sort({timestamp:-1})': 0,
    "db.model_metadata.find({finetuned_from:{$exists:true}})": 3,
    'db.evaluation_events.find({"retraining_info.was_retrained":true})': 0,
    "db.raw_data.find().limit(5)": 1,
    "db.processed_data.find().limit(5)": 5,
    "db.training_events.find().sort({timestamp:-1})": 3,
}


class Base(unittest.TestCase):
    """A workspace with the small model, made once on the embedded store and copied to a database for each test."""
    SETTINGS = dict(DATA_QUANTITY=300)
    PROGRAM, FLAGS = SECANTUS, ()

    @classmethod
    def setUpClass(cls):
        needs_program(cls.PROGRAM)
        cls.imported = small_model().workspace(**cls.SETTINGS)
        cls.server = Server(cls.PROGRAM, *cls.FLAGS)
        cls.databases = 0
        with cls.imported.copy() as calm:
            calm.run("run", "--date", DATE, expect=4)
            cls.wanted = snapshot(calm, DATE)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.imported.__exit__()

    def workspace(self, options="", **settings):
        type(self).databases += 1
        self.database = f"day{self.databases}"
        workspace = self.imported.copy()
        self.addCleanup(workspace.__exit__)
        workspace.run("store", "copy", "--from", "maeil.db", "--to", self.server.uri(self.database), expect=0)
        (workspace.folder / "maeil.db").unlink()  # what is found from here on is found on the server
        workspace.settings.update(MONGODB_URI=self.server.uri(self.database, options), **{k: str(v) for k, v in settings.items()})
        return workspace

    def check_day(self, workspace, failed=0):
        """`failed`: so many tasks of the date failed on the way, for which there are alerts."""
        found = snapshot(workspace, DATE)
        of_tasks = [alert for alert in found["alerts"] if '"TASK_FAILED"' in alert]
        self.assertEqual(len(of_tasks), failed)
        found["alerts"] = [alert for alert in found["alerts"] if alert not in of_tasks]
        for name, wanted in self.wanted.items():
            self.assertEqual(found[name], wanted, f"{name} differs from the embedded store's day")
        rows = self.server.python(f"print(db.processed_data.count_documents({{'logical_date': '{DATE}'}}))", self.database)
        self.assertEqual(rows, len(self.wanted["processed_data"]), "people see other rows than were published")

    def say_elsewhere(self):
        """The runner lock's holder was on a machine where nobody can look whether it lives. Returns the machine that it is on."""
        return self.server.python("found = db.maeil_control.find_one_and_update({}, {'$set': {'locks.runner.owner.machine': 'elsewhere', "
                                  "'locks.runner.owner.host': 'db9'}})\nprint(json.dumps(found['locks']['runner']['owner']['machine']))",
                                  self.database)

    def one_line(self, done, code, *parts):
        self.assertEqual(done.returncode, code, done.stderr)
        last = done.stderr.strip().splitlines()[-1]
        for part in parts:
            self.assertIn(part, last)
        self.assertNotIn("secret", done.stdout + done.stderr)
        return last


class Day(Base):
    SETTINGS = {}

    def test_a_day_as_people_see_it(self):
        workspace = self.workspace()
        workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace)
        everything = "({" + ",".join(f"{json.dumps(q)}: {q}.toArray()" for q in QUERIES) + "})"
        shown = self.server.mongosh(everything, self.database)
        for query, count in QUERIES.items():
            with self.subTest(query=query):
                self.assertEqual(len(shown[query]), count)
                if "timestamp:-1" in query:
                    times = [document["timestamp"]["$date"] for document in shown[query]]
                    self.assertEqual(times, sorted(times, reverse=True))
        row = shown["db.processed_data.find().limit(5)"][0]
        self.assertGreaterEqual(len(row), 142)
        for field in ("processing_timestamp", "dataset_name", "logical_date", "run_id", "split", "row"):
            self.assertIn(field, row)
        self.assertIn("$date", row["timestamp"])
        self.assertIn("$oid", shown["db.raw_data.find().limit(5)"][0]["file_id"])
        in_python = self.server.python(
            "a = list(db.alerts.find().sort('timestamp', -1))\n"
            "assert isinstance(a[0]['timestamp'], datetime.datetime) and isinstance(a[0]['_id'], ObjectId)\n"
            "import gridfs, hashlib\n"
            "raw = db.raw_data.find_one()\n"
            "bytes = gridfs.GridFSBucket(db).open_download_stream(raw['file_id']).read()\n"
            "print(json.dumps({'alerts': len(a), 'models': db.model_metadata.count_documents({'finetuned_from': {'$exists': True}}),\n"
            "  'events': db.evaluation_events.count_documents({}), 'deployed': db.deployment_events.count_documents({'status': 'deployed'}),\n"
            "  'rows': db.processed_data.count_documents({}), 'sha': hashlib.sha256(bytes).hexdigest() == raw['sha256']}))", self.database)
        self.assertEqual(in_python, {"alerts": 1, "models": 3, "events": 1, "deployed": 0, "rows": len(self.wanted["processed_data"]), "sha": True})
        again = workspace.run("run", "--date", DATE, expect=4)
        self.assertIn("nothing was done again", again.stdout)
        self.assertIn("is sound", workspace.run("doctor").stdout)


class Memory(Base):
    def test_rows_are_read_in_a_stream(self):
        """Reading a hundred megabytes of rows takes hardly more memory than reading two."""
        peaks = []
        for rows in (1000, 50000):
            workspace = self.workspace(DATA_QUANTITY=rows)
            for task in ("generate_data", "validate_data", "preprocess_data"):
                workspace.run("task", "data_pipeline_dag", task, "--logical-date", DATE, "--run-id", "memory", expect=0)
            doctor = workspace.start("doctor")  # reads every row, document and blob
            doctor.stderr.read()
            doctor.stderr.close()
            _, status, used = os.wait4(doctor.pid, 0)
            doctor.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(doctor.returncode, 0)
            peaks.append(used.ru_maxrss >> 10)
        self.assertLess(peaks[1] - peaks[0], 50, f"MiB at the peak for 1,000 and 50,000 rows: {peaks}")


class FullDisk(unittest.TestCase):
    """The disk under the server fills up in the middle of a day; whoever gives it room again gets the day that would have been."""

    def day(self, program, flags, megabytes, rows):
        needs_program(program)
        model = small_model().workspace(DATA_QUANTITY=rows)
        with SmallDisk(megabytes) as disk, model as workspace, Server(program, *flags, folder=disk.folder, prefix=disk.prefix) as server:
            with workspace.copy() as calm:
                calm.run("run", "--date", DATE, expect=4)
                wanted = snapshot(calm, DATE)
            workspace.run("store", "copy", "--from", "maeil.db", "--to", server.uri("full"), expect=0)
            (workspace.folder / "maeil.db").unlink()
            workspace.settings["MONGODB_URI"] = server.uri("full")
            # A server that panics may keep its connections open and never answer.
            failed = workspace.run("run", "--date", DATE, MONGODB_URI=server.uri("full", "?socketTimeoutMS=3000"), timeout=400)
            self.assertEqual(failed.returncode, 1, failed.stderr)
            last = failed.stderr.strip().splitlines()[-1]
            server.kill()
            disk.run("mount", "-o", "remount,size=2g", disk.folder)
            server.start()
            workspace.run("run", "--date", DATE, expect=4)
            found = snapshot(workspace, DATE)
            for name in wanted:
                self.assertEqual(found[name], wanted[name], name)
            count = server.python(f"print(db.processed_data.count_documents({{'logical_date': '{DATE}'}}))", "full")
            self.assertEqual(count, len(wanted["processed_data"]))
            return last

    def test_a_server_that_gives_up(self):
        # It panics when its journal does not grow: no answer, or a connection that breaks, now and then words of its own before.
        self.assertRegex(self.day(SECANTUS, ("--sync-on-commit",), 40, 10000),
                         "did not answer in time|the connection broke|cannot be reached|no room left on its disk|internal server error")

    def test_a_server_that_says_so(self):
        self.assertIn("full", self.day(FERRET, (), 16, 1000))


class FerretDay(Base):
    PROGRAM = FERRET
    SETTINGS = dict(DATA_QUANTITY=1000)

    def test_a_day_without_transactions(self):
        workspace = self.workspace()
        workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace)
        shown = self.server.mongosh("({" + ",".join(f"{json.dumps(q)}: {q}.toArray().length" for q in QUERIES) + "})", self.database)
        self.assertEqual(shown, QUERIES)


class Faults(Base):
    # SecantusDB writes a transaction's commit to disk only with this flag, whatever write concern the commit names (30 of 30 acknowledged
    # ones were gone after a kill without it; plain writes with j: true stay).
    FLAGS = ("--sync-on-commit",)

    def run_with_server_killed(self, after):
        workspace = self.workspace()
        process = workspace.start("run", "--date", DATE)
        for line in process.stderr:
            if (started := STARTED.search(line)) and started[2] == after:
                break
        time.sleep(0.05)  # nothing is waited for: a point inside the task
        self.server.kill()
        told = []
        reader = threading.Thread(target=lambda: told.append(process.stderr.read()))  # the pipe must not fill up
        reader.start()
        time.sleep(1.0)  # how long it is away
        self.server.start()
        code = process.wait(timeout=300)
        reader.join()
        process.stderr.close()
        if code != 4:  # an outage may cost a task its tries; the next run goes on from there
            self.assertEqual(code, 1, told)
            workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace)

    def test_the_server_is_killed_and_comes_back(self):
        for task in ("generate_data", "preprocess_data", "retrain_1.finetune_model", "retrain_2.evaluate_finetuned_model"):
            with self.subTest(task=task):
                self.run_with_server_killed(task)

    def test_a_failover_is_waited_for(self):
        for data in (dict(errorCode=91), dict(errorCode=10107), dict(closeConnection=True), dict(blockConnection=True, blockTimeMS=300)):
            with self.subTest(**data):
                workspace = self.workspace()
                self.server.fail_point({"times": 8}, failCommands=["insert", "update", "findAndModify", "find", "commitTransaction", "delete"], **data)
                workspace.run("run", "--date", DATE, expect=4)
                self.check_day(workspace)

    def test_a_server_that_answers_too_slowly(self):
        workspace = self.workspace()
        hasty = self.server.uri(self.database, "?socketTimeoutMS=500")
        self.server.fail_point("alwaysOn", failCommands=["findAndModify", "insert"], blockConnection=True, blockTimeMS=2000)
        try:
            self.one_line(workspace.run("run", "--date", DATE, MONGODB_URI=hasty), 1, "did not answer in time")
        finally:
            self.server.fail_point("off")
        workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace)

    def test_no_server(self):
        workspace = self.workspace()
        self.one_line(workspace.run("model", "list", MONGODB_URI="mongodb://user:secret@127.0.0.1:1/x"), 1, "cannot be reached", "is it running")
        self.one_line(workspace.run("model", "list", MONGODB_URI="mongo://user:secret@127.0.0.1"), 2, "MONGODB_URI")
        self.one_line(workspace.run("model", "list", MONGODB_URI="", MONGODB_PASSWORD="secret"), 2, "MONGODB_USERNAME")
        doctor = workspace.run("doctor", MONGODB_URI="mongodb://user:secret@127.0.0.1:1/x")
        self.assertNotIn("secret", doctor.stdout + doctor.stderr)

    def test_two_runs_at_once_and_the_death_of_the_first(self):
        workspace = self.workspace()
        first = workspace.start("run", "--date", DATE, FINETUNE_EPOCHS=LONG)
        read_until(first, STARTED)
        with busy():
            self.one_line(workspace.run("run", "--date", DATE), 1, str(first.pid), "runner lock")
        self.assertIsNone(first.poll(), "the day is too short for this test")
        kill(first)
        workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace)

    def test_a_holder_that_died_on_another_machine(self):
        workspace = self.workspace(LEASE_SECONDS=600)
        first = workspace.start("run", "--date", DATE, FINETUNE_EPOCHS=LONG)
        read_until(first, STARTED)
        self.say_elsewhere()
        self.assertIsNone(first.poll(), "the day is too short for this test")
        kill(first)
        second = workspace.start("run", "--date", DATE)
        read_until(second, r"held by maeil run \(process \d+ on db9.*waiting")
        # As if the lease had run out. That it does so by itself is in the test of a holder that was stopped.
        self.server.python("db.maeil_leases.update_one({'_id': 'runner'}, {'$set': {'expires': datetime.datetime(2000, 1, 1)}})", self.database)
        rest = second.communicate()[1]
        self.assertEqual(second.returncode, 4, rest)
        self.check_day(workspace)

    def test_a_machine_whose_clock_is_a_day_ahead_takes_no_lock(self):
        faketime = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if not faketime:
            self.skipTest("skipped: needs faketime (tools/packages.txt)")
        # Renewed every 10 s: the other one waits for that sign of life, and a machine would have to stand still for 20 s to lose the lease.
        workspace = self.workspace(LEASE_SECONDS=30)
        first = workspace.start("run", "--date", DATE, FINETUNE_EPOCHS=LONG)
        read_until(first, STARTED)
        machine = self.say_elsewhere()
        with busy():
            other = workspace.run("run", "--date", DATE, LD_PRELOAD=faketime, FAKETIME="+1d")
        self.one_line(other, 1, "runner lock")
        self.assertIsNone(first.poll(), "the day is too short for this test")
        self.server.python(f"db.maeil_control.update_one({{}}, {{'$set': {{'locks.runner.owner.machine': {machine!r}}}}})", self.database)
        kill(first)
        workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace)

    def test_a_holder_that_was_stopped_cannot_write(self):
        workspace = self.workspace(LEASE_SECONDS=3)
        first = workspace.start("run", "--date", DATE, FINETUNE_EPOCHS=300)
        read_until(first, "retrain_1.finetune_model  started")
        read_until(first, "epoch 1/300")
        first.send_signal(signal.SIGSTOP)
        with busy():
            self.server.python("import time\nwhile client.admin.command('hello')['localTime'] <= db.maeil_leases.find_one({'_id': 'runner'})['expires']:\n"
                               "  time.sleep(0.05)", self.database)
            workspace.run("run", "--date", DATE, expect=4)
            before = snapshot(workspace, DATE)
            first.send_signal(signal.SIGCONT)
            rest = first.communicate()[1]
        self.assertEqual(first.returncode, 1, rest)
        self.assertIn("retrain_1.finetune_model was taken up by another try", rest.strip().splitlines()[-1])
        self.assertEqual(snapshot(workspace, DATE), before)
        self.check_day(workspace)


class ShortLease(Base):
    SETTINGS = dict(DATA_QUANTITY=1000)

    def test_a_commit_may_take_longer_than_a_renewal(self):
        """Longer than the whole lease, of which a third is the time between two renewals, and on a loaded machine."""
        workspace = self.workspace(LEASE_SECONDS=6, F1_THRESHOLD=0)
        self.server.fail_point({"times": 2}, failCommands=["commitTransaction"], blockConnection=True, blockTimeMS=8000)
        started = time.monotonic()
        with busy():
            workspace.run("run", "--date", DATE, expect=0)
        self.assertGreater(time.monotonic() - started, 16, "no commit was slow")
        rows = self.server.python(f"print(db.processed_data.count_documents({{'logical_date': '{DATE}'}}))", self.database)
        self.assertEqual(rows, len(self.wanted["processed_data"]))


class Standalone(Base):
    """A server without transactions, killed and stopped in the same way."""
    FLAGS = ("--standalone",)

    def validate(self, rule):
        self.server.python(f"db.command('collMod', 'processing_metadata', validator={rule!r})", self.database)

    def test_a_batch_that_the_server_refuses_is_taken_back(self):
        workspace = self.workspace()
        day = ("--logical-date", DATE, "--run-id", "refused")
        for task in ("wait_for_source", "generate_data"):
            workspace.run("task", "data_pipeline_dag", task, *day, expect=0)
        workspace.run("task", "data_pipeline_dag", "validate_data", *day, expect=0)
        self.server.python("'processing_metadata' in db.list_collection_names() or db.create_collection('processing_metadata')", self.database)
        self.validate({"never": {"$exists": True}})
        refused = self.one_line(workspace.run("task", "data_pipeline_dag", "preprocess_data", *day), 1, "processing_metadata")
        self.assertNotIn("unexpected", refused)
        for reading in (("model", "list"), ("runs",)):
            workspace.run(*reading, expect=0)
        self.assertIn("is sound", workspace.run("doctor").stdout)
        self.validate({})
        workspace.run("run", "--date", DATE, expect=4)
        self.check_day(workspace, failed=1)

    def test_damaged_control_data_is_said_in_a_sentence(self):
        workspace = self.workspace()
        self.server.python("db.maeil_heads.insert_one({'_id': 10**6, 'batch': 'x'})", self.database)
        self.one_line(workspace.run("model", "list"), 3, "maeil_heads", "damaged")
        self.server.python("db.maeil_heads.delete_one({'_id': 10**6})\n"
                           "db.maeil_generations.insert_one({'collection': 5})", self.database)
        workspace.run("run", "--date", DATE, expect=4)

    def test_kill_the_client_at_random_points(self):
        for lines in (0, 2, 9, 17, 25):  # of some 40 that the day says; then 30 ms: a point inside a task
            with self.subTest(lines=lines):
                workspace = self.workspace()
                process = workspace.start("run", "--date", DATE)
                for _ in range(lines):
                    process.stderr.readline()
                time.sleep(0.03)
                kill(process)
                workspace.run("run", "--date", DATE, expect=4)
                self.check_day(workspace)


class Access(unittest.TestCase):
    def test_users_and_passwords(self):
        needs_program(SECANTUS)
        with Server(SECANTUS) as server, Workspace() as workspace:
            server.python("client.admin.command('createUser', 'risk', pwd='s3cret/word', roles=['readWriteAnyDatabase'])")
            server.kill()
            server.flags = ("--auth",)
            server.start()
            named = dict(MONGODB_HOST="127.0.0.1", MONGODB_PORT=server.port, MONGODB_DATABASE="mine", MONGODB_USERNAME="risk")
            workspace.run("model", "list", expect=0, MONGODB_PASSWORD="s3cret/word", **named)
            workspace.run("model", "list", expect=0, MONGODB_URI=server.uri("mine", "?authSource=admin", "risk:s3cret%2Fword@"))
            for settings in (dict(named, MONGODB_PASSWORD="s3cret/wrong"), dict(named, MONGODB_USERNAME="nobody", MONGODB_PASSWORD="s3cret/word")):
                done = workspace.run("model", "list", **settings)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("refuses the user name or password", done.stderr)
                self.assertNotIn("s3cret", done.stdout + done.stderr)
            done = workspace.run("model", "list", **dict(named, MONGODB_USERNAME=""))
            self.assertEqual(done.returncode, 2, done.stderr)
            # As the separate settings: the user is one of admin unless the URI says otherwise.
            workspace.run("model", "list", expect=0, MONGODB_URI=server.uri("mine", "", "risk:s3cret%2Fword@"))
            self.assertEqual(workspace.run("model", "list", MONGODB_URI=server.uri("mine", "?authSource=mine", "risk:s3cret%2Fword@")).returncode, 2)
            for settings in (named, dict(named, MONGODB_PASSWORD="")):
                done = workspace.run("model", "list", **settings)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("MONGODB_PASSWORD", done.stderr)
            done = workspace.run("model", "list", MONGODB_URI=server.uri("mine", "", "risk@"))
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("no password", done.stderr)
            shown = workspace.run("doctor", MONGODB_PASSWORD="s3cret/word", **named)
            self.assertNotIn("s3cret", shown.stdout + shown.stderr)

    def test_the_readmes_commands_on_a_server_with_users(self):
        needs_program(SECANTUS)
        with Server(SECANTUS) as server, small_model().workspace() as workspace:
            server.python("client.admin.command('createUser', 'maeil', pwd='change-me', roles=['readWriteAnyDatabase'])")
            server.kill()
            server.flags = ("--auth",)
            server.start()
            listed = workspace.run("model", "list", expect=0).stdout
            workspace.settings.update(MONGODB_HOST="127.0.0.1", MONGODB_PORT=str(server.port), MONGODB_USERNAME="maeil", MONGODB_PASSWORD="change-me")
            copied = workspace.run("store", "copy", "--from", "./maeil.db", "--to", "mongodb", expect=0)
            self.assertIn("/mlops_default_prediction", copied.stdout)
            self.assertEqual(workspace.run("model", "list", expect=0).stdout, listed)
            workspace.run("store", "copy", "--from", "mongodb", "--to", "./back.db", expect=0)

    def test_no_message_shows_a_password(self):
        needs_program(SECANTUS)
        with Server(SECANTUS) as server, Workspace() as workspace:
            for uri in ("risk:s3cretpw@127.0.0.1/x", "mongo://risk:s3cretpw@127.0.0.1/x", server.uri("x", "?serverSelectionTimeoutMS=200&tlsCertificateKeyFilePassword=s3cretpw"),
                        "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=200&tlsCertificateKeyFilePassword=s3cretpw", "mongodb://risk:s3cret:s3cretpw@127.0.0.1:1/x"):
                for words in (("model", "list"), ("doctor",), ("doctor", "--json"), ("store", "copy", "--from", uri, "--to", "a.db"),
                              ("store", "copy", "--from", "a.db", "--to", uri)):
                    with self.subTest(uri=uri, words=words):
                        done = workspace.run(*words, MONGODB_URI=uri)
                        self.assertNotIn("s3cret", done.stdout + done.stderr)
            self.assertEqual(sorted(path.name for path in workspace.folder.iterdir() if path.name.startswith("a.db")), [])

    def test_certificates(self):
        needs_program(SECANTUS)
        with Workspace() as workspace:
            folder = workspace.folder

            def openssl(*words):
                subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=folder)

            for name in ("ca", "other"):
                openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", 2, "-keyout", f"{name}.key", "-out", f"{name}.pem")
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", "srv.key", "-out", "srv.csr")
            (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
            openssl("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2, "-extfile", "san", "-out", "srv.pem")
            with Server(SECANTUS, "--tls-cert-file", folder / "srv.pem", "--tls-key-file", folder / "srv.key") as server:
                def tls(ca):
                    return server.uri("t", f"?tls=true&tlsCAFile={folder / ca}")
                workspace.run("model", "list", expect=0, MONGODB_URI=tls("ca.pem"))
                for uri in (tls("other.pem"), server.uri("t", "?tls=true")):
                    done = workspace.run("model", "list", MONGODB_URI=uri)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn("no TLS connection", done.stderr)
                    self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
                done = workspace.run("model", "list", MONGODB_URI=server.uri("t"))  # without TLS to a port that speaks nothing else
                self.assertEqual(done.returncode, 1, done.stderr)


class Copies(Base):
    def test_there_and_back(self):
        def report(workspace, *words):
            return json.loads(workspace.run("store", "copy", "--json", *words, expect=0).stdout)

        with self.imported.copy() as workspace:
            workspace.run("run", "--date", DATE, expect=4)
            uri = self.server.uri("copied")
            planned = report(workspace, "--from", "maeil.db", "--to", uri, "--dry-run")
            self.assertNotIn("copied", self.server.python("print(json.dumps(client.list_database_names()))"))
            sent = report(workspace, "--from", "maeil.db", "--to", uri)
            self.assertEqual(sent["collections"], planned["collections"])
            again = report(workspace, "--from", "maeil.db", "--to", uri)  # as after an interruption
            self.assertEqual(again, sent)
            back = report(workspace, "--from", uri, "--to", "back.db")
            self.assertEqual(back["collections"], sent["collections"])
            self.assertEqual(back["blobs"], sent["blobs"])
            self.assertEqual(snapshot(workspace, DATE), self.wanted)
            workspace.settings["STORE_PATH"] = "back.db"
            self.assertEqual(snapshot(workspace, DATE), self.wanted)
            self.assertIn("nothing was done again", workspace.run("run", "--date", DATE, expect=4).stdout)
            self.server.python("db.alerts.delete_one({})", "copied")
            self.assertEqual(workspace.run("store", "copy", "--from", "maeil.db", "--to", uri).returncode, 0)
            self.server.python("db.alerts.insert_one({'message': 'of somebody else'})", "copied")
            done = workspace.run("store", "copy", "--from", "maeil.db", "--to", uri)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("alerts", done.stderr)

    def refused(self, code, *parts, **settings):
        words = settings.pop("words")
        done = settings.pop("workspace").run("store", "copy", *words, **settings)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def databases_there(self):
        return self.server.python("print(json.dumps(client.list_database_names()))")

    def test_a_server_that_went_on_is_not_turned_back(self):
        with self.imported.copy() as workspace:
            uri = self.server.uri("went_on")
            copy = ("--from", "maeil.db", "--to", uri)
            workspace.run("store", "copy", *copy, expect=0)
            self.server.python("db.model_metadata.update_one({}, {'$set': {'status': 'retired'}})", "went_on")
            for words in (copy, (*copy, "--dry-run")):
                self.refused(3, "model_metadata differs", workspace=workspace, words=words)
                statuses = self.server.python("print(json.dumps([d['status'] for d in db.model_metadata.find()]))", "went_on")
                self.assertIn("retired", statuses)

    def test_a_target_with_other_things_is_refused_untouched(self):
        with self.imported.copy() as workspace:
            self.server.python("db.loans.insert_one({'amount': 1})", "others")
            self.server.python("import gridfs; gridfs.GridFS(db).put(b'bytes', filename='theirs.csv')", "files")
            for database, part in (("others", "loans"), ("files", "theirs.csv")):
                before = self.server.python("print(json.dumps(sorted(db.list_collection_names())))", database)
                for more in ((), ("--dry-run",)):
                    self.refused(3, part, workspace=workspace, words=("--from", "maeil.db", "--to", self.server.uri(database), *more))
                self.assertEqual(self.server.python("print(json.dumps(sorted(db.list_collection_names())))", database), before)

    def test_a_source_that_holds_nothing(self):
        with self.imported.copy() as workspace:
            for more in ((), ("--dry-run",)):
                self.refused(3, "holds nothing", workspace=workspace, words=("--from", self.server.uri("mistyped"), "--to", "b.db", *more))
                self.assertNotIn("mistyped", self.databases_there())
                self.assertFalse((workspace.folder / "b.db").exists())

    def test_one_server_by_two_names(self):
        with self.imported.copy() as workspace:
            uri = self.server.uri("twice")
            workspace.run("store", "copy", "--from", "maeil.db", "--to", uri, expect=0)
            for other in (uri.replace("127.0.0.1", "localhost"), uri.replace("mongodb:", "MongoDB:")):
                for more in ((), ("--dry-run",)):
                    self.refused(2, "the same store", workspace=workspace, words=("--from", uri, "--to", other, *more))
            # An address that only the system knows for the same: the lock in the source is the one that is in the way.
            self.refused(2, "the same store", workspace=workspace, words=("--from", uri, "--to", uri.replace("127.0.0.1", "127.1")))

    def test_the_bare_word(self):
        with self.imported.copy() as workspace:
            settings = dict(MONGODB_HOST="127.0.0.1", MONGODB_PORT=self.server.port, MONGODB_DATABASE="bare")
            workspace.run("store", "copy", "--from", "maeil.db", "--to", "mongodb", expect=0, **settings)
            self.assertIn("bare", self.databases_there())
            workspace.run("store", "copy", "--from", "mongodb", "--to", "b.db", expect=0, MONGODB_URI=self.server.uri("bare"))
            self.assertFalse((workspace.folder / "mongodb").exists())

    def test_files_of_other_programs(self):
        self.server.python("import gridfs\nfs = gridfs.GridFS(db)\nfs.put(b'bytes' * 1000, filename='raw.csv', metadata={'rows': 3})\n"
                           "fs.put(b'bytes', _id='named', filename='odd.csv')\n"
                           "db.fs.files.update_many({}, {'$set': {'uploadDate': datetime.datetime(2024, 3, 13, 1, 2, 3)}})", "pyfiles")
        with Workspace() as workspace:
            there = ("--from", self.server.uri("pyfiles"), "--to", "maeil.db")
            done = workspace.run("store", "copy", *there, expect=0)
            self.assertIn("1 blobs", done.stdout)
            self.assertIn('"odd.csv" whose _id "named" is no ObjectId', done.stdout)
            self.assertEqual(len(json.loads(workspace.run("store", "copy", *there, "--json", expect=0).stdout)["skipped"]), 1)
            back = ("--from", "maeil.db", "--to", self.server.uri("pyfiles_back"))
            workspace.run("store", "copy", *back, expect=0)
            dates = self.server.python("print(json.dumps([[f['filename'], str(f['uploadDate'])] for f in db.fs.files.find()]))", "pyfiles_back")
            self.assertEqual(dates, [["raw.csv", "2024-03-13 01:02:03"]])
            # The same file without our sha256, as another program leaves it: its bytes are compared.
            self.server.python("db.fs.files.update_many({}, {'$unset': {'sha256': 1}})", "pyfiles_back")
            workspace.run("store", "copy", *back, expect=0)
            self.server.python("db.fs.chunks.update_one({}, {'$set': {'data': b'BYTES' * 1000}})", "pyfiles_back")
            self.refused(3, "raw.csv", workspace=workspace, words=back)

    def test_documents_that_cannot_be_copied_are_named(self):
        self.server.python("from bson import Decimal128\ndb.loans.insert_one({'_id': ObjectId('0' * 24), 'amount': Decimal128('1.50')})", "decimal")
        self.server.python("db.loans.insert_one({'_id': 'L-17'})", "text_id")
        self.server.python("db.loans.insert_one({'rate': float('nan'), 'more': [float('inf'), 1.5]})", "nan")
        with Workspace() as workspace:
            for database, part in (("decimal", "0" * 24), ("text_id", "L-17")):
                for more in ((), ("--dry-run",)):
                    self.refused(3, part, "loans", workspace=workspace, words=("--from", self.server.uri(database), "--to", f"{database}.db", *more))
                self.assertFalse((workspace.folder / f"{database}.db").exists())
            self.assertIn("2 numbers of loans", workspace.run("store", "copy", "--from", self.server.uri("nan"), "--to", "nan.db", expect=0).stdout)
            left = self.server.python("db.x.insert_one({})\nprint(json.dumps(db.list_collection_names()))", "untouched")
            workspace.run("store", "copy", "--from", self.server.uri("untouched"), "--to", "x.db", "--dry-run", expect=0)
            self.assertEqual(self.server.python("print(json.dumps(db.list_collection_names()))", "untouched"), left)

    def test_the_python_projects_documents(self):
        needs(GOLDEN)
        origin = GOLDEN.parent / "origin_documents.json"
        needs(origin)
        self.server.python(f"for name, documents in json_util.loads(open({str(origin)!r}).read()).items():\n  db[name].insert_many(documents)", "origin")
        with Workspace(MONGODB_URI=self.server.uri("origin")) as workspace:
            listed = workspace.run("model", "list", expect=0).stdout
            for version in ("20240313_010203", "20240313_020304", "20240314_001500"):
                self.assertIn(version, listed)
            self.assertEqual(len(workspace.find("evaluation_events", {"retraining_info.was_retrained": True})), 1)
            workspace.run("store", "copy", "--from", self.server.uri("origin"), "--to", "maeil.db", expect=0)
            del workspace.settings["MONGODB_URI"]
            self.assertEqual(workspace.run("model", "list", expect=0).stdout, listed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
