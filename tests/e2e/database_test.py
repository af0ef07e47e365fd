"""Rows and labels out of a team's own database, and scores back into it: the same day as from a file, whatever the database; one state
of it; its passwords in no message. A real PostgreSQL server, a file of SQLite, and ODBC on that."""
import csv
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

from harness import Workspace, kill, read_until
from machines import MACHINES_DATA as DATA, MACHINES_SCORING as SCORING
from machines import ROLES, SMALL, SPEC
from own_rows_test import write_rows
from postgresql import ENCODED, PASSWORD, Postgresql

DATE, NEXT = "2026-11-27", "2026-11-28"
COLUMNS = "machine text, plant text, seen date, heat numeric, maker text, broken text"
QUERY = """-- A day's machines: it's :date that is bound.
SELECT machine, plant, seen, heat, maker, broken
FROM machines WHERE seen = :date ORDER BY machine;
"""


def wait_for(what, seconds=60):
    """Until what() is true."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("it never came")
        time.sleep(0.02)


def sort_rows(path):
    """The file's rows ordered by their first column, as the queries give them."""
    head, *rows = path.read_text().splitlines()
    rows = [row.replace(",-0.0,", ",0.0,") for row in rows]  # which numeric has not
    path.write_text("\n".join([head, *sorted(rows, key=lambda row: row.split(",")[0])]) + "\n")


