#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `syncline sync` as an administrator would, against a test Exchange in another process."""
import base64
import collections
import json
import os
import resource
import signal
import subprocess
import sys
import unittest

from exchange_world import CLIENT_SECRET, OPERATIONS_THAT_WRITE, Exchange, Syncline, jsonschema, validate, wait_for

FUTURE = "2027-03-0{}T10:00:00Z"


def writes(log):
    return [entry["operation"] for entry in log if entry["operation"] in OPERATIONS_THAT_WRITE]


def appointment(subject, day=1, extra=""):
    return (f"<t:CalendarItem><t:Subject>{subject}</t:Subject>{extra}<t:Start>{FUTURE.format(day)}</t:Start>"
            f"<t:End>{FUTURE.format(day).replace('T10', 'T11')}</t:End></t:CalendarItem>")


def outgoing(owner, to, subject):
    return {"kind": "email", "owner": owner, "fields": {
        "direction": "outgoing", "statusCode": "pendingSend", "subject": subject,
        "body": {"type": "text", "value": "It is on its way."}, "toRecipients": [{"emailAddress": to}]}}


class BothWays(Syncline):
    def fill(self, user):
        exchange = self.exchange
        exchange.deliver(user, "Question")
        exchange.add_contact(user, "Olga", "Nowak")
        exchange.do("add-item", user, folder="tasks", xml="<t:Task><t:Subject>Call back</t:Subject></t:Task>")
        exchange.do("add-item", user, folder="calendar", xml=appointment("Review"))

    def test_four_kinds_come_and_go_and_the_next_run_writes_nothing(self):
        user, other = self.exchange.user(), self.exchange.user()
        self.ready(user)
        self.fill(user)
        line = self.sync()[user]
        self.assertEqual((line["outcome"], line["serverVersion"]), ("done", "15.2.1544.14"))
        self.assertEqual({kind: counts["came"] for kind, counts in line["kinds"].items()},
                         {"email": 1, "appointment": 1, "contact": 1, "task": 1})
        self.assertEqual({record["kind"]: record["fields"].get("subject", record["fields"].get("surname"))
                          for record in self.records()},
                         {"email": "Question", "appointment": "Review", "contact": "Nowak", "task": "Call back"})

        self.add({"kind": "contact", "owner": user, "fields": {"givenName": "Marta", "surname": "Vogel"}},
                 {"kind": "task", "owner": user, "fields": {"subject": "Order paper"}},
                 {"kind": "appointment", "owner": user, "fields": {
                     "subject": "Focus", "start": FUTURE.format(2), "end": FUTURE.format(3)}},
                 outgoing(user, other, "Your order"))
        self.assertEqual([one["newWaiting"] for one in self.status()["mailboxes"]], [4])
        self.assertRegex(self.ok("status"), r"4\s+new\s+records\s+to\s+write")
        line = self.sync()[user]
        self.assertEqual([one["newWaiting"] for one in self.status()["mailboxes"]], [0])
        self.assertEqual({kind: counts["went"] for kind, counts in line["kinds"].items()},
                         {"email": 1, "appointment": 1, "contact": 1, "task": 1})
        for folder, subject in (("tasks", "Order paper"), ("calendar", "Focus")):
            self.assertIn(subject, [item["subject"] for item in self.exchange.items(user, folder)])
        self.assertEqual(len(self.exchange.items(user, "contacts")), 2)
        [mail] = self.exchange.items(other, "inbox")
        self.assertTrue(mail["subject"].startswith("Your order"))

        mark = self.exchange.mark()
        out = self.ok("sync")
        self.assertIn("nothing has changed", out)
        log = self.exchange.since(mark)
        self.assertEqual(writes(log), [])
        self.assertEqual([entry["schemaViolations"] for entry in log if entry["schemaViolations"]], [])
        before = self.records()
        line = self.sync()[user]
        self.assertEqual({count for counts in line["kinds"].values() for count in counts.values()}, {0})
        self.assertEqual(self.records(), before)

    def test_edits_on_both_sides_are_merged_and_deletes_follow_the_policy(self):
        user = self.exchange.user()
        self.ready(user, policy='deleted_in_record = "remove"\ndeleted_in_exchange = "remove"')
        item = self.exchange.add_contact(user, "Olga", "Nowak")
        gone = self.exchange.add_contact(user, "Ivo", "Gone")
        unwanted = self.exchange.add_contact(user, "Uwe", "Unwanted")
        self.sync()
        by_name = {record["fields"]["surname"]: record for record in self.records()}
        self.exchange.do("edit-item", user, id=item, field="contacts:JobTitle", value="Head of purchasing")
        self.exchange.do("delete-item", user, id=gone)
        nowak = by_name["Nowak"]
        self.ok("record", "update", text=json.dumps({"id": nowak["id"], "version": nowak["version"],
                                                     "fields": {"companyName": "Nordwind"}}))
        self.ok("record", "delete", by_name["Unwanted"]["id"])
        counts = self.sync()[user]["kinds"]["contact"]
        self.assertEqual((counts["merged"], counts["conflicts"], counts["removedHere"], counts["removedThere"]),
                         (1, 0, 1, 1))
        self.assertEqual(self.exchange.do("property", user, id=item, field="contacts:CompanyName")["value"], "Nordwind")
        self.assertEqual([record["fields"].get("jobTitle") for record in self.records()], ["Head of purchasing"])
        self.assertNotIn(unwanted, [one["id"] for one in self.exchange.items(user, "contacts")])
        mark = self.exchange.mark()
        self.assertIn("nothing has changed", self.ok("sync"))
        self.assertEqual(writes(self.exchange.since(mark)), [])

    def test_a_conflict_keeps_both_values_in_the_journal(self):
        user = self.exchange.user()
        self.ready(user, policy='[policy.conflict]\nwinner = "record"')
        item = self.exchange.add_contact(user, "Olga", "Nowak")
        self.sync()
        [record] = self.records()
        self.exchange.do("edit-item", user, id=item, field="contacts:JobTitle", value="Of the server")
        self.ok("record", "update", text=json.dumps({"id": record["id"], "version": record["version"],
                                                     "fields": {"jobTitle": "Of the record"}}))
        line = self.sync()[user]
        self.assertEqual(line["kinds"]["contact"]["conflicts"], 1)
        self.assertEqual(self.exchange.do("property", user, id=item, field="contacts:JobTitle")["value"],
                         "Of the record")
        [entry] = [one for one in self.journal("--mailbox", user) if one["event"] == "conflict"]
        self.assertEqual(entry["record"], record["id"])
        for value in ("Of the server", "Of the record"):
            self.assertIn(value, json.dumps(entry["detail"]))
            self.assertIn(value, " ".join(self.ok("journal", "--mailbox", user).split()))

    def test_only_the_mailboxes_that_were_asked_for(self):
        one, two = self.exchange.user(), self.exchange.user()
        self.ready(one, two)
        mark = self.exchange.mark()
        # In any case, and twice is once: two runs in one mailbox would double what they write.
        lines = self.run_program("sync", "--mailbox", two.upper(), "--mailbox", two, "--format", "json").stdout
        self.assertEqual([line["mailbox"] for line in validate("sync", lines)], [two])
        self.assertEqual({entry["mailbox"] for entry in self.exchange.since(mark)} - {""}, {two})
        self.assertEqual(set(self.sync()), {one, two})
        mark = self.exchange.mark()
        unknown = self.run_program("sync", "--mailbox", one, "--mailbox", "nobody@example.test")
        self.assertEqual((unknown.returncode, unknown.stdout), (2, ""))
        self.assertIn("nobody@example.test", unknown.stderr)
        self.assertEqual(self.exchange.since(mark), [])

    def test_private_items_are_not_read_into_records(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.do("add-item", user, folder="calendar", xml=appointment(
            "Oncologist", extra="<t:Sensitivity>Private</t:Sensitivity>"))
        line = self.sync()[user]
        self.assertEqual(line["kinds"]["appointment"]["came"], 0)
        self.assertEqual(line["kinds"]["appointment"]["notTracked"], 1)
        self.assertNotIn("Oncologist", self.dump())
        self.assertNotIn("Oncologist", self.ok("journal"))
        self.assertEqual([entry["event"] for entry in self.journal()], ["not-tracked"])


class DryRun(Syncline):
    def test_says_what_and_whom_and_changes_neither_side(self):
        user, guest = self.exchange.user(), self.exchange.user()
        self.ready(user)
        item = self.exchange.add_contact(user, "Olga", "Nowak")
        self.sync()
        self.exchange.do("edit-item", user, id=item, field="contacts:JobTitle", value="Head")
        self.exchange.deliver(user, "News")
        self.add({"kind": "task", "owner": user, "fields": {"subject": "Order paper"}},
                 outgoing(user, guest, "Your order"),
                 {"kind": "appointment", "owner": user, "fields": {
                     "subject": "Kick-off", "start": FUTURE.format(2), "end": FUTURE.format(3),
                     "requiredAttendees": [{"mailbox": {"emailAddress": guest}}],
                     "optionalAttendees": [{"mailbox": {"emailAddress": "bo@partner.test"}}]}})
        before, mark = self.dump(), self.exchange.mark()
        files = sorted(str(path) for path in self.org.rglob("*") if not path.name.startswith("syncline.db-"))
        line = self.sync("--dry-run")[user]
        self.assertEqual(line["outcome"], "dry-run")
        self.assertEqual(line["kinds"]["email"]["came"], 1)
        self.assertEqual(line["kinds"]["contact"]["changedHere"], 1)
        orders = {(order["what"], order["kind"]): order for order in line["wouldWrite"]}
        self.assertEqual(set(orders), {("create", "task"), ("send", "email"), ("create", "appointment")})
        self.assertEqual(orders["create", "task"]["mails"], [])
        self.assertEqual(orders["send", "email"]["mails"], [guest])
        self.assertEqual(orders["create", "appointment"]["mails"], [guest, "bo@partner.test"])
        text = " ".join(self.ok("sync", "--dry-run").split())
        self.assertIn(f'create appointment "Kick-off"; would mail {guest}, bo@partner.test', text)
        self.assertIn('create task "Order paper"', text)
        self.assertEqual(self.dump(), before)
        self.assertEqual(sorted(str(path) for path in self.org.rglob("*")
                                if not path.name.startswith("syncline.db-")), files)
        log = self.exchange.since(mark)
        self.assertNotEqual(log, [])
        self.assertEqual(writes(log), [])
        self.assertEqual(self.exchange.do("sent-mail", user), [])
        self.assertEqual(list(self.scratch.iterdir()), [])

        # What was announced is what happens.
        self.sync()
        self.assertEqual(sorted(mail["to"] for mail in self.exchange.do("sent-mail", user)),
                         sorted([guest, guest, "bo@partner.test"]))

    def test_leaves_nothing_behind_when_it_is_interrupted(self):
        user = self.exchange.user()
        self.ready(user)
        before = self.dump()
        rule = self.exchange.fault(mailbox=user, operation="SyncFolderItems", action="delay", waitMs=60000)
        process = self.start("sync", "--dry-run")
        wait_for(lambda: self.exchange.fired(rule), "the request")
        self.assertTrue(any(self.scratch.iterdir()))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (130, ""), err)
        self.assertEqual(list(self.scratch.iterdir()), [])
        self.assertEqual(self.dump(), before)

    def test_a_mailbox_of_another_organisation_is_told(self):
        user = self.exchange.user()
        self.ready(user)
        self.sync()
        self.org, self.name = self.folder / "other", "Fabrikam"
        self.key = self.folder / "other.key"
        self.ready(user)
        line = self.sync("--dry-run", status=1)[user]
        self.assertEqual(line["error"]["code"], "mailbox-claimed")


