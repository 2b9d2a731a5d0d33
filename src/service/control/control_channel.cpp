// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/control/control_channel.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "net/with_deadline.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;
namespace json = boost::json;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds write_patience{30};
constexpr std::size_t deepest = 16;

Error lost() {
  return {.domain = ErrorDomain::net,
          .code = "connection-lost",
          .message = "the other side has ended the connection",
          .retry = RetryClass::after};
}

Async<std::size_t> read_some(ControlSocket& socket, asio::mutable_buffer buffer) {
  auto [failed, octets] = co_await socket.async_read_some(buffer, as_result);
  if (failed == asio::error::eof) co_return std::size_t{0};
  if (failed) co_return fail(lost());
  co_return octets;
}

Async<void> write_all(ControlSocket& socket, asio::const_buffer buffer) {
  auto [failed, octets] = co_await asio::async_write(socket, buffer, as_result);
  if (failed) co_return fail(lost());
  co_return Result<void>{};
}

}  // namespace

Result<ControlPlace> ControlPlace::of(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(ErrorDomain::local, "io", "cannot open the folder " + folder);
  return ControlPlace(descriptor);
}

ControlPlace::ControlPlace(ControlPlace&& other) noexcept : folder_(std::exchange(other.folder_, -1)) {}

ControlPlace::~ControlPlace() {
  if (folder_ >= 0) ::close(folder_);
}

ControlEndpoint ControlPlace::endpoint() const {
  return {"/proc/self/fd/" + std::to_string(folder_) + "/" + control_socket_name};
}

Async<std::optional<json::object>> ControlChannel::read(std::optional<std::chrono::milliseconds> patience) {
  const SteadyTime until = clock_.steady_now() + patience.value_or(std::chrono::hours(24 * 365));
  std::array<char, 16 * 1024> buffer;
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = received_.find('\n', searched);
    if (end != std::string::npos) {
      json::parse_options options;
      options.max_depth = deepest;
      json::error_code bad;
      json::value value = json::parse({received_.data(), end}, bad, {}, options);
      received_.erase(0, end + 1);
      if (bad || !value.is_object())
        co_return fail(ErrorDomain::local, "bad-line", "a line is not a JSON object");
      co_return std::optional<json::object>(std::move(value.get_object()));
    }
    searched = received_.size();
    if (received_.size() > line_octets_) co_return fail(ErrorDomain::local, "bad-line", "a line is too long");
    const Error late{
        .domain = ErrorDomain::net, .code = "read-timeout", .message = "nothing was said in time"};
    auto reading = read_some(socket_, asio::buffer(buffer));
    auto got = co_await net::with_deadline(timers_, until, std::move(reading), late);
    if (!got) co_return fail(std::move(got.error()));
    if (*got == 0) {
      if (received_.empty()) co_return std::nullopt;
      co_return fail(lost());
    }
    received_.append(buffer.data(), *got);
  }
}

Async<void> ControlChannel::write(const json::object& line) {
  const std::string text = json::serialize(line) + "\n";
  const Error late{
      .domain = ErrorDomain::net, .code = "send-timeout", .message = "the other side does not read"};
  auto writing = write_all(socket_, asio::buffer(text));
  co_return co_await net::with_deadline(timers_, clock_.steady_now() + write_patience, std::move(writing),
                                        late);
}

void ControlChannel::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace syncline::service
