// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The machine's own network for the coroutines of a test: clients against real servers on loopback.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "auth/blocking_pool.hpp"
#include "net/system_environment.hpp"

namespace syncline::testing {

class RealNetwork {
 public:
  /// `names` stand for these addresses, whatever DNS says.
  explicit RealNetwork(std::vector<net::ResolveOverride> names) {
    net::SystemSettings settings;
    settings.resolve = std::move(names);
    system_ = net::system_environment(context_.get_executor(), std::move(settings)).value();
  }

  /// Runs until `main` has ended; what runs beside it stands still then.
  template <class T>
  Result<T> run(net::Async<T> main) {
    std::optional<Result<T>> outcome;
    const auto capture = [&](net::Async<T> inner) -> net::asio::awaitable<void> {
      outcome.emplace(co_await std::move(inner));
      context_.stop();
    };
    net::asio::co_spawn(context_, capture(std::move(main)), net::asio::detached);
    context_.restart();
    context_.run();
    return std::move(*outcome);
  }
  net::Environment& environment() { return system_->get(); }

 protected:
  net::asio::io_context context_{1};
  std::unique_ptr<net::SystemEnvironment> system_;
  std::shared_ptr<auth::BlockingPool> pool_ = std::make_shared<auth::BlockingPool>(2);
};

}  // namespace syncline::testing
