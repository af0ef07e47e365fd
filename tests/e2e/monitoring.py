"""Debian's Prometheus and node_exporter for a test: both on free ports of 127.0.0.1, stopped by their process when the test ends. The
programs alone are used; no service is started."""
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import yaml

from harness import SOURCE

CONFIGURATION = SOURCE / "integrations/prometheus/prometheus.yml"
PATIENCE = 60  # seconds until something that must come has come


def needs_programs():
    for program in ("prometheus", "promtool", "prometheus-node-exporter"):
        if not shutil.which(program):
            raise unittest.SkipTest(f"skipped: needs {program} (tools/packages.txt)")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(ask, what):
    """The first answer of `ask` that is something; it is asked again and again."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if answer := ask():
                return answer
        time.sleep(0.1)
    raise AssertionError(f"in {PATIENCE} s never: {what}")


class Prometheus:
    """Scrapes what node_exporter reads from `textfiles`, with the repository's own configuration; only the target and the intervals
    are others."""

    def __init__(self, textfiles):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="maeil-prometheus-"))
        self.processes, self.logs = [], []
        exporter, own = free_port(), free_port()
        self.url = f"http://127.0.0.1:{own}"
        configuration = yaml.safe_load(CONFIGURATION.read_text())
        configuration["global"] = {"scrape_interval": "250ms", "evaluation_interval": "250ms", "scrape_timeout": "250ms"}
        configuration["rule_files"] = [str(CONFIGURATION.parent / name) for name in configuration["rule_files"]]
        [job] = configuration["scrape_configs"]
        job["static_configs"][0]["targets"] = [f"127.0.0.1:{exporter}"]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        try:
            self.start("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter}", "--collector.disable-defaults",
                       "--collector.textfile", f"--collector.textfile.directory={textfiles}")
            self.start("prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                       f"--web.listen-address=127.0.0.1:{own}")
            until(lambda: urllib.request.urlopen(self.url + "/-/ready").status == 200, "Prometheus is ready")
        except BaseException:
            self.stop()
            raise

    def start(self, *command):
        log = open(self.folder / f"{command[0]}.log", "w")
        self.logs.append(log)
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        for log in self.logs:
            log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, path, **parameters):
        data = urllib.parse.urlencode(parameters).encode() if parameters else None
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", data) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from None

    def now(self, expression):
        return self.ask("query", query=expression)["result"]

    def over_time(self, expression, seconds, step=1):
        end = time.time()
        return self.ask("query_range", query=expression, start=end - seconds, end=end, step=step)["result"]

    def wait_for(self, expression):
        return until(lambda: self.now(expression), expression)
