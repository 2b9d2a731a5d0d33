// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Cancelling a spawned coroutine without touching freed memory.
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <memory>

#include "net/async.hpp"

namespace syncline::net {

/// Emits `signal`, which must live in `owner`. In Boost 1.81 the handler that co_spawn puts into the signal's
/// slot passes the emission on by dispatch(): at once on the executor's own thread, but later when called
/// from outside (a destructor after run() has returned). The owner is kept until that has happened.
inline void emit_cancellation(const asio::any_io_executor& executor, asio::cancellation_signal& signal,
                              std::shared_ptr<void> owner) {
  signal.emit(asio::cancellation_type::all);
  asio::post(executor, [owner = std::move(owner)] {});
}

}  // namespace syncline::net
