#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every administrative act is in the audit: each command of the program is named here, as an act or as none."""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"

CONFIG = """
[organisation]
name = "Contoso"
[defaults]
mail_out = "none"
[[profile]]
name = "Host"
type = "imap_smtp"
in_host = "imap.contoso.example"
out_host = "smtp.contoso.example"
in_port = 993
out_port = 465
in_tls = "implicit"
out_tls = "implicit"
[[mailbox]]
address = "ana@contoso.example"
profile = "Host"
act = "none"
mail_out = "sss"
"""

# They look, or they do what records and mailboxes ask for, which the journal tells.
NO_ACTS = {
    "inspect ews", "inspect mime", "inspect recurrence", "inspect timezone", "check", "rules list", "rules show", "route",
    "discover", "export-config", "config example", "auth status", "mailbox list", "mailbox show", "role list", "alerts list",
    "record list", "record show", "record add", "record update", "record delete", "content put", "content get", "content list",
    "content check", "content sweep", "content show", "content add", "journal", "status", "quarantine list", "audit", "serve",
    "token list", "readiness", "webhook list", "webhook show"}
# What needs another server to be done; the tests of these look for the entry.
ELSEWHERE = {"auth login": "tests/fake/auth_cli/test_auth_cli.py", "auth logout": "tests/fake/auth_cli/test_auth_cli.py"}


class Audit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.org, self.key = self.folder / "contoso", self.folder / "key"

    def run_program(self, *arguments, text=None):
        return subprocess.run([PROGRAM, "--org", self.org, "--key", self.key, *map(str, arguments)], input=text,
                              capture_output=True, encoding="utf-8", check=False, timeout=60,
                              env={**os.environ, "LC_ALL": "C"})

    def audit(self):
        result = self.run_program("audit", "--format", "json")
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def sql(self, statement, *values):
        with sqlite3.connect(self.org / "syncline.db") as database:
            return database.execute(statement, values).fetchall()

    def commands(self, *path):
        """Every command that can be called, by what its help lists."""
        text = self.run_program(*path, "--help").stdout
        found = re.search(r"^(?:SUBCOMMANDS|Subcommands):\n((?:  .*\n)+)", text, re.M)
        names = re.findall(r"^  (\S+)", found.group(1), re.M) if found else []
        if not names:
            return [" ".join(path)]
        return [one for name in names for one in self.commands(*path, name)]

    def test_every_command_is_an_act_or_none_and_every_act_is_in_the_audit(self):
        (self.folder / "config.toml").write_text(CONFIG)
        ana = "ana@contoso.example"

        def after_apply():
            mailbox = self.sql("SELECT id FROM mailbox")[0][0]
            self.sql("INSERT INTO quarantine VALUES (?, 'item-1', 'f', 'v', 'code', 'text', 1, 1, 1, 0)", mailbox)
            self.sql("INSERT INTO setting(name, json) VALUES(?, ?)", f"brake:{ana}", '{"pulled":true}')
            self.sql("INSERT INTO alert (at, mailbox, level, code, text, remedy, count, open) VALUES (1, ?, 2, 'c', 't', '', 1, 1)",
                     mailbox)

        who = ["--as", "vera", "--reason", "ticket 4711"]
        # command, arguments, standard input, the entry's act, part of its object
        acts = [
            ("init", ["--name", "Contoso"], None, "organisation.create", "organisation"),
            ("apply", [self.folder / "config.toml", *who], None, "apply.add", "profile Host"),
            (None, after_apply, None, None, None),
            ("secret set", ["--mailbox", ana, "--stdin"], "x\n", "secret.set", ana),
            ("role grant", ["vera", "system_admin", *who], None, "role.grant", "vera: system_admin"),
            ("mailbox approve", [ana, *who], None, "mailbox.approve", ana),
            ("mailbox set", ["start_date=2026-11-01", ana, *who], None, "apply.change", f"{ana}: start_date"),
            ("mailbox apply-defaults", [ana, *who], None, "apply.change", f"{ana}: mail_out"),
            ("mailbox test", [ana, "--background", *who], None, "mailbox.test", ana),
            ("mailbox enable", [ana, *who], None, "mailbox.enable", ana),
            ("alerts acknowledge", ["1", *who], None, "alert.acknowledge", "alert 1"),
            ("quarantine replay", ["item-1", *who], None, "quarantine.replay", "item-1"),
            ("brake release", who, None, "brake.release", ana),
            ("mailbox disable", [ana, *who], None, "mailbox.disable", ana),
            ("sync", ["--override", "--mailbox", ana, *who], None, "mailbox.take-over", ana),
            ("mailbox reject", [ana, *who], None, "mailbox.reject", ana),
            ("role revoke", ["vera", "system_admin", *who], None, "role.revoke", "vera: system_admin"),
            ("key rotate", who, None, "key.rotate", ""),
            ("backup", [self.folder / "copy"], None, "organisation.backup", str(self.folder / "copy")),
            ("token create", ["--name", "monitor", "--role", "read-only", *who], None, "token.create", "monitor"),
            ("token revoke", ["1", *who], None, "token.revoke", "monitor"),
            (None, self.key.unlink, None, None, None),
            ("key replace", who, None, "key.replace", ""),
        ]
        commands = set(self.commands())
        self.assertGreater(len(commands), 40, commands)
        # `mailbox test` without a daemon is the same act.
        unnamed = commands - NO_ACTS - set(ELSEWHERE) - {act[0] for act in acts}
        self.assertEqual(unnamed, set(), "say of these commands whether they are administrative acts")

        seen = 0
        for command, arguments, text, act, part in acts:
            if command is None:
                arguments()
                continue
            with self.subTest(command=command):
                result = self.run_program(*command.split(" "), *arguments, text=text)
                self.assertIn(result.returncode, (0, 1), result.stdout + result.stderr)
                entries = self.audit()
                new, seen = entries[seen:], len(entries)
                found = [entry for entry in new if entry["act"] == act and part in entry["object"]]
                self.assertTrue(found, f"{command}: {new} {result.stdout} {result.stderr}")
                if "--as" in arguments:
                    self.assertEqual({(entry["who"], entry["reason"]) for entry in new}, {("vera", "ticket 4711")})
                self.assertNotIn("ticket", entries[0]["reason"] or "")

    def test_acts_that_need_a_server_are_looked_for_where_they_are_tested(self):
        root = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
        for command, file in ELSEWHERE.items():
            self.assertIn(command.replace(" ", "."), (root / file).read_text("utf-8"), command)

    def test_what_is_refused_leaves_no_entry(self):
        (self.folder / "config.toml").write_text(CONFIG)
        self.run_program("init")
        self.run_program("apply", self.folder / "config.toml")
        before = self.audit()
        for arguments in (["mailbox", "enable", "ana@contoso.example"], ["mailbox", "set", "act=sss", "ana@contoso.example"],
                          ["mailbox", "test", "ana@contoso.example", "--background"], ["brake", "release"],
                          ["alerts", "acknowledge", "7"], ["role", "revoke", "otto", "system_admin"],
                          ["mailbox", "approve", "nobody@contoso.example"]):
            self.run_program(*arguments)
        self.assertEqual(self.audit(), before)


if __name__ == "__main__":
    unittest.main()
