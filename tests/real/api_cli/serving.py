# SPDX-License-Identifier: GPL-3.0-or-later
"""An organisation, `syncline serve` over it, and a client of its API, for the tests of this folder."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

try:
    import jsonschema
except ImportError:
    jsonschema = None

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"
DOCUMENT = json.loads((SOURCE / "docs/openapi.json").read_text("utf-8"))
ROLES = ["system-administrator", "approver", "mailbox-owner", "read-only", "application"]
METHODS = ("get", "post", "put", "patch", "delete")

CONFIG = """
[organisation]
name = "Contoso"
{more}
[[profile]]
name = "Basement"
type = "exchange_hybrid"
in_host = "https://mail.contoso.example/EWS/Exchange.asmx"
out_host = "https://mail.contoso.example/EWS/Exchange.asmx"
autodiscover = false
user_name = "service@contoso.example"
"""
MAILBOX = """
[[mailbox]]
address = "{address}"
profile = "Basement"
exchange_version = "2019"
"""


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.02)


def operations():
    """(method, path, operation) of the document."""
    return [(method.upper(), path, operation) for path, methods in DOCUMENT["paths"].items()
            for method, operation in methods.items() if method in METHODS]


def resolved(value):
    while isinstance(value, dict) and "$ref" in value:
        target = DOCUMENT
        for part in value["$ref"][2:].split("/"):
            target = target[part]
        value = target
    return value


def validate(schema, value):
    if jsonschema:
        jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def make_certificate(folder, name, *hosts):
    """A certificate authority's file that is also the server's: self-signed."""
    names = ",".join(f"IP:{host}" if host[0].isdigit() else f"DNS:{host}" for host in hosts)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return folder / f"{name}.pem", folder / f"{name}.key"


class Answer:
    def __init__(self, status, header, body):
        self.status, self.header, self.body = status, header, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


class Serving:
    """A daemon of its own; `close` ends it."""

    def __init__(self, *arguments, mailboxes=("ana@contoso.example", "bob@contoso.example"), more="allow_insecure_creds = 1"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-api-"))
        self.org = self.folder / "contoso"
        self.arguments = arguments
        self.process = None
        self.tokens = {}
        self.env = {**os.environ, "LC_ALL": "C"}
        for name in ("CREDENTIALS_DIRECTORY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "NOTIFY_SOCKET"):
            self.env.pop(name, None)
        try:
            self.run("init", "--name", "Contoso")
            config = self.folder / "contoso.toml"
            config.write_text(CONFIG.format(more=more) + "".join(MAILBOX.format(address=one) for one in mailboxes))
            self.run("apply", config)
            for role in ROLES:
                owner = ["--owner", "ana@contoso.example"] if role == "mailbox-owner" else []
                made = self.run("token", "create", "--name", f"test {role}", "--role", role, *owner, "--format", "json")
                self.tokens[role] = json.loads(made)["token"]
            self.start()
        except BaseException:
            self.close()
            raise

    def command(self, *arguments):
        return [str(PROGRAM), "--org", str(self.org), "--key", str(self.folder / "key"), *map(str, arguments)]

    def run(self, *arguments, text=None):
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True, encoding="utf-8", env=self.env,
                              check=False, timeout=120)
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def start(self):
        out = self.folder / "serve.out"
        with open(out, "wb") as stdout, open(self.folder / "serve.log", "ab") as log:
            self.process = subprocess.Popen(self.command("serve", "--port", "0", *self.arguments), stdin=subprocess.DEVNULL,
                                            stdout=stdout, stderr=log, env=self.env)

        def ready():
            assert self.process.poll() is None, self.log()
            return out.read_text().endswith("\n")
        wait_for(ready, "the daemon")
        self.url = json.loads(out.read_text().splitlines()[0])["http"]
        scheme, self.address = self.url.split("://")
        self.is_tls = scheme == "https"

    def log(self):
        return (self.folder / "serve.log").read_text()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, timeout=60):
        host, port = self.address.rsplit(":", 1)
        if self.is_tls:
            context = ssl.create_default_context(cafile=self.ca_file)
            return http.client.HTTPSConnection(host, int(port), timeout=timeout, context=context)
        return http.client.HTTPConnection(host, int(port), timeout=timeout)

    def ask(self, method, path, body=None, role="system-administrator", token=None, connection=None, binary=False, **header):
        """One request. `header`: If_Match="…". A body that is no text is sent as JSON."""
        fields = {name.replace("_", "-"): value for name, value in header.items()}
        token = token or self.tokens.get(role)
        if token:
            fields.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        own = connection or self.connect()
        try:
            own.request(method, ("" if path.startswith("/healthz") else "/api/v1") + path,
                        body.encode() if isinstance(body, str) else body, fields)
            answer = own.getresponse()
            return Answer(answer.status, answer.headers, answer.read() if binary else answer.read().decode())
        finally:
            if connection is None:
                own.close()