class Lost(Syncline):
    """A write whose answer is lost."""

    def lose_one_create(self, user):
        self.sync()
        self.add({"kind": "task", "owner": user, "fields": {"subject": "Once"}})
        self.exchange.fault(mailbox=user, operation="CreateItem", action="abort-after", times=1)

    def test_once_leaves_it_to_the_next_run(self):
        user = self.exchange.user()
        self.ready(user)
        self.lose_one_create(user)
        line = self.sync("--once")[user]
        self.assertEqual((line["waiting"], line["kinds"]["task"]["went"]), (1, 0))
        self.assertEqual(self.status()["mailboxes"][0]["operations"], 1)
        line = self.sync()[user]
        self.assertEqual((line["waiting"], line["kinds"]["task"]["went"]), (0, 1))
        self.assertEqual(len(self.exchange.items(user, "tasks")), 1)

    def test_otherwise_the_run_waits_until_it_is_settled(self):
        user = self.exchange.user()
        self.ready(user)
        self.lose_one_create(user)
        line = self.sync()[user]
        self.assertEqual((line["waiting"], line["kinds"]["task"]["went"]), (0, 1))
        self.assertEqual(len(self.exchange.items(user, "tasks")), 1)


class Gate(Syncline):
    def test_mailboxes_that_are_not_let_in_are_not_connected(self):
        pending, approved, rejected = (self.exchange.user() for _ in range(3))
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Basement"), *map(self.mailbox, (pending, approved, rejected))))
        mark = self.exchange.mark()
        self.assertIn("No mailbox is enabled", self.ok("sync"))
        self.assertEqual(self.sync(), {})
        for user in (pending, approved, rejected):
            self.ok("secret", "set", "--mailbox", user, "--stdin", text="x\n")
        self.ok("mailbox", "approve", approved, rejected)
        self.ok("mailbox", "enable", rejected)
        self.ok("mailbox", "reject", rejected, "--reason", "left the company")
        self.assertIn("No mailbox is enabled", self.ok("sync"))
        lines = self.sync("--mailbox", pending, "--mailbox", approved, "--mailbox", rejected, status=1)
        self.assertEqual({line["outcome"] for line in lines.values()}, {"not-ready"})
        self.assertEqual({line["error"]["code"] for line in lines.values()}, {"not-enabled"})
        text = self.run_program("sync", "--mailbox", approved)
        self.assertEqual(text.returncode, 1)
        self.assertIn("not enabled", text.stdout)
        self.assertEqual(self.exchange.since(mark), [])

    def test_one_that_the_rules_refuse_by_now_is_not_connected_and_the_others_are(self):
        fine, other = self.exchange.user(), self.exchange.user()
        self.ready(fine, other)
        self.sql("UPDATE mailbox SET json = replace(json, '2019', '2007') WHERE address = ?", other)
        mark = self.exchange.mark()
        lines = self.sync(status=1)
        self.assertEqual((lines[fine]["outcome"], lines[other]["outcome"]), ("done", "not-ready"))
        self.assertEqual({entry["mailbox"] for entry in self.exchange.since(mark)} - {""}, {fine})


