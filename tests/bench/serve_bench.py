#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `syncline serve` costs that watches many mailboxes, and how soon a message is a record.

usage: serve_bench.py [MAILBOXES]      needs SYNCLINE_BIN_DIR; 10000 mailboxes on the test Exchange by default
One service account speaks for all of them: streams of 200. Prints CPU of a core while nothing happens, memory for each
mailbox beyond those of a daemon with one, and the time from a message's arrival to its committed record under light load
(one a second). Ends with status 1 where a bar is missed: 1 %, 20 KB, median 1 s, 99 % 3 s. Memory is resident.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAMS = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"])
IDLE_SECONDS = 120
SAMPLES = 120
failures = []


def bar(what, value, most, unit):
    held = value <= most
    print(f"{what}: {value:.3g} {unit} (bar {most} {unit}){'' if held else '  MISSED'}", flush=True)
    if not held:
        failures.append(what)


class Exchange:
    def __init__(self, folder, count):
        self.users = [f"u{i}@example.test" for i in range(count)]
        sites = (f'ca_file = "{folder}/ca.pem"\ncontrol_port = 0\nstrict = false\n[[site]]\nname = "onprem"\n'
                 'product = "2019"\nhosts = ["mail.example.test"]\nschemes = ["basic"]\n[[site.listener]]\ntls = true\n'
                 '[[site.user]]\naddress = "service@example.test"\npassword = "secret"\nhas_mailbox = false\n'
                 'may_impersonate = ["*"]\n')
        sites += "".join(f'[[site.user]]\naddress = "{user}"\npassword = "x"\n' for user in self.users)
        (folder / "sites.toml").write_text(sites)
        self.process = subprocess.Popen([PROGRAMS / "exchange-sim", "--config", folder / "sites.toml", "--port-file",
                                         folder / "ready"], stdout=subprocess.DEVNULL)
        while not (folder / "ready").exists() or not (folder / "ready").read_text().endswith("\n"):
            if self.process.poll() is not None:
                sys.exit("the test Exchange has ended")
            time.sleep(0.1)
        ready = json.loads((folder / "ready").read_text())
        self.endpoint, self.control, self.ca_file = ready["endpoints"][0], ready["control"], folder / "ca.pem"

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.control['port']}/control/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Control-Token": self.control["token"], "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def deliver(self, user, number):
        self.ask("POST", "do", {"do": "deliver", "mailbox": user, "mime": (
            f"From: bo@partner.test\r\nTo: {user}\r\nSubject: Number {number}\r\nMessage-ID: <n{number}@partner.test>\r\n"
            "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nHello\r\n")})


class Organisation:
    def __init__(self, folder, exchange, users):
        self.folder, self.key = folder / "contoso", folder / "key"
        self.run("init", "--name", "Contoso")
        url, port = exchange.endpoint["ewsUrl"], exchange.endpoint["port"]
        text = '[organisation]\nname = "Contoso"\n[policy.mail]\ntrack = "all"\n[[profile]]\n' + "".join(
            f"{key} = {json.dumps(value)}\n" for key, value in {
                "name": "Basement", "type": "exchange_hybrid", "in_host": url, "out_host": url, "in_port": port,
                "out_port": port, "autodiscover": False, "auth_in": "profile_credentials",
                "user_name": "service@example.test", "impersonation": True, "iis_auth": "basic",
                "ca_file": str(exchange.ca_file), "resolve": [f"mail.example.test:{port}:127.0.0.1"]}.items())
        text += "".join(f'[[mailbox]]\naddress = "{user}"\nprofile = "Basement"\nexchange_version = "2019"\n'
                        for user in users)
        (folder / "config.toml").write_text(text)
        self.run("apply", folder / "config.toml")
        self.run("secret", "set", "--profile", "Basement", "--stdin", text="secret\n")
        self.run("mailbox", "approve", *users)
        self.run("mailbox", "enable", *users)

    def command(self, *arguments):
        return [str(PROGRAMS / "syncline"), "--org", str(self.folder), "--key", str(self.key), *map(str, arguments)]

    def run(self, *arguments, text=None):
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            sys.exit(f"{arguments[:2]} failed:\n{done.stderr[-2000:]}\n{done.stdout[-2000:]}")

    @contextlib.contextmanager
    def serving(self, log):
        with open(log, "wb") as errors:
            process = subprocess.Popen(self.command("serve", "--no-http"), stdout=subprocess.DEVNULL, stderr=errors)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait(120) != 0:
                sys.exit("the daemon did not end in order")

    def states(self):
        """How many are pushed, and how many wait."""
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(30)
            os.chdir(self.folder)
            peer.connect("control.sock")
            peer.sendall(b'{"do":"status"}\n')
            answer = b""
            while part := peer.recv(1 << 20):
                answer += part
            mailboxes = json.loads(answer)["mailboxes"]
            return (sum(one["by"] == "push" for one in mailboxes),
                    sum(one["state"] == "waiting" for one in mailboxes))
        return 0, 0


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kilobytes(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1))


