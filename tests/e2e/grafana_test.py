"""integrations/grafana: the dashboards are what dashboards.yml says, the JSON is what Grafana's own SDK reads, and each query of each
panel has an answer from a real Prometheus that scraped real days through a real node_exporter. Grafana itself is not run."""
import copy
import datetime
import json
import math
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import yaml

from harness import SOURCE, Workspace
from monitoring import Prometheus, needs_programs, until
from validate_test import SMALL, SPEC, make_rows, write

FOLDER = SOURCE / "integrations/grafana"
DAYS = ["2026-03-05", "2026-03-06"]
CONTRACT = '\n[contract]\nunique_id = true\n[contract.columns]\nheat = { min = -10, max = 10 }\n'


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))}


class Files(unittest.TestCase):
    def test_they_are_what_the_description_says(self):
        done = subprocess.run([sys.executable, FOLDER / "generate.py", "--check"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_grafana_can_keep_them_apart_and_lay_them_out(self):
        boards = dashboards()
        self.assertEqual(len(boards), 2)
        for key in ("uid", "title"):
            self.assertEqual(len({board[key] for board in boards.values()}), len(boards))
        for name, board in boards.items():
            self.assertNotIn("id", board)
            taken = set()
            for panel in board["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{name}: {panel['title']} lies over another panel")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells

    def test_they_use_the_provisioned_source(self):
        [source] = yaml.safe_load((FOLDER / "provisioning/datasources/maeil.yml").read_text())["datasources"]
        [provider] = yaml.safe_load((FOLDER / "provisioning/dashboards/maeil.yml").read_text())["providers"]
        self.assertEqual(provider["type"], "file")
        for board in dashboards().values():
            named = [part["datasource"] for panel in board["panels"] for part in (panel, *panel["targets"])]
            named += [variable["datasource"] for variable in board["templating"]["list"]]
            self.assertEqual({(one["type"], one["uid"]) for one in named}, {(source["type"], source["uid"])})


class Sdk(unittest.TestCase):
    """What Grafana's SDK reads of a dashboard and writes again is the dashboard: a name that it does not know would be lost."""

    @classmethod
    def setUpClass(cls):
        found = sorted((SOURCE / "build/peers/grafana/lib").glob("python3*/site-packages"))
        if not found:
            raise unittest.SkipTest("skipped: needs grafana-foundation-sdk (make peers)")
        sys.path.append(str(found[0]))
        cls.addClassCleanup(sys.path.remove, str(found[0]))
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard
        register_default_plugins()
        cls.read = staticmethod(lambda board: json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(board)))))

    def lost(self, ours, theirs, path="$"):
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return [lost for key, value in ours.items() if value is not None for lost in
                    (self.lost(value, theirs[key], f"{path}.{key}") if key in theirs else [f"{path}.{key}"])]
        if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
            return [lost for place, (one, other) in enumerate(zip(ours, theirs)) for lost in self.lost(one, other, f"{path}[{place}]")]
        return [] if ours == theirs else [path]

    def test_nothing_is_lost(self):
        for name, board in dashboards().items():
            self.assertEqual(self.lost(board, self.read(board)), [], name)

    def test_what_grafana_does_not_know_would_be_seen(self):
        board = dashboards()["maeil_day.json"]
        kinds = {panel["type"]: place for place, panel in enumerate(board["panels"])}
        for place in kinds.values():
            for part in (lambda p: p, lambda p: p["targets"][0], lambda p: p["options"], lambda p: p["fieldConfig"]["defaults"], lambda p: p["gridPos"]):
                wrong = copy.deepcopy(board)
                part(wrong["panels"][place])["nonsense"] = 1
                self.assertEqual([one.rpartition(".")[2] for one in self.lost(wrong, self.read(wrong))], ["nonsense"])


