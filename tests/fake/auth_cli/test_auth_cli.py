#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline auth login|status|logout` as a person or a script uses them, beside an OAuth server and a browser."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from oauth_server import OAuthServer  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"
CLIENT_SECRET = "GOCSPX-sehr-geheim"

CONFIG = """
[organisation]
name = "Contoso"
deployment = "onprem"

[[profile]]
name = "Google"
type = "gmail"
client_id = "1234.apps.example"
token_endpoint = "{base}/token"
authorization_endpoint = "{base}/authorize"
device_endpoint = "{base}/device"
revocation_endpoint = "{base}/revoke"

[[profile]]
name = "Plain"
type = "imap_smtp"
in_host = "imap.contoso.example"
out_host = "smtp.contoso.example"

[[mailbox]]
address = "ana@gmail.com"
profile = "Google"

[[mailbox]]
address = "bob@gmail.com"
profile = "Google"

[[mailbox]]
address = "plain@contoso.example"
profile = "Plain"
"""


def follow(url):
    """What a browser does with an address: one request, the place it is sent to."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("GET", parts.path + "?" + parts.query)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


class Login:
    """A running `auth login`, and what it has said so far."""

    def __init__(self, test, *arguments):
        self.process = subprocess.Popen([*test.command(), "auth", "login", *arguments], env=test.env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        test.addCleanup(self.clean)
        self.said = b""

    def clean(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def until(self, pattern):
        end = time.monotonic() + 60
        while True:
            found = re.search(pattern, self.said.decode())
            if found:
                return found
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                raise AssertionError(f"{pattern} is not in {self.said!r}; {self.process.stderr.read()!r}")
            self.said += piece

    def url(self):
        return self.until(r"\n(http://\S+)\n").group(1)

    def end(self, text=b""):
        out, err = self.process.communicate(text, timeout=60)
        self.said += out
        return self.process.returncode, err.decode()


class Auth(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.org = self.folder / "contoso"
        self.env = {name: value for name, value in os.environ.items()
                    if "proxy" not in name.lower() and name not in ("DISPLAY", "WAYLAND_DISPLAY", "CREDENTIALS_DIRECTORY")}
        self.env["LC_ALL"] = "C"
        self.server = OAuthServer("1234.apps.example", CLIENT_SECRET)
        self.addCleanup(self.server.stop)
        self.ok("init", "--name", "Contoso")
        config = self.folder / "config.toml"
        config.write_text(CONFIG.format(base=self.server.base), "utf-8")
        self.ok("apply", config)
        self.ok("secret", "set", "--profile", "Google", "--kind", "client-secret", "--stdin", text=CLIENT_SECRET + "\n")

    def command(self):
        return [PROGRAM, "--org", self.org, "--key", self.folder / "contoso.key"]

    def run_program(self, *arguments, text=None):
        return subprocess.run([*self.command(), *map(str, arguments)], input=text, capture_output=True, encoding="utf-8",
                              env=self.env, check=False, timeout=120)

    def ok(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def status(self, *arguments, expect=0, address="ana@gmail.com"):
        result = self.run_program("auth", "status", address, "--format", "json", *arguments)
        self.assertEqual(result.returncode, expect, result.stderr)
        value = json.loads(result.stdout)
        if jsonschema:
            document = json.loads((SOURCE / "docs/schemas/auth-status.schema.json").read_text("utf-8"))
            jsonschema.Draft202012Validator(document).validate(value)
        return value

    def sign_in(self, address="ana@gmail.com"):
        login = Login(self, address)
        response, _ = follow(login.url())
        follow(response.headers["Location"])
        self.assertEqual(login.end(), (0, ""))
        return login

    def assert_sealed(self, *texts):
        for path in self.org.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for text in texts:
                    self.assertNotIn(text.encode(), content, path)


class Browser(Auth):
    def test_a_person_signs_in_and_the_token_is_sealed(self):
        self.assertEqual(self.status(expect=1)["state"], "signed-out")
        login = Login(self, "Ana@gmail.com")
        url = login.url()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        self.assertEqual(query["scope"], "https://mail.google.com/")
        self.assertEqual((query["access_type"], query["prompt"]), ("offline", "consent"))
        self.assertEqual(query["login_hint"], "ana@gmail.com")
        response, _ = follow(url)
        self.assertEqual(response.status, 302)
        landed, page = follow(response.headers["Location"])
        self.assertEqual(landed.status, 200)
        self.assertIn("signed in", page)
        self.assertNotIn(query["state"], page)
        self.assertEqual(login.end(), (0, ""))
        self.assertIn(b"Signed in ana@gmail.com.", login.said)
        self.assertEqual(self.server.refusals, [])
        [(token, user)] = self.server.refresh_tokens.items()
        self.assertEqual(user, "ana@gmail.com")
        self.assert_sealed(token, CLIENT_SECRET)
        code = next(iter(self.server.codes))
        for secret in (token, CLIENT_SECRET, code):
            self.assertNotIn(secret.encode(), login.said)
        status = self.status()
        self.assertEqual((status["state"], status["scope"]), ("signed-in", "https://mail.google.com/"))
        self.assertIsNotNone(status["since"])
        self.assertIn("signed in since", self.ok("auth", "status", "ana@gmail.com"))
        self.assertIn("auth.login", self.ok("audit"))
        self.assertEqual(self.status(expect=1, address="bob@gmail.com")["state"], "signed-out")

    def test_only_the_right_answer_to_this_sign_in_is_taken(self):
        login = Login(self, "ana@gmail.com")
        redirect = follow(login.url())[0].headers["Location"]
        port = urllib.parse.urlsplit(redirect).port
        self.assertEqual(follow(f"http://127.0.0.1:{port}/?code=stolen&state=guess")[0].status, 400)
        self.assertEqual(follow(f"http://127.0.0.1:{port}/?code=stolen")[0].status, 400)
        self.assertEqual(follow(f"http://127.0.0.1:{port}/favicon.ico?")[0].status, 404)
        path = redirect[redirect.index("/?"):]
        for request in (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n",
                        f"GET {path} HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n",
                        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: " + "x" * 70_000 + "\r\n\r\n",
                        "\x16\x03\x01 no HTTP\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
                try:
                    raw.sendall(request.encode())
                    raw.shutdown(socket.SHUT_WR)
                    reply = raw.recv(65536)
                except ConnectionError:
                    reply = b""  # hung up on
                self.assertNotIn(b" 200 ", reply[:20])
        # Browsers open a second connection and leave it idle.
        idle = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.addCleanup(idle.close)
        self.assertEqual(follow(redirect)[0].status, 200)
        self.assertEqual(login.end(), (0, ""))
        with self.assertRaises(OSError):
            follow(redirect)

    def test_a_code_that_was_issued_for_another_verifier_is_worth_nothing(self):
        login = Login(self, "ana@gmail.com")
        mine = login.url()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(mine).query))
        query["code_challenge"] = "x" * 43
        stolen = follow(self.server.base + "/authorize?" + urllib.parse.urlencode(query))[0].headers["Location"]
        follow(stolen)
        code, err = login.end()
        self.assertEqual(code, 1)
        self.assertIn("invalid_grant", err)
        self.assertEqual(self.server.refusals, ["the verifier does not match its challenge"])
        self.assertEqual(self.status(expect=1)["state"], "signed-out")

    def test_a_person_who_says_no_or_nothing(self):
        self.server.deny = True
        login = Login(self, "ana@gmail.com")
        landed = follow(follow(login.url())[0].headers["Location"])
        self.assertNotIn("You are signed in", landed[1])
        code, err = login.end()
        self.assertEqual(code, 1)
        self.assertIn("The user said no", err)
        late = self.run_program("auth", "login", "ana@gmail.com", "--timeout", "1")
        self.assertEqual(late.returncode, 1)
        self.assertIn("sign-in-timeout", late.stderr)

    def test_a_permission_that_was_ticked_off(self):
        self.server.grants_scope = "openid"
        login = Login(self, "ana@gmail.com")
        follow(follow(login.url())[0].headers["Location"])
        code, err = login.end()
        self.assertEqual(code, 1)
        self.assertIn("https://mail.google.com/", err)
        self.assertEqual(self.status(expect=1)["state"], "signed-out")

    def test_interrupting_leaves_nothing(self):
        login = Login(self, "ana@gmail.com")
        login.url()
        login.process.send_signal(signal.SIGINT)
        self.assertEqual(login.end()[0], 130)
        self.assertEqual(self.status(expect=1)["state"], "signed-out")

    def test_a_sign_in_that_ends_after_a_week_is_said_at_once(self):
        self.server.refresh_lifetime = 604_799
        login = self.sign_in()
        self.assertIn(b"Testing", login.said)
        self.assertIsNotNone(self.status()["ends"])


class Elsewhere(Auth):
    def test_the_address_can_be_pasted(self):
        login = Login(self, "ana@gmail.com", "--paste")
        redirect = follow(login.url())[0].headers["Location"]
        with self.assertRaises(OSError):
            follow(redirect)
        self.assertEqual(login.end(redirect.encode() + b"\n"), (0, ""))
        self.assertEqual(self.status()["state"], "signed-in")

    def test_the_wrong_address_is_refused(self):
        for wrong in ("http://127.0.0.1:1/?code=x&state=y", "hello", ""):
            with self.subTest(wrong):
                login = Login(self, "ana@gmail.com", "--paste")
                login.url()
                code, err = login.end(wrong.encode() + b"\n")
                self.assertIn(code, (1, 2))
                self.assertNotEqual(err, "")
        self.assertEqual(self.server.requests, [])

    def test_a_code_is_entered_on_another_device(self):
        self.server.device_answers = ["authorization_pending"]
        login = Login(self, "ana@gmail.com", "--device")
        login.until("WDJB-MJHT")
        self.assertIn(self.server.base + "/activate", login.said.decode())
        self.assertEqual(login.end(), (0, ""))
        self.assertEqual(self.server.refusals, ["authorization_pending"])
        self.assertEqual(self.server.count("urn:ietf:params:oauth:grant-type:device_code"), 2)
        self.assertEqual(self.status()["state"], "signed-in")

    def test_a_device_that_is_declined(self):
        self.server.device_answers = ["access_denied"]
        result = self.run_program("auth", "login", "ana@gmail.com", "--device")
        self.assertEqual(result.returncode, 1)
        self.assertIn("declined", result.stderr)


class Later(Auth):
    def test_a_revoked_sign_in_is_asked_about_once(self):
        self.sign_in()
        self.assertEqual(self.status("--ask-server")["state"], "signed-in")
        self.server.refresh_tokens.clear()
        status = self.status("--ask-server", expect=1)
        self.assertEqual(status["state"], "needs-sign-in")
        self.assertIn("expired or revoked", status["reason"])
        asked = self.server.count("refresh_token")
        self.assertEqual(self.status("--ask-server", expect=1)["state"], "needs-sign-in")
        self.assertEqual(self.server.count("refresh_token"), asked)
        self.sign_in()
        self.assertEqual(self.status("--ask-server")["state"], "signed-in")

    def test_a_rotated_token_is_kept(self):
        self.server.rotate = True
        self.sign_in()
        for _ in range(3):
            self.assertEqual(self.status("--ask-server")["state"], "signed-in")
        self.assertEqual(self.server.count("refresh_token"), 3)
        self.assertEqual(self.server.refusals, [])
        self.assert_sealed(*self.server.refresh_tokens)

    def test_signing_out_tells_the_server(self):
        self.sign_in()
        [token] = self.server.refresh_tokens
        self.assertIn("Signed out", self.ok("auth", "logout", "ana@gmail.com"))
        self.assertEqual(self.server.revoked, [token])
        self.assertEqual(self.status(expect=1)["state"], "signed-out")
        self.assertIn("not signed in", self.ok("auth", "logout", "ana@gmail.com"))
        self.assertIn("auth.logout", self.ok("audit"))

    def test_signing_out_here_alone_or_without_the_server(self):
        self.sign_in()
        self.ok("auth", "logout", "ana@gmail.com", "--local")
        self.assertEqual(self.server.revoked, [])
        self.sign_in()
        self.server.stop()
        result = self.run_program("auth", "logout", "ana@gmail.com")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("still honours", result.stderr)
        self.assertEqual(self.status(expect=1)["state"], "signed-out")

    def test_a_damaged_sign_in_is_forgotten_and_said_to_be_known_to_the_server_still(self):
        self.sign_in()
        with contextlib.closing(sqlite3.connect(self.org / "syncline.db")) as database, database:
            database.execute("UPDATE sealed SET octets = x'00' WHERE name = 'secret/mailbox/ana@gmail.com/token'")
        result = self.run_program("auth", "logout", "ana@gmail.com")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("the sign-in of mailbox ana@gmail.com in the vault cannot be opened", result.stderr)
        self.assertIn("end it at the provider", result.stderr)
        self.assertIn("Signed out", result.stdout)
        self.assertEqual(self.server.revoked, [])
        self.assertIn("auth.logout", self.ok("audit"))
        self.assertEqual(self.status(expect=1)["state"], "signed-out")

    def test_what_cannot_be(self):
        nobody = self.run_program("auth", "login", "nobody@gmail.com")
        self.assertEqual(nobody.returncode, 2)
        self.assertIn("no mailbox", nobody.stderr)
        plain = self.run_program("auth", "login", "plain@contoso.example")
        self.assertEqual(plain.returncode, 2)
        self.assertIn("client_id", plain.stderr)
        self.assertEqual(self.run_program("auth", "login").returncode, 2)
        self.assertEqual(self.run_program("auth", "login", "ana@gmail.com", "--paste", "--device").returncode, 2)
        (self.folder / "contoso.key").rename(self.folder / "gone.key")
        self.assertEqual(self.run_program("auth", "login", "ana@gmail.com").returncode, 4)
        self.assertEqual(self.server.requests, [])

    def test_an_unreachable_server(self):
        login = Login(self, "ana@gmail.com", "--paste")
        redirect = follow(login.url())[0].headers["Location"]
        self.server.stop()
        self.assertEqual(login.end(redirect.encode() + b"\n")[0], 3)

    def test_without_the_fips_module_nobody_is_asked(self):
        self.env["OPENSSL_MODULES"] = str(self.folder)
        config = self.folder / "fips.toml"
        config.write_text(CONFIG.format(base=self.server.base).replace('"onprem"', '"onprem"\nfips = true'), "utf-8")
        self.assertIn(self.run_program("apply", config).returncode, (0, 1))
        login = self.run_program("auth", "login", "ana@gmail.com", "--device")
        self.assertEqual(login.returncode, 4, login.stderr)
        self.assertIn("fips-not-available", login.stderr)
        self.assertEqual(self.server.requests, [])

    def test_help(self):
        for command in ("login", "status", "logout"):
            self.assertIn("--help", self.ok("auth", command, "--help"))


class ServiceAccount(Auth):
    def setUp(self):
        super().setUp()
        key = self.folder / "robot.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key],
                       check=True, capture_output=True)
        self.server.service_account_key = str(self.folder / "robot.pub")
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", self.server.service_account_key], check=True)
        self.private_key = key.read_text()
        account = {"type": "service_account", "private_key_id": "k1", "private_key": self.private_key,
                   "client_email": "robot@project.iam.example", "token_uri": self.server.base + "/token"}
        self.ok("secret", "set", "--profile", "Google", "--kind", "service-account", "--stdin",
                text=json.dumps(account, indent=2) + "\n")

    def test_acts_for_its_users_and_for_no_others(self):
        self.server.service_account_users = ("ana@gmail.com",)
        self.assertEqual(self.status("--ask-server")["state"], "service-account")
        result = self.run_program("auth", "status", "bob@gmail.com", "--ask-server")
        self.assertEqual(result.returncode, 1)
        self.assertIn("domain-wide delegation", result.stderr)
        login = self.run_program("auth", "login", "ana@gmail.com")
        self.assertEqual(login.returncode, 2)
        self.assertIn("service account", login.stderr)
        self.assert_sealed(self.private_key.splitlines()[1])


if __name__ == "__main__":
    if jsonschema is None:
        print("python3-jsonschema is missing: output is not validated against docs/schemas", file=sys.stderr)
    unittest.main()
