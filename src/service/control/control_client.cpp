// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/control/control_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "net/system_environment.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;

constexpr std::size_t answer_octets = 64 * 1024 * 1024;
constexpr std::chrono::seconds patience{10};

Async<std::optional<boost::json::object>> ask_once(net::Environment& environment, std::string folder,
                                                   boost::json::object request) {
  auto channel = co_await connect_to_daemon(environment, std::move(folder));
  if (!channel) co_return fail(std::move(channel.error()));
  if (!*channel) co_return std::nullopt;
  if (auto asked = co_await (*channel)->write(request); !asked) co_return fail(std::move(asked.error()));
  co_return co_await (*channel)->read(patience);
}

}  // namespace

Async<std::unique_ptr<ControlChannel>> connect_to_daemon(net::Environment& environment, std::string folder) {
  auto place = ControlPlace::of(folder);
  if (!place) co_return fail(std::move(place.error()));
  ControlSocket socket(environment.executor);
  auto [failed] = co_await socket.async_connect(place->endpoint(), asio::as_tuple(asio::use_awaitable));
  if (failed == boost::system::errc::permission_denied)
    co_return fail(ErrorDomain::local, "not-permitted", "the daemon is another user's");
  // No such name, or nobody behind it.
  if (failed) co_return nullptr;
  co_return std::make_unique<ControlChannel>(std::move(socket), environment.clock, environment.timers,
                                             answer_octets);
}

std::optional<boost::json::object> ask_daemon(const std::string& folder, boost::json::object request) {
  asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) return std::nullopt;
  std::optional<boost::json::object> answer;
  asio::co_spawn(context, ask_once((*system)->get(), folder, std::move(request)),
                 [&](const std::exception_ptr& thrown, Result<std::optional<boost::json::object>> result) {
                   if (!thrown && result) answer = std::move(*result);
                 });
  context.run();
  return answer;
}

}  // namespace syncline::service
