// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Who is calling: Basic, NTLM, Negotiate and Bearer at the door of a site, and what a connection remembers of
// it.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/http_server.hpp"
#include "tools/exchange-sim/front/gss_acceptor.hpp"
#include "tools/exchange-sim/front/site_state.hpp"

namespace exchange_sim {

struct Identity {
  std::string address;         ///< of the account; empty for an app-only token
  const User* user = nullptr;  ///< null for an app-only token
  Scheme scheme = Scheme::basic;
  std::string client_id;  ///< Bearer: the application
  bool app_only() const noexcept { return user == nullptr; }
  std::string name() const { return app_only() ? "app:" + client_id : address; }
};

/// What is kept with one connection. NTLM and Negotiate sign in the connection, not the request.
struct ConnectionState {
  std::uint64_t number = 0;
  std::string site;
  std::unique_ptr<GssAcceptor> handshake;
  Scheme handshake_scheme = Scheme::ntlm;
  std::optional<Identity> signed_in;
};

struct AuthenticationResult {
  std::optional<Identity> identity;
  std::string scheme;  ///< of the Authorization field, or of the signed-in connection
  net::Headers
      challenges;  ///< WWW-Authenticate and x-ms-diagnostics for the 401; or a last token with the answer
  std::string refusal;  ///< why, for the log; empty: nobody tried, or a handshake goes on
};

AuthenticationResult authenticate(SiteState& state, const net::ServerRequest& request,
                                  ConnectionState& connection);

/// WWW-Authenticate for every scheme of the site.
net::Headers challenges_of(const SiteState& state);

}  // namespace exchange_sim
