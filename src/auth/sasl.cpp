// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/sasl.hpp"

#include <algorithm>

#include "auth/basic.hpp"
#include "auth/sasl_bearer.hpp"
#include "auth/sasl_gss.hpp"
#include "auth/sasl_password.hpp"
#include "base/text.hpp"

namespace syncline::auth {

namespace {

enum class Needs : std::uint8_t { token, ticket, password };

struct Mechanism {
  std::string_view name;
  Needs needs;
  bool clear_text = false;  ///< who listens can sign in, too
  bool fips = false;
  bool client_first = true;
  bool scram = false;
  bool binding = false;        ///< needs the tls-exporter binding
  bool authorization = false;  ///< can name another mailbox than the user's
};

/// Strongest first. PLAIN before LOGIN: one round trip less, and LOGIN has no standard. NTLM last: it needs a
/// plug-in, and where the password may go over TLS it adds nothing but ways to fail.
constexpr Mechanism mechanisms[] = {
    {.name = "OAUTHBEARER", .needs = Needs::token, .clear_text = true, .fips = true},
    {.name = "XOAUTH2", .needs = Needs::token, .clear_text = true, .fips = true},
    {.name = "GSSAPI", .needs = Needs::ticket, .fips = true, .authorization = true},
    {.name = "SCRAM-SHA-256-PLUS",
     .needs = Needs::password,
     .scram = true,
     .binding = true,
     .authorization = true},
    {.name = "SCRAM-SHA-1-PLUS",
     .needs = Needs::password,
     .scram = true,
     .binding = true,
     .authorization = true},
    {.name = "SCRAM-SHA-256", .needs = Needs::password, .scram = true, .authorization = true},
    {.name = "SCRAM-SHA-1", .needs = Needs::password, .scram = true, .authorization = true},
    {.name = "CRAM-MD5", .needs = Needs::password, .client_first = false},
    {.name = "PLAIN", .needs = Needs::password, .clear_text = true, .fips = true, .authorization = true},
    {.name = "LOGIN", .needs = Needs::password, .clear_text = true, .client_first = false},
    {.name = "NTLM", .needs = Needs::password},
};

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return text::equals_ignore_case(one, name); });
}

/// Empty: nothing speaks against it.
std::string_view objection(const Mechanism& mechanism, const SaslOffer& offer, const SaslIdentity& identity,
                           const SaslPolicy& policy) {
  if (!policy.allowed.empty() && !holds(policy.allowed, mechanism.name))
    return "the settings do not allow it";
  if (policy.fips && !mechanism.fips) return "FIPS mode does not allow it";
  switch (mechanism.needs) {
    case Needs::token:
      if (!identity.token) return "there is no OAuth sign-in";
      break;
    case Needs::ticket:
      if (!identity.integrated) return "it is for Windows integrated authentication";
      break;
    case Needs::password:
      if (!identity.password) return "there is no password";
      break;
  }
  if (mechanism.clear_text && !offer.is_tls && (policy.fips || !policy.clear_text_without_tls))
    return "it needs TLS";
  if (mechanism.binding && offer.tls_exporter.empty()) return "this connection has no channel binding";
  if (!mechanism.authorization && !identity.authorization_id.empty() &&
      identity.authorization_id != identity.user)
    return "it cannot open another user's mailbox";
  return {};
}

Error no_mechanism(const SaslOffer& offer, const SaslIdentity& identity, const SaslPolicy& policy) {
  constexpr std::size_t enough = 24;
  std::string offered;
  std::size_t count = 0;
  for (const std::string& name : offer.mechanisms) {
    if (++count > enough) break;
    const std::string shown = text::escape_for_display(std::string_view(name).substr(0, 40));
    std::string_view why = "it is not known here";
    for (const Mechanism& mechanism : mechanisms) {
      if (text::equals_ignore_case(mechanism.name, name)) why = objection(mechanism, offer, identity, policy);
    }
    offered += (offered.empty() ? "" : "; ") + shown + ": " + std::string(why);
  }
  return {.domain = ErrorDomain::auth,
          .code = "no-mechanism",
          .message = offered.empty() ? offer.host + " offers no way to sign in on this connection"
                                     : "None of the ways to sign in that " + offer.host +
                                           " offers can be used (" + offered + ")"};
}

