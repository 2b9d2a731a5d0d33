#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline serve` and an IMAP mailbox at Dovecot: watched by IDLE on one connection, its run's."""
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sync_cli"), str(HERE.parent / "mail_hosts_cli")]
from exchange_world import Exchange, Syncline, wait_for  # noqa: E402
from test_mail_hosts_cli import Lab, MailHosts, outgoing  # noqa: E402
from test_serve_cli import Serving  # noqa: E402


class Idle(MailHosts, Serving):
    def connections(self):
        """Sessions at Dovecot's IMAP port, as the kernel sees them."""
        port = f":{self.lab.port('LAB_IMAPS'):04X}"
        lines = [line.split() for name in ("tcp", "tcp6")
                 for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
        return sum(line[2].endswith(port) and line[3] == "01" for line in lines)

    def pushed(self):
        return self.metric("syncline_mailboxes_watched", by="push") == 1

    def test_a_message_is_a_record_within_seconds_and_one_connection_is_enough(self):
        self.lab.empty("alice", "bob")
        self.ready_with(self.host_profile("Post", "imap_smtp"), self.mailbox(self.alice, "Post", 'act = "none"\n'))
        self.let_in_by_password(self.alice)
        self.serve()
        wait_for(self.pushed, "IDLE")
        for number in range(3):
            began = time.monotonic()
            self.lab.deliver(self.alice, f"Pushed {number}", f"<pushed{number}@lab.test>")
            wait_for(lambda wanted=number + 1: len(self.records("email")) == wanted, "the message")
            self.assertLess(time.monotonic() - began, 60, "it was polled for")
        self.add(outgoing(self.alice, self.bob, "Out"))
        wait_for(lambda: len(self.lab.messages("bob", "")) == 1, "what goes out")
        wait_for(lambda: self.metric("syncline_mailboxes", state="waiting") == 1 and self.connections() == 1,
                 "one connection")
        for protocol in ("imap", "smtp"):
            self.assertGreater(self.metric("syncline_server_answer_seconds_count", protocol=protocol, operation="command"), 3, protocol)
        self.end()
        wait_for(lambda: self.connections() == 0, "the end of its connection")


if __name__ == "__main__":
    Syncline.exchange = Exchange()
    MailHosts.lab = Lab()
    try:
        unittest.main(verbosity=2)
    finally:
        Syncline.exchange.close()
        MailHosts.lab.close()
