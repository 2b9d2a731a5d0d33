#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `syncline check`, `rules` and `route` as a person or a program would."""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unicodedata
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"


def run(*arguments, text=None, env=None):
    environment = {**os.environ, "LC_ALL": "C", **(env or {})}
    return subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, encoding="utf-8",
                          env=environment, check=False)


def validate(schema, lines):
    values = [json.loads(line) for line in lines.splitlines()]
    if jsonschema:
        document = json.loads((SOURCE / "docs/schemas" / f"{schema}.schema.json").read_text("utf-8"))
        validator = jsonschema.Draft202012Validator(document)
        for value in values:
            validator.validate(value)
    return values


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def test_prints_a_line_a_row_in_order_and_tells_rejection_by_the_exit_status(self):
        rows = self.file("rows.csv", "case_id,prof_type,mbx_address,req_act,env_as_of\n"
                                     "one,gmail,ana@gmail.com,,2025-06-02\ntwo,gmail,bob@gmail.com,sss,2025-06-02\n")
        result = run("check", rows, "--format", "json")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        first, second = validate("check", result.stdout)
        self.assertEqual((first["row"], first["id"], first["verdict"], first["asOf"]), (1, "one", "accept", "2025-06-02"))
        self.assertEqual(first["route"]["incoming"]["location"], "imap.gmail.com")
        self.assertIn("prof_in_port", first["assumed"])
        self.assertNotIn("prof_type", first["assumed"])
        self.assertEqual(second["verdict"], "reject")
        self.assertIsNone(second["route"])
        self.assertEqual(second["findings"][0]["rule"], "ACT-MAIL-ONLY-PROFILE")
        self.assertEqual(second["findings"][0]["fields"][0], "req_act")
        self.assertEqual(second["findings"][0]["fix"], {"req_act": "none"})

    def test_a_fix_that_is_made_removes_the_finding(self):
        row = {"prof_type": "pop3_smtp", "prof_in_protocol": "ews", "mbx_address": "a@b.example", "req_act": "sss",
               "prof_in_host": "https://a.b/c", "prof_out_host": "smtp.b.example", "prof_max_conn": 400}
        for _ in range(5):
            [line] = validate("check", run("check", "-", "--format", "json", text=json.dumps(row)).stdout)
            fixes = [f["fix"] for f in line["findings"] if f["severity"] == "reject" and f["fix"]]
            if not fixes:
                break
            for fix in fixes:
                row.update(fix)
        self.assertNotEqual(line["verdict"], "reject", line["findings"])

    def test_reads_the_same_from_standard_input_with_the_format_guessed(self):
        flat = {"prof_type": "gmail", "mbx_address": "ana@gmail.com"}
        nested = {"profile": {"type": "gmail"}, "mailbox": {"address": "ana@gmail.com"}}
        outputs = {run("check", "-", "--format", "json", text=text).stdout for text in (
            json.dumps(flat), json.dumps([nested]), "prof_type;mbx_address\r\ngmail;ana@gmail.com\r\n")}
        self.assertEqual(len(outputs), 1)

    def test_takes_day_and_step_from_the_options_where_rows_do_not_say(self):
        text = '{"prof_type":"gmail","mbx_address":"a@gmail.com","mbx_state":"inactive"}\n' \
               '{"prof_type":"gmail","mbx_address":"b@gmail.com","env_as_of":"2024-01-01","stage":"assign","mbx_state":"inactive"}\n'
        result = run("check", "-", "--format", "json", "--as-of", "2020-02-29", "--stage", "enable", text=text)
        first, second = validate("check", result.stdout)
        self.assertEqual((first["asOf"], first["verdict"]), ("2020-02-29", "reject"))
        self.assertEqual((second["asOf"], second["verdict"]), ("2024-01-01", "warn"))
        self.assertEqual(run("check", "-", "--as-of", "2025-02-29", text="").returncode, 2)

    def test_stops_at_a_bad_row_or_goes_on_when_told(self):
        rows = self.file("rows.csv", "prof_type,mbx_address\ngmail,a@gmail.com\ngmial,b@gmail.com\ngmail,c@gmail.com\n")
        stopped = run("check", rows, "--format", "json")
        self.assertEqual(stopped.returncode, 2)
        self.assertEqual([line["row"] for line in validate("check", stopped.stdout)], [1])
        self.assertIn("rows.csv:3: row 2, column prof_type:", stopped.stderr)
        self.assertIn("did you mean gmail?", stopped.stderr)
        going_on = run("check", rows, "--format", "json", "--keep-going")
        self.assertEqual(going_on.returncode, 2)
        self.assertEqual([line["row"] for line in validate("check", going_on.stdout)], [1, 3])

    def test_refuses_bad_input_with_the_place_and_the_reason(self):
        cases = {
            "unknown.csv": (b"prof_typ\ngmail\n", "unknown field"),
            "ragged.csv": (b"prof_type,mbx_mfa\ngmail\n", "1 cells, the header has 2"),
            "quote.csv": (b'prof_type\n"gmail\n', "never closed"),
            "utf8.csv": (b"mbx_address\na\xff@b.c\n", "not valid UTF-8"),
            "empty.csv": (b"", "empty"),
            "empty.json": (b"", "empty"),
            "big.csv": (b"mbx_address\n" + b"x" * 10_000_000 + b"\n", "octets"),
            "twice.csv": (b"prof_type,prof_type\n", "twice"),
            "twice.jsonl": (b'{"prof_type":"gmail","profile":{"type":"gmail"}}', "twice"),
            "broken.json": (b'[{"prof_type":"gmail"', "never closed"),
            "broken.toml": (b"[[assignment]\n", "TOML"),
        }
        for name, (content, reason) in cases.items():
            with self.subTest(name):
                result = run("check", self.file(name, content), "--format", "json")
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertIn(name, result.stderr)
                self.assertIn(reason, result.stderr)
        for arguments in (["check"], ["check", self.folder / "nowhere.csv"], ["check", self.folder],
                          ["check", "-", "--input", "xml"], ["check", "-", "--lang", "de"]):
            self.assertEqual(run(*arguments, text="").returncode, 2, arguments)

    def test_takes_rows_together_when_they_are_a_set(self):
        rows = self.file("set.jsonl", "".join(json.dumps(row) + "\n" for row in (
            {"prof_type": "exchange_online", "prof_name": "P", "mbx_address": "a@b.example"},
            {"prof_type": "exchange_online", "prof_name": "P", "mbx_address": "A@b.example"},
            {"prof_type": "exchange_online", "prof_name": "P", "mbx_address": "c@b.example", "prof_mailbox_count": 9})))
        self.assertNotIn("MBX-DUPLICATE-ADDRESS", run("check", rows, "--format", "json").stdout)
        lines = validate("check", run("check", rows, "--format", "json", "--set").stdout)
        rules = [{finding["rule"] for finding in line["findings"]} for line in lines]
        self.assertIn("MBX-DUPLICATE-ADDRESS", rules[0])
        self.assertIn("MBX-DUPLICATE-ADDRESS", rules[1])
        self.assertNotIn("MBX-DUPLICATE-ADDRESS", rules[2])
        self.assertEqual(lines[0]["notes"], [])
        self.assertIn("prof_mailbox_count", lines[2]["notes"][0])
        piped = run("check", "-", "--format", "json", "--set", text=rows.read_text())
        self.assertEqual(validate("check", piped.stdout), lines)

    def test_prints_only_what_was_asked_for(self):
        rows = self.file("rows.csv", "prof_type,mbx_address,req_act\ngmail,a@gmail.com,\ngmail,b@gmail.com,sss\n")
        only = validate("check", run("check", rows, "--format", "json", "--only", "reject").stdout)
        self.assertEqual([line["row"] for line in only], [2])
        [summary] = validate("check", run("check", rows, "--format", "json", "--summary").stdout)
        self.assertEqual((summary["rows"], summary["accept"], summary["reject"]), (2, 1, 1))
        self.assertEqual(summary["rules"], [{"rule": "ACT-MAIL-ONLY-PROFILE", "severity": "reject", "rows": 1}])
        text = run("check", rows, "--summary").stdout
        self.assertIn("2 rows checked: 1 accepted, 0 accepted with warnings, 1 rejected.", text)
        self.assertNotIn("a@gmail.com", text)

    def test_text_fits_80_columns_in_every_language_and_says_what_to_change(self):
        rows = self.file("rows.csv", (SOURCE / "tests/fake/check_cli/rows.csv").read_bytes())
        for language in ("en", "it", "ja", "pt"):
            result = run("check", rows, "--lang", language, "--as-of", "2026-11-22")
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertNotIn("\x1b", result.stdout)
            for line in result.stdout.splitlines():
                self.assertLessEqual(columns(line), 80, line)
            self.assertIn("prof_out_protocol = smtp → ews", result.stdout)
            self.assertIn("PROFILE-EXCHANGE-SMTP-MIX", result.stdout)

    def test_speaks_the_language_of_the_option_or_of_the_locale(self):
        text = '{"prof_type":"gmail","mbx_address":"a@gmail.com","req_purpose":"bulk_marketing"}'
        def message(*options, **environment):
            result = run("check", "-", "--format", "json", *options, text=text, env=environment)
            return json.loads(result.stdout)["findings"][0]["message"]
        self.assertEqual(message("--lang", "it"), message(LC_ALL="it_IT.UTF-8"))
        self.assertEqual(len({message("--lang", language) for language in ("en", "it", "ja", "pt")}), 4)

    def test_proposes_assignments_from_what_exchange_exports(self):
        mailboxes = self.file("mailboxes.csv", (
            "#TYPE Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n"
            '"PrimarySmtpAddress";"RecipientTypeDetails";"ServerName";"Notes"\r\n'
            '"ana@contoso.example";"UserMailbox";"EX01";"two\r\nlines"\r\n'
            '"bob@contoso.example";"RemoteUserMailbox";"";""\r\n').encode("utf-16"))
        servers = self.file("servers.csv", '"Name","AdminDisplayVersion"\n"EX01","Version 15.0 (Build 775.38)"\n')
        profiles = self.file("profiles.toml", '[[profile]]\nname = "Basement"\ntype = "exchange_hybrid"\n'
                             'recipient_types = ["UserMailbox"]\n[[profile]]\nname = "Cloud"\ntype = "exchange_online"\n')
        mapping = self.file("map.csv", "mailbox,profile\nbob@contoso.example,Cloud\n")
        result = run("check", "--from-exchange", mailboxes, "--servers", servers, "--profiles", profiles,
                     "--map", mapping, "--format", "json", "--set", "--as-of", "2025-06-02")
        first, second = validate("check", result.stdout)
        self.assertIn("MBX-EXCHANGE-2013-PRE-SP1", [finding["rule"] for finding in first["findings"]])
        self.assertEqual(second["verdict"], "accept")
        self.assertEqual(second["route"]["act"]["driver"], "ews")
        self.assertEqual(run("check", "--from-exchange", mailboxes).returncode, 2)

    def test_route_shows_the_driver_of_each_leg_and_why(self):
        rows = self.file("rows.csv", (SOURCE / "tests/fake/check_cli/rows.csv").read_bytes())
        lines = validate("route", run("route", rows, "--format", "json", "--as-of", "2026-11-22").stdout)
        by_id = {line["id"]: line for line in lines}
        self.assertEqual(by_id["gmail"]["route"]["incoming"]["driver"], "imap")
        self.assertTrue(by_id["gmail"]["route"]["incoming"]["why"])
        self.assertIsNone(by_id["mix"]["route"])
        self.assertEqual(by_id["mix"]["rejectedBy"], ["PROFILE-EXCHANGE-SMTP-MIX"])
        self.assertIsNone(by_id["graph"]["route"])
        self.assertIn("Graph", by_id["graph"]["notes"][0])
        self.assertIn("preset: gmail", run("route", rows).stdout)

    def test_shows_rules_as_text_json_and_markdown(self):
        rules = validate("rules", run("rules", "list", "--format", "json").stdout)
        self.assertEqual(len(rules), 128)
        [one] = validate("rules", run("rules", "show", "mbx-two-profiles", "--format", "json").stdout)
        self.assertEqual(one["id"], "MBX-TWO-PROFILES")
        shown = run("rules", "show", "GMAIL-BASIC-ENDED").stdout
        self.assertIn("env_as_of ≥ 2022-05-30", shown)
        self.assertIn("prof_auth_in → gmail_oauth", shown)
        self.assertIn("# MBX-TWO-PROFILES", run("rules", "show", "MBX-TWO-PROFILES", "--format", "markdown").stdout)
        self.assertEqual(run("rules", "show", "NO-SUCH-RULE").returncode, 2)

    def test_the_page_in_docs_is_what_the_code_says(self):
        page = run("rules", "list", "--format", "markdown", "--lang", "en").stdout
        self.assertEqual((SOURCE / "docs/rules.md").read_text("utf-8"), page,
                         "docs/rules.md is old: syncline rules list --format markdown --lang en > docs/rules.md")

    def test_the_example_cases_of_the_catalogue_come_out_exact(self):
        examples = SOURCE / "../shared/reference/rules-examples.csv"
        if not examples.exists():
            self.skipTest(f"SKIPPED: no {examples}")
        lines = validate("check", run("check", examples, "--format", "json").stdout)
        with examples.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(lines), len(rows))
        for row, line in zip(rows, lines):
            def expected(kind):
                return {rule for rule in row[f"expect_{kind}_ids"].split(";") if rule}
            def found(kind):
                return {finding["rule"] for finding in line["findings"] if finding["severity"] == kind}
            self.assertEqual((line["id"], line["verdict"]), (row["case_id"], row["expect_verdict"]))
            self.assertEqual(found("reject"), expected("reject"), line["id"])
            self.assertEqual(found("warn"), expected("warn"), line["id"])
            self.assertLessEqual(expected("info"), found("info"), line["id"])


if __name__ == "__main__":
    if jsonschema is None:
        print("python3-jsonschema is missing: output is not validated against docs/schemas", file=sys.stderr)
    unittest.main()
