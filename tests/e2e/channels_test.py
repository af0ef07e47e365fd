"""Alerts reach people: Slack's and PagerDuty's answers, a signed webhook, a command, a mail server with TLS and login; all on loopback."""
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
import unittest
from email import message_from_bytes, policy

import alerts_test
from alerts_test import FAILED
from harness import Workspace

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:  # make peers
    Controller = None

SECRETS = {"slack": "T0SLACKSECRET", "key": "0123456789abcdef0123456789abcdef", "hook": "HOOKSECRET", "signing": "signing-secret", "password": "mailpassword"}


class Receiver(http.server.ThreadingHTTPServer):
    """Answers as it is told, at first in the order of `answers`: a status, (status, headers), "hang" or "cut"; then 200."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.got, self.release = [], [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *_):
        self.release.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answers.pop(0) if self.server.answers else 200
        self.server.got.append((self.path, dict(self.headers), body))
        if answer == "hang":
            self.server.release.wait()
            return
        if answer == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Channels(alerts_test.BadAndGoodDays):
    DAYS = 5

    def setUp(self):
        super().setUp()
        self.receiver = self.enterContext(Receiver())
        self.slack = {"SLACK_WEBHOOK_URL": f"{self.receiver.url}/services/{SECRETS['slack']}"}

    def deliveries(self):
        return self.work.find("alert_deliveries")

    def test_each_channel_in_its_own_words_and_no_secret_anywhere(self):
        settings = dict(self.slack, PAGERDUTY_ROUTING_KEY=SECRETS["key"], PAGERDUTY_URL=self.receiver.url + "/v2/enqueue",
                        ALERT_WEBHOOK_URL=f"{self.receiver.url}/{SECRETS['hook']}", ALERT_WEBHOOK_SECRET=SECRETS["signing"],
                        ALERT_COMMAND="cat > told.json")
        said = [self.day(1, **settings)]
        got = {path: (headers, json.loads(body), body) for path, headers, body in self.receiver.got}
        self.assertEqual(len(self.receiver.got), 3)
        slack = got[f"/services/{SECRETS['slack']}"][1]
        self.assertEqual(slack["text"], f"[maeil] CRITICAL {FAILED} (machines)")
        self.assertIn("Model performance is below the threshold", slack["blocks"][1]["text"]["text"])
        pager = got["/v2/enqueue"][1]
        self.assertEqual((pager["event_action"], pager["routing_key"], pager["payload"]["severity"]), ("trigger", SECRETS["key"], "critical"))
        headers, body, raw = got[f"/{SECRETS['hook']}"]
        self.assertEqual(headers["X-Maeil-Signature-256"], "sha256=" + hmac.new(SECRETS["signing"].encode(), raw, hashlib.sha256).hexdigest())
        self.assertEqual((body["event"], body["rule"], body["count"]), ("opened", FAILED, 1))
        self.assertEqual(json.loads((self.work.folder / "told.json").read_text()), body)
        self.assertEqual({d["status"] for d in self.deliveries()}, {"delivered"})

        # The same trouble on the next day is no news; PagerDuty hears who took it, and that it is over, under the same key.
        self.receiver.got.clear()
        said.append(self.day(2, **settings))
        self.assertEqual(self.receiver.got, [])
        said.append(self.work.run("alert", "ack", FAILED, expect=0, **settings))
        self.assertEqual([json.loads(b)["event_action"] for _, _, b in self.receiver.got], ["acknowledge"])
        self.receiver.got.clear()
        said += [self.day(day, good=True, **settings) for day in (3, 4)]
        by_path = {path: json.loads(body) for path, _, body in self.receiver.got}
        self.assertEqual((by_path["/v2/enqueue"]["event_action"], by_path["/v2/enqueue"]["dedup_key"]), ("resolve", pager["dedup_key"]))
        self.assertIn("resolved", by_path[f"/services/{SECRETS['slack']}"]["text"])

        said.append(self.work.run("doctor", **settings))
        everything = "".join(done.stdout + done.stderr for done in said) + (self.work.folder / "maeil.db").read_bytes().decode("latin-1")
        for name, secret in SECRETS.items():
            self.assertNotIn(secret, everything, name)
        self.assertIn("go to slack, webhook, pagerduty, command", said[-1].stdout)

    def test_what_slack_and_pagerduty_answer(self):
        self.receiver.answers = [(429, {"Retry-After": "120"})]
        self.assertIn("warning: slack: slack answers HTTP 429, again in 2 min", self.day(1, **self.slack).stderr)
        delivery, = self.deliveries()
        self.assertEqual((delivery["status"], [a["outcome"] for a in delivery["attempts"]]), ("pending", ["later"]))
        self.assertIn("nothing is due", self.work.run("notify", "--once", expect=0, **self.slack).stdout)
        for answer, outcome in ((410, "failed"), (404, "failed"), (400, "failed"), (500, "pending"), ("cut", "pending"), (202, "delivered")):
            with self.subTest(answer=answer), self.made.copy() as self.work:
                self.receiver.answers = [answer]
                self.day(1, **self.slack)
                self.assertEqual(self.deliveries()[0]["status"], outcome)
                if outcome == "failed":
                    self.assertRegex(self.work.run("doctor", **self.slack).stdout, rf"warning +alerts +1 never arrived: {FAILED} of 2026-07-01 did not reach slack")

    def test_a_channel_that_hangs_holds_up_no_day(self):
        self.receiver.answers = ["hang"] * 5
        begun = time.monotonic()
        self.assertIn("again in 1 min", self.day(1, **self.slack).stderr)
        took = time.monotonic() - begun
        self.assertEqual(self.deliveries()[0]["status"], "pending")
        self.assertEqual(len(self.receiver.got), 1)
        self.assertEqual(len(self.work.find("predictions")), 1)
        self.assertGreater(took, 9)  # it was waited for, once
        self.assertIn("nothing is due", self.work.run("notify", "--once", expect=0, **self.slack).stdout)

    def test_routes_secret_files_and_wrong_settings(self):
        (self.work.folder / "slack_url").write_text(self.slack["SLACK_WEBHOOK_URL"] + "\n")
        secret = {"SLACK_WEBHOOK_URL_FILE": "slack_url", "ALERT_COMMAND": "cat > told.json", "ALERT_ROUTES": "CRITICAL: slack; WARNING: command"}
        self.assertIn("slack: delivered", self.work.run("alert", "test", "slack", expect=0, **secret).stdout)
        self.assertEqual(json.loads(self.receiver.got[0][2])["text"], "[maeil] INFO TEST (machines)")
        self.day(1, **secret)
        self.assertEqual([d["channel"] for d in self.deliveries()], ["slack"])
        self.assertFalse((self.work.folder / "told.json").exists())
        self.assertIn("is not set", self.work.run("alert", "test", "email", expect=2, **secret).stderr)
        self.assertIn("SLACK_WEBHOOK_URL_FILE", self.work.run("alert", "list", expect=2, SLACK_WEBHOOK_URL_FILE="nowhere").stderr)
        with Workspace() as new:  # before there is a store
            self.assertRegex(new.run("doctor", SMTP_URL="mail.example.org").stdout, "problem +alerts +SMTP_URL is set, and ALERT_EMAIL_FROM is not")
            self.assertRegex(new.run("doctor", ALERT_ROUTES="LOUD: slack").stdout, "problem +alerts +ALERT_ROUTES: 'LOUD' is no severity")
        self.receiver.answers = [500]
        self.assertIn("slack: slack answers HTTP 500", self.work.run("alert", "test", "slack", expect=1, **secret).stderr)
        # A wrong setting is said and holds up no day; what rang is told when it is mended.
        with self.made.copy() as self.work:
            self.receiver.got.clear()
            self.assertIn("ALERT_ROUTES names the channel 'email', which is not set", self.day(1, **self.slack, ALERT_ROUTES="CRITICAL: email").stderr)
            self.assertEqual((self.receiver.got, self.work.find("alert_states")), ([], []))
            self.day(2, good=True, **self.slack)
            self.assertEqual(len(self.receiver.got), 1)
            (self.work.folder / "empty").write_text("")
            self.assertIn("has no first line", self.work.run("alert", "list", expect=2, SLACK_WEBHOOK_URL_FILE="empty").stderr)

    def test_one_that_hangs_or_is_not_set_holds_up_no_other(self):
        self.receiver.answers = []
        begun = time.monotonic()
        done = self.day(1, **self.slack, ALERT_COMMAND="echo told; sleep 600")
        self.assertLess(time.monotonic() - begun, 60)
        self.assertEqual({d["channel"]: d["status"] for d in self.deliveries()}, {"command": "pending", "slack": "delivered"})
        self.assertNotIn("told", done.stdout)  # a command's output is no output of ours
        self.assertIn("told", done.stderr)
        # Where the command is not set its message waits, and is not lost.
        said = self.work.run("notify", "--once", expect=1, **self.slack).stderr
        self.assertIn("1 message for command waits: that channel is not set", said)
        command, = [d for d in self.deliveries() if d["channel"] == "command"]
        self.assertEqual((command["status"], len(command["attempts"])), ("pending", 1))

    def test_a_rehearsal_tells_nobody(self):
        (self.work.folder / "model.json").unlink(missing_ok=True)
        self.work.run("fit", "--in", "history.csv", "--out", "model.json", expect=0)
        rehearsal = dict(self.slack, SYNTHETIC_DAY=1, DISTRIBUTION_MODEL="model.json", DATA_QUANTITY=1500)
        self.work.run("run", "--date", "2026-07-01", expect=4, F1_THRESHOLD=0.99, **rehearsal)
        self.assertEqual(self.receiver.got, [])
        self.work.run("alert", "resolve", FAILED, expect=0, **rehearsal)
        # The real day after it rings as if nothing had been.
        self.assertIn("is open, on 1 date since 2026-07-01", self.day(1, **self.slack).stderr)
        self.assertEqual(len(self.receiver.got), 1)
        self.work.run("alert", "ack", FAILED, expect=0, **self.slack)

    @unittest.skipUnless(Controller, "skipped: needs aiosmtpd: make peers")
    def test_email_with_tls_and_login(self):
        folder = self.work.folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], cwd=folder, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        letters, gone = [], []

        class Keep:
            async def handle_RCPT(self, server, session, envelope, address, options):
                if address in gone:
                    return "550 no such user here"
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, server, session, envelope):
                letters.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, bool(session.ssl), session.authenticated))
                return "250 OK"

        def login(server, session, envelope, mechanism, data):
            return AuthResult(success=(data.login, data.password) == (b"risk", SECRETS["password"].encode()))

        class Server(Controller):
            def factory(self):
                return SMTP(self.handler, tls_context=context, require_starttls=True, authenticator=login, auth_required=True)

        server = Server(Keep(), hostname="127.0.0.1", port=0)
        # port 0: the controller asks the socket for its port only after it listens
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            server.port = free.getsockname()[1]
        server.start()
        self.addCleanup(server.stop)
        mail = {"SMTP_URL": f"smtp://risk:{SECRETS['password']}@127.0.0.1:{server.port}", "ALERT_EMAIL_FROM": "maeil@example.org",
                "ALERT_EMAIL_TO": "kim@example.org, lee@example.org", "ALERT_CA_FILE": "cert.pem"}
        done = self.day(1, **mail)
        self.assertIn("email: delivered", done.stderr)
        (sender, to, content, encrypted, authenticated), = letters
        self.assertEqual((sender, to, encrypted, authenticated), ("maeil@example.org", ["kim@example.org", "lee@example.org"], True, True))
        letter = message_from_bytes(content, policy=policy.default)
        self.assertEqual(letter["Subject"], f"[maeil] CRITICAL {FAILED} (machines)")
        text, page = letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()
        for body in (text, page):
            self.assertIn("Model performance is below the threshold", body)
            self.assertIn("maeil logs 2026-07-01", body)
        self.assertTrue(letter["Date"].endswith("+0000"))
        self.assertTrue(letter["Message-ID"].endswith("@example.org>"))
        self.assertNotIn(SECRETS["password"], done.stdout + done.stderr + self.work.run("doctor", **mail).stdout)
        # Without the certificate, or with another password, nothing is sent, and that is said.
        for wrong in ({"ALERT_CA_FILE": ""}, {"SMTP_URL": mail["SMTP_URL"].replace(SECRETS["password"], "wrong")}):
            refused = self.work.run("alert", "test", "email", expect=1, **dict(mail, **wrong))
            self.assertIn("email", refused.stderr)
        self.assertEqual(len(letters), 1)
        # Who left the team does not silence the others, and is named.
        gone.append("kim@example.org")
        self.assertIn("email: delivered, but not to kim@example.org (550)", self.work.run("alert", "test", "email", expect=1, **mail).stderr)
        self.assertIn("warning: email: delivered, but not to kim@example.org (550)", self.day(2, ALERT_REPEAT_DAYS=1, **mail).stderr)
        self.assertEqual([letter[1] for letter in letters[1:]], [["lee@example.org"]] * 2)


if __name__ == "__main__":
    unittest.main()
