#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes mail for the lab: the same seed always gives the same bytes.

  gen_messages.py --maildir WORKDIR/home/alice/Maildir --count 10000
  gen_messages.py --eml DIR --count 1000 --max-kb 20

--maildir writes straight into cur/ (LF lines, S= and W= sizes in the file name,
which Dovecot uses instead of reading each file); --eml writes N.eml with CRLF.
Kinds: plain, alternative (text + HTML), attachment(s), calendar invitation,
national charsets, nested forwards, and a few percent of deliberately bad mail.
"""
import argparse, base64, email.utils, os, pwd, quopri, random, sys

WORDS = ("the of and to in for that with on as are by be this from or which not have an at was but all can "
         "their more has been one would about when there other than its only new some could time these may then "
         "meeting budget quarter invoice delivery contract schedule review customer server backup report draft "
         "please attached regards thanks tomorrow monday agenda project release figures summary approve").split()
RU = "встреча бюджет отчёт договор пожалуйста завтра спасибо вложение сервер заказ поставка".split()
JA = ["会議の件", "お世話になっております", "添付ファイル", "ご確認ください", "来週の予定", "よろしくお願いします"]
DE = "Übersicht Größe Straße prüfen Anhänge für möglich Grüße Änderung nächste Woche".split()
NAMES = ["Ann Lee", "Bob Ray", "José García", "Жанна Орлова", "山田太郎", "Müller, Jörg", "O'Neil \"Pat\"", "Carol"]


def text(r, n, words=WORDS, width=72, sep=" "):
    out, line, total = [], "", 0
    while total < n:
        line += (sep if line else "") + r.choice(words)
        if len(line) > width:
            out.append(line); total += len(line) + 1; line = ""
    return "\n".join(out + [line]) + "\n"


def encw(s, charset="utf-8", how="B"):
    raw = s.encode(charset)
    if how == "B":
        return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="
    q = "".join(chr(c) if chr(c).isalnum() and c < 128 else "_" if c == 32 else f"={c:02X}" for c in raw)
    return f"=?{charset}?Q?{q}?="


def addr(r):
    n = r.choice(NAMES)
    if any(ord(c) > 127 for c in n):
        n = encw(n, how=r.choice("BQ"))
    elif any(c in '",()\'' for c in n):
        n = '"' + n.replace('"', '\\"') + '"'
    return f"{n} <user{r.randrange(500)}@example{r.randrange(20)}.org>"


def b64(data):
    return base64.encodebytes(data).decode().replace("\n", "\n")


def part(ctype, body, cte="7bit", extra=""):
    return f"Content-Type: {ctype}\nContent-Transfer-Encoding: {cte}\n{extra}\n{body}"


def multi(r, sub, parts, preamble="This is a multi-part message in MIME format.\n", closing=True, params=""):
    b = f"=_{r.getrandbits(80):020x}"
    body = preamble + "".join(f"--{b}\n{p}\n" for p in parts) + (f"--{b}--\n" if closing else "")
    return f'multipart/{sub}; boundary="{b}"{params}', body


def make(r, i, lo, hi):
    size = int(min(hi, max(lo, r.lognormvariate(9.4, 0.9))))
    kind = r.choices(["plain", "alt", "attach", "invite", "charset", "forward", "odd"],
                     [34, 30, 18, 4, 8, 3, 3])[0]
    subject, extra, ctype, cte = " ".join(r.choices(WORDS, k=r.randint(2, 9))), "", "text/plain; charset=us-ascii", "7bit"
    if kind == "plain":
        body = text(r, size)
    elif kind == "alt":
        t = text(r, size // 4)
        h = "<html><body><p>" + text(r, size // 2, WORDS + DE).replace("\n", "</p>\n<p>") + "</p></body></html>\n"
        ctype, body = multi(r, "alternative", [
            part("text/plain; charset=utf-8", t),
            part("text/html; charset=utf-8", quopri.encodestring(h.encode()).decode(), "quoted-printable")])
    elif kind == "attach":
        k = r.randint(1, 3)
        ps = [part("text/plain; charset=utf-8; format=flowed", text(r, 800))]
        for j in range(k):
            nm = r.choice(["report.pdf", "scan 1.jpg", "Übersicht.xlsx", "отчёт за год.docx"])
            if nm.isascii():
                disp = f'Content-Disposition: attachment; filename="{nm}"\n'
            else:
                pc = "".join(f"%{c:02X}" for c in nm.encode())
                disp = ("Content-Disposition: attachment;\n filename*0*=utf-8''" + pc[:30] + ";\n filename*1*=" + pc[30:] + "\n"
                        if r.random() < .5 else f"Content-Disposition: attachment; filename*=utf-8''{pc}\n")
            ps.append(part("application/octet-stream", b64(r.randbytes(max(300, (size - 800) * 3 // 4 // k))), "base64", disp))
        ctype, body = multi(r, "mixed", ps)
        subject = encw(" ".join(r.choices(RU, k=3)))
    elif kind == "invite":
        h = r.randrange(8, 17)
        ics = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lab//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
               f"UID:{r.getrandbits(64):x}@lab.test\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20260302T{h:02}0000\r\n"
               f"DTEND;TZID=Europe/Berlin:20260302T{h:02}3000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT={r.randrange(2, 40)}\r\n"
               f"SUMMARY:{subject}\r\nATTENDEE;RSVP=TRUE:mailto:alice@lab.test\r\nORGANIZER:mailto:bob@lab.test\r\n"
               "END:VEVENT\r\nEND:VCALENDAR\r\n")
        ctype, body = multi(r, "alternative", [
            part("text/plain; charset=utf-8", text(r, 1500)),
            part("text/calendar; charset=utf-8; method=REQUEST", b64(ics.encode()), "base64")])
    elif kind == "charset":
        cs, w, sep = r.choice([("koi8-r", RU, " "), ("windows-1251", RU, " "), ("iso-2022-jp", JA, ""), ("iso-8859-1", DE, " "), ("utf-8", RU + DE, " ")])
        body = b64(text(r, size // 2, w, 30, sep).encode(cs)); cte = "base64"; ctype = f"text/plain; charset={cs}"
        subject = encw(sep.join(r.choices(w, k=2)), cs, r.choice("BQ"))
    elif kind == "forward":
        inner = f"From: {addr(r)}\nTo: {addr(r)}\nSubject: inner\nMIME-Version: 1.0\nContent-Type: text/plain\n\n" + text(r, size // 2)
        ctype, body = multi(r, "mixed", [part("text/plain", text(r, 500)), part("message/rfc822", inner, "7bit")])
    else:
        w = r.randrange(8)
        body = text(r, size // 2)
        if w == 0:      # never closed
            ctype, body = multi(r, "mixed", [part("text/plain", body)], closing=False)
        elif w == 1:    # unquoted boundary with odd characters, no blank line after headers
            ctype, body = "multipart/mixed; boundary=a=b;c", "--a=b\nContent-Type: text/plain\n" + body + "--a=b--\n"
        elif w == 2:    # raw 8-bit in the header
            subject = "raw \xe9\xe8 8-bit"
        elif w == 3:    # broken base64
            cte, body = "base64", "SGVsbG8*gd29y\nbGQ=====\n!!!\n"
        elif w == 4:    # unknown charset and encoding
            ctype, cte = "text/plain; charset=x-nonsense", "x-unknown"
        elif w == 5:    # very long line
            body = "x" * min(size, 20000) + "\n"
        elif w == 6:    # deep nesting
            ct, body = "text/plain", text(r, 500)
            for _ in range(30):
                ct, body = multi(r, "mixed", [part(ct, body)])
            ctype = ct
        else:           # broken encoded word split inside a multibyte character
            raw = base64.b64encode("отчёт".encode()[:5]).decode()
            subject = f"=?utf-8?B?{raw}?= =?utf-8?B?{base64.b64encode('отчёт'.encode()[5:]).decode()}?= =?utf-8?Q?unterminated"
    date = email.utils.formatdate(1735689600 + i * 1800, usegmt=False)
    head = (f"Return-Path: <user@example.org>\nReceived: from mx{r.randrange(9)}.example.org by mail.lab.test with ESMTPS id {r.getrandbits(48):x};\n\t{date}\n"
            f"Date: {date}\nFrom: {addr(r)}\nTo: alice@lab.test" + (", " + ",\n ".join(addr(r) for _ in range(r.randrange(4))) if i % 3 == 0 else "").rstrip(", ") +
            f"\nSubject: {subject}\nMessage-ID: <{i}.{r.getrandbits(64):x}@example.org>\n"
            + (f"In-Reply-To: <{i-1}.0@example.org>\nReferences: <{i-2}.0@example.org> <{i-1}.0@example.org>\n" if i % 4 == 0 else "")
            + f"MIME-Version: 1.0\nContent-Type: {ctype}\nContent-Transfer-Encoding: {cte}\nX-Lab-Kind: {kind}\n{extra}\n")
    return kind, (head + body).encode("latin-1" if kind == "odd" else "utf-8", "replace")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    g = p.add_mutually_exclusive_group(required=True)
    g.add_argument("--maildir"); g.add_argument("--eml")
    p.add_argument("--count", type=int, default=10000); p.add_argument("--seed", type=int, default=1)
    p.add_argument("--min-kb", type=int, default=2); p.add_argument("--max-kb", type=int, default=60)
    p.add_argument("--owner", default="mail", help="owner of the maildir when run as root (default: mail)")
    a = p.parse_args()
    r, total, kinds = random.Random(a.seed), 0, {}
    base = a.maildir or a.eml
    dirs = [base] + ([os.path.join(base, d) for d in ("cur", "new", "tmp")] if a.maildir else [])
    for d in dirs:
        os.makedirs(d, exist_ok=True)
    own = (pwd.getpwnam(a.owner)[2:4] if a.maildir and os.geteuid() == 0 else None)
    for i in range(a.count):
        kind, lf = make(r, i, a.min_kb * 1024, a.max_kb * 1024)
        crlf = lf.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        kinds[kind] = kinds.get(kind, 0) + 1; total += len(crlf)
        if a.maildir:
            lf = crlf.replace(b"\r\n", b"\n")
            path = os.path.join(base, "cur", f"{1735689600 + i}.M{i:06}.lab,S={len(lf)},W={len(crlf)}:2,{'S' if i % 2 else ''}")
            data = lf
        else:
            path, data = os.path.join(base, f"{i:05}.eml"), crlf
        with open(path, "wb") as f:
            f.write(data)
        if own:
            os.chown(path, *own)
    if own:
        for d in dirs:
            os.chown(d, *own)
    print(f"{a.count} messages, {total} bytes with CRLF, mean {total // max(1, a.count)}; {kinds}", file=sys.stderr)


main()
