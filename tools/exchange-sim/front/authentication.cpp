// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/authentication.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;

namespace {

bool accepts(const SiteState& state, Scheme scheme) {
  const auto& schemes = state.site.schemes;
  return std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

bool same_octets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string bearer_challenge(const SiteState& state, std::string_view error) {
  std::string out = fmt::format(
      "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", "
      "trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", token_types=\"app_asserted_user_v1 "
      "service_asserted_app_v1\", authorization_uri=\"{}/{}/oauth2/v2.0/authorize\"",
      state.base_url(), state.site.oauth.tenant);
  if (!error.empty()) out += fmt::format(", error=\"{}\"", error);
  return out;
}

net::Headers challenges_with_bearer_error(const SiteState& state, std::string_view error) {
  net::Headers out;
  for (const auto scheme : state.site.schemes) {
    switch (scheme) {
      case Scheme::basic:
        out.add("WWW-Authenticate", fmt::format("Basic realm=\"{}\"", state.site.hosts.front()));
        break;
      case Scheme::ntlm:
        out.add("WWW-Authenticate", "NTLM");
        break;
      case Scheme::negotiate:
        out.add("WWW-Authenticate", "Negotiate");
        break;
      case Scheme::bearer:
        out.add("WWW-Authenticate", bearer_challenge(state, error));
        break;
    }
  }
  return out;
}

AuthenticationResult refused(const SiteState& state, std::string_view scheme, std::string why) {
  AuthenticationResult out;
  out.scheme = scheme;
  out.challenges = challenges_of(state);
  out.refusal = std::move(why);
  return out;
}

AuthenticationResult with_basic(SiteState& state, std::string_view value) {
  const auto plain = syncline::base64_decode(value).value_or(std::string());
  const auto colon = plain.find(':');
  if (colon == plain.npos) return refused(state, "basic", "no colon in the credentials");
  const auto* user = state.user_of_logon(std::string_view(plain).substr(0, colon));
  if (user == nullptr) return refused(state, "basic", "no such user");
  if (user->password.empty() ||
      !same_octets(user->password.reveal(), std::string_view(plain).substr(colon + 1))) {
    return refused(state, "basic", "wrong password");
  }
  AuthenticationResult out;
  out.scheme = "basic";
  out.identity = Identity{user->address, user, Scheme::basic, {}};
  return out;
}

AuthenticationResult with_bearer(SiteState& state, std::string_view value) {
  const auto verdict = state.tokens.check(value);
  if (!verdict.claims) {
    auto out = refused(state, "bearer", verdict.diagnostics);
    out.challenges = challenges_with_bearer_error(state, verdict.error);
    out.challenges.add("x-ms-diagnostics", verdict.diagnostics);
    return out;
  }
  AuthenticationResult out;
  out.scheme = "bearer";
  Identity identity{verdict.claims->address, nullptr, Scheme::bearer, verdict.claims->client_id};
  if (!verdict.claims->app_only()) {
    identity.user = state.user_of_address(identity.address);
    if (identity.user == nullptr) return refused(state, "bearer", "the token's user is not known here");
    identity.address = identity.user->address;
  }
  out.identity = std::move(identity);
  return out;
}

AuthenticationResult with_gss(SiteState& state, Scheme scheme, std::string_view value,
                              const net::ServerRequest& request, ConnectionState& connection) {
  const auto name = to_string(scheme);
  const std::string_view field = scheme == Scheme::ntlm ? "NTLM" : "Negotiate";
  const auto token = syncline::base64_decode(value);
  if (!token || token->empty()) {
    connection.handshake.reset();
    return refused(state, name, "the token is not base64");
  }
  // Whoever starts a handshake has left the identity that the connection had.
  connection.signed_in.reset();
  if (!connection.handshake || connection.handshake_scheme != scheme) {
    connection.handshake = std::make_unique<GssAcceptor>(
        scheme, state.site, request.tls ? request.tls_server_end_point : std::string());
    connection.handshake_scheme = scheme;
  }
  auto step = connection.handshake->accept(*token);
  if (!step) {
    connection.handshake.reset();
    return refused(state, name, step.error().describe());
  }
  AuthenticationResult out;
  out.scheme = name;
  if (!step->complete) {
    out.challenges.add("WWW-Authenticate", fmt::format("{} {}", field, syncline::base64_encode(step->token)));
    return out;
  }
  connection.handshake.reset();
  const auto* user = state.user_of_logon(step->peer);
  if (user == nullptr) return refused(state, name, step->peer + " has no account here");
  out.identity = Identity{user->address, user, scheme, {}};
  connection.signed_in = out.identity;
  if (!step->token.empty()) {
    out.challenges.add("WWW-Authenticate", fmt::format("{} {}", field, syncline::base64_encode(step->token)));
  }
  return out;
}

}  // namespace

net::Headers challenges_of(const SiteState& state) {
  return challenges_with_bearer_error(state, {});
}

AuthenticationResult authenticate(SiteState& state, const net::ServerRequest& request,
                                  ConnectionState& connection) {
  const auto field = request.headers.find("Authorization");
  if (!field) {
    if (connection.signed_in && connection.site == state.site.name) {
      AuthenticationResult out;
      out.identity = connection.signed_in;
      out.scheme = to_string(connection.signed_in->scheme);
      return out;
    }
    return refused(state, {}, {});
  }
  const auto value = text::trim(*field);
  const auto space = value.find(' ');
  const auto scheme = value.substr(0, space);
  const auto rest = space == value.npos ? std::string_view() : text::trim(value.substr(space + 1));
  if (text::equals_ignore_case(scheme, "Basic") && accepts(state, Scheme::basic))
    return with_basic(state, rest);
  if (text::equals_ignore_case(scheme, "Bearer") && accepts(state, Scheme::bearer))
    return with_bearer(state, rest);
  if (text::equals_ignore_case(scheme, "NTLM") && accepts(state, Scheme::ntlm)) {
    return with_gss(state, Scheme::ntlm, rest, request, connection);
  }
  if (text::equals_ignore_case(scheme, "Negotiate") && accepts(state, Scheme::negotiate)) {
    return with_gss(state, Scheme::negotiate, rest, request, connection);
  }
  return refused(state, text::to_lower_ascii(scheme.substr(0, 20)), "the scheme is not accepted");
}

}  // namespace exchange_sim
