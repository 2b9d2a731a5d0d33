# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/check-arrows passes on this tree and fails on trees that break the rule in each way it knows."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(os.environ["SYNCLINE_SOURCE_DIR"])
TOOL = ROOT / "tools/check-arrows"

TABLE = "src/base:\nsrc/net: src/base\nsrc/ews/codec: src/net\nsrc/auth: src/net\n"


def run(root, table=None):
    command = [sys.executable, str(TOOL), str(root)] + ([str(table)] if table else [])
    return subprocess.run(command, capture_output=True, text=True)


class CheckArrows(unittest.TestCase):
    def tree(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "table").write_text(TABLE)
        return run(root, root / "table")

    def test_this_tree_holds(self):
        result = run(ROOT)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_forward_and_transitive_includes_pass(self):
        result = self.tree({"src/base/a.hpp": "", "src/net/b.hpp": '#include "base/a.hpp"\n',
                            "src/ews/codec/c.cpp": '#include "net/b.hpp"\n#include "base/a.hpp"\n#include "ewsH.h"\n'})
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_backward_include_fails(self):
        result = self.tree({"src/base/a.hpp": '\n#include "net/b.hpp"\n', "src/net/b.hpp": ""})
        self.assertEqual(result.returncode, 1)
        self.assertIn("src/base/a.hpp:2: src/base may not see src/net", result.stdout)

    def test_siblings_may_not_see_each_other(self):
        result = self.tree({"src/auth/a.hpp": '#include "ews/codec/b.hpp"\n', "src/ews/codec/b.hpp": ""})
        self.assertIn("src/auth may not see src/ews/codec", result.stdout)

    def test_reserved_headers_stay_with_their_owner(self):
        result = self.tree({"src/auth/a.cpp": '#include "ewsH.h"\n#include <boost/beast/http.hpp>\nssl_stream x;\n'})
        self.assertEqual(result.stdout.count("may be seen by"), 3, result.stdout)

    def test_invariant31_the_test_exchange_sees_nothing_of_what_it_tests(self):
        table = ROOT / "tests/unit/arrows/arrows.txt"
        for folder in ("src/ews/xml", "src/ews/codec", "src/model", "src/time", "src/sync", "src/store", "generated"):
            with self.subTest(folder), tempfile.TemporaryDirectory() as name:
                root = Path(name)
                header = root / folder / "x.hpp"
                source = root / "tools/exchange-sim/x.cpp"
                for path in (header, source):
                    path.parent.mkdir(parents=True)
                header.write_text("")
                source.write_text(f'#include "{folder.removeprefix("src/")}/x.hpp"\n')
                result = run(root, table)
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn("tools/exchange-sim may not see", result.stdout)

    def test_folder_outside_the_table_fails(self):
        result = self.tree({"src/elsewhere/a.cpp": ""})
        self.assertIn("not in the table", result.stdout)

    def test_empty_tree_fails(self):
        self.assertEqual(self.tree({}).returncode, 1)


if __name__ == "__main__":
    unittest.main()
