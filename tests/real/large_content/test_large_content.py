#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""R-23: a large attachment flows from the server to the store and from the store to the server, and the
program's memory does not grow with it. 40 MB; with SYNCLINE_FULL=1 150 MB, which come, are refused on the way out before a
request is begun, and go when the profile says that the server takes them.

The peak of a run with the large one is compared with that of the same run with a small one.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests/real/sync_cli"))
import exchange_world  # noqa: E402

FULL = os.environ.get("SYNCLINE_FULL") == "1"
SIZE = (150 if FULL else 40) << 20
MOST_GROWTH = 8 << 20
SERVER_LIMIT = 64 << 20  # of a request, as Exchange is installed
# A request carries base64: four octets for three.
exchange_world.SITES = exchange_world.SITES.replace(
    "[[site]]\nname = \"closed\"", f"[site.limits]\nrequest_octets = {2 * SIZE}\n[[site]]\nname = \"closed\"")
POLICY = """\
[policy.mail]
track = "all"
keep_mime = {keep_mime}
attachment_limit_octets = {limit}
message_limit_octets = {limit}
"""


def high_water_mark(pid):
    """Resident octets at most so far; 0 when the process is over."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(found[1]) * 1024 if found else 0


def octets(size):
    """Nothing that compresses, and nothing random."""
    block = b"".join(hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(32768))
    return (block * (size // len(block) + 1))[:size]


def message(recipient, number, content):
    head = (f"From: Bo <bo@partner.test>\r\nTo: {recipient}\r\nSubject: m{number}\r\nMessage-ID: <l{number}@partner.test>\r\n"
            "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\r\nbody\r\n--xx\r\n"
            "Content-Type: application/octet-stream; name=l.bin\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=l.bin\r\n\r\n").encode()
    return head + base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--xx--\r\n"


class LargeContent(exchange_world.Syncline):
    def configuration(self, *parts, policy=""):
        text = super().configuration(*parts, policy=policy)
        return text.replace('[policy.mail]\ntrack = "all"\n', POLICY.format(keep_mime=self.keep_mime, limit=2 * SIZE))

    def peak_of_sync(self, status=0):
        """Resident octets at most, and what the run said."""
        out = self.folder / "out"
        peak = 0
        with open(out, "wb") as file:
            process = subprocess.Popen(self.command("sync", "--format", "json"), stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.STDOUT, env=self.env)
            # Not from wait4: Linux counts into it what this process held when the other one was started.
            while process.poll() is None:
                peak = max(peak, high_water_mark(process.pid))
                time.sleep(0.01)
        text = out.read_text("utf-8")
        self.assertEqual(process.returncode, status, text)
        return peak, json.loads(text.splitlines()[-1])

    def fill(self, user, number, content):
        folder = self.folder / f"fill{number}"
        folder.mkdir()
        (folder / "m.eml").write_bytes(message(user, number, content))
        report = self.exchange.do("fill", user, path=str(folder))
        self.assertEqual((report["messages"], report["malformed"]), (1, []))

    def send_on(self, user, number, size, name):
        self.add({"kind": "email", "owner": user, "fields": {
            "direction": "outgoing", "statusCode": "pendingSend", "subject": f"on {number}",
            "body": {"type": "text", "value": "see"}, "toRecipients": [{"emailAddress": "out@partner.test"}],
            "attachments": [{"name": "l.bin", "contentType": "application/octet-stream", "size": size, "sha256": name}]}})

    def come_and_go(self, user, number, content):
        """The peaks of the run that reads it and of the one that sends it on."""
        self.fill(user, number, content)
        coming, line = self.peak_of_sync()
        self.assertEqual(line["kinds"]["email"]["came"], 1)
        name = hashlib.sha256(content).hexdigest()
        stored = self.org / "content" / name[:2] / name[2:]
        if self.keep_mime == "true":
            [record] = [one for one in self.records("email") if one["fields"]["subject"] == f"m{number}"]
            mime = record["fields"]["mime"]["sha256"]
            kept = (self.org / "content" / mime[:2] / mime[2:]).read_bytes()
            self.assertEqual(kept, (self.folder / f"fill{number}" / "m.eml").read_bytes())
            return coming, 0
        self.assertEqual(stored.stat().st_size, len(content))
        self.send_on(user, number, len(content), name)
        if len(content) * 4 // 3 > SERVER_LIMIT:
            # Not a request was begun that the server could not take.
            requests = self.exchange.mark()
            going, line = self.peak_of_sync(status=1)
            self.assertEqual(line["kinds"]["email"]["refused"], 1)
            self.assertNotIn("CreateAttachment", [entry["operation"] for entry in self.exchange.since(requests)])
            self.apply(self.configuration(self.profile("Basement", max_request_mib=(2 * SIZE) >> 20), self.mailbox(user)))
            self.send_on(user, number, len(content), name)
        going, line = self.peak_of_sync()
        self.assertEqual(line["kinds"]["email"]["went"], 1)
        [sent] = [one for one in self.exchange.items(user, "sentitems") if one["subject"].startswith(f"on {number}")]
        self.assertGreaterEqual(sent["size"], len(content))
        return coming, going

    def check(self, keep_mime):
        self.keep_mime = keep_mime
        user = self.exchange.user()
        self.ready(user)
        self.sync()
        small = self.come_and_go(user, 1, octets(1000))
        large = self.come_and_go(user, 2, octets(SIZE))
        grown = [after - before for after, before in zip(large, small)]
        print(f"{SIZE >> 20} MB, peaks {[n >> 20 for n in large]} MB, grown by {[round(n / 2**20, 1) for n in grown]} MB")
        for growth in grown:
            self.assertLess(growth, MOST_GROWTH)

    def test_r23_an_attachment_comes_and_goes(self):
        self.check("false")

    def test_r23_a_message_comes_whole(self):
        self.check("true")


def setUpModule():
    exchange_world.Syncline.exchange = exchange_world.Exchange()


def tearDownModule():
    exchange_world.Syncline.exchange.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