class Refused(Syncline):
    def failed(self, user, *arguments, status=1):
        line = self.sync(*arguments, status=status)[user]
        self.assertEqual(line["outcome"], "failed")
        text = self.run_program("sync", *arguments)
        self.assertEqual((text.returncode, text.stderr), (status, ""))
        self.assertIn(user, text.stdout)
        self.assertIn("failed", text.stdout)
        state = [mailbox for mailbox in self.status()["mailboxes"] if mailbox["mailbox"] == user][0]["state"]
        self.assertEqual((state["outcome"], state["error"]["code"]), ("failed", line["error"]["code"]))
        return line["error"]

    def test_wrong_password(self):
        user = self.exchange.user()
        self.ready(user, password="wrong-" + "word-42")
        mark = self.exchange.mark()
        line = self.sync(status=1)[user]
        self.assertRegex(line["error"]["message"], "(?i)credentials|password")
        self.assertEqual(line["error"]["retry"], "reauthenticate")
        # The question which schemes there are, and one try: each counts towards a lock-out.
        log = self.exchange.since(mark)
        self.assertLessEqual(len(log), 2)
        self.assertEqual({entry["status"] for entry in log}, {401})
        self.failed(user)
        for output in self.outputs:
            self.assertNotIn("wrong-word-42", output)
        self.ok("secret", "set", "--mailbox", user, "--stdin", text="Kq7-vertraulich-93x\n")
        self.sync()
        self.assertEqual(self.status()["mailboxes"][0]["state"]["error"], None)

    def test_a_service_account_that_is_refused_is_tried_once_for_all_its_mailboxes(self):
        users = [self.exchange.user() for _ in range(6)]
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(
            self.profile("Basement", auth_in="profile_credentials", user_name=users[0], username_format="upn",
                         impersonation=True), *map(self.mailbox, users)))
        self.ok("secret", "set", "--profile", "Basement", "--stdin", text="wrong-word-43\n")
        self.ok("mailbox", "approve", *users)
        self.ok("mailbox", "enable", *users)
        mark = self.exchange.mark()
        lines = self.sync(status=1)
        self.assertEqual({line["error"]["retry"] for line in lines.values()}, {"reauthenticate"})
        self.assertEqual(len(lines), 6)
        self.assertLessEqual(len(self.exchange.since(mark)), 2)

    def cloud(self, users, secret=CLIENT_SECRET):
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Cloud", "cloud"), *(
            self.mailbox(user, "Cloud", 'host = "exchange_online"\n') for user in users)))
        self.ok("secret", "set", "--profile", "Cloud", "--kind", "client-secret", "--stdin", text=secret + "\n")
        self.ok("mailbox", "approve", *users)
        self.ok("mailbox", "enable", *users)

    def test_oauth_one_token_for_all_mailboxes_and_a_fresh_one_that_is_refused_is_not_asked_for_again(self):
        users = [self.exchange.cloud_user() for _ in range(3)]
        self.cloud(users)
        mark = self.exchange.mark()
        self.sync()
        self.assertEqual([entry["operation"] for entry in self.exchange.since(mark)].count("token"), 1)
        # Revoked in the middle of a run, right after it was issued: another one would fare no better.
        self.exchange.add_contact(users[0], "Olga", "Nowak")
        rule = self.exchange.fault(mailbox=users[0], operation="SyncFolderItems", action="delay", waitMs=1500, times=1)
        mark = self.exchange.mark()
        process = self.start("sync", "--mailbox", users[0], "--format", "json")
        wait_for(lambda: self.exchange.fired(rule), "the request")
        self.exchange.ask("POST", "sites/cloud", {"revokeTokens": True})
        out, err = process.communicate(timeout=60)
        self.outputs.append(out + err)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertEqual(validate("sync", out)[0]["error"]["code"], "token-refused")
        self.assertEqual([entry["operation"] for entry in self.exchange.since(mark)].count("token"), 1)
        # The next run gets its own.
        self.assertEqual(self.sync("--mailbox", users[0])[users[0]]["kinds"]["contact"]["came"], 1)

    def test_oauth_client_secret_that_is_refused(self):
        users = [self.exchange.cloud_user() for _ in range(2)]
        self.cloud(users, secret="not-this-" + "secret-7")
        mark = self.exchange.mark()
        error = self.failed(users[0], "--mailbox", users[0])
        self.assertIn("client", error["message"].lower())
        lines = self.sync(status=1)
        self.assertEqual({line["outcome"] for line in lines.values()}, {"failed"})
        log = self.exchange.since(mark)
        self.assertEqual({entry["operation"] for entry in log}, {"token"})
        self.assertLessEqual(len(log), 3)
        for output in self.outputs:
            self.assertNotIn("not-this-secret-7", output)

    def test_oauth_tokens_that_the_mailbox_server_refuses(self):
        user = self.exchange.cloud_user()
        self.cloud([user])
        self.exchange.fault(mailbox=user, action="unauthorized")
        mark = self.exchange.mark()
        self.failed(user)
        log = self.exchange.since(mark)
        # Two runs: each with a token, and with one more because the first was refused.
        self.assertLessEqual(len(log), 10)

    def test_certificate_that_nobody_trusted_signed(self):
        user = self.exchange.user()
        other = self.folder / "other-ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "/dev/null", "-out", other, "-days", "30", "-subj", "/CN=Another CA"],
                       check=True, capture_output=True)
        self.ready(user, ca_file=str(other))
        mark = self.exchange.mark()
        error = self.failed(user)
        self.assertIn("certificate", error["message"])
        self.assertEqual(self.exchange.since(mark), [])

    def test_ca_file_that_is_not_there(self):
        user = self.exchange.user()
        self.ready(user, ca_file=str(self.folder / "nowhere.pem"))
        result = self.run_program("sync")
        self.assertIn("nowhere.pem", result.stdout + result.stderr)
        self.assertIn(result.returncode, (1, 2))

    def test_a_host_that_cannot_be_reached(self):
        here, gone = self.exchange.user(), "ann@gone.test"
        endpoint = "https://mail.gone.test:9/EWS/Exchange.asmx"
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(
            self.profile("Basement"), self.profile("Gone", in_host=endpoint, out_host=endpoint, in_port=9, out_port=9,
                                                   resolve=["mail.gone.test:9:127.0.0.1"]),
            self.mailbox(here), self.mailbox(gone, "Gone")))
        self.let_in(here, gone)
        error = self.failed(gone, "--mailbox", gone, status=3)
        self.assertIn("refuses connections", error["message"])
        lines = self.sync(status=1)
        self.assertEqual((lines[here]["outcome"], lines[gone]["outcome"]), ("done", "failed"))
        [state] = [one["state"] for one in self.status()["mailboxes"] if one["mailbox"] == gone]
        self.assertEqual(state["errorsInARow"], 3)

    def test_ews_switched_off_is_called_by_its_name(self):
        user = "c1@closed.test"
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Closed", "closed"), self.mailbox(user, "Closed")))
        self.let_in(user)
        for form in ("off-empty", "off-html", "off-fault"):
            with self.subTest(form):
                self.exchange.ask("POST", "sites/closed", {"ews": form})
                mark = self.exchange.mark()
                error = self.failed(user)
                self.assertIn(error["code"], ("ews-disabled", "forbidden"))
                self.assertIn("switched off", error["message"])
                self.assertNotIn("<", error["message"])
                self.assertLessEqual(len(self.exchange.since(mark)), 4)
        self.exchange.ask("POST", "sites/closed", {"ews": "on"})
        self.sync()


