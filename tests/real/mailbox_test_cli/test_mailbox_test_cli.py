#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline mailbox test` beside Dovecot, Postfix, scripted providers and the test Exchange: the true cause of each fault."""
import contextlib
import json
import pathlib
import shutil
import smtplib
import socket
import sqlite3
import subprocess
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "real/sync_cli"), str(TESTS / "fake/auth_cli"), str(TESTS / "real/mail_hosts_cli"),
                str(pathlib.Path(__file__).resolve().parent)]
from exchange_world import PASSWORD, Exchange, validate, wait_for  # noqa: E402
from scripted_host import ScriptedHost  # noqa: E402
from test_mail_hosts_cli import LAB_PASSWORD, Lab, MailHosts  # noqa: E402

SERVICE = "svc@example.test"
MORE = f"""
[[site]]
name = "service"
product = "2019"
hosts = ["service.example.test"]
schemes = ["basic"]
[[site.listener]]
tls = true
[[site.user]]
address = "{SERVICE}"
password = "{PASSWORD}"
[[site.user]]
address = "vera@example.test"
password = "{PASSWORD}"
[[site]]
name = "clear"
product = "2019"
hosts = ["clear.example.test"]
schemes = ["basic"]
[[site.listener]]
tls = false
[[site.user]]
address = "cleo@example.test"
password = "{PASSWORD}"
"""
# With the mail hosts' expired certificate.
EXPIRED = f"""
[[site]]
name = "expired"
product = "2019"
hosts = ["expired.lab.test"]
schemes = ["basic"]
[[site.listener]]
tls = true
certificate_file = "{{tls}}/expired.pem"
key_file = "{{tls}}/expired.key"
[[site.user]]
address = "elsa@example.test"
password = "{PASSWORD}"
"""


def unused_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Tests(MailHosts):
    """What every test here does with a mailbox: let it in but do not enable it, test it, look."""

    def approved(self, *addresses, password=None):
        for address in addresses:
            if password:
                self.ok("secret", "set", "--mailbox", address, "--stdin", text=password + "\n")
        self.ok("mailbox", "approve", *addresses)

    def try_mailboxes(self, *arguments, status, more=()):
        result = self.run_program("mailbox", "test", "--format", "json", "--attempts", "1", "--step-time", "3",
                                  "--arrival-time", "10", *more, *arguments)
        self.assertEqual((result.returncode, result.stderr), (status, ""), result.stdout)
        return {line["mailbox"]: line for line in validate("mailbox-test", result.stdout)}

    def failures(self, line):
        return {(step["leg"], step["step"]): step["failure"]["cause"] for step in line["test"]["report"]["steps"]
                if step["failure"]}

    def states(self, line):
        return {(step["leg"], step["step"]): step["state"] for step in line["test"]["report"]["steps"]}

    def expect_failure(self, address, leg, step, cause, status=1, only=True):
        """The step fails of this cause; what comes before it in its leg went well, what comes after was not run."""
        line = self.try_mailboxes(address, status=status)[address]
        found = self.failures(line)
        self.assertEqual(found.get((leg, step)), cause, json.dumps(line, indent=1))
        if only:
            self.assertEqual(found, {(leg, step): cause})
        before, reached = True, False
        for (one_leg, one_step), state in self.states(line).items():
            if one_leg != leg:
                continue
            if one_step == step:
                before, reached = False, True
            elif leg != "act":
                self.assertEqual(state, "success" if before else "not-run", (one_leg, one_step, line))
        self.assertTrue(reached)
        self.assertFalse(line["enabled"])
        [shown] = validate("mailbox", self.ok("mailbox", "show", address, "--format", "json"))
        self.assertEqual(shown["test"], line["test"])
        return line


