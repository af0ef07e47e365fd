"""Gets the DAGs as JSON, from a file or from the binary, and refuses what this version does not know.

docs/formats/dag_export.md describes every field.
"""
from __future__ import annotations

import json
import os
import pathlib
import subprocess

FORMAT, VERSION = "maeil-dags", 2
KINDS = {"action", "branch", "sensor"}
RULES = {"all_success", "none_failed_min_one_success"}
ANSWER_SECONDS = 20
# The fields that the factory reads and what they must be; OPTIONAL_FIELDS may be absent.
EXPORT_FIELDS = {"dags": list}
DAG_FIELDS = {"dag_id": str, "dataset": str, "description": str, "schedule": str, "time_zone": str, "poke_interval": (int, float), "sensor_timeout": (int, float), "tasks": list}
TASK_FIELDS = {"task_id": str, "kind": str, "upstream": list, "trigger_rule": str, "attempt": int, "retries": int, "group": (str, type(None)), "description": str}
OPTIONAL_FIELDS = {"shards": int, "shardable": bool, "produces": list}


def binary() -> str:
    return os.environ.get("MAEIL_BIN", "maeil")


def workspace() -> str:
    return os.environ.get("MAEIL_WORKSPACE", ".")


def read_export(path: str | os.PathLike | None = None) -> dict:
    """The checked JSON of `path`, else of MAEIL_DAGS, else of the binary. ValueError says what is wrong with it or where it should come from."""
    path = path or os.environ.get("MAEIL_DAGS")
    source, text = (str(path), read_text(path)) if path else ask_binary()
    try:
        export = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{source}: this is no JSON ({error}): make it with `maeil dag export`") from None
    check(export, source)
    return export


def read_text(path: str | os.PathLike) -> str:
    try:
        return pathlib.Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error}): make it with `maeil dag export`, and let MAEIL_DAGS name it") from None


def ask_binary() -> tuple[str, str]:
    """The command and what it answers."""
    command = [binary(), "dag", "export"]
    source = " ".join(command)
    if not os.path.isdir(workspace()):  # asked first: the system's error would not tell which of the two is absent
        raise ValueError(f"{workspace()}: there is no such folder: set MAEIL_WORKSPACE to the one in which tasks run")
    try:
        done = subprocess.run(command, cwd=workspace(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=ANSWER_SECONDS)
    except OSError as error:
        raise ValueError(f"{source}: cannot be started in {workspace()} ({error}): set MAEIL_BIN to maeil's binary") from None
    except subprocess.TimeoutExpired:
        raise ValueError(f"{source}: no answer in {ANSWER_SECONDS} s: make the export once and let MAEIL_DAGS name it") from None
    if done.returncode:
        raise ValueError(f"{source}: exit code {done.returncode}: {done.stderr.strip()}")
    return source, done.stdout


def check(export: dict, source: str) -> None:
    """ValueError names the field that is missing, of another type, or not known here."""
    if not isinstance(export, dict) or export.get("format") != FORMAT:
        raise ValueError(f"{source}: this is no export of maeil's DAGs (format {FORMAT})")
    if export.get("version") != VERSION:
        raise ValueError(f"{source}: version {export.get('version')}; this maeil-airflow reads version {VERSION}: install the one that came with maeil")
    check_fields(export, EXPORT_FIELDS, source)
    for number, dag in enumerate(export["dags"]):
        check_fields(dag, DAG_FIELDS, f"{source}: dags[{number}]")
        before = set()
        for place, task in enumerate(dag["tasks"]):
            check_fields(task, TASK_FIELDS, f"{source}: {dag['dag_id']}.tasks[{place}]")
            name = f"{source}: {dag['dag_id']}.{task['task_id']}"
            if task["kind"] not in KINDS:
                raise ValueError(f"{name}: unknown kind {task['kind']}")
            if task["trigger_rule"] not in RULES:
                raise ValueError(f"{name}: unknown trigger rule {task['trigger_rule']}")
            if unknown := {str(upstream) for upstream in task["upstream"]} - before:
                raise ValueError(f"{name}: {', '.join(sorted(unknown))} does not come before it")
            before.add(task["task_id"])


def check_fields(described: dict, fields: dict, name: str) -> None:
    if not isinstance(described, dict):
        raise ValueError(f"{name}: this is no object: make the export with `maeil dag export`")
    for field, kind in {**fields, **{field: kind for field, kind in OPTIONAL_FIELDS.items() if field in described}}.items():
        if field not in described or not isinstance(described[field], kind):
            found = "is missing" if field not in described else f"is {json.dumps(described[field])[:100]}"
            raise ValueError(f"{name}: the field {field} {found}: make the export with `maeil dag export`")
