"""Gets the DAGs as JSON, from a file or from the binary, and refuses what this version does not know.

docs/formats/dag_export.md describes every field.
"""
from __future__ import annotations

import json
import os
import pathlib
import subprocess

FORMAT, VERSION = "maeil-dags", 1
KINDS = {"action", "branch", "sensor"}
RULES = {"all_success", "none_failed_min_one_success"}


def binary() -> str:
    return os.environ.get("MAEIL_BIN", "maeil")


def workspace() -> str:
    return os.environ.get("MAEIL_WORKSPACE", ".")


def read_export(path: str | os.PathLike | None = None) -> dict:
    """The checked JSON of `path`, else of MAEIL_DAGS, else of the binary. ValueError says what is wrong with it."""
    path = path or os.environ.get("MAEIL_DAGS")
    if path:
        source, text = str(path), pathlib.Path(path).read_text()
    else:
        command = [binary(), "dag", "export"]
        source = " ".join(command)
        done = subprocess.run(command, cwd=workspace(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise ValueError(f"{source}: exit code {done.returncode}: {done.stderr.strip()}")
        text = done.stdout
    try:
        export = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{source}: this is no JSON ({error}): make it with `maeil dag export`") from None
    check(export, source)
    return export


def check(export: dict, source: str) -> None:
    if not isinstance(export, dict) or export.get("format") != FORMAT:
        raise ValueError(f"{source}: this is no export of maeil's DAGs (format {FORMAT})")
    if export.get("version") != VERSION:
        raise ValueError(f"{source}: version {export.get('version')}; this maeil-airflow reads version {VERSION}: install the one that came with maeil")
    for dag in export["dags"]:
        before = set()
        for task in dag["tasks"]:
            name = f"{source}: {dag['dag_id']}.{task['task_id']}"
            if task["kind"] not in KINDS:
                raise ValueError(f"{name}: unknown kind {task['kind']}")
            if task["trigger_rule"] not in RULES:
                raise ValueError(f"{name}: unknown trigger rule {task['trigger_rule']}")
            if unknown := set(task["upstream"]) - before:
                raise ValueError(f"{name}: {', '.join(sorted(unknown))} does not come before it")
            before.add(task["task_id"])
