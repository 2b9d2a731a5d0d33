# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/proof.md names a test for every law and lesson, and every test it names exists."""
import os
import re
import unittest
from pathlib import Path

ROOT = Path(os.environ["SYNCLINE_SOURCE_DIR"])
LAWS = 31
LESSONS = ["R-%02d" % number for number in (*range(1, 12), 16, 20, *range(22, 31))]

CPP = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.M)
SCRIPT = re.compile(r"^\s*def (\w+)\(", re.M)
NAME = re.compile(r"`(\w+)\.(\w+)`")
SCRIPT_NAME = re.compile(r"`(\w+\.py):(\w+)`")


def existing_tests():
    names = set()
    for path in (ROOT / "tests").rglob("*.cpp"):
        names |= {".".join(found) for found in CPP.findall(path.read_text("utf-8"))}
    for path in (ROOT / "tests").rglob("*.py"):
        names |= {f"{path.name}:{found}" for found in SCRIPT.findall(path.read_text("utf-8"))}
    return names


def named_tests(text):
    return {".".join(found) for found in NAME.findall(text)} | {":".join(found) for found in SCRIPT_NAME.findall(text)}


class Proof(unittest.TestCase):
    def setUp(self):
        self.text = (ROOT / "docs/proof.md").read_text("utf-8")
        self.rows = {cells[1].strip(): cells[3].strip() for cells in
                     (line.split("|") for line in self.text.splitlines() if line.startswith("|"))
                     if len(cells) == 5}

    def test_every_test_that_is_named_exists(self):
        missing = named_tests(self.text) - existing_tests()
        self.assertEqual(missing, set())

    def test_every_law_and_lesson_has_a_test_or_says_why_not(self):
        for number in [str(law) for law in range(1, LAWS + 1)] + LESSONS:
            proof = self.rows.get(number, "")
            self.assertTrue(named_tests(proof) or re.match(r"none: \S", proof), f"{number}: {proof!r}")

    def test_a_law_without_a_test_of_its_number_is_an_exception(self):
        """The names say which law a test is of, so that a failure does."""
        for law in range(1, LAWS + 1):
            proof = self.rows[str(law)]
            named = re.search(rf"(?i)invariants?{law}(?!\d)|And{law}(?!\d)", " ".join(named_tests(proof)))
            self.assertTrue(named or proof.startswith("none: "), f"{law}: {proof}")


if __name__ == "__main__":
    unittest.main()
