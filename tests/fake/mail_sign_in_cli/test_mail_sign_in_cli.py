#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each direction of a mail host is signed in to: by which mechanism, as whom, with which password."""
import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "real/sync_cli"), str(TESTS / "real/mailbox_test_cli")]
from exchange_world import Syncline  # noqa: E402
from scripted_host import ScriptedHost  # noqa: E402

CAROL = "carol@lab.test"
IN_PASSWORD, OUT_PASSWORD = "in-geheim-81", "out-geheim-82"


def plain(user, password):
    return "PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class SignIn(Syncline):
    certificate = None  # set by the module

    def host(self, mechanisms):
        host = ScriptedHost(self.certificate / "cert.pem", self.certificate / "key.pem", mechanisms=mechanisms)
        self.addCleanup(host.stop)
        return host

    def tried(self, host, kinds=("password",), whose=("--mailbox", CAROL), **members):
        """A test of both directions; gives its exit status and output. Of each direction: mechanism and first response."""
        values = {"name": "Host", "type": "imap_smtp", "in_host": "localhost", "in_port": host.imap_port,
                  "out_host": "localhost", "out_port": host.smtp_port, "in_tls": "implicit", "out_tls": "implicit",
                  "ca_file": str(self.certificate / "cert.pem"), "sent_copies": "none", **members}
        profile = "[[profile]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        if not self.org.exists():
            self.ok("init", "--name", self.name)
        self.apply(self.configuration(profile, self.mailbox(CAROL, "Host", 'act = "none"\n')))
        for kind in kinds:
            self.ok("secret", "set", *whose, "--kind", kind, "--stdin",
                    text=(OUT_PASSWORD if kind == "out-password" else IN_PASSWORD) + "\n")
        self.ok("mailbox", "approve", CAROL)
        host.seen.clear()
        result = self.run_program("mailbox", "test", CAROL)
        return result.returncode, result.stdout + result.stderr

    def mechanisms(self, host):
        return {protocol: {mechanism for one, mechanism, _ in host.seen if one == protocol}
                for protocol, _, _ in host.seen}

    def responses(self, host):
        return {protocol: {(mechanism, first) for one, mechanism, first in host.seen if one == protocol}
                for protocol, _, _ in host.seen}

    def test_the_authentication_protocol_of_a_direction_is_kept_to(self):
        host = self.host("CRAM-MD5 PLAIN")
        self.tried(host)
        self.assertEqual(self.mechanisms(host), {"imap": {"CRAM-MD5"}, "smtp": {"CRAM-MD5"}}, "the strongest")
        self.tried(host, in_auth_protocol="basic")
        self.assertEqual(self.mechanisms(host), {"imap": {"PLAIN"}, "smtp": {"PLAIN"}}, "outgoing is as incoming")
        self.tried(host, out_auth_protocol="basic")
        self.assertEqual(self.mechanisms(host), {"imap": {"CRAM-MD5"}, "smtp": {"PLAIN"}})
        self.tried(host, in_auth_protocol="basic", out_auth_protocol="auto")
        self.assertEqual(self.mechanisms(host), {"imap": {"PLAIN"}, "smtp": {"CRAM-MD5"}})

    def test_nothing_else_is_tried_where_the_server_does_not_offer_it(self):
        host = self.host("CRAM-MD5 PLAIN")
        for protocol in ("ntlm", "negotiate", "oauth"):
            status, said = self.tried(host, in_auth_protocol=protocol)
            self.assertEqual((status, host.seen), (1, []), said)
            self.assertIn("the settings do not allow it", " ".join(said.split()))

    def test_outgoing_has_its_own_password_unless_the_profile_says_it_is_the_same(self):
        host = self.host("PLAIN")
        both = ("password", "out-password")
        self.tried(host, kinds=both, same_settings_for_outgoing=True)
        self.assertEqual(self.responses(host), {"imap": {plain(CAROL, IN_PASSWORD)}, "smtp": {plain(CAROL, IN_PASSWORD)}})
        self.tried(host, kinds=(), same_settings_for_outgoing=False)
        self.assertEqual(self.responses(host), {"imap": {plain(CAROL, IN_PASSWORD)}, "smtp": {plain(CAROL, OUT_PASSWORD)}})
        self.tried(host, kinds=())
        self.assertEqual(self.responses(host)["smtp"], {plain(CAROL, OUT_PASSWORD)}, "what is sealed is stated")

    def test_so_has_a_profiles_account(self):
        host = self.host("PLAIN")
        account = {"auth_in": "profile_credentials", "user_name": "in@lab.test"}
        status, said = self.tried(host, kinds=("password", "out-password"), whose=("--profile", "Host"),
                                  out_user_name="out@lab.test", **account)
        self.assertEqual(self.responses(host), {"imap": {plain("in@lab.test", IN_PASSWORD)},
                                                "smtp": {plain("out@lab.test", OUT_PASSWORD)}}, (status, said))
        self.tried(host, kinds=(), same_settings_for_outgoing=True, **account)
        self.assertEqual(self.responses(host)["smtp"], {plain("in@lab.test", IN_PASSWORD)})

    def look_for_secrets(self):
        for output in self.outputs:
            for secret in (IN_PASSWORD, OUT_PASSWORD):
                self.assertNotIn(secret, output)


def main():
    with tempfile.TemporaryDirectory() as folder:
        SignIn.certificate = pathlib.Path(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                        f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
        return 0 if unittest.main(exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
