// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What SMTP's and POP3's AUTH have in common (RFC 4954, RFC 5034): challenge and response in base64, an
// initial response where it fits, "*" to give up, and what comes of a refusal.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "auth/sasl.hpp"
#include "base/secret.hpp"
#include "net/async.hpp"

namespace syncline::mail {

/// Chooses how to sign in once the server's offer is known; made of auth::choose_sasl.
using ChooseSasl = std::function<Result<std::unique_ptr<auth::SaslExchange>>(const auth::SaslOffer&)>;

/// One answer of the server in an exchange.
struct SaslReply {
  enum class Kind : std::uint8_t {
    challenge,
    success,
    refused,  ///< for good: the credentials, or what they may do
    other,    ///< not the exchange's verdict: `error` is the protocol's own (temporary, no such command)
  };
  Kind kind = Kind::other;
  std::string text = {};  ///< challenge: base64; refused: what the server said
  Error error = {};       ///< of other
};

/// Sends one line (without its end) and reads the reply.
using SaslTurn = std::function<net::Async<SaslReply>(Secret line)>;

/// Runs one exchange. `turn("AUTH X …")` is the first call. A refused token is renewed once, on the same
/// connection. Errors: domain auth for refusals and for what the exchange says; those of `turn`.
net::Async<void> authenticate(auth::SaslExchange& exchange, SaslTurn turn);

}  // namespace syncline::mail
