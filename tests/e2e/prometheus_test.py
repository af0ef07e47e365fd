"""integrations/prometheus: Debian's promtool takes the configuration and the alert rules; each alert has a case in which it fires and
one in which it does not, which fail when the alert is another one; and what the rules ask for is what maeil tells."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

from harness import SOURCE, Workspace

FOLDER = SOURCE / "integrations/prometheus"
ALERTS, TESTS = "maeil_alerts.yml", "maeil_alerts_test.yml"
if not shutil.which("promtool"):
    raise unittest.SkipTest("skipped: needs promtool (Debian's prometheus)")


def promtool(folder, *arguments):
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True)


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (FOLDER / ALERTS).read_text()
        cls.groups = yaml.safe_load(cls.text)["groups"]
        cls.alerts = [rule for group in cls.groups for rule in group["rules"]]

    def test_promtool_takes_them(self):
        done = promtool(FOLDER, "check", "config", "prometheus.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"SUCCESS: {len(self.alerts)} rules found", done.stdout)
        done = promtool(FOLDER, "test", "rules", TESTS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_is_seen_to_fire_and_not_to_fire(self):
        cases = [case for test in yaml.safe_load((FOLDER / TESTS).read_text())["tests"] for case in test["alert_rule_test"]]
        for fires in (True, False):
            seen = {case["alertname"] for case in cases if bool(case["exp_alerts"]) == fires}
            self.assertEqual({alert["alert"] for alert in self.alerts} - seen, set(), f"fires: {fires}")

    def cases_of(self, alert):
        """The tests' file with the cases of this alert alone."""
        out = yaml.safe_load((FOLDER / TESTS).read_text())
        for test in out["tests"]:
            test["alert_rule_test"] = [case for case in test["alert_rule_test"] if case["alertname"] == alert]
        out["tests"] = [test for test in out["tests"] if test["alert_rule_test"]]
        return out

    def test_the_cases_fail_when_an_alert_is_another_one(self):
        """Always on, never on, and at once where it waits for hours."""
        def as_it_is(rule): pass
        def always(rule): rule["expr"] = "vector(1)"
        def never(rule): rule["expr"] = "vector(1) > 2"
        def at_once(rule): rule.pop("for")
        for alert in self.alerts:
            waits = alert.get("for", "1h") not in ("10m", "15m", "1h")
            for change in [as_it_is, always, never] + [at_once] * waits:
                rule = dict(alert)
                change(rule)
                with tempfile.TemporaryDirectory() as folder:
                    (pathlib.Path(folder) / ALERTS).write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}))
                    (pathlib.Path(folder) / TESTS).write_text(yaml.safe_dump(self.cases_of(alert["alert"])))
                    done = promtool(folder, "test", "rules", TESTS)
                self.assertEqual(done.returncode == 0, change is as_it_is, f"{alert['alert']}, {change.__name__}: {done.stdout + done.stderr}")

    def test_they_ask_for_what_is_told(self):
        with Workspace() as work:
            told = {family["name"]: set(family["labels"]) for family in json.loads(work.run("metrics", "--json", expect=0).stdout)}
        for alert in self.alerts:
            names = set(re.findall(r"\b(?:maeil|node)_\w+", alert["expr"]))
            self.assertTrue(names, alert["alert"])
            for name in names - {"node_textfile_scrape_error"}:
                self.assertIn(name, told, alert["alert"])
            for name, matchers in re.findall(r"\b(maeil_\w+)\{([^}]*)\}", alert["expr"]):
                self.assertLessEqual(set(re.findall(r"(\w+)\s*(?:=|!)", matchers)), told[name], alert["alert"])

    def test_the_readme_lists_them(self):
        rows = re.findall(r"^\| (Maeil\w+) \| (\w+) \|", (FOLDER / "README.md").read_text(), re.M)
        self.assertEqual(rows, [(alert["alert"], alert["labels"]["severity"]) for alert in self.alerts])

    def test_what_is_kept_of_a_scrape_is_what_the_rules_need(self):
        [job] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
        [keep] = job["metric_relabel_configs"]
        for alert in self.alerts:
            for name in re.findall(r"\b(?:maeil|node)_\w+", alert["expr"]):
                self.assertRegex(name, f"^(?:{keep['regex']})$")


if __name__ == "__main__":
    unittest.main()
