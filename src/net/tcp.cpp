// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/tcp.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/event.hpp"

namespace syncline::net {
namespace {

using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

unexpected<Error> stream_error(const boost::system::error_code& error) {
  if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) return cancelled();
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return fail(ErrorDomain::net, "connection-reset", "the peer has broken the connection off",
                RetryClass::after);
  }
  return fail(ErrorDomain::net, "connection-failed", "the connection failed: " + error.message(),
              RetryClass::after);
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    // Commands and their bodies are written in one piece already; Nagle would only delay (1,000 mails: 31 s
    // for 1.4 s).
    socket_.set_option(tcp::no_delay(true), ignored);
  }

  Async<std::size_t> read_some(std::span<std::byte> buffer) override {
    // The kernel falls back to delayed acknowledgements by itself (tcp(7)), so it is told before each read.
    if (quick_ack_) {
      const int on = 1;
      ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    }
    const auto target = asio::buffer(buffer.data(), buffer.size());
    const auto [error, count] = co_await socket_.async_read_some(target, as_result);
    if (error == asio::error::eof) co_return std::size_t{0};
    if (error) co_return stream_error(error);
    co_return count;
  }

  Async<void> write_all(std::span<const std::byte> octets) override {
    while (!octets.empty()) {
      const auto source = asio::buffer(octets.data(), octets.size());
      const auto [error, count] = co_await socket_.async_write_some(source, as_result);
      if (error) co_return stream_error(error);
      octets = octets.subspan(count);
    }
    co_return Result<void>{};
  }

  Async<void> shutdown_write() override {
    boost::system::error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    if (error) co_return stream_error(error);
    co_return Result<void>{};
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  void set_quick_ack(bool on) noexcept override { quick_ack_ = on; }

 private:
  tcp::socket socket_;
  bool quick_ack_ = false;
};

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string host = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint.port());
}

class TcpListenerImpl final : public TcpListener {
 public:
  TcpListenerImpl(tcp::acceptor acceptor, std::uint16_t port) : acceptor_(std::move(acceptor)), port_(port) {}

  std::uint16_t port() const noexcept override { return port_; }

  Async<Accepted> accept() override {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor)
        co_return cancelled();
      if (error == asio::error::no_descriptors || error.value() == ENFILE ||
          error == asio::error::no_memory || error == asio::error::no_buffer_space) {
        co_return fail(ErrorDomain::net, "out-of-files", "no connection can be accepted: " + error.message(),
                       RetryClass::after);
      }
      // Anything else belongs to the one connection that was about to be accepted (accept(2)).
      if (error) continue;
      boost::system::error_code unknown;
      const tcp::endpoint endpoint = socket.remote_endpoint(unknown);
      if (unknown) continue;
      Accepted accepted;
      accepted.peer = to_text(endpoint);
      accepted.stream = std::make_unique<TcpStream>(std::move(socket));
      co_return accepted;
    }
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  tcp::acceptor acceptor_;
  std::uint16_t port_;
};

}  // namespace

Async<void> Stream::shutdown_write() {
  co_return Result<void>{};
}

Async<StreamPtr> connect_tcp(asio::any_io_executor executor, std::string address, std::uint16_t port) {
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) co_return fail(ErrorDomain::net, "bad-address", "\"" + address + "\" is not an IP address");
  const tcp::endpoint endpoint(parsed, port);
  tcp::socket socket(executor);
  const auto [failed] = co_await socket.async_connect(endpoint, as_result);
  if (failed) {
    if (failed == asio::error::operation_aborted) co_return cancelled();
    const std::string where = to_text(endpoint);
    if (failed == asio::error::connection_refused) {
      co_return fail(ErrorDomain::net, "connection-refused", where + " refuses connections",
                     RetryClass::after);
    }
    if (failed == asio::error::host_unreachable || failed == asio::error::network_unreachable ||
        failed == asio::error::timed_out) {
      co_return fail(ErrorDomain::net, "unreachable", where + " cannot be reached: " + failed.message(),
                     RetryClass::after);
    }
    co_return fail(ErrorDomain::net, "connection-failed",
                   "connecting to " + where + " failed: " + failed.message(), RetryClass::after);
  }
  StreamPtr stream = std::make_unique<TcpStream>(std::move(socket));
  co_return stream;
}

Result<std::unique_ptr<TcpListener>> listen_tcp(asio::any_io_executor executor, const std::string& address,
                                                std::uint16_t port) {
  boost::system::error_code error;
  const auto refuse = [&] {
    return fail(ErrorDomain::local, "cannot-listen",
                "cannot listen on " + address + " port " + std::to_string(port) + ": " + error.message());
  };
  const auto parsed = asio::ip::make_address(address, error);
  if (error) return refuse();
  const tcp::endpoint endpoint(parsed, port);
  tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), error);
  if (error) return refuse();
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (error) return refuse();
  acceptor.bind(endpoint, error);
  if (error) return refuse();
  acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return refuse();
  const auto bound = acceptor.local_endpoint(error);
  if (error) return refuse();
  std::unique_ptr<TcpListener> listener =
      std::make_unique<TcpListenerImpl>(std::move(acceptor), bound.port());
  return listener;
}

}  // namespace syncline::net
