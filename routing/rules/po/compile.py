#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns .po files into one C++ table: compile.py OUT.cpp it.po ja.po …

Reads the part of the format that the files here use: msgid and msgstr, each in one or several quoted strings.
A fuzzy or empty translation is left out, and the test for missing messages names it.
"""
import ast
import pathlib
import sys


def entries(path):
    """Pairs of msgid and msgstr; the header (empty msgid) is left out."""
    found, fuzzy, key, values = [], False, None, {}

    def close():
        if values.get("msgid") and values.get("msgstr") and not fuzzy:
            found.append((values["msgid"], values["msgstr"]))

    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line:
            close()
            fuzzy, key, values = False, None, {}
        elif line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
        else:
            if not line.startswith('"'):
                key, _, line = line.partition(" ")
                if key not in ("msgid", "msgstr") or key in values:
                    sys.exit(f"{path}:{number}: unexpected {key}")
                values[key] = ""
            if key is None:
                sys.exit(f"{path}:{number}: a string that belongs to nothing")
            values[key] += ast.literal_eval(line.strip())
    close()
    return found


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main():
    out, files = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    lines = ["// Made by compile.py from the .po files.", '#include "routing/rules/translations.hpp"', "",
             "namespace syncline::rules {", "namespace {", ""]
    languages = sorted(file.stem for file in files)
    for file in sorted(files):
        table = dict(entries(file))
        ordered = sorted(table.items(), key=lambda entry: entry[0].encode())
        lines.append(f"constexpr Translation k_{file.stem}[] = {{")
        lines += [f"    {{{literal(english)}, {literal(text)}}}," for english, text in ordered]
        lines += ["};", ""]
    lines += ["}  // namespace", "",
              "std::span<const Translation> translations(std::string_view language) noexcept {"]
    lines += [f'  if (language == "{language}") return k_{language};' for language in languages]
    lines += ["  static_cast<void>(language);", "  return {};", "}", "", "}  // namespace syncline::rules", ""]
    out.write_text("\n".join(lines), encoding="utf-8")


main()
