// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the daemon tells over HTTP: whether it lives, whether it serves, its metrics.
#include <functional>
#include <memory>

#include "admin/metrics.hpp"
#include "net/http_server.hpp"

namespace syncline::admin {

/// GET and HEAD only; errors are application/problem+json (RFC 9457):
///   /healthz  200 while the daemon goes round, 503 when it has not for a minute
///   /readyz   200 while it serves, 503 before and while it stops
///   /metrics  Prometheus' text
/// No secret and no address of a mailbox stands in any of them. `daemon` and `times` must outlive it.
net::HttpHandler admin_handler(net::Environment& environment, const service::Daemon& daemon,
                               const RunTimes& times);

/// Limits for a server that only monitoring asks.
net::ServerLimits admin_limits();

}  // namespace syncline::admin
