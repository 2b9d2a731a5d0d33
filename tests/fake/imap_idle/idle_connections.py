#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many IMAP mailboxes watched on one thread (idle_mailboxes): memory for each connection while nothing happens, and the
time from a message's announcement to its committed record.

    idle_connections.py PROGRAM [--connections N] [--tls N] [--messages N] [--in-memory] [--dovecot]

A scripted peer (idle_peer.py) in a process of its own, or Dovecot from tests/mailservers. Prints the figures; exit status 1
if a message is not stored, or (with --within SECONDS) not in time."""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MAILSERVERS = HERE.parents[1] / "mailservers"
PASSWORD = "lab-secret"


class Scripted:
    """The scripted peer."""

    domain = "idle.test"

    def __init__(self, work, _count):
        subprocess.run(["bash", "-c", '. "$1"; lab_certificates "$2" lab.test', "-", MAILSERVERS / "certificates.sh", work],
                       check=True)
        self.ca_file = work / "ca.pem"
        self.process = subprocess.Popen(
            [sys.executable, HERE / "idle_peer.py", work / "server.pem", work / "server.key"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ports = json.loads(self.process.stdout.readline())
        self.port, self.tls_port = ports["port"], ports["tlsPort"]

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def wait_until_idle(self, count):
        while self.ask("idling") < count:
            time.sleep(0.05)

    def deliver(self, user, _number):
        return self.ask(f"deliver {user}@{self.domain}")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


class Dovecot:
    """A real one, with a user for each connection."""

    domain = "lab.test"

    def __init__(self, work, count):
        self.work = work / "lab"
        users = " ".join(f"user{number}" for number in range(count))
        environment = dict(os.environ, LAB_USERS=users, LAB_SMTP_SERVER="no", LAB_PARENT=str(os.getpid()))
        started = subprocess.run([MAILSERVERS / "start.sh", self.work], env=environment, stdout=subprocess.DEVNULL)
        if started.returncode != 0:
            sys.exit(77 if started.returncode == 3 else 1)
        settings = dict(word.split("=", 1) for word in (self.work / "env").read_text().split() if "=" in word)
        self.port, self.tls_port = int(settings["LAB_IMAP"]), int(settings["LAB_IMAPS"])
        self.ca_file = settings["LAB_CA"]

    def wait_until_idle(self, _count):
        time.sleep(2)  # it does not tell

    def deliver(self, user, number):
        maildir = self.work / "home" / user / "Maildir"
        name = f"{1_800_000_000 + number}.M{number}P1.lab"
        text = f"From: bob@lab.test\nTo: {user}@lab.test\nSubject: {number}\nMessage-ID: <{name}@lab.test>\n\nhello\n"
        (maildir / "tmp" / name).write_text(text)
        if os.getuid() == 0:
            shutil.chown(maildir / "tmp" / name, "mail", "mail")
        now = time.monotonic_ns()
        os.rename(maildir / "tmp" / name, maildir / "new" / name)
        return now

    def stop(self):
        subprocess.run([MAILSERVERS / "stop.sh", self.work], stdout=subprocess.DEVNULL, check=True)


class Watched:
    """idle_mailboxes."""

    def __init__(self, program, peer, folder):
        self.process = subprocess.Popen(
            [program, "localhost", str(peer.port), str(peer.tls_port), peer.ca_file, peer.domain, folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell(PASSWORD)

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("idle_mailboxes has ended")
        return json.loads(line)

    def ask(self, command):
        self.tell(command)
        while "stored" in (answer := self.read()):
            pass
        return answer


def kilobytes(octets, connections):
    return f"{octets / 1024 / connections:.1f} KiB" if connections else "-"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--tls", type=int, default=200)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--in-memory", action="store_true", help="the store in the memory's file system, if there is one")
    parser.add_argument("--dovecot", action="store_true")
    parser.add_argument("--within", type=float, help="seconds in which a message is to be stored, announced alone")
    parser.add_argument("--half-within", type=float,
                        help="the same for half of the messages: whatever else the machine has to do, waiting is longer")
    parser.add_argument("--most-kb", type=float, nargs=2, metavar=("CLEAR", "TLS"), help="heap for each connection")
    options = parser.parse_args()
    memory = pathlib.Path("/dev/shm")
    work = pathlib.Path(tempfile.mkdtemp(prefix="syncline-idle.", dir=memory if options.in_memory and memory.is_dir() else None))
    work.chmod(0o755)
    peer = (Dovecot if options.dovecot else Scripted)(work, options.connections)
    try:
        sys.exit(measure(options, work, peer))
    finally:
        peer.stop()
        shutil.rmtree(work, ignore_errors=True)


def measure(options, work, peer):
    watched = Watched(options.program, peer, work / "store")
    clear = options.connections - options.tls
    good = True
    # The first connection brings what is there once: contexts, statements, code.
    watched.ask("open clear 1")
    watched.ask("open tls 1")
    peer.wait_until_idle(2)
    before = watched.ask("measure")
    held = {}
    opened = 2
    began = time.monotonic()
    for how, count in (("clear", clear - 1), ("tls", options.tls - 1)):
        watched.ask(f"open {how} {count}")
        opened += count
        peer.wait_until_idle(opened)
        now = watched.ask("measure")
        held[how] = (now["heap"] - before["heap"]) / max(1, count) / 1024
        print(f"{how:5}: {count} connections, each {held[how]:.1f} KiB of heap, "
              f"{kilobytes(now['resident'] - before['resident'], count)} resident, "
              f"{(now['cpuSeconds'] - before['cpuSeconds']) * 1000 / max(1, count):.2f} ms of CPU to sign in and look")
        before = now
    print(f"all: {opened} in {time.monotonic() - began:.1f} s, {before['resident'] / 2**20:.1f} MiB resident; "
          f"load {os.getloadavg()[0]:.2f}")

    choose = random.Random(1)
    took = []
    for number in range(options.messages):
        user = choose.randrange(options.connections)
        announced = peer.deliver(f"user{user}", number)
        told = watched.read()
        if told["stored"] != user or told["came"] != 1:
            print(f"message {number} was announced to user{user}, and {told} came of it")
            return 1
        took.append((told["at"] - announced) / 1e6)
    print(f"one by one: {options.messages} messages, from announcement to committed record "
          f"median {statistics.median(took):.1f} ms, most {max(took):.1f} ms")
    slowest, median = max(took), statistics.median(took)

    # All at once, each to another mailbox.
    users = choose.sample(range(options.connections), min(options.messages, options.connections))
    announced = {user: peer.deliver(f"user{user}", options.messages + user) for user in users}
    took = []
    while announced:
        told = watched.read()
        took.append((told["at"] - announced.pop(told["stored"])) / 1e6)
    print(f"at once: {len(users)} messages, median {statistics.median(took):.1f} ms, most {max(took):.1f} ms; "
          f"load {os.getloadavg()[0]:.2f}")

    watched.process.stdin.close()
    end = watched.read()
    print(f"{end['looks']} looks, {end['failures']} failures")
    watched.process.wait(30)
    if end["failures"] or end["mailboxes"] != options.connections:
        good = False
    if options.within and slowest > options.within * 1000:
        print(f"slower than {options.within} s")
        good = False
    if options.half_within and median > options.half_within * 1000:
        print(f"half of the messages took longer than {options.half_within} s")
        good = False
    if options.most_kb and (held["clear"] > options.most_kb[0] or held["tls"] > options.most_kb[1]):
        print(f"more than {options.most_kb} KiB for each connection")
        good = False
    return 0 if good else 1


if __name__ == "__main__":
    main()