class OnExchange(Tests):
    def with_mailbox(self, *, user=None, password=PASSWORD, **profile):
        user = user or self.exchange.user()
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Basement", **profile), self.mailbox(user)))
        self.approved(user, password=password)
        return user

    def with_application(self, secret):
        user = self.exchange.cloud_user()
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Cloud", "cloud"), self.mailbox(user, "Cloud", extra="")))
        self.ok("secret", "set", "--profile", "Cloud", "--kind", "client-secret", "--stdin", text=secret + "\n")
        self.ok("mailbox", "approve", user, "--role", "exchange_admin")
        return user

    def test_who_passes_is_enabled_and_nothing_is_left_behind(self):
        user = self.with_mailbox()
        line = self.try_mailboxes(user, status=0, more=["--enable"])[user]
        self.assertEqual(set(self.states(line).values()), {"success"}, line)
        self.assertEqual([step["step"] for step in line["test"]["report"]["steps"] if step["leg"] == "outgoing"],
                         ["resolve", "connect", "tls", "authenticate", "send-to-self", "find-message"])
        self.assertEqual((line["enabled"], line["test"]["state"]), (True, "success"))
        for folder in ("inbox", "sentitems", "drafts", "calendar", "contacts", "tasks"):
            self.assertEqual(self.exchange.items(user, folder), [], folder)
        [sent] = self.exchange.do("sent-mail", user)
        self.assertIn(user, json.dumps(sent))
        self.assertEqual(self.status()["mailboxes"][0]["test"], "success")
        acts = [entry["act"] for entry in validate("audit", self.ok("audit", "--format", "json"))]
        self.assertEqual(acts[-2:], ["mailbox.test-and-enable", "mailbox.enable"])
        # What the next synchronisation sees of it becomes no record.
        self.sync()
        self.assertEqual(self.records(), [])

    def test_a_secret_that_was_tampered_with_fails_its_test_and_no_other(self):
        good = self.exchange.user()
        bad = self.exchange.user()
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Basement"), self.mailbox(good), self.mailbox(bad)))
        self.approved(good, bad, password=PASSWORD)
        with contextlib.closing(sqlite3.connect(self.org / "syncline.db")) as database, database:
            database.execute("UPDATE sealed SET octets = x'00' WHERE name = ?", (f"key/mailbox/{bad}",))
        lines = self.try_mailboxes(bad, good, status=1)
        self.assertEqual(set(self.states(lines[good]).values()), {"success"})
        self.assertEqual(set(self.failures(lines[bad]).values()), {"secret-damaged"}, lines[bad])
        self.approved(bad, password=PASSWORD)
        self.assertEqual(set(self.states(self.try_mailboxes(bad, status=0)[bad]).values()), {"success"})

    def test_test_items_of_a_mailbox_that_is_synchronised_become_no_records(self):
        user = self.with_mailbox()
        self.ok("mailbox", "enable", user)
        # Items cannot be removed again: they stay for the synchronisation to see.
        rule = self.exchange.fault(operation="DeleteItem", mailbox=user, action="response-code", code="ErrorAccessDenied")
        line = self.try_mailboxes(user, status=1)[user]
        self.exchange.end_fault(rule)
        self.assertEqual(self.failures(line), {("act", f"write-{kind}"): "access-denied"
                                               for kind in ("calendar", "contacts", "tasks")}, line)
        for folder in ("inbox", "calendar", "contacts", "tasks"):
            self.assertEqual(len(self.exchange.items(user, folder)), 1, folder)
        self.sync()
        self.assertEqual(self.records(), [])

    def test_a_test_item_whose_answer_was_lost_is_looked_for_and_removed(self):
        user = self.with_mailbox()
        # The first is the message.
        rule = self.exchange.fault(operation="CreateItem", mailbox=user, action="abort-after", skip=1)
        line = self.try_mailboxes(user, status=1)[user]
        self.assertTrue(self.exchange.fired(rule))
        self.exchange.end_fault(rule)
        self.assertEqual(set(self.failures(line)), {("act", f"write-{kind}") for kind in ("calendar", "contacts", "tasks")}, line)
        for step in line["test"]["report"]["steps"]:
            if step["failure"]:
                self.assertIn("it was found and removed", step["failure"]["said"])
        for folder in ("inbox", "calendar", "contacts", "tasks"):
            self.assertEqual(self.exchange.items(user, folder), [], folder)

    def test_a_mailbox_that_may_not_be_connected_is_not(self):
        user = self.exchange.user()
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Basement"), self.mailbox(user)))
        self.ok("secret", "set", "--mailbox", user, "--stdin", text=PASSWORD + "\n")
        mark = self.exchange.mark()
        line = self.try_mailboxes(user, status=1, more=["--enable"])[user]
        self.assertEqual((line["obstacle"]["code"], line["test"], line["enabled"]), ("not-approved", None, False))
        self.assertEqual(self.exchange.since(mark), [])

    def test_wrong_port(self):
        port = unused_port()
        url = f"https://mail.example.test:{port}/EWS/Exchange.asmx"
        user = self.with_mailbox(in_host=url, out_host=url, in_port=port, out_port=port,
                                 resolve=[f"mail.example.test:{port}:127.0.0.1"])
        self.expect_failure(user, "incoming", "connect", "connection-refused", status=3)

    def test_tls_to_a_port_in_clear(self):
        port = self.exchange.endpoints["clear"]["port"]
        url = f"https://clear.example.test:{port}/EWS/Exchange.asmx"
        user = self.with_mailbox(user="cleo@example.test", in_host=url, out_host=url, in_port=port, out_port=port,
                                 resolve=[f"clear.example.test:{port}:127.0.0.1"])
        self.expect_failure(user, "incoming", "tls", "port-without-tls")

    def test_unknown_host(self):
        url = "https://nowhere.invalid/EWS/Exchange.asmx"
        user = self.with_mailbox(in_host=url, out_host=url, in_port=443, out_port=443, resolve=None)
        line = self.try_mailboxes(user, status=3)[user]
        [(step, cause)] = self.failures(line).items()
        self.assertEqual(step, ("incoming", "resolve"))
        # Where there is no name server at all it is that.
        self.assertIn(cause, ("name-not-found", "dns-unreachable"))

    def test_certificate_of_another_name_and_of_an_unknown_authority(self):
        port = self.exchange.endpoints["onprem"]["port"]
        url = f"https://elsewhere.example.test:{port}/EWS/Exchange.asmx"
        user = self.with_mailbox(in_host=url, out_host=url, resolve=[f"elsewhere.example.test:{port}:127.0.0.1"])
        self.expect_failure(user, "incoming", "tls", "certificate-wrong-name")
        self.apply(self.configuration(self.profile("Basement", ca_file=None), self.mailbox(user)))
        self.expect_failure(user, "incoming", "tls", "certificate-unknown-authority")

    def test_an_expired_certificate(self):
        port = self.exchange.endpoints["expired"]["port"]
        url = f"https://expired.lab.test:{port}/EWS/Exchange.asmx"
        user = self.with_mailbox(user="elsa@example.test", in_host=url, out_host=url, in_port=port, out_port=port,
                                 ca_file=self.lab.ca_file, resolve=[f"expired.lab.test:{port}:127.0.0.1"])
        self.expect_failure(user, "incoming", "tls", "certificate-expired")

    def test_wrong_password_and_few_attempts_with_it(self):
        user = self.with_mailbox(password="not-the-password")
        mark = self.exchange.mark()
        self.expect_failure(user, "incoming", "authenticate", "password-wrong")
        self.assertLessEqual(len(self.exchange.since(mark)), 2)

    def test_a_service_account_with_a_wrong_password_is_tried_once_for_all_its_mailboxes(self):
        users = [self.exchange.user() for _ in range(4)]
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(
            self.profile("Basement", auth_in="profile_credentials", user_name=users[0], username_format="upn",
                         impersonation=True), *map(self.mailbox, users)))
        self.ok("secret", "set", "--profile", "Basement", "--stdin", text="not-the-password\n")
        self.approved(*users)
        mark = self.exchange.mark()
        lines = self.try_mailboxes("--all", status=1)
        self.assertEqual([self.failures(lines[user]) for user in users],
                         [{("incoming", "authenticate"): "password-wrong"}] * 4)
        self.assertLessEqual(len(self.exchange.since(mark)), 2)

    def test_no_right_to_impersonate(self):
        user = "vera@example.test"
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(
            self.profile("Basement", "service", auth_in="profile_credentials", user_name=SERVICE, username_format="upn",
                         impersonation=True), self.mailbox(user)))
        self.ok("secret", "set", "--profile", "Basement", "--stdin", text=PASSWORD + "\n")
        self.approved(user)
        line = self.expect_failure(user, "incoming", "authenticate", "impersonation-denied")
        [step] = [step for step in line["test"]["report"]["steps"] if step["failure"]]
        self.assertIn("ApplicationImpersonation", step["failure"]["remedy"])

    def test_every_form_of_switched_off_web_services(self):
        user = self.with_mailbox()
        for value in ("empty", "html", "fault"):
            rule = self.exchange.fault(mailbox=user, action="ews-disabled", value=value)
            line = self.try_mailboxes(user, status=1)[user]
            self.exchange.end_fault(rule)
            [(step, cause)] = self.failures(line).items()
            self.assertEqual(step, ("incoming", "authenticate"), line)
            # Without words of its own a 403 says no more than that it is forbidden; the remedy begins with the services.
            self.assertEqual(cause, "ews-disabled" if value == "fault" else "forbidden", (value, line))
            [failed] = [step for step in line["test"]["report"]["steps"] if step["failure"]]
            self.assertIn("EWSEnabled" if value == "fault" else "Exchange Web Services", failed["failure"]["remedy"])

    def test_a_full_mailbox_a_busy_server_and_a_page_instead_of_web_services(self):
        user = self.with_mailbox()
        rule = self.exchange.fault(operation="CreateItem", mailbox=user, action="response-code", code="ErrorQuotaExceeded")
        line = self.try_mailboxes(user, status=1)[user]
        self.assertEqual(set(self.failures(line).values()), {"mailbox-full"}, line)
        self.assertEqual(set(self.failures(line)), {("outgoing", "send-to-self"), ("act", "write-calendar"),
                                                    ("act", "write-contacts"), ("act", "write-tasks")})
        self.exchange.end_fault(rule)
        rule = self.exchange.fault(mailbox=user, action="html-page")
        self.expect_failure(user, "incoming", "connect", "no-ews-here")
        self.exchange.end_fault(rule)

    def test_what_passes_by_itself_is_tried_again_and_then_enabled(self):
        user = self.with_mailbox()
        self.exchange.fault(mailbox=user, operation="FindFolder", action="status", status=503, times=4)
        self.exchange.fault(mailbox=user, operation="GetFolder", action="status", status=503, times=4)
        result = self.run_program("mailbox", "test", user, "--enable", "--format", "json", "--attempts", "20",
                                  "--step-time", "2")
        [line] = validate("mailbox-test", result.stdout)
        self.assertEqual((result.returncode, line["enabled"], line["test"]["state"]), (0, True, "success"), line)
        self.assertGreater(line["test"]["attempts"], 1)

    def test_a_running_daemon_tests_in_the_background_and_serves_who_passed(self):
        user = self.with_mailbox()
        self.exchange.deliver(user, "Already there")
        serve = self.start("serve", "--port", "0")
        self.assertTrue(serve.stdout.readline())
        waiting = self.try_mailboxes(user, status=0, more=["--enable", "--background"])[user]
        self.assertIn(waiting["test"]["state"], ("not-run", "running", "success"))
        wait_for(lambda: self.status()["mailboxes"][0]["enabled"], "the end of the test")
        self.assertEqual(self.status()["mailboxes"][0]["test"], "success")
        wait_for(lambda: self.records("email"), "the first synchronisation")
        self.assertEqual([record["fields"]["subject"] for record in self.records("email")], ["Already there"])
        serve.terminate()
        _, log = serve.communicate(timeout=60)
        self.assertEqual(serve.returncode, 0, log)
        self.assertIn("has passed its test, and is enabled", log)

    def test_while_a_test_runs_its_own_steps_are_shown_and_no_earlier_ones(self):
        user = self.with_mailbox()
        self.try_mailboxes(user, status=0)
        self.assertEqual(self.shown_test(user)["state"], "success")
        serve = self.start("serve", "--port", "0")
        self.assertTrue(serve.stdout.readline())
        rule = self.exchange.fault(mailbox=user, operation="CreateItem", action="delay", waitMs=60000)
        self.try_mailboxes(user, status=0, more=["--background"])

        def steps():
            test = self.shown_test(user)
            return test["state"], [step["state"] for step in (test["report"] or {"steps": []})["steps"]]
        seen = [None]

        def stands_still():
            """At the step that is held up; those before pass in a moment."""
            before, seen[0] = seen[0], steps()
            return "running" in seen[0][1][1:] and seen[0] == before
        wait_for(stands_still, "a step that runs")
        state, list_of = seen[0]
        self.assertEqual(state, "running")
        at = list_of.index("running")
        self.assertGreater(at, 0)
        self.assertEqual(set(list_of[:at]), {"success"}, list_of)
        # Legs of one connection share the steps that make it.
        self.assertLessEqual(set(list_of[at + 1:]), {"not-run", "success"}, list_of)
        self.assertEqual(list_of[-1], "not-run", "of an earlier test")
        self.exchange.end_fault(rule)
        serve.terminate()
        _, log = serve.communicate(timeout=60)
        self.assertEqual(serve.returncode, 0, log)

    def shown_test(self, user):
        return json.loads(self.ok("mailbox", "show", user, "--format", "json"))["test"]

    def test_a_daemon_that_is_stopped_in_a_test_begins_it_again(self):
        user = self.with_mailbox()
        rule = self.exchange.fault(mailbox=user, action="delay", waitMs=3000)
        serve = self.start("serve", "--port", "0")
        self.assertTrue(serve.stdout.readline())
        self.try_mailboxes(user, status=0, more=["--background"])
        wait_for(lambda: self.status()["mailboxes"][0]["test"] == "running", "the beginning of the test")
        serve.terminate()
        _, log = serve.communicate(timeout=60)
        self.assertEqual(serve.returncode, 0, log)
        self.exchange.end_fault(rule)
        serve = self.start("serve", "--port", "0")
        wait_for(lambda: self.status()["mailboxes"][0]["test"] == "success", "the test")
        serve.terminate()
        self.assertEqual((serve.wait(timeout=60), serve.communicate())[0], 0)

    def token_answer(self, description, code="invalid_grant"):
        return self.exchange.fault(operation="token", action="status", status=400, contentType="application/json",
                                   text=json.dumps({"error": code, "error_description": description}))

    def test_token_endpoints_that_say_why_not(self):
        user = self.with_application("not-the-secret")
        self.expect_failure(user, "incoming", "authenticate", "client-secret-wrong")
        for number, words, code, cause in (
                (50076, "you must use multi-factor authentication", "interaction_required", "mfa-needed"),
                (50079, "you must enroll in multi-factor authentication", "interaction_required", "mfa-needed"),
                (53003, "Access has been blocked by Conditional Access policies", "access_denied", "conditional-access"),
                (7000222, "The provided client secret keys are expired", "invalid_client", "client-secret-expired"),
                (700016, "Application with identifier was not found in the directory", "unauthorized_client",
                 "application-refused"),
                (65001, "The user or administrator has not consented", "invalid_grant", "consent-missing"),
                (50053, "The account is locked", "invalid_grant", "account-locked"),
                (50055, "The password is expired", "invalid_grant", "password-expired"),
                (50057, "The user account is disabled", "invalid_grant", "account-disabled")):
            with self.subTest(number=number):
                rule = self.token_answer(f"AADSTS{number}: {words}.\r\nTrace ID: 1", code)
                line = self.expect_failure(user, "incoming", "authenticate", cause)
                self.exchange.end_fault(rule)
                self.assertIn(f"AADSTS{number}", json.dumps(line), "the server's words are there")


