#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline inspect ews` as a user runs it: its lines against the expected ones and against the schema, its statuses."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("SKIPPED: python3-jsonschema is not installed")
    sys.exit(77)

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAM = os.path.join(os.environ["SYNCLINE_BIN_DIR"], "syncline")
DATA = SOURCE / "tests" / "data" / "ews"
SCHEMA = json.loads((SOURCE / "docs" / "schemas" / "inspect-ews.schema.json").read_text())
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAILED:", what)


def inspect(files, cwd):
    done = subprocess.run([PROGRAM, "inspect", "ews", *files], cwd=cwd, capture_output=True, timeout=120)
    lines = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    for line in lines:
        for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(line):
            check(False, f"{line['file']} against the schema: {error.message[:300]} at {list(error.absolute_path)}")
    return done.returncode, lines


jsonschema.Draft202012Validator.check_schema(SCHEMA)
check(list(jsonschema.Draft202012Validator(SCHEMA).iter_errors({"file": "x"})), "the schema refuses nonsense")

expected = [json.loads(line) for line in (DATA / "inspect-ews.expected.jsonl").read_text().splitlines()]
status, lines = inspect([one["file"] for one in expected], DATA)
check(status == 1, f"status 1 when a file cannot be read, not {status}")
check(len(lines) == len(expected), f"{len(expected)} lines, not {len(lines)}")
for wanted, line in zip(expected, lines):
    check(line == wanted, f"{wanted['file']}:\n  wanted {json.dumps(wanted)}\n  got    {json.dumps(line)}")
check({one["file"] for one in expected} >= {path.name for path in DATA.glob("*.xml")}, "every file has an expected line")

good = [one["file"] for one in expected if "error" not in one]
status, lines = inspect(good, DATA)
check(status == 0 and len(lines) == len(good), f"status 0 when all can be read, not {status}")

status, lines = inspect([], DATA)
check(status == 2 and not lines, f"status 2 without a file, not {status}")

with tempfile.TemporaryDirectory() as folder:
    deep = pathlib.Path(folder) / "deep.xml"
    deep.write_text('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' + "<a>" * 500_000)
    status, lines = inspect(["deep.xml", "."], folder)
    check(status == 1, f"status 1 for a file too deep, not {status}")
    check([one["error"]["code"] for one in lines] == ["too-deep", "cannot-open"], f"too deep, a folder: {lines}")

examples = SOURCE.parent / "shared" / "reference" / "ews" / "examples"
if examples.is_dir():
    status, lines = inspect(sorted(path.name for path in examples.glob("*.xml")), examples)
    check(len(lines) == 86, f"86 lines for the examples, not {len(lines)}")
else:
    print("SKIPPED: the example exchanges are not there")
sys.exit(1 if failures else 0)
