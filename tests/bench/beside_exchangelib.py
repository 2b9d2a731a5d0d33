# SPDX-License-Identifier: GPL-3.0-or-later
"""Our EWS client and exchangelib read the same mailbox of the test Exchange, turn by turn, each as a process of its own.

usage: beside_exchangelib.py [ITEMS [ROUNDS]]        needs SYNCLINE_BIN_DIR and SYNCLINE_BENCH_DIR
Prints CPU seconds of each client (the smallest and the middle of the rounds), items for each CPU second, and the ratio.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(os.environ["SYNCLINE_BIN_DIR"])
OURS = Path(os.environ["SYNCLINE_BENCH_DIR"]) / "bench_ews_client"
USER, PASSWORD = "anna@example.com", "benchmark"

THEIRS = """
import resource, sys
from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials, Version
from exchangelib.version import EXCHANGE_2019
url, user, workload = sys.argv[1:4]
password = sys.stdin.readline().rstrip("\\n")
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = cpu()
config = Configuration(service_endpoint=url, credentials=Credentials(user, password), auth_type=BASIC,
                       version=Version(EXCHANGE_2019))
account = Account(user, config=config, autodiscover=False, access_type=DELEGATE)
count = octets = 0
if workload == "ids":
    count = sum(1 for _ in account.inbox.sync_items(only_fields=["id", "changekey"], max_changes_returned=512))
else:
    fields = {"metadata": ["subject", "datetime_received", "size", "importance", "sensitivity", "has_attachments",
                           "categories", "item_class", "datetime_sent", "conversation_id", "in_reply_to", "author", "sender",
                           "to_recipients", "cc_recipients", "message_id", "is_read", "references"],
              "mime": ["mime_content"]}[workload]
    ids = [(i.id, i.changekey) for _, i in account.inbox.sync_items(only_fields=["id", "changekey"])]
    for item in account.fetch(ids=ids, only_fields=[f for f in account.inbox.allowed_item_fields(account.version)
                                                    if f.name in fields], chunk_size=100 if workload == "metadata" else 10):
        count += 1
        octets += len(item.mime_content) if workload == "mime" else 0
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import json
print(json.dumps({"items": count, "octets": octets, "cpuSeconds": round(cpu() - before, 3), "peakKilobytes": peak}))
"""


def run(command):
    done = subprocess.run(command, input=PASSWORD + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    server = subprocess.Popen([BIN / "exchange-sim", "--port", "0", "--no-schema", "--user", f"{USER}:{PASSWORD}",
                               "--generate", str(items), "--seed", "1"], stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())["ews"].replace("localhost", "127.0.0.1")
        print(f"{items} messages; load average {open('/proc/loadavg').read().split()[:3]}")
        print(f"{'workload':10} {'client':12} {'items':>7} {'CPU s min':>10} {'median':>8} {'items/CPU s':>12} {'peak MB':>8}")
        for workload in ("ids", "metadata", "mime"):
            clients = {"syncline": [str(OURS), url, USER, workload],
                       "exchangelib": ["/usr/bin/python3", "-c", THEIRS, url, USER, workload]}
            seen = {name: [] for name in clients}
            for _ in range(rounds):
                for name, command in clients.items():
                    seen[name].append(run(command))
            best = {}
            for name, results in seen.items():
                times = [r["cpuSeconds"] for r in results]
                best[name] = max(min(times), 0.001)
                print(f"{workload:10} {name:12} {results[0]['items']:7} {min(times):10.3f} {statistics.median(times):8.3f} "
                      f"{results[0]['items'] / best[name]:12.0f} {results[0]['peakKilobytes'] / 1024:8.1f}")
            print(f"{workload:10} ratio: exchangelib needs {best['exchangelib'] / best['syncline']:.1f} times our CPU")
    finally:
        server.terminate()
        server.wait()
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(f'''strict = false
[[site]]
name = "large"
[site.limits]
request_octets = {256 << 20}
[[site.listener]]
[[site.user]]
address = "{USER}"
password = "{PASSWORD}"
''')
        config.flush()
        large = subprocess.Popen([BIN / "exchange-sim", "--no-schema", "--config", config.name], stdout=subprocess.PIPE,
                                 text=True)
        try:
            url = json.loads(large.stdout.readline())["ews"].replace("localhost", "127.0.0.1")
            done = subprocess.run([str(OURS), url, USER, "attachment", str(150 << 20)], input=PASSWORD + "\n",
                                  capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"the attachment failed:\n{done.stderr}")
            seen = json.loads(done.stdout)
            print(f"150 MiB attachment up and down: {seen['octets'] / 2**20 / seen['cpuSeconds']:.0f} MiB for each CPU s, "
                  f"peak {seen['peakKilobytes'] / 1024:.1f} MB, {done.stderr.strip()}")
        finally:
            large.terminate()
            large.wait()


if __name__ == "__main__":
    main()
