# SPDX-License-Identifier: GPL-3.0-or-later
"""An OAuth 2.0 authorisation server for tests, with a state of its own: what it has issued, to whom, what was used up.

It judges every request by the standards (RFC 6749, 7636, 7009, 8628, 7523) and remembers why it refused one.
"""
import base64
import hashlib
import http.server
import json
import secrets
import subprocess
import tempfile
import threading
import time
import urllib.parse


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Refused(Exception):
    def __init__(self, code, description="", status=400):
        super().__init__(code)
        self.code, self.description, self.status = code, description, status


class OAuthServer:
    def __init__(self, client_id, client_secret):
        self.client_id, self.client_secret = client_id, client_secret
        self.codes = {}  # code: what it was issued for
        self.refresh_tokens = {}  # token: user
        self.devices = {}  # device code: state
        self.revoked = []
        self.requests = []  # (path, form) of every POST
        self.refusals = []
        # How it behaves.
        self.deny = False
        self.grants_scope = None
        self.refresh_lifetime = None
        self.rotate = False
        self.device_answers = []
        self.service_account_key = None  # path of the public key
        self.service_account_users = ()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                if parts.path != "/authorize":
                    self.answer(404, {})
                    return
                try:
                    place = server.authorize(single(parts.query))
                except Refused as refused:
                    server.refusals.append(refused.description or refused.code)
                    self.answer(refused.status, {"error": refused.code})
                    return
                self.send_response(302)
                self.send_header("Location", place)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                try:
                    form = single(body)
                    server.requests.append((self.path, form))
                    handler = {"/token": server.token, "/device": server.device, "/revoke": server.revoke}.get(self.path)
                    if handler is None:
                        raise Refused("not_found", status=404)
                    self.answer(200, handler(form))
                except Refused as refused:
                    server.refusals.append(refused.description or refused.code)
                    self.answer(refused.status, {"error": refused.code, "error_description": refused.description})

            def answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.listener.server_port}"
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()

    def count(self, grant_type):
        return sum(form.get("grant_type") == grant_type for _, form in self.requests)

    # What a browser asks for.
    def authorize(self, query):
        redirect = urllib.parse.urlsplit(query.get("redirect_uri", ""))
        if redirect.scheme != "http" or redirect.hostname not in ("127.0.0.1", "localhost") or not redirect.port:
            raise Refused("invalid_request", "the redirect is not a loopback address")
        if query.get("client_id") != self.client_id or query.get("response_type") != "code":
            raise Refused("invalid_request", "unknown client or response type")
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            raise Refused("invalid_request", "no PKCE challenge")
        if len(query.get("state", "")) < 22 or not query.get("scope"):
            raise Refused("invalid_request", "no state worth the name, or no scope")
        answer = {"state": query["state"]}
        if self.deny:
            answer["error"] = "access_denied"
            answer["error_description"] = "The user said no"
        else:
            answer["code"] = "4/" + secrets.token_urlsafe(16)
            self.codes[answer["code"]] = {"redirect": query["redirect_uri"], "challenge": query["code_challenge"],
                                          "scope": query["scope"], "user": query.get("login_hint"), "used": False}
        return query["redirect_uri"] + "?" + urllib.parse.urlencode(answer)

    def check_client(self, form):
        if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
            raise Refused("invalid_client", "wrong client", 401)

    def token(self, form):
        grant = form.get("grant_type")
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self.token_of_assertion(form)
        self.check_client(form)
        if grant == "authorization_code":
            issued = self.codes.get(form.get("code"))
            if issued is None or issued["used"]:
                raise Refused("invalid_grant", "unknown or used code")
            issued["used"] = True
            if issued["redirect"] != form.get("redirect_uri"):
                raise Refused("invalid_grant", "another redirect")
            verifier = form.get("code_verifier", "")
            if not 43 <= len(verifier) <= 128 or base64url(hashlib.sha256(verifier.encode()).digest()) != issued["challenge"]:
                raise Refused("invalid_grant", "the verifier does not match its challenge")
            return self.issue(issued["user"], self.grants_scope or issued["scope"], True)
        if grant == "refresh_token":
            user = self.refresh_tokens.get(form.get("refresh_token"))
            if user is None:
                raise Refused("invalid_grant", "Token has been expired or revoked.")
            if self.rotate:
                del self.refresh_tokens[form["refresh_token"]]
            return self.issue(user, "", self.rotate)
        if grant == "urn:ietf:params:oauth:grant-type:device_code":
            device = self.devices.get(form.get("device_code"))
            if device is None:
                raise Refused("invalid_grant", "unknown device code")
            now = time.monotonic()
            if now - device["last"] < device["interval"] - 0.2:
                raise Refused("invalid_request", "the device asks faster than it was told to")
            device["last"] = now
            if self.device_answers:
                raise Refused(self.device_answers.pop(0))
            return self.issue("device", device["scope"], True)
        raise Refused("unsupported_grant_type")

    def token_of_assertion(self, form):
        header, claims, signature = form["assertion"].split(".")
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/signature", "wb") as file:
                file.write(from_base64url(signature))
            checked = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.service_account_key, "-signature",
                                      folder + "/signature"], input=f"{header}.{claims}".encode(), capture_output=True)
        if checked.returncode != 0:
            raise Refused("invalid_grant", "Invalid JWT Signature.")
        claims = json.loads(from_base64url(claims))
        now = time.time()
        if claims["aud"] != self.base + "/token" or not claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 3600:
            raise Refused("invalid_grant", "Invalid JWT")
        if claims["sub"] not in self.service_account_users:
            raise Refused("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method", 401)
        return {"token_type": "Bearer", "access_token": secrets.token_urlsafe(20), "expires_in": 3600}

    def issue(self, user, scope, refresh):
        answer = {"token_type": "Bearer", "access_token": "ya29." + secrets.token_urlsafe(20), "expires_in": 3600}
        if scope:
            answer["scope"] = scope
        if refresh:
            answer["refresh_token"] = "1//" + secrets.token_urlsafe(20)
            self.refresh_tokens[answer["refresh_token"]] = user
        if self.refresh_lifetime:
            answer["refresh_token_expires_in"] = self.refresh_lifetime
        return answer

    def device(self, form):
        self.check_client(form)
        code = secrets.token_urlsafe(20)
        self.devices[code] = {"interval": 1, "last": time.monotonic(), "scope": form.get("scope", "")}
        return {"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": self.base + "/activate",
                "verification_uri_complete": self.base + "/activate?user_code=WDJB-MJHT", "expires_in": 60, "interval": 1}

    def revoke(self, form):
        self.check_client(form)
        self.revoked.append(form.get("token"))
        self.refresh_tokens.pop(form.get("token"), None)
        return {}


def single(query):
    """Every field once: a server that takes the first of two and one that takes the last disagree."""
    fields = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    if len({name for name, _ in fields}) != len(fields):
        raise Refused("invalid_request", "a field comes twice")
    return dict(fields)
