# SPDX-License-Identifier: GPL-3.0-or-later
"""Our POP3 and SMTP clients, and the whole engine sending, beside mpop and smtp-source, on the same servers, turn by turn, each
as a process of its own.

usage: beside_mail_peers.py [MESSAGES [ROUNDS]]        needs SYNCLINE_BENCH_DIR; mpop, smtp-source, Dovecot and Postfix
Prints messages a second (best and middle of the rounds), CPU microseconds a message, and the ratios; what a message takes
at 40 ms round trip. smtp-source does without TLS and login: so does our client beside it, and once more with both. The
engine composes each message from a record, journals it before and after (on a file system of the disk), sends it once, and
has TLS and login as in a mailbox.
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

BENCHES = Path(os.environ["SYNCLINE_BENCH_DIR"])
LETTERS = 1000
ROUND_TRIP_MS = 40
SERVERS = Path(__file__).resolve().parent.parent / "mailservers"
USER, SINK = "alice@lab.test", "sink@discard.test"


def settings_of(folder):
    settings = {}
    for line in (folder / "env").read_text().splitlines():
        for word in line.removeprefix("export ").split():
            name, _, value = word.partition("=")
            settings[name] = value
    return settings


def ours(program, what, port, lab, folder, *more):
    command = [BENCHES / program, what, str(port), lab["LAB_CA"], USER, folder, *more]
    done = subprocess.run(command, input=lab["LAB_PASSWORD"] + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} {what} failed:\n{done.stderr}")
    result = json.loads(done.stdout)
    return result["messages"] / result["seconds"], result["cpuSeconds"] / result["messages"] * 1e6, result["messages"]


def peer(command, count):
    began = time.monotonic()
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.monotonic() - began
    after = os.times()
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    messages = count()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return messages / seconds, cpu / messages * 1e6, messages


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def report(name, rounds):
    rates, cpus = [r[0] for r in rounds], [r[1] for r in rounds]
    print(f"{name:34} {max(rates):9.0f} {statistics.median(rates):9.0f} msgs/s {statistics.median(cpus):8.0f} us CPU/msg")
    return max(rates), statistics.median(rates), statistics.median(cpus)


def far(lab, letters, scratch):
    few = fresh(scratch / "few")
    for letter in sorted(letters.iterdir())[:100]:
        shutil.copy(letter, few)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    proxy = subprocess.Popen([sys.executable, "-P", SERVERS / "delay_proxy.py", str(ROUND_TRIP_MS / 2000),
                              f"{port}:{lab['LAB_SMTPS']}"])
    try:
        time.sleep(1)
        rate, _, count = ours("bench_mail_clients", "smtp", port, lab, few, SINK)
    finally:
        proxy.terminate()
        proxy.wait()
    trips = 1000 / rate / ROUND_TRIP_MS
    print(f"SMTP at {ROUND_TRIP_MS} ms: {count} messages, {trips:.2f} round trips each, sign-in included (bar 2.2)")


def main():
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    missing = [tool for tool in ("mpop", "smtp-source", "dovecot") if shutil.which(tool) is None]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} not installed")
        return
    lab_folder = Path(tempfile.mkdtemp(prefix="mail-bench."))
    lab_folder.chmod(0o755)
    scratch = Path(tempfile.mkdtemp(prefix="mail-bench.", dir="/dev/shm"))
    scratch.chmod(0o755)
    try:
        subprocess.run([SERVERS / "start.sh", lab_folder], check=True, stdout=subprocess.DEVNULL)
        lab = settings_of(lab_folder)
        generate = [sys.executable, "-P", SERVERS / "gen_messages.py"]
        subprocess.run([*generate, "--maildir", lab_folder / "home/alice/Maildir", "--count", str(messages)], check=True,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["chown", "-R", "mail:mail", lab_folder / "home/alice"], check=False)
        letters = scratch / "letters"
        subprocess.run([*generate, "--eml", letters, "--count", str(LETTERS), "--max-kb", "20", "--seed", "7"], check=True,
                       stderr=subprocess.DEVNULL)
        mean = sum(f.stat().st_size for f in letters.iterdir()) // LETTERS

        config = scratch / "mpop.conf"
        config.write_text(f"account a\nhost localhost\nport {lab['LAB_POP3S']}\ntls on\ntls_starttls off\n"
                          f"tls_trust_file {lab['LAB_CA']}\nuser {USER}\npassword {lab['LAB_PASSWORD']}\nauth plain\nkeep on\n"
                          f"only_new off\npipelining on\nreceived_header off\nuidls_file {scratch}/uidls\n"
                          f"delivery maildir {scratch}/mpop\n")
        config.chmod(0o600)

        def mpop():
            maildir = fresh(scratch / "mpop")
            for part in ("cur", "new", "tmp"):
                (maildir / part).mkdir()
            (scratch / "uidls").unlink(missing_ok=True)
            return peer(["mpop", "-q", "-C", config, "a"], lambda: sum(1 for _ in (maildir / "new").iterdir()))

        def source():
            return peer(["smtp-source", "-s", "1", "-m", str(LETTERS), "-d", "-l", str(mean), "-f", USER, "-t", SINK,
                         f"127.0.0.1:{lab['LAB_SMTP']}"], lambda: LETTERS)

        def engine():
            return ours("bench_mail_sync", "send", lab["LAB_SMTPS"], lab, fresh(lab_folder / "organisation"), SINK, str(LETTERS),
                        str(mean))

        tasks = {
            "POP3 ours": lambda: ours("bench_mail_clients", "pop3", lab["LAB_POP3S"], lab, fresh(scratch / "ours")),
            "POP3 mpop": mpop,
            "SMTP ours": lambda: ours("bench_mail_clients", "relay", lab["LAB_SMTP"], lab, letters, SINK),
            "SMTP ours (TLS, login)": lambda: ours("bench_mail_clients", "smtp", lab["LAB_SMTPS"], lab, letters, SINK),
            "SMTP engine (TLS, login, journal)": engine,
            "SMTP smtp-source": source,
        }
        results = {name: [] for name in tasks}
        for task in (tasks["POP3 mpop"],):
            task()  # Dovecot indexes the mailbox on first use
        for _ in range(turns):
            for name, task in tasks.items():
                results[name].append(task())
        print(f"{messages} messages by POP3, {LETTERS} by SMTP of {mean} octets, {turns} rounds; best, middle:")
        figures = {name: report(name, rounds) for name, rounds in results.items()}
        for protocol, one, other in (("POP3", "POP3 ours", "POP3 mpop"),
                                     ("SMTP", "SMTP ours", "SMTP smtp-source"),
                                     ("SMTP, TLS and login", "SMTP ours (TLS, login)", "SMTP smtp-source"),
                                     ("SMTP, engine", "SMTP engine (TLS, login, journal)", "SMTP smtp-source")):
            best, middle = figures[one][0] / figures[other][0], figures[one][1] / figures[other][1]
            print(f"{protocol}: {best:.2f} (best) and {middle:.2f} (middle) of the peer's rate")
        far(lab, letters, scratch)
    finally:
        subprocess.run([SERVERS / "stop.sh", lab_folder], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(lab_folder, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
