#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints an HS256 JWT that the lab's Dovecot accepts for XOAUTH2 / OAUTHBEARER.

  token.py WORKDIR user@lab.test [--ttl SECONDS]   (a negative TTL makes an expired token)
"""
import argparse, base64, hashlib, hmac, json, os, time

p = argparse.ArgumentParser()
p.add_argument("workdir"); p.add_argument("user"); p.add_argument("--ttl", type=int, default=3600)
p.add_argument("--xoauth2", action="store_true", help="print the base64 XOAUTH2 response instead")
a = p.parse_args()
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=")
with open(os.path.join(a.workdir, "keys/default/HS256/default"), "rb") as f:
    key = base64.b64decode(f.read())  # Dovecot keeps HMAC keys in base64
now = int(time.time())
body = {"sub": a.user, "email": a.user, "scope": "mail", "iat": now - 60, "nbf": now - 60, "exp": now + a.ttl}
msg = b64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + b64(json.dumps(body).encode())
tok = (msg + b"." + b64(hmac.new(key, msg, hashlib.sha256).digest())).decode()
if a.xoauth2:
    print(base64.b64encode(f"user={a.user}\x01auth=Bearer {tok}\x01\x01".encode()).decode())
else:
    print(tok)
