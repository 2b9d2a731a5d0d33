#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client is generated from the OpenAPI document that `serve` gives out, compiled, and drives the API."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from serving import DOCUMENT, Serving, operations  # noqa: E402

TYPESCRIPT = """{"compilerOptions": {"target": "es2022", "module": "nodenext", "moduleResolution": "nodenext", "strict": true,
"skipLibCheck": true, "types": [], "lib": ["es2022", "dom", "dom.iterable"], "outDir": "out", "noEmitOnError": true},
"files": ["drive.ts", "node.d.ts"]}"""
# What of Node's own modules the program uses; their type declarations are not worth a package.
NODE = """declare module "node:assert" {
  interface Assert { equal(a: unknown, b: unknown): void; deepEqual(a: unknown, b: unknown): void; ok(a: unknown): asserts a; }
  export const strict: Assert;
}
"""


class GeneratedClient(unittest.TestCase):
    def run_program(self, *command, folder):
        done = subprocess.run([str(one) for one in command], cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-6000:])
        return done.stdout

    def test_it_compiles_and_drives_the_api(self):
        if not shutil.which("npm"):
            self.fail("npm is missing: run tools/setup")
        packages = pathlib.Path(self.run_program(HERE / "get_client_generator.sh", folder=HERE).strip())
        serving = Serving("--api-rate", "100000")
        self.addCleanup(serving.close)
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            (folder / "openapi.json").write_text(serving.ask("GET", "/openapi.json", role=None).body, "utf-8")
            (folder / "node_modules").symlink_to(packages / "node_modules")
            shutil.copy(HERE / "client/drive.ts", folder)
            shutil.copy(packages / "package.json", folder)
            (folder / "tsconfig.json").write_text(TYPESCRIPT)
            (folder / "node.d.ts").write_text(NODE)
            bin_folder = folder / "node_modules/.bin"
            self.run_program(bin_folder / "openapi-ts", "-i", "openapi.json", "-o", "client", "-c", "@hey-api/client-fetch", folder=folder)
            made = (folder / "client/sdk.gen.ts").read_text("utf-8")
            for _, _, operation in operations():
                self.assertIn(f"export const {operation['operationId']} ", made)
            # Its imports name no file endings, which Node wants.
            for file in folder.glob("client/**/*.ts"):
                text = file.read_text("utf-8")
                for quote in ("'", '"'):
                    text = self.with_endings(text, file, quote)
                file.write_text(text, "utf-8")
            self.run_program(bin_folder / "tsc", folder=folder)
            said = self.run_program("node", "out/drive.js", serving.url, serving.tokens["system-administrator"], serving.tokens["read-only"],
                                    folder=folder)
            self.assertEqual(said, "ok\n")
        self.assertEqual(DOCUMENT["openapi"], "3.1.0")

    @staticmethod
    def with_endings(text, file, quote):
        def ending(match):
            target = (file.parent / match[2]).resolve()
            if match[2].endswith(".js"):
                return match[0]
            return f"{match[1]}{match[2]}{'/index' if target.is_dir() else ''}.js{quote}"
        return re.sub(rf"((?:from|import) {quote})(\.[^{quote}]*){quote}", ending, text)


if __name__ == "__main__":
    unittest.main()
