"""The engine through the real binary: the instruction set is recorded and can be pinned, a training that diverged leaves nothing, head
sizes without fast kernels are said, the MongoDB driver is loaded only for a server, and nested JSON is refused at every door."""
import hashlib
import subprocess
import unittest

from harness import BINARY, Workspace

SMALL = dict(DATA_QUANTITY=200, D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, EPOCHS=1, PRETRAIN_EPOCHS=1, BATCH_SIZE=64)
TRAIN = ("train", "--train", "--rows", 200)
DEEP = 1_000_000


class Engine(unittest.TestCase):
    def setUp(self):
        self.work = Workspace(**SMALL)
        self.addCleanup(self.work.__exit__)

    def sets(self):
        """What doctor says: the set in use, and all of this processor's."""
        for line in self.work.run("doctor").stdout.splitlines():
            words = line.split()
            if "engine" in words:
                in_use, rest = line.split("instruction set ")[1].split(" of ")
                return in_use, rest.rsplit(", ", 1)[0].split(", ")
        raise AssertionError("doctor says nothing of the engine")

    def trained(self, *arguments, **settings):
        """Hash of what the trained model answers, its hyperparameters and its training event, from a workspace of its own."""
        with Workspace(**SMALL) as work:
            work.run(*(arguments or TRAIN), expect=0, **settings)
            version, = work.find("model_metadata")
            event, = work.find("training_events")
            # The scores stand for the tensors: a model file also holds when it was made.
            work.run("generate", "--num-rows", 50, "--out", "rows.csv", expect=0)
            work.run("predict", "--model", version["model_version"], "--in", "rows.csv", "--out", "scores.csv", expect=0, **settings)
            return hashlib.sha256((work.folder / "scores.csv").read_bytes()).hexdigest(), version["hyperparameters"], event

    def test_the_instruction_set_is_recorded_and_a_pinned_one_gives_the_same_again(self):
        best, sets = self.sets()
        self.assertEqual(sets[-1], "scalar")
        self.assertIn(best, sets)
        _, parameters, event = self.trained()
        self.assertEqual((parameters["instruction_set"], event["instruction_set"]), (best, best))
        for name in {sets[-2], "scalar"}:
            first, parameters, event = self.trained(MAEIL_ISA=name)
            self.assertEqual((parameters["instruction_set"], event["instruction_set"]), (name, name))
            again, _, repeated = self.trained(MAEIL_ISA=name)
            self.assertEqual(first, again)
            self.assertEqual(event["epochs"], repeated["epochs"])

    def test_a_set_that_is_not_there_is_a_usage_error(self):
        _, sets = self.sets()
        done = self.work.run("doctor", MAEIL_ISA="mmx", expect=2)
        self.assertIn("MAEIL_ISA: there is no instruction set 'mmx'", done.stderr)
        self.assertIn(", ".join(sets), done.stderr)
        (self.work.folder / "maeil.toml").write_text('MAEIL_ISA = "scalar"\n')
        self.assertEqual(self.sets()[0], "scalar")

    def test_a_training_that_diverged_leaves_nothing(self):
        for command in (("train", "--train", "--rows", 400), ("run", "--date", "2026-11-19")):
            with Workspace(**{**SMALL, "EPOCHS": 3, "PRETRAIN_EPOCHS": 6, "BATCH_SIZE": 4, "LEARNING_RATE": 1}) as work:
                done = work.run(*command, expect=1)
                self.assertIn("diverged", done.stderr)
                self.assertIn("lower LEARNING_RATE", done.stderr)
                # A first day's encoder, which this small shape does not show to have collapsed, may be there; no classifier is.
                self.assertEqual([v for v in work.find("model_metadata") if "classifier" in v["model_name"]], [])
                self.assertEqual(len(work.find("training_events")), command[0] == "run")
                self.assertFalse(list(work.folder.glob("models/classifier*")))
                failed = [task for task in work.find("task_instances") if task["state"] == "failed"]
                self.assertEqual(len(failed), command[0] == "run")
                self.assertEqual([task["try_number"] for task in failed], [1] * len(failed), "the same again would fail again")

    def test_heads_without_fast_kernels_are_said_once(self):
        done = self.work.run(*TRAIN, expect=0, NHEAD=4)
        said = [line for line in done.stderr.splitlines() if "NHEAD 4 with D_MODEL 8 makes heads of size 2" in line]
        self.assertEqual(len(said), 1, done.stderr)
        self.assertIn("multiple of 4", said[0])
        version, = self.work.find("model_metadata")
        self.assertEqual(version["hyperparameters"]["instruction_set"], "scalar")
        self.assertNotIn("heads of size", self.work.run(*TRAIN, expect=0, NHEAD=1).stderr)

    def loaded(self, *arguments, **settings):
        done = subprocess.run([BINARY, *arguments], cwd=self.work.folder, capture_output=True, text=True, timeout=120,
                              env=self.work.environment({"LD_DEBUG": "files", **settings}))
        return "libmongoc" in done.stderr, done.stderr

    def test_the_mongodb_driver_is_loaded_for_a_server_only(self):
        for arguments in (["model", "list"], ["doctor"], ["db", "alerts"], ["--version"]):
            loaded, text = self.loaded(*arguments)
            self.assertFalse(loaded, f"{arguments}: {text[-500:]}")
        loaded, text = self.loaded("model", "list", MONGODB_URI="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
        self.assertTrue(loaded, "or this test sees nothing")
        done = self.work.run("model", "list", MONGODB_URI="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100", expect=1)
        self.assertTrue(all(line.startswith("maeil: ") for line in done.stderr.splitlines()), done.stderr)

    def refuses_nested(self, *arguments, code=3):
        done = self.work.run(*arguments)
        self.assertEqual(done.returncode, code, done.stderr[-500:])
        self.assertIn("nested more than", done.stderr)

    def test_nested_json_is_refused_at_every_door(self):
        (self.work.folder / "rows.csv").write_text("a,b\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(100)))
        for name, text in {"brackets": "[" * DEEP, "objects": '{"columns":' * (DEEP // 11) + "1" + "}" * (DEEP // 11),
                           "inside": '{"columns": ' + "[" * DEEP + "]" * DEEP + "}"}.items():
            file = f"{name}.json"
            (self.work.folder / file).write_text(text)
            with self.subTest(name):
                self.refuses_nested("report", "quality", "--real", "rows.csv", "--synthetic", "rows.csv", "--metadata", file)
                if text.startswith("{"):  # else it is taken for a pickle, and refused as none
                    self.refuses_nested("generate", "--model", file, "--num-rows", 10, "--out", "out.csv")
                self.refuses_nested("fit", "--in", "rows.csv", "--spec", file, "--out", "model.json")
        # An argument has 128 KB at most.
        self.refuses_nested("db", "alerts", "--filter", '{"a":' + "[" * 60_000 + "]" * 60_000 + "}", code=2)
        self.refuses_nested("db", "alerts", "--filter", '{"$and":[' * 6_000 + "{}" + "]}" * 6_000, code=2)


if __name__ == "__main__":
    unittest.main()
