#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the HTTP API of `syncline serve` as programs would: http.client, raw sockets and curl."""
import concurrent.futures
import contextlib
import hashlib
import json
import pathlib
import random
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving import (DOCUMENT, PROGRAM, ROLES, SOURCE, Serving, jsonschema, make_certificate, operations,  # noqa: E402
                     resolved, validate, wait_for)

SAMPLES = {"person": "boss", "role": "king", "name": "Basement", "address": "ana@contoso.example", "kind": "password", "id": "1", "sha256": "0" * 64}
SECRET = "Kq7-vertraulich-93x"


def sample_path(path):
    return re.sub(r"\{(\w+)\}", lambda match: urllib.parse.quote(SAMPLES[match[1]]), path)


class Checks:
    def ask(self, *arguments, **options):
        return self.serving.ask(*arguments, **options)

    def problem(self, answer, status, code=None):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header["Content-Type"], "application/problem+json")
        validate({"$ref": "#/components/schemas/Problem"}, answer.json)
        self.assertEqual(answer.json["status"], status)
        self.assertEqual(answer.json["type"], "urn:syncline:problem:" + answer.json["code"])
        if code:
            self.assertEqual(answer.json["code"], code)
        return answer.json

    def good(self, answer, operation_id, status=200):
        """The answer is as the document says; its value."""
        self.assertEqual(answer.status, status, answer)
        operation = next(one for _, _, one in operations() if one["operationId"] == operation_id)
        described = resolved(operation["responses"][str(status)])
        for name in described.get("headers", {}):
            self.assertIn(name, answer.header, operation_id)
        if "content" not in described:
            self.assertEqual(answer.body, "")
            return None
        self.assertEqual(answer.header["Cache-Control"], "no-store")
        content = described["content"][answer.header["Content-Type"]]
        if answer.header["Content-Type"] != "application/json":
            return answer.body
        validate(content["schema"], answer.json)
        return answer.json


class Api(unittest.TestCase, Checks):
    @classmethod
    def setUpClass(cls):
        cls.serving = Serving("--api-rate", "100000")
        cls.addClassCleanup(cls.serving.close)

    def add(self, **members):
        line = {"kind": "contact", "owner": "ana@contoso.example", "fields": {"givenName": "Olga"}, **members}
        return self.good(self.ask("POST", "/records", line), "addRecord", 201)


class EveryRoute(Api):
    def test_nobody_without_a_token_is_let_in(self):
        for method, path, operation in operations():
            with self.subTest(operation["operationId"]):
                answer = self.ask(method, sample_path(path), role=None)
                if operation.get("security") == []:
                    self.assertEqual(answer.status, 200)
                    continue
                self.problem(answer, 401, "unauthenticated")
                self.assertTrue(answer.header["WWW-Authenticate"].startswith("Bearer"))

    def test_no_role_may_do_what_is_not_for_it_and_each_may_do_what_is(self):
        checked = 0
        for method, path, operation in operations():
            for role in ROLES:
                if operation.get("security") == []:
                    continue
                with self.subTest(operation["operationId"], role=role):
                    # Nothing is done: what is let in is refused for its nonsense.
                    answer = self.ask(method, sample_path(path) + "?nonsense=1", role=role)
                    if role in operation["x-roles"]:
                        self.problem(answer, 400, "unknown-parameter")
                    else:
                        self.problem(answer, 403, "forbidden")
                    checked += 1
        self.assertGreater(checked, 250)

    def test_what_is_malformed_is_refused_with_its_reason(self):
        for method, path, operation in operations():
            roles = operation["x-roles"]
            role = "system-administrator" if roles else None
            header = {"If_Match": "*"}
            path = sample_path(path)
            with self.subTest(operation["operationId"]):
                self.problem(self.ask(method, path + "?nonsense=1", role=role, **header), 400, "unknown-parameter")
                for one in operation.get("parameters", []):
                    one = resolved(one)
                    if one["in"] != "query":
                        continue
                    bad = {"integer": "x", "boolean": "maybe"}.get(one["schema"]["type"], "nonsense" if "enum" in one["schema"] else "%00")
                    self.problem(self.ask(method, f"{path}?{one['name']}={bad}", role=role, **header), 400, "bad-parameter")
                    twice = {"integer": "1", "boolean": "true"}.get(one["schema"]["type"], one["schema"].get("enum", ["a"])[0])
                    self.problem(self.ask(method, f"{path}?{one['name']}={twice}&{one['name']}={twice}", role=role, **header), 400,
                                 "bad-parameter")
                if "requestBody" not in operation:
                    self.problem(self.ask(method, path, "{}", role=role, **header), 400, "bad-body")
                    continue
                self.problem(self.ask(method, path, "<xml/>", role=role, Content_Type="application/xml", **header), 415,
                             "unsupported-media-type")
                if set(operation["requestBody"]["content"]) == {"application/octet-stream"}:
                    continue  # any octets are a file
                for bad in ("{", "[" * 100, "nonsense", '{"nonsense":1}', b"\xff\xfe"):
                    self.problem(self.ask(method, path, bad, role=role, **header), 400)
                if operation["requestBody"]["required"]:
                    self.problem(self.ask(method, path, role=role, **header), 400, "bad-body")
            if any(resolved(one)["name"] == "If-Match" for one in operation.get("parameters", [])):
                body = {} if "requestBody" in operation else None
                self.problem(self.ask(method, path, body, role=role), 428, "precondition-required")

    def test_a_path_has_the_methods_of_the_document_and_no_others(self):
        for path, methods in DOCUMENT["paths"].items():
            with self.subTest(path):
                there = {method.upper() for method in methods}
                for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - there:
                    answer = self.ask(method, sample_path(path))
                    self.problem(answer, 405, "method-not-allowed")
                    self.assertEqual(set(answer.header["Allow"].split(", ")), there | ({"HEAD"} if "GET" in there else set()))
        for path in ("/", "/record", "/records/", "/records/1/x", "/records//", "/openapi.json/", "/%2e%2e/records"):
            self.problem(self.ask("GET", path), 404, "not-found")
        for path in ("/records", "/changes?wait=0", "/changes/stream"):
            answer = self.ask("HEAD", path)
            self.assertEqual((answer.status, answer.body), (200, ""), path)


