// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Another certificate for a server that is running.
#include "net/http_server.hpp"

namespace syncline::net {

/// Of a server that listen_http made, on its executor: connections that come from now on are shown the new
/// certificate; those that stand go on under the old one. Errors (tls), after which everything is as it was:
/// "bad-identity"; "no-tls" for a server that began without.
Result<void> replace_identity(HttpServer& server, const TlsServerIdentity& identity);

}  // namespace syncline::net
