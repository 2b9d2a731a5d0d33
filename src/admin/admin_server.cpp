// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/admin_server.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>

namespace syncline::admin {
namespace {

namespace json = boost::json;

constexpr std::chrono::minutes longest_round{1};

struct Answer {
  int status = 200;
  std::string body = {};
  std::string content_type = "text/plain; charset=utf-8";
};

Answer problem(int status, const char* title, const std::string& detail) {
  json::object body{{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  return {.status = status, .body = json::serialize(body), .content_type = "application/problem+json"};
}

Answer health(const service::Daemon& daemon, SteadyTime now) {
  if (now - daemon.last_round() <= longest_round) return {.body = "ok\n"};
  return problem(503, "Stuck", "The daemon has not gone round for a minute.");
}

Answer readiness(const service::Daemon& daemon) {
  if (daemon.is_ready()) return {.body = "ready\n"};
  return problem(503, "Not ready",
                 daemon.is_stopping() ? "The daemon is stopping." : "The daemon is starting.");
}

}  // namespace

net::HttpHandler admin_handler(net::Environment& environment, const service::Daemon& daemon,
                               const RunTimes& times) {
  return [&environment, &daemon, &times](const net::ServerRequest& request,
                                         net::Responder& responder) -> net::asio::awaitable<void> {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const SteadyTime now = environment.clock.steady_now();
    Answer answer;
    net::Headers headers;
    const bool is_known = path == "/healthz" || path == "/readyz" || path == "/metrics";
    if (!is_known) {
      answer = problem(404, "Not found", "There is /healthz, /readyz and /metrics.");
    } else if (request.method != "GET" && request.method != "HEAD") {
      answer = problem(405, "Method not allowed", "Only GET and HEAD are served here.");
      headers.set("Allow", "GET, HEAD");
    } else if (path == "/healthz") {
      answer = health(daemon, now);
    } else if (path == "/readyz") {
      answer = readiness(daemon);
    } else {
      answer.body = prometheus_text(daemon, times, now);
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
  limits.header_octets = 16 * 1024;
  limits.body_octets = 1024;
  limits.header_time = std::chrono::seconds(10);
  limits.body_idle = std::chrono::seconds(10);
  limits.keep_alive = std::chrono::minutes(2);
  limits.connections = 64;
  return limits;
}

}  // namespace syncline::admin
