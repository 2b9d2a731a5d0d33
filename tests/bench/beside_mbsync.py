# SPDX-License-Identifier: GPL-3.0-or-later
"""Our IMAP client and a whole synchronisation beside mbsync, on the same Dovecot, turn by turn, each as a process of its own.

usage: beside_mbsync.py [MESSAGES [ROUNDS [KNOWN]]]     needs SYNCLINE_BENCH_DIR; mbsync, Dovecot
"raw" writes every message to a file, unparsed, as mbsync does (compression off); "records" parses them and commits
records. Prints messages a second (best and middle of the rounds), CPU microseconds a message, peak memory, and the ratios;
the same at 40 ms round trip; what a synchronisation costs in which nothing is new over KNOWN (50000) messages; how much
memory many messages and a large one take. Ends with status 1 if CPU without news, octets or memory are over their bar;
ratios depend on the machine and are printed.
"""
import base64
import contextlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BENCHES = Path(os.environ["SYNCLINE_BENCH_DIR"])
SERVERS = Path(__file__).resolve().parent.parent / "mailservers"
ROUND_TRIP_MS = 40
failures = []


def settings_of(folder):
    settings = {}
    for line in (folder / "env").read_text().splitlines():
        for word in line.removeprefix("export ").split():
            name, _, value = word.partition("=")
            settings[name] = value
    return settings


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run_ours(command, password):
    done = subprocess.run(command, input=password + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{Path(command[0]).name} {command[1]} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def raw(port, lab, user, folder):
    return run_ours([BENCHES / "bench_imap", "raw", str(port), lab["LAB_CA"], user, folder], lab["LAB_PASSWORD"])


def records(port, lab, user, folder, what="pull"):
    return run_ours([BENCHES / "bench_mail_sync", what, str(port), lab["LAB_CA"], user, folder], lab["LAB_PASSWORD"])


def mbsync(config, inbox, count):
    began = time.monotonic()
    before = os.times()
    done = subprocess.run(["mbsync", "-q", "-c", config, "c"], capture_output=True, text=True)
    seconds = time.monotonic() - began
    after = os.times()
    if done.returncode != 0:
        sys.exit(f"mbsync failed:\n{done.stderr}")
    messages = sum(1 for part in ("cur", "new") for _ in (inbox / part).iterdir())
    if messages != count:
        sys.exit(f"mbsync brought {messages} messages of {count}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"messages": messages, "seconds": seconds, "cpuSeconds": cpu, "peakKilobytes": 0}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class CountingProxy:
    """Passes one connection on and counts its octets, both ways, from the first SELECT on."""

    def __init__(self, port):
        self.octets = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.to = port
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            here, _ = self.listener.accept()
            there = socket.create_connection(("127.0.0.1", self.to))
            for source, sink, is_client in ((here, there, True), (there, here, False)):
                threading.Thread(target=self.copy, args=(source, sink, is_client), daemon=True).start()

    def copy(self, source, sink, is_client):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self.octets is None and is_client and b" SELECT " in piece:
                    self.octets = 0
                if self.octets is not None:
                    self.octets += len(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


def check(what, good):
    if not good:
        failures.append(what)
    return "" if good else "   OVER ITS BAR"


def report(name, rounds):
    rates = [one["messages"] / one["seconds"] for one in rounds]
    cpu = statistics.median(one["cpuSeconds"] / one["messages"] * 1e6 for one in rounds)
    peak = max(one["peakKilobytes"] for one in rounds) / 1024
    print(f"{name:16} {max(rates):9.0f} {statistics.median(rates):9.0f} msgs/s {cpu:8.0f} us CPU/msg {peak:6.1f} MB")
    return max(rates), statistics.median(rates), cpu


def compare(title, tasks, turns):
    results = {name: [] for name in tasks}
    for _ in range(turns):
        for name, task in tasks.items():
            results[name].append(task())
    print(f"{title}, {turns} rounds; best, middle:")
    figures = {name: report(name, rounds) for name, rounds in results.items()}
    for name in tasks:
        if name == "mbsync":
            continue
        best, middle, cpu = (a / b for a, b in zip(figures[name], figures["mbsync"]))
        print(f"{name}: {best:.2f} (best) and {middle:.2f} (middle) of mbsync's rate, {cpu:.2f} times its CPU", flush=True)


def fill(lab_folder, name, count, *more):
    subprocess.run([sys.executable, "-P", SERVERS / "gen_messages.py", "--maildir", lab_folder / "home" / name / "Maildir", "--count",
                    str(count), *more], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["chown", "-R", "mail:mail", lab_folder / "home" / name], check=False)


def mbsync_config(path, port, lab, user, to):
    path.write_text(
        "FSync no\n\nIMAPAccount a\nHost localhost\n"
        f"Port {port}\nUser {user}\nPass {lab['LAB_PASSWORD']}\nSSLType IMAPS\nCertificateFile {lab['LAB_CA']}\n"
        "SystemCertificates no\nDisableExtension COMPRESS=DEFLATE\n\nIMAPStore r\nAccount a\n\n"
        f"MaildirStore l\nPath {to}/\nInbox {to}/INBOX\nSubFolders Verbatim\n\n"
        "Channel c\nFar :r:\nNear :l:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n")
    return path


def beside_mbsync(lab, scratch, count, turns):
    user = "alice@lab.test"

    def tasks_at(port):
        config = mbsync_config(scratch / f"mbsync.{port}", port, lab, user, scratch / "mb")

        def peer():
            fresh(scratch / "mb")
            return mbsync(config, scratch / "mb/INBOX", count)

        return {"raw": lambda: raw(port, lab, user, fresh(scratch / "ours")),
                "records": lambda: records(port, lab, user, fresh(scratch / "ours")), "mbsync": peer}

    near = tasks_at(lab["LAB_IMAPS"])
    near["mbsync"]()  # Dovecot indexes the mailbox on first use
    compare(f"{count} messages by IMAP", near, turns)
    port = free_port()
    proxy = subprocess.Popen([sys.executable, "-P", SERVERS / "delay_proxy.py", str(ROUND_TRIP_MS / 2000),
                              f"{port}:{lab['LAB_IMAPS']}"])
    try:
        time.sleep(1)
        compare(f"the same at {ROUND_TRIP_MS} ms round trip", tasks_at(port), max(1, turns // 2))
    finally:
        proxy.terminate()
        proxy.wait()


def nothing_new(lab, lab_folder, scratch, known):
    user = "bob@lab.test"
    fill(lab_folder, "bob", known, "--max-kb", "3", "--seed", "2")
    folder = fresh(scratch / "known")
    first = records(lab["LAB_IMAPS"], lab, user, folder)
    check("messages of the first synchronisation", first["messages"] == known)
    again = records(lab["LAB_IMAPS"], lab, user, folder)
    proxy = CountingProxy(int(lab["LAB_IMAP"]))
    counted = records(proxy.port, lab, user, folder, "plain")
    check("an echo", again["messages"] == 0 and counted["messages"] == 0)
    print(f"nothing new over {known}: {again['cpuSeconds']:.3f} CPU s, {again['processCpuSeconds']:.3f} with the start of the "
          f"process (bar 0.05){check('CPU without news', again['cpuSeconds'] <= 0.05)}; {proxy.octets} octets of IMAP from "
          f"SELECT on, both ways (bar 2048){check('octets without news', (proxy.octets or 10**9) <= 2048)}", flush=True)


def memory(lab, lab_folder, scratch, count):
    def peak_of(name, what):
        done = records(lab["LAB_IMAPS"], lab, f"{name}@lab.test", fresh(scratch / "memory"), what)
        return done["peakKilobytes"] / 1024

    fill(lab_folder, "carol", 100)
    few, many = peak_of("carol", "pull"), peak_of("alice", "pull")
    print(f"{count} messages take {many - few:.1f} MB more than 100 (bar 20){check('memory of many', many - few <= 20)}")
    maildir = lab_folder / "home/dave/Maildir"
    small = peak_of("dave", "mime")
    body = base64.encodebytes(random.Random(3).randbytes(75 << 20)).decode()
    (maildir / "cur").mkdir(parents=True, exist_ok=True)
    (maildir / "cur/1.large:2,S").write_text(
        "From: a@lab.test\nTo: dave@lab.test\nSubject: plan\nMessage-ID: <large@lab.test>\nMIME-Version: 1.0\n"
        "Date: Sat, 21 Nov 2026 10:00:00 +0000\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain\n\nAs agreed.\n--b\nContent-Type: application/pdf; name=plan.pdf\n"
        f"Content-Transfer-Encoding: base64\n\n{body}--b--\n")
    subprocess.run(["chown", "-R", "mail:mail", lab_folder / "home/dave"], check=False)
    large = peak_of("dave", "mime")
    print(f"a message of {len(body) >> 20} MB takes {large - small:.1f} MB more than none (bar 8)"
          f"{check('memory of a large one', large - small <= 8)}")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    known = int(sys.argv[3]) if len(sys.argv) > 3 else 50000
    missing = [tool for tool in ("mbsync", "dovecot") if shutil.which(tool) is None]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} not installed")
        return
    folder = Path(tempfile.mkdtemp(prefix="mail-bench."))
    folder.chmod(0o755)
    scratch = Path(tempfile.mkdtemp(prefix="mail-bench.", dir="/dev/shm"))
    try:
        subprocess.run([SERVERS / "start.sh", folder], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LAB_SMTP_SERVER": "no"})
        lab = settings_of(folder)
        fill(folder, "alice", count)
        beside_mbsync(lab, scratch, count, turns)
        memory(lab, folder, scratch, count)
        nothing_new(lab, folder, scratch, known)
    finally:
        subprocess.run([SERVERS / "stop.sh", folder], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
    if failures:
        sys.exit("over the bar: " + ", ".join(failures))


if __name__ == "__main__":
    main()