class Resources(Api):
    def test_the_organisation_its_profiles_and_mailboxes_are_changed_as_apply_does(self):
        before = self.ask("GET", "/organisation")
        self.assertEqual(self.good(before, "getOrganisation")["settings"]["name"], "Contoso")
        patch = {"policies": {"sync": {"brake_count": 77}}}
        dry = self.ask("PATCH", "/organisation?dryRun=true", patch, If_Match=before.header["ETag"])
        self.assertFalse(self.good(dry, "changeOrganisation")["applied"])
        done = self.ask("PATCH", "/organisation", patch, If_Match=before.header["ETag"], Syncline_Reason="ticket 5")
        self.assertTrue(self.good(done, "changeOrganisation")["applied"])
        self.problem(self.ask("PATCH", "/organisation", patch, If_Match=before.header["ETag"]), 412, "precondition-failed")
        self.assertEqual(self.ask("GET", "/organisation").json["policies"]["sync"]["brake_count"], 77)
        self.ask("PATCH", "/organisation", {"policies": {"sync": {"brake_count": None}}}, If_Match="*")
        self.assertNotIn("brake_count", self.ask("GET", "/organisation").json["policies"].get("sync", {}))
        self.problem(self.ask("PATCH", "/organisation", {"policies": {"sync": {"nonsense": 1}}}, If_Match="*"), 400, "bad-value")

        profile = {"name": "Google", "type": "gmail", "client_id": "1234.apps.example"}
        self.good(self.ask("POST", "/profiles", profile), "addProfile", 201)
        self.problem(self.ask("POST", "/profiles", profile), 409, "name-taken")
        shown = self.ask("GET", "/profiles/Google")
        self.assertEqual(self.good(shown, "getProfile")["settings"]["client_id"], "1234.apps.example")
        self.problem(self.ask("PATCH", "/profiles/Google", {"client_secret": SECRET}, If_Match="*"), 400, "secret-in-settings")
        self.good(self.ask("PATCH", "/profiles/Google", {"client_id": "5.apps.example"}, If_Match=shown.header["ETag"]), "changeProfile")
        self.assertEqual({one["name"] for one in self.good(self.ask("GET", "/profiles"), "listProfiles")["items"]}, {"Basement", "Google"})
        self.problem(self.ask("DELETE", "/profiles/Basement", If_Match="*"), 409, "profile-in-use")
        self.problem(self.ask("GET", "/profiles/Nobody"), 404, "no-profile")

        mailbox = {"address": "Cleo@contoso.example", "profile": "Basement", "exchange_version": "2019"}
        self.good(self.ask("POST", "/mailboxes", mailbox), "addMailbox", 201)
        self.problem(self.ask("POST", "/mailboxes", mailbox), 409, "address-taken")
        bad = self.problem(self.ask("POST", "/mailboxes", {**mailbox, "address": "dan@gmail.com", "profile": "Basement", "host": "gmail"}), 409, "refused")
        self.assertTrue(any(finding["severity"] == "reject" for one in bad["outcome"]["mailboxes"] for finding in one["findings"]))
        path = "/mailboxes/cleo%40contoso.example"
        shown = self.ask("GET", path)
        self.assertEqual(self.good(shown, "getMailbox")["obstacle"]["code"], "not-approved")
        self.good(self.ask("PATCH", path, {"folders": ["Customers"]}, If_Match=shown.header["ETag"]), "changeMailbox")
        self.assertEqual(self.ask("GET", path).json["settings"]["folders"], ["Customers"])
        self.problem(self.ask("PATCH", path, {"folders": None}, If_Match=shown.header["ETag"]), 412, "precondition-failed")
        changed = self.ask("POST", "/bulk/change", {"mailboxes": ["cleo@contoso.example"], "settings": {"folders": None}})
        self.assertTrue(self.good(changed, "changeMailboxes")["applied"])
        self.problem(self.ask("POST", "/mailboxes/cleo%40contoso.example/apply-defaults"), 400)
        self.good(self.ask("DELETE", path, If_Match="*"), "removeMailbox")
        self.problem(self.ask("GET", path), 404, "no-mailbox")
        self.good(self.ask("DELETE", "/profiles/Google", If_Match="*"), "removeProfile")
        acts = self.good(self.ask("GET", "/audit?limit=1000"), "listAudit")["items"]
        self.assertTrue(any(one["reason"] == "ticket 5" and one["who"].startswith("token test system-administrator") for one in acts))

    def test_mailboxes_are_approved_enabled_and_run(self):
        path = "/mailboxes/bob%40contoso.example"
        self.problem(self.ask("POST", path + "/enable"), 409, "not-approved")
        self.problem(self.ask("POST", path + "/sync"), 409, "not-enabled")
        self.assertTrue(self.good(self.ask("POST", path + "/approve", {"role": "global_admin"}, role="approver"), "approveMailbox")["changed"])
        self.assertFalse(self.good(self.ask("POST", path + "/approve", {"role": "global_admin"}, role="approver"), "approveMailbox")["changed"])
        self.problem(self.ask("POST", path + "/approve", {"role": "king"}), 400, "bad-value")
        findings = self.problem(self.ask("POST", path + "/enable"), 409, "rejected-by-rules")["outcome"]["obstacle"]["findings"]
        self.assertTrue(findings)
        self.assertIsNone(self.good(self.ask("PUT", "/profiles/Basement/secrets/password", {"secret": SECRET}), "setProfileSecret", 204))
        self.assertEqual(self.ask("GET", "/profiles/Basement").json["secrets"], ["password"])
        self.good(self.ask("POST", path + "/enable"), "enableMailbox")
        self.good(self.ask("POST", path + "/sync"), "syncMailbox", 202)
        self.good(self.ask("POST", path + "/test"), "testMailbox", 202)
        listed = self.good(self.ask("GET", "/mailboxes?enabled=true"), "listMailboxes")["items"]
        self.assertEqual([one["mailbox"] for one in listed], ["bob@contoso.example"])
        several = self.good(self.ask("POST", "/bulk/disable", {"mailboxes": ["bob@contoso.example", "x@y"]}), "disableMailboxes")
        self.assertEqual([(one["changed"], one["obstacle"] and one["obstacle"]["code"]) for one in several["items"]], [(True, None), (False, "no-mailbox")])
        self.good(self.ask("POST", "/bulk/reject", {"profile": "Basement"}), "rejectMailboxes")
        self.good(self.ask("DELETE", "/profiles/Basement/secrets/password"), "forgetProfileSecret", 204)
        self.problem(self.ask("PUT", "/profiles/Basement/secrets/nonsense", {"secret": SECRET}), 400, "bad-secret-kind")
        self.problem(self.ask("PUT", "/mailboxes/x%40y/secrets/password", {"secret": SECRET}), 404, "no-mailbox")
        log = self.serving.log()
        self.assertNotIn(SECRET, log)
        with sqlite3.connect(self.serving.org / "syncline.db") as database:
            self.assertNotIn(SECRET.encode(), database.serialize())

    def test_what_is_going_on_can_be_watched(self):
        self.good(self.ask("GET", "/status", role="read-only"), "getStatus")
        readiness = self.good(self.ask("GET", "/readiness?lang=en", role="read-only"), "listReadiness")["items"]
        self.assertEqual(readiness, [json.loads(line) for line in self.serving.run("readiness", "--format", "json", "--lang", "en").splitlines()])
        self.assertEqual({one["mailbox"]: one["state"] for one in readiness}["ana@contoso.example"], "ready")
        for path, operation in (("/alerts?all=true", "listAlerts"), ("/journal", "listJournal"), ("/quarantine", "listQuarantine"), ("/audit", "listAudit")):
            role = "approver" if path == "/audit" else "read-only"
            self.assertIn("items", self.good(self.ask("GET", path, role=role), operation))
        self.problem(self.ask("GET", "/journal?mailbox=x@y"), 404, "no-mailbox")
        self.problem(self.ask("POST", "/quarantine/replay", {"mailbox": "ana@contoso.example", "items": ["x"]}), 400, "bad-value")
        self.good(self.ask("POST", "/quarantine/replay", {"mailbox": "ana@contoso.example"}), "replayQuarantine", 202)
        released = self.good(self.ask("POST", "/mailboxes/ana%40contoso.example/brake/release"), "releaseBrake")
        self.assertFalse(released["released"])
        self.problem(self.ask("POST", "/alerts/99/acknowledge"), 404, "no-alert")

    def test_assignments_are_judged_as_check_does(self):
        rows = [{"id": "a", "prof_type": "gmail", "mbx_address": "a@gmail.com"}, {"id": "b", "prof_type": "exchange_online", "mbx_host": "exchange_onprem"}]
        text = "\n".join(map(json.dumps, rows))
        own = subprocess.run([PROGRAM, "check", "-", "--format", "json", "--lang", "en", "--as-of", "2026-11-22"], input=text, capture_output=True,
                             encoding="utf-8", check=False)
        self.assertIn(own.returncode, (0, 1), own.stderr)
        for body, kind in ((text, "application/x-ndjson"), (json.dumps(rows), "application/json")):
            answer = self.ask("POST", "/checks?asOf=2026-11-22", body, role="application", Content_Type=kind)
            self.assertEqual(self.good(answer, "checkAssignments"), own.stdout)
        bad = self.ask("POST", "/checks", '{"prof_type":"nonsense"}')
        self.assertIn("prof_type", self.problem(bad, 400, "bad-row")["detail"])
        self.assertIn('"rejectedBy"', self.good(self.ask("POST", "/routes", rows), "findRoutes"))
        rules = self.good(self.ask("GET", "/rules?lang=it"), "listRules")["items"]
        self.assertEqual(self.good(self.ask("GET", f"/rules/{rules[0]['id']}?lang=it"), "getRule"), rules[0])
        self.problem(self.ask("GET", "/rules/NONSENSE"), 404, "no-rule")

    def test_tokens_are_made_shown_once_listed_and_revoked(self):
        made = self.good(self.ask("POST", "/tokens", {"name": "ci", "role": "read-only", "expiresAt": "2099-01-01T00:00:00Z"}), "createToken", 201)
        self.assertEqual(made["expiresAt"], "2099-01-01T00:00:00Z")
        self.assertEqual(self.ask("GET", "/status", token=made["token"]).status, 200)
        self.problem(self.ask("GET", "/tokens", token=made["token"]), 403, "forbidden")
        listed = self.ask("GET", "/tokens?limit=1000")
        self.assertIn(made["id"], [one["id"] for one in self.good(listed, "listTokens")["items"]])
        self.assertNotIn("syncline_", listed.body)
        self.assertIsNotNone(self.good(self.ask("GET", f"/tokens/{made['id']}"), "getToken")["lastUsedAt"])
        self.assertEqual(self.good(self.ask("DELETE", f"/tokens/{made['id']}"), "revokeToken")["state"], "revoked")
        self.problem(self.ask("GET", "/status", token=made["token"]), 401, "unauthenticated")
        for bad in ({"name": "x"}, {"name": "", "role": "read-only"}, {"name": "x", "role": "king"}, {"name": "x", "role": "mailbox-owner"},
                    {"name": "x", "role": "read-only", "owner": "a@x"}, {"name": "x", "role": "read-only", "expiresAt": "2020-01-01T00:00:00Z"},
                    {"name": "x", "role": "read-only", "expiresAt": "soon"}):
            self.problem(self.ask("POST", "/tokens", bad), 400)
        with sqlite3.connect(self.serving.org / "syncline.db") as database:
            octets = database.serialize()
        self.assertNotIn(made["token"].encode(), octets)
        self.assertIn("ci", self.serving.run("token", "list"))
        lines = self.serving.run("token", "list", "--format", "json")
        self.assertNotIn(made["token"], lines)
        if jsonschema:
            schema = json.loads((SOURCE / "docs/schemas/token.schema.json").read_text("utf-8"))
            for line in [*lines.splitlines(), self.serving.run("token", "create", "--name", "x", "--role", "read-only", "--format", "json")]:
                jsonschema.Draft202012Validator(schema).validate(json.loads(line))
        self.assertIn("revoked", self.serving.run("token", "revoke", made["id"], "--reason", "again"))
        for bad in (("revoke", "999"), ("revoke", "x"), ("create", "--name", "x", "--role", "king"), ("create", "--role", "read-only"),
                    ("create", "--name", "x", "--role", "mailbox-owner")):
            done = subprocess.run(self.serving.command("token", *bad), capture_output=True, encoding="utf-8", check=False, env=self.serving.env, timeout=60)
            self.assertEqual(done.returncode, 2, bad)