class Panels(unittest.TestCase):
    """Two days of a team's own rows: one that passes the gate, and one whose rows break the contract here and there, have values that no
    model saw, and whose model is under a gate of 1 after every attempt."""

    @classmethod
    def setUpClass(cls):
        needs_programs()
        cls.work = Workspace(**SMALL, MAX_RETRAIN_ATTEMPTS=1, METRICS_FILE="textfile/maeil.prom", DAY_DATA="{date}.csv")
        cls.addClassCleanup(cls.work.__exit__)
        (cls.work.folder / "textfile").mkdir()
        (cls.work.folder / "dataset.toml").write_text(SPEC + CONTRACT)
        write(cls.work.folder / "history.csv", make_rows(3000, day=None))
        cls.work.run("train", "--in", "history.csv", expect=0)
        for seed, day in enumerate(DAYS):
            write(cls.work.folder / f"{day}.csv", make_rows(day=day, seed=seed))
        broken = make_rows(day=DAYS[1], seed=7)
        for row in broken[:8]:
            row[2] = 99  # hotter than the contract allows
        for row in broken[8:80]:
            row[3] = "new maker"
        write(cls.work.folder / f"{DAYS[1]}.csv", broken)
        cls.prometheus = Prometheus(cls.work.folder / "textfile")
        cls.addClassCleanup(cls.prometheus.stop)
        for day, gate, code in zip(DAYS, (0.3, 1), (0, 4)):
            cls.work.run("run", "--date", day, expect=code, F1_THRESHOLD=gate)
            seconds = datetime.datetime.fromisoformat(day + "T00:00:00+00:00").timestamp()
            cls.prometheus.wait_for(f'maeil_dag_last_success_date_timestamp_seconds{{dag="scoring_pipeline"}} == {seconds}')

    def test_no_panel_is_empty(self):
        for name, board in dashboards().items():
            for panel in board["panels"]:
                for target in panel["targets"]:
                    expression = target["expr"].replace("$dataset", ".*")
                    self.assertNotIn("$", expression, panel["title"])
                    with self.subTest(board=name, panel=panel["title"], query=expression):
                        found = self.prometheus.over_time(expression, 120) if target.get("range") else self.prometheus.now(expression)
                        self.assertTrue(found, "it is empty")
                        shown = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
                        for series in found:
                            for _, value in series.get("values") or [series["value"]]:
                                self.assertTrue(math.isfinite(float(value)), series)
                            self.assertLessEqual(shown, set(series["metric"]), "the legend shows a label that is not there")
                        for change in panel.get("transformations", []):
                            columns = set(change["options"]["indexByName"]) - {"Value"}
                            self.assertEqual(columns, set(found[0]["metric"]), "its columns")

    def test_the_panels_can_be_drawn_without_grafana(self):
        for name in dashboards():
            out = self.work.folder / "drawn.svg"
            done = subprocess.run([sys.executable, FOLDER / "draw.py", "--url", self.prometheus.url, "--last", "2m", "--out", out,
                                   FOLDER / "dashboards" / name], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            said = {"".join(text.itertext()) for text in xml.etree.ElementTree.parse(out).iter("{http://www.w3.org/2000/svg}text")}
            self.assertLessEqual({panel["title"] for panel in dashboards()[name]["panels"]}, said)
            self.assertNotIn("empty", said)

    def test_what_is_shown_is_what_the_command_says(self):
        told = {(f["name"], *sorted(s["labels"].items())): s["value"]
                for f in json.loads(self.work.run("metrics", "--json", expect=0).stdout) for s in f["samples"]}
        stored = {}
        for series in self.prometheus.now('{__name__=~"maeil_.*"}'):
            labels = {k: v for k, v in series["metric"].items() if k not in ("instance", "job", "__name__")}
            stored[(series["metric"]["__name__"], *sorted(labels.items()))] = float(series["value"][1])
        for key in [*told, *stored]:
            if key[0] != "maeil_store_size_bytes":
                self.assertAlmostEqual(stored.get(key), told.get(key), msg=str(key))

    def test_the_variable_has_the_dataset(self):
        for board in dashboards().values():
            [variable] = board["templating"]["list"]
            name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            self.assertEqual({series[label] for series in self.prometheus.ask("series", **{"match[]": name})}, {"machines"})

    def test_the_rules_ring_for_this_day(self):
        ringing = {"MaeilGateFailed", "MaeilOpenAlert", "MaeilUnknownValues"}
        def asked():
            rules = [rule for group in self.prometheus.ask("rules")["groups"] for rule in group["rules"]]
            self.assertEqual({rule["lastError"] for rule in rules if "lastError" in rule}, set())
            return rules if ringing <= {rule["name"] for rule in rules if rule["state"] == "firing"} else None
        rules = until(asked, f"{ringing} ring")
        quiet = {rule["name"] for rule in rules if rule["state"] == "inactive"}
        self.assertLessEqual({"MaeilContractBroken", "MaeilMetricsAbsent", "MaeilMetricsUnread", "MaeilDayMissed", "MaeilNotJudged"}, quiet)


if __name__ == "__main__":
    unittest.main()
