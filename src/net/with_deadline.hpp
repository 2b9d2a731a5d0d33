// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to the transport library (it pulls in heavy templates): one awaitable against the clock.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "net/environment.hpp"
#include "net/event.hpp"

namespace syncline::net {

/// The result of `operation`, or `late` when `deadline` comes first; then the operation is cancelled.
template <class T>
Async<T> with_deadline(Timers& timers, SteadyTime deadline, Async<T> operation, Error late) {
  using namespace asio::experimental::awaitable_operators;
  auto first = co_await (std::move(operation) || timers.sleep_until(deadline));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  if (!std::get<1>(first)) co_return cancelled();
  co_return fail(std::move(late));
}

}  // namespace syncline::net
