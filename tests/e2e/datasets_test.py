"""Several datasets in one store: each has the days that it would have alone, and nothing of one is in the other."""
import csv
import datetime
import json
import random
import re
import unittest

from harness import Workspace, kill, read_until, stable
from machines import ROLES, SMALL, SPEC

DAYS = ["2026-11-2%d" % day for day in range(1, 8)]
QUICK = dict(SMALL, EPOCHS=1, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, F1_THRESHOLD=0.1, SEED=3, THREADS=1)
NAMES = ["pumps", "turbines"]


def write_rows(path, name, rows, day=None):
    draw = random.Random(f"{name} {day}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["machine", "plant", "seen", "heat", "maker", "broken"])
        for row in range(rows):
            heat = draw.gauss(0, 1)
            seen = day or datetime.date(2026, 1, 1) + datetime.timedelta(days=draw.randrange(200))
            table.writerow([f"{name}{day or ''}{row}", f"P{row // 4}", seen, round(heat, 3), draw.choice("AB"), str(heat + draw.gauss(0, 0.2) > 1)])


def spec(name):
    return SPEC.replace('"machines"', f'"{name}"') + ROLES + f'[settings]\nDAY_DATA = "in/{name}_{{date}}.csv"\nSEED = {len(name)}\n'


def write_files(folder, names=NAMES):
    for name in names:
        (folder / "datasets").mkdir(exist_ok=True)
        (folder / f"datasets/{name}.toml").write_text(spec(name))
        write_rows(folder / f"history_{name}.csv", name, 2000)
        for day in DAYS:
            write_rows(folder / f"in/{name}_{day}.csv", name, 400, day)


def seven_days(name):
    return ("backfill", "--from", DAYS[0], "--to", DAYS[-1]), dict(DATASET=name)


def documents(workspace, name):
    """What the store has of the dataset, but for what differs from run to run."""
    out = {}
    for line in workspace.run("dataset", "show", name, expect=0).stdout.splitlines():
        if found := re.match(r"  documents +(\S+) ", line):
            out[found[1]] = workspace.find(found[1], {"dataset": name})
    return out


def comparable(found):
    # Versions are named after the second in which they were made, and ids after those.
    times = r"\b20\d{6}_\d{6}\b|(?<=@)2026-[-T:.0-9]+Z"
    return sorted(re.sub(r'"[0-9a-f]{24}"', '"ID"', re.sub(times, "TIME", json.dumps(stable(d), sort_keys=True))) for d in found)


class SideBySide(unittest.TestCase):
    def test_seven_days_of_two_datasets_in_one_store_are_those_of_each_alone(self):
        with Workspace(**QUICK) as both:
            write_files(both.folder)
            refused = both.run("run", "--date", DAYS[0], expect=2).stderr
            self.assertIn("which dataset? datasets/ describes pumps, turbines: DATASET=pumps names one", refused)
            for name in NAMES:
                both.run("train", "--in", f"history_{name}.csv", expect=0, DATASET=name)
            # One dies in the middle of its days, the other goes on; then the first goes on.
            running = []
            for name in NAMES:
                words, settings = seven_days(name)
                running.append(both.start(*words, **settings))
            read_until(running[0], rf"{DAYS[2]}|{NAMES[0]}__model_evaluation_pipeline.evaluate_model  success")
            kill(running[0])
            words, settings = seven_days(NAMES[0])
            both.run(*words, expect=0, **settings)
            self.assertEqual(running[1].wait(600), 0, running[1].stderr.read())
            running[1].stderr.close()

            ids = {}
            for name in NAMES:
                other, = set(NAMES) - {name}
                own = documents(both, name)
                self.assertLessEqual({"raw_data", "task_instances", "predictions", "model_metadata", "evaluation_events"}, set(own))
                for collection, found in own.items():
                    text = json.dumps(found)
                    self.assertNotIn(other, text, f"{collection} of {name}")
                    for document in found:
                        ids.setdefault(document["_id"].get("$oid") if isinstance(document["_id"], dict) else document["_id"], set()).add(name)
                self.assertEqual({d["dag_id"].split("__")[0] for d in own["task_instances"]}, {name})
                self.assertEqual(sorted(d["logical_date"] for d in own["predictions"]), DAYS)
                for day in DAYS:
                    self.assertEqual(len(list((both.folder / f"data/{name}").rglob(f"scores_{day}.csv"))), 1, day)
                self.assertEqual(len(list((both.folder / f"models/{name}/deployed").glob("current_model.*"))), 1)
                listed = {d["name"]: d for d in json.loads(both.run("dataset", "list", "--json", expect=0).stdout)}
                self.assertEqual((listed[name]["first_date"], listed[name]["last_date"]), (DAYS[0], DAYS[-1]))
                # The same days in a store of its own.
                with Workspace(**QUICK) as alone:
                    write_files(alone.folder, [name])
                    alone.run("train", "--in", f"history_{name}.csv", expect=0, DATASET=name)
                    words, settings = seven_days(name)
                    alone.run(*words, expect=0, **settings)
                    mine = documents(alone, name)
                    for collection in ("raw_data", "data_validations", "processing_metadata", "performance_metrics", "evaluation_events", "deployment_events", "predictions"):
                        self.assertEqual(comparable(own[collection]), comparable(mine[collection]), collection)
                    for file in sorted((alone.folder / f"data/{name}").rglob("scores_*.csv")):
                        self.assertEqual(re.sub(r"20\d{6}_\d{6}", "V", file.read_text()),
                                         re.sub(r"20\d{6}_\d{6}", "V", (both.folder / file.relative_to(alone.folder)).read_text()), file.name)
            self.assertEqual({i for i, of in ids.items() if len(of) > 1}, set())
            # Nothing but what all share says of nobody whose it is.
            for collection in ("raw_data", "task_instances", "dag_runs", "task_logs", "model_metadata", "audit_log", "labels", "day_requests"):
                self.assertEqual(both.find(collection, {"dataset": {"$exists": False}}), [], collection)


class Commands(unittest.TestCase):
    def workspace(self):
        workspace = Workspace(**QUICK)
        self.addCleanup(workspace.__exit__, None, None, None)
        write_files(workspace.folder)
        return workspace

    def test_airflow_gets_every_dataset_with_its_own_schedule(self):
        workspace = self.workspace()
        (workspace.folder / "datasets/pumps.toml").write_text(spec("pumps") + 'SCHEDULE_TIME = "02:30"\nSHARDS = 2\n')
        export = json.loads(workspace.run("dag", "export", expect=0).stdout)
        self.assertEqual([d["dag_id"] for d in export["dags"]], [f"{name}__{dag}" for name in NAMES for dag in (
            "data_pipeline_dag", "model_evaluation_pipeline", "model_deployment_pipeline", "scoring_pipeline")])
        self.assertEqual({(d["dataset"], d["schedule"], d["shards"]) for d in export["dags"]}, {("pumps", "30 2 * * *", 2), ("turbines", "0 0 * * *", 1)})
        with Workspace() as alone:
            built_in = json.loads(alone.run("dag", "export", expect=0).stdout)
            self.assertEqual({d["dag_id"] for d in built_in["dags"]} & {"data_pipeline_dag"}, {"data_pipeline_dag"})

    def test_a_task_is_of_the_dataset_that_its_dag_names(self):
        workspace = self.workspace()
        for task in ("wait_for_source", "generate_data"):
            workspace.run("task", "pumps__data_pipeline_dag", task, "--logical-date", DAYS[0], "--run-id", "r", expect=0)
        raw, = workspace.find("raw_data")
        self.assertEqual((raw["dataset"], raw["metadata"]["dataset"]), ("pumps", "pumps"))
        self.assertIn("no dataset 'cranes'", workspace.run("task", "cranes__data_pipeline_dag", "generate_data", "--logical-date", DAYS[0], "--run-id", "r", expect=2).stderr)
        self.assertIn("there is no DAG 'data_pipeline_dag'", workspace.run("task", "data_pipeline_dag", "generate_data", "--logical-date", DAYS[0],
                                                                         "--run-id", "r", expect=2, DATASET="pumps").stderr)

    def test_a_rehearsal_draws_a_day_beside_the_real_one_and_touches_nothing_of_it(self):
        workspace = self.workspace()
        rehearsal = dict(DATASET="pumps", SYNTHETIC_DAY=1, DISTRIBUTION_MODEL="pumps.json")
        contract = "[contract.columns]\nheat = { max = 2.5 }\n"
        (workspace.folder / "datasets/pumps.toml").write_text(spec("pumps") + contract)
        fitted = workspace.run("fit", "--in", "history_pumps.csv", "--out", "pumps.json", "--no-report", expect=0, DATASET="pumps").stderr
        self.assertIn("column 'machine' is an identifier", fitted)
        self.assertIn("heat", fitted, "rows that break the contract are not learned, which is said")
        self.assertIn("no model that could be rehearsed", workspace.run("run", "--date", DAYS[0], expect=3, **rehearsal).stderr)
        workspace.run("train", "--in", "history_pumps.csv", expect=0, DATASET="pumps")
        workspace.run("run", "--date", DAYS[0], expect=0, DATASET="pumps")
        real, files = documents(workspace, "pumps"), sorted((p, p.read_bytes()) for p in (workspace.folder / "data/pumps").rglob("*") if p.is_file())
        refused = workspace.run("run", "--in", f"in/pumps_{DAYS[1]}.csv", expect=2, **rehearsal).stderr
        self.assertIn("a rehearsal's rows are drawn", refused)
        self.assertIn("which is in force in dataset pumps", workspace.run("run", "--date", DAYS[1], "--rows", 500, expect=0, **rehearsal).stderr)
        raw, = workspace.find("raw_data", {"dataset": "pumps.rehearsal"})
        self.assertEqual((raw["rows"], raw["source"]), (500, "pumps.json"))
        with open(workspace.folder / "data/raw/pumps.rehearsal/synthetic_data.csv", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row["seen"] for row in rows}, {DAYS[1]})
        with open(workspace.folder / "history_pumps.csv") as file:
            history = {row["machine"] for row in csv.DictReader(file)}
        self.assertEqual({row["machine"] for row in rows} & history, set(), "ids are never those of the history")
        self.assertLessEqual(max(float(row["heat"]) for row in rows), 2.5)
        scores, = workspace.find("predictions", {"dataset": "pumps.rehearsal"})
        self.assertEqual(scores["rows"], 500)
        self.assertEqual({d["dag_id"].split("__")[0] for d in workspace.find("task_instances", {"dataset": "pumps.rehearsal"})}, {"pumps.rehearsal"})
        # Its next day goes on with what is in force there; the tasks are named after it, as Airflow names them.
        self.assertNotIn("which is in force", workspace.run("run", "--date", DAYS[2], "--rows", 300, expect=0, **rehearsal).stderr)
        workspace.run("task", "pumps.rehearsal__data_pipeline_dag", "wait_for_source", "--logical-date", DAYS[3], "--run-id", "r", expect=0, DISTRIBUTION_MODEL="pumps.json")
        export = json.loads(workspace.run("dag", "export", expect=0, **rehearsal).stdout)
        self.assertIn("pumps.rehearsal__scoring_pipeline", [d["dag_id"] for d in export["dags"]])
        self.assertEqual(documents(workspace, "pumps"), real)
        self.assertEqual(sorted((p, p.read_bytes()) for p in (workspace.folder / "data/pumps").rglob("*") if p.is_file()), files)
        workspace.run("dataset", "remove", "pumps.rehearsal", "--yes", expect=0)
        self.assertEqual(documents(workspace, "pumps"), real)

    def test_renamed_it_keeps_its_history(self):
        workspace = self.workspace()
        workspace.run("train", "--in", "history_pumps.csv", expect=0, DATASET="pumps")
        workspace.run("run", "--date", DAYS[0], expect=0, DATASET="pumps")
        said = workspace.run("dataset", "rename", "pumps", "water", expect=0).stdout
        self.assertIn("its documents, DAGs and folders stay under pumps", said)
        self.assertFalse((workspace.folder / "datasets/pumps.toml").exists())
        self.assertIn('name = "water"\nrecorded_as = "pumps"', (workspace.folder / "datasets/water.toml").read_text())
        self.assertIn("had been run before", workspace.run("run", "--date", DAYS[0], expect=0, DATASET="water").stdout)
        workspace.run("run", "--date", DAYS[1], expect=0, DATASET="water")
        self.assertEqual({d["dataset"] for d in workspace.find("predictions")}, {"pumps"})
        for wrong in ("turbines", "corporate_loan", "a b"):
            workspace.run("dataset", "rename", "water", wrong, expect=2)
        workspace.run("dataset", "rename", "water", "pumps", expect=0)
        self.assertEqual((workspace.folder / "datasets/pumps.toml").read_text(), spec("pumps"))
        workspace.run("dataset", "rename", "cranes", "c", expect=3)

    def test_removing_one_says_what_goes_and_leaves_the_other(self):
        workspace = self.workspace()
        for name in NAMES:
            workspace.run("train", "--in", f"history_{name}.csv", expect=0, DATASET=name)
            workspace.run("run", "--date", DAYS[0], expect=0, DATASET=name)
        before = documents(workspace, "turbines")
        shown = workspace.run("dataset", "remove", "pumps", "--dry-run", expect=0).stdout
        for words in ("predictions", "models/pumps", "data/pumps", "would be removed", "audit_log"):
            self.assertIn(words, shown)
        self.assertIn("--yes", workspace.run("dataset", "remove", "pumps", expect=2).stderr)
        self.assertEqual(len(workspace.find("predictions")), 2)
        workspace.run("dataset", "remove", "pumps", "--yes", expect=0)
        for collection in before:
            left = workspace.find(collection, {"dataset": "pumps"})
            self.assertEqual(left if collection != "audit_log" else [], [], collection)
        self.assertIn("remove dataset", [d["act"] for d in workspace.find("audit_log", {"dataset": "pumps"})])
        self.assertFalse((workspace.folder / "models/pumps").exists())
        self.assertEqual(documents(workspace, "turbines"), before)
        self.assertEqual(len(list((workspace.folder / "models/turbines/deployed").glob("current_model.*"))), 1)
        self.assertIn("there is nothing of pumps", workspace.run("dataset", "remove", "pumps", "--yes", expect=0).stdout)
        # It can begin anew, and changes nothing of what was said before: not an entry, not whom a version's name belongs to.
        said = {d["_id"]["$oid"]: d for d in workspace.find("audit_log", {"dataset": "pumps"})}
        names = {d["_id"]["$oid"]: d["model_version"] for d in workspace.find("version_names")}
        workspace.run("train", "--in", "history_pumps.csv", expect=0, DATASET="pumps")
        workspace.run("run", "--date", DAYS[0], expect=0, DATASET="pumps")
        self.assertIn("approve", [d["act"] for d in said.values()])
        self.assertEqual({i: d for d in workspace.find("audit_log", {"dataset": "pumps"}) if (i := d["_id"]["$oid"]) in said}, said)
        version, = workspace.find("model_metadata", {"dataset": "pumps", "model_name": "default_prediction_classifier", "status": {"$ne": "candidate"}})
        self.assertNotIn(version["model_version"], names.values())

    def test_removing_touches_no_file_that_is_not_maeils_own(self):
        workspace = self.workspace()
        workspace.settings.update(DATA_DIR=".", DATA_PATH="rows.csv")
        (workspace.folder / "pumps").mkdir()
        (workspace.folder / "pumps/notes.txt").write_text("mine")
        (workspace.folder / "pumps/scores").mkdir()
        (workspace.folder / "pumps/scores/scores_of_last_year.csv").write_text("mine")
        workspace.run("train", "--in", "history_pumps.csv", expect=0, DATASET="pumps")
        workspace.run("run", "--date", DAYS[0], expect=0, DATASET="pumps")
        self.assertTrue((workspace.folder / "pumps/scores").exists())
        workspace.run("dataset", "remove", "pumps", "--yes", expect=0)
        self.assertEqual(sorted(p.name for p in (workspace.folder / "pumps").rglob("*")), ["notes.txt", "scores", "scores_of_last_year.csv"])
        (workspace.folder / "datasets/raw.toml").write_text(spec("raw"))
        self.assertIn("a folder of maeil's own has it", workspace.run("dataset", "remove", "raw", "--yes", expect=3).stderr)

    def test_whatever_the_settings_say_a_named_dataset_is_that_one(self):
        workspace = self.workspace()
        rehearsal = dict(DATASET="pumps", SYNTHETIC_DAY=1, DISTRIBUTION_MODEL="pumps.json")
        workspace.run("fit", "--in", "history_pumps.csv", "--out", "pumps.json", "--no-report", expect=0, DATASET="pumps")
        workspace.run("train", "--in", "history_pumps.csv", expect=0, DATASET="pumps")
        workspace.run("run", "--date", DAYS[0], expect=0, DATASET="pumps")
        workspace.run("run", "--date", DAYS[0], "--rows", 300, expect=0, **rehearsal)
        self.assertIn("had been run before", workspace.run("run", "--date", DAYS[0], expect=0, DATASET="pumps.rehearsal", DISTRIBUTION_MODEL="pumps.json").stdout)
        # The tasks of the real DAGs go on, whatever SYNTHETIC_DAY says.
        workspace.run("task", "pumps__data_pipeline_dag", "wait_for_source", "--logical-date", DAYS[1], "--run-id", "r", expect=0, **rehearsal)
        real = documents(workspace, "pumps")
        workspace.run("dataset", "remove", "pumps.rehearsal", "--yes", expect=0, **rehearsal)
        self.assertEqual(documents(workspace, "pumps"), real)
        self.assertFalse((workspace.folder / "models/pumps.rehearsal").exists())
        self.assertFalse((workspace.folder / "data/pumps.rehearsal").exists())
        workspace.run("dataset", "remove", "pumps", "--yes", expect=0, **rehearsal)
        self.assertFalse((workspace.folder / "models/pumps").exists())
        self.assertEqual(workspace.find("predictions"), [])

    def test_a_file_that_cannot_be_read_is_said_and_not_passed_over(self):
        workspace = self.workspace()
        before = (workspace.folder / "datasets/turbines.toml").read_text()
        for wrong in ("t.rehearsal", "raw", "pumps"):
            workspace.run("dataset", "rename", "turbines", wrong, expect=2)
        self.assertEqual((workspace.folder / "datasets/turbines.toml").read_text(), before)
        self.assertEqual(sorted(p.name for p in (workspace.folder / "datasets").iterdir()), ["pumps.toml", "turbines.toml"])
        (workspace.folder / "datasets/broken.toml").write_text("name = ")
        self.assertIn("broken.toml:1", workspace.run("dag", "export", expect=3).stderr)
        self.assertIn("broken.toml:1", workspace.run("runs", expect=3).stderr)
        self.assertIn("broken.toml:1", workspace.run("dataset", "list", expect=0).stdout)
        workspace.run("runs", expect=0, DATASET="pumps")
        (workspace.folder / "datasets/broken.toml").write_text(spec("pumps"))
        self.assertIn("both describe", workspace.run("runs", expect=2, DATASET_SPEC="datasets/pumps.toml").stderr)


if __name__ == "__main__":
    unittest.main()
