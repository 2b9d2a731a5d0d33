#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes on Exchange, by IMAP and by POP3 in one organisation: `syncline sync` beside Dovecot and Postfix."""
import json
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "real/sync_cli"), str(TESTS / "fake/auth_cli")]
from exchange_world import Exchange, Syncline, wait_for  # noqa: E402
from oauth_server import OAuthServer  # noqa: E402

LAB_PASSWORD = "lab-secret"
OAUTH_SECRET = "GOCSPX-geheim-77"


class Lab:
    """Dovecot and Postfix in a folder of their own. `relay`: "DOMAIN=ADDRESS:PORT", whose mail goes to another server.
    `full`: users whose mailbox has no room."""

    def __init__(self, relay="", full=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-lab-"))
        self.folder.chmod(0o755)
        # To a file: the servers would hold a pipe open.
        with open(self.folder / "start.log", "wb") as log:
            started = subprocess.run([TESTS / "mailservers/start.sh", self.folder], stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log, check=False, env={**os.environ, "LAB_RELAY": relay, "LAB_FULL": full})
        if started.returncode != 0:
            raise AssertionError((self.folder / "start.log").read_text())
        text = (self.folder / "env").read_text()
        self.env = {name: value.strip("'\"") for name, value in re.findall(r"(LAB_\w+)=(\S+)", text)}

    def port(self, name):
        return int(re.search(r"(\d+)$", self.env[name]).group(1))

    @property
    def ca_file(self):
        return str(self.folder / "tls/ca.pem")

    def token(self, user):
        return subprocess.run([sys.executable, TESTS / "mailservers/token.py", self.folder, user], check=True,
                              capture_output=True, encoding="utf-8").stdout.strip()

    def deliver(self, to, subject, message_id, body="Hello\r\n", sender="bo@lab.test"):
        """As from outside."""
        with smtplib.SMTP("127.0.0.1", self.port("LAB_SMTP")) as server:
            server.sendmail(sender, [to], (
                f"From: Bo <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\n"
                f"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}").encode())

    def messages(self, user, folder=None):
        """Files of the user's mail, in all folders, or in one: "" is the inbox."""
        home = self.folder / "home" / user / "Maildir"
        if folder is not None:
            home = home / f".{folder}" if folder else home
            return [file for name in ("cur", "new") for file in home.glob(f"{name}/*")]
        return [file for name in ("cur", "new") for file in home.rglob(f"{name}/*") if file.is_file()]

    def empty(self, *users):
        for user in users:
            for file in self.messages(user):
                file.unlink()

    def message_ids(self, user, folder):
        return sorted(re.search(rb"^Message-ID: *(\S+)", file.read_bytes(), re.M | re.I).group(1).decode()
                      for file in self.messages(user, folder))

    def close(self):
        subprocess.run([TESTS / "mailservers/stop.sh", self.folder], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def outgoing(owner, to, subject):
    return {"kind": "email", "owner": owner, "fields": {
        "direction": "outgoing", "statusCode": "pendingSend", "subject": subject,
        "body": {"type": "text", "value": "It is on its way."},
        "toRecipients": [{"emailAddress": address} for address in ([to] if isinstance(to, str) else to)]}}


class MailHosts(Syncline):
    lab = None  # set by the module
    alice, bob = "alice@lab.test", "bob@lab.test"

    def setUp(self):
        super().setUp()
        self.oauth = OAuthServer("1234.apps.example", OAUTH_SECRET)
        self.addCleanup(self.oauth.stop)
        issue = self.oauth.issue
        # The token is one that Dovecot believes.
        self.oauth.issue = lambda user, scope, refresh: {**issue(user, scope, refresh),
                                                         "access_token": self.lab.token(self.alice)}

    def host_profile(self, name, kind, **members):
        lab = self.lab
        incoming = "LAB_POP3S" if kind == "pop3_smtp" else "LAB_IMAPS"
        values = {"name": name, "type": kind, "in_host": "localhost", "in_port": lab.port(incoming),
                  "out_host": "localhost", "out_port": lab.port("LAB_SMTPS"), "in_tls": "implicit", "out_tls": "implicit",
                  "ca_file": lab.ca_file, "sent_copies": "append"}
        values.update(members)
        return "[[profile]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()
                                         if value is not None)

    def gmail_profile(self):
        base = self.oauth.base
        return self.host_profile("Google", "gmail", client_id="1234.apps.example", token_endpoint=f"{base}/token",
                                 authorization_endpoint=f"{base}/authorize", in_protocol="imap")

    def ready_with(self, *parts):
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(*parts))

    def let_in_by_password(self, *addresses):
        self.let_in(*addresses, password=LAB_PASSWORD)

    def sign_in(self, address):
        """As a person does whose browser follows where it is sent."""
        login = self.start("auth", "login", address, "--no-browser")
        line = ""
        while not line.startswith("http"):
            line = login.stdout.readline()
            self.assertTrue(line, login.stderr.read() if login.poll() is not None else "")
        urllib.request.urlopen(line.strip(), timeout=20).read()
        out, err = login.communicate(timeout=60)
        self.assertEqual(login.returncode, 0, out + err)

    def subjects(self, direction):
        return sorted(record["fields"]["subject"].split(" SYN:")[0] for record in self.records("email")
                      if record["fields"]["direction"] == direction)

    def settled(self, runs=4):
        """Runs until nothing changes, as a schedule would; LMTP takes a moment."""
        for _ in range(runs):
            self.sync()
            time.sleep(0.3)

    def expect_quiet(self):
        before, files = self.records(), {user: len(self.lab.messages(user)) for user in ("alice", "bob")}
        for line in self.sync().values():
            self.assertEqual({count for counts in line["kinds"].values() for count in counts.values()}, {0}, line)
        self.assertEqual(self.records(), before)
        self.assertEqual({user: len(self.lab.messages(user)) for user in files}, files)


