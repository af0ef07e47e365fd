"""A PostgreSQL server of a test's own: in a temporary folder, on a free port of 127.0.0.1 and its own socket folder, ended by its
process id. The programs are Debian's (package postgresql). It refuses to be root's, so that root starts it as `postgres`."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from servers import die_with_parent, free_port

PASSWORD = "s3same:auf@/?#%"
ENCODED = "s3same%3Aauf%40%2F%3F%23%25"


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        if os.environ.get("MAEIL_REQUIRE_DATA"):
            raise AssertionError("needs PostgreSQL (Debian: postgresql)")
        raise unittest.SkipTest("skipped: needs PostgreSQL (Debian: postgresql)")
    return found[-1]


class Postgresql:
    def __init__(self, **settings):
        self.bin = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="maeil-pg-"))
        self.port, self.process, self.settings = free_port(), None, settings
        self.user = {}
        if os.geteuid() == 0:
            self.user = dict(user=pwd.getpwnam("postgres").pw_uid, group=pwd.getpwnam("postgres").pw_gid, extra_groups=[])
            os.chown(self.folder, self.user["user"], self.user["group"])
        (self.folder / "password").write_text(PASSWORD + "\n")
        (self.folder / "password").chmod(0o644)
        subprocess.run([self.bin / "initdb", "--pgdata", self.folder / "data", "--username", "risk", "--auth", "scram-sha-256",
                        "--pwfile", self.folder / "password", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
                       check=True, capture_output=True, cwd=self.folder, **self.user)
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        options = {"listen_addresses": "127.0.0.1", "fsync": "off", **self.settings}
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port),
                 *[f"--{name}={value}" for name, value in options.items()]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, preexec_fn=die_with_parent, **self.user)
        while self.process.poll() is None:
            if subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-500:]}")

    def stop(self, how=signal.SIGINT):
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def url(self, database="postgres", user="risk", password=ENCODED, port=None):
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def psql(self, sql, database="postgres", files=()):
        """What the statements give, unaligned; `files`: an open file as standard input."""
        done = subprocess.run([self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                               str(self.port), "-U", "risk", "-d", database, "-c", sql],
                              env={**os.environ, "PGPASSWORD": PASSWORD, "PGCLIENTENCODING": "UTF8"}, stdin=files or subprocess.DEVNULL,
                              capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def psql_session(self, database="postgres"):
        """A session that stays: statements on its standard input."""
        return subprocess.Popen([self.bin / "psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U", "risk",
                                 "-d", database], env={**os.environ, "PGPASSWORD": PASSWORD}, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def load(self, table, columns, path, database="postgres"):
        self.psql(f"CREATE TABLE {table} ({columns})", database)
        with open(path) as rows:
            self.psql(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)", database, rows)
