"""The cases: what maeil and its peer do alternately, how their answers are compared, and the bar each ratio is held to.

A case is a function that takes a Context and returns (samples of maeil, samples of the peer, notes); it raises Wrong when the
answers differ. Higher is better for "rows/s", lower for "s".
"""
import json
import pathlib

import answers
from programs import PEERS, Failed, Warm, interpreter, run


class Wrong(Exception):
    """maeil and its peer gave different answers."""


class Skipped(Exception):
    """The peer is not installed."""


def check(difference):
    if difference:
        raise Wrong(difference)


def peer(script, *modules):
    python = interpreter(*modules)
    if not python:
        raise Skipped(f"no interpreter here has {', '.join(modules)}")
    return [python, "-B", PEERS / script]


def alternate(times, ours, theirs):
    a, b = [], []
    for _ in range(times):
        a.append(ours())
        b.append(theirs())
    return a, b


def engine(context, mode, batch, threads):
    arguments = ["--model", context.seed / "finetuned_model_f.pth", "--data", context.golden, "--mode", mode, "--batch", batch, "--threads", threads]
    with Warm([context.build / "engine_speed", *arguments], context.work, threads) as ours, \
            Warm(peer("engine.py", "torch", "numpy") + arguments + (["--no-compile"] if context.short else []), context.work, threads) as theirs:
        if mode == "train":
            check(answers.close("losses of three steps without dropout", ours.about["losses"], theirs.about["losses"], 1e-4))
        else:
            check(answers.close("logits", ours.about["logits"], theirs.about["logits"], 1e-4))
        rate = lambda program: lambda: program.go()["rows_per_second"]
        a, b = alternate(1 if context.short else 7, rate(ours), rate(theirs))
        return a, b, {"peer": theirs.about["versions"], "way": theirs.about.get("way", "eager")}


def sample(context):
    rows = context.rows
    command = lambda n, out: [context.maeil, "generate", "--model", context.seed / "distribution_model.pkl", "--num-rows", n, "--seed", 1, "--out", out]
    with Warm(peer("sample.py", "sdv") + [context.seed / "distribution_model.pkl", rows, "theirs.csv"], context.work, 2) as theirs:
        a, b = alternate(3, lambda: run(command(rows, "ours.csv"), context.work, 2)["seconds"], lambda: theirs.go()["seconds"])
        import pandas

        features = json.loads((context.seed / "feature_map.json").read_text())["categorical"]
        text = {f["name"]: str for f in features if not f["name"].endswith("_isnull")}
        read = lambda name: pandas.read_csv(context.work / name, encoding="utf-8-sig", low_memory=False, dtype=text)
        check(answers.same_distribution(read("ours.csv"), read("theirs.csv")))
        bare = run(command(1, "one.csv"), context.work, 2)["seconds"]
        note = (f"maeil: the whole process, {bare * 1000:.0f} ms of it start, reading the .pkl and building the tables; SDV: interpreter warm, model loaded "
                f"(import {theirs.about['import_seconds']:.1f} s and load {theirs.about['load_seconds']:.1f} s not counted)")
        return a, b, {"peer": theirs.about["versions"], "note": note}


def import_model(context, reference=None):
    """A workspace with the seed's classifier bound on `reference`; returns its version and file."""
    reference = reference or context.seed / "distribution_model.pkl"
    out = run([context.maeil, "model", "import", context.seed / "finetuned_model_f.pth", "--reference", reference, "--json"], context.work, 2)
    document = json.loads(out["stdout"])
    return document["model_version"], context.work / document["model_path"]


def raw_rows(context, rows):
    run([context.maeil, "generate", "--model", context.seed / "distribution_model.pkl", "--num-rows", rows, "--seed", 7, "--out", "rows.csv"], context.work, 2)
    return context.work / "rows.csv"


def prepare(context):
    rows = raw_rows(context, context.rows)
    version, model = import_model(context, rows)
    command = [context.maeil, "preprocess", "--in", rows, "--out", "ours.csv", "--model", version]
    arguments = [rows, "theirs.csv", context.seed / "feature_map.json", model]
    return compare_prepared(context, lambda: run(command, context.work, 2)["seconds"], arguments, ("pandas", "sklearn", "torch"), exact_codes=True)


def prepare_and_fit(context):
    rows = raw_rows(context, context.rows)
    total = lambda *commands: sum(run(c, context.work, 2)["seconds"] for c in commands)

    def ours():
        bind = [context.maeil, "model", "import", context.seed / "finetuned_model_f.pth", "--reference", rows, "--json"]
        fitted = run(bind, context.work, 2)
        return fitted["seconds"] + total([context.maeil, "preprocess", "--in", rows, "--out", "ours.csv", "--model", json.loads(fitted["stdout"])["model_version"]])

    arguments = [rows, "theirs.csv", context.seed / "feature_map.json", "--fit"]
    return compare_prepared(context, ours, arguments, ("pandas", "sklearn"), exact_codes=False)


