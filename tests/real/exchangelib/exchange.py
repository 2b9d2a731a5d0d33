# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the test Exchange on loopback for a test, and ends it by pid."""
import json
import os
import subprocess
from pathlib import Path

BIN = Path(os.environ["SYNCLINE_BIN_DIR"]) / "exchange-sim"


class Exchange:
    """An exchange-sim with two users; `ready` is the line it prints when it listens."""

    def __init__(self, *options):
        users = ["--user", "anna@example.com:anna's password", "--user", "bert@example.com:bert's password"]
        self.process = subprocess.Popen([str(BIN), "--port", "0", *users, *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"exchange-sim did not start: exit {self.process.wait()}")
        self.ready = json.loads(line)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()
