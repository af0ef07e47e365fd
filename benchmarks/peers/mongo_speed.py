"""Storing a day's prepared rows on one server: pymongo with ready dicts, the Python project's way, a plain libmongoc loop, and maeil.

    SECANTUS/bin/python benchmarks/peers/mongo_speed.py SECANTUS/bin/secantusd-py build/release/store_bench [REPEATS]

The interpreter needs pymongo and pandas. 10,000 rows of 142 fields (83 whole numbers, 59 floats) and two fields more, majority and
journaled; then 100 MB through GridFS. The test server slows down as it fills, so every measurement has a new one, and the candidates
take turns. Prints medians of the client's processor time and of the wall time. store_bench: configure with -DMAEIL_BENCHMARKS=ON.
"""
import datetime
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import pandas
import pymongo

ROWS, CODES, NUMBERS = 10_000, 83, 59
STAMP = datetime.datetime(2026, 11, 23)


def frame():
    columns = {f"category_{c:03d}": [(i * (c + 7)) % 97 for i in range(ROWS)] for c in range(CODES)}
    columns |= {f"number_{CODES + c:03d}": [((i * 7919 + c * 104729) % 100003) / 1000.0 - 50.0 for i in range(ROWS)] for c in range(NUMBERS)}
    return pandas.DataFrame(columns)


def of_pymongo(prepare, work):
    def run(uri):
        client = pymongo.MongoClient(uri, w="majority", journal=True, serverSelectionTimeoutMS=30_000)
        client.admin.command("ping")
        rows = client.bench.python_rows
        prepared = prepare()
        cpu, wall = time.process_time(), time.perf_counter()
        work(rows, prepared)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        assert rows.count_documents({}) == ROWS
        return cpu * 1e3, wall * 1e3
    return run


def of_bench(bench, name):
    def run(uri):
        done = subprocess.run([bench, f"--benchmark_filter={name}$", "--benchmark_format=json"], env={**os.environ, "MAEIL_MONGO_URI": uri},
                              check=True, capture_output=True, text=True)
        result, = json.loads(done.stdout)["benchmarks"]
        assert "error_message" not in result, result
        return result["cpu_time"], result["real_time"]
    return run


def as_the_project_does(rows, data):
    documents = json.loads(data.to_json(orient="records"))
    for document in documents:
        document["processing_timestamp"] = STAMP
        document["dataset_name"] = "corporate_loan"
    for first in range(0, len(documents), 500):
        rows.insert_many(documents[first:first + 500])


def on_a_new_server(program, run):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="maeil-speed-")
    process = subprocess.Popen([program, "--host", "127.0.0.1", "--port", str(port), "--storage-path", folder],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        uri = f"mongodb://127.0.0.1:{port}/bench"
        pymongo.MongoClient(uri, serverSelectionTimeoutMS=30_000).admin.command("ping")
        return run(uri)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    program, bench = sys.argv[1:3]
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    data = frame()
    options = "/iterations:1/process_time/real_time"
    candidates = {
        "rows: maeil": of_bench(bench, "MongoRows" + options),
        "rows: plain libmongoc loop": of_bench(bench, "MongoRowsPlainDriver" + options),
        "rows: pymongo, insert_many of ready dicts": of_pymongo(
            lambda: [{**row, "logical_date": "2026-11-23", "timestamp": STAMP} for row in data.to_dict("records")], lambda rows, ready: rows.insert_many(ready)),
        "rows: to_json, json.loads, insert_many by 500": of_pymongo(lambda: data, as_the_project_does),
        "100 MB up: maeil": of_bench(bench, "MongoBlobUp" + options),
        "100 MB up: plain GridFS loop": of_bench(bench, "MongoBlobPlainDriver/up:1/sha256:0" + options),
        "100 MB down: maeil (SHA-256 checked)": of_bench(bench, "MongoBlobDown" + options),
        "100 MB down: plain GridFS loop": of_bench(bench, "MongoBlobPlainDriver/up:0/sha256:0" + options),
        "100 MB down: plain GridFS loop with SHA-256": of_bench(bench, "MongoBlobPlainDriver/up:0/sha256:1" + options),
    }
    samples = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, run in candidates.items():
            samples[name].append(on_a_new_server(program, run))
    for name, taken in samples.items():
        (cpu, wall), (low, high) = map(statistics.median, zip(*taken)), (min(w for _, w in taken), max(w for _, w in taken))
        print(f"{name:<46} cpu {cpu:8.1f} ms   wall {wall:8.1f} ms ({low:.0f} to {high:.0f})", flush=True)


if __name__ == "__main__":
    main()
