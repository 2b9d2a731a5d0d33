#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for a provider's sign-in in tools/demo: an OAuth server whose tokens the demo's Dovecot believes.

usage: sign_in_provider.py LAB_FOLDER USER      prints its address and serves until it is ended
"""
import pathlib
import subprocess
import sys
import threading

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests"
sys.path.insert(0, str(TESTS / "fake/auth_cli"))
from oauth_server import OAuthServer  # noqa: E402

lab, user = sys.argv[1:3]
server = OAuthServer("demo.apps.example", "demo-client-secret")
issue = server.issue


def issue_for_dovecot(who, scope, refresh):
    token = subprocess.run([sys.executable, TESTS / "mailservers/token.py", lab, user], check=True, capture_output=True,
                           encoding="utf-8").stdout.strip()
    return {**issue(who, scope, refresh), "access_token": token}


server.issue = issue_for_dovecot
print(server.base, flush=True)
threading.Event().wait()
