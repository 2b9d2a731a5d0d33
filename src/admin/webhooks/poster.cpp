// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/webhooks/poster.hpp"

#include "base/text.hpp"

namespace syncline::admin {
namespace {

net::HttpOptions options() {
  net::HttpOptions options;
  options.limits.total = std::chrono::seconds(30);
  options.limits.first_octet = std::chrono::seconds(20);
  options.limits.body_octets = 64 * 1024;
  options.max_redirects = 3;
  // Where it leads is checked when it is connected.
  options.redirect = [](const net::Url&, const net::Url& to, int) { return to.is_tls(); };
  options.repeatable = true;
  return options;
}

}  // namespace

Poster::Poster(net::Environment& environment, PosterSettings settings)
    : connector_(environment.connector, std::move(settings.targets)),
      environment_{environment.executor, environment.clock,    environment.timers,
                   environment.random,   environment.resolver, connector_} {}

Result<std::unique_ptr<Poster>> Poster::make(net::Environment& environment, PosterSettings settings) {
  net::HttpClientSettings client_settings;
  client_settings.tls.ca_file = settings.ca_file;
  auto poster = std::unique_ptr<Poster>(new Poster(environment, std::move(settings)));
  auto client = net::make_http_client(poster->environment_, std::move(client_settings));
  if (!client) return fail(std::move(client.error()));
  poster->client_ = std::move(*client);
  return poster;
}

net::Async<void> Poster::post(std::string url, std::string body, net::Headers headers) {
  auto parsed = net::parse_url(url);
  if (!parsed) co_return fail(std::move(parsed.error()));
  if (!parsed->is_tls()) co_return fail(ErrorDomain::input, "bad-url", "Only https is delivered to");
  net::HttpRequest request;
  request.method = "POST";
  request.url = std::move(*parsed);
  request.headers = std::move(headers);
  request.headers.set("Content-Type", "application/json");
  request.body = std::make_shared<net::StringSource>(std::move(body));
  net::HttpOptions wishes = options();
  auto response = co_await client_->send(std::move(request), std::move(wishes));
  if (!response) co_return fail(std::move(response.error()));
  if (response->status >= 200 && response->status < 300) co_return Result<void>{};
  Error error{.domain = ErrorDomain::http,
              .code = "refused-by-receiver",
              .message = "The receiver answered with status " + std::to_string(response->status)};
  error.http_status = response->status;
  if (const auto after = response->headers.find("Retry-After"))
    if (const auto seconds = text::parse_int(text::trim(*after));
        seconds && *seconds > 0 && *seconds <= 86'400)
      error.retry_after = std::chrono::seconds(*seconds);
  co_return fail(std::move(error));
}

}  // namespace syncline::admin
