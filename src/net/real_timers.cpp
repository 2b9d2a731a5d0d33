// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/real_timers.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/event.hpp"

namespace syncline::net {

Async<void> RealTimers::sleep_until(SteadyTime when) {
  asio::steady_timer timer(executor_,
                           std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when));
  const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (error) co_return cancelled();
  co_return Result<void>{};
}

}  // namespace syncline::net
