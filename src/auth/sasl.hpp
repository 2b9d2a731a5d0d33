// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SASL (RFC 4422) as IMAP, POP3 and SMTP need it: the client's side of every mechanism, and the choice of
// one. No network here; what may block (a KDC, an expensive hash) runs on the blocking pool.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/kerberos_credentials.hpp"
#include "auth/token_source.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "net/async.hpp"

namespace syncline::auth {

class BlockingPool;

/// RFC 4954 section 4 allows 12,288 octets of base64; Kerberos tickets with group lists are longer.
inline constexpr std::size_t max_sasl_challenge_octets = 64 * 1024;

/// The client's side of one exchange on one connection. Octets, never base64: that is the protocol's part,
/// and so is the form of an empty initial response ("=") and of a cancelled exchange ("*").
///
///   initial response: respond("") if client_first() and the protocol may send one (SASL-IR; in SMTP the
///     whole AUTH line has at most 512 octets, RFC 4954 section 4); otherwise respond("") answers the
///     server's empty first challenge.
///   each challenge: respond(challenge), the answer may be empty. If it fails, cancel the exchange with "*",
///     read the server's reply and give back respond()'s error.
///   success: finished(), whose error ends the connection: whoever answered is not our server.
///   refusal: sasl_refusal() says what it means; after one of class reauthenticate renew() says whether to
///   try
///     once more.
class SaslExchange {
 public:
  virtual ~SaslExchange() = default;
  /// As IANA spells it: "SCRAM-SHA-256".
  virtual std::string_view mechanism() const noexcept = 0;
  virtual bool client_first() const noexcept = 0;
  /// One call at a time. Errors: domain auth; "sasl-protocol" (never) for a challenge that does not belong
  /// here or is too long; "server-not-authentic" (never) for a server that does not know our secret; those of
  /// GSSAPI and of the token source.
  virtual net::Async<Secret> respond(std::string challenge) = 0;
  /// After the server said success. Error: auth, "server-not-authentic" (never) when the mechanism proves the
  /// server and that proof is missing or wrong.
  virtual Result<void> finished() = 0;
  /// What an OAuth mechanism's error challenge said, one line; empty for other mechanisms. The exchange
  /// answers such a challenge by itself (respond() gives what the server waits for), and the real refusal
  /// follows.
  virtual std::string server_error() const { return {}; }
  /// After a refusal, with the code that sasl_refusal() gave: true if this exchange may begin with
  /// respond("") again, on this connection where the protocol allows it, as what mechanism() says then. Once
  /// only: the token was replaced (one that was just issued is not asked for again, R-20), or the server
  /// refused a -PLUS mechanism for its binding, and offers the same without. Errors: of the token source.
  virtual net::Async<bool> renew(std::string refusal) {
    static_cast<void>(refusal);
    co_return false;
  }
};

/// What the connection and the server allow.
struct SaslOffer {
  std::vector<std::string> mechanisms;  ///< as the server advertised, in any case
  bool is_tls = false;
  std::string tls_server_end_point;  ///< Stream::tls_server_end_point()
  std::string tls_exporter;          ///< Stream::tls_exporter() (RFC 9266); empty where not known
  std::string service;               ///< "imap", "pop", "smtp": the registered GSSAPI service names
  std::string host;                  ///< as the user wrote it, which is what the certificate was checked for
  std::uint16_t port = 0;
};

/// What we have; any of the last three may be missing.
struct SaslIdentity {
  std::string user;
  std::string authorization_id;  ///< whose mailbox, if not the user's own; empty as a rule
  std::optional<Secret> password = std::nullopt;
  std::shared_ptr<TokenSource> token = nullptr;
  /// Kerberos: `KerberosCredentials{}` is the process' own (client key table, else ticket cache).
  std::optional<KerberosCredentials> integrated = std::nullopt;
};

struct SaslPolicy {
  /// PLAIN, LOGIN and tokens on a connection without TLS: for loopback and for whoever insists.
  bool clear_text_without_tls = false;
  /// Only what needs no cryptography of its own or libkrb5's: PLAIN over TLS, GSSAPI, XOAUTH2, OAUTHBEARER.
  bool fips = false;
  /// Mechanisms that settings allow; empty: all. NTLM is never chosen by itself where another one fits.
  std::vector<std::string> allowed = {};
};

/// The strongest that server, credentials and policy allow:
///   a token: OAUTHBEARER, XOAUTH2 · Kerberos: GSSAPI ·
///   a password: SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN, LOGIN,
///   NTLM.
/// A token comes before Kerberos, and both before a password. There is no second mechanism after a refusal of
/// a password: each try counts towards the account's lock-out. Errors (auth): "no-mechanism" (never), which
/// names what the server offers and why none fits; "bad-credentials" (never) for what no mechanism can carry.
Result<std::unique_ptr<SaslExchange>> choose_sasl(const SaslOffer& offer, const SaslIdentity& identity,
                                                  const SaslPolicy& policy,
                                                  std::shared_ptr<BlockingPool> blocking);

/// What a server's refusal (NO, -ERR, 5xx) of this exchange means; `said` is its text as it came. Class
/// reauthenticate: "credentials-refused", "token-refused", "binding-refused" (of a -PLUS mechanism: the
/// server binds to something else, or somebody is between), "not-authorised" (the sign-in was fine, the
/// mailbox is not this user's to open or the protocol is switched off: nothing to try again). Callers keep
/// what their protocol says is temporary (SMTP 4xx, IMAP UNAVAILABLE, POP3 SYS/TEMP, IN-USE) out of here.
Error sasl_refusal(const SaslExchange& exchange, std::string_view said);

/// Exchange's "User is authenticated but not connected", which comes after the sign-in, at any command: an
/// authorisation fault and no network fault. For the protocols' reply tables.
bool is_not_authorised(std::string_view said) noexcept;

}  // namespace syncline::auth
