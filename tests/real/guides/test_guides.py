#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that a guide shows exists with its options; backup and restore are carried out as the operator's guide says."""
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"
DOCS = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"]) / "docs"


@functools.cache
def help_of(words):
    done = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def subcommands(text):
    part = text.partition("Subcommands:")[2]
    return re.findall(r"^  ([a-z][\w-]*)", part, re.M)


def commands_of(document):
    """Every call of the program in a fenced block, in a table or in a sentence: its words."""
    text = document.read_text()
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(syncline [^`]+)`", text)
    for line in lines:
        found = re.match(r"(?:runuser \S+ \S+ -- )?syncline (.*)", line)
        if found:
            yield line, shlex.split(re.sub(r"\s+#.*|\s+>.*|\s+<\s.*", "", found.group(1)).replace("…", ""))


class Guides(unittest.TestCase):
    def test_every_command_and_option_that_a_document_shows_exists(self):
        seen = 0
        for document in sorted(DOCS.glob("*.md")):
            for line, words in commands_of(document):
                seen += 1
                options = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
                at = ()
                while True:
                    text = help_of(at)
                    self.assertIsNotNone(text, f"{document.name}: {line}")
                    for option in options:
                        known = re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text)
                        if known:
                            options = [one for one in options if one != option]
                    known = subcommands(text)
                    rest = [word for word in words if word in known]
                    if not known or not rest:
                        break
                    at += (rest[0],)
                    words = words[words.index(rest[0]) + 1:]
                if words and not at:
                    self.assertTrue(words[0].startswith("-"), f"{document.name}: there is no such command: {line}")
                self.assertEqual(options, [], f"{document.name}: no such options in: {line}")
        self.assertGreater(seen, 60)

    def test_a_backup_is_restored_as_the_operators_guide_says(self):
        guide = (DOCS / "operator.md").read_text()
        self.assertIn("cp -a /srv/backup/contoso-2026-11-22 /var/lib/syncline/contoso", guide)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            org, key, copy = folder / "contoso", folder / "contoso.key", folder / "backup"

            def run(*arguments, text=""):
                done = subprocess.run([PROGRAM, "--org", org, "--key", key, *arguments], input=text, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout

            run("init", "--name", "Contoso")
            run("record", "add", text=json.dumps({"kind": "contact", "owner": "ana@contoso.example", "externalId": "c-1",
                                                  "fields": {"givenName": "Marta"}}) + "\n")
            run("backup", str(copy))
            self.assertFalse(any(path.suffix == ".key" for path in copy.rglob("*")))
            shutil.move(org, folder / "contoso.broken")
            subprocess.run(["cp", "-a", copy, org], check=True)
            run("status")
            self.assertIn("Marta", run("record", "list", "--format", "json"))
            run("record", "add", text=json.dumps({"kind": "contact", "owner": "ana@contoso.example", "externalId": "c-1",
                                                  "fields": {"givenName": "Marta", "surname": "Vogel"}}) + "\n")
            self.assertEqual(len(run("record", "list", "--format", "json").splitlines()), 1, "sent again, it is an update")
            run("key", "rotate")
            run("status")

            # The key is lost.
            (folder / "contoso.toml").write_text('[[profile]]\nname = "P"\ntype = "exchange_hybrid"\n')
            run("apply", str(folder / "contoso.toml"))
            run("secret", "set", "--profile", "P", "--stdin", text="first\n")
            refused = subprocess.run([PROGRAM, "--org", org, "--key", key, "key", "replace"], capture_output=True, text=True)
            self.assertEqual(refused.returncode, 2, "the key opens the secret")
            self.assertIn("key-is-good", refused.stderr)
            key.unlink()
            refused = subprocess.run([PROGRAM, "--org", org, "--key", key, "secret", "set", "--profile", "P", "--stdin"],
                                     input="second\n", capture_output=True, text=True)
            self.assertEqual(refused.returncode, 4)
            run("key", "replace")
            self.assertEqual(key.stat().st_mode & 0o777, 0o600)
            run("secret", "set", "--profile", "P", "--stdin", text="second\n")
            self.assertIn("Marta", run("record", "list", "--format", "json"))
            self.assertIn("key.replace", run("audit"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