class OnMailHosts(Tests):
    carol = "carol@lab.test"

    def with_mailbox(self, kind="imap_smtp", password=LAB_PASSWORD, user=carol, **profile):
        self.lab.empty("carol")
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.host_profile("Host", kind, **profile),
                                      self.mailbox(user, "Host", 'act = "none"\n')))
        self.approved(user, password=password)
        return user

    def test_who_passes_is_enabled_and_nothing_is_left_behind(self):
        for kind in ("imap_smtp", "pop3_smtp"):
            with self.subTest(kind=kind):
                user = self.with_mailbox(kind)
                line = self.try_mailboxes(user, status=0, more=["--enable"])[user]
                self.assertEqual(set(self.states(line).values()), {"success"}, line)
                self.assertTrue(line["enabled"])
                self.assertEqual(self.lab.messages("carol", ""), [])
                self.assertEqual(self.lab.messages("carol", "Sent"), [])
                trashed = self.lab.messages("carol")
                self.assertEqual(len(trashed), 1 if kind == "imap_smtp" else 0, "IMAP's goes to the trash")
                for file in trashed:
                    text = file.read_bytes()
                    self.assertIn(b"Auto-Submitted: auto-generated", text)
                    self.assertIn(b"X-Syncline-Automatic:", text)
                self.sync()
                self.assertEqual(self.records(), [])
                shutil.rmtree(self.org)
                self.key.unlink()

    def test_a_test_message_that_could_not_be_removed_becomes_no_record(self):
        """Both protocols know it again by its header."""
        self.lab.empty("carol")
        with smtplib.SMTP("127.0.0.1", self.lab.port("LAB_SMTP")) as server:
            server.sendmail(self.carol, [self.carol], (
                f"From: {self.carol}\r\nTo: {self.carol}\r\nSubject: Syncline test\r\nMessage-ID: <t1@lab.test>\r\n"
                "Auto-Submitted: auto-generated\r\nX-Syncline-Automatic: yes\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nx"))
        wait_for(lambda: self.lab.messages("carol", ""), "the mail")
        for kind in ("imap_smtp", "pop3_smtp"):
            self.ok("init", "--name", self.name)
            self.apply(self.configuration(self.host_profile("Host", kind), self.mailbox(self.carol, "Host", 'act = "none"\n')))
            self.let_in_by_password(self.carol)
            self.sync()
            self.assertEqual(self.records(), [], kind)
            shutil.rmtree(self.org)
            self.key.unlink()

    def test_wrong_port(self):
        user = self.with_mailbox(in_port=unused_port())
        self.expect_failure(user, "incoming", "connect", "connection-refused", status=3, only=False)

    def test_wrong_port_for_sending_alone(self):
        user = self.with_mailbox(out_port=unused_port())
        self.expect_failure(user, "outgoing", "connect", "connection-refused", status=3)

    def test_tls_from_the_start_to_a_port_in_clear(self):
        user = self.with_mailbox(in_port=self.lab.port("LAB_IMAP"), out_port=self.lab.port("LAB_SUBMIT"))
        line = self.try_mailboxes(user, status=1)[user]
        self.assertEqual(self.failures(line), {("incoming", "tls"): "port-without-tls",
                                               ("outgoing", "tls"): "port-without-tls"}, line)

    def test_starttls_at_a_port_with_tls_from_the_start(self):
        for kind, incoming in (("imap_smtp", "LAB_IMAPS"), ("pop3_smtp", "LAB_POP3S")):
            with self.subTest(kind=kind):
                user = self.with_mailbox(kind, in_tls="starttls", out_tls="starttls", in_port=self.lab.port(incoming),
                                         out_port=self.lab.port("LAB_SMTPS"))
                line = self.try_mailboxes(user, status=1)[user]
                self.assertEqual(self.failures(line), {("incoming", "tls"): "port-wants-tls",
                                                       ("outgoing", "tls"): "port-wants-tls"}, line)
                shutil.rmtree(self.org)
                self.key.unlink()

    def test_another_protocol_at_the_port(self):
        user = self.with_mailbox(in_port=self.lab.port("LAB_SMTPS"))
        line = self.try_mailboxes(user, status=1)[user]
        self.assertEqual(self.failures(line).get(("incoming", "connect")), "wrong-protocol", line)

    def test_wrong_password(self):
        for kind in ("imap_smtp", "pop3_smtp"):
            with self.subTest(kind=kind):
                user = self.with_mailbox(kind, password="not-the-password")
                line = self.try_mailboxes(user, status=1)[user]
                self.assertEqual(self.failures(line), {("incoming", "authenticate"): "password-wrong",
                                                       ("outgoing", "authenticate"): "password-wrong"}, line)
                shutil.rmtree(self.org)
                self.key.unlink()

    def test_certificates(self):
        for host, cause in (("expired.lab.test", "certificate-expired"), ("wrongname.lab.test", "certificate-wrong-name"),
                            ("untrusted.lab.test", "certificate-unknown-authority")):
            for kind, incoming in (("imap_smtp", "LAB_IMAPS"), ("pop3_smtp", "LAB_POP3S")):
                with self.subTest(host=host, kind=kind):
                    ports = [self.lab.port(name) for name in (incoming, "LAB_SMTPS")]
                    user = self.with_mailbox(kind, in_host=host, out_host=host,
                                             resolve=[f"{host}:{port}:127.0.0.1" for port in ports])
                    line = self.try_mailboxes(user, status=1)[user]
                    shutil.rmtree(self.org)
                    self.key.unlink()
                    self.assertEqual(self.failures(line), {("incoming", "tls"): cause, ("outgoing", "tls"): cause}, line)

    def test_a_port_that_takes_no_sign_in(self):
        user = self.with_mailbox(out_tls="starttls", out_port=self.lab.port("LAB_SMTP"))
        self.expect_failure(user, "outgoing", "authenticate", "no-sign-in-in-common")


    def test_a_mailbox_without_room(self):
        for kind in ("imap_smtp", "pop3_smtp"):
            with self.subTest(kind=kind):
                user = self.with_mailbox(kind, user="full@lab.test")
                line = self.expect_failure(user, "outgoing", "send-to-self", "mailbox-full")
                self.assertIn("552 5.2.2", json.dumps(line), "the server's words are there")
                shutil.rmtree(self.org)
                self.key.unlink()


