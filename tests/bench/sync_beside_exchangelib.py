# SPDX-License-Identifier: GPL-3.0-or-later
"""A synchronisation to a committed store, as a process of its own, against the test Exchange; exchangelib reads beside it.

usage: sync_beside_exchangelib.py [ITEMS]        needs SYNCLINE_BIN_DIR and SYNCLINE_BENCH_DIR
First synchronisation of ITEMS (100000) e-mails with bodies of a few lines, and of about 2 KB; 100 messages of 1 MB, mostly
attachment, into the content store; a synchronisation of thirty folders in which nothing changed; one that was killed and goes on.
Ends with status 1 if requests, memory or the restart are over their bar; rates depend on the machine and are printed.
"""
import base64
import contextlib
import json
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from email.message import EmailMessage
from pathlib import Path

BIN = Path(os.environ["SYNCLINE_BIN_DIR"])
OURS = Path(os.environ["SYNCLINE_BENCH_DIR"]) / "bench_sync"
PASSWORD = "benchmark"
PAGE = 512
USERS = ("short", "many", "large", "folders", "killed")
failures = []

THEIRS = """
import json, resource, sys
from itertools import islice
from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials, Version
from exchangelib.version import EXCHANGE_2019
url, user, workload, most = sys.argv[1:5]
password = sys.stdin.readline().rstrip("\\n")
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = cpu()
config = Configuration(service_endpoint=url, credentials=Credentials(user, password), auth_type=BASIC,
                       version=Version(EXCHANGE_2019))
account = Account(user, config=config, autodiscover=False, access_type=DELEGATE)
fields = {"metadata": ["subject", "body", "datetime_received", "datetime_sent", "importance", "sensitivity", "categories",
                       "item_class", "in_reply_to", "author", "sender", "to_recipients", "cc_recipients", "bcc_recipients",
                       "reply_to", "message_id", "is_read", "references", "conversation_index", "conversation_topic",
                       "last_modified_time"],
          "mime": ["mime_content"]}[workload]
ids = [(i.id, i.changekey) for _, i in islice(account.inbox.sync_items(only_fields=["id", "changekey"],
                                                                       max_changes_returned=512), int(most))]
wanted = [f for f in account.inbox.allowed_item_fields(account.version) if f.name in fields]
count = octets = 0
for item in account.fetch(ids=ids, only_fields=wanted, chunk_size=100 if workload == "metadata" else 10):
    count += 1
    octets += len(item.mime_content) if workload == "mime" else 0
print(json.dumps({"items": count, "octets": octets, "cpuSeconds": round(cpu() - before, 3)}))
"""


class Exchange:
    def __init__(self):
        command = [BIN / "exchange-sim", "--port", "0", "--no-schema", "--control-port", "0", "--seed", "1"]
        for name in USERS:
            command += ["--user", f"{name}@example.com:{PASSWORD}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.url = ready["ews"].replace("localhost", "127.0.0.1")
        self.control = ready["control"]

    def do(self, **command):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control['port']}/control/do",
                                         json.dumps(command).encode(), {"X-Control-Token": self.control["token"]})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def end(self):
        self.process.terminate()
        self.process.wait()


def command_of(exchange, user, folder, workload):
    return [str(OURS), exchange.url, f"{user}@example.com", str(folder), workload]


