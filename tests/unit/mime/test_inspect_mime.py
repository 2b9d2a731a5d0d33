# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline inspect mime`: one JSON line a file, as the schema says, and the same as another reader gives."""
import base64
import email
import email.policy
import hashlib
import json
import os
import subprocess
import tempfile
import unittest
from email.message import EmailMessage
from pathlib import Path

SOURCE = Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAM = Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"
SCHEMA = json.loads((SOURCE / "docs" / "schemas" / "inspect-mime.schema.json").read_text())


def valid(line):
    try:
        import jsonschema
    except ImportError:
        return
    jsonschema.validate(line, SCHEMA)


class InspectMime(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, octets):
        path = Path(self.folder.name) / name
        path.write_bytes(octets)
        return str(path)

    def inspect(self, *files, status=0):
        done = subprocess.run([str(PROGRAM), "inspect", "mime", *files], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["file"] for line in lines], list(files))
        for line in lines:
            valid(line)
        return lines

    def test_message_as_pythons_library_writes_it(self):
        message = EmailMessage()
        message["From"] = "Jörg Müller <joerg@example.com>"
        message["To"] = 'Bob <bob@example.net>, "Doe, Jane" <jane@example.net>'
        message["Subject"] = "Grüße aus dem Süden, mit einem Betreff, der länger ist als eine Zeile je sein kann"
        message["Date"] = "Sun, 22 Nov 2026 10:30:15 +0100"
        message["Message-ID"] = "<1@example.com>"
        message["References"] = "<a@x> <b@x>"
        message.set_content("Schöner Text\n")
        message.add_alternative("<p>Schöner Text <img src='cid:pic'></p>\n", subtype="html")
        message.get_payload()[1].add_related(b"\x00\x01\x02", "image", "png", cid="<pic>")
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Körper.pdf")
        inner = EmailMessage()
        inner["Subject"] = "inside"
        inner.set_content("x\n")
        message.add_attachment(inner)
        octets = message.as_bytes(policy=email.policy.SMTP)
        (line,) = self.inspect(self.write("message.eml", octets))
        self.assertEqual(line["subject"], str(message["Subject"]))
        self.assertEqual(line["from"], [{"name": "Jörg Müller", "address": "joerg@example.com"}])
        self.assertEqual(line["to"], [{"name": "Bob", "address": "bob@example.net"},
                                      {"name": "Doe, Jane", "address": "jane@example.net"}])
        self.assertIsNone(line["cc"])
        self.assertEqual(line["date"], "2026-11-22T10:30:15+01:00")
        self.assertEqual(line["messageId"], "<1@example.com>")
        self.assertEqual(line["references"], "<a@x> <b@x>")
        self.assertEqual(line["text"], "Schöner Text\n")
        self.assertEqual(line["html"], "<p>Schöner Text <img src='cid:pic'></p>\n")
        self.assertEqual(line["defects"], [])
        picture, pdf, attached = line["attachments"]
        self.assertEqual((picture["contentId"], picture["isInline"], picture["size"]), ("pic", True, 3))
        self.assertEqual(picture["sha256"], hashlib.sha256(b"\x00\x01\x02").hexdigest())
        self.assertEqual((pdf["name"], pdf["type"], pdf["isInline"]), ("Körper.pdf", "application/pdf", False))
        self.assertEqual(pdf["sha256"], hashlib.sha256(b"%PDF").hexdigest())
        self.assertEqual((attached["type"], attached["name"]), ("message/rfc822", "inside"))

    def test_any_file_is_a_message(self):
        files = [self.write("empty", b""), self.write("text", b"only text\n"), self.write("binary", bytes(range(256)) * 100),
                 self.write("bad-date", b"From: a@b.test\nDate: never\nMessage-ID: <1@b>\n\n")]
        empty, text, binary, bad_date = self.inspect(*files)
        self.assertEqual(empty["text"], "")
        self.assertEqual(text["text"], "only text\n")
        self.assertIn("no-headers", binary["defects"])
        self.assertIsNone(bad_date["date"])
        self.assertEqual(bad_date["defects"], ["bad-date"])

    def test_file_that_cannot_be_read(self):
        missing = str(Path(self.folder.name) / "missing.eml")
        good = self.write("good.eml", b"Subject: s\n\n")
        lines = self.inspect(missing, good, self.folder.name, status=1)
        self.assertEqual(lines[0]["error"]["code"], "cannot-open")
        self.assertEqual(lines[1]["subject"], "s")
        self.assertEqual(lines[2]["error"]["code"], "cannot-open")

    def test_big_attachment(self):
        encoded = base64.encodebytes(b"\xab" * 3_000_000)
        octets = (b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n"
                  b"Content-Transfer-Encoding: base64\n\n" + encoded + b"--b--\n")
        (line,) = self.inspect(self.write("big.eml", octets))
        self.assertEqual(line["attachments"][0]["size"], 3_000_000)
        self.assertEqual(line["attachments"][0]["sha256"], hashlib.sha256(b"\xab" * 3_000_000).hexdigest())

    def test_defects_of_the_schema_are_those_of_the_page(self):
        page = (SOURCE / "docs" / "protocol-notes" / "mime.md").read_text()
        for defect in SCHEMA["$defs"]["defect"]["enum"]:
            self.assertIn(f"`{defect}`", page)


if __name__ == "__main__":
    unittest.main()