class Acts(unittest.TestCase, Checks):
    """What an administrator does over HTTP, each act with its effect and its entry in the audit."""
    ANA, BOB, CLEO = (f"{one}@contoso.example" for one in ("ana", "bob", "cleo"))

    def setUp(self):
        self.serving = Serving("--api-rate", "100000", mailboxes=(self.ANA, self.BOB, self.CLEO))
        self.addCleanup(self.serving.close)
        self.put("/profiles/Basement/secrets/password", "setProfileSecret")

    def put(self, path, operation):
        self.good(self.ask("PUT", path, {"secret": SECRET}), operation, 204)

    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.serving.org / "syncline.db", timeout=30)) as database, database:
            return database.execute(statement, values).fetchall()

    def let_in(self, *addresses):
        approved = self.good(self.ask("POST", "/bulk/approve", {"mailboxes": addresses, "role": "global_admin"}, role="approver"), "approveMailboxes")
        self.assertEqual([(one["mailbox"], one["changed"], one["obstacle"]) for one in approved["items"]], [(one, True, None) for one in addresses])
        enabled = self.good(self.ask("POST", "/bulk/enable", {"mailboxes": addresses}), "enableMailboxes")
        self.assertEqual([(one["mailbox"], one["changed"], one["obstacle"]) for one in enabled["items"]], [(one, True, None) for one in addresses])

    def audit(self, act):
        """Who, about what, and why, of each such act."""
        acts = self.good(self.ask("GET", "/audit?limit=1000"), "listAudit")["items"]
        return [(one["who"], one["object"], one["reason"]) for one in acts if one["act"] == act]

    def test_several_mailboxes_are_approved_enabled_and_tested_at_once(self):
        self.let_in(self.ANA, self.BOB)
        shown = self.good(self.ask("GET", "/mailboxes"), "listMailboxes")["items"]
        self.assertEqual({one["mailbox"]: (one["approval"]["status"], one["enabled"]) for one in shown},
                         {self.ANA: ("approved", True), self.BOB: ("approved", True), self.CLEO: ("pending", False)})
        again = self.good(self.ask("POST", "/bulk/enable", {"profile": "Basement"}), "enableMailboxes")
        self.assertEqual([(one["changed"], (one["obstacle"] or {}).get("code")) for one in again["items"]],
                         [(False, None), (False, None), (False, "not-approved")])
        wanted = self.good(self.ask("POST", "/bulk/test", {"profile": "Basement"}), "testMailboxes", 202)
        self.assertEqual((wanted["wanted"], [(one["mailbox"], one["code"]) for one in wanted["refused"]]), (2, [(self.CLEO, "not-approved")]))
        for act, who in (("mailbox.approve", "approver"), ("mailbox.enable", "system-administrator"), ("mailbox.test", "system-administrator")):
            entries = self.audit(act)
            self.assertEqual([one[1] for one in entries], [f"mailbox {self.ANA}", f"mailbox {self.BOB}"], act)
            self.assertTrue(all(one[0].startswith(f"token test {who}") for one in entries), entries)
        # There is no server: the test says so, with a cause and a remedy.
        failed = wait_for(lambda: (lambda test: test if test["report"] and test["report"]["steps"] and any(
            step["state"] == "failure" for step in test["report"]["steps"]) else None)(
                self.good(self.ask("GET", "/mailboxes/ana%40contoso.example"), "getMailbox")["test"] or {"report": None}), "the test")
        self.assertEqual(failed["requestedBy"], self.audit("mailbox.test")[0][0])

    def test_where_mailboxes_live_is_asked_of_one_and_of_several(self):
        path = "/mailboxes/ana%40contoso.example"
        self.assertIsNone(self.good(self.ask("GET", path), "getMailbox")["placement"])
        self.problem(self.ask("POST", path + "/discover"), 409, "not-approved")
        self.problem(self.ask("POST", "/mailboxes/nobody%40contoso.example/discover"), 404, "no-mailbox")
        self.let_in(self.ANA, self.BOB)
        self.good(self.ask("POST", "/profiles", {"name": "Host", "type": "imap_smtp", "in_host": "imap.x.example", "out_host": "smtp.x.example",
                                                 "in_port": 993, "out_port": 465, "in_tls": "implicit", "out_tls": "implicit"}), "addProfile", 201)
        self.good(self.ask("PATCH", "/mailboxes/cleo%40contoso.example", {"profile": "Host", "exchange_version": None, "act": "none"}, If_Match="*"),
                  "changeMailbox")
        self.problem(self.ask("POST", "/mailboxes/cleo%40contoso.example/discover"), 409, "not-on-exchange")
        self.problem(self.ask("POST", path + "/discover", {"followMoves": "yes"}), 400, "bad-value")
        self.problem(self.ask("POST", "/bulk/discover", {"followMoves": True}), 400, "bad-value")
        # Its owner may ask, but only administrators give another profile.
        self.problem(self.ask("POST", path + "/discover", {"followMoves": True}, role="mailbox-owner"), 403, "forbidden")
        self.problem(self.ask("POST", "/mailboxes/bob%40contoso.example/discover", role="mailbox-owner"), 404, "no-mailbox")
        self.assertEqual(self.audit("mailbox.discover"), [])
        wanted = self.good(self.ask("POST", path + "/discover", role="mailbox-owner", Syncline_Reason="ticket 8"), "discoverMailbox", 202)
        self.assertEqual(wanted, {"mailbox": self.ANA, "wanted": True})
        wanted = self.good(self.ask("POST", "/bulk/discover", {"mailboxes": [self.BOB, self.CLEO, "x@y"], "followMoves": True}), "discoverMailboxes", 202)
        self.assertEqual((wanted["wanted"], [(one["mailbox"], one["code"]) for one in wanted["refused"]]),
                         (1, [(self.CLEO, "not-on-exchange"), ("x@y", "no-mailbox")]))
        [(who, about, why)] = self.audit("mailbox.discover")
        self.assertTrue(who.startswith("token test mailbox-owner"), who)
        self.assertEqual((about, why), (f"mailbox {self.ANA}", "ticket 8"))
        [(who, about, _)] = self.audit("mailbox.discover-and-follow")
        self.assertTrue(who.startswith("token test system-administrator"), who)
        self.assertEqual(about, f"mailbox {self.BOB}")
        # There is no server: each look ends with that, and concludes nothing.
        for one in ("ana", "bob"):
            found = wait_for(lambda one=one: (lambda placement: placement if placement["requestedAt"] is None else None)(
                self.good(self.ask("GET", f"/mailboxes/{one}%40contoso.example"), "getMailbox")["placement"]), "the look", seconds=240)
            self.assertEqual((found["state"], found["facts"], found["parkedAt"]), ("not-found", None, None))
            self.assertIsNotNone(found["lookedAt"])
        shown = json.loads(self.serving.run("mailbox", "show", self.BOB, "--format", "json"))
        self.assertEqual(shown["placement"], found)
        self.assertIn("not-found, ", self.serving.run("mailbox", "show", self.BOB))
        self.assertTrue(self.ask("GET", path).json["enabled"])

    def test_defaults_are_previewed_and_given_to_one_and_to_several(self):
        self.good(self.ask("PATCH", "/organisation", {"defaults": {"folders": ["Customers"]}}, If_Match="*"), "changeOrganisation")
        path = "/mailboxes/ana%40contoso.example"
        self.good(self.ask("PATCH", path, {"folders": ["Of her own"]}, If_Match="*"), "changeMailbox")

        def folders():
            return [self.ask("GET", f"/mailboxes/{one}%40contoso.example").json["settings"].get("folders") for one in ("ana", "bob", "cleo")]
        before = folders()
        preview = self.good(self.ask("POST", path + "/apply-defaults?dryRun=true"), "applyDefaults")
        self.assertFalse(preview["applied"])
        self.assertEqual([one["mailbox"] for one in preview["mailboxes"]], [self.ANA])
        self.assertIn("verdict", preview["mailboxes"][0])
        self.assertEqual(folders(), before)
        self.assertTrue(self.good(self.ask("POST", path + "/apply-defaults", Syncline_Reason="ticket 9"), "applyDefaults")["applied"])
        self.assertEqual(folders(), [["Customers"], *before[1:]])
        [(_, about, why)] = [one for one in self.audit("apply.change") if one[2] == "ticket 9"]
        self.assertTrue(about.startswith(f"mailbox {self.ANA}: "), about)
        several = {"mailboxes": [self.BOB, self.CLEO]}
        preview = self.good(self.ask("POST", "/bulk/apply-defaults?dryRun=true", several), "applyDefaultsToMailboxes")
        self.assertEqual((preview["applied"], [one["mailbox"] for one in preview["mailboxes"]]), (False, [self.BOB, self.CLEO]))
        self.assertEqual(folders(), [["Customers"], *before[1:]])
        self.assertTrue(self.good(self.ask("POST", "/bulk/apply-defaults", several), "applyDefaultsToMailboxes")["applied"])
        self.assertEqual(folders(), [["Customers"]] * 3)
        self.problem(self.ask("POST", "/bulk/apply-defaults", {"mailboxes": ["x@y"]}), 404, "no-mailbox")

    def test_secrets_of_a_mailbox_are_set_and_forgotten_and_never_shown(self):
        path = "/mailboxes/ana%40contoso.example"
        self.put(path + "/secrets/password", "setMailboxSecret")
        shown = self.ask("GET", path)
        self.assertEqual(shown.json["secrets"], ["password"])
        self.assertNotIn(SECRET, shown.body)
        self.assertIsNone(self.good(self.ask("DELETE", path + "/secrets/password"), "forgetMailboxSecret", 204))
        self.assertEqual(self.ask("GET", path).json["secrets"], [])
        objects = [one[1] for act in ("secret.set", "secret.forget") for one in self.audit(act)]
        self.assertEqual([one for one in objects if self.ANA in one], [f"mailbox {self.ANA}: password"] * 2, objects)

    def test_alerts_brakes_and_quarantine_are_settled(self):
        self.let_in(self.ANA)
        [[mailbox]] = self.sql("SELECT id FROM mailbox WHERE address = ?", self.ANA)
        self.sql("INSERT INTO alert (at, mailbox, level, code, text, remedy, count, open) VALUES (1, ?, 2, 'c', 't', '', 1, 1)", mailbox)
        self.sql("INSERT INTO setting (name, json) VALUES (?, ?)", f"brake:{self.ANA}", '{"pulled":true}')
        for item in ("item-1", "item-2"):
            self.sql("INSERT INTO quarantine VALUES (?, ?, 'f', 'v', 'code', 'text', 1, 1, 1, 0)", mailbox, item)
        [alert] = [one for one in self.good(self.ask("GET", "/alerts"), "listAlerts")["items"] if one["code"] == "c"]
        self.assertIsNone(alert["acknowledged"])
        path = f"/alerts/{alert['id']}/acknowledge"
        self.assertTrue(self.good(self.ask("POST", path, role="approver", Syncline_Reason="I look after it"), "acknowledgeAlert")["acknowledged"])
        self.assertFalse(self.good(self.ask("POST", path), "acknowledgeAlert")["acknowledged"], "once is enough")
        [alert] = [one for one in self.good(self.ask("GET", "/alerts"), "listAlerts")["items"] if one["code"] == "c"]
        self.assertEqual((alert["acknowledged"]["by"], alert["acknowledged"]["note"]), (self.audit("alert.acknowledge")[0][0], "I look after it"))
        self.assertEqual([one[1:] for one in self.audit("alert.acknowledge")], [(f"alert {alert['id']}", "I look after it")])

        shown = self.good(self.ask("GET", "/status"), "getStatus")["mailboxes"]
        self.assertEqual([one["brake"] for one in shown], [True, False, False])
        brake = "/mailboxes/ana%40contoso.example/brake/release"
        self.assertTrue(self.good(self.ask("POST", brake, Syncline_Reason="they are to go"), "releaseBrake")["released"])
        self.assertEqual([(one[1], one[2]) for one in self.audit("brake.release")], [(f"mailbox {self.ANA}", "they are to go")])

        listed = self.good(self.ask("GET", "/quarantine?mailbox=ana@contoso.example"), "listQuarantine")["items"]
        self.assertEqual([(one["item"], one["replay"]) for one in listed], [("item-1", False), ("item-2", False)])
        body = {"mailbox": self.ANA, "items": ["item-2"]}
        self.assertEqual(self.good(self.ask("POST", "/quarantine/replay", body), "replayQuarantine", 202)["items"], 1)
        self.assertEqual(self.sql("SELECT item, replay FROM quarantine ORDER BY item"), [("item-1", 0), ("item-2", 1)])
        self.assertEqual(self.good(self.ask("POST", "/quarantine/replay", {"mailbox": self.ANA}), "replayQuarantine", 202)["items"], 2)
        self.assertEqual([one[1] for one in self.audit("quarantine.replay")], [f"{self.ANA} item-2", f"{self.ANA} item-1", f"{self.ANA} item-2"])

    def test_a_mailbox_is_taken_over_from_another_organisation(self):
        path = "/mailboxes/ana%40contoso.example/take-over"
        self.problem(self.ask("POST", path), 409, "not-enabled")
        self.let_in(self.ANA)
        taken = self.good(self.ask("POST", path, Syncline_Reason="the other one is gone"), "takeOverMailbox", 202)
        self.assertEqual(taken, {"mailbox": self.ANA, "wanted": True})
        self.assertEqual([one[1:] for one in self.audit("mailbox.take-over")], [(f"mailbox {self.ANA}", "the other one is gone")])