Result<std::unique_ptr<SaslExchange>> make_exchange(const Mechanism& mechanism, const SaslOffer& offer,
                                                    const SaslIdentity& identity, const SaslPolicy& policy,
                                                    std::shared_ptr<BlockingPool> blocking) {
  if (mechanism.needs == Needs::token) {
    const auto kind = mechanism.name == "XOAUTH2" ? BearerMechanism::xoauth2 : BearerMechanism::oauthbearer;
    return make_bearer_exchange(kind, identity.user, offer.host, offer.port, identity.token);
  }
  if (mechanism.needs == Needs::ticket) {
    return make_gssapi_exchange(*identity.integrated, offer.service, offer.host, identity.authorization_id,
                                std::move(blocking));
  }
  if (mechanism.name == "NTLM") {
    // MS-SMTPNTLM's clients name the service as Windows registers it.
    const std::string service = offer.service == "smtp" ? "SMTPSVC" : offer.service;
    return make_ntlm_exchange({.user = identity.user, .password = *identity.password}, service, offer.host,
                              offer.tls_server_end_point, std::move(blocking));
  }
  PasswordExchange wanted;
  wanted.mechanism = mechanism.name;
  wanted.client_first = mechanism.client_first;
  wanted.proves_server = mechanism.scram;
  wanted.user = identity.user;
  if (identity.authorization_id != identity.user) wanted.authorization_id = identity.authorization_id;
  wanted.password = *identity.password;
  wanted.is_tls = offer.is_tls;
  if (mechanism.binding) {
    wanted.tls_exporter = offer.tls_exporter;
    const std::string_view unbound = mechanism.name.substr(0, mechanism.name.rfind('-'));
    for (const Mechanism& other : mechanisms)
      if (other.name == unbound && holds(offer.mechanisms, unbound) &&
          objection(other, offer, identity, policy).empty())
        wanted.unbound = other.name;
  }
  return make_password_exchange(std::move(wanted), std::move(blocking));
}

/// Control characters would end a field of XOAUTH2 (0x01) or PLAIN (0x00) early.
Result<void> check_identity(const SaslIdentity& identity) {
  for (const std::string* name : {&identity.user, &identity.authorization_id}) {
    const bool clean = std::none_of(name->begin(), name->end(), [](char c) {
      const auto octet = static_cast<unsigned char>(c);
      return octet < 0x20 || octet == 0x7f;
    });
    if (!clean || !text::is_valid_utf8(*name))
      return fail(ErrorDomain::auth, "bad-credentials",
                  "A user name holds control characters or is not UTF-8");
  }
  if (identity.user.empty() && (identity.token || identity.password))
    return fail(ErrorDomain::auth, "bad-credentials", "The user name is empty");
  if (identity.password) {
    if (identity.password->empty())
      return fail(ErrorDomain::auth, "bad-credentials", "The password is empty");
    return check_credentials({.user = identity.user, .password = *identity.password});
  }
  return {};
}

bool contains_ignoring_case(std::string_view text, std::string_view wanted) {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), [](char a, char b) {
           const auto lower = [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
           };
           return lower(a) == lower(b);
         }) != text.end();
}

/// What Cyrus SASL calls a binding that is not its own; a wrong password is an "authentication failure".
constexpr std::string_view bad_protocol = "bad protocol / cancel";

std::string server_text(std::string_view said) {
  constexpr std::size_t enough = 400;
  return text::escape_for_display(text::trim(said).substr(0, enough));
}

}  // namespace

Result<std::unique_ptr<SaslExchange>> choose_sasl(const SaslOffer& offer, const SaslIdentity& identity,
                                                  const SaslPolicy& policy,
                                                  std::shared_ptr<BlockingPool> blocking) {
  if (auto checked = check_identity(identity); !checked) return fail(std::move(checked).error());
  for (const Mechanism& mechanism : mechanisms) {
    if (!holds(offer.mechanisms, mechanism.name)) continue;
    if (!objection(mechanism, offer, identity, policy).empty()) continue;
    return make_exchange(mechanism, offer, identity, policy, std::move(blocking));
  }
  return fail(no_mechanism(offer, identity, policy));
}

bool is_not_authorised(std::string_view said) noexcept {
  // Exchange's IMAP and POP3; RFC 5530; Exchange Online's SMTP; Gmail's IMAP and POP3.
  for (const std::string_view sign :
       {"authenticated but not connected", "[authorizationfailed]", "smtpclientauthentication is disabled",
        "not enabled for imap", "not enabled for pop", "imap access is disabled", "pop access is disabled"}) {
    if (contains_ignoring_case(said, sign)) return true;
  }
  return false;
}

Error sasl_refusal(const SaslExchange& exchange, std::string_view said) {
  Error error{.domain = ErrorDomain::auth, .retry = RetryClass::reauthenticate};
  const bool bearer = exchange.mechanism() == "XOAUTH2" || exchange.mechanism() == "OAUTHBEARER";
  if (is_not_authorised(said)) {
    error.code = "not-authorised";
    error.message =
        "The sign-in was accepted, but this user may not use the mailbox over this protocol, or it is not "
        "the "
        "user's own";
  } else if (bearer) {
    error.code = "token-refused";
    error.message = "The server did not take the access token";
  } else if (exchange.mechanism().ends_with("-PLUS") && contains_ignoring_case(said, bad_protocol)) {
    error.code = "binding-refused";
    error.message = "The server does not take the channel binding";
  } else {
    error.code = "credentials-refused";
    error.message = "The server refused the user name or password";
  }
  error.message += " (" + std::string(exchange.mechanism()) + ")";
  if (const std::string reported = exchange.server_error(); !reported.empty())
    error.message += ": " + reported;
  if (const std::string text = server_text(said); !text.empty()) error.message += ": " + text;
  return error;
}

}  // namespace syncline::auth
