#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invariant 19: what another filter or policy would bring is counted before it is switched on, in both directions."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sync_cli"))
from exchange_world import Exchange, Syncline, validate  # noqa: E402


class ProposedPolicy(Syncline):
    def file(self, user, name, adopt="category", track="none", send="[]", extra=""):
        text = self.configuration(self.profile("Basement"), self.mailbox(user), extra)
        for before, after in (('adopt_contacts = "all"', f'adopt_contacts = "{adopt}"'),
                              ('track = "all"', f'track = "{track}"'),
                              ('send_contacts = ["owner"]', f"send_contacts = {send}")):
            self.assertIn(before, text)
            text = text.replace(before, after)
        path = self.folder / name
        path.write_text(text)
        return path

    def counts(self, user, *arguments):
        line = self.sync("--dry-run", *arguments)[user]
        return {kind: line["kinds"][kind]["came"] for kind in ("contact", "email")}

    def test_invariant19_a_policy_is_counted_before_it_is_switched_on(self):
        user = self.exchange.user()
        self.ok("init", "--name", self.name)
        now = self.file(user, "now.toml")
        self.ok("apply", now)
        self.let_in(user)
        for number in range(3):
            self.exchange.add_contact(user, "Ada", f"L{number}")
        for number in range(2):
            self.exchange.deliver(user, f"m{number}")
        self.add({"kind": "contact", "owner": user, "fields": {"surname": "ours"}},
                 {"kind": "contact", "owner": "somebody@else.test", "fields": {"surname": "theirs"}})
        self.sync()
        self.assertEqual(self.counts(user), {"contact": 0, "email": 0}, "everything has been passed over")
        before = self.records(), self.ok("export-config"), self.dump(), self.exchange.items(user, "contacts")

        # What would become a record: read from the beginning, on a copy.
        wanted = self.file(user, "wanted.toml", adopt="all", track="all", send='["owner"]')
        self.assertEqual(self.counts(user, "--apply", wanted), {"contact": 3, "email": 2})
        # What would go there: the orders, and the counts of apply.
        result = self.run_program("sync", "--dry-run", "--apply", wanted)
        self.assertIn("create contact", result.stdout)
        self.assertIn(f"{user}: the filters send 1 contact there, 0 before", self.ok("apply", wanted, "--dry-run"))
        [line] = validate("apply", self.ok("apply", wanted, "--dry-run", "--format", "json"))
        self.assertEqual(line["outbound"], [{"mailbox": user, "kind": "contact", "before": 0, "after": 1}])
        self.assertEqual((self.records(), self.ok("export-config"), self.dump(), self.exchange.items(user, "contacts")), before,
                         "nothing was changed")
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_a_proposed_file_is_judged_like_one_that_is_applied(self):
        user = self.exchange.user()
        self.ok("init", "--name", self.name)
        self.ok("apply", self.file(user, "now.toml"))
        refused = self.file(user, "refused.toml", extra=(
            '[[profile]]\nname = "G"\ntype = "gmail"\nclient_id = "x"\n'
            '[[mailbox]]\naddress = "c@gmail.com"\nprofile = "G"\nact = "sss"\n'))
        result = self.run_program("sync", "--dry-run", "--apply", refused)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("c@gmail.com: refused, rejected by", result.stderr)
        wrong = self.folder / "wrong.toml"
        wrong.write_text("nonsense = 1\n")
        self.assertEqual(self.run_program("sync", "--dry-run", "--apply", wrong).returncode, 2)
        self.assertEqual(self.run_program("sync", "--apply", refused).returncode, 2, "of a dry run only")


def setUpModule():
    Syncline.exchange = Exchange()


def tearDownModule():
    Syncline.exchange.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