class Records(Api):
    def test_a_record_is_made_read_changed_and_deleted_under_its_version(self):
        made = self.ask("POST", "/records", {"kind": "contact", "owner": "Ana@contoso.example", "externalId": "crm-1", "fields": {"givenName": "Olga"}},
                        role="application")
        record = self.good(made, "addRecord", 201)
        path = f"/records/{record['id']}"
        self.assertEqual((record["owner"], record["version"], made.header["ETag"]), ("ana@contoso.example", 1, '"v1"'))
        self.assertEqual(made.header["Location"], "/api/v1" + path)
        again = self.ask("POST", "/records", {"kind": "contact", "externalId": "crm-1", "fields": {"surname": "Nowak"}}, role="application")
        self.assertEqual(self.good(again, "addRecord")["fields"], {"givenName": "Olga", "surname": "Nowak"})
        self.problem(self.ask("POST", "/records", {"kind": "task", "externalId": "crm-1"}), 409, "other-kind")
        stale = self.problem(self.ask("PATCH", path, {"fields": {"givenName": "Eva"}}, If_Match='"v1"'), 412, "precondition-failed")
        self.assertEqual(stale["current"]["version"], 2)
        self.problem(self.ask("PATCH", path, {"fields": {}}, If_Match='W/"v2"'), 412)
        changed = self.ask("PATCH", path, {"fields": {"givenName": "Eva", "surname": None}}, If_Match='"v7", "v2"')
        self.assertEqual(self.good(changed, "changeRecord")["fields"], {"givenName": "Eva", "surname": None})
        self.problem(self.ask("PATCH", path, {"fields": {"nonsense": 1}}, If_Match="*"), 400, "unknown-field")
        self.problem(self.ask("PATCH", path, {"version": 3}, If_Match="*"), 400, "unknown-member")
        self.good(self.ask("DELETE", path, If_Match=changed.header["ETag"]), "deleteRecord")
        self.assertTrue(self.good(self.ask("GET", path, role="read-only"), "getRecord")["deleted"])
        self.assertEqual(self.ask("GET", "/records?externalId=crm-1").json["items"], [])
        self.assertEqual(len(self.ask("GET", "/records?externalId=crm-1&deleted=true").json["items"]), 1)
        for bad in ("0", "x", "99999999999999999999", "-1"):
            self.problem(self.ask("GET", f"/records/{bad}"), 404)
        self.problem(self.ask("POST", "/records", {"kind": "contact", "fields": {"photo": {"sha256": "0" * 64, "size": 1, "contentType": "image/png"}}}), 422, "no-content")

    def test_a_request_that_comes_again_is_done_once(self):
        line = {"kind": "task", "owner": "once@contoso.example", "fields": {"subject": "Pay"}}
        answers = [self.ask("POST", "/records", line, role="application", Idempotency_Key="key-1") for _ in range(3)]
        self.assertEqual({(one.status, one.body, one.header["ETag"]) for one in answers}, {(201, answers[0].body, '"v1"')})
        self.assertEqual([one.header["Idempotency-Replayed"] for one in answers], [None, "true", "true"])
        self.problem(self.ask("POST", "/records", {**line, "kind": "contact"}, role="application", Idempotency_Key="key-1"), 422, "idempotency-key-reused")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            many = list(pool.map(lambda _: self.ask("POST", "/records", line, role="application", Idempotency_Key="key-2"), range(16)))
        self.assertEqual(len({one.body for one in many}), 1)
        self.assertEqual(len(self.ask("GET", "/records?owner=once@contoso.example").json["items"]), 2)
        self.problem(self.ask("POST", "/records", line, Idempotency_Key="x" * 256), 400, "bad-header")

    def test_pages_neither_miss_nor_repeat_what_stays_while_others_write(self):
        owner = "pages@contoso.example"
        stays = {self.add(owner=owner)["id"] for _ in range(60)}
        goes = [self.add(owner=owner)["id"] for _ in range(20)]
        stays |= {self.add(owner=owner)["id"] for _ in range(20)}
        seen, cursor = [], ""
        while cursor is not None:
            page = self.good(self.ask("GET", f"/records?owner={owner}&limit=7" + (f"&cursor={cursor}" if cursor else "")), "listRecords")
            seen += [one["id"] for one in page["items"]]
            cursor = page["next"]
            self.add(owner=owner)
            if goes:
                self.ask("DELETE", f"/records/{goes.pop()}", If_Match="*")
            if len(seen) > 300:
                self.fail("no end")
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(stays, set(seen))
        cursor = self.ask("GET", f"/records?owner={owner}&limit=7").json["next"]
        self.problem(self.ask("GET", f"/records?limit=7&cursor={cursor}"), 400, "bad-cursor")
        for bad in ("x", "AAAA", "%F0%9F%92%A5"):
            self.problem(self.ask("GET", f"/records?cursor={bad}"), 400, "bad-cursor")
        self.problem(self.ask("GET", "/records?limit=1001"), 400, "bad-parameter")


    def test_files_of_records_go_in_and_out_as_streams(self):
        octets = random.Random(7).randbytes(3_000_000)
        files = {"application/pdf": octets, 'text/html; x="\r\nSet-Cookie: a=b': b"<script>alert(1)</script>", "image/svg+xml": b""}
        attachments = []
        for kind, content in files.items():
            put = self.ask("POST", "/contents", content, role="application", Content_Type="application/octet-stream")
            stored = self.good(put, "addContent", 201)
            self.assertEqual(stored, {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)})
            attachments.append({"name": "a", "contentType": kind, **stored})
        made = self.add(kind="appointment", fields={"subject": "Files", "attachments": attachments})
        other = self.add()
        for one, content in zip(attachments, files.values()):
            path = f"/records/{made['id']}/contents/{one['sha256']}"
            for role in ("application", "read-only", "mailbox-owner"):
                answer = self.ask("GET", path, role=role, binary=True)
                self.assertEqual((answer.status, answer.body), (200, content))
            header = answer.header
            self.assertEqual(header["Content-Type"], one["contentType"] if ";" not in one["contentType"] else "application/octet-stream")
            self.assertEqual((header["Content-Disposition"], header["X-Content-Type-Options"], header["ETag"]), ("attachment", "nosniff", f'"{one["sha256"]}"'))
            self.assertNotIn("Set-Cookie", header)
            head = self.ask("HEAD", path)
            self.assertEqual((head.status, head.body, head.header["ETag"]), (200, "", header["ETag"]))
            self.problem(self.ask("GET", f"/records/{other['id']}/contents/{one['sha256']}"), 404, "not-found")
        bobs = self.add(owner="bob@contoso.example", kind="appointment", fields={"attachments": attachments})
        self.problem(self.ask("GET", f"/records/{bobs['id']}/contents/{attachments[0]['sha256']}", role="mailbox-owner"), 404, "no-record")
        for bad in ("x", "..%2f..%2fsyncline.db", "0" * 64):
            self.problem(self.ask("GET", f"/records/{made['id']}/contents/{bad}"), 404, "not-found")
        folder = self.serving.org / "content" / attachments[0]["sha256"][:2]
        [file] = [one for one in folder.iterdir() if attachments[0]["sha256"].endswith(one.name)]
        file.unlink()
        self.problem(self.ask("GET", f"/records/{made['id']}/contents/{attachments[0]['sha256']}"), 500, "content-missing")

    def test_pages_end_before_they_are_too_long(self):
        owner, mebibyte = "octets@contoso.example", "x" * (1 << 20)
        fields = [{"givenName": mebibyte}] * 3 + [{"givenName": mebibyte * 3, "surname": mebibyte * 3}, {"givenName": mebibyte}, {"givenName": "Olga"}]
        ids = [self.add(owner=owner, fields=one)["id"] for one in fields]
        sizes, seen, cursor = [], [], ""
        while cursor is not None:
            page = self.good(self.ask("GET", f"/records?owner={owner}" + (f"&cursor={cursor}" if cursor else "")), "listRecords")
            sizes.append(len(page["items"]))
            seen += [one["id"] for one in page["items"]]
            cursor = page["next"]
        self.assertEqual((seen, sizes), (ids, [3, 1, 2]))
        sizes, seen, more, place = [], [], True, ""
        while more:
            page = self.good(self.ask("GET", f"/changes?owner={owner}" + (f"&after={place}" if place else "")), "listChanges")
            sizes.append(len(page["changes"]))
            seen += [one["record"]["id"] for one in page["changes"]]
            more, place = page["more"], page["next"]
        self.assertEqual((seen, sizes), (ids, [3, 1, 2]))


