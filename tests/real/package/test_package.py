#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed is whole: the program, a unit that starts it where it lies, the documents.

usage: test_package.py BUILD-FOLDER"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], env={**os.environ, "DESTDIR": str(cls.root)},
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_program_runs_from_where_the_unit_says(self):
        unit = (self.root / "usr/lib/systemd/system/syncline@.service").read_text()
        program = re.search(r"^ExecStart=(\S+)", unit, re.M).group(1)
        done = subprocess.run([self.root / program.lstrip("/"), "--version"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^syncline \d+\.\d+\.\d+")
        user = re.search(r"^User=(\S+)", unit, re.M).group(1)
        self.assertRegex((self.root / "usr/lib/sysusers.d/syncline.conf").read_text(), rf"(?m)^u {user} ")

    def test_systemd_takes_the_unit(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("SKIPPED: systemd-analyze is not installed")
        unit = pathlib.Path(self.folder.name) / "syncline@.service"
        text = (self.root / "usr/lib/systemd/system/syncline@.service").read_text()
        unit.write_text(text.replace("/usr/bin/syncline", str(self.root / "usr/bin/syncline")))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_every_document_is_there_and_their_links_lead_somewhere(self):
        documents = self.root / "usr/share/doc/syncline"
        for document in (SOURCE / "docs").glob("*.md"):
            self.assertTrue((documents / document.name).is_file(), document)
            for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
                self.assertTrue((document.parent / link).exists(), f"{document.name} leads to {link}")
        for link in re.findall(r"\]\(([^)#:]+)\)", (SOURCE / "README.md").read_text()):
            self.assertTrue((SOURCE / link).exists(), f"README.md leads to {link}")
        unit = (SOURCE / "docs/syncline@.service").read_text()
        named = re.search(r"^Documentation=file:(\S+)", unit, re.M).group(1)
        self.assertTrue((self.root / named.lstrip("/")).is_file(), named)


if __name__ == "__main__":
    unittest.main(verbosity=2)
