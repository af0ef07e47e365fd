"""Apache Airflow in a folder of its own: SQLite, LocalExecutor, api-server, scheduler and dag processor, asked through its REST API."""
import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import quote

FINISHED = {"success", "failed"}


def end_on_sigterm():
    """So that a test that is told to stop stops what it started (unittest goes on after every other exception)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Airflow:
    """`environment` goes to every process, so to every task. Processes are ended by their own ids. `python`: the interpreter that
    Airflow is installed for. `parallelism`: above the sensors that wait at once (they keep their slots when they ask often) and
    their work; of two days, three each."""

    def __init__(self, folder, dags_folder, environment, python=sys.executable, parallelism=12):
        self.python = python
        self.home = pathlib.Path(folder)
        self.home.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.processes = {}
        self.token = None
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "MAEIL_", "MONGODB_"))}, **environment,
            "PATH": f"{pathlib.Path(python).parent}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(parallelism),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout=60",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": "of a test",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of a test " * 8,
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # a loaded machine answers later than in the default's five
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
        }

    def cli(self, *words, check=True):
        done = subprocess.run([self.python, "-m", "airflow", *words], env=self.environment, capture_output=True, text=True, timeout=300)
        if check and done.returncode:
            raise AssertionError(f"airflow {' '.join(words)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def migrate(self):
        self.cli("db", "migrate")
        self.cli("dags", "reserialize")

    def start(self):
        """What does not run of it."""
        for name, words in [("api", ["api-server"]), ("scheduler", ["scheduler", "--skip-serve-logs"]), ("dagproc", ["dag-processor"])]:
            if name in self.processes:
                continue
            log = open(self.home / f"{name}.log", "ab")
            self.processes[name] = subprocess.Popen([self.python, "-m", "airflow", *words], env=self.environment, stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_parent)
            log.close()
        while all(process.poll() is None for process in self.processes.values()):
            try:
                with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=60) as reply:
                    health = json.load(reply)
                if all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor")):
                    break
            except (OSError, KeyError):
                pass
            time.sleep(0.5)
        else:
            raise AssertionError("Airflow did not start:\n" + self.tail())
        with urllib.request.urlopen(f"{self.url}/auth/token", timeout=120) as reply:
            self.token = json.load(reply)["access_token"]

    def tail(self):
        return "\n".join(f"== {name}\n{(self.home / f'{name}.log').read_text(errors='replace')[-2000:]}" for name in self.processes)

    def kill(self, name):
        """One of the processes and all that it started, at once."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self):
        for name in ("scheduler", "dagproc", "api"):
            process = self.processes.pop(name, None)
            if not process:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its own session: the scheduler and the workers it started
                process.wait()

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/api/v2/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Accept": "application/json"})
        for attempt in range(20):
            try:
                with urllib.request.urlopen(request, timeout=120) as reply:
                    return json.load(reply)
            except urllib.error.HTTPError as error:
                text = error.read().decode(errors="replace")
                if error.code == 409 and attempt > 0:  # done by a try whose answer was lost
                    return {}
                busy = error.code == 503 or (error.code == 500 and "Database error" in text)  # SQLite is locked by another of Airflow's processes
                if not busy or attempt == 19:
                    raise AssertionError(f"{method} {path}: {error.code} {text[:2000]}") from None
                time.sleep(0.5)
            except TimeoutError:  # a busy machine; a question may be asked again
                if method != "GET" or attempt == 19:
                    raise

    def unpause(self, dag):
        self.call("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})

    def trigger(self, dag, date, run_id=None):
        run_id = run_id or f"test__{date}"
        self.call("POST", f"dags/{dag}/dagRuns", {"logical_date": f"{date}T00:00:00Z", "dag_run_id": run_id})
        return run_id

    def scheduled(self, dag):
        """The id of the run that the schedule made when the DAG was unpaused."""
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            for run in self.call("GET", f"dags/{dag}/dagRuns?limit=100")["dag_runs"]:
                if run["run_type"] == "scheduled":
                    return run["dag_run_id"]
            time.sleep(0.5)
        raise AssertionError(f"{dag}: nothing was scheduled\n{self.tail()}")

    def run(self, dag, run_id):
        return self.call("GET", f"dags/{dag}/dagRuns/{quote(run_id)}")

    def tasks(self, dag, run_id):
        """State of each task; of a mapped one its own and all its shards', by (task id, map index)."""
        found = self.call("GET", f"dags/{dag}/dagRuns/{quote(run_id)}/taskInstances?limit=500")["task_instances"]
        return {(t["task_id"], t["map_index"]) if t["map_index"] >= 0 else t["task_id"]: t["state"] for t in found}

    def task(self, dag, run_id, task):
        return self.call("GET", f"dags/{dag}/dagRuns/{quote(run_id)}/taskInstances/{task}")

    def wait(self, dag, run_id, timeout=900):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            state = self.run(dag, run_id)["state"]
            if state in FINISHED:
                return state
            time.sleep(0.5)
        raise AssertionError(f"{dag} {run_id} did not end: {self.tasks(dag, run_id)}\n{self.tail()}")

    def log(self, dag, run_id, task, attempt=1):
        return json.dumps(self.call("GET", f"dags/{dag}/dagRuns/{quote(run_id)}/taskInstances/{task}/logs/{attempt}?full_content=true"))

    def failures(self, dag, run_id):
        """What the tasks that failed in a run wrote, each try, for the message of an assertion."""
        lines = []
        for task, state in self.tasks(dag, run_id).items():
            if state == "failed":
                for attempt in range(1, self.task(dag, run_id, task)["try_number"] + 1):
                    lines.append(f"{dag} {run_id} {task} try {attempt}: {self.log(dag, run_id, task, attempt)[-3000:]}")
        return "\n".join(lines)

    def clear(self, dag, run_id, *tasks, downstream=True):
        self.call("POST", f"dags/{dag}/clearTaskInstances", {"dry_run": False, "dag_run_id": run_id, "task_ids": list(tasks), "only_failed": False,
                                                             "include_downstream": downstream, "reset_dag_runs": True})