class SharedRecords(Api):
    """One record for the copies of one message: each person reads by the copies in its own mailboxes (invariant 14)."""
    ANA, BOB = "ana@contoso.example", "bob@contoso.example"

    def link(self, record, address, state=0):
        with contextlib.closing(sqlite3.connect(self.serving.org / "syncline.db", timeout=30)) as database, database:
            [(mailbox,)] = database.execute("SELECT id FROM mailbox WHERE address = ?", (address,)).fetchall()
            database.execute("INSERT OR IGNORE INTO folder (mailbox, name) VALUES (?, 'inbox')", (mailbox,))
            database.execute("INSERT INTO link (record, mailbox, kind, folder, state, record_version, remote_id, remote_version, search_key)"
                             " SELECT id, ?, kind, (SELECT id FROM folder WHERE mailbox = ?), ?, version, ?, '', '' FROM record WHERE id = ?",
                             (mailbox, mailbox, state, f"{address}'s {record}", int(record)))

    def set_state(self, record, address, state):
        with contextlib.closing(sqlite3.connect(self.serving.org / "syncline.db", timeout=30)) as database, database:
            database.execute("UPDATE link SET state = ? WHERE record = ? AND mailbox = (SELECT id FROM mailbox WHERE address = ?)", (state, int(record), address))

    def message(self, owner, **fields):
        return self.add(kind="email", owner=owner, fields={"subject": "Offer", **fields})["id"]

    def seen(self, path="/records"):
        page = self.good(self.ask("GET", path, role="mailbox-owner"), "listRecords")
        return [one["id"] for one in page["items"]]

    def own(self, record):
        return self.good(self.ask("GET", f"/records/{record}", role="mailbox-owner"), "getRecord")

    def gone(self, record):
        self.problem(self.ask("GET", f"/records/{record}", role="mailbox-owner"), 404, "no-record")
        self.assertNotIn(record, self.seen("/records?limit=1000&deleted=true"))

    def test_a_copy_in_ones_mailbox_may_be_read_and_nothing_of_other_peoples_copies(self):
        blind = [{"emailAddress": "cleo@contoso.example"}]
        now = self.ask("GET", "/changes?after=now").json["next"]
        record = self.message(self.BOB, bccRecipients=blind, recipientStates={"cleo@contoso.example": "delivered"},
                              toRecipients=[{"emailAddress": self.ANA}])
        self.link(record, self.BOB)
        self.gone(record)
        self.assertEqual(self.ask("GET", f"/changes?after={now}", role="mailbox-owner").json["changes"], [])
        self.link(record, self.ANA)
        one = self.own(record)
        self.assertEqual(one["links"], [{"mailbox": self.ANA, "remoteId": f"{self.ANA}'s {record}", "state": "linked"}])
        self.assertEqual((one["owner"], set(one["fields"])), ("", {"subject", "toRecipients"}))
        self.assertIn(record, self.seen("/records?limit=1000"))
        self.assertNotIn(record, self.seen(f"/records?limit=1000&owner={self.ANA}"), "which asks for what is owned")
        self.assertEqual(self.seen(f"/records?owner={self.BOB}"), [], "whose it is cannot be found out")
        page = self.good(self.ask("GET", f"/changes?after={now}", role="mailbox-owner"), "listChanges")
        self.assertEqual([change["record"] for change in page["changes"]], [one])
        whole = self.ask("GET", f"/records/{record}").json
        self.assertEqual((whole["owner"], whole["fields"]["bccRecipients"], len(whole["links"])), (self.BOB, blind, 2))
        for method, body in (("PATCH", {"fields": {"subject": "x"}}), ("DELETE", None)):
            self.problem(self.ask(method, f"/records/{record}", body, role="mailbox-owner", If_Match="*"), 403, "forbidden")

    def test_an_owner_sees_its_record_and_not_who_else_has_a_copy(self):
        record = self.message(self.ANA, bccRecipients=[{"emailAddress": "cleo@contoso.example"}])
        self.link(record, self.BOB)
        one = self.own(record)
        self.assertEqual((one["owner"], one["links"]), (self.ANA, []))
        self.assertIn("bccRecipients", one["fields"])

    def test_access_ends_with_the_link(self):
        record = self.message(self.BOB)
        self.link(record, self.ANA, state=2)
        self.gone(record)
        self.set_state(record, self.ANA, 0)
        self.own(record)
        for state, is_seen in ((1, True), (3, True), (2, False)):
            self.set_state(record, self.ANA, state)
            self.assertEqual(record in self.seen("/records?limit=1000"), is_seen, state)
        self.gone(record)
        self.set_state(record, self.ANA, 0)
        self.ask("DELETE", f"/records/{record}", If_Match="*")
        self.assertNotIn(record, self.seen("/records?limit=1000"))
        self.assertTrue(self.own(record)["deleted"], "until the copy is gone, too")
        self.set_state(record, self.ANA, 2)
        self.gone(record)

    def test_files_are_given_by_the_field_that_may_be_read(self):
        files = {}
        for name in ("attachment", "message"):
            put = self.ask("POST", "/contents", f"this is the {name}", role="application", Content_Type="application/octet-stream")
            files[name] = self.good(put, "addContent", 201)
        record = self.message(self.BOB, attachments=[{"name": "a", "contentType": "text/plain", **files["attachment"]}])
        path = f"/records/{record}/contents/"
        with contextlib.closing(sqlite3.connect(self.serving.org / "syncline.db", timeout=30)) as database, database:
            database.execute("UPDATE record SET fields = json_set(fields, '$.mime', json(?)) WHERE id = ?", (json.dumps(files["message"]), int(record)))
        for one in files.values():
            self.problem(self.ask("GET", path + one["sha256"], role="mailbox-owner"), 404, "no-record")
        self.link(record, self.ANA)
        self.assertEqual(self.ask("GET", path + files["attachment"]["sha256"], role="mailbox-owner").body, "this is the attachment")
        self.problem(self.ask("GET", path + files["message"]["sha256"], role="mailbox-owner"), 404, "not-found")
        self.assertEqual(self.ask("GET", path + files["message"]["sha256"]).body, "this is the message")
        self.set_state(record, self.ANA, 2)
        self.problem(self.ask("GET", path + files["attachment"]["sha256"], role="mailbox-owner"), 404, "no-record")

    def test_pages_hold_owned_and_linked_ones_in_their_order(self):
        wanted = set(self.seen("/records?limit=1000"))
        for i in range(30):
            record = self.message(self.ANA if i % 3 == 0 else self.BOB)
            if i % 3 == 1:
                self.link(record, self.ANA)
            if i % 3 != 2:
                wanted.add(record)
        seen, cursor = [], ""
        while cursor is not None:
            page = self.good(self.ask("GET", "/records?limit=7" + (f"&cursor={cursor}" if cursor else ""), role="mailbox-owner"), "listRecords")
            seen += [one["id"] for one in page["items"]]
            cursor = page["next"]
        self.assertEqual(seen, sorted(wanted, key=int))

    def test_a_mailbox_that_becomes_somebody_elses_takes_its_copies_along(self):
        record = self.message("cleo@contoso.example")
        self.link(record, self.BOB)
        self.gone(record)
        for owner, is_seen in ((self.ANA, True), (None, False)):
            changed = self.ask("PATCH", f"/mailboxes/{urllib.parse.quote(self.BOB)}", {"owner": owner}, If_Match="*")
            self.assertEqual(changed.status, 200, changed)
            self.assertEqual(record in self.seen("/records?limit=1000"), is_seen)


