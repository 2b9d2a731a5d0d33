#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers and followers of the API while `serve` is stopped and killed at random: nothing is done twice, no change is
lost to any follower, and memory does not grow.

usage: soak_api.py [--seconds N] [--seed N]"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "real/api_cli"))
from serving import Serving  # noqa: E402

UNREACHABLE = (OSError, http.client.HTTPException, ValueError)


class Soak:
    def __init__(self, seconds, seed):
        self.random = random.Random(seed)
        self.seconds = seconds
        self.serving = Serving("--api-rate", "100000", mailboxes=())
        # AddressSanitizer keeps what was freed, 256 MiB of it before it gives any back: that would be taken for a leak.
        self.serving.env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
        self.wanted = {}  # id: (version, deleted), as the API said
        self.lock = threading.Lock()
        self.writing, self.following = True, True
        self.failures = []
        self.counts = collections.Counter()
        self.threads = []

    def ask(self, *arguments, **options):
        """Until there is an answer that is not trouble of the server: it is being restarted."""
        while True:
            try:
                answer = self.serving.ask(*arguments, role="application", **options)
                if answer.status < 500:
                    return answer
            except UNREACHABLE:
                pass
            self.counts["repeated"] += 1
            time.sleep(0.02)

    def note(self, record):
        with self.lock:
            self.wanted[record["id"]] = (record["version"], record["deleted"])

    def write(self, name, seed):
        chance = random.Random(seed)
        own = []
        while self.writing:
            if not own or chance.random() < 0.4:
                line = {"kind": chance.choice(("contact", "task")), "owner": f"{name}@x", "fields": {}}
                answer = self.ask("POST", "/records", line, Idempotency_Key=str(uuid.UUID(int=chance.getrandbits(128))))
                assert answer.status == 201, answer
                own.append([answer.json["id"], answer.header["ETag"]])
                self.note(answer.json)
                self.counts["added"] += 1
                continue
            one = chance.choice(own)
            if chance.random() < 0.8:
                answer = self.ask("PATCH", f"/records/{one[0]}", {"fields": {"categories": [str(chance.random())]}}, If_Match=one[1])
            else:
                answer = self.ask("DELETE", f"/records/{one[0]}", If_Match=one[1])
            if answer.status == 412:
                # Done before the answer was lost: nobody else writes this record.
                answer = self.ask("GET", f"/records/{one[0]}")
                self.counts["answers lost"] += 1
            assert answer.status == 200, answer
            one[1] = answer.header["ETag"]
            self.note(answer.json)
            self.counts["changed"] += 1
            if answer.json["deleted"] and chance.random() < 0.5:
                own.remove(one)

    def see(self, seen, change):
        record = change["record"]
        version = (record["version"], record["deleted"])
        before = seen.get(record["id"])
        assert before is None or before[0] <= version[0], f"record {record['id']} went back from {before} to {version}"
        seen[record["id"]] = version
        self.counts["seen"] += 1

    def is_done(self, seen):
        if self.following:
            return False
        with self.lock:
            return seen == self.wanted

    def poll(self, seen):
        place = ""
        while not self.is_done(seen):
            answer = self.ask("GET", "/changes?wait=2&limit=50" + (f"&after={place}" if place else ""))
            assert answer.status == 200, answer
            for change in answer.json["changes"]:
                self.see(seen, change)
            place = answer.json["next"]

    def stream(self, seen):
        place = ""
        while not self.is_done(seen):
            connection = None
            try:
                connection = self.serving.connect(timeout=20)
                header = {"Authorization": f"Bearer {self.serving.tokens['application']}", **({"Last-Event-ID": place} if place else {})}
                connection.request("GET", "/api/v1/changes/stream", headers=header)
                answer = connection.getresponse()
                if answer.status != 200:
                    time.sleep(0.02)
                    continue
                data, own = None, None
                while not self.is_done(seen):
                    line = answer.readline().decode()
                    if not line:
                        break
                    if line.startswith("id: "):
                        own = line[4:].strip()
                    elif line.startswith("data: "):
                        data = json.loads(line[6:])
                    elif line == "\n" and own:
                        if data:
                            self.see(seen, data)
                        place, data, own = own, None, None
            except UNREACHABLE:
                time.sleep(0.02)
            finally:
                if connection:
                    connection.close()
            self.counts["streams"] += 1

    def list_all(self, _):
        while self.following:
            cursor, ids = None, []
            while True:
                answer = self.ask("GET", "/records?limit=100&deleted=true" + (f"&cursor={cursor}" if cursor else ""))
                ids += [one["id"] for one in answer.json["items"]]
                cursor = answer.json["next"]
                if not cursor:
                    break
            assert len(ids) == len(set(ids)), "a page gave a record twice"
            self.counts["lists"] += 1
            time.sleep(0.1)

    def start(self, work, *arguments):
        def run():
            try:
                work(*arguments)
            except BaseException as error:  # noqa: BLE001: told by the main thread
                self.failures.append(f"{work.__name__}: {error!r}")
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.threads.append(thread)

    def check(self):
        if self.failures:
            raise SystemExit("\n".join(self.failures) + "\n" + self.serving.log()[-4000:])

    def resident(self):
        status = pathlib.Path(f"/proc/{self.serving.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def run(self):
        seen = [{}, {}, {}]
        for i in range(3):
            self.start(self.write, f"w{i}", self.random.getrandbits(32))
        for work, own in ((self.poll, seen[0]), (self.poll, seen[1]), (self.stream, seen[2])):
            self.start(work, own)
        self.start(self.list_all, None)
        began = time.monotonic()
        longest = max(2.0, min(60.0, self.seconds / 10))
        while time.monotonic() - began < self.seconds * 2 / 3:
            time.sleep(self.random.uniform(0.5, longest))
            self.check()
            if self.random.random() < 0.5:
                self.serving.kill()
            else:
                self.serving.end()
            self.serving.start()
            self.counts["restarts"] += 1
        # The rest in one process, for its memory.
        time.sleep(self.seconds / 12)
        before = self.resident()
        time.sleep(self.seconds / 4)
        after = self.resident()
        self.check()
        self.writing = False
        for thread in self.threads[:3]:
            thread.join(60)
        self.following = False
        for name, thread in zip(("poll", "poll", "stream", "list"), self.threads[3:]):
            thread.join(60)
            if thread.is_alive():
                index = self.threads.index(thread) - 3
                missing = {one: (self.wanted[one], seen[index].get(one)) for one in self.wanted if seen[index].get(one) != self.wanted[one]}
                raise SystemExit(f"lost to {name} {index}: {missing}")
        self.check()
        assert self.counts["added"] == len(self.wanted), "something was done twice"
        listed = len(self.everything())
        assert listed == len(self.wanted), (listed, len(self.wanted))
        self.serving.end()
        assert "ERROR: LeakSanitizer" not in self.serving.log()
        print(json.dumps({**self.counts, "records": len(self.wanted), "residentMiB": [before, after]}))
        allowed = before * 1.25 + 24
        assert after <= allowed, f"memory grew from {before} to {after} MiB"

    def everything(self):
        return [line for line in self.serving.run("record", "list", "--deleted", "--format", "json").splitlines() if line]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    soak = Soak(options.seconds, options.seed)
    try:
        soak.run()
    finally:
        soak.serving.close()


if __name__ == "__main__":
    main()