class OnProviders(Tests):
    """In their own words; docs/protocol-notes/test-and-enable.md has the sources."""

    def against(self, **answers):
        tls = self.lab.folder / "tls"
        host = ScriptedHost(tls / "server.pem", tls / "server.key", **answers)
        self.addCleanup(host.stop)
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(
            self.host_profile("Host", "imap_smtp", in_port=host.imap_port, out_port=host.smtp_port),
            self.mailbox("dave@lab.test", "Host", 'act = "none"\n')))
        self.approved("dave@lab.test", password=LAB_PASSWORD)
        line = self.try_mailboxes("dave@lab.test", status=1)["dave@lab.test"]
        shutil.rmtree(self.org)
        self.key.unlink()
        return self.failures(line), host

    def test_sign_ins(self):
        for imap, smtp, incoming, outgoing in (
                ("NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 "
                 "(Failure)",
                 "534-5.7.9 Application-specific password required. Learn more at\n"
                 "534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor",
                 "app-password-needed", "app-password-needed"),
                ("NO [WEBALERT https://accounts.google.com/signin/continue] Web login required.",
                 "534-5.7.14 <https://accounts.google.com/signin/continue> Please log in via\n"
                 "534 5.7.14 your web browser and then try again.",
                 "browser-sign-in-needed", "browser-sign-in-needed"),
                ("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
                 "535-5.7.8 Username and Password not accepted. Learn more at\n"
                 "535 5.7.8  https://support.google.com/mail/?p=BadCredentials",
                 "password-wrong", "password-wrong"),
                ("NO LOGIN failed: LogonDenied-BasicAuthBlocked",
                 "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
                 "basic-authentication-off", "basic-authentication-off"),
                ("NO [AUTHENTICATIONFAILED] Authentication failed.",
                 "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
                 "password-wrong", "sending-not-enabled"),
                ("NO LOGIN failed.",
                 "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
                 "password-wrong", "conditional-access"),
                ("NO LOGIN failed.",
                 "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated "
                 "successfully.",
                 "password-wrong", "conditional-access")):
            with self.subTest(smtp=smtp):
                found, host = self.against(imap=imap, smtp=smtp)
                self.assertEqual(found, {("incoming", "authenticate"): incoming, ("outgoing", "authenticate"): outgoing})
                self.assertLessEqual(host.sign_ins, 4, "a refused password is not tried again and again")

    def with_one_connection(self, *users):
        """Of all of them, to a host that takes two seconds to open a folder."""
        tls = self.lab.folder / "tls"
        host = ScriptedHost(tls / "server.pem", tls / "server.key", mail="550 5.7.1 no", pause=2)
        self.addCleanup(host.stop)
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(
            self.host_profile("Host", "imap_smtp", in_port=host.imap_port, out_port=host.smtp_port,
                              auth_in="profile_credentials", user_name="svc@lab.test", max_conn=1),
            *(self.mailbox(user, "Host", 'act = "none"\n') for user in users)))
        self.ok("secret", "set", "--profile", "Host", "--stdin", text=LAB_PASSWORD + "\n")
        self.approved(*users)
        return host

    def test_several_with_one_credential_keep_to_the_profiles_connections(self):
        """Who has to wait for the others longer than a step may take has not failed."""
        users = [f"{name}@lab.test" for name in ("alice", "bob", "carol", "dave")]
        host = self.with_one_connection(*users)
        lines = self.try_mailboxes(*users, status=1)
        for user in users:
            self.assertEqual(self.states(lines[user])["incoming", "open-inbox"], "success", lines[user])
        self.assertEqual(host.most_open, {"imap": 1, "smtp": 1})

    def test_a_test_in_the_daemon_counts_beside_its_runs(self):
        host = self.with_one_connection("alice@lab.test", "bob@lab.test")
        self.ok("mailbox", "enable", "alice@lab.test")
        self.try_mailboxes("bob@lab.test", status=0, more=["--background"])
        serve = self.start("serve", "--port", "0")
        self.assertTrue(serve.stdout.readline())

        def standing(address):
            return next(one for one in self.status()["mailboxes"] if one["mailbox"] == address)

        wait_for(lambda: standing("bob@lab.test")["test"] == "failure" and "succeededAt" in json.dumps(standing("alice@lab.test")["state"]),
                 "the run and the test")
        serve.terminate()
        self.assertEqual((serve.wait(timeout=60), serve.communicate())[0], 0)
        self.assertEqual(host.most_open["imap"], 1)
        self.assertGreaterEqual(host.sign_ins, 3)

    def test_quotas_and_rights(self):
        for answers, expected in (
                ({"select": "BAD User is authenticated but not connected."},
                 {("incoming", "open-inbox"): "mailbox-not-enabled-for-protocol"}),
                ({"select": "NO [OVERQUOTA] Account exceeded command or bandwidth limits."},
                 {("incoming", "open-inbox"): "server-busy"}),
                ({"mail": "552 5.2.2 The email account is over quota"}, {("outgoing", "send-to-self"): "mailbox-full"}),
                ({"mail": "550 5.4.5 Daily user sending limit exceeded."}, {("outgoing", "send-to-self"): "sending-limit"}),
                ({"mail": "554 5.2.252 SendAsDenied; dave@lab.test not allowed to send as other@lab.test"},
                 {("outgoing", "send-to-self"): "not-allowed-as-sender"})):
            with self.subTest(answers=answers):
                found, _ = self.against(**{"smtp": "235 2.7.0 fine", "mail": "550 5.7.1 no", **answers})
                for step, cause in expected.items():
                    self.assertEqual(found.get(step), cause, found)


def main():
    if not all(shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") for program in ("dovecot", "postfix")):
        print("SKIPPED: Dovecot or Postfix is not installed")
        return 77
    if subprocess.run(["id", "-u"], capture_output=True, check=True).stdout.strip() != b"0":
        print("SKIPPED: Postfix needs root")
        return 77
    lab = Lab(full="full")
    exchange = None
    try:
        exchange = Exchange(MORE + EXPIRED.format(tls=lab.folder / "tls"))
        Tests.lab, Tests.exchange = lab, exchange
        result = unittest.main(exit=False, verbosity=1).result
        return 0 if result.wasSuccessful() else 1
    finally:
        if exchange:
            exchange.close()
        lab.close()


if __name__ == "__main__":
    sys.exit(main())
