#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a folder of mail, calendar and contact files as people have them after twenty years: most of it right, much of
it not. The same seed makes the same octets.

  make_messy_folder.py DIR [--messages N] [--calendars N] [--cards N] [--seed S] [--manifest FILE] [--from FOLDER]

--from mixes real .eml, .mbox, .ics and .vcf files into it, every other one damaged.
--manifest lists what the folder holds, as JSON, one file a line: its name, its kind, and for mail the number of messages.
"""
import argparse
import base64
import json
import os
import pathlib
import quopri
import random
import textwrap

WORDS = ("the order of delivery for your project is late and we ask that you send the report before friday because our "
         "customer wants an offer with all figures of this quarter please see what was agreed in the meeting").split()
TEXTS = ["Größe und Straße", "встреча в понедельник", "会議の件について", "عقد التوريد", "naïve café œuvre", "👩‍👩‍👧 🎉 done", "ﬁnal ﷽ ẞ"]
NAMES = ["Ann Lee", "José García", "Жанна Орлова", "山田太郎", "Müller, Jörg", "O'Neil \"Pat\"", "", "😀 Emoji", "a@b.example", "x" * 300]
CHARSETS = ["utf-8", "iso-8859-1", "windows-1251", "koi8-r", "iso-2022-jp", "gb18030", "utf-16", "utf-7"]
BAD_CHARSETS = ["x-unknown", "", "utf8mb4", "\"", "ISO_8859-8-I;", "us-ascii", "=?utf-8?Q?utf-8?="]
DATES = ["Mon, 01 Jan 1900 00:00:00 +0000", "Fri, 31 Dec 2100 23:59:60 +1400", "Thu, 1 Jan 1970 00:00:00 GMT", "31 Feb 2024 10:00:00 +0100",
         "yesterday", "", "Tue, 5 Mar 2024 25:61:00 +9999", "Sat, 14 Mar 98 10:11 PST", "2024-03-05T10:00:00Z", "Wed, 1 Jan 0001 00:00:00 -0000",
         "Mon, 5 Mar 99999 10:00:00 +0000", "Mon, 5 Mrz 2024 10:00:00 +0100", "Mon, 5 Mar 2024 10:00:00 (no zone) -0530 (a (nested) comment)"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.known_ids = []

    def words(self, count):
        return " ".join(self.r.choices(WORDS, k=count))

    def text(self, size):
        return "\n".join(textwrap.wrap(self.words(max(1, size // 5)), 70)) + "\n"

    def encoded_word(self, text):
        charset = self.r.choice(["utf-8", "utf-8", "iso-2022-jp", "koi8-r", "gb18030", "x-nothing"])
        octets = text.encode(charset if charset != "x-nothing" else "utf-8", "replace")
        if self.r.random() < .5:
            return f"=?{charset}?B?{base64.b64encode(octets).decode()}?="
        return f"=?{charset}?q?" + "".join(f"={o:02X}" for o in octets) + "?="

    def address(self):
        name, address = self.r.choice(NAMES), f"person{self.r.randrange(300)}@partner{self.r.randrange(9)}.example"
        style = self.r.randrange(5)
        if style == 0 or not name:
            return address
        if not name.isascii():
            return f"{self.encoded_word(name)} <{address}>"
        escaped = name.replace('"', '\\"')
        return f'"{escaped}" <{address}>' if style < 4 else f"{address} ({escaped})"

    def multipart(self, kind, parts, close=True):
        mark = f"=_{self.r.getrandbits(60):x}"
        body = "".join(f"--{mark}\n{part}\n" for part in parts) + (f"--{mark}--\n" if close else "")
        return f'multipart/{kind}; boundary="{mark}"', body

    def message(self, marker):
        """A sound message: list of header lines (name, value), and octets of the body. LF."""
        subject = f"{self.words(self.r.randrange(1, 8))} {marker}"
        if self.r.random() < .2:
            subject = self.encoded_word(self.r.choice(TEXTS)) + " " + marker
        message_id = f"<{self.r.getrandbits(64):x}@partner.example>"
        headers = [("Received", f"from mx{self.r.randrange(9)}.example by mail.demo.example; Tue, 3 Mar 2026 10:{self.r.randrange(60):02}:00 +0000"),
                   ("Date", f"Tue, {self.r.randrange(1, 29)} Apr {self.r.randrange(1998, 2027)} {self.r.randrange(24):02}:{self.r.randrange(60):02}:00 +0200"),
                   ("From", self.address()),
                   ("To", ", ".join(["anna@demo.example"] + [self.address() for _ in range(self.r.randrange(3))])),
                   ("Subject", subject), ("Message-ID", message_id)]
        if self.known_ids and self.r.random() < .3:
            earlier = self.r.choice(self.known_ids)
            headers += [("In-Reply-To", earlier), ("References", " ".join(self.r.sample(self.known_ids, min(3, len(self.known_ids))) + [earlier]))]
        self.known_ids.append(message_id)
        body, content_type, encoding = self.text(self.r.choice([200, 800, 3000])).encode(), "text/plain; charset=us-ascii", "7bit"
        kind = self.r.randrange(8)
        if kind == 0:
            charset = self.r.choice(CHARSETS)
            content_type, encoding = f"text/plain; charset={charset}", "base64"
            body = base64.encodebytes("\n".join(self.r.choices(TEXTS, k=9)).encode(charset, "replace"))
        elif kind in (1, 2):
            html = f"<html><body><p>{self.r.choice(TEXTS)}</p><p>{self.words(200)}</p></body></html>"
            content_type, text = self.multipart("alternative", [
                "Content-Type: text/plain; charset=utf-8\n\n" + self.text(400),
                "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
                + quopri.encodestring(html.encode()).decode() + "\n"])
            body = text.encode()
        elif kind in (3, 4):
            parts = ["Content-Type: text/plain\n\n" + self.text(200)]
            for name in self.r.sample(["offer.pdf", "../../etc/passwd", "Übersicht.xlsx", "", "con.txt", "a" * 300 + ".doc", "new\tname"], 2):
                parts.append(f'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="{name}"\n'
                             "Content-Transfer-Encoding: base64\n\n"
                             + base64.encodebytes(self.r.randbytes(self.r.randrange(12000))).decode())
            content_type, text = self.multipart("mixed", parts)
            body = text.encode()
        elif kind == 5:
            inner = f"From: {self.address()}\nSubject: the one inside\nMessage-ID: <inner{self.r.getrandbits(40):x}@x.example>\n\n{self.text(300)}"
            content_type, text = self.multipart("mixed", ["Content-Type: text/plain\n\nsee below\n", "Content-Type: message/rfc822\n\n" + inner])
            body = text.encode()
        headers += [("MIME-Version", "1.0"), ("Content-Type", content_type), ("Content-Transfer-Encoding", encoding)]
        return headers, body

    # --- what goes wrong with messages ---------------------------------------------------------------------------

    def without(self, *names):
        return lambda headers, body: ([h for h in headers if h[0] not in names], body)

    def with_header(self, name, values):
        return lambda headers, body: ([h for h in headers if h[0] != name] + [(name, self.r.choice(values))], body)

    def message_damages(self):
        r = self.r

        def nested(headers, body):
            content_type, inner = "text/plain", "the innermost\n"
            for _ in range(r.choice([3, 29, 31, 200])):
                content_type, inner = self.multipart("mixed", [f"Content-Type: {content_type}\n\n{inner}"], r.random() < .7)
            return [h for h in headers if h[0] != "Content-Type"] + [("Content-Type", content_type)], inner.encode()

        def many_parts(headers, body):
            content_type, text = self.multipart("mixed", [f"Content-Type: text/plain\n\npart {i}\n" for i in range(400)])
            return [h for h in headers if h[0] != "Content-Type"] + [("Content-Type", content_type)], text.encode()

        def sprinkle(octets, junk):
            octets = bytearray(octets)
            for _ in range(r.randrange(1, 30)):
                octets.insert(r.randrange(len(octets) + 1), r.choice(junk))
            return bytes(octets)

        def broken_base64(headers, body):
            junk = b"SGVsbG8*gd29y\nbGQ=====\n!!!\n=A==\xff" * r.randrange(1, 50)
            return [h for h in headers if not h[0].startswith("Content-")] + \
                [("Content-Type", "image/png; name=x.png"), ("Content-Transfer-Encoding", "base64")], junk

        def same_id(headers, body):
            return [h for h in headers if h[0] != "Message-ID"] + [("Message-ID", r.choice(self.known_ids))], body

        return [
            self.without("Date"), self.without("From"), self.without("Message-ID"), self.without("Subject"), self.without("To"),
            self.without("Date", "From", "Message-ID"), self.without("MIME-Version", "Content-Type"),
            self.with_header("Date", DATES), self.with_header("Date", DATES), same_id, same_id, nested, many_parts, broken_base64,
            self.with_header("Message-ID", ["", "<>", "no brackets", "<a b c>", "<" + "i" * 3000 + "@x>", "<\x00nul@x>", "<dup@x> <dup@y>"]),
            self.with_header("From", ["", "<>", "nobody", "a@b@c", "undisclosed-recipients:;", "\"open <x@y.example>", "(comment", "\xff\xfe <\xe9@x.example>",
                                      ", , ,", "<" * 50 + "x@y.example", "group: a@x.example, b@x.example;"]),
            self.with_header("To", [", ".join(f"person{i}@partner.example" for i in range(1500)), "", "undisclosed-recipients:;", ";;;,,,", "@@@"]),
            self.with_header("Subject", ["", "\x00\x01\x02 control", "=?utf-8?B?4pyT", "=?utf-8?Q?=E2=9C?= =?utf-8?Q?=93?=", "=?x?x?x?=", "s" * 5000,
                                         "\u202eright to left", "\ud7ff \ufffe \uffff", "]]> <![CDATA[ &amp; &#0; &lol;", "  \t  "]),
            self.with_header("Content-Type", ["multipart/mixed", "multipart/mixed; boundary=", "text/html; charset=" + r.choice(BAD_CHARSETS), "/", ";;;",
                                              "application/pkcs7-mime; smime-type=enveloped-data", "application/x-microsoft-rpmsg-message",
                                              "multipart/encrypted; boundary=x", "message/rfc822", "message/delivery-status",
                                              "multipart/report; report-type=delivery-status; boundary=b", "text/calendar; method=REQUEST", "TEXT"]),
            self.with_header("Content-Transfer-Encoding", ["x-uuencode", "base64", "quoted-printable", "8bit", "binary", "\xff"]),
            self.with_header("References", [" ".join(f"<r{i}@x.example>" for i in range(3000)), "<self@x>", ">>>><<<<"]),
            self.with_header("Importance", ["high", "LOW", "urgent!", ""]),
            lambda h, b: (h + [(f"X-Header-{i}", "v" * 60) for i in range(3000)], b),
            lambda h, b: (h + [("X-Long", "y" * 300000)], b),
            lambda h, b: (h + [("bad name with spaces", "x"), ("", "no name"), ("X-\xff", "8-bit name")], b),
            lambda h, b: (h, b"z" * 200000 + b"\n"),
            lambda h, b: (h, b""),
            lambda h, b: (h, sprinkle(b, [0])),
            lambda h, b: (h, sprinkle(b, list(range(0x80, 0x100)))),
            lambda h, b: (h, sprinkle(b, list(range(0x20)))),
            lambda h, b: ([(n, v if n != "Subject" else v + " raw \xe9\xe8\x80") for n, v in h], b),
            lambda h, b: (h, b[: len(b) // 2]),
        ]

    def octets(self, headers, body, newline):
        lines = []
        for name, value in headers:
            value = value.encode("utf-8", "surrogatepass") if not any(0x80 <= ord(c) < 0x100 for c in value) else value.encode("latin-1", "replace")
            lines.append(name.encode("latin-1", "replace") + b": " + value)
        return (b"\n".join(lines) + b"\n\n" + body).replace(b"\n", newline)

    def eml(self, index):
        headers, body = self.message(f"[m{index}]")
        damaged = self.r.random() < .5
        if damaged:
            for damage in self.r.sample(self.message_damages(), self.r.choice([1, 1, 2, 3])):
                headers, body = damage(headers, body)
        octets = self.octets(headers, body, self.r.choice([b"\r\n", b"\n"]))
        if damaged and self.r.random() < .2:
            octets = self.damage_octets(octets)
        return octets

    def damage_octets(self, octets):
        r = self.r
        at = r.randrange(len(octets) + 1)
        return r.choice([
            lambda: octets[:at], lambda: b"\xef\xbb\xbf" + octets, lambda: b"From someone@x.example Tue Mar  3 10:00:00 2026\n" + octets,
            lambda: octets.replace(b"\n\n", b"\n", 1), lambda: octets.replace(b"\r\n", b"\r"), lambda: b"\n\n" + octets,
            lambda: b"", lambda: b" \r\n\r\n", lambda: r.randbytes(4000), lambda: octets[at:], lambda: octets + b"\x00" * 5000,
            lambda: octets.replace(b": ", b" "), lambda: octets.decode("latin-1").encode("utf-16"),
        ])()

    def mbox(self, indexes):
        out = b""
        for index in indexes:
            headers, body = self.message(f"[m{index}]")
            if self.r.random() < .3:
                headers, body = self.r.choice(self.message_damages())(headers, body)
            octets = self.octets(headers, body, b"\n").replace(b"\nFrom ", b"\n>From ")
            if self.r.random() < .3:
                octets += self.r.choice([b"From now on this is a line of the text.\n", b">From a quoted one\n", b">>From twice\n", b"From \n", b"from here\n"])
            out += b"From " + self.r.choice([b"ann@x.example Tue Mar  3 10:00:00 2026", b"MAILER-DAEMON Tue Mar  3 10:00 2026",
                                             b"- Tue Mar  3 10:00:00 2026", b"a b@x.example Tue Mar  3 10:00:00 +0100 2026",
                                             b"ann@x.example  Tue, 03 Mar 2026 10:00:00 +0100"]) + b"\n" + octets
            if not out.endswith(b"\n\n"):
                out += b"\n"
        return out

    # --- calendars -------------------------------------------------------------------------------------------------

    RULES = ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=10", "FREQ=DAILY;COUNT=0", "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20261231T235959Z", "FREQ=WEEKLY;WKST=SU;INTERVAL=2;BYDAY=TU",
             "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=6", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=12", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
             "FREQ=MONTHLY;BYDAY=5MO", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "FREQ=YEARLY;BYWEEKNO=20", "FREQ=YEARLY;INTERVAL=2", "FREQ=HOURLY;COUNT=5",
             "FREQ=SECONDLY", "FREQ=WEEKLY;BYDAY=XX", "FREQ=", "", "INTERVAL=1", "FREQ=DAILY;UNTIL=19990101", "FREQ=DAILY;UNTIL=never", "FREQ=WEEKLY;INTERVAL=99999999999999999999",
             "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=DAILY;COUNT=100000", "FREQ=DAILY;BYHOUR=9,17", "FREQ=YEARLY;BYYEARDAY=100", "freq=weekly;byday=mo"]
    ZONES = ["Europe/Berlin", "America/New_York", "W. Europe Standard Time", "Mars/Olympus", "", "(UTC+01:00) Amsterdam", "/mozilla.org/20050126_1/Europe/Paris", "Asia/Kathmandu", "Custom"]
    TIMES = ["20260302T090000", "20260302T090000Z", "20260302", "19000101T000000", "21001231T235900Z", "20261025T023000", "20260329T023000", "20260230T100000", "2026-03-02T09:00:00",
             "now", "00010101T000000Z", "99991231T235959Z", "20260302T250000"]

    def event(self, marker):
        r = self.r
        start = f"2026{r.randrange(1, 13):02}{r.randrange(1, 29):02}T{r.randrange(8, 18):02}0000"
        lines = ["BEGIN:VEVENT", f"UID:{r.getrandbits(64):x}@calendar.example", "DTSTAMP:20260101T000000Z", f"SUMMARY:{r.choice(TEXTS)} {marker}"]
        style = r.randrange(8)
        zone = r.choice(self.ZONES) if r.random() < .4 else r.choice(self.ZONES[:3])
        if style < 4:
            lines += [f"DTSTART;TZID={zone}:{start}", f"DTEND;TZID={zone}:{start[:9]}{int(start[9:11]) + 1:02}0000"]
        elif style == 4:
            lines += [f"DTSTART:{start}", "DURATION:" + r.choice(["PT1H", "P1D", "-PT1H", "PT", "P1W", "forever"])]
        elif style == 5:
            lines += [f"DTSTART;VALUE=DATE:{start[:8]}"]
        elif style == 6:
            lines += [f"DTSTART:{r.choice(self.TIMES)}", f"DTEND:{r.choice(self.TIMES)}"]
        elif r.random() < .5:
            lines += ["DTEND:20260302T100000Z"]
        if r.random() < .35:
            lines.append("RRULE:" + r.choice(self.RULES))
            if r.random() < .4:
                lines.append(f"EXDATE;TZID={zone}:{start}," + r.choice(["junk", start, "20260101"]))
            if r.random() < .2:
                lines.append("RDATE:20260303T090000Z,20260304T090000Z")
        if r.random() < .3:
            lines += ["ORGANIZER;CN=Boss:mailto:" + r.choice(["boss@partner.example", "anna@demo.example", "not an address", ""])]
            lines += [f"ATTENDEE;CN=\"{r.choice(['A', 'B;C', 'D:E'])}\":MAILTO:person{i}@partner.example" for i in range(r.choice([1, 3, 60]))]
        if r.random() < .3:
            lines += ["DESCRIPTION:" + r.choice(["line one\\nline two\\, comma\\; semicolon \\\\ backslash \\x", "d" * 60000, "\x00nul", "<html>&amp;</html>", "👍" * 50])]
        if r.random() < .2:
            lines += ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:not the event's", "END:VALARM"]
        if r.random() < .2:
            lines += [r.choice(["STATUS:CANCELLED", "TRANSP:TRANSPARENT", "CLASS:CONFIDENTIAL", "CLASS:PRIVATE", "SEQUENCE:-1", "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
                                "ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA", "no colon in this line", ":no name", "GEO:1;2"])]
        if r.random() < .15:
            lines += ["LOCATION:" + r.choice(TEXTS), "CATEGORIES:one,two\\,three,,"]
        return lines + ["END:VEVENT"]

    def ics(self, index):
        r = self.r
        blocks = []
        for part in range(r.choice([1, 1, 1, 2, 5])):
            marker = f"[c{index}.{part}]"
            kind = r.randrange(10)
            if kind < 7:
                blocks.append(self.event(marker))
                if any(line.startswith("RRULE:FREQ=WEEKLY") for line in blocks[-1]) and r.random() < .5:
                    uid = next(line for line in blocks[-1] if line.startswith("UID:"))
                    start = next((line for line in blocks[-1] if line.startswith("DTSTART")), "DTSTART:20260302T090000Z")
                    blocks.append(["BEGIN:VEVENT", uid, start.replace("DTSTART", "RECURRENCE-ID", 1), start, f"SUMMARY:moved {marker}", "END:VEVENT"])
            elif kind < 9:
                blocks.append(["BEGIN:VTODO", f"UID:todo{index}.{part}", f"SUMMARY:task {marker}", "DUE:" + r.choice(self.TIMES),
                               "STATUS:" + r.choice(["COMPLETED", "IN-PROCESS", "what"]), "PERCENT-COMPLETE:" + r.choice(["50", "101", "-1", "all"]),
                               "COMPLETED:" + r.choice(self.TIMES), "END:VTODO"])
            else:
                blocks.append(r.choice([["BEGIN:VJOURNAL", f"SUMMARY:{marker}", "END:VJOURNAL"], ["BEGIN:VFREEBUSY", "FREEBUSY:junk", "END:VFREEBUSY"]]))
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//messy//EN"] + [line for block in blocks for line in block] + ["END:VCALENDAR"]
        if r.random() < .3:
            lines = r.choice([
                lambda: lines[1:], lambda: lines[:-1], lambda: lines[: r.randrange(1, len(lines))],
                lambda: [line for line in lines if not line.startswith("END:VEVENT")],
                lambda: [line.lower() for line in lines], lambda: [" " + line for line in lines],
                lambda: lines[:3] + ["END:VEVENT"] + lines[3:], lambda: lines + lines, lambda: ["\ufeff" + lines[0]] + lines[1:],
                lambda: r.sample(lines, len(lines)), lambda: [], lambda: ["BEGIN:X"] * 1000,
                lambda: [line for block in blocks for line in block],
                lambda: lines[:3] + ["BEGIN:VTIMEZONE", "TZID:Custom", "BEGIN:STANDARD", "DTSTART:19710101T000000", "TZOFFSETTO:+0130",
                                     "TZOFFSETFROM:+0130", "END:STANDARD", "END:VTIMEZONE"] + lines[3:],
            ])()
        return self.written(lines, 75)

    def written(self, lines, width):
        r = self.r
        newline = r.choice(["\r\n", "\r\n", "\n", "\r"])
        out = b""
        fold = r.choice(["right", "right", "inside characters", "none", "with blank lines"])
        for line in lines:
            octets = line.encode("utf-8", "surrogatepass")
            while fold != "none" and len(octets) > width:
                cut = width
                while fold == "right" and (octets[cut] & 0xC0) == 0x80:
                    cut -= 1
                out += octets[:cut] + newline.encode() + b" "
                octets = octets[cut:]
                if fold == "with blank lines" and r.random() < .05:
                    out += newline.encode()
            out += octets + newline.encode()
        if r.random() < .08:
            out = out.decode("utf-8", "replace").encode(r.choice(["latin-1", "utf-16"]), "replace")
        if r.random() < .05:
            out = self.damage_octets(out)
        return out

    # --- contacts --------------------------------------------------------------------------------------------------

    def card(self, marker):
        r = self.r
        version = r.choice(["2.1", "3.0", "3.0", "4.0"])
        name = r.choice([n for n in NAMES if n] + TEXTS)
        lines = ["BEGIN:VCARD", f"VERSION:{version}"]
        if version == "2.1":
            encoded = "".join(f"={o:02X}" for o in f"{name} {marker}".encode())
            lines += [f"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{encoded};Given",
                      "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:" + encoded[:60] + "=\n" + encoded[60:],
                      "TEL;HOME;VOICE:+49 30 1234", f"EMAIL;INTERNET;PREF:{marker}@partner.example",
                      "NOTE;ENCODING=QUOTED-PRINTABLE:first line=0D=0A=\nsecond line"]
        else:
            escaped = name.replace(",", "\\,").replace(";", "\\;")
            if r.random() < .85:
                lines.append(f"FN:{escaped} {marker}")
            lines += [f"N:{escaped} {marker};Given;;;",
                      "item1.EMAIL;TYPE=INTERNET:" + r.choice(["p@x.example", "broken", "", '"a b"@x.example', "p@münchen.example"]),
                      "TEL;TYPE=CELL,VOICE:" + r.choice(["+49 170 1234", "tel:+1-555", "☎ 12", "9" * 500]),
                      "ADR;TYPE=WORK:;;Main Street 1;Springfield;;12345;USA", f"ORG:Nordwind {marker};Sales;more;parts", f"TITLE:Title {marker}"]
        if r.random() < .3:
            lines.append("BDAY:" + r.choice(["1980-02-29", "19800229", "--0229", "1980-02-30", "0000-00-00", "29.2.1980", "1980-02-29T00:00:00Z", "19000101"]))
        if r.random() < .3:
            picture = base64.b64encode(b"\xff\xd8\xff\xe0" + r.randbytes(r.choice([10, 5000, 90000]))).decode()
            lines.append(r.choice([f"PHOTO;ENCODING=b;TYPE=JPEG:{picture}", f"PHOTO:data:image/jpeg;base64,{picture}", "PHOTO;VALUE=uri:http://x.example/p.jpg",
                                   f"PHOTO;ENCODING=BASE64:{picture[:-3]}", "PHOTO:"]))
        if r.random() < .2:
            lines += [f"EMAIL:more{i}@x.example" for i in range(20)] + [f"TEL;TYPE=HOME:{i}" for i in range(20)]
        if r.random() < .2:
            lines += [r.choice(["NOTE:" + "n" * 50000, "CATEGORIES:a,b", "no colon", "X-\x00:y", "URL:javascript:alert(1)", "NICKNAME:" + "👻" * 100, "KEY:" + "A" * 5000,
                                "AGENT:BEGIN:VCARD\\nFN:Agent\\nEND:VCARD", "GENDER:M;Fellow", "RELATED;TYPE=friend:urn:uuid:1"])]
        if r.random() < .1:
            lines = [line for line in lines if not line.startswith(("FN", "N:", "N;"))]
        return lines + ["END:VCARD"]

    def vcf(self, index):
        r = self.r
        cards = [self.card(f"[v{index}.{part}]") for part in range(r.choice([1, 1, 1, 3, 12]))]
        lines = [line for card in cards for line in card]
        if r.random() < .2:
            lines = r.choice([lambda: lines[1:], lambda: lines[:-1], lambda: ["\ufeff" + lines[0]] + lines[1:], lambda: lines[:1] + lines,
                              lambda: [line.lower() for line in lines], lambda: [], lambda: lines[:-1] + ["END:VCARDS"], lambda: r.sample(lines, len(lines))])()
        return self.written(lines, 75)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--calendars", type=int, default=250)
    parser.add_argument("--cards", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--manifest", type=pathlib.Path)
    parser.add_argument("--from", dest="real", type=pathlib.Path)
    options = parser.parse_args()
    maker, manifest = Maker(options.seed), []
    r = maker.r

    def write(name, kind, octets, messages=0):
        path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
        manifest.append({"name": path.name, "kind": kind, "messages": messages})

    real = sorted(p for p in options.real.rglob("*") if p.is_file()) if options.real else []
    done = 0
    for number, path in enumerate(real):
        octets = path.read_bytes()
        kind = path.suffix.lower().lstrip(".")
        if kind not in ("eml", "mbox", "ics", "vcf") or (kind == "eml" and done >= options.messages):
            continue
        if number % 2 and octets and kind != "mbox":
            octets = maker.damage_octets(octets)
        write(f"real/{number:05}-{path.stem[:80]}.{kind}", kind, octets, 1 if kind == "eml" else 0)
        done += kind == "eml"
    while done < options.messages:
        if r.random() < .02 and options.messages - done > 20:
            count = r.randrange(1, 20)
            write(f"mail/{done:05}.{r.choice(['mbox', 'MBOX'])}", "mbox", maker.mbox(range(done, done + count)), count)
            done += count
        else:
            write(f"mail/{done // 1000}/{done:05}.{'EML' if done % 50 == 0 else 'eml'}", "eml", maker.eml(done), 1)
            done += 1
    for index in range(options.calendars):
        write(f"calendar/{index:04}.ics", "ics", maker.ics(index))
    for index in range(options.cards):
        write(f"contacts/{index:04}.vcf", "vcf", maker.vcf(index))
    write("mail/name not in UTF-8 \udcff\udcfe.eml", "eml",
          maker.octets(*maker.message("[m-name]"), b"\n"), 1)
    if options.manifest:
        options.manifest.write_text("".join(json.dumps(line) + "\n" for line in manifest), "utf-8")


if __name__ == "__main__":
    os.umask(0o077)
    main()
