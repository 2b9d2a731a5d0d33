# SPDX-License-Identifier: GPL-3.0-or-later
"""A test Exchange in a process of its own, and an organisation beside it, as a user would set them up."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.request

try:
    import jsonschema
except ImportError:
    jsonschema = None

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAMS = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"])

PASSWORD = "Kq7-vertraulich-93x"
CLIENT_SECRET = "c1i3nt-geheim-Zz81"
USERS = 60
OPERATIONS_THAT_WRITE = {"CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "SendItem", "CreateFolder",
                         "UpdateFolder", "DeleteFolder", "CreateAttachment", "DeleteAttachment", "CopyItem",
                         "MarkAllItemsAsRead", "EmptyFolder", "MoveFolder"}

SITES = """
ca_file = "{folder}/ca.pem"
control_port = 0
{more}
[[site]]
name = "onprem"
product = "2019"
hosts = ["mail.example.test", "autodiscover.example.test"]
schemes = ["basic"]
[[site.listener]]
tls = true
{users}
[[site]]
name = "closed"
product = "2019"
hosts = ["closed.example.test"]
schemes = ["basic"]
[[site.listener]]
tls = true
[[site.user]]
address = "c1@closed.test"
password = "{password}"
[[site]]
name = "cloud"
product = "online"
hosts = ["outlook.cloud.test"]
schemes = ["bearer"]
[[site.listener]]
tls = true
{cloud_users}
[site.oauth]
tenant = "tenant-1"
[[site.oauth.application]]
client_id = "app-1"
secret = "{secret}"
"""


def validate(schema, lines):
    values = [json.loads(line) for line in lines.splitlines()]
    if jsonschema:
        document = json.loads((SOURCE / "docs/schemas" / f"{schema}.schema.json").read_text("utf-8"))
        validator = jsonschema.Draft202012Validator(document)
        for value in values:
            validator.validate(value)
    return values


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.01)


class Exchange:
    """One process for all tests; each test has users of its own. `more`: of its configuration."""

    def __init__(self, more=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-sync-cli-"))
        self.folder.chmod(0o755)  # others than root read the certificate, too

        def user(address):
            return f'[[site.user]]\naddress = "{address}"\npassword = "{PASSWORD}"'

        (self.folder / "sites.toml").write_text(SITES.format(
            folder=self.folder, more=more, password=PASSWORD, secret=CLIENT_SECRET,
            users="\n".join(user(f"u{i}@example.test") for i in range(USERS)),
            cloud_users="\n".join(user(f"o{i}@cloud.test") for i in range(8))))
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "exchange-sim", "--config", self.folder / "sites.toml", "--port-file",
                 self.folder / "ready"], stdout=log, stderr=log)
        try:
            wait_for(self.is_ready, "the test Exchange")
        except AssertionError:
            self.close()
            raise
        ready = json.loads((self.folder / "ready").read_text())
        self.endpoints = {one["site"]: one for one in ready["endpoints"]}
        self.control = ready["control"]
        self.smtp_port = ready.get("smtpPort", 0)
        self.next_user = 0
        self.next_cloud_user = 0

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text())
        ready = self.folder / "ready"
        return ready.exists() and ready.read_text().endswith("\n")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    @property
    def ca_file(self):
        return self.folder / "ca.pem"

    def user(self):
        self.next_user += 1
        return f"u{self.next_user - 1}@example.test"

    def cloud_user(self):
        self.next_cloud_user += 1
        return f"o{self.next_cloud_user - 1}@cloud.test"

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.control['port']}/control/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Control-Token": self.control["token"], "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def do(self, what, mailbox, **members):
        return json.loads(self.ask("POST", "do", {"do": what, "mailbox": mailbox, **members}))

    def fault(self, **rule):
        return json.loads(self.ask("POST", "faults", rule))["ids"][0]

    def end_fault(self, rule):
        self.ask("DELETE", f"faults/{rule}")

    def fired(self, rule):
        return any(one["fired"] for one in json.loads(self.ask("GET", "faults")) if one["id"] == rule)

    def log(self):
        return [json.loads(line) for line in self.ask("GET", "log").splitlines()]

    def mark(self):
        """Requests after this moment: `since`."""
        return max((entry["n"] for entry in self.log()), default=0)

    def since(self, mark):
        return [entry for entry in self.log() if entry["n"] > mark]

    def items(self, mailbox, folder):
        return self.do("list", mailbox, folder=folder)

    def add_contact(self, mailbox, given, surname, extra=""):
        return self.do("add-item", mailbox, folder="contacts", xml=(
            f"<t:Contact><t:DisplayName>{given} {surname}</t:DisplayName><t:GivenName>{given}</t:GivenName>{extra}"
            f"<t:Surname>{surname}</t:Surname></t:Contact>"))["id"]

    def deliver(self, mailbox, subject, sender="bo@partner.test", body="Hello"):
        self.deliver.__func__.count = getattr(self.deliver.__func__, "count", 0) + 1
        return self.do("deliver", mailbox, mime=(
            f"From: Bo <{sender}>\r\nTo: {mailbox}\r\nSubject: {subject}\r\n"
            f"Message-ID: <m{self.deliver.__func__.count}@partner.test>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"))


class Syncline(unittest.TestCase):
    """An organisation of its own for each test."""
    exchange = None  # set by the module
    name = "Contoso"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.org = self.folder / "contoso"
        self.key = self.folder / "contoso.key"
        self.scratch = self.folder / "tmp"
        self.scratch.mkdir()
        self.env = {**os.environ, "LC_ALL": "C", "TMPDIR": str(self.scratch)}
        for name in ("CREDENTIALS_DIRECTORY", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy",
                     "ALL_PROXY"):
            self.env.pop(name, None)
        self.outputs = []
        self.addCleanup(self.look_for_secrets)

    # -- running --------------------------------------------------------------------------------------------------
    def command(self, *arguments, org=None):
        return [str(PROGRAMS / "syncline"), "--org", str(org or self.org), "--key", str(self.key),
                *map(str, arguments)]

    def run_program(self, *arguments, text=None, org=None, **options):
        environment = {**self.env, **options.pop("env", {})}
        result = subprocess.run(self.command(*arguments, org=org), input=text, capture_output=True, encoding="utf-8",
                                env=environment, check=False, timeout=120, **options)
        self.outputs.append(result.stdout + result.stderr)
        return result

    def ok(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def start(self, *arguments, **options):
        process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, encoding="utf-8", env=self.env, **options)

        def end():
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        self.addCleanup(end)
        return process

    def sync(self, *arguments, status=0, **options):
        """The lines of a run, by mailbox."""
        result = self.run_program("sync", "--format", "json", *arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (status, ""), result.stdout)
        return {line["mailbox"]: line for line in validate("sync", result.stdout)}

    # -- setting up -----------------------------------------------------------------------------------------------
    def profile(self, name, site="onprem", **members):
        endpoint = self.exchange.endpoints[site]
        url = endpoint["ewsUrl"]
        host = url.split("/")[2].split(":")[0]
        values = {"name": name, "type": "exchange_hybrid", "in_host": url, "out_host": url, "in_port": endpoint["port"],
                  "out_port": endpoint["port"], "autodiscover": False, "auth_in": "mailbox_credentials",
                  "iis_auth": "basic", "ca_file": str(self.exchange.ca_file),
                  "resolve": [f"{host}:{endpoint['port']}:127.0.0.1"]}
        if site == "cloud":
            for key in ("auth_in", "iis_auth", "autodiscover"):
                del values[key]
            values.update(type="exchange_online", tenant_id="tenant-1", client_id="app-1",
                          token_endpoint=endpoint["tokenUrl"])
        values.update(members)
        return "[[profile]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()
                                         if value is not None)

    def configuration(self, *parts, policy=""):
        return (f'[organisation]\nname = "{self.name}"\n[policy.sync]\nadopt_appointments = "all"\n'
                'adopt_contacts = "all"\nadopt_tasks = "all"\nsend_appointments = ["owner"]\nsend_contacts = ["owner"]\n'
                f'send_tasks = ["owner"]\nserver_time_limit_seconds = 2\n{policy}\n[policy.mail]\ntrack = "all"\n' +
                "\n".join(parts))

    @staticmethod
    def mailbox(address, profile="Basement", extra='exchange_version = "2019"\n'):
        return f'[[mailbox]]\naddress = "{address}"\nprofile = "{profile}"\n{extra}'

    def apply(self, text):
        path = self.folder / "config.toml"
        path.write_text(text)
        return self.ok("apply", path)

    def let_in(self, *addresses, password=PASSWORD):
        for address in addresses:
            self.ok("secret", "set", "--mailbox", address, "--stdin", text=password + "\n")
        self.ok("mailbox", "approve", *addresses)
        self.ok("mailbox", "enable", *addresses)

    def ready(self, *addresses, policy="", password=PASSWORD, **profile):
        self.ok("init", "--name", self.name)
        self.apply(self.configuration(self.profile("Basement", **profile), *map(self.mailbox, addresses),
                                      policy=policy))
        self.let_in(*addresses, password=password)

    # -- looking --------------------------------------------------------------------------------------------------
    def records(self, kind=None):
        arguments = ["--kind", kind] if kind else []
        return validate("record", self.ok("record", "list", *arguments, "--format", "json"))

    def journal(self, *arguments):
        return validate("journal", self.ok("journal", "--format", "json", *arguments))

    def status(self):
        [line] = validate("status", self.ok("status", "--format", "json"))
        return line

    def add(self, *records):
        self.ok("record", "add", text="".join(json.dumps(record) + "\n" for record in records))

    def sql(self, statement, *values):
        with sqlite3.connect(self.org / "syncline.db") as database:
            return database.execute(statement, values).fetchall()

    def dump(self):
        """The whole database as text."""
        with sqlite3.connect(f"file:{self.org / 'syncline.db'}?mode=ro", uri=True) as database:
            return "\n".join(database.iterdump())

    def look_for_secrets(self):
        """Every test ends here: no output, no file of the organisation holds a secret."""
        for secret in (PASSWORD, CLIENT_SECRET):
            for output in self.outputs:
                self.assertNotIn(secret, output)
            for file in [*self.org.rglob("*"), *self.scratch.rglob("*")]:
                if file.is_file():
                    self.assertNotIn(secret.encode(), file.read_bytes(), file)
