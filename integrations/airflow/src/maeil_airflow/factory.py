"""JSON to DAGs. Nothing here knows what a task does; a task whose work may be cut is mapped over its shards when SHARDS > 1.

Of such a task T the shards are `T_shards` (mapped: 1/n ... n/n), and T itself puts their parts together, so its id, its place and
its state mean the same with and without shards.
"""
from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset, TaskGroup
from airflow.timetables.trigger import CronTriggerTimetable

from maeil_airflow.export import read_export
from maeil_airflow.operators import MaeilBranchOperator, MaeilOperator, MaeilSensor

OPERATORS = {"action": MaeilOperator, "branch": MaeilBranchOperator, "sensor": MaeilSensor}
# A sensor that asks this rarely gives its worker slot back in between; Airflow 3.3 loses track of one that comes back within seconds.
RESCHEDULE_FROM = 60


def load_dags(path: str | os.PathLike | None = None) -> dict[str, DAG]:
    """The DAGs by id, from the JSON file `path`, else MAEIL_DAGS, else what the binary exports."""
    return build_dags(read_export(path))


def build_dags(export: dict) -> dict[str, DAG]:
    return {dag["dag_id"]: build_dag(dag) for dag in export["dags"]}


def build_dag(described: dict) -> DAG:
    time_zone = described["time_zone"]
    with DAG(
        dag_id=described["dag_id"],
        description=described["description"],
        doc_md=described["description"],
        schedule=CronTriggerTimetable(described["schedule"], timezone=time_zone),
        start_date=pendulum.datetime(2020, 1, 1, tz=time_zone),
        catchup=False,
        max_active_runs=1,
        tags=["maeil", described["dataset"]],
    ) as dag:
        groups, tasks = {}, {}
        for task in described["tasks"]:
            group = task["group"]
            if group and group not in groups:
                groups[group] = TaskGroup(group_id=group)
            with groups[group] if group else nullcontext():
                first, last = build_task(described, task)
            for upstream in task["upstream"]:
                tasks[upstream] >> first
            tasks[task["task_id"]] = last
    return dag


def build_task(dag: dict, task: dict):
    """The operators of one task: what follows its upstreams, and what its downstreams follow."""
    own_id = task["task_id"].rpartition(".")[2]  # the group puts its own name before it
    common = {
        "maeil_dag": dag["dag_id"],
        "maeil_task": task["task_id"],
        "attempt": task["attempt"],
        "time_zone": dag["time_zone"],
        "trigger_rule": task["trigger_rule"],
        "retries": task["retries"],
        "retry_delay": timedelta(seconds=float(os.environ.get("MAEIL_RETRY_DELAY", "30"))),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "doc_md": task["description"],
    }
    # An asset is the dataset's, as the DAG is: other DAGs may wait for one book's scores and not for another's.
    of_dataset = "" if "__" not in dag["dag_id"] else f"{dag['dataset']}/"
    last = dict(common, outlets=[Asset(name=f"maeil/{of_dataset}{name}", uri=f"maeil://store/{of_dataset}{name}") for name in task.get("produces", [])])
    if task["kind"] == "sensor":
        interval = dag["poke_interval"]
        last.update(poke_interval=interval, timeout=dag["sensor_timeout"], mode="reschedule" if interval >= RESCHEDULE_FROM else "poke")
    shards = dag.get("shards", 1)
    if not task.get("shardable") or shards == 1:
        only = OPERATORS[task["kind"]](task_id=own_id, **last)
        return only, only
    mapped = MaeilOperator.partial(task_id=f"{own_id}_shards", map_index_template="{{ task.shard }}", **common).expand(
        shard=[f"{i}/{shards}" for i in range(1, shards + 1)])
    merge = OPERATORS[task["kind"]](task_id=own_id, shard=f"merge/{shards}", **last)
    mapped >> merge
    return mapped, merge
