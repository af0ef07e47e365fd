"""Two workers behind a real scheduler: folders of their own, and network namespaces of their own where the system
lets us make them. They share nothing but a MongoDB-compatible server. The day is cut into shards by dynamic task mapping.

A small program between Airflow and the binary gives each task to the worker that did not get the last one, so every task reads what the
other left in the database.
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests/e2e"), str(pathlib.Path(__file__).resolve().parent), str(SOURCE / "integrations/airflow/src")]
from harness import BINARY, Workspace, snapshot  # noqa: E402
from servers import SECANTUS, Server, needs_program  # noqa: E402
from small_model import small_model  # noqa: E402

try:
    import airflow  # noqa: F401
except ImportError:
    if os.environ.get("MAEIL_REQUIRE_DATA"):
        raise
    print("skipped: Apache Airflow is not installed (make build/peers/airflow-ready)")
    sys.exit(0)
from airflow_server import Airflow, end_on_sigterm  # noqa: E402

DATA, EVALUATION, DEPLOYMENT, SCORING = DAGS = "data_pipeline_dag", "model_evaluation_pipeline", "model_deployment_pipeline", "scoring_pipeline"
ALERT, SHARDS = "2026-10-21", 3
SETTINGS = {"DATA_QUANTITY": "4000", "DISTRIBUTION_MODEL": "distribution.json", "FINETUNE_EPOCHS": "1", "SHARDS": str(SHARDS), "THREADS": "1",
            "SENSOR_POKE_INTERVAL": "3", "SENSOR_TIMEOUT": "600"}
GATES = {ALERT: "0.75"}  # 0 on other days: the small model is not past 0.75

WRAPPER = """#!{python} -S
import fcntl, os, sys
folder, workers, gates, words = {folder!r}, {workers!r}, {gates!r}, sys.argv[1:]
enter = []
if words[0] == "task":
    with open(folder + "/taken", "a+") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        taken.seek(0)
        path, enter = workers[len(taken.readlines()) % 2]
        taken.write(path + " " + " ".join(words[1:]) + "\\n")
    os.chdir(path)
    os.environ["F1_THRESHOLD"] = gates.get(words[words.index("--logical-date") + 1], "0")
command = [*enter, {binary!r}, *words]
os.execvp(command[0], command)
"""


class Namespaces:
    """Two network namespaces that reach this machine's own and nothing else, each over a pair of interfaces; `names` is empty where the
    system does not allow it. The address is the one under which both reach a server of this machine."""

    def __init__(self):
        self.names, self.address, self.made = [], "127.0.0.1", []
        if os.geteuid() != 0 or not shutil.which("ip"):
            self.why = "needs root and iproute2"
            return
        try:
            for n in (1, 2):
                name, here, there = f"maeil{os.getpid()}-{n}", f"mw{os.getpid()}-{n}"[:14] + "h", f"mw{os.getpid()}-{n}"[:14] + "t"
                self.ip("netns", "add", name)
                self.made.append(name)
                self.ip("link", "add", here, "type", "veth", "peer", "name", there)
                self.ip("link", "set", there, "netns", name)
                self.ip("addr", "add", f"10.213.{n}.1/30", "dev", here)
                self.ip("link", "set", here, "up")
                self.ip("-n", name, "addr", "add", f"10.213.{n}.2/30", "dev", there)
                self.ip("-n", name, "link", "set", there, "up")
                if n == 2:
                    self.ip("-n", name, "route", "add", "10.213.1.1/32", "via", "10.213.2.1")
            self.names, self.address = self.made, "10.213.1.1"
        except subprocess.CalledProcessError as error:
            self.why = error.stderr.strip()
            self.__exit__()

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in self.made:  # its interfaces go with it
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        self.made = []


class TwoWorkers(unittest.TestCase):
    def test_a_sharded_day(self):
        needs_program(SECANTUS)
        spaces = self.enterContext(Namespaces())
        if not spaces.names:
            print(f"without network namespaces: {spaces.why}")
        server = self.enterContext(Server(SECANTUS, host=spaces.address))
        single = self.enterContext(Workspace(**SETTINGS))
        model = small_model()
        shutil.copy(model.distribution, single.folder)
        single.run("model", "import", model.classifier, expect=0)
        single.run("model", "import", model.encoder, expect=0)
        uri = server.uri("maeil")
        single.run("store", "copy", "--from", "maeil.db", "--to", uri, expect=0)
        workers = [self.enterContext(Workspace(**SETTINGS, MONGODB_URI=uri)) for _ in (1, 2)]
        for worker in workers:
            shutil.copy(model.distribution, worker.folder)

        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="maeil-airflow-")))
        wrapper = folder / "maeil"
        enter = [["ip", "netns", "exec", name] for name in spaces.names] or [[], []]
        wrapper.write_text(WRAPPER.format(python=sys.executable, folder=str(folder), binary=os.path.abspath(BINARY), gates=GATES,
                                          workers=[(str(w.folder), e) for w, e in zip(workers, enter)]))
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        server_of_dags = Airflow(folder / "home", SOURCE / "integrations/airflow/dags", {
            **SETTINGS, "MONGODB_URI": uri, "MAEIL_BIN": str(wrapper), "MAEIL_WORKSPACE": str(workers[0].folder), "MAEIL_RETRY_DELAY": "1",
            "PYTHONPATH": str(SOURCE / "integrations/airflow/src")})
        server_of_dags.migrate()
        self.addCleanup(server_of_dags.stop)
        server_of_dags.start()
        for dag in DAGS:
            server_of_dags.unpause(dag)
        today = server_of_dags.scheduled(DATA)  # the daily schedule's own run; the second day is triggered
        for dag in DAGS:
            server_of_dags.trigger(dag, ALERT)
        for run, code in ((today, 0), (f"test__{ALERT}", 4)):
            for dag in DAGS:
                self.assertEqual(server_of_dags.wait(dag, run), "success", f"{dag} {run}")
            date = run.split("__")[1][:10]
            shards = server_of_dags.tasks(DATA, run)
            self.assertEqual({k: v for k, v in shards.items() if isinstance(k, tuple)},
                             {(f"{t}_shards", i): "success" for t in ("generate_data", "preprocess_data") for i in range(SHARDS)})
            single.run("run", "--date", date, F1_THRESHOLD=GATES.get(date, "0"), expect=code)
            got, wanted = snapshot(workers[0], date), snapshot(single, date)
            for collection in wanted:
                if collection != "task_instances":  # the shards have records of their own
                    # Here both dates run at once: what is in force for the second is deployed by then, or not yet.
                    a, b = ([re.sub(r'"model_status": "[a-z]+"', "", text) for text in of[collection]] for of in (got, wanted))
                    self.assertEqual(a, b, f"{date} {collection}")
            raw = [w.find("raw_data", {"logical_date": date})[0]["sha256"] for w in (workers[1], single)]
            self.assertEqual(raw[0], raw[1])
            scores = [w.find("predictions", {"logical_date": date})[0]["sha256"] for w in (workers[1], single)]
            self.assertEqual(scores[0], scores[1])
        self.assertEqual(len(workers[1].find("alerts")), 1)

        taken = [line.split() for line in (folder / "taken").read_text().splitlines()]
        for worker in workers:  # each had shards of the same tasks, and is nobody's neighbour on disk
            own = {words[2] for words in taken if words[0] == str(worker.folder) and "--shard" in words}
            self.assertLessEqual({"generate_data", "preprocess_data", "evaluate_model", "score_data"}, own)
            self.assertFalse((worker.folder / "maeil.db").exists())


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main(verbosity=2)
