"""A sharded day by two workers at once, in folders of their own, that share nothing but a MongoDB-compatible server."""
import concurrent.futures
import unittest

from harness import PASSING_DAY, Workspace, snapshot
from servers import SECANTUS, Server, needs_program

DATE, SHARDS = "2026-11-20", 4
SMALL = {"DATA_QUANTITY": 6000, "EPOCHS": 1, "PRETRAIN_EPOCHS": 1, "NUM_LAYERS": 2, "F1_THRESHOLD": 0}


class TwoWorkers(unittest.TestCase):
    def test_same_documents_as_one_machine(self):
        needs_program(SECANTUS)
        with Server(SECANTUS) as server, Workspace(**SMALL) as base:
            base.run("train", "--pretrain", "--train", "--rows", "2000", expect=0)
            uri = server.uri("maeil")
            base.run("store", "copy", "--from", "maeil.db", "--to", uri, expect=0)
            with base.copy() as single, Workspace(**SMALL, MONGODB_URI=uri) as one, Workspace(**SMALL, MONGODB_URI=uri) as two:
                single.run("run", "--date", DATE, expect=0)
                workers = [one, two]

                def task(worker, dag, name, shard=None):
                    workers[worker % 2].run("task", dag, name, "--logical-date", DATE, "--run-id", "r", *(["--shard", shard] if shard else []), expect=0)

                for step, (dag, name, cut) in enumerate(PASSING_DAY):
                    if cut:
                        with concurrent.futures.ThreadPoolExecutor(2) as pool:
                            list(pool.map(lambda i, d=dag, n=name: task(i, d, n, f"{i}/{SHARDS}"), range(1, SHARDS + 1)))
                    task(step, dag, name, f"merge/{SHARDS}" if cut else None)  # never twice in a row on the same worker
                got, wanted = snapshot(one, DATE), snapshot(single, DATE)
                for collection in wanted:
                    if collection != "task_instances":  # the shards have records of their own
                        self.assertEqual(got[collection], wanted[collection], collection)
                self.assertEqual(one.find("raw_data")[0]["sha256"], single.find("raw_data")[0]["sha256"])


if __name__ == "__main__":
    unittest.main()
