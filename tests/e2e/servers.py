"""MongoDB-compatible servers for tests: each on a free port of 127.0.0.1, in a temporary folder, ended by its process id.

The programs are where `make build/peers/mongo-ready` puts them, or where MAEIL_MONGO_SECANTUS, MAEIL_MONGO_FERRET, MAEIL_MONGOSH and
MAEIL_PYMONGO (an interpreter that has pymongo) point. Without them a test is skipped, or fails when MAEIL_REQUIRE_DATA is set
and that target was made.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from harness import SOURCE

PEERS = SOURCE / "build/peers"
SECANTUS = pathlib.Path(os.environ.get("MAEIL_MONGO_SECANTUS", PEERS / "secantus/bin/secantusd-py"))
FERRET = pathlib.Path(os.environ.get("MAEIL_MONGO_FERRET", PEERS / "ferret/fserver"))
MONGOSH = pathlib.Path(os.environ.get("MAEIL_MONGOSH", PEERS / "mongosh/node_modules/mongosh/bin/mongosh.js"))
PYMONGO = pathlib.Path(os.environ.get("MAEIL_PYMONGO", PEERS / "secantus/bin/python"))


def needs_program(path):
    if not path.exists():
        if os.environ.get("MAEIL_REQUIRE_DATA") and (PEERS / "mongo-ready").exists():
            raise AssertionError(f"needs {path}, which build/peers/mongo-ready promises")
        raise unittest.SkipTest(f"skipped: needs {path} (make build/peers/mongo-ready)")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class SmallDisk:
    """A file system of some MiB that only the processes see which are started with `prefix`; needs user namespaces, as containers have."""

    def __init__(self, megabytes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="maeil-disk-"))
        self.holder = subprocess.Popen(["unshare", "--map-root-user", "--mount", "sh", "-c",
                                        f"mount -t tmpfs -o size={megabytes}m none {self.folder} && echo ready && exec sleep infinity"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        if self.holder.stdout.readline() != "ready\n":
            why = self.holder.stderr.read()
            self.__exit__()
            raise unittest.SkipTest(f"skipped: no file system of one's own here ({why.strip()})")
        self.prefix = ["nsenter", "--target", self.holder.pid, "--user", "--mount", "--preserve-credentials"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words):
        return subprocess.run([*map(str, self.prefix), *map(str, words)], check=True, capture_output=True, text=True).stdout


class Server:
    def __init__(self, program, *flags, folder=None, prefix=(), host="127.0.0.1"):
        needs_program(program)
        self.program, self.flags, self.prefix, self.host, self.port = program, flags, prefix, host, free_port()
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="maeil-server-"))
        self.log = pathlib.Path(f"{self.folder}.log")
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def command(self):
        if self.program == FERRET:
            return [self.program, "-listen", f"{self.host}:{self.port}", "-dir", self.folder, *self.flags]
        return [self.program, "--host", self.host, "--port", str(self.port), "--storage-path", self.folder, "--enable-test-commands", *self.flags]

    def start(self, preexec_fn=None):
        def prepare():
            die_with_parent()
            if preexec_fn:
                preexec_fn()

        with open(self.log, "a") as log:
            self.process = subprocess.Popen(list(map(str, [*self.prefix, *self.command()])), stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=prepare)
        while self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.program} does not start: {self.log.read_text()[-500:]}")

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def uri(self, database="", options="", login=""):
        return f"mongodb://{login}{self.host}:{self.port}/{database}{options}"

    def python(self, code, database="test", uri=None):
        """Runs code with `client` and `db` at hand, in an interpreter that has pymongo; what it prints as JSON."""
        needs_program(PYMONGO)
        head = ("import json, sys, pymongo, datetime\nfrom bson import ObjectId, json_util\n"
                "client = pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=10000)\ndb = client[sys.argv[2]]\n")
        done = subprocess.run([PYMONGO, "-c", head + code, uri or self.uri(), database], capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def mongosh(self, expression, database):
        """The value of an expression in a real mongosh, as relaxed Extended JSON."""
        needs_program(MONGOSH)
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(["node", MONGOSH, "--quiet", "--norc", "--json=relaxed", self.uri(database), "--eval", expression],
                              capture_output=True, text=True, timeout=300, env={**os.environ, "HOME": str(home)})
        if done.returncode:
            raise AssertionError(done.stderr + done.stdout)
        return json.loads(done.stdout)

    def fail_point(self, mode, **data):
        self.python(f"client.admin.command('configureFailPoint', 'failCommand', mode={mode!r}, data={data!r})")
