#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/check-contract: passes where it must, and finds every kind of contradiction.

With --reference: against the real contract beside the source tree (exit status 77 when it is not there)."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("SYNCLINE_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
TOOL = os.path.join(ROOT, "tools/check-contract")
PROFILE = os.path.join(ROOT, "wsdl")


def run(*arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def make_contract(folder):
    """A contract that our profile keeps: the profile itself under the contract's names, and an element more."""
    os.makedirs(folder)
    for name, to in (("ews-types.xsd", "types.xsd"), ("ews-messages.xsd", "messages.xsd"), ("ews.wsdl", "services.wsdl")):
        shutil.copy(os.path.join(PROFILE, name), os.path.join(folder, to))
    types = os.path.join(folder, "types.xsd")
    edit(types, '      <xs:element name="Subject" type="xs:string" minOccurs="0"/>\n'
                '      <xs:element name="Sensitivity"',
         '      <xs:element name="Subject" type="xs:string" minOccurs="0"/>\n'
         '      <xs:element name="Newer" type="xs:string" minOccurs="0"/>\n'
         '      <xs:element name="Sensitivity"')


def edit(file, old, new, count=1):
    with open(file, encoding="utf-8") as stream:
        text = stream.read()
    if old not in text:
        sys.exit(f"the test is out of date: {file} does not contain {old!r}")
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text.replace(old, new, count))


TYPES, MESSAGES, SERVICE = "ews-types.xsd", "ews-messages.xsd", "ews.wsdl"
# What is broken, where, old text, new text, what the tool must say.
BREAKS = [
    ("a misspelt element", TYPES, 'name="PercentComplete"', 'name="PercentCompleted"',
     r"Task/PercentCompleted: name: not in the contract"),
    ("an element nobody knows", TYPES, '<xs:element name="Importance"',
     '<xs:element name="Urgency" type="xs:string" minOccurs="0"/><xs:element name="Importance"', r"/Urgency: name:"),
    ("two elements exchanged", TYPES,
     '<xs:element name="Initials" type="xs:string" minOccurs="0"/>\n'
     '          <xs:element name="MiddleName" type="xs:string" minOccurs="0"/>',
     '<xs:element name="MiddleName" type="xs:string" minOccurs="0"/>\n'
     '          <xs:element name="Initials" type="xs:string" minOccurs="0"/>', r"Contact/Initials: order:"),
    ("an optional element made required", TYPES, '<xs:element name="UID" type="xs:string" minOccurs="0"/>',
     '<xs:element name="UID" type="xs:string"/>', r"/UID: occurrence: required"),
    ("a repeated element made single", TYPES,
     '<xs:element name="ExtendedProperty" type="t:ExtendedProperty" minOccurs="0" maxOccurs="unbounded"/>',
     '<xs:element name="ExtendedProperty" type="t:ExtendedProperty" minOccurs="0"/>',
     r"/ExtendedProperty: occurrence: single"),
    ("a single element repeated in a request", TYPES,
     '<xs:element name="BaseShape" type="xs:string"/>', '<xs:element name="BaseShape" type="xs:string" maxOccurs="2"/>',
     r"/BaseShape: occurrence: repeated in a request"),
    ("text narrowed to a number", TYPES, '<xs:element name="Subject" type="xs:string" minOccurs="0"/>\n'
     '      <xs:element name="Sensitivity"', '<xs:element name="Subject" type="xs:int" minOccurs="0"/>\n'
     '      <xs:element name="Sensitivity"', r"/Subject: type: int, contract string"),
    ("an attribute nobody knows", TYPES, '<xs:attribute name="ChangeKey" type="xs:string"/>',
     '<xs:attribute name="ChangeKey" type="xs:string"/><xs:attribute name="Version" type="xs:string"/>',
     r"@Version: name: not in the contract"),
    ("an attribute made required", TYPES, '<xs:attribute name="ChangeKey" type="xs:string"/>',
     '<xs:attribute name="ChangeKey" type="xs:string" use="required"/>', r"@ChangeKey: occurrence: required"),
    ("a required element of a request left out", MESSAGES,
     '      <xs:element name="UnresolvedEntry" type="xs:string"/>\n', '', r"UnresolvedEntry: occurrence: left out"),
    ("elements in another namespace", MESSAGES, '<xs:element name="SubscriptionIds" type="t:SubscriptionIds"/>',
     '<xs:element name="SubscriptionIds" type="m:SubscriptionIdsHere"/>', r"SubscriptionId: namespace: m, contract t"),
    ("an operation nobody knows", SERVICE, '<wsdl:operation name="MoveItem">\n      <soap:operation',
     '<wsdl:operation name="ShoveItem">\n      <soap:operation', "2"),
    ("another SOAPAction", SERVICE, 'messages/MoveItem"', 'messages/ShoveItem"', r"MoveItem: name: SOAPAction"),
    ("a header the operation does not take", SERVICE, '<soap:header message="m:DeleteItemIn" part="RequestVersion" use="literal"/>',
     '<soap:header message="m:DeleteItemIn" part="RequestVersion" use="literal"/>'
     '<soap:header message="m:GetItemIn" part="TimeZoneContext" use="literal"/>',
     r"DeleteItem/Header/TimeZoneContext: name: no such header"),
]


def main():
    if "--reference" in sys.argv:
        contract = os.path.join(ROOT, "../shared/reference/ews/contract")
        if not os.path.exists(os.path.join(contract, "messages.xsd")):
            print("SKIPPED: no contract beside the source tree")
            return 77
        status, out, err = run(contract)
        print(out, err, sep="")
        compared = int(re.search(r"(\d+) names compared", err).group(1))
        return 0 if status == 0 and out == "" and compared > 1000 else 1

    failures = []

    def check(what, condition, shown=""):
        if not condition:
            failures.append(what)
            print(f"FAILED: {what}\n{shown}")

    with tempfile.TemporaryDirectory() as folder:
        contract = os.path.join(folder, "contract")
        make_contract(contract)
        status, out, err = run(contract)
        check("the profile keeps a contract that is wider", status == 0 and out == "", out + err)
        status, out, err = run(contract, "--all")
        check("an omission is told with --all", status == 0 and "/Newer: left out" in out, out + err)

        for number, (what, file, old, new, expected) in enumerate(BREAKS):
            broken = os.path.join(folder, f"profile{number}")
            shutil.copytree(PROFILE, broken)
            edit(os.path.join(broken, file), old, new)
            if "SubscriptionIdsHere" in new:
                edit(os.path.join(broken, file), '  <!-- GetStreamingEvents -->',
                     '  <xs:complexType name="SubscriptionIdsHere"><xs:sequence>'
                     '<xs:element name="SubscriptionId" type="xs:string" maxOccurs="unbounded"/>'
                     '</xs:sequence></xs:complexType>')
            status, out, err = run(contract, "--profile", broken)
            if expected == "2":
                check(what, status == 2, out + err)
            else:
                check(what, status == 1 and re.search(expected, out), out + err)

        check("no arguments: usage", run()[0] == 2)
        check("a folder without schemas", run(folder)[0] == 2)
        with open(os.path.join(contract, "types.xsd"), "w", encoding="utf-8") as stream:
            stream.write("<xs:schema")
        check("a schema that is no XML", run(contract)[0] == 2)
    print(f"{len(BREAKS) + 5} checks, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
