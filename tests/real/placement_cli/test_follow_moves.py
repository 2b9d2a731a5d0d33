#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox that moves from the basement to the cloud and is followed there: by `discover --all --follow-moves`, by `serve
--follow-moves` on its own, and by `serve` when its API is asked. What was in step stays in step under new ids; nothing comes or goes twice, and nobody is mailed again.
Skipped where nobody may listen on port 443."""
import json
import os
import pathlib
import signal
import socket
import sys
import unittest
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "real/sync_cli")]
from exchange_world import CLIENT_SECRET, OPERATIONS_THAT_WRITE, PASSWORD, Exchange, Syncline, wait_for  # noqa: E402

NUMBER = os.getpid() % 60000
BASEMENT, CLOUD = (f"127.{one}.{NUMBER // 250}.{NUMBER % 250 + 1}" for one in (73, 74))
MO, IDA, GUEST = "mo@move.test", "ida@move.test", "guest@move.test"
CLOUD_URL = "https://outlook.office365.com/EWS/Exchange.asmx"
FUTURE = "2026-12-0{}T10:00:00Z"
FOLDERS = ("inbox", "sentitems", "calendar", "contacts", "tasks")


def exchanges():
    def listener(address):
        return f'[[site.listener]]\naddress = "{address}"\nport = 443\ntls = true\n'

    users = "".join(f'[[site.user]]\naddress = "{one}"\npassword = "{PASSWORD}"\n' for one in (MO, IDA, GUEST))
    to_come = "".join(f'[[site.user]]\naddress = "{one.replace("move.test", "move.mail.onmicrosoft.com")}"\naliases = ["{one}"]\n'
                      f'password = "{PASSWORD}"\n' for one in (MO, IDA))
    return Exchange(
        '[[site]]\nname = "basement"\nproduct = "2019"\nbuild = "15.2.1544.14"\nhosts = ["mail.move.test", '
        f'"autodiscover.move.test"]\nschemes = ["basic"]\n{listener(BASEMENT)}{users}'
        '[[site]]\nname = "tenant"\nproduct = "online"\nhosts = ["outlook.office365.com", "autodiscover-s.outlook.com"]\n'
        f'schemes = ["bearer"]\n{listener(CLOUD)}{to_come}[site.oauth]\ntenant = "tenant-7"\n[[site.oauth.application]]\n'
        f'client_id = "app-7"\nsecret = "{CLIENT_SECRET}"\n')


class FollowMoves(Syncline):
    def setUp(self):
        super().setUp()
        if Syncline.exchange:
            Syncline.exchange.close()
        Syncline.exchange = exchanges()
        self.ok("init", "--name", self.name)
        resolve = [f"{host}:443:{address}" for host, address in (
            ("mail.move.test", BASEMENT), ("autodiscover.move.test", BASEMENT), ("move.test", BASEMENT),
            ("outlook.office365.com", CLOUD), ("autodiscover-s.outlook.com", CLOUD))]
        common = {"ca_file": str(self.exchange.ca_file), "resolve": resolve}
        basement = {"name": "Basement", "type": "exchange_hybrid", "autodiscover": True, "auth_in": "mailbox_credentials",
                    "iis_auth": "basic", **common}
        tenant = {"name": "Tenant", "type": "exchange_online", "tenant_id": "tenant-7", "client_id": "app-7",
                  "token_endpoint": "https://outlook.office365.com/tenant-7/oauth2/v2.0/token", **common}
        profiles = ["[[profile]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.items())
                    for one in (basement, tenant)]
        self.apply(self.configuration(*profiles, self.mailbox(MO), self.mailbox(IDA)))
        self.ok("secret", "set", "--profile", "Tenant", "--kind", "client-secret", "--stdin", text=CLIENT_SECRET + "\n")
        self.let_in(MO, IDA)

    # -- what is there ------------------------------------------------------------------------------------------------
    def fill(self):
        """Of each kind some that came and some that went, with a meeting and a message that a guest was mailed."""
        for user in (MO, IDA):
            for i in range(4):
                self.exchange.add_contact(user, f"Person{i}", user.split("@")[0].title())
                self.exchange.deliver(user, f"Letter {i} to {user}")
            self.exchange.do("add-item", user, folder="tasks", xml="<t:Task><t:Subject>From the server</t:Subject></t:Task>")
            self.exchange.do("add-item", user, folder="calendar", xml=(
                "<t:CalendarItem><t:Subject>Weekly</t:Subject><t:Start>2026-12-01T10:00:00Z</t:Start><t:End>2026-12-01T11:00:00Z"
                "</t:End><t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Tuesday</t:DaysOfWeek>"
                "</t:WeeklyRecurrence><t:NumberedRecurrence><t:StartDate>2026-12-01</t:StartDate><t:NumberOfOccurrences>5"
                "</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence></t:CalendarItem>"))
        self.sync()
        for user in (MO, IDA):
            self.add({"kind": "contact", "owner": user, "fields": {"givenName": "Went", "surname": user}},
                     {"kind": "task", "owner": user, "fields": {"subject": "Of ours"}},
                     {"kind": "appointment", "owner": user, "fields": {
                         "subject": "With a guest", "start": FUTURE.format(2), "end": FUTURE.format(3),
                         "requiredAttendees": [{"mailbox": {"emailAddress": GUEST}}]}},
                     {"kind": "email", "owner": user, "fields": {
                         "direction": "outgoing", "statusCode": "pendingSend", "subject": "Sent before",
                         "body": {"type": "text", "value": "It is on its way."}, "toRecipients": [{"emailAddress": GUEST}]}})
        self.sync()
        self.sync()

    def move(self, user):
        there = user.replace("move.test", "move.mail.onmicrosoft.com")
        self.exchange.do("move-mailbox", user, site="tenant", alias=there)
        self.exchange.ask("POST", "sites/basement", {"move": {"address": user, "redirectAddress": there}})

    def items(self, user, folder):
        """Names by id."""
        return {item["id"]: item["subject"] for item in self.exchange.items(user, folder)}

    def links(self):
        return self.sql("SELECT m.address, l.kind, l.record, l.remote_id FROM link l JOIN mailbox m ON m.id = l.mailbox "
                        "WHERE l.state = 0 ORDER BY 1, 2, 3")

    def picture(self):
        return {"records": sorted((int(one["id"]), one["kind"], self.name_of(one)) for one in self.records()),
                "items": {(user, folder): sorted(self.items(user, folder).values())
                          for user in (MO, IDA) for folder in FOLDERS},
                "links": [link[:3] for link in self.links()],
                "mailed": [one["number"] for one in self.exchange.do("sent-mail", "")]}

    @staticmethod
    def name_of(record):
        fields = record["fields"]
        return fields.get("subject") or f"{fields.get('givenName')} {fields.get('surname')}"

    def assert_same(self, before, user):
        """Nothing has become more or less, and the links lead to the ids of today."""
        now = self.picture()
        for part, value in before.items():
            self.assertEqual(now[part], value, part)
        there = {one for folder in FOLDERS for one in self.items(user, folder)}
        linked = [link[3] for link in self.links() if link[0] == user]
        self.assertEqual(len(linked), len(set(linked)))
        self.assertGreater(len(linked), 10)
        self.assertLessEqual(set(linked), there, "links lead to the new ids")

    def discover(self, *arguments, status=0):
        result = self.run_program("discover", "--all", "--format", "json", "--as", "vera", *arguments)
        self.assertEqual((result.returncode, result.stderr), (status, ""), result.stdout)
        return {line["mailbox"]: line for line in map(json.loads, result.stdout.splitlines())}

    def contact(self, given, user):
        [found] = [one for one in self.records("contact") if one["owner"] == user and one["fields"].get("givenName") == given]
        return found

    def edit(self, given, user, **fields):
        record = self.contact(given, user)
        self.ok("record", "update", text=json.dumps({"id": record["id"], "version": record["version"], "fields": fields}))

    def item_of(self, given, user):
        [found] = [one for one, name in self.items(user, "contacts").items() if name.startswith(given)]
        return found

    def company_there(self, given, user):
        return self.exchange.do("property", user, id=self.item_of(given, user), field="contacts:CompanyName")["value"]

    def sync_with(self, *rules):
        """One run that does not get through."""
        waiting = self.sync("--once")[MO]["waiting"]
        self.assertGreaterEqual(waiting, len(rules))
        for rule in rules:
            self.assertTrue(self.exchange.fired(rule))
            self.exchange.end_fault(rule)

    def writes_since(self, mark):
        return [one["operation"] for one in self.exchange.since(mark) if one["operation"] in OPERATIONS_THAT_WRITE]

    def edit_both_sides(self, user, run):
        """An edit on each side goes across, once."""
        mark = self.exchange.mark()
        self.edit("Person0", user, companyName="From here")
        self.exchange.do("edit-item", user, id=self.item_of("Person1", user), field="contacts:CompanyName",
                         value="From there")
        run()
        self.assertEqual(self.company_there("Person0", user), "From here")
        self.assertEqual(self.contact("Person1", user)["fields"].get("companyName"), "From there")
        run()
        self.assertEqual(self.writes_since(mark), ["UpdateItem"])


class ByCommand(FollowMoves):
    def test_a_mailbox_that_moved_is_parked_then_followed_and_in_step_under_its_new_ids(self):
        self.fill()
        before = self.picture()
        old = {link[3] for link in self.links() if link[0] == MO}
        self.move(MO)
        lines = self.discover(status=1)
        self.assertEqual({one: (line["state"], line["parked"]) for one, line in lines.items()},
                         {MO: ("elsewhere", True), IDA: ("fits", False)})
        self.assertEqual(self.sync().keys(), {IDA}, "a parked mailbox is left alone")
        lines = self.discover("--follow-moves")
        self.assertEqual((lines[MO]["state"], lines[MO]["parked"], lines[MO]["reassignedTo"]), ("fits", False, "Tenant"))
        self.assertEqual(lines[IDA]["reassignedTo"], None)
        [alert] = [json.loads(one) for one in self.ok("alerts", "--format", "json").splitlines()]
        self.assertEqual((alert["code"], alert["level"], alert["mailbox"]), ("mailbox-goes-on", "information", MO))
        for _ in range(3):
            line = self.sync()[MO]
            self.assertEqual(line["endpoint"], CLOUD_URL)
            self.assert_same(before, MO)
        self.assertFalse(old & {link[3] for link in self.links()})
        self.edit_both_sides(MO, self.sync)
        self.assert_same(before, MO)

    def test_what_happened_while_it_was_parked_goes_across_once(self):
        self.fill()
        # Items that stay when their records go are nobody's, there as here.
        self.ok("record", "delete", self.contact("Person3", MO)["id"], self.contact("Went", MO)["id"])
        self.sync()
        before = self.picture()
        self.move(MO)
        self.discover(status=1)
        self.edit("Person0", MO, companyName="From here")
        self.exchange.do("edit-item", MO, id=self.item_of("Person1", MO), field="contacts:CompanyName", value="From there")
        self.exchange.do("delete-item", MO, id=self.item_of("Person2", MO), hard=True)
        self.exchange.deliver(MO, "Came meanwhile")
        mark = self.exchange.mark()
        self.discover("--follow-moves")
        for _ in range(3):
            self.sync()
        self.assertEqual(self.writes_since(mark), ["UpdateItem"])
        self.assertEqual(self.company_there("Person0", MO), "From here")
        self.assertEqual(self.contact("Person1", MO)["fields"].get("companyName"), "From there")
        person = int(self.contact("Person2", MO)["id"])
        self.assertNotIn(person, [link[2] for link in self.links()], "what was deleted there is not linked any more")
        [came] = [one for one in self.records("email") if one["fields"]["subject"] == "Came meanwhile"]
        before["records"].append((int(came["id"]), "email", "Came meanwhile"))
        before["items"][MO, "inbox"] = sorted([*before["items"][MO, "inbox"], "Came meanwhile"])
        before["items"][MO, "contacts"].remove("Person2 Mo")
        before["links"] = sorted([*[link for link in before["links"] if link[2] != person], (MO, 0, int(came["id"]))])
        self.assert_same(before, MO)

    def test_a_write_whose_answer_was_lost_and_one_that_was_put_off_are_made_once(self):
        self.fill()
        self.edit("Person0", MO, companyName="Put off")
        self.add({"kind": "email", "owner": MO, "fields": {
            "direction": "outgoing", "statusCode": "pendingSend", "subject": "Answer lost",
            "body": {"type": "text", "value": "It is on its way."}, "toRecipients": [{"emailAddress": GUEST}]}})
        self.sync_with(self.exchange.fault(mailbox=MO, operation="UpdateItem", action="response-code",
                                           code="ErrorInternalServerTransientError"),
                       self.exchange.fault(mailbox=MO, operation="SendItem", action="abort-after"))
        self.add({"kind": "task", "owner": MO, "fields": {"subject": "Answer lost"}})
        self.sync_with(self.exchange.fault(mailbox=MO, operation="CreateItem", action="abort-after"))
        self.move(MO)
        self.discover("--follow-moves")
        wait_for(lambda: self.sync()[MO]["waiting"] == 0, "the end of what was left over")
        self.sync()
        self.assertEqual(self.company_there("Person0", MO), "Put off")
        for folder, subject in (("tasks", "Answer lost"), ("sentitems", "Answer lost")):
            found = [one for one in self.items(MO, folder).values() if one.startswith(subject)]
            self.assertEqual(len(found), 1, (folder, self.items(MO, folder)))
        sent = [one for one in self.exchange.do("sent-mail", "") if one["subject"].startswith("Answer lost")]
        self.assertEqual(len(sent), 1)
        self.assertEqual(len([one for one in self.records() if self.name_of(one).startswith("Answer lost")]), 2)


class ByDaemon(FollowMoves):
    def test_the_daemon_finds_the_move_by_itself_and_follows_it(self):
        self.fill()
        before = self.picture()
        serving = self.start("serve", "--no-http", "--follow-moves", "--discover-every", "0.001")
        self.move(MO)
        self.wait_for_profile("Tenant")
        self.wait_for_sync()
        self.assert_same(before, MO)
        self.assertIn("daemon apply.change mailbox mo@move.test: profile", self.ok("audit"))
        self.edit_both_sides(MO, self.sync)
        self.assert_same(before, MO)
        self.end(serving)

    def test_without_following_the_daemon_parks_it_and_lets_it_go_on(self):
        self.fill()
        before = self.picture()
        serving = self.start("serve", "--no-http", "--discover-every", "0.001")
        self.move(MO)
        wait_for(lambda: not self.line_of(MO)["enabled"], "the parking")
        [alert] = [json.loads(one) for one in self.ok("alerts", "--format", "json").splitlines()]
        self.assertEqual((alert["code"], alert["mailbox"]), ("mailbox-moved", MO))
        self.assertIn("daemon mailbox.park", self.ok("audit"))
        # An administrator reads the alert.
        self.ok("mailbox", "set", "profile=Tenant", "exchange_version=", "host=exchange_online", MO)
        wait_for(lambda: self.line_of(MO)["enabled"], "the way back")
        self.wait_for_sync()
        self.assert_same(before, MO)
        self.assertIn("daemon mailbox.unpark", self.ok("audit"))
        self.end(serving)

    def test_a_look_that_a_stop_cuts_off_says_nothing(self):
        rule = self.exchange.fault(operation="autodiscover-v2", action="delay", waitMs=100000)
        serving = self.start("serve", "--no-http", "--discover-every", "0.001")
        wait_for(lambda: self.exchange.fired(rule), "a look")
        self.end(serving)
        self.assertEqual(self.sql("SELECT * FROM placement"), [])
        self.exchange.end_fault(rule)
        self.assertEqual({line["state"] for line in self.discover().values()}, {"fits"})

    def test_ews_that_is_switched_off_is_an_alert_with_the_dates_until_it_is_on_again(self):
        self.fill()
        serving = self.start("serve", "--no-http", "--discover-every", "0")
        # Before, a `sync` would run by itself, and keep the daemon out.
        wait_for((self.org / "control.sock").exists, "the daemon")
        self.sync()
        for form, code, said in (("off-fault", "ews-disabled", "are switched off"),
                                 ("off-empty", "access-forbidden", "may be switched off"),
                                 ("off-html", "access-forbidden", "may be switched off")):
            with self.subTest(form):
                self.exchange.ask("POST", "sites/basement", {"ews": form})
                self.assertNotEqual(self.run_program("sync").returncode, 0)
                alerts = [json.loads(one) for one in self.ok("alerts", "--format", "json").splitlines()]
                self.assertEqual(sorted((one["code"], one["mailbox"], one["level"]) for one in alerts),
                                 [(code, IDA, "error"), (code, MO, "error")])
                ready = {line["state"] for line in map(json.loads, self.run_program("readiness", "--format", "json").stdout.splitlines())}
                self.assertEqual(ready, {"refused-by-server" if form == "off-fault" else "forbidden-by-server"})
                for alert in alerts:
                    self.assertIn(said, alert["text"])
                    self.assertIn("2026-10-01", alert["remedy"])
                    self.assertIn("2027-04-01", alert["remedy"])
        self.exchange.ask("POST", "sites/basement", {"ews": "on"})
        self.sync()
        self.assertEqual(self.ok("alerts"), "No alerts.\n")
        self.end(serving)

    # -- by the API ---------------------------------------------------------------------------------------------------
    def serve(self):
        serving = self.start("serve", "--port", "0", "--discover-every", "0")
        self.url = json.loads(serving.stdout.readline())["http"] + "/api/v1"
        return serving

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)

    def mailbox_now(self, user):
        return self.ask("GET", f"/mailboxes/{user.replace('@', '%40')}")[1]

    def wait_for_look(self, user):
        wait_for(lambda: self.mailbox_now(user)["placement"]["requestedAt"] is None, "the look")
        return self.mailbox_now(user)

    def test_who_asks_over_the_api_has_mailboxes_looked_for_and_a_move_followed_in_his_name(self):
        self.token = json.loads(self.ok("token", "create", "--name", "console", "--role", "system-administrator", "--format", "json"))["token"]
        serving = self.serve()
        self.assertEqual(self.ask("POST", "/bulk/discover", {"profile": "Basement"}), (202, {"wanted": 2, "refused": []}))
        for user in (MO, IDA):
            placement = self.wait_for_look(user)["placement"]
            self.assertEqual((placement["state"], placement["facts"]["location"], placement["parkedAt"]), ("fits", "on_premises", None))
            self.assertTrue(placement["facts"]["endpoint"].startswith("https://mail.move.test/"), placement)
        self.move(MO)
        self.assertEqual(self.ask("POST", "/mailboxes/mo%40move.test/discover"), (202, {"mailbox": MO, "wanted": True}))
        now = self.wait_for_look(MO)
        self.assertEqual((now["placement"]["state"], now["enabled"]), ("elsewhere", False))
        self.assertIsNotNone(now["placement"]["parkedAt"])
        self.assertEqual(now["placement"]["facts"]["endpoint"], CLOUD_URL)
        self.assertIn("token console (1) mailbox.park", self.ok("audit"))

        # A stop cuts the look off; the next daemon makes it.
        rule = self.exchange.fault(operation="autodiscover-v2", action="delay", waitMs=100000)
        self.assertEqual(self.ask("POST", "/mailboxes/mo%40move.test/discover", {"followMoves": True})[0], 202)
        wait_for(lambda: self.exchange.fired(rule), "the look")
        self.assertIsNotNone(self.mailbox_now(MO)["placement"]["requestedAt"])
        self.end(serving)
        self.exchange.end_fault(rule)
        serving = self.serve()
        now = self.wait_for_look(MO)
        self.assertEqual((now["placement"]["state"], now["placement"]["parkedAt"], now["enabled"], now["profile"]), ("fits", None, True, "Tenant"))
        self.assertIn("it has the profile Tenant now", now["placement"]["text"])
        acts = " ".join(self.ok("audit").split())  # lines are wrapped
        for act in ("mailbox.discover-and-follow mailbox mo@move.test", "apply.change mailbox mo@move.test: profile",
                    "mailbox.unpark mailbox mo@move.test"):
            self.assertIn("token console (1) " + act, acts)
        self.wait_for_sync()
        self.end(serving)

    def line_of(self, user):
        [line] = [one for one in self.status()["mailboxes"] if one["mailbox"] == user]
        return line

    def wait_for_profile(self, name):
        wait_for(lambda: f'profile = "{name}"' in self.ok("export-config").split(MO)[1].split("[[mailbox]]")[0],
                 "the other profile")

    def wait_for_sync(self):
        """The daemon hears of the other profile within a second."""
        def is_in_step():
            lines = self.run_program("sync", "--mailbox", MO, "--format", "json").stdout.splitlines()
            return json.loads(lines[0])["endpoint"] == CLOUD_URL if lines else False
        wait_for(is_in_step, "a run there")
        line = self.sync("--mailbox", MO)[MO]
        self.assertEqual((line["outcome"], line["endpoint"]), ("done", CLOUD_URL))

    def end(self, serving):
        serving.send_signal(signal.SIGTERM)
        _, errors = serving.communicate(timeout=60)
        self.outputs.append(errors)
        self.assertEqual(serving.returncode, 0, errors)


def main():
    for address in (BASEMENT, CLOUD):
        with socket.socket() as one:
            try:
                one.bind((address, 443))
            except OSError as error:
                print(f"SKIPPED: nobody may listen on port 443 here ({error})")
                return 0
    try:
        return 0 if unittest.main(exit=False).result.wasSuccessful() else 1
    finally:
        if Syncline.exchange:
            Syncline.exchange.close()


if __name__ == "__main__":
    sys.exit(main())
