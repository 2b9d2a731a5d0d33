#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks of `syncline serve` against a scripted https receiver."""
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving import Serving, make_certificate, wait_for  # noqa: E402


class Receiver:
    """An https server on an address of the loopback; `script` says what each request is answered with."""

    def __init__(self, folder, address="127.0.0.1"):
        self.deliveries, self.script, self.lock = [], [], threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    status, header = receiver.script.pop(0) if receiver.script else (204, {})
                    receiver.deliveries.append((status, dict(self.headers), body))
                if status is None:  # cut without an answer
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(status)
                for name, value in header.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        certificate, key = make_certificate(folder, "receiver-" + address, address)
        self.ca_file = certificate
        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://{address}:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self):
        with self.lock:
            return [json.loads(body) for status, _, body in self.deliveries if status is not None and 200 <= status < 300]

    def records(self):
        return [(change["record"]["id"], change["record"]["version"]) for one in self.taken() for change in one["changes"]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Webhooks(unittest.TestCase):
    def start(self, *arguments):
        serving = Serving("--api-rate", "100000", *arguments)
        self.addCleanup(serving.close)
        return serving

    def world(self, *arguments, allow="127.0.0.1"):
        serving = self.start()
        receiver = Receiver(serving.folder)
        self.addCleanup(receiver.close)
        serving.end()
        serving.arguments = ("--api-rate", "100000", "--webhook-ca", receiver.ca_file, *(["--webhook-allow", allow] if allow else []), *arguments)
        serving.start()
        return serving, receiver

    def add(self, serving, owner="ana@contoso.example", kind="contact"):
        answer = serving.ask("POST", "/records", {"kind": kind, "owner": owner, "fields": {}}, role="application")
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]

    def webhook(self, serving, url, **members):
        answer = serving.ask("POST", "/webhooks", {"url": url, **members}, role="application")
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def shown(self, serving, webhook):
        return serving.ask("GET", f"/webhooks/{webhook['id']}").json

    def test_a_receiver_is_told_in_order_signed_and_again_until_it_takes_it(self):
        serving, receiver = self.world()
        before = self.add(serving)
        receiver.script = [(500, {}), (None, {}), (204, {})]
        webhook = self.webhook(serving, receiver.url)
        ids = [self.add(serving) for _ in range(5)]
        for _ in range(3):
            serving.ask("PATCH", f"/records/{ids[0]}", {"fields": {"givenName": str(time.monotonic())}}, If_Match="*")
        wait_for(lambda: {one for one, _ in receiver.records()} >= set(ids) and (ids[0], 4) in receiver.records(), "the deliveries")
        self.assertNotIn(before, [one for one, _ in receiver.records()], "it begins at the present")
        versions = {}
        for one, version in receiver.records():
            self.assertGreaterEqual(version, versions.get(one, 0), "a record's changes come in their order")
            versions[one] = version
        with receiver.lock:
            deliveries = list(receiver.deliveries)
        self.assertGreaterEqual(len(deliveries), 3)
        for _, header, body in deliveries:
            moment, signature = (part.split("=", 1)[1] for part in header["Syncline-Signature"].split(","))
            wanted = hmac.new(webhook["signingKey"].encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
            self.assertTrue(hmac.compare_digest(signature, wanted))
            self.assertLess(abs(int(moment) - time.time()), 60)
            self.assertEqual(json.loads(body)["delivery"], header["Syncline-Delivery"])
            self.assertEqual(header["Content-Type"], "application/json")
        # The receiver knows a moment before the store does.
        state = wait_for(lambda: (lambda one: one if one["state"] == "working" else None)(self.shown(serving, webhook)), "the end of it")
        self.assertEqual((state["attempts"], state["lastError"]), (0, None))
        self.assertNotIn("signingKey", state)
        renewed = serving.ask("POST", f"/webhooks/{webhook['id']}/signing-key").json["signingKey"]
        self.assertNotEqual(renewed, webhook["signingKey"])
        last = self.add(serving)
        wait_for(lambda: last in [one for one, _ in receiver.records()], "the one with the new key")
        header, body = receiver.deliveries[-1][1:]
        moment = header["Syncline-Signature"].split(",")[0][2:]
        self.assertIn(hmac.new(renewed.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest(), header["Syncline-Signature"])
        self.assertNotIn(webhook["signingKey"], serving.log())

    def test_what_a_killed_daemon_had_not_delivered_comes_after_the_next_start(self):
        serving, receiver = self.world()
        receiver.script = [(503, {"Retry-After": "1"})] * 2
        webhook = self.webhook(serving, receiver.url, kinds=["task"], owner="t@contoso.example", after=None)
        ids = []
        for _ in range(4):
            ids += [self.add(serving, "t@contoso.example", "task") for _ in range(10)]
            self.add(serving, "other@contoso.example", "task")
            self.add(serving, "t@contoso.example", "email")
            serving.kill()
            serving.start()
        wait_for(lambda: {one for one, _ in receiver.records()} >= set(ids), "all of them")
        self.assertEqual({one for one, _ in receiver.records()}, set(ids), "and no others")
        wait_for(lambda: self.shown(serving, webhook)["state"] == "working", "the end of it")

    def test_targets_that_are_not_public_are_refused_when_they_are_connected(self):
        serving, receiver = self.world(allow=None)
        port = receiver.url.split(":")[2].split("/")[0]
        hooks = [self.webhook(serving, url) for url in
                 (receiver.url, f"https://localhost:{port}/", "https://169.254.169.254/latest", "https://10.0.0.1/", "https://[::1]/",
                  f"https://[::ffff:127.0.0.1]:{port}/")]
        self.add(serving)
        for hook in hooks:
            wait_for(lambda: self.shown(serving, hook)["attempts"] >= 1, hook["url"])
            self.assertIn("address-not-allowed", self.shown(serving, hook)["lastError"], hook["url"])
        self.assertEqual(receiver.deliveries, [])
        for url in ("http://x.example/", "ftp://x.example/", "https://user:secret@x.example/", "x", "https://", "https:///x", "file:///etc/passwd"):
            self.assertEqual(serving.ask("POST", "/webhooks", {"url": url}).json["code"], "bad-url", url)

    def test_a_redirect_is_checked_as_the_first_target_is(self):
        serving, receiver = self.world()
        hidden = Receiver(serving.folder, "127.0.0.2")
        self.addCleanup(hidden.close)
        for target in (hidden.url, receiver.url.replace("https", "http")):
            receiver.script = [(307, {"Location": target})] * 3
            webhook = self.webhook(serving, receiver.url)
            self.add(serving)
            failed = wait_for(lambda: (lambda one: one if one["attempts"] else None)(self.shown(serving, webhook)), "the refusal")
            self.assertRegex(failed["lastError"], "address-not-allowed|redirect-refused")
            serving.ask("DELETE", f"/webhooks/{webhook['id']}", If_Match="*")
            receiver.script = []
        self.assertEqual(hidden.deliveries, [])
        receiver.script = [(308, {"Location": receiver.url + "/other"})]
        webhook = self.webhook(serving, receiver.url)
        record = self.add(serving)
        wait_for(lambda: record in [one for one, _ in receiver.records()], "the one that was redirected to an allowed place")

    def test_a_receiver_that_is_gone_is_switched_off_with_an_alert_and_goes_on_when_it_is_enabled(self):
        serving, receiver = self.world()
        receiver.script = [(410, {})]
        webhook = self.webhook(serving, receiver.url)
        record = self.add(serving)
        wait_for(lambda: self.shown(serving, webhook)["state"] == "disabled", "the end")
        alerts = serving.ask("GET", "/alerts").json["items"]
        self.assertIn(f"webhook-disabled-{webhook['id']}", [one["code"] for one in alerts])
        self.add(serving)
        etag = serving.ask("GET", f"/webhooks/{webhook['id']}").header["ETag"]
        enabled = serving.ask("PATCH", f"/webhooks/{webhook['id']}", {"enabled": True}, If_Match=etag)
        self.assertEqual(enabled.json["state"], "working")
        wait_for(lambda: record in [one for one, _ in receiver.records()], "what was missed")
        self.assertNotIn(f"webhook-disabled-{webhook['id']}", [one["code"] for one in serving.ask("GET", "/alerts").json["items"]])
        self.assertEqual(serving.ask("DELETE", f"/webhooks/{webhook['id']}", If_Match="*").status, 204)
        self.assertEqual(serving.ask("GET", f"/webhooks/{webhook['id']}").status, 404)

    def test_two_who_change_one_do_not_undo_each_other(self):
        serving, receiver = self.world()
        webhook = self.webhook(serving, receiver.url)
        path = f"/webhooks/{webhook['id']}"
        before = serving.ask("GET", path).header["ETag"]
        self.add(serving)
        wait_for(lambda: receiver.records(), "a delivery")
        self.assertEqual(serving.ask("GET", path).header["ETag"], before, "deliveries change no settings")
        changed = serving.ask("PATCH", path, {"kinds": ["task"]}, If_Match=before)
        self.assertEqual((changed.status, changed.json["kinds"]), (200, ["task"]), changed)
        after = serving.ask("GET", path).header["ETag"]
        self.assertEqual(changed.header["ETag"], after)
        self.assertNotEqual(after, before)
        for method, body in (("PATCH", {"enabled": False}), ("DELETE", None)):
            stale = serving.ask(method, path, body, If_Match=before)
            self.assertEqual((stale.status, stale.json["code"]), (412, "precondition-failed"), stale)
            unmatched = serving.ask(method, path, body)
            self.assertEqual((unmatched.status, unmatched.json["code"]), (428, "precondition-required"), unmatched)
        shown = self.shown(serving, webhook)
        self.assertEqual((shown["enabled"], shown["kinds"]), (True, ["task"]))
        self.assertEqual(serving.ask("DELETE", path, If_Match=after).status, 204)


if __name__ == "__main__":
    unittest.main()
