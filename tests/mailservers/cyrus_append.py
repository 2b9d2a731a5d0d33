#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appends the .eml files of a folder, in the order of their names, to a user's inbox on the Cyrus of cyrus.sh:
cyrus_append.py WORKDIR USER FOLDER. One command for many (RFC 3502): Cyrus makes each command durable by itself."""
import pathlib
import socket
import ssl
import sys

work, user, folder = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
settings = dict(word.split("=", 1) for word in (work / "env").read_text().split() if "=" in word)
context = ssl.create_default_context(cafile=settings["LAB_CA"])
plain = socket.create_connection(("127.0.0.1", int(settings["LAB_IMAPS"])))
stream = context.wrap_socket(plain, server_hostname="localhost")
replies = stream.makefile("rb")
replies.readline()


def run(command: bytes) -> None:
    stream.sendall(b"a " + command + b"\r\n")
    while not (line := replies.readline()).startswith(b"a "):
        if not line:
            sys.exit("Cyrus has ended the connection")
    if not line.startswith(b"a OK"):
        sys.exit(line.decode())


run(f"LOGIN {user}@{settings['LAB_DOMAIN']} {settings['LAB_PASSWORD']}".encode())
messages = []
for path in sorted(folder.glob("*.eml")):
    octets = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    messages.append(b" {%d+}\r\n" % len(octets) + octets)
for start in range(0, len(messages), 50):
    run(b"APPEND INBOX" + b"".join(messages[start : start + 50]))
run(b"LOGOUT")
