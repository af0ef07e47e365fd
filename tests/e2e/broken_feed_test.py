"""What the README shows of a recession and of a broken feed, run as it stands, beside a mail server on loopback: each command, and each line."""
import os
import pathlib
import re
import socket
import subprocess
import sys
import unittest
from email import message_from_bytes, policy

from harness import BINARY, SOURCE, Workspace
from readme import commands_of, pattern

try:
    from aiosmtpd.controller import Controller
except ImportError:
    if os.environ.get("MAEIL_REQUIRE_DATA"):
        raise
    print("skipped: aiosmtpd is not installed (make peers)")
    sys.exit(0)

# A small network that learns fast: what is shown is of the defaults, and only its numbers differ.
QUICK = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=16, LEARNING_RATE=0.003, FINETUNE_LEARNING_RATE=0.003)
TITLE = "A recession, and a broken feed that ends in an email"


class Letters:
    """A mail server that keeps the letters as people see them: the subject, then the text."""

    def __init__(self):
        self.letters = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.server = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server, session, envelope):
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append(f"Subject: {letter['Subject']}\n{letter.get_body(('plain',)).get_content()}")
        return "250 OK"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()


class BrokenFeed(unittest.TestCase):
    def test_three_bad_days_are_one_email_and_two_good_ones_end_it(self):
        commands = commands_of(TITLE)
        self.assertEqual(len(commands), 4)
        with Letters() as mail, Workspace(**QUICK) as work:
            work.run("run", "--date", "2026-11-23", expect=0)
            script = 'PATH="$1:$PATH"\n' + "\n".join(f"{command}\necho ==={n}" for n, (command, _) in enumerate(commands))
            done = subprocess.run(["bash", "-c", script.replace(":2525", f":{mail.port}"), "bash", str(pathlib.Path(BINARY).parent)], cwd=work.folder,
                                  env=work.environment({}), stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            outputs = re.split(r"===\d+\n", done.stdout)
            self.assertEqual(outputs[2].count("verdict      alert"), 3, done.stdout)
            self.assertEqual(len(re.findall("verdict      (?:approved|retrained)", outputs[3])), 2, done.stdout)
            self.assertEqual(len(mail.letters), 2, mail.letters)  # three bad days: one; two good ones: one
            for letter, (command, lines) in zip(mail.letters, commands[2:], strict=True):
                for line in lines:
                    self.assertRegex(letter.replace("What helps:\n", "What helps: "), pattern(line), command)
            for line in commands[0][1]:
                self.assertRegex(outputs[0], pattern(line))
            self.assertEqual([d["status"] for d in work.find("alert_deliveries")], ["delivered"] * 2)
            # And the way back that the email names.
            redo = re.search(r"maeil (redo \S+ --scenario calm)", mail.letters[0])[1]
            again = work.run(*redo.split(), "--yes", expect=0)
            self.assertRegex(again.stdout, "verdict      (approved|retrained)")


if __name__ == "__main__":
    unittest.main()
