// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the daemon tells over HTTP: whether it lives, whether it serves, its metrics.
#include <functional>
#include <memory>

#include "admin/api/api_server.hpp"
#include "admin/metrics.hpp"
#include "net/http_server.hpp"

namespace syncline::admin {

/// GET and HEAD only; errors are application/problem+json (RFC 9457):
///   /healthz  200 while the daemon goes round, 503 when it has not for a minute
///   /readyz   200 while it serves, 503 before and while it stops
///   /metrics  Prometheus' text
///   /api/v1/… the API, if there is one
/// No secret and no address of a mailbox stands in the first three. All must outlive it.
net::HttpHandler admin_handler(net::Environment& environment, const service::Daemon& daemon, Metrics& metrics,
                               api::ApiServer* api = nullptr);

/// Limits for clients of all kinds: slow ones are cut off, each route of the API says how long its bodies may
/// be.
net::ServerLimits admin_limits();
net::ServerHooks admin_hooks(api::ApiServer* api);

}  // namespace syncline::admin