class OneOrganisation(MailHosts):
    def three_mailboxes(self):
        """One of each kind, empty; gives Exchange's address."""
        self.lab.empty("alice", "bob")
        user = self.exchange.user()
        self.ready_with(self.profile("Basement"), self.gmail_profile(), self.host_profile("Post", "pop3_smtp"),
                        self.mailbox(user), self.mailbox(self.alice, "Google", 'act = "none"\n'),
                        self.mailbox(self.bob, "Post", 'act = "none"\n'))
        self.let_in(user)
        self.ok("secret", "set", "--profile", "Google", "--kind", "client-secret", "--stdin", text=OAUTH_SECRET + "\n")
        self.sign_in(self.alice)
        self.ok("mailbox", "approve", self.alice)
        self.ok("mailbox", "enable", self.alice)
        self.let_in_by_password(self.bob)
        return user

    def exchange_message_ids(self, user, folder):
        return sorted(self.exchange.do("property", user, id=item["id"], field="message:InternetMessageId")["value"]
                      for item in self.exchange.items(user, folder))

    def test_each_writes_to_each_and_every_message_arrives_once_and_is_tracked_once(self):
        user = self.three_mailboxes()
        everybody = (user, self.alice, self.bob)
        letters = {}  # by subject: who sent it, and to whom
        for sender in everybody:
            others = [one for one in everybody if one != sender]
            for to in ([others[0]], [others[1]], others):
                letters[f"{sender.split('@')[0]} to {' and '.join(one.split('@')[0] for one in to)}"] = (sender, to)
        self.add(*(outgoing(sender, to, subject) for subject, (sender, to) in letters.items()))
        self.sync()
        wait_for(lambda: min(len(self.exchange.items(user, "inbox")), len(self.lab.messages("alice", "")),
                             len(self.lab.messages("bob", ""))) >= 4, "the mail")
        self.settled()

        # On the servers, by Message-ID: one copy in each recipient's inbox, one where the sender keeps what was sent.
        records = {record["fields"]["subject"].split(" SYN:")[0]: record for record in self.records("email")}
        self.assertEqual(sorted(records), sorted(letters), "no message is a second record")
        self.assertEqual(len(self.records("email")), len(letters))
        ids = {subject: record["fields"]["internetMessageId"] for subject, record in records.items()}
        self.assertEqual(len(set(ids.values())), len(letters))
        expected = {one: sorted(ids[subject] for subject, (_, to) in letters.items() if one in to) for one in everybody}
        sent = {one: sorted(ids[subject] for subject, (sender, _) in letters.items() if sender == one) for one in everybody}
        self.assertEqual({user: self.exchange_message_ids(user, "inbox"), self.alice: self.lab.message_ids("alice", ""),
                          self.bob: self.lab.message_ids("bob", "")}, expected)
        self.assertEqual(self.exchange_message_ids(user, "sentitems"), sent[user])
        self.assertEqual(self.lab.message_ids("alice", "Sent"), sent[self.alice])
        self.assertEqual(len(self.exchange.do("sent-mail", user)), 4, "the test Exchange's ledger: one line a recipient")
        self.assertEqual(json.loads(self.exchange.ask("POST", "do", {"do": "transport"}))["waiting"], [])

        # In the organisation: one record, its sender's; a link for every copy that its mailbox shows.
        for subject, (sender, to) in letters.items():
            record = records[subject]
            self.assertEqual((record["owner"], record["fields"]["direction"], record["fields"]["statusCode"]),
                             (sender, "outgoing", "sent"), subject)
            shown = to + ([] if sender == self.bob else [sender])
            self.assertEqual(sorted(link["mailbox"] for link in record["links"]), sorted(shown), subject)
        before = {folder: self.exchange.items(user, folder) for folder in ("inbox", "sentitems", "drafts")}
        self.expect_quiet()
        self.assertEqual({folder: self.exchange.items(user, folder) for folder in before}, before)

    def test_a_recipient_nobody_has_is_reported_on_from_either_side(self):
        user = self.three_mailboxes()
        nobody_here, nobody_there = "nobody@example.test", "nobody@lab.test"
        self.add(outgoing(user, nobody_there, "Exchange asks"), outgoing(self.alice, nobody_here, "Gmail asks"))
        self.sync()
        wait_for(lambda: self.exchange.items(user, "inbox") and any(
            b"550 5.1.10" in file.read_bytes() for file in self.lab.messages("alice", "")), "the reports")
        self.settled(2)
        states = {record["fields"]["subject"].split(" SYN:")[0]: record["fields"].get("recipientStates")
                  for record in self.records("email") if record["fields"]["direction"] == "outgoing"}
        self.assertEqual(states, {"Exchange asks": {nobody_there: "failed 5.1.1"},
                                  "Gmail asks": {nobody_here: "failed 5.1.10"}})

    def test_mail_of_three_kinds_of_mailbox_arrives_once_and_is_tracked_once(self):
        user = self.three_mailboxes()
        self.exchange.deliver(user, "To Exchange")
        self.lab.deliver(self.alice, "To Gmail", "<gmail-1@partner.test>")
        self.lab.deliver(self.bob, "To POP3", "<pop3-1@partner.test>")
        wait_for(lambda: self.lab.messages("alice") and self.lab.messages("bob"), "the mail")
        lines = self.sync()
        self.assertEqual({line["outcome"] for line in lines.values()}, {"done"}, lines)
        self.assertEqual(self.subjects("incoming"), ["To Exchange", "To Gmail", "To POP3"])
        self.expect_quiet()

        # From each to the others: one message each, sent once, one record with two links where both sides are ours.
        self.add(outgoing(self.alice, self.bob, "From Gmail"), outgoing(self.bob, self.alice, "From POP3"))
        self.settled()
        self.assertEqual(self.subjects("outgoing"), ["From Gmail", "From POP3"])
        self.assertEqual({record["fields"]["statusCode"] for record in self.records("email")
                          if record["fields"]["direction"] == "outgoing"}, {"sent"})
        for subject, owner in (("From Gmail", "bob"), ("From POP3", "alice")):
            files = [file for file in self.lab.messages(owner) if subject.encode() in file.read_bytes()]
            self.assertEqual(len(files), 1, subject)
        self.assertEqual(self.subjects("incoming"), ["To Exchange", "To Gmail", "To POP3"],
                         "a message between two of our mailboxes is the record it was sent from")
        self.expect_quiet()

    def test_an_answer_finds_its_thread_and_a_wrong_password_ends_its_mailbox_alone(self):
        self.ready_with(self.host_profile("Imap", "imap_smtp", in_tls="starttls", in_port=self.lab.port("LAB_IMAP"),
                                          out_tls="starttls", out_port=self.lab.port("LAB_SUBMIT")),
                        self.host_profile("Post", "pop3_smtp"),
                        self.mailbox("carol@lab.test", "Imap", 'act = "none"\n'),
                        self.mailbox("dave@lab.test", "Post", 'act = "none"\n'))
        self.let_in_by_password("carol@lab.test")
        self.let_in("dave@lab.test", password="not-the-password")
        self.add(outgoing("carol@lab.test", ["sink@lab.test", "nobody@elsewhere.test"], "Offer"))
        lines = self.sync(status=1)
        self.assertEqual((lines["carol@lab.test"]["outcome"], lines["dave@lab.test"]["outcome"]), ("done", "failed"))
        self.assertEqual(lines["dave@lab.test"]["error"]["code"], "credentials-refused", lines["dave@lab.test"])
        [offer] = self.records("email")
        self.assertEqual(offer["fields"]["statusCode"], "sent")
        self.assertEqual(offer["fields"]["recipientStates"],
                         {"sink@lab.test": "accepted", "nobody@elsewhere.test": "failed"})
        self.assertIn("nobody@elsewhere.test", json.dumps([line for line in self.journal() if line["event"] == "remark"]))
        [file] = [file for file in self.lab.messages("sink") if b"Offer" in file.read_bytes()]
        message_id = re.search(rb"^Message-ID: (\S+)", file.read_bytes(), re.M | re.I).group(1).decode()
        self.lab.deliver("carol@lab.test", "Re: Offer", "<answer-1@partner.test>", sender="sink@lab.test",
                         body=f"Yes\r\n")
        with smtplib.SMTP("127.0.0.1", self.lab.port("LAB_SMTP")) as server:
            server.sendmail("sink@lab.test", ["carol@lab.test"], (
                "From: sink@lab.test\r\nTo: carol@lab.test\r\nSubject: other words\r\nMessage-ID: <answer-2@partner.test>\r\n"
                f"In-Reply-To: {message_id}\r\nDate: Mon, 02 Nov 2026 11:00:00 +0000\r\n\r\nYes\r\n").encode())
        wait_for(lambda: len([f for f in self.lab.messages("carol") if b"partner.test" in f.read_bytes()]) >= 2, "answers")
        self.sync(status=1)
        answers = {record["fields"]["subject"]: record["fields"] for record in self.records("email")
                   if record["fields"]["direction"] == "incoming"}
        self.assertEqual(answers["other words"].get("regarding"), offer["id"])


