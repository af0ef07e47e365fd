"""Runs the real binary in a folder of its own, as a user would.

The binary is named by MAEIL_BIN, the real files by MAEIL_SEED_DIR and MAEIL_GOLDEN_DIR (default: ../shared beside the
source tree). Without them a test is skipped with one line, or fails when MAEIL_REQUIRE_DATA is set.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("MAEIL_BIN", SOURCE / "build/release/maeil"))
SEED = pathlib.Path(os.environ.get("MAEIL_SEED_DIR", SOURCE / "../shared/seed")).resolve()
GOLDEN = pathlib.Path(os.environ.get("MAEIL_GOLDEN_DIR", SOURCE / "../shared/golden/data")).resolve()
SETTINGS = re.compile(r"^(MAEIL_|METRICS_FILE$|MODEL_|DATA_|DISTRIBUTION_|SOURCE_|SEED$|BOOK$|F1_|MIN_|EPOCHS|FINETUNE_|THREADS|STORE_|MONGODB_|DATASET|ROW_CAP|TEST_DAYS|SYNTHETIC_|DAY_DATA|LABELS|DATABASE_|SCORES_TABLE)")

# What a shell starts in the background ignores the interrupt, and so would every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def needs(folder):
    if not folder.exists():
        if os.environ.get("MAEIL_REQUIRE_DATA"):
            raise AssertionError(f"needs {folder}")
        raise unittest.SkipTest(f"skipped: needs {folder} (MAEIL_SEED_DIR, MAEIL_GOLDEN_DIR)")


class Workspace:
    """A temporary folder and the settings that its commands get."""

    def __init__(self, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="maeil-e2e-"))
        self.settings = {name: str(value) for name, value in settings.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path in [self.folder, *self.folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(self.folder, ignore_errors=True)

    def copy(self):
        other = Workspace(**self.settings)
        shutil.rmtree(other.folder)
        shutil.copytree(self.folder, other.folder, symlinks=True)
        return other

    def environment(self, settings):
        clean = {k: v for k, v in os.environ.items() if not SETTINGS.match(k)}
        return {**clean, **self.settings, **{k: str(v) for k, v in settings.items()}}

    def run(self, *arguments, timeout=600, expect=None, preexec_fn=None, **settings):
        done = subprocess.run([BINARY, *map(str, arguments)], cwd=self.folder, env=self.environment(settings), timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", preexec_fn=preexec_fn)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"maeil {' '.join(map(str, arguments))}: exit {done.returncode}, not {expect}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *arguments, **settings):
        """The process, its standard error readable line by line."""
        return subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.folder, env=self.environment(settings),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def without_xgboost(self):
        """The settings of a command that finds no XGBoost: the loader meets a file of that name first which is no library."""
        (self.folder / "lib").mkdir(exist_ok=True)
        (self.folder / "lib/libxgboost.so.0").write_bytes(b"")
        return {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, [str(self.folder / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]))}

    def find(self, collection, filter=None, sort=None):
        arguments = ["db", collection, "--json", "--limit", "0"]
        if filter is not None:
            arguments += ["--filter", json.dumps(filter)]
        if sort:
            arguments += ["--sort", sort]
        return json.loads(self.run(*arguments, expect=0).stdout)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()


def read_until(process, pattern):
    """Waits for the line of the standard error that the pattern is found in; an end before it fails."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if re.search(pattern, line):
            return line
    raise AssertionError(f"'{pattern}' was never said:\n{''.join(lines)}")


@contextlib.contextmanager
def busy():
    """Spinning processes beside what is tested, as many as there are processors: locks and leases must hold on a
    loaded machine."""
    spin = f"import os\nwhile os.getppid() == {os.getpid()}: sum(range(100000))"  # it ends with the test
    spinning = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


DATA, EVALUATION, DEPLOYMENT, SCORING = "data_pipeline_dag", "model_evaluation_pipeline", "model_deployment_pipeline", "scoring_pipeline"
# The tasks of a day that passes without retraining, in order: DAG, task, whether it may be cut into shards.
PASSING_DAY = [
    (DATA, "wait_for_source", False),
    (DATA, "generate_data", True),
    (DATA, "validate_data", False),
    (DATA, "preprocess_data", True),
    (EVALUATION, "wait_for_data", False), (EVALUATION, "load_latest_model", False),
    (EVALUATION, "evaluate_model", True), (EVALUATION, "check_model_performance", False), (EVALUATION, "send_evaluation_results", False),
    (DEPLOYMENT, "wait_for_evaluation", False), (DEPLOYMENT, "wait_for_model_ready", False), (DEPLOYMENT, "deploy_model", False),
    (DEPLOYMENT, "notify_deployment_complete", False), (SCORING, "wait_for_deployment", False), (SCORING, "score_data", True)]

COLLECTIONS = ["raw_data", "data_validations", "processed_data", "processing_metadata", "model_metadata", "performance_metrics", "training_data",
               "training_events", "evaluation_events", "deployment_events", "alerts", "notifications", "predictions", "task_instances"]
# What may differ between two runs of the same day: when it ran, under which process, and what is named after the time.
VOLATILE = {"timestamp", "run_id", "processing_timestamp", "created_at", "updated_at", "finetune_timestamp", "start_date", "end_date",
            "duration", "seconds", "try_number", "pid", "hostname", "file_id", "model_file_id", "sha256", "model_sha256", "run_type", "try_id", "at", "program"}


def stable(value):
    if isinstance(value, dict):
        left_out = VOLATILE
        if "compared_with_days" in value:  # what is unusual depends on which days the store has besides
            left_out = VOLATILE | {"compared_with_days", "findings", "status"}
        elif "alert_type" in value:  # why it rang names the days before
            left_out = VOLATILE | {"diagnosis"}
        elif value.get("task_id") == "validate_data":
            left_out = VOLATILE | {"message", "result"}
        return {k: stable(v) for k, v in value.items() if k not in left_out}
    if isinstance(value, list):
        return [stable(v) for v in value]
    if isinstance(value, str):
        return re.sub(r"\d+(\.\d+)? s\b", "T s", re.sub(r"\d{8}_\d{6}", "VERSION", value))
    return value


def snapshot(workspace, date):
    """Everything the day left in the store, without what may differ between two runs."""
    return {name: sorted(json.dumps(stable(document), sort_keys=True) for document in workspace.find(name, {"logical_date": date}))
            for name in COLLECTIONS}
