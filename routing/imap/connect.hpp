// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From a host's name to a client that has signed in.
#include <chrono>
#include <memory>

#include "net/environment.hpp"
#include "routing/connection/endpoint.hpp"
#include "routing/imap/client.hpp"

namespace syncline::imap {

struct ConnectSettings {
  SignIn sign_in = {};
  SessionSettings session = {};
  ClientSettings client = {};
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};  ///< of connecting, and of the TLS handshake
};

/// Addresses are tried in the resolver's order. Errors: those of Resolver, Connector and Client; net
/// "timeout" (after).
Async<std::unique_ptr<Client>> connect(net::Environment& environment, mail::Endpoint endpoint,
                                       ConnectSettings settings);

}  // namespace syncline::imap
