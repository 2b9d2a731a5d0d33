#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""None of a mailbox's items is lost without a line: fills a test Exchange from a folder of sound and malformed files, synchronises, and accounts for
every item of the mailbox, as any client sees it, with records, journal and quarantine.

  test_messy_folder.py                     a small folder of its own
  SYNCLINE_MESSY_SIZE=5000 …               one with so many messages
  SYNCLINE_MESSY_FOLDER=FOLDER …           that folder
"""
import base64
import collections
import http.client
import json
import os
import pathlib
import shutil
import ssl
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as xml

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
BIN = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"])
SIZE = int(os.environ.get("SYNCLINE_MESSY_SIZE", "180"))
FOLDER = os.environ.get("SYNCLINE_MESSY_FOLDER")
SEED = os.environ.get("SYNCLINE_MESSY_SEED", "1")
ANNA = "anna@demo.example"

T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></s:Header>'
    '<s:Body>%s</s:Body></s:Envelope>')
SITES = """
strict = true
ca_file = "{folder}/ca.pem"
control_port = 0
[[site]]
name = "basement"
product = "2019"
hosts = ["mail.demo.example"]
domains = ["demo.example"]
schemes = ["basic"]
[[site.listener]]
address = "127.0.0.1"
tls = true
[[site.user]]
address = "anna@demo.example"
password = "demo"
"""
CONFIG = """
[organisation]
name = "Messy"
[policy.sync]
adopt_appointments = "all"
adopt_contacts = "all"
adopt_tasks = "all"
[policy.mail]
track = "all"
[[profile]]
name = "Basement"
type = "exchange_hybrid"
in_host = "{url}"
out_host = "{url}"
in_port = {port}
out_port = {port}
autodiscover = false
auth_in = "mailbox_credentials"
iis_auth = "basic"
ca_file = "{folder}/ca.pem"
resolve = ["mail.demo.example:{port}:127.0.0.1"]
[[mailbox]]
address = "anna@demo.example"
profile = "Basement"
exchange_version = "2019"
"""
WRITES = ["CreateItem", "UpdateItem", "DeleteItem", "SendItem", "MoveItem", "CopyItem", "CreateAttachment", "DeleteAttachment"]


class MessyFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.org = self.folder / "messy"

    def start_exchange(self):
        (self.folder / "sites.toml").write_text(SITES.format(folder=self.folder), "utf-8")
        log = open(self.folder / "exchange.log", "wb")
        self.addCleanup(log.close)
        exchange = subprocess.Popen([BIN / "exchange-sim", "--config", self.folder / "sites.toml", "--port-file", self.folder / "ready"], stdout=log,
                                    stderr=log)
        self.addCleanup(exchange.wait)
        self.addCleanup(exchange.terminate)
        while not (self.folder / "ready").exists() or not (self.folder / "ready").stat().st_size:
            self.assertIsNone(exchange.poll(), (self.folder / "exchange.log").read_text("utf-8", "replace"))
            time.sleep(.02)
        self.ready = json.loads((self.folder / "ready").read_text("utf-8"))
        self.endpoint = self.ready["endpoints"][0]
        self.exchange = exchange

    def control(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.ready["control"]["port"], timeout=250)
        connection.request(method, "/control/" + path, None if body is None else json.dumps(body),
                           {"X-Control-Token": self.ready["control"]["token"], "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertEqual(answer.status, 200, text)
        return json.loads(text)

    def run_program(self, *arguments, text=None):
        """Returns exit status, standard output, and most memory in MB."""
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            process = subprocess.Popen([BIN / "syncline", "--org", self.org, "--key", self.folder / "key", *arguments], stdin=subprocess.PIPE, stdout=out,
                                       stderr=err)
            process.stdin.write((text or "").encode())
            process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.complaints = (self.folder / "err").read_text("utf-8")
        return process.returncode, (self.folder / "out").read_text("utf-8"), usage.ru_maxrss / 1024

    def ok(self, *arguments, text=None):
        status, output, _ = self.run_program(*arguments, text=text)
        self.assertEqual(status, 0, output + self.complaints)
        return output

    def lines(self, *arguments):
        return [json.loads(line) for line in self.ok(*arguments, "--format", "json").split("\n") if line]

    def make_organisation(self):
        config = self.folder / "messy.toml"
        config.write_text(CONFIG.format(folder=self.folder, url=self.endpoint["ewsUrl"], port=self.endpoint["port"]), "utf-8")
        self.ok("init", "--name", "Messy")
        self.ok("apply", config)
        self.ok("secret", "set", "--mailbox", ANNA, "--stdin", text="demo\n")
        self.ok("mailbox", "approve", ANNA, "--reason", "test")
        self.ok("mailbox", "enable", ANNA)

    def call(self, body):
        url = urllib.parse.urlsplit(self.endpoint["ewsUrl"])
        tls = ssl.create_default_context(cafile=self.folder / "ca.pem")
        connection = http.client.HTTPSConnection(url.hostname, self.endpoint["port"], context=tls, timeout=60)
        connection.sock = tls.wrap_socket(socket.create_connection(("127.0.0.1", self.endpoint["port"])), server_hostname=url.hostname)
        connection.request("POST", url.path, (ENVELOPE % body).encode(),
                           {"Content-Type": "text/xml; charset=utf-8", "Authorization": "Basic " + base64.b64encode(f"{ANNA}:demo".encode()).decode()})
        text = connection.getresponse().read()
        connection.close()
        root = xml.fromstring(text)
        codes = [code.text for code in root.iter(M + "ResponseCode")]
        self.assertEqual(codes, ["NoError"], text[:500])
        return root

    def mailbox(self):
        """What another client finds: by id the change key, the folder and the subject."""
        found = {}
        for folder in ("inbox", "calendar", "contacts", "tasks"):
            at, total = 0, 1
            while at < total:
                root = self.call(
                    '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>'
                    '<t:FieldURI FieldURI="item:Subject"/><t:FieldURI FieldURI="item:Size"/></t:AdditionalProperties></m:ItemShape>'
                    f'<m:IndexedPageItemView MaxEntriesReturned="500" Offset="{at}" BasePoint="Beginning"/>'
                    f'<m:ParentFolderIds><t:DistinguishedFolderId Id="{folder}"/></m:ParentFolderIds></m:FindItem>')
                total = int(next(root.iter(M + "RootFolder")).get("TotalItemsInView"))
                page = list(next(root.iter(T + "Items")))
                self.assertTrue(page or at == total)
                for item in page:
                    identity = item.find(T + "ItemId")
                    found[identity.get("Id")] = (identity.get("ChangeKey"), folder, item.findtext(T + "Subject"))
                at += len(page)
        return found

    def writes(self):
        counters = self.control("GET", "counters")
        return {name: counters.get("requests." + name, 0) for name in WRITES}

    def sync(self):
        began = time.monotonic()
        status, output, memory = self.run_program("sync")
        print(f"sync: {time.monotonic() - began:.1f} s, at most {memory:.0f} MB, status {status}\n{output}{self.complaints}", flush=True)
        self.assertEqual(status, 0, output + self.complaints)

    def account(self):
        """Every item of the mailbox is a record, or has a line."""
        mailbox = self.mailbox()
        records = self.lines("record", "list")
        linked = {link["remoteId"]: record for record in records for link in record["links"]}
        journal = collections.defaultdict(list)
        for line in self.lines("journal"):
            if line["item"]:
                journal[line["item"]].append(line)
        quarantined = {line["item"]: line for line in self.lines("quarantine", "list")}
        lost = [f"{folder}: {subject}" for identity, (_, folder, subject) in mailbox.items()
                if identity not in linked and identity not in journal and identity not in quarantined]
        self.assertEqual(lost, [])
        # A record without a line that says why it is there would be as bad.
        self.assertEqual([identity for identity in linked if identity not in journal], [])
        untold = collections.Counter()
        for identity, (_, folder, subject) in mailbox.items():
            if identity in linked:
                untold[folder + " record"] += 1
            elif identity in quarantined:
                untold[f"{folder} quarantined ({quarantined[identity]['code']})"] += 1
            else:
                last = journal[identity][-1]
                untold[f"{folder} {last['event']} ({last['reason']})"] += 1
        shared = len([1 for identity in mailbox if identity in linked]) - len({linked[i]["id"] for i in mailbox if i in linked})
        print(f"mailbox {len(mailbox)}, records {len(records)}, copies of one message {shared}: {dict(untold)}", flush=True)
        # Not only something, but this item: what a list shows, a record says. Copies of one message may bear other subjects (lists add to them).
        other = [(subject, linked[identity]["fields"].get("subject")) for identity, (_, folder, subject) in mailbox.items()
                 if identity in linked and folder != "contacts" and journal[identity][-1]["reason"] != "same-message"
                 and (linked[identity]["fields"].get("subject") or "") != (subject or "")]
        self.assertEqual([tuple((text or "")[:200] for text in pair) for pair in other[:20]], [], f"{len(other)} in all")
        return mailbox, {record["id"]: record["version"] for record in records}

    def test_no_item_of_a_messy_folder_is_lost_without_a_line(self):
        folder, manifest = self.folder / "folder", None
        if FOLDER:
            folder = pathlib.Path(FOLDER)
        else:
            subprocess.run([sys.executable, SOURCE / "tests/support/make_messy_folder.py", folder, "--messages", str(SIZE), "--calendars", str(SIZE // 6),
                            "--cards", str(SIZE // 6), "--seed", SEED, "--manifest", self.folder / "manifest"], check=True)
            manifest = [json.loads(line) for line in (self.folder / "manifest").read_text("utf-8").splitlines()]
        self.start_exchange()
        filled = self.control("POST", "do", {"do": "fill", "mailbox": ANNA, "path": str(folder)})
        print({name: value for name, value in filled.items() if name != "malformed"}, "refused", len(filled["malformed"]), flush=True)
        if os.environ.get("SYNCLINE_MESSY_REPORT"):
            pathlib.Path(os.environ["SYNCLINE_MESSY_REPORT"]).write_text(json.dumps(filled, indent=1), "utf-8")
        mailbox = self.mailbox()
        by_folder = collections.Counter(folder for _, folder, _ in mailbox.values())
        self.assertEqual([by_folder["inbox"], by_folder["calendar"], by_folder["contacts"], by_folder["tasks"]],
                         [filled["messages"], filled["appointments"], filled["contacts"], filled["tasks"]])
        if manifest:
            self.check_filling(manifest, filled, mailbox)
        self.make_organisation()
        self.sync()
        first = self.account()
        before = self.writes()
        self.assertEqual(first[0], mailbox, "the first run changed the mailbox")
        for again in ("nothing has changed", "nothing has changed still", "sync states are invalid"):
            if again == "sync states are invalid":
                self.control("POST", "do", {"do": "invalidate-sync-states", "mailbox": ANNA})
            with self.subTest(again):
                self.sync()
                self.assertEqual(self.writes(), before)
                self.assertEqual(self.account(), first)
        self.assertIsNone(self.exchange.poll())
        if os.environ.get("SYNCLINE_MESSY_KEEP"):
            shutil.copytree(self.folder, os.environ["SYNCLINE_MESSY_KEEP"], dirs_exist_ok=True)

    def check_filling(self, manifest, filled, mailbox):
        """Of every file something is in the mailbox, or there is a line about it."""
        subjects = " ".join(subject or "" for _, _, subject in mailbox.values())
        silent = []
        for file in manifest:
            told = any(line.startswith(file["name"]) for line in filled["malformed"])
            marker = {"ics": "[c", "vcf": "[v"}.get(file["kind"])
            if marker and not told and f"{marker}{int(file['name'][:4])}." not in subjects:
                silent.append(file["name"])
        self.assertEqual(silent, [])
        # Mail to the message: nothing but what begins a message divides an mbox.
        told = sum(1 for line in filled["malformed"] if ".eml" in line.lower() or ".mbox" in line.lower())
        self.assertEqual(filled["messages"] + told, sum(file["messages"] for file in manifest))


if __name__ == "__main__":
    unittest.main()
