#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints as many free loopback ports as asked for: free_ports.py COUNT."""
import random
import socket
import sys

# All at once, so that they differ. Below the range that connections get their own ports from.
held = []
while len(held) < int(sys.argv[1]):
    one = socket.socket()
    try:
        one.bind(("127.0.0.1", random.randrange(12000, 32000)))
    except OSError:
        continue
    held.append(one)
print(*(one.getsockname()[1] for one in held))