class Changes(Api):
    def events(self, connection):
        """Of a stream: (id, data)."""
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/event-stream"))
        place, data = None, None
        while True:
            line = answer.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                place = line[4:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and place:
                if data:
                    validate({"$ref": "#/components/schemas/Change"}, data)
                yield place, data
                place, data = None, None

    def stream(self, query, **header):
        connection = self.serving.connect(timeout=30)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/changes/stream?" + query, headers={"Authorization": f"Bearer {self.serving.tokens['application']}", **header})
        return connection, self.events(connection)

    def test_a_long_poll_is_answered_as_soon_as_something_changes(self):
        now = self.good(self.ask("GET", "/changes?after=now"), "listChanges")
        self.assertEqual(now["changes"], [])
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.ask, "GET", f"/changes?after={now['next']}&wait=30", role="application")
            time.sleep(0.3)
            self.assertFalse(waiting.done())
            began = time.monotonic()
            record = self.add(owner="poll@contoso.example")
            page = self.good(waiting.result(30), "listChanges")
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual([one["record"]["id"] for one in page["changes"]], [record["id"]])
        self.serving.run("record", "delete", record["id"])
        page = self.ask("GET", f"/changes?after={page['next']}&wait=30").json
        self.assertTrue(page["changes"][0]["record"]["deleted"], "what another program does is seen, too")
        self.problem(self.ask("GET", "/changes?after=nonsense"), 400, "bad-feed-token")

    def test_a_stream_goes_on_where_it_was_cut(self):
        owner = "stream@contoso.example"
        place = self.ask("GET", "/changes?after=now").json["next"]
        ids = [self.add(owner=owner)["id"] for _ in range(25)]
        seen, last = [], place
        connection, events = self.stream(f"owner={owner}&after={place}")
        last, data = next(events)
        self.assertEqual((last, data), (place, None), "the place at once, before any change")
        while len(seen) < 10:
            last, data = next(events)
            if data:
                seen.append(data["record"]["id"])
        connection.close()
        ids += [self.add(owner=owner)["id"] for _ in range(5)]
        connection, events = self.stream(f"owner={owner}", **{"Last-Event-ID": last})
        while len(seen) < len(ids):
            last, data = next(events)
            if data:
                seen.append(data["record"]["id"])
        self.assertEqual(seen, ids)
        late = self.add(owner=owner)["id"]
        while True:
            _, data = next(events)
            if data:
                break
        self.assertEqual(data["record"]["id"], late)

    def test_a_stream_ends_when_its_token_does(self):
        made = self.ask("POST", "/tokens", {"name": "short", "role": "application"}).json
        connection = self.serving.connect(timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/changes/stream?after=now", headers={"Authorization": f"Bearer {made['token']}"})
        answer = connection.getresponse()
        self.assertTrue(answer.readline())
        self.ask("DELETE", f"/tokens/{made['id']}")
        self.add()
        self.assertNotIn(b"event: change", answer.read(), "the connection ends by itself, and tells no more")

    def test_a_long_poll_ends_when_its_token_does(self):
        made = self.ask("POST", "/tokens", {"name": "short", "role": "application"}).json
        now = self.ask("GET", "/changes?after=now").json["next"]
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.ask, "GET", f"/changes?after={now}&wait=30", token=made["token"])
            wait_for(lambda: self.ask("GET", f"/tokens/{made['id']}").json["lastUsedAt"], "the poll")
            self.ask("DELETE", f"/tokens/{made['id']}")
            self.add(owner="poll@contoso.example")
            self.problem(waiting.result(40), 401, "unauthenticated")

    def test_not_everybody_can_wait_at_once(self):
        made = self.ask("POST", "/tokens", {"name": "many", "role": "application"}).json
        waiting = []
        for _ in range(16):
            connection = self.serving.connect()
            self.addCleanup(connection.close)
            connection.request("GET", "/api/v1/changes?after=now&wait=60", headers={"Authorization": f"Bearer {made['token']}"})
            waiting.append(connection)
        answer = wait_for(lambda: (lambda one: one if one.status == 429 else None)(self.ask("GET", "/changes?after=now&wait=1", token=made["token"])), "the refusal")
        self.problem(answer, 429, "too-many-requests")
        for connection in waiting:
            connection.close()
        wait_for(lambda: self.ask("GET", "/changes?after=now&wait=0", token=made["token"]).status == 200, "room again")

    def test_a_mailbox_owner_follows_its_own_records_only(self):
        now = self.ask("GET", "/changes?after=now").json["next"]
        self.add(owner="eve@contoso.example")
        own = self.add()
        seen = self.ask("GET", f"/changes?after={now}", role="mailbox-owner").json["changes"]
        self.assertEqual([one["record"]["id"] for one in seen], [own["id"]])
        self.problem(self.ask("GET", "/changes?owner=eve@contoso.example", role="mailbox-owner"), 400, "bad-parameter")
        self.assertEqual({one["mailbox"] for one in self.ask("GET", "/mailboxes", role="mailbox-owner").json["items"]}, {"ana@contoso.example"})
        self.problem(self.ask("GET", "/mailboxes/bob%40contoso.example", role="mailbox-owner"), 404, "no-mailbox")
        self.problem(self.ask("PUT", "/mailboxes/bob%40contoso.example/secrets/password", {"secret": SECRET}, role="mailbox-owner"), 404, "no-mailbox")
        self.assertEqual(self.ask("PUT", "/mailboxes/ana%40contoso.example/secrets/password", {"secret": SECRET}, role="mailbox-owner").status, 204)