class Databases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgresql()
        cls.addClassCleanup(cls.server.__exit__)
        cls.trained = Workspace(**SMALL, MIN_POSITIVES=1, F1_THRESHOLD=0.3, SENSOR_TIMEOUT=1, SENSOR_POKE_INTERVAL=1)
        cls.addClassCleanup(cls.trained.__exit__)
        folder = cls.trained.folder
        (folder / "dataset.toml").write_text(SPEC + ROLES)
        (folder / "day.sql").write_text(QUERY)
        write_rows(folder / "history.csv", rows=2000)
        cls.trained.run("train", "--in", "history.csv", "--epochs", 2, expect=0)
        write_rows(folder / f"rows_{DATE}.csv", 400, day=DATE)
        sort_rows(folder / f"rows_{DATE}.csv")
        cls.server.load("machines", COLUMNS, folder / f"rows_{DATE}.csv")
        cls.server.psql("CREATE TABLE scores (machine text, probability float8, decision int, logical_date date, model_version text)")
        file = sqlite3.connect(folder / "machines.db")
        file.execute("CREATE TABLE machines (machine TEXT, plant TEXT, seen DATE, heat TEXT, maker TEXT, broken TEXT)")
        with open(folder / f"rows_{DATE}.csv") as rows:
            file.executemany("INSERT INTO machines VALUES (?, ?, ?, ?, ?, ?)", list(csv.reader(rows))[1:])
        file.execute("CREATE TABLE scores (machine TEXT, probability REAL, decision INTEGER, logical_date TEXT, model_version TEXT)")
        file.commit()
        file.close()

    def workspace(self, **settings):
        workspace = self.trained.copy()
        workspace.settings.update({name: str(value) for name, value in settings.items()})
        self.addCleanup(workspace.__exit__, None, None, None)
        return workspace

    def with_server(self, **settings):
        return self.workspace(DATABASE_URL=self.server.url(), DAY_DATA="sql:day.sql", **settings)

    def urls(self):
        return {"PostgreSQL": self.server.url(), "SQLite": "sqlite:machines.db",
                "ODBC": "odbc:DRIVER=SQLite3;Database=machines.db"}

    def task(self, workspace, dag, task, expect=None, date=DATE, **settings):
        return workspace.run("task", dag, task, "--logical-date", date, "--run-id", "r", "--json", expect=expect, **settings)

    def query(self, workspace, text, expect=None, date=DATE, **settings):
        """What `maeil run --in` makes of a query's text."""
        (workspace.folder / "q.sql").write_text(text)
        return workspace.run("run", "--in", "sql:q.sql", *(["--date", date] if date else []), expect=expect, **settings)

    def scores(self, workspace, date=DATE):
        return (workspace.folder / f"data/machines/scores/scores_{date}.csv").read_text()

    def test_a_day_is_the_same_from_every_database_as_from_a_file(self):
        plain = self.workspace(DAY_DATA="rows_{date}.csv")
        plain.run("run", "--date", DATE, expect=0)
        rows = (plain.folder / f"rows_{DATE}.csv").read_bytes()
        for name, url in self.urls().items():
            with self.subTest(name):
                workspace = self.workspace(DATABASE_URL=url, DAY_DATA="sql:day.sql")
                done = workspace.run("run", "--date", DATE, expect=0)
                self.assertIn("400 rows from sql:day.sql", done.stdout)
                self.assertEqual((workspace.folder / "data/raw/machines/synthetic_data.csv").read_bytes(), rows)
                self.assertEqual(self.scores(workspace), self.scores(plain))
                raw, = workspace.find("raw_data")
                self.assertEqual(raw["source"], "sql:day.sql")
                self.assertEqual(raw["source_sha256"], hashlib.sha256(rows).hexdigest())
                self.assertEqual(raw["source_query"], QUERY)
                self.assertEqual(raw["source_query_sha256"], hashlib.sha256(QUERY.encode()).hexdigest())
                self.assertIn({"PostgreSQL": "PostgreSQL 1", "SQLite": "SQLite 3", "ODBC": "through ODBC"}[name], raw["source_dialect"])
                # The date is finished: the database is asked again, and gave the same.
                again = workspace.run("run", "--date", DATE, expect=0)
                self.assertNotIn("other rows", again.stdout + again.stderr)
        # As one task after the other, as Airflow has it.
        tasks = self.with_server()
        for task in ["wait_for_source", "generate_data", "validate_data", "preprocess_data"]:
            self.task(tasks, DATA, task, 0)
        self.assertEqual((tasks.folder / "data/raw/machines/synthetic_data.csv").read_bytes(), rows)

    def test_other_rows_of_a_finished_date_are_compared_and_a_redo_takes_them(self):
        workspace = self.workspace(DATABASE_URL="sqlite:machines.db", DAY_DATA="sql:day.sql")
        workspace.run("run", "--date", DATE, expect=0)
        file = sqlite3.connect(workspace.folder / "machines.db")
        file.execute("DELETE FROM machines WHERE machine = 'M7'")
        file.execute("UPDATE machines SET heat = '9.5' WHERE machine = 'M8'")
        file.commit()
        done = workspace.run("run", "--date", DATE, expect=0)
        self.assertIn(f"sql:day.sql gives other rows than was taken in for {DATE}: 0 rows added, 1 removed, 1 altered, 398 the same",
                      done.stdout + done.stderr)
        workspace.run("redo", DATE, "--yes", expect=0)
        self.assertEqual(len(self.scores(workspace).splitlines()), 400)
        self.assertNotIn("other rows", workspace.run("run", "--date", DATE, expect=0).stderr)

    def test_the_sensor_asks_until_there_is_a_row(self):
        workspace = self.with_server()
        waiting = json.loads(self.task(workspace, DATA, "wait_for_source", 75, NEXT).stdout)
        self.assertEqual(waiting["message"], f"sql:day.sql gives no rows for {NEXT} yet")
        away = json.loads(self.task(workspace, DATA, "wait_for_source", 75, DATABASE_URL=self.server.url(port=1)).stdout)
        self.assertIn("cannot be asked now", away["message"])
        there = json.loads(self.task(workspace, DATA, "wait_for_source", 0).stdout)
        self.assertEqual(there["message"], f"sql:day.sql gives rows for {DATE}")
        wrong = self.task(workspace, DATA, "wait_for_source", 3, DAY_DATA="sql:none.sql")
        self.assertIn("none.sql", wrong.stderr)

    def test_values_keep_their_digits_and_letters(self):
        self.server.psql("CREATE DATABASE korean ENCODING 'EUC_KR' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        self.server.psql("CREATE TYPE grade AS ENUM ('좋음', '나쁨')", "korean")
        self.server.psql("ALTER ROLE risk SET datestyle = 'SQL, DMY'; ALTER ROLE risk SET extra_float_digits = -5; "
                         "ALTER ROLE risk SET timezone = 'America/New_York'")
        self.addCleanup(self.server.psql, "ALTER ROLE risk RESET ALL")
        workspace = self.workspace(DATABASE_URL=self.server.url("korean"), TIMEZONE="Asia/Seoul")
        (workspace.folder / "q.sql").write_text("""SELECT
            12345678901234567890.0123456789::numeric(38,10) AS n, 9007199254740993::bigint AS b, 0.1::float8 + 0.2 AS f,
            '1.7976931348623157e308'::float8 AS g, '5e-324'::float8 AS s, 0.1::real AS r, 'NaN'::float8 AS x, true AS t,
            false AS u, DATE '2026-02-03' AS d, TIMESTAMP '2026-02-03 04:05:06.5' AS p, TIMESTAMPTZ '2026-02-03 04:05:06+00' AS z,
            '가나, "다"' AS k, E'a\\nb' AS l, NULL AS nothing, '' AS empty, '좋음'::grade AS e, 'x'::char(3) AS c,
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS i, :date AS day, :date + 1 AS next, 2 AS "이름"
            UNION ALL SELECT NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL""")
        self.task(workspace, DATA, "generate_data", 0, DAY_DATA="sql:q.sql")
        with open(workspace.folder / "data/raw/machines/synthetic_data.csv", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual(dict(zip(rows[0], rows[1])), {
            "n": "12345678901234567890.0123456789", "b": "9007199254740993", "f": "0.30000000000000004", "g": "1.7976931348623157e+308",
            "s": "5e-324", "r": "0.1", "x": "NaN", "t": "True", "u": "False", "d": "2026-02-03", "p": "2026-02-03 04:05:06.5",
            "z": "2026-02-03 13:05:06+09", "k": '가나, "다"', "l": "a\nb", "nothing": "", "empty": "", "e": "좋음", "c": "x  ",
            "i": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "day": DATE, "next": NEXT, "이름": "2"})
        self.assertEqual(set(rows[2]), {""})

    def test_a_day_is_one_state_of_the_database(self):
        """Another session commits while the rows are fetched; nothing of it is seen, nor by the next fetches."""
        self.server.psql("CREATE TABLE moving AS SELECT i, repeat('x', 100) AS pad, 0 AS state FROM generate_series(1, 100000) i")
        workspace = self.workspace(DATABASE_URL=self.server.url())
        (workspace.folder / "q.sql").write_text("SELECT i, pad, state, pg_sleep(CASE WHEN i % 10000 = 0 THEN 0.2 ELSE 0 END)::text AS s "
                                                "FROM moving ORDER BY i")
        running = workspace.start("task", DATA, "generate_data", "--logical-date", DATE, "--run-id", "r", DAY_DATA="sql:q.sql")
        fetching = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'maeil' AND query LIKE 'FETCH FORWARD%'"
        wait_for(lambda: self.server.psql(fetching) == "1")
        self.server.psql("UPDATE moving SET state = 1; DELETE FROM moving WHERE i % 2 = 0; INSERT INTO moving VALUES (100001, '', 1)")
        self.assertEqual(self.server.psql(fetching), "1", "the rows were there before the other session was done")
        running.communicate(timeout=120)
        with open(workspace.folder / "data/raw/machines/synthetic_data.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([int(row["i"]) for row in rows], list(range(1, 100001)))
        self.assertEqual({row["state"] for row in rows}, {"0"})

    def test_what_would_write_is_refused(self):
        self.server.psql("CREATE TABLE victim (i int); INSERT INTO victim VALUES (1); CREATE SEQUENCE s; "
                         "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM victim RETURNING 1'")
        workspace = self.workspace(DATABASE_URL=self.server.url())
        for text, says in [("DELETE FROM victim RETURNING i", "q.sql:1: syntax error"),
                           ("WITH gone AS (DELETE FROM victim RETURNING i) SELECT i FROM gone", "q.sql"),
                           ("SELECT wipe() AS i", "read-only transaction: a query only reads"),
                           ("SELECT nextval('s') AS i", "read-only transaction: a query only reads"),
                           ("SELECT i FROM victim; DROP TABLE victim", "q.sql:1: a second statement begins here"),
                           ("SELECT set_config('transaction_read_only', 'off', false) AS a, wipe() AS b", "q.sql"),
                           ("COPY victim TO '/tmp/x'", "q.sql:1: syntax error")]:
            done = self.query(workspace, text, 3)
            self.assertIn(says, done.stderr, text)
        self.assertEqual(self.server.psql("SELECT count(*) FROM victim"), "1")
        for text, says in [("SELECT nix FROM victim", 'column "nix" does not exist (PostgreSQL, 42703)'),
                           ("SELECT i\nFROM\nnowhere", 'q.sql:3: relation "nowhere" does not exist'),
                           ("SELECT i, i FROM victim", "the column 'i' is there twice"),
                           ("SELECT i + 1 FROM victim", "column 1 has no name"),
                           ("SELECT '\\x00'::bytea AS b", "the column 'b' is of type bytea"),
                           ("SELECT ARRAY[1] AS a", "the column 'a' is of type integer[]"),
                           ("SELECT i FROM victim WHERE i = :day", ":day stands for a value"),
                           ("SELECT i FROM victim WHERE i > 5", "there are no rows"),
                           ("SELECT 1/(i - 1) AS i FROM victim", "division by zero"),
                           ("SELECT 1 AS i WHERE 'x' = 'y", "the ' is not closed")]:
            done = self.query(workspace, text, 3)
            self.assertIn(says, done.stderr, text)
        done = self.query(workspace, QUERY, 2, date=None)
        self.assertIn("which day is it? The query has :date: --date YYYY-MM-DD", done.stderr)
        # A date is a date, or the command line is wrong.
        for date in ["2026-11-27'; DROP TABLE victim; --", "2026-11-27 OR 1=1", "now()"]:
            self.query(workspace, QUERY, 2, date=date)
        # Rows of another day than the one that is asked for.
        done = self.query(workspace, QUERY.replace("seen = :date", f"seen = DATE '{DATE}'"), 2, date=NEXT)
        self.assertIn(f"the run is of {NEXT}, its rows say {DATE}", done.stderr)

    def test_a_query_without_the_date_is_said(self):
        workspace = self.workspace(DATABASE_URL=self.server.url())
        done = self.query(workspace, "SELECT * FROM machines ORDER BY machine", 0, date=None, LOG_LEVEL="info")
        self.assertIn("there is no :date in the query", done.stderr)
        self.assertEqual(workspace.find("raw_data")[0]["logical_date"], DATE)  # its rows say

    def test_a_server_that_ends_hangs_or_is_slow_is_tried_again(self):
        with Postgresql() as server:
            server.psql("CREATE TABLE many AS SELECT i AS machine FROM generate_series(1, 200000) i")
            workspace = self.workspace(DATABASE_URL=server.url(), DATABASE_TIMEOUT=2)
            slow = "SELECT machine, pg_sleep(CASE WHEN machine % 20000 = 0 THEN 0.5 ELSE 0 END)::text AS s FROM many"
            done = self.query(workspace, "SELECT pg_sleep(60)::text AS machine", 1)
            self.assertIn("statement timeout (DATABASE_TIMEOUT: 2 s)", done.stderr)
            # Killed amid the fetches.
            (workspace.folder / "q.sql").write_text(slow)
            fetching = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'maeil' AND query LIKE 'FETCH FORWARD%'"
            running = workspace.start("run", "--in", "sql:q.sql", "--date", DATE, DATABASE_TIMEOUT=60)
            wait_for(lambda: server.psql(fetching) == "1")
            server.stop(signal.SIGQUIT)
            _, said = running.communicate(timeout=60)
            self.assertEqual(running.returncode, 1, said)
            self.assertEqual(workspace.find("raw_data"), [])
            done = self.query(workspace, slow, 1)
            self.assertIn("Connection refused", done.stderr)
            # It answers nothing, and hangs up neither.
            server.start()
            server.process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            try:
                done = self.query(workspace, slow, 1)
            finally:
                server.process.send_signal(signal.SIGCONT)
            self.assertIn("no answer within 2 s (DATABASE_TIMEOUT)", done.stderr)
            self.assertLess(time.monotonic() - began, 60)

    def test_no_password_is_in_any_message(self):
        said = []
        secrets = [PASSWORD, ENCODED, "s3same"]
        urls = [self.server.url(), self.server.url("nowhere"), self.server.url(user="nobody"), self.server.url(port=1),
                self.server.url(password=ENCODED + "x"), self.server.url() + "?sslmode=nix", self.server.url() + "?nix=1",
                f"postgresql://risk:{PASSWORD}@127.0.0.1:{self.server.port}/postgres",
                f"postgresql://risk:s3same@127.0.0.1:x/postgres", f"postgres:risk:s3same@127.0.0.1", f"mysql://risk:{ENCODED}@h/d", "postgresql://risk:s3same",
                "odbc:DRIVER=nix;UID=risk;PWD=s3same", "odbc:DRIVER={SQLite3};Database=/nonexistent/x.db;PWD={s3same}", "s3same"]
        for url in urls:
            workspace = self.workspace(DATABASE_URL=url, DAY_DATA="sql:day.sql", SCORES_TABLE="nix.nix", LOG_LEVEL="debug")
            for command in [["run", "--date", DATE], ["doctor"], ["doctor", "--json"], ["validate", "--in", "sql:day.sql"],
                            ["labels", "import", "--in", "sql:day.sql", "--date", DATE], ["init", "--in", "sql:day.sql"]]:
                done = workspace.run(*command)
                said += [done.stdout, done.stderr]
            for path in workspace.folder.rglob("*"):
                if path.is_file() and path.suffix != ".pth":
                    said.append(path.read_bytes().decode("latin-1"))
        for secret in secrets:
            for text in said:
                at = text.find(secret)
                self.assertEqual(at, -1, text[max(0, at - 200):at + 100])

    def test_labels_come_out_of_the_database(self):
        self.server.psql("CREATE TABLE outcomes AS SELECT machine, 'True' AS broken, DATE '2026-11-28' AS known FROM machines "
                         "WHERE machine < 'M2'")
        rows = int(self.server.psql("SELECT count(*) FROM outcomes"))
        workspace = self.with_server()
        self.server.psql(f"INSERT INTO machines SELECT machine || 'n', plant, DATE '{NEXT}', heat, maker, broken FROM machines "
                         f"WHERE seen = '{DATE}'")
        self.addCleanup(self.server.psql, f"DELETE FROM machines WHERE seen = '{NEXT}'")
        workspace.run("run", "--date", DATE, expect=0)
        (workspace.folder / "labels.sql").write_text("SELECT machine, broken, known AS observed_at FROM outcomes WHERE known <= :date")
        nothing = workspace.run("labels", "import", "--in", "sql:labels.sql", "--date", DATE)
        self.assertNotEqual(nothing.returncode, 0)
        # A day takes in what its query gives; the same again brings nothing.
        workspace.run("run", "--date", NEXT, expect=0, LABELS="sql:labels.sql")
        labels, = workspace.find("labels")
        self.assertEqual((labels["filename"], labels["matched"]), ("sql:labels.sql", rows))
        self.assertIn("known <= :date", labels["source_query"])
        (workspace.folder / "all.sql").write_text("SELECT machine, broken, known AS observed_at FROM outcomes")
        again = workspace.run("labels", "import", "--in", "sql:all.sql", expect=0)
        self.assertIn("nothing is new", again.stdout)
        wrong = workspace.run("labels", "import", "--in", "sql:labels.sql")
        self.assertEqual(wrong.returncode, 2, wrong.stderr)
        self.assertIn("has :date", wrong.stderr)

    def test_every_command_that_reads_a_file_reads_a_query(self):
        workspace = self.with_server()
        history = workspace.folder / "history.csv"
        self.server.load("history", COLUMNS, history)
        (workspace.folder / "history.sql").write_text("SELECT * FROM history ORDER BY substr(machine, 2)::int")
        version = workspace.find("model_metadata", {"model_name": "default_prediction_classifier"})[0]["model_version"]
        outputs = {}
        for name in ["history.csv", "sql:history.sql"]:
            workspace.run("predict", "--model", version, "--in", name, "--out", "p.csv", expect=0)
            workspace.run("preprocess", "--model", version, "--in", name, "--out", "q.csv", expect=0)
            evaluated = json.loads(workspace.run("evaluate", "--model", version, "--in", name, "--json").stdout)
            drafted = workspace.run("init", "--in", name, "--target", "broken", "--id", "machine", "--out", "d.toml", "--force", expect=0)
            outputs[name] = [(workspace.folder / "p.csv").read_text(), (workspace.folder / "q.csv").read_text(),
                             (workspace.folder / "d.toml").read_text().replace(name, "NAME"), evaluated["metrics"]]
            self.assertIn("2000 rows, 6 columns", drafted.stdout)
        for one, other in zip(*outputs.values()):
            if isinstance(one, dict):
                one, other = ({k: v for k, v in each.items() if k != "measured_on"} for each in (one, other))
            self.assertEqual(one, other)
        fresh = Workspace(**SMALL, DATABASE_URL=self.server.url())
        self.addCleanup(fresh.__exit__)
        for name in ["dataset.toml", "history.sql"]:
            (fresh.folder / name).write_text((workspace.folder / name).read_text())
        fresh.run("train", "--in", "sql:history.sql", "--epochs", 2, expect=0)
        dated = workspace.run("predict", "--model", version, "--in", "sql:day.sql", "--out", "p.csv", expect=2)
        self.assertIn("day.sql: the query has :date, and there is no day to put there", dated.stderr)

    def test_scores_go_back_once(self):
        for name, url in self.urls().items():
            with self.subTest(name):
                workspace = self.workspace(DATABASE_URL=url, DAY_DATA="sql:day.sql", SCORES_TABLE="public.scores" if name == "PostgreSQL" else "scores")
                def rows():
                    if name == "PostgreSQL":
                        text = self.server.psql("SELECT machine, probability, decision, logical_date, model_version FROM scores ORDER BY 1")
                        return [line.split("|") for line in text.splitlines()]
                    file = sqlite3.connect(workspace.folder / "machines.db")
                    return [list(map(str, row)) for row in file.execute("SELECT * FROM scores ORDER BY 1")]
                done = workspace.run("run", "--date", DATE, expect=0)
                self.assertIn("400 rows in ", done.stdout)
                wanted = [[row[0], row[1], row[2], DATE, row[3]] for row in csv.reader(self.scores(workspace).splitlines()[1:])]
                self.assertEqual(sorted((r[0], float(r[1]), *r[2:]) for r in rows()), sorted((r[0], float(r[1]), *r[2:]) for r in wanted))
                workspace.run("redo", DATE, "--from", "score_data", "--yes", expect=0)
                self.assertEqual(len(rows()), 400)

    def test_a_table_that_is_not_there_fails_the_task_and_says_how_to_make_it(self):
        workspace = self.with_server(SCORES_TABLE="my scores; DROP")
        done = workspace.run("run", "--date", DATE, expect=3)
        self.assertIn('SCORES_TABLE: ', done.stderr)
        create = re.search(r'CREATE TABLE "my scores; DROP" \(.*varchar\(255\)\)', done.stderr).group(0)
        self.assertEqual(workspace.find("predictions"), [])
        self.server.psql(create)
        workspace.run("run", "--date", DATE, expect=0)
        self.assertEqual(self.server.psql('SELECT count(*) FROM "my scores; DROP"'), "400")
        found = workspace.run("doctor")
        self.assertIn("SCORES_TABLE my scores; DROP of PostgreSQL", found.stdout)

    def test_a_kill_amid_the_scores_leaves_the_old_ones(self):
        self.server.psql("CREATE TABLE slow (LIKE scores); CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                         "$$BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END$$; "
                         "CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW WHEN (NEW.machine = 'M300') EXECUTE FUNCTION wait()")
        workspace = self.with_server(SCORES_TABLE="slow")
        holder = self.server.psql_session()
        self.addCleanup(lambda: (holder.stdin.close(), holder.wait(), holder.stdout.close()))
        holder.stdin.write("SELECT 'held' FROM pg_advisory_lock(7);\n")
        self.assertEqual(holder.stdout.readline().strip(), "held")
        running = workspace.start("run", "--date", DATE)
        wait_for(lambda: self.server.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "1")
        kill(running)
        holder.stdin.write("SELECT 'free' FROM pg_advisory_unlock(7);\n")
        self.assertEqual(holder.stdout.readline().strip(), "free")
        self.assertEqual(workspace.find("predictions"), [])
        workspace.run("run", "--date", DATE, expect=0)
        self.assertEqual(self.server.psql("SELECT count(*), count(DISTINCT machine) FROM slow"), "400|400")

    def test_a_large_day_is_the_same_in_bounded_memory(self):
        workspace = self.with_server()
        plain = self.workspace(DAY_DATA="rows_{date}.csv")
        write_rows(plain.folder / f"rows_{NEXT}.csv", 100000, day=NEXT)
        sort_rows(plain.folder / f"rows_{NEXT}.csv")
        self.server.load("large", COLUMNS, plain.folder / f"rows_{NEXT}.csv")
        (workspace.folder / "day.sql").write_text(QUERY.replace("machines", "large").replace("'s large", ""))
        plain.run("run", "--date", NEXT)
        workspace.run("run", "--date", NEXT)
        self.assertEqual((workspace.folder / "data/raw/machines/synthetic_data.csv").read_bytes(), (plain.folder / f"rows_{NEXT}.csv").read_bytes())
        self.assertEqual(self.scores(workspace, NEXT), self.scores(plain, NEXT))


if __name__ == "__main__":
    unittest.main()
