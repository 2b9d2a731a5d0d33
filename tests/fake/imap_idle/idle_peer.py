#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An IMAP server for thousands of connections that mostly wait: one inbox in memory for each user, CONDSTORE, QRESYNC
and IDLE, in the clear and by TLS.

    idle_peer.py CERTIFICATE KEY

Prints {"port": …, "tlsPort": …}. Commands come by standard input, one a line; each is answered by a line:
    idling            how many connections are in IDLE
    deliver USER      a message for USER, announced at once; the answer is the time (monotonic, ns) just before
The end of standard input ends it."""
import asyncio
import base64
import json
import re
import ssl
import sys
import time

CAPABILITIES = "IMAP4rev1 LITERAL+ SASL-IR IDLE ENABLE CONDSTORE QRESYNC UIDPLUS MOVE ESEARCH SPECIAL-USE AUTH=PLAIN"


class Mailbox:
    def __init__(self, user):
        # UID → octets; its mod-sequence is its UID and one more. The first one takes buffers to their full size.
        self.messages = {1: message(user, 1, 100_000)}
        self.idling = set()  # connections

    @property
    def next_uid(self):
        return len(self.messages) + 1


mailboxes = {}


def message(user, uid, octets=10):
    text = "hello and so on, for a line of text\r\n" * (octets // 37 + 1)
    return (
        f"From: Sender <sender@example.test>\r\nTo: {user}\r\nSubject: message {uid} for {user}\r\n"
        f"Message-ID: <{uid}.{user}>\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n\r\n{text}"
    ).encode()


def uids_in(text, mailbox):
    chosen = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        ends = [mailbox.next_uid - 1 if end == "*" else int(end) for end in (first, last or first)]
        chosen += [uid for uid in range(max(1, min(ends)), min(max(ends), mailbox.next_uid - 1) + 1)]
    return chosen


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.mailbox = None
        self.user = ""
        self.idle_tag = None

    def say(self, text):
        self.writer.write(text if isinstance(text, bytes) else (text + "\r\n").encode())

    def announce(self):
        self.say(f"* {len(self.mailbox.messages)} EXISTS")

    def sign_in(self, words):
        self.user = base64.b64decode(words[1]).split(b"\0")[1].decode()
        self.mailbox = mailboxes.setdefault(self.user, Mailbox(self.user))

    def select(self, rest):
        count, modseq = len(self.mailbox.messages), self.mailbox.next_uid
        self.say(f"* FLAGS (\\Seen \\Deleted)\r\n* {count} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"
                 f"* OK [UIDNEXT {self.mailbox.next_uid}] x\r\n* OK [HIGHESTMODSEQ {modseq}] x")
        if resume := re.search(r"QRESYNC \(7 (\d+)", rest):
            for uid in range(int(resume[1]), self.mailbox.next_uid):
                self.say(f"* {uid} FETCH (UID {uid} FLAGS () MODSEQ ({uid + 1}))")

    def search(self, rest):
        found = list(range(1, self.mailbox.next_uid))
        if criterion := re.search(r"UID ([\d:*,]+)", rest):
            found = uids_in(criterion[1], self.mailbox)
        self.say(f"* ESEARCH (TAG \"x\") UID{' ALL ' + ','.join(map(str, found)) if found else ''}")

    def fetch(self, rest):
        numbers, _, items = rest.partition(" ")
        for uid in uids_in(numbers, self.mailbox):
            octets = self.mailbox.messages[uid]
            line = f"* {uid} FETCH (UID {uid} FLAGS () RFC822.SIZE {len(octets)}"
            line += ' INTERNALDATE " 5-Jan-2026 08:00:00 +0000"'
            if "BODY.PEEK[]" in items:
                self.say(f"{line} BODY[] {{{len(octets)}}}\r\n".encode() + octets + b")\r\n")
            else:
                self.say(line + ")")

    def answer(self, line):
        tag, _, command = line.partition(" ")
        upper = command.upper()
        if tag == "DONE":
            self.mailbox.idling.discard(self)
            tag, self.idle_tag = self.idle_tag, None
        elif upper == "CAPABILITY":
            self.say("* CAPABILITY " + CAPABILITIES)
        elif upper.startswith("AUTHENTICATE PLAIN "):
            self.sign_in(command.split()[1:])
        elif upper.startswith("ENABLE"):
            self.say("* ENABLED QRESYNC")
        elif upper.startswith("LIST"):
            self.say('* LIST () "/" INBOX')
        elif upper.startswith("SELECT"):
            self.select(command)
        elif upper.startswith("UID SEARCH"):
            self.search(command[11:])
        elif upper.startswith("UID FETCH"):
            self.fetch(command[10:])
        elif upper == "IDLE":
            self.idle_tag = tag
            self.mailbox.idling.add(self)
            return self.say("+ idling")
        self.say(tag + " OK done")

    async def serve(self):
        self.say(f"* OK [CAPABILITY {CAPABILITIES}] ready")
        try:
            while line := await self.reader.readline():
                self.answer(line.decode().rstrip("\r\n"))
        except ConnectionError:
            pass
        finally:
            if self.mailbox:
                self.mailbox.idling.discard(self)
            self.writer.close()


def control(line):
    words = line.split()
    if words[0] == "idling":
        return sum(len(mailbox.idling) for mailbox in mailboxes.values())
    mailbox = mailboxes[words[1]]
    uid = mailbox.next_uid
    mailbox.messages[uid] = message(words[1], uid)
    now = time.monotonic_ns()
    for connection in mailbox.idling:
        connection.announce()
    return now


async def main():
    async def serve(reader, writer):
        await Connection(reader, writer).serve()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    clear = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    tls = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024, ssl=context)
    ports = [server.sockets[0].getsockname()[1] for server in (clear, tls)]
    print(json.dumps({"port": ports[0], "tlsPort": ports[1]}), flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        print(control(line.decode()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