class Clients(Api):
    def socket(self):
        host, port = self.serving.address.rsplit(":", 1)
        own = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(own.close)
        return own

    def test_a_body_that_is_too_large_is_refused_before_it_is_sent(self):
        token = self.serving.tokens["application"]
        for path, bearer, length in (("/records", token, 33 << 20), ("/records", "x", 65 << 10), ("/tokens", token, 65 << 10), ("/nonsense", token, 65 << 10)):
            own = self.socket()
            own.sendall(f"POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {length}\r\n\r\n".encode())
            text = own.recv(65536).decode()
            self.assertTrue(text.startswith("HTTP/1.1 413 "), text)
            self.assertIn("application/problem+json", text)
            self.assertIn('"code":"too-large"', text)
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        own = self.socket()
        own.sendall(f"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for _ in range(64):
                own.sendall(chunk)
        except OSError:
            pass
        self.assertTrue(own.recv(65536).startswith(b"HTTP/1.1 413 "))
        big = {"kind": "contact", "owner": "big@contoso.example", "fields": {"body": {"type": "text", "value": "x" * (1 << 20)}}}
        self.assertEqual(self.ask("POST", "/records", big, role="application").status, 201)

    def test_a_slow_client_is_cut_off_and_holds_nobody_up(self):
        slow = self.socket()
        slow.sendall(b"GET /api/v1/records HTTP/1.1\r\nHost:")
        slower = self.socket()
        slower.sendall(f"POST /api/v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.serving.tokens['application']}\r\n"
                       "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode())
        began = time.monotonic()
        self.assertEqual(self.ask("GET", "/records?limit=1").status, 200)
        self.assertLess(time.monotonic() - began, 5)
        for one in (slow, slower):
            self.assertEqual(one.recv(100), b"", "cut off without an answer")
        self.assertLess(time.monotonic() - began, 40)

    def test_curl_can_do_it_all(self):
        def curl(*arguments):
            done = subprocess.run(["curl", "-sS", "--fail-with-body", "-H", f"Authorization: Bearer {self.serving.tokens['application']}", *arguments],
                                  capture_output=True, encoding="utf-8", check=False, timeout=60)
            return done.returncode, done.stdout
        url = self.serving.url + "/api/v1"
        code, text = curl("--json", '{"kind":"task","owner":"curl@contoso.example","fields":{"subject":"x"}}', url + "/records")
        self.assertEqual(code, 0, text)
        record = json.loads(text)
        code, text = curl("-X", "PATCH", "-H", 'If-Match: "v1"', "--json", '{"fields":{"subject":"y"}}', f"{url}/records/{record['id']}")
        self.assertEqual((code, json.loads(text)["version"]), (0, 2))
        code, text = curl("--get", "--data-urlencode", "owner=curl@contoso.example", "--compressed", url + "/records")
        self.assertEqual((code, len(json.loads(text)["items"])), (0, 1))
        self.assertEqual(curl("-X", "DELETE", f"{url}/records/{record['id']}")[0], 22)
        code, text = curl("--max-time", "2", "-N", f"{url}/changes/stream?owner=curl@contoso.example")
        self.assertEqual(code, 28)
        self.assertIn("event: change", text)

    def test_requests_one_after_the_other_share_a_connection(self):
        connection = self.serving.connect()
        for _ in range(5):
            self.assertEqual(self.ask("GET", "/records?limit=1", connection=connection).status, 200)
        self.assertEqual(self.ask("GET", "/nonsense", connection=connection).status, 404)
        self.assertEqual(self.ask("GET", "/records?limit=1", connection=connection).status, 200)


class Start(unittest.TestCase):
    def serving(self, *arguments, **options):
        made = Serving(*arguments, **options)
        self.addCleanup(made.close)
        return made

    def test_who_asks_too_often_is_told_when_to_come_again(self):
        serving = self.serving("--api-rate", "5")
        answers = [serving.ask("GET", "/records?limit=1") for _ in range(40)]
        refused = [one for one in answers if one.status == 429]
        self.assertGreaterEqual(len(refused), 10)
        self.assertEqual({one.status for one in answers}, {200, 429})
        self.assertGreaterEqual(int(refused[0].header["Retry-After"]), 1)
        self.assertEqual(serving.ask("GET", "/records", role="application").status, 200, "another token has its own rate")
        wait_for(lambda: serving.ask("GET", "/records?limit=1").status == 200, "the time to come again")

    def test_credentials_are_neither_taken_nor_given_over_plain_http_unless_the_policy_says_so(self):
        serving = self.serving(more="")
        for method, path, body in (("PUT", "/profiles/Basement/secrets/password", {"secret": SECRET}),
                                   ("PUT", "/mailboxes/ana%40contoso.example/secrets/password", {"secret": SECRET}),
                                   ("POST", "/tokens", {"name": "x", "role": "read-only"}), ("POST", "/webhooks", {"url": "https://x.example/"})):
            answer = serving.ask(method, path, body)
            self.assertEqual((answer.status, answer.json["code"]), (403, "insecure-channel"), answer)
        marked = {f"{method} {path}" for method, path, operation in operations() if operation.get("x-credentials")}
        self.assertEqual(len(marked), 5)
        self.assertEqual(serving.ask("PATCH", "/organisation", {"settings": {"allow_insecure_creds": 1}}, If_Match="*").status, 200)
        self.assertEqual(serving.ask("PUT", "/profiles/Basement/secrets/password", {"secret": SECRET}).status, 204)

    def test_other_addresses_than_its_own_are_served_over_tls_only(self):
        serving = self.serving(more="")
        refused = subprocess.run(serving.command("serve", "--port", "0", "--listen", "0.0.0.0"), capture_output=True, encoding="utf-8", check=False,
                                 env=serving.env, timeout=60)
        self.assertEqual(refused.returncode, 4, "the other daemon's lock is looked at first")
        serving.end()
        refused = subprocess.run(serving.command("serve", "--port", "0", "--listen", "0.0.0.0"), capture_output=True, encoding="utf-8", check=False,
                                 env=serving.env, timeout=60)
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("--tls-certificate", refused.stderr)
        certificate, key = make_certificate(serving.folder, "api", "127.0.0.1")
        serving.arguments = ("--listen", "0.0.0.0", "--tls-certificate", certificate, "--tls-key", key)
        serving.ca_file = certificate
        serving.start()
        self.assertTrue(serving.url.startswith("https://0.0.0.0:"), serving.url)
        serving.address = serving.address.replace("0.0.0.0", "127.0.0.1")
        self.assertEqual(serving.ask("PUT", "/profiles/Basement/secrets/password", {"secret": SECRET}).status, 204)
        self.assertEqual(serving.ask("POST", "/tokens", {"name": "x", "role": "read-only"}).status, 201)
        serving.is_tls = False
        with self.assertRaises(Exception):
            serving.ask("GET", "/records")

    def test_a_new_certificate_holds_without_a_restart_and_a_bad_one_does_not(self):
        serving = self.serving(more="")
        serving.end()
        certificate, key = make_certificate(serving.folder, "api", "127.0.0.1")
        serving.arguments = ("--tls-certificate", certificate, "--tls-key", key)
        serving.ca_file = certificate
        serving.start()

        def shown():
            return ssl.get_server_certificate(tuple(serving.address.split(":")), timeout=60)

        def reload(logged):
            before = serving.log().count(logged)
            serving.process.send_signal(signal.SIGHUP)
            wait_for(lambda: serving.log().count(logged) > before, logged)
        old = certificate.read_text()
        self.assertEqual(shown(), old)
        standing = serving.connect()
        self.addCleanup(standing.close)
        self.assertEqual(serving.ask("GET", "/records", connection=standing).status, 200)
        other, other_key = make_certificate(serving.folder, "other", "127.0.0.1")
        for text in ("nonsense", "", other.read_text()):
            # The last is good, but not the key's.
            certificate.write_text(text)
            reload("the certificate stays as it was")
            self.assertEqual(shown(), old)
        certificate.unlink()
        reload("the certificate stays as it was")
        self.assertEqual(shown(), old)
        certificate.write_text(other.read_text())
        key.write_text(other_key.read_text())
        reload("the certificate was read again")
        self.assertEqual(shown(), other.read_text())
        self.assertEqual(serving.ask("GET", "/records", connection=standing).status, 200, "who is connected goes on")
        self.assertEqual(serving.ask("GET", "/records").status, 200)
        self.assertNotIn("PRIVATE KEY", serving.log())
        serving.end()

    def test_where_people_hold_roles_an_approving_token_needs_one(self):
        serving = self.serving()
        path = "/mailboxes/ana%40contoso.example/approve"
        self.assertEqual(serving.ask("GET", "/roles").json["items"], [])
        self.assertEqual(serving.ask("PUT", "/roles/king/king").json["code"], "bad-role")
        self.assertEqual(serving.ask("PUT", "/roles/boss/global_admin").status, 204)
        self.assertEqual(serving.ask("GET", "/roles", role="approver").json["items"], [{"person": "boss", "roles": ["global_admin"]}])
        refused = serving.ask("POST", path, role="approver")
        self.assertEqual((refused.status, refused.json["code"]), (409, "not-an-approver"))
        serving.run("role", "grant", "token test approver (2)", "exchange_admin")
        self.assertEqual(serving.ask("POST", path, role="approver").status, 200)
        self.assertEqual(serving.ask("GET", "/mailboxes/ana%40contoso.example").json["approval"]["role"], "exchange_admin")
        self.assertEqual(serving.ask("DELETE", "/roles/boss/global_admin").status, 204)
        self.assertEqual(serving.ask("POST", "/mailboxes/ana%40contoso.example/take-over").json["code"], "not-enabled")

    def test_a_restart_keeps_answers_tokens_and_places(self):
        serving = self.serving()
        line = {"kind": "task", "owner": "a@x", "fields": {"subject": "x"}}
        first = serving.ask("POST", "/records", line, Idempotency_Key="k")
        place = serving.ask("GET", "/changes?after=now").json["next"]
        serving.kill()
        serving.start()
        again = serving.ask("POST", "/records", line, Idempotency_Key="k")
        self.assertEqual((again.status, again.body), (201, first.body))
        self.assertEqual(serving.ask("GET", f"/changes?after={place}").json["changes"], [])
        serving.end()


if __name__ == "__main__":
    unittest.main()
