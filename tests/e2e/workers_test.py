"""A sharded day by two workers at once, in folders of their own, that share nothing but a MongoDB-compatible server."""
import concurrent.futures
import unittest

from harness import PASSING_DAY, Workspace, snapshot
from servers import SECANTUS, Server, needs_program

DATES, SHARDS = ("2026-11-20", "2026-11-21"), 4
SMALL = {"DATA_QUANTITY": 6000, "EPOCHS": 1, "PRETRAIN_EPOCHS": 1, "NUM_LAYERS": 2, "F1_THRESHOLD": 0}


def linked(worker):
    """The version that the worker's folder shows as deployed."""
    return (worker.folder / "models/deployed/current_version.txt").read_text().splitlines()[0]


class TwoWorkers(unittest.TestCase):
    def test_same_documents_as_one_machine(self):
        needs_program(SECANTUS)
        with Server(SECANTUS) as server, Workspace(**SMALL) as base:
            base.run("train", "--pretrain", "--train", "--rows", "2000", expect=0)
            uri = server.uri("maeil")
            base.run("store", "copy", "--from", "maeil.db", "--to", uri, expect=0)
            with base.copy() as single, Workspace(**SMALL, MONGODB_URI=uri) as one, Workspace(**SMALL, MONGODB_URI=uri) as two:
                workers = [one, two]

                def task(worker, date, dag, name, shard=None):
                    workers[worker % 2].run("task", dag, name, "--logical-date", date, "--run-id", "r", *(["--shard", shard] if shard else []), expect=0)

                for day, date in enumerate(DATES):  # the second day is deployed by the other worker
                    single.run("run", "--date", date, expect=0)
                    for step, (dag, name, cut) in enumerate(PASSING_DAY):
                        if cut:
                            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                                list(pool.map(lambda i, d=date, g=dag, n=name: task(i, d, g, n, f"{i}/{SHARDS}"), range(1, SHARDS + 1)))
                        task(day + step, date, dag, name, f"merge/{SHARDS}" if cut else None)  # never twice in a row on the same worker
                    got, wanted = snapshot(one, date), snapshot(single, date)
                    for collection in wanted:
                        if collection != "task_instances":  # the shards have records of their own
                            self.assertEqual(got[collection], wanted[collection], f"{date} {collection}")
                    self.assertEqual(one.find("raw_data", {"logical_date": date})[0]["sha256"], single.find("raw_data", {"logical_date": date})[0]["sha256"])
                    self.assertEqual([linked(worker) for worker in workers], [linked(single)] * 2, date)


if __name__ == "__main__":
    unittest.main()
