#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline discover` from the outside: real TLS servers on loopback addresses, exit statuses, the schema of its JSON,
the width of its text, and that no secret shows anywhere. Skipped where nobody may listen on port 443."""
import base64
import http.server
import json
import os
import random
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

import jsonschema

BIN = os.path.join(os.environ["SYNCLINE_BIN_DIR"], "syncline")
SCHEMA = json.load(open(os.path.join(os.environ["SYNCLINE_SOURCE_DIR"], "docs/schemas/discover.schema.json")))
# Names below localhost are never asked of DNS.
DOMAIN = "sales.localhost"
PASSWORD = "correct horse"

SOAP = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><h:ServerVersionInfo
xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover"><h:MajorVersion>15</h:MajorVersion><h:MinorVersion>2
</h:MinorVersion><h:MajorBuildNumber>1118</h:MajorBuildNumber><h:MinorBuildNumber>7</h:MinorBuildNumber>
</h:ServerVersionInfo></s:Header><s:Body><GetUserSettingsResponseMessage
xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response><ErrorCode>NoError</ErrorCode><UserResponses>
<UserResponse><ErrorCode>NoError</ErrorCode><UserSettings><UserSetting><Name>ExternalEwsUrl</Name>
<Value>https://mail.sales.localhost/EWS/Exchange.asmx</Value></UserSetting><UserSetting><Name>UserDisplayName</Name>
<Value>Anna \u202e\u009b31m</Value></UserSetting></UserSettings></UserResponse></UserResponses></Response>
</GetUserSettingsResponseMessage></s:Body></s:Envelope>"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        length = int(self.headers.get("Content-Length", "0"))
        self.rfile.read(length)
        given = self.headers.get("Authorization", "")
        self.server.seen.append((self.command, self.path, given))
        mode = self.server.mode
        if mode == "json" and self.path.startswith("/autodiscover/autodiscover.json/v1.0/"):
            return self.reply(200, b'{"Protocol":"EWS","Url":"https://mail.sales.localhost/EWS/Exchange.asmx"}')
        if mode == "html":
            return self.reply(200, b"<!DOCTYPE html><html>Sign in \x1b[31m</html>")
        if mode == "stranger":
            return self.reply(302, headers=[("Location", "https://evil.localhost/autodiscover/autodiscover.xml")])
        if mode == "soap" and self.path == "/autodiscover/autodiscover.svc":
            good = "Basic " + base64.b64encode(f"anna@{DOMAIN}:{PASSWORD}".encode()).decode()
            if given in (good, "Bearer token-1234"):
                return self.reply(200, SOAP.encode(), [("Content-Type", "text/xml")])
            return self.reply(401, headers=[("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", "Bearer")])
        return self.reply(404, b"no")

    do_GET = do_POST = lambda self: self.handle_one()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


class Discover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = cls.folder.name
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{path}/key.pem", "-out",
             f"{path}/cert.pem", "-days", "2", "-subj", "/CN=test", "-addext",
             f"subjectAltName=DNS:{DOMAIN},DNS:*.{DOMAIN}"], check=True, capture_output=True)
        cls.ca = f"{path}/cert.pem"
        # An address of our own on the loopback network, so that tests may run side by side.
        for _ in range(50):
            cls.address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}"
            try:
                cls.server = Server((cls.address, 443), Handler)
                break
            except PermissionError:
                print("SKIPPED: nobody may listen on port 443 here")
                sys.exit(77)
            except OSError:
                continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.ca, f"{path}/key.pem")
        cls.server.socket = context.wrap_socket(cls.server.socket, server_side=True)
        cls.server.seen = []
        cls.server.mode = "none"
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.folder.cleanup()

    def run_discover(self, mode, *arguments, stdin="", ca=True, pinned=True, as_json=True):
        self.server.mode = mode
        self.server.seen.clear()
        command = [BIN, "discover", f"anna@{DOMAIN}", *arguments]
        if ca:
            command += ["--ca", self.ca]
        for host in (DOMAIN, "autodiscover." + DOMAIN, "mail." + DOMAIN):
            command += ["--resolve", f"{host}:443:{self.address if pinned else '127.255.255.254'}"]
        if as_json:
            command += ["--format", "json"]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
        for secret in (PASSWORD, "token-1234", "wrong donkey"):
            self.assertNotIn(secret, done.stdout + done.stderr)
        if as_json and done.returncode in (0, 1, 3):
            result = json.loads(done.stdout)
            jsonschema.validate(result, SCHEMA)
            return done, result
        return done, None

    def test_with_a_password_finds_the_endpoint(self):
        done, result = self.run_discover("soap", "--password-stdin", stdin=PASSWORD + "\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(result["facts"]["ewsEndpoint"], "https://mail.sales.localhost/EWS/Exchange.asmx")
        self.assertEqual(result["facts"]["serverType"], "Exchange Server 2019")
        self.assertTrue(result["facts"]["confirmed"])
        self.assertIsNone(result["error"])

    def test_with_a_token_finds_the_endpoint(self):
        done, result = self.run_discover("soap", "--bearer-stdin", stdin="token-1234\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(result["facts"]["confirmed"])

    def test_a_wrong_password_is_refused(self):
        done, result = self.run_discover("soap", "--password-stdin", stdin="wrong donkey\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(result["error"]["code"], "credentials-refused")

    def test_without_credentials_takes_v2s_word(self):
        done, result = self.run_discover("json")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertFalse(result["facts"]["confirmed"])
        self.assertEqual(result["facts"]["foundBy"], "json")

    def test_without_credentials_says_who_asks_for_them(self):
        done, result = self.run_discover("soap")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(result["error"]["code"], "needs-credentials")
        self.assertTrue(any(step["outcome"] == "needs-credentials" and step["status"] == 401 for step in result["trail"]))

    def test_a_certificate_nobody_vouches_for_gets_no_password(self):
        done, result = self.run_discover("soap", "--password-stdin", stdin=PASSWORD + "\n", ca=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(result["error"]["code"], "certificate")
        self.assertEqual(self.server.seen, [])

    def test_a_stranger_is_not_followed(self):
        done, result = self.run_discover("stranger", "--password-stdin", stdin=PASSWORD + "\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(result["error"]["code"], "redirect-refused")
        self.assertTrue(all(given == "" for _, _, given in self.server.seen))

    def test_nobody_there_is_status_3(self):
        done, result = self.run_discover("none", pinned=False)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertEqual(result["error"]["code"], "unreachable")

    def test_bad_input_is_status_2(self):
        for arguments in (["nonsense"], [f"a@{DOMAIN}", "--resolve", "x"], [f"a@{DOMAIN}", "--ca", "/nonexistent"],
                          [f"a@{DOMAIN}", "--format", "xml"], [f"a@{DOMAIN}", "--password-stdin"],
                          [f"a@{DOMAIN}", "--password-stdin", "--bearer-stdin"], []):
            done = subprocess.run([BIN, "discover", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stdout, b"", arguments)

    def test_text_fits_80_columns_and_shows_no_controls(self):
        for mode in ("soap", "html", "stranger", "none"):
            done, _ = self.run_discover(mode, "--password-stdin", stdin=PASSWORD + "\n", as_json=False)
            self.assertIn("v2 JSON", done.stdout)
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)
            for character in done.stdout.replace("\n", ""):
                self.assertTrue(character.isprintable(), repr(character))


if __name__ == "__main__":
    unittest.main()
