#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline discover --all`: a mailbox that moved is parked and told of, one that came back goes on. Skipped where nobody
may listen on port 443."""
import json
import os
import pathlib
import socket
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "real/sync_cli")]
from exchange_world import PASSWORD, Exchange, Syncline  # noqa: E402

NUMBER = os.getpid() % 60000
HERE, THERE = (f"127.{one}.{NUMBER // 250}.{NUMBER % 250 + 1}" for one in (71, 72))
USER = "mo@move.test"


def site(name, product, build, address, domain, known):
    users = "".join(f'[[site.user]]\naddress = "{one}"\npassword = "{PASSWORD}"\nprincipal = "{USER}"\n' for one in known)
    return (f'[[site]]\nname = "{name}"\nproduct = "{product}"\nbuild = "{build}"\nhosts = ["mail.{domain}", '
            f'"autodiscover.{domain}"]\nschemes = ["basic"]\n[[site.listener]]\naddress = "{address}"\nport = 443\ntls = true\n'
            f"{users}")


def exchanges():
    return Exchange(site("here", "2019", "15.2.1544.14", HERE, "move.test", [USER]) +
                    site("there", "2013", "15.0.516.32", THERE, "old.test", ["mo2@old.test"]))


class Placement(Syncline):
    def setUp(self):
        super().setUp()
        self.ok("init", "--name", self.name)
        self.configure()
        self.let_in(USER)

    def configure(self):
        resolve = [f"{host}:443:{address}" for domain, address in (("move.test", HERE), ("old.test", THERE))
                   for host in (f"mail.{domain}", f"autodiscover.{domain}", domain)]
        values = {"name": "Basement", "type": "exchange_hybrid", "autodiscover": True, "auth_in": "mailbox_credentials",
                  "iis_auth": "basic", "ca_file": str(self.exchange.ca_file), "resolve": resolve,
                  "autodiscover_hosts": ["old.test", ".old.test"]}
        profile = "[[profile]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        self.apply(self.configuration(profile, self.mailbox(USER)))

    def discover(self, status=0):
        result = self.run_program("discover", "--all", "--format", "json", "--as", "vera")
        self.assertEqual((result.returncode, result.stderr), (status, ""), result.stdout)
        [line] = [json.loads(line) for line in result.stdout.splitlines()]
        return line

    def enabled(self):
        return self.status()["mailboxes"][0]["enabled"]

    def test_a_mailbox_that_moved_is_parked_and_goes_on_when_it_is_back(self):
        line = self.discover()
        self.assertEqual((line["state"], line["parked"]), ("fits", False), line)
        self.assertEqual(line["facts"]["location"], "on_premises")
        self.assertTrue(self.enabled())

        self.exchange.ask("POST", "sites/here", {"move": {
            "address": USER, "redirectAddress": "mo2@old.test"}})
        line = self.discover(status=1)
        self.assertEqual((line["state"], line["parked"], line["changed"]), ("elsewhere", True, True), line)
        self.assertFalse(self.enabled(), "nothing is synchronised with the wrong server")
        [alert] = [json.loads(one) for one in self.ok("alerts", "--format", "json").splitlines()]
        self.assertEqual((alert["code"], alert["mailbox"], alert["level"]), ("mailbox-moved", USER, "error"))
        line = self.discover(status=1)
        self.assertEqual((line["state"], line["parked"], line["changed"]), ("elsewhere", True, False), "once is enough")
        self.assertIn("vera mailbox.park", self.ok("audit"))

        # Back: another Exchange, where it never moved.
        self.exchange.close()
        Syncline.exchange = exchanges()
        self.configure()
        self.assertFalse(self.enabled())
        line = self.discover()
        self.assertEqual((line["state"], line["parked"], line["changed"]), ("fits", False, True), line)
        self.assertTrue(self.enabled())
        [alert] = [json.loads(one) for one in self.ok("alerts", "--format", "json").splitlines()]
        self.assertEqual((alert["code"], alert["level"], alert["mailbox"]), ("mailbox-goes-on", "information", USER))
        self.sync()


def main():
    for address in (HERE, THERE):
        with socket.socket() as one:
            try:
                one.bind((address, 443))
            except OSError as error:
                print(f"SKIPPED: nobody may listen on port 443 here ({error})")
                return 0
    Syncline.exchange = exchanges()
    try:
        return 0 if unittest.main(exit=False).result.wasSuccessful() else 1
    finally:
        Syncline.exchange.close()


if __name__ == "__main__":
    sys.exit(main())