class Claim(Syncline):
    def test_a_mailbox_of_another_organisation_is_left_alone_until_it_is_taken_over(self):
        user = self.exchange.user()
        self.name = "Fabrikam"
        self.ready(user)
        self.exchange.add_contact(user, "Olga", "Nowak")
        self.sync()
        first = (self.org, self.key)
        self.org, self.key, self.name = self.folder / "second", self.folder / "second.key", "Contoso"
        self.ready(user)
        mark = self.exchange.mark()
        line = self.sync(status=1)[user]
        self.assertEqual(line["error"]["code"], "mailbox-claimed")
        self.assertIn('"Fabrikam"', line["error"]["message"])
        self.assertIn("--override", line["error"]["message"])
        self.assertEqual(writes(self.exchange.since(mark)), [])
        self.assertEqual(self.records(), [])
        self.assertIn("would be taken over from Fabrikam", self.ok("sync", "--override", "--dry-run"))
        self.assertEqual(writes(self.exchange.since(mark)), [])
        taken = self.sync("--override")[user]
        self.assertEqual(taken["kinds"]["contact"]["came"], 1)
        self.assertRegex(taken["takenOverFrom"], r"^Fabrikam \(.+\)$")
        [entry] = [one for one in self.journal("--mailbox", user) if one["event"] == "taken-over"]
        self.assertIn("Fabrikam", entry["text"])
        again = self.sync("--override")[user]
        self.assertIsNone(again["takenOverFrom"])
        self.org, self.key = first
        line = self.sync(status=1)[user]
        self.assertIn('"Contoso"', line["error"]["message"])


