#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `syncline serve` as systemd would, against a test Exchange in another process."""
import base64
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sync_cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "api_cli"))
from test_webhooks_cli import Receiver  # noqa: E402
from exchange_world import PASSWORD, SOURCE, Exchange, Syncline, validate, wait_for  # noqa: E402


class Serving(Syncline):
    def serve(self, *arguments):
        """A daemon that is ready; what it says goes to a file, so that nobody has to read it."""
        self.log_file = self.folder / "serve.log"
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        place = str(self.folder / "notify")
        pathlib.Path(place).unlink(missing_ok=True)
        notify.bind(place)
        notify.settimeout(60)
        with open(self.folder / "serve.out", "wb") as out, open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.command("serve", "--port", "0", *arguments), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=log, env={**self.env, "NOTIFY_SOCKET": place})
        self.addCleanup(self.kill, self.process)
        self.assertEqual(notify.recv(100), b"READY=1")
        self.http = json.loads((self.folder / "serve.out").read_text().splitlines()[0])["http"]
        self.notify = notify
        return self.process

    @staticmethod
    def kill(process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(60), 0, self.log_file.read_text())
        self.outputs.append(self.log_file.read_text())

    def get(self, path, method="GET"):
        try:
            with urllib.request.urlopen(urllib.request.Request(self.http + path, method=method), timeout=30) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()

    def metric(self, name, **labels):
        wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
        line = re.escape(name) + (r"\{" + re.escape(wanted) + r"\}" if wanted else "") + r" (\S+)"
        found = re.search("^" + line, self.get("/metrics")[2], re.M)
        self.assertIsNotNone(found, f"there is no {name}{labels}")
        return float(found.group(1))


