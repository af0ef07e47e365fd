"""Storing a day's prepared rows on one server: pymongo with ready dicts, the Python project's way, and maeil beside them.

    SECANTUS/bin/python benchmarks/peers/mongo_speed.py SECANTUS/bin/secantusd-py build/release/store_bench

The interpreter needs pymongo and pandas. 10,000 rows of 142 fields (83 whole numbers, 59 floats) and two fields more, majority and
journaled, five times each; prints the median of this process's processor time and of the wall time. Then runs
store_bench (configure with -DMAEIL_BENCHMARKS=ON) against the same server.
"""
import datetime
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import pandas
import pymongo

ROWS, CODES, NUMBERS, REPEATS = 10_000, 83, 59, 5


def frame():
    columns = {f"category_{c:03d}": [(i * (c + 7)) % 97 for i in range(ROWS)] for c in range(CODES)}
    columns |= {f"number_{CODES + c:03d}": [((i * 7919 + c * 104729) % 100003) / 1000.0 - 50.0 for i in range(ROWS)] for c in range(NUMBERS)}
    return pandas.DataFrame(columns)


def measure(name, collection, prepare, work):
    cpu, wall = [], []
    for _ in range(REPEATS):
        collection.drop()
        prepared = prepare()
        c, w = time.process_time(), time.perf_counter()
        work(prepared)
        cpu.append(time.process_time() - c)
        wall.append(time.perf_counter() - w)
        assert collection.count_documents({}) == ROWS
    print(f"{name:<44} cpu {statistics.median(cpu) * 1e3:8.1f} ms   wall {statistics.median(wall) * 1e3:8.1f} ms", flush=True)


def main():
    server, bench = sys.argv[1:3]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="maeil-speed-")
    process = subprocess.Popen([server, "--host", "127.0.0.1", "--port", str(port), "--storage-path", folder],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        uri = f"mongodb://127.0.0.1:{port}/bench"
        client = pymongo.MongoClient(uri, w="majority", journal=True, serverSelectionTimeoutMS=30_000)
        client.admin.command("ping")
        rows = client.bench.python_rows
        data = frame()
        stamp = datetime.datetime(2026, 11, 23)

        def ready():
            return [{**row, "logical_date": "2026-11-23", "timestamp": stamp} for row in data.to_dict("records")]

        def as_the_project_does(frame):
            documents = json.loads(frame.to_json(orient="records"))
            for document in documents:
                document["processing_timestamp"] = stamp
                document["dataset_name"] = "corporate_loan"
            for first in range(0, len(documents), 500):
                rows.insert_many(documents[first:first + 500])

        measure("pymongo, insert_many of ready dicts", rows, ready, rows.insert_many)
        measure("to_json, json.loads, insert_many by 500", rows, lambda: data, as_the_project_does)
        rows.drop()
        subprocess.run([bench, "--benchmark_filter=Mongo", "--benchmark_display_aggregates_only=true"],
                       env={**os.environ, "MAEIL_MONGO_URI": uri}, check=True)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