class Fips(MailHosts):
    def test_required_and_not_there_nothing_is_begun(self):
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.host_profile("Imap", "imap_smtp"),
                                      self.mailbox("carol@lab.test", "Imap", 'act = "none"\n')).replace(
            "[organisation]\n", "[organisation]\nfips = true\n"))
        self.let_in_by_password("carol@lab.test")
        result = self.run_program("sync", "--format", "json")
        if result.returncode == 0:
            self.skipTest("this machine's OpenSSL has the FIPS provider")
        self.assertEqual((result.returncode, result.stdout), (4, ""), result.stderr)
        self.assertIn("fips", result.stderr.lower())


def main():
    if os.geteuid() != 0:
        print("skipped: Postfix needs root")
        return 0
    # Each needs the other's port: Postfix hands mail for Exchange's domain to it, and is its smart host.
    exchange = Syncline.exchange = MailHosts.exchange = Exchange("[transport]\nsmtp_port = 0\nretry_ms = 100")
    try:
        MailHosts.lab = Lab(f"example.test=127.0.0.1:{exchange.smtp_port}")
        exchange.ask("POST", "do", {"do": "set-smart-host", "smartHost": f"127.0.0.1:{MailHosts.lab.port('LAB_SMTP')}"})
        try:
            return 0 if unittest.main(exit=False).result.wasSuccessful() else 1
        finally:
            MailHosts.lab.close()
    finally:
        MailHosts.exchange.close()


if __name__ == "__main__":
    sys.exit(main())