class Daemon(Serving):
    def test_it_keeps_a_mailbox_in_step_by_itself(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.add_contact(user, "Olga", "Nowak")
        self.serve()
        wait_for(lambda: len(self.records("contact")) == 1, "the first run")
        self.add({"kind": "contact", "owner": user, "fields": {"givenName": "Marta", "surname": "Vogel",
                                                               "displayName": "Marta Vogel"}})
        wait_for(lambda: len(self.exchange.items(user, "contacts")) == 2, "the record that was added")
        self.end()
        self.assertRegex(self.log_file.read_text(), rf"info \[{re.escape(user)} run=\d+\] done in \d+ ms: 1 came, 0 went")
        line = self.sync()[user]
        self.assertEqual((line["kinds"]["contact"]["came"], line["kinds"]["contact"]["went"]), (0, 0))

    def test_a_wrong_password_is_tried_again_when_there_is_a_new_one(self):
        user = self.exchange.user()
        self.ready(user, password="mistaken")
        self.exchange.add_contact(user, "Olga", "Nowak")
        self.serve()
        wait_for(lambda: self.metric("syncline_mailboxes", state="failing") == 1, "the refusal")
        self.assertEqual(self.get("/readyz")[0], 200, "one mailbox is not the daemon")
        self.ok("secret", "set", "--mailbox", user, "--stdin", text=PASSWORD + "\n")
        wait_for(lambda: len(self.records("contact")) == 1, "the run with the new password")
        self.assertEqual(self.metric("syncline_mailboxes", state="failing"), 0)
        self.end()

    def test_a_secret_that_was_tampered_with_is_its_mailboxs_trouble_alone(self):
        good, bad = self.exchange.user(), self.exchange.user()
        self.ready(good, bad)
        with contextlib.closing(sqlite3.connect(self.org / "syncline.db")) as database, database:
            octets = bytearray(database.execute("SELECT octets FROM sealed WHERE name = ?", (f"secret/mailbox/{bad}/password",)).fetchone()[0])
            octets[-1] ^= 1
            database.execute("UPDATE sealed SET octets = ? WHERE name = ?", (bytes(octets), f"secret/mailbox/{bad}/password"))
        for user in (good, bad):
            self.exchange.add_contact(user, "Olga", "Nowak")
        line = self.sync(status=1)
        self.assertEqual((line[good]["outcome"], line[bad]["error"]["code"]), ("done", "secret-damaged"), line)
        self.serve()
        wait_for(lambda: self.metric("syncline_mailboxes", state="failing") == 1, "the refusal")
        self.assertEqual(len(self.records("contact")), 1)
        [alert] = validate("alerts", self.ok("alerts", "--format", "json"))
        self.assertEqual((alert["mailbox"], alert["code"]), (bad, "secret-damaged"))
        self.assertIn(f"the password of mailbox {bad}", alert["text"])
        self.assertIn("syncline secret set", alert["remedy"])
        self.exchange.add_contact(good, "Bert", "Kranz")
        wait_for(lambda: len(self.records("contact")) == 2, "the other mailbox goes on")
        self.ok("secret", "set", "--mailbox", bad, "--stdin", text=PASSWORD + "\n")
        wait_for(lambda: len(self.records("contact")) == 3, "the run with the new password")
        self.assertEqual(self.ok("alerts", "--format", "json"), "")
        self.end()

    def test_what_administrators_do_holds_without_a_restart(self):
        first, second = self.exchange.user(), self.exchange.user()
        self.ready(first)
        self.serve()
        wait_for(lambda: self.metric("syncline_runs_total", outcome="done") >= 1, "the first run")
        self.exchange.add_contact(second, "Bert", "Kranz")
        self.apply(self.configuration(self.profile("Basement"), self.mailbox(first), self.mailbox(second)))
        self.let_in(second)
        wait_for(lambda: len(self.records("contact")) == 1, "the mailbox that was added")
        self.ok("mailbox", "disable", first, second)
        wait_for(lambda: self.metric("syncline_mailboxes", state="waiting") == 0, "the mailboxes that were disabled")
        self.end()

    def test_a_second_engine_is_refused_while_it_serves(self):
        user = self.exchange.user()
        self.ready(user)
        self.serve()
        result = self.run_program("serve", "--no-http")
        self.assertEqual(result.returncode, 4)
        self.end()
        self.sync()

    def test_killed_in_the_middle_it_goes_on_and_doubles_nothing(self):
        user = self.exchange.user()
        self.ready(user)
        for number in range(300):
            self.exchange.add_contact(user, f"N{number}", "Person")
        self.add(*({"kind": "contact", "owner": user, "fields": {"givenName": f"R{number}", "surname": "Record"}}
                   for number in range(30)))
        for _ in range(4):
            requests = self.exchange.mark()
            self.serve()
            wait_for(lambda: len(self.exchange.since(requests)) >= 6, "some requests")
            self.process.kill()
            self.process.wait()
        self.serve()
        wait_for(lambda: len(self.exchange.items(user, "contacts")) == 330 and len(self.records("contact")) == 330,
                 "both sides to be equal")
        self.end()
        self.sync()
        self.assertEqual(len(self.exchange.items(user, "contacts")), 330)
        self.assertEqual(len(self.records("contact")), 330)


class Push(Serving):
    def watched(self, user):
        [one] = [one for one in self.status()["mailboxes"] if one["mailbox"] == user]
        return one["watched"]

    def test_a_message_is_a_record_within_seconds_and_status_says_how_it_is_watched(self):
        user = self.exchange.user()
        self.ready(user)
        self.assertIsNone(self.watched(user))
        self.serve()
        wait_for(lambda: self.metric("syncline_mailboxes_watched", by="push") == 1, "the stream of notifications")
        self.assertEqual(self.watched(user)["by"], "push")
        self.assertRegex(self.ok("status"), r"by push\s+since\s+20")
        wait_for(lambda: self.metric("syncline_mailboxes", state="waiting") == 1, "the first runs' end")
        began = time.monotonic()
        self.exchange.deliver(user, "Pushed")
        wait_for(lambda: len(self.records("email")) == 1, "the message")
        self.assertLess(time.monotonic() - began, 60, "it was polled for")
        rule = self.exchange.fault(operation="stream", action="close-stream", times=1)
        self.exchange.fault(operation="GetStreamingEvents", action="abort-before", times=3)
        self.exchange.deliver(user, "In between")
        wait_for(lambda: len(self.records("email")) == 2, "what came while nobody listened")
        self.exchange.end_fault(rule)
        self.exchange.ask("DELETE", "faults")
        self.end()
        self.assertIsNone(self.watched(user))


class Beside(Serving):
    """`sync` while a daemon serves."""

    def test_the_daemon_runs_what_sync_asks_for(self):
        user, other = self.exchange.user(), self.exchange.user()
        self.ready(user, other)
        self.serve()
        wait_for(lambda: self.metric("syncline_runs_total", outcome="done") >= 2, "the first runs")
        self.add({"kind": "contact", "owner": user, "fields": {"givenName": "Marta", "surname": "Vogel",
                                                               "displayName": "Marta Vogel"}})
        lines = self.sync()
        self.assertEqual(set(lines), {user, other})
        self.assertEqual({line["outcome"] for line in lines.values()}, {"done"})
        self.assertEqual(len(self.exchange.items(user, "contacts")), 1)
        self.assertEqual(lines[user]["serverVersion"], "15.2.1544.14")
        self.assertEqual(set(self.sync("--mailbox", other.upper(), "--once")), {other})
        text = self.ok("sync", "--mailbox", user)
        self.assertIn("nothing has changed", text)
        self.end()

    def test_errors_and_exit_statuses_are_those_of_sync(self):
        user, refused = self.exchange.user(), self.exchange.user()
        self.ready(user, refused)
        self.ok("secret", "set", "--mailbox", refused, "--stdin", text="mistaken\n")
        self.serve()
        alone = self.sync("--mailbox", user)
        self.assertEqual(alone[user]["outcome"], "done")
        lines = self.sync(status=1)
        self.assertEqual((lines[user]["outcome"], lines[refused]["outcome"]), ("done", "failed"))
        self.assertIsNotNone(lines[refused]["error"]["code"])
        result = self.run_program("sync", "--mailbox", "nobody@example.test")
        self.assertEqual(result.returncode, 2)
        self.assertIn("nobody@example.test", result.stderr)
        self.ok("mailbox", "disable", refused)
        lines = self.sync("--mailbox", refused, status=1)
        self.assertEqual(lines[refused]["outcome"], "not-ready")
        self.end()

    def test_a_dry_run_needs_no_daemon_and_no_lock(self):
        user = self.exchange.user()
        self.ready(user)
        self.serve()
        self.assertEqual(self.sync("--dry-run")[user]["outcome"], "dry-run")
        self.end()

    def test_the_socket_is_its_users_alone_and_takes_no_nonsense(self):
        self.ready(self.exchange.user())
        self.serve()
        place = self.org / "control.sock"
        self.assertEqual(place.stat().st_mode & 0o777, 0o600)

        def say(octets):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                peer.settimeout(30)
                peer.connect(str(place))
                peer.sendall(octets)
                answer = b""
                while part := peer.recv(65536):
                    answer += part
                return answer
        self.assertIn(b"unknown-request", say(b'{"do":"nothing"}\n'))
        self.assertIn(b"bad-line", say(b"[]\n"))
        self.assertIn(b"bad-line", say(b"{" + b'"a":{' * 100 + b"\n"))
        self.assertEqual(len(json.loads(say(b'{"do":"status"}\n'))["mailboxes"]), 1)
        self.end()
        self.assertFalse(place.exists())

    def test_what_a_killed_daemon_left_behind_is_in_nobodys_way(self):
        user = self.exchange.user()
        self.ready(user)
        self.serve()
        self.process.kill()
        self.process.wait()
        self.assertEqual(self.sync()[user]["outcome"], "done")
        self.serve()
        self.end()


class Outside(Serving):
    def test_half_of_a_profile_is_one_alert_by_webhook_and_by_mail_and_so_is_its_end(self):
        receiver = Receiver(self.folder)
        self.addCleanup(receiver.close)
        good, owner = self.exchange.user(), self.exchange.user()
        bad = [self.exchange.user() for _ in range(3)]
        self.ok("init", "--name", self.name)
        head = f'alert_mailbox = "{good}"\nalert_webhook = "{receiver.url}"\n[policy.sync]\n'
        self.apply(self.configuration(self.profile("Basement", owner=owner, alert_mail=True), *map(self.mailbox, (good, *bad)))
                   .replace("[policy.sync]\n", head, 1))
        self.let_in(good)
        self.let_in(*bad, password="mistaken")
        self.serve("--webhook-ca", str(receiver.ca_file), "--webhook-allow", "127.0.0.1")
        wait_for(receiver.taken, "the alert at the webhook")
        [posted] = receiver.taken()
        self.assertEqual((posted["organisation"], posted["mailbox"], posted["level"], posted["code"]), (self.name, None, "error", "profile-failing:Basement"))
        self.assertRegex(posted["text"], "^3 of 4 mailboxes of the profile Basement")
        wait_for(lambda: self.exchange.items(owner, "inbox"), "the alert by mail")
        [mail] = self.exchange.items(owner, "inbox")
        self.assertEqual(mail["subject"], f"Syncline, error: {self.name}")
        content = base64.b64decode(self.exchange.do("mime", owner, id=mail["id"])["mimeBase64"]).decode()
        seen = (content + self.exchange.do("item-xml", owner, id=mail["id"])["xml"]).lower()
        self.assertIn("auto-submitted", seen)
        self.assertIn("auto-generated", seen)
        self.assertIn(posted["text"].lower(), seen)
        self.assertEqual(self.records("email"), [], "our own mail is no record")
        # The end of it, to the same people in the same ways.
        for user in bad:
            self.ok("secret", "set", "--mailbox", user, "--stdin", text=PASSWORD + "\n")
        wait_for(lambda: len(receiver.taken()) == 2, "the end at the webhook")
        self.assertEqual([(one["level"], one["code"]) for one in receiver.taken()[1:]], [("information", "profile-works-again:Basement")])
        wait_for(lambda: len(self.exchange.items(owner, "inbox")) == 2, "the end by mail")
        self.assertEqual({one["subject"] for one in self.exchange.items(owner, "inbox")},
                         {f"Syncline, error: {self.name}", f"Syncline, information: {self.name}"})
        self.end()

    def test_health_readiness_and_what_is_not_there(self):
        self.ready(self.exchange.user())
        self.serve()
        self.assertEqual(self.get("/healthz"), (200, "text/plain; charset=utf-8", "ok\n"))
        self.assertEqual(self.get("/readyz")[0], 200)
        self.assertEqual(self.get("/healthz", "HEAD")[2], "")
        status, kind, body = self.get("/nowhere?x=1")
        self.assertEqual((status, kind, json.loads(body)["status"]), (404, "application/problem+json", 404))
        self.assertEqual(self.get("/metrics", "POST")[0], 405)
        self.end()

    def test_the_log_is_lines_of_json_when_that_is_asked_for(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.add_contact(user, "Olga", "Nowak")
        self.serve("--log-format", "json", "--log-level", "debug")
        wait_for(lambda: len(self.records("contact")) == 1, "the first run")
        self.end()
        lines = [json.loads(line) for line in self.log_file.read_text().splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], {"debug", "info", "warning", "error"})
        [adopted] = [line for line in lines if line["level"] == "debug" and "record" in line]
        self.assertEqual(adopted["mailbox"], user)
        self.assertTrue(any(line.get("run") == adopted["run"] and line["message"].startswith("done")
                            for line in lines))

    def test_ctrl_c_is_130_and_sigterm_is_0(self):
        self.ready(self.exchange.user())
        self.serve()
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(60), 130)
        self.serve()
        self.end()

    def test_systemd_is_told(self):
        self.ready(self.exchange.user())
        self.serve()
        self.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.notify.recv(100), b"RELOADING=1")
        self.assertEqual(self.notify.recv(100), b"READY=1")
        self.end()
        self.assertEqual(self.notify.recv(100), b"STOPPING=1")

    def test_every_metric_is_documented_and_every_documented_one_is_there(self):
        self.ready(self.exchange.user())
        self.serve()
        wait_for(lambda: self.metric("syncline_runs_total", outcome="done") >= 1, "a run")
        text = self.get("/metrics")[2]
        exported = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        documented = set(re.findall(r"`(syncline_[a-z_]+)`", (SOURCE / "docs/serve.md").read_text("utf-8")))
        self.assertEqual(exported, documented)
        for secret in (PASSWORD, "@example.test"):
            self.assertNotIn(secret, text)
        checker = shutil.which("promtool")
        if checker:
            done = subprocess.run([checker, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.end()

    def test_where_fips_is_required_and_cannot_be_had_nothing_is_begun(self):
        user = self.exchange.user()
        self.ready(user)
        text = self.configuration(self.profile("Basement"), self.mailbox(user))
        (self.folder / "fips.toml").write_text(text.replace("[organisation]\n", "[organisation]\nfips = true\n"))
        applied = self.run_program("apply", self.folder / "fips.toml")
        self.assertEqual(applied.returncode, 0, applied.stderr)
        requests = self.exchange.mark()
        # An OpenSSL without the provider.
        result = self.run_program("serve", "--no-http", env={"OPENSSL_MODULES": str(self.scratch)})
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("fips", result.stderr.lower())
        self.assertEqual(self.exchange.since(requests), [])

    def test_a_port_that_is_taken_is_said(self):
        self.ready(self.exchange.user())
        with socket.create_server(("127.0.0.1", 0)) as taken:
            result = self.run_program("serve", "--port", str(taken.getsockname()[1]))
        self.assertEqual(result.returncode, 4)
        self.assertIn("listen", result.stderr)


if __name__ == "__main__":
    Syncline.exchange = Exchange()
    try:
        unittest.main(verbosity=2)
    finally:
        Syncline.exchange.close()