class People(Syncline):
    """What stops until a person has looked."""

    def test_the_brake_on_deletes_lets_them_pass_once(self):
        user = self.exchange.user()
        self.ready(user, policy='deleted_in_record = "remove"\nbrake_count = 5\nbrake_percent = 5')
        self.exchange.do("generate", user, contacts=30)
        self.sync()
        ids = [record["id"] for record in self.records("contact")]
        self.ok("record", "delete", *ids[:8])
        for _ in range(2):
            mark = self.exchange.mark()
            line = self.sync(status=1)[user]
            self.assertTrue(line["brake"])
            self.assertEqual(writes(self.exchange.since(mark)), [])
        self.assertIn("brake release", self.run_program("sync").stdout)
        self.assertIn("8 deletes", self.ok("alerts"))
        self.assertTrue(self.status()["mailboxes"][0]["brake"])
        self.assertEqual(len(self.exchange.items(user, "contacts")), 30)
        self.ok("brake", "release")
        line = self.sync()[user]
        self.assertFalse(line["brake"])
        self.assertEqual(line["kinds"]["contact"]["removedThere"], 8)
        self.assertEqual(len(self.exchange.items(user, "contacts")), 22)
        self.assertFalse(self.status()["mailboxes"][0]["brake"])
        self.ok("record", "delete", *ids[8:16])
        self.assertTrue(self.sync(status=1)[user]["brake"])
        self.assertEqual(len(self.exchange.items(user, "contacts")), 22)

    def test_an_item_that_cannot_be_read_waits_in_quarantine(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.add_contact(user, "Olga", "Nowak")
        bad = self.exchange.add_contact(user, "Broken", "Item")
        self.exchange.do("set-unreadable", user, id=bad, code="ErrorCorruptData")
        line = self.sync()[user]
        self.assertEqual((line["kinds"]["contact"]["came"], line["kinds"]["contact"]["quarantined"]), (1, 1))
        [waiting] = validate("quarantine", self.ok("quarantine", "list", "--format", "json"))
        self.assertEqual((waiting["mailbox"], waiting["item"], waiting["code"]), (user, bad, "ErrorCorruptData"))
        self.assertEqual(self.status()["mailboxes"][0]["quarantined"], 1)
        self.exchange.do("set-unreadable", user, id=bad, code="")
        self.sync()
        self.assertEqual(len(self.records("contact")), 1)
        self.ok("quarantine", "replay", bad)
        self.assertEqual(self.sync()[user]["kinds"]["contact"]["came"], 1)
        self.assertEqual(sorted(record["fields"]["surname"] for record in self.records("contact")), ["Item", "Nowak"])
        self.assertIn("Nothing", self.ok("quarantine", "list"))
        # What still cannot be read stays there.
        self.exchange.do("edit-item", user, id=bad, field="contacts:JobTitle", value="x")
        self.exchange.do("set-unreadable", user, id=bad, code="ErrorCorruptData")
        self.sync()
        [waiting] = validate("quarantine", self.ok("quarantine", "list", "--format", "json"))
        self.ok("quarantine", "replay", waiting["item"])
        self.sync()
        [waiting] = validate("quarantine", self.ok("quarantine", "list", "--format", "json"))
        self.assertFalse(waiting["replay"])
        self.assertGreaterEqual(waiting["attempts"], 2)


class Interrupted(Syncline):
    MESSAGES = 700  # a full page and what is left

    def counted(self, log):
        return collections.Counter(entry["operation"] for entry in log
                                   if entry["operation"] in ("SyncFolderItems", "GetItem"))

    def stop_and_go_on(self, stop_signal, status):
        whole, stopped = self.exchange.user(), self.exchange.user()
        self.ready(whole, stopped)
        # Not the same messages: copies of one message would be one record.
        for seed, user in enumerate((whole, stopped)):
            self.exchange.do("generate", user, messages=self.MESSAGES, seed=seed)
        mark = self.exchange.mark()
        self.sync("--mailbox", whole)
        unbroken = self.counted(self.exchange.since(mark))
        self.assertGreater(unbroken["GetItem"], 4)
        mark = self.exchange.mark()
        # Reading stands still in the second page; the first one is committed.
        rule = self.exchange.fault(mailbox=stopped, operation="GetItem", action="delay", waitMs=60000,
                                   skip=unbroken["GetItem"] * 9 // 10)
        process = self.start("sync", "--mailbox", stopped)
        wait_for(lambda: self.exchange.fired(rule), "the second page")
        process.send_signal(stop_signal)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, status, err)
        self.outputs.append(out + err)
        self.exchange.end_fault(rule)
        [kept] = [one["links"]["email"] for one in self.status()["mailboxes"] if one["mailbox"] == stopped]
        self.assertGreater(kept, self.MESSAGES // 2)
        mark = self.exchange.mark()
        line = self.sync("--mailbox", stopped)[stopped]
        self.assertEqual(line["kinds"]["email"]["came"], self.MESSAGES - kept)
        self.assertEqual({mailbox["links"]["email"] for mailbox in self.status()["mailboxes"]}, {self.MESSAGES})
        # Only the page that was under way is asked for again.
        resumed = self.counted(self.exchange.since(mark))
        self.assertLess(resumed["GetItem"], unbroken["GetItem"] // 2)
        self.assertLess(resumed["SyncFolderItems"], unbroken["SyncFolderItems"])
        mark = self.exchange.mark()
        self.assertIn("nothing has changed", self.ok("sync", "--mailbox", stopped))
        self.assertEqual(writes(self.exchange.since(mark)), [])
        return err

    def test_sigint_saves_what_is_done(self):
        self.assertIn("interrupted", self.stop_and_go_on(signal.SIGINT, 130))

    def test_kill_loses_nothing(self):
        self.stop_and_go_on(signal.SIGKILL, -signal.SIGKILL)


class Machine(Syncline):
    """Trouble on this side."""

    def trouble(self, *words, status=4, **options):
        result = self.run_program("sync", **options)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_second_engine(self):
        user = self.exchange.user()
        self.ready(user)
        rule = self.exchange.fault(mailbox=user, operation="SyncFolderItems", action="delay", waitMs=60000)
        process = self.start("sync")
        wait_for(lambda: (self.org / "engine.lock").exists() and (self.org / "engine.lock").read_text().strip(), "it")
        self.trouble(f"process {process.pid}")
        # Looking is allowed beside it.
        self.status()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.exchange.end_fault(rule)
        self.sync()

    def test_damaged_store(self):
        user = self.exchange.user()
        self.ready(user)
        for extra in self.org.glob("syncline.db-*"):
            extra.unlink()
        nonsense = b"this is no database" * 1000
        (self.org / "syncline.db").write_bytes(nonsense)
        mark = self.exchange.mark()
        self.trouble("syncline.db")
        self.assertEqual((self.org / "syncline.db").read_bytes(), nonsense)
        self.assertEqual(self.exchange.since(mark), [])

    def test_page_that_is_damaged(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.do("generate", user, messages=200)
        self.sync()
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = self.sql("SELECT rootpage FROM sqlite_schema WHERE name = 'link'")
        with open(self.org / "syncline.db", "r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(os.urandom(4096))
        self.exchange.deliver(user, "News")
        result = self.run_program("sync")
        self.assertEqual((result.returncode, result.stdout), (4, ""), result.stderr)
        self.assertIn("damaged", result.stderr)

    def test_newer_schema(self):
        user = self.exchange.user()
        self.ready(user)
        [(version,)] = self.sql("PRAGMA user_version")
        self.sql(f"PRAGMA user_version = {version + 1}")
        mark = self.exchange.mark()
        self.trouble("newer")
        self.assertEqual(self.exchange.since(mark), [])
        self.sql(f"PRAGMA user_version = {version}")
        self.sync()

    def test_wrong_key(self):
        user = self.exchange.user()
        self.ready(user)
        self.key.write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
        mark = self.exchange.mark()
        self.trouble("key")
        self.assertEqual(self.exchange.since(mark), [])

    def test_read_only_folder(self):
        user = self.exchange.user()
        self.ready(user)
        options = {}
        if os.geteuid() == 0:
            # Root writes everywhere: somebody else tries.
            options = {"user": 65534, "group": 65534, "extra_groups": []}
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, 65534, 65534)
        self.org.chmod(0o500)
        self.addCleanup(self.org.chmod, 0o700)
        mark = self.exchange.mark()
        self.trouble("read-only", **options)
        self.assertEqual(self.exchange.since(mark), [])
        dry = self.run_program("sync", "--dry-run", **options)
        self.assertEqual(dry.returncode, 0, dry.stderr)

    def test_file_size_limit(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.do("generate", user, messages=300)
        limit = (self.org / "syncline.db").stat().st_size + 200_000
        self.trouble(preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                         resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        self.status()
        self.sync()
        self.assertEqual(self.status()["records"]["email"], 300)

    def test_full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True, check=False).returncode == 0
        if not mounted:
            self.skipTest("no small disk can be mounted")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.org = disk / "contoso"
        user = self.exchange.user()
        self.ready(user)
        self.exchange.do("generate", user, messages=400, messageBytes=20000)
        self.trouble("full")
        self.status()
        before = self.status()["records"]["email"]
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        self.sync()
        self.assertEqual(self.status()["records"]["email"], 400)
        self.assertLess(before, 400)
        self.assertIn("nothing has changed", self.ok("sync"))


def main():
    if jsonschema is None:
        print("python3-jsonschema is missing: output is not validated against docs/schemas", file=sys.stderr)
    Syncline.exchange = Exchange()
    try:
        program = unittest.main(exit=False)
    finally:
        Syncline.exchange.close()
    sys.exit(0 if program.result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
