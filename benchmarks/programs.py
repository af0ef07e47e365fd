"""Starting programs: maeil's commands, timed as whole processes, and peers that stay warm between runs."""
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"


class Failed(Exception):
    """A program did not do what it was asked to; the message says which and why."""


def interpreter(*modules):
    """A Python that has the modules: this one, that of the tests' peers, or the system's. None when none has."""
    for candidate in (sys.executable, str(ROOT / "build/peers/bin/python"), "/usr/bin/python3"):
        if os.path.exists(candidate) and subprocess.run([candidate, "-c", "import " + ", ".join(modules)], capture_output=True).returncode == 0:
            return candidate
    return None


def environment(threads):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "THREADS")
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")}
    return {**keep, **{name: str(threads) for name in names}, "PYTHONDONTWRITEBYTECODE": "1"}


def run(command, folder, threads, expect=0, **settings):
    """Runs a command to its end: {"seconds", "cpu_seconds", "peak_mb", "stdout"}."""
    begin = time.perf_counter()
    with open(pathlib.Path(folder) / "stderr.txt", "wb") as errors:
        child = subprocess.Popen([str(c) for c in command], cwd=folder, stdout=subprocess.PIPE, stderr=errors,
                                 env={**environment(threads), **{k: str(v) for k, v in settings.items()}})
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if child.returncode != expect:
        said = (pathlib.Path(folder) / "stderr.txt").read_text(errors="replace").strip().splitlines()
        raise Failed(f"{' '.join(map(str, command))} ended with {child.returncode}: {said[-1] if said else ''}")
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024, "stdout": output.decode()}


class Warm:
    """A program that answers once about itself, then once for every line it is sent."""

    def __init__(self, command, folder, threads):
        self.name = " ".join(map(str, command))
        self.child = subprocess.Popen([str(c) for c in command], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      stderr=subprocess.DEVNULL, env=environment(threads))
        self.about = self._answer()

    def _answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise Failed(f"{self.name} ended with {self.child.wait()} and no answer")
        return json.loads(line)

    def go(self):
        self.child.stdin.write("go\n")
        self.child.stdin.flush()
        return self._answer()

    def close(self):
        self.child.stdin.close()
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
