"""What the README shows of a team's own data, run as it stands: each command, and each line that is said to come of it."""
import pathlib
import re
import subprocess
import unittest

from books import TYPES, TWO, book, copy_rows, frame, write_csv, write_parts
from harness import BINARY, Workspace
from postgresql import Postgresql
from readme import commands_of, pattern

PAST, DAY, ROWS = [f"2026-11-{day:02}" for day in range(1, 11)], "2026-11-27", 600
# A small network and few passes: what is shown is of the defaults, and only its numbers differ.
QUICK = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, LEARNING_RATE=0.003, EPOCHS=4, PRETRAIN_EPOCHS=1, F1_THRESHOLD=0.3)


class Readme(unittest.TestCase):
    def write_files(self, server, folder):
        history = {name: [row for day in PAST for row in book(name, ROWS, day)] for name in TWO}
        write_parts(history["leases"], folder / "history/leases")
        write_parts(book("leases", ROWS, DAY), folder / f"days/date={DAY}", 2)
        write_csv(history["mortgages"], folder / "rows.csv")
        server.load("history", TYPES, folder / "rows.csv")
        server.psql(f"CREATE TABLE loans ({TYPES})")
        write_csv(book("mortgages", ROWS, DAY, labelled=False), folder / "rows.csv")
        copy_rows(server, "loans", folder / "rows.csv")
        frame(book("mortgages", ROWS, DAY))[["loan_id", "as_of", "defaulted"]].to_csv(folder / "labels.csv", index=False)
        (folder / "history.sql").write_text("SELECT * FROM history ORDER BY loan_id\n")
        (folder / "day.sql").write_text("SELECT * FROM loans WHERE as_of = :date\n")

    def test_your_own_data(self):
        commands = commands_of("With your own data")
        self.assertGreaterEqual(len(commands), 9)
        self.assertLessEqual(sum(1 + len(lines) for _, lines in commands), 20)
        with Postgresql() as server, Workspace(**QUICK, DATABASE_URL=server.url()) as work:
            self.write_files(server, work.folder)
            script = 'PATH="$1:$PATH"\n' + "\n".join(f"{command} || exit 1\necho ==={n}" for n, (command, _) in enumerate(commands))
            done = subprocess.run(["bash", "-c", script, "bash", str(pathlib.Path(BINARY).parent)], cwd=work.folder,
                                  env=work.environment({}), stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            outputs = re.split(r"===\d+\n", done.stdout)
            for (command, lines), output in zip(commands, outputs, strict=False):
                for line in lines:
                    self.assertRegex(output, pattern(line), command)


if __name__ == "__main__":
    unittest.main()