def run(command):
    done = subprocess.run(command, input=PASSWORD + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def theirs(exchange, user, workload, most):
    return run(["/usr/bin/python3", "-c", THEIRS, exchange.url, f"{user}@example.com", workload, str(most)])


def check(what, good):
    if not good:
        failures.append(what)
    return "" if good else "   OVER ITS BAR"


def first_sync(exchange, items, user, octets, folder):
    exchange.do(do="generate", mailbox=f"{user}@example.com", messages=items, messageBytes=octets, seed=1)
    ours = run(command_of(exchange, user, folder, "metadata"))
    megabytes = ours["peakKilobytes"] / 1024
    print(f"first synchronisation: {ours['items']} e-mails with bodies of {octets} octets, {ours['cpuSeconds']:.2f} CPU s, "
          f"{ours['items'] / ours['cpuSeconds']:.0f} a CPU s (bar 10000), {ours['requests']} requests, "
          f"peak {megabytes:.0f} MB (bar 150){check('memory', megabytes <= 150)}")
    check("items of the first synchronisation", ours["items"] == items)
    again = run(command_of(exchange, user, folder, "metadata"))
    print(f"the same again, nothing changed: {again['cpuSeconds']:.3f} CPU s, {again['requests']} requests")
    check("an echo", again["items"] == 0)
    few = theirs(exchange, user, "metadata", min(items, 5000))
    ratio = (few["cpuSeconds"] / few["items"]) / (ours["cpuSeconds"] / ours["items"])
    print(f"exchangelib reads {few['items']} of them, keeping nothing: {few['items'] / few['cpuSeconds']:.0f} a CPU s; "
          f"it needs {ratio:.1f} times our CPU")


def mime(exchange, folder):
    octets = random.Random(2)
    for number in range(100):
        message = EmailMessage()
        message["From"], message["To"] = "Someone <someone@example.org>", "large@example.com"
        message["Subject"], message["Message-ID"] = f"Plan {number}", f"<plan-{number}@example.org>"
        message["Date"] = "Sat, 21 Nov 2026 10:00:00 +0000"
        message.set_content("As agreed.\n" * 20)
        message.add_attachment(octets.randbytes(760_000), maintype="application", subtype="pdf", filename="plan.pdf")
        exchange.do(do="add-mime", mailbox="large@example.com", folder="inbox",
                    mimeBase64=base64.b64encode(bytes(message)).decode())
    ours = run(command_of(exchange, "large", folder, "mime"))
    octets = sum(file.stat().st_size for file in (folder / "content").rglob("*") if file.is_file())
    rate = octets * 4 / 3 / 1e6 / ours["cpuSeconds"]
    print(f"MIME to the content store: {ours['items']} messages, {octets / 1e6:.0f} MB, {ours['cpuSeconds']:.2f} CPU s, "
          f"{rate:.0f} MB of base64 a CPU s (bar 60), peak {ours['peakKilobytes'] / 1024:.0f} MB")
    few = theirs(exchange, "large", "mime", 20)
    their_rate = few["octets"] * 4 / 3 / 1e6 / few["cpuSeconds"]
    print(f"exchangelib, keeping nothing: {their_rate:.1f} MB a CPU s; it needs {rate / their_rate:.1f} times our CPU")


def quiet_folders(exchange, folder):
    mailbox = "folders@example.com"
    for number in range(25):
        exchange.do(do="add-folder", mailbox=mailbox, parent="inbox", name=f"Folder {number}")
        exchange.do(do="generate", mailbox=mailbox, messages=3, messageBytes=2000, seed=number + 3,
                    folder=f"inbox/Folder {number}")
    before = run(command_of(exchange, "folders", folder, "metadata"))
    check("items of folders", before["items"] == 75)
    after = run(command_of(exchange, "folders", folder, "metadata"))
    check("an echo in folders", after["items"] == 0)
    # 25 named ones, Inbox, Sent Items, calendar, contacts, tasks. 55 for 50 leaves five beside one for each.
    folders = 30
    beside = after["requests"] - folders
    print(f"{folders} folders, as many as a mailbox can have, nothing changed: {after['requests']} requests, that is {beside} "
          f"beside one for each (bar 5: 55 for 50), {after['cpuSeconds']:.3f} CPU s{check('requests of folders', beside <= 5)}")


def killed(exchange, folder):
    items = 20 * PAGE
    exchange.do(do="generate", mailbox="killed@example.com", messages=items, messageBytes=2000, seed=9)
    process = subprocess.Popen(command_of(exchange, "killed", folder, "metadata"), stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    process.stdin.write(PASSWORD + "\n")
    process.stdin.close()

    def committed():
        with contextlib.suppress(sqlite3.Error), contextlib.closing(
                sqlite3.connect(f"file:{folder}/syncline.db?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM link").fetchone()[0]
        return 0

    while process.poll() is None and committed() < 4 * PAGE:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = committed()
    rest = run(command_of(exchange, "killed", folder, "metadata"))
    # The page that says that there is no more, and those of the other folders, may come on top.
    wanted = math.ceil((items - kept) / PAGE)
    good = rest["items"] == items - kept and rest["pages"] <= wanted + 5
    print(f"killed with {kept} of {items} committed: the next run takes {rest['items']} in {rest['pages']} pages"
          f"{check('a page fetched again', good)}")


def main():
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    exchange = Exchange()
    scratch = Path(tempfile.mkdtemp(prefix="syncline-bench-"))
    try:
        print(f"load average {open('/proc/loadavg').read().split()[:3]}", flush=True)
        for name, work in (("short", lambda folder: first_sync(exchange, items, "short", 200, folder)),
                           ("many", lambda folder: first_sync(exchange, items, "many", 2000, folder)),
                           ("large", lambda folder: mime(exchange, folder)),
                           ("folders", lambda folder: quiet_folders(exchange, folder)),
                           ("killed", lambda folder: killed(exchange, folder))):
            (scratch / name).mkdir()
            work(scratch / name)
            sys.stdout.flush()
            shutil.rmtree(scratch / name)
        print(f"load average {open('/proc/loadavg').read().split()[:3]}")
    finally:
        exchange.end()
        shutil.rmtree(scratch, ignore_errors=True)
    if failures:
        sys.exit("over the bar: " + ", ".join(failures))


if __name__ == "__main__":
    main()
