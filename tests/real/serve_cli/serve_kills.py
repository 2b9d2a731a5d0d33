#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline serve` killed again and again under load, against the test Exchange and Dovecot.

usage: serve_kills.py [SECONDS]      needs SYNCLINE_SOURCE_DIR and SYNCLINE_BIN_DIR
Mail comes and goes, contacts are added and edited on both sides, and the daemon gets SIGKILL at moments of chance. Then
it may end what it has begun, and both sides must be equal: every message a record once, every contact on both sides once
and with the same fields, every message that was to go out there once, or with an alert for a person, and never twice.
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "sync_cli"), str(HERE.parent / "mail_hosts_cli")]
from exchange_world import Exchange, Syncline, wait_for  # noqa: E402
from test_mail_hosts_cli import LAB_PASSWORD, Lab, MailHosts, outgoing  # noqa: E402

NEEDS_PERSON = 5  # of store::OperationState


class Kills(MailHosts):
    seconds = 20

    def runTest(self):
        self.chance = random.Random(int(os.environ.get("SYNCLINE_SEED", "1")))
        self.users = [self.exchange.user() for _ in range(3)]
        self.lab.empty("alice", "bob", "carol")
        # What goes out is not to wait for its turn in the minute.
        self.ready_with("send_per_minute = 10000\n", self.profile("Basement", min_poll=1), self.host_profile("Post", "imap_smtp", min_poll=1),
                        *map(self.mailbox, self.users), self.mailbox(self.alice, "Post", 'act = "none"\n'))
        self.let_in(*self.users)
        self.let_in_by_password(self.alice)
        self.came, self.sent = collections.defaultdict(list), collections.defaultdict(list)
        self.contacts = collections.defaultdict(set)
        self.stopped = threading.Event()
        self.trouble = []
        load = threading.Thread(target=self.make_load)
        load.start()
        kills = 0
        end = time.monotonic() + self.seconds
        try:
            while time.monotonic() < end and not self.trouble:
                process = self.begin()
                time.sleep(self.chance.choice([0.05, 0.2, 0.5, 1, 2, 4]) * (0.5 + self.chance.random()))
                self.assertIsNone(process.poll(), "it ended by itself: " + self.said())
                process.kill()
                process.wait()
                kills += 1
        finally:
            self.stopped.set()
            load.join()
        self.assertEqual(self.trouble, [])
        process = self.begin()
        try:
            wait_for(self.is_equal, "both sides to be equal", 900)
        except AssertionError:
            print(self.difference(), file=sys.stderr)
            raise
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0, self.said())
        self.check_what_went()
        self.sync("--once")
        self.assertTrue(self.is_equal(), self.difference())
        self.check_what_went()
        print(f"{kills} kills in {self.seconds} s; {sum(map(len, self.came.values()))} messages came, "
              f"{sum(map(len, self.sent.values()))} went ({len(self.for_a_person)} are left to a person), "
              f"{sum(map(len, self.contacts.values()))} contacts: both sides are equal")

    # -- the daemon ---------------------------------------------------------------------------------------------------
    def begin(self):
        with open(self.folder / "serve.log", "ab") as log:
            process = subprocess.Popen(self.command("serve", "--no-http"), stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=self.env)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        return process

    def said(self):
        return (self.folder / "serve.log").read_text()[-4000:]

    # -- load ---------------------------------------------------------------------------------------------------------
    def make_load(self):
        chance, number = random.Random(7), 0
        try:
            while not self.stopped.wait(chance.random() * 0.15):
                number += 1
                what, user = chance.randrange(6), chance.choice(self.users)
                if what == 0:
                    self.exchange.deliver(user, f"In {number}")
                    self.came[user].append(f"In {number}")
                elif what == 1:
                    self.lab.deliver(self.alice, f"In {number}", f"<in{number}@lab.test>")
                    self.came[self.alice].append(f"In {number}")
                elif what == 2:
                    self.exchange.add_contact(user, "There", f"T{number}")
                    self.contacts[user].add(f"T{number}")
                elif what == 3:
                    self.add_quietly({"kind": "contact", "owner": user, "fields": {
                        "givenName": "Here", "surname": f"H{number}", "displayName": f"Here H{number}"}})
                    self.contacts[user].add(f"H{number}")
                elif what == 4:
                    self.add_quietly(outgoing(user, "bo@partner.test", f"Out {number}"))
                    self.sent[user].append(f"Out {number}")
                else:
                    self.add_quietly(outgoing(self.alice, self.bob, f"Out {number}"))
                    self.sent[self.alice].append(f"Out {number}")
        except Exception as error:  # the main thread says it
            self.trouble.append(repr(error))

    def add_quietly(self, record):
        done = subprocess.run(self.command("record", "add"), input=json.dumps(record) + "\n", capture_output=True,
                              encoding="utf-8", env=self.env, check=False, timeout=120)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    # -- looking ------------------------------------------------------------------------------------------------------
    @staticmethod
    def bare(subject):
        return subject.split(" SYN:")[0]

    def look(self):
        records = collections.defaultdict(list)
        waiting = collections.defaultdict(list)
        contacts = collections.defaultdict(list)
        for record in self.records():
            fields = record["fields"]
            if record["kind"] == "contact":
                contacts[record["owner"]].append(fields.get("surname"))
            elif fields["direction"] == "incoming":
                records[record["owner"]].append(self.bare(fields["subject"]))
            elif fields["statusCode"] == "pendingSend" or fields["statusCode"] == "sending":
                waiting[record["owner"]].append(self.bare(fields["subject"]))
        return records, contacts, waiting

    def there(self, user):
        if user == self.alice:
            return None
        return sorted(one.get("subject", "").split(" ")[-1] for one in self.exchange.items(user, "contacts"))

    @property
    def for_a_person(self):
        """Messages of which nobody can know whether they went: with an alert each."""
        rows = self.sql(f"SELECT record FROM operation WHERE state = {NEEDS_PERSON}")
        return {record for (record,) in rows}

    def difference(self):
        records, contacts, waiting = self.look()
        lines = []
        for user in [*self.users, self.alice]:
            if sorted(records[user]) != sorted(self.came[user]):
                missing = collections.Counter(self.came[user]) - collections.Counter(records[user])
                extra = collections.Counter(records[user]) - collections.Counter(self.came[user])
                lines.append(f"{user}: mail missing {dict(missing)}, too much {dict(extra)}")
            wanted = sorted(self.contacts[user])
            if sorted(contacts[user]) != wanted:
                lines.append(f"{user}: contacts here {sorted(contacts[user])}, wanted {wanted}")
            if user != self.alice and self.there(user) != wanted:
                lines.append(f"{user}: contacts there {self.there(user)}, wanted {wanted}")
            if waiting[user]:
                lines.append(f"{user}: {waiting[user]} wait to be sent")
        unfinished = self.sql("SELECT state, what, attempts, error FROM operation WHERE state < 3")
        if unfinished:
            lines.append(f"operations under way: {unfinished}")
        return "\n".join(lines)

    def is_equal(self):
        time.sleep(0.5)
        return self.difference() == ""

    def check_what_went(self):
        unsure = len(self.for_a_person)
        went = collections.Counter()
        for user in self.users:
            went.update(self.bare(mail["subject"]) for mail in self.exchange.do("sent-mail", user))
        for file in self.lab.messages("bob", ""):
            for line in file.read_bytes().splitlines():
                if line.startswith(b"Subject: "):
                    went[self.bare(line[9:].decode())] += 1
                    break
        twice = [subject for subject, times in went.items() if times > 1]
        self.assertEqual(twice, [], "mailed twice")
        wanted = {subject for subjects in self.sent.values() for subject in subjects}
        self.assertLessEqual(len(wanted - set(went)), unsure, f"never mailed: {sorted(wanted - set(went))}")
        self.assertEqual(set(went) - wanted, set())


if __name__ == "__main__":
    import unittest
    if len(sys.argv) > 1:
        Kills.seconds = int(sys.argv[1])
    Syncline.exchange = Exchange()
    MailHosts.lab = Lab()
    try:
        outcome = unittest.TextTestRunner().run(Kills())
    finally:
        Syncline.exchange.close()
        MailHosts.lab.close()
    sys.exit(0 if outcome.wasSuccessful() else 1)
