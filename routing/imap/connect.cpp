// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/connect.hpp"

#include <utility>

#include "net/watchdog.hpp"
#include "net/with_deadline.hpp"
#include "routing/connection/timed_stream.hpp"

namespace syncline::imap {
namespace {

Error late(const std::string& what, const mail::Endpoint& endpoint) {
  return {.domain = ErrorDomain::net,
          .code = "timeout",
          .message = what + " " + endpoint.host + ":" + std::to_string(endpoint.port) + " takes too long",
          .retry = RetryClass::after};
}

Async<net::StreamPtr> reach(net::Environment& environment, const mail::Endpoint& endpoint,
                            const ConnectSettings& settings) {
  const SteadyTime deadline = net::deadline_after(environment.clock, settings.timeout);
  const Error too_late = late("connecting to", endpoint);
  auto resolving = environment.resolver.addresses(endpoint.host);
  auto addresses = co_await net::with_deadline(environment.timers, deadline, std::move(resolving), too_late);
  if (!addresses) co_return fail(std::move(addresses.error()));
  Result<net::StreamPtr> last = fail(ErrorDomain::net, "name-not-found", endpoint.host + " has no address");
  for (const std::string& address : *addresses) {
    auto connecting = environment.connector.connect(address, endpoint.port);
    last = co_await net::with_deadline(environment.timers, deadline, std::move(connecting), too_late);
    if (last || last.error().code == "cancelled" || last.error().code == "timeout") break;
  }
  co_return last;
}

Async<net::StreamPtr> secure(net::Environment& environment, net::StreamPtr clear,
                             const mail::Endpoint& endpoint, const ConnectSettings& settings) {
  const SteadyTime deadline = net::deadline_after(environment.clock, settings.timeout);
  const Error too_late = late("the TLS handshake with", endpoint);
  auto securing = environment.connector.start_tls(std::move(clear), endpoint.host, endpoint.policy);
  co_return co_await net::with_deadline(environment.timers, deadline, std::move(securing), too_late);
}

net::StreamPtr timed(net::Environment& environment, net::StreamPtr stream, const mail::Endpoint& endpoint) {
  if (!endpoint.answer_times) return stream;
  return std::make_unique<mail::TimedStream>(environment.clock, std::move(stream), endpoint.answer_times);
}

Async<std::unique_ptr<Client>> begin(net::Environment& environment, const mail::Endpoint& endpoint,
                                     const ConnectSettings& settings) {
  auto stream = co_await reach(environment, endpoint, settings);
  if (!stream) co_return fail(std::move(stream.error()));
  if (endpoint.tls == mail::TlsMode::implicit) {
    stream = co_await secure(environment, std::move(*stream), endpoint, settings);
    if (!stream) co_return fail(std::move(stream.error()));
  }
  // The handshake after STARTTLS would be counted as commands.
  if (endpoint.tls != mail::TlsMode::starttls) *stream = timed(environment, std::move(*stream), endpoint);
  auto session = std::make_unique<Session>(environment, std::move(*stream), settings.session);
  auto client = std::make_unique<Client>(environment, std::move(session), settings.client);
  auto greeted = co_await client->greet();
  if (!greeted) co_return fail(std::move(greeted.error()));
  if (endpoint.tls == mail::TlsMode::starttls) {
    auto clear = co_await client->start_tls();
    if (!clear) co_return fail(std::move(clear.error()));
    auto secured = co_await secure(environment, std::move(*clear), endpoint, settings);
    if (!secured) co_return fail(std::move(secured.error()));
    *secured = timed(environment, std::move(*secured), endpoint);
    auto asked = co_await client->secured(std::move(*secured));
    if (!asked) co_return fail(std::move(asked.error()));
  }
  SignIn login = settings.sign_in;
  auto signed_in = co_await client->sign_in(std::move(login), endpoint.host, endpoint.port);
  if (!signed_in) co_return fail(std::move(signed_in.error()));
  auto settled = co_await client->settle();
  if (!settled) co_return fail(std::move(settled.error()));
  co_return client;
}

}  // namespace

Async<std::unique_ptr<Client>> connect(net::Environment& environment, mail::Endpoint endpoint,
                                       ConnectSettings settings) {
  auto client = co_await begin(environment, endpoint, settings);
  if (!client)
    co_return fail(std::move(client.error())
                       .during("connecting to " + endpoint.host + ":" + std::to_string(endpoint.port)));
  co_return client;
}

}  // namespace syncline::imap
