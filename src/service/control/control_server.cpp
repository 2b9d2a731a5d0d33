// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/control/control_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <utility>

#include "base/log.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;

constexpr std::size_t most_connections = 16;
constexpr std::size_t request_octets = 4 * 1024 * 1024;  // ten thousand addresses
constexpr std::chrono::seconds request_patience{10};
constexpr int backlog = 16;

/// Its user is ours or root: the socket's mode says so too, but says it only once.
bool may_ask(ControlSocket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

unexpected<Error> cannot(const std::string& what, const boost::system::error_code& why) {
  return fail(ErrorDomain::local, "io", "cannot " + what + " the control socket: " + why.message());
}

}  // namespace

struct ControlServer::State {
  State(net::Environment& of, ControlPlace at, Handler handles)
      : environment(of), place(std::move(at)), handler(std::move(handles)), acceptor(of.executor) {}
  net::Environment& environment;
  ControlPlace place;
  Handler handler;
  asio::local::stream_protocol::acceptor acceptor;
  std::list<ControlChannel*> open;
  std::size_t connections = 0;
};

Result<std::unique_ptr<ControlServer>> ControlServer::listen(net::Environment& environment,
                                                             const std::string& folder, Handler handler) {
  auto place = ControlPlace::of(folder);
  if (!place) return fail(std::move(place.error()));
  const auto state = std::make_shared<State>(environment, std::move(*place), std::move(handler));
  ::unlinkat(state->place.folder(), control_socket_name, 0);
  boost::system::error_code failed;
  state->acceptor.open({}, failed);
  if (failed) return cannot("make", failed);
  // Linux takes the mode of the socket for the name that bind() makes.
  if (::fchmod(state->acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0)
    return fail(ErrorDomain::local, "io", "cannot set the mode of the control socket");
  state->acceptor.bind(state->place.endpoint(), failed);
  if (failed) return cannot("name", failed);
  state->acceptor.listen(backlog, failed);
  if (failed) return cannot("listen on", failed);
  asio::co_spawn(environment.executor, accept(state), asio::detached);
  return std::unique_ptr<ControlServer>(new ControlServer(state));
}

ControlServer::~ControlServer() {
  stop();
}

void ControlServer::stop() {
  if (!state_->acceptor.is_open()) return;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  ::unlinkat(state_->place.folder(), control_socket_name, 0);
  for (ControlChannel* channel : state_->open) channel->close();
}

asio::awaitable<void> ControlServer::accept(std::shared_ptr<State> state) {
  while (state->acceptor.is_open()) {
    auto [failed, socket] = co_await state->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!state->acceptor.is_open()) co_return;
    if (failed) {
      // Out of descriptors, most likely: it passes.
      const SteadyTime until = state->environment.clock.steady_now() + std::chrono::seconds(1);
      if (auto slept = co_await state->environment.timers.sleep_until(until); !slept) co_return;
      continue;
    }
    if (state->connections >= most_connections || !may_ask(socket)) continue;
    asio::co_spawn(state->environment.executor, serve(state, std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> ControlServer::serve(std::shared_ptr<State> state, ControlSocket socket) {
  ControlChannel channel(std::move(socket), state->environment.clock, state->environment.timers,
                         request_octets);
  ++state->connections;
  const auto place = state->open.insert(state->open.end(), &channel);
  auto request = co_await channel.read(request_patience);
  if (!request) {
    boost::json::object refusal{
        {"error", {{"code", request.error().code}, {"message", request.error().message}}}};
    static_cast<void>(co_await channel.write(refusal));
  } else if (*request) {
    auto handled = co_await state->handler(std::move(**request), channel);
    if (!handled && handled.error().domain != ErrorDomain::net)
      log::info("control", "a request ended: " + handled.error().describe());
  }
  state->open.erase(place);
  --state->connections;
}

}  // namespace syncline::service
