"""docker-compose.yml: what a plain `up -d` starts, and what naming a service starts. Only one runner may work on the database.
And what is shown of it: whether the pieces of the monitoring fit together. No container is started."""
import pathlib
import unittest

import yaml

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FILE = yaml.safe_load((SOURCE / "docker-compose.yml").read_text())
SERVICES = FILE["services"]
RUNNERS = {"maeil", "airflow"}  # each makes every day


def started(*names):
    """What `docker-compose up -d NAMES` starts: those and what they depend on; without a name every service that has no profile."""
    waiting = list(names) or [name for name, service in SERVICES.items() if not service.get("profiles")]
    found = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += list(SERVICES[name].get("depends_on", {}))
    return found


class Compose(unittest.TestCase):
    def test_a_plain_start_has_a_database_and_one_runner(self):
        self.assertEqual(started(), {"mongodb", "maeil"})

    def test_airflow_by_name_has_no_other_runner(self):
        self.assertEqual(started("airflow"), {"mongodb", "airflow"})

    def test_every_service_that_makes_days_is_known_here(self):
        built = {name for name, service in SERVICES.items() if "build" in service}
        self.assertEqual(built, RUNNERS)


def mounts(service):
    """Where in the container -> what: a path of the repository or a volume's name."""
    return {at: what for what, at in (one.split(":")[:2] for one in SERVICES[service]["volumes"])}


class Monitoring(unittest.TestCase):
    def test_grafana_by_name_has_what_it_shows_and_no_runner(self):
        self.assertEqual(started("grafana"), {"grafana", "prometheus", "node-exporter"})

    def test_node_exporter_reads_what_the_runners_write(self):
        [folder] = [one.partition("=")[2] for one in SERVICES["node-exporter"]["command"] if "textfile.directory" in one]
        for runner in RUNNERS:
            file = pathlib.PurePosixPath(SERVICES[runner]["environment"]["METRICS_FILE"])
            [(at, volume)] = [(at, what) for at, what in mounts(runner).items() if file.is_relative_to(at)]
            [there] = [at for at, what in mounts("node-exporter").items() if what == volume]
            self.assertEqual(pathlib.PurePosixPath(there) / file.parent.relative_to(at), pathlib.PurePosixPath(folder))
            self.assertEqual(file.suffix, ".prom")

    def test_prometheus_and_grafana_get_the_repositorys_files(self):
        for service in ("prometheus", "grafana"):
            for at, what in mounts(service).items():
                self.assertTrue(what in FILE["volumes"] or (SOURCE / what).exists(), f"{service}: {what}")
        config = yaml.safe_load((SOURCE / mounts("prometheus")["/etc/prometheus/prometheus.yml"]).read_text())
        for name in config["rule_files"]:
            self.assertIn(f"/etc/prometheus/{name}", mounts("prometheus"))
        [job] = config["scrape_configs"]
        self.assertEqual(job["static_configs"], [{"targets": ["node-exporter:9100"]}])
        provisioning = SOURCE / mounts("grafana")["/etc/grafana/provisioning"]
        [source] = yaml.safe_load((provisioning / "datasources/maeil.yml").read_text())["datasources"]
        self.assertEqual((source["url"], SERVICES["grafana"]["environment"]["PROMETHEUS_URL"]), ("${PROMETHEUS_URL}", "http://prometheus:9090"))
        [provider] = yaml.safe_load((provisioning / "dashboards/maeil.yml").read_text())["providers"]
        self.assertEqual(mounts("grafana")[provider["options"]["path"]], "./integrations/grafana/dashboards")

    def test_only_this_machine_is_served(self):
        for name, service in SERVICES.items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), name)


if __name__ == "__main__":
    unittest.main()
