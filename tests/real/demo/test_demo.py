#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/demo does what it says: all of it but installing and building, with the programs that are there."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAMS = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"])


class Demo(unittest.TestCase):
    def test_runs_to_its_end_and_shows_what_it_announces(self):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder) / "demo"
            with open(pathlib.Path(folder) / "out", "w+", encoding="utf-8") as out:
                # To a file: servers that it left behind would hold a pipe open.
                ran = subprocess.run([SOURCE / "tools/demo"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False,
                                     timeout=280, cwd="/", env={**os.environ, "LC_ALL": "C.UTF-8",
                                                                "SYNCLINE_DEMO_BIN": str(PROGRAMS),
                                                                "SYNCLINE_DEMO_WORK": str(work)})
                out.seek(0)
                said = out.read()
            self.assertEqual(ran.returncode, 0, said)
            parts = dict(re.findall(r"^== (\d)\.[^\n]*\n(.*?)(?=^== |\Z)", said, re.M | re.S))
            self.assertEqual(sorted(parts), list("12345678"), said)
            self.assertIn("reject", parts["1"])
            self.assertIn("bert@online.example: refused", parts["3"])
            self.assertIn("bert@online.example: approved", parts["3"])
            # The first run brings records; the one after people's work writes both ways.
            self.assertRegex(parts["4"], r"contacts +\d+ came")
            self.assertRegex(parts["5"], r"contacts .*1 went")
            self.assertRegex(parts["5"], r"tasks .*1 went")
            self.assertRegex(parts["5"], r"e-mails .*1 sent")
            # One side gave the title, the other a second number.
            merged = parts["5"].split("Olga Nowak, merged from both sides:")[1]
            self.assertIn("Head of purchasing", merged)
            self.assertIn("+48 600 100 200", merged)
            self.assertRegex(parts["6"], r"carl's Inbox holds \d+ items")
            self.assertRegex(parts["6"], r"(?m)^(killed; \d+ of carl's items are records already|it was too quick to be killed)$")
            quiet = parts["6"].split("$ syncline sync   (nothing has changed)")[1]
            self.assertNotRegex(quiet, r"\d (came|went|sent|changed|merged)")
            if os.geteuid() == 0:
                self.assertIn("every copy has arrived, and none twice", parts["7"])
                self.assertIn("In the organisation: 3 records, one a letter", parts["7"])
            else:
                self.assertIn("left out", parts["7"])
            self.assertRegex(parts["8"], r"anna@demo\.example +enabled, \d+ linked")
            self.assertIn("sent anna@demo.example", parts["8"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
