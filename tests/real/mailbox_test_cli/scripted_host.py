# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail hosts that let nobody in, in the words of large providers: IMAP and SMTP over TLS, one answer to every sign-in."""
import socketserver
import ssl
import threading
import time


class ScriptedHost:
    """`imap`, `smtp`: what follows the tag of a sign-in's answer, the SMTP reply to AUTH. Both take any number of lines.
    `seen`: protocol, mechanism and first response of each sign-in. `pause`: seconds before a folder is opened."""

    def __init__(self, certificate, key, imap="OK signed in", smtp="235 2.7.0 fine", select="", mail="", mechanisms="PLAIN",
                 pause=0):
        self.imap, self.smtp, self.select, self.mail, self.pause = imap, smtp, select, mail, pause
        self.mechanisms = mechanisms
        self.sign_ins = 0
        self.seen = []
        self.open, self.most_open = {}, {}
        self.counting = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        host = self

        class Handler(socketserver.StreamRequestHandler):
            def setup(self):
                self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                super().finish()
                self.request.close()

            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def line(self):
                return self.rfile.readline().decode(errors="replace").rstrip("\r\n")

            def sign_in(self, protocol, words, challenge):
                """`words`: the mechanism and, if it is there, the first response."""
                if len(words) == 1:
                    # CRAM-MD5 wants a text to answer; others have nothing to be told.
                    self.say(challenge + ("PDFAeD4=" if words[0] == "CRAM-MD5" else ""))
                    words = [words[0], self.line()]
                host.sign_ins += 1
                host.seen.append((protocol, *words))

            def handle(self):
                self.count(1)
                try:
                    self.converse()
                except OSError:
                    pass
                finally:
                    self.count(-1)

            def count(self, change):
                name = type(self).__name__.lower()
                with host.counting:
                    host.open[name] = host.open.get(name, 0) + change
                    host.most_open[name] = max(host.most_open.get(name, 0), host.open[name])

        class Imap(Handler):
            def converse(self):
                offer = "IMAP4rev1 SASL-IR " + " ".join(f"AUTH={one}" for one in host.mechanisms.split())
                self.say(f"* OK [CAPABILITY {offer}] ready")
                while line := self.line():
                    tag, _, rest = line.partition(" ")
                    word = rest.split(" ")[0].upper()
                    if word in ("LOGIN", "AUTHENTICATE"):
                        if word == "AUTHENTICATE":
                            self.sign_in("imap", rest.split(" ")[1:], "+ ")
                        else:
                            host.sign_ins += 1
                        self.say(f"{tag} {host.imap}")
                    elif word == "CAPABILITY":
                        self.say(f"* CAPABILITY {offer}")
                        self.say(f"{tag} OK done")
                    elif word == "LIST":
                        self.say('* LIST (\\HasNoChildren) "/" INBOX')
                        self.say(f"{tag} OK done")
                    elif word in ("SELECT", "EXAMINE") and host.select:
                        self.say(f"{tag} {host.select}")
                    elif word in ("SELECT", "EXAMINE"):
                        time.sleep(host.pause)
                        for one in ("* 0 EXISTS", "* FLAGS (\\Seen)", "* OK [UIDVALIDITY 7] ok", "* OK [UIDNEXT 1] ok"):
                            self.say(one)
                        self.say(f"{tag} OK [READ-WRITE] done")
                    elif word == "LOGOUT":
                        self.say("* BYE bye")
                        self.say(f"{tag} OK done")
                        return
                    else:
                        self.say(f"{tag} OK done")

        class Smtp(Handler):
            def converse(self):
                self.say("220 ready")
                while line := self.line():
                    word = line.split(" ")[0].upper()
                    if word == "EHLO":
                        for one in ("250-scripted", f"250-AUTH {host.mechanisms}", "250-ENHANCEDSTATUSCODES", "250 8BITMIME"):
                            self.say(one)
                    elif word == "AUTH":
                        self.sign_in("smtp", line.split(" ")[1:], "334 ")
                        for one in host.smtp.split("\n"):
                            self.say(one)
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    elif word in ("MAIL", "RCPT") and host.mail:
                        self.say(host.mail)
                    else:
                        self.say("250 ok")

        self.servers = []
        for handler in (Imap, Smtp):
            server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)
        self.imap_port, self.smtp_port = (server.server_address[1] for server in self.servers)

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