def until_quiet(organisation, process, count, patience):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        pushed, waiting = organisation.states()
        if pushed == count and waiting == count:
            return
        if process.poll() is not None:
            sys.exit("the daemon has ended")
        time.sleep(1)
    sys.exit(f"only {organisation.states()} of {count} mailboxes are watched and wait")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("exchange", "one", "all"):
            (folder / part).mkdir()
        exchange = Exchange(folder / "exchange", count)
        try:
            one = Organisation(folder / "one", exchange, exchange.users[:1])
            with one.serving(folder / "one.log") as process:
                until_quiet(one, process, 1, 120)
                time.sleep(5)
                alone = resident_kilobytes(process)
            began = time.monotonic()
            everybody = Organisation(folder / "all", exchange, exchange.users[1:])
            count -= 1
            print(f"set up in {time.monotonic() - began:.0f} s", flush=True)
            began = time.monotonic()
            with everybody.serving(folder / "all.log") as process:
                until_quiet(everybody, process, count, 3600)
                print(f"{count} mailboxes watched after {time.monotonic() - began:.0f} s and "
                      f"{cpu_seconds(process):.1f} CPU s", flush=True)
                time.sleep(10)
                before, at = cpu_seconds(process), time.monotonic()
                time.sleep(IDLE_SECONDS)
                spent, took = cpu_seconds(process) - before, time.monotonic() - at
                streams = json.loads(exchange.ask("GET", "counters")).get("streams.open", 0)
                print(f"{streams} streams; {resident_kilobytes(process) / 1024:.0f} MB, "
                      f"{alone / 1024:.0f} MB with one mailbox; load average {os.getloadavg()[0]:.1f}")
                bar("idle", 100 * spent / took, 1, "% of a core")
                bar("memory", (resident_kilobytes(process) - alone) / count, 20, "KB a mailbox")
                arrivals(exchange, everybody)
        finally:
            exchange.process.terminate()
            exchange.process.wait()
    sys.exit(1 if failures else 0)


def arrivals(exchange, organisation):
    chance, spans = random.Random(1), []
    database = sqlite3.connect(f"file:{organisation.folder}/syncline.db?mode=ro", uri=True, isolation_level=None)
    seen = "SELECT count(*) FROM record WHERE owner = ? AND kind = 0"
    for number in range(SAMPLES):
        user = chance.choice(exchange.users[1:])
        [(known,)] = database.execute(seen, (user,)).fetchall()
        began = time.monotonic()
        exchange.deliver(user, number)
        while database.execute(seen, (user,)).fetchall() == [(known,)]:
            if time.monotonic() - began > 120:
                sys.exit("a message did not come")
            time.sleep(0.005)
        spans.append(time.monotonic() - began)
        time.sleep(max(0.0, 1 - spans[-1]))
    spans.sort()
    bar("arrival to record, median", statistics.median(spans), 1, "s")
    bar("arrival to record, 99 %", spans[int(len(spans) * 0.99) - 1], 3, "s")


if __name__ == "__main__":
    main()
