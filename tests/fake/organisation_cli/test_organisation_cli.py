#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands of an organisation as an administrator or another program would."""
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import resource
import select
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

SOURCE = pathlib.Path(os.environ["SYNCLINE_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["SYNCLINE_BIN_DIR"]) / "syncline"

PASSWORD = "Kq7-vertraulich-93x"

CONFIG = """
[organisation]
name = "Contoso"
deployment = "online"
fips = false

[policy.sync]
adopt_appointments = "known_contacts"
send_contacts = ["owner", { expression = 'categories = "vip" and not jobTitle = "x"' }]
brake_count = 25

[policy.mail]
track = "all"
process_from = 2026-01-15T08:30:00+02:00

[policy.conflict]
winner = "record"
contact = { jobTitle = "exchange" }

[policy.fields]
contact = { jobTitle = "to_exchange", categories = "none" }

[[profile]]
name = "Basement \\"one\\""
description = "Straße, ünïcode"
type = "exchange_hybrid"
in_host = "https://mail.contoso.example/EWS/Exchange.asmx"
out_host = "https://mail.contoso.example/EWS/Exchange.asmx"
autodiscover = false
user_name = "contoso\\\\service"
username_format = "down_level"
resolve = ["mail.contoso.example:443:127.0.0.1"]
process_from = 2026-02-01
max_conn = 5

[[profile]]
name = "Google"
type = "gmail"
client_id = "1234.apps.example"

[[mailbox]]
address = "Ana@contoso.example"
profile = "Basement \\"one\\""
exchange_version = "2019"
folders = ["Customers", "Customers/Nordwind"]
policy = { mail = { track = "none" } }

[[mailbox]]
address = "queue@contoso.example"
kind = "queue"
profile = "Basement \\"one\\""
exchange_version = "2019"
act = "none"
start_date = 2026-03-01

[[mailbox]]
address = "bob@gmail.com"
profile = "Google"
"""


def validate(schema, lines):
    values = [json.loads(line) for line in lines.splitlines()]
    if jsonschema:
        document = json.loads((SOURCE / "docs/schemas" / f"{schema}.schema.json").read_text("utf-8"))
        validator = jsonschema.Draft202012Validator(document)
        for value in values:
            validator.validate(value)
    return values


class Organisation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.org = self.folder / "contoso"
        self.key = self.folder / "config/syncline/contoso.key"
        self.env = {**os.environ, "LC_ALL": "C", "XDG_CONFIG_HOME": str(self.folder / "config")}
        self.env.pop("CREDENTIALS_DIRECTORY", None)

    def run_program(self, *arguments, text=None, org=True, key=True, **options):
        # Of root the key is in /etc: tests name their own.
        place = ["--org", self.org] if org else []
        if key and os.geteuid() == 0 and "--key" not in arguments and "--key-beside-data" not in arguments:
            place += ["--key", self.key]
        environment = {**self.env, **options.pop("env", {})}
        return subprocess.run([PROGRAM, *map(str, place), *map(str, arguments)], input=text, capture_output=True,
                              encoding="utf-8", env=environment, check=False, **options)

    def ok(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def init(self):
        self.ok("init", "--name", "Contoso")

    def ready(self, config=CONFIG):
        self.init()
        return self.ok("apply", self.file("config.toml", config))

    def sql(self, statement, *values):
        with sqlite3.connect(self.org / "syncline.db") as database:
            return database.execute(statement, values).fetchall()


class Init(Organisation):
    def test_makes_a_private_folder_and_a_private_key_elsewhere(self):
        out = self.ok("init", "--name", "Contoso")
        self.assertIn("contoso.key", out)
        self.assertEqual(stat.S_IMODE(self.org.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.key.parent.stat().st_mode), 0o700)
        self.assertFalse(list(self.org.glob("*.key")))
        self.assertTrue((self.org / "content").is_dir())
        again = self.run_program("init")
        self.assertEqual(again.returncode, 2)
        self.assertIn("already", again.stderr)

    def test_keeps_a_key_that_was_prepared_and_refuses_one_that_others_may_read(self):
        self.key.parent.mkdir(parents=True)
        self.key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
        self.key.chmod(0o640)
        refused = self.run_program("init")
        self.assertEqual(refused.returncode, 4)
        self.assertIn("chmod 600", refused.stderr)
        self.assertFalse(self.org.exists())
        self.key.chmod(0o600)
        before = self.key.read_text()
        self.assertIn("the one that was there", self.ok("init"))
        self.assertEqual(self.key.read_text(), before)

    def test_puts_the_key_beside_the_data_only_when_told_and_remembers_it(self):
        self.ok("--key-beside-data", "init")
        self.assertTrue((self.org / "syncline.key").exists())
        self.ok("apply", self.file("config.toml", CONFIG))
        self.ok("secret", "set", "--mailbox", "ana@contoso.example", "--stdin", text=PASSWORD + "\n", key=False)
        self.ok("--key-beside-data", "backup", self.folder / "backup")
        self.assertFalse(list((self.folder / "backup").rglob("*.key")))

    def test_needs_a_folder_that_is_free(self):
        self.org.mkdir()
        (self.org / "other").write_text("x")
        self.assertEqual(self.run_program("init").returncode, 2)
        self.assertEqual(self.run_program("init", org=False).returncode, 2)
        nowhere = self.run_program("status", org=False, cwd=self.folder)
        self.assertEqual(nowhere.returncode, 2)
        self.assertIn("--org", nowhere.stderr)

    def test_takes_the_current_folder_and_options_behind_the_command(self):
        self.init()
        self.assertIn("Contoso", self.ok("status", org=False, cwd=self.org))
        self.assertIn("Contoso", self.ok("status", "--org", self.org, org=False))


class Apply(Organisation):
    def test_shows_what_it_does_and_does_nothing_the_second_time(self):
        self.init()
        config = self.file("config.toml", CONFIG)
        dry = self.ok("apply", config, "--dry-run")
        self.assertIn('+ mailbox ana@contoso.example', dry)
        self.assertIn("would be made", dry)
        self.assertEqual(self.ok("mailbox", "list"), "No mailboxes.\n")
        self.assertIn("changes made", self.ok("apply", config))
        self.assertIn("Nothing to change.", self.ok("apply", config))
        [line] = validate("apply", self.ok("apply", config, "--format", "json"))
        self.assertEqual((line["changes"], line["applied"]), ([], False))

    def test_export_and_apply_are_a_round_trip(self):
        self.ready()
        exported = self.ok("export-config")
        [line] = validate("apply", self.ok("apply", self.file("out.toml", exported), "--format", "json"))
        self.assertEqual(line["changes"], [])
        # Into an organisation that knows nothing, too.
        self.org = self.folder / "other"
        self.ok("init")
        self.ok("apply", self.file("out.toml", exported))
        self.assertEqual(self.ok("export-config"), exported)
        for piece in ('name = "Basement \\"one\\""', 'user_name = "contoso\\\\service"', "process_from = 2026-02-01\n",
                      "process_from = 2026-01-15T06:30:00Z", 'expression = "categories', "ünïcode"):
            self.assertIn(piece, exported)

    def test_the_sample_applies_with_every_key_uncommented_or_not(self):
        self.init()
        example = self.ok("config", "example")
        self.ok("apply", self.file("example.toml", example))
        self.assertIn("Nothing to change", self.ok("apply", self.file("out.toml", self.ok("export-config"))))
        uncommented = re.sub(r"^#(?=[a-z_]+ = )", "", example, flags=re.M)
        self.assertGreater(uncommented.count(" = "), 100)
        result = self.run_program("apply", self.file("all.toml", uncommented), "--dry-run", "--format", "json")
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        validate("apply", result.stdout)

    def test_says_line_column_and_reason_of_what_is_wrong(self):
        self.init()
        cases = {
            '[organisation]\nnam = "x"\n': (2, 1, "unknown key"),
            '[organisation]\ndeployment = "moon"\n': (2, 14, "not one of online, onprem"),
            '[[profile]]\nname = "A"\ntype = "gmial"\n': (3, 8, "not one of"),
            '[[profile]]\nname = "A"\n': (1, 1, "needs a type"),
            '[[profile]]\ntype = "gmail"\nname = "A"\nin_port = "many"\n': (4, 11, "whole number"),
            '[[profile]]\ntype = "gmail"\nname = "A"\n[[profile]]\ntype = "gmail"\nname = "A"\n': (4, 1, "two profiles"),
            '[[mailbox]]\naddress = "a@b.example"\nprofile = "none"\n': (3, 11, "no profile"),
            '[[mailbox]]\naddress = "nobody"\n': (2, 11, "not an e-mail address"),
            '[[mailbox]]\naddress = "a@b.example"\n[[mailbox]]\naddress = "A@b.example"\n': (4, 11, "two mailboxes"),
            '[[mailbox]]\naddress = "a@b.example"\nfolders = ' + json.dumps([str(i) for i in range(26)]) + "\n":
                (3, 11, "at most 25"),
            '[policy.sync]\nbrake_percent = 101\n': (2, 17, "from 0 to 100"),
            "[policy.sync]\nsend_tasks = [{ expression = 'subject ==' }]\n": (2, 14, "expression"),
            '[policy.fields]\nappointment = { nosuch = "both" }\n': (2, 15, "no field nosuch"),
            '[policy.fields]\nappointment = { start = "none" }\n': (2, 15, "fixed"),
            '[policy.mail]\nprocess_from = 2026-01-15T08:30:00\n': (2, 16, "offset"),
            '[policy.other]\nx = 1\n': (1, 9, "unknown key"),
            'profile = 1\n': (1, 11, "[[profile]]"),
            '[organisation\n': (1, 14, "TOML"),
            '[[profile]]\nname = "A"\ntype = "gmail"\nproxy = "http://me:hidden-word@proxy:1"\n': (4, 9, "secret set"),
        }
        for text, (line, column, reason) in cases.items():
            with self.subTest(text):
                result = self.run_program("apply", self.file("bad.toml", text))
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertIn(f"bad.toml:{line}:{column}: ", result.stderr)
                self.assertIn(reason, result.stderr)
                self.assertNotIn("hidden-word", result.stderr)
        self.assertEqual(self.run_program("apply", self.folder / "nowhere.toml").returncode, 2)
        self.assertEqual(self.run_program("apply", self.folder).returncode, 2)
        self.assertEqual(self.run_program("apply", self.file("latin.toml", b'[organisation]\nname = "\xe9"\n')).returncode, 2)
        self.assertEqual(self.run_program("apply", "-", text="a = [" * 5000).returncode, 2)

    def test_refuses_secrets_in_the_file_without_repeating_them(self):
        self.init()
        for key in ("password", "prof_password", "client_secret", "refresh_token", "private_key", "out_password"):
            with self.subTest(key):
                text = f'[[profile]]\nname = "A"\ntype = "gmail"\n{key} = "{PASSWORD}"\n'
                result = self.run_program("apply", self.file("secret.toml", text))
                self.assertEqual(result.returncode, 2)
                self.assertIn("secret.toml:4:1: ", result.stderr)
                self.assertIn("use syncline secret set", result.stderr)
                self.assertNotIn(PASSWORD, result.stderr + result.stdout)

    def test_all_faults_of_a_file_are_listed(self):
        self.init()
        result = self.run_program("apply", self.file("bad.toml", '[organisation]\nx = 1\ny = 2\n[z]\n'))
        self.assertEqual(len(result.stderr.splitlines()), 3)

    def test_refuses_a_rejected_assignment_and_changes_nothing_at_all(self):
        self.ready()
        before = self.ok("export-config")
        wrong = CONFIG.replace('"Contoso"', '"Renamed"') + \
            '\n[[mailbox]]\naddress = "carla@gmail.com"\nprofile = "Google"\nact = "sss"\n'
        result = self.run_program("apply", self.file("wrong.toml", wrong), "--lang", "en")
        self.assertEqual(result.returncode, 1)
        self.assertIn("ACT-MAIL-ONLY-PROFILE", result.stdout)
        self.assertIn("Nothing was changed.", result.stdout)
        self.assertEqual(self.ok("export-config"), before)
        result = self.run_program("apply", self.folder / "wrong.toml", "--format", "json")
        [line] = validate("apply", result.stdout)
        self.assertEqual([r["mailbox"] for r in line["refusals"]], ["carla@gmail.com"])
        self.assertFalse(line["applied"])

    def test_what_was_rejected_by_the_passing_of_time_does_not_stop_other_changes(self):
        self.ready(CONFIG + '\n[[mailbox]]\naddress = "old@contoso.example"\nprofile = "Basement \\"one\\""\n'
                            'exchange_version = "2019"\n')
        # As if the rules had learnt to refuse it.
        self.sql("UPDATE mailbox SET json = replace(json, '2019', '2007') WHERE address = 'old@contoso.example'")
        exported = self.ok("export-config")
        self.assertIn('"2007"', exported)
        changed = self.file("next.toml", exported.replace('name = "Contoso"', 'name = "Contoso Ltd"'))
        out = self.ok("apply", changed)
        self.assertIn("old@contoso.example: rejected as before", out)
        touched = self.file("next.toml", self.ok("export-config").replace('exchange_version = "2007"',
                                                                          'exchange_version = "2007"\nmfa = true'))
        self.assertEqual(self.run_program("apply", touched).returncode, 1)

    def test_removes_what_the_file_no_longer_names_with_its_secrets(self):
        self.ready()
        self.ok("secret", "set", "--mailbox", "bob@gmail.com", "--kind", "token", "--stdin", text="token-of-bob\n")
        self.ok("secret", "set", "--profile", "Google", "--kind", "client-secret", "--stdin", text="of-google\n")
        self.assertEqual(len(self.sql("SELECT name FROM sealed WHERE name LIKE '%oogle%' OR name LIKE '%bob%'")), 4)
        shorter = CONFIG[:CONFIG.index('[[profile]]\nname = "Google"')] + \
            CONFIG[CONFIG.index('[[mailbox]]\naddress = "Ana'):CONFIG.index('[[mailbox]]\naddress = "bob')]
        out = self.ok("apply", self.file("shorter.toml", shorter))
        self.assertIn("- profile Google", out)
        self.assertIn("- mailbox bob@gmail.com", out)
        self.assertEqual(self.sql("SELECT name FROM sealed"), [])

    def test_does_not_remove_a_mailbox_that_is_enabled(self):
        self.ready()
        self.enable_ana()
        without = CONFIG.replace(CONFIG[CONFIG.index('[[mailbox]]\naddress = "Ana'):
                                        CONFIG.index('[[mailbox]]\naddress = "queue')], "")
        result = self.run_program("apply", self.file("without.toml", without))
        self.assertEqual(result.returncode, 1)
        self.assertIn("mailbox disable", result.stdout)
        self.ok("mailbox", "disable", "ana@contoso.example")
        self.ok("apply", self.folder / "without.toml")

    def test_an_enabled_mailbox_is_judged_as_such(self):
        self.ready()
        self.enable_ana()
        # Without an user name the credentials are incomplete: at enable that is refused.
        wrong = CONFIG.replace('user_name = "contoso\\\\service"\n', "").replace('username_format = "down_level"\n', "")
        result = self.run_program("apply", self.file("wrong.toml", wrong), "--format", "json")
        [line] = validate("apply", result.stdout)
        self.assertIn("ana@contoso.example", [r["mailbox"] for r in line["refusals"]])

    def enable_ana(self):
        self.ok("mailbox", "approve", "ana@contoso.example")
        self.ok("secret", "set", "--profile", 'Basement "one"', "--stdin", text=PASSWORD + "\n")
        self.ok("mailbox", "enable", "ana@contoso.example")


class Secrets(Organisation):
    def test_seals_what_comes_from_standard_input_and_shows_it_nowhere(self):
        self.ready()
        out = self.ok("secret", "set", "--profile", 'Basement "one"', "--stdin", "--as", "Erika", "--reason", "new",
                      text=PASSWORD + "\n")
        out += self.ok("mailbox", "show", "ana@contoso.example", "--format", "json")
        out += self.ok("audit") + self.ok("export-config") + self.ok("status", "--format", "json")
        self.assertNotIn(PASSWORD, out)
        [entry] = [e for e in validate("audit", self.ok("audit", "--format", "json")) if e["act"] == "secret.set"]
        self.assertEqual((entry["who"], entry["reason"]), ("Erika", "new"))
        self.ok("backup", self.folder / "backup")
        key = self.key.read_text().strip()
        for file in [*self.org.rglob("*"), *(self.folder / "backup").rglob("*")]:
            if file.is_file():
                content = file.read_bytes()
                self.assertNotIn(PASSWORD.encode(), content, file)
                self.assertNotIn(key.encode(), content, file)

    def test_asks_on_the_terminal_without_echo(self):
        self.ready()
        pid, terminal = pty.fork()
        if pid == 0:
            place = ["--org", str(self.org)] + (["--key", str(self.key)] if os.geteuid() == 0 else [])
            os.execve(PROGRAM, [str(PROGRAM), *place, "secret", "set", "--mailbox", "ana@contoso.example"], self.env)
        seen = b""
        while b": " not in seen:
            seen += os.read(terminal, 1024)
        os.write(terminal, PASSWORD.encode() + b"\n")
        while select.select([terminal], [], [], 20)[0]:
            try:
                chunk = os.read(terminal, 1024)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, seen)
        self.assertNotIn(PASSWORD.encode(), seen)
        [line] = validate("mailbox", self.ok("mailbox", "show", "ana@contoso.example", "--format", "json"))
        self.assertEqual(line["secrets"], ["password"])

    def test_refuses_what_cannot_be_meant(self):
        self.ready()
        for arguments, text in ((["--stdin"], "x\n"), (["--profile", "A", "--mailbox", "B", "--stdin"], "x\n"),
                                (["--profile", "nowhere", "--stdin"], "x\n"), (["--mailbox", "no@b.c", "--stdin"], "x\n"),
                                (["--mailbox", "bob@gmail.com", "--stdin"], ""),
                                (["--mailbox", "bob@gmail.com", "--kind", "certificate"], "x\n"),
                                (["--mailbox", "bob@gmail.com", "--kind", "shoe-size", "--stdin"], "x\n")):
            with self.subTest(arguments):
                result = self.run_program("secret", "set", *arguments, text=text)
                self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(self.sql("SELECT count(*) FROM sealed"), [(0,)])

    def test_a_certificate_has_many_lines(self):
        self.ready()
        pem = "-----BEGIN CERTIFICATE-----\n" + "QUJD\n" * 2000 + "-----END CERTIFICATE-----\n"
        self.ok("secret", "set", "--profile", "Google", "--kind", "certificate", "--stdin", text=pem)
        [(size,)] = self.sql("SELECT length(octets) FROM sealed WHERE name LIKE 'secret/profile/Google/certificate'")
        self.assertGreater(size, len(pem))

    def test_key_by_descriptor_and_by_credential(self):
        self.ready()
        moved = self.folder / "moved.key"
        self.key.rename(moved)
        lost = self.run_program("secret", "set", "--mailbox", "bob@gmail.com", "--stdin", text="x\n")
        self.assertEqual(lost.returncode, 4)
        self.assertIn("no key", lost.stderr)
        with moved.open() as file:
            self.ok("--key", f"fd:{file.fileno()}", "secret", "set", "--mailbox", "bob@gmail.com", "--stdin", text="x\n",
                    pass_fds=[file.fileno()])
        credentials = self.folder / "credentials"
        credentials.mkdir()
        moved.rename(credentials / "syncline.key")
        result = subprocess.run([PROGRAM, "--org", self.org, "secret", "set", "--mailbox", "bob@gmail.com", "--stdin"],
                                input="y\n", capture_output=True, encoding="utf-8",
                                env={**self.env, "CREDENTIALS_DIRECTORY": str(credentials)}, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        # Another key is called a wrong one.
        other = self.file("other.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
        other.chmod(0o600)
        wrong = self.run_program("--key", other, "secret", "set", "--mailbox", "bob@gmail.com", "--stdin", text="z\n")
        self.assertEqual(wrong.returncode, 4)
        self.assertIn("another", wrong.stderr)
        # Its commands that need no secret need no key.
        self.ok("mailbox", "list")

    def test_the_key_can_be_changed(self):
        self.ready()
        for name in ("ana@contoso.example", "bob@gmail.com"):
            self.ok("secret", "set", "--mailbox", name, "--stdin", text=PASSWORD + "\n")
        before = self.key.read_text()
        self.assertIn("2 keys", self.ok("key", "rotate"))
        self.assertNotEqual(self.key.read_text(), before)
        self.assertEqual(len(self.key.read_text().split()), 1)
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        self.ok("secret", "set", "--mailbox", "bob@gmail.com", "--stdin", text="other\n")
        # Killed after the new key was written: both are valid, and a second call comes to the end.
        self.key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" + self.key.read_text())
        self.ok("secret", "set", "--mailbox", "bob@gmail.com", "--stdin", text="meanwhile\n")
        self.assertIn("2 keys", self.ok("key", "rotate"))
        self.assertEqual(self.key.read_text(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")

    def test_a_damaged_secret_stops_no_change_of_the_key_and_is_named(self):
        self.ready()
        for name in ("ana@contoso.example", "bob@gmail.com"):
            self.ok("secret", "set", "--mailbox", name, "--stdin", text=PASSWORD + "\n")
        row = "key/mailbox/ana@contoso.example"
        damaged = self.sql("SELECT octets FROM sealed WHERE name = ?", row)[0][0][:-1] + b"x"
        self.sql("UPDATE sealed SET octets = ? WHERE name = ?", damaged, row)
        for _ in range(2):
            rotated = self.run_program("key", "rotate")
            self.assertEqual(rotated.returncode, 1, rotated.stderr)
            self.assertIn("mailbox ana@contoso.example cannot be opened", rotated.stderr)
            self.assertIn("syncline secret set --mailbox ana@contoso.example", rotated.stderr)
            self.assertNotIn("bob@gmail.com", rotated.stderr)
            self.assertEqual(self.sql("SELECT octets FROM sealed WHERE name = ?", row), [(damaged,)], "it is not dropped")
        self.assertEqual(len(self.key.read_text().split()), 2)
        self.ok("secret", "set", "--mailbox", "ana@contoso.example", "--stdin", text=PASSWORD + "\n")
        self.ok("key", "rotate")
        self.assertEqual(len(self.key.read_text().split()), 1)
        # A key that opens nothing is no damage: nothing is wrapped.
        self.key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
        self.assertEqual(self.run_program("key", "rotate").returncode, 4)


class Mailboxes(Organisation):
    ANA = "ana@contoso.example"

    def test_the_gate_opens_step_by_step(self):
        self.ready()
        def refused(code):
            result = self.run_program("mailbox", "enable", self.ANA, "--format", "json")
            self.assertEqual(result.returncode, 1)
            [line] = validate("mailbox", result.stdout)
            self.assertEqual((line["changed"], line["obstacle"]["code"]), (False, code))
            return line
        refused("not-approved")
        self.ok("mailbox", "approve", self.ANA, "--as", "Erika", "--reason", "asked by HR")
        rules = [finding["rule"] for finding in refused("rejected-by-rules")["obstacle"]["findings"]]
        self.assertIn("AUTH-PROFILE-CREDS-MISSING", rules)
        self.ok("secret", "set", "--profile", 'Basement "one"', "--stdin", text=PASSWORD + "\n")
        [line] = validate("mailbox", self.ok("mailbox", "enable", "ANA@Contoso.Example", "--format", "json"))
        self.assertTrue(line["changed"])
        [line] = validate("mailbox", self.ok("mailbox", "show", self.ANA, "--format", "json"))
        self.assertTrue(line["enabled"])
        self.assertEqual((line["approval"]["by"], line["approval"]["reason"]), ("Erika", "asked by HR"))
        self.assertEqual(line["route"]["act"]["driver"], "ews")
        self.assertIsNone(line["obstacle"])
        self.assertIn("enabled already", self.ok("mailbox", "enable", self.ANA))
        # Rejecting takes it out of service.
        self.ok("mailbox", "reject", self.ANA)
        [line] = validate("mailbox", self.ok("mailbox", "show", self.ANA, "--format", "json"))
        self.assertEqual((line["enabled"], line["approval"]["status"]), (False, "rejected"))
        refused("rejected-address")
        acts = [entry["act"] for entry in validate("audit", self.ok("audit", "--format", "json"))]
        self.assertEqual(acts[-4:], ["mailbox.approve", "secret.set", "mailbox.enable", "mailbox.reject"])

    def test_gmail_needs_secret_and_sign_in(self):
        self.ready()
        self.ok("mailbox", "approve", "bob@gmail.com")
        result = self.run_program("mailbox", "enable", "bob@gmail.com")
        self.assertEqual(result.returncode, 1)
        self.assertIn("GMAIL-OAUTH", result.stdout)
        self.ok("secret", "set", "--profile", "Google", "--kind", "client-secret", "--stdin", text="s\n")
        self.assertIn("GMAIL-OAUTH-NOT-SIGNED-IN", self.run_program("mailbox", "enable", "bob@gmail.com").stdout)
        self.ok("secret", "set", "--mailbox", "bob@gmail.com", "--kind", "token", "--stdin", text="t\n")
        self.ok("mailbox", "enable", "bob@gmail.com")

    def test_several_or_all_of_a_profile(self):
        self.ready()
        self.ok("secret", "set", "--profile", 'Basement "one"', "--stdin", text=PASSWORD + "\n")
        self.ok("mailbox", "approve", "--profile", 'Basement "one"')
        lines = validate("mailbox", self.ok("mailbox", "enable", "--profile", 'Basement "one"', "--format", "json"))
        self.assertEqual([line["mailbox"] for line in lines], [self.ANA, "queue@contoso.example"])
        lines = validate("mailbox", self.ok("mailbox", "list", "--format", "json"))
        self.assertEqual([line["enabled"] for line in lines], [True, False, True])
        mixed = self.run_program("mailbox", "enable", self.ANA, "bob@gmail.com", "--format", "json")
        self.assertEqual(mixed.returncode, 1)
        self.assertEqual(len(validate("mailbox", mixed.stdout)), 2)
        self.ok("mailbox", "disable", self.ANA, "queue@contoso.example")

    def test_names_that_do_not_exist_change_nothing(self):
        self.ready()
        self.assertEqual(self.run_program("mailbox", "approve", self.ANA, "nobody@b.c").returncode, 2)
        self.assertEqual(self.run_program("mailbox", "approve", "--profile", "nowhere").returncode, 2)
        self.assertEqual(self.run_program("mailbox", "approve").returncode, 2)
        self.assertEqual(self.run_program("mailbox", "approve", self.ANA, "--profile", "Google").returncode, 2)
        [line] = validate("mailbox", self.ok("mailbox", "list", self.ANA, "--format", "json"))
        self.assertEqual(line["approval"]["status"], "pending")

    def test_status_shows_who_is_served(self):
        self.ready()
        [line] = validate("status", self.ok("status", "--format", "json"))
        self.assertEqual(line["organisation"], "Contoso")
        self.assertEqual(len(line["mailboxes"]), 3)
        self.assertIn("not enabled, pending", self.ok("status"))

    def test_status_counts_in_plain_english(self):
        self.ready()
        self.ok("record", "add", text='{"kind":"contact","fields":{"givenName":"Zoë"}}\n')
        self.assertIn("0 e-mails, 0 appointments, 1 contact, 0 tasks; 3 mailboxes", self.ok("status"))
        alert = ("INSERT INTO alert (at, mailbox, level, code, text, remedy, count, open)"
                 " SELECT 0, id, 2, ?, '', '', 1, 1 FROM mailbox WHERE address = 'ana@contoso.example'")
        self.sql(alert, "one")
        self.assertRegex(self.ok("status"), r"\b1\s+alert\b")
        self.sql(alert, "two")
        self.assertRegex(self.ok("status"), r"\b2\s+alerts\b")


class Records(Organisation):
    def add(self, *lines, status=0):
        result = self.run_program("record", "add", "--format", "json", text="".join(json.dumps(l) + "\n" for l in lines))
        self.assertEqual(result.returncode, status, result.stderr)
        return validate("record", result.stdout)

    def test_goes_in_and_comes_out_in_the_same_shape(self):
        self.ready()
        [contact] = self.add({"kind": "contact", "externalId": "crm-1", "owner": "Ana@contoso.example", "fields": {
            "givenName": "Zoë", "surname": None, "emailAddresses": {"EmailAddress1": "zoe@nordwind.example"}}})
        self.assertEqual((contact["id"], contact["version"], contact["owner"]), ("1", 1, "ana@contoso.example"))
        self.assertIsNone(contact["fields"]["surname"])
        self.assertEqual(contact["links"], [])
        [meeting] = self.add({"kind": "appointment", "owner": "ana@contoso.example", "fields": {
            "subject": "Jour fixe", "start": "2026-03-02T09:00:00Z", "end": "2026-03-02T10:00:00Z",
            "startTimeZone": {"id": "W. Europe Standard Time"},
            "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
                           "range": {"type": "numbered", "startDate": "2026-03-02", "numberOfOccurrences": 10}}}})
        self.assertEqual(meeting["fields"]["recurrence"]["range"]["type"], "numbered")
        shown = validate("record", self.ok("record", "show", "1", "2", "--format", "json"))
        self.assertEqual(shown, [contact, meeting])
        self.assertEqual(validate("record", self.ok("record", "list", "--kind", "contact", "--format", "json")), [contact])
        self.assertEqual(validate("record", self.ok("record", "list", "--owner", "nobody@b.c", "--format", "json")), [])
        self.assertEqual(validate("record", self.ok("record", "show", "--external-id", "crm-1", "--format", "json")), [contact])
        self.assertIn("Zoë", self.ok("record", "list"))
        # What was printed can be put back.
        self.assertEqual(self.run_program("record", "update", "--format", "json",
                                          text=json.dumps(meeting) + "\n").returncode, 0)
        self.assertEqual(validate("record", self.ok("record", "show", "2", "--format", "json")), [meeting])

    def test_files_of_records_go_in_and_come_out_as_they_are(self):
        self.ready()
        octets = os.urandom(300_000)
        offer = self.file("offer.pdf", octets)
        [put] = [json.loads(line) for line in self.ok("content", "put", offer).splitlines()]
        self.assertEqual(put, {"name": "offer.pdf", "sha256": hashlib.sha256(octets).hexdigest(), "size": len(octets)})
        attachment = {"name": "offer.pdf", "sha256": put["sha256"], "size": 7}
        [mail] = self.add({"kind": "email", "owner": "ana@contoso.example", "fields": {"attachments": [attachment]}})
        self.assertEqual(mail["fields"]["attachments"][0]["size"], len(octets))
        self.assertEqual(self.sql("SELECT record, lower(hex(sha256)), octets FROM record_content"),
                         [(1, put["sha256"], len(octets))])
        out = self.folder / "out.pdf"
        self.assertEqual(self.ok("content", "get", put["sha256"], "-o", out), "")
        self.assertEqual(out.read_bytes(), octets)
        before = out.stat()
        for arguments, text in (
                (("content", "get", put["sha256"], "-o", out), "out.pdf: File exists"),
                (("content", "get", "0" * 64), "there is no content"),
                (("content", "get", "../../etc/passwd"), "not the name of a content"),
                (("content", "put", offer, self.folder / "missing"), "missing: No such file"),
                (("content", "put", self.folder), "Is a directory")):
            result = self.run_program(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn(text, result.stderr)
        self.assertEqual((out.stat().st_ino, out.stat().st_size), (before.st_ino, before.st_size))
        # What a record names must be there.
        refused = self.run_program("record", "add", "--format", "json", text=json.dumps({
            "kind": "contact", "owner": "ana@contoso.example", "fields": {"photo": {"sha256": "0" * 64}}}) + "\n")
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(json.loads(refused.stdout)["error"]["code"], "no-content")
        self.assertIn("content put", refused.stderr)

    def test_a_stale_version_is_refused_with_the_current_record(self):
        self.ready()
        self.add({"kind": "task", "owner": "ana@contoso.example", "fields": {"subject": "one"}})
        update = lambda version, subject: self.run_program("record", "update", "--format", "json", text=json.dumps(
            {"id": "1", "version": version, "fields": {"subject": subject}}) + "\n")
        [line] = validate("record", update(1, "two").stdout)
        self.assertEqual((line["version"], line["fields"]["subject"]), (2, "two"))
        stale = update(1, "three")
        self.assertEqual(stale.returncode, 1)
        [line] = validate("record", stale.stdout)
        self.assertEqual((line["error"]["code"], line["current"]["version"], line["current"]["fields"]["subject"]),
                         ("stale-version", 2, "two"))
        self.assertIn("standard input:1: ", stale.stderr)
        [line] = validate("record", update(2, "two").stdout)
        self.assertEqual(line["version"], 2)

    def test_a_known_external_id_is_an_update_also_after_a_delete(self):
        self.ready()
        task = {"kind": "task", "externalId": "t-1", "owner": "ana@contoso.example", "fields": {"subject": "one"}}
        self.add(task)
        [again] = self.add({**task, "fields": {"percentComplete": 50}})
        self.assertEqual((again["id"], again["version"], again["fields"]["subject"]), ("1", 2, "one"))
        [gone] = validate("record", self.ok("record", "delete", "1", "--format", "json"))
        self.assertTrue(gone["deleted"])
        self.assertEqual(self.ok("record", "list"), "")
        self.assertEqual(len(self.ok("record", "list", "--deleted").splitlines()), 1)
        [back] = self.add(task)
        self.assertEqual((back["id"], back["deleted"]), ("1", False))
        [other] = self.add({**task, "kind": "contact", "fields": {}}, status=1)
        self.assertEqual(other["error"]["code"], "other-kind")
        self.assertEqual(self.run_program("record", "delete", "1", "--version", "1").returncode, 1)
        self.assertEqual(self.run_program("record", "delete", "99").returncode, 1)
        self.assertEqual(self.run_program("record", "delete", "x").returncode, 2)

    def test_bad_lines_are_all_named_and_nothing_is_added(self):
        self.ready()
        good = '{"kind":"task","fields":{"subject":"x"}}\n'
        bad = {
            "{": "not valid JSON",
            "[1]": "an object",
            '{"fields":{}}': "kind is missing",
            '{"kind":"shoe"}': "kind must be",
            '{"kind":"task","colour":1}': "unknown member",
            '{"kind":"task","id":"1"}': "given by the store",
            '{"kind":"task","fields":{"nosuch":1}}': "no field nosuch",
            '{"kind":"task","fields":{"percentComplete":"much"}}': "percentComplete",
            '{"kind":"appointment","fields":{"startTimeZone":{"id":"Moon Standard Time"}}}': "no time zone",
            '{"kind":"appointment","fields":{"recurrence":{"pattern":{"type":"never"}}}}': "recurrence",
            '{"kind":"appointment","fields":{"start":"tomorrow"}}': "start",
            "[" * 100000: "not valid JSON",
        }
        result = self.run_program("record", "add", text=good + "".join(line + "\n" for line in bad) + good)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        complaints = result.stderr.splitlines()
        self.assertEqual(len(complaints), len(bad))
        for number, (complaint, reason) in enumerate(zip(complaints, bad.values()), 2):
            self.assertIn(f"standard input:{number}: ", complaint)
            self.assertIn(reason, complaint)
        self.assertEqual(self.ok("record", "list"), "")

    def test_fields_that_make_no_sense_together_are_refused(self):
        self.ready()
        appointment = lambda **fields: {"kind": "appointment", "owner": "a@b.c", "fields": fields}
        lines = self.add(
            appointment(start="2026-03-02T09:00:00Z", end="2026-03-02T08:00:00Z"),
            appointment(start="2026-03-02", end="2026-03-02", isAllDayEvent=True),
            appointment(start="2026-03-02T09:00:00Z", end="2026-03-02T09:30:00Z", isAllDayEvent=True),
            appointment(start="2026-03-02", end="2026-03-03", isAllDayEvent=True), status=1)
        self.assertEqual([line.get("error", {}).get("code") for line in lines], ["bad-value"] * 3 + [None])

    def test_many_lines_are_quick_and_all_there(self):
        self.ready()
        lines = "".join(json.dumps({"kind": "contact", "externalId": str(i), "owner": "ana@contoso.example",
                                    "fields": {"displayName": f"Person {i}"}}) + "\n" for i in range(2500))
        self.assertEqual(len(self.ok("record", "add", text=lines).splitlines()), 2500)
        self.assertEqual(len(self.ok("record", "list").splitlines()), 2500)
        self.assertEqual(len(self.ok("record", "list", "--most", "1500").splitlines()), 1500)


class Journals(Organisation):
    def test_empty_ones_say_so(self):
        self.ready()
        self.assertEqual(self.ok("alerts"), "No alerts.\n")
        self.assertEqual(self.ok("quarantine", "list"), "Nothing is in quarantine.\n")
        self.assertEqual(self.ok("brake", "release"), "No brake is pulled.\n")
        self.assertEqual(self.ok("journal"), "")
        self.assertEqual(self.run_program("journal", "--mailbox", "nobody@b.c").returncode, 2)
        self.assertEqual(self.run_program("quarantine", "replay").returncode, 2)
        self.assertEqual(self.run_program("quarantine", "replay", "nothing").returncode, 2)

    def test_a_pulled_brake_is_released_by_a_person(self):
        self.ready()
        ana = "ana@contoso.example"
        self.sql("INSERT INTO setting(name, json) VALUES(?, ?)", f"brake:{ana}", '{"pulled":true}')
        [line] = validate("status", self.ok("status", "--format", "json"))
        self.assertEqual([m["mailbox"] for m in line["mailboxes"] if m["brake"]], [ana])
        self.assertIn("released", self.ok("brake", "release", "--as", "Erika"))
        self.assertIn("released", self.sql("SELECT json FROM setting WHERE name = ?", f"brake:{ana}")[0][0])
        self.assertEqual(self.ok("brake", "release"), "No brake is pulled.\n")
        self.assertIn("Erika brake.release", self.ok("audit"))


class Trouble(Organisation):
    def test_damaged_store(self):
        self.ready()
        database = self.org / "syncline.db"
        for extra in self.org.glob("syncline.db-*"):
            extra.unlink()
        database.write_bytes(b"this is no database" * 1000)
        for arguments in (["status"], ["mailbox", "list"], ["export-config"]):
            result = self.run_program(*arguments)
            self.assertEqual((result.returncode, result.stdout), (4, ""))
            self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertTrue(database.read_bytes().startswith(b"this is no database"))

    def test_settings_that_cannot_be_read_are_named(self):
        self.ready()
        self.sql("UPDATE profile SET json = '{\"nonsense\":1}' WHERE name = 'Google'")
        result = self.run_program("mailbox", "list")
        self.assertEqual(result.returncode, 4)
        self.assertIn("profile Google", result.stderr)

    def test_newer_schema(self):
        self.ready()
        [(version,)] = self.sql("PRAGMA user_version")
        self.sql(f"PRAGMA user_version = {version + 1}")
        for arguments in (["status"], ["apply", self.folder / "config.toml"]):
            result = self.run_program(*arguments)
            self.assertEqual(result.returncode, 4, result.stdout)
            self.assertIn("newer", result.stderr)

    def test_no_organisation_there(self):
        self.assertEqual(self.run_program("status").returncode, 4)
        self.org.mkdir()
        self.assertEqual(self.run_program("status").returncode, 4)

    def test_read_only_folder(self):
        self.ready()
        options = {}
        if os.geteuid() == 0:
            # Root writes everywhere: somebody else tries.
            options = {"user": 65534, "group": 65534, "extra_groups": []}
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, 65534, 65534)
        self.org.chmod(0o500)
        self.addCleanup(self.org.chmod, 0o700)
        result = self.run_program("mailbox", "approve", "ana@contoso.example", **options)
        self.assertEqual((result.returncode, result.stdout), (4, ""))
        self.assertIn("write", result.stderr)
        looked = self.run_program("mailbox", "list", "--format", "json", **options)
        self.assertEqual(looked.returncode, 0, looked.stderr)
        self.assertEqual([m["approval"]["status"] for m in validate("mailbox", looked.stdout)], ["pending"] * 3)

    def test_full_disk(self):
        self.ready()
        before = self.ok("export-config")
        # As if the disk ended while the transaction is written.
        folders = json.dumps([f"{i} " + "long name " * 10 for i in range(25)])
        wanted = self.file("large.toml", CONFIG + "".join(
            f'[[mailbox]]\naddress = "u{i}@contoso.example"\nprofile = "Basement \\"one\\""\nexchange_version = "2019"\n'
            f"folders = {folders}\n" for i in range(90)))
        result = self.run_program("apply", wanted, preexec_fn=lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))))
        self.assertEqual(result.returncode, 4, result.stdout)
        self.assertEqual(self.ok("export-config"), before)

    def test_commands_work_beside_an_engine_that_holds_the_lock(self):
        self.ready()
        with open(self.org / "engine.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.ok("mailbox", "approve", "ana@contoso.example")
            self.ok("backup", self.folder / "backup")
            self.assertIn("Contoso", self.ok("status"))

    def test_backup_is_an_organisation_without_a_key(self):
        self.ready()
        self.ok("record", "add", text='{"kind":"task","fields":{"subject":"kept"}}\n')
        self.ok("backup", self.folder / "backup")
        self.assertEqual(stat.S_IMODE((self.folder / "backup").stat().st_mode), 0o700)
        again = self.run_program("backup", self.folder / "backup")
        self.assertEqual(again.returncode, 2)
        before = self.ok("export-config")
        self.org = self.folder / "backup"
        self.assertEqual(self.ok("export-config"), before)
        self.assertIn("kept", self.ok("record", "list"))

    def test_every_command_has_help(self):
        for command in ("init", "apply", "export-config", "config example", "secret set", "key rotate", "mailbox list",
                        "mailbox show", "mailbox approve", "mailbox reject", "mailbox enable", "mailbox disable",
                        "record list", "record show", "record add", "record update", "record delete", "journal", "alerts",
                        "status", "quarantine list", "quarantine replay", "brake release", "audit", "backup"):
            with self.subTest(command):
                result = self.run_program(*command.split(), "--help", org=False)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("--help", result.stdout)


if __name__ == "__main__":
    if jsonschema is None:
        print("python3-jsonschema is missing: output is not validated against docs/schemas", file=sys.stderr)
    unittest.main()
