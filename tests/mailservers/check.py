#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoke test of a running lab: check.py WORKDIR. Prints one line per check, exits 1 on any failure."""
import base64, imaplib, os, poplib, smtplib, socket, ssl, subprocess, sys, time

W = os.path.abspath(sys.argv[1])
env = {}
for line in open(os.path.join(W, "env")):
    for pair in line.replace("export ", "").split():
        k, v = pair.split("=", 1); env[k] = v
port = lambda n: int(env["LAB_" + n])
dom, pw = env["LAB_DOMAIN"], env["LAB_PASSWORD"]
ctx, bad = ssl.create_default_context(cafile=env["LAB_CA"]), 0


def check(name, f, want_error=None):
    global bad
    try:
        r = f()
        ok = want_error is None
    except Exception as e:
        r, ok = f"{type(e).__name__}: {e}", want_error is not None and want_error in str(e)
    bad += not ok
    print(("ok    " if ok else "FAIL  ") + name + ("" if ok else f"  -> {r}"))


def bearer(ttl="3600"):
    here = os.path.dirname(os.path.abspath(__file__))
    t = subprocess.check_output([os.path.join(here, "token.py"), W, f"alice@{dom}", "--ttl", ttl], text=True).strip()
    return f"user=alice@{dom}\x01auth=Bearer {t}\x01\x01".encode()


def imap(): return imaplib.IMAP4_SSL("localhost", port("IMAPS"), ssl_context=ctx)
def imap_tls():
    c = imaplib.IMAP4("localhost", port("IMAP")); c.starttls(ctx); return c
def smtp():
    s = smtplib.SMTP("localhost", port("SUBMIT")); s.starttls(context=ctx); s.login(f"alice@{dom}", pw); return s
def raw(name): return ctx.wrap_socket(socket.create_connection(("127.0.0.1", port("IMAPS"))), server_hostname=f"{name}.{dom}")
def pop_count():
    p = poplib.POP3_SSL("localhost", port("POP3S"), context=ctx); p.user(f"bob@{dom}"); p.pass_(pw); return p.stat()[0]
def arrives():
    n = pop_count(); smtp().sendmail(f"alice@{dom}", [f"bob@{dom}"], "Subject: smoke\r\n\r\nx\r\n")
    for _ in range(50):
        if pop_count() == n + 1: return
        time.sleep(0.1)
    raise RuntimeError("message did not arrive")


check("imaps login", lambda: imap().login(f"alice@{dom}", pw))
check("imap starttls login", lambda: imap_tls().login(f"alice@{dom}", pw))
check("wrong password refused", lambda: imap().login(f"alice@{dom}", "no"), "Authentication failed")
check("imap xoauth2", lambda: imap().authenticate("XOAUTH2", lambda x: bearer()))
check("expired token refused", lambda: imap().authenticate("XOAUTH2", lambda x: b"" if x else bearer("-30")), "AUTHENTICATIONFAILED")
check("pop3s login", pop_count)
for name, why in (("wrongname", "Hostname mismatch"), ("untrusted", "issuer"), ("expired", "expired")):
    check(f"certificate {name} detected", lambda: raw(name), why)
if os.path.isdir(os.path.join(W, "queue")):
    check("smtp submission, delivered by lmtp", arrives)
    check("smtp xoauth2", lambda: smtplib.SMTP_SSL("localhost", port("SMTPS"), context=ctx).docmd(
        "AUTH", "XOAUTH2 " + base64.b64encode(bearer()).decode()))
    check("no relaying out", lambda: smtp().sendmail(f"alice@{dom}", ["x@example.com"], "x"), "does not relay")
sys.exit(1 if bad else 0)