def compare_prepared(context, ours, arguments, modules, exact_codes):
    with Warm(peer("preparation.py", *modules) + arguments, context.work, 2) as theirs:
        a, b = alternate(1 if context.short else 3, ours, lambda: theirs.go()["seconds"])
        import pandas

        features = json.loads((context.seed / "feature_map.json").read_text())
        mine, other = (pandas.read_csv(context.work / name, encoding="utf-8-sig") for name in ("ours.csv", "theirs.csv"))
        check(answers.same_tables(mine, other, features["numeric"] + ["DLNQ_1M_FLG"], 1e-9))
        if exact_codes:
            check(answers.same_tables(mine, other, [f["name"] for f in features["categorical"]], 0))
        return a, b, {"peer": theirs.about["versions"]}


def day(context):
    folders = iter(range(100))

    def ours():
        folder = context.work / f"day{next(folders)}"
        folder.mkdir()
        settings = {"DISTRIBUTION_MODEL": context.seed / "distribution_model.pkl"}
        for file in ("finetuned_model_f.pth", "pretrained_model_f.pth"):
            run([context.maeil, "model", "import", context.seed / file], folder, 2, **settings)
        seconds = run([context.maeil, "run"], folder, 2, expect=4, **settings)["seconds"]
        events = json.loads(run([context.maeil, "db", "evaluation_events", "--json"], folder, 2)["stdout"])
        training = json.loads(run([context.maeil, "db", "training_data", "--json"], folder, 2)["stdout"])
        if [e["status"] for e in events] != ["failed_max_retries"] or len(training) != 3:
            raise Wrong("maeil's day did not end in an alert after three attempts")
        context.trained_rows = sum(3 * t["num_finetune_samples"] for t in training)
        return seconds

    with Warm(peer("day.py", "sdv", "torch") + [context.seed, context.work / "python_day", 2], context.work, 2) as theirs:
        def python():
            done = theirs.go()
            if done["f1_score"] >= 0.75 or abs(done["trained_rows"] - context.trained_rows) > 0.05 * done["trained_rows"]:
                raise Wrong(f"the Python day trained {done['trained_rows']} rows and maeil's {context.trained_rows}, or it did not fail the gate")
            context.parts = {k: round(v, 1) for k, v in done["parts"].items()}
            return done["seconds"]

        a, b = alternate(context.days, ours, python)
        return a, b, {"peer": theirs.about["versions"], "note": f"{context.trained_rows} rows trained in three attempts; the Python day's seconds: {context.parts}"}


def start(context):
    """Not against a peer: the time until a command has answered, in milliseconds."""
    rows = raw_rows(context, 1)
    version, _ = import_model(context)
    once = lambda *command: [run(command, context.work, 2)["seconds"] * 1000 for _ in range(3 if context.short else 21)]
    with Warm([context.build / "engine_speed", "--model", context.seed / "finetuned_model_f.pth", "--data", context.golden, "--mode", "score", "--batch", 1,
               "--threads", 1], context.work, 1) as engine_speed:
        single = [1000 / engine_speed.go()["rows_per_second"] for _ in range(1 if context.short else 5)]
    return {"maeil --help": (once(context.maeil, "--help"), 20),
            "maeil predict, 1 row": (once(context.maeil, "predict", "--model", version, "--in", rows, "--out", "p.csv"), 100),
            "one row scored, model loaded": (single, 1)}


# name, what is measured, its unit, the least ratio, the function; what is in the short form.
CASES = [
    ("train-16-2", "training, batch 16, 2 threads", "rows/s", 13, lambda c: engine(c, "train", 16, 2), True),
    ("train-32-2", "training, batch 32, 2 threads", "rows/s", 13, lambda c: engine(c, "train", 32, 2), False),
    ("train-16-1", "training, batch 16, 1 thread", "rows/s", 9, lambda c: engine(c, "train", 16, 1), False),
    ("train-32-1", "training, batch 32, 1 thread", "rows/s", 9, lambda c: engine(c, "train", 32, 1), False),
    ("score-16-2", "scoring, batch 16, 2 threads", "rows/s", 5, lambda c: engine(c, "score", 16, 2), True),
    ("score-256-2", "scoring, batch 256, 2 threads", "rows/s", 5, lambda c: engine(c, "score", 256, 2), False),
    ("score-16-1", "scoring, batch 16, 1 thread", "rows/s", 4.2, lambda c: engine(c, "score", 16, 1), False),
    ("score-256-1", "scoring, batch 256, 1 thread", "rows/s", 4.2, lambda c: engine(c, "score", 256, 1), False),
    ("sample", "100,000 rows of the real .pkl into a CSV file", "s", 100, sample, True),
    ("prepare", "100,000 rows read, prepared, written", "s", 40, prepare, True),
    ("prepare-fit", "the same, fitting on them first", "s", 40, prepare_and_fit, False),
    ("day", "a day of 10,000 rows with three failed attempts", "s", 13, day, False),
]
