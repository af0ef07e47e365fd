"""docker-compose.yml: what a plain `up -d` starts, and what naming a service starts. Only one runner may work on the database."""
import pathlib
import unittest

import yaml

SERVICES = yaml.safe_load((pathlib.Path(__file__).resolve().parents[2] / "docker-compose.yml").read_text())["services"]
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


if __name__ == "__main__":
    unittest.main()
