"""One maeil task as an Airflow task: the command line, its output in the task's log, its exit code as a state.

Exit codes: 0 success, 99 skipped, 75 not yet (sensors), 1 or death by a signal: Airflow may try again, 2 and 3: it may not.
"""
from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import tempfile
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.branch import BaseBranchOperator
from airflow.sdk import BaseOperator
from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from maeil_airflow.export import binary, workspace

WAITING, SKIPPED, FINAL = 75, 99, {2, 3}


def logical_date_of(context, time_zone: str) -> str:
    """The run's date on the clocks of `time_zone`; of a run without a logical date (triggered by an asset), the date on which it is due."""
    run = context["dag_run"]
    moment = run.logical_date or run.run_after
    return moment.astimezone(ZoneInfo(time_zone)).date().isoformat()


class MaeilTask:
    """What the three operators share. A mixin, since their bases are Airflow's."""

    def set_task(self, maeil_dag: str, maeil_task: str, attempt: int, time_zone: str, shard: str | None) -> None:
        self.maeil_dag, self.maeil_task, self.attempt, self.time_zone, self.shard = maeil_dag, maeil_task, attempt, time_zone, shard
        self.process: subprocess.Popen | None = None

    def command(self, context, result_path: str) -> list[str]:
        ti = context["ti"]
        words = [binary(), "task", self.maeil_dag, self.maeil_task, "--logical-date", logical_date_of(context, self.time_zone),
                 "--run-id", context["run_id"], "--retries-left", str(max(0, (ti.max_tries or 0) + 1 - ti.try_number)), "--parent", str(os.getpid()), "--result", result_path]
        if self.attempt:
            words += ["--attempt", str(self.attempt)]
        if self.shard:
            words += ["--shard", self.shard]
        return words

    def run_task(self, context) -> tuple[int, dict]:
        """Exit code and result. Every line that the task says goes to the log while it runs."""
        with tempfile.TemporaryDirectory(prefix="maeil-") as folder:
            path = pathlib.Path(folder) / "result.json"
            words = self.command(context, str(path))
            self.log.info("%s", " ".join(words))
            try:
                self.process = subprocess.Popen(words, cwd=workspace(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
            except OSError as error:
                raise AirflowFailException(f"{words[0]} cannot be started in {workspace()} ({error}): set MAEIL_BIN and MAEIL_WORKSPACE") from error
            with self.process as process:
                for line in process.stdout:
                    self.log.info("%s", line.rstrip())
            try:
                result = json.loads(path.read_text())
            except (OSError, ValueError):
                result = {"state": "failed", "next": [], "message": ""}
        return self.process.returncode, result

    def settle(self, code: int, result: dict) -> dict:
        """The result of a finished task; anything else becomes the exception with which Airflow means that state."""
        what = result.get("message") or f"maeil task ended with exit code {code} and without a result"
        if code == 0 and result.get("state") == "success":
            return result
        if code == SKIPPED:
            raise AirflowSkipException(what)
        if code in FINAL:
            raise AirflowFailException(f"{what} (exit code {code}: trying again is useless)")
        raise AirflowException(f"{what} (exit code {code})" if code >= 0 else f"maeil was ended by {signal.Signals(-code).name}")

    def on_kill(self) -> None:
        """Airflow ends the task: so does maeil, which leaves nothing half done."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


class MaeilOperator(MaeilTask, BaseOperator):
    ui_color = "#dbeafe"

    def __init__(self, *, maeil_dag: str, maeil_task: str, attempt: int = 0, time_zone: str = "UTC", shard: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.set_task(maeil_dag, maeil_task, attempt, time_zone, shard)

    def execute(self, context):
        return self.settle(*self.run_task(context))["message"]


class MaeilBranchOperator(MaeilTask, BaseBranchOperator):
    ui_color = "#fef3c7"

    def __init__(self, *, maeil_dag: str, maeil_task: str, attempt: int = 0, time_zone: str = "UTC", shard: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.set_task(maeil_dag, maeil_task, attempt, time_zone, shard)

    def choose_branch(self, context):
        return self.settle(*self.run_task(context))["next"]


class MaeilSensor(MaeilTask, BaseSensorOperator):
    ui_color = "#e0e7ff"

    def __init__(self, *, maeil_dag: str, maeil_task: str, attempt: int = 0, time_zone: str = "UTC", shard: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.set_task(maeil_dag, maeil_task, attempt, time_zone, shard)

    def poke(self, context) -> bool:
        code, result = self.run_task(context)
        if code == WAITING:
            return False
        self.settle(code, result)
        return True
