#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that are not ours bring mail to the test Exchange by SMTP, and a server that is not ours takes mail from it."""
import base64
import json
import os
import pathlib
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "exchange-sim"
ANNA, BEN = "anna@ours.test", "ben@ours.test"
TOKEN = "control-token"


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.02)


class Sim:
    def __init__(self, folder, transport):
        folder.joinpath("sites.toml").write_text(f"""
control_port = 0
control_token = "{TOKEN}"
strict = false
[transport]
{transport}
[[site]]
name = "onprem"
schemes = ["basic"]
[[site.listener]]
[[site.user]]
address = "{ANNA}"
password = "secret"
[[site.user]]
address = "{BEN}"
password = "secret"
""")
        self.process = subprocess.Popen([PROGRAM, "--config", folder / "sites.toml"], stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        return status

    def do(self, what, **members):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ready['control']['port']}/control/do", method="POST",
            data=json.dumps({"do": what, **members}).encode(), headers={"X-Control-Token": TOKEN})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def inbox(self, mailbox):
        return [base64.b64decode(self.do("mime", mailbox=mailbox, id=item["id"])["mimeBase64"])
                for item in self.do("list", mailbox=mailbox, folder="inbox")]

    def send(self, *to, body="Hello"):
        """As a client of EWS does."""
        recipients = "".join(f"<t:Mailbox><t:EmailAddress>{one}</t:EmailAddress></t:Mailbox>" for one in to)
        text = f"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
            xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
            xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body>
            <m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:Message><t:Subject>Grüße</t:Subject>
            <t:Body BodyType="Text">{body}</t:Body><t:ToRecipients>{recipients}</t:ToRecipients></t:Message></m:Items>
            </m:CreateItem></s:Body></s:Envelope>"""
        request = urllib.request.Request(self.ready["ews"], data=text.encode(), headers={
            "Content-Type": "text/xml; charset=utf-8",
            "Authorization": "Basic " + base64.b64encode(f"{ANNA}:secret".encode()).decode()})
        with urllib.request.urlopen(request, timeout=20) as answer:
            reply = answer.read().decode()
        assert "NoError" in reply, reply


class Receiving(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.sim = Sim(self.folder, "smtp_port = 0\nmessage_octets = 100000\nrecipients = 5")
        self.addCleanup(self.sim.stop)
        self.port = self.sim.ready["smtpPort"]

    def test_smtplib(self):
        message = "Subject: one\r\nFrom: bo@else.test\r\n\r\n.\r\n..\r\n\xe4\r\n".encode("latin-1")
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.ehlo()
            self.assertEqual(client.esmtp_features["size"], "100000")
            self.assertTrue({"pipelining", "8bitmime", "enhancedstatuscodes"} <= set(client.esmtp_features))
            refused = client.sendmail("bo@else.test", [ANNA, BEN, "nobody@ours.test", "bo@else.test"], message,
                                      mail_options=["BODY=8BITMIME"])
            self.assertEqual({address: code for address, (code, _) in refused.items()},
                             {"nobody@ours.test": 550, "bo@else.test": 550})
            with self.assertRaises(smtplib.SMTPSenderRefused) as large:
                client.sendmail("bo@else.test", [ANNA], b"x" * 100_001)
            self.assertEqual(large.exception.smtp_code, 552)
            with self.assertRaises(smtplib.SMTPRecipientsRefused):
                client.sendmail("bo@else.test", ["nobody@ours.test"], message)
            client.sendmail("", [ANNA], b"Subject: two\r\n\r\n")
            self.assertEqual(client.verify("anna")[0], 252)
        self.assertEqual(self.sim.inbox(ANNA), [message, b"Subject: two\r\n\r\n"])
        self.assertEqual(self.sim.inbox(BEN), [message])

    def test_curl(self):
        message = b"From: bo@else.test\r\nSubject: by curl\r\n\r\n" + b".line\r\n" * 3000
        self.folder.joinpath("mail").write_bytes(message)
        arguments = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--mail-from",
                     "bo@else.test", "--upload-file", self.folder / "mail"]
        subprocess.run([*arguments, "--mail-rcpt", ANNA, "--mail-rcpt", BEN, f"smtp://127.0.0.1:{self.port}/client"],
                       check=True)
        refused = subprocess.run([*arguments, "--mail-rcpt", "nobody@ours.test", f"smtp://127.0.0.1:{self.port}"],
                                 capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 55, refused.stderr)
        self.assertEqual(self.sim.inbox(ANNA), [message])
        self.assertEqual(self.sim.inbox(BEN), [message])

    @unittest.skipUnless(shutil.which("swaks"), "swaks is not installed")
    def test_swaks_pipelines(self):
        sent = subprocess.run(["swaks", "--server", f"127.0.0.1:{self.port}", "--pipeline", "--from", "bo@else.test", "--to",
                               f"{ANNA},{BEN}", "--header", "Subject: by swaks", "--attach", f"@{__file__}"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(sent.returncode, 0, sent.stdout)
        [item] = self.sim.do("list", mailbox=BEN, folder="inbox")
        self.assertEqual((item["subject"], item["attachments"]), ("by swaks", 1))

    def test_many_at_once_and_rude_ones_beside_them(self):
        rude = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(rude.close)
        rude.sendall(b"DATA\r\n" + b"\xff" * 50_000)

        def send(number):
            with smtplib.SMTP("127.0.0.1", self.port) as client:
                for one in range(10):
                    client.sendmail("bo@else.test", [ANNA], f"Subject: {number}-{one}\r\n\r\n{'x' * 20_000}\r\n")
        senders = [threading.Thread(target=send, args=(number,)) for number in range(10)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        subjects = [item["subject"] for item in self.sim.do("list", mailbox=ANNA, folder="inbox")]
        self.assertEqual(sorted(subjects), sorted(f"{number}-{one}" for number in range(10) for one in range(10)))
        state = self.sim.do("transport")
        self.assertEqual((state["received"], state["delivered"], state["waiting"]), (100, 100, []))

    def test_only_loopback_listens_and_it_ends_with_the_program(self):
        listening = pathlib.Path("/proc/net/tcp").read_text() + pathlib.Path("/proc/net/tcp6").read_text()
        addresses = {line.split()[1] for line in listening.splitlines() if f":{self.port:04X} 00000000" in line}
        self.assertEqual(addresses, {f"0100007F:{self.port:04X}"})
        open_one = smtplib.SMTP("127.0.0.1", self.port)
        self.addCleanup(open_one.close)
        self.assertEqual(self.sim.stop(), 0)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("postfix") and shutil.which("dovecot"), "Postfix needs root")
class WithPostfix(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="syncline-lab-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.sim = Sim(self.folder, "smtp_port = 0\nretry_ms = 50")
        self.addCleanup(self.sim.stop)
        with open(self.folder / "start.log", "wb") as log:
            subprocess.run([TESTS / "mailservers/start.sh", self.folder], check=True, stdin=subprocess.DEVNULL, stdout=log,
                           stderr=log, env={**os.environ, "LAB_RELAY": f"ours.test=127.0.0.1:{self.sim.ready['smtpPort']}"})
        self.addCleanup(lambda: subprocess.run([TESTS / "mailservers/stop.sh", self.folder], check=True,
                                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        text = (self.folder / "env").read_text()
        self.mx = int(text.split("LAB_SMTP=")[1].split()[0])
        self.assertEqual(self.sim.do("set-smart-host", smartHost=f"127.0.0.1:{self.mx}")["smartHost"],
                         f"127.0.0.1:{self.mx}")

    def delivered(self, user):
        home = self.folder / "home" / user / "Maildir"
        return [file.read_bytes() for name in ("new", "cur") for file in home.glob(f"{name}/*")]

    def test_mail_goes_both_ways_and_what_nobody_takes_comes_back(self):
        body = "Zwölf Boxkämpfer\n.\n" + "x" * 3000
        self.sim.send("alice@lab.test", "nobody@lab.test", body=body)
        [mail] = wait_for(lambda: self.delivered("alice"), "the mail to alice")
        self.assertIn(b"From: ", mail)
        [report] = wait_for(lambda: self.sim.inbox(ANNA), "the report")
        self.assertIn(b"Final-Recipient: rfc822;nobody@lab.test", report)
        self.assertIn(b"Status: 5.1.1", report)
        with smtplib.SMTP("127.0.0.1", self.mx) as client:
            client.sendmail("alice@lab.test", [BEN], "Subject: back\r\nFrom: alice@lab.test\r\n\r\nhello\r\n")
            client.sendmail("alice@lab.test", ["nobody@ours.test"], "Subject: lost\r\n\r\nhello\r\n")
        [answer] = wait_for(lambda: self.sim.inbox(BEN), "the mail to ben")
        self.assertTrue(answer.startswith(b"Received: ") and answer.endswith(b"\r\n\r\nhello\r\n"), answer)
        returned = wait_for(lambda: [one for one in self.delivered("alice") if b"Undelivered" in one], "the bounce")
        self.assertIn(b"550 5.1.10", returned[0])
        self.assertEqual(len(self.sim.inbox(ANNA)), 1)
        self.assertEqual(self.sim.do("transport")["waiting"], [])

    def test_a_smart_host_that_is_away_gets_the_mail_when_it_is_back(self):
        self.sim.do("set-smart-host", smartHost="127.0.0.1:1")
        self.sim.send("bob@lab.test")
        wait_for(lambda: self.sim.do("transport")["waiting"][0]["attempts"] >= 2, "a second attempt")
        self.assertIn("refuses connections", self.sim.do("transport")["waiting"][0]["lastTrouble"])
        self.sim.do("set-smart-host", smartHost=f"127.0.0.1:{self.mx}")
        wait_for(lambda: self.delivered("bob"), "the mail to bob")
        self.assertEqual(self.sim.do("transport")["handedOver"], 1)
        self.assertEqual(self.sim.inbox(ANNA), [])


class Off(unittest.TestCase):
    def test_without_settings_nothing_listens_and_nothing_leaves(self):
        with tempfile.TemporaryDirectory() as folder:
            sim = Sim(pathlib.Path(folder), "")
            try:
                self.assertNotIn("smtpPort", sim.ready)
                sim.send("alice@lab.test")
                state = sim.do("transport")
                self.assertEqual((state["smtpPort"], state["smartHost"], state["waiting"]), (0, "", []))
                self.assertEqual([mail["delivered"] for mail in sim.do("sent-mail")], [False])
                with self.assertRaises(urllib.error.HTTPError):
                    sim.do("set-smart-host", smartHost="a b")
            finally:
                self.assertEqual(sim.stop(), 0)


if __name__ == "__main__":
    unittest.main()
