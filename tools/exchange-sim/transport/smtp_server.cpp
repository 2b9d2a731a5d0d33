// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/transport/smtp_server.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <list>

#include "net/tcp.hpp"
#include "net/watchdog.hpp"

namespace exchange_sim {

namespace asio = net::asio;
using syncline::Result;

namespace {

using SharedStream = std::shared_ptr<net::Stream>;

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

}  // namespace

/// What the connections' coroutines keep.
struct SmtpServer::Shared {
  Shared(net::Environment& world, SmtpServerOptions wanted, MailTaker& for_mail)
      : environment(world), options(std::move(wanted)), taker(for_mail) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  net::Environment& environment;
  SmtpServerOptions options;
  MailTaker& taker;
  std::shared_ptr<net::TcpListener> listener;
  std::list<SharedStream> open;
  bool stopped = false;

  static asio::awaitable<void> accept_all(std::shared_ptr<Shared> shared,
                                          std::shared_ptr<net::TcpListener> listener) {
    while (!shared->stopped) {
      auto accepted = co_await listener->accept();
      if (accepted) {
        start(shared, std::move(accepted->stream));
        continue;
      }
      if (accepted.error().code != "out-of-files") co_return;
      const auto again = net::deadline_after(shared->environment.clock, std::chrono::milliseconds(100));
      auto slept = co_await shared->environment.timers.sleep_until(again);
      if (!slept) co_return;
    }
  }

  static void start(const std::shared_ptr<Shared>& shared, net::StreamPtr stream) {
    asio::co_spawn(shared->environment.executor, converse(shared, SharedStream(std::move(stream))),
                   asio::detached);
  }

  static asio::awaitable<void> converse(std::shared_ptr<Shared> shared, SharedStream stream) {
    if (shared->stopped) co_return;
    const bool too_many = shared->open.size() >= shared->options.connections;
    const auto position = shared->open.insert(shared->open.end(), stream);
    net::Watchdog watchdog(shared->environment, [stream] { stream->close(); });
    SmtpReceiver receiver(shared->options.host_name, shared->options.limits, shared->taker);
    std::string replies = too_many ? std::string("421 4.3.2 Too many connections\r\n") : receiver.greeting();
    std::array<std::byte, 16 * 1024> buffer{};
    const std::span<std::byte> room(buffer);
    for (;;) {
      watchdog.arm_for(shared->options.idle);
      if (!replies.empty()) {
        const auto octets = octets_of(replies);
        auto written = co_await stream->write_all(octets);
        if (!written) break;
      }
      if (too_many || receiver.is_over()) {
        static_cast<void>(co_await stream->shutdown_write());
        break;
      }
      auto count = co_await stream->read_some(room);
      if (!count || *count == 0) break;
      replies = receiver.feed(std::string_view(reinterpret_cast<const char*>(buffer.data()), *count));
    }
    stream->close();
    shared->open.erase(position);
  }
};

SmtpServer::SmtpServer(net::Environment& environment, SmtpServerOptions options, MailTaker& taker)
    : shared_(std::make_shared<Shared>(environment, std::move(options), taker)) {}

SmtpServer::~SmtpServer() {
  stop();
}

Result<void> SmtpServer::listen(std::uint16_t port) {
  auto listener = net::listen_tcp(shared_->environment.executor, "127.0.0.1", port);
  if (!listener) return syncline::fail(std::move(listener.error()).during("opening the SMTP listener"));
  shared_->listener = std::move(*listener);
  asio::co_spawn(shared_->environment.executor, Shared::accept_all(shared_, shared_->listener),
                 asio::detached);
  return {};
}

std::uint16_t SmtpServer::port() const noexcept {
  return shared_->listener == nullptr ? std::uint16_t{0} : shared_->listener->port();
}

void SmtpServer::serve(net::StreamPtr stream) {
  Shared::start(shared_, std::move(stream));
}

std::size_t SmtpServer::connections() const noexcept {
  return shared_->open.size();
}

void SmtpServer::stop() {
  shared_->stopped = true;
  if (shared_->listener != nullptr) shared_->listener->close();
  for (const auto& stream : shared_->open) stream->close();
}

}  // namespace exchange_sim
