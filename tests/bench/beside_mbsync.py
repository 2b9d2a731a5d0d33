# SPDX-License-Identifier: GPL-3.0-or-later
"""Our IMAP client and driver beside mbsync, on the same Dovecot, turn by turn, each as a process of its own.

usage: beside_mbsync.py [MESSAGES [ROUNDS [ONE-WAY-SECONDS]]]     needs SYNCLINE_BENCH_DIR; mbsync, Dovecot
"raw" writes every message to a file, unparsed, as mbsync does (without compression); "driver" reads its fields with the
body as well. Prints messages a second (best and middle), CPU microseconds a message, peak memory, and the ratios. With a
third argument everything goes through a proxy that adds so many seconds in each direction.
"""
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS = Path(os.environ["SYNCLINE_BENCH_DIR"]) / "bench_imap"
SERVERS = Path(__file__).resolve().parent.parent / "mailservers"
USER = "alice@lab.test"


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


def ours(what, port, lab, folder):
    done = subprocess.run([OURS, what, str(port), lab["LAB_CA"], USER, folder], input=lab["LAB_PASSWORD"] + "\n",
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_imap {what} failed:\n{done.stderr}")
    return json.loads(done.stdout)


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


def report(name, rounds):
    rates = [one["messages"] / one["seconds"] for one in rounds]
    cpu = statistics.median(one["cpuSeconds"] / one["messages"] * 1e6 for one in rounds)
    peak = max(one["peakKilobytes"] for one in rounds) / 1024
    print(f"{name:16} {max(rates):9.0f} {statistics.median(rates):9.0f} msgs/s {cpu:8.0f} us CPU/msg {peak:6.1f} MB")
    return max(rates), statistics.median(rates), cpu


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    delay = sys.argv[3] if len(sys.argv) > 3 else None
    missing = [tool for tool in ("mbsync", "dovecot") if shutil.which(tool) is None]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} not installed")
        return
    folder = Path(tempfile.mkdtemp(prefix="mail-bench."))
    folder.chmod(0o755)
    scratch = Path(tempfile.mkdtemp(prefix="mail-bench.", dir="/dev/shm"))
    proxy = None
    try:
        subprocess.run([SERVERS / "start.sh", folder], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LAB_SMTP_SERVER": "no"})
        lab = settings_of(folder)
        subprocess.run([sys.executable, SERVERS / "gen_messages.py", "--maildir", folder / "home/alice/Maildir", "--count",
                        str(count)], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["chown", "-R", "mail:mail", folder / "home/alice"], check=False)
        port = lab["LAB_IMAPS"]
        if delay:
            port = free_port()
            proxy = subprocess.Popen([sys.executable, SERVERS / "delay_proxy.py", delay, f"{port}:{lab['LAB_IMAPS']}"])
            time.sleep(1)
        config = scratch / "mbsync.conf"
        config.write_text(
            "FSync no\n\nIMAPAccount a\nHost localhost\n"
            f"Port {port}\nUser {USER}\nPass {lab['LAB_PASSWORD']}\nSSLType IMAPS\nCertificateFile {lab['LAB_CA']}\n"
            "SystemCertificates no\nDisableExtension COMPRESS=DEFLATE\n\nIMAPStore r\nAccount a\n\n"
            f"MaildirStore l\nPath {scratch}/mb/\nInbox {scratch}/mb/INBOX\nSubFolders Verbatim\n\n"
            "Channel c\nFar :r:\nNear :l:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n")

        def peer():
            fresh(scratch / "mb")
            return mbsync(config, scratch / "mb/INBOX", count)

        tasks = {"raw": lambda: ours("raw", port, lab, fresh(scratch / "ours")),
                 "driver": lambda: ours("driver", port, lab, fresh(scratch / "ours")),
                 "mbsync": peer}
        results = {name: [] for name in tasks}
        peer()  # Dovecot indexes the mailbox on first use
        for _ in range(turns):
            for name, task in tasks.items():
                results[name].append(task())
        distance = f", {float(delay) * 2000:.0f} ms round trip" if delay else ""
        print(f"{count} messages by IMAP{distance}, {turns} rounds; best, middle:")
        figures = {name: report(name, rounds) for name, rounds in results.items()}
        for name in ("raw", "driver"):
            best, middle, cpu = (a / b for a, b in zip(figures[name], figures["mbsync"]))
            print(f"{name}: {best:.2f} (best) and {middle:.2f} (middle) of mbsync's rate, {cpu:.2f} times its CPU")
        tasks["driver"]()  # what it knows stands in its folder
        known = ours("again", port, lab, scratch / "ours")
        print(f"nothing new over {count}: {known['seconds']:.3f} s, {known['cpuSeconds']:.3f} CPU s, the start included")
    finally:
        if proxy is not None:
            proxy.terminate()
            proxy.wait()
        subprocess.run([SERVERS / "stop.sh", folder], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
