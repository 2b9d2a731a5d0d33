// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/admin_server.hpp"

#include <algorithm>
#include <string>

#include "admin/api/problem.hpp"

namespace syncline::admin {
namespace {

constexpr std::chrono::minutes longest_round{1};

struct Answer {
  int status = 200;
  std::string body = {};
  std::string content_type = "text/plain; charset=utf-8";
};

Answer problem(int status, std::string_view code, std::string_view detail) {
  return {.status = status,
          .body = api::problem_json(status, code, detail),
          .content_type = std::string(api::problem_type)};
}

Answer health(const service::Daemon& daemon, SteadyTime now) {
  if (now - daemon.last_round() <= longest_round) return {.body = "ok\n"};
  return problem(503, "stuck", "The daemon has not gone round for a minute.");
}

Answer readiness(const service::Daemon& daemon) {
  if (daemon.is_ready()) return {.body = "ready\n"};
  return problem(503, "not-ready",
                 daemon.is_stopping() ? "The daemon is stopping." : "The daemon is starting.");
}

}  // namespace

net::HttpHandler admin_handler(net::Environment& environment, const service::Daemon& daemon, Metrics& metrics,
                               api::ApiServer* api) {
  return [&environment, &daemon, &metrics, api](const net::ServerRequest& request,
                                                net::Responder& responder) -> net::asio::awaitable<void> {
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (api != nullptr && api::ApiServer::is_for_api(path)) {
      co_await api->handle(request, responder);
      co_return;
    }
    const SteadyTime now = environment.clock.steady_now();
    Answer answer;
    net::Headers headers;
    const bool is_known = path == "/healthz" || path == "/readyz" || path == "/metrics";
    if (!is_known) {
      answer = problem(404, "not-found", "There is /healthz, /readyz, /metrics and /api/v1/openapi.json.");
    } else if (request.method != "GET" && request.method != "HEAD") {
      answer = problem(405, "method-not-allowed", "Only GET and HEAD are served here.");
      headers.set("Allow", "GET, HEAD");
    } else if (path == "/healthz") {
      answer = health(daemon, now);
    } else if (path == "/readyz") {
      answer = readiness(daemon);
    } else {
      answer.body = metrics.text(now);
      answer.content_type = prometheus_content_type;
    }
    headers.set("Content-Type", answer.content_type);
    headers.set("Cache-Control", "no-store");
    std::string body = std::move(answer.body);
    const int status = answer.status;
    static_cast<void>(co_await responder.respond(status, std::move(headers), std::move(body)));
  };
}

net::ServerLimits admin_limits() {
  net::ServerLimits limits;
  limits.header_octets = 32 * 1024;
  limits.body_octets = 64 * 1024;
  for (const api::Route& route : api::routes())
    limits.body_octets = std::max(limits.body_octets, route.body_octets);
  limits.header_time = std::chrono::seconds(10);
  limits.body_idle = std::chrono::seconds(10);
  limits.body_time = std::chrono::minutes(2);
  limits.keep_alive = std::chrono::minutes(2);
  limits.connections = 1024;
  return limits;
}

net::ServerHooks admin_hooks(api::ApiServer* api) {
  net::ServerHooks hooks;
  hooks.body_octets = [api](const net::ServerRequest& head) -> std::uint64_t {
    const std::string_view path = std::string_view(head.target).substr(0, head.target.find('?'));
    if (api == nullptr || !api::ApiServer::is_for_api(path)) return 1024;
    return api->body_octets(head);
  };
  hooks.refusal = [](int status, std::string_view why) -> net::ServerHooks::Refusal {
    const std::string_view code = status == 413   ? "too-large"
                                  : status == 415 ? "unsupported-media-type"
                                  : status == 431 ? "header-too-large"
                                  : status >= 500 ? "trouble"
                                                  : "bad-request";
    return {std::string(api::problem_type), api::problem_json(status, code, why)};
  };
  return hooks;
}

}  // namespace syncline::admin
