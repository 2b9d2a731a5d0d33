// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/connection/connection.hpp"

#include <algorithm>
#include <utility>

#include "net/with_deadline.hpp"

namespace syncline::mail {
namespace {

using net::Async;

constexpr std::size_t idle_octets = 4 * 1024;
constexpr std::size_t busy_octets = 64 * 1024;

Error late(ErrorDomain domain, std::string code, std::string message) {
  return Error{
      .domain = domain, .code = std::move(code), .message = std::move(message), .retry = RetryClass::after};
}

Async<net::StreamPtr> connect(net::Environment& environment, const Endpoint& endpoint, SteadyTime end) {
  auto resolving = environment.resolver.addresses(endpoint.host);
  Error no_name = late(ErrorDomain::net, "connect-timeout", "DNS does not answer for " + endpoint.host);
  auto addresses =
      co_await net::with_deadline(environment.timers, end, std::move(resolving), std::move(no_name));
  if (!addresses) co_return fail(std::move(addresses.error()));
  Error last{.domain = ErrorDomain::net,
             .code = "name-not-found",
             .message = "DNS has no address for " + endpoint.host};
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    // A dead first address may not eat the time of the ones behind it.
    const SteadyTime now = environment.clock.steady_now();
    const SteadyTime share = now + (end - now) / static_cast<std::int64_t>(addresses->size() - i);
    Error slow = late(
        ErrorDomain::net, "connect-timeout",
        endpoint.host + " does not answer at " + (*addresses)[i] + " port " + std::to_string(endpoint.port));
    auto connecting = environment.connector.connect((*addresses)[i], endpoint.port);
    auto stream =
        co_await net::with_deadline(environment.timers, share, std::move(connecting), std::move(slow));
    if (stream) co_return stream;
    last = std::move(stream.error());
    if (last.code == "cancelled") break;
  }
  co_return fail(std::move(last));
}

Async<net::StreamPtr> secure(net::Environment& environment, net::StreamPtr clear, const Endpoint& endpoint,
                             SteadyTime end) {
  Error slow = late(ErrorDomain::tls, "handshake-timeout",
                    "the TLS handshake with " + endpoint.host + " does not end");
  auto securing = environment.connector.start_tls(std::move(clear), endpoint.host, endpoint.policy);
  co_return co_await net::with_deadline(environment.timers, end, std::move(securing), std::move(slow));
}

}  // namespace

Connection::Connection(net::Environment& environment, net::StreamPtr stream, Endpoint endpoint)
    : environment_(environment),
      endpoint_(std::move(endpoint)),
      stream_(std::move(stream)),
      buffer_(idle_octets) {
  watch();
}

Connection::~Connection() = default;

net::Async<std::unique_ptr<Connection>> Connection::open(net::Environment& environment,
                                                         const Endpoint& endpoint,
                                                         std::chrono::milliseconds within) {
  const SteadyTime end = net::deadline_after(environment.clock, within);
  auto stream = co_await connect(environment, endpoint, end);
  if (!stream) co_return fail(std::move(stream.error()));
  net::StreamPtr ready = std::move(*stream);
  if (endpoint.tls == TlsMode::implicit) {
    auto secured = co_await secure(environment, std::move(ready), endpoint, end);
    if (!secured) co_return fail(std::move(secured.error()));
    ready = std::move(*secured);
  }
  co_return std::make_unique<Connection>(environment, std::move(ready), endpoint);
}

void Connection::watch() {
  // The stream goes when the connection goes, and the watchdog before it.
  watchdog_ = std::make_unique<net::Watchdog>(environment_, [this] {
    if (stream_ != nullptr) stream_->close();
  });
}

void Connection::begin(std::chrono::milliseconds idle, std::chrono::milliseconds total) {
  idle_ = idle;
  latest_ = net::deadline_after(environment_.clock, total);
  watchdog_->arm_for(idle_, latest_);
}

void Connection::end() noexcept {
  watchdog_->disarm();
}

std::string_view Connection::buffered() const noexcept {
  return {reinterpret_cast<const char*>(buffer_.data()) + begin_, end_ - begin_};
}

void Connection::consume(std::size_t octets) noexcept {
  begin_ += std::min(octets, end_ - begin_);
}

Error Connection::broken(Error error) {
  Error said = told(std::move(error));
  close();
  return said;
}

Error Connection::told(Error error) const {
  if (watchdog_->expired())
    return late(ErrorDomain::net, "timeout", endpoint_.host + " does not answer in time");
  return error;
}

net::Async<void> Connection::fill() {
  if (broken_) co_return net::cancelled();
  begin_ = end_ = 0;
  auto count = co_await stream_->read_some(buffer_);
  if (!count) co_return fail(broken(std::move(count.error())));
  if (*count == 0) {
    co_return fail(
        broken(late(ErrorDomain::net, "connection-closed", endpoint_.host + " has ended the connection")));
  }
  end_ = *count;
  if (asked_at_ && endpoint_.answer_times)
    endpoint_.answer_times->add(environment_.clock.steady_now() - *asked_at_);
  asked_at_.reset();
  watchdog_->arm_for(idle_, latest_);
  // A read that fills the small buffer means bulk. Thousands of idle connections keep the small one.
  if (end_ == buffer_.size() && buffer_.size() < busy_octets) buffer_.resize(busy_octets);
  co_return Result<void>{};
}

net::Async<void> Connection::write(std::string_view octets) {
  if (!usable()) co_return net::cancelled();
  const auto bytes = std::as_bytes(std::span<const char>(octets.data(), octets.size()));
  auto written = co_await stream_->write_all(bytes);
  if (!written) {
    // What the server said before it closed can still be read.
    write_failed_ = true;
    co_return fail(told(std::move(written.error())));
  }
  asked_at_ = environment_.clock.steady_now();
  watchdog_->arm_for(idle_, latest_);
  co_return Result<void>{};
}

net::Async<void> Connection::start_tls(std::chrono::milliseconds within) {
  if (broken_) co_return net::cancelled();
  if (begin_ != end_) {
    close();
    co_return fail(ErrorDomain::tls, "starttls-injection",
                   endpoint_.host +
                       " sent more than its agreement before the TLS handshake: somebody on the "
                       "way may have put it there");
  }
  // The stream is not ours while the handshake lasts, and has a deadline of its own.
  watchdog_.reset();
  const SteadyTime end = net::deadline_after(environment_.clock, within);
  auto secured = co_await secure(environment_, std::move(stream_), endpoint_, end);
  if (!secured) {
    broken_ = true;
    watch();
    co_return fail(std::move(secured.error()));
  }
  stream_ = std::move(*secured);
  watch();
  co_return Result<void>{};
}

void Connection::close() noexcept {
  broken_ = true;
  if (stream_ != nullptr) stream_->close();
}

}  // namespace syncline::mail
